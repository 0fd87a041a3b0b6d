"""The legend of a map document, in the language in force: lines, figures, counts, dashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nankai_gis.present.document import COVERING, MapDocument, MapLayer
from nankai_gis.present.facts import facts, is_indicative, length, term
from nankai_gis.present.layers import BASE
from nankai_gis.present.style import CLASSES, INFERRED, PLANNED, Style, shade, style_of
from nankai_gis.words import mark, tr
from nankai_gis.words.terms import LAYERS


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of the legend."""

    label: str
    value: str
    look: Style
    rows: tuple[int, ...] = ()
    indicative: bool | None = None


def _total(rows: list[dict[str, Any]]) -> str:
    """Return the sum of the lengths of drawn rows; ``""`` where one of them is unknown.

    What is planned isn't part of the sum, as in `nankai_gis.measure.features.lengths`, and stands
    beside it.
    """
    if any(row.get("length_m") is None for row in rows):
        return ""
    planned = sum(row["length_m"] for row in rows if row.get("planned"))
    built = sum(row["length_m"] for row in rows if not row.get("planned"))
    if not planned:
        return length(built)
    return tr("{built} (and {planned} planned)", built=length(built), planned=length(planned))


def _counted(layer: MapLayer, numbers: list[int]) -> str:
    """Return how many rows there are and, in brackets, how many of them have no place."""
    missing = sum(layer.shapes[number] is None for number in numbers)
    if not missing:
        return str(len(numbers))
    return tr("{n} ({missing} not located)", n=len(numbers), missing=missing)


def count(layer: MapLayer) -> str:
    """Return how many features a layer has, and how many have no place; nothing for bands."""
    if layer.key == "bands":
        return ""
    if layer.key == "corridors":
        return str(len(layer.groups()))
    return _counted(layer, list(range(len(layer.rows))))


def entries(layer: MapLayer) -> list[LegendEntry]:
    """Return the lines of the legend under a layer's heading."""
    if layer.shaded:
        return _classes(layer)
    if layer.key in BASE or layer.key == "subdistricts":
        return []
    return [_entry(layer, group, numbers) for group, numbers in layer.groups().items()]


def _entry(layer: MapLayer, group: str, numbers: list[int]) -> LegendEntry:
    rows, first = [layer.rows[number] for number in numbers], numbers[0]
    label, look = layer.names[first], layer.looks[first]
    indicative: bool | None = any(is_indicative(row) for row in rows)
    if layer.key in ("sites", "streets"):
        label = term(group) or tr(LAYERS[layer.key])
        value, indicative = _counted(layer, numbers), None
    elif layer.key == "corridors":
        value = _total([layer.rows[n] for n in numbers if layer.shapes[n] is not None])
    else:
        value = facts(layer.key, rows[0]).get("area", "")
    if layer.key == "streets":
        # The look of the kind itself: the hues of covered streets stand with zones and corridors.
        look = style_of("streets", {**rows[0], **dict.fromkeys(COVERING)}, 0)
    return LegendEntry(label, value, look, tuple(numbers), indicative)


def _classes(layer: MapLayer) -> list[LegendEntry]:
    classes, low = [], 0.0
    for top, _ in CLASSES:
        # The first class says what is shaded.
        span = f"{low:.0%}–{top:.0%}"
        label = tr("Covered by zones {span}", span=span) if not low else span
        classes.append(LegendEntry(label, "", shade(top)))
        low = top
    if any(row["coverage_share"] is None for row in layer.rows):
        classes.append(LegendEntry(tr("no data"), "", shade(None)))
    return classes


def key_entries(document: MapDocument) -> list[LegendEntry]:
    """Return the explanation of the dashes and widths that are on the map."""
    used = {look.dash for layer in document.layers.values() for look in layer.looks}
    corridors = document.layers.get("corridors")
    roles = {row.get("role") for row in corridors.rows} if corridors else set()
    thin = roles > {"main"}
    return [
        LegendEntry(tr(meaning), "", Style(stroke="#4a4a4a", weight=weight, dash=dash))
        for meaning, weight, dash, shown in (
            (mark("Inferred boundary (indicative)"), 2.4, INFERRED, INFERRED in used),
            (mark("Planned, not built"), 2.4, PLANNED, PLANNED in used),
            (mark("Main line of a corridor"), 5.0, "", thin),
            (mark("Extension or link of a corridor"), 3.0, "", thin),
        )
        if shown
    ]
