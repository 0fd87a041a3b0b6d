"""Scale bar, north arrow and graticule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nankai_gis.geometry.crs import planar, to_planar
from nankai_gis.present.facts import labelled
from nankai_gis.present.figure.page import INK, PAPER, SOFT, Page, box_around, plate
from nankai_gis.present.fonts import printable
from nankai_gis.words import tr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nankai_gis.present.figure.map_area import MapFrame


def _kilometres(metres: float) -> str:
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


def draw_scale_bar(page: Page, frame: MapFrame) -> None:
    """Draw a bar of four or five fields, a quarter of the map wide, and the scale in figures."""
    import shapely

    longest = frame.width * 0.28 * frame.scale / 1000
    power = 10 ** math.floor(math.log10(longest))
    whole = max(step * power for step in (1, 2, 4, 5) if step * power <= longest)
    fields = 5 if str(whole)[0] == "5" else 4
    mm, tall = whole * 1000 / frame.scale, 1.3 * page.zoom
    x, y = frame.x + 6, frame.y + 5
    ratio = labelled(tr("Scale"), f"1:{frame.scale:,.0f}".replace(",", " "))
    ends = page.measure(_kilometres(whole), 6.5) / 2
    plate(page, x - 3, y - 2.5, mm + 4.5 + ends, 11.5 * page.zoom, color=PAPER, alpha=0.82)
    for number in range(fields):
        shade = INK if number % 2 == 0 else PAPER
        plate(
            page,
            x + number * mm / fields,
            y,
            mm / fields,
            tall,
            facecolor=shade,
            edgecolor=INK,
            linewidth=0.5,
            zorder=45,
        )
    page.write(x, y + 3.1 * page.zoom, "0", 6.5, align="center")
    middle = _kilometres(whole / 2).split()[0] if whole >= 2000 or whole < 1000 else ""
    page.write(x + mm / 2, y + 3.1 * page.zoom, middle, 6.5, align="center")
    page.write(x + mm, y + 3.1 * page.zoom, _kilometres(whole), 6.5, align="center")
    page.write(x - 1, y + 6.6 * page.zoom, ratio, 6.5, ink=SOFT)
    page.taken.append(shapely.box(x - 3, y - 2.5, x + mm + 1.5 + ends, y + 9 * page.zoom))


def draw_north_arrow(page: Page, frame: MapFrame) -> None:
    """Draw the arrow in the upper right corner of the map."""
    from matplotlib.patches import Polygon

    unit = page.zoom
    x, y = frame.x + frame.width - 9 * unit, frame.y + frame.height - 17 * unit
    for side, colour in ((-1, PAPER), (1, INK)):
        at = [(x, y + 9 * unit), (x + side * 3 * unit, y), (x, y + 2.4 * unit)]
        page.axes.add_patch(Polygon(at, facecolor=colour, edgecolor=INK, linewidth=0.6, zorder=45))
    page.write(x, y + 11.3 * unit, printable(tr("N")), 9, bold=True, align="center")
    page.taken.append(box_around(x, y + 6 * unit, 8 * unit, 15 * unit))


def draw_graticule(axes: Axes, page: Page, frame: MapFrame) -> None:
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
            _write_degrees(page, frame, line, value, meridian)


def _write_degrees(page: Page, frame: MapFrame, line: Any, value: float, meridian: bool) -> None:
    minutes = round(value * 60)
    side = ("E" if value >= 0 else "W") if meridian else ("N" if value >= 0 else "S")
    text = f"{abs(minutes) // 60}°{abs(minutes) % 60:02d}′{side}"
    x, y = frame.on_page(*line.coords[0])
    half = page.measure(text, 5.5) / 2
    x, y = (x, y + 1.7 * page.zoom) if meridian else (x + half + 1, y + 1.5 * page.zoom)
    box = box_around(x, y, 2 * half, page.line(5.5))
    if not any(box.intersects(taken) for taken in page.taken):
        page.taken.append(box)
        page.write(x, y, text, 5.5, ink="#5f6b78", align="center", halo=1)
