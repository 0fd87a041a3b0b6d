"""The centreline of a street: what `nankai_gis.network.streets` does in the plane.

Ways are joined to strokes, cross-sections find the other carriageway, the middle is drawn once,
longest stroke first, and breaks between the parts are bridged within a limit. Streets come in
batches, all coordinates in one array, so that numpy's fixed costs are shared; what can be done
for a whole batch is, and only the drawing goes street by street.

Coordinates are metres in a plane; names, places and the ellipsoid stay outside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString

from nankai_gis.geometry.arrays import Bools, Floats, Ints, spread

# Carriageways count as parallel up to about 50 degrees between them: the bisector at a
# right-angled corner stands at 45 degrees to either leg and must still see its partner.
_PARALLEL = 0.64
# The legs of a turn face each other more squarely than that: at a corner of the turn the
# bisector would see one leg from the other's end.
_FOLDED = 0.8
# A pair once seen is held while it widens to this share of the limit.
_HOLD = 1.3
# A bend sharper than this isn't "straight on" at a branch.
_STRAIGHT = np.cos(np.radians(70.0))


# --------------------------------------------------------------------------- strokes


@dataclass
class _Stations:
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


def _expand(first: Ints, count: Ints) -> Ints:
    """Concatenate the ranges ``first[i] .. first[i] + count[i]``."""
    row, number = spread(count)
    return first[row] + number


def _segments(lonlat: Floats, way: Ints, group: Ints) -> tuple[Ints, Bools]:
    """Number the vertices of each group and mark the steps that count.

    A step leads from coordinate k to k + 1 of the same way; a zero step doesn't count,
    nor does one that an earlier way of the group has between the same vertices.
    """
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0], group))
    ordered, grouped = lonlat[order], group[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1) | (grouped[1:] != grouped[:-1])
    node = np.empty(len(order), dtype=np.int64)
    node[order] = np.cumsum(fresh) - 1
    valid = np.zeros(len(order), dtype=bool)
    valid[:-1] = (way[1:] == way[:-1]) & (node[1:] != node[:-1])
    index = np.flatnonzero(valid)
    low = np.minimum(node[index], node[index + 1])
    high = np.maximum(node[index], node[index + 1])
    order = np.lexsort((high, low))
    again = np.zeros(len(index), dtype=bool)
    again[1:] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    valid[index[order[again]]] = False
    return node, valid


def _strokes(xy: Floats, node: Ints, valid: Bools, group: Ints) -> tuple[Ints, Ints, Ints]:
    """Join the steps to strokes.

    Returns
    -------
    vertex : ndarray of int64
        Coordinate indices along the strokes.
    stroke : ndarray of int64
        Number of the stroke per vertex.
    along : ndarray of int64
        1 where the step to the next vertex runs as mapped, -1 where against it.
    """
    steps = np.flatnonzero(valid)
    if not len(steps):
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    size = int(node.max()) + 1
    degree = np.bincount(node[steps], minlength=size) + np.bincount(node[steps + 1], minlength=size)
    head = np.ones(len(steps), dtype=bool)
    head[1:] = (np.diff(steps) != 1) | (degree[node[steps[1:]]] != 2)
    heads = np.flatnonzero(head)
    first = steps[heads]
    last = steps[np.append(heads[1:], len(steps)) - 1] + 1
    pieces = len(first)
    # Ends: 2p is the first vertex of piece p, 2p + 1 its last.
    at = np.column_stack((first, last)).ravel()
    place = node[at]
    order = np.argsort(place, kind="stable")
    bounds = np.flatnonzero(np.diff(place[order])) + 1
    starts = np.concatenate(([0], bounds))
    sizes = np.diff(np.append(starts, len(order)))
    mate = np.full(2 * pieces, -1, dtype=np.int64)
    pairs = starts[sizes == 2]
    mate[order[pairs]] = order[pairs + 1]
    mate[order[pairs + 1]] = order[pairs]
    for start, count in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):
        _straight_on(order[start : start + count], first, last, xy, mate)
    links = mate.tolist()
    seen = bytearray(pieces)
    chain: list[int] = []
    flip: list[int] = []
    number: list[int] = []
    count = 0
    loose = [end for end in range(2 * pieces) if links[end] < 0]
    for entry in [*loose, *range(0, 2 * pieces, 2)]:
        end = entry
        if seen[end >> 1]:
            continue
        while end >= 0 and not seen[end >> 1]:
            seen[end >> 1] = 1
            chain.append(end >> 1)
            flip.append(-1 if end & 1 else 1)
            number.append(count)
            end = links[end ^ 1]
        count += 1
    piece, turn, stroke_of_piece = np.array(chain), np.array(flip), np.array(number)
    # Closed strokes were found last: put them with their street.
    order = np.argsort(group[first[piece]], kind="stable")
    piece, turn, stroke_of_piece = piece[order], turn[order], stroke_of_piece[order]
    stroke_of_piece = np.cumsum(np.append(0, np.diff(stroke_of_piece) != 0))
    lengths = last[piece] - first[piece]
    # Each piece gives its steps' first vertices; the stroke's last vertex follows.
    closing = np.append(np.diff(stroke_of_piece) != 0, True)
    emit = lengths + closing
    begin = np.where(turn > 0, first[piece], last[piece])
    offset = _expand(np.zeros(len(piece), dtype=np.int64), emit)
    vertex = np.repeat(begin, emit) + offset * np.repeat(turn, emit)
    return vertex, np.repeat(stroke_of_piece, emit), np.repeat(turn, emit)


def _straight_on(ends: Ints, first: Ints, last: Ints, xy: Floats, mate: Ints) -> None:
    """Pair the piece ends at a branch so that each runs on as straight as it can."""
    away = np.empty((len(ends), 2))
    for row, end in enumerate(ends.tolist()):
        path = xy[int(first[end >> 1]) : int(last[end >> 1]) + 1]
        # Look some way along, so that a kink at the very node doesn't decide.
        away[row] = -_outward(path[::-1] if end & 1 else path, 20.0)
    cosine = -(away @ away.T)
    rows, columns = np.triu_indices(len(ends), 1)
    good = cosine[rows, columns] > _STRAIGHT
    rows, columns = rows[good], columns[good]
    for pick in np.argsort(-cosine[rows, columns], kind="stable"):
        one, two = ends[rows[pick]], ends[columns[pick]]
        if mate[one] < 0 and mate[two] < 0:
            mate[one], mate[two] = two, one


def _outward(xy: Floats, reach: float) -> Floats:
    """Direction in which a line runs out at its first vertex, over its first metres."""
    away = np.hypot(*(xy - xy[0]).T)
    far = away > reach
    tip = int(far.argmax()) if far.any() else int(away.argmax())
    return cast("Floats", (xy[0] - xy[tip]) / max(float(away[tip]), 1e-9))


def _stations(
    xy: Floats,
    vertex: Ints,
    stroke: Ints,
    along: Ints,
    sense: Ints,
    twoway: Bools,
    group: Ints,
    spacing: float,
) -> _Stations:
    """Set stations at every vertex and at most `spacing` metres apart between them."""
    count = len(vertex)
    step = np.zeros(count, dtype=bool)
    step[:-1] = stroke[1:] == stroke[:-1]
    here = xy[vertex]
    nxt = np.roll(here, -1, axis=0)
    run = np.where(step[:, None], nxt - here, 0.0)
    length = np.hypot(run[:, 0], run[:, 1])
    unit = run / np.where(length > 0, length, 1.0)[:, None]
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
    cuts = np.where(step, np.maximum(np.ceil(length / spacing), 1), 1).astype(np.int64)
    base = np.repeat(np.arange(count), cuts)
    part = _expand(np.zeros(count, dtype=np.int64), cuts)
    share = part / cuts[base]
    inner = part > 0
    points = here[base] + run[base] * share[:, None]
    points[~inner] = here[base[~inner]]
    lean = tangent[base]
    lean[inner] = unit[base[inner]]
    return _Stations(
        xy=points,
        vertex=np.where(inner, -1, vertex[base]),
        stroke=stroke[base],
        group=group[vertex][base],
        tangent=lean,
        sense=(np.where((sense == 0) & ~twoway, 1, sense)[source] * along * step)[base],
        twoway=(twoway[source] & step)[base],
        step=step[base],
    )


# --------------------------------------------------------------------------- sections


@dataclass
class _Hits:
    """Where the cross-section at a station meets another step of the same group."""

    station: Ints
    step: Ints
    offset: Floats
    #: 1 where the step runs the station's way, -1 where against it.
    heading: Ints
    #: Where on the step, 0 to 1.
    share: Floats


def _sections(stations: _Stations, rows: Ints, reach: float, spacing: float) -> _Hits:
    """Cut the cross-sections at `rows` with the steps of the same group.

    A cross-section is a line of `reach` metres to both sides, square to the stroke.
    Steps are found through a grid, so the cost grows with the stations.
    """
    steps = rows[stations.step[rows]]
    if not len(steps):
        none = np.zeros(0, dtype=np.int64)
        return _Hits(none, none, np.zeros(0), none, np.zeros(0))
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
    lx, ly = np.ascontiguousarray(run.T)
    left: list[Ints] = []
    right: list[Ints] = []
    for dx in (-1, 0, 1):
        # Cells of one column are neighbours in the key, so three come at one look-up.
        wanted = (stations.group[rows] * wide + mine[:, 0] + dx) * high + mine[:, 1]
        low = np.searchsorted(key, wanted - 1, side="left")
        top = np.searchsorted(key, wanted + 1, side="right")
        count = top - low
        at = np.repeat(np.arange(len(rows)), count)
        to = order[_expand(low, count)]
        # Most candidates lie ahead or behind: a step that the section meets starts within
        # its own length of it.
        ahead = tx[at] * (qx[to] - px[at]) + ty[at] * (qy[to] - py[at])
        keep = np.abs(ahead) <= spacing + 1e-6
        left.append(at[keep])
        right.append(to[keep])
    at = np.concatenate(left)
    to = np.concatenate(right)
    # With n = (-ty, tx): solve  p + t n = q + v leg.
    across = tx[at] * lx[to] + ty[at] * ly[to]
    keep = np.abs(across) > _PARALLEL * np.maximum(np.hypot(lx, ly), 1e-9)[to]
    at, to, across = at[keep], to[keep], across[keep]
    delta_x, delta_y = qx[to] - px[at], qy[to] - py[at]
    share = -(tx[at] * delta_x + ty[at] * delta_y) / across
    offset = tx[at] * (delta_y + share * ly[to]) - ty[at] * (delta_x + share * lx[to])
    station, step = rows[at], steps[to]
    keep = (share >= -1e-9) & (share <= 1 + 1e-9) & (np.abs(offset) <= reach)
    keep &= ~(stations.twoway[step] & _flag(stations, station))
    # On its own stroke only a way back counts: the fold of a turning loop.
    size = np.hypot(lx, ly)[to]
    keep &= (stations.stroke[step] != stations.stroke[station]) | (across < -_FOLDED * size)
    kept = np.flatnonzero(keep)
    kept = kept[np.lexsort((offset[kept], station[kept]))]
    station, step, offset = station[kept], step[kept], offset[kept]
    # A section through a vertex meets the steps on both sides of it: one is enough.
    twin = np.zeros(len(kept), dtype=bool)
    twin[1:] = (station[1:] == station[:-1]) & (np.diff(offset) < 0.02)
    heading = np.where(across[kept] > 0, 1, -1).astype(np.int64)
    once = ~twin
    return _Hits(station[once], step[once], offset[once], heading[once], share[kept][once])


def _flag(stations: _Stations, station: Ints) -> Bools:
    """Two-way as known from the step after the station, or before it at the end."""
    own = np.where(stations.step[station], station, np.maximum(station - 1, 0))
    return stations.twoway[own]


# --------------------------------------------------------------------------- collapse


@dataclass
class Lines:
    """A collapsed street in the planar frame: rows of x, y and the vertex kept (or -1)."""

    parts: list[Floats]
    #: Planar metres that stand for more than one carriageway.
    dual: float
    #: Breaks: both sides, and whether a part of `parts` closes it.
    gaps: list[tuple[Floats, Floats, bool]]


@dataclass(eq=False)
class CentrelineBuilder:
    """Collapses the strokes of one street, longest first."""

    at: _Stations
    node: Ints
    arc: Floats
    hits: _Hits
    spans: list[tuple[int, int]]
    caps: Bools
    consumed: Bools
    separation: float
    gap: float
    spacing: float

    def __post_init__(self) -> None:
        self.parts: list[Floats] = []
        self.lines: list[LineString] = []
        self.dual = 0.0
        self.spans.sort(key=lambda span: self.arc[span[0]] - self.arc[span[1]])
        self.placed: set[int] = set()
        self.ends: dict[int, list[int]] = defaultdict(list)
        for number, (low, high) in enumerate(self.spans):
            self.ends[int(self.node[low])].append(number)
            self.ends[int(self.node[high])].append(number)
        # Which stroke a hit's step belongs to, after folds were cut.
        lows = np.array([low for low, _ in self.spans])
        self.by_low = np.argsort(lows)
        self.lows = lows[self.by_low]

    def weave(self) -> tuple[list[Floats], float]:
        """Return the parts and the planar length that stands for two or more."""
        for number, (low, high) in enumerate(self.spans):
            free = ~self.consumed[low : high + 1]
            if not free.any():
                continue
            edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(int)))
            for first, stop in zip(edges[0::2], edges[1::2], strict=True):
                self._run(number, low + int(first), low + int(stop) - 1)
        return self.parts, self.dual

    # -- one run of stations that no centreline stands for yet

    def _run(self, number: int, first: int, last: int) -> None:
        low, high = self.spans[number]
        before, after = first > low, last < high
        index = np.arange(first - before, last + after + 1)
        xy = self.at.xy[index]
        arc = self.arc[index]
        anchors = [
            self._anchor(index, 0, before, first),
            self._anchor(index, -1, after, last),
        ]
        if self._absorbed(index[before : len(index) - after], arc, anchors):
            self.consumed[first : last + 1] = True
            return
        partner, shift = self._partners(number, first, last)
        known = np.zeros(len(index), dtype=bool)
        push = np.zeros((len(index), 2))
        body = slice(int(before), len(index) - after)
        known[body] = partner
        push[body] = shift
        known, push = self._pin(number, index, known, push, partner, first, last)
        self._settle(arc, index, known, push)
        keep = self._trim(index, partner, push, anchors, body)
        known &= keep
        lead: list[Floats | None] = [None, None]
        for side, anchor in enumerate(anchors):
            if anchor is None:
                continue
            foot, parallel, home, where = anchor
            row = 0 if side == 0 else -1
            point = self._tie(home, where, foot)
            gone = point[:2] - xy[row]
            if parallel:
                # The run may start a little short of the end it goes on from.
                lean = self.at.tangent[index[row]]
                gone = gone - float(gone @ lean) * lean
                known[row], push[row] = True, gone
                lead[side] = point
            elif np.hypot(*gone) > 1e-9:
                known[row], push[row] = True, 0.0
                lead[side] = point
            else:
                known[row], push[row] = True, 0.0
        paired = known.copy()
        push, held = self._spread(arc, known, push)
        dual = np.zeros(len(index), dtype=bool)
        dual[body] = partner
        if partner.any():
            # A pair reaches on to where the next station would have seen it end.
            inside = np.flatnonzero(dual)
            reach = (arc >= arc[inside[0]] - self.spacing) & (arc <= arc[inside[-1]] + self.spacing)
            dual |= held & reach
        line = self._draw(index, push, dual, paired, anchors, lead, keep)
        if push.any() and not self._holds(line, index):
            # Too tangled to shift: keep it as mapped.
            push = np.zeros_like(push)
            dual[:] = False
            anchors = [anchor and (anchor[0], False, *anchor[2:]) for anchor in anchors]
            keep[:] = True
            line = self._draw(index, push, dual, paired, anchors, lead, keep)
        self._add(line)
        self.dual += self._dual_length(index, push, dual & keep)
        self.consumed[first : last + 1] = True
        self.placed.update(self.node[index].tolist())
        if partner.any():
            self._consume(index[dual])

    def _anchor(
        self, index: Ints, row: int, consumed: bool, station: int
    ) -> tuple[Floats, bool, int, float] | None:
        """Find where the run's end meets what is drawn: foot, parallel, part, distance along."""
        if not self.lines:
            return None
        if not consumed and int(self.node[station]) not in self.placed:
            return None
        here = self.at.xy[index[row]]
        point = shapely.Point(here)
        away = shapely.distance(np.array(self.lines), point)
        home = int(np.argmin(away))
        line = self.lines[home]
        where = float(shapely.line_locate_point(line, point))
        parallel = consumed
        if consumed and not line.is_closed:
            # A run that goes on past the end of what is drawn goes on from that end.
            near = 1.5 * self.spacing
            ends = [0.0, float(line.length)]
            for end in ends:
                if abs(where - end) <= near and self._beyond(line, end, index, row):
                    where = end
        foot = shapely.get_coordinates(shapely.line_interpolate_point(line, where))[0]
        if not consumed:
            step = min(5.0, line.length / 2)
            low = max(0.0, where - step)
            high = min(line.length, where + step)
            a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [low, high]))
            lean = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
            parallel = abs(float(lean @ self._leaving(index, row))) > _PARALLEL
        return foot, parallel, home, where

    def _leaving(self, index: Ints, row: int) -> Floats:
        """Direction in which the run leaves its end."""
        return -_outward(self.at.xy[index if row == 0 else index[::-1]], 20.0)

    def _beyond(self, line: LineString, end: float, index: Ints, row: int) -> bool:
        """Whether the run leads away past this end of the line, not back along it."""
        step = min(20.0, line.length)
        inner = abs(end - step) if end == 0.0 else end - step
        a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [inner, end]))
        lean = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
        return float(lean @ self._leaving(index, row)) > _PARALLEL

    def _absorbed(
        self,
        run: Ints,
        arc: Floats,
        anchors: Sequence[tuple[Floats, bool, int, float] | None],
    ) -> bool:
        """Whether the run only links what the centreline already stands for."""
        tied = [anchor for anchor in anchors if anchor is not None]
        if not tied:
            return False
        length = float(arc[-1] - arc[0])
        xy = self.at.xy[run]
        off = []
        for anchor, station in zip(anchors, (run[0], run[-1]), strict=True):
            if anchor is not None:
                off.append(float(np.hypot(*(anchor[0] - self.at.xy[station]))))
        sides = [value > 0.5 for value in off]
        if not any(sides):
            return False
        drawn = self.lines[0] if len(self.lines) == 1 else MultiLineString(self.lines)
        far = float(np.max(shapely.distance(drawn, np.asarray(shapely.points(xy)))))
        if len(tied) == 2:
            return length <= 4 * self.separation and far <= self.separation
        return far <= min(max(off) + 2.0, self.separation)

    def _partners(self, number: int, first: int, last: int) -> tuple[Bools, Floats]:
        """Find the stations that see another carriageway, and the way to the middle."""
        count = last - first + 1
        partner = np.zeros(count, dtype=bool)
        shift = np.zeros((count, 2))
        hits = self.hits
        begin, stop = np.searchsorted(hits.station, [first, last + 1])
        if begin == stop:
            return partner, shift
        low, high = self.spans[number]
        step = hits.step[begin:stop]
        open_ = ~(self.consumed[step] & self.consumed[step + 1])
        open_ &= (step < low) | (step >= high)
        rows = np.flatnonzero(open_) + begin
        if not len(rows):
            return partner, shift
        at = hits.station[rows] - first
        offset = hits.offset[rows]
        near = np.abs(offset) <= self.separation
        strong = np.zeros(count, dtype=bool)
        strong[at[near]] = True
        weak = np.zeros(count, dtype=bool)
        weak[at] = True
        weak &= ~strong
        partner |= strong
        if weak.any() and strong.any():
            # Held while it widens a little, if the pair closes up again on both sides.
            edges = np.flatnonzero(np.diff(np.concatenate(([False], weak, [False])).astype(int)))
            for head, tail in zip(edges[0::2], edges[1::2], strict=True):
                if head > 0 and tail < count and strong[head - 1] and strong[tail]:
                    partner[head:tail] = True
        use = partner[at] & (near | ~strong[at])
        rows, at, offset = rows[use], at[use], offset[use]
        if not len(rows):
            return partner, shift
        opens = np.flatnonzero(np.concatenate(([True], at[1:] != at[:-1])))
        least = np.minimum(np.minimum.reduceat(offset, opens), 0.0)
        most = np.maximum(np.maximum.reduceat(offset, opens), 0.0)
        middle = (least + most) / 2
        counts = np.diff(np.append(opens, len(at)))
        for row in np.flatnonzero(counts > 1):
            section = rows[opens[row] : opens[row] + counts[row]]
            inner = self._innermost(first + int(at[opens[row]]), section)
            if inner is not None:
                middle[row] = inner
        normal = self.at.tangent[first + at[opens]][:, ::-1] * (-1.0, 1.0)
        shift[at[opens]] = normal * middle[:, None]
        return partner, shift

    def _innermost(self, station: int, section: Ints) -> float | None:
        """Middle between the two nearest lines of opposite traffic, where that is known."""
        own = station if self.at.step[station] else station - 1
        lines = [(0.0, int(self.at.sense[own]))]
        for row in section.tolist():
            sense = int(self.hits.heading[row] * self.at.sense[self.hits.step[row]])
            lines.append((float(self.hits.offset[row]), sense))
        lines.sort()
        lines = [line for line in lines if line[1]]
        best: tuple[float, float] | None = None
        for (left, one), (right, two) in pairwise(lines):
            if one != two and (best is None or right - left < best[0]):
                best = (right - left, (left + right) / 2)
        return None if best is None else best[1]

    def _pin(
        self,
        number: int,
        index: Ints,
        known: Bools,
        push: Floats,
        partner: Bools,
        first: int,
        last: int,
    ) -> tuple[Bools, Floats]:
        """Hold the centreline to the nodes where a paired carriageway joins this one."""
        if not partner.any():
            return known, push
        begin, stop = np.searchsorted(self.hits.station, [first, last + 1])
        step = self.hits.step[begin:stop]
        where = self.hits.station[begin:stop]
        seen_at: dict[int, Floats] = {}
        label = self.by_low[np.searchsorted(self.lows, step, side="right") - 1]
        for other in np.unique(label).tolist():
            seen_at[other] = self.arc[where[label == other]]
        wide = np.abs(self.hits.offset[begin:stop]) > 1.0
        nodes = self.node[index]
        for row in np.flatnonzero((self.at.vertex[index] >= 0) | np.isin(nodes, list(self.ends))):
            for other in self.ends.get(int(nodes[row]), ()):
                if other == number or other not in seen_at:
                    continue
                distance = np.abs(seen_at[other] - self.arc[index[row]]).min()
                # A slip road that leaves one carriageway of a pair doesn't draw the middle.
                paired = wide & (where == index[row]) & (label != other)
                if distance <= 4 * self.separation and not paired.any():
                    known[row], push[row] = True, 0.0
        return known, push

    def _trim(
        self,
        index: Ints,
        partner: Bools,
        push: Floats,
        anchors: Sequence[tuple[Floats, bool, int, float] | None],
        body: slice,
    ) -> Bools:
        """Leave out a loose end that only crosses over to the other carriageway."""
        keep = np.ones(len(index), dtype=bool)
        inside = np.flatnonzero(partner) + body.start
        if len(inside) < 2:
            return keep
        xy = self.at.xy[index]
        for side, (row, inner) in enumerate((inside[:2].tolist(), inside[:-3:-1].tolist())):
            tail = slice(0, row) if side == 0 else slice(row + 1, len(index))
            if anchors[side] is not None or tail.start >= tail.stop:
                continue
            half = float(np.hypot(*push[inner]))
            over = (xy[tail] - xy[row]) @ (push[inner] / max(half, 1e-9))
            last = float(over[0 if side == 0 else -1])
            if half > 1.0 and 1.3 * half < last < 2.7 * half:
                keep[tail] = over < 0.3 * half
                # The corner stays, and the middle runs up to it.
                self.caps[index[tail]] = False
        return keep

    def _settle(self, arc: Floats, index: Ints, known: Bools, push: Floats) -> None:
        """Forget the push about a sudden change, so that the middle moves over smoothly.

        The middle jumps where a third line begins or ends beside a pair.
        """
        spots = np.flatnonzero(known)
        if len(spots) < 3:
            return
        lean = self.at.tangent[index[spots]]
        middle = push[spots, 1] * lean[:, 0] - push[spots, 0] * lean[:, 1]
        jump = np.abs(np.diff(middle))
        sudden = (jump > 0.5 * np.diff(arc[spots])) & (jump > 2.0)
        # Where the carriageways meet in a node they may do so bluntly.
        apart = np.abs(middle) > 1.0
        sudden = np.flatnonzero(sudden & apart[1:] & apart[:-1])
        drop = np.zeros(len(spots), dtype=bool)
        place = arc[spots]
        for row in sudden.tolist():
            reach = 3.0 * float(jump[row])
            drop |= (place > place[row] - reach) & (place < place[row + 1] + reach)
        drop[[0, -1]] = False
        drop &= apart
        known[spots[drop]] = False
        push[spots[drop]] = 0.0

    def _spread(self, arc: Floats, known: Bools, push: Floats) -> tuple[Floats, Bools]:
        """Carry the push over stations that see no partner, or let it fade out."""
        spots = np.flatnonzero(known)
        held = known.copy()
        if not len(spots) or not push[spots].any():
            return np.zeros_like(push), held
        knots, values = [arc[spots]], [push[spots]]
        # Between two stations that know, before the first and after the last: the room to carry
        # the push over, or where that is too much, the room for it to run out in on either side.
        between = [(int(one), int(two)) for one, two in pairwise(spots) if two - one > 1]
        between += [(-1, int(spots[0])), (int(spots[-1]), -1)]
        for one, two in between:
            low, high = max(one, 0), two if two >= 0 else len(arc) - 1
            room = float(arc[high] - arc[low])
            loose = one < 0 or two < 0
            if room <= (2 * self.separation if loose else max(self.gap, 4 * self.separation)):
                held[low : high + 1] = True
                continue
            for spot, sense in ((one, 1.0), (two, -1.0)):
                if spot >= 0:
                    reach = max(2 * self.separation, 8 * float(np.hypot(*push[spot])))
                    knots.append(arc[[spot]] + sense * min(reach, room if loose else room / 2))
                    values.append(np.zeros((1, 2)))
        where, table = np.concatenate(knots), np.vstack(values)
        order = np.argsort(where, kind="stable")
        out = np.column_stack([np.interp(arc, where[order], table[order, k]) for k in (0, 1)])
        return out, held

    def _draw(
        self,
        index: Ints,
        push: Floats,
        dual: Bools,
        known: Bools,
        anchors: Sequence[tuple[Floats, bool, int, float] | None],
        lead: Sequence[Floats | None],
        wanted: Bools,
    ) -> Floats:
        """Shift the run to the middle; drop what only sampling put there."""
        xy = self.at.xy[index]
        vertex = self.at.vertex[index]
        moved = (push != 0.0).any(axis=1)
        line = np.column_stack((xy + push, np.where(moved, -1, vertex)))
        if (xy[0] == xy[-1]).all() and len(xy) > 2:
            line[-1] = line[0]
        for side, point in enumerate(lead):
            anchor = anchors[side]
            if point is None or anchor is None:
                continue
            row = 0 if side == 0 else -1
            if anchor[1]:
                line[row] = point
        if not moved.any():
            keep = vertex >= 0
            keep[[0, -1]] = True
            line = line[keep]
        else:
            keep = (vertex >= 0) | moved
            near = moved.copy()
            near[1:] |= moved[:-1]
            near[:-1] |= moved[1:]
            keep |= near & known
            if dual.any():
                keep &= ~self.caps[index]
            keep[[0, -1]] = True
            keep &= wanted
            left = np.flatnonzero(keep)
            back = left[_backward(line[left], moved[left], self.at.tangent[index[left]])]
            closed = bool((line[0, :2] == line[-1, :2]).all())
            fixed = [closed or lead[0] is not None, closed or lead[1] is not None]
            keep[back[~np.isin(back, np.array([0, len(line) - 1])[fixed])]] = False
            line = _thin(line[keep], moved[keep])
        rows = [line]
        for side, (point, anchor) in enumerate(zip(lead, anchors, strict=True)):
            if point is not None and anchor is not None and not anchor[1]:
                # A branch is carried on square from its node to the middle.
                rows.insert(0 if side == 0 else len(rows), point[None, :])
        return np.vstack(rows)

    def _holds(self, line: Floats, index: Ints) -> bool:
        """Whether the line stays within the limit of what it stands for."""
        run = np.hypot(*np.diff(line[:, :2], axis=0).T)
        if not run.any():
            return False
        drawn = LineString(line[:, :2])
        shapely.prepare(drawn)
        return bool(
            np.all(shapely.dwithin(drawn, shapely.points(self.at.xy[index]), self.separation))
        )

    def _dual_length(self, index: Ints, push: Floats, dual: Bools) -> float:
        run = np.hypot(*np.diff(self.at.xy[index] + push, axis=0).T)
        return float(np.sum(run[dual[1:] & dual[:-1]]))

    def _tie(self, home: int, where: float, foot: Floats) -> Floats:
        """Give the part a vertex at the foot, so that the parts touch in a vertex."""
        part: Floats = self.parts[home]
        away = np.hypot(part[:, 0] - foot[0], part[:, 1] - foot[1])
        best = int(np.argmin(away))
        if away[best] < 0.05:
            return cast("Floats", part[best])
        run = np.hypot(*np.diff(part[:, :2], axis=0).T)
        row = int(np.searchsorted(np.cumsum(run), where))
        point = np.array([foot[0], foot[1], -1.0])
        self.parts[home] = np.insert(part, min(row + 1, len(part) - 1), point, axis=0)
        self.lines[home] = LineString(self.parts[home][:, :2])
        return point

    def _add(self, line: Floats) -> None:
        run = np.hypot(*np.diff(line[:, :2], axis=0).T)
        line = line[np.concatenate(([True], run > 0))]
        if len(line) > 1:
            self.parts.append(line)
            self.lines.append(LineString(line[:, :2]))

    def _consume(self, drawn: Ints) -> None:
        """Mark the stations for which the line just drawn stands as well."""
        low = min(span[0] for span in self.spans)
        high = max(span[1] for span in self.spans)
        begin, stop = np.searchsorted(self.hits.station, [low, high + 1])
        station = self.hits.station[begin:stop]
        step = self.hits.step[begin:stop]
        near = np.abs(self.hits.offset[begin:stop]) <= self.separation * _HOLD
        mark = np.zeros(high - low + 2, dtype=bool)
        mark[drawn - low] = True
        line = self.lines[-1]
        shapely.prepare(line)
        limit = self.separation
        for _ in range(4):
            touch = near & (mark[step - low] | mark[step + 1 - low])
            fresh = np.unique(station[touch & ~self.consumed[station]])
            if not len(fresh):
                return
            close = shapely.dwithin(line, shapely.points(self.at.xy[fresh]), limit)
            fresh = fresh[close]
            if not len(fresh):
                return
            self.consumed[fresh] = True
            self.placed.update(self.node[fresh].tolist())
            mark[fresh - low] = True


def _backward(line: Floats, moved: Bools, lean: Floats) -> Ints:
    """Rows at which a shifted line runs back, against the street.

    A segment of a few centimetres may point anywhere, and what is square to it is shifted back.
    """
    step = np.diff(line[:, :2], axis=0)
    against = ((step * lean[1:]).sum(axis=1) < 0) & ((step * lean[:-1]).sum(axis=1) < 0)
    rows = np.flatnonzero(against & moved[1:] & moved[:-1]) + 1
    # At its start a line keeps the second vertex, as it keeps the last but one at its end.
    rows[rows == 1] = 0
    return cast("Ints", rows)


def _thin(line: Floats, moved: Bools) -> Floats:
    """Drop shifted points that lie within 5 cm of the line through the rest."""
    keep = np.ones(len(line), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], moved, [False])).astype(int)))
    for first, stop in zip(edges[0::2], edges[1::2], strict=True):
        low, high = max(first - 1, 0), min(stop + 1, len(line))
        if high - low < 3:
            continue
        piece = line[low:high]
        rows = np.arange(len(piece), dtype=np.float64)
        slim = shapely.simplify(
            LineString(np.column_stack((piece[:, :2], rows))), 0.05, preserve_topology=False
        )
        left = shapely.get_coordinates(slim, include_z=True)[:, 2].astype(int)
        drop = np.ones(len(piece), dtype=bool)
        drop[left] = False
        drop &= moved[low:high]
        keep[low:high] &= ~drop
    return line[keep]


def _cut_folds(
    stations: _Stations, arc: Floats, hits: _Hits, spans: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Cut strokes that turn and come back along themselves, at the turn.

    Returns the strokes, and the turns: stations between which the two legs no longer
    run side by side.
    """
    own = stations.stroke[hits.station] == stations.stroke[hits.step]
    if not own.any():
        return spans, []
    station, step = hits.station[own], hits.step[own]
    there = arc[step] + hits.share[own] * (arc[step + 1] - arc[step])
    one = np.where(station <= step, station, step)
    two = np.where(station <= step, step + 1, station)
    apart = np.abs(there - arc[station])
    halfway = (there + arc[station]) / 2
    folded = set(stations.stroke[one].tolist())
    out: list[tuple[int, int]] = []
    caps: list[tuple[int, int]] = []
    for span in spans:
        if int(stations.stroke[span[0]]) not in folded:
            out.append(span)
            continue
        stack = [span]
        while stack:
            low, high = stack.pop()
            rows = np.flatnonzero((one >= low) & (two <= high))
            rows = rows[two[rows] - one[rows] > 1]
            if not len(rows):
                out.append((low, high))
                continue
            tight = rows[np.argsort(apart[rows], kind="stable")[:8]]
            first, last = int(one[tight[0]]), int(two[tight[0]])
            middle = np.median(halfway[tight[apart[tight] < apart[tight[0]] + 60.0]])
            apex = first + int(np.argmin(np.abs(arc[first : last + 1] - middle)))
            apex = min(max(apex, low + 1), high - 1)
            caps.append((first + 1, last - 1))
            stack += [(low, apex), (apex, high)]
    return out, caps


def collapse(
    lonlat: Floats,
    xy: Floats,
    way: Ints,
    group: Ints,
    sense: Ints,
    twoway: Bools,
    *,
    separation: float,
    gap: float,
) -> tuple[list[Lines], Bools]:
    """Collapse a batch of streets.

    Parameters
    ----------
    lonlat, xy : ndarray, shape (n, 2)
        Coordinates of all ways, one after the other; `xy` in metres.
    way, group : ndarray of int64, shape (n,)
        Way and street (0, 1, 2, ...) of each coordinate, both ascending.
    sense : ndarray of int64
        Direction of traffic per coordinate: 1 as mapped, -1 against, 0 both or unknown.
    twoway : ndarray of bool
        Where traffic is known to run both ways.
    separation, gap : float
        Limits in metres.

    Returns
    -------
    lines : list of Lines
        One per street.
    valid : ndarray of bool
        Steps (coordinate k to k + 1) that count.
    """
    groups = int(group[-1]) + 1 if len(group) else 0
    spacing = float(np.clip(separation / 2, 2.5, 15.0))
    node, valid = _segments(lonlat, way, group)
    vertex, stroke, along = _strokes(xy, node, valid, group)
    lines = [Lines([], 0.0, []) for _ in range(groups)]
    if not len(vertex):
        return lines, valid
    vertex, along = _open_at_tip(vertex, stroke, along, xy)
    strokes = int(stroke[-1]) + 1
    opens = np.searchsorted(stroke, np.arange(strokes))
    closes = np.append(opens[1:], len(stroke)) - 1
    owner = group[vertex[opens]]
    # A street of one stroke that can't fold back on itself is its own centreline.
    per_group = np.bincount(owner, minlength=groups)
    divided = np.zeros(strokes, dtype=bool)
    np.logical_or.at(divided, stroke, ~twoway[vertex])
    busy = (per_group[owner] > 1) | divided
    if separation == 0:
        busy[:] = False
    pool = _stations(xy, vertex, stroke, along, sense, twoway, group, spacing)
    opens = np.searchsorted(pool.stroke, np.arange(strokes))
    closes = np.append(opens[1:], len(pool.stroke)) - 1
    run = np.zeros(len(pool.xy))
    run[1:] = np.hypot(*np.diff(pool.xy, axis=0).T) * pool.step[:-1]
    arc = np.cumsum(run)
    rows = np.flatnonzero(busy[pool.stroke])
    hits = _sections(pool, rows, separation * _HOLD, spacing)
    place = np.where(pool.vertex >= 0, node[pool.vertex], -1 - np.arange(len(pool.vertex)))
    consumed = np.zeros(len(pool.xy), dtype=bool)
    touched = np.zeros(groups, dtype=bool)
    touched[pool.group[hits.station]] = True
    members: list[list[tuple[int, int]]] = [[] for _ in range(groups)]
    for number, (low, high) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True)):
        members[owner[number]].append((low, high))
    caps = np.zeros(len(pool.xy), dtype=bool)
    hit_group = pool.group[hits.station]
    for number in range(groups):
        spans = members[number]
        if touched[number]:
            begin, stop = np.searchsorted(hit_group, [number, number + 1])
            mine = _Hits(*(values[begin:stop] for values in vars(hits).values()))
            spans, turns = _cut_folds(pool, arc, mine, spans)
            for low, high in turns:
                caps[low : high + 1] = True
            for low, high in spans:
                caps[[low, high]] = False
            weaver = CentrelineBuilder(
                pool, place, arc, mine, spans, caps, consumed, separation, gap, spacing
            )
            parts, dual = weaver.weave()
        else:
            parts, dual = [], 0.0
            for low, high in spans:
                seen = pool.vertex[low : high + 1]
                kept = pool.xy[low : high + 1][seen >= 0]
                parts.append(np.column_stack((kept, seen[seen >= 0])))
        lines[number] = _join(parts, dual, gap)
    return lines, valid


def _open_at_tip(vertex: Ints, stroke: Ints, along: Ints, xy: Floats) -> tuple[Ints, Ints]:
    """Start closed strokes at their farthest vertex, so that a long loop opens at its tip."""
    strokes = int(stroke[-1]) + 1
    opens = np.searchsorted(stroke, np.arange(strokes))
    closes = np.append(opens[1:], len(stroke)) - 1
    same = (xy[vertex[opens]] == xy[vertex[closes]]).all(axis=1) & (closes - opens > 2)
    if not same.any():
        return vertex, along
    vertex, along = vertex.copy(), along.copy()
    for low, high in zip(opens[same].tolist(), closes[same].tolist(), strict=True):
        ring = vertex[low:high]
        points = xy[ring]
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        tip = int(np.argmax(np.hypot(*(points - middle).T)))
        if tip == 0:
            continue
        vertex[low:high] = np.roll(ring, -tip)
        vertex[high] = vertex[low]
        along[low:high] = np.roll(along[low:high], -tip)
        along[high] = along[low]
    return vertex, along


def _join(parts: list[Floats], dual: float, gap: float) -> Lines:
    """Merge parts that touch end to end, then bridge the breaks within the limit."""
    merged = _merge(parts)
    if len(merged) == 1 and (merged[0][0, :2] == merged[0][-1, :2]).all():
        return Lines(merged, dual, [])
    bridges, breaks = _breaks(merged, gap)
    if bridges:
        merged = _merge([*merged, *bridges])
    gaps = [(bridge[0, :2], bridge[-1, :2], True) for bridge in bridges]
    gaps += [(one, two, False) for one, two in breaks]
    return Lines(merged, dual, gaps)


def _merge(parts: list[Floats]) -> list[Floats]:
    if len(parts) > 1:
        lines = shapely.line_merge(MultiLineString([LineString(part) for part in parts]))
        parts = [shapely.get_coordinates(line, include_z=True) for line in shapely.get_parts(lines)]
    out = []
    for part in parts:
        # Run from west to east (south to north where both ends have the same x).
        if tuple(part[0, :2]) > tuple(part[-1, :2]):
            part = part[::-1]
        out.append(part)
    lengths = [float(np.hypot(*np.diff(part[:, :2], axis=0).T).sum()) for part in out]
    order = sorted(range(len(out)), key=lambda row: (-lengths[row], tuple(out[row][0])))
    return [out[row] for row in order]


def _breaks(parts: list[Floats], gap: float) -> tuple[list[Floats], list[tuple[Floats, Floats]]]:
    """Find the breaks between parts: those to bridge, and those to report only."""
    parent = list(range(len(parts)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    lines = [LineString(part[:, :2]) for part in parts]
    # Parts that touch in a vertex belong together.
    if len(parts) > 1:
        tree = shapely.STRtree(lines)
        for one, two in tree.query(lines, predicate="dwithin", distance=1e-6).T.tolist():
            parent[root(one)] = root(two)
    ends = [
        (number, end)
        for number, part in enumerate(parts)
        if (part[0, :2] != part[-1, :2]).any()
        for end in (0, -1)
    ]
    if not ends:
        return [], []
    spots = np.array([parts[number][end, :2] for number, end in ends])
    away = np.array(
        [_outward(parts[number][:: 1 if end == 0 else -1, :2], 30.0) for number, end in ends]
    )
    # Only loose ends face a gap: one that touches another part is a branch.
    loose = []
    for row, (number, _) in enumerate(ends):
        touch = (
            tree.query(shapely.Point(spots[row]), predicate="dwithin", distance=1e-6)
            if len(parts) > 1
            else np.array([number])
        )
        loose.append(not any(int(other) != number for other in touch))
    bridges: list[Floats] = []
    used: set[int] = set()
    between = np.hypot(*(spots[:, None] - spots[None, :]).transpose(2, 0, 1))
    rows, columns = np.nonzero(np.triu(between <= gap, 1))
    for pick in np.argsort(between[rows, columns], kind="stable"):
        one, two = int(rows[pick]), int(columns[pick])
        if one in used or two in used or not (loose[one] and loose[two]):
            continue
        size = float(between[one, two])
        ahead = (spots[two] - spots[one]) / max(size, 1e-9)
        facing = min(float(away[one] @ ahead), float(-away[two] @ ahead))
        if facing < 0.5:
            continue
        used |= {one, two}
        parent[root(ends[one][0])] = root(ends[two][0])
        bridges.append(
            np.vstack((parts[ends[one][0]][ends[one][1]], parts[ends[two][0]][ends[two][1]]))
        )
    if len({root(number) for number in range(len(parts))}) == 1:
        return bridges, []
    # A loose end that points at the side of another part.
    for row, (number, end) in enumerate(ends):
        if row in used or not loose[row]:
            continue
        point = shapely.Point(spots[row])
        near = tree.query(point, predicate="dwithin", distance=gap)
        others = [int(other) for other in near if root(int(other)) != root(number)]
        if not others:
            continue
        other = min(others, key=lambda which: lines[which].distance(point))
        foot = shapely.get_coordinates(shapely.shortest_line(lines[other], point))[0]
        ahead = foot - spots[row]
        size = float(np.hypot(*ahead))
        if float(away[row] @ ahead) < 0.5 * size:
            continue
        part = parts[other]
        reach = np.hypot(*(part[:, :2] - foot).T)
        if reach.min() < 0.05:
            corner = part[int(reach.argmin())]
        else:
            corner = np.array([foot[0], foot[1], -1.0])
            where = lines[other].project(shapely.Point(foot))
            along = np.cumsum(np.hypot(*np.diff(part[:, :2], axis=0).T))
            at = min(int(np.searchsorted(along, where)) + 1, len(part) - 1)
            parts[other] = np.insert(part, at, corner, axis=0)
            lines[other] = LineString(parts[other][:, :2])
        bridges.append(np.vstack((parts[number][end], corner)))
        parent[root(number)] = root(other)
    breaks: list[tuple[Floats, Floats]] = []
    heads = sorted({root(number) for number in range(len(parts))})
    if len(heads) > 1:
        bunches = [
            MultiLineString([lines[n] for n in range(len(parts)) if root(n) == head])
            for head in heads
        ]
        one_, two_ = np.triu_indices(len(bunches), 1)
        array = np.array(bunches)
        distance = shapely.distance(array[one_], array[two_])
        group = list(range(len(bunches)))

        def top(number: int) -> int:
            while group[number] != number:
                number = group[number]
            return number

        for pick in np.argsort(distance, kind="stable"):
            one, two = int(one_[pick]), int(two_[pick])
            if top(one) == top(two):
                continue
            group[top(one)] = top(two)
            tie = shapely.get_coordinates(shapely.shortest_line(array[one], array[two]))
            breaks.append((tie[0], tie[1]))
    return bridges, breaks
