"""The legend on the page: lines, blocks that stay together, columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nankai_gis.present import legend
from nankai_gis.present.figure.page import SOFT, Page, fill, plate, stroke
from nankai_gis.present.fonts import printable
from nankai_gis.present.legend import LegendEntry
from nankai_gis.words import tr
from nankai_gis.words.terms import LAYERS

if TYPE_CHECKING:
    from nankai_gis.present.document import MapDocument, MapLayer


@dataclass(frozen=True, slots=True)
class LegendLine:
    """A line of the legend on paper; ``below`` counts the lines of figures under its text."""

    lines: tuple[str, ...]
    value: str = ""
    tag: bool = False
    entry: LegendEntry | None = None
    sample: str = "area"
    heading: bool = False
    below: int = 0


def blocks_of(page: Page, document: MapDocument, room: float) -> list[list[LegendLine]]:
    """Return the legend as blocks that stay together."""
    samples = {"sites": "point", "corridors": "line", "streets": "line"}
    blocks = []
    for layer in document.legend():
        if all(shape is None for shape in layer.shapes):
            continue
        # A layer without lines of its own has its sample beside the heading.
        sample, entries = samples.get(layer.key, "area"), legend.entries(layer)
        shown = [entry for entry in entries if not entry.rows or _has_place(layer, entry)]
        single = len(layer.rows) == 1 and len(entries) == 1
        heading = LegendLine(
            (printable(tr(LAYERS[layer.key])),),
            "" if single else legend.count(layer),
            entry=None if shown else LegendEntry("", "", layer.looks[0]),
            sample=sample,
            heading=True,
        )
        blocks.append([heading, *(_line(page, entry, sample, room) for entry in shown)])
    dashes = [_line(page, entry, "line", room) for entry in legend.key_entries(document)]
    return [*blocks, dashes] if dashes else blocks


def _has_place(layer: MapLayer, entry: LegendEntry) -> bool:
    return any(layer.shapes[number] is not None for number in entry.rows)


def _line(page: Page, entry: LegendEntry, sample: str, room: float) -> LegendLine:
    left = room - 9.5 * page.zoom
    lines = tuple(page.wrap(printable(entry.label), 7, left))
    value = printable(entry.value)
    below = int(entry.indicative is not None)
    if entry.indicative and value:
        # The tag goes to a line of its own where it doesn't fit behind the figure.
        tag = page.measure(printable(tr("indicative")), 5.5)
        below += page.measure(value, 6.5) + tag + 3.2 * page.zoom > left
    return LegendLine(lines, value, bool(entry.indicative), entry, sample, below=below)


def _row_height(page: Page, row: LegendLine) -> float:
    size = 8 if row.heading else 7
    written = page.line(size) * len(row.lines) + page.line(6.5) * row.below
    return written + (1.4 if row.heading else 0.9) * page.zoom


def block_height(page: Page, block: list[LegendLine]) -> float:
    """Return the height of a block of lines, in millimetres."""
    return sum(_row_height(page, row) for row in block) + 1.8 * page.zoom


def in_columns(
    page: Page, blocks: list[list[LegendLine]], count: int
) -> list[list[list[LegendLine]]]:
    """Distribute blocks over columns, in order, so that the highest column is as low as can be."""
    heights = [block_height(page, block) for block in blocks]
    low, high = max(heights, default=0.0), sum(heights)

    def filled(limit: float) -> list[list[list[LegendLine]]]:
        columns: list[list[list[LegendLine]]] = [[]]
        used = 0.0
        for block, height in zip(blocks, heights, strict=True):
            if columns[-1] and used + height > limit + 1e-6:
                columns.append([])
                used = 0.0
            columns[-1].append(block)
            used += height
        return columns

    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if len(filled(middle)) <= count else (middle, high)
    return filled(high)


def _swatch(page: Page, x: float, y: float, row: LegendLine) -> None:
    """Draw the sample of a look, seven millimetres wide, around a middle line."""
    import shapely

    if row.entry is None:
        return
    look, unit, canvas = row.entry.look, page.zoom, page.canvas(page.axes)
    wide = 7.0 * unit
    if row.sample == "point":
        page.axes.plot(
            [x + wide / 2],
            [y],
            "o",
            markersize=look.radius * 2 * canvas.pixel,
            markerfacecolor=look.fill or look.stroke,
            markeredgecolor="#777777",
            markeredgewidth=0.4,
            zorder=55,
        )
        return
    if row.sample == "area":
        shape = shapely.box(x, y - 1.7 * unit, x + wide, y + 1.7 * unit)
        fill(page.axes, shape, look, 55)
        stroke(canvas, shape, look.casing, min(look.casing_weight, 4.0), "", 55.5)
        stroke(canvas, shape, look.stroke, min(look.weight, 2.0), look.dash, 56)
        return
    line = shapely.LineString([(x, y), (x + wide, y)])
    if look.casing and not look.casing_over:
        stroke(canvas, line, look.casing, look.casing_weight, "", 54)
    stroke(canvas, line, look.stroke, look.weight, look.dash, 55)
    if look.casing_over:
        stroke(canvas, line, look.casing, look.casing_weight, "5 5", 56)


def _draw_line(page: Page, x: float, top: float, room: float, row: LegendLine) -> None:
    size, unit = (8, page.zoom) if row.heading else (7, page.zoom)
    step = page.line(size)
    indent = 0.0 if row.heading and row.entry is None else 9.5 * unit
    middle = top - step * len(row.lines) / 2 - page.line(6.5) / 2 * row.below
    _swatch(page, x, middle, row)
    for number, line in enumerate(row.lines):
        page.write(x + indent, top - (number + 0.5) * step, line, size, bold=row.heading)
    if not row.below:
        page.write(x + room, top - step / 2, printable(row.value), 6.5, ink=SOFT, align="right")
        return
    y = top - step * len(row.lines) - page.line(6.5) / 2
    page.write(x + indent, y, row.value, 6.5, ink=SOFT)
    if row.tag:
        after = page.measure(row.value, 6.5) + 1.6 * unit if row.value and row.below == 1 else 0
        _tag(page, x + indent + after, y - page.line(6.5) * (row.below - 1), tr("indicative"))


def _tag(page: Page, x: float, y: float, text: str) -> None:
    """Write a word in a small frame."""
    unit, word = page.zoom, printable(text)
    width = page.measure(word, 5.5) + 1.6 * unit
    look = {"facecolor": "#fbf6ea", "edgecolor": "#b9a37c", "linewidth": 0.4}
    plate(page, x, y - 1.35 * unit, width, 2.7 * unit, **look)
    page.write(x + 0.8 * unit, y, word, 5.5, ink="#6b5321")


def draw_legend(
    page: Page, columns: list[list[list[LegendLine]]], x: float, top: float, room: float
) -> None:
    """Draw the columns of the legend downwards from ``top``, each as wide as ``room``."""
    gap = 5.0 * page.zoom
    for number, column in enumerate(columns):
        left, y = x + number * (room + gap), top
        for block in column:
            page.axes.plot([left, left + room], [y, y], color="#d5d8dc", linewidth=0.5, zorder=41)
            y -= 1.2 * page.zoom
            for row in block:
                _draw_line(page, left, y, room, row)
                y -= _row_height(page, row)
            y -= 0.6 * page.zoom
