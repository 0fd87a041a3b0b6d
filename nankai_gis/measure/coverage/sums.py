"""Streets cut by areas and summed up, and what it means to lie in a state.

A cut gives every piece of a line a *state*: the areas that it is inside of or runs along the
boundary of (see `geometry.cut.Cut`). Areas are numbered zones first, then subdistricts, then the
district.

The sums hold what the tables need of the streets: a row for each combination of state, street
and class, not one for each piece. Only the ends of pieces near a boundary are kept one by one,
for the crossings; there are as many of them as boundaries are long, however large the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nankai_gis.errors import GeometryError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.cut import BOUNDARY, INSIDE, Cut
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure.coverage.areas import Areas
from nankai_gis.measure.coverage.labels import BORDER, CLASS_COLUMNS, NO_SUBDISTRICT
from nankai_gis.measure.coverage.reconciliation import TOLERANCE, Ledger, Note
from nankai_gis.measure.coverage.validation import (
    REASONS,
    REPEATED,
    check_column,
    coded,
    either,
    labels,
    not_streets,
    usable_lines,
)
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "AreaMembership", "Ends", "Pieces", "Progress", "StreetSums", "area_membership", "joined",
    "street_sums",
]  # fmt: skip

#: Is called with the steps that are done, and with all there are.
Progress = Callable[[int, int], None]
# A place among subdistricts: in none, within one, along the border of one or several; the
# members follow. Sorted like this, places have the same order whatever is met first.
_NONE, _INSIDE, _BORDER = 0, 1, 2


# ------------------------------------------------------------------ sums


@dataclass(frozen=True)
class Ends:
    """Where the pieces near a boundary begin and end (see `Cut.ends`), line by line."""

    first: Floats
    last: Floats
    ahead: Floats
    behind: Floats
    state: Ints
    street: Ints


@dataclass(frozen=True)
class StreetSums:
    """What the tables need of a set of streets."""

    rows: int
    lines: int
    total_m: float
    state_first: Ints
    state_area: Ints
    state_on: Ints
    streets: dict[str, str]
    classes: dict[str, str]
    run: Floats
    groups: pd.DataFrame
    ends: Ends
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Pieces:
    """The pieces that sums were made from, as long as they are in memory."""

    cut: Cut
    # Of each line: its row in the layer, its street and its class.
    row: Ints
    street: Ints
    road_class: Ints


def street_sums(
    streets: GeoDataFrame,
    areas: Shapes,
    *,
    street_name: str,
    street_class: str | None,
    boundary_m: float,
    again: Bools | None,
    progress: Progress | None = None,
) -> tuple[StreetSums, Pieces]:
    """Cut a layer of streets and sum up; rows that come `again` are left out and counted."""
    check_column(streets, street_name, "streets", "street_name")
    class_column = street_class or next((c for c in CLASS_COLUMNS if c in streets.columns), None)
    if class_column is not None:
        check_column(streets, class_column, "streets", "street_class")
    # Take the lines that can be used.
    ledger = Ledger()
    skip = either(not_streets(streets, ledger), again)
    if again is not None:
        who = labels(streets, np.flatnonzero(again))
        ledger.note("streets", "dropped", REPEATED["line"], who)
    lines = usable_lines(streets, "streets", ledger, skip, some=False)
    # Number streets and classes.
    street, names = coded(streets[street_name], normalised=True)
    road_class, classes = np.zeros(len(streets), dtype=np.int64), dict[str, str]()
    if class_column is not None:
        road_class, classes = coded(streets[class_column], normalised=False)
    street, road_class = street[lines.row], road_class[lines.row]
    # Cut, and sum up.
    cut = cut_lines(lines.shapes, areas, boundary_m=boundary_m, progress=progress)
    groups = _groups(cut, street, road_class, len(names) + 1, len(classes) + 1)
    _check_sums(cut, groups)
    near = np.flatnonzero(cut.near)
    run = [
        np.bincount(street, weights=cut.line_run[:, axis], minlength=len(names) + 1)
        for axis in (0, 1)
    ]
    sums = StreetSums(
        rows=len(streets),
        lines=len(lines.shapes),
        total_m=float(cut.line_length_m.sum()),
        state_first=cut.state_first,
        state_area=cut.state_area,
        state_on=cut.state_on,
        streets=names,
        classes=classes,
        run=np.column_stack(run).astype(np.float64),
        groups=groups,
        ends=Ends(*cut.ends(near), cut.state[near], street[cut.line[near]]),
        notes=_in_order(ledger),
    )
    return sums, Pieces(cut, lines.row, street, road_class)


def _groups(cut: Cut, street: Ints, road_class: Ints, streets: int, classes: int) -> pd.DataFrame:
    """Pieces summed by state, street and class."""
    key = cut.state * streets
    key += street[cut.line]
    key *= classes
    key += road_class[cut.line]
    codes, values = pd.factorize(key)
    metres = np.bincount(codes, weights=cut.length_m, minlength=len(values))
    rest, group_class = np.divmod(values, classes)
    state, group_street = np.divmod(rest, streets)
    columns = {"state": state, "street": group_street, "class": group_class, "length_m": metres}
    return pd.DataFrame(columns)


def _check_sums(cut: Cut, groups: pd.DataFrame) -> None:
    """Compare the pieces of each line with the line, and the groups of each state with them."""
    by_line = np.bincount(cut.line, weights=cut.length_m, minlength=len(cut.lines))
    worst = float(np.max(np.abs(by_line / cut.line_length_m - 1), initial=0.0))
    by_state = np.bincount(cut.state, weights=cut.length_m)
    grouped = np.bincount(groups["state"], weights=groups["length_m"], minlength=len(by_state))
    apart = np.abs(grouped - by_state) / np.maximum(by_state, 1.0)
    worst = max(worst, float(np.max(apart, initial=0.0)))
    if not worst <= TOLERANCE:
        difference = f"{worst:.1e}"
        raise GeometryError(
            tr(
                "streets: the pieces of a line differ from the line by {difference} of its length",
                difference=difference,
            )
        )


def _in_order(ledger: Ledger) -> tuple[Note, ...]:
    """Notes on streets in the order in which a single frame has them."""
    return tuple(sorted(ledger.notes, key=lambda note: REASONS.index(note.reason)))


# ------------------------------------------------------------------ sums of several parts


def joined(parts: list[StreetSums]) -> StreetSums:
    """Return the sums of all parts; names keep the order and spelling of their first appearance."""
    states, state = _numbered([dict.fromkeys(_states(part)) for part in parts])
    streets, street = _numbered([part.streets for part in parts])
    classes, road_class = _numbered([part.classes for part in parts])
    # Sum up by state, street and class.
    renamed = [
        part.groups.assign(
            state=state[n][part.groups["state"]], street=street[n][part.groups["street"]],
            **{"class": road_class[n][part.groups["class"]]},
        ) for n, part in enumerate(parts)
    ]  # fmt: skip
    keys = ["state", "street", "class"]
    groups = pd.concat(renamed).groupby(keys)[["length_m"]].sum().reset_index()
    run, ledger, rows = np.zeros((len(streets) + 1, 2)), Ledger(), 0
    ends = []
    for n, part in enumerate(parts):
        run[street[n]] += part.run
        e = part.ends
        ends.append((e.first, e.last, e.ahead, e.behind, state[n][e.state], street[n][e.street]))
        # A row without an id is known by its place in the whole network.
        for note in part.notes:
            which = tuple(w + rows if isinstance(w, int) else w for w in note.which)
            ledger.add(replace(note, which=which))
        rows += part.rows
    flat = np.array([row for key in states for row in key], dtype=np.int64).reshape(-1, 2)
    return StreetSums(
        rows=rows,
        lines=sum(part.lines for part in parts),
        total_m=sum(part.total_m for part in parts),
        state_first=np.append(0, np.cumsum([len(key) for key in states])).astype(np.int64),
        state_area=flat[:, 0],
        state_on=flat[:, 1],
        streets=streets,
        classes=classes,
        run=run,
        groups=groups,
        ends=Ends(*map(np.concatenate, zip(*ends, strict=True))),
        notes=_in_order(ledger),
    )


def _states(part: StreetSums) -> list[tuple[tuple[int, int], ...]]:
    """The areas of each state of a partition."""
    rows = list(zip(part.state_area.tolist(), part.state_on.tolist(), strict=True))
    first = part.state_first.tolist()
    return [tuple(rows[low:high]) for low, high in pairwise(first)]


def _numbered(each: list[dict[Any, Any]]) -> tuple[dict[Any, Any], list[Ints]]:
    """All keys in the order of their first appearance, and the number of each part's own.

    What has no key stands after the last in every part, and after all in the whole.
    """
    known: dict[Any, Any] = {}
    for texts in each:
        known |= {key: text for key, text in texts.items() if key not in known}
    number = {key: n for n, key in enumerate(known)}
    return known, [np.array([*map(number.get, texts), len(known)]) for texts in each]


# ------------------------------------------------------------------ states


@dataclass(frozen=True)
class AreaMembership:
    """Which zones and which subdistrict each state lies in."""

    state: Ints
    zone: Ints
    on: Ints
    place: Ints
    labels: list[tuple[str, str, str]]
    in_district: Bools

    def rows_of(self, state: Ints) -> tuple[Ints, Ints]:
        """Return for some states where their rows begin and end."""
        low = np.searchsorted(self.state, state)
        return low, np.searchsorted(self.state, state, side="right")


def area_membership(
    first: Ints, area: Ints, on: Ints, zones: int, subs: Areas | None, district: bool
) -> AreaMembership:
    """Read the states of a cut, given as `Cut` has them."""
    count = len(first) - 1
    state = np.repeat(np.arange(count), np.diff(first))
    size = len(subs) if subs is not None else 0
    places: dict[tuple[int, ...], int] = {(_NONE,): 0}
    place = np.zeros(count, dtype=np.int64)
    mine = np.flatnonzero((area >= zones) & (area < zones + size))
    if len(mine):
        begin = np.searchsorted(state[mine], np.arange(count + 1))
        # Most states lie in one subdistrict; only the others need a look.
        row = mine[np.minimum(begin[:-1], len(mine) - 1)]
        alone = (np.diff(begin) == 1) & (on[row] == INSIDE)
        members = np.unique(area[row[alone]] - zones)
        places.update({(_INSIDE, member): 1 + k for k, member in enumerate(members.tolist())})
        place[alone] = 1 + np.searchsorted(members, area[row[alone]] - zones)
        for number in np.flatnonzero((np.diff(begin) > 0) & ~alone).tolist():
            rows = mine[begin[number] : begin[number + 1]]
            key = _place(area[rows] - zones, on[rows], size)
            place[number] = places.setdefault(key, len(places))
    # Number the places anew, in their own order.
    ordered = sorted(places)
    rank = np.empty(len(ordered), dtype=np.int64)
    rank[[places[key] for key in ordered]] = np.arange(len(ordered))
    in_district = np.full(count, not district)
    if district:
        in_district[state[area == zones + size]] = True
    is_zone = area < zones
    return AreaMembership(
        state[is_zone],
        area[is_zone],
        on[is_zone],
        rank[place],
        [_label(subs, key) for key in ordered],
        in_district,
    )


def _place(members: Ints, on: Ints, size: int) -> tuple[int, ...]:
    among = sorted(members.tolist())
    if not (on == BOUNDARY).any():
        # Where subdistricts overlap, the first has the place; the overlap is reported.
        return (_INSIDE, among[0])
    # What lies beyond the last subdistrict is no subdistrict.
    return (_BORDER, *among) if len(among) > 1 else (_BORDER, among[0], size)


def _label(subs: Areas | None, place: tuple[int, ...]) -> tuple[str, str, str]:
    kind, *members = place
    if kind == _NONE or subs is None:
        return NO_SUBDISTRICT, NO_SUBDISTRICT, "none"
    ids, names = [*subs.ids, NO_SUBDISTRICT], [*subs.names, NO_SUBDISTRICT]
    return (
        BORDER.join(ids[member] for member in members),
        BORDER.join(names[member] for member in members),
        "inside" if kind == _INSIDE else "border",
    )
