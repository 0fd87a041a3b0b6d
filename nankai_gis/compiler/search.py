"""The search for the ring that four sides describe.

Every road that is named must be followed, on its own side; what has to be put in between - a
road followed twice, a line that the clause doesn't name, a gap - costs. The cheapest rings go to
`nankai_gis.compiler.choice`, with every other ring on the same roads.

The search takes the cheapest unfinished round first, from a heap, and goes counter-clockwise, so
that it sees at once when a road faces away from its side. networkx finds shortest paths and lists
all cycles; neither is the cheapest cycle through given lines, whose cost depends on where each
was entered. Ten roads that all cross each other have 181,440 cycles.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from nankai_gis.compiler.choice import NEARLY, Found, choose
from nankai_gis.compiler.junction import Junction, Junctions
from nankai_gis.compiler.lines import LineSource, named_lines, together
from nankai_gis.compiler.links import Links
from nankai_gis.compiler.measured import MeasuredLine
from nankai_gis.compiler.refusal import require_sides, why_open
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import GAP_COST, LEAST_M, Ring, Step, closed_ring, runs_and_corners
from nankai_gis.compiler.runs import RunRole
from nankai_gis.compiler.sides import ClauseSides
from nankai_gis.compiler.stretches import with_stretches
from nankai_gis.errors import GeometryError
from nankai_gis.geometry.plane import Position
from nankai_gis.plan.model import FACING, OUTWARD, Line

# What a metre costs of a link, and of a road that is followed a second time.
_LINK_COST, _AGAIN_COST = 2.0, 1.5
# What either costs besides, for being there at all: as much as so many metres.
_SWITCH_COST = 150.0
# A crossing's corner this much further along than another is on the opposite carriageway, metres.
_FAR_SIDE_M = 200.0
# Rounds that are looked at: sides that need more aren't ones that a reader could follow either.
_MOST_STEPS = 30_000
# Rings on the same roads that are drawn and compared.
_MOST_RINGS = 200
# Links and roads followed a second time that a round may take in.
_MOST_EXTRA = 3


class _Leg(NamedTuple):
    """One line of an unfinished round; where the first is entered is known when it closes."""

    measured: MeasuredLine
    role: RunRole
    entry: Junction | None
    spot: Position


class _Way(NamedTuple):
    """A way from a road to the next: metres along the one, its corner, perhaps over a link."""

    metres: float
    leave: Junction
    following: MeasuredLine
    link: MeasuredLine | None
    enter: Junction
    #: What gaps and link cost.
    cost: float
    #: Where the road is left, and where the next is entered; metres.
    left: Position
    entered: Position


class _Round(NamedTuple):
    """A round: the corner at which it closes, and the roads that face away from their sides."""

    cost: float
    legs: tuple[_Leg, ...]
    closing: Junction | None
    astray: frozenset[str]


def ring_of_sides(
    sides: Mapping[str, Sequence[str]],
    lines: LineSource,
    inside: Sequence[Position] = (),
    *,
    stated_area_m2: float | None = None,
    allow_missing: bool = False,
) -> Ring:
    """Search for the ring that four sides describe."""
    # The lines of each road of the clause, and those that lie together.
    groups, missing = _look_up(sides, lines)
    require_sides(sides, missing, allow_missing=allow_missing)
    chosen = together([group for _, group in groups])
    junctions = Junctions(lines, chosen[0].parts[0][0].position)
    search = _search(junctions, [side for side, _ in groups], chosen, inside)
    found = search.rings()
    # A namesake further off may close a ring as well.
    for k, (_, group) in enumerate(groups):
        for namesake in group:
            if namesake is not chosen[k] and all(line.id != namesake.id for line in chosen):
                other = [*chosen[:k], namesake, *chosen[k + 1 :]]
                found += _search(junctions, [side for side, _ in groups], other, inside).simple()
    if not found:
        wrong = search.contradictions
        raise GeometryError(why_open(search.named, search.sides, junctions, missing, wrong))
    taken = choose(found, junctions.plane, stated_area_m2)
    return with_stretches(replace(taken, missing=missing), lines)


def _look_up(
    sides: Mapping[str, Sequence[str]], lines: LineSource
) -> tuple[list[tuple[str, list[Line]]], dict[str, tuple[str, ...]]]:
    """The lines of each road with its side, and the roads that aren't there with near names."""
    missing: dict[str, tuple[str, ...]] = {}
    groups: list[tuple[str, list[Line]]] = []
    for side in ("north", "east", "south", "west"):
        for name in sides.get(side, ()):
            group = named_lines(lines, name)
            if group:
                groups.append((side, group))
            else:
                missing[name] = () if name in lines else tuple(lines.near(name))
    return groups, missing


def _search(
    junctions: Junctions, sides: Sequence[str], chosen: Sequence[Line], inside: Sequence[Position]
) -> Search:
    """The search on a choice of lines, each named on the side beside it."""
    by_side: dict[str, list[str]] = {}
    for side, line in zip(sides, chosen, strict=True):
        by_side.setdefault(side, []).append(line.id)
    # Every road once, though it bounds two sides.
    unique = {line.id: line for line in chosen}
    names = {line.id: line.names for line in unique.values()}
    named = [junctions.measured(line) for line in unique.values()]
    return Search(junctions, named, ClauseSides(by_side, names, inside))


class Search:
    """The rounds through all named roads, cheapest first."""

    def __init__(
        self, junctions: Junctions, named: Sequence[MeasuredLine], sides: ClauseSides
    ) -> None:
        self.junctions = junctions
        self.named = named
        self.sides = sides
        self._links = Links(junctions, named)
        # A road by its place in the clause, which its namesakes share.
        self._slots = {id(line): str(k) for k, line in enumerate(named)}
        self._ways: dict[tuple[str, int, bool], list[_Way]] = {}
        self._outward = {
            line.line.id: [OUTWARD[side] for side in sides.sides_of(line.line.id)] for line in named
        }

    def rings(self) -> list[Found]:
        """Rings that fit the clause, the cheapest first; empty where nothing closes."""
        rings = self._rings()
        # A link is for roads that don't meet. Where they do meet all the way round, but not as
        # the clause says, a link would only hide the contradiction.
        if not rings and not self._contradicted():
            rings = self._rings(links=True)
        return rings + self.simple() if rings else []

    def simple(self) -> list[Found]:
        """Every ring that follows each road once and nothing else, whatever it costs."""
        return self._rings(most_extra=0, every=True)

    def _contradicted(self) -> bool:
        """Whether the named roads, each followed once, close in another way than the sides say."""
        rings = [found.ring for found in self._rings(anywhere=True, most_extra=0)]
        # A corner that is only carried to is no proof of where a clause means its ring to run.
        seen = [ring for ring in rings if all(c.kind != "extended" for c in ring.corners)]
        plane = self.junctions.plane
        return bool(seen) and all(self.sides.contradictions(ring, plane) for ring in seen)

    def contradictions(self) -> list[Remark] | None:
        """What the clause says wrongly of the ring that its roads make; None where they make none.

        Empty where the ring only lies elsewhere than the places that it must contain.
        """
        rings = (
            self._rings(anywhere=True, most_extra=0)
            or self._rings(anywhere=True)
            or self._rings(anywhere=True, links=True)
        )
        return self.sides.contradictions(rings[0].ring, self.junctions.plane) if rings else None

    def _rings(
        self,
        *,
        anywhere: bool = False,
        links: bool = False,
        most_extra: int = _MOST_EXTRA,
        every: bool = False,
    ) -> list[Found]:
        """Rings by cost, up to `NEARLY` times the cheapest.

        Anywhere: on whichever side the roads lie. Links: also over lines that aren't named.
        Every: whatever they cost, and of the same roads each that has other corners.
        """
        if not all(self._onward(line, None, links) for line in self.named):
            return []
        rings: list[Found] = []
        limit, drawn = math.inf, 0
        for done in self._rounds(anywhere, links, most_extra):
            if done.cost > limit or drawn >= _MOST_RINGS:
                break
            lines = [leg.measured for leg in done.legs]
            key = _canonical([self._slots.get(id(line), line.line.id) for line in lines])
            spots = [leg.spot for leg in done.legs]
            if any(key == known.key and (not every or known.same(spots)) for known in rings):
                continue
            # A round that closes: is it a ring, and where the clause says?
            assert done.closing is not None
            drawn += every
            ring = _finish(done.legs, done.closing)
            if ring is not None and (anywhere or self.sides.fit(ring, self.junctions.plane)):
                rings.append(Found(done.cost, ring, key, spots, self.named))
                limit = limit if every else min(limit, done.cost * NEARLY)
        return rings

    def _rounds(self, anywhere: bool, links: bool, most_extra: int) -> Iterator[_Round]:
        """Rounds that close, the cheapest first."""
        count = itertools.count()
        first = _Leg(self.named[0], "named", None, (0.0, 0.0))
        heap = [(0.0, next(count), _Round(0.0, (first,), None, frozenset()))]
        for _ in range(_MOST_STEPS):
            if not heap:
                return
            _, _, round_ = heapq.heappop(heap)
            if round_.closing is not None:
                yield round_
                continue
            for grown in self._grow(round_, anywhere, links, most_extra):
                heapq.heappush(heap, (grown.cost, next(count), grown))

    def _grow(
        self, round_: _Round, anywhere: bool, links: bool, most_extra: int
    ) -> Iterator[_Round]:
        """Give a round with each road added that its last one leads to, at what that costs more."""
        legs, last = round_.legs, round_.legs[-1]
        used = [leg.measured.line.id for leg in legs]
        extra = sum(leg.role != "named" for leg in legs)
        everywhere = all(line.line.id in used for line in self.named)
        rate = {"named": 1.0, "again": _AGAIN_COST}.get(last.role, _LINK_COST)
        for way in self._onward(last.measured, last.entry, links):
            # The rest of the last line, the gap to the next, and perhaps a link between.
            cost = round_.cost + way.metres * rate + way.cost
            grown, more = legs, extra
            if way.link is not None:
                if extra >= most_extra or way.link.line.id in used:
                    continue
                grown, more = (*legs, _Leg(way.link, "bridge", way.leave, way.left)), extra + 1
            # Does the last line face the sides on which it is named?
            astray = round_.astray
            if not anywhere and last.entry is not None:
                astray = self._astray(astray, last, way.left)
            following, spare = way.following, most_extra - more
            name = following.line.id
            if following is self.named[0] and everywhere and len(grown) > 1:
                # Back at the first road: from there to where the round left it.
                opening = grown[1].entry
                home = following.distance(way.enter.enter, opening.leave) if opening else 0.0
                closed = (legs[0]._replace(spot=way.entered), *grown[1:])
                if home >= LEAST_M and (anywhere or (not astray and self._home(closed))):
                    yield _Round(cost + home, closed, way.enter, astray)
            leg = _Leg(following, "named", way.enter, way.entered)
            if name not in used:
                if len(astray) <= spare:
                    yield _Round(cost, (*grown, leg), None, astray)
            elif used.count(name) == 1 and spare > 0 and len(astray - {name}) < spare:
                again = (*grown, leg._replace(role="again"))
                yield _Round(cost + _SWITCH_COST, again, None, astray)

    def _astray(self, astray: frozenset[str], leg: _Leg, stop: Position) -> frozenset[str]:
        """The roads that face away from a side of theirs, once one more is followed."""
        name = leg.measured.line.id
        # Of a road that is followed twice one stretch is enough; the first road is seen at home.
        if leg.measured is self.named[0] or (leg.role == "again" and name not in astray):
            return astray
        return astray - {name} if self._faces(name, leg.spot, stop) else astray | {name}

    def _home(self, legs: Sequence[_Leg]) -> bool:
        """Whether the first road of a closed round faces its sides."""
        ends = [leg.spot for leg in (*legs[1:], legs[0])]
        name = self.named[0].line.id
        return any(
            self._faces(name, leg.spot, end)
            for leg, end in zip(legs, ends, strict=True)
            if leg.measured is self.named[0]
        )

    def _faces(self, name: str, start: Position, stop: Position) -> bool:
        """Whether a stretch doesn't face away from a side on which its road is named."""
        # To the right of a counter-clockwise ring's edge lies the outside.
        x, y = stop[1] - start[1], start[0] - stop[0]
        chord = math.hypot(x, y) or 1.0
        return all((x * e + y * n) / chord >= -FACING for e, n in self._outward.get(name, ()))

    def _onward(self, line: MeasuredLine, entry: Junction | None, links: bool) -> list[_Way]:
        """Every way on from a line that was entered at a corner, direct or over a link."""
        key = line.line.id, id(entry), links
        if key not in self._ways:
            ways = [
                way
                for following in self.named
                if following is not line
                for way in self._ways_to(line, entry, following, links)
            ]
            self._ways[key] = _kept(ways, entry)
        return self._ways[key]

    def _ways_to(
        self, line: MeasuredLine, entry: Junction | None, following: MeasuredLine, links: bool
    ) -> Iterator[_Way]:
        corners = self.junctions.between(line, following)
        over: list[tuple[Junction, MeasuredLine | None, Junction]]
        over = [(corner, None, corner) for corner in corners]
        if links and all(corner.kind == "extended" for corner in corners):
            over += self._links.between(line, following)
        for leave, link, enter in over:
            # Metres along the line; 0 for the first line, which is entered last.
            metres = 0.0 if entry is None else line.distance(entry.enter, leave.leave)
            cost = GAP_COST * leave.gap
            left = entered = leave.spot(line, link or following)
            if link is not None:
                cost += _LINK_COST * link.distance(leave.enter, enter.leave) + _SWITCH_COST
                cost += GAP_COST * enter.gap
                entered = enter.spot(link, following)
            yield _Way(metres, leave, following, link, enter, cost, left, entered)


def _kept(ways: Sequence[_Way], entry: Junction | None) -> list[_Way]:
    """The ways worth following: over some length, and not to the far side of a crossing."""
    nearest: dict[tuple[str, Position | None], float] = {}
    for way in ways:
        key = way.following.line.id, way.leave.middle
        nearest[key] = min(way.metres, nearest.get(key, way.metres))
    return [
        way
        for way in ways
        # Far carriageways would multiply the rounds by each other, were they not kept to.
        if way.leave.middle is None
        or way.metres <= nearest[way.following.line.id, way.leave.middle] + _FAR_SIDE_M
        if entry is None or (way.metres >= LEAST_M and not entry.same_crossing(way.leave))
    ]


def _finish(legs: Sequence[_Leg], closing: Junction) -> Ring | None:
    """The ring of a round that closes; None where it isn't simple, or runs clockwise."""
    entries = [closing, *(leg.entry for leg in legs[1:] if leg.entry is not None)]
    steps = [
        Step(leg.measured, leg.role, None, entries[k], entries[(k + 1) % len(entries)])
        for k, leg in enumerate(legs)
    ]
    made = runs_and_corners(steps)
    return None if made is None else closed_ring(*made, either_way=False)


def _canonical(keys: Sequence[str]) -> tuple[str, ...]:
    """The same for a round wherever it begins."""
    return min((*keys[k:], *keys[:k]) for k in range(len(keys)))
