"""Data flows one way: a module imports only what stands before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "nankai_gis"

# Each stage may import the stages before it; modules of one stage may import those to their left.
FLOW = """
errors _arrays crs model outfile record spreadsheet datum fonts style sheet
| catalog names layers plan reference
| vector _pbf _graph _osm _overpass roads _centreline streets course mapped
| measure | clause boundary corridor overlay | derive
| coverage check | study
| tables brief webmap figure chart export report | cli
"""
# Within packages data flows one way, too.
PACKAGES = {
    "overlay": "_parts _ruler ellipsoid polygons points _boundaries cut lines __init__",
    "coverage": "roadclass _ledger _intake _areas _states _tally _crossings _crosstab _counted "
    "walk __init__ partitions",
}
STAGES = [stage.split() for stage in FLOW.split("|")]
BASE = set(STAGES[0])
PRESENTATION = {"tables", "webmap", "figure", "chart", "export", "report"}
ORDER = [name for stage in STAGES for name in stage]
# The package's own face and its entry point stand outside the flow.
OUTSIDE = {"__init__", "__main__"}
SOCKETS = {"socket", "requests", "urllib.request", "http.client", "httpx", "aiohttp"}


def concept(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[tuple[str, str]]:
    """Every (level-resolved module, name) that a file imports, wherever in it."""
    found = set()
    here = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = here[: len(here) - node.level + 1]
                base = ".".join(["nankai_gis", *parents, *([node.module] if node.module else [])])
            found |= {(base, alias.name) for alias in node.names}
    return found


def own(path: Path) -> set[str]:
    """The concepts of this package that a file imports."""
    found = set()
    for module, name in imports(path):
        steps = [*module.split("."), name]
        if steps[0] == "nankai_gis" and len(steps) > 1:
            found.add(steps[1])
    return (found & set(ORDER)) - {concept(path)}


FILES = sorted(p for p in PACKAGE.rglob("*.py") if concept(p) not in OUTSIDE)


@pytest.mark.parametrize(
    ("package", "name"),
    [(package, name) for package, each in PACKAGES.items() for name in each.split()],
)
def test_within_a_package_a_module_imports_only_what_stands_before_it(
    package: str, name: str
) -> None:
    order = PACKAGES[package].split()
    found = set()
    for module, imported in imports(PACKAGE / package / f"{name}.py"):
        steps = [*module.split("."), imported]
        if steps[:2] == ["nankai_gis", package]:
            found.add(steps[2] if steps[2] in order else "__init__")
    assert found <= set(order[: order.index(name)])


def test_the_guide_shows_the_same_flow() -> None:
    guide = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert FLOW in guide.replace("/ ", " ").replace("/\n", "\n")


def test_every_module_has_its_place() -> None:
    for package, order in PACKAGES.items():
        assert {p.stem for p in (PACKAGE / package).glob("*.py")} == set(order.split())
    assert {concept(p) for p in FILES} <= set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    me = concept(path)
    allowed = set(ORDER[: ORDER.index(me)])
    if me in PRESENTATION:
        # They draw what they are given and never recompute.
        allowed = BASE
    assert own(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_knows_click(path: Path) -> None:
    modules = {module.split(".")[0] for module, _ in imports(path)}
    assert "click" not in modules or concept(path) == "cli"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_one_private_module_may_open_a_socket(path: Path) -> None:
    modules = {module for module, _ in imports(path)}
    assert not modules & SOCKETS or concept(path) == "_overpass"


def test_there_is_no_utils() -> None:
    assert not {"utils", "helpers", "common", "misc"} & {p.stem for p in PACKAGE.rglob("*.py")}
