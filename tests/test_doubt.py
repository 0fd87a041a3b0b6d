"""Clauses that may mean several rings, or name what the network lacks, on streets made for it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import shapely
from cities import Draft, grid

from nankai_gis.compiler.choice import AmbiguousRingError
from nankai_gis.compiler.compiled import compile_clause
from nankai_gis.compiler.confidence import confidences
from nankai_gis.compiler.layers import derived_features, plan_layers
from nankai_gis.compiler.remarks import doubts_of
from nankai_gis.compiler.ring import Ring, ring_area
from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.errors import GeometryError, RoadNotFoundError
from nankai_gis.measure.checks import check
from nankai_gis.measure.features import areas
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Origin, Roads
from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.model import Feature, Names

SIDES = {"north": ["北道"], "east": ["東路"], "south": ["南道"], "west": ["西路"]}
CLAUSE = "東至東路,南至南道,西至西路,北至北道"


def network(draft: Draft, turn: float = 0.0) -> OsmNetwork:
    frame = draft.city(turn=turn).frame
    return OsmNetwork(Roads(frame, Origin("city", "xml", "2026-01-01", (0, 0, 0, 0), 0, 0, 0)))


def open_block(width: float = 1000.0) -> Draft:
    """A block that lacks its western street."""
    return (
        Draft()
        .add("北道", [(-1500, 600), (width + 300, 600)])
        .add("南道", [(-1500, 0), (width + 300, 0)])
        .add("東路", [(width, -200), (width, 800)])
    )


def km2(ring: Ring) -> float:
    return ring_area(ring) / 1e6


# ------------------------------------------------------------------ one name, several roads


@pytest.mark.parametrize("turn", [0, 25])
def test_of_a_stub_and_a_long_street_the_street_is_meant(turn: float) -> None:
    # The stub lies inside, so that the ring along it is the shorter.
    draft = open_block().add("西路", [(0, -6000), (0, 6000)]).add("西路", [(500, -50), (500, 650)])
    ring = ring_of_sides(SIDES, network(draft, turn))
    assert km2(ring) == pytest.approx(0.6, rel=0.01)
    (other,) = ring.alternatives
    assert other.area_m2 == pytest.approx(0.3e6, rel=0.01)
    assert set(confidences(ring)) == {"fair"}


@pytest.mark.parametrize(("longer", "decided"), [(9.8, False), (10.2, True)])
def test_a_street_ten_times_as_long_is_no_namesake(longer: float, decided: bool) -> None:
    length = 700 * longer
    draft = open_block().add("西路", [(0, -200), (0, length - 200)])
    lines = network(draft.add("西路", [(500, -50), (500, 650)]))
    if decided:
        assert km2(ring_of_sides(SIDES, lines)) == pytest.approx(0.6, rel=0.01)
    else:
        with pytest.raises(AmbiguousRingError):
            ring_of_sides(SIDES, lines)


@pytest.mark.parametrize("apart", [800, 1300])
def test_two_roads_of_one_name_are_refused_with_the_choices(apart: float) -> None:
    draft = open_block().add("西路", [(0, -200), (0, 900)])
    lines = network(draft.add("西路", [(-apart, -200), (-apart, 900)]), turn=10)
    with pytest.raises(AmbiguousRingError) as caught:
        ring_of_sides(SIDES, lines)
    areas = [choice.area_m2 / 1e6 for choice in caught.value.choices]
    assert areas == pytest.approx([0.6, 0.6 + apart * 600 / 1e6], rel=0.01)
    assert "0.60 sq km" in str(caught.value)
    # A place that only one contains decides, and so does an area that the plan states.
    (position,) = shapely.get_coordinates(
        shapely.Polygon(caught.value.choices[1].ring.coordinates)
        .difference(shapely.Polygon(caught.value.choices[0].ring.coordinates))
        .representative_point()
    )
    wide = ring_of_sides(SIDES, lines, [tuple(position)])
    assert km2(wide) == pytest.approx(areas[1])
    stated = ring_of_sides(SIDES, lines, stated_area_m2=areas[1] * 1e6 * 1.05)
    assert km2(stated) == pytest.approx(areas[1])
    assert len(stated.alternatives) == 1


@pytest.mark.parametrize(("off", "decided"), [(1.09, True), (1.11, False)])
def test_a_stated_area_decides_within_a_tenth(off: float, decided: bool) -> None:
    draft = open_block().add("西路", [(0, -200), (0, 900)])
    lines = network(draft.add("西路", [(-800, -200), (-800, 900)]))
    if decided:
        assert km2(ring_of_sides(SIDES, lines, stated_area_m2=0.6e6 / off)) == pytest.approx(
            0.6, rel=0.01
        )
    else:
        with pytest.raises(AmbiguousRingError):
            ring_of_sides(SIDES, lines, stated_area_m2=0.6e6 / off)


def test_the_readings_are_a_table_also_where_nothing_decides() -> None:
    draft = open_block().add("西路", [(0, -200), (0, 900)])
    lines = network(draft.add("西路", [(-800, -200), (-800, 900)]))
    refused = compile_clause(CLAUSE, lines, errors="return")
    assert refused.readings.chosen.tolist() == [False, False]
    assert refused.readings.area_m2.tolist() == pytest.approx([0.6e6, 1.08e6], rel=0.01)
    draft = open_block().add("西路", [(0, -6000), (0, 6000)]).add("西路", [(500, -50), (500, 650)])
    made = compile_clause(CLAUSE, network(draft))
    assert made.readings.chosen.tolist() == [True, False]
    assert "far longer" in made.readings["for"][0]
    assert made.readings.geometry[0].equals(made.polygon)


def test_the_carriageways_of_side_roads_are_no_two_roads() -> None:
    # 輔路 on both sides of the main road, 120 m apart.
    draft = open_block().add("西路", [(-60, -200), (-60, 900)]).add("西路", [(60, 900), (60, -200)])
    ring = ring_of_sides(SIDES, network(draft))
    assert km2(ring) == pytest.approx(0.564, rel=0.01)
    (other,) = ring.alternatives
    assert other.area_m2 == pytest.approx(0.636e6, rel=0.01)
    assert "high" not in confidences(ring)


@pytest.mark.parametrize(("apart", "paired"), [(245, True), (255, False)])
def test_side_roads_lie_within_a_quarter_of_a_kilometre(apart: float, paired: bool) -> None:
    draft = open_block().add("西路", [(0, -200), (0, 900)])
    lines = network(draft.add("西路", [(-apart, 900), (-apart, -200)]))
    if paired:
        assert len(ring_of_sides(SIDES, lines).alternatives) == 1
    else:
        with pytest.raises(AmbiguousRingError):
            ring_of_sides(SIDES, lines)


def test_a_road_that_breaks_off_gives_way_to_one_that_does_not() -> None:
    # The western road bridges 300 m; its namesake further out is whole.
    draft = open_block().add("西路", [(0, -300), (0, 150)]).add("西路", [(0, 450), (0, 900)])
    lines = network(draft.add("西路", [(-900, -200), (-900, 900)]))
    with pytest.raises(AmbiguousRingError):
        ring_of_sides(SIDES, lines)


# ------------------------------------------------------------------ a side that is missing


def guessed() -> OsmNetwork:
    """A block whose western street has no name on the map, beside a street of another name."""
    return network(open_block().add("旁路", [(-200, -200), (-200, 900)]))


def test_a_side_that_the_network_lacks_is_refused_with_near_names() -> None:
    draft = open_block().add("西大路", [(-200, -200), (-200, 900)])
    with pytest.raises(RoadNotFoundError, match=r"west side: 西路 \(near names: ") as caught:
        ring_of_sides(SIDES, network(draft))
    assert "--allow-missing" in str(caught.value)
    assert "西大路" in caught.value.candidates


def test_a_side_that_may_be_guessed_is_low_all_round() -> None:
    ring = ring_of_sides(SIDES, guessed(), allow_missing=True)
    assert list(ring.missing) == ["西路"]
    assert set(confidences(ring)) == {"low"}
    assert compile_clause(CLAUSE, guessed(), allow_missing=True).error is None


def test_one_of_two_roads_of_a_side_may_be_missing_and_lowers_the_confidence() -> None:
    draft = open_block().add("西路", [(0, -200), (0, 900)])
    ring = ring_of_sides({**SIDES, "west": ["西路", "西二路"]}, network(draft))
    assert list(ring.missing) == ["西二路"]
    assert set(confidences(ring)) == {"low"}


# ------------------------------------------------------------------ sides that don't close


def test_what_each_road_meets_and_the_nearest_miss_are_said() -> None:
    draft = open_block().add("西路", [(0, 401), (0, 900)])
    with pytest.raises(GeometryError) as caught:
        ring_of_sides(SIDES, network(draft))
    said = str(caught.value)
    assert "西路 meets only 北道" in said
    assert "西路 misses 南道 by 401 m (an end is carried on by at most 400 m)" in said


@pytest.mark.parametrize(
    ("east", "south", "west", "north"),
    [
        ("縱1路、縱2路", "橫1道、橫2道", "縱5路、縱6路", "橫6道、橫7道"),
        ("縱5路、縱1路", "橫1道、橫6道", "縱6路、縱2路", "橫2道、橫7道"),
        ("縱5路、縱7路", "橫1道、橫3道", "縱1路、斷路", "橫6道、橫8道"),
    ],
)
def test_a_wrong_clause_of_eight_roads_is_refused(
    east: str, south: str, west: str, north: str
) -> None:
    draft = grid(8, 8, width=24).add("斷路", [(-900, 300), (-900, 700)])
    lines = network(draft.add("斜路", [(-100, -50), (2900, 2850)]), turn=10)
    sides = {"east": east, "south": south, "west": west, "north": north}
    with pytest.raises(GeometryError):
        ring_of_sides({side: names.split("、") for side, names in sides.items()}, lines)


# ------------------------------------------------------------------ what is inferred


def layer_of(draft: Draft) -> dict[str, Any]:
    """The block as a feature of a layer."""
    (feature,) = derived_features([compile_clause(CLAUSE, network(draft)).derived], "city")
    return feature


def parts_of(feature: dict[str, Any], status: str) -> list[dict[str, Any]]:
    return [part for part in feature["properties"]["parts"] if part["status"] == status]


def with_break(gap: float) -> Draft:
    """A block whose western street breaks off in its middle."""
    low, high = 300 - gap / 2, 300 + gap / 2
    return open_block().add("西路", [(0, -500), (0, low)]).add("西路", [(0, high), (0, 1100)])


@pytest.mark.parametrize("gap", [100, 400])
def test_a_straight_line_over_a_break_is_a_stretch_that_is_inferred(gap: float) -> None:
    # Up to 150 m the centreline bridges the break, beyond that the compiler.
    feature = layer_of(with_break(gap))
    (part,) = parts_of(feature, "inferred")
    assert part["gap_m"] == pytest.approx(gap, abs=1)
    assert part["accuracy_m"] == pytest.approx(math.hypot(5, gap / 20), abs=0.1)
    (row,) = areas([feature | {"properties": feature["properties"] | {"stated_area_m2": None}}])
    assert row.inferred_share == pytest.approx(gap / 3200, rel=0.01)
    assert row.status == "inferred"
    (doubt,) = row.in_doubt
    assert f"the network breaks off for {gap} m" in doubt
    # The three other sides and what the street has, to 5 m; and the break by itself.
    sides = [1000 * 5, 1000 * 5, 600 * 5, (600 - gap) * 5, gap * math.hypot(5, gap / 20)]
    assert row.area_sd_m2 == pytest.approx(math.hypot(*sides), rel=0.01)


@pytest.mark.parametrize(("gap", "inferred"), [(59, 0), (61, 1)])
def test_a_break_within_sixty_metres_is_within_the_accuracy(gap: float, inferred: int) -> None:
    feature = layer_of(with_break(gap))
    assert len(parts_of(feature, "inferred")) == inferred
    assert len(feature["properties"]["doubts"]) == inferred


def test_the_accuracy_over_a_break_grows_with_it() -> None:
    found = [parts_of(layer_of(with_break(gap)), "inferred")[0]["accuracy_m"] for gap in (80, 500)]
    assert found == pytest.approx([6.4, 25.5], abs=0.1)


def test_an_end_that_is_carried_on_is_inferred_for_its_own_length() -> None:
    feature = layer_of(open_block().add("西路", [(0, 250), (0, 900)]))
    (part,) = parts_of(feature, "inferred")
    assert part["gap_m"] == pytest.approx(250, abs=1)
    assert part["accuracy_m"] == pytest.approx(math.hypot(5, 25), abs=0.1)
    (doubt,) = doubts_of(feature["properties"])
    assert "西路 stops 250 m short of 南道" in doubt


def test_a_street_that_the_clause_does_not_name_is_inferred() -> None:
    draft = Draft().add("南道", [(-200, 0), (1200, 0)]).add("西路", [(0, -200), (0, 1200)])
    draft.add("北道", [(-200, 1000), (500, 1000)]).add("東路", [(1000, -200), (1000, 500)])
    draft.add("連路", [(450, 1100), (450, 450), (1100, 450)])
    made = compile_clause(CLAUSE, network(draft))
    (feature,) = derived_features([made.derived], "city")
    (part,) = parts_of(feature, "inferred")
    assert part["name"] == "連路"
    (doubt,) = doubts_of(feature["properties"])
    assert "don't meet; 連路, which the clause doesn't name, joins them over 1,1" in doubt


def test_which_of_two_side_roads_the_boundary_follows_is_said() -> None:
    draft = open_block().add("西路", [(-60, -200), (-60, 900)]).add("西路", [(60, 900), (60, -200)])
    feature = layer_of(draft)
    doubts = doubts_of(feature["properties"])
    assert doubts[0].endswith("120 m apart; the boundary follows the one in the east")
    assert doubts[1].startswith("another ring fits the clause")
    assert "0.64 sq km" in doubts[1]
    (part,) = [part for part in feature["properties"]["parts"] if part["name"] == "西路"]
    assert part["accuracy_m"] == pytest.approx(math.hypot(5, 60), abs=0.5)


def test_a_check_cannot_tell_where_the_network_breaks_off() -> None:
    lines = network(with_break(400))
    zone = Feature(
        "a", "zone", Names("甲", "甲", "A"), CLAUSE, "osm", "",
        sides={side: tuple(names) for side, names in SIDES.items()},
    )  # fmt: skip
    plan = Plan((zone,))
    findings = [f for f in check(plan, plan_layers(plan, lines)) if f.rule == "R10"]
    verdicts = {f.figures.split(",")[0]: f.verdict for f in findings}
    assert verdicts == {
        "east side": "ok", "south side": "ok", "west side": "cannot tell", "north side": "ok",
    }  # fmt: skip
    (west,) = [f for f in findings if f.verdict == "cannot tell"]
    assert "the network breaks off here for 400 m" in west.figures
