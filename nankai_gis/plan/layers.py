"""The packaged layers, as GeoJSON features.

===============  ===========================================================================
``district``     the outline of Nankai District
``zones``        啟航灣, 老城廂, 水上奧體
``parcel``       西營門
``corridors``    the pieces of the three axes; a street without coordinates has no geometry
``streets``      the named lines that the plan uses
``subdistricts`` the working layer of the twelve subdistricts
``sites``        other places that the plan names; those not located have no geometry
===============  ===========================================================================

All coordinates are EPSG:4326, longitude before latitude.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from nankai_gis.errors import DataError, NotFoundError
from nankai_gis.plan import packaged
from nankai_gis.words import tr

#: Names of the layers, from the ground up.
LAYERS = ("district", "subdistricts", "zones", "parcel", "streets", "corridors", "sites")
#: The layer that holds each kind of feature.
LAYER_OF_KIND = {
    "district": "district",
    "subdistrict": "subdistricts",
    "zone": "zones",
    "parcel": "parcel",
    "corridor": "corridors",
    "site": "sites",
}


@cache
def _collection(layer: str) -> list[dict[str, Any]]:
    if layer not in LAYERS:
        raise NotFoundError(tr("layer"), layer, LAYERS)
    file = packaged.path(f"layers/{layer}.geojson")
    try:
        features: list[dict[str, Any]] = json.loads(file.read_bytes())["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            tr("{file} is not a GeoJSON feature collection: {reason}", file=file, reason=error)
        ) from error
    return features


def features(layer: str) -> list[dict[str, Any]]:
    """Return the features of a layer as GeoJSON mappings."""
    return list(_collection(layer))


def as_row(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Return a feature for a table, whose cells hold no lists: the text of one is JSON."""
    properties = {
        key: json.dumps(value, ensure_ascii=False, sort_keys=True)
        if isinstance(value, list)
        else value
        for key, value in feature["properties"].items()
    }
    return {"type": "Feature", "properties": properties, "geometry": feature["geometry"]}
