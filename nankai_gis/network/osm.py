"""The one module that reads OSM's formats, whatever the file is called.

The format is told by content. All of OSM's own formats end as arrays of one kind
(:class:`~nankai_gis.network.pbf.Decoded`): PBF is decoded as it stands, XML (also packed) is
written
anew as PBF by libosmium without a Python object per way, Overpass JSON is taken apart here.
Other vector files come through GDAL. What is cut off, damaged, partial or swapped is refused.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.files import vector
from nankai_gis.geometry.arrays import Ints
from nankai_gis.geometry.crs import STORED
from nankai_gis.network import pbf
from nankai_gis.network.pbf import Words
from nankai_gis.plan.model import CREDIT

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import Geometry

#: Tags that hold another name of the same way, in the order in which aliases are listed.
ALIAS_KEYS = (
    "name:zh",
    "name:zh-Hans",
    "name:zh-Hant",
    "alt_name",
    "old_name",
    "official_name",
    "short_name",
    "name:en",
)
KEYS = (
    "name",
    "highway",
    "railway",
    "waterway",
    "oneway",
    "junction",
    "ref",
    "bridge",
    "tunnel",
    "layer",
    "area",
    *ALIAS_KEYS,
)
KINDS = ("highway", "railway", "waterway")
#: Tracks, in use or not; platforms, stations and signals are no line to follow.
RAILWAYS = frozenset(
    {"rail", "light_rail", "subway", "tram", "narrow_gauge", "monorail", "funicular"}
    | {"preserved", "construction", "proposed", "disused", "abandoned", "razed", "dismantled"}
)
WATERWAYS = frozenset({"river", "canal", "stream", "drain"})

ODBL = f"{CREDIT} 1.0"
NOT_OF_INTEREST = "no highway, railway or waterway of interest"
AN_AREA = "closed and tagged area=yes"
TOO_SHORT = "fewer than two different points"
TWICE = "the same way again"
REPEATED = "the same line and tags again"
OUTSIDE = "outside the area asked for"
INCOMPLETE = "nodes missing"
NO_LINE = "no line"

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"


@dataclass
class Reading:
    """Ways as they stand in a file, chosen but not yet typed."""

    name: str
    format: str
    sha256: str
    source: str
    date: str | None
    ids: Ints
    lines: Any
    tags: Mapping[str, Words]
    dropped: Counter[str] = field(default_factory=Counter)
    incomplete: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Within:
    """The area asked for: its box (west, south, east, north) and, if it is no box, its shape."""

    box: tuple[float, float, float, float]
    shape: Geometry | None = None

    def holds(self, lines: Any) -> Any:
        """Tell which lines touch the area."""
        import shapely

        shape = shapely.box(*self.box) if self.shape is None else self.shape
        shapely.prepare(shape)
        return shapely.intersects(shape, lines)


def read(path: Path, within: Within | None, *, allow_incomplete: bool) -> Reading:
    """Read the ways of a local file in any of the formats."""
    name = path.name
    kind, head = _begun(path)
    if kind == "vector":
        return _vector(path, within)
    if kind == "json":
        return from_overpass(name, path.read_bytes(), within, allow_incomplete=allow_incomplete)
    if kind == "pbf":
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        found = _from_pbf(name, data, path)
    else:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found = _from_xml(name, path, kind, head)
    label = kind.replace("osm", "xml")
    return _chosen(
        found,
        Reading(name, label, digest, f"{name}: {ODBL}", found.date, found.ids, None, found.tags),
        within,
        allow_incomplete=allow_incomplete,
    )


def _begun(path: Path) -> tuple[str, bytes]:
    """Return the kind of a file and its beginning, unpacked; refuse what is not whole.

    The kind is ``vector``, ``json`` or what libosmium calls the format: ``pbf``, ``osm``,
    ``osm.gz``, ``osm.bz2``.
    """
    name = path.name
    if not path.is_file():
        what = "is a folder; name a file in it" if path.is_dir() else "there is no such file"
        raise DataError(f"{path}: {what}")
    with path.open("rb") as stream:
        head = stream.read(4096)
        if head.startswith(_BZIP2):
            head += stream.read(1_000_000)  # one block of bzip2 is up to 900 kB
    if not head:
        raise DataError(f"{name}: the file is empty")
    kind, start = _sniff(name, head), _unpacked(head)
    if kind == "osm":
        kind += ".gz" if head.startswith(_GZIP) else ""
        kind += ".bz2" if head.startswith(_BZIP2) else ""
        if b"Overpass" in start:
            remark = re.search(rb"<remark>(.*?)</remark>", _tail(name, path, kind), re.DOTALL)
            if remark:
                said = " ".join(remark[1].decode("utf-8", "replace").split())
                raise DataError(f"{name}: the server says the answer is not complete: {said}")
    return kind, start


def _tail(name: str, path: Path, kind: str) -> bytes:
    """Return the last bytes of a file, unpacked."""
    openers: dict[str, Any] = {"osm.gz": gzip.open, "osm.bz2": bz2.open}
    size = 1 << 16
    try:
        with openers.get(kind, open)(path, "rb") as stream:
            if kind == "osm":
                stream.seek(max(0, path.stat().st_size - size))
            tail = b""
            while chunk := stream.read(size):
                tail = (tail + chunk)[-size:]
            return tail
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: damaged or cut off: {error}") from error


def _sniff(name: str, head: bytes) -> str:
    """Tell pbf, osm, json and vector apart by what the file begins with."""
    if head[4:32].find(b"OSMHeader") >= 0:
        return "pbf"
    if name.lower().endswith(".pbf"):
        raise DataError(f"{name}: not a PBF file: it doesn't begin with an OSM header")
    start = _unpacked(head).lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.search(rb"<osm[\s>]", start):
        return "osm"
    if b"<osmChange" in start:
        raise DataError(f"{name}: a list of changes, not a map; apply it to an extract first")
    if re.match(rb"<(!doctype\s+)?html", start, re.IGNORECASE):
        raise DataError(f"{name}: an HTML page, likely a server's error message, not map data")
    if b"<graphml" in start:
        return "vector"
    if b"<OGRVRT" in start:
        raise DataError(f"{name}: a GDAL virtual file points elsewhere; give the file it points to")
    packed = head.startswith((_GZIP, _BZIP2))
    if start[:1] == b"{" and (packed or not _looks_like_geojson(start)):
        return "json"
    if packed or name.lower().endswith((".osm", ".osm.gz", ".osm.bz2")):
        raise DataError(f"{name}: neither OSM XML nor Overpass JSON is in it")
    return "vector"


def _looks_like_geojson(start: bytes) -> bool:
    return re.search(rb'"type"\s*:\s*"(FeatureCollection|Feature|Topology)"', start) is not None


def _unpacked(head: bytes) -> bytes:
    """Return the beginning of what a packed file holds; other bytes as they are."""
    try:
        if head.startswith(_GZIP):
            return zlib.decompressobj(wbits=31).decompress(head, 4096)
        if head.startswith(_BZIP2):
            return bz2.BZ2Decompressor().decompress(head, 4096)
    except (zlib.error, OSError, EOFError):
        return b""
    return head


def _from_pbf(name: str, data: bytes, path: Path) -> pbf.Decoded:
    try:
        try:
            found = pbf.decode(data, KEYS, KINDS)
        except pbf.UnusualError:
            found = _rewritten(name, path, "pbf", "timestamp")
    except pbf.DamagedError as error:
        raise DataError(
            f"{name}: damaged or cut off: {error}; download or copy it again"
        ) from error
    if found.history:
        raise DataError(f"{name}: a history file holds many versions; give an extract of one date")
    return found


def _from_xml(name: str, path: Path, kind: str, head: bytes) -> pbf.Decoded:
    text = head.decode("utf-8", "replace")
    dated = re.search(r"\b(?:osm_base|osmosis_replication_timestamp)=[\"']([^\"']+)", text)
    found = _rewritten(name, path, kind, "none" if dated else "timestamp")
    if dated:
        found.date = dated[1]
    return found


def _rewritten(name: str, path: Path, kind: str, metadata: str) -> pbf.Decoded:
    """Let libosmium read a file and write it as plain PBF, then decode that."""
    import osmium

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.osm.pbf"
        options = f"pbf,pbf_compression=none,add_metadata={metadata}"
        try:
            writer = osmium.SimpleWriter(osmium.io.File(str(plain), options))
            try:
                source = osmium.io.File(str(path), kind)
                with osmium.io.Reader(source, osmium.osm.NODE | osmium.osm.WAY) as reader:
                    date = reader.header().get("osmosis_replication_timestamp")
                    osmium.apply(reader, writer)
            finally:
                writer.close()
        except (RuntimeError, ValueError, OSError) as error:
            raise DataError(f"{name}: damaged or cut off: {error}") from error
        try:
            found = pbf.decode(plain.read_bytes(), KEYS, KINDS)
        except (pbf.DamagedError, pbf.UnusualError) as error:
            raise DataError(f"{name}: can't be decoded: {error}") from error
    found.date = date or found.date
    return found


def from_overpass(
    name: str, data: bytes, within: Within | None, *, allow_incomplete: bool
) -> Reading:
    """Read an Overpass answer: `out geom`, or `out body` with the nodes."""
    digest = hashlib.sha256(data).hexdigest()
    answer = _answer(name, data)
    remark = answer.get("remark")
    if remark:
        raise DataError(f"{name}: the server says the answer is not complete: {remark}")
    elements = answer.get("elements")
    if not isinstance(elements, list):
        raise DataError(f"{name}: JSON, but no Overpass answer: it has no list of elements")
    try:
        found = _taken_apart(name, elements)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{name}: an element of the Overpass answer is malformed: {error}"
        ) from error
    stamp = answer.get("osm3s")
    date = (stamp.get("timestamp_osm_base") if isinstance(stamp, dict) else None) or None
    reading = Reading(
        name, "overpass", digest, f"{name}: {ODBL}", date or found.date, found.ids, None, found.tags
    )
    return _chosen(found, reading, within, allow_incomplete=allow_incomplete)


def _answer(name: str, data: bytes) -> dict[str, Any]:
    try:
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        elif data.startswith(_BZIP2):
            data = bz2.decompress(data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{name}: damaged or cut off: {error}") from error
    start = data[:500].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        text = re.sub(r"<[^>]*>|\s+", " ", data[:2000].decode("utf-8", "replace"))
        said = " ".join(text.split())[:200]
        raise DataError(f"{name}: a page of markup instead of JSON; it says: {said}")
    try:
        answer = json.loads(data)
    except ValueError as error:  # also bytes that are no UTF-8
        raise DataError(f"{name}: not complete JSON, likely cut off: {error}") from error
    if not isinstance(answer, dict):
        raise DataError(f"{name}: JSON, but no Overpass answer")
    return answer


def _taken_apart(name: str, elements: list[dict[str, Any]]) -> pbf.Decoded:
    found = pbf.Decoded()
    nodes: list[tuple[int, float, float]] = []
    kept: list[dict[str, Any]] = []
    newest = ""
    for element in elements:
        kind = element["type"]
        newest = max(newest, element.get("timestamp", ""))
        if kind == "node":
            nodes.append((element["id"], element["lon"], element["lat"]))
        elif kind == "way":
            found.all_ways += 1
            tags = element.get("tags") or {}
            if any(key in tags for key in KINDS):
                kept.append(element)
    if not found.all_ways:
        raise DataError(f"{name}: the Overpass answer holds no way")
    if nodes:
        table = np.array(nodes, np.float64)
        ids = np.array([node[0] for node in nodes], np.int64)
        order = np.argsort(ids, kind="stable")
        found.node_ids = ids[order]
        found.lon, found.lat = _units(table[order, 1]), _units(table[order, 2])
    found.nodes = len(nodes)
    found.ids = np.array([way["id"] for way in kept], np.int64)
    found.date = newest or None
    for key in KEYS:
        words = np.empty(len(kept), object)
        words[:] = [way["tags"].get(key) for way in kept]
        found.tags[key] = words
    drawn = ["geometry" in way for way in kept]
    if kept and all(drawn):
        points = [point or {} for way in kept for point in way["geometry"]]
        found.counts = np.array([len(way["geometry"]) for way in kept], np.int64)
        found.ref_lon, found.ref_lat = (
            _units(np.array([point.get(axis, np.nan) for point in points], np.float64)).astype(
                np.int64
            )
            for axis in ("lon", "lat")
        )
        found.refs = (found.ref_lon << 32) + found.ref_lat  # the same place is the same node
    elif any(drawn) or any("nodes" not in way for way in kept):
        raise DataError(
            f"{name}: ways without lines; ask Overpass for `out geom;` or `out body; >; out skel;`"
        )
    else:
        found.counts = np.array([len(way["nodes"]) for way in kept], np.int64)
        found.refs = np.array([ref for way in kept for ref in way["nodes"]], np.int64)
    return found


def _units(degrees: Any) -> Any:
    """Turn degrees into units of 1e-7; what is no number is nowhere."""
    known = np.isfinite(degrees)
    units = np.rint(np.where(known, degrees, 0) * 1e7)
    units = np.clip(units, -pbf.NOWHERE, pbf.NOWHERE)
    return np.where(known, units, pbf.NOWHERE).astype(np.int32)


def _chosen(
    found: pbf.Decoded, reading: Reading, within: Within | None, *, allow_incomplete: bool
) -> Reading:
    """Choose the ways to keep and draw their lines."""
    import shapely

    name, dropped = reading.name, reading.dropped
    if not found.all_ways:
        raise DataError(f"{name}: there is no way in it")
    keep = _of_interest(found.tags)
    dropped[NOT_OF_INTEREST] += found.all_ways - int(keep.sum())
    if not keep.any():
        raise DataError(
            f"{name}: none of its {found.all_ways} ways is a road, a railway or a river"
        )
    stop = np.cumsum(found.counts)
    start = stop - found.counts
    areas = np.flatnonzero(keep & (found.counts > 0) & (found.tags["area"] == "yes"))
    areas = areas[found.refs[start[areas]] == found.refs[stop[areas] - 1]]
    dropped[AN_AREA] += len(areas)
    keep[areas] = False
    order = np.flatnonzero(keep)
    if (np.diff(found.ids[order]) <= 0).any():
        _, first = np.unique(found.ids[order], return_index=True)
        dropped[TWICE] += len(order) - len(first)
        order = order[first]
    short = found.counts[order] < 2
    dropped[TOO_SHORT] += int(short.sum())
    order = order[~short]
    counts = found.counts[order]
    if len(order) == len(found.ids) and (np.diff(order) == 1).all():
        at: Any = slice(None)
    else:
        before = np.cumsum(counts) - counts
        at = np.repeat(start[order] - before, counts) + np.arange(int(counts.sum()))
    lon, lat, missing = _places(found, at)
    _in_range(
        name, lon[~missing] if missing.any() else lon, lat[~missing] if missing.any() else lat
    )
    owner = np.repeat(np.arange(len(order)), counts)
    if missing.any():
        holed = np.zeros(len(order), bool)
        holed[owner[missing]] = True
        told = holed.copy()
        if within is not None:
            west, south, east, north = within.box
            inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north) & ~missing
            touched = np.zeros(len(order), bool)
            touched[owner[inside]] = True
            told &= touched
            dropped[OUTSIDE] += int((holed & ~told).sum())
        reading.incomplete = tuple(found.ids[order[told]].tolist())
        if reading.incomplete and not allow_incomplete:
            raise DataError(_missing(name, reading.incomplete, int((missing & told[owner]).sum())))
        dropped[INCOMPLETE] += len(reading.incomplete)
        order, whole = order[~holed], ~holed[owner]
        lon, lat = lon[whole], lat[whole]
        owner = np.repeat(np.arange(len(order)), found.counts[order])
    if not len(order):
        raise DataError(f"{name}: no way is left: {_told(dropped)}")
    box = (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    lines: Any = shapely.linestrings(np.column_stack([lon, lat]), indices=owner)
    flat = shapely.length(lines) == 0
    if flat.any():
        dropped[TOO_SHORT] += int(flat.sum())
        order, lines = order[~flat], lines[~flat]
    if within is not None:
        inside = within.holds(lines)
        dropped[OUTSIDE] += int((~inside).sum())
        order, lines = order[inside], lines[inside]
        if not len(order):
            raise DataError(nothing_within(name, within.box, box))
    if not len(order):
        raise DataError(f"{name}: no way is left: {_told(dropped)}")
    reading.ids, reading.lines = found.ids[order], lines
    if len(order) < len(found.ids) or (np.diff(order) != 1).any():
        reading.tags = {key: words[order] for key, words in found.tags.items()}
    reading.dropped = +dropped
    return reading


def given(words: Words) -> Any:
    """Tell which ways carry the tag."""
    return np.not_equal(words, np.array(None)).astype(bool)


def _of_interest(tags: Mapping[str, Words]) -> Any:
    keep = given(tags["highway"])
    for key, among in (("railway", RAILWAYS), ("waterway", WATERWAYS)):
        some = np.flatnonzero(given(tags[key]))
        keep[some] |= np.fromiter((word in among for word in tags[key][some]), bool, len(some))
    return keep


def _places(found: pbf.Decoded, at: Any) -> tuple[Any, Any, Any]:
    """Return longitude, latitude and which of the places are missing."""
    if found.ref_lon is not None and found.ref_lat is not None:
        lon, lat = found.ref_lon[at], found.ref_lat[at]
        missing = (lon == pbf.NOWHERE) | (lat == pbf.NOWHERE)
    else:
        refs = found.refs[at]
        if not len(found.node_ids):
            nowhere = np.zeros(len(refs))
            return nowhere, nowhere, np.ones(len(refs), bool)
        row = np.searchsorted(found.node_ids, refs)
        row[row == len(found.node_ids)] = 0
        lon, lat = found.lon[row], found.lat[row]
        missing = (found.node_ids[row] != refs) | (lon == pbf.NOWHERE) | (lat == pbf.NOWHERE)
    # Dividing integers gives the double nearest to the decimal figure; multiplying doesn't.
    return lon / 1e7, lat / 1e7, missing


def _missing(name: str, ways: tuple[int, ...], nodes: int) -> str:
    listed = ", ".join(map(str, ways[:5])) + (", …" if len(ways) > 5 else "")
    return (
        f"{name}: {len(ways)} ways lack {nodes} of their nodes (ways {listed}): the extract is "
        "cut at its edge; cut it with whole ways (osmium extract --strategy complete_ways), ask "
        "for a smaller box, or pass allow_incomplete to do without these ways"
    )


def _told(dropped: Counter[str]) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in (+dropped).items()) or "none read"


def _in_range(name: str, lon: Any, lat: Any) -> None:
    if not len(lon):
        return
    # NaN fails the comparison and is refused with the rest.
    wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if not wrong.any():
        return
    at = int(np.flatnonzero(wrong)[0])
    message = f"{name}: {lon[at]:.6f}, {lat[at]:.6f} is no longitude and latitude in degrees"
    if (np.abs(lat) <= 180).all() and (np.abs(lon) <= 90).all():
        message += "; the two look swapped: longitude comes first, about 117 in Tianjin"
    raise DataError(message)


def nothing_within(
    name: str, asked: tuple[float, float, float, float], has: tuple[float, float, float, float]
) -> str:
    listed = ", ".join(f"{value:.4f}" for value in has)
    message = f"{name}: no way in the area asked for; the file covers {listed}"
    if _overlap((has[1], has[0], has[3], has[2]), asked):
        message += "; longitude and latitude look swapped"
    return message


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


# --- vector files -------------------------------------------------------------------------------

_COLUMNS = {
    "name": ("name", "road_name", "名称", "道路名称"),
    "highway": ("highway", "fclass", "road_type", "roadclass"),
    "id": ("way", "osm_id", "osmid", "@id", "way_id", "id"),
}
_NUMBER = re.compile(r"(?:way/)?(\d+)(?:\.0)?")


def _vector(path: Path, within: Within | None) -> Reading:
    """Read the lines of any file that GDAL knows."""
    import shapely

    name = path.name
    frame, layer = _opened(path)
    dropped: Counter[str] = Counter()
    by_name = {str(column).lower().replace(":", "_"): column for column in frame.columns}
    geometry = frame.geometry.to_numpy()
    if frame.crs.is_geographic:
        _in_range_or_swapped(name, geometry, within)
    if not frame.crs.equals(STORED):
        frame = frame.to_crs(STORED)
        geometry = frame.geometry.to_numpy()
    parts, rows = shapely.get_parts(geometry, return_index=True)
    linear = shapely.get_type_id(parts) == 1
    none = len(frame) - len(np.unique(rows[linear]))
    dropped[NO_LINE] += none
    parts, rows = shapely.force_2d(parts[linear]), rows[linear]
    short = (shapely.length(parts) == 0) | ~np.isfinite(shapely.bounds(parts)).all(axis=1)
    dropped[TOO_SHORT] += int(short.sum())
    parts, rows = parts[~short], rows[~short]
    tags: dict[str, Words] = {}
    for key in KEYS:
        names = _COLUMNS.get(key, (key.replace(":", "_").lower(),))
        column = next((by_name[guess] for guess in names if guess in by_name), None)
        words = np.full(len(frame), None, object)
        if column is not None and column != frame.geometry.name:
            words[:] = [_word(value) for value in frame[column].tolist()]
        tags[key] = words[rows]
    if by_name.get("fclass") is not None:  # as Geofabrik's shapefiles write it
        for key, told in (("oneway", {"F": "yes", "T": "-1", "B": "no"}), *_YES_NO):
            tags[key] = np.array([told.get(word, word) for word in tags[key]], object)
    if not any(key in by_name for key in (*KINDS, *_COLUMNS["highway"])):
        raise DataError(
            f"{name}: layer {layer!r} has no column that says what kind of way a line is; "
            f"name one of its columns highway, railway or waterway "
            f"(it has {', '.join(map(str, frame.columns))})"
        )
    keep = _of_interest(tags)
    dropped[NOT_OF_INTEREST] += int((~keep).sum())
    again = keep & _again(parts, tags)
    dropped[REPEATED] += int(again.sum())
    keep &= ~again
    if not keep.any():
        raise DataError(f"{name}: no way is left: {_told(dropped)}")
    ids, notes = _ids(frame, by_name, rows, keep)
    if not any(guess in by_name for guess in _COLUMNS.get("oneway", ("oneway",))):
        notes += (
            "oneway: no column says it, so that the carriageways of a street can't be told and "
            "each has a centreline of its own",
        )
    has = tuple(float(value) for value in shapely.total_bounds(parts[keep]))
    if within is not None:
        inside = keep & within.holds(parts)
        dropped[OUTSIDE] += int((keep & ~inside).sum())
        keep = inside
        if not keep.any():
            raise DataError(nothing_within(name, within.box, (has[0], has[1], has[2], has[3])))
    order = np.flatnonzero(keep)
    order = order[np.argsort(ids[order], kind="stable")]
    return Reading(
        name=name,
        format="vector",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        source=f"{name}: source and licence as its publisher states them",
        date=None,
        ids=ids[order],
        lines=parts[order],
        tags={key: words[order] for key, words in tags.items()},
        dropped=+dropped,
        notes=notes,
    )


_YES_NO = (("bridge", {"F": "no", "T": "yes"}), ("tunnel", {"F": "no", "T": "yes"}))


def _again(parts: Any, tags: Mapping[str, Words]) -> Any:
    """Lines that repeat another, with all that is said of it."""
    import pandas as pd
    import shapely

    return pd.DataFrame({**tags, "line": shapely.to_wkb(parts)}).duplicated().to_numpy()


def _word(value: object) -> str | None:
    if value is None or value != value:  # NaN
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _opened(path: Path) -> tuple[gpd.GeoDataFrame, str]:
    """The lines of a file and the name of their layer."""
    with path.open("rb") as stream:
        graph = b"<graphml" in stream.read(4096)
    if graph:
        from nankai_gis.network import graph as _graph

        return _graph.read(path), "edges"
    frame, layer = vector.read(path, lines=True)
    if not len(frame):
        raise DataError(f"{path.name}: layer {layer!r} is empty")
    return frame, layer


def _in_range_or_swapped(name: str, geometry: Any, within: Within | None) -> None:
    import shapely

    coordinates = shapely.get_coordinates(geometry)
    if not len(coordinates):
        return
    _in_range(name, coordinates[:, 0], coordinates[:, 1])
    if within is None:
        return
    west, south = coordinates.min(axis=0)
    east, north = coordinates.max(axis=0)
    if not _overlap((west, south, east, north), within.box) and _overlap(
        (south, west, north, east), within.box
    ):
        raise DataError(f"{name}: longitude and latitude look swapped: longitude comes first")


def _ids(
    frame: gpd.GeoDataFrame, by_name: Mapping[str, Any], rows: Any, keep: Any
) -> tuple[Ints, tuple[str, ...]]:
    """Take the ids of a column if they are whole numbers and tell the lines apart."""
    for guess in _COLUMNS["id"]:
        if guess in by_name:
            found = [_NUMBER.fullmatch(str(value)) for value in frame[by_name[guess]].tolist()]
            if all(found):
                ids = np.array([int(match[1]) for match in found if match], np.int64)[rows]
                if len(np.unique(ids[keep])) == int(keep.sum()):
                    return ids, ()
    note = "way: numbered from 1, since no column tells the lines apart"
    return np.arange(1, len(rows) + 1, dtype=np.int64), (note,)


# --- areas --------------------------------------------------------------------------------------


@dataclass
class Ring:
    """An area as it came out of the assembler."""

    id: int
    kind: str
    tags: Mapping[str, str]
    wkb: str


def areas(
    path: Path, wanted: Callable[[Mapping[str, str]], bool]
) -> tuple[list[Ring], dict[int, str]]:
    """Assemble areas; also return the relations that gave none, each with the reason."""
    import osmium

    name = path.name
    kind, _ = _begun(path)
    if kind in ("vector", "json"):
        raise DataError(
            f"{name}: areas are assembled from .osm.pbf and .osm files; "
            "ask Overpass for [out:xml] or take an extract"
        )
    file = osmium.io.File(str(path), kind)
    try:
        relations: Iterable[Any] = osmium.FileProcessor(file, osmium.osm.RELATION)
        members = {
            relation.id: [member.ref for member in relation.members if member.type == "w"]
            for relation in relations
            if relation.tags.get("type") in ("multipolygon", "boundary")
            and wanted(dict(relation.tags))
        }
        rings, unplaced = _assembled(file, wanted)
        whole = {ring.id for ring in rings if ring.kind == "relation"}
        # A closed way that is a relation's ring is that relation's area, not one of its own.
        parts = {ref for refs in members.values() for ref in refs}
        rings = [ring for ring in rings if ring.kind == "relation" or ring.id not in parts]
        missing = {i: refs for i, refs in members.items() if i not in whole}
        return rings, _reasons(file, missing, unplaced)
    except (RuntimeError, ValueError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: damaged or cut off: {error}") from error


def _assembled(
    file: Any, wanted: Callable[[Mapping[str, str]], bool]
) -> tuple[list[Ring], dict[int, str]]:
    import osmium

    factory = osmium.geom.WKBFactory()
    rings: list[Ring] = []
    failed: dict[int, str] = {}
    processor = osmium.FileProcessor(file).with_areas()
    found: Iterable[Any] = processor.with_filter(osmium.filter.EntityFilter(osmium.osm.AREA))
    for area in found:
        tags = dict(area.tags)
        if not wanted(tags):
            continue
        kind = "way" if area.from_way() else "relation"
        outer, _ = area.num_rings()
        if outer:
            rings.append(Ring(area.orig_id(), kind, tags, factory.create_multipolygon(area)))
        elif kind == "relation":
            failed[area.orig_id()] = "its rings don't close or cross themselves or each other"
    return rings, failed


def _reasons(
    file: Any, missing: Mapping[int, list[int]], failed: Mapping[int, str]
) -> dict[int, str]:
    """Say of every relation without an area why it has none."""
    import osmium

    if not missing:
        return {}
    asked = {ref for refs in missing.values() for ref in refs}
    there: dict[int, list[int]] = {}
    ways: Iterable[Any] = osmium.FileProcessor(file, osmium.osm.WAY)
    for way in ways:
        if way.id in asked:
            there[way.id] = [node.ref for node in way.nodes]
    nodes = {ref for refs in there.values() for ref in refs}
    for node in osmium.FileProcessor(file, osmium.osm.NODE):
        nodes.discard(node.id)
    reasons: dict[int, str] = {}
    for relation, refs in missing.items():
        absent = [ref for ref in refs if ref not in there]
        holed = [ref for ref in refs if any(node in nodes for node in there.get(ref, ()))]
        if not refs:
            reasons[relation] = "it has no member ways"
        elif absent:
            reasons[relation] = f"member ways missing from the file: {_few(absent)}"
        elif holed:
            reasons[relation] = f"member ways with missing nodes: {_few(holed)}"
        else:
            reasons[relation] = failed.get(
                relation, "its rings don't close or cross themselves or each other"
            )
    return reasons


def _few(ids: Iterable[int]) -> str:
    listed = list(ids)
    return ", ".join(map(str, listed[:5])) + (
        f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    )
