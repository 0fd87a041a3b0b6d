"""What can be reached on foot: walking along the network from given points."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import nearest, polygons, ruler
from nankai_gis.geometry.arrays import Bools, Floats, Shapes
from nankai_gis.geometry.crs import STORED
from nankai_gis.geometry.cut_lines import LEAST_M, cut_lines
from nankai_gis.measure.coverage.areas import ARC, usable_areas
from nankai_gis.measure.coverage.reconciliation import Ledger
from nankai_gis.measure.coverage.roadclass import CLASS_COLUMNS
from nankai_gis.measure.coverage.validation import (
    either,
    labels,
    not_streets,
    row_ids,
    usable_lines,
    usable_points,
    without_repeats,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["WalkingReach", "walking_reach"]


@dataclass(frozen=True)
class WalkingReach:
    """How much of each zone lies within a walk of given points.

    Attributes
    ----------
    table : pandas.DataFrame
        ``zone``, ``zone_name``, ``area_km2``, ``reached_km2``, ``share_of_area``,
        ``streets_km`` (walkable, in the zone or along its boundary), ``reached_km`` (of these),
        ``share_of_streets``. An edge between two vertices that several rows share counts once.
    edges : geopandas.GeoDataFrame
        Reached pieces of street, EPSG:4326, with ``length_m``.
    area : shapely.Geometry
        What lies within the width of the reached edges and of the walks to them; longitude and
        latitude.
    dropped : pandas.DataFrame
        As `nankai_gis.measure.coverage.Coverage.dropped`; points too far from the network are
        here, and
        streets that repeat another or can't be walked.
    limit_m : float
        Metres that can be walked.
    """

    table: pd.DataFrame
    edges: GeoDataFrame
    area: shapely.Geometry
    dropped: pd.DataFrame
    limit_m: float


def walking_reach(
    points: GeoDataFrame,
    streets: GeoDataFrame,
    zones: GeoDataFrame,
    *,
    minutes: float = 15.0,
    speed_km_per_h: float = 4.0,
    width_m: float = 50.0,
    snap_m: float = 200.0,
    not_on_foot: Iterable[str] = ("motorway", "motorway_link"),
) -> WalkingReach:
    """Measure which part of zones lies within a walk of points, along the network.

    Streets join where they share a vertex (to 1e-7 degrees); those that merely cross do not. A
    point walks straight to the nearest street and from there along it; the way to the street
    counts. A point from which no street is reached in the time reaches nothing: it is dropped and
    counted. An edge that is reached in part counts in part. Rows of streets are left out as in
    `nankai_gis.measure.coverage.measure`. What a point reaches doesn't depend on where others lie.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        Points, EPSG:4326.
    streets : geopandas.GeoDataFrame
        Lines, EPSG:4326; passable both ways.
    zones : geopandas.GeoDataFrame
        Polygons, EPSG:4326.
    minutes, speed_km_per_h : float
        The walk. 15 minutes at 4 km/h are 1000 m, the upper end of the 800 to 1000 m that GB
        50180-2018 gives for a fifteen-minute neighbourhood.
    width_m : float
        The reached area is what lies within this of a reached edge or of the walk to it, metres.
    snap_m : float
        Points further than this from every street are dropped and counted, metres; the walk is
        the limit where it is shorter. Walks to streets are good to 1e-4 up to 1 km.
    not_on_foot : iterable of str
        Road classes that can't be walked.

    Returns
    -------
    WalkingReach

    Raises
    ------
    CRSError, DataError
        As `nankai_gis.measure.coverage.measure`; and if no point comes near a street.
    ValueError
        For a measure that isn't a finite number above zero, or is less than a hundredth of a
        millimetre: the walk (minutes times speed), the width and the distance to streets.

    Examples
    --------
    A street of 2 km through the middle of a zone, a point in its middle, and 6 minutes at 4 km/h:
    400 m to both sides.

    >>> import geopandas
    >>> from shapely.geometry import LineString, Point, box
    >>> street = geopandas.GeoDataFrame(geometry=[LineString([(117, 39), (117, 39.018)])], crs=4326)
    >>> zone = geopandas.GeoDataFrame(geometry=[box(116.99, 39, 117.01, 39.018)], crs=4326)
    >>> point = geopandas.GeoDataFrame(geometry=[Point(117, 39.009)], crs=4326)
    >>> reach = walking_reach(point, street, zone, minutes=6)
    >>> round(float(reach.table.reached_km[0]), 3)
    0.8
    """
    limit = minutes * speed_km_per_h * 1000.0 / 60.0
    for label, value, least in (
        ("minutes", minutes, 0.0), ("speed_km_per_h", speed_km_per_h, 0.0),
        ("the walk in metres", limit, LEAST_M), ("width_m", width_m, LEAST_M),
        ("snap_m", snap_m, LEAST_M),
    ):  # fmt: skip
        if not least < value < np.inf:
            raise ValueError(f"{label} is {value:g}; give a number above {least:g}")
    ledger = Ledger()
    areas = usable_areas(zones, "zones", ledger)
    streets = without_repeats(streets, "streets", ledger)
    column = next((c for c in CLASS_COLUMNS if c in streets.columns), None)
    skip = not_streets(streets, ledger)
    if column is not None:
        apart = np.asarray(streets[column].isin(list(not_on_foot)), dtype=bool)
        ledger.note("streets", "dropped", "not walkable", labels(streets, np.flatnonzero(apart)))
        skip = either(skip, apart)
    lines = usable_lines(streets, "streets", ledger, skip)
    spots, spot_row = usable_points(points, "points", ledger)
    net = _Network(lines.shapes)
    # Who needs all the time for the way to the street reaches nothing of it.
    most, option = (snap_m, "snap_m") if snap_m < limit else (limit, "minutes")
    starts, ways, far = net.snap(shapely.get_coordinates(spots), most)
    ids = row_ids(points)
    reason = f"further than {most:g} m from every street"
    ledger.note("points", "dropped", reason, [ids[k] for k in spot_row[far]])
    if far.all():
        raise DataError(f"points: none lies within {most:g} m of a street; raise {option}")
    reached = net.reach(starts, limit)
    shape = shapely.union_all(_widened(np.array([*reached, *ways]), width_m))
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    part = ruler.areas(polygons.intersection(areas.shapes, shape))
    # Along the boundary is in: a zone's bounding street serves it.
    whole = cut_lines(net.shapes, areas.shapes).lengths_by_area(len(areas))
    some = (np.zeros(len(areas)), np.zeros(len(areas)))
    if reached:
        shapes = np.array(reached, dtype=object)
        some = cut_lines(shapes, areas.shapes).lengths_by_area(len(areas))
    streets_km, reached_km = sum(whole) / 1000.0, sum(some) / 1000.0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(streets_km > 0, reached_km / streets_km, np.nan)
    table = pd.DataFrame(
        {
            "zone": areas.ids,
            "zone_name": areas.names,
            "area_km2": areas.size_m2 / 1e6,
            "reached_km2": part / 1e6,
            "share_of_area": part / areas.size_m2,
            "streets_km": streets_km,
            "reached_km": reached_km,
            "share_of_streets": share,
        }
    )
    import geopandas

    edges = geopandas.GeoDataFrame(
        {"length_m": ruler.lengths(np.array(reached, dtype=object))},
        geometry=reached,
        crs=STORED,
    )
    return WalkingReach(table, edges, shape, ledger.frame(), limit)


class _Network:
    """Edges between vertices, to be walked both ways."""

    def __init__(self, lines: Shapes) -> None:
        coordinates, index = shapely.get_coordinates(lines, return_index=True)
        joined = index[1:] == index[:-1]
        place = np.round(coordinates, 7)
        _, where, first = np.unique(place, axis=0, return_index=True, return_inverse=True)
        self.node = coordinates[where]
        first = first.ravel()
        self.one, self.two = first[:-1][joined], first[1:][joined]
        # An edge that two ways share is one edge.
        low, high = np.minimum(self.one, self.two), np.maximum(self.one, self.two)
        keep = low != high
        _, pick = np.unique(low[keep] * len(self.node) + high[keep], return_index=True)
        self.one, self.two = low[keep][pick], high[keep][pick]
        self.ends: Floats = np.stack((self.node[self.one], self.node[self.two]), axis=1)
        self.shapes: Shapes = np.asarray(shapely.linestrings(self.ends), dtype=object)
        self.length = ruler.lengths(self.shapes)
        order = np.argsort(np.concatenate((self.one, self.two)), kind="stable")
        self._edge = np.concatenate((np.arange(len(self.one)),) * 2)[order]
        self._other = np.concatenate((self.two, self.one))[order]
        degree = np.bincount(np.concatenate((self.one, self.two)), minlength=len(self.node))
        self._first = np.append(0, np.cumsum(degree))

    def snap(
        self, places: Floats, within_m: float
    ) -> tuple[list[tuple[int, float, float]], Shapes, Bools]:
        """Edge, share of it and walk to it for each point; the walks; who is too far."""
        who, edge, share, away = nearest.near(places, self.ends, within_m)
        order = np.lexsort((away, who))
        who, first = np.unique(who[order], return_index=True)
        edge, share = edge[order][first], share[order][first]
        start, stop = self.ends[edge, 0], self.ends[edge, 1]
        foot = start + (stop - start) * share[:, None]
        ways = np.stack((places[who], foot), axis=1)
        walks: Shapes = np.asarray(shapely.linestrings(ways), dtype=object)
        size = ruler.lengths(walks)
        far = np.ones(len(places), dtype=bool)
        far[who] = False
        return list(zip(edge.tolist(), share.tolist(), size.tolist(), strict=True)), walks, far

    def reach(
        self, starts: list[tuple[int, float, float]], limit: float
    ) -> list[shapely.LineString]:
        """What of the edges lies within `limit` metres of the starts."""
        distance: dict[int, float] = {}
        heap: list[tuple[float, int]] = []
        spans: dict[int, list[tuple[float, float]]] = {}
        for edge, share, away in starts:
            size = float(self.length[edge])
            left = limit - away
            if left <= 0:
                continue
            reach = left / size
            spans.setdefault(edge, []).append((max(share - reach, 0.0), min(share + reach, 1.0)))
            heap.append((away + share * size, int(self.one[edge])))
            heap.append((away + (1.0 - share) * size, int(self.two[edge])))
        heapq.heapify(heap)
        while heap:
            far, node = heapq.heappop(heap)
            if far >= limit or node in distance:
                continue
            distance[node] = far
            for at in range(int(self._first[node]), int(self._first[node + 1])):
                edge, other = int(self._edge[at]), int(self._other[at])
                size = float(self.length[edge])
                share = min((limit - far) / size, 1.0)
                forth = node == int(self.one[edge])
                span = (0.0, share) if forth else (1.0 - share, 1.0)
                spans.setdefault(edge, []).append(span)
                if other not in distance:
                    heapq.heappush(heap, (far + size, other))
        out: list[shapely.LineString] = []
        for edge, parts in spans.items():
            start, stop = self.node[self.one[edge]], self.node[self.two[edge]]
            for low, high in _merged(parts):
                if high > low:
                    ends = [start + (stop - start) * low, start + (stop - start) * high]
                    out.append(shapely.LineString(ends))
        return out


def _widened(edges: Shapes, width_m: float) -> Shapes:
    """What lies within a distance of each edge, in metres per degree of its own middle."""
    ends = shapely.get_coordinates(edges).reshape(-1, 2, 2)
    middle = ends.mean(axis=1)
    scale = nearest.per_degree(middle)
    flat = shapely.linestrings((ends - middle[:, None]) * scale[:, None])
    wide = shapely.buffer(flat, width_m, quad_segs=ARC)
    at, owner = shapely.get_coordinates(wide, return_index=True)
    shapes: Shapes = shapely.set_coordinates(wide, at / scale[owner] + middle[owner])
    return shapes


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out
