"""A small slice of `scripts/fuzz.py`, and the definitions and tables that it found."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nankai_gis.errors import DataError, PlanError
from nankai_gis.measure import checks
from nankai_gis.network import digitised
from nankai_gis.plan import definitions
from nankai_gis.plan.packaged import data_folder
from nankai_gis.words import speaking

SCRIPT = Path(__file__).parent.parent / "scripts" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited")
@pytest.mark.parametrize("part", ["vectors", "tables"])
def test_a_slice_of_the_fuzz_program_finds_nothing(fuzz: ModuleType, part: str) -> None:
    counts, wrong = fuzz.try_part(part, 5, 6, 60)
    assert wrong == []
    assert sum(counts.values()) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited")
def test_the_fuzz_program_tells_a_traceback_from_a_message(fuzz: ModuleType) -> None:
    def refuse() -> str:
        raise DataError("no")

    assert fuzz.outcome(fuzz.Case("told", refuse)) == "told"
    assert "ZeroDivisionError" in fuzz.outcome(fuzz.Case("wrong", lambda: str(1 / 0)))
    assert fuzz.outcome(fuzz.Case("done", lambda: "")) == "done"


@pytest.mark.parametrize(
    "text", ["a = " + "9" * 5000, "a = " + "[" * 3000, "a = " + "{b = " * 2000]
)
def test_toml_that_tomllib_has_no_error_for(text: str) -> None:
    with pytest.raises(PlanError, match="not valid TOML"):
        definitions.parse({"plan.toml": text})


def test_the_place_of_a_fault_in_toml_is_told_in_chinese() -> None:
    with speaking("zh-Hant"), pytest.raises(PlanError, match="第 2 行第 5 列"):
        definitions.parse({"plan.toml": "a = 1\nb = ="})


@pytest.mark.parametrize(
    ("area", "right"), [(1e-6, True), (9e-7, False), (1e7, True), (2e7, False)]
)
def test_stated_areas_have_limits(area: float, right: bool) -> None:
    text = definitions.example()
    assert "stated_area_km2 = " in text
    line = next(line for line in text.splitlines() if line.startswith("stated_area_km2 = "))
    changed = text.replace(line, f"stated_area_km2 = {area!r}")
    if right:
        definitions.parse({"plan.toml": changed})
    else:
        with pytest.raises(PlanError, match="stated_area_km2: give"):
            definitions.parse({"plan.toml": changed})


def test_a_corridor_may_join_a_corridor(tmp_path: Path) -> None:
    from nankai_gis.studies import study

    text = definitions.example().replace(
        'features = ["example-zone", ', 'features = ["example-corridor", '
    )
    assert 'features = ["example-corridor", ' in text
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    own = study.read(tmp_path)
    found = checks.check(own.plan, own.layers)
    assert any(finding.rule == "R12" for finding in found)


def test_a_table_with_a_cell_beyond_any_size(tmp_path: Path) -> None:
    for file in (data_folder() / "digitised").glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "sources.csv").open("a", encoding="utf-8") as stream:
        stream.write('x,"' + "y" * 200_000 + '",2020,z\n')
    with pytest.raises(DataError, match="not a table in CSV"):
        digitised.read(tmp_path)
