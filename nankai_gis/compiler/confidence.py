"""How sure it is that a clause means a run of its ring, and that the run lies there.

The levels are rules with numbers, so that a reader can check them; docs/tutorial.md lists them.
"""

from __future__ import annotations

from typing import Literal

from nankai_gis.compiler.measured import run_length
from nankai_gis.compiler.ring import MATTERS, Ring
from nankai_gis.compiler.runs import Corner, Run

Confidence = Literal["high", "fair", "low"]

#: A run known to no better than this, metres, is low.
LOW_ACCURACY_M = 200.0
#: A run known to no better than this, metres, is fair.
FAIR_ACCURACY_M = 60.0
#: A run that bridges breaks of its line over more than this, metres, is fair.
FAIR_BRIDGED_M = 100.0
#: A ring of which more than this share follows lines that the clause doesn't name is doubtful.
UNNAMED_SHARE = 0.2


def doubtful(ring: Ring) -> bool:
    """Whether so much speaks against a ring that no part of it is sure.

    The clause has words that weren't understood, the network lacks a road of it, another ring of
    another area fits it too, or more than `UNNAMED_SHARE` of its length follows links.
    """
    lengths = [run_length(run.vertices) for run in ring.runs]
    links = (k for k, run in enumerate(ring.runs) if run.role == "bridge")
    unnamed = sum(lengths[k] for k in links)
    other = any(reading.difference > MATTERS for reading in ring.alternatives)
    return ring.in_doubt or bool(ring.missing) or other or unnamed > UNNAMED_SHARE * sum(lengths)


def confidences(ring: Ring) -> list[Confidence]:
    """Return how sure it is that the clause means each run of a ring, and that it lies here.

    Without a road of its clause the ring is a guess: low all round.
    """
    in_doubt = doubtful(ring)
    return [
        "low" if ring.missing else confidence(run, (ring.corners[k - 1], ring.corners[k]), in_doubt)
        for k, run in enumerate(ring.runs)
    ]


def confidence(run: Run, corners: tuple[Corner, Corner], in_doubt: bool) -> Confidence:
    """Return how sure it is that the clause means a run between two corners.

    Low, if nothing confirms it: the run is inferred (also by a stand-in), a corner is
    ``extended``, the accuracy is worse than `LOW_ACCURACY_M`, or the run is a link of a ring in
    doubt. Fair, if likely: a corner is ``near``, the accuracy is worse than `FAIR_ACCURACY_M`,
    more than `FAIR_BRIDGED_M` of it bridges breaks, it is a link, or the ring is in doubt. High:
    everything else.
    """
    kinds = {corner.kind for corner in corners}
    link = run.role == "bridge"
    # A break, and a line that isn't named, leave the rest of the side as it is.
    inferred = [s for s in run.stretches if s.status == "inferred"]
    whole = any(not s.gap_m for s in inferred) if run.stretches else run.status == "inferred"
    unseen = whole or "extended" in kinds or run.accuracy_m > LOW_ACCURACY_M
    if unseen or (link and in_doubt):
        return "low"
    rough = run.accuracy_m > FAIR_ACCURACY_M or run.bridged_m > FAIR_BRIDGED_M
    if "near" in kinds or inferred or rough or link or in_doubt:
        return "fair"
    return "high"
