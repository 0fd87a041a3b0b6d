"""R02: all roads of a definition are located."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import POLYGON_LAYERS, CheckContext, missing_layer
from nankai_gis.measure.checks.finding import Finding, Rule, Value, state, unknown
from nankai_gis.plan.model import Feature
from nankai_gis.words import mark


def _missing(context: CheckContext, feature: Feature) -> list[str]:
    """Roads of a definition that have no geometry."""
    if feature.kind == "corridor":
        lost = [p for p in context.pieces(feature.id) if p["geometry"] is None]
        # A straight piece stands for several roads.
        return [name for piece in lost for name in piece["properties"]["street_name"].split("、")]
    named = (road for roads in feature.sides.values() for road in roads)
    return [
        road for road in named if not any(key in context.lines for key in context.known.every(road))
    ]


def examine(context: CheckContext) -> Iterator[Finding]:
    """Each road that bounds a polygon or makes up a corridor has coordinates in the streets.

    A road without coordinates can't be told: the plan may well be right.
    """
    for feature in context.of(*POLYGON_LAYERS, "corridor"):
        corridor = feature.kind == "corridor"
        layer = "corridors" if corridor else "streets"
        if not (context.pieces(feature.id) if corridor else context.layers.get(layer)):
            there = bool(context.layers.get(layer))
            gap = context.gap(feature.id) if there else (missing_layer(layer),)
            yield unknown(feature.id, *gap, clause=feature.clause)
        elif missing := _missing(context, feature):
            roads: tuple[Value, ...] = tuple(map(context.known.shown, missing))
            lacking = state(mark("not located: {roads}"), roads=roads)
            yield Finding((feature.id,), "cannot tell", (lacking,), feature.clause, inferred=True)
        else:
            located = state(mark("all roads are located"))
            yield Finding((feature.id,), "ok", (located,), feature.clause)


_SIDES = {"a": {"sides": {"south": ("South Road",)}}}
RULE = Rule(
    "R02",
    mark("All roads of the definition are located"),
    examine,
    Case(
        mark("The road that bounds a zone has coordinates."),
        {"zone a": rectangle(0, 0, 1, 1)},
        {"South Road": ((-1, 0), (2, 0))},
        definitions=_SIDES,
    ),
    Case(
        mark("The road that bounds a zone has no coordinates."),
        {"zone a": rectangle(0, 0, 1, 1)},
        {"South Road": ()},
        definitions=_SIDES,
    ),
)
