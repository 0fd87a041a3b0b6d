"""What a GeoPackage says of its own making: JSON in a table of attributes beside its layers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nankai_gis.errors import DataError

__all__ = ["read", "write"]


def write(path: Path, table: str, content: Mapping[str, Any], description: str) -> None:
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
    >>> write(file, "made", {"by": "hand"}, "how it was made")
    >>> read(file, "made", "example")
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


def read(path: Path, table: str, what: str) -> dict[str, Any] | None:
    """Return the record of a GeoPackage.

    Parameters
    ----------
    path : pathlib.Path
    table : str
    what : str
        What the file is taken for, as messages call it.

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
    >>> read(Path("nowhere.gpkg"), "made", "example")
    Traceback (most recent call last):
    nankai_gis.errors.DataError: nowhere.gpkg: there is no such file
    """
    import json
    import sqlite3

    if not path.is_file():
        why = "is a folder; name a file in it" if path.is_dir() else "there is no such file"
        raise DataError(f"{path}: {why}")
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
        content = json.loads(row[0])
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise DataError(f"{path.name}: the {what} is damaged or cut off: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path.name}: the record of the {what} is damaged")
    return content
