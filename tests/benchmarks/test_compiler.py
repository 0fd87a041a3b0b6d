"""Speed of the compiler: the whole plan, and one block as the city about it grows.

    python -m pytest tests/benchmarks/test_compiler.py --benchmark-enable --benchmark-only

The ratios stand in ``extra_info`` of the saved results (``--benchmark-json``).
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache

import pytest
from cities import grid, scramble

from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.errors import GeometryError
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Origin, Roads

DERIVE = (
    "from nankai_gis.compiler.layers import plan_layers; "
    "from nankai_gis.network import digitised; "
    "from nankai_gis.plan import definitions; "
    "made = plan_layers(definitions.packaged(), digitised.packaged()); "
    "assert len(made['zones']) == 3"
)
# Streets each way: some 240, 2,400 and 24,000 pieces.
LANES = {1: 8, 10: 25, 100: 79}


def seconds(program: str) -> float:
    """Wall time of a fresh interpreter."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def test_the_whole_plan_in_a_fresh_process(benchmark):
    """Beside the start of geopandas, turn about in one run."""
    times: dict[str, list[float]] = {"pass": [], "import geopandas": [], DERIVE: []}
    for _ in range(7):
        for program, found in times.items():
            found.append(seconds(program))
    benchmark.pedantic(lambda: seconds(DERIVE), rounds=3)
    bare, geopandas, derive = (min(found) for found in times.values())
    benchmark.extra_info.update(
        bare_s=bare, geopandas_s=geopandas, derive_s=derive, ratio=derive / geopandas
    )


@cache
def city(lanes: int) -> Roads:
    """A chessboard cut at every crossing, every second street divided."""
    frame = scramble(grid(lanes, lanes, spacing=250, width=16).city().frame, 1, split=1.0)
    return Roads(frame, Origin("city", "xml", "2026-01-01", (0, 0, 0, 0), 0, 0, 0))


@cache
def town() -> tuple[Roads, ...]:
    """Cities of the same quarter: its streets are as long in each, the rest grows about them."""
    found = []
    for lanes in LANES.values():
        frame = city(lanes).frame
        near = frame.cx[117.149 : 117.149 + 8 * 250 / 86_000, 39.099 : 39.099 + 8 * 250 / 111_000]
        names = {f"縱{k}路" for k in (2, 5)} | {f"橫{k}道" for k in (2, 5)}
        kept = frame[~frame.name.isin(names) | frame.index.isin(near.index)]
        found.append(Roads(kept.reset_index(drop=True), city(lanes).origin))
    return tuple(found)


@pytest.mark.parametrize("times", LANES)
@pytest.mark.parametrize("what", ["block", "bridged"])
def test_one_block_as_the_city_grows(benchmark, times, what):
    """The search costs the streets about the block; the city costs its index, told apart."""
    roads = town()[[*LANES].index(times)]
    sides = {"west": ["縱2路"], "east": ["縱5路"], "south": ["橫2道"], "north": ["橫5道"]}
    if what == "bridged":
        # The roads of one side don't meet: what joins them is looked for about the quarter.
        sides["north"] = ["橫5道", "橫6道"]
    start = time.perf_counter()
    first = OsmNetwork(roads)
    index_s = time.perf_counter() - start
    start = time.perf_counter()
    ring = _enclose(sides, first)
    cold_s = time.perf_counter() - start

    def ask() -> object:
        first.streets._made.clear()
        first._made.clear()
        return _enclose(sides, first)

    again = benchmark(ask)
    assert again == ring
    benchmark.extra_info.update(
        pieces=len(roads.frame), index_s=index_s, cold_s=cold_s, enclose_s=benchmark.stats.stats.min
    )


def _enclose(sides, network) -> str:
    """The names of the ring's runs, or what the search says instead."""
    try:
        return "、".join(run.name for run in ring_of_sides(sides, network).runs)
    except GeometryError as error:
        return str(error)[:60]
