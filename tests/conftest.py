"""What the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Files that take longest, the longest first: begun last, one of them would run alone at the end.
LONGEST = (
    "test_nothing_lost",
    "test_hostile",
    "test_cli_coverage",
    "test_partitions",
    "test_figure",
    "test_map",
    "test_spatial_database",
    "test_compiler",
    "test_study",
    "test_report",
    "test_windows",
    "test_export",
    "test_basemap",
    "test_cli",
    "test_roads",
    "test_streets",
)

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: processes take them in this order."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program from another folder, in this process: what it imports is there already.

    An exception that isn't the program's own end is raised, as is every warning.
    """
    from click.testing import CliRunner

    from nankai_gis.cli import main

    def call(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        with monkeypatch.context() as here:
            here.chdir(tmp_path)
            charset = environment.get("PYTHONIOENCODING", "utf-8")
            done = CliRunner(charset=charset).invoke(
                main,
                args,
                env={"NANKAI_GIS_LANG": "en", **environment},
                prog_name="nankai-gis",
                catch_exceptions=False,
            )
        return subprocess.CompletedProcess(
            args, done.exit_code, done.stdout_bytes, done.stderr_bytes
        )

    return call


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Run the program as a user does, in a process of its own: for streams, locale and start."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NANKAI_GIS_LANG": "en"}
    # Compiled once, as on a user's machine.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def call(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "nankai_gis", *args],
            cwd=tmp_path,
            env=environ | environment,
            capture_output=True,
            timeout=120,
        )

    return call


@pytest.fixture
def block() -> dict[str, Any]:
    """Two zones side by side over three subdistricts; every figure can be seen."""
    from coverage_cases import two_zones

    return two_zones()
