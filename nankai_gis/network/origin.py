"""A network as the rest of the package gets it: a frame of ways, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx

#: West, south, east, north in degrees.
BBox = tuple[float, float, float, float]

#: Columns of a network's frame beside `geometry`, with their types.
COLUMNS: Mapping[str, str] = {
    "way": "int64",
    "name": "object",
    "aliases": "object",
    "highway": "object",
    "railway": "object",
    "waterway": "object",
    "oneway": "int8",
    "ref": "object",
    "bridge": "bool",
    "tunnel": "bool",
    "layer": "int16",
}


@dataclass(frozen=True)
class Origin:
    """Where a network comes from and what was made of it.

    Attributes
    ----------
    name : str
        The file's name without its folder, or the server's address.
    format : str
        ``pbf``, ``xml``, ``xml.gz``, ``xml.bz2``, ``overpass``, ``vector`` or ``graph``.
    date : str or None
        Date of the data, as the file states it; None where it states none (for JSON of Overpass
        then that of its newest object).
    bbox : tuple of float
        Extent of the ways kept: west, south, east, north in degrees.
    ways, named, nodes : int
        Ways kept, those with a `name`, and the vertices of all of them (a shared one counts at
        every way).
    dropped : mapping of str to int
        How many ways were left out, by reason (in English; ``words.tr`` translates it).
    incomplete : tuple of int
        Ways left out because nodes were missing, by id (with `allow_incomplete` only).
    sha256 : str
        Checksum of the file or of the answer.
    source : str
        What to cite, licence included.
    notes : tuple of str
        What else a reader should know (in English, likewise).
    """

    name: str
    format: str
    date: str | None
    bbox: BBox
    ways: int
    named: int
    nodes: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    incomplete: tuple[int, ...] = ()
    sha256: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roads:
    """A network: its ways and where they come from.

    Attributes
    ----------
    frame : geopandas.GeoDataFrame
        EPSG:4326, one LineString per way in the order of the ids. Columns: `way` (OSM id, int64),
        `name` (str or None), `aliases` (other names, ``;`` between them, empty if none),
        `highway`, `railway`, `waterway` (the tags' values or None), `oneway` (1 along the line,
        -1 against it, 0 both ways; int8), `ref`, `bridge` and `tunnel` (bool), `layer` (int16).
    origin : Origin
    """

    frame: gpd.GeoDataFrame
    origin: Origin

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a snapshot: one GeoPackage with the ways and the record of their origin.

        The file is written beside its place under another name, read back, compared, and only
        then put in place: it is there whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.gpkg``.
        overwrite : bool
            Replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        OutputError
            The file exists and may not be replaced, or it can't be written.

        Examples
        --------
        >>> import tempfile
        >>> from nankai_gis.network.roads import load, read
        >>> text = '''<osm version="0.6"><node id="1" lat="39.1" lon="117.1"/>
        ... <node id="2" lat="39.1" lon="117.2"/><way id="9"><nd ref="1"/><nd ref="2"/>
        ... <tag k="highway" v="primary"/></way></osm>'''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "one.osm"
        ...     _ = file.write_text(text, encoding="utf-8")
        ...     snapshot = read(file).save(Path(folder) / "one.gpkg")
        ...     load(snapshot).origin.ways
        1
        """
        from nankai_gis.network import snapshots

        return snapshots.save(self, Path(path), overwrite=overwrite)

    def to_graph(self, kinds: Collection[str] = ("highway",)) -> nx.MultiDiGraph[Any]:
        """Return the network as a graph that osmnx routes on, measures and plots.

        Ways are split where they share a vertex with another way or with themselves. A one-way
        street gives one edge for each piece, another street one for each direction.

        Parameters
        ----------
        kinds : collection of str
            Which ways take part: ``highway``, ``railway``, ``waterway``.

        Returns
        -------
        networkx.MultiDiGraph
            In EPSG:4326 (``graph["crs"]``). Nodes have `x`, `y` (degrees) and `street_count`;
            edges have `osmid` (the way), `highway`, `railway` or `waterway`, `oneway` (bool),
            `reversed`, `length` (metres on the CGCS2000 ellipsoid), `geometry` and, where the way
            has them, `name`, `aliases`, `ref`, `bridge`, `tunnel`, `layer`. Without nodes if no
            way is of these kinds.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import LineString
        >>> from nankai_gis.network.roads import Origin, Roads
        >>> frame = gpd.GeoDataFrame(
        ...     {"way": [9], "name": ["复康路"], "aliases": [""], "highway": ["primary"],
        ...      "railway": [None], "waterway": [None], "oneway": [0], "ref": [None],
        ...      "bridge": [False], "tunnel": [False], "layer": [0]},
        ...     geometry=[LineString([(117.1, 39.1), (117.11, 39.1)])], crs=4326)
        >>> roads = Roads(frame, Origin("a", "vector", None, (117.1, 39.1, 117.11, 39.1), 1, 1, 2))
        >>> [(u, v, round(edge["length"], 1)) for u, v, edge in roads.to_graph().edges(data=True)]
        [(0, 1, 865.0), (1, 0, 865.0)]
        """
        from nankai_gis.network import graph

        return graph.build(self.frame, kinds)
