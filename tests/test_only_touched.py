"""Only what lies about the areas is read and drawn, and the figures stay the same."""

from __future__ import annotations

import make_city
import numpy as np
import pytest
from click.testing import CliRunner
from shapely import LineString

from nankai_gis.cli import coverage_network, main
from nankai_gis.geometry.ruler import lengths
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import read
from nankai_gis.network.streets import build
from nankai_gis.network.ways import OUTSIDE, NothingWithinError

BOX = (117.165, 39.118, 117.172, 39.123)


@pytest.fixture(scope="module")
def city():
    return make_city.make(900)


@pytest.mark.parametrize("crs", [4326, 4548, 3857])
def test_a_box_reads_the_ways_that_touch_it_and_counts_the_others(tmp_path, city, crs):
    file = tmp_path / "roads.gpkg"
    city.streets.to_crs(crs).to_file(file)
    whole, part = read(file), read(file, bbox=BOX)
    touching = whole.frame.cx[BOX[0] : BOX[2], BOX[1] : BOX[3]]
    assert 0 < len(part.frame) < len(whole.frame)
    assert part.frame["way"].tolist() == touching["way"].tolist()
    assert len(part.frame) + sum(part.origin.dropped.values()) == len(city.streets)
    assert part.origin.dropped[OUTSIDE] > 0


def test_a_box_beside_everything_says_what_the_file_covers(tmp_path, city):
    file = tmp_path / "roads.gpkg"
    city.streets.to_file(file)
    with pytest.raises(NothingWithinError) as refused:
        read(file, bbox=(100, 30, 100.1, 30.1))
    assert np.allclose(refused.value.extent, city.streets.total_bounds, atol=0.01)


def test_centrelines_of_streets_that_reach_a_box_are_those_of_all(city):
    frame = city.streets.assign(aliases="", railway=None, waterway=None, oneway=0)
    every = build(frame).frame()
    some = build(frame).frame([BOX])
    names = set(frame.cx[BOX[0] : BOX[2], BOX[1] : BOX[3]]["name"].dropna())
    assert set(some["name"]) == names != set(every["name"])
    expected = every[every["name"].isin(names)].reset_index(drop=True)
    assert some["centreline_length_m"].tolist() == expected["centreline_length_m"].tolist()
    assert build(frame).frame([]).empty


def test_the_margin_is_metres_on_each_side(city):
    (west, south, east, north), *_ = coverage_network._boxes(city.zones, 100.0)
    low_x, low_y, high_x, high_y = city.zones.bounds.iloc[0]
    margins = [
        LineString([(west, low_y), (low_x, low_y)]),
        LineString([(low_x, south), (low_x, low_y)]),
        LineString([(east, low_y), (high_x, low_y)]),
        LineString([(low_x, north), (low_x, high_y)]),
    ]
    metres = lengths(np.array(margins, dtype=object))
    assert metres == pytest.approx(coverage_network.MARGIN_M + 100.0, rel=1e-3)


def test_coverage_draws_no_centreline_beyond_the_zones(tmp_path, city, monkeypatch):
    for name, layer in (("roads", city.streets), ("zones", city.zones.iloc[1:2])):
        layer.to_file(tmp_path / f"{name}.gpkg")
    drawn, real = [], OsmNetwork.centrelines

    def noted(network, boxes):
        drawn.extend(boxes)
        return real(network, boxes)

    monkeypatch.setattr(OsmNetwork, "centrelines", noted)
    given = ["--roads", tmp_path / "roads.gpkg", "--zones", tmp_path / "zones.gpkg"]
    done = CliRunner().invoke(main, ["coverage", *map(str, given), "--by", "zone,street"])
    assert done.exit_code == 0, done.output
    assert len(drawn) == 1
