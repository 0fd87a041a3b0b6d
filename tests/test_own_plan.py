"""A plan of one's own: started from the example, on the packaged streets or on others."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import shapely
from matplotlib.text import Text
from osm_text import osm
from pandas.testing import assert_frame_equal

import nankai_gis
from nankai_gis.errors import DataError, PlanError
from nankai_gis.geometry import ruler
from nankai_gis.network import digitised, plan_folder
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.plan import definitions
from nankai_gis.plan import schema as plan_schema
from nankai_gis.present import webmap
from nankai_gis.studies import store, study

Run = Callable[..., subprocess.CompletedProcess[bytes]]

PLACED = 'clause = "…"\nclause_source = "測"\nstatus = "osm"\n'
SIDES = 'sides = { east = ["東四路"], south = ["南一路"], west = ["西三路"], north = ["北二路"] }\n'
ZONE = f'[block]\nkind = "zone"\nname = "甲區"\n{PLACED}{SIDES}'
TABLES = {
    "sources.csv": "source,title,date,licence\ns,實測,2026,自有\n",
    "control_points.csv": "point,lon,lat,accuracy_m,status,source,date,note\n"
    "gate,117.11,39.11,2,surveyed,s,2026,大門\n",
    "streets.csv": "street,kind,name,name_hans,name_en,aliases,note\n"
    "east,street,東四路,东四路,East,,\n"
    "new,street,新路,新路,New,,\n",
    "street_vertices.csv": "street,seq,point,lon,lat,accuracy_m,status,source,date\n"
    "east,0,,117.115,39.09,2,surveyed,s,2026\n"
    "east,1,,117.115,39.13,2,surveyed,s,2026\n",
}


def folder(where: Path, *, roads: bool = True, tables: bool = False, **files: str) -> Path:
    where.mkdir(exist_ok=True)
    for name, text in files.items():
        (where / f"{name}.toml").write_text(text, encoding="utf-8")
    if roads:
        (where / "roads.osm").write_text(osm(), encoding="utf-8")
    if tables:
        (where / "digitised").mkdir()
        for name, text in TABLES.items():
            (where / "digitised" / name).write_text(text, encoding="utf-8")
    return where


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("example")
    (where / "plan.toml").write_text(definitions.example(), encoding="utf-8")
    return where


def test_init_writes_an_example_that_runs(run: Run, tmp_path: Path) -> None:
    done = run("init", "new/mine")
    assert done.returncode == 0, done.stderr
    assert b"next: nankai-gis --plan new/mine area" in done.stderr
    written = (tmp_path / "new/mine/plan.toml").read_text(encoding="utf-8")
    schema = tmp_path / "new/mine" / written.splitlines()[0].removeprefix("#:schema ./")
    assert json.loads(schema.read_bytes()) == plan_schema.json_schema()
    area = run("--plan", "new/mine", "area", NANKAI_GIS_LANG="zh-Hant")
    assert area.returncode == 0, area.stderr
    assert "示例地塊" in area.stdout.decode()


def test_init_replaces_nothing_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("mine", encoding="utf-8")
    done = run("init", ".")
    assert done.returncode == 1
    assert b"--overwrite" in done.stderr
    assert (tmp_path / "plan.toml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "plan.schema.json").exists()
    assert run("init", ".", "--overwrite").returncode == 0
    assert (tmp_path / "plan.toml").read_text(encoding="utf-8") == definitions.example()


def test_init_says_why_a_folder_cannot_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("init", "file/mine")
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: file/mine: can't make this folder")


COMMANDS = [
    ["area"],
    ["area", "示例地块", "--format", "json"],
    ["length"],
    ["list"],
    ["show", "示例片區"],
    ["show", "example-corridor"],
    ["show", "紅旗路"],
    ["derive"],
    ["derive", "示例區"],
    ["coverage"],
    ["coverage", "--by", "zone,street", "--reach", "200"],
    ["check", "--all"],
    ["check", "--format", "html"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_table_is_about_the_plan_that_is_given(
    run: Run, example: Path, command: list[str]
) -> None:
    done = run("--plan", str(example), *command, NANKAI_GIS_LANG="zh-Hant")
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert "示例" in told or "紅旗路" in command
    assert "啟航灣" not in told
    assert b"Traceback" not in done.stderr


OUTPUTS = {
    "map": ["map", "-o", "out.html"],
    "embedded": ["map", "--embed", "fragment", "-o", "out.html", "--coverage"],
    "figure": ["figure", "-o", "out.svg", "--dpi", "72"],
    "geopackage": ["export", "out.gpkg"],
    "geojson": ["export", "out.geojson"],
    "dxf": ["export", "out.dxf"],
    "page": ["report", "out.html"],
    "word": ["report", "out.docx"],
    "study": ["study", "out.gpkg"],
}


@pytest.mark.parametrize("command", OUTPUTS.values(), ids=OUTPUTS)
def test_every_file_is_about_the_plan_that_is_given(
    run: Run, example: Path, tmp_path: Path, command: list[str]
) -> None:
    done = run("--plan", str(example), *command)
    assert done.returncode == 0, done.stderr
    (out,) = tmp_path.glob("out.*")
    data = out.read_bytes()
    assert len(data) > 1000
    if out.suffix in (".html", ".geojson"):
        assert "示例" in data.decode()
        assert "啟航灣" not in data.decode()


def test_titles_come_from_the_plan(example: Path) -> None:
    found = study.read(example)
    page = webmap.html(nankai_gis.plan_map(study=found, lang="zh-Hans"))
    # Simplified by conversion, since the example gives none.
    assert "示例片区空间格局" in page
    assert "一区一带" in page
    drawn = nankai_gis.plan_figure(study=found, lang="en", legend=False)
    told = [text.get_text() for text in drawn.findobj(Text)]
    assert "Spatial structure of an example area" in told


def test_a_kept_study_of_ones_own_is_traced_to_its_folder(tmp_path: Path) -> None:
    where = folder(tmp_path / "p", zones=ZONE, tables=True)
    made = study.read(where)
    assert set(made.data) == {
        "zones.toml", "roads.osm", *(f"digitised/{name}" for name in TABLES)
    }  # fmt: skip
    store.save(made, tmp_path / "s.gpkg")
    again = store.load(tmp_path / "s.gpkg")
    assert dict(again.data) == dict(made.data)
    assert again.areas(["zone"]) == made.areas(["zone"])
    assert store.differences(tmp_path / "s.gpkg") == []


def test_roads_beside_the_definitions_are_compiled_on(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", zones=ZONE)
    done = run("--plan", "p", "area", "--format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["features"]
    wanted = ruler.area(shapely.box(117.1, 39.1, 117.12, 39.12))
    # A side of 2 km that leaves the parallel by the sagitta of its chord.
    assert row["area_km2"] == pytest.approx(wanted / 1e6, rel=1e-4)
    streets = study.read(tmp_path / "p").frame("streets")
    assert set(streets["name"]) == {"南一路", "北二路", "西三路", "东四路", "断头路"}
    told = run("--plan", "p", "coverage", "--by", "zone,street").stdout.decode()
    assert "断头路" in told
    assert "centreline" in told


def test_digitised_lines_go_before_mapped_ones(tmp_path: Path) -> None:
    more = f'[gate]\nkind = "site"\nname = "大門"\ntheme = "landmark"\npoint = "gate"\n{PLACED}'
    found = study.read(folder(tmp_path / "p", tables=True, zones=ZONE, sites=more))
    (row,) = found.areas(["zone"])
    wanted = ruler.area(shapely.box(117.1, 39.1, 117.115, 39.12))
    assert row.area_m2 == pytest.approx(wanted, rel=1e-4)
    assert found.frame("sites").geometry[0].equals(shapely.Point(117.11, 39.11))
    streets = found.frame("streets").set_index("name")
    assert streets.loc["東四路", "source"] == "實測"
    assert "东四路" not in streets.index
    # Listed without coordinates, as the packaged network does.
    assert streets.loc["新路", "status"] == "not located"


def test_a_joined_network_answers_as_the_two_do(tmp_path: Path) -> None:
    joined = plan_folder.read_network(folder(tmp_path / "p", tables=True))
    assert isinstance(joined, MergedNetwork)
    assert joined["东四路"].id == "east"
    assert [line.id for line in joined.every("東四路")] == ["east"]
    assert joined["南一路"].id.startswith("南一路@")
    assert "新路" in joined
    assert "舊路" not in joined
    assert joined.near("东四")[0] == "東四路"
    around = {line.names.hant for line in joined.around((117.09, 39.09, 117.13, 39.13))}
    assert around == {"東四路", "南一路", "北二路", "西三路", "断头路"}


def test_a_folder_without_streets_stands_on_the_packaged_ones(example: Path) -> None:
    assert plan_folder.read_network(example) is digitised.packaged()


def test_two_road_networks_are_one_too_many(run: Run, tmp_path: Path) -> None:
    where = folder(tmp_path / "p", zones=ZONE)
    (where / "roads.geojson").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"2 road networks \(roads\.geojson, roads\.osm\)"):
        study.read(where)
    done = run("--plan", "p", "area")
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)


def test_what_does_not_compile_is_told_all_at_once(tmp_path: Path) -> None:
    lost = ZONE.replace("block", "lost").replace("甲", "乙").replace("東四路", "東九路")
    also = ZONE.replace("block", "also").replace("甲", "丙").replace("北二路", "南一路")
    with pytest.raises(PlanError) as caught:
        study.read(folder(tmp_path / "p", zones=ZONE + lost + also))
    assert [fault.split(":")[1] for fault in caught.value.faults] == [" [lost]", " [also]"]


def test_a_side_that_the_network_lacks_is_refused(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", zones=ZONE.replace('["東四路"]', '["東四路", "南二路"]'))
    done = run("--plan", "p", "area")
    assert done.returncode == 1
    told = done.stderr.decode()
    assert "[block]: no road is called '南二路'; near names: " in told
    assert "南一路" in told
    assert done.stdout == b""


def test_a_ring_whose_line_is_missing_is_searched_for_and_said(run: Run, tmp_path: Path) -> None:
    ring = 'ring = ["東四路", "南一路", "舊鐵路", "北二路"]\n'
    folder(tmp_path / "p", zones=ZONE.replace("sides =", f"{ring}sides ="))
    done = run("--plan", "p", "area", "--format", "json")
    assert done.returncode == 0, done.stderr
    told = done.stderr.decode()
    assert "Warning: block: the network lacks 舊鐵路, which the ring of the definition" in told
    assert json.loads(done.stdout)["features"][0]["status"] == "inferred"


def test_the_packaged_streets_are_named_where_they_are_used(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", roads=False, zones=ZONE)
    told = run("--plan", "p", "area").stderr.decode()
    assert "packaged streets of Nankai District" in told
    assert "roads.*" in told


def test_a_plan_far_from_the_planar_crs_is_told_so(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", zones=ZONE)
    assert b"made for" not in run("--plan", "p", "area").stderr
    # The east edge alone is beyond, too.
    (tmp_path / "p" / "roads.osm").write_text(osm(shift=1.39), encoding="utf-8")
    assert b"118.5 E" in run("--plan", "p", "area").stderr
    (tmp_path / "p" / "roads.osm").write_text(osm(shift=-13.0), encoding="utf-8")
    done = run("--plan", "p", "area", "--format", "json")
    assert "the plan lies at 104.1 to 104.1 E" in done.stderr.decode()
    (row,) = json.loads(done.stdout)["features"]
    wanted = ruler.area(shapely.box(104.1, 39.1, 104.12, 39.12))
    assert row["area_km2"] == pytest.approx(wanted / 1e6, rel=1e-4)


def test_a_street_of_an_axis_that_is_missing_keeps_its_place(tmp_path: Path) -> None:
    axis = 'axis = [{ road = "南一路", role = "main" }, { road = "南九路", role = "extension" }]\n'
    text = f'[axis]\nkind = "corridor"\nname = "帶"\n{PLACED}{axis}'
    found = study.read(folder(tmp_path / "p", corridors=text))
    rows = found.lengths()
    assert [row.length_m is None for row in rows] == [False, True]
    assert rows[1].street_name == "南九路"


@pytest.mark.parametrize("command", [["report", "r.html"], ["map"], ["export", "a.gpkg"]])
def test_a_plan_may_lack_everything_but_a_zone(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    folder(tmp_path / "p", zones=ZONE)
    done = run("--plan", "p", *command)
    assert done.returncode == 0, done.stderr


def corridor(road: str) -> str:
    axis = f'axis = [{{ road = "{road}", role = "main" }}]\n'
    return f'[axis]\nkind = "corridor"\nname = "帶"\n{PLACED}{axis}'


def test_a_plan_without_zones_has_nothing_to_cover(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", corridors=corridor("南一路"))
    done = run("--plan", "p", "coverage")
    assert done.returncode == 1
    assert b"the plan has no zone, no parcel and no district" in done.stderr


def test_a_plan_of_corridors_alone_has_a_report(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", corridors=corridor("南一路"))
    done = run("--plan", "p", "report", "r.html")
    assert done.returncode == 0, done.stderr
    assert "帶的組成" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_district_alone_is_covered(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", district=ZONE.replace('"zone"', '"district"'))
    done = run("--plan", "p", "coverage", "--by", "zone,street")
    assert done.returncode == 0, done.stderr
    assert "断头路" in done.stdout.decode()


FAR = {"断头路": [(1, 0), (1, 1)]}


def two_of_a_name(where: Path) -> None:
    """A second 断头路 ten kilometres east; both are crossed by a 南一路 of their own."""
    near = osm()
    numbers = {"断头路": [(10, 0), (10, 3)], "南十路": [(9, 0), (10, 0), (11, 0)]}
    far = osm(numbers).replace('id="', 'id="9')
    both = near.replace("</osm>", "") + far.split(">", 1)[1].replace('ref="', 'ref="9')
    where.write_text(both, encoding="utf-8")


def test_a_street_whose_name_others_share_is_not_guessed(run: Run, tmp_path: Path) -> None:
    where = folder(tmp_path / "p", zones=ZONE, corridors=corridor("断头路"))
    two_of_a_name(where / "roads.osm")
    done = run("--plan", "p", "length")
    assert done.returncode == 1
    told = done.stderr.decode()
    assert "say which one by its id: 断头路@" in told
    ids = sorted(set(re.findall(r"断头路@\d+", told)))
    assert len(ids) == 2
    lengths = []
    for one in ids:
        (where / "corridors.toml").write_text(corridor(one), encoding="utf-8")
        done = run("--plan", "p", "length", "--format", "json")
        lengths.append(json.loads(done.stdout)["pieces"][0]["length_km"])
        assert run("--plan", "p", "show", one).returncode == 0
    assert min(lengths) == pytest.approx(1.11, abs=0.01)
    assert max(lengths) == pytest.approx(3.33, abs=0.01)


def test_the_pieces_of_an_axis_tell_each_others_namesakes_apart(tmp_path: Path) -> None:
    axis = '{ road = "断头路", role = "main" }, { road = "南十路", role = "extension" }'
    text = corridor("断头路").replace('{ road = "断头路", role = "main" }', axis)
    where = folder(tmp_path / "p", corridors=text)
    two_of_a_name(where / "roads.osm")
    rows = study.read(where).lengths()
    assert rows[0].length_m == pytest.approx(3330, abs=10)


def test_only_streets_around_the_plan_are_shown(tmp_path: Path) -> None:
    where = folder(tmp_path / "p", zones=ZONE)
    two_of_a_name(where / "roads.osm")
    streets = study.read(where).frame("streets")
    assert sorted(streets["name"]) == sorted(["南一路", "北二路", "西三路", "东四路", "断头路"])
    assert streets.total_bounds[2] < 117.15


def test_a_street_in_several_parts_is_drawn_and_measured_by_its_parts(
    run: Run, tmp_path: Path
) -> None:
    # A street with a branch.
    streets = {"南一路": [(0, -1), (2, 2)], "断头路": [(0, 0), (1, 0), (2, 0)]}
    more = osm({"断头路": [(1, 0), (1, 1)]}).replace('id="', 'id="8').replace('ref="', 'ref="8')
    where = folder(tmp_path / "p", roads=False, corridors=corridor("南一路"))
    text = osm(streets).replace("</osm>", "") + more.split(">", 1)[1]
    (where / "roads.osm").write_text(text, encoding="utf-8")
    line = plan_folder.read_network(where)["断头路"]
    found = study.read(where).frame("streets").set_index("name")
    assert found.loc["断头路"].geometry.geom_type == "MultiLineString"
    assert len(line.parts) == 2
    told = run("--plan", "p", "show", "断头路").stdout.decode()
    assert "Length: 2.84 km" in told


def test_digitised_streets_are_covered_as_mapped_ones_are(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", tables=True, zones=ZONE)
    done = run("--plan", "p", "coverage", "--by", "zone,street", "--format", "json")
    rows = {row["street"]: row for row in json.loads(done.stdout)["streets"]}
    assert rows["東四路"]["boundary_km"] == pytest.approx(2.22, abs=0.01)
    assert "东四路" not in rows


@pytest.mark.parametrize("tables", [False, True])
def test_coverage_is_what_the_kept_study_says(run: Run, tmp_path: Path, tables: bool) -> None:
    """A printed figure is traced in the study: carriageways, unnamed streets and all."""
    folder(tmp_path / "p", tables=tables, zones=ZONE)
    assert run("--plan", "p", "study", "s.gpkg").returncode == 0
    kept = store.load(tmp_path / "s.gpkg").coverage
    assert kept.streets.centreline_boundary_km.notna().any()
    for by, title, table in (
        ("zone", "zones", kept.zones),
        ("zone,street", "streets", kept.streets),
        ("zone,class", "classes", kept.classes),
    ):
        done = run("--plan", "p", "coverage", "--by", by, "--format", "json")
        assert len(table)
        printed = pd.DataFrame(json.loads(done.stdout)[title]).astype(table.dtypes)
        assert_frame_equal(printed, table, rtol=1e-12)


def test_a_street_listed_without_coordinates_hides_no_mapped_one(tmp_path: Path) -> None:
    where = folder(tmp_path / "p", tables=True, zones=ZONE)
    with (where / "digitised" / "streets.csv").open("a", encoding="utf-8") as table:
        table.write("west,street,西三路,西三路,West,,\n")
    found = study.read(where)
    streets = found.frame("streets").set_index("name")
    assert streets.loc["西三路", "status"] == "osm"
    assert {f.verdict for f in found.checks if f.rule in ("R02", "R10")} == {"ok"}


def test_the_script_of_a_definition_is_of_no_account_to_its_checks(tmp_path: Path) -> None:
    found = study.read(folder(tmp_path / "p", zones=ZONE))
    bounds = [f for f in found.checks if f.rule == "R10"]
    assert len(bounds) == 4
    assert {f.verdict for f in bounds} == {"ok"}


def test_what_a_feature_refers_to_by_name_is_checked(tmp_path: Path) -> None:
    parcel = ZONE.replace("block", "plot").replace('"zone"', '"parcel"').replace("甲區", "地塊")
    parcel = parcel.replace("sides", 'within = "甲區"\nsides').replace("西三路", "断头路")
    parcel = parcel.replace("北二路", "北二路").replace("断头路", "西三路")
    found = study.read(folder(tmp_path / "p", zones=ZONE + parcel))
    assert [f.verdict for f in found.checks if f.rule == "R05"] == ["ok"]
    assert found.plan.index()["地塊"].within == "block"


def test_data_in_another_datum_is_told(run: Run, tmp_path: Path) -> None:
    streets = study.packaged().frame("streets")
    streets = streets[streets.geometry.notna() & (streets["kind"] == "street")]
    shifted = streets[["name", "geometry"]].set_geometry(streets.translate(0.006, 0.0012))
    where = folder(tmp_path / "p", roads=False, plan=definitions.example())
    shifted.assign(highway="primary").to_file(where / "roads.geojson", driver="GeoJSON")
    told = run("--plan", "p", "list").stderr.decode()
    assert "GCJ-02" in told or "control_points" in told


@pytest.mark.parametrize("suffix", ["gpkg-wal", "gpkg-shm", "txt", "gpkg.bak"])
def test_what_is_no_network_is_not_taken_for_one(tmp_path: Path, suffix: str) -> None:
    where = folder(tmp_path / "p", zones=ZONE)
    (where / f"roads.{suffix}").write_bytes(b"")
    assert plan_folder.find_roads(where) == where / "roads.osm"


def write(name: str, text: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda where: (where / name).write_text(text, encoding=encoding)


def edit(name: str, before: str, after: str) -> Callable[[Path], object]:
    def change(where: Path) -> None:
        text = (where / name).read_text(encoding="utf-8")
        assert before in text
        (where / name).write_text(text.replace(before, after), encoding="utf-8")

    return change


POINTS = "digitised/control_points.csv"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (write("digitised/streets.csv", TABLES["streets.csv"], "gbk"), "save it as CSV UTF-8"),
        (edit(POINTS, "accuracy_m", "acc"), "the column accuracy_m is missing"),
        (edit(POINTS, ",", ";"), "the first line must be point,lon,lat"),
        (edit(POINTS, "117.11,", "117度,"), "lon is '117度', not a number"),
        (
            edit("digitised/streets.csv", "east,street", "east,道路"),
            "the kind is '道路'; it must be one of",
        ),
        (
            lambda where: (where / POINTS).unlink(),
            "control_points.csv is missing; if there is nothing",
        ),
        (lambda where: (where / "z.toml").mkdir(), "z.toml: can't be read"),
        (write("z.toml", "甲 = 1", "gbk"), "save it as UTF-8"),
        (write("z.toml", "[plan]\ntitle = '甲'\ndate = '2026-13'"), "[plan] date: "),
        (write("z.toml", "[plan]\ntitle = '甲'\ndate = '2026-02-30'"), "[plan] date: "),
        (write("z.toml", "[plan]\ntitle = '甲'\ndate = 2026-11-01"), '(got "2026-11-01")'),
        (
            edit("zones.toml", "sides =", "stated_area_km = 1\nsides ="),
            "mean stated_area_km2",
        ),
        (edit("zones.toml", '"zone"', '"片區"'), "'片區' is none of district, zone"),
        (write("z.toml", ZONE.replace("block", "again")), "[again] is called '甲區', too"),
        (
            write("z.toml", f'[s]\nkind = "site"\nname = "點"\ntheme = "a"\npoint = "x"\n{PLACED}'),
            "add it to digitised/control_points.csv",
        ),
    ],
)
def test_each_fault_of_a_folder_is_one_clear_line(
    run: Run, tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    where = folder(tmp_path / "p", tables=True, zones=ZONE)
    spoil(where)
    done = run("--plan", "p", "area")
    assert done.returncode == 1
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.decode().splitlines()) <= 2


def test_byte_order_marks_are_no_fault(tmp_path: Path) -> None:
    where = folder(tmp_path / "p", tables=True, zones=ZONE)
    for file in (*where.glob("*.toml"), *where.glob("digitised/*")):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    assert study.read(where).areas(["zone"])[0].area_m2 > 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--plan", "nowhere", "area"], 1, "nankai-gis init nowhere"),
        (["--plan", ".", "area"], 1, "no *.toml file here"),
        (["--plan", "p", "derive", "--definitions", "p"], 2, "leave out --definitions"),
        (["--plan", "p", "derive", "--compare"], 2, "add --roads with another"),
        (["--plan", "p", "study", "s.gpkg", "--verify"], 2, "leave out --plan"),
        (["--plan", "p", "length"], 1, "the plan has no corridor"),
        (["--plan", "p", "area", "--kind", "parcel"], 1, "the plan has no parcel"),
        (["--plan", "p/zones.toml", "area"], 1, "is a file; give the folder"),
        (["--plan", "nowhere", "derive", "--text", "東至甲路"], 1, "nankai-gis init nowhere"),
        (["area", "--plan", "p"], 2, "--plan comes before the command"),
        (["--plan", "p", "report", "r.html", "--study", "s.gpkg"], 2, "leave out --plan"),
        (["--plan", "p", "roads", "fetch"], 2, "has no district"),
        (["--plan", "p", "export", "a.gpkg", "--layers", "sites"], 1, "has nothing in sites"),
        (["roads", "fetch", "nankai", "--bbox", "1,2,3,4"], 2, "not both"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, tmp_path: Path, arguments: list[str], code: int, told: str
) -> None:
    folder(tmp_path / "p", zones=ZONE)
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr
