"""The data folder is described file by file, and found from everywhere."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from nankai_gis.errors import DataError
from nankai_gis.plan import packaged

ROOT = Path(__file__).resolve().parent.parent
RECORDS = packaged.records()


def test_files_and_records_agree() -> None:
    assert packaged.verify() == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.file)
def test_a_record_holds_for_its_file(record: packaged.Record) -> None:
    path = packaged.path(record.file)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".geojson":
        document = json.loads(text)
        rows, crs = len(document["features"]), "EPSG:4326"
        assert "crs" not in document
        assert all("status" in f["properties"] for f in document["features"])
    elif path.suffix == ".toml":
        rows, crs = len(tomllib.loads(text)), ""
    else:
        table = list(csv.DictReader(text.splitlines()))
        rows, crs = len(table), "EPSG:4326" if "lon" in table[0] else ""
    assert (record.rows, record.crs) == (rows, crs)
    assert all((record.what, record.source, record.licence, record.date, record.accuracy))


def test_a_changed_a_missing_and_an_unknown_file_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "geodata"
    shutil.copytree(packaged.data_folder(), folder)
    (folder / "plan" / "zones.toml").write_text("# changed", encoding="utf-8")
    (folder / "plan" / "sites.toml").unlink()
    (folder / "plan" / "new.toml").write_text("", encoding="utf-8")
    assert packaged.verify(folder) == [
        "plan/sites.toml: in the catalogue, not in the folder",
        "plan/new.toml: in the folder, not in the catalogue",
        "plan/zones.toml: differs from its recorded SHA-256",
    ]


def test_a_missing_file_says_what_to_do() -> None:
    with pytest.raises(DataError, match="install nankai-gis again"):
        packaged.path("layers/nowhere.geojson")


def test_a_broken_catalogue_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text("[file.", encoding="utf-8")
    with pytest.raises(DataError, match=r"catalog\.toml is not a readable catalogue"):
        packaged.records(tmp_path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tracked files."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_wheel_holds_every_tracked_file_of_package_and_data(wheel: Path) -> None:
    expected = set()
    for name in tracked():
        if name.startswith("nankai_gis/"):
            expected.add(name)
        elif name.startswith("geodata/"):
            expected.add(f"nankai_gis/{name}")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == expected


ASK = (
    "from nankai_gis.plan import packaged; "
    "print(packaged.data_folder()); assert not packaged.verify()"
)


def _found(package: Path, folder: Path) -> Path:
    """Where the package in one folder finds its data, asked from another."""
    code = f"import sys; sys.path.insert(0, {str(package)!r}); {ASK}"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    return Path(done.stdout.decode().strip())


def test_the_data_is_found_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert _found(site, tmp_path) == site / "nankai_gis" / "geodata"


def test_the_data_is_found_from_a_bare_checkout_and_another_folder(tmp_path: Path) -> None:
    assert _found(ROOT, tmp_path) == ROOT / "geodata"
