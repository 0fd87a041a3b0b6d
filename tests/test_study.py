"""A study is kept whole, read back the same, and made again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import geopandas as gpd
import pytest

from nankai_gis import words
from nankai_gis.errors import DataError, OutputError
from nankai_gis.geometry import ruler
from nankai_gis.studies import store, study


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "plan.gpkg"
    store.save(study.packaged(), path)
    return path


def test_every_figure_reads_back_the_same(kept: Path) -> None:
    again, packaged = store.load(kept), study.packaged()
    assert again.results() == packaged.results()
    assert again.plan == packaged.plan
    assert again.coverage.areas.equals(packaged.coverage.areas)
    assert store.differences(kept) == []


def test_a_gis_opens_its_layers(kept: Path) -> None:
    zones = gpd.read_file(kept, layer="zones")
    assert list(zones.id) == ["qihang-bay", "laochengxiang", "shuishang-aoti"]
    assert zones.crs.to_epsg() == 4326
    assert ruler.area(zones.geometry[0]) == study.packaged().areas(["zone"])[0].area_m2
    assert {n for n, _ in gpd.list_layers(kept).to_numpy()} >= {"sites_point", "sites_linestring"}


def test_it_says_what_it_was_made_with(kept: Path) -> None:
    record = store._recorded(kept)
    assert set(record["made_with"]) == {"nankai-gis", "shapely", "pyproj", "geopandas", "numpy"}
    assert record["data"]["layers/zones.geojson"]
    assert "qihang-bay" in record["definitions"]["zones.toml"]


def tamper(path: Path, change: tuple[str, str], checksum: bool) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        (text,) = base.execute("SELECT record FROM nankai_gis_study").fetchone()
        assert change[0] in text
        content = json.loads(text.replace(*change, 1))
        if checksum:
            content["sha256"] = store._sha256(content["study"])
        base.execute("UPDATE nankai_gis_study SET record = ?", (json.dumps(content),))
    return path


def test_any_name_that_a_folder_takes(tmp_path: Path) -> None:
    name = "a#b%20c?d=e 南開.gpkg"
    store.save(study.packaged(), tmp_path / name)
    assert store.differences(tmp_path / name) == []
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy.gpkg"
    path.write_bytes(kept.read_bytes())
    return path


def test_a_changed_study_is_refused(copy: Path) -> None:
    with pytest.raises(DataError, match="changed after it was written"):
        store.load(tamper(copy, ("啟航灣", "起航灣"), checksum=False))


def test_figures_and_versions_that_no_longer_hold_are_named(copy: Path) -> None:
    area = json.dumps(study.packaged().areas(["parcel"])[0].area_m2)
    tamper(copy, (f'"area_m2": {area}', '"area_m2": 2200000.0'), checksum=True)
    tamper(copy, ('"shapely": "', '"shapely": "0.'), checksum=True)
    told = store.differences(copy)
    assert len(told) == 2
    assert told[0].startswith("shapely: made with 0.")
    assert told[1].startswith("areas xiyingmen area_m2: 2200000.0 then")


def test_coverage_is_kept_and_made_again(copy: Path) -> None:
    kept = study.packaged().results()
    (row,) = [r for r in kept["coverage.areas"] if (r["zone"], r["subdistrict"]) == (
        "laochengxiang", "gulou")]  # fmt: skip
    assert row["area_km2"] == pytest.approx(1.904, abs=0.001)
    tamper(copy, (f'"area_km2": {json.dumps(row["area_km2"])}', '"area_km2": 9.5'), checksum=True)
    (told,) = store.differences(copy)
    assert told.startswith("coverage.areas laochengxiang gulou area_km2: 9.5 then")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE zones SET name = 'x' WHERE id = 'qihang-bay'",
            "zones was changed in name",
        ),
        (
            "UPDATE zones SET geom = (SELECT geom FROM parcel)",
            "zones was changed in geometry",
        ),
        ("DELETE FROM sites_point", "sites_point has other rows"),
        (
            "UPDATE gpkg_geometry_columns SET srs_id = -1 WHERE table_name = 'zones'",
            "zones has another CRS",
        ),
        ("DELETE FROM gpkg_contents WHERE table_name = 'parcel'", "parcel is not in"),
    ],
)
def test_a_layer_that_was_edited_is_told(copy: Path, statement: str, told: str) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as base, base:
        for (trigger,) in base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            base.execute(f'DROP TRIGGER "{trigger}"')  # they call functions that only GDAL has
        base.execute(statement)
    (line,) = store.differences(copy)
    assert line.startswith(f"the table {told}")


def test_results_that_are_missing_are_told(copy: Path) -> None:
    tamper(copy, ('"lengths": ', '"long": '), checksum=True)
    tamper(copy, ('"area_sd_m2": ', '"sd": '), checksum=True)
    told = "\n".join(store.differences(copy))
    assert "lengths: not among the results kept" in told
    assert "long: not made any more" in told
    assert "area_sd_m2: None then" in told


def test_a_study_without_a_layer_is_refused(copy: Path) -> None:
    tamper(copy, ('"parcel": [', '"plot": ['), checksum=True)
    with pytest.raises(DataError, match="lacks parcel"):
        store.load(copy)


@pytest.mark.parametrize("part", ["results", "made_with", "ways"])
def test_a_record_without_a_part_is_refused(copy: Path, part: str) -> None:
    tamper(copy, (f'"{part}": ', '"other": '), checksum=True)
    with pytest.raises(DataError, match=f"lacks {part}"):
        store.differences(copy)


def test_another_geopackage_is_no_study(tmp_path: Path) -> None:
    path = tmp_path / "other.gpkg"
    study.packaged().frame("parcel")[["id", "geometry"]].to_file(path, driver="GPKG")
    with pytest.raises(DataError, match="is not a study"):
        store.load(path)


def test_an_existing_study_is_kept(copy: Path) -> None:
    before = copy.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        store.save(study.packaged(), copy)
    assert copy.read_bytes() == before
    with pytest.raises(OutputError, match="let its name end"):
        store.save(study.packaged(), copy.with_suffix(".geojson"))


def test_a_covered_layer_says_the_share_and_the_zone() -> None:
    shares = study.packaged().covered("subdistricts").set_index("id").coverage_share
    assert shares.between(0, 1).all()
    assert shares["xuefu"] == pytest.approx(1, abs=1e-6)
    assert shares["huayuan"] == 0
    # What the shares come to is what the zones measure, but for their parts outside.
    rows = {row.id: row.area_m2 for row in study.packaged().areas(["subdistrict"])}
    covered = sum(shares[key] * size for key, size in rows.items())
    zones = sum(row.area_m2 for row in study.packaged().areas(["zone"]))
    assert covered == pytest.approx(zones, rel=0.01)
    streets = study.packaged().covered("streets").set_index("name").zone
    assert "laochengxiang" in set(streets["南開三馬路"]) | {streets["南開三馬路"]}


def test_a_name_alone_is_one_name(kept: Path) -> None:
    held = store.load(str(kept))
    assert [row.id for row in held.areas(names="啟航灣")] == ["qihang-bay"]
    assert [row.id for row in held.areas("parcel")] == ["xiyingmen"]
    assert {row.corridor for row in held.lengths("智慧服務共享帶")} == {"smart-service"}


@pytest.mark.parametrize(("off", "same"), [(0.9e-9, True), (1.1e-9, False)])
def test_figures_agree_to_a_part_in_a_thousand_million(off: float, same: bool) -> None:
    assert store._same(2.0, 2.0 * (1 + off)) is same


def test_a_study_is_verified_in_any_language(copy: Path) -> None:
    with words.speaking("zh-Hans"):
        assert store.differences(copy) == []
        tamper(copy, ('"shapely": "', '"shapely": "0.'), checksum=True)
        (line,) = store.differences(copy)
    assert line.startswith("shapely：当时版本 0.")
