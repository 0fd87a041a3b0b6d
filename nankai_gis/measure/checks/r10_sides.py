"""R10: the named roads bound a feature on the named side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Bools, Floats, Shapes
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import AGREES_SD, CheckContext, along, lonlat
from nankai_gis.measure.checks.finding import Finding, Rule, Statement, Verdict, state, unknown
from nankai_gis.plan.model import FACING, OUTWARD, Feature
from nankai_gis.words import mark
from nankai_gis.words.terms import SIDES

#: A road bounds its side from this share of the length: cut corners and junctions count for little.
CARRIED_SHARE = 0.75
# A step whose middle is this near to a line lies on it, metres.
_ON_M = 0.5
# The boundary and the roads are compared at steps of this length, metres.
_STEP_M = 10.0


@dataclass(frozen=True, slots=True)
class _Beside:
    """A named road beside the boundary of a polygon, step by step.

    ``distance`` is that of the road, or of the line in its place, from each step in metres;
    ``beside`` tells whether the step runs along it ``within`` what the accuracy of both allows.
    ``broken`` tells which steps bridge a break of the road, ``gaps`` how long each break is.
    """

    located: bool
    stand_ins: tuple[str, ...]
    inferred: bool
    within: float
    distance: Floats
    beside: Bools
    broken: Bools
    gaps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Metres of the boundary for one road of one side.

    They run along the road on its side, along it on the opposite side, and along no named road
    where this one is the nearest.
    """

    carried: float
    opposite: float
    other: float

    @property
    def mostly_opposite(self) -> bool:
        """Whether what it bounds is the opposite side, but for corners and a step of a stair."""
        return self.carried < (1 - CARRIED_SHARE) * (self.carried + self.opposite)


def _steps(line: BaseGeometry) -> Floats:
    """The edges of a line in the plane, cut into steps: both ends of each, x and y."""
    paths = [
        shapely.get_coordinates(shapely.segmentize(part, _STEP_M))
        for part in shapely.get_parts(line)
    ]
    steps: Floats = np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in paths])
    # A vertex that is there twice has no direction.
    moves: Bools = (steps[:, 0] != steps[:, 1]).any(axis=1)
    return steps[moves]


def _beside(context: CheckContext, feature: Feature, road: str, steps: Floats) -> _Beside:
    properties, named = context.properties[feature.id], context.known.every(road)
    # The parts of the boundary that follow the road, or a line in its place.
    stand_ins = [part for part in properties["parts"] if part["for"] == road]
    own = [part for part in properties["parts"] if part["line"] in named and not part["for"]]
    gaps = [part for part in own if part.get("gap_m")]
    parts = [part for part in own if part not in gaps] + stand_ins
    lines = [k for k in {*named, *(p["line"] for p in stand_ins)} if k in context.lines]
    within, distance = 0.0, np.full(len(steps), math.inf)
    beside = np.isfinite(distance)
    if lines:
        # The nearest step of the road for each step of the boundary, and the angle between them.
        course = _steps(crs.to_planar(shapely.union_all([context.lines[k] for k in lines])))
        edges: Shapes = np.asarray(shapely.linestrings(course))
        (_, nearest), distance = shapely.STRtree(edges).query_nearest(
            shapely.points(steps.mean(axis=1)), return_distance=True, all_matches=False
        )
        run, way = course[nearest, 1] - course[nearest, 0], steps[:, 1] - steps[:, 0]
        cosine = np.abs((run * way).sum(axis=1)) / np.hypot(*run.T) / np.hypot(*way.T)
        accuracy = max((part["accuracy_m"] for part in parts), default=properties["accuracy_m"])
        within = AGREES_SD * math.hypot(accuracy, max(context.accuracy[k] for k in lines))
        beside = (distance <= within) & along(cosine)
    # What bridges a break of the road is of the road, and can't be compared with it.
    broken = _on(context.shapes[feature.id], gaps, steps)
    return _Beside(
        located=any(key in context.lines for key in named),
        stand_ins=tuple(dict.fromkeys(part["name"] for part in stand_ins)),
        inferred=any(part["status"] == "inferred" for part in parts + gaps or [properties]),
        within=within,
        distance=distance,
        beside=beside & ~broken,
        broken=broken,
        gaps=tuple(part["gap_m"] for part in gaps),
    )


def _on(polygon: BaseGeometry, parts: Sequence[Mapping[str, Any]], steps: Floats) -> Bools:
    """Which steps of a boundary lie on some parts of it."""
    if not parts or not isinstance(polygon, Polygon):
        return np.zeros(len(steps), dtype=bool)
    ring = polygon.exterior.coords
    lines = [crs.to_planar(shapely.LineString(ring[p["start"] : p["stop"] + 1])) for p in parts]
    middles = shapely.points(steps.mean(axis=1))
    on: Bools = np.asarray(shapely.distance(middles, shapely.union_all(lines)) < _ON_M)
    return on


def examine(context: CheckContext) -> Iterator[Finding]:
    """The boundary runs along each road that the clause names, on the named side.

    The boundary is taken in steps of 10 m. A step belongs to the nearest named road that it runs
    along: within 45° and within `AGREES_SD` (2) standard deviations of the accuracy of both.
    Steps that face a side squarely and run along no named road count against the nearest road of
    that side. A road differs when it carries no more than `CARRIED_SHARE` (75 %) of its part of
    the side, or when more than that share of what it bounds is the opposite side. It can't be
    told when it isn't located, when another line is taken in its place, when the network breaks
    off there, or when what it carries is no longer than its band of accuracy is wide.
    """
    for feature in context.of("zone", "parcel", "district"):
        if not feature.sides:
            continue
        if gap := context.gap(feature.id) or context.no_streets:
            yield unknown(feature.id, *gap, clause=feature.clause)
            continue
        rings = [
            _steps(orient(part).exterior)
            for part in shapely.get_parts(crs.to_planar(context.shapes[feature.id]))
            if isinstance(part, Polygon)
        ]
        if rings:
            yield from _sides(context, feature, np.concatenate(rings))
        else:
            yield unknown(feature.id, state(mark("not a polygon")), clause=feature.clause)


def _sides(context: CheckContext, feature: Feature, steps: Floats) -> Iterator[Finding]:
    # Length of each step and the direction that it faces: the outside lies to the right of a
    # counter-clockwise ring.
    way = steps[:, 1] - steps[:, 0]
    length = np.hypot(*way.T)
    outward = np.column_stack([way[:, 1], -way[:, 0]]) / length[:, np.newaxis]
    # The road that each step belongs to; -1 for none.
    names = list(dict.fromkeys(road for named in feature.sides.values() for road in named))
    roads = {name: _beside(context, feature, name, steps) for name in names}
    reach = np.array([np.where(r.beside, r.distance, math.inf) for r in roads.values()])
    owner = np.where(np.isfinite(reach).any(axis=0), reach.argmin(axis=0), -1)
    bridged = np.any([road.broken for road in roads.values()], axis=0)
    for side, named in feature.sides.items():
        facing = outward @ OUTWARD[side]
        distances = np.array([roads[name].distance for name in named])
        # What runs along no road may lie along one that isn't located.
        unowned = (owner < 0) & ~bridged & along(facing) & np.isfinite(distances).all()
        for k, name in enumerate(named):
            road, own = roads[name], owner == names.index(name)
            # A riser of a stair stands square to its side; only the opposite quarter contradicts.
            carried, opposite = own & (facing >= -FACING), own & (facing < -FACING)
            other = unowned & (distances.argmin(axis=0) == k)
            lengths = _Lengths(*(float(length[s].sum()) for s in (carried, opposite, other)))
            verdict = _verdict(road, lengths)
            # The steps to measure the distance at; of a road that carries nothing, all.
            seen = np.flatnonzero(carried | other if lengths.carried or lengths.other else own)
            far = road.distance[seen] if len(seen) else road.distance.min(keepdims=True)
            details = _details(context, road, lengths, verdict, float(far.max()), len(seen) > 0)
            place = None
            if len(seen):
                # The farthest step where it differs, else the one in the middle.
                step = far.argmax() if verdict == "differs" else len(seen) // 2
                place = lonlat(steps[seen[step]].mean(axis=0))
            subject = state(
                mark("{side} side, {road}: {details}"),
                side=state(SIDES[side]),
                road=context.known.shown(name),
                details=tuple(details),
            )
            yield Finding((feature.id,), verdict, (subject,), feature.clause, place, road.inferred)


def _verdict(road: _Beside, lengths: _Lengths) -> Verdict:
    if not road.located:
        return "cannot tell"
    side_m = lengths.carried + lengths.other
    if lengths.mostly_opposite or lengths.carried <= CARRIED_SHARE * side_m:
        return "differs"
    doubtful = road.stand_ins or road.gaps or lengths.carried <= 2 * road.within
    return "cannot tell" if doubtful else "ok"


def _details(
    context: CheckContext,
    road: _Beside,
    lengths: _Lengths,
    verdict: Verdict,
    far_m: float,
    touches: bool,
) -> list[Statement]:
    """What is said of a road: its place, what it carries, how far it is, what is in doubt."""
    details = [] if road.located else [state(mark("not located"))]
    if road.stand_ins:
        lines = tuple(map(context.known.shown, road.stand_ins))
        details.append(state(mark("{lines} taken in its place"), lines=lines))
    if math.isfinite(far_m):
        message = mark("the boundary runs along it for {km:.2f} km")
        details.append(state(message, km=lengths.carried / 1e3))
        if lengths.other >= _STEP_M:
            message = mark("another {km:.2f} km along no named road")
            details.append(state(message, km=lengths.other / 1e3))
        message = (
            mark("at most {far:.0f} m away ({within:.0f} m allowed)")
            if touches
            else mark("at least {far:.0f} m away ({within:.0f} m allowed)")
        )
        details.append(state(message, far=far_m, within=road.within))
    if lengths.mostly_opposite:
        details.append(state(mark("on the opposite side")))
    details += [
        state(mark("the network breaks off here for {metres:,.0f} m"), metres=gap)
        for gap in road.gaps
    ]
    if verdict == "cannot tell" and road.located and not road.stand_ins and not road.gaps:
        details.append(state(mark("not accurate enough to tell")))
    return details


_ZONE = {"zone a": rectangle(0, 0, 1, 1)}
_SIDES = {"a": {"sides": {"south": ("South Road",)}}}
RULE = Rule(
    "R10",
    mark("The named roads bound the feature on the named side"),
    examine,
    Case(
        mark("The road that a zone names for its south runs along its south edge."),
        _ZONE,
        {"South Road": ((-1, 0), (2, 0))},
        definitions=_SIDES,
    ),
    Case(
        mark("The road that a zone names for its south runs along its north edge."),
        _ZONE,
        {"South Road": ((-1, 1), (2, 1))},
        definitions=_SIDES,
    ),
)
