"""Lines cut by areas: inside, along the boundary, outside.

Edges run straight in longitude and latitude; their lengths are integrals on the ellipsoid, so a
cut never changes a sum.

1. A raster over the areas holds, cell by cell, whether a boundary passes and, where none does, in
   which areas the cell lies. A line whose bounding box meets no boundary is counted whole.
2. The other lines are cut where they cross a boundary and where they begin or cease to run along
   it. What lies between two cuts is inside or outside as its midpoint is, which a prepared
   polygon answers.

A stretch **runs along** a boundary where it lies within the tolerance of an edge of it and their
directions differ by at most `ALONG_DEG` degrees; at a corner of the boundary it ends. That
depends on the place alone, so it is the same however a street is split into pieces, and a street
that crosses the boundary squarely stays inside up to it and outside from it.

By hand, because no library tells along from inside: Shapely's overlay with a buffer about the
boundary cuts crossing streets short. A stand-in of 28 lines on Shapely in steps of 5 m was 21 to
24 times slower, right to 1.1e-4 inside and to 3 % along boundaries. The tests have one such as
their oracle.

Prepared polygons are made and used within one call, never handed on: they may not be shared
between threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from nankai_gis.errors import GeometryError
from nankai_gis.geometry.arrays import Bools, Floats, Hashes, Ints, Shapes, spread, sums
from nankai_gis.geometry.boundaries import Finder, Raster, distinct, edges_of, within
from nankai_gis.geometry.cut import BOUNDARY, INSIDE, Cut
from nankai_gis.geometry.degree_scale import DegreeScale, degree_scale, metres_per_degree
from nankai_gis.geometry.polygons import AREA_TYPES
from nankai_gis.words import mark, tr

__all__ = ["ALONG_DEG", "LEAST_M", "cut_lines"]

#: A line runs along a boundary if their directions differ by at most this, degrees.
ALONG_DEG = 30.0
#: The least tolerance, metres: what 117 degrees in 64 bits can't tell apart, with a margin.
LEAST_M = 1e-5

_CHUNK = 1 << 13
_SAME_T = 1e-12
_LEAST_EAST = 1.0


def cut_lines(
    lines: ArrayLike,
    areas: ArrayLike,
    *,
    boundary_m: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Cut:
    """Cut lines by areas into pieces inside, along the boundary and outside of each."""
    if not boundary_m >= 0 or math.isinf(boundary_m):
        raise ValueError(f"boundary_m is {boundary_m}; give metres, zero or more")
    shapes = np.atleast_1d(np.asarray(lines, dtype=object))
    fields = np.atleast_1d(np.asarray(areas, dtype=object))
    _refuse(shapes, (1,), mark("line {row} is {shape}; give LineString, not empty"))
    message = mark("area {row} is {shape}; give Polygon or MultiPolygon, not empty")
    _refuse(fields, AREA_TYPES, message)
    broken = np.flatnonzero(~shapely.is_valid(fields))
    if len(broken):
        reason = shapely.is_valid_reason(fields[broken[0]])
        raise GeometryError(
            tr(
                "area {row} is invalid ({reason}); use shapely.make_valid",
                row=broken[0],
                reason=reason,
            )
        )
    return _Cutter(fields, max(boundary_m, LEAST_M), len(shapes)).cut(shapes, progress)


def _refuse(shapes: Shapes, types: tuple[int, ...], message: str) -> None:
    """Raise for the first shape that is of none of some types, empty or missing."""
    wrong = ~np.isin(shapely.get_type_id(shapes), types) | shapely.is_empty(shapes)
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    shape = shapes[row]
    if shape is None:
        name = tr("missing")
    elif shape.is_empty:
        name = tr("an empty {type}", type=shape.geom_type)
    else:
        name = tr("a {type}", type=shape.geom_type)
    raise GeometryError(tr(message, row=row, shape=name))


def _compress(hashes: Hashes) -> tuple[Ints, Ints, Hashes]:
    """Codes of values, the first place of each, and the values, in order of appearance."""
    import pandas as pd

    codes, values = pd.factorize(hashes)
    codes = codes.astype(np.int64)
    first = np.full(len(values), len(hashes), dtype=np.int64)
    np.minimum.at(first, codes, np.arange(len(hashes)))
    return codes, first, values


class _Columns:
    """Columns that grow together, apart from what comes and goes while they do.

    Rows of many batches that are joined at the end stand twice then, and scattered among the
    temporaries of the batches, which leaves gaps that nothing fits in.
    """

    def __init__(self, types: tuple[type[np.generic], ...], room: int) -> None:
        # Room that is never written to takes no memory.
        self._columns: list[NDArray[Any]] = [np.empty(room, dtype=one) for one in types]
        self._count = 0

    def append(self, rows: tuple[NDArray[Any], ...]) -> None:
        low, high = self._count, self._count + len(rows[0])
        for number, more in enumerate(rows):
            column = self._columns[number]
            if high > len(column):
                wider = np.empty(high + high // 2, dtype=column.dtype)
                wider[:low] = column[:low]
                self._columns[number] = column = wider
            column[low:high] = more
        self._count = high

    def filled(self) -> list[NDArray[Any]]:
        return [column[: self._count] for column in self._columns]


class _Cutter:
    """The areas, made ready; cuts lines batch by batch, so that temporaries stay small."""

    def __init__(self, shapes: Shapes, tolerance: float, expected: int) -> None:
        self.tolerance = tolerance
        self.count = len(shapes)
        self.edges = edges_of(shapes)
        random = np.random.default_rng(20210301)
        # Independent 64-bit keys: a set of areas is told by the exclusive or of its members.
        keys = random.integers(1, 2**63, size=(2, max(self.count, 1)), dtype=np.uint64)
        self.keys = keys
        self.finder = Finder(shapes)
        self.known: dict[int, int] = {0: 0}
        self.state_area: list[Ints] = [np.zeros(0, dtype=np.int64)]
        self.state_on: list[Ints] = [np.zeros(0, dtype=np.int64)]
        self.raster: Raster | None = None
        if not len(self.edges.ends):
            return
        latitudes = self.edges.ends[:, [1, 3]]
        self.east, self.north = metres_per_degree(latitudes.mean(axis=1))
        # At a pole a degree of longitude has no length.
        self.east = np.maximum(self.east, _LEAST_EAST)
        east, up = metres_per_degree(np.array([np.abs(latitudes).max(), 0.0]))
        self.pad = (
            tolerance / max(float(east[0]), _LEAST_EAST) * 1.02 + 1e-9,
            tolerance / float(up[1]) * 1.02 + 1e-9,
        )
        cells = int(np.clip(2 * expected, 1 << 12, 1 << 22))
        self.raster = Raster(self.edges, keys[INSIDE], self.pad, cells)

    def cut(self, lines: Shapes, progress: Callable[[int, int], None] | None) -> Cut:
        count = len(lines)
        pieces = _Columns(
            (np.int64, np.float64, np.float64, np.float64, np.int64, np.bool_), count + count // 4
        )
        total, run = np.empty(count), np.empty((count, 2))
        for low in range(0, count, _CHUNK):
            high = min(low + _CHUNK, count)
            batch, total[low:high], run[low:high] = self._batch(lines[low:high])
            batch[0][:] += low
            pieces.append(batch)
            if progress is not None:
                progress(high, count)
        line, start, stop, length, state, near = pieces.filled()
        first = np.cumsum([0, *(len(a) for a in self.state_area)])
        return Cut(
            lines=lines,
            line=line,
            start=start,
            stop=stop,
            length_m=length,
            state=state,
            near=near,
            line_length_m=total,
            line_run=run,
            state_first=first,
            state_area=np.concatenate(self.state_area),
            state_on=np.concatenate(self.state_on),
            boundary_m=self.tolerance,
        )

    def _batch(
        self, lines: Shapes
    ) -> tuple[tuple[Ints, Floats, Floats, Floats, Ints, Bools], Floats, Floats]:
        coordinates, index = shapely.get_coordinates(lines, return_index=True)
        x, y = np.ascontiguousarray(coordinates[:, 0]), np.ascontiguousarray(coordinates[:, 1])
        fresh = np.empty(len(x), dtype=bool)
        fresh[0] = True
        np.not_equal(index[1:], index[:-1], out=fresh[1:])
        first = np.flatnonzero(fresh)
        vertices = np.diff(np.append(first, len(x)))
        # Steps between lines are computed too and then zeroed: cheaper than picking them out.
        dx, dy = np.diff(x, append=x[-1]), np.diff(y, append=y[-1])
        ends = first + vertices - 1
        dx[ends] = 0.0
        dy[ends] = 0.0
        south, north = float(y.min()), float(y.max())
        scale = degree_scale(south, north)
        edge_length = scale.edge_lengths(y, dx, dy)
        count = len(lines)
        total = sums(index, edge_length, count)
        run = np.column_stack((sums(index, np.abs(dx), count), sums(index, np.abs(dy), count)))
        edges = (vertices - 1).astype(np.float64)
        if self.raster is None:
            near = np.zeros(count, dtype=np.bool_)
            label = np.zeros(count, dtype=np.uint64)
        else:
            near = self.raster.touched(*self.raster.cells(*shapely.bounds(lines).T))
            label = self.raster.labels(x[first], y[first])
        clean = np.flatnonzero(~near)
        states = self._decode(label[clean], x[first[clean]], y[first[clean]])
        whole = (clean, np.zeros(len(clean)), edges[clean], total[clean], states, near[clean])
        if len(clean) == count:
            return whole, total, run
        dirty = np.flatnonzero(near)
        cut = self._cut_near(dirty, first, vertices, x, y, dx, dy, edge_length, scale)
        joined = [np.concatenate(pair) for pair in zip(whole, cut, strict=True)]
        order = np.argsort(joined[0], kind="stable")
        line, start, stop, length, state, flag = (column[order] for column in joined)
        return (line, start, stop, length, state, flag), total, run

    def _decode(self, label: Hashes, x: Floats, y: Floats) -> Ints:
        """States of places that are near no boundary, by their combined keys."""
        codes, first, values = _compress(label)
        fresh = [k for k, value in enumerate(values.tolist()) if value not in self.known]
        if fresh:
            at = first[fresh]
            point, area = self.finder.find(x[at], y[at])
            order = np.lexsort((area, point))
            point, area = point[order], area[order]
            low = np.searchsorted(point, np.arange(len(fresh) + 1))
            for number, code in enumerate(fresh):
                members = area[low[number] : low[number + 1]]
                self._learn(int(values[code]), members, np.zeros(len(members), dtype=np.int64))
        table = np.array([self.known[value] for value in values.tolist()], dtype=np.int64)
        return table[codes]

    def _learn(self, value: int, members: Ints, on: Ints) -> None:
        keys = self.keys[on, members]
        if int(np.bitwise_xor.reduce(keys, initial=np.uint64(0))) != value:
            raise GeometryError(
                tr(
                    "an area's outline contradicts itself: its raster and its polygon disagree on "
                    "what lies inside; check that the areas are valid"
                )
            )
        self.known[value] = len(self.state_area)
        # Copies: a view would keep the whole batch that it is of.
        self.state_area.append(members.copy())
        self.state_on.append(on.copy())

    def _cut_near(
        self,
        dirty: Ints,
        first: Ints,
        vertices: Ints,
        x: Floats,
        y: Floats,
        dx: Floats,
        dy: Floats,
        edge_length: Floats,
        scale: DegreeScale,
    ) -> tuple[Ints, Floats, Floats, Floats, Ints, Bools]:
        assert self.raster is not None
        local, number = spread(vertices[dirty] - 1)
        at = first[dirty][local] + number
        x0, y0, ex, ey = x[at], y[at], dx[at], dy[at]
        x1, y1 = x[at + 1], y[at + 1]
        xmin, xmax = np.minimum(x0, x1), np.maximum(x0, x1)
        ymin, ymax = np.minimum(y0, y1), np.maximum(y0, y1)
        touched = np.flatnonzero(self.raster.touched(*self.raster.cells(xmin, ymin, xmax, ymax)))
        box, edge = self.raster.pairs(xmin[touched], ymin[touched], xmax[touched], ymax[touched])
        row = touched[box]
        when_row, when, run_row, low, high, run_area = self._meetings(row, edge, x0, y0, ex, ey)
        # Cut every edge of the lines at 0 and at all meetings.
        rows, times, until = _spans(
            len(at), np.concatenate((when_row, run_row, run_row)), np.concatenate((when, low, high))
        )
        middle = (times + until) / 2
        mx, my = x0[rows] + ex[rows] * middle, y0[rows] + ey[rows] * middle
        # Midpoints away from any boundary have their state from the raster, those of the others
        # is found point by point.
        calm = ~self.raster.touched_at(mx, my)
        hashes = np.zeros(len(rows), dtype=np.uint64)
        hashes[calm] = self.raster.labels(mx[calm], my[calm])
        loud = np.flatnonzero(~calm)
        piece, area, on = self._states(loud, rows, middle, mx, my, run_row, low, high, run_area)
        np.bitwise_xor.at(hashes, piece, self.keys[on, area])
        # One piece for all that follow each other on a line in the same state.
        line = dirty[local[rows]]
        lead = np.ones(len(rows), dtype=bool)
        lead[1:] = (line[1:] != line[:-1]) | (hashes[1:] != hashes[:-1])
        length = edge_length[at][rows]
        part = np.flatnonzero((times > 0.0) | (until < 1.0))
        span = until[part] - times[part]
        length[part] = scale.edge_lengths(
            y0[rows[part]] + ey[rows[part]] * times[part],
            ex[rows[part]] * span,
            ey[rows[part]] * span,
        )
        head = np.flatnonzero(lead)
        tail = np.append(head[1:], len(rows)) - 1
        base = number.astype(np.float64)[rows]
        return (
            line[head],
            base[head] + times[head],
            base[tail] + until[tail],
            np.add.reduceat(length, head),
            self._codes(hashes, head, calm, mx, my, piece, area, on),
            np.ones(len(head), dtype=np.bool_),
        )

    def _meetings(
        self, row: Ints, edge: Ints, x0: Floats, y0: Floats, ex: Floats, ey: Floats
    ) -> tuple[Ints, Floats, Ints, Floats, Floats, Ints]:
        """Where edges of lines cross edges of boundaries, and where they run along them."""
        gx0, gy0, gx1, gy1 = self.edges.ends[edge].T
        # At the boundary's latitude: that of the line would change as the line is split.
        east, north = self.east[edge], self.north[edge]
        dx, dy = ex[row] * east, ey[row] * north
        wx, wy = (gx0 - x0[row]) * east, (gy0 - y0[row]) * north
        gx, gy = (gx1 - gx0) * east, (gy1 - gy0) * north
        turn = dx * gy - dy * gx
        size2, edge2 = dx * dx + dy * dy, gx * gx + gy * gy
        sine = math.sin(math.radians(ALONG_DEG))
        along = turn * turn <= (sine * sine) * size2 * edge2
        cross = ~along
        t = (wx[cross] * gy[cross] - wy[cross] * gx[cross]) / turn[cross]
        u = (wx[cross] * dy[cross] - wy[cross] * dx[cross]) / turn[cross]
        slack = 1e-9
        real = (t > 0.0) & (t < 1.0) & (u >= -slack) & (u <= 1.0 + slack)
        when_row, when = row[cross][real], t[real]
        # Along: the share of the line's edge within the tolerance of the boundary's edge, for
        # each area by itself: it is the area's boundary that goes on or turns at the edge's ends.
        pick = np.flatnonzero(along & (size2 > 0))
        begin = self.edges.first[edge[pick]]
        pair, number = spread(self.edges.first[edge[pick] + 1] - begin)
        own = begin[pair] + number
        pick = pick[pair]
        low, high = within(
            dx[pick],
            dy[pick],
            wx[pick],
            wy[pick],
            gx[pick],
            gy[pick],
            self.edges.on[own],
            self.tolerance,
        )
        runs = high > low
        area = self.edges.area[own[runs]]
        return when_row, when, row[pick][runs], low[runs], high[runs], area

    def _states(
        self,
        loud: Ints,
        rows: Ints,
        middle: Floats,
        mx: Floats,
        my: Floats,
        run_row: Ints,
        low: Floats,
        high: Floats,
        run_area: Ints,
    ) -> tuple[Ints, Ints, Ints]:
        """Rows of piece, area and relation for the pieces near a boundary."""
        begin = np.searchsorted(rows, run_row)
        count = np.searchsorted(rows, run_row, side="right") - begin
        run, number = spread(count)
        piece = begin[run] + number
        hit = (middle[piece] > low[run]) & (middle[piece] < high[run])
        bound = distinct(piece[hit] * self.count + run_area[run[hit]])
        # Where a piece runs along, it needn't be told whether it is inside.
        point, inside = self.finder.near(mx[loud], my[loud])
        inner = loud[point] * self.count + inside
        if len(bound):
            place = np.minimum(np.searchsorted(bound, inner), len(bound) - 1)
            free = bound[place] != inner
            point, inside, inner = point[free], inside[free], inner[free]
        inner = inner[self.finder.contain(inside, mx[loud[point]], my[loud[point]])]
        key = np.concatenate((inner, bound))
        on = np.repeat((INSIDE, BOUNDARY), (len(inner), len(bound)))
        order = np.argsort(key, kind="stable")
        key, on = key[order], on[order]
        return key // self.count, key % self.count, on

    def _codes(
        self,
        hashes: Hashes,
        head: Ints,
        calm: Bools,
        mx: Floats,
        my: Floats,
        piece: Ints,
        area: Ints,
        on: Ints,
    ) -> Ints:
        """States of merged pieces; unknown ones are learnt from their first piece."""
        out = np.zeros(len(head), dtype=np.int64)
        still = calm[head]
        at = head[still]
        out[still] = self._decode(hashes[at], mx[at], my[at])
        at = head[~still]
        codes, first, values = _compress(hashes[at])
        begin = np.searchsorted(piece, at[first]).tolist()
        end = np.searchsorted(piece, at[first], side="right").tolist()
        for value, low, high in zip(values.tolist(), begin, end, strict=True):
            if value not in self.known:
                self._learn(value, area[low:high], on[low:high])
        table = np.array([self.known[value] for value in values.tolist()], dtype=np.int64)
        out[~still] = table[codes]
        return out


def _spans(count: int, rows: Ints, times: Floats) -> tuple[Ints, Floats, Floats]:
    """Spans of edges between cuts: the edge of each, and where on it the span starts and stops."""
    # One key for both: what it can't tell apart, 1e-10 of an edge, is taken for one cut below.
    order = np.argsort(rows + 0.5 * times)
    # Two sorted runs, which a stable sort merges in one pass; the zeros come first.
    rows = np.concatenate((np.arange(count), rows[order]))
    times = np.concatenate((np.zeros(count), times[order]))
    order = np.argsort(rows, kind="stable")
    rows, times = rows[order], times[order]
    keep = np.ones(len(rows), dtype=bool)
    keep[1:] = (rows[1:] != rows[:-1]) | (times[1:] - times[:-1] > _SAME_T)
    keep &= times < 1.0 - _SAME_T
    rows, times = rows[keep], times[keep]
    until = np.ones(len(rows))
    same = rows[1:] == rows[:-1]
    until[:-1][same] = times[1:][same]
    return rows, times, until
