"""Side marks: the words that say on which side of an area a name stands.

Before the name (東至, 南以…為界, 西側為, 北:), or behind it: 「紅旗路以西」 makes 紅旗路 the east
side.
A candidate is judged by what stands round it; `groups` then chooses those that make up one area.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SIDE = {"东": "east", "南": "south", "西": "west", "北": "north"}
OPPOSITE = {"east": "west", "west": "east", "south": "north", "north": "south"}

_D = "[东南西北]"
_PART = "(?:侧边界|部边界|侧界|边界线|边界|界线|界址|界限|侧|边|面|界|部|端|方向|方|向|线)?"
_HOW = "(?:大致|大体|基本|分别|均|皆|各|略|则|直|又|仍|主要|暂|也|已|现|拟)*"
_STRONG = (
    "起自|起于|止于|止至|至于|延至|延伸至|延伸到|抵达|直抵|直至|到达|临近|邻近|紧临|紧邻|紧靠|紧接|紧挨|"
    "毗邻|毗连|相邻|邻接|邻靠|靠近|接壤|濒临|濒|傍|滨|隔|至|到|起|抵|达|临|邻|接|靠|连|距|界|毗|枕|倚|挨"
)
_WEAK = "以|沿着|沿|为(?!界)|是|自|从|由|与|和|同|依|止"
# A mark may be written 「向南至」; a colon may follow the verb, or stand in its place.
_BEFORE = re.compile(
    rf"(?<![以之])(?P<lead>[向往])?(?P<sides>{_D}(?:[、和及,/]{_D})*){_PART}{_HOW}"
    rf"(?:(?P<strong>(?:{_STRONG})于?:?|:|-+)|(?P<weak>(?:{_WEAK}):?))"
)
# Behind the name. A distance makes it an offset, not a mark.
_BEHIND = re.compile(
    rf"(?:以|之|迤)(?P<side>{_D})(?:侧|边|面|方向|方)?(?!(?:侧|边|面|方向)?外?(?:约|大约|近)?\d)(?!段)"
)
_BARE = re.compile(rf"(?<=.)(?P<side>{_D})(?:侧|边|面)(?=[,;。、\n]|的?(?:合|所|围|区域|地块)|$)")
_STOPS = ",;。、:()\n~-/.!?"
# Behind these words a mark may stand without punctuation: a name or its tail has ended.
_ENDED = re.compile(
    r"(?:[路道街河线巷江港渠沟桥)区园]|范围|四至|边界|界址|为界|为止|止|一线|等|地块|项目|即|是|为|分别)$"
)
_BOUND_LATER = re.compile(r"[^,;。\n]{1,30}?(?:为界|为边界|为线|为限|为止|分界)")


@dataclass(frozen=True, slots=True)
class SideMark:
    """A candidate: where it stands in the folded text, its sides, and how sure it is."""

    start: int
    end: int
    sides: tuple[str, ...]
    behind: bool
    strength: int
    moves: bool = False


def _before(text: str, found: re.Match[str]) -> SideMark | None:
    """Judge a mark that would stand before its name."""
    start, end = found.span()
    previous = text[start - 1] if start else "\n"
    # 東南至 is a diagonal; 以南至 ends a name that stands before.
    if not found["lead"] and previous in "东南西北以之":
        return None
    weak = found["weak"]
    if weak and weak.startswith("以") and _BOUND_LATER.match(text, end):
        weak = ""
    free = previous in _STOPS or text[max(0, start - 2) : start] in ("其中", "范围", "四至")
    numbered = re.search(
        r"(?:^|[,;。、\n])\(?(?:\d{1,2}|[一二三四五六七八九十]{1,2})[).、]?$", text[:start][-6:]
    )
    free = free or bool(numbered)
    if end >= len(text) or text[end] in ",;。、\n)":
        # Nothing is named: only 「東至」 by itself is still a mark, and a fault.
        strong = found["strong"] or ""
        if not (free and strong[:1] in ("至", "到", "起", "抵")):
            return None
    ended = bool(_ENDED.search(text[max(0, start - 4) : start]))
    if found["strong"] == ":" and not free and not ended:
        return None
    if (found["strong"] or "").startswith("-") and not free:
        return None
    if weak and not free:
        return None
    strength = (3 if free else 2 if ended else 1) - bool(weak)
    sides = tuple(SIDE[c] for c in found["sides"] if c in SIDE)
    return SideMark(start, end, sides, False, strength, bool(found["lead"]))


def candidates(text: str) -> list[SideMark]:
    """Return every stretch of a folded, simplified text that may be a side mark, in order."""
    marks = [mark for found in _BEFORE.finditer(text) if (mark := _before(text, found))]
    for found in _BEHIND.finditer(text):
        following = text[found.end() : found.end() + 1]
        strength = 3 if not following or following in _STOPS or following in "的合所围区" else 2
        sides = (OPPOSITE[SIDE[found["side"]]],)
        marks.append(SideMark(*found.span(), sides, True, strength))
    if not any(mark.strength > 1 for mark in marks):
        for found in _BARE.finditer(text):
            marks.append(SideMark(*found.span(), (OPPOSITE[SIDE[found["side"]]],), True, 1))
    # Of two that overlap the surer one stays, else the first.
    marks.sort(key=lambda mark: (mark.start, -mark.strength))
    kept: list[SideMark] = []
    for mark in marks:
        if kept and mark.start < kept[-1].end:
            if mark.strength > kept[-1].strength:
                kept[-1] = mark
            continue
        # A name that begins as a mark does: 「東至東起路」.
        if kept and not kept[-1].behind and not mark.behind and mark.start == kept[-1].end:
            continue
        kept.append(mark)
    return kept


def depths(text: str) -> list[int]:
    """Return for each character in which bracket it stands: its place, or -1 outside."""
    inside = [-1] * len(text)
    opened: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            opened.append(place)
        elif character == ")" and opened:
            first = opened.pop()
            for within in range(first + 1, place if place - first < _BRACKET else first):
                # Of two brackets the inner one, which closes first, counts.
                inside[within] = first if inside[within] < 0 else inside[within]
    return inside


def groups(text: str, marks: Sequence[SideMark]) -> list[list[SideMark]]:
    """Put the marks of each area together.

    Marks inside a bracket belong to no clause outside it; a side that comes again begins the next
    area, as does a long stretch of other prose.
    """
    inside = depths(text)
    made: list[list[SideMark]] = []
    current: dict[int, list[SideMark]] = {}
    for mark in marks:
        bracket = inside[mark.start]
        group = current.get(bracket)
        if group and not _apart(text, group[-1], mark):
            taken = _taken(group)
            again = [side for side in mark.sides if side in taken]
            if not again or _merges(text, group[-1], mark):
                group.append(mark)
                continue
            weaker = [m for m in group if set(m.sides) & set(again) and m.strength < mark.strength]
            if mark.strength < max(m.strength for m in group if set(m.sides) & set(again)):
                continue
            if weaker and len(taken) < 4:
                for m in weaker:
                    group.remove(m)
                group.append(mark)
                continue
            alike = {side for m in group if m.behind == mark.behind for side in m.sides}
            gap = text[group[-1].end : mark.start]
            # A side that comes twice before all four have come is a fault of this clause.
            twice = len(taken) < 4 and len(gap) < 20 and not re.search(r"[。;\n]", gap)
            if len(taken) == 1 or twice or not alike & set(mark.sides):
                group.append(mark)
                continue
        current[bracket] = group = [mark]
        made.append(group)
    return _outermost(text, made)


def _taken(group: Sequence[SideMark]) -> set[str]:
    return {side for mark in group for side in mark.sides}


def _merges(text: str, last: SideMark, mark: SideMark) -> bool:
    """Whether a mark behind only repeats the one before the name: 「東:紅旗路以西」."""
    return mark.behind and not last.behind and mark.sides == last.sides


# A bracket that closes later than this was never closed, or is no bracket.
_BRACKET = 400
# So much other prose between two marks parts them; behind a full stop less.
_FAR, _NEXT_SENTENCE = 160, 24


def _apart(text: str, last: SideMark, mark: SideMark) -> bool:
    gap = text[last.end : mark.start]
    if len(gap) > _FAR:
        return True
    sentences = re.split(r"[。\n]", gap)
    return len(sentences) > 1 and any(len(s) > _NEXT_SENTENCE for s in sentences[1:])


def _outermost(text: str, made: list[list[SideMark]]) -> list[list[SideMark]]:
    """Without groups in brackets that stand inside another area's clause."""
    made = [group for group in made if group]
    made.sort(key=lambda group: group[0].start)
    kept: list[list[SideMark]] = []
    for group in made:
        if kept and group[0].start < kept[-1][-1].end:
            if len(_taken(group)) > len(_taken(kept[-1])):
                kept[-1] = group
            continue
        kept.append(group)
    return kept
