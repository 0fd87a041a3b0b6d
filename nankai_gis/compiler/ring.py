"""The compiler of rings: sides and lines in, a closed ring and its diagnosis out.

A ring is a round of lines in which each meets the next (`nankai_gis.compiler.course` says where).
Where
a definition gives the round, it is followed; where it gives only the four sides, the round is
searched for: every road that is named must be used, on its own side, and what has to be put in
between - a road used twice, a line that the clause doesn't name, a gap - costs. The cheapest
simple ring wins; one that is nearly as cheap and encloses another area is reported as an
ambiguity.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from shapely.geometry import LinearRing

from nankai_gis.compiler.junction import Junction, Junctions
from nankai_gis.compiler.lines import LineSource, located
from nankai_gis.compiler.measured import MeasuredLine, run_accuracy, run_length
from nankai_gis.compiler.runs import Corner, Run
from nankai_gis.errors import GeometryError
from nankai_gis.geometry import ruler
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import RingPart, Status, Vertex, worst

# A metre of gap is dearer than a metre of line.
GAP_COST = 8.0
# Vertices closer to a corner than this stand at it.
_HAIR_M = 0.05
# Combinations of corners that are tried.
_MOST_RINGS = 4096

_Role = Literal["named", "again", "bridge", "stand-in"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another ring that nearly as well fits the sides.

    Attributes
    ----------
    lines : tuple of str
        Names of the lines in order.
    area_m2 : float
        On the ellipsoid.
    cost : float
        Relative to the ring that was taken: 1.0 is as good.
    """

    lines: tuple[str, ...]
    area_m2: float
    cost: float


@dataclass(frozen=True, slots=True)
class Ring:
    """A compiled ring.

    Attributes
    ----------
    runs : tuple of Run
        In order, counter-clockwise; each ends where the next begins.
    corners : tuple of Corner
        Corner k lies between run k and run k + 1.
    status : str
        Of the least certain run.
    missing : mapping of str to tuple of str
        Roads of the clause that the network doesn't hold, with the near names.
    alternatives : tuple of Alternative
    """

    runs: tuple[Run, ...]
    corners: tuple[Corner, ...]
    status: Status
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alternatives: tuple[Alternative, ...] = ()

    @property
    def coordinates(self) -> list[Position]:
        """Positions of the closed ring, lon and lat in degrees, first equal to last."""
        inner = [v.position for run in self.runs for v in run.vertices[:-1]]
        return [*inner, inner[0]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a round, from where it is entered to where it is left."""

    course: MeasuredLine
    role: _Role
    part: RingPart | None
    entry: Junction
    leave: Junction


def runs_and_corners(steps: Sequence[Step]) -> tuple[list[Run], list[Corner]] | None:
    """Runs and corners of a round, or None where a line would be used over no length."""
    ways = []
    for step in steps:
        # From one carriageway to the other of the same street is no use of a line either.
        if step.entry.same_junction(step.leave):
            return None
        vertices, length, bridged = step.course.path(step.entry.enter, step.leave.leave)
        if length < 1.0:
            return None
        ways.append((vertices, bridged))
    runs, corners = [], []
    for k, (step, (vertices, bridged)) in enumerate(zip(steps, ways, strict=True)):
        start = _joint(steps[k - 1].leave, ways[k - 1][0][-1], vertices[0], step.course.plane)
        following = ways[(k + 1) % len(ways)][0][0]
        stop = _joint(step.leave, vertices[-1], following, step.course.plane)
        # What is put in between belongs to the line whose end is carried on.
        vertices = [
            _carried(start, vertices[0], step.entry),
            *_clear(vertices, (start, stop), step.course.plane),
            _carried(stop, vertices[-1], step.leave),
        ]
        part = step.part
        status = worst(v.status for v in vertices)
        if part is not None and part.stands_for is not None:
            status = "inferred"
        runs.append(
            Run(
                step.course.line.id,
                step.course.line.names.hant,
                step.role,
                part.stands_for if part else None,
                tuple(vertices),
                max(run_accuracy(vertices), (part.accuracy_m if part else None) or 0.0),
                status,
                bridged,
            )
        )
        corners.append(Corner(step.leave.kind, step.leave.gap, stop))
    return runs, corners


def _clear(
    vertices: Sequence[Vertex], corners: Sequence[Position], plane: Plane
) -> Sequence[Vertex]:
    """The vertices that don't stand at a corner: a hair's breadth beside one they make a spike."""
    spots = [plane.to(v.position) for v in vertices]
    first, last = (plane.to(corner) for corner in corners)
    low, high = 0, len(spots)
    while low < high and math.dist(spots[low], first) < _HAIR_M:
        low += 1
    while low < high and math.dist(spots[high - 1], last) < _HAIR_M:
        high -= 1
    return vertices[low:high]


def _joint(meeting: Junction, leave: Vertex, enter: Vertex, plane: Plane) -> Position:
    """Where a ring passes from one line to the next: on the line that runs on past the corner."""
    if meeting.beyond is not None:
        return plane.back(meeting.beyond)
    return (leave if meeting.on == "leave" else enter).position


def _carried(to: Position, end: Vertex, meeting: Junction) -> Vertex:
    """The end of a line carried to the corner; where it was carried far, nobody has seen it."""
    if to == end.position:
        return end
    if meeting.kind != "extended":
        return replace(end, lon=to[0], lat=to[1])
    accuracy = max(end.accuracy_m, meeting.gap / 2)
    return replace(end, lon=to[0], lat=to[1], accuracy_m=accuracy, status="inferred")


def ring_of_lines(
    parts: Sequence[RingPart], lines: LineSource, points: Mapping[str, Vertex] | None = None
) -> Ring:
    """Compile a ring whose round is given.

    Parameters
    ----------
    parts : sequence of RingPart
        Two or more lines in the order in which the ring runs, either way round. A line may
        stand in it more than once.
    lines : LineSource
    points : mapping of str to Vertex, optional
        Control points that ``until`` may name.

    Returns
    -------
    Ring
        Counter-clockwise and simple; where neighbours meet more than once, the shortest.

    Raises
    ------
    RoadNotFoundError
        If a line is unknown or has no coordinates.
    GeometryError
        If ``until`` names no corner of both lines, if neighbours don't meet, or if no
        combination of corners gives a simple ring.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> names = ["鞍山西道", "衛津路", "復康路", "紅旗路"]
    >>> len(ring_of_lines([RingPart(n) for n in names], digitised.packaged()).runs)
    4
    """
    found = located(lines, [part.line for part in parts])
    courses = Junctions(lines, found[0].parts[0][0].position)
    round_ = [courses.course(line) for line in found]
    choices = []
    for k, (course, part) in enumerate(zip(round_, parts, strict=True)):
        following = round_[(k + 1) % len(round_)]
        meetings = courses.meetings(course, following)
        if part.until is not None:
            point = (points or {}).get(part.until)
            spot = courses.plane.to(point.position) if point else (math.inf, math.inf)
            meetings = [m for m in meetings if math.dist(course.xy(m.leave), spot) < 1.0]
        if not meetings:
            raise GeometryError(
                f"{course.line.names.hant} and {following.line.names.hant} follow each other in "
                "the ring but don't meet"
                + (f" at {part.until}" if part.until else "")
                + "; put the line that joins them between"
            )
        choices.append(meetings)
    if math.prod(map(len, choices)) > _MOST_RINGS:
        # One corner for each junction, the one nearest to its middle, where carriageways are many.
        choices = [
            list({m.junction or m.leave: m for m in reversed(meetings)}.values())[::-1]
            for meetings in choices
        ]
    if math.prod(map(len, choices)) > _MOST_RINGS:
        raise GeometryError(
            f"{math.prod(map(len, choices))} ways to run this ring; "
            "give lines that meet at fewer places, or say until where each is followed"
        )
    seen: set[str] = set()
    roles: list[_Role] = []
    for part, line in zip(parts, found, strict=True):
        roles.append("stand-in" if part.stands_for else "again" if line.id in seen else "named")
        seen.add(line.id)
    rounds = []
    for chosen in itertools.product(*choices):
        steps = [
            Step(course, role, part, chosen[k - 1], chosen[k])
            for k, (course, role, part) in enumerate(zip(round_, roles, parts, strict=True))
        ]
        made = runs_and_corners(steps)
        if made is not None:
            gaps = sum(corner.gap_m for corner in made[1])
            rounds.append((sum(run_length(r.vertices) for r in made[0]) + GAP_COST * gaps, made))
    for _, (runs, corners) in sorted(rounds, key=lambda r: r[0]):
        closed = closed_ring(runs, corners)
        if closed is not None:
            return closed
    raise GeometryError(
        f"the ring {'、'.join(line.names.hant for line in found)} crosses itself however its "
        "corners are chosen; check the order of its lines"
    )


def closed_ring(runs: list[Run], corners: list[Corner]) -> Ring | None:
    """A simple, counter-clockwise ring, or None."""
    positions = [v.position for run in runs for v in run.vertices[:-1]]
    if len(positions) < 3:
        return None
    shape = LinearRing(positions)
    if not shape.is_simple or not shape.is_valid:
        return None
    if not shape.is_ccw:
        runs = [replace(run, vertices=run.vertices[::-1]) for run in reversed(runs)]
        # The corner after the last run comes to stand after the first of the reversed.
        corners = [*reversed(corners[:-1]), corners[-1]]
    return Ring(tuple(runs), tuple(corners), worst(run.status for run in runs))


def ring_area(ring: Ring) -> float:
    """Return the area that a ring encloses.

    Parameters
    ----------
    ring : Ring

    Returns
    -------
    float
        Square metres on the ellipsoid, as `nankai_gis.geometry.ruler.area` has them.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> names = ["鞍山西道", "衛津路", "復康路", "紅旗路"]
    >>> found = ring_of_lines([RingPart(n) for n in names], digitised.packaged())
    >>> round(ring_area(found) / 1e6, 1)
    4.3
    """
    return ruler.area({"type": "Polygon", "coordinates": [ring.coordinates]})
