"""How far the stations of a run are moved to the middle, and the line that this makes."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
import shapely
from shapely.geometry import LineString

from nankai_gis.geometry.arrays import Bools, Floats, Ints


def settle(arc: Floats, tangent: Floats, known: Bools, push: Floats) -> None:
    """Forget the push about a sudden change, so that the middle moves over smoothly.

    The middle jumps where a third line begins or ends beside a pair.
    """
    spots = np.flatnonzero(known)
    if len(spots) < 3:
        return
    lean = tangent[spots]
    middle = push[spots, 1] * lean[:, 0] - push[spots, 0] * lean[:, 1]
    jump = np.abs(np.diff(middle))
    sudden = (jump > 0.5 * np.diff(arc[spots])) & (jump > 2.0)
    # Where the carriageways meet in a node they may do so bluntly.
    apart = np.abs(middle) > 1.0
    sudden = np.flatnonzero(sudden & apart[1:] & apart[:-1])
    drop = np.zeros(len(spots), dtype=bool)
    place = arc[spots]
    for row in sudden.tolist():
        reach = 3.0 * float(jump[row])
        drop |= (place > place[row] - reach) & (place < place[row + 1] + reach)
    drop[[0, -1]] = False
    drop &= apart
    known[spots[drop]] = False
    push[spots[drop]] = 0.0


def carry_over(
    arc: Floats, known: Bools, push: Floats, separation: float, gap: float
) -> tuple[Floats, Bools]:
    """Carry the push over stations that see no partner, or let it fade out."""
    spots = np.flatnonzero(known)
    held = known.copy()
    if not len(spots) or not push[spots].any():
        return np.zeros_like(push), held
    # Knots of an interpolation along the run.
    knots, values = [arc[spots]], [push[spots]]
    # Between two stations that know, before the first and after the last: the room to carry
    # the push over, or where that is too much, the room for it to run out in on either side.
    between = [(int(one), int(two)) for one, two in pairwise(spots) if two - one > 1]
    between += [(-1, int(spots[0])), (int(spots[-1]), -1)]
    for one, two in between:
        low, high = max(one, 0), two if two >= 0 else len(arc) - 1
        room = float(arc[high] - arc[low])
        loose = one < 0 or two < 0
        if room <= (2 * separation if loose else max(gap, 4 * separation)):
            held[low : high + 1] = True
            continue
        for spot, sense in ((one, 1.0), (two, -1.0)):
            if spot >= 0:
                reach = max(2 * separation, 8 * float(np.hypot(*push[spot])))
                knots.append(arc[[spot]] + sense * min(reach, room if loose else room / 2))
                values.append(np.zeros((1, 2)))
    where, table = np.concatenate(knots), np.vstack(values)
    order = np.argsort(where, kind="stable")
    out = np.column_stack([np.interp(arc, where[order], table[order, k]) for k in (0, 1)])
    return out, held


def backward(line: Floats, moved: Bools, lean: Floats) -> Ints:
    """Rows at which a shifted line runs back, against the street.

    A segment of a few centimetres may point anywhere, and what is square to it is shifted back.
    """
    step = np.diff(line[:, :2], axis=0)
    against = ((step * lean[1:]).sum(axis=1) < 0) & ((step * lean[:-1]).sum(axis=1) < 0)
    rows = np.flatnonzero(against & moved[1:] & moved[:-1]) + 1
    # At its start a line keeps the second vertex, as it keeps the last but one at its end.
    rows[rows == 1] = 0
    return cast("Ints", rows)


def thin(line: Floats, moved: Bools) -> Floats:
    """Drop shifted points that lie within 5 cm of the line through the rest."""
    keep = np.ones(len(line), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], moved, [False])).astype(int)))
    for first, stop in zip(edges[0::2], edges[1::2], strict=True):
        low, high = max(first - 1, 0), min(stop + 1, len(line))
        if high - low < 3:
            continue
        piece = line[low:high]
        rows = np.arange(len(piece), dtype=np.float64)
        slim = shapely.simplify(
            LineString(np.column_stack((piece[:, :2], rows))), 0.05, preserve_topology=False
        )
        left = shapely.get_coordinates(slim, include_z=True)[:, 2].astype(int)
        drop = np.ones(len(piece), dtype=bool)
        drop[left] = False
        drop &= moved[low:high]
        keep[low:high] &= ~drop
    return line[keep]
