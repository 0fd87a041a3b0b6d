"""R11: the roads of a corridor join in the order of the clause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from nankai_gis.geometry import crs
from nankai_gis.measure.checks.cases import Case
from nankai_gis.measure.checks.context import AGREES_SD, CheckContext, spot
from nankai_gis.measure.checks.finding import Finding, Rule, Statement, Verdict, state, unknown
from nankai_gis.plan.model import AxisPart, Feature
from nankai_gis.words import mark

# Pieces whose lines are closer than this join, metres.
_JOINED_M = 1.0

Drawn = Sequence[tuple[AxisPart, BaseGeometry]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """A corridor as the layer has it.

    Pieces in the order of the definition, in metres; the roads that have no coordinates; whether
    the layer has the pieces in the order of the definition or in its reverse.
    """

    drawn: Drawn
    lost: tuple[str, ...]
    in_order: bool


def _read(context: CheckContext, feature: Feature) -> _Axis:
    pieces = context.pieces(feature.id)
    names = [part.road or "、".join(part.stands_for) for part in feature.axis]
    wanted = [context.known.key(name) for name in names]
    there = [context.known.key(piece["properties"]["street_name"]) for piece in pieces]
    # The order of what both have, forwards or backwards.
    common = [key for key in wanted if key in there]
    order = [key for key in there if key in wanted]
    if order != common:
        pieces, there = pieces[::-1], there[::-1]
    drawn, lost = [], []
    for k, (part, name, key) in enumerate(zip(feature.axis, names, wanted, strict=True)):
        # A street may stand in an axis more than once.
        same = [piece for piece, other in zip(pieces, there, strict=True) if other == key]
        geometry = dict(enumerate(same)).get(wanted[:k].count(key), {}).get("geometry")
        if geometry is None:
            lost.append(name)
        else:
            drawn.append((part, crs.to_planar(shape(geometry))))
    return _Axis(drawn, tuple(lost), order in (common, common[::-1]))


def _groups(lines: Sequence[BaseGeometry]) -> list[int]:
    """For each line the number of the group that it hangs together with."""
    wholes = shapely.get_parts(shapely.union_all(shapely.buffer(lines, _JOINED_M / 2)))
    return [int(shapely.intersects(wholes, line).argmax()) for line in lines]


def _join(
    line: BaseGeometry, others: Sequence[BaseGeometry], links: Sequence[BaseGeometry]
) -> bool:
    """Whether a line joins one of others, directly or over links."""
    first, *groups = _groups([line, *others, *links])
    return first in groups[: len(others)]


def _misplaced(drawn: Drawn) -> Iterator[str]:
    """Roads that don't join the corridor where the order of the clause has them join."""
    links = [line for part, line in drawn if part.role == "bridge"]
    main = [(part, line) for part, line in drawn if part.role == "main"]
    # A main road joins the one before it, or begins a branch of its own.
    branch = _groups([*(line for _, line in main), *links])
    for k, (part, line) in enumerate(main):
        before = [j for j in range(k) if branch[j] == branch[k]]
        if before and not _join(line, [main[before[-1]][1]], links):
            yield part.road or ""
    # An extension joins a main road or an extension before it.
    reached = [line for _, line in main]
    for part, line in drawn:
        if part.role == "extension":
            if reached and not _join(line, reached, links):
                yield part.road or ""
            reached.append(line)


def _strays(context: CheckContext, road: str, line: BaseGeometry) -> bool:
    """Whether a piece leaves its street by more than the accuracy of that."""
    streets = [key for key in context.known.every(road) if key in context.lines]
    if not streets:
        return False
    street = crs.to_planar(shapely.union_all([context.lines[key] for key in streets]))
    far = shapely.distance(shapely.points(shapely.get_coordinates(line)), street).max()
    return bool(far > AGREES_SD * max(context.accuracy[key] for key in streets))


def examine(context: CheckContext) -> Iterator[Finding]:
    """The pieces of a corridor lie on their roads, join, and follow the order of the clause.

    From either end: a main road joins the main road named before it, or begins a branch of its
    own that no main road joins; an extension joins a main road or an extension named before it.
    What joins over a link joins. Lines that are closer than 1 m join, and a piece lies on its
    road within `AGREES_SD` (2) standard deviations of the road's accuracy.

    As many breaks as there are roads without coordinates can't be told: those roads may close
    them, unless a straight piece stands for them already.
    """
    for feature in context.of("corridor"):
        if gap := context.gap(feature.id):
            yield unknown(feature.id, *gap, clause=feature.clause)
            continue
        axis = _read(context, feature)
        # What is wrong: breaks, roads that join elsewhere, pieces that leave their roads.
        breaks = len(set(_groups([line for _, line in axis.drawn]))) - 1
        misplaced = list(_misplaced(axis.drawn))
        astray = [
            part.road
            for part, line in axis.drawn
            if part.road and _strays(context, part.road, line)
        ]
        faults = max(breaks, len(misplaced))
        # What roads without coordinates may mend.
        stood_for = {name for part, _ in axis.drawn for name in part.stands_for}
        unsure = bool(axis.lost or context.no_streets)
        verdict: Verdict = "cannot tell" if unsure else "ok"
        if not axis.in_order or astray or faults > len(set(axis.lost) - stood_for):
            verdict = "differs"
        statements = _statements(context, feature, axis, breaks, misplaced, astray)
        if verdict == "cannot tell":
            statements += context.no_streets
        whole = context.axis(feature.id)
        yield Finding(
            (feature.id,),
            verdict,
            tuple(statements),
            feature.clause,
            None if whole is None else spot(whole),
            context.inferred(feature.id),
        )


def _statements(
    context: CheckContext,
    feature: Feature,
    axis: _Axis,
    breaks: int,
    misplaced: list[str],
    astray: list[str],
) -> list[Statement]:
    shown = context.known.shown
    if breaks > 0:
        statements = [state(mark("{n} pieces that don't join"), n=breaks + 1)]
    else:
        statements = [state(mark("all pieces join"))]
    if misplaced:
        message = mark("don't join a road that the clause names before them: {roads}")
        statements.append(state(message, roads=tuple(map(shown, misplaced))))
    if astray:
        statements.append(state(mark("off their roads: {roads}"), roads=tuple(map(shown, astray))))
    if not axis.in_order:
        there = [piece["properties"]["street_name"] for piece in context.pieces(feature.id)]
        message = mark("the layer has the order {roads}")
        statements.append(state(message, roads=tuple(map(shown, there))))
    if breaks <= 0 and not misplaced and not astray and axis.in_order:
        statements.append(state(mark("in the order of the clause")))
    if axis.lost:
        roads = tuple(shown(road) for name in axis.lost for road in name.split("、"))
        statements.append(state(mark("not located: {roads}"), roads=roads))
    return statements


_BAND = {"band": ("First Road", "Second Road")}
RULE = Rule(
    "R11",
    mark("The roads of a corridor join in the order of the clause"),
    examine,
    Case(
        mark("The extension begins where the main line ends."),
        roads={"First Road": ((0, 0), (1, 0)), "Second Road": ((1, 0), (1, 1))},
        corridors=_BAND,
    ),
    Case(
        mark("Between the main line and its extension there is a gap."),
        roads={"First Road": ((0, 0), (1, 0)), "Second Road": ((1.1, 0), (1.1, 1))},
        corridors=_BAND,
    ),
)
