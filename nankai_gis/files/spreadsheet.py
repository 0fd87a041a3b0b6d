"""Tables that a spreadsheet opens, in which a text stays a text: CSV and workbooks.

CSV comes from the standard library, workbooks from XlsxWriter. Written by hand are the guard
against formulas in CSV, for which neither has an option, and the width of columns: XlsxWriter's
`autofit` counts a Chinese character as one letter, so that heads come out too narrow.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nankai_gis.words.signs import cleaned

#: Characters that one cell of a worksheet can hold, and its title.
MAX_CELL, MAX_TITLE = 32_767, 31
#: The number format of cells that hold text.
TEXT = "@"
#: How a spreadsheet recognises a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: The least and the greatest width of a column, in characters.
_NARROW, _WIDE = 8, 44
#: Decimals that the cells of a column show, by the unit at the end of its key.
_DECIMALS = {"km2": 3, "ha": 1, "mu": 0, "m2": 0, "km": 2, "m": 1}


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One worksheet."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    formats: Sequence[str] = ()
    frozen: int = 0
    filtered: bool = True


def width(text: str) -> int:
    """Return how many columns of fixed pitch a text takes, on a terminal or in a worksheet."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def harmless(text: str) -> str:
    """Return a text as CSV can hold it: what would run as a formula is led by an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_bytes(rows: Iterable[Iterable[Any]], encoding: str = "utf-8") -> bytes:
    """Return rows as CSV that a spreadsheet opens with its Chinese intact."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(
        [harmless(value) if isinstance(value, str) else value for value in row] for row in rows
    )
    # Excel takes a file without a byte order mark to be in the code page of the computer.
    return out.getvalue().encode("utf-8-sig" if encoding == "utf-8" else encoding)


def titles(wanted: Iterable[str]) -> list[str]:
    """Return titles as worksheets of one workbook may have them."""
    given: list[str] = []
    taken: set[str] = set()
    for title in wanted:
        plain = re.sub(r"[\[\]:*?/\\]", "_", title)[:MAX_TITLE].strip("'") or "_"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            tail = f" {number}"
            name = plain[: MAX_TITLE - len(tail)] + tail
        taken.add(name.lower())
        given.append(name)
    return given


def number_format(key: str) -> str:
    """Return the number format of a column."""
    decimals = _DECIMALS.get(key.rpartition("_")[2]) if "_" in key else None
    if decimals is None:
        return "General"
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")


def of_records(title: str, records: Sequence[Mapping[str, Any]]) -> Worksheet:
    """Return records as a worksheet."""
    keys = list(records[0]) if records else []
    rows = [
        [
            json.dumps(value, ensure_ascii=False)
            if isinstance(value := record[key], list | tuple | Mapping)
            else value
            for key in keys
        ]
        for record in records
    ]
    return Worksheet(title, keys, rows, [number_format(key) for key in keys])


def workbook(sheets: Sequence[Worksheet]) -> bytes:
    """Return a workbook."""
    from functools import cache

    from xlsxwriter import Workbook

    if not sheets:
        raise ValueError("a workbook has at least one sheet")
    content = io.BytesIO()
    # In memory: a full temporary folder can't fail it, and nothing is left there.
    with Workbook(content, {"in_memory": True}) as book:

        @cache
        def style(number_format: str, quoted: bool, wrapped: bool) -> Any:
            return book.add_format(
                {
                    "num_format": number_format,
                    "quote_prefix": quoted,
                    "text_wrap": wrapped,
                    "valign": "top",
                }
            )

        head = book.add_format(
            {"bold": True, "bg_color": "#E6E6E6", "valign": "vcenter", "text_wrap": True}
        )
        for title, sheet in zip(titles(s.title for s in sheets), sheets, strict=True):
            _fill(book.add_worksheet(title), sheet, head, style)
    return content.getvalue()


def _fill(page: Any, sheet: Worksheet, head: Any, style: Any) -> None:
    """Write a worksheet; ``style`` makes a cell's style from number format, quoting, wrapping."""
    if not sheet.heads:
        return
    formats = sheet.formats or ["General"] * len(sheet.heads)
    for column, (title, number_format) in enumerate(zip(sheet.heads, formats, strict=True)):
        page.write_string(0, column, _cell_text(title), head)
        widest = width(title)
        for row, values in enumerate(sheet.rows, 1):
            value = values[column]
            if isinstance(value, str):
                text = _cell_text(value)
                wrapped = number_format == TEXT and len(text) > _WIDE / 2
                # A quoted text is no formula, even after somebody has edited it.
                cell = style(number_format, text.startswith(_FORMULA), wrapped)
                page.write_string(row, column, text, cell)
            elif isinstance(value, bool):
                page.write_boolean(row, column, value, style(number_format, False, False))
            elif value is not None:
                page.write_number(row, column, value, style(number_format, False, False))
            if widest < _WIDE:
                widest = max(widest, width(_shown(value, number_format)))
        page.set_column(column, column, min(max(widest + 2, _NARROW), _WIDE))
    page.freeze_panes(1, sheet.frozen)
    if sheet.filtered:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.heads) - 1)


def _cell_text(text: str) -> str:
    return cleaned(text)[:MAX_CELL]


def _shown(value: Any, number_format: str) -> str:
    if isinstance(value, float):
        decimals = 3 if number_format == "General" else len(number_format.partition(".")[2])
        return f"{value:,.{decimals}f}"
    return "" if value is None else str(value)
