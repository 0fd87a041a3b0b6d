"""Polygons that streets are cut by: checked, repaired, made to lie side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.measure.coverage.labels import BORDER
from nankai_gis.measure.coverage.reconciliation import TOLERANCE, Checks, Ledger
from nankai_gis.measure.coverage.validation import (
    EMPTY,
    NO_NUMBER,
    NOT_LOCATED,
    blank,
    check_column,
    check_range,
    checked,
    layer_name,
    row_ids,
)
from nankai_gis.words import listed, mark, ntr, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["Areas", "parts_of", "side_by_side", "sliver_m2", "usable_areas"]

NOT_A_POLYGON = mark("not a polygon")
MADE_VALID = mark("invalid geometry, made valid")
MIXED = mark("points or lines beside polygons in one row")
NO_AREA = mark("invalid geometry without any area")
OVERLAP = mark("subdistricts that overlap")
HOLES = mark("holes between subdistricts")
UNDIVIDED = mark("district without subdistrict")
BY_SUBDISTRICT = mark("area by subdistrict")
# What is left where edges nearly coincide is smaller than this, and no part of its own. Longitudes
# beyond 64 degrees are kept to 1.4e-14 of one, 1.6e-9 m; slivers are a few times as wide.
_SLIVER_M2 = 1e-6
_SLIVER_M = 5e-9
# Types of geometry as shapely numbers them.
_POLYGON, _POLYGONS, _COLLECTION = 3, 6, 7


@dataclass(frozen=True)
class Areas:
    """Polygons that are ready to cut by."""

    ids: list[str]
    names: list[str]
    shapes: Shapes
    size_m2: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: Areas) -> Areas:
        return Areas(
            self.ids + other.ids,
            self.names + other.names,
            np.concatenate((self.shapes, other.shapes)),
            np.concatenate((self.size_m2, other.size_m2)),
        )


def sliver_m2(shapes: Shapes) -> Floats:
    """Return the areas up to which what polygons share with others is only a sliver."""
    around = ruler.lengths(shapely.boundary(shapes))
    return np.maximum(_SLIVER_M2, _SLIVER_M * around)


# ------------------------------------------------------------------ usable polygons


def usable_areas(frame: GeoDataFrame, layer: str, ledger: Ledger, name: str | None = None) -> Areas:
    """Return the polygons of a layer, repaired where they are invalid."""
    shapes = checked(frame, layer).copy()
    ids = _unique_ids(frame, layer)
    names = _names(frame, ids, layer, name)
    kept = np.ones(len(shapes), dtype=bool)

    def drop(rows: Bools, reason: str) -> None:
        hit = np.flatnonzero(rows & kept)
        ledger.note(layer, "dropped", reason, [ids[k] for k in hit])
        kept[hit] = False

    # Drop what is no polygon.
    drop(shapely.is_missing(shapes), NOT_LOCATED)
    drop(shapely.is_empty(shapes), EMPTY)
    bounds = np.full((len(shapes), 4), 0.0)
    bounds[kept] = shapely.bounds(shapes[kept])
    # A coordinate that is no number doesn't show in the bounds, but it does in the length.
    spoilt = ~np.isfinite(bounds).all(axis=1)
    spoilt[kept] |= ~np.isfinite(shapely.length(shapes[kept]))
    drop(spoilt, NO_NUMBER)
    areal = np.isin(shapely.get_type_id(shapes), (_POLYGON, _POLYGONS, _COLLECTION))
    drop(~areal, NOT_A_POLYGON)
    check_range(bounds[kept], layer)
    # Repair what can be repaired.
    _repair(shapes, kept, ids, layer, ledger)
    drop(np.asarray(shapely.is_empty(shapes)), NO_AREA)
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise _none_usable(layer, len(shapes), ledger)
    size = ruler.areas(shapes[rows])
    return Areas([ids[k] for k in rows], [names[k] for k in rows], shapes[rows], size)


def _unique_ids(frame: GeoDataFrame, layer: str) -> list[str]:
    ids = row_ids(frame)
    without = sum(map(blank, frame["id"])) if "id" in frame.columns else 0
    if without:
        raise DataError(
            ntr(
                "{layer}: {n} row has no id; fill the column {column} or drop it",
                "{layer}: {n} rows have no id; fill the column {column} or drop it",
                without,
                layer=layer_name(layer),
                column=quoted("id"),
            )
        )
    if len(set(ids)) < len(ids):
        twice = sorted({value for value in ids if ids.count(value) > 1})
        raise DataError(
            tr(
                "{layer}: ids that several rows share: {ids}; give each row an id of its own",
                layer=layer_name(layer),
                ids=listed(twice[:5]),
            )
        )
    return ids


def _names(frame: GeoDataFrame, ids: list[str], layer: str, column: str | None) -> list[str]:
    """Names of rows; a row without a name has its id."""
    if column is not None:
        check_column(frame, column, layer, "subdistrict_name")
    elif "name" not in frame.columns:
        return ids
    values = frame[column or "name"].tolist()
    return [key if blank(value) else str(value) for key, value in zip(ids, values, strict=True)]


def _repair(shapes: Shapes, kept: Bools, ids: list[str], layer: str, ledger: Ledger) -> None:
    """Make polygons valid, and take them out of collections, in place."""
    collected = np.flatnonzero(kept & (shapely.get_type_id(shapes) == _COLLECTION))
    mixed = [row for row in collected if len(_polygons(shapes[row])) < len(_members(shapes[row]))]
    broken = np.flatnonzero(kept & ~shapely.is_valid(shapes))
    for row in broken:
        valid = shapely.make_valid(shapes[row], method="structure", keep_collapsed=False)
        parts = _polygons(valid)
        shapes[row] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    for row in np.flatnonzero(kept & (shapely.get_type_id(shapes) == _COLLECTION)):
        shapes[row] = shapely.union_all(_polygons(shapes[row]))
    for rows, reason in ((broken, MADE_VALID), (mixed, MIXED)):
        who = [ids[row] for row in rows if not shapes[row].is_empty]
        ledger.note(layer, "repaired", reason, who)


def _members(shape: shapely.Geometry) -> Shapes:
    """The points, lines and polygons of a shape, however deep in collections."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    members: Shapes = parts[~shapely.is_empty(parts)]
    return members


def _polygons(shape: shapely.Geometry) -> Shapes:
    members = _members(shape)
    polygonal: Shapes = members[shapely.get_type_id(members) == _POLYGON]
    return polygonal


def _none_usable(layer: str, rows: int, ledger: Ledger) -> DataError:
    reasons = [
        tr("{n}: {reason}", n=note.count, reason=note.text)
        for note in ledger.notes
        if note.layer == layer
    ]
    return DataError(
        ntr(
            "{layer}: no usable polygon in {n} row ({reasons})",
            "{layer}: no usable polygon in {n} rows ({reasons})",
            rows,
            layer=layer_name(layer),
            reasons=listed(reasons) or tr("none"),
        )
    )


# ------------------------------------------------------------------ subdistricts


def side_by_side(subs: Areas, district: shapely.Geometry | None, checks: Checks) -> Areas:
    """Measure overlaps and gaps of subdistricts; give an overlap to the first that has it."""
    split = [value for value in subs.ids if BORDER in value]
    if split:
        raise DataError(
            tr(
                "subdistricts: the id {id} has a {sign} in it, which stands between the ids of "
                "two subdistricts; take another sign",
                id=quoted(split[0]),
                sign=quoted(BORDER),
            )
        )
    total = float(subs.size_m2.sum()) / 1e6
    matched = bool(shapely.coverage_is_valid(subs.shapes))
    if not matched:
        subs = _without_overlaps(subs, total, checks)
    else:
        checks.measured(OVERLAP, "all", "km2", 0.0, total)
    # What matches edge by edge joins without any overlay.
    union = shapely.coverage_union_all(subs.shapes) if matched else polygons.union(subs.shapes)
    if district is None:
        # Without a district only holes can be told from the outside.
        parts = shapely.get_parts(union)
        rings = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
        gap = float(ruler.areas(np.array(rings, dtype=object)).sum())
        checks.measured(HOLES, "all", "km2", gap / 1e6, total)
    else:
        gap = float(ruler.areas(polygons.difference(district, union))[0])
        whole = float(ruler.areas(district)[0])
        checks.measured(UNDIVIDED, "all", "km2", gap / 1e6, whole / 1e6)
    return subs


def _without_overlaps(subs: Areas, total_km2: float, checks: Checks) -> Areas:
    shapes, overlap = subs.shapes.copy(), 0.0
    # Measure every pair that meets, once.
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    shared = ruler.areas(polygons.intersection(subs.shapes[first], subs.shapes[second]))
    least = sliver_m2(subs.shapes)
    # Take what is shared from the second.
    for one, two, size in zip(first, second, shared, strict=True):
        if size > max(least[one], least[two]):
            overlap += size / 1e6
            pair = f"{subs.ids[one]}{BORDER}{subs.ids[two]}"
            checks.measured(OVERLAP, pair, "km2", size / 1e6, total_km2)
            shapes[two] = polygons.difference(shapes[two], shapes[one])[0]
    checks.measured(OVERLAP, "all", "km2", overlap, total_km2)
    empty = np.flatnonzero(shapely.is_empty(shapes))
    if len(empty):
        raise DataError(
            tr(
                "subdistricts: {id} lies wholly within others; remove it, or correct its polygon",
                id=subs.ids[empty[0]],
            )
        )
    return Areas(subs.ids, subs.names, shapes, ruler.areas(shapes))


def parts_of(areas: Areas, subs: Areas | None, checks: Checks) -> tuple[Shapes, Ints, Ints]:
    """Return zones cut by subdistricts: shapes, their zones, their subdistricts (-1: none)."""
    if subs is None:
        return areas.shapes, np.arange(len(areas)), np.full(len(areas), -1)
    # Cut each zone by the subdistricts that it meets.
    zone, sub = shapely.STRtree(subs.shapes).query(areas.shapes, predicate="intersects")
    order = np.lexsort((sub, zone))
    zone, sub = zone[order], sub[order]
    shapes = polygons.intersection(areas.shapes[zone], subs.shapes[sub])
    full = ~shapely.is_empty(shapes)
    shapes, zone, sub = shapes[full], zone[full], sub[full]
    part_m2 = ruler.areas(shapes)
    size = np.bincount(zone, weights=part_m2, minlength=len(areas))
    # The subdistricts lie side by side: where they make up a zone, nothing of it is left.
    short = np.flatnonzero(np.abs(areas.size_m2 - size) > TOLERANCE / 2 * areas.size_m2)
    rest: Shapes = np.full(len(areas), shapely.Polygon(), dtype=object)
    if len(short):
        union = [polygons.union(subs.shapes[sub[zone == number]]) for number in short]
        rest[short] = polygons.difference(areas.shapes[short], np.array(union, dtype=object))
    rest_m2 = ruler.areas(rest)
    # Compare the parts with each zone.
    least = sliver_m2(areas.shapes)
    for number, name in enumerate(areas.ids):
        parts_km2 = float(size[number] + rest_m2[number]) / 1e6
        whole_km2, noise = float(areas.size_m2[number]) / 1e6, float(least[number]) / 1e6
        checks.equal(BY_SUBDISTRICT, name, "km2", parts_km2, whole_km2, noise=noise)
    # Slivers along common borders are no rows of their own, but they are counted above.
    real = part_m2 > least[zone]
    some = np.flatnonzero(rest_m2 > least)
    return (
        np.concatenate((shapes[real], rest[some])),
        np.concatenate((zone[real], some)),
        np.concatenate((sub[real], np.full(len(some), -1))),
    )
