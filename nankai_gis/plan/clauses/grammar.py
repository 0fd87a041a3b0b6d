"""The grammar of what a side names: the cheapest way to read a stretch of a clause.

A stretch is a path of tokens: names, and the wordings round them. Each token has a cost, lower
the surer it is; the path of least cost is the reading. A name that a network knows is the surest,
a word that nothing explains the dearest, so that it is taken only where all else fails.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from nankai_gis.plan.clauses.folded import FoldedText
from nankai_gis.plan.clauses.reading import Bound
from nankai_gis.plan.clauses.wordings import (
    brackets,
    edges,
    exclusions,
    inclusions,
    names,
    offsets,
    remarks,
    sections,
    stated_areas,
    tails,
)
from nankai_gis.plan.clauses.wordings.wording import Draft, Wording

WORDINGS: tuple[Wording, ...] = (
    *edges.WORDINGS,
    *offsets.WORDINGS,
    *sections.WORDINGS,
    *exclusions.WORDINGS,
    *inclusions.WORDINGS,
    *stated_areas.WORDINGS,
    *tails.WORDINGS,
    *remarks.WORDINGS,
)

_JOINERS = "、~-/+"
_STOPS = ",;。\n.!?"
_CONJUNCTION = re.compile(r"以及|及其|并|和|与|及|至|到")
_NUMBERING = re.compile(r"\(?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[).、:](?!\d)")
# No name is longer, and no name that a network knows.
_LONGEST = 40


class Token(NamedTuple):
    """A stretch of the folded text and what it is."""

    start: int
    end: int
    kind: str
    wording: Wording | None = None
    match: re.Match[str] | None = None


@dataclass(frozen=True, slots=True)
class _Reached:
    cost: float
    before: tuple[int, str] | None
    token: Token | None


class Grammar:
    """A text that is read with the names that a network knows."""

    def __init__(self, text: FoldedText, known: Container[str] = ()) -> None:
        self.text = text
        self._known = known
        self._asked: dict[str, bool] = {}

    def known(self, start: int, end: int) -> bool:
        """Whether a network has a road whose name stands there."""
        return self.has(self.text.plain[start:end])

    def has(self, name: str) -> bool:
        """Whether a network has a road of that name."""
        if name not in self._asked:
            self._asked[name] = len(name) > 1 and name in self._known
        return self._asked[name]

    def read(self, start: int, end: int, *, axis: bool = False, last: bool = False) -> list[Token]:
        """Return the tokens of a stretch, in order; together they cover it.

        `axis`: only lines count as names. `last`: what follows a complete phrase (「…等街域」) is
        prose.
        """
        return self._cheapest(start, end, "start", axis, last)

    def read_tail(self, start: int, end: int) -> list[Token]:
        """Return the tokens of what stands behind the last side; it names no side."""
        return self._cheapest(start, end, "tail", axis=True, last=True)

    def _cheapest(self, start: int, end: int, state: str, axis: bool, last: bool) -> list[Token]:
        best: dict[int, dict[str, _Reached]] = {start: {state: _Reached(0.0, None, None)}}
        final: tuple[float, int, str] | None = None
        for place in range(start, end + 1):
            for state, way in list(best.get(place, {}).items()):
                if place == end or (last and state == "over"):
                    rest = 0.0 if place == end else 0.1
                    if final is None or way.cost + rest < final[0]:
                        final = way.cost + rest, place, state
                    continue
                for token, cost, following in self._tokens(place, end, state, axis):
                    self._relax(best, (place, state), way.cost + cost, token, following)
        assert final is not None
        return self._path(best, (final[1], final[2]))

    @staticmethod
    def _relax(
        best: dict[int, dict[str, _Reached]],
        here: tuple[int, str],
        cost: float,
        token: Token,
        state: str,
    ) -> None:
        states = best.setdefault(token.end, {})
        if state not in states or cost < states[state].cost:
            states[state] = _Reached(cost, here, token)

    @staticmethod
    def _path(best: dict[int, dict[str, _Reached]], at: tuple[int, str]) -> list[Token]:
        tokens: list[Token] = []
        here: tuple[int, str] | None = at
        while here is not None:
            way = best[here[0]][here[1]]
            if way.token is not None:
                tokens.append(way.token)
            here = way.before
        return tokens[::-1]

    def _tokens(
        self, place: int, end: int, state: str, axis: bool
    ) -> Iterator[tuple[Token, float, str]]:
        """Every token that may stand at a place, with its cost and the state behind it."""
        simple = self.text.simple
        character = simple[place]
        tail = state == "tail"
        if character in _STOPS + _JOINERS + ":" and state != "line":
            following = "comma" if character in _STOPS and state != "start" else "start"
            following = "tail" if tail else following
            yield Token(place, place + 1, "connective"), 0.0, following
        if character == " ":
            yield Token(place, place + 1, "connective"), 0.0, state
        found = _NUMBERING.match(simple, place, end)
        if found and (state in ("start", "comma") or found.end() == end):
            yield Token(place, found.end(), "heading"), 0.05, state
        if character == "(" and state != "line":
            yield Token(place, self._closing(place, end), "bracket"), 0.1, state
        if state in ("name", "area", "mod"):
            found = _CONJUNCTION.match(simple, place, end)
            if found and found.end() < end:
                yield Token(place, found.end(), "connective"), 0.2, "start"
        if state in ("start", "comma", "line", "name"):
            yield from self._names(place, end, state, axis)
        if state in ("start", "comma"):
            for stop, cost, line in names.prefixes(simple, place, end):
                yield Token(place, stop, "connective"), cost, "line" if line else state
        for wording in WORDINGS:
            if state in wording.behind or (tail and wording.kind not in _OF_NAMES):
                found = wording.pattern.match(simple, place, end)
                if found and found.end() > place:
                    following = "over" if wording.ends else "tail" if tail else "mod"
                    yield (
                        Token(place, found.end(), wording.kind, wording, found),
                        wording.cost,
                        following,
                    )
        if state == "over":
            yield Token(place, place, "connective"), 0.5, "mod"
        stop = self._next_stop(place, end)
        # A side that names nothing is worse than one with words that aren't understood.
        dearest = 12.0 if state == "start" else 8.0
        if stop > place and state != "line":
            yield (
                Token(place, stop, "unread"),
                dearest + 0.5 * (stop - place),
                "tail" if tail else "mod",
            )

    def _names(
        self, place: int, end: int, state: str, axis: bool
    ) -> Iterator[tuple[Token, float, str]]:
        simple = self.text.simple
        # Behind a comma a name is less likely; right behind a name another needs no comma.
        extra = 0.5 if state == "comma" else 0.0
        limit = min(end, place + _LONGEST)
        stopped = False
        for stop in range(place + 1, limit + 1):
            stopped = stopped or simple[stop - 1] in _STOPS + "、~()"
            # A known name may hold a bracket.
            if stopped and simple[stop - 1] not in ")" and "(" not in simple[place:stop]:
                break
            word = simple[place:stop]
            kind = names.kind(word)
            if self.known(place, stop):
                kind = "road" if kind in ("area", "junction") else kind
                yield Token(place, stop, kind), 1.0 + extra, "name"
            if stopped:
                continue
            adjacent = state == "name" and simple[place - 1] not in "路道街巷弄线铁速同)"
            cost = names.line_cost(word)
            if cost is not None and not adjacent:
                kind = kind if kind in ("road", "railway", "river") else "road"
                yield Token(place, stop, kind), cost + extra, "name"
            if axis or state != "start":
                continue
            cost = names.junction_cost(word)
            if cost is not None:
                yield Token(place, stop, "junction"), cost, "area"
            cost = names.area_cost(word)
            if cost is not None:
                yield Token(place, stop, "area"), cost, "area"

    def _closing(self, place: int, end: int) -> int:
        """Where a bracket that opens at a place ends."""
        depth = 0
        for at in range(place, end):
            depth += (self.text.simple[at] == "(") - (self.text.simple[at] == ")")
            if depth == 0:
                return at + 1
        return place + 1

    def _next_stop(self, place: int, end: int) -> int:
        for at in range(place, end):
            if self.text.simple[at] in _STOPS + "、;(" and at > place:
                return at
        return end

    def take(self, tokens: list[Token], draft: Draft) -> list[tuple[int, int, str]]:
        """Carry tokens over into a draft, and return the spans of the folded text."""
        spans: list[tuple[int, int, str]] = []
        begun, planned = 0, False
        for token in tokens:
            own = self.text.plain[token.start : token.end]
            kind = token.kind
            if token.kind in ("road", "railway", "river", "junction", "area"):
                draft.bounds.append(Bound(own, token.kind, own, planned=planned))
                begun, planned = token.start, False
            elif token.kind == "bracket":
                kind = self._bracket(token, draft)
            elif token.wording is not None and token.match is not None:
                if token.wording.put is not None:
                    token.wording.put(draft, token.match, own)
                if token.kind == "offset":
                    whole = self.text.plain[begun : token.end]
                    draft.bounds[-1] = replace(draft.bounds[-1], name=whole)
            elif token.kind == "connective":
                planned = planned or self.text.simple[token.start : token.end] in _FUTURE
            spans.append((token.start, token.end, kind))
        return spans

    def _bracket(self, token: Token, draft: Draft) -> str:
        start, end = token.start + 1, token.end
        if end > start and self.text.simple[end - 1] == ")":
            end -= 1
        if end <= start:
            return "connective"
        inner, own = self.text.simple[start:end], self.text.plain[start:end]
        return brackets.read_bracket(draft, inner, own, self.known(start, end))


# Wordings that say something of a name, and so stand behind none but a name.
_OF_NAMES = frozenset({"edge", "offset", "section"})
_FUTURE = ("规划", "拟建", "在建", "待建")
