"""The names on the map, placed one by one so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.geometry.crs import planar, to_planar
from nankai_gis.present import labels as names
from nankai_gis.present.figure.page import PIXEL, POINT, SOFT, Page, box_around
from nankai_gis.present.fonts import printable
from nankai_gis.words import tr

if TYPE_CHECKING:
    from nankai_gis.present.document import MapDocument
    from nankai_gis.present.figure.map_area import MapFrame
    from nankai_gis.present.labels import Label, Spot
    from nankai_gis.present.style import Style

#: Size in points, weight and ink of the labels of each layer.
_LETTERING: Mapping[str, tuple[float, bool, str]] = {
    "zones": (9.5, True, "#1f2226"),
    "parcel": (8.0, True, "#4b2e1e"),
    "corridors": (8.0, True, ""),
    "subdistricts": (7.5, False, "#5a566b"),
    "sites": (6.2, False, "#2b2b2b"),
    "streets": (5.6, False, "#6a6a63"),
}


def _label_lines(page: Page, text: str, size: float) -> list[str]:
    """Break a zone's name in two between its parts, after the closing bracket; else by width."""
    for bracket in "」』”）":
        head, closing, tail = text.partition(bracket)
        if closing and tail:
            return [head + closing, tail]
    return page.wrap(text, size, 42 * page.zoom, bold=True)


def draw_labels(page: Page, frame: MapFrame, document: MapDocument) -> None:
    """Place the labels one by one, the more important first; none on top of another."""
    soft = _to_keep_clear(page, frame, document)
    for key in names.LABELLED:
        if key in document.layers:
            for label in names.labels(document.layers[key]):
                _place(page, frame, key, label, soft)


def _to_keep_clear(page: Page, frame: MapFrame, document: MapDocument) -> list[Any]:
    """Return what a label covers only where it must: the spots of sites, and corridors."""
    import numpy as np
    import shapely

    spots = []
    for key in ("sites", "corridors"):
        layer = document.layers.get(key)
        for shape, look in zip(layer.shapes, layer.looks, strict=True) if layer else ():
            if shape is not None:
                on_page = shapely.transform(
                    to_planar(shape),
                    lambda c: np.column_stack(frame.on_page(c[:, 0], c[:, 1])),
                )
                reach = max(look.weight / 2, look.radius) * PIXEL * POINT * page.zoom
                spots.append(on_page.buffer(reach))
    return spots


def _shifts(
    key: str, look: Style, spot: Spot, wide: float, high: float, turned: bool
) -> list[tuple[float, float]]:
    """Return where a label may stand beside its spot: areas have it inside, lines alongside."""
    gap = 1.5
    if key == "sites" and look.radius:
        aside = gap + wide / 2
        return [(aside, 0.0), (-aside, 0.0), (0.0, high), (0.0, -high)]
    if key not in ("corridors", "sites", "streets"):
        return [(0.0, 0.0)]
    # Off the line by half of what the label takes up across it.
    away = math.radians(spot.angle + 90)
    half = high / 2
    if not turned:
        half = abs(math.cos(away)) * wide / 2 + abs(math.sin(away)) * high / 2
    reach = gap + look.weight * PIXEL * POINT / 2 + half
    return [(side * math.cos(away) * reach, side * math.sin(away) * reach) for side in (1, -1)]


def _place(page: Page, frame: MapFrame, key: str, label: Label, soft: list[Any]) -> None:
    """Write a label at the first of its spots where it is in the map and covers least."""
    # How much room the label takes, with the mark for indicative below it.
    size, bold, ink = _LETTERING[key]
    text = printable(label.text)
    lines = _label_lines(page, text, size) if key == "zones" else [text]
    small = [printable(tr("indicative"))] if label.indicative else []
    height = page.line(size) * len(lines) + (page.line(size * 0.72) if small else 0)
    width = max(page.measure(line, size, bold=bold) for line in lines)
    inner = box_around(
        frame.x + frame.width / 2, frame.y + frame.height / 2, frame.width - 2, frame.height - 2
    )
    along = key in ("corridors", "streets") or (key == "sites" and not label.look.radius)
    # Of the places clear of other labels, take the one that covers fewest sites and corridors.
    best: tuple[int, Any] | None = None
    for spot in label.spots:
        turn, stack = _turned(spot, text) if along else (0.0, False)
        wide, high = (width, height)
        if stack:
            wide, high = page.line(size) * 0.8, page.line(size) * 0.8 * len(text)
        x, y = frame.on_page(*planar().transform(spot.lon, spot.lat))
        for dx, dy in _shifts(key, label.look, spot, wide, high, bool(turn)):
            box = box_around(x + dx, y + dy, wide + 0.6, high, turn)
            if not box.within(inner) or any(box.intersects(taken) for taken in page.taken):
                continue
            covered = sum(box.intersects(thing) for thing in soft)
            if best is None or covered < best[0]:
                best = covered, (box, x + dx, y + dy, turn, stack)
    # A street's name isn't written across a site or a corridor.
    if best is None or (best[0] and key == "streets"):
        return
    box, x, y, turn, stack = best[1]
    page.taken.append(box)
    _letter(page, x, y, lines, small, size, bold, ink or label.look.stroke, turn, stack)


def _turned(spot: Spot, text: str) -> tuple[float, bool]:
    """Return how a name follows its street: turned, or, where steep, letter below letter."""
    if abs(spot.angle) > 55 and all(ord(letter) >= 0x2E80 for letter in text):
        return 0.0, True
    return spot.angle, False


def _letter(
    page: Page,
    x: float,
    y: float,
    lines: list[str],
    small: list[str],
    size: float,
    bold: bool,
    ink: str,
    turn: float,
    stack: bool,
) -> None:
    look: dict[str, Any] = {"align": "center", "halo": 1.6, "turn": turn}
    if stack:
        step, letters = page.line(size) * 0.8, lines[0]
        for number, letter in enumerate(letters):
            at = y + ((len(letters) - 1) / 2 - number) * step
            page.write(x, at, letter, size, bold=bold, ink=ink, **look)
        return
    step, last = page.line(size), page.line(size * 0.72) if small else 0.0
    top = y + (step * len(lines) + last) / 2
    for number, line in enumerate(lines):
        page.write(x, top - (number + 0.5) * step, line, size, bold=bold, ink=ink, **look)
    for line in small:
        page.write(x, top - step * len(lines) - last / 2, line, size * 0.72, ink=SOFT, **look)
