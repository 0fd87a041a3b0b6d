"""The one local plane: metres about a place, true to scale, and the way back.

`crs.planar` is the plane of reported figures and holds for one zone of three degrees; this one is
centred where the work is, so that distances hold anywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats

if TYPE_CHECKING:
    from pyproj import Transformer

#: Longitude and latitude, or metres east and north.
Position = tuple[float, float]


class Plane:
    """A plane in metres about a place.

    Transverse Mercator on the CGCS2000 ellipsoid with the scale 1 on the meridian of the place:
    lengths are 1.2 ppm too long 10 km beside the meridian, and true along it.
    """

    def __init__(self, lon: float, lat: float = 0.0) -> None:
        # As Python numbers: a NumPy number would write its type along.
        self._transformer = _transformer(float(lon), float(lat))

    def to(self, position: Position) -> Position:
        """Return the metres, east and north, of one longitude and latitude."""
        x, y = self._transformer.transform(position[0], position[1])
        return x, y

    def back(self, xy: Position) -> Position:
        """Return the longitude and latitude of one position in metres."""
        lon, lat = self._transformer.transform(xy[0], xy[1], direction="INVERSE")
        return lon, lat

    def to_all(self, positions: Floats) -> Floats:
        """Return the metres of an array of longitudes and latitudes, both of shape (n, 2)."""
        return np.column_stack(self._transformer.transform(positions[:, 0], positions[:, 1]))

    def back_all(self, xy: Floats) -> Floats:
        """Return the longitudes and latitudes of an array in metres, both of shape (n, 2)."""
        inverse = self._transformer.transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        return np.column_stack(inverse)


@lru_cache(maxsize=32)
def _transformer(lon: float, lat: float) -> Transformer:
    from pyproj import Transformer

    geod = crs.ellipsoid()
    earth = f"+a={geod.a!r} +b={geod.b!r} +no_defs"
    return Transformer.from_crs(
        f"+proj=longlat {earth}",
        f"+proj=tmerc +lat_0={lat!r} +lon_0={lon!r} +k=1 +units=m {earth}",
        always_xy=True,
    )
