"""Which of several rings a clause means: the reasons that decide, and the readings that stay.

Rings that follow other lines compete by what they cost. Rings on the same roads in the same order
don't: a shorter way round is no reason to take a stub for the street of its name. Between those
decide the area that the plan states, breaks that only one of them bridges, and a road that is far
longer than its namesake. Where nothing decides, the clause is refused with the choices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from shapely import LineString, Polygon, hausdorff_distance, union_all

from nankai_gis.compiler.measured import MeasuredLine
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import MATTERS, Alternative, Ring, line_names, ring_area
from nankai_gis.compiler.runs import Run
from nankai_gis.errors import GeometryError
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.words import listed, tr

#: Rings on other lines that cost up to this much more are as likely.
AS_GOOD = 1.02
# Rings that cost up to this much more are named whatever their area.
NEARLY = 1.25
# Corners closer together than this belong to one reading of the clause, metres.
_SAME_CORNER_M = 40.0
#: Breaks and gaps that are longer by this much speak against a ring, metres.
BREAK_M = 60.0
# A road this many times as long as its namesake is the one that is meant.
_LONGER = 10.0
# Carriageways and side roads of one name lie at most this far apart, metres.
BESIDE_M = 250.0
# An area within this share of what the plan states agrees with it.
_STATED = 0.1
# Rings that are named beside the one that is taken.
_MOST_NAMED = 6


class AmbiguousRingError(GeometryError):
    """Nothing decides between several rings: `choices` are they."""

    def __init__(self, message: str, choices: Sequence[Alternative]) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


@dataclass(frozen=True)
class Found:
    """A ring that fits the clause, as the search has it.

    ``key`` is the same for rings that follow the same roads in the same order, namesakes for each
    other; ``spots`` are the places at which each line is entered, metres.
    """

    cost: float
    ring: Ring
    key: tuple[str, ...]
    spots: Sequence[Position]
    named: Sequence[MeasuredLine]

    def same(self, spots: Sequence[Position]) -> bool:
        """Whether its corners are these."""
        pairs = zip(self.spots, spots, strict=True)
        return all(math.dist(a, b) < _SAME_CORNER_M for a, b in pairs)

    @cached_property
    def area(self) -> float:
        """Square metres."""
        return ring_area(self.ring)

    @cached_property
    def shape(self) -> Polygon:
        """The polygon, in degrees."""
        return Polygon(self.ring.coordinates)

    @property
    def bridged(self) -> float:
        """Metres of the ring that no line has."""
        return self.ring.bridged_m

    def differs(self, other: Found) -> float:
        """The share of its area that isn't common to both."""
        return float(self.shape.symmetric_difference(other.shape).area / self.shape.area)

    def roads(self) -> dict[str, float]:
        """For each road, by its place in the clause, the metres that hang together with the run."""
        by_id = {line.line.id: (str(k), line) for k, line in enumerate(self.named)}
        lengths = {}
        for run in self.ring.runs:
            if run.line in by_id:
                slot, line = by_id[run.line]
                middle = line.plane.to(run.vertices[len(run.vertices) // 2].position)
                lengths[slot] = line.component_length(middle)
        return lengths


def choose(found: Sequence[Found], plane: Plane, stated_area_m2: float | None = None) -> Ring:
    """Return the ring that a clause means, with its alternatives."""
    rings = _without_mixtures(sorted(found, key=lambda ring: ring.cost))
    for taken in rings:
        rivals = [ring for ring in rings if ring is not taken and taken.differs(ring) > MATTERS]
        reasons = [_reason(taken, rival, plane, stated_area_m2) for rival in rivals]
        if all(reasons):
            others = _others(taken, rings)
            return replace(
                taken.ring,
                alternatives=tuple(_alternative(x, taken) for x in others),
                reasons=tuple(Remark(key, {}) for key in dict.fromkeys(reasons)),
            )
    first = rings[0]
    undecided = [
        ring
        for ring in rings[1:]
        if first.differs(ring) > MATTERS and not _reason(first, ring, plane, stated_area_m2)
    ]
    raise _ambiguous([first, *_each_once(undecided)])


def _without_mixtures(rings: Sequence[Found]) -> list[Found]:
    """The rings but for those that jump from the corners of one whole ring to those of another."""
    whole = [ring for ring in rings if ring.bridged < BREAK_M]

    def mixed(ring: Found) -> bool:
        others = [other for other in whole if other.key == ring.key]
        return ring.bridged >= BREAK_M and all(
            any(math.dist(spot, other.spots[k]) < _SAME_CORNER_M for other in others)
            for k, spot in enumerate(ring.spots)
        )

    return [ring for ring in rings if not mixed(ring)]


def _reason(ring: Found, rival: Found, plane: Plane, stated_area_m2: float | None) -> str:
    """Why one ring is meant and not the other; "" where nothing decides."""
    if stated_area_m2:
        off, rival_off = (abs(x.area / stated_area_m2 - 1) for x in (ring, rival))
        if min(off, rival_off) <= _STATED < max(off, rival_off):
            return "nearest to the stated area" if off < rival_off else ""
    # The same roads in the same order: is one of them but a stub of the other's name?
    mine, theirs = ring.roads(), rival.roads()
    ratios = [mine[k] / theirs[k] for k in mine if k in theirs and mine[k] != theirs[k]]
    if ring.key != rival.key or not ratios:
        return "shorter way round" if ring.cost * AS_GOOD <= rival.cost else ""
    longer = min(ratios) >= _LONGER
    if max(ratios) <= 1 / _LONGER or (longer and ring.bridged > rival.bridged):
        return ""
    if longer:
        return "longer road"
    if ring.cost > rival.cost:
        return ""
    if ring.bridged + BREAK_M < rival.bridged:
        return "follows roads throughout"
    return "nearer carriageway" if _beside(ring, rival, plane) else ""


def _beside(ring: Found, rival: Found, plane: Plane) -> bool:
    """Whether two rings on the same roads only follow other carriageways of them."""
    theirs = {run.name: run for run in rival.ring.runs}
    pairs = [(run, theirs[run.name]) for run in ring.ring.runs if run.name in theirs]
    return all(
        hausdorff_distance(_course(a, plane), _course(b, plane)) <= BESIDE_M for a, b in pairs
    )


def _course(run: Run, plane: Plane) -> LineString:
    return LineString([plane.to(vertex.position) for vertex in run.vertices])


def _others(taken: Found, rings: Sequence[Found]) -> list[Found]:
    """The rings to name beside the one that is taken: other areas, and other lines nearly as good.

    Of rings on the same lines each area once.
    """
    near = [
        ring
        for ring in rings
        if ring is not taken
        and (taken.differs(ring) > MATTERS or ring.key != taken.key)
        and (ring.cost <= NEARLY * taken.cost or not _extra(ring) or ring.key == taken.key)
    ]
    return _each_once(near)[:_MOST_NAMED]


def _extra(ring: Found) -> bool:
    """Whether it follows anything but each named road once."""
    return any(run.role != "named" for run in ring.ring.runs)


def _each_once(rings: Sequence[Found]) -> list[Found]:
    kept: list[Found] = []
    for ring in rings:
        if all(other.differs(ring) > MATTERS for other in kept if other.key == ring.key):
            kept.append(ring)
    return kept


def _alternative(ring: Found, taken: Found) -> Alternative:
    names = tuple(run.names for run in ring.ring.runs)
    cost = round(ring.cost / taken.cost, 3)
    against = (Remark("bridged", {"metres": ring.bridged}),) if ring.bridged >= BREAK_M else ()
    return Alternative(
        names, ring.area, cost, taken.differs(ring), ring.ring, _for(ring, taken), against
    )


def _for(ring: Found, taken: Found) -> tuple[Remark, ...]:
    """What speaks for a ring that isn't taken."""
    reasons = []
    if ring.cost < taken.cost:
        reasons.append(Remark("shorter way round", {}))
    if ring.bridged + BREAK_M < taken.bridged:
        reasons.append(Remark("follows roads throughout", {}))
    return tuple(reasons)


def _ambiguous(rings: Sequence[Found]) -> AmbiguousRingError:
    """The error that lists the choices, each with its area and a place that only it contains."""
    choices = []
    for ring in rings[:_MOST_NAMED]:
        values = {
            "lines": line_names([run.names for run in ring.ring.runs]),
            "area": ring.area / 1e6,
        }
        rest = ring.shape.difference(union_all([x.shape for x in rings if x is not ring]))
        if rest.area > MATTERS * ring.shape.area:
            spot = rest.representative_point()
            choices.append(
                tr(
                    "{lines} ({area:.2f} sq km, it alone contains {lon:.4f}, {lat:.4f})",
                    **values,
                    lon=spot.x,
                    lat=spot.y,
                )
            )
        else:
            choices.append(tr("{lines} ({area:.2f} sq km)", **values))
    message = tr(
        "{n} rings fit the sides equally well: {choices}; give the ring, or a place that lies "
        "inside",
        n=len(rings),
        choices=listed(choices),
    )
    return AmbiguousRingError(message, [_alternative(ring, rings[0]) for ring in rings])
