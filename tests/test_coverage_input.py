"""What coverage makes of input that can't be used as it is."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
import shapely.ops
from coverage_cases import frame, line, place, row, square
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

from nankai_gis.errors import CRSError, DataError, NankaiGISError
from nankai_gis.measure import coverage

# ------------------------------------------------------------------ input


def test_no_crs(block):
    block["streets"] = block["streets"].set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="streets: no CRS is stated"):
        coverage.measure(**block)


@pytest.mark.parametrize("layer", ["zones", "streets", "subdistricts", "district"])
def test_another_crs_is_named(block, layer):
    block[layer] = block[layer].to_crs(4548)
    with pytest.raises(CRSError, match=f"{layer}: the CRS is EPSG:4548"):
        coverage.measure(**block)


def test_cgcs2000_is_as_good(block):
    block["streets"] = block["streets"].set_crs(4490, allow_override=True)
    assert coverage.measure(**block).zones.total_km[0] == pytest.approx(5.0, rel=5e-4)


def test_metres_that_say_they_are_degrees(block):
    flat = block["streets"].to_crs(4548).set_crs(4326, allow_override=True)
    with pytest.raises(CRSError, match="no longitude and latitude"):
        coverage.measure(block["zones"], flat)


def test_ids_that_stand_twice(block):
    block["zones"]["id"] = "same"
    with pytest.raises(DataError, match="several rows share: same"):
        coverage.measure(**block)


def test_an_id_that_looks_like_a_pair(block):
    block["subdistricts"].loc[0, "id"] = "a|b"
    with pytest.raises(DataError, match="stands between the ids of two"):
        coverage.measure(**block)


def test_columns_that_are_not_there(block):
    with pytest.raises(DataError, match="no column 'name'; there are: highway"):
        coverage.measure(block["zones"], block["streets"].drop(columns="name"))
    with pytest.raises(DataError, match="no column 'rank'"):
        coverage.measure(**block, street_class="rank")
    with pytest.raises(DataError, match="no column 'label'"):
        coverage.measure(**block, subdistrict_name="label")


def test_streets_without_any_name_or_class(block):
    bare = frame(block["streets"].geometry.tolist(), name=[None, "", " ", np.nan, None])
    found = coverage.measure(block["zones"], bare)
    assert set(found.streets.street) == {coverage.UNNAMED}
    assert set(found.classes["class"]) == {coverage.UNCLASSED}
    assert found.zones.inside_km[0] == pytest.approx(
        coverage.measure(block["zones"], block["streets"]).zones.inside_km[0]
    )


def test_nothing_usable_is_an_error(block):
    with pytest.raises(DataError, match="no usable line in 1 row"):
        coverage.measure(block["zones"], frame([None], name=["a"]))
    with pytest.raises(DataError, match="no usable polygon in 1 row"):
        coverage.measure(frame([Polygon()], id=["z"]), block["streets"])
    with pytest.raises(DataError, match="is no GeoDataFrame"):
        coverage.measure(pd.DataFrame({"id": [1]}), block["streets"])


def test_bad_lines_are_counted(block):
    good = line((100, 100), (300, 100))
    with np.errstate(invalid="ignore"):
        no_number = LineString([place(0, 0), (math.nan, 39)])
    bad = [
        None,
        LineString(),
        Point(117, 39),
        LineString([place(0, 0), place(0, 0)]),
        no_number,
        MultiLineString([line((0, 200), (100, 200)), line((300, 200), (400, 200))]),
        line((5, 5), (105, 5), (105, 105), (5, 105), (5, 5)),
    ]
    streets = frame([good, *bad], name=[f"s{k}" for k in range(8)], id=list("abcdefgh"))
    ring = shapely.LinearRing([place(*p) for p in ((5, 5), (105, 5), (105, 105), (5, 105))])
    streets.loc[7, "geometry"] = ring
    found = coverage.measure(block["zones"][:1], streets)
    dropped = {(r.action, r.reason): (r.count, r.which) for r in found.dropped.itertuples()}
    assert dropped == {
        ("dropped", "no geometry (listed, not located)"): (1, "b"),
        ("dropped", "empty geometry"): (1, "c"),
        ("dropped", "not a line"): (1, "d"),
        ("dropped", "a line without length"): (1, "e"),
        ("dropped", "a coordinate that is no number"): (1, "f"),
        ("split", "several parts in one row"): (2, "g、h"),
    }
    assert found.zones.total_km[0] == pytest.approx(0.2 + 0.2 + 0.4, rel=5e-4)


def test_bad_polygons_are_counted_or_mended(block):
    bow = Polygon([place(*p) for p in ((0, 0), (1000, 1000), (1000, 0), (0, 1000))])
    flat = Polygon([place(*p) for p in ((0, 0), (500, 0), (1000, 0))])
    mixed = shapely.GeometryCollection([square(3000, 0, 4000, 1000), Point(117, 39)])
    zones = frame(
        [bow, None, Polygon(), flat, line((0, 0), (1, 1)), mixed], id=list("abcdef")
    )  # fmt: skip
    found = coverage.measure(zones, block["streets"])
    dropped = {(r.action, r.reason): (r.count, r.which) for r in found.dropped.itertuples()}
    assert dropped == {
        ("dropped", "no geometry (listed, not located)"): (1, "b"),
        ("dropped", "empty geometry"): (1, "c"),
        ("dropped", "not a polygon"): (1, "e"),
        ("repaired", "invalid geometry, made valid"): (1, "a"),
        ("repaired", "points or lines beside polygons in one row"): (1, "f"),
        ("dropped", "invalid geometry without any area"): (1, "d"),
    }
    assert found.zones.zone.tolist() == ["a", "f"]
    assert found.zones.area_km2.tolist() == pytest.approx([0.5, 1.0], rel=5e-4)


def test_polygons_deep_in_collections_are_there(block):
    deep = shapely.GeometryCollection([
        shapely.GeometryCollection([
            MultiPolygon([square(0, 0, 100, 100), square(200, 0, 300, 100)]), line((0, 0), (9, 9)),
        ]),
        square(400, 0, 500, 100),
    ])  # fmt: skip
    found = coverage.measure(frame([deep], id=["z"]), block["streets"])
    assert found.zones.area_km2[0] == pytest.approx(0.03, rel=5e-4)
    assert found.dropped[["action", "reason", "which"]].values.tolist() == [
        ["repaired", "points or lines beside polygons in one row", "z"]
    ]


def test_polygons_with_a_coordinate_that_is_no_number(block):
    with np.errstate(invalid="ignore"):
        spoilt = Polygon([place(0, 0), (117.1, math.nan), place(0, 500), place(0, 0)])
        zones = frame([spoilt, square(0, 0, 1000, 1000)], id=["x", "ok"])
        found = coverage.measure(zones, block["streets"])
    assert row(found.dropped, reason="a coordinate that is no number").which == "x"


def test_a_row_that_stands_twice_counts_once(block):
    streets = block["streets"].assign(way=[7, 8, 9, 9, 9])
    twice = pd.concat([streets, streets.iloc[[0, 3]]], ignore_index=True)
    found = coverage.measure(block["zones"], twice)
    again = row(found.dropped, reason="the same id and line again")
    assert again["count"] == 2
    assert found.zones.total_km[0] == pytest.approx(5.0, rel=5e-4)


def test_railways_and_rivers_are_no_streets(block):
    roads = block["streets"].assign(railway=None, waterway=None)
    roads.loc[4, ["highway", "railway"]] = [None, "rail"]
    found = coverage.measure(block["zones"], roads)
    assert row(found.dropped, reason="a railway or river, no street")["count"] == 1
    assert found.zones.total_km[0] == pytest.approx(4.9, rel=5e-4)


def test_overlaps_and_gaps_are_measured(block):
    subs = block["subdistricts"]
    subs.loc[1, "geometry"] = square(0, 400, 1000, 1000)  # 100 m over the first
    found = coverage.measure(**block)
    over = row(found.reconciliation, check="subdistricts that overlap", item="a|b")
    assert over.parts == pytest.approx(0.1, rel=5e-4)
    gap = row(found.reconciliation, check="district without subdistrict")
    assert gap.parts == pytest.approx(0.5, rel=5e-4)
    assert gap.relative == pytest.approx(0.25, rel=5e-4)
    # The first keeps the place: nothing is counted twice.
    west = found.areas[found.areas.zone == "w"]
    assert west.area_km2.tolist() == pytest.approx([0.5, 0.5], rel=5e-4)
    assert row(found.subdistricts, subdistrict="a").length_km == pytest.approx(1.4, rel=5e-4)


def test_holes_between_subdistricts_without_a_district(block):
    block.pop("district")
    ring = square(0, 0, 3000, 3000).difference(square(1000, 1000, 1500, 2000))
    block["subdistricts"] = frame([ring], id=["r"])
    found = coverage.measure(**block)
    hole = row(found.reconciliation, check="holes between subdistricts")
    assert hole.parts == pytest.approx(0.5, rel=5e-4)


def test_a_subdistrict_within_another_is_an_error(block):
    block["subdistricts"] = frame(
        [square(0, 0, 900, 900), square(100, 100, 200, 200)], id=["a", "b"]
    )
    with pytest.raises(DataError, match="b lies wholly within"):
        coverage.measure(**block)


def test_errors_are_of_the_family(block):
    with pytest.raises(NankaiGISError):
        coverage.measure(block["zones"], frame([None], name=["a"]))


def test_input_is_left_as_it_was(block):
    bow = Polygon([place(*p) for p in ((0, 0), (1000, 1000), (1000, 0), (0, 1000))])
    block["zones"].loc[0, "geometry"] = bow
    before = {name: layer.copy() for name, layer in block.items()}
    coverage.measure(**block)
    for name, layer in block.items():
        pd.testing.assert_frame_equal(pd.DataFrame(layer), pd.DataFrame(before[name]))
