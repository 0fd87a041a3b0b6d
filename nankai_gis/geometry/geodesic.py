"""Areas and lengths of single geometries on the CGCS2000 ellipsoid.

The geometry may be anything with ``__geo_interface__`` or a GeoJSON mapping, in longitude and
latitude (degrees). Edges are straight in longitude and latitude, as RFC 7946 has them and as they
are cut; over 2 km at 39 N such an edge lies up to 6 cm beside the geodesic, which on the plan's
polygons would be up to 30 ppm of the area.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nankai_gis.errors import GeometryError
from nankai_gis.geometry import crs

# Degrees between points on an edge: the geodesic then lies within a tenth of a millimetre of it,
# and the area within 1e-8 of its own.
_STEP = 2e-4

Coordinates = Sequence[Sequence[float]]
GeoInterface = Any


def as_mapping(geometry: GeoInterface) -> Mapping[str, Any]:
    if isinstance(geometry, Mapping):
        return geometry
    found: Mapping[str, Any] | None = getattr(geometry, "__geo_interface__", None)
    if found is None:
        raise TypeError(f"{type(geometry).__name__} is neither a geometry nor a GeoJSON mapping")
    return found


def _polygons(geometry: GeoInterface) -> list[Sequence[Coordinates]]:
    shape = as_mapping(geometry)
    if shape["type"] == "Polygon":
        return [shape["coordinates"]] if shape["coordinates"] else []
    if shape["type"] == "MultiPolygon":
        return list(shape["coordinates"])
    raise GeometryError(f"a {shape['type']} has no area; give a Polygon or a MultiPolygon")


def _lines(geometry: GeoInterface) -> list[Coordinates]:
    shape = as_mapping(geometry)
    if shape["type"] == "LineString":
        return [shape["coordinates"]] if shape["coordinates"] else []
    if shape["type"] == "MultiLineString":
        return list(shape["coordinates"])
    raise GeometryError(f"a {shape['type']} has no length; give a LineString or MultiLineString")


def lonlat(positions: Coordinates) -> tuple[list[float], list[float]]:
    # Heights, where there are any, do not count.
    return [p[0] for p in positions], [p[1] for p in positions]


def _dense(ring: Coordinates) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes with so many points on each edge that geodesics follow it."""
    lon, lat = lonlat(ring)
    dense: tuple[list[float], list[float]] = ([], [])
    for xa, ya, xb, yb in zip(lon, lat, lon[1:], lat[1:], strict=False):
        pieces = math.ceil(max(abs(xb - xa), abs(yb - ya)) / _STEP) or 1
        for k in range(pieces):
            dense[0].append(xa + (xb - xa) * k / pieces)
            dense[1].append(ya + (yb - ya) * k / pieces)
    return [*dense[0], *lon[-1:]], [*dense[1], *lat[-1:]]


def _ellipsoidal(ring: Coordinates) -> tuple[float, float]:
    area, perimeter = crs.ellipsoid().polygon_area_perimeter(*_dense(ring))
    return abs(area), perimeter


def _planar(ring: Coordinates) -> float:
    x, y = crs.planar().transform(*_dense(ring))
    # Eastings and northings are millions of metres; from a local origin the products keep
    # their small digits.
    x0, y0 = x[0], y[0]
    twice = sum(
        (xa - x0) * (yb - y0) - (xb - x0) * (ya - y0)
        for (xa, xb), (ya, yb) in zip(itertools.pairwise(x), itertools.pairwise(y), strict=True)
    )
    return float(abs(twice) / 2)


def area(geometry: GeoInterface) -> float:
    """Return the area on the CGCS2000 ellipsoid.

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

    Notes
    -----
    C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013) 43-55, in PROJ.

    Examples
    --------
    A hundredth of a degree each way at 39 N, 0.866 km by 1.110 km:

    >>> square = [[[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]]
    >>> round(area({"type": "Polygon", "coordinates": square}) / 1e6, 3)
    0.962
    """
    return float(
        sum(
            _ellipsoidal(exterior)[0] - sum(_ellipsoidal(hole)[0] for hole in holes)
            for exterior, *holes in _polygons(geometry)
        )
    )


def planar_area(geometry: GeoInterface) -> float:
    """Return the area in the EPSG:4548 plane.

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
    >>> shape = {"type": "Polygon", "coordinates": square}
    >>> abs(planar_area(shape) / area(shape) - 1) < 1e-6
    True
    """
    return float(
        sum(
            _planar(exterior) - sum(_planar(hole) for hole in holes)
            for exterior, *holes in _polygons(geometry)
        )
    )


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
    return float(sum(_ellipsoidal(ring)[1] for rings in _polygons(geometry) for ring in rings))


def length(geometry: GeoInterface) -> float:
    """Return the length of a line on the CGCS2000 ellipsoid.

    Parameters
    ----------
    geometry : LineString or MultiLineString, or its GeoJSON mapping
        Longitude, latitude in degrees.

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
    geod = crs.ellipsoid()
    return float(sum(geod.line_length(*_dense(line)) for line in _lines(geometry)))
