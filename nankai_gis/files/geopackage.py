"""GeoPackages: written whole or not at all, with metadata of their own in a table of attributes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nankai_gis import words
from nankai_gis.errors import DataError, OutputError
from nankai_gis.files.atomic import atomic_write
from nankai_gis.files.formats import refuse_missing
from nankai_gis.words import mark, tr

#: Bytes left on a disk that is taken to be full.
_FULL = 1 << 20


def write_metadata(path: Path, table: str, content: Mapping[str, Any], description: str) -> None:
    """Put a record into a GeoPackage."""
    import json
    import sqlite3

    text = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False)
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, record TEXT NOT NULL)")
        base.execute(f"INSERT INTO {table} (record) VALUES (?)", (text,))
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) "
            "VALUES (?, 'attributes', ?, ?)",
            (table, table, description),
        )


def read_metadata(path: Path, table: str) -> dict[str, Any] | None:
    """Return the record of a GeoPackage."""
    import json
    import sqlite3

    refuse_missing(path)
    if path.is_dir():
        return None
    with path.open("rb") as stream:
        if stream.read(16) != b"SQLite format 3\0":
            return None
    try:
        # `immutable`: a record is only read, nor is a journal left beside the file.
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as base:
            there = base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            if there is None:
                return None
            row = base.execute(f"SELECT record FROM {table}").fetchone()
        if isinstance(content := json.loads(row[0]), dict):
            return content
        raise ValueError(tr("the record isn't a JSON object"))
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise DataError(
            tr("{file}: damaged or cut off: {reason}", file=path.name, reason=error)
        ) from error


@contextlib.contextmanager
def atomic_geopackage(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Do as `atomic_write` for a GeoPackage, which GDAL and SQLite write."""
    import sqlite3

    with atomic_write(path, overwrite=overwrite) as draft:
        draft.unlink()
        try:
            yield draft
            check_index(draft)
        # pyogrio's errors are RuntimeErrors.
        except (RuntimeError, sqlite3.Error, DataError) as error:
            # GDAL tells of the first statement that failed, not why.
            left, message = shutil.disk_usage(path.parent).free, "can't write {file}: {reason}"
            if left < _FULL:
                message = mark("can't write {file}: {reason} (the disk is full: {left} bytes left)")
            raise OutputError(tr(message, file=path, reason=error, left=left)) from error


def check_index(path: Path) -> None:
    """Check that each layer of a GeoPackage has its spatial index.

    GDAL writes the index last, and where it can't, on a disk that is full, it says nothing.
    """
    import errno
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as base:
        rows = base.execute(
            "SELECT table_name FROM gpkg_geometry_columns WHERE "
            "'rtree_' || table_name || '_' || column_name NOT IN (SELECT name FROM sqlite_master)"
        ).fetchall()
    if rows:
        raise OSError(
            errno.EIO,
            tr(
                "the spatial index of {layers} wasn't written; is the disk full?",
                layers=words.listed(row[0] for row in rows),
            ),
        )
