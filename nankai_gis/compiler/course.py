"""A course: a line laid out in a local plane, and where two of them meet.

Two lines meet at a corner, found by a cascade whose first step that finds any decides: a node
that both have or a crossing of the two; ends that come near the other line; ends carried
straight on. Where two dual carriageways cross there are four nodes and one corner. Carriageways
too far apart to have one centreline have a corner each, at the same junction.

Distances that decide are taken in the local plane, true to 1e-4 over ten kilometres; lengths
that are reported are geodesics on the CGCS2000 ellipsoid.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import substring

from nankai_gis.errors import RoadNotFoundError
from nankai_gis.geometry import crs
from nankai_gis.geometry.plane import Plane
from nankai_gis.plan.model import Line, Vertex, worst

#: Ends within this distance of another line meet it, metres.
NEAR_M = 60.0
#: An end is carried straight on by at most this much, metres.
EXTEND_M = 400.0

# Corners closer together than this are one: the four nodes where two dual carriageways cross.
_CLUSTER_M = 100.0

# Places of one junction with less of a part between them than this lie on one carriageway.
_SAME_M = 200.0

# A way along a broken street goes round a break only where that is not much longer.
_BREAK_COST = 3.0

Position = tuple[float, float]
# A place on a course: which part, and how far along it, metres.
Place = tuple[int, float]


class Lines(Protocol):
    """A network as the compiler sees it."""

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name; RoadNotFoundError where there is none."""
        ...

    def __contains__(self, name: object) -> bool:
        """Whether a line answers to the name."""
        ...

    def every(self, name: str) -> Sequence[Line]:
        """Return all lines of a name: streets in several places may share it."""
        ...

    def near(self, name: str) -> list[str]:
        """Return names like one that isn't there."""
        ...

    def around(self, bounds: tuple[float, float, float, float]) -> Sequence[Line]:
        """Return the lines that touch a box: west, south, east, north in degrees."""
        ...


class Ground(Lines, Protocol):
    """A network that layers are made on: lines, control points and what they come from."""

    @property
    def points(self) -> Mapping[str, Vertex]:
        """Control points by id."""
        ...

    @property
    def sources(self) -> Mapping[str, str]:
        """Titles of the sources, by id."""
        ...

    def listed(self, bounds: tuple[float, float, float, float] | None) -> Sequence[Line]:
        """Return the lines that belong on the maps of a plan within a box; None for no plan."""
        ...


def together(groups: Sequence[Sequence[Line]]) -> list[Line]:
    """Choose, among streets of the same names, those that lie together.

    Parameters
    ----------
    groups : sequence of sequence of Line
        For each name the located streets that carry it, at least one.

    Returns
    -------
    list of Line
        One for each name: the one nearest to the middle of the streets whose name is the only
        one of its kind; where no name is, the choice that spreads least.

    Examples
    --------
    >>> from nankai_gis.network import digitised as reference
    >>> n = reference.packaged()
    >>> [x.id for x in together([[n["衛津路"]], [n["海河"], n["復康路"]]])]
    ['weijin-road', 'fukang-road']
    """
    boxes = {id(line): _box(line) for group in groups for line in group}
    fixed = [boxes[id(group[0])] for group in groups if len(group) == 1]
    if not fixed:
        # Try each street of the first name as the place where all of them are.
        choices = [together([[line], *groups[1:]]) for line in groups[0]] if groups else []
        return min(choices, key=lambda lines: _spread([boxes[id(x)] for x in lines]), default=[])
    return [
        min(group, key=lambda line: sum(_apart(boxes[id(line)], box) for box in fixed))
        for group in groups
    ]


_Box = tuple[float, float, float, float]


def _box(line: Line) -> _Box:
    lon, lat = [v.lon for v in line.vertices], [v.lat for v in line.vertices]
    return min(lon), min(lat), max(lon), max(lat)


def _apart(a: _Box, b: _Box) -> float:
    """Degrees between two boxes; 0 where they touch."""
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(dx, dy)


def _spread(boxes: Sequence[_Box]) -> float:
    return sum(_apart(a, b) for a, b in itertools.combinations(boxes, 2))


def run_length(vertices: Sequence[Vertex]) -> float:
    """Return the length of a stretch on the ellipsoid.

    Parameters
    ----------
    vertices : sequence of Vertex

    Returns
    -------
    float
        Metres; 0.0 for fewer than two vertices.

    Examples
    --------
    >>> a = Vertex(117.0, 39.0, 10.0, "osm", "s", "2026")
    >>> round(run_length([a, replace(a, lat=39.001)]), 1)
    111.0
    """
    if len(vertices) < 2:
        return 0.0
    geod = crs.ellipsoid()
    return float(geod.line_length([v.lon for v in vertices], [v.lat for v in vertices]))


def run_accuracy(vertices: Sequence[Vertex]) -> float:
    """Return the mean accuracy across a stretch of line, weighted by length.

    Parameters
    ----------
    vertices : sequence of Vertex
        Two or more. Between two vertices the accuracy changes evenly.

    Returns
    -------
    float
        Metres.

    Examples
    --------
    >>> a = Vertex(117.0, 39.0, 10.0, "osm", "s", "2026")
    >>> b = Vertex(117.0, 39.1, 30.0, "osm", "s", "2026")
    >>> run_accuracy([a, b])
    20.0
    """
    lengths = crs.ellipsoid().line_lengths([v.lon for v in vertices], [v.lat for v in vertices])
    total = sum(lengths)
    if total == 0:
        return vertices[0].accuracy_m
    means = ((a.accuracy_m + b.accuracy_m) / 2 for a, b in itertools.pairwise(vertices))
    return float(sum(m * d for m, d in zip(means, lengths, strict=True)) / total)


def line_length(line: Line) -> float:
    """Return the length of a line, its parts together, without what lies between them.

    Parameters
    ----------
    line : Line

    Returns
    -------
    float
        Metres; 0.0 for a line that isn't located.

    Examples
    --------
    >>> from nankai_gis.network import digitised as reference
    >>> round(line_length(reference.packaged()["紅旗路"]), -1)
    4860.0
    """
    return sum(run_length(part) for part in line.parts)


def line_accuracy(line: Line) -> float:
    """Return the mean accuracy across a line, weighted by the length of its parts.

    Parameters
    ----------
    line : Line
        Located.

    Returns
    -------
    float
        Metres.

    Examples
    --------
    >>> from nankai_gis.network import digitised as reference
    >>> round(line_accuracy(reference.packaged()["紅旗路"]), 6)
    10.0
    """
    weighted = sum(run_accuracy(part) * run_length(part) for part in line.parts)
    return weighted / line_length(line)


def located(lines: Lines, names: Sequence[str]) -> list[Line]:
    """Return the located lines of some names, those that lie together where names are shared.

    Parameters
    ----------
    lines : Lines
    names : sequence of str
        In any script, or ids.

    Returns
    -------
    list of Line
        One for each name.

    Raises
    ------
    RoadNotFoundError
        If nothing answers to a name, or its line has no coordinates.

    Examples
    --------
    >>> from nankai_gis.network import digitised as reference
    >>> [line.id for line in located(reference.packaged(), ["红旗路", "復康路"])]
    ['hongqi-road', 'fukang-road']
    """
    groups = []
    for name in names:
        if name not in lines:
            raise RoadNotFoundError("street", name, lines.near(name))
        group = [line for line in lines.every(name) if line.parts]
        if not group:
            raise RoadNotFoundError(
                "located street",
                name,
                hint="it is listed, but has no coordinates; name a stand-in",
            )
        groups.append(group)
    return together(groups)


class Course:
    """A line in the local plane, with its vertices at hand."""

    def __init__(self, line: Line, plane: Plane) -> None:
        self.line = line
        self.plane = plane
        self.parts = [LineString([plane.to(v.position) for v in part]) for part in line.parts]
        self.shape = shapely.MultiLineString(self.parts)
        self._along = [
            [0.0, *itertools.accumulate(math.dist(a, b) for a, b in itertools.pairwise(p.coords))]
            for p in self.parts
        ]
        self._distances: dict[tuple[Place, Place], float] = {}

    def place(self, xy: Position) -> tuple[Place, float]:
        """The place nearest to a position, and how far off it lies."""
        point = Point(xy)
        off, part = min((shape.distance(point), k) for k, shape in enumerate(self.parts))
        return (part, self.parts[part].project(point)), off

    def opposite(self, place: Place) -> Iterator[Place]:
        """The places across from a place, on other carriageways that run by within a junction."""
        here = Point(self.xy(place))
        for k, part in enumerate(self.parts):
            # The two carriageways may be one part, joined at their end.
            near = (place[1] - _SAME_M, place[1] + _SAME_M) if k == place[0] else (0.0, 0.0)
            for low, high in ((0.0, near[0]), (near[1], part.length)):
                if low < high:
                    piece = substring(part, low, high)
                    if piece.distance(here) < _CLUSTER_M:
                        yield k, low + piece.project(here)

    def xy(self, place: Place) -> Position:
        """The position of a place, metres."""
        point = self.parts[place[0]].interpolate(place[1])
        return point.x, point.y

    def vertex(self, place: Place) -> Vertex:
        """The vertex at a place, or one between two, no better known than they are."""
        part, at = place
        along, vertices = self._along[part], self.line.parts[part]
        for k, d in enumerate(along):
            if abs(d - at) < 0.01:
                return vertices[k]
            if d > at:
                share = (at - along[k - 1]) / (d - along[k - 1])
                a, b = vertices[k - 1], vertices[k]
                lon, lat = self.plane.back(self.xy(place))
                return Vertex(
                    lon,
                    lat,
                    a.accuracy_m + share * (b.accuracy_m - a.accuracy_m),
                    worst((a.status, b.status)),
                    a.source,
                    a.date,
                )
        return vertices[-1]

    def ends_at(self, place: Place) -> bool:
        """Whether a part ends at a place."""
        return not 0.01 < place[1] < self.parts[place[0]].length - 0.01

    def ends(self) -> Iterator[tuple[Place, Position]]:
        """Every end of the course, with the unit vector that leads on from it."""
        for k, part in enumerate(self.parts):
            for at in (0.0, part.length):
                inner = part.interpolate(min(50.0, part.length) if at == 0 else max(at - 50.0, 0.0))
                x, y = self.xy((k, at))
                away = math.hypot(x - inner.x, y - inner.y) or 1.0
                yield (k, at), ((x - inner.x) / away, (y - inner.y) / away)

    def _stretch(self, part: int, start: float, stop: float) -> list[Vertex]:
        low, high = sorted((start, stop))
        inner = [
            v
            for v, d in zip(self.line.parts[part], self._along[part], strict=True)
            if low + 0.01 < d < high - 0.01
        ]
        found = [self.vertex((part, low)), *inner, self.vertex((part, high))]
        return found if start <= stop else found[::-1]

    def distance(self, start: Place, stop: Place) -> float:
        """Metres along the course from one place to another."""
        if start[0] == stop[0] and len(self.parts) == 1 and not self.parts[0].is_closed:
            return abs(start[1] - stop[1])
        key = (start, stop)
        if key not in self._distances:
            self._distances[key] = self._route(start, stop)[1]
        return self._distances[key]

    def path(self, start: Place, stop: Place) -> tuple[list[Vertex], float, float]:
        """The way along the course: vertices, metres, and metres that bridge breaks."""
        if start[0] == stop[0] and len(self.parts) == 1 and not self.parts[0].is_closed:
            return self._stretch(start[0], start[1], stop[1]), abs(start[1] - stop[1]), 0.0
        return self._route(start, stop)

    def _graph(self, start: Place, stop: Place) -> dict[Place, list[tuple[Place, float]]]:
        """The parts cut at the two places, and the jumps from their ends over the breaks."""
        cuts: dict[int, set[float]] = {k: {0.0, p.length} for k, p in enumerate(self.parts)}
        cuts[start[0]].add(start[1])
        cuts[stop[0]].add(stop[1])
        edges: dict[Place, list[tuple[Place, float]]] = {}

        def join(a: Place, b: Place, cost: float) -> None:
            edges.setdefault(a, []).append((b, cost))
            edges.setdefault(b, []).append((a, cost))

        for (k, at), _ in self.ends():
            here = Point(self.xy((k, at)))
            for other, shape in enumerate(self.parts):
                if other != k:
                    to = shape.project(here)
                    cuts[other].add(to)
                    join((k, at), (other, to), _BREAK_COST * here.distance(shape))
        for k, part in enumerate(self.parts):
            for low, high in itertools.pairwise(sorted(cuts[k])):
                join((k, low), (k, high), high - low)
            if part.is_closed:
                join((k, 0.0), (k, part.length), 0.0)
        return edges

    def _route(self, start: Place, stop: Place) -> tuple[list[Vertex], float, float]:
        """Shortest way over the parts; a break costs more than it is long."""
        edges = self._graph(start, stop)
        came: dict[Place, Place] = {}
        queue: list[tuple[float, int, Place, Place]] = [(0.0, 0, start, start)]
        ties = itertools.count(1)
        while queue and stop not in came:
            cost, _, here, before = heapq.heappop(queue)
            if here in came:
                continue
            came[here] = before
            for there, more in edges[here]:
                if there not in came:
                    heapq.heappush(queue, (cost + more, next(ties), there, here))
        way = [stop]
        while way[-1] != start:
            way.append(came[way[-1]])
        vertices = [self.vertex(start)]
        length = bridged = 0.0
        for a, b in itertools.pairwise(reversed(way)):
            apart = math.dist(self.xy(a), self.xy(b))
            if a[0] == b[0] and apart > 0.01:
                vertices += self._stretch(a[0], a[1], b[1])[1:]
                length += abs(a[1] - b[1])
            elif apart > 0.01:
                vertices.append(self.vertex(b))
                length += apart
                bridged += apart
        return vertices, length, bridged


@dataclass(frozen=True, slots=True)
class Meeting:
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

    def reverse(self) -> Meeting:
        """The same corner, met from the other course."""
        on: Literal["leave", "enter"] = "leave" if self.on == "enter" else "enter"
        return replace(self, leave=self.enter, enter=self.leave, on=on)

    def same_junction(self, other: Meeting) -> bool:
        """Whether both are corners of the same two courses at one junction."""
        return self.junction is not None and self.junction == other.junction


def _clustered(positions: list[Position]) -> list[Position]:
    """One position for each group closer together than a junction is wide."""
    groups: list[list[Position]] = []
    for position in sorted(positions):
        for group in groups:
            if any(math.dist(position, other) < _CLUSTER_M for other in group):
                group.append(position)
                break
        else:
            groups.append([position])
    return [
        (sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) if len(g) > 1 else g[0]
        for g in groups
    ]


def _meetings(a: Course, b: Course) -> list[Meeting]:
    """Every corner of two courses, by the first step of the cascade that finds any."""
    shared = [a.plane.to(p) for p in a.line.nodes & b.line.nodes]
    crossings = _points(a.shape.intersection(b.shape))
    found = []
    for spot in _clustered(shared + crossings):
        kind: Literal["shared", "crossing"] = (
            "shared" if any(math.dist(s, spot) < _CLUSTER_M for s in shared) else "crossing"
        )
        # On the crossing of the centrelines where they cross: no jump is needed there. Far
        # carriageways have a crossing each: with one for both a course that is entered on one
        # and left on the other would run round by its end.
        near: list[Position] = []
        for at in sorted(crossings, key=lambda c: math.dist(c, spot)):
            if math.dist(at, spot) < _CLUSTER_M and not any(
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
            found.append(Meeting(kind, leave, enter, 0.0, on, junction=spot))
    return found or _near(a, b) or _extended(a, b)


def _one_carriageway(course: Course, one: Position, other: Position) -> bool:
    """Whether two positions of a junction lie on one carriageway."""
    (part, at), (other_part, other_at) = course.place(one)[0], course.place(other)[0]
    return part == other_part and abs(at - other_at) < _SAME_M


def _points(shape: shapely.Geometry) -> list[Position]:
    found: list[Position] = []
    for piece in shapely.get_parts(shape):
        if piece.geom_type == "Point":
            found.append((piece.x, piece.y))
        elif piece.geom_type == "LineString" and not piece.is_empty:
            # Along a common stretch either end is a corner.
            found += [piece.coords[0], piece.coords[-1]]
    return found


def _near(a: Course, b: Course) -> list[Meeting]:
    found: list[Meeting] = []
    for place, _ in a.ends():
        enter, gap = b.place(a.xy(place))
        if gap <= NEAR_M:
            found.append(Meeting("near", place, enter, gap))
    for place, _ in b.ends():
        leave, gap = a.place(b.xy(place))
        if gap <= NEAR_M and all(math.dist(a.xy(leave), a.xy(m.leave)) > _CLUSTER_M for m in found):
            found.append(Meeting("near", leave, place, gap, "leave"))
    return found


def _extended(a: Course, b: Course) -> list[Meeting]:
    """Ends carried straight on until they meet the other line, or its own straight continuation."""
    found = []
    rays = [
        [(place, _ray(course.xy(place), on)) for place, on in course.ends()] for course in (a, b)
    ]
    for place, ray in rays[0]:
        for spot in _points(ray.intersection(b.shape)):
            gap = math.dist(a.xy(place), spot)
            found.append(Meeting("extended", place, b.place(spot)[0], gap))
    for place, ray in rays[1]:
        for spot in _points(ray.intersection(a.shape)):
            gap = math.dist(b.xy(place), spot)
            found.append(Meeting("extended", a.place(spot)[0], place, gap, "leave"))
    if not found:
        for (pa, ra), (pb, rb) in itertools.product(*rays):
            for spot in _points(ra.intersection(rb)):
                gap = math.dist(a.xy(pa), spot) + math.dist(b.xy(pb), spot)
                if gap <= EXTEND_M:
                    found.append(Meeting("extended", pa, pb, gap, beyond=spot))
    return sorted(found, key=lambda m: m.gap)[:2]


def _ray(start: Position, on: Position) -> LineString:
    return LineString([start, (start[0] + on[0] * EXTEND_M, start[1] + on[1] * EXTEND_M)])


class Courses:
    """Courses and corners of one compilation, each worked out once."""

    def __init__(self, lines: Lines, origin: Position) -> None:
        self.lines = lines
        self.plane = Plane(*origin)
        self._courses: dict[str, Course] = {}
        self._known: dict[tuple[str, str], list[Meeting]] = {}

    def course(self, line: Line) -> Course:
        """Return the course of a line."""
        if line.id not in self._courses:
            self._courses[line.id] = Course(line, self.plane)
        return self._courses[line.id]

    def meetings(self, a: Course, b: Course) -> list[Meeting]:
        """Return every corner of two courses; empty where they don't meet."""
        key = a.line.id, b.line.id
        if key not in self._known:
            self._known[key] = _meetings(a, b)
            self._known[key[::-1]] = [m.reverse() for m in self._known[key]]
        return self._known[key]
