"""Coverage of a network beyond one machine's memory: partition by partition, on Dask.

The network lies in a folder of GeoParquet files. Dask reads, distributes and reduces; each
worker cuts its partitions by the areas and keeps sums (`_tally`), which are merged two by two,
in order, and make the same tables as one frame of all rows does.

Only sums come back, and the ends of the pieces that lie near a boundary. Areas go to each worker
once, and no prepared geometry goes anywhere.
"""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import CRSError, DataError, GeometryError, MissingExtraError, SchedulerError
from nankai_gis.geometry.arrays import Bools, Ints, Shapes
from nankai_gis.measure.coverage import BOUNDARY_M, Coverage, Key, _measured
from nankai_gis.measure.coverage.roadclass import CLASS_COLUMNS
from nankai_gis.measure.coverage.sums import Heard, Pieces, Tally, merge, tally
from nankai_gis.measure.coverage.validation import check_crs, either, id_column, repeated

if TYPE_CHECKING:
    from distributed import Client
    from geopandas import GeoDataFrame

__all__ = ["measure"]

#: So many tallies are merged at a time: few enough to stay small, many enough to be few levels.
_MERGED_AT_ONCE = 8
_CONNECT_S = 10
_KEYS = ("high", "low")
_KEY_TYPES = {"high": "uint64", "low": "uint64", "part": "int64"}


def measure(
    zones: GeoDataFrame,
    folder: Path | str,
    subdistricts: GeoDataFrame | None = None,
    *,
    scheduler: str | None = None,
    by: Iterable[Key] | None = None,
    boundary_m: float = BOUNDARY_M,
    district: GeoDataFrame | None = None,
    corridors: GeoDataFrame | None = None,
    reach_m: float | None = None,
    reach_ends: Literal["round", "flat"] = "round",
    centrelines: GeoDataFrame | None = None,
    street_name: str = "name",
    street_class: str | None = None,
    subdistrict_name: str | None = None,
    heard: Callable[[int, int], None] | None = None,
) -> Coverage:
    """Hold zones against streets that lie in a folder of GeoParquet files.

    The tables are those of `coverage.measure` for all rows in one frame, file after file in the
    order of their names (``part.9`` before ``part.10``). A street may go on from one file to the
    next; a row that repeats another's id and line is left out wherever the two stand. Files
    without rows are fine; one that can't be read, or whose columns or CRS don't fit, is an error.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        As in `coverage.measure`; so are the parameters that aren't listed here.
    folder : path
        ``*.parquet`` files in it and below it, EPSG:4326, as ``to_parquet`` of geopandas and
        dask-geopandas writes them. Names that begin with ``_`` or ``.`` don't count.
    subdistricts : geopandas.GeoDataFrame, optional
    scheduler : str, optional
        Address of a running Dask scheduler, ``tcp://host:8786``, whose workers see the folder
        under the same path and have this package installed. By default as many processes as
        there are processors start on this machine, and end with the call; a script that asks for
        that must be fit to be imported (``if __name__ == "__main__":``).
    by, boundary_m, district, corridors, reach_m, reach_ends, centrelines : optional
    street_name, street_class, subdistrict_name : str, optional
    heard : callable, optional
        Is told how many steps are done, and of how many: one for each partition, and one more
        for each where repeated rows are looked for.

    Returns
    -------
    Coverage
        Without `Coverage.pieces`; asking for them is a DataError.

    Raises
    ------
    CRSError, DataError, GeometryError, ValueError
        As `coverage.measure`; and a DataError for a folder without files, for files that can't
        be read or that differ in their columns, and if workers run out of memory.
    MissingExtraError
        If Dask isn't installed.
    SchedulerError
        If the scheduler doesn't answer within 10 seconds, or is lost.

    Examples
    --------
    A zone of a hundredth of a degree. One file holds a street up to its west side, the next how
    it goes on, right through and as far again:

    >>> import tempfile
    >>> import geopandas
    >>> from shapely.geometry import LineString, box
    >>> zone = geopandas.GeoDataFrame(
    ...     {"id": ["z"]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number, (west, east) in enumerate([(116.99, 117), (117, 117.02)]):
    ...         line = LineString([(west, 39.005), (east, 39.005)])
    ...         part = geopandas.GeoDataFrame({"name": ["橫道"]}, geometry=[line], crs=4326)
    ...         part.to_parquet(f"{folder}/part.{number}.parquet")
    ...     found = measure(zone, folder)
    >>> found.streets[["street", "inside_km", "share_inside", "crossings"]].round(3).values
    array([['橫道', 0.866, 0.333, 2]], dtype=object)
    """
    _require()
    network = _network(Path(folder), street_name, street_class)

    def counted(areas: Shapes) -> tuple[Tally, Pieces | None]:
        job = _Job(areas, street_name, street_class, boundary_m)
        told = heard or (lambda done, whole: None)
        with _failures(network):
            parts = _read(network)
            with _client(scheduler, len(parts)) as client:
                found = _count(client, parts, network.id_column, job, told)
        if found.rows != network.rows:
            raise DataError(
                f"{network.folder}: {found.rows} rows came of files that say they have "
                f"{network.rows}; did they change meanwhile? Measure again"
            )
        return found, None

    return _measured(
        zones,
        subdistricts,
        counted,
        by=by,
        boundary_m=boundary_m,
        district=district,
        corridors=corridors,
        reach_m=reach_m,
        reach_ends=reach_ends,
        centrelines=centrelines,
        street_name=street_name,
        subdistrict_name=subdistrict_name,
    )


def _require() -> None:
    try:
        for name in ("dask_geopandas", "distributed", "pyarrow"):
            importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"networks in partitions want Dask, and {error.name} isn't installed: "
            f"pip install 'nankai-gis[dask]'"
        ) from error


# ------------------------------------------------------------------ the files


@dataclass(frozen=True)
class _Network:
    """The files of a network, and what their footers say."""

    folder: Path
    files: list[Path]
    rows: int
    columns: list[str]
    id_column: str | None


def _network(folder: Path, street_name: str, street_class: str | None) -> _Network:
    """Look at all files before any long work: a fault in the last shouldn't show after hours."""
    import pyarrow

    files = _files(folder)
    asked = {"street_name": street_name, "street_class": street_class}
    used = {*asked.values(), *CLASS_COLUMNS, "id", "way", "railway", "waterway"}
    joined: Any = None
    rows, known = 0, set[str]()
    for file in files:
        count, schema, geometry = _footer(file)
        for option, column in asked.items():
            if column is not None and column not in schema.names:
                there = ", ".join(name for name in schema.names if name != geometry) or "none"
                raise DataError(
                    f"{file} has no column {column!r}; it has {there}: name the column with "
                    f"{option}"
                )
        mine = {geometry, *(name for name in schema.names if name in used)}
        rows += count
        joined, known = (schema, mine) if joined is None else (joined, known)
        if mine != known:
            raise DataError(
                f"{file} and {files[0]} differ in the column(s) {', '.join(sorted(mine ^ known))}; "
                f"write all files with the same columns"
            )
        schema = pyarrow.schema([schema.field(name) for name in schema.names if name in mine])
        try:
            # A column that is empty throughout a file has a type that goes with any other.
            joined = pyarrow.unify_schemas([joined, schema], promote_options="permissive")
        except (pyarrow.ArrowException, TypeError) as error:
            raise DataError(
                f"{file} and {files[0]} differ in the type of a column: {error}; write all files "
                f"with the same columns"
            ) from error
    columns = [name for name in joined.names if name in known]
    return _Network(folder, files, rows, columns, id_column(known))


def _files(folder: Path) -> list[Path]:
    from dask.utils import natural_sort_key

    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such folder"
        raise DataError(f"{folder}: {what}; give a folder of GeoParquet files")
    names = [path.relative_to(folder) for path in folder.rglob("*.parquet") if path.is_file()]
    shown = [name for name in names if not any(p.startswith(("_", ".")) for p in name.parts)]
    if not shown:
        raise DataError(
            f"{folder}: no .parquet file in it; write the network as GeoParquet, part by part "
            f"with geopandas' to_parquet or at once with that of dask-geopandas"
        )
    return [folder / name for name in sorted(shown, key=lambda name: natural_sort_key(str(name)))]


def _footer(file: Path) -> tuple[int, Any, str]:
    """Rows, schema and geometry column of a file; its CRS must be longitude and latitude."""
    import pyarrow
    from pyarrow import parquet
    from pyproj import CRS
    from pyproj.exceptions import CRSError as ProjError

    try:
        meta = parquet.read_metadata(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{file}: no Parquet file, or cut off: {error}") from error
    schema = meta.schema.to_arrow_schema()
    try:
        geo = json.loads((schema.metadata or {})[b"geo"])
        geometry = str(geo["primary_column"])
        # The standard: left out it is OGC:CRS84, null says that nobody knows.
        stated = geo["columns"][geometry].get("crs", "OGC:CRS84")
        crs = None if stated is None else CRS.from_user_input(stated)
        schema.field(geometry)
    except (KeyError, TypeError, AttributeError, ValueError, ProjError) as error:
        raise DataError(
            f"{file}: Parquet, but no GeoParquet: what it says of its geometry is missing or "
            f"damaged ({error!r}); write it with geopandas' to_parquet"
        ) from error
    check_crs(crs, str(file))
    return meta.num_rows, schema, geometry


@contextlib.contextmanager
def _failures(network: _Network) -> Iterator[None]:
    """Say in this toolkit's words what fails on workers."""
    import pyarrow
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (CRSError, DataError, GeometryError, SchedulerError):
        raise
    except KilledWorker as error:
        raise DataError(
            f"{network.folder}: workers died over a partition, most likely for want of memory; "
            f"write the network in smaller files, or with smaller row groups"
        ) from error
    except (FutureCancelledError, CommClosedError) as error:
        raise SchedulerError(f"the Dask scheduler was lost on the way: {error}") from error
    except (RuntimeError, ImportError) as error:
        raise SchedulerError(
            f"the Dask workers can't run this: {_first_line(error)}; install nankai-gis[dask] and "
            f"the same versions of its packages for them"
        ) from error
    except (OSError, pyarrow.ArrowException, shapely.errors.ShapelyError) as error:
        raise DataError(
            f"{_damaged(network.files) or network.folder}: the workers can't read it: "
            f"{_first_line(error)}; write it anew, or see whether they have it under this path"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _damaged(files: Sequence[Path]) -> Path | None:
    """The first file whose data can't be decoded."""
    import pyarrow
    from pyarrow import parquet

    for file in files:
        try:
            for _ in parquet.ParquetFile(file).iter_batches():
                pass
        except (OSError, pyarrow.ArrowException):
            return file
    return None


# ------------------------------------------------------------------ on Dask


@contextlib.contextmanager
def _client(scheduler: str | None, parts: int) -> Iterator[Client]:
    """A client of a running scheduler, or of processes that end with it."""
    import logging
    import tempfile

    from dask.system import CPU_COUNT
    from distributed import Client, LocalCluster
    from distributed.comm import resolve_address

    if scheduler is not None:
        try:
            # A client that is given no proper address never gets rid of itself.
            resolve_address(scheduler)
            client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SchedulerError(
                f"no Dask scheduler answers at {scheduler!r}: {error}; start one with "
                f"`dask scheduler`, or leave the address out to work on this machine"
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=_CONNECT_S)
            except TimeoutError as error:
                raise SchedulerError(
                    f"the Dask scheduler at {scheduler} has no workers; start some with "
                    f"`dask worker {scheduler}`"
                ) from error
            yield client
        return
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalCluster(
            n_workers=min(CPU_COUNT, parts),
            threads_per_worker=1,
            processes=True,
            # Nobody else is asked in, and what fails is told by the error alone.
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=scratch,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@dataclass(frozen=True)
class _Job:
    """What every worker needs, sent to each once."""

    areas: Shapes
    street_name: str
    street_class: str | None
    boundary_m: float


def _count(client: Client, parts: list[Any], column: str | None, job: _Job, heard: Heard) -> Tally:
    import dask.bag
    from dask import delayed

    whole = (1 if column is None else 2) * len(parts)
    again = None
    if column is not None:
        again = _elsewhere(client, parts, column, lambda n: heard(n, whole))
        again = client.scatter(again, broadcast=True, hash=False)
    sent = client.scatter(job, broadcast=True, hash=False)
    bag = dask.bag.from_delayed(
        [delayed(_tallies)(part, number, sent, again) for number, part in enumerate(parts)]
    )
    bag = client.persist(bag)
    _follow(client, bag, lambda n: heard(whole - len(parts) + n, whole))
    reduced = bag.reduction(_merged, _merged, split_every=_MERGED_AT_ONCE)
    found: Tally = client.compute(reduced).result()
    return found


def _read(network: _Network) -> list[Any]:
    import dask_geopandas

    frame = dask_geopandas.read_parquet(
        [str(file.resolve()) for file in network.files],  # a worker has a folder of its own
        columns=network.columns,
        index=False,
    )
    parts: list[Any] = frame.to_delayed()
    return parts


def _follow(client: Client, collection: Any, heard: Callable[[int], None]) -> None:
    """Count the partitions of a collection as they are done; stop at the first that fails."""
    from distributed import as_completed, futures_of

    done = as_completed(futures_of(collection), loop=client.loop)
    for number, future in enumerate(done, 1):
        if future.status != "finished":
            future.result()
        heard(number)


def _tallies(frame: GeoDataFrame, number: int, job: _Job, again: pd.Series | None) -> list[Tally]:
    """The tally of one partition, as a partition of a bag has it."""
    # A row without an id is known by its place in the whole network.
    frame = frame.reset_index(drop=True)
    skip: Bools | None = repeated(frame)
    if again is not None and len(again):
        skip = either(skip, _earlier(frame, number, again))
    try:
        found, _ = tally(
            frame,
            job.areas,
            street_name=job.street_name,
            street_class=job.street_class,
            boundary_m=job.boundary_m,
            again=skip,
        )
    except (CRSError, DataError, GeometryError) as error:
        raise type(error)(f"partition {number + 1}: {error}") from error
    return [found]


def _merged(tallies: Iterable[Tally]) -> Tally:
    return merge(list(tallies))


# ------------------------------------------------------------------ rows that come again


def _elsewhere(
    client: Client, parts: list[Any], column: str, heard: Callable[[int], None]
) -> pd.Series:
    """Rows that stand in several partitions, by their keys: the first partition of each."""
    import dask.dataframe
    from dask import delayed

    keys = dask.dataframe.from_delayed(
        [delayed(_keyed)(part, number, column) for number, part in enumerate(parts)],
        meta=pd.DataFrame(columns=[*_KEYS, "part"]).astype(_KEY_TYPES),
        verify_meta=False,
    )
    keys = client.persist(keys)
    _follow(client, keys, heard)
    found = keys.groupby(list(_KEYS), sort=False)["part"].agg(
        ["min", "max"], split_out=max(len(parts) // _MERGED_AT_ONCE, 1), shuffle_method="tasks"
    )
    several = client.compute(found[found["min"] < found["max"]]).result()
    first: pd.Series = several["min"]
    return first


def _keyed(frame: GeoDataFrame, number: int, column: str) -> pd.DataFrame:
    """The keys of a partition's rows, each once."""
    table, _ = _hashed(frame, column)
    return table.drop_duplicates().assign(part=np.int64(number))


def _hashed(frame: GeoDataFrame, column: str) -> tuple[pd.DataFrame, Ints]:
    """128 bits for each row's id and line, and the rows that have both.

    Among ten thousand million rows two would share 64 bits almost surely; 128 they share with a
    chance of one in 10^18.
    """
    shapes = np.asarray(frame.geometry.values, dtype=object)
    rows = np.flatnonzero(~shapely.is_missing(shapes) & frame[column].notna().to_numpy(dtype=bool))
    # A number that one partition holds as an integer is a float where another value is missing.
    texts = [
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        for value in frame[column].iloc[rows].tolist()
    ]
    lines = shapely.to_wkb(shapes[rows], byte_order=1)
    both = np.empty(len(rows), dtype=object)
    both[:] = [text.encode() + b"\0" + line for text, line in zip(texts, lines, strict=True)]
    hashed = {
        name: pd.util.hash_array(both, hash_key=salt, categorize=False)
        for name, salt in zip(_KEYS, ("nankai-gis, high", "nankai-gis, low."), strict=True)
    }
    return pd.DataFrame(hashed), rows


def _earlier(frame: GeoDataFrame, number: int, first: pd.Series) -> Bools:
    """Rows of a partition that stand in an earlier one."""
    column = id_column(frame.columns)
    assert column is not None
    table, rows = _hashed(frame, column)
    at = first.index.get_indexer(pd.MultiIndex.from_frame(table))
    known = np.flatnonzero(at >= 0)
    skip = np.zeros(len(frame), dtype=np.bool_)
    skip[rows[known]] = first.to_numpy()[at[known]] < number
    return skip
