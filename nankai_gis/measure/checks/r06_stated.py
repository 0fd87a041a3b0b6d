"""R06: the measured area agrees with the stated one."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nankai_gis.measure import features
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import AGREES_SD, POLYGON_LAYERS, CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark


def examine(context: CheckContext) -> Iterator[Finding]:
    """Stated and measured area differ by no more than `AGREES_SD` (2) standard deviations.

    The standard deviation follows from the accuracy of the boundary alone. What is no single
    polygon has no measure and can't be told.
    """
    stated = {f.id: f for f in context.plan.features if f.stated_area_m2 is not None}
    for feature in stated.values():
        if gap := context.gap(feature.id):
            yield unknown(feature.id, *gap, clause=feature.clause)
    located = [
        item
        for layer in sorted(POLYGON_LAYERS.values())
        for item in context.layers.get(layer, ())
        if item["geometry"] is not None and item["properties"]["id"] in stated
    ]
    measurable = []
    for item in located:
        if item["geometry"]["type"] == "Polygon" and item["geometry"]["coordinates"]:
            measurable.append(item)
            continue
        feature = stated[item["properties"]["id"]]
        why = state(mark("not one single polygon, so there is no measure"))
        yield unknown(feature.id, why, clause=feature.clause)
    for row in features.areas(measurable):
        if row.stated_area_m2 is None or row.deviation_m2 is None:
            continue
        ratio = abs(row.deviation_m2) / row.area_sd_m2 if row.area_sd_m2 else math.inf
        figures = state(
            mark(
                "stated by the plan {stated:.3f} km², measured {measured:.3f} ± {sd:.3f}, "
                "deviation {deviation:+.3f} ({ratio:.1f} standard deviations)"
            ),
            stated=row.stated_area_m2 / 1e6,
            measured=row.area_m2 / 1e6,
            sd=row.area_sd_m2 / 1e6,
            deviation=row.deviation_m2 / 1e6,
            ratio=ratio,
        )
        yield Finding(
            (row.id,),
            "ok" if ratio <= AGREES_SD else "differs",
            (figures,),
            stated[row.id].clause,
            spot(context.shapes[row.id]),
            row.status == "inferred",
        )


_SQUARE = {"zone a": rectangle(0, 0, 1, 1)}
RULE = Rule(
    "R06",
    mark("The measured area agrees with the one stated by the plan"),
    examine,
    Case(
        mark("A zone of 0.96 km², known to 0.04, is stated to have 0.95 km²."),
        _SQUARE,
        definitions={"a": {"stated_area_m2": 0.95e6}},
    ),
    Case(
        mark("A zone of 0.96 km², known to 0.04, is stated to have 1.2 km²."),
        _SQUARE,
        definitions={"a": {"stated_area_m2": 1.2e6}},
    ),
)
