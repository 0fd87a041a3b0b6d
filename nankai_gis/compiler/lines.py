"""Lines by name: what the compiler asks of a network, and which of several namesakes is meant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from nankai_gis.errors import RoadNotFoundError
from nankai_gis.plan.model import Line, Vertex


class LineSource(Protocol):
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


class PlanNetwork(LineSource, Protocol):
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
    >>> from nankai_gis.network import digitised
    >>> n = digitised.packaged()
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


def located(lines: LineSource, names: Sequence[str]) -> list[Line]:
    """Return the located lines of some names, those that lie together where names are shared.

    Parameters
    ----------
    lines : LineSource
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
    >>> from nankai_gis.network import digitised
    >>> [line.id for line in located(digitised.packaged(), ["红旗路", "復康路"])]
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
