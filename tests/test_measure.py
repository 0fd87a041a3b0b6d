"""Measures against other ways of measuring, and against what can be worked out by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import FIGURES
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from shapely import affinity, transform
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from nankai_gis.compiler.derive import derive
from nankai_gis.compiler.layers import derived_features
from nankai_gis.errors import GeometryError
from nankai_gis.geometry import crs, ruler
from nankai_gis.geometry.plane import Plane
from nankai_gis.measure import features as measure
from nankai_gis.network import digitised
from nankai_gis.plan import definitions, layers

ZONE = Polygon(layers.features("zones")[0]["geometry"]["coordinates"][0])


def test_the_ellipsoid_and_the_plane_are_those_of_the_standard() -> None:
    published = CRS("EPSG:4490").ellipsoid
    assert published is not None
    geod = crs.ellipsoid()
    assert (geod.a, geod.a / (geod.a - geod.b)) == pytest.approx(
        (published.semi_major_metre, published.inverse_flattening), rel=1e-12
    )
    x, y = crs.planar().transform(117.16, 39.12)
    assert 500_000 < x < 520_000
    assert 4_320_000 < y < 4_340_000


def test_area_agrees_with_an_equal_area_projection() -> None:
    # An independent way: an equal-area projection of the same ellipsoid, with points put into the
    # edges so densely that their images are straight.
    text = "+proj=laea +lat_0=39.1 +lon_0=117.15 +a=6378137 +rf=298.257222101 +units=m"
    to_plane = Transformer.from_crs("EPSG:4490", text, always_xy=True).transform
    fine = transform(ZONE.segmentize(1e-5), to_plane, interleaved=False)
    assert ruler.area(ZONE) == pytest.approx(fine.area, rel=1e-8)


def test_the_planar_area_is_that_of_shapely_in_4548() -> None:
    to_plane = Transformer.from_crs("EPSG:4490", "EPSG:4548", always_xy=True).transform
    assert ruler.planar_area(ZONE) == pytest.approx(
        transform(ZONE.segmentize(1e-4), to_plane, interleaved=False).area, rel=1e-8
    )


def test_plane_and_ellipsoid_differ_by_the_scale_of_the_projection() -> None:
    # Scale of a transverse Mercator: 1 + x²/2R², so the area is larger by x²/R².
    x = crs.planar().transform(ZONE.centroid.x, ZONE.centroid.y)[0] - 500_000
    ppm = (x / 6.371e6) ** 2 * 1e6
    measured = (ruler.planar_area(ZONE) / ruler.area(ZONE) - 1) * 1e6
    assert measured == pytest.approx(ppm, abs=0.3)


def test_perimeter_and_length_agree_with_geodesics_point_by_point() -> None:
    # An edge that is straight in degrees is longer than the geodesic, by less than 1e-8.
    geod = Geod(a=6378137, rf=298.257222101)
    around = sum(geod.inv(*a, *b)[2] for a, b in itertools.pairwise(ZONE.exterior.coords))
    assert ruler.perimeter(ZONE) == pytest.approx(around, rel=1e-8)
    assert ruler.length(LineString(ZONE.exterior.coords)) == pytest.approx(around, rel=1e-8)


coordinate = st.integers(0, 400).map(lambda n: n / 1e4)


@settings(deadline=None)
@given(
    x=coordinate,
    y=coordinate,
    w=st.integers(1, 400),
    h=st.integers(1, 400),
    at=st.floats(0.01, 0.99),
)
def test_area_adds_up_and_does_not_mind_direction(
    x: float, y: float, w: int, h: int, at: float
) -> None:
    rectangle = box(117 + x, 39 + y, 117 + x + w / 1e4, 39 + y + h / 1e4)
    cut = 117 + x + at * w / 1e4
    pieces = split(rectangle, LineString([(cut, 38), (cut, 40)])).geoms
    whole = ruler.area(rectangle)
    assert sum(map(ruler.area, pieces)) == pytest.approx(whole, rel=1e-6)
    assert ruler.area(rectangle.reverse()) == pytest.approx(whole, rel=1e-12)
    assert ruler.area(MultiPolygon(list(pieces))) == pytest.approx(
        sum(map(ruler.area, pieces)), rel=1e-12
    )


def test_holes_are_taken_out_and_their_rings_counted() -> None:
    outer, inner = box(117, 39, 117.02, 39.02), box(117.005, 39.005, 117.01, 39.01)
    ring = outer.difference(inner)
    assert ruler.area(ring) == pytest.approx(ruler.area(outer) - ruler.area(inner))
    assert ruler.planar_area(ring) == pytest.approx(
        ruler.planar_area(outer) - ruler.planar_area(inner)
    )
    assert ruler.perimeter(ring) == pytest.approx(ruler.perimeter(outer) + ruler.perimeter(inner))


def test_heights_do_not_count() -> None:
    line = LineString([(117, 39, 0), (117, 39.001, 500)])
    assert ruler.length(line) == pytest.approx(ruler.length(LineString([(117, 39), (117, 39.001)])))


def test_empty_geometry_measures_nothing() -> None:
    assert ruler.area(Polygon()) == 0
    assert ruler.length(LineString()) == 0
    assert ruler.length(MultiLineString()) == 0


@pytest.mark.parametrize(
    ("call", "geometry"),
    [
        (ruler.area, LineString([(0, 0), (1, 1)])),
        (ruler.length, box(0, 0, 1, 1)),
        (ruler.area, Point(0, 0)),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(
    call: Callable[[BaseGeometry], float], geometry: BaseGeometry
) -> None:
    with pytest.raises(GeometryError, match="has no"):
        call(geometry)


def test_what_is_no_geometry_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="neither a geometry"):
        ruler.area("POLYGON EMPTY")


def test_the_uncertainty_is_that_of_sides_shifted_at_random() -> None:
    # Shift each side of a rectangle square to itself, many times, and look at the spread.
    spread = {"south": 20.0, "east": 5.0, "north": 40.0, "west": 10.0}
    degree = (
        crs.ellipsoid().inv(117, 39.005, 117.01, 39.005)[2],
        crs.ellipsoid().inv(117, 39, 117, 39.01)[2],
    )
    rng = np.random.default_rng(20261124)
    areas = []
    for _ in range(2000):
        s, e, n, w = (rng.normal(0, spread[k]) for k in ("south", "east", "north", "west"))
        areas.append(
            ruler.planar_area(
                box(
                    117 + w / degree[0] * 0.01,
                    39 + s / degree[1] * 0.01,
                    117.01 + e / degree[0] * 0.01,
                    39.01 + n / degree[1] * 0.01,
                )
            )
        )
    ring = [(117, 39), (117.01, 39), (117.01, 39.01), (117, 39.01), (117, 39)]
    parts = [{"start": k, "stop": k + 1, "accuracy_m": a} for k, a in enumerate(spread.values())]
    assert measure.area_uncertainty(ring, parts) == pytest.approx(np.std(areas), rel=0.05)


def test_a_side_counts_the_same_however_finely_it_is_drawn() -> None:
    coarse = [(117, 39), (117.01, 39), (117.01, 39.01), (117, 39.01), (117, 39)]
    fine = [(117, 39), (117.002, 39), (117.007, 39), (117.01, 39), *coarse[2:]]
    one = measure.area_uncertainty(coarse, [{"start": 0, "stop": 1, "accuracy_m": 30}])
    other = measure.area_uncertainty(fine, [{"start": 0, "stop": 3, "accuracy_m": 30}])
    assert one == pytest.approx(other, rel=1e-6)


def test_published_areas_are_met_within_their_uncertainty() -> None:
    rows = {row.id: row for row in measure.areas(layers.features("subdistricts"))}
    for key in ("gulou", "guangkai", "tiyu-zhongxin"):
        row = rows[key]
        assert row.deviation_m2 is not None
        assert abs(row.deviation_m2) < 2 * row.area_sd_m2
    parcel = measure.areas(layers.features("parcel"))[0]
    assert parcel.deviation_m2 == pytest.approx(parcel.area_m2 - 2.2e6)
    assert abs(parcel.deviation_m2) < 2 * parcel.area_sd_m2


def test_a_street_that_is_not_located_has_no_length_rather_than_zero() -> None:
    rows = measure.lengths(layers.features("corridors"))
    unknown = [row for row in rows if row.status == "not located"]
    assert len(unknown) == len(FIGURES["not_located"]["corridors"])
    assert all(row.length_m is None and row.length_sd_m is None for row in unknown)
    assert all(row.length_m for row in rows if row.status != "not located")


def test_the_length_of_a_piece_hangs_on_where_the_crossing_street_lies() -> None:
    rows = {(r.corridor, r.street): r for r in measure.lengths(layers.features("corridors"))}
    across = rows["innovation-resource", "zhongnan-road"]
    along = rows["innovation-resource", "hongqi-road"]
    # 中南道 may lie 200 m further north: it stays as long, the piece of 紅旗路 doesn't.
    assert across.length_sd_m is not None
    assert across.length_sd_m < 50
    assert along.length_sd_m == pytest.approx(math.hypot(200, 40), rel=0.01)


def test_translation_hardly_changes_an_area() -> None:
    moved = affinity.translate(ZONE, 0.01, 0)
    assert ruler.area(moved) == pytest.approx(ruler.area(ZONE), rel=1e-9)


@pytest.mark.parametrize("layer", ["district", "zones", "parcel", "subdistricts"])
def test_geodesic_steps_follow_the_edges_to_a_hundred_millionth(layer: str) -> None:
    """Beside the integral over edges that are straight in longitude and latitude."""
    for feature in layers.features(layer):
        exact = float(ruler.areas(shape(feature["geometry"]))[0])
        assert ruler.area(feature["geometry"]) == pytest.approx(exact, rel=1e-8)


POLYGONS = [
    feature
    for layer in ("district", "subdistricts", "zones", "parcel")
    for feature in layers.features(layer)
]


@pytest.mark.parametrize("drawn", POLYGONS, ids=lambda drawn: drawn["properties"]["id"])
def test_a_compiled_ring_is_measured_as_the_layers_are(drawn: dict[str, Any]) -> None:
    feature = definitions.packaged().index()[drawn["properties"]["id"]]
    made = derive(feature, digitised.packaged(), digitised.packaged().points)
    (row,) = derived_features([made], "")
    assert row["geometry"] == drawn["geometry"]
    assert row["properties"]["area_m2"] == ruler.area(drawn["geometry"])


def test_shapes_and_planes_are_projected_as_the_ellipsoid_is() -> None:
    # The Gauss-Kruger zone without its false easting, and back.
    plane = Plane(117.0)
    points = np.array([[117.16, 39.12], [116.9, 38.5]])
    x, y = crs.planar().transform(*points.T)
    assert plane.to_all(points) == pytest.approx(np.column_stack((x - 500_000, y)), abs=1e-6)
    assert plane.back_all(plane.to_all(points)) == pytest.approx(points, abs=1e-12)
    assert crs.to_planar(Point(points[0])).coords[0] == pytest.approx((x[0], y[0]), abs=1e-9)
