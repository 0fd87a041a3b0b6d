"""Junctions: where two lines meet.

Two lines meet at a corner, found by a cascade whose first step that finds any decides: a node
that both have or a crossing of the two; ends that come near the other line; ends carried
straight on. Where two dual carriageways cross there are four nodes and one corner. Carriageways
too far apart to have one centreline have a corner each, at the same junction.
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
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import Line

#: Ends within this distance of another line meet it, metres.
NEAR_M = 60.0
#: An end is carried straight on by at most this much, metres.
EXTEND_M = 400.0


@dataclass(frozen=True, slots=True)
class Junction:
    """A corner of two courses: where it lies on each, and what lies between."""

    kind: Literal["shared", "crossing", "near", "extended"]
    leave: Place
    enter: Place
    gap: float
    # The course that runs on past the corner, which the end of the other one is carried to.
    on: Literal["leave", "enter"] = "enter"
    # Where neither does, as both ends are carried on: the position that they reach.
    beyond: Position | None = None
    # The middle of the junction, which corners of several carriageways may have in common.
    junction: Position | None = None

    def reverse(self) -> Junction:
        """The same corner, met from the other course."""
        on: Literal["leave", "enter"] = "leave" if self.on == "enter" else "enter"
        return replace(self, leave=self.enter, enter=self.leave, on=on)

    def same_junction(self, other: Junction) -> bool:
        """Whether both are corners of the same two courses at one junction."""
        return self.junction is not None and self.junction == other.junction


def _clustered(positions: list[Position]) -> list[Position]:
    """One position for each group closer together than a junction is wide."""
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


def _junctions_of(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    """Every corner of two courses, by the first step of the cascade that finds any."""
    shared = [a.plane.to(p) for p in a.line.nodes & b.line.nodes]
    crossings = _points(a.shape.intersection(b.shape))
    found = []
    for spot in _clustered(shared + crossings):
        kind: Literal["shared", "crossing"] = (
            "shared" if any(math.dist(s, spot) < CLUSTER_M for s in shared) else "crossing"
        )
        # On the crossing of the centrelines where they cross: no jump is needed there. Far
        # carriageways have a crossing each: with one for both a course that is entered on one
        # and left on the other would run round by its end.
        near: list[Position] = []
        for at in sorted(crossings, key=lambda c: math.dist(c, spot)):
            if math.dist(at, spot) < CLUSTER_M and not any(
                all(_one_carriageway(course, at, other) for course in (a, b)) for other in near
            ):
                near.append(at)
        for at in near or [spot]:
            leave, enter = a.place(at)[0], b.place(at)[0]
            on: Literal["leave", "enter"] = "enter"
            if not near and b.ends_at(enter):
                leave, on = a.place(b.xy(enter))[0], "leave"
            elif not near:
                enter = b.place(a.xy(leave))[0]
            found.append(Junction(kind, leave, enter, 0.0, on, junction=spot))
    return found or _near(a, b) or _extended(a, b)


def _one_carriageway(course: MeasuredLine, one: Position, other: Position) -> bool:
    """Whether two positions of a junction lie on one carriageway."""
    (part, at), (other_part, other_at) = course.place(one)[0], course.place(other)[0]
    return part == other_part and abs(at - other_at) < SAME_M


def _points(shape: shapely.Geometry) -> list[Position]:
    found: list[Position] = []
    for piece in shapely.get_parts(shape):
        if piece.geom_type == "Point":
            found.append((piece.x, piece.y))
        elif piece.geom_type == "LineString" and not piece.is_empty:
            # Along a common stretch either end is a corner.
            found += [piece.coords[0], piece.coords[-1]]
    return found


def _near(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    found: list[Junction] = []
    for place, _ in a.ends():
        enter, gap = b.place(a.xy(place))
        if gap <= NEAR_M:
            found.append(Junction("near", place, enter, gap))
    for place, _ in b.ends():
        leave, gap = a.place(b.xy(place))
        if gap <= NEAR_M and all(math.dist(a.xy(leave), a.xy(m.leave)) > CLUSTER_M for m in found):
            found.append(Junction("near", leave, place, gap, "leave"))
    return found


def _extended(a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
    """Ends carried straight on until they meet the other line, or its own straight continuation."""
    found = []
    rays = [
        [(place, _ray(course.xy(place), on)) for place, on in course.ends()] for course in (a, b)
    ]
    for place, ray in rays[0]:
        for spot in _points(ray.intersection(b.shape)):
            gap = math.dist(a.xy(place), spot)
            found.append(Junction("extended", place, b.place(spot)[0], gap))
    for place, ray in rays[1]:
        for spot in _points(ray.intersection(a.shape)):
            gap = math.dist(b.xy(place), spot)
            found.append(Junction("extended", a.place(spot)[0], place, gap, "leave"))
    if not found:
        for (pa, ra), (pb, rb) in itertools.product(*rays):
            for spot in _points(ra.intersection(rb)):
                gap = math.dist(a.xy(pa), spot) + math.dist(b.xy(pb), spot)
                if gap <= EXTEND_M:
                    found.append(Junction("extended", pa, pb, gap, beyond=spot))
    return sorted(found, key=lambda m: m.gap)[:2]


def _ray(start: Position, on: Position) -> LineString:
    return LineString([start, (start[0] + on[0] * EXTEND_M, start[1] + on[1] * EXTEND_M)])


class Junctions:
    """Junctions and corners of one compilation, each worked out once."""

    def __init__(self, lines: LineSource, origin: Position) -> None:
        self.lines = lines
        self.plane = Plane(*origin)
        self._courses: dict[str, MeasuredLine] = {}
        self._known: dict[tuple[str, str], list[Junction]] = {}

    def course(self, line: Line) -> MeasuredLine:
        """Return the course of a line."""
        if line.id not in self._courses:
            self._courses[line.id] = MeasuredLine(line, self.plane)
        return self._courses[line.id]

    def meetings(self, a: MeasuredLine, b: MeasuredLine) -> list[Junction]:
        """Return every corner of two courses; empty where they don't meet."""
        key = a.line.id, b.line.id
        if key not in self._known:
            self._known[key] = _junctions_of(a, b)
            self._known[key[::-1]] = [m.reverse() for m in self._known[key]]
        return self._known[key]
