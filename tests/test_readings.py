"""Where words allow more than one boundary, map and report show the readings side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nankai_gis as ng
from nankai_gis.compiler.derive import derive
from nankai_gis.compiler.readings import readings_as_data
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import Alternative
from nankai_gis.network import digitised
from nankai_gis.plan.definitions import packaged as plan
from nankai_gis.present.readings import side_by_side
from nankai_gis.reports import content
from nankai_gis.reports.readings import READINGS
from nankai_gis.studies.readings import readings
from nankai_gis.studies.study import packaged
from nankai_gis.words import speaking


def test_the_drawn_reading_is_the_polygon_of_the_layer() -> None:
    rows = readings(packaged().features(["zone", "parcel"]))
    assert set(rows["feature"]) == {"qihang-bay", "xiyingmen"}
    measured = {row.id: row.area_m2 for row in packaged().areas(["zone", "parcel"])}
    drawn = rows[rows["chosen"]].set_index("feature")["area_m2"]
    assert drawn.to_dict() == pytest.approx({key: measured[key] for key in drawn.index}, abs=1)
    assert (rows.groupby("feature").size() >= 3).all()
    assert (rows["note"].str.len() > 0).all()


def test_a_clause_with_one_reading_has_none_to_compare() -> None:
    study = packaged()
    one = [f for f in study.features(["zone"]) if f["properties"]["id"] == "laochengxiang"]
    rows = readings(one)
    assert len(rows) == 0
    assert "readings" not in study.frame("zones")


def test_rings_that_a_search_left_over_are_readings_too() -> None:
    network = digitised.packaged()
    zones = plan().index()
    ring, other = (derive(zones[key], network).ring for key in ("qihang-bay", "laochengxiang"))
    assert ring is not None
    assert other is not None
    names = tuple(run.names for run in other.runs)
    remark = Remark("bridged", {"metres": 679.0})
    left = Alternative(names, 2.4e6, 1.1, 0.9, other, speaks_against=(remark,))
    feature = replace(zones["qihang-bay"], readings=())
    first, second = readings_as_data(feature, replace(ring, alternatives=(left,)), network)
    assert (first["chosen"], second["chosen"]) == (True, False)
    assert second["ring"] == [list(position) for position in other.coordinates]
    assert "西馬路" in second["name"]
    assert "西马路" in second["name_hans"]
    assert "679" in second["reasons_against_en"]
    assert readings_as_data(feature, replace(ring, alternatives=()), network) == []


def test_the_map_has_the_others_behind_a_switch_that_is_off() -> None:
    layers = {layer["key"]: layer for layer in ng.plan_map(lang="en").content["layers"]}
    assert layers["readings"]["on"] is False
    assert all(layer["on"] for key, layer in layers.items() if key != "readings")
    names = [feature["name"] for feature in layers["readings"]["features"]]
    assert len(names) == 5
    assert all(name.startswith(("Qihang", "Xiyingmen")) for name in names)
    assert all("For: " in feature["facts"]["note"] for feature in layers["readings"]["features"])


def test_the_report_has_a_table_and_a_picture_of_them() -> None:
    with speaking("en"):
        sections = {section.id: section for section in content.compose(packaged())}
    for key, count in (("qihang-bay", 3), ("xiyingmen", 4)):
        section = sections[f"{key}:{READINGS}"]
        (table,) = section.tables
        assert len(table.rows) == count
        assert table.rows[0][0].endswith("(drawn)")
        assert [row[2] == "" for row in table.rows] == [True] + [False] * (count - 1)
        assert section.picture
    assert f"laochengxiang:{READINGS}" not in sections


def test_pictures_side_by_side_share_one_scale() -> None:
    rows = readings(packaged().features(["parcel"]))
    page = side_by_side(rows, None)
    assert len(page.axes) == len(rows) == 4
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in page.axes}) == 1
