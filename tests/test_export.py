"""Every format is read back by a reader that didn't write it, and nothing is missing."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import json
import math
import re
import sqlite3
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPolygon,
    Point,
    Polygon,
    shape,
)
from shapely.geometry.base import BaseGeometry

from nankai_gis import exports
from nankai_gis.errors import CRSError, DataError, MissingExtraError, NotFoundError, OutputError
from nankai_gis.exports import readback
from nankai_gis.files import spreadsheet
from nankai_gis.geometry import datum
from nankai_gis.plan import layers
from nankai_gis.studies import study
from nankai_gis.words import LANGUAGES, Language, speaking

#: For tests of the texts in a file: it speaks the language in force.
in_chinese = pytest.mark.usefixtures("chinese")
Run = Callable[..., subprocess.CompletedProcess[bytes]]
Frames = Mapping[str, geopandas.GeoDataFrame]
ADDED = {"sketch", "datum", "attribution"}
KINDS = [
    kind for kind in exports.FORMATS if kind != "geoparquet" or importlib.util.find_spec("pyarrow")
]
OSM = "© OpenStreetMap contributors, ODbL 1.0"
#: Degrees; a centimetre, which is half a unit of the seventh decimal.
CENTIMETRE = 0.6e-7


@pytest.fixture
def chinese() -> Iterator[None]:
    with speaking("zh-Hant"):
        yield


@cache
def plan() -> Frames:
    found = study.packaged()
    return {name: found.frame(name) for name in layers.LAYERS}


@cache
def hostile() -> Frames:
    """Everything a name or a cell may be, and every type of geometry."""
    hole = [(117.02, 39.02), (117.03, 39.02), (117.03, 39.03), (117.02, 39.03)]
    # The exterior runs clockwise, the hole counter-clockwise: both the wrong way for GeoJSON.
    ring = [(117, 39), (117, 39.1), (117.1, 39.1), (117.1, 39)]
    holed = Polygon(ring, [hole])
    far = Polygon([(117.2, 39), (117.3, 39), (117.3, 39.1)])
    names = [
        "=1+1",
        "+86",
        "-甲",
        "@SUM(A1)",
        "<b>&\"'灣</b> {{ 7*7 }} $[id]",
        '㐱衞老城廂「文商旅」, "甲"\n第二行',
        "%%d ^I \\U+4E00",
        None,
    ]
    return {
        "zones": geopandas.GeoDataFrame(
            {
                "id": [f"z{n}" for n in range(8)],
                "name": names,
                "status": ["surveyed", "osm", "digitised", "inferred", *["osm"] * 4],
                "clause": ["東至紅旗路、" * 60, *[""] * 7],
                "claims": [["學府街", "a;b"], *[[]] * 6, None],
                "parts": [[{"name": "路", "n": 1}] * 30, *[None] * 7],
                "population": [28788.0, *[math.nan] * 7],
                "planned": [True, False, None, True, *[False] * 4],
                "area_m2": [41521550.63835449, 0.0, 1 / 3, -1.5, *[math.nan] * 4],
                "區域名稱": ["甲"] * 8,
            },
            geometry=[
                holed,
                MultiPolygon([holed, far]),
                LineString([(117, 39), (117.1, 39.1)]),
                MultiLineString([[(117, 39), (117.1, 39.1)], [(118, 39), (118.1, 39.1)]]),
                Point(117.123456789, 39.1),
                shapely.MultiPoint([(117, 39), (117.1, 39)]),
                Polygon(),
                None,
            ],
            crs=4326,
        )
    }


def cells(value: Any) -> Any:
    """A cell as any format may give it: what is missing is None, numbers are floats."""
    if isinstance(value, (list, dict)):
        return value
    if value is None or value != value or value == "":
        return None
    return value if isinstance(value, str) else float(value)


def rows_of(frames: Frames) -> dict[tuple[str, str], tuple[dict[str, Any], BaseGeometry | None]]:
    """What must come back: by layer and id, the cells of the frame and the geometry."""
    found = {}
    for name, frame in frames.items():
        for record in frame.to_dict("records"):
            geometry = record.pop("geometry")
            geometry = None if geometry is None or geometry.is_empty else geometry
            found[name, record["id"]] = ({k: cells(v) for k, v in record.items()}, geometry)
    return found


Rows = dict[tuple[str, str], tuple[dict[str, Any], BaseGeometry | None]]


def compare(
    wanted: Rows,
    found: Rows,
    tolerance: float,
    *,
    lists: bool = True,
    located: bool = False,
    digits: int | None = None,
) -> None:
    """Compare everything.

    ``tolerance`` is in degrees; lists come back as they are or as JSON; ``located`` leaves the
    others out; numbers are equal, or to some digits.
    """
    if located:
        wanted = {key: row for key, row in wanted.items() if row[1] is not None}
    assert found.keys() == wanted.keys()
    for key, (record, geometry) in wanted.items():
        got, placed = found[key]
        for column, value in record.items():
            other = got.get(column)
            if isinstance(value, (list, dict)) and not lists:
                other = json.loads(other)
            if digits is not None and isinstance(value, float):
                assert other == pytest.approx(value, rel=10.0**-digits), (key, column)
            else:
                assert cells(other) == cells(value), (key, column)
        assert got["attribution"].endswith(OSM[1:])
        if geometry is None:
            assert placed is None
        else:
            assert placed is not None, key
            assert len(shapely.get_parts(placed)) == len(shapely.get_parts(geometry))
            assert shapely.hausdorff_distance(placed, geometry) <= tolerance, key
            assert placed.length == pytest.approx(geometry.length, abs=tolerance * 1e4 + 1e-12)
            assert placed.area == pytest.approx(geometry.area, abs=tolerance * 1e4 + 1e-12)


def table(frame: geopandas.GeoDataFrame, layer: str | None = None) -> Rows:
    """Rows of one table, by its own column ``layer`` or one given."""
    found = {}
    for record in frame.to_dict("records"):
        geometry = record.pop("geometry", None)
        found[layer or record["layer"], record["id"]] = (record, geometry)
    return found


# --- GeoPackage ---------------------------------------------------------------------------


def geopackage(path: Path) -> Iterator[tuple[str, dict[str, Any], BaseGeometry | None]]:
    """Read with SQLite and nothing of GDAL: the geometry's own header, then WKB."""
    with closing(sqlite3.connect(path)) as base:
        base.row_factory = sqlite3.Row
        tables = base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns")
        for name, column in tables.fetchall():
            for row in base.execute(f'SELECT * FROM "{name}" ORDER BY fid'):
                record = dict(row)
                blob = record.pop(column)
                record.pop("fid")
                geometry = None
                if blob is not None:
                    assert blob[:2] == b"GP"
                    envelope = (0, 32, 48, 48, 64)[blob[3] >> 1 & 7]
                    geometry = shapely.from_wkb(blob[8 + envelope :])
                yield name, record, geometry


@pytest.mark.parametrize("frames", [plan, hostile])
def test_geopackage(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    report = exports.write(frames(), tmp_path / "a.gpkg")
    found: Rows = {}
    for name, record, geometry in geopackage(tmp_path / "a.gpkg"):
        layer = next(one for one in frames() if name == one or name.startswith(f"{one}_"))
        found[layer, record["id"]] = (record, geometry)
    compare(rows_of(frames()), found, 0, lists=False)
    assert sum(report.rows.values()) == len(found)
    assert report.left_out == report.changes == ()


@in_chinese
def test_geopackage_says_what_it_is(tmp_path: Path) -> None:
    exports.write(plan(), tmp_path / "a.gpkg", datum="gcj02")
    info = pyogrio.read_info(tmp_path / "a.gpkg", layer="zones")
    assert info["dataset_metadata"]["attribution"] == OSM
    assert info["dataset_metadata"]["datum"] == "GCJ-02"
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as base:
        ((identifier, description),) = base.execute(
            "SELECT identifier, description FROM gpkg_contents WHERE table_name = 'zones'"
        )
        assert identifier == "重點片區"
        assert "由 WGS-84 偏移" in description
        assert "示意" in description
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (organisation,) = base.execute(
            "SELECT organization FROM gpkg_spatial_ref_sys JOIN gpkg_contents USING (srs_id) "
            "WHERE table_name = 'zones'"
        ).fetchone()
    # The label must not be that of WGS-84.
    assert organisation != "EPSG"
    assert not pyproj.CRS(info["crs"]).equals(pyproj.CRS(4326))


@in_chinese
def test_geopackage_has_styles_that_cover_every_row(tmp_path: Path) -> None:
    exports.write(plan(), tmp_path / "a.gpkg")
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as base:
        styles = base.execute(
            "SELECT f_table_name, f_geometry_column, styleQML FROM layer_styles WHERE useAsDefault"
        ).fetchall()
        named = {name for (name,) in base.execute("SELECT table_name FROM gpkg_geometry_columns")}
        assert {name for name, *_ in styles} == named
        for name, column, qml in styles:
            rules = ElementTree.fromstring(qml).findall(".//rule")
            symbols = {s.get("name"): s for s in ElementTree.fromstring(qml).iter("symbol")}
            assert {rule.get("symbol") for rule in rules} == set(symbols)
            covered: list[str] = []
            for rule in rules:
                where = rule.get("filter") or "1"
                sql = f'SELECT id FROM "{name}" WHERE "{column}" IS NOT NULL AND {where}'
                covered += [key for (key,) in base.execute(sql)]
            sql = f'SELECT id FROM "{name}" WHERE "{column}" IS NOT NULL'
            # Each row by one rule and one only.
            assert sorted(covered) == sorted(key for (key,) in base.execute(sql))
    (zones,) = [qml for name, _, qml in styles if name == "zones"]
    assert "230,159,0,255" in zones
    dashes = re.findall(r'k="use_custom_dash" v="(\d)"', zones)
    assert set(dashes) == {"1"}
    assert "啟航灣創新產業區（推定、示意）" in zones


# --- GeoJSON ------------------------------------------------------------------------------


def signed(ring: list[list[float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))


def features(document: list[dict[str, Any]]) -> Rows:
    found = {}
    for feature in document:
        geometry = feature["geometry"]
        for polygon in (
            []
            if geometry is None or "Polygon" not in geometry["type"]
            else [geometry["coordinates"]]
            if geometry["type"] == "Polygon"
            else geometry["coordinates"]
        ):
            exterior, *holes = polygon
            assert signed(exterior) > 0 > max(map(signed, holes), default=-1)
        p = feature["properties"]
        assert feature["id"] == p["id"]
        found[p["layer"], p["id"]] = (p, None if geometry is None else shape(geometry))
    return found


@pytest.mark.parametrize("frames", [plan, hostile])
def test_geojson(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    exports.write(frames(), tmp_path / "a.geojson")
    text = (tmp_path / "a.geojson").read_text("utf-8")
    document = json.loads(text)
    assert document["type"] == "FeatureCollection"
    assert document["attribution"] == OSM
    assert {"crs", "datum"}.isdisjoint(document)
    compare(rows_of(frames()), features(document["features"]), CENTIMETRE)
    geometries = re.findall(r'"coordinates": (\[.*?\])}', text)
    assert geometries
    assert not re.search(r"\.\d{8}", "".join(geometries))


@pytest.mark.parametrize("frames", [plan, hostile])
def test_text_sequences(frames: Callable[[], Frames]) -> None:
    data, _ = exports.text_sequences(frames())
    head, *records = data.split(b"\x1e")
    assert head == b""
    assert all(record.endswith(b"\n") for record in records)
    compare(rows_of(frames()), features([json.loads(r) for r in records]), CENTIMETRE)


@pytest.mark.parametrize(
    ("name", "move"), [("gcj02", datum.GCJ02.from_wgs84), ("bd09", datum.BD09.from_wgs84)]
)
def test_a_shift_is_said_wherever_it_is_done(
    tmp_path: Path, name: str, move: Callable[[float, float], tuple[float, float]]
) -> None:
    report = exports.write(plan(), tmp_path / "a.geojson", datum=name, layers=["zones"])
    label = {"gcj02": "GCJ-02", "bd09": "BD-09"}[name]
    document = json.loads((tmp_path / "a.geojson").read_text("utf-8"))
    assert document["datum"]["name"] == report.datum == label
    metres = re.search(r"by (\d+) m", document["datum"]["statement"])
    assert metres is not None
    assert int(metres[1]) == pytest.approx({"gcj02": 570, "bd09": 1350}[name], rel=0.1)
    assert document["datum"]["statement"] in report.notes
    for feature, was in zip(document["features"], plan()["zones"].geometry, strict=True):
        assert feature["properties"]["datum"] == label
        for place, before in zip(
            shape(feature["geometry"]).exterior.coords,
            shapely.orient_polygons(was).exterior.coords,
            strict=True,
        ):
            assert place == pytest.approx(move(*before), abs=CENTIMETRE)
    data, _ = exports.text_sequences(plan(), datum=name, layers=["parcel"])
    assert json.loads(data[1:])["datum"]["name"] == label
    exports.write(plan(), tmp_path / "a.kml", datum=name, layers=["zones"])
    document = ElementTree.parse(tmp_path / "a.kml").getroot()[0]
    assert label in str(document[0].text)
    assert "shifted from WGS-84" in str(document[1].text)


# --- Shapefile ----------------------------------------------------------------------------


def unpacked(path: Path, encoding: str) -> tuple[Rows, dict[str, dict[str, str]]]:
    """Read with pyshp; columns get their names back by the field table."""
    shapefile = pytest.importorskip("shapefile")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    fields: dict[str, dict[str, str]] = {}
    for line in csv.DictReader(files["fields.csv"].decode("utf-8-sig").splitlines()):
        fields.setdefault(line["file"].removesuffix(".shp"), {})[line["code"]] = line["column"]
    found: Rows = {}
    for name, columns in fields.items():
        parts = {end: io.BytesIO(files[f"{name}.{end}"]) for end in ("shp", "shx", "dbf")}
        assert files[f"{name}.cpg"].decode().strip() == encoding.upper()
        with shapefile.Reader(**parts, encoding=encoding) as reader:
            codes = [field[0] for field in reader.fields if field[0] != "DeletionFlag"]
            assert codes == list(columns)
            assert all(re.fullmatch("[A-Za-z0-9_]{1,10}", code) for code in codes)
            assert len({code.lower() for code in codes}) == len(codes)
            for one in reader.iterShapeRecords():
                record = {columns[c]: v for c, v in one.record.as_dict().items()}
                layer = name.split("_")[0]
                found[layer, record["id"]] = (record, shape(one.shape.__geo_interface__))
    return found, fields


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("frames", [plan, hostile])
def test_shapefile(tmp_path: Path, frames: Callable[[], Frames], encoding: str) -> None:
    report = exports.write(frames(), tmp_path / "a.zip", encoding=encoding)
    found, _ = unpacked(tmp_path / "a.zip", encoding)
    wanted = rows_of(frames())
    changed = {(c.layer.split("_")[0], c.id, c.column): c for c in report.changes}
    for (layer, key, column), change in changed.items():
        got = found[layer, key][0][column]
        # What is reported is what stands there, and why it does.
        assert cells(got) == cells(change.after)
        raw = wanted[layer, key][0][column]
        whole = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
        longest = len(whole.encode(encoding, "replace")) > 254
        assert longest or "㐱" in whole or whole.endswith(" ")
        found[layer, key][0][column] = raw if isinstance(raw, str) else whole
    compare(wanted, found, 0, lists=False, located=True, digits=12)
    unlocated = {key for key, (_, geometry) in wanted.items() if geometry is None}
    assert {(o.layer, o.id) for o in report.left_out} == unlocated


def test_shapefile_keeps_beside_it_what_it_must_cut(tmp_path: Path) -> None:
    report = exports.write(hostile(), tmp_path / "a.zip")
    cut = {c.column: c for c in report.changes if c.id == "z0"}
    assert cut["clause"].after == ("東至紅旗路、" * 60)[:84]
    assert cut["parts"].after == ""
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        whole = archive.read("attributes.csv").decode("utf-8-sig")
        readme = archive.read("readme.txt").decode("utf-8-sig")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(whole, newline=""))}
    assert rows["z0"]["clause"] == "東至紅旗路、" * 60
    assert len(json.loads(rows["z0"]["parts"])) == 30
    # The row without a place is in the table, too.
    assert len(rows) == 8
    assert OSM in readme
    assert "cut to 254 bytes" in readme


def test_shapefile_tables_are_what_their_bytes_say(tmp_path: Path) -> None:
    """The table by its specification alone, without a library."""
    exports.write(plan(), tmp_path / "a.zip", encoding="gbk", layers=["zones"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        data = archive.read("zones.dbf")
    count, head, width = struct.unpack("<IHH", data[4:12])
    fields, at, place = {}, 1, 32
    while data[place] != 0x0D:
        code = data[place : place + 11].split(b"\0")[0].decode("ascii")
        fields[code] = slice(at, at + data[place + 16])
        at += data[place + 16]
        place += 32
    rows = [data[head + n * width : head + (n + 1) * width] for n in range(count)]
    names = [row[fields["name"]].decode("gbk").strip() for row in rows]
    assert names == list(plan()["zones"].name)
    areas = [float(row[fields["area_m2"]]) for row in rows]
    assert areas == pytest.approx(list(plan()["zones"].area_m2), rel=1e-12)


@pytest.mark.parametrize(("n", "kept"), [(254, 254), (255, 254)])
def test_a_field_of_a_shapefile_has_254_bytes(tmp_path: Path, n: int, kept: int) -> None:
    frame = plan()["parcel"].assign(note="a" * n)
    report = exports.write({"parcel": frame}, tmp_path / "a.zip")
    found, _ = unpacked(tmp_path / "a.zip", "utf-8")
    assert [len(record["note"]) for record, _ in found.values()] == [kept]
    assert [c.column for c in report.changes if c.column == "note"] == ["note"] * (n - kept)


# --- KML ----------------------------------------------------------------------------------

K = "{http://www.opengis.net/kml/2.2}"


def placemarks(data: bytes) -> Rows:
    found: Rows = {}
    for mark in ElementTree.fromstring(data).iter(f"{K}Placemark"):
        record: dict[str, Any] = {
            str(d.get("name")): d.findtext(f"{K}value") for d in mark.iter(f"{K}Data")
        }
        kinds = ("Point", "LineString", "Polygon")
        parts = [element for kind in kinds for element in mark.iter(f"{K}{kind}")]
        shapes = [parsed(part) for part in parts]
        geometry = None
        if shapes:
            several = len(shapes) > 1
            collect = {
                Point: shapely.MultiPoint,
                LineString: MultiLineString,
                Polygon: MultiPolygon,
            }[type(shapes[0])]
            geometry = collect(shapes) if several else shapes[0]
        found[str(record.pop("layer")), str(record["id"])] = (record, geometry)
    return found


def parsed(element: ElementTree.Element) -> BaseGeometry:
    lines = [
        [tuple(map(float, place.split(","))) for place in str(one.text).split()]
        for one in element.iter(f"{K}coordinates")
    ]
    if element.tag == f"{K}Polygon":
        assert signed([list(p) for p in lines[0]]) > 0
        return Polygon(lines[0], lines[1:])
    return Point(lines[0]) if element.tag == f"{K}Point" else LineString(lines[0])


def typed(wanted: Rows, found: Rows) -> Rows:
    """In KML everything is text; give numbers their type back."""
    for key, (record, _) in found.items():
        for column, text in record.items():
            if text is not None and isinstance(wanted[key][0].get(column), float):
                record[column] = {"true": 1.0, "false": 0.0}.get(text) or float(
                    {"true": "1", "false": "0"}.get(text, text)
                )
    return found


@in_chinese
@pytest.mark.parametrize("frames", [plan, hostile])
@pytest.mark.parametrize("suffix", ["kml", "kmz"])
def test_kml(tmp_path: Path, frames: Callable[[], Frames], suffix: str) -> None:
    target = tmp_path / f"a.{suffix}"
    exports.write(frames(), target)
    data = target.read_bytes()
    if suffix == "kmz":
        with zipfile.ZipFile(target) as archive:
            assert archive.namelist() == ["doc.kml"]
            data = archive.read("doc.kml")
    wanted = rows_of(frames())
    compare(wanted, typed(wanted, placemarks(data)), CENTIMETRE, lists=False)
    root = ElementTree.fromstring(data)
    styles = {f"#{s.get('id')}" for s in root.iter(f"{K}Style")}
    assert {u.text for u in root.iter(f"{K}styleUrl")} == styles
    assert OSM in str(root[0].findtext(f"{K}description"))
    for mark in root.iter(f"{K}Placemark"):
        located = mark.find(f".//{K}coordinates") is not None
        surveyed = mark.findtext(f".//{K}Data[@name='status']/{K}value") == "surveyed"
        assert str(mark.findtext(f"{K}name")).endswith("（示意）") is (located and not surveyed)


@in_chinese
def test_kml_is_read_by_gdal(tmp_path: Path) -> None:
    exports.write(plan(), tmp_path / "a.kml")
    for title, name in (("重點片區", "zones"), ("發展帶", "corridors")):
        frame = pyogrio.read_dataframe(tmp_path / "a.kml", layer=title)
        was = plan()[name]
        got = frame[~frame.geometry.isna() & ~frame.geometry.is_empty].geometry.force_2d()
        for a, b in zip(got, was.geometry[was.geometry.notna()], strict=True):
            assert shapely.hausdorff_distance(a, b) < CENTIMETRE


def test_a_balloon_holds_names_as_text(tmp_path: Path) -> None:
    frame = hostile()["zones"].assign(note=hostile()["zones"].name)
    exports.write({"zones": frame}, tmp_path / "a.kml")
    balloons = [
        str(d.text)
        for d in ElementTree.parse(tmp_path / "a.kml").iter(f"{K}description")
        if "灣" in str(d.text)
    ]
    assert balloons
    assert not [b for b in balloons if "<b>" in b or "$[" in b]
    assert all("&lt;b&gt;" in b for b in balloons)


# --- FlatGeobuf and GeoParquet ------------------------------------------------------------


@pytest.mark.parametrize("frames", [plan, hostile])
def test_flatgeobuf(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    report = exports.write(frames(), tmp_path / "a.fgb")
    assert (tmp_path / "a.fgb").read_bytes().startswith(b"fgb\x03fgb")
    found = table(pyogrio.read_dataframe(tmp_path / "a.fgb"))
    compare(rows_of(frames()), found, 0, lists=False, located=True)
    assert len(report.left_out) + len(found) == sum(map(len, frames().values()))
    info = pyogrio.read_info(tmp_path / "a.fgb")
    assert OSM in info["layer_metadata"]["DESCRIPTION"]


@pytest.mark.parametrize("frames", [plan, hostile])
def test_geoparquet(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    """Read with Arrow and nothing of geopandas: the geometry is WKB."""
    parquet = pytest.importorskip("pyarrow.parquet")
    exports.write(frames(), tmp_path / "a.parquet", crs="EPSG:4490")
    read = parquet.read_table(tmp_path / "a.parquet")
    found: Rows = {}
    for record in read.to_pylist():
        wkb = record.pop("geometry")
        found[record["layer"], record["id"]] = (record, wkb and shapely.from_wkb(wkb))
    compare(rows_of(frames()), found, 0, lists=False)
    geo = json.loads(read.schema.metadata[b"geo"])
    assert pyproj.CRS.from_json_dict(geo["columns"]["geometry"]["crs"]).to_epsg() == 4490
    said = json.loads(read.schema.metadata[b"nankai_gis"])
    assert said["attribution"] == OSM
    assert said["datum"] == "CGCS2000"


def test_geoparquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nankai-gis\[parquet\]'"):
        exports.write(plan(), tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


# --- DXF ----------------------------------------------------------------------------------


@in_chinese
@pytest.mark.parametrize("frames", [plan, hostile])
def test_dxf(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    import ezdxf
    from ezdxf.tools.text import plain_text

    report = exports.write(frames(), tmp_path / "a.dxf")
    assert report.crs == "EPSG:4548"
    drawing = ezdxf.readfile(tmp_path / "a.dxf")
    assert drawing.dxfversion == "AC1024"
    assert not drawing.audit().errors
    assert drawing.units == ezdxf.units.M
    space = drawing.modelspace()
    lines = [e for e in space if e.dxftype() in ("LWPOLYLINE", "POINT")]
    by_id: dict[str, list[Any]] = {}
    for entity in lines:
        data = "\0".join(str(tag.value) for tag in entity.get_xdata("NANKAI_GIS"))
        key = re.search(r"(?:^|\0)id=([^\0]+)", data)
        assert key is not None
        assert f"attribution={OSM}" in data
        by_id.setdefault(key[1], []).append(entity)
    project = pyproj.Transformer.from_crs(4490, 4548, always_xy=True)
    wanted = {key: g for (_, key), (_, g) in rows_of(frames()).items() if g is not None}
    assert by_id.keys() == wanted.keys()
    for key, geometry in wanted.items():
        flat = shapely.transform(geometry, lambda p: np.column_stack(project.transform(*p.T)))
        rings = []
        for part in shapely.get_parts(flat):
            if part.geom_type == "Polygon":
                rings += [part.exterior, *part.interiors]
            else:
                rings.append(part)
        assert len(rings) == len(by_id[key])
        for ring, entity in zip(rings, by_id[key], strict=True):
            if entity.dxftype() == "POINT":
                assert tuple(entity.dxf.location)[:2] == pytest.approx((ring.x, ring.y), abs=1e-6)
                continue
            assert entity.closed is (ring.geom_type == "LinearRing")
            points = [tuple(p[:2]) for p in entity.get_points()]
            expected = list(ring.coords)[: -1 if entity.closed else None]
            assert len(points) == len(expected)
            for a, b in zip(points, expected, strict=True):
                assert a == pytest.approx(b, abs=1e-6)
    title = "重點片區"
    assert {title, f"{title}注記", "數據說明"} <= {layer.dxf.name for layer in drawing.layers}
    texts = [e for e in space if e.dxftype() == "TEXT"]
    assert {text.dxf.style for text in texts} == {"中文"}
    shown = {plain_text(text.dxf.text) for text in texts}
    if frames is plan:
        assert "啟航灣創新產業區（示意）" in shown
        dashed = {e.dxf.linetype for e in by_id["qihang-bay"]}
        assert dashed == {"DASHED"}
    else:
        # What the reader makes of the codes is what was reported.
        (change,) = report.changes
        assert change.id == "z6" or change.after in {t.split("（")[0] for t in shown}
    assert OSM in shown


@in_chinese
def test_dxf_is_read_by_gdal(tmp_path: Path) -> None:
    exports.write(plan(), tmp_path / "a.dxf", layers=["zones"])
    # GDAL takes texts to be in the code page that the head names; the format has had them in
    # UTF-8 whatever stands there since AutoCAD 2007.
    pyogrio.set_gdal_config_options({"DXF_ENCODING": "UTF-8"})
    try:
        frame = pyogrio.read_dataframe(tmp_path / "a.dxf")
    finally:
        pyogrio.set_gdal_config_options({"DXF_ENCODING": None})
    assert set(frame.Layer) == {"重點片區", "重點片區注記", "數據說明"}
    rings = frame[frame.Layer == "重點片區"]
    areas = [Polygon(line.coords).area for line in rings.geometry]
    flat = plan()["zones"].set_crs(4490, allow_override=True).to_crs(4548)
    assert areas == pytest.approx(list(flat.area), rel=1e-9)
    assert "老城廂「文商旅」升級發展集聚區（示意）" in set(frame.Text)


# --- tables -------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [plan, hostile])
def test_csv(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    report = exports.write(frames(), tmp_path / "a.csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    led = {(c.layer, c.id, c.column): c for c in report.changes}
    wanted = rows_of(frames())
    found: Rows = {}
    for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        key = row["layer"], row["id"]
        record: dict[str, Any] = {}
        for column, text in row.items():
            assert text[:1] not in {"=", "+", "@", "\t", "\r"}
            if (*key, column) in led:
                assert text.startswith("'")
                text = text[1:]
            record[column] = text or None
        found[key] = (record, wanted[key][1])
    compare(wanted, typed(wanted, found), 0, lists=False)
    assert len(led) == (4 if frames is hostile else 0)


def test_csv_in_gbk(tmp_path: Path) -> None:
    report = exports.write(hostile(), tmp_path / "a.csv", encoding="gbk")
    text = (tmp_path / "a.csv").read_bytes().decode("gbk")
    assert "〓衞老城廂「文商旅」" in text
    assert any(c.reason == "GBK lacks a character" and "㐱" in c.before for c in report.changes)


@pytest.mark.parametrize("name", ["a.csv", "a.zip"])
def test_each_character_that_is_lacking_is_told_once(tmp_path: Path, name: str) -> None:
    spots = geopandas.GeoDataFrame(
        {
            "id": list("abcd"),
            "name": ["㐱 © ©", "㐱", "甲", "乙"],
            "status": ["osm"] * 4,
            "source": ["roads.osm.pbf © OpenStreetMap contributors"] * 3 + ["甲"],
        },
        geometry=[Point(117, 39)] * 4,
        crs=4326,
    )
    report = exports.write({"sites": spots}, tmp_path / name, encoding="gbk")
    told = [line for line in report.lines() if line.startswith("changed")]
    wanted = [
        "changed: GBK lacks '©' (U+00A9): (c) instead, in 4 cells",
        "changed: GBK lacks '㐱' (U+3431): 〓 instead, in 2 cells",
    ]
    assert sorted(told) == wanted
    # Cell by cell it is still to be had.
    assert len(report.changes) == 5
    data = (tmp_path / name).read_bytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            readme = archive.read("readme.txt").decode("utf-8-sig")
            data = archive.read("sites.dbf")
        assert [line for line in readme.splitlines() if "lacks" in line] == told
    assert "roads.osm.pbf (c) OpenStreetMap contributors" in data.decode("gbk", "replace")


@in_chinese
@pytest.mark.parametrize("frames", [plan, hostile])
def test_xlsx(tmp_path: Path, frames: Callable[[], Frames]) -> None:
    exports.write(frames(), tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    first, *sheets, fields = book.worksheets
    assert (first.title, fields.title) == ("數據說明", "字段")
    columns: dict[str, list[str]] = {}
    for sheet, _, column, _ in list(fields.values)[1:]:
        columns.setdefault(str(sheet), []).append(str(column))
    assert [sheet.title for sheet in sheets] == list(columns)
    found: Rows = {}
    wanted = rows_of(frames())
    for sheet, name in zip(sheets, frames(), strict=True):
        head, *rows = sheet.values
        assert len(head) == len(columns[sheet.title])
        assert sheet.freeze_panes == "B2"
        assert sheet["A1"].font.bold
        for row in rows:
            record = dict(zip(columns[sheet.title], row, strict=True))
            found[name, record["id"]] = (record, wanted[name, record["id"]][1])
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                assert cell.data_type != "f"
                if str(cell.value)[:1] in {"=", "+", "-", "@"} and isinstance(cell.value, str):
                    assert cell.quotePrefix
        assert all(d.width >= 8 for d in sheet.column_dimensions.values())
    # A worksheet's numbers have 15 digits that are sure.
    compare(wanted, found, 0, lists=False, digits=15)
    assert OSM in [row[1] for row in first.values]


@in_chinese
def test_xlsx_is_read_by_gdal(tmp_path: Path) -> None:
    exports.write(plan(), tmp_path / "a.xlsx", layers=["zones"])
    frame = pyogrio.read_dataframe(tmp_path / "a.xlsx", layer="重點片區", read_geometry=False)
    assert list(frame["名稱"]) == list(plan()["zones"].name)
    assert list(frame["面積（平方米）"]) == pytest.approx(list(plan()["zones"].area_m2), rel=1e-15)


def test_any_records_as_a_workbook() -> None:
    """`nankai_gis.files.spreadsheet.of_records`, for records without a layer."""
    sheets: dict[str, list[dict[str, Any]]] = {
        "片區 × 道路": [
            {"name": "=1+1", "length_km": 1.2345, "n": 3, "list": ["甲"]},
            {"name": "+86\x00", "length_km": None, "n": None, "list": []},
        ],
        "a/b": [{"x": -1.5}],
        "A_B": [{"x": True}],
        "dropped": [],
    }
    pages = [spreadsheet.of_records(*item) for item in sheets.items()]
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet.workbook(pages)))
    assert book.sheetnames == ["片區 × 道路", "a_b", "A_B 2", "dropped"]
    first = book.worksheets[0]
    assert [list(row) for row in first.values] == [
        ["name", "length_km", "n", "list"],
        ["=1+1", 1.2345, 3, '["甲"]'],
        ["+86", None, None, "[]"],
    ]
    assert (first["A2"].data_type, first["A2"].quotePrefix) == ("s", True)
    assert first["B2"].number_format == "#,##0.00"
    assert first.freeze_panes == "A2"
    assert book["a_b"]["A2"].value == -1.5
    assert list(book["dropped"].values) == []
    with pytest.raises(ValueError, match="at least one sheet"):
        spreadsheet.workbook([])


@in_chinese
def test_a_cell_that_is_too_long_is_cut_and_reported(tmp_path: Path) -> None:
    frame = plan()["parcel"].assign(note="長" * 40_000)
    report = exports.write({"parcel": frame}, tmp_path / "a.xlsx")
    (change,) = report.changes
    assert (change.column, len(change.after)) == ("note", 32_767)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["重點地塊"]
    assert max(len(str(cell.value)) for cell in sheet[2]) == 32_767


# --- what is read back -------------------------------------------------------------------


def spot(**cells: Any) -> geopandas.GeoDataFrame:
    row = {"id": "a", "name": "", "n": 1.0, **cells}
    ring = Polygon([(117, 39), (117.1, 39), (117.1, 39.1)])
    geometry = row.pop("geometry", ring)
    columns = {key: pd.Series([value], dtype=object) for key, value in row.items()}
    return geopandas.GeoDataFrame(columns, geometry=[geometry], crs=4326)


TURNED = Polygon([(117.1, 39.1), (117.1, 39), (117, 39)])


@pytest.mark.parametrize(
    ("read", "exact", "loose"),
    [
        (spot(), True, True),
        (spot(n=1), True, True),
        (spot(n=1 + 0.9e-12), False, True),
        (spot(n=1 + 1.1e-12), False, False),
        (spot(name=None), False, True),
        (spot(name=" "), False, False),
        (spot(geometry=TURNED), False, True),
        (spot(geometry=MultiPolygon([spot().geometry[0]])), True, True),
        (spot(geometry=Polygon([(117, 39), (117.1, 39), (117.1, 39.2)])), False, False),
        (spot(geometry=None), False, False),
        (spot().drop(columns="name"), False, False),
        (pd.concat([spot(), spot()]), False, False),
    ],
)
def test_a_difference_is_refused(read: geopandas.GeoDataFrame, exact: bool, loose: bool) -> None:
    for strict, same in ((True, exact), (False, loose)):
        if same:
            readback.check_same(spot(), read, "zones", exact=strict)
            continue
        with pytest.raises(OutputError, match=r"^can't verify.*layer zones came back with"):
            readback.check_same(spot(), read, "zones", exact=strict)


def test_small_numbers_of_a_shapefile_keep_fifteen_places() -> None:
    readback.check_same(spot(n=0.0), spot(n=0.9e-15), "zones", exact=False)
    with pytest.raises(OutputError):
        readback.check_same(spot(n=0.0), spot(n=1.1e-15), "zones", exact=False)


def test_rows_may_be_sorted_by_a_spatial_index() -> None:
    both = pd.concat([spot(), spot(id="b")])
    readback.check_same(both, both[::-1], "zones", ordered=False)
    with pytest.raises(OutputError, match="in row 1, id"):
        readback.check_same(both, both[::-1], "zones")


# --- language ----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_and_notes_are_in_the_language_in_force(tmp_path: Path, language: Language) -> None:
    title, sketch, note = {
        "en": ("Key zones", "indicative", "cut to 254 bytes"),
        "zh-Hant": ("重點片區", "示意", "截為字段上限 254 字節"),
        "zh-Hans": ("重点片区", "示意", "截为字段上限 254 字节"),
    }[language]
    with speaking(language):
        report = exports.write(plan(), tmp_path / "a.zip", layers=["zones"])
        lines = report.lines()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        fields = list(csv.reader(archive.read("fields.csv").decode("utf-8-sig").splitlines()))
        readme = archive.read("readme.txt").decode("utf-8-sig").splitlines()
    assert {row[1] for row in fields[1:]} == {title}
    assert any(note in line for line in lines)
    assert [line for line in lines if note in line] == [line for line in readme if note in line]
    found, _ = unpacked(tmp_path / "a.zip", "utf-8")
    assert {record["sketch"] for record, _ in found.values()} == {sketch}
    # The reason of a change is a key, the same in any language.
    assert any("cut to 254 bytes" in change.reason for change in report.changes)
    if language == "en":
        assert all(row[4].isascii() for row in fields)


# --- CRS ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["gpkg", "zip", "fgb"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "EPSG:4548", "EPSG:32650"])
def test_coordinates_are_in_the_crs_that_the_file_names(
    tmp_path: Path, suffix: str, crs: str
) -> None:
    target = tmp_path / f"a.{suffix}"
    report = exports.write(plan(), target, crs=crs, layers=["zones"])
    got = pyogrio.read_dataframe(target, layer="zones" if suffix == "gpkg" else None)
    got = got.sort_values("id")
    assert got.crs.equals(pyproj.CRS(crs), ignore_axis_order=True)
    was = plan()["zones"].sort_values("id").geometry
    # CGCS2000 has the coordinates of WGS-84, under its own name.
    steps = {"EPSG:4548": "EPSG:4490", "EPSG:4490": None}
    base = steps.get(crs, "EPSG:4326")
    expected = was.set_crs(base, allow_override=True).to_crs(crs) if base else was
    for a, b in zip(got.geometry, expected, strict=True):
        assert shapely.hausdorff_distance(a, b) < 1e-6
    west, south, east, north = got.total_bounds
    if crs == "EPSG:4548":
        # East before north, though the CRS lists north first.
        assert 500_000 < west < east < 530_000
        assert 4_320_000 < south < north < 4_340_000
    assert report.crs == crs
    assert set(got["datum"]) == {"CGCS2000" if crs in ("EPSG:4490", "EPSG:4548") else "WGS-84"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.geojson", {"crs": "EPSG:4548"}, "GeoJSON knows EPSG:4326 only"),
        ("a.geojson", {"crs": "EPSG:4490"}, "GeoJSON knows EPSG:4326 only"),
        ("a.kml", {"crs": "EPSG:4490"}, "KML knows EPSG:4326 only"),
        ("a.dxf", {"crs": "EPSG:4326"}, "DXF is drawn in metres"),
        ("a.dxf", {"crs": "+proj=utm +zone=50 +datum=WGS84 +units=us-ft"}, "not in metres"),
        ("a.dxf", {"datum": "gcj02"}, "degrees for web maps"),
        ("a.gpkg", {"crs": "EPSG:4548", "datum": "bd09"}, "degrees for web maps"),
        ("a.gpkg", {"crs": "EPSG:2384"}, "no published transformation"),
        ("a.gpkg", {"crs": "EPSG:4979"}, "two dimensions"),
        ("a.gpkg", {"crs": "EPSG:1"}, "no CRS that PROJ knows"),
        ("a.csv", {"crs": "EPSG:4326"}, "table without coordinates"),
        ("a.xlsx", {"datum": "gcj02"}, "table without coordinates"),
    ],
)
def test_what_a_format_can_not_say_is_refused(
    tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CRSError, match=message):
        exports.write(plan(), tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_place_outside_a_crs_is_said(tmp_path: Path) -> None:
    far = geopandas.GeoDataFrame(
        {"id": ["a"], "name": ["遠"], "status": ["osm"]}, geometry=[Point(100, 39)], crs=4326
    )
    report = exports.write({"sites": far}, tmp_path / "a.gpkg", crs="EPSG:4548")
    assert any("outside the area" in note for note in report.notes)


# --- what is asked ------------------------------------------------------------------------


def test_input_that_is_not_what_it_should_be(tmp_path: Path) -> None:
    target = tmp_path / "a.gpkg"
    zones = plan()["zones"]
    with pytest.raises(CRSError, match=r"in EPSG:4548; bring it to EPSG:4326"):
        exports.write({"zones": zones.to_crs(4548)}, target)
    with pytest.raises(CRSError, match="no degrees"):
        exports.write({"zones": zones.to_crs(4548).set_crs(4326, allow_override=True)}, target)
    with pytest.raises(NotFoundError, match="no layer is called 'zone'"):
        exports.write(plan(), target, layers=["zone"])
    with pytest.raises(NotFoundError, match="no format is called 'shp'"):
        exports.write(plan(), target, format="shp")
    with pytest.raises(OutputError, match="always in UTF-8"):
        exports.write(plan(), target, encoding="gbk")
    with pytest.raises(OutputError, match=r"name it \.zip"):
        exports.write(plan(), tmp_path / "a.shp")
    with pytest.raises(OutputError, match=r"suffix '\.mid' is no format; .*\.gpkg"):
        exports.write(plan(), tmp_path / "a.mid")
    collection = zones.head(1).set_geometry([GeometryCollection([Point(117, 39)])], crs=4326)
    with pytest.raises(DataError, match="GeometryCollection"):
        exports.write({"zones": collection}, target)
    with pytest.raises(DataError, match="not a finite number"):
        exports.write({"zones": zones.assign(area_m2=math.inf)}, target)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.fgb", "a.dxf"])
def test_nothing_to_draw_is_no_file(tmp_path: Path, name: str) -> None:
    sites = plan()["sites"]
    with pytest.raises(OutputError, match="nothing to write: no row of sites is located"):
        exports.write({"sites": sites[sites.geometry.isna()]}, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_control_characters_are_taken_out_and_reported(tmp_path: Path, kind: str) -> None:
    raw = "甲\0乙\x1b[2J\ud800丙"
    cells = {"note": [raw], "claims": [[raw]]}
    frame = plan()["parcel"].assign(**{k: pd.Series(v, dtype=object) for k, v in cells.items()})
    target = tmp_path / "a"
    report = exports.write({"parcel": frame}, target, format=kind)
    assert [(c.column, c.after) for c in report.changes if "control" in c.reason] == [
        ("note", "甲乙[2J丙"),
        ("claims", ["甲乙[2J丙"]),
    ]
    assert target.stat().st_size


def back(target: Path, kind: str) -> Any:
    """The cell ``name`` of the only row, by a reader of the format."""
    if kind == "geojson":
        return json.loads(target.read_bytes())["features"][0]["properties"]["name"]
    if kind == "gpkg":
        return next(geopackage(target))[1]["name"]
    if kind == "kml":
        return placemarks(target.read_bytes())["a", "a"][0]["name"]
    if kind == "csv":
        (row,) = csv.DictReader(io.StringIO(target.read_bytes().decode("utf-8-sig"), newline=""))
        return row["name"]
    if kind == "xlsx":
        text = str(openpyxl.load_workbook(io.BytesIO(target.read_bytes()))["a"]["B2"].value or "")
        return text.replace("_x005F_", "_")
    return unpacked(target, "utf-8")[0]["a", "a"][0]["name"]


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "kml", "csv", "xlsx", "shapefile"])
@settings(max_examples=25, deadline=None)
@given(name=st.text(min_size=1, max_size=60).filter(str.strip))
@example(name="_x0041_")
@example(name=" 0")
@example(name="{{ name }} ${name} <!-- ]]> &amp; ' \" \\ %s")
@example(name='=HYPERLINK("http://example.invalid")')
def test_any_name_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, kind: str, name: str
) -> None:
    target = tmp_path_factory.getbasetemp() / "any"
    frame = geopandas.GeoDataFrame(
        {"id": ["a"], "name": pd.Series([name], dtype=object), "status": ["osm"]},
        geometry=[Point(117, 39)],
        crs=4326,
    )
    report = exports.write({"a": frame}, target, format=kind, overwrite=True)
    # What a report says of it, last, is what stands there.
    changed = [change.after for change in report.changes if change.column == "name"]
    # A cell without a text and one with an empty text are the same.
    assert (back(target, kind) or "") == (changed[-1] if changed else name)
    assert len(changed) <= (name != "".join(filter(str.isprintable, name))) + (
        2 if kind in ("csv", "shapefile") else 0
    )


def test_frames_stay_as_they_are(tmp_path: Path) -> None:
    before = hostile()["zones"].copy(deep=True)
    for kind in KINDS:
        exports.write(hostile(), tmp_path / f"a.{kind}", format=kind)
    assert before.equals(hostile()["zones"])


# --- the command --------------------------------------------------------------------------


def test_the_command_writes_and_tells(run: Run, tmp_path: Path) -> None:
    done = run("export", "plan.zip", "--layers", "zones,sites", "--crs", "EPSG:4490")
    assert (done.returncode, done.stdout) == (0, b"")
    told = done.stderr.decode()
    assert "left out: sites tianjin-university 天津大學: not located" in told
    assert "changed: zones qihang-bay source: cut to 254 bytes" in told
    assert told.endswith("wrote plan.zip (14 rows)\n")
    found, _ = unpacked(tmp_path / "plan.zip", "utf-8")
    assert {layer for layer, _ in found} == {"zones", "sites"}


def test_the_command_as_part_of_a_pipe(run: Run) -> None:
    done = run("export", "-", "--layers", "zones", "--datum", "gcj02")
    assert done.returncode == 0
    records = [json.loads(part) for part in done.stdout.split(b"\x1e")[1:]]
    assert [r["id"] for r in records] == ["qihang-bay", "laochengxiang", "shuishang-aoti"]
    assert "GCJ-02, shifted from WGS-84" in done.stderr.decode()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["a.mid"], 2, "is no format"),
        (["a.shp"], 2, "name it .zip"),
        (["a.geojson", "--crs", "EPSG:4548"], 2, "GeoJSON knows EPSG:4326 only"),
        (["a.gpkg", "--crs", "EPSG:1"], 2, "no CRS that PROJ knows"),
        (["a.dxf", "--crs", "EPSG:4490"], 2, "not in metres"),
        (["a.gpkg", "--encoding", "gbk"], 2, "always in UTF-8"),
        (["a.gpkg", "--datum", "wgs72"], 2, "is not one of"),
        (["-", "--format", "gpkg"], 2, "stdout takes GeoJSON text sequences"),
        (["a.gpkg", "--layers", "zone"], 1, "no layer is called 'zone'"),
        (["nowhere/a.gpkg"], 1, "there is no folder nowhere"),
        (["."], 2, ". is a folder; give the name of a file in it"),
        ([".."], 2, ".. is a folder"),
        (["a"], 2, "the suffix '' is no format"),
        ([".", "--format", "csv"], 1, "is a folder"),
    ],
)
def test_the_command_refuses_with_a_reason(
    run: Run, tmp_path: Path, args: list[str], code: int, message: str
) -> None:
    done = run("export", *args)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_starting_imports_nothing_heavy(run: Run) -> None:
    code = (
        "import sys, nankai_gis.exports; "
        "heavy = {'geopandas', 'pyogrio', 'ezdxf', 'xlsxwriter', 'numpy', 'pyproj', 'shapely'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
