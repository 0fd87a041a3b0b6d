"""R13: a corridor touches the subdistricts that it is said to serve."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.geometry import crs
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark

#: A corridor touches a subdistrict when so much of it runs inside or along its edge, metres.
TOUCHED_M = 100.0
# What runs along an edge lies within this of it, metres: a street that bounds two subdistricts
# serves both.
_EDGE_M = 1.0


def examine(context: CheckContext) -> Iterator[Finding]:
    """At least `TOUCHED_M` (100 m) of a corridor run in or along each subdistrict it lists."""
    for feature in context.of("corridor"):
        axis = context.axis(feature.id)
        for name in feature.claims:
            sub = context.subdistricts[name]
            if axis is None or sub.id not in context.shapes:
                gap = context.gap(feature.id, sub.id)
                yield unknown(feature.id, *gap, clause=feature.clause)
                continue
            around = crs.to_planar(context.shapes[sub.id]).buffer(_EDGE_M)
            length = crs.to_planar(axis).intersection(around).length
            message = mark("{km:.2f} km in {subdistrict} or along its edge")
            yield Finding(
                (feature.id,),
                "ok" if length >= TOUCHED_M else "differs",
                (state(message, km=length / 1e3, subdistrict=sub.names),),
                feature.clause,
                spot(context.shapes[sub.id]),
                context.inferred(sub.id),
            )


_ROADS = {"First Road": ((0, 0), (1, 0))}
_BAND, _CLAIMS = {"band": ("First Road",)}, {"band": {"claims": ("s",)}}
RULE = Rule(
    "R13",
    mark("A corridor touches the subdistricts that it serves"),
    examine,
    Case(
        mark("A corridor runs along the edge of the subdistrict that it lists."),
        {"subdistrict s": rectangle(0, 0, 1, 1)},
        _ROADS,
        _BAND,
        _CLAIMS,
    ),
    Case(
        mark("A corridor ends at the subdistrict that it lists."),
        {"subdistrict s": rectangle(1, 0, 2, 1)},
        _ROADS,
        _BAND,
        _CLAIMS,
    ),
)
