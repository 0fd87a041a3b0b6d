"""GeoJSON (RFC 7946) and GeoJSON text sequences (RFC 8142)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nankai_gis.exports.layers import ATTRIBUTION

if TYPE_CHECKING:
    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer

#: About a centimetre; more would pretend to an accuracy that nothing here has.
DECIMALS = 7


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return the layers as one collection, or as a sequence of features."""
    features = [feature for layer in layers for feature in _features(layer, job)]
    job.log.rows.update({layer.name: len(layer.rows) for layer in layers})
    lines = [json.dumps(f, ensure_ascii=False, allow_nan=False) for f in features]
    if job.format == "geojsonseq":
        return "".join(f"\x1e{line}\n" for line in lines).encode()
    head: dict[str, Any] = {"type": "FeatureCollection", "attribution": ATTRIBUTION}
    head |= _datum(job)
    body = ",\n".join(lines)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "features": [\n{body}\n]}}\n'.encode()


def _datum(job: Job) -> dict[str, Any]:
    """Return the foreign member that says what a reader would otherwise take for WGS-84."""
    into = job.reference
    if into is None or not into.is_shifted:
        return {}
    return {"datum": {"name": into.datum, "statement": into.statement}}


def _features(layer: PreparedLayer, job: Job) -> list[dict[str, Any]]:
    import shapely

    sequence = _datum(job) if job.format == "geojsonseq" else {}
    features = []
    for record, shape, *_ in layer.rows:
        geometry = None
        if shape is not None:
            turned = shapely.orient_polygons(shape, exterior_cw=False)
            mapping = shapely.geometry.mapping(turned)
            geometry = {**mapping, "coordinates": _rounded(mapping["coordinates"])}
        feature: dict[str, Any] = {"type": "Feature"}
        if record.get("id") is not None:
            feature["id"] = record["id"]
        properties = {"layer": layer.name, **record}
        features.append({**feature, **sequence, "properties": properties, "geometry": geometry})
    return features


def _rounded(part: Any) -> Any:
    if isinstance(part, float):
        return round(part, DECIMALS)
    return [_rounded(item) for item in part]
