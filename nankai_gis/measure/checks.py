"""The plan held to its word: what it says beside what is measured, rule by rule.

Each rule has an id, looks at one kind of statement, and gives a finding for each thing that the
plan says: ``ok``, ``differs`` or ``cannot tell``. A finding carries its figures, the clause, a
place on the map, and whether it rests on inferred boundaries.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from nankai_gis.errors import ClauseError, NotFoundError
from nankai_gis.geometry import crs, ruler
from nankai_gis.geometry.arrays import Bools, Floats, Shapes
from nankai_gis.measure import features
from nankai_gis.plan.clause import parse
from nankai_gis.plan.definitions import Plan
from nankai_gis.plan.layers import LAYER_OF_KIND
from nankai_gis.plan.model import FACING, OUTWARD, SIDE_NAMES, AxisPart, Feature
from nankai_gis.plan.names import normalise

Verdict = Literal["ok", "differs", "cannot tell"]
Layers = Mapping[str, Sequence[Mapping[str, Any]]]

#: A subdistrict counts as covered from this share of its area, or from this area in m².
COVERED_SHARE, COVERED_M2 = 0.02, 50_000.0
#: A corridor touches a subdistrict when so much of it runs inside or along its edge, metres.
TOUCHED_M = 100.0
#: Standard deviations within which a measured area agrees with a stated one.
AGREES_SD = 2.0

#: A road carries its part of a side from this share of the length: cut corners and junctions count
#: for little.
CARRIED_SHARE = 0.75

_POLYGONS = {
    kind: layer for kind, layer in LAYER_OF_KIND.items() if kind not in ("corridor", "site")
}
# The boundary and the roads are compared at steps of this length, metres.
_STEP_M = 10.0
# Lines run along each other, and an edge faces one side squarely, within 45 degrees.
_ALONG = math.cos(math.radians(45))
# Pieces whose lines are closer than this join, metres.
_JOINED_M = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found about one thing.

    Attributes
    ----------
    rule : str
        Id of the rule.
    feature : str
        Id of the feature it is about.
    verdict : {'ok', 'differs', 'cannot tell'}
    figures : str
        What was measured, in words.
    clause : str
        The text that is held to.
    place : tuple of float or None
        Longitude and latitude of the place to look at.
    inferred : bool
        Whether the finding rests on an inferred boundary.
    """

    rule: str
    feature: str
    verdict: Verdict
    figures: str
    clause: str
    place: tuple[float, float] | None
    inferred: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    id : str
    title : str
        The question that it answers.
    """

    id: str
    title: str


class _Ground:
    """The plan and its geometry, in degrees and in the EPSG:4548 plane."""

    def __init__(self, plan: Plan, layers: Layers) -> None:
        self.plan = plan
        self.layers = layers
        self.features = {f.id: f for f in plan.features}
        self.properties: dict[str, Mapping[str, Any]] = {}
        self.shapes: dict[str, BaseGeometry] = {}
        for layer in _POLYGONS.values():
            for item in layers.get(layer, ()):
                if item["geometry"] is not None:
                    self.properties[item["properties"]["id"]] = item["properties"]
                    self.shapes[item["properties"]["id"]] = shape(item["geometry"])
        streets = [s for s in layers.get("streets", ()) if s["geometry"] is not None]
        self.lines = {s["properties"]["id"]: shape(s["geometry"]) for s in streets}
        self.accuracy = {s["properties"]["id"]: s["properties"]["accuracy_m"] for s in streets}
        self.subdistricts = plan.index(["subdistrict"])

    @cached_property
    def known(self) -> _Known:
        return _Known(self.layers.get("streets", ()))

    def of(self, *kinds: str) -> list[Feature]:
        return [f for f in self.plan.features if f.kind in kinds]

    def flat(self, geometry: BaseGeometry) -> BaseGeometry:
        """The geometry in metres."""
        to_plane = crs.planar().transform
        return shapely.transform(geometry, lambda xy: np.column_stack(to_plane(xy[:, 0], xy[:, 1])))

    def pieces(self, corridor: str) -> list[Mapping[str, Any]]:
        """The pieces of a corridor, in the order in which the layer has them."""
        pieces = self.layers.get("corridors", ())
        return [item for item in pieces if item["properties"]["corridor"] == corridor]

    def axis(self, corridor: str) -> BaseGeometry | None:
        """All that is drawn of a corridor."""
        pieces = [shape(p["geometry"]) for p in self.pieces(corridor) if p["geometry"] is not None]
        return shapely.union_all(pieces) if pieces else None

    def gap(self, *ids: str) -> str:
        """Which of some features have no geometry, and why; "" where all have one."""
        told: dict[str, None] = {}
        for key in ids:
            feature = self.features[key]
            if key in self.shapes or self.axis(key) is not None:
                continue
            layer = LAYER_OF_KIND[feature.kind]
            lacking = f"圖層 {layer} 中沒有{feature.names.hant}的幾何"
            told[lacking if self.layers.get(layer) else _lacks(layer)] = None
        return "、".join(told)

    @property
    def no_streets(self) -> str:
        """Says that there is no layer of streets; "" where there is one."""
        return "" if self.layers.get("streets") else _lacks("streets")

    def key(self, name: str) -> str:
        """The same for all names of a line."""
        return self.known.line(name) or normalise(name)

    def position(self, xy: Floats) -> tuple[float, float]:
        """Longitude and latitude of a place in the plane."""
        lon, lat = crs.planar().transform(xy[0], xy[1], direction="INVERSE")
        return round(lon, 6), round(lat, 6)

    def inferred(self, *ids: str) -> bool:
        """Whether something among polygons or drawn pieces of corridors is inferred."""
        pieces = (p["properties"] for key in ids for p in self.pieces(key))
        polygons = (self.properties[key] for key in ids if key in self.properties)
        return any(p["status"] == "inferred" for p in (*polygons, *pieces))


class _Known:
    """The lines of the streets layer by all their names."""

    def __init__(self, streets: Iterable[Mapping[str, Any]]) -> None:
        self._lines: dict[str, list[str]] = {}
        for item in streets:
            p = item["properties"]
            for name in {
                normalise(n) for n in (p["name"], p["name_hans"], p["name_en"], *p["aliases"])
            }:
                self._lines.setdefault(name, []).append(p["id"])

    def __contains__(self, name: object) -> bool:
        return normalise(str(name)) in self._lines

    def every(self, name: str) -> list[str]:
        """Ids of the lines of a name; empty for none."""
        return self._lines.get(normalise(name), [])

    def line(self, *names: str) -> str | None:
        """Id of the line that one of the names is of."""
        return next((ids[0] for name in names if (ids := self.every(name))), None)


def _lacks(layer: str) -> str:
    return f"缺圖層 {layer}"


def _untold(rule: str, feature: str, figures: str, clause: str = "") -> Finding:
    """Say that there is nothing to hold a statement to."""
    return Finding(rule, feature, "cannot tell", figures, clause, None, False)


def _km2(value: float) -> str:
    return f"{value / 1e6:.3f} 平方公里"


def _area(geometry: BaseGeometry) -> float:
    return sum(ruler.area(p) for p in shapely.get_parts(geometry) if p.area > 0)


def _spot(geometry: BaseGeometry) -> tuple[float, float] | None:
    if geometry.is_empty:
        return None
    point = geometry.representative_point()
    return round(point.x, 6), round(point.y, 6)


def _valid(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of(*_POLYGONS):
        if gap := ground.gap(f.id):
            yield _untold("R01", f.id, gap)
            continue
        polygon = ground.shapes[f.id]
        ok = polygon.is_valid and isinstance(polygon, Polygon) and polygon.exterior.is_ccw
        figures = "有效的簡單多邊形,逆時針" if ok else shapely.is_valid_reason(polygon)
        yield Finding("R01", f.id, "ok" if ok else "differs", figures, "", _spot(polygon), False)


def _complete(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of(*_POLYGONS, "corridor"):
        if f.kind == "corridor":
            layer = "corridors"
            missing = [
                item["properties"]["street_name"]
                for item in ground.pieces(f.id)
                if item["geometry"] is None
            ]
            nothing = not ground.pieces(f.id)
        else:
            layer = "streets"
            missing = [
                road
                for roads in f.sides.values()
                for road in roads
                if not any(line in ground.lines for line in ground.known.every(road))
            ]
            nothing = not ground.layers.get("streets")
        if nothing:
            gap = ground.gap(f.id) if ground.layers.get(layer) else _lacks(layer)
            yield _untold("R02", f.id, gap, f.clause)
            continue
        verdict: Verdict = "cannot tell" if missing else "ok"
        figures = f"未定位:{'、'.join(missing)}" if missing else "所列道路均已定位"
        yield Finding("R02", f.id, verdict, figures, f.clause, None, bool(missing))


def _disjoint(ground: _Ground) -> Iterator[Finding]:
    for a, b in itertools.combinations(ground.of("zone"), 2):
        pair = f"{a.id} / {b.id}"
        if gap := ground.gap(a.id, b.id):
            yield _untold("R03", pair, gap)
            continue
        common = ground.shapes[a.id].intersection(ground.shapes[b.id])
        size = _area(common)
        yield Finding(
            "R03",
            pair,
            "ok" if size < 1.0 else "differs",
            f"重疊 {_km2(size)}" if size >= 1.0 else "互不重疊",
            "",
            _spot(common),
            ground.inferred(a.id, b.id),
        )


def _inside(ground: _Ground) -> Iterator[Finding]:
    for district in ground.of("district"):
        for f in ground.of("zone", "parcel", "subdistrict", "corridor"):
            if gap := ground.gap(district.id, f.id):
                yield _untold("R04", f.id, gap)
            elif f.kind == "corridor":
                yield _axis_inside(ground, f, district)
            else:
                outside = ground.shapes[f.id].difference(ground.shapes[district.id])
                size = _area(outside)
                yield Finding(
                    "R04",
                    f.id,
                    "ok" if size < 1.0 else "differs",
                    f"區外 {_km2(size)}" if size >= 1.0 else "全在區內",
                    "",
                    _spot(outside),
                    ground.inferred(f.id),
                )


def _axis_inside(ground: _Ground, f: Feature, district: Feature) -> Finding:
    axis = ground.axis(f.id)
    assert axis is not None
    outside = axis.difference(ground.shapes[district.id])
    beyond = [p for p in shapely.get_parts(outside) if p.length > 0]
    length = sum(map(ruler.length, beyond))
    return Finding(
        "R04",
        f.id,
        "ok" if length < 1.0 else "differs",
        f"區外 {length / 1e3:.2f} 公里" if length >= 1.0 else "全在區內",
        f.note if length >= 1.0 else "",
        _spot(beyond[0]) if length >= 1.0 else None,
        ground.inferred(f.id, district.id),
    )


def _within(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("parcel"):
        if f.within is None:
            continue
        if gap := ground.gap(f.id, f.within):
            yield _untold("R05", f.id, gap, f.clause)
            continue
        outside = ground.shapes[f.id].difference(ground.shapes[f.within])
        size = _area(outside)
        yield Finding(
            "R05",
            f.id,
            "ok" if size < 1.0 else "differs",
            f"在 {f.within} 外 {_km2(size)}" if size >= 1.0 else f"全在 {f.within} 內",
            f.clause,
            _spot(outside),
            ground.inferred(f.id, f.within),
        )


def _stated(ground: _Ground) -> Iterator[Finding]:
    for f in ground.plan.features:
        if f.stated_area_m2 is not None and (gap := ground.gap(f.id)):
            yield _untold("R06", f.id, gap, f.clause)
    items = [
        item
        for layer in sorted(_POLYGONS.values())
        for item in ground.layers.get(layer, ())
        if item["geometry"] is not None
    ]
    stated = {f.id for f in ground.plan.features if f.stated_area_m2 is not None}
    items = [item for item in items if item["properties"]["id"] in stated]
    single = [
        i for i in items if i["geometry"]["type"] == "Polygon" and i["geometry"]["coordinates"]
    ]
    for item in items:
        if item not in single:
            feature = ground.features[item["properties"]["id"]]
            yield _untold("R06", feature.id, "不是單一多邊形,無從量得", feature.clause)
    for row in features.areas(single):
        if row.stated_area_m2 is None or row.deviation_m2 is None:
            continue
        ratio = abs(row.deviation_m2) / row.area_sd_m2 if row.area_sd_m2 else math.inf
        yield Finding(
            "R06",
            row.id,
            "ok" if ratio <= AGREES_SD else "differs",
            f"所述 {_km2(row.stated_area_m2)},量得 {row.area_m2 / 1e6:.3f} ± "
            f"{row.area_sd_m2 / 1e6:.3f},偏差 {row.deviation_m2 / 1e6:+.3f}"
            f"({ratio:.1f} 倍標準差)",
            ground.features[row.id].clause,
            _spot(ground.shapes[row.id]),
            row.status == "inferred",
        )


def _covered(ground: _Ground, f: Feature) -> dict[str, tuple[float, float]]:
    """Area of each subdistrict inside a polygon, and its share of the subdistrict."""
    found = {}
    for sub in ground.of("subdistrict"):
        if sub.id in ground.shapes:
            size = _area(ground.shapes[f.id].intersection(ground.shapes[sub.id]))
            found[sub.id] = size, size / ruler.area(ground.shapes[sub.id])
    return found


def _counts(size: float, share: float) -> bool:
    return share >= COVERED_SHARE or size >= COVERED_M2


def _claims(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("zone"):
        covered = {} if ground.gap(f.id) else _covered(ground, f)
        for name in f.claims:
            sub = ground.subdistricts[name]
            if gap := ground.gap(f.id, sub.id):
                yield _untold("R07", f.id, gap, f.clause)
                continue
            size, share = covered[sub.id]
            touching = ground.shapes[f.id].distance(ground.shapes[sub.id]) < 1e-9
            figures = f"覆蓋{sub.names.hant} {_km2(size)},佔該街道 {share * 100:.1f}%"
            if not _counts(size, share) and touching:
                figures += ";僅相鄰"
            yield Finding(
                "R07",
                f.id,
                "ok" if _counts(size, share) else "differs",
                figures,
                f.clause,
                _spot(ground.shapes[sub.id]),
                ground.inferred(f.id, sub.id),
            )


def _unclaimed(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("zone"):
        claimed = {ground.subdistricts[name].id for name in f.claims}
        others = [sub.id for sub in ground.of("subdistrict") if sub.id not in claimed]
        covered = {} if ground.gap(f.id) else _covered(ground, f)
        extra = [key for key in others if key in covered and _counts(*covered[key])]
        # What is covered already differs, whatever else can't be looked at.
        if not extra and (gap := ground.gap(f.id, *others)):
            yield _untold("R08", f.id, gap, f.clause)
            continue
        names = "、".join(
            f"{ground.features[key].names.hant} {_km2(covered[key][0])}" for key in extra
        )
        yield Finding(
            "R08",
            f.id,
            "differs" if extra else "ok",
            f"未列而覆蓋:{names}" if extra else "覆蓋的街道均在所列之中",
            f.clause,
            _spot(ground.shapes[extra[0]]) if extra else None,
            ground.inferred(f.id, *extra),
        )


def _nobody(ground: _Ground) -> Iterator[Finding]:
    claimed = {
        ground.subdistricts[name].id for f in ground.plan.of_kind("zone") for name in f.claims
    }
    for sub in ground.of("subdistrict"):
        yield Finding(
            "R09",
            sub.id,
            "ok" if sub.id in claimed else "differs",
            f"{sub.names.hant}" + ("已列入片區" if sub.id in claimed else "未列入任何片區"),
            "",
            _spot(ground.shapes[sub.id]) if sub.id in ground.shapes else None,
            False,
        )


@dataclass(frozen=True, slots=True)
class _Bound:
    """A named road beside the boundary of a polygon, which is taken in steps.

    For each step: how far the road is, or what stands in for it, and whether the step runs along
    it within what the accuracy of both allows; metres.
    """

    located: bool
    stands: str
    inferred: bool
    within: float
    distance: Floats
    beside: Bools


def _steps(line: BaseGeometry) -> Floats:
    """The edges of a line in the plane, cut into steps: both ends of each, x and y."""
    paths = [
        shapely.get_coordinates(shapely.segmentize(part, _STEP_M))
        for part in shapely.get_parts(line)
    ]
    steps: Floats = np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in paths])
    # A vertex that is there twice has no direction.
    moves: Bools = (steps[:, 0] != steps[:, 1]).any(axis=1)
    return steps[moves]


def _bound(ground: _Ground, f: Feature, road: str, steps: Floats) -> _Bound:
    properties, named = ground.properties[f.id], ground.known.every(road)
    stand_ins = [p for p in properties["parts"] if p["for"] == road]
    parts = [p for p in properties["parts"] if p["line"] in named and not p["for"]] + stand_ins
    lines = [k for k in {*named, *(p["line"] for p in stand_ins)} if k in ground.lines]
    within, distance = 0.0, np.full(len(steps), math.inf)
    beside = np.isfinite(distance)
    if lines:
        line = _steps(ground.flat(shapely.union_all([ground.lines[k] for k in lines])))
        spots = shapely.points(steps.mean(axis=1))
        edges: Shapes = np.asarray(shapely.linestrings(line))
        (_, nearest), distance = shapely.STRtree(edges).query_nearest(
            spots, return_distance=True, all_matches=False
        )
        run, way = line[nearest, 1] - line[nearest, 0], steps[:, 1] - steps[:, 0]
        cosine = np.abs((run * way).sum(axis=1)) / np.hypot(*run.T) / np.hypot(*way.T)
        own = max((p["accuracy_m"] for p in parts), default=properties["accuracy_m"])
        within = AGREES_SD * math.hypot(own, max(ground.accuracy[k] for k in lines))
        beside = (distance <= within) & (cosine >= _ALONG)
    return _Bound(
        located=any(k in ground.lines for k in named),
        stands="、".join(dict.fromkeys(p["name"] for p in stand_ins)),
        inferred=any(p["status"] == "inferred" for p in parts or [properties]),
        within=within,
        distance=distance,
        beside=beside,
    )


def _bounds(ground: _Ground) -> Iterator[Finding]:
    """Whether the boundary on the named side runs along each road.

    A step of the boundary belongs to the nearest named road that it runs along, within
    `AGREES_SD` of the accuracy of both. Steps that face a side squarely and run along no named
    road are laid to the nearest road of that side: a road that carries less than `CARRIED_SHARE`
    of its part of the side differs, as does one that is on the opposite side or not on the
    boundary at all. A road that isn't located, one in whose place another line is taken, and one
    whose band of accuracy is as wide as what it carries is long can't be told.
    """
    for f in ground.of("zone", "parcel", "district"):
        if not f.sides:
            continue
        gap = ground.gap(f.id) or ground.no_streets
        if gap:
            yield _untold("R10", f.id, gap, f.clause)
            continue
        rings = [
            _steps(orient(part).exterior)
            for part in shapely.get_parts(ground.flat(ground.shapes[f.id]))
            if isinstance(part, Polygon)
        ]
        if rings:
            yield from _sides(ground, f, np.concatenate(rings))
        else:
            yield _untold("R10", f.id, "不是多邊形", f.clause)


def _sides(ground: _Ground, f: Feature, steps: Floats) -> Iterator[Finding]:
    way = steps[:, 1] - steps[:, 0]
    length = np.hypot(*way.T)
    # To the right of a counter-clockwise ring lies the outside.
    outward = np.column_stack([way[:, 1], -way[:, 0]]) / length[:, np.newaxis]
    roads = list(dict.fromkeys(road for named in f.sides.values() for road in named))
    bounds = {road: _bound(ground, f, road, steps) for road in roads}
    reach = np.array([np.where(b.beside, b.distance, math.inf) for b in bounds.values()])
    owner = np.where(np.isfinite(reach).any(axis=0), reach.argmin(axis=0), -1)
    for side, named in f.sides.items():
        facing = outward @ OUTWARD[side]
        apart = np.array([bounds[road].distance for road in named])
        # What runs along no road may lie along one that isn't located.
        left = (owner < 0) & (facing >= _ALONG) & np.isfinite(apart).all()
        for k, road in enumerate(named):
            own, bound = owner == roads.index(road), bounds[road]
            # A riser of a stair stands square to its side; only the opposite quarter contradicts.
            carried, away = own & (facing >= -FACING), own & (facing < -FACING)
            rest = left & (apart.argmin(axis=0) == k)
            on, off, beyond = (float(length[part].sum()) for part in (carried, away, rest))
            verdict = _carries(bound, on, off, beyond)
            seen = np.flatnonzero(carried | rest if on or beyond else own)
            far = bound.distance[seen] if len(seen) else bound.distance.min(keepdims=True)
            told = [] if bound.located else ["未定位"]
            told += [f"由{bound.stands}代替"] if bound.stands else []
            if np.isfinite(far).all():
                told.append(f"邊界沿之 {on / 1e3:.2f} 公里")
                told += [f"另 {beyond / 1e3:.2f} 公里不沿所列道路"] if beyond >= _STEP_M else []
                least = "偏離至多" if len(seen) else "相距至少"
                told.append(f"{least} {far.max():.0f} 米(容許 {bound.within:.0f} 米)")
            told += ["朝向相反"] if off > on else []
            if verdict == "cannot tell" and bound.located and not bound.stands:
                told.append("精度不足以判斷")
            place = None
            if len(seen):
                at = far.argmax() if verdict == "differs" else len(seen) // 2
                place = ground.position(steps[seen[at]].mean(axis=0))
            label = f"{SIDE_NAMES[side]}至{road}:{','.join(told)}"
            yield Finding("R10", f.id, verdict, label, f.clause, place, bound.inferred)


def _carries(bound: _Bound, on: float, off: float, beyond: float) -> Verdict:
    """Judge the metres along a road, on the opposite side, and of its part along no road."""
    if not bound.located:
        return "cannot tell"
    if off > on or on <= CARRIED_SHARE * (on + beyond):
        return "differs"
    return "cannot tell" if bound.stands or on <= 2 * bound.within else "ok"


def _groups(lines: Sequence[BaseGeometry]) -> list[int]:
    """For each line the number of the group that it hangs together with."""
    wholes = shapely.get_parts(shapely.union_all(shapely.buffer(lines, _JOINED_M / 2)))
    return [int(shapely.intersects(wholes, line).argmax()) for line in lines]


def _join(a: BaseGeometry, others: Sequence[BaseGeometry], bridges: Sequence[BaseGeometry]) -> bool:
    """Whether a line joins one of others, directly or over bridges."""
    first, *groups = _groups([a, *others, *bridges])
    return first in groups[: len(others)]


def _misplaced(drawn: Sequence[tuple[AxisPart, BaseGeometry]]) -> Iterator[str]:
    """Roads that don't join the corridor where the order of the clause has them join."""
    roads, bridges = (
        [(p, line) for p, line in drawn if (p.role == "bridge") == bridge]
        for bridge in (False, True)
    )
    across = [line for _, line in bridges]
    main = [(p, line) for p, line in roads if p.role == "main"]
    branch = _groups([*(line for _, line in main), *across])
    for k, (part, line) in enumerate(main):
        before = [j for j in range(k) if branch[j] == branch[k]]
        if before and not _join(line, [main[before[-1]][1]], across):
            yield part.road or ""
    reached = [line for _, line in main]
    for part, line in roads:
        if part.role == "extension":
            if reached and not _join(line, reached, across):
                yield part.road or ""
            reached.append(line)


def _strays(ground: _Ground, road: str, line: BaseGeometry) -> bool:
    """Whether a piece leaves its street by more than the accuracy of that."""
    streets = [key for key in ground.known.every(road) if key in ground.lines]
    if not streets:
        return False
    street = ground.flat(shapely.union_all([ground.lines[key] for key in streets]))
    apart = shapely.distance(shapely.points(shapely.get_coordinates(line)), street).max()
    return bool(apart > AGREES_SD * max(ground.accuracy[key] for key in streets))


def _order(ground: _Ground) -> Iterator[Finding]:
    """The pieces of an axis: on its streets, in one whole, and in the order of the clause.

    In order means, along the corridor from either end: a main road joins the main road named
    before it, or begins a branch of its own that no main road joins; an extension joins a main
    road, at whichever end, or an extension named before it. What joins over a bridge joins. The
    layer has the pieces in the order of the definition or in its reverse.

    As many breaks as there are roads without coordinates can't be told: those roads may close
    them, unless a straight piece stands for them already.
    """
    for f in ground.of("corridor"):
        if gap := ground.gap(f.id):
            yield _untold("R11", f.id, gap, f.clause)
            continue
        pieces = ground.pieces(f.id)
        names = [part.road or "、".join(part.stands_for) for part in f.axis]
        wanted = [ground.key(name) for name in names]
        listed = [ground.key(p["properties"]["street_name"]) for p in pieces]
        common = [key for key in wanted if key in listed]
        found = [key for key in listed if key in wanted]
        shuffled = found not in (common, common[::-1])
        if found != common:
            pieces, listed = pieces[::-1], listed[::-1]
        drawn, lost = [], []
        for k, (part, name, key) in enumerate(zip(f.axis, names, wanted, strict=True)):
            # A street may stand in an axis more than once.
            same = [p for p, other in zip(pieces, listed, strict=True) if other == key]
            geometry = dict(enumerate(same)).get(wanted[:k].count(key), {}).get("geometry")
            if geometry is None:
                lost.append(name)
            else:
                drawn.append((part, ground.flat(shape(geometry))))
        stood_for = {name for part, _ in drawn for name in part.stands_for}
        breaks = len(set(_groups([line for _, line in drawn]))) - 1
        misplaced = list(_misplaced(drawn))
        astray = [
            part.road for part, line in drawn if part.road and _strays(ground, part.road, line)
        ]
        faults = max(breaks, len(misplaced))
        verdict: Verdict = "cannot tell" if lost or ground.no_streets else "ok"
        if shuffled or astray or faults > len(set(lost) - stood_for):
            verdict = "differs"
        told = [f"分為不相接的 {breaks + 1} 段" if breaks > 0 else "各段相接"]
        if misplaced:
            told.append(f"未與條文所列在前的道路相接:{'、'.join(misplaced)}")
        if astray:
            told.append(f"不沿其路:{'、'.join(astray)}")
        if shuffled:
            order = "、".join(p["properties"]["street_name"] for p in ground.pieces(f.id))
            told.append(f"圖層所列次序為{order}")
        if not (faults or astray or shuffled):
            told.append("次序與條文一致")
        if lost:
            told.append(f"未定位:{'、'.join(lost)}")
        if verdict == "cannot tell" and ground.no_streets:
            told.append(ground.no_streets)
        axis = ground.axis(f.id)
        yield Finding(
            "R11",
            f.id,
            verdict,
            ";".join(told),
            f.clause,
            None if axis is None else _spot(axis),
            ground.inferred(f.id),
        )


def _joins(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("corridor"):
        if not f.joins:
            continue
        axis = ground.axis(f.id)
        if axis is None:
            yield _untold("R12", f.id, ground.gap(f.id), f.joins_clause)
            continue
        told, apart = [], []
        for target in f.joins:
            if gap := ground.gap(target):
                told.append(f"{ground.features[target].names.hant}:無從判斷,{gap}")
                continue
            far = ground.flat(axis).distance(ground.flat(ground.shapes[target]))
            through = axis.intersection(ground.shapes[target]).length > 0
            how = "穿過或沿其邊界" if through else "相接" if far < 1 else f"相距 {far:.0f} 米"
            told.append(f"{ground.features[target].names.hant}:{how}")
            if far >= 1:
                apart.append(target)
        # One target that is far decides, whether or not the others are located.
        verdict: Verdict = "cannot tell" if ground.gap(*f.joins) else "ok"
        yield Finding(
            "R12",
            f.id,
            "differs" if apart else verdict,
            ";".join(told),
            f.joins_clause,
            _spot(ground.shapes[apart[0]]) if apart else _spot(axis),
            ground.inferred(f.id, *f.joins),
        )


def _touched(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("corridor"):
        axis = ground.axis(f.id)
        for name in f.claims:
            sub = ground.subdistricts[name]
            if axis is None or sub.id not in ground.shapes:
                yield _untold("R13", f.id, ground.gap(f.id, sub.id), f.clause)
                continue
            # Along an edge counts: what a street that bounds two subdistricts serves is both.
            near = ground.flat(axis).intersection(ground.flat(ground.shapes[sub.id]).buffer(1.0))
            yield Finding(
                "R13",
                f.id,
                "ok" if near.length >= TOUCHED_M else "differs",
                f"{sub.names.hant}內及邊上 {near.length / 1e3:.2f} 公里",
                f.clause,
                _spot(ground.shapes[sub.id]),
                ground.inferred(sub.id),
            )


def _read_as_written(ground: _Ground) -> Iterator[Finding]:
    """The roads of the clause beside those of the definition, side by side."""
    known = ground.known
    for f in ground.plan.features:
        if not f.sides and not f.axis:
            continue
        try:
            written = parse(f.clause, known)
        except ClauseError:
            # Not every clause names its bounds: the parcel's gives a size only.
            continue
        sides = {SIDE_NAMES[side] + "至": roads for side, roads in written.sides.items()}
        read = {SIDE_NAMES[side] + "至": roads for side, roads in f.sides.items()}
        if f.axis:
            sides = {"軸線": (*written.main, *written.extension)}
            roads = [p.road for p in f.axis if p.road is not None and p.role != "bridge"]
            read = {"軸線": tuple(roads)}
        apart, unknown = [], []
        for label, names in sides.items():
            unknown += [road.name for road in names if not known.line(*road.names)]
            stands = [known.line(road) for road in read.get(label, ())]
            if [known.line(*road.names) for road in names] != stands:
                told = "、".join(road.name for road in names)
                apart.append(f"條文{label}{told},定義為{'、'.join(read.get(label, ())) or '無'}")
        if gap := ground.no_streets:
            yield _untold("R14", f.id, gap, f.clause)
            continue
        verdict: Verdict = "cannot tell" if unknown else "differs" if apart else "ok"
        figures = ";".join(apart) if apart else "與條文一致"
        if unknown:
            figures = f"條文中「{'」「'.join(unknown)}」不是路網中的名稱"
        yield Finding("R14", f.id, verdict, figures, f.clause, None, False)


_RULES: dict[Rule, Callable[[_Ground], Iterator[Finding]]] = {
    Rule("R01", "幾何有效"): _valid,
    Rule("R02", "定義完整,所列道路均已定位"): _complete,
    Rule("R03", "片區互不重疊"): _disjoint,
    Rule("R04", "片區、地塊、街道與發展帶在區內"): _inside,
    Rule("R05", "地塊在所屬片區內"): _within,
    Rule("R06", "所述面積與量得面積相符"): _stated,
    Rule("R07", "所列街道確被覆蓋"): _claims,
    Rule("R08", "被覆蓋的街道均已列出"): _unclaimed,
    Rule("R09", "每個街道都列入某一片區"): _nobody,
    Rule("R10", "四至道路在邊界上,且在所稱的一側"): _bounds,
    Rule("R11", "軸線道路依次相接"): _order,
    Rule("R12", "貫通、串聯、連通之說"): _joins,
    Rule("R13", "發展帶輻射所列街道"): _touched,
    Rule("R14", "定義與條文所列道路一致"): _read_as_written,
}

#: All rules, in order.
RULES: tuple[Rule, ...] = tuple(_RULES)


def check(plan: Plan, layers: Layers, without: Iterable[str] = ()) -> list[Finding]:
    """Hold a plan to its word.

    Parameters
    ----------
    plan : Plan
        What it says.
    layers : mapping of str to sequence of mapping
        GeoJSON features of the layers, EPSG:4326; a layer may be missing.
    without : iterable of str
        Ids of rules to leave out.

    Returns
    -------
    list of Finding
        By rule, then in the order of the plan; empty for an empty plan. What rests on a layer
        that is missing or empty, or on a feature that has no geometry in it, can't be told; the
        figures name the layer. R09 rests on the plan alone.

    Raises
    ------
    NotFoundError
        If a rule to leave out doesn't exist.

    Examples
    --------
    >>> from nankai_gis.plan import definitions as plans
    >>> from nankai_gis.studies import study
    >>> found = check(plans.packaged(), study.packaged().layers)
    >>> [f.feature for f in found if f.rule == "R09" and f.verdict == "differs"]
    ['huayuan']
    """
    left_out = set(without)
    known = {rule.id for rule in RULES}
    for name in sorted(left_out - known):
        raise NotFoundError("rule", name, sorted(known))
    ground = _Ground(plan, layers)
    return [
        finding
        for rule, examine in _RULES.items()
        if rule.id not in left_out
        for finding in examine(ground)
    ]
