"""A network in a folder of GeoParquet files: what their footers say, before any long work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from nankai_gis.errors import DataError
from nankai_gis.measure.coverage.labels import CLASS_COLUMNS
from nankai_gis.measure.coverage.validation import check_crs, id_column
from nankai_gis.words import listed, quoted, tr

__all__ = ["Parquet", "damaged", "look_into"]

_USED = {*CLASS_COLUMNS, "id", "way", "railway", "waterway"}


class Parquet(NamedTuple):
    """The files of a network in the order of their names, and the columns to read."""

    folder: Path
    files: list[Path]
    columns: list[str]
    id_column: str | None


def look_into(folder: Path, street_name: str, street_class: str | None) -> Parquet:
    """Check that all files of a folder go together; the first that doesn't is an error."""
    import pyarrow

    asked = {"street_name": street_name, "street_class": street_class}
    files = _files(folder)
    first: Any = None
    for file in files:
        # The columns that coverage needs must be there.
        schema, geometry = _footer(file)
        for option, column in asked.items():
            if column is not None and column not in schema.names:
                there = [name for name in schema.names if name != geometry]
                raise DataError(
                    tr(
                        "{layer}: no column {column}; there are: {columns}; name the column with "
                        "{option}",
                        layer=file,
                        column=quoted(column),
                        columns=listed(there) if there else tr("none"),
                        option=option,
                    )
                )
        used = [n for n in schema.names if n in {geometry, *asked.values(), *_USED}]
        schema = pyarrow.schema([schema.field(name) for name in used])
        # They must be the same in every file.
        first = schema if first is None else first
        apart = set(first.names) ^ set(used)
        try:
            # A column that is empty throughout a file has a type that goes with any other.
            first = pyarrow.unify_schemas([first, schema], promote_options="permissive")
        except (pyarrow.ArrowException, TypeError):
            apart |= {n for n in used if first.field(n).type != schema.field(n).type}
        if apart:
            raise DataError(
                tr(
                    "{file} and {other} have different columns, or columns of different types: "
                    "{columns}; write all files with the same columns",
                    file=file,
                    other=files[0],
                    columns=listed(sorted(apart)),
                )
            )
    return Parquet(folder, files, list(first.names), id_column(first.names))


def _files(folder: Path) -> list[Path]:
    from dask.utils import natural_sort_key

    if not folder.is_dir():
        raise DataError(
            tr("{folder}: this is a file; give a folder of GeoParquet files", folder=folder)
            if folder.exists()
            else tr("{folder}: there is no such folder", folder=folder)
        )
    names = [path.relative_to(folder) for path in folder.rglob("*.parquet") if path.is_file()]
    shown = [name for name in names if not any(p.startswith(("_", ".")) for p in name.parts)]
    if not shown:
        raise DataError(
            tr(
                "{folder}: no .parquet file in it; write the network with to_parquet of geopandas "
                "or dask-geopandas",
                folder=folder,
            )
        )
    return [folder / name for name in sorted(shown, key=lambda name: natural_sort_key(str(name)))]


def _footer(file: Path) -> tuple[Any, str]:
    """Schema and geometry column of a file; its CRS must be longitude and latitude."""
    import pyarrow
    from pyarrow import parquet
    from pyproj import CRS
    from pyproj.exceptions import CRSError as ProjError

    try:
        schema = parquet.read_schema(file)
        geo = json.loads((schema.metadata or {})[b"geo"])
        geometry = str(geo["primary_column"])
        # The standard: left out it is OGC:CRS84, null says that nobody knows.
        stated = geo["columns"][geometry].get("crs", "OGC:CRS84")
        crs = None if stated is None else CRS.from_user_input(stated)
        schema.field(geometry)
    except (
        OSError, pyarrow.ArrowException, KeyError, TypeError, AttributeError, ValueError, ProjError
    ) as error:  # fmt: skip
        raise DataError(
            tr(
                "{file}: no GeoParquet file, or cut off ({error}); write it with to_parquet of "
                "geopandas",
                file=file,
                error=repr(error),
            )
        ) from error
    check_crs(crs, str(file))
    return schema, geometry


def damaged(files: list[Path]) -> Path | None:
    """Return the first file whose data can't be decoded."""
    import pyarrow
    from pyarrow import parquet

    for file in files:
        try:
            for _ in parquet.ParquetFile(file).iter_batches():
                pass
        except (OSError, pyarrow.ArrowException):
            return file
    return None
