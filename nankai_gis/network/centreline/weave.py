"""One street's strokes woven to a centreline, longest stroke first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString

from nankai_gis.geometry.arrays import Bools, Floats, Ints
from nankai_gis.network.centreline.sections import PARALLEL, Hits, Stations
from nankai_gis.network.centreline.shift import backward, carry_over, settle, thin
from nankai_gis.network.centreline.strokes import outward

# A pair once seen is held while it widens to this share of the limit.
HOLD = 1.3


class Anchor(NamedTuple):
    """Where the end of a run meets what is drawn already."""

    foot: Floats
    #: Whether the run goes on along the part; otherwise it branches off.
    parallel: bool
    part: int
    #: Metres along the part.
    along: float


@dataclass(eq=False)
class CentrelineBuilder:
    """Collapses the strokes of one street, longest first."""

    stations: Stations
    node: Ints
    #: Metres along the strokes, at each station.
    arc: Floats
    hits: Hits
    #: First and last station of each stroke.
    spans: list[tuple[int, int]]
    #: Stations of a turn, which the middle leaves out.
    caps: Bools
    #: Stations for which a centreline stands already.
    consumed: Bools
    separation: float
    gap: float
    spacing: float

    def __post_init__(self) -> None:
        self.parts: list[Floats] = []
        self.lines: list[LineString] = []
        self.dual = 0.0
        self.spans.sort(key=lambda span: self.arc[span[0]] - self.arc[span[1]])
        self.placed: set[int] = set()
        self.ends: dict[int, list[int]] = defaultdict(list)
        for number, (low, high) in enumerate(self.spans):
            self.ends[int(self.node[low])].append(number)
            self.ends[int(self.node[high])].append(number)
        # Which stroke a hit's step belongs to, after folds were cut.
        lows = np.array([low for low, _ in self.spans])
        self.by_low = np.argsort(lows)
        self.lows = lows[self.by_low]

    def weave(self) -> tuple[list[Floats], float]:
        """Return the parts and the planar length that stands for two or more."""
        for number, (low, high) in enumerate(self.spans):
            free = ~self.consumed[low : high + 1]
            if not free.any():
                continue
            edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(int)))
            for first, stop in zip(edges[0::2], edges[1::2], strict=True):
                self._run(number, low + int(first), low + int(stop) - 1)
        return self.parts, self.dual

    def _run(self, number: int, first: int, last: int) -> None:
        """Draw the stations `first` to `last` of a stroke, which no centreline stands for yet."""
        # The run reaches to the stations before and after it, where others stand for them.
        low, high = self.spans[number]
        before, after = first > low, last < high
        index = np.arange(first - before, last + after + 1)
        body = slice(int(before), len(index) - after)
        arc = self.arc[index]
        anchors = [
            self._anchor(index, 0, before, first),
            self._anchor(index, -1, after, last),
        ]
        if self._absorbed(index[body], arc, anchors):
            self.consumed[first : last + 1] = True
            return
        # What is known of the way to the middle: at pairs, at nodes, at both ends.
        partner, shift = self._partners(number, first, last)
        known = np.zeros(len(index), dtype=bool)
        push = np.zeros((len(index), 2))
        known[body] = partner
        push[body] = shift
        self._pin(number, index, known, push, first, last)
        settle(arc, self.stations.tangent[index], known, push)
        keep = self._trim(index, partner, push, anchors, body)
        known &= keep
        lead = [
            self._lead(anchor, index, row, known, push)
            for anchor, row in zip(anchors, (0, -1), strict=True)
        ]
        # Carry it over the stations between.
        paired = known.copy()
        push, held = carry_over(arc, known, push, self.separation, self.gap)
        dual = np.zeros(len(index), dtype=bool)
        dual[body] = partner
        if partner.any():
            # A pair reaches on to where the next station would have seen it end.
            inside = np.flatnonzero(dual)
            reach = (arc >= arc[inside[0]] - self.spacing) & (arc <= arc[inside[-1]] + self.spacing)
            dual |= held & reach
        line = self._draw(index, push, dual, paired, anchors, lead, keep)
        if push.any() and not self._holds(line, index):
            # Too tangled to shift: keep it as mapped.
            push = np.zeros_like(push)
            dual[:] = False
            anchors = [anchor and anchor._replace(parallel=False) for anchor in anchors]
            keep[:] = True
            line = self._draw(index, push, dual, paired, anchors, lead, keep)
        # Note what it stands for.
        self._add(line)
        self.dual += self._dual_length(index, push, dual & keep)
        self.consumed[first : last + 1] = True
        self.placed.update(self.node[index].tolist())
        if partner.any():
            self._consume(index[dual])

    def _lead(
        self, anchor: Anchor | None, index: Ints, row: int, known: Bools, push: Floats
    ) -> Floats | None:
        """Settle how the run starts (or ends) at its anchor; the point it is tied to, if any."""
        if anchor is None:
            return None
        point = self._tie(anchor)
        gone = point[:2] - self.stations.xy[index[row]]
        known[row] = True
        if anchor.parallel:
            # The run may start a little short of the end it goes on from.
            lean = self.stations.tangent[index[row]]
            push[row] = gone - float(gone @ lean) * lean
            return point
        push[row] = 0.0
        return point if np.hypot(*gone) > 1e-9 else None

    def _anchor(self, index: Ints, row: int, consumed: bool, station: int) -> Anchor | None:
        """Find where the run's end meets what is drawn."""
        if not self.lines:
            return None
        if not consumed and int(self.node[station]) not in self.placed:
            return None
        # The nearest part that is drawn, and where along it.
        here = self.stations.xy[index[row]]
        point = shapely.Point(here)
        away = shapely.distance(np.array(self.lines), point)
        home = int(np.argmin(away))
        line = self.lines[home]
        where = float(shapely.line_locate_point(line, point))
        parallel = consumed
        if consumed and not line.is_closed:
            # A run that goes on past the end of what is drawn goes on from that end.
            near = 1.5 * self.spacing
            ends = [0.0, float(line.length)]
            for end in ends:
                if abs(where - end) <= near and self._beyond(line, end, index, row):
                    where = end
        foot = shapely.get_coordinates(shapely.line_interpolate_point(line, where))[0]
        if not consumed:
            # At a node the run goes on along the part, or branches off.
            step = min(5.0, line.length / 2)
            low = max(0.0, where - step)
            high = min(line.length, where + step)
            a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [low, high]))
            lean = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
            parallel = abs(float(lean @ self._leaving(index, row))) > PARALLEL
        return Anchor(foot, parallel, home, where)

    def _leaving(self, index: Ints, row: int) -> Floats:
        """Direction in which the run leaves its end."""
        return -outward(self.stations.xy[index if row == 0 else index[::-1]], 20.0)

    def _beyond(self, line: LineString, end: float, index: Ints, row: int) -> bool:
        """Whether the run leads away past this end of the line, not back along it."""
        step = min(20.0, line.length)
        inner = abs(end - step) if end == 0.0 else end - step
        a, b = shapely.get_coordinates(shapely.line_interpolate_point(line, [inner, end]))
        lean = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
        return float(lean @ self._leaving(index, row)) > PARALLEL

    def _absorbed(
        self,
        run: Ints,
        arc: Floats,
        anchors: Sequence[Anchor | None],
    ) -> bool:
        """Whether the run only links what the centreline already stands for."""
        tied = [anchor for anchor in anchors if anchor is not None]
        if not tied:
            return False
        length = float(arc[-1] - arc[0])
        xy = self.stations.xy[run]
        off = []
        for anchor, station in zip(anchors, (run[0], run[-1]), strict=True):
            if anchor is not None:
                off.append(float(np.hypot(*(anchor.foot - self.stations.xy[station]))))
        sides = [value > 0.5 for value in off]
        if not any(sides):
            return False
        drawn = self.lines[0] if len(self.lines) == 1 else MultiLineString(self.lines)
        far = float(np.max(shapely.distance(drawn, np.asarray(shapely.points(xy)))))
        if len(tied) == 2:
            return length <= 4 * self.separation and far <= self.separation
        return far <= min(max(off) + 2.0, self.separation)

    def _partners(self, number: int, first: int, last: int) -> tuple[Bools, Floats]:
        """Find the stations that see another carriageway, and the way to the middle."""
        count = last - first + 1
        partner = np.zeros(count, dtype=bool)
        shift = np.zeros((count, 2))
        hits = self.hits
        begin, stop = np.searchsorted(hits.station, [first, last + 1])
        if begin == stop:
            return partner, shift
        # What the sections meet outside this stroke that nothing stands for yet.
        low, high = self.spans[number]
        step = hits.step[begin:stop]
        open_ = ~(self.consumed[step] & self.consumed[step + 1])
        open_ &= (step < low) | (step >= high)
        rows = np.flatnonzero(open_) + begin
        if not len(rows):
            return partner, shift
        at = hits.station[rows] - first
        offset = hits.offset[rows]
        # Stations that see a partner within the limit, and those that see one a little beyond.
        near = np.abs(offset) <= self.separation
        strong = np.zeros(count, dtype=bool)
        strong[at[near]] = True
        weak = np.zeros(count, dtype=bool)
        weak[at] = True
        weak &= ~strong
        partner |= strong
        if weak.any() and strong.any():
            # Held while it widens a little, if the pair closes up again on both sides.
            edges = np.flatnonzero(np.diff(np.concatenate(([False], weak, [False])).astype(int)))
            for head, tail in zip(edges[0::2], edges[1::2], strict=True):
                if head > 0 and tail < count and strong[head - 1] and strong[tail]:
                    partner[head:tail] = True
        # The middle between the outermost lines; of more than two, between opposite directions.
        use = partner[at] & (near | ~strong[at])
        rows, at, offset = rows[use], at[use], offset[use]
        if not len(rows):
            return partner, shift
        opens = np.flatnonzero(np.concatenate(([True], at[1:] != at[:-1])))
        least = np.minimum(np.minimum.reduceat(offset, opens), 0.0)
        most = np.maximum(np.maximum.reduceat(offset, opens), 0.0)
        middle = (least + most) / 2
        counts = np.diff(np.append(opens, len(at)))
        for row in np.flatnonzero(counts > 1):
            section = rows[opens[row] : opens[row] + counts[row]]
            inner = self._innermost(first + int(at[opens[row]]), section)
            if inner is not None:
                middle[row] = inner
        normal = self.stations.tangent[first + at[opens]][:, ::-1] * (-1.0, 1.0)
        shift[at[opens]] = normal * middle[:, None]
        return partner, shift

    def _innermost(self, station: int, section: Ints) -> float | None:
        """Middle between the two nearest lines of opposite traffic, where that is known."""
        own = station if self.stations.step[station] else station - 1
        lines = [(0.0, int(self.stations.sense[own]))]
        for row in section.tolist():
            sense = int(self.hits.heading[row] * self.stations.sense[self.hits.step[row]])
            lines.append((float(self.hits.offset[row]), sense))
        lines.sort()
        lines = [line for line in lines if line[1]]
        best: tuple[float, float] | None = None
        for (left, one), (right, two) in pairwise(lines):
            if one != two and (best is None or right - left < best[0]):
                best = (right - left, (left + right) / 2)
        return None if best is None else best[1]

    def _pin(
        self,
        number: int,
        index: Ints,
        known: Bools,
        push: Floats,
        first: int,
        last: int,
    ) -> None:
        """Hold the centreline to the nodes where a paired carriageway joins this one."""
        if not known.any():
            return
        # Where along this stroke each other one is seen.
        begin, stop = np.searchsorted(self.hits.station, [first, last + 1])
        step = self.hits.step[begin:stop]
        where = self.hits.station[begin:stop]
        seen_at: dict[int, Floats] = {}
        label = self.by_low[np.searchsorted(self.lows, step, side="right") - 1]
        for other in np.unique(label).tolist():
            seen_at[other] = self.arc[where[label == other]]
        # Nodes at which one of them ends.
        wide = np.abs(self.hits.offset[begin:stop]) > 1.0
        nodes = self.node[index]
        for row in np.flatnonzero(
            (self.stations.vertex[index] >= 0) | np.isin(nodes, list(self.ends))
        ):
            for other in self.ends.get(int(nodes[row]), ()):
                if other == number or other not in seen_at:
                    continue
                distance = np.abs(seen_at[other] - self.arc[index[row]]).min()
                # A slip road that leaves one carriageway of a pair doesn't draw the middle.
                paired = wide & (where == index[row]) & (label != other)
                if distance <= 4 * self.separation and not paired.any():
                    known[row], push[row] = True, 0.0

    def _trim(
        self,
        index: Ints,
        partner: Bools,
        push: Floats,
        anchors: Sequence[Anchor | None],
        body: slice,
    ) -> Bools:
        """Leave out a loose end that only crosses over to the other carriageway."""
        keep = np.ones(len(index), dtype=bool)
        inside = np.flatnonzero(partner) + body.start
        if len(inside) < 2:
            return keep
        xy = self.stations.xy[index]
        for side, (row, inner) in enumerate((inside[:2].tolist(), inside[:-3:-1].tolist())):
            tail = slice(0, row) if side == 0 else slice(row + 1, len(index))
            if anchors[side] is not None or tail.start >= tail.stop:
                continue
            half = float(np.hypot(*push[inner]))
            over = (xy[tail] - xy[row]) @ (push[inner] / max(half, 1e-9))
            last = float(over[0 if side == 0 else -1])
            if half > 1.0 and 1.3 * half < last < 2.7 * half:
                keep[tail] = over < 0.3 * half
                # The corner stays, and the middle runs up to it.
                self.caps[index[tail]] = False
        return keep

    def _draw(
        self,
        index: Ints,
        push: Floats,
        dual: Bools,
        known: Bools,
        anchors: Sequence[Anchor | None],
        lead: Sequence[Floats | None],
        wanted: Bools,
    ) -> Floats:
        """Shift the run to the middle; drop what only sampling put there."""
        # Shift every station, and tie the ends.
        xy = self.stations.xy[index]
        vertex = self.stations.vertex[index]
        moved = (push != 0.0).any(axis=1)
        line = np.column_stack((xy + push, np.where(moved, -1, vertex)))
        if (xy[0] == xy[-1]).all() and len(xy) > 2:
            line[-1] = line[0]
        for side, point in enumerate(lead):
            anchor = anchors[side]
            if point is None or anchor is None:
                continue
            row = 0 if side == 0 else -1
            if anchor.parallel:
                line[row] = point
        # Choose the points: the mapped vertices, and what the shift needs.
        if not moved.any():
            keep = vertex >= 0
            keep[[0, -1]] = True
            line = line[keep]
        else:
            keep = (vertex >= 0) | moved
            near = moved.copy()
            near[1:] |= moved[:-1]
            near[:-1] |= moved[1:]
            keep |= near & known
            if dual.any():
                keep &= ~self.caps[index]
            keep[[0, -1]] = True
            keep &= wanted
            left = np.flatnonzero(keep)
            back = left[backward(line[left], moved[left], self.stations.tangent[index[left]])]
            closed = bool((line[0, :2] == line[-1, :2]).all())
            fixed = [closed or lead[0] is not None, closed or lead[1] is not None]
            keep[back[~np.isin(back, np.array([0, len(line) - 1])[fixed])]] = False
            line = thin(line[keep], moved[keep])
        rows = [line]
        for side, (point, anchor) in enumerate(zip(lead, anchors, strict=True)):
            if point is not None and anchor is not None and not anchor.parallel:
                # A branch is carried on square from its node to the middle.
                rows.insert(0 if side == 0 else len(rows), point[None, :])
        return np.vstack(rows)

    def _holds(self, line: Floats, index: Ints) -> bool:
        """Whether the line stays within the limit of what it stands for."""
        run = np.hypot(*np.diff(line[:, :2], axis=0).T)
        if not run.any():
            return False
        drawn = LineString(line[:, :2])
        shapely.prepare(drawn)
        return bool(
            np.all(shapely.dwithin(drawn, shapely.points(self.stations.xy[index]), self.separation))
        )

    def _dual_length(self, index: Ints, push: Floats, dual: Bools) -> float:
        run = np.hypot(*np.diff(self.stations.xy[index] + push, axis=0).T)
        return float(np.sum(run[dual[1:] & dual[:-1]]))

    def _tie(self, anchor: Anchor) -> Floats:
        """Give the part a vertex at the foot, so that the parts touch in a vertex."""
        foot, _, home, where = anchor
        part: Floats = self.parts[home]
        away = np.hypot(part[:, 0] - foot[0], part[:, 1] - foot[1])
        best = int(np.argmin(away))
        if away[best] < 0.05:
            return cast("Floats", part[best])
        run = np.hypot(*np.diff(part[:, :2], axis=0).T)
        row = int(np.searchsorted(np.cumsum(run), where))
        point = np.array([foot[0], foot[1], -1.0])
        self.parts[home] = np.insert(part, min(row + 1, len(part) - 1), point, axis=0)
        self.lines[home] = LineString(self.parts[home][:, :2])
        return point

    def _add(self, line: Floats) -> None:
        run = np.hypot(*np.diff(line[:, :2], axis=0).T)
        line = line[np.concatenate(([True], run > 0))]
        if len(line) > 1:
            self.parts.append(line)
            self.lines.append(LineString(line[:, :2]))

    def _consume(self, drawn: Ints) -> None:
        """Mark the stations for which the line just drawn stands as well."""
        # Steps that were drawn, among all of the street.
        low = min(span[0] for span in self.spans)
        high = max(span[1] for span in self.spans)
        begin, stop = np.searchsorted(self.hits.station, [low, high + 1])
        station = self.hits.station[begin:stop]
        step = self.hits.step[begin:stop]
        near = np.abs(self.hits.offset[begin:stop]) <= self.separation * HOLD
        mark = np.zeros(high - low + 2, dtype=bool)
        mark[drawn - low] = True
        line = self.lines[-1]
        shapely.prepare(line)
        # What sees them and lies near the line, and what sees that, a few times over.
        limit = self.separation
        for _ in range(4):
            touch = near & (mark[step - low] | mark[step + 1 - low])
            fresh = np.unique(station[touch & ~self.consumed[station]])
            if not len(fresh):
                return
            close = shapely.dwithin(line, shapely.points(self.stations.xy[fresh]), limit)
            fresh = fresh[close]
            if not len(fresh):
                return
            self.consumed[fresh] = True
            self.placed.update(self.node[fresh].tolist())
            mark[fresh - low] = True
