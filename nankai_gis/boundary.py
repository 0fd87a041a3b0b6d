"""From the lines of a ring to the ring itself.

A ring is given as lines in the order in which they follow each other. Neighbours meet where
they share a vertex; where they share several, the shortest simple ring decides. The result
keeps, for every stretch, which line it follows and how well that line is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import crs
from .errors import GeometryError, RoadNotFoundError
from .model import Line, RingPart, Run, Status, Vertex, worst
from .names import Index

# More combinations of corners than this mean that the lines share courses, not corners.
_MOST_RINGS = 4096


@dataclass(frozen=True, slots=True)
class Ring:
    """A compiled ring.

    Attributes
    ----------
    runs : tuple of Run
        In order, counter-clockwise; each ends where the next begins.
    status : str
        Of the least certain run.
    """

    runs: tuple[Run, ...]
    status: Status

    @property
    def coordinates(self) -> list[tuple[float, float]]:
        """Positions of the closed ring, lon and lat in degrees, first equal to last."""
        inner = [v.position for run in self.runs for v in run.vertices[:-1]]
        return [*inner, inner[0]]


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


def resolve(index: Index[Line], name: str) -> Line:
    """Return the located line of a name.

    Parameters
    ----------
    index : Index of Line
    name : str
        In any script, or the id.

    Returns
    -------
    Line

    Raises
    ------
    RoadNotFoundError
        If nothing answers to the name, or the line has no coordinates.

    Examples
    --------
    >>> from nankai_gis import reference
    >>> resolve(reference.packaged().index(), "红旗路").id
    'hongqi-road'
    """
    line = index[name]
    if not line.vertices:
        raise RoadNotFoundError(
            "located street", name, hint="it is listed, but has no coordinates; name a stand-in"
        )
    return line


def corners(a: Line, b: Line) -> list[tuple[int, int]]:
    """Return where two lines share a vertex.

    Parameters
    ----------
    a, b : Line

    Returns
    -------
    list of tuple of int
        Index in `a` and index in `b`, in the order of `b`; empty where they don't meet.

    Examples
    --------
    >>> from nankai_gis import reference
    >>> lines = reference.packaged().index()
    >>> corners(lines["衛津路"], lines["復康路"]) == [(6, 12)]
    True
    """
    where = {v.position: i for i, v in enumerate(a.vertices)}
    return [(where[v.position], j) for j, v in enumerate(b.vertices) if v.position in where]


def stretch(line: Line, start: int, stop: int) -> tuple[Vertex, ...]:
    """Return the vertices of a line from one index to another, both included.

    Parameters
    ----------
    line : Line
    start, stop : int
        Either may be the larger; the stretch then runs against the line.

    Returns
    -------
    tuple of Vertex

    Examples
    --------
    >>> from nankai_gis import reference
    >>> line = reference.packaged().index()["南開二緯路"]
    >>> stretch(line, 1, 0) == line.vertices[::-1]
    True
    """
    if start <= stop:
        return line.vertices[start : stop + 1]
    return line.vertices[stop : start + 1][::-1]


def _candidates(
    lines: Sequence[Line], meetings: Sequence[list[tuple[int, int]]]
) -> Iterator[list[tuple[Vertex, ...]]]:
    """Yield every way to run along the lines from corner to corner."""
    for choice in itertools.product(*meetings):
        stretches = []
        for k, line in enumerate(lines):
            entry, leave = choice[k - 1][1], choice[k][0]
            if entry == leave:
                break
            stretches.append(stretch(line, entry, leave))
        else:
            yield stretches


def ring(
    parts: Sequence[RingPart], index: Index[Line], points: Mapping[str, Vertex] | None = None
) -> Ring:
    """Compile an explicit ring.

    Parameters
    ----------
    parts : sequence of RingPart
        Two or more lines in the order in which the ring runs, either way round. A line may
        stand in it more than once.
    index : Index of Line
    points : mapping of str to Vertex, optional
        Control points that ``until`` may name.

    Returns
    -------
    Ring
        Counter-clockwise and simple. Every vertex is a vertex of one of the lines.

    Raises
    ------
    RoadNotFoundError
        If a line is unknown or has no coordinates.
    GeometryError
        If ``until`` names no point shared by both lines, if neighbours share no vertex, or if
        no combination of corners gives a simple ring.

    Examples
    --------
    >>> from nankai_gis import reference
    >>> lines = reference.packaged().index()
    >>> names = ["鞍山西道", "衛津路", "復康路", "紅旗路"]
    >>> len(ring([RingPart(n) for n in names], lines).runs)
    4
    """
    from shapely.geometry import LinearRing

    lines = [resolve(index, part.line) for part in parts]
    meetings = []
    for k, (line, part) in enumerate(zip(lines, parts, strict=True)):
        following = lines[(k + 1) % len(lines)]
        shared = corners(line, following)
        if part.until is not None:
            point = (points or {}).get(part.until)
            shared = [
                (i, j) for i, j in shared if point and line.vertices[i].position == point.position
            ]
        if not shared:
            raise GeometryError(
                f"{line.names.hant} and {following.names.hant} follow each other in the ring but "
                "don't meet"
                + (f" at {part.until}" if part.until else "")
                + "; put the line that joins them between"
            )
        meetings.append(shared)
    size = 1
    for shared in meetings:
        size *= len(shared)
    if size > _MOST_RINGS:
        raise GeometryError(f"{size} ways to run this ring; give lines that meet at fewer vertices")

    geod = crs.ellipsoid()

    def length(stretches: list[tuple[Vertex, ...]]) -> float:
        return sum(geod.line_length([v.lon for v in s], [v.lat for v in s]) for s in stretches)

    for stretches in sorted(_candidates(lines, meetings), key=length):
        shape = LinearRing([v.position for s in stretches for v in s[:-1]])
        if shape.is_simple:
            break
    else:
        raise GeometryError(
            f"the ring {'、'.join(line.names.hant for line in lines)} crosses itself however its "
            "corners are chosen; check the order of its lines"
        )
    runs = [
        _run(line, part, vertices)
        for line, part, vertices in zip(lines, parts, stretches, strict=True)
    ]
    if not shape.is_ccw:
        runs = [replace(run, vertices=run.vertices[::-1]) for run in reversed(runs)]
    return Ring(tuple(runs), worst(run.status for run in runs))


def _run(line: Line, part: RingPart, vertices: tuple[Vertex, ...]) -> Run:
    status = worst(v.status for v in vertices)
    if part.stands_for is not None:
        status = "inferred"
    accuracy = max(run_accuracy(vertices), part.accuracy_m or 0.0)
    return Run(line.id, part.stands_for, vertices, accuracy, status)
