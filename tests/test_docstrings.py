"""Every public name is documented, and its example holds."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType

import pytest

import nankai_gis
from nankai_gis.geometry.cut import Cut
from nankai_gis.measure.coverage import Coverage
from nankai_gis.network.origin import Roads
from nankai_gis.network.streets import Street, Streets
from nankai_gis.studies.study import Study

# What only the toolkit itself calls: one sentence each is enough.
INTERNAL = (
    "nankai_gis.__main__",
    "nankai_gis.cli",
    "nankai_gis.exports.",
    "nankai_gis.geometry.arrays",
    "nankai_gis.geometry.boundaries",
    "nankai_gis.geometry.plane",
    "nankai_gis.measure.checks.cases",
    "nankai_gis.measure.checks.context",
    "nankai_gis.measure.checks.r",
    "nankai_gis.measure.coverage.areas",
    "nankai_gis.measure.coverage.corridors",
    "nankai_gis.measure.coverage.crossings",
    "nankai_gis.measure.coverage.other_layers",
    "nankai_gis.measure.coverage.reconciliation",
    "nankai_gis.measure.coverage.sums",
    "nankai_gis.measure.coverage.tables",
    "nankai_gis.measure.coverage.validation",
    "nankai_gis.network.centreline",
    "nankai_gis.network.centreline.gaps",
    "nankai_gis.network.centreline.sections",
    "nankai_gis.network.centreline.shift",
    "nankai_gis.network.centreline.strokes",
    "nankai_gis.network.centreline.weave",
    "nankai_gis.network.frame",
    "nankai_gis.network.graph",
    "nankai_gis.network.street_lines",
    "nankai_gis.network.street_names",
    "nankai_gis.network.street_places",
    "nankai_gis.network.osm",
    "nankai_gis.network.overpass",
    "nankai_gis.network.pbf_texts",
    "nankai_gis.network.overpass_json",
    "nankai_gis.network.tags",
    "nankai_gis.network.vector_ways",
    "nankai_gis.network.ways",
    "nankai_gis.present.facts",
    "nankai_gis.present.figure.",
    "nankai_gis.present.languages",
    "nankai_gis.present.webmap.",
)
PUBLIC = [
    name
    for _, name, _ in pkgutil.walk_packages(nankai_gis.__path__, "nankai_gis.")
    if not name.startswith(INTERNAL)
]
MODULES = [importlib.import_module(name) for name in ("nankai_gis", *PUBLIC)]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_examples_hold(module: ModuleType) -> None:
    failures, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failures == 0


def lacking(function: Callable[..., object], kind: type | None = None) -> list[str]:
    """Sections that a docstring wants and lacks; an example may stand with the class."""
    text = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    wanted = ["Parameters"] * bool(signature.parameters.keys() - {"self"})
    if signature.return_annotation not in ("None", "Iterator[None]", None) and "Yields" not in text:
        wanted.append("Returns")
    if "Examples\n---" not in (inspect.getdoc(kind) or ""):
        wanted.append("Examples")
    return [section for section in wanted if f"{section}\n---" not in text]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_public_functions_say_what_they_take_give_and_show(module: ModuleType) -> None:
    missing = []
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if not inspect.isfunction(inspect.unwrap(thing)):
            continue
        missing += [f"{name}: {section}" for section in lacking(thing)]
    assert missing == []


@pytest.mark.parametrize(
    "kind", [Roads, Street, Streets, Study, Coverage, Cut], ids=lambda kind: kind.__name__
)
def test_public_methods_say_what_they_take_and_give(kind: type) -> None:
    missing = []
    for name, thing in vars(kind).items():
        made = thing.fget if isinstance(thing, property) else getattr(thing, "func", thing)
        if inspect.isfunction(made) and not name.startswith("_"):
            missing += [f"{name}: {section}" for section in lacking(made, kind)]
    assert missing == []
