"""Every number that decides about streets, at its boundary: a little less, a little more."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cities import Draft, quarter

from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.network import streets
from nankai_gis.network.centreline.gaps import find_breaks
from nankai_gis.network.centreline.sections import cross_sections, stations_along
from nankai_gis.network.centreline.strokes import segments, strokes
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Origin, Roads


def only(draft: Draft) -> streets.Street:
    made = streets.build(draft.city().frame)
    (name,) = made
    return made.find(name)


@pytest.mark.parametrize(("width", "share", "metres"), [(39.5, 1, 1000), (40.5, 0, 2000)])
def test_carriageways_within_forty_metres_are_one_street(
    width: float, share: float, metres: float
) -> None:
    street = only(Draft().add("寬路", [(0, 0), (1000, 0)], width=width))
    assert street.dual_share == pytest.approx(share, abs=1e-6)
    assert street.centreline_length_m == pytest.approx(metres, abs=0.5)


@pytest.mark.parametrize(("metres", "bridged"), [(149, True), (151, False)])
def test_a_break_is_bridged_within_a_hundred_and_fifty_metres(metres: float, bridged: bool) -> None:
    half = metres / 2000
    street = only(Draft().add("橋路", [(0, 0), (1000, 0)], gaps=((0.5 - half, 0.5 + half),)))
    (gap,) = street.gaps
    assert gap.bridged is bridged


@pytest.mark.parametrize(("degrees", "bridged"), [(59, True), (61, False)])
def test_ends_face_each_other_within_sixty_degrees(degrees: float, bridged: bool) -> None:
    east = 500 + 120 * math.cos(math.radians(degrees))
    north = 120 * math.sin(math.radians(degrees))
    draft = Draft().add("錯路", [(0, 0), (500, 0)])
    street = only(draft.add("錯路", [(east, north), (east + 500, north)]))
    (gap,) = street.gaps
    assert gap.bridged is bridged
    assert gap.metres == pytest.approx(120, abs=0.5)


@pytest.mark.parametrize(("degrees", "bridged"), [(59, True), (61, False)])
def test_an_end_points_at_a_side_within_sixty_degrees(degrees: float, bridged: bool) -> None:
    # The foot is north of the end, which runs out towards the north-east.
    ahead = np.array([math.sin(math.radians(degrees)), math.cos(math.radians(degrees))])
    draft = Draft().add("側路", [(-900, 100), (900, 100)])
    street = only(draft.add("側路", [tuple(-400 * ahead), (0, 0)]))
    (gap,) = street.gaps
    assert gap.bridged is bridged
    assert gap.metres == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize(("degrees", "count"), [(69, 2), (71, 3)])
def test_a_way_goes_straight_on_within_seventy_degrees(degrees: float, count: int) -> None:
    """Of four arms two are in line; whether the others are one stroke is a matter of the bend."""
    turn = math.radians(degrees)
    arms = [(-100, 0), (100 * math.cos(turn), 100 * math.sin(turn)), (0, 100), (0, -100)]
    xy = np.array([spot for arm in arms for spot in (arm, (0, 0))], dtype=float)
    group = np.zeros(len(xy), dtype=np.int64)
    node, valid = segments(xy, np.repeat(np.arange(4), 2), group)
    _, stroke, _ = strokes(xy, node, valid, group)
    assert len(set(stroke.tolist())) == count


def test_a_position_of_openstreetmap_is_known_to_five_metres() -> None:
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    city = made.draft.city()
    origin = Origin("city", "xml", "2026-01-01", (0, 0, 0, 0), 0, 0, 0)
    ring = ring_of_sides(made.sides, OsmNetwork(Roads(city.frame, origin)))
    assert {run.accuracy_m for run in ring.runs} == {5.0}


@pytest.mark.parametrize(("apart", "count"), [(0.5e-6, 0), (2e-6, 1)])
def test_parts_within_a_micrometre_touch(apart: float, count: int) -> None:
    along = np.array([(-500.0, 0, -1), (500, 0, -1)])
    beside = np.array([(0, apart, -1), (0, 400.0, -1)])
    bridges, breaks = find_breaks([along, beside], 150.0)
    assert (len(bridges), len(breaks)) == (count, 0)


def sections(*lines: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """Which stroke's cross-sections meet which stroke's steps."""
    count = [len(line) for line in lines]
    xy = np.array([spot for line in lines for spot in line], dtype=float)
    stroke = np.repeat(np.arange(len(lines)), count)
    flat = np.zeros(len(xy), dtype=np.int64)
    made = stations_along(
        xy, np.arange(len(xy)), stroke, flat + 1, flat, flat > 0, flat, spacing=10.0
    )
    hits = cross_sections(made, np.arange(len(made.xy)), 40.0, 10.0)
    pairs = zip(made.stroke[hits.station], made.stroke[hits.step], strict=True)
    return sorted({(int(one), int(two)) for one, two in pairs})


@pytest.mark.parametrize(("degrees", "seen"), [(49, [(0, 1), (1, 0)]), (51, [])])
def test_lines_are_side_by_side_within_fifty_degrees(
    degrees: float, seen: list[tuple[int, int]]
) -> None:
    reach = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    other = [tuple((50, 20) - 18 * reach), tuple((50, 20) + 18 * reach)]
    assert sections([(0, 0), (100, 0)], other) == seen


@pytest.mark.parametrize(("degrees", "seen"), [(35, [(0, 0)]), (39, [])])
def test_legs_of_a_turn_face_each_other_within_thirty_seven_degrees(
    degrees: float, seen: list[tuple[int, int]]
) -> None:
    back = (-100 * math.cos(math.radians(degrees)), 100 * math.sin(math.radians(degrees)))
    assert sections([(0, 0), (100, 0), (100 + back[0], back[1])]) == seen
