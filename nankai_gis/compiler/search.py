"""The search for the ring that four sides describe."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Literal

import shapely
from shapely.geometry import Polygon

from nankai_gis.compiler.junction import NEAR_M, Junction, Junctions
from nankai_gis.compiler.lines import LineSource, together
from nankai_gis.compiler.measured import MeasuredLine, Place
from nankai_gis.compiler.ring import (
    GAP_COST,
    Alternative,
    Ring,
    Step,
    closed_ring,
    ring_area,
    runs_and_corners,
)
from nankai_gis.compiler.runs import Run
from nankai_gis.errors import ClauseError, GeometryError, RoadNotFoundError
from nankai_gis.geometry.plane import Position
from nankai_gis.plan.model import FACING, OUTWARD, SIDE_NAMES, Line

#: A line that the clause doesn't name bridges two roads over at most this length, metres.
BRIDGE_M = 4000.0

# What is put in between is dearer than what is named: a metre of gap, of an unnamed line.
_BRIDGE_COST, _AGAIN_COST = 2.0, 1.5
_SWITCH_COST = 150.0
# A clause is turned by a quarter when all its sides lie more than 50 degrees round the same way;
# streets that run at 45 degrees are named by either of two sides.
_TURNED = math.tan(math.radians(50))
# Rings that cost up to this much more are named as alternatives; more area than this matters.
_NEARLY, _MATTERS = 1.25, 0.05
# A junction's corner this much further along than another is on the opposite carriageway, metres.
_SIDE_M = 200.0
# Bounds of the search: what exceeds them is not a 四至 that a reader could follow either.
_MOST_STEPS = 200_000
# Lines used again or not named at all that a round may take in.
_MOST_EXTRA = 3

# A round so far: each line with its role and the corner at which it was entered; the corner of
# the first is known when the round closes.
_Role = Literal["named", "again", "bridge", "stand-in"]
_Partial = tuple[tuple[MeasuredLine, _Role, Junction | None], ...]
_ROUND = ("east", "north", "west", "south")


class _Search:
    """The round through all named roads, cheapest first."""

    def __init__(
        self,
        courses: Junctions,
        named: Sequence[MeasuredLine],
        sides: Mapping[str, Sequence[str]],
        inside: Sequence[Position],
    ) -> None:
        self.courses = courses
        self.named = named
        self.sides = sides
        self.inside = [shapely.Point(p) for p in inside]
        self.bridged = False
        self._most_extra = _MOST_EXTRA
        self._bridges: dict[tuple[str, str], list[tuple[Junction, MeasuredLine, Junction]]] = {}

    def run(self) -> list[tuple[float, Ring]]:
        """Rings by cost: those within reach of the cheapest; empty where nothing closes."""
        self.bridged = False
        found = self._rounds()
        # A bridge is for roads that don't meet. Where they do meet all the way round, but not as
        # the clause says, it would only lead the ring round the contradiction.
        if found or self._contradicted():
            return found
        self.bridged = True
        return self._rounds()

    @contextmanager
    def _anywhere(self) -> Iterator[None]:
        """Rings through the named roads, whatever the sides on which they are named."""
        (self.sides, sides), (self.inside, inside) = ({}, self.sides), ([], self.inside)
        try:
            yield
        finally:
            self.sides, self.inside = sides, inside

    def _contradicted(self) -> bool:
        """Whether the named roads, each followed once, close in another way than the sides say."""
        with self._anywhere():
            self._most_extra = 0
            rings = [ring for _, ring in self._rounds()]
            self._most_extra = _MOST_EXTRA
        # A corner that is only carried to is no proof of where a clause means its ring to run.
        seen = [ring for ring in rings if all(c.kind != "extended" for c in ring.corners)]
        return bool(seen) and all(self.misplaced(ring) for ring in seen)

    def contradictions(self) -> list[str] | None:
        """What the clause says wrongly of the ring that its roads make; None where they make none.

        Empty where the ring only lies elsewhere than the places that it must contain.
        """
        with self._anywhere():
            rings = self.run()
        return self.misplaced(rings[0][1]) if rings else None

    def _onward(
        self, course: MeasuredLine
    ) -> Iterator[tuple[Junction, MeasuredLine, MeasuredLine | None, Junction | None]]:
        """Every way to the next named road: direct, or over a line that isn't named."""
        for following in self.named:
            if following is course:
                continue
            meetings = self.courses.meetings(course, following)
            for meeting in meetings:
                yield meeting, following, None, None
            if self.bridged and all(m.kind == "extended" for m in meetings):
                for leave, bridge, enter in self._between(course, following):
                    yield leave, following, bridge, enter

    @cached_property
    def _junctions(self) -> shapely.MultiPoint:
        """Where named roads meet without being carried on: about there the quarter lies."""
        return shapely.MultiPoint(
            [
                a.xy(meeting.leave)
                for a, b in itertools.combinations(self.named, 2)
                for meeting in self.courses.meetings(a, b)
                if meeting.kind != "extended"
            ]
        )

    def _between(
        self, a: MeasuredLine, b: MeasuredLine
    ) -> list[tuple[Junction, MeasuredLine, Junction]]:
        """The two best lines that join two roads that don't meet: short, and about the quarter."""
        key = a.line.id, b.line.id
        if key in self._bridges:
            return self._bridges[key]
        found: list[tuple[float, tuple[Junction, MeasuredLine, Junction]]] = []
        link = shapely.shortest_line(a.shape, b.shape)
        if link.length <= BRIDGE_M:
            # Somewhere about the quarter it touches either of them: the shorter is looked along.
            about = shapely.box(*shapely.union(link, self._junctions).buffer(NEAR_M).bounds)
            middle = (link if self._junctions.is_empty else self._junctions).centroid
            boxes = [shapely.box(*c.shape.buffer(NEAR_M).bounds) & about for c in (a, b)]
            bounds = min(boxes, key=lambda box: box.length).bounds
            corners = [self.courses.plane.back(p) for p in (bounds[:2], bounds[2:])]
            taken = {course.line.id for course in self.named}
            for line in self.courses.lines.around((*corners[0], *corners[1])):
                if line.id in taken or not line.parts:
                    continue
                bridge = self.courses.course(line)
                if max(bridge.shape.distance(a.shape), bridge.shape.distance(b.shape)) > NEAR_M:
                    continue
                for leave, enter in itertools.product(
                    self.courses.meetings(a, bridge), self.courses.meetings(bridge, b)
                ):
                    length = bridge.distance(leave.enter, enter.leave)
                    if "extended" not in (leave.kind, enter.kind) and 1 < length <= BRIDGE_M:
                        cost = length + GAP_COST * (leave.gap + enter.gap)
                        # Of many that are as short, those in the quarter, not beside it.
                        aside = middle.distance(shapely.Point(bridge.xy(leave.enter)))
                        found.append((cost + aside, (leave, bridge, enter)))
        found.sort(key=lambda f: f[0])
        best = [f[1] for f in found[:2]]
        self._bridges[key] = best
        self._bridges[key[::-1]] = [(n.reverse(), line, m.reverse()) for m, line, n in best]
        return best

    def _rounds(self) -> list[tuple[float, Ring]]:
        first = self.named[0]
        count = itertools.count()
        queue: list[tuple[float, int, _Partial, Junction | None]] = [
            (0.0, next(count), ((first, "named", None),), None)
        ]
        rings: dict[tuple[str, ...], tuple[float, Ring]] = {}
        limit = math.inf
        for _ in range(_MOST_STEPS):
            if not queue:
                break
            cost, _, steps, closing = heapq.heappop(queue)
            if cost > limit:
                break
            if closing is not None:
                key = _canonical([c.line.id for c, _, _ in steps])
                if key in rings:
                    continue
                ring = self._finish(steps, closing)
                if ring is not None and self._fits(ring):
                    rings[key] = cost, ring
                    limit = min(limit, cost * _NEARLY)
                continue
            for more, grown, done in self._grow(steps):
                heapq.heappush(queue, (cost + more, next(count), grown, done))
        return sorted(rings.values(), key=lambda r: r[0])

    def _grow(self, steps: _Partial) -> Iterator[tuple[float, _Partial, Junction | None]]:
        course, role, entry = steps[-1]
        used = [c.line.id for c, _, _ in steps]
        extra = sum(r != "named" for _, r, _ in steps)
        everywhere = all(c.line.id in used for c in self.named)
        onward = [(self._along(course, entry, way[0]), *way) for way in self._onward(course)]
        nearest: dict[tuple[str, Position | None], float] = {}
        for along, leave, following, _, _ in onward:
            key = following.line.id, leave.junction
            nearest[key] = min(along, nearest.get(key, along))
        for along, leave, following, bridge, enter in onward:
            # Far carriageways would multiply the rounds by each other, were they not kept to.
            beyond = along > nearest[following.line.id, leave.junction] + _SIDE_M
            if leave.junction is not None and beyond:
                continue
            if entry is not None and (along < 1.0 or entry.same_junction(leave)):
                continue
            cost = along * {"named": 1.0, "again": _AGAIN_COST}.get(role, _BRIDGE_COST)
            cost += GAP_COST * leave.gap
            grown, last = steps, leave
            if bridge is not None and enter is not None:
                if extra >= self._most_extra or bridge.line.id in used:
                    continue
                grown = (*grown, (bridge, "bridge", leave))
                cost += _BRIDGE_COST * bridge.distance(leave.enter, enter.leave) + _SWITCH_COST
                cost += GAP_COST * enter.gap
                last = enter
            if following is self.named[0] and everywhere:
                opening = self._opening(grown)
                if opening is not None:
                    home = following.distance(last.enter, opening)
                    if home >= 1.0:
                        yield cost + home, grown, last
            times = used.count(following.line.id)
            if times == 0:
                yield cost, (*grown, (following, "named", last)), None
            elif times == 1 and extra < self._most_extra:
                yield cost + _SWITCH_COST, (*grown, (following, "again", last)), None

    @staticmethod
    def _along(course: MeasuredLine, entry: Junction | None, leave: Junction) -> float:
        """Metres of a line from where it is entered; 0 for the first, which is entered last."""
        return 0.0 if entry is None else course.distance(entry.enter, leave.leave)

    def _opening(self, steps: _Partial) -> Place | None:
        """Where the round left its first line."""
        if len(steps) < 2:
            return None
        entry = steps[1][2]
        return entry.leave if entry is not None else None

    def _finish(self, steps: _Partial, closing: Junction) -> Ring | None:
        entries = [closing, *(entry for _, _, entry in steps[1:] if entry is not None)]
        made = runs_and_corners(
            [
                Step(course, role, None, entries[k], entries[(k + 1) % len(entries)])
                for k, (course, role, _) in enumerate(steps)
            ]
        )
        return None if made is None else closed_ring(*made)

    def _fits(self, ring: Ring) -> bool:
        polygon = Polygon(ring.coordinates)
        return all(polygon.contains(p) for p in self.inside) and not self.misplaced(ring)

    def misplaced(self, ring: Ring) -> list[str]:
        """What contradicts the clause: roads that face, or lie, otherwise than it names them."""
        return self._turned_away(ring) or self._inverted(ring) or self._turned(ring)

    def _turned_away(self, ring: Ring) -> list[str]:
        """Roads that don't face the side on which the clause names them."""
        best: dict[tuple[str, str], float] = {
            (line, side): -1.0 for side, ids in self.sides.items() for line in ids
        }
        for run in ring.runs:
            (x, y), (_, _) = self._outward(run)
            chord = math.hypot(x, y) or 1.0
            for side, (east, north) in OUTWARD.items():
                if (run.line, side) in best:
                    facing = (x * east + y * north) / chord
                    best[run.line, side] = max(best[run.line, side], facing)
        wrong = []
        for side in self.sides:
            faces = {key: facing for key, facing in best.items() if key[1] == side}
            if faces and max(faces.values()) < FACING:
                wrong += list(faces)
            else:
                # Among several roads of one side some are the risers of a stair, square to it.
                wrong += [key for key, facing in faces.items() if facing < -FACING]
        return [
            f"{self._names([line])} is named on the {side} side, but lies on another side of the "
            "ring"
            for line, side in wrong
        ]

    def _inverted(self, ring: Ring) -> list[str]:
        """Opposite sides whose runs lie the wrong way round, as about a notch in the ring.

        Each run of such a ring faces its side, so that facing doesn't tell. Where they lie does:
        in a ring that follows named roads alone the mean position of one side's runs, weighted
        by how far they extend across, is ahead of that of the other side's by the area over that
        extent (the divergence theorem), however the ring is stepped, notched or turned. So one
        of the runs is ahead of one of the other side's; where none is, the sides are inverted.
        More can't be asked where a line that isn't named bounds a part of the ring.
        """
        wrong = []
        for one, other in (("north", "south"), ("east", "west")):
            ids = set(self.sides.get(one, ())), set(self.sides.get(other, ()))
            runs = [
                [self._outward(run) for run in ring.runs if run.line in mine - theirs]
                for mine, theirs in (ids, ids[::-1])
            ]
            # Across the ring from the other side to the one, as this ring lies.
            x, y = (
                sum(way[k] for way, _ in runs[0]) - sum(way[k] for way, _ in runs[1])
                for k in (0, 1)
            )
            ahead = [
                [
                    spot[0] * x + spot[1] * y
                    for way, spot in side
                    # A riser, square to its side, tells nothing of where that lies.
                    if sign * (way[0] * x + way[1] * y) > 0
                ]
                for sign, side in zip((1.0, -1.0), runs, strict=True)
            ]
            if all(ahead) and max(ahead[0]) <= min(ahead[1]):
                wrong.append(
                    f"{self._names(self.sides[one])} is named on the {one} side, but lies {other} "
                    f"of {self._names(self.sides[other])}, which is named on the {other} side"
                )
        return wrong

    def _turned(self, ring: Ring) -> list[str]:
        """A clause that goes round with the ring, but begins on the wrong side.

        Where streets run askew every road faces two sides, so that facing alone lets it pass.
        """
        for way in (1, -1):
            told = []
            for side, ids in self.sides.items():
                outward = [self._outward(run)[0] for run in ring.runs if run.line in ids]
                x, y = (sum(o[k] for o in outward) for k in (0, 1))
                actual = _ROUND[(_ROUND.index(side) + way) % 4]
                ahead, across = (x * OUTWARD[s][0] + y * OUTWARD[s][1] for s in (side, actual))
                if across <= _TURNED * max(ahead, 0.0):
                    break
                told.append(
                    f"{self._names(ids)} is named on the {side} side, but lies on the {actual} "
                    "side of the ring"
                )
            else:
                return told
        return []

    def _outward(self, run: Run) -> tuple[Position, Position]:
        """What a run adds to its side: its chord turned outwards, and its middle; metres."""
        spots = [self.courses.plane.to(v.position) for v in run.vertices]
        (ax, ay), (bx, by) = spots[0], spots[-1]
        middle = shapely.LineString(spots).centroid
        # To the right of a counter-clockwise ring's edge lies the outside.
        return (by - ay, ax - bx), (middle.x, middle.y)

    def _names(self, ids: Sequence[str]) -> str:
        return "、".join(c.line.names.hant for c in self.named if c.line.id in ids)


def _canonical(ids: Sequence[str]) -> tuple[str, ...]:
    """The same for a round wherever it begins and whichever way it runs."""
    forms = []
    for way in (list(ids), list(ids)[::-1]):
        forms += [tuple(way[k:] + way[:k]) for k in range(len(way))]
    return min(forms)


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
        its own side; with the roads that are missing, and the alternatives within reach.

    Raises
    ------
    RoadNotFoundError
        If the network holds none of the roads.
    ClauseError
        If no road is named on one of the four sides.
    GeometryError
        If the roads don't close, if one lies on another side than named, also where lines that
        aren't named would lead a ring round that contradiction, or if two rings that
        differ in area are equally good; the message says which.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> sides = {"north": ["鞍山西道"], "east": ["衛津路"], "south": ["復康路"], "west": ["紅旗路"]}
    >>> [run.name for run in ring_of_sides(sides, digitised.packaged()).runs]
    ['紅旗路', '復康路', '衛津路', '鞍山西道']
    """
    missing: dict[str, tuple[str, ...]] = {}
    found: dict[str, list[Line]] = {}
    asked: list[tuple[str, list[Line]]] = []
    for side in ("north", "east", "south", "west"):
        for name in sides.get(side, ()):
            known = name in lines
            group = [line for line in lines.every(name) if line.parts] if known else []
            if group:
                asked.append((side, group))
            else:
                missing[name] = () if known else tuple(lines.near(name))
    for (side, _), line in zip(asked, together([group for _, group in asked]), strict=True):
        found.setdefault(side, []).append(line)
    if not found and missing:
        error = RoadNotFoundError(
            "road of the clause", "、".join(missing), itertools.chain(*missing.values())
        )
        # Each road with its own near names, not all of them as if they were one.
        error.args = (f"{_absent(missing)}; check the names, and that the network covers them",)
        raise error
    lacking = [side for side in SIDE_NAMES if not sides.get(side)]
    if lacking:
        raise ClauseError(
            f"the clause names no {' and no '.join(lacking)} side; add "
            f"{' and '.join(SIDE_NAMES[side] + '至…' for side in lacking)} (a road that bounds two "
            "sides is named on both: 東、北至…)"
        )
    unique = {line.id: line for group in found.values() for line in group}
    first = next(iter(unique.values()))
    courses = Junctions(lines, first.parts[0][0].position)
    named = [courses.course(line) for line in unique.values()]
    search = _Search(
        courses, named, {side: [x.id for x in group] for side, group in found.items()}, inside
    )
    rings = search.run()
    if not rings:
        raise GeometryError(_why_open(search, missing))
    cost, best = rings[0]
    others = [
        Alternative(tuple(r.name for r in other.runs), ring_area(other), round(c / cost, 3))
        for c, other in rings[1:]
    ]
    quarter = Polygon(best.coordinates)
    for other, (_, rival) in zip(others, rings[1:], strict=True):
        # Two quarters may differ and be equally large.
        differs = quarter.symmetric_difference(Polygon(rival.coordinates)).area / quarter.area
        if other.cost < 1.02 and differs > _MATTERS:
            raise GeometryError(
                "two rings fit the sides equally well: "
                f"{'、'.join(r.name for r in best.runs)} ({ring_area(best) / 1e6:.2f} km²) and "
                f"{'、'.join(other.lines)} ({other.area_m2 / 1e6:.2f} km²); "
                "give the ring, or a place that lies inside"
            )
    return replace(best, missing=missing, alternatives=tuple(others))


def _absent(missing: Mapping[str, Sequence[str]]) -> str:
    """The roads that the network doesn't hold, each with its near names."""
    near = [
        f"{name} (near names: {', '.join(others[:3])})" if others else name
        for name, others in missing.items()
    ]
    return f"not in the network: {', '.join(near)}"


def _why_open(search: _Search, missing: Mapping[str, Sequence[str]]) -> str:
    """Say what keeps the sides from closing."""
    told = []
    for course in search.named:
        met = [
            other.line.names.hant
            for other in search.named
            if other is not course and search.courses.meetings(course, other)
        ]
        if len(met) < 2:
            told.append(
                f"{course.line.names.hant} meets "
                + (f"only {met[0]}" if met else "none of the other roads")
            )
    if missing:
        told.append(_absent(missing))
    if not told:
        # Every road meets its neighbours: is there a ring that doesn't fit the clause?
        wrong = search.contradictions()
        if wrong is not None:
            return "; ".join(wrong) or (
                "the ring that the sides describe doesn't contain the reference point"
            )
    return "the sides don't close: " + ("; ".join(told) or "no round leads through all of them")
