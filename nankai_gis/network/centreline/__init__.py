"""The centreline of a street: what `nankai_gis.network.streets` does in the plane.

Ways are joined to strokes (`strokes`), cross-sections find the other carriageway (`sections`), the
middle is drawn once, longest stroke first (`weave`), and breaks between the parts are bridged
within a limit (`gaps`). Streets come in batches, all coordinates in one array, so that numpy's
fixed costs are shared; only the drawing goes street by street. Coordinates are metres in a plane.

It is written by hand because no library keeps the names: neatnet and momepy simplify a network by
its faces and return lines without names, where a plan needs each street by its name. On 5,000
pieces this is 207 to 216 times as fast as neatnet (``tests/benchmarks/test_streets.py``).
"""

from __future__ import annotations

import numpy as np

from nankai_gis.geometry.arrays import Bools, Floats, Ints
from nankai_gis.network.centreline.gaps import Centreline, join
from nankai_gis.network.centreline.sections import (
    Hits,
    Stations,
    cross_sections,
    cut_folds,
    stations_along,
)
from nankai_gis.network.centreline.strokes import open_at_tip, segments, strokes
from nankai_gis.network.centreline.weave import HOLD, CentrelineBuilder

__all__ = ["Centreline", "collapse"]


def collapse(
    lonlat: Floats,
    xy: Floats,
    way: Ints,
    group: Ints,
    sense: Ints,
    twoway: Bools,
    *,
    separation: float,
    gap: float,
) -> tuple[list[Centreline], Bools]:
    """Collapse a batch of streets."""
    # Join the ways to strokes; a closed one starts at its tip.
    groups = int(group[-1]) + 1 if len(group) else 0
    node, valid = segments(lonlat, way, group)
    vertex, stroke, along = strokes(xy, node, valid, group)
    lines = [Centreline([], 0.0, []) for _ in range(groups)]
    if not len(vertex):
        return lines, valid
    vertex, along = open_at_tip(vertex, stroke, along, xy)
    # Set stations along them, and cut cross-sections where there may be a second carriageway.
    spacing = float(np.clip(separation / 2, 2.5, 15.0))
    stations = stations_along(xy, vertex, stroke, along, sense, twoway, group, spacing)
    rows = _rows_to_section(stations, vertex, stroke, group, twoway) if separation else vertex[:0]
    hits = cross_sections(stations, rows, separation * HOLD, spacing)
    run = np.zeros(len(stations.xy))
    run[1:] = np.hypot(*np.diff(stations.xy, axis=0).T) * stations.step[:-1]
    arc = np.cumsum(run)
    # A point between two vertices is a node of its own.
    place = np.where(
        stations.vertex >= 0, node[stations.vertex], -1 - np.arange(len(stations.vertex))
    )
    consumed = np.zeros(len(stations.xy), dtype=bool)
    caps = np.zeros(len(stations.xy), dtype=bool)
    hit_group = stations.group[hits.station]
    # Draw street by street.
    for number, spans in enumerate(_spans(stations, groups)):
        begin, stop = np.searchsorted(hit_group, [number, number + 1])
        if begin == stop:
            parts, dual = [_as_mapped(stations, low, high) for low, high in spans], 0.0
        else:
            mine = Hits(*(values[begin:stop] for values in vars(hits).values()))
            spans, turns = cut_folds(stations, arc, mine, spans)
            for low, high in turns:
                caps[low : high + 1] = True
            for low, high in spans:
                caps[[low, high]] = False
            builder = CentrelineBuilder(
                stations, place, arc, mine, spans, caps, consumed, separation, gap, spacing
            )
            parts, dual = builder.weave()
        lines[number] = join(parts, dual, gap)
    return lines, valid


def _rows_to_section(
    stations: Stations, vertex: Ints, stroke: Ints, group: Ints, twoway: Bools
) -> Ints:
    """Stations of all strokes but those that are their own centreline.

    That is the only stroke of its street, where it is known to be two-way all along.
    """
    count = int(stroke[-1]) + 1
    owner = group[vertex[np.searchsorted(stroke, np.arange(count))]]
    divided = np.bincount(stroke, weights=~twoway[vertex], minlength=count) > 0
    busy = (np.bincount(owner)[owner] > 1) | divided
    return np.flatnonzero(busy[stations.stroke])


def _spans(stations: Stations, groups: int) -> list[list[tuple[int, int]]]:
    """First and last station of each stroke, by street."""
    count = int(stations.stroke[-1]) + 1
    opens = np.searchsorted(stations.stroke, np.arange(count))
    closes = np.append(opens[1:], len(stations.stroke)) - 1
    spans: list[list[tuple[int, int]]] = [[] for _ in range(groups)]
    for owner, low, high in zip(
        stations.group[opens].tolist(), opens.tolist(), closes.tolist(), strict=True
    ):
        spans[owner].append((low, high))
    return spans


def _as_mapped(stations: Stations, low: int, high: int) -> Floats:
    """The mapped vertices of a stroke, as rows of x, y and vertex."""
    vertex = stations.vertex[low : high + 1]
    mapped = vertex >= 0
    return np.column_stack((stations.xy[low : high + 1][mapped], vertex[mapped]))
