"""What can be reached on foot, by hand and by brute force."""

from __future__ import annotations

import math

import geopandas as gpd
import networkx
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
import shapely.ops
from coverage_cases import GEOD, frame, line, place, row, square
from shapely import LineString, Point

from nankai_gis.errors import DataError
from nankai_gis.measure import coverage

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
