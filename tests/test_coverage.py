"""Tables that add up: small cases by hand, and the packaged plan."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.affinity
import shapely.ops
from coverage_cases import frame, line, place, row, square
from shapely import Polygon

from nankai_gis.errors import DataError, GeometryError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.cut import Cut
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure import coverage
from nankai_gis.measure.coverage import sums
from nankai_gis.measure.coverage.areas import sliver_m2
from nankai_gis.studies import study
from nankai_gis.words import speaking

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
    assert primary.class_label == "arterial road"
    with speaking("zh-Hant"):
        assert coverage.class_label("primary") == "主幹路"
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


@pytest.mark.parametrize(("side_m", "least_m2"), [(45, 1e-6), (55, 1.1e-6), (1000, 2e-5)])
def test_a_sliver_is_a_square_millimetre_or_five_nanometres_wide(side_m, least_m2):
    assert sliver_m2(np.array([square(0, 0, side_m, side_m)])) == pytest.approx(least_m2, rel=0.01)


@pytest.mark.parametrize(("away", "along_km"), [(14.9, 0.8), (15.1, 0)])
def test_a_street_within_fifteen_metres_of_a_boundary_runs_along_it(block, away, along_km):
    street = frame([line((100, -away), (900, -away))], name=["邊路"])
    found = coverage.measure(block["zones"][:1], street).streets
    assert found.boundary_km.sum() == pytest.approx(along_km, abs=0.001)


@pytest.mark.parametrize(("degrees", "along"), [(29.5, True), (30.5, False)])
def test_a_street_within_thirty_degrees_of_a_boundary_runs_along_it(block, degrees, along):
    east = 10 / math.tan(math.radians(degrees))
    street = frame([line((500 - east, -10), (500, 0))], name=["斜路"])
    found = coverage.measure(block["zones"][:1], street).streets
    assert bool(found.boundary_km.sum() > 0.01) is along


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


@pytest.mark.parametrize(("forward", "entered"), [(-0.19, True), (-0.21, False)])
def test_a_boundary_crossed_nearly_at_right_angles_to_the_course_is_a_way_in(
    block, forward, entered
):
    """Below a fifth of the way sideways; one that runs back there comes in elsewhere."""
    back = 100 * forward / math.sqrt(1 - forward**2)
    street = line((-900, -100), (200 - back, -100), (200 + back, 100), (1500, 100))
    zone = block["zones"][:1]
    one = coverage.measure(zone, frame([street], name=["曲路"]), boundary_m=0).streets.loc[0]
    assert one.crossings == 2
    assert np.isnan(one.entry_lon) != entered
    assert one.exit_lon == pytest.approx(place(1000, 0)[0])


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


# ------------------------------------------------------------------ the packaged plan


def test_the_packaged_plan():
    layer = study.packaged().frame
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
