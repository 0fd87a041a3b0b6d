"""Speed of coverage beside geopandas.overlay, in one run.

    python -m pytest tests/benchmarks/test_coverage.py --benchmark-enable --benchmark-only

``NANKAI_GIS_LARGE=1`` takes 200 thousand pieces instead of 5 thousand, and 2 million for the
growth (the peers need minutes for it and are left out there).

All run interleaved on the same generated city; CPU medians and their ratios stand in
``extra_info``. The peers are two `geopandas.overlay` calls one after the other, and the better
order, areas with subdistricts first and streets by the result; both end in a groupby and measure
lengths in degrees, which costs them nothing. The floor is `shapely.length` and a sum by name and
class. What is measured here does more: lengths on the ellipsoid, borders, crossings, all tables.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
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

from nankai_gis import coverage

ROOT = Path(__file__).resolve().parents[2]
LARGE = os.environ.get("NANKAI_GIS_LARGE") == "1"
SIZE = 200_000 if LARGE else 5_000
GROWTH = [20_000, 200_000, 2_000_000] if LARGE else [1_250, 5_000, 20_000]
ROUNDS = 3


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
    zones = areas(made, mode)
    found = interleaved(
        {
            "ours": lambda: ours(made, mode),
            "chained": lambda: chained(made, zones),
            "areas_first": lambda: areas_first(made, zones),
            "floor": lambda: floor(made),
        },
        ROUNDS,
    )
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
