"""GCJ-02 and BD-09 against published values, and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nankai_gis.geometry.datum import BD09, GCJ02, Datum

# Published with the formulas: https://github.com/googollee/eviltransform (its tests) and
# https://github.com/wandergis/coordtransform (its examples). Longitude first.
PLACES = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),  # Shanghai
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),  # Shenzhen
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),  # Beijing
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
BD09_OF_GCJ02 = ((116.404, 39.915), (116.41036949371029, 39.92133699351021))

lons = st.floats(73.5, 135.0)
lats = st.floats(18.0, 53.5)


@pytest.mark.parametrize(("wgs", "gcj"), PLACES)
def test_gcj02_as_published(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    assert GCJ02.from_wgs84(*wgs) == pytest.approx(gcj, abs=1e-12, rel=0)


def test_bd09_as_published() -> None:
    gcj, bd = BD09_OF_GCJ02
    wgs = GCJ02.to_wgs84(*gcj)
    assert BD09.from_wgs84(*wgs) == pytest.approx(bd, abs=1e-10, rel=0)


@pytest.mark.parametrize("datum", [GCJ02, BD09], ids=lambda d: d.name)
@settings(deadline=None)
@given(lon=lons, lat=lats)
def test_a_place_comes_back(datum: Datum, lon: float, lat: float) -> None:
    back = datum.to_wgs84(*datum.from_wgs84(lon, lat))
    assert back == pytest.approx((lon, lat), abs=1e-9, rel=0)


@pytest.mark.parametrize("place", [(0.0, 0.0), (-104.9903, 39.7392), (153.0251, -27.4698)])
def test_nothing_is_moved_elsewhere(place: tuple[float, float]) -> None:
    assert GCJ02.from_wgs84(*place) == place
    assert GCJ02.to_wgs84(*place) == place


def test_nankai_is_moved_by_some_five_hundred_metres() -> None:
    from nankai_gis.geometry.crs import ellipsoid

    there = GCJ02.from_wgs84(117.15, 39.11)
    assert 500 < ellipsoid().inv(117.15, 39.11, *there)[2] < 600
