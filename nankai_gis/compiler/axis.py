"""From the pieces of an axis to the lines on the ground.

A piece follows a street, whole or between two lines that it meets; or it runs straight between
control points, where the plan names streets that have no coordinates. A street without
coordinates keeps its place in the axis, unlocated: it has no length, not a length of zero.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nankai_gis.compiler.junction import Junctions
from nankai_gis.compiler.lines import LineSource, located
from nankai_gis.compiler.measured import MeasuredLine, Place, run_accuracy
from nankai_gis.compiler.runs import Run
from nankai_gis.errors import GeometryError
from nankai_gis.geometry.plane import Position
from nankai_gis.plan.model import AxisPart, Line, Vertex, worst

# A way this much longer than the one along a single carriageway goes round by the street's end.
_DETOUR, _DETOUR_M = 1.6, 200.0

# Where a piece may begin or end, and the middle of the junction there.
_Stop = tuple[Place, Position | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a compiled axis.

    Attributes
    ----------
    part : AxisPart
        What the definition says of it.
    line : Line or None
        The street; None for a straight piece.
    run : Run or None
        Its course; None where the street has no coordinates.
    """

    part: AxisPart
    line: Line | None
    run: Run | None


def chosen(parts: Sequence[AxisPart], lines: LineSource) -> dict[str, Line]:
    """Choose the streets of an axis, those that lie together where names are shared.

    Parameters
    ----------
    parts : sequence of AxisPart
        All pieces of the axis: each helps to tell the others' namesakes apart.
    lines : LineSource

    Returns
    -------
    dict of str to Line
        By the names that the pieces use; those that the network lacks, or has without
        coordinates, are left out.

    Raises
    ------
    AmbiguousNameError
        If the axis names a single street, and several are called so.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> part = AxisPart("紅旗路", "main", start="黃河道", end="津淶道")
    >>> list(chosen([part], digitised.packaged()))
    ['紅旗路', '黃河道']
    """
    every = (name for part in parts for name in (part.road, part.start, part.end))
    names = [
        name
        for name in dict.fromkeys(every)
        if name is not None and name in lines and any(line.parts for line in lines.every(name))
    ]
    if len(names) == 1:
        return {names[0]: lines[names[0]]}
    return dict(zip(names, located(lines, names), strict=True))


def axis_pieces(
    parts: Sequence[AxisPart],
    lines: LineSource,
    points: Mapping[str, Vertex],
    streets: Mapping[str, Line] | None = None,
) -> tuple[Piece, ...]:
    """Compile the pieces of an axis.

    Parameters
    ----------
    parts : sequence of AxisPart
    lines : LineSource
    points : mapping of str to Vertex
        Control points that straight pieces run through.
    streets : mapping of str to Line, optional
        What `chosen` returns, where these are not all pieces of the axis.

    Returns
    -------
    tuple of Piece
        One for each part, in order; empty for no parts. Where a street meets the line at which
        its piece begins or ends more than once, the piece is the shortest that is possible.

    Raises
    ------
    RoadNotFoundError
        If a street is unknown.
    GeometryError
        If a street doesn't meet the line at which its piece begins or ends, or a control point
        is unknown.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> network = digitised.packaged()
    >>> part = AxisPart("紅旗路", "main", start="黃河道", end="長江道")
    >>> len(axis_pieces([part], network, network.points))
    1
    """
    streets = chosen(parts, lines) if streets is None else streets
    return tuple(_piece(part, lines, points, streets) for part in parts)


def _piece(
    part: AxisPart, lines: LineSource, points: Mapping[str, Vertex], streets: Mapping[str, Line]
) -> Piece:
    if part.road is None:
        missing = [name for name in part.through if name not in points]
        if missing:
            raise GeometryError(f"no control point is called {', '.join(missing)}")
        vertices = tuple(points[name] for name in part.through)
        name = "、".join(part.stands_for)
        run = Run("", name, "bridge", name or None, vertices, run_accuracy(vertices), "inferred")
        return Piece(part, None, run)
    if part.road in lines and not any(line.parts for line in lines.every(part.road)):
        return Piece(part, lines[part.road], None)
    names = [name for name in (part.road, part.start, part.end) if name is not None]
    for name in names:
        if name not in streets:
            # Says whether it is unknown or without coordinates.
            located(lines, [name])
    line, *others = (streets[name] for name in names)
    ends = dict(zip(names[1:], others, strict=True))
    courses = Junctions(lines, line.parts[0][0].position)
    course = courses.course(line)
    starts = _places(ends.get(part.start or ""), course, courses)
    stops = _places(ends.get(part.end or ""), course, courses)
    if not (part.start and part.end):
        # The longest way is no reason to begin on the far carriageway.
        starts, stops = _first(starts), _first(stops)
    ways = _ways(course, starts, stops)
    if not ways:
        raise GeometryError(f"{line.names.hant} from {part.start} to {part.end} has no length")
    # Between two crossings the shortest way; from end to end of a street the longest.
    if part.start and part.end:
        way = ways[0]
        # A street that joins one carriageway is passed on the other as well.
        across = _ways(course, _across(course, starts), _across(course, stops))[0]
        _, start, stop = across if way[0] > _DETOUR * across[0] + _DETOUR_M else way
    else:
        # Along the street's own direction, where both directions are as long.
        _, start, stop = max(ways, key=lambda way: (way[0], -way[1][0], -way[1][1]))
    found, _, bridged = course.path(start, stop)
    run = Run(
        line.id,
        line.names.hant,
        "named",
        None,
        tuple(found),
        run_accuracy(found),
        worst(v.status for v in found),
        bridged,
    )
    return Piece(part, line, run)


def _ways(
    course: MeasuredLine, starts: Sequence[_Stop], stops: Sequence[_Stop]
) -> list[tuple[float, Place, Place]]:
    """Every way from a start to a stop elsewhere, by its cost: the shortest first."""
    ways = sorted(
        (course.distance(a, b), a, b)
        for (a, here), (b, there) in itertools.product(starts, stops)
        # From one carriageway to the other at the same junction leads nowhere.
        if a != b and (here is None or here != there)
    )
    return [way for way in ways if way[0] > 1.0]


def _first(stops: Sequence[_Stop]) -> list[_Stop]:
    """One place for each junction: the one nearest to its middle."""
    return list({spot or place: (place, spot) for place, spot in reversed(stops)}.values())


def _across(course: MeasuredLine, stops: Sequence[_Stop]) -> list[_Stop]:
    """The same places, and those across from them on the other carriageway."""
    return [*stops, *((p, spot) for place, spot in stops for p in course.opposite(place))]


def _places(other: Line | None, course: MeasuredLine, courses: Junctions) -> list[_Stop]:
    """Where a piece may begin or end: at a line, or at the course's own ends."""
    if other is None:
        return [(place, None) for place, _ in course.ends()]
    meetings = courses.meetings(course, courses.course(other))
    if not meetings:
        raise GeometryError(
            f"{course.line.names.hant} doesn't meet {other.names.hant}; "
            "begin or end the piece at a line that it meets"
        )
    return [(m.leave, m.junction) for m in meetings]
