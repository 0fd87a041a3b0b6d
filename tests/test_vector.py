"""Vector files are read whole or refused."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import box

from nankai_gis.errors import DataError
from nankai_gis.files import vector

ROWS = 20


def frame(count: int = ROWS) -> gpd.GeoDataFrame:
    shapes = [box(117 + k / 100, 39, 117.005 + k / 100, 39.005) for k in range(count)]
    return gpd.GeoDataFrame({"name": [f"甲{k}" for k in range(count)]}, geometry=shapes, crs=4326)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_shapes(folder: Path) -> Path:
    half(folder / "a.shp")
    return folder / "a.shp"


def cut_table(folder: Path) -> Path:
    half(folder / "a.dbf")
    return folder / "a.shp"


def no_table(folder: Path) -> Path:
    os.truncate(folder / "a.dbf", 0)
    return folder / "a.shp"


def other_table(folder: Path) -> Path:
    (folder / "other").mkdir()
    frame(ROWS // 2).to_file(folder / "other" / "a.shp")
    (folder / "other" / "a.dbf").replace(folder / "a.dbf")
    return folder / "a.shp"


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as pack:
        for file in sorted(folder.glob("a.*")):
            if file.suffix != ".zip":
                pack.write(file, file.name)
    return folder / "a.zip"


def cut_and_zipped(folder: Path) -> Path:
    half(folder / "a.shp")
    return zipped(folder)


def cut_lines(folder: Path) -> Path:
    frame().to_file(folder / "a.geojsonl", driver="GeoJSONSeq")
    half(folder / "a.geojsonl")
    return folder / "a.geojsonl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame().to_file(tmp_path / "a.shp", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("make", [zipped, lambda folder: folder / "a.shp"], ids=["zip", "shp"])
def test_what_is_whole_is_read(folder: Path, make: Callable[[Path], Path]) -> None:
    layer = vector.read(make(folder))
    assert layer.name == "a"
    assert layer.frame["name"].tolist() == frame()["name"].tolist()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (cut_shapes, "a.shp: cut off"),
        (cut_table, "a.dbf: cut off"),
        (no_table, "a.dbf: cut off: 0 of 32"),
        (other_table, "20 shapes, but 10 rows"),
        (cut_and_zipped, "a.shp: cut off"),
        (cut_lines, "a.geojsonl: damaged or cut off: line"),
    ],
)
def test_what_is_cut_off_is_refused(folder: Path, make: Callable[[Path], Path], why: str) -> None:
    with pytest.raises(DataError, match=why):
        vector.read(make(folder))
