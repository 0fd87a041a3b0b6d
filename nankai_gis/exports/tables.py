"""CSV and XLSX: the rows without their geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nankai_gis.exports.layers import ATTRIBUTION, encodable, merged, statements
from nankai_gis.exports.report import LACKS
from nankai_gis.files import spreadsheet
from nankai_gis.files.spreadsheet import MAX_CELL, TEXT, Worksheet, harmless
from nankai_gis.words import mark, ntr, tr

if TYPE_CHECKING:
    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import Field, PreparedLayer, Record
    from nankai_gis.exports.report import Log

_NO_FORMULA = mark("led by an apostrophe, so that it is no formula")
_CUT = mark("cut to 32,767 characters, all that a cell can have")
#: What the cells of a column are.
_TYPES = {
    "text": mark("text"),
    "integer": mark("whole number"),
    "number": mark("number"),
    "yes/no": mark("yes or no"),
    "json": mark("list (JSON)"),
}


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return one CSV table, or a workbook with a sheet for each layer."""
    job.log.rows.update({layer.name: len(layer.rows) for layer in layers})
    if not layers:
        return b""
    if job.format == "csv":
        return csv_bytes(layers, job.encoding, job.log)
    return _workbook(layers, job)


def csv_bytes(layers: list[PreparedLayer], encoding: str, log: Log) -> bytes:
    """Return layers as one table with a column that says which."""
    table = merged(layers, "")
    rows = [[encodable(c.name, encoding) for c in table.columns]]
    for record, *_ in table.rows:
        rows.append([_cell(record, *item, encoding, log) for item in table.text(record).items()])
    return spreadsheet.csv_bytes(rows, encoding)


def _cell(record: Record, column: str, value: Any, encoding: str, log: Log) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    layer = str(record["layer"])
    value = log.write(layer, record, column, value, encodable(value, encoding), LACKS)
    return log.write(layer, record, column, value, harmless(value), _NO_FORMULA)


def _workbook(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a workbook: what it is, a sheet for each layer, and what the columns are."""
    first, *names, last = spreadsheet.titles(
        [tr("Notes on the data"), *(layer.title for layer in layers), tr("Columns")]
    )
    about = [
        [tr("Licence of the data"), ATTRIBUTION],
        [
            tr("Measures"),
            tr(
                "Areas and lengths are on the CGCS2000 ellipsoid, in square metres and metres; "
                "± is one standard deviation."
            ),
        ],
        [tr("Indicative"), statements(None)[-1]],
        *([layer.title, ntr("{n} row", "{n} rows", len(layer.rows))] for layer in layers),
    ]
    fields = [
        [name, field.title, field.name, tr(_TYPES[field.type])]
        for name, layer in zip(names, layers, strict=True)
        for field in layer.columns
    ]
    heads = [tr("Layer"), tr("Title"), tr("Column"), tr("Type")]
    return spreadsheet.workbook(
        [
            Worksheet(first, [tr("Item"), tr("Content")], about, frozen=1, filtered=False),
            *(_sheet(*pair, job.log) for pair in zip(names, layers, strict=True)),
            Worksheet(last, heads, fields, frozen=1, filtered=False),
        ]
    )


def _sheet(title: str, layer: PreparedLayer, log: Log) -> Worksheet:
    rows = []
    for record, *_ in layer.rows:
        cells = layer.text(record)
        for column, value in cells.items():
            if isinstance(value, str):
                short = value[:MAX_CELL]
                cells[column] = log.write(layer.name, record, column, value, short, _CUT)
        rows.append(list(cells.values()))
    heads = [field.title for field in layer.columns]
    return Worksheet(title, heads, rows, [_number_format(f) for f in layer.columns], frozen=1)


def _number_format(field: Field) -> str:
    if field.type == "text":
        return TEXT
    return spreadsheet.number_format(field.name) if field.type == "number" else "General"
