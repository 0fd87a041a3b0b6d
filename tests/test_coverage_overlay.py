"""Coverage against geopandas.overlay, and what must not change it, on generated cities."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from random import Random

import geopandas as gpd
import make_city
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
import shapely.ops
from coverage_cases import GEOD, frame, metres
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from tanggu import PBF

from nankai_gis.measure import coverage

ROOT = Path(__file__).resolve().parent.parent
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
