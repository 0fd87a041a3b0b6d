"""Named streets: what is one street, how long it is, and where its middle runs."""

from __future__ import annotations

from pathlib import Path

import cities
import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import Draft, arc, grid, scramble, stair, to_frame, way
from evidence import EVIDENCE
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString
from tanggu import elements

from nankai_gis.errors import AmbiguousNameError, CRSError, DataError, RoadNotFoundError
from nankai_gis.network import streets

GEOD = Geod(ellps="GRS80")


def only(frame: gpd.GeoDataFrame) -> streets.Street:
    made = streets.build(frame)
    (name,) = made
    return made.find(name)


def away(street: streets.Street, line: LineString | None = None) -> float:
    """Greatest distance of the carriageways (or of `line`) from the centreline."""
    points = shapely.get_coordinates(shapely.segmentize(line or street.carriageways, 1e-4))
    return float(street.project(points)[1].max())


def strayed(street: streets.Street, axis: LineString) -> float:
    """Greatest distance of the centreline from the true axis, metres."""
    frame = to_frame([way(1, "軸", axis.coords)])
    points = shapely.get_coordinates(shapely.segmentize(street.centreline, 1e-4))
    return float(only(frame).project(points)[1].max())


# ------------------------------------------------------------------ one street, one line


def test_single_street_keeps_its_vertices_bit_for_bit():
    points = [(117.1, 39.1), (117.1037, 39.1013), (117.1052, 39.1044)]
    street = only(to_frame([way(1, "白堤路", points[:2]), way(2, "白堤路", points[1:])]))
    assert list(street.centreline.coords) == points
    assert street.centreline_length_m == pytest.approx(GEOD.line_length(*zip(*points, strict=True)))
    assert street.carriageway_length_m == pytest.approx(street.centreline_length_m, abs=1e-9)
    assert street.dual_share == 0
    assert street.gaps == ()


@pytest.mark.parametrize("width", [6.0, 16.0, 24.0, 38.0])
@pytest.mark.parametrize("turn", [0.0, 33.0, 90.0])
@pytest.mark.parametrize("tagged", [True, False])
def test_dual_carriageway_of_one_kilometre_is_one_kilometre(width, turn, tagged):
    draft = Draft().add(
        "復康路", [(0, 0), (1000, 0)], width=width, tagged=tagged,
        highway="primary" if tagged else None,
    )  # fmt: skip
    city = draft.city(turn=turn)
    street = only(city.frame)
    assert street.carriageway_length_m == pytest.approx(2000, abs=0.5)
    assert street.centreline_length_m == pytest.approx(1000, rel=0.01)
    assert street.centreline_length_m == pytest.approx(1000, abs=0.5)
    assert isinstance(street.centreline, LineString)
    assert street.dual_share == pytest.approx(1, abs=1e-6)
    assert strayed(street, city.axes["復康路"]) < 0.1


@pytest.mark.parametrize(
    ("axis", "width"),
    [
        (arc(300, 0, 90, 30), 24.0),
        (arc(120, 0, 180, 40), 20.0),
        ([(0, 0), (500, 0), (500, 500)], 24.0),
        ([(0, 0), (400, 0), (700, 200), (1100, 150)], 16.0),
        ([(0, 0), (300, 0), (320, 20), (340, 0), (800, 0)], 12.0),
    ],
    ids=["arc", "half circle", "right angle", "bends", "kink"],
)
@pytest.mark.parametrize("mirror", [False, True])
def test_bends(axis, width, mirror):
    city = Draft().add("曲路", axis, width=width).city(mirror=mirror, turn=20)
    street = only(city.frame)
    assert street.centreline_length_m == pytest.approx(city.lengths["曲路"], rel=0.01)
    assert isinstance(street.centreline, LineString)
    assert strayed(street, city.axes["曲路"]) < width / 4


def test_ring_road_closes():
    city = Draft().add("環路", arc(800, 0, 360, 120), width=20).city()
    street = only(city.frame)
    assert street.centreline.is_closed
    assert street.centreline_length_m == pytest.approx(2 * np.pi * 800, rel=0.002)
    assert street.dual_share == 1


def test_dual_on_a_part_only():
    # Both carriageways leave the node at (300, 0) and come back to the one at (700, 0).
    city = Draft(
        [
            cities.Road("半路", LineString([(0, 0), (300, 0)])),
            cities.Road("半路", LineString([(300, 0), (340, -8), (660, -8), (700, 0)]), oneway=1),
            cities.Road("半路", LineString([(700, 0), (660, 8), (340, 8), (300, 0)]), oneway=1),
            cities.Road("半路", LineString([(700, 0), (1000, 0)])),
        ]
    ).city()
    street = only(city.frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, abs=1)
    assert 0.3 < street.dual_share < 0.45
    assert (
        strayed(street, LineString([city.axes["半路"].coords[0], street.centreline.coords[-1]])) < 1
    )


def test_pair_that_parts_around_a_square_stays_two():
    city = Draft(
        [
            cities.Road("環場路", LineString([(0, 0), (300, 0)])),
            cities.Road(
                "環場路", LineString([(300, 0), (400, -40), (600, -40), (700, 0)]), oneway=1
            ),
            cities.Road("環場路", LineString([(700, 0), (600, 40), (400, 40), (300, 0)]), oneway=1),
            cities.Road("環場路", LineString([(700, 0), (1000, 0)])),
        ]
    ).city()
    street = only(city.frame)
    each = 200 + 2 * np.hypot(100, 40)
    assert street.centreline_length_m == pytest.approx(600 + 2 * each, rel=0.05)
    assert away(street) < 20


@pytest.mark.parametrize("width", [30.0, 39.0, 41.0, 60.0])
def test_separation_limit(width):
    street = only(Draft().add("寬路", [(0, 0), (1000, 0)], width=width).city().frame)
    assert street.centreline_length_m == pytest.approx(1000 if width <= 40 else 2000, abs=1)


def test_known_two_way_streets_are_never_a_pair():
    city = Draft(
        [
            cities.Road("里弄", LineString([(0, 0), (300, 0)]), highway="residential"),
            cities.Road("里弄", LineString([(0, 20), (300, 20)]), highway="residential"),
        ]
    ).city()
    street = only(city.frame)
    assert street.centreline_length_m == pytest.approx(600, abs=0.05)
    assert street.dual_share == 0


@pytest.mark.parametrize(("width", "lane"), [(14, 12), (14, 16), (20, 25), (30, 24)])
def test_four_lines_abreast_are_one(width, lane):
    # Main and local carriageways of one name, all one-way.
    main = Draft().add("主路", [(0, 0), (1000, 0)], width=width)
    main.add("主路", [(200, 0), (700, 0)], width=width + 2 * lane)
    street = only(main.city().frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, rel=0.01)
    assert street.carriageway_length_m == pytest.approx(3000, abs=1)


def test_local_lanes_on_one_side_dont_move_the_middle():
    main = Draft().add("主路", [(0, 0), (1000, 0)], width=14)
    main.add("主路", [(200, -19), (700, -19)], oneway=1)
    city = main.city()
    street = only(city.frame)
    assert street.centreline_length_m == pytest.approx(1000, abs=1)
    assert strayed(street, city.axes["主路"]) < 0.5


def test_pair_that_widens_a_little_stays_one():
    north = LineString([(0, 17), (300, 17), (400, 24), (500, 24), (600, 17), (1000, 17)])
    south = LineString([(0, -17), (300, -17), (400, -24), (500, -24), (600, -17), (1000, -17)])
    city = Draft(
        [cities.Road("瓶路", south, oneway=1), cities.Road("瓶路", north, oneway=-1)]
    ).city()
    street = only(city.frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, abs=1)


def test_blunt_split_keeps_to_its_node():
    # The carriageways leave the node at 75 degrees to either side.
    south = LineString([(300, 0), (304, -15), (700, -15)])
    north = LineString([(700, 15), (304, 15), (300, 0)])
    city = Draft(
        [
            cities.Road("鈍路", LineString([(0, 0), (300, 0)])),
            cities.Road("鈍路", south, oneway=1),
            cities.Road("鈍路", north, oneway=1),
        ]
    ).city()
    street = only(city.frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(700, abs=3)
    axis = LineString([city.axes["鈍路"].coords[0], street.centreline.coords[-1]])
    assert strayed(street, axis) < 8


@pytest.mark.parametrize("origin", [(57.0, 39.0), (-120.0, 5.0), (10.0, -60.0)])
def test_metres_are_metres_anywhere(origin):
    draft = Draft().add("復康路", [(0, 0), (1000, 0)], width=39)
    street = only(draft.city(origin=origin).frame)
    assert street.centreline_length_m == pytest.approx(1000, abs=0.5)
    draft = Draft().add("復康路", [(0, 0), (1000, 0)], width=41)
    assert only(draft.city(origin=origin).frame).dual_share == 0


@pytest.mark.parametrize("shift", [5.0, 20.0, 60.0])
def test_carriageways_that_end_at_different_places(shift):
    city = Draft(
        [
            cities.Road("錯路", LineString([(0, -8), (1000, -8)]), oneway=1),
            cities.Road("錯路", LineString([(1000 + shift, 8), (shift, 8)]), oneway=1),
        ]
    ).city()
    street = only(city.frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000 + shift, abs=5.1)


def test_break_in_one_carriageway_is_no_gap():
    city = Draft(
        [
            cities.Road("缺路", LineString([(0, -8), (1000, -8)]), oneway=1),
            cities.Road("缺路", LineString([(1000, 8), (0, 8)]), oneway=1, gaps=((0.4, 0.5),)),
        ]
    ).city()
    street = only(city.frame)
    assert street.gaps == ()
    assert street.centreline_length_m == pytest.approx(1000, abs=1)
    assert strayed(street, LineString(city.axes["缺路"])) < 8.2


def test_staggered_breaks_of_both_carriageways():
    city = Draft(
        [
            cities.Road("缺路", LineString([(0, -8), (1000, -8)]), oneway=1, gaps=((0.3, 0.45),)),
            cities.Road("缺路", LineString([(1000, 8), (0, 8)]), oneway=1, gaps=((0.3, 0.45),)),
        ]
    ).city()
    street = only(city.frame)
    assert street.gaps == ()
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, rel=0.01)


def test_what_runs_on_alone_keeps_its_own_vertices():
    # Half a kilometre of two carriageways, of which one runs on for a kilometre.
    long = LineString([(0, -10), (500, -10), (900, -10), (1200, -60), (1500, -60)])
    city = Draft(
        [
            cities.Road("單路", long, oneway=1),
            cities.Road("單路", LineString([(500, 10), (0, 10)]), oneway=1),
        ]
    ).city()
    street = only(city.frame)
    assert isinstance(street.centreline, LineString)
    assert [*street.centreline.coords][-3:] == [*city.frame.geometry.iloc[0].coords][-3:]
    middle = city.lay([(250, 0)])
    assert street.project(middle)[1][0] < 0.1


def test_a_straight_middle_has_no_vertices_that_it_does_not_need():
    street = only(Draft().add("直路", [(0, 0), (1000, 0)], width=20).city(turn=33).frame)
    assert len(street.centreline.coords) <= 4


@pytest.mark.parametrize("stub", [0.05, 0.3])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_stub_that_points_aside_does_not_turn_the_middle_back(stub, mirror):
    # The last centimetres of either carriageway lean by 20 degrees, as a moved node leaves them.
    tip = (stub * np.cos(np.radians(20)), stub * np.sin(np.radians(20)))
    draft = Draft(
        [
            cities.Road(
                "偏路", LineString([(0, y), (500, y), (500 + tip[0], y + tip[1])]), oneway=w
            )
            for y, w in ((-18, 1), (18, -1))
        ]
    )
    street = only(draft.city(mirror=mirror, turn=11).frame)
    assert isinstance(street.centreline, LineString)
    (x, y) = np.array(street.centreline.coords).T
    step = np.column_stack((np.diff(x) * 0.776, np.diff(y)))
    heading = (step[:-1] * step[1:]).sum(axis=1)
    assert (heading > 0).all()
    assert street.centreline_length_m == pytest.approx(500, abs=6)


@pytest.mark.parametrize("end", ["link", "arc", "tip"])
@pytest.mark.parametrize("oneway", [0, 1])
def test_turning_loops_at_the_end(end, oneway):
    caps = {
        "link": [(1000, -8), (1000, 8)],
        "arc": [(x + 1000, y) for x, y in arc(8, -90, 90, 9)],
        "tip": [(1000, -8), (1060, 0), (1000, 8)],
    }
    line = LineString([(0, -8), *caps[end], (0, 8)])
    road = cities.Road("迴路", line, oneway=oneway, highway="primary" if oneway else None)
    street = only(scramble(Draft([road]).city().frame, 3))
    length = {"link": 1000, "arc": 1008, "tip": 1060}[end]
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(length, abs=3)
    assert away(street) < 16


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4, 5])
def test_narrow_loop_is_a_line(start):
    ring = [(0, -8), (500, -8), (1000, -8), (1000, 8), (500, 8), (0, 8)]
    ring = [*ring[start:], *ring[: start + 1]]
    road = cities.Road("環線", LineString(ring), oneway=1)
    for frame in (Draft([road]).city().frame, scramble(Draft([road]).city(turn=70).frame, 5)):
        street = only(frame)
        assert isinstance(street.centreline, LineString)
        assert street.centreline_length_m == pytest.approx(1000, abs=10)


def test_turning_links_between_the_carriageways_vanish():
    draft = Draft().add("大道", [(0, 0), (1000, 0)], width=18)
    for x in (250.0, 500.0, 750.0):
        draft.add("大道", [(x, -9), (x, 9)], oneway=1)
    street = only(draft.city().frame)
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, abs=1)
    assert street.carriageway_length_m == pytest.approx(2054, abs=1)


@pytest.mark.parametrize("radius", [10.0, 18.0])
def test_small_roundabout_is_crossed(radius):
    ring = arc(radius, 0, 360, 25)
    draft = Draft().add("圓路", [(-400, 0), (-radius, 0)]).add("圓路", [(radius, 0), (400, 0)])
    draft.add("圓路", [(x, y) for x, y in ring], oneway=1)
    street = only(draft.city().frame)
    assert street.centreline_length_m == pytest.approx(800, rel=0.02)


def test_branch_is_kept():
    city = (
        Draft()
        .add("丁路", [(0, 0), (1000, 0)])
        .add("丁路", [(500, 0), (500, 300)])
        .city()
    )  # fmt: skip
    street = only(city.frame)
    assert len(street.parts) == 2
    assert street.centreline_length_m == pytest.approx(1300, abs=0.05)


@pytest.mark.parametrize("sense", [1, -1])
def test_branch_of_a_dual_carriageway_reaches_its_middle(sense):
    branch = [(500, 10), (500, 300)][::sense]
    city = Draft().add("丁路", [(0, 0), (1000, 0)], width=20).add("丁路", branch).city()
    street = only(city.frame)
    assert len(street.parts) == 2
    assert street.parts[0].touches(street.parts[1])
    assert street.gaps == ()
    assert street.centreline_length_m == pytest.approx(1300, abs=1)


# ------------------------------------------------------------------ gaps


@pytest.mark.parametrize("width", [0.0, 18.0])
def test_gap_within_the_limit_is_bridged_and_reported(width):
    draft = Draft().add("橋路", [(0, 0), (1000, 0)], width=width, gaps=((0.45, 0.55),))
    street = only(draft.city().frame)
    (gap,) = street.gaps
    assert gap.bridged
    assert gap.metres == pytest.approx(100, abs=0.5)
    assert street.bridged_m == gap.metres
    assert isinstance(street.centreline, LineString)
    assert street.centreline_length_m == pytest.approx(1000, abs=0.5)
    assert street.carriageway_length_m == pytest.approx(900 * (2 if width else 1), abs=0.5)


@pytest.mark.parametrize("width", [0.0, 18.0])
def test_longer_gap_leaves_parts(width):
    draft = Draft().add("橋路", [(0, 0), (1000, 0)], width=width, gaps=((0.4, 0.6),))
    street = only(draft.city().frame)
    (gap,) = street.gaps
    assert not gap.bridged
    assert gap.metres == pytest.approx(200, abs=0.5)
    assert street.bridged_m == 0
    assert len(street.parts) == 2
    assert street.centreline_length_m == pytest.approx(800, abs=0.5)


def test_parts_that_dont_face_each_other_are_not_bridged():
    street = only(
        Draft().add("雙路", [(0, 0), (500, 0)]).add("雙路", [(0, 100), (500, 100)]).city().frame
    )
    (gap,) = street.gaps
    assert not gap.bridged
    assert len(street.parts) == 2


# ------------------------------------------------------------------ names and places


def test_names_resolve_in_both_scripts_and_by_other_names():
    frame = to_frame(
        [
            way(1, "红旗路", [(117.14, 39.10), (117.14, 39.11)]),
            way(2, "紅旗路", [(117.14, 39.11), (117.14, 39.12)], aliases="Hongqi Road;老红旗路"),
            way(3, "红旗南路", [(117.14, 39.09), (117.14, 39.10)]),
            way(4, "黄河道;长江道", [(117.14, 39.12), (117.15, 39.12)]),
        ]
    )
    made = streets.build(frame)
    for name in ("紅旗路", "红旗路", " 紅旗 路 "):
        assert made.find(name).ways == (1, 2)
    assert made.find("老紅旗路").ways == (2,)
    assert made.find("hongqi road").ways == (2,)
    assert "老红旗路" in made.find("紅旗路").aliases
    assert made.find("紅旗南路").ways == (3,)
    assert made.find("黃河道").ways == made.find("長江道").ways == (4,)
    assert "紅旗路" in made
    assert "紅旗北路" not in made
    assert set(made) in (
        {spelling, "红旗南路", "黄河道", "长江道"} for spelling in ("红旗路", "紅旗路")
    )
    assert len(made) == 4


def test_bracketed_names():
    frame = to_frame([way(1, "津神线（轻纺大道）", [(117.1, 39.1), (117.2, 39.1)])])
    made = streets.build(frame)
    assert made.find("輕紡大道").ways == made.find("津神線").ways == (1,)


def test_unknown_name_offers_near_ones():
    made = streets.build(grid(3, 3).city().frame)
    with pytest.raises(RoadNotFoundError, match="縱1路") as caught:
        made.find("縱1道")
    assert "縱1路" in caught.value.candidates
    assert made.all("縱1道") == ()


@pytest.mark.parametrize("asked", ["南每路", "闸海路", "閘海路"])
def test_names_one_character_off_come_first_those_of_most_ways_before_others(asked):
    names = ["闸南路", "河南路", "黄南路", "湖南路", "云南路", "南甲路", "南海路", "南海路"]
    rows = [way(k, name, [(117.1, 39.1), (117.2, 39.1)]) for k, name in enumerate(names)]
    near = streets.build(to_frame(rows)).near_names(asked)
    assert near[:2] == ["南海路", "南甲路" if asked == "南每路" else "闸南路"]


def test_name_in_two_places():
    frame = to_frame(
        [
            way(1, "黄河道", [(117.10, 39.13), (117.12, 39.13)]),
            way(2, "黄河道", [(117.70, 39.03), (117.71, 39.03)]),
            way(3, "咸阳路", [(117.11, 39.12), (117.11, 39.13)]),
            way(4, "河北路", [(117.70, 39.03), (117.70, 39.04)]),
        ]
    )
    made = streets.build(frame)
    with pytest.raises(AmbiguousNameError, match="2 streets") as caught:
        made.find("黃河道")
    assert "河北路" in str(caught.value)
    assert made.find("黃河道", near=(117.7, 39.0)).ways == (2,)
    assert made.find("黃河道", near=(117.1, 39.1)).ways == (1,)
    assert [street.ways for street in made.all("黃河道")] == [(1,), (2,)]
    assert all(street.place for street in made.all("黃河道"))
    assert made.find("咸陽路").place == ""


def test_place_limit():
    draft = Draft().add("遠路", [(0, 0), (3000, 0)], gaps=((0.3, 0.6),))
    assert len(streets.build(draft.city().frame).all("遠路")) == 1
    draft = Draft().add("遠路", [(0, 0), (3000, 0)], gaps=((0.3, 0.7),))
    assert len(streets.build(draft.city().frame).all("遠路")) == 2


def test_links_and_footways_stand_apart():
    frame = to_frame(
        [
            way(1, "黑牛城道", [(117.20, 39.08), (117.21, 39.08)], highway="primary"),
            way(2, "黑牛城道", [(117.205, 39.08), (117.206, 39.081)], highway="primary_link"),
            way(3, "黑牛城道", [(117.20, 39.0801), (117.21, 39.0801)], highway="footway"),
            way(4, "后巷", [(117.20, 39.07), (117.21, 39.07)], highway="service"),
        ]
    )
    made = streets.build(frame)
    street = made.find("黑牛城道")
    assert street.ways == (1,)
    assert dict(street.classes).keys() == {"primary"}
    assert made.find("后巷").ways == (4,)


def test_kinds():
    frame = to_frame(
        [
            way(1, "津河", [(117.1, 39.1), (117.12, 39.1)], highway=None, waterway="river"),
            way(2, "津河", [(117.1, 39.11), (117.12, 39.11)], highway="residential"),
            way(3, "陈塘庄支线", [(117.1, 39.12), (117.12, 39.12)], highway=None, railway="rail"),
        ]
    )
    made = streets.build(frame)
    assert made.find("津河").kind == "street"
    assert made.find("津河", kind="river").ways == (1,)
    assert made.find("陳塘莊支線").kind == "railway"
    assert dict(made.find("陳塘莊支線").classes).keys() == {"rail"}
    with pytest.raises(RoadNotFoundError):
        made.find("陳塘莊支線", kind="river")


def test_classes_add_up():
    draft = Draft().add("級路", [(0, 0), (500, 0)], highway="primary", width=16)
    draft.add("級路", [(500, 0), (800, 0)], highway="tertiary")
    street = only(draft.city().frame)
    assert street.classes["primary"] == pytest.approx(1000, abs=0.5)
    assert street.classes["tertiary"] == pytest.approx(300, abs=0.5)
    assert sum(street.classes.values()) == pytest.approx(street.carriageway_length_m, abs=1e-9)


def test_a_way_mapped_twice_counts_once():
    points = [(117.1, 39.1), (117.11, 39.1), (117.12, 39.1)]
    street = only(to_frame([way(1, "重路", points), way(2, "重路", points[::-1])]))
    assert street.carriageway_length_m == pytest.approx(street.centreline_length_m)
    assert street.centreline_length_m == pytest.approx(GEOD.line_length(*zip(*points, strict=True)))


# ------------------------------------------------------------------ crossings


def shared(one: streets.Street, two: streets.Street) -> np.ndarray:
    both = {*map(tuple, one.nodes().tolist())} & {*map(tuple, two.nodes().tolist())}
    return np.array(sorted(both)).reshape(-1, 2)


def test_crossing_nodes_map_to_the_crossing_of_the_axes():
    city = grid(4, 4, width=16).city(turn=17)
    made = streets.build(city.frame)
    for pair, corner in city.corners.items():
        one, two = (made.find(name) for name in sorted(pair))
        nodes = shared(one, two)
        assert len(nodes) >= 1
        if any(name[1] in "14" for name in pair):
            continue  # a street that ends on a dual one meets only its near carriageway
        feet, offsets = one.project(nodes)
        assert offsets.max() <= 12
        middle = feet.mean(axis=0)
        assert GEOD.inv(*middle, *corner)[2] < 1.0
        assert one.centreline.distance(two.centreline) < 1e-6


def test_streets_on_another_level_share_no_node():
    draft = Draft().add("上路", [(0, 0), (500, 0)], grade=1).add("下路", [(250, -200), (250, 200)])
    made = streets.build(draft.city().frame)
    one, two = made.find("上路"), made.find("下路")
    assert shared(one, two).shape == (0, 2)
    assert one.centreline.crosses(two.centreline)


def test_project_of_nothing():
    street = only(to_frame([way(1, "路", [(117, 39), (117.01, 39)])]))
    feet, offsets = street.project(np.empty((0, 2)))
    assert feet.shape == (0, 2)
    assert offsets.shape == (0,)


# ------------------------------------------------------------------ whole networks


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"turn": 33.0},
        {"mirror": True, "turn": 10.0},
        {"origin": (-70.66, -33.45)},
        {"origin": (25.72, 66.5)},
        {"shift": (20_000.0, 15_000.0)},
    ],
    ids=["here", "turned", "mirrored", "south", "polar circle", "moved"],
)
@pytest.mark.parametrize("draft", [grid(5, 5, width=16), stair()], ids=["grid", "stair"])
def test_city_comes_out_as_drawn(draft, place):
    city = draft.city(**place)
    made = streets.build(scramble(city.frame, 7))
    for name, axis in city.axes.items():
        street = made.find(name)
        length = GEOD.geometry_length(axis)
        assert street.centreline_length_m == pytest.approx(length, rel=1e-4), name
        assert isinstance(street.centreline, LineString)
        assert strayed(street, axis) < 0.2


def test_table():
    city = grid(3, 3, width=16).city()
    table = streets.build(city.frame).frame()
    assert table.crs == "EPSG:4326"
    assert len(table) == 6
    row = table.set_index("name").loc["縱1路"]
    assert row.carriageway_length_m == pytest.approx(1600, abs=1)
    assert row.centreline_length_m == pytest.approx(800, abs=1)
    assert list(table.name) == sorted(table.name)


def test_one_by_one_is_the_same_as_all_at_once():
    draft = grid(4, 4, width=16).add("環路", arc(300, 0, 360, 60), width=14)
    draft.add("迴路", [(0, -508), (500, -508), (500, -492), (0, -492)], oneway=1)
    frame = draft.city().frame
    together, alone = streets.build(frame), streets.build(frame)
    together.frame()
    for name in alone:
        one, other = alone.find(name), together.find(name)
        assert one.centreline.equals_exact(other.centreline, 0)
        assert one.dual_share == other.dual_share


def test_empty_and_nameless_networks():
    empty = grid(2, 2).city().frame.iloc[:0]
    for frame in (empty, to_frame([way(1, None, [(117, 39), (117.1, 39)])])):
        made = streets.build(frame)
        assert len(made) == 0
        assert len(made.frame()) == 0
        with pytest.raises(RoadNotFoundError):
            made.find("復康路")


def test_pointlike_ways_are_ignored():
    frame = to_frame(
        [
            way(1, "點路", [(117.1, 39.1), (117.1, 39.1)]),
            way(2, "線路", [(117.1, 39.1), (117.11, 39.1), (117.11, 39.1)]),
        ]
    )
    made = streets.build(frame)
    assert made.all("點路") == ()
    assert len(made.find("線路").centreline.coords) == 2
    assert list(made.frame().name) == ["線路"]


def test_bad_input_says_what_to_do():
    frame = grid(2, 2).city().frame
    with pytest.raises(CRSError, match="to_crs"):
        streets.build(frame.to_crs(4548))
    with pytest.raises(CRSError, match="set_crs"):
        streets.build(frame.set_crs(None, allow_override=True))
    with pytest.raises(CRSError, match="axes"):
        streets.build(frame.to_crs(4548).set_crs(4326, allow_override=True))
    with pytest.raises(DataError, match="oneway"):
        streets.build(frame.drop(columns="oneway"))
    with pytest.raises(DataError, match="explode"):
        streets.build(frame.set_geometry(frame.buffer(0)).assign(geometry=frame.union_all()))


# ------------------------------------------------------------------ properties

turns = st.floats(0, 360)
seeds = st.integers(0, 2**32 - 1)
widths = st.sampled_from([0.0, 8.0, 14.0, 22.0, 36.0])


@st.composite
def axes(draw):
    """Street axes that bend, but not so sharply that their carriageways tangle."""
    heading = draw(turns)
    points = [(0.0, 0.0)]
    for _ in range(draw(st.integers(1, 6))):
        length = draw(st.floats(120, 500))
        angle = np.radians(heading)
        x, y = points[-1]
        points.append((x + length * np.cos(angle), y + length * np.sin(angle)))
        heading += draw(st.floats(-50, 50))
    return points


@settings(max_examples=40, deadline=None)
@given(axes(), widths, seeds, turns, st.booleans())
def test_splitting_reversing_and_turning_change_nothing(axis, width, seed, turn, mirror):
    draft = Draft().add("路", axis, width=width)
    base = only(draft.city().frame)
    other = only(scramble(draft.city(turn=turn, mirror=mirror).frame, seed))
    assert other.carriageway_length_m == pytest.approx(base.carriageway_length_m, rel=1e-4)
    assert other.centreline_length_m == pytest.approx(base.centreline_length_m, rel=2e-3)
    assert len(other.parts) == len(base.parts) == 1
    same = only(scramble(draft.city().frame, seed))
    assert same.centreline_length_m == pytest.approx(base.centreline_length_m, rel=2e-3)
    assert same.centreline.hausdorff_distance(base.centreline) < 1e-5
    assert same.centreline.coords[0] <= same.centreline.coords[-1]


@settings(max_examples=40, deadline=None)
@given(axes(), widths, seeds, st.booleans())
def test_centreline_is_the_middle(axis, width, seed, tagged):
    draft = Draft().add(
        "路", axis, width=width, tagged=tagged, highway="primary" if tagged else None
    )
    city = draft.city()
    street = only(scramble(city.frame, seed))
    assert street.centreline_length_m == pytest.approx(city.lengths["路"], rel=0.01)
    # Half the width square to the street; a little more at the outside of a bend.
    assert away(street) <= width / 2 * 1.2 + 0.05
    assert strayed(street, city.axes["路"]) <= width / 4 + 0.05


@settings(max_examples=25, deadline=None)
@given(seeds)
@example(10818023)  # 42.17 m between two stations
def test_nothing_of_a_name_is_lost(seed):
    rng = np.random.default_rng(seed)
    draft = Draft()
    for _ in range(int(rng.integers(2, 9))):
        start = rng.uniform(0, 300, 2)
        points = [start]
        for _ in range(int(rng.integers(1, 5))):
            points.append(points[-1] + rng.uniform(-150, 150, 2))
        draft.add("亂路", [tuple(point) for point in points], oneway=int(rng.integers(-1, 2)))
    street = only(scramble(draft.city().frame, seed))
    # The limit is checked at stations, which lie up to 15 m apart: what lies between two of them
    # may bulge by half of that.
    assert away(street) <= streets.SEPARATION_M + 7.5
    assert street.centreline_length_m <= street.carriageway_length_m * 1.25 + street.bridged_m
    assert street.centreline.is_valid
    assert 0 <= street.dual_share <= 1


# ------------------------------------------------------------------ real streets


def _evidence(*parts: str) -> Path:
    path = EVIDENCE.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} isn't here; set NANKAI_GIS_EVIDENCE")
    return path


@pytest.fixture(scope="module")
def nankai() -> streets.Streets:
    table = gpd.read_file(_evidence("roads", "nankai_osm_ways_wgs84.geojson"))
    table = table.explode(ignore_index=True)
    rows = [
        way(number, name, shape.coords, highway=None)
        for number, (name, shape) in enumerate(zip(table.name, table.geometry, strict=True))
    ]
    return streets.build(to_frame(rows))


@pytest.mark.parametrize(
    ("name", "near", "metres"),
    [
        ("密雲路", None, 4314),
        ("衛津路", None, 2380),
        ("西馬路", None, 1020),
        ("北馬路", None, 1578),
    ],
)
def test_streets_of_nankai_without_tags(nankai, name, near, metres):
    street = nankai.find(name, near)
    assert street.centreline_length_m == pytest.approx(metres, rel=0.01)
    assert street.dual_share > 0.9
    assert away(street) <= streets.SEPARATION_M


@pytest.fixture(scope="module")
def tanggu() -> streets.Streets:
    raw = elements()
    spots = {e["id"]: (e["lon"], e["lat"]) for e in raw if e["type"] == "node"}
    rows = []
    for element in raw:
        tags = element.get("tags", {})
        if element["type"] == "way" and "name" in tags:
            rows.append(
                way(
                    element["id"],
                    tags["name"],
                    [spots[node] for node in element["nodes"]],
                    highway=tags["highway"],
                    oneway={"yes": 1, "-1": -1}.get(tags.get("oneway"), 0),
                )
            )
    return streets.build(to_frame(rows))


def test_streets_of_tanggu(tanggu):
    table = tanggu.frame()
    assert table.name.nunique() == 469
    assert table.carriageway_length_m.sum() == pytest.approx(1_750_700, rel=0.005)
    assert table.centreline_length_m.sum() == pytest.approx(1_109_640, rel=0.005)
    ratio = table.carriageway_length_m / table.centreline_length_m
    # Fully divided streets are half as long as their carriageways.
    divided = table.dual_share > 0.99
    assert divided.sum() > 80
    assert ratio[divided].between(1.95, 2.11).all()
    # No line is longer than what was mapped, but for the gaps it bridges.
    assert (ratio > 0.8).all()
    for name in tanggu:
        for street in tanggu.all(name):
            longest = street.centreline_length_m - street.bridged_m
            assert longest <= street.carriageway_length_m * 1.02, name
            assert away(street) <= streets.SEPARATION_M + 0.1, name
