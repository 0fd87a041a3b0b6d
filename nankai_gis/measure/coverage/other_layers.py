"""Other layers counted by zone and subdistrict: points, lines, polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import nearest, polygons, ruler
from nankai_gis.geometry.arrays import Floats, Ints, Shapes, spread
from nankai_gis.geometry.cut import BOUNDARY, INSIDE
from nankai_gis.geometry.cut_lines import LEAST_M, cut_lines
from nankai_gis.measure.coverage import membership
from nankai_gis.measure.coverage.areas import sliver_m2, usable_areas
from nankai_gis.measure.coverage.membership import NO_SUBDISTRICT, States
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger
from nankai_gis.measure.coverage.tables import Book
from nankai_gis.measure.coverage.validation import (
    checked,
    take,
    usable_lines,
    usable_points,
    without_repeats,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["count"]


def count(
    book: Book, name: str, frame: GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Count a layer by zone and subdistrict; its table, its checks and what was left out."""
    ledger, checks = Ledger(), Checks()
    shapes = checked(frame, name)
    kinds = set(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]).tolist())
    families = {
        0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "polygon", 6: "polygon",
    }  # fmt: skip
    found = {families.get(kind, "mixed") for kind in kinds}
    if len(found) != 1 or "mixed" in found:
        raise DataError(
            f"{name}: {'no geometry' if not found else 'geometry of several kinds'}; give "
            f"all points, all lines or all polygons (split it by geom_type)"
        )
    family = found.pop()
    frame = without_repeats(frame, name, ledger, family)
    if family == "point":
        rows = _at_points(book, name, frame, ledger, checks)
    elif family == "line":
        rows = _along_lines(book, name, frame, ledger, checks)
    else:
        rows = _within_polygons(book, name, frame, ledger, checks)
    values = [c for c in rows.columns if c not in ("zone", "sub_id", "sub_name", "feature")]
    grouped = rows.groupby(["zone", "sub_id", "sub_name"], sort=False)
    table = grouped[values].sum()
    table.insert(0, "features", grouped["feature"].nunique())
    table = table.reset_index()
    missing = sorted(set(range(len(book.zones))) - set(table["zone"].tolist()))
    if missing:
        empty = dict.fromkeys(["features", *values], 0)
        more = [{"zone": z, "sub_id": "", "sub_name": "", **empty} for z in missing]
        table = pd.concat([table, pd.DataFrame(more)], ignore_index=True)
    table = table.sort_values(["zone", "sub_id"], kind="stable", ignore_index=True)
    # What is in no zone stands last.
    table = pd.concat([table[table.zone >= 0], table[table.zone < 0]], ignore_index=True)
    codes = table["zone"].to_numpy()
    out = {
        "zone": take([*book.zones.ids, ""], codes),
        "zone_name": take([*book.zones.names, ""], codes),
        "subdistrict": table["sub_id"],
        "subdistrict_name": table["sub_name"],
        **{c: table[c] for c in ["features", *values]},
    }
    return pd.DataFrame(out), checks.frame(), ledger.frame()


def _areas(book: Book) -> Shapes:
    subs = book.subs.shapes if book.subs is not None else np.zeros(0, dtype=object)
    return np.concatenate((book.zones.shapes, subs))


def _rows(
    feature: Ints,
    state: Ints,
    states: States,
    columns: tuple[str, str],
    value: Floats | Ints,
) -> pd.DataFrame:
    """One row for each thing and zone, and one with zone -1 for what is in none."""
    low = np.searchsorted(states.state, state)
    high = np.searchsorted(states.state, state, side="right")
    thing, number = spread(high - low)
    at = low[thing] + number
    none = np.flatnonzero(high == low)
    thing = np.concatenate((thing, none))
    zone = np.concatenate((states.zone[at], np.full(len(none), -1)))
    inside = np.concatenate((states.on[at] == INSIDE, np.ones(len(none), dtype=bool)))
    labels = states.sub[state[thing]]
    return pd.DataFrame(
        {
            "zone": zone,
            "sub_id": take([label[0] for label in states.labels], labels),
            "sub_name": take([label[1] for label in states.labels], labels),
            "feature": feature[thing],
            columns[0]: np.where(inside, value[thing], 0),
            columns[1]: np.where(inside, 0, value[thing]),
        }
    )


def _at_points(
    book: Book, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    shapes, row = usable_points(frame, name, ledger)
    place = shapely.get_coordinates(shapes)
    areas = _areas(book)
    first, area, on = _where(place, areas, book.boundary_m)
    states = membership.read(first, area, on, len(book.zones), book.subs, False)
    one = np.ones(len(row), dtype=np.int64)
    rows = _rows(row, np.arange(len(row)), states, ("inside", "boundary"), one)
    for number, zone in enumerate(book.zones.ids):
        mine = rows[rows.zone == number]
        inside = int(mine["inside"].sum() + mine["boundary"].sum())
        outside = len(row) - len(np.unique(states.state[states.zone == number]))
        checks.equal(
            f"{name}: inside + boundary + outside", zone, "points", inside + outside, len(row)
        )
    return rows


def _along_lines(
    book: Book, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    lines = usable_lines(frame, name, ledger)
    cut = cut_lines(lines.shapes, _areas(book), boundary_m=book.boundary_m)
    states = membership.read(
        cut.state_first, cut.state_area, cut.state_on, len(book.zones), book.subs, False
    )
    rows = _rows(
        lines.row[cut.line], cut.state, states, ("inside_km", "boundary_km"),
        cut.length_m / 1000.0,
    )  # fmt: skip
    total = float(cut.line_length_m.sum()) / 1000.0
    by_state = np.bincount(cut.state, weights=cut.length_m, minlength=len(states.sub)) / 1000.0
    for number, zone in enumerate(book.zones.ids):
        mine = rows[rows.zone == number]
        out = np.ones(len(states.sub), dtype=bool)
        out[states.state[states.zone == number]] = False
        parts = mine["inside_km"].sum() + mine["boundary_km"].sum() + by_state[out].sum()
        checks.equal(f"{name}: inside + boundary + outside", zone, "km", float(parts), total)
    return rows


def _within_polygons(
    book: Book, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    # Rows without an id are told by their index, and one index may stand for several.
    told = frame if frame.index.is_unique else frame.reset_index(drop=True)
    layer = usable_areas(told, name, ledger)
    feature, zone, sub, size = [], [], [], []
    tree = shapely.STRtree(layer.shapes)
    for part, z, s in zip(book.parts, book.part_zone, book.part_sub, strict=True):
        rows, meets = _cut_polygons(layer.shapes, layer.size_m2, tree, part)
        feature.append(rows)
        size.append(meets)
        zone.append(np.full(len(rows), z))
        sub.append(np.full(len(rows), s))
    rest = _outside(layer.shapes, layer.size_m2, tree, book.zones.shapes)
    all_feature = np.concatenate([*feature, np.arange(len(layer))])
    all_zone = np.concatenate([*zone, np.full(len(layer), -1)])
    all_sub = np.concatenate([*sub, np.full(len(layer), -2)])
    area = np.concatenate([*size, rest]) / 1e6
    ids = [*(book.subs.ids if book.subs is not None else []), "", NO_SUBDISTRICT]
    names = [*(book.subs.names if book.subs is not None else []), "", NO_SUBDISTRICT]
    table = pd.DataFrame(
        {
            "zone": all_zone,
            "sub_id": take(ids, all_sub),
            "sub_name": take(names, all_sub),
            "feature": all_feature,
            "area_km2": area,
        }
    )
    for number, zone_id in enumerate(book.zones.ids):
        shape = book.zones.shapes[number]
        near = tree.query(shape)
        left = np.delete(layer.size_m2, near).sum()
        left += ruler.areas(polygons.difference(layer.shapes[near], shape)).sum()
        inside = float(table.area_km2[table.zone == number].sum())
        whole = float(layer.size_m2.sum()) / 1e6
        checks.equal(f"{name}: inside + outside", zone_id, "km2", inside + left / 1e6, whole)
    # Slivers along common edges are no parts of their own, but they are counted above.
    parts: pd.DataFrame = table[area * 1e6 > sliver_m2(layer.shapes)[all_feature]]
    return parts


def _cut_polygons(
    shapes: Shapes, size: Floats, tree: shapely.STRtree, part: shapely.Geometry
) -> tuple[Ints, Floats]:
    """Polygons of a layer that share area with a part, and how much; whole ones uncut."""
    near = tree.query(part, predicate="intersects")
    whole = np.zeros(len(shapes), dtype=bool)
    whole[tree.query(part, predicate="contains_properly")] = True
    crossing = near[~whole[near]]
    out = size[near]
    if len(crossing):
        out[~whole[near]] = ruler.areas(polygons.intersection(shapes[crossing], part))
    return near, out


def _outside(shapes: Shapes, size: Floats, tree: shapely.STRtree, zones: Shapes) -> Floats:
    """Area of each polygon that lies in no zone."""
    everything = polygons.union(zones)
    out = size.copy()
    whole = np.zeros(len(shapes), dtype=bool)
    whole[tree.query(everything, predicate="contains_properly")] = True
    near = tree.query(everything, predicate="intersects")
    out[whole] = 0.0
    crossing = near[~whole[near]]
    if len(crossing):
        out[crossing] = ruler.areas(polygons.difference(shapes[crossing], everything))
    return out


def _where(place: Floats, areas: Shapes, boundary_m: float) -> tuple[Ints, Ints, Ints]:
    """CSR of the areas that points are in or at the boundary of; each point is a state."""
    parts, owner = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    edges = np.stack((vertices[joined], vertices[joined + 1]), axis=1)
    close, edge, _, _ = nearest.near(place, edges, max(boundary_m, LEAST_M))
    tree = shapely.STRtree(np.asarray(shapely.points(place), dtype=object))
    holder, held = tree.query(areas, predicate="contains_properly")
    point = np.concatenate((close, held))
    area = np.concatenate((owner[part[ring[joined[edge]]]], holder))
    on = np.repeat((BOUNDARY, INSIDE), (len(close), len(held)))
    # Whether it lies inside or not, what is at the boundary is there: the first of the two.
    _, first = np.unique(point * len(areas) + area, return_index=True)
    point, area, on = point[first], area[first], on[first]
    return np.searchsorted(point, np.arange(len(place) + 1)), area, on
