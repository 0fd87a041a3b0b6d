"""Lines as they are cut: pieces, and the areas that each is in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes, spread, sums

__all__ = ["BOUNDARY", "INSIDE", "Cut"]

#: A piece lies inside the area.
INSIDE = 0
#: A piece runs along the area's boundary.
BOUNDARY = 1


@dataclass(frozen=True)
class Cut:
    """Lines cut into pieces by areas.

    A position on a line is the number of an edge plus the share of that edge, so 0.0 is the
    first vertex and 1.5 the middle of the second edge. The pieces of one line follow each other
    and make up the line.

    Attributes
    ----------
    lines : numpy.ndarray of LineString
        What was cut.
    line : numpy.ndarray of int64
        Which line each piece is of, ascending.
    start, stop : numpy.ndarray of float64
        Positions at which the piece begins and ends.
    length_m : numpy.ndarray of float64
        On the CGCS2000 ellipsoid.
    state : numpy.ndarray of int64
        Row in the table of states.
    near : numpy.ndarray of bool
        Whether the piece's line comes near a boundary at all.
    line_length_m : numpy.ndarray of float64
        Of each line, summed over its uncut edges.
    line_run : numpy.ndarray of float64, shape (n, 2)
        How far each line goes east or west, and north or south, edge by edge; degrees.
    state_first : numpy.ndarray of int64
        State s has the rows ``state_first[s]`` up to ``state_first[s + 1]`` of the next two.
    state_area, state_on : numpy.ndarray of int64
        An area, by its number, and `INSIDE` or `BOUNDARY`. An area that isn't listed has the
        piece outside.
    boundary_m : float
        The tolerance within which a line runs along a boundary.

    Examples
    --------
    A line of two edges, of which the second leaves the area halfway:

    >>> from nankai_gis.geometry.cut_lines import cut_lines
    >>> line = shapely.LineString([(117.2, 39.2), (117.2, 39.3), (117.8, 39.3)])
    >>> cut = cut_lines([line], [shapely.box(117, 39, 117.5, 40)])
    >>> cut.start.round(6).tolist(), cut.stop.round(6).tolist()
    ([0.0, 1.5], [1.5, 2.0])
    >>> shapely.length(cut.geometries()).round(6).tolist()
    [0.4, 0.3]
    >>> [column.tolist() for column in cut.rows()]
    [[0], [0], [0]]
    """

    lines: Shapes
    line: Ints
    start: Floats
    stop: Floats
    length_m: Floats
    state: Ints
    near: Bools
    line_length_m: Floats
    line_run: Floats
    state_first: Ints
    state_area: Ints
    state_on: Ints
    boundary_m: float

    @cached_property
    def whole(self) -> Bools:
        """Whether a piece is a whole line.

        Returns
        -------
        numpy.ndarray of bool
            One for each piece.
        """
        alone = np.bincount(self.line, minlength=len(self.lines)) == 1
        return np.asarray(alone[self.line], dtype=np.bool_)

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """Return the states of all pieces, one row for each piece and area.

        Returns
        -------
        piece, area, on : numpy.ndarray of int64
        """
        count = np.diff(self.state_first)[self.state]
        piece, number = spread(count)
        at = self.state_first[self.state[piece]] + number
        return piece, self.state_area[at], self.state_on[at]

    def lengths_by_area(self, count: int) -> tuple[Floats, Floats]:
        """Return the length inside and along the boundary of each area.

        Parameters
        ----------
        count : int
            How many areas there are.

        Returns
        -------
        inside_m, boundary_m : numpy.ndarray of float64
        """
        piece, area, on = self.rows()
        length = self.length_m[piece]
        both = sums(area * 2 + on, length, 2 * count)
        return both[0::2], both[1::2]

    def ends(self, pieces: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """Return where pieces begin and end, and the line's step there.

        Parameters
        ----------
        pieces : numpy.ndarray of int64
            Ascending.

        Returns
        -------
        first, last : numpy.ndarray of float64, shape (n, 2)
            Longitude, latitude. Pieces that follow each other share them to the last bit.
        ahead, behind : numpy.ndarray of float64, shape (n, 2)
            The edge in which the piece begins and the one in which it ends, along the line,
            degrees.
        """
        coordinates, offset = self._vertices(pieces)
        start, stop = self.start[pieces], self.stop[pieces]
        begin = offset + np.floor(start).astype(np.int64)
        end = offset + np.ceil(stop).astype(np.int64)
        return (
            _along(coordinates, offset, start),
            _along(coordinates, offset, stop),
            coordinates[begin + 1] - coordinates[begin],
            coordinates[end] - coordinates[end - 1],
        )

    def _vertices(self, pieces: Ints) -> tuple[Floats, Ints]:
        """Vertices of the lines of pieces (ascending), and where each piece's line begins."""
        line = self.line[pieces]
        fresh = np.ones(len(line), dtype=bool)
        fresh[1:] = line[1:] != line[:-1]
        used = self.lines[line[fresh]]
        coordinates, index = shapely.get_coordinates(used, return_index=True)
        first = np.append(0, np.cumsum(np.bincount(index, minlength=len(used))))
        return coordinates, first[np.cumsum(fresh) - 1]

    def geometries(self) -> Shapes:
        """Return the pieces as lines; a whole line is the very one that was given.

        Returns
        -------
        numpy.ndarray of LineString
        """
        out = self.lines[self.line]
        cut = np.flatnonzero(~self.whole)
        if not len(cut):
            return out
        coordinates, offset = self._vertices(cut)
        low = np.floor(self.start[cut]).astype(np.int64) + 1
        high = np.ceil(self.stop[cut]).astype(np.int64) - 1
        inner = np.maximum(high - low + 1, 0)
        piece, number = spread(inner + 2)
        last = inner[piece] + 1
        at = np.where(
            number == 0,
            self.start[cut][piece],
            np.where(number == last, self.stop[cut][piece], low[piece] + number - 1),
        )
        points = _along(coordinates, offset[piece], at)
        out[cut] = shapely.linestrings(points, indices=piece)
        return out


def _along(coordinates: Floats, offset: Ints, at: Floats) -> Floats:
    """Points at positions of lines whose vertices start at `offset`."""
    whole = np.floor(at).astype(np.int64)
    share = (at - whole)[:, None]
    before = coordinates[offset + whole]
    after = coordinates[np.minimum(offset + whole + 1, len(coordinates) - 1)]
    points: Floats = np.where(share == 0.0, before, before + (after - before) * share)
    return points
