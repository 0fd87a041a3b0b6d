"""Runs and corners: what a compiled ring or axis is made of."""

from __future__ import annotations

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
    """

    line: str
    names: Names
    role: RunRole
    stands_for: str | None
    vertices: tuple[Vertex, ...]
    accuracy_m: float
    status: Status
    bridged_m: float = 0.0

    @property
    def name(self) -> str:
        """The name in traditional Chinese, or as the map has it."""
        return self.names.hant
