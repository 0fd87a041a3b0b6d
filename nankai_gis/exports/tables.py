"""CSV and XLSX: the rows without their geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nankai_gis.exports.layers import ATTRIBUTION, SKETCH, SKETCHED, encodable, key_of, merged
from nankai_gis.exports.report import LACKS, Change, Log
from nankai_gis.files import spreadsheet
from nankai_gis.files.spreadsheet import MAX_CELL, TEXT, Worksheet, harmless

if TYPE_CHECKING:
    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import Field, PreparedLayer, Record


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return one CSV table, or a workbook with a sheet for each layer."""
    job.log.rows.update({layer.name: len(layer.records) for layer in layers})
    if not layers:
        return b""
    if job.format == "csv":
        return csv_bytes(layers, job.encoding, job.log)
    return _workbook(layers, job)


def csv_bytes(layers: list[PreparedLayer], encoding: str, log: Log) -> bytes:
    """Return layers as one table with a column that says which."""
    table = merged(layers, "", "")
    rows = [[encodable(c.name, encoding) for c in table.columns]]
    for record in table.records:
        rows.append([_cell(record, *item, encoding, log) for item in table.text(record).items()])
    return spreadsheet.csv_bytes(rows, encoding)


def _cell(record: Record, column: str, value: Any, encoding: str, log: Log) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    known = encodable(value, encoding)
    cell = harmless(known)
    for before, after, reason in (
        (value, known, f"{encoding} {LACKS}"),
        (known, cell, "led by an apostrophe, so that it is no formula"),
    ):
        if before != after:
            layer = str(record["layer"])
            log.changes.append(Change(layer, key_of(record), column, before, after, reason))
    return cell


def _workbook(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a workbook: what it is, a sheet for each layer, and what the columns are."""
    titles = spreadsheet.titles(["說明", *(layer.title for layer in layers), "欄位"])
    about = [
        ["數據許可", ATTRIBUTION],
        ["量算", "面積、長度在 CGCS2000 橢球面上量算,單位為平方米、米;± 為一倍標準差"],
        [SKETCH, SKETCHED],
        *([layer.title, f"{len(layer.records)} 行"] for layer in layers),
    ]
    fields = [
        [title, column.title, column.name, column.type]
        for title, layer in zip(titles[1:-1], layers, strict=True)
        for column in layer.columns
    ]
    return spreadsheet.workbook(
        [
            _notes(titles[0], ["項目", "內容"], about),
            *(_sheet(*pair, job) for pair in zip(titles[1:-1], layers, strict=True)),
            _notes(titles[-1], ["圖層", "欄", "欄名", "類型"], fields),
        ]
    )


def _notes(title: str, heads: list[str], rows: list[list[str]]) -> Worksheet:
    return Worksheet(title, heads, rows, frozen=1, filtered=False)


def _sheet(title: str, layer: PreparedLayer, job: Job) -> Worksheet:
    rows = []
    for record in layer.records:
        text = layer.text(record)
        rows.append([_short(layer, record, f.name, text[f.name], job) for f in layer.columns])
    heads = [field.title for field in layer.columns]
    return Worksheet(title, heads, rows, [_number_format(f) for f in layer.columns], frozen=1)


def _short(layer: PreparedLayer, record: Record, column: str, value: Any, job: Job) -> Any:
    if isinstance(value, str) and len(value) > MAX_CELL:
        reason = f"cut to {MAX_CELL} characters, all that a cell can have"
        log = job.log.changes
        log.append(Change(layer.name, key_of(record), column, value, value[:MAX_CELL], reason))
        return value[:MAX_CELL]
    return value


def _number_format(field: Field) -> str:
    if field.type == "text":
        return TEXT
    return spreadsheet.number_format(field.name) if field.type == "number" else "General"
