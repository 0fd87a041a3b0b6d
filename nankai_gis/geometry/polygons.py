"""Polygons by polygons: intersection, difference and union, each result checked.

GEOS, and so Shapely, GeoPandas and PostGIS, returns wrong areas without an error for some polygons
whose edges nearly coincide; the known cases stand in the tests. No library checks its result, so
the checks are made here: they cost three more overlays of each pair.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from nankai_gis.errors import GeometryError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes, ShapesLike
from nankai_gis.words import ntr, tr

__all__ = ["AREA_TYPES", "difference", "intersection", "polygon_parts", "union"]

#: Polygon and MultiPolygon, as GEOS numbers them.
AREA_TYPES = (3, 6)

# Grids of further attempts at an overlay, degrees: 0.1 um, which keeps sums, and 0.1 mm.
_GRIDS = (1e-12, 1e-9)
# A point this near an edge, degrees, is on neither side of it.
_NEAR_DEG = 1e-9


def polygon_parts(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Return the polygons of shapes that may be collections."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    if (shapely.get_type_id(parts) == 6).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    return parts[keep], row[keep].astype(np.int64)


def _only_polygons(shapes: Shapes) -> Shapes:
    """Drop the points and lines at which polygons merely touch."""
    out = np.array(shapes, dtype=object)
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(out), AREA_TYPES)):
        parts, _ = polygon_parts(out[row : row + 1])
        out[row] = shapely.multipolygons(parts) if len(parts) else shapely.Polygon()
    return out


def _flat(shapes: Shapes) -> Floats:
    """Areas in square degrees: what the guards compare."""
    return np.asarray(shapely.area(shapes), dtype=np.float64)


def _sound(
    both: Shapes,
    one: Shapes,
    two: Shapes,
    swapped: Shapes,
    rest: Shapes,
    other: Shapes,
    grid: float | None,
) -> Bools:
    """Whether intersections pass what every right one fulfils."""
    size, first, second = _flat(both), _flat(one), _flat(two)
    # Noding moves a vertex by some 1e-14 degrees along boundaries of some degrees at most.
    around = shapely.length(one) + shapely.length(two)
    # On a grid a vertex moves by up to a cell.
    slack = 1e-10 * np.minimum(first, second) + (1e-12 + (grid or 0.0)) * around
    good = (
        (size <= np.minimum(first, second) + slack)
        & (np.abs(_flat(swapped) - size) <= slack)
        & (np.abs(size + _flat(rest) - first) <= slack)
        & shapely.is_valid(both)
    )
    box = shapely.bounds(both)
    bounds_one, bounds_two = shapely.bounds(one), shapely.bounds(two)
    low = np.maximum(bounds_one[:, :2], bounds_two[:, :2]) - 1e-8
    high = np.minimum(bounds_one[:, 2:], bounds_two[:, 2:]) + 1e-8
    empty = shapely.is_empty(both)
    within = np.ones(len(both), dtype=bool)
    within[~empty] = ((box[~empty, :2] >= low[~empty]) & (box[~empty, 2:] <= high[~empty])).all(
        axis=1
    )
    placed = _placed(both, two, slack, inside=True) & _placed(rest, two, slack, inside=False)
    placed &= _placed(other, one, slack, inside=False)
    return np.asarray(good & within & placed, dtype=np.bool_)


def _placed(parts_of: Shapes, areas: Shapes, slack: Floats, *, inside: bool) -> Bools:
    """Whether a point of each part lies where the part has to lie: in the area, or not in it.

    An overlay that loses the whole of an intersection gives a difference that fits it: sizes
    and swapped operands agree, only the place is wrong.
    """
    parts, row = shapely.get_parts(parts_of, return_index=True)
    real = _flat(parts) > slack[row]
    parts, row = parts[real], row[real]
    points = shapely.point_on_surface(parts)
    if inside:
        right = shapely.intersects(areas[row], points)
    else:
        right = ~shapely.contains_properly(areas[row], points)
    # Inner points are found on a line across the part, and may lie on an edge up to rounding.
    wrong = np.flatnonzero(~right)
    edges = shapely.boundary(areas[row[wrong]])
    right[wrong] = shapely.distance(edges, points[wrong]) < _NEAR_DEG
    good = np.ones(len(parts_of), dtype=bool)
    np.logical_and.at(good, row, right)
    return good


Operation = Callable[[Shapes, Shapes, "float | None"], Shapes]


def _meet(one: Shapes, two: Shapes, grid: float | None) -> Shapes:
    return _only_polygons(shapely.intersection(one, two, grid_size=grid))


def _rest(one: Shapes, two: Shapes, grid: float | None) -> Shapes:
    return _only_polygons(shapely.difference(one, two, grid_size=grid))


def _tried(operation: Operation, one: Shapes, two: Shapes, grid: float | None) -> Shapes:
    """What an operation gives; an empty polygon, which no check passes, where GEOS gives up."""
    try:
        return operation(one, two, grid)
    except shapely.GEOSException:
        if len(one) == 1:
            return np.array([shapely.Polygon()], dtype=object)
    pairs = (slice(k, k + 1) for k in range(len(one)))
    return np.concatenate([_tried(operation, one[k], two[k], grid) for k in pairs])


def _ungridded(shapes: ShapesLike) -> Shapes:
    """Shapes without the grid that another program may have left on them: it rounds overlays."""
    out: Shapes = np.atleast_1d(np.asarray(shapes, dtype=object))
    held = shapely.get_precision(out) > 0
    if held.any():
        out = out.copy()
        out[held] = shapely.set_precision(out[held], 0.0)
    return out


def _guarded(one: ShapesLike, two: ShapesLike, wanted: Operation) -> Shapes:
    first, second = np.broadcast_arrays(_ungridded(one), _ungridded(two))
    out: Shapes = np.full(len(first), shapely.Polygon(), dtype=object)
    todo = np.arange(len(first))
    for grid in (None, *_GRIDS):
        a, b = first[todo], second[todo]
        if grid is not None:
            a, b = shapely.set_precision(a, grid), shapely.set_precision(b, grid)
        both, rest = _tried(_meet, a, b, grid), _tried(_rest, a, b, grid)
        swapped, other = _tried(_meet, b, a, grid), _tried(_rest, b, a, grid)
        good = _sound(both, a, b, swapped, rest, other, grid)
        out[todo[good]] = (both if wanted is _meet else rest)[good]
        todo = todo[~good]
        if not len(todo):
            return out
    where = shapely.bounds(first[todo[0]])
    raise GeometryError(
        ntr(
            "{n} pair of polygons can't be overlaid: the result fails its checks on the plain "
            "coordinates and on grids of up to {grid} degrees; the first pair lies at "
            "{lon}, {lat}: simplify it there",
            "{n} pairs of polygons can't be overlaid: the result fails its checks on the plain "
            "coordinates and on grids of up to {grid} degrees; the first pair lies at "
            "{lon}, {lat}: simplify it there",
            len(todo),
            grid=_GRIDS[-1],
            lon=f"{where[0]:.5f}",
            lat=f"{where[1]:.5f}",
        )
    )


def intersection(one: ShapesLike, two: ShapesLike) -> Shapes:
    """Return what two polygons share, checked.

    GEOS has returned, without an error, far too much or nothing at all for polygons whose edges
    nearly coincide. So every result is checked: it lies within both
    bounding boxes, is no larger than either polygon, is the same with the operands swapped, and
    makes up the first polygon together with the difference. What fails is computed again on
    fine grids.
    """
    return _guarded(one, two, _meet)


def difference(one: ShapesLike, two: ShapesLike) -> Shapes:
    """Return what a polygon doesn't share with another, checked as in `intersection`."""
    return _guarded(one, two, _rest)


def union(shapes: ShapesLike) -> shapely.Geometry:
    """Return what polygons cover together, checked.

    As with `intersection`, GEOS has lost polygons here without an error. So the result
    is checked: it is valid, is no smaller than the largest polygon and no larger
    than all of them together, has their common bounding box, and holds an inner point of each.
    What fails is computed again on fine grids.
    """
    parts = _ungridded(shapes)
    parts = parts[~shapely.is_empty(parts)]
    if not len(parts):
        return shapely.Polygon()
    for grid in (None, *_GRIDS):
        items = parts if grid is None else shapely.set_precision(parts, grid)
        try:
            whole = shapely.union_all(items, grid_size=grid)
        except shapely.GEOSException:
            continue
        if _holds(whole, parts, grid):
            return whole
    where = shapely.total_bounds(parts)
    raise GeometryError(
        tr(
            "{n} polygons can't be joined: the result fails its checks on the plain "
            "coordinates and on grids of up to {grid} degrees; they lie around {lon}, {lat}: "
            "simplify them, or leave out slivers",
            n=len(parts),
            grid=_GRIDS[-1],
            lon=f"{where[0]:.5f}",
            lat=f"{where[1]:.5f}",
        )
    )


def _holds(whole: shapely.Geometry, parts: Shapes, grid: float | None) -> bool:
    """Whether a union passes what every right one fulfils."""
    if shapely.is_empty(whole) or shapely.get_type_id(whole) not in AREA_TYPES:
        return False
    if not shapely.is_valid(whole):
        return False
    sizes = _flat(parts)
    around = shapely.length(parts)
    slack = 1e-10 * sizes + (1e-12 + (grid or 0.0)) * around
    size = float(shapely.area(whole))
    if not float((sizes - slack).max()) <= size <= float((sizes + slack).sum()):
        return False
    # What is less than coordinates can tell may be there or not.
    real = parts[sizes > slack]
    box = shapely.bounds(whole)
    outward = np.array([-1, -1, 1, 1])
    if ((box - shapely.total_bounds(parts)) * outward > 1e-8).any():
        return False
    if not len(real):
        return True
    if ((shapely.total_bounds(real) - box) * outward > 1e-8).any():
        return False
    return bool((shapely.distance(whole, shapely.point_on_surface(real)) < _NEAR_DEG).all())
