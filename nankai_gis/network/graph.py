"""Street graphs of osmnx: to a frame of edges and back; no connection is opened.

osmnx builds graphs only from what it downloads or from XML files, so the splitting of ways at
shared vertices stands here.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.words import tr

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx

_TAGS = ("name", "aliases", "highway", "railway", "waterway", "ref", "bridge", "tunnel", "layer")


def load(path: Path) -> nx.MultiDiGraph[Any]:
    """Read a GraphML file that osmnx saved."""
    import osmnx

    try:
        return osmnx.load_graphml(path)
    except (KeyError, ValueError, TypeError, SyntaxError) as error:
        raise _no_street_graph(path.name, error) from error


def edges(name: str, graph: nx.MultiDiGraph[Any]) -> gpd.GeoDataFrame:
    """Return the edges of a graph, one row each, with the tags that osmnx keeps.

    A graph has an edge for each direction of travel: a two-way street comes out once.
    """
    import osmnx

    try:
        undirected = osmnx.convert.to_undirected(graph)
        frame = osmnx.convert.graph_to_gdfs(undirected, nodes=False, fill_edge_geometry=True)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _no_street_graph(name, error) from error
    frame = frame.reset_index(drop=True)
    # osmnx measures lengths on a sphere; they are measured anew here.
    frame = frame.drop(columns=["length", "speed_kph", "travel_time"], errors="ignore")
    for column in frame.columns.difference([frame.geometry.name]):
        frame[column] = [_text(value) for value in frame[column]]
    return frame


def _no_street_graph(name: str, error: Exception) -> DataError:
    return DataError(
        tr("{file}: not a street graph that osmnx saved: {reason}", file=name, reason=error)
    )


def _text(value: Any) -> Any:
    """Join a list of names or ids, as simplified edges have, to one text."""
    if isinstance(value, list):
        return ";".join(dict.fromkeys(map(str, value)))
    return value


def build(frame: gpd.GeoDataFrame, kinds: Collection[str]) -> nx.MultiDiGraph[Any]:
    """Build the graph of `Roads.to_graph`."""
    import networkx as nx
    import numpy as np
    import shapely

    from nankai_gis.geometry.crs import STORED
    from nankai_gis.geometry.ruler import lengths

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(crs=STORED)
    of_kind = np.any([frame[kind].notna() for kind in kinds] or [[False] * len(frame)], axis=0)
    frame = frame[of_kind]
    if not len(frame):
        return graph

    # Number the places: the same place is the same node.
    lines = frame.geometry.to_numpy()
    places, row = shapely.get_coordinates(lines, return_index=True)
    distinct, node = np.unique(places, axis=0, return_inverse=True)
    node = node.reshape(-1)

    # Split ways at their ends and at every place that is passed more than once.
    first = np.append(True, row[1:] != row[:-1])
    last = np.append(first[1:], True)
    junction = first | last | (np.bincount(node)[node] > 1)
    stops = np.flatnonzero(junction)
    starts, ends = stops[:-1], stops[1:]
    same_way = row[starts] == row[ends]
    starts, ends = starts[same_way], ends[same_way]
    pieces = [
        shapely.LineString(places[start : end + 1]) if (node[start : end + 1] != node[start]).any()
        else None
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]  # fmt: skip
    measured = lengths(np.array(pieces, object))

    # Add an edge for each direction of travel.
    records = frame.drop(columns="geometry").to_dict("records")
    for start, end, piece, metres in zip(starts, ends, pieces, measured, strict=True):
        if piece is None:  # a vertex that stands twice in a row
            continue
        record = records[row[start]]
        sense = record["oneway"]
        shared = {key: record[key] for key in _TAGS if record[key] not in (None, "", False, 0)}
        shared |= {"osmid": record["way"], "oneway": bool(sense), "length": float(metres)}
        u, v = int(node[start]), int(node[end])
        if sense >= 0:
            graph.add_edge(u, v, **shared, reversed=False, geometry=piece)
        if sense <= 0:
            graph.add_edge(v, u, **shared, reversed=True, geometry=piece.reverse())
    for number in graph.nodes:
        x, y = distinct[number].tolist()
        graph.nodes[number].update(x=x, y=y)
    _count_streets(graph)
    return graph


def _count_streets(graph: nx.MultiDiGraph[Any]) -> None:
    """Give every node the number of streets that meet there, as osmnx's statistics want it."""
    import networkx as nx
    import osmnx

    counts = osmnx.stats.count_streets_per_node(graph)
    nx.set_node_attributes(graph, counts, "street_count")
