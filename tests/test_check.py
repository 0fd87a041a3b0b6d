"""Each rule sees the fault that it is there for, and leaves the rest alone."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from shapely import affinity
from shapely.geometry import box, mapping, shape

from nankai_gis import words
from nankai_gis.errors import NotFoundError
from nankai_gis.measure import checks
from nankai_gis.measure.checks import Finding, check
from nankai_gis.plan import definitions as plans
from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.model import AxisPart, Role
from nankai_gis.studies import study

Layers = dict[str, list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(words.VARIABLE, "zh-Hant")


@pytest.fixture
def ground() -> tuple[Plan, Layers]:
    layers = {k: copy.deepcopy(list(v)) for k, v in study.packaged().layers.items()}
    return plans.packaged(), layers


def item(layers: Layers, key: str) -> dict[str, Any]:
    (found,) = [f for fs in layers.values() for f in fs if f["properties"]["id"] == key]
    return found


def verdicts(found: list[Finding], rule: str) -> dict[str, set[str]]:
    by: dict[str, set[str]] = {}
    for f in found:
        if f.rule == rule:
            by.setdefault(f.feature, set()).add(f.verdict)
    return by


def findings(plan: Plan, layers: Layers, rule: str) -> list[Finding]:
    """What one rule finds; the others aren't run."""
    return check(plan, layers, [r.id for r in checks.RULES if r.id != rule])


def only(plan: Plan, layers: Layers, rule: str) -> dict[str, set[str]]:
    return verdicts(findings(plan, layers, rule), rule)


def test_what_is_known_to_differ_in_the_packaged_plan() -> None:
    found = everything()
    differing = {(f.rule, f.feature) for f in found if f.verdict == "differs"}
    assert differing == {
        ("R04", "innovation-resource"),
        ("R06", "nankai"),
        ("R07", "qihang-bay"),
        ("R09", "huayuan"),
        ("R12", "smart-service"),
        ("R13", "smart-service"),
    }
    (unclaimed,) = [f for f in found if f.rule == "R09" and f.verdict == "differs"]
    assert "華苑" in unclaimed.figures
    (parcel,) = [f for f in found if (f.rule, f.feature) == ("R06", "xiyingmen")]
    assert (parcel.verdict, parcel.inferred) == ("ok", True)
    assert {f.rule for f in found} == {r.id for r in checks.RULES}


def test_r01_an_invalid_ring(ground: tuple[Plan, Layers]) -> None:
    ring = item(ground[1], "xiyingmen")["geometry"]["coordinates"][0]
    ring[1], ring[5] = ring[5], ring[1]
    assert only(*ground, "R01")["xiyingmen"] == {"differs"}


def test_r02_a_street_that_is_lost(ground: tuple[Plan, Layers]) -> None:
    item(ground[1], "beimalu")["geometry"] = None
    assert only(*ground, "R02")["laochengxiang"] == {"cannot tell"}


def test_r03_zones_that_overlap(ground: tuple[Plan, Layers]) -> None:
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(affinity.translate(shape(zone["geometry"]), -0.01, -0.01))
    assert only(*ground, "R03")["qihang-bay / laochengxiang"] == {"differs"}


def test_r04_a_zone_that_leaves_the_district(ground: tuple[Plan, Layers]) -> None:
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(affinity.translate(shape(zone["geometry"]), 0.01, 0))
    assert only(*ground, "R04")["laochengxiang"] == {"differs"}


def test_r05_a_parcel_outside_its_zone(ground: tuple[Plan, Layers]) -> None:
    parcel = item(ground[1], "xiyingmen")
    parcel["geometry"] = mapping(affinity.translate(shape(parcel["geometry"]), -0.001, 0))
    assert only(*ground, "R05")["xiyingmen"] == {"differs"}


def test_r06_a_stated_area_beyond_the_uncertainty(ground: tuple[Plan, Layers]) -> None:
    item(ground[1], "xiyingmen")["properties"]["stated_area_m2"] = 3.0e6
    assert only(*ground, "R06")["xiyingmen"] == {"differs"}


def test_r07_a_claim_that_is_not_covered(ground: tuple[Plan, Layers]) -> None:
    plan, layers = ground
    features = tuple(
        replace(f, claims=("華苑街",)) if f.id == "laochengxiang" else f for f in plan.features
    )
    assert only(Plan(features), layers, "R07")["laochengxiang"] == {"differs"}


def test_r08_a_subdistrict_that_is_covered_and_not_claimed(ground: tuple[Plan, Layers]) -> None:
    plan, layers = ground
    features = tuple(
        replace(f, claims=("鼓樓街",)) if f.id == "laochengxiang" else f for f in plan.features
    )
    assert only(Plan(features), layers, "R08")["laochengxiang"] == {"differs"}


def test_r10_a_road_on_the_wrong_side_or_not_on_the_boundary(ground: tuple[Plan, Layers]) -> None:
    plan, layers = ground
    swapped = {
        "east": ("西馬路",),
        "south": ("南馬路", "南開二緯路"),
        "west": ("張自忠路",),
        "north": ("長江道",),
    }
    features = tuple(
        replace(f, sides=swapped) if f.id == "laochengxiang" else f for f in plan.features
    )
    found = [f for f in findings(Plan(features), layers, "R10") if f.feature == "laochengxiang"]
    assert [f.verdict for f in found] == ["differs", "ok", "ok", "differs", "differs"]
    assert "朝向相反" in found[0].figures
    assert "邊界沿之 0.00 公里" in found[4].figures


def bounds(plan: Plan, layers: Layers, zone: str) -> dict[str, Finding]:
    found = [f for f in findings(plan, layers, "R10") if f.feature == zone]
    return {f.figures.split("：")[0]: f for f in found}


def test_r10_measures_the_boundary(ground: tuple[Plan, Layers]) -> None:
    """A zone that lies elsewhere is on none of its roads, whatever its properties say."""
    before = bounds(*ground, "laochengxiang")
    assert {f.verdict for f in before.values()} == {"ok"}
    assert "邊界沿之 1.09 公里；偏離至多 0 米" in before["東至張自忠路"].figures
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(affinity.translate(shape(zone["geometry"]), 0.005, 0.003))
    moved = bounds(*ground, "laochengxiang")
    west = moved["西至南開三馬路"]
    assert west.verdict == "differs"
    # 432 m to the east and 333 m to the north: nowhere farther than 546 m.
    (apart,) = re.findall(r"偏離至多 (\d+) 米", west.figures)
    assert 432 <= int(apart) <= 546
    assert {moved[road].verdict for road in ("西至西馬路", "北至北馬路")} == {"differs"}
    assert "ok" not in {f.verdict for f in moved.values()}


def test_r10_a_boundary_within_the_accuracy_of_its_roads(ground: tuple[Plan, Layers]) -> None:
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(affinity.translate(shape(zone["geometry"]), 0.0002, 0))
    ring = zone["geometry"]["coordinates"][0]
    # A vertex that is there twice is of no account.
    zone["geometry"]["coordinates"] = [[ring[0], *ring]]
    # 17 m: both roads and the boundary along them are known to 10 m, 28 m at twice both.
    found = bounds(*ground, "laochengxiang")["西至西馬路"]
    assert found.verdict == "ok"
    assert "偏離至多 17 米（容許 28 米）" in found.figures


def test_r10_a_side_that_its_road_carries_in_part(ground: tuple[Plan, Layers]) -> None:
    zone = item(ground[1], "shuishang-aoti")
    bulge = box(117.170, 39.065, 117.186, 39.083)
    zone["geometry"] = mapping(shape(zone["geometry"]).union(bulge))
    found = bounds(*ground, "shuishang-aoti")["東至衛津南路"]
    assert found.verdict == "differs"
    assert "公里不沿所列道路" in found.figures
    lon, lat = found.place or (0.0, 0.0)
    assert bulge.exterior.distance(shape({"type": "Point", "coordinates": (lon, lat)})) < 1e-4


def test_r10_what_is_not_located_or_stood_for_is_not_told(ground: tuple[Plan, Layers]) -> None:
    south = bounds(*ground, "shuishang-aoti")["南至津淶道"]
    assert (south.verdict, south.inferred) == ("cannot tell", True)
    assert "由陳塘莊支線南段代替" in south.figures
    west = bounds(*ground, "qihang-bay")["西至密雲路"]
    assert (west.verdict, west.inferred) == ("cannot tell", True)
    # Its latitude is inferred; where it is known only to 560 m, nothing over 1.5 km is on it.
    assert bounds(*ground, "qihang-bay")["南至中南道"].inferred
    item(ground[1], "zhongnan-road")["properties"]["accuracy_m"] = 560
    guessed = bounds(*ground, "qihang-bay")["南至中南道"]
    assert (guessed.verdict, guessed.inferred) == ("cannot tell", True)
    item(ground[1], "weijin-road")["geometry"] = None
    east = bounds(*ground, "qihang-bay")
    assert east["東至衛津路"].verdict == "cannot tell"
    assert east["東至紅旗路"].verdict == "ok"


def test_r11_an_axis_in_two_pieces(ground: tuple[Plan, Layers]) -> None:
    piece = item(ground[1], "smart-service-2")
    piece["geometry"] = mapping(affinity.translate(shape(piece["geometry"]), 0, -0.01))
    assert only(*ground, "R11")["smart-service"] == {"differs"}


@pytest.mark.parametrize(
    ("order", "verdict"),
    [
        ((0, 1, 2, 3, 4), "ok"),
        ((4, 3, 2, 1, 0), "ok"),
        ((0, 2, 4, 1, 3), "differs"),
        ((1, 0, 2, 3, 4), "differs"),
    ],
)
def test_r11_pieces_in_another_order(
    ground: tuple[Plan, Layers], order: tuple[int, ...], verdict: str
) -> None:
    pieces = [item(ground[1], f"innovation-fusion-{k}") for k in range(1, 6)]
    rest = [p for p in ground[1]["corridors"] if p not in pieces]
    ground[1]["corridors"] = [pieces[k] for k in order] + rest
    assert only(*ground, "R11")["innovation-fusion"] == {verdict}


def test_r11_an_axis_drawn_the_other_way(ground: tuple[Plan, Layers]) -> None:
    for piece in ground[1]["corridors"]:
        if piece["geometry"] is not None:
            piece["geometry"]["coordinates"] = piece["geometry"]["coordinates"][::-1]
    assert only(*ground, "R11") == only(ground[0], study_layers(), "R11")


def study_layers() -> Layers:
    return {k: list(v) for k, v in study.packaged().layers.items()}


def test_r11_a_piece_that_is_missing(ground: tuple[Plan, Layers]) -> None:
    """What a street without coordinates may close can't be told; what it can't close differs."""
    lost = item(ground[1], "innovation-fusion-3")
    lost["geometry"] = None
    for layer in (
        ground[1]["corridors"],
        [p for p in ground[1]["corridors"] if p is not lost],
    ):
        found = findings(ground[0], {**ground[1], "corridors": layer}, "R11")[0]
        assert (found.feature, found.verdict) == ("innovation-fusion", "cannot tell")
        assert found.figures == "分為不相接的 2 段；未定位：南馬路"
    piece = item(ground[1], "innovation-fusion-2")
    piece["geometry"] = mapping(affinity.translate(shape(piece["geometry"]), 0, -0.1))
    assert only(*ground, "R11")["innovation-fusion"] == {"differs"}


def test_r11_pieces_that_change_places(ground: tuple[Plan, Layers]) -> None:
    one, other = (item(ground[1], f"innovation-resource-{k}") for k in (3, 4))
    one["geometry"], other["geometry"] = other["geometry"], one["geometry"]
    (found,) = [f for f in findings(*ground, "R11") if f.feature == "innovation-resource"]
    assert found.verdict == "differs"
    assert "未與規劃原文所列在前的道路相接：中南道" in found.figures
    # Along an axis of two streets every order is one; but neither piece is on its street.
    one, other = (item(ground[1], f"smart-service-{k}") for k in (1, 2))
    one["geometry"], other["geometry"] = other["geometry"], one["geometry"]
    (found,) = [f for f in findings(*ground, "R11") if f.feature == "smart-service"]
    assert found.verdict == "differs"
    assert "不沿其路：紅旗路、紅旗南路" in found.figures


@pytest.mark.parametrize(
    ("along", "ordered"),
    [
        # Main roads A and B, extensions C and D, west to east.
        ("ABCD", True),
        ("DCBA", True),
        ("CABD", True),
        ("DABC", True),
        ("DBAC", True),
        ("DCAB", True),
        ("ABDC", False),
        ("CDAB", False),
    ],
)
def test_r11_along_the_corridor_from_either_end(along: str, ordered: bool) -> None:
    """On a line of four roads of a kilometre each, the order that a clause allows."""
    roads: dict[str, Role] = {"A": "main", "B": "main", "C": "extension", "D": "extension"}
    corridor = replace(
        next(f for f in plans.packaged().features if f.id == "smart-service"),
        axis=tuple(AxisPart(name, role) for name, role in roads.items()),
        joins=(),
        claims=(),
    )
    pieces = [
        {
            "properties": {"corridor": corridor.id, "street_name": name, "status": "osm"},
            "geometry": {
                "type": "LineString",
                "coordinates": [[117 + along.index(name) / 100 + end / 100, 39] for end in (0, 1)],
            },
        }
        for name in roads
    ]
    streets = [
        {
            "properties": {"id": name, "accuracy_m": 5.0, "aliases": []}
            | dict.fromkeys(("name", "name_hans", "name_en"), name),
            "geometry": piece["geometry"],
        }
        for name, piece in zip(roads, pieces, strict=True)
    ]
    plan, layers = Plan((corridor,)), {"corridors": pieces, "streets": streets}
    assert only(plan, layers, "R11")[corridor.id] == ({"ok"} if ordered else {"differs"})
    # Without the streets nothing says whether the pieces lie on them.
    layers.pop("streets")
    assert only(plan, layers, "R11")[corridor.id] == ({"cannot tell"} if ordered else {"differs"})


def test_r12_a_target_that_is_not_located(ground: tuple[Plan, Layers]) -> None:
    plan, layers = ground

    def found(corridor: str) -> Finding:
        return next(f for f in findings(plan, layers, "R12") if f.feature == corridor)

    item(layers, "laochengxiang")["geometry"] = None
    assert found("smart-service").verdict == "cannot tell"
    assert "老城廂「文商旅」升級發展集聚區：無從判斷" in found("smart-service").figures
    # A target that is far decides, whatever the other would say.
    item(layers, "xiyingmen")["geometry"] = mapping(box(117.0, 39.0, 117.01, 39.01))
    assert found("innovation-fusion").verdict == "differs"
    layers["zones"] = []
    assert found("smart-service").verdict == "cannot tell"
    assert "缺圖層 zones" in found("smart-service").figures


#: Who is listed by no zone is said by the plan alone.
OF_THE_PLAN_ALONE = "R09"


def test_without_layers_nothing_is_held_to_anything() -> None:
    found = [f for f in check(plans.packaged(), {}) if f.rule != OF_THE_PLAN_ALONE]
    assert {f.rule for f in found} == {r.id for r in checks.RULES} - {OF_THE_PLAN_ALONE}
    assert {f.verdict for f in found} == {"cannot tell"}
    assert all("缺圖層 " in f.figures for f in found)


@cache
def everything() -> list[Finding]:
    """What all rules find in the packaged plan, in the language of these tests."""
    return check(plans.packaged(), study_layers())


@pytest.mark.parametrize("layer", ["district", "zones", "parcel", "subdistricts", "streets"])
def test_a_missing_layer_is_named_and_the_others_are_checked(layer: str) -> None:
    packaged = plans.packaged()
    rest = {k: v for k, v in study_layers().items() if k != layer}
    found = check(packaged, rest)
    assert found == check(packaged, {**rest, layer: []})
    told = [f for f in found if f"缺圖層 {layer}" in f.figures]
    assert {f.verdict for f in told} == {"cannot tell"}
    same = {(f.rule, f.feature, f.figures, f.verdict) for f in everything()}
    assert all((f.rule, f.feature, f.figures, f.verdict) in same for f in found if f not in told)


def test_r12_a_corridor_that_does_not_reach(ground: tuple[Plan, Layers]) -> None:
    assert only(*ground, "R12")["innovation-fusion"] == {"ok"}
    for piece in ground[1]["corridors"]:
        if piece["properties"]["street_name"] in ("南馬路", "南門外大街", "黃河道"):
            piece["geometry"] = None
    assert only(*ground, "R12")["innovation-fusion"] == {"differs"}


def test_r13_a_subdistrict_that_a_corridor_does_not_touch(ground: tuple[Plan, Layers]) -> None:
    plan, layers = ground
    features = tuple(
        replace(f, claims=("華苑街",)) if f.id == "innovation-fusion" else f for f in plan.features
    )
    assert only(Plan(features), layers, "R13")["innovation-fusion"] == {"differs"}


def test_rules_can_be_left_out_by_name_only(ground: tuple[Plan, Layers]) -> None:
    rules = [r.id for r in checks.RULES]
    assert {f.rule for f in check(*ground, rules[1:])} == {rules[0]}
    with pytest.raises(NotFoundError, match="沒有名為「R99」的規則"):
        check(*ground, ["R99"])


def test_an_unmeasured_square_agrees_with_nothing_it_does_not_state(
    ground: tuple[Plan, Layers],
) -> None:
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(box(117.17, 39.137, 117.18, 39.142))
    assert "laochengxiang" not in only(*ground, "R06")


def test_the_command(run: Run, tmp_path: Path) -> None:
    chinese = {words.VARIABLE: "zh-Hant"}
    done = run("check", **chinese)
    assert done.returncode == 0
    assert "華苑街道未列入任何片區" in done.stdout.decode()
    done = run("check", "--strict", "--format", "json", "--without", "R07=not now")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["left_out"] == {"R07": "not now"}
    assert all(f["rule"] != "R07" for f in document["findings"])
    assert run("check", "--without", "R07").returncode == 2
    assert run("check", "--without", "R99=x").returncode == 1
    assert "R12" in run("check", "--rules").stdout.decode()
    for option in ("--rules", "--list"):
        rules = json.loads(run("check", option, "--format", "json", **chinese).stdout)["rules"]
        assert [rule["rule"] for rule in rules] == [rule.id for rule in checks.RULES]
    assert [example["verdict"] for example in rules[0]["examples"]] == ["相符", "不符"]
    assert "相符：兩個片區共一條邊。" in run("check", "--list", **chinese).stdout.decode()
    assert run("check", "--rules", "--format", "html").returncode == 2
    assert run("check", "--format", "html", "-o", "c.html", **chinese).returncode == 0
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "華苑街道未列入任何片區" in page


def test_what_a_definition_reads_into_its_clause_is_told() -> None:
    packaged = plans.packaged()
    zone = next(f for f in packaged.features if f.id == "laochengxiang")
    sides = {**zone.sides, "south": ("復康路", "南開二緯路"), "west": ("西馬路",)}
    changed = replace(zone, sides=sides)
    features = tuple(changed if f is zone else f for f in packaged.features)
    layers = study.packaged().layers
    (found,) = [f for f in findings(Plan(features), layers, "R14") if f.feature == zone.id]
    assert found.verdict == "differs"
    assert "南至：規劃原文為南馬路、南開二緯路，定義為復康路、南開二緯路" in found.figures
    assert "西至：規劃原文為西馬路、南開三馬路，定義為西馬路" in found.figures
    before = findings(packaged, layers, "R14")
    assert {f.feature: f.verdict for f in before}["laochengxiang"] == "ok"
    assert {f.feature: f.verdict for f in before}["nankai"] == "cannot tell"


def test_a_corridor_with_a_street_more_or_less_is_told() -> None:
    packaged = plans.packaged()
    corridor = next(f for f in packaged.features if f.id == "smart-service")
    changed = replace(corridor, axis=corridor.axis[:1])
    features = tuple(changed if f is corridor else f for f in packaged.features)
    found = only(Plan(features), study_layers(), "R14")
    assert found["smart-service"] == {"differs"}
    assert found["innovation-fusion"] == {"ok"}


@pytest.mark.parametrize(
    "geometry",
    [
        {
            "type": "MultiPolygon",
            "coordinates": [[[[117, 39], [117.01, 39], [117, 39.01], [117, 39]]]],
        },
        {"type": "Polygon", "coordinates": []},
    ],
)
def test_r06_what_is_no_single_polygon(
    ground: tuple[Plan, Layers], geometry: dict[str, Any]
) -> None:
    ground[1]["parcel"][0]["geometry"] = geometry
    assert only(*ground, "R06")["xiyingmen"] == {"cannot tell"}
