"""District and subdistricts as a map has them, in the place of those that a plan compiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nankai_gis.network.origin import Origin
from nankai_gis.plan.names import normalise
from nankai_gis.studies.result import Study

#: The boundaries of a layer by their admin_level in OSM, as China has them.
LEVELS = {"district": 6, "subdistricts": 8}
#: What the id of a mapped boundary begins with.
BOUNDARY = "boundary@"
#: Accuracy of a mapped boundary, one standard deviation, metres.
BOUNDARY_ACCURACY_M = 20.0


def with_mapped_areas(study: Study, file: Path, origin: Origin) -> Study:
    """Return a study with the boundaries that an OSM file has of its district and subdistricts.

    A boundary is that of the feature of its name whose place it overlaps; a feature without one
    stays as it is compiled, and so does one whose boundary is in several pieces.
    """
    from nankai_gis.network.roads import areas

    layers = dict(study.layers)
    for layer, level in LEVELS.items():
        frame = areas(file, admin_level=level)
        named: dict[str, list[tuple[int, Any]]] = {}
        for row in frame.itertuples():
            for name in _names(row.name, row.aliases):
                named.setdefault(name, []).append((row.id, row.geometry))
        layers[layer] = tuple(_mapped(feature, named, origin) for feature in layers[layer])
    return replace(study, layers=layers)


def _names(name: str | None, aliases: str | None) -> set[str]:
    return {normalise(x.strip()) for x in f"{name or ''};{aliases or ''}".split(";") if x.strip()}


def _mapped(
    feature: dict[str, Any], named: Mapping[str, list[tuple[int, Any]]], origin: Origin
) -> dict[str, Any]:
    """A feature with the mapped boundary of its name, where there is one."""
    from shapely.geometry import mapping, shape
    from shapely.geometry.polygon import orient

    p = feature["properties"]
    known: Iterable[str] = (p["name"], p["name_hans"], *p["aliases"])
    here = shape(feature["geometry"])
    for name in known:
        for relation, polygon in named.get(normalise(name), ()):
            if polygon.geom_type != "Polygon" or not polygon.intersects(here):
                continue
            ring = orient(polygon)
            side = {
                "line": f"{BOUNDARY}{relation}",
                "name": p["name"],
                "for": None,
                "start": 0,
                "stop": len(ring.exterior.coords) - 1,
                "accuracy_m": BOUNDARY_ACCURACY_M,
                "status": "osm",
            }
            own = {
                "status": "osm",
                "accuracy_m": BOUNDARY_ACCURACY_M,
                "parts": [side],
                "source": origin.source or origin.name,
                "source_ids": origin.name,
                "date": (origin.date or "")[:10],
                "remarks": [],
            }
            coordinates = [[list(place) for place in r] for r in mapping(ring)["coordinates"]]
            geometry = {"type": "Polygon", "coordinates": coordinates}
            return {**feature, "properties": {**p, **own}, "geometry": geometry}
    return feature
