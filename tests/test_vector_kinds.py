"""Vector files of any provenance: what they are, in which encoding, CRS and datum, and whole."""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import LineString, Point, box

from nankai_gis.errors import CRSError, DataError, NankaiGISError
from nankai_gis.files import columns, encoding, position, vector
from nankai_gis.geometry.datum import BD09, GCJ02
from nankai_gis.words import recalled

NAMES = ["學府街", "萬興街", "广开街"]


def zones(names: list[str] | None = None) -> gpd.GeoDataFrame:
    names = NAMES if names is None else names
    shapes = [box(117 + k / 100, 39, 117.005 + k / 100, 39.005) for k in range(len(names))]
    return gpd.GeoDataFrame({"NAME": names}, geometry=shapes, crs=4326)


def lines(count: int = 30) -> gpd.GeoDataFrame:
    shapes = [LineString([(117 + k / 100, 39), (117.004 + k / 100, 39.004)]) for k in range(count)]
    names = [f"試驗路{k}" for k in range(count)]
    return gpd.GeoDataFrame({"name": names, "highway": "primary"}, geometry=shapes, crs=4326)


def notes(layer: vector.Layer) -> str:
    return "\n".join(map(recalled, layer.notes))


def feature_collection(**members: Any) -> dict[str, Any]:
    return {**json.loads(zones().to_json()), **members}


@pytest.fixture(autouse=True)
def _no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)


# ------------------------------------------------------------------ text


def shapefile(folder: Path, names: list[str], code: str, label: int, cpg: str | None) -> Path:
    """A shapefile whose text is in an encoding, whatever its labels say."""
    zones(names).to_file(folder / "a.shp", encoding=code)
    table = bytearray((folder / "a.dbf").read_bytes())
    table[29] = label
    (folder / "a.dbf").write_bytes(table)
    (folder / "a.cpg").unlink(missing_ok=True)
    if cpg is not None:
        (folder / "a.cpg").write_text(cpg, encoding="ascii")
    return folder / "a.shp"


@pytest.mark.parametrize(
    ("code", "label", "cpg"),
    [
        ("gbk", 0, None),
        ("gbk", 0x57, None),
        ("gbk", 0x4D, None),
        ("gbk", 0, "UTF-8"),
        ("gbk", 0, "ISO-8859-1\r\n"),
        ("gbk", 0, "936\n"),
        ("utf-8", 0, None),
        ("utf-8", 0x57, None),
        ("utf-8", 0x4D, None),
        ("utf-8", 0, "GBK"),
    ],
)
def test_text_is_read_by_its_content(
    tmp_path: Path, code: str, label: int, cpg: str | None
) -> None:
    names = ["鼓楼街", "兴南街道办事处", "西马路（北段）"]
    layer = vector.read(shapefile(tmp_path, names, code, label, cpg))
    assert layer.frame["NAME"].tolist() == names
    assert len(re.findall("text is read as", notes(layer))) <= 1


def test_traditional_text_in_gbk_is_read_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = shapefile(tmp_path, ["啟航灣創新產業區", "衛津路"], "gbk", 0, None)
    assert vector.read(path).frame["NAME"].tolist() == ["啟航灣創新產業區", "衛津路"]
    path = shapefile(tmp_path, ["啟航灣創新產業區", "衛津路與復康路"], "big5", 0, None)
    with pytest.raises(DataError, match="--encoding"):
        vector.read(path)
    layer = vector.read(path, encoding="Big5")
    assert layer.frame["NAME"].tolist() == ["啟航灣創新產業區", "衛津路與復康路"]
    with pytest.raises(DataError, match="not in UTF-8"):
        vector.read(path, encoding="utf-8")
    with pytest.raises(DataError, match="no encoding 'klingon'"):
        vector.read(path, encoding="klingon")


def test_latin_text_stays_latin(tmp_path: Path) -> None:
    path = shapefile(tmp_path, ["Zürcher Straße", "Café"], "cp1252", 0x57, None)
    assert vector.read(path).frame["NAME"].tolist() == ["Zürcher Straße", "Café"]


def test_the_share_of_common_characters_decides() -> None:
    common, rare = "路", "䶮"  # the second is in GB18030 only
    full = 100 * encoding.COMMON
    texts = [(common * round(full) + rare * round(100 - full)).encode("gb18030")]
    assert encoding.decided("a", texts, None, None).name == "gb18030"
    texts = [(common * round(full - 1) + rare * round(101 - full)).encode("gb18030")]
    with pytest.raises(DataError, match="can't be told"):
        encoding.decided("a", texts, None, None)


@pytest.mark.parametrize("code", ["gb18030", "utf-16"])
def test_geojson_in_another_encoding(tmp_path: Path, code: str) -> None:
    text = json.dumps(feature_collection(), ensure_ascii=False)
    (tmp_path / "a.geojson").write_bytes(text.encode(code))
    assert vector.read(tmp_path / "a.geojson").frame["NAME"].tolist() == NAMES


# ------------------------------------------------------------------ columns


@pytest.mark.parametrize(
    "column", ["NAME", "Name", "名称", "名稱", "道路名称", "RoadName", "MC", "XZMC", "street_name"]
)
def test_a_column_of_names_is_found_and_told(column: str) -> None:
    frame, said = columns.identified(zones().rename(columns={"NAME": column}), "a.shp")
    assert frame["name"].tolist() == NAMES
    assert column in recalled(said[0])


@pytest.mark.parametrize("ids", [[None] * 3, [0, 0, 0], ["a", "a", "b"], ["a", None, "c"]])
def test_ids_that_tell_nothing_apart_are_replaced(ids: list[object]) -> None:
    frame, said = columns.identified(zones().assign(id=ids), "a.shp")
    assert frame["id"].tolist() == ["1", "2", "3"]
    assert "rows are numbered" in recalled(said[-1])
    with pytest.raises(DataError, match="can't be the ids"):
        columns.identified(zones().assign(id=ids), "a.shp", None, "id")


def test_ids_that_are_fit_stay() -> None:
    frame, said = columns.identified(zones().assign(Id=[7.0, 8.0, 9.0]), "a.shp")
    assert frame["id"].tolist() == ["7", "8", "9"]
    assert len(said) == 1
    # Pieces of one way share its id; a row that comes twice does, too.
    frame, _ = columns.identified(lines(3).assign(id=[1, 1, 2]), "a.shp")
    assert frame["id"].tolist() == ["1", "1", "2"]
    twice = zones().assign(id=[1, 2, 3]).iloc[[0, 0, 1]]
    assert columns.identified(twice, "a.shp")[0]["id"].tolist() == ["1", "1", "2"]


def test_objects_are_no_names_and_lists_are_lists() -> None:
    frame, said = columns.identified(zones(['{"zh": "甲"}'] * 3).rename(columns=str.lower), "a")
    assert "name" not in frame
    assert "no plain names" in recalled(said[0])
    assert columns.as_list("['甲路', '乙路']") == ["甲路", "乙路"]
    assert columns.as_list('["甲路"]') == ["甲路"]
    assert columns.as_list("[甲路]") is None
    assert columns.as_list("[" * 9000 + "]" * 9000) is None


# ------------------------------------------------------------------ layers


def test_the_points_of_tracks_are_no_layers(tmp_path: Path) -> None:
    lines(3)[["name", "geometry"]].to_file(tmp_path / "a.gpx", driver="GPX")
    assert vector.read(tmp_path / "a.gpx", want="Line").frame["name"].tolist() == [
        "試驗路0", "試驗路1", "試驗路2",
    ]  # fmt: skip


def test_a_geodatabase_is_a_folder_and_its_layers_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.gdb"
    zones().to_file(path, driver="OpenFileGDB", layer="片区")
    assert vector.read(path).frame["NAME"].tolist() == NAMES
    zones().to_file(path, driver="OpenFileGDB", layer="another", mode="a")
    with pytest.raises(DataError, match=r"片区 \(.*rows: 3\), another \(.*--layer"):
        vector.read(path)
    assert vector.read(path, layers=["another"]).name == "another"
    assert vector.read(Path(f"{path}|layername=片区")).name == "片区"


# ------------------------------------------------------------------ CRS and datum


@pytest.mark.parametrize("code", [4490, 4548, 4527, 32650, 3857])
def test_known_crs_come_to_the_same_place(tmp_path: Path, code: int) -> None:
    zones().to_crs(code).to_file(tmp_path / "a.gpkg")
    frame = vector.read(tmp_path / "a.gpkg").frame
    assert frame.total_bounds == pytest.approx(zones().total_bounds, abs=1e-6)


@pytest.mark.parametrize("code", [2384, 2436, 4610, 4214, 4555])
def test_survey_datums_without_a_transformation_are_refused(tmp_path: Path, code: int) -> None:
    zones().set_crs(code, allow_override=True).to_file(tmp_path / "a.gpkg")
    with pytest.raises(CRSError, match=r"no published transformation|in degrees|eastings"):
        vector.read(tmp_path / "a.gpkg")


def test_eastings_with_the_number_of_a_zone(tmp_path: Path) -> None:
    moved = zones().to_crs(4527).set_crs(4548, allow_override=True)
    moved.to_file(tmp_path / "a.gpkg")
    with pytest.raises(CRSError, match="number of the zone"):
        vector.read(tmp_path / "a.gpkg")
    plain = zones().to_crs(4548)
    for metres, refused in ((position.FAR_EAST_M - 2e3, False), (position.FAR_EAST_M + 2e5, True)):
        shift = 500_000 + metres - plain.total_bounds[0]
        path = tmp_path / f"{metres}.gpkg"
        plain.set_geometry(plain.translate(shift)).to_file(path)
        if refused:
            with pytest.raises(CRSError, match="far outside"):
                vector.read(path)
        else:
            vector.read(path)


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": {"name": "GCJ-02"}},
        {"type": "name", "properties": {"name": "http://127.0.0.1:8199/crs"}},
        {"type": "link", "properties": {"href": "http://127.0.0.1:8199/crs"}},
        {"type": "url", "properties": {"url": "http://127.0.0.1:8199/crs"}},
        {"type": "EPSG", "properties": {"code": 4326}},
    ],
)
def test_geojson_that_states_an_unknown_crs(tmp_path: Path, crs: dict[str, Any]) -> None:
    text = json.dumps(feature_collection(crs=crs))
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")
    (tmp_path / "b.geojson").write_text(text.replace('"crs"', '"\\u0063rs"'), encoding="utf-8")
    for name in "ab":
        with pytest.raises(CRSError, match="which is not known"):
            vector.read(tmp_path / f"{name}.geojson")


@pytest.mark.parametrize(
    ("shift", "match"),
    [(lambda g: g.to_crs(4548), "longitude and latitude in degrees, which"),
     (lambda g: g.set_geometry([box(39, 117, 39.1, 117.1)] * 3), "look swapped")],
)  # fmt: skip
def test_geojson_in_other_numbers(tmp_path: Path, shift: Any, match: str) -> None:
    frame = shift(zones()).set_crs(4326, allow_override=True)
    (tmp_path / "a.geojson").write_text(frame.to_json(), encoding="utf-8")
    with pytest.raises(NankaiGISError, match=match):
        vector.read(tmp_path / "a.geojson")


@pytest.mark.parametrize("datum", [GCJ02, BD09])
def test_a_stated_datum_is_undone(tmp_path: Path, datum: Any) -> None:
    points = [Point(*datum.from_wgs84(117.1, 39.1)), Point(*datum.from_wgs84(117.2, 39.1))]
    frame = gpd.GeoDataFrame({"datum": datum.name}, geometry=points, crs=4326, index=[0, 1])
    frame.to_file(tmp_path / "a.gpkg")
    layer = vector.read(tmp_path / "a.gpkg")
    assert layer.frame.total_bounds == pytest.approx([117.1, 39.1, 117.2, 39.1], abs=1e-8)
    assert "shifted back" in notes(layer)


# ------------------------------------------------------------------ what a file is


OTHERS = {
    "a.geojson": b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/x.gpkg"
    b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "b.kml": b"<kml><!-- <OGRVRTDataSource> --></kml>",
    "c.json": b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline"}',
    "d.gml": b"<OGRWFSDataSource><URL>http://127.0.0.1:8199/</URL></OGRWFSDataSource>",
    "e.xml": b"<wfs:WFS_Capabilities xmlns:wfs='http://www.opengis.net/wfs'/>",
    "f.tab": b'!table\n!version 900\nDefinition Table\n  Type LINKED "x"\n',
    "g.tab": b'!table\n!version 300\ncreate view X as Select * from "/etc/other"\n',
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_points_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(OTHERS[name])
    with pytest.raises(DataError, match="points to other data"):
        vector.read(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.write(tmp_path / name, name)
    with pytest.raises(DataError, match="points to other data"):
        vector.read(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PAR1" + bytes(50), "GeoParquet"),
        (b"  0\nSECTION\n  2\nHEADER\n", "CAD drawing"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b"<!DOCTYPE html><html>busy", "HTML page"),
        (b"name,lon,lat\na,117,39\n", "a table of text"),
        (b"<osm version='0.6'></osm>", "OpenStreetMap"),
        (b'{"rows": []}', "JSON, but no map data"),
        (b"", "is empty"),
        (b"\x1f\x8b\x08\x00", "unpack it first"),
    ],
)
def test_what_is_no_vector_file_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.geojson").write_bytes(content)
    with pytest.raises(DataError, match=why):
        vector.read(tmp_path / "a.geojson")


def test_only_listed_drivers_stand_while_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    listing = pyogrio.list_layers

    def spy(path: Any) -> Any:
        seen.append(set(pyogrio.list_drivers()))
        return listing(path)

    before = set(pyogrio.list_drivers())
    monkeypatch.setattr(pyogrio, "list_layers", spy)
    zones().to_file(tmp_path / "a.gpkg")
    vector.read(tmp_path / "a.gpkg")
    assert seen[0].isdisjoint({"OGR_VRT", "WFS", "OAPIF", "CSW", "HTTP", "GDALG", "SQLite", "CSV"})
    assert set(pyogrio.list_drivers()) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.gpkg"]


def test_partial_answers_of_servers_are_refused(tmp_path: Path) -> None:
    for number, member in enumerate(
        ({"exceededTransferLimit": True}, {"numberMatched": 9, "numberReturned": 3})
    ):
        path = tmp_path / f"{number}.geojson"
        path.write_text(json.dumps({**member, **feature_collection()}), encoding="utf-8")
        with pytest.raises(DataError, match="left out what is beyond its limit"):
            vector.read(path)


def test_key_order_and_rings_left_open(tmp_path: Path) -> None:
    text = json.dumps(feature_collection(pad="x" * 70_000), sort_keys=True)
    content = json.loads(text)
    ring = content["features"][0]["geometry"]["coordinates"][0]
    ring.pop()
    (tmp_path / "a.geojson").write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
    layer = vector.read(tmp_path / "a.geojson")
    assert layer.frame.geometry.equals(zones().geometry) or len(layer.frame) == 3
    assert "rings that were not closed" in notes(layer)


def test_zips_have_a_limit_and_must_be_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.geojson").write_text(zones().to_json(), encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.write(tmp_path / "a.geojson", "a.geojson")
    size = (tmp_path / "a.geojson").stat().st_size
    monkeypatch.setattr(vector.formats, "MOST_BYTES", size)
    assert len(vector.read(tmp_path / "a.zip").frame) == 3
    monkeypatch.setattr(vector.formats, "MOST_BYTES", size - 1)
    with pytest.raises(DataError, match="unpacked it would be"):
        vector.read(tmp_path / "a.zip")
    monkeypatch.undo()
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[60] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        vector.read(tmp_path / "a.zip")


# ------------------------------------------------------------------ whole or not at all


FORMATS = {
    "a.geojson": "GeoJSON", "a.geojsonl": "GeoJSONSeq", "a.fgb": "FlatGeobuf", "a.gpkg": "GPKG",
    "a.kml": "LIBKML", "a.gml": "GML", "a.mif": "MapInfo File", "a.tab": "MapInfo File",
    "a.shp": "ESRI Shapefile", "a.gpx": "GPX",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_no_cut_is_accepted_in_part(tmp_path: Path, name: str) -> None:
    frame = lines() if name != "a.gpx" else lines()[["name", "geometry"]]
    frame.to_file(tmp_path / name, driver=FORMATS[name])
    whole = len(vector.read(tmp_path / name, want="Line").frame)
    assert whole == 30
    dice = random.Random(name)
    for file in sorted(tmp_path.iterdir()):
        content = file.read_bytes()
        for _ in range(4):
            file.write_bytes(content[: dice.randrange(len(content))])
            try:
                layer = vector.read(tmp_path / name, want="Line")
            except NankaiGISError:
                continue
            assert len(layer.frame) == 30 or "doesn't say how many" in notes(layer)
        file.write_bytes(content)


def test_a_geodatabase_that_is_cut_is_refused(tmp_path: Path) -> None:
    lines().to_file(tmp_path / "a.gdb", driver="OpenFileGDB")
    for kind in ("gdbtable", "gdbtablx"):
        table = max(
            (tmp_path / "a.gdb").glob(f"*.{kind}"), key=lambda f: (f.stat().st_size, f.name)
        )
        shutil.copy(table, tmp_path / "kept")
        content = table.read_bytes()
        for share in (0.3, 0.6, 0.9):
            table.write_bytes(content[: int(share * len(content))])
            with pytest.raises(NankaiGISError):
                vector.read(tmp_path / "a.gdb", want="Line")
        shutil.copy(tmp_path / "kept", table)


# ------------------------------------------------------------------ beside a known network


def areas_along(share: float) -> Any:
    """A closed boundary of which a share follows a known street, and a network of that street."""
    from nankai_gis.network.digitised import DigitisedNetwork
    from nankai_gis.plan.model import Line, Names, Vertex

    west, east = 117.1, 117.2
    ends = [(west, 39.1), (west + (east - west) * 2.01 * share, 39.1)]
    course = tuple(Vertex(*end, 10.0, "osm", "s", "2020") for end in ends)
    line = Line("a", "street", Names("甲路", "甲路", "A", ()), (course,), "", frozenset(ends))
    flat = LineString([(west, 39.1), (east, 39.1), (west, 39.1 + 1e-2)]).envelope
    return flat, DigitisedNetwork((line,), {}, {}, {})


@pytest.mark.parametrize("datum", [GCJ02, BD09])
def test_areas_that_follow_streets_once_shifted_back_are_told(datum: Any) -> None:
    import numpy as np
    import shapely

    from nankai_gis.network import datum_shift

    for share, found in ((datum_shift.FOLLOWS + 0.04, datum), (datum_shift.FOLLOWS - 0.04, None)):
        area, known = areas_along(share)
        moved = shapely.transform(
            shapely.segmentize(area, 1e-3),
            lambda places: np.array([datum.from_wgs84(*place) for place in places]),
        )
        assert datum_shift.shifted_areas(np.array([moved]), known) is found
        assert datum_shift.shifted_areas(np.array([area]), known) is None
