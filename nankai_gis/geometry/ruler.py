r"""The one ruler: areas and lengths on the CGCS2000 ellipsoid, and planar areas beside them.

Edges are straight in longitude and latitude, as RFC 7946 has them and as they are cut. Over 2 km
at 39 N such an edge lies up to 6 cm beside the geodesic, which on the plan's polygons would be up
to 30 ppm of the area.

- The length of an edge is the integral of
  :math:`\sqrt{(M\,d\varphi)^2 + (N\cos\varphi\,d\lambda)^2}`, with the radii of curvature M and N.
- The area of a ring is :math:`\oint S(\varphi)\,d\lambda` by Green's theorem, where
  :math:`S' = M N \cos\varphi`. S is taken from the middle latitude of the polygon, so that small
  areas keep all their digits.

Both are summed by Gauss and Legendre's rule, so a cut edge is as long as its parts to some 1e-15.
``pyproj.Geod`` measures geodesics only: on points every 2e-4 degrees of each edge it agrees to
3e-9 in areas and 6.5e-12 in lengths, but a cut would change its sums, and it takes one geometry at
a time. `area`, `perimeter`, `length` and `planar_area` need NumPy only; `areas` and `lengths` take
arrays of Shapely geometries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nankai_gis.errors import GeometryError
from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints, ShapesLike, spread, sums
from nankai_gis.words import tr

__all__ = [
    "DegreeScale",
    "area",
    "areas",
    "as_mapping",
    "degree_scale",
    "length",
    "lengths",
    "metres_per_degree",
    "perimeter",
    "planar_area",
]

Coordinates = Sequence[Sequence[float]]
#: A geometry with ``__geo_interface__``, or its GeoJSON mapping.
GeoInterface = Any

# Abscissae and weights on [-1, 1]. The error of a mean is of the order of the edge's extent in
# radians to the fourth power over 4320, or to the 24th: two nodes do up to 0.25 degrees.
_TWO_NODES = np.polynomial.legendre.leggauss(2)
_TWELVE_NODES = np.polynomial.legendre.leggauss(12)
_SHORT_DEG = 0.25
# Degrees between points on an edge that is projected: the chord is then within 1e-8 of the area.
_PLANAR_STEP_DEG = 2e-4


# ------------------------------------------------------------------ metres per degree


def metres_per_degree(latitude: Floats) -> tuple[Floats, Floats]:
    """Return metres per degree of longitude and of latitude on the CGCS2000 ellipsoid.

    Parameters
    ----------
    latitude : numpy.ndarray of float64
        Degrees.

    Returns
    -------
    east, north : numpy.ndarray of float64
        N cos(latitude) and M, the radii of curvature, times a degree in radians.

    Examples
    --------
    >>> [value.round(-1).tolist() for value in metres_per_degree(np.array([39.0]))]
    [[86630.0], [111020.0]]
    """
    geod = crs.ellipsoid()
    sine2 = np.sin(np.radians(latitude)) ** 2
    below = 1.0 - geod.es * sine2
    root = np.sqrt(below)
    degree = math.pi / 180.0
    east = (geod.a * degree) * np.sqrt(1.0 - sine2) / root
    north = (geod.a * (1.0 - geod.es) * degree) / (below * root)
    return east, north


class DegreeScale:
    """Metres per degree over a range of latitudes, by polynomials good to 1e-14.

    Polynomials need no sines and roots, which are most of the time of a long list of edges.

    Parameters
    ----------
    low, high : float
        Degrees.
    """

    _DEGREE = 8

    def __init__(self, low: float, high: float) -> None:
        self._middle = (low + high) / 2
        self._half = max((high - low) / 2, 1e-4)
        self._fits: list[list[float]] | None = None
        # The terms fall off like (half in radians) ** k / k!, on the sphere.
        if self._half <= 1.0:
            nodes = np.cos(np.pi * (np.arange(24) + 0.5) / 24)
            self._fits = [
                self._fit(nodes, values)
                for values in metres_per_degree(self._middle + self._half * nodes)
            ]

    def _fit(self, nodes: Floats, values: Floats) -> list[float]:
        """Coefficients from the constant term upwards, without those below rounding."""
        fit = np.polynomial.chebyshev.chebfit(nodes, values, self._DEGREE)
        last = int(np.flatnonzero(np.abs(fit) > 1e-15 * abs(fit[0]))[-1])
        return [float(c) for c in np.polynomial.chebyshev.cheb2poly(fit[: last + 1])]

    def at(self, latitude: Floats) -> tuple[Floats, Floats]:
        """Return metres per degree of longitude and of latitude.

        Parameters
        ----------
        latitude : numpy.ndarray of float64
            Degrees, within the range.

        Returns
        -------
        east, north : numpy.ndarray of float64

        Examples
        --------
        >>> [value.round(-1).tolist() for value in DegreeScale(38, 40).at(np.array([39.0]))]
        [[86630.0], [111020.0]]
        """
        if self._fits is None:
            return metres_per_degree(latitude)
        offset = (latitude - self._middle) * (1.0 / self._half)
        east, north = (_horner(fit, offset) for fit in self._fits)
        return east, north

    def edge_lengths(self, lat: Floats, dlon: Floats, dlat: Floats) -> Floats:
        """Return the lengths of straight edges.

        Parameters
        ----------
        lat, dlon, dlat : numpy.ndarray of float64
            Latitude at which each edge starts, and its step; degrees.

        Returns
        -------
        numpy.ndarray of float64
            Metres.

        Examples
        --------
        >>> one = np.array([0.001])
        >>> DegreeScale(38, 40).edge_lengths(np.array([39.0]), 0 * one, one).round(1)
        array([111.])
        """
        total = self._means(lat, dlon, dlat, _TWO_NODES)
        long = np.abs(dlat) > _SHORT_DEG
        if long.any():
            total[long] = self._means(lat[long], dlon[long], dlat[long], _TWELVE_NODES)
        return total

    def _means(
        self, lat: Floats, dlon: Floats, dlat: Floats, nodes: tuple[Floats, Floats]
    ) -> Floats:
        total = np.zeros(len(lat))
        for node, weight in zip(*nodes, strict=True):
            east, north = self.at(lat + dlat * ((1.0 + float(node)) / 2))
            # In place: the arrays are as long as the network has edges.
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

    def edge_areas(self, lat: Floats, dlon: Floats, dlat: Floats, lat0: Floats) -> Floats:
        """Return the areas between straight edges and the parallels `lat0`.

        Parameters
        ----------
        lat, dlon, dlat, lat0 : numpy.ndarray of float64
            As in `edge_lengths`; `lat0` for each edge.

        Returns
        -------
        numpy.ndarray of float64
            Square metres; negative for an edge that runs westward above its parallel.

        Examples
        --------
        >>> lat, lat0, one = np.array([39.01]), np.array([39.0]), np.array([0.01])
        >>> DegreeScale(38, 40).edge_areas(lat, one, 0 * one, lat0).round(-2)
        array([961600.])
        """
        each = self._strips(lat, dlat, lat0, _TWO_NODES) * dlon
        long = (np.abs(dlat) > _SHORT_DEG) | (np.abs(lat - lat0) > _SHORT_DEG)
        if long.any():
            strips = self._strips(lat[long], dlat[long], lat0[long], _TWELVE_NODES)
            each[long] = strips * dlon[long]
        return each

    def _strips(
        self, lat: Floats, dlat: Floats, lat0: Floats, nodes: tuple[Floats, Floats]
    ) -> Floats:
        """Mean of S over each edge, square metres per degree of longitude."""
        total = np.zeros(len(lat))
        for node, weight in zip(*nodes, strict=True):
            height = lat + dlat * ((1.0 + float(node)) / 2) - lat0
            mean = np.zeros(len(lat))
            for inner_node, inner_weight in zip(*nodes, strict=True):
                east, north = self.at(lat0 + height * ((1.0 + float(inner_node)) / 2))
                mean += east * north * (float(inner_weight) / 2)
            total += mean * height * (float(weight) / 2)
        return total


def _horner(fit: list[float], offset: Floats) -> Floats:
    value = np.full(len(offset), fit[-1])
    for coefficient in fit[-2::-1]:
        value *= offset
        value += coefficient
    return value


_PER_DEGREE = 20


def degree_scale(low: float, high: float) -> DegreeScale:
    """Return the scale over a range of latitudes and a little more, so that neighbours share one.

    Parameters
    ----------
    low, high : float
        Degrees.

    Returns
    -------
    DegreeScale

    Examples
    --------
    >>> degree_scale(39.01, 39.02) is degree_scale(39.03, 39.04)
    True
    """
    return _made(math.floor(low * _PER_DEGREE), math.ceil(high * _PER_DEGREE))


@lru_cache(maxsize=64)
def _made(low: int, high: int) -> DegreeScale:
    return DegreeScale(low / _PER_DEGREE, high / _PER_DEGREE)


# ------------------------------------------------------------------ sequences of vertices


def _path_lengths(coordinates: Floats, path: Ints, count: int) -> Floats:
    """Lengths of paths whose vertices follow each other; `path` numbers the path of each."""
    if len(coordinates) < 2:
        return np.zeros(count)
    step = np.diff(coordinates, axis=0)
    joined = path[1:] == path[:-1]
    scale = degree_scale(float(coordinates[:, 1].min()), float(coordinates[:, 1].max()))
    each = scale.edge_lengths(coordinates[:-1, 1], step[:, 0], step[:, 1])
    return sums(path[:-1][joined], each[joined], count)


def _ring_areas(coordinates: Floats, ring: Ints, lat0: Floats) -> Floats:
    """Areas of rings, whichever way they run; `lat0` is the reference latitude of each ring."""
    first = np.flatnonzero(np.concatenate(([True], ring[1:] != ring[:-1])))
    step = np.diff(coordinates, axis=0)
    scale = degree_scale(float(coordinates[:, 1].min()), float(coordinates[:, 1].max()))
    each = scale.edge_areas(coordinates[:-1, 1], step[:, 0], step[:, 1], lat0[ring[:-1]])
    # The step from the end of a ring to the start of the next is no edge.
    each[ring[1:] != ring[:-1]] = 0.0
    return np.abs(np.add.reduceat(np.append(each, 0.0), first))


# ------------------------------------------------------------------ arrays of geometries


def lengths(lines: ShapesLike) -> Floats:
    """Return the lengths of lines on the CGCS2000 ellipsoid.

    Parameters
    ----------
    lines : array_like of LineString or MultiLineString
        Longitude, latitude in degrees. Heights don't count.

    Returns
    -------
    numpy.ndarray of float64
        Metres, one for each line; 0.0 for an empty or missing one.

    Examples
    --------
    A thousandth of a degree of the meridian at 39 N:

    >>> import shapely
    >>> lengths([shapely.LineString([(117, 39), (117, 39.001)])]).round(1)
    array([111.])
    """
    import shapely

    shapes = np.atleast_1d(np.asarray(lines, dtype=object))
    parts, owner = shapely.get_parts(shapes, return_index=True)
    coordinates, part = shapely.get_coordinates(parts, return_index=True)
    return sums(owner, _path_lengths(coordinates, part, len(parts)), len(shapes))


def areas(polygons: ShapesLike) -> Floats:
    """Return the areas of polygons on the CGCS2000 ellipsoid.

    Parameters
    ----------
    polygons : array_like of Polygon or MultiPolygon
        Longitude, latitude in degrees, valid. Holes are taken out. Other members of a collection
        have no area.

    Returns
    -------
    numpy.ndarray of float64
        Square metres, one for each polygon; 0.0 for an empty or missing one.

    Examples
    --------
    A hundredth of a degree each way at 39 N, 0.866 km by 1.110 km:

    >>> import shapely
    >>> float(areas([shapely.box(117, 39, 117.01, 39.01)])[0].round(-2))
    961600.0
    """
    import shapely

    from nankai_gis.geometry.polygons import polygon_parts

    shapes = np.atleast_1d(np.asarray(polygons, dtype=object))
    parts, owner = polygon_parts(shapes)
    if not len(parts):
        return np.zeros(len(shapes))
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    bounds = shapely.bounds(shapes)
    middle = (bounds[:, 1] + bounds[:, 3]) / 2
    size = _ring_areas(coordinates, ring, middle[owner[ring_part]])
    # The first ring of a part is its shell, the others are holes.
    hole = np.concatenate(([False], ring_part[1:] == ring_part[:-1]))
    size[hole] *= -1
    return sums(owner[ring_part], size, len(shapes))


# ------------------------------------------------------------------ single geometries


def as_mapping(geometry: GeoInterface) -> Mapping[str, Any]:
    """Return the GeoJSON mapping of a geometry.

    Parameters
    ----------
    geometry : object with ``__geo_interface__``, or mapping

    Returns
    -------
    mapping

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> as_mapping({"type": "Point", "coordinates": [117, 39]})["type"]
    'Point'
    """
    if isinstance(geometry, Mapping):
        return geometry
    mapping: Mapping[str, Any] | None = getattr(geometry, "__geo_interface__", None)
    if mapping is None:
        raise TypeError(f"{type(geometry).__name__} is neither a geometry nor a GeoJSON mapping")
    return mapping


def _rings(geometry: GeoInterface) -> tuple[list[Coordinates], Floats]:
    """Rings of polygons, and 1.0 for a shell or -1.0 for a hole beside each."""
    shape = as_mapping(geometry)
    if shape["type"] not in ("Polygon", "MultiPolygon"):
        raise GeometryError(
            tr("a {type} has no area; give a Polygon or a MultiPolygon", type=shape["type"])
        )
    several = shape["type"] == "MultiPolygon"
    polygons = shape["coordinates"] if several else [shape["coordinates"]]
    rings = [ring for polygon in polygons for ring in polygon]
    sign = [1.0 if k == 0 else -1.0 for polygon in polygons for k in range(len(polygon))]
    return rings, np.array(sign)


def _stacked(paths: Sequence[Coordinates]) -> tuple[Floats, Ints]:
    """Positions of all paths, and the number of the path of each. Heights are left out."""
    positions = np.array([p[:2] for path in paths for p in path], dtype=np.float64)
    path, _ = spread(np.array([len(path) for path in paths], dtype=np.int64))
    return positions.reshape(-1, 2), path


def area(geometry: GeoInterface) -> float:
    """Return the area of a polygon on the CGCS2000 ellipsoid.

    Parameters
    ----------
    geometry : Polygon or MultiPolygon, or its GeoJSON mapping
        Longitude, latitude in degrees. Holes are taken out. The direction of a ring doesn't
        matter.

    Returns
    -------
    float
        Square metres; 0.0 for an empty geometry.

    Raises
    ------
    GeometryError
        For points and lines.

    Examples
    --------
    A hundredth of a degree each way at 39 N, 0.866 km by 1.110 km:

    >>> square = [[[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]]
    >>> round(area({"type": "Polygon", "coordinates": square}) / 1e6, 3)
    0.962
    """
    rings, sign = _rings(geometry)
    if not rings:
        return 0.0
    coordinates, ring = _stacked(rings)
    middle = (coordinates[:, 1].min() + coordinates[:, 1].max()) / 2
    return float(sign @ _ring_areas(coordinates, ring, np.full(len(rings), middle)))


def planar_area(geometry: GeoInterface) -> float:
    """Return the area of a polygon in the EPSG:4548 plane.

    Parameters
    ----------
    geometry : Polygon or MultiPolygon, or its GeoJSON mapping
        Longitude, latitude in degrees. Holes are taken out.

    Returns
    -------
    float
        Square metres in the projection; 0.0 for an empty geometry. About 4 ppm more than on
        the ellipsoid in Nankai, 12 km from the central meridian.

    Raises
    ------
    GeometryError
        For points and lines.

    Examples
    --------
    >>> square = [[[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]]
    >>> round(planar_area({"type": "Polygon", "coordinates": square}) / 1e6, 3)
    0.962
    """
    rings, sign = _rings(geometry)
    return float(sum(s * _planar_ring_area(ring) for s, ring in zip(sign, rings, strict=True)))


def _planar_ring_area(ring: Coordinates) -> float:
    coordinates, _ = _stacked([ring])
    # Points between the vertices, so that chords of the projection follow the edges.
    step = np.diff(coordinates, axis=0)
    count = np.ceil(np.abs(step).max(axis=1) / _PLANAR_STEP_DEG).astype(np.int64)
    edge, number = spread(np.maximum(count, 1))
    dense = coordinates[edge] + step[edge] * (number / count.clip(1)[edge])[:, None]
    x, y = crs.planar().transform(dense[:, 0], dense[:, 1])
    # Eastings and northings are millions of metres; from a local origin the products keep their
    # small digits.
    x, y = x - x[0], y - y[0]
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def perimeter(geometry: GeoInterface) -> float:
    """Return the length of all rings of a polygon, holes included.

    Parameters
    ----------
    geometry : Polygon or MultiPolygon, or its GeoJSON mapping
        Longitude, latitude in degrees.

    Returns
    -------
    float
        Metres on the CGCS2000 ellipsoid; 0.0 for an empty geometry.

    Raises
    ------
    GeometryError
        For points and lines.

    Examples
    --------
    >>> square = [[[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]]
    >>> round(perimeter({"type": "Polygon", "coordinates": square}))
    3953
    """
    rings, _ = _rings(geometry)
    return float(_path_lengths(*_stacked(rings), len(rings)).sum())


def length(geometry: GeoInterface) -> float:
    """Return the length of a line on the CGCS2000 ellipsoid.

    Parameters
    ----------
    geometry : LineString or MultiLineString, or its GeoJSON mapping
        Longitude, latitude in degrees. Heights don't count.

    Returns
    -------
    float
        Metres; 0.0 for an empty geometry.

    Raises
    ------
    GeometryError
        For points and polygons.

    Examples
    --------
    A thousandth of a degree of the meridian at 39 N:

    >>> round(length({"type": "LineString", "coordinates": [[117, 39], [117, 39.001]]}), 1)
    111.0
    """
    shape = as_mapping(geometry)
    if shape["type"] not in ("LineString", "MultiLineString"):
        raise GeometryError(
            tr("a {type} has no length; give a LineString or MultiLineString", type=shape["type"])
        )
    several = shape["type"] == "MultiLineString"
    paths = shape["coordinates"] if several else [shape["coordinates"]]
    return float(_path_lengths(*_stacked(paths), len(paths)).sum())
