"""The figure for print: the map's cartography as PNG, SVG or PDF, drawn without a browser.

The sheet is laid out in millimetres and the map in EPSG:4548 at a round scale, so that a ruler
on the paper measures metres. Hues, dashes, names, figures and what is called 示意 are those of the
interactive map: both draw the same `nankai_gis.present.legend.Sheet`. Texts are drawn letter by
letter
from a font that has been asked for every one of them; PDF embeds it, SVG holds outlines, so that
neither depends on the fonts of whoever opens the file. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from nankai_gis.errors import DataError, NotFoundError
from nankai_gis.geometry.crs import planar, to_planar
from nankai_gis.plan.model import CREDIT
from nankai_gis.present import legend as sheets
from nankai_gis.present.fonts import printable
from nankai_gis.present.style import INFERRED

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nankai_gis.present.fonts import Face, Pair
    from nankai_gis.present.legend import Item, Label, Layer, Sheet, Spot
    from nankai_gis.present.style import Style

__all__ = ["draw", "render", "save"]

#: Pages by name: the short and the long side in millimetres.
PAGES: Mapping[str, tuple[float, float]] = {
    "A5": (148, 210),
    "A4": (210, 297),
    "A3": (297, 420),
    "A2": (420, 594),
}
Form = Literal["png", "svg", "pdf"]
FORMATS: tuple[Form, ...] = get_args(Form)
#: Points of print for a pixel of the screen map, on A4.
_PIXEL = 0.6
_MARGIN = 12.0
#: The least width and height of a map in millimetres.
_LEAST = 15.0
_INCH, _POINT = 25.4, 25.4 / 72
#: Mantissas of the denominators that a scale may have.
_ROUND = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 7.5, 8, 9)
#: In an SVG: what a path is, its fractions, and a path that stands twice with two looks.
_OUTLINE, _DECIMALS = re.compile(r' d="[^"]*"'), re.compile(r"-?\d+\.\d+")
_TWICE = re.compile(r'<path d="([^"]*)" style="([^"]*)"/>\s*<path d="\1" style="([^"]*)"/>')
_INK, _SOFT, _PAPER, _GROUND = "#1f2226", "#5d636b", "#ffffff", "#f1f1ef"
#: Size in points, weight and ink of the labels of each layer.
_LETTERING: Mapping[str, tuple[float, bool, str]] = {
    "zones": (9.5, True, "#1f2226"),
    "parcel": (8.0, True, "#4b2e1e"),
    "corridors": (8.0, True, ""),
    "subdistricts": (7.5, False, "#5a566b"),
    "sites": (6.2, False, "#2b2b2b"),
    "streets": (5.6, False, "#6a6a63"),
}


@dataclass(frozen=True, slots=True)
class _Canvas:
    """An axes, and how many points of print a pixel of the screen map has on it."""

    axes: Axes
    pixel: float


@dataclass(slots=True)
class _Page:
    """The sheet of paper: an axes in millimetres from the lower left corner, and the pens."""

    axes: Axes
    fonts: Pair
    zoom: float
    width: float
    height: float
    margin: float
    taken: list[Any] = field(default_factory=list)

    def canvas(self, axes: Axes) -> _Canvas:
        """Return an axes on this page as one to draw looks on."""
        return _Canvas(axes, _PIXEL * self.zoom)

    def face(self, bold: bool) -> Face:
        return self.fonts.bold if bold else self.fonts.regular

    def measure(self, text: str, size: float, *, bold: bool = False) -> float:
        return self.face(bold).width(text, size * self.zoom)

    def line(self, size: float) -> float:
        """Return the height of a line of text, in millimetres."""
        return size * self.zoom * _POINT * 1.32

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        ink: str = _INK,
        align: str = "left",
        halo: float = 0.0,
        turn: float = 0.0,
        above: bool = False,
    ) -> None:
        """Write a line; ``y`` is its middle."""
        from matplotlib import patheffects

        written = self.axes.text(
            x,
            y,
            text,
            fontproperties=self.face(bold).at(size * self.zoom),
            color=ink,
            ha=align,
            va="center_baseline",
            rotation=turn,
            rotation_mode="anchor",
            parse_math=False,  # a name may hold a dollar sign
            zorder=60 if above or halo else 50,
        )
        if halo:
            # Letters with a halo are drawn as shapes, and Matplotlib moves a shape of nothing but
            # uprights and levels, as 中 or 三, onto whole pixels, stroke by stroke.
            outline = patheffects.Stroke(linewidth=halo * self.zoom, foreground="white", snap=False)
            written.set_path_effects([outline, patheffects.Stroke(linewidth=0, snap=False)])

    def wrap(self, text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
        """Break a text into lines: at spaces, or, as Chinese is set, between any two letters."""
        lines, line = [], ""
        for piece in _pieces(text):
            if line and self.measure((line + piece).rstrip(), size, bold=bold) > room:
                lines.append(line.rstrip())
                line = ""
            line += piece
        return [*lines, line.rstrip()] if line.strip() else lines or [""]


def _pieces(text: str) -> list[str]:
    """Return the smallest parts of a text that a line may end with."""
    pieces: list[str] = []
    for letter in text:
        ideograph = ord(letter) >= 0x2E80
        glued = letter in "」』）,。、;:,。;:!?)%" or (pieces and pieces[-1] in "「『(")
        latin = pieces and not ideograph and not pieces[-1].endswith(" ")
        latin = latin and ord(pieces[-1][-1]) < 0x2E80
        if pieces and (glued or latin):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


# --- the map ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the map lies on the page (millimetres) and on the ground (EPSG:4548 metres)."""

    x: float
    y: float
    width: float
    height: float
    scale: float
    east: float
    north: float

    def on_page(self, east: Any, north: Any) -> tuple[Any, Any]:
        mm = 1000 / self.scale
        x = self.x + self.width / 2 + (east - self.east) * mm
        return x, self.y + self.height / 2 + (north - self.north) * mm

    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        wide, high = (side * self.scale / 2000 for side in (self.width, self.height))
        return (self.east - wide, self.east + wide), (self.north - high, self.north + high)


def _round_scale(at_least: float) -> float:
    """Return the next round denominator of a scale."""
    power = 10.0 ** math.floor(math.log10(at_least))
    steps = (step * power for step in (*_ROUND, 10))
    return next(step for step in steps if step >= at_least * (1 - 1e-9))


def _framed(drawn: Sheet, x: float, y: float, width: float, height: float) -> _Frame:
    import numpy as np

    # Parallels bend on the plane, so the middles of the sides count as much as the corners.
    lons, lats = (np.linspace(drawn.bounds[n], drawn.bounds[n + 2], 9) for n in (0, 1))
    across, along = np.meshgrid(lons, lats)
    easts, norths = planar().transform(across.ravel(), along.ravel())
    west, east, south, north = easts.min(), easts.max(), norths.min(), norths.max()
    # A single spot or line has no extent of its own: it is shown with its surroundings.
    wide, high = (max(side, 200.0) for side in (east - west, north - south))
    scale = _round_scale(max(wide / (width - 8), high / (height - 8)) * 1000)
    return _Frame(x, y, width, height, scale, (west + east) / 2, (south + north) / 2)


def _path(shape: Any) -> Any:
    """Return a Matplotlib path of a line or area, with its holes."""
    import shapely
    from matplotlib.path import Path as Outline

    rings = []
    for part in shapely.get_parts(shape):
        lines = [part] if part.geom_type == "LineString" else [part.exterior, *part.interiors]
        rings += [Outline(shapely.get_coordinates(line)) for line in lines]
    return Outline.make_compound_path(*rings)


def _dashes(dash: str, weight: float, pixel: float) -> Any:
    """Return an SVG dash pattern as Matplotlib takes it: in units of the line's width."""
    if not dash or not weight:
        return "solid"
    return (0, [float(step) * pixel / weight for step in dash.split()])


def _stroke(canvas: _Canvas, shape: Any, colour: str, weight: float, dash: str, z: float) -> None:
    from matplotlib.patches import PathPatch

    if not colour or colour == "transparent" or not weight:
        return
    width = weight * canvas.pixel
    canvas.axes.add_patch(
        PathPatch(
            _path(shape),
            fill=False,
            edgecolor=colour,
            linewidth=width,
            linestyle=_dashes(dash, width, canvas.pixel),
            capstyle="butt" if dash else "round",
            joinstyle="round",
            zorder=z,
        )
    )


def _fill(axes: Axes, shape: Any, look: Style, z: float) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import PathPatch

    if not look.fill or look.fill_opacity < 0.02:
        return
    if look.fill == "hatch":
        patch = PathPatch(
            _path(shape), facecolor="none", edgecolor="#8f7a6b", linewidth=0, hatch="////", zorder=z
        )
    else:
        colour = to_rgba(look.fill, look.fill_opacity)
        patch = PathPatch(_path(shape), facecolor=colour, edgecolor="none", linewidth=0, zorder=z)
    axes.add_patch(patch)


def _spots(canvas: _Canvas, layer: Layer, shapes: Sequence[Any], z: float) -> None:
    for shape, look in zip(shapes, layer.looks, strict=True):
        if shape is not None and shape.geom_type == "Point":
            canvas.axes.plot(
                [shape.x],
                [shape.y],
                "o",
                markersize=look.radius * 2 * canvas.pixel,
                markerfacecolor=look.fill,
                markeredgecolor=look.stroke,
                markeredgewidth=look.weight * canvas.pixel,
                zorder=z,
            )


def _paint(canvas: _Canvas, layer: Layer, z: float) -> None:
    """Draw a layer: fills, all casings, then lines, so that no line is cut by another's casing."""
    shapes = [None if shape is None else to_planar(shape) for shape in layer.shapes]
    # The first by rank comes last, on top of the others.
    for row, place, shape, look in reversed(
        list(zip(layer.rows, layer.shapes, shapes, layer.looks, strict=True))
    ):
        if shape is None or shape.geom_type == "Point":
            continue
        if layer.key == "district":
            canvas.axes.add_patch(_sheet_of(shape))
        if shape.geom_type.endswith("Polygon"):
            _fill(canvas.axes, shape, look, z)
        if look.casing and not look.casing_over:
            _stroke(canvas, shape, look.casing, look.casing_weight, "", z + 0.2)
        told_apart = sheets.sides(row, place)
        for part, side in told_apart:
            doubt = INFERRED if part["status"] == "inferred" else ""
            _stroke(canvas, to_planar(side), look.stroke, look.weight, doubt, z + 0.4)
        if not told_apart:
            _stroke(canvas, shape, look.stroke, look.weight, look.dash, z + 0.4)
        if look.casing and look.casing_over:
            _stroke(canvas, shape, look.casing, look.casing_weight, "8 8", z + 0.6)
    _spots(canvas, layer, shapes, z + 0.8)


def _sheet_of(district: Any) -> Any:
    from matplotlib.patches import PathPatch

    return PathPatch(_path(district), facecolor=_PAPER, edgecolor="none", linewidth=0, zorder=1)


# --- labels -------------------------------------------------------------------------------


def _box(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Any:
    """Return the rectangle around a middle, turned."""
    import shapely
    from shapely import affinity

    flat = shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return affinity.rotate(flat, turn) if turn else flat


def _label_lines(page: _Page, text: str, size: float) -> list[str]:
    """Break a zone's name in two between its parts, after the closing bracket; else by width."""
    for bracket in "」』）":
        head, found, tail = text.partition(bracket)
        if found and tail:
            return [head + found, tail]
    return page.wrap(text, size, 42 * page.zoom, bold=True)


def _labels(page: _Page, frame: _Frame, drawn: Sheet) -> None:
    """Place the labels one by one, the more important first; none on top of another."""
    soft = _kept_clear(page, frame, drawn)
    for key in sheets.LABELLED:
        if key in drawn.layers:
            for label in sheets.labels(drawn.layers[key]):
                _place(page, frame, key, label, drawn.say["indicative"], soft)


def _kept_clear(page: _Page, frame: _Frame, drawn: Sheet) -> list[Any]:
    """Return what a label covers only where it must: the spots of sites, and corridors."""
    import numpy as np
    import shapely

    found = []
    for key in ("sites", "corridors"):
        layer = drawn.layers.get(key)
        for shape, look in zip(layer.shapes, layer.looks, strict=True) if layer else ():
            if shape is not None:
                at = shapely.transform(
                    to_planar(shape),
                    lambda c: np.column_stack(frame.on_page(c[:, 0], c[:, 1])),
                )
                reach = max(look.weight / 2, look.radius) * _PIXEL * _POINT * page.zoom
                found.append(at.buffer(reach))
    return found


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
    reach = gap + look.weight * _PIXEL * _POINT / 2 + half
    return [(side * math.cos(away) * reach, side * math.sin(away) * reach) for side in (1, -1)]


def _place(page: _Page, frame: _Frame, key: str, label: Label, tag: str, soft: list[Any]) -> None:

    size, bold, ink = _LETTERING[key]
    text = printable(label.text)
    lines = _label_lines(page, text, size) if key == "zones" else [text]
    small = [tag] if label.indicative else []
    height = page.line(size) * len(lines) + (page.line(size * 0.72) if small else 0)
    width = max(page.measure(line, size, bold=bold) for line in lines)
    inner = _box(
        frame.x + frame.width / 2, frame.y + frame.height / 2, frame.width - 2, frame.height - 2
    )
    along = key in ("corridors", "streets") or (key == "sites" and not label.look.radius)
    best: tuple[int, Any] | None = None
    for spot in label.spots:
        turn, stack = _turned(spot, text) if along else (0.0, False)
        wide, high = (width, height)
        if stack:
            wide, high = page.line(size) * 0.8, page.line(size) * 0.8 * len(text)
        x, y = frame.on_page(*planar().transform(spot.lon, spot.lat))
        for dx, dy in _shifts(key, label.look, spot, wide, high, bool(turn)):
            box = _box(x + dx, y + dy, wide + 0.6, high, turn)
            if not box.within(inner) or any(box.intersects(taken) for taken in page.taken):
                continue
            covered = sum(box.intersects(thing) for thing in soft)
            if best is None or covered < best[0]:
                best = covered, (box, x + dx, y + dy, turn, stack)
    # What matters less isn't written across what matters more.
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
    page: _Page,
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
        page.write(x, top - step * len(lines) - last / 2, line, size * 0.72, ink=_SOFT, **look)


# --- instruments --------------------------------------------------------------------------


def _plate(page: _Page, x: float, y: float, width: float, height: float, **look: Any) -> None:
    from matplotlib.patches import Rectangle

    page.axes.add_patch(Rectangle((x, y), width, height, **{"linewidth": 0, "zorder": 40} | look))


def _kilometres(metres: float) -> str:
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


def _scale_bar(page: _Page, frame: _Frame, say: Mapping[str, Any]) -> None:
    """Draw a bar of four or five fields, a quarter of the map wide, and the scale in figures."""
    import shapely

    longest = frame.width * 0.28 * frame.scale / 1000
    power = 10 ** math.floor(math.log10(longest))
    whole = max(step * power for step in (1, 2, 4, 5) if step * power <= longest)
    fields = 5 if str(whole)[0] == "5" else 4
    mm, tall = whole * 1000 / frame.scale, 1.3 * page.zoom
    x, y = frame.x + 6, frame.y + 5
    ratio = f"{say['scale']}{say['colon']}1:{frame.scale:,.0f}".replace(",", " ")
    ends = page.measure(_kilometres(whole), 6.5) / 2
    _plate(page, x - 3, y - 2.5, mm + 4.5 + ends, 11.5 * page.zoom, color=_PAPER, alpha=0.82)
    for number in range(fields):
        shade = _INK if number % 2 == 0 else _PAPER
        _plate(
            page,
            x + number * mm / fields,
            y,
            mm / fields,
            tall,
            facecolor=shade,
            edgecolor=_INK,
            linewidth=0.5,
            zorder=45,
        )
    page.write(x, y + 3.1 * page.zoom, "0", 6.5, align="center")
    middle = _kilometres(whole / 2).split()[0] if whole >= 2000 or whole < 1000 else ""
    page.write(x + mm / 2, y + 3.1 * page.zoom, middle, 6.5, align="center")
    page.write(x + mm, y + 3.1 * page.zoom, _kilometres(whole), 6.5, align="center")
    page.write(x - 1, y + 6.6 * page.zoom, ratio, 6.5, ink=_SOFT)
    page.taken.append(shapely.box(x - 3, y - 2.5, x + mm + 1.5 + ends, y + 9 * page.zoom))


def _north_arrow(page: _Page, frame: _Frame, letter: str) -> None:
    from matplotlib.patches import Polygon

    unit = page.zoom
    x, y = frame.x + frame.width - 9 * unit, frame.y + frame.height - 17 * unit
    for side, colour in ((-1, _PAPER), (1, _INK)):
        at = [(x, y + 9 * unit), (x + side * 3 * unit, y), (x, y + 2.4 * unit)]
        page.axes.add_patch(Polygon(at, facecolor=colour, edgecolor=_INK, linewidth=0.6, zorder=45))
    page.write(x, y + 11.3 * unit, letter, 9, bold=True, align="center")
    page.taken.append(_box(x, y + 6 * unit, 8 * unit, 15 * unit))


def _graticule(axes: Axes, page: _Page, frame: _Frame) -> None:
    """Draw meridians and parallels, with their degrees and minutes along the frame."""
    import shapely

    (left, right), (low, high) = frame.limits()
    lons, lats = planar().transform(
        [left, right, left, right], [low, low, high, high], direction="INVERSE"
    )
    west, east, south, north = min(lons), max(lons), min(lats), max(lats)
    steps = (1, 2, 5, 10, 15, 20, 30, 60)
    step = next((s for s in steps if (north - south) * 60 / s <= 6), 120) / 60
    window = shapely.box(left, low, right, high)
    for lower, upper, run in ((west, east, (south, north)), (south, north, (west, east))):
        meridian = run == (south, north)
        for number in range(math.ceil(lower / step), math.floor(upper / step) + 1):
            value = number * step
            ends = [(value, end) if meridian else (end, value) for end in run]
            whole = to_planar(shapely.segmentize(shapely.LineString(ends), 0.01))
            line: Any = shapely.intersection(whole, window)
            if line.is_empty or line.geom_type != "LineString":
                continue
            axes.plot(*line.xy, color="#8d97a3", linewidth=0.35, zorder=30)
            _degrees(page, frame, line, value, meridian)


def _degrees(page: _Page, frame: _Frame, line: Any, value: float, meridian: bool) -> None:
    minutes = round(value * 60)
    side = ("E" if value >= 0 else "W") if meridian else ("N" if value >= 0 else "S")
    text = f"{abs(minutes) // 60}°{abs(minutes) % 60:02d}′{side}"
    x, y = frame.on_page(*line.coords[0])
    half = page.measure(text, 5.5) / 2
    x, y = (x, y + 1.7 * page.zoom) if meridian else (x + half + 1, y + 1.5 * page.zoom)
    box = _box(x, y, 2 * half, page.line(5.5))
    if not any(box.intersects(taken) for taken in page.taken):
        page.taken.append(box)
        page.write(x, y, text, 5.5, ink="#5f6b78", align="center", halo=1)


# --- legend -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the legend: its words, its sample, and how many lines of figures stand below."""

    lines: tuple[str, ...]
    value: str = ""
    tag: bool = False
    item: Item | None = None
    shape: str = "area"
    heading: bool = False
    below: int = 0


def _rows_of(page: _Page, drawn: Sheet, room: float) -> list[list[_Row]]:
    """Return the legend as blocks that stay together."""
    say, kind = drawn.say, {"sites": "point", "corridors": "line", "streets": "line"}
    blocks = []
    for layer in drawn.legend():
        shape, entries = kind.get(layer.key, "area"), sheets.items(layer, say)
        single = len(layer.rows) == 1 and len(entries) == 1
        shown = [item for item in entries if not item.rows or _placed(layer, item)]
        count = "" if single else sheets.count(layer, say)
        own = None if shown else _own_item(layer)
        block = [
            _Row((printable(say["layers"][layer.key]),), count, item=own, shape=shape, heading=True)
        ]
        for item in shown:
            block.append(_entry(page, item, shape, room, say["indicative"]))
        if any(shape is not None for shape in layer.shapes):
            blocks.append(block)
    dashes = [_entry(page, item, "line", room) for item in sheets.keys(drawn)]
    return [*blocks, dashes] if dashes else blocks


def _placed(layer: Layer, item: Item) -> bool:
    return any(layer.shapes[number] is not None for number in item.rows)


def _own_item(layer: Layer) -> Item | None:
    return sheets.Item("", "", layer.looks[0]) if layer.looks else None


def _entry(page: _Page, item: Item, shape: str, room: float, tag: str = "") -> _Row:
    left = room - 9.5 * page.zoom
    lines = tuple(page.wrap(printable(item.label), 7, left))
    value = printable(item.value)
    below = int(item.indicative is not None)
    if item.indicative and value:
        # The tag goes to a line of its own where it doesn't fit behind the figure.
        needed = page.measure(value, 6.5) + page.measure(printable(tag), 5.5) + 3.2 * page.zoom
        below += needed > left
    return _Row(lines, value, bool(item.indicative), item, shape, below=below)


def _row_height(page: _Page, row: _Row) -> float:
    size = 8 if row.heading else 7
    written = page.line(size) * len(row.lines) + page.line(6.5) * row.below
    return written + (1.4 if row.heading else 0.9) * page.zoom


def _block_height(page: _Page, block: list[_Row]) -> float:
    return sum(_row_height(page, row) for row in block) + 1.8 * page.zoom


def _columns(page: _Page, blocks: list[list[_Row]], count: int) -> list[list[list[_Row]]]:
    """Distribute blocks over columns, in order, so that the highest column is as low as can be."""
    heights = [_block_height(page, block) for block in blocks]
    low, high = max(heights, default=0.0), sum(heights)

    def filled(limit: float) -> list[list[list[_Row]]]:
        columns: list[list[list[_Row]]] = [[]]
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


def _swatch(page: _Page, x: float, y: float, row: _Row) -> None:
    """Draw the sample of a look, seven millimetres wide, around a middle line."""
    import shapely

    if row.item is None:
        return
    look, unit, canvas = row.item.look, page.zoom, page.canvas(page.axes)
    wide = 7.0 * unit
    if row.shape == "point":
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
    if row.shape == "area":
        shape = shapely.box(x, y - 1.7 * unit, x + wide, y + 1.7 * unit)
        _fill(page.axes, shape, look, 55)
        _stroke(canvas, shape, look.casing, min(look.casing_weight, 4.0), "", 55.5)
        _stroke(canvas, shape, look.stroke, min(look.weight, 2.0), look.dash, 56)
        return
    line = shapely.LineString([(x, y), (x + wide, y)])
    if look.casing and not look.casing_over:
        _stroke(canvas, line, look.casing, look.casing_weight, "", 54)
    _stroke(canvas, line, look.stroke, look.weight, look.dash, 55)
    if look.casing_over:
        _stroke(canvas, line, look.casing, look.casing_weight, "5 5", 56)


def _draw_row(
    page: _Page, x: float, top: float, room: float, row: _Row, say: Mapping[str, Any]
) -> None:
    size, unit = (8, page.zoom) if row.heading else (7, page.zoom)
    step = page.line(size)
    indent = 0.0 if row.heading and row.item is None else 9.5 * unit
    middle = top - step * len(row.lines) / 2 - page.line(6.5) / 2 * row.below
    _swatch(page, x, middle, row)
    for number, line in enumerate(row.lines):
        page.write(x + indent, top - (number + 0.5) * step, line, size, bold=row.heading)
    if not row.below:
        page.write(x + room, top - step / 2, printable(row.value), 6.5, ink=_SOFT, align="right")
        return
    y = top - step * len(row.lines) - page.line(6.5) / 2
    page.write(x + indent, y, row.value, 6.5, ink=_SOFT)
    if row.tag:
        after = page.measure(row.value, 6.5) + 1.6 * unit if row.value and row.below == 1 else 0
        _tag(page, x + indent + after, y - page.line(6.5) * (row.below - 1), say["indicative"])


def _tag(page: _Page, x: float, y: float, text: str) -> None:
    """Write a word in a small frame."""
    unit, word = page.zoom, printable(text)
    width = page.measure(word, 5.5) + 1.6 * unit
    look = {"facecolor": "#fbf6ea", "edgecolor": "#b9a37c", "linewidth": 0.4}
    _plate(page, x, y - 1.35 * unit, width, 2.7 * unit, **look)
    page.write(x + 0.8 * unit, y, word, 5.5, ink="#6b5321")


def _draw_legend(
    page: _Page, columns: list[list[list[_Row]]], x: float, top: float, room: float, say: Any
) -> None:
    gap = 5.0 * page.zoom
    for number, column in enumerate(columns):
        left, y = x + number * (room + gap), top
        for block in column:
            page.axes.plot([left, left + room], [y, y], color="#d5d8dc", linewidth=0.5, zorder=41)
            y -= 1.2 * page.zoom
            for row in block:
                _draw_row(page, left, y, room, row, say)
                y -= _row_height(page, row)
            y -= 0.6 * page.zoom


# --- the sheet ----------------------------------------------------------------------------


def _texts(drawn: Sheet, own: Iterable[str]) -> Iterable[str]:
    """Return every text that may be drawn, for the font to be asked."""
    yield "0123456789.,:°′NESWkm²±<()–/%ha· " + drawn.say["colon"]
    yield from map(printable, own)
    yield from (printable(drawn.say[key]) for key in ("indicative", "north", "scale"))
    for layer in drawn.legend():
        yield printable(drawn.say["layers"][layer.key])
        yield printable(sheets.count(layer, drawn.say))
        for item in sheets.items(layer, drawn.say):
            yield printable(item.label)
            yield printable(item.value)
        yield from (printable(label.text) for label in sheets.labels(layer))
    yield from (printable(item.label) for item in sheets.keys(drawn))


def draw(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str = "",
    source: str,
    date: str,
    review: str | None = None,
    lang: Literal["zh-Hant", "zh-Hans", "en"] = "zh-Hant",
    layers: Collection[str] | None = None,
    page: Literal["A5", "A4", "A3", "A2"] | tuple[float, float] = "A4",
    margin: float = _MARGIN,
    landscape: bool = False,
    dpi: float = 300,
    font: str | None = None,
    legend: bool = True,
    scale_bar: bool = True,
    north: bool = True,
    graticule: bool = False,
) -> Figure:
    """Draw layers as a sheet for print.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        As `nankai_gis.present.webmap.draw` takes them: EPSG:4326, ``name`` and ``status``, and what
        else is known. Subdistricts with ``coverage_share`` make a choropleth.
    title, subtitle : str
        Empty, they take no room.
    source, date : str
        Of the whole figure, for its foot; nothing is said of what is empty.
    review : str, optional
        Map review number (審圖號). Without one the figure says 內部使用.
    lang : {"zh-Hant", "zh-Hans", "en"}
    layers : collection of str, optional
        Which of the frames to draw; all by default.
    page : {"A5", "A4", "A3", "A2"} or tuple of float
        Page size, or, for a figure inside a text, its width and height in millimetres.
    margin : float
        Millimetres that stay blank all around.
    landscape : bool
        Lay the page on its side, with the legend at the right instead of below.
    dpi : float
        Dots per inch of a PNG, 36 to 1200.
    font : str, optional
        File or family name of the font; by default the installed ones are searched.
    legend, scale_bar, north, graticule : bool
        What stands on the sheet beside the map. The graticule has degrees and minutes.

    Returns
    -------
    matplotlib.figure.Figure
        Its first axes is the map, in EPSG:4548 metres, at a round scale. `save` and `render`
        write it.

    Raises
    ------
    NotFoundError
        Unknown layer, language or page.
    FontError
        No font with a glyph for every character.
    CRSError, DataError
        As `nankai_gis.present.webmap.draw`; also for a resolution out of range, and for a page
        without
        room for the map.

    Examples
    --------
    A square of 0.1 degrees is 8.7 km wide; the first axes is in metres:

    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["Square"], "status": ["surveyed"]},
    ...     geometry=[shapely.box(117.1, 39.0, 117.2, 39.1)],
    ...     crs="EPSG:4326",
    ... )
    >>> drawn = draw(
    ...     {"district": square}, title="A", source="B", date="2025", lang="en", legend=False
    ... )
    >>> west, east = drawn.axes[0].get_xlim()
    >>> bool(8_700 < east - west < 16_000)
    True
    """
    import matplotlib
    from matplotlib.figure import Figure

    from nankai_gis.present.fonts import covering, keep

    if isinstance(page, str) and page not in PAGES:
        raise NotFoundError("page size", page, PAGES)
    if not 36 <= dpi <= 1200:
        raise DataError(f"a resolution of {dpi:g} dpi is out of range; give 36 to 1200")
    drawn = sheets.sheet(frames, lang, layers)
    foot = _foot(drawn, source, date, review)
    fonts = covering(_texts(drawn, [title, subtitle, *foot]), lang=lang, font=font)
    width, height = PAGES[page] if isinstance(page, str) else page
    zoom = (min(width, height) / PAGES["A4"][0]) ** 0.5
    if landscape:
        width, height = height, width
    # The reader's own settings of Matplotlib don't change what a sheet looks like.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"hatch.linewidth": 0.45 * zoom, "text.hinting": "none"})
        figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=dpi, facecolor="white")
        keep(fonts, figure)
        axes = figure.add_axes((0, 0, 1, 1))
        over = figure.add_axes((0, 0, 1, 1))
        over.set(xlim=(0, width), ylim=(0, height))
        over.set_axis_off()
        over.patch.set_alpha(0)
        paper = _Page(over, fonts, zoom, width, height, margin)
        _compose(
            paper,
            axes,
            drawn,
            (title, subtitle),
            foot,
            landscape,
            legend,
            scale_bar,
            north,
            graticule,
        )
    return figure


def _foot(drawn: Sheet, source: str, date: str, review: str | None) -> list[str]:
    say = drawn.say
    standing = f"{say['review']}{say['colon']}{review}" if review else say["internal"]
    known_of = (("source", source), ("date", date))
    origin = " · ".join(f"{say[what]}{say['colon']}{text}" for what, text in known_of if text)
    note = say["note"] + say["sigma"] + say["note"][-1]
    return [
        printable(line)
        for line in (origin, f"{standing} · {CREDIT}", say["projection"], note)
        if line
    ]


def _compose(
    page: _Page,
    axes: Axes,
    drawn: Sheet,
    heads: tuple[str, str],
    foot: list[str],
    landscape: bool,
    legend: bool,
    scale_bar: bool,
    north: bool,
    graticule: bool,
) -> None:
    """Share the page out between heading, map, legend and foot, and fill each."""
    unit, edge = page.zoom, page.margin
    room = page.width - 2 * edge
    top = _heading(page, heads, page.height - edge, room)
    bottom = _footing(page, foot, edge, room) + 2 * unit
    left, right = edge, page.width - edge
    if legend:
        gap = 5.0 * unit
        wide = 62.0 * unit if landscape else (room - 2 * gap) / 3
        blocks = _rows_of(page, drawn, wide)
        columns = _columns(page, blocks, 1 if landscape else 3)
        tall = max(sum(_block_height(page, block) for block in column) for column in columns)
        if landscape and tall > top - bottom:
            columns = _columns(page, blocks, 2)
        if landscape:
            right -= len(columns) * (wide + gap)
            _draw_legend(page, columns, right + gap, top, wide, drawn.say)
        else:
            _draw_legend(page, columns, left, bottom + tall, wide, drawn.say)
            bottom += tall + 2 * unit
    if min(right - left, top - bottom) < _LEAST:
        raise DataError(
            f"a page of {page.width:g} by {page.height:g} mm has no room for the map beside "
            "heading, legend and foot; take a larger page or leave the legend out"
        )
    frame = _framed(drawn, left, bottom, right - left, top - bottom)
    axes.set_position(
        (
            left / page.width,
            bottom / page.height,
            frame.width / page.width,
            frame.height / page.height,
        )
    )
    horizontal, vertical = frame.limits()
    axes.set(
        xlim=horizontal,
        ylim=vertical,
        xticks=[],
        yticks=[],
        facecolor=_GROUND if "district" in drawn.layers else _PAPER,
    )
    for spine in axes.spines.values():
        spine.set(linewidth=0.8, edgecolor="#333333", zorder=90)
    for number, layer in enumerate(drawn.layers.values()):
        _paint(page.canvas(axes), layer, 2.0 + number)
    axes.set(xlim=horizontal, ylim=vertical)
    if scale_bar:
        _scale_bar(page, frame, drawn.say)
    if north:
        _north_arrow(page, frame, printable(drawn.say["north"]))
    if graticule:
        _graticule(axes, page, frame)
    _labels(page, frame, drawn)


def _heading(page: _Page, heads: tuple[str, str], top: float, room: float) -> float:
    """Write title and subtitle; return where the rest begins."""
    title, subtitle = (printable(text) for text in heads)
    if not title and not subtitle:
        return top
    for line in page.wrap(title, 16, room, bold=True) if title else ():
        page.write(page.margin, top - page.line(16) / 2, line, 16, bold=True)
        top -= page.line(16)
    for line in page.wrap(subtitle, 9.5, room) if subtitle else ():
        page.write(page.margin, top - page.line(9.5) / 2, line, 9.5, ink=_SOFT)
        top -= page.line(9.5)
    return top - 2 * page.zoom


def _footing(page: _Page, foot: list[str], bottom: float, room: float) -> float:
    """Write the imprint from the lower edge upwards; return where the rest ends."""
    lines = [line for text in foot for line in page.wrap(text, 6.5, room)]
    for line in reversed(lines):
        page.write(page.margin, bottom + page.line(6.5) / 2, line, 6.5, ink=_SOFT)
        bottom += page.line(6.5)
    return bottom


# --- files --------------------------------------------------------------------------------


def _known(name: str) -> Form:
    for form in FORMATS:
        if form == name:
            return form
    raise NotFoundError("format of figures", name, FORMATS)


def render(drawn: Figure, form: Form = "png") -> bytes:
    """Return a figure as a file's content.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
        Made by `draw`.
    form : {"png", "svg", "pdf"}
        PDF has its fonts embedded (TrueType, only the glyphs in use); SVG has texts as
        outlines.

    Returns
    -------
    bytes
        The same for the same figure, whenever it is written.

    Raises
    ------
    NotFoundError
        For another format.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> render(Figure(), "pdf")[:5]
    b'%PDF-'
    """
    import matplotlib

    form = _known(form)
    undated: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    settings: dict[Any, Any] = {
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "nankai-gis",
        "text.hinting": "none",  # letters keep their distances
    }
    target = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        drawn.savefig(target, format=form, dpi=drawn.dpi, metadata=undated[form])
    return _lean(target.getvalue()) if form == "svg" else target.getvalue()


def _lean(svg: bytes) -> bytes:
    """Return an SVG of half the size that looks the same.

    Matplotlib writes a text with a halo twice, letter by letter, and every coordinate to a
    millionth of a point.
    """
    number = itertools.count(1)

    def hundredths(path: re.Match[str]) -> str:
        return _DECIMALS.sub(lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), path[0])

    def once(pair: re.Match[str]) -> str:
        name, (outline, halo, letters) = f"haloed-{next(number)}", pair.groups()
        uses = (f'<use xlink:href="#{name}" style="{style}"/>' for style in (halo, letters))
        return f'<defs><path id="{name}" d="{outline}"/></defs>{"".join(uses)}'

    return _TWICE.sub(once, _OUTLINE.sub(hundredths, svg.decode())).encode()


def save(drawn: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure to a file, whole or not at all.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
        Made by `draw`.
    path : pathlib.Path
        Its suffix says the format: ``.png``, ``.svg`` or ``.pdf``.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    NotFoundError
        For another suffix.
    OutputError
        If the file exists and may not be replaced, or can't be written.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> target = Path(tempfile.mkdtemp()) / "a.svg"
    >>> save(Figure(), target)
    >>> target.read_bytes()[:5]
    b'<?xml'
    """
    from nankai_gis.files.atomic import atomic_write

    form = _known(path.suffix.lower().removeprefix("."))
    with atomic_write(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(render(drawn, form))
