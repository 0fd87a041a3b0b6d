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

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nankai_gis.errors import GeometryError
from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints, ShapesLike, spread, sums
from nankai_gis.geometry.degree_scale import degree_scale
from nankai_gis.words import tr

__all__ = [
    "area",
    "areas",
    "as_mapping",
    "length",
    "lengths",
    "perimeter",
    "planar_area",
]

Coordinates = Sequence[Sequence[float]]
#: A geometry with ``__geo_interface__``, or its GeoJSON mapping.
GeoInterface = Any

# Degrees between points on an edge that is projected: the chord is then within 1e-8 of the area.
_PLANAR_STEP_DEG = 2e-4


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
