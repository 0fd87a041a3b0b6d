"""Metres per degree of the CGCS2000 ellipsoid, and the lengths and areas of edges by them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats

__all__ = ["DegreeScale", "degree_scale", "metres_per_degree"]

# Abscissae and weights on [-1, 1]. The error of a mean is of the order of the edge's extent in
# radians to the fourth power over 4320, or to the 24th: two nodes do up to 0.25 degrees.
_TWO_NODES = np.polynomial.legendre.leggauss(2)
_TWELVE_NODES = np.polynomial.legendre.leggauss(12)
_SHORT_DEG = 0.25


def metres_per_degree(latitude: Floats) -> tuple[Floats, Floats]:
    """Return metres per degree of longitude and of latitude on the CGCS2000 ellipsoid."""
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
        """Return metres per degree of longitude and of latitude."""
        if self._fits is None:
            return metres_per_degree(latitude)
        offset = (latitude - self._middle) * (1.0 / self._half)
        east, north = (_horner(fit, offset) for fit in self._fits)
        return east, north

    def edge_lengths(self, lat: Floats, dlon: Floats, dlat: Floats) -> Floats:
        """Return the lengths of straight edges."""
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
        """Return the areas between straight edges and the parallels `lat0`."""
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
    """Return the scale over a range of latitudes, widened so that neighbours share one."""
    return _made(math.floor(low * _PER_DEGREE), math.ceil(high * _PER_DEGREE))


@lru_cache(maxsize=64)
def _made(low: int, high: int) -> DegreeScale:
    return DegreeScale(low / _PER_DEGREE, high / _PER_DEGREE)
