"""GCJ-02 and BD-09, the shifted coordinates of Chinese map services, from and to WGS-84.

GCJ-02 (國測局坐標, Gaode, Tencent) displaces a place by some hundred metres along smooth waves;
BD-09 (Baidu) displaces GCJ-02 once more. Neither is a coordinate reference system: no official
formula is published. These are the approximations in common use ("eviltransform", 2013, and what
follows it). They have their place at the border only: for input that says it is shifted, and for
tiles that are. Nothing is shifted unasked.
"""

from __future__ import annotations

import math
from collections.abc import Callable

#: The Krasovsky 1940 ellipsoid, on which the waves, in metres, are turned into degrees.
_AXIS, _ECCENTRICITY2 = 6378245.0, 0.00669342162296594323
#: The rectangle outside which nothing is displaced: west, south, east, north.
_WITHIN = (72.004, 0.8293, 137.8347, 55.8271)
_BD_WAVE = math.pi * 3000 / 180
#: The inverses are sought until a step is shorter than this, in degrees (about 0.1 µm).
_CLOSE = 1e-12

Place = tuple[float, float]


def _waves(value: float, *terms: tuple[float, float]) -> float:
    """Return two thirds of a sum of sines; each term is amplitude and half wavelength."""
    return sum(height * math.sin(value * math.pi / half) for height, half in terms) * 2 / 3


def _displacement(lon: float, lat: float) -> Place:
    """Return how far GCJ-02 lies from WGS-84 there, in degrees east and north."""
    west, south, east, north = _WITHIN
    if not (west <= lon <= east and south <= lat <= north):
        return 0.0, 0.0
    x, y = lon - 105.0, lat - 35.0
    shared = 0.1 * x * y + _waves(x, (20, 1 / 6), (20, 1 / 2))
    root = math.sqrt(abs(x))
    metres_east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * root + shared
    metres_east += _waves(x, (20, 1), (40, 3), (150, 12), (300, 30))
    metres_north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.2 * root + shared
    metres_north += _waves(y, (20, 1), (40, 3), (160, 12), (320, 30))
    flat = 1 - _ECCENTRICITY2 * math.sin(math.radians(lat)) ** 2
    across = _AXIS / math.sqrt(flat) * math.cos(math.radians(lat))
    along = _AXIS * (1 - _ECCENTRICITY2) / flat**1.5
    return math.degrees(metres_east / across), math.degrees(metres_north / along)


def _undone(forward: Callable[[float, float], Place], lon: float, lat: float) -> Place:
    """Return the place that ``forward`` brings to the one given."""
    x, y = lon, lat
    for _ in range(50):
        there = forward(x, y)
        step = lon - there[0], lat - there[1]
        x, y = x + step[0], y + step[1]
        if max(map(abs, step)) < _CLOSE:
            break
    return x, y


def gcj02_from_wgs84(lon: float, lat: float) -> Place:
    """Displace a WGS-84 place to where GCJ-02 has it.

    Parameters
    ----------
    lon, lat : float
        Degrees.

    Returns
    -------
    tuple of float
        Longitude and latitude in degrees; unchanged outside the rectangle of China.

    Examples
    --------
    The Nankai district is moved some 570 m:

    >>> lon, lat = gcj02_from_wgs84(117.15, 39.11)
    >>> round((lon - 117.15) * 86_500), round((lat - 39.11) * 111_000)
    (553, 124)
    """
    east, north = _displacement(lon, lat)
    return lon + east, lat + north


def wgs84_from_gcj02(lon: float, lat: float) -> Place:
    """Return the WGS-84 place of GCJ-02 coordinates.

    Parameters
    ----------
    lon, lat : float
        Degrees.

    Returns
    -------
    tuple of float
        Longitude and latitude in degrees, by iteration: `gcj02_from_wgs84` brings them back
        within 1e-9 degrees.

    Examples
    --------
    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84(117.15, 39.11))
    >>> abs(lon - 117.15) < 1e-9 and abs(lat - 39.11) < 1e-9
    True
    """
    return _undone(gcj02_from_wgs84, lon, lat)


def _bd09_from_gcj02(lon: float, lat: float) -> Place:
    reach = math.hypot(lon, lat) + 2e-5 * math.sin(lat * _BD_WAVE)
    turn = math.atan2(lat, lon) + 3e-6 * math.cos(lon * _BD_WAVE)
    return reach * math.cos(turn) + 0.0065, reach * math.sin(turn) + 0.006


def bd09_from_wgs84(lon: float, lat: float) -> Place:
    """Displace a WGS-84 place to where BD-09 has it.

    Parameters
    ----------
    lon, lat : float
        Degrees.

    Returns
    -------
    tuple of float
        Longitude and latitude in degrees.

    Examples
    --------
    >>> lon, lat = bd09_from_wgs84(117.15, 39.11)
    >>> round(lon - 117.15, 4), round(lat - 39.11, 4)
    (0.0129, 0.007)
    """
    return _bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


def wgs84_from_bd09(lon: float, lat: float) -> Place:
    """Return the WGS-84 place of BD-09 coordinates.

    Parameters
    ----------
    lon, lat : float
        Degrees.

    Returns
    -------
    tuple of float
        Longitude and latitude in degrees, by iteration.

    Examples
    --------
    >>> lon, lat = wgs84_from_bd09(*bd09_from_wgs84(117.15, 39.11))
    >>> abs(lon - 117.15) < 1e-9 and abs(lat - 39.11) < 1e-9
    True
    """
    return wgs84_from_gcj02(*_undone(_bd09_from_gcj02, lon, lat))
