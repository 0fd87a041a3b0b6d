"""Measured lines: positions along a line, and the way along it over its breaks.

Distances that decide are taken in the local plane, true to 1e-4 over ten kilometres; lengths
that are reported are geodesics on the CGCS2000 ellipsoid.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import substring

from nankai_gis.geometry import crs
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import Line, Vertex, worst

# Corners closer together than this are one: the four nodes where two dual carriageways cross.
CLUSTER_M = 100.0

# Places of one junction with less of a part between them than this lie on one carriageway.
SAME_M = 200.0

# A way along a broken street goes round a break only where that is not much longer.
_BREAK_COST = 3.0

# A place on a course: which part, and how far along it, metres.
Place = tuple[int, float]


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
    >>> from nankai_gis.network import digitised
    >>> round(line_length(digitised.packaged()["紅旗路"]), -1)
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
    >>> from nankai_gis.network import digitised
    >>> round(line_accuracy(digitised.packaged()["紅旗路"]), 6)
    10.0
    """
    weighted = sum(run_accuracy(part) * run_length(part) for part in line.parts)
    return weighted / line_length(line)


class MeasuredLine:
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
            near = (place[1] - SAME_M, place[1] + SAME_M) if k == place[0] else (0.0, 0.0)
            for low, high in ((0.0, near[0]), (near[1], part.length)):
                if low < high:
                    piece = substring(part, low, high)
                    if piece.distance(here) < CLUSTER_M:
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
