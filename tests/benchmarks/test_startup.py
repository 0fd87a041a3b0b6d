"""How long the program takes to start, beside a bare interpreter and beside geopandas.

    pytest tests/benchmarks/test_startup.py --benchmark-only

Aims: ``--help`` within 6 times a bare interpreter, ``area`` within 15 times. The commands run in
turns, so that a busy moment falls on all of them; ``ratio`` in the extra information is the
ratio of the medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

COMMANDS = {
    "bare": ["-c", "pass"],
    "help": ["-m", "nankai_gis", "--help"],
    "area": ["-m", "nankai_gis", "area"],
    "geopandas": ["-c", "import geopandas"],
}
ROUNDS = 15


@pytest.fixture(scope="module")
def medians() -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_start_up(name: str, medians: dict[str, float], benchmark: BenchmarkFixture) -> None:
    benchmark.extra_info["ratio"] = round(medians[name] / medians["bare"], 1)
    benchmark.pedantic(
        subprocess.run,
        args=([sys.executable, *COMMANDS[name]],),
        kwargs={"check": True, "capture_output": True},
        rounds=5,
    )
