"""Ways as they stand in a file, and the choice of those that make a network.

Every reader fills `RawWays`; `choose` drops what doesn't count, each way with its reason, and
refuses what is incomplete or swapped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, spread
from nankai_gis.network.tags import Words, of_interest
from nankai_gis.words import listed, mark, ntr, tr

if TYPE_CHECKING:
    from shapely import Geometry

# Why a way is left out: keys of `Origin.dropped`, in English also where they are stored.
NOT_OF_INTEREST = mark("no highway, railway or waterway of interest")
AN_AREA = mark("closed and tagged area=yes")
TOO_SHORT = mark("fewer than two different points")
TWICE = mark("the same way again")
REPEATED = mark("the same line and tags again")
OUTSIDE = mark("outside the area asked for")
INCOMPLETE = mark("nodes missing")
NO_LINE = mark("no line")
DELETED = mark("marked as deleted")
OLDER = mark("an older version of a way")

#: Ways listed by id in a message.
_LISTED = 5


@dataclass
class RawWays:
    """The ways of a file that have a tag of interest, and how many there are in all.

    `lon` and `lat` hold the nodes of all ways one after the other, in degrees; NaN where a node
    is missing. `area` tells which ways are closed and tagged ``area=yes``, `dropped` how many were
    left out at reading, by reason.
    """

    total: int
    ids: Ints
    tags: Mapping[str, Words]
    counts: Ints
    lon: Floats
    lat: Floats
    area: Bools
    date: str | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """The ways that are kept, in the order of their ids, and what was left out."""

    ids: Ints
    lines: Any
    tags: Mapping[str, Words]
    dropped: Mapping[str, int]
    incomplete: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Within:
    """The area asked for: its box (west, south, east, north) and, if it is no box, its shape."""

    box: tuple[float, float, float, float]
    shape: Geometry | None = None

    def touched_by(self, lines: Any) -> Any:
        """Tell which lines touch the area."""
        import shapely

        shape = shapely.box(*self.box) if self.shape is None else self.shape
        shapely.prepare(shape)
        return shapely.intersects(shape, lines)


def choose(name: str, ways: RawWays, within: Within | None, *, allow_incomplete: bool) -> Chosen:
    """Choose the ways to keep and draw their lines."""
    import shapely

    dropped: Counter[str] = Counter(ways.dropped)
    rows = _rows(name, ways, dropped)

    # Gather the nodes of the rows that are left; `owner` is the way that each belongs to.
    owner, lon, lat = _nodes(ways, rows)
    check_degrees(name, lon, lat)

    # Refuse, or leave out, ways that lack nodes.
    missing = np.isnan(lon)
    incomplete: tuple[int, ...] = ()
    if missing.any():
        whole, incomplete = _whole(
            name, ways.ids[rows], owner, lon, lat, within, dropped, allow_incomplete
        )
        rows = rows[whole]
        owner, lon, lat = _nodes(ways, rows)
    if not len(rows):
        raise nothing_left(name, dropped)

    # Draw the lines; leave out those of one point, and those outside.
    extent = (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    lines: Any = shapely.linestrings(np.column_stack([lon, lat]), indices=owner)
    drawn = shapely.length(lines) > 0
    dropped[TOO_SHORT] += int((~drawn).sum())
    rows, lines = rows[drawn], lines[drawn]
    if not len(rows):
        raise nothing_left(name, dropped)
    if within is not None:
        inside = within.touched_by(lines)
        dropped[OUTSIDE] += int((~inside).sum())
        rows, lines = rows[inside], lines[inside]
        if not len(rows):
            raise nothing_within(name, within.box, extent)

    # The same line with the same tags counts once, whatever its id.
    tags = {key: words[rows] for key, words in ways.tags.items()}
    again = repeated(lines, tags)
    if again.any():
        dropped[REPEATED] += int(again.sum())
        rows, lines = rows[~again], lines[~again]
        tags = {key: words[~again] for key, words in tags.items()}
    return Chosen(ways.ids[rows], lines, tags, +dropped, incomplete)


def repeated(lines: Any, tags: Mapping[str, Words]) -> Bools:
    """Tell which lines repeat another one, in either direction, together with all its tags."""
    import pandas as pd
    import shapely

    # Few lines share a box and a number of points: only these are compared.
    boxes = pd.DataFrame(shapely.bounds(lines)).assign(points=shapely.get_num_points(lines))
    alike = np.flatnonzero(boxes.duplicated(keep=False).to_numpy())
    again = np.zeros(len(lines), bool)
    if len(alike):
        shapes = shapely.to_wkb(shapely.normalize(lines[alike]))
        table = pd.DataFrame({key: words[alike] for key, words in tags.items()})
        again[alike] = table.assign(line=shapes).duplicated().to_numpy()
    return again


def _rows(name: str, ways: RawWays, dropped: Counter[str]) -> Ints:
    """Return the rows of interest, by id, each id once, with two nodes or more."""
    if not ways.total:
        raise DataError(tr("{file}: there is no way in it", file=name))
    keep = of_interest(ways.tags)
    dropped[NOT_OF_INTEREST] += ways.total - int(keep.sum())
    if not keep.any():
        raise DataError(
            tr(
                "{file}: none of its {n} ways is a road, a railway or a river",
                file=name,
                n=ways.total,
            )
        )
    dropped[AN_AREA] += int((keep & ways.area).sum())
    rows = np.flatnonzero(keep & ~ways.area)
    _, first = np.unique(ways.ids[rows], return_index=True)
    dropped[TWICE] += len(rows) - len(first)
    rows = rows[first]
    short = ways.counts[rows] < 2
    dropped[TOO_SHORT] += int(short.sum())
    return rows[~short]


def _nodes(ways: RawWays, rows: Ints) -> tuple[Ints, Floats, Floats]:
    starts = np.cumsum(ways.counts) - ways.counts
    owner, step = spread(ways.counts[rows])
    position = starts[rows][owner] + step
    return owner, ways.lon[position], ways.lat[position]


def _whole(
    name: str,
    ids: Ints,
    owner: Ints,
    lon: Floats,
    lat: Floats,
    within: Within | None,
    dropped: Counter[str],
    allow_incomplete: bool,
) -> tuple[Bools, tuple[int, ...]]:
    """Tell which ways have all their nodes; also return the ids of those that lack some.

    Where an area is asked for, a way without a node in its box counts as outside.
    """
    missing = np.isnan(lon)
    holed = np.zeros(len(ids), bool)
    holed[owner[missing]] = True
    concerned = holed.copy()
    if within is not None:
        west, south, east, north = within.box
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        touched = np.zeros(len(ids), bool)
        touched[owner[inside]] = True
        concerned &= touched
        dropped[OUTSIDE] += int((holed & ~concerned).sum())
    incomplete = tuple(ids[concerned].tolist())
    if incomplete and not allow_incomplete:
        raise DataError(
            tr(
                "{file}: {ways} ways lack {nodes} of their nodes (ways {ids}): the extract is cut "
                "at its edge; cut it with whole ways (osmium extract --strategy complete_ways), "
                "ask for a smaller box, or do without these ways: `nankai-gis roads import "
                "--allow-incomplete`, in Python allow_incomplete=True",
                file=name,
                ways=len(incomplete),
                nodes=int((missing & concerned[owner]).sum()),
                ids=few(incomplete),
            )
        )
    dropped[INCOMPLETE] += len(incomplete)
    return ~holed, incomplete


def few(ids: tuple[int, ...] | list[int]) -> str:
    """List the first ids, and how many more there are."""
    shown = listed(ids[:_LISTED])
    if len(ids) <= _LISTED:
        return shown
    n = len(ids) - _LISTED
    return ntr("{ids} and {n} more", "{ids} and {n} more", n, ids=shown)


def nothing_left(name: str, dropped: Mapping[str, int]) -> DataError:
    """Return the error that no way is left, with the reasons."""
    counted = ((tr(reason), count) for reason, count in dropped.items() if count)
    reasons = "; ".join(tr("{reason}: {count}", reason=why, count=count) for why, count in counted)
    return DataError(
        tr("{file}: no way is left: {reasons}", file=name, reasons=reasons or tr("none read"))
    )


class NothingWithinError(DataError):
    """No way of a file touches the area asked for; `extent` is what the file covers."""

    def __init__(self, text: str, extent: tuple[float, float, float, float]) -> None:
        super().__init__(text)
        self.extent = extent


def nothing_within(
    name: str, asked: tuple[float, float, float, float], extent: tuple[float, float, float, float]
) -> DataError:
    """Return the error that no way touches the area asked for."""
    box = degrees(extent)
    if overlap((extent[1], extent[0], extent[3], extent[2]), asked):
        return DataError(
            tr(
                "{file}: no way in the area asked for; the file covers {box}; longitude and "
                "latitude look swapped",
                file=name,
                box=box,
            )
        )
    text = tr("{file}: no way in the area asked for; the file covers {box}", file=name, box=box)
    return NothingWithinError(text, extent)


def degrees(box: tuple[float, float, float, float]) -> str:
    """Return west, south, east and north for a message."""
    return ", ".join(f"{value:.4f}" for value in box)


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Tell whether two boxes (west, south, east, north) share a point."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def check_degrees(name: str, lon: Floats, lat: Floats) -> None:
    """Refuse what is no longitude and latitude; NaN is no place, and passes."""
    wrong = np.flatnonzero((np.abs(lon) > 180) | (np.abs(lat) > 90))
    if not len(wrong):
        return
    place = f"{lon[wrong[0]]:.6f}, {lat[wrong[0]]:.6f}"
    if np.nanmax(np.abs(lat)) <= 180 and np.nanmax(np.abs(lon)) <= 90:
        text = tr(
            "{file}: {place} is no longitude and latitude in degrees; the two look swapped: "
            "longitude comes first, about 117 in Tianjin",
            file=name,
            place=place,
        )
    else:
        text = tr("{file}: {place} is no longitude and latitude in degrees", file=name, place=place)
    raise DataError(text)
