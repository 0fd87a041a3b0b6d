"""What an export wrote, what it left out, and what it had to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nankai_gis.words import ntr, tr

#: How the reason ends where a text has been put into an encoding that lacks some of it.
LACKS = "lacks a character"
#: What stands for a character that an encoding lacks; 〓, as wide as any, for all others.
_SPELT: Mapping[str, str] = {"©": "(c)"}


def spelt(character: str) -> str:
    """Return what is written for a character that an encoding lacks."""
    return _SPELT.get(character, "〓")


class Omission(NamedTuple):
    """A row that the output doesn't hold."""

    layer: str
    id: str
    name: str
    reason: str


class Change(NamedTuple):
    """A value that the output holds otherwise than the layer does."""

    layer: str
    id: str
    column: str
    before: Any
    after: Any
    reason: str


@dataclass(slots=True)
class Log:
    """Gathers, while an output is made, what its report will say."""

    rows: dict[str, int] = field(default_factory=dict)
    left_out: list[Omission] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote, what it left out, and what it had to change.

    Attributes
    ----------
    path : pathlib.Path or None
        The file; None for an output that went elsewhere.
    format : str
        Key of `nankai_gis.exports.FORMATS`.
    crs, datum : str
        What the coordinates are in; both empty for a table, which has none.
    rows : mapping of str to int
        Rows written, by layer of the output.
    left_out : tuple of Omission
        Rows that the format can't hold, as those that are not located.
    changes : tuple of Change
        Values that were cut or changed, with before, after and the reason.
    notes : tuple of str
        What else a reader should know, as the shift of GCJ-02.

    Examples
    --------
    >>> ExportReport(None, "csv", "", "", {"zones": 3}).lines()
    ['zones: 3 rows']
    """

    path: Path | None
    format: str
    crs: str
    datum: str
    rows: Mapping[str, int]
    left_out: tuple[Omission, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report as lines of text.

        Returns
        -------
        list of str
            Layers, notes, rows left out, values changed, one line each; and one for each
            character that the encoding lacks, however many values have it.
        """
        lines = [
            ntr("{layer}: {n} row", "{layer}: {n} rows", n, layer=layer)
            for layer, n in self.rows.items()
        ]
        lines += [tr("note: {note}", note=note) for note in self.notes]
        lines += [
            tr("left out: {layer} {id} {name}: {reason}", **omission._asdict())
            for omission in self.left_out
        ]
        lines += [
            tr(
                "changed: {layer} {id} {column}: {reason}: {before} became {after}",
                **{
                    **change._asdict(),
                    "before": _short(change.before),
                    "after": _short(change.after),
                },
            )
            for change in self.changes
            if not change.reason.endswith(LACKS)
        ]
        return lines + lacking(self.changes)


def lacking(changes: Iterable[Change]) -> list[str]:
    """Return a line for each character that an encoding lacks: what for, and in how many cells."""
    cells = Counter(
        (c.reason.removesuffix(LACKS).strip(), character)
        for c in changes
        if c.reason.endswith(LACKS)
        for character in sorted(set(c.before) - set(c.after))
    )
    return [
        f"changed: {encoding} lacks {character!r} (U+{ord(character):04X}): "
        f"{spelt(character)} instead, in {n} cell{'' if n == 1 else 's'}"
        for (encoding, character), n in cells.items()
    ]


def _short(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 24 else f"{text[:12]}…{text[-12:]}")
