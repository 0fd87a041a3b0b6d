"""What a clause says beside the names of its roads, brought to bear on the compiled ring.

An edge, a red line or a distance moves a side from the centreline of its road; what can't be
brought to bear (a section, an exclusion, words that aren't understood) is remarked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import shapely
from shapely.geometry import LineString

from nankai_gis.compiler.lines import LineSource, named_lines
from nankai_gis.compiler.remarks import Remark, named
from nankai_gis.compiler.ring import Ring, closed_ring
from nankai_gis.compiler.runs import Run, Stretch
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.plan.clauses import AreaClause, Bound
from nankai_gis.plan.model import OUTWARD, Feature, Vertex

# Half the width between red lines of a road of each class, and its standard deviation, metres:
# after the ranges that GB/T 51328-2018 gives for arterial, secondary and branch roads.
HALF_WIDTHS: Mapping[str, tuple[float, float]] = {
    "motorway": (20.0, 6.0),
    "trunk": (20.0, 6.0),
    "primary": (22.0, 4.0),
    "secondary": (14.0, 4.0),
    "tertiary": (8.5, 2.5),
    "residential": (8.5, 2.5),
}
# For a road of any other class, or of none, and for railways and rivers.
HALF_WIDTH = (10.0, 5.0)


def half_width(lines: LineSource, run: Run) -> tuple[float, float]:
    """Return half the width of a run's road and its standard deviation, metres."""
    mapped = lines.osm if isinstance(lines, MergedNetwork) else lines
    street = mapped.street_of(run.line) if isinstance(mapped, OsmNetwork) else None
    if street is not None and street.classes:
        most = max(street.classes, key=lambda key: street.classes[key])
        return HALF_WIDTHS.get(most.removesuffix("_link"), HALF_WIDTH)
    return HALF_WIDTH


def as_said(ring: Ring, feature: Feature, lines: LineSource) -> tuple[Ring, tuple[Remark, ...]]:
    """Return a ring moved as the reading of its clause says, and what is to be remarked."""
    clause = feature.said
    if clause is None:
        return ring, ()
    remarks = list(_remarks(clause))
    shifts: list[tuple[float, float]] = []
    for run in ring.runs:
        side, bound = _bound_of(run, clause, lines)
        shifts.append(_shift(run, side, bound, lines) if bound else (0.0, 0.0))
    if any(metres for metres, _ in shifts):
        moved = _moved(ring, shifts)
        for run, (metres, sd) in zip(ring.runs, shifts, strict=True):
            if metres:
                values = {"lines": [named(run.names)], "metres": abs(metres), "sd": sd}
                key = "side not moved" if moved is None else _KEYS[metres > 0]
                remarks.append(Remark(key, values))
        ring = moved or ring
    return replace(ring, in_doubt=bool(clause.unread)), tuple(remarks)


_KEYS = {True: "side moved out", False: "side moved in"}


def _remarks(clause: AreaClause) -> list[Remark]:
    """What the clause says that the ring doesn't show."""
    remarks = [
        Remark("section not used", {"name": bound.line, "section": bound.section})
        for bounds in clause.sides.values()
        for bound in bounds
        if bound.section
    ]
    for key, words in (("left out", clause.exclusions), ("not understood", clause.unread)):
        if words:
            remarks.append(Remark(key, {"words": list(words)}))
    return remarks


def _bound_of(run: Run, clause: AreaClause, lines: LineSource) -> tuple[str, Bound | None]:
    """What the clause names that a run follows, and on which side."""
    for side, bounds in clause.sides.items():
        for bound in bounds:
            if not (bound.edge or bound.offset_m):
                continue
            ids = {line.id for name in bound.names for line in named_lines(lines, name)}
            if run.line in ids:
                return side, bound
    return "", None


def _shift(run: Run, side: str, bound: Bound | None, lines: LineSource) -> tuple[float, float]:
    """How far a run moves outwards, and the standard deviation of that; metres."""
    assert bound is not None
    shift, sd = 0.0, 0.0
    if bound.edge and bound.edge != "centre":
        half, sd = half_width(lines, run)
        shift += half * _sense(bound.edge, side)
    if bound.offset_m:
        shift += bound.offset_m * _sense(bound.towards, side)
    return shift, sd


def _sense(towards: str, side: str) -> float:
    """1 for a direction that leads out of the ring over a side, -1 for one that leads in."""
    if towards in ("outer", "inner"):
        return 1.0 if towards == "outer" else -1.0
    (x, y), (a, b) = OUTWARD[towards], OUTWARD[side]
    return round(x * a + y * b)


def _moved(ring: Ring, shifts: Sequence[tuple[float, float]]) -> Ring | None:
    """The ring with each run moved outwards by its metres; None where that isn't a ring."""
    plane = Plane(*ring.runs[0].vertices[0].position)
    tracks = [
        _track([plane.to(v.position) for v in run.vertices], metres)
        for run, (metres, _) in zip(ring.runs, shifts, strict=True)
    ]
    # Where neighbours meet now: where they cross, carried on straight, nearest to the old corner.
    joints: list[Position] = []
    for k, track in enumerate(tracks):
        following, old = tracks[(k + 1) % len(tracks)], plane.to(ring.corners[k].position)
        near = 3.0 * (abs(shifts[k][0]) + abs(shifts[(k + 1) % len(tracks)][0])) + 1.0
        if near == 1.0:
            joints.append(old)
            continue
        met = LineString(_longer(track, near)).intersection(LineString(_longer(following, near)))
        spots = [tuple(spot) for spot in shapely.get_coordinates(met).tolist()]
        joints.append(min(spots, key=lambda spot: math.dist(spot, old), default=track[-1]))
    runs, corners = [], []
    for k, (run, track) in enumerate(zip(ring.runs, tracks, strict=True)):
        metres, sd = shifts[k]
        spots = _between(track, joints[k - 1], joints[k])
        runs.append(_run(run, spots, plane, sd if metres else 0.0))
        corners.append(replace(ring.corners[k], position=plane.back(joints[k])))
    closed = closed_ring(runs, corners)
    return None if closed is None else replace(ring, runs=closed.runs, corners=closed.corners)


def _track(spots: list[Position], metres: float) -> list[Position]:
    """A run's course moved to the right of it, which is out of a counter-clockwise ring."""
    if not metres:
        return spots
    curve = LineString(spots).offset_curve(-metres, join_style="mitre")
    if curve.is_empty:
        return spots
    if not isinstance(curve, LineString):
        curve = max(curve.geoms, key=lambda part: part.length)
    return [(x, y) for x, y in curve.coords]


def _longer(track: Sequence[Position], metres: float) -> list[Position]:
    """A course carried on straight at both ends."""
    ends = []
    for end, before in ((track[0], track[1]), (track[-1], track[-2])):
        length = math.dist(end, before) or 1.0
        ends.append(
            (
                end[0] + (end[0] - before[0]) / length * metres,
                end[1] + (end[1] - before[1]) / length * metres,
            )
        )
    return [ends[0], *track, ends[1]]


def _between(track: Sequence[Position], first: Position, last: Position) -> list[Position]:
    """What a course has between two joints, and the joints."""
    line = LineString(track)
    low, high = (line.project(shapely.Point(spot)) for spot in (first, last))
    inner = [spot for spot in track if low + 0.05 < line.project(shapely.Point(spot)) < high - 0.05]
    return [first, *inner, last]


def _run(run: Run, spots: Sequence[Position], plane: Plane, sd: float) -> Run:
    """A run on its new course, known less well by the standard deviation of the shift."""
    old = run.vertices
    vertices = []
    for k, spot in enumerate(spots):
        like: Vertex = old[min(k, len(old) - 1)]
        lon, lat = plane.back(spot)
        accuracy = math.hypot(like.accuracy_m, sd)
        vertices.append(replace(like, lon=lon, lat=lat, accuracy_m=accuracy))
    return replace(
        run,
        vertices=tuple(vertices),
        accuracy_m=math.hypot(run.accuracy_m, sd),
        stretches=tuple(_stretches(run, spots, plane, sd)),
    )


def _stretches(run: Run, spots: Sequence[Position], plane: Plane, sd: float) -> Iterator[Stretch]:
    """The stretches of a run on its new course: each ends at the vertex nearest to its old end."""
    start = 0
    for stretch in run.stretches:
        stop = len(spots) - 1
        if stretch is not run.stretches[-1]:
            old = plane.to(run.vertices[stretch.stop].position)
            stop = min(range(len(spots)), key=lambda k: math.dist(spots[k], old))
        if stop > start:
            accuracy = math.hypot(stretch.accuracy_m, sd)
            yield replace(stretch, start=start, stop=stop, accuracy_m=accuracy)
            start = stop
