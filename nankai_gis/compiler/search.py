"""The search for the ring that four sides describe.

Every road that is named must be followed, on its own side; what has to be put in between - a
road followed twice, a line that the clause doesn't name, a gap - costs. The cheapest simple ring
wins; one that is nearly as cheap and encloses another area is an ambiguity.

The search takes the cheapest unfinished round first, from a heap. networkx finds shortest paths
and lists all cycles; neither is the cheapest cycle through given lines, whose cost depends on
where each was entered. Ten roads that all cross each other have 181,440 cycles.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from shapely.geometry import Polygon

from nankai_gis.compiler.junction import Junction, Junctions
from nankai_gis.compiler.lines import LineSource, named_lines, together
from nankai_gis.compiler.links import Links
from nankai_gis.compiler.measured import MeasuredLine, Place
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import (
    GAP_COST,
    LEAST_M,
    Alternative,
    Ring,
    Step,
    closed_ring,
    line_names,
    ring_area,
    runs_and_corners,
)
from nankai_gis.compiler.runs import RunRole
from nankai_gis.compiler.sides import ClauseSides
from nankai_gis.errors import ClauseError, GeometryError, RoadNotFoundError
from nankai_gis.geometry.plane import Position
from nankai_gis.plan.model import SIDE_NAMES, Line
from nankai_gis.plan.names import in_script
from nankai_gis.words import listed, ntr, tr
from nankai_gis.words.terms import SIDES

# What a metre costs of a link, and of a road that is followed a second time.
_LINK_COST, _AGAIN_COST = 2.0, 1.5
# What either costs besides, for being there at all: as much as so many metres.
_SWITCH_COST = 150.0
# Rings that cost up to this much more are named as alternatives.
_NEARLY = 1.25
# Rings that cost up to this much more, and differ by more than this share of the area, are as
# likely as the cheapest: the clause is ambiguous.
_AS_GOOD, _MATTERS = 1.02, 0.05
# A crossing's corner this much further along than another is on the opposite carriageway, metres.
_FAR_SIDE_M = 200.0
# Rounds that are looked at: sides that need more aren't ones that a reader could follow either.
_MOST_STEPS = 200_000
# Links and roads followed a second time that a round may take in.
_MOST_EXTRA = 3


class _Leg(NamedTuple):
    """One line of an unfinished round; where the first is entered is known when it closes."""

    measured: MeasuredLine
    role: RunRole
    entry: Junction | None


# Cost, legs, and the corner at which they close; None for a round that isn't closed.
_Round = tuple[float, tuple[_Leg, ...], Junction | None]
# A ring and its cost.
_Costed = tuple[float, Ring]


def ring_of_sides(
    sides: Mapping[str, Sequence[str]],
    lines: LineSource,
    inside: Sequence[Position] = (),
) -> Ring:
    """Search for the ring that four sides describe.

    Parameters
    ----------
    sides : mapping of str to sequence of str
        For each of ``east``, ``south``, ``west``, ``north`` the roads that the clause names.
    lines : LineSource
    inside : sequence of positions
        Longitude and latitude of places that the ring must contain.

    Returns
    -------
    Ring
        Counter-clockwise and simple, through every named road that the network holds, each on
        its own side; with the roads that are missing, and the alternatives nearly as cheap.

    Raises
    ------
    RoadNotFoundError
        If the network holds none of the roads.
    ClauseError
        If no road is named on one of the four sides.
    GeometryError
        If the roads don't close, if one lies on another side than named (also where links would
        only hide the contradiction), or if two rings that differ in area are equally good; the
        message says which.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> sides = {"north": ["鞍山西道"], "east": ["衛津路"], "south": ["復康路"], "west": ["紅旗路"]}
    >>> [run.name for run in ring_of_sides(sides, digitised.packaged()).runs]
    ['紅旗路', '復康路', '衛津路', '鞍山西道']
    """
    by_side, missing = _look_up(sides, lines)
    _require_four(sides)
    # Every road once, though it bounds two sides.
    unique = {line.id: line for group in by_side.values() for line in group}
    first = next(iter(unique.values()))
    junctions = Junctions(lines, first.parts[0][0].position)
    search = _Search(
        junctions,
        [junctions.measured(line) for line in unique.values()],
        ClauseSides(
            {side: [line.id for line in group] for side, group in by_side.items()},
            {line.id: line.names for line in unique.values()},
            inside,
        ),
    )
    rings = search.rings()
    if not rings:
        raise GeometryError(_why_open(search, missing))
    (_, best), alternatives = rings[0], _alternatives(rings)
    return replace(best, missing=missing, alternatives=alternatives)


def _look_up(
    sides: Mapping[str, Sequence[str]], lines: LineSource
) -> tuple[dict[str, list[Line]], dict[str, tuple[str, ...]]]:
    """The lines of each side, and the roads that aren't there with names like them."""
    missing: dict[str, tuple[str, ...]] = {}
    wanted: list[tuple[str, list[Line]]] = []
    for side in ("north", "east", "south", "west"):
        for name in sides.get(side, ()):
            group = named_lines(lines, name)
            if group:
                wanted.append((side, group))
            else:
                missing[name] = () if name in lines else tuple(lines.near(name))
    by_side: dict[str, list[Line]] = {}
    for (side, _), line in zip(wanted, together([group for _, group in wanted]), strict=True):
        by_side.setdefault(side, []).append(line)
    if not by_side and missing:
        near = itertools.chain(*missing.values())
        error = RoadNotFoundError(tr("road of the clause"), listed(missing), near)
        # Each road with its own near names, not all of them as if they were one.
        error.args = (
            tr(
                "not in the network: {roads}; check the names, and that the network covers them",
                roads=_with_near_names(missing),
            ),
        )
        raise error
    return by_side, missing


def _with_near_names(missing: Mapping[str, Sequence[str]]) -> str:
    """The roads that the network doesn't hold, each with names like it."""
    return listed(
        tr("{name} (near names: {near})", name=name, near=listed(near[:3])) if near else name
        for name, near in missing.items()
    )


def _require_four(sides: Mapping[str, Sequence[str]]) -> None:
    lacking = [side for side in SIDE_NAMES if not sides.get(side)]
    if lacking:
        # Named here: Babel loses the plural of a call that has another one in it.
        sides_lacking = listed(tr(SIDES[side]) for side in lacking)
        raise ClauseError(
            ntr(
                "the clause names no {sides} side; add {words} (a road that bounds two sides is "
                "named on both: 東、北至…)",
                "the clause lacks the sides {sides}; add {words} (a road that bounds two sides is "
                "named on both: 東、北至…)",
                len(lacking),
                sides=sides_lacking,
                words=listed(in_script(f"{SIDE_NAMES[side]}至…") for side in lacking),
            )
        )


def _alternatives(rings: Sequence[_Costed]) -> tuple[Alternative, ...]:
    """The rings beside the cheapest; an error where one is as good and encloses another area."""
    cost, best = rings[0]
    quarter = Polygon(best.coordinates)
    alternatives = []
    for rival_cost, rival in rings[1:]:
        other = Alternative(
            tuple(run.names for run in rival.runs), ring_area(rival), round(rival_cost / cost, 3)
        )
        # Two quarters may differ and be equally large.
        differs = quarter.symmetric_difference(Polygon(rival.coordinates)).area / quarter.area
        if other.cost < _AS_GOOD and differs > _MATTERS:
            raise GeometryError(
                tr(
                    "two rings fit the sides equally well: {lines} ({area:.2f} sq km) and "
                    "{other_lines} ({other_area:.2f} sq km); give the ring, or a place that lies "
                    "inside",
                    lines=line_names([run.names for run in best.runs]),
                    area=ring_area(best) / 1e6,
                    other_lines=line_names(other.lines),
                    other_area=other.area_m2 / 1e6,
                )
            )
        alternatives.append(other)
    return tuple(alternatives)


class _Search:
    """The rounds through all named roads, cheapest first."""

    def __init__(
        self, junctions: Junctions, named: Sequence[MeasuredLine], sides: ClauseSides
    ) -> None:
        self.junctions = junctions
        self.named = named
        self.sides = sides
        self._links = Links(junctions, named)

    def rings(self) -> list[_Costed]:
        """Rings that fit the clause, the cheapest first; empty where nothing closes."""
        rings = self._rings()
        # A link is for roads that don't meet. Where they do meet all the way round, but not as
        # the clause says, a link would only hide the contradiction.
        if rings or self._contradicted():
            return rings
        return self._rings(links=True)

    def _contradicted(self) -> bool:
        """Whether the named roads, each followed once, close in another way than the sides say."""
        rings = [ring for _, ring in self._rings(anywhere=True, most_extra=0)]
        # A corner that is only carried to is no proof of where a clause means its ring to run.
        seen = [ring for ring in rings if all(c.kind != "extended" for c in ring.corners)]
        plane = self.junctions.plane
        return bool(seen) and all(self.sides.contradictions(ring, plane) for ring in seen)

    def contradictions(self) -> list[Remark] | None:
        """What the clause says wrongly of the ring that its roads make; None where they make none.

        Empty where the ring only lies elsewhere than the places that it must contain.
        """
        rings = self._rings(anywhere=True) or self._rings(anywhere=True, links=True)
        return self.sides.contradictions(rings[0][1], self.junctions.plane) if rings else None

    def _rings(
        self, *, anywhere: bool = False, links: bool = False, most_extra: int = _MOST_EXTRA
    ) -> list[_Costed]:
        """Rings by cost, up to `_NEARLY` times the cheapest.

        Parameters
        ----------
        anywhere : bool
            Whether the sides on which the roads are named don't matter.
        links : bool
            Whether links are put between roads that don't meet.
        most_extra : int
        """
        count = itertools.count()
        start = (_Leg(self.named[0], "named", None),)
        heap: list[tuple[float, int, tuple[_Leg, ...], Junction | None]] = []
        heapq.heappush(heap, (0.0, next(count), start, None))
        rings: dict[tuple[str, ...], _Costed] = {}
        limit = math.inf
        for _ in range(_MOST_STEPS):
            if not heap:
                break
            cost, _, legs, closing = heapq.heappop(heap)
            if cost > limit:
                break
            if closing is None:
                for more, grown, done in self._grow(legs, links, most_extra):
                    heapq.heappush(heap, (cost + more, next(count), grown, done))
                continue
            # A round that closes: is it a ring, and where the clause says?
            key = _canonical([leg.measured.line.id for leg in legs])
            if key not in rings:
                ring = _finish(legs, closing)
                if ring is not None and (anywhere or self.sides.fit(ring, self.junctions.plane)):
                    rings[key] = cost, ring
                    limit = min(limit, cost * _NEARLY)
        return sorted(rings.values(), key=lambda costed: costed[0])

    def _grow(self, legs: tuple[_Leg, ...], links: bool, most_extra: int) -> Iterator[_Round]:
        """Give a round with each road added that its last one leads to, at what that costs more."""
        last = legs[-1]
        used = [leg.measured.line.id for leg in legs]
        extra = sum(leg.role != "named" for leg in legs)
        everywhere = all(line.line.id in used for line in self.named)
        for along, leave, following, link, enter in self._onward(last, links):
            # The rest of the last line, and the gap to the next.
            cost = along * {"named": 1.0, "again": _AGAIN_COST}.get(last.role, _LINK_COST)
            cost += GAP_COST * leave.gap
            grown, corner = legs, leave
            if link is not None and enter is not None:
                # Over a line that the clause doesn't name.
                if extra >= most_extra or link.line.id in used:
                    continue
                grown = (*grown, _Leg(link, "bridge", leave))
                cost += _LINK_COST * link.distance(leave.enter, enter.leave) + _SWITCH_COST
                cost += GAP_COST * enter.gap
                corner = enter
            if following is self.named[0] and everywhere:
                # Back at the first road: from there to where the round left it.
                opening = _opening(grown)
                if opening is not None:
                    home = following.distance(corner.enter, opening)
                    if home >= LEAST_M:
                        yield cost + home, grown, corner
            times = used.count(following.line.id)
            if times == 0:
                yield cost, (*grown, _Leg(following, "named", corner)), None
            elif times == 1 and extra < most_extra:
                yield cost + _SWITCH_COST, (*grown, _Leg(following, "again", corner)), None

    def _onward(
        self, leg: _Leg, links: bool
    ) -> list[tuple[float, Junction, MeasuredLine, MeasuredLine | None, Junction | None]]:
        """Every way on to a named road, direct or over a link: metres along the leg come first."""
        line, _, entry = leg
        ways: list[tuple[Junction, MeasuredLine, MeasuredLine | None, Junction | None]] = []
        for following in self.named:
            if following is line:
                continue
            corners = self.junctions.between(line, following)
            ways += [(corner, following, None, None) for corner in corners]
            if links and all(corner.kind == "extended" for corner in corners):
                ways += [
                    (leave, following, link, enter)
                    for leave, link, enter in self._links.between(line, following)
                ]
        # Metres to each; 0 for the first line, which is entered last.
        onward = [
            (0.0 if entry is None else line.distance(entry.enter, way[0].leave), *way)
            for way in ways
        ]
        nearest: dict[tuple[str, Position | None], float] = {}
        for along, leave, following, *_ in onward:
            key = following.line.id, leave.middle
            nearest[key] = min(along, nearest.get(key, along))
        return [
            way
            for way in onward
            # Far carriageways would multiply the rounds by each other, were they not kept to.
            if way[1].middle is None
            or way[0] <= nearest[way[2].line.id, way[1].middle] + _FAR_SIDE_M
            # The line must be followed over some length.
            if entry is None or (way[0] >= LEAST_M and not entry.same_crossing(way[1]))
        ]


def _opening(legs: Sequence[_Leg]) -> Place | None:
    """Where a round left its first line; None where it hasn't."""
    entry = legs[1].entry if len(legs) > 1 else None
    return entry.leave if entry is not None else None


def _finish(legs: Sequence[_Leg], closing: Junction) -> Ring | None:
    """The ring of a round that closes; None where it isn't simple."""
    entries = [closing, *(leg.entry for leg in legs[1:] if leg.entry is not None)]
    steps = [
        Step(leg.measured, leg.role, None, entries[k], entries[(k + 1) % len(entries)])
        for k, leg in enumerate(legs)
    ]
    made = runs_and_corners(steps)
    return None if made is None else closed_ring(*made)


def _canonical(ids: Sequence[str]) -> tuple[str, ...]:
    """The same for a round wherever it begins and whichever way it runs."""
    forms = []
    for way in (list(ids), list(ids)[::-1]):
        forms += [tuple(way[k:] + way[:k]) for k in range(len(way))]
    return min(forms)


def _why_open(search: _Search, missing: Mapping[str, Sequence[str]]) -> str:
    """What keeps the sides from closing, in the language in force."""
    reasons = [_misses(search, line) for line in search.named]
    if missing:
        reasons.append(tr("not in the network: {roads}", roads=_with_near_names(missing)))
    reasons = [reason for reason in reasons if reason]
    if not reasons:
        # Every road meets its neighbours: is there a ring that doesn't fit the clause?
        wrong = search.contradictions()
        if wrong:
            return tr("; ").join(remark.text() for remark in wrong)
        if wrong is not None:
            return tr("the ring that the sides describe doesn't contain the reference point")
        reasons = [tr("no round leads through all of them")]
    return tr("the sides don't close: {reasons}", reasons=tr("; ").join(reasons))


def _misses(search: _Search, line: MeasuredLine) -> str:
    """Which roads one that meets less than two others meets, and which it misses by least."""
    others = [other for other in search.named if other is not line]
    met = [other for other in others if search.junctions.between(line, other)]
    if len(met) >= 2 or len(met) == len(others):
        return ""
    values: dict[str, Any] = {
        "road": line_names([line.line.names]),
        "met": line_names([other.line.names for other in met]),
    }
    # Of the roads on the sides next to its own, one of which it should meet.
    own = search.sides.sides_of(line.line.id)
    beside = [
        other
        for other in others
        if other not in met and not own & search.sides.sides_of(other.line.id, opposite=True)
    ]
    if not beside and met:
        return tr("{road} meets only {met}", **values)
    if not beside:
        return tr("{road} meets none of the other roads", **values)
    nearest = min(beside, key=lambda other: line.shape.distance(other.shape))
    values |= {"nearest": line_names([nearest.line.names])}
    values |= {"metres": line.shape.distance(nearest.shape)}
    if not met:
        return tr(
            "{road} meets none of the other roads; the nearest beside it, {nearest}, is "
            "{metres:,.0f} m away",
            **values,
        )
    return tr(
        "{road} meets only {met}; the nearest of the others beside it, {nearest}, is "
        "{metres:,.0f} m away",
        **values,
    )
