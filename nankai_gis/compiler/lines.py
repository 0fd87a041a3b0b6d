"""Lines by name: what the compiler asks of a network, and which of several namesakes is meant.

A city has several roads of one name; those of a clause lie together. The choice compares boxes
of a few namesakes, which needs no spatial index.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from nankai_gis.errors import RoadNotFoundError
from nankai_gis.plan.model import Line, Vertex
from nankai_gis.words import tr

# West, south, east and north, degrees.
_Box = tuple[float, float, float, float]


class LineSource(Protocol):
    """A network as the compiler sees it."""

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name; RoadNotFoundError where there is none."""
        ...

    def __contains__(self, name: object) -> bool:
        """Return whether a line answers to the name."""
        ...

    def every(self, name: str) -> Sequence[Line]:
        """Return all lines of a name: roads in several places may share it."""
        ...

    def near(self, name: str) -> list[str]:
        """Return the names most like one that the network doesn't have."""
        ...

    def around(self, bounds: _Box) -> Sequence[Line]:
        """Return the lines that touch a box: west, south, east, north in degrees."""
        ...


class PlanNetwork(LineSource, Protocol):
    """A network that layers are made on: lines, control points and their sources."""

    @property
    def points(self) -> Mapping[str, Vertex]:
        """Control points by id."""
        ...

    @property
    def sources(self) -> Mapping[str, str]:
        """Titles of the sources, by id."""
        ...

    def listed(self, bounds: _Box | None) -> Sequence[Line]:
        """Return the lines that the maps of a plan show within a box; None for no plan."""
        ...


def named_lines(lines: LineSource, name: str) -> list[Line]:
    """Return the located lines of a name."""
    return [line for line in lines.every(name) if line.parts] if name in lines else []


def together(groups: Sequence[Sequence[Line]]) -> list[Line]:
    """Choose, among lines of the same names, those that lie together."""
    boxes = {id(line): _box(line) for group in groups for line in group}
    fixed = [boxes[id(group[0])] for group in groups if len(group) == 1]
    if not fixed:
        # Try each line of the first name as the place where all of them are.
        choices = [together([[line], *groups[1:]]) for line in groups[0]] if groups else []
        return min(choices, key=lambda lines: _spread([boxes[id(x)] for x in lines]), default=[])
    return [
        min(group, key=lambda line: sum(_apart(boxes[id(line)], box) for box in fixed))
        for group in groups
    ]


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


def located(lines: LineSource, names: Sequence[str]) -> list[Line]:
    """Return the located lines of some names, those that lie together where names are shared."""
    groups = []
    for name in names:
        if name not in lines:
            raise RoadNotFoundError(tr("street"), name, lines.near(name))
        groups.append(named_lines(lines, name))
        if not groups[-1]:
            hint = tr("it is listed, but has no coordinates; name a stand-in")
            raise RoadNotFoundError(tr("located street"), name, hint=hint)
    return together(groups)
