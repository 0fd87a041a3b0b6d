"""What a driver wrote is read again and compared, before it counts as written.

Rows are compared here cell by cell, because drivers give columns other types (a whole number with
gaps comes back as a float, a yes as a number) and may sort the rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import OutputError
from nankai_gis.words import listed, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.exports.layers import PreparedLayer

#: What a number may lose in the table of a shapefile: it is in decimal there, with 15 places.
_RELATIVE, _ABSOLUTE = 1e-12, 1e-15


def geometry_type(layer: PreparedLayer) -> str:
    """Return the type of geometry of a layer, as OGR calls it."""
    kinds = {row.shape.geom_type for row in layer.rows if row.shape is not None}
    if len(kinds) == 1:
        return next(iter(kinds))
    for base in ("LineString", "Polygon"):
        if kinds == {base, f"Multi{base}"}:
            return f"Multi{base}"
    return "Unknown"


def check_same(
    wrote: GeoDataFrame, read: GeoDataFrame, layer: str, *, ordered: bool = True, exact: bool = True
) -> None:
    """Compare what was read with what was written, and refuse a difference.

    What a single geometry became as part of a layer of multiple ones is none. Without an order
    the rows are matched by content. If not exact, as for a shapefile, an empty text is a missing
    one, numbers may differ in the 13th digit, and rings in where they start and how they turn.
    """
    columns = list(wrote.columns.drop(wrote.geometry.name))
    missing = [column for column in columns if column not in read.columns]
    if missing:
        raise _refusal(
            tr("layer {layer} came back without {columns}", layer=layer, columns=listed(missing))
        )
    if len(wrote) != len(read):
        raise _refusal(
            tr(
                "layer {layer} came back with {n} rows instead of {expected}",
                layer=layer,
                n=len(read),
                expected=len(wrote),
            )
        )
    tables = [_rows(frame, columns, exact) for frame in (wrote, read)]
    if not ordered:
        tables = [sorted(table, key=repr) for table in tables]
    for number, pair in enumerate(zip(*tables, strict=True), 1):
        for column, before, after in zip([*columns, "geometry"], *pair, strict=True):
            if not _agree(before, after, exact):
                raise _refusal(
                    tr(
                        "layer {layer} came back with {after} for {before} in row {n}, {column}",
                        layer=layer,
                        after=quoted(str(after)[:60]),
                        before=quoted(str(before)[:60]),
                        n=number,
                        column=column,
                    )
                )


def _refusal(difference: str) -> OutputError:
    """Return the error for a layer that came back otherwise than it was written."""
    return OutputError(
        tr(
            "can't verify the file, so nothing was written: {difference}. Is there room in the "
            "temporary folder?",
            difference=difference,
        )
    )


def _agree(before: Any, after: Any, exact: bool) -> bool:
    if exact or not (isinstance(before, float) and isinstance(after, float)):
        return bool(before == after)
    return math.isclose(before, after, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _rows(frame: GeoDataFrame, columns: list[str], exact: bool) -> list[tuple[Any, ...]]:
    """Return rows of plain cells, with the geometry last as the bytes of its parts."""
    import shapely

    shapes = frame.geometry if exact else shapely.normalize(frame.geometry.to_numpy())
    parts = [
        None if shape is None else [shapely.to_wkb(part) for part in shapely.get_parts(shape)]
        for shape in shapes
    ]
    cells = [[_cell(value, exact) for value in _objects(frame[column])] for column in columns]
    return list(zip(*cells, parts, strict=True))


def _objects(series: Any) -> Any:
    return series.astype("object").where(series.notna(), None)


def _cell(value: Any, exact: bool) -> Any:
    if value is None or isinstance(value, str):
        return value if exact else value or None
    return float(value)
