"""Measuring: areas made ready, streets summed up by them, tables drawn up and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import polygons
from nankai_gis.geometry.arrays import Shapes
from nankai_gis.measure.coverage.areas import Areas, parts_of, side_by_side, usable_areas
from nankai_gis.measure.coverage.corridors import corridor_table, reaches_of
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger
from nankai_gis.measure.coverage.result import KEYS, Coverage, Key, checked_keys
from nankai_gis.measure.coverage.sums import Pieces, Progress, StreetSums, street_sums
from nankai_gis.measure.coverage.tables import (
    Overlay,
    area_table,
    class_table,
    street_table,
    subdistrict_table,
    zone_table,
)
from nankai_gis.measure.coverage.validation import (
    Lines,
    no_usable,
    planned,
    repeated,
    usable_lines,
)
from nankai_gis.words import listed, mark, tr

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

__all__ = ["BOUNDARY_M", "measure", "measure_by"]

#: A street within this distance of a boundary, and in its direction, runs along it; metres. Half
#: the distance between the carriageways of a wide street.
BOUNDARY_M = 15.0
PIECES = mark("pieces of streets")
LENGTHS = mark("lengths by key")


def measure(
    zones: GeoDataFrame,
    streets: GeoDataFrame,
    subdistricts: GeoDataFrame | None = None,
    *,
    by: Iterable[Key] | None = None,
    boundary_m: float = BOUNDARY_M,
    district: GeoDataFrame | None = None,
    corridors: GeoDataFrame | None = None,
    reach_m: float | None = None,
    reach_ends: Literal["round", "flat"] = "round",
    centrelines: GeoDataFrame | None = None,
    street_name: str = "name",
    street_class: str | None = None,
    subdistrict_name: str | None = None,
    progress: Progress | None = None,
) -> Coverage:
    """Overlay zones with streets and subdistricts, and tabulate lengths and areas.

    All layers are in EPSG:4326. ``id`` names a row (else its index does), ``name`` is shown.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        Polygons; they may overlap.
    streets : geopandas.GeoDataFrame
        Lines, carriageway by carriageway. Names that differ in script only are one street. Rows
        of a railway or river (columns of these names, no ``highway``) are left out and counted,
        and so are rows that repeat another's id (``id``, else ``way``) and line.
    subdistricts : geopandas.GeoDataFrame, optional
        Polygons that are meant to fill the district side by side. Where they overlap, the first
        has the place; overlaps and gaps are measured.
    by : iterable of {'zone', 'subdistrict', 'street', 'class'}, optional
        Keys of `Coverage.lengths`; all that there are by default.
    boundary_m : float
        A street within this distance of a boundary, and in its direction, runs along it; metres.
    district : geopandas.GeoDataFrame, optional
        Polygons; a street's share is of its length in here, else of all of it. Reaches are
        clipped to it.
    corridors : geopandas.GeoDataFrame, optional
        Lines; rows that have the same ``corridor`` (else ``id``) are one. Rows that are
        ``planned`` are left out and counted.
    reach_m : float, optional
        Corridors get a reach this far to both sides, which is measured like a zone; its id is
        that of the corridor.
    reach_ends : {'round', 'flat'}
        A round end is a polygon of 16 sides to a quarter, 0.16 % smaller than the half circle.
    centrelines : geopandas.GeoDataFrame, optional
        Lines, each street once; their figures stand beside those of the carriageways, matched by
        name.
    street_name, street_class, subdistrict_name : str, optional
        Columns; the class is else the first there is of ``highway``, ``class``, ``fclass`` and
        ``kind``.
    progress : callable, optional
        Is called from time to time with the lines that are cut, and all there are.

    Returns
    -------
    Coverage

    Raises
    ------
    CRSError
        For a layer without a CRS, or not in longitude and latitude.
    DataError
        For a layer without a usable row, without the column of names or classes, or with an id
        twice.
    GeometryError
        If a table doesn't add up within `TOLERANCE`, or polygons can't be overlaid.
    ValueError
        For options that make no sense.

    Examples
    --------
    A zone of a hundredth of a degree; one street crosses it, another runs along its west side:

    >>> import geopandas
    >>> from shapely.geometry import LineString, box
    >>> zone = geopandas.GeoDataFrame(
    ...     {"id": ["z"]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    >>> street = geopandas.GeoDataFrame(
    ...     {"name": ["橫道", "邊路"], "highway": ["primary", None]},
    ...     geometry=[LineString([(116.99, 39.005), (117.02, 39.005)]),
    ...               LineString([(117, 39), (117, 39.01)])], crs=4326)
    >>> result = measure(zone, street)
    >>> result.streets[["street", "inside_km", "boundary_km", "share_inside"]].round(3).values
    array([['橫道', 0.866, 0.0, 0.333],
           ['邊路', 0.0, 1.11, 0.0]], dtype=object)
    """

    def summed(areas: Shapes) -> tuple[StreetSums, Pieces | None]:
        return street_sums(
            streets,
            areas,
            street_name=street_name,
            street_class=street_class,
            boundary_m=boundary_m,
            again=repeated(streets),
            progress=progress,
        )

    return measure_by(
        summed,
        zones,
        subdistricts,
        by=by,
        boundary_m=boundary_m,
        district=district,
        corridors=corridors,
        reach_m=reach_m,
        reach_ends=reach_ends,
        centrelines=centrelines,
        street_name=street_name,
        subdistrict_name=subdistrict_name,
    )


def measure_by(
    summed: Callable[[Shapes], tuple[StreetSums, Pieces | None]],
    zones: GeoDataFrame,
    subdistricts: GeoDataFrame | None = None,
    *,
    by: Iterable[Key] | None = None,
    boundary_m: float = BOUNDARY_M,
    district: GeoDataFrame | None = None,
    corridors: GeoDataFrame | None = None,
    reach_m: float | None = None,
    reach_ends: Literal["round", "flat"] = "round",
    centrelines: GeoDataFrame | None = None,
    street_name: str = "name",
    subdistrict_name: str | None = None,
) -> Coverage:
    """Measure streets that `summed` sums up by the areas that it is given.

    Parameters
    ----------
    summed : callable
        Takes an array of polygons, gives the sums of streets and, where they are kept, pieces.
    zones, subdistricts, by, boundary_m, district, corridors, reach_m, reach_ends : optional
    centrelines, street_name, subdistrict_name : optional
        As in `measure`.

    Returns
    -------
    Coverage

    Examples
    --------
    See `measure` and `partitions.measure`.
    """
    # Make the areas ready. What can't be overlaid shows now, not after the streets, which may
    # take hours.
    ledger, checks = Ledger(), Checks()
    given = _areas(zones, subdistricts, subdistrict_name, district, ledger)
    keys = checked_keys(_all_keys(given) if by is None else by)
    subs = given.subs
    if subs is not None:
        subs = side_by_side(subs, given.district, checks)
    axes = None if corridors is None else _axes(corridors, ledger)
    areas, kind = given.zones, ["zone"] * len(given.zones)
    if reach_m is not None:
        reaches = _reaches(corridors, axes, reach_m, reach_ends, given)
        kind += ["reach"] * len(reaches)
        areas = areas + reaches
    parts = parts_of(areas, subs, checks)
    # Sum up the streets.
    shapes = [areas.shapes]
    shapes += [] if subs is None else [subs.shapes]
    shapes += [] if given.district is None else [np.array([given.district], dtype=object)]
    sums, pieces = summed(np.concatenate(shapes))
    if not sums.lines:
        raise no_usable("line", "streets", sums.rows)
    for note in sums.notes:
        ledger.add(note)
    # Draw up the tables.
    has_district = given.district is not None
    overlay = Overlay(areas, kind, subs, has_district, *parts, sums, boundary_m)
    checks.equal(PIECES, "all", "km", float(overlay.state_km.sum()), overlay.total_km)
    zone_rows = zone_table(overlay, checks)
    street_rows = street_table(overlay, centrelines, given.district, street_name, ledger, checks)
    class_rows = class_table(overlay, checks)
    lengths = overlay.lengths(keys)
    _check_lengths(lengths, zone_rows, checks)
    return Coverage(
        zones=zone_rows,
        areas=area_table(overlay),
        subdistricts=subdistrict_table(overlay, checks),
        corridors=corridor_table(corridors, axes, subs, boundary_m, checks),
        streets=street_rows,
        classes=class_rows,
        lengths=lengths,
        reconciliation=checks.table(),
        notes=ledger.notes,
        boundary_m=boundary_m,
        _overlay=overlay,
        _pieces=pieces,
    )


class _Given(NamedTuple):
    """The areas of a measurement, as they were given."""

    zones: Areas
    subs: Areas | None
    district: shapely.Geometry | None


def _areas(
    zones: GeoDataFrame,
    subdistricts: GeoDataFrame | None,
    subdistrict_name: str | None,
    district: GeoDataFrame | None,
    ledger: Ledger,
) -> _Given:
    areas = usable_areas(zones, "zones", ledger)
    subs = outline = None
    if subdistricts is not None:
        subs = usable_areas(subdistricts, "subdistricts", ledger, subdistrict_name)
    if district is not None:
        outline = polygons.union(usable_areas(district, "district", ledger).shapes)
    return _Given(areas, subs, outline)


def _all_keys(given: _Given) -> list[Key]:
    return [key for key in KEYS if key != "subdistrict" or given.subs is not None]


def _axes(corridors: GeoDataFrame, ledger: Ledger) -> Lines | None:
    """The corridors that are there; none is fine, as where all of them are planned."""
    skip = planned(corridors, "corridors", ledger)
    lines = usable_lines(corridors, "corridors", ledger, skip, some=False)
    return lines if len(lines.shapes) else None


def _reaches(
    corridors: GeoDataFrame | None,
    axes: Lines | None,
    reach_m: float,
    ends: Literal["round", "flat"],
    given: _Given,
) -> Areas:
    if corridors is None:
        raise ValueError("reach_m needs corridors")
    if axes is None:
        raise no_usable("line", "corridors", len(corridors))
    reaches = reaches_of(corridors, axes, reach_m, ends, given.district)
    both = {*given.zones.ids} & {*reaches.ids}
    if both:
        raise DataError(
            tr(
                "ids of both a zone and a corridor: {ids}; give each an id of its own",
                ids=listed(sorted(both)),
            )
        )
    return reaches


def _check_lengths(lengths: pd.DataFrame, zones: pd.DataFrame, checks: Checks) -> None:
    """Compare the lengths by keys with those of the zones, or of all streets."""
    wholes = {"length_km": float(zones["total_km"].iloc[0])}
    if "zone" in lengths:
        wholes = {name: float(zones[name].sum()) for name in ("inside_km", "boundary_km")}
    for column, whole in wholes.items():
        checks.equal(LENGTHS, column, "km", float(lengths[column].sum()), whole)
