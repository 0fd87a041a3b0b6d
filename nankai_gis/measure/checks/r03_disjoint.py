"""R03: zones don't overlap."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import LEAST_M2, CheckContext, area_m2, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark


def examine(context: CheckContext) -> Iterator[Finding]:
    """Each pair of zones has less than `LEAST_M2` (1 m²) in common; a shared edge is no overlap."""
    for one, other in itertools.combinations(context.of("zone"), 2):
        pair = one.id, other.id
        if gap := context.gap(*pair):
            yield replace(unknown(one.id, *gap), features=pair)
            continue
        common = context.shapes[one.id].intersection(context.shapes[other.id])
        size = area_m2(common)
        overlap = size >= LEAST_M2
        yield Finding(
            pair,
            "differs" if overlap else "ok",
            (
                state(mark("overlap: {km2:.3f} km²"), km2=size / 1e6)
                if overlap
                else state(mark("no overlap")),
            ),
            place=spot(common),
            inferred=context.inferred(*pair),
        )


RULE = Rule(
    "R03",
    mark("Zones don't overlap"),
    examine,
    Case(
        mark("Two zones share an edge."),
        {"zone a": rectangle(0, 0, 1, 1), "zone b": rectangle(1, 0, 2, 1)},
    ),
    Case(
        mark("Two zones share a strip."),
        {"zone a": rectangle(0, 0, 1.1, 1), "zone b": rectangle(1, 0, 2, 1)},
    ),
)
