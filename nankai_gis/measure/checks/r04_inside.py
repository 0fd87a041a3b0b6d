"""R04: zones, parcels, subdistricts and corridors lie in the district."""

from __future__ import annotations

from collections.abc import Iterator

import shapely

from nankai_gis.geometry import ruler
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import LEAST_M, LEAST_M2, CheckContext, area_m2, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.plan.model import Feature
from nankai_gis.words import mark


def _polygon(context: CheckContext, feature: Feature, district: Feature) -> Finding:
    outside = context.shapes[feature.id].difference(context.shapes[district.id])
    size = area_m2(outside)
    leaves = size >= LEAST_M2
    return Finding(
        (feature.id,),
        "differs" if leaves else "ok",
        (
            state(mark("outside the district: {km2:.3f} km²"), km2=size / 1e6)
            if leaves
            else state(mark("all in the district")),
        ),
        place=spot(outside),
        inferred=context.inferred(feature.id),
    )


def _corridor(context: CheckContext, feature: Feature, district: Feature) -> Finding:
    axis = context.axis(feature.id)
    assert axis is not None
    outside = axis.difference(context.shapes[district.id])
    beyond = [part for part in shapely.get_parts(outside) if part.length > 0]
    length = sum(map(ruler.length, beyond))
    leaves = length >= LEAST_M
    return Finding(
        (feature.id,),
        "differs" if leaves else "ok",
        (
            state(mark("outside the district: {km:.2f} km"), km=length / 1e3)
            if leaves
            else state(mark("all in the district")),
        ),
        feature.note if leaves else "",
        spot(beyond[0]) if leaves else None,
        context.inferred(feature.id, district.id),
    )


def examine(context: CheckContext) -> Iterator[Finding]:
    """Less than `LEAST_M2` (1 m²) or `LEAST_M` (1 m) of each feature lies outside the district."""
    for district in context.of("district"):
        for feature in context.of("zone", "parcel", "subdistrict", "corridor"):
            if gap := context.gap(district.id, feature.id):
                yield unknown(feature.id, *gap)
            elif feature.kind == "corridor":
                yield _corridor(context, feature, district)
            else:
                yield _polygon(context, feature, district)


_DISTRICT = rectangle(0, 0, 2, 2)
RULE = Rule(
    "R04",
    mark("Zones, parcels, subdistricts and corridors lie in the district"),
    examine,
    Case(
        mark("A zone fills a corner of the district."),
        {"district d": _DISTRICT, "zone a": rectangle(0, 0, 1, 1)},
    ),
    Case(
        mark("A corridor runs on beyond the edge of the district."),
        {"district d": _DISTRICT},
        {"East Road": ((1, 1), (3, 1))},
        {"band": ("East Road",)},
    ),
)
