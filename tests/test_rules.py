"""Each rule passes its passing case, fails its failing one, and turns at its thresholds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nankai_gis import words
from nankai_gis.measure import features
from nankai_gis.measure.checks import RULES, Finding, Rule, covered
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, along
from nankai_gis.measure.checks.r10_sides import _Beside, _details, _Lengths, _verdict

BY_ID = {rule.id: rule for rule in RULES}
# Metres of a hundredth of a degree at 39 N, east and north.
EAST_M, NORTH_M = 865.6, 1110.2


def verdicts(rule: str, case: Case) -> set[str]:
    return {finding.verdict for finding in found(BY_ID[rule], case)}


def found(rule: Rule, case: Case) -> list[Finding]:
    return list(rule.examine(CheckContext(case.plan(), case.layers())))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_cases(rule: Rule) -> None:
    assert {finding.verdict for finding in found(rule, rule.passing)} == {"ok"}
    worst = {finding.verdict for finding in found(rule, rule.failing)} - {"ok"}
    # A road without coordinates can't be told; every other rule has a case that differs.
    assert worst == ({"cannot tell"} if rule.id == "R02" else {"differs"})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_findings_speak_the_language_in_force(rule: Rule, lang: words.Language) -> None:
    kept = [*found(rule, rule.passing), *found(rule, rule.failing)]
    with words.speaking("en"):
        english = [finding.figures for finding in kept]
    with words.speaking(lang):
        shown = [finding.figures for finding in kept]
    assert all(shown)
    assert (shown == english) is (lang == "en")


@pytest.mark.parametrize(("strip_m2", "verdict"), [(0.9, "ok"), (1.1, "differs")])
def test_overlaps_count_from_a_square_metre(strip_m2: float, verdict: str) -> None:
    width = strip_m2 / EAST_M / NORTH_M
    zones = {"zone a": rectangle(0, 0, 1, 1), "zone b": rectangle(1 - width, 0, 2, 1)}
    assert verdicts("R03", Case("", zones)) == {verdict}
    parcel = {"zone a": rectangle(0, 0, 1, 1), "parcel p": rectangle(0, 0, 1 + width, 1)}
    assert verdicts("R05", Case("", parcel, definitions={"p": {"within": "a"}})) == {verdict}
    district = {"district d": rectangle(0, 0, 1, 1), "zone a": rectangle(0, 0, 1 + width, 1)}
    assert verdicts("R04", Case("", district)) == {verdict}


def band(*lines: tuple[tuple[float, float], ...], **more: object) -> Case:
    roads = {f"Road {k}": line for k, line in enumerate(lines)}
    return Case("", roads=roads, corridors={"band": tuple(roads)}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("metres", "near"), [(0.9, True), (1.1, False)])
def test_corridors_end_join_and_reach_to_a_metre(metres: float, near: bool) -> None:
    verdict, gap = {"ok" if near else "differs"}, metres / EAST_M
    district = {"district d": rectangle(0, -1, 1, 1)}
    assert verdicts("R04", band(((0, 0), (1 + gap, 0)), polygons=district)) == verdict
    assert verdicts("R11", band(((0, 0), (1, 0)), ((1 + gap, 0), (2, 0)))) == verdict
    zone = {"zone a": rectangle(1 + gap, -1, 2, 1)}
    joins = {"band": {"joins": ("a",)}}
    assert verdicts("R12", band(((0, 0), (1, 0)), polygons=zone, definitions=joins)) == verdict
    # Beside the edge of a subdistrict.
    sub = {"subdistrict s": rectangle(0, metres / NORTH_M, 1, 1)}
    claims = {"band": {"claims": ("s",)}}
    assert verdicts("R13", band(((0, 0), (1, 0)), polygons=sub, definitions=claims)) == verdict


@pytest.mark.parametrize(("metres", "verdict"), [(99.0, "differs"), (101.0, "ok")])
def test_a_subdistrict_is_touched_from_100_m(metres: float, verdict: str) -> None:
    # What lies within a metre of the edge counts.
    sub = {"subdistrict s": rectangle(1 - (metres - 1) / EAST_M, -1, 2, 1)}
    case = band(((0, 0), (1, 0)), polygons=sub, definitions={"band": {"claims": ("s",)}})
    assert verdicts("R13", case) == {verdict}


@pytest.mark.parametrize(("deviations", "verdict"), [(1.99, "ok"), (2.01, "differs")])
def test_areas_and_courses_agree_within_two_standard_deviations(
    deviations: float, verdict: str
) -> None:
    zone = {"zone a": rectangle(0, 0, 1, 1)}
    (row,) = features.areas(Case("", zone).layers()["zones"])
    stated = row.area_m2 + deviations * row.area_sd_m2
    case = Case("", zone, definitions={"a": {"stated_area_m2": stated}})
    assert verdicts("R06", case) == {verdict}
    # A corridor beside its road, which is known to 10 m.
    case = band(((0, 0), (1, 0)))
    layers = case.layers()
    north = deviations * 10 / NORTH_M / 100
    course = [[lon, lat + north] for lon, lat in layers["streets"][0]["geometry"]["coordinates"]]
    layers["corridors"][0]["geometry"] = {"type": "LineString", "coordinates": course}
    (finding,) = BY_ID["R11"].examine(CheckContext(case.plan(), layers))
    assert finding.verdict == verdict


@pytest.mark.parametrize(
    ("area", "share", "counts"),
    [(0, 0.02, True), (0, 0.0199, False), (50_000, 0, True), (49_999, 0, False)],
)
def test_a_subdistrict_counts_as_covered(area: float, share: float, counts: bool) -> None:
    assert covered.counts(area, share) is counts


@pytest.mark.parametrize(("degrees", "adjacent"), [(5e-10, True), (2e-9, False)])
def test_what_is_only_adjacent_is_said(degrees: float, adjacent: bool) -> None:
    sub = rectangle(1 + degrees * 100, 0, 2, 1)
    polygons = {"zone a": rectangle(0, 0, 1, 1), "subdistrict s": sub}
    (finding,) = found(BY_ID["R07"], Case("", polygons, definitions={"a": {"claims": ("s",)}}))
    assert ("only adjacent" in finding.figures) is adjacent


@pytest.mark.parametrize(("degrees", "runs"), [(44.9, True), (45.1, False)])
def test_lines_run_along_each_other_within_45_degrees(degrees: float, runs: bool) -> None:
    assert along(math.cos(math.radians(degrees))) is runs


ROAD = _Beside(True, (), False, 10.0, np.zeros(1), np.ones(1, bool), np.zeros(1, bool), ())


@pytest.mark.parametrize(
    ("lengths", "verdict"),
    [
        (_Lengths(751, 0, 249), "ok"),
        (_Lengths(750, 0, 250), "differs"),
        # A stair comes back along its road; a quarter of it on its side is enough.
        (_Lengths(250, 750, 0), "ok"),
        (_Lengths(249, 751, 0), "differs"),
        # As long as the band of accuracy is wide.
        (_Lengths(20, 0, 0), "cannot tell"),
        (_Lengths(20.1, 0, 0), "ok"),
    ],
)
def test_a_road_bounds_its_side_from_three_quarters(lengths: _Lengths, verdict: str) -> None:
    assert _verdict(ROAD, lengths) == verdict


@pytest.mark.parametrize(("metres", "told"), [(9.9, False), (10.0, True)])
def test_a_step_along_no_named_road_is_told(metres: float, told: bool) -> None:
    context = CheckContext(Case("").plan(), {})
    details = _details(context, ROAD, _Lengths(100, 0, metres), "ok", 0.0, True)
    assert any("along no named road" in str(detail) for detail in details) is told
