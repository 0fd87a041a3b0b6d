"""R07: the subdistricts that a zone lists are covered."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, spot
from nankai_gis.measure.checks.covered import counts, covered
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark

# Closer than this, degrees, shapes touch: a tenth of a millimetre.
_TOUCHES_DEG = 1e-9


def examine(context: CheckContext) -> Iterator[Finding]:
    """Each subdistrict that a zone lists is covered by it.

    Covered means by `COVERED_SHARE` (2 %) of its area or by `COVERED_M2` (5 ha).
    """
    for feature in context.of("zone"):
        shares = covered(context, feature.id)
        for name in feature.claims:
            sub = context.subdistricts[name]
            if gap := context.gap(feature.id, sub.id):
                yield unknown(feature.id, *gap, clause=feature.clause)
                continue
            size, share = shares[sub.id]
            message = mark("{subdistrict}: {km2:.3f} km² covered, {percent:.1f}% of it")
            names = sub.names
            statements = [state(message, subdistrict=names, km2=size / 1e6, percent=share * 100)]
            if not counts(size, share):
                apart = context.shapes[feature.id].distance(context.shapes[sub.id])
                statements += [state(mark("only adjacent"))] if apart < _TOUCHES_DEG else []
            yield Finding(
                (feature.id,),
                "ok" if counts(size, share) else "differs",
                tuple(statements),
                feature.clause,
                spot(context.shapes[sub.id]),
                context.inferred(feature.id, sub.id),
            )


_CLAIMS = {"a": {"claims": ("s",)}}
RULE = Rule(
    "R07",
    mark("The subdistricts that the plan lists are covered"),
    examine,
    Case(
        mark("A zone lists a subdistrict and covers half of it."),
        {"zone a": rectangle(0, 0, 1, 1), "subdistrict s": rectangle(0, 0, 2, 1)},
        definitions=_CLAIMS,
    ),
    Case(
        mark("A zone lists a subdistrict that lies beside it."),
        {"zone a": rectangle(0, 0, 1, 1), "subdistrict s": rectangle(1, 0, 2, 1)},
        definitions=_CLAIMS,
    ),
)
