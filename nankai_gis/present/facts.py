"""What a map says of a feature: its figures in words and units, in the language in force.

No measure is taken here: figures are those of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.compiler.remarks import doubts_of
from nankai_gis.present.style import Row
from nankai_gis.words import language, mark, tr
from nankai_gis.words.terms import KINDS, ROLES, STATUSES, THEMES

if TYPE_CHECKING:
    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

#: Labels of the facts about a feature.
FACTS: Mapping[str, str] = {
    "name": mark("Name"),
    "street": mark("Road"),
    "role": mark("Role"),
    "theme": mark("Theme"),
    "kind": mark("Kind"),
    "code": mark("Code"),
    "area": mark("Area"),
    "stated": mark("Area stated by the plan"),
    "perimeter": mark("Perimeter"),
    "length": mark("Length"),
    "coverage": mark("Covered by zones"),
    "section": mark("Section"),
    "status": mark("Basis"),
    "accuracy": mark("Positional accuracy"),
    "source": mark("Source of the data"),
    "date": mark("Date of the data"),
    "clause_source": mark("Source of the plan text"),
    "note": mark("Note"),
    "sides": mark("Sides of the boundary"),
    "doubts": mark("In doubt"),
}


def labelled(label: str, value: object) -> str:
    """Return a value with its label before it, as the language in force sets them."""
    return tr("{label}: {value}", label=label, value=value)


def area(square_metres: float, sd: float | None = None) -> str:
    """Write an area in km², below 0.1 km² in hectares, with its standard deviation."""
    scale, unit = (1e6, "km²") if square_metres >= 1e5 else (1e4, "ha")
    text = f"{square_metres / scale:.2f}"
    if sd is not None:
        spread = f"{sd / scale:.2f}"
        text += f" ± {'<0.01' if spread == '0.00' and sd > 0 else spread}"
    return f"{text} {unit}"


def length(metres: float) -> str:
    """Write a length in km, below 1 km in metres."""
    return f"{metres / 1000:.2f} km" if metres >= 999.5 else f"{metres:.0f} m"


def accuracy(metres: float) -> str:
    """Write a positional accuracy."""
    return f"± {metres:.0f} m"


def text_of(row: Row, column: str) -> str:
    """Return a cell as text; ``""`` for a missing value or column."""
    value = row.get(column)
    return "" if value is None else str(value)


def in_script(text: str) -> str:
    """Return a text of the plan in the script in force: converted for simplified Chinese only."""
    if language() != "zh-Hans" or text.isascii():
        return text
    from nankai_gis.plan.names import simplified

    return simplified(text)


def name_of(row: Row) -> str:
    """Return a feature's name in the language in force, else its traditional name."""
    column = {"zh-Hans": "name_hans", "en": "name_en"}.get(language(), "name")
    return text_of(row, column) or text_of(row, "name")


def term(key: str) -> str:
    """Return the term for a role, kind, theme or road class; an unknown key as it is."""
    from nankai_gis.measure.coverage import CLASS_LABELS

    for terms in (ROLES, KINDS, THEMES, CLASS_LABELS):
        if key in terms:
            return tr(terms[key])
    return key


def facts(layer: str, row: Row) -> dict[str, str]:
    """Return the facts about a feature, as text; what isn't known is left out."""

    def written(column: str, write: Any) -> str:
        value = row.get(column)
        return "" if value is None else str(write(float(value)))

    roles = [term(text_of(row, "role")), tr("planned, not built") if row.get("planned") else ""]
    status = STATUSES.get(text_of(row, "status"), "")
    values = {
        "street": in_script(text_of(row, "street_name") or text_of(row, "street")),
        "role": " · ".join(filter(None, roles)),
        "theme": term(text_of(row, "theme")),
        "kind": term(text_of(row, "kind")) if layer == "streets" else "",
        "code": text_of(row, "code"),
        "area": written("area_m2", lambda m2: area(m2, row.get("area_sd_m2"))),
        "stated": written("stated_area_m2", area),
        "perimeter": written("perimeter_m", length),
        "length": written("length_m", length),
        "coverage": written("coverage_share", "{:.1%}".format),
        "section": in_script(text_of(row, "section")),
        "status": tr(status) if status else "",
        "accuracy": written("accuracy_m", accuracy),
        "source": in_script(text_of(row, "source")),
        "date": text_of(row, "date"),
        "clause_source": in_script(text_of(row, "clause_source")),
        "note": in_script(text_of(row, "note")),
        "doubts": tr("; ").join(doubts_of(row)),
    }
    return {name: text for name, text in values.items() if text}


def is_indicative(row: Row) -> bool:
    """Tell whether a row is marked as indicative (示意): where part of it is inferred."""
    return row.get("status") == "inferred"


def sides(row: Row, shape: BaseGeometry | None) -> list[tuple[Mapping[str, Any], LineString]]:
    """Return the sides of a polygon, each of which has a status of its own."""
    from shapely import LineString, Polygon

    parts = row.get("parts")
    if not isinstance(shape, Polygon) or parts is None or isinstance(parts, str):
        return []
    ring = shape.exterior.coords
    return [(part, LineString(ring[part["start"] : part["stop"] + 1])) for part in parts]
