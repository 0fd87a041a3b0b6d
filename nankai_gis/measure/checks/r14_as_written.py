"""R14: definition and clause name the same roads."""

from __future__ import annotations

from collections.abc import Iterator

from nankai_gis.errors import ClauseError
from nankai_gis.measure.checks.cases import Case, rectangle
from nankai_gis.measure.checks.context import CheckContext
from nankai_gis.measure.checks.finding import Finding, Quoted, Rule, Value, Verdict, state, unknown
from nankai_gis.plan.clauses import AreaClause, Bound, read_one
from nankai_gis.plan.model import Feature
from nankai_gis.words import mark
from nankai_gis.words.terms import SIDES

# The place of a corridor's roads among the sides.
_AXIS = "axis"


def _pairs(
    feature: Feature, written: AreaClause
) -> Iterator[tuple[str, tuple[Bound, ...], tuple[str, ...]]]:
    """The roads of the clause and those of the definition, side by side."""
    if feature.axis:
        defined = [part.road for part in feature.axis if part.road and part.role != "bridge"]
        yield _AXIS, written.axis, tuple(defined)
    else:
        for side, roads in written.sides.items():
            yield side, roads, feature.sides.get(side, ())


def examine(context: CheckContext) -> Iterator[Finding]:
    """The clause, read anew, names the roads of the definition, in the same order.

    Links between roads don't count: no clause names them. A clause with a name that the network
    doesn't have can't be told; one that names no bounds isn't checked.
    """
    for feature in context.plan.features:
        if not feature.sides and not feature.axis:
            continue
        try:
            written = read_one(feature.clause, context.known)
        except ClauseError:
            # Not every clause names its bounds: the parcel's gives a size only.
            continue
        if gap := context.no_streets:
            yield unknown(feature.id, *gap, clause=feature.clause)
        else:
            yield _compared(context, feature, written)


def _compared(context: CheckContext, feature: Feature, written: AreaClause) -> Finding:
    known, unnamed, apart = context.known, [], []
    for side, roads, defined in _pairs(feature, written):
        unnamed += [road.line for road in roads if not known.first(*road.names)]
        if [known.first(*road.names) for road in roads] == [known.first(r) for r in defined]:
            continue
        of_clause: tuple[Value, ...] = tuple(known.shown(road.line) for road in roads)
        of_definition: tuple[Value, ...] = tuple(map(known.shown, defined))
        if side == _AXIS:
            message = mark("axis: {clause} in the clause, {definition} in the definition")
            apart.append(state(message, clause=of_clause, definition=of_definition))
        else:
            message = mark("{side} side: {clause} in the clause, {definition} in the definition")
            where = state(SIDES[side])
            apart.append(state(message, side=where, clause=of_clause, definition=of_definition))
    verdict: Verdict = "cannot tell" if unnamed else "differs" if apart else "ok"
    statements = apart or [state(mark("as in the clause"))]
    if unnamed:
        message = mark("the network has no road of the clause's names {names}")
        statements = [state(message, names=tuple(map(Quoted, unnamed)))]
    return Finding((feature.id,), verdict, tuple(statements), feature.clause)


def _case(sentence: str, road: str) -> Case:
    return Case(
        sentence,
        {"zone a": rectangle(0, 0, 1, 1)},
        {"東路": ((1, -1), (1, 2)), "西路": ((0, -1), (0, 2))},
        definitions={"a": {"clause": "東至東路", "sides": {"east": (road,)}}},
    )


RULE = Rule(
    "R14",
    mark("Definition and clause name the same roads"),
    examine,
    _case(mark("The definition names the road of the clause."), "東路"),
    _case(mark("The definition names another road than the clause."), "西路"),
)
