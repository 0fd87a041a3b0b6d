"""The one ruler: which CRSs are stored, measured in and accepted.

Geometry is stored as longitude and latitude (EPSG:4326), measured on the CGCS2000
ellipsoid, and reported beside its EPSG:4548 planar figure (CGCS2000 3-degree
Gauss-Kruger, central meridian 117 E, no zone prefix). EPSG:4548 lists its axes
northing first; everything here keeps the order x (east), y (north).

GCJ-02 and BD-09 are no CRSs but published obfuscations of WGS-84, about 560 m
in Nankai. An input says that it is in one of them; nothing is shifted unasked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyproj import Geod, Transformer

    from nankai_gis.geometry.arrays import Floats

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


@lru_cache(maxsize=32)
def plane(
    longitude: float, latitude: float = 0.0
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
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

    >>> import numpy as np
    >>> there, back = plane(117.0, 39.0)
    >>> round(float(there(np.array([[117.0, 39.001]]))[0, 1]), 1)
    111.0
    """
    import numpy as np
    from pyproj import Transformer

    # As text: a NumPy number would write its type along.
    longitude, latitude = float(longitude), float(latitude)
    geod = ellipsoid()
    earth = f"+a={geod.a!r} +b={geod.b!r} +no_defs"
    transformer = Transformer.from_crs(
        f"+proj=longlat {earth}",
        f"+proj=tmerc +lat_0={latitude!r} +lon_0={longitude!r} +k=1 +units=m {earth}",
        always_xy=True,
    )

    def there(positions: Floats) -> Floats:
        return np.column_stack(transformer.transform(positions[:, 0], positions[:, 1]))

    def back(positions: Floats) -> Floats:
        return np.column_stack(
            transformer.transform(positions[:, 0], positions[:, 1], direction="INVERSE")
        )

    return there, back
