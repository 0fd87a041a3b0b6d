"""Makers of small shapes, drafted in metres about 117 E, 39 N."""

from __future__ import annotations

from shapely import LineString, Polygon

from nankai_gis.geometry.cut import Cut

#: Metres per degree at 39 N, roughly: for drafts, never for answers.
EAST, NORTH = 86_628.0, 111_025.0


def place(x: float, y: float) -> tuple[float, float]:
    """A position from metres east and north of 117 E, 39 N."""
    return 117 + x / EAST, 39 + y / NORTH


def line(*xy: tuple[float, float]) -> LineString:
    return LineString([place(*p) for p in xy])


def polygon(*xy: tuple[float, float]) -> Polygon:
    return Polygon([place(*p) for p in xy])


def square(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def by_area(cut: Cut, count: int) -> tuple[list[float], list[float]]:
    inside, along = cut.lengths_by_area(count)
    return inside.tolist(), along.tolist()
