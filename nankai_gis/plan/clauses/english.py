"""Bounds in English: bounded by A Road on the east, …; north of A Road, …; East: A Road."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from nankai_gis.plan.clauses.folded import FoldedText
from nankai_gis.plan.clauses.marks import OPPOSITE
from nankai_gis.plan.clauses.reading import AreaClause, Bound
from nankai_gis.plan.clauses.wordings.wording import Example
from nankai_gis.plan.model import SIDES

_SIDE = r"(?P<{}>east|south|west|north)(?:ern)?(?: side| edge| boundary)?"
_MARK = re.compile(
    rf"\b(?:on|to|in|along|at) (?:the |its ){_SIDE.format('of')}(?P<by> by |: ?)?(?! of\b)"
    rf"|\b{_SIDE.format('beyond')} of (?:the )?"
    rf"|\b{_SIDE.format('colon')}(?: is| by)?(?:: ?| (?:is|by) )"
)
_OPENS = re.compile(
    r"\b(?:is |are |being )?(?:bounded|bordered|enclosed|delimited|limited)(?: by)?\b|\bbetween\b"
)
_PART = re.compile(r"(?:,|;| and | & |/)+ ?(?:and )?(?:by )?(?:the )?| and by ")
_TRIM = re.compile(r"^(?:[ ,;:]|and |by |the |from )+|[ ,;:.]+$|(?: and| by| to| the)+$")
_ROAD = re.compile(
    r".*\b(?:road|rd|street|st|avenue|ave|lane|drive|highway|expressway|boulevard|way|line|freeway|"
    r"motorway|parkway|\w*(?:lu|jie|dao|dadao|dajie))\.?$"
)
_KINDS = (
    ("railway", re.compile(r".*\b(?:railway|railroad|rail|metro|line \d+)\b.*")),
    ("river", re.compile(r".*\b(?:river|canal|creek|stream|he|jiang)$")),
    ("road", _ROAD),
)
_SENTENCE = re.compile(r"\.(?= |$)|[。\n]")
_AREA = re.compile(
    r"(?P<n>\d[\d,]*(?:\.\d+)?) ?"
    r"(?P<unit>sq(?:uare)? ?(?:km|kilomet(?:er|re)s?)|km2|hectares?|ha)\b"
)

Labels = list[tuple[int, int, str]]


def areas(text: FoldedText) -> Iterator[tuple[AreaClause, Labels, int]]:
    """Yield every area that a text bounds in English."""
    begin = 0
    stops = [found.end() for found in _SENTENCE.finditer(text.simple)]
    for stop in [*stops, len(text.simple)]:
        found = list(_MARK.finditer(text.simple, begin, stop))
        if len({next(filter(None, m.groups()[::1])) for m in found}) >= 2:
            yield _area(text, begin, stop, found)
        begin = stop


def _area(
    text: FoldedText, begin: int, stop: int, found: list[re.Match[str]]
) -> tuple[AreaClause, Labels, int]:
    """One area: a sentence with its marks."""
    labels: Labels = []
    sides: dict[str, tuple[Bound, ...]] = {}
    opens = _OPENS.search(text.simple, begin, found[-1].start())
    first = opens.end() if opens else begin
    heading = opens.start() if opens else found[0].start()
    behind = [m["of"] is not None and m["by"] is None for m in found]
    for k, bound in enumerate(found):
        labels.append((*bound.span(), "side"))
        if behind[k]:
            start = found[k - 1].end() if k else first
            end = bound.start()
        else:
            start = bound.end()
            end = found[k + 1].start() if k + 1 < len(found) else stop
        side = bound["of"] or bound["colon"] or OPPOSITE[bound["beyond"]]
        bounds = tuple(_bounds(text, start, end, labels))
        sides[side] = sides.get(side, ()) + bounds
    stated = _AREA.search(text.simple, begin, stop)
    labels.append((begin, min(heading, found[0].start()), "heading"))
    if opens:
        labels.append((*opens.span(), "connective"))
    place = text.place(begin, stop)
    name = text.original(begin, heading).strip(" ,:;") if opens else ""
    name = re.sub(r"^(?:the )|(?: (?:is|are|lies|that is))$", "", name, flags=re.I)
    area = AreaClause(
        name, *place, text.source[slice(*place)],
        sides=MappingProxyType({side: sides[side] for side in SIDES if sides.get(side)}),
        stated_area_m2=_square_metres(stated),
    )  # fmt: skip
    if stated:
        labels.append((*stated.span(), "stated area"))
    return area, labels, stop


def _bounds(text: FoldedText, start: int, end: int, labels: Labels) -> Iterator[Bound]:
    """Yield what a stretch names; words that are no name stay unread."""
    cuts = [found.span() for found in _PART.finditer(text.simple, start, end)]
    for piece in zip(
        [start, *(cut[1] for cut in cuts)], [*(cut[0] for cut in cuts), end], strict=True
    ):
        low, high = piece
        while low < high and (trim := _TRIM.search(text.simple[low:high])):
            low, high = (low + trim.end(), high) if not trim.start() else (low, low + trim.start())
        word = text.simple[low:high]
        kind = next((kind for kind, pattern in _KINDS if pattern.match(word)), "")
        kind = kind or (
            "area" if re.fullmatch(r"[A-Z][\w'-]*(?: [\w'-]+){0,4}", text.plain[low:high]) else ""
        )
        if kind:
            labels.append((low, high, kind))
            yield Bound(text.plain[low:high], kind, text.plain[low:high])


def _square_metres(stated: re.Match[str] | None) -> float | None:
    if stated is None:
        return None
    return float(stated["n"].replace(",", "")) * (1e4 if stated["unit"].startswith("h") else 1e6)


_EAST, _SOUTH, _WEST, _NORTH = "Wanghai Road", "Tingtao Street", "Changdi Road", "Songfeng Avenue"
_BOX = {"east": _EAST, "south": _SOUTH, "west": _WEST, "north": _NORTH}
EXAMPLES = (
    Example(
        f"The harbour quarter is bounded by {_EAST} on the east, {_SOUTH} on the south, {_WEST} "
        f"on the west and {_NORTH} on the north.",
        _BOX | {"name": "harbour quarter"},
    ),
    Example(
        f"bounded on the north by {_NORTH}, on the east by {_EAST}, on the south by {_SOUTH} and "
        f"on the west by {_WEST}",
        _BOX,
    ),
    Example(f"North of {_SOUTH}, south of {_NORTH}, east of {_WEST} and west of {_EAST}", _BOX),
    Example(f"East: {_EAST}; South: {_SOUTH}; West: {_WEST}; North: {_NORTH}", _BOX),
    Example(
        f"Site of 4.5 hectares bounded to the east by {_EAST}, to the south by {_SOUTH}, to the "
        f"west by {_WEST}, and to the north by {_NORTH}",
        _BOX | {"stated_area_m2": 45000.0},
    ),
)
