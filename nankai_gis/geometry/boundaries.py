"""Boundaries of areas: their edges, a raster over them, and which areas a point is in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from nankai_gis.geometry.arrays import Bools, Floats, Hashes, Ints, Shapes, spread
from nankai_gis.geometry.degree_scale import metres_per_degree
from nankai_gis.geometry.polygons import polygon_parts

__all__ = ["CORNER_DEG", "Edges", "Finder", "Raster", "distinct", "edges_of", "within"]

#: Where a boundary turns by at least this, what runs along it ends at the corner, degrees.
CORNER_DEG = 45.0


@dataclass(frozen=True)
class Edges:
    """Edges of all areas: each once, with the areas whose boundary it is."""

    ends: Floats  # (n, 4): x0, y0, x1, y1
    first: Ints  # edge e has the rows first[e] up to first[e + 1] of what follows
    area: Ints
    on: Bools  # (rows, 2): whether the area's boundary goes on about straight at either end


def edges_of(shapes: Shapes) -> Edges:
    parts, owner = polygon_parts(shapes)
    rings, part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    ends = np.hstack((coordinates[:-1], coordinates[1:]))[joined]
    area = owner[part[ring[:-1][joined]]]
    moved = (ends[:, 0] != ends[:, 2]) | (ends[:, 1] != ends[:, 3])
    ends, area, ring = ends[moved], area[moved], ring[:-1][joined][moved]
    on = _goes_on(ends, ring)
    turn = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turn] = ends[turn][:, [2, 3, 0, 1]]
    on[turn] = on[turn][:, ::-1]
    order = np.lexsort((area, ends[:, 3], ends[:, 2], ends[:, 1], ends[:, 0]))
    ends, area, on = ends[order], area[order], on[order]
    fresh = np.ones(len(ends), dtype=bool)
    other = ends[1:] != ends[:-1]
    fresh[1:] = other[:, 0] | other[:, 1] | other[:, 2] | other[:, 3]
    first = np.append(np.flatnonzero(fresh), len(ends))
    return Edges(ends[fresh], first, area, on)


def _goes_on(ends: Floats, ring: Ints) -> Bools:
    """Whether rings turn by less than `CORNER_DEG` at the start and the end of each edge."""
    if not len(ends):
        return np.zeros((0, 2), dtype=np.bool_)
    east, north = metres_per_degree(ends[:, 1])
    dx, dy = (ends[:, 2] - ends[:, 0]) * east, (ends[:, 3] - ends[:, 1]) * north
    opens = np.concatenate(([True], ring[1:] != ring[:-1]))
    begin = np.flatnonzero(opens)
    after = np.arange(1, len(ends) + 1)
    after[np.append(begin[1:], len(ends)) - 1] = begin
    straight = dx * dx[after] + dy * dy[after]
    bend = np.abs(dx * dy[after] - dy * dx[after])
    on_after = bend < straight * math.tan(math.radians(CORNER_DEG))
    on = np.empty((len(ends), 2), dtype=np.bool_)
    on[:, 1] = on_after
    on[after, 0] = on_after
    return on


def distinct(values: Ints) -> Ints:
    """Sorted, each once. What comes in is nearly sorted: a stable sort has little to do."""
    values = np.sort(values, kind="stable")
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = values[1:] != values[:-1]
    return values[fresh]


class Raster:
    """Cells over the areas: does a boundary pass, and if not, what is the cell in."""

    def __init__(self, edges: Edges, key: Hashes, pad: tuple[float, float], cells: int) -> None:
        ends = edges.ends
        low = np.minimum(ends[:, :2].min(axis=0), ends[:, 2:].min(axis=0)) - 2 * np.array(pad)
        high = np.maximum(ends[:, :2].max(axis=0), ends[:, 2:].max(axis=0)) + 2 * np.array(pad)
        width, height = high - low
        # Cells are about square and no smaller than the tolerance, so that lists stay short.
        columns = min(math.sqrt(cells * width / height), width / pad[0])
        self.columns = int(np.clip(columns, 8, cells / 8))
        self.rows = int(np.clip(min(cells / self.columns, height / pad[1]), 8, cells / 8))
        self.low = low
        self.per_cell = np.array([self.columns / width, self.rows / height])
        self._pad = pad
        self._ends = ends
        self._count = self._mark(ends, pad)
        self.label = self._parity(ends, np.bitwise_xor.reduceat(key[edges.area], edges.first[:-1]))

    def _mark(self, ends: Floats, pad: tuple[float, float]) -> NDArray[np.int32]:
        """Running sums over the cells that edges and their surroundings touch."""
        step = np.abs(ends[:, 2:] - ends[:, :2]) * self.per_cell
        count = np.maximum(np.ceil(step.max(axis=1)), 1).astype(np.int64)
        row, number = spread(count)
        x, y, x1, y1 = ends[row].T
        dx, dy = (x1 - x) / count[row], (y1 - y) / count[row]
        # Each piece has half of its extent to either side of its middle.
        x, y = x + dx * (number + 0.5), y + dy * (number + 0.5)
        wide, high = np.abs(dx) / 2 + pad[0], np.abs(dy) / 2 + pad[1]
        c0, r0, c1, r1 = self.cells(x - wide, y - high, x + wide, y + high)
        # Which edges pass by each cell: a list for each, one after the other.
        across = c1 - c0
        piece, number = spread(across * (r1 - r0))
        cell, number = np.divmod(number, across[piece])
        cell += r0[piece]
        cell *= self.columns
        cell += c0[piece]
        cell += number
        cell *= len(ends)
        cell += row[piece]
        listed = distinct(np.sort(cell))
        self._edge = listed % len(ends)
        listed //= len(ends)
        each = np.bincount(listed, minlength=self.rows * self.columns)
        self._first = np.zeros(len(each) + 1, dtype=np.int32)
        np.cumsum(each, out=self._first[1:])
        total = np.zeros((self.rows + 1, self.columns + 1), dtype=np.int32)
        total[1:, 1:] = each.reshape(self.rows, self.columns) > 0
        np.cumsum(np.cumsum(total, axis=0, out=total), axis=1, out=total)
        return total

    def pairs(self, xmin: Floats, ymin: Floats, xmax: Floats, ymax: Floats) -> tuple[Ints, Ints]:
        """Boxes and the edges of boundaries that come near them."""
        c0, r0, c1, r1 = self.cells(xmin, ymin, xmax, ymax)
        wide = c1 - c0
        box, number = spread(wide * (r1 - r0))
        down, across = np.divmod(number, wide[box])
        cell = (r0[box] + down) * self.columns + c0[box] + across
        here, number = spread(self._first[cell + 1] - self._first[cell])
        edge = self._edge[self._first[cell[here]] + number]
        box = box[here]
        ends = self._ends[edge]
        near = (ends[:, 0] - self._pad[0] <= xmax[box]) & (ends[:, 2] + self._pad[0] >= xmin[box])
        near &= np.minimum(ends[:, 1], ends[:, 3]) - self._pad[1] <= ymax[box]
        near &= np.maximum(ends[:, 1], ends[:, 3]) + self._pad[1] >= ymin[box]
        box, edge = box[near], edge[near]
        # A box over several cells meets an edge more than once.
        pairs = distinct(box * len(self._ends) + edge)
        return pairs // len(self._ends), pairs % len(self._ends)

    def _parity(self, ends: Floats, key: Hashes) -> Hashes:
        """Combined keys of the areas in which each cell's centre lies (even-odd rule)."""
        x0, y0, x1, y1 = ends.T
        down = y0 > y1
        x0, x1 = np.where(down, x1, x0), np.where(down, x0, x1)
        y0, y1 = np.where(down, y1, y0), np.where(down, y0, y1)
        # Rows whose centre is at or above the lower and below the upper end.
        first = np.ceil((y0 - self.low[1]) * self.per_cell[1] - 0.5).astype(np.int64)
        last = np.ceil((y1 - self.low[1]) * self.per_cell[1] - 0.5).astype(np.int64)
        edge, number = spread(last - first)
        row = first[edge] + number
        at = self.low[1] + (row + 0.5) / self.per_cell[1]
        share = (at - y0[edge]) / (y1[edge] - y0[edge])
        x = x0[edge] + (x1[edge] - x0[edge]) * share
        column = np.ceil((x - self.low[0]) * self.per_cell[0] - 0.5).astype(np.int64)
        toggle = np.zeros((self.rows, self.columns), dtype=np.uint64)
        here = column < self.columns
        np.bitwise_xor.at(toggle, (row[here], np.maximum(column[here], 0)), key[edge[here]])
        return np.bitwise_xor.accumulate(toggle, axis=1, out=toggle)

    def cells(
        self, xmin: Floats, ymin: Floats, xmax: Floats, ymax: Floats
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Ranges of columns and rows of boxes, cut to the raster."""

        def whole(value: Floats, axis: int, more: int) -> Ints:
            limit = self.columns if axis == 0 else self.rows
            at = (value - self.low[axis]) * self.per_cell[axis]
            # Clipped first: a far value doesn't fit an integer; floor and truncation agree here.
            clipped: Ints = np.clip(at + more, 0, limit).astype(np.int64)
            return clipped

        return whole(xmin, 0, 0), whole(ymin, 1, 0), whole(xmax, 0, 1), whole(ymax, 1, 1)

    def touched(self, c0: Ints, r0: Ints, c1: Ints, r1: Ints) -> Bools:
        """Whether a boundary passes through ranges of cells."""
        total, wide = self._count.ravel(), self.columns + 1
        low, high = r0 * wide, r1 * wide
        count = total[high + c1]
        count = count - total[low + c1]
        count -= total[high + c0]
        count += total[low + c0]
        return np.asarray(count > 0, dtype=np.bool_)

    def _cell(self, x: Floats, y: Floats) -> tuple[Ints, Bools]:
        column = np.floor((x - self.low[0]) * self.per_cell[0])
        row = np.floor((y - self.low[1]) * self.per_cell[1])
        here = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        return (row[here] * self.columns + column[here]).astype(np.int64), here

    def touched_at(self, x: Floats, y: Floats) -> Bools:
        """Whether a boundary passes through the cells of positions."""
        cell, here = self._cell(x, y)
        out = np.zeros(len(x), dtype=np.bool_)
        out[here] = self._first[cell + 1] > self._first[cell]
        return out

    def labels(self, x: Floats, y: Floats) -> Hashes:
        """Combined keys at positions in cells without a boundary; 0 beyond the raster."""
        cell, here = self._cell(x, y)
        out = np.zeros(len(x), dtype=np.uint64)
        out[here] = self.label.ravel()[cell]
        return out


def within(
    dx: Floats,
    dy: Floats,
    wx: Floats,
    wy: Floats,
    gx: Floats,
    gy: Floats,
    on: Bools,
    radius: float,
) -> tuple[Floats, Floats]:
    """Interval of t in [0, 1] at which t * d lies within `radius` of the edge from w to w + g.

    Beside the edge, that is, and about those of its ends at which the boundary goes on.
    """
    size2 = dx * dx + dy * dy
    low, high = np.full(len(dx), np.inf), np.full(len(dx), -np.inf)
    for end, (px, py) in enumerate(((wx, wy), (wx + gx, wy + gy))):
        along = (px * dx + py * dy) / size2
        beside = (px * dy - py * dx) ** 2 / size2
        root = radius * radius - beside
        half = np.sqrt(np.maximum(root, 0.0) / size2)
        hit = (root > 0) & on[:, end]
        low = np.where(hit, np.minimum(low, along - half), low)
        high = np.where(hit, np.maximum(high, along + half), high)
    # The strip along the edge: two linear conditions.
    edge = np.sqrt(gx * gx + gy * gy)
    ux, uy = gx / edge, gy / edge
    begin, end_ = np.full(len(dx), -np.inf), np.full(len(dx), np.inf)
    for slope, value, least, most in (
        (dx * ux + dy * uy, -(wx * ux + wy * uy), np.zeros(len(dx)), edge),
        (dy * ux - dx * uy, -(wy * ux - wx * uy), np.array(-radius), np.array(radius)),
    ):
        flat = np.abs(slope) < 1e-300
        never = flat & ((value < least) | (value > most))
        safe = np.where(flat, 1.0, slope)
        one, two = (least - value) / safe, (most - value) / safe
        begin = np.where(flat, begin, np.maximum(begin, np.minimum(one, two)))
        end_ = np.where(flat, end_, np.minimum(end_, np.maximum(one, two)))
        begin = np.where(never, np.inf, begin)
    strip = end_ > begin
    low = np.where(strip, np.minimum(low, begin), low)
    high = np.where(strip, np.maximum(high, end_), high)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


class Finder:
    """In which areas points lie. Lives within one call: it holds prepared polygons."""

    _CELLS = 64

    def __init__(self, shapes: Shapes) -> None:
        # Own copies: preparing changes a geometry, and the caller's may be in another thread.
        self._shapes: Shapes = shapely.transform(shapes, lambda c: c)
        shapely.prepare(self._shapes)
        self._bounds = shapely.bounds(shapes).reshape(-1, 4)
        if not len(shapes):
            return
        self._low = self._bounds[:, :2].min(axis=0)
        size = self._bounds[:, 2:].max(axis=0) - self._low
        self._per_cell = self._CELLS / np.maximum(size, 1e-12)
        box = np.hstack((self._cell(self._bounds[:, :2]), self._cell(self._bounds[:, 2:]) + 1))
        wide = box[:, 2] - box[:, 0]
        area, number = spread(wide * (box[:, 3] - box[:, 1]))
        down, across = np.divmod(number, wide[area])
        cell = (box[area, 1] + down) * self._CELLS + box[area, 0] + across
        self._area = area[np.argsort(cell, kind="stable")]
        self._first = np.append(0, np.cumsum(np.bincount(cell, minlength=self._CELLS**2)))

    def _cell(self, places: Floats) -> Ints:
        at = np.clip((places - self._low) * self._per_cell, 0, self._CELLS - 1)
        cells: Ints = at.astype(np.int64)
        return cells

    def find(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """Pairs of point and area, points in the interior."""
        point, area = self.near(x, y)
        hit = self.contain(area, x[point], y[point])
        return point[hit], area[hit]

    def near(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """Pairs of point and area, points in the area's bounding box; sorted."""
        if not len(self._shapes) or not len(x):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        column, row = self._cell(np.column_stack((x, y))).T
        cell = row * self._CELLS + column
        point, number = spread(self._first[cell + 1] - self._first[cell])
        area = self._area[self._first[cell[point]] + number]
        box = self._bounds[area]
        px, py = x[point], y[point]
        near = (px > box[:, 0]) & (px < box[:, 2]) & (py > box[:, 1]) & (py < box[:, 3])
        return point[near], area[near]

    def contain(self, area: Ints, x: Floats, y: Floats) -> Bools:
        """Whether each area holds the point beside it."""
        return np.asarray(shapely.contains_xy(self._shapes[area], x, y), dtype=np.bool_)
