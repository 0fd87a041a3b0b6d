"""Metres per degree of the CGCS2000 ellipsoid, and the lengths of edges by them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats

__all__ = ["NODES_LONG", "NODES_SHORT", "SHORT_DEG", "Ruler", "ruler_of", "scale"]


def _radii(sine2: Floats) -> tuple[Floats, Floats]:
    """Metres per degree of longitude and of latitude, from the squared sine of the latitude."""
    geod = crs.ellipsoid()
    below = 1.0 - geod.es * sine2
    root = np.sqrt(below)
    degree = math.pi / 180.0
    east = (geod.a * degree) * np.sqrt(1.0 - sine2) / root
    north = (geod.a * (1.0 - geod.es) * degree) / (below * root)
    return east, north


def scale(latitude: Floats) -> tuple[Floats, Floats]:
    """Metres per degree of longitude and of latitude."""
    return _radii(np.sin(np.radians(latitude)) ** 2)


#: Abscissae and weights on [-1, 1]; the error of a mean is of the order of the edge's extent in
#: radians to the fourth power over 4320, and to the 24th.
NODES_SHORT = np.polynomial.legendre.leggauss(2)
NODES_LONG = np.polynomial.legendre.leggauss(12)
SHORT_DEG = 0.25


class Ruler:
    """Metres per degree over a range of latitudes, by polynomials good to 1e-14."""

    _DEGREE = 8

    def __init__(self, low: float, high: float) -> None:
        self._middle = (low + high) / 2
        self._half = max((high - low) / 2, 1e-4)
        self._fits: list[list[float]] | None = None
        # The terms fall off like (half in radians) ** k / k!, on the sphere.
        if self._half <= 1.0:
            spots = np.cos(np.pi * (np.arange(24) + 0.5) / 24)
            values = scale(self._middle + self._half * spots)
            self._fits = []
            for value in values:
                fit = np.polynomial.chebyshev.chebfit(spots, value, self._DEGREE)
                last = int(np.flatnonzero(np.abs(fit) > 1e-15 * abs(fit[0]))[-1])
                self._fits.append(
                    [float(c) for c in np.polynomial.chebyshev.cheb2poly(fit[: last + 1])]
                )

    def scale(self, latitude: Floats) -> tuple[Floats, Floats]:
        """Metres per degree of longitude and of latitude."""
        if self._fits is None:
            return scale(latitude)
        at = (latitude - self._middle) * (1.0 / self._half)
        east, north = (_horner(fit, at) for fit in self._fits)
        return east, north

    def lengths(self, lat: Floats, dlon: Floats, dlat: Floats) -> Floats:
        """Metres of straight edges that start at `lat`; steps in degrees."""
        total = self._mean(lat, dlon, dlat, NODES_SHORT)
        long = np.abs(dlat) > SHORT_DEG
        if long.any():
            total[long] = self._mean(lat[long], dlon[long], dlat[long], NODES_LONG)
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


def ruler_of(low: float, high: float) -> Ruler:
    """A ruler over a range and a little more, so that neighbouring ranges share one."""
    return _made(math.floor(low * _PER_DEGREE), math.ceil(high * _PER_DEGREE))


_PER_DEGREE = 20


@lru_cache(maxsize=64)
def _made(low: int, high: int) -> Ruler:
    return Ruler(low / _PER_DEGREE, high / _PER_DEGREE)


def _horner(fit: list[float], at: Floats) -> Floats:
    value = np.full(len(at), fit[-1])
    for coefficient in fit[-2::-1]:
        value *= at
        value += coefficient
    return value
