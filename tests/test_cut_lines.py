"""Lines cut by areas, compared with GEOS, with brute force and with a stand-in of short steps."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
import shapely.affinity
import shapely.ops
from drafts import EAST, NORTH, by_area, line, polygon, square
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from nankai_gis.errors import GeometryError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.cut import BOUNDARY
from nankai_gis.geometry.cut_lines import cut_lines


def test_a_crossing_line_is_split_at_the_boundary():
    cut = cut_lines([line((-500, 300), (1500, 300))], [square(0, 0, 1000, 1000)])
    assert cut.line.tolist() == [0, 0, 0]
    assert cut.length_m == pytest.approx([500, 1000, 500], rel=1e-3)
    inside, along = by_area(cut, 1)
    assert inside[0] == pytest.approx(cut.length_m[1])
    assert along[0] == 0.0


def test_a_line_along_the_boundary_counts_once_for_the_pair():
    west, east = square(0, 0, 1000, 1000), square(1000, 0, 2000, 1000)
    cut = cut_lines([line((1000, 100), (1000, 600))], [west, east])
    assert len(cut.line) == 1
    inside, along = by_area(cut, 2)
    assert inside == [0.0, 0.0]
    assert along == pytest.approx([cut.line_length_m[0]] * 2, rel=1e-12)
    _, area, on = cut.rows()
    assert area.tolist() == [0, 1]
    assert on.tolist() == [BOUNDARY] * 2


@pytest.mark.parametrize(("beside", "expected"), [(8.0, True), (-8.0, True), (12.0, False)])
def test_the_tolerance_is_in_metres(beside, expected):
    street = line((100, beside), (900, beside))
    cut = cut_lines([street], [square(0, 0, 1000, 1000)], boundary_m=10.0)
    inside, along = by_area(cut, 1)
    assert (along[0] > 0) is expected
    assert inside[0] + along[0] == pytest.approx(cut.line_length_m[0] if beside > -10 else 0)


def test_a_square_crossing_keeps_its_side_up_to_the_boundary():
    cut = cut_lines([line((-100, 500), (100, 500))], [square(0, 0, 1000, 1000)], boundary_m=15.0)
    inside, along = by_area(cut, 1)
    assert inside[0] == pytest.approx(100, rel=1e-3)
    assert along[0] == 0.0


@pytest.mark.parametrize(("angle", "expected"), [(25.0, True), (35.0, False)])
def test_only_what_runs_in_the_boundarys_direction_runs_along_it(angle, expected):
    dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    street = line((500 - 90 * dx, -90 * dy), (500 + 90 * dx, 90 * dy))
    cut = cut_lines([street], [square(0, 0, 1000, 1000)], boundary_m=10.0)
    along = by_area(cut, 1)[1][0]
    if expected:
        assert along == pytest.approx(20 / math.sin(math.radians(angle)), rel=0.02)
    else:
        assert along == 0.0


def test_what_runs_along_ends_at_the_corner():
    street = line((500, 0), (1500, 0))
    cut = cut_lines([street], [square(0, 0, 1000, 1000)], boundary_m=20.0)
    inside, along = by_area(cut, 1)
    assert inside[0] == 0.0
    assert along[0] == pytest.approx(cut.line_length_m[0] / 2, rel=1e-3)


def test_what_runs_along_goes_on_round_a_gentle_bend():
    shape = polygon((0, 0), (500, 0), (1000, 130), (1000, 1000), (0, 1000))
    outer = line((0, -8), (501, -8), (1002, 122))
    cut = cut_lines([outer], [shape], boundary_m=10.0)
    assert by_area(cut, 1)[1][0] == pytest.approx(cut.line_length_m[0], rel=1e-2)


@pytest.mark.parametrize(
    "street",
    [
        line((0, 0), (1000, 1000)),  # through two corners
        line((-300, 1300), (1300, -300)),  # the same, from outside to outside
        line((500, 500), (1000, 1000)),  # ends in a corner
        line((500, 0), (500, 1000)),  # from border to border
        line((-500, 0), (500, 0), (500, 500)),  # arrives along the border's continuation
        line((500, 500), (500, 500.4), (500, 3000)),
    ],
)
def test_vertices_on_the_boundary_are_no_trouble(street):
    shape = square(0, 0, 1000, 1000)
    cut = cut_lines([street], [shape])
    inside, along = by_area(cut, 1)
    theirs = ruler.lengths([shapely.intersection(street, shape)])[0]
    assert inside[0] + along[0] == pytest.approx(theirs, rel=1e-7)
    assert cut.length_m.sum() == pytest.approx(cut.line_length_m.sum(), rel=1e-12)


def test_holes_and_parts_count():
    hole = Polygon(square(0, 0, 1000, 1000).exterior, [square(400, 400, 600, 600).exterior.coords])
    both = MultiPolygon([hole, square(2000, 0, 3000, 1000)])
    cut = cut_lines([line((-100, 500), (3100, 500))], [both])
    assert by_area(cut, 1)[0][0] == pytest.approx(1800, rel=1e-3)
    assert len(cut.line) == 7


def test_pieces_are_the_line():
    street = line((-500, 100), (300, 150), (700, 250), (1500, 300))
    whole = line((100, 800), (200, 900))
    cut = cut_lines([street, whole], [square(0, 0, 1000, 1000)])
    pieces = cut.geometries()
    assert pieces[-1] is cut.lines[1]
    assert cut.whole.tolist() == [False] * 3 + [True]
    assert ruler.lengths(pieces) == pytest.approx(cut.length_m, rel=1e-9)
    for one, two in itertools.pairwise(pieces[:3]):
        assert one.coords[-1] == two.coords[0]
    assert shapely.line_merge(shapely.multilinestrings(pieces[:3])).length == pytest.approx(
        street.length
    )
    first, last, ahead, behind = cut.ends(np.arange(4))
    assert first[1].tolist() == last[0].tolist()
    assert ahead[3].tolist() == behind[3].tolist()


def test_no_lines_and_no_areas():
    none = cut_lines([], [square(0, 0, 1, 1)])
    assert len(none.line) == 0
    alone = cut_lines([line((0, 0), (10, 0))], [])
    assert alone.whole.tolist() == [True]
    assert alone.rows()[0].tolist() == []
    assert alone.length_m == pytest.approx(10, rel=1e-3)


def test_far_lines_are_outside():
    far = [LineString([(-170, -80), (-160, 80)]), LineString([(0, 0), (1e-7, 0)])]
    cut = cut_lines(far, [square(0, 0, 1000, 1000)])
    assert by_area(cut, 1) == ([0.0], [0.0])


@pytest.mark.parametrize(
    ("lines", "areas", "words"),
    [
        ([LineString()], [box(0, 0, 1, 1)], "line 0 is an empty LineString"),
        ([None], [box(0, 0, 1, 1)], "line 0 is missing"),
        ([Point(0, 0)], [box(0, 0, 1, 1)], "line 0 is a Point"),
        ([LineString([(0, 0), (1, 1)])], [Polygon()], "area 0 is an empty Polygon"),
        ([LineString([(0, 0), (1, 1)])], [LineString([(0, 0), (1, 1)])], "area 0 is a LineString"),
        ([], [box(0, 0, 1, 1), Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], "area 1 is invalid"),
        ([], [MultiPolygon([box(0, 0, 2, 2), box(1, 1, 3, 3)])], "area 0 is invalid"),
    ],
)
def test_wrong_geometry_is_refused(lines, areas, words):
    with pytest.raises(GeometryError, match=words):
        cut_lines(lines, areas)


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf])
def test_a_tolerance_is_a_number_of_metres(tolerance):
    with pytest.raises(ValueError, match="boundary_m"):
        cut_lines([], [], boundary_m=tolerance)


def test_areas_of_the_caller_stay_unprepared():
    shapes = np.array([square(0, 0, 1000, 1000)], dtype=object)
    cut_lines([line((-10, 5), (500, 5))], shapes)
    assert not shapely.is_prepared(shapes).any()


def test_threads_may_cut_by_the_same_areas():
    rng = np.random.default_rng(5)
    shapes = [square(x, y, x + 900, y + 900) for x in range(0, 4000, 700) for y in (0, 800)]
    lines = [
        line(*(rng.uniform(0, 4000, (4, 2)).tolist())) for _ in range(400)
    ]  # fmt: skip
    alone = cut_lines(lines, shapes).lengths_by_area(len(shapes))
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(cut_lines, lines, shapes) for _ in range(12)]
        for job in jobs:
            found = job.result().lengths_by_area(len(shapes))
            assert np.array_equal(found[0], alone[0])


# ------------------------------------------------------------------ against GEOS, at random

METRES = st.integers(-3000, 3000)
POINT = st.tuples(METRES, METRES)


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """A polygon that is valid whatever is drawn: corners about a centre, by angle."""
    count = draw(st.integers(3, 9))
    x, y = draw(POINT)
    radii = draw(st.lists(st.integers(200, 2500), min_size=count, max_size=count))
    turn = draw(st.integers(0, 359))
    corners = []
    for k, radius in enumerate(radii):
        angle = math.radians(turn + 360 * k / count)
        corners.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return polygon(*corners)


@st.composite
def streets(draw: st.DrawFn) -> LineString:
    points = draw(st.lists(POINT, min_size=2, max_size=6, unique=True))
    return line(*points)


def closed(lines: list[LineString], shapes: list[Polygon]) -> np.ndarray:
    """Length in each closed polygon, by GEOS, edge by edge: it merges a line with itself."""
    edges = [LineString(ends) for one in lines for ends in itertools.pairwise(one.coords)]
    return np.array([ruler.lengths(shapely.intersection(edges, s)).sum() for s in shapes])


@settings(max_examples=150, deadline=None)
@given(st.lists(streets(), min_size=1, max_size=6), st.lists(stars(), min_size=1, max_size=4))
def test_lengths_are_those_of_geos(lines, shapes):
    cut = cut_lines(lines, shapes)
    inside, along = cut.lengths_by_area(len(shapes))
    # A crossing under a flat angle runs along for some of the least tolerance.
    assert inside + along == pytest.approx(closed(lines, shapes), rel=1e-8, abs=2e-3)
    sums = np.bincount(cut.line, weights=cut.length_m)
    assert sums == pytest.approx(cut.line_length_m, rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(streets(), min_size=1, max_size=5),
    st.lists(stars(), min_size=1, max_size=3),
    st.sampled_from([0.0, 15.0, 60.0]),
    st.randoms(use_true_random=False),
)
def test_splitting_reversing_and_reordering_change_nothing(lines, shapes, boundary_m, random):
    before = cut_lines(lines, shapes, boundary_m=boundary_m)
    parts = []
    for one in lines:
        share = random.uniform(0.1, 0.9)
        two = [
            shapely.ops.substring(one, 0, share, normalized=True),
            shapely.ops.substring(one, share, 1, normalized=True),
        ]
        parts += [piece.reverse() if random.random() < 0.5 else piece for piece in two]
    random.shuffle(parts)
    order = list(range(len(shapes)))
    random.shuffle(order)
    after = cut_lines(parts, [shapes[k] for k in order], boundary_m=boundary_m)
    was, now = by_area(before, len(shapes)), by_area(after, len(shapes))
    for old, new in zip(was, now, strict=True):
        # A split point is rounded to some 1e-14 degrees.
        assert new == pytest.approx([old[k] for k in order], rel=1e-8, abs=1e-3)


@settings(max_examples=80, deadline=None)
@given(st.lists(streets(), min_size=1, max_size=5), stars(), st.sampled_from([0.25, 3.0, 40.0]))
def test_moving_everything_along_the_parallel_changes_nothing(lines, shape, east):
    here = cut_lines(lines, [shape], boundary_m=20.0)
    moved = shapely.transform([*lines, shape], lambda c: c + np.array([east, 0.0]))
    there = cut_lines(moved[:-1], [moved[-1]], boundary_m=20.0)
    assert by_area(there, 1)[0] == pytest.approx(by_area(here, 1)[0], rel=1e-8, abs=1e-3)
    assert by_area(there, 1)[1] == pytest.approx(by_area(here, 1)[1], rel=1e-8, abs=1e-3)


@settings(max_examples=80, deadline=None)
@given(st.lists(streets(), min_size=1, max_size=5), stars(), stars())
def test_union_and_difference_add_up(lines, one, two):
    both = polygons.intersection(one, two)[0]
    union = shapely.union(one, two)
    less = polygons.difference(one, two)[0]
    area = dict(zip("abiud", ruler.areas([one, two, both, union, less]), strict=True))
    assert area["u"] + area["i"] == pytest.approx(area["a"] + area["b"], rel=1e-8)
    assert area["d"] + area["i"] == pytest.approx(area["a"], rel=1e-8)
    shapes = [one, two, union, *([] if both.is_empty else [both])]
    inside, along = cut_lines(lines, shapes).lengths_by_area(4)
    length = inside + along
    assert length[0] + length[1] == pytest.approx(length[2] + length[3], rel=1e-8, abs=1e-2)


def test_many_lines_and_areas_against_brute_force():
    rng = np.random.default_rng(11)
    centres = rng.uniform(-20_000, 20_000, (130, 2))
    shapes = [
        polygon(*[(x + r * math.cos(a), y + r * math.sin(a)) for a in np.arange(0, 6.28, 0.4)])
        for (x, y), r in zip(centres, rng.uniform(100, 4000, 130), strict=True)
    ]
    starts = rng.uniform(-22_000, 22_000, (4000, 2))
    lines = [line(s, s + d) for s, d in zip(starts, rng.normal(0, 300, (4000, 2)), strict=True)]
    cut = cut_lines(lines, shapes)
    inside, along = cut.lengths_by_area(len(shapes))
    assert inside + along == pytest.approx(closed(lines, shapes), rel=1e-7, abs=2e-3)
    assert 0.1 < cut.near.mean() < 0.9


# ------------------------------------------------------------------ thresholds, either side


@pytest.mark.parametrize(("turn", "beyond"), [(44.5, 10.0), (45.5, 0.0)])
def test_a_corner_of_45_degrees_ends_what_runs_along(turn, beyond):
    angle = math.radians(turn)
    bent = (1000 + 500 * math.cos(angle), 500 * math.sin(angle))
    shape = polygon((0, 0), (1000, 0), bent, (500, 1500), (0, 1500))
    cut = cut_lines([line((200, 0), (1400, 0))], [shape], boundary_m=10.0)
    # Around a gentle bend the tolerance reaches on, past a corner it doesn't.
    assert by_area(cut, 1)[1] == pytest.approx([800.0 + beyond], abs=0.5)


@pytest.mark.parametrize(("turn", "runs"), [(29.5, True), (30.5, False)])
def test_30_degrees_are_the_most_that_runs_along(turn, runs):
    step = (400 * math.cos(math.radians(turn)), 400 * math.sin(math.radians(turn)))
    street = line((500 - step[0], -step[1]), (500 + step[0], step[1]))
    cut = cut_lines([street], [square(0, 0, 1000, 1000)], boundary_m=10.0)
    expected = 20.0 / math.sin(math.radians(turn)) if runs else 0.0
    assert by_area(cut, 1)[1] == pytest.approx([expected], abs=0.2)


@pytest.mark.parametrize(("beside", "expected"), [(0.9e-5, 600.0), (1.1e-5, 0.0)])
def test_the_least_tolerance_is_a_hundredth_of_a_millimetre(beside, expected):
    cut = cut_lines([line((200, beside), (800, beside))], [square(0, 0, 1000, 1000)])
    assert by_area(cut, 1)[1] == pytest.approx([expected], abs=0.1)


# ------------------------------------------------------------------ the oracle


def stand_in(street: LineString, shape: Polygon, boundary_m: float) -> tuple[float, float]:
    """Lengths inside and along by steps of 5 m, each where its middle is; for square corners."""
    plane = shapely.transform(street, lambda c: (c - (117, 39)) * (EAST, NORTH))
    area = shapely.transform(shape, lambda c: (c - (117, 39)) * (EAST, NORTH))
    edges = list(itertools.pairwise(np.array(area.exterior.coords)))
    inside = along = 0.0
    for start, stop in itertools.pairwise(np.array(shapely.segmentize(plane, 5.0).coords)):
        step, middle = stop - start, (start + stop) / 2
        size = float(np.hypot(*step))
        for a, b in edges:
            edge = (b - a) / np.hypot(*(b - a))
            beside = abs(edge[0] * (middle - a)[1] - edge[1] * (middle - a)[0])
            abreast = 0 <= float(edge @ (middle - a)) <= np.hypot(*(b - a))
            parallel = abs(float(edge @ step)) >= size * math.cos(math.radians(30.0))
            if beside <= boundary_m and abreast and parallel:
                along += size
                break
        else:
            inside += size if area.contains(Point(middle)) else 0.0
    return inside, along


@pytest.mark.parametrize("seed", range(3))
def test_a_stand_in_of_short_steps_agrees(seed):
    random = np.random.default_rng(seed)
    shape = shapely.affinity.rotate(square(0, 0, 1000, 1000), 0)
    walks = np.cumsum(random.uniform(-260, 320, (30, 8, 2)), axis=1)
    walks[:10, :, 1] = random.uniform(-30, 30, (10, 8))  # Up and down beside the southern edge.
    streets = [line(*walk) for walk in walks]
    cut = cut_lines(streets, [shape], boundary_m=20.0)
    piece, _, on = cut.rows()
    for number, street in enumerate(streets):
        mine = cut.line[piece] == number
        lengths = [cut.length_m[piece[mine & (on == state)]].sum() for state in (0, 1)]
        # Half a step at either end of each piece.
        slack = 5.0 * (np.count_nonzero(cut.line == number) + 1)
        assert lengths == pytest.approx(stand_in(street, shape, 20.0), abs=slack, rel=1e-3)
