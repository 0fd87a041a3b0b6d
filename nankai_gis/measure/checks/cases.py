"""Small plans on which a rule shows what it accepts and what it doesn't.

Positions are hundredths of a degree east and north of 117° E, 39° N: 0.87 by 1.11 km.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.layers import LAYER_OF_KIND
from nankai_gis.plan.model import AxisPart, Feature, Kind, Names

Positions = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A small plan and what is drawn of it."""

    sentence: str
    polygons: Mapping[str, Positions] = field(default_factory=dict)
    roads: Mapping[str, Positions] = field(default_factory=dict)
    corridors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Return what the plan says."""
        axes = {
            f"corridor {key}": tuple(
                AxisPart(road, "extension" if k else "main") for k, road in enumerate(roads)
            )
            for key, roads in self.corridors.items()
        }
        features = []
        for key in (*self.polygons, *axes):
            kind, name = key.split()
            own = {"axis": axes.get(key, ()), "clause": "", **self.definitions.get(name, {})}
            names = Names(name, name, name)
            features.append(Feature(name, cast("Kind", kind), names, status="osm", file="", **own))
        return Plan(tuple(features))

    def layers(self) -> dict[str, list[dict[str, Any]]]:
        """Return what is drawn, as the layers of a plan hold it: known to 10 m."""
        layers: dict[str, list[dict[str, Any]]] = {}
        for key, ring in self.polygons.items():
            kind, name = key.split()
            part = {"start": 0, "stop": len(ring) - 1, "line": "", "for": None, "name": ""}
            more = {
                "kind": kind,
                "stated_area_m2": self.definitions.get(name, {}).get("stated_area_m2"),
                "parts": [part | {"accuracy_m": 10.0, "status": "osm"}],
            }
            item = _item(name, more, {"type": "Polygon", "coordinates": [_degrees(ring)]})
            layers.setdefault(LAYER_OF_KIND[cast("Kind", kind)], []).append(item)
        lines = {name: _line(course) for name, course in self.roads.items()}
        layers["streets"] = [_item(name, {"kind": "street"}, lines[name]) for name in lines]
        layers["corridors"] = [
            _item(f"{key}-{k}", {"corridor": key, "street_name": road}, lines[road])
            for key, roads in self.corridors.items()
            for k, road in enumerate(roads)
        ]
        return layers


def rectangle(west: float, south: float, east: float, north: float) -> Positions:
    """Return the ring of a rectangle, counter-clockwise."""
    return (west, south), (east, south), (east, north), (west, north), (west, south)


def _degrees(positions: Positions) -> list[list[float]]:
    return [[117 + x / 100, 39 + y / 100] for x, y in positions]


def _line(course: Positions) -> dict[str, Any] | None:
    return {"type": "LineString", "coordinates": _degrees(course)} if course else None


def _item(name: str, more: dict[str, Any], geometry: dict[str, Any] | None) -> dict[str, Any]:
    """A GeoJSON feature of a layer."""
    names = dict.fromkeys(("id", "name", "name_hans", "name_en"), name)
    known = {"aliases": [], "status": "osm", "accuracy_m": 10.0}
    return {"type": "Feature", "properties": {**names, **known, **more}, "geometry": geometry}
