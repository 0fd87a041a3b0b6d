"""What of a layer of lines or points can be used; what can't is said, never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from nankai_gis.errors import CRSError, DataError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.crs import STORED
from nankai_gis.measure.coverage.reconciliation import Ledger
from nankai_gis.plan.names import normalise

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pyproj import CRS


NOT_A_STREET = "a railway or river, no street"
AGAIN = "the same id and line again"
NOT_LOCATED = "no geometry (listed, not located)"
EMPTY = "empty geometry"
NOT_A_LINE = "not a line"
SEVERAL = "several parts in one row"
NO_NUMBER = "a coordinate that is no number"
NO_LENGTH = "a line without length"
PLANNED = "planned, not there yet"
#: The order in which a layer of lines is told what of it can't be used.
REASONS = (
    NOT_A_STREET, AGAIN, NOT_LOCATED, EMPTY, NOT_A_LINE, SEVERAL, NO_NUMBER, NO_LENGTH,
)  # fmt: skip


def checked(frame: GeoDataFrame, what: str) -> Shapes:
    """Return the geometry of a layer in longitude and latitude, or say what is wrong."""
    if not hasattr(frame, "geometry"):
        raise DataError(f"{what}: {type(frame).__name__} is no GeoDataFrame")
    check_crs(frame.crs, what)
    return np.asarray(frame.geometry.values, dtype=object)


def check_crs(crs: CRS | None, what: str) -> None:
    """Refuse what isn't longitude and latitude, and say what to do."""
    if crs is None:
        raise CRSError(
            f"{what} has no CRS; say in which one its coordinates are with "
            f'frame.set_crs(...), then frame.to_crs("{STORED}")'
        )
    # WGS 84 and CGCS2000 are taken as the same datum, as in `crs`.
    if crs != STORED and crs.to_epsg() != 4490 and not crs.equals(STORED, ignore_axis_order=True):
        raise CRSError(
            f"{what} is in {crs.to_string()[:60]}, not in longitude and latitude; use "
            f'frame.to_crs("{STORED}")'
        )


def labels(frame: GeoDataFrame, rows: NDArray[Any]) -> Sequence[str | int]:
    """Ids of rows; one that has none, nor an index of its own, has its position."""
    index = frame.index
    if "id" in frame.columns:
        values = frame["id"].iloc[rows]
    elif isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return [int(row) for row in rows]
    else:
        values = index[rows]
    return [str(value) for value in values]


def row_ids(frame: GeoDataFrame) -> list[str]:
    """Ids of all rows, else what the index calls them."""
    values = frame["id"] if "id" in frame.columns else frame.index
    return [str(value) for value in values]


def in_range(bounds: Floats, what: str) -> None:
    if len(bounds) and not (
        (np.abs(bounds[:, [0, 2]]) <= 180).all() and (np.abs(bounds[:, [1, 3]]) <= 90).all()
    ):
        raise CRSError(
            f"{what}: coordinates beyond 180 and 90 degrees are no longitude and latitude; the "
            f"layer's CRS is not the one it says"
        )


def columns_of(frame: GeoDataFrame) -> str:
    return ", ".join(str(c) for c in frame.columns if c != frame.geometry.name) or "none"


def blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value or not str(value).strip()


@dataclass(frozen=True)
class Lines:
    """LineStrings, and the row of the input that each comes from."""

    shapes: Shapes
    row: Ints


def usable_lines(
    frame: GeoDataFrame,
    what: str,
    ledger: Ledger,
    skip: Bools | None = None,
    *,
    some: bool = True,
) -> Lines:
    """Take the lines of a layer one by one; with `some`, none at all is an error."""
    shapes = checked(frame, what)
    row = np.arange(len(shapes))
    if skip is not None:
        shapes, row = shapes[~skip], row[~skip]
    kinds = shapely.get_type_id(shapes)

    def drop(bad: Bools, reason: str) -> None:
        nonlocal shapes, row, kinds
        if bad.any():
            ledger.note(what, "dropped", reason, labels(frame, np.unique(row[bad])))
            shapes, row, kinds = shapes[~bad], row[~bad], kinds[~bad]

    if not (kinds == 1).all():
        drop(kinds == -1, NOT_LOCATED)
        drop(shapely.is_empty(shapes), EMPTY)
        drop(~np.isin(kinds, (1, 2, 5)), NOT_A_LINE)
        many = kinds != 1
        if many.any():
            ledger.note(what, "split", SEVERAL, labels(frame, row[many]))
            parts, owner = shapely.get_parts(shapes, return_index=True)
            shapes, row = parts, row[owner]
            # A ring is a line whose ends meet.
            ring = shapely.get_type_id(shapes) == 2
            shapes[ring] = [shapely.LineString(s.coords) for s in shapes[ring]]
            kinds = shapely.get_type_id(shapes)
    size = shapely.length(shapes)
    if not (size > 0).all():
        drop(shapely.is_empty(shapes), EMPTY)
        size = shapely.length(shapes)
        drop(~np.isfinite(size), NO_NUMBER)
        size = shapely.length(shapes)
        drop(~(size > 0), NO_LENGTH)
    if len(shapes):
        in_range(shapely.total_bounds(shapes)[None, :], what)
    elif some:
        raise DataError(f"{what}: no usable line among {len(frame)} row(s)")
    return Lines(shapes, row)


def coded(values: pd.Series, by_fold: bool) -> tuple[Ints, dict[str, str]]:
    """Codes, and the texts they stand for by their keys; blanks have the code after the last.

    Texts stand in the order in which they first appear, spelt as there.
    """
    codes, unique = pd.factorize(values)
    known: dict[str, str] = {}
    number: dict[str, int] = {}
    table = np.full(len(unique) + 1, -1, dtype=np.int64)
    for row, value in enumerate(np.asarray(unique, dtype=object)):
        text = str(value).strip()
        if text:
            key = normalise(text) if by_fold else text
            known.setdefault(key, text)
            table[row] = number.setdefault(key, len(number))
    out = table[codes]
    out[out < 0] = len(known)
    return out, known


def take(labels: Sequence[str], codes: NDArray[Any]) -> Shapes:
    taken: Shapes = np.array(labels, dtype=object)[codes]
    return taken


def usable_points(frame: GeoDataFrame, what: str, ledger: Ledger) -> tuple[Shapes, Ints]:
    """Take the points of a layer one by one, and the rows they come from."""
    shapes = checked(frame, what)
    ids = row_ids(frame)
    row = np.arange(len(shapes))
    spoilt = np.zeros(len(shapes), dtype=bool)
    place, owner = shapely.get_coordinates(shapes, return_index=True)
    spoilt[owner[~np.isfinite(place).all(axis=1)]] = True
    keep = np.ones(len(shapes), dtype=bool)
    for bad, reason in (
        (shapely.is_missing(shapes), NOT_LOCATED),
        (shapely.is_empty(shapes), EMPTY),
        (spoilt, NO_NUMBER),
    ):
        ledger.note(what, "dropped", reason, [ids[k] for k in np.flatnonzero(bad & keep)])
        keep &= ~bad
    parts, owner = shapely.get_parts(shapes[keep], return_index=True)
    wrong = shapely.get_type_id(parts) != 0
    if wrong.any():
        raise DataError(f"{what}: row {ids[row[keep][owner[wrong]][0]]} is no point")
    parts, row = parts[~shapely.is_empty(parts)], row[keep][owner][~shapely.is_empty(parts)]
    if not len(parts):
        raise DataError(f"{what}: no usable point among {len(frame)} row(s)")
    place = shapely.get_coordinates(parts)
    in_range(np.hstack((place, place)), what)
    return parts, row


def not_streets(frame: GeoDataFrame, ledger: Ledger) -> Bools | None:
    """Rows that are a railway or a river."""
    if "highway" not in frame.columns:
        return None
    others = [c for c in ("railway", "waterway") if c in frame.columns]
    if not others:
        return None
    skip = np.asarray(frame["highway"].isna() & frame[others].notna().any(axis=1), dtype=bool)
    if not skip.any():
        return None
    ledger.note("streets", "dropped", NOT_A_STREET, labels(frame, np.flatnonzero(skip)))
    return skip


def planned(frame: GeoDataFrame, what: str, ledger: Ledger) -> Bools | None:
    """Rows of what is still to be built."""
    if "planned" not in frame.columns:
        return None
    # A file may hold the word for it.
    said = frame["planned"].map(lambda value: str(value).strip().lower())
    skip = np.asarray(said.isin(("true", "1", "1.0", "yes", "是")), dtype=bool)
    ledger.note(what, "dropped", PLANNED, labels(frame, np.flatnonzero(skip)))
    return skip


def id_column(columns: Iterable[str]) -> str | None:
    """The column by which a row that comes again is told."""
    return next((one for one in ("id", "way") if one in columns), None)


def repeated(frame: GeoDataFrame) -> Bools | None:
    """Rows that repeat another, id and geometry; pieces of one way may well share its id."""
    column = id_column(frame.columns)
    if column is None:
        return None
    ids = frame[column]
    # Most networks come in the order of their ids, which is told sooner.
    plain = isinstance(ids.dtype, np.dtype) and ids.dtype.kind == "i"
    if (plain and (np.diff(ids.to_numpy()) > 0).all()) or ids.is_unique:
        return None
    several = np.flatnonzero(frame[column].duplicated(keep=False))
    text = shapely.to_wkb(np.asarray(frame.geometry.values, dtype=object)[several])
    keys = pd.DataFrame({"id": frame[column].to_numpy()[several], "shape": text})
    again = np.zeros(len(frame), dtype=np.bool_)
    again[several] = keys.duplicated() & keys["shape"].notna() & keys["id"].notna()
    return again


def without_repeats(
    frame: GeoDataFrame, what: str, ledger: Ledger, kind: str = "line"
) -> GeoDataFrame:
    """Leave out the rows that repeat another."""
    again = repeated(frame)
    if again is None:
        return frame
    reason = AGAIN.replace("line", kind)
    ledger.note(what, "dropped", reason, labels(frame, np.flatnonzero(again)))
    return frame[~again]


def either(one: Bools | None, two: Bools | None) -> Bools | None:
    if one is None or two is None:
        return two if one is None else one
    return one | two
