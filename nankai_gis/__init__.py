"""From the prose of a district plan to checked polygons, measures and maps.

>>> import nankai_gis as ng
>>> ng.areas().index.tolist()[1:4]
['qihang-bay', 'laochengxiang', 'shuishang-aoti']
>>> ng.compile("東至衛津路,南至復康路,西至紅旗路,北至鞍山西道").polygon.geom_type
'Polygon'

Importing the package loads next to nothing: each name is fetched from its module when it is first
used. The folders are modules of the same names, in the order in which data flows through them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For readers and type checkers; at run time the table below stands for these lines.
    from nankai_gis.compiler.compiled import compile_clause as compile
    from nankai_gis.exports.study import export as export
    from nankai_gis.network.roads import read as read_roads
    from nankai_gis.network.streets import build as streets
    from nankai_gis.plan.definitions import read as read_plan
    from nankai_gis.reports.pictures import plan_figure as plan_figure
    from nankai_gis.reports.pictures import plan_map as plan_map
    from nankai_gis.reports.report import report as report
    from nankai_gis.studies.frames import areas as areas
    from nankai_gis.studies.frames import check as check
    from nankai_gis.studies.frames import coverage as coverage
    from nankai_gis.studies.frames import lengths as lengths
    from nankai_gis.studies.frames import study as study

#: The module of each function, and its name there.
_FUNCTIONS = {
    "read_plan": ("plan.definitions", "read"),
    "read_roads": ("network.roads", "read"),
    "streets": ("network.streets", "build"),
    "compile": ("compiler.compiled", "compile_clause"),
    "study": ("studies.frames", "study"),
    "areas": ("studies.frames", "areas"),
    "lengths": ("studies.frames", "lengths"),
    "coverage": ("studies.frames", "coverage"),
    "check": ("studies.frames", "check"),
    "plan_map": ("reports.pictures", "plan_map"),
    "plan_figure": ("reports.pictures", "plan_figure"),
    "report": ("reports.report", "report"),
    "export": ("exports.study", "export"),
}
_MODULES = (
    *("errors", "words", "geometry", "files", "plan", "network", "compiler", "measure"),
    *("studies", "present", "reports", "exports"),
)
__all__ = [
    "areas",
    "check",
    "compile",
    "compiler",
    "coverage",
    "errors",
    "export",
    "exports",
    "files",
    "geometry",
    "lengths",
    "measure",
    "network",
    "plan",
    "plan_figure",
    "plan_map",
    "present",
    "read_plan",
    "read_roads",
    "report",
    "reports",
    "streets",
    "studies",
    "study",
    "words",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"nankai_gis.{name}")
    if name not in _FUNCTIONS:
        raise AttributeError(f"module 'nankai_gis' has no attribute {name!r}")
    module, function = _FUNCTIONS[name]
    value = getattr(import_module(f"nankai_gis.{module}"), function)
    globals()[name] = value
    return value
