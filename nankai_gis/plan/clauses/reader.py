"""Reading a text: every clause in it, and a ledger of all its characters."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace

from nankai_gis.errors import ClauseError
from nankai_gis.plan.clauses import english, headings, marks
from nankai_gis.plan.clauses.areas import AreaReader
from nankai_gis.plan.clauses.folded import FoldedText, fold
from nankai_gis.plan.clauses.grammar import Grammar
from nankai_gis.plan.clauses.reading import AreaClause, Span
from nankai_gis.plan.clauses.wordings.wording import Draft
from nankai_gis.words import quoted, tr

_MAIN = re.compile(
    r"(?P<open>以|沿|依托)(?P<main>[^。;,\n]{2,60}?)(?P<close>为?(?:发展)?(?:主线|主轴线?|轴线|主要?轴线?|发展轴|轴))"
)
_EXTENSION = re.compile(r"[,、]?(?P<mark>(?:并|再|向[东南西北]+)*(?:延伸|延长|延展|延)(?:至|到))")

_Labels = list[tuple[int, int, str]]


def read(text: str, names: Container[str] | None = None) -> tuple[AreaClause, ...]:
    """Read every clause of a text.

    Parameters
    ----------
    text : str
        Prose in either script, or English; a clause, a paragraph, a whole document.
    names : container of str, optional
        Names that a network knows; they decide where the text alone doesn't.

    Returns
    -------
    tuple of AreaClause
        In the order of the text; empty where it names no bounds. One that can't be compiled says
        why (`fault`). The spans of all of them together are the whole text.

    Examples
    --------
    >>> (area,) = read("老城片區東至紅旗路以東200米,南至復康路,西至密雲路中段;北以黃河道為界")
    >>> area.name, [bound.name for bound in area.sides["north"]]
    ('老城片區', ['黃河道'])
    >>> area.sides["east"][0].line, area.sides["east"][0].offset_m, area.sides["west"][0].section
    ('紅旗路', 200.0, '中段')
    """
    folded = fold(text)
    grammar = Grammar(folded, names or ())
    simple = folded.simple
    made = marks.groups(simple, marks.candidates(simple))
    made = [group for group in made if _is_clause(simple, group)]
    areas: list[tuple[AreaClause, _Labels, int]] = []
    head = 0
    axes = _axes(grammar)
    for group in made:
        following = min((g[0].start for g in made if g[0].start > group[-1].start), default=None)
        limit = len(simple) if following is None else _limit(simple, group[-1].end, following)
        reader = AreaReader(grammar, group, head, limit)
        areas.append((reader.read(), reader.labels, reader.end))
        head = reader.end
    areas += axes
    if not areas:
        areas += english.areas(folded)
    areas.sort(key=lambda item: item[0].start)
    return _with_ledger(folded, areas)


def read_one(text: str, names: Container[str] | None = None) -> AreaClause:
    """Read the one clause of a text.

    Parameters
    ----------
    text : str
    names : container of str, optional
        Names that a network knows.

    Returns
    -------
    AreaClause

    Raises
    ------
    ClauseError
        If the text names no side and no axis, or a side twice, or a side without a road, or if it
        holds several clauses.

    Examples
    --------
    >>> clause = read_one("以鞍山西道為主線,延伸至中南道、樂山道(未來將打通)和延安路")
    >>> [(road.name, road.planned) for road in clause.extension]
    [('中南道', False), ('樂山道', True), ('延安路', False)]
    """
    areas = read(text, names)
    if not areas:
        raise ClauseError(
            tr(
                "no side (東至…, 南至…, 西至…, 北至…) and no axis (以…為主線) in {clause}",
                clause=quoted(text),
            )
        )
    if len(areas) > 1:
        raise ClauseError(
            tr("{clause} bounds {n} areas; give one", clause=quoted(text), n=len(areas))
        )
    if areas[0].fault:
        raise ClauseError(areas[0].fault)
    return areas[0]


def _is_clause(simple: str, group: Sequence[marks.SideMark]) -> bool:
    """Whether some marks make up a clause; one side alone does where the text begins with it."""
    sides = {side for mark in group for side in mark.sides}
    if len(sides) >= 2:
        return max(mark.strength for mark in group) > 0
    return group[0].start < 12 and group[0].strength > 1


def _limit(simple: str, start: int, following: int) -> int:
    """Where the heading of the next clause begins."""
    place = headings.start(simple, start, following)
    if place > start:
        return place
    comma = max(simple.rfind(stop, start, following) for stop in ",、")
    return comma if comma > start else following


def _axes(grammar: Grammar) -> list[tuple[AreaClause, _Labels, int]]:
    """Read every axis: a main line and its extension."""
    text, simple = grammar.text, grammar.text.simple
    areas = []
    head = 0
    for found in _MAIN.finditer(simple):
        labels: _Labels = [(*found.span("open"), "axis"), (*found.span("close"), "axis")]
        main = Draft()
        tokens = grammar.read(*found.span("main"), axis=True)
        labels += grammar.take(tokens, main)
        if not main.bounds or any(token.kind == "unread" for token in tokens):
            continue
        end, rest = found.end(), Draft()
        extended = _EXTENSION.match(simple, end)
        stop = min(
            (p for p in (simple.find(c, end) for c in "。;\n") if p >= 0), default=len(simple)
        )
        if extended:
            labels.append((*extended.span("mark"), "axis"))
            tokens = grammar.read(extended.end(), stop, axis=True, last=True)
        else:
            tokens = grammar.read_tail(end, stop)
        labels += grammar.take(tokens, rest)
        end = max([end, *(token.end for token in tokens)])
        begin = headings.start(simple, head, found.start())
        labels.append((begin, found.start(), "heading"))
        first, last = text.place(begin, end)
        area = AreaClause(
            headings.name(text, head, begin, found.start()), first, last, text.source[first:last],
            main=tuple(main.bounds), extension=tuple(rest.bounds),
            stated_area_m2=rest.stated_area_m2, exclusions=tuple(rest.exclusions),
            claims=tuple(rest.claims), everywhere=rest.everywhere,
        )  # fmt: skip
        areas.append((area, labels, end))
        head = end
    return areas


def _with_ledger(
    text: FoldedText, areas: Sequence[tuple[AreaClause, _Labels, int]]
) -> tuple[AreaClause, ...]:
    """The areas with their spans: every character of the text is in exactly one of them."""
    kinds = ["prose"] * len(text.source)
    for area, labels, _ in areas:
        kinds[area.start : area.end] = ["unread"] * (area.end - area.start)
        for start, end, kind in labels:
            if end > start:
                first, last = text.place(start, end)
                kinds[first:last] = [kind] * (last - first)
        for place in range(area.start, area.end):
            if kinds[place] == "unread" and not text.source[place].isalnum():
                kinds[place] = "connective"
    made, begin = [], 0
    for number, (area, _, _) in enumerate(areas):
        stop = len(text.source) if number + 1 == len(areas) else area.end
        spans = _spans(text.source, kinds, begin, stop)
        unread = tuple(s.text for s in spans if s.kind == "unread" and s.text.strip())
        made.append(replace(area, spans=spans, unread=unread))
        begin = stop
    return tuple(made)


def _spans(source: str, kinds: Sequence[str], begin: int, stop: int) -> tuple[Span, ...]:
    spans = []
    while begin < stop:
        end = begin + 1
        while end < stop and kinds[end] == kinds[begin]:
            end += 1
        spans.append(Span(begin, end, kinds[begin], source[begin:end]))
        begin = end
    return tuple(spans)
