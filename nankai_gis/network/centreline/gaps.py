"""Breaks between the parts of a centreline: bridged within a limit, and reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString

from nankai_gis.geometry.arrays import Floats
from nankai_gis.network.centreline.strokes import outward

# Parts this near to each other touch, metres.
_TOUCH_M = 1e-6
# Ends face each other up to 60 degrees off the line between them (cosine).
_FACING = 0.5


@dataclass
class Centreline:
    """A collapsed street in the planar frame: rows of x, y and the vertex kept (or -1)."""

    parts: list[Floats]
    #: Planar metres that stand for more than one carriageway.
    dual: float
    #: Breaks: both sides, and whether a part of `parts` closes it.
    gaps: list[tuple[Floats, Floats, bool]]


def join(parts: list[Floats], dual: float, gap: float) -> Centreline:
    """Merge parts that touch end to end, then bridge the breaks within the limit."""
    merged = _merge(parts)
    if len(merged) == 1 and (merged[0][0, :2] == merged[0][-1, :2]).all():
        return Centreline(merged, dual, [])
    bridges, breaks = find_breaks(merged, gap)
    if bridges:
        merged = _merge([*merged, *bridges])
    gaps = [(bridge[0, :2], bridge[-1, :2], True) for bridge in bridges]
    gaps += [(one, two, False) for one, two in breaks]
    return Centreline(merged, dual, gaps)


def _merge(parts: list[Floats]) -> list[Floats]:
    """Merge parts that touch end to end; longest first."""
    if len(parts) > 1:
        lines = shapely.line_merge(MultiLineString([LineString(part) for part in parts]))
        parts = [shapely.get_coordinates(line, include_z=True) for line in shapely.get_parts(lines)]
    turned = []
    for part in parts:
        # Run from west to east (south to north where both ends have the same x).
        if tuple(part[0, :2]) > tuple(part[-1, :2]):
            part = part[::-1]
        turned.append(part)
    lengths = [float(np.hypot(*np.diff(part[:, :2], axis=0).T).sum()) for part in turned]
    order = sorted(range(len(turned)), key=lambda row: (-lengths[row], tuple(turned[row][0])))
    return [turned[row] for row in order]


class _End(NamedTuple):
    """An end of a part that touches no other part."""

    part: int
    #: 0 or -1, the row of the part.
    row: int
    spot: Floats
    #: The direction in which the part runs out there.
    away: Floats


def find_breaks(
    parts: list[Floats], gap: float
) -> tuple[list[Floats], list[tuple[Floats, Floats]]]:
    """Find the breaks between parts: those to bridge, and those to report only.

    A part that is bridged in its middle gets a vertex there, in `parts`.
    """
    # What touches hangs together from the start.
    joined = _Joined(parts)
    loose = _loose_ends(parts, joined)
    # First ends that face each other, then ends that point at the side of another part.
    bridges, free = _end_to_end(parts, loose, gap, joined)
    if len(joined.bunches()) > 1:
        bridges += _end_to_side(parts, free, gap, joined)
    return bridges, joined.distances()


class _Joined:
    """Which parts hang together, as bridges are built."""

    def __init__(self, parts: list[Floats]) -> None:
        from networkx.utils import UnionFind

        self.lines = [LineString(part[:, :2]) for part in parts]
        self.sets = UnionFind(range(len(parts)))
        self.tree = shapely.STRtree(self.lines)
        if len(parts) > 1:
            pairs = self.tree.query(self.lines, predicate="dwithin", distance=_TOUCH_M)
            for one, two in pairs.T.tolist():
                self.sets.union(one, two)

    def near(self, spot: Floats, within: float) -> list[int]:
        """Parts as they were at first that come this near to a spot."""
        found = self.tree.query(shapely.Point(spot), predicate="dwithin", distance=within)
        return [int(number) for number in found]

    def bunches(self) -> list[list[int]]:
        """Parts that hang together, in order."""
        return sorted(sorted(bunch) for bunch in self.sets.to_sets())

    def distances(self) -> list[tuple[Floats, Floats]]:
        """The shortest ties that would join what doesn't hang together, each by both sides."""
        from networkx.utils import UnionFind

        bunches = self.bunches()
        if len(bunches) == 1:
            return []
        shapes = np.array([MultiLineString([self.lines[n] for n in bunch]) for bunch in bunches])
        ones, twos = np.triu_indices(len(bunches), 1)
        distance = shapely.distance(shapes[ones], shapes[twos])
        # Shortest first, and none between what is tied already (Kruskal).
        tied = UnionFind(range(len(bunches)))
        ties = []
        for pick in np.argsort(distance, kind="stable"):
            one, two = int(ones[pick]), int(twos[pick])
            if tied[one] != tied[two]:
                tied.union(one, two)
                tie = shapely.shortest_line(shapes[one], shapes[two])
                start, end = shapely.get_coordinates(tie)
                ties.append((start, end))
        return ties


def _loose_ends(parts: list[Floats], joined: _Joined) -> list[_End]:
    """Ends that face a gap: one that touches another part is a branch."""
    return [
        _End(number, row, part[row, :2], outward(part[:: 1 if row == 0 else -1, :2], 30.0))
        for number, part in enumerate(parts)
        if (part[0, :2] != part[-1, :2]).any()
        for row in (0, -1)
        # Most streets are one part, which has nothing to touch.
        if len(parts) == 1 or not set(joined.near(part[row, :2], _TOUCH_M)) - {number}
    ]


def _end_to_end(
    parts: list[Floats], loose: list[_End], gap: float, joined: _Joined
) -> tuple[list[Floats], list[_End]]:
    """Bridge ends that face each other, nearest first; and the ends that stay loose."""
    if not loose:
        return [], []
    spots = np.array([end.spot for end in loose])
    between = np.hypot(*(spots[:, None] - spots[None, :]).transpose(2, 0, 1))
    rows, columns = np.nonzero(np.triu(between <= gap, 1))
    bridges: list[Floats] = []
    used: set[int] = set()
    for pick in np.argsort(between[rows, columns], kind="stable"):
        row, column = int(rows[pick]), int(columns[pick])
        if row in used or column in used:
            continue
        one, two = loose[row], loose[column]
        ahead = (two.spot - one.spot) / max(float(between[row, column]), 1e-9)
        if min(float(one.away @ ahead), float(-two.away @ ahead)) < _FACING:
            continue
        used |= {row, column}
        joined.sets.union(one.part, two.part)
        bridges.append(np.vstack((parts[one.part][one.row], parts[two.part][two.row])))
    return bridges, [end for row, end in enumerate(loose) if row not in used]


def _end_to_side(
    parts: list[Floats], free: list[_End], gap: float, joined: _Joined
) -> list[Floats]:
    """Bridge loose ends that point at the side of a part they don't hang together with."""
    bridges: list[Floats] = []
    for end in free:
        near = joined.near(end.spot, gap)
        others = [part for part in near if joined.sets[part] != joined.sets[end.part]]
        if not others:
            continue
        # The nearest point of the nearest part has to lie ahead.
        point = shapely.Point(end.spot)
        other = min(others, key=lambda part: joined.lines[part].distance(point))
        foot = shapely.get_coordinates(shapely.shortest_line(joined.lines[other], point))[0]
        ahead = foot - end.spot
        if float(end.away @ ahead) < _FACING * float(np.hypot(*ahead)):
            continue
        # The bridge ends at a vertex: one that is there, or a new one.
        part = parts[other]
        reach = np.hypot(*(part[:, :2] - foot).T)
        if reach.min() < 0.05:
            corner = part[int(reach.argmin())]
        else:
            corner = np.array([foot[0], foot[1], -1.0])
            where = joined.lines[other].project(shapely.Point(foot))
            along = np.cumsum(np.hypot(*np.diff(part[:, :2], axis=0).T))
            row = min(int(np.searchsorted(along, where)) + 1, len(part) - 1)
            parts[other] = np.insert(part, row, corner, axis=0)
            joined.lines[other] = LineString(parts[other][:, :2])
        bridges.append(np.vstack((parts[end.part][end.row], corner)))
        joined.sets.union(end.part, other)
    return bridges
