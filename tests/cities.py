"""Generated cities whose right answers are known.

A `Draft` takes streets in plain metres (x east, y north), as axes with a width between the
carriageways. `Draft.city` turns, mirrors and moves it to the earth, cuts it into ways that
share nodes where streets cross at grade, and keeps the axes and the corners: the answers.
`scramble` splits, reverses and reorders ways, which must change nothing.

The projection here is azimuthal equidistant about the origin, which the package doesn't use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops
from pyproj import Transformer
from shapely import LineString

XY = Sequence[tuple[float, float]]

#: Six carriageway ends look the same to 1 cm in OSM data: 1e-7 degrees.
DIGITS = 7


@dataclass(frozen=True)
class Road:
    """One street of a draft, in metres."""

    name: str | None
    axis: LineString
    width: float = 0.0
    highway: str | None = "primary"
    tagged: bool = True
    aliases: str = ""
    gaps: tuple[tuple[float, float], ...] = ()
    railway: str | None = None
    waterway: str | None = None
    grade: int = 0
    oneway: int = 0

    def carriageways(self) -> list[tuple[LineString, int]]:
        """Lines in the sense of traffic (driving on the right), and their ``oneway``."""
        if self.width == 0:
            return [(self.axis, self.oneway)]
        right = _beside(self.axis, self.width / 2)
        left = _beside(self.axis, -self.width / 2).reverse()
        sense = 1 if self.tagged else 0
        return [(right, sense), (left, sense)]


@cache
def _about(lon: float, lat: float) -> Transformer:
    draft = f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=GRS80"
    return Transformer.from_crs(draft, "EPSG:4326", always_xy=True)


def _beside(axis: LineString, right: float) -> LineString:
    """Shift a line sideways, mitred at its bends; the bends must be wider than the shift."""
    points = shapely.get_coordinates(axis)
    leg = np.diff(points, axis=0)
    leg /= np.hypot(*leg.T)[:, None]
    first, last = leg[:1], leg[-1:]
    before, after = np.vstack((first, leg)), np.vstack((leg, last))
    if axis.is_closed:
        before[0], after[-1] = leg[-1], leg[0]
    normal = before + after
    normal /= (normal * before).sum(axis=1)[:, None]
    return LineString(points + right * normal[:, ::-1] * (1.0, -1.0))


@dataclass(frozen=True)
class City:
    """A network and the answers to it."""

    frame: gpd.GeoDataFrame
    #: True axis per name, EPSG:4326 (the first road of the name).
    axes: dict[str, LineString]
    #: Where the axes of two streets cross, longitude and latitude.
    corners: dict[frozenset[str], tuple[float, float]]
    #: Length of the axis per name, metres.
    lengths: dict[str, float]
    #: From metres of the draft to longitude and latitude.
    lay: Callable[[XY], list[tuple[float, float]]]


@dataclass
class Draft:
    """Streets in metres, to be laid out as a city."""

    roads: list[Road] = field(default_factory=list)

    def add(self, name: str | None, axis: XY | LineString, **more: Any) -> Draft:
        self.roads.append(Road(name, LineString(axis), **more))
        return self

    def city(
        self,
        *,
        origin: tuple[float, float] = (117.15, 39.1),
        turn: float = 0.0,
        mirror: bool = False,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> City:
        """Lay the draft out about `origin`, turned by `turn` degrees."""
        to_earth = _about(*origin)
        angle = np.radians(turn)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

        def lay(xy: np.ndarray) -> np.ndarray:
            xy = np.asarray(xy, dtype=float)
            if mirror:
                xy = xy * (-1.0, 1.0)
            xy = xy @ matrix.T + shift
            lon, lat = to_earth.transform(xy[:, 0], xy[:, 1])
            return np.column_stack((np.round(lon, DIGITS), np.round(lat, DIGITS)))

        lines = [
            (road, line, sense, number)
            for road in self.roads
            for number, (line, sense) in enumerate(road.carriageways())
        ]
        noded = _node([(line, road.grade) for road, line, *_ in lines])
        rows = []
        for (road, line, sense, number), points in zip(lines, noded, strict=True):
            gaps = road.gaps
            if road.width and number % 2:
                # The left carriageway is drawn from the other end.
                gaps = tuple((1 - high, 1 - low) for low, high in gaps)
            for piece in _without(line, points, gaps):
                rows.append(_row(len(rows) + 1, road, lay(piece), sense))
        axes: dict[str, LineString] = {}
        lengths: dict[str, float] = {}
        plain: dict[str, LineString] = {}
        for road in self.roads:
            if road.name and road.name not in axes:
                axes[road.name] = LineString(lay(shapely.get_coordinates(road.axis)))
                lengths[road.name] = road.axis.length
                plain[road.name] = road.axis
        corners = {}
        names = list(plain)
        for row, one in enumerate(names):
            for two in names[row + 1 :]:
                meet = plain[one].intersection(plain[two])
                if not meet.is_empty:
                    spot = shapely.get_coordinates(meet)[:1]
                    corners[frozenset((one, two))] = tuple(lay(spot)[0].tolist())
        return City(
            to_frame(rows), axes, corners, lengths, lambda xy: [(x, y) for x, y in lay(xy).tolist()]
        )


def to_frame(rows: Iterable[dict[str, object]]) -> gpd.GeoDataFrame:
    """Ways as the toolkit's network frame."""
    rows = list(rows)
    columns = (
        "way", "name", "aliases", "highway", "railway", "waterway", "oneway", "bridge",
        "tunnel", "layer", "geometry",
    )  # fmt: skip
    table = {column: [row[column] for row in rows] for column in columns}
    frame = gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")
    for column, kind in (("way", "int64"), ("oneway", "int8"), ("layer", "int16")):
        frame[column] = frame[column].astype(kind)
    for column in ("bridge", "tunnel"):
        frame[column] = frame[column].astype(bool)
    for column in ("name", "highway", "railway", "waterway"):
        values = frame[column].astype(object)
        frame[column] = values.where(values.notna(), None)
    return frame


def way(
    number: int,
    name: str | None,
    lonlat: XY,
    *,
    highway: str | None = "primary",
    oneway: int = 0,
    aliases: str = "",
    railway: str | None = None,
    waterway: str | None = None,
) -> dict[str, object]:
    """One row for `to_frame`."""
    road = Road(
        name, LineString([(0, 0), (1, 0)]), highway=highway, aliases=aliases,
        railway=railway, waterway=waterway,
    )  # fmt: skip
    return _row(number, road, np.asarray(lonlat, dtype=float), oneway)


def _row(number: int, road: Road, lonlat: np.ndarray, oneway: int) -> dict[str, object]:
    return {
        "way": number,
        "name": road.name,
        "aliases": road.aliases,
        "highway": road.highway,
        "railway": road.railway,
        "waterway": road.waterway,
        "oneway": oneway,
        "bridge": road.grade > 0,
        "tunnel": road.grade < 0,
        "layer": road.grade,
        "geometry": LineString(lonlat),
    }


def _node(lines: list[tuple[LineString, int]]) -> list[np.ndarray]:
    """Give lines that cross at grade the same vertex there."""
    extra: list[list[np.ndarray]] = [[] for _ in lines]
    shapes = np.array([line for line, _ in lines])
    tree = shapely.STRtree(shapes)
    one, two = tree.query(shapes, predicate="intersects")
    for row, column in zip(one, two, strict=True):
        if row < column and lines[row][1] == lines[column][1]:
            spots = shapely.get_coordinates(shapes[row].intersection(shapes[column]))
            extra[row].append(spots)
            extra[column].append(spots)
    out = []
    for (line, _), spots in zip(lines, extra, strict=True):
        points = np.vstack([shapely.get_coordinates(line), *spots])
        along = shapely.line_locate_point(line, shapely.points(points))
        if line.is_closed:
            # The last vertex of a ring is found at its start.
            along[len(line.coords) - 1] = line.length
        order = np.argsort(along, kind="stable")
        points, along = points[order], along[order]
        out.append(points[np.concatenate(([True], np.diff(along) > 0.5))])
    return out


def _without(line: LineString, points: np.ndarray, gaps: Iterable[tuple[float, float]]) -> list:
    """Cut stretches out of a line; they are given as shares of its length."""
    along = shapely.line_locate_point(line, shapely.points(points)) / line.length
    if line.is_closed:
        along[-1] = 1.0
    pieces = []
    start = 0.0
    for low, high in [*sorted(gaps), (1.0, 1.0)]:
        inner = points[(along > start) & (along < low)]
        ends = shapely.get_coordinates(
            [line.interpolate(share, normalized=True) for share in (start, low)]
        )
        if low > start:
            pieces.append(np.vstack((ends[:1], inner, ends[1:])))
        start = high
    return pieces


def scramble(frame: gpd.GeoDataFrame, seed: int, *, split: float = 0.5) -> gpd.GeoDataFrame:
    """Split ways at random vertices, reverse some (with their ``oneway``), and shuffle.

    The street stays what it was: the same vertices, the same senses of traffic.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for row in frame.to_dict("records"):
        points = shapely.get_coordinates(row["geometry"])
        cuts = [k for k in range(1, len(points) - 1) if rng.random() < split]
        for low, high in zip([0, *cuts], [*cuts, len(points) - 1], strict=True):
            piece = points[low : high + 1]
            fresh = dict(row)
            if rng.random() < 0.5:
                piece = piece[::-1]
                fresh["oneway"] = -int(row["oneway"])
            fresh["geometry"] = LineString(piece)
            rows.append(fresh)
    order = rng.permutation(len(rows))
    rows = [rows[k] for k in order]
    for number, row in enumerate(rows):
        row["way"] = 1000 + number
    return to_frame(rows)


# ------------------------------------------------------------------ cities


def grid(columns: int, rows: int, *, spacing: float = 400.0, width: float = 0.0) -> Draft:
    """A chessboard: 縱N路 run north (N from the west), 橫N道 east (N from the south).

    `width` separates the carriageways of every second street.
    """
    draft = Draft()
    for number in range(columns):
        x = number * spacing
        draft.add(
            f"縱{number + 1}路", [(x, 0), (x, (rows - 1) * spacing)],
            width=width if number % 2 == 0 else 0.0,
        )  # fmt: skip
    for number in range(rows):
        y = number * spacing
        draft.add(
            f"橫{number + 1}道", [(0, y), ((columns - 1) * spacing, y)],
            width=width if number % 2 == 0 else 0.0,
        )  # fmt: skip
    return draft


def stair() -> Draft:
    """A district bounded by six streets, with one step in its south-east corner.

    Ring: 北道 → 東一路 → 中道 → 東二路 → 南道 → 西路; 東二路 lies west of 東一路.
    Its corners: (0, 0), (600, 0), (600, 500), (1000, 500), (1000, 1000), (0, 1000).
    """
    return (
        Draft()
        .add("西路", [(0, -200), (0, 1200)])
        .add("南道", [(-200, 0), (1200, 0)])
        .add("東二路", [(600, -200), (600, 700)])
        .add("中道", [(400, 500), (1200, 500)])
        .add("東一路", [(1000, 300), (1000, 1200)])
        .add("北道", [(-200, 1000), (1200, 1000)])
    )


def arc(radius: float, start: float, end: float, count: int = 40) -> list[tuple[float, float]]:
    """Points of a circular arc about (0, 0), angles in degrees."""
    angle = np.radians(np.linspace(start, end, count))
    points = [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angle]
    return [*points[:-1], points[0]] if end - start == 360 else points


# ------------------------------------------------------------------ quarters


@dataclass(frozen=True)
class Edge:
    """How the street along one edge of a quarter is built.

    ``before`` and ``after`` are the metres by which it runs on past the corners; where they are
    negative it stops short of them. ``bend`` bulges it outwards, ``gap`` cuts a piece out of its
    middle, ``grade`` lifts it over or under what it crosses.
    """

    width: float = 0.0
    before: float = 120.0
    after: float = 120.0
    bend: float = 0.0
    gap: float = 0.0
    grade: int = 0


@dataclass(frozen=True)
class Quarter:
    """Streets that enclose a quarter, and the answers to its 四至."""

    draft: Draft
    #: Names of the streets, counter-clockwise.
    names: list[str]
    #: Names for each side by the way in which the edges face.
    sides: dict[str, list[str]]
    corners: list[tuple[float, float]]
    #: The ring along the axes, metres, not closed.
    outline: list[tuple[float, float]]


def quarter(corners: XY, edges: Mapping[int, Edge] | None = None) -> Quarter:
    """A quarter with these corners, counter-clockwise; edge k leads from corner k to k + 1."""
    draft, names, outline = Draft(), [], []
    sides: dict[str, list[str]] = {"east": [], "south": [], "west": [], "north": []}
    spots = np.array(corners, dtype=float)
    for k, start in enumerate(spots):
        edge = (edges or {}).get(k, Edge())
        stop = spots[(k + 1) % len(spots)]
        length = float(np.hypot(*(stop - start)))
        ahead = (stop - start) / length
        outward = np.array([ahead[1], -ahead[0]])
        # A hump that leaves the corners at right angles.
        share = np.linspace(0, 1, 25) if edge.bend else np.array([0.0, 1.0])
        hump = edge.bend * np.sin(np.pi * share) ** 2
        axis = start + share[:, None] * (stop - start) + hump[:, None] * outward
        outline += [(float(x), float(y)) for x, y in axis[:-1]]
        line = LineString(axis)
        if edge.before < 0 or edge.after < 0:
            line = shapely.ops.substring(
                line, max(-edge.before, 0.0), line.length - max(-edge.after, 0.0)
            )
        points = [*line.coords]
        if edge.before > 0:
            points.insert(0, tuple(start - edge.before * ahead))
        if edge.after > 0:
            points.append(tuple(stop + edge.after * ahead))
        line = LineString(points)
        middle = line.project(shapely.Point(axis[len(axis) // 2])) if edge.bend else (
            line.project(shapely.Point((start + stop) / 2))
        )  # fmt: skip
        half = edge.gap / 2
        gaps = [((middle - half) / line.length, (middle + half) / line.length)] if half else []
        name = "甲乙丙丁戊己庚辛壬癸子丑寅卯"[k] + "路道街"[k % 3]
        facing = (
            ("east" if outward[0] > 0 else "west")
            if abs(outward[0]) > abs(outward[1])
            else ("north" if outward[1] > 0 else "south")
        )
        sides[facing].append(name)
        names.append(name)
        draft.add(name, line, width=edge.width, gaps=tuple(gaps), grade=edge.grade)
    return Quarter(draft, names, sides, [(float(x), float(y)) for x, y in spots], outline)


def mirrored(sides: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What a clause says of the same quarter in a mirror, east for west."""
    swap = {"east": "west", "west": "east"}
    return {swap.get(side, side): list(names) for side, names in sides.items()}
