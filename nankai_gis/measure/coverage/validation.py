"""Which rows of a layer of lines or points can be used; the others are noted, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from nankai_gis.errors import CRSError, DataError
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.crs import STORED
from nankai_gis.measure.coverage.reconciliation import Ledger
from nankai_gis.plan.names import normalise
from nankai_gis.words import listed, mark, ntr, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pyproj import CRS

NOT_A_STREET = mark("a railway or river, no street")
NOT_THERE = mark("not built, torn down or out of use")
NO_CARRIAGEWAY = mark("a platform, a rest area, an elevator or a bus stop, no street")
#: Values of `highway` that are no length of street that is there, by the reason.
NO_LENGTH_OF_STREET = {
    **dict.fromkeys(
        ("proposed", "planned", "construction", "razed", "demolished", "abandoned", "disused"),
        NOT_THERE,
    ),
    **dict.fromkeys(("platform", "services", "rest_area", "elevator", "bus_stop"), NO_CARRIAGEWAY),
}
REPEATED = {
    "line": mark("the same id and line again"),
    "point": mark("the same id and point again"),
    "polygon": mark("the same id and polygon again"),
}
NOT_LOCATED = mark("no geometry (listed, not located)")
EMPTY = mark("empty geometry")
NOT_A_LINE = mark("not a line")
SEVERAL = mark("several parts in one row")
NO_NUMBER = mark("a coordinate that is no number")
NO_LENGTH = mark("a line without length")
PLANNED = mark("planned, not there yet")
#: The order in which the notes on a layer of lines follow each other.
REASONS = (
    NOT_A_STREET, NOT_THERE, NO_CARRIAGEWAY, REPEATED["line"], NOT_LOCATED, EMPTY, NOT_A_LINE,
    SEVERAL, NO_NUMBER, NO_LENGTH,
)  # fmt: skip
#: The layers that coverage takes, as messages call them.
LAYERS = (
    mark("zones"), mark("streets"), mark("subdistricts"), mark("district"), mark("corridors"),
    mark("centrelines"), mark("points"),
)  # fmt: skip
# Types of geometry as shapely numbers them.
_POINT, _LINE, _RING, _LINES = 0, 1, 2, 5


class Lines(NamedTuple):
    """LineStrings, and the row of the layer that each comes from."""

    shapes: Shapes
    row: Ints


# ------------------------------------------------------------------ the layer as a whole


def layer_name(layer: str) -> str:
    """Return what a message calls a layer: one of ours by its name, a user's own as it is."""
    return tr(layer) if layer in LAYERS else layer


def checked(frame: GeoDataFrame, layer: str) -> Shapes:
    """Return the geometry of a layer that is in longitude and latitude."""
    if not hasattr(frame, "geometry"):
        raise DataError(
            tr(
                "{layer}: a {type} is no GeoDataFrame; read the layer with geopandas.read_file",
                layer=layer_name(layer),
                type=type(frame).__name__,
            )
        )
    check_crs(frame.crs, layer_name(layer))
    return np.asarray(frame.geometry.values, dtype=object)


def check_crs(crs: CRS | None, name: str) -> None:
    """Refuse coordinates other than longitude and latitude."""
    if crs is None:
        raise CRSError(
            tr(
                "{layer}: no CRS is stated; state it with frame.set_crs(...), then use "
                'frame.to_crs("{stored}")',
                layer=name,
                stored=STORED,
            )
        )
    # WGS 84 and CGCS2000 are taken as the same datum, as in `geometry.crs`.
    if crs != STORED and crs.to_epsg() != 4490 and not crs.equals(STORED, ignore_axis_order=True):
        raise CRSError(
            tr(
                "{layer}: the CRS is {crs}, not longitude and latitude; use "
                'frame.to_crs("{stored}")',
                layer=name,
                crs=crs.to_string()[:60],
                stored=STORED,
            )
        )


def check_range(bounds: Floats, layer: str) -> None:
    """Refuse bounds (n, 4) beyond 180 and 90 degrees."""
    if len(bounds) and not (
        (np.abs(bounds[:, [0, 2]]) <= 180).all() and (np.abs(bounds[:, [1, 3]]) <= 90).all()
    ):
        raise CRSError(
            tr(
                "{layer}: coordinates beyond 180 and 90 degrees are no longitude and latitude; "
                "state the CRS that they are in",
                layer=layer_name(layer),
            )
        )


def columns_of(frame: GeoDataFrame) -> str:
    names = [str(column) for column in frame.columns if column != frame.geometry.name]
    return listed(names) if names else tr("none")


def check_column(frame: GeoDataFrame, column: str, layer: str, option: str) -> None:
    """Refuse a column that isn't there, and name the option that chooses another."""
    if column not in frame.columns:
        raise DataError(
            tr(
                "{layer}: no column {column}; there are: {columns}; name the column with {option}",
                layer=layer_name(layer),
                column=quoted(column),
                columns=columns_of(frame),
                option=option,
            )
        )


def no_usable(kind: str, layer: str, rows: int) -> DataError:
    """Return the error for a layer without any usable line or point."""
    name = layer_name(layer)
    if kind == "line":
        return DataError(
            ntr(
                "{layer}: no usable line in {n} row",
                "{layer}: no usable line in {n} rows",
                rows,
                layer=name,
            )
        )
    return DataError(
        ntr(
            "{layer}: no usable point in {n} row",
            "{layer}: no usable point in {n} rows",
            rows,
            layer=name,
        )
    )


# ------------------------------------------------------------------ ids, names and codes


def labels(frame: GeoDataFrame, rows: NDArray[Any]) -> Sequence[str | int]:
    """Return ids of rows, else what the index calls them; positions where it only counts."""
    index = frame.index
    if "id" in frame.columns:
        values = frame["id"].iloc[rows]
    elif isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return [int(row) for row in rows]
    else:
        values = index[rows]
    return [str(value) for value in values]


def row_ids(frame: GeoDataFrame) -> list[str]:
    """Return ids of all rows, else what the index calls them."""
    values = frame["id"] if "id" in frame.columns else frame.index
    return [str(value) for value in values]


def blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value or not str(value).strip()


def coded(values: pd.Series, *, normalised: bool) -> tuple[Ints, dict[str, str]]:
    """Return codes, and the texts that they stand for by their keys.

    Texts stand in the order in which they first appear, spelt as there; with `normalised` names
    that differ in script or width only are one. Blanks have the code after the last.
    """
    codes, unique = pd.factorize(values)
    texts: dict[str, str] = {}
    number: dict[str, int] = {}
    table = np.full(len(unique) + 1, -1, dtype=np.int64)
    for row, value in enumerate(np.asarray(unique, dtype=object)):
        text = str(value).strip()
        if text:
            key = normalise(text) if normalised else text
            texts.setdefault(key, text)
            table[row] = number.setdefault(key, len(number))
    out = table[codes]
    out[out < 0] = len(texts)
    return out, texts


def take(texts: Sequence[str], codes: NDArray[Any]) -> Shapes:
    taken: Shapes = np.array(texts, dtype=object)[codes]
    return taken


# ------------------------------------------------------------------ lines and points


def usable_lines(
    frame: GeoDataFrame,
    layer: str,
    ledger: Ledger,
    skip: Bools | None = None,
    *,
    some: bool = True,
) -> Lines:
    """Return the lines of a layer part by part; with `some`, none at all is an error."""
    shapes = checked(frame, layer)
    row = np.arange(len(shapes))
    if skip is not None:
        shapes, row = shapes[~skip], row[~skip]

    def drop(bad: Bools, reason: str) -> None:
        nonlocal shapes, row
        if bad.any():
            ledger.note(layer, "dropped", reason, labels(frame, np.unique(row[bad])))
            shapes, row = shapes[~bad], row[~bad]

    # Most layers hold plain lines only.
    if not (shapely.get_type_id(shapes) == _LINE).all():
        drop(shapely.is_missing(shapes), NOT_LOCATED)
        drop(shapely.is_empty(shapes), EMPTY)
        drop(~np.isin(shapely.get_type_id(shapes), (_LINE, _RING, _LINES)), NOT_A_LINE)
        several = shapely.get_type_id(shapes) != _LINE
        if several.any():
            ledger.note(layer, "split", SEVERAL, labels(frame, row[several]))
            shapes, owner = shapely.get_parts(shapes, return_index=True)
            row = row[owner]
            # A ring is a line whose ends meet.
            ring = shapely.get_type_id(shapes) == _RING
            shapes[ring] = [shapely.LineString(shape.coords) for shape in shapes[ring]]
    # What has no length has no place in a sum.
    if not (shapely.length(shapes) > 0).all():
        drop(shapely.is_empty(shapes), EMPTY)
        drop(~np.isfinite(shapely.length(shapes)), NO_NUMBER)
        drop(~(shapely.length(shapes) > 0), NO_LENGTH)
    if len(shapes):
        check_range(shapely.total_bounds(shapes)[None, :], layer)
    elif some:
        raise no_usable("line", layer, len(frame))
    return Lines(shapes, row)


def usable_points(frame: GeoDataFrame, layer: str, ledger: Ledger) -> tuple[Shapes, Ints]:
    """Return the points of a layer one by one, and the rows they come from."""
    shapes, ids = checked(frame, layer), row_ids(frame)
    place, owner = shapely.get_coordinates(shapes, return_index=True)
    spoilt = np.zeros(len(shapes), dtype=bool)
    spoilt[owner[~np.isfinite(place).all(axis=1)]] = True
    # Note each row that can't be used, for the first reason that applies.
    keep = np.ones(len(shapes), dtype=bool)
    for bad, reason in (
        (shapely.is_missing(shapes), NOT_LOCATED),
        (shapely.is_empty(shapes), EMPTY),
        (spoilt, NO_NUMBER),
    ):
        ledger.note(layer, "dropped", reason, [ids[k] for k in np.flatnonzero(bad & keep)])
        keep &= ~bad
    # Take multipoints apart.
    row = np.flatnonzero(keep)
    parts, owner = shapely.get_parts(shapes[keep], return_index=True)
    wrong = shapely.get_type_id(parts) != _POINT
    if wrong.any():
        raise DataError(
            tr(
                "{layer}: row {row} is no point; give points only",
                layer=layer_name(layer),
                row=ids[row[owner[wrong]][0]],
            )
        )
    full = ~shapely.is_empty(parts)
    parts, row = parts[full], row[owner][full]
    if not len(parts):
        raise no_usable("point", layer, len(frame))
    place = shapely.get_coordinates(parts)
    check_range(np.hstack((place, place)), layer)
    return parts, row


# ------------------------------------------------------------------ rows to skip


def not_streets(frame: GeoDataFrame, ledger: Ledger) -> Bools | None:
    """Return which rows are no street that is there; None where no column tells it."""
    if "highway" not in frame.columns:
        return None
    others = [column for column in ("railway", "waterway") if column in frame.columns]
    skip = np.asarray(frame["highway"].isna() & frame[others].notna().any(axis=1), dtype=bool)
    ledger.note("streets", "dropped", NOT_A_STREET, labels(frame, np.flatnonzero(skip)))
    reason = frame["highway"].map(NO_LENGTH_OF_STREET)
    for text in (NOT_THERE, NO_CARRIAGEWAY):
        hit = np.asarray(reason == text, dtype=bool)
        ledger.note("streets", "dropped", text, labels(frame, np.flatnonzero(hit)))
        skip = skip | hit
    return skip


def planned(frame: GeoDataFrame, layer: str, ledger: Ledger) -> Bools | None:
    """Return which rows are still to be built; None where no column tells it."""
    if "planned" not in frame.columns:
        return None
    # A file may hold the value as text.
    text = frame["planned"].map(lambda value: str(value).strip().lower())
    skip = np.asarray(text.isin(("true", "1", "1.0", "yes", "是")), dtype=bool)
    ledger.note(layer, "dropped", PLANNED, labels(frame, np.flatnonzero(skip)))
    return skip


def id_column(columns: Iterable[str]) -> str | None:
    """Return the column by which a repeated row is known."""
    return next((column for column in ("id", "way") if column in columns), None)


def repeated(frame: GeoDataFrame) -> Bools | None:
    """Return which rows repeat an earlier one, id and geometry; None where ids are unique.

    Pieces of one way may share its id.
    """
    column = id_column(frame.columns)
    if column is None:
        return None
    ids = frame[column]
    # Most networks come in the order of their ids, which is checked faster than uniqueness.
    plain = isinstance(ids.dtype, np.dtype) and ids.dtype.kind == "i"
    if (plain and (np.diff(ids.to_numpy()) > 0).all()) or ids.is_unique:
        return None
    shared = np.flatnonzero(ids.duplicated(keep=False))
    shape = shapely.to_wkb(np.asarray(frame.geometry.values, dtype=object)[shared])
    keys = pd.DataFrame({"id": ids.to_numpy()[shared], "shape": shape})
    again = np.zeros(len(frame), dtype=np.bool_)
    again[shared] = keys.duplicated() & keys["shape"].notna() & keys["id"].notna()
    return again


def without_repeats(
    frame: GeoDataFrame, layer: str, ledger: Ledger, kind: str = "line"
) -> GeoDataFrame:
    """Return a layer without the rows that repeat an earlier one."""
    again = repeated(frame)
    if again is None:
        return frame
    ledger.note(layer, "dropped", REPEATED[kind], labels(frame, np.flatnonzero(again)))
    return frame[~again]


def either(first: Bools | None, second: Bools | None) -> Bools | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second
