"""The band of one standard deviation along a boundary, and the map that shows it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import shapely

import nankai_gis as ng
from nankai_gis.geometry.plane import Plane
from nankai_gis.geometry.ruler import area
from nankai_gis.measure.bands import accuracy_band
from nankai_gis.measure.features import area_uncertainty

PLANE = Plane(117.15, 39.1)
# A parcel of 1.6 by 0.9 km with a bent north side.
CORNERS = np.array([(0, 0), (1600, 0), (1600, 900), (700, 1000), (0, 900)], dtype=float)
RING = [*PLANE.back_all(CORNERS).tolist()]
RING.append(RING[0])
ACCURACIES = (12.0, 40.0, 25.0, 8.0)
PARTS = [
    {"start": start, "stop": stop, "accuracy_m": sd}
    for (start, stop), sd in zip(((0, 1), (1, 2), (2, 4), (4, 5)), ACCURACIES, strict=True)
]


def moved(shifts: np.ndarray) -> shapely.Polygon:
    """The parcel with each side moved square to itself; its corners are where the sides meet."""
    lines = []
    for part, shift in zip(PARTS, shifts, strict=True):
        for k in range(part["start"], part["stop"]):
            a, b = CORNERS[k], CORNERS[(k + 1) % len(CORNERS)]
            along = (b - a) / np.hypot(*(b - a))
            lines.append((a + shift * np.array([along[1], -along[0]]), along))
    corners = []
    for (a, u), (b, v) in itertools.pairwise([lines[-1], *lines]):
        s, _ = np.linalg.solve(np.column_stack([u, -v]), b - a)
        corners.append(a + s * u)
    return shapely.Polygon(corners)


def test_areas_of_boundaries_drawn_at_random_spread_as_the_printed_uncertainty() -> None:
    rng = np.random.default_rng(7)
    areas = [moved(rng.normal(0, ACCURACIES)).area for _ in range(4000)]
    assert np.std(areas) == pytest.approx(area_uncertainty(RING, PARTS), rel=0.05)


def test_the_band_holds_a_boundary_moved_by_one_standard_deviation_and_no_further() -> None:
    band = accuracy_band(RING, PARTS)
    middles = [(800, 0), (1600, 450), (1150, 950), (0, 450)]
    outward = [(0, -1), (1, 0), (0.11043, 0.99388), (-1, 0)]
    for middle, way, sd in zip(middles, outward, ACCURACIES, strict=True):
        for side in (-1, 1):
            near, far = (np.array(middle) + side * k * sd * np.array(way) for k in (0.98, 1.02))
            assert band.contains(shapely.Point(PLANE.back(tuple(near))))
            assert not band.contains(shapely.Point(PLANE.back(tuple(far))))
    swept = sum(
        2
        * part["accuracy_m"]
        * shapely.LineString(
            np.vstack([CORNERS, CORNERS[:1]])[part["start"] : part["stop"] + 1]
        ).length
        for part in PARTS
    )
    # Strips overlap at the corners only.
    assert area(band) == pytest.approx(swept, rel=0.03)


def test_sides_known_exactly_have_no_band() -> None:
    assert accuracy_band(RING, []).is_empty
    assert accuracy_band(RING, [{"start": 0, "stop": 2, "accuracy_m": 0.0}]).is_empty


def test_map_has_a_switch_for_the_bands_of_what_it_shows() -> None:
    layers = {layer["key"]: layer for layer in ng.plan_map(lang="en").content["layers"]}
    assert layers["bands"]["label"] == "Accuracy of boundaries (±1σ)"
    assert len(layers["bands"]["features"]) == 5
    assert "bands" in ng.plan_map().content["order"]
    sites = ng.plan_map(layers=["sites"]).content["layers"]
    assert [layer["key"] for layer in sites] == ["sites"]
    assert "±1σ" not in json.dumps(ng.plan_map(coverage=True).content["layers"], ensure_ascii=False)
