"""Speed of coverage beside geopandas.overlay, in one run.

    python -m pytest tests/benchmarks/test_coverage.py --benchmark-enable --benchmark-only

``NANKAI_GIS_LARGE=1`` takes 200 thousand pieces instead of 5 thousand, and 2 million for the
growth of what is measured here. The peers grow from 20 to 200 thousand pieces then; with
``NANKAI_GIS_PEERS=1`` they do from 200 thousand to 2 million, in a single round, for which they
need minutes.

All run interleaved on the same generated city; CPU medians and their ratios stand in
``extra_info``. The peers are two `geopandas.overlay` calls one after the other, and the better
order, areas with subdistricts first and streets by the result; both end in a groupby and measure
lengths in degrees, which costs them nothing. The floor is `shapely.length` and a sum by name and
class. What is measured here does more: lengths on the ellipsoid, borders, crossings, all tables.

Growth is the x of pieces ** x. Memory is the highest resident set of a process of its own, above
what it holds with the layers in it (Linux only), beside the bytes of these layers as plain arrays:
coordinates, offsets and columns.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from nankai_gis.measure import coverage

ROOT = Path(__file__).resolve().parents[2]
LARGE = os.environ.get("NANKAI_GIS_LARGE") == "1"
SIZE = 200_000 if LARGE else 5_000
GROWTH = [20_000, 200_000, 2_000_000] if LARGE else [1_250, 5_000, 20_000]
ROUNDS = 3
#: From how many pieces to how many the peers are followed, and in how many rounds.
PEERS = os.environ.get("NANKAI_GIS_PEERS") == "1"
SPAN = (200_000, 2_000_000) if PEERS else (20_000, 200_000) if LARGE else (1_250, 5_000)
SPAN_ROUNDS = 1 if PEERS else ROUNDS


def _make() -> Any:
    spec = importlib.util.spec_from_file_location("make_city", ROOT / "scripts/make_city.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("make_city", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


@cache
def city(pieces: int, mode: str) -> Any:
    return _make().make(pieces, mode)


def areas(made: Any, mode: str) -> gpd.GeoDataFrame:
    """The zones and the reaches of the corridors, as the peers get them: ready made."""
    if mode == "tiled":
        return made.zones[["id", "geometry"]]
    reach = made.corridors.to_crs(4548).buffer(200).to_crs(4326)
    more = gpd.GeoDataFrame({"id": made.corridors["id"]}, geometry=reach.values, crs=4326)
    return pd.concat([made.zones[["id", "geometry"]], more], ignore_index=True)


def ours(made: Any, mode: str) -> coverage.Coverage:
    more = {"corridors": made.corridors, "reach_m": 200} if mode == "fixed" else {}
    return coverage.measure(made.zones, made.streets, made.subdistricts, **more)


def _sums(cut: gpd.GeoDataFrame) -> pd.Series:
    length = pd.Series(shapely.length(cut.geometry.values), index=cut.index)
    keys = [cut["id_zone"], cut["id_sub"], cut["name"], cut["highway"]]
    return length.groupby(keys, dropna=False).sum()


def chained(made: Any, zones: gpd.GeoDataFrame) -> pd.Series:
    one = gpd.overlay(made.streets, zones.rename(columns={"id": "id_zone"}), how="intersection")
    subs = made.subdistricts[["id", "geometry"]].rename(columns={"id": "id_sub"})
    return _sums(gpd.overlay(one, subs, how="intersection"))


def areas_first(made: Any, zones: gpd.GeoDataFrame) -> pd.Series:
    subs = made.subdistricts[["id", "geometry"]].rename(columns={"id": "id_sub"})
    parts = gpd.overlay(zones.rename(columns={"id": "id_zone"}), subs, how="intersection")
    return _sums(gpd.overlay(made.streets, parts, how="intersection"))


def floor(made: Any) -> pd.Series:
    length = pd.Series(shapely.length(made.streets.geometry.values))
    return length.groupby([made.streets["name"], made.streets["highway"]], dropna=False).sum()


def calls(pieces: int, mode: str) -> dict[str, Callable[[], object]]:
    made = city(pieces, mode)
    zones = areas(made, mode)
    return {
        "ours": lambda: ours(made, mode),
        "chained": lambda: chained(made, zones),
        "areas_first": lambda: areas_first(made, zones),
        "floor": lambda: floor(made),
    }


def interleaved(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """CPU medians of calls that take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    with warnings.catch_warnings():
        # geopandas warns of the points at which a street touches an area.
        warnings.simplefilter("ignore")
        for _ in range(rounds):
            for name, call in calls.items():
                start = time.process_time()
                call()
                times[name].append(time.process_time() - start)
    return {name: statistics.median(each) for name, each in times.items()}


@pytest.mark.parametrize("mode", ["fixed", "tiled"])
def test_coverage_beside_overlay(benchmark, mode):
    made = city(SIZE, mode)
    found = interleaved(calls(SIZE, mode), ROUNDS)
    benchmark.pedantic(lambda: ours(made, mode), rounds=3)
    benchmark.extra_info.update(
        pieces=len(made.streets),
        cpu_s={name: round(value, 4) for name, value in found.items()},
        times_chained=round(found["chained"] / found["ours"], 1),
        times_areas_first=round(found["areas_first"] / found["ours"], 1),
        floors=round(found["ours"] / found["floor"], 1),
    )


@pytest.mark.parametrize("pieces", GROWTH)
@pytest.mark.parametrize("mode", ["fixed", "tiled"])
def test_growth(benchmark, mode, pieces):
    made = city(pieces, mode)
    result = benchmark.pedantic(lambda: ours(made, mode), rounds=2, warmup_rounds=1)
    benchmark.extra_info["pieces"] = len(made.streets)
    assert result.reconciliation.relative[result.reconciliation.limit.notna()].max() <= 1e-9


# ------------------------------------------------------------------ growth and memory of all


def array_bytes(made: Any) -> int:
    """Bytes of the layers as plain arrays."""
    total = 0
    for layer in (made.streets, made.zones, made.corridors, made.subdistricts):
        _, coordinates, offsets = shapely.to_ragged_array(layer.geometry.values)
        total += coordinates.nbytes + sum(offset.nbytes for offset in offsets)
        total += int(layer.drop(columns="geometry").memory_usage(index=False).sum())
    return total


def _resident(line: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(row for row in status.splitlines() if row.startswith(line)).split()[1]) * 1024


def peak(name: str, pieces: int, mode: str) -> dict[str, int]:
    """The highest resident set of one call above what was there before it, bytes."""
    # The first call loads libraries and fills caches that have no part in the input.
    small, large = calls(1_000, mode)[name], calls(pieces, mode)[name]
    interleaved({name: small}, 1)
    gc.collect()
    # What the making of the city has freed would else be used again, unseen.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _resident("VmRSS")
    interleaved({name: large}, 1)
    above = _resident("VmHWM") - before
    return {"peak": above, "input": array_bytes(city(pieces, mode))}


def peak_apart(name: str, pieces: int, mode: str) -> dict[str, int]:
    """`peak` in a process of its own."""
    command = [sys.executable, __file__, name, str(pieces), mode]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("mode", ["fixed", "tiled"])
def test_growth_beside_overlay(benchmark, mode):
    both = [calls(pieces, mode) for pieces in SPAN]
    took = interleaved(
        {f"{name} {k}": call for k, each in enumerate(both) for name, call in each.items()},
        SPAN_ROUNDS,
    )
    cpu = {name: (took[f"{name} 0"], took[f"{name} 1"]) for name in both[0]}
    sizes = [len(city(pieces, mode).streets) for pieces in SPAN]
    step = math.log(sizes[1] / sizes[0])
    benchmark.pedantic(both[1]["ours"], rounds=1)
    benchmark.extra_info.update(
        pieces=sizes,
        cpu_s={name: [round(s, 4) for s in each] for name, each in cpu.items()},
        exponent={n: round(math.log(two / one) / step, 2) for n, (one, two) in cpu.items()},
        times_chained=round(cpu["chained"][1] / cpu["ours"][1], 1),
        times_areas_first=round(cpu["areas_first"][1] / cpu["ours"][1], 1),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it, in /proc")
@pytest.mark.parametrize("mode", ["fixed", "tiled"])
def test_memory_beside_overlay(benchmark, mode):
    names = ("ours", "chained", "areas_first", "floor")
    found = benchmark.pedantic(
        lambda: {name: peak_apart(name, SPAN[1], mode) for name in names}, rounds=1
    )
    size = found["ours"]["input"]
    benchmark.extra_info.update(
        pieces=len(city(SPAN[1], mode).streets),
        input_mb=round(size / 1e6, 2),
        peak_mb={name: round(each["peak"] / 1e6, 1) for name, each in found.items()},
        times_input={name: round(each["peak"] / size, 1) for name, each in found.items()},
    )


if __name__ == "__main__":
    json.dump(peak(sys.argv[1], int(sys.argv[2]), sys.argv[3]), sys.stdout)
