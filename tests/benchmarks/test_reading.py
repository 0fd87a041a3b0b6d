"""How long reading takes, beside others on the same file in the same run.

    python -m pytest tests/benchmarks/test_reading.py --benchmark-only

``NANKAI_GIS_LARGE=1`` adds the network of 200 thousand ways (osmnx needs a minute or more for it).

Two yardsticks stand in ``extra_info`` of each: the *bare decode*, in which pyosmium hands every
road with its located nodes to a Python loop that does nothing, and *libosmium alone*, which
locates the nodes and hands over nothing. Reading does more: tags, names, lines, a frame.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import make_network as make
import pytest

from nankai_gis.network import roads

SIZES = [5_000, 200_000] if os.environ.get("NANKAI_GIS_LARGE") == "1" else [5_000]
CONFIG = """\
attribute_name_laundering=no
[points]
[lines]
osm_id=yes
attributes=name,highway,railway,waterway,oneway,junction,ref,bridge,tunnel,layer,area,name:zh,\
name:zh-Hans,name:zh-Hant,alt_name,old_name,official_name,short_name,name:en
[multipolygons]
[multilinestrings]
[other_relations]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Callable[[int, str], Path]:
    folder = tmp_path_factory.mktemp("networks")

    @cache
    def file(ways: int, ending: str) -> Path:
        # The network itself is let go: millions of live objects would slow every collection.
        return make.write(make.city(ways), folder / f"{ways}.{ending}")

    return file


def bare_decode(path: Path) -> int:
    import osmium

    ways = (
        osmium.FileProcessor(str(path))
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway", "railway", "waterway"))
    )
    return sum(1 for _ in ways)


def libosmium_alone(path: Path) -> int:
    import osmium

    nothing = osmium.filter.EntityFilter(osmium.osm.NOTHING)
    return sum(1 for _ in osmium.FileProcessor(str(path)).with_locations().with_filter(nothing))


def pyosmium_handler(path: Path) -> int:
    import geopandas as gpd
    import osmium
    import shapely

    factory = osmium.geom.WKBFactory()
    keys = ("name", "highway", "railway", "waterway", "oneway", "ref", "bridge", "tunnel", "layer")
    rows = []

    class Handler(osmium.SimpleHandler):
        def way(self, way):
            tags = way.tags
            rows.append((way.id, factory.create_linestring(way), *(tags.get(key) for key in keys)))

    Handler().apply_file(
        str(path),
        locations=True,
        filters=[osmium.filter.KeyFilter("highway", "railway", "waterway")],
    )
    lines = shapely.from_wkb([row[1] for row in rows])
    table = {key: [row[at] for row in rows] for at, key in enumerate(keys, 2)}
    return len(gpd.GeoDataFrame(table, geometry=lines, crs=4326))


def gdal(path: Path, *, arrow: bool) -> int:
    import pyogrio

    config = path.with_name("osmconf.ini")
    config.write_text(CONFIG, encoding="utf-8")
    pyogrio.set_gdal_config_options({"OSM_CONFIG_FILE": str(config)})
    try:
        return len(pyogrio.read_dataframe(path, layer="lines", use_arrow=arrow))
    finally:
        pyogrio.set_gdal_config_options({"OSM_CONFIG_FILE": None})


def osmnx_features(path: Path) -> int:
    import osmnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags = {"highway": True, "railway": True, "waterway": True}
        return len(osmnx.features_from_xml(path, tags=tags))


def read(path: Path) -> int:
    return roads.read(path).origin.ways


@cache
def best(task: Callable[[Path], int], path: Path, rounds: int = 5) -> float:
    """Return the least of several times in seconds, after one round to warm up."""
    times = []
    for _ in range(rounds + (rounds > 1)):
        start = time.perf_counter()
        task(path)
        times.append(time.perf_counter() - start)
    return min(times)


def _measure(benchmark, task: Callable[[Path], int], path: Path, ways: int, rounds: int) -> None:
    count = benchmark.pedantic(
        task, args=(path,), rounds=rounds, warmup_rounds=int(rounds > 1), iterations=1
    )
    assert count == ways
    if benchmark.stats is None:  # run as a plain test
        return
    took = benchmark.stats.stats.min
    for yardstick in (bare_decode, libosmium_alone):
        benchmark.extra_info[f"times_{yardstick.__name__}"] = round(took / best(yardstick, path), 2)


def _gdal_arrow(path: Path) -> int:
    return gdal(path, arrow=True)


def _gdal_plain(path: Path) -> int:
    return gdal(path, arrow=False)


@pytest.mark.parametrize("ways", SIZES)
@pytest.mark.parametrize(
    "task",
    [read, bare_decode, libosmium_alone, pyosmium_handler, _gdal_plain, _gdal_arrow],
    ids=lambda task: task.__name__.strip("_"),
)
def test_pbf(benchmark, files, task, ways):
    if task is _gdal_arrow:
        pytest.importorskip("pyarrow", reason="GDAL hands over Arrow only with pyarrow")
    benchmark.group = f"{ways} ways, .osm.pbf"
    path = files(ways, "osm.pbf")
    wanted = 0 if task is libosmium_alone else ways
    if task in (_gdal_plain, _gdal_arrow):
        wanted = gdal(path, arrow=False)  # its layer of lines also holds boundaries
    _measure(benchmark, task, path, wanted, rounds=7)


@pytest.mark.parametrize("ways", SIZES)
@pytest.mark.parametrize(
    "task", [read, bare_decode, osmnx_features], ids=lambda task: task.__name__
)
def test_xml(benchmark, files, task, ways):
    benchmark.group = f"{ways} ways, .osm"
    path = files(ways, "osm")
    once = task is osmnx_features
    wanted = osmnx_features(path) if once and ways < 10_000 else ways
    if once and ways >= 10_000:
        benchmark.pedantic(task, args=(path,), rounds=1, iterations=1)
    else:
        _measure(benchmark, task, path, wanted, rounds=3 if once else 5)
    if once and benchmark.stats is not None:
        took = benchmark.stats.stats.min
        benchmark.extra_info["times_roads_read"] = round(took / best(read, path), 1)


@pytest.mark.parametrize("ways", SIZES)
@pytest.mark.parametrize("ending", ["osm.gz", "osm.bz2", "json"])
def test_other_formats(benchmark, files, ending, ways):
    benchmark.group = f"{ways} ways, other formats"
    path = files(ways, ending)
    benchmark.pedantic(read, args=(path,), rounds=3, warmup_rounds=1, iterations=1)


@pytest.mark.parametrize("ways", SIZES)
@pytest.mark.parametrize("task", ["save", "load"])
def test_snapshot(benchmark, files, tmp_path, task, ways):
    benchmark.group = f"{ways} ways, snapshot"
    network = roads.read(files(ways, "osm.pbf"))
    path = tmp_path / "a.gpkg"
    if task == "save":
        benchmark.pedantic(network.save, args=(path,), kwargs={"overwrite": True}, rounds=3)
    else:
        network.save(path)
        benchmark.pedantic(roads.load, args=(path,), rounds=3)
