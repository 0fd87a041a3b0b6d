"""Every number that decides in the compiler, at its boundary: a little less, a little more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from nankai_gis.compiler.axis import PieceError, axis_pieces
from nankai_gis.compiler.junction import Junction, Junctions
from nankai_gis.compiler.links import Links
from nankai_gis.compiler.measured import MeasuredLine, run_length
from nankai_gis.compiler.ring import _not_too_many, ring_of_lines
from nankai_gis.compiler.search import Search, _kept, ring_of_sides
from nankai_gis.compiler.sides import ClauseSides
from nankai_gis.errors import GeometryError
from nankai_gis.geometry.plane import Plane
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.plan.model import AxisPart, Line, Names, RingPart, Vertex

ORIGIN = (117.0, 39.0)
PLANE = Plane(*ORIGIN)
XY = Sequence[tuple[float, float]]


def vertex(x: float, y: float) -> Vertex:
    return Vertex(*PLANE.back((x, y)), 5.0, "osm", "s", "2026")


def line(key: str, *parts: XY) -> Line:
    """A line of one or more parts, in metres."""
    vertices = tuple(tuple(vertex(x, y) for x, y in part) for part in parts)
    return Line(key, "street", Names(key, key, key), vertices)


def network(*lines: Line) -> DigitisedNetwork:
    return DigitisedNetwork(lines, {}, {}, {})


def corners(a: Line, b: Line) -> list[Junction]:
    junctions = Junctions(network(a, b), ORIGIN)
    return junctions.between(junctions.measured(a), junctions.measured(b))


def kinds(a: Line, b: Line) -> list[str]:
    return [corner.kind for corner in corners(a, b)]


ACROSS = line("across", [(-2000, 0), (2000, 0)])


# ------------------------------------------------------------------ junctions


@pytest.mark.parametrize(("short", "kind"), [(59.9, "near"), (60.1, "extended")])
def test_an_end_is_near_within_sixty_metres(short: float, kind: str) -> None:
    assert kinds(line("a", [(0, 900), (0, short)]), ACROSS) == [kind]


@pytest.mark.parametrize(("short", "found"), [(399.9, ["extended"]), (400.1, [])])
def test_an_end_is_extended_by_four_hundred_metres(short: float, found: list[str]) -> None:
    assert kinds(line("a", [(0, 900), (0, short)]), ACROSS) == found
    # Two ends together, too.
    half = line("b", [(-900, 0), (-short / 2, 0)])
    assert kinds(line("a", [(0, 900), (0, short / 2)]), half) == found


@pytest.mark.parametrize(("apart", "crossings"), [(99.8, 1), (100.2, 2)])
def test_crossings_within_a_hundred_metres_are_one(apart: float, crossings: int) -> None:
    hook = line("a", [(0, -60), (0, 10), (apart, 10), (apart, -60)])
    assert len({corner.middle for corner in corners(hook, ACROSS)}) == crossings


@pytest.mark.parametrize(("between", "count"), [(199.8, 1), (200.2, 2)])
def test_far_carriageways_have_a_corner_each(between: float, count: int) -> None:
    depth = (between - 90) / 2
    hook = line("a", [(0, -60), (0, depth), (90, depth), (90, -60)])
    assert len(corners(hook, ACROSS)) == count


# ------------------------------------------------------------------ measured lines


def measured(*parts: XY) -> MeasuredLine:
    return MeasuredLine(line("a", *parts), PLANE)


@pytest.mark.parametrize(("detour", "bridged"), [(298.0, 0.0), (302.0, 100.0)])
def test_a_metre_over_a_break_costs_three(detour: float, bridged: float) -> None:
    high = (detour - 100) / 2
    way = [(0.0, 0.0), (0.0, high), (100.0, high), (100.0, 0.0)]
    broken = measured([(-300, 0), (0, 0)], [(100, 0), (400, 0)], way)
    _, length, over = broken.path((0, 0.0), (1, 300.0))
    assert over == pytest.approx(bridged, abs=1e-6)
    assert length == pytest.approx(600 + (bridged or detour), abs=1e-6)


def test_a_way_takes_the_shorter_side_of_a_ring_road() -> None:
    loop = measured([(0, 0), (300, 0), (300, 300), (0, 300), (0, 0)])
    assert loop.distance((0, 100.0), (0, 1100.0)) == pytest.approx(200)


@pytest.mark.parametrize(("off", "same"), [(0.009, True), (0.011, False)])
def test_a_place_within_a_centimetre_of_a_vertex_is_it(off: float, same: bool) -> None:
    straight = measured([(0, 0), (100, 0), (200, 0)])
    assert (straight.vertex((0, 100 + off)) is straight.line.parts[0][1]) == same
    assert straight.ends_at((0, off)) == same


def test_an_end_points_on_as_its_last_fifty_metres_do() -> None:
    # 20 m of the last leg, and 30 m of the one before it.
    bent = measured([(0, -500), (0, 0), (20, 0)])
    (_, _), (_, heading) = bent.ends()
    assert heading == pytest.approx((20 / math.hypot(20, 30), 30 / math.hypot(20, 30)), abs=1e-6)


@pytest.mark.parametrize(("back", "along"), [(69.0, 200.0), (71.0, 202.0)])
def test_the_other_carriageway_is_two_hundred_metres_on(back: float, along: float) -> None:
    turning = measured([(-300, 0), (0, 0), (0, 60), (-300, 60)])
    place = (0, 300.0 - back)
    assert list(turning.opposite(place)) == [(0, pytest.approx(place[1] + along))]


@pytest.mark.parametrize(("apart", "count"), [(99.9, 1), (100.1, 0)])
def test_the_other_carriageway_is_within_a_hundred_metres(apart: float, count: int) -> None:
    dual = measured([(0, 0), (900, 0)], [(0, apart), (900, apart)])
    assert len(list(dual.opposite((0, 450.0)))) == count


# ------------------------------------------------------------------ rings that are given

SOUTH = line("south", [(-100, 0), (1100, 0)])
NORTH = line("north", [(-100, 600), (1100, 600)])
WEST = line("west", [(0, -100), (0, 700)])
EAST = line("east", [(1000, -100), (1000, 700)])


@pytest.mark.parametrize(("beside", "kept"), [(0.049, 0), (0.051, 1)])
def test_a_vertex_within_a_hair_of_a_corner_stands_at_it(beside: float, kept: int) -> None:
    south = line("south", [(-100, 0), (beside, 0), (1100, 0)])
    parts = [RingPart(key) for key in ("south", "east", "north", "west")]
    ring = ring_of_lines(parts, network(south, NORTH, WEST, EAST))
    assert len(ring.coordinates) == 5 + kept


@pytest.mark.parametrize(("off", "names"), [(0.9, True), (1.1, False)])
def test_a_control_point_names_a_corner_within_a_metre(off: float, names: bool) -> None:
    bend = line("bend", [(0, -1), (0, 400), (800, 400), (800, -1)])
    parts = [RingPart("bend", until="p"), RingPart("south")]
    lines, points = network(bend, SOUTH), {"p": vertex(800, off)}
    if names:
        assert len(ring_of_lines(parts, lines, points).runs) == 2
    else:
        with pytest.raises(GeometryError, match="don't meet at p"):
            ring_of_lines(parts, lines, points)


def test_four_thousand_combinations_of_corners_are_tried() -> None:
    two = [Junction("shared", (0, d), (0, 0.0), 0.0, middle=(d, 0.0)) for d in (0.0, 9.0)]
    assert _not_too_many([two] * 12) == [two] * 12
    with pytest.raises(GeometryError, match="8192 ways"):
        _not_too_many([two] * 13)
    # Carriageways of one crossing count once, then.
    one = [replace(corner, middle=(0.0, 0.0)) for corner in two]
    assert _not_too_many([one] * 13) == [one[:1]] * 13


def test_a_line_is_followed_over_a_metre_or_not_at_all() -> None:
    for between, drawn in ((0.9, False), (1.1, True)):
        other = line("other", [(between, -100), (between, 700)])
        part = AxisPart("south", "main", start="west", end="other")
        lines = network(SOUTH, WEST, other)
        if drawn:
            (piece,) = axis_pieces([part], lines, {})
            assert piece.run is not None
            assert run_length(piece.run.vertices) == pytest.approx(between, abs=0.01)
        else:
            with pytest.raises(PieceError, match="has no length"):
                axis_pieces([part], lines, {})


# ------------------------------------------------------------------ sides

NAMED = {"east": ["east"], "south": ["south"], "west": ["west"], "north": ["north"]}


def contradicted(*lines: Line) -> list[str]:
    """The keys of what is said of a ring through four lines."""
    parts = [RingPart(key) for key in ("south", "east", "north", "west")]
    ring = ring_of_lines(parts, network(*lines))
    sides = ClauseSides(NAMED, {x.id: x.names for x in lines}, ())
    return [remark.key for remark in sides.contradictions(ring, PLANE)]


@pytest.mark.parametrize(("degrees", "wrong"), [(74.5, 0), (75.5, 2)])
def test_a_road_faces_its_side_within_seventy_five_degrees(degrees: float, wrong: int) -> None:
    shift = 600 * math.tan(math.radians(degrees))
    lines = [
        line("south", [(0, 0), (1000, 0)]),
        line("east", [(1000, 0), (1000 + shift, 600)]),
        line("north", [(1000 + shift, 600), (shift, 600)]),
        line("west", [(shift, 600), (0, 0)]),
    ]
    assert contradicted(*lines) == ["wrong side"] * wrong


@pytest.mark.parametrize(("degrees", "wrong"), [(49.5, 0), (50.5, 4), (-49.5, 0), (-50.5, 4)])
def test_a_clause_is_turned_beyond_fifty_degrees(degrees: float, wrong: int) -> None:
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))

    def turned(old: Line) -> Line:
        spots = [complex(*PLANE.to(v.position)) * turn for v in old.vertices]
        return line(old.id, [(spot.real, spot.imag) for spot in spots])

    lines = [turned(old) for old in (SOUTH, EAST, NORTH, WEST)]
    assert contradicted(*lines) == ["clause turned"] * wrong


# ------------------------------------------------------------------ links and the search


def zigzag(x: float, length: float) -> Line:
    """A link of some length between y = 0 and y = 500, that leaves and arrives at x."""
    aside = math.sqrt((length / 2) ** 2 - 250**2)
    return line(f"link at {x}", [(x, -1), (x, 0), (x - aside, 250), (x, 500), (x, 501)])


def links_between(*links: Line) -> list[str]:
    low, high = line("low", [(-4000, 0), (4000, 0)]), line("high", [(-4000, 500), (4000, 500)])
    # Links are looked for between the corners that there are.
    west, east = (line(f"at {x}", [(x, -100), (x, 600)]) for x in (-1000, 1000))
    junctions = Junctions(network(low, high, west, east, *links), ORIGIN)
    named = [junctions.measured(x) for x in (low, high, west, east)]
    best = Links(junctions, named).between(*named[:2])
    return [link.line.id for _, link, _ in best]


@pytest.mark.parametrize(("length", "count"), [(3999.0, 1), (4001.0, 0)])
def test_a_link_is_four_kilometres_long_at_most(length: float, count: int) -> None:
    assert len(links_between(zigzag(900, length))) == count


@pytest.mark.parametrize(("length", "first"), [(639.0, "link at -900"), (641.0, "short")])
def test_a_metre_of_gap_costs_eight(length: float, first: str) -> None:
    # 20 m short of the one road: 480 m, and eight times the gap.
    short = line("short", [(900, -1), (900, 480)])
    assert links_between(zigzag(-900, length), short)[0] == first


def test_two_links_are_tried() -> None:
    assert links_between(*(zigzag(x, 600) for x in (300, 900, 600))) == [
        "link at 300", "link at 600",
    ]  # fmt: skip


def cost(lines: Sequence[Line], sides: dict[str, list[str]]) -> float:
    """What the cheapest ring costs."""
    source = network(*lines)
    junctions = Junctions(source, ORIGIN)
    named = [source[key] for keys in sides.values() for key in keys]
    clause = ClauseSides(sides, {x.id: x.names for x in named}, ())
    return Search(junctions, [junctions.measured(x) for x in named], clause).rings()[0].cost


def test_a_link_costs_twice_its_length_and_a_hundred_and_fifty_metres() -> None:
    lines = [
        line("south", [(-100, 0), (900, 0)]),
        line("west", [(0, -100), (0, 700)]),
        line("north", [(-100, 600), (400, 600)]),
        line("east", [(800, -100), (800, 400)]),
        line("link", [(300, 700), (300, 300), (900, 300)]),
    ]
    # 800 m of link; of the others 800, 600, 300 and 300 m.
    assert cost(lines, NAMED) == pytest.approx(2000 + 2 * 800 + 150, abs=0.5)


def lake(x: float) -> Line:
    """A road that leaves the south and comes back to it 300 m further on."""
    return line(f"lake {x}", [(x, 1), (x, -300), (x + 300, -300), (x + 300, 1)])


def test_a_road_followed_again_costs_half_as_much_more_and_a_hundred_and_fifty_metres() -> None:
    lines = [
        line("south", [(-200, 0), (1200, 0)]),
        line("west", [(0, -200), (0, 1200)]),
        line("north", [(-200, 1000), (1200, 1000)]),
        line("east", [(1000, -200), (1000, 1200)]),
        lake(400),
    ]
    sides = {**NAMED, "south": ["south", "lake 400"]}
    # 400 m of the south, 300 m again, 900 m about the lake, and three sides of 1000 m.
    again = 300 * 1.5 + 150
    assert cost(lines, sides) == pytest.approx(400 + again + 900 + 3000, abs=0.5)


def two_rings(longer: float, high: float = 400.0) -> dict[str, float]:
    """A quarter with two northern roads that a middle road joins, either of them first.

    The ring by the upper east is longer by so many metres; both cost 4550 m otherwise.
    """
    bulge = [(1000, 600), (1000 + longer / 2, 600 + high / 3)]
    bulge += [(1000 + longer / 2, 600 + high / 3 + 1), (1000, 600 + high)]
    lines = [
        line("south", [(-200, 0), (1200, 0)]),
        line("west", [(0, -200), (0, 1200)]),
        line("upper", [(-200, 600 + high), (1200, 600 + high)]),
        line("lower", [(-200, 600), (1200, 600)]),
        line("middle", [(500, 500), (500, 700 + high)]),
        line("east", [(1000, -200), *bulge, (1000, 1200)]),
    ]
    sides = {**NAMED, "north": ["upper", "lower"]}
    ring = ring_of_sides(sides, network(*lines))
    return {", ".join(n.hant for n in other.lines): other.cost for other in ring.alternatives}


def bulge_of(extra: float, high: float = 400.0) -> float:
    """How far a bulge must reach to make its road longer by so many metres."""
    low, far = 0.0, 5000.0
    for _ in range(60):
        reach = (low + far) / 2
        way = math.hypot(reach, high / 3) + 1 + math.hypot(reach, high - high / 3 - 1)
        low, far = (reach, far) if way - high < extra else (low, reach)
    return 2 * low


@pytest.mark.parametrize(("share", "count"), [(0.245, 1), (0.255, 0)])
def test_a_ring_a_quarter_dearer_is_an_alternative(share: float, count: int) -> None:
    assert len(two_rings(bulge_of(share * 4550))) == count


@pytest.mark.parametrize(("share", "ambiguous"), [(0.018, True), (0.022, False)])
def test_a_ring_two_percent_dearer_is_as_good(share: float, ambiguous: bool) -> None:
    if ambiguous:
        with pytest.raises(GeometryError, match="equally well"):
            two_rings(bulge_of(share * 4550))
    else:
        assert len(two_rings(bulge_of(share * 4550))) == 1


@pytest.mark.parametrize(("high", "ambiguous"), [(300.0, False), (320.0, True)])
def test_rings_that_differ_by_a_twentieth_of_the_area_are_two(high: float, ambiguous: bool) -> None:
    # Two strips of 5 km at the top of 60 square kilometres: 4.9 and 5.2 %.
    lines = [
        line("south", [(-200, 0), (10200, 0)]),
        line("west", [(0, -200), (0, 6900)]),
        line("upper", [(-200, 6000 + high), (10200, 6000 + high)]),
        line("lower", [(-200, 6000), (10200, 6000)]),
        line("middle", [(5000, 5900), (5000, 6100 + high)]),
        line("east", [(10000, -200), (10000, 6900)]),
    ]
    sides = {**NAMED, "north": ["upper", "lower"]}
    if ambiguous:
        with pytest.raises(GeometryError, match="equally well"):
            ring_of_sides(sides, network(*lines))
    else:
        assert len(ring_of_sides(sides, network(*lines)).alternatives) == 1


@pytest.mark.parametrize(("lakes", "closes"), [(3, True), (4, False)])
def test_a_round_takes_in_three_roads_again(lakes: int, closes: bool) -> None:
    lines = [
        line("south", [(-200, 0), (1200, 0)]),
        line("east", [(1000, -200), (1000, 1200)]),
        line("north", [(-200, 1000), (1200, 1000)]),
        line("west", [(0, -200), (0, 1200)]),
    ]
    about = [
        line("south lake", [(300, 1), (300, -300), (600, -300), (600, 1)]),
        line("east lake", [(999, 300), (1300, 300), (1300, 600), (999, 600)]),
        line("north lake", [(300, 999), (300, 1300), (600, 1300), (600, 999)]),
        line("west lake", [(1, 300), (-300, 300), (-300, 600), (1, 600)]),
    ][:lakes]
    sides = {side: [side] for side in NAMED}
    for water in about:
        sides[water.id.split()[0]].append(water.id)
    if closes:
        ring = ring_of_sides(sides, network(*lines, *about))
        assert [run.role for run in ring.runs].count("again") == lakes
    else:
        with pytest.raises(GeometryError, match="don't close"):
            ring_of_sides(sides, network(*lines, *about))


@pytest.mark.parametrize(("further", "count"), [(199.9, 2), (200.1, 1)])
def test_a_corner_two_hundred_metres_on_is_the_far_side_of_a_crossing(
    further: float, count: int
) -> None:
    following = SimpleNamespace(line=SimpleNamespace(id="b"))
    leave = SimpleNamespace(middle=(117.0, 39.0))
    ways: list[Any] = [
        SimpleNamespace(metres=metres, leave=leave, following=following)
        for metres in (300.0, 300.0 + further)
    ]
    assert len(_kept(ways, None)) == count


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(("far", "metres"), [(589.0, 838.0), (591.0, 400.0)])
def test_a_detour_by_the_end_of_the_street_is_left(far: float, metres: float) -> None:
    # Round by the end 2 far - 340 m; straight on along the other carriageway 400 m.
    street = line("street", [(-300, 0), (far, 0), (far, 60), (-300, 60)])
    start, end = line("start", [(0, -300), (0, 1)]), line("end", [(400, 59), (400, 300)])
    part = AxisPart("street", "main", start="start", end="end")
    (piece,) = axis_pieces([part], network(street, start, end), {})
    assert piece.run is not None
    assert run_length(piece.run.vertices) == pytest.approx(metres, abs=1.0)
