"""The packaged plan on a network of one's own: compiled, filled, kept, and refused."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from shapely.geometry import LineString, shape

import nankai_gis as ng
from nankai_gis.cli import main
from nankai_gis.plan import layers
from nankai_gis.studies import derived
from nankai_gis.studies.comparison import compare
from nankai_gis.studies.study import Study, packaged, read

Courses = Mapping[str, list[tuple[float, float]]]

# The mapped lines that bound each zone, by their simplified names.
BOUNDS = {
    "qihang-bay": "黄河道 红旗路 长江道 南京路 卫津路 复康路 中南道 陈塘庄支线 芥园西道 密云路",
    "laochengxiang": "北马路 通北路 张自忠路 南马路 南门外大街 南开二纬路 南开三马路 西马路",
    "shuishang-aoti": "迎水道 水上公园西路 水上公园北道 卫津南路 津涞道 陈塘庄支线 红旗南路",
}


def script(name: str) -> ModuleType:
    file = Path(__file__).parent.parent / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = script("make_nankai")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def made(folder: Path, name: str = "nankai.osm", **options: Any) -> tuple[Path, Courses]:
    network, courses = GENERATOR.nankai(**options)
    return GENERATOR.write(network, folder / name), courses


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Courses]:
    return made(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def study(plain: tuple[Path, Courses]) -> Study:
    return read(roads=plain[0])


def polygon(features: Any, key: str) -> shapely.Geometry:
    return next(shape(f["geometry"]) for f in features if f["properties"]["id"] == key)


def apart(courses: Courses, zone: str) -> shapely.Geometry:
    """The faces between the bounding lines that lie where the packaged zone does."""
    lines = [LineString(courses[name]) for name in BOUNDS[zone].split()]
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(lines, grid_size=1e-8)]))
    known = polygon(layers.features("zones"), zone)
    inside = [f for f in faces if f.intersection(known).area > f.area / 2]
    return shapely.unary_union(inside)


def difference(study: Study, courses: Courses, zone: str) -> float:
    """The share of a zone's area by which it differs from the ring computed apart."""
    one, two = polygon(study.layers["zones"], zone), apart(courses, zone)
    return float(one.symmetric_difference(two).area / two.area)


@pytest.mark.parametrize("zone", BOUNDS)
def test_a_zone_is_the_ring_of_the_mapped_lines(
    study: Study, plain: tuple[Path, Courses], zone: str
) -> None:
    assert difference(study, plain[1], zone) < 1e-5
    # Mapped lines alone: no digitised one, no stand-in for a road that is mapped.
    (feature,) = (f for f in study.layers["zones"] if f["properties"]["id"] == zone)
    parts = feature["properties"]["parts"]
    assert all("@" in part["line"] for part in parts)
    assert {part["for"] for part in parts} <= {None, "密雲路"}


def test_parcel_and_corridors_come_out(study: Study) -> None:
    assert [row.id for row in study.areas(["parcel"])] == ["xiyingmen"]
    located: dict[str, set[str]] = {}
    for row in study.lengths():
        if row.length_m is not None:
            located.setdefault(row.corridor, set()).add(row.street_name)
    assert located["innovation-fusion"] == {"黃河道", "長江道", "南馬路", "南京路", "南門外大街"}
    assert {"鞍山西道", "紅旗路", "中南道", "簡陽路"} <= located["innovation-resource"]
    assert located["smart-service"] == {"紅旗路", "紅旗南路"}
    assert len(study.areas(["subdistrict"])) == 12


@pytest.mark.parametrize(
    "options",
    [{"dual": True}, {"gaps": True}, {"doubled": True, "seed": 3}],
    ids=lambda options: "-".join(options),
)
def test_carriageways_gaps_and_names_twice_change_little(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    file, courses = made(tmp_path, **options)
    made_on_it = read(roads=file)
    for zone in BOUNDS:
        assert difference(made_on_it, courses, zone) < 2e-3


def test_what_the_network_lacks_comes_from_the_digitised_lines(tmp_path: Path) -> None:
    file, _ = made(tmp_path, without=("中南道", "水上公园西路"), gaps=True)
    done = run("--roads", file, "area", "--format", "json")
    assert done.exit_code == 0
    told = done.stderr.splitlines()
    assert len(told) == 1
    assert "not in nankai.osm" in told[0]
    assert "Zhongnan Road (±" in told[0]
    assert "Shuishang Park West Road (±" in told[0]
    shown = run("--roads", file, "show", "shuishang-aoti").stdout
    (row,) = (line for line in shown.splitlines() if line.startswith("Shuishang Park West"))
    assert "OSM data" not in row
    # 復康路 lacks 260 m of its course: a digitised piece is in the place of a straight line.
    (zone,) = (f for f in read(roads=file).layers["zones"] if f["properties"]["id"] == "qihang-bay")
    accuracy = {part["name"]: part["accuracy_m"] for part in zone["properties"]["parts"]}
    assert accuracy["復康路"] > 5.0 == accuracy["衛津路"]


def test_what_was_derived_is_kept_until_anything_changes(tmp_path: Path) -> None:
    file, _ = made(tmp_path)
    kept = file.with_name(file.name + derived.SUFFIX)
    first = run("--roads", file, "area", "--format", "csv")
    assert first.exit_code == 0
    assert kept.is_file()
    # What is kept is what is read: another figure in it would show.
    head, text = gzip.decompress(kept.read_bytes()).split(b"\n", 1)
    record = json.loads(text)
    (zone,) = (f for f in record["layers"]["zones"] if f["properties"]["id"] == "laochengxiang")
    zone["geometry"]["coordinates"][0][0][0] += 0.001
    zone["geometry"]["coordinates"][0][-1][0] += 0.001
    kept.write_bytes(gzip.compress(head + b"\n" + json.dumps(record).encode()))
    assert run("--roads", file, "area", "--format", "csv").stdout != first.stdout
    # A damaged file is made anew, and so is one of another network.
    kept.write_bytes(kept.read_bytes()[:200])
    assert run("--roads", file, "area", "--format", "csv").stdout == first.stdout
    other, _ = made(tmp_path / "..", name=f"{tmp_path.name}.osm", seed=5)
    shutil.move(other, file)
    assert run("--roads", file, "area", "--format", "csv").stdout != first.stdout


def test_a_folder_that_cant_be_written_to_is_no_hindrance(
    plain: tuple[Path, Courses], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nankai_gis.errors import OutputError
    from nankai_gis.files import atomic

    def refuse(*_: Any, **__: Any) -> None:
        raise OutputError("read-only")

    monkeypatch.setattr(atomic, "write_bytes", refuse)
    done = run("--roads", plain[0], "area")
    assert done.exit_code == 0
    assert not plain[0].with_name(plain[0].name + derived.SUFFIX).exists()


def shifted(east: float, north: float) -> Callable[[Any], None]:
    def move(network: Any) -> None:
        for node in network.nodes:
            node.lon, node.lat = node.lon + east, node.lat + north

    return move


def unnamed(network: Any) -> None:
    for way in network.ways:
        way.tags.pop("name", None)


def other_names(network: Any) -> None:
    for number, way in enumerate(network.ways):
        if "name" in way.tags:
            way.tags["name"] = f"某{number}街"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (shifted(4.2, -7.9), "the plan lies at 117."),
        (shifted(0.0063, 0.0012), "as data in GCJ-02 or BD-09 does"),
        (unnamed, "none of its "),
        (other_names, "has none of the "),
    ],
    ids=["elsewhere", "gcj", "unnamed", "foreign"],
)
def test_a_network_that_isnt_the_plans_is_refused_in_one_line(
    tmp_path: Path, spoil: Callable[[Any], None], told: str
) -> None:
    network, _ = GENERATOR.nankai()
    spoil(network)
    file = GENERATOR.write(network, tmp_path / "a.osm")
    for command in (["area"], ["map", "-o", tmp_path / "m.html"], ["coverage"]):
        done = run("--roads", file, *command)
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: a.osm")
        assert told in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.osm"]


def test_roads_before_and_behind_the_command_are_one_option(plain: tuple[Path, Courses]) -> None:
    before = run("--roads", plain[0], "coverage", "--format", "csv")
    behind = run("coverage", "--roads", plain[0], "--format", "csv")
    assert before.exit_code == behind.exit_code == 0
    assert before.stdout == behind.stdout
    twice = run("--roads", plain[0], "coverage", "--roads", "b.osm")
    assert (twice.exit_code, "given twice" in twice.stderr) == (2, True)
    late = run("area", "--roads", plain[0])
    assert (late.exit_code, "--roads comes before the command" in late.stderr) == (2, True)


def north(lonlat: Any) -> Any:
    """A thousandth of a degree northward: 111.0 m."""
    return lonlat + np.array([0.0, 0.001])


def test_compare_tells_two_geographies_apart(study: Study) -> None:
    moved = json.loads(json.dumps(study.layers))
    for features in moved.values():
        for feature in features:
            geometry = feature["geometry"]
            if geometry is not None:
                there = shapely.transform(shape(geometry), north)
                geometry |= json.loads(shapely.to_geojson(there))
    other = Study(moved, study.definitions, study.data)
    rows = compare(study, other, ["zone", "corridor"])
    wholes = rows[rows.road == ""].set_index("id")
    assert wholes.hausdorff_m.between(100, 111.2).all()
    assert (wholes.area_m2 / wholes.other_area_m2 - 1).abs().max() < 1e-4
    zone = polygon(study.layers["zones"], "laochengxiang")
    apart = zone.symmetric_difference(shapely.transform(zone, north))
    share = wholes.symmetric_difference_m2["laochengxiang"] / wholes.area_m2["laochengxiang"]
    assert share == pytest.approx(apart.area / zone.area, rel=1e-4)
    # A road that runs east moves by all of it, one that runs north along itself.
    roads = rows[rows.id == "qihang-bay"].set_index("road").moved_m
    assert roads["復康路"] == pytest.approx(111.0, abs=1.0)
    assert roads["衛津路"] < 12


def test_compare_pairs_a_stand_in_with_the_road_itself(study: Study) -> None:
    rows = compare(packaged(), study, ["zone"])
    (pair,) = rows[rows.other_road == "津淶道"].to_dict("records")
    assert pair["road"] in ("津淶道", "陳塘莊支線南段")
    assert (rows.other_road != "")[rows.road != ""].all()
    assert compare(study, study, ["zone", "parcel"]).moved_m.max() == 0.0


def test_the_command_compare(plain: tuple[Path, Courses], tmp_path: Path) -> None:
    done = run("--roads", plain[0], "compare", "啟航灣", "smart-service")
    assert done.exit_code == 0
    assert "Hongqi Road" in done.stdout
    assert "Laochengxiang" not in done.stdout
    table = run("--roads", plain[0], "compare", "--format", "json")
    rows = json.loads(table.stdout)["rows"]
    assert {row["kind"] for row in rows} == {"district", "zone", "parcel", "corridor"}
    lone = run("compare")
    assert (lone.exit_code, "--roads FILE compare" in lone.stderr) == (2, True)


def test_district_and_subdistricts_as_the_file_has_them(tmp_path: Path) -> None:
    network, _ = GENERATOR.nankai()
    # The file lacks one boundary.
    kept = [r for r in network.relations if r.tags["name"] != "学府街道"]
    network.relations[:] = kept
    file = GENERATOR.write(network, tmp_path / "a.osm")
    done = run("--roads", file, "--subdistricts", "auto", "area", "--kind", "subdistrict",
               "--kind", "district", "--format", "json")  # fmt: skip
    assert done.exit_code == 0
    status = {f["id"]: f["status"] for f in json.loads(done.stdout)["features"]}
    assert status.pop("xuefu") != "osm"
    assert set(status.values()) == {"osm"}
    assert "a.osm has no boundary of Xuefu Subdistrict" in done.stderr
    # They are those of the file, which the generator took from the packaged layer.
    areas = {f["id"]: f["area_km2"] for f in json.loads(done.stdout)["features"]}
    packaged_areas = {row.id: row.area_m2 / 1e6 for row in packaged().areas(["subdistrict"])}
    assert areas["guangkai"] == pytest.approx(packaged_areas["guangkai"], rel=1e-6)
    assert areas["nankai"] == pytest.approx(packaged().areas(["district"])[0].area_m2 / 1e6)
    # Behind the command, too, where coverage takes a file as well.
    before = run("--roads", file, "--subdistricts", "auto", "coverage", "--format", "csv")
    behind = run("coverage", "--roads", file, "--subdistricts", "auto", "--format", "csv")
    assert (
        before.stdout == behind.stdout != run("--roads", file, "coverage", "--format", "csv").stdout
    )
    for command in (["area"], ["coverage"]):
        alone = run("--subdistricts", "auto", *command)
        assert (alone.exit_code, "takes those of --roads" in alone.stderr) == (2, True)


def test_a_plan_of_ones_own_on_another_network(plain: tuple[Path, Courses], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert run("init", folder).exit_code == 0
    done = run("--plan", folder, "--roads", plain[0], "compare", "--format", "json")
    assert done.exit_code == 0
    rows = [row for row in json.loads(done.stdout)["rows"] if row["kind"] == "zone"]
    whole = next(row for row in rows if not row["road"])
    assert 0 < whole["symmetric_difference_m2"] < 0.05 * whole["area_m2"]
    # From Python, too.
    made_on_it = ng.study(folder, roads=plain[0])
    assert made_on_it.areas(["zone"])[0].area_m2 == pytest.approx(whole["other_area_m2"])
    with pytest.raises(ValueError, match="holds its network already"):
        ng.study(tmp_path / "kept.gpkg", roads=plain[0])
