"""Shapefiles, packed into one zip with a field table, the whole texts and notes.

A shapefile is several files, has field names of ten bytes, texts of 254 bytes and no lists; so
the fields get ASCII codes, what is cut is reported and stands whole in a table beside, and
everything is read back.
"""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from typing import TYPE_CHECKING, Any

from nankai_gis.exports.layers import (
    ATTRIBUTION,
    SKETCH,
    SKETCHED,
    Field,
    encodable,
    key_of,
    located,
)
from nankai_gis.exports.readback import differs, geometry_type
from nankai_gis.exports.report import LACKS, Change, Log, lacking
from nankai_gis.exports.tables import csv_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer, Record

_LONGEST = 254
#: The file in the zip that holds every row and every text as it is.
_WHOLE = "attributes.csv"
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
#: What a number may lose: a table has its numbers in decimal, with 15 places.
_RELATIVE, _ABSOLUTE = 1e-12, 1e-15
_TYPES = {"yes/no": "1 or 0", "json": "text (JSON)"}


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a zip of shapefiles, one for each layer and type of geometry."""
    from nankai_gis.exports import scratch

    fields: list[list[str]] = []
    with scratch() as folder:
        names: set[str] = set()
        for layer in located(layers, job.log):
            for part in layer.by_shape(unlocated=False):
                name = _code(part.name, names, 40)
                fields += _write(part, name, job, folder)
                job.log.rows[name] = len(part.records)
        if not job.log.rows:
            return b""
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    files["fields.csv"] = _table(fields)
    files[_WHOLE] = csv_bytes(layers, "utf-8", Log())
    files["readme.txt"] = _readme(job)
    return _packed(files)


def _packed(files: dict[str, bytes]) -> bytes:
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
            frame[column.name] = [
                _fitted(value, record, part.name, column, job)
                for value, record in zip(frame[column.name], part.records, strict=True)
            ]
        elif column.type == "yes/no":
            frame[column.name] = frame[column.name].astype("Int64")
    frame = frame.rename(columns=codes)
    target = folder / f"{name}.shp"
    encoding = job.encoding.upper()
    pyogrio.write_dataframe(
        frame,
        target,
        driver="ESRI Shapefile",
        encoding=encoding,
        geometry_type=geometry_type(part),
    )
    _compare(frame, pyogrio.read_dataframe(target), part.name)
    return [
        [f"{name}.shp", part.title, codes[c.name], c.name, c.title, _TYPES.get(c.type, c.type)]
        for c in part.columns
    ]


def _fitted(value: str | None, record: Record, layer: str, column: Field, job: Job) -> str | None:
    """Return a text as the table can hold it, and report what that changed."""
    if value is None:
        return None
    fitted, encoding = value, job.encoding

    def become(after: str, reason: str) -> str:
        if after != fitted:
            change = Change(layer, key_of(record), column.name, fitted, after, reason)
            job.log.changes.append(change)
        return after

    fitted = become(encodable(fitted, encoding), f"{encoding} {LACKS}")
    size = len(fitted.encode(encoding))
    if size > _LONGEST and column.type == "json":
        # Half a list can't be read at all.
        return become("", f"{size} bytes, more than a field has; whole in {_WHOLE}")
    if size > _LONGEST:
        cut = fitted.encode(encoding)[:_LONGEST].decode(encoding, "ignore").strip(" ")
        return become(cut, f"cut to {_LONGEST} bytes, all that a field has; whole in {_WHOLE}")
    return become(fitted.strip(" "), "blanks at its ends are not kept")


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


def _compare(wrote: GeoDataFrame, read: GeoDataFrame, layer: str) -> None:
    """Refuse what came back otherwise; the direction and start of a ring are free."""
    import shapely

    if len(wrote) != len(read):
        raise differs(layer, f"as {len(read)} rows instead of {len(wrote)}")
    for code in wrote.columns.drop(wrote.geometry.name):
        if code not in read.columns:
            raise differs(layer, f"without the field {code}")
        for row, (a, b) in enumerate(zip(wrote[code], read[code], strict=True)):
            if not _agree(a, b):
                how = f"with {str(b)[:60]!r} for {str(a)[:60]!r}"
                raise differs(layer, f"{how} in row {row + 1}, field {code}")
    for row, (a, b) in enumerate(zip(wrote.geometry, read.geometry, strict=True)):
        if b is None or shapely.normalize(a) != shapely.normalize(b):
            raise differs(layer, f"with another geometry in row {row + 1}")


def _agree(a: Any, b: Any) -> bool:
    import pandas as pd

    # The table has no way to tell an empty text from a missing one.
    empty = [value == "" if isinstance(value, str) else bool(pd.isna(value)) for value in (a, b)]
    if any(empty):
        return all(empty)
    if isinstance(a, str) or isinstance(b, str):
        return bool(a == b)
    return math.isclose(float(a), float(b), rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _table(fields: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["file", "layer", "code", "column", "title", "type"])
    writer.writerows(fields)
    return out.getvalue().encode("utf-8-sig")


def _readme(job: Job) -> bytes:
    assert job.reference is not None
    lines = [
        ATTRIBUTION,
        f"{job.reference.datum}: {job.reference.statement}",
        f"{SKETCH}:{SKETCHED}。",
        f"Texts are in {job.encoding.upper()}; fields.csv says what each field is.",
        "Empty and missing texts can't be told apart.",
    ]
    lines += [f"Left out, {o.reason}: {o.layer} {o.id} {o.name}" for o in job.log.left_out]
    lines += [
        f"Changed, {c.reason}: {c.layer} {c.id} {c.column}: {c.before!r} became {c.after!r}"
        for c in job.log.changes
        if not c.reason.endswith(LACKS)
    ]
    lines += [line.replace("changed", "Changed", 1) for line in lacking(job.log.changes)]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")
