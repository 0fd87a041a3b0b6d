"""The ruler and the plane, compared with pyproj point by point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.affinity
import shapely.ops
from drafts import place, square
from pyproj import Geod
from shapely import LineString, MultiPolygon, Point, Polygon, box

from nankai_gis.geometry import degree_scale, ruler
from nankai_gis.geometry.plane import Plane

GEOD = Geod(a=6378137.0, rf=298.257222101)


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 39.1, 80.0])
def test_lengths_are_pyprojs(latitude):
    rng = np.random.default_rng(3)
    points = rng.uniform(-0.004, 0.004, (60, 2)) + np.array([117.2, latitude])
    lines = [LineString(points[k : k + 5]) for k in range(0, 60, 5)]
    theirs = [GEOD.line_length(*np.array(one.coords).T) for one in lines]
    assert ruler.lengths(lines) == pytest.approx(theirs, rel=2e-9)


@pytest.mark.parametrize("step", [(0.3, 0.2), (2.0, 0.9), (0.0, 40.0), (30.0, -25.0)])
def test_a_long_edge_is_as_long_as_its_many_parts(step):
    edge = LineString([(100, 30), (100 + step[0], 30 + step[1])])
    fine = shapely.segmentize(edge, 0.002)
    theirs = GEOD.line_length(*np.array(fine.coords).T)
    assert ruler.lengths([edge])[0] == pytest.approx(theirs, rel=1e-9)
    halves = ruler.lengths([shapely.segmentize(edge, edge.length / 2)])[0]
    assert ruler.lengths([edge])[0] == pytest.approx(halves, rel=1e-11)


@pytest.mark.parametrize(("north", "closer"), [(0.249, False), (0.251, True)])
def test_an_edge_is_measured_more_closely_beyond_a_quarter_degree(monkeypatch, north, closer):
    scale = degree_scale.DegreeScale(39.0, 40.0)
    edge = np.array([39.2]), np.array([0.3]), np.array([north])
    before = scale.edge_lengths(*edge), scale.edge_areas(*edge, np.array([39.2]))
    # A single node in their place is seen where the many are used.
    one_node = np.polynomial.legendre.leggauss(1)
    monkeypatch.setattr(degree_scale, "_TWELVE_NODES", one_node)
    after = scale.edge_lengths(*edge), scale.edge_areas(*edge, np.array([39.2]))
    assert [(a != b).item() for a, b in zip(before, after, strict=True)] == [closer] * 2


def test_areas_are_those_of_finely_divided_rings():
    hole = Polygon(
        [place(*p) for p in ((0, 0), (9000, 500), (8000, 7000), (-500, 8000))],
        [[place(*p) for p in ((2000, 2000), (4000, 2000), (3000, 4000))]],
    )
    two = MultiPolygon([hole, square(20_000, 0, 21_000, 3000)])
    for shape in (hole, two):
        fine = shapely.segmentize(shape, 0.0004)
        theirs = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(fine))[0])
        assert ruler.areas([shape])[0] == pytest.approx(theirs, rel=2e-8)


def test_a_large_area_too():
    shape = box(100, 20, 112, 33)
    fine = shapely.segmentize(shape, 0.01)
    theirs = abs(GEOD.geometry_area_perimeter(fine)[0])
    assert ruler.areas([shape])[0] == pytest.approx(theirs, rel=1e-7)


def test_a_cut_changes_no_area():
    whole = square(0, 0, 4000, 5000)
    parts = [
        shapely.clip_by_rect(whole, *place(x, y), *place(x + 1000, y + 500))
        for x in range(0, 4000, 1000)
        for y in range(0, 5000, 500)
    ]
    assert ruler.areas(parts).sum() == pytest.approx(ruler.areas([whole])[0], rel=1e-12)


def test_nothing_measures_nothing():
    assert ruler.lengths([LineString(), None]).tolist() == [0.0, 0.0]
    assert ruler.areas([Polygon(), None, Point(117, 39)]).tolist() == [0.0, 0.0, 0.0]
    assert ruler.lengths([]).tolist() == []
    assert ruler.areas([]).tolist() == []


def test_the_plane_is_true_to_scale():
    plane = Plane(117.15, 39.1)
    spots = np.array([[117.15, 39.1], [117.16, 39.1], [117.15, 39.11]])
    flat = plane.to_all(spots)
    for k in (1, 2):
        true = GEOD.inv(*spots[0], *spots[k])[2]
        assert np.hypot(*(flat[k] - flat[0])) == pytest.approx(true, rel=1e-6)
    assert plane.back_all(flat) == pytest.approx(spots, abs=1e-11)
