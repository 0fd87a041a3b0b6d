"""Corridors: the area within reach of them, and their length by subdistrict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import polygons, ruler
from nankai_gis.geometry.arrays import Ints
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.geometry.plane import Plane
from nankai_gis.measure.coverage.areas import Areas
from nankai_gis.measure.coverage.reconciliation import Checks
from nankai_gis.measure.coverage.sums import area_membership
from nankai_gis.measure.coverage.validation import Lines, blank, row_ids
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["ARC", "corridor_table", "reaches_of"]

#: Sides to a quarter of a round end, which is 0.16 % too small by that; with GEOS's own 8, 0.6 %.
ARC = 16
BY_SUBDISTRICT = mark("corridor by subdistrict")


def reaches_of(
    frame: GeoDataFrame,
    axes: Lines,
    reach_m: float,
    ends: Literal["round", "flat"],
    district: shapely.Geometry | None,
) -> Areas:
    """Return corridors widened to both sides, clipped to the district."""
    if not reach_m > 0 or not np.isfinite(reach_m):
        raise ValueError(f"reach_m is {reach_m}; give metres, more than zero")
    if ends not in ("round", "flat"):
        raise ValueError(f"reach_ends is {ends!r}; give 'round' or 'flat'")
    ids, names, code = _corridors(frame, axes)
    shapes: list[Any] = []
    for number in range(len(ids)):
        # Parts that continue each other are joined first: flat ends belong to the ends only.
        lines = shapely.line_merge(shapely.union_all(axes.shapes[code == number]))
        x0, y0, x1, y1 = lines.bounds
        plane = Plane((x0 + x1) / 2, (y0 + y1) / 2)
        flat = shapely.transform(lines, plane.to_all)
        reach: Any = shapely.buffer(flat, reach_m, quad_segs=ARC, cap_style=ends)
        reach = shapely.transform(reach, plane.back_all)
        if district is not None:
            reach = polygons.intersection(reach, district)[0]
            if reach.is_empty:
                raise DataError(
                    tr(
                        "corridor {id}: its reach lies outside the district; leave the corridor "
                        "out, or measure without a district",
                        id=ids[number],
                    )
                )
        shapes.append(reach)
    out = np.array(shapes, dtype=object)
    return Areas(ids, names, out, ruler.areas(out))


def _corridors(frame: GeoDataFrame, axes: Lines) -> tuple[list[str], list[str], Ints]:
    """Ids and names of corridors, and which one each line belongs to."""
    keys = frame["corridor"].astype(str).tolist() if "corridor" in frame else row_ids(frame)
    names = frame["name"].tolist() if "name" in frame.columns else keys
    number: dict[str, int] = {}
    shown: list[str] = []
    codes = []
    for row in axes.row.tolist():
        if keys[row] not in number:
            number[keys[row]] = len(number)
            shown.append(keys[row] if blank(names[row]) else str(names[row]))
        codes.append(number[keys[row]])
    return list(number), shown, np.array(codes, dtype=np.int64)


def corridor_table(
    frame: GeoDataFrame | None,
    axes: Lines | None,
    subs: Areas | None,
    boundary_m: float,
    checks: Checks,
) -> pd.DataFrame:
    """Return the length of corridors by subdistrict."""
    columns = [
        "corridor", "corridor_name", "subdistrict", "subdistrict_name", "on", "length_km",
        "share_of_corridor",
    ]  # fmt: skip
    if frame is None or axes is None:
        return pd.DataFrame(columns=columns)
    ids, names, code = _corridors(frame, axes)
    # Cut the axes by the subdistricts and sum up by corridor and place.
    shapes = subs.shapes if subs is not None else np.zeros(0, dtype=object)
    cut = cut_lines(axes.shapes, shapes, boundary_m=boundary_m)
    places = area_membership(cut.state_first, cut.state_area, cut.state_on, 0, subs, False)
    wide = len(places.labels)
    key = code[cut.line] * wide + places.place[cut.state]
    metres = np.bincount(key, weights=cut.length_m, minlength=len(ids) * wide)
    length_km = metres.reshape(len(ids), wide) / 1000.0
    whole_km = np.bincount(code, weights=cut.line_length_m, minlength=len(ids)) / 1000.0
    # One row for each corridor and each place where it has a length.
    rows = []
    for number, corridor in enumerate(ids):
        parts, whole = float(length_km[number].sum()), float(whole_km[number])
        checks.equal(BY_SUBDISTRICT, corridor, "km", parts, whole)
        for place in np.flatnonzero(length_km[number] > 0):
            km = float(length_km[number, place])
            rows.append((corridor, names[number], *places.labels[place], km, km / whole))
    return pd.DataFrame(rows, columns=columns)
