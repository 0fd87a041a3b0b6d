"""Tables that add up: small cases by hand, generated cities and real data by another way."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import warnings
from pathlib import Path
from random import Random
from typing import Any

import geopandas as gpd
import make_city
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box
from tanggu import PBF

import nankai_gis
from nankai_gis.errors import CRSError, DataError, GeometryError, NankaiGISError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.cut import Cut
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure import coverage
from nankai_gis.measure.coverage import sums

ROOT = Path(__file__).resolve().parent.parent
GEOD = Geod(a=6378137.0, rf=298.257222101)
#: Metres per degree at 39 N, roughly: for drafts, never for answers.
EAST, NORTH = 86_628.0, 111_025.0


def place(x: float, y: float) -> tuple[float, float]:
    return 117 + x / EAST, 39 + y / NORTH


def line(*xy: tuple[float, float]) -> LineString:
    return LineString([place(*p) for p in xy])


def square(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return Polygon([place(*p) for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def frame(geometry: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4326")


def metres(shape: Any) -> float:
    return sum(
        GEOD.line_length(*np.array(part.coords).T) for part in shapely.get_parts(shape).tolist()
    )


def row(table: pd.DataFrame, **keys: object) -> pd.Series:
    for column, value in keys.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


@pytest.fixture
def block() -> dict[str, gpd.GeoDataFrame]:
    """Two zones side by side over three subdistricts; every figure can be seen."""
    return {
        "zones": frame(
            [square(0, 0, 1000, 1000), square(1000, 0, 2000, 1000)], id=["w", "e"],
            name=["西", "東"],
        ),
        "subdistricts": frame(
            [square(0, 0, 1000, 500), square(0, 500, 1000, 1000), square(1000, 0, 1500, 1000)],
            id=["a", "b", "c"], name=["甲", "乙", "丙"],
        ),
        "streets": frame(
            [
                line((-500, 250), (2500, 250)),  # through both
                line((1000, 100), (1000, 900)),  # along the common border
                line((100, 750), (400, 750)),  # within b, without a name
                line((500, 100), (500, 900)),  # from a to b, without a class
                line((5000, 0), (5000, 100)),  # elsewhere
            ],
            name=["通路", "界路", None, "縱道", "遠路"],
            highway=["primary", "secondary", "residential", None, "service"],
        ),
        "district": frame([square(0, 0, 2000, 1000)], id=["d"]),
    }  # fmt: skip


# ------------------------------------------------------------------ by hand


def test_zones_by_hand(block):
    found = coverage.measure(block["zones"], block["streets"], boundary_m=10)
    west = row(found.zones, zone="w")
    assert west.inside_km == pytest.approx(1.0 + 0.3 + 0.8, rel=5e-4)
    assert west.boundary_km == pytest.approx(0.8, rel=5e-4)
    assert west.outside_km == pytest.approx(2.0 + 0.1, rel=5e-4)
    assert west.total_km == pytest.approx(5.0, rel=5e-4)
    assert west.area_km2 == pytest.approx(1.0, rel=5e-4)
    assert west.density_km_per_km2 == pytest.approx(2.1, rel=5e-4)
    assert west.density_with_boundary_km_per_km2 == pytest.approx(2.9, rel=5e-4)
    assert found.zones.zone_name.tolist() == ["西", "東"]
    assert found.areas.empty
    assert found.corridors.empty


def test_a_street_on_the_common_border_is_there_once(block):
    found = coverage.measure(**block, boundary_m=10)
    for zone in "we":
        border = row(found.streets, zone=zone, street="界路")
        assert border.inside_km == 0.0
        assert border.boundary_km == pytest.approx(0.8, rel=5e-4)
        assert border.share_boundary == pytest.approx(1.0)
    table = found.table("subdistrict", "street")
    pieces = table[table.street == "界路"]
    assert set(pieces.subdistrict) == {"a|c", "b|c"}
    assert set(pieces.subdistrict_name) == {"甲|丙", "乙|丙"}
    assert pieces.length_km.sum() == pytest.approx(0.8, rel=5e-4)


def test_areas_by_hand(block):
    areas = coverage.measure(**block).areas
    assert areas[["zone", "subdistrict"]].values.tolist() == [
        ["w", "a"], ["w", "b"], ["e", "c"], ["e", coverage.NO_SUBDISTRICT],
    ]  # fmt: skip
    assert areas.area_km2.tolist() == pytest.approx([0.5] * 4, rel=5e-4)
    assert areas.share_of_zone.tolist() == pytest.approx([0.5] * 4, rel=5e-4)
    assert areas.share_of_subdistrict.tolist()[:3] == pytest.approx([1, 1, 1], rel=1e-9)
    assert np.isnan(areas.share_of_subdistrict.iloc[3])


def test_streets_by_hand(block):
    streets = coverage.measure(**block, boundary_m=10).streets
    through = row(streets, zone="w", street="通路")
    assert through.inside_km == pytest.approx(1.0, rel=5e-4)
    assert through.district_km == pytest.approx(2.0, rel=5e-4)
    assert through.share_inside == pytest.approx(0.5, rel=1e-9)
    assert through.crossings == 2
    assert (through.entry_lon, through.entry_lat) == pytest.approx(place(0, 250))
    assert (through.exit_lon, through.exit_lat) == pytest.approx(place(1000, 250))
    inner = row(streets, zone="w", street="縱道")
    assert inner.crossings == 0
    assert np.isnan(inner.entry_lon)
    assert inner.share_inside == pytest.approx(1.0)
    assert row(streets, zone="w", street=coverage.UNNAMED).inside_km == pytest.approx(0.3, rel=5e-4)
    assert "遠路" not in set(streets.street)


def test_without_a_district_the_share_is_of_all(block):
    block.pop("district")
    through = row(coverage.measure(**block).streets, zone="w", street="通路")
    assert through.district_km == pytest.approx(3.0, rel=5e-4)
    assert through.share_inside == pytest.approx(1 / 3, rel=5e-4)


@pytest.mark.parametrize("name", ["share", "centreline_share"])
def test_a_share_is_of_what_lies_in_the_district(block, name):
    """The district ends at y = 1000 (tolerance 10 m), the zone and the two streets at 2000."""
    zone = frame([square(0, 0, 1000, 2000)], id=["z"])
    two = frame([line((0, 500), (0, 2000)), line((500, 500), (500, 2000))], name=["邊", "中"])
    found = coverage.measure(zone, two, district=block["district"], centrelines=two, boundary_m=10)
    edge = row(found.streets, street="邊")
    assert edge.boundary_km == pytest.approx(1.5, rel=5e-4)
    assert edge.district_km == pytest.approx(0.5, rel=0.03)
    assert edge[f"{name}_boundary"] == pytest.approx(1.0, rel=1e-9)
    assert row(found.streets, street="中")[f"{name}_inside"] == pytest.approx(1.0, rel=1e-9)


def test_streets_without_any_name_have_their_row_beside_centrelines(block):
    block["streets"]["name"] = None
    none = frame([], name=[])
    found = coverage.measure(**block, centrelines=none)
    assert set(found.streets.street) == {coverage.UNNAMED}
    assert found.streets.centreline_inside_km.isna().all()


@pytest.mark.parametrize("planned", [True, "True", 1])
def test_corridors_that_are_planned_alone_leave_the_rest(block, planned):
    axis = frame([line((0, 250), (1000, 250))], id=["k"], planned=[planned])
    found = coverage.measure(**block, corridors=axis)
    assert found.corridors.empty
    assert len(found.zones) == 2
    assert row(found.dropped, layer="corridors").reason == "planned, not there yet"
    with pytest.raises(DataError, match="no usable line"):
        coverage.measure(**block, corridors=axis, reach_m=100)
    built = frame([line((0, 250), (1000, 250))], id=["k"], planned=["False"])
    assert coverage.measure(**block, corridors=built).corridors.length_km.sum() > 0.9


@pytest.mark.parametrize("width", [0.01, 0.1, 1.0])
def test_a_strip_that_is_thinner_than_coordinates_tell_adds_up(block, width):
    """Diagonal over two subdistricts: what is lost of it is less than its length times 5 nm."""
    strip = frame([line((10, 20), (990, 970)).buffer(width / 111e3)], id=["s"])
    found = coverage.measure(strip, block["streets"], block["subdistricts"])
    area = found.zones.area_km2[0]
    assert found.areas.area_km2.sum() == pytest.approx(area, abs=5e-9 * 2 * 1.4e3 / 1e6)


def test_classes_by_hand(block):
    classes = coverage.measure(**block, boundary_m=10).classes
    primary = row(classes, zone="w", **{"class": "primary"})
    assert primary.class_label == "主幹路"
    assert primary.inside_km == pytest.approx(1.0, rel=5e-4)
    assert primary.density_km_per_km2 == pytest.approx(1.0, rel=5e-4)
    assert primary.share_of_zone == pytest.approx(1 / 2.1, rel=5e-4)
    none = row(classes, zone="w", **{"class": coverage.UNCLASSED})
    assert none.inside_km == pytest.approx(0.8, rel=5e-4)
    assert none.class_label == coverage.UNCLASSED


def test_subdistricts_by_hand(block):
    table = coverage.measure(**block, boundary_m=10).subdistricts
    assert row(table, subdistrict="a").length_km == pytest.approx(1.0 + 0.4, rel=5e-4)
    assert row(table, subdistrict="c").length_km == pytest.approx(0.5, rel=5e-4)
    rest = row(table, subdistrict=coverage.NO_SUBDISTRICT)
    assert rest.on == "none"
    assert rest.length_km == pytest.approx(0.5 + 1.0 + 0.1, rel=5e-4)
    assert table.length_km.sum() == pytest.approx(5.0, rel=5e-4)
    assert table.share_of_total.sum() == pytest.approx(1.0)


def test_a_street_on_the_outer_border_belongs_to_the_pair_with_nothing(block):
    block["streets"] = frame([line((0, 100), (0, 400))], name=["邊路"])
    table = coverage.measure(**block).subdistricts
    border = row(table, on="border")
    assert border.subdistrict == f"a|{coverage.NO_SUBDISTRICT}"
    assert border.subdistrict_name == f"甲|{coverage.NO_SUBDISTRICT}"
    assert border.length_km == pytest.approx(0.3, rel=5e-4)


def test_a_subdistrict_without_any_street_is_a_row(block):
    block["streets"] = block["streets"].iloc[[2]]
    table = coverage.measure(**block).subdistricts
    assert row(table, subdistrict="c").length_km == 0.0


def test_lengths_by_any_keys(block):
    found = coverage.measure(**block, by=["street", "class"], boundary_m=10)
    assert found.lengths.columns.tolist() == ["street", "class", "class_label", "length_km"]
    assert found.lengths.length_km.sum() == pytest.approx(5.0, rel=5e-4)
    table = found.table("zone", "subdistrict", "street", "class")
    west = table[table.zone == "w"]
    assert west.inside_km.sum() == pytest.approx(2.1, rel=5e-4)
    assert west.boundary_km.sum() == pytest.approx(0.8, rel=5e-4)
    assert row(west, subdistrict="b", street="縱道").inside_km == pytest.approx(0.4, rel=5e-4)


@pytest.mark.parametrize("by", [[], ["zone", "zone"], ["colour"]])
def test_keys_are_checked(block, by):
    with pytest.raises(ValueError, match="by is"):
        coverage.measure(**block, by=by)


def test_pieces_are_the_streets(block):
    found = coverage.measure(**block, boundary_m=10)
    pieces = found.pieces
    assert pieces.crs == "EPSG:4326"
    assert pieces.length_m.sum() == pytest.approx(found.zones.total_km[0] * 1000)
    assert ruler.lengths(pieces.geometry.values) == pytest.approx(pieces.length_m, rel=1e-8)
    border = pieces[pieces.street == "界路"]
    assert set(border.along) == {"w;e"}
    assert set(border.zones) == {""}
    for number, shape in enumerate(block["streets"].geometry):
        mine = pieces[pieces["row"] == number].geometry
        assert shapely.line_merge(shapely.union_all(mine.values)).equals(shape) or len(mine) > 1
        assert shapely.length(mine.values).sum() == pytest.approx(shape.length)


def test_every_check_is_within_its_limit(block):
    found = coverage.measure(**block)
    held = found.reconciliation[found.reconciliation.limit.notna()]
    assert (held.relative <= held.limit).all()
    assert {
        "inside + boundary + outside", "area by subdistrict", "zone by street, inside",
        "zone by class, along", "streets by subdistrict", "pieces of streets", "lengths by key",
    } <= set(held.check)  # fmt: skip


def test_a_table_that_does_not_add_up_is_an_error(block, monkeypatch):
    real = cut_lines

    def short(*args: Any, **more: Any) -> Cut:
        cut = real(*args, **more)
        cut.length_m[0] *= 1 + 1e-6
        return cut

    monkeypatch.setattr(sums, "cut_lines", short)
    with pytest.raises(GeometryError, match="differ from the line"):
        coverage.measure(**block)


def test_areas_that_do_not_add_up_are_an_error(block, monkeypatch):
    real = polygons.intersection

    def small(one: Any, two: Any) -> Any:
        return np.array([s.buffer(-1e-5) for s in real(one, two)], dtype=object)

    monkeypatch.setattr(polygons, "intersection", small)
    monkeypatch.setattr(
        polygons, "difference", lambda one, two: np.full(len(np.atleast_1d(one)), Polygon())
    )
    with pytest.raises(GeometryError, match="doesn't add up: area by subdistrict"):
        coverage.measure(**block)


# ------------------------------------------------------------------ crossings


def test_crossings_do_not_depend_on_how_a_street_is_split(block):
    whole = frame([line((-500, 250), (2500, 250))], name=["通路"])
    cut_at = [-500, -20, 0, 300, 1000, 1001, 2500]
    parts = [
        line((b, 250), (a, 250)) if a % 2 else line((a, 250), (b, 250))
        for a, b in itertools.pairwise(cut_at)
    ]
    columns = ["crossings", "entry_lon", "entry_lat", "exit_lon", "exit_lat", "inside_km"]
    one = coverage.measure(block["zones"], whole).streets[columns]
    two = coverage.measure(block["zones"], frame(parts, name=["通路"] * len(parts))).streets[
        columns
    ]
    assert two.values == pytest.approx(one.values, abs=1e-9)


def test_a_street_that_comes_and_goes(block):
    street = line((-100, 100), (100, 100), (100, -100), (200, -100), (200, 100), (1500, 100))
    found = coverage.measure(block["zones"][:1], frame([street], name=["曲路"])).streets
    one = row(found, zone="w")
    assert one.crossings == 4
    assert one.entry_lon == pytest.approx(place(0, 0)[0])
    assert one.exit_lon == pytest.approx(place(1000, 0)[0])


def test_a_street_that_begins_or_ends_inside(block):
    zone = block["zones"][:1]
    out = coverage.measure(zone, frame([line((200, 300), (1300, 300))], name=["a"])).streets.loc[0]
    assert np.isnan(out.entry_lon)
    assert out.exit_lon == pytest.approx(place(1000, 0)[0])
    side = line((-300, -50), (600, -50), (600, 400))
    beside = coverage.measure(zone, frame([side], name=["a"]), boundary_m=0).streets.loc[0]
    assert (beside.entry_lon, beside.entry_lat) == pytest.approx(place(600, 0))
    assert np.isnan(beside.exit_lon)


def test_a_street_running_south_is_followed_north(block):
    street = line((500, 1400), (500, -300))
    one = coverage.measure(block["zones"][:1], frame([street], name=["縱"])).streets.iloc[0]
    assert one.entry_lat == pytest.approx(place(0, 0)[1])
    assert one.exit_lat == pytest.approx(place(0, 1000)[1])


# ------------------------------------------------------------------ corridors


def test_corridors_by_subdistrict(block):
    axis = frame([line((200, 100), (200, 500)), line((200, 500), (200, 800))],
                 id=["k-1", "k-2"], corridor=["k", "k"], name=["帶", "帶"])  # fmt: skip
    table = coverage.measure(**block, corridors=axis).corridors
    assert table[["corridor", "subdistrict"]].values.tolist() == [["k", "a"], ["k", "b"]]
    assert table.length_km.tolist() == pytest.approx([0.4, 0.3], rel=5e-4)
    assert table.share_of_corridor.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("ends", "caps"), [("flat", 0.0), ("round", math.pi * 0.1**2)])
def test_the_reach_of_a_corridor(block, ends, caps):
    block.pop("district")
    axis = frame([line((200, 300), (500, 300)), line((500, 300), (800, 300))],
                 id=["1", "2"], corridor=["k", "k"], name=["帶", "帶"])  # fmt: skip
    found = coverage.measure(**block, corridors=axis, reach_m=100, reach_ends=ends)
    reach = row(found.zones, kind="reach")
    assert reach.zone == "k"
    assert reach.area_km2 == pytest.approx(0.6 * 0.2 + caps, rel=2e-3)
    assert row(found.streets, zone="k", street="縱道").inside_km == pytest.approx(0.2, rel=1e-3)
    assert row(found.areas, zone="k").subdistrict == "a"


def test_a_reach_is_clipped_to_the_district(block):
    axis = frame([line((0, 500), (1000, 500))], id=["k"])
    found = coverage.measure(**block, corridors=axis, reach_m=100, reach_ends="round")
    assert row(found.zones, zone="k").area_km2 == pytest.approx(
        0.2 * 1.0 + math.pi * 0.01 / 2, rel=2e-3
    )


def test_reach_options(block):
    with pytest.raises(ValueError, match="needs corridors"):
        coverage.measure(**block, reach_m=100)
    axis = frame([line((0, 500), (1000, 500))], id=["k"])
    with pytest.raises(ValueError, match="reach_m is 0"):
        coverage.measure(**block, corridors=axis, reach_m=0)
    with pytest.raises(ValueError, match="reach_ends"):
        coverage.measure(**block, corridors=axis, reach_m=5, reach_ends="square")
    with pytest.raises(DataError, match="outside the district"):
        coverage.measure(
            **block, reach_m=5, corridors=frame([line((9000, 0), (9100, 0))], id=["k"])
        )
    with pytest.raises(DataError, match="both a zone and a corridor"):
        coverage.measure(**block, reach_m=5, corridors=frame([line((0, 0), (100, 0))], id=["w"]))


# ------------------------------------------------------------------ carriageways and centrelines


def test_centrelines_stand_beside_the_carriageways(block):
    dual = frame(
        [line((-500, 243), (2500, 243)), line((2500, 257), (-500, 257))], name=["卫津路", "卫津路"]
    )
    centre = frame([line((-500, 250), (2500, 250))], name=["衞津路"])
    found = coverage.measure(block["zones"], dual, district=block["district"], centrelines=centre)
    west = row(found.streets, zone="w")
    assert west.inside_km == pytest.approx(2.0, rel=5e-4)
    assert west.centreline_inside_km == pytest.approx(1.0, rel=5e-4)
    assert west.centreline_district_km == pytest.approx(2.0, rel=5e-4)
    assert west.share_inside == pytest.approx(west.centreline_share_inside, rel=1e-6)
    assert west.centreline_boundary_km == 0.0


def test_a_street_without_a_centreline_has_none(block):
    centre = frame([line((-500, 250), (2500, 250))], name=["通路"])
    streets = coverage.measure(**block, centrelines=centre).streets
    assert np.isnan(row(streets, zone="w", street="縱道").centreline_inside_km)
    assert row(streets, zone="w", street="通路").centreline_inside_km == pytest.approx(1, rel=5e-4)


def test_names_in_either_script_are_one_street(block):
    both = frame([line((100, 100), (200, 100)), line((200, 100), (400, 100))],
                 name=["红旗路", "紅旗路"])  # fmt: skip
    streets = coverage.measure(block["zones"], both).streets
    assert len(streets) == 1
    assert streets.inside_km[0] == pytest.approx(0.3, rel=5e-4)


# ------------------------------------------------------------------ input


def test_no_crs(block):
    block["streets"] = block["streets"].set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="streets has no CRS"):
        coverage.measure(**block)


@pytest.mark.parametrize("layer", ["zones", "streets", "subdistricts", "district"])
def test_another_crs_is_named(block, layer):
    block[layer] = block[layer].to_crs(4548)
    with pytest.raises(CRSError, match=f"{layer} is in EPSG:4548"):
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
    with pytest.raises(DataError, match="more than once: same"):
        coverage.measure(**block)


def test_an_id_that_looks_like_a_pair(block):
    block["subdistricts"].loc[0, "id"] = "a|b"
    with pytest.raises(DataError, match="which joins pairs"):
        coverage.measure(**block)


def test_columns_that_are_not_there(block):
    with pytest.raises(DataError, match="no column 'name'; they have highway"):
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
    with pytest.raises(DataError, match="no usable line among 1"):
        coverage.measure(block["zones"], frame([None], name=["a"]))
    with pytest.raises(DataError, match="no usable polygon among 1"):
        coverage.measure(frame([Polygon()], id=["z"]), block["streets"])
    with pytest.raises(DataError, match="no GeoDataFrame"):
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
    with pytest.raises(DataError, match="no geometry"):
        found.with_layer("x", frame([None]))
    with pytest.raises(CRSError):
        found.with_layer("x", frame([Point(117, 39)]).to_crs(4548))


# ------------------------------------------------------------------ on foot


@pytest.fixture
def grid() -> gpd.GeoDataFrame:
    """Streets every 200 m from 0 to 2000 m, noded at their crossings."""
    lines = []
    for k in range(0, 2001, 200):
        lines.append(line(*[(k, y) for y in range(0, 2001, 200)]))
        lines.append(line(*[(x, k) for x in range(0, 2001, 200)]))
    return frame(lines, highway=["residential"] * len(lines))


def test_walking_goes_along_streets_not_in_circles(grid):
    zone = frame([square(-50, -50, 2050, 2050)], id=["z"])
    point = frame([Point(place(1000, 1000))])
    reach = coverage.walking_reach(point, grid, zone, minutes=6, speed_km_per_h=4, width_m=100)
    # A diamond of 400 m: five whole stretches each way, by |x| + |y| <= 400 on a grid of 200.
    one = reach.table.iloc[0]
    assert reach.limit_m == pytest.approx(400)
    assert one.reached_km == pytest.approx(2 * (0.8 + 2 * 0.4), rel=1e-3)
    assert one.streets_km == pytest.approx(44, rel=1e-3)
    assert one.share_of_streets == pytest.approx(3.2 / 44, rel=1e-3)
    assert reach.edges.length_m.sum() == pytest.approx(one.reached_km * 1000, rel=1e-6)
    # The buffers of 100 m fill the diamond of side 400 * sqrt(2) and some around it.
    circle = math.pi * 0.4**2
    assert 2 * 0.4**2 < one.reached_km2 < circle + 0.1
    assert one.share_of_area == pytest.approx(one.reached_km2 / one.area_km2)


def test_the_walk_to_the_street_counts():
    street = frame([line((0, 0), (2000, 0))])
    zone = frame([square(-50, -500, 2050, 500)], id=["z"])
    reach = coverage.walking_reach(frame([Point(place(900, 150))]), street, zone, minutes=6)
    # 150 m to the street leave 250 m each way along it.
    assert reach.table.reached_km[0] == pytest.approx(0.5, rel=1e-3)
    assert shapely.intersects(reach.area, Point(place(900, 75)))
    assert not shapely.intersects(reach.area, Point(place(900 + 320, 0)))


def test_streets_that_only_cross_are_not_joined():
    streets = frame([line((0, 0), (1000, 0)), line((500, -500), (500, 500))])
    zone = frame([square(-1000, -1000, 2000, 1000)], id=["z"])
    reach = coverage.walking_reach(frame([Point(place(100, 0))]), streets, zone, minutes=9)
    assert reach.table.reached_km[0] == pytest.approx(0.7, rel=1e-3)


def test_points_far_from_any_street_are_counted(grid):
    zone = frame([square(0, 0, 2000, 2000)], id=["z"])
    points = frame([Point(place(0, 0)), Point(place(-5000, 0))], id=["ok", "lost"])
    reach = coverage.walking_reach(points, grid, zone)
    assert row(reach.dropped, layer="points").which == "lost"
    with pytest.raises(DataError, match="none lies within"):
        coverage.walking_reach(points[1:], grid, zone)


def test_motorways_are_not_walked(grid):
    zone = frame([square(0, 0, 2000, 2000)], id=["z"])
    grid.loc[0, "highway"] = "motorway"
    reach = coverage.walking_reach(frame([Point(place(10, 0))]), grid, zone)
    assert row(reach.dropped, reason="not walkable")["count"] == 1
    with pytest.raises(ValueError, match="minutes"):
        coverage.walking_reach(frame([Point(place(10, 0))]), grid, zone, minutes=0)


def test_a_point_far_away_changes_nothing(grid):
    zone = frame([square(-50, -50, 2050, 2050)], id=["z"])
    # Another town far away, so that the far points have streets of their own to reach, too.
    town = frame([LineString([(139, 35), (139, 35.01)])], highway=["residential"])
    streets = pd.concat([grid, town], ignore_index=True)
    spots = [Point(place(900, 950)), Point(place(1500, 400))]
    alone = coverage.walking_reach(frame(spots), streets, zone, minutes=10)
    assert alone.table.reached_km[0] > 1
    for far in (Point(0, 0), Point(-60, -39), Point(139, 35.001), Point(-63, 90), Point(180, -90)):
        reach = coverage.walking_reach(frame([*spots, far]), streets, zone, minutes=10)
        columns = ["reached_km2", "share_of_area", "streets_km", "reached_km", "share_of_streets"]
        assert reach.table.loc[0, columns].tolist() == pytest.approx(
            alone.table.loc[0, columns].tolist(), rel=1e-9
        )


def test_a_street_in_two_rows_counts_once():
    street = line((0, 0), (1000, 0), (2000, 0))
    zone = frame([square(-50, -500, 2050, 500)], id=["z"])
    point = frame([Point(place(1000, 0))])
    for streets, again in (
        (frame([street, street], id=["s", "s"]), 1),
        (frame([street, street.reverse()], id=["s", "t"], name=["甲", "乙"]), 0),
        # The second row has the eastern half only.
        (frame([street, line((1000, 0), (2000, 0))], id=["s", "t"]), 0),
    ):
        reach = coverage.walking_reach(point, streets, zone, minutes=60)
        one = reach.table.iloc[0]
        assert one.streets_km == pytest.approx(2, rel=5e-4)
        assert one.reached_km == pytest.approx(one.streets_km, rel=1e-12)
        assert one.share_of_streets == pytest.approx(1, rel=1e-12)
        dropped = reach.dropped[reach.dropped.reason == "the same id and line again"]
        assert dropped["count"].sum() == again


def test_a_street_further_than_the_walk_is_not_reached():
    street = frame([line((0, 0), (2000, 0))])
    zone = frame([square(-50, -500, 2050, 500)], id=["z"])
    points = frame([Point(place(500, 180)), Point(place(1500, 0))], id=["off", "on"])
    # A minute is 66.7 m, and the street is 180 m from the first point.
    reach = coverage.walking_reach(points, street, zone, minutes=1)
    both = row(reach.dropped, layer="points")
    assert (both.which, both.reason) == ("off", "further than 66.6667 m from every street")
    assert reach.table.reached_km[0] == pytest.approx(2 * 0.0667, rel=1e-3)
    alone = coverage.walking_reach(points[1:], street, zone, minutes=1)
    assert reach.table.reached_km2[0] == alone.table.reached_km2[0]
    # 133 m of street, 50 m to both sides, and two half circles, each of 32 sides.
    circle = 32 * math.sin(math.pi / 32) * 0.05**2
    assert alone.table.reached_km2[0] == pytest.approx(0.013333 + circle, rel=1e-4)
    with pytest.raises(DataError, match="raise minutes"):
        coverage.walking_reach(points[:1], street, zone, minutes=1)
    with pytest.raises(DataError, match="raise snap_m"):
        coverage.walking_reach(points[:1], street, zone, snap_m=100)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e-300])
@pytest.mark.parametrize("option", ["minutes", "speed_km_per_h", "width_m", "snap_m"])
def test_walks_that_make_no_sense(grid, option, value):
    zone = frame([square(0, 0, 2000, 2000)], id=["z"])
    named = "the walk|minutes" if option.startswith(("m", "sp")) and value == 1e-300 else option
    with pytest.raises(ValueError, match=f"^({named}).* is .*; give a number above"):
        coverage.walking_reach(frame([Point(place(10, 0))]), grid, zone, **{option: value})


def test_walking_against_brute_force(grid):
    networkx = pytest.importorskip("networkx")
    graph = networkx.Graph()
    for shape in grid.geometry:
        for a, b in zip(shape.coords[:-1], shape.coords[1:], strict=True):
            size = GEOD.inv(*a, *b)[2]
            graph.add_edge(np.round(a, 7).tobytes(), np.round(b, 7).tobytes(), size=size)
    spots = [place(200, 400), place(1400, 1600)]
    limit = 700.0
    far = networkx.multi_source_dijkstra_path_length(
        graph, {np.round(s, 7).tobytes() for s in spots}, weight="size"
    )
    total = 0.0
    for one, two, data in graph.edges(data=True):
        a, b = max(limit - far[one], 0), max(limit - far[two], 0)
        total += min(min(a, data["size"]) + min(b, data["size"]), data["size"])
    zone = frame([square(-50, -50, 2050, 2050)], id=["z"])
    reach = coverage.walking_reach(
        frame([Point(s) for s in spots]), grid, zone, minutes=10.5, speed_km_per_h=4
    )
    assert reach.table.reached_km[0] * 1000 == pytest.approx(total, rel=1e-6)


# ------------------------------------------------------------------ against geopandas.overlay


def plain(layer: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut by geopandas, as anyone would."""
    with warnings.catch_warnings():
        # It says how many touching points it drops.
        warnings.simplefilter("ignore", UserWarning)
        return gpd.overlay(layer, areas, how="intersection")


def check_against_overlay(
    zones: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, subs: gpd.GeoDataFrame
) -> coverage.Coverage:
    found = coverage.measure(zones, streets, subs, boundary_m=0)
    z = zones[["id", "geometry"]].rename(columns={"id": "zone"})
    s = subs[["id", "geometry"]].rename(columns={"id": "sub"})
    cut = plain(streets, z)
    cut["km"] = [metres(shape) / 1000 for shape in cut.geometry]
    cut["name"] = cut["name"].where(cut["name"].notna(), coverage.UNNAMED)
    cut["highway"] = cut["highway"].where(cut["highway"].notna(), coverage.UNCLASSED)
    # A closed polygon holds its boundary, which stands apart here.
    for table, key, column in (
        (found.streets, "name", "street"),
        (found.classes, "highway", "class"),
    ):
        theirs = cut.groupby(["zone", key])["km"].sum()
        ours = (table.inside_km + table.boundary_km).groupby([table.zone, table[column]]).sum()
        both = pd.concat([ours.rename("ours"), theirs.rename("theirs")], axis=1).fillna(0.0)
        assert both.ours.tolist() == pytest.approx(both.theirs.tolist(), rel=1e-6, abs=1e-7)
    theirs = cut.groupby("zone")["km"].sum()
    ours = found.zones.set_index("zone")
    for zone, km in theirs.items():
        assert ours.inside_km[zone] + ours.boundary_km[zone] == pytest.approx(km, rel=1e-6)
    areas = plain(z, s)
    # Vertices are set along the edges, so that geodesics keep to the straight lines of the cut.
    fine = shapely.segmentize(shapely.orient_polygons(areas.geometry.values), 2e-4)
    areas["km2"] = [abs(GEOD.geometry_area_perimeter(a)[0]) / 1e6 for a in fine]
    theirs = areas.groupby(["zone", "sub"])["km2"].sum()
    ours = found.areas.set_index(["zone", "subdistrict"]).area_km2
    for key, km2 in theirs.items():
        if km2 > 1e-6:
            assert ours[key] == pytest.approx(km2, rel=1e-6)
    # By subdistrict: what is inside of it, and every border it has a part in.
    cut = plain(streets, s)
    cut["km"] = [metres(shape) / 1000 for shape in cut.geometry]
    theirs = cut.groupby("sub")["km"].sum()
    table = found.subdistricts
    for sub, km in theirs.items():
        mine = table.subdistrict.str.split("|", regex=False).map(lambda ids, s=sub: s in ids)
        assert table[mine].length_km.sum() == pytest.approx(km, rel=1e-6)
    return found


@pytest.mark.parametrize("mode", ["fixed", "tiled"])
@pytest.mark.parametrize("seed", [1, 2])
def test_generated_cities_against_overlay(mode, seed):
    city = make_city.make(2500, mode, seed)
    found = check_against_overlay(city.zones, city.streets, city.subdistricts)
    # Borders run along streets there, so there is something along them.
    assert found.zones.boundary_km.sum() > 1


def blocks(streets: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    """Zones between real streets: blocks of the network, those near each other joined."""
    lines = streets[streets.highway.isin(
        ["trunk", "primary", "secondary", "tertiary", "residential", "unclassified"]
    )]  # fmt: skip
    faces = shapely.get_parts(
        shapely.polygonize([shapely.node(shapely.union_all(lines.geometry.values))])
    )
    faces = faces[shapely.area(faces) > 1e-6]
    centre = shapely.get_coordinates(shapely.point_on_surface(faces))
    order = np.argsort(centre[:, 0], kind="stable")
    zones = [shapely.union_all(faces[part]) for part in np.array_split(order, count) if len(part)]
    return gpd.GeoDataFrame(
        {"id": [f"z{k}" for k in range(len(zones))]}, geometry=zones, crs="EPSG:4326"
    )


def test_real_streets_against_overlay():
    from nankai_gis.network import roads

    network = roads.read(PBF).frame
    streets = network[network.highway.notna()][["way", "name", "highway", "geometry"]]
    streets = streets.reset_index(drop=True)
    zones = blocks(streets, 6)
    assert len(zones) >= 6
    # Borders that lie on streets to the last bit but one: what GEOS makes of them is chance, but
    # it must lie between all of it and nothing.
    found = coverage.measure(zones, streets, boundary_m=0).zones
    cut = plain(streets, zones.rename(columns={"id": "zone"}))
    theirs = pd.Series([metres(s) / 1000 for s in cut.geometry]).groupby(cut.zone).sum()
    assert (found.boundary_km > 1).all()
    assert (theirs.values >= found.inside_km * (1 - 1e-6)).all()
    assert (theirs.values <= (found.inside_km + found.boundary_km) * (1 + 1e-6)).all()
    # Some 2 m within the streets the two must agree.
    zones["geometry"] = shapely.buffer(zones.geometry.values, -2e-5, join_style="mitre")
    x0, y0, x1, y1 = streets.total_bounds
    xs, ys = np.linspace(x0, x1, 4), np.linspace(y0, y1, 3)
    boxes = [box(xs[i], ys[j], xs[i + 1], ys[j + 1]) for i in range(3) for j in range(2)]
    subs = frame(boxes, id=[f"s{k}" for k in range(6)])
    found = check_against_overlay(zones, streets, subs)
    assert found.zones.inside_km.min() > 1


# ------------------------------------------------------------------ generated cities

CITY = make_city.make(420, "fixed", 3)


def figures(found: coverage.Coverage) -> pd.DataFrame:
    table = found.table("zone", "subdistrict", "street", "class")
    return table.set_index(["zone", "subdistrict", "street", "class"])[["inside_km", "boundary_km"]]


def same(one: pd.DataFrame, two: pd.DataFrame, within: float = 1e-8) -> None:
    both = pd.concat([one.add_suffix("_a"), two.add_suffix("_b")], axis=1).fillna(0.0)
    for column in ("inside_km", "boundary_km"):
        # A millimetre: rows of a point's length come and go.
        assert both[f"{column}_a"].values == pytest.approx(
            both[f"{column}_b"].values, rel=within, abs=1e-6
        )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 10.0, 25.0]))
def test_splitting_reversing_and_reordering_streets(seed, boundary_m):
    random = Random(seed)
    rows = []
    for record in CITY.streets.to_dict("records"):
        share = random.choice([0.25, 0.5, 0.71])
        shape = record["geometry"]
        halves = [
            shapely.ops.substring(shape, 0, share, normalized=True),
            shapely.ops.substring(shape, share, 1, normalized=True),
        ]
        parts = [shape] if random.random() < 0.5 else halves
        rows += [{**record, "geometry": p.reverse() if random.random() < 0.5 else p} for p in parts]
    random.shuffle(rows)
    streets = gpd.GeoDataFrame(rows, crs="EPSG:4326")
    before = coverage.measure(CITY.zones, CITY.streets, CITY.subdistricts, boundary_m=boundary_m)
    after = coverage.measure(CITY.zones, streets, CITY.subdistricts, boundary_m=boundary_m)
    same(figures(before), figures(after))
    places = ["crossings", "entry_lon", "entry_lat", "exit_lon", "exit_lat"]
    one, two = (f.streets.set_index(["zone", "street"])[places] for f in (before, after))
    # A row of a point's length may come or go.
    one, two = one.align(two, join="inner")
    named = one.index.get_level_values("street") != coverage.UNNAMED
    assert named.sum() > 20
    assert two[named].to_numpy(float) == pytest.approx(
        one[named].to_numpy(float), abs=1e-9, nan_ok=True
    )


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([-30.0, 0.5, 12.0]))
def test_moving_a_city_along_the_parallel(east):
    def moved(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        shapes = shapely.transform(layer.geometry.values, lambda c: c + np.array([east, 0.0]))
        return layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs=layer.crs))

    layers = (CITY.zones, CITY.streets, CITY.subdistricts)
    here = coverage.measure(*layers)
    there = coverage.measure(*(moved(layer) for layer in layers))
    same(figures(here), figures(there), within=1e-7)
    assert there.areas.area_km2.tolist() == pytest.approx(here.areas.area_km2.tolist(), rel=1e-8)


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(12)))
def test_the_order_of_areas_changes_nothing(zones, subs):
    before = coverage.measure(CITY.zones, CITY.streets, CITY.subdistricts)
    after = coverage.measure(
        CITY.zones.iloc[list(zones)], CITY.streets, CITY.subdistricts.iloc[list(subs)]
    )
    # Pairs are named in the order of the layer.
    one, two = (
        f.table("zone", "street", "class").set_index(["zone", "street", "class"])[
            ["inside_km", "boundary_km"]
        ]
        for f in (before, after)
    )
    same(one, two)
    key = ["zone", "subdistrict"]
    old, new = (f.areas.set_index(key).area_km2.sort_index() for f in (before, after))
    assert new.tolist() == pytest.approx(old.tolist(), rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4))
def test_zones_of_a_union_and_a_difference(first, second):
    one, two = CITY.zones.geometry.iloc[first], CITY.zones.geometry.iloc[second]
    both, left = shapely.intersection(one, two), shapely.difference(one, two)
    shapes = {"a": one, "b": two, "u": shapely.union(one, two), "i": both, "d": left}
    kept = {k: s for k, s in shapes.items() if s.area > 1e-12}
    zones = frame(list(kept.values()), id=list(kept))
    table = coverage.measure(zones, CITY.streets, boundary_m=0).zones.set_index("zone")
    area = table.area_km2.reindex(list(shapes)).fillna(0.0)
    assert area["u"] + area["i"] == pytest.approx(area["a"] + area["b"], rel=1e-8)
    assert area["d"] + area["i"] == pytest.approx(area["a"], rel=1e-8)
    if first == second or "i" not in kept:
        length = (table.inside_km + table.boundary_km).reindex(list(shapes)).fillna(0.0)
        common = shapely.intersection(one.boundary, two.boundary).length if first != second else 0
        if common == 0:
            assert length["u"] + length["i"] == pytest.approx(
                length["a"] + length["b"], rel=1e-8, abs=1e-4
            )


def test_a_city_is_the_same_every_time():
    assert make_city.make(420, "fixed", 3).digest() == CITY.digest()
    assert make_city.make(420, "fixed", 4).digest() != CITY.digest()
    tiled = make_city.make(5000, "tiled", 1)
    assert len(tiled.zones) == len(tiled.subdistricts) == 4
    assert tiled.streets.highway.isna().any()
    assert tiled.streets.name.isna().any()


def test_a_city_is_written_once_and_compared(tmp_path):
    file = tmp_path / "city.gpkg"
    command = [sys.executable, str(ROOT / "scripts/make_city.py"), "--pieces", "300", str(file)]
    again = [*command, "--check"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert subprocess.run(command, capture_output=True).returncode == 2
    assert subprocess.run(again, capture_output=True).returncode == 0
    assert subprocess.run([*again, "--seed", "9"], capture_output=True).returncode == 3


# ------------------------------------------------------------------ the packaged plan


def test_the_packaged_plan():
    layer = nankai_gis.layer
    found = coverage.measure(
        layer("zones"), layer("streets"), layer("subdistricts"), district=layer("district"),
        corridors=layer("corridors"), reach_m=200, centrelines=layer("streets"),
    )  # fmt: skip
    lost = row(found.dropped, layer="streets")
    assert lost["count"] == layer("streets").geometry.isna().sum() > 0
    assert lost.reason == "no geometry (listed, not located)"
    pieces = layer("corridors")
    lost = found.dropped[found.dropped.layer == "corridors"].set_index("reason")["count"]
    assert lost["planned, not there yet"] == pieces.planned.sum() > 0
    missing = pieces[~pieces.planned].geometry.isna()
    assert lost["no geometry (listed, not located)"] == missing.sum() > 0
    built = pieces[~pieces.planned].groupby("corridor").length_m.sum() / 1000
    assert found.corridors.groupby("corridor").length_km.sum().to_dict() == pytest.approx(
        built.to_dict(), rel=1e-6
    )
    qihang = row(found.zones, zone="qihang-bay")
    stated = layer("zones").set_index("id").area_m2
    assert qihang.area_km2 * 1e6 == pytest.approx(stated["qihang-bay"], rel=1e-5)
    for zone in layer("zones").itertuples():
        size = ruler.area(zone.geometry)
        assert row(found.zones, zone=zone.id).area_km2 * 1e6 == pytest.approx(size, rel=2e-8)
    # 密雲路 bounds the zone, 鞍山西道 crosses it.
    assert row(found.streets, zone="qihang-bay", street="鞍山西道").boundary_km == 0.0
    assert row(found.streets, zone="qihang-bay", street="黃河道").inside_km == 0.0
    assert row(found.streets, zone="qihang-bay", street="黃河道").boundary_km > 1
    shares = found.areas.groupby("zone").share_of_zone.sum()
    assert shares.tolist() == pytest.approx([1.0] * len(shares), rel=1e-9)
    kinds = found.zones.groupby("kind").size()
    assert kinds.to_dict() == {"zone": 3, "reach": 3}
    held = found.reconciliation[found.reconciliation.limit.notna()]
    assert (held.relative <= 1e-9).all()
    assert row(found.reconciliation, check="subdistricts that overlap", item="all").parts < 1e-9
    assert found.streets.centreline_inside_km.tolist() == pytest.approx(
        found.streets.inside_km.tolist()
    )
