"""Networks as a user meets them: vector files, snapshots, an Overpass server, real data."""

from __future__ import annotations

import gzip
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import geopandas as gpd
import make_network as make
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from evidence import ROOT
from geopandas.testing import assert_geodataframe_equal
from tanggu import DATE, PBF, write_overpass

from nankai_gis.errors import CRSError, DataError, OutputError
from nankai_gis.network import overpass, roads

BBOX = (117.16, 39.11, 117.17, 39.12)


@pytest.fixture(scope="module")
def city_file(tmp_path_factory) -> Path:
    return make.write(make.city(200), tmp_path_factory.mktemp("city") / "city.osm.pbf")


@pytest.fixture(scope="module")
def city(city_file) -> roads.Roads:
    return roads.read(city_file)


# --- vector files -------------------------------------------------------------------------------


def _lines(**columns) -> gpd.GeoDataFrame:
    shapes = [shapely.LineString([(117.1, 39.1), (117.2, 39.1)])]
    shapes.append(shapely.LineString([(117.1, 39.1), (117.1, 39.2), (117.2, 39.2)]))
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)


def test_columns_are_guessed_whatever_their_case(tmp_path):
    frame = _lines(
        OSM_ID=[20, 10],
        Name=["卫津路", None],
        HIGHWAY=["primary", "service"],
        OneWay=["yes", None],
        alt_name=["七马路", None],
        BRIDGE=[None, "yes"],
        Layer=[0, 1],
    )
    frame.to_file(tmp_path / "a.geojson")
    found = roads.read(tmp_path / "a.geojson")
    assert found.frame.drop(columns="geometry").values.tolist() == [
        [10, None, "", "service", None, None, 0, None, True, False, 1],
        [20, "卫津路", "七马路", "primary", None, None, 1, None, False, False, 0],
    ]
    assert found.frame.dtypes.astype(str).to_dict() == {**roads.COLUMNS, "geometry": "geometry"}
    assert shapely.get_num_coordinates(found.frame.geometry).tolist() == [3, 2]
    assert (found.origin.format, found.origin.date, found.origin.named) == ("vector", None, 1)


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.fgb", "a.geojson"])
def test_projected_files_are_turned_into_degrees(tmp_path, name):
    frame = _lines(name=["a", "b"], highway=["primary", "primary"])
    (frame if name.endswith("json") else frame.to_crs(4548)).to_file(tmp_path / name)
    found = roads.read(tmp_path / name).frame
    assert found.crs == "EPSG:4326"
    order = [found.name.tolist().index(name) for name in ("a", "b")]
    got = shapely.get_coordinates(found.geometry.iloc[order].to_numpy())
    assert got == pytest.approx(shapely.get_coordinates(frame.geometry.to_numpy()), abs=1e-8)


def test_geofabrik_shapefiles(tmp_path):
    frame = _lines(
        osm_id=["4", "7"],
        fclass=["primary", "motorway"],
        name=["a", None],
        oneway=["T", "B"],
        bridge=["F", "T"],
        tunnel=["F", "F"],
        layer=[0, 2],
    )
    frame.to_file(tmp_path / "gis_osm_roads_free_1.shp")
    found = roads.read(tmp_path / "gis_osm_roads_free_1.shp").frame
    assert found.way.tolist() == [4, 7]
    assert found.highway.tolist() == ["primary", "motorway"]
    assert found.oneway.tolist() == [-1, 0]
    assert found.bridge.tolist() == [False, True]


def test_parts_and_rows_without_lines(tmp_path):
    frame = _lines(name=["a", "b"], highway=["primary", "primary"], id=[5, 6])
    frame.loc[0, "geometry"] = shapely.union_all(
        [shapely.LineString([(0, 0), (1, 0)]), shapely.LineString([(2, 0), (3, 0)])]
    )
    frame.loc[1, "geometry"] = None
    frame.to_file(tmp_path / "a.gpkg")
    found = roads.read(tmp_path / "a.gpkg")
    assert found.frame.way.tolist() == [1, 2]
    assert found.origin.notes[0] == "way: numbered from 1, since no column tells the lines apart"
    assert dict(found.origin.dropped) == {"no line": 1}


def test_a_vector_file_without_crs_is_refused(tmp_path):
    frame = _lines(highway=["primary", "primary"])
    frame.to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(CRSError, match=r"a\.shp: no CRS is given"):
        roads.read(tmp_path / "a.shp")


def test_a_vector_file_that_is_swapped(tmp_path):
    frame = _lines(highway=["primary", "primary"])
    frame.geometry = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    frame.to_file(tmp_path / "a.geojson")
    with pytest.raises(DataError, match="look swapped"):
        roads.read(tmp_path / "a.geojson")
    frame.geometry = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy - [0, 50])
    frame.to_file(tmp_path / "b.geojson")  # near 39, 67: valid, but not where it was asked for
    assert len(roads.read(tmp_path / "b.geojson").frame) == 2
    with pytest.raises(DataError, match="look swapped"):
        roads.read(tmp_path / "b.geojson", bbox=(67.0, 39.0, 67.3, 39.3))


def test_vector_files_that_say_nothing_of_roads(tmp_path):
    _lines(kind=["a", "b"]).to_file(tmp_path / "a.geojson")
    with pytest.raises(DataError, match=r"no column that says what kind.*it has kind"):
        roads.read(tmp_path / "a.geojson")
    points = gpd.GeoDataFrame({"highway": ["stop"]}, geometry=[shapely.Point(1, 1)], crs=4326)
    points.to_file(tmp_path / "b.geojson")
    with pytest.raises(DataError, match="layer of lines"):
        roads.read(tmp_path / "b.geojson")
    (tmp_path / "c.txt").write_text("no map at all", encoding="utf-8")
    with pytest.raises(DataError, match="no vector file of a known kind"):
        roads.read(tmp_path / "c.txt")
    (tmp_path / "d.geojson").write_bytes((tmp_path / "a.geojson").read_bytes()[:200])
    with pytest.raises(DataError):
        roads.read(tmp_path / "d.geojson")


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.dbf", "a.fgb", "a.geojson"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_vector_file_that_is_cut_off(city, tmp_path, name, share):
    path = tmp_path / name.replace("dbf", "shp")
    city.frame[["name", "highway", "railway", "waterway", "geometry"]].to_file(path)
    assert roads.read(path).origin.ways == 200
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError):
        roads.read(path)


def test_rows_that_repeat_another_count_once(tmp_path):
    frame = _lines(osm_id=[7, 8], highway=["primary", "service"], name=["卫津路", None])
    frame = pd.concat([frame, frame, frame.assign(name="别路")], ignore_index=True)
    frame.to_file(tmp_path / "a.gpkg")
    found = roads.read(tmp_path / "a.gpkg")
    assert found.frame.name.tolist() == ["卫津路", None, "别路", "别路"]
    assert found.origin.dropped == {"the same line and tags again": 2}
    frame.iloc[:4].to_file(tmp_path / "b.gpkg")
    # Without what repeats, the column tells the lines apart.
    assert roads.read(tmp_path / "b.gpkg").frame.way.tolist() == [7, 8]


@pytest.mark.parametrize("columns", [{}, {"oneway": ["yes", None]}])
def test_a_network_that_does_not_know_its_carriageways_says_so(tmp_path, columns):
    _lines(highway=["primary", "service"], **columns).to_file(tmp_path / "a.gpkg")
    notes = roads.read(tmp_path / "a.gpkg").origin.notes
    assert any(note.startswith("oneway: no column") for note in notes) == (not columns)


# --- snapshots ----------------------------------------------------------------------------------


def test_a_snapshot_gives_back_what_was_saved(city, tmp_path):
    path = city.save(tmp_path / "tj.gpkg")
    again = roads.load(path)
    assert_geodataframe_equal(again.frame, city.frame)
    assert again.frame.name.tolist() == city.frame.name.tolist()  # None stays None
    assert again.origin == city.origin
    assert [file.name for file in tmp_path.iterdir()] == ["tj.gpkg"]
    # it is a GeoPackage that others read
    assert sorted(pyogrio.list_layers(path)[:, 0]) == ["nankai_gis_snapshot", "ways"]


def test_reading_a_snapshot_is_loading_it(city, tmp_path):
    path = city.save(tmp_path / "tj.gpkg")
    assert roads.read(path).origin == city.origin
    west, south, east, north = city.origin.bbox
    bbox = (west, south, (west + east) / 2, (south + north) / 2)
    part = roads.read(path, bbox=bbox)
    touching = city.frame[city.frame.intersects(shapely.box(*bbox))]
    assert part.frame.way.tolist() == touching.way.tolist()
    assert 0 < part.origin.ways == len(touching) < city.origin.ways
    assert part.origin.dropped["outside the area asked for"] == len(city.frame) - len(touching)
    assert part.origin.nodes == shapely.get_num_coordinates(touching.geometry.to_numpy()).sum()
    with pytest.raises(DataError, match="no way in the area asked for"):
        roads.read(path, bbox=(0.0, 0.0, 1.0, 1.0))


def test_incomplete_ways_and_notes_stay_on_record(city, tmp_path):
    origin = replace(city.origin, incomplete=(3, 4), notes=("numbered",), date=None)
    path = roads.Roads(city.frame, origin).save(tmp_path / "a.gpkg")
    assert roads.load(path).origin == origin


def test_a_file_is_replaced_only_when_asked(city, tmp_path):
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"somebody's")
    with pytest.raises(OutputError, match="exists"):
        city.save(path)
    assert path.read_bytes() == b"somebody's"
    city.save(path, overwrite=True)
    assert roads.load(path).origin == city.origin


def test_where_a_snapshot_cannot_be(city, tmp_path):
    with pytest.raises(OutputError, match=r"end in \.gpkg"):
        city.save(tmp_path / "a.json")
    with pytest.raises(OutputError, match="there is no folder"):
        city.save(tmp_path / "none" / "a.gpkg")


def test_a_write_that_fails_leaves_nothing_behind(city, tmp_path, monkeypatch):
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"old")

    def full(frame, draft, **_):
        Path(draft).write_bytes(b"half")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pyogrio, "write_dataframe", full)
        with pytest.raises(OutputError, match="no space left"):
            city.save(path, overwrite=True)
    write = pyogrio.write_dataframe
    with monkeypatch.context() as patch:  # a driver that loses a row without a word
        patch.setattr(
            pyogrio, "write_dataframe", lambda frame, *args, **kw: write(frame[1:], *args, **kw)
        )
        with pytest.raises(OutputError, match="not complete"):
            city.save(path, overwrite=True)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.gpkg", b"old")]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM ways WHERE way = (SELECT max(way) FROM ways)", "not complete: 199 of 200"),
        ("UPDATE ways SET name = 'x' WHERE way = (SELECT max(way) FROM ways)", "were changed"),
        ("UPDATE ways SET oneway = 1 - oneway", "were changed"),
        ("DROP TABLE nankai_gis_snapshot", "no snapshot"),
        ("DELETE FROM nankai_gis_snapshot", "damaged"),
        ("UPDATE nankai_gis_snapshot SET record = '{'", "damaged"),
        ("UPDATE nankai_gis_snapshot SET record = '[]'", "damaged"),
        ('UPDATE nankai_gis_snapshot SET record = \'{"version": 1, "origin": {}}\'', "damaged"),
        (
            "UPDATE nankai_gis_snapshot SET record = replace(record, '\"version\": 1', "
            "'\"version\": 2')",
            "version 2, this program knows 1",
        ),
    ],
)
def test_a_snapshot_that_was_tampered_with(city, tmp_path, statement, why):
    path = city.save(tmp_path / "a.gpkg")
    base = sqlite3.connect(path)
    base.execute("DROP TRIGGER IF EXISTS trigger_delete_feature_count_ways")
    for (trigger,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        base.execute(f'DROP TRIGGER "{trigger}"')  # they call functions that only GDAL has
    base.execute(statement)
    base.commit()
    base.close()
    with pytest.raises(DataError, match=why):
        roads.load(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_snapshot_that_is_cut_off(city, tmp_path, share):
    path = city.save(tmp_path / "a.gpkg")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    for ask in (roads.load, roads.read):
        with pytest.raises(DataError, match="damaged or cut off"):
            ask(path)


def test_other_files_are_no_snapshots(city_file, tmp_path):
    _lines(highway=["primary", "primary"]).to_file(tmp_path / "a.gpkg")
    for path in (city_file, tmp_path / "a.gpkg"):
        with pytest.raises(DataError, match="no snapshot; `nankai-gis roads import`"):
            roads.load(path)
    assert roads.read(tmp_path / "a.gpkg").origin.ways == 2


# --- a server -----------------------------------------------------------------------------------


@dataclass
class Reply:
    """What the stand-in answers once."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    claims: int | None = None
    wait_s: float = 0.0
    drip_s: float = 0.0
    chunked: bool = False
    endless: bool = False


class Server:
    """A stand-in for Overpass on this machine: it gives its replies in turn."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[dict[str, str], str]] = []
        self.looked_up: list[str] = []
        self.status = b""
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.asked.append((dict(self.headers), parse_qs(body)["data"][0]))
                reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                outer.over.wait(reply.wait_s)
                self.close_connection = True
                try:
                    self.send_response(reply.status)
                    for key, value in reply.headers:
                        self.send_header(key, value)
                    if reply.endless:
                        self.send_header("Transfer-Encoding", "chunked")
                        self.end_headers()
                        while not outer.over.is_set():
                            self.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                    if reply.chunked:
                        self.send_header("Transfer-Encoding", "chunked")
                        self.end_headers()
                        self.wfile.write(b"%x\r\n" % (len(reply.body) + 9) + reply.body)
                        return
                    claims = len(reply.body) if reply.claims is None else reply.claims
                    if "Content-Length" not in dict(reply.headers):
                        self.send_header("Content-Length", str(claims))
                    self.end_headers()
                    if not reply.drip_s:
                        self.wfile.write(reply.body)
                        return
                    for at in range(len(reply.body)):
                        self.wfile.write(reply.body[at : at + 1])
                        if outer.over.wait(reply.drip_s):
                            return
                except OSError:
                    return  # the other side has gone

            def do_GET(self):
                outer.looked_up.append(self.path)
                self.send_response(200 if outer.status else 404)
                self.send_header("Content-Length", str(len(outer.status)))
                self.end_headers()
                self.wfile.write(outer.status)

            def log_message(self, *_):
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/api/interpreter"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(overpass, "_PAUSE_S", 0.01)
    running = Server()
    yield running
    running.close()


def _answer(**more: object) -> bytes:
    return json.dumps(make.overpass(make.city(60), geom=True) | more).encode()


def test_fetch(server):
    server.replies = [Reply(body=_answer())]
    seen: list[tuple[int, int | None]] = []
    found = roads.fetch(BBOX, endpoint=server.url, progress=lambda *now: seen.append(now))
    assert 0 < found.origin.ways <= 60
    assert found.origin.ways + found.origin.dropped["outside the area asked for"] == 60
    assert (found.origin.name, found.origin.date) == (server.url, make.DATE)
    assert seen[-1] == (len(_answer()), len(_answer()))
    ((headers, query),) = server.asked
    assert headers["User-Agent"].startswith("nankai-gis/")
    box = "39.110000 117.170000 39.120000 117.170000 39.120000 117.160000 39.110000 117.160000"
    for key in ("highway", "railway", "waterway"):
        assert f"(way['{key}'](poly:'{box} 39.110000 117.170000');(._;>;););" in query
    assert query.startswith("[out:json][timeout:162];")


def test_fetch_a_polygon(server):
    server.replies = [Reply(body=_answer())]
    triangle = shapely.Polygon([(117.165, 39.115), (117.175, 39.115), (117.17, 39.125)])
    found = roads.fetch(triangle, endpoint=server.url)
    assert found.frame.intersects(triangle).all()
    assert (
        "(poly:'39.115000 117.165000 39.115000 117.175000 39.125000 117.170000 "
        "39.115000 117.165000')" in server.asked[0][1]
    )
    round_ = shapely.Point(117.17, 39.12).buffer(0.01, quad_segs=500)
    roads.fetch(shapely.union(triangle, round_), endpoint=server.url)
    roads.fetch(
        shapely.MultiPolygon([shapely.box(117, 39, 117.1, 39.1), shapely.box(117.16, 39, 118, 40)]),
        endpoint=server.url,
    )


@pytest.mark.parametrize(("corners", "hull"), [(200, False), (201, True)])
def test_many_corners_are_asked_for_as_their_hull(corners, hull):
    turns = np.linspace(0, 2 * np.pi, corners)[:-1]  # the last corner is the first again
    radius = np.where(np.arange(len(turns)) % 2, 0.01, 0.02)
    places = np.column_stack([117 + radius * np.cos(turns), 39 + radius * np.sin(turns)])
    star = shapely.Polygon(places)
    assert shapely.get_num_coordinates(star) == corners
    within, asked = roads._asked(star)
    assert within.shape == star
    assert asked == (star.convex_hull if hull else star)


def test_a_packed_answer(server):
    server.replies = [Reply(body=gzip.compress(_answer()), headers=(("Content-Encoding", "gzip"),))]
    assert roads.fetch(BBOX, endpoint=server.url).origin.ways > 0


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, status):
    server.replies = [Reply(status, b"<p>too many requests"), Reply(body=_answer())]
    assert roads.fetch(BBOX, endpoint=server.url).origin.ways > 0
    assert len(server.asked) == 2


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(server, form):
    when = datetime.now(UTC) + timedelta(seconds=2)
    value = "1" if form == "seconds" else format_datetime(when, usegmt=True)
    server.replies = [Reply(429, headers=(("Retry-After", value),)), Reply(body=_answer())]
    start = time.monotonic()
    roads.fetch(BBOX, endpoint=server.url)
    assert 0.9 <= time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("86399", 86_399),
        ("86400", 86_400),
        ("86401", 86_400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_what_retry_after_says(value, seconds):
    assert overpass._after(value) == seconds


def test_a_wait_beyond_the_deadline_is_not_begun(server):
    server.replies = [Reply(429, headers=(("Retry-After", "3600"),))]
    start = time.monotonic()
    with pytest.raises(
        DataError, match=r"HTTP 429.*next try would be in 3600 s, after the deadline"
    ):
        roads.fetch(BBOX, endpoint=server.url, deadline_s=20)
    assert time.monotonic() - start < 10
    assert len(server.asked) == 1


def test_tries_are_bounded(server):
    server.replies = [Reply(504, b"<html><style>p{}</style><p>The server is too busy</p></html>")]
    with pytest.raises(DataError, match=r"HTTP 504.*The server is too busy; gave up after 4 tries"):
        roads.fetch(BBOX, endpoint=server.url)
    assert len(server.asked) == 4


@pytest.mark.parametrize("slow", [{"wait_s": 30.0}, {"drip_s": 0.05}])
def test_the_deadline_holds(server, slow):
    server.replies = [Reply(body=_answer(), **slow)]
    start = time.monotonic()
    with pytest.raises(DataError, match=r"no complete answer within 0.6 s"):
        roads.fetch(BBOX, endpoint=server.url, deadline_s=0.6)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("reply", "why", "asked"),
    [
        (Reply(400, b"<p>parse error: Unknown type</p>"), "HTTP 400.*parse error", 1),
        (Reply(403, b'{"elements": [], "error": "blocked"}'), "HTTP 403.*blocked", 1),
        (Reply(200, b"<html><body>Please wait</body></html>"), "markup.*Please wait", 1),
        (Reply(200, b'{"elements": []}'), "holds no way", 1),
        (Reply(200, _answer(remark="runtime error: Query timed out")), "Query timed out", 1),
        (Reply(200, _answer(remark="runtime error: out of memory", elements=[])), "memory", 1),
        (Reply(200, _answer()[:-40]), "not complete JSON", 1),
        (Reply(200, b""), "not complete JSON", 1),
        (Reply(200, _answer()[:-40], claims=len(_answer())), "broke", 4),
        (Reply(200, _answer()[:-40], chunked=True), "broke", 4),
        (
            Reply(200, gzip.compress(_answer())[:-9], headers=(("Content-Encoding", "gzip"),)),
            "packed answer is damaged",
            4,
        ),
    ],
)
def test_a_partial_answer_is_never_taken_for_a_complete_one(server, reply, why, asked):
    server.replies = [reply]
    with pytest.raises(DataError, match=why):
        roads.fetch(BBOX, endpoint=server.url)
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(206, _answer()), "HTTP 206"),
        (Reply(204), "HTTP 204"),
        (Reply(302, headers=(("Location", "/elsewhere"),)), "redirected to http://127"),
        (
            Reply(307, headers=(("Location", "http://localhost:9/api/interpreter"),)),
            "redirected to http://localhost:9/api",
        ),
        (Reply(endless=True), "larger than 1 MB"),
        (
            Reply(200, gzip.compress(b" " * 9_000_000), headers=(("Content-Encoding", "gzip"),)),
            "larger than 1 MB",
        ),
        (Reply(200, b"[]"), "no Overpass answer"),
    ],
)
def test_what_is_no_whole_answer_of_this_server_is_refused(server, monkeypatch, reply, why):
    monkeypatch.setattr(overpass, "LIMIT", 1 << 20)
    server.replies = [reply]
    with pytest.raises(DataError, match=why):
        roads.fetch(BBOX, endpoint=server.url, deadline_s=20)
    assert len(server.asked) == 1


def test_the_limit_is_for_the_unpacked_answer_to_the_byte(server, monkeypatch):
    packed = gzip.compress(_answer())
    server.replies = [Reply(body=packed, headers=(("Content-Encoding", "gzip"),))]
    monkeypatch.setattr(overpass, "LIMIT", len(_answer()))
    assert roads.fetch(BBOX, endpoint=server.url).origin.ways > 0
    monkeypatch.setattr(overpass, "LIMIT", len(_answer()) - 1)
    with pytest.raises(DataError, match="larger than"):
        roads.fetch(BBOX, endpoint=server.url)


def test_a_redirect_within_the_host_keeps_the_query(server):
    server.replies = [Reply(308, headers=(("Location", "/other"),)), Reply(body=_answer())]
    assert roads.fetch(BBOX, endpoint=server.url).origin.ways > 0
    assert server.asked[0][1] == server.asked[1][1]


@pytest.mark.parametrize("length", ["many", "-5", ""])
def test_a_length_that_is_no_number_counts_as_none(server, length):
    server.replies = [Reply(body=_answer(), headers=(("Content-Length", length),))]
    seen: list[tuple[int, int | None]] = []
    roads.fetch(BBOX, endpoint=server.url, progress=lambda *now: seen.append(now))
    assert seen[-1] == (len(_answer()), None)


def test_a_wait_that_is_no_number_is_ours(server):
    server.replies = [
        Reply(429, headers=(("Retry-After", "\u00b2"),)),
        Reply(429, headers=(("Retry-After", "1e9"),)),
        Reply(body=_answer()),
    ]
    assert roads.fetch(BBOX, endpoint=server.url).origin.ways > 0


def test_a_free_slot_is_waited_for_where_the_server_has_slots(server, monkeypatch):
    monkeypatch.setattr(overpass, "ENDPOINT", server.url)
    free = (datetime.now(UTC) + timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.replies = [Reply(body=_answer())]
    server.status = f"a\nb\nc\nd\nSlot available after: {free}, in 4 seconds.".encode()
    roads.fetch(BBOX, endpoint=server.url, deadline_s=60)
    assert datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") >= free
    # What isn't understood is no reason to wait; osmnx would for a minute.
    for status in (b"busy", b"", b"a\nb\nc\nd\nSlot machine"):
        server.status = status
        roads.fetch(BBOX, endpoint=server.url, deadline_s=50)
    assert server.looked_up == ["/api/status"] * 4


def test_a_large_area_is_asked_for_in_parts(server):
    server.replies = [Reply(body=_answer())]
    found = roads.fetch((116.8, 38.8, 117.5, 39.4), endpoint=server.url)
    assert len(server.asked) > 1
    assert found.origin.ways == 60  # what several parts hold counts once
    assert "the same way again" not in found.origin.dropped


def test_what_osmnx_had_set_is_put_back(server, tmp_path, monkeypatch):
    import osmnx

    monkeypatch.chdir(tmp_path)
    before = {
        name: getattr(osmnx.settings, name) for name in vars(osmnx.settings) if name[0] != "_"
    }
    resolve = socket.getaddrinfo
    server.replies = [Reply(body=_answer()), Reply(400)]
    roads.fetch(BBOX, endpoint=server.url)
    with pytest.raises(DataError):
        roads.fetch(BBOX, endpoint=server.url)
    assert before == {name: getattr(osmnx.settings, name) for name in before}
    assert socket.getaddrinfo is resolve
    assert list(tmp_path.iterdir()) == []


def test_an_answer_with_holes_is_refused(server):
    answer = make.overpass(make.city(60), geom=True)
    answer["elements"][20]["geometry"][1] = None
    server.replies = [Reply(body=json.dumps(answer).encode())]
    with pytest.raises(DataError, match="lack 1 of their nodes"):
        roads.fetch((117.0, 39.0, 118.0, 40.0), endpoint=server.url)


def test_a_server_that_is_not_there(server):
    server.close()
    with pytest.raises(DataError, match=r"can't be reached.*gave up after 4 tries"):
        roads.fetch(BBOX, endpoint=server.url, deadline_s=20)


@pytest.mark.parametrize(
    ("area", "options", "why"),
    [
        ((39.0, 117.0, 39.2, 117.3), {}, "look swapped"),
        (shapely.Point(117, 39), {}, "a valid polygon"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), {}, "a valid polygon"),
        (shapely.box(39.0, 117.0, 39.2, 117.3), {}, "look swapped"),
        (BBOX, {"deadline_s": 0}, "a deadline of .* can.t be kept"),
        (BBOX, {"deadline_s": float("inf")}, "a deadline of .* can.t be kept"),
        (BBOX, {"deadline_s": float("nan")}, "a deadline of .* can.t be kept"),
        (BBOX, {"endpoint": "file:///etc/hostname"}, "http or https"),
    ],
)
def test_what_cannot_be_asked(area, options, why):
    with pytest.raises(DataError, match=why):
        roads.fetch(area, **options)


class _NoSocket(socket.socket):
    def __init__(self, *_, **__):
        raise AssertionError("a socket was opened")


@pytest.fixture
def no_socket(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "socket", _NoSocket)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_socket")
def test_only_fetching_opens_a_socket(city_file, tmp_path):
    roads.areas(city_file)
    path = roads.read(city_file).save(tmp_path / "a.gpkg")
    roads.load(path)


@pytest.mark.usefixtures("no_socket")
def test_the_guard_sees_a_socket():
    with pytest.raises(AssertionError, match=r"socket was opened|name was looked up"):
        roads.fetch(BBOX, endpoint="http://127.0.0.1:9/", deadline_s=5)


# --- the module itself --------------------------------------------------------------------------


def test_importing_is_cheap():
    code = (
        "import sys, nankai_gis.network.roads; "
        "print(sorted({'geopandas', 'numpy', 'pandas', 'shapely', 'osmium', 'pyogrio', 'socket'}"
        " & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


# --- real data ----------------------------------------------------------------------------------


def test_the_real_extract_is_the_same_in_both_formats(tmp_path):
    pbf = roads.read(PBF)
    answer = roads.read(write_overpass(tmp_path / "a.json"))
    for found in (pbf, answer):
        assert found.origin.ways == len(found.frame) == 3232
        assert found.frame.name.dropna().nunique() == 469
        assert not found.origin.dropped
    assert_geodataframe_equal(pbf.frame, answer.frame)
    assert pbf.frame.name.tolist() == answer.frame.name.tolist()
    assert answer.origin.date == pbf.origin.date == DATE
    assert_geodataframe_equal(roads.load(pbf.save(tmp_path / "a.gpkg")).frame, pbf.frame)


def test_the_real_extract_cut_in_half_is_refused(tmp_path):
    for whole in (PBF, write_overpass(tmp_path / "whole.json")):
        half = tmp_path / f"half{whole.suffix}"
        half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        with pytest.raises(DataError):
            roads.read(half)
