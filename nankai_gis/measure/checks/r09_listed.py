"""R09: every subdistrict is listed by a zone."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state
from nankai_gis.words import mark


def examine(context: CheckContext) -> Iterator[Finding]:
    """Every subdistrict is listed by at least one zone. This rests on the plan's text alone."""
    claimed = {context.subdistricts[name].id for zone in context.of("zone") for name in zone.claims}
    for sub in context.of("subdistrict"):
        listed = sub.id in claimed
        message = mark("{subdistrict} is listed") if listed else mark("no zone lists {subdistrict}")
        yield Finding(
            (sub.id,),
            "ok" if listed else "differs",
            (state(message, subdistrict=sub.names),),
            place=spot(context.shapes[sub.id]) if sub.id in context.shapes else None,
        )


_POLYGONS = {"zone a": rectangle(0, 0, 1, 1), "subdistrict s": rectangle(0, 0, 1, 1)}
RULE = Rule(
    "R09",
    mark("Every subdistrict is listed by a zone"),
    examine,
    Case(
        mark("The only zone lists the only subdistrict."),
        _POLYGONS,
        definitions={"a": {"claims": ("s",)}},
    ),
    Case(mark("The only zone lists no subdistrict."), _POLYGONS),
)
