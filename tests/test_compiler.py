"""The compiler on cities whose quarters are known: however they are built, the ring holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cities
import numpy as np
import pytest
import shapely
from cities import City, Draft, Edge, Quarter, mirrored, quarter, scramble, to_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString

from nankai_gis.compiler.axis import axis_pieces
from nankai_gis.compiler.clauses import clause_feature
from nankai_gis.compiler.derive import derive
from nankai_gis.compiler.measured import run_length
from nankai_gis.compiler.ring import Ring, ring_of_lines
from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.errors import ClauseError, CRSError, GeometryError, RoadNotFoundError
from nankai_gis.geometry.plane import Plane
from nankai_gis.network import digitised
from nankai_gis.network.datum_shift import SHIFT_M, datum_shift
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Origin, Roads
from nankai_gis.plan.clauses import read_one
from nankai_gis.plan.model import AxisPart, RingPart

HERE = (117.15, 39.1)
# Carriageways are at most this far apart in these cities; so may the ring be off.
SEPARATION = 40.0

often = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def network(frame: Any) -> OsmNetwork:
    return OsmNetwork(Roads(frame, Origin("city", "xml", "2026-01-01", (0, 0, 0, 0), 0, 0, 0)))


def plain(lonlat: Sequence[tuple[float, float]]) -> shapely.Polygon:
    """A polygon in metres about the middle of these cities."""
    plane = Plane(*HERE)
    return shapely.Polygon([plane.to(p) for p in lonlat])


def check(ring: Ring, made: Quarter, city: City, lines: OsmNetwork) -> None:
    """Whether a ring is the quarter, and sound in itself."""
    found, answer = plain(ring.coordinates), plain(city.lay(made.outline))
    assert found.is_valid
    assert found.exterior.is_ccw
    assert found.area == pytest.approx(answer.area, rel=0.005)
    assert found.exterior.hausdorff_distance(answer.exterior) < SEPARATION
    assert sorted(run.name for run in ring.runs) == sorted(made.names)
    assert len(ring.corners) == len(ring.runs)
    sound(ring, lines)


def sound(ring: Ring, lines: OsmNetwork) -> None:
    """Runs join, and every vertex lies on its line or is the corner with the next."""
    plane = Plane(*HERE)

    def off(run: Any, positions: Sequence[tuple[float, float]]) -> list[float]:
        street = next(s for s in lines.streets.all(run.name) if run.line.endswith(f"@{s.ways[0]}"))
        return street.project(positions)[1].tolist()

    for run, following, corner in zip(
        ring.runs, [*ring.runs[1:], ring.runs[0]], ring.corners, strict=True
    ):
        assert run.vertices[-1].position == following.vertices[0].position == corner.position
        assert (corner.gap_m == 0) == (corner.kind in ("shared", "crossing"))
        # A corner lies on a line, unless the ends of both are carried to it.
        least = min(off(run, [corner.position])[0], off(following, [corner.position])[0])
        assert least < 0.05 or corner.kind == "extended"
    gaps = sum(corner.gap_m for corner in ring.corners)
    for run in ring.runs:
        assert max(off(run, [v.position for v in run.vertices[1:-1]]), default=0) < 0.05
        assert all(a.position != b.position for a, b in pairwise(run.vertices))
        # Between vertices it leaves the line only over breaks and to reach a corner.
        bridging = sum(
            math.dist(plane.to(a.position), plane.to(b.position))
            for a, b in pairwise(run.vertices)
            if off(run, [((a.lon + b.lon) / 2, (a.lat + b.lat) / 2)])[0] > 0.5
        )
        assert bridging <= run.bridged_m + gaps + SEPARATION


# ------------------------------------------------------------------ shapes

shift_m = st.integers(4, 9).map(lambda n: n * 100.0)


@st.composite
def shapes(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Corners of a quarter, counter-clockwise: a block, an L, a stair, a Z or a U."""
    a, b, c, d, e = (draw(shift_m) for _ in range(5))
    kind = draw(st.sampled_from(["block", "L", "stair", "Z", "U"]))
    if kind == "block":
        corners = [(0, 0), (a, 0), (a, b), (0, b)]
    elif kind == "L":
        corners = [(0, 0), (a + b, 0), (a + b, c), (a, c), (a, c + d), (0, c + d)]
    elif kind == "stair":
        corners = [(0, 0), (a + b + c, 0), (a + b + c, d), (a + b, d), (a + b, d + e)]
        corners += [(a, d + e), (a, d + e + b), (0, d + e + b)]
    elif kind == "Z":
        corners = [(0, 0), (a + b, 0), (a + b, c + d), (a, c + d), (a, c + d + e), (-b, c + d + e)]
        corners += [(-b, c), (0, c)]
    else:
        corners = [(0, 0), (a + b + c, 0), (a + b + c, d + e), (a + b, d + e), (a + b, d)]
        corners += [(a, d), (a, d + e + 200), (0, d + e + 200)]
    for _ in range(draw(st.integers(0, 3))):
        corners = [(-y, x) for x, y in corners]
    return corners


@st.composite
def edges(draw: st.DrawFn, count: int) -> dict[int, Edge]:
    """Streets of every build; of the two at a corner at most one stops short."""
    short: dict[tuple[int, str], float] = {}
    for k in range(count):
        room = draw(st.sampled_from([0.0, -20.0, -55.0, -150.0, -330.0]))
        which = draw(st.sampled_from(["none", "none", "first", "second"]))
        if which == "first":
            short[k, "after"] = room
        elif which == "second":
            short[(k + 1) % count, "before"] = room
    found = {}
    for k in range(count):
        before, after = short.get((k, "before"), 120.0), short.get((k, "after"), 120.0)
        stub = min(before, after) < -20
        # One fault for each street: of a bend a break would cut off a piece.
        fault = "none" if stub else draw(st.sampled_from(["none", "none", "bend", "gap"]))
        found[k] = Edge(
            width=draw(st.sampled_from([0.0, 0.0, 14.0, 24.0, 36.0])),
            before=before,
            after=after if max(before, after) >= -20 else 120.0,
            bend=draw(st.sampled_from([60.0, -60.0])) if fault == "bend" else 0.0,
            gap=draw(st.sampled_from([90.0, 200.0])) if fault == "gap" else 0.0,
            grade=draw(st.sampled_from([0, 0, 0, 1])),
        )
    return found


plans = shapes().flatmap(lambda corners: st.tuples(st.just(corners), edges(len(corners))))
turns = st.floats(-40, 40)
seeds = st.integers(0, 2**32 - 1)


def sides_of(made: Quarter, mirror: bool, seed: int) -> dict[str, list[str]]:
    """The clause, each side's roads in any order."""
    rng = np.random.default_rng(seed)
    sides = mirrored(made.sides) if mirror else made.sides
    return {side: [str(n) for n in rng.permutation(names)] for side, names in sides.items()}


# ------------------------------------------------------------------ properties


@often
@given(plans, turns, st.booleans(), seeds)
def test_the_ring_is_the_quarter(plan, turn, mirror, seed):
    made = quarter(*plan)
    city = made.draft.city(turn=turn, mirror=mirror)
    lines = network(scramble(city.frame, seed))
    ring = ring_of_sides(sides_of(made, mirror, seed), lines)
    check(ring, made, city, lines)
    assert not ring.missing
    assert {run.role for run in ring.runs} == {"named"}
    # The answer's corners are the ring's.
    plane = Plane(*HERE)
    spots = [plane.to(corner.position) for corner in ring.corners]
    for corner in city.lay(made.corners):
        assert min(math.dist(plane.to(corner), spot) for spot in spots) < SEPARATION
    for k, name in enumerate(made.names):
        edge = plan[1][k]
        run = next(run for run in ring.runs if run.name == name)
        assert run.bridged_m == pytest.approx(200 if edge.gap == 200 else 0, abs=1)
        stopped = {"extended" for room in (edge.before, edge.after) if room < -60}
        assert stopped <= {corner.kind for corner in ring.corners}


@often
@given(plans, seeds, seeds)
def test_how_the_ways_are_cut_and_listed_changes_nothing(plan, one, other):
    made = quarter(*plan)
    city = made.draft.city()
    first, second = (
        ring_of_sides(sides_of(made, False, seed), network(scramble(city.frame, seed)))
        for seed in (one, other)
    )
    a, b = plain(first.coordinates), plain(second.coordinates)
    assert b.area == pytest.approx(a.area, rel=0.001)
    assert a.exterior.hausdorff_distance(b.exterior) < 5.0
    names = [run.name for run in first.runs]
    turned = [run.name for run in second.runs]
    start = turned.index(names[0])
    assert turned[start:] + turned[:start] == names


@settings(often, max_examples=18)
@given(plans, seeds, st.data())
def test_other_streets_and_other_places_change_nothing(plan, seed, data):
    made = quarter(*plan)
    answer = network(made.draft.city().frame)
    before = ring_of_sides(made.sides, answer)
    x, y = np.array(made.corners).T
    # Streets through the quarter, some without a name, and the same names ten kilometres off.
    for k, share in enumerate((0.31, 0.63)):
        east = float(x.min() + share * np.ptp(x))
        north = float(y.min() + share * np.ptp(y))
        made.draft.add(f"旁{k}路", [(east, y.min() - 500), (east, y.max() + 500)], width=16)
        made.draft.add(None, [(x.min() - 500, north), (x.max() + 500, north)])
    twice = data.draw(st.sets(st.sampled_from(made.names), max_size=len(made.names) - 1))
    for k, name in enumerate(sorted(twice)):
        made.draft.add(name, [(10_000, 300 * k), (10_800, 300 * k)])
    city = made.draft.city()
    after = ring_of_sides(sides_of(made, False, seed), network(scramble(city.frame, seed)))
    assert plain(after.coordinates).area == pytest.approx(plain(before.coordinates).area, rel=0.005)
    assert sorted(run.name for run in after.runs) == sorted(made.names)


# 甲 in the south and so on counter-clockwise: a stair of two steps whose streets all run on, so
# that each of the upper four crosses each other and only the sides say which step is cut out.
STAIR = [(0, 0), (1400, 0), (1400, 500), (900, 500), (900, 1100), (0, 1100)]
LONG = {k: Edge(before=1600, after=1600, width=24 * (k % 2)) for k in range(6)}


@settings(often, max_examples=25)
@given(st.integers(0, 3), turns, st.booleans(), seeds)
def test_streets_that_cross_everywhere_are_sorted_out_by_their_sides(quarters, turn, mirror, seed):
    corners = [*STAIR]
    for _ in range(quarters):
        corners = [(-y, x) for x, y in corners]
    made = quarter(corners, LONG)
    city = made.draft.city(turn=turn / 2, mirror=mirror)
    lines = network(scramble(city.frame, seed))
    check(ring_of_sides(sides_of(made, mirror, seed), lines), made, city, lines)


@pytest.mark.parametrize("turn", [-12, 0, 15, 40])
def test_a_riser_may_stand_under_the_side_of_its_steps(turn):
    # 北至 names 丙 (step), 丁 (riser) and 戊 (step), as a clause does that walks along.
    made = quarter(STAIR)
    sides = {**made.sides, "east": ["乙道"], "north": ["丙街", "丁路", "戊道"]}
    city = made.draft.city(turn=turn)
    lines = network(city.frame)
    check(ring_of_sides(sides, lines), made, city, lines)


# ------------------------------------------------------------------ corners by the cascade


def short(room: float, **more: Any) -> tuple[Ring, Quarter, City, OsmNetwork]:
    """A block whose southern street stops short of the western one."""
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)], {0: Edge(before=-room, **more)})
    city = made.draft.city()
    lines = network(city.frame)
    return ring_of_sides(made.sides, lines), made, city, lines


@pytest.mark.parametrize("width", [0.0, 20.0])
@pytest.mark.parametrize(
    ("room", "kind"), [(20, "near"), (59, "near"), (61, "extended"), (250, "extended")]
)
def test_an_end_that_stops_short_is_reached(room, kind, width):
    ring, made, city, lines = short(room, width=width)
    check(ring, made, city, lines)
    (corner,) = [c for c in ring.corners if c.gap_m]
    assert corner.kind == kind
    assert corner.gap_m == pytest.approx(room, abs=0.5)
    run = next(run for run in ring.runs if run.name == "甲路")
    # What was carried far nobody has seen; what was carried a little lies within the accuracy.
    assert run.status == ("inferred" if kind == "extended" else "osm")
    other = next(run for run in ring.runs if run.name == "丁路")
    assert other.status == "osm"
    assert ring.status == run.status
    spot = city.lay([(0, 0)])[0]
    assert math.dist(Plane(*HERE).to(spot), Plane(*HERE).to(corner.position)) < 0.1


def test_an_end_is_not_carried_further_than_the_limit():
    with pytest.raises(GeometryError, match="don't close"):
        short(410)


@pytest.mark.parametrize(("one", "two"), [(150, 150), (30, 330), (100, 20)])
def test_two_ends_are_carried_to_where_they_would_cross(one, two):
    made = quarter(
        [(0, 0), (800, 0), (800, 600), (0, 600)], {0: Edge(before=-one), 3: Edge(after=-two)}
    )
    city = made.draft.city(turn=12)
    lines = network(city.frame)
    ring = ring_of_sides(made.sides, lines)
    check(ring, made, city, lines)
    (corner,) = [c for c in ring.corners if c.gap_m]
    assert corner.gap_m == pytest.approx(one + two, abs=1)
    assert {run.name for run in ring.runs if run.status == "inferred"} == {"甲路", "丁路"}


@pytest.mark.parametrize(("one", "two"), [(205, 205), (60, 345)])
def test_two_ends_are_not_carried_further_than_the_limit_together(one, two):
    made = quarter(
        [(0, 0), (800, 0), (800, 600), (0, 600)], {0: Edge(before=-one), 3: Edge(after=-two)}
    )
    with pytest.raises(GeometryError, match="甲路 meets only 乙道"):
        ring_of_sides(made.sides, network(made.draft.city().frame))


@pytest.mark.parametrize("grade", [1, -1])
def test_a_bridge_crosses_without_a_node(grade):
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)], {0: Edge(grade=grade, width=20)})
    city = made.draft.city(turn=-25)
    lines = network(city.frame)
    ring = ring_of_sides(made.sides, lines)
    check(ring, made, city, lines)
    assert sorted(corner.kind for corner in ring.corners) == [
        "crossing", "crossing", "shared", "shared",
    ]  # fmt: skip


def test_a_side_street_meets_the_middle_of_a_dual_carriageway():
    # It ends at the near carriageway, 18 m from the middle, and shares its node.
    draft = (
        Draft()
        .add("西路", [(0, -300), (0, 900)], width=36)
        .add("南道", [(18, 0), (900, 0)])
        .add("東路", [(800, -100), (800, 700)])
        .add("北道", [(-100, 600), (900, 600)])
    )
    lines = network(draft.city().frame)
    sides = {"west": ["西路"], "south": ["南道"], "east": ["東路"], "north": ["北道"]}
    ring = ring_of_sides(sides, lines)
    found = plain(ring.coordinates)
    answer = shapely.box(0, 0, 800, 600)
    assert found.symmetric_difference(answer).area < 200
    assert {corner.kind for corner in ring.corners} == {"shared"}
    sound(ring, lines)


@pytest.mark.parametrize("order", [1, -1])
def test_a_street_that_meets_the_other_aslant_ends_on_it(order):
    # Only the right one of the two carriageways shares its node with the western street, which
    # leads 3 m past the end of the middle.
    draft = Draft(
        [
            cities.Road("南道", LineString([(0, -12), (900, -12)]), oneway=1),
            cities.Road("南道", LineString([(900, 12), (0, 12)]), oneway=1),
        ]
    )
    west = [(75, -312), (0, -12), (-150, 588), (-175, 688)]
    draft.add("西路", west).add("東路", [(800, -100), (800, 700)])
    draft.add("北道", [(-300, 588), (900, 588)])
    lines = network(draft.city().frame)
    names = ["西路", "南道", "東路", "北道"][::order]
    ring = ring_of_lines([RingPart(name) for name in names], lines)
    plane = Plane(*HERE)
    corner = min(ring.corners, key=lambda c: math.hypot(*plane.to(c.position)))
    assert corner.kind == "shared"
    spot = plane.to(corner.position)
    assert math.hypot(*spot) < 3.2
    assert LineString(west).distance(shapely.Point(spot)) < 0.1
    sound(ring, lines)


def test_a_street_is_used_again_to_get_round_what_it_passes():
    draft = (
        Draft()
        .add("南道", [(-200, 0), (1200, 0)])
        .add("湖濱路", [(400, 0), (400, -300), (700, -300), (700, 0)])
        .add("東路", [(1000, -200), (1000, 1200)])
        .add("北道", [(-200, 1000), (1200, 1000)])
        .add("西路", [(0, -200), (0, 1200)])
    )
    lines = network(scramble(draft.city().frame, 5))
    sides = {"west": ["西路"], "south": ["南道", "湖濱路"], "east": ["東路"], "north": ["北道"]}
    ring = ring_of_sides(sides, lines)
    assert [run.role for run in ring.runs if run.name == "南道"].count("again") == 1
    assert plain(ring.coordinates).area == pytest.approx(1_000_000 + 300 * 300, rel=1e-3)
    sound(ring, lines)


# ------------------------------------------------------------------ what isn't named, ambiguity

# Both northern streets run from side to side; only 中路, which no clause names, leads from one to
# the other, and either may come first: two quarters of the same area.
TWO = (
    Draft()
    .add("南道", [(-200, 0), (1200, 0)])
    .add("東路", [(1000, -200), (1000, 1200)])
    .add("北一道", [(-200, 1000), (1200, 1000)])
    .add("北二道", [(-200, 600), (1200, 600)])
    .add("中路", [(500, 300), (500, 1200)])
    .add("西路", [(0, -200), (0, 1200)])
)
CLAUSE = "東至東路,南至南道,西至西路,北至北一道、北二道"


def compiled(text: str, lines: OsmNetwork, **more: Any) -> Any:
    return derive(replace(clause_feature(read_one(text), lines), **more), lines)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_ambiguity_that_matters_is_an_error_with_the_choices(seed):
    lines = network(scramble(TWO.city().frame, seed))
    error = compiled(CLAUSE, lines).error
    assert isinstance(error, GeometryError)
    assert "rings fit the sides equally well" in str(error)
    assert str(error).count("北一道") == str(error).count("中路") == 2
    assert "give the ring, or a place that lies inside" in str(error)


@pytest.mark.parametrize(("x", "left"), [(250, True), (750, False)])
def test_a_place_inside_decides(x, left):
    city = TWO.city()
    lines = network(city.frame)
    ring = compiled(CLAUSE, lines, inside=tuple(city.lay([(x, 800)]))).ring
    inner = shapely.box(0, 0, 1000, 600).union(
        shapely.box(0, 600, 500, 1000) if left else shapely.box(500, 600, 1000, 1000)
    )
    assert plain(ring.coordinates).symmetric_difference(inner).area < 1000
    assert [run.role for run in ring.runs if run.name == "中路"] == ["bridge"]


def test_an_explicit_ring_overrides_the_search():
    lines = network(TWO.city().frame)
    parts = [RingPart(n) for n in ("南道", "東路", "北一道", "中路", "北二道", "西路")]
    ring = compiled(CLAUSE, lines, ring=tuple(parts)).ring
    right = shapely.box(0, 0, 1000, 600).union(shapely.box(500, 600, 1000, 1000))
    assert plain(ring.coordinates).symmetric_difference(right).area < 1000
    # It need not even use what the sides name.
    block = [RingPart(n) for n in ("南道", "東路", "北二道", "西路")]
    ring = compiled(CLAUSE, lines, ring=tuple(block)).ring
    assert plain(ring.coordinates).area == pytest.approx(600_000, rel=1e-3)


# ------------------------------------------------------------------ errors


def test_a_misspelt_road_is_reported_and_the_rest_compiles():
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    lines = network(made.draft.city().frame)
    ring = ring_of_sides({**made.sides, "west": [*made.sides["west"], "丙大街"]}, lines)
    assert list(ring.missing) == ["丙大街"]
    assert "丙街" in ring.missing["丙大街"]
    assert len(ring.runs) == 4
    with pytest.raises(RoadNotFoundError, match="西北路"):
        ring_of_sides({"west": ["西北路"]}, lines)


def test_a_road_on_the_wrong_side_is_named():
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    lines = network(made.draft.city().frame)
    wrong = {**made.sides, "east": made.sides["west"], "west": made.sides["east"]}
    with pytest.raises(GeometryError, match="丁路 is named on the east side") as caught:
        ring_of_sides(wrong, lines)
    assert "乙道 is named on the west side" in str(caught.value)


# A block between two streets that run on, and streets about it that no clause names: between
# them a ring can be led so that 南道 faces north and 北道 south, as the two sides of a notch.
NOTCH = (
    Draft()
    .add("東路", [(1000, -600), (1000, 1200)])
    .add("西路", [(0, -600), (0, 1200)])
    .add("外北道", [(-200, 1000), (1200, 1000)])
    .add("外南道", [(-200, -400), (1200, -400)])
    .add("中路", [(500, -600), (500, 1200)])
)


def test_streets_that_are_not_named_lead_no_ring_round_a_contradiction():
    draft = Draft([*NOTCH.roads])
    draft.add("北道", [(-200, 600), (1200, 600)]).add("南道", [(-200, 0), (1200, 0)])
    lines = network(draft.city(turn=-20).frame)
    sides = {"east": ["東路"], "west": ["西路"], "north": ["北道"], "south": ["南道"]}
    assert len(ring_of_sides(sides, lines).runs) == 4
    with pytest.raises(GeometryError, match="南道 is named on the north side") as caught:
        ring_of_sides({**sides, "north": ["南道"], "south": ["北道"]}, lines)
    assert "北道 is named on the south side" in str(caught.value)


@pytest.mark.parametrize("turn", [0, 20, -20])
def test_a_notch_is_not_the_quarter_between_its_sides(turn):
    # The two end before they reach 西路, so that they close nothing by themselves.
    draft = Draft([*NOTCH.roads]).add("近北道", [(-200, 640), (1200, 640)])
    draft.add("北道", [(450, 600), (1200, 600)]).add("南道", [(450, 0), (1200, 0)])
    lines = network(draft.city(turn=turn).frame)
    sides = {"east": ["東路"], "west": ["西路"], "north": ["南道"], "south": ["北道"]}
    with pytest.raises(GeometryError, match="don't close"):
        ring_of_sides(sides, lines)


@pytest.mark.parametrize("turn", [20, 35, -20, -35])
def test_a_clause_turned_by_a_quarter_is_refused(turn):
    # Every street of a city that lies askew faces two sides.
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    lines = network(made.draft.city(turn=turn).frame)
    assert len(ring_of_sides(made.sides, lines).runs) == 4
    order = ["east", "north", "west", "south"][:: 1 if turn < 0 else -1]
    turned = {side: made.sides[order[k - 3]] for k, side in enumerate(order)}
    with pytest.raises(GeometryError, match=r"乙道 is named on the \w+ side, but lies on the east"):
        ring_of_sides(turned, lines)


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        (["north"], "names no north side; add 北至…"),
        (["west", "east"], "lacks the sides east, west; add 東至…, 西至…"),
    ],
)
def test_a_side_that_is_missing_is_named(left_out, message):
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    # A street that would close the ring is no excuse.
    lines = network(made.draft.add("旁路", [(-200, 300), (1000, 300)]).city().frame)
    sides = {side: names for side, names in made.sides.items() if side not in left_out}
    with pytest.raises(ClauseError, match=message):
        ring_of_sides(sides, lines)


def test_a_road_is_found_by_either_of_its_names():
    draft = Draft().add("東路", [(600, -100), (600, 700)]).add("西路", [(0, -100), (0, 700)])
    draft.add("北道", [(-100, 600), (700, 600)]).add("南道", [(-100, 0), (700, 0)])
    lines = network(draft.city().frame)
    for west in ("西路", "西路(老路)", "老路(西路)"):
        ring = compiled(f"東至東路,南至南道,西至{west},北至北道", lines).ring
        assert sorted(run.name for run in ring.runs) == ["北道", "南道", "東路", "西路"]


def test_a_street_that_bounds_two_sides_is_named_on_both():
    draft = (
        Draft().add("甲路", [(0, -100), (0, 600), (900, 600)]).add("乙道", [(-100, 0), (900, 0)])
    )
    lines = network(draft.add("丙街", [(800, -100), (800, 700)]).city().frame)
    ring = compiled("西、北至甲路,南至乙道,東至丙街", lines).ring
    assert sorted(run.name for run in ring.runs) == ["丙街", "乙道", "甲路"]


def test_roads_that_are_all_missing_are_listed_each_with_its_near_names():
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)])
    lines = network(made.draft.city().frame)
    with pytest.raises(RoadNotFoundError) as caught:
        ring_of_sides({"west": ["丁丁路"], "east": ["xyz"], "south": ["乙大道"]}, lines)
    told = str(caught.value)
    assert "xyz, 乙大道 (near names: 乙道" in told
    assert "丁丁路 (near names: 丁路" in told
    assert "check the names" in told
    assert {"丁路", "乙道"} <= set(caught.value.candidates)


def test_sides_that_do_not_meet_are_named():
    made = quarter([(0, 0), (800, 0), (800, 600), (0, 600)], {3: Edge(before=-150, after=-150)})
    far = made.draft.roads.pop(3)
    lines = network(made.draft.add(far.name, [(-4000, 0), (-4000, 600)]).city().frame)
    with pytest.raises(GeometryError, match="丁路 meets none of the other roads"):
        ring_of_sides(made.sides, lines)


def test_a_figure_of_eight_is_no_ring():
    draft = (
        Draft()
        .add("甲路", [(0, 0), (1000, 800)])
        .add("乙路", [(0, 800), (1000, 0)], grade=1)
        .add("西路", [(0, -100), (0, 900)])
        .add("東路", [(1000, -100), (1000, 900)])
    )
    lines = network(draft.city().frame)
    parts = [RingPart(n) for n in ("甲路", "東路", "乙路", "西路")]
    with pytest.raises(GeometryError, match="crosses itself"):
        ring_of_lines(parts, lines)
    with pytest.raises(GeometryError):
        ring_of_sides(
            {"north": ["甲路"], "south": ["乙路"], "west": ["西路"], "east": ["東路"]}, lines
        )


def test_an_empty_network_knows_no_road():
    lines = network(TWO.city().frame.iloc[:0])
    assert isinstance(compiled(CLAUSE, lines).error, RoadNotFoundError)
    with pytest.raises(RoadNotFoundError):
        ring_of_lines([RingPart("南道")], lines)


def test_latitude_before_longitude_is_refused():
    frame = TWO.city().frame
    frame.geometry = shapely.transform(frame.geometry.values, lambda xy: xy[:, ::-1])
    with pytest.raises(CRSError, match="order of the axes"):
        network(frame)


def gcj02(lonlat: np.ndarray) -> np.ndarray:
    """The published approximation of the datum of Chinese web maps."""
    lon, lat = lonlat.T
    x, y = lon - 105, lat - 35
    wave = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(abs(x))
    north += (wave + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(abs(x))
    east += (wave + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    a, e2 = 6378245.0, 0.00669342162296594323
    slope = 1 - e2 * np.sin(np.radians(lat)) ** 2
    north = np.degrees(north / (a * (1 - e2) / slope**1.5))
    east = np.degrees(east / (a / np.sqrt(slope) * np.cos(np.radians(lat))))
    return lonlat + np.column_stack((east, north))


@pytest.mark.parametrize("moved", [False, True])
def test_a_network_in_another_datum_is_measured(moved):
    packaged = digitised.packaged()
    rows = []
    for line in packaged.lines:
        if len(line.vertices) > 1 and line.kind == "street":
            points = np.array([v.position for v in line.vertices])
            lonlat = gcj02(points) if moved else points
            rows.append(cities.way(len(rows), line.names.hans, lonlat))
    found = datum_shift(network(to_frame(rows)), packaged)
    assert found is not None
    spot = np.array([[117.15, 39.12]])
    east, north = (gcj02(spot) - spot)[0] * (86_500, 111_000) if moved else (0.0, 0.0)
    assert found == (pytest.approx(east, abs=12), pytest.approx(north, abs=12))
    assert (math.hypot(*found) > SHIFT_M) == moved
    if moved:
        assert math.hypot(*found) == pytest.approx(560, abs=40)


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("gap", "bridged"), [(0.0, 0.0), (90.0, 0.0), (200.0, 200.0)])
def test_an_axis_runs_between_its_crossings_over_breaks(seed, gap, bridged):
    made = quarter(
        [(0, 0), (1000, 0), (1000, 600), (0, 600)], {0: Edge(width=24, gap=gap, before=700)}
    )
    made.draft.add("丁路", [(9000, 0), (9000, 500)])
    lines = network(scramble(made.draft.city(turn=20).frame, seed))
    for start, end in (("丁路", "乙道"), ("乙道", "丁路")):
        (piece,) = axis_pieces([AxisPart("甲路", "main", start=start, end=end)], lines, {})
        assert piece.run is not None
        assert run_length(piece.run.vertices) == pytest.approx(1000, abs=1)
        assert piece.run.bridged_m == pytest.approx(bridged, abs=1)
        # It runs from its start to its end.
        other = next(line for line in lines.every(start) if line.vertices[0].lon < 117.2)
        plane = Plane(*HERE)
        line = shapely.LineString([plane.to(v.position) for v in other.vertices])
        first = shapely.Point(plane.to(piece.run.vertices[0].position))
        assert line.distance(first) < 1.0
    (whole,) = axis_pieces([AxisPart("甲路", "main")], lines, {})
    assert whole.run is not None
    assert run_length(whole.run.vertices) == pytest.approx(1820, abs=1)


def far_apart(joined: bool) -> Draft:
    """Carriageways 60 m apart, joined at the far ends or not, among streets of both and of one."""
    draft = Draft([
        cities.Road("大道", LineString([(0, -30), (3000, -30)]), oneway=1),
        cities.Road("大道", LineString([(3000, 30), (0, 30)]), oneway=1),
    ])  # fmt: skip
    if joined:
        draft.add("大道", [(3000, -30), (3000, 30)]).add("大道", [(0, 30), (0, -30)])
    draft.add("甲路", [(1000, -300), (1000, 30)]).add("乙路", [(1400, -30), (1400, 300)])
    draft.add("丙路", [(1800, 30), (1800, 300)]).add("丁路", [(2200, -300), (2200, -30)])
    draft.add("戊路", [(2500, -300), (2500, 300)]).add("己路", [(2800, -300), (2800, 300)])
    return draft.add("北道", [(900, 280), (2900, 280)]).add("南道", [(900, -280), (2900, -280)])


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(
    ("start", "end", "metres"),
    [
        ("甲路", "乙路", 400),
        ("乙路", "丙路", 400),
        ("丙路", "丁路", 400),
        ("甲路", "丁路", 1200),
        ("丙路", "戊路", 700),
        ("丁路", "戊路", 300),
        ("戊路", "己路", 300),
    ],
)
def test_an_axis_stays_on_one_of_two_far_carriageways(joined, start, end, metres):
    lines = network(far_apart(joined).city(turn=20).frame)
    assert len(lines["大道"].parts) == (1 if joined else 2)
    for one, other in ((start, end), (end, start)):
        (piece,) = axis_pieces([AxisPart("大道", "main", start=one, end=other)], lines, {})
        assert piece.run is not None
        assert run_length(piece.run.vertices) == pytest.approx(metres, abs=1)
        assert piece.run.bridged_m == 0.0


@pytest.mark.parametrize("joined", [True, False])
def test_from_one_far_carriageway_to_the_other_at_one_junction_is_no_axis(joined):
    lines = network(far_apart(joined).city().frame)
    with pytest.raises(GeometryError, match="has no length"):
        axis_pieces([AxisPart("大道", "main", start="戊路", end="戊路")], lines, {})


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(
    ("across", "along", "answer"),
    [
        ("北道", ("丙路", "戊路"), (1800, 30, 2500, 280)),
        ("南道", ("丁路", "戊路"), (2200, -280, 2500, -30)),
        ("北道", ("戊路", "己路"), (2500, 30, 2800, 280)),
        ("南道", ("戊路", "己路"), (2500, -280, 2800, -30)),
    ],
)
def test_a_ring_runs_on_one_of_two_far_carriageways(joined, across, along, answer):
    lines = network(far_apart(joined).city().frame)
    north, south = (across, "大道") if across == "北道" else ("大道", across)
    sides = {"north": [north], "south": [south], "west": [along[0]], "east": [along[1]]}
    rings = [
        ring_of_sides(sides, lines),
        ring_of_lines([RingPart(name) for name in (north, along[0], south, along[1])], lines),
    ]
    for ring in rings:
        found = plain(ring.coordinates)
        assert found.symmetric_difference(shapely.box(*answer)).area < 500
        sound(ring, lines)


def test_from_one_far_carriageway_to_the_other_is_no_side_of_a_ring():
    lines = network(far_apart(joined=True).city().frame)
    with pytest.raises(GeometryError):
        ring_of_lines([RingPart("大道"), RingPart("戊路")], lines)


def test_far_carriageways_all_round_do_not_multiply_the_search():
    corners = [
        (0, 0), (800, 0), (800, -800), (1600, -800), (1600, 800), (2400, 800), (2400, 1600),
        (800, 1600), (800, 1000), (0, 1000),
    ]  # fmt: skip
    edges = {k: Edge(width=60.0, before=300, after=300) for k in range(len(corners))}
    made = quarter(corners, edges)
    lines = network(made.draft.city().frame)
    ring = ring_of_sides(made.sides, lines)
    answer = shapely.Polygon(corners)
    assert plain(ring.coordinates).exterior.hausdorff_distance(answer.exterior) < 45
    sound(ring, lines)
    # A million ways to choose the carriageways are not tried.
    with pytest.raises(GeometryError, match="crosses itself"):
        ring_of_lines([RingPart(road.name) for road in made.draft.roads], lines)
