"""Junctions: where two lines meet.

They meet at corners, found by a cascade of which the first step that finds any decides: nodes
that both have, and crossings of the two; ends that come near the other line; ends carried
straight on. Where two dual carriageways cross there are four nodes and one corner. Carriageways
too far apart to have one centreline have a corner each, at the same crossing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

import shapely
from shapely.geometry import LineString

from nankai_gis.compiler.lines import LineSource
from nankai_gis.compiler.measured import CLUSTER_M, SAME_M, MeasuredLine, Place
from nankai_gis.compiler.runs import CornerKind
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import Line

#: Ends within this distance of another line meet it, metres.
NEAR_M = 60.0
#: An end is carried straight on by at most this much, metres.
EXTEND_M = 400.0

_Side = Literal["leave", "enter"]


@dataclass(frozen=True, slots=True)
class Junction:
    """A corner of two lines, as it is passed from the first to the second."""

    kind: CornerKind
    leave: Place
    enter: Place
    gap: float
    through: _Side = "enter"
    beyond: Position | None = None
    middle: Position | None = None

    def reverse(self) -> Junction:
        """Return the same corner, passed from the second line to the first."""
        through: _Side = "leave" if self.through == "enter" else "enter"
        return replace(self, leave=self.enter, enter=self.leave, through=through)

    def spot(self, first: MeasuredLine, second: MeasuredLine) -> Position:
        """Return where a ring passes from the one to the other: on the line that runs on."""
        if self.beyond is not None:
            return self.beyond
        return first.xy(self.leave) if self.through == "leave" else second.xy(self.enter)

    def same_crossing(self, other: Junction) -> bool:
        """Return whether both are corners of the same two lines at one crossing."""
        return self.middle is not None and self.middle == other.middle


class Junctions:
    """The measured lines and junctions of one compilation, each worked out once."""

    def __init__(self, lines: LineSource, origin: Position) -> None:
        self.lines = lines
        self.plane = Plane(*origin)
        self._measured: dict[str, MeasuredLine] = {}
        self._between: dict[tuple[str, str], list[Junction]] = {}

    def measured(self, line: Line) -> MeasuredLine:
        """Return a line, measured."""
        if line.id not in self._measured:
            self._measured[line.id] = MeasuredLine(line, self.plane)
        return self._measured[line.id]

    def between(self, a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
        """Return every corner of two lines; empty where they don't meet."""
        key = a.line.id, b.line.id
        if key not in self._between:
            corners = _crossing(a, b) or _near(a, b) or _extended(a, b)
            self._between[key] = corners
            self._between[key[::-1]] = [corner.reverse() for corner in corners]
        return self._between[key]


def _crossing(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    """Corners at nodes that both lines have, and where they cross."""
    nodes = [a.plane.to(p) for p in a.line.nodes & b.line.nodes]
    crossings = _points(a.shape.intersection(b.shape))
    corners = []
    for middle in _clustered(nodes + crossings):
        shared = any(math.dist(node, middle) < CLUSTER_M for node in nodes)
        kind: CornerKind = "shared" if shared else "crossing"
        # Where the centrelines cross there is the corner, without a jump. Carriageways far apart
        # have a crossing each: with one for both, a line that is entered on one and left on the
        # other would be followed round by its end.
        spots: list[Position] = []
        for spot in sorted(crossings, key=lambda c: math.dist(c, middle)):
            if math.dist(spot, middle) < CLUSTER_M and not any(
                all(_one_carriageway(line, spot, other) for line in (a, b)) for other in spots
            ):
                spots.append(spot)
        for spot in spots or [middle]:
            leave, enter = a.place(spot)[0], b.place(spot)[0]
            through: _Side = "enter"
            # A node beside the centrelines: the line that ends there reaches the other one.
            if not spots and b.ends_at(enter):
                leave, through = a.place(b.xy(enter))[0], "leave"
            elif not spots:
                enter = b.place(a.xy(leave))[0]
            corners.append(Junction(kind, leave, enter, 0.0, through, middle=middle))
    return corners


def _clustered(positions: list[Position]) -> list[Position]:
    """One position for each group closer together than a crossing is wide: its middle.

    Nine lines do what a union-find or scipy's clustering would, on a handful of positions.
    """
    groups: list[list[Position]] = []
    for position in sorted(positions):
        for group in groups:
            if any(math.dist(position, other) < CLUSTER_M for other in group):
                group.append(position)
                break
        else:
            groups.append([position])
    return [
        (sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) if len(g) > 1 else g[0]
        for g in groups
    ]


def _one_carriageway(line: MeasuredLine, spot: Position, other: Position) -> bool:
    """Whether two positions of a crossing lie on one carriageway."""
    (part, metres), (other_part, other_metres) = line.place(spot)[0], line.place(other)[0]
    return part == other_part and abs(metres - other_metres) < SAME_M


def _points(shape: shapely.Geometry) -> list[Position]:
    """The points of an intersection, and both ends of what two lines have in common."""
    points: list[Position] = []
    for piece in shapely.get_parts(shape):
        if piece.geom_type == "Point":
            points.append((piece.x, piece.y))
        elif piece.geom_type == "LineString" and not piece.is_empty:
            points += [piece.coords[0], piece.coords[-1]]
    return points


def _near(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    """Corners at ends that come near the other line, of either line's ends; the nearest first."""
    corners = [Junction("near", end, *b.place(a.xy(end))) for end, _ in a.ends()]
    for end, _ in b.ends():
        leave, gap = a.place(b.xy(end))
        corners.append(Junction("near", leave, end, gap, "leave"))
    near = [corner for corner in corners if corner.gap <= NEAR_M]
    return sorted(near, key=lambda corner: corner.gap)


def _extended(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    """Corners at ends carried straight on to the other line, or to its end carried on."""
    corners = []
    rays = [[(end, _ray(line.xy(end), heading)) for end, heading in line.ends()] for line in (a, b)]
    for end, ray in rays[0]:
        for spot in _points(ray.intersection(b.shape)):
            gap = math.dist(a.xy(end), spot)
            corners.append(Junction("extended", end, b.place(spot)[0], gap))
    for end, ray in rays[1]:
        for spot in _points(ray.intersection(a.shape)):
            gap = math.dist(b.xy(end), spot)
            corners.append(Junction("extended", a.place(spot)[0], end, gap, "leave"))
    if not corners:
        for (end_a, ray_a), (end_b, ray_b) in itertools.product(*rays):
            for spot in _points(ray_a.intersection(ray_b)):
                gap = math.dist(a.xy(end_a), spot) + math.dist(b.xy(end_b), spot)
                if gap <= EXTEND_M:
                    corners.append(Junction("extended", end_a, end_b, gap, beyond=spot))
    # Of many places that ends could be carried to, the nearest two are likely.
    return sorted(corners, key=lambda corner: corner.gap)[:2]


def _ray(start: Position, heading: Position) -> LineString:
    stop = (start[0] + heading[0] * EXTEND_M, start[1] + heading[1] * EXTEND_M)
    return LineString([start, stop])
