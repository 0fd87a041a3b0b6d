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
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

from . import crs, measure
from .clause import parse
from .errors import ClauseError, NotFoundError
from .model import Feature
from .names import fold
from .plan import Plan

Verdict = Literal["ok", "differs", "cannot tell"]
Layers = Mapping[str, Sequence[Mapping[str, Any]]]

#: A subdistrict counts as covered from this share of its area, or from this area in m².
COVERED_SHARE, COVERED_M2 = 0.02, 50_000.0
#: A corridor touches a subdistrict when so much of it runs inside or along its edge, metres.
TOUCHED_M = 100.0
#: Standard deviations within which a measured area agrees with a stated one.
AGREES_SD = 2.0

_OUTWARD = {"east": (1.0, 0.0), "south": (0.0, -1.0), "west": (-1.0, 0.0), "north": (0.0, 1.0)}
_SIDE_NAMES = {"east": "東", "south": "南", "west": "西", "north": "北"}


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
        for name in ("district", "zones", "parcel", "subdistricts"):
            for item in layers.get(name, ()):
                self.properties[item["properties"]["id"]] = item["properties"]
                self.shapes[item["properties"]["id"]] = shape(item["geometry"])
        self.lines = {
            item["properties"]["id"]: shape(item["geometry"])
            for item in layers.get("streets", ())
            if item["geometry"] is not None
        }
        self.subdistricts = plan.index(["subdistrict"])
        self._plane: dict[int, BaseGeometry] = {}

    def of(self, *kinds: str) -> list[Feature]:
        return [f for f in self.plan.features if f.kind in kinds and f.id in self.shapes]

    def flat(self, geometry: BaseGeometry) -> BaseGeometry:
        """The geometry in metres."""
        to_plane = crs.planar().transform
        return shapely.transform(geometry, lambda xy: np.column_stack(to_plane(xy[:, 0], xy[:, 1])))

    def axis(self, corridor: str) -> BaseGeometry | None:
        """All that is drawn of a corridor."""
        pieces = [
            shape(item["geometry"])
            for item in self.layers.get("corridors", ())
            if item["properties"]["corridor"] == corridor and item["geometry"] is not None
        ]
        return shapely.union_all(pieces) if pieces else None

    def inferred(self, *ids: str) -> bool:
        """Whether something among polygons or drawn pieces of corridors is inferred."""
        pieces = (
            item["properties"]
            for item in self.layers.get("corridors", ())
            if item["properties"]["corridor"] in ids
        )
        polygons = (self.properties[key] for key in ids if key in self.properties)
        return any(p["status"] == "inferred" for p in (*polygons, *pieces))


def _km2(value: float) -> str:
    return f"{value / 1e6:.3f} 平方公里"


def _area(geometry: BaseGeometry) -> float:
    return sum(measure.area(p) for p in shapely.get_parts(geometry) if p.area > 0)


def _spot(geometry: BaseGeometry) -> tuple[float, float] | None:
    if geometry.is_empty:
        return None
    point = geometry.representative_point()
    return round(point.x, 6), round(point.y, 6)


def _valid(ground: _Ground) -> Iterator[Finding]:
    for key, polygon in ground.shapes.items():
        ok = polygon.is_valid and isinstance(polygon, Polygon) and polygon.exterior.is_ccw
        figures = "有效的簡單多邊形,逆時針" if ok else shapely.is_valid_reason(polygon)
        yield Finding("R01", key, "ok" if ok else "differs", figures, "", _spot(polygon), False)


def _complete(ground: _Ground) -> Iterator[Finding]:
    known = _Known(ground)
    for f in ground.plan.features:
        if f.kind == "site":
            continue
        if f.kind == "corridor":
            missing = [
                item["properties"]["street_name"]
                for item in ground.layers.get("corridors", ())
                if item["properties"]["corridor"] == f.id and item["geometry"] is None
            ]
        else:
            missing = [
                road
                for roads in f.sides.values()
                for road in roads
                if known.line(road) not in ground.lines
            ]
        verdict: Verdict = "cannot tell" if missing else "ok"
        figures = f"未定位:{'、'.join(missing)}" if missing else "所列道路均已定位"
        yield Finding("R02", f.id, verdict, figures, f.clause, None, bool(missing))


def _disjoint(ground: _Ground) -> Iterator[Finding]:
    zones = ground.of("zone")
    for i, a in enumerate(zones):
        for b in zones[i + 1 :]:
            common = ground.shapes[a.id].intersection(ground.shapes[b.id])
            size = _area(common)
            yield Finding(
                "R03",
                f"{a.id} / {b.id}",
                "ok" if size < 1.0 else "differs",
                f"重疊 {_km2(size)}" if size >= 1.0 else "互不重疊",
                "",
                _spot(common),
                ground.inferred(a.id, b.id),
            )


def _inside(ground: _Ground) -> Iterator[Finding]:
    for district in ground.of("district"):
        whole = ground.shapes[district.id]
        for f in ground.of("zone", "parcel", "subdistrict"):
            outside = ground.shapes[f.id].difference(whole)
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
        for f in ground.plan.of_kind("corridor"):
            axis = ground.axis(f.id)
            if axis is None:
                continue
            beyond = [p for p in shapely.get_parts(axis.difference(whole)) if p.length > 0]
            length = sum(map(measure.length, beyond))
            yield Finding(
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
        if f.within is None or f.within not in ground.shapes:
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
    items = [i for n in ("district", "parcel", "subdistricts", "zones") for i in ground.layers[n]]
    for row in measure.areas(items):
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
        size = _area(ground.shapes[f.id].intersection(ground.shapes[sub.id]))
        found[sub.id] = size, size / measure.area(ground.shapes[sub.id])
    return found


def _counts(size: float, share: float) -> bool:
    return share >= COVERED_SHARE or size >= COVERED_M2


def _claims(ground: _Ground) -> Iterator[Finding]:
    for f in ground.of("zone"):
        covered = _covered(ground, f)
        for name in f.claims:
            sub = ground.subdistricts[name]
            size, share = covered.get(sub.id, (0.0, 0.0))
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
        extra = {
            key: value
            for key, value in _covered(ground, f).items()
            if key not in claimed and _counts(*value)
        }
        names = "、".join(
            f"{ground.features[key].names.hant} {_km2(size)}" for key, (size, _) in extra.items()
        )
        yield Finding(
            "R08",
            f.id,
            "differs" if extra else "ok",
            f"未列而覆蓋:{names}" if extra else "覆蓋的街道均在所列之中",
            f.clause,
            _spot(ground.shapes[next(iter(extra))]) if extra else None,
            ground.inferred(f.id),
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
            _spot(ground.shapes[sub.id]),
            False,
        )


def _bounds(ground: _Ground) -> Iterator[Finding]:
    """Each named road: is it on the boundary, and does that stretch face the named side."""
    known = _Known(ground)
    for f in ground.of("zone", "parcel", "district"):
        polygon = ground.shapes[f.id]
        assert isinstance(polygon, Polygon)
        ring = [(p[0], p[1]) for p in polygon.exterior.coords]
        parts = ground.properties[f.id]["parts"]
        for side, roads in f.sides.items():
            for road in roads:
                yield _bound(ground, f, side, road, ring, parts, known)


def _bound(
    ground: _Ground,
    f: Feature,
    side: str,
    road: str,
    ring: list[tuple[float, float]],
    parts: Sequence[Mapping[str, Any]],
    known: _Known,
) -> Finding:
    line = known.line(road)
    own = [p for p in parts if p["line"] == line]
    stand_ins = [p for p in parts if p["for"] == road]
    x, y = _OUTWARD[side]
    best, faces = None, -1.0
    for part in stand_ins or own:
        a, b = ring[part["start"]], ring[part["stop"]]
        dx = (b[0] - a[0]) * math.cos(math.radians(a[1]))
        dy = b[1] - a[1]
        facing = (dy * x - dx * y) / (math.hypot(dx, dy) or 1.0)
        if facing > faces:
            best, faces = part, facing
    label = f"{_SIDE_NAMES[side]}至{road}"
    if best is None:
        return Finding("R10", f.id, "cannot tell", f"{label}:不在邊界上", f.clause, None, True)
    middle = ring[(best["start"] + best["stop"]) // 2]
    stands = f",由{best['name']}代替" if best["for"] else ""
    figures = f"{label}:精度 {best['accuracy_m']:g} 米{stands}"
    # A riser of a stair stands square to its side; only the opposite quarter contradicts.
    verdict: Verdict = "differs" if faces < -0.26 else "cannot tell" if best["for"] else "ok"
    if faces < -0.26:
        figures += ",朝向相反"
    return Finding(
        "R10",
        f.id,
        verdict,
        figures,
        f.clause,
        (middle[0], middle[1]),
        best["status"] == "inferred",
    )


def _order(ground: _Ground) -> Iterator[Finding]:
    """The pieces of an axis, each joined to one before it or after it, in one whole."""
    for f in ground.plan.of_kind("corridor"):
        pieces = [
            item
            for item in ground.layers.get("corridors", ())
            if item["properties"]["corridor"] == f.id
        ]
        drawn = [p for p in pieces if p["geometry"] is not None]
        lost = [p["properties"]["street_name"] for p in pieces if p["geometry"] is None]
        flat = [ground.flat(shape(p["geometry"])) for p in drawn]
        groups: list[list[int]] = []
        for k, line in enumerate(flat):
            joined = [g for g in groups if min(line.distance(flat[i]) for i in g) < 1.0]
            groups = [g for g in groups if g not in joined] + [[*itertools.chain(*joined), k]]
        verdict: Verdict = "differs" if len(groups) > 1 else "cannot tell" if lost else "ok"
        figures = "各段相接" if len(groups) < 2 else f"分為不相接的 {len(groups)} 段"
        if lost:
            figures += f";未定位:{'、'.join(lost)}"
        axis = ground.axis(f.id)
        yield Finding(
            "R11",
            f.id,
            verdict,
            figures,
            f.clause,
            None if axis is None else _spot(axis),
            any(p["properties"]["status"] == "inferred" for p in drawn),
        )


def _joins(ground: _Ground) -> Iterator[Finding]:
    for f in ground.plan.of_kind("corridor"):
        axis = ground.axis(f.id)
        if not f.joins or axis is None:
            continue
        told, apart = [], []
        for target in f.joins:
            if target not in ground.shapes:
                continue
            far = ground.flat(axis).distance(ground.flat(ground.shapes[target]))
            through = axis.intersection(ground.shapes[target]).length > 0
            how = "穿過或沿其邊界" if through else "相接" if far < 1 else f"相距 {far:.0f} 米"
            told.append(f"{ground.features[target].names.hant}:{how}")
            if far >= 1:
                apart.append(target)
        yield Finding(
            "R12",
            f.id,
            "differs" if apart else "ok",
            ";".join(told),
            f.joins_clause,
            _spot(ground.shapes[apart[0]]) if apart else _spot(axis),
            ground.inferred(f.id, *f.joins),
        )


def _touched(ground: _Ground) -> Iterator[Finding]:
    for f in ground.plan.of_kind("corridor"):
        axis = ground.axis(f.id)
        if axis is None:
            continue
        flat = ground.flat(axis)
        for name in f.claims:
            sub = ground.subdistricts[name]
            if sub.id not in ground.shapes:
                continue
            # Along an edge counts: what a street that bounds two subdistricts serves is both.
            near = flat.intersection(ground.flat(ground.shapes[sub.id]).buffer(1.0))
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
    known = _Known(ground)
    for f in ground.plan.features:
        if not f.sides and not f.axis:
            continue
        try:
            written = parse(f.clause, known)
        except ClauseError:
            # Not every clause names its bounds: the parcel's gives a size only.
            continue
        sides = {_SIDE_NAMES[side] + "至": roads for side, roads in written.sides.items()}
        read = {_SIDE_NAMES[side] + "至": roads for side, roads in f.sides.items()}
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
        verdict: Verdict = "cannot tell" if unknown else "differs" if apart else "ok"
        figures = ";".join(apart) if apart else "與條文一致"
        if unknown:
            figures = f"條文中「{'」「'.join(unknown)}」不是路網中的名稱"
        yield Finding("R14", f.id, verdict, figures, f.clause, None, False)


class _Known:
    """The lines of the layers by all their names."""

    def __init__(self, ground: _Ground) -> None:
        self._lines: dict[str, str] = {}
        for item in ground.layers.get("streets", ()):
            p = item["properties"]
            for name in (p["name"], p["name_hans"], p["name_en"], *p["aliases"]):
                self._lines.setdefault(fold(name), p["id"])

    def __contains__(self, name: object) -> bool:
        return fold(str(name)) in self._lines

    def line(self, *names: str) -> str | None:
        """Id of the line that one of the names is of."""
        return next((self._lines[fold(n)] for n in names if fold(n) in self._lines), None)


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
        GeoJSON features of the layers, EPSG:4326.
    without : iterable of str
        Ids of rules to leave out.

    Returns
    -------
    list of Finding
        By rule, then in the order of the plan; empty for an empty plan.

    Raises
    ------
    NotFoundError
        If a rule to leave out doesn't exist.

    Examples
    --------
    >>> from nankai_gis import plan as plans, study
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
