"""Folders are the data flow: each imports only what stands before it, and nothing in a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nankai_gis"

FLOW = """
words      the one catalogue of words: English, simplified and traditional Chinese
geometry   CRS, datum, ruler, planes; lines and polygons cut so that the parts add up
files      files written whole or not at all, vector files, workbooks
plan       features, names, the clause reader, definitions, packaged data
network    OSM files, Overpass, snapshots, named streets, centrelines, digitised lines
compiler   measured courses, the ring of a clause, the axis of a corridor
measure    areas and lengths of features, coverage, checks
studies    the frozen result that every output reads; kept and verified
present    legend, labels, fonts, tables, the chart, the figure and the web map
reports    the report as a document or a page
exports    the layers for other programs
cli        the commands
"""
FOLDERS = [line.split()[0] for line in FLOW.strip().splitlines()]
# What may stand straight in the package; the face reads every folder, errors none.
STRAIGHT = {"__init__", "__main__", "errors"}
SOCKETS = {"socket", "requests", "urllib.request", "http.client", "httpx", "aiohttp"}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    steps = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(steps[:-1] if steps[-1] == "__init__" else steps)


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path, *, eager: bool = False) -> set[str]:
    """Every module that a file imports, wherever in it; eager: when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(tree.body) if eager else list(ast.walk(tree))
    imported: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= {name if name in MODULES else str(node.module) for name in names}
    return imported


def folder_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_folder_imports_only_what_stands_before_it(path: Path) -> None:
    folder = folder_of(module_of(path))
    own = {folder_of(name) for name in imports(path) if name.split(".")[0] == "nankai_gis"}
    if folder in FOLDERS:
        allowed = set(FOLDERS[: FOLDERS.index(folder) + 1])
        if folder != "words":
            allowed.add("errors")
        if folder == "cli":
            # The commands call the public face.
            allowed.add("")
        assert own <= allowed
    elif folder == "errors":
        assert own <= {"words"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = TopologicalSorter(
        {name: imports(path, eager=True) & MODULES.keys() for name, path in MODULES.items()}
    )
    order.prepare()  # A CycleError names the circle.


def test_every_file_has_its_folder() -> None:
    assert {p.stem for p in PACKAGE.glob("*.py")} <= STRAIGHT
    assert {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(
        FOLDERS
    )
    assert not {"utils", "helpers", "common", "misc"} & {p.stem for p in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            # The docstring doesn't count.
            documented = ast.get_docstring(node) is not None
            first = node.body[0].end_lineno if documented else node.body[0].lineno - 1
            assert first is not None
            assert node.end_lineno is not None
            assert node.end_lineno - first <= 60, node.name


def test_no_class_name_stands_for_two_things() -> None:
    names = [
        node.name
        for path in FILES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    assert sorted(set(names)) == sorted(names)


def test_the_guide_draws_the_same_flow() -> None:
    assert FLOW in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_knows_click(path: Path) -> None:
    modules = {name.split(".")[0] for name in imports(path)}
    assert "click" not in modules or folder_of(module_of(path)) == "cli"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_there_is_one_door_to_the_network(path: Path) -> None:
    assert not imports(path) & SOCKETS or module_of(path) == "nankai_gis.network.overpass"
