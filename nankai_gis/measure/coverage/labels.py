"""What rows are called: road classes in words, and rows for what has no name, class or place.

Tables hold the keys and names below in English; `label` and `class_label` give them in the
language in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nankai_gis.words import mark, tr

__all__ = [
    "BORDER",
    "CLASS_COLUMNS",
    "CLASS_LABELS",
    "NO_SUBDISTRICT",
    "UNCLASSED",
    "UNNAMED",
    "class_label",
    "label",
]

#: Row of the streets without a name.
UNNAMED = mark("(unnamed)")
#: Row of the streets without a class.
UNCLASSED = mark("(no class)")
#: Row of what lies in no subdistrict.
NO_SUBDISTRICT = mark("(no subdistrict)")
#: Stands between the subdistricts whose common border a street runs along.
BORDER = "|"
#: Columns that may hold the class of a street, the best first.
CLASS_COLUMNS = ("highway", "class", "fclass", "kind")
#: OSM highway values in words.
CLASS_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "motorway": mark("motorway"),
        "motorway_link": mark("motorway ramp"),
        "trunk": mark("expressway"),
        "trunk_link": mark("expressway ramp"),
        "primary": mark("arterial road"),
        "primary_link": mark("arterial road link"),
        "secondary": mark("secondary arterial road"),
        "secondary_link": mark("secondary arterial road link"),
        "tertiary": mark("collector road"),
        "tertiary_link": mark("collector road link"),
        "unclassified": mark("minor road"),
        "residential": mark("residential road"),
        "living_street": mark("living street"),
        "service": mark("service road"),
        "pedestrian": mark("pedestrian street"),
        "footway": mark("footway"),
        "cycleway": mark("cycleway"),
        "path": mark("path"),
        "steps": mark("steps"),
        "track": mark("track"),
        "busway": mark("busway"),
        "construction": mark("road under construction"),
        "proposed": mark("proposed road"),
        "road": mark("road of unknown class"),
        "street": mark("road"),
        "railway": mark("railway"),
        "river": mark("river"),
    }
)
_WITHOUT = (UNNAMED, UNCLASSED, NO_SUBDISTRICT)


def class_label(value: str) -> str:
    """Return a road class in words, in the language in force."""
    return tr(CLASS_LABELS[value]) if value in CLASS_LABELS else label(value)


def label(name: str) -> str:
    """Return the name of a row as a reader sees it, in the language in force."""
    return BORDER.join(tr(part) if part in _WITHOUT else part for part in name.split(BORDER))
