"""Coverage of a network beyond one machine's memory: sums by partition, on Dask.

dask-geopandas reads and distributes a folder of GeoParquet files; each worker cuts its
partitions by the areas (`sums.street_sums`), and one groupby joins them (`sums.joined`).
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError, MissingExtraError, NankaiGISError, SchedulerError
from nankai_gis.geometry.arrays import Shapes
from nankai_gis.measure.coverage import validation
from nankai_gis.measure.coverage.labels import CLASS_COLUMNS
from nankai_gis.measure.coverage.overlay import BOUNDARY_M, measure_by
from nankai_gis.measure.coverage.result import Coverage
from nankai_gis.measure.coverage.sums import Progress, StreetSums, joined, street_sums
from nankai_gis.words import Language, language, listed, speaking, tr

if TYPE_CHECKING:
    from distributed import Client
    from geopandas import GeoDataFrame

_CONNECT_S = 10
_KEYS = pd.DataFrame([], columns=["id", "line", "part"]).astype(
    {"id": "string", "line": "uint64", "part": "int64"}
)


def measure(
    zones: GeoDataFrame,
    folder: Path | str,
    subdistricts: GeoDataFrame | None = None,
    *,
    scheduler: str | None = None,
    street_name: str = "name",
    street_class: str | None = None,
    boundary_m: float = BOUNDARY_M,
    progress: Progress | None = None,
    **options: Any,
) -> Coverage:
    """Overlay zones with streets that lie in a folder of GeoParquet files.

    The tables are those of `coverage.measure` for all rows in one frame, file after file in the
    order of their names (``part.9`` before ``part.10``), without `Coverage.pieces`.

    Parameters
    ----------
    zones, subdistricts, street_name, street_class, boundary_m, **options
        As in `coverage.measure`.
    folder : path
        ``*.parquet`` in it and below it, EPSG:4326; names with ``_`` or ``.`` first don't count.
    scheduler : str, optional
        Address of a Dask scheduler, ``tcp://host:8786``, whose workers see the folder under the
        same path. By default processes start on this machine, and end with the call; a script
        needs ``if __name__ == "__main__":`` for that.
    progress : callable, optional
        Is called with the steps done and all steps: one or two for each partition.

    Returns
    -------
    Coverage

    Raises
    ------
    CRSError, DataError, GeometryError, ValueError
        As `coverage.measure`; a DataError for files that can't be read or differ in columns, too.
    MissingExtraError, SchedulerError
        Without Dask; if the scheduler doesn't answer within 10 seconds, or is lost.

    Examples
    --------
    >>> measure(None, ".")
    Traceback (most recent call last):
    nankai_gis.errors.DataError: .: no folder with .parquet files in it; write the network with ...
    """
    try:
        import dask_geopandas
        from dask import dataframe
    except ImportError as error:
        message = tr(
            "networks in partitions need Dask, and {package} isn't installed: "
            "pip install 'nankai-gis[dask]'",
            package=error.name,
        )
        raise MissingExtraError(message) from error
    names = {"street_name": street_name, "street_class": street_class}
    files, columns = _files(Path(folder), names)
    settings = {**names, "boundary_m": boundary_m}
    column = validation.id_column(columns)

    def summed(areas: Shapes) -> tuple[StreetSums, None]:
        with _client(folder, scheduler, len(files)) as client:
            frame = dask_geopandas.read_parquet(files, columns=columns, index=False)
            parts, first = frame.to_delayed(), None
            steps = itertools.count(1), len(parts) * (1 if column is None else 2)
            if column is not None:
                # Rows that several partitions have, and the first of these partitions.
                made = _run(client, parts, _keys, (column,), progress, steps)
                keys = dataframe.from_delayed(made, meta=_KEYS, verify_meta=False)
                spans = keys.groupby(["id", "line"])["part"].agg(["min", "max"])
                first = client.compute(spans.loc[spans["min"] < spans["max"], "min"]).result()
            given = areas, settings, first, column, language()
            made = _run(client, parts, _sums, given, progress, steps)
            return joined(client.gather(made)), None

    return measure_by(
        summed, zones, subdistricts, boundary_m=boundary_m, street_name=street_name, **options
    )


def _files(folder: Path, options: dict[str, str | None]) -> tuple[list[str], list[str]]:
    """The files in the order of their names, and the columns to read of them."""
    import geopandas
    import pyarrow
    from dask.utils import natural_sort_key
    from pyarrow import parquet

    names = [str(path.relative_to(folder)) for path in folder.rglob("*.parquet")]
    files = [
        folder / name for name in sorted(names, key=natural_sort_key)
        if not any(part.startswith(("_", ".")) for part in Path(name).parts)
    ]  # fmt: skip
    used = {*CLASS_COLUMNS, "id", "way", "railway", "waterway", *options.values()}
    first: list[str] = []
    for file in files:
        # geopandas reads CRS and columns from the footer, here of a copy without rows.
        empty = io.BytesIO()
        try:
            parquet.write_table(parquet.read_schema(file).empty_table(), empty)
            frame = geopandas.read_parquet(empty)
        except (OSError, pyarrow.ArrowException, ArithmeticError, LookupError, RuntimeError,
                TypeError, ValueError) as error:  # fmt: skip
            message = tr(
                "{file}: no GeoParquet file, or cut off ({error}); write it with to_parquet of "
                "geopandas",
                file=file,
                error=repr(error),
            )
            raise DataError(message) from error
        validation.check_crs(frame.crs, str(file))
        for option, column in options.items():
            if column is not None:
                validation.check_column(frame, column, str(file), option)
        columns = [c for c in frame.columns if c in used or c == frame.geometry.name]
        first = first or columns
        if set(columns) != set(first):
            message = tr(
                "{file} and {other} have different columns: {columns}; write all files with the "
                "same columns",
                file=file,
                other=files[0],
                columns=listed(sorted({*columns} ^ {*first})),
            )
            raise DataError(message)
    if not files:
        message = tr(
            "{folder}: no folder with .parquet files in it; write the network with to_parquet of "
            "geopandas or dask-geopandas",
            folder=folder,
        )
        raise DataError(message)
    # A worker has a folder of its own.
    return [str(file.resolve()) for file in files], first


@contextlib.contextmanager
def _client(folder: Path | str, scheduler: str | None, parts: int) -> Iterator[Client]:
    """A client of a scheduler, or of processes that end with it; what fails has one message."""
    import distributed
    from dask.system import CPU_COUNT
    from shapely.errors import ShapelyError

    # Nobody else is let in, and failures are reported by the error alone.
    options: dict[str, Any] = {
        "n_workers": min(CPU_COUNT, parts), "threads_per_worker": 1, "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL,
    }  # fmt: skip
    lost = distributed.KilledWorker, distributed.CancelledError, distributed.comm.CommClosedError
    started = False
    try:
        if scheduler is not None:
            # A client with an address that makes no sense would never end.
            distributed.comm.resolve_address(scheduler)
            options = {"timeout": _CONNECT_S}
        with distributed.Client(scheduler, set_as_default=False, **options) as client:
            client.wait_for_workers(1, timeout=_CONNECT_S)
            started = True
            yield client
    except NankaiGISError:
        raise
    except (*lost, OSError, ValueError, ImportError, RuntimeError, ShapelyError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        if not started:
            message = tr(
                "no Dask scheduler with workers answers at {address}: {error}; start them with "
                "`dask scheduler` and `dask worker {address}`, or leave the address out to work "
                "on this machine",
                address=repr(scheduler),
                error=reason,
            )
            raise SchedulerError(message) from error
        if isinstance(error, lost):
            message = tr(
                "Dask lost its scheduler or its workers: {error}; see whether they run, and give "
                "them more memory or smaller files",
                error=reason,
            )
            raise SchedulerError(message) from error
        message = tr(
            "{folder}: the workers can't read it: {error}; write it anew, or see whether they "
            "have it under this path, and the same packages",
            folder=folder,
            error=reason,
        )
        raise DataError(message) from error


def _run(
    client: Client, parts: list[Any], function: Callable[..., Any], given: tuple[Any, ...],
    progress: Progress | None, steps: tuple[Iterator[int], int],
) -> list[Any]:  # fmt: skip
    """Run a function of a partition, its number and more; stop at the first that fails."""
    import dask
    from distributed import as_completed

    # What all of them need goes to each worker once.
    sent = [client.scatter([thing], broadcast=True, hash=False)[0] for thing in given]
    job = dask.delayed(function)
    futures: list[Any] = client.compute([job(part, n, *sent) for n, part in enumerate(parts)])
    for future in as_completed(futures, loop=client.loop):
        if future.status != "finished":
            future.result()
        if progress is not None:
            progress(next(steps[0]), steps[1])
    return futures


def _keys(frame: GeoDataFrame, part: int, column: str) -> pd.DataFrame:
    """The id and a hash of the line of each row that has both."""
    located = ~shapely.is_missing(np.asarray(frame.geometry.values, dtype=object))
    known = frame[frame[column].notna() & located]
    # Where another value is missing, pandas makes a float of a number.
    ids = known[column].convert_dtypes().astype(str).to_numpy(dtype=object)
    line = pd.util.hash_array(known.geometry.to_wkb().to_numpy(dtype=object), categorize=False)
    table = pd.DataFrame({"id": ids, "line": line, "part": part}, index=known.index)
    return table.astype(_KEYS.dtypes)


def _sums(
    frame: GeoDataFrame, part: int, areas: Shapes, settings: dict[str, Any],
    first: pd.Series | None, column: str, lang: Language,
) -> StreetSums:  # fmt: skip
    """The sums of one partition, without the rows that an earlier one has."""
    again = validation.repeated(frame)
    if first is not None and len(first):
        keys = _keys(frame, part, column)
        earlier = first.reindex(pd.MultiIndex.from_frame(keys[["id", "line"]])) < part
        skip = np.zeros(len(frame), dtype=np.bool_)
        skip[keys.index[earlier.to_numpy(dtype=bool)]] = True
        again = validation.either(again, skip)
    with speaking(lang):
        try:
            return street_sums(frame, areas, again=again, **settings)[0]
        except NankaiGISError as error:
            message = tr("partition {number}: {error}", number=part + 1, error=error)
            raise type(error)(message) from error
