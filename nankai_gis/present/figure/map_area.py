"""The map on the page: where it lies, at which scale, and its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nankai_gis.geometry.crs import planar, to_planar
from nankai_gis.present.facts import sides
from nankai_gis.present.figure.page import PAPER, Canvas, fill, outline, stroke
from nankai_gis.present.style import INFERRED

if TYPE_CHECKING:
    from nankai_gis.present.document import MapDocument, MapLayer

#: Mantissas of the denominators that a scale may have.
_ROUND = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 7.5, 8, 9)


@dataclass(frozen=True, slots=True)
class MapFrame:
    """Where the map lies on the page (millimetres) and on the ground (EPSG:4548 metres)."""

    x: float
    y: float
    width: float
    height: float
    scale: float
    east: float
    north: float

    def on_page(self, east: Any, north: Any) -> tuple[Any, Any]:
        """Return where ground coordinates (EPSG:4548) lie on the page, in millimetres."""
        mm = 1000 / self.scale
        x = self.x + self.width / 2 + (east - self.east) * mm
        return x, self.y + self.height / 2 + (north - self.north) * mm

    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the easts and the norths of the map's edges, in metres."""
        wide, high = (side * self.scale / 2000 for side in (self.width, self.height))
        return (self.east - wide, self.east + wide), (self.north - high, self.north + high)


def _round_scale(at_least: float) -> float:
    """Return the next round denominator of a scale."""
    power = 10.0 ** math.floor(math.log10(at_least))
    steps = (step * power for step in (*_ROUND, 10))
    return next(step for step in steps if step >= at_least * (1 - 1e-9))


def framed(document: MapDocument, x: float, y: float, width: float, height: float) -> MapFrame:
    """Fit a map into a part of the page, given in millimetres, at a round scale."""
    import numpy as np

    # Parallels bend on the plane, so the middles of the sides count as much as the corners.
    lons, lats = (np.linspace(document.bounds[n], document.bounds[n + 2], 9) for n in (0, 1))
    across, along = np.meshgrid(lons, lats)
    easts, norths = planar().transform(across.ravel(), along.ravel())
    west, east, south, north = easts.min(), easts.max(), norths.min(), norths.max()
    # A single spot or line has no extent of its own: it is shown with its surroundings.
    wide, high = (max(side, 200.0) for side in (east - west, north - south))
    scale = _round_scale(max(wide / (width - 8), high / (height - 8)) * 1000)
    return MapFrame(x, y, width, height, scale, (west + east) / 2, (south + north) / 2)


def _spots(canvas: Canvas, layer: MapLayer, shapes: Sequence[Any], z: float) -> None:
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


def draw_layer(canvas: Canvas, layer: MapLayer, z: float) -> None:
    """Draw a layer: fills, all casings, then lines, so that no line is cut by another's casing."""
    shapes = [None if shape is None else to_planar(shape) for shape in layer.shapes]
    # The first by rank comes last, on top of the others.
    for row, place, shape, look in reversed(
        list(zip(layer.rows, layer.shapes, shapes, layer.looks, strict=True))
    ):
        if shape is None or shape.geom_type == "Point":
            continue
        if layer.key == "district":
            canvas.axes.add_patch(_white_ground(shape))
        if shape.geom_type.endswith("Polygon"):
            fill(canvas.axes, shape, look, z)
        if look.casing and not look.casing_over:
            stroke(canvas, shape, look.casing, look.casing_weight, "", z + 0.2)
        parts = sides(row, place)
        for part, side in parts:
            dash = INFERRED if part["status"] == "inferred" else ""
            stroke(canvas, to_planar(side), look.stroke, look.weight, dash, z + 0.4)
        if not parts:
            stroke(canvas, shape, look.stroke, look.weight, look.dash, z + 0.4)
        if look.casing and look.casing_over:
            stroke(canvas, shape, look.casing, look.casing_weight, "8 8", z + 0.6)
    _spots(canvas, layer, shapes, z + 0.8)


def _white_ground(district: Any) -> Any:
    from matplotlib.patches import PathPatch

    return PathPatch(outline(district), facecolor=PAPER, edgecolor="none", linewidth=0, zorder=1)
