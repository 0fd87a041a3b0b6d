"""Shapefiles, packed into one zip with a field table, the whole texts and notes.

A shapefile is several files, has field names of ten bytes, texts of 254 bytes and no lists; so
the fields get ASCII codes, what is cut is reported and stands whole in a table beside, and
everything is read back.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nankai_gis.exports.layers import encodable, located, statements
from nankai_gis.exports.readback import check_same, geometry_type
from nankai_gis.exports.report import LACKS, Log, losses
from nankai_gis.exports.tables import csv_bytes
from nankai_gis.files import spreadsheet
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from pathlib import Path

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer

#: Bytes that a field can hold.
_LONGEST = 254
_CUT = mark("cut to 254 bytes, all that a field has; whole in attributes.csv")
_EMPTIED = mark("longer than the 254 bytes that a field has; whole in attributes.csv")
_STRIPPED = mark("blanks at its ends are not kept")
#: Codes of the columns whose names are longer than ten bytes.
_CODES = {
    "clause_source": "clause_src",
    "stated_area_m2": "stated_m2",
    "planar_area_m2": "planar_m2",
    "perimeter_m": "perim_m",
    "population_year": "pop_year",
    "end_accuracy_m": "end_acc_m",
    "street_name": "streetname",
    "attribution": "attrib",
}
_TYPES = {"yes/no": "1 or 0", "json": "text (JSON)"}


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a zip of shapefiles, one for each layer and type of geometry."""
    from nankai_gis.exports import scratch

    fields = [["file", "layer", "code", "column", "title", "type"]]
    with scratch() as folder:
        names: set[str] = set()
        for layer in located(layers, job.log):
            for part in layer.by_shape(unlocated=False):
                name = _code(part.name, names, 40)
                fields += _write(part, name, job, folder)
                job.log.rows[name] = len(part.rows)
        if not job.log.rows:
            return b""
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    files["fields.csv"] = spreadsheet.csv_bytes(fields)
    # Every row and every text as it is.
    files["attributes.csv"] = csv_bytes(layers, "utf-8", Log())
    files["readme.txt"] = _readme(job)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _write(part: PreparedLayer, name: str, job: Job, folder: Path) -> list[list[str]]:
    import pyogrio

    assert job.reference is not None
    taken: set[str] = set()
    codes = {c.name: _code(_CODES.get(c.name, c.name), taken, 10) for c in part.columns}
    frame = part.frame(job.reference.crs)
    for column in part.columns:
        if column.type in ("text", "json"):
            cells = []
            for value, row in zip(frame[column.name], part.rows, strict=True):
                for fitted, reason in _fitted(value, column.type, job.encoding):
                    value = job.log.write(part.name, row.record, column.name, value, fitted, reason)
                cells.append(value)
            frame[column.name] = cells
        elif column.type == "yes/no":
            frame[column.name] = frame[column.name].astype("Int64")
    frame = frame.rename(columns=codes)
    target = folder / f"{name}.shp"
    pyogrio.write_dataframe(
        frame,
        target,
        driver="ESRI Shapefile",
        encoding=job.encoding.upper(),
        geometry_type=geometry_type(part),
    )
    check_same(frame, pyogrio.read_dataframe(target), part.name, exact=False)
    return [
        [f"{name}.shp", part.title, codes[c.name], c.name, c.title, _TYPES.get(c.type, c.type)]
        for c in part.columns
    ]


def _fitted(text: str | None, kind: str, encoding: str) -> Iterator[tuple[str, str]]:
    """Give a text as the table can hold it, step by step, with the reason of each step."""
    if text is None:
        return
    text = encodable(text, encoding)
    yield text, LACKS
    data = text.encode(encoding)
    if len(data) <= _LONGEST:
        yield text.strip(" "), _STRIPPED
    elif kind == "json":
        # Half a list can't be read at all.
        yield "", _EMPTIED
    else:
        yield data[:_LONGEST].decode(encoding, "ignore").strip(" "), _CUT


def _code(name: str, taken: set[str], longest: int) -> str:
    """Return an ASCII name that is still free; case doesn't tell names apart."""
    plain = re.sub(r"[^A-Za-z0-9_]", "", name)[:longest] or "field"
    code, number = plain, 1
    while code.lower() in taken:
        number += 1
        tail = f"_{number}"
        code = plain[: longest - len(tail)] + tail
    taken.add(code.lower())
    return code


def _readme(job: Job) -> bytes:
    assert job.reference is not None
    lines = [
        *statements(job.reference),
        tr(
            "Texts are in {encoding}; fields.csv explains each field.",
            encoding=job.encoding.upper(),
        ),
        tr("Empty and missing texts can't be told apart."),
        *losses(job.log.left_out, job.log.changes),
    ]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")
