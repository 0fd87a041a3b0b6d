"""The published maps: recipes that hold, previews that are there, and a check that can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / "scripts/render_maps.py"),
        "--check",
        "--maps",
        str(folder),
    ]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "maps", tmp_path / "maps"))


def test_published_maps_are_up_to_date() -> None:
    done = _check(ROOT / "maps")
    assert (done.returncode, done.stdout) == (0, "maps are up to date\n")


def test_a_changed_map_is_found(copy: Path) -> None:
    recipe = copy / "nankai-plan.toml"
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace('"zh-Hant"', '"en"'), encoding="utf-8")
    done = _check(copy)
    assert done.returncode == 3
    assert "nankai-plan.toml: the map has changed; run scripts/render_maps.py" in done.stdout


def test_a_missing_or_wrong_preview_is_found(copy: Path) -> None:
    (copy / "nankai-plan.png").unlink()
    (copy / "nankai-figure.png").write_bytes(b"GIF89a")
    done = _check(copy)
    assert done.returncode == 3
    assert "nankai-plan.png is missing" in done.stdout
    assert "nankai-figure.png is None, not [1240, 1753]" in done.stdout


def test_the_readme_shows_what_is_there() -> None:
    assert "](maps/nankai-plan.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "maps/nankai-plan.png").stat().st_size < 300_000
