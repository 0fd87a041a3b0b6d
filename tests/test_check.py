"""Each rule sees the fault that it is there for, and leaves the rest alone."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shapely import affinity
from shapely.geometry import box, mapping, shape

from nankai_gis import check as checks
from nankai_gis import plan as plans
from nankai_gis import study
from nankai_gis.check import Finding, check
from nankai_gis.errors import NotFoundError
from nankai_gis.plan import Plan

Layers = dict[str, list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


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


def only(plan: Plan, layers: Layers, rule: str) -> dict[str, set[str]]:
    others = [r.id for r in checks.RULES if r.id != rule]
    return verdicts(check(plan, layers, others), rule)


def test_what_is_known_to_differ_in_the_packaged_plan(ground: tuple[Plan, Layers]) -> None:
    found = check(*ground)
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
        "south": ("南馬路",),
        "west": ("張自忠路",),
        "north": ("長江道",),
    }
    features = tuple(
        replace(f, sides=swapped) if f.id == "laochengxiang" else f for f in plan.features
    )
    found = [
        f for f in check(Plan(features), layers) if (f.rule, f.feature) == ("R10", "laochengxiang")
    ]
    assert [f.verdict for f in found] == ["differs", "ok", "differs", "cannot tell"]


def test_r11_an_axis_in_two_pieces(ground: tuple[Plan, Layers]) -> None:
    piece = item(ground[1], "smart-service-2")
    piece["geometry"] = mapping(affinity.translate(shape(piece["geometry"]), 0, -0.01))
    assert only(*ground, "R11")["smart-service"] == {"differs"}


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
    assert not [f for f in check(*ground, ["R07"]) if f.rule == "R07"]
    with pytest.raises(NotFoundError, match="no rule is called 'R99'"):
        check(*ground, ["R99"])


def test_an_unmeasured_square_agrees_with_nothing_it_does_not_state(
    ground: tuple[Plan, Layers],
) -> None:
    zone = item(ground[1], "laochengxiang")
    zone["geometry"] = mapping(box(117.17, 39.137, 117.18, 39.142))
    assert "laochengxiang" not in only(*ground, "R06")


def test_the_command(run: Run, tmp_path: Path) -> None:
    done = run("check")
    assert done.returncode == 0
    assert "華苑街道未列入任何片區" in done.stdout.decode()
    assert run("check", "--strict").returncode == 3
    document = json.loads(run("check", "--format", "json", "--without", "R07=not now").stdout)
    assert document["left_out"] == {"R07": "not now"}
    assert all(f["rule"] != "R07" for f in document["findings"])
    assert run("check", "--without", "R07").returncode == 2
    assert run("check", "--without", "R99=x").returncode == 1
    assert "R12" in run("check", "--rules").stdout.decode()
    assert run("check", "--format", "html", "-o", "c.html").returncode == 0
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
    (found,) = [
        f for f in check(Plan(features), layers) if f.rule == "R14" and f.feature == zone.id
    ]
    assert found.verdict == "differs"
    assert "條文南至南馬路、南開二緯路,定義為復康路、南開二緯路" in found.figures
    assert "條文西至西馬路、南開三馬路,定義為西馬路" in found.figures
    before = [f for f in check(packaged, layers) if f.rule == "R14"]
    assert {f.feature: f.verdict for f in before}["laochengxiang"] == "ok"
    assert {f.feature: f.verdict for f in before}["nankai"] == "cannot tell"


def test_a_corridor_with_a_street_more_or_less_is_told() -> None:
    packaged = plans.packaged()
    corridor = next(f for f in packaged.features if f.id == "smart-service")
    changed = replace(corridor, axis=corridor.axis[:1])
    features = tuple(changed if f is corridor else f for f in packaged.features)
    verdicts = {
        f.feature: f.verdict
        for f in check(Plan(features), study.packaged().layers)
        if f.rule == "R14"
    }
    assert verdicts["smart-service"] == "differs"
    assert verdicts["innovation-fusion"] == "ok"
