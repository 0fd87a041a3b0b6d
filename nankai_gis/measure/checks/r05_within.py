"""R05: a parcel lies in its zone."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import LEAST_M2, CheckContext, area_m2, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark


def examine(context: CheckContext) -> Iterator[Finding]:
    """Less than `LEAST_M2` (1 m²) of a parcel lies outside the feature that it is said to be in."""
    for feature in context.of("parcel"):
        if feature.within is None:
            continue
        if gap := context.gap(feature.id, feature.within):
            yield unknown(feature.id, *gap, clause=feature.clause)
            continue
        outside = context.shapes[feature.id].difference(context.shapes[feature.within])
        size = area_m2(outside)
        whole = context.features[feature.within].names
        yield Finding(
            (feature.id,),
            "differs" if size >= LEAST_M2 else "ok",
            (
                state(mark("outside {whole}: {km2:.3f} km²"), whole=whole, km2=size / 1e6)
                if size >= LEAST_M2
                else state(mark("all in {whole}"), whole=whole),
            ),
            feature.clause,
            spot(outside),
            context.inferred(feature.id, feature.within),
        )


_WITHIN = {"p": {"within": "a"}}
RULE = Rule(
    "R05",
    mark("A parcel lies in its zone"),
    examine,
    Case(
        mark("A parcel shares an edge with its zone and lies in it."),
        {"zone a": rectangle(0, 0, 2, 2), "parcel p": rectangle(0, 0, 1, 1)},
        definitions=_WITHIN,
    ),
    Case(
        mark("A parcel reaches over the edge of its zone."),
        {"zone a": rectangle(0, 0, 2, 2), "parcel p": rectangle(-0.1, 0, 1, 1)},
        definitions=_WITHIN,
    ),
)
