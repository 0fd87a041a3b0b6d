"""Measured lines: places by their distance along a line, and the way between two of them.

This is linear referencing on lines of several parts: a road whose data is broken is still one
road, and a way along it bridges the breaks. Distances that decide are taken in a local plane,
true to 1e-4 over ten kilometres; lengths that are reported are geodesics on the CGCS2000
ellipsoid. shapely has the distance along a line but for one part only, and it knows neither
breaks nor the accuracy of what lies between two vertices. networkx finds the way over the breaks;
it is imported then only (0.2 s), which the packaged plan never needs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import substring

from nankai_gis.geometry import crs
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import Line, Vertex, worst

#: Corners closer together than this are one: the four nodes where two dual carriageways cross.
CLUSTER_M = 100.0
#: Corners of one crossing with less of a part between them than this lie on one carriageway.
SAME_M = 200.0

# A metre over a break costs as much as this many along the road: a way avoids a break, but not
# by a much longer detour.
_BREAK_COST = 3.0
# Places closer together than this are one, metres.
_SAME_PLACE_M = 0.01
# Parts this near to each other hang together, metres.
_TOUCH_M = 1.0
# An end points on in the direction of its last metres: about this many.
_HEADING_M = 50.0

# A place on a line: which part, and how far along it, metres.
Place = tuple[int, float]


def run_length(vertices: Sequence[Vertex]) -> float:
    """Return the length of a stretch of line on the ellipsoid."""
    if len(vertices) < 2:
        return 0.0
    geod = crs.ellipsoid()
    return float(geod.line_length([v.lon for v in vertices], [v.lat for v in vertices]))


def run_accuracy(vertices: Sequence[Vertex]) -> float:
    """Return the mean accuracy across a stretch of line, weighted by length."""
    lengths = crs.ellipsoid().line_lengths([v.lon for v in vertices], [v.lat for v in vertices])
    total = sum(lengths)
    if total == 0:
        return vertices[0].accuracy_m
    means = ((a.accuracy_m + b.accuracy_m) / 2 for a, b in itertools.pairwise(vertices))
    return float(sum(m * d for m, d in zip(means, lengths, strict=True)) / total)


def line_length(line: Line) -> float:
    """Return the length of a line: the sum of its parts, without the breaks between them."""
    return sum(run_length(part) for part in line.parts)


def line_accuracy(line: Line) -> float:
    """Return the mean accuracy across a line, weighted by the length of its parts."""
    weighted = sum(run_accuracy(part) * run_length(part) for part in line.parts)
    return weighted / line_length(line)


class MeasuredLine:
    """A line in a local plane, on which a place is a distance along it."""

    def __init__(self, line: Line, plane: Plane) -> None:
        self.line = line
        self.plane = plane
        self.parts = [LineString([plane.to(v.position) for v in part]) for part in line.parts]
        self.shape = shapely.MultiLineString(self.parts)
        # Metres along its part at which each vertex lies.
        self._along = [
            [0.0, *itertools.accumulate(math.dist(a, b) for a, b in itertools.pairwise(p.coords))]
            for p in self.parts
        ]
        self._distances: dict[tuple[Place, Place], float] = {}

    def place(self, xy: Position) -> tuple[Place, float]:
        """Return the place nearest to a position, and how far from the line that lies, metres."""
        point = Point(xy)
        off, part = min((shape.distance(point), k) for k, shape in enumerate(self.parts))
        return (part, self.parts[part].project(point)), off

    def opposite(self, place: Place) -> Iterator[Place]:
        """Give the places across from a place, on other carriageways of the same crossing."""
        here = Point(self.xy(place))
        for k, part in enumerate(self.parts):
            # The two carriageways may be one part, joined at their end: leave out what is near.
            near = (place[1] - SAME_M, place[1] + SAME_M) if k == place[0] else (0.0, 0.0)
            for low, high in ((0.0, near[0]), (near[1], part.length)):
                if low < high:
                    piece = substring(part, low, high)
                    if piece.distance(here) < CLUSTER_M:
                        yield k, low + piece.project(here)

    def xy(self, place: Place) -> Position:
        """Return the position of a place, metres."""
        point = self.parts[place[0]].interpolate(place[1])
        return point.x, point.y

    def vertex(self, place: Place) -> Vertex:
        """Return the vertex at a place; between two a new one, no better known than they are."""
        part, metres = place
        along, vertices = self._along[part], self.line.parts[part]
        for k, reached in enumerate(along):
            if abs(reached - metres) < _SAME_PLACE_M:
                return vertices[k]
            if reached > metres:
                share = (metres - along[k - 1]) / (reached - along[k - 1])
                a, b = vertices[k - 1], vertices[k]
                accuracy = a.accuracy_m + share * (b.accuracy_m - a.accuracy_m)
                position = self.plane.back(self.xy(place))
                return Vertex(*position, accuracy, worst((a.status, b.status)), a.source, a.date)
        return vertices[-1]

    @cached_property
    def mapped(self) -> shapely.MultiLineString:
        """What the map has of the line, without the breaks that its centreline bridges."""
        bridges = self.line.bridges
        if not bridges:
            return self.shape
        edges = [
            LineString([a, b])
            for part, shape in zip(self.line.parts, self.parts, strict=True)
            for (one, a), (two, b) in itertools.pairwise(zip(part, shape.coords, strict=True))
            if frozenset((one.position, two.position)) not in bridges
        ]
        return shapely.multilinestrings(edges)

    @cached_property
    def components(self) -> list[list[int]]:
        """The parts that hang together, by their numbers: those that touch."""
        tree = shapely.STRtree(self.parts)
        left, right = tree.query(self.parts, predicate="dwithin", distance=_TOUCH_M)
        groups: list[set[int]] = [{k} for k in range(len(self.parts))]
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            if groups[a] is not groups[b]:
                groups[a] |= groups[b]
                for k in groups[b]:
                    groups[k] = groups[a]
        return [sorted(group) for k, group in enumerate(groups) if min(group) == k]

    def component_length(self, xy: Position) -> float:
        """Return the metres that hang together with the part nearest to a position."""
        part = self.place(xy)[0][0]
        parts = next(group for group in self.components if part in group)
        return sum(self.parts[k].length for k in parts)

    def ends_at(self, place: Place) -> bool:
        """Return whether a part ends at a place."""
        last = self.parts[place[0]].length
        return not _SAME_PLACE_M < place[1] < last - _SAME_PLACE_M

    def ends(self) -> Iterator[tuple[Place, Position]]:
        """Give both ends of every part, each with the unit vector that leads on from it."""
        for k, part in enumerate(self.parts):
            for end, before in ((0.0, _HEADING_M), (part.length, part.length - _HEADING_M)):
                inner = part.interpolate(min(max(before, 0.0), part.length))
                x, y = self.xy((k, end))
                away = math.hypot(x - inner.x, y - inner.y) or 1.0
                yield (k, end), ((x - inner.x) / away, (y - inner.y) / away)

    def distance(self, start: Place, stop: Place) -> float:
        """Return the metres along the line from one place to another, breaks included."""
        if self._unbroken:
            return abs(start[1] - stop[1])
        key = (start, stop)
        if key not in self._distances:
            self._distances[key] = self._route(start, stop)[1]
        return self._distances[key]

    def path(self, start: Place, stop: Place) -> tuple[list[Vertex], float, float]:
        """Return the way along the line: its vertices, metres, and metres that bridge breaks."""
        if self._unbroken:
            return self._stretch(0, start[1], stop[1]), abs(start[1] - stop[1]), 0.0
        return self._route(start, stop)

    @cached_property
    def _unbroken(self) -> bool:
        """Whether there is one way only between two places: one part that is no loop."""
        return len(self.parts) == 1 and not self.parts[0].is_closed

    @cached_property
    def _breaks(self) -> list[tuple[Place, Place, float]]:
        """From every end to the nearest place of every other part, and the metres between."""
        jumps = []
        for end, _ in self.ends():
            here = Point(self.xy(end))
            for other, shape in enumerate(self.parts):
                if other != end[0]:
                    jumps.append((end, (other, shape.project(here)), here.distance(shape)))
        return jumps

    def _stretch(self, part: int, start: float, stop: float) -> list[Vertex]:
        """The vertices of a part from one distance along it to another."""
        low, high = sorted((start, stop))
        inner = [
            vertex
            for vertex, metres in zip(self.line.parts[part], self._along[part], strict=True)
            if low + _SAME_PLACE_M < metres < high - _SAME_PLACE_M
        ]
        stretch = [self.vertex((part, low)), *inner, self.vertex((part, high))]
        return stretch if start <= stop else stretch[::-1]

    def _route(self, start: Place, stop: Place) -> tuple[list[Vertex], float, float]:
        """The cheapest way over parts and breaks, as `path` returns it."""
        import networkx

        graph = networkx.Graph()
        # The parts are cut where a break ends, and at the two places.
        cuts = [{0.0, part.length} for part in self.parts]
        for end, to, metres in self._breaks:
            cuts[to[0]].add(to[1])
            graph.add_edge(end, to, weight=_BREAK_COST * metres)
        for part, metres in (start, stop):
            cuts[part].add(metres)
        for k, part_cuts in enumerate(cuts):
            for low, high in itertools.pairwise(sorted(part_cuts)):
                graph.add_edge((k, low), (k, high), weight=high - low)
            if self.parts[k].is_closed:
                graph.add_edge((k, 0.0), (k, self.parts[k].length), weight=0.0)
        # Follow the cheapest way again, now as vertices: over its parts and over its breaks.
        vertices = [self.vertex(start)]
        length = bridged = 0.0
        for a, b in itertools.pairwise(networkx.dijkstra_path(graph, start, stop)):
            apart = math.dist(self.xy(a), self.xy(b))
            if apart <= _SAME_PLACE_M:
                continue
            if a[0] == b[0]:
                vertices += self._stretch(a[0], a[1], b[1])[1:]
                length += abs(a[1] - b[1])
            else:
                vertices.append(self.vertex(b))
                length += apart
                bridged += apart
        return vertices, length, bridged
