"""Coverage as a user asks for it: on the packaged plan, on a network, on layers of their own."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from nankai_gis import layers, measure

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., subprocess.CompletedProcess[bytes]]


def rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, str]]:
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("utf-8-sig").split("\r\n\r\n")[0]
    return list(csv.DictReader(text.splitlines()))


def test_zones_by_subdistrict_add_up_to_the_zones(run: Run) -> None:
    done = run("coverage", "--format", "json")
    tables = json.loads(done.stdout)
    total = {}
    for row in tables["片區 × 街道"]:
        total[row["zone"]] = total.get(row["zone"], 0.0) + row["area_km2"]
    for row in measure.areas([*layers.features("zones"), *layers.features("parcel")]):
        assert total[row.id] == pytest.approx(row.area_m2 / 1e6, rel=1e-7)
    assert all(abs(r["relative"]) <= r["limit"] for r in tables["reconciliation"] if r["limit"])


def test_the_table_says_that_it_adds_up(run: Run) -> None:
    text = run("coverage").stdout.decode()
    assert "項合計與總數相符" in text
    assert "興南街道|廣開街道" in text
    assert "not located" in text


@pytest.mark.parametrize(
    "by", ["zone", "subdistrict", "zone,street", "zone,class", "subdistrict,street"]
)
def test_every_cut_of_the_table(run: Run, by: str) -> None:
    found = rows(run("coverage", "--by", by, "--format", "csv"))
    assert found


def test_a_street_along_the_boundary_counts_once(run: Run) -> None:
    found = rows(run("coverage", "--by", "zone,street", "--format", "csv"))
    (weijin,) = [r for r in found if (r["zone"], r["street"]) == ("qihang-bay", "衛津路")]
    assert float(weijin["inside_km"]) == 0
    assert float(weijin["boundary_km"]) == pytest.approx(2.276, abs=0.001)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Two streets, a zone over half of them, two subdistricts, three facilities."""
    gpd.GeoDataFrame(
        {"name": ["甲路", None], "highway": ["primary", "residential"]},
        geometry=[
            LineString([(117, 39.005), (117.02, 39.005)]),
            LineString([(117.015, 39), (117.015, 39.01)]),
        ],
        crs=4326,
    ).to_file(tmp_path / "streets.geojson")
    gpd.GeoDataFrame(
        {"id": ["z"], "name": ["甲區"]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326
    ).to_file(tmp_path / "zones.geojson")
    gpd.GeoDataFrame(
        {"id": ["a", "b"], "label": ["東街", "西街"]},
        geometry=[box(117.005, 39, 117.02, 39.01), box(117, 39, 117.005, 39.01)],
        crs=4326,
    ).to_file(tmp_path / "subdistricts.geojson")
    gpd.GeoDataFrame(
        {"id": [1, 2, 3]},
        geometry=[Point(117.002, 39.004), Point(117.008, 39.004), Point(117.018, 39.004)],
        crs=4326,
    ).to_file(tmp_path / "schools.geojson")
    return tmp_path


MINE = (
    "coverage",
    "--zones",
    "zones.geojson",
    "--subdistricts",
    "subdistricts.geojson",
    "--name-field",
    "label",
    "--roads",
    "streets.geojson",
)


def test_layers_of_ones_own(run: Run, city: Path) -> None:
    found = rows(run(*MINE, "--by", "zone,street", "--format", "csv"))
    assert [r["street"] for r in found] == ["甲路"]
    assert float(found[0]["share_inside"]) == pytest.approx(0.5)
    areas = rows(run(*MINE, "--format", "csv"))
    assert {r["subdistrict_name"]: round(float(r["share_of_zone"]), 6) for r in areas} == {
        "東街": 0.5,
        "西街": 0.5,
    }


def test_another_layer_is_counted(run: Run, city: Path) -> None:
    tables = json.loads(run(*MINE, "--with", "schools.geojson", "--format", "json").stdout)
    counts = {r["subdistrict_name"]: r["inside"] for r in tables["schools"] if r["zone"] == "z"}
    assert counts == {"東街": 1, "西街": 1}


def test_a_walk_follows_the_streets(run: Run, city: Path) -> None:
    tables = json.loads(
        run(*MINE, "--walk", "schools.geojson", "--minutes", "5", "--format", "json").stdout
    )
    (row,) = tables["步行可達"]
    assert 0 < row["share_of_area"] < 1


def test_the_cut_pieces_as_geojson(run: Run, city: Path) -> None:
    document = json.loads(run(*MINE, "--format", "geojson").stdout)
    assert {f["properties"]["zones"] for f in document["features"]} >= {"z", ""}


def test_a_reach_is_measured_like_a_zone(run: Run) -> None:
    found = rows(
        run("coverage", "--by", "zone", "--reach", "200", "--ends", "flat", "--format", "csv")
    )
    reach = {r["zone"]: float(r["area_km2"]) for r in found if r["kind"] == "reach"}
    # 7.52 km of axis, 400 m wide, a little less where it bends.
    assert reach["smart-service"] == pytest.approx(7.52 * 0.4, rel=0.02)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--by", "zone,zone"], 2, "--by takes some of"),
        (["--by", "road"], 2, "--by takes some of"),
        (["--format", "xlsx"], 2, "needs --output"),
        (["--zones", "nowhere.gpkg"], 1, "there is no such file"),
        (["--reach", "-3"], 2, "is not in the range"),
    ],
)
def test_bad_input_gets_a_message(run: Run, args: list[str], code: int, message: str) -> None:
    done = run("coverage", *args)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_layer_without_a_crs_is_refused(run: Run, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[box(117, 39, 117.1, 39.1)])
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(tmp_path / "bare.shp")
    done = run("coverage", "--zones", "bare.shp")
    assert done.returncode == 1
    assert "no CRS is given" in done.stderr.decode()


def test_which_layer_of_several_is_not_guessed(run: Run, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[box(117.1, 39, 117.2, 39.1)], crs=4326)
    for layer in ("before", "after"):
        frame.to_file(tmp_path / "two.gpkg", layer=layer)
    done = run("coverage", "--zones", "two.gpkg")
    assert done.returncode == 1
    assert done.stderr.decode().startswith("Error: two.gpkg has 2 layers (before, after)")


def test_a_layer_cut_short_is_refused(run: Run, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[box(117.1, 39, 117.2, 39.1)], crs=4326)
    frame.to_file(tmp_path / "cut.geojson")
    whole = (tmp_path / "cut.geojson").read_bytes()
    (tmp_path / "cut.geojson").write_bytes(whole[: len(whole) // 2])
    done = run("coverage", "--zones", "cut.geojson")
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith("Error: cut.geojson")
    assert "Warning" not in said


def test_boundaries_of_an_osm_file_are_subdistricts(run: Run, tmp_path: Path) -> None:
    """Two boundary relations of level 8 that share one way, and one of level 6 that is no part."""
    spots = [(lon, lat) for lon in (117.05, 117.15, 117.25) for lat in (39.0, 39.2)]
    nodes = [
        f'<node id="{n}" lon="{lon}" lat="{lat}" version="1"/>'
        for n, (lon, lat) in enumerate(spots, 1)
    ]
    ways = [
        f'<way id="{way}" version="1">' + "".join(f'<nd ref="{n}"/>' for n in refs) + "</way>"
        for way, refs in ((10, (3, 4)), (11, (4, 2, 1, 3)), (12, (3, 5, 6, 4)))
    ]
    relations = [
        f'<relation id="{number}" version="1">'
        + "".join(f'<member type="way" ref="{way}" role="outer"/>' for way in members)
        + "".join(
            f'<tag k="{key}" v="{value}"/>'
            for key, value in {
                "type": "boundary",
                "boundary": "administrative",
                "admin_level": level,
                "name": name,
            }.items()
        )
        + "</relation>"
        for number, members, level, name in (
            (1, (10, 11), 8, "西街道"),
            (2, (10, 12), 8, "東街道"),
            (3, (11, 12), 6, "全區"),
        )
    ]
    parts = "".join([*nodes, *ways, *relations])
    (tmp_path / "city.osm").write_text(f'<osm version="0.6">{parts}</osm>', encoding="utf-8")
    found = rows(run("coverage", "--subdistricts", "city.osm", "--format", "csv"))
    bay = [r for r in found if r["zone"] == "qihang-bay"]
    assert {r["subdistrict_name"] for r in bay} == {"西街道", "東街道"}
    assert sum(float(r["area_km2"]) for r in bay) == pytest.approx(15.301, abs=0.001)


def test_a_picture_of_it(run: Run, tmp_path: Path) -> None:
    done = run("coverage", "--by", "zone,street", "--plot", "c.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert b"Warning" not in done.stderr
    assert run("coverage", "--plot", "c.png").returncode == 1
    assert run("coverage", "--plot", "c.gif").returncode == 2


# ------------------------------------------------------------------ in partitions, on Dask


@pytest.fixture
def parts(city: Path) -> Path:
    """The two streets, 甲路 in two files: it goes on where the zone ends."""
    streets = gpd.GeoDataFrame(
        {"name": ["甲路", "甲路", None], "highway": ["primary", "primary", "residential"]},
        geometry=[
            LineString([(117, 39.005), (117.01, 39.005)]),
            LineString([(117.01, 39.005), (117.02, 39.005)]),
            LineString([(117.015, 39), (117.015, 39.01)]),
        ],
        crs=4326,
    )
    (city / "parts").mkdir()
    for number, part in enumerate((streets[:1], streets[1:])):
        part.to_parquet(city / f"parts/part.{number}.parquet")
    return city


DASK = (*MINE[:-1], "parts", "--dask")


def test_a_network_in_partitions(run: Run, parts: Path) -> None:
    done = run(*DASK, "--by", "zone,street", "--with", "schools.geojson", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    tables = json.loads(done.stdout)
    (street,) = tables["片區 × 道路"]
    assert street["street"] == "甲路"
    assert street["inside_km"] == pytest.approx(0.8662, abs=1e-4)
    assert street["share_inside"] == pytest.approx(0.5)
    assert street["crossings"] == 1
    assert sum(r["inside"] for r in tables["schools"] if r["zone"] == "z") == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([*MINE[:-2], "--dask"], "--dask needs --roads FOLDER"),
        ([*DASK, "--walk", "schools.geojson"], "--walk needs all streets in memory"),
        ([*DASK, "--plot", "c.png"], "--plot needs all streets in memory"),
        ([*DASK, "--format", "geojson"], "--format geojson needs all streets in memory"),
        ([*MINE[:-1], "parts"], "is a folder; a network in GeoParquet files is measured with"),
    ],
)
def test_what_partitions_are_not_for(run: Run, parts: Path, args: list[str], message: str) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().split())
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: [file.unlink() for file in folder.iterdir()], "no .parquet file in it"),
        (lambda folder: (folder / "part.1.parquet").write_bytes(b"PAR1"), "no Parquet file, or"),
        (lambda folder: _overwritten(folder / "part.1.parquet"), "the workers can't read it"),
    ],
    ids=["empty", "cut off", "damaged"],
)
def test_partitions_that_cannot_be_read(
    run: Run, parts: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(parts / "parts")
    done = run(*DASK)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith("Error: parts")
    assert message in said
    assert said.count("\n") == 1
    assert done.stdout == b""


def _overwritten(file: Path) -> None:
    """Leave the footer as it is."""
    whole = bytearray(file.read_bytes())
    whole[4:100] = b"\xff" * 96
    file.write_bytes(whole)


def test_a_scheduler_that_is_not_there(run: Run, parts: Path) -> None:
    done = run(*DASK, "nonsense://here")
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith("Error: no Dask scheduler answers at 'nonsense://here'")
    assert "Traceback" not in said


# ------------------------------------------------------------------ a bar on a terminal


def on_a_terminal(folder: Path, program: str, *args: str) -> tuple[str, bytes]:
    """What a program says on stderr where that is a terminal, and its stdout."""
    ours, theirs = pty.openpty()
    said: list[bytes] = []

    def listen() -> None:
        # The other side closed is an error on Linux.
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            try:
                while piece := terminal.read(4096):
                    said.append(piece)
            except OSError:
                return

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *args],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    finally:
        os.close(theirs)
        listener.join()
    assert done.returncode == 0, b"".join(said)
    return b"".join(said).decode(), done.stdout


PROGRAM = """
from nankai_gis.overlay import lines
from nankai_gis.cli import main
if __name__ == "__main__":
    lines._CHUNK = {chunk}
    main()
"""


def test_a_bar_shows_how_much_is_cut(parts: Path) -> None:
    """Where there is more than one step to show, and never on stdout."""
    said, out = on_a_terminal(parts, PROGRAM.format(chunk=1), *MINE)
    assert "coverage" in said
    assert "100%" in said
    assert "%" not in out.decode()
    said, same = on_a_terminal(parts, PROGRAM.format(chunk=1 << 15), *MINE)
    assert said == ""
    assert same == out


def test_a_bar_shows_how_many_partitions_are_done(parts: Path) -> None:
    said, _ = on_a_terminal(parts, PROGRAM.format(chunk=1), *DASK)
    assert "50%" in said
    assert "100%" in said


def test_points_in_the_place_of_zones_are_told_so(run: Run, tmp_path: Path) -> None:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([117.15], [39.1]), crs=4326)
    points.to_file(tmp_path / "poi.geojson")
    done = run("coverage", "--zones", "poi.geojson")
    assert done.returncode == 1
    assert b"no usable polygon among 1 row(s) (1: not a polygon)" in done.stderr


def test_it_says_what_a_length_and_a_reach_are(run: Run) -> None:
    plain = run("coverage", "--by", "zone,street").stdout.decode()
    assert "兩幅之和" not in plain
    assert "裁至" not in plain
    assert "已裁至行政區內" in run("coverage", "--reach", "200").stdout.decode()
