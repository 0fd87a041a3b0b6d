"""R01: polygons are valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import POLYGON_LAYERS, CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, Statement, Verdict, state, unknown
from nankai_gis.words import mark

# What GEOS says of a polygon that isn't valid, behind it the place.
_REASONS: Mapping[str, str] = {
    "Self-intersection": mark("the boundary crosses itself"),
    "Ring Self-intersection": mark("the boundary touches itself"),
    "Hole lies outside shell": mark("a hole lies outside the boundary"),
    "Holes are nested": mark("a hole lies in another hole"),
    "Interior is disconnected": mark("the boundary cuts the polygon in two"),
    "Nested shells": mark("a part lies in another part"),
    "Duplicate Rings": mark("two rings are the same"),
    "Too few points in geometry component": mark("the boundary has too few points"),
    "Invalid Coordinate": mark("a coordinate is not a number"),
}


def _faults(shape: BaseGeometry) -> list[Statement]:
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape).split("[")[0].strip()
        return [state(_REASONS.get(reason, mark("the geometry is not valid")))]
    if not isinstance(shape, Polygon):
        return [state(mark("not one single polygon"))]
    return [] if shape.exterior.is_ccw else [state(mark("the boundary runs clockwise"))]


def examine(context: CheckContext) -> Iterator[Finding]:
    """Each polygon of the plan is one valid polygon whose boundary runs counter-clockwise."""
    for feature in context.of(*POLYGON_LAYERS):
        if gap := context.gap(feature.id):
            yield unknown(feature.id, *gap)
            continue
        shape = context.shapes[feature.id]
        faults = _faults(shape)
        statements = faults or [state(mark("a valid polygon, counter-clockwise"))]
        verdict: Verdict = "differs" if faults else "ok"
        yield Finding((feature.id,), verdict, tuple(statements), place=spot(shape))


RULE = Rule(
    "R01",
    mark("Polygons are valid"),
    examine,
    Case(mark("A zone is a square."), {"zone a": rectangle(0, 0, 1, 1)}),
    Case(
        mark("The boundary of a zone crosses itself."),
        {"zone a": ((0, 0), (1, 0), (0, 1), (1, 1), (0, 0))},
    ),
)
