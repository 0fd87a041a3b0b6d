"""Readings of a clause side by side: a small picture of each, all at one scale."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from nankai_gis.present.facts import area, name_of
from nankai_gis.present.fonts import covering, printable
from nankai_gis.present.style import BLUE
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

#: Pictures in a row.
_COLUMNS = 3


def side_by_side(readings: GeoDataFrame, streets: GeoDataFrame | None) -> Figure:
    """Draw each reading over the streets, with the one that is drawn elsewhere in grey."""
    from matplotlib.figure import Figure

    from nankai_gis.geometry.crs import PLANAR

    # The text of every picture: name, area, and whether it is the one that is drawn.
    rows = readings.to_dict("records")
    heads = [
        "\n".join(
            [
                *textwrap.wrap(name_of(row), 30 if name_of(row).isascii() else 15),
                tr("{area} (drawn)", area=area(row["area_m2"]))
                if row["chosen"]
                else area(row["area_m2"]),
            ]
        )
        for row in rows
    ]
    letters = covering([printable(head.replace("\n", " ")) for head in heads]).regular.at(8)
    ground = readings.to_crs(PLANAR)
    lines = None if streets is None or not len(streets) else streets.to_crs(PLANAR)
    west, south, east, north = ground.total_bounds
    margin = 0.06 * max(east - west, north - south)

    # One frame for all, so that they can be compared.
    high = -(-len(rows) // _COLUMNS)
    page = Figure(figsize=(6.4, 2.6 * high), dpi=220, facecolor="white")
    for number, head in enumerate(heads, start=1):
        axes = page.add_subplot(high, _COLUMNS, number)
        if lines is not None:
            lines.plot(ax=axes, color="#bdbdbd", linewidth=0.5)
        chosen = ground[ground["chosen"]]
        if len(chosen):
            chosen.plot(ax=axes, color="#d9d9d9", edgecolor="none")
        one = ground.iloc[[number - 1]]
        one.plot(ax=axes, facecolor=(*_rgb(BLUE), 0.25), edgecolor=BLUE, linewidth=1.2)
        axes.set(xlim=(west - margin, east + margin), ylim=(south - margin, north + margin))
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title("\n".join(map(printable, head.split("\n"))), fontproperties=letters)
    page.tight_layout(pad=0.4)
    return page


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red / 255, green / 255, blue / 255
