"""What was left out and why, and the proof that tables add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nankai_gis.errors import GeometryError

__all__ = ["TOLERANCE", "Checks", "Ledger", "Note"]

#: Parts and whole may differ by this, relative to the whole.
TOLERANCE = 1e-9
_SHOWN = 20


@dataclass(frozen=True)
class Note:
    """Rows of a layer that were dropped, repaired or taken apart, and why.

    A row that has no id of its own stands in ``which`` with its position, an integer: that of
    a row in the second half of a layer is known only once the first half is counted.
    """

    layer: str
    action: str
    reason: str
    count: int
    which: tuple[str | int, ...]

    def shifted(self, rows: int) -> Note:
        """Return the note as it is where so many rows stand before."""
        which = tuple(one + rows if isinstance(one, int) else one for one in self.which)
        return replace(self, which=which)


class Ledger:
    """What was dropped, repaired or taken apart, and why: one row for each reason."""

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        self._notes: dict[tuple[str, str, str], Note] = {}
        for note in notes:
            self.add(note)

    def note(self, layer: str, action: str, reason: str, who: Sequence[str | int]) -> None:
        if len(who):
            self.add(Note(layer, action, reason, len(who), tuple(who[:_SHOWN])))

    def add(self, note: Note) -> None:
        key = (note.layer, note.action, note.reason)
        known = self._notes.get(key)
        if known is not None:
            count, which = known.count + note.count, (known.which + note.which)[:_SHOWN]
            note = replace(known, count=count, which=which)
        self._notes[key] = note

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(self._notes.values())

    def frame(self) -> pd.DataFrame:
        columns = ["layer", "action", "reason", "count", "which"]
        rows = [
            (
                note.layer, note.action, note.reason, note.count,
                "、".join(map(str, note.which)) + ("…" if note.count > len(note.which) else ""),
            )
            for note in self.notes
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns).astype({"count": "int64"})


class Checks:
    """The proof that tables add up."""

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def equal(
        self, check: str, item: str, unit: str, parts: float, whole: float, noise: float = 0.0
    ) -> None:
        """Hold parts to the whole; `noise` is what coordinates can't tell of it."""
        scale = max(abs(whole), abs(parts))
        relative = abs(parts - whole) / scale if scale else 0.0
        limit = max(TOLERANCE, noise / scale if scale else 0.0)
        self._add(check, item, unit, parts, whole, relative, limit)
        if not relative <= limit:
            raise GeometryError(
                f"coverage doesn't add up: {check}, {item}: parts make {parts!r} {unit}, the "
                f"whole is {whole!r}; look for overlapping parts in the layer"
            )

    def found(self, check: str, item: str, unit: str, parts: float, whole: float) -> None:
        relative = parts / whole if whole else np.nan
        self._add(check, item, unit, parts, whole, relative, np.nan)

    def _add(self, *values: object) -> None:
        columns = ("check", "item", "unit", "parts", "whole", "relative", "limit")
        self._rows.append(dict(zip(columns, values, strict=True)))

    def frame(self) -> pd.DataFrame:
        columns = ["check", "item", "unit", "parts", "whole", "relative", "limit"]
        return pd.DataFrame(self._rows, columns=columns)
