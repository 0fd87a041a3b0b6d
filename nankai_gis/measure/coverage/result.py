"""What coverage measures: tables, and the cut pieces behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry.crs import STORED
from nankai_gis.measure.coverage.other_layers import count_layer
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger, Note, notes_table
from nankai_gis.measure.coverage.sums import Pieces
from nankai_gis.measure.coverage.tables import Overlay
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["KEYS", "Coverage", "Key", "checked_keys"]

Key = Literal["zone", "subdistrict", "street", "class"]
#: The keys of a table of lengths.
KEYS: tuple[Key, ...] = ("zone", "subdistrict", "street", "class")


@dataclass(frozen=True)
class Coverage:
    """Zones overlaid with streets and subdistricts, in tables that add up.

    Tables are plain DataFrames with units in the names of their columns; shares are 0 to 1. What
    has no name, class or subdistrict is called ``(unnamed)``, ``(no class)`` and
    ``(no subdistrict)``; `coverage.label` gives these words in the language in force. The tables
    of an area that wasn't given are empty.

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
        the street first enters and last leaves as ``entry_lon``, ``entry_lat``, ``exit_lon``,
        ``exit_lat``; a street is followed eastwards or northwards, whichever way it mainly runs,
        and one that begins inside has no entry.
    classes : pandas.DataFrame
        Zone by road class: ``zone``, ``zone_name``, ``class``, ``class_label`` (in English),
        ``inside_km``, ``boundary_km``, ``share_of_zone`` (of the length inside),
        ``density_km_per_km2``, ``density_with_boundary_km_per_km2``.
    lengths : pandas.DataFrame
        By the keys asked for; ``inside_km`` and ``boundary_km`` of the zone, or ``length_km``
        where the zone is no key.
    layers : mapping of str to pandas.DataFrame
        What `with_layer` added.
    reconciliation : pandas.DataFrame
        ``check``, ``item``, ``unit``, ``parts``, ``whole``, ``relative`` (the difference, of the
        whole) and ``limit``; rows without a limit are measures: overlaps and gaps.
    notes : tuple of Note
        What was dropped, repaired or split; `dropped` is the same as a table.
    boundary_m : float
        The tolerance along boundaries.

    Examples
    --------
    A zone of a hundredth of a degree; half of a street of 1.7 km, and a shop, lie in it:

    >>> import geopandas
    >>> from nankai_gis.measure import coverage
    >>> from shapely.geometry import LineString, Point, box
    >>> zone = geopandas.GeoDataFrame(
    ...     {"id": ["z"]}, geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
    >>> street = geopandas.GeoDataFrame(
    ...     {"name": ["橫道"]}, geometry=[LineString([(117, 39.005), (117.02, 39.005)])], crs=4326)
    >>> shop = geopandas.GeoDataFrame(geometry=[Point(117.005, 39.002)], crs=4326)
    >>> result = coverage.measure(zone, street).with_layer("shops", shop)
    >>> result.table("zone", "street").inside_km.round(3).tolist()
    [0.866]
    >>> int(result.layers["shops"].inside.sum()), len(result.pieces)
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
    notes: tuple[Note, ...]
    boundary_m: float
    layers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    _overlay: Overlay | None = field(default=None, repr=False, compare=False)
    _pieces: Pieces | None = field(default=None, repr=False, compare=False)

    @cached_property
    def dropped(self) -> pd.DataFrame:
        """What was left out or repaired, in English.

        Returns
        -------
        pandas.DataFrame
            ``layer``, ``action`` (dropped, repaired, split), ``reason``, ``count``, ``which``
            (the first 20 rows by their ids).
        """
        return notes_table(self.notes)

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
            Where streets were measured partition by partition: only their sums were kept.
        """
        assert self._overlay is not None
        if self._pieces is None:
            raise DataError(
                tr(
                    "the pieces of streets measured from partitions weren't kept, only their "
                    "sums; give the part of the network that you want to see to "
                    "coverage.measure"
                )
            )
        return self._overlay.pieces(self._pieces)

    @cached_property
    def parts(self) -> GeoDataFrame:
        """The zones cut by subdistricts, made when first asked for.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, outer rings counter-clockwise; the rows of `areas` with their polygons:
            ``zone``, ``zone_name``, ``subdistrict``, ``subdistrict_name``, ``area_km2``. What of
            a zone lies in no subdistrict is a row, too, reaches count as zones, and parts of
            zones that overlap each other overlap as well. Empty without subdistricts.

        Examples
        --------
        The west half of a zone is one subdistrict, its east half none:

        >>> import geopandas
        >>> from nankai_gis.measure import coverage
        >>> from shapely.geometry import LineString, box
        >>> def layer(shape):
        ...     return geopandas.GeoDataFrame({"name": ["甲"]}, geometry=[shape], crs=4326)
        >>> zone = layer(box(117, 39, 117.01, 39.01))
        >>> street = layer(LineString([(117, 39.005), (117.01, 39.005)]))
        >>> result = coverage.measure(zone, street, layer(box(117, 39, 117.005, 39.01)))
        >>> result.parts["subdistrict"].tolist(), result.parts.bounds["maxx"].tolist()
        (['0', '(no subdistrict)'], [117.005, 117.01])
        >>> len(coverage.measure(zone, street).parts)
        0
        """
        import geopandas

        assert self._overlay is not None
        overlay, shapes = self._overlay, np.zeros(0, dtype=object)
        if overlay.subs is not None:
            # As in `areas`: what is in no subdistrict stands last.
            last = np.where(overlay.part_sub < 0, len(overlay.subs), overlay.part_sub)
            shapes = overlay.parts[np.lexsort((last, overlay.part_zone))]
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
        assert self._overlay is not None
        return self._overlay.lengths(checked_keys(by))

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
            As `coverage.measure`; and for a layer of several kinds of geometry.
        """
        assert self._overlay is not None
        ledger, checks = Ledger(), Checks()
        table = count_layer(self._overlay, name, layer, ledger, checks)
        return replace(
            self,
            layers={**self.layers, name: table},
            reconciliation=pd.concat([self.reconciliation, checks.table()], ignore_index=True),
            notes=self.notes + ledger.notes,
        )


def checked_keys(by: Iterable[str]) -> list[str]:
    """Return the keys of a table of lengths.

    Parameters
    ----------
    by : iterable of str

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        For no key, an unknown one or one that comes twice.

    Examples
    --------
    >>> checked_keys(("zone", "street"))
    ['zone', 'street']
    """
    keys = [str(key) for key in by]
    if not keys or len(set(keys)) < len(keys) or not set(keys) <= set(KEYS):
        raise ValueError(f"by is {keys}; give some of {', '.join(KEYS)}, each once")
    return keys
