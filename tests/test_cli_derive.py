"""Deriving and importing as a user does: good input and bad."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pytest
from osm_text import STREETS, osm
from shapely.geometry import shape

from nankai_gis.cli.roads import _widened
from nankai_gis.compiler import confidence
from nankai_gis.compiler.junction import EXTEND_M, NEAR_M
from nankai_gis.compiler.runs import Corner
from nankai_gis.compiler.runs import Run as ModelRun
from nankai_gis.geometry import crs, ruler
from nankai_gis.network.streets import GAP_M
from nankai_gis.plan.model import Names

CornerKind = Literal["shared", "crossing", "near", "extended"]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def city(tmp_path: Path) -> Path:
    (tmp_path / "city.osm").write_text(osm(), encoding="utf-8")
    return tmp_path / "city.osm"


TEXT = "東至東四路,南至南一路,西至西三路,北至北二路"


def test_a_clause_compiles_without_a_definition(run: Run, city: Path, tmp_path: Path) -> None:
    done = run("derive", "--text", TEXT, "--roads", city.name, "-o", "a.geojson")
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert "shared node" in told
    assert "city.osm" in told
    (feature,) = json.loads((tmp_path / "a.geojson").read_bytes())["features"]
    polygon = shape(feature["geometry"])
    assert polygon.bounds == pytest.approx((117.1, 39.1, 117.12, 39.12))
    assert feature["properties"]["area_m2"] == pytest.approx(ruler.area(polygon))
    assert feature["properties"]["source"].startswith("city.osm")


def test_a_name_with_brackets_or_a_stop_word_is_looked_up_whole(run: Run, tmp_path: Path) -> None:
    renamed = {"南一路": "京滨线（新港四号路）", "北二路": "津沽一线", "西三路": "疏港连接线"}
    streets = {renamed.get(name, name): course for name, course in STREETS.items()}
    # Another street has the name without the brackets, or without the stop word.
    streets |= {"京滨线": [(0, -1), (2, -1)], "津沽": [(0, 3), (2, 3)], "疏港": [(-1, 0), (-1, 2)]}
    (tmp_path / "a.osm").write_text(osm(streets), encoding="utf-8")
    text = "东至东四路,南至京滨线(新港四号路),西至疏港连接线,北至津沽一线,总用地面积4平方公里"
    done = run("derive", "--text", text, "--roads", "a.osm", "-o", "a.geojson")
    assert done.returncode == 0, done.stderr
    (feature,) = json.loads((tmp_path / "a.geojson").read_bytes())["features"]
    bounds = shape(feature["geometry"]).bounds
    assert bounds == pytest.approx((117.1, 39.1, 117.12, 39.12))


def test_where_in_a_road_a_bound_runs_moves_its_side(run: Run, city: Path, tmp_path: Path) -> None:
    plain = run("derive", "--text", TEXT, "--roads", city.name, "-o", "plain.geojson")
    assert plain.returncode == 0, plain.stderr
    said = "東至東四路中心線,南至南一路北側,西至西三路以西100米,北至北二路道路紅線,不含乙公園"
    done = run("derive", "--text", said, "--roads", city.name, "-o", "said.geojson")
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert "lies 100.0 ± 0.0 m outside its centreline" in told
    assert told.count("inside its centreline") == 2
    assert "leaves out 乙公園" in told
    before, after = (
        shape(json.loads((tmp_path / name).read_bytes())["features"][0]["geometry"]).bounds
        for name in ("plain.geojson", "said.geojson")
    )
    # To the west by 100 m; from the south and from the north in by half a road's width.
    assert (before[0] - after[0]) * 111_320 * math.cos(math.radians(39.11)) == pytest.approx(
        100, abs=0.5
    )
    assert after[2] == pytest.approx(before[2], abs=1e-9)
    assert 5 < (after[1] - before[1]) * 111_000 < 25
    assert 5 < (before[3] - after[3]) * 111_000 < 25


def test_words_that_are_not_understood_lower_the_confidence(run: Run, city: Path) -> None:
    plain = run("derive", "--text", TEXT, "--roads", city.name).stdout.decode()
    done = run("derive", "--text", f"{TEXT},以現場放樣的木樁為準", "--roads", city.name)
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert "現場放樣的木樁為準" in told
    assert plain.count("  high") > told.count("  high") == 0


def test_every_clause_of_a_document_compiles_or_is_refused(
    run: Run, city: Path, tmp_path: Path
) -> None:
    document = (
        f"第一章\n\n一、甲片區\n{TEXT}。\n二、乙片區:東至無名路,南至南一路,西至西三路,北至北二路。"
    )
    (tmp_path / "plan.txt").write_text(document, encoding="gb18030")
    done = run("derive", "plan.txt", "--roads", city.name, "-o", "a.geojson")
    assert done.returncode == 1
    assert "甲片區" in done.stdout.decode()
    assert "無名路" in done.stderr.decode()
    (feature,) = json.loads((tmp_path / "a.geojson").read_bytes())["features"]
    assert feature["properties"]["id"] == "clause-1"
    assert run("derive", "plan.txt", "qihang-bay").returncode == 2


def test_clauses_are_saved_as_definitions_beside_what_is_kept(
    run: Run, city: Path, tmp_path: Path
) -> None:
    assert run("init", "--blank", "own").returncode == 0
    kept = (tmp_path / "own" / "clauses.toml").with_name("plan.toml").read_bytes()
    text = f"甲片區{TEXT}。\n乙片區{TEXT.replace('東四路', '無名路')}。"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert run("derive", "a.txt", "--roads", city.name, "--save", "own").returncode == 1
    saved = tmp_path / "own" / "clauses.toml"
    added = saved.read_text(encoding="utf-8")
    assert added.count("clause =") == 1
    # Once more changes nothing; a comment stays when another is added.
    saved.write_text(f"# kept\n{added}", encoding="utf-8")
    assert run("derive", "a.txt", "--roads", city.name, "--save", "own").returncode == 1
    assert saved.read_text(encoding="utf-8") == f"# kept\n{added}"
    more = ("--text", f"丙片區{TEXT},面積4平方公里", "--roads", city.name, "--save", "own")
    assert run("derive", *more).returncode == 0
    assert saved.read_text(encoding="utf-8").startswith(f"# kept\n{added}")
    assert (tmp_path / "own" / "plan.toml").read_bytes() == kept
    (tmp_path / "own" / "roads.osm").write_bytes(city.read_bytes())
    done = run("--plan", "own", "area", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "丙片區" in done.stdout.decode()
    assert run("derive", "qihang-bay", "--save", "own").returncode == 2


def test_what_a_network_has_is_listed_and_found(run: Run, city: Path) -> None:
    every = json.loads(run("--roads", city.name, "roads", "list", "--format", "json").stdout)
    assert {road["name"] for road in every["roads"]} >= {"东四路", "南一路", "西三路", "北二路"}
    like = run("--roads", city.name, "roads", "list", "--like", "東四")
    assert like.returncode == 0, like.stderr
    assert ("东四路" in like.stdout.decode(), "南一路" in like.stdout.decode()) == (True, False)
    assert run("--roads", city.name, "roads", "list", "--like", "無此路").returncode == 1
    (found,) = json.loads(
        run("--roads", city.name, "roads", "find", "東四路", "--format", "json").stdout
    )["roads"]
    assert found["length_m"] > 1000
    assert found["class"]
    assert {"南一路", "北二路"} <= set(found["crossings"])
    assert run("--roads", city.name, "roads", "find", "東五路").returncode == 1
    assert b"Weijin" in run("roads", "list", "--near", "laochengxiang").stdout


def test_a_text_is_read_as_a_table_and_as_data(run: Run, tmp_path: Path) -> None:
    import docx

    text = "甲片區東至望海路西側紅線,南至聽濤道,西至長堤路,北至松風大街,面積2公頃,風景秀麗。"
    document = docx.Document()
    document.add_paragraph("第一章")
    document.add_table(1, 1).rows[0].cells[0].text = text
    document.save(str(tmp_path / "a.docx"))
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    done = run("--lang", "zh-Hans", "read", "a.docx")
    assert done.returncode == 0, done.stderr
    assert "望海路" in done.stdout.decode()
    assert "风景秀丽" in done.stdout.decode()
    for given in (("a.md",), ("a.docx",), ("--text", text)):
        (area,) = json.loads(run("read", *given, "--format", "json").stdout)["areas"]
        assert area["name"] == "甲片區"
        assert area["sides"]["east"] == [{"name": "望海路", "kind": "road", "edge": "west"}]
        assert (area["stated_area_m2"], area["unread"]) == (20000.0, ["風景秀麗"])
    assert "".join(span["text"] for span in area["spans"]) == text


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--text", "風景秀麗"), 1),
        (("--text", "沿甲路向東至乙路,再向南至丙路"), 1),
        (("no.txt",), 1),
        (("bad.docx",), 1),
        (("bad.txt",), 1),
        ((), 2),
        (("bad.txt", "--text", "a"), 2),
    ],
)
def test_a_text_without_a_clause_is_refused(
    run: Run, tmp_path: Path, given: tuple[str, ...], code: int
) -> None:
    (tmp_path / "bad.docx").write_bytes(b"PK\x03\x04")
    (tmp_path / "bad.txt").write_bytes(b"\0\1\2\xff")
    done = run("read", *given)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_snapshot_carries_its_origin(run: Run, city: Path, tmp_path: Path) -> None:
    assert run("roads", "import", city.name).returncode == 0
    assert (tmp_path / "city.gpkg").is_file()
    done = run("roads", "info", "city.gpkg", "--format", "json")
    origin = json.loads(done.stdout)
    assert (origin["name"], origin["ways"], origin["named"]) == ("city.osm", 5, 5)
    text = run("roads", "info", "city.gpkg").stdout.decode()
    assert "ways: 5, with a name 5" in text
    again = run("roads", "import", city.name)
    assert again.returncode == 1
    assert "city.gpkg exists; nothing was written" in again.stderr.decode()
    derived = run("derive", "--text", TEXT, "--roads", "city.gpkg")
    assert "city.osm" in derived.stdout.decode()


def test_a_box_leaves_the_rest_out(run: Run, city: Path, tmp_path: Path) -> None:
    done = run("roads", "import", city.name, "--bbox", "117.115,39.119,117.125,39.121")
    assert done.returncode == 0, done.stderr
    origin = json.loads(run("roads", "info", "city.gpkg", "--format", "json").stdout)
    assert origin["ways"] == 2


DEFINITIONS = """
[block]
kind = "zone"
name = "街坊"
name_hans = "街坊"
name_en = "Block"
clause = "東至東四路,南至南一路,西至西三路,北至北二路"
clause_source = "test"
status = "osm"
sides = { east = ["東四路"], south = ["南一路"], west = ["西三路"], north = ["北二路"] }

[lost]
kind = "zone"
name = "失路"
name_hans = "失路"
name_en = "Lost"
clause = "x"
clause_source = "test"
status = "osm"
sides = { east = ["東四路"], south = ["南一路"], west = ["西三路"], north = ["北二街"] }

[swapped]
kind = "zone"
name = "反向"
name_hans = "反向"
name_en = "Swapped"
clause = "x"
clause_source = "test"
status = "osm"
sides = { east = ["西三路"], south = ["南一路"], west = ["東四路"], north = ["北二路"] }

[axis]
kind = "corridor"
name = "軸"
name_hans = "轴"
name_en = "Axis"
clause = "x"
clause_source = "test"
status = "osm"
axis = [
    { road = "南一路", role = "main", from = "西三路", to = "東四路" },
    { road = "無名路", role = "extension", planned = true },
]
"""


def test_one_definition_that_fails_leaves_the_others(run: Run, city: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DEFINITIONS, encoding="utf-8")
    options = ("--allow-missing", "--definitions", "mine.toml", "--roads", city.name)
    done = run("derive", *options, "-o", "a.gpkg")
    assert done.returncode == 1
    assert done.stderr.decode().count("Error: ") == 1
    assert "Error: swapped: " in done.stderr.decode()
    assert "is named on the east side" in done.stderr.decode()
    assert "Warning: lost: no road is called '北二街' in this network; near names: 北二路" in (
        done.stderr.decode()
    )
    zones = gpd.read_file(tmp_path / "a.gpkg", layer="zones")
    corridors = gpd.read_file(tmp_path / "a.gpkg", layer="corridors")
    assert dict(zip(zones.id, zones.status, strict=True)) == {"block": "osm", "lost": "inferred"}
    assert list(corridors.street_name) == ["南一路"]
    assert "extension 無名路: not located, planned" in done.stdout.decode()


def test_why_a_definition_fails_is_said_once(run: Run, city: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DEFINITIONS, encoding="utf-8")
    done = run("derive", "swapped", "--definitions", "mine.toml", "--roads", city.name)
    assert done.stdout.decode().split("\n\n", 1)[1].splitlines() == [
        "Swapped (swapped)",
        "  not compiled",
    ]
    assert done.stderr.decode().count("is named on the east side") == 1


def test_a_side_that_is_missing_is_an_error(run: Run, city: Path, tmp_path: Path) -> None:
    text = "東至東四路,南至南一路,西至西三路"
    done = run("derive", "--text", text, "--roads", city.name, "-o", "a.geojson")
    assert done.returncode == 1
    told = done.stderr.decode().splitlines()
    assert told[0].startswith("Error: clause: the clause names no north side; add 北至…")
    assert told[1:] == ["Error: nothing was compiled, so a.geojson was not written"]
    assert not (tmp_path / "a.geojson").exists()


@pytest.mark.parametrize(
    ("north", "named", "bridge"),
    # The riser that no side names is 11 % and 23 % of the ring.
    [(3, "high", "fair"), (5, "fair", "low")],
)
def test_what_the_clause_does_not_name_is_never_sure(
    run: Run, tmp_path: Path, north: int, named: str, bridge: str
) -> None:
    streets = {
        "南一路": [(0, 0), (2, 0)],
        "東四路": [(2, 0), (2, north)],
        "北五路": [(2, north), (1, north)],
        "中六路": [(1, north), (1, 2)],
        "北二路": [(1, 2), (0, 2)],
        "西三路": [(0, 2), (0, 0)],
    }
    (tmp_path / "stair.osm").write_text(osm(streets), encoding="utf-8")
    done = run("derive", "--text", TEXT + "、北五路", "--roads", "stair.osm")
    rows = {line.split()[1]: line.split() for line in done.stdout.decode().splitlines()[4:-1]}
    found = {name: row[-1] for name, row in rows.items() if name in streets}
    assert found == {name: bridge if name == "中六路" else named for name in streets}


def test_a_ring_without_a_road_of_its_clause_is_never_sure(run: Run, city: Path) -> None:
    done = run("derive", "--text", TEXT + "、北七街", "--roads", city.name)
    rows = [line.split() for line in done.stdout.decode().splitlines() if "shared node" in line]
    assert [row[-1] for row in rows] == ["low"] * 4


@pytest.mark.parametrize(
    ("change", "corner", "doubtful", "level"),
    [
        ({}, "shared", False, "high"),
        ({}, "crossing", False, "high"),
        ({"accuracy_m": 60.0, "bridged_m": 100.0}, "shared", False, "high"),
        ({"accuracy_m": 61.0}, "shared", False, "fair"),
        ({"accuracy_m": 201.0}, "shared", False, "low"),
        ({"bridged_m": 101.0}, "shared", False, "fair"),
        ({"status": "inferred"}, "shared", False, "low"),
        ({}, "near", False, "fair"),
        ({}, "extended", False, "low"),
        ({}, "shared", True, "fair"),
        ({"role": "bridge"}, "shared", False, "fair"),
        ({"role": "bridge"}, "shared", True, "low"),
    ],
)
def test_confidence_is_by_the_numbers(
    change: dict[str, Any], corner: CornerKind, doubtful: bool, level: str
) -> None:
    sure = ModelRun("a", Names("a", "a", "a"), "named", None, (), 5.0, "osm", 0.0)
    corners = (Corner("shared", 0.0, (117.0, 39.0)), Corner(corner, 0.0, (117.0, 39.0)))
    for order in (corners, corners[::-1]):
        assert confidence.confidence(replace(sure, **change), order, doubtful) == level


def test_the_tutorial_tells_the_numbers_behind_confidence() -> None:
    root = Path(__file__).resolve().parent.parent
    told = (root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for text in (
        f"the accuracy is over {confidence.LOW_ACCURACY_M:.0f} m",
        f"the accuracy is over {confidence.FAIR_ACCURACY_M:.0f} m",
        f"more than {confidence.FAIR_BRIDGED_M:.0f} m are joined",
        f"links make up more than {confidence.UNNAMED_SHARE:.0%} of its length",
        f"stops short, by {NEAR_M:.0f} m or less",
        f"straight on, by {EXTEND_M:.0f} m or less",
        f"breaks of {GAP_M:.0f} m or less",
    ):
        assert text in told


def test_a_misspelt_road_is_named_with_its_neighbours(run: Run, city: Path) -> None:
    text = TEXT.replace("東四路", "東四街")
    done = run("derive", "--text", text, "--roads", city.name)
    assert done.returncode == 1
    assert "東四街" in done.stderr.decode()


def test_the_packaged_plan_compiles_to_what_is_packaged(run: Run) -> None:
    done = run("derive", "--compare")
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert told.count("symmetric difference 0.0000 sq km, Hausdorff distance 0 m") == 17
    assert "Leshan Road: not located, planned" in told


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--text", "建設產業園區"], 1, "no side"),
        (["--text", TEXT, "qihang-bay"], 2, "--text stands for a definition"),
        (["--text", TEXT, "--roads", "nowhere.osm"], 1, "nowhere.osm"),
        (["nowhere"], 1, "no feature is called 'nowhere'"),
        (["--definitions", "nowhere.toml"], 2, "does not exist"),
    ],
)
def test_bad_input_gets_a_message(run: Run, args: list[str], code: int, message: str) -> None:
    done = run("derive", *args)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_broken_definition_lists_its_faults(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DEFINITIONS.replace('kind = "zone"', "", 1), "utf-8")
    done = run("derive", "--definitions", "mine.toml")
    assert done.returncode == 1
    assert "mine.toml: [block] kind: missing" in done.stderr.decode()


def test_a_shifted_network_is_warned_about(run: Run, tmp_path: Path) -> None:
    from nankai_gis.network import digitised

    nodes, ways, n = [], [], 0
    for way, name in enumerate(("紅旗路", "復康路", "衛津路", "北馬路"), start=1):
        refs = ""
        for v in digitised.packaged()[name].vertices:
            n += 1
            nodes.append(f'<node id="{n}" lon="{v.lon + 0.0063:.6f}" lat="{v.lat + 0.0012:.6f}"/>')
            refs += f'<nd ref="{n}"/>'
        tags = f'<tag k="highway" v="primary"/><tag k="name" v="{name}"/>'
        ways.append(f'<way id="{way}">{refs}{tags}</way>')
    text = f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>'
    (tmp_path / "gcj.osm").write_text(text, encoding="utf-8")
    text = "東至衛津路,南至復康路,西至紅旗路,北至北馬路"
    done = run("derive", "--text", text, "--roads", "gcj.osm")
    assert "Warning: gcj.osm lies +54" in done.stderr.decode()
    assert "GCJ-02" in done.stderr.decode()
    # The packaged plan isn't compiled on it at all.
    for command in ("area", "derive"):
        done = run("--roads", "gcj.osm", command)
        assert (done.returncode, done.stdout) == (1, b"")
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith("Error: gcj.osm lies +54")


@pytest.mark.parametrize("latitude", [3.0, 23.0, 39.0, 60.0])
def test_the_surroundings_are_a_kilometre_wide_anywhere(latitude: float) -> None:
    west, south, east, north = _widened(117.0, latitude, 117.1, latitude + 0.1)
    distance = crs.ellipsoid().inv
    sides = [
        distance(west, latitude, 117.0, latitude),
        distance(117.0, south, 117.0, latitude),
        distance(117.1, latitude + 0.1, east, latitude + 0.1),
        distance(117.1, latitude + 0.1, 117.1, north),
    ]
    assert [metres for _, _, metres in sides] == pytest.approx([1000.0] * 4, abs=1.0)
