"""The layout of a page: heading, map, legend and foot share it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nankai_gis.errors import DataError
from nankai_gis.present import labels, legend
from nankai_gis.present.facts import labelled
from nankai_gis.present.figure.instruments import (
    draw_graticule,
    draw_north_arrow,
    draw_scale_bar,
)
from nankai_gis.present.figure.labels import draw_labels
from nankai_gis.present.figure.legend import block_height, blocks_of, draw_legend, in_columns
from nankai_gis.present.figure.map_area import draw_layer, framed
from nankai_gis.present.figure.page import GROUND, PAPER, SOFT, Page
from nankai_gis.present.fonts import printable
from nankai_gis.present.languages import to_reader
from nankai_gis.words import tr
from nankai_gis.words.terms import LAYERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nankai_gis.present.document import MapDocument

#: The least width and height of a map in millimetres.
LEAST_MM = 15.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands on the page beside the map, and whether the page lies on its side."""

    landscape: bool
    legend: bool
    scale_bar: bool
    north: bool
    graticule: bool


def texts_of(document: MapDocument, own: Iterable[str]) -> Iterable[str]:
    """Return every text that may be drawn, for the choice of the font."""
    yield "0123456789.,:°′NESWkm²±<()–/%ha· "
    yield from map(printable, own)
    yield from map(printable, (tr("indicative"), tr("N"), labelled(tr("Scale"), "")))
    for layer in document.legend():
        yield printable(tr(LAYERS[layer.key]))
        yield printable(legend.count(layer))
        for entry in legend.entries(layer):
            yield from (printable(entry.label), printable(entry.value))
        yield from (printable(label.text) for label in labels.labels(layer))
    yield from (printable(entry.label) for entry in legend.key_entries(document))


def compose(
    page: Page,
    axes: Axes,
    document: MapDocument,
    heads: tuple[str, str],
    foot: list[str],
    parts: Parts,
) -> None:
    """Share the page out between heading, map, legend and foot, and draw each."""
    # Heading above, foot below; the legend takes its room from what is left.
    room = page.width - 2 * page.margin
    top = _heading(page, heads, page.height - page.margin, room)
    bottom = _footing(page, foot, page.margin, room) + 2 * page.zoom
    left, right = page.margin, page.width - page.margin
    if parts.legend:
        right, bottom = _legend(page, document, parts.landscape, (left, right, bottom, top))
    if min(right - left, top - bottom) < LEAST_MM:
        with to_reader():
            raise DataError(
                tr(
                    "a page of {width} by {height} mm has no room for the map beside heading, "
                    "legend and foot; take a larger page or leave the legend out",
                    width=f"{page.width:g}",
                    height=f"{page.height:g}",
                )
            )

    # The map fills the rest, at a round scale.
    frame = framed(document, left, bottom, right - left, top - bottom)
    horizontal, vertical = frame.limits()
    axes.set_position(
        (left / page.width, bottom / page.height,
         frame.width / page.width, frame.height / page.height)
    )  # fmt: skip
    axes.set(
        xlim=horizontal,
        ylim=vertical,
        xticks=[],
        yticks=[],
        facecolor=GROUND if "district" in document.layers else PAPER,
    )
    for spine in axes.spines.values():
        spine.set(linewidth=0.8, edgecolor="#333333", zorder=90)
    for number, layer in enumerate(document.layers.values()):
        draw_layer(page.canvas(axes), layer, 2.0 + number)
    axes.set(xlim=horizontal, ylim=vertical)

    # Instruments first, then the labels, which keep clear of them.
    if parts.scale_bar:
        draw_scale_bar(page, frame)
    if parts.north:
        draw_north_arrow(page, frame)
    if parts.graticule:
        draw_graticule(axes, page, frame)
    draw_labels(page, frame, document)


def _legend(
    page: Page, document: MapDocument, landscape: bool, room: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Draw the legend at the right or below; return where the map then ends: right, bottom."""
    left, right, bottom, top = room
    gap = 5.0 * page.zoom
    wide = 62.0 * page.zoom if landscape else (right - left - 2 * gap) / 3
    blocks = blocks_of(page, document, wide)
    columns = in_columns(page, blocks, 1 if landscape else 3)
    tall = max(sum(block_height(page, block) for block in column) for column in columns)
    if not landscape:
        draw_legend(page, columns, left, bottom + tall, wide)
        return right, bottom + tall + 2 * page.zoom
    if tall > top - bottom:
        columns = in_columns(page, blocks, 2)
    right -= len(columns) * (wide + gap)
    draw_legend(page, columns, right + gap, top, wide)
    return right, bottom


def _heading(page: Page, heads: tuple[str, str], top: float, room: float) -> float:
    """Write title and subtitle; return where the rest begins."""
    title, subtitle = (printable(text) for text in heads)
    if not title and not subtitle:
        return top
    for line in page.wrap(title, 16, room, bold=True) if title else ():
        page.write(page.margin, top - page.line(16) / 2, line, 16, bold=True)
        top -= page.line(16)
    for line in page.wrap(subtitle, 9.5, room) if subtitle else ():
        page.write(page.margin, top - page.line(9.5) / 2, line, 9.5, ink=SOFT)
        top -= page.line(9.5)
    return top - 2 * page.zoom


def _footing(page: Page, foot: list[str], bottom: float, room: float) -> float:
    """Write the imprint from the lower edge upwards; return where the rest ends."""
    lines = [line for text in foot for line in page.wrap(text, 6.5, room)]
    for line in reversed(lines):
        page.write(page.margin, bottom + page.line(6.5) / 2, line, 6.5, ink=SOFT)
        bottom += page.line(6.5)
    return bottom
