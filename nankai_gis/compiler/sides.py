"""The sides of a clause beside those of a ring: which roads lie otherwise than it names them.

Compass directions of a whole ring are no matter for a geometry library: a road of a stepped,
notched or turned ring faces several directions, and a clause names it on one side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import Polygon

from nankai_gis.compiler.remarks import Remark, named
from nankai_gis.compiler.ring import Ring
from nankai_gis.compiler.runs import Run
from nankai_gis.geometry.plane import Plane, Position
from nankai_gis.plan.model import FACING, OUTWARD, Names

# A clause is turned by a quarter when all its sides lie more than 50 degrees round the same way;
# roads that run at 45 degrees are named by either of two sides.
_TURNED = math.tan(math.radians(50))
# The sides, counter-clockwise.
_ROUND = ("east", "north", "west", "south")

# The id of a run's line, its chord turned outwards, and its middle; metres.
_Outward = tuple[str, Position, Position]


@dataclass(frozen=True, slots=True)
class ClauseSides:
    """What a clause says of its ring."""

    lines: Mapping[str, Sequence[str]]
    names: Mapping[str, Names]
    inside: Sequence[Position]

    def sides_of(self, line: str, *, opposite: bool = False) -> set[str]:
        """Return the sides on which a line is named; with the opposite ones where asked for."""
        own = {side for side, ids in self.lines.items() if line in ids}
        if not opposite:
            return own
        return own | {_ROUND[(_ROUND.index(side) + 2) % 4] for side in own}

    def fit(self, ring: Ring, plane: Plane) -> bool:
        """Return whether a ring has its roads and places where the clause says."""
        polygon = Polygon(ring.coordinates)
        inside = all(polygon.contains(shapely.Point(p)) for p in self.inside)
        return inside and not self.contradictions(ring, plane)

    def contradictions(self, ring: Ring, plane: Plane) -> list[Remark]:
        """Return the roads that lie otherwise than the clause names them, by the first rule."""
        outward = [(run.line, *_outward(run, plane)) for run in ring.runs]
        return self._turned_away(outward) or self._inverted(outward) or self._turned(outward)

    def _turned_away(self, runs: Sequence[_Outward]) -> list[Remark]:
        """Roads that don't face the side on which the clause names them."""
        # How squarely each road faces each of its sides at best, as a cosine.
        best = {(line, side): -1.0 for side, ids in self.lines.items() for line in ids}
        for line, (x, y), _ in runs:
            chord = math.hypot(x, y) or 1.0
            for side, (east, north) in OUTWARD.items():
                if (line, side) in best:
                    facing = (x * east + y * north) / chord
                    best[line, side] = max(best[line, side], facing)
        wrong: list[tuple[str, str]] = []
        for side in self.lines:
            faces = {key: facing for key, facing in best.items() if key[1] == side}
            if faces and max(faces.values()) < FACING:
                wrong += list(faces)
            else:
                # Among several roads of one side some are the risers of a stair, square to it.
                wrong += [key for key, facing in faces.items() if facing < -FACING]
        return [
            Remark("wrong side", {"lines": self._named([line]), "side": side})
            for line, side in wrong
        ]

    def _inverted(self, runs: Sequence[_Outward]) -> list[Remark]:
        """Opposite sides whose runs lie the wrong way round, as about a notch in the ring.

        Each run of such a ring faces its side, so that facing doesn't tell. Where they lie does:
        in a ring that follows named roads alone the mean position of one side's runs, weighted
        by how far they extend across, is ahead of that of the other side's by the area over that
        extent (the divergence theorem), however the ring is stepped, notched or turned. So one
        of the runs is ahead of one of the other side's; where none is, the sides are inverted.
        More can't be asked where a line that isn't named bounds a part of the ring.
        """
        wrong = []
        for side, opposite in (("north", "south"), ("east", "west")):
            ids = set(self.lines.get(side, ())), set(self.lines.get(opposite, ()))
            both = [
                [(way, middle) for line, way, middle in runs if line in own - others]
                for own, others in (ids, ids[::-1])
            ]
            # Across the ring from the opposite side to this one, as this ring lies.
            x, y = (
                sum(way[k] for way, _ in both[0]) - sum(way[k] for way, _ in both[1])
                for k in (0, 1)
            )
            ahead = [
                [
                    middle[0] * x + middle[1] * y
                    for way, middle in half
                    # A riser, square to its side, doesn't tell where that lies.
                    if sign * (way[0] * x + way[1] * y) > 0
                ]
                for sign, half in zip((1.0, -1.0), both, strict=True)
            ]
            if all(ahead) and max(ahead[0]) <= min(ahead[1]):
                values = {"lines": self._named(self.lines[side]), "side": side}
                values |= {"others": self._named(self.lines[opposite]), "other_side": opposite}
                wrong.append(Remark("sides inverted", values))
        return wrong

    def _turned(self, runs: Sequence[_Outward]) -> list[Remark]:
        """A clause that goes round with the ring, but begins on the wrong side.

        Where streets run askew every road faces two sides, so that facing alone lets it pass.
        """
        for turn in (1, -1):
            wrong = []
            for side, ids in self.lines.items():
                ways = [way for line, way, _ in runs if line in ids]
                x, y = (sum(way[k] for way in ways) for k in (0, 1))
                actual = _ROUND[(_ROUND.index(side) + turn) % 4]
                ahead, across = (x * OUTWARD[s][0] + y * OUTWARD[s][1] for s in (side, actual))
                if across <= _TURNED * max(ahead, 0.0):
                    break
                values = {"lines": self._named(ids), "side": side, "actual_side": actual}
                wrong.append(Remark("clause turned", values))
            else:
                return wrong
        return []

    def _named(self, ids: Sequence[str]) -> list[dict[str, str]]:
        return [named(names) for line, names in self.names.items() if line in ids]


def _outward(run: Run, plane: Plane) -> tuple[Position, Position]:
    """What a run adds to its side: its chord turned outwards, and its middle; metres."""
    spots = [plane.to(v.position) for v in run.vertices]
    (ax, ay), (bx, by) = spots[0], spots[-1]
    middle = shapely.LineString(spots).centroid
    # To the right of a counter-clockwise ring's edge lies the outside.
    return (by - ay, ax - bx), (middle.x, middle.y)
