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

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from . import overlay
from .crs import STORED
from .errors import CRSError, DataError, GeometryError
from .names import fold

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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Key = Literal["zone", "subdistrict", "street", "class"]

#: Row of the streets without a name.
UNNAMED = "(無名)"
#: Row of the streets without a class.
UNCLASSED = "(無等級)"
#: Row of what lies in no subdistrict.
NO_SUBDISTRICT = "(無街道)"
#: Stands between the subdistricts whose common border a street runs along.
BORDER = "|"
#: A street within this distance of a boundary, and in its direction, runs along it; metres. Half
#: the distance between the carriageways of a wide street.
BOUNDARY_M = 15.0
#: Parts and whole may differ by this, relative to the whole.
TOLERANCE = 1e-9
#: The keys of a table of lengths.
KEYS: tuple[Key, ...] = ("zone", "subdistrict", "street", "class")
#: OSM highway values in Chinese.
CLASS_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "motorway": "高速公路",
        "motorway_link": "高速公路匝道",
        "trunk": "快速路",
        "trunk_link": "快速路匝道",
        "primary": "主幹路",
        "primary_link": "主幹路連接道",
        "secondary": "次幹路",
        "secondary_link": "次幹路連接道",
        "tertiary": "支路",
        "tertiary_link": "支路連接道",
        "unclassified": "一般道路",
        "residential": "住區道路",
        "living_street": "生活街道",
        "service": "內部道路",
        "pedestrian": "步行街",
        "footway": "人行道",
        "cycleway": "自行車道",
        "path": "小徑",
        "steps": "台階",
        "track": "土路",
        "busway": "公交專用道",
        "construction": "在建道路",
        "proposed": "規劃道路",
        "road": "等級未明",
        "street": "街道",
        "railway": "鐵路",
        "river": "河流",
    }
)
_CLASS_COLUMNS = ("highway", "class", "fclass", "kind")
_SLIVER_M2 = 1e-6
_ABEAM = 0.2


def class_label(value: str) -> str:
    """Return the Chinese label of a road class.

    Parameters
    ----------
    value : str
        An OSM highway value.

    Returns
    -------
    str
        The value itself where there is no label.

    Examples
    --------
    >>> class_label("primary"), class_label("via_ferrata")
    ('主幹路', 'via_ferrata')
    """
    return CLASS_LABELS.get(value, value)


# ------------------------------------------------------------------ input


class _Ledger:
    """What was dropped, repaired or taken apart, and why."""

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def note(self, layer: str, action: str, reason: str, who: Sequence[object]) -> None:
        if len(who):
            shown = "、".join(str(w) for w in who[:20]) + ("…" if len(who) > 20 else "")
            self._rows.append(
                {
                    "layer": layer,
                    "action": action,
                    "reason": reason,
                    "count": len(who),
                    "which": shown,
                }
            )

    def frame(self) -> pd.DataFrame:
        columns = ["layer", "action", "reason", "count", "which"]
        return pd.DataFrame(self._rows, columns=columns).astype({"count": "int64"})


def _checked(frame: GeoDataFrame, what: str) -> Shapes:
    """Return the geometry of a layer in longitude and latitude, or say what is wrong."""
    if not hasattr(frame, "geometry"):
        raise DataError(f"{what}: {type(frame).__name__} is no GeoDataFrame")
    if frame.crs is None:
        raise CRSError(
            f"{what} has no CRS; say in which one its coordinates are with "
            f'frame.set_crs(...), then frame.to_crs("{STORED}")'
        )
    # WGS 84 and CGCS2000 are taken as the same datum, as in `crs`.
    if (
        frame.crs != STORED
        and frame.crs.to_epsg() != 4490
        and not frame.crs.equals(STORED, ignore_axis_order=True)
    ):
        raise CRSError(
            f"{what} is in {frame.crs.to_string()[:60]}, not in longitude and latitude; use "
            f'frame.to_crs("{STORED}")'
        )
    return np.asarray(frame.geometry.values, dtype=object)


def _ids(frame: GeoDataFrame) -> list[str]:
    values = frame["id"] if "id" in frame.columns else frame.index
    return [str(value) for value in values]


def _in_range(bounds: Floats, what: str) -> None:
    if len(bounds) and not (
        (np.abs(bounds[:, [0, 2]]) <= 180).all() and (np.abs(bounds[:, [1, 3]]) <= 90).all()
    ):
        raise CRSError(
            f"{what}: coordinates beyond 180 and 90 degrees are no longitude and latitude; the "
            f"layer's CRS is not the one it says"
        )


@dataclass(frozen=True)
class _Areas:
    """Polygons that are ready to cut by."""

    ids: list[str]
    names: list[str]
    shapes: Shapes
    size_m2: Floats

    def __len__(self) -> int:
        return len(self.ids)


def _areas(frame: GeoDataFrame, what: str, ledger: _Ledger, name: str | None = None) -> _Areas:
    shapes = _checked(frame, what).copy()
    ids = _ids(frame)
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise DataError(f"{what}: ids that stand more than once: {', '.join(twice[:5])}")
    column = name or "name"
    if name is not None and name not in frame.columns:
        raise DataError(f"{what} has no column {name!r}; it has {_columns(frame)}")
    names = ids
    if column in frame.columns:
        values = frame[column].tolist()
        names = [i if _blank(v) else str(v) for i, v in zip(ids, values, strict=True)]
    kept = np.ones(len(shapes), dtype=bool)

    def drop(rows: Bools, reason: str) -> None:
        hit = np.flatnonzero(rows & kept)
        ledger.note(what, "dropped", reason, [ids[k] for k in hit])
        kept[hit] = False

    drop(shapely.is_missing(shapes), "no geometry (listed, not located)")
    drop(shapely.is_empty(shapes), "empty geometry")
    bounds = np.full((len(shapes), 4), 0.0)
    bounds[kept] = shapely.bounds(shapes[kept])
    # A coordinate that is no number doesn't show in the bounds, but it does in the length.
    spoilt = ~np.isfinite(bounds).all(axis=1)
    spoilt[kept] |= ~np.isfinite(shapely.length(shapes[kept]))
    drop(spoilt, "a coordinate that is no number")
    drop(~np.isin(shapely.get_type_id(shapes), (3, 6, 7)), "not a polygon")
    _in_range(bounds[kept], what)
    broken = np.flatnonzero(kept & ~shapely.is_valid(shapes))
    for row in broken:
        mended = shapely.make_valid(shapes[row], method="structure", keep_collapsed=False)
        parts = shapely.get_parts(shapely.get_parts(mended))
        parts = parts[shapely.get_type_id(parts) == 3]
        shapes[row] = (
            shapely.multipolygons(parts)
            if len(parts) > 1
            else (parts[0] if len(parts) else shapely.Polygon())
        )
    collected = np.flatnonzero(kept & (shapely.get_type_id(shapes) == 7))
    for row in collected:
        parts = shapely.get_parts(shapely.get_parts(shapes[row]))
        shapes[row] = shapely.union_all(parts[shapely.get_type_id(parts) == 3])
    mended_rows = [ids[k] for k in broken if not shapes[k].is_empty]
    ledger.note(what, "repaired", "invalid geometry, made valid", mended_rows)
    drop(np.asarray(shapely.is_empty(shapes)), "invalid geometry without any area")
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise DataError(f"{what}: no usable polygon among {len(shapes)} row(s)")
    size = overlay.areas(shapes[rows])
    return _Areas([ids[k] for k in rows], [names[k] for k in rows], shapes[rows], size)


def _columns(frame: GeoDataFrame) -> str:
    return ", ".join(str(c) for c in frame.columns if c != frame.geometry.name) or "none"


def _blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value or not str(value).strip()


@dataclass(frozen=True)
class _Lines:
    """LineStrings, and the row of the input that each comes from."""

    shapes: Shapes
    row: Ints


def _lines(frame: GeoDataFrame, what: str, ledger: _Ledger, skip: Bools | None = None) -> _Lines:
    shapes = _checked(frame, what)
    row = np.arange(len(shapes))
    if skip is not None:
        shapes, row = shapes[~skip], row[~skip]
    kinds = shapely.get_type_id(shapes)

    def drop(bad: Bools, reason: str) -> None:
        nonlocal shapes, row, kinds
        if bad.any():
            labels = _ids(frame.iloc[np.unique(row[bad])])
            ledger.note(what, "dropped", reason, labels)
            shapes, row, kinds = shapes[~bad], row[~bad], kinds[~bad]

    if not (kinds == 1).all():
        drop(kinds == -1, "no geometry (listed, not located)")
        drop(shapely.is_empty(shapes), "empty geometry")
        drop(~np.isin(kinds, (1, 2, 5)), "not a line")
        many = kinds != 1
        if many.any():
            ledger.note(what, "split", "several parts in one row", _ids(frame.iloc[row[many]]))
            parts, owner = shapely.get_parts(shapes, return_index=True)
            shapes, row = parts, row[owner]
            # A ring is a line whose ends meet.
            ring = shapely.get_type_id(shapes) == 2
            shapes[ring] = [shapely.LineString(s.coords) for s in shapes[ring]]
            kinds = shapely.get_type_id(shapes)
    size = shapely.length(shapes)
    if not (size > 0).all():
        drop(shapely.is_empty(shapes), "empty geometry")
        size = shapely.length(shapes)
        drop(~np.isfinite(size), "a coordinate that is no number")
        size = shapely.length(shapes)
        drop(~(size > 0), "a line without length")
    if not len(shapes):
        raise DataError(f"{what}: no usable line among {len(frame)} row(s)")
    _in_range(shapely.total_bounds(shapes)[None, :], what)
    return _Lines(shapes, row)


def _coded(values: pd.Series | None, rest: str, by_fold: bool) -> tuple[Ints, list[str]]:
    """Codes and labels; blanks have the last label, `rest`."""
    if values is None:
        raise DataError("no values")
    codes, unique = pd.factorize(values)
    texts = [str(value).strip() for value in unique]
    keys: dict[str, int] = {}
    labels: list[str] = []
    table = np.full(len(texts) + 1, -1, dtype=np.int64)
    for number, text in enumerate(texts):
        if not text:
            continue
        key = fold(text) if by_fold else text
        if key not in keys:
            keys[key] = len(labels)
            labels.append(text)
        table[number] = keys[key]
    out = table[codes]
    out[out < 0] = len(labels)
    return out, [*labels, rest]


# ------------------------------------------------------------------ the result


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
        counts), ``share_inside`` and ``share_boundary`` of that, the same five figures of the
        centreline after ``centreline_`` (where centrelines are given), ``crossings`` (places at
        which what is inside begins or ends; each carriageway has its own), and where the street
        first comes in and last goes out as ``entry_lon``, ``entry_lat``, ``exit_lon``,
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
    _work: _Work | None = field(default=None, repr=False, compare=False)

    @cached_property
    def pieces(self) -> GeoDataFrame:
        """The cut pieces of the streets, made when first asked for.

        EPSG:4326; ``row`` (position in the street layer), ``street``, ``class``,
        ``subdistrict``, ``zones`` and ``along`` (ids of the zones it is inside of and runs along
        the boundary of, ``;`` between them), ``length_m``.
        """
        assert self._work is not None
        return self._work.pieces()

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
        assert self._work is not None
        return self._work.lengths(_keys(by))

    def with_layer(self, name: str, layer: GeoDataFrame) -> Coverage:
        """Count another layer by zone and subdistrict.

        Points are counted, lines measured in km, polygons in km². A point within the tolerance
        of a zone's boundary, and a line along it, count as on the boundary; polygons are cut by
        it. Polygons of the layer that overlap each other count each.

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
        assert self._work is not None
        table, checks, dropped = self._work.layer(name, layer)
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


class _Checks:
    """The proof that tables add up."""

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def equal(self, check: str, item: str, unit: str, parts: float, whole: float) -> None:
        scale = max(abs(whole), abs(parts))
        relative = abs(parts - whole) / scale if scale else 0.0
        self._add(check, item, unit, parts, whole, relative, TOLERANCE)
        if not relative <= TOLERANCE:
            raise GeometryError(
                f"coverage doesn't add up: {check}, {item}: parts make {parts!r} {unit}, the "
                f"whole is {whole!r}; look for overlapping parts in the layer"
            )

    def found(self, check: str, item: str, unit: str, parts: float, whole: float) -> None:
        relative = parts / whole if whole else np.nan
        self._add(check, item, unit, parts, whole, relative, np.nan)

    def _add(self, *values: object) -> None:
        columns = ("check", "item", "unit", "parts", "whole", "relative", "limit")
        self._rows.append(dict(zip(columns, values, strict=True)))

    def frame(self) -> pd.DataFrame:
        columns = ["check", "item", "unit", "parts", "whole", "relative", "limit"]
        return pd.DataFrame(self._rows, columns=columns)


# ------------------------------------------------------------------ the work


@dataclass(frozen=True)
class _States:
    """What the states of a cut mean: rows of state and zone, and one subdistrict row each."""

    state: Ints  # CSR flattened: one row per state and zone
    zone: Ints
    on: Ints
    sub: Ints  # per state: row in `labels`
    labels: list[tuple[str, str, str]]  # id, name, on
    district: Bools  # per state: in the district or along its boundary


def _read_states(
    first: Ints, area: Ints, on: Ints, zones: int, subs: _Areas | None, district: bool
) -> _States:
    count = len(first) - 1
    state = np.repeat(np.arange(count), np.diff(first))
    is_zone = area < zones
    sub = np.zeros(count, dtype=np.int64)
    labels = [(NO_SUBDISTRICT, NO_SUBDISTRICT, "none")]
    size = len(subs) if subs is not None else 0
    if subs is not None:
        known = {labels[0]: 0}
        mine = np.flatnonzero((area >= zones) & (area < zones + size))
        at = np.searchsorted(state[mine], np.arange(count + 1))
        # Most states lie in one subdistrict; only the others need a look.
        alone = (np.diff(at) == 1) & (count > 0)
        row = mine[np.minimum(at[:-1], max(len(mine) - 1, 0))] if len(mine) else np.zeros(0, int)
        if len(row):
            alone &= on[row] == overlay.INSIDE
            members = np.unique(area[row[alone]] - zones)
            for member in members.tolist():
                known[(subs.ids[member], subs.names[member], "inside")] = len(labels)
                labels.append((subs.ids[member], subs.names[member], "inside"))
            sub[alone] = 1 + np.searchsorted(members, area[row[alone]] - zones)
        for number in np.flatnonzero((np.diff(at) > 0) & ~alone).tolist():
            rows = mine[at[number] : at[number + 1]]
            label = _sub_label(subs, area[rows] - zones, on[rows])
            sub[number] = known.setdefault(label, len(known))
            if sub[number] == len(labels):
                labels.append(label)
    inside = np.ones(count, dtype=bool)
    if district:
        inside[:] = False
        inside[state[area == zones + size]] = True
    return _States(state[is_zone], area[is_zone], on[is_zone], sub, labels, inside)


def _sub_label(subs: _Areas, members: Ints, on: Ints) -> tuple[str, str, str]:
    order = np.argsort(members)
    members, on = members[order], on[order]
    along = bool((on == overlay.BOUNDARY).any())
    if not along:
        # Where subdistricts overlap, the first has the place; the overlap is reported.
        members = members[:1]
        return subs.ids[members[0]], subs.names[members[0]], "inside"
    ids = [subs.ids[m] for m in members]
    names = [subs.names[m] for m in members]
    if len(members) == 1:
        ids.append(NO_SUBDISTRICT)
        names.append(NO_SUBDISTRICT)
    return BORDER.join(ids), BORDER.join(names), "border"


@dataclass(frozen=True)
class _Work:
    """What the tables are made from."""

    zones: _Areas
    zone_kind: list[str]
    subs: _Areas | None
    parts: Shapes  # zone and subdistrict shapes, see part_zone and part_sub
    part_zone: Ints
    part_sub: Ints
    cut: overlay.Cut
    states: _States
    row: Ints
    street: Ints
    street_labels: list[str]
    klass: Ints
    class_labels: list[str]
    # Pieces summed by state, street and class.
    group_state: Ints
    group_street: Ints
    group_class: Ints
    group_m: Floats
    boundary_m: float

    @cached_property
    def by_zone(self) -> tuple[Floats, Floats]:
        """Metres inside and along the boundary of each area, from the pieces themselves."""
        count = len(self.zones) + (len(self.subs) if self.subs is not None else 0) + 1
        return self.cut.lengths_by_area(count)

    @cached_property
    def base(self) -> pd.DataFrame:
        """One row for each group and zone it is inside of or along."""
        low = np.searchsorted(self.states.state, self.group_state)
        high = np.searchsorted(self.states.state, self.group_state, side="right")
        group, number = _spread(high - low)
        at = low[group] + number
        length = self.group_m[group] / 1000.0
        inside = self.states.on[at] == overlay.INSIDE
        return pd.DataFrame(
            {
                "zone": self.states.zone[at],
                "subdistrict": self.states.sub[self.group_state[group]],
                "street": self.group_street[group],
                "class": self.group_class[group],
                "inside_km": np.where(inside, length, 0.0),
                "boundary_km": np.where(inside, 0.0, length),
            }
        )

    @cached_property
    def plain(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "subdistrict": self.states.sub[self.group_state],
                "street": self.group_street,
                "class": self.group_class,
                "length_km": self.group_m / 1000.0,
            }
        )

    def lengths(self, by: list[str]) -> pd.DataFrame:
        source = self.base if "zone" in by else self.plain
        values = [c for c in source.columns if str(c).endswith("_km")]
        table = source.groupby(by, sort=True)[values].sum().reset_index()
        return self.named(table)

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Ids and names in the place of codes."""
        out: dict[str, object] = {}
        for column in table.columns:
            codes = table[column].to_numpy()
            if column == "zone":
                out["zone"] = _take(self.zones.ids, codes)
                out["zone_name"] = _take(self.zones.names, codes)
            elif column == "subdistrict":
                out["subdistrict"] = _take([label[0] for label in self.states.labels], codes)
                out["subdistrict_name"] = _take([label[1] for label in self.states.labels], codes)
            elif column == "street":
                out["street"] = _take(self.street_labels, codes)
            elif column == "class":
                out["class"] = _take(self.class_labels, codes)
                out["class_label"] = _take([class_label(c) for c in self.class_labels], codes)
            else:
                out[str(column)] = codes
        return pd.DataFrame(out)

    def pieces(self) -> GeoDataFrame:
        import geopandas

        cut, states = self.cut, self.states
        inside: list[list[str]] = [[] for _ in range(len(states.sub))]
        along: list[list[str]] = [[] for _ in range(len(states.sub))]
        for state, zone, on in zip(states.state, states.zone, states.on, strict=True):
            (inside if on == overlay.INSIDE else along)[state].append(self.zones.ids[zone])
        table = {
            "row": self.row[cut.line],
            "street": _take(self.street_labels, self.street[cut.line]),
            "class": _take(self.class_labels, self.klass[cut.line]),
            "subdistrict": _take([label[0] for label in states.labels], states.sub[cut.state]),
            "zones": _take([";".join(ids) for ids in inside], cut.state),
            "along": _take([";".join(ids) for ids in along], cut.state),
            "length_m": cut.length_m,
        }
        return geopandas.GeoDataFrame(table, geometry=cut.geometries(), crs=STORED)

    # -------------------------------------------------------------- other layers

    def layer(
        self, name: str, frame: GeoDataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        ledger, checks = _Ledger(), _Checks()
        shapes = _checked(frame, name)
        kinds = set(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]).tolist())
        families = {0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "area", 6: "area"}
        found = {families.get(kind, "mixed") for kind in kinds}
        if len(found) != 1 or "mixed" in found:
            raise DataError(
                f"{name}: {'no geometry' if not found else 'geometry of several kinds'}; give "
                f"all points, all lines or all polygons (split it by geom_type)"
            )
        family = found.pop()
        if family == "point":
            rows = self._points(name, frame, ledger, checks)
        elif family == "line":
            rows = self._others(name, frame, ledger, checks)
        else:
            rows = self._polygons(name, frame, ledger, checks)
        values = [c for c in rows.columns if c not in ("zone", "sub_id", "sub_name", "feature")]
        grouped = rows.groupby(["zone", "sub_id", "sub_name"], sort=False)
        table = grouped[values].sum()
        table.insert(0, "features", grouped["feature"].nunique())
        table = table.reset_index()
        missing = sorted(set(range(len(self.zones))) - set(table["zone"].tolist()))
        if missing:
            empty = dict.fromkeys(["features", *values], 0)
            more = [{"zone": z, "sub_id": "", "sub_name": "", **empty} for z in missing]
            table = pd.concat([table, pd.DataFrame(more)], ignore_index=True)
        table = table.sort_values(["zone", "sub_id"], kind="stable", ignore_index=True)
        # What is in no zone stands last.
        table = pd.concat([table[table.zone >= 0], table[table.zone < 0]], ignore_index=True)
        codes = table["zone"].to_numpy()
        out = {
            "zone": _take([*self.zones.ids, ""], codes),
            "zone_name": _take([*self.zones.names, ""], codes),
            "subdistrict": table["sub_id"],
            "subdistrict_name": table["sub_name"],
            **{c: table[c] for c in ["features", *values]},
        }
        return pd.DataFrame(out), checks.frame(), ledger.frame()

    def _all_areas(self) -> Shapes:
        subs = self.subs.shapes if self.subs is not None else np.zeros(0, dtype=object)
        return np.concatenate((self.zones.shapes, subs))

    def _rows(
        self,
        feature: Ints,
        state: Ints,
        states: _States,
        columns: tuple[str, str],
        value: Floats | Ints,
    ) -> pd.DataFrame:
        """One row for each thing and zone, and one with zone -1 for what is in none."""
        low = np.searchsorted(states.state, state)
        high = np.searchsorted(states.state, state, side="right")
        thing, number = _spread(high - low)
        at = low[thing] + number
        none = np.flatnonzero(high == low)
        thing = np.concatenate((thing, none))
        zone = np.concatenate((states.zone[at], np.full(len(none), -1)))
        inside = np.concatenate((states.on[at] == overlay.INSIDE, np.ones(len(none), dtype=bool)))
        labels = states.sub[state[thing]]
        return pd.DataFrame(
            {
                "zone": zone,
                "sub_id": _take([label[0] for label in states.labels], labels),
                "sub_name": _take([label[1] for label in states.labels], labels),
                "feature": feature[thing],
                columns[0]: np.where(inside, value[thing], 0),
                columns[1]: np.where(inside, 0, value[thing]),
            }
        )

    def _points(
        self, name: str, frame: GeoDataFrame, ledger: _Ledger, checks: _Checks
    ) -> pd.DataFrame:
        shapes, row = _points(frame, name, ledger)
        place = shapely.get_coordinates(shapes)
        areas = self._all_areas()
        first, area, on = _where(place, areas, self.boundary_m)
        states = _read_states(first, area, on, len(self.zones), self.subs, False)
        one = np.ones(len(row), dtype=np.int64)
        rows = self._rows(row, np.arange(len(row)), states, ("inside", "boundary"), one)
        for number, zone in enumerate(self.zones.ids):
            mine = rows[rows.zone == number]
            inside = int(mine["inside"].sum() + mine["boundary"].sum())
            outside = len(row) - len(np.unique(states.state[states.zone == number]))
            checks.equal(
                f"{name}: inside + boundary + outside", zone, "points", inside + outside, len(row)
            )
        return rows

    def _others(
        self, name: str, frame: GeoDataFrame, ledger: _Ledger, checks: _Checks
    ) -> pd.DataFrame:
        lines = _lines(frame, name, ledger)
        cut = overlay.cut_lines(lines.shapes, self._all_areas(), boundary_m=self.boundary_m)
        states = _read_states(
            cut.state_first, cut.state_area, cut.state_on, len(self.zones), self.subs, False
        )
        rows = self._rows(
            lines.row[cut.line], cut.state, states, ("inside_km", "boundary_km"),
            cut.length_m / 1000.0,
        )  # fmt: skip
        total = float(cut.line_length_m.sum()) / 1000.0
        by_state = np.bincount(cut.state, weights=cut.length_m, minlength=len(states.sub)) / 1000.0
        for number, zone in enumerate(self.zones.ids):
            mine = rows[rows.zone == number]
            out = np.ones(len(states.sub), dtype=bool)
            out[states.state[states.zone == number]] = False
            parts = mine["inside_km"].sum() + mine["boundary_km"].sum() + by_state[out].sum()
            checks.equal(f"{name}: inside + boundary + outside", zone, "km", float(parts), total)
        return rows

    def _polygons(
        self, name: str, frame: GeoDataFrame, ledger: _Ledger, checks: _Checks
    ) -> pd.DataFrame:
        layer = _areas(frame.reset_index(drop=True), name, ledger)
        feature, zone, sub, size = [], [], [], []
        tree = shapely.STRtree(layer.shapes)
        for part, z, s in zip(self.parts, self.part_zone, self.part_sub, strict=True):
            rows, meets = _cut_polygons(layer.shapes, layer.size_m2, tree, part)
            feature.append(rows)
            size.append(meets)
            zone.append(np.full(len(rows), z))
            sub.append(np.full(len(rows), s))
        rest = _outside(layer.shapes, layer.size_m2, tree, self.zones.shapes)
        all_feature = np.concatenate([*feature, np.arange(len(layer))])
        all_zone = np.concatenate([*zone, np.full(len(layer), -1)])
        all_sub = np.concatenate([*sub, np.full(len(layer), -2)])
        area = np.concatenate([*size, rest]) / 1e6
        keep = area > 0
        ids = [*(self.subs.ids if self.subs is not None else []), "", NO_SUBDISTRICT]
        names = [*(self.subs.names if self.subs is not None else []), "", NO_SUBDISTRICT]
        table = pd.DataFrame(
            {
                "zone": all_zone,
                "sub_id": _take(ids, all_sub),
                "sub_name": _take(names, all_sub),
                "feature": all_feature,
                "area_km2": area,
            }
        )[keep]
        for number, zone_id in enumerate(self.zones.ids):
            shape = self.zones.shapes[number]
            near = tree.query(shape)
            left = np.delete(layer.size_m2, near).sum()
            left += overlay.areas(overlay.difference(layer.shapes[near], shape)).sum()
            inside = float(table.area_km2[table.zone == number].sum())
            whole = float(layer.size_m2.sum()) / 1e6
            checks.equal(f"{name}: inside + outside", zone_id, "km2", inside + left / 1e6, whole)
        return table


def _take(labels: Sequence[str], codes: NDArray[Any]) -> NDArray[np.object_]:
    taken: Shapes = np.array(labels, dtype=object)[codes]
    return taken


def _spread(count: Ints) -> tuple[Ints, Ints]:
    row = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return row, np.arange(len(row)) - start[row]


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
        out[~whole[near]] = overlay.areas(overlay.intersection(shapes[crossing], part))
    return near, out


def _outside(shapes: Shapes, size: Floats, tree: shapely.STRtree, zones: Shapes) -> Floats:
    """Area of each polygon that lies in no zone."""
    everything = overlay.union(zones)
    out = size.copy()
    whole = np.zeros(len(shapes), dtype=bool)
    whole[tree.query(everything, predicate="contains_properly")] = True
    near = tree.query(everything, predicate="intersects")
    out[whole] = 0.0
    crossing = near[~whole[near]]
    if len(crossing):
        out[crossing] = overlay.areas(overlay.difference(shapes[crossing], everything))
    return out


def _points(frame: GeoDataFrame, what: str, ledger: _Ledger) -> tuple[Shapes, Ints]:
    shapes = _checked(frame, what)
    ids = _ids(frame)
    row = np.arange(len(shapes))
    for bad, reason in (
        (shapely.is_missing(shapes), "no geometry (listed, not located)"),
        (shapely.is_empty(shapes), "empty geometry"),
    ):
        ledger.note(what, "dropped", reason, [ids[k] for k in np.flatnonzero(bad)])
    keep = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    parts, owner = shapely.get_parts(shapes[keep], return_index=True)
    wrong = shapely.get_type_id(parts) != 0
    if wrong.any():
        raise DataError(f"{what}: row {ids[row[keep][owner[wrong]][0]]} is no point")
    parts, row = parts[~shapely.is_empty(parts)], row[keep][owner][~shapely.is_empty(parts)]
    if not len(parts):
        raise DataError(f"{what}: no usable point among {len(frame)} row(s)")
    place = shapely.get_coordinates(parts)
    _in_range(np.hstack((place, place)), what)
    return parts, row


def _where(place: Floats, areas: Shapes, boundary_m: float) -> tuple[Ints, Ints, Ints]:
    """CSR of the areas that points are in or at the boundary of; each point is a state."""
    there, _ = overlay.metric(*np.mean(place, axis=0).tolist())
    points = shapely.points(there(place))
    rows: list[tuple[Ints, Ints, Ints]] = []
    for number, shape in enumerate(areas):
        flat = shapely.transform(shape, there)
        shapely.prepare(flat)
        edge = shapely.boundary(flat)
        shapely.prepare(edge)
        along = shapely.dwithin(points, edge, max(boundary_m, overlay.LEAST_M))
        hit = np.flatnonzero(along | shapely.contains_properly(flat, points))
        rows.append((hit, np.full(len(hit), number), along[hit].astype(np.int64)))
    point, area, on = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((area, point))
    point, area, on = point[order], area[order], on[order]
    return np.searchsorted(point, np.arange(len(place) + 1)), area, on


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
        Lines; rows that have the same ``corridor`` (else ``id``) are one.
    reach_m : float, optional
        Corridors get a reach this far to both sides, which is measured like a zone; its id is
        that of the corridor.
    reach_ends : {'round', 'flat'}
    centrelines : geopandas.GeoDataFrame, optional
        Lines, each street once; what they measure stands beside the carriageways, matched by
        name.
    street_name, street_class, subdistrict_name : str, optional
        Columns; the class is else the first there is of ``highway``, ``class``, ``fclass`` and
        ``kind``.

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
    ledger, checks = _Ledger(), _Checks()
    areas = _areas(zones, "zones", ledger)
    kind = ["zone"] * len(areas)
    subs = None
    if subdistricts is not None:
        subs = _areas(subdistricts, "subdistricts", ledger, subdistrict_name)
        split = [one for one in subs.ids if BORDER in one]
        if split:
            raise DataError(f"subdistricts: {split[0]!r} has a {BORDER!r} in it, which joins pairs")
    outline = None if district is None else _areas(district, "district", ledger)
    whole = None if outline is None else overlay.union(outline.shapes)
    every = [key for key in KEYS if key != "subdistrict" or subs is not None]
    keys = _keys(every if by is None else by)
    if subs is not None:
        subs = _side_by_side(subs, whole, checks)
    axes = None
    if corridors is not None:
        axes = _lines(corridors, "corridors", ledger)
    if reach_m is not None:
        if axes is None or corridors is None:
            raise ValueError("reach_m needs corridors")
        reaches = _reaches(corridors, axes, reach_m, reach_ends, whole)
        both = {*areas.ids} & {*reaches.ids}
        if both:
            raise DataError(f"ids of both a zone and a corridor: {', '.join(sorted(both))}")
        kind += ["reach"] * len(reaches)
        areas = _Areas(
            areas.ids + reaches.ids,
            areas.names + reaches.names,
            np.concatenate((areas.shapes, reaches.shapes)),
            np.concatenate((areas.size_m2, reaches.size_m2)),
        )
    work = _work(
        areas, kind, subs, whole, streets, street_name, street_class, boundary_m, ledger, checks
    )
    zone_table = _zone_table(work, checks)
    area_table = _area_table(work)
    street_table = _street_table(work, centrelines, whole, street_name, ledger, checks)
    class_table = _class_table(work, checks)
    lengths = work.lengths(keys)
    if "zone" in keys:
        wholes = {"inside_km": zone_table["inside_km"], "boundary_km": zone_table["boundary_km"]}
    else:
        wholes = {"length_km": zone_table["total_km"][:1]}
    for column, whole_km in wholes.items():
        parts = float(lengths[column].sum())
        checks.equal("lengths by key", column, "km", parts, float(whole_km.sum()))
    return Coverage(
        zones=zone_table,
        areas=area_table,
        subdistricts=_subdistrict_table(work, checks),
        corridors=_corridor_table(corridors, axes, subs, boundary_m, checks),
        streets=street_table,
        classes=class_table,
        lengths=lengths,
        reconciliation=checks.frame(),
        dropped=ledger.frame(),
        boundary_m=boundary_m,
        _work=work,
    )


def _side_by_side(subs: _Areas, district: shapely.Geometry | None, checks: _Checks) -> _Areas:
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
        both = overlay.areas(overlay.intersection(subs.shapes[one], subs.shapes[two]))
        for first, second, size in zip(one, two, both, strict=True):
            if size > _SLIVER_M2:
                overlap += size / 1e6
                item = f"{subs.ids[first]}{BORDER}{subs.ids[second]}"
                checks.found("subdistricts that overlap", item, "km2", size / 1e6, total)
                shapes[second] = overlay.difference(shapes[second], shapes[first])[0]
        empty = np.flatnonzero(shapely.is_empty(shapes))
        if len(empty):
            raise DataError(f"subdistrict {subs.ids[empty[0]]} lies wholly within others")
    checks.found("subdistricts that overlap", "all", "km2", overlap, total)
    # What matches edge by edge joins without any overlay.
    union = shapely.coverage_union_all(shapes) if matched else overlay.union(shapes)
    if district is None:
        # Without a district only holes can be told from the outside.
        parts = shapely.get_parts(union)
        rings = [shapely.Polygon(r) for part in parts for r in part.interiors]
        gap, whole = float(overlay.areas(np.array(rings, dtype=object)).sum()), total
        label = "holes between subdistricts"
    else:
        gap = float(overlay.areas(overlay.difference(district, union))[0])
        whole, label = float(overlay.areas(district)[0]) / 1e6, "district without subdistrict"
    checks.found(label, "all", "km2", gap / 1e6, whole)
    if shapes is subs.shapes:
        return subs
    return _Areas(subs.ids, subs.names, shapes, overlay.areas(shapes))


def _reaches(
    frame: GeoDataFrame,
    axes: _Lines,
    reach_m: float,
    ends: Literal["round", "flat"],
    district: shapely.Geometry | None,
) -> _Areas:
    if not reach_m > 0 or not np.isfinite(reach_m):
        raise ValueError(f"reach_m is {reach_m}; give metres, more than zero")
    if ends not in ("round", "flat"):
        raise ValueError(f"reach_ends is {ends!r}; give 'round' or 'flat'")
    ids, names, code = _corridor_codes(frame, axes)
    shapes: list[Any] = []
    for number in range(len(ids)):
        lines = shapely.union_all(axes.shapes[code == number])
        # Parts that continue each other are joined first: flat ends belong to the ends only.
        lines = shapely.line_merge(lines)
        x0, y0, x1, y1 = lines.bounds
        there, back = overlay.metric((x0 + x1) / 2, (y0 + y1) / 2)
        reach: Any = shapely.buffer(shapely.transform(lines, there), reach_m, cap_style=ends)
        reach = shapely.transform(reach, back)
        if district is not None:
            reach = overlay.intersection(reach, district)[0]
            if reach.is_empty:
                raise DataError(f"corridor {ids[number]}: its reach lies outside the district")
        shapes.append(reach)
    out = np.array(shapes, dtype=object)
    return _Areas(ids, names, out, overlay.areas(out))


def _corridor_codes(frame: GeoDataFrame, axes: _Lines) -> tuple[list[str], list[str], Ints]:
    column = "corridor" if "corridor" in frame.columns else "id"
    keys = frame[column].astype(str).tolist() if column in frame.columns else _ids(frame)
    names = frame["name"].tolist() if "name" in frame.columns else keys
    ids: dict[str, int] = {}
    labels: list[str] = []
    code = []
    for row in axes.row.tolist():
        if keys[row] not in ids:
            ids[keys[row]] = len(ids)
            labels.append(keys[row] if _blank(names[row]) else str(names[row]))
        code.append(ids[keys[row]])
    return list(ids), labels, np.array(code, dtype=np.int64)


def _work(
    areas: _Areas,
    kind: list[str],
    subs: _Areas | None,
    district: shapely.Geometry | None,
    streets: GeoDataFrame,
    street_name: str,
    street_class: str | None,
    boundary_m: float,
    ledger: _Ledger,
    checks: _Checks,
) -> _Work:
    if street_name not in streets.columns:
        raise DataError(
            f"streets have no column {street_name!r}; they have {_columns(streets)}: name the "
            f"column with street_name"
        )
    class_column = street_class or next((c for c in _CLASS_COLUMNS if c in streets.columns), None)
    if class_column is not None and class_column not in streets.columns:
        raise DataError(f"streets have no column {class_column!r}; they have {_columns(streets)}")
    skip = _either(_not_streets(streets, ledger), _repeated(streets, ledger))
    lines = _lines(streets, "streets", ledger, skip)
    street, street_labels = _coded(streets[street_name], UNNAMED, by_fold=True)
    if class_column is None:
        klass, class_labels = np.zeros(len(streets), dtype=np.int64), [UNCLASSED]
    else:
        klass, class_labels = _coded(streets[class_column], UNCLASSED, by_fold=False)
    street, klass = street[lines.row], klass[lines.row]
    fields = [areas.shapes]
    if subs is not None:
        fields.append(subs.shapes)
    if district is not None:
        fields.append(np.array([district], dtype=object))
    cut = overlay.cut_lines(lines.shapes, np.concatenate(fields), boundary_m=boundary_m)
    by_line = np.bincount(cut.line, weights=cut.length_m, minlength=len(lines.shapes))
    worst = float(np.max(np.abs(by_line / cut.line_length_m - 1)))
    if not worst <= TOLERANCE:
        raise GeometryError(f"the pieces of a line differ from the line by {worst:.1e} of it")
    total = float(cut.line_length_m.sum()) / 1000.0
    checks.equal("pieces of streets", "all", "km", float(cut.length_m.sum()) / 1000.0, total)
    states = _read_states(
        cut.state_first, cut.state_area, cut.state_on, len(areas), subs, district is not None
    )
    key = (cut.state * len(street_labels) + street[cut.line]) * len(class_labels)
    key += klass[cut.line]
    codes, values = pd.factorize(key)
    sums = np.bincount(codes, weights=cut.length_m, minlength=len(values)).astype(np.float64)
    parts, part_zone, part_sub = _parts(areas, subs, checks)
    rest, group_class = np.divmod(values, len(class_labels))
    group_state, group_street = np.divmod(rest, len(street_labels))
    return _Work(
        zones=areas,
        zone_kind=kind,
        subs=subs,
        parts=parts,
        part_zone=part_zone,
        part_sub=part_sub,
        cut=cut,
        states=states,
        row=lines.row,
        street=street,
        street_labels=street_labels,
        klass=klass,
        class_labels=class_labels,
        group_state=group_state,
        group_street=group_street,
        group_class=group_class,
        group_m=sums,
        boundary_m=boundary_m,
    )


def _not_streets(frame: GeoDataFrame, ledger: _Ledger) -> Bools | None:
    """Rows that are a railway or a river."""
    if "highway" not in frame.columns:
        return None
    others = [c for c in ("railway", "waterway") if c in frame.columns]
    if not others:
        return None
    skip = np.asarray(frame["highway"].isna() & frame[others].notna().any(axis=1), dtype=bool)
    if not skip.any():
        return None
    ledger.note("streets", "dropped", "a railway or river, no street", _ids(frame[skip]))
    return skip


def _repeated(frame: GeoDataFrame, ledger: _Ledger) -> Bools | None:
    """Rows that repeat another, id and line; pieces of one way may well share its id."""
    column = next((c for c in ("id", "way") if c in frame.columns), None)
    if column is None or frame[column].is_unique:
        return None
    several = np.flatnonzero(frame[column].duplicated(keep=False))
    text = shapely.to_wkb(np.asarray(frame.geometry.values, dtype=object)[several])
    keys = pd.DataFrame({"id": frame[column].to_numpy()[several], "line": text})
    skip = np.zeros(len(frame), dtype=np.bool_)
    skip[several] = keys.duplicated() & keys["line"].notna() & keys["id"].notna()
    ledger.note("streets", "dropped", "the same id and line again", _ids(frame[skip]))
    return skip


def _either(one: Bools | None, two: Bools | None) -> Bools | None:
    if one is None or two is None:
        return two if one is None else one
    return one | two


def _parts(areas: _Areas, subs: _Areas | None, checks: _Checks) -> tuple[Shapes, Ints, Ints]:
    """Zones cut by subdistricts: shapes, their zones, their subdistricts (-1 for none)."""
    if subs is None:
        return areas.shapes, np.arange(len(areas)), np.full(len(areas), -1)
    tree = shapely.STRtree(subs.shapes)
    zone, sub = tree.query(areas.shapes, predicate="intersects")
    order = np.lexsort((sub, zone))
    zone, sub = zone[order], sub[order]
    shapes = overlay.intersection(areas.shapes[zone], subs.shapes[sub])
    full = ~shapely.is_empty(shapes)
    shapes, zone, sub = shapes[full], zone[full], sub[full]
    size = np.bincount(zone, weights=overlay.areas(shapes), minlength=len(areas))
    # The subdistricts lie side by side: where they make up a zone, nothing of it is left.
    short = np.flatnonzero(np.abs(areas.size_m2 - size) > TOLERANCE / 2 * areas.size_m2)
    rest: Shapes = np.full(len(areas), shapely.Polygon(), dtype=object)
    if len(short):
        union = [overlay.union(subs.shapes[sub[zone == number]]) for number in short]
        rest[short] = overlay.difference(areas.shapes[short], np.array(union, dtype=object))
    left = overlay.areas(rest)
    for number, name in enumerate(areas.ids):
        checks.equal(
            "area by subdistrict", name, "km2",
            float(size[number] + left[number]) / 1e6, float(areas.size_m2[number]) / 1e6,
        )  # fmt: skip
    # Slivers along common borders are no rows of their own, but they are counted above.
    some = np.flatnonzero(left > _SLIVER_M2)
    return (
        np.concatenate((shapes, rest[some])),
        np.concatenate((zone, some)),
        np.concatenate((sub, np.full(len(some), -1))),
    )


# ------------------------------------------------------------------ the tables


def _zone_table(work: _Work, checks: _Checks) -> pd.DataFrame:
    count = len(work.zones)
    states, cut = work.states, work.cut
    by_state = np.bincount(cut.state, weights=cut.length_m, minlength=len(states.sub)) / 1000.0
    within = np.bincount(
        states.zone * 2 + states.on, weights=by_state[states.state], minlength=2 * count
    )
    inside, boundary = within[0::2], within[1::2]
    total = float(cut.line_length_m.sum()) / 1000.0
    outside = np.zeros(count)
    for number, zone in enumerate(work.zones.ids):
        away = np.ones(len(states.sub), dtype=bool)
        away[states.state[states.zone == number]] = False
        outside[number] = by_state[away].sum()
        parts = float(inside[number] + boundary[number] + outside[number])
        checks.equal("inside + boundary + outside", zone, "km", parts, total)
    size = work.zones.size_m2 / 1e6
    return pd.DataFrame(
        {
            "zone": work.zones.ids,
            "zone_name": work.zones.names,
            "kind": work.zone_kind,
            "area_km2": size,
            "inside_km": inside,
            "boundary_km": boundary,
            "outside_km": outside,
            "total_km": total,
            "density_km_per_km2": inside / size,
            "density_with_boundary_km_per_km2": (inside + boundary) / size,
        }
    )


def _area_table(work: _Work) -> pd.DataFrame:
    zones, subs = work.zones, work.subs
    columns = [
        "zone", "zone_name", "subdistrict", "subdistrict_name", "area_km2", "share_of_zone",
        "share_of_subdistrict",
    ]  # fmt: skip
    if subs is None:
        return pd.DataFrame(columns=columns)
    order = np.lexsort((np.where(work.part_sub < 0, len(subs), work.part_sub), work.part_zone))
    zone, sub = work.part_zone[order], work.part_sub[order]
    size = overlay.areas(work.parts[order])
    of_sub = np.append(subs.size_m2, np.nan)[sub]
    values = (
        _take(zones.ids, zone),
        _take(zones.names, zone),
        _take([*subs.ids, NO_SUBDISTRICT], sub),
        _take([*subs.names, NO_SUBDISTRICT], sub),
        size / 1e6,
        size / zones.size_m2[zone],
        size / of_sub,
    )
    return pd.DataFrame(dict(zip(columns, values, strict=True)))


def _subdistrict_table(work: _Work, checks: _Checks) -> pd.DataFrame:
    columns = ["subdistrict", "subdistrict_name", "on", "area_km2", "length_km", "share_of_total"]
    if work.subs is None:
        return pd.DataFrame(columns=columns)
    labels = work.states.labels
    metres = np.bincount(
        work.states.sub[work.group_state], weights=work.group_m, minlength=len(labels)
    )
    length = metres / 1000.0
    total = float(work.cut.line_length_m.sum()) / 1000.0
    checks.equal("streets by subdistrict", "all", "km", float(length.sum()), total)
    size = dict(zip(work.subs.ids, work.subs.size_m2 / 1e6, strict=True))
    rank = {name: number for number, name in enumerate(work.subs.ids)}
    met = {label[0] for label in labels if label[2] == "inside"}
    rows = [
        (*label, size.get(label[0], np.nan) if label[2] == "inside" else np.nan, km, km / total)
        for label, km in zip(labels, length.tolist(), strict=True)
        if km > 0
    ]
    rows += [
        (one, name, "inside", size[one], 0.0, 0.0)
        for one, name in zip(work.subs.ids, work.subs.names, strict=True)
        if one not in met
    ]
    on = {"inside": 0, "border": 1, "none": 2}
    rows.sort(key=lambda row: (on[row[2]], [rank.get(r, len(rank)) for r in row[0].split(BORDER)]))
    return pd.DataFrame(rows, columns=columns)


def _class_table(work: _Work, checks: _Checks) -> pd.DataFrame:
    table = work.base.groupby(["zone", "class"], sort=True)[["inside_km", "boundary_km"]].sum()
    table = table.reset_index()
    zone = table["zone"].to_numpy()
    size = work.zones.size_m2[zone] / 1e6
    inside, boundary = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    total = np.bincount(zone, weights=inside, minlength=len(work.zones))
    _sums_hold(work, zone, inside, boundary, "zone by class", checks)
    out = work.named(table)
    with np.errstate(invalid="ignore"):
        out["share_of_zone"] = inside / total[zone]
    out["density_km_per_km2"] = inside / size
    out["density_with_boundary_km_per_km2"] = (inside + boundary) / size
    return out


def _sums_hold(
    work: _Work, zone: Ints, inside: Floats, boundary: Floats, check: str, checks: _Checks
) -> None:
    """Hold a table's sums to the pieces themselves, not to the groups it was made from."""
    sizes = work.by_zone
    for values, target, what in ((inside, sizes[0], "inside"), (boundary, sizes[1], "along")):
        sums = np.bincount(zone, weights=values, minlength=len(work.zones))
        for number, name in enumerate(work.zones.ids):
            checks.equal(
                f"{check}, {what}", name, "km", float(sums[number]), float(target[number]) / 1000.0
            )


def _street_table(
    work: _Work,
    centrelines: GeoDataFrame | None,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: _Ledger,
    checks: _Checks,
) -> pd.DataFrame:
    table = work.base.groupby(["zone", "street"], sort=True)[["inside_km", "boundary_km"]].sum()
    table = table.reset_index()
    street = table["street"].to_numpy()
    zone = table["zone"].to_numpy()
    inside, boundary = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    _sums_hold(work, zone, inside, boundary, "zone by street", checks)
    here = work.states.district[work.group_state]
    size = len(work.street_labels)
    within = np.bincount(work.group_street[here], weights=work.group_m[here], minlength=size)
    beyond = np.bincount(work.group_street[~here], weights=work.group_m[~here], minlength=size)
    total = float(work.cut.line_length_m.sum()) / 1000.0
    parts = float(within.sum() + beyond.sum()) / 1000.0
    checks.equal("streets in and out of the district", "all", "km", parts, total)
    district_km = (within / 1000.0)[street]
    out = work.named(table)
    out["district_km"] = district_km
    with np.errstate(divide="ignore", invalid="ignore"):
        # A zone may reach beyond the district; then a street can have no length in the latter.
        known = district_km > 0
        out["share_inside"] = np.where(known, inside / district_km, np.nan)
        out["share_boundary"] = np.where(known, boundary / district_km, np.nan)
    if centrelines is not None:
        out = _with_centrelines(out, work, centrelines, district, street_name, ledger, checks)
    crossings = _crossings(work)
    for column, values in crossings.at(zone, street).items():
        out[column] = values
    return out


def _with_centrelines(
    table: pd.DataFrame,
    work: _Work,
    centrelines: GeoDataFrame,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: _Ledger,
    checks: _Checks,
) -> pd.DataFrame:
    column = street_name if street_name in centrelines.columns else "name"
    if column not in centrelines.columns:
        raise DataError(f"centrelines have no column 'name'; they have {_columns(centrelines)}")
    lines = _lines(centrelines, "centrelines", ledger)
    codes, labels = _coded(centrelines[column], UNNAMED, by_fold=True)
    fields = [work.zones.shapes]
    if district is not None:
        fields.append(np.array([district], dtype=object))
    cut = overlay.cut_lines(lines.shapes, np.concatenate(fields), boundary_m=work.boundary_m)
    checks.equal(
        "pieces of centrelines", "all", "km",
        float(cut.length_m.sum()) / 1000.0, float(cut.line_length_m.sum()) / 1000.0,
    )  # fmt: skip
    piece, area, on = cut.rows()
    count, wide = len(work.zones), len(labels)
    street = codes[lines.row][cut.line]
    km = cut.length_m / 1000.0
    mine = area < count
    both = np.bincount(
        (area[mine] * wide + street[piece[mine]]) * 2 + on[mine],
        weights=km[piece[mine]],
        minlength=count * wide * 2,
    ).reshape(count, wide, 2)
    if district is None:
        total = np.bincount(street, weights=km, minlength=wide)
    else:
        total = np.bincount(street[piece[~mine]], weights=km[piece[~mine]], minlength=wide)
    known = {fold(label): number for number, label in enumerate(labels[:-1])}
    known[fold(UNNAMED)] = wide - 1
    present = np.bincount(street, minlength=wide) > 0
    zone_at = {one: number for number, one in enumerate(work.zones.ids)}
    rows = []
    for zone, name in zip(table["zone"], table["street"], strict=True):
        number = known.get(fold(name), -1)
        if number < 0 or not present[number]:
            rows.append((np.nan,) * 5)
            continue
        inside, boundary = both[zone_at[zone], number].tolist()
        whole = float(total[number])
        shares = (inside / whole, boundary / whole) if whole else (np.nan, np.nan)
        rows.append((inside, boundary, whole, *shares))
    names = ("inside_km", "boundary_km", "district_km", "share_inside", "share_boundary")
    values = np.array(rows, dtype=np.float64).reshape(-1, 5)
    for number, name in enumerate(names):
        table[f"centreline_{name}"] = values[:, number]
    return table


@dataclass(frozen=True)
class _Crossings:
    """Crossings, first entry and last exit for each zone and street."""

    key: Ints
    streets: int
    values: Floats  # crossings, entry lon, lat, exit lon, lat

    def at(self, zone: Ints, street: Ints) -> dict[str, NDArray[Any]]:
        asked = zone * self.streets + street
        row = np.searchsorted(self.key, asked)
        found = np.zeros(len(asked), dtype=bool)
        inside = row < len(self.key)
        found[inside] = self.key[row[inside]] == asked[inside]
        values = np.full((len(asked), 5), np.nan)
        values[:, 0] = 0.0
        values[found] = self.values[row[found]]
        return {
            "crossings": values[:, 0].astype(np.int64),
            "entry_lon": values[:, 1],
            "entry_lat": values[:, 2],
            "exit_lon": values[:, 3],
            "exit_lat": values[:, 4],
        }


def _crossings(work: _Work) -> _Crossings:
    """Find where streets come into zones and leave them.

    A street crosses where a piece of it inside the zone ends and another piece of it, not
    inside, ends at the same place; so it doesn't matter how the street is split.
    """
    cut, states = work.cut, work.states
    wide = len(work.street_labels)
    near = np.flatnonzero(cut.near)
    if not len(near):
        return _Crossings(np.zeros(0, dtype=np.int64), wide, np.zeros((0, 5)))
    first, last, ahead, behind = cut.ends(near)
    for step in (ahead, behind):
        step[:, 0] *= np.cos(np.radians(first[:, 1]))
        step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-300)[:, None]
    place = np.concatenate((first, last))
    # Places are vertices or cuts, and pieces that meet in one share its very coordinates.
    bits = place.view(np.uint64)
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    spot, _ = pd.factorize(mixed)
    # Where all that meets is in the same state, nothing crosses.
    state = cut.state[np.concatenate((near, near))]
    least, most = np.full(spot.max() + 1, len(states.sub)), np.full(spot.max() + 1, -1)
    np.minimum.at(least, spot, state)
    np.maximum.at(most, spot, state)
    some = np.flatnonzero(least[spot] < most[spot])
    if not len(some):
        return _Crossings(np.zeros(0, dtype=np.int64), wide, np.zeros((0, 5)))
    place, mixed, spot, state = place[some], mixed[some], spot[some], state[some]
    # Into the piece: along the line at its start, against it at its end.
    into = np.concatenate((ahead, -behind))[some]
    street = work.street[cut.line[np.concatenate((near, near))[some]]]
    both = street * (int(spot.max()) + 1) + spot
    code, _ = pd.factorize(both)
    ends_here = np.bincount(code)
    low = np.searchsorted(states.state, state)
    high = np.searchsorted(states.state, state, side="right")
    row, number = _spread(high - low)
    at = low[row] + number
    inside = states.on[at] == overlay.INSIDE
    row, zone = row[inside], states.zone[at[inside]]
    pair, _ = pd.factorize(zone * (int(code.max()) + 1) + code[row])
    mine = np.bincount(pair)
    partly = mine[pair] < ends_here[code[row]]
    row, zone = row[partly], zone[partly]
    if not len(row):
        return _Crossings(np.zeros(0, dtype=np.int64), wide, np.zeros((0, 5)))
    # A street is followed along the axis that it mainly runs by.
    run = cut.line_run * (math.cos(math.radians(float(place[0, 1]))), 1.0)
    east, north = (np.bincount(work.street, weights=run[:, k], minlength=wide) for k in (0, 1))
    axis = (north > east).astype(np.int64)[street[row]]
    along = place[row, axis]
    ahead_of = into[row, axis]
    key = zone * wide + street[row]
    order = np.lexsort((mixed[row], along, key))
    key, ahead_of, row, spot = key[order], ahead_of[order], row[order], mixed[row[order]]
    keys, start = np.unique(key, return_index=True)
    stop = np.append(start[1:], len(key))
    fresh = np.ones(len(key), dtype=bool)
    fresh[1:] = (key[1:] != key[:-1]) | (spot[1:] != spot[:-1])
    out = np.full((len(keys), 5), np.nan)
    out[:, 0] = np.add.reduceat(fresh.astype(np.float64), start)
    group = np.repeat(np.arange(len(keys)), stop - start)
    # A street that crosses square to its course neither comes nor goes by this place alone.
    abeam = np.abs(ahead_of) < _ABEAM
    number = np.arange(len(key))
    come = np.full(len(keys), len(key), dtype=np.int64)
    hit = abeam | (ahead_of > 0)
    np.minimum.at(come, group[hit], number[hit])
    leave = np.full(len(keys), -1, dtype=np.int64)
    hit = abeam | (ahead_of < 0)
    np.maximum.at(leave, group[hit], number[hit])
    comes, leaves = come < len(key), (leave >= 0) & (leave != come)
    out[comes, 1:3] = place[row[come[comes]]]
    out[leaves, 3:5] = place[row[leave[leaves]]]
    return _Crossings(keys, wide, out)


def _corridor_table(
    frame: GeoDataFrame | None,
    axes: _Lines | None,
    subs: _Areas | None,
    boundary_m: float,
    checks: _Checks,
) -> pd.DataFrame:
    columns = [
        "corridor", "corridor_name", "subdistrict", "subdistrict_name", "on", "length_km",
        "share_of_corridor",
    ]  # fmt: skip
    if frame is None or axes is None:
        return pd.DataFrame(columns=columns)
    ids, names, code = _corridor_codes(frame, axes)
    shapes = subs.shapes if subs is not None else np.zeros(0, dtype=object)
    cut = overlay.cut_lines(axes.shapes, shapes, boundary_m=boundary_m)
    states = _read_states(cut.state_first, cut.state_area, cut.state_on, 0, subs, False)
    corridor = code[cut.line]
    wide = len(states.labels)
    length = (
        np.bincount(
            corridor * wide + states.sub[cut.state], weights=cut.length_m, minlength=len(ids) * wide
        ).reshape(len(ids), wide)
        / 1000.0
    )
    whole = np.bincount(code, weights=cut.line_length_m, minlength=len(ids)) / 1000.0
    rows = []
    for number, one in enumerate(ids):
        checks.equal(
            "corridor by subdistrict", one, "km", float(length[number].sum()), float(whole[number])
        )
        for label in np.flatnonzero(length[number] > 0):
            km = float(length[number, label])
            share = km / float(whole[number])
            rows.append((one, names[number], *states.labels[label], km, share))
    return pd.DataFrame(rows, columns=columns)


# ------------------------------------------------------------------ on foot


@dataclass(frozen=True)
class WalkingReach:
    """How much of each zone lies within a walk of given points.

    Attributes
    ----------
    table : pandas.DataFrame
        ``zone``, ``zone_name``, ``area_km2``, ``reached_km2``, ``share_of_area``,
        ``streets_km`` (walkable, in the zone), ``reached_km``, ``share_of_streets``.
    edges : geopandas.GeoDataFrame
        Reached pieces of street, EPSG:4326, with ``length_m``.
    area : shapely.Geometry
        Reached edges and the walks to them, widened; longitude and latitude.
    dropped : pandas.DataFrame
        As `Coverage.dropped`; points too far from the network are here.
    limit_m : float
        Metres that can be walked.
    """

    table: pd.DataFrame
    edges: GeoDataFrame
    area: shapely.Geometry
    dropped: pd.DataFrame
    limit_m: float


def walking_reach(
    points: GeoDataFrame,
    streets: GeoDataFrame,
    zones: GeoDataFrame,
    *,
    minutes: float = 15.0,
    speed_km_per_h: float = 4.0,
    width_m: float = 50.0,
    snap_m: float = 200.0,
    not_on_foot: Iterable[str] = ("motorway", "motorway_link"),
) -> WalkingReach:
    """Measure which part of zones lies within a walk of points, along the network.

    Streets join where they share a vertex (to 1e-7 degrees); those that merely cross do not. A
    point walks straight to the nearest street and from there along it; the way to the street
    counts. An edge that is reached in part counts in part.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        Points, EPSG:4326.
    streets : geopandas.GeoDataFrame
        Lines, EPSG:4326; passable both ways.
    zones : geopandas.GeoDataFrame
        Polygons, EPSG:4326.
    minutes, speed_km_per_h : float
        The walk. 15 minutes at 4 km/h are 1000 m, the upper end of the 800 to 1000 m that GB
        50180-2018 gives for a fifteen-minute neighbourhood.
    width_m : float
        The reached area is what lies within this of a reached edge, metres.
    snap_m : float
        Points further than this from every street are dropped and counted, metres.
    not_on_foot : iterable of str
        Road classes that can't be walked.

    Returns
    -------
    WalkingReach

    Raises
    ------
    CRSError, DataError
        As `measure`; and if no point comes near a street.
    ValueError
        For a negative or missing measure.

    Examples
    --------
    A street of 2 km through the middle of a zone, a point in its middle, and 6 minutes at 4 km/h:
    400 m to both sides.

    >>> import geopandas
    >>> from shapely.geometry import LineString, Point, box
    >>> street = geopandas.GeoDataFrame(geometry=[LineString([(117, 39), (117, 39.018)])], crs=4326)
    >>> zone = geopandas.GeoDataFrame(geometry=[box(116.99, 39, 117.01, 39.018)], crs=4326)
    >>> point = geopandas.GeoDataFrame(geometry=[Point(117, 39.009)], crs=4326)
    >>> reach = walking_reach(point, street, zone, minutes=6)
    >>> round(float(reach.table.reached_km[0]), 3)
    0.8
    """
    for label, value in (
        ("minutes", minutes), ("speed_km_per_h", speed_km_per_h), ("width_m", width_m),
        ("snap_m", snap_m),
    ):  # fmt: skip
        if not value > 0 or not np.isfinite(value):
            raise ValueError(f"{label} is {value}; give a number above zero")
    ledger = _Ledger()
    areas = _areas(zones, "zones", ledger)
    column = next((c for c in _CLASS_COLUMNS if c in streets.columns), None)
    skip = _not_streets(streets, ledger)
    if column is not None:
        apart = np.asarray(streets[column].isin(list(not_on_foot)), dtype=bool)
        ledger.note("streets", "dropped", "not walkable", _ids(streets[apart]))
        skip = _either(skip, apart)
    lines = _lines(streets, "streets", ledger, skip)
    spots, spot_row = _points(points, "points", ledger)
    limit = minutes * speed_km_per_h * 1000.0 / 60.0
    net = _Network(lines.shapes)
    starts, ways, far = net.snap(shapely.get_coordinates(spots), snap_m)
    ids = _ids(points)
    reason = f"further than {snap_m:g} m from every street"
    ledger.note("points", "dropped", reason, [ids[k] for k in spot_row[far]])
    if far.all():
        raise DataError(f"points: none lies within {snap_m:g} m of a street; raise snap_m")
    reached = net.reach(starts, limit)
    every = [*reached, *ways]
    x0, y0, x1, y1 = shapely.total_bounds(np.array(every, dtype=object))
    there, back = overlay.metric((x0 + x1) / 2, (y0 + y1) / 2)
    flat = shapely.transform(np.array(every, dtype=object), there)
    shape = shapely.transform(shapely.union_all(shapely.buffer(flat, width_m)), back)
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    part = overlay.areas(overlay.intersection(areas.shapes, shape))
    # Along the boundary is in: a zone's bounding street serves it.
    whole = overlay.cut_lines(lines.shapes, areas.shapes).lengths_by_area(len(areas))
    some = (np.zeros(len(areas)), np.zeros(len(areas)))
    if reached:
        shapes = np.array(reached, dtype=object)
        some = overlay.cut_lines(shapes, areas.shapes).lengths_by_area(len(areas))
    streets_km, reached_km = sum(whole) / 1000.0, sum(some) / 1000.0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(streets_km > 0, reached_km / streets_km, np.nan)
    table = pd.DataFrame(
        {
            "zone": areas.ids,
            "zone_name": areas.names,
            "area_km2": areas.size_m2 / 1e6,
            "reached_km2": part / 1e6,
            "share_of_area": part / areas.size_m2,
            "streets_km": streets_km,
            "reached_km": reached_km,
            "share_of_streets": share,
        }
    )
    import geopandas

    edges = geopandas.GeoDataFrame(
        {"length_m": overlay.lengths(np.array(reached, dtype=object))},
        geometry=reached,
        crs=STORED,
    )
    return WalkingReach(table, edges, shape, ledger.frame(), limit)


class _Network:
    """Edges between vertices, to be walked both ways."""

    def __init__(self, lines: Shapes) -> None:
        coordinates, index = shapely.get_coordinates(lines, return_index=True)
        joined = index[1:] == index[:-1]
        place = np.round(coordinates, 7)
        _, where, first = np.unique(place, axis=0, return_index=True, return_inverse=True)
        self.node = coordinates[where]
        first = first.ravel()
        self.one, self.two = first[:-1][joined], first[1:][joined]
        # An edge that two ways share is one edge.
        low, high = np.minimum(self.one, self.two), np.maximum(self.one, self.two)
        keep = low != high
        _, pick = np.unique(low[keep] * len(self.node) + high[keep], return_index=True)
        self.one, self.two = low[keep][pick], high[keep][pick]
        ends = np.stack((self.node[self.one], self.node[self.two]), axis=1)
        self.shapes: Shapes = np.atleast_1d(np.asarray(shapely.linestrings(ends), dtype=object))
        self.length = overlay.lengths(self.shapes)
        order = np.argsort(np.concatenate((self.one, self.two)), kind="stable")
        self._edge = np.concatenate((np.arange(len(self.one)),) * 2)[order]
        self._other = np.concatenate((self.two, self.one))[order]
        degree = np.bincount(np.concatenate((self.one, self.two)), minlength=len(self.node))
        self._first = np.append(0, np.cumsum(degree))

    def snap(
        self, places: Floats, limit: float
    ) -> tuple[list[tuple[int, float, float]], list[shapely.LineString], Bools]:
        """Edge, share of it and walk to it for each point; the walks; who is too far."""
        there, back = overlay.metric(*np.mean(places, axis=0).tolist())
        flat = shapely.transform(self.shapes, there)
        points = shapely.points(there(places))
        tree = shapely.STRtree(flat)
        (who, edge), away = tree.query_nearest(
            points, max_distance=limit, return_distance=True, all_matches=False
        )
        far = np.ones(len(places), dtype=bool)
        far[who] = False
        share = shapely.line_locate_point(flat[edge], points[who], normalized=True)
        at = back(shapely.get_coordinates(shapely.line_interpolate_point(
            flat[edge], share, normalized=True)))  # fmt: skip
        starts = list(zip(edge.tolist(), share.tolist(), away.tolist(), strict=True))
        walks = [
            shapely.LineString([place, foot])
            for place, foot, m in zip(places[who], at, away, strict=True)
            if m > 0
        ]
        return starts, walks, far

    def reach(
        self, starts: list[tuple[int, float, float]], limit: float
    ) -> list[shapely.LineString]:
        """What of the edges lies within `limit` metres of the starts."""
        distance: dict[int, float] = {}
        heap: list[tuple[float, int]] = []
        spans: dict[int, list[tuple[float, float]]] = {}
        for edge, share, away in starts:
            size = float(self.length[edge])
            left = limit - away
            if left <= 0:
                continue
            reach = left / size
            spans.setdefault(edge, []).append((max(share - reach, 0.0), min(share + reach, 1.0)))
            heap.append((away + share * size, int(self.one[edge])))
            heap.append((away + (1.0 - share) * size, int(self.two[edge])))
        heapq.heapify(heap)
        while heap:
            far, node = heapq.heappop(heap)
            if far >= limit or node in distance:
                continue
            distance[node] = far
            for at in range(int(self._first[node]), int(self._first[node + 1])):
                edge, other = int(self._edge[at]), int(self._other[at])
                size = float(self.length[edge])
                share = min((limit - far) / size, 1.0)
                forth = node == int(self.one[edge])
                span = (0.0, share) if forth else (1.0 - share, 1.0)
                spans.setdefault(edge, []).append(span)
                if other not in distance:
                    heapq.heappush(heap, (far + size, other))
        out: list[shapely.LineString] = []
        for edge, parts in spans.items():
            start, stop = self.node[self.one[edge]], self.node[self.two[edge]]
            for low, high in _merged(parts):
                if high > low:
                    ends = [start + (stop - start) * low, start + (stop - start) * high]
                    out.append(shapely.LineString(ends))
        return out


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out
