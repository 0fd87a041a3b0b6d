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

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the program as a user does: in a process of its own, from another folder."""

    def call(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "nankai_gis", *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NANKAI_GIS_LANG": "en", **environment},
            capture_output=True,
            timeout=120,
        )

    return call


@pytest.fixture
def block() -> dict[str, Any]:
    """Two zones side by side over three subdistricts; every figure can be seen."""
    from coverage_cases import two_zones

    return two_zones()
