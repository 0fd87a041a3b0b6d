"""GCJ-02 and BD-09 against published values, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nankai_gis import datum

# Published with the formulas: https://github.com/googollee/eviltransform (its tests) and
# https://github.com/wandergis/coordtransform (its examples). Longitude first.
GCJ02 = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),  # Shanghai
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),  # Shenzhen
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),  # Beijing
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
BD09_OF_GCJ02 = ((116.404, 39.915), (116.41036949371029, 39.92133699351021))

lons = st.floats(73.5, 135.0)
lats = st.floats(18.0, 53.5)


@pytest.mark.parametrize(("wgs", "gcj"), GCJ02)
def test_gcj02_as_published(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    assert datum.gcj02_from_wgs84(*wgs) == pytest.approx(gcj, abs=1e-12, rel=0)


def test_bd09_as_published() -> None:
    gcj, bd = BD09_OF_GCJ02
    wgs = datum.wgs84_from_gcj02(*gcj)
    assert datum.bd09_from_wgs84(*wgs) == pytest.approx(bd, abs=1e-10, rel=0)


@given(lons, lats)
def test_gcj02_comes_back(lon: float, lat: float) -> None:
    back = datum.wgs84_from_gcj02(*datum.gcj02_from_wgs84(lon, lat))
    assert back == pytest.approx((lon, lat), abs=1e-9, rel=0)


@given(lons, lats)
def test_bd09_comes_back(lon: float, lat: float) -> None:
    back = datum.wgs84_from_bd09(*datum.bd09_from_wgs84(lon, lat))
    assert back == pytest.approx((lon, lat), abs=1e-9, rel=0)


@pytest.mark.parametrize("place", [(0.0, 0.0), (-104.9903, 39.7392), (153.0251, -27.4698)])
def test_nothing_is_moved_elsewhere(place: tuple[float, float]) -> None:
    assert datum.gcj02_from_wgs84(*place) == place
    assert datum.wgs84_from_gcj02(*place) == place


def test_nankai_is_moved_by_some_five_hundred_metres() -> None:
    from nankai_gis.crs import ellipsoid

    there = datum.gcj02_from_wgs84(117.15, 39.11)
    assert 500 < ellipsoid().inv(117.15, 39.11, *there)[2] < 600
