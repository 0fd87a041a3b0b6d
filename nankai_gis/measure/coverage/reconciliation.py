"""The proof that tables add up, and what was left out of them and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from nankai_gis.errors import GeometryError
from nankai_gis.words import mark, speaking, tr

__all__ = ["ACTIONS", "TOLERANCE", "Checks", "Ledger", "Note", "notes_table"]

#: Parts and whole may differ by this, relative to the whole.
TOLERANCE = 1e-9
#: What happens to rows that can't be used as they are.
ACTIONS: Mapping[str, str] = {
    "dropped": mark("dropped"),
    "repaired": mark("repaired"),
    "split": mark("split"),
}
# So many rows are named in a note; the others are only counted.
_NAMED = 20
_CHECK_COLUMNS = ["check", "item", "unit", "parts", "whole", "relative", "limit"]


@dataclass(frozen=True)
class Note:
    """Rows of a layer that were dropped, repaired or split, and why."""

    layer: str
    action: str
    reason: str
    count: int
    which: tuple[str | int, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The reason in the language in force."""
        return tr(self.reason, **self.values)

    @property
    def rows(self) -> str:
        """The rows by name, ``…`` for more of them."""
        return "、".join(map(str, self.which)) + ("…" if self.count > len(self.which) > 0 else "")


class Ledger:
    """Notes by layer, action and reason: what comes again adds to the first."""

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        self._notes: dict[tuple[str, str, str], Note] = {}
        for note in notes:
            self.add(note)

    def note(
        self, layer: str, action: str, reason: str, who: Sequence[str | int], **values: object
    ) -> None:
        """Note what happened to rows; nothing for no row."""
        if len(who):
            self.add(Note(layer, action, reason, len(who), tuple(who[:_NAMED]), values))

    def add(self, note: Note) -> None:
        key = (note.layer, note.action, note.reason)
        known = self._notes.get(key)
        if known is not None:
            count, which = known.count + note.count, (known.which + note.which)[:_NAMED]
            note = replace(known, count=count, which=which)
        self._notes[key] = note

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(self._notes.values())


def notes_table(notes: Iterable[Note]) -> pd.DataFrame:
    """Return notes as a table, in English."""
    columns = ["layer", "action", "reason", "count", "which"]
    with speaking("en"):
        rows = [(note.layer, note.action, note.text, note.count, note.rows) for note in notes]
    return pd.DataFrame(rows, columns=columns).astype({"count": "int64"})


class Checks:
    """The rows of a reconciliation."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def equal(
        self,
        check: str,
        item: str,
        unit: str,
        parts: float,
        whole: float,
        *,
        noise: float = 0.0,
        layer: str = "",
    ) -> None:
        """Compare the sum of parts with the whole; a difference beyond the limit is an error.

        `noise` is the part of the whole that is finer than coordinates are kept.
        """
        scale = max(abs(whole), abs(parts))
        relative = abs(parts - whole) / scale if scale else 0.0
        limit = max(TOLERANCE, noise / scale if scale else 0.0)
        named = f"{layer}: {check}" if layer else check
        self._rows.append((named, item, unit, parts, whole, relative, limit))
        if not relative <= limit:
            raise GeometryError(
                tr(
                    "coverage doesn't add up: {check}, {item}: the parts make {parts} {unit}, the "
                    "whole is {whole} {unit}; look for overlapping parts in the layer",
                    check=tr(check),
                    item=": ".join(filter(None, (layer, item))),
                    parts=repr(parts),
                    whole=repr(whole),
                    unit=unit,
                )
            )

    def measured(self, check: str, item: str, unit: str, parts: float, whole: float) -> None:
        """Add what was measured of a whole, to which no limit applies."""
        relative = parts / whole if whole else np.nan
        self._rows.append((check, item, unit, parts, whole, relative, np.nan))

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self._rows, columns=_CHECK_COLUMNS)
