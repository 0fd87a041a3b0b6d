"""Read OSM's own files: PBF, and XML as it is or packed with gzip or bzip2.

pyosmium decodes and locates the nodes; what a file is, its content says, not its name. GDAL's OSM
driver would be about as fast, but returns no row and no warning for a file that is cut off, and
draws a way without a word of the nodes that it lacks. Tags are asked for by key, since pyosmium
makes an object of each tag that is iterated: 200 thousand ways take 3.4 times as long that way.

libosmium refuses what is cut off or damaged, except a NUL in the text of a tag, which can end the
process: `pbf_texts` looks for one before.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.geometry.arrays import Floats
from nankai_gis.network import pbf_texts
from nankai_gis.network.tags import KEYS, KINDS
from nankai_gis.network.ways import RawWays
from nankai_gis.words import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    import osmium

GZIP, BZIP2 = b"\x1f\x8b", b"BZh"
#: Bytes of a file that tell its kind; a block of bzip2 is up to 900 kB.
_HEAD, _BZIP2_HEAD = 4096, 1_000_000
#: Bytes at the end in which Overpass puts its remark.
_TAIL = 1 << 16
#: Stands in libosmium for a coordinate that isn't known.
_UNKNOWN = int(np.iinfo(np.int32).max)
#: Characters of WKB in hex before the first coordinate, and for each place.
_WKB_HEAD, _WKB_PLACE = 18, 32
#: The filter by id takes memory up to the largest one; OSM's are below 2**34.
_ID_LIMIT = 1 << 40
_FIRST_KEYS = ("name", "highway", "oneway")
_OTHER_KEYS = tuple(key for key in KEYS if key not in _FIRST_KEYS)


def kind_of(path: Path) -> str:
    """Return what a file holds; refuse what is no map or an incomplete answer.

    The kind is ``vector``, ``json`` or what libosmium calls the format: ``pbf``, ``osm``,
    ``osm.gz``, ``osm.bz2``.
    """
    name = path.name
    if path.is_dir():
        raise DataError(tr("{file}: is a folder; name a file in it", file=path))
    if not path.is_file():
        raise DataError(tr("{file}: there is no such file", file=path))
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if head.startswith(BZIP2):
            head += stream.read(_BZIP2_HEAD)
    if not head:
        raise DataError(tr("{file}: the file is empty", file=name))
    kind = _sniff(name, head)
    if kind == "osm":
        kind += ".gz" if head.startswith(GZIP) else ".bz2" if head.startswith(BZIP2) else ""
        if b"Overpass" in _unpacked(head):
            remark = re.search(rb"<remark>(.*?)</remark>", _tail(path, kind), re.DOTALL)
            if remark:
                raise remarked(name, remark[1].decode("utf-8", "replace"))
    return kind


def remarked(name: str, remark: str) -> DataError:
    """Return the error for an answer that the server itself calls incomplete."""
    return DataError(
        tr(
            "{file}: the server says the answer is not complete: {remark}",
            file=name,
            remark=" ".join(remark.split()),
        )
    )


@contextmanager
def refusing_damage(name: str) -> Iterator[None]:
    """Turn the errors of decoders into one that names the file."""
    try:
        yield
    except DataError:
        raise
    except (RuntimeError, ValueError, OSError, EOFError, MemoryError, zlib.error) as error:
        raise DataError(
            tr(
                "{file}: damaged or cut off: {reason}; download or copy it again",
                file=name,
                reason=error,
            )
        ) from error


def _sniff(name: str, head: bytes) -> str:
    """Tell pbf, osm, json and vector apart by what the file begins with."""
    if b"OSMHeader" in head[4:32]:
        return "pbf"
    if name.lower().endswith(".pbf"):
        raise DataError(
            tr("{file}: not a PBF file: it doesn't begin with an OSM header", file=name)
        )
    start = _unpacked(head).lstrip(b"\xef\xbb\xbf \t\r\n")
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
    packed = head.startswith((GZIP, BZIP2))
    geojson = re.search(rb'"type"\s*:\s*"(FeatureCollection|Feature|Topology)"', start)
    if start[:1] == b"{" and (packed or not geojson):
        return "json"
    if packed or name.lower().endswith((".osm", ".osm.gz", ".osm.bz2")):
        raise DataError(tr("{file}: neither OSM XML nor Overpass JSON is in it", file=name))
    return "vector"


def _unpacked(head: bytes) -> bytes:
    """Return the beginning of what a packed file holds; other bytes as they are."""
    try:
        if head.startswith(GZIP):
            return zlib.decompressobj(wbits=31).decompress(head, _HEAD)
        if head.startswith(BZIP2):
            return bz2.BZ2Decompressor().decompress(head, _HEAD)
    except (zlib.error, OSError, EOFError):
        return b""
    return head


def _tail(path: Path, kind: str) -> bytes:
    """Return the last bytes of a file, unpacked."""
    openers: dict[str, Callable[..., Any]] = {"osm.gz": gzip.open, "osm.bz2": bz2.open}
    with refusing_damage(path.name), openers.get(kind, open)(path, "rb") as stream:
        if kind == "osm":
            stream.seek(max(0, path.stat().st_size - _TAIL))
        tail = b""
        while chunk := stream.read(_TAIL):
            tail = (tail + chunk)[-_TAIL:]
        return tail


def checked(path: Path, kind: str) -> osmium.io.File:
    """Return a file for libosmium, without what would end the process."""
    import osmium

    if kind == "pbf":
        pbf_texts.check(path)
    return osmium.io.File(str(path), kind)


def read(path: Path, kind: str) -> RawWays:
    """Read the ways of a PBF or XML file, with the places of their nodes."""
    import osmium

    with refusing_damage(path.name):
        source = checked(path, kind)
        with osmium.io.Reader(source, osmium.osm.NOTHING) as reader:
            header = reader.header()
        if header.has_multiple_object_versions:
            raise DataError(
                tr(
                    "{file}: a history file holds many versions; give an extract of one date",
                    file=path.name,
                )
            )

        # Where the ways carry places themselves, the nodes needn't be in the file.
        if header.get("pbf_optional_feature_0") == "LocationsOnWays":
            ways = _collected(source, osmium.FileProcessor(source, osmium.osm.WAY))
        else:
            locate = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
            locate.ignore_errors()  # a missing node leaves its place unknown
            both = osmium.osm.NODE | osmium.osm.WAY
            ways = _collected(source, osmium.FileProcessor(source, both).with_filter(locate))
        ways.date = header.get("osmosis_replication_timestamp") or None
        if kind != "pbf" and not ways.date:
            ways.date = _date_of_xml(path)
    return ways


def _collected(source: osmium.io.File, processor: osmium.FileProcessor) -> RawWays:
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
        places[np.isnan(places[:, 0])] = _looked_up(source, missing)
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


def _looked_up(source: osmium.io.File, missing: list[int]) -> Floats:
    """Look for nodes that weren't known yet when their ways came; NaN for those not in the file.

    Overpass writes nodes after their ways, and libosmium's index knows no negative ids, which
    editors give to what isn't uploaded.
    """
    import osmium

    wanted = set(missing)
    nodes: Iterable[Any] = osmium.FileProcessor(source, osmium.osm.NODE)
    if min(wanted) >= 0 and max(wanted) < _ID_LIMIT:
        nodes = osmium.FileProcessor(source, osmium.osm.NODE).with_filter(
            osmium.filter.IdFilter(wanted)
        )
    places = {
        node.id: (node.location.x / 1e7, node.location.y / 1e7)
        for node in nodes
        if node.id in wanted
    }
    return np.array([places.get(ref, (np.nan, np.nan)) for ref in missing], np.float64)


def _date_of_xml(path: Path) -> str | None:
    """Return the date that the head of an XML file states."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if head.startswith(BZIP2):
            head += stream.read(_BZIP2_HEAD)
    text = _unpacked(head).decode("utf-8", "replace")
    stated = re.search(r"\b(?:osm_base|osmosis_replication_timestamp)=[\"']([^\"']+)", text)
    return stated[1] if stated else None
