"""Names as real maps have them: brackets, Latin behind, road numbers, side roads."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString

from nankai_gis.measure.coverage import measure
from nankai_gis.measure.coverage.validation import NO_CARRIAGEWAY, NOT_THERE
from nankai_gis.network.street_names import numbers
from nankai_gis.network.streets import build

NAMES = ["京环线（九园公路）", "新围堤道 Xinwei Didao", "京津公路", "卫津路辅道", "甲路;乙路"]


def _ways(names, refs=None):
    lines = [LineString([(117, 39 + k / 50), (117.01, 39 + k / 50)]) for k in range(len(names))]
    table = {
        "way": range(1, len(names) + 1), "name": names, "aliases": "", "highway": "primary",
        "railway": None, "waterway": None, "oneway": 0, "ref": refs,
    }  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=lines, crs=4326)


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        ("九園公路", 1), ("京環線", 1), ("新圍堤道", 2), ("G103", 3), ("103國道", 3),
        ("國道103", 3), ("g 103", 3), ("衛津路輔路", 4), ("甲路", 5), ("乙路", 5),
    ],
)  # fmt: skip
def test_a_street_is_found_by_the_names_that_people_use(asked, way):
    made = build(_ways(NAMES, [None, None, "S50;G103", None, None]))
    assert asked in made
    assert made.find(asked).ways == (way,)


def test_a_street_that_is_called_so_goes_before_a_number():
    made = build(_ways(["G103", "京津公路"], [None, "G103"]))
    assert made.find("G103").ways == (1,)


@pytest.mark.parametrize("ref", [None, np.nan, "", "103", "G", "A1", "G12345"])
def test_what_is_no_road_number_gives_no_name(ref):
    assert numbers(ref) == []


def test_a_road_number_of_every_kind():
    assert numbers("S50; x7") == ["s50", "50省道", "省道50", "x7", "7县道", "县道7"]


@pytest.mark.parametrize(
    ("highway", "reason"),
    [("proposed", NOT_THERE), ("disused", NOT_THERE), ("platform", NO_CARRIAGEWAY)],
)
def test_what_is_no_street_that_is_there_has_no_length_but_a_note(highway, reason):
    ways = _ways(["甲路", "乙路"])
    ways.loc[1, "highway"] = highway
    zone = gpd.GeoDataFrame({"id": ["z"]}, geometry=[LineString([(116, 38), (118, 40)]).envelope],
                            crs=4326)  # fmt: skip
    result = measure(zone, ways)
    assert result.streets["street"].tolist() == ["甲路"]
    assert [(note.reason, note.count) for note in result.notes] == [(reason, 1)]
