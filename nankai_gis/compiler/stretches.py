"""What of a ring its lines have, and what is inferred: each run in stretches of one status.

A straight line over a break lies the further off the longer the break is. Along the streets of
Tanggu the line between two points leaves the street by 1.6 % of the distance at 200 m, 2.3 % at
679 m and 3.2 % at 1 km (root mean square of the mean offset; 5.5 and 7.4 % in one case of twenty
at the last two). A break is where the map is poor, so `BREAK_SHARE` is 5 %. A street carried
straight on past its end leaves its course by 4 % at 200 m, 5.5 % at 400 m and 8 % at 1 km:
`CARRIED_SHARE` is 10 %. A line that the clause doesn't name is a hole in the clause, as long as
the line is. Over up to `nankai_gis.compiler.junction.NEAR_M` either moves a line by less than the
accuracy of mapped streets, and is none.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import shapely

from nankai_gis.compiler.confidence import LOW_ACCURACY_M
from nankai_gis.compiler.junction import NEAR_M
from nankai_gis.compiler.lines import LineSource
from nankai_gis.compiler.measured import MeasuredLine, run_accuracy, run_length
from nankai_gis.compiler.remarks import Remark, named
from nankai_gis.compiler.ring import Ring
from nankai_gis.compiler.runs import BREAK_SHARE, CARRIED_SHARE, Corner, Run, Stretch, accuracy_over
from nankai_gis.geometry.plane import Plane
from nankai_gis.plan.model import OUTWARD, Names, Status, worst

# An edge whose middle is further from the line than this doesn't lie on it, metres.
_OFF_M = 0.5
# Carriageways of one road that are further apart than one centreline allows, metres.
_APART_M = (40.0, 250.0)
# A road has two carriageways where the other one lies beside this share of its run.
_BESIDE = 0.5


def with_stretches(ring: Ring, lines: LineSource) -> Ring:
    """Return a ring whose runs know their stretches, with the doubts that follow from them."""
    plane = Plane(*ring.runs[0].vertices[0].position)
    runs, doubts = [], []
    for k, run in enumerate(ring.runs):
        line = MeasuredLine(lines[run.line], plane)
        corners = ring.corners[k - 1], ring.corners[k]
        stretched = run_in_stretches(run, line, corners)
        beside = _carriageways(stretched, line)
        if beside is not None:
            stretched = _widened(stretched, float(beside.values["metres"]) / 2)
            doubts.append(beside)
        runs.append(stretched)
        following = ring.runs[(k + 1) % len(ring.runs)]
        road = run.stands_for or ""
        replaced = lines.every(road)[0].names if road in lines else None
        doubts += _doubts(stretched, corners, ring.runs[k - 1], following, replaced)
    status = worst(run.status for run in runs)
    return replace(ring, runs=tuple(runs), status=status, doubts=tuple(doubts))


def run_in_stretches(run: Run, line: MeasuredLine, corners: tuple[Corner, Corner]) -> Run:
    """Return a run with its stretches; their accuracy and status are the run's."""
    last = len(run.vertices) - 1
    # What the definition says beyond the line's own accuracy.
    least = run.accuracy_m if run.accuracy_m > run_accuracy(run.vertices) + 0.01 else 0.0
    if run.role == "bridge":
        length = run_length(run.vertices)
        accuracy = accuracy_over(length, run.accuracy_m, BREAK_SHARE)
        stretches = [Stretch(0, last, "inferred", accuracy, length)]
    elif run.stands_for or run.accuracy_m > LOW_ACCURACY_M:
        stretches = [Stretch(0, last, "inferred", run.accuracy_m, 0.0)]
    else:
        stretches = _of_line(run, line, corners, least)
    lengths = [run_length(run.vertices[s.start : s.stop + 1]) for s in stretches]
    weighted = sum(s.accuracy_m * m for s, m in zip(stretches, lengths, strict=True))
    return replace(
        run,
        stretches=tuple(stretches),
        accuracy_m=weighted / sum(lengths) if sum(lengths) else run.accuracy_m,
        status=worst(s.status for s in stretches),
    )


def _of_line(
    run: Run, line: MeasuredLine, corners: tuple[Corner, Corner], least: float
) -> list[Stretch]:
    """The stretches of a run that follows its line, but for breaks and ends that stop short."""
    xy = line.plane.to_all(np.array([vertex.position for vertex in run.vertices]))
    middles = shapely.points((xy[1:] + xy[:-1]) / 2)
    off = [
        metres > _OFF_M for metres in np.asarray(shapely.distance(line.mapped, middles)).tolist()
    ]
    metres = np.hypot(*np.diff(xy, axis=0).T)
    # Edges that lie on no line, together; short ones are within the accuracy.
    groups = [
        (is_off, [*edges]) for is_off, edges in itertools.groupby(range(len(off)), off.__getitem__)
    ]
    gap_of: dict[int, float] = {}
    for is_off, edges in groups:
        gap = float(metres[edges].sum())
        if is_off and gap > NEAR_M:
            gap_of |= dict.fromkeys(edges, gap)
    # Neighbours of one status are one stretch.
    kinds: list[tuple[float, Status]] = [
        (gap_of[k], "inferred")
        if k in gap_of
        else (0.0, worst(vertex.status for vertex in run.vertices[k : k + 2]))
        for k in range(len(off))
    ]
    stretches = []
    for (gap, status), group in itertools.groupby(range(len(kinds)), kinds.__getitem__):
        edges = [*group]
        start, stop = edges[0], edges[-1] + 1
        vertices = run.vertices[start : stop + 1]
        if gap:
            end = (corners[0] if start == 0 else None, corners[1] if stop == len(off) else None)
            carried = any(corner is not None and corner.kind == "extended" for corner in end)
            known = min(vertices[0].accuracy_m, vertices[-1].accuracy_m)
            accuracy = accuracy_over(gap, known, CARRIED_SHARE if carried else BREAK_SHARE)
        else:
            accuracy = run_accuracy(vertices)
        stretches.append(Stretch(start, stop, status, max(accuracy, least), gap))
    return stretches


def _carriageways(run: Run, line: MeasuredLine) -> Remark | None:
    """That the road has another carriageway too far off for one centreline; None for none."""
    course = shapely.LineString([line.plane.to(vertex.position) for vertex in run.vertices])
    rest = line.mapped.difference(course.buffer(_APART_M[0] - 1, cap_style="flat"))
    if run.role != "named" or course.length < 1.0 or rest.is_empty:
        return None
    spots = course.interpolate((np.arange(20) + 0.5) / 20, normalized=True)
    ties = shapely.shortest_line(spots, rest)
    ends = shapely.get_coordinates(ties).reshape(-1, 2, 2)
    across = ends[:, 1] - ends[:, 0]
    ahead = shapely.get_coordinates(
        course.interpolate(np.minimum(course.project(spots) + 1, course.length))
    )
    ahead = ahead - ends[:, 0]
    far = np.hypot(*across.T)
    # Beside it, not behind its end.
    square = np.abs((across * ahead).sum(axis=1)) < 0.5 * far * np.maximum(np.hypot(*ahead.T), 1e-9)
    beside = square & (far > _APART_M[0]) & (far <= _APART_M[1])
    if beside.mean() < _BESIDE:
        return None
    x, y = -across[beside].mean(axis=0)
    side = max(OUTWARD, key=lambda key: x * OUTWARD[key][0] + y * OUTWARD[key][1])
    values = {"line": named(run.names), "metres": float(np.median(far[beside])), "side": side}
    return Remark("carriageways apart", values)


def _widened(run: Run, half: float) -> Run:
    """A run known no better than to half the way between its road's carriageways."""
    stretches = tuple(replace(s, accuracy_m=math.hypot(s.accuracy_m, half)) for s in run.stretches)
    return replace(run, stretches=stretches, accuracy_m=math.hypot(run.accuracy_m, half))


def _doubts(
    run: Run, corners: tuple[Corner, Corner], before: Run, following: Run, replaced: Names | None
) -> list[Remark]:
    """What is inferred of a run, as remarks."""
    line = named(run.names)
    if run.role == "bridge":
        (stretch,) = run.stretches
        joined = {"before": named(before.names), "after": named(following.names)}
        values = {"metres": stretch.gap_m, "accuracy": stretch.accuracy_m, **joined}
        return [Remark("link", {"line": line, **values})]
    if run.stands_for:
        metres = run_length(run.vertices)
        known = replaced or Names(run.stands_for, run.stands_for, run.stands_for)
        values = {"road": named(known), "metres": metres, "accuracy": run.accuracy_m}
        return [Remark("stand-in", {"line": line, **values})]
    if run.accuracy_m > LOW_ACCURACY_M and not any(s.gap_m for s in run.stretches):
        return [Remark("roughly known", {"line": line, "accuracy": run.accuracy_m})]
    doubts = []
    for stretch in run.stretches:
        if stretch.gap_m:
            values = {"line": line, "metres": stretch.gap_m, "accuracy": stretch.accuracy_m}
            first, last = stretch.start == 0, stretch.stop == len(run.vertices) - 1
            if first and corners[0].kind == "extended":
                doubts.append(Remark("end carried on", {**values, "other": named(before.names)}))
            elif last and corners[1].kind == "extended":
                doubts.append(Remark("end carried on", {**values, "other": named(following.names)}))
            else:
                doubts.append(Remark("network breaks off", values))
    return doubts


def clause_doubts(ring: Ring) -> list[Remark]:
    """What speaks against a whole ring: roads that the network lacks, other rings that fit."""
    doubts = [Remark("road missing", {"name": name}) for name in ring.missing]
    for other in ring.alternatives:
        lines = [named(names) for names in other.lines]
        doubts.append(Remark("other reading", {"lines": lines, "area": other.area_m2 / 1e6}))
    return doubts
