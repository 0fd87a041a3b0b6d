"""The names on a map, and where each may stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nankai_gis.present.document import MapLayer
from nankai_gis.present.facts import is_indicative, text_of
from nankai_gis.present.style import Style

if TYPE_CHECKING:
    from shapely import LineString

#: Layers with labels, most important first, and the zoom from which each is labelled.
LABELLED: Mapping[str, float] = {
    "zones": 0,
    "parcel": 0,
    "corridors": 0,
    "subdistricts": 0,
    "sites": 14,
    "streets": 14,
}
#: Labels of a network: its longest streets only.
NETWORK_LABELS = 300
#: Spots of a polygon are tried on a grid of this many rows and columns, up to so many.
_GRID, _GRID_SPOTS = 8, 8


class Spot(NamedTuple):
    """A place in degrees, and the direction of a line there: -90 to 90 degrees, east to north."""

    lon: float
    lat: float
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """A name on the map, with the spots where it may stand, best first.

    ``row`` is the number of the row whose geometry it names.
    """

    row: int
    text: str
    look: Style
    indicative: bool
    spots: tuple[Spot, ...]


def _spots(shape: Any) -> tuple[Spot, ...]:
    import shapely

    if hasattr(shape, "geoms"):
        shape = max(shape.geoms, key=lambda part: (part.area, part.length))
    if shape.geom_type == "Polygon":
        # The roomiest spot, which unlike the centroid is never outside a stair-shaped zone,
        # some around it that can't be outside either, and the roomiest of a grid.
        circle = shapely.maximum_inscribed_circle(shape, 1e-5)
        (x, y), reach = circle.coords[0], circle.length
        ways = [(east, north) for north in (0, 0.65, -0.65) for east in (0, 0.65, -0.65)]
        west, south, east, north = shape.bounds
        steps = [(k + 0.5) / _GRID for k in range(_GRID)]
        grid = shapely.points(
            [(west + u * (east - west), south + v * (north - south)) for u in steps for v in steps]
        )
        grid = grid[shapely.contains(shape, grid)]
        room = shapely.distance(shape.boundary, grid)
        roomy = grid[room.argsort(kind="stable")[::-1][:_GRID_SPOTS]]
        return (
            *(Spot(x + right * reach, y + up * reach) for right, up in ways),
            *(Spot(point.x, point.y) for point in roomy),
        )
    if shape.geom_type == "LineString":
        return tuple(_spot_along(shape, share) for share in (0.5, 0.3, 0.7, 0.4, 0.6, 0.15, 0.85))
    return (Spot(shape.x, shape.y),)


def _spot_along(line: LineString, share: float) -> Spot:
    start, spot, end = (line.interpolate(share + by, normalized=True) for by in (-0.05, 0, 0.05))
    east = (end.x - start.x) * math.cos(math.radians(spot.y))
    angle = math.degrees(math.atan2(end.y - start.y, east))
    return Spot(spot.x, spot.y, (angle + 90) % 180 - 90)


def labels(layer: MapLayer) -> list[Label]:
    """Return the labels: one per row, or per street or corridor along its longest pieces."""
    if layer.key not in LABELLED:
        return []
    # Collect the pieces that share a label.
    pieces: dict[str | int, list[int]] = {}
    joined = layer.key in ("corridors", "streets")
    for number, shape in enumerate(layer.shapes):
        # A construction line has no name that a reader would look for.
        construction = layer.key == "streets" and layer.rows[number].get("kind") == "line"
        if shape is not None and layer.names[number] and not construction:
            corridor = text_of(layer.rows[number], "corridor") if layer.key == "corridors" else ""
            key = (corridor or layer.names[number]) if joined else number
            pieces.setdefault(key, []).append(number)

    # Put the longest piece first; of a network, keep the longest streets.
    def extent(number: int) -> float:
        shape = layer.shapes[number]
        return 0.0 if shape is None else shape.length

    ordered = [sorted(numbers, key=lambda number: -extent(number)) for numbers in pieces.values()]
    if layer.network:
        ordered = sorted(ordered, key=lambda numbers: -extent(numbers[0]))[:NETWORK_LABELS]
    return [
        Label(
            numbers[0],
            layer.names[numbers[0]],
            layer.looks[numbers[0]],
            layer.key in ("zones", "parcel") and is_indicative(layer.rows[numbers[0]]),
            tuple(spot for number in numbers[:3] for spot in _spots(layer.shapes[number])),
        )
        for numbers in ordered
    ]
