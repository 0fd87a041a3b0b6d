"""Speed of the street model, and what it costs beside neatnet, in one run.

    python -m pytest tests/benchmarks/test_streets.py --benchmark-enable --benchmark-only

The ratios stand in ``extra_info`` of the saved results (``--benchmark-json``).
neatnet simplifies a network by its face artifacts and knows no names; it is measured on the
same ways as the nearest thing there is.
"""

from __future__ import annotations

import time
import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import grid, scramble

from nankai_gis.network import streets


def network(lanes: int, seed: int = 1) -> gpd.GeoDataFrame:
    """A chessboard cut at every crossing; every second street is a dual carriageway."""
    return scramble(grid(lanes, lanes, spacing=250, width=16).city().frame, seed, split=1.0)


@pytest.fixture(scope="module")
def five_thousand() -> gpd.GeoDataFrame:
    return network(33)


def best(call, rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_collapse_all(benchmark, five_thousand):
    table = benchmark(lambda: streets.build(five_thousand).frame())
    benchmark.extra_info["pieces"] = len(five_thousand)
    assert len(table) == 66
    assert (table.centreline_length_m - 8000).abs().max() < 1


def test_collapse_beside_neatnet(benchmark, five_thousand):
    neatnet = pytest.importorskip("neatnet", reason="neatnet isn't installed: pip install neatnet")
    plain = five_thousand[["geometry"]].to_crs(4548)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        neatnet.neatify(plain)
        theirs = time.perf_counter() - start
    benchmark.pedantic(lambda: streets.build(five_thousand).frame(), rounds=5, warmup_rounds=1)
    ours = benchmark.stats.stats.min
    benchmark.extra_info.update(
        pieces=len(five_thousand), neatnet_s=theirs, streets_s=ours, ratio=theirs / ours
    )


def test_collapse_beside_the_bare_geometry(benchmark, five_thousand):
    """The least any such work costs: read the vertices, merge the lines, measure them."""

    def bare() -> None:
        for _, group in five_thousand.groupby("name"):
            line = shapely.line_merge(shapely.union_all(group.geometry.values))
            shapely.get_coordinates(line)

    least = best(bare)
    benchmark.pedantic(lambda: streets.build(five_thousand).frame(), rounds=5, warmup_rounds=1)
    ours = benchmark.stats.stats.min
    benchmark.extra_info.update(bare_s=least, streets_s=ours, ratio=ours / least)


@pytest.mark.parametrize("lanes", [17, 47, 101])
def test_one_street_as_the_city_grows(benchmark, lanes):
    """Asking for one street costs the street; the city only costs its index."""
    frame = network(lanes)
    # The street asked for is as long in every city.
    window = shapely.box(117.14, 39.09, 117.21, 39.12)
    near = frame[shapely.intersects(np.asarray(frame.geometry.values), window)]
    made = streets.build(frame)
    name = near[near.oneway != 0].name.iloc[0]
    short = frame[(frame.name != name) | frame.index.isin(near.index)]
    index_s = best(lambda: streets.build(short))

    def ask() -> streets.Street:
        made._made.clear()
        return made.find(name)

    made = streets.build(short)
    street = benchmark(ask)
    benchmark.extra_info.update(
        pieces=len(short), index_s=index_s, street_m=round(street.centreline_length_m)
    )
