"""The layers that a map can draw: checked, as plain rows, with a large network joined by street."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import CRSError, DataError, NotFoundError
from nankai_gis.geometry.crs import STORED
from nankai_gis.plan.model import STATUSES
from nankai_gis.present.languages import to_reader
from nankai_gis.present.style import STYLES
from nankai_gis.words import listed, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: The order of the legend.
LEGEND_ORDER = (
    "district",
    "zones",
    "parcel",
    "bands",
    "readings",
    "corridors",
    "sites",
    "subdistricts",
    "streets",
    "water",
    "green",
)
#: Layers that a reader of the web map switches on.
OFF = frozenset({"readings"})
#: Layers without names and figures of their own, which nobody points at.
BASE = frozenset({"water", "green", "bands"})
#: Rows of streets from which the pieces of a street are joined.
NETWORK = 1500
#: The status of a row without geometry.
NOT_LOCATED = "not located"
_AREA = frozenset({"Polygon", "MultiPolygon"})
_LINE = frozenset({"LineString", "MultiLineString"})
#: Kinds of geometry that a layer takes.
_SHAPES: Mapping[str, frozenset[str]] = {
    "green": _AREA | _LINE,
    "water": _AREA | _LINE,
    "streets": _LINE,
    "bands": _AREA,
    "readings": _AREA,
    "subdistricts": _AREA,
    "district": _AREA,
    "zones": _AREA,
    "parcel": _AREA,
    "corridors": _LINE,
    "sites": frozenset({"Point", "LineString"}),
}
#: The columns that are read; a frame may hold others.
# fmt: off
_COLUMNS = frozenset((
    "id", "kind", "name", "name_hans", "name_en", "clause", "clause_source", "section", "note",
    "status", "source", "date", "corridor", "street", "street_name", "role", "planned", "theme",
    "code", "parts", "accuracy_m", "area_m2", "area_sd_m2", "stated_area_m2", "perimeter_m",
    "length_m", "coverage_share", "zone", "hue", "doubts",
))
# fmt: on
#: What pieces of a network must share to be drawn as one street.
_SAME = ("name", "name_hans", "name_en", "kind", "status", "zone", "corridor", "planned")


def checked(key: str, frame: GeoDataFrame) -> GeoDataFrame:
    """Return a layer as it is, or say what is wrong with it."""
    if key not in STYLES:
        raise NotFoundError(tr("map layer"), key, LEGEND_ORDER)
    layer = quoted(key)
    # Coordinates are degrees of EPSG:4326.
    if frame.crs is None:
        raise CRSError(tr("layer {layer} has no CRS; give one with set_crs()", layer=layer))
    if not frame.crs.equals(STORED, ignore_axis_order=True):
        raise CRSError(
            tr(
                "layer {layer} is in {crs}; convert it with to_crs({stored})",
                layer=layer,
                crs=frame.crs.to_string(),
                stored=STORED,
            )
        )
    # A layer of the plan has names and statuses.
    missing = [c for c in ("name", "status") if key not in BASE and c not in frame]
    if missing:
        raise DataError(
            tr("layer {layer} has no column {columns}", layer=layer, columns=listed(missing))
        )
    # Each layer takes geometries of its own kinds.
    wrong = set(frame.geom_type.dropna()) - _SHAPES[key]
    if wrong:
        raise DataError(
            tr(
                "layer {layer} holds {wrong}; it takes {allowed}",
                layer=layer,
                wrong=listed(sorted(wrong)),
                allowed=listed(sorted(_SHAPES[key])),
            )
        )
    # Metres may stand under the label EPSG:4326.
    west, south, east, north = frame.total_bounds
    if west < -180 or south < -90 or east > 180 or north > 90:
        raise CRSError(
            tr("layer {layer} holds coordinates that aren't degrees; check its CRS", layer=layer)
        )
    return frame


def rows_of(key: str, frame: GeoDataFrame) -> list[dict[str, Any]]:
    """Return the columns of a layer that are shown, row by row; missing values are None."""
    import pandas as pd

    table = pd.DataFrame(frame[[column for column in frame if column in _COLUMNS]])
    rows: list[dict[str, Any]] = [
        {
            str(name): None if pd.api.types.is_scalar(value) and pd.isna(value) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]
    for row, placed in zip(rows, frame.geometry.notna(), strict=True):
        status = row.get("status")
        known = status in STATUSES or (status == NOT_LOCATED and not placed)
        if not known and not (status is None and key in BASE):
            with to_reader():
                raise DataError(
                    tr(
                        "layer {layer}, {name}: the status {status} is none of {known}",
                        layer=quoted(key),
                        name=quoted(row.get("name")),
                        status=quoted(status),
                        known=listed(STATUSES),
                    )
                )
    return rows


def joined(frame: GeoDataFrame) -> GeoDataFrame:
    """Join the pieces of a street network: one row for what reads as one street."""
    import geopandas
    import numpy as np
    import pandas as pd
    import shapely

    # Number the streets by the columns that must agree.
    has_place = frame.geometry.notna() & ~frame.geometry.is_empty
    placed = frame[has_place]
    same = [column for column in _SAME if column in placed]
    street = placed.groupby(same, dropna=False, sort=False).ngroup().to_numpy()
    first = np.unique(street, return_index=True)[1]

    # Merge the lines of each street, whichever way they were drawn.
    parts, owner = shapely.get_parts(placed.geometry.to_numpy(), return_index=True)
    order = np.argsort(street[owner], kind="stable")
    lines = shapely.line_merge(
        shapely.multilinestrings(parts[order], indices=street[owner][order]), directed=False
    )

    # Sum lengths, keep the worst accuracy.
    columns = {column: placed[column].to_numpy()[first] for column in same}
    if "length_m" in placed:
        columns["length_m"] = np.bincount(street, weights=placed["length_m"].to_numpy(dtype=float))
    if "accuracy_m" in placed:
        columns["accuracy_m"] = placed["accuracy_m"].groupby(street).max().to_numpy()

    # List each source and date once.
    for column, separator in (("source", "; "), ("date", "/")):
        if column in placed:
            pairs = pd.DataFrame({"street": street, "text": placed[column].to_numpy()})
            pairs = pairs[pairs["text"].notna()].drop_duplicates()
            texts = pairs["text"].map(str).groupby(pairs["street"]).agg(separator.join)
            columns[column] = texts.reindex(range(len(first))).to_numpy()
    streets = geopandas.GeoDataFrame(columns, geometry=lines, crs=frame.crs)
    unplaced = frame[~has_place]
    return streets if unplaced.empty else pd.concat([streets, unplaced], ignore_index=True)
