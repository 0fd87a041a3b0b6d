"""From what was compiled to GeoJSON features: the layers of a plan.

The packaged layers are this module's output on the packaged plan and reference network; the
layers carry everything an output needs to say where a geometry comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shapely.geometry import shape

from nankai_gis.compiler.axis import Piece
from nankai_gis.compiler.derive import Derived, derive
from nankai_gis.compiler.lines import PlanNetwork, located
from nankai_gis.compiler.measured import line_accuracy, run_length
from nankai_gis.compiler.readings import readings_as_data
from nankai_gis.compiler.ring import Ring, ring_area
from nankai_gis.compiler.runs import Run
from nankai_gis.compiler.stretches import clause_doubts
from nankai_gis.errors import DataError, GeometryError, NankaiGISError, PlanError, RoadNotFoundError
from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.layers import LAYER_OF_KIND, LAYERS
from nankai_gis.plan.model import Feature, Line, Vertex, worst
from nankai_gis.words import quoted, tr

FeatureDict = dict[str, Any]

# Properties of a feature without coordinates.
_NOT_LOCATED: dict[str, Any] = {
    "status": "not located",
    "accuracy_m": None,
    "source": "",
    "source_ids": "",
    "date": "",
}


def plan_layers(
    plan: Plan, network: PlanNetwork, *, search: bool = False
) -> dict[str, list[FeatureDict]]:
    """Compile every layer of a plan on a network."""
    made: dict[str, list[FeatureDict]] = {name: [] for name in LAYERS}
    faults = []
    for feature in plan.features:
        try:
            made[LAYER_OF_KIND[feature.kind]] += _features(feature, plan, network, search)
        except NankaiGISError as error:
            # The error keeps its class and its candidates; its message names the definition.
            error.args = (
                tr("{file}: [{id}]: {error}", file=feature.file, id=feature.id, error=error),
            )
            if not search:
                raise
            faults.append(str(error.args[0]))
    if faults:
        raise PlanError(faults)
    made["streets"] = [_street(line, network) for line in network.listed(extent(made))]
    return made


def extent(made: Mapping[str, Sequence[FeatureDict]]) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of all that a plan draws, its streets apart."""
    items = (feature for name, layer in made.items() if name != "streets" for feature in layer)
    drawn = [shape(f["geometry"]).bounds for f in items if f["geometry"] is not None]
    if not drawn:
        return None
    west, south, east, north = zip(*drawn, strict=True)
    return min(west), min(south), max(east), max(north)


def _features(
    feature: Feature, plan: Plan, network: PlanNetwork, search: bool
) -> list[FeatureDict]:
    if feature.kind == "site":
        return [_site(feature, network)]
    derived = derive(feature, network, network.points, search=search)
    if derived.error is not None:
        raise derived.error
    if derived.remarks and not search:
        raise GeometryError(tr("; ").join(remark.text() for remark in derived.remarks))
    if derived.ring is None:
        made = _axis(feature, derived.axis, network)
    else:
        for name, near in derived.ring.missing.items():
            # A ring without a road of its clause is a guess; the command `derive` shows it.
            raise RoadNotFoundError(
                tr("road"), name, near, hint=tr("the ring can't be drawn without it")
            )
        made = [_polygon(feature, derived.ring, plan, network)]
    for item in made if derived.remarks else ():
        item["properties"]["remarks"] = [remark.as_dict() for remark in derived.remarks]
        if derived.ring is not None:
            item["properties"]["status"] = "inferred"
    return made


def derived_features(derived: Iterable[Derived], source: str) -> list[FeatureDict]:
    """Return what was derived as GeoJSON features, with where each geometry comes from."""
    features: list[FeatureDict] = []
    for item in derived:
        if item.ring is not None:
            features.append(_derived_polygon(item.feature, item.ring, source))
        features += [
            _derived_piece(item.feature, rank, piece, piece.run, source)
            for rank, piece in enumerate(item.axis, start=1)
            if piece.run is not None
        ]
    return features


def _derived_polygon(feature: Feature, ring: Ring, source: str) -> FeatureDict:
    properties = _common(feature) | {
        "source": source,
        # A ring that does without a road of its clause is a guess at what it means.
        "status": "inferred" if ring.missing else worst([feature.status, ring.status]),
        "accuracy_m": round(_mean_accuracy(ring.runs), 1),
        "area_m2": ring_area(ring),
        "missing": "、".join(ring.missing),
        "parts": _parts(ring.runs),
        "doubts": _doubts(ring),
    }
    return _as_feature(properties, _polygon_geometry(ring))


def _derived_piece(feature: Feature, rank: int, piece: Piece, run: Run, source: str) -> FeatureDict:
    properties = _common(feature) | {
        "source": source,
        "id": f"{feature.id}-{rank}",
        "corridor": feature.id,
        "rank": rank,
        "role": piece.part.role,
        "planned": piece.part.planned,
        "street_name": run.name,
        "status": run.status,
        "accuracy_m": round(run.accuracy_m, 1),
        "length_m": run_length(run.vertices),
    }
    line = {"type": "LineString", "coordinates": _positions(run.vertices)}
    return _as_feature(properties, line)


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


def _provenance(vertices: Iterable[Vertex], network: PlanNetwork) -> dict[str, str]:
    vertices = list(vertices)
    dates = sorted({v.date for v in vertices if v.date}) or [""]
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


def _parts(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The boundary in stretches of one status; those of one run have one ``side``."""
    parts, start = [], 0
    for side, run in enumerate(runs):
        for stretch in run.stretches:
            parts.append(
                {
                    "line": run.line,
                    "name": run.name,
                    "for": run.stands_for,
                    "side": side,
                    "start": start + stretch.start,
                    "stop": start + stretch.stop,
                    "accuracy_m": round(stretch.accuracy_m, 1),
                    "status": stretch.status,
                    "gap_m": round(stretch.gap_m, 1),
                }
            )
        start += len(run.vertices) - 1
    return parts


def _doubts(ring: Ring) -> list[dict[str, Any]]:
    return [remark.as_dict() for remark in (*ring.doubts, *clause_doubts(ring))]


def _polygon(feature: Feature, ring: Ring, plan: Plan, network: PlanNetwork) -> FeatureDict:
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
        "parts": _parts(ring.runs),
        "doubts": _doubts(ring),
        "readings": readings_as_data(feature, ring, network),
        **_provenance(vertices, network),
    }
    return _as_feature(properties, _polygon_geometry(ring))


def _polygon_geometry(ring: Ring) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in ring.coordinates]]}


def _mean_accuracy(runs: Sequence[Run]) -> float:
    weights = [run_length(run.vertices) for run in runs]
    return sum(r.accuracy_m * w for r, w in zip(runs, weights, strict=True)) / sum(weights)


def _along(
    pieces: Sequence[Piece], network: PlanNetwork
) -> dict[tuple[float, float], list[tuple[str, float]]]:
    """For every position of an axis, the lines that run on through it, with their accuracy."""
    places = [v.position for piece in pieces if piece.run for v in piece.run.vertices]
    if not places:
        return {}
    lon, lat = zip(*places, strict=True)
    through: dict[tuple[float, float], list[tuple[str, float]]] = {}
    for line in network.around((min(lon), min(lat), max(lon), max(lat))):
        for part in line.parts:
            for vertex in part[1:-1]:
                through.setdefault(vertex.position, []).append((line.id, vertex.accuracy_m))
    return through


def _end_accuracy(
    end: Vertex,
    line: str,
    along: dict[tuple[float, float], list[tuple[str, float]]],
    network: PlanNetwork,
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


def _axis(feature: Feature, pieces: Sequence[Piece], network: PlanNetwork) -> list[FeatureDict]:
    along = _along(pieces, network)
    features = []
    for rank, piece in enumerate(pieces, start=1):
        part, run = piece.part, piece.run
        properties = _common(feature) | {
            "id": f"{feature.id}-{rank}",
            "corridor": feature.id,
            "rank": rank,
            "role": part.role,
            "planned": part.planned,
            "street": piece.line.id if piece.line else "",
            "street_name": _street_name(piece),
        }
        if run is None:
            properties |= {"status": "", "accuracy_m": None, "end_accuracy_m": None} | _NOT_LOCATED
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


def _street_name(piece: Piece) -> str:
    if piece.line is not None:
        return piece.line.names.hant
    return piece.part.road or "、".join(piece.part.stands_for)


def _street(line: Line, network: PlanNetwork) -> FeatureDict:
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
        properties |= _NOT_LOCATED
        return _as_feature(properties, None)
    properties |= {
        "status": worst(v.status for v in line.vertices),
        "accuracy_m": round(line_accuracy(line), 1),
        **_provenance(line.vertices, network),
    }
    return _as_feature(properties, _line_geometry(line))


def _line_geometry(line: Line) -> dict[str, Any]:
    if len(line.parts) == 1:
        return {"type": "LineString", "coordinates": _positions(line.vertices)}
    return {"type": "MultiLineString", "coordinates": [_positions(p) for p in line.parts]}


def _site(feature: Feature, network: PlanNetwork) -> FeatureDict:
    properties = _common(feature) | {"theme": feature.theme}
    if feature.line is not None:
        located(network, [feature.line])
        line = network[feature.line]
        vertices, accuracy = line.vertices, line_accuracy(line)
        geometry = _line_geometry(line)
    elif feature.point is not None:
        if feature.point not in network.points:
            raise DataError(
                tr(
                    "no control point is called {point}; add it to digitised/control_points.csv, "
                    "or leave out point: the site is then listed without a position",
                    point=quoted(feature.point),
                )
            )
        vertices = (network.points[feature.point],)
        accuracy = vertices[0].accuracy_m
        geometry = {"type": "Point", "coordinates": _positions(vertices)[0]}
    else:
        properties |= _NOT_LOCATED
        return _as_feature(properties, None)
    properties |= {
        "status": worst([feature.status, *(v.status for v in vertices)]),
        "accuracy_m": round(accuracy, 1),
        **_provenance(vertices, network),
    }
    return _as_feature(properties, geometry)
