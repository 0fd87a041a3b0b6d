"""A local plane in metres, for single positions."""

from __future__ import annotations

from nankai_gis.geometry import crs

Position = tuple[float, float]


class Plane:
    """A local plane, metres, about one position: true to 1e-4 over ten kilometres."""

    def __init__(self, lon: float, lat: float) -> None:
        geod = crs.ellipsoid()
        step = 1e-3
        self._origin = lon, lat
        self._x = geod.inv(lon, lat, lon + step, lat)[2] / step
        self._y = geod.inv(lon, lat, lon, lat + step)[2] / step

    def to(self, position: Position) -> Position:
        """Return the metres of a longitude and latitude."""
        return (
            (position[0] - self._origin[0]) * self._x,
            (position[1] - self._origin[1]) * self._y,
        )

    def back(self, xy: Position) -> Position:
        """Return the longitude and latitude of metres."""
        return self._origin[0] + xy[0] / self._x, self._origin[1] + xy[1] / self._y
