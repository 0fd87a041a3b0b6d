"""What map and figure share: the layers chosen, the network joined, the lines of the legend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import geopandas
import pandas as pd
import pytest
from browser.frames import plan_frames
from shapely.geometry import LineString, Point, box

from nankai_gis.errors import NotFoundError
from nankai_gis.present import labels, legend
from nankai_gis.present.document import MapLayer, map_document
from nankai_gis.present.style import style_of
from nankai_gis.reports.pictures import plan_map
from nankai_gis.words import speaking


@pytest.fixture(autouse=True)
def traditional() -> Iterator[None]:
    with speaking("zh-Hant"):
        yield


def _network(pieces: int = 1600, **more: Any) -> geopandas.GeoDataFrame:
    """Return streets of 100 pieces each, end to end, every other one a main road."""
    lines = [
        LineString(
            [(round(117 + (n % 100 + end) * 1e-3, 6), 39 + n // 100 * 1e-3) for end in (0, 1)]
        )
        for n in range(pieces)
    ]
    rows = {
        "name": [f"第{n // 100}路" for n in range(pieces)],
        "kind": ["street" if n // 100 % 2 else "main" for n in range(pieces)],
        "status": "osm",
        "length_m": 86.5,
        "accuracy_m": [10.0 + n % 7 for n in range(pieces)],
        "source": ["甲" if n % 2 else "乙" for n in range(pieces)],
        "date": "2026",
    }
    return geopandas.GeoDataFrame(rows | more, geometry=lines, crs="EPSG:4326")


def test_a_network_is_joined_street_by_street() -> None:
    layer = map_document({"streets": _network()}).layers["streets"]
    assert layer.network
    assert layer.names == [f"第{n}路" for n in range(16)]
    assert {shape.geom_type for shape in layer.shapes if shape} == {"LineString"}
    for number, shape in enumerate(layer.shapes):
        assert shape is not None
        assert shape.bounds == pytest.approx((117.0, 39 + number / 1e3, 117.1, 39 + number / 1e3))
    assert layer.rows[0]["length_m"] == pytest.approx(8650)
    assert layer.rows[0]["accuracy_m"] == 16
    assert layer.rows[0]["source"] == "乙; 甲"
    assert layer.rows[0]["date"] == "2026"
    assert legend.count(layer) == "16"
    assert sum(int(item.value) for item in legend.entries(layer)) == 16


def test_a_small_layer_keeps_its_pieces() -> None:
    layer = map_document({"streets": _network(1400)}).layers["streets"]
    assert not layer.network
    assert len(layer.rows) == 1400


def test_a_piece_without_length_leaves_its_street_without() -> None:
    lengths = [86.5] * 1599 + [None]
    layer = map_document({"streets": _network(length_m=lengths)}).layers["streets"]
    assert layer.rows[-1]["length_m"] is None
    assert layer.rows[0]["length_m"] is not None


def test_pieces_without_place_or_name_survive_the_joining() -> None:
    frame = _network()
    frame.loc[0, "geometry"] = None
    frame.loc[100:199, "name"] = None
    layer = map_document({"streets": frame}).layers["streets"]
    assert len(layer.rows) == 17
    assert layer.names.count("") == 1
    assert sum(shape is None for shape in layer.shapes) == 1
    assert len(labels.labels(layer)) == 15


def test_certainty_and_coverage_keep_pieces_apart() -> None:
    status = ["osm", "inferred"] * 800
    zone = ["qihang-bay" if n < 50 else None for n in range(1600)]
    layer = map_document({"streets": _network(status=status, zone=zone)}).layers["streets"]
    assert len(layer.rows) == 2 * (16 + 1)


@pytest.mark.parametrize(("rows", "streets"), [(1499, 1499), (1500, 15)])
def test_streets_are_joined_from_fifteen_hundred_rows_on(rows: int, streets: int) -> None:
    layer = map_document({"streets": _network(rows)}).layers["streets"]
    assert (len(layer.rows), layer.network) == (streets, rows == 1500)


def test_of_a_network_the_three_hundred_longest_streets_are_labelled() -> None:
    """Of 301 streets the first is the shortest and goes without; elsewhere all are labelled."""
    lines = [LineString([(0, 0), (1 + n, 0)]) for n in range(301)]
    names = [str(n) for n in range(301)]
    looks = [style_of("streets", {}, 0)] * 301
    rows: list[dict[str, Any]] = [{} for _ in names]
    network = MapLayer("streets", rows, list(lines), looks, names, network=True)
    assert [label.text for label in labels.labels(network)] == names[:0:-1]
    assert len(labels.labels(replace(network, network=False))) == 301


@pytest.mark.parametrize(
    ("share", "fill"),
    [
        (0.0, "#f2f0f7"),
        (0.2, "#f2f0f7"),
        (0.2001, "#cbc9e2"),
        (0.4, "#cbc9e2"),
        (0.4001, "#9e9ac8"),
        (0.6, "#9e9ac8"),
        (0.6001, "#756bb1"),
        (0.8, "#756bb1"),
        (0.8001, "#54278f"),
        (1.0, "#54278f"),
    ],
)
def test_a_class_of_shades_holds_its_upper_end(share: float, fill: str) -> None:
    assert style_of("subdistricts", {"coverage_share": share}, 0).fill == fill


@pytest.mark.parametrize(
    ("lang", "road", "street"),
    [("en", "Hongqi Road · OSM data", "Huanghe Road"), ("zh-Hans", "红旗路 · OSM", "黄河道")],
)
def test_roads_along_a_feature_have_the_name_of_the_language(
    lang: Any, road: str, street: str
) -> None:
    drawn = plan_map(lang=lang, layers=["zones", "corridors"]).content["layers"]
    zones, corridors = (
        layer for layer in drawn for key in ("zones", "corridors") if layer["key"] == key
    )
    assert any(side["text"].startswith(road) for side in zones["features"][0]["sides"])
    assert street in [piece["facts"]["street"] for piece in corridors["features"]]


def test_only_some_layers() -> None:
    drawn = map_document(plan_frames(), ["zones", "district"])
    assert list(drawn.layers) == ["district", "zones"]
    with pytest.raises(NotFoundError, match="沒有名為「roads」") as caught:
        map_document(plan_frames(), ["roads"])
    assert "zones" in caught.value.candidates


def test_streets_take_the_hue_of_what_covers_them() -> None:
    plain = style_of("streets", {"kind": "street"}, 0).stroke
    zone = style_of("streets", {"kind": "street", "zone": "qihang-bay"}, 0).stroke
    assert zone == style_of("zones", {"id": "qihang-bay"}, 0).stroke != plain
    corridor = style_of("streets", {"corridor": "smart-service"}, 0).stroke
    assert corridor == style_of("corridors", {"corridor": "smart-service"}, 0).stroke
    assert style_of("streets", {"zone": None, "corridor": None}, 0).stroke == plain


def test_labels_follow_their_lines() -> None:
    diagonal = LineString([(117.0, 39.0), (117.01, 39.0), (117.02, 39.01 * 1.0)])
    row = {"name": "斜路", "status": "osm"}
    layer = MapLayer("streets", [row], [diagonal], [style_of("streets", row, 0)], ["斜路"])
    spots = labels.labels(layer)[0].spots
    assert {round(spot.angle) for spot in spots} >= {0, 52}  # a degree east is shorter at 39 N
    assert all(-90 <= spot.angle < 90 for spot in spots)


def test_every_spot_of_an_area_lies_in_it() -> None:
    layer = map_document(plan_frames()).layers["zones"]
    for label, shape in zip(labels.labels(layer), layer.shapes, strict=True):
        assert shape is not None
        assert all(shape.contains(Point(spot.lon, spot.lat)) for spot in label.spots)


def test_classes_of_openstreetmap_have_widths_and_names() -> None:
    frame = _network().rename(columns={"kind": "highway"}).iloc[:200]
    frame["highway"] = ["primary"] * 100 + ["residential"] * 100
    drawn = map_document({"streets": frame})
    entries = legend.entries(drawn.layers["streets"])
    assert [item.label for item in entries] == ["主幹路", "居住區道路"]
    assert entries[0].look.weight > entries[1].look.weight
    assert style_of("streets", {"kind": "primary_link"}, 0) == entries[0].look


def _around(name: str, half: float, status: str = "osm", **more: Any) -> geopandas.GeoDataFrame:
    rows = {"id": [name], "name": [name], "status": [status]} | {k: [v] for k, v in more.items()}
    square = box(117 - half, 39 - half, 117 + half, 39 + half)
    return geopandas.GeoDataFrame(rows, geometry=[square], crs="EPSG:4326")


def test_streets_take_the_hue_of_zones_of_any_plan() -> None:
    zones = pd.concat([_around("甲", 0.01), _around("乙", 0.02)], ignore_index=True)
    streets = _network(3).assign(zone=["乙", None, "甲"])
    frames = {"zones": zones, "streets": streets}
    drawn = map_document(frames)
    one, two = (look.stroke for look in drawn.layers["zones"].looks)
    grey = style_of("streets", {"kind": "street"}, 0).stroke
    assert len({one, two, grey}) == 3
    assert [look.stroke for look in drawn.layers["streets"].looks] == [two, grey, one]
    # The same without the zones on the sheet; and the legend shows what the kind looks like.
    (streets_alone,) = map_document(frames, ["streets"]).layers.values()
    assert [look.stroke for look in streets_alone.looks] == [two, grey, one]
    entries = legend.entries(streets_alone)
    assert {entry.look.stroke for entry in entries} == {grey}


def test_a_row_alone_keeps_the_hue_it_is_given() -> None:
    zones = pd.concat([_around("甲", 0.01), _around("乙", 0.02)], ignore_index=True)
    both = map_document({"zones": zones}).layers["zones"].looks
    alone = map_document({"zones": zones.assign(hue=[0, 1])[1:]}).layers["zones"].looks
    assert alone == both[1:]
    assert map_document({"zones": zones[1:]}).layers["zones"].looks != both[1:]


def test_covered_streets_lie_above_the_shades() -> None:
    shaded = _around("街", 0.1, coverage_share=0.9)
    frames = {"subdistricts": shaded, "streets": _network(3), "district": _around("區", 0.1)}
    assert list(map_document(frames).layers) == ["subdistricts", "streets", "district"]
    plain = frames | {"subdistricts": shaded.drop(columns="coverage_share")}
    assert list(map_document(plain).layers) == ["streets", "subdistricts", "district"]


@pytest.mark.parametrize(
    ("given", "half"),
    [
        ("district zones parcel corridors sites subdistricts streets water", 0.08),
        ("zones parcel corridors sites subdistricts streets water", 0.06),
        ("parcel corridors sites streets", 0.05),
        ("corridors sites subdistricts streets", 0.03),
        ("sites subdistricts streets water", 0.0),
        ("subdistricts streets water", 0.07),
        ("water", 0.1),
    ],
)
def test_the_sheet_is_cut_to_what_the_plan_is_about(given: str, half: float) -> None:
    line = geopandas.GeoDataFrame(
        {"name": ["帶"], "status": ["osm"]},
        geometry=[LineString([(116.97, 38.97), (117.03, 39.03)])],
        crs="EPSG:4326",
    )
    frames = {
        "district": _around("區", 0.08),
        "zones": _around("片", 0.06),
        "parcel": _around("塊", 0.05),
        "corridors": line,
        "sites": line.set_geometry([Point(117, 39)]),
        "subdistricts": _around("街", 0.07),
        "streets": _network(300),
        "water": _around("水", 0.1),
    }
    bounds = map_document({key: frames[key] for key in given.split()}).bounds
    assert bounds == pytest.approx((117 - half, 39 - half, 117 + half, 39 + half))


def test_streets_alone_are_shown_whole() -> None:
    streets = _network(300)
    assert map_document({"streets": streets}).bounds == tuple(streets.total_bounds)


def test_a_border_is_told_from_the_street_along_it() -> None:
    line, border = style_of("streets", {"kind": "street"}, 0), style_of("subdistricts", {}, 0)
    assert border.casing_weight > line.weight
    assert border.casing not in ("", "transparent", line.stroke)
    # Where areas are shaded the shades tell it.
    assert style_of("subdistricts", {"coverage_share": 0.5}, 0).casing == ""


def test_only_what_is_inferred_is_called_indicative() -> None:
    frames = {
        key: _around(key, 0.1, status="surveyed")
        for key in ("district", "zones", "parcel", "subdistricts")
    }
    frames["zones"] = pd.concat(
        [frames["zones"], _around("乙", 0.1, status="inferred")], ignore_index=True
    )
    drawn = map_document(frames)
    tags = {i.label: i.indicative for one in drawn.legend() for i in legend.entries(one)}
    assert tags == {"district": False, "zones": False, "乙": True, "parcel": False}
    marked = [
        label.text for one in drawn.legend() for label in labels.labels(one) if label.indicative
    ]
    assert marked == ["乙"]
