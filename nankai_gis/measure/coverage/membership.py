"""What it means to lie in a state: in which zones, in or between which subdistricts.

A cut gives every piece of a line a *state*: the areas it is inside of or runs along the boundary
of. Areas are numbered zones first, then subdistricts, then the district.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nankai_gis.geometry.arrays import Bools, Ints
from nankai_gis.geometry.cut import BOUNDARY, INSIDE
from nankai_gis.measure.coverage.areas import BORDER, Areas

__all__ = ["NO_SUBDISTRICT", "States", "read"]


#: Row of what lies in no subdistrict.
NO_SUBDISTRICT = "(無街道)"
# A place among subdistricts: in none, within one, along the border of one or several; the
# members follow. Sorted like this, labels have the same order whatever is met first.
_NONE, _INSIDE, _BORDER = 0, 1, 2


@dataclass(frozen=True)
class States:
    """Rows of state and zone, and one subdistrict row for each state."""

    state: Ints  # CSR flattened: one row per state and zone
    zone: Ints
    on: Ints
    sub: Ints  # per state: row in `labels`
    labels: list[tuple[str, str, str]]  # id, name, on
    district: Bools  # per state: in the district or along its boundary


def read(
    first: Ints, area: Ints, on: Ints, zones: int, subs: Areas | None, district: bool
) -> States:
    """Read the table of states of a cut (see `overlay.Cut`)."""
    count = len(first) - 1
    state = np.repeat(np.arange(count), np.diff(first))
    is_zone = area < zones
    size = len(subs) if subs is not None else 0
    places: dict[tuple[int, ...], int] = {(_NONE,): 0}
    found = np.zeros(count, dtype=np.int64)
    mine = np.flatnonzero((area >= zones) & (area < zones + size))
    if len(mine):
        at = np.searchsorted(state[mine], np.arange(count + 1))
        # Most states lie in one subdistrict; only the others need a look.
        row = mine[np.minimum(at[:-1], len(mine) - 1)]
        alone = (np.diff(at) == 1) & (on[row] == INSIDE)
        members = np.unique(area[row[alone]] - zones)
        places.update({(_INSIDE, member): 1 + k for k, member in enumerate(members.tolist())})
        found[alone] = 1 + np.searchsorted(members, area[row[alone]] - zones)
        for number in np.flatnonzero((np.diff(at) > 0) & ~alone).tolist():
            rows = mine[at[number] : at[number + 1]]
            place = _place(area[rows] - zones, on[rows], size)
            found[number] = places.setdefault(place, len(places))
    ordered = sorted(places)
    rank = np.empty(len(ordered), dtype=np.int64)
    rank[[places[place] for place in ordered]] = np.arange(len(ordered))
    inside = np.ones(count, dtype=bool)
    if district:
        inside[:] = False
        inside[state[area == zones + size]] = True
    labels = [_label(subs, place) for place in ordered]
    return States(state[is_zone], area[is_zone], on[is_zone], rank[found], labels, inside)


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
        BORDER.join(ids[m] for m in members),
        BORDER.join(names[m] for m in members),
        "inside" if kind == _INSIDE else "border",
    )
