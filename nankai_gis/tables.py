"""Rows as text: a set table for a terminal, CSV and XLSX for a spreadsheet, JSON for a program.

It arranges what it is given and computes nothing but the change of unit.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .errors import OutputError

#: Square metres in each unit of area; 1 亩 is one fifteenth of a hectare.
AREA_UNITS: Mapping[str, float] = {"km2": 1e6, "ha": 1e4, "mu": 1e4 / 15, "m2": 1.0}
#: Metres in each unit of length.
LENGTH_UNITS: Mapping[str, float] = {"km": 1e3, "m": 1.0}
#: Names of the units in a Chinese table. No ² or other sign outside GBK: old consoles fail on it.
UNIT_NAMES: Mapping[str, str] = {
    "km2": "平方公里",
    "ha": "公頃",
    "mu": "畝",
    "m2": "平方米",
    "km": "公里",
    "m": "米",
}
#: Decimals at which a metre, or ten square metres, still shows.
DECIMALS: Mapping[str, int] = {"km2": 3, "ha": 1, "mu": 0, "m2": 0, "km": 2, "m": 0}
KIND_NAMES: Mapping[str, str] = {
    "district": "行政區",
    "zone": "片區",
    "parcel": "地塊",
    "corridor": "發展帶",
    "subdistrict": "街道",
    "site": "地點",
    "street": "道路",
    "railway": "鐵路",
    "river": "河流",
    "line": "界線",
}
STATUS_NAMES: Mapping[str, str] = {
    "surveyed": "實測",
    "osm": "OSM",
    "digitised": "數字化",
    "inferred": "推定",
    "not located": "未定位",
}
ROLE_NAMES: Mapping[str, str] = {"main": "主線", "extension": "延伸", "bridge": "連接"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    title : str
    align : {'left', 'right'}
    """

    title: str
    align: Literal["left", "right"] = "left"


def width(text: str) -> int:
    """Return how many terminal cells a text takes.

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


def _pad(text: str, to: int, align: str) -> str:
    gap = " " * (to - width(text))
    return gap + text if align == "right" else text + gap


def terminal(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """Set rows in aligned columns.

    Parameters
    ----------
    columns : sequence of Column
    rows : iterable of sequence of str
        One text for each column. Control characters are shown as a blank.

    Returns
    -------
    str
        Title line, rule, rows; each line ends with a newline.

    Examples
    --------
    >>> print(terminal([Column("名稱"), Column("面積", "right")], [["南開區", "41.5"]]), end="")
    名稱    面積
    ------  ----
    南開區  41.5
    """
    shown = [[_printable(cell) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(map(width, cells)) for cells in zip(titles, *shown, strict=True)]
    lines = [titles, ["-" * w for w in widths], *shown]
    aligns = [column.align for column in columns]
    return "".join("  ".join(map(_pad, line, widths, aligns)).rstrip() + "\n" for line in lines)


def _printable(text: str) -> str:
    # A name from a file must not move the cursor or change the colours of a terminal.
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf") else c for c in text)


def number(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """Return a number as a table shows it.

    Parameters
    ----------
    value : float or None
    decimals : int
    sign : bool
        Whether a plus sign is shown.

    Returns
    -------
    str
        ``"-"`` for None: what isn't known is not zero.

    Examples
    --------
    >>> number(1234.56, 1), number(None, 1), number(0.25, 2, sign=True)
    ('1,234.6', '-', '+0.25')
    """
    if value is None:
        return "-"
    return f"{value:{'+' if sign else ''},.{decimals}f}"


def csv_text(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return records as CSV that a spreadsheet opens with its Chinese intact.

    Parameters
    ----------
    records : sequence of mapping
        All with the same keys, which become the header.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, lines ended by CR LF (RFC 4180). A text that a spreadsheet
        would run as a formula is led by an apostrophe. Empty for no records.

    Examples
    --------
    >>> csv_text([{"name": "=1+1", "km2": -0.5}]).decode("utf-8-sig").split()
    ['name,km2', "'=1+1,-0.5"]
    """
    if not records:
        return b""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(records[0])
    for record in records:
        writer.writerow([_cell(value) for value in record.values()])
    return out.getvalue().encode("utf-8-sig")


#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def xlsx_bytes(sheets: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Return records as a workbook, one sheet for each set.

    Parameters
    ----------
    sheets : mapping of str to sequence of mapping
        Records by the title of their sheet, those of one sheet all with the same keys, which
        become its head. A sheet without records stays empty. A title is cut to the 31 characters
        that it may have, and loses the signs that it may not.

    Returns
    -------
    bytes
        XLSX: a head that stays in view, columns as wide as their cells. A text stays a text,
        whatever it begins with; control characters are left out, and of more than 32,767
        characters the rest. Lists are JSON.

    Raises
    ------
    ValueError
        If there is no sheet.
    OutputError
        If the system's temporary folder is full.

    Examples
    --------
    >>> import io, openpyxl
    >>> data = xlsx_bytes({"片區": [{"name": "=1+1", "km2": 2}]})
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
    for title, records in sheets.items():
        plain = re.sub(r"[\[\]:*?/\\]", "_", title)[:31].strip("'")
        # A title that is taken gets a number from openpyxl.
        _fill(book.create_sheet(plain), records)
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


def _fill(sheet: Any, records: Sequence[Mapping[str, Any]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    if not records:
        return
    for column, key in enumerate(records[0], 1):
        head = sheet.cell(1, column)
        _put(head, key)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E6E6E6")
        head.alignment = Alignment(vertical="center", wrap_text=True)
        widest = width(str(key))
        for row, record in enumerate(records, 2):
            cell = sheet.cell(row, column)
            _put(cell, record[key])
            if isinstance(record[key], float):
                cell.number_format = _number_format(key)
            widest = max(widest, width(_shown(record[key])))
        sheet.column_dimensions[get_column_letter(column)].width = min(max(widest + 2, 8), 44)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _shown(value: Any) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _number_format(key: str) -> str:
    unit = next((unit for unit in DECIMALS if key.endswith(f"_{unit}")), None)
    if unit is None:
        return "General"
    decimals = DECIMALS[unit]
    return "#,##0" + (f".{'0' * decimals}" if decimals else "")


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, (list, tuple, Mapping)):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        cell.value = value
        return
    text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", value)
    # A worksheet reads _x0041_ as a character.
    cell.value = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)[:32_767]
    # A text, also after somebody has edited it.
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA)


def json_text(document: Mapping[str, Any]) -> bytes:
    r"""Return a document as JSON.

    Parameters
    ----------
    document : mapping

    Returns
    -------
    bytes
        UTF-8 with its Chinese as it is, indented, ended by a newline.

    Raises
    ------
    ValueError
        For a number that is infinite or not a number, which JSON doesn't know.

    Examples
    --------
    >>> json_text({"a": "南開"}).decode()
    '{\n  "a": "南開"\n}\n'
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def geojson_text(features: Sequence[Mapping[str, Any]]) -> bytes:
    """Return features as a GeoJSON feature collection (RFC 7946).

    Parameters
    ----------
    features : sequence of mapping
        GeoJSON features in longitude and latitude, exterior rings counter-clockwise; the
        geometry may be None.

    Returns
    -------
    bytes
        UTF-8, one feature a line, without a ``crs`` member, which the RFC took out.

    Examples
    --------
    >>> geojson_text([]).decode().split()
    ['{"type":', '"FeatureCollection",', '"features":', '[', ']}']
    """
    lines = (json.dumps(f, ensure_ascii=False, allow_nan=False) for f in features)
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode()
