"""Links: lines that a clause doesn't name, by which two roads that don't meet are joined.

Not a shortest path on the network: a link is one named line that both roads meet, so that a
reader can say its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

import shapely

from nankai_gis.compiler.junction import NEAR_M, Junction, Junctions
from nankai_gis.compiler.measured import MeasuredLine
from nankai_gis.compiler.ring import GAP_COST, LEAST_M

#: A link is at most this long, metres.
LINK_M = 4000.0
# Links between two roads that the search tries.
_MOST_LINKS = 2

# Where the first road is left, the link, and where the second road is entered.
Link = tuple[Junction, MeasuredLine, Junction]


class Links:
    """The links between the roads of a clause, each pair's worked out once."""

    def __init__(self, junctions: Junctions, named: Sequence[MeasuredLine]) -> None:
        self.junctions = junctions
        self.named = named
        self._links: dict[tuple[str, str], list[Link]] = {}

    def between(self, a: MeasuredLine, b: MeasuredLine) -> list[Link]:
        """Return the best links of two roads: short, and about the quarter; empty for none."""
        key = a.line.id, b.line.id
        if key not in self._links:
            best = self._best(a, b)
            self._links[key] = best
            self._links[key[::-1]] = [(n.reverse(), link, m.reverse()) for m, link, n in best]
        return self._links[key]

    @cached_property
    def _corners(self) -> shapely.MultiPoint:
        """Where roads of the clause meet as they are: about there the quarter lies."""
        return shapely.MultiPoint(
            [
                a.xy(corner.leave)
                for a, b in itertools.combinations(self.named, 2)
                for corner in self.junctions.between(a, b)
                if corner.kind != "extended"
            ]
        )

    def _best(self, a: MeasuredLine, b: MeasuredLine) -> list[Link]:
        shortest = shapely.shortest_line(a.shape, b.shape)
        if shortest.length > LINK_M:
            return []
        middle = (shortest if self._corners.is_empty else self._corners).centroid
        links: list[tuple[float, Link]] = []
        for link in self._candidates(a, b, shortest):
            for leave, enter in itertools.product(
                self.junctions.between(a, link), self.junctions.between(link, b)
            ):
                length = link.distance(leave.enter, enter.leave)
                carried_on = "extended" in (leave.kind, enter.kind)
                if not carried_on and LEAST_M < length <= LINK_M:
                    cost = length + GAP_COST * (leave.gap + enter.gap)
                    # Of many that are as short, those in the quarter, not beside it.
                    aside = middle.distance(shapely.Point(link.xy(leave.enter)))
                    links.append((cost + aside, (leave, link, enter)))
        links.sort(key=lambda link: link[0])
        return [link for _, link in links[:_MOST_LINKS]]

    def _candidates(
        self, a: MeasuredLine, b: MeasuredLine, shortest: shapely.LineString
    ) -> list[MeasuredLine]:
        """The lines that come near both roads."""
        # Somewhere about the quarter a link touches either road: the shorter is looked along.
        about = shapely.box(*shapely.union(shortest, self._corners).buffer(NEAR_M).bounds)
        boxes = [shapely.box(*road.shape.buffer(NEAR_M).bounds) & about for road in (a, b)]
        bounds = min(boxes, key=lambda box: box.length).bounds
        west, south = self.junctions.plane.back(bounds[:2])
        east, north = self.junctions.plane.back(bounds[2:])
        taken = {road.line.id for road in self.named}
        candidates = [
            self.junctions.measured(line)
            for line in self.junctions.lines.around((west, south, east, north))
            if line.id not in taken and line.parts
        ]
        return [
            link
            for link in candidates
            if max(link.shape.distance(a.shape), link.shape.distance(b.shape)) <= NEAR_M
        ]
