"""Lengths and areas on the CGCS2000 ellipsoid, of edges straight in longitude and latitude."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike

from nankai_gis.geometry.arrays import Floats, sums
from nankai_gis.geometry.parts import polygon_parts
from nankai_gis.geometry.scale import NODES_LONG, NODES_SHORT, SHORT_DEG, Ruler, ruler_of

__all__ = ["areas", "lengths"]

ShapesLike = ArrayLike | shapely.Geometry


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
    :math:`\sqrt{(M\,d\varphi)^2 + (N\cos\varphi\,d\lambda)^2}` with the radii of
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
    ruler = ruler_of(float(coordinates[:, 1].min()), float(coordinates[:, 1].max()))
    each = ruler.lengths(coordinates[:-1, 1], step[:, 0], step[:, 1])
    return sums(owner[index[:-1]][joined], each[joined], len(shapes))


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
    parts, owner = polygon_parts(shapes)
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
    ruler = ruler_of(float(coordinates[:, 1].min()), float(coordinates[:, 1].max()))
    each = _strip(ruler, lat, dlat, lat0, NODES_SHORT) * dlon
    long = (np.abs(dlat) > SHORT_DEG) | (np.abs(lat - lat0) > SHORT_DEG)
    if long.any():
        each[long] = _strip(ruler, lat[long], dlat[long], lat0[long], NODES_LONG) * dlon[long]
    each[~joined] = 0.0
    signed = np.abs(np.add.reduceat(np.append(each, 0.0), first))
    # The first ring of a part is its shell, the others are holes.
    shell = np.concatenate(([True], ring_part[1:] != ring_part[:-1]))
    signed[~shell] *= -1
    return sums(owner[ring_part], signed, len(shapes))


def _strip(
    ruler: Ruler, lat: Floats, dlat: Floats, lat0: Floats, nodes: tuple[Floats, Floats]
) -> Floats:
    """Mean of S over edges, square metres per degree of longitude."""
    total = np.zeros(len(lat))
    for node, weight in zip(*nodes, strict=True):
        height = lat + dlat * ((1.0 + float(node)) / 2) - lat0
        mean = np.zeros(len(lat))
        for inner_node, inner_weight in zip(*nodes, strict=True):
            east, north = ruler.scale(lat0 + height * ((1.0 + float(inner_node)) / 2))
            mean += east * north * (float(inner_weight) / 2)
        total += mean * height * (float(weight) / 2)
    return total
