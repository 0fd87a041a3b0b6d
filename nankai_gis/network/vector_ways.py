"""Take ways out of a table of lines: a vector file that GDAL reads, or the edges of a graph.

Columns are found by name, whatever their case; those of Geofabrik's shapefiles are known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.files.columns import as_list, blank, find_name
from nankai_gis.geometry.arrays import Bools, Ints
from nankai_gis.network import ways
from nankai_gis.network.tags import KEYS, KINDS, Words, of_interest
from nankai_gis.network.ways import Chosen, Within
from nankai_gis.words import listed, mark, quoted, stored, tr

if TYPE_CHECKING:
    import geopandas as gpd

#: What a column may be called, for those keys that go by several names.
_COLUMNS = {
    "highway": ("highway", "fclass", "road_type", "roadclass"),
    "id": ("way", "osm_id", "osmid", "@id", "way_id", "id"),
}
_NUMBER = re.compile(r"(?:way/)?(\d+)(?:\.0)?")
#: How Geofabrik's shapefiles write three of the tags.
_GEOFABRIK = {
    "oneway": {"F": "yes", "T": "-1", "B": "no"},
    "bridge": {"F": "no", "T": "yes"},
    "tunnel": {"F": "no", "T": "yes"},
}
# Notes: stored in English, shown in the language in force.
NUMBERED = mark("way: numbered from 1, since no column tells the lines apart")
NAMED = mark("name: taken from the column {column}")
NO_ONEWAY = mark(
    "oneway: no column says it, so that the carriageways of a street can't be told and each has "
    "a centreline of its own"
)


def choose(name: str, layer: str, frame: gpd.GeoDataFrame, within: Within | None) -> Chosen:
    """Choose the lines that are roads, tracks or rivers.

    `layer` is what messages call the table.
    """
    import shapely

    from nankai_gis.geometry.crs import STORED

    # Bring the lines to longitude and latitude.
    if frame.crs.is_geographic:
        _check_order(name, frame.geometry.to_numpy(), within)
    if not frame.crs.equals(STORED):
        frame = frame.to_crs(STORED)
    dropped: Counter[str] = Counter()
    lines, rows = _parts(frame, dropped)

    # Read the tags off the columns.
    by_name = {str(column).lower().replace(":", "_"): column for column in frame.columns}
    if not any(key in by_name for key in (*KINDS, *_COLUMNS["highway"])):
        raise DataError(
            tr(
                "{file}: layer {layer} has no column that says what kind of way a line is; name "
                "one of its columns highway, railway or waterway (it has {columns})",
                file=name,
                layer=quoted(layer),
                columns=listed(frame.columns),
            )
        )
    tags = _tags(frame, by_name, rows)

    # Keep what is of interest, once, and inside the area asked for.
    keep = of_interest(tags)
    dropped[ways.NOT_OF_INTEREST] += int((~keep).sum())
    repeated = keep & ways.repeated(lines, tags)
    dropped[ways.REPEATED] += int(repeated.sum())
    keep &= ~repeated
    if not keep.any():
        raise ways.nothing_left(name, dropped)
    ids, notes = _ids(frame, by_name, rows, keep)
    column = find_name(frame)
    if column is not None and column.lower() != "name":
        notes += (stored(NAMED, column=column),)
    if "oneway" not in by_name:
        notes += (NO_ONEWAY,)
    if within is not None:
        west, south, east, north = shapely.total_bounds(lines[keep]).tolist()
        inside = keep & within.touched_by(lines)
        dropped[ways.OUTSIDE] += int((keep & ~inside).sum())
        keep = inside
        if not keep.any():
            raise ways.nothing_within(name, within.box, (west, south, east, north))
    order = np.flatnonzero(keep)
    order = order[np.argsort(ids[order], kind="stable")]
    chosen = {key: words[order] for key, words in tags.items()}
    return Chosen(ids[order], lines[order], chosen, +dropped, notes=notes)


def _check_order(name: str, geometry: Any, within: Within | None) -> None:
    """Refuse coordinates that are no degrees, or that look swapped."""
    import shapely

    coordinates = shapely.get_coordinates(geometry)
    if not len(coordinates):
        return
    # NaN is no hole here but damage, as are places beyond the globe.
    lon, lat = np.nan_to_num(coordinates, nan=np.inf).T
    ways.check_degrees(name, lon, lat)
    if within is None:
        return
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    if not ways.overlap((west, south, east, north), within.box) and ways.overlap(
        (south, west, north, east), within.box
    ):
        raise DataError(
            tr(
                "{file}: longitude and latitude look swapped: longitude comes first",
                file=name,
            )
        )


def _parts(frame: gpd.GeoDataFrame, dropped: Counter[str]) -> tuple[Any, Ints]:
    """Return the single lines of the frame, and the row of each."""
    import shapely

    shapes = frame.geometry.to_numpy()
    if (shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING).all():
        parts, rows = shapes, np.arange(len(shapes))
    else:
        parts, rows = shapely.get_parts(shapes, return_index=True)
    linear = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    dropped[ways.NO_LINE] += len(frame) - len(np.unique(rows[linear]))
    lines, rows = shapely.force_2d(parts[linear]), rows[linear]
    drawn = (shapely.length(lines) > 0) & np.isfinite(shapely.bounds(lines)).all(axis=1)
    dropped[ways.TOO_SHORT] += int((~drawn).sum())
    return lines[drawn], rows[drawn]


def _tags(frame: gpd.GeoDataFrame, by_name: Mapping[str, Any], rows: Ints) -> dict[str, Words]:
    tags: dict[str, Words] = {}
    for key in KEYS:
        names = _COLUMNS.get(key, (key.replace(":", "_").lower(),))
        column = next((by_name[name] for name in names if name in by_name), None)
        if key == "name":
            column = find_name(frame)
        words = np.full(len(frame), None, object)
        if column is not None and column != frame.geometry.name:
            values = _GEOFABRIK.get(key, {}) if "fclass" in by_name else {}
            cells = [_word(value) for value in frame[column].tolist()]
            words[:] = [values.get(cell, cell) if cell else cell for cell in cells]
        tags[key] = words[rows]
    return tags


def _word(value: object) -> str | None:
    """Return a cell as the text that OSM would have."""
    several = as_list(value)
    if several is not None:
        return ";".join(dict.fromkeys(several)) or None
    if blank(value):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _ids(
    frame: gpd.GeoDataFrame, by_name: Mapping[str, Any], rows: Ints, keep: Bools
) -> tuple[Ints, tuple[str, ...]]:
    """Take the ids of a column if they are whole numbers and tell the lines apart."""
    for name in _COLUMNS["id"]:
        if name in by_name:
            values = frame[by_name[name]].to_numpy()
            if values.dtype.kind in "iu" and (values >= 0).all():
                ids = values.astype(np.int64)[rows]
                if len(np.unique(ids[keep])) == int(keep.sum()):
                    return ids, ()
                continue
            matches = [_NUMBER.fullmatch(str(value)) for value in values.tolist()]
            if all(matches):
                ids = np.array([int(match[1]) for match in matches if match], np.int64)[rows]
                if len(np.unique(ids[keep])) == int(keep.sum()):
                    return ids, ()
    return np.arange(1, len(rows) + 1, dtype=np.int64), (NUMBERED,)
