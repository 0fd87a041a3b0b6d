"""R12: a corridor reaches what it is said to join."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nankai_gis.geometry import crs
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, Verdict, state, unknown
from nankai_gis.plan.model import Feature
from nankai_gis.words import mark

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: A corridor reaches what is closer than this, metres.
REACHED_M = 1.0


def examine(context: CheckContext) -> Iterator[Finding]:
    """A corridor comes within `REACHED_M` (1 m) of each feature that the plan has it join.

    One feature that is far decides, whether or not the others are located.
    """
    for feature in context.of("corridor"):
        if not feature.joins:
            continue
        if context.axis(feature.id) is None:
            yield unknown(feature.id, *context.gap(feature.id), clause=feature.joins_clause)
        else:
            yield _joins(context, feature)


def _joins(context: CheckContext, feature: Feature) -> Finding:
    axis = context.axis(feature.id)
    assert axis is not None
    statements, apart = [], []
    goals: dict[str, BaseGeometry] = {}
    for target in feature.joins:
        name = context.features[target].names
        if gap := context.gap(target):
            message = mark("{name}: cannot tell ({why})")
            statements.append(state(message, name=name, why=gap))
            continue
        # A corridor is joined by its pieces.
        goal = context.axis(target) if target not in context.shapes else context.shapes[target]
        assert goal is not None
        goals[target] = goal
        far = crs.to_planar(axis).distance(crs.to_planar(goal))
        if axis.intersection(goal).length > 0:
            message = mark("{name}: runs through it or along its boundary")
        elif far < REACHED_M:
            message = mark("{name}: touches it")
        else:
            message = mark("{name}: {far:.0f} m away")
            apart.append(target)
        statements.append(state(message, name=name, far=far))
    verdict: Verdict = "cannot tell" if context.gap(*feature.joins) else "ok"
    return Finding(
        (feature.id,),
        "differs" if apart else verdict,
        tuple(statements),
        feature.joins_clause,
        spot(goals[apart[0]]) if apart else spot(axis),
        context.inferred(feature.id, *feature.joins),
    )


_ROADS = {"First Road": ((0, 0), (1, 0))}
_BAND, _JOINS = {"band": ("First Road",)}, {"band": {"joins": ("a",)}}
RULE = Rule(
    "R12",
    mark("A corridor reaches what it is said to join"),
    examine,
    Case(
        mark("A corridor ends at the edge of the zone that it joins."),
        {"zone a": rectangle(1, -1, 2, 1)},
        _ROADS,
        _BAND,
        _JOINS,
    ),
    Case(
        mark("A corridor ends short of the zone that it joins."),
        {"zone a": rectangle(1.1, -1, 2, 1)},
        _ROADS,
        _BAND,
        _JOINS,
    ),
)
