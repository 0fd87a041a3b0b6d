"""Clauses that may mean several rings, or name what the network lacks, on streets made for it."""

from __future__ import annotations

import pytest
import shapely
from cities import Draft, grid

from nankai_gis.compiler.choice import AmbiguousRingError
from nankai_gis.compiler.compiled import compile_clause
from nankai_gis.compiler.confidence import confidences
from nankai_gis.compiler.ring import Ring, ring_area
from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.errors import GeometryError, RoadNotFoundError
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Origin, Roads

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
    # `tests/benchmarks/test_compiler.py` measures how soon.
    with pytest.raises(GeometryError):
        ring_of_sides({side: names.split("、") for side, names in sides.items()}, lines)
