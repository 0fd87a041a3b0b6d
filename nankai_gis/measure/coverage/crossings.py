"""Where streets come into zones and leave them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nankai_gis.geometry.arrays import Floats, Hashes, Ints, spread
from nankai_gis.geometry.cut import INSIDE
from nankai_gis.measure.coverage.membership import States
from nankai_gis.measure.coverage.sums import Ends

__all__ = ["Crossings", "crossings"]


# The sine of the angle to its course below which a street crosses a boundary abeam.
_ABEAM = 0.2


@dataclass(frozen=True)
class Crossings:
    """Crossings, first entry and last exit for each zone and street."""

    key: Ints
    streets: int
    values: Floats  # crossings, entry lon, lat, exit lon, lat

    def at(self, zone: Ints, street: Ints) -> dict[str, NDArray[Any]]:
        asked = zone * self.streets + street
        row = np.searchsorted(self.key, asked)
        found = np.zeros(len(asked), dtype=bool)
        inside = row < len(self.key)
        found[inside] = self.key[row[inside]] == asked[inside]
        values = np.full((len(asked), 5), np.nan)
        values[:, 0] = 0.0
        values[found] = self.values[row[found]]
        return {
            "crossings": values[:, 0].astype(np.int64),
            "entry_lon": values[:, 1],
            "entry_lat": values[:, 2],
            "exit_lon": values[:, 3],
            "exit_lat": values[:, 4],
        }


def crossings(ends: Ends, run: Floats, states: States) -> Crossings:
    """Find where streets come into zones and leave them.

    A street crosses where a piece of it inside the zone ends and another piece of it, not
    inside, ends at the same place; so it doesn't matter how the street is split. `run` is how
    far each street goes east and north, degrees.
    """
    wide = len(run)
    none = Crossings(np.zeros(0, dtype=np.int64), wide, np.zeros((0, 5)))
    if not len(ends.state):
        return none
    mixed = np.concatenate((_mix(ends.first), _mix(ends.last)))
    some, spot = _changes(mixed, ends.state)
    if not len(some):
        return none
    half, piece = np.divmod(some, len(ends.state))
    last = half[:, None] == 1
    place = np.where(last, ends.last[piece], ends.first[piece])
    mixed, state, street = mixed[some], ends.state[piece], ends.street[piece]
    # Into the piece: along the line at its start, against it at its end.
    step = np.where(last, -ends.behind[piece], ends.ahead[piece])
    east = step[:, 0] * np.cos(np.radians(ends.first[piece, 1]))
    into = np.column_stack((east, step[:, 1]))
    into /= np.maximum(np.hypot(into[:, 0], into[:, 1]), 1e-300)[:, None]
    both = street * (int(spot.max()) + 1) + spot
    code, _ = pd.factorize(both)
    ends_here = np.bincount(code)
    low = np.searchsorted(states.state, state)
    high = np.searchsorted(states.state, state, side="right")
    row, number = spread(high - low)
    at = low[row] + number
    inside = states.on[at] == INSIDE
    row, zone = row[inside], states.zone[at[inside]]
    pair, _ = pd.factorize(zone * (int(code.max()) + 1) + code[row])
    mine = np.bincount(pair)
    partly = mine[pair] < ends_here[code[row]]
    row, zone = row[partly], zone[partly]
    if not len(row):
        return none
    # A street is followed along the axis that it mainly runs by.
    mainly_north = run[:, 1] > run[:, 0] * math.cos(math.radians(float(place[0, 1])))
    axis = mainly_north.astype(np.int64)[street[row]]
    along = place[row, axis]
    ahead_of = into[row, axis]
    key = zone * wide + street[row]
    order = np.lexsort((mixed[row], along, key))
    key, ahead_of, row, spot = key[order], ahead_of[order], row[order], mixed[row[order]]
    keys, start = np.unique(key, return_index=True)
    stop = np.append(start[1:], len(key))
    fresh = np.ones(len(key), dtype=bool)
    fresh[1:] = (key[1:] != key[:-1]) | (spot[1:] != spot[:-1])
    out = np.full((len(keys), 5), np.nan)
    out[:, 0] = np.add.reduceat(fresh.astype(np.float64), start)
    group = np.repeat(np.arange(len(keys)), stop - start)
    # A street that crosses square to its course neither comes nor goes by this place alone.
    abeam = np.abs(ahead_of) < _ABEAM
    number = np.arange(len(key))
    come = np.full(len(keys), len(key), dtype=np.int64)
    hit = abeam | (ahead_of > 0)
    np.minimum.at(come, group[hit], number[hit])
    leave = np.full(len(keys), -1, dtype=np.int64)
    hit = abeam | (ahead_of < 0)
    np.maximum.at(leave, group[hit], number[hit])
    comes, leaves = come < len(key), (leave >= 0) & (leave != come)
    out[comes, 1:3] = place[row[come[comes]]]
    out[leaves, 3:5] = place[row[leave[leaves]]]
    return Crossings(keys, wide, out)


def _mix(places: Floats) -> Hashes:
    """A number for each place: pieces that meet in one share its very coordinates."""
    x, y = np.ascontiguousarray(places.T).view(np.uint64)
    return np.asarray(x * np.uint64(0x9E3779B97F4A7C15) ^ y * np.uint64(0xC2B2AE3D27D4EB4F))


def _changes(mixed: Hashes, state: Ints) -> tuple[Ints, Ints]:
    """Ends at places in which pieces in different states meet, and the number of the place.

    Where all that meets is in the same state, nothing crosses. `mixed` are the places of the
    first ends of all pieces and then those of the last.
    """
    spot, values = pd.factorize(mixed)
    least = np.full(len(values), np.iinfo(np.int64).max)
    most = np.full(len(values), -1)
    for half in np.split(spot, 2):
        np.minimum.at(least, half, state)
        np.maximum.at(most, half, state)
    some = np.flatnonzero((least < most)[spot])
    return some, spot[some]
