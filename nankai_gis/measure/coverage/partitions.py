"""Coverage of a network beyond one machine's memory: sums by partition, on Dask.

dask-geopandas reads and distributes a folder of GeoParquet files; each worker cuts its
partitions by the areas; one groupby joins their sums.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import CRSError, DataError, GeometryError, MissingExtraError
from nankai_gis.geometry.arrays import Ints, Shapes
from nankai_gis.measure.coverage.overlay import BOUNDARY_M, measure_by
from nankai_gis.measure.coverage.reconciliation import Ledger
from nankai_gis.measure.coverage.result import Coverage
from nankai_gis.measure.coverage.sums import Ends, Progress, StreetSums, in_order, street_sums
from nankai_gis.measure.coverage.validation import either, repeated
from nankai_gis.words import Language, language, speaking, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_KEYS = {"id": "string", "line": "uint64", "part": "int64"}


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
        Is called with the steps done and all steps: two for each partition.

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
    >>> measure(None, "nowhere")
    Traceback (most recent call last):
    nankai_gis.errors.DataError: nowhere: there is no such folder
    """
    try:
        from nankai_gis.measure.coverage.workers import look_into, on_workers
    except ImportError as error:
        message = tr(
            "networks in partitions need Dask, and {package} isn't installed: "
            "pip install 'nankai-gis[dask]'",
            package=error.name,
        )
        raise MissingExtraError(message) from error
    network = look_into(Path(folder), street_name, street_class)
    settings = {"street_name": street_name, "street_class": street_class, "boundary_m": boundary_m}

    def summed(areas: Shapes) -> tuple[StreetSums, None]:
        with on_workers(network, scheduler, progress) as run:
            first = None
            if network.id_column is not None:
                # Rows that several partitions have, and the first of these partitions.
                keys = run.table(_keys, _KEYS, network.id_column)
                found = keys.groupby(["id", "line"])["part"].agg(["min", "max"], split_out=run.few)
                first = run.compute(found.loc[found["min"] < found["max"], "min"])
            sums = run.map(_sums, areas, settings, first, network.id_column, language())
        return _joined(sums), None

    return measure_by(
        summed, zones, subdistricts, boundary_m=boundary_m, street_name=street_name, **options
    )


def _keys(frame: GeoDataFrame, part: int, column: str) -> pd.DataFrame:
    """The id and a hash of the line of each row that has both."""
    located = ~shapely.is_missing(np.asarray(frame.geometry.values, dtype=object))
    known = frame[frame[column].notna() & located]
    # Where another value is missing, pandas makes a float of a number.
    ids = known[column].convert_dtypes().astype(str).to_numpy(dtype=object)
    line = pd.util.hash_array(known.geometry.to_wkb().to_numpy(dtype=object), categorize=False)
    return pd.DataFrame({"id": ids, "line": line, "part": part}, index=known.index).astype(_KEYS)


def _sums(
    frame: GeoDataFrame, part: int, areas: Shapes, settings: dict[str, Any],
    first: pd.Series | None, column: str, lang: Language,
) -> StreetSums:  # fmt: skip
    """The sums of one partition, without the rows that an earlier one has."""
    again = repeated(frame)
    if first is not None and len(first):
        keys = _keys(frame, part, column)
        earlier = first.reindex(pd.MultiIndex.from_frame(keys[["id", "line"]])) < part
        skip = np.zeros(len(frame), dtype=np.bool_)
        skip[keys.index[earlier.to_numpy(dtype=bool)]] = True
        again = either(again, skip)
    with speaking(lang):
        try:
            return street_sums(frame, areas, again=again, **settings)[0]
        except (CRSError, DataError, GeometryError) as error:
            message = tr("partition {number}: {error}", number=part + 1, error=error)
            raise type(error)(message) from error


def _joined(parts: list[StreetSums]) -> StreetSums:
    """The sums of all partitions; names keep the order and spelling of their first appearance."""
    states, state = _numbered([dict.fromkeys(_states(part)) for part in parts])
    streets, street = _numbered([part.streets for part in parts])
    classes, road_class = _numbered([part.classes for part in parts])
    # Sum up by state, street and class.
    renamed = [
        part.groups.assign(
            state=state[n][part.groups["state"]], street=street[n][part.groups["street"]],
            **{"class": road_class[n][part.groups["class"]]},
        ) for n, part in enumerate(parts)
    ]  # fmt: skip
    keys = ["state", "street", "class"]
    groups = pd.concat(renamed).groupby(keys)[["length_m"]].sum().reset_index()
    run, ledger, rows = np.zeros((len(streets) + 1, 2)), Ledger(), 0
    ends = []
    for n, part in enumerate(parts):
        run[street[n]] += part.run
        e = part.ends
        ends.append((e.first, e.last, e.ahead, e.behind, state[n][e.state], street[n][e.street]))
        # A row without an id is known by its place in the whole network.
        for note in part.notes:
            which = tuple(w + rows if isinstance(w, int) else w for w in note.which)
            ledger.add(replace(note, which=which))
        rows += part.rows
    flat = np.array([row for key in states for row in key], dtype=np.int64).reshape(-1, 2)
    return StreetSums(
        rows=rows,
        lines=sum(part.lines for part in parts),
        total_m=sum(part.total_m for part in parts),
        state_first=np.append(0, np.cumsum([len(key) for key in states])).astype(np.int64),
        state_area=flat[:, 0],
        state_on=flat[:, 1],
        streets=streets,
        classes=classes,
        run=run,
        groups=groups,
        ends=Ends(*map(np.concatenate, zip(*ends, strict=True))),
        notes=in_order(ledger),
    )


def _states(part: StreetSums) -> list[tuple[tuple[int, int], ...]]:
    """The areas of each state of a partition."""
    rows = list(zip(part.state_area.tolist(), part.state_on.tolist(), strict=True))
    first = part.state_first.tolist()
    return [tuple(rows[low:high]) for low, high in pairwise(first)]


def _numbered(each: list[dict[Any, Any]]) -> tuple[dict[Any, Any], list[Ints]]:
    """All keys in the order of their first appearance, and the number of each part's own.

    What has no key stands after the last in every part, and after all in the whole.
    """
    known: dict[Any, Any] = {}
    for texts in each:
        known |= {key: text for key, text in texts.items() if key not in known}
    number = {key: n for n, key in enumerate(known)}
    return known, [np.array([*map(number.get, texts), len(known)]) for texts in each]
