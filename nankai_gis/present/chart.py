"""A picture of coverage: bars by street, and a small map of where they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nankai_gis.present.fonts import covering, printable
from nankai_gis.present.style import BLUE, ORANGE
from nankai_gis.words import mark, ntr, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

#: Bars on one picture: more can't be read.
MOST = 25
_INSIDE, _BOUNDARY = BLUE, ORANGE
_ZONES = "#d9d9d9"
_INSIDE_LABEL, _BOUNDARY_LABEL = mark("inside zones"), mark("on their boundary")


@dataclass(frozen=True, slots=True)
class Bar:
    """One street of the picture.

    Attributes
    ----------
    label : str
    inside_km, boundary_km : float
    """

    label: str
    inside_km: float
    boundary_km: float


def coverage(
    bars: Sequence[Bar],
    pieces: GeoDataFrame,
    zones: GeoDataFrame,
    *,
    title: str,
    source: str,
    font: str | None = None,
    dpi: int = 200,
) -> Figure:
    """Draw how much of which street lies in zones and on their boundaries.

    Parameters
    ----------
    bars : sequence of Bar
        The longest `MOST` are shown, longest first; the rest is counted in a line below.
    pieces : geopandas.GeoDataFrame
        Cut pieces of the streets, EPSG:4326, with ``zones`` and ``along`` (text, empty where a
        piece is in no zone, on no boundary).
    zones : geopandas.GeoDataFrame
        Polygons, EPSG:4326.
    title, source : str
    font : str, optional
        File or family; by default one that has every character.
    dpi : int

    Returns
    -------
    matplotlib.figure.Figure
        `nankai_gis.present.figure.render` makes a file of it.

    Raises
    ------
    FontError
        If no font has all the characters.

    Examples
    --------
    >>> import geopandas
    >>> from shapely.geometry import LineString, box
    >>> zone = geopandas.GeoDataFrame(geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    >>> piece = geopandas.GeoDataFrame(
    ...     {"zones": ["z"], "along": [""]},
    ...     geometry=[LineString([(117, 39.005), (117.01, 39.005)])], crs=4326)
    >>> drawn = coverage([Bar("甲路", 0.87, 0.0)], piece, zone, title="道路", source="")
    >>> [len(axes.patches) for axes in drawn.axes[:1]]
    [2]
    """
    from matplotlib.figure import Figure

    ordered = sorted(bars, key=lambda bar: -(bar.inside_km + bar.boundary_km))
    shown, rest = ordered[:MOST], ordered[MOST:]
    more = (
        ntr("{n} more road is not shown", "{n} more roads are not shown", len(rest)) if rest else ""
    )
    # Matplotlib takes the height of a line from "lp".
    heads = [tr(_INSIDE_LABEL), tr(_BOUNDARY_LABEL), tr("kilometres"), "0123456789.-lp"]
    texts = [title, source, more, *heads, *(bar.label for bar in shown)]
    faces = covering(map(printable, texts), font=font)
    letters = faces.regular.at(10)
    shown = [replace(bar, label=faces.drawn(printable(bar.label))) for bar in shown]
    height = max(3.2, 1.4 + 0.24 * len(shown))
    page = Figure(figsize=(9.0, height), dpi=dpi, facecolor="white")
    grid = page.add_gridspec(1, 2, width_ratios=(3, 2), left=0.2, right=0.98, wspace=0.05)
    _bars(page.add_subplot(grid[0]), shown, letters)
    _map(page.add_subplot(grid[1]), pieces, zones)
    head = faces.drawn(printable(title))
    foot = faces.drawn(printable("  ".join(filter(None, (source, more)))))
    page.text(0.02, 0.965, head, fontproperties=letters, fontsize=13, va="top")
    page.text(
        0.02, 0.02, foot, fontproperties=letters,
        fontsize=7, color="#555555",
    )  # fmt: skip
    page.subplots_adjust(top=1 - 0.65 / height, bottom=0.75 / height)
    return page


def _sized(letters: Any, points: float) -> Any:
    sized = letters.copy()
    sized.set_size(points)
    return sized


def _bars(axes: Any, shown: Sequence[Bar], letters: Any) -> None:
    rows = range(len(shown))
    inside = [bar.inside_km for bar in shown]
    axes.barh(rows, inside, color=_INSIDE, label=tr(_INSIDE_LABEL), height=0.7)
    axes.barh(
        rows,
        [bar.boundary_km for bar in shown],
        left=inside,
        color=_BOUNDARY,
        label=tr(_BOUNDARY_LABEL),
        height=0.7,
    )
    axes.set_yticks(rows, [bar.label for bar in shown], fontproperties=letters, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(tr("kilometres"), fontproperties=letters, fontsize=8)
    for tick in axes.get_xticklabels():
        tick.set_fontproperties(letters)
        tick.set_fontsize(7)
    axes.legend(prop=_sized(letters, 8), loc="lower right", frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)


def _map(axes: Any, pieces: GeoDataFrame, zones: GeoDataFrame) -> None:
    """In EPSG:4548, so that a kilometre is as long either way."""
    from nankai_gis.geometry.crs import PLANAR

    ground = zones.to_crs(PLANAR)
    ground.plot(ax=axes, color=_ZONES, edgecolor="#888888", linewidth=0.5)
    west, south, east, north = ground.total_bounds
    streets = pieces.to_crs(PLANAR)
    along = streets["along"] != ""
    inside = (streets["zones"] != "") & ~along
    for rows, colour, width in (
        (streets[~along & ~inside], "#bbbbbb", 0.5),
        (streets[inside], _INSIDE, 1.0),
        (streets[along], _BOUNDARY, 1.2),
    ):
        if len(rows):
            rows.plot(ax=axes, color=colour, linewidth=width)
    margin = 0.05 * max(east - west, north - south)
    axes.set_xlim(west - margin, east + margin)
    axes.set_ylim(south - margin, north + margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
