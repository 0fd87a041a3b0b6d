"""From the pieces of an axis to the lines on the ground.

A piece follows a street, whole or between two lines that it meets; or it runs straight between
control points, where the plan names streets that have no coordinates. A street without
coordinates keeps its place in the axis, unlocated: it has no length, not a length of zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .boundary import corners, run_accuracy, stretch
from .errors import GeometryError
from .model import AxisPart, Line, Run, Vertex, worst
from .names import Index


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


def axis(
    parts: Sequence[AxisPart], index: Index[Line], points: Mapping[str, Vertex]
) -> tuple[Piece, ...]:
    """Compile the pieces of an axis.

    Parameters
    ----------
    parts : sequence of AxisPart
    index : Index of Line
    points : mapping of str to Vertex
        Control points that straight pieces run through.

    Returns
    -------
    tuple of Piece
        One for each part, in order; empty for no parts.

    Raises
    ------
    RoadNotFoundError
        If a street is unknown.
    GeometryError
        If a street doesn't meet the line at which its piece begins or ends, meets it more than
        once, or a control point is unknown.

    Examples
    --------
    >>> from nankai_gis import reference
    >>> network = reference.packaged()
    >>> part = AxisPart("紅旗路", "main", start="黃河道", end="長江道")
    >>> len(axis([part], network.index(), network.points))
    1
    """
    return tuple(_piece(part, index, points) for part in parts)


def _piece(part: AxisPart, index: Index[Line], points: Mapping[str, Vertex]) -> Piece:
    if part.road is None:
        missing = [name for name in part.through if name not in points]
        if missing:
            raise GeometryError(f"no control point is called {', '.join(missing)}")
        vertices = tuple(points[name] for name in part.through)
        return Piece(part, None, Run("", None, vertices, run_accuracy(vertices), "inferred"))
    line = index[part.road]
    if not line.vertices:
        return Piece(part, line, None)
    first = 0 if part.start is None else _meeting(line, index[part.start])
    last = len(line.vertices) - 1 if part.end is None else _meeting(line, index[part.end])
    if first == last:
        raise GeometryError(f"{line.names.hant} from {part.start} to {part.end} has no length")
    vertices = stretch(line, first, last)
    run = Run(line.id, None, vertices, run_accuracy(vertices), worst(v.status for v in vertices))
    return Piece(part, line, run)


def _meeting(line: Line, other: Line) -> int:
    found = corners(line, other)
    if len(found) != 1:
        times = "doesn't meet" if not found else f"meets {len(found)} times"
        raise GeometryError(
            f"{line.names.hant} {times} {other.names.hant}; "
            "begin or end the piece at a line that it meets once"
        )
    return found[0][0]
