"""Road networks: read a file, fetch an area, keep what was got as a snapshot.

A network is one row per OSM way, roads, railways and rivers alike, since each of them can bound
an area. Together with the rows goes the record of where they come from: file, data date,
extent, counts, checksum, and what was left out and why. A snapshot holds both in one GeoPackage.

Partial data is never taken for complete: a file that is cut off, a server's answer with a
remark, a way whose nodes are missing are refused, with the reason.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.network import snapshots
from nankai_gis.network.areas import areas
from nankai_gis.network.origin import COLUMNS, BBox, Origin, Roads
from nankai_gis.network.snapshots import load
from nankai_gis.plan.model import CREDIT
from nankai_gis.words import tr

if TYPE_CHECKING:
    import networkx as nx
    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

    from nankai_gis.network.ways import Within

__all__ = [
    "COLUMNS",
    "BBox",
    "Origin",
    "Roads",
    "areas",
    "fetch",
    "from_graph",
    "load",
    "read",
]

_ODBL = f"{CREDIT} 1.0"
#: More corners than these are asked for as their convex hull.
_CORNERS = 200


def read(
    path: str | os.PathLike[str],
    *,
    bbox: BBox | None = None,
    allow_incomplete: bool = False,
    layers: Sequence[str] = (),
    name_field: str | None = None,
    encoding: str | None = None,
) -> Roads:
    """Read the roads, railways and rivers of a file.

    Ways with a `highway` tag of any value count (footways too), tracks (`railway` such as rail,
    light_rail, subway, disused, abandoned) and running water (`waterway` river, canal, stream,
    drain). Closed ways tagged ``area=yes`` and ways without two different points don't;
    :attr:`Origin.dropped` counts them.

    Parameters
    ----------
    path : str or path-like
        A local file; its content says what it is: OSM PBF, OSM XML (also packed with gzip or
        bzip2), an Overpass answer in JSON (``out geom`` or ``out body`` with nodes), a snapshot,
        a street graph that osmnx saved (GraphML), or any vector file that GDAL reads and that
        says its CRS. In the last, columns are guessed by name whatever their case; Geofabrik's
        are known.
    bbox : tuple of float, optional
        West, south, east, north in degrees. Ways that touch it are kept whole.
    allow_incomplete : bool
        Do without the ways that lack nodes instead of refusing the file; the origin lists them.
    layers : sequence of str
        Of a vector file that has several layers those called so; ``FILE|layername=NAME``, too.
    name_field, encoding : str, optional
        Column of the names, and encoding of the text, of a vector file; by content by default.

    Returns
    -------
    Roads
        Never empty.

    Raises
    ------
    DataError
        The file is missing, damaged, cut off, partial, without ways, or its longitude and
        latitude are swapped.
    CRSError
        A vector file that doesn't say its CRS.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = '''<osm version="0.6"><node id="1" lat="39.1" lon="117.1"/>
    ... <node id="2" lat="39.1" lon="117.2"/><way id="9"><nd ref="1"/><nd ref="2"/>
    ... <tag k="highway" v="primary"/><tag k="name" v="复康路"/></way></osm>'''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "one.osm"
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     roads = read(file)
    >>> roads.origin.ways, roads.origin.bbox, roads.frame.name[0]
    (1, (117.1, 39.1, 117.2, 39.1), '复康路')
    """
    from nankai_gis.files import columns, vector
    from nankai_gis.network import frame as frames
    from nankai_gis.network import graph, osm, overpass_json, vector_ways, ways

    path, named = vector.split_name(Path(path))
    within = None if bbox is None else ways.Within(_checked(bbox))
    if snapshots.is_snapshot(path):
        whole = snapshots.load(path)
        return whole if within is None else frames.cut(whole, within)
    name, kind = path.name, osm.kind_of(path)

    # Vector files and graphs are tables of lines; the publisher of a file is not known.
    if kind in ("vector", "graphml"):
        if kind == "graphml":
            frame, layer, notes = graph.edges(name, graph.load(path)), "edges", list[str]()
        else:
            frame, layer, notes, _ = vector.read(
                path,
                want="Line",
                layers=[*named, *layers],
                prefer=vector.LINES,
                encoding=encoding,
            )
            if name_field is not None:
                column = columns.column_of(frame, name_field, name, "--name-field")
                frame = frame.assign(name=frame[column])
        if not len(frame):
            raise DataError(tr("{file}: layer {layer} is empty", file=name, layer=layer))
        chosen = vector_ways.choose(name, layer, frame, within)
        chosen = replace(chosen, notes=(*chosen.notes, *notes))
        form, date = "vector", None
        source = f"{name}: source and licence as its publisher states them"

    # OSM's own files and Overpass's answers hold ways through nodes.
    else:
        if kind == "json":
            raw = overpass_json.read(name, overpass_json.answer(name, path))
        else:
            raw = osm.read(path, kind)
        chosen = ways.choose(name, raw, within, allow_incomplete=allow_incomplete)
        form = {"json": "overpass"}.get(kind, kind.replace("osm", "xml"))
        date, source = raw.date, f"{name}: {_ODBL}"
    digest = _checksum(path)
    return frames.build(chosen, name=name, form=form, date=date, sha256=digest, source=source)


def _checksum(path: Path) -> str:
    """Return the SHA-256 of a file, or of the files of a geodatabase one after the other."""
    import hashlib

    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.iterdir()):
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def from_graph(
    graph: nx.MultiDiGraph[Any], *, name: str = "graph", source: str = "", date: str | None = None
) -> Roads:
    """Take the streets of a graph that osmnx made.

    A two-way street, which a graph holds once for each direction, comes out once. Names that
    osmnx joined stay together, ``;`` between them.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        With `x` and `y` at the nodes, the tags of OSM at the edges and the CRS in
        ``graph["crs"]``: what `Roads.to_graph` and osmnx return. In any CRS.
    name : str
        What messages and results call it.
    source : str
        What to cite, licence included; OpenStreetMap by default.
    date : str, optional
        Date of the data.

    Returns
    -------
    Roads
        Never empty.

    Raises
    ------
    DataError
        The graph has no edges, no places, or no edge with `highway`, `railway` or `waterway`.

    Examples
    --------
    >>> import networkx
    >>> graph = networkx.MultiDiGraph(crs="EPSG:4326")
    >>> graph.add_node(1, x=117.1, y=39.1), graph.add_node(2, x=117.2, y=39.1)
    (None, None)
    >>> for u, v in ((1, 2), (2, 1)):
    ...     _ = graph.add_edge(u, v, osmid=9, name="复康路", highway="primary", oneway=False,
    ...                        reversed=u > v, length=8650.0)
    >>> from_graph(graph).frame[["way", "name", "oneway"]].values.tolist()
    [[9, '复康路', 0]]
    """
    from nankai_gis.network import frame as frames
    from nankai_gis.network import graph as graphs
    from nankai_gis.network import vector_ways

    if not graph.number_of_edges():
        raise DataError(tr("{file}: the graph has no edges", file=name))
    chosen = vector_ways.choose(name, "edges", graphs.edges(name, graph), None)
    source = source or f"{name}: {_ODBL}"
    return frames.build(chosen, name=name, form="graph", date=date, sha256="", source=source)


def fetch(
    area: BBox | BaseGeometry,
    *,
    endpoint: str | None = None,
    deadline_s: float = 180.0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Roads:
    """Fetch the ways of an area from an Overpass server.

    Refusals and overload (HTTP 429, 502, 503, 504) are tried again a few times, as late as the
    server asks (Retry-After) and no later than the deadline. An answer that the server calls
    incomplete, or that doesn't arrive whole, is refused.

    Parameters
    ----------
    area : tuple of float or shapely geometry
        West, south, east, north, or a polygon; degrees, EPSG:4326. Ways that touch it are
        returned whole. Areas over 2500 km² are asked for in parts.
    endpoint : str, optional
        Address of an Overpass interpreter; default overpass-api.de.
    deadline_s : float
        Seconds for everything: tries, pauses, transfer.
    progress : callable, optional
        Called with the bytes received and the bytes announced (None: not announced).

    Returns
    -------
    Roads

    Raises
    ------
    DataError
        Refused, late, partial or empty, or a deadline that leaves no time.

    Examples
    --------
    >>> fetch((117.1, 39.1, 117.2, 39.2), deadline_s=0)
    Traceback (most recent call last):
    nankai_gis.errors.DataError: a deadline of 0 s can't be kept; give a number of seconds above 0
    """
    from nankai_gis.network import frame as frames
    from nankai_gis.network import overpass, overpass_json, ways

    within, polygon = _asked(area)
    if not 0 < deadline_s < math.inf:
        raise DataError(
            tr(
                "a deadline of {seconds:g} s can't be kept; give a number of seconds above 0",
                seconds=deadline_s,
            )
        )
    endpoint = endpoint or overpass.ENDPOINT
    content, digest = overpass.ask(
        polygon, endpoint=endpoint, deadline_s=deadline_s, progress=progress
    )
    raw = overpass_json.read(endpoint, content)
    chosen = ways.choose(endpoint, raw, within, allow_incomplete=False)
    return frames.build(
        chosen,
        name=endpoint,
        form="overpass",
        date=raw.date,
        sha256=digest,
        source=f"{endpoint}: {_ODBL}",
    )


def _checked(bbox: BBox) -> BBox:
    """Return a box as numbers; refuse one that is empty or not in degrees."""
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError):
        raise DataError(
            tr("{value} is no box of west, south, east, north", value=repr(bbox))
        ) from None
    box = f"{west:g}, {south:g}, {east:g}, {north:g}"
    if not (abs(west) <= 180 and abs(east) <= 180 and abs(south) <= 90 and abs(north) <= 90):
        if abs(west) <= 90 and abs(east) <= 90:
            raise DataError(
                tr(
                    "the box {box} is not in degrees of longitude and latitude; longitude and "
                    "latitude look swapped: west, south, east, north is the order",
                    box=box,
                )
            )
        raise DataError(tr("the box {box} is not in degrees of longitude and latitude", box=box))
    if not (west < east and south < north):
        raise DataError(
            tr("the box {box} is empty; the order is west, south, east, north", box=box)
        )
    return west, south, east, north


def _asked(area: BBox | BaseGeometry) -> tuple[Within, Polygon | MultiPolygon]:
    """Return the area as a filter for what comes, and as the polygon to ask for."""
    import shapely

    from nankai_gis.network.ways import Within

    if not isinstance(area, shapely.Geometry):
        box = _checked(area)
        return Within(box), shapely.box(*box)
    if area.geom_type not in ("Polygon", "MultiPolygon") or area.is_empty or not area.is_valid:
        raise DataError(
            tr(
                "the area to fetch must be a valid polygon, not this {geometry}",
                geometry=area.geom_type,
            )
        )
    within = Within(_checked(area.bounds), area)
    # The server may be asked for a little more; what doesn't touch the area is dropped here.
    many = shapely.get_num_coordinates(area) > _CORNERS
    polygon: Any = shapely.convex_hull(area) if many else area
    return within, polygon
