"""The page of a figure: an axes in millimetres, the sizes of its text, and its pens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nankai_gis.words.signs import breakable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nankai_gis.present.fonts import Face, FacePair
    from nankai_gis.present.style import Style

#: Pages by name: the short and the long side in millimetres.
PAGES: Mapping[str, tuple[float, float]] = {
    "A5": (148, 210),
    "A4": (210, 297),
    "A3": (297, 420),
    "A2": (420, 594),
}
#: Points of print for a pixel of the screen map, on A4.
PIXEL = 0.6
INCH, POINT = 25.4, 25.4 / 72
INK, SOFT, PAPER, GROUND = "#1f2226", "#5d636b", "#ffffff", "#f1f1ef"


@dataclass(frozen=True, slots=True)
class Canvas:
    """An axes, and how many points of print a pixel of the screen map has on it."""

    axes: Axes
    pixel: float


@dataclass(slots=True)
class Page:
    """The sheet of paper: an axes in millimetres from the lower left corner, and the pens."""

    axes: Axes
    fonts: FacePair
    zoom: float
    width: float
    height: float
    margin: float
    taken: list[Any] = field(default_factory=list)

    def canvas(self, axes: Axes) -> Canvas:
        """Return an axes on this page as one to draw looks on."""
        return Canvas(axes, PIXEL * self.zoom)

    def face(self, bold: bool) -> Face:
        """Return the regular or the bold face."""
        return self.fonts.bold if bold else self.fonts.regular

    def measure(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return the width of a line of text, in millimetres."""
        return self.face(bold).width(self.fonts.drawn(text), size * self.zoom)

    def line(self, size: float) -> float:
        """Return the height of a line of text, in millimetres."""
        return size * self.zoom * POINT * 1.32

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        ink: str = INK,
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
            self.fonts.drawn(text),
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
        for piece in breakable(text):
            if line and self.measure((line + piece).rstrip(), size, bold=bold) > room:
                lines.append(line.rstrip())
                line = ""
            line += piece
        return [*lines, line.rstrip()] if line.strip() else lines or [""]


def outline(shape: Any) -> Any:
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


def stroke(canvas: Canvas, shape: Any, colour: str, weight: float, dash: str, z: float) -> None:
    """Draw the line of a shape, or the edge of an area; weight in pixels of the screen map."""
    from matplotlib.patches import PathPatch

    if not colour or colour == "transparent" or not weight:
        return
    width = weight * canvas.pixel
    canvas.axes.add_patch(
        PathPatch(
            outline(shape),
            fill=False,
            edgecolor=colour,
            linewidth=width,
            linestyle=_dashes(dash, width, canvas.pixel),
            capstyle="butt" if dash else "round",
            joinstyle="round",
            zorder=z,
        )
    )


def fill(axes: Axes, shape: Any, look: Style, z: float) -> None:
    """Fill an area, with a colour or a hatch."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import PathPatch

    if not look.fill or look.fill_opacity < 0.02:
        return
    if look.fill == "hatch":
        patch = PathPatch(
            outline(shape),
            facecolor="none",
            edgecolor="#8f7a6b",
            linewidth=0,
            hatch="////",
            zorder=z,
        )
    else:
        colour = to_rgba(look.fill, look.fill_opacity)
        patch = PathPatch(outline(shape), facecolor=colour, edgecolor="none", linewidth=0, zorder=z)
    axes.add_patch(patch)


def plate(page: Page, x: float, y: float, width: float, height: float, **look: Any) -> None:
    """Draw a rectangle, in millimetres."""
    from matplotlib.patches import Rectangle

    page.axes.add_patch(Rectangle((x, y), width, height, **{"linewidth": 0, "zorder": 40} | look))


def box_around(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Any:
    """Return the rectangle around a middle, turned."""
    import shapely
    from shapely import affinity

    flat = shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return affinity.rotate(flat, turn) if turn else flat
