"""Rings and axes on streets whose corners can be counted by hand."""

from __future__ import annotations

import pytest

from nankai_gis.compiler.axis import axis_pieces
from nankai_gis.compiler.ring import Ring, ring_of_lines
from nankai_gis.errors import GeometryError
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.plan.model import AxisPart, Line, Names, RingPart, Status, Vertex

STEP = 0.01


def vertex(x: int, y: int, accuracy: float = 10.0, status: Status = "osm") -> Vertex:
    return Vertex(117 + x * STEP, 39 + y * STEP, accuracy, status, "s", "2026")


def line(key: str, *xy: tuple[int, int]) -> Line:
    return course(key, *(vertex(*p) for p in xy))


def course(key: str, *vertices: Vertex) -> Line:
    nodes = frozenset(v.position for v in vertices)
    return Line(key, "street", Names(key, key, key), (vertices,) if vertices else (), "", nodes)


def index(*lines: Line) -> DigitisedNetwork:
    return DigitisedNetwork(lines, {}, {}, {})


def at(ring: Ring) -> list[tuple[int, int]]:
    return [(round((x - 117) / STEP), round((y - 39) / STEP)) for x, y in ring.coordinates]


# Two streets along, at y = 0 and 2, and three across, at x = 0, 2 and 4; nodes at every crossing.
SOUTH = line("south", *((x, 0) for x in range(5)))
NORTH = line("north", *((x, 2) for x in range(5)))
WEST = line("west", *((0, y) for y in range(-1, 4)))
MIDDLE = line("middle", *((2, y) for y in range(-1, 4)))
EAST = line("east", *((4, y) for y in range(-1, 4)))
GRID = index(SOUTH, NORTH, WEST, MIDDLE, EAST)


def parts(*names: str) -> list[RingPart]:
    return [RingPart(name) for name in names]


def test_a_block_is_cut_out_of_its_streets() -> None:
    ring = ring_of_lines(parts("south", "middle", "north", "west"), GRID)
    assert set(at(ring)) == {(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)}
    assert [run.line for run in ring.runs] == ["south", "middle", "north", "west"]


@pytest.mark.parametrize(
    "order", [("west", "north", "middle", "south"), ("north", "middle", "south", "west")]
)
def test_direction_and_start_do_not_matter(order: tuple[str, ...]) -> None:
    import shapely

    ring = ring_of_lines(parts(*order), GRID)
    one = shapely.Polygon(
        ring_of_lines(parts("south", "middle", "north", "west"), GRID).coordinates
    )
    assert shapely.Polygon(ring.coordinates).equals(one)
    assert shapely.LinearRing(ring.coordinates).is_ccw


def test_a_stair_uses_a_street_twice() -> None:
    high = line("high", (0, 4), (2, 4))
    middle = line("middle", *((2, y) for y in range(-1, 5)))
    west = line("west", *((0, y) for y in range(-1, 5)))
    lines = index(SOUTH, NORTH, west, middle, EAST, high)
    ring = ring_of_lines(parts("south", "east", "north", "middle", "high", "west"), lines)
    assert (4, 2) in at(ring)
    assert (2, 4) in at(ring)
    assert (4, 4) not in at(ring)


def test_where_streets_meet_twice_the_shortest_simple_ring_counts() -> None:
    loop = line("loop", (0, 0), (0, -2), (4, -2), (4, 0), (5, 0), (5, 3), (0, 3), (0, 0))
    lines = index(SOUTH, NORTH, WEST, MIDDLE, EAST, loop)
    ring = ring_of_lines(parts("south", "loop"), lines)
    assert (4, -2) in at(ring)
    assert (5, 3) not in at(ring)


def test_a_ring_road_is_followed_through_its_seam() -> None:
    loop = line("loop", (2, 0), (4, 0), (4, 4), (0, 4), (0, 0), (2, 0))
    across = line("across", (-1, 1), (5, 1))
    ring = ring_of_lines(parts("loop", "across"), index(loop, across))
    assert {(0, 0), (2, 0), (4, 0), (4, 1), (0, 1)} == set(at(ring))


def test_until_chooses_the_corner() -> None:
    bend = line("bend", (0, 0), (0, 2), (4, 2), (4, 0))
    lines = index(SOUTH, bend)
    points = {"left": vertex(0, 0), "right": vertex(4, 0)}
    ring = ring_of_lines([RingPart("bend", until="right"), RingPart("south")], lines, points)
    assert {(0, 2), (4, 2), (2, 0)} <= set(at(ring))
    with pytest.raises(GeometryError, match="at nowhere"):
        ring_of_lines([RingPart("bend", until="nowhere"), RingPart("south")], lines, points)


def test_a_figure_of_eight_is_refused() -> None:
    cross = line("cross", (0, 0), (4, 2))
    back = line("back", (4, 0), (0, 2))
    lines = index(cross, back, line("left", (0, 0), (0, 2)), line("right", (4, 0), (4, 2)))
    with pytest.raises(GeometryError, match="crosses itself"):
        ring_of_lines(parts("cross", "right", "back", "left"), lines)


@pytest.mark.parametrize(
    "names", [("south", "stub", "north", "west"), ("west", "north", "stub", "south")]
)
def test_a_corner_is_the_same_whichever_way_round(names: tuple[str, ...]) -> None:
    # The stub ends 22 m short of the north: its end is carried there, and nothing else moves.
    short = Vertex(117 + 2 * STEP, 39 + 2 * STEP - 0.0002, 10.0, "osm", "s", "2026")
    lines = index(SOUTH, NORTH, WEST, course("stub", vertex(2, 0), short))
    ring = ring_of_lines(parts(*names), lines)
    (near,) = [corner for corner in ring.corners if corner.kind == "near"]
    assert near.position == pytest.approx(vertex(2, 2).position)
    assert near.gap_m == pytest.approx(22.2, abs=0.1)
    runs = {run.line: {v.position for v in run.vertices} for run in ring.runs}
    assert short.position in runs["stub"]
    assert short.position not in runs["north"]
    assert near.position in runs["stub"] & runs["north"]
    for run, following in zip(ring.runs, [*ring.runs[1:], ring.runs[0]], strict=True):
        assert run.vertices[-1].position == following.vertices[0].position


def test_a_vertex_a_hair_beside_a_corner_makes_no_spike() -> None:
    # The north's vertex lies 1 cm behind the crossing with the west, off the line that is followed.
    hair = 1e-7
    north = course(
        "north",
        Vertex(117 - hair, 39 + 2 * STEP + hair, 10.0, "osm", "s", "2026"),
        Vertex(117 + hair, 39 + 2 * STEP, 10.0, "osm", "s", "2026"),
        vertex(4, 2),
    )
    ring = ring_of_lines(
        parts("south", "middle", "north", "west"), index(SOUTH, WEST, MIDDLE, north)
    )
    assert len(ring.runs) == 4
    corner = [
        p for p in ring.coordinates[:-1] if abs(p[0] - 117) + abs(p[1] - 39 - 2 * STEP) < 1e-5
    ]
    assert len(corner) == 1


def test_a_run_keeps_every_vertex_between_its_corners() -> None:
    near = [
        Vertex(117 + x, 39 + y, 10.0, "osm", "s", "2026") for x, y in ((5e-5, 2e-5), (39.9e-3, 0))
    ]
    bent = course("bent", vertex(-1, 0), vertex(0, 0), *near, vertex(4, 0), vertex(5, 0))
    ring = ring_of_lines(parts("bent", "east", "north", "west"), index(bent, NORTH, WEST, EAST))
    run = next(run for run in ring.runs if run.line == "bent")
    assert [v.position for v in run.vertices] == [v.position for v in bent.vertices[1:-1]]


def test_accuracy_is_weighted_by_length_and_the_worst_status_counts() -> None:
    rough = course(
        "rough", vertex(0, 0), vertex(0, 2, 90.0, "inferred"), vertex(0, 3, 90.0, "inferred")
    )
    ring = ring_of_lines(
        parts("south", "middle", "north", "rough"), index(SOUTH, NORTH, MIDDLE, rough)
    )
    run = next(r for r in ring.runs if r.line == "rough")
    assert run.accuracy_m == pytest.approx(50.0)
    assert (run.status, ring.status) == ("inferred", "inferred")


def test_a_stand_in_is_inferred_and_at_least_as_rough_as_stated() -> None:
    ring = ring_of_lines(
        [*parts("south", "middle", "north"), RingPart("west", "lost road", 200.0)], GRID
    )
    run = ring.runs[-1] if ring.runs[-1].line == "west" else ring.runs[0]
    assert (run.stands_for, run.accuracy_m, run.status) == ("lost road", 200.0, "inferred")


def test_an_axis_keeps_order_ends_and_what_is_missing() -> None:
    lost = course("lost")
    lines = index(SOUTH, NORTH, WEST, MIDDLE, EAST, lost)
    pieces = axis_pieces(
        [
            AxisPart("south", "main", start="middle", end="west"),
            AxisPart("lost", "extension", planned=True),
            AxisPart(None, "bridge", stands_for=("lost",), through=("a", "b")),
            AxisPart("north", "extension"),
        ],
        lines,
        {"a": vertex(0, 0), "b": vertex(0, 2)},
    )
    first, missing, straight, last = (piece.run for piece in pieces)
    assert first is not None
    assert [v.position for v in first.vertices] == [vertex(x, 0).position for x in (2, 1, 0)]
    assert missing is None
    assert straight is not None
    assert straight.status == "inferred"
    assert last is not None
    assert len(last.vertices) == 5


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (AxisPart("south", "main", start="north"), "south doesn't meet north"),
        (AxisPart("south", "main", start="west", end="west"), "has no length"),
        (AxisPart(None, "bridge", through=("a", "z")), "no control point is called z"),
    ],
)
def test_an_axis_that_does_not_compile_says_why(part: AxisPart, message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        axis_pieces([part], GRID, {"a": vertex(0, 0)})


def test_no_parts_make_an_empty_axis() -> None:
    assert axis_pieces([], GRID, {}) == ()
