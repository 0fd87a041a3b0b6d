"""Street graphs that osmnx saved, as a table of lines; no connection is opened.

A graph has an edge for each direction of travel. A two-way street would be there twice, so the
graph is made undirected first; a one-way carriageway stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError

if TYPE_CHECKING:
    import geopandas as gpd


def read(path: Path) -> gpd.GeoDataFrame:
    """Read the edges of a GraphML file, one row each, with the tags that osmnx keeps."""
    import osmnx

    try:
        graph = osmnx.convert.to_undirected(osmnx.load_graphml(path))
        edges = osmnx.convert.graph_to_gdfs(graph, nodes=False, fill_edge_geometry=True)
    except (KeyError, ValueError, TypeError, SyntaxError) as error:
        raise DataError(f"{path.name}: not a street graph that osmnx saved: {error}") from error
    edges = edges.reset_index(drop=True)
    # osmnx measures lengths on a sphere; they are measured anew here.
    edges = edges.drop(columns=[c for c in ("length", "speed_kph", "travel_time") if c in edges])
    for column in edges.columns.difference([edges.geometry.name]):
        edges[column] = [_text(value) for value in edges[column]]
    return edges


def _text(value: Any) -> Any:
    """A list of names or ids, as simplified edges have, becomes one text."""
    if isinstance(value, list):
        return ";".join(dict.fromkeys(map(str, value)))
    return value
