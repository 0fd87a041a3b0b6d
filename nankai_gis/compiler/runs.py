"""Runs and corners: what a compiled ring or axis is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nankai_gis.plan.model import Names, Status, Vertex

CornerKind = Literal["shared", "crossing", "near", "extended"]
RunRole = Literal["named", "again", "bridge", "stand-in"]


@dataclass(frozen=True, slots=True)
class Corner:
    """Where a ring passes from one line to the next.

    Attributes
    ----------
    kind : {'shared', 'crossing', 'near', 'extended'}
        A node of both lines; lines that cross without one, as at a bridge; an end that comes
        near the other line; an end carried straight on.
    gap_m : float
        Metres put in between the lines; 0.0 for the first two kinds.
    position : tuple of float
        Longitude and latitude at which the ring passes from one line to the next.
    """

    kind: CornerKind
    gap_m: float
    position: tuple[float, float]


#: How far a straight line leaves a street, as a share of the break that it bridges; and as a share
#: of the way by which an end is carried on. `nankai_gis.compiler.stretches` has the reasons.
BREAK_SHARE, CARRIED_SHARE = 0.05, 0.1


def accuracy_over(gap_m: float, known_m: float, share: float) -> float:
    """Return the accuracy of a straight line over a gap whose ends are known to some metres."""
    return math.hypot(known_m, share * gap_m)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a run of one status, between two of its vertices.

    ``gap_m`` is the length of the break, or of the unnamed line, that makes it inferred; 0.0 for
    what a line has.
    """

    start: int
    stop: int
    status: Status
    accuracy_m: float
    gap_m: float


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a compiled ring or axis that follows one line.

    Attributes
    ----------
    line : str
        Id of the line.
    names : Names
        Its names.
    role : {'named', 'again', 'bridge', 'stand-in'}
        A road of the clause; one followed a second time to get from one road to the next; a line
        that the clause doesn't name; a line in the place of a road that isn't located.
    stands_for : str or None
        Name of the road in whose place the line is taken.
    vertices : tuple of Vertex
        Including both ends, so that neighbouring runs share one.
    accuracy_m : float
        Mean accuracy across the run, weighted by length.
    status : str
        Of the least certain vertex.
    bridged_m : float
        Metres of the run that bridge breaks in the line.
    stretches : tuple of Stretch
        What of it the line has, and what is inferred.
    """

    line: str
    names: Names
    role: RunRole
    stands_for: str | None
    vertices: tuple[Vertex, ...]
    accuracy_m: float
    status: Status
    bridged_m: float = 0.0
    stretches: tuple[Stretch, ...] = ()

    @property
    def name(self) -> str:
        """The name in traditional Chinese, or as the map has it."""
        return self.names.hant
