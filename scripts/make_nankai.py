"""Make Nankai District as OSM would have it: generated, seeded, the same bytes every time.

    python scripts/make_nankai.py --dual --gaps nankai.osm.pbf

The named streets, railways and rivers of the packaged plan under simplified names, without the
plan's helper lines, up to 10 m beside where the plan knows them; they share nodes where they cross
and are cut there into ways. The borders of the district and its subdistricts are relations.
``--ways`` puts so many ways of a city of other names around them. The file's ending says what is
written, as for ``make_network.py``.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import shapely
from make_network import CARRIAGEWAYS_M, CENTRE, Network, Relation, city, write

from nankai_gis.network import digitised
from nankai_gis.plan import layers

_M_PER_DEG_LAT = 111_030.0
Course = list[tuple[float, float]]

#: Streets that `nankai` draws as two carriageways, if asked.
DUAL = (
    "红旗路",
    "红旗南路",
    "卫津路",
    "卫津南路",
    "复康路",
    "黄河道",
    "长江道",
    "迎水道",
    "密云路",
)
#: Streets of which `nankai` leaves a stretch out, if asked: metres.
GAPS = {"复康路": 260.0, "南马路": 90.0, "迎水道": 400.0, "红旗路": 60.0}


def nankai(
    ways: int = 0,
    seed: int = 0,
    *,
    dual: bool = False,
    gaps: bool = False,
    doubled: bool = False,
    without: Collection[str] = (),
) -> tuple[Network, dict[str, Course]]:
    """Make Nankai District as OSM would have it, and the course of each street by its name.

    A course is that of the middle between carriageways, longitude and latitude, whole where the
    network has gaps.
    """
    rng = random.Random(seed)
    courses = _courses(rng, without)
    net = city(ways, seed, courses) if ways else Network()
    drawn: list[tuple[dict[str, str], shapely.LineString]] = []
    for name, (kind, course) in courses.items():
        line = shapely.LineString(course)
        twice = dual and name in DUAL
        tags = {"name": name, **kind}
        if twice:
            tags |= {"highway": "primary", "oneway": "yes"}
            half = CARRIAGEWAYS_M / 2
            sides = [line.offset_curve(-half, quad_segs=2), line.offset_curve(half).reverse()]
        else:
            sides = [line]
        for side in sides:
            if gaps and name in GAPS:
                at, size = line.length * 0.45, GAPS[name]
                hole = line.interpolate(at).buffer(size / 2)
                drawn += [(tags, part) for part in side.difference(hole).geoms]
            else:
                drawn.append((tags, side))
    if doubled:
        for k, name in enumerate(("南京路", "复康路", "西马路", "通北路")):
            x, y = 9000.0 + 400 * k, 5000.0 - 1500 * k
            drawn.append(
                (
                    {"name": name, "highway": "tertiary"},
                    shapely.LineString([(x, y), (x + 300, y + 700)]),
                )
            )
    _draw(net, drawn)
    _borders(net)
    return net, {name: [_degrees(*p) for p in course] for name, (_, course) in courses.items()}


def _courses(
    rng: random.Random, without: Collection[str]
) -> dict[str, tuple[dict[str, str], Course]]:
    """Tags and course in metres about `CENTRE` of what a map has of the plan's lines."""
    waves = [rng.uniform(0, math.tau) for _ in range(2)]

    def beside(lon: float, lat: float) -> tuple[float, float]:
        x, y = _metres(lon, lat)
        return x + 10 * math.sin(y / 900 + waves[0]), y + 10 * math.sin(x / 1100 + waves[1])

    tags = {
        "street": {"highway": "secondary"},
        "railway": {"railway": "rail"},
        "river": {"waterway": "river"},
    }
    network = digitised.packaged()
    lines: dict[str, tuple[dict[str, str], Course]] = {}
    for line in network.lines:
        if line.kind in tags and line.vertices and "、" not in line.names.hant:
            course = [beside(*v.position) for v in line.vertices]
            lines[line.names.hans] = tags[line.kind], course
    # From 卫津南路 to the railway, where the plan's words close; the plan isn't sure of its line.
    ends = [
        shapely.LineString(lines[name][1]).intersection(shapely.LineString([(-9e3, y), (9e3, y)]))
        for name, y in (("陈塘庄支线", -5900.0), ("卫津南路", -5850.0))
    ]
    lines["津涞道"] = tags["street"], [(end.x, end.y) for end in ends]
    return {name: line for name, line in lines.items() if name not in without}


def _metres(lon: float, lat: float) -> tuple[float, float]:
    lon_m = _M_PER_DEG_LAT * math.cos(math.radians(CENTRE[1]))
    return (lon - CENTRE[0]) * lon_m, (lat - CENTRE[1]) * _M_PER_DEG_LAT


def _degrees(x: float, y: float) -> tuple[float, float]:
    lon_m = _M_PER_DEG_LAT * math.cos(math.radians(CENTRE[1]))
    return CENTRE[0] + x / lon_m, CENTRE[1] + y / _M_PER_DEG_LAT


def _draw(net: Network, drawn: list[tuple[dict[str, str], Any]]) -> None:
    """Add lines as ways that share a node where they cross, cut there."""
    shapes = [line for _, line in drawn]
    tree = shapely.STRtree(shapes)
    ids: dict[tuple[float, float], int] = {}
    for row, (tags, line) in enumerate(drawn):
        # Its own vertices and its crossings, in order along it.
        stops = {line.project(shapely.Point(p)): (p, False) for p in line.coords}
        for other in sorted(
            tree.query(line, predicate="dwithin", distance=CARRIAGEWAYS_M).tolist()
        ):
            if other == row:
                continue
            for point in _crossings(line, shapes[other]):
                stops[line.project(point)] = ((point.x, point.y), True)
        refs: list[int] = []
        for along in sorted(stops):
            place, cut = stops[along]
            key = (round(place[0], 2), round(place[1], 2))
            if key not in ids:
                ids[key] = net.node(*_degrees(*place))
            if refs and refs[-1] == ids[key]:
                continue
            refs.append(ids[key])
            if cut and len(refs) > 1:
                net.way(refs, **tags)
                refs = [ids[key]]
        if len(refs) > 1:
            net.way(refs, **tags)


def _crossings(line: Any, other: Any) -> Iterator[Any]:
    """Where two lines cross, and where one ends on the other or just beside it."""
    for part in shapely.get_parts(line.intersection(other)):
        if part.geom_type == "Point":
            yield part


def _borders(net: Network) -> None:
    """Add the borders of the district and of its subdistricts, as relations of ways."""
    for layer, level in (("district", "6"), ("subdistricts", "8")):
        for feature in layers.features(layer):
            ring = feature["geometry"]["coordinates"][0][:-1]
            refs = [net.node(lon, lat) for lon, lat in ring]
            tags = {"boundary": "administrative", "admin_level": level}
            way = net.way([*refs, refs[0]], boundary="administrative")
            tags |= {"type": "boundary", "name": feature["properties"]["name_hans"]}
            net.relations.append(Relation(len(net.relations) + 1, [("way", way, "outer")], tags))


def main(argv: list[str] | None = None) -> int:
    """Write the network."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--ways", type=int, default=0, help="ways of a city around it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dual", action="store_true", help="main streets of two carriageways")
    parser.add_argument("--gaps", action="store_true", help="stretches left out")
    parser.add_argument("--doubled", action="store_true", help="streets elsewhere of the same name")
    parser.add_argument("--without", action="append", default=[], help="a street to leave out")
    args = vars(parser.parse_args(argv))
    path = args.pop("path")
    net, _ = nankai(**args)
    write(net, path)
    print(f"{path}: {len(net.ways)} ways, {len(net.nodes)} nodes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
