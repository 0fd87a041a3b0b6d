"""What kind of vector file a file is, by its content; its name decides nothing.

GDAL would take a file for whatever one of its drivers recognises, a virtual file that points to a
server among them. Here the content says the driver, and what isn't listed is refused by name.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from nankai_gis.errors import CRSError, DataError
from nankai_gis.words import listed, mark, quoted, tr

#: Bytes at the start that say what a file is.
HEAD = 1 << 16
#: Bytes that a file of text, or all that a zip holds, may come to.
MOST_BYTES = 2 << 30
#: Bytes of a statement of a CRS in JSON.
_STATEMENT = 4096
#: What a text may not have near its start: GDAL's virtual files and services.
_ELSEWHERE = re.compile(
    rb"<(OGRVRTDataSource|VRTDataset|OGRWFSDataSource|OGRCSWDataSource|GDAL_W[MC]S|GDALTileIndex"
    rb"|[a-z]*:?(WFS|WMS|WMTS|WCS)_Capabilities|Capabilities)\b|gdal_streamed_alg",
    re.IGNORECASE,
)
#: What is no vector file, by the start of its content.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (rb"PAR1", mark("GeoParquet is read by --dask only, from a folder of such files")),
    (rb"AC10\d\d|\s*0\r?\n\s*SECTION", mark(
        "a CAD drawing doesn't say its CRS, and its lines have no names; export its layers from a "
        "GIS")),
    (rb"%PDF", mark("a PDF file holds pictures of maps, no map data")),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*", mark(
        "a picture, no vector data; digitise it in a GIS first")),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!", mark("a packed file; unpack it first")),
    (rb"\xd0\xcf\x11\xe0", mark("an old Office document; save its table as .csv or .xlsx")),
    (rb"\s*<(!doctype\s+)?html", mark(
        "an HTML page, likely a server's error message, not map data")),
    (rb"\s*<(\?xml[^>]*>\s*)?<?osm(change)?[\s>]", mark(
        "OpenStreetMap data; give it as --roads")),
)  # fmt: skip
#: Root elements of XML, and their drivers.
_ROOTS = {"kml": "LIBKML", "gpx": "GPX"}
_TYPE = re.compile(rb'"type"\s*:\s*"(\w+)"')
_GEOMETRIES = {
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
    "GeometryCollection", "Feature", "FeatureCollection",
}  # fmt: skip
# A key may be written with escapes.
_CRS_KEY = re.compile(rb'"(?:c|\\u0063)(?:r|\\u0072)(?:s|\\u0073)"\s*:\s*(?=\{)', re.IGNORECASE)
_PARTIAL = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
_COUNTS = re.compile(rb'"number(Matched|Returned)"\s*:\s*(\d+)')
_SRS_NAME = re.compile(rb"""\b(?:srsName|xsi:href|xlink:href)\s*=\s*["']\s*(https?:[^"']*)""")


class VectorSource(NamedTuple):
    """A vector file: the driver that reads it, where GDAL finds it, and the file with its text."""

    path: Path
    driver: str
    address: str
    member: str = ""


def refuse_missing(path: Path) -> None:
    """Refuse what is no file; a folder of ArcGIS is one."""
    if path.is_dir() and not is_geodatabase(path):
        raise DataError(tr("{file} is a folder; give the name of a file in it", file=path))
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        there = False
    if not there:
        raise DataError(tr("{file}: there is no such file", file=path))


def is_geodatabase(path: Path) -> bool:
    """Whether a folder is a file geodatabase of ArcGIS."""
    return path.suffix.lower() == ".gdb" and path.is_dir()


def recognise(path: Path) -> VectorSource:
    """Return what a file is; refuse what is no vector file, or points elsewhere."""
    refuse_missing(path)
    # An absolute path can't be taken for a connection.
    address = str(path.resolve())
    if path.is_dir():
        return VectorSource(path, "OpenFileGDB", address)
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise DataError(tr("{file}: the file is empty", file=path.name))
    if head[:4] == b"PK\3\4":
        return _packed(path, address)
    return VectorSource(path, _driver(path.name, head, path), address)


def _driver(name: str, head: bytes, path: Path | None) -> str:
    """Return the driver of a file, by its first bytes and, of JSON, by all of them."""
    if head[:16] == b"SQLite format 3\0":
        return "GPKG"
    if head[:3] == b"fgb":
        return "FlatGeobuf"
    if head[:4] == b"\0\0\x27\x0a":
        return "ESRI Shapefile"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "ignore").encode().lstrip(b"\xef\xbb\xbf \t\r\n")
    if _ELSEWHERE.search(text):
        raise DataError(
            tr(
                "{file}: it points to other data (a server or another file); give the data itself",
                file=name,
            )
        )
    for pattern, reason in _OTHERS:
        if re.match(pattern, text, re.IGNORECASE):
            raise DataError(tr("{file}: {reason}", file=name, reason=tr(reason)))
    if text[:1] in (b"{", b"["):
        return _json_driver(name, text, path)
    if text[:1] == b"<":
        return _xml_driver(name, text)
    if re.match(rb"version\s+\d+", text, re.IGNORECASE) or text[:6].lower() == b"!table":
        _refuse_linked_table(name, text)
        return "MapInfo File"
    if b"\n" in text and b"\0" not in text and re.match(rb"[^\r\n]*[,;\t]", text):
        raise DataError(
            tr(
                "{file}: a table of text; its columns are not read as places. Load it into a GIS "
                "(longitude and latitude, or WKT) and save it as GeoPackage or GeoJSON",
                file=name,
            )
        )
    raise DataError(
        tr(
            "{file}: no vector file of a known kind; give GeoPackage, GeoJSON, Shapefile, KML, "
            "GPX, GML, FlatGeobuf, MapInfo or a file geodatabase",
            file=name,
        )
    )


# ------------------------------------------------------------------ text


def json_kind(path: Path) -> str | None:
    """Return the driver of a JSON file that holds a map; None for any other JSON."""
    data = _text_of(path)
    start = data[:HEAD]
    if b'"esriGeometry' in start or re.search(rb'"geometryType"\s*:\s*"esriGeometry', data):
        return "ESRIJSON"
    for found in _TYPE.finditer(data):
        kind = found[1].decode()
        if kind == "Topology":
            return "TopoJSON"
        # A member "elements" is Overpass's, whose places may be in GeoJSON's words.
        if kind in _GEOMETRIES:
            if re.search(rb'"(?:elements|osm3s)"\s*:', start):
                return None
            return "GeoJSONSeq" if _is_sequence(data) else "GeoJSON"
    return None


def _text_of(path: Path) -> bytes:
    """Return the content of a file of text, of a stated size at most."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(
            tr(
                "{file}: {size:.1f} GB of text; at most {most:.0f} GB are read. Save it as "
                "GeoPackage",
                file=path.name,
                size=size / (1 << 30),
                most=MOST_BYTES / (1 << 30),
            )
        )
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    return data


def _is_sequence(data: bytes) -> bool:
    """Whether JSON texts follow one another, a line each."""
    if data[:1] == b"\x1e":
        return True
    first = data[: data.find(b"\n") + 1 or len(data)]
    if first.strip() in (b"", b"{", b"[") or first == data:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(data[len(first) :].strip(b"\x1e \t\r\n\0"))


def _json_driver(name: str, head: bytes, path: Path | None) -> str:
    driver = json_kind(path) if path is not None else _kind_of_head(head)
    if driver is None:
        raise DataError(
            tr(
                "{file}: JSON, but no map data: neither GeoJSON nor TopoJSON nor ArcGIS JSON",
                file=name,
            )
        )
    return driver


def _kind_of_head(head: bytes) -> str | None:
    if b'"Topology"' in head:
        return "TopoJSON"
    if b'"esriGeometry' in head:
        return "ESRIJSON"
    kinds = {found[1].decode() for found in _TYPE.finditer(head)}
    return "GeoJSON" if kinds & _GEOMETRIES else None


def _xml_driver(name: str, text: bytes) -> str:
    root = re.search(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)", text)
    element = root[1].decode() if root else ""
    if element in _ROOTS:
        return _ROOTS[element]
    if b"opengis.net/gml" in text:
        return "GML"
    raise DataError(
        tr(
            "{file}: XML of an unknown kind (it begins with {element}); give KML, GPX or GML",
            file=name,
            element=quoted(element),
        )
    )


def _refuse_linked_table(name: str, text: bytes) -> None:
    if re.search(rb"create\s+view|seamless|type\s+(linked|odbc|wms|wfs|tileserver)", text, re.I):
        raise DataError(
            tr(
                "{file}: it points to other data (a server or another file); give the data itself",
                file=name,
            )
        )


def check_statements(source: VectorSource) -> None:
    """Refuse text that names an unknown CRS, has it fetched, or was cut by a server's limit."""
    if source.path.is_dir() or source.driver not in (
        "GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON", "GML", "LIBKML", "GPX",
    ):  # fmt: skip
        return
    if source.member:
        with zipfile.ZipFile(source.path) as box:
            _check_text(source, box.read(source.member))
    elif source.driver != "LIBKML" or not zipfile.is_zipfile(source.path):
        _check_text(source, _text_of(source.path))


def _check_text(source: VectorSource, data: bytes) -> None:
    name = source.path.name
    link = _SRS_NAME.search(data) if source.driver == "GML" else None
    if link is not None and not re.match(rb"https?://(www\.)?opengis\.net/", link[1]):
        raise _unknown_crs(name, link[1].decode("utf-8", "replace"))
    if source.driver in ("GML", "LIBKML", "GPX"):
        return
    # JSON: what server made it, and what it says of its CRS.
    counts = {found[1]: int(found[2]) for found in _COUNTS.finditer(data[:HEAD])}
    short = counts.get(b"Returned", 0) < counts.get(b"Matched", 0)
    if _PARTIAL.search(data) or (short and b"Returned" in counts):
        raise DataError(
            tr(
                "{file}: the server left out what is beyond its limit; fetch the rest, page by "
                "page, and join the parts",
                file=name,
            )
        )
    for found in _CRS_KEY.finditer(data):
        raw = data[found.end() : found.end() + _STATEMENT].decode("utf-8", "replace")
        try:
            stated, _ = json.JSONDecoder().raw_decode(raw)
        except (ValueError, RecursionError):
            stated = {"type": "?"}
        if "type" in stated:
            _check_stated(name, stated)


def _check_stated(name: str, stated: dict[str, Any]) -> None:
    import pyproj

    held = stated.get("properties")
    known = held.get("name") if isinstance(held, dict) else None
    if stated["type"] != "name" or not isinstance(known, str):
        raise _unknown_crs(name, json.dumps(stated, ensure_ascii=False)[:80])
    try:
        pyproj.CRS.from_user_input(known)
    except pyproj.exceptions.CRSError as error:
        raise _unknown_crs(name, known) from error


def _unknown_crs(name: str, stated: str) -> CRSError:
    return CRSError(
        tr(
            "{file}: the file states its CRS as {crs}, which is not known; write it again in "
            "EPSG:4326 (WGS-84; GCJ-02 and BD-09 converted first)",
            file=name,
            crs=quoted(stated[:80]),
        )
    )


# ------------------------------------------------------------------ zip


def _packed(path: Path, address: str) -> VectorSource:
    """Return the one vector file in a zip; a set of shapefiles counts as one."""
    members = checked_members(path)
    inside = f"/vsizip/{{{address}}}/"
    names = [name for name in members if not re.search(r"(^|/)(__MACOSX/|\.)", name)]
    if "[Content_Types].xml" in names:
        raise DataError(
            tr(
                "{file}: an Office document; save its table as GeoPackage from a GIS",
                file=path.name,
            )
        )
    bases = {found[0] for name in names if (found := re.match(r".*?\.gdb(?=/)", name, re.I))}
    if len(bases) == 1:
        return VectorSource(path, "OpenFileGDB", inside + bases.pop())
    if any(name.lower().endswith(".shp") for name in names):
        return VectorSource(path, "ESRI Shapefile", f"/vsizip/{{{address}}}")
    # Of what is left, each file says what it is.
    known: dict[str, str] = {}
    with zipfile.ZipFile(path) as box:
        for name in names:
            if name.endswith("/") or re.search(r"\.(mid|dat|map|id|ind|txt|png|jpe?g|xsd)$", name):
                continue
            with box.open(name) as stream:
                head = stream.read(HEAD)
            try:
                known[name] = _driver(f"{path.name}/{name}", head, None)
            except DataError:
                if len(names) == 1:
                    raise
    if not known:
        raise DataError(tr("{file}: no vector file in this zip", file=path.name))
    if len(known) > 1 and "doc.kml" in known:
        known = {"doc.kml": known["doc.kml"]}
    if len(known) > 1:
        raise DataError(
            tr(
                "{file}: {n} vector files in this zip ({files}); unpack it and give one of them",
                file=path.name,
                n=len(known),
                files=listed(known),
            )
        )
    ((name, driver),) = known.items()
    return VectorSource(path, driver, inside + name, name)


def checked_members(path: Path) -> list[str]:
    """Return the files in a zip that is whole and within the limit."""
    try:
        with zipfile.ZipFile(path) as box:
            infos = box.infolist()
            size = sum(info.file_size for info in infos)
            if size > MOST_BYTES:
                raise DataError(
                    tr(
                        "{file}: unpacked it would be {size:.1f} GB; at most {most:.0f} GB are "
                        "read. Unpack it and give the file in it",
                        file=path.name,
                        size=size / (1 << 30),
                        most=MOST_BYTES / (1 << 30),
                    )
                )
            if any(info.flag_bits & 1 for info in infos):
                raise DataError(
                    tr("{file}: the zip wants a password; unpack it first", file=path.name)
                )
            spoilt = box.testzip()
    except DataError:
        raise
    except Exception as error:  # zipfile raises what zlib, struct and codecs raise, too
        raise DataError(
            tr("{file}: a damaged or cut off zip; copy or download it again", file=path.name)
        ) from error
    if spoilt is not None:
        raise DataError(
            tr(
                "{file}: {member} in this zip is damaged; copy or download it again",
                file=path.name,
                member=quoted(spoilt),
            )
        )
    return [info.filename for info in infos]
