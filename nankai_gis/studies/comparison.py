"""One plan on two networks: how far apart its areas and corridors lie, and which road moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.measure import features as measure
from nankai_gis.plan.names import normalise
from nankai_gis.studies.result import AREAL, Study
from nankai_gis.words import tr

if TYPE_CHECKING:
    from pandas import DataFrame

# Points along a road at which its distance from another course is taken, metres.
_EVERY_M = 25.0

# A road of a feature: its name and the road for which it stands.
_Road = tuple[str, str]


def compare(
    one: Study, other: Study, kinds: Collection[str] = ("zone", "parcel", "corridor", "district")
) -> DataFrame:
    """Compare a plan's geography on two networks."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for kind in kinds:
        ours, theirs = (_by_feature(study, kind) for study in (one, other))
        for key in ours:
            if key in theirs:
                rows += _compared(key, kind, ours[key], theirs[key])
    if not rows:
        raise DataError(tr("the two geographies have no feature in common to compare"))
    return pd.DataFrame(rows)


def _by_feature(study: Study, kind: str) -> dict[str, list[dict[str, Any]]]:
    """The located GeoJSON features of a kind by id; the pieces of a corridor by its own."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for feature in study.features([kind]):
        p = feature["properties"]
        if feature["geometry"] is not None:
            grouped.setdefault(p.get("corridor", p["id"]), []).append(feature)
    return grouped


def _compared(
    key: str, kind: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The rows of one feature: the whole, then each road."""
    p = ours[0]["properties"]
    names = {column: p[column] for column in ("name", "name_hans", "name_en")}
    head = {"id": key, "kind": kind, **names, "road": "", "other_road": ""}
    measures: dict[str, Any] = dict.fromkeys(
        ("area_m2", "other_area_m2", "symmetric_difference_m2", "length_m", "other_length_m")
    )
    roads, other_roads = _roads(ours), _roads(theirs)
    if kind in AREAL:
        whole = measure.compare(ours[0]["geometry"], theirs[0]["geometry"])
        measures["area_m2"], measures["other_area_m2"] = whole.area_m2, whole.other_m2
        measures["symmetric_difference_m2"] = whole.symmetric_difference_m2
        yield head | measures | {"hausdorff_m": whole.hausdorff_m, "moved_m": None}
    else:
        yield head | measures | _apart(_all(roads), _all(other_roads)) | {"moved_m": None}
    for road, there in _paired(roads, other_roads):
        row = {"road": road[0] if road else "", "other_road": there[0] if there else ""}
        moved = _apart(roads.get(road or ("", "")), other_roads.get(there or ("", "")))
        yield head | dict.fromkeys(measures) | row | moved


def _roads(features: list[dict[str, Any]]) -> dict[_Road, list[list[Any]]]:
    """The courses of each road of a feature, in degrees."""
    roads: dict[_Road, list[list[Any]]] = {}
    for feature in features:
        p, geometry = feature["properties"], feature["geometry"]
        if "parts" not in p:
            roads.setdefault((p["street_name"], ""), []).append(geometry["coordinates"])
            continue
        ring = geometry["coordinates"][0]
        for part in p["parts"]:
            stretch = ring[part["start"] : part["stop"] + 1]
            roads.setdefault((part["name"], part["for"] or ""), []).append(stretch)
    return roads


def _all(roads: Mapping[_Road, list[list[Any]]]) -> list[list[Any]]:
    return [course for courses in roads.values() for course in courses]


def _paired(
    ours: Collection[_Road], theirs: Collection[_Road]
) -> Iterator[tuple[_Road | None, _Road | None]]:
    """Roads of two geographies that are the same one, or stand for the same one."""
    left = list(theirs)

    def taken(road: _Road) -> _Road | None:
        means = {normalise(name) for name in road if name}
        same = [x for x in left if [*map(normalise, x)] == [*map(normalise, road)]]
        alike = same or [x for x in left if means & {normalise(name) for name in x if name}]
        if alike:
            left.remove(alike[0])
        return alike[0] if alike else None

    # Those that are the same first, so that no stand-in takes the place of the road itself.
    order = sorted(ours, key=lambda road: road not in theirs)
    pairs = {road: taken(road) for road in order}
    for road in ours:
        yield road, pairs[road]
    for road in left:
        yield None, road


def _apart(one: list[list[Any]] | None, other: list[list[Any]] | None) -> dict[str, Any]:
    """Lengths of two courses, and how far the points of either lie from the other."""
    import numpy as np
    import shapely

    from nankai_gis.geometry import crs, ruler

    shapes = [shapely.MultiLineString(courses) if courses else None for courses in (one, other)]
    lengths = [None if shape is None else ruler.length(shape) for shape in shapes]
    row: dict[str, Any] = {"length_m": lengths[0], "other_length_m": lengths[1]}
    if shapes[0] is None or shapes[1] is None:
        return row | {"hausdorff_m": None, "moved_m": None}
    plane = [shapely.segmentize(crs.to_planar(shape), _EVERY_M) for shape in shapes]
    distances = np.concatenate(
        [
            shapely.distance(shapely.points(shapely.get_coordinates(here)), there)
            for here, there in (plane, plane[::-1])
        ]
    )
    return row | {"hausdorff_m": float(distances.max()), "moved_m": float(distances.mean())}
