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
    """Put a record into a GeoPackage.

    Parameters
    ----------
    path : pathlib.Path
        A GeoPackage that has no such table yet.
    table : str
    content : mapping
        What JSON can hold.
    description : str
        For those who find the table in another program.

    Raises
    ------
    sqlite3.Error
        If the file is no GeoPackage, or has the table.

    Examples
    --------
    >>> import geopandas, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.gpkg"
    >>> points = geopandas.GeoSeries.from_wkt(["POINT (117 39)"], crs=4326)
    >>> points.to_file(file, driver="GPKG")
    >>> write_metadata(file, "made", {"by": "hand"}, "how it was made")
    >>> read_metadata(file, "made")
    {'by': 'hand'}
    """
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
    """Return the record of a GeoPackage.

    Parameters
    ----------
    path : pathlib.Path
    table : str

    Returns
    -------
    dict or None
        None where the file is no SQLite database, or has no such table.

    Raises
    ------
    DataError
        If there is no such file, or it is damaged.

    Examples
    --------
    >>> read_metadata(Path("nowhere.gpkg"), "made")
    Traceback (most recent call last):
    nankai_gis.errors.DataError: nowhere.gpkg: there is no such file
    """
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
    """Do as `atomic_write` for a GeoPackage, which GDAL and SQLite write.

    Parameters
    ----------
    path : pathlib.Path
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    pathlib.Path
        A path at which there is no file yet: GDAL takes an empty one for a broken database.

    Raises
    ------
    OutputError
        As `atomic_write`, and where GDAL or SQLite can't write or read back what was written.

    Examples
    --------
    >>> import geopandas, tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.gpkg"
    >>> points = geopandas.GeoSeries.from_wkt(["POINT (117 39)"], crs=4326)
    >>> with atomic_geopackage(target) as draft:
    ...     points.to_file(draft, layer="a", driver="GPKG")
    >>> target.read_bytes()[:13]
    b'SQLite format'
    """
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

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    OSError
        If a layer has none.
    sqlite3.Error
        If the file is no GeoPackage.

    Examples
    --------
    >>> import geopandas, tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.gpkg"
    >>> points = geopandas.GeoSeries.from_wkt(["POINT (117 39)"], crs=4326)
    >>> points.to_file(target, driver="GPKG", SPATIAL_INDEX="NO")
    >>> check_index(target)
    Traceback (most recent call last):
    OSError: [Errno 5] the spatial index of a wasn't written; is the disk full?
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
