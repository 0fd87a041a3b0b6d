"""What every rule looks at: the plan, and its geometry in degrees and in metres."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from nankai_gis.geometry import crs, ruler
from nankai_gis.geometry.arrays import Floats
from nankai_gis.measure.checks.finding import Statement, state
from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.layers import LAYER_OF_KIND
from nankai_gis.plan.model import Feature, Names
from nankai_gis.plan.names import normalise
from nankai_gis.words import mark

Layers = Mapping[str, Sequence[Mapping[str, Any]]]

#: Standard deviations within which two measures agree.
AGREES_SD = 2.0
#: Lines run along each other within this angle, and an edge faces a side squarely, degrees.
ALONG_DEG = 45.0
#: Areas in m² and lengths in metres below which nothing overlaps or lies outside.
LEAST_M2, LEAST_M = 1.0, 1.0

#: The layer of each kind of polygon.
POLYGON_LAYERS = {
    kind: layer for kind, layer in LAYER_OF_KIND.items() if kind not in ("corridor", "site")
}


class CheckContext:
    """A plan with the geometry of its layers, as the rules ask for it."""

    def __init__(self, plan: Plan, layers: Layers) -> None:
        self.plan = plan
        self.layers = layers
        self.features = {feature.id: feature for feature in plan.features}
        self.subdistricts = plan.index(["subdistrict"])
        located = [
            item
            for layer in POLYGON_LAYERS.values()
            for item in layers.get(layer, ())
            if item["geometry"] is not None
        ]
        self.properties = {item["properties"]["id"]: item["properties"] for item in located}
        self.shapes = {item["properties"]["id"]: shape(item["geometry"]) for item in located}
        streets = [item for item in layers.get("streets", ()) if item["geometry"] is not None]
        self.lines = {item["properties"]["id"]: shape(item["geometry"]) for item in streets}
        self.accuracy = {
            item["properties"]["id"]: item["properties"]["accuracy_m"] for item in streets
        }

    @cached_property
    def known(self) -> KnownRoads:
        """The roads of the streets layer by all their names."""
        return KnownRoads(self.layers.get("streets", ()))

    def of(self, *kinds: str) -> list[Feature]:
        """Return the features of some kinds, in the order of the plan."""
        return [feature for feature in self.plan.features if feature.kind in kinds]

    def pieces(self, corridor: str) -> list[Mapping[str, Any]]:
        """Return the pieces of a corridor, in the order of the layer."""
        pieces = self.layers.get("corridors", ())
        return [item for item in pieces if item["properties"]["corridor"] == corridor]

    def axis(self, corridor: str) -> BaseGeometry | None:
        """Return all that is drawn of a corridor; None for nothing."""
        drawn = [shape(p["geometry"]) for p in self.pieces(corridor) if p["geometry"] is not None]
        return shapely.union_all(drawn) if drawn else None

    def gap(self, *ids: str) -> tuple[Statement, ...]:
        """Say which of some features have no geometry, and why; empty where all have one."""
        gaps = []
        for feature in (self.features[key] for key in ids):
            if feature.id in self.shapes or self.axis(feature.id) is not None:
                continue
            layer = LAYER_OF_KIND[feature.kind]
            if self.layers.get(layer):
                message = mark("the layer {layer} has no geometry of {name}")
                gaps.append(state(message, layer=layer, name=feature.names))
            elif (missing := missing_layer(layer)) not in gaps:
                gaps.append(missing)
        return tuple(gaps)

    @property
    def no_streets(self) -> tuple[Statement, ...]:
        """Says that there is no layer of streets; empty where there is one."""
        return () if self.layers.get("streets") else (missing_layer("streets"),)

    def inferred(self, *ids: str) -> bool:
        """Tell whether any of some polygons, or of the pieces of corridors, is inferred."""
        pieces = (piece["properties"] for key in ids for piece in self.pieces(key))
        polygons = (self.properties[key] for key in ids if key in self.properties)
        return any(p["status"] == "inferred" for p in (*polygons, *pieces))


class KnownRoads:
    """The roads of the streets layer by all their names."""

    def __init__(self, streets: Sequence[Mapping[str, Any]]) -> None:
        self._ids: dict[str, list[str]] = {}
        self._names: dict[str, Names] = {}
        for p in (item["properties"] for item in streets):
            names = Names(p["name"], p["name_hans"], p["name_en"], tuple(p["aliases"]))
            self._names.setdefault(p["id"], names)
            for name in set(map(normalise, names.every())):
                self._ids.setdefault(name, []).append(p["id"])

    def __contains__(self, name: object) -> bool:
        return normalise(str(name)) in self._ids

    def every(self, name: str) -> list[str]:
        """Return the ids of all roads of a name; empty for none."""
        return self._ids.get(normalise(name), [])

    def first(self, *names: str) -> str | None:
        """Return the id of the road that has the first of some names which is known."""
        return next((ids[0] for name in names if (ids := self.every(name))), None)

    def key(self, name: str) -> str:
        """Return the same text for all names of a road."""
        return self.first(name) or normalise(name)

    def shown(self, name: str) -> Names | str:
        """Return all names of the road of a name; the name itself where it isn't known."""
        road = self.first(name)
        return name if road is None else self._names[road]


def missing_layer(layer: str) -> Statement:
    """Say that a layer is missing."""
    return state(mark("the layer {layer} is missing"), layer=layer)


def area_m2(geometry: BaseGeometry) -> float:
    """Return the area on the ellipsoid, m²; lines and points count nothing."""
    return sum(ruler.area(part) for part in shapely.get_parts(geometry) if part.area > 0)


def spot(geometry: BaseGeometry) -> tuple[float, float] | None:
    """Return a place on a geometry, longitude and latitude; None for an empty one."""
    if geometry.is_empty:
        return None
    point = geometry.representative_point()
    return round(point.x, 6), round(point.y, 6)


def lonlat(xy: Floats) -> tuple[float, float]:
    """Return longitude and latitude of a place in the plane."""
    lon, lat = crs.planar().transform(xy[0], xy[1], direction="INVERSE")
    return round(lon, 6), round(lat, 6)


def along(cosine: Any) -> Any:
    """Tell whether the cosine is that of `ALONG_DEG` or less."""
    return cosine >= math.cos(math.radians(ALONG_DEG))
