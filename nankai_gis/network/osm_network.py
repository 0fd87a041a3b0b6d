"""The named streets of a road snapshot, as lines to compile along.

What `nankai_gis.network.digitised` is for the digitised tables, this is for OpenStreetMap: the same
definitions compile on either.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from nankai_gis import words
from nankai_gis.errors import AmbiguousNameError
from nankai_gis.network.streets import Street, Streets, build
from nankai_gis.plan.model import Line, Names, Vertex
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.network.roads import Roads

#: Accuracy of a mapped centreline across the street, one standard deviation, metres.
ACCURACY_M = 5.0


class OsmNetwork:
    """The streets of a snapshot, looked up by name in either script."""

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
        return name in self.streets or self.street_of(name) is not None

    def street_of(self, key: object) -> Street | None:
        """The street of an id, ``name@way``, such as its line and its row in a layer have."""
        name, _, way = str(key).rpartition("@")
        if not name or not way.isdigit():
            return None
        return next((s for s in self.streets.all(name) if s.ways[0] == int(way)), None)

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, or of an id."""
        street = self.street_of(name)
        if street is not None:
            return self._line(street)
        try:
            return self._line(self.streets.find(name))
        except AmbiguousNameError as error:
            choices = [
                tr("{id} ({place})", id=_identity(street), place=street.place)
                for street in self.streets.all(name)
            ]
            raise AmbiguousNameError(
                tr(
                    "{n} roads are called {name}; say which one by its id: {choices}",
                    n=len(choices),
                    name=words.quoted(name),
                    choices=words.listed(choices),
                )
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
        """Return the ways that touch a box, and all others of the streets that do."""
        tree = shapely.STRtree(self._frame.geometry.values)
        near = np.zeros(len(self._frame), dtype=bool)
        near[tree.query(shapely.box(*bounds), predicate="intersects")] = True
        streets = {way for street in self._around(bounds) for way in street.ways}
        near |= self._frame["way"].isin(streets).to_numpy()
        return self._frame[near].reset_index(drop=True)

    def centrelines(self, boxes: Sequence[tuple[float, ...]] | None = None) -> GeoDataFrame:
        """Return named streets, each once, by its centreline: all, or those that reach boxes."""
        lines = self.streets.frame(boxes)
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
                _identity(street), street.kind, names, parts, street.place, nodes, _bridges(street)
            )
        return self._made[key]


def _bridges(street: Street) -> frozenset[frozenset[tuple[float, float]]]:
    """The edges of a street's centreline that only bridge a break."""
    gaps = {
        frozenset(_rounded(spot) for spot in (gap.start, gap.end))
        for gap in street.gaps
        if gap.bridged
    }
    edges = (
        pair
        for part in street.parts
        for pair in itertools.pairwise(map(tuple, shapely.get_coordinates(part).tolist()))
    )
    return frozenset(
        frozenset(pair) for pair in edges if gaps and frozenset(map(_rounded, pair)) in gaps
    )


def _rounded(spot: tuple[float, ...]) -> tuple[float, ...]:
    return round(spot[0], 7), round(spot[1], 7)


def _touches(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]


def _identity(street: Street) -> str:
    # The same name stands for other streets elsewhere: the first way tells them apart.
    return f"{street.name}@{street.ways[0]}"
