"""Where streets come into zones and leave them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from nankai_gis.geometry.arrays import Bools, Floats, Hashes, Ints, spread
from nankai_gis.geometry.cut import INSIDE
from nankai_gis.measure.coverage.sums import AreaMembership, Ends

__all__ = ["crossings"]

COLUMNS = ["crossings", "entry_lon", "entry_lat", "exit_lon", "exit_lat"]
# The sine of the angle to its course below which a street crosses a boundary sideways.
_SIDEWAYS = 0.2


class _Meetings(NamedTuple):
    """Ends of pieces at spots where pieces in different states meet."""

    spot: Ints
    place: Floats
    #: The direction from the spot into the piece, length 1.
    into: Floats
    state: Ints
    street: Ints


def crossings(ends: Ends, run: Floats, membership: AreaMembership) -> pd.DataFrame:
    """Return crossings, first entry and last exit by ``zone`` and ``street`` (numbers).

    A street crosses where a piece of it inside the zone ends and another piece of it, not
    inside, ends at the same spot; so it doesn't matter how the street is split. `run` is how
    far each street goes east and north, degrees.
    """
    meetings = _meetings(ends)
    row, zone = _crossing(meetings, membership)
    if not len(row):
        index = pd.MultiIndex.from_arrays([[], []], names=["zone", "street"])
        return pd.DataFrame(columns=COLUMNS, index=index, dtype=np.float64)
    street = meetings.street[row]
    # A street is followed along the axis that it mainly runs by.
    scale = math.cos(math.radians(float(meetings.place[0, 1])))
    axis = (run[:, 1] > run[:, 0] * scale).astype(np.int64)[street]
    key = zone * len(run) + street
    order = np.lexsort((meetings.spot[row], meetings.place[row, axis], key))
    key, row, axis = key[order], row[order], axis[order]
    # Count the spots of each zone and street.
    keys, start = np.unique(key, return_index=True)
    spot = meetings.spot[row]
    fresh = np.ones(len(key), dtype=bool)
    fresh[1:] = (key[1:] != key[:-1]) | (spot[1:] != spot[:-1])
    values = np.full((len(keys), 5), np.nan)
    values[:, 0] = np.add.reduceat(fresh.astype(np.float64), start)
    # The first spot where the street comes in, and the last where it goes out.
    forward = meetings.into[row, axis]
    group = np.repeat(np.arange(len(keys)), np.diff(np.append(start, len(key))))
    # One that is crossed sideways alone is neither way in nor way out of itself.
    sideways = np.abs(forward) < _SIDEWAYS
    number = np.arange(len(key))
    entry = np.full(len(keys), len(key), dtype=np.int64)
    inward = sideways | (forward > 0)
    np.minimum.at(entry, group[inward], number[inward])
    leave = np.full(len(keys), -1, dtype=np.int64)
    outward = sideways | (forward < 0)
    np.maximum.at(leave, group[outward], number[outward])
    enters, leaves = entry < len(key), (leave >= 0) & (leave != entry)
    values[enters, 1:3] = meetings.place[row[entry[enters]]]
    values[leaves, 3:5] = meetings.place[row[leave[leaves]]]
    index = pd.MultiIndex.from_arrays(np.divmod(keys, len(run)), names=["zone", "street"])
    return pd.DataFrame(values, columns=COLUMNS, index=index)


def _meetings(ends: Ends) -> _Meetings:
    """The ends of pieces at spots where the state changes; elsewhere nothing crosses."""
    # Number the spots; those of the first ends stand before those of the last.
    hashes = np.concatenate((_hashed(ends.first), _hashed(ends.last)))
    spot, unique = pd.factorize(hashes)
    rows = np.flatnonzero(_changing(spot, len(unique), ends.state))
    half, piece = np.divmod(rows, max(len(ends.state), 1))
    last = half[:, None] == 1
    # Into the piece: along the line at its start, against it at its end.
    step = np.where(last, -ends.behind[piece], ends.ahead[piece])
    east = step[:, 0] * np.cos(np.radians(ends.first[piece, 1]))
    into = np.column_stack((east, step[:, 1]))
    into /= np.maximum(np.hypot(into[:, 0], into[:, 1]), 1e-300)[:, None]
    place = np.where(last, ends.last[piece], ends.first[piece])
    return _Meetings(spot[rows], place, into, ends.state[piece], ends.street[piece])


def _hashed(places: Floats) -> Hashes:
    """A number for each place: pieces that meet in one share its very coordinates."""
    x, y = np.ascontiguousarray(places.T).view(np.uint64)
    return np.asarray(x * np.uint64(0x9E3779B97F4A7C15) ^ y * np.uint64(0xC2B2AE3D27D4EB4F))


def _changing(spot: Ints, count: int, state: Ints) -> Bools:
    """Whether pieces in different states meet at the spot of each end."""
    least = np.full(count, np.iinfo(np.int64).max)
    most = np.full(count, -1)
    for half in np.split(spot, 2):
        np.minimum.at(least, half, state)
        np.maximum.at(most, half, state)
    return np.asarray((least < most)[spot], dtype=np.bool_)


def _crossing(meetings: _Meetings, membership: AreaMembership) -> tuple[Ints, Ints]:
    """Ends inside a zone at a spot where the same street has an end that isn't; their zones."""
    if not len(meetings.spot):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # All ends of a street at a spot.
    code, _ = pd.factorize(meetings.street * (int(meetings.spot.max()) + 1) + meetings.spot)
    ends_here = np.bincount(code)
    # Those of them that are inside, zone by zone.
    low, high = membership.rows_of(meetings.state)
    row, number = spread(high - low)
    listed = low[row] + number
    inside = membership.on[listed] == INSIDE
    row, zone = row[inside], membership.zone[listed[inside]]
    pair, _ = pd.factorize(zone * (int(code.max()) + 1) + code[row])
    partly = np.bincount(pair)[pair] < ends_here[code[row]]
    return row[partly], zone[partly]
