"""The axis of a corridor: from its pieces to lines on the ground.

A piece follows a street, whole or between two lines that it meets; or it runs straight between
control points, where the plan names streets that have no coordinates. A street without
coordinates keeps its place in the axis, unlocated: it has no length, not a length of zero.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nankai_gis.compiler.junction import Junctions
from nankai_gis.compiler.lines import LineSource, located, named_lines
from nankai_gis.compiler.measured import MeasuredLine, Place, run_accuracy
from nankai_gis.compiler.remarks import Remark, named
from nankai_gis.compiler.ring import LEAST_M
from nankai_gis.compiler.runs import Run
from nankai_gis.errors import GeometryError
from nankai_gis.geometry.plane import Position
from nankai_gis.plan.model import AxisPart, Line, Names, Vertex, worst

# A way longer than this many times the one along a single carriageway, and by more than so many
# metres besides, goes round by the street's end.
_DETOUR, _DETOUR_M = 1.6, 200.0

# Where a piece may begin or end, and the middle of the crossing there.
_Stop = tuple[Place, Position | None]


class PieceError(GeometryError):
    """A piece of an axis that can't be drawn."""

    def __init__(self, remark: Remark) -> None:
        self.remark = remark
        super().__init__(remark.text())


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a compiled axis."""

    part: AxisPart
    line: Line | None
    run: Run | None


def axis_streets(parts: Sequence[AxisPart], lines: LineSource) -> dict[str, Line]:
    """Choose the streets of an axis, those that lie together where names are shared."""
    every = (name for part in parts for name in (part.road, part.start, part.end))
    names = [name for name in dict.fromkeys(every) if name is not None and named_lines(lines, name)]
    if len(names) == 1:
        return {names[0]: lines[names[0]]}
    return dict(zip(names, located(lines, names), strict=True))


def axis_pieces(
    parts: Sequence[AxisPart],
    lines: LineSource,
    points: Mapping[str, Vertex],
    streets: Mapping[str, Line] | None = None,
) -> tuple[Piece, ...]:
    """Compile the pieces of an axis."""
    streets = axis_streets(parts, lines) if streets is None else streets
    return tuple(_piece(part, lines, points, streets) for part in parts)


def _piece(
    part: AxisPart, lines: LineSource, points: Mapping[str, Vertex], streets: Mapping[str, Line]
) -> Piece:
    if part.road is None:
        return Piece(part, None, _straight(part, lines, points))
    if part.road in lines and not named_lines(lines, part.road):
        return Piece(part, lines[part.road], None)
    for name in (part.road, part.start, part.end):
        if name is not None and name not in streets:
            # Raises: it is unknown, or has no coordinates.
            located(lines, [name])
    return Piece(part, streets[part.road], _along(part, lines, streets))


def _straight(part: AxisPart, lines: LineSource, points: Mapping[str, Vertex]) -> Run:
    """A straight run between control points, in the place of streets without coordinates."""
    unknown = [name for name in part.through if name not in points]
    if unknown:
        raise PieceError(Remark("control point unknown", {"points": unknown}))
    vertices = tuple(points[name] for name in part.through)
    stands_for = "、".join(part.stands_for) or None
    known = [
        lines.every(name)[0].names if name in lines else Names(name, name, name)
        for name in part.stands_for
    ]
    names = Names(
        stands_for or "",
        "、".join(names.hans for names in known),
        ", ".join(names.en for names in known),
    )
    return Run("", names, "bridge", stands_for, vertices, run_accuracy(vertices), "inferred")


def _along(part: AxisPart, lines: LineSource, streets: Mapping[str, Line]) -> Run:
    """The run along a street, between the two lines of the piece or to the street's own ends."""
    assert part.road is not None
    line = streets[part.road]
    junctions = Junctions(lines, line.parts[0][0].position)
    measured = junctions.measured(line)
    start, end = part.start, part.end
    starts = _stops(streets[start] if start else None, measured, junctions)
    ends = _stops(streets[end] if end else None, measured, junctions)
    if not (start and end):
        # To the street's end the longest way counts, but not for a far carriageway's sake.
        starts, ends = _nearest(starts), _nearest(ends)
    ways = _ways(measured, starts, ends)
    if not ways:
        values = {"line": named(line.names), "start": start, "end": end}
        raise PieceError(Remark("piece without length", values))
    if start and end:
        # Between two crossings the shortest way; a street that joins one carriageway is passed
        # on the other as well.
        across = _ways(measured, _across(measured, starts), _across(measured, ends))[0]
        way = across if ways[0][0] > _DETOUR * across[0] + _DETOUR_M else ways[0]
    else:
        # From end to end the longest; along the street's own direction, where both are as long.
        way = max(ways, key=lambda way: (way[0], -way[1][0], -way[1][1]))
    vertices, _, bridged = measured.path(way[1], way[2])
    return Run(
        line=line.id,
        names=line.names,
        role="named",
        stands_for=None,
        vertices=tuple(vertices),
        accuracy_m=run_accuracy(vertices),
        status=worst(v.status for v in vertices),
        bridged_m=bridged,
    )


def _ways(
    measured: MeasuredLine, starts: Sequence[_Stop], ends: Sequence[_Stop]
) -> list[tuple[float, Place, Place]]:
    """Every way from a start to an end elsewhere, with its metres: the shortest first."""
    ways = sorted(
        (measured.distance(a, b), a, b)
        for (a, here), (b, there) in itertools.product(starts, ends)
        # From one carriageway to the other at the same crossing leads nowhere.
        if a != b and (here is None or here != there)
    )
    return [way for way in ways if way[0] > LEAST_M]


def _nearest(stops: Sequence[_Stop]) -> list[_Stop]:
    """One place for each crossing: the one nearest to its middle."""
    return list({middle or place: (place, middle) for place, middle in reversed(stops)}.values())


def _across(measured: MeasuredLine, stops: Sequence[_Stop]) -> list[_Stop]:
    """The same places, and those across from them on the other carriageway."""
    return [
        *stops,
        *((other, middle) for place, middle in stops for other in measured.opposite(place)),
    ]


def _stops(other: Line | None, measured: MeasuredLine, junctions: Junctions) -> list[_Stop]:
    """Where a piece may begin or end: at a line, or at the street's own ends."""
    if other is None:
        return [(place, None) for place, _ in measured.ends()]
    crossed = junctions.measured(other)
    corners = junctions.between(measured, crossed)
    if not corners:
        metres = measured.shape.distance(crossed.shape)
        values = {"line": named(measured.line.names), "other": named(other.names)}
        raise PieceError(Remark("lines don't meet", {**values, "metres": metres}))
    return [(corner.leave, corner.middle) for corner in corners]
