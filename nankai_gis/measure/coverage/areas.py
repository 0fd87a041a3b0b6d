"""Polygons that streets are cut by: checked, mended, laid side by side, made of corridors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.arrays import Bools, Floats, Ints, Shapes
from nankai_gis.geometry.plane import Plane
from nankai_gis.measure.coverage.reconciliation import TOLERANCE, Checks, Ledger
from nankai_gis.measure.coverage.validation import (
    EMPTY,
    NO_NUMBER,
    NOT_LOCATED,
    Lines,
    blank,
    checked,
    columns_of,
    in_range,
    row_ids,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "ARC",
    "BORDER",
    "Areas",
    "corridor_codes",
    "parts_of",
    "reaches_of",
    "side_by_side",
    "sliver_m2",
    "usable_areas",
]


#: Stands between the subdistricts whose common border a street runs along.
BORDER = "|"
# Less than this is what is left where edges nearly coincide, no part of its own. Longitudes beyond
# 64 degrees are kept to 1.4e-14 of one, 1.6e-9 m; slivers are some of it wide.
_SLIVER_M2 = 1e-6
_SLIVER_M = 5e-9
#: Sides to a quarter of a round end, which is 0.16 % too small by that; with GEOS's own 8, 0.6 %.
ARC = 16


@dataclass(frozen=True)
class Areas:
    """Polygons that are ready to cut by."""

    ids: list[str]
    names: list[str]
    shapes: Shapes
    size_m2: Floats

    def __len__(self) -> int:
        return len(self.ids)


def sliver_m2(shapes: Shapes) -> Floats:
    """Areas up to which what such polygons share with others is but a sliver."""
    around = ruler.lengths(shapely.boundary(shapes))
    return np.maximum(_SLIVER_M2, _SLIVER_M * around)


def usable_areas(frame: GeoDataFrame, what: str, ledger: Ledger, name: str | None = None) -> Areas:
    """Take the polygons of a layer, mended where they are invalid."""
    shapes = checked(frame, what).copy()
    ids = row_ids(frame)
    nameless = sum(map(blank, frame["id"])) if "id" in frame.columns else 0
    if nameless:
        raise DataError(f"{what}: {nameless} row(s) have no id; fill the column 'id' or drop it")
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise DataError(f"{what}: ids that stand more than once: {', '.join(twice[:5])}")
    column = name or "name"
    if name is not None and name not in frame.columns:
        raise DataError(f"{what} has no column {name!r}; it has {columns_of(frame)}")
    names = ids
    if column in frame.columns:
        values = frame[column].tolist()
        names = [i if blank(v) else str(v) for i, v in zip(ids, values, strict=True)]
    kept = np.ones(len(shapes), dtype=bool)

    def drop(rows: Bools, reason: str) -> None:
        hit = np.flatnonzero(rows & kept)
        ledger.note(what, "dropped", reason, [ids[k] for k in hit])
        kept[hit] = False

    drop(shapely.is_missing(shapes), NOT_LOCATED)
    drop(shapely.is_empty(shapes), EMPTY)
    bounds = np.full((len(shapes), 4), 0.0)
    bounds[kept] = shapely.bounds(shapes[kept])
    # A coordinate that is no number doesn't show in the bounds, but it does in the length.
    spoilt = ~np.isfinite(bounds).all(axis=1)
    spoilt[kept] |= ~np.isfinite(shapely.length(shapes[kept]))
    drop(spoilt, NO_NUMBER)
    drop(~np.isin(shapely.get_type_id(shapes), (3, 6, 7)), "not a polygon")
    in_range(bounds[kept], what)
    mixed = [
        row
        for row in np.flatnonzero(kept & (shapely.get_type_id(shapes) == 7))
        if (shapely.get_type_id(_members(shapes[row])) != 3).any()
    ]
    broken = np.flatnonzero(kept & ~shapely.is_valid(shapes))
    for row in broken:
        mended = shapely.make_valid(shapes[row], method="structure", keep_collapsed=False)
        parts = _members(mended)
        parts = parts[shapely.get_type_id(parts) == 3]
        shapes[row] = (
            shapely.multipolygons(parts)
            if len(parts) > 1
            else (parts[0] if len(parts) else shapely.Polygon())
        )
    collected = np.flatnonzero(kept & (shapely.get_type_id(shapes) == 7))
    for row in collected:
        parts = _members(shapes[row])
        shapes[row] = shapely.union_all(parts[shapely.get_type_id(parts) == 3])
    for mended_rows, reason in (
        (broken, "invalid geometry, made valid"),
        (mixed, "points or lines beside polygons in one row"),
    ):
        who = [ids[k] for k in mended_rows if not shapes[k].is_empty]
        ledger.note(what, "repaired", reason, who)
    drop(np.asarray(shapely.is_empty(shapes)), "invalid geometry without any area")
    rows = np.flatnonzero(kept)
    if not len(rows):
        why = ", ".join(f"{n.count}: {n.reason}" for n in ledger.notes if n.layer == what)
        raise DataError(f"{what}: no usable polygon among {len(shapes)} row(s) ({why or 'none'})")
    size = ruler.areas(shapes[rows])
    return Areas([ids[k] for k in rows], [names[k] for k in rows], shapes[rows], size)


def _members(shape: shapely.Geometry) -> Shapes:
    """The points, lines and polygons of a shape, however deep in collections."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    members: Shapes = parts[~shapely.is_empty(parts)]
    return members


def side_by_side(subs: Areas, district: shapely.Geometry | None, checks: Checks) -> Areas:
    """Report overlaps and gaps; give an overlap to the first that has it."""
    shapes = subs.shapes
    total = float(subs.size_m2.sum()) / 1e6
    overlap = 0.0
    matched = bool(shapely.coverage_is_valid(shapes))
    if not matched:
        shapes = shapes.copy()
        one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        later = one < two
        one, two = one[later], two[later]
        both = ruler.areas(polygons.intersection(subs.shapes[one], subs.shapes[two]))
        least = sliver_m2(subs.shapes)
        for first, second, size in zip(one, two, both, strict=True):
            if size > max(least[first], least[second]):
                overlap += size / 1e6
                item = f"{subs.ids[first]}{BORDER}{subs.ids[second]}"
                checks.found("subdistricts that overlap", item, "km2", size / 1e6, total)
                shapes[second] = polygons.difference(shapes[second], shapes[first])[0]
        empty = np.flatnonzero(shapely.is_empty(shapes))
        if len(empty):
            raise DataError(f"subdistrict {subs.ids[empty[0]]} lies wholly within others")
    checks.found("subdistricts that overlap", "all", "km2", overlap, total)
    # What matches edge by edge joins without any overlay.
    union = shapely.coverage_union_all(shapes) if matched else polygons.union(shapes)
    if district is None:
        # Without a district only holes can be told from the outside.
        parts = shapely.get_parts(union)
        rings = [shapely.Polygon(r) for part in parts for r in part.interiors]
        gap, whole = float(ruler.areas(np.array(rings, dtype=object)).sum()), total
        label = "holes between subdistricts"
    else:
        gap = float(ruler.areas(polygons.difference(district, union))[0])
        whole, label = float(ruler.areas(district)[0]) / 1e6, "district without subdistrict"
    checks.found(label, "all", "km2", gap / 1e6, whole)
    if shapes is subs.shapes:
        return subs
    return Areas(subs.ids, subs.names, shapes, ruler.areas(shapes))


def reaches_of(
    frame: GeoDataFrame,
    axes: Lines,
    reach_m: float,
    ends: Literal["round", "flat"],
    district: shapely.Geometry | None,
) -> Areas:
    """Widen corridors to both sides, clipped to the district."""
    if not reach_m > 0 or not np.isfinite(reach_m):
        raise ValueError(f"reach_m is {reach_m}; give metres, more than zero")
    if ends not in ("round", "flat"):
        raise ValueError(f"reach_ends is {ends!r}; give 'round' or 'flat'")
    ids, names, code = corridor_codes(frame, axes)
    shapes: list[Any] = []
    for number in range(len(ids)):
        lines = shapely.union_all(axes.shapes[code == number])
        # Parts that continue each other are joined first: flat ends belong to the ends only.
        lines = shapely.line_merge(lines)
        x0, y0, x1, y1 = lines.bounds
        plane = Plane((x0 + x1) / 2, (y0 + y1) / 2)
        flat = shapely.transform(lines, plane.to_all)
        reach: Any = shapely.buffer(flat, reach_m, quad_segs=ARC, cap_style=ends)
        reach = shapely.transform(reach, plane.back_all)
        if district is not None:
            reach = polygons.intersection(reach, district)[0]
            if reach.is_empty:
                raise DataError(f"corridor {ids[number]}: its reach lies outside the district")
        shapes.append(reach)
    out = np.array(shapes, dtype=object)
    return Areas(ids, names, out, ruler.areas(out))


def corridor_codes(frame: GeoDataFrame, axes: Lines) -> tuple[list[str], list[str], Ints]:
    """Ids and names of corridors, and which one each line belongs to."""
    column = "corridor" if "corridor" in frame.columns else "id"
    keys = frame[column].astype(str).tolist() if column in frame.columns else row_ids(frame)
    names = frame["name"].tolist() if "name" in frame.columns else keys
    ids: dict[str, int] = {}
    labels: list[str] = []
    code = []
    for row in axes.row.tolist():
        if keys[row] not in ids:
            ids[keys[row]] = len(ids)
            labels.append(keys[row] if blank(names[row]) else str(names[row]))
        code.append(ids[keys[row]])
    return list(ids), labels, np.array(code, dtype=np.int64)


def parts_of(areas: Areas, subs: Areas | None, checks: Checks) -> tuple[Shapes, Ints, Ints]:
    """Zones cut by subdistricts: shapes, their zones, their subdistricts (-1 for none)."""
    if subs is None:
        return areas.shapes, np.arange(len(areas)), np.full(len(areas), -1)
    tree = shapely.STRtree(subs.shapes)
    zone, sub = tree.query(areas.shapes, predicate="intersects")
    order = np.lexsort((sub, zone))
    zone, sub = zone[order], sub[order]
    shapes = polygons.intersection(areas.shapes[zone], subs.shapes[sub])
    full = ~shapely.is_empty(shapes)
    shapes, zone, sub = shapes[full], zone[full], sub[full]
    each = ruler.areas(shapes)
    size = np.bincount(zone, weights=each, minlength=len(areas))
    # The subdistricts lie side by side: where they make up a zone, nothing of it is left.
    short = np.flatnonzero(np.abs(areas.size_m2 - size) > TOLERANCE / 2 * areas.size_m2)
    rest: Shapes = np.full(len(areas), shapely.Polygon(), dtype=object)
    if len(short):
        union = [polygons.union(subs.shapes[sub[zone == number]]) for number in short]
        rest[short] = polygons.difference(areas.shapes[short], np.array(union, dtype=object))
    left = ruler.areas(rest)
    least = sliver_m2(areas.shapes)
    for number, name in enumerate(areas.ids):
        checks.equal(
            "area by subdistrict", name, "km2",
            float(size[number] + left[number]) / 1e6, float(areas.size_m2[number]) / 1e6,
            float(least[number]) / 1e6,
        )  # fmt: skip
    # Slivers along common borders are no rows of their own, but they are counted above.
    real = each > least[zone]
    some = np.flatnonzero(left > least)
    return (
        np.concatenate((shapes[real], rest[some])),
        np.concatenate((zone[real], some)),
        np.concatenate((sub[real], np.full(len(some), -1))),
    )
