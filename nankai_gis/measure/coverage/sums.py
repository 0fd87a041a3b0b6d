"""Streets cut by areas and summed up: small, and the tallies of two halves make that of the whole.

A tally holds what the tables need of the streets and nothing else: a row for each combination of
state, street and class that occurs, not one for each piece. The exception are the ends of the
pieces near a boundary, from which crossings are told; there are as many of those as boundaries
are long, however large the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nankai_gis.errors import DataError, GeometryError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.cut import Cut
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure.coverage.reconciliation import TOLERANCE, Ledger, Note
from nankai_gis.measure.coverage.roadclass import CLASS_COLUMNS
from nankai_gis.measure.coverage.validation import (
    AGAIN,
    REASONS,
    coded,
    columns_of,
    either,
    labels,
    not_streets,
    usable_lines,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["Ends", "Pieces", "State", "Tally", "merge", "tally"]

#: Areas by number, ascending, each with `overlay.INSIDE` or `overlay.BOUNDARY`.
State = tuple[tuple[int, int], ...]
#: Is told how many lines are done, and of how many.
Heard = Callable[[int, int], None]


@dataclass(frozen=True)
class Ends:
    """Where the pieces near a boundary begin and end (see `overlay.Cut.ends`), line by line."""

    first: Floats
    last: Floats
    ahead: Floats
    behind: Floats
    state: Ints
    street: Ints


@dataclass(frozen=True)
class Tally:
    """What the tables need of a set of streets."""

    #: Rows of the layer, and lines that came of them.
    rows: int
    lines: int
    #: Length of the lines before they were cut.
    total_m: float
    #: The states that occur, sorted; and the length in each, from the pieces themselves.
    states: tuple[State, ...]
    state_m: Floats
    #: Names by their folded form, spelt as where they first appear, and in that order; streets
    #: without a name have the number after the last. The same for classes, which don't fold.
    streets: dict[str, str]
    classes: dict[str, str]
    #: How far each street runs east or west, and north or south; degrees.
    run: Floats
    # Pieces summed by state, street and class.
    group_state: Ints
    group_street: Ints
    group_class: Ints
    group_m: Floats
    ends: Ends
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Pieces:
    """The pieces that a tally was made from, as long as they are in memory."""

    cut: Cut
    #: The tally's number of each state of the cut.
    state: Ints
    # Of each line: its row in the layer, its street and its class.
    row: Ints
    street: Ints
    klass: Ints


def tally(
    streets: GeoDataFrame,
    areas: Shapes,
    *,
    street_name: str,
    street_class: str | None,
    boundary_m: float,
    again: Bools | None,
    heard: Heard | None = None,
) -> tuple[Tally, Pieces]:
    """Cut a layer of streets and sum up; rows that come `again` are left out and counted."""
    if street_name not in streets.columns:
        raise DataError(
            f"streets have no column {street_name!r}; they have {columns_of(streets)}: name the "
            f"column with street_name"
        )
    class_column = street_class or next((c for c in CLASS_COLUMNS if c in streets.columns), None)
    if class_column is not None and class_column not in streets.columns:
        raise DataError(f"streets have no column {class_column!r}; they have {columns_of(streets)}")
    ledger = Ledger()
    skip = either(not_streets(streets, ledger), again)
    if again is not None:
        ledger.note("streets", "dropped", AGAIN, labels(streets, np.flatnonzero(again)))
    lines = usable_lines(streets, "streets", ledger, skip, some=False)
    street, names = coded(streets[street_name], by_fold=True)
    klass, classes = np.zeros(len(streets), dtype=np.int64), dict[str, str]()
    if class_column is not None:
        klass, classes = coded(streets[class_column], by_fold=False)
    street, klass = street[lines.row], klass[lines.row]
    cut = cut_lines(lines.shapes, areas, boundary_m=boundary_m, progress=heard)
    _hold(cut)
    states, number = _met(cut)
    of_cut = np.bincount(cut.state, weights=cut.length_m, minlength=len(number))
    state_m = np.zeros(len(states))
    state_m[number[number >= 0]] = of_cut[number >= 0]
    found = _groups(cut, number, street, klass, len(names) + 1, len(classes) + 1)
    near = np.flatnonzero(cut.near)
    run = [
        np.bincount(street, weights=cut.line_run[:, axis], minlength=len(names) + 1)
        for axis in (0, 1)
    ]
    made = Tally(
        rows=len(streets),
        lines=len(lines.shapes),
        total_m=float(cut.line_length_m.sum()),
        states=states,
        state_m=state_m,
        streets=names,
        classes=classes,
        run=np.column_stack(run).astype(np.float64),
        group_state=found[0],
        group_street=found[1],
        group_class=found[2],
        group_m=found[3],
        ends=Ends(*cut.ends(near), number[cut.state[near]], street[cut.line[near]]),
        notes=_sorted(ledger.notes),
    )
    return made, Pieces(cut, number, lines.row, street, klass)


def _hold(cut: Cut) -> None:
    """Hold the pieces of each line to the line."""
    by_line = np.bincount(cut.line, weights=cut.length_m, minlength=len(cut.lines))
    worst = float(np.max(np.abs(by_line / cut.line_length_m - 1), initial=0.0))
    if not worst <= TOLERANCE:
        raise GeometryError(f"the pieces of a line differ from the line by {worst:.1e} of it")


def _groups(
    cut: Cut, number: Ints, street: Ints, klass: Ints, streets: int, classes: int
) -> tuple[Ints, Ints, Ints, Floats]:
    """Pieces summed by state, street and class."""
    key = cut.state * streets
    key += street[cut.line]
    key *= classes
    key += klass[cut.line]
    codes, values = pd.factorize(key)
    sums = np.bincount(codes, weights=cut.length_m, minlength=len(values)).astype(np.float64)
    rest, group_class = np.divmod(values, classes)
    group_state, group_street = np.divmod(rest, streets)
    return _ordered(number[group_state], group_street, group_class, sums, streets, classes)


def _met(cut: Cut) -> tuple[tuple[State, ...], Ints]:
    """The states that pieces are in, sorted; and the number of each of the cut's, -1 for none."""
    some = np.flatnonzero(np.bincount(cut.state, minlength=len(cut.state_first) - 1))
    first, area, on = cut.state_first.tolist(), cut.state_area.tolist(), cut.state_on.tolist()
    met = [
        tuple(sorted(zip(area[low:high], on[low:high], strict=True)))
        for low, high in ((first[one], first[one + 1]) for one in some.tolist())
    ]
    states = tuple(sorted(met))
    at = {state: number for number, state in enumerate(states)}
    number = np.full(len(first) - 1, -1, dtype=np.int64)
    number[some] = [at[state] for state in met]
    return states, number


def _ordered(
    state: Ints, street: Ints, klass: Ints, metres: Floats, streets: int, classes: int
) -> tuple[Ints, Ints, Ints, Floats]:
    """Groups by state, street and class, each once."""
    key, codes = np.unique((state * streets + street) * classes + klass, return_inverse=True)
    sums = np.bincount(codes.ravel(), weights=metres, minlength=len(key)).astype(np.float64)
    rest, klass = np.divmod(key, classes)
    state, street = np.divmod(rest, streets)
    return state, street, klass, sums


def _sorted(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Notes in the order in which one frame of all rows would have had them."""
    return tuple(sorted(notes, key=lambda note: REASONS.index(note.reason)))


def merge(tallies: Sequence[Tally]) -> Tally:
    """Return the tally of all streets from those of parts that follow each other.

    ``merge([merge(first), merge(rest)])`` is ``merge([*first, *rest])``: names keep the order
    and the spelling in which they first appear.
    """
    if len(tallies) == 1:
        return tallies[0]
    states = tuple(sorted({state for one in tallies for state in one.states}))
    streets: dict[str, str] = {}
    classes: dict[str, str] = {}
    for one in tallies:
        for known, more in ((streets, one.streets), (classes, one.classes)):
            for key, label in more.items():
                known.setdefault(key, label)
    state_at = {state: number for number, state in enumerate(states)}
    street_at = {key: number for number, key in enumerate(streets)}
    class_at = {key: number for number, key in enumerate(classes)}
    state_m = np.zeros(len(states))
    run = np.zeros((len(streets) + 1, 2))
    ledger, rows = Ledger(), 0
    groups: list[tuple[Ints, Ints, Ints, Floats]] = []
    ends: list[Ends] = []
    for one in tallies:
        state = np.array([state_at[key] for key in one.states], dtype=np.int64)
        street = np.array([*(street_at[key] for key in one.streets), len(streets)])
        klass = np.array([*(class_at[key] for key in one.classes), len(classes)])
        state_m[state] += one.state_m
        run[street] += one.run
        groups.append(
            (state[one.group_state], street[one.group_street], klass[one.group_class], one.group_m)
        )
        old = one.ends
        ends.append(
            Ends(
                old.first, old.last, old.ahead, old.behind, state[old.state], street[old.street]
            )
        )  # fmt: skip
        for note in one.notes:
            ledger.add(note.shifted(rows))
        rows += one.rows
    state, street, klass = (np.concatenate([one[k] for one in groups]) for k in (0, 1, 2))
    metres = np.concatenate([one[3] for one in groups])
    found = _ordered(state, street, klass, metres, len(streets) + 1, len(classes) + 1)
    joined = (
        np.concatenate([getattr(one, field.name) for one in ends]) for field in fields(Ends)
    )  # fmt: skip
    return Tally(
        rows=rows,
        lines=sum(one.lines for one in tallies),
        total_m=sum(one.total_m for one in tallies),
        states=states,
        state_m=state_m,
        streets=streets,
        classes=classes,
        run=run,
        group_state=found[0],
        group_street=found[1],
        group_class=found[2],
        group_m=found[3],
        ends=Ends(*joined),
        notes=_sorted(ledger.notes),
    )
