"""CSV and XLSX: the rows without their geometry."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import unicodedata
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from ._layers import ATTRIBUTION, SKETCH, encodable, key_of, merged
from ._report import Change, Log

if TYPE_CHECKING:
    from . import Job
    from ._layers import Column, Layer, Record

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Characters in one cell of a worksheet.
_LONGEST = 32_767
#: Widths of columns, in characters.
_NARROW, _WIDE = 8, 44


def content(layers: list[Layer], job: Job) -> bytes:
    """Return one CSV table, or a workbook with a sheet for each layer."""
    job.log.rows.update({layer.name: len(layer.records) for layer in layers})
    if not layers:
        return b""
    if job.format == "csv":
        return csv_bytes(layers, job.encoding, job.log)
    return _workbook(layers, job)


def csv_bytes(layers: list[Layer], encoding: str, log: Log) -> bytes:
    """Return layers as one table with a column that says which."""
    table = merged(layers, "", "")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_harmless(encodable(c.name, encoding)) for c in table.columns])
    for record in table.records:
        writer.writerow(
            [_cell(record, *item, encoding, log) for item in table.text(record).items()]
        )
    # Excel takes a file without a byte order mark to be in the code page of the computer.
    return out.getvalue().encode("utf-8-sig" if encoding == "utf-8" else encoding)


def _cell(record: Record, column: str, value: Any, encoding: str, log: Log) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    known = encodable(value, encoding)
    cell = _harmless(known)
    for before, after, reason in (
        (value, known, f"{encoding} lacks a character"),
        (known, cell, "led by an apostrophe, so that it is no formula"),
    ):
        if before != after:
            layer = str(record["layer"])
            log.changes.append(Change(layer, key_of(record), column, before, after, reason))
    return cell


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _workbook(layers: list[Layer], job: Job) -> bytes:
    """Return a workbook: what it is, a sheet for each layer, and what the columns are."""
    from openpyxl import Workbook

    book = Workbook()
    first = book.active
    taken: set[str] = set()
    first.title = _sheet_name("說明", taken)
    _rows(
        first,
        [
            ["項目", "內容"],
            ["數據許可", ATTRIBUTION],
            ["量算", "面積、長度在 CGCS2000 橢球面上量算,單位為平方米、米;± 為一倍標準差"],
            [SKETCH, "狀態(status)不是 surveyed(實測)者僅為示意"],
            *([layer.title, f"{len(layer.records)} 行"] for layer in layers),
        ],
    )
    fields = [["圖層", "欄", "欄名", "類型"]]
    for layer in layers:
        name = _sheet_name(layer.title, taken)
        _sheet(book.create_sheet(name), layer, job)
        fields += [[name, c.title, c.name, c.type] for c in layer.columns]
    _rows(book.create_sheet(_sheet_name("欄位", taken)), fields)
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


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name as worksheets may have it: unique, 31 characters and no signs of paths."""
    plain = re.sub(r"[\[\]:*?/\\]", "_", title)[:31].strip("'") or "_"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        tail = f" {number}"
        name = plain[: 31 - len(tail)] + tail
    taken.add(name.lower())
    return name


def _rows(sheet: Any, rows: list[list[str]]) -> None:
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            _put(sheet.cell(number, column), value)
    _dressed(sheet, [[row[n] for row in rows] for n in range(len(rows[0]))])


def _sheet(sheet: Any, layer: Layer, job: Job) -> None:
    from openpyxl.styles import Alignment

    cells = [[c.title for c in layer.columns]]
    for record in layer.records:
        text = layer.text(record)
        cells.append([_short(layer, record, c.name, text[c.name], job) for c in layer.columns])
    for number, row in enumerate(cells, 1):
        for place, (column, value) in enumerate(zip(layer.columns, row, strict=True), 1):
            cell = sheet.cell(number, place)
            _put(cell, value)
            if number > 1:
                cell.number_format = _number_format(column)
                wrapped = column.type == "text" and len(str(value)) > _WIDE / 2
                cell.alignment = Alignment(vertical="top", wrap_text=wrapped)
    _dressed(sheet, [list(column) for column in zip(*cells, strict=True)])
    sheet.auto_filter.ref = sheet.dimensions


def _short(layer: Layer, record: Record, column: str, value: Any, job: Job) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        reason = f"cut to {_LONGEST} characters, all that a cell can have"
        log = job.log.changes
        log.append(Change(layer.name, key_of(record), column, value, value[:_LONGEST], reason))
        return value[:_LONGEST]
    return value


def _put(cell: Any, value: Any) -> None:
    if not isinstance(value, str):
        cell.value = value
        return
    # A worksheet reads _x0041_ as a character.
    cell.value = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", value)
    # A text whatever it begins with, also after it has been edited.
    cell.data_type = "s"
    cell.quotePrefix = value.startswith(_FORMULA)


def _number_format(column: Column) -> str:
    if column.type == "number":
        return "#,##0" if column.name.endswith("_m2") else "#,##0.0"
    return "@" if column.type in ("text", "json") else "General"


def _dressed(sheet: Any, columns: list[list[Any]]) -> None:
    """Give a sheet its head, its frozen pane and columns as wide as what they hold."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for place, cells in enumerate(columns, 1):
        head = sheet.cell(1, place)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E6E6E6")
        head.alignment = Alignment(vertical="center", wrap_text=True)
        longest = max(_width(cell) for cell in cells)
        sheet.column_dimensions[get_column_letter(place)].width = min(
            max(longest + 2, _NARROW), _WIDE
        )
    sheet.freeze_panes = "B2"


def _width(value: Any) -> int:
    if isinstance(value, float):
        return len(f"{value:,.1f}")
    text = "" if value is None else str(value)
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
