"""Every public name is documented, and its example holds."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import nankai_gis

PUBLIC = [
    name
    for _, name, _ in pkgutil.walk_packages(nankai_gis.__path__, "nankai_gis.")
    if not any(step.startswith("_") for step in name.split(".")[1:])
    and not name.startswith(("nankai_gis.cli", "nankai_gis.webmap."))
]
MODULES = [importlib.import_module(name) for name in ("nankai_gis", *PUBLIC)]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_examples_hold(module: ModuleType) -> None:
    failures, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failures == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_public_functions_say_what_they_take_give_and_show(module: ModuleType) -> None:
    missing = []
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if not inspect.isfunction(inspect.unwrap(thing)):
            continue
        text = inspect.getdoc(thing) or ""
        takes = bool(inspect.signature(thing).parameters)
        gives = inspect.signature(thing).return_annotation not in ("None", None)
        wanted = ["Examples"] + ["Parameters"] * takes
        wanted += [] if "Yields" in text else ["Returns"] * gives
        missing += [f"{name}: {section}" for section in wanted if f"{section}\n---" not in text]
    assert missing == []
