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
    """Where a ring passes from one line to the next."""

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
    """A stretch of a compiled ring or axis that follows one line."""

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
