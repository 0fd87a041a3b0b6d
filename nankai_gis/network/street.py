"""One named street: what is mapped of it and what that amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry import LineString, MultiLineString

from nankai_gis.geometry.arrays import Floats
from nankai_gis.geometry.plane import Plane

Kind = Literal["street", "railway", "river"]
Point = tuple[float, float]


@dataclass(frozen=True)
class Gap:
    """A break in a street's centreline.

    Attributes
    ----------
    start, end : tuple of float
        Longitude and latitude of both sides of the break.
    metres : float
        Its length on the ellipsoid.
    bridged : bool
        True where a straight line closes it, False where the parts stay apart.
    """

    start: Point
    end: Point
    metres: float
    bridged: bool


@dataclass(frozen=True, eq=False)
class Street:
    """One named street, railway or river: what is mapped and what it amounts to.

    Attributes
    ----------
    name : str
        The spelling most of its length carries.
    aliases : tuple of str
        Other names and spellings on its ways.
    kind : {"street", "railway", "river"}
    place : str
        Empty where the name is the only one of its kind; otherwise a hint which of
        several it is: a coordinate and streets it meets.
    ways : tuple of int
        Ids of the ways that make it up; those that carry the name as links, footways or
        service roads are none of them.
    carriageways : shapely.MultiLineString
        The ways as mapped, EPSG:4326.
    centreline : shapely.LineString or shapely.MultiLineString
        Each stretch once, EPSG:4326, bridged gaps included. A vertex that runs alone is
        the mapped vertex, bit for bit.
    carriageway_length_m : float
        Length of all ways on the ellipsoid; a segment mapped twice by the same vertices
        counts once.
    centreline_length_m : float
        Length of `centreline` on the ellipsoid, bridged gaps included.
    gaps : tuple of Gap
        Breaks, bridged and not.
    dual_share : float
        Share of the centreline (0 to 1) that stands for more than one carriageway.
    classes : mapping of str to float
        Metres of carriageway per highway class (``""`` where the class is unknown; the
        value of ``railway`` or ``waterway`` for those kinds). Sums to
        `carriageway_length_m`.

    Examples
    --------
    A bridge of 0.001 degrees (86.6 m at 39 N) is missing between two ways:

    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1, 2], "name": "復康路", "aliases": "", "highway": "primary",
    ...      "railway": None, "waterway": None, "oneway": 0},
    ...     geometry=[LineString([(117, 39), (117.01, 39)]),
    ...               LineString([(117.011, 39), (117.02, 39)])], crs="EPSG:4326")
    >>> from nankai_gis.network.streets import build
    >>> street = build(frame).find("复康路")
    >>> len(street.parts), len(street.nodes()), round(street.bridged_m, 1)
    (1, 4, 86.6)
    """

    name: str
    aliases: tuple[str, ...]
    kind: Kind
    place: str
    ways: tuple[int, ...]
    carriageways: MultiLineString
    centreline: LineString | MultiLineString
    carriageway_length_m: float
    centreline_length_m: float
    gaps: tuple[Gap, ...]
    dual_share: float
    classes: Mapping[str, float] = field(repr=False)

    @property
    def parts(self) -> tuple[LineString, ...]:
        """The pieces of the centreline, longest first (one unless it is broken or branches).

        Returns
        -------
        tuple of shapely.LineString
            EPSG:4326.
        """
        if isinstance(self.centreline, LineString):
            return (self.centreline,)
        return tuple(self.centreline.geoms)

    @property
    def bridged_m(self) -> float:
        """Metres of the centreline that only bridge gaps.

        Returns
        -------
        float
            0.0 where there is none.
        """
        return float(sum(gap.metres for gap in self.gaps if gap.bridged))

    def nodes(self) -> Floats:
        """Vertices of the carriageways, each once.

        Returns
        -------
        ndarray of float64, shape (n, 2)
            Longitude and latitude, sorted. In OSM data two streets meet where both have
            the same vertex.
        """
        return np.unique(shapely.get_coordinates(self.carriageways), axis=0)

    def project(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Map points on or near the carriageways to the centreline.

        Parameters
        ----------
        points : array_like of float, shape (n, 2)
            Longitude and latitude.

        Returns
        -------
        feet : ndarray of float64, shape (n, 2)
            The nearest points on the centreline, longitude and latitude.
        offsets : ndarray of float64, shape (n,)
            How far each point lies from it, metres.

        Examples
        --------
        A node on either carriageway maps to the middle between them:

        >>> import geopandas as gpd
        >>> from shapely import LineString
        >>> frame = gpd.GeoDataFrame(
        ...     {"way": [1, 2], "name": "復康路", "aliases": "", "highway": "primary",
        ...      "railway": None, "waterway": None, "oneway": 1},
        ...     geometry=[LineString([(117.0, 39.1), (117.01, 39.1)]),
        ...               LineString([(117.01, 39.1002), (117.0, 39.1002)])],
        ...     crs="EPSG:4326")
        >>> from nankai_gis.network.streets import build
        >>> feet, offsets = build(frame).find("复康路").project([(117.004, 39.1)])
        >>> feet.round(5).tolist(), offsets.round(1).tolist()
        ([[117.004, 39.1001]], [11.1])
        """
        lonlat = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if not len(lonlat):
            return lonlat, np.zeros(0)
        west, _, east, _ = self.carriageways.bounds
        # Its meridian lies within a quarter of a degree.
        plane = Plane(round(west + east) / 2)
        line = shapely.transform(self.centreline, plane.to_all)
        here = shapely.points(plane.to_all(lonlat))
        ties = shapely.get_coordinates(shapely.shortest_line(line, here))[0::2]
        offsets = np.asarray(shapely.distance(line, here), dtype=np.float64)
        return plane.back_all(ties), offsets
