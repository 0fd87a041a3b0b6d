"""The one ruler: which CRSs are stored, measured in and accepted.

Geometry is stored as longitude and latitude (EPSG:4326), measured on the CGCS2000
ellipsoid, and reported beside its EPSG:4548 planar figure (CGCS2000 3-degree
Gauss-Kruger, central meridian 117 E, no zone prefix). EPSG:4548 lists its axes
northing first; everything here keeps the order x (east), y (north).

GCJ-02 and BD-09 are no CRSs but published obfuscations of WGS-84, about 560 m
in Nankai. An input says that it is in one of them; nothing is shifted unasked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyproj import Geod, Transformer

#: CRS of everything stored: longitude, latitude in degrees.
STORED = "EPSG:4326"
#: Projected CRS of the planar figures: metres.
PLANAR = "EPSG:4548"
#: Longitudes that it is made for, degrees.
PLANAR_EAST = (115.5, 118.5)


@cache
def ellipsoid() -> Geod:
    """Return the CGCS2000 ellipsoid, on which areas and lengths are measured.

    Returns
    -------
    pyproj.Geod
        Semi-major axis 6378137 m, inverse flattening 298.257222101 (GB 22021-2008).

    Examples
    --------
    One degree of the meridian at 39 N is close to 111 km:

    >>> round(ellipsoid().inv(117, 39, 117, 40)[2])
    111025
    """
    from pyproj import Geod

    return Geod(a=6378137.0, rf=298.257222101)


@cache
def planar() -> Transformer:
    """Return the transformation from lon, lat (degrees) to EPSG:4548 x, y (metres).

    Returns
    -------
    pyproj.Transformer
        Takes and gives east before north (``always_xy``).

    Examples
    --------
    On the central meridian the false easting is 500 km:

    >>> round(planar().transform(117.0, 39.0)[0])
    500000
    """
    from pyproj import Transformer

    # 4490 and 4326 are taken as the same datum here: they differ by centimetres, and
    # the grid-free identity keeps the result the same on every PROJ installation.
    return Transformer.from_crs("EPSG:4490", PLANAR, always_xy=True)


def to_planar(shape: Any) -> Any:
    """Return shapes in EPSG:4548.

    Parameters
    ----------
    shape : shapely geometry or array of them
        Longitude, latitude in degrees.

    Returns
    -------
    shapely geometry or array of them
        Metres, east before north; vertex by vertex, so that an edge stays straight.

    Examples
    --------
    >>> from shapely import Point
    >>> round(to_planar(Point(117.0, 39.0)).x)
    500000
    """
    import numpy as np
    import shapely

    return shapely.transform(
        shape, lambda at: np.column_stack(planar().transform(at[:, 0], at[:, 1]))
    )
