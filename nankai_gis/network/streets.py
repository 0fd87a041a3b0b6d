"""Named streets: all ways of one name become one object with one centreline.

A street network maps a street as many ways: cut at every crossing and bridge, and
once per carriageway where the directions are divided. A plan speaks of the street.
This module turns the one into the other:

1. **Names.** Ways are indexed under every name they carry, folded so that both scripts find
   the same street. Links and footways stand apart.
2. **Places.** Ways of one name further apart than `PLACE_M` are different streets.
3. **Lines.** Ways are joined end to end, the middle is drawn between carriageways within
   `SEPARATION_M`, and breaks up to `GAP_M` are bridged (see `nankai_gis.network.centreline`).

Geometry goes in and comes out in EPSG:4326. The work is done in a Gauss-Kruger frame whose meridian
passes by the street; lengths are measured on the CGCS2000 ellipsoid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from nankai_gis import words
from nankai_gis.errors import AmbiguousNameError, CRSError, DataError, RoadNotFoundError
from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints
from nankai_gis.network.origin import Roads
from nankai_gis.network.street import Gap, Kind, Point, Street
from nankai_gis.network.street_lines import GAP_M, SEPARATION_M, StreetLines, draw
from nankai_gis.network.street_names import APART, numbers, split_names, variants
from nankai_gis.network.street_places import PLACE_M, split_by_place
from nankai_gis.plan.names import nearest, normalise
from nankai_gis.words import ntr, tr
from nankai_gis.words.terms import KINDS

__all__ = ["APART", "GAP_M", "PLACE_M", "SEPARATION_M", "Gap", "Street", "Streets", "build"]

_KINDS: tuple[Kind, ...] = ("street", "railway", "river")
_COLUMNS = ("way", "name", "aliases", "highway", "railway", "waterway", "oneway")
_BATCH = 500  # streets drawn in one go


def build(frame: gpd.GeoDataFrame | Roads) -> Streets:
    """Index the named streets of a network.

    Names are indexed at once; a street's lines are drawn when it is first looked up.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or Roads
        Roads as read or fetched, or LineStrings in EPSG:4326 with the columns ``way`` (int),
        ``name`` (str or None), ``aliases`` (str, ``;`` between names), ``highway``,
        ``railway``, ``waterway`` (str or None) and ``oneway`` (1, 0 or -1). Ways without a
        name are ignored, and so are empty and pointlike lines. Two ways that both carry a
        highway class and are both two-way are never carriageways of one another; without a
        class, direction counts as unknown. Roundabouts and motorways need ``oneway``.

    Returns
    -------
    Streets
        Empty for an empty frame.

    Raises
    ------
    CRSError
        If `frame` has no CRS or one other than EPSG:4326, or coordinates that can't be
        longitude and latitude.
    DataError
        If a column is missing or a geometry is no LineString.

    Examples
    --------
    Two carriageways of 0.01 degrees each (865.0 m at 39.1 N) are 865.0 m of street:

    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1, 2], "name": "復康路", "aliases": "", "highway": "primary",
    ...      "railway": None, "waterway": None, "oneway": 1},
    ...     geometry=[LineString([(117.0, 39.1), (117.01, 39.1)]),
    ...               LineString([(117.01, 39.1002), (117.0, 39.1002)])], crs="EPSG:4326")
    >>> street = build(frame).find("复康路")
    >>> round(street.carriageway_length_m), round(street.centreline_length_m)
    (1730, 865)
    >>> street.dual_share
    1.0
    """
    if isinstance(frame, Roads):
        frame = frame.frame
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(
            ntr(
                "the ways have no column {missing}; a network has the columns {columns}",
                "the ways have no columns {missing}; a network has the columns {columns}",
                len(missing),
                missing=words.listed(missing),
                columns=words.listed(_COLUMNS),
            )
        )
    if len(frame) and (frame.crs is None or not frame.crs.equals(crs.STORED, True)):
        raise CRSError(
            tr(
                "the ways are in {crs}; streets need EPSG:4326: use frame.to_crs, or set_crs where "
                "the coordinates are longitude and latitude",
                crs=frame.crs or tr("no CRS"),
            )
        )
    return Streets(frame)


class Streets:
    """The named streets of a network, worked out when asked for. Made by `build`.

    Iterating gives the names, in the spelling most ways carry; ``name in streets`` takes
    either script.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1, 2], "name": ["红旗路", "红旗南路"], "aliases": "",
    ...      "highway": "primary", "railway": None, "waterway": None, "oneway": 0},
    ...     geometry=[LineString([(117, 39.1), (117, 39.11)]),
    ...               LineString([(117, 39.09), (117, 39.1)])], crs="EPSG:4326")
    >>> made = build(frame)
    >>> "紅旗南路" in made, [street.ways for street in made.all("紅旗路")]
    (True, [(1,)])
    >>> made.near_names("紅旗道")
    ['红旗路', '红旗南路']
    >>> made.frame().centreline_length_m.round(-1).tolist()
    [1110.0, 1110.0]
    """

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        lines = np.asarray(frame.geometry.values, dtype=object)
        named = frame["name"].notna().to_numpy() | (frame["aliases"].fillna("") != "").to_numpy()
        usable = named & ~shapely.is_missing(lines) & ~shapely.is_empty(lines)
        wrong = usable & (shapely.get_type_id(lines) != 1)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise DataError(
                tr(
                    "way {way} is a {type}; streets are made of LineStrings: use frame.explode()",
                    way=frame["way"].iloc[row],
                    type=lines[row].geom_type,
                )
            )
        keep = np.flatnonzero(usable)
        self._lines = lines[keep]
        bounds = shapely.total_bounds(self._lines) if len(keep) else np.zeros(4)
        if not (np.abs(bounds[[0, 2]]) <= 180).all() or not (np.abs(bounds[[1, 3]]) <= 90).all():
            raise CRSError(
                tr(
                    "the coordinates reach from {low} to {high}, which can't be longitude and "
                    "latitude; check the order of the axes and the CRS",
                    low=words.listed(bounds[:2].tolist()),
                    high=words.listed(bounds[2:].tolist()),
                )
            )
        self._ids = frame["way"].to_numpy()[keep].astype(np.int64)
        self._sense = frame["oneway"].to_numpy()[keep].astype(np.int64)
        tags = [frame[column].to_numpy(dtype=object)[keep] for column in _COLUMNS[3:6]]
        filled = [np.array([isinstance(value, str) for value in tag], dtype=bool) for tag in tags]
        self._kind = np.where(filled[0], 0, np.where(filled[1], 1, np.where(filled[2], 2, 0)))
        self._class = np.full(len(keep), "", dtype=object)
        for tag, has in zip(reversed(tags), reversed(filled), strict=True):
            self._class[has] = tag[has]
        self._twoway = filled[0] & (self._sense == 0)
        self._apart = np.array(
            [value.endswith("_link") or value in APART for value in self._class.tolist()],
            dtype=bool,
        )
        self._apart &= self._kind == 0
        self._names = frame["name"].to_numpy(dtype=object)[keep]
        self._others = frame["aliases"].to_numpy(dtype=object)[keep]
        self._index: dict[str, list[int]] = {}
        self._primary: dict[str, dict[str, int]] = {}
        self._looser: dict[str, list[str]] = {}
        self._read_names()
        self._read_numbers(frame["ref"].to_numpy(dtype=object)[keep] if "ref" in frame else [])
        self._made: dict[str, tuple[Street, ...]] = {}

    def _read_names(self) -> None:
        labels: dict[tuple[Any, Any], list[int]] = defaultdict(list)
        for row, label in enumerate(zip(self._names.tolist(), self._others.tolist(), strict=True)):
            labels[label].append(row)
        index: dict[str, list[list[int]]] = defaultdict(list)
        for (name, others), rows in labels.items():
            keys = {}
            for spelling in split_names(name):
                key = normalise(spelling)
                counts = self._primary.setdefault(key, {})
                counts[spelling] = counts.get(spelling, 0) + len(rows)
                keys[key] = True
            for spelling in split_names(others):
                keys[normalise(spelling)] = True
            for key in keys:
                index[key].append(rows)
        for key, groups in index.items():
            self._index[key] = sorted({row for rows in groups for row in rows})
        for key in self._index:
            for variant in variants(key):
                if variant not in self._index:
                    self._looser.setdefault(variant, []).append(key)

    def _read_numbers(self, refs: Iterable[object]) -> None:
        """Let the number of a road find the streets that carry it, where no street is called so."""
        for name, ref in dict.fromkeys(zip(self._names.tolist(), refs, strict=False)):
            for number in numbers(ref):
                if number not in self._index:
                    streets = self._looser.setdefault(number, [])
                    keys = map(normalise, split_names(name))
                    streets += [key for key in keys if key not in streets]

    def __len__(self) -> int:
        return len(self._primary)

    def __iter__(self) -> Iterator[str]:
        for spellings in self._primary.values():
            yield max(spellings, key=lambda text: (spellings[text], text))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._keys(name) != []

    def __repr__(self) -> str:
        return f"<Streets: {len(self)} names on {len(self._ids)} ways>"

    def find(self, name: str, near: Point | None = None, *, kind: Kind | None = None) -> Street:
        """Return the street of this name.

        Parameters
        ----------
        name : str
            In either script; a name, another name of it, or a name whose bracket is left
            out.
        near : tuple of float, optional
            Longitude and latitude: of several streets of the name, take the nearest.
        kind : {"street", "railway", "river"}, optional
            Where a name belongs to several kinds, a street comes before a railway and a
            railway before a river unless this says otherwise.

        Returns
        -------
        Street

        Raises
        ------
        RoadNotFoundError
            If no way carries the name; the error holds near names.
        AmbiguousNameError
            If several places have a street of the name and `near` isn't given; the message
            lists them.

        Examples
        --------
        Two streets of one name, half a degree apart:

        >>> import geopandas as gpd
        >>> from shapely import LineString
        >>> frame = gpd.GeoDataFrame(
        ...     {"way": [1, 2], "name": "红旗路", "aliases": "", "highway": "primary",
        ...      "railway": None, "waterway": None, "oneway": 0},
        ...     geometry=[LineString([(117, 39.1), (117, 39.11)]),
        ...               LineString([(117, 39.6), (117, 39.61)])], crs="EPSG:4326")
        >>> build(frame).find("紅旗路", near=(117, 39.5)).ways
        (2,)
        """
        choice = self.all(name, kind=kind)
        if kind is None and choice:
            first = min((street.kind for street in choice), key=_KINDS.index)
            choice = tuple(street for street in choice if street.kind == first)
        if not choice:
            raise RoadNotFoundError(tr(KINDS[kind or "street"]), name, self.near_names(name))
        if len(choice) == 1:
            return choice[0]
        if near is None:
            raise AmbiguousNameError(
                tr(
                    "{n} streets are called {name}: {places}; say which one with near=(lon, lat)",
                    n=len(choice),
                    name=words.quoted(name),
                    places=words.listed(street.place for street in choice),
                )
            )
        spot = np.array([near], dtype=np.float64)
        return min(choice, key=lambda street: float(street.project(spot)[1][0]))

    def all(self, name: str, *, kind: Kind | None = None) -> tuple[Street, ...]:
        """Return every street of this name: one per place and kind.

        Parameters
        ----------
        name : str
            As for `find`.
        kind : {"street", "railway", "river"}, optional

        Returns
        -------
        tuple of Street
            Longest first; empty where no way carries the name.
        """
        joint = "\n".join(self._keys(name))
        if joint and joint not in self._made:
            self._make([joint])
        return tuple(street for street in self._made.get(joint, ()) if kind in (None, street.kind))

    def _keys(self, name: str) -> list[str]:
        """The folded names of the streets that a name stands for."""
        key = normalise(name)
        return [key] if key in self._index else self._looser.get(key, [])

    def near_names(self, name: str) -> list[str]:
        """Names that resemble `name`, best first (see `nankai_gis.plan.names.nearest`).

        Parameters
        ----------
        name : str

        Returns
        -------
        list of str
            At most five, as the ways spell them; empty where nothing resembles it.
        """
        # Of equally near names, that of the street with the most ways.
        known = sorted(self._index, key=lambda key: (-len(self._index[key]), key))
        return [self._spelling(key) for key in nearest(normalise(name), known)]

    def frame(self, boxes: Sequence[tuple[float, ...]] | None = None) -> gpd.GeoDataFrame:
        """Return streets as a table, one row each.

        Parameters
        ----------
        boxes : sequence of tuple, optional
            West, south, east, north in degrees: only streets of a name that a way in one of these
            boxes carries, wherever they are; all streets by default.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, geometry the centreline, sorted by name and place, with the columns
            ``name``, ``aliases`` (``;`` between names), ``kind``, ``place`` (str),
            ``ways`` (int, how many), ``carriageway_length_m``, ``centreline_length_m``,
            ``dual_share`` (float), ``gaps`` and ``gaps_open`` (int: breaks, and those not
            bridged). A way with a list of names counts in the row of each of them, so
            lengths of rows don't add up to the network's. Empty for no names.
        """
        keys = list(self._primary)
        if boxes is not None:
            shapes = shapely.box(*np.array(boxes).reshape(-1, 4).T)
            near = np.unique(self._tree.query(shapes, predicate="intersects")[1])
            names = set(self._names[near])
            carried = {normalise(part) for name in names for part in split_names(name)}
            keys = [key for key in keys if key in carried]
        todo = [key for key in keys if key not in self._made]
        for start in range(0, len(todo), _BATCH):
            self._make(todo[start : start + _BATCH])
        streets = [street for key in keys for street in self._made[key]]
        streets.sort(key=lambda street: (street.name, street.place))
        table = {
            "name": [street.name for street in streets],
            "aliases": [";".join(street.aliases) for street in streets],
            "kind": [street.kind for street in streets],
            "place": [street.place for street in streets],
            "ways": np.array([len(street.ways) for street in streets], dtype=np.int64),
            "carriageway_length_m": np.array([s.carriageway_length_m for s in streets], float),
            "centreline_length_m": np.array([s.centreline_length_m for s in streets], float),
            "dual_share": np.array([street.dual_share for street in streets], float),
            "gaps": np.array([len(street.gaps) for street in streets], dtype=np.int64),
            "gaps_open": np.array([sum(not g.bridged for g in s.gaps) for s in streets], np.int64),
        }
        shapes = [street.centreline for street in streets]
        return gpd.GeoDataFrame(table, geometry=shapes, crs=crs.STORED)

    def _spelling(self, key: str) -> str:
        spellings = self._primary.get(key)
        if not spellings:
            for row in self._index[key]:
                for text in split_names(self._others[row]):
                    if normalise(text) == key:
                        return text
            return key
        return max(spellings, key=lambda text: (spellings[text], text))

    def _make(self, joints: Sequence[str]) -> None:
        """Work out the streets of several names in one go."""
        clusters: list[tuple[str, int, Ints]] = []
        for joint in joints:
            rows = np.array(
                sorted({row for key in joint.split("\n") for row in self._index[key]}),
                dtype=np.int64,
            )
            for kind in range(3):
                of_kind = rows[self._kind[rows] == kind]
                if not len(of_kind):
                    continue
                main = of_kind[~self._apart[of_kind]]
                if not len(main):
                    main = of_kind
                clusters += [
                    (joint, kind, rows) for rows in split_by_place(self._lines, self._ordered(main))
                ]
        built = self._build(clusters)
        found: dict[str, list[Street]] = {joint: [] for joint in joints}
        for (joint, *_), street in zip(clusters, built, strict=True):
            if street is not None:
                found[joint].append(street)
        for joint, streets in found.items():
            streets.sort(key=lambda street: -street.centreline_length_m)
            self._made[joint] = tuple(self._placed(streets))

    def _ordered(self, rows: Ints) -> Ints:
        """Sort by id, so that the order of the input doesn't matter."""
        return rows[np.argsort(self._ids[rows], kind="stable")]

    def _build(self, clusters: Sequence[tuple[str, int, Ints]]) -> list[Street | None]:
        """Draw the streets, and give each its names and classes."""
        if not clusters:
            return []
        rows = np.concatenate([cluster for _, _, cluster in clusters])
        sizes = np.array([len(cluster) for _, _, cluster in clusters])
        drawn = draw(self._lines[rows], self._sense[rows], self._twoway[rows], sizes)
        return [
            lines and self._street(joint, kind, cluster, lines)
            for (joint, kind, cluster), lines in zip(clusters, drawn, strict=True)
        ]

    def _street(self, joint: str, kind: int, cluster: Ints, lines: StreetLines) -> Street:
        name, aliases = self._spellings(joint, cluster, lines.way_m)
        classes: dict[str, float] = {}
        for label, metres in zip(self._class[cluster].tolist(), lines.way_m.tolist(), strict=True):
            classes[label] = classes.get(label, 0.0) + metres
        return Street(
            name=name,
            aliases=aliases,
            kind=_KINDS[kind],
            place="",
            ways=tuple(dict.fromkeys(self._ids[cluster].tolist())),
            carriageways=lines.carriageways,
            centreline=lines.centreline,
            carriageway_length_m=float(lines.way_m.sum()),
            centreline_length_m=lines.centreline_m,
            gaps=lines.gaps,
            dual_share=lines.dual_share,
            classes=MappingProxyType(dict(sorted(classes.items()))),
        )

    def _spellings(self, joint: str, rows: Ints, metres: Floats) -> tuple[str, tuple[str, ...]]:
        """Name and other names: the spelling of the asked key that most metres carry."""
        keys = set(joint.split("\n"))
        weight: dict[str, float] = {}
        first: set[str] = set()
        for row, size in zip(rows.tolist(), metres.tolist(), strict=True):
            primary = split_names(self._names[row])
            for text in [*primary, *split_names(self._others[row])]:
                weight[text] = weight.get(text, 0.0) + size
            first.update(text for text in primary if normalise(text) in keys)
        asked = first or {text for text in weight if normalise(text) in keys}
        name = max(asked, key=lambda text: (weight[text], text))
        return name, tuple(sorted(text for text in weight if text != name))

    def _placed(self, streets: list[Street]) -> list[Street]:
        """Give streets that share name and kind a hint where each is."""
        kinds = [street.kind for street in streets]
        out = []
        for street in streets:
            if kinds.count(street.kind) == 1:
                out.append(street)
                continue
            longest = street.parts[0]
            spot = shapely.get_coordinates(longest.interpolate(0.5, normalized=True))[0]
            hint = f"at {spot[0]:.4f}, {spot[1]:.4f}"
            meets = self._meets(street)
            if meets:
                hint += f" (meets {', '.join(meets)})"
            out.append(replace(street, place=hint))
        return out

    def _meets(self, street: Street, count: int = 3) -> list[str]:
        """Names of other ways that touch the street."""
        mine = {normalise(street.name), *map(normalise, street.aliases)}
        near = self._tree.query(street.carriageways, predicate="intersects")
        names: dict[str, int] = {}
        for row in near.tolist():
            for text in split_names(self._names[row]):
                if normalise(text) not in mine:
                    names[text] = names.get(text, 0) + 1
        return sorted(names, key=lambda text: (-names[text], text))[:count]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._lines)
