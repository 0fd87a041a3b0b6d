"""What lies where: zones by subdistrict, by street and by road class, in tables that add up.

Everything is measured on the CGCS2000 ellipsoid, edges straight in longitude and latitude
(see `overlay`). A stretch of street is inside a zone, or it runs along the zone's boundary, or
it is outside: one of the three, as a whole. A stretch that runs along the border of two
subdistricts belongs to the pair, once; its row is called ``one|other``.

No row is left out of a sum: streets without a name, without a class, without a subdistrict have
rows of their own, input that can't be used is counted in `Coverage.dropped`, and
`Coverage.reconciliation` holds each table to its whole. A table that doesn't add up is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry import polygons
from nankai_gis.geometry.arrays import Shapes
from nankai_gis.geometry.crs import STORED
from nankai_gis.measure.coverage import other_layers
from nankai_gis.measure.coverage.areas import (
    BORDER,
    Areas,
    parts_of,
    reaches_of,
    side_by_side,
    usable_areas,
)
from nankai_gis.measure.coverage.membership import NO_SUBDISTRICT
from nankai_gis.measure.coverage.reconciliation import TOLERANCE, Checks, Ledger
from nankai_gis.measure.coverage.roadclass import CLASS_LABELS, UNCLASSED, class_label
from nankai_gis.measure.coverage.sums import Pieces, Tally, tally
from nankai_gis.measure.coverage.tables import (
    UNNAMED,
    Book,
    area_table,
    class_table,
    corridor_table,
    street_table,
    subdistrict_table,
    zone_table,
)
from nankai_gis.measure.coverage.validation import planned, repeated, usable_lines
from nankai_gis.measure.coverage.walk import WalkingReach, walking_reach

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = [
    "BORDER",
    "BOUNDARY_M",
    "CLASS_LABELS",
    "KEYS",
    "NO_SUBDISTRICT",
    "TOLERANCE",
    "UNCLASSED",
    "UNNAMED",
    "Coverage",
    "WalkingReach",
    "class_label",
    "measure",
    "walking_reach",
]

Key = Literal["zone", "subdistrict", "street", "class"]
#: Cuts streets by areas and sums up; the pieces, where they are kept.
Counted = Callable[[Shapes], tuple[Tally, Pieces | None]]

#: A street within this distance of a boundary, and in its direction, runs along it; metres. Half
#: the distance between the carriageways of a wide street.
BOUNDARY_M = 15.0
#: The keys of a table of lengths.
KEYS: tuple[Key, ...] = ("zone", "subdistrict", "street", "class")


@dataclass(frozen=True)
class Coverage:
    """Zones held against streets and subdistricts.

    Tables are plain DataFrames with units in the names of their columns; shares are 0 to 1. An
    area that wasn't given leaves its tables empty.

    Attributes
    ----------
    zones : pandas.DataFrame
        ``zone``, ``zone_name``, ``kind`` (zone or reach), ``area_km2``, ``inside_km``,
        ``boundary_km``, ``outside_km``, ``total_km``, ``density_km_per_km2`` (inside only) and
        ``density_with_boundary_km_per_km2``.
    areas : pandas.DataFrame
        Zone by subdistrict: ``zone``, ``zone_name``, ``subdistrict``, ``subdistrict_name``,
        ``area_km2``, ``share_of_zone``, ``share_of_subdistrict``.
    subdistricts : pandas.DataFrame
        All streets by subdistrict: ``subdistrict``, ``subdistrict_name``, ``on`` (inside, border
        or none), ``area_km2``, ``length_km``, ``share_of_total``.
    corridors : pandas.DataFrame
        Axes by subdistrict: ``corridor``, ``corridor_name``, ``subdistrict``,
        ``subdistrict_name``, ``on``, ``length_km``, ``share_of_corridor``.
    streets : pandas.DataFrame
        Zone by named street: ``zone``, ``zone_name``, ``street``, ``inside_km``,
        ``boundary_km``, ``district_km`` (the street's length in the district; along its boundary
        counts), ``share_inside`` and ``share_boundary`` (what of the length inside and along lies
        in the district, of ``district_km``; together never more than 1), the same five figures
        of the centreline after ``centreline_`` (where centrelines are given), ``crossings``
        (places at which what is inside begins or ends; each carriageway has its own), and where
        the street first comes in and last goes out as ``entry_lon``, ``entry_lat``, ``exit_lon``,
        ``exit_lat``; a street is followed eastwards or northwards, whichever way it mainly runs,
        and one that begins inside has no entry.
    classes : pandas.DataFrame
        Zone by road class: ``zone``, ``zone_name``, ``class``, ``class_label``, ``inside_km``,
        ``boundary_km``, ``share_of_zone`` (of the length inside), ``density_km_per_km2``,
        ``density_with_boundary_km_per_km2``.
    lengths : pandas.DataFrame
        By the keys asked for; ``inside_km`` and ``boundary_km`` of the zone, or ``length_km``
        where the zone is no key.
    layers : mapping of str to pandas.DataFrame
        What `with_layer` added.
    reconciliation : pandas.DataFrame
        ``check``, ``item``, ``unit``, ``parts``, ``whole``, ``relative`` (the difference, of the
        whole) and ``limit``; rows without a limit are findings: overlaps and gaps.
    dropped : pandas.DataFrame
        ``layer``, ``action`` (dropped, repaired, split), ``reason``, ``count``, ``which``.
    boundary_m : float
        The tolerance along boundaries.

    Examples
    --------
    A zone of a hundredth of a degree; half of a street of 1.7 km, and a shop, lie in it:

    >>> import geopandas
    >>> from shapely.geometry import LineString, Point, box
    >>> zone = geopandas.GeoDataFrame(
    ...     {"id": ["z"]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    >>> street = geopandas.GeoDataFrame(
    ...     {"name": ["橫道"]}, geometry=[LineString([(117, 39.005), (117.02, 39.005)])], crs=4326)
    >>> shop = geopandas.GeoDataFrame(geometry=[Point(117.005, 39.002)], crs=4326)
    >>> found = measure(zone, street).with_layer("shops", shop)
    >>> found.table("zone", "street").inside_km.round(3).tolist()
    [0.866]
    >>> int(found.layers["shops"].inside.sum()), len(found.pieces)
    (1, 2)
    """

    zones: pd.DataFrame
    areas: pd.DataFrame
    subdistricts: pd.DataFrame
    corridors: pd.DataFrame
    streets: pd.DataFrame
    classes: pd.DataFrame
    lengths: pd.DataFrame
    reconciliation: pd.DataFrame
    dropped: pd.DataFrame
    boundary_m: float
    layers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    _book: Book | None = field(default=None, repr=False, compare=False)
    _pieces: Pieces | None = field(default=None, repr=False, compare=False)

    @cached_property
    def pieces(self) -> GeoDataFrame:
        """The cut pieces of the streets, made when first asked for.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326; ``row`` (position in the street layer), ``street``, ``class``,
            ``subdistrict``, ``zones`` and ``along`` (ids of the zones it is inside of and runs
            along the boundary of, ``;`` between them), ``length_m``.

        Raises
        ------
        DataError
            Where streets were measured partition by partition: their pieces were summed up on
            the workers and not kept.
        """
        assert self._book is not None
        if self._pieces is None:
            raise DataError(
                "the pieces of streets measured from partitions weren't kept, only their sums; "
                "read the part of the network that you want to see and give it to "
                "coverage.measure"
            )
        return self._book.pieces(self._pieces)

    @cached_property
    def parts(self) -> GeoDataFrame:
        """The zones cut by subdistricts, made when first asked for.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, outer rings counter-clockwise; the rows of `areas` with their polygons:
            ``zone``, ``zone_name``, ``subdistrict``, ``subdistrict_name``, ``area_km2``. What of
            a zone lies in no subdistrict is a row, too, reaches count as zones, and parts of
            zones that overlap each other lie upon each other. Empty without subdistricts.

        Examples
        --------
        The west half of a zone is one subdistrict, its east half none:

        >>> import geopandas
        >>> from shapely.geometry import LineString, box
        >>> def layer(shape):
        ...     return geopandas.GeoDataFrame({"name": ["甲"]}, geometry=[shape], crs=4326)
        >>> zone = box(117, 39, 117.01, 39.01)
        >>> street = LineString([(117, 39.005), (117.01, 39.005)])
        >>> found = measure(layer(zone), layer(street), layer(box(117, 39, 117.005, 39.01)))
        >>> found.parts["subdistrict"].tolist(), found.parts.bounds["maxx"].tolist()
        (['0', '(無街道)'], [117.005, 117.01])
        >>> len(measure(layer(zone), layer(street)).parts)
        0
        """
        import geopandas

        assert self._book is not None
        book, shapes = self._book, np.zeros(0, dtype=object)
        if book.subs is not None:
            # As in `areas`: what is in no subdistrict stands last.
            last = np.where(book.part_sub < 0, len(book.subs), book.part_sub)
            shapes = book.parts[np.lexsort((last, book.part_zone))]
        columns = ["zone", "zone_name", "subdistrict", "subdistrict_name", "area_km2"]
        turned = shapely.orient_polygons(shapes, exterior_cw=False)
        return geopandas.GeoDataFrame(self.areas[columns], geometry=turned, crs=STORED)

    def table(self, *by: Key) -> pd.DataFrame:
        """Return the lengths of streets by other keys.

        Parameters
        ----------
        *by : {'zone', 'subdistrict', 'street', 'class'}

        Returns
        -------
        pandas.DataFrame
            As `lengths`.

        Raises
        ------
        ValueError
            For no key, an unknown one or one that comes twice.
        """
        assert self._book is not None
        return self._book.lengths(_keys(by))

    def with_layer(self, name: str, layer: GeoDataFrame) -> Coverage:
        """Count another layer by zone and subdistrict.

        Points are counted, lines measured in km, polygons in km². A point within the tolerance
        of a zone's boundary, and a line along it, count as on the boundary, wherever the other
        points lie; polygons are cut by it. Polygons of the layer that overlap each other count
        each; one that only touches a zone has no part there. Rows that repeat another's id
        (``id``, else ``way``) and geometry are left out and counted; without such a column all
        count, as two things may share a place.

        Parameters
        ----------
        name : str
            Key in `layers`.
        layer : geopandas.GeoDataFrame
            EPSG:4326; all points, all lines or all polygons.

        Returns
        -------
        Coverage
            This one with a table more: ``zone``, ``zone_name``, ``subdistrict``,
            ``subdistrict_name``, ``features`` (how many have a part there) and ``inside`` and
            ``boundary`` (counts), ``inside_km`` and ``boundary_km``, or ``area_km2``. Rows of a
            zone with no feature at all are there with 0; what is in no zone has the zone ``""``.

        Raises
        ------
        CRSError, DataError
            As `measure`; and for a layer of several kinds of geometry.
        """
        assert self._book is not None
        table, checks, dropped = other_layers.count(self._book, name, layer)
        return replace(
            self,
            layers={**self.layers, name: table},
            reconciliation=pd.concat([self.reconciliation, checks], ignore_index=True),
            dropped=pd.concat([self.dropped, dropped], ignore_index=True),
        )


def _keys(by: Iterable[str]) -> list[str]:
    keys = [str(key) for key in by]
    if not keys or len(set(keys)) < len(keys) or not set(keys) <= set(KEYS):
        raise ValueError(f"by is {keys}; give some of {', '.join(KEYS)}, each once")
    return keys


# ------------------------------------------------------------------ measuring


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
    heard: Callable[[int, int], None] | None = None,
) -> Coverage:
    """Hold zones against streets and subdistricts.

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
        Lines, each street once; what they measure stands beside the carriageways, matched by
        name.
    street_name, street_class, subdistrict_name : str, optional
        Columns; the class is else the first there is of ``highway``, ``class``, ``fclass`` and
        ``kind``.
    heard : callable, optional
        Is told from time to time how many lines are cut, and of how many.

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
    >>> found = measure(zone, street)
    >>> found.streets[["street", "inside_km", "boundary_km", "share_inside"]].round(3).values
    array([['橫道', 0.866, 0.0, 0.333],
           ['邊路', 0.0, 1.11, 0.0]], dtype=object)
    """

    def counted(areas: Shapes) -> tuple[Tally, Pieces | None]:
        return tally(
            streets,
            areas,
            street_name=street_name,
            street_class=street_class,
            boundary_m=boundary_m,
            again=repeated(streets),
            heard=heard,
        )

    return _measured(
        zones,
        subdistricts,
        counted,
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


def _measured(
    zones: GeoDataFrame,
    subdistricts: GeoDataFrame | None,
    counted: Counted,
    *,
    by: Iterable[Key] | None,
    boundary_m: float,
    district: GeoDataFrame | None,
    corridors: GeoDataFrame | None,
    reach_m: float | None,
    reach_ends: Literal["round", "flat"],
    centrelines: GeoDataFrame | None,
    street_name: str,
    subdistrict_name: str | None,
) -> Coverage:
    """Make ready the areas, have the streets counted by them, and draw up the tables."""
    ledger, checks = Ledger(), Checks()
    areas = usable_areas(zones, "zones", ledger)
    kind = ["zone"] * len(areas)
    subs = None
    if subdistricts is not None:
        subs = usable_areas(subdistricts, "subdistricts", ledger, subdistrict_name)
        split = [one for one in subs.ids if BORDER in one]
        if split:
            raise DataError(f"subdistricts: {split[0]!r} has a {BORDER!r} in it, which joins pairs")
    outline = None if district is None else usable_areas(district, "district", ledger)
    whole = None if outline is None else polygons.union(outline.shapes)
    every = [key for key in KEYS if key != "subdistrict" or subs is not None]
    keys = _keys(every if by is None else by)
    if subs is not None:
        subs = side_by_side(subs, whole, checks)
    axes = None
    if corridors is not None:
        skip = planned(corridors, "corridors", ledger)
        # What is planned alone leaves a plan without corridors, not without coverage.
        lines = usable_lines(corridors, "corridors", ledger, skip, some=False)
        axes = lines if len(lines.shapes) else None
    if reach_m is not None:
        if corridors is None:
            raise ValueError("reach_m needs corridors")
        if axes is None:
            raise DataError(f"corridors: no usable line among {len(corridors)} row(s) to widen")
        reaches = reaches_of(corridors, axes, reach_m, reach_ends, whole)
        both = {*areas.ids} & {*reaches.ids}
        if both:
            raise DataError(f"ids of both a zone and a corridor: {', '.join(sorted(both))}")
        kind += ["reach"] * len(reaches)
        areas = Areas(
            areas.ids + reaches.ids,
            areas.names + reaches.names,
            np.concatenate((areas.shapes, reaches.shapes)),
            np.concatenate((areas.size_m2, reaches.size_m2)),
        )
    fields = [areas.shapes]
    if subs is not None:
        fields.append(subs.shapes)
    if whole is not None:
        fields.append(np.array([whole], dtype=object))
    # Before the streets, which may take hours: areas that can't be overlaid show at once.
    parts = parts_of(areas, subs, checks)
    found, pieces = counted(np.concatenate(fields))
    if not found.lines:
        raise DataError(f"streets: no usable line among {found.rows} row(s)")
    for note in found.notes:
        ledger.add(note)
    pieces_km = float(found.state_m.sum()) / 1000.0
    checks.equal("pieces of streets", "all", "km", pieces_km, found.total_m / 1000.0)
    book = Book(areas, kind, subs, whole is not None, *parts, found, boundary_m)
    zone_rows = zone_table(book, checks)
    street_rows = street_table(book, centrelines, whole, street_name, ledger, checks)
    class_rows = class_table(book, checks)
    lengths = book.lengths(keys)
    if "zone" in keys:
        wholes = {"inside_km": zone_rows["inside_km"], "boundary_km": zone_rows["boundary_km"]}
    else:
        wholes = {"length_km": zone_rows["total_km"][:1]}
    for column, whole_km in wholes.items():
        made = float(lengths[column].sum())
        checks.equal("lengths by key", column, "km", made, float(whole_km.sum()))
    return Coverage(
        zones=zone_rows,
        areas=area_table(book),
        subdistricts=subdistrict_table(book, checks),
        corridors=corridor_table(corridors, axes, subs, boundary_m, checks),
        streets=street_rows,
        classes=class_rows,
        lengths=lengths,
        reconciliation=checks.frame(),
        dropped=ledger.frame(),
        boundary_m=boundary_m,
        _book=book,
        _pieces=pieces,
    )
