"""What can be reached on foot: walking along the network from given points.

The shortest ways are networkx's; cutting edges where the time ends, and joining what several
points reach of one edge, is a few lines of arrays here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import nearest, polygons, ruler
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.crs import STORED
from nankai_gis.geometry.cut_lines import LEAST_M, cut_lines
from nankai_gis.measure.coverage.areas import Areas, usable_areas
from nankai_gis.measure.coverage.corridors import ARC
from nankai_gis.measure.coverage.labels import CLASS_COLUMNS
from nankai_gis.measure.coverage.reconciliation import Ledger, Note, notes_table
from nankai_gis.measure.coverage.validation import (
    Lines,
    either,
    labels,
    not_streets,
    row_ids,
    usable_lines,
    usable_points,
    without_repeats,
)
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["WalkingReach", "walking_reach"]

NOT_WALKABLE = mark("not walkable")
TOO_FAR = mark("further than {metres} m from every street")
# Vertices this near are one, degrees as decimals: a centimetre.
_DECIMALS = 7


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
    notes : tuple of Note
        As `Coverage.notes`: points too far from the network, and streets that repeat another or
        can't be walked.
    limit_m : float
        Metres that can be walked.
    """

    table: pd.DataFrame
    edges: GeoDataFrame
    area: shapely.Geometry
    notes: tuple[Note, ...]
    limit_m: float

    @property
    def dropped(self) -> pd.DataFrame:
        """The notes as a table, as `Coverage.dropped`.

        Returns
        -------
        pandas.DataFrame
        """
        return notes_table(self.notes)


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

    Streets join where they share a vertex (to 1e-7 degrees); those that merely cross do not. From
    a point one walks straight to the nearest street and then along it; the way to the street
    counts. A point from which no street is reached in the time reaches nothing: it is dropped and
    counted. An edge that is reached in part counts in part. Rows of streets are left out as in
    `coverage.measure`. What a point reaches doesn't depend on where the others lie.

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
        As `coverage.measure`; and if no point comes near a street.
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
    for option, value, least in (
        ("minutes", minutes, 0.0), ("speed_km_per_h", speed_km_per_h, 0.0),
        ("the walk in metres", limit, LEAST_M), ("width_m", width_m, LEAST_M),
        ("snap_m", snap_m, LEAST_M),
    ):  # fmt: skip
        if not least < value < np.inf:
            raise ValueError(f"{option} is {value:g}; give a number above {least:g}")
    # Take what can be used of the layers.
    ledger = Ledger()
    areas = usable_areas(zones, "zones", ledger)
    edges = _edges(_walkable(streets, not_on_foot, ledger))
    spots, spot_row = usable_points(points, "points", ledger)
    # Walk to the streets. Who needs all the time for that reaches nothing of them.
    places = shapely.get_coordinates(spots)
    nearest_m, option = (snap_m, "snap_m") if snap_m < limit else (limit, "minutes")
    starts, far = _snapped(edges, places, nearest_m)
    ids, metres = row_ids(points), f"{nearest_m:g}"
    ledger.note("points", "dropped", TOO_FAR, [ids[k] for k in spot_row[far]], metres=metres)
    if far.all():
        raise DataError(
            tr(
                "points: none lies within {metres} m of a street; raise {option}",
                metres=metres,
                option=option,
            )
        )
    # Walk along them, and widen all ways that were walked.
    reached = _reached(edges, starts, limit)
    shape = shapely.union_all(_widened(np.concatenate((reached, starts.walks)), width_m))
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    import geopandas

    return WalkingReach(
        _table(areas, edges.shapes, reached, shape),
        geopandas.GeoDataFrame(
            {"length_m": ruler.lengths(reached)}, geometry=list(reached), crs=STORED
        ),
        shape,
        ledger.notes,
        limit,
    )


def _walkable(streets: GeoDataFrame, not_on_foot: Iterable[str], ledger: Ledger) -> Lines:
    streets = without_repeats(streets, "streets", ledger)
    column = next((c for c in CLASS_COLUMNS if c in streets.columns), None)
    skip = not_streets(streets, ledger)
    if column is not None:
        apart = np.asarray(streets[column].isin(list(not_on_foot)), dtype=bool)
        ledger.note("streets", "dropped", NOT_WALKABLE, labels(streets, np.flatnonzero(apart)))
        skip = either(skip, apart)
    return usable_lines(streets, "streets", ledger, skip)


def _table(areas: Areas, streets: Shapes, reached: Shapes, shape: shapely.Geometry) -> pd.DataFrame:
    reached_m2 = ruler.areas(polygons.intersection(areas.shapes, shape))
    # Along the boundary is in: a zone's bounding street serves it.
    streets_km, reached_km = (
        sum(cut_lines(lines, areas.shapes).lengths_by_area(len(areas))) / 1000.0
        for lines in (streets, reached)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(streets_km > 0, reached_km / streets_km, np.nan)
    return pd.DataFrame(
        {
            "zone": areas.ids,
            "zone_name": areas.names,
            "area_km2": areas.size_m2 / 1e6,
            "reached_km2": reached_m2 / 1e6,
            "share_of_area": reached_m2 / areas.size_m2,
            "streets_km": streets_km,
            "reached_km": reached_km,
            "share_of_streets": share,
        }
    )


# ------------------------------------------------------------------ the network


class _Edges(NamedTuple):
    """Edges between vertices, to be walked both ways, each once."""

    #: (n, 2): numbers of the vertices at both ends.
    nodes: Ints
    #: (n, 2, 2): longitude and latitude of both ends.
    ends: Floats
    shapes: Shapes
    length: Floats


class _Starts(NamedTuple):
    """Where points come to a street: its edge, the share of it, and the walk to there."""

    edge: Ints
    share: Floats
    away: Floats
    walks: Shapes


def _edges(lines: Lines) -> _Edges:
    coordinates, line = shapely.get_coordinates(lines.shapes, return_index=True)
    _, where, node = np.unique(
        np.round(coordinates, _DECIMALS), axis=0, return_index=True, return_inverse=True
    )
    node = node.ravel()
    joined = line[1:] == line[:-1]
    nodes = np.sort(np.column_stack((node[:-1][joined], node[1:][joined])), axis=1)
    # An edge that two rows share is one edge.
    nodes = np.unique(nodes[nodes[:, 0] != nodes[:, 1]], axis=0)
    ends: Floats = coordinates[where][nodes]
    shapes: Shapes = np.asarray(shapely.linestrings(ends), dtype=object)
    return _Edges(nodes, ends, shapes, ruler.lengths(shapes))


def _snapped(edges: _Edges, places: Floats, within_m: float) -> tuple[_Starts, Bools]:
    """Where points come to their nearest street, and which have none within a distance."""
    who, edge, share, away = nearest.near(places, edges.ends, within_m)
    order = np.lexsort((away, who))
    who, first = np.unique(who[order], return_index=True)
    edge, share = edge[order][first], share[order][first]
    begin, end = edges.ends[edge, 0], edges.ends[edge, 1]
    foot = begin + (end - begin) * share[:, None]
    walks: Shapes = np.asarray(
        shapely.linestrings(np.stack((places[who], foot), axis=1)), dtype=object
    )
    far = np.ones(len(places), dtype=bool)
    far[who] = False
    return _Starts(edge, share, ruler.lengths(walks), walks), far


def _reached(edges: _Edges, starts: _Starts, limit: float) -> Shapes:
    """What of the edges lies within `limit` metres of the starts, as lines."""
    left = np.maximum(limit - _distances(edges, starts, limit)[edges.nodes], 0.0)
    # From both ends of each edge, and to both sides of each start.
    share = np.minimum(left / edges.length[:, None], 1.0)
    number = np.arange(len(share))
    radius = (limit - starts.away) / edges.length[starts.edge]
    low = np.concatenate((np.zeros(len(share)), 1.0 - share[:, 1], starts.share - radius))
    high = np.concatenate((share[:, 0], np.ones(len(share)), starts.share + radius))
    edge = np.concatenate((number, number, starts.edge))
    low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    real = high > low
    edge, low, high = edge[real], low[real], high[real]
    # Join what overlaps: a span begins anew where all before it on the edge end short of it.
    order = np.lexsort((low, edge))
    edge, low, high = edge[order], low[order], high[order]
    furthest = pd.Series(high).groupby(edge).cummax().to_numpy()
    fresh = np.ones(len(edge), dtype=bool)
    fresh[1:] = (edge[1:] != edge[:-1]) | (low[1:] > furthest[:-1])
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(edge))[: len(first)] - 1
    begin, step = edges.ends[edge[first], 0], np.diff(edges.ends[edge[first]], axis=1)[:, 0]
    spans = (low[first], furthest[last])
    ends = np.stack([begin + step * share[:, None] for share in spans], axis=1)
    reached: Shapes = np.asarray(shapely.linestrings(ends), dtype=object)
    return reached


def _distances(edges: _Edges, starts: _Starts, limit: float) -> Floats:
    """Metres from the starts to each vertex; infinite beyond the limit."""
    import networkx

    graph = networkx.Graph()
    graph.add_weighted_edges_from(zip(*edges.nodes.T.tolist(), edges.length.tolist(), strict=True))
    # A vertex of its own stands for the starts, as far from the ends of their edges as these are.
    size = edges.length[starts.edge]
    away = np.concatenate(
        (starts.away + starts.share * size, starts.away + (1 - starts.share) * size)
    )
    nodes = edges.nodes[starts.edge].T.ravel()
    order = np.argsort(-away, kind="stable")
    source = -1
    graph.add_weighted_edges_from(
        (source, node, metres)
        for node, metres in zip(nodes[order].tolist(), away[order].tolist(), strict=True)
    )
    by_node = networkx.single_source_dijkstra_path_length(graph, source, limit)
    distances = np.full(int(edges.nodes.max()) + 1, np.inf)
    del by_node[source]
    distances[list(by_node)] = list(by_node.values())
    return distances


def _widened(edges: Shapes, width_m: float) -> Shapes:
    """What lies within a distance of each edge, in metres per degree of its own middle."""
    ends = shapely.get_coordinates(edges).reshape(-1, 2, 2)
    middle = ends.mean(axis=1)
    scale = nearest.per_degree(middle)
    flat = shapely.linestrings((ends - middle[:, None]) * scale[:, None])
    wide = shapely.buffer(flat, width_m, quad_segs=ARC)
    corners, owner = shapely.get_coordinates(wide, return_index=True)
    shapes: Shapes = shapely.set_coordinates(wide, corners / scale[owner] + middle[owner])
    return shapes
