"""A plan on another network than its own: what travels with it, and what fills the holes.

A definition is written with the digitised lines beside it: their names (水上西路 is 水上公園西路),
lines that no map has, control points. On a network as OSM has it a name finds the mapped street,
under whatever name that knows it; what the network lacks comes from the digitised lines, whole or
piece by piece, with their accuracy; and control points and the ends of digitised lines move onto
the mapped streets that run through them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString, Point

from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.street_places import PLACE_M
from nankai_gis.plan.model import Line, Names, Vertex, worst
from nankai_gis.plan.names import normalise

#: A control point moves onto mapped streets within this distance or three times its accuracy.
MOVED_M = 100.0
#: A break in a mapped street is filled where the digitised line passes its ends this closely.
BESIDE_M = 60.0
#: Breaks shorter than this are left to the compiler, metres.
BREAK_M = 30.0


def fill(digitised: DigitisedNetwork, osm: OsmNetwork) -> MergedNetwork:
    """Return a mapped network with the names, points and missing lines of a digitised one."""
    located = [line for line in digitised.lines if line.parts]
    if not located:
        return MergedNetwork(digitised, osm)
    plane = Plane(*located[0].parts[0][0].position)
    shapes = {line.id: _shape(line, plane) for line in located}
    everywhere = shapely.box(*shapely.total_bounds(list(shapes.values())))
    # The mapped street of each digitised line, where there is one.
    mapped: dict[str, Line] = {}
    for line in digitised.lines:
        found = _mapped(line, shapes.get(line.id, everywhere), plane, osm)
        if found is not None:
            mapped[line.id] = found
    # Control points, and vertices of digitised lines, move onto the mapped streets through them.
    moved = _moved(digitised, {i: _shape(line, plane) for i, line in mapped.items()}, plane)

    def here(vertex: Vertex) -> Vertex:
        lon, lat = moved.get(vertex.position, vertex.position)
        return replace(vertex, lon=lon, lat=lat)

    def placed(line: Line) -> Line:
        parts = tuple(tuple(map(here, part)) for part in line.parts)
        return replace(line, parts=parts, nodes=frozenset(v.position for p in parts for v in p))

    lines = [placed(line) for line in digitised.lines]
    lacking = tuple(line for line in lines if line.id not in mapped)
    known = {x.id: _mended(mapped[x.id], x, plane) for x in lines if x.id in mapped}
    # Mapped streets have a node where a digitised line or piece joins them.
    joints = {vertex.position for line in lacking for vertex in line.vertices}
    joints |= {p for key, line in known.items() for p in line.nodes - mapped[key].nodes}
    joints &= set(moved.values())
    points = {key: here(vertex) for key, vertex in digitised.points.items()}
    return MergedNetwork(
        DigitisedNetwork(lacking, points, digitised.notes, digitised.sources),
        osm,
        {
            key: replace(line, nodes=line.nodes | _on(line, joints, plane))
            for key, line in known.items()
        },
    )


def _shape(line: Line, plane: Plane) -> MultiLineString:
    return MultiLineString([[plane.to(v.position) for v in part] for part in line.parts])


def _mapped(line: Line, where: shapely.Geometry, plane: Plane, osm: OsmNetwork) -> Line | None:
    """The street of the map that a digitised line is, under any of its names; None for none."""
    names = line.names.hant.split("、")
    if len(names) > 1:
        # A line through several streets is mapped where all of them are.
        groups = [_of_name(name, line, where, plane, osm) for name in names]
        return _joined(line, list(itertools.chain(*groups))) if all(groups) else None
    if line.kind == "line":
        return None
    for name in (line.names.hant, line.names.hans, *line.names.aliases, line.names.en):
        found = _of_name(name, line, where, plane, osm)
        if found:
            return _joined(line, found)
    return None


def _of_name(
    name: str, line: Line, where: shapely.Geometry, plane: Plane, osm: OsmNetwork
) -> list[Line]:
    """The mapped streets of a name that lie where the digitised line does."""
    if not name or name not in osm:
        return []
    reach = max([PLACE_M, *(3 * vertex.accuracy_m for vertex in line.vertices)])
    near = [x for x in osm.every(name) if _shape(x, plane).distance(where) <= reach]
    kind = "street" if line.kind == "line" else line.kind
    return [x for x in near if x.kind == kind] or near


def _joined(line: Line, found: Sequence[Line]) -> Line:
    """Mapped streets of one digitised line as one line, which answers to the plan's names too."""
    first, plan = found[0], line.names
    others = (plan.hant, plan.hans, *plan.aliases, *(x.names.hant for x in found))
    if len(found) > 1 or normalise(first.names.hant) == normalise(plan.hant):
        names = replace(plan, aliases=(*others, *first.names.aliases))
    else:
        # As the map calls it, so that its ways and its centreline have one name.
        names = Names(first.names.hant, first.names.hans, plan.en, others)
    own = {names.hant, names.hans}
    aliases = tuple(x for x in dict.fromkeys(names.aliases) if x not in own)
    return Line(
        first.id,
        first.kind,
        replace(names, aliases=aliases),
        tuple(part for x in found for part in x.parts),
        first.note,
        frozenset().union(*(x.nodes for x in found)),
    )


def _on(line: Line, positions: Iterable[Position], plane: Plane) -> frozenset[Position]:
    """The positions that lie on a line."""
    shape = _shape(line, plane)
    shapely.prepare(shape)
    return frozenset(p for p in positions if shape.distance(Point(plane.to(p))) < 0.01)


def _moved(
    digitised: DigitisedNetwork, shapes: Mapping[str, MultiLineString], plane: Plane
) -> dict[Position, Position]:
    """Where the digitised vertices on mapped streets come to lie, by their positions before."""
    through: defaultdict[Position, list[MultiLineString]] = defaultdict(list)
    vertices: dict[Position, Vertex] = {}
    for line in digitised.lines:
        for vertex in line.vertices:
            known = vertices.setdefault(vertex.position, vertex)
            if vertex.accuracy_m > known.accuracy_m:
                vertices[vertex.position] = vertex
            if line.id in shapes:
                through[vertex.position].append(shapes[line.id])
    moved = {}
    for position, streets in through.items():
        spot = _onto(vertices[position], streets, plane)
        if spot is not None:
            moved[position] = plane.back(spot)
    return moved


def _onto(vertex: Vertex, streets: Sequence[MultiLineString], plane: Plane) -> Position | None:
    """The crossing of mapped streets nearest to a vertex, else the nearest place on one of them."""
    here = Point(plane.to(vertex.position))
    reach = max(MOVED_M, 3 * vertex.accuracy_m)
    crossings = [a.intersection(b) for a, b in itertools.combinations(streets, 2)]
    for shapes in (crossings, streets):
        lines = [shapely.shortest_line(here, shape) for shape in shapes if not shape.is_empty]
        spots = [Point(line.coords[-1]) for line in lines if line.length <= reach]
        if spots:
            spot = min(spots, key=here.distance)
            return spot.x, spot.y
    return None


def _mended(street: Line, digitised: Line, plane: Plane) -> Line:
    """A mapped street with the digitised line where it has a break or ends early."""
    if len(digitised.parts) != 1:
        return street
    course = LineString([plane.to(v.position) for v in digitised.vertices])
    # The parts that run along the digitised line, in its order; the others stay as they are.
    spans: list[tuple[float, float, tuple[Vertex, ...]]] = []
    done: list[tuple[Vertex, ...]] = []
    for part in street.parts:
        ends = [Point(plane.to(vertex.position)) for vertex in (part[0], part[-1])]
        start, stop = (course.project(end) for end in ends)
        if max(map(course.distance, ends)) > BESIDE_M:
            done.append(part)
        else:
            spans.append((start, stop, part) if start <= stop else (stop, start, part[::-1]))
    if not spans:
        return street
    # A mapped part, a digitised piece, a mapped part … from end to end of the digitised line.
    added: list[Vertex] = []
    chain: list[Vertex] = []
    reached = 0.0
    for start, stop, part in [*sorted(spans, key=lambda span: span[:2]), _end(course)]:
        if start - reached > BREAK_M:
            piece = _piece(digitised, course, reached, start, plane)
            added += piece
            chain += piece
        elif chain and part:
            # A short break is left to the compiler; carriageways side by side stay apart.
            done.append(tuple(chain))
            chain = []
        if part and stop <= reached:
            done.append(part)
            continue
        chain += part
        reached = max(reached, stop)
    parts = tuple(sorted((*done, tuple(chain)), key=len, reverse=True))
    return replace(street, parts=parts, nodes=street.nodes | {v.position for v in added})


def _end(course: LineString) -> tuple[float, float, tuple[Vertex, ...]]:
    """A part without vertices where a line ends."""
    return course.length, course.length, ()


def _piece(
    digitised: Line, course: LineString, low: float, high: float, plane: Plane
) -> list[Vertex]:
    """The vertices of a digitised line between two distances along it, at least one."""
    ends = (0.0, course.length)
    along = np.hypot(*np.diff(shapely.get_coordinates(course), axis=0).T).cumsum()
    vertices = list(zip([0.0, *along.tolist()], digitised.vertices, strict=True))
    inner = [v for m, v in vertices if low < m < high or (m in (low, high) and m in ends)]
    if inner:
        return inner
    before, after = (
        max((m, k) for k, (m, _) in enumerate(vertices) if m <= low)[1],
        min((m, k) for k, (m, _) in enumerate(vertices) if m >= high)[1],
    )
    a, b = vertices[before][1], vertices[after][1]
    spot = course.interpolate((low + high) / 2)
    lon, lat = plane.back((spot.x, spot.y))
    accuracy = max(a.accuracy_m, b.accuracy_m)
    return [replace(a, lon=lon, lat=lat, accuracy_m=accuracy, status=worst((a.status, b.status)))]
