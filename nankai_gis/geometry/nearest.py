"""Points by edges: which come near, and how near."""

from __future__ import annotations

import numpy as np
import shapely

from nankai_gis.geometry.arrays import Floats, Ints
from nankai_gis.geometry.degree_scale import metres_per_degree

__all__ = ["near", "per_degree"]

# Pairs of places and edges fill the memory, places don't.
_AT_ONCE = 1024


def near(places: Floats, edges: Floats, within_m: float) -> tuple[Ints, Ints, Floats, Floats]:
    """Return which edges come within a distance of places, where on them, and how near.

    Each place is measured from in metres per degree of its own, so that none depends on the
    others: 1 km away distances are good to some 1e-4 of themselves.
    """
    tree = shapely.STRtree(np.asarray(shapely.linestrings(edges), dtype=object))
    found = []
    for start in range(0, max(len(places), 1), _AT_ONCE):
        here = places[start : start + _AT_ONCE]
        metres = per_degree(here)
        low, high = here - within_m / metres, here + within_m / metres
        place, edge = tree.query(shapely.box(*low.T, *high.T))
        begin = (edges[edge, 0] - here[place]) * metres[place]
        step = (edges[edge, 1] - edges[edge, 0]) * metres[place]
        square = (step**2).sum(axis=1)
        share = -(begin * step).sum(axis=1) / np.where(square > 0, square, 1.0)
        share = np.clip(share, 0.0, 1.0)
        away = np.hypot(*(begin + step * share[:, None]).T)
        keep = away <= within_m
        found.append((place[keep] + start, edge[keep], share[keep], away[keep]))
    place, edge, share, away = (np.concatenate(column) for column in zip(*found, strict=True))
    return place, edge, share, away


def per_degree(places: Floats) -> Floats:
    """Return metres per degree of longitude and of latitude at places."""
    return np.maximum(np.column_stack(metres_per_degree(places[:, 1])), 1.0)
