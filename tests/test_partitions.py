"""A network in partitions, measured on Dask, has the tables of the same network in memory."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import dask_geopandas
import geopandas as gpd
import make_city
import numpy as np
import pandas as pd
import psutil
import pytest
import shapely
from click.testing import CliRunner
from distributed import KilledWorker, LocalCluster
from distributed.client import FutureCancelledError
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, box

from nankai_gis.cli import main
from nankai_gis.errors import CRSError, DataError, MissingExtraError, SchedulerError
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure import coverage
from nankai_gis.measure.coverage import partitions, sums

ROOT = Path(__file__).resolve().parent.parent
TABLES = (
    "zones", "areas", "subdistricts", "corridors", "streets", "classes", "lengths",
    "reconciliation", "dropped",
)  # fmt: skip


CITY = make_city.make(2500, "fixed", 5)


def network(seed: int, *, ids: bool = False) -> gpd.GeoDataFrame:
    """The city's streets, shuffled, with everything that can be wrong with a row."""
    random = Random(seed)
    frame = CITY.streets.assign(railway=None)
    shapes = frame.geometry.tolist()
    halves = [
        [LineString(s.coords[:2]), LineString(s.coords[1:])] for s in (shapes[7], shapes[1500])
    ]
    odd = frame.iloc[[3, 900, 1200, 1800, 2000, 2300]].copy()
    odd["way"] = range(10_000, 10_006)
    odd.geometry = [
        None, LineString(), Point(117.17, 39.12), LineString([(117.17, 39.12)] * 2),
        MultiLineString(halves[0]), MultiLineString(halves[1]),
    ]  # fmt: skip
    rails = frame.iloc[[20, 1600]].assign(highway=None, railway="rail", way=[10_010, 10_011])
    rows = pd.concat([frame, odd, rails, frame.iloc[::40]], ignore_index=True)
    order = list(range(len(rows)))
    random.shuffle(order)
    rows = rows.iloc[order].reset_index(drop=True)
    # Two spellings of a street; which is shown is a matter of which comes first.
    plain = rows["name"].str.replace("華", "华").str.replace("馬", "马")
    swap = pd.Series([random.random() < 0.5 for _ in order])
    rows["name"] = rows["name"].where(~swap, plain)
    if ids:
        rows["id"] = [f"w{way}" for way in rows["way"]]
    return rows


def parts(frame: gpd.GeoDataFrame, count: int) -> list[gpd.GeoDataFrame]:
    pieces = [frame.iloc[rows] for rows in np.array_split(np.arange(len(frame)), count)]
    # One without rows in the middle.
    return [*pieces[:2], frame.iloc[:0], *pieces[2:]]


def written(folder: Path, frames: list[gpd.GeoDataFrame], **more: Any) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames):
        frame.to_parquet(folder / f"part.{number}.parquet", **more)
    return folder


def same(one: coverage.Coverage, two: coverage.Coverage) -> None:
    tables = {name: (getattr(one, name), getattr(two, name)) for name in TABLES}
    tables["by"] = (one.table("subdistrict", "street"), two.table("subdistrict", "street"))
    tables |= {name: (one.layers[name], two.layers[name]) for name in one.layers}
    for name, (left, right) in tables.items():
        pd.testing.assert_frame_equal(left, right, rtol=1e-9, atol=1e-9, obj=name)


AREAS: dict[str, Any] = {
    "district": CITY.district,
    "corridors": CITY.corridors,
    "reach_m": 200,
    "centrelines": CITY.streets,
}


@pytest.fixture(scope="module")
def processes() -> Iterator[str]:
    """The address of a scheduler with two worker processes."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def threads() -> Iterator[str]:
    """The address of a scheduler whose one worker has four threads, in this process."""
    with LocalCluster(
        n_workers=1, threads_per_worker=4, processes=False, dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


# ------------------------------------------------------------------ the same tables


@pytest.mark.parametrize("ids", [False, True])
def test_partitions_have_the_tables_of_one_frame(tmp_path, processes, ids):
    streets = network(1, ids=ids)
    folder = written(tmp_path / "city", parts(streets, 11))
    whole = coverage.measure(CITY.zones, streets, CITY.subdistricts, **AREAS)
    apart = partitions.measure(CITY.zones, folder, CITY.subdistricts, scheduler=processes, **AREAS)
    same(whole.with_layer("lines", CITY.streets), apart.with_layer("lines", CITY.streets))
    # What the case is there for does occur.
    assert {row.reason: row.count for row in whole.dropped.itertuples()} == {
        "a railway or river, no street": 2,
        "the same id and line again": len(CITY.streets.iloc[::40]),
        "no geometry (listed, not located)": 1,
        "empty geometry": 1,
        "not a line": 1,
        "several parts in one row": 2,
        "a line without length": 1,
    }
    assert (whole.subdistricts.on == "border").sum() > 5
    assert (whole.zones.boundary_km > 0.5).sum() > 5
    assert whole.streets.crossings.max() > 3
    assert coverage.UNNAMED in set(whole.streets.street)
    assert coverage.UNCLASSED in set(whole.classes["class"])


def test_files_of_dask_geopandas_and_its_own_cluster(tmp_path):
    """A cluster of its own speaks to this machine alone and leaves no process behind."""
    streets = network(2)
    made = dask_geopandas.from_geopandas(streets, npartitions=5, sort=False)
    made.to_parquet(str(tmp_path / "city"))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    seen: list[tuple[int, int]] = []
    met: set[str] = set()
    helpers: list[psutil.Process] = []

    def heard(done: int, whole: int) -> None:
        seen.append((done, whole))
        me = psutil.Process()
        helpers[:] = [p for p in me.children(recursive=True) if p.pid not in before]
        for process in (me, *helpers):
            for link in process.net_connections("inet"):
                met.update(end.ip for end in (link.laddr, link.raddr) if end)

    apart = partitions.measure(
        CITY.zones, tmp_path / "city", CITY.subdistricts, progress=heard, **AREAS
    )
    same(coverage.measure(CITY.zones, streets, CITY.subdistricts, **AREAS), apart)
    assert seen == [(step, 10) for step in range(1, 11)]
    assert met == {"127.0.0.1"}
    _, alive = psutil.wait_procs([p for p in helpers if "tracker" not in _line(p)], timeout=10)
    assert not alive


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_threads_of_one_worker_share_areas(tmp_path, threads):
    streets = network(3)
    folder = written(tmp_path / "city", parts(streets, 16))
    whole = coverage.measure(CITY.zones, streets, CITY.subdistricts, **AREAS)
    for _ in range(2):
        found = partitions.measure(
            CITY.zones, folder, CITY.subdistricts, scheduler=threads, **AREAS
        )
        same(whole, found)


def test_row_groups_of_one_file_are_partitions(tmp_path, threads, monkeypatch):
    streets = network(4)
    folder = written(tmp_path / "city", [streets], row_group_size=300)
    real = dask_geopandas.read_parquet

    def split(*args: Any, **more: Any) -> Any:
        return real(*args, split_row_groups=True, **more)

    monkeypatch.setattr(dask_geopandas, "read_parquet", split)
    seen: list[int] = []
    found = partitions.measure(
        CITY.zones, folder, scheduler=threads, progress=lambda done, whole: seen.append(whole)
    )
    same(coverage.measure(CITY.zones, streets), found)
    assert seen[-1] == 2 * -(-len(streets) // 300)


def test_a_column_without_any_value_in_some_files(tmp_path, threads):
    bare = CITY.streets.assign(name=None, highway=None)[:100]
    bare[["name", "highway"]] = bare[["name", "highway"]].astype(object)
    frames = [bare, CITY.streets[100:500], bare[:50].assign(way=range(50_000, 50_050))]
    folder = written(tmp_path / "city", frames)
    whole = pd.concat(frames, ignore_index=True)
    same(
        coverage.measure(CITY.zones, whole),
        partitions.measure(CITY.zones, folder, scheduler=threads),
    )


def test_ids_that_are_numbers_in_one_file_and_gaps_in_another(tmp_path, threads):
    """What pandas turns into a float is the same way still."""
    gaps = pd.concat([CITY.streets[:3].assign(way=[1, np.nan, 3]), CITY.streets[10:12]])
    folder = written(tmp_path / "city", [CITY.streets[:5], gaps])
    found = partitions.measure(CITY.zones, folder, scheduler=threads)
    whole = coverage.measure(CITY.zones, pd.concat([CITY.streets[:5], gaps], ignore_index=True))
    assert found.dropped["count"].tolist() == [2]
    same(whole, found)


def test_ids_that_are_texts_in_one_file(tmp_path, threads):
    streets = CITY.streets[:10]
    folder = written(tmp_path / "city", [streets, streets[5:7].astype({"way": str})])
    apart = partitions.measure(CITY.zones, folder, scheduler=threads)
    assert apart.dropped["count"].tolist() == [2]
    pd.testing.assert_frame_equal(apart.zones, coverage.measure(CITY.zones, streets).zones)


def test_other_columns_and_names_of_columns(tmp_path, threads):
    streets = CITY.streets.rename(columns={"name": "label", "highway": "rank"})
    streets = streets.rename_geometry("shape").drop(columns="way").assign(more=1)
    folder = written(tmp_path / "city", parts(streets, 3))
    columns = {"street_name": "label", "street_class": "rank"}
    same(
        coverage.measure(CITY.zones, streets, by=["street", "class"], **columns),
        partitions.measure(
            CITY.zones, folder, by=["street", "class"], scheduler=threads, **columns
        ),
    )


def test_pieces_are_not_kept(tmp_path, threads):
    folder = written(tmp_path / "city", [CITY.streets[:40]])
    found = partitions.measure(CITY.zones, folder, scheduler=threads)
    with pytest.raises(DataError, match=r"weren't kept.*coverage\.measure"):
        _ = found.pieces


# ------------------------------------------------------------------ sums


def summed(frame: gpd.GeoDataFrame) -> sums.StreetSums:
    areas = np.concatenate((CITY.zones.geometry.values, CITY.subdistricts.geometry.values))
    made, _ = sums.street_sums(
        frame, np.array(areas, dtype=object), street_name="name", street_class=None,
        boundary_m=15.0, again=None,
    )  # fmt: skip
    return made


def by_name(made: sums.StreetSums) -> pd.DataFrame:
    """Lengths by what states, streets and classes stand for, whatever their numbers."""
    keys = {
        "state": [tuple(sorted(key)) for key in sums._states(made)],
        "street": [*made.streets, ""],
        "class": [*made.classes, ""],
    }
    named = {name: [texts[k] for k in made.groups[name]] for name, texts in keys.items()}
    table = pd.DataFrame(named).assign(length_m=made.groups["length_m"].to_numpy())
    return table.sort_values([*keys], ignore_index=True)


def alike(one: sums.StreetSums, two: sums.StreetSums) -> None:
    for name in ("rows", "lines", "notes"):
        assert getattr(one, name) == getattr(two, name)
    for name in ("streets", "classes"):
        assert list(getattr(one, name).items()) == list(getattr(two, name).items())
    pd.testing.assert_frame_equal(by_name(one), by_name(two), rtol=1e-12)
    for name in ("run", "total_m"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-12)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 400), max_size=4))
def test_sums_of_parts_make_those_of_the_whole(seed, cuts):
    frame = network(seed)[:400]
    edges = [0, *sorted(cuts), 400]
    each = [
        summed(frame.iloc[low:high].reset_index(drop=True))
        for low, high in itertools.pairwise(edges)
    ]
    alike(sums.joined(each), summed(frame))


def test_the_first_spelling_is_shown_and_ids_count_on():
    shapes = [LineString([(117.17, 39.12), (117.18, 39.12)]), None]
    one = gpd.GeoDataFrame({"name": ["衛津路", None]}, geometry=shapes, crs=4326)
    two = one.assign(name=["卫津路", "中环"])
    joined = sums.joined([summed(one), summed(two)])
    assert list(joined.streets.values()) == ["衛津路", "中环"]
    assert [note.which for note in joined.notes] == [(1, 3)]
    named = summed(two.assign(id=["a", "b"]))
    assert sums.joined([summed(one), named]).notes[0].which == (1, "b")


def test_more_rows_than_a_ledger_names_are_counted():
    shapes = [None] * 15
    frame = gpd.GeoDataFrame({"name": ["a"] * 15}, geometry=shapes, crs=4326)
    (note,) = sums.joined([summed(frame), summed(frame)]).notes
    assert note.count == 30
    assert note.which == tuple(range(20))


# ------------------------------------------------------------------ what can be wrong


def city(tmp_path: Path, *frames: gpd.GeoDataFrame) -> Path:
    return written(tmp_path / "city", [CITY.streets[:40], *frames])


def refused(error: type[Exception], match: str, folder: Path, **more: Any) -> None:
    with pytest.raises(error, match=match):
        partitions.measure(CITY.zones, folder, **more)


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the footers tell is told before any work begins."""

    def never(*args: object, **more: object) -> None:
        raise AssertionError("a cluster was started")

    monkeypatch.setattr("distributed.LocalCluster", never)
    monkeypatch.setattr("distributed.Client", never)


@pytest.mark.usefixtures("no_cluster")
class TestBeforeAnyWork:
    def test_no_folder(self, tmp_path):
        refused(DataError, "no folder with", tmp_path / "nowhere")

    def test_a_file(self, tmp_path):
        CITY.streets[:3].to_parquet(tmp_path / "a.parquet")
        refused(DataError, r"no folder with \.parquet files", tmp_path / "a.parquet")

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "_temporary.parquet").write_bytes(b"")
        refused(DataError, r"no folder with \.parquet files", tmp_path)

    def test_no_crs(self, tmp_path):
        bare = CITY.streets[:3].set_crs(None, allow_override=True)
        refused(CRSError, r"part\.1\.parquet: no CRS is stated", city(tmp_path, bare))

    def test_another_crs(self, tmp_path):
        flat = CITY.streets[:3].to_crs(4548)
        refused(CRSError, r"part\.1\.parquet: the CRS is EPSG:4548", city(tmp_path, flat))

    def test_no_name(self, tmp_path):
        nameless = CITY.streets[:3].drop(columns="name")
        refused(
            DataError, r"part\.1\.parquet: no column 'name'; there are: way, highway",
            city(tmp_path, nameless),
        )  # fmt: skip

    def test_no_such_class(self, tmp_path):
        refused(DataError, "no column 'rank'", city(tmp_path), street_class="rank")

    def test_other_columns(self, tmp_path):
        short = CITY.streets[:3].drop(columns="highway")
        refused(DataError, r"have different columns: highway; write", city(tmp_path, short))

    def test_a_table(self, tmp_path):
        folder = city(tmp_path)
        pd.DataFrame(CITY.streets[:3].drop(columns="geometry")).to_parquet(folder / "b.parquet")
        refused(DataError, r"b\.parquet: no GeoParquet file", folder)

    def test_no_parquet_and_cut_off(self, tmp_path):
        folder = city(tmp_path, CITY.streets[40:80])
        file = folder / "part.1.parquet"
        file.write_bytes(file.read_bytes()[:-500])
        refused(DataError, r"part\.1\.parquet: no GeoParquet file, or cut off", folder)
        file.write_bytes(b"")
        refused(DataError, r"part\.1\.parquet: no GeoParquet file, or cut off", folder)


def test_damaged_data_names_the_folder(tmp_path, threads):
    folder = city(tmp_path, CITY.streets[40:80], CITY.streets[80:90])
    file = folder / "part.1.parquet"
    whole = bytearray(file.read_bytes())
    whole[4:200] = b"\xff" * 196
    file.write_bytes(whole)
    refused(DataError, "city: the workers can't read it", folder, scheduler=threads)


def test_coordinates_that_are_no_degrees_name_the_partition(tmp_path, threads):
    flat = CITY.streets[40:80].to_crs(4548).set_crs(4326, allow_override=True)
    folder = city(tmp_path, flat)
    refused(CRSError, "partition 2: .*no longitude and latitude", folder, scheduler=threads)


def test_nothing_usable_in_any_partition(tmp_path, threads):
    folder = written(tmp_path / "city", [CITY.streets[:0], CITY.streets[:0]])
    refused(DataError, r"no usable line in 0 rows", folder, scheduler=threads)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1", "nonsense://here", "http://here:80", ""]
)
def test_a_scheduler_that_does_not_answer(tmp_path, monkeypatch, address):
    monkeypatch.setattr(partitions, "_CONNECT_S", 0.5)
    refused(
        SchedulerError, f"no Dask scheduler with workers answers at '{address}'", city(tmp_path),
        scheduler=address,
    )  # fmt: skip


def test_a_scheduler_without_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(partitions, "_CONNECT_S", 0.5)
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        refused(
            SchedulerError,
            "no Dask scheduler with workers answers at",
            city(tmp_path),
            scheduler=address,
        )


@pytest.mark.parametrize(
    ("raised", "error", "match"),
    [
        (
            KilledWorker("task", SimpleNamespace(address="a"), 4),
            SchedulerError,
            "Dask lost its scheduler or its workers",
        ),
        (FutureCancelledError("task", "lost"), SchedulerError, "Dask lost its"),
        (ModuleNotFoundError("No module named 'x'"), DataError, "can't read it: No module"),
    ],
)
def test_what_fails_on_workers_has_one_message(threads, raised, error, match):
    with pytest.raises(error, match=match), partitions._client("city", threads, 1):
        raise raised


def test_dask_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_geopandas", None)
    refused(MissingExtraError, r"pip install 'nankai-gis\[dask\]'", tmp_path)
    done = CliRunner().invoke(main, ["coverage", "--dask", "--roads", str(tmp_path)])
    assert done.exit_code == 1
    assert "pip install 'nankai-gis[dask]'" in done.stderr
    assert done.stdout == ""


# ------------------------------------------------------------------ what is told on the way


def test_cutting_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(sys.modules["nankai_gis.geometry.cut_lines"], "_CHUNK", 16)
    seen: list[tuple[int, int]] = []
    lines = CITY.streets.geometry.values[:40]
    cut_lines(lines, [box(117, 39, 118, 40)], progress=lambda *now: seen.append(now))
    assert seen == [(16, 40), (32, 40), (40, 40)]


def test_measuring_tells_how_far_it_is():
    seen: list[tuple[int, int]] = []
    coverage.measure(CITY.zones, CITY.streets, progress=lambda *now: seen.append(now))
    assert seen == [(len(CITY.streets),) * 2]
    assert shapely.is_valid(CITY.zones.geometry.values).all()
