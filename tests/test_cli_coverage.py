"""Coverage as a user asks for it: on the packaged plan, on a network, on layers of their own."""

from __future__ import annotations

import csv
import json
import logging
import os
import pty
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pytest
from click.testing import CliRunner
from figures import square_km
from shapely.geometry import LineString, Point, box, shape

from nankai_gis.cli import main
from nankai_gis.geometry import ruler
from nankai_gis.measure import features
from nankai_gis.plan import layers
from nankai_gis.present import chart
from nankai_gis.studies import study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., subprocess.CompletedProcess[bytes]]


def blocks(done: subprocess.CompletedProcess[bytes]) -> list[list[dict[str, str]]]:
    """The tables of a CSV, which empty lines divide."""
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("utf-8-sig")
    # One byte order mark, at the beginning.
    assert "\ufeff" not in text
    return [list(csv.DictReader(part.splitlines())) for part in text.split("\r\n\r\n")]


def rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, str]]:
    return blocks(done)[0]


def test_zones_by_subdistrict_add_up_to_the_zones(run: Run) -> None:
    done = run("coverage", "--format", "json")
    tables = json.loads(done.stdout)
    total = {}
    for row in tables["areas"]:
        total[row["zone"]] = total.get(row["zone"], 0.0) + row["area_km2"]
    for row in features.areas([*layers.features("zones"), *layers.features("parcel")]):
        assert total[row.id] == pytest.approx(row.area_m2 / 1e6, rel=1e-7)
    assert all(abs(r["relative"]) <= r["limit"] for r in tables["reconciliation"] if r["limit"])


def test_the_table_says_that_it_adds_up(run: Run) -> None:
    text = run("coverage", NANKAI_GIS_LANG="zh-Hant").stdout.decode()
    assert "項合計與總數相符" in text
    assert "興南街道|廣開街道" in text
    assert "未定位" in text
    text = run("coverage", NANKAI_GIS_LANG="zh-Hans").stdout.decode()
    assert "项合计与总数相符" in text
    assert "兴南街道|广开街道" in text
    text = run("coverage").stdout.decode()
    assert "sums equal their totals" in text
    assert "Xingnan Subdistrict|Guangkai Subdistrict" in text
    assert "(no subdistrict)" in text
    assert text.isascii() or not any("\u4e00" <= sign <= "\u9fff" for sign in text)


@pytest.mark.parametrize(
    "by", ["zone", "subdistrict", "zone,street", "zone,class", "subdistrict,street"]
)
def test_every_cut_of_the_table(run: Run, by: str) -> None:
    found = rows(run("coverage", "--by", by, "--format", "csv"))
    assert found
    names = [f"{key}_name" for key in by.split(",") if key in ("zone", "subdistrict")]
    assert {*by.split(","), *names} <= found[0].keys()
    others = {"zone", "subdistrict", "street", "class"} - {*by.split(",")}
    assert not others & found[0].keys()


def test_tables_of_a_csv_follow_each_other(run: Run) -> None:
    first, second = blocks(run("coverage", "--format", "csv"))
    assert list(first[0])[:2] == ["zone", "zone_name"]
    assert list(second[0])[:2] == ["corridor", "corridor_name"]


@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_what_has_no_room_for_it_says_it_apart(run: Run, form: str) -> None:
    """What the table says at its end."""
    told = run("coverage").stdout.decode().rsplit("\n\n", 1)[1]
    assert "sums equal their totals" in told
    done = run("coverage", "--format", form)
    assert done.returncode == 0
    assert done.stderr.decode() == told


def test_where_a_street_comes_in_and_goes_out_is_shown(run: Run) -> None:
    done = run("coverage", "--by", "zone,street", NANKAI_GIS_LANG="zh-Hant")
    (street,) = [
        r
        for r in done.stdout.decode().splitlines()
        if r.startswith("西營門地塊  ") and "密雲路" in r
    ]
    (same,) = [
        r
        for r in rows(run("coverage", "--by", "zone,street", "--format", "csv"))
        if (r["zone"], r["street"]) == ("xiyingmen", "密雲路")
    ]
    ends = [
        f"{float(same[f'{end}_{axis}']):.5f}"
        for end in ("entry", "exit")
        for axis in ("lon", "lat")
    ]
    assert street.split()[-5:] == [
        same["crossings"],
        f"{ends[0]},",
        ends[1],
        f"{ends[2]},",
        ends[3],
    ]
    head = done.stdout.decode().splitlines()[1]
    assert head.split()[-3:] == ["穿越次數", "進入點", "離開點"]
    (along,) = [r for r in done.stdout.decode().splitlines() if "衛津路" in r]
    assert along.split()[-3:] == ["0", "-", "-"]


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
    (row,) = tables["walking_reach"]
    assert 0 < row["share_of_area"] < 1


@pytest.mark.parametrize("by", [[], ["--by", "zone,street"], ["--by", "zone,subdistrict,street"]])
def test_the_cut_pieces_as_geojson(run: Run, city: Path, by: list[str]) -> None:
    document = json.loads(run(*MINE, *by, "--format", "geojson").stdout)
    assert {f["properties"]["zones"] for f in document["features"]} >= {"z", ""}


def test_the_cut_zones_as_geojson(run: Run, city: Path) -> None:
    done = run(*MINE, "--by", "subdistrict,zone", "--format", "geojson")
    found = json.loads(done.stdout)["features"]
    assert [f["properties"]["subdistrict_name"] for f in found] == ["東街", "西街"]
    for feature, (west, east) in zip(found, ((117.005, 117.01), (117, 117.005)), strict=True):
        polygon, told = shape(feature["geometry"]), feature["properties"]
        assert polygon.equals(box(west, 39, east, 39.01))
        assert polygon.exterior.is_ccw
        assert (told["zone"], told["zone_name"]) == ("z", "甲區")
        assert told["area_km2"] == pytest.approx(ruler.area(polygon) / 1e6, rel=1e-7)


def test_every_part_has_the_polygon_of_its_row(run: Run) -> None:
    """A parcel lies in a zone."""
    found = json.loads(run("coverage", "--by", "zone,subdistrict", "--format", "geojson").stdout)[
        "features"
    ]
    table = rows(run("coverage", "--by", "zone,subdistrict", "--format", "csv"))
    assert len(found) == len(table) == 10
    for feature, row in zip(found, table, strict=True):
        told = feature["properties"]
        assert (told["zone"], told["subdistrict"]) == (row["zone"], row["subdistrict"])
        size = ruler.area(shape(feature["geometry"])) / 1e6
        assert size == pytest.approx(float(row["area_km2"]), rel=1e-7)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--with", "schools.geojson"], "--with makes a table, which --format geojson has no"),
        (["--walk", "schools.geojson"], "--walk makes a table, which --format geojson has no"),
    ],
)
def test_geojson_holds_one_layer(run: Run, city: Path, args: list[str], message: str) -> None:
    done = run(*MINE, *args, "--format", "geojson")
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().split())
    assert done.stdout == b""


# ------------------------------------------------------------------ what gets lost is told


@pytest.fixture
def lossy(city: Path) -> Path:
    """A network with a street that has no line; points that have no place, or are far away."""
    gpd.GeoDataFrame(
        {"name": ["甲路", "乙路"], "highway": ["primary", "primary"]},
        geometry=[LineString([(117, 39.005), (117.02, 39.005)]), None],
        crs=4326,
    ).to_file(city / "lossy.geojson")
    gpd.GeoDataFrame(
        {"id": ["near", "nowhere", "far"]},
        geometry=[Point(117.002, 39.005), None, Point(117.4, 39.005)],
        crs=4326,
    ).to_file(city / "stops.geojson")
    return city


LOST = {
    ("streets", "no line", 1),
    ("walking reach: points", "no geometry (listed, not located)", 1),
    ("walking reach: points", "further than 200 m from every street", 1),
}


def test_what_a_network_and_a_walk_lose_is_told(run: Run, lossy: Path) -> None:
    args = (*MINE[:-1], "lossy.geojson", "--walk", "stops.geojson")
    tables = json.loads(run(*args, "--format", "json").stdout)
    assert {(r["layer"], r["reason"], r["count"]) for r in tables["dropped"]} == LOST
    lines = {
        f"{layer.replace(':', ',')}: dropped {count} ({reason})" for layer, reason, count in LOST
    }
    assert lines <= {*run(*args).stdout.decode().splitlines()}
    assert lines <= {*run(*args, "--format", "csv").stderr.decode().splitlines()}


def test_what_both_lose_is_told_once(run: Run, tmp_path: Path) -> None:
    """The packaged streets that aren't located; there is no place to walk on them either."""
    near = gpd.GeoDataFrame(geometry=[Point(117.1431, 39.12)], crs=4326)
    near.to_file(tmp_path / "near.geojson")
    tables = json.loads(run("coverage", "--walk", "near.geojson", "--format", "json").stdout)
    assert [r["layer"] for r in tables["dropped"]] == ["corridors", "streets"]


def test_what_the_network_of_a_plan_loses_is_told(run: Run, tmp_path: Path) -> None:
    assert run("init", "mine").returncode == 0
    shutil.copytree(ROOT / "geodata" / "digitised", tmp_path / "mine" / "digitised")
    streets = gpd.GeoDataFrame(
        {"name": ["甲路", "乙路"], "highway": ["primary", "primary"]},
        geometry=[LineString([(117.12, 39.12), (117.2, 39.12)]), None],
        crs=4326,
    )
    streets.to_file(tmp_path / "mine" / "roads.geojson")
    done = run("--plan", "mine", "coverage")
    assert done.returncode == 0, done.stderr
    assert "streets: dropped 1 (no line)" in done.stdout.decode().splitlines()


# ------------------------------------------------------------------ tables without rows


def test_streets_that_lie_elsewhere_are_told(run: Run, city: Path) -> None:
    gpd.GeoDataFrame(
        {"name": ["乙路"], "highway": ["primary"]},
        geometry=[LineString([(117.3, 39.005), (117.32, 39.005)])],
        crs=4326,
    ).to_file(city / "away.geojson")
    away = (*MINE[:-1], "away.geojson", "--by", "zone,street")
    done = run(*away)
    assert done.returncode == 0
    assert done.stderr.decode() == (
        "Warning: no street of away.geojson comes near the zones: the streets lie at "
        "117.3000,39.0050 to 117.3200,39.0050, the zones at 117.0000,39.0000 to 117.0100,39.0100; "
        "all lengths in the zones are zero\n"
    )
    assert done.stdout.decode().startswith("zone × road\nnone\n\nCheck: ")
    assert json.loads(run(*away, "--format", "json").stdout)["streets"] == []
    done = run(*away, "--format", "csv")
    assert done.stdout.startswith(b"\xef\xbb\xbfzone,zone_name,street,")
    assert done.stdout.count(b"\r\n") == 1
    assert "zone × road: none\n" in done.stderr.decode()
    done = run(*away, "--plot", "c.png")
    assert done.returncode == 1
    assert "no street runs in or along a zone; nothing to draw" in done.stderr.decode()
    assert not (city / "c.png").exists()


def test_a_table_that_a_plan_cannot_have_is_named(run: Run, city: Path) -> None:
    done = run(*MINE)
    assert done.stderr == b""
    assert "\n\ncorridor × subdistrict\nnone\n\n" in done.stdout.decode()
    done = run(*MINE, "--format", "csv")
    assert len(blocks(done)) == 1
    assert done.stderr.decode().startswith("corridor × subdistrict: none\n")
    assert "corridors" not in json.loads(run(*MINE, "--format", "json").stdout)


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
        (["--reach", "-3"], 2, "'--reach': -3; give metres, 0.01 to 100000"),
        (["--reach", "nan"], 2, "'--reach': nan; give metres, 0.01 to 100000"),
        (["--reach", "inf"], 2, "'--reach': inf; give metres, 0.01 to 100000"),
        (["--reach", "1e300"], 2, "'--reach': 1e+300; give metres, 0.01 to 100000"),
        (["--minutes", "nan"], 2, "'--minutes': nan; give minutes, 0.01 to 1440"),
        (["--minutes", "inf"], 2, "'--minutes': inf; give minutes, 0.01 to 1440"),
        (["--minutes", "0"], 2, "'--minutes': 0; give minutes, 0.01 to 1440"),
        (["-o", "c.xlsx", "--format", "csv"], 2, "ends as xlsx does, not as --format csv"),
        (["--with", "a/x.gpkg", "--with", "x.csv"], 2, "called 'x' like that of a/x.gpkg; rename"),
        (["--with", "dropped.geojson"], 2, "called 'dropped' like one of the command's own"),
        (["--with", "reconciliation.shp"], 2, "called 'reconciliation' like one of the"),
        (
            ["--with", "walking_reach.shp"],
            2,
            "called 'walking_reach' like one of the command's own",
        ),
        (["--with", "corridors.shp"], 2, "called 'corridors' like one of the command's"),
        (
            ["--by", "zone,street,class", "--with", "zone × road × road class.shp"],
            2,
            "called 'zone × road × road class' like one of the command's own",
        ),
    ],
)
def test_bad_input_gets_a_message(run: Run, args: list[str], code: int, message: str) -> None:
    done = run("coverage", *args)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_reach_needs_corridors(run: Run, city: Path) -> None:
    done = run(*MINE, "--reach", "100")
    assert done.returncode == 2
    assert "--reach widens the corridors of the plan" in done.stderr.decode()


def test_subdistricts_are_not_called_by_number(run: Run, city: Path) -> None:
    layer = gpd.read_file(city / "subdistricts.geojson").rename(columns={"label": "density"})
    layer.assign(density=1.5).to_file(city / "subdistricts.geojson")
    done = run(*MINE[:5], *MINE[7:])
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "Error: subdistricts.geojson has no column 'name' (it has: density); name the column "
        "that holds the names of the subdistricts with --name-field\n"
    )


@pytest.mark.parametrize("ids", [[None, None], ["a", None], [1, None]])
def test_zones_without_an_id_are_counted(
    run: Run, tmp_path: Path, ids: list[str | int | None]
) -> None:
    zones = [box(117.13, 39.1, 117.16, 39.13), box(117.16, 39.1, 117.18, 39.13)]
    gpd.GeoDataFrame({"id": ids}, geometry=zones, crs=4326).to_file(tmp_path / "zones.geojson")
    done = run("coverage", "--zones", "zones.geojson")
    assert done.returncode == 0
    assert "the column id gives no ids (some rows have none)" in done.stderr.decode()
    assert [line.split()[0] for line in done.stdout.decode().splitlines()[3:5]] == ["1", "1"]


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
    assert done.stderr.decode().startswith(
        "Error: two.gpkg has 2 layers: before (Polygon, rows: 1), after (Polygon, rows: 1); name"
    )
    assert run("coverage", "--zones", "two.gpkg", "--layer", "after").returncode == 0
    assert run("coverage", "--zones", "two.gpkg|layername=after").returncode == 0
    done = run("coverage", "--zones", "two.gpkg|layername=after", "--layer", "never")
    assert done.returncode == 1
    assert "--layer 'never': no file has this layer" in done.stderr.decode()


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
    assert sum(float(r["area_km2"]) for r in bay) == pytest.approx(
        square_km("qihang-bay"), abs=0.001
    )


def test_a_picture_of_it(run: Run, tmp_path: Path) -> None:
    done = run("coverage", "--by", "zone,street", "--plot", "c.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert b"Warning" not in done.stderr
    assert run("coverage", "--plot", "c.png").returncode == 1
    assert run("coverage", "--plot", "c.gif").returncode == 2


def test_a_picture_of_zones_with_numbers(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zones = gpd.GeoDataFrame({"id": [1]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    zones.to_file(city / "zones.geojson")
    drawn: list[chart.Bar] = []
    draw = chart.coverage

    def watched(bars: list[chart.Bar], *args: Any, **options: Any) -> Figure:
        drawn.extend(bars)
        return draw(bars, *args, **options)

    monkeypatch.setattr(chart, "coverage", watched)
    monkeypatch.chdir(city)
    done = CliRunner().invoke(main, [*MINE, "--plot", "c.png"])
    assert done.exit_code == 0, done.output
    assert [(bar.label, round(bar.inside_km, 3)) for bar in drawn] == [("甲路", 0.866)]


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


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler in this process; a cluster of its own has the bar's test."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def test_a_network_in_partitions(run: Run, parts: Path, scheduler: str) -> None:
    done = run(
        *DASK, scheduler, "--by", "zone,street", "--with", "schools.geojson", "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    tables = json.loads(done.stdout)
    (street,) = tables["streets"]
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
        (
            lambda folder: [file.unlink() for file in folder.iterdir()],
            "no folder with .parquet",
        ),
        (lambda folder: (folder / "part.1.parquet").write_bytes(b"PAR1"), "no GeoParquet file, or"),
        (lambda folder: _overwritten(folder / "part.1.parquet"), "the workers can't read it"),
    ],
    ids=["empty", "cut off", "damaged"],
)
def test_partitions_that_cannot_be_read(
    run: Run, parts: Path, scheduler: str, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(parts / "parts")
    done = run(*DASK, scheduler)
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
    assert said.startswith("Error: no Dask scheduler with workers answers at 'nonsense://here'")
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
import sys
import nankai_gis.geometry.cut_lines
from nankai_gis.cli import main
if __name__ == "__main__":
    sys.modules["nankai_gis.geometry.cut_lines"]._CHUNK = {chunk}
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
    assert b"poi.geojson: no layer of polygons in it; it has poi (Point, rows: 1)" in done.stderr


def test_it_says_what_a_length_and_a_reach_are(run: Run) -> None:
    lang = {"NANKAI_GIS_LANG": "zh-Hant"}
    plain = run("coverage", "--by", "zone,street", **lang).stdout.decode()
    assert "兩幅之和" not in plain
    assert "裁至" not in plain
    assert "已裁至行政區內" in run("coverage", "--reach", "200", **lang).stdout.decode()


def test_zones_of_ones_own_keep_the_plans_district_and_corridors(run: Run, tmp_path: Path) -> None:
    """The same polygons from a file: the same shares of the district, and reaches as well."""
    zones = study.packaged().located("zones")
    assert zones is not None
    zones[["id", "name", "geometry"]].to_file(tmp_path / "mine.geojson")
    asked = ["coverage", "--by", "zone,street", "--reach", "200", "--format", "json"]
    plan = json.loads(run(*asked).stdout)["streets"]
    mine = json.loads(run(*asked, "--zones", "mine.geojson").stdout)["streets"]
    named = {row["zone"] for row in mine}
    assert {"qihang-bay", "innovation-fusion"} <= named
    for one, two in zip([row for row in plan if row["zone"] in named], mine, strict=True):
        assert (one["zone"], one["street"]) == (two["zone"], two["street"])
        assert one["district_km"] == pytest.approx(two["district_km"], rel=1e-12)
        # A file keeps seven decimals, a centimetre.
        assert one["share_inside"] == pytest.approx(two["share_inside"], abs=1e-5)


def test_zones_elsewhere_have_no_share_of_the_plans_district(run: Run, tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        {"id": ["far"], "name": ["遠"]}, geometry=[box(113, 34, 113.01, 34.01)], crs=4326
    ).to_file(tmp_path / "far.geojson")
    gpd.GeoDataFrame(
        {"name": ["長街"], "highway": ["primary"]},
        geometry=[LineString([(112.995, 34.005), (113.005, 34.005)])],
        crs=4326,
    ).to_file(tmp_path / "roads.geojson")  # fmt: skip
    done = run(
        "coverage", "--by", "zone,street", "--zones", "far.geojson", "--roads", "roads.geojson",
        "--format", "json",
    )  # fmt: skip
    (row,) = json.loads(done.stdout)["streets"]
    assert row["share_inside"] == pytest.approx(0.5, rel=1e-6)


def test_what_rests_on_an_inferred_boundary_says_so(run: Run) -> None:
    assert "啟航灣創新產業區、" in (
        told := run("coverage", NANKAI_GIS_LANG="zh-Hant").stdout.decode()
    )
    assert "的邊界含推定，僅為示意" in told


def test_a_strip_thinner_than_coordinates_tell_is_measured(run: Run) -> None:
    """A reach of two centimetres adds up as far as coordinates go, and the text stays true."""
    done = run("coverage", "--by", "zone", "--reach", "0.01")
    assert done.returncode == 0, done.stderr
    worst = done.stdout.decode().split("relative difference is ")[1].split(" (")[0]
    assert float(worst) <= 1e-9
