"""Rows as text: a set table for a terminal, CSV and XLSX for a spreadsheet, JSON for a program.

It arranges what it is given and computes nothing but the change of unit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nankai_gis.files import spreadsheet
from nankai_gis.files.spreadsheet import width
from nankai_gis.words.signs import printable

#: Square metres in each unit of area; 1 亩 is one fifteenth of a hectare.
AREA_UNITS: Mapping[str, float] = {"km2": 1e6, "ha": 1e4, "mu": 1e4 / 15, "m2": 1.0}
#: Metres in each unit of length.
LENGTH_UNITS: Mapping[str, float] = {"km": 1e3, "m": 1.0}
#: Decimals at which a metre, or ten square metres, still shows.
DECIMALS: Mapping[str, int] = {"km2": 3, "ha": 1, "mu": 0, "m2": 0, "km": 2, "m": 0}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    align: Literal["left", "right"] = "left"


def _pad(text: str, to: int, align: str) -> str:
    gap = " " * (to - width(text))
    return gap + text if align == "right" else text + gap


def terminal(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """Set rows in aligned columns."""
    # A cell is one line, and a name from a file steers nothing.
    shown = [[printable(re.sub(r"\s", " ", cell)) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(map(width, cells)) for cells in zip(titles, *shown, strict=True)]
    lines = [titles, ["-" * w for w in widths], *shown]
    aligns = [column.align for column in columns]
    return "".join("  ".join(map(_pad, line, widths, aligns)).rstrip() + "\n" for line in lines)


def number(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """Return a number as a table shows it."""
    if value is None:
        return "-"
    return f"{value:{'+' if sign else ''},.{decimals}f}"


def csv_text(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return records as CSV that a spreadsheet opens with its Chinese intact."""
    if not records:
        return b""
    return spreadsheet.csv_bytes([records[0], *(record.values() for record in records)])


def json_text(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def geojson_text(features: Sequence[Mapping[str, Any]]) -> bytes:
    """Return features as a GeoJSON feature collection (RFC 7946)."""
    lines = (json.dumps(f, ensure_ascii=False, allow_nan=False) for f in features)
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode()
