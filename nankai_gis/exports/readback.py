"""What a driver wrote is read again and compared, before it counts as written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nankai_gis.errors import OutputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.exports.layers import PreparedLayer


def geometry_type(layer: PreparedLayer) -> str:
    """Return the type of geometry of a layer, as OGR calls it."""
    found = {shape.geom_type for shape in layer.shapes if shape is not None}
    if len(found) == 1:
        return next(iter(found))
    for base in ("LineString", "Polygon"):
        if found == {base, f"Multi{base}"}:
            return f"Multi{base}"
    return "Unknown"


def differs(layer: str, how: str) -> OutputError:
    """Return the error for a layer that came back otherwise than it was written."""
    return OutputError(
        f"can't vouch for the file, so nothing was written: layer {layer} read back {how}. Is "
        "there room in the temporary folder?"
    )


def same(wrote: GeoDataFrame, read: GeoDataFrame, layer: str, *, ordered: bool = True) -> None:
    """Compare, and refuse what is not the same to the last bit and character.

    An empty text and a missing one are told apart. What a single geometry became as part of a
    layer of multiple ones is not a difference. Without an order the rows are matched by content.
    """
    columns = [c for c in wrote.columns if c != wrote.geometry.name]
    if len(wrote) != len(read):
        raise differs(layer, f"as {len(read)} rows instead of {len(wrote)}")
    first, second = _rows(wrote, columns, layer), _rows(read, columns, layer)
    if not ordered:
        first, second = sorted(first, key=repr), sorted(second, key=repr)
    for row, (a, b) in enumerate(zip(first, second, strict=True)):
        for column, left, right in zip([*columns, "geometry"], a, b, strict=True):
            if left != right:
                how = f"with {str(right)[:60]!r} for {str(left)[:60]!r}"
                raise differs(layer, f"{how} in row {row + 1}, {column}")


def _rows(frame: GeoDataFrame, columns: list[str], layer: str) -> list[list[Any]]:
    import shapely

    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise differs(layer, f"without {', '.join(missing)}")
    cells = [_objects(frame[c]) for c in columns]
    shapes = [
        None if s is None else [shapely.to_wkb(part) for part in shapely.get_parts(s)]
        for s in frame.geometry
    ]
    return [list(row) for row in zip(*cells, shapes, strict=True)]


def _objects(series: Any) -> list[Any]:
    # A whole number with gaps comes back as a float, a yes as a number: they are the same.
    cells = series.astype("object").where(series.notna(), None)
    return [v if v is None or isinstance(v, str) else float(v) for v in cells]
