"""What an export wrote, what it left out, and what it had to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nankai_gis.words import mark, ntr, quoted, tr

#: The reason of a change where a text has characters that the encoding asked for lacks.
LACKS = mark("GBK lacks a character")


def spelt(character: str) -> str:
    """Return what is written for a character that an encoding lacks: 〓 is as wide as any."""
    return "(c)" if character == "©" else "〓"


class Omission(NamedTuple):
    """A row that the output doesn't hold. The reason is in English, a key of the catalogue."""

    layer: str
    id: str
    name: str
    reason: str


class Change(NamedTuple):
    """A value that the output holds otherwise than the layer does. The reason is in English."""

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

    def write(
        self, layer: str, record: Mapping[str, Any], column: str, before: Any, after: Any, why: str
    ) -> Any:
        """Return what is written in place of a value, and keep in mind that it was changed."""
        if after != before:
            self.changes.append(
                Change(layer, str(record.get("id") or ""), column, before, after, why)
            )
        return after


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
        return lines + losses(self.left_out, self.changes)


def losses(left_out: Iterable[Omission], changes: Iterable[Change]) -> list[str]:
    """Return a line for each row left out, value changed and character that GBK lacks."""
    lines = [
        tr(
            "left out: {layer} {id} {name}: {reason}",
            **{**omission._asdict(), "reason": tr(omission.reason)},
        )
        for omission in left_out
    ]
    lacking: Counter[str] = Counter()
    for change in changes:
        if change.reason == LACKS:
            lacking.update(sorted(set(change.before) - set(change.after)))
            continue
        values = {"before": _short(change.before), "after": _short(change.after)}
        lines.append(
            tr(
                "changed: {layer} {id} {column}: {reason}: {before} became {after}",
                **{**change._asdict(), **values, "reason": tr(change.reason)},
            )
        )
    return lines + [
        ntr(
            "changed: GBK lacks {character} (U+{code}): {instead} instead, in {n} cell",
            "changed: GBK lacks {character} (U+{code}): {instead} instead, in {n} cells",
            n,
            character=quoted(character),
            code=f"{ord(character):04X}",
            instead=spelt(character),
        )
        for character, n in lacking.items()
    ]


def _short(value: Any) -> str:
    """Return a value between quotation marks, without the middle of a long one."""
    text = str(value)
    return quoted(text if len(text) <= 24 else f"{text[:12]}…{text[-12:]}")
