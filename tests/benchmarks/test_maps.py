"""Bytes, write time and time until all is drawn: this map, ``explore()``, ``folium.GeoJson``.

    pytest tests/benchmarks/test_maps.py --benchmark-only
    NANKAI_GIS_LARGE=1 pytest …                                 also 50,000 street pieces

Each map holds the same layers: those of the plan, or the district with a contiguous street
network. The benchmark's own time is that of making the HTML; ``extra_info`` has its bytes
(``kB``) and the milliseconds in headless Chromium from navigation until nothing moves or is left
to draw, the fit-bounds animation included (``drawn_ms``: median of three). Aims against the better
of the two others: 5 times smaller and twice as soon at 5,000; 10 times smaller and 5 times as soon
at 50,000.

The others load Leaflet and more from a CDN. Here Leaflet comes from this package instead and the
rest (jQuery, Bootstrap, icons; none of it is used by these maps) is answered with an empty file;
tiles are refused. So their times leave out all network, and their bytes all that it brings.
``explore()`` wants mapclassify to be installed even where nothing is classified; if it isn't, a
stand-in that classifies nothing takes its place.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import types
from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

SIZES = ["plan", 5_000, 50_000]
ROUNDS = 3
HEADS = {"title": "南開區", "source": "OpenStreetMap", "date": "2026"}
KINDS = ("residential", "residential", "tertiary", "residential", "secondary", "primary")

# Settled: loaded, no animation, and nothing drawn in the last three frames.
_SETTLED = """() => new Promise(done => {
  let calm = 0;
  const look = () => {
    const busy = document.readyState !== 'complete' || document.querySelector('.leaflet-zoom-anim')
      || (document.querySelector('.nk') && !document.querySelector('.nk[data-drawn]'));
    calm = busy ? 0 : calm + 1;
    if (calm > 3) done(performance.now()); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def network(pieces: int) -> Any:
    """Return a grid of slightly crooked streets, each block a piece that meets the next exactly.

    Every tenth piece begins a street of another name; a piece has four vertices that no
    simplification to a metre removes.
    """
    import geopandas
    import numpy as np
    import shapely

    side = next(n for n in range(2, 10_000) if 2 * n * (n - 1) >= pieces)
    drift, step = random.Random(7), 0.1 / side
    corners = [
        [
            (117.1 + x * step + drift.uniform(-0.1, 0.1) * step, 39.05 + y * step)
            for x in range(side)
        ]
        for y in range(side)
    ]
    lines, rows = [], []
    for across in (True, False):
        for line in range(side):
            for block in range(side - 1):
                start, end = (
                    corners[line][block + n] if across else corners[block + n][line] for n in (0, 1)
                )
                inner = np.linspace(start, end, 4)[1:3]
                inner += [[drift.gauss(0, 3e-5), drift.gauss(0, 3e-5)] for _ in inner]
                lines.append(shapely.LineString([start, *inner, end]))
                name = f"{'東西' if across else '南北'}第{line}路第{block // 10}段"
                rows.append((name, KINDS[line % 6]))
    lines, rows = lines[:pieces], rows[:pieces]
    columns = {
        "id": [f"way/{n}" for n in range(pieces)],
        "name": [name for name, _ in rows],
        "kind": [kind for _, kind in rows],
        "status": "osm",
        "accuracy_m": 10.0,
        "length_m": 86.5,
        "source": "OpenStreetMap 道路(雙幅路取兩幅之中線)",
        "date": "2026",
    }
    return geopandas.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


@pytest.fixture(scope="module")
def layers() -> Callable[[Any], dict[str, Any]]:
    from nankai_gis import study
    from nankai_gis.plan.layers import LAYERS

    made: dict[Any, dict[str, Any]] = {}

    def give(size: Any) -> dict[str, Any]:
        if size not in made:
            if size == "plan":
                made[size] = {name: study().frame(name) for name in LAYERS}
            else:
                made[size] = {"district": study().frame("district"), "streets": network(size)}
        return made[size]

    return give


def this(frames: dict[str, Any]) -> str:
    from nankai_gis.present import webmap

    return webmap.html(webmap.draw(frames, **HEADS))


def _bare(frame: Any) -> Any:
    """Return a frame as the others can take it: located rows, plain columns."""
    import pandas as pd

    frame = frame[frame.geometry.notna()]
    plain = [c for c in frame if c == "geometry" or pd.api.types.infer_dtype(frame[c]) != "mixed"]
    return frame[[c for c in plain if c not in ("parts", "aliases", "claims", "end_accuracy_m")]]


def explore(frames: dict[str, Any]) -> str:
    if "mapclassify" not in sys.modules and find_spec("mapclassify") is None:
        stand_in = types.ModuleType("mapclassify")
        vars(stand_in)["classify"] = None
        sys.modules["mapclassify"] = stand_in
    drawn = None
    for frame in frames.values():
        drawn = _bare(frame).explore(m=drawn)
    return str(drawn.get_root().render())


def geojson(frames: dict[str, Any]) -> str:
    import folium

    drawn = folium.Map()
    for frame in frames.values():
        folium.GeoJson(_bare(frame)).add_to(drawn)
    west, south, east, north = frames["district"].total_bounds
    drawn.fit_bounds([[south, west], [north, east]])
    return str(drawn.get_root().render())


@pytest.fixture(scope="module")
def drawing_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], float]]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("timed in chromium, which is not on the path (Debian: package chromium)")
    file: Path = tmp_path_factory.mktemp("maps") / "map.html"
    assets = files("nankai_gis.present.webmap") / "assets"

    def answer(route: Any) -> None:
        url = route.request.url
        if url == file.as_uri():
            route.continue_()
        elif url.endswith(("/leaflet.js", "/leaflet.css")):
            kind = "text/css" if url.endswith("css") else "text/javascript"
            content = (assets / url.rsplit("/", 1)[1]).read_bytes()
            route.fulfill(body=content, content_type=kind)
        elif url.endswith((".js", ".css")):
            route.fulfill(
                body="", content_type="text/css" if url.endswith("css") else "text/javascript"
            )
        else:
            route.abort()

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )

        def measure(text: str) -> float:
            file.write_text(text, encoding="utf-8")
            taken = []
            for _ in range(ROUNDS):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(180_000)
                errors: list[str] = []
                page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
                page.route("**/*", answer)
                page.goto(file.as_uri(), wait_until="commit")
                taken.append(page.evaluate(_SETTLED))
                assert errors == []
                page.close()
            return statistics.median(taken)

        yield measure
        browser.close()


@pytest.mark.parametrize("make", [this, explore, geojson], ids=lambda make: make.__name__)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_map(
    size: Any,
    make: Callable[[dict[str, Any]], str],
    layers: Callable[[Any], dict[str, Any]],
    drawing_time: Callable[[str], float],
    benchmark: BenchmarkFixture,
) -> None:
    if size == 50_000 and not os.environ.get("NANKAI_GIS_LARGE"):
        pytest.skip("50,000 pieces take minutes; set NANKAI_GIS_LARGE=1 to draw them")
    frames = layers(size)
    text = benchmark.pedantic(make, args=(frames,), rounds=1 if size == 50_000 else ROUNDS)
    benchmark.extra_info["kB"] = round(len(text.encode()) / 1000)
    benchmark.extra_info["drawn_ms"] = round(drawing_time(text))
    if make is this:
        assert len(text.encode()) < {"plan": 400_000, 5_000: 700_000, 50_000: 4_000_000}[size]
