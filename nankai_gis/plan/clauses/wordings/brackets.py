"""What a bracket behind a name says: another name, a remark, an edge, a section, in or out."""

from __future__ import annotations

import re
from dataclasses import replace

from nankai_gis.plan.clauses.wordings import edges, exclusions, inclusions, names, sections
from nankai_gis.plan.clauses.wordings.stated_areas import STATED, state_area
from nankai_gis.plan.clauses.wordings.wording import Draft, Example

_PLANNED = re.compile("未来|规划|打通|拟建|在建|新建|待建")
_OLD = re.compile(r"(?:原名?|曾用名|又名|又称|亦称|即|也称|现名|现|旧称|俗称|简称|名):?")
_SURFACE = re.compile(
    r"(?P<not>不)?(?:包括|包含|含)(?:道路|路面|路幅|道路用地|河道|水面|河面|该路|本路|红线|绿化带)?"
)
_VOID = re.compile(
    r"暂名|暂定名?|以下简称.*|下同|见.*图.*|略|不详|南北向|东西向|.*级公路|宽?\d+(?:米|m)宽?"
)


def read_bracket(draft: Draft, simple: str, own: str, known: bool) -> str:
    """Take what a bracket says of the last bound, and return the kind of its characters.

    `simple` are its words in simplified characters, `own` in the text's script; `known` tells
    whether a network has a road of that name.
    """
    bound = draft.bounds[-1] if draft.bounds else None
    if bound is not None and (surface := _SURFACE.fullmatch(simple)):
        draft.bounds[-1] = replace(bound, edge="inner" if surface["not"] else "outer")
        return "edge"
    if bound is not None and not known and _PLANNED.search(simple):
        draft.bounds[-1] = replace(bound, planned=True)
        return "section"
    said = _phrases(draft, simple, own)
    if said:
        return said
    if bound is None:
        return "heading"
    if edge := edges.edge(simple):
        draft.bounds[-1] = replace(bound, edge=edge)
        return "edge"
    if _VOID.fullmatch(simple):
        return "connective"
    old = _OLD.match(simple)
    name, simple_name = (own[old.end() :], simple[old.end() :]) if old else (own, simple)
    if not known and sections.IN_BRACKET.fullmatch(simple):
        draft.bounds[-1] = replace(bound, section=own)
        return "section"
    if known or old or names.is_line(simple_name) or names.is_area(simple_name):
        draft.bounds[-1] = replace(bound, others=(*bound.others, name))
        return names.kind(simple_name)
    return "unread"


def _phrases(draft: Draft, simple: str, own: str) -> str:
    """Take the phrases of a bracket that says what lies in or out; "" for another bracket."""
    said, place = "", 0
    while place < len(simple):
        for kind, pattern, take in (
            ("exclusion", exclusions.EXCLUSION, exclusions.exclude),
            ("inclusion", inclusions.INCLUSION, inclusions.include),
            ("stated area", STATED, state_area),
        ):
            found = pattern.match(simple, place)
            if found and found.end() > place:
                take(draft, found, own[found.start() : found.end()])
                said = kind if said != "exclusion" else said
                place = found.end()
                break
        else:
            if simple[place] not in ",;、。":
                return said
            place += 1
    return said


EXAMPLES = (
    Example(
        "東至望海路(北望海路),南至鐵路線(南塘支線),西至長堤路(規劃),北至松風大街(未來將打通)",
        {
            "east": "望海路", "south": "鐵路線", "west": "長堤路", "north": "松風大街",
            "others": {"east": "北望海路", "south": "南塘支線"},
            "planned": {"west": True, "north": True, "east": False},
        },
    ),
    Example(
        "某地块(东至望海路,南至听涛道,西至长堤路,北至松风大街)已批复。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "name": "某地块",
        },
    ),
)  # fmt: skip
