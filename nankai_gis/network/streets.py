"""Named streets: all ways of one name become one object with one centreline.

A street network maps a street as many ways: cut at every crossing and bridge, and
once per carriageway where the directions are divided. A plan speaks of the street.
This module turns the one into the other:

1. **Names.** Ways are indexed under every name they carry (name, other names, lists),
   folded so that both scripts find the same street. Links and footways stand apart.
2. **Places.** Ways of one name that lie further apart than `PLACE_M` are different
   streets that happen to share a name.
3. **Strokes.** Ways are joined end to end, straight on where they branch.
4. **Cross-sections.** At stations along the longest stroke a line is laid square to it;
   a parallel stroke of the same street within `SEPARATION_M` is its other carriageway,
   and the centreline runs midway. What runs alone keeps its own vertices exactly.
5. **Gaps.** Breaks up to `GAP_M` are bridged by a straight line and reported; longer
   ones leave separate parts and are reported too.

Geometry goes in and comes out in EPSG:4326. The work is done in a Gauss-Kruger frame on
the CGCS2000 ellipsoid whose meridian passes by the street (for Nankai that is EPSG:4548
itself), so it holds anywhere; lengths are measured on the ellipsoid.

Only ways on hand are read: a street that the frame cuts off is cut off here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, cast

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry import LineString, MultiLineString

from nankai_gis.errors import AmbiguousNameError, CRSError, DataError, RoadNotFoundError
from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints
from nankai_gis.geometry.plane import Plane
from nankai_gis.network import centreline
from nankai_gis.plan.names import nearest, normalise

__all__ = [
    "APART",
    "GAP_M",
    "PLACE_M",
    "SEPARATION_M",
    "Gap",
    "Street",
    "Streets",
    "build",
]

Kind = Literal["street", "railway", "river"]
Point = tuple[float, float]

#: Carriageways of one street lie at most this far apart, metres.
SEPARATION_M = 40.0
#: Breaks up to this length are bridged, metres.
GAP_M = 150.0
#: Ways of one name further apart than this are different streets, metres.
PLACE_M = 1000.0
#: Highway classes that carry a street's name without being the street.
APART = frozenset(
    {
        "footway", "path", "steps", "cycleway", "bridleway", "corridor", "elevator",
        "platform", "service", "bus_stop", "crossing", "proposed", "construction",
        "abandoned", "razed",
    }
)  # fmt: skip

_KINDS: tuple[Kind, ...] = ("street", "railway", "river")
_COLUMNS = ("way", "name", "aliases", "highway", "railway", "waterway", "oneway")
# Streets collapsed in one go: enough to share numpy's fixed costs, little memory.
_BATCH = 500


@dataclass(frozen=True)
class Gap:
    """A break in a street's centreline.

    Attributes
    ----------
    start, end : tuple of float
        Longitude and latitude of both sides of the break.
    metres : float
        Its length on the ellipsoid.
    bridged : bool
        True where a straight line closes it, False where the parts stay apart.
    """

    start: Point
    end: Point
    metres: float
    bridged: bool


@dataclass(frozen=True, eq=False)
class Street:
    """One named street, railway or river: what is mapped and what it amounts to.

    Attributes
    ----------
    name : str
        The spelling most of its length carries.
    aliases : tuple of str
        Other names and spellings on its ways.
    kind : {"street", "railway", "river"}
    place : str
        Empty where the name is the only one of its kind; otherwise a hint which of
        several it is: a coordinate and streets it meets.
    ways : tuple of int
        Ids of the ways that make it up; those that carry the name as links, footways or
        service roads are none of them.
    carriageways : shapely.MultiLineString
        The ways as mapped, EPSG:4326.
    centreline : shapely.LineString or shapely.MultiLineString
        Each stretch once, EPSG:4326, bridged gaps included. A vertex that runs alone is
        the mapped vertex, bit for bit.
    carriageway_length_m : float
        Length of all ways on the ellipsoid; a segment mapped twice by the same vertices
        counts once.
    centreline_length_m : float
        Length of `centreline` on the ellipsoid, bridged gaps included.
    gaps : tuple of Gap
        Breaks, bridged and not.
    dual_share : float
        Share of the centreline (0 to 1) that stands for more than one carriageway.
    classes : mapping of str to float
        Metres of carriageway per highway class (``""`` where the class is unknown; the
        value of ``railway`` or ``waterway`` for those kinds). Sums to
        `carriageway_length_m`.

    Examples
    --------
    A bridge of 0.001 degrees (86.6 m at 39 N) is missing between two ways:

    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1, 2], "name": "復康路", "aliases": "", "highway": "primary",
    ...      "railway": None, "waterway": None, "oneway": 0},
    ...     geometry=[LineString([(117, 39), (117.01, 39)]),
    ...               LineString([(117.011, 39), (117.02, 39)])], crs="EPSG:4326")
    >>> street = build(frame).find("复康路")
    >>> len(street.parts), len(street.nodes()), round(street.bridged_m, 1)
    (1, 4, 86.6)
    """

    name: str
    aliases: tuple[str, ...]
    kind: Kind
    place: str
    ways: tuple[int, ...]
    carriageways: MultiLineString
    centreline: LineString | MultiLineString
    carriageway_length_m: float
    centreline_length_m: float
    gaps: tuple[Gap, ...]
    dual_share: float
    classes: Mapping[str, float] = field(repr=False)

    @property
    def parts(self) -> tuple[LineString, ...]:
        """The pieces of the centreline, longest first (one unless it is broken or branches).

        Returns
        -------
        tuple of shapely.LineString
            EPSG:4326.
        """
        if isinstance(self.centreline, LineString):
            return (self.centreline,)
        return tuple(self.centreline.geoms)

    @property
    def bridged_m(self) -> float:
        """Metres of the centreline that only bridge gaps.

        Returns
        -------
        float
            0.0 where there is none.
        """
        return float(sum(gap.metres for gap in self.gaps if gap.bridged))

    def nodes(self) -> Floats:
        """Vertices of the carriageways, each once.

        Returns
        -------
        ndarray of float64, shape (n, 2)
            Longitude and latitude, sorted. In OSM data two streets meet where both have
            the same vertex.
        """
        return np.unique(shapely.get_coordinates(self.carriageways), axis=0)

    def project(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Map points on or near the carriageways to the centreline.

        Parameters
        ----------
        points : array_like of float, shape (n, 2)
            Longitude and latitude.

        Returns
        -------
        feet : ndarray of float64, shape (n, 2)
            The nearest points on the centreline, longitude and latitude.
        offsets : ndarray of float64, shape (n,)
            How far each point lies from it, metres.

        Examples
        --------
        A node on either carriageway maps to the middle between them:

        >>> import geopandas as gpd
        >>> from shapely import LineString
        >>> frame = gpd.GeoDataFrame(
        ...     {"way": [1, 2], "name": "復康路", "aliases": "", "highway": "primary",
        ...      "railway": None, "waterway": None, "oneway": 1},
        ...     geometry=[LineString([(117.0, 39.1), (117.01, 39.1)]),
        ...               LineString([(117.01, 39.1002), (117.0, 39.1002)])],
        ...     crs="EPSG:4326")
        >>> feet, offsets = build(frame).find("复康路").project([(117.004, 39.1)])
        >>> feet.round(5).tolist(), offsets.round(1).tolist()
        ([[117.004, 39.1001]], [11.1])
        """
        lonlat = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if not len(lonlat):
            return lonlat, np.zeros(0)
        west, _, east, _ = self.carriageways.bounds
        # Its meridian lies within a quarter of a degree.
        plane = Plane(round(west + east) / 2)
        line = shapely.transform(self.centreline, plane.to_all)
        here = shapely.points(plane.to_all(lonlat))
        ties = shapely.get_coordinates(shapely.shortest_line(line, here))[0::2]
        offsets = np.asarray(shapely.distance(line, here), dtype=np.float64)
        return plane.back_all(ties), offsets


def build(frame: gpd.GeoDataFrame) -> Streets:
    """Index the named streets of a network.

    Names are indexed at once; a street's lines are worked out when it is first asked for,
    so the cost follows the streets that are used.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        LineStrings in EPSG:4326 with the columns ``way`` (int), ``name`` (str or None),
        ``aliases`` (str, ``;`` between names), ``highway``, ``railway``, ``waterway``
        (str or None) and ``oneway`` (1, 0 or -1). Ways without a name are ignored, and
        so are empty and pointlike lines. Two ways that both carry a highway class and
        are both two-way are never carriageways of one another; where the class is
        missing, direction counts as unknown. A roundabout or motorway should arrive
        with ``oneway`` set.

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
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(
            f"the ways have no column {', '.join(missing)}; a network frame carries "
            f"{', '.join(_COLUMNS)}"
        )
    if len(frame) and (frame.crs is None or not frame.crs.equals(crs.STORED, True)):
        raise CRSError(
            f"the ways are in {frame.crs or 'no CRS'}; streets are built in {crs.STORED}: "
            "use frame.to_crs (or set_crs where the coordinates are longitude, latitude)"
        )
    return Streets(frame)


# --------------------------------------------------------------------------- names


_LIST = re.compile(r"[;；]")
_BRACKETED = re.compile(r"^(.+?)\((.+)\)$")
_SUFFIX = "大街|大道|马路|公路|路|道|街|线|桥|胡同|里|巷"


def _split(text: object) -> list[str]:
    if not isinstance(text, str):
        return []
    return [name for part in _LIST.split(text) if (name := part.strip())]


def _variants(key: str) -> list[str]:
    """Readings of a folded name with a bracket: the name before it and the one inside."""
    found = _BRACKETED.match(key)
    if not found:
        return []
    outer, inner = found.groups()
    return [outer, inner] if re.search(rf"({_SUFFIX})$", inner) else [outer]


def _geodesic(a: Floats, b: Floats) -> Floats:
    """Ellipsoidal distances between rows of lon, lat."""
    if not len(a):
        return np.zeros(0)
    metres = crs.ellipsoid().inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2]
    return cast("Floats", np.asarray(metres, dtype=np.float64))


# --------------------------------------------------------------------------- collection


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
                f"way {frame['way'].iloc[row]} is a {lines[row].geom_type}; streets are built "
                "from LineStrings: use frame.explode()"
            )
        keep = np.flatnonzero(usable)
        self._lines = lines[keep]
        bounds = shapely.total_bounds(self._lines) if len(keep) else np.zeros(4)
        if not (np.abs(bounds[[0, 2]]) <= 180).all() or not (np.abs(bounds[[1, 3]]) <= 90).all():
            raise CRSError(
                f"coordinates range to {bounds.tolist()}, which can't be longitude, latitude; "
                "check the order of the axes and the CRS"
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
        self._made: dict[str, tuple[Street, ...]] = {}

    def _read_names(self) -> None:
        labels: dict[tuple[Any, Any], list[int]] = defaultdict(list)
        for row, label in enumerate(zip(self._names.tolist(), self._others.tolist(), strict=True)):
            labels[label].append(row)
        index: dict[str, list[list[int]]] = defaultdict(list)
        for (name, others), rows in labels.items():
            first = _split(name)
            keys = {}
            for spelling in first:
                key = normalise(spelling)
                counts = self._primary.setdefault(key, {})
                counts[spelling] = counts.get(spelling, 0) + len(rows)
                keys[key] = True
            for spelling in _split(others):
                keys[normalise(spelling)] = True
            for key in keys:
                index[key].append(rows)
        for key, groups in index.items():
            self._index[key] = sorted({row for rows in groups for row in rows})
        for key in self._index:
            for variant in _variants(key):
                if variant not in self._index:
                    self._looser.setdefault(variant, []).append(key)

    def __len__(self) -> int:
        return len(self._primary)

    def __iter__(self) -> Iterator[str]:
        for spellings in self._primary.values():
            yield max(spellings, key=lambda text: (spellings[text], text))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalise(name) in self._index

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
            raise RoadNotFoundError(kind or "road", name, self.near_names(name))
        if len(choice) == 1:
            return choice[0]
        if near is None:
            places = "; ".join(street.place for street in choice)
            raise AmbiguousNameError(
                f"{name!r} is the name of {len(choice)} streets: {places}; "
                "say which with near=(lon, lat)"
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
        key = normalise(name)
        if key not in self._index and key in self._looser:
            keys = self._looser[key]
        else:
            keys = [key] if key in self._index else []
        if not keys:
            return ()
        joint = "\n".join(keys)
        if joint not in self._made:
            self._make([joint])
        return tuple(street for street in self._made[joint] if kind in (None, street.kind))

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
        # Of names that are as near as each other, that of the street with the most ways.
        known = sorted(self._index, key=lambda key: (-len(self._index[key]), key))
        return [self._spelling(key) for key in nearest(normalise(name), known)]

    def frame(self) -> gpd.GeoDataFrame:
        """Return all streets as a table, one row each.

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
        todo = [key for key in self._primary if key not in self._made]
        for start in range(0, len(todo), _BATCH):
            self._make(todo[start : start + _BATCH])
        streets = [street for key in self._primary for street in self._made[key]]
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
            "gaps_open": np.array(
                [sum(not gap.bridged for gap in street.gaps) for street in streets],
                dtype=np.int64,
            ),
        }
        shapes = [street.centreline for street in streets]
        return gpd.GeoDataFrame(table, geometry=shapes, crs=crs.STORED)

    # -- making streets

    def _spelling(self, key: str) -> str:
        spellings = self._primary.get(key)
        if not spellings:
            for row in self._index[key]:
                for text in _split(self._others[row]):
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
                clusters += [(joint, kind, rows) for rows in self._clusters(self._ordered(main))]
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

    def _clusters(self, rows: Ints) -> list[Ints]:
        """Split ways of one name by place: single linkage within `PLACE_M`."""
        if len(rows) == 1:
            return [rows]
        bounds = shapely.total_bounds(self._lines[rows])
        middle = (bounds[1] + bounds[3]) / 2
        if _reach(bounds, middle) <= PLACE_M:
            return [rows]
        # Ways that share an end belong together; only what is left is measured.
        tips = shapely.get_point(self._lines[rows], [[0], [-1]]).ravel()
        label = _linked(_same(shapely.get_coordinates(tips)).reshape(2, -1), len(rows))
        bunches, label = np.unique(label, return_inverse=True)
        if len(bunches) > 1:
            # Scaling to metres on the spot is good to a percent over such distances.
            order = np.argsort(label, kind="stable")
            lines = shapely.transform(self._lines[rows[order]], lambda xy: xy * _metres(middle))
            joined = np.asarray(shapely.multilinestrings(lines, indices=label[order]), dtype=object)
            tree = shapely.STRtree(joined)
            pairs = tree.query(joined, predicate="dwithin", distance=PLACE_M)
            label = _linked(pairs, len(bunches), rows=False)[label]
        return [rows[label == value] for value in np.unique(label)]

    def _build(self, clusters: Sequence[tuple[str, int, Ints]]) -> list[Street | None]:
        if not clusters:
            return []
        rows = np.concatenate([cluster for _, _, cluster in clusters])
        sizes = np.array([len(cluster) for _, _, cluster in clusters])
        group_of_way = np.repeat(np.arange(len(clusters)), sizes)
        lonlat, way = shapely.get_coordinates(self._lines[rows], return_index=True)
        group = group_of_way[way]
        opens = np.searchsorted(group, np.arange(len(clusters)))
        west = np.minimum.reduceat(lonlat[:, 0], opens)
        east = np.maximum.reduceat(lonlat[:, 0], opens)
        # Planes whose meridians lie within a quarter of a degree.
        meridian = np.round(west + east) / 2
        xy = np.empty_like(lonlat)
        per_coordinate = meridian[group]
        for value in np.unique(meridian):
            mask = per_coordinate == value
            plane = Plane(float(value))
            xy[mask] = plane.to_all(lonlat[mask])
        lines, valid = centreline.collapse(
            lonlat,
            xy,
            way,
            group,
            self._sense[rows][way],
            self._twoway[rows][way],
            separation=SEPARATION_M,
            gap=GAP_M,
        )
        steps = np.flatnonzero(valid)
        mapped: Floats = np.bincount(
            way[steps], weights=_geodesic(lonlat[steps], lonlat[steps + 1]), minlength=len(rows)
        ).astype(np.float64)
        # All centrelines back to longitude, latitude, and measured, at once.
        parts = [part for line in lines for part in line.parts]
        part_group = np.repeat(np.arange(len(lines)), [len(line.parts) for line in lines])
        table = np.vstack(parts) if parts else np.zeros((0, 3))
        part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        back = np.empty((len(table), 2))
        source = table[:, 2].astype(np.int64)
        old = source >= 0
        back[old] = lonlat[source[old]]
        owner = part_group[part_of] if len(parts) else np.zeros(0, dtype=np.int64)
        for value in np.unique(meridian):
            mask = ~old & (meridian[owner] == value)
            if mask.any():
                plane = Plane(float(value))
                back[mask] = plane.back_all(table[mask, :2])
        same = part_of[1:] == part_of[:-1]
        size = np.zeros(len(table))
        size[1:][same] = _geodesic(back[:-1][same], back[1:][same])
        measured = np.bincount(owner, weights=size, minlength=len(lines))
        planar = np.zeros(len(table))
        planar[1:][same] = np.hypot(*np.diff(table[:, :2], axis=0)[same].T)
        drawn = np.bincount(owner, weights=planar, minlength=len(lines))
        shapes = np.atleast_1d(np.asarray(shapely.linestrings(back, indices=part_of), dtype=object))
        mapped_lines = np.asarray(
            shapely.multilinestrings(self._lines[rows], indices=group_of_way), dtype=object
        )
        out: list[Street | None] = []
        starts = np.concatenate(([0], np.cumsum(sizes)))
        firsts = np.searchsorted(part_group, np.arange(len(lines) + 1))
        for number, (joint, kind, cluster) in enumerate(clusters):
            line = lines[number]
            if not line.parts:
                out.append(None)
                continue
            mine = slice(int(starts[number]), int(starts[number + 1]))
            pieces = shapes[firsts[number] : firsts[number + 1]]
            centre = pieces[0] if len(pieces) == 1 else MultiLineString(list(pieces))
            name, aliases = self._spellings(joint, cluster, mapped[mine])
            classes: dict[str, float] = {}
            for label, metres in zip(
                self._class[cluster].tolist(), mapped[mine].tolist(), strict=True
            ):
                classes[label] = classes.get(label, 0.0) + metres
            out.append(
                Street(
                    name=name,
                    aliases=aliases,
                    kind=_KINDS[kind],
                    place="",
                    ways=tuple(dict.fromkeys(self._ids[cluster].tolist())),
                    carriageways=mapped_lines[number],
                    centreline=centre,
                    carriageway_length_m=float(mapped[mine].sum()),
                    centreline_length_m=float(measured[number]),
                    gaps=_gaps(line, float(meridian[number])),
                    dual_share=round(min(1.0, line.dual / float(drawn[number])), 9),
                    classes=MappingProxyType(dict(sorted(classes.items()))),
                )
            )
        return out

    def _spellings(self, joint: str, rows: Ints, metres: Floats) -> tuple[str, tuple[str, ...]]:
        """Name and other names: the spelling of the asked key that most metres carry."""
        keys = set(joint.split("\n"))
        weight: dict[str, float] = {}
        first: set[str] = set()
        for row, size in zip(rows.tolist(), metres.tolist(), strict=True):
            primary = _split(self._names[row])
            for text in [*primary, *_split(self._others[row])]:
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
            for text in _split(self._names[row]):
                if normalise(text) not in mine:
                    names[text] = names.get(text, 0) + 1
        return sorted(names, key=lambda text: (-names[text], text))[:count]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._lines)


def _same(points: Floats) -> Ints:
    """Number the points so that equal ones have the same number."""
    return np.unique(np.ascontiguousarray(points).view(complex).ravel(), return_inverse=True)[1]


def _linked(pairs: Ints, count: int, *, rows: bool = True) -> Ints:
    """Label what hangs together by the lowest index.

    `pairs` holds two nodes per item (`rows`), or pairs of items.
    """
    label = np.arange(count)
    nodes = int(pairs.max()) + 1
    while True:
        before = label.copy()
        if rows:
            least = np.full(nodes, count)
            np.minimum.at(least, pairs[0], label)
            np.minimum.at(least, pairs[1], label)
            label = np.minimum(label, np.minimum(least[pairs[0]], least[pairs[1]]))
        else:
            np.minimum.at(label, pairs[0], before[pairs[1]])
        label = label[label]
        if (label == before).all():
            return label


def _metres(lat: float) -> Floats:
    """Metres per degree of longitude and latitude, for windows and thresholds only."""
    geod = crs.ellipsoid()
    lat = float(np.clip(lat, -89.0, 89.0))
    east = geod.inv(0.0, lat, 0.01, lat)[2]
    north = geod.inv(0.0, lat - 0.005, 0.0, lat + 0.005)[2]
    return np.array([east, north]) * 100.0


def _reach(bounds: Floats, lat: float) -> float:
    return float(np.hypot(*((bounds[2:] - bounds[:2]) * _metres(lat))))


def _gaps(line: centreline.Centreline, meridian: float) -> tuple[Gap, ...]:
    if not line.gaps:
        return ()
    plane = Plane(meridian)
    sides = plane.back_all(np.array([side for one, two, _ in line.gaps for side in (one, two)]))
    metres = _geodesic(sides[0::2], sides[1::2])
    gaps = [
        Gap((float(one[0]), float(one[1])), (float(two[0]), float(two[1])), float(size), bridged)
        for one, two, size, (_, _, bridged) in zip(
            sides[0::2], sides[1::2], metres, line.gaps, strict=True
        )
    ]
    return tuple(sorted(gaps, key=lambda gap: (gap.start, gap.end)))
