"""Vector files that a user brings: one layer, whole, with its CRS."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from nankai_gis import vector
from nankai_gis.cli.options import read_layer
from nankai_gis.errors import DataError


def polygons() -> gpd.GeoDataFrame:
    boxes = [box(117 + n / 100, 39, 117.01 + n / 100, 39.01) for n in range(20)]
    return gpd.GeoDataFrame({"name": [f"片區{n}" for n in range(20)]}, geometry=boxes, crs=4326)


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.dbf", "a.fgb", "a.geojson"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_layer_that_is_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name.replace("dbf", "shp")
    polygons().to_file(path)
    assert len(read_layer(path)) == 20
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError):
        read_layer(path)


def test_a_layer_comes_in_longitude_and_latitude(tmp_path: Path) -> None:
    polygons().to_crs(4548).to_file(tmp_path / "a.gpkg")
    west, south, _, _ = read_layer(tmp_path / "a.gpkg").total_bounds
    assert (west, south) == pytest.approx((117.0, 39.0), abs=1e-7)


def test_of_several_layers_the_lines_are_told_by_kind_and_name(tmp_path: Path) -> None:
    path = tmp_path / "osm.gpkg"
    spots = gpd.GeoDataFrame(geometry=[Point(117, 39)], crs=4326)
    lines = gpd.GeoDataFrame(geometry=[LineString([(117, 39), (117.1, 39)])], crs=4326)
    spots.to_file(path, layer="points")
    with pytest.raises(DataError, match="no layer of lines"):
        vector.read(path, lines=True)
    lines.to_file(path, layer="roads")
    assert vector.read(path, lines=True)[1] == "roads"
    lines.to_file(path, layer="other")
    assert vector.read(path, lines=True)[1] == "roads"
    with pytest.raises(DataError, match=r"osm\.gpkg has 3 layers \(points, roads, other\)"):
        vector.read(path)


def test_a_table_is_no_layer(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name\n片區\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv: a table without geometry"):
        vector.read(tmp_path / "a.csv")
