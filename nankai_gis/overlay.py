"""Lines and polygons cut by areas, so that the parts add up to the whole.

Edges run straight in longitude and latitude, as in `measure`; their lengths, and the areas they
enclose, are integrals on the CGCS2000 ellipsoid, so a cut never changes a sum. An edge of 1 km is
some 5e-10 of its length longer than the geodesic.

How lines are cut:

1. A raster over the areas holds, cell by cell, whether a boundary passes and, where none does, in
   which areas the cell lies. A line whose bounding box meets no boundary is counted whole.
2. The other lines are cut where they cross a boundary and where they begin or cease to run along
   it. What lies between two cuts is inside or outside as its midpoint is, which a prepared
   polygon answers.

A stretch **runs along** a boundary where it lies within the tolerance of an edge of it and their
directions differ by at most `ALONG_DEG` degrees; at a corner of the boundary it ends. That
depends on the place alone, so it is the same however a street is split into pieces, and a street
that crosses the boundary squarely stays inside up to it and outside from it.

Prepared polygons are made and used within one call, never handed on: they may not be shared
between threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from . import crs
from .errors import GeometryError

__all__ = [
    "ALONG_DEG",
    "BOUNDARY",
    "CORNER_DEG",
    "INSIDE",
    "LEAST_M",
    "Cut",
    "areas",
    "cut_lines",
    "difference",
    "intersection",
    "lengths",
    "metric",
    "union",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]
Shapes = NDArray[np.object_]
ShapesLike = ArrayLike | shapely.Geometry

#: A line runs along a boundary if their directions differ by at most this, degrees.
ALONG_DEG = 30.0
#: Where a boundary turns by at least this, what runs along it ends at the corner, degrees.
CORNER_DEG = 45.0
#: The least tolerance, metres: what 117 degrees in 64 bits can't tell apart, with a margin.
LEAST_M = 1e-5
#: A piece lies inside the area.
INSIDE = 0
#: A piece runs along the area's boundary.
BOUNDARY = 1
#: The fine grid of a second attempt at a polygon overlay, degrees; 0.1 mm.
GRID_DEG = 1e-9

_CHUNK = 1 << 13
_SAME_T = 1e-12
_AREA_TYPES = (3, 6)


# ------------------------------------------------------------------ the ellipsoid


def _radii(sine2: Floats) -> tuple[Floats, Floats]:
    """Metres per degree of longitude and of latitude, from the squared sine of the latitude."""
    geod = crs.ellipsoid()
    below = 1.0 - geod.es * sine2
    root = np.sqrt(below)
    degree = math.pi / 180.0
    east = (geod.a * degree) * np.sqrt(1.0 - sine2) / root
    north = (geod.a * (1.0 - geod.es) * degree) / (below * root)
    return east, north


def _scale(latitude: Floats) -> tuple[Floats, Floats]:
    return _radii(np.sin(np.radians(latitude)) ** 2)


#: Abscissae and weights on [-1, 1]; the error of a mean is of the order of the edge's extent in
#: radians to the fourth power over 4320, and to the 24th.
_NODES_SHORT = np.polynomial.legendre.leggauss(2)
_NODES_LONG = np.polynomial.legendre.leggauss(12)
_SHORT_DEG = 0.25


class _Ruler:
    """Metres per degree over a range of latitudes, by polynomials good to 1e-14."""

    _DEGREE = 8

    def __init__(self, low: float, high: float) -> None:
        self._middle = (low + high) / 2
        self._half = max((high - low) / 2, 1e-4)
        self._fits: list[list[float]] | None = None
        # The terms fall off like (half in radians) ** k / k!, on the sphere.
        if self._half <= 1.0:
            spots = np.cos(np.pi * (np.arange(24) + 0.5) / 24)
            values = _scale(self._middle + self._half * spots)
            self._fits = []
            for value in values:
                fit = np.polynomial.chebyshev.chebfit(spots, value, self._DEGREE)
                last = int(np.flatnonzero(np.abs(fit) > 1e-15 * abs(fit[0]))[-1])
                self._fits.append(
                    [float(c) for c in np.polynomial.chebyshev.cheb2poly(fit[: last + 1])]
                )

    def scale(self, latitude: Floats) -> tuple[Floats, Floats]:
        if self._fits is None:
            return _scale(latitude)
        at = (latitude - self._middle) * (1.0 / self._half)
        east, north = (_horner(fit, at) for fit in self._fits)
        return east, north

    def lengths(self, lat: Floats, dlon: Floats, dlat: Floats) -> Floats:
        r"""Metres of straight edges that start at `lat`; steps in degrees."""
        total = self._mean(lat, dlon, dlat, _NODES_SHORT)
        long = np.abs(dlat) > _SHORT_DEG
        if long.any():
            total[long] = self._mean(lat[long], dlon[long], dlat[long], _NODES_LONG)
        return total

    def _mean(
        self, lat: Floats, dlon: Floats, dlat: Floats, nodes: tuple[Floats, Floats]
    ) -> Floats:
        total = np.zeros(len(lat))
        for node, weight in zip(*nodes, strict=True):
            east, north = self.scale(lat + dlat * ((1.0 + float(node)) / 2))
            east *= dlon
            north *= dlat
            east *= east
            north *= north
            east += north
            np.sqrt(east, out=east)
            if weight != 2.0:
                east *= float(weight) / 2
            total += east
        return total


def _ruler(low: float, high: float) -> _Ruler:
    """A ruler over a range and a little more, so that neighbouring ranges share one."""
    return _made(math.floor(low * _PER_DEGREE), math.ceil(high * _PER_DEGREE))


_PER_DEGREE = 20


@lru_cache(maxsize=64)
def _made(low: int, high: int) -> _Ruler:
    return _Ruler(low / _PER_DEGREE, high / _PER_DEGREE)


def _horner(fit: list[float], at: Floats) -> Floats:
    value = np.full(len(at), fit[-1])
    for coefficient in fit[-2::-1]:
        value *= at
        value += coefficient
    return value


def _sums(key: NDArray[Any], values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(key, weights=values, minlength=count), dtype=np.float64)


def metric(longitude: float, latitude: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a plane in metres about a place, and the way back.

    Parameters
    ----------
    longitude, latitude : float
        Degrees.

    Returns
    -------
    there, back : callable
        Each takes and gives an array of positions of shape (n, 2), east before north: there from
        degrees to metres, back from metres to degrees. Transverse Mercator on the CGCS2000
        ellipsoid with the scale 1 on the meridian of the place; 10 km beside it lengths are 1.2
        ppm too long.

    Examples
    --------
    A thousandth of a degree of the meridian at 39 N is 111.0 m:

    >>> there, back = metric(117.0, 39.0)
    >>> round(float(there(np.array([[117.0, 39.001]]))[0, 1]), 1)
    111.0
    """
    from pyproj import Transformer

    # As text: a NumPy number would write its type along.
    longitude, latitude = float(longitude), float(latitude)
    geod = crs.ellipsoid()
    plane = (
        f"+proj=tmerc +lat_0={latitude!r} +lon_0={longitude!r} +k=1 +a={geod.a!r} "
        f"+b={geod.b!r} +units=m +no_defs"
    )
    sphere = f"+proj=longlat +a={geod.a!r} +b={geod.b!r} +no_defs"
    transformer = Transformer.from_crs(sphere, plane, always_xy=True)

    def there(positions: Floats) -> Floats:
        return np.column_stack(transformer.transform(positions[:, 0], positions[:, 1]))

    def back(positions: Floats) -> Floats:
        return np.column_stack(
            transformer.transform(positions[:, 0], positions[:, 1], direction="INVERSE")
        )

    return there, back


def lengths(lines: ShapesLike) -> Floats:
    r"""Return the lengths of lines on the CGCS2000 ellipsoid.

    Parameters
    ----------
    lines : array_like of LineString or MultiLineString
        Longitude, latitude in degrees. Heights don't count.

    Returns
    -------
    numpy.ndarray of float64
        Metres, one for each line; 0.0 for an empty or missing one.

    Notes
    -----
    An edge is straight in longitude and latitude; its length is the integral of
    :math:`\\sqrt{(M\\,d\\varphi)^2 + (N\\cos\\varphi\\,d\\lambda)^2}` with the radii of
    curvature M and N, by Gauss and Legendre's rule. The sum over the parts of an edge is that of
    the edge to some 1e-15.

    Examples
    --------
    A thousandth of a degree of the meridian at 39 N:

    >>> lengths([shapely.LineString([(117, 39), (117, 39.001)])]).round(1)
    array([111.])
    """
    shapes = np.atleast_1d(np.asarray(lines, dtype=object))
    parts, owner = shapely.get_parts(shapes, return_index=True)
    coordinates, index = shapely.get_coordinates(parts, return_index=True)
    if len(coordinates) < 2:
        return np.zeros(len(shapes))
    step = np.diff(coordinates, axis=0)
    joined = index[1:] == index[:-1]
    ruler = _ruler(float(coordinates[:, 1].min()), float(coordinates[:, 1].max()))
    each = ruler.lengths(coordinates[:-1, 1], step[:, 0], step[:, 1])
    return _sums(owner[index[:-1]][joined], each[joined], len(shapes))


def areas(polygons: ShapesLike) -> Floats:
    r"""Return the areas of polygons on the CGCS2000 ellipsoid.

    Parameters
    ----------
    polygons : array_like of Polygon or MultiPolygon
        Longitude, latitude in degrees, valid. Holes are taken out. Other members of a collection
        have no area.

    Returns
    -------
    numpy.ndarray of float64
        Square metres, one for each polygon; 0.0 for an empty or missing one.

    Notes
    -----
    By Green's theorem the area is :math:`\oint S(\varphi)\,d\lambda`, where
    :math:`S' = M N \cos\varphi`. S is taken from the middle latitude of the polygon, so that
    small areas keep all their digits.

    Examples
    --------
    A hundredth of a degree each way at 39 N, 0.866 km by 1.110 km:

    >>> float(areas([shapely.box(117, 39, 117.01, 39.01)])[0].round(-2))
    961600.0
    """
    shapes = np.atleast_1d(np.asarray(polygons, dtype=object))
    total = np.zeros(len(shapes))
    parts, owner = _polygon_parts(shapes)
    if not len(parts):
        return total
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(np.concatenate(([True], ring[1:] != ring[:-1])))
    bounds = shapely.bounds(shapes)
    reference = ((bounds[:, 1] + bounds[:, 3]) / 2)[owner[ring_part]]
    lat0 = reference[ring[:-1]]
    step = np.diff(coordinates, axis=0)
    joined = ring[1:] == ring[:-1]
    lat, dlon, dlat = coordinates[:-1, 1], step[:, 0], step[:, 1]
    each = _strip(lat, dlat, lat0, _NODES_SHORT) * dlon
    long = (np.abs(dlat) > _SHORT_DEG) | (np.abs(lat - lat0) > _SHORT_DEG)
    if long.any():
        each[long] = _strip(lat[long], dlat[long], lat0[long], _NODES_LONG) * dlon[long]
    each[~joined] = 0.0
    signed = np.abs(np.add.reduceat(np.append(each, 0.0), first))
    # The first ring of a part is its shell, the others are holes.
    shell = np.concatenate(([True], ring_part[1:] != ring_part[:-1]))
    signed[~shell] *= -1
    return _sums(owner[ring_part], signed, len(shapes))


def _strip(lat: Floats, dlat: Floats, lat0: Floats, nodes: tuple[Floats, Floats]) -> Floats:
    """Mean of S over edges, square metres per degree of longitude."""
    total = np.zeros(len(lat))
    for node, weight in zip(*nodes, strict=True):
        height = lat + dlat * ((1.0 + float(node)) / 2) - lat0
        mean = np.zeros(len(lat))
        for inner_node, inner_weight in zip(*nodes, strict=True):
            east, north = _scale(lat0 + height * ((1.0 + float(inner_node)) / 2))
            mean += east * north * (float(inner_weight) / 2)
        total += mean * height * (float(weight) / 2)
    return total


def _polygon_parts(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Polygons of shapes that may be collections, with the row each comes from."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    if (shapely.get_type_id(parts) == 6).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    return parts[keep], owner[keep].astype(np.int64)


# ------------------------------------------------------------------ polygons by polygons


def _only_polygons(shapes: Shapes) -> Shapes:
    """Drop the points and lines at which polygons merely touch."""
    out = np.array(shapes, dtype=object)
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(out), _AREA_TYPES)):
        parts, _ = _polygon_parts(out[row : row + 1])
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
    good = np.ones(len(parts_of), dtype=bool)
    np.logical_and.at(good, row, right)
    return good


Operation = Callable[[Shapes, Shapes, "float | None"], Shapes]


def _meet(one: Shapes, two: Shapes, grid: float | None) -> Shapes:
    return _only_polygons(shapely.intersection(one, two, grid_size=grid))


def _rest(one: Shapes, two: Shapes, grid: float | None) -> Shapes:
    return _only_polygons(shapely.difference(one, two, grid_size=grid))


def _guarded(one: ShapesLike, two: ShapesLike, wanted: Operation) -> Shapes:
    first, second = np.broadcast_arrays(
        np.atleast_1d(np.asarray(one, dtype=object)), np.atleast_1d(np.asarray(two, dtype=object))
    )
    out: Shapes = np.full(len(first), shapely.Polygon(), dtype=object)
    todo = np.arange(len(first))
    for grid in (None, GRID_DEG):
        a, b = first[todo], second[todo]
        if grid is not None:
            a, b = shapely.set_precision(a, grid), shapely.set_precision(b, grid)
        both, rest = _meet(a, b, grid), _rest(a, b, grid)
        good = _sound(both, a, b, _meet(b, a, grid), rest, _rest(b, a, grid), grid)
        out[todo[good]] = (both if wanted is _meet else rest)[good]
        todo = todo[~good]
        if not len(todo):
            return out
    where = shapely.bounds(first[todo[0]])
    raise GeometryError(
        f"{len(todo)} pair(s) of polygons can't be overlaid: the result fails its checks on the "
        f"plain coordinates and on a grid of {GRID_DEG} degrees; the first pair lies at "
        f"{where[0]:.5f}, {where[1]:.5f}: simplify it there"
    )


def intersection(one: ShapesLike, two: ShapesLike) -> Shapes:
    """Return what two polygons share, checked.

    GEOS has returned, without an error, far too much or nothing at all for polygons whose edges
    nearly coincide. So every result is held to what a right one fulfils: it lies within both
    bounding boxes, is no larger than either polygon, is the same with the operands swapped, and
    makes up the first polygon together with the difference. What fails is computed once more on
    a fine grid.

    Parameters
    ----------
    one, two : array_like of Polygon or MultiPolygon
        Valid, of the same length, or a single one.

    Returns
    -------
    numpy.ndarray of object
        Polygons and MultiPolygons; an empty Polygon where two only touch or don't meet.

    Raises
    ------
    GeometryError
        If a result fails its checks on the fine grid too.

    Examples
    --------
    >>> both = intersection(shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3))
    >>> both[0].equals(shapely.box(1, 1, 2, 2))
    True
    >>> intersection(shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1))[0].is_empty
    True
    """
    return _guarded(one, two, _meet)


def difference(one: ShapesLike, two: ShapesLike) -> Shapes:
    """Return what a polygon doesn't share with another, checked as in `intersection`.

    Parameters
    ----------
    one, two : array_like of Polygon or MultiPolygon
        Valid, of the same length, or a single one.

    Returns
    -------
    numpy.ndarray of object
        Polygons and MultiPolygons; an empty Polygon where nothing is left.

    Raises
    ------
    GeometryError
        If a result fails its checks on the fine grid too.

    Examples
    --------
    >>> left = difference(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1))
    >>> left[0].equals(shapely.box(0, 0, 1, 1))
    True
    """
    return _guarded(one, two, _rest)


def union(shapes: ShapesLike) -> shapely.Geometry:
    """Return what polygons cover together, checked.

    As with `intersection`, GEOS has lost polygons here without an error. So the result is held
    to what a right one fulfils: it is valid, is no smaller than the largest polygon and no larger
    than all of them together, has their common bounding box, and holds an inner point of each.
    What fails is computed once more on a fine grid.

    Parameters
    ----------
    shapes : array_like of Polygon or MultiPolygon
        Valid.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        An empty Polygon for no polygons, or for empty ones only.

    Raises
    ------
    GeometryError
        If the result fails its checks on the fine grid too.

    Examples
    --------
    >>> union([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)]).area
    3.0
    >>> union([]).is_empty
    True
    """
    parts: Shapes = np.atleast_1d(np.asarray(shapes, dtype=object))
    parts = parts[~shapely.is_empty(parts)]
    if not len(parts):
        return shapely.Polygon()
    for grid in (None, GRID_DEG):
        items = parts if grid is None else shapely.set_precision(parts, grid)
        whole = shapely.union_all(items, grid_size=grid)
        if _holds(whole, parts, grid):
            return whole
    where = shapely.total_bounds(parts)
    raise GeometryError(
        f"{len(parts)} polygons can't be joined: the result fails its checks on the plain "
        f"coordinates and on a grid of {GRID_DEG} degrees; they lie around {where[0]:.5f}, "
        f"{where[1]:.5f}: simplify them, or leave out slivers"
    )


def _holds(whole: shapely.Geometry, parts: Shapes, grid: float | None) -> bool:
    """Whether a union passes what every right one fulfils."""
    if shapely.is_empty(whole) or shapely.get_type_id(whole) not in _AREA_TYPES:
        return False
    if not shapely.is_valid(whole):
        return False
    sizes = _flat(parts)
    around = shapely.length(parts)
    slack = 1e-10 * sizes + (1e-12 + (grid or 0.0)) * around
    size = float(shapely.area(whole))
    if not float((sizes - slack).max()) <= size <= float((sizes + slack).sum()):
        return False
    real = sizes > slack
    if np.abs(shapely.total_bounds(parts[real]) - shapely.bounds(whole)).max() > 1e-8:
        return False
    return bool(shapely.intersects(whole, shapely.point_on_surface(parts[real])).all())


# ------------------------------------------------------------------ boundaries and their raster


@dataclass(frozen=True)
class _Edges:
    """Edges of all areas: each once, with the areas whose boundary it is."""

    ends: Floats  # (n, 4): x0, y0, x1, y1
    first: Ints  # edge e has the rows first[e] up to first[e + 1] of what follows
    area: Ints
    on: Bools  # (rows, 2): whether the area's boundary goes on about straight at either end


def _edges(shapes: Shapes) -> _Edges:
    parts, owner = _polygon_parts(shapes)
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
    fresh[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    first = np.append(np.flatnonzero(fresh), len(ends))
    return _Edges(ends[fresh], first, area, on)


def _goes_on(ends: Floats, ring: Ints) -> Bools:
    """Whether rings turn by less than `CORNER_DEG` at the start and the end of each edge."""
    if not len(ends):
        return np.zeros((0, 2), dtype=np.bool_)
    east, north = _scale(ends[:, 1])
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


def _spread(count: Ints) -> tuple[Ints, Ints]:
    """Rows repeated as often as told, and the number of each repetition."""
    row = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return row, np.arange(len(row)) - start[row]


def _distinct(values: Ints) -> Ints:
    """Sorted, each once. What comes in is nearly sorted: a stable sort has little to do."""
    values = np.sort(values, kind="stable")
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = values[1:] != values[:-1]
    return values[fresh]


class _Raster:
    """Cells over the areas: does a boundary pass, and if not, what is the cell in."""

    def __init__(self, edges: _Edges, key: Hashes, pad: tuple[float, float], cells: int) -> None:
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
        row, number = _spread(count)
        share = np.column_stack((number, number + 1)) / count[row][:, None]
        x = ends[row, 0:1] + (ends[row, 2:3] - ends[row, 0:1]) * share
        y = ends[row, 1:2] + (ends[row, 3:4] - ends[row, 1:2]) * share
        c0, r0, c1, r1 = self.cells(
            x.min(axis=1) - pad[0], y.min(axis=1) - pad[1],
            x.max(axis=1) + pad[0], y.max(axis=1) + pad[1],
        )  # fmt: skip
        # Which edges pass by each cell: a list for each, one after the other.
        wide = c1 - c0
        piece, number = _spread(wide * (r1 - r0))
        down, across = np.divmod(number, wide[piece])
        down += r0[piece]
        down *= self.columns
        down += c0[piece]
        down += across
        down *= len(ends)
        down += row[piece]
        listed = _distinct(down)
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
        box, number = _spread(wide * (r1 - r0))
        down, across = np.divmod(number, wide[box])
        cell = (r0[box] + down) * self.columns + c0[box] + across
        here, number = _spread(self._first[cell + 1] - self._first[cell])
        edge = self._edge[self._first[cell[here]] + number]
        box = box[here]
        ends = self._ends[edge]
        near = (ends[:, 0] - self._pad[0] <= xmax[box]) & (ends[:, 2] + self._pad[0] >= xmin[box])
        near &= np.minimum(ends[:, 1], ends[:, 3]) - self._pad[1] <= ymax[box]
        near &= np.maximum(ends[:, 1], ends[:, 3]) + self._pad[1] >= ymin[box]
        box, edge = box[near], edge[near]
        # A box over several cells meets an edge more than once.
        pairs = _distinct(box * len(self._ends) + edge)
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
        edge, number = _spread(last - first)
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


class _Finder:
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
        area, number = _spread(wide * (box[:, 3] - box[:, 1]))
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
        point, number = _spread(self._first[cell + 1] - self._first[cell])
        area = self._area[self._first[cell[point]] + number]
        box = self._bounds[area]
        px, py = x[point], y[point]
        near = (px > box[:, 0]) & (px < box[:, 2]) & (py > box[:, 1]) & (py < box[:, 3])
        return point[near], area[near]

    def contain(self, area: Ints, x: Floats, y: Floats) -> Bools:
        """Whether each area holds the point beside it."""
        return np.asarray(shapely.contains_xy(self._shapes[area], x, y), dtype=np.bool_)


# ------------------------------------------------------------------ lines by areas


@dataclass(frozen=True)
class Cut:
    """Lines cut into pieces by areas.

    A position on a line is the number of an edge plus the share of that edge, so 0.0 is the
    first vertex and 1.5 the middle of the second edge. The pieces of one line follow each other
    and make up the line.

    Attributes
    ----------
    lines : numpy.ndarray of LineString
        What was cut.
    line : numpy.ndarray of int64
        Which line each piece is of, ascending.
    start, stop : numpy.ndarray of float64
        Positions at which the piece begins and ends.
    length_m : numpy.ndarray of float64
        On the CGCS2000 ellipsoid.
    state : numpy.ndarray of int64
        Row in the table of states.
    near : numpy.ndarray of bool
        Whether the piece's line comes near a boundary at all.
    line_length_m : numpy.ndarray of float64
        Of each line, summed over its uncut edges.
    line_run : numpy.ndarray of float64, shape (n, 2)
        How far each line goes east or west, and north or south, edge by edge; degrees.
    state_first : numpy.ndarray of int64
        State s has the rows ``state_first[s]`` up to ``state_first[s + 1]`` of the next two.
    state_area, state_on : numpy.ndarray of int64
        An area, by its number, and `INSIDE` or `BOUNDARY`. An area that isn't listed has the
        piece outside.
    boundary_m : float
        The tolerance within which a line runs along a boundary.
    """

    lines: Shapes
    line: Ints
    start: Floats
    stop: Floats
    length_m: Floats
    state: Ints
    near: Bools
    line_length_m: Floats
    line_run: Floats
    state_first: Ints
    state_area: Ints
    state_on: Ints
    boundary_m: float

    @cached_property
    def whole(self) -> Bools:
        """Whether a piece is a whole line."""
        alone = np.bincount(self.line, minlength=len(self.lines)) == 1
        return np.asarray(alone[self.line], dtype=np.bool_)

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """Return the states of all pieces, one row for each piece and area.

        Returns
        -------
        piece, area, on : numpy.ndarray of int64
        """
        count = np.diff(self.state_first)[self.state]
        piece, number = _spread(count)
        at = self.state_first[self.state[piece]] + number
        return piece, self.state_area[at], self.state_on[at]

    def lengths_by_area(self, count: int) -> tuple[Floats, Floats]:
        """Return the length inside and along the boundary of each area.

        Parameters
        ----------
        count : int
            How many areas there are.

        Returns
        -------
        inside_m, boundary_m : numpy.ndarray of float64
        """
        piece, area, on = self.rows()
        length = self.length_m[piece]
        both = _sums(area * 2 + on, length, 2 * count)
        return both[0::2], both[1::2]

    def ends(self, pieces: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """Return where pieces begin and end, and the line's step there.

        Parameters
        ----------
        pieces : numpy.ndarray of int64
            Ascending.

        Returns
        -------
        first, last : numpy.ndarray of float64, shape (n, 2)
            Longitude, latitude. Pieces that follow each other share them to the last bit.
        ahead, behind : numpy.ndarray of float64, shape (n, 2)
            The edge in which the piece begins and the one in which it ends, along the line,
            degrees.
        """
        coordinates, offset = self._vertices(pieces)
        start, stop = self.start[pieces], self.stop[pieces]
        begin = offset + np.floor(start).astype(np.int64)
        end = offset + np.ceil(stop).astype(np.int64)
        return (
            _along(coordinates, offset, start),
            _along(coordinates, offset, stop),
            coordinates[begin + 1] - coordinates[begin],
            coordinates[end] - coordinates[end - 1],
        )

    def _vertices(self, pieces: Ints) -> tuple[Floats, Ints]:
        """Vertices of the lines of pieces (ascending), and where each piece's line begins."""
        line = self.line[pieces]
        fresh = np.ones(len(line), dtype=bool)
        fresh[1:] = line[1:] != line[:-1]
        used = self.lines[line[fresh]]
        coordinates, index = shapely.get_coordinates(used, return_index=True)
        first = np.append(0, np.cumsum(np.bincount(index, minlength=len(used))))
        return coordinates, first[np.cumsum(fresh) - 1]

    def geometries(self) -> Shapes:
        """Return the pieces as lines; a whole line is the very one that was given.

        Returns
        -------
        numpy.ndarray of LineString
        """
        out = self.lines[self.line]
        cut = np.flatnonzero(~self.whole)
        if not len(cut):
            return out
        coordinates, offset = self._vertices(cut)
        low = np.floor(self.start[cut]).astype(np.int64) + 1
        high = np.ceil(self.stop[cut]).astype(np.int64) - 1
        inner = np.maximum(high - low + 1, 0)
        piece, number = _spread(inner + 2)
        last = inner[piece] + 1
        at = np.where(
            number == 0,
            self.start[cut][piece],
            np.where(number == last, self.stop[cut][piece], low[piece] + number - 1),
        )
        points = _along(coordinates, offset[piece], at)
        out[cut] = shapely.linestrings(points, indices=piece)
        return out


def _along(coordinates: Floats, offset: Ints, at: Floats) -> Floats:
    """Points at positions of lines whose vertices start at `offset`."""
    whole = np.floor(at).astype(np.int64)
    share = (at - whole)[:, None]
    before = coordinates[offset + whole]
    after = coordinates[np.minimum(offset + whole + 1, len(coordinates) - 1)]
    points: Floats = np.where(share == 0.0, before, before + (after - before) * share)
    return points


def cut_lines(
    lines: ArrayLike,
    areas: ArrayLike,
    *,
    boundary_m: float = 0.0,
    heard: Callable[[int, int], None] | None = None,
) -> Cut:
    """Cut lines by areas into pieces inside, along the boundary and outside of each.

    Parameters
    ----------
    lines : array_like of LineString
        Longitude, latitude in degrees; none empty.
    areas : array_like of Polygon or MultiPolygon
        Valid, in the same coordinates. They may overlap; edges that several areas share are one
        boundary.
    boundary_m : float
        How near an edge of a boundary a line must be to run along it, metres. Lines that lie on
        an edge run along it even at 0.0 (within `LEAST_M`).
    heard : callable, optional
        Is told, every 8192 lines, how many are done and of how many.

    Returns
    -------
    Cut
        Over a piece nothing changes: it is inside, along or outside of each area as a whole.

    Raises
    ------
    GeometryError
        For geometry of another type, for empty or missing geometry and for invalid areas.
    ValueError
        For a tolerance that is negative or no number.

    Examples
    --------
    A street of three thousandths of a degree crosses the boundary a third of the way; another
    runs along it:

    >>> street = shapely.LineString([(116.999, 39.5), (117.002, 39.5)])
    >>> border = shapely.LineString([(117, 39.2), (117, 39.3)])
    >>> cut = cut_lines([street, border], [shapely.box(117, 39, 118, 40)])
    >>> [int(n) for n in cut.line]
    [0, 0, 1]
    >>> inside, along = cut.lengths_by_area(1)
    >>> round(float(inside[0] / cut.line_length_m[0]), 6)
    0.666667
    >>> round(float(along[0] / cut.line_length_m[1]), 6)
    1.0
    """
    if not boundary_m >= 0 or math.isinf(boundary_m):
        raise ValueError(f"boundary_m is {boundary_m}; give metres, zero or more")
    shapes = np.atleast_1d(np.asarray(lines, dtype=object))
    fields = np.atleast_1d(np.asarray(areas, dtype=object))
    _refuse(shapes, (1,), "line", "LineString")
    _refuse(fields, _AREA_TYPES, "area", "Polygon or MultiPolygon")
    broken = np.flatnonzero(~shapely.is_valid(fields))
    if len(broken):
        reason = shapely.is_valid_reason(fields[broken[0]])
        raise GeometryError(f"area {broken[0]} is invalid ({reason}); use shapely.make_valid")
    return _Cutter(fields, max(boundary_m, LEAST_M), len(shapes)).cut(shapes, heard)


def _refuse(shapes: Shapes, types: tuple[int, ...], what: str, wanted: str) -> None:
    kinds = shapely.get_type_id(shapes)
    wrong = kinds != types[0]
    if len(types) > 1:
        wrong = ~np.isin(kinds, types)
    wrong |= shapely.is_empty(shapes)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        shape = shapes[row]
        name = "missing" if shape is None else f"a {'n empty ' * shape.is_empty}{shape.geom_type}"
        raise GeometryError(
            f"{what} {row} is {name.replace('a n empty', 'an empty')}; give {wanted}, not empty"
        )


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
        self.edges = _edges(shapes)
        random = np.random.default_rng(20210301)
        # Independent 64-bit keys: a set of areas is told by the exclusive or of its members.
        keys = random.integers(1, 2**63, size=(2, max(self.count, 1)), dtype=np.uint64)
        self.keys = keys
        self.finder = _Finder(shapes)
        self.known: dict[int, int] = {0: 0}
        self.state_area: list[Ints] = [np.zeros(0, dtype=np.int64)]
        self.state_on: list[Ints] = [np.zeros(0, dtype=np.int64)]
        self.raster: _Raster | None = None
        if not len(self.edges.ends):
            return
        latitudes = self.edges.ends[:, [1, 3]]
        self.east, self.north = _scale(latitudes.mean(axis=1))
        south, north = latitudes.min(), latitudes.max()
        east, up = _scale(np.array([max(abs(south), abs(north)), 0.0]))
        self.pad = (
            tolerance / float(east[0]) * 1.02 + 1e-9,
            tolerance / float(up[1]) * 1.02 + 1e-9,
        )
        cells = int(np.clip(2 * expected, 1 << 12, 1 << 22))
        self.raster = _Raster(self.edges, keys[INSIDE], self.pad, cells)

    def cut(self, lines: Shapes, heard: Callable[[int, int], None] | None) -> Cut:
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
            if heard is not None:
                heard(high, count)
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
        ruler = _ruler(south, north)
        edge_length = ruler.lengths(y, dx, dy)
        count = len(lines)
        total = _sums(index, edge_length, count)
        run = np.column_stack((_sums(index, np.abs(dx), count), _sums(index, np.abs(dy), count)))
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
        cut = self._cut_near(dirty, first, vertices, x, y, dx, dy, edge_length, ruler)
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
                "an area's outline contradicts itself: its raster and its polygon disagree on "
                "what lies inside; check that the areas are valid"
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
        ruler: _Ruler,
    ) -> tuple[Ints, Floats, Floats, Floats, Ints, Bools]:
        assert self.raster is not None
        local, number = _spread(vertices[dirty] - 1)
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
        count = len(at)
        rows = np.concatenate((when_row, run_row, run_row))
        times = np.concatenate((when, low, high))
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
        split = (times > 0.0) | (until < 1.0)
        length = edge_length[at][rows]
        part = np.flatnonzero(split)
        span = until[part] - times[part]
        length[part] = ruler.lengths(
            y0[rows[part]] + ey[rows[part]] * times[part],
            ex[rows[part]] * span,
            ey[rows[part]] * span,
        )
        head = np.flatnonzero(lead)
        tail = np.append(head[1:], len(rows)) - 1
        codes = self._codes(hashes, head, calm, mx, my, piece, area, on)
        base = number.astype(np.float64)[rows]
        return (
            line[head],
            base[head] + times[head],
            base[tail] + until[tail],
            np.add.reduceat(length, head),
            codes,
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
        pair, number = _spread(self.edges.first[edge[pick] + 1] - begin)
        own = begin[pair] + number
        pick = pick[pair]
        low, high = _within(
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
        run, number = _spread(count)
        piece = begin[run] + number
        hit = (middle[piece] > low[run]) & (middle[piece] < high[run])
        bound = _distinct(piece[hit] * self.count + run_area[run[hit]])
        # Where a piece runs along, it needn't be told whether it is inside.
        point, inside = self.finder.near(mx[loud], my[loud])
        within = loud[point] * self.count + inside
        if len(bound):
            place = np.minimum(np.searchsorted(bound, within), len(bound) - 1)
            free = bound[place] != within
            point, inside, within = point[free], inside[free], within[free]
        within = within[self.finder.contain(inside, mx[loud[point]], my[loud[point]])]
        key = np.concatenate((within, bound))
        on = np.repeat((INSIDE, BOUNDARY), (len(within), len(bound)))
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


def _within(
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
