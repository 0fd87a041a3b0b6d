"""Ways joined end to end to strokes, straight on where they branch."""

from __future__ import annotations

from typing import cast

import numpy as np

from nankai_gis.geometry.arrays import Bools, Floats, Ints, spread

# A bend sharper than 70 degrees isn't "straight on" at a branch.
_STRAIGHT = np.cos(np.radians(70.0))


def ranges(first: Ints, count: Ints) -> Ints:
    """Concatenate the ranges ``first[i] .. first[i] + count[i]``."""
    row, number = spread(count)
    return first[row] + number


def segments(lonlat: Floats, way: Ints, group: Ints) -> tuple[Ints, Bools]:
    """Number the vertices of each group and mark the steps that count.

    A step leads from coordinate k to k + 1 of the same way; a zero step doesn't count,
    nor does one that an earlier way of the group has between the same vertices.
    """
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0], group))
    ordered, grouped = lonlat[order], group[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1) | (grouped[1:] != grouped[:-1])
    node = np.empty(len(order), dtype=np.int64)
    node[order] = np.cumsum(fresh) - 1
    valid = np.zeros(len(order), dtype=bool)
    valid[:-1] = (way[1:] == way[:-1]) & (node[1:] != node[:-1])
    index = np.flatnonzero(valid)
    low = np.minimum(node[index], node[index + 1])
    high = np.maximum(node[index], node[index + 1])
    order = np.lexsort((high, low))
    again = np.zeros(len(index), dtype=bool)
    again[1:] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    valid[index[order[again]]] = False
    return node, valid


def strokes(xy: Floats, node: Ints, valid: Bools, group: Ints) -> tuple[Ints, Ints, Ints]:
    """Join the steps to strokes."""
    steps = np.flatnonzero(valid)
    if not len(steps):
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    # Pieces run between ends and branches, and chains of pieces are the strokes.
    first, last = _pieces(steps, node)
    piece, turn, stroke_of_piece = _chains(_mates(first, last, node, xy))
    # Closed strokes were found last: put them with their street.
    order = np.argsort(group[first[piece]], kind="stable")
    piece, turn, stroke_of_piece = piece[order], turn[order], stroke_of_piece[order]
    stroke_of_piece = np.cumsum(np.append(0, np.diff(stroke_of_piece) != 0))
    # Each piece gives its steps' first vertices; the stroke's last vertex follows.
    closing = np.append(np.diff(stroke_of_piece) != 0, True)
    counts = last[piece] - first[piece] + closing
    begin = np.where(turn > 0, first[piece], last[piece])
    offset = ranges(np.zeros(len(piece), dtype=np.int64), counts)
    vertex = np.repeat(begin, counts) + offset * np.repeat(turn, counts)
    return vertex, np.repeat(stroke_of_piece, counts), np.repeat(turn, counts)


def _pieces(steps: Ints, node: Ints) -> tuple[Ints, Ints]:
    """First and last coordinate of each run of steps that no end or branch interrupts."""
    size = int(node.max()) + 1
    degree = np.bincount(node[steps], minlength=size) + np.bincount(node[steps + 1], minlength=size)
    head = np.ones(len(steps), dtype=bool)
    head[1:] = (np.diff(steps) != 1) | (degree[node[steps[1:]]] != 2)
    heads = np.flatnonzero(head)
    return steps[heads], steps[np.append(heads[1:], len(steps)) - 1] + 1


def _mates(first: Ints, last: Ints, node: Ints, xy: Floats) -> list[int]:
    """The end that each end of a piece runs on to, or -1.

    End 2p is the first vertex of piece p, end 2p + 1 its last.
    """
    # Sort the ends by node, so that those of one node stand together.
    nodes = node[np.column_stack((first, last)).ravel()]
    order = np.argsort(nodes, kind="stable")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(nodes[order])) + 1))
    sizes = np.diff(np.append(starts, len(order)))
    # Two ends at a node belong together.
    mate = np.full(len(nodes), -1, dtype=np.int64)
    pairs = starts[sizes == 2]
    mate[order[pairs]] = order[pairs + 1]
    mate[order[pairs + 1]] = order[pairs]
    # Of more, those that run straight on.
    for start, count in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):
        _straight_on(order[start : start + count], first, last, xy, mate)
    return mate.tolist()


def _chains(mate: list[int]) -> tuple[Ints, Ints, Ints]:
    """Pieces in the order of the strokes, 1 or -1 as each is run, and its stroke's number."""
    seen = bytearray(len(mate) // 2)
    chain: list[tuple[int, int, int]] = []
    count = 0
    # Open strokes start at a loose end; what is left over then is closed.
    loose = [end for end, other in enumerate(mate) if other < 0]
    for entry in [*loose, *range(0, len(mate), 2)]:
        end = entry
        if seen[end >> 1]:
            continue
        while end >= 0 and not seen[end >> 1]:
            seen[end >> 1] = 1
            chain.append((end >> 1, -1 if end & 1 else 1, count))
            end = mate[end ^ 1]
        count += 1
    piece, turn, stroke = np.array(chain, dtype=np.int64).T
    return piece, turn, stroke


def _straight_on(ends: Ints, first: Ints, last: Ints, xy: Floats, mate: Ints) -> None:
    """Pair the piece ends at a branch so that each runs on as straight as it can."""
    away = np.empty((len(ends), 2))
    for row, end in enumerate(ends.tolist()):
        path = xy[int(first[end >> 1]) : int(last[end >> 1]) + 1]
        # Look some way along, so that a kink at the very node doesn't decide.
        away[row] = -outward(path[::-1] if end & 1 else path, 20.0)
    cosine = -(away @ away.T)
    rows, columns = np.triu_indices(len(ends), 1)
    good = cosine[rows, columns] > _STRAIGHT
    rows, columns = rows[good], columns[good]
    for pick in np.argsort(-cosine[rows, columns], kind="stable"):
        one, two = ends[rows[pick]], ends[columns[pick]]
        if mate[one] < 0 and mate[two] < 0:
            mate[one], mate[two] = two, one


def outward(xy: Floats, reach: float) -> Floats:
    """Direction in which a line runs out at its first vertex, over its first metres."""
    away = np.hypot(*(xy - xy[0]).T)
    far = away > reach
    tip = int(far.argmax()) if far.any() else int(away.argmax())
    return cast("Floats", (xy[0] - xy[tip]) / max(float(away[tip]), 1e-9))


def open_at_tip(vertex: Ints, stroke: Ints, along: Ints, xy: Floats) -> tuple[Ints, Ints]:
    """Start closed strokes at their farthest vertex, so that a long loop opens at its tip."""
    strokes = int(stroke[-1]) + 1
    opens = np.searchsorted(stroke, np.arange(strokes))
    closes = np.append(opens[1:], len(stroke)) - 1
    same = (xy[vertex[opens]] == xy[vertex[closes]]).all(axis=1) & (closes - opens > 2)
    if not same.any():
        return vertex, along
    vertex, along = vertex.copy(), along.copy()
    for low, high in zip(opens[same].tolist(), closes[same].tolist(), strict=True):
        ring = vertex[low:high]
        points = xy[ring]
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        tip = int(np.argmax(np.hypot(*(points - middle).T)))
        if tip == 0:
            continue
        vertex[low:high] = np.roll(ring, -tip)
        vertex[high] = vertex[low]
        along[low:high] = np.roll(along[low:high], -tip)
        along[high] = along[low]
    return vertex, along
