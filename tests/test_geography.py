"""The packaged layers: shared edges, nothing outside, nothing twice, nothing silent."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import EVIDENCE, ROOT
from shapely.geometry import LineString, Point, Polygon, shape
from shapely.ops import unary_union

from nankai_gis.compiler.derive import compile_readings
from nankai_gis.compiler.layers import plan_layers
from nankai_gis.errors import DataError, GeometryError, NotFoundError, RoadNotFoundError
from nankai_gis.geometry import ruler
from nankai_gis.network import digitised
from nankai_gis.plan import definitions, layers, packaged

POLYGONS = ("district", "zones", "parcel", "subdistricts")
SHAPES = {
    f["properties"]["id"]: shape(f["geometry"]) for name in POLYGONS for f in layers.features(name)
}
PROPERTIES = {f["properties"]["id"]: f["properties"] for n in POLYGONS for f in layers.features(n)}
SUBDISTRICTS = [f["properties"]["id"] for f in layers.features("subdistricts")]
ZONES = [f["properties"]["id"] for f in layers.features("zones")]


def size(geometry: Polygon) -> float:
    return ruler.area(geometry) if geometry.area else 0.0


@pytest.mark.parametrize("key", SHAPES)
def test_polygons_are_valid_counter_clockwise_and_run_on_their_lines(key: str) -> None:
    polygon = SHAPES[key]
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    ring = list(polygon.exterior.coords)
    lines = {line.id: {v.position for v in line.vertices} for line in digitised.packaged().lines}
    parts = PROPERTIES[key]["parts"]
    assert parts[0]["start"] == 0
    assert parts[-1]["stop"] == len(ring) - 1
    for part, following in itertools.pairwise(parts):
        assert part["stop"] == following["start"]
    for part in parts:
        assert set(ring[part["start"] : part["stop"] + 1]) <= lines[part["line"]]


def test_the_subdistricts_tile_the_district() -> None:
    together = unary_union([SHAPES[key] for key in SUBDISTRICTS])
    assert size(together.symmetric_difference(SHAPES["nankai"])) < 1e-3
    parts = sum(ruler.area(SHAPES[key]) for key in SUBDISTRICTS)
    assert parts == pytest.approx(ruler.area(SHAPES["nankai"]), rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [*itertools.combinations(SUBDISTRICTS, 2)])
def test_subdistricts_do_not_overlap(a: str, b: str) -> None:
    assert SHAPES[a].intersection(SHAPES[b]).area == 0


@pytest.mark.parametrize(("a", "b"), [*itertools.combinations(ZONES, 2)])
def test_zones_are_kept_apart(a: str, b: str) -> None:
    assert SHAPES[a].intersection(SHAPES[b]).area == 0


@pytest.mark.parametrize("key", [*ZONES, "xiyingmen"])
def test_zones_and_parcel_lie_in_the_district(key: str) -> None:
    assert SHAPES[key].difference(SHAPES["nankai"]).area == 0


def test_the_parcel_lies_in_its_zone() -> None:
    assert PROPERTIES["xiyingmen"]["within"] == "qihang-bay"
    assert SHAPES["xiyingmen"].difference(SHAPES["qihang-bay"]).area == 0


def test_corridors_stay_within_the_excess_that_is_explained() -> None:
    from nankai_gis.geometry import crs

    to_plane = crs.planar().transform
    district = Polygon([to_plane(*p) for p in SHAPES["nankai"].exterior.coords])
    outside = {}
    for feature in layers.features("corridors"):
        if feature["geometry"] is None:
            continue
        p = feature["properties"]
        line = LineString([to_plane(*xy) for xy in feature["geometry"]["coordinates"]])
        outside[p["id"]] = max(district.distance(Point(xy)) for xy in line.coords)
        if outside[p["id"]] > 0.5:
            assert "區界" in p["note"]
    assert max(outside.values()) < 50


def test_every_geometry_says_where_it_comes_from() -> None:
    for name in layers.LAYERS:
        for feature in layers.features(name):
            p = feature["properties"]
            if feature["geometry"] is None:
                assert (p["status"], p["accuracy_m"]) == ("not located", None)
            else:
                assert p["status"] in ("osm", "digitised", "inferred")
                assert p["accuracy_m"] > 0
                assert p["source"]
                assert p["date"]


def test_what_has_no_coordinates_is_listed_and_not_drawn() -> None:
    missing = {f["properties"]["name"] for f in layers.features("streets") if f["geometry"] is None}
    assert {"樂山道", "延安路", "保澤道", "舊津保路", "文水路"} <= missing
    assert len(layers.features("sites")) == len(definitions.packaged().of_kind("site"))


def test_stand_ins_are_inferred_and_say_for_what() -> None:
    stand_ins = {
        (key, part["for"]): part
        for key, p in PROPERTIES.items()
        for part in p["parts"]
        if part["for"]
    }
    assert set(stand_ins) == {
        ("qihang-bay", "密雲路"),
        ("shuishang-aoti", "津淶道"),
        ("xiyingmen", "密雲路"),
    }
    assert all(part["status"] == "inferred" for part in stand_ins.values())
    assert stand_ins["shuishang-aoti", "津淶道"]["accuracy_m"] == 130


def test_the_unbuilt_part_of_leshan_road_is_planned() -> None:
    planned = [f for f in layers.features("corridors") if f["properties"]["planned"]]
    assert ["樂山道" in f["properties"]["street_name"] for f in planned] == [True, True]
    assert [f["geometry"] is None for f in planned] == [True, False]


def test_the_layers_are_what_the_script_builds() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_layers.py"), "--check"], capture_output=True
    )
    assert done.stdout.decode() == "layers, catalogue and figures are up to date\n"
    assert done.returncode == 0


@pytest.mark.skipif(not EVIDENCE.is_dir(), reason="the evidence is not on this machine")
def test_the_layers_lie_close_to_the_evidence() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compare_evidence.py"), str(EVIDENCE), "--check"],
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("key", ["qihang-bay", "xiyingmen"])
def test_every_reading_compiles_and_the_chosen_one_is_drawn(key: str) -> None:
    network = digitised.packaged()
    made = compile_readings(definitions.packaged().index()[key], network, network.points)
    assert [reading.error for reading in made] == [None] * len(made)
    assert [reading.reading.chosen for reading in made] == [True] + [False] * (len(made) - 1)
    assert made[0].area_m2 == pytest.approx(size(SHAPES[key]))
    assert len({round(reading.area_m2 or 0, -4) for reading in made}) == len(made) >= 3
    for reading in made:
        for reasons in (reading.reading.reasons_for, reading.reading.reasons_against):
            assert reasons.hans != reasons.en


def test_a_layer_by_another_name_is_refused() -> None:
    with pytest.raises(NotFoundError, match="zones"):
        layers.features("zone")


def test_a_definition_that_does_not_compile_is_named() -> None:
    feature = definitions.packaged().index()["laochengxiang"]
    from dataclasses import replace

    from nankai_gis.plan.model import RingPart

    def build(*names: str) -> None:
        ring = tuple(RingPart(name) for name in names)
        plan_layers(
            definitions.Plan((replace(feature, ring=ring, claims=()),)), digitised.packaged()
        )

    with pytest.raises(
        RoadNotFoundError, match=r"zones\.toml: \[laochengxiang\].*'北馬大路'.*北馬路"
    ):
        build("北馬大路", "通北路")
    with pytest.raises(RoadNotFoundError, match=r"樂山道.*no coordinates"):
        build("樂山道", "通北路")
    with pytest.raises(
        GeometryError, match=r"Beima Road and Nanma Road follow each other.*don't meet"
    ):
        build("北馬路", "南馬路", "西馬路")


def tables(folder: Path) -> Path:
    import shutil

    shutil.copytree(packaged.data_folder() / "digitised", folder / "digitised")
    return folder / "digitised"


@pytest.mark.parametrize(
    ("table", "before", "after", "message"),
    [
        (
            "street_vertices.csv",
            "weijin-road,1,",
            "weijin-road,9,",
            "vertex 9 of weijin-road is out of order",
        ),
        ("street_vertices.csv", ",haiguangsi,", ",nowhere,", "point nowhere is not in"),
        ("control_points.csv", "haiguangsi,117.17", "haiguangsi,1170.17", "out of range"),
        ("control_points.csv", "balitai,117.172900", "balitai,abc", "lon is 'abc', not a number"),
        ("control_points.csv", ",osm,", ",seen,", "the status is 'seen'; it must be one of"),
        ("control_points.csv", ",osm-ways-2026,", ",rumour,", "source 'rumour' is not in"),
        ("streets.csv", "weijin-road,street", "weijin,street", "vertices of weijin-road, which"),
        ("streets.csv", ",Weijin Road,衞津路,", ",Weijin Road", "more or fewer cells"),
    ],
)
def test_a_fault_in_a_table_names_file_and_line(
    tmp_path: Path, table: str, before: str, after: str, message: str
) -> None:
    folder = tables(tmp_path)
    text = (folder / table).read_text(encoding="utf-8")
    assert before in text
    (folder / table).write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        digitised.read(folder)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    (tables(tmp_path) / "streets.csv").unlink()
    with pytest.raises(DataError, match=r"streets\.csv is missing"):
        digitised.read(tmp_path / "digitised")
