"""The mapped network: the named streets of a road snapshot, as lines to compile along.

What `nankai_gis.network.digitised` is for the digitised tables, this is for OpenStreetMap: the same
definitions compile on either, and on both: `Joined` is a mapped network with digitised lines
where the map has none. `beside` finds the network of a plan in its folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from nankai_gis.errors import AmbiguousNameError, DataError
from nankai_gis.network import digitised as reference
from nankai_gis.network.digitised import Network
from nankai_gis.network.streets import Street, Streets, build
from nankai_gis.plan.model import Line, Names, Vertex

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.network.roads import Roads

#: Accuracy of a mapped centreline across the street, one standard deviation, metres.
ACCURACY_M = 5.0
#: What the file of a network beside a plan may end in.
SUFFIXES = (
    ".gpkg", ".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf", ".json", ".geojson", ".graphml",
    ".shp", ".fgb",
)  # fmt: skip
#: A network that lies this far beside the packaged one is in another datum, metres.
SHIFT_M = 150.0


class Mapped:
    """The streets of a snapshot, looked up by name in either script.

    Parameters
    ----------
    roads : Roads

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from nankai_gis.network.roads import Origin, Roads
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1], "name": ["红旗路"], "aliases": "", "highway": "primary",
    ...      "railway": None, "waterway": None, "oneway": 0},
    ...     geometry=[LineString([(117, 39.1), (117, 39.11)])], crs="EPSG:4326")
    >>> origin = Origin("a.osm", "xml", "2026-01-01", (117, 39.1, 117, 39.11), 1, 1, 2)
    >>> network = Mapped(Roads(frame, origin))
    >>> "紅旗路" in network, len(network["紅旗路"].vertices)
    (True, 2)
    """

    def __init__(self, roads: Roads) -> None:
        self._frame = roads.frame
        #: Where the network comes from.
        self.origin = roads.origin
        self._date = (roads.origin.date or "")[:10]
        self._source = roads.origin.name
        self.points: Mapping[str, Vertex] = {}
        self.sources: Mapping[str, str] = {self._source: roads.origin.source or roads.origin.name}
        self.streets: Streets = build(roads.frame)
        self._made: dict[int, Line] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.streets or self._by_id(name) is not None

    def _by_id(self, key: object) -> Street | None:
        """The street of an id, ``name@way``, such as its line and its row in a layer have."""
        name, _, way = str(key).rpartition("@")
        if not name or not way.isdigit():
            return None
        return next((s for s in self.streets.all(name) if s.ways[0] == int(way)), None)

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, or of an id.

        Raises
        ------
        RoadNotFoundError
            With near names.
        AmbiguousNameError
            If the city has several streets of that name; the message lists the places.
        """
        street = self._by_id(name)
        if street is not None:
            return self._line(street)
        try:
            return self._line(self.streets.find(name))
        except AmbiguousNameError as error:
            told = (f"{_identity(s)} ({s.place})" for s in self.streets.all(name))
            raise AmbiguousNameError(
                f"{name!r} is the name of several streets; say which by its id: {'; '.join(told)}"
            ) from error

    def every(self, name: str) -> list[Line]:
        """Return the streets of a name, one for each place in the city that has one."""
        try:
            return [self[name]]
        except AmbiguousNameError:
            return [self._line(street) for street in self.streets.all(name)]

    def near(self, name: str) -> list[str]:
        """Return the names most like one that isn't there, best first."""
        return self.streets.near_names(name)

    @cached_property
    def _tree(self) -> tuple[shapely.STRtree, list[str]]:
        named = self._frame[self._frame["name"].notna()]
        return shapely.STRtree(named.geometry.values), named["name"].tolist()

    def around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        """Return the streets with a way in a box: west, south, east, north in degrees."""
        return [self._line(street) for street in self._around(bounds)]

    def _around(self, bounds: tuple[float, float, float, float]) -> list[Street]:
        tree, names = self._tree
        names_here = dict.fromkeys(
            part.strip()
            for i in np.sort(tree.query(shapely.box(*bounds)))
            for part in names[i].split(";")
        )
        # A way with two names is one street, and a name may have streets elsewhere.
        found: dict[tuple[int, ...], Street] = {}
        for name in names_here:
            for street in self.streets.all(name):
                found.setdefault(street.ways, street)
        return [
            street
            for street in found.values()
            if any(_touches(part.bounds, bounds) for part in street.parts)
        ]

    def ways(self) -> GeoDataFrame:
        """Return the ways as they are mapped, carriageway by carriageway; EPSG:4326."""
        return self._frame

    def vicinity(self, bounds: tuple[float, float, float, float]) -> GeoDataFrame:
        """Return the ways that touch a box, and all others of the streets that do.

        Parameters
        ----------
        bounds : tuple of float
            West, south, east, north in degrees.

        Returns
        -------
        geopandas.GeoDataFrame
            As `ways`; empty where none does.
        """
        tree = shapely.STRtree(self._frame.geometry.values)
        near = np.zeros(len(self._frame), dtype=bool)
        near[tree.query(shapely.box(*bounds), predicate="intersects")] = True
        streets = {way for street in self._around(bounds) for way in street.ways}
        near |= self._frame["way"].isin(streets).to_numpy()
        return self._frame[near].reset_index(drop=True)

    def centrelines(self) -> GeoDataFrame:
        """Return the named streets, each once, by its centreline; EPSG:4326."""
        lines = self.streets.frame()
        return lines[lines["kind"] == "street"].reset_index(drop=True)

    def listed(self, bounds: tuple[float, float, float, float] | None) -> Sequence[Line]:
        """Return the lines that a plan on this network shows: those around it."""
        return [] if bounds is None else self.around(bounds)

    def _line(self, street: Street) -> Line:
        key = id(street)
        if key not in self._made:
            parts = tuple(
                tuple(
                    Vertex(x, y, ACCURACY_M, "osm", self._source, self._date)
                    for x, y in shapely.get_coordinates(part).tolist()
                )
                for part in street.parts
            )
            nodes = frozenset(map(tuple, street.nodes().tolist()))
            names = Names(street.name, street.name, street.name, street.aliases)
            self._made[key] = Line(
                _identity(street), street.kind, names, parts, street.place, nodes
            )
        return self._made[key]


def _touches(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]


def _identity(street: Street) -> str:
    # The same name stands for other streets elsewhere: the first way tells them apart.
    return f"{street.name}@{street.ways[0]}"


class Joined:
    """A mapped network and digitised lines, which go before mapped ones of the same name.

    Parameters
    ----------
    digitised : Network
    mapped : Mapped

    Examples
    --------
    See `beside`.
    """

    def __init__(self, digitised: Network, mapped: Mapped) -> None:
        self._digitised = digitised
        self.mapped = mapped
        self.origin = mapped.origin
        self.points: Mapping[str, Vertex] = digitised.points
        self.sources: Mapping[str, str] = {**mapped.sources, **digitised.sources}

    def _drawn(self, name: object) -> bool:
        return name in self._digitised and bool(self._digitised[str(name)].parts)

    def __contains__(self, name: object) -> bool:
        return name in self._digitised or name in self.mapped

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, as the two networks do."""
        if self._drawn(name) or name not in self.mapped:
            return self._digitised[name]
        return self.mapped[name]

    def every(self, name: str) -> list[Line]:
        """Return the lines of a name: the digitised one, else all mapped ones."""
        if self._drawn(name) or name not in self.mapped:
            return self._digitised.every(name)
        return self.mapped.every(name)

    def near(self, name: str) -> list[str]:
        """Return the names most like one that isn't there, best first."""
        return list(dict.fromkeys([*self._digitised.near(name), *self.mapped.near(name)]))

    def around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        """Return the lines that touch a box: west, south, east, north in degrees."""
        mapped = [x for x in self.mapped.around(bounds) if not self._drawn(x.names.hant)]
        return [*self._digitised.around(bounds), *mapped]

    def ways(self) -> GeoDataFrame:
        """Return the ways, and the digitised streets in the place of mapped ones; EPSG:4326."""
        return self._with_digitised(self.mapped.ways())

    def vicinity(self, bounds: tuple[float, float, float, float]) -> GeoDataFrame:
        """Return the ways about a box, as `Mapped.vicinity`, with digitised streets as `ways`."""
        return self._with_digitised(self.mapped.vicinity(bounds))

    def centrelines(self) -> GeoDataFrame:
        """Return the named streets, each once; EPSG:4326."""
        return self._with_digitised(self.mapped.centrelines())

    def _with_digitised(self, frame: GeoDataFrame) -> GeoDataFrame:
        import geopandas
        import pandas as pd

        names = frame["name"].fillna("")
        hidden = names.map({name: self._drawn(name) for name in set(names) if name})
        drawn = [x for x in self._digitised.lines if x.parts and x.kind == "street"]
        more = geopandas.GeoDataFrame(
            {"name": [x.names.hant for x in drawn]},
            geometry=[
                shapely.multilinestrings([[v.position for v in part] for part in x.parts])
                for x in drawn
            ],
            crs=frame.crs,
        )
        kept = frame[~hidden.fillna(False).astype(bool)]
        return pd.concat([kept, more], ignore_index=True) if len(more) else kept

    def listed(self, bounds: tuple[float, float, float, float] | None) -> Sequence[Line]:
        """Return the lines that a plan on this network shows: digitised ones, others around it."""
        mapped = [] if bounds is None else self.mapped.around(bounds)
        mine = [x for x in self._digitised.lines if x.parts or x.names.hant not in self.mapped]
        return [*mine, *(x for x in mapped if not self._drawn(x.names.hant))]


def roads_beside(folder: Path) -> Path | None:
    """Return the road network that lies in a plan's folder.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path or None
        The file called ``roads`` with a suffix of `SUFFIXES`; None where there is none.

    Raises
    ------
    DataError
        If there are several.

    Examples
    --------
    >>> from nankai_gis.plan import packaged as catalog
    >>> roads_beside(catalog.root()) is None
    True
    """
    names = (f"roads{suffix}" for suffix in SUFFIXES)
    found = sorted(folder / name for name in names if (folder / name).is_file())
    if len(found) > 1:
        told = ", ".join(p.name for p in found)
        raise DataError(f"{folder}: {len(found)} road networks ({told}); leave one of them there")
    return found[0] if found else None


def beside(folder: Path) -> Network | Mapped | Joined:
    """Return the network of a plan from its folder.

    Parameters
    ----------
    folder : pathlib.Path
        May hold ``roads.gpkg`` (or ``roads.osm.pbf``, ...) and a folder ``digitised`` with the
        tables of `nankai_gis.network.digitised.read`.

    Returns
    -------
    Network or Mapped or Joined
        Of both, the digitised lines go first; with neither, the packaged reference network.

    Raises
    ------
    DataError
        If the folder isn't there; as `roads_beside`, and as the readers of the two.

    Examples
    --------
    The packaged data has digitised tables and no road network:

    >>> from nankai_gis.plan import packaged as catalog
    >>> type(beside(catalog.root())).__name__
    'Network'
    """
    from nankai_gis.network import roads

    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; give the folder that holds it")
    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder; `nankai-gis init {folder}` writes an example to "
            "start from"
        )
    file = roads_beside(folder)
    tables = folder / "digitised"
    digitised = reference.read(tables) if tables.is_dir() else None
    if file is None:
        return digitised or reference.packaged()
    mapped = Mapped(roads.read(file))
    return mapped if digitised is None else Joined(digitised, mapped)


def shift(mapped: Mapped, known: Network) -> tuple[float, float] | None:
    """Measure by how much a network is displaced from a known one, as data in another datum is.

    Every stretch of street that both know says how far they are apart square to it; together,
    north-south and east-west streets give the shift (least squares on the offsets, the median
    of what each street says).

    Parameters
    ----------
    mapped : Mapped
    known : Network
        The reference. Only its lines of status ``osm`` and an accuracy of 25 m or better count.

    Returns
    -------
    tuple of float, or None
        Metres east and north by which `mapped` lies off; None where fewer than two streets in
        different directions are known to both.

    Examples
    --------
    >>> from nankai_gis.network import digitised as reference
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from nankai_gis.network.roads import Origin, Roads
    >>> lines = [reference.packaged()[n] for n in ("紅旗路", "復康路", "衛津路")]
    >>> moved = [LineString([(v.lon + 0.006, v.lat) for v in x.vertices]) for x in lines]
    >>> frame = gpd.GeoDataFrame(
    ...     {"way": [1, 2, 3], "name": [x.names.hans for x in lines], "aliases": "",
    ...      "highway": "primary", "railway": None, "waterway": None, "oneway": 0},
    ...     geometry=moved, crs="EPSG:4326")
    >>> network = Mapped(Roads(frame, Origin("a", "xml", None, (117, 39, 118, 40), 3, 3, 30)))
    >>> east, north = shift(network, reference.packaged())
    >>> round(east, -1), abs(north) < 20
    (520.0, True)
    """
    from nankai_gis.geometry.plane import Plane

    rows: list[tuple[float, float, float]] = []
    plane: Plane | None = None
    for line in known.lines:
        good = [v.status == "osm" and v.accuracy_m <= 25 for v in line.vertices]
        if sum(good) < 2 or line.names.hant not in mapped:
            continue
        plane = plane or Plane(*line.vertices[0].position)
        here = shapely.LineString([plane.to(v.position) for v in line.vertices])
        for other in mapped.every(line.names.hant):
            there = shapely.MultiLineString(
                [[plane.to(v.position) for v in part] for part in other.parts]
            )
            if there.distance(here) > 2000:
                continue
            offsets = []
            for share in np.linspace(0.1, 0.9, 17):
                spot = here.interpolate(share, normalized=True)
                near = shapely.get_coordinates(shapely.shortest_line(spot, there))
                away = near[1] - near[0]
                ahead = here.interpolate(min(share + 0.02, 1.0), normalized=True)
                along = np.array([ahead.x - spot.x, ahead.y - spot.y])
                along /= np.hypot(*along) or 1.0
                # Off its ends the nearest point lies along the street and says nothing.
                if abs(away @ along) < 0.5 * np.hypot(*away) + 1.0:
                    normal = np.array([-along[1], along[0]])
                    offsets.append((float(normal[0]), float(normal[1]), float(away @ normal)))
            if offsets:
                rows.append(tuple(np.median(np.array(offsets), axis=0)))
    table = np.array(rows).reshape(-1, 3)
    if len(table) < 2 or np.linalg.matrix_rank(table[:, :2], tol=0.5) < 2:
        return None
    east, north = np.linalg.lstsq(table[:, :2], table[:, 2], rcond=None)[0]
    return float(east), float(north)
