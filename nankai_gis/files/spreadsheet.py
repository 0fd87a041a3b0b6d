"""What a spreadsheet opens: CSV and workbooks in which a text stays a text.

It knows rows and cells only; which rows, and what they mean, is its callers' business.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nankai_gis.errors import OutputError

#: Characters that one cell of a worksheet can hold, and the title of one.
LONGEST, LONGEST_TITLE = 32_767, 31
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: What no XML can hold: control characters and half characters.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Widths of columns, in characters.
_NARROW, _WIDE = 8, 44


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a worksheet.

    Attributes
    ----------
    title : str
        What its head says.
    format : str
        Excel's number format of its cells.
    wrapped : bool
        Whether a long text is broken into lines.
    """

    title: str
    format: str = "General"
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet.

    Attributes
    ----------
    title : str
        See `titles`.
    columns : sequence of Column
        A sheet without columns stays empty.
    rows : sequence of sequence
        One value for each column: text, number, bool or None.
    fixed : int
        How many columns stay in view beside the head when the reader scrolls.
    filtered : bool
        Whether the head offers to filter.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    fixed: int = 0
    filtered: bool = True


def width(text: str) -> int:
    """Return how many columns of fixed pitch a text takes, on a terminal or in a worksheet.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
        Two for each wide or full-width character, none for a combining one, one for others.

    Examples
    --------
    >>> width("南開 km")
    7
    """
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def harmless(text: str) -> str:
    """Return a text as CSV can hold it: what would run as a formula is led by an apostrophe.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> harmless("=1+1"), harmless("南開")
    ("'=1+1", '南開')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_bytes(rows: Iterable[Iterable[Any]], encoding: str = "utf-8") -> bytes:
    """Return rows as CSV that a spreadsheet opens with its Chinese intact.

    Parameters
    ----------
    rows : iterable of iterable
        The first is the header. Texts are made `harmless`.
    encoding : str

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, or another encoding; lines ended by CR LF (RFC 4180).

    Raises
    ------
    UnicodeEncodeError
        If the encoding lacks a character.

    Examples
    --------
    >>> csv_bytes([["name", "km2"], ["=1+1", -0.5]]).decode("utf-8-sig").split()
    ['name,km2', "'=1+1,-0.5"]
    """
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(
        [harmless(value) if isinstance(value, str) else value for value in row] for row in rows
    )
    # Excel takes a file without a byte order mark to be in the code page of the computer.
    return out.getvalue().encode("utf-8-sig" if encoding == "utf-8" else encoding)


def titles(wanted: Iterable[str]) -> list[str]:
    """Return titles as worksheets of one workbook may have them.

    Parameters
    ----------
    wanted : iterable of str

    Returns
    -------
    list of str
        In the same order: no signs of paths, 31 characters at the most, and a number behind one
        that is taken, in whatever case. Titles that may stand as they are stay.

    Examples
    --------
    >>> titles(["a/b", "A_B", "片區"])
    ['a_b', 'A_B 2', '片區']
    """
    given: list[str] = []
    taken: set[str] = set()
    for title in wanted:
        plain = re.sub(r"[\[\]:*?/\\]", "_", title)[:LONGEST_TITLE].strip("'") or "_"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            tail = f" {number}"
            name = plain[: LONGEST_TITLE - len(tail)] + tail
        taken.add(name.lower())
        given.append(name)
    return given


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """Return a workbook.

    Parameters
    ----------
    sheets : sequence of Sheet

    Returns
    -------
    bytes
        XLSX: a head that stays in view, columns as wide as their cells. A text stays a text,
        whatever it begins with; control characters are left out, and of more than 32,767
        characters the rest.

    Raises
    ------
    ValueError
        If there is no sheet.
    OutputError
        If the system's temporary folder is full.

    Examples
    --------
    >>> import io, openpyxl
    >>> data = workbook([Sheet("片區", [Column("name"), Column("km2")], [["=1+1", 2]])])
    >>> book = openpyxl.load_workbook(io.BytesIO(data))
    >>> [[cell.value for cell in row] for row in book["片區"].rows]
    [['name', 'km2'], ['=1+1', 2]]
    >>> book["片區"]["A2"].data_type
    's'
    """
    from openpyxl import Workbook

    if not sheets:
        raise ValueError("a workbook has at least one sheet")
    book = Workbook()
    book.remove(book.active)
    for title, sheet in zip(titles(s.title for s in sheets), sheets, strict=True):
        _fill(book.create_sheet(title), sheet)
    out = io.BytesIO()
    try:
        # Not only in memory: openpyxl keeps each sheet in a temporary file meanwhile.
        book.save(out)
    except _failures() as error:
        raise OutputError(
            f"can't make the workbook in the temporary folder {tempfile.gettempdir()} ({error}); "
            "make room there or set TMPDIR"
        ) from error
    return out.getvalue()


def _failures() -> tuple[type[Exception], ...]:
    """Return what a full disk raises; where lxml is installed openpyxl writes by it."""
    try:
        from lxml.etree import LxmlError
    except ImportError:
        return (OSError,)
    return (OSError, LxmlError)


def _fill(page: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    if not sheet.columns:
        return
    # Beside a text of several lines the other cells of a row begin at its top.
    tall = any(column.wrapped for column in sheet.columns)
    top, broken = (Alignment(vertical="top", wrap_text=wrapped) for wrapped in (False, True))
    for place, column in enumerate(sheet.columns, 1):
        head = page.cell(1, place)
        _put(head, column.title)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E6E6E6")
        head.alignment = Alignment(vertical="center", wrap_text=True)
        widest = width(column.title)
        for number, row in enumerate(sheet.rows, 2):
            value, cell = row[place - 1], page.cell(number, place)
            _put(cell, value)
            cell.number_format = column.format
            if tall:
                long = column.wrapped and len(str(value)) > _WIDE / 2
                cell.alignment = broken if long else top
            widest = max(widest, width(_shown(value, column)))
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = min(max(widest + 2, _NARROW), _WIDE)
    page.freeze_panes = f"{get_column_letter(sheet.fixed + 1)}2"
    if sheet.filtered:
        page.auto_filter.ref = page.dimensions


def _put(cell: Any, value: Any) -> None:
    if not isinstance(value, str):
        cell.value = value
        return
    text = _UNPRINTABLE.sub("", value)[:LONGEST]
    # A worksheet reads _x0041_ as a character.
    cell.value = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    # A text, also after somebody has edited it.
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA)


def _shown(value: Any, column: Column) -> str:
    if isinstance(value, float):
        decimals = 3 if column.format == "General" else len(column.format.partition(".")[2])
        return f"{value:,.{decimals}f}"
    return "" if value is None else str(value)
