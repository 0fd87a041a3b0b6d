"""The clause: what a plan's prose says about sides and axes.

A 四至 names the roads on each side: 「東至紅旗路、衛津路,南至…」, 「東起…;南以長江道為界;
西至津河(牆子河);北抵…」, 「紅旗路以西,長江道以北」. An axis names a main line and what it is
extended to: 「以黃河道、長江道為主線,延伸至…」. Both scripts are read, with or without
punctuation; a note in brackets stays with its road.

Read by hand, with regular expressions and the names that the network knows: word segmenters and
tagged models find words, not which road is on which side, and a plan office has no network to load
one from. The reader is short and each wording that it knows has a case in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nankai_gis.errors import ClauseError
from nankai_gis.plan.model import SIDES
from nankai_gis.words import quoted, tr
from nankai_gis.words.terms import SIDES as SIDE_TERMS

_SIDE = {"東": "east", "东": "east", "南": "south", "西": "west", "北": "north"}
_OPPOSITE = {"east": "west", "west": "east", "south": "north", "north": "south"}
_D = "東东南西北"
# 「東至」, 「南起」, 「西側為」, 「北邊以」, 「西、南至」; but not 「復康路北側為界」.
_MARK = re.compile(
    rf"(?P<sides>[{_D}](?:[、和及][{_D}])*)[側侧邊边面]?"
    r"(?P<verb>至|起自|起於|起|到|抵|臨近|臨|临|鄰|邻|靠|接|以|沿|[為为](?!界(?:[,;。、]|$))|是|:)"
)
# 「紅旗路以西」: the road is the side across.
_BEYOND = re.compile(rf"(?P<roads>[^,;。]+?)以(?P<side>[{_D}])(?=[,;。、]|$)")
# Where the description of the bounds ends and that of the content begins.
_END = re.compile(
    r"[,;。]?(?P<word>涵[蓋盖]|包括|[輻辐]射|(?:[總总]|[規规][劃划]|[用占]地)*面[積积]|占地|[圍围]合"
    r"|所[圍围]|[連连]接|[貫贯]通|[等]?街域)"
)
# What may stand behind a known road without being a part of its name: 「復康路北側道路紅線」, 和.
_BESIDE = re.compile(
    rf"[{_D}][側侧]|(?:[規规][劃划])?(?:道路)?(?:中心[線线]|[紅红][線线])|以及|和|與|与|及"
)
_TAIL = re.compile(r"(?:[為为]界|[一之][線线]|[為为]止|止|等)$")
_SUFFIX = (
    r"大街|高速公路|公路|支[線线]|[鐵铁]路[線线]?|[環环][線线]|路|道|街|河|[線线]|渠|巷|胡同|[橋桥]"
)
_LAST = "路道街河線线渠巷同橋桥)"
_NAME = re.compile(rf".+?(?:{_SUFFIX})(?:\([^)]*\))?(?![路道街河線线])")
_AND = re.compile(rf"(?<=[{_LAST}])(?:以及|和|與|与|及)(?=..)")
# Prose without punctuation is searched for names so many characters either way, not throughout.
_LONGEST = 20
_NOTE = re.compile(r"\([^()]*\)$")
_PLANNED = re.compile(r"未[來来]|[規规][劃划]|打通|[擬拟]建|在建")
_MAIN = re.compile(r"(?:以|沿)(?P<roads>[^。;]+?)[為为]?(?:主[線线軸轴]|[軸轴][線线])")
_EXTENSION = re.compile(r"延伸[至到](?P<roads>[^。;]+)")


@dataclass(frozen=True, slots=True)
class Road:
    """A road as a clause names it.

    Attributes
    ----------
    name : str
    note : str
        What stands in brackets behind it: another name, or a remark.
    """

    name: str
    note: str = ""

    @property
    def planned(self) -> bool:
        """Whether the note says that it isn't built yet."""
        return bool(_PLANNED.search(self.note))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name to look it up by: its own, then that of the note."""
        return (self.name,) if self.planned or not self.note else (self.name, self.note)


@dataclass(frozen=True, slots=True)
class Clause:
    """What a clause says.

    Attributes
    ----------
    sides : mapping of str to tuple of Road
        For each of the four sides that is named, its roads in the order of the text.
    main, extension : tuple of Road
        主線 and 延伸 of an axis.
    """

    sides: Mapping[str, tuple[Road, ...]]
    main: tuple[Road, ...] = ()
    extension: tuple[Road, ...] = ()


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    # NFKC turns 、 into nothing else, but full-width commas, semicolons and brackets into ASCII.
    return "".join(c for c in folded if not c.isspace()).replace("；", ";")


def roads(text: str, known: Container[str] = ()) -> tuple[Road, ...]:
    """Split a list of roads.

    Parameters
    ----------
    text : str
        Road names divided by 、 or 和, or not divided at all.
    known : container of str
        Names that a network knows; where a text can be cut into known names, it is. A known
        name stays whole, with its brackets too, and 中心線, 道路紅線 or 北側 behind one is left
        out.

    Returns
    -------
    tuple of Road
        In the order of the text; empty for a text without a name.

    Examples
    --------
    >>> [r.name for r in roads("中南道簡陽路、雅安道和延安路")]
    ['中南道', '簡陽路', '雅安道', '延安路']
    >>> roads("鐵路線(陳塘莊支線)")[0].names
    ('鐵路線', '陳塘莊支線')
    >>> roads("京濱線(新港四號路)中心線", {"京濱線", "京濱線(新港四號路)"})[0].names
    ('京濱線(新港四號路)',)
    """
    named: list[Road] = []
    for item in re.split(r"[、,/](?![^(]*\))", _plain(text)):
        # 和 may divide two names or begin one (和平路), and 一線 may end one (津沽一線): what the
        # network knows goes first.
        names = _known_names(item, known) or [
            name
            for piece in _AND.split(_TAIL.sub("", item))
            for name in _known_names(piece, known) or _cut(_TAIL.sub("", piece))
        ]
        named += [_road(name, known) for name in names]
    return tuple(road for road in named if road.name)


def _known_name(item: str, known: Container[str]) -> str | None:
    """The known name that an item is, with its last bracket or else without."""
    return next((name for name in (item, _NOTE.sub("", item)) if name in known), None)


def _road(item: str, known: Container[str]) -> Road:
    name = _known_name(item, known) or item.partition("(")[0]
    return Road(name, item[len(name) + 1 :].removesuffix(")"))


def _cut(item: str) -> list[str]:
    """Cut names that stand side by side."""
    pieces = _NAME.findall(item)
    long = all(len(piece.partition("(")[0]) > 1 for piece in pieces)
    return pieces if long and "".join(pieces) == item else [item]


def _known_names(item: str, known: Container[str]) -> list[str] | None:
    return _known_pieces(item, known) or _known_pieces(_TAIL.sub("", item), known)


def _known_pieces(item: str, known: Container[str]) -> list[str] | None:
    """The fewest known names that make up a text, or None."""
    best: dict[int, list[str]] = {0: []}
    for end in range(1, len(item) + 1):
        for start in range(end):
            if start not in best:
                continue
            piece = item[start:end]
            if len(_known_name(piece, known) or "") > 1:
                names = [*best[start], piece]
            elif start and _BESIDE.fullmatch(piece):
                names = best[start]
            else:
                continue
            if end not in best or len(names) < len(best[end]):
                best[end] = names
    return best.get(len(item)) or None


def _bounds(text: str, known: Container[str]) -> str:
    """What stands before the description of the content."""
    for stop in _END.finditer(text):
        if not _in_a_name(text, *stop.span("word"), known):
            return text[: stop.start()]
    return text


def _in_a_name(text: str, start: int, end: int, known: Container[str]) -> bool:
    """Whether a word is a part of a known name: 連接 in 疏港連接線."""
    first = max(text.rfind(stop, 0, start) for stop in ",;。、") + 1
    last = next((at for at in range(end, len(text)) if text[at] in ",;。、"), len(text))
    # Behind other roads a name that begins with the word is one only where it stands alone.
    return text[first:last] in known or any(
        text[head:tail] in known
        for head in range(max(first, start - _LONGEST), max(start, 1))
        for tail in range(end, min(last, end + _LONGEST) + 1)
    )


def parse(text: str, known: Container[str] = ()) -> Clause:
    """Read a clause.

    Parameters
    ----------
    text : str
        A 四至, an axis, or both, in either script.
    known : container of str
        Names that a network knows; they help where names aren't divided by punctuation.

    Returns
    -------
    Clause

    Raises
    ------
    ClauseError
        If the text names no side and no axis, or a side twice, or a side without a road.

    Examples
    --------
    >>> clause = parse("東至紅旗路、衛津路,南至復康路,西至密雲路;北以黃河道為界")
    >>> [road.name for road in clause.sides["east"]]
    ['紅旗路', '衛津路']
    >>> clause = parse("以鞍山西道為主線,延伸至中南道、樂山道(未來將打通)和延安路")
    >>> [(road.name, road.planned) for road in clause.extension]
    [('中南道', False), ('樂山道', True), ('延安路', False)]
    """
    plain = _plain(text)
    main = _axis(_MAIN, plain, known)
    extension = _axis(_EXTENSION, plain, known)
    sides = {} if main else _sides(plain, known)
    if not sides and not main:
        raise ClauseError(
            tr(
                "no side (東至…, 南至…, 西至…, 北至…) and no axis (以…為主線) in {clause}",
                clause=quoted(text),
            )
        )
    ordered = {side: sides[side] for side in SIDES if side in sides}
    return Clause(MappingProxyType(ordered), main, extension)


def _axis(pattern: re.Pattern[str], plain: str, known: Container[str]) -> tuple[Road, ...]:
    axis = pattern.search(plain)
    if not axis:
        return ()
    return roads(_bounds(axis["roads"], known).rstrip(",、"), known)


def _sides(plain: str, known: Container[str]) -> dict[str, tuple[Road, ...]]:
    openings = list(_MARK.finditer(plain))
    sides: dict[str, tuple[Road, ...]] = {}
    if not openings:
        for beyond in _BEYOND.finditer(plain):
            side = _OPPOSITE[_SIDE[beyond["side"]]]
            sides[side] = sides.get(side, ()) + roads(beyond["roads"], known)
        return sides
    for opening, following in zip(openings, [*openings[1:], None], strict=True):
        body = plain[opening.end() : following.start() if following else None]
        body = _bounds(body, known).strip(",;。、")
        named = roads(body, known)
        for letter in re.findall(f"[{_D}]", opening["sides"]):
            side = _SIDE[letter]
            values = {"side": tr(SIDE_TERMS[side]), "clause": quoted(plain)}
            if side in sides:
                raise ClauseError(tr("the {side} side is named twice in {clause}", **values))
            if not named:
                raise ClauseError(tr("the {side} side names no road in {clause}", **values))
            sides[side] = named
    return sides
