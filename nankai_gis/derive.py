"""From definitions and a network to layers: the one place where geometry is made.

The packaged layers are this module's output on the packaged plan and reference network; the
layers carry everything an output needs to say where a geometry comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from . import boundary, corridor
from .course import resolve, run_accuracy, run_length
from .errors import DataError
from .layers import LAYER_OF_KIND, LAYERS
from .model import Feature, Line, Run, Vertex, worst
from .plan import Plan
from .reference import Network

FeatureDict = dict[str, Any]


def layers(plan: Plan, network: Network) -> dict[str, list[FeatureDict]]:
    """Make every layer from a plan and a reference network.

    Parameters
    ----------
    plan : Plan
    network : Network

    Returns
    -------
    dict of str to list of dict
        GeoJSON features by layer, in the order of `nankai_gis.layers.LAYERS`; polygons are
        counter-clockwise and share their vertices with the lines that bound them.

    Raises
    ------
    RoadNotFoundError, GeometryError, DataError
        If a definition doesn't compile on this network; the message names the feature.

    Examples
    --------
    >>> from nankai_gis import plan, reference
    >>> made = layers(plan.packaged(), reference.packaged())
    >>> len(made["zones"]), len(made["subdistricts"])
    (3, 12)
    """
    made: dict[str, list[FeatureDict]] = {name: [] for name in LAYERS}
    made["streets"] = [_street(line, network) for line in network.lines]
    for feature in plan.features:
        try:
            made[LAYER_OF_KIND[feature.kind]] += _features(feature, plan, network)
        except (ValueError, LookupError) as error:
            # The error keeps its class and its candidates; the reader learns which definition.
            error.args = (f"{feature.file}: [{feature.id}]: {error}",)
            raise
    return made


def _features(feature: Feature, plan: Plan, network: Network) -> list[FeatureDict]:
    if feature.axis:
        return _axis(feature, network)
    if feature.ring:
        return [_polygon(feature, plan, network)]
    return [_site(feature, network)]


def _common(feature: Feature) -> dict[str, Any]:
    return {
        "id": feature.id,
        "kind": feature.kind,
        "name": feature.names.hant,
        "name_hans": feature.names.hans,
        "name_en": feature.names.en,
        "aliases": list(feature.names.aliases),
        "clause": feature.clause,
        "clause_source": feature.clause_source,
        "section": feature.place,
        "note": feature.note,
    }


def _provenance(vertices: Iterable[Vertex], network: Network) -> dict[str, str]:
    vertices = list(vertices)
    dates = sorted({v.date for v in vertices})
    sources = sorted({v.source for v in vertices})
    return {
        "source": "; ".join(network.sources[s] for s in sources),
        "source_ids": ";".join(sources),
        "date": dates[0] if len(dates) == 1 else f"{dates[0]}/{dates[-1]}",
    }


def _positions(vertices: Iterable[Vertex]) -> list[list[float]]:
    return [[v.lon, v.lat] for v in vertices]


def _as_feature(properties: dict[str, Any], geometry: dict[str, Any] | None) -> FeatureDict:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _parts(runs: Sequence[Run], network: Network) -> list[dict[str, Any]]:
    names = {line.id: line.names.hant for line in network.lines}
    parts, start = [], 0
    for run in runs:
        stop = start + len(run.vertices) - 1
        parts.append(
            {
                "line": run.line,
                "name": names[run.line],
                "for": run.stands_for,
                "start": start,
                "stop": stop,
                "accuracy_m": round(run.accuracy_m, 1),
                "status": run.status,
            }
        )
        start = stop
    return parts


def _polygon(feature: Feature, plan: Plan, network: Network) -> FeatureDict:
    ring = boundary.ring(feature.ring, network, network.points)
    vertices = [v for run in ring.runs for v in run.vertices]
    subdistricts = plan.index(["subdistrict"])
    properties = _common(feature) | {
        "status": worst([feature.status, ring.status]),
        "accuracy_m": round(_mean_accuracy(ring.runs), 1),
        "stated_area_m2": feature.stated_area_m2,
        "claims": [subdistricts[name].id for name in feature.claims],
        "within": feature.within,
        "code": feature.code,
        "population": feature.population[0] if feature.population else None,
        "population_year": feature.population[1] if feature.population else None,
        "parts": _parts(ring.runs, network),
        **_provenance(vertices, network),
    }
    coordinates = [[list(position) for position in ring.coordinates]]
    return _as_feature(properties, {"type": "Polygon", "coordinates": coordinates})


def _mean_accuracy(runs: Sequence[Run]) -> float:
    weights = [run_length(run.vertices) for run in runs]
    return sum(r.accuracy_m * w for r, w in zip(runs, weights, strict=True)) / sum(weights)


def _along(network: Network) -> dict[tuple[float, float], list[tuple[str, float]]]:
    """For every position, the lines that run on through it, with their accuracy there."""
    through: dict[tuple[float, float], list[tuple[str, float]]] = {}
    for line in network.lines:
        for vertex in line.vertices[1:-1]:
            through.setdefault(vertex.position, []).append((line.id, vertex.accuracy_m))
    return through


def _end_accuracy(
    end: Vertex,
    line: str,
    along: dict[tuple[float, float], list[tuple[str, float]]],
    network: Network,
) -> float:
    """How well it is known where, along its street, a piece ends.

    A piece that ends at a crossing reaches as far as the other line lies: what counts is the
    accuracy across that line. Elsewhere it is the accuracy of the position itself.
    """
    others = [accuracy for other, accuracy in along.get(end.position, ()) if other != line]
    if others:
        return min(others)
    known = [v.accuracy_m for v in network.points.values() if v.position == end.position]
    return known[0] if known else end.accuracy_m


def _axis(feature: Feature, network: Network) -> list[FeatureDict]:
    along = _along(network)
    features = []
    for rank, piece in enumerate(corridor.axis(feature.axis, network, network.points), start=1):
        part, run = piece.part, piece.run
        properties = _common(feature) | {
            "id": f"{feature.id}-{rank}",
            "corridor": feature.id,
            "rank": rank,
            "role": part.role,
            "planned": part.planned,
            "street": piece.line.id if piece.line else "",
            "street_name": piece.line.names.hant if piece.line else "、".join(part.stands_for),
        }
        if run is None:
            properties |= {"status": "not located", "accuracy_m": None, "end_accuracy_m": None}
            properties |= {"source": "", "source_ids": "", "date": ""}
            features.append(_as_feature(properties, None))
            continue
        ends = (run.vertices[0], run.vertices[-1])
        properties |= {
            "status": run.status,
            "accuracy_m": round(run.accuracy_m, 1),
            "end_accuracy_m": [_end_accuracy(v, run.line, along, network) for v in ends],
            **_provenance(run.vertices, network),
        }
        line = {"type": "LineString", "coordinates": _positions(run.vertices)}
        features.append(_as_feature(properties, line))
    return features


def _street(line: Line, network: Network) -> FeatureDict:
    properties: dict[str, Any] = {
        "id": line.id,
        "kind": line.kind,
        "name": line.names.hant,
        "name_hans": line.names.hans,
        "name_en": line.names.en,
        "aliases": list(line.names.aliases),
        "note": line.note,
    }
    if not line.vertices:
        properties |= {"status": "not located", "accuracy_m": None}
        properties |= {"source": "", "source_ids": "", "date": ""}
        return _as_feature(properties, None)
    properties |= {
        "status": worst(v.status for v in line.vertices),
        "accuracy_m": round(run_accuracy(line.vertices), 1),
        **_provenance(line.vertices, network),
    }
    return _as_feature(properties, {"type": "LineString", "coordinates": _positions(line.vertices)})


def _site(feature: Feature, network: Network) -> FeatureDict:
    properties = _common(feature) | {"theme": feature.theme}
    if feature.line is not None:
        line = resolve(network, feature.line)
        vertices = line.vertices
        geometry: dict[str, Any] = {"type": "LineString", "coordinates": _positions(vertices)}
    elif feature.point is not None:
        if feature.point not in network.points:
            raise DataError(f"no control point is called {feature.point}")
        vertices = (network.points[feature.point],)
        geometry = {"type": "Point", "coordinates": _positions(vertices)[0]}
    else:
        properties |= {"status": "not located", "accuracy_m": None}
        properties |= {"source": "", "source_ids": "", "date": ""}
        return _as_feature(properties, None)
    accuracy = run_accuracy(vertices) if len(vertices) > 1 else vertices[0].accuracy_m
    properties |= {
        "status": worst([feature.status, *(v.status for v in vertices)]),
        "accuracy_m": round(accuracy, 1),
        **_provenance(vertices, network),
    }
    return _as_feature(properties, geometry)
