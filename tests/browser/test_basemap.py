"""Tiles below the plan: fetched from one host, in the right place even where they are shifted."""

from __future__ import annotations

import io
import math
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import geopandas
import pytest
from frames import HEADS, plan_frames
from shapely.geometry import Point

from nankai_gis.geometry import datum
from nankai_gis.present import webmap
from nankai_gis.present.webmap.tiles import Tiles

pytestmark = pytest.mark.browser
#: Corners, middle and edge of the district; each tile server marks them where it has them.
PLACES = [(117.1, 39.06), (117.15, 39.11), (117.19, 39.14), (117.12, 39.13), (117.18, 39.07)]
_SIZE, _HALF = 256, 4


def _pixel(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    """Return the pixel of a place in the whole picture of a zoom level (Web Mercator)."""
    scale = _SIZE * 2**zoom
    y = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))
    return (lon + 180) / 360 * scale, (0.5 - y / (2 * math.pi)) * scale


def _png(rows: list[bytearray]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", _SIZE, _SIZE, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _tile(zoom: int, column: int, row: int, shifted: bool) -> bytes:
    """Draw a pale tile with a red square at each of the places."""
    rows = [bytearray(b"\xdd\xee\xdd" * _SIZE) for _ in range(_SIZE)]
    for place in PLACES:
        at = datum.GCJ02.from_wgs84(*place) if shifted else place
        x, y = _pixel(*at, zoom)
        left, top = round(x) - column * _SIZE, round(y) - row * _SIZE
        for v in range(max(top - _HALF, 0), min(top + _HALF, _SIZE)):
            for u in range(max(left - _HALF, 0), min(left + _HALF, _SIZE)):
                rows[v][3 * u : 3 * u + 3] = b"\xff\x00\x00"
    return _png(rows)


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, zoom, column, row = self.path.strip("/").removesuffix(".png").split("/")
        content = _tile(int(zoom), int(column), int(row), kind == "gcj02")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve tiles on this machine alone."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def _frames() -> dict[str, Any]:
    """Return the district and spots at the places, in WGS-84 as everything is."""
    rows = {"name": list("甲乙丙丁戊"), "status": "surveyed"}
    spots = geopandas.GeoDataFrame(rows, geometry=[Point(p) for p in PLACES], crs="EPSG:4326")
    return {"district": plan_frames()["district"], "sites": spots}


def _open(open_map: Any, server: str, kind: str, gcj02: bool) -> Any:
    tiles = Tiles((f"{server}/{kind}/{{z}}/{{x}}/{{y}}.png",), "測試底圖", gcj02=gcj02)
    text = webmap.html(webmap.draw(_frames(), **HEADS, basemap=tiles))
    return open_map(text, allow=server + "/")


def _settle(page: Any) -> None:
    page.wait_for_function(
        """() => { const all = [...document.querySelectorAll('.leaflet-tile')];
            return all.length && all.every(t => t.complete && getComputedStyle(t).opacity === '1'
                && t.classList.contains('leaflet-tile-loaded')); }"""
    )
    page.wait_for_timeout(400)


def _gaps(page: Any) -> list[float]:
    """Return how far each spot in view is from the red square nearest to it, in pixels."""
    import matplotlib.image
    import numpy as np

    spots = page.evaluate(
        """() => { const frame = document.querySelector('.nk-map').getBoundingClientRect();
            return [...document.querySelectorAll('.leaflet-nk-sites-pane path')]
                .map(p => p.getBoundingClientRect()).filter(b => b.width)
                .map(b => [b.x + b.width / 2, b.y + b.height / 2])
                .filter(([x, y]) => x > frame.x + 60 && x < frame.right - 160 && y > frame.y + 60
                    && y < frame.bottom - 60); }"""
    )
    page.evaluate("document.querySelectorAll('.nk-label').forEach(n => n.remove())")
    for key in ("sites", "district"):
        page.locator(f"input[name={key}]").uncheck()
    picture = matplotlib.image.imread(io.BytesIO(page.screenshot()))
    for key in ("sites", "district"):
        page.locator(f"input[name={key}]").check()
    red = (picture[..., 0] > 0.9) & (picture[..., 1] < 0.3) & (picture[..., 2] < 0.3)
    rows, columns = np.nonzero(red)
    assert len(rows), "no tile shows its mark"
    gaps = []
    for x, y in spots:
        near = np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 90
        if not near.any():
            gaps.append(math.inf)
            continue
        gaps.append(math.hypot(columns[near].mean() + 0.5 - x, rows[near].mean() + 0.5 - y))
    return gaps


@pytest.mark.parametrize(("kind", "gcj02"), [("wgs84", False), ("gcj02", True)])
def test_plan_and_tiles_agree(open_map: Any, server: str, kind: str, gcj02: bool) -> None:
    page = _open(open_map, server, kind, gcj02).page
    _settle(page)
    gaps = _gaps(page)
    assert len(gaps) >= 4
    assert max(gaps) < 2
    # Near: the wheel keeps what is under it; then drag it elsewhere.
    middle = page.locator(".leaflet-nk-sites-pane path").nth(3).bounding_box()
    page.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    for _ in range(5):
        page.mouse.wheel(0, -150)
        page.wait_for_timeout(400)
    _settle(page)
    near = _gaps(page)
    page.mouse.move(300, 500)
    page.mouse.down()
    page.mouse.move(360, 560, steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)
    _settle(page)
    near += _gaps(page)
    assert len(near) >= 2
    assert max(near) < 2


def test_a_wrong_datum_would_show(open_map: Any, server: str) -> None:
    page = _open(open_map, server, "gcj02", False).page
    _settle(page)
    assert min(_gaps(page)) > 8


def test_tiles_lie_below_and_are_named(open_map: Any, server: str) -> None:
    page = _open(open_map, server, "wgs84", False).page
    _settle(page)
    assert "測試底圖" in page.locator(".nk-foot").inner_text()
    assert page.locator(".leaflet-nk-sites-pane path").count() == len(PLACES)
    order = page.evaluate(
        """['nk-land', 'tile', 'nk-district'].map(name =>
            +getComputedStyle(document.querySelector(`.leaflet-${name}-pane`)).zIndex)"""
    )
    assert order == sorted(order)


def test_without_its_tiles_the_plan_is_all_there(chromium: Any, tmp_path: Any) -> None:
    tiles = Tiles(("http://127.0.0.1:9/{z}/{x}/{y}.png",), gcj02=True)
    file = tmp_path / "map.html"
    file.write_text(webmap.html(webmap.draw(plan_frames(), **HEADS, basemap=tiles)), "utf-8")
    page = chromium.new_page()
    page.route("**/*", lambda r: r.continue_() if r.request.url == file.as_uri() else r.abort())
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector(".nk[data-drawn]", state="attached")
    assert page.locator(".leaflet-nk-zones-pane path").count() == 3
    assert errors == []
    page.close()


def test_another_host_is_refused_by_the_policy(open_map: Any, server: str) -> None:
    opened = _open(open_map, server, "wgs84", False)
    page = opened.page
    port = int(server.rsplit(":", 1)[1])
    script = """url => new Promise(done => { const image = new Image();
        document.addEventListener('securitypolicyviolation', () => done('refused'), {once: true});
        image.onload = () => done('loaded'); image.src = url; })"""
    assert page.evaluate(script, f"{server}/wgs84/1/0/0.png") == "loaded"
    assert page.evaluate(script, f"http://localhost:{port}/wgs84/1/0/0.png") == "refused"
    assert "Content Security Policy" in opened.noise.pop()
