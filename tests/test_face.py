"""What a Python user meets: ``import nankai_gis as ng``."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import geopandas
import pytest
import shapely

import nankai_gis as ng
from nankai_gis.errors import CRSError, RoadNotFoundError
from nankai_gis.geometry import ruler

CLAUSE = "東至衛津路,南至復康路,西至紅旗路,北至鞍山西道"
FUNCTIONS = {
    *("read_plan", "read_roads", "streets", "compile", "study"),
    *("areas", "lengths", "coverage", "check"),
    *("plan_map", "plan_figure", "report", "export"),
}
MODULES = {
    *("errors", "words", "geometry", "files", "plan", "network", "compiler", "measure"),
    *("studies", "present", "reports", "exports"),
}


def test_dir_shows_the_public_names_and_nothing_else() -> None:
    assert set(dir(ng)) == FUNCTIONS | MODULES == set(ng.__all__)
    assert all(callable(getattr(ng, name)) for name in FUNCTIONS)
    for name in MODULES:
        assert getattr(ng, name) is import_module(f"nankai_gis.{name}")
    with pytest.raises(AttributeError, match="no attribute 'layer'"):
        ng.layer  # noqa: B018 - the access is what is tested


def test_public_names_have_no_module_of_the_same_name() -> None:
    # Importing such a module would put it in the place of the function.
    code = (
        "import pkgutil, nankai_gis as ng\n"
        "for m in pkgutil.walk_packages(ng.__path__, 'nankai_gis.'):\n"
        "    if not m.name.endswith('__main__'): __import__(m.name)\n"
        f"assert all(callable(getattr(ng, name)) for name in {sorted(FUNCTIONS)})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(ng.__path__[0]).parent)


def test_compile_gives_a_polygon_its_sides_and_a_plot() -> None:
    made = ng.compile(CLAUSE)
    assert made.polygon.is_valid
    assert made.polygon.exterior.is_ccw
    sides = made.sides
    assert sides.crs.to_epsg() == 4326
    assert list(sides.road) == ["鞍山西道", "紅旗路", "復康路", "衛津路"]
    assert list(sides.confidence) == ["high", "high", "high", "high"]
    # The sides are the boundary of the polygon.
    assert sides.length_m.sum() == pytest.approx(
        ruler.lengths([made.polygon.exterior])[0], rel=1e-6
    )
    axes = made.plot()
    assert len(axes.collections) == 2
    assert repr(made) == "<Compiled clause: 4 sides>"


def test_compile_takes_a_feature_and_an_axis() -> None:
    plan = ng.read_plan()
    zone = ng.compile(plan.index()["laochengxiang"])
    assert zone.polygon.equals(shapely.Polygon(ng.study().frame("zones").geometry[1].exterior))
    axis = ng.compile(plan.index()["smart-service"])
    assert axis.polygon.is_empty
    assert list(axis.sides.role) == ["named", "named"]


def test_compile_raises_unless_asked_not_to() -> None:
    wrong = CLAUSE.replace("紅旗路", "無名路")
    with pytest.raises(RoadNotFoundError):
        ng.compile(wrong)
    made = ng.compile(wrong, errors="return")
    assert isinstance(made.error, RoadNotFoundError)
    assert made.polygon.is_empty
    assert made.sides.empty
    assert ng.compile("沒有四至", errors="return").error is not None


def test_areas_and_lengths_are_in_step_with_their_input() -> None:
    square = shapely.box(117.0, 39.0, 117.01, 39.01)
    frame = geopandas.GeoDataFrame(
        geometry=[square, None, shapely.Polygon()], index=["a", "b", "c"], crs=4326
    )
    table = ng.areas(frame)
    assert list(table.index) == ["a", "b", "c"]
    assert table.area_m2["a"] == pytest.approx(961_600, rel=1e-4)
    assert list(table.area_m2)[1:] == [0.0, 0.0]
    assert ng.areas(frame.to_crs(4548)).area_m2["a"] == pytest.approx(table.area_m2["a"], rel=1e-8)
    line = geopandas.GeoSeries([shapely.LineString([(117, 39), (117, 39.001)])], crs=4326)
    assert ng.lengths(line).length_m[0] == pytest.approx(111.0, abs=0.05)
    with pytest.raises(CRSError, match="no CRS"):
        ng.areas(geopandas.GeoSeries([square]))


def test_a_plan_is_measured_and_checked_as_frames() -> None:
    areas = ng.areas()
    assert areas.area_m2["xiyingmen"] == ng.study().areas(names=["xiyingmen"])[0].area_m2
    assert set(ng.check().verdict) == {"ok", "differs", "cannot tell"}
    assert ng.lengths(names=["smart-service"]).length_m.notna().all()
    study = ng.study()
    assert ng.coverage(study) is study.coverage


def test_reports_and_exports_are_written_and_never_over_what_is_there(tmp_path: Path) -> None:
    assert ng.export(tmp_path / "a.geojson", layers=["parcel"]).rows == {"parcel": 1}
    with pytest.raises(ng.errors.OutputError, match="exists"):
        ng.export(tmp_path / "a.geojson")
    with pytest.raises(ng.errors.OutputError, match="exists"):
        (tmp_path / "a.docx").write_bytes(b"mine")
        ng.report(tmp_path / "a.docx")
    assert (tmp_path / "a.docx").read_bytes() == b"mine"


def test_streets_come_of_roads_and_of_frames_alike(tmp_path: Path) -> None:
    ways = geopandas.GeoDataFrame(
        {"name": ["甲路"], "highway": ["primary"]},
        geometry=[shapely.LineString([(117, 39), (117.01, 39)])],
        crs=4326,
    )
    ways.to_file(tmp_path / "roads.geojson")
    roads = ng.read_roads(tmp_path / "roads.geojson")
    assert list(ng.streets(roads.frame)) == list(ng.streets(roads)) == ["甲路"]


def test_a_study_is_short_to_look_at() -> None:
    assert len(repr(ng.study())) < 200
