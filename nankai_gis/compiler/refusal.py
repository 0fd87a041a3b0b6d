"""Why four sides make no ring: what the clause lacks, what the network lacks, what doesn't meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from shapely import Point

from nankai_gis.compiler.junction import EXTEND_M, Junctions
from nankai_gis.compiler.measured import MeasuredLine
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import line_names
from nankai_gis.compiler.sides import ClauseSides
from nankai_gis.errors import ClauseError, RoadNotFoundError
from nankai_gis.plan.model import SIDE_NAMES
from nankai_gis.plan.names import in_script
from nankai_gis.words import listed, ntr, tr
from nankai_gis.words.terms import SIDES

Missing = Mapping[str, Sequence[str]]


def with_near_names(missing: Missing) -> str:
    """The roads that the network doesn't hold, each with names like it."""
    return listed(
        tr("{name} (near names: {near})", name=name, near=listed(near[:3])) if near else name
        for name, near in missing.items()
    )


def _not_found(missing: Missing, message: str) -> RoadNotFoundError:
    near = itertools.chain(*missing.values())
    error = RoadNotFoundError(tr("road of the clause"), listed(missing), near)
    # Each road with its own near names, not all of them as if they were one.
    error.args = (message,)
    return error


def require_sides(
    sides: Mapping[str, Sequence[str]], missing: Missing, *, allow_missing: bool
) -> None:
    """Refuse a clause without a road that the network holds, or without one on a side."""
    every = [name for names in sides.values() for name in names]
    if missing and all(name in missing for name in every):
        raise _not_found(
            missing,
            tr(
                "not in the network: {roads}; check the names, and that the network covers them",
                roads=with_near_names(missing),
            ),
        )
    lacking = [side for side in SIDE_NAMES if not sides.get(side)]
    if lacking:
        # Named here: Babel loses the plural of a call that has another one in it.
        sides_lacking = listed(tr(SIDES[side]) for side in lacking)
        raise ClauseError(
            ntr(
                "the clause names no {sides} side; add {words} (a road that bounds two sides is "
                "named on both: 東、北至…)",
                "the clause lacks the sides {sides}; add {words} (a road that bounds two sides is "
                "named on both: 東、北至…)",
                len(lacking),
                sides=sides_lacking,
                words=listed(in_script(f"{SIDE_NAMES[side]}至…") for side in lacking),
            )
        )
    empty = [side for side, names in sides.items() if all(name in missing for name in names)]
    if empty and not allow_missing:
        roads = {name: missing[name] for side in empty for name in sides[side]}
        named = listed(tr(SIDES[side]) for side in empty)
        raise _not_found(
            roads,
            ntr(
                "the network holds no road of the {sides} side: {roads}; check the name, or allow "
                "a guess with --allow-missing (allow_missing=True)",
                "the network holds no road of the sides {sides}: {roads}; check the names, or "
                "allow a guess with --allow-missing (allow_missing=True)",
                len(empty),
                sides=named,
                roads=with_near_names(roads),
            ),
        )


def why_open(
    lines: Sequence[MeasuredLine],
    sides: ClauseSides,
    junctions: Junctions,
    missing: Missing,
    contradictions: Callable[[], list[Remark] | None],
) -> str:
    """Return what keeps the sides from closing, in the language in force."""
    met = {
        line.line.id: [x for x in lines if x is not line and junctions.between(line, x)]
        for line in lines
    }
    loose = [line for line in lines if len(met[line.line.id]) < min(2, len(lines) - 1)]
    if not loose and not missing:
        # Every road meets two others: is there a ring that doesn't fit the clause?
        wrong = contradictions()
        if wrong:
            return tr("; ").join(remark.text() for remark in wrong)
        if wrong is not None:
            return tr("the ring that the sides describe doesn't contain the reference point")
    reasons = [
        tr("{road} meets only {met}", road=_name(line), met=_names(met[line.line.id]))
        if met[line.line.id]
        else tr("{road} meets none of the other roads", road=_name(line))
        for line in loose
    ] or [
        tr("{road} meets {met}", road=_name(line), met=_names(met[line.line.id])) for line in lines
    ]
    reasons += _nearest_misses(loose or lines, lines, sides, junctions)
    if missing:
        reasons.append(tr("not in the network: {roads}", roads=with_near_names(missing)))
    return tr("the sides don't close: {reasons}", reasons=tr("; ").join(reasons))


def _nearest_misses(
    loose: Sequence[MeasuredLine],
    lines: Sequence[MeasuredLine],
    sides: ClauseSides,
    junctions: Junctions,
) -> list[str]:
    """By how far roads on neighbouring sides miss each other: the nearest of each loose road."""
    misses: dict[frozenset[str], tuple[float, str]] = {}
    for line in loose:
        own = sides.sides_of(line.line.id)
        beside = [
            (line.shape.distance(other.shape), other)
            for other in lines
            if other is not line
            and not own & sides.sides_of(other.line.id, opposite=True)
            and not junctions.between(line, other)
        ]
        if beside:
            metres, other = min(beside, key=lambda miss: miss[0])
            # The road that ends short is the one to speak of.
            short, reached = sorted((line, other), key=lambda road: _from_end(road, line, other))
            text = tr(
                "{road} misses {other} by {metres:,.0f} m (an end is carried on by at most "
                "{most:.0f} m)",
                road=_name(short),
                other=_name(reached),
                metres=metres,
                most=EXTEND_M,
            )
            misses.setdefault(frozenset((line.line.id, other.line.id)), (metres, text))
    return [text for _, text in sorted(misses.values())]


def _from_end(road: MeasuredLine, line: MeasuredLine, other: MeasuredLine) -> float:
    """Metres from an end of one of two roads to the other one."""
    shape = (other if road is line else line).shape
    return min(shape.distance(Point(road.xy(end))) for end, _ in road.ends())


def _name(line: MeasuredLine) -> str:
    return line_names([line.line.names])


def _names(lines: Sequence[MeasuredLine]) -> str:
    return line_names([line.line.names for line in lines])
