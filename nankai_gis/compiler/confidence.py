"""How sure it is that a clause means a run of its ring, and that the run lies there.

The levels are rules with numbers, so that a reader can check them; docs/tutorial.md lists them.
"""

from __future__ import annotations

from typing import Literal

from nankai_gis.compiler.measured import run_length
from nankai_gis.compiler.ring import Ring
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
    """Return whether so much of a ring isn't what its clause says that no part of it is sure.

    Parameters
    ----------
    ring : Ring

    Returns
    -------
    bool
        Whether the network lacks a road of the clause, or more than `UNNAMED_SHARE` of the ring's
        length follows links.

    Examples
    --------
    >>> from nankai_gis.compiler.search import ring_of_sides
    >>> from nankai_gis.network import digitised
    >>> sides = {"north": ["鞍山西道"], "east": ["衛津路"], "south": ["復康路"], "west": ["紅旗路"]}
    >>> doubtful(ring_of_sides(sides, digitised.packaged()))
    False
    """
    lengths = [run_length(run.vertices) for run in ring.runs]
    unnamed = sum(
        length for run, length in zip(ring.runs, lengths, strict=True) if run.role == "bridge"
    )
    return bool(ring.missing) or unnamed > UNNAMED_SHARE * sum(lengths)


def confidence(run: Run, corners: tuple[Corner, Corner], in_doubt: bool) -> Confidence:
    """Return how sure it is that the clause means a run, and that it lies here.

    Parameters
    ----------
    run : Run
    corners : tuple of Corner
        Those at its two ends.
    in_doubt : bool
        What `doubtful` says of its ring.

    Returns
    -------
    {'high', 'fair', 'low'}
        Low, if nothing confirms it: the run is inferred (also by a stand-in or by a corner
        carried on), a corner is ``extended``, the accuracy is worse than `LOW_ACCURACY_M`, or the
        run is a link of a ring in doubt. Fair, if likely: a corner is ``near``, the accuracy
        is worse than `FAIR_ACCURACY_M`, more than `FAIR_BRIDGED_M` of it bridges breaks, it is a
        link, or the ring is in doubt. High: everything else.

    Examples
    --------
    >>> from nankai_gis.plan.model import Names
    >>> run = Run("a", Names("甲", "甲", "Jia"), "named", None, (), 5.0, "osm", bridged_m=100.1)
    >>> corner = Corner("shared", 0.0, (117.0, 39.0))
    >>> confidence(run, (corner, corner), in_doubt=False)
    'fair'
    """
    kinds = {corner.kind for corner in corners}
    link = run.role == "bridge"
    unseen = run.status == "inferred" or "extended" in kinds or run.accuracy_m > LOW_ACCURACY_M
    if unseen or (link and in_doubt):
        return "low"
    rough = run.accuracy_m > FAIR_ACCURACY_M or run.bridged_m > FAIR_BRIDGED_M
    if "near" in kinds or rough or link or in_doubt:
        return "fair"
    return "high"
