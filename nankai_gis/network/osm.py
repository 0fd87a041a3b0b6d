"""Read OSM's own files: PBF, and XML as it is or packed with gzip or bzip2.

pyosmium decodes and locates the nodes; what a file is, its content says, not its name. GDAL's OSM
driver would be about as fast, but returns no row and no warning for a file that is cut off, and
draws a way without a word of the nodes that it lacks. Tags are asked for by key, since pyosmium
makes an object of each tag that is iterated: 200 thousand ways take 3.4 times as long that way.

libosmium refuses what is cut off or damaged, except a NUL in the text of a tag, which can end the
process: `pbf_texts` looks for one before. What else it passes over in XML, `osm_xml` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.files import formats
from nankai_gis.network import osm_xml, pbf_texts, whole
from nankai_gis.network.tags import KEYS, KINDS
from nankai_gis.network.ways import RawWays
from nankai_gis.words import tr

if TYPE_CHECKING:
    import osmium

#: How files of OSM begin that neither libosmium nor GDAL reads as a map.
_FOREIGN = {b"\xff\xe0\x04o5m": "o5m", b"\xff\xe0\x04o5c": "o5c"}
#: Stands in libosmium for a coordinate that isn't known.
_UNKNOWN = int(np.iinfo(np.int32).max)
#: Characters of WKB in hex before the first coordinate, and for each place.
_WKB_HEAD, _WKB_PLACE = 18, 32
#: The filter by id takes memory up to the largest one; OSM's are below 2**34.
_ID_LIMIT = 1 << 40
_FIRST_KEYS = ("name", "highway", "oneway")
_OTHER_KEYS = tuple(key for key in KEYS if key not in _FIRST_KEYS)


def kind_of(path: Path) -> str:
    """Return what a file holds; refuse what is no map.

    The kind is ``vector``, ``graphml``, ``json`` or what libosmium calls the format: ``pbf``,
    ``osm``, ``osm.gz``, ``osm.bz2``.
    """
    formats.refuse_missing(path)
    if formats.is_geodatabase(path):
        return "vector"
    start, text = whole.head(path)
    if not start:
        raise DataError(tr("{file}: the file is empty", file=path.name))
    kind = _sniff(path, start, text.lstrip(b"\xef\xbb\xbf \t\r\n"))
    if kind == "osm":
        kind += {whole.GZIP: ".gz", whole.BZIP2[:2]: ".bz2"}.get(start[:2], "")
    return kind


def _sniff(path: Path, head: bytes, start: bytes) -> str:
    """Tell the kinds apart by what the file begins with, as it is and unpacked."""
    name = path.name
    if b"OSMHeader" in head[4:32]:
        return "pbf"
    if name.lower().endswith(".pbf"):
        raise DataError(
            tr("{file}: not a PBF file: it doesn't begin with an OSM header", file=name)
        )
    for magic, form in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(
                tr(
                    "{file}: {form} is not read here; convert it with osmium cat to .osm.pbf",
                    file=name,
                    form=form,
                )
            )
    if head.startswith((whole.ZSTD, whole.XZ)):
        raise DataError(
            tr("{file}: packed by other means than gzip or bzip2; unpack it first", file=name)
        )
    if re.search(rb"<osm[\s>]", start):
        return "osm"
    if b"<osmChange" in start:
        raise DataError(
            tr("{file}: a list of changes, not a map; apply it to an extract first", file=name)
        )
    if re.match(rb"<(!doctype\s+)?html", start, re.IGNORECASE):
        raise DataError(
            tr("{file}: an HTML page, likely a server's error message, not map data", file=name)
        )
    if b"<graphml" in start:
        return "graphml"
    if b"<OGRVRT" in start:
        raise DataError(
            tr(
                "{file}: a GDAL virtual file points elsewhere; give the file it points to",
                file=name,
            )
        )
    packed = head.startswith((whole.GZIP, whole.BZIP2))
    if start[:1] in (b"{", b"[") and (packed or formats.json_kind(path) is None):
        return "json"
    if packed or name.lower().endswith((".osm", ".osm.gz", ".osm.bz2")):
        raise DataError(tr("{file}: neither OSM XML nor Overpass JSON is in it", file=name))
    return "vector"


@dataclass
class Opened:
    """A file as libosmium gets it, and what was left out on the way there."""

    #: osmium.io.File or FileBuffer.
    source: Any
    date: str | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: Relations that are marked as deleted, with their tags.
    deleted: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def opened(path: Path, kind: str) -> Opened:
    """Check a file for what libosmium passes over or dies of, and return it for libosmium."""
    import osmium

    if kind == "pbf":
        pbf_texts.check(path)
        return Opened(osmium.io.File(str(path), kind))
    looked = osm_xml.look(path)
    if not looked.marked:
        return Opened(osmium.io.File(str(path), kind), looked.date)
    today = osm_xml.today(path)
    buffer = osmium.io.FileBuffer(today.xml, "osm")
    return Opened(buffer, looked.date, today.dropped, today.deleted)


def read(path: Path, kind: str) -> RawWays:
    """Read the ways of a PBF or XML file, with the places of their nodes."""
    import osmium

    with whole.refusing_damage(path.name):
        file = opened(path, kind)
        with osmium.io.Reader(file.source, osmium.osm.NOTHING) as reader:
            header = reader.header()
        if header.has_multiple_object_versions:
            raise DataError(
                tr(
                    "{file}: a history file holds many versions; give an extract of one date",
                    file=path.name,
                )
            )

        # Where the ways carry places themselves, the nodes needn't be in the file.
        if has_places_on_ways(header):
            ways = _collected(file.source, osmium.FileProcessor(file.source, osmium.osm.WAY))
        else:
            locate = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
            locate.ignore_errors()  # a missing node leaves its place unknown
            both = osmium.osm.NODE | osmium.osm.WAY
            processor = osmium.FileProcessor(file.source, both).with_filter(locate)
            ways = _collected(file.source, processor)
    if len(ways.ids) and not ways.counts.any():
        raise lineless(path.name)
    ways.date = header.get("osmosis_replication_timestamp") or file.date
    ways.dropped = file.dropped
    return ways


def has_places_on_ways(header: osmium.io.Header) -> bool:
    """Tell whether the ways of a PBF file carry the places of their nodes."""
    return any(header.get(f"pbf_optional_feature_{n}") == "LocationsOnWays" for n in range(8))


def lineless(name: str) -> DataError:
    """Return the error for an answer whose ways have no course (``out tags``, ``out center``)."""
    return DataError(
        tr(
            "{file}: ways without lines; ask Overpass for `out geom;` or `out body; >; out skel;`",
            file=name,
        )
    )


def _collected(source: Any, processor: osmium.FileProcessor) -> RawWays:
    """Turn the ways that have a key of interest into arrays; count the others."""
    import osmium

    class Counter(osmium.SimpleHandler):
        ways = 0

        def way(self, _way: osmium.osm.Way) -> None:
            self.ways += 1

    others = Counter()
    processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    processor.with_filter(osmium.filter.KeyFilter(*KINDS)).handler_for_filtered(others)
    draw, every_node = osmium.geom.WKBFactory().create_linestring, osmium.geom.ALL
    ids: list[int] = []
    lines: list[str] = []
    first: list[tuple[str | None, ...]] = []
    rest: dict[int, list[str | None]] = {}
    areas: list[int] = []
    missing: list[int] = []
    stream: Iterable[Any] = processor
    for row, way in enumerate(stream):
        ids.append(way.id)
        try:
            lines.append(draw(way, every_node)[_WKB_HEAD:])
        except (osmium.InvalidLocationError, RuntimeError):  # a hole, or one node only
            lines.append(_drawn_with_holes(way, missing))
        tags = way.tags
        get = tags.get
        name, highway, oneway = get("name"), get("highway"), get("oneway")
        first.append((name, highway, oneway))
        # Most ways have these tags only: the others are asked for where there are more.
        if len(tags) > (name is not None) + (highway is not None) + (oneway is not None):
            rest[row] = [get(key) for key in _OTHER_KEYS]
            if get("area") == "yes" and way.is_closed():
                areas.append(row)

    size = len(ids)
    places = np.frombuffer(bytes.fromhex("".join(lines)), np.float64).reshape(-1, 2)
    if missing:
        places = places.copy()
        found = places_of(source, set(missing))
        looked_up = np.array([found.get(ref, (_UNKNOWN, _UNKNOWN)) for ref in missing], np.int64)
        holes = (looked_up == _UNKNOWN).any(axis=1, keepdims=True)
        places[np.isnan(places[:, 0])] = np.where(holes, np.nan, looked_up / 1e7)
    area = np.zeros(size, bool)
    area[areas] = True
    return RawWays(
        total=size + others.ways,
        ids=np.array(ids, np.int64),
        tags=_columns(first, rest),
        counts=np.array([len(line) // _WKB_PLACE for line in lines], np.int64),
        lon=places[:, 0],
        lat=places[:, 1],
        area=area,
    )


def _columns(
    first: list[tuple[str | None, ...]], rest: dict[int, list[str | None]]
) -> dict[str, Any]:
    """Return an array for each tag."""
    table = np.empty((len(first), len(_FIRST_KEYS)), object)
    if first:
        table[:] = first
    columns = dict(zip(_FIRST_KEYS, table.T.copy(), strict=True))
    rows = np.fromiter(rest, np.int64, len(rest))
    values = np.empty((len(rest), len(_OTHER_KEYS)), object)
    if rest:
        values[:] = list(rest.values())
    for column, key in enumerate(_OTHER_KEYS):
        columns[key] = np.full(len(first), None, object)
        columns[key][rows] = values[:, column]
    return columns


def _drawn_with_holes(way: osmium.osm.Way, missing: list[int]) -> str:
    """Return the places of a way as WKB has them, in hex: NaN for a missing node, and its id."""
    places = np.array([(node.x, node.y) for node in way.nodes], np.int64).reshape(-1, 2)
    unknown = (places == _UNKNOWN).any(axis=1, keepdims=True)
    missing += [node.ref for node, hole in zip(way.nodes, unknown, strict=True) if hole]
    return np.where(unknown, np.nan, places / 1e7).tobytes().hex()


def places_of(source: Any, wanted: set[int]) -> dict[int, tuple[int, int]]:
    """Look for nodes by id, of those that are in the file; places in units of 1e-7 degrees.

    Overpass writes nodes after their ways, and libosmium's index knows no negative ids, which
    editors give to what isn't uploaded.
    """
    import osmium

    if not wanted:
        return {}
    nodes: Iterable[Any] = osmium.FileProcessor(source, osmium.osm.NODE)
    if min(wanted) >= 0 and max(wanted) < _ID_LIMIT:
        nodes = osmium.FileProcessor(source, osmium.osm.NODE).with_filter(
            osmium.filter.IdFilter(wanted)
        )
    return {node.id: (node.location.x, node.location.y) for node in nodes if node.id in wanted}
