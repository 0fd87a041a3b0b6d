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
from dataclasses import dataclass

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


def _gcj02_from_wgs84(lon: float, lat: float) -> Place:
    west, south, east, north = _WITHIN
    if not (west <= lon <= east and south <= lat <= north):
        return lon, lat
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
    return lon + math.degrees(metres_east / across), lat + math.degrees(metres_north / along)


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


def _bd09_from_gcj02(lon: float, lat: float) -> Place:
    reach = math.hypot(lon, lat) + 2e-5 * math.sin(lat * _BD_WAVE)
    turn = math.atan2(lat, lon) + 3e-6 * math.cos(lon * _BD_WAVE)
    return reach * math.cos(turn) + 0.0065, reach * math.sin(turn) + 0.006


@dataclass(frozen=True, slots=True)
class Datum:
    """Shifted coordinates: one displacement of WGS-84 after another.

    Attributes
    ----------
    name : str
    steps : tuple of callable
        Each from longitude and latitude to where they are displaced to.
    """

    name: str
    steps: tuple[Callable[[float, float], Place], ...]

    def from_wgs84(self, lon: float, lat: float) -> Place:
        """Displace a WGS-84 place to where this datum has it.

        Parameters
        ----------
        lon, lat : float
            Degrees.

        Returns
        -------
        tuple of float
            Longitude and latitude in degrees. GCJ-02 leaves what lies outside the rectangle of
            China as it is.

        Examples
        --------
        The Nankai district is moved some 570 m:

        >>> lon, lat = GCJ02.from_wgs84(117.15, 39.11)
        >>> round((lon - 117.15) * 86_500), round((lat - 39.11) * 111_000)
        (553, 124)
        """
        for step in self.steps:
            lon, lat = step(lon, lat)
        return lon, lat

    def to_wgs84(self, lon: float, lat: float) -> Place:
        """Return the WGS-84 place of coordinates in this datum.

        Parameters
        ----------
        lon, lat : float
            Degrees.

        Returns
        -------
        tuple of float
            Longitude and latitude in degrees, by iteration: `from_wgs84` brings them back
            within 1e-9 degrees.

        Examples
        --------
        >>> lon, lat = BD09.to_wgs84(*BD09.from_wgs84(117.15, 39.11))
        >>> abs(lon - 117.15) < 1e-9 and abs(lat - 39.11) < 1e-9
        True
        """
        for step in reversed(self.steps):
            lon, lat = _undone(step, lon, lat)
        return lon, lat


GCJ02 = Datum("GCJ-02", (_gcj02_from_wgs84,))
BD09 = Datum("BD-09", (_gcj02_from_wgs84, _bd09_from_gcj02))
