"""R08: the subdistricts that a zone covers are listed."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext, spot
from nankai_gis.measure.checks.covered import counts, covered
from nankai_gis.measure.checks.finding import Finding, Rule, state, unknown
from nankai_gis.words import mark


def examine(context: CheckContext) -> Iterator[Finding]:
    """A zone covers no subdistrict that it doesn't list; covered as in R07."""
    for feature in context.of("zone"):
        claimed = {context.subdistricts[name].id for name in feature.claims}
        others = [sub for sub in context.of("subdistrict") if sub.id not in claimed]
        shares = covered(context, feature.id)
        extra = [sub for sub in others if sub.id in shares and counts(*shares[sub.id])]
        # What is covered already differs, whatever else can't be looked at.
        if not extra and (gap := context.gap(feature.id, *(sub.id for sub in others))):
            yield unknown(feature.id, *gap, clause=feature.clause)
            continue
        message = mark("{subdistrict} is covered ({km2:.3f} km²) but not listed")
        statements = [
            state(message, subdistrict=sub.names, km2=shares[sub.id][0] / 1e6) for sub in extra
        ]
        yield Finding(
            (feature.id,),
            "differs" if extra else "ok",
            tuple(statements) or (state(mark("all covered subdistricts are listed")),),
            feature.clause,
            spot(context.shapes[extra[0].id]) if extra else None,
            context.inferred(feature.id, *(sub.id for sub in extra)),
        )


RULE = Rule(
    "R08",
    mark("The subdistricts that are covered are listed"),
    examine,
    Case(
        mark("A zone covers no other subdistrict than the one that it lists."),
        {
            "zone a": rectangle(0, 0, 1, 1),
            "subdistrict s": rectangle(0, 0, 1, 1),
            "subdistrict t": rectangle(1, 0, 2, 1),
        },
        definitions={"a": {"claims": ("s",)}},
    ),
    Case(
        mark("A zone covers a subdistrict and lists none."),
        {"zone a": rectangle(0, 0, 1, 1), "subdistrict s": rectangle(0, 0, 1, 1)},
    ),
)
