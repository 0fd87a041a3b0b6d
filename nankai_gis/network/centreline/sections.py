"""Stations along the strokes, and what the cross-sections there meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nankai_gis.geometry.arrays import Bools, Floats, Ints
from nankai_gis.network.centreline.strokes import ranges

# Carriageways count as parallel up to about 50 degrees between them (cosine): the bisector at a
# right-angled corner stands at 45 degrees to either leg and must still see its partner.
PARALLEL = 0.64
# The legs of a turn face each other more squarely than that (cosine): at a corner of the turn
# the bisector would see one leg from the other's end.
_FOLDED = 0.8


@dataclass
class Stations:
    """Points along the strokes of a batch of streets, in order along each stroke."""

    xy: Floats
    #: Index of the mapped vertex, -1 for a point put between two.
    vertex: Ints
    stroke: Ints
    group: Ints
    tangent: Floats
    #: Sense of traffic along the stroke on the step to the next station: 1, -1, or 0 where
    #: it runs both ways. Where direction is unknown, the sense of mapping: it only decides
    #: between several lines side by side.
    sense: Ints
    #: True where the step to the next station is known to carry both directions.
    twoway: Bools
    #: True where a step to the next station exists.
    step: Bools


def stations_along(
    xy: Floats,
    vertex: Ints,
    stroke: Ints,
    along: Ints,
    sense: Ints,
    twoway: Bools,
    group: Ints,
    spacing: float,
) -> Stations:
    """Set stations at every vertex and at most `spacing` metres apart between them."""
    # The step to the next vertex of the stroke: its length and direction.
    count = len(vertex)
    step = np.zeros(count, dtype=bool)
    step[:-1] = stroke[1:] == stroke[:-1]
    here = xy[vertex]
    nxt = np.roll(here, -1, axis=0)
    run = np.where(step[:, None], nxt - here, 0.0)
    length = np.hypot(run[:, 0], run[:, 1])
    unit = run / np.where(length > 0, length, 1.0)[:, None]
    # The tangent at a vertex is the bisector of the steps before and after it.
    before = np.roll(unit, 1, axis=0)
    opens = np.ones(count, dtype=bool)
    opens[1:] = stroke[1:] != stroke[:-1]
    before[opens] = 0.0
    tangent = before + unit
    size = np.hypot(tangent[:, 0], tangent[:, 1])
    weak = size < 1e-6
    tangent[weak] = np.where(step[weak][:, None], unit[weak], before[weak])
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-12)[:, None]
    # The coordinate from which the step is mapped tells its way.
    source = np.where(along > 0, vertex, np.maximum(vertex - 1, 0))
    # Points between the vertices take the direction of their step.
    cuts = np.where(step, np.maximum(np.ceil(length / spacing), 1), 1).astype(np.int64)
    base = np.repeat(np.arange(count), cuts)
    part = ranges(np.zeros(count, dtype=np.int64), cuts)
    share = part / cuts[base]
    inner = part > 0
    points = here[base] + run[base] * share[:, None]
    points[~inner] = here[base[~inner]]
    lean = tangent[base]
    lean[inner] = unit[base[inner]]
    return Stations(
        xy=points,
        vertex=np.where(inner, -1, vertex[base]),
        stroke=stroke[base],
        group=group[vertex][base],
        tangent=lean,
        sense=(np.where((sense == 0) & ~twoway, 1, sense)[source] * along * step)[base],
        twoway=(twoway[source] & step)[base],
        step=step[base],
    )


@dataclass
class Hits:
    """Where the cross-section at a station meets another step of the same group."""

    station: Ints
    step: Ints
    offset: Floats
    #: 1 where the step runs the station's way, -1 where against it.
    heading: Ints
    #: Where on the step, 0 to 1.
    share: Floats


def cross_sections(stations: Stations, rows: Ints, reach: float, spacing: float) -> Hits:
    """Cut the cross-sections at `rows` with the steps of the same group.

    A cross-section is a line of `reach` metres to both sides, square to the stroke.
    Steps are found through a grid, so the cost grows with the stations.
    """
    steps = rows[stations.step[rows]]
    if not len(steps):
        none = np.zeros(0, dtype=np.int64)
        return Hits(none, none, np.zeros(0), none, np.zeros(0))
    at, to = _candidates(stations, rows, steps, reach, spacing)
    # Leave out the steps that don't run side by side with the stroke.
    tx, ty = stations.tangent[rows[at]].T
    leg = stations.xy[steps[to] + 1] - stations.xy[steps[to]]
    size = np.maximum(np.hypot(leg[:, 0], leg[:, 1]), 1e-9)
    across = tx * leg[:, 0] + ty * leg[:, 1]
    keep = np.abs(across) > PARALLEL * size
    at, to, leg, size, across = at[keep], to[keep], leg[keep], size[keep], across[keep]
    tx, ty = tx[keep], ty[keep]
    station, step = rows[at], steps[to]
    # With n = (-ty, tx): solve  p + offset n = q + share leg.
    delta_x, delta_y = (stations.xy[step] - stations.xy[station]).T
    share = -(tx * delta_x + ty * delta_y) / across
    offset = tx * (delta_y + share * leg[:, 1]) - ty * (delta_x + share * leg[:, 0])
    keep = (share >= -1e-9) & (share <= 1 + 1e-9) & (np.abs(offset) <= reach)
    # Two lines that both carry traffic both ways are two streets.
    keep &= ~(stations.twoway[step] & _is_twoway(stations, station))
    # On its own stroke only a way back counts: the fold of a turning loop.
    keep &= (stations.stroke[step] != stations.stroke[station]) | (across < -_FOLDED * size)
    kept = np.flatnonzero(keep)
    kept = kept[np.lexsort((offset[kept], station[kept]))]
    station, step, offset = station[kept], step[kept], offset[kept]
    # A section through a vertex meets the steps on both sides of it: one is enough.
    twin = np.zeros(len(kept), dtype=bool)
    twin[1:] = (station[1:] == station[:-1]) & (np.diff(offset) < 0.02)
    heading = np.where(across[kept] > 0, 1, -1).astype(np.int64)
    once = ~twin
    return Hits(station[once], step[once], offset[once], heading[once], share[kept][once])


def _candidates(
    stations: Stations, rows: Ints, steps: Ints, reach: float, spacing: float
) -> tuple[Ints, Ints]:
    """Pairs of a row of `rows` and a row of `steps` that lie near enough to meet."""
    # Put the middles of the steps into a grid whose key grows with group, column and row.
    start = stations.xy[steps]
    run = stations.xy[steps + 1] - start
    cell = reach + spacing / 2
    origin = stations.xy[rows].min(axis=0) - 2 * cell
    middle = np.floor((start + run / 2 - origin) / cell).astype(np.int64)
    mine = np.floor((stations.xy[rows] - origin) / cell).astype(np.int64)
    high = int(middle[:, 1].max()) + 4
    wide = int(middle[:, 0].max()) + 4
    key = (stations.group[steps] * wide + middle[:, 0]) * high + middle[:, 1]
    order = np.argsort(key, kind="stable")
    key = key[order]
    px, py = np.ascontiguousarray(stations.xy[rows].T)
    tx, ty = np.ascontiguousarray(stations.tangent[rows].T)
    qx, qy = np.ascontiguousarray(start.T)
    left: list[Ints] = []
    right: list[Ints] = []
    for dx in (-1, 0, 1):
        # Cells of one column are neighbours in the key, so three come at one look-up.
        wanted = (stations.group[rows] * wide + mine[:, 0] + dx) * high + mine[:, 1]
        low = np.searchsorted(key, wanted - 1, side="left")
        count = np.searchsorted(key, wanted + 1, side="right") - low
        at = np.repeat(np.arange(len(rows)), count)
        to = order[ranges(low, count)]
        # Most candidates lie ahead or behind: a step that the section meets starts within
        # its own length of it.
        ahead = tx[at] * (qx[to] - px[at]) + ty[at] * (qy[to] - py[at])
        keep = np.abs(ahead) <= spacing + 1e-6
        left.append(at[keep])
        right.append(to[keep])
    return np.concatenate(left), np.concatenate(right)


def _is_twoway(stations: Stations, station: Ints) -> Bools:
    """Whether stations are known to be two-way: the step after each, before it at the end."""
    own = np.where(stations.step[station], station, np.maximum(station - 1, 0))
    return stations.twoway[own]


def cut_folds(
    stations: Stations, arc: Floats, hits: Hits, spans: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Cut strokes that turn and come back along themselves, at the turn.

    Returns the strokes, and the turns: stations between which the two legs no longer
    run side by side.
    """
    own = stations.stroke[hits.station] == stations.stroke[hits.step]
    if not own.any():
        return spans, []
    # Where a stroke sees itself: both stations, how far apart along it, and the middle there.
    station, step = hits.station[own], hits.step[own]
    there = arc[step] + hits.share[own] * (arc[step + 1] - arc[step])
    one = np.where(station <= step, station, step)
    two = np.where(station <= step, step + 1, station)
    apart = np.abs(there - arc[station])
    halfway = (there + arc[station]) / 2
    # Cut each folded stroke at its tightest turn, and what is left again.
    folded = set(stations.stroke[one].tolist())
    straight: list[tuple[int, int]] = []
    caps: list[tuple[int, int]] = []
    for span in spans:
        if int(stations.stroke[span[0]]) not in folded:
            straight.append(span)
            continue
        stack = [span]
        while stack:
            low, high = stack.pop()
            rows = np.flatnonzero((one >= low) & (two <= high))
            rows = rows[two[rows] - one[rows] > 1]
            if not len(rows):
                straight.append((low, high))
                continue
            tight = rows[np.argsort(apart[rows], kind="stable")[:8]]
            first, last = int(one[tight[0]]), int(two[tight[0]])
            middle = np.median(halfway[tight[apart[tight] < apart[tight[0]] + 60.0]])
            apex = first + int(np.argmin(np.abs(arc[first : last + 1] - middle)))
            apex = min(max(apex, low + 1), high - 1)
            caps.append((first + 1, last - 1))
            stack += [(low, apex), (apex, high)]
    return straight, caps
