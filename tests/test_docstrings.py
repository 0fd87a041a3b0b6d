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

# What a user of the library calls; a sentence is enough for all else.
PUBLIC = (
    "nankai_gis",
    "nankai_gis.errors",
    "nankai_gis.words",
    "nankai_gis.geometry.crs",
    "nankai_gis.geometry.cut",
    "nankai_gis.geometry.datum",
    "nankai_gis.geometry.ruler",
    "nankai_gis.files.vector",
    "nankai_gis.plan.definitions",
    "nankai_gis.plan.names",
    "nankai_gis.plan.packaged",
    "nankai_gis.network.roads",
    "nankai_gis.network.street",
    "nankai_gis.network.streets",
    "nankai_gis.compiler.compiled",
    "nankai_gis.compiler.derive",
    "nankai_gis.measure.features",
    "nankai_gis.measure.checks",
    "nankai_gis.measure.coverage",
    "nankai_gis.measure.coverage.overlay",
    "nankai_gis.measure.coverage.partitions",
    "nankai_gis.measure.coverage.result",
    "nankai_gis.measure.coverage.walk",
    "nankai_gis.studies.frames",
    "nankai_gis.studies.result",
    "nankai_gis.studies.store",
    "nankai_gis.studies.study",
    "nankai_gis.present.chart",
    "nankai_gis.present.figure",
    "nankai_gis.present.webmap",
    "nankai_gis.reports.pictures",
    "nankai_gis.reports.report",
    "nankai_gis.exports",
    "nankai_gis.exports.study",
)
MODULES = [importlib.import_module(name) for name in PUBLIC]
EVERY = [name for _, name, _ in pkgutil.walk_packages(nankai_gis.__path__, "nankai_gis.")]


@pytest.mark.parametrize("name", ["nankai_gis", *(n for n in EVERY if "__main__" not in n)])
def test_examples_hold(name: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
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
    offered = getattr(module, "__all__", None) or vars(module)
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if not inspect.isfunction(inspect.unwrap(thing)) or name not in offered:
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
