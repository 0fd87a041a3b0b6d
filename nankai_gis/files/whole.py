"""Whether a vector file is whole: GDAL reads what is cut off as far as it goes, without a word."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from nankai_gis.errors import DataError
from nankai_gis.files.formats import VectorSource
from nankai_gis.words import tr

#: Reads so many bytes from the start of a file (-1: all), and tells its size; None for no file.
Ask = Callable[[str, int], "tuple[bytes, int] | None"]


def check(source: VectorSource) -> None:
    """Refuse a file whose parts don't come to what they claim."""
    path = source.path
    if source.driver == "ESRI Shapefile":
        for name, ask in shapefiles(path):
            _check_shapefile(name, ask)
    elif source.driver == "MapInfo File" and path.suffix.lower() == ".tab":
        _check_rows(path.with_suffix(".dat").name, beside(path))
    elif path.is_dir():
        for table in (*path.glob("*.gdbtable"), *path.glob("*.gdbtablx")):
            with table.open("rb") as stream:
                head = stream.read(40)
            # A table has its size in its head, an index the number of its blocks of 1,024 rows.
            size = max(int.from_bytes(head[24:28], "little"), 40)
            if table.suffix.lower() == ".gdbtablx":
                blocks, width = (int.from_bytes(head[at : at + 4], "little") for at in (4, 12))
                size = 16 + 1024 * blocks * width
            _check_size(f"{path.name}/{table.name}", table.stat().st_size, size)
    elif source.driver == "GPKG" and not source.member:
        _check_pages(path)
    elif source.driver == "GeoJSONSeq" and not source.member:
        _check_sequence(path)


def check_rows(source: VectorSource, rows: int, claimed: int) -> None:
    """Compare the rows that were read with those that the file says it has (-1: it doesn't)."""
    if source.driver == "MapInfo File" and source.path.suffix.lower() == ".mif":
        table = beside(source.path)(source.path.with_suffix(".mid").name, -1)
        claimed = -1 if table is None else sum(map(bool, map(bytes.strip, table[0].splitlines())))
    elif source.driver != "FlatGeobuf":
        return
    if claimed >= 0 and rows != claimed:
        raise DataError(
            tr(
                "{file}: cut off: {rows} of {claimed} rows are there",
                file=source.path.name,
                rows=rows,
                claimed=claimed,
            )
        )


def shapefiles(path: Path) -> list[tuple[str, Ask]]:
    """Return the shapefiles of a path or zip, each with what reads the files beside it."""
    if not zipfile.is_zipfile(path):
        return [(path.name, beside(path))]
    with zipfile.ZipFile(path) as box:
        names = [name for name in box.namelist() if name.lower().endswith(".shp")]
    return [(name, _within(path)) for name in names]


def beside(path: Path) -> Ask:
    """Return what reads files in the folder of one, whatever the case of their suffix."""

    def ask(name: str, count: int) -> tuple[bytes, int] | None:
        for spelling in (name, f"{name[:-4]}{name[-4:].upper()}"):
            file = path.with_name(spelling)
            if file.is_file():
                with file.open("rb") as stream:
                    return stream.read(count), file.stat().st_size
        return None

    return ask


def _within(path: Path) -> Ask:
    def ask(name: str, count: int) -> tuple[bytes, int] | None:
        with zipfile.ZipFile(path) as box:
            spelt = next((n for n in box.namelist() if n.lower() == name.lower()), None)
            if spelt is None:
                return None
            with box.open(spelt) as stream:
                return stream.read(count), box.getinfo(spelt).file_size

    return ask


def _check_shapefile(name: str, ask: Ask) -> None:
    """Compare lengths with what the headers claim: GDAL reads what was cut off as no shape."""
    stem = name[:-4]
    shapes, index, table = ask(name, 28), ask(f"{stem}.shx", 28), f"{stem}.dbf"
    if ask(table, 32) is None:
        raise DataError(
            tr("{file}: the file of its attributes, {table}, is missing", file=name, table=table)
        )
    rows = _check_rows(table, ask)
    if shapes is None:
        return
    _check_size(name, shapes[1], max(2 * int.from_bytes(shapes[0][24:28], "big"), 100))
    if index is not None and (index[1] - 100) // 8 != rows:
        raise DataError(
            tr(
                "{file}: {shapes} shapes, but {rows} rows of attributes in {table}: they don't "
                "belong together",
                file=name,
                shapes=(index[1] - 100) // 8,
                rows=rows,
                table=table,
            )
        )


def _check_rows(table: str, ask: Ask) -> int:
    """Return the number of rows of a dBASE table that is as long as its header claims."""
    found = ask(table, 32)
    if found is None:
        raise DataError(tr("{file}: there is no such file", file=table))
    head, size = found
    rows = int.from_bytes(head[4:8], "little")
    length = rows * int.from_bytes(head[10:12], "little") + int.from_bytes(head[8:10], "little")
    _check_size(table, size, max(length, 32))
    return rows


def _check_size(name: str, size: int, claimed: int) -> None:
    if size < claimed:
        raise DataError(
            tr(
                "{file}: cut off: {there} of {claimed} bytes are there",
                file=name,
                there=size,
                claimed=claimed,
            )
        )


def _check_pages(path: Path) -> None:
    """Compare the size of an SQLite file with the number of its pages, where that is kept."""
    with path.open("rb") as stream:
        head = stream.read(100)
    page = int.from_bytes(head[16:18], "big")
    if len(head) == 100 and head[24:28] == head[92:96]:
        size = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
        _check_size(path.name, path.stat().st_size, size)


def _check_sequence(path: Path) -> None:
    """Refuse a text sequence in which a line is no JSON; the number of lines is nowhere stated."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            text = re.sub(rb"^[\x1e\xef\xbb\xbf ]+|[\x1e\r\n ]+$", b"", line)
            try:
                if text:
                    json.loads(text)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    tr(
                        "{file}: damaged or cut off: line {n} is no JSON",
                        file=path.name,
                        n=number,
                    )
                ) from error
