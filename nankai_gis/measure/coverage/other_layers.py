"""Another layer counted by zone and subdistrict: points, lines or polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import nearest, polygons, ruler
from nankai_gis.geometry.arrays import Floats, Ints, Shapes, spread, sums
from nankai_gis.geometry.cut import BOUNDARY, INSIDE
from nankai_gis.geometry.cut_lines import LEAST_M, cut_lines
from nankai_gis.measure.coverage.areas import sliver_m2, usable_areas
from nankai_gis.measure.coverage.labels import NO_SUBDISTRICT
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger
from nankai_gis.measure.coverage.sums import AreaMembership, area_membership
from nankai_gis.measure.coverage.tables import ALL_STREETS, Overlay
from nankai_gis.measure.coverage.validation import (
    checked,
    take,
    usable_lines,
    usable_points,
    without_repeats,
)
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["count_layer"]

IN_AND_OUT = mark("inside + outside")
# Types of geometry as shapely numbers them.
_FAMILIES = {
    0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "polygon", 6: "polygon",
}  # fmt: skip
_KEYS = ["zone", "subdistrict", "subdistrict_name"]


def count_layer(
    overlay: Overlay, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    """Return a layer by zone and subdistrict; what is in no zone stands last."""
    family = _family(checked(frame, name), name)
    frame = without_repeats(frame, name, ledger, family)
    count = {"point": _points, "line": _lines, "polygon": _polygons}[family]
    rows = count(overlay, name, frame, ledger, checks)
    # Sum up; a zone without any feature has a row of zeros.
    values = [column for column in rows.columns if column not in (*_KEYS, "feature")]
    grouped = rows.groupby(_KEYS, sort=False)
    table = grouped[values].sum()
    table.insert(0, "features", grouped["feature"].nunique())
    table = table.reset_index()
    missing = sorted(set(range(len(overlay.zones))) - set(table["zone"].tolist()))
    if missing:
        empty = {
            "subdistrict": "",
            "subdistrict_name": "",
            "features": 0,
            **dict.fromkeys(values, 0),
        }
        more = pd.DataFrame([{"zone": zone, **empty} for zone in missing])
        table = pd.concat([table, more], ignore_index=True)
    table["last"] = table["zone"] < 0
    table = table.sort_values(["last", "zone", "subdistrict"], kind="stable", ignore_index=True)
    codes = table["zone"].to_numpy()
    table["zone"] = take([*overlay.zones.ids, ""], codes)
    table.insert(1, "zone_name", take([*overlay.zones.names, ""], codes))
    return table.drop(columns="last")


def _family(shapes: Shapes, name: str) -> str:
    kinds = set(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]).tolist())
    families = {_FAMILIES.get(kind, "mixed") for kind in kinds}
    if not families:
        raise DataError(
            tr("{layer}: no row has a geometry; give points, lines or polygons", layer=name)
        )
    if len(families) > 1 or "mixed" in families:
        raise DataError(
            tr(
                "{layer}: geometry of several kinds; give all points, all lines or all polygons "
                "(split the layer by geom_type)",
                layer=name,
            )
        )
    return families.pop()


def _areas(overlay: Overlay) -> Shapes:
    subs = overlay.subs.shapes if overlay.subs is not None else np.zeros(0, dtype=object)
    return np.concatenate((overlay.zones.shapes, subs))


def _rows(
    feature: Ints,
    state: Ints,
    membership: AreaMembership,
    columns: tuple[str, str],
    value: Floats | Ints,
) -> pd.DataFrame:
    """One row for each thing and zone, and one with zone -1 for what is in none."""
    low, high = membership.rows_of(state)
    thing, number = spread(high - low)
    row = low[thing] + number
    none = np.flatnonzero(high == low)
    thing = np.concatenate((thing, none))
    inside = np.concatenate((membership.on[row] == INSIDE, np.ones(len(none), dtype=bool)))
    place = membership.place[state[thing]]
    return pd.DataFrame(
        {
            "zone": np.concatenate((membership.zone[row], np.full(len(none), -1))),
            "subdistrict": take([label[0] for label in membership.labels], place),
            "subdistrict_name": take([label[1] for label in membership.labels], place),
            "feature": feature[thing],
            columns[0]: np.where(inside, value[thing], 0),
            columns[1]: np.where(inside, 0, value[thing]),
        }
    )


def _check_whole(
    overlay: Overlay,
    name: str,
    rows: pd.DataFrame,
    values: tuple[str, str],
    by_state: Floats,
    membership: AreaMembership,
    unit: str,
    checks: Checks,
) -> None:
    """Compare what is in, along and out of each zone with the whole."""
    by_zone = rows.groupby("zone")[[*values]].sum().sum(axis=1)
    for number, zone in enumerate(overlay.zones.ids):
        out = np.ones(len(by_state), dtype=bool)
        out[membership.state[membership.zone == number]] = False
        parts = float(by_zone.get(number, 0.0)) + float(by_state[out].sum())
        checks.equal(ALL_STREETS, zone, unit, parts, float(by_state.sum()), layer=name)


def _points(
    overlay: Overlay, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    shapes, row = usable_points(frame, name, ledger)
    # Each point is a state of its own.
    place = shapely.get_coordinates(shapes)
    states = _states_of_points(place, _areas(overlay), overlay.boundary_m)
    membership = area_membership(*states, len(overlay.zones), overlay.subs, False)
    columns = ("inside", "boundary")
    one = np.ones(len(row), dtype=np.int64)
    rows = _rows(row, np.arange(len(row)), membership, columns, one)
    whole = one.astype(np.float64)
    _check_whole(overlay, name, rows, columns, whole, membership, "points", checks)
    return rows


def _lines(
    overlay: Overlay, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    lines = usable_lines(frame, name, ledger)
    cut = cut_lines(lines.shapes, _areas(overlay), boundary_m=overlay.boundary_m)
    states = cut.state_first, cut.state_area, cut.state_on
    membership = area_membership(*states, len(overlay.zones), overlay.subs, False)
    columns = ("inside_km", "boundary_km")
    length_km = cut.length_m / 1000.0
    rows = _rows(lines.row[cut.line], cut.state, membership, columns, length_km)
    by_state = sums(cut.state, length_km, len(membership.place))
    _check_whole(overlay, name, rows, columns, by_state, membership, "km", checks)
    return rows


def _polygons(
    overlay: Overlay, name: str, frame: GeoDataFrame, ledger: Ledger, checks: Checks
) -> pd.DataFrame:
    # Rows without an id are known by their index, which several rows may share.
    unique = frame if frame.index.is_unique else frame.reset_index(drop=True)
    layer = usable_areas(unique, name, ledger)
    tree = shapely.STRtree(layer.shapes)
    # What of each polygon lies in each part of a zone, and in no zone.
    near = [_shared(layer.shapes, layer.size_m2, tree, part) for part in overlay.parts]
    count = [len(rows) for rows, _ in near]
    everything = polygons.union(overlay.zones.shapes)
    rest = _outside(layer.shapes, layer.size_m2, tree, everything)
    feature = np.concatenate([*(rows for rows, _ in near), np.arange(len(layer))])
    zone = np.append(np.repeat(overlay.part_zone, count), np.full(len(layer), -1))
    sub = np.append(np.repeat(overlay.part_sub, count), np.full(len(layer), -2))
    area_m2 = np.concatenate([*(size for _, size in near), rest])
    for number, zone_id in enumerate(overlay.zones.ids):
        out = _outside(layer.shapes, layer.size_m2, tree, overlay.zones.shapes[number])
        parts = float(area_m2[zone == number].sum() + out.sum()) / 1e6
        whole = float(layer.size_m2.sum()) / 1e6
        checks.equal(IN_AND_OUT, zone_id, "km2", parts, whole, layer=name)
    subs = overlay.subs
    ids = [*(subs.ids if subs is not None else []), "", NO_SUBDISTRICT]
    names = [*(subs.names if subs is not None else []), "", NO_SUBDISTRICT]
    table = pd.DataFrame(
        {
            "zone": zone,
            "subdistrict": take(ids, sub),
            "subdistrict_name": take(names, sub),
            "feature": feature,
            "area_km2": area_m2 / 1e6,
        }
    )
    # Slivers along common edges are no parts of their own, but they are counted above.
    real: pd.DataFrame = table[area_m2 > sliver_m2(layer.shapes)[feature]]
    return real


def _shared(
    shapes: Shapes, size: Floats, tree: shapely.STRtree, area: shapely.Geometry
) -> tuple[Ints, Floats]:
    """Polygons of a layer that meet an area, and how much they share; whole ones aren't cut."""
    near = tree.query(area, predicate="intersects")
    whole = np.isin(near, tree.query(area, predicate="contains_properly"))
    shared = size[near]
    if not whole.all():
        shared[~whole] = ruler.areas(polygons.intersection(shapes[near[~whole]], area))
    return near, shared


def _outside(shapes: Shapes, size: Floats, tree: shapely.STRtree, area: shapely.Geometry) -> Floats:
    """How much of each polygon lies outside an area; cut by itself, not what is left of it."""
    out = size.copy()
    near = tree.query(area, predicate="intersects")
    whole = np.isin(near, tree.query(area, predicate="contains_properly"))
    out[near[whole]] = 0.0
    if not whole.all():
        out[near[~whole]] = ruler.areas(polygons.difference(shapes[near[~whole]], area))
    return out


def _states_of_points(place: Floats, areas: Shapes, boundary_m: float) -> tuple[Ints, Ints, Ints]:
    """States of points as `Cut` has them: the areas that each is in or at the boundary of."""
    # The edges of all rings, and the points within the tolerance of them.
    parts, owner = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    edges = np.stack((vertices[joined], vertices[joined + 1]), axis=1)
    close, edge, _, _ = nearest.near(place, edges, max(boundary_m, LEAST_M))
    # The points within.
    tree = shapely.STRtree(np.asarray(shapely.points(place), dtype=object))
    holder, within = tree.query(areas, predicate="contains_properly")
    point = np.concatenate((close, within))
    area = np.concatenate((owner[part[ring[joined[edge]]]], holder))
    on = np.repeat((BOUNDARY, INSIDE), (len(close), len(within)))
    # Whether it lies inside or not, what is at the boundary is there: the first of the two.
    _, first = np.unique(point * len(areas) + area, return_index=True)
    point, area, on = point[first], area[first], on[first]
    return np.searchsorted(point, np.arange(len(place) + 1)), area, on
