"""Other layers counted by zone and subdistrict."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
import shapely.ops
from coverage_cases import frame, line, place, row, square
from shapely import MultiPolygon, Point, Polygon

from nankai_gis.errors import CRSError, DataError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.measure import coverage

# ------------------------------------------------------------------ other layers


def test_points_are_counted(block):
    points = frame(
        [Point(place(100, 100)), Point(place(1000, 700)), Point(place(1800, 5)),
         Point(place(-700, 0)), None, Point()],
    )  # fmt: skip
    found = coverage.measure(**block, boundary_m=10).with_layer("sites", points)
    table = found.layers["sites"]
    assert row(table, zone="w", subdistrict="a").inside == 1
    border = row(table, zone="w", subdistrict="b|c")
    assert (border.inside, border.boundary) == (0, 1)
    assert row(table, zone="e", subdistrict=coverage.NO_SUBDISTRICT).boundary == 1
    assert row(table, zone="").inside == 1
    assert found.dropped[found.dropped.layer == "sites"]["count"].tolist() == [1, 1]
    assert "sites: inside + boundary + outside" in set(found.reconciliation.check)


def test_lines_are_measured(block):
    pipes = frame([line((-100, 600), (1000, 600)), line((9000, 0), (9000, 500))])
    table = coverage.measure(**block).with_layer("pipes", pipes).layers["pipes"]
    assert row(table, zone="w").inside_km == pytest.approx(1.0, rel=5e-4)
    assert row(table, zone="e").features == 0
    assert table[table.zone == ""].inside_km.sum() == pytest.approx(0.6, rel=5e-4)


def test_polygons_are_measured(block):
    houses = frame(
        [square(100, 100, 200, 200), square(900, 400, 1100, 600), square(1900, 0, 2100, 100)]
    )
    table = coverage.measure(**block).with_layer("houses", houses).layers["houses"]
    assert row(table, zone="w", subdistrict="a").area_km2 == pytest.approx(0.02, rel=5e-4)
    assert row(table, zone="w", subdistrict="a").features == 2
    assert row(table, zone="w", subdistrict="b").area_km2 == pytest.approx(0.01, rel=5e-4)
    assert row(table, zone="e", subdistrict="c").area_km2 == pytest.approx(0.02, rel=5e-4)
    none = row(table, zone="e", subdistrict=coverage.NO_SUBDISTRICT)
    assert none.area_km2 == pytest.approx(0.01, rel=5e-4)
    assert row(table, zone="").area_km2 == pytest.approx(0.01, rel=5e-4)
    assert table.area_km2.sum() == pytest.approx(0.07, rel=5e-4)


def test_a_point_far_away_moves_no_other(block):
    found = coverage.measure(**block, boundary_m=10)
    # 9 m and 11 m from the western side, within and without.
    near = [Point(place(x, 250)) for x in (-11, -9, 9, 11)]
    for far in ([], [Point(0, 0)], [Point(-60, -39)], [Point(-63, 90), Point(139, 35)]):
        table = found.with_layer("x", frame(near + far)).layers["x"]
        west = table[table.zone == "w"]
        assert (west.inside.sum(), west.boundary.sum()) == (1, 2)
        assert table[table.zone == ""].inside.sum() == 1 + len(far)


def test_points_along_an_edge_that_a_plane_would_bend(block):
    # An edge of 20 km along a parallel; straight in a plane it would be 6 m off in its middle.
    zone = frame([square(0, 0, 20_000, 1000)], id=["z"])
    points = frame([Point(place(10_000, 1000 + y)) for y in (-11, -9, 9, 11)])
    found = coverage.measure(zone, block["streets"], boundary_m=10).with_layer("x", points)
    mine = row(found.layers["x"], zone="z")
    assert (mine.inside, mine.boundary) == (1, 2)


def test_points_at_the_edges_of_holes_and_parts():
    ring = Polygon(
        shapely.get_coordinates(square(0, 0, 900, 900)),
        [shapely.get_coordinates(square(300, 300, 600, 600))],
    )
    zone = frame([MultiPolygon([ring, square(2000, 0, 2900, 900)])], id=["z"])
    streets = frame([line((0, 100), (900, 100))], name=["甲"])
    at = {"inside": [(100, 100), (2100, 100)], "hole": [(450, 450)], "between": [(1500, 450)]}
    # No edge runs from one ring to the next: what lies halfway between them is plainly inside.
    at["edge"] = [(300, 450), (900, 900), (2000, 0), (450, 605)]
    at["ring"] = [(150, 150)]
    points = frame([Point(place(*xy)) for spots in at.values() for xy in spots])
    table = coverage.measure(zone, streets, boundary_m=10).with_layer("x", points).layers["x"]
    mine = row(table, zone="z")
    assert (mine.features, mine.inside, mine.boundary) == (7, 3, 4)
    assert row(table, zone="").inside == 2


@pytest.mark.parametrize(("size", "angle", "least"), [(900, 18, 4e-7), (9000, 9, 8e-6)])
def test_a_parcel_that_touches_a_zone_is_not_in_it(block, size, angle, least):
    # Turned, so that corners don't come out even: what is shared is noise, more on long edges.
    turned = [
        shapely.affinity.rotate(shape, angle, origin=place(0, 0))
        for shape in (
            square(0, 0, size, size),
            square(size, size / 9, size * 1.05, size * 0.9),
        )
    ]
    assert ruler.areas(polygons.intersection(*turned))[0] > least
    found = coverage.measure(frame(turned[:1], id=["z"]), block["streets"])
    found = found.with_layer("parcels", frame(turned[1:]))
    table = found.layers["parcels"]
    mine = row(table, zone="z")
    assert (mine.features, mine.area_km2) == (0, 0)
    assert table.area_km2.sum() == pytest.approx(ruler.areas(turned[1])[0] / 1e6, rel=1e-9)
    checks = found.reconciliation.dropna(subset="limit")
    assert (checks.relative <= 1e-9).all()


@pytest.mark.parametrize("kind", ["point", "line", "polygon"])
def test_rows_that_stand_twice_in_a_layer(block, kind):
    shapes = {
        "point": [Point(place(100, 100)), Point(place(200, 100))],
        "line": [line((100, 100), (100, 200)), line((200, 100), (200, 200))],
        "polygon": [square(100, 100, 150, 150), square(200, 100, 250, 150)],
    }[kind]
    found = coverage.measure(**block)
    once = found.with_layer("x", frame(shapes, id=["a", "b"]))
    twice = found.with_layer("x", frame([*shapes, shapes[0], shapes[0]], id=["a", "b", "a", "a"]))
    pd.testing.assert_frame_equal(once.layers["x"], twice.layers["x"])
    note = row(twice.dropped, layer="x")
    assert (note.reason, note["count"], note.which) == (f"the same id and {kind} again", 2, "a、a")
    # Without ids two things may share a place.
    shared = found.with_layer("x", frame([*shapes, shapes[0]]))
    assert row(shared.layers["x"], zone="w").features == 3
    assert shared.dropped[shared.dropped.layer == "x"].empty


def test_points_with_a_coordinate_that_is_no_number(block):
    with np.errstate(invalid="ignore"):
        points = frame([Point(117, math.nan), Point(place(100, 100))], id=["x", "ok"])
        found = coverage.measure(**block).with_layer("x", points)
    assert row(found.layers["x"], zone="w").inside == 1
    assert row(found.dropped, layer="x", reason="a coordinate that is no number").which == "x"


def test_a_layer_of_several_kinds_is_refused(block):
    found = coverage.measure(**block)
    with pytest.raises(DataError, match="several kinds"):
        found.with_layer("x", frame([Point(117, 39), line((0, 0), (1, 1))]))
    with pytest.raises(DataError, match="no row has a geometry"):
        found.with_layer("x", frame([None]))
    with pytest.raises(CRSError):
        found.with_layer("x", frame([Point(117, 39)]).to_crs(4548))
