"""Make a city's street network: generated, seeded, the same bytes every time.

    python scripts/make_network.py --ways 5000 city.osm.pbf
    python scripts/make_network.py --ways 5000 --check city.osm

The ending of the file's name says what is written: ``.osm``, ``.osm.gz``, ``.osm.bz2``,
``.osm.pbf`` or ``.json`` (Overpass ``out body``; ``--geom`` for ``out geom``).

The city is a warped grid of named streets of all classes, drawn by a hand that trembles 0.3 m.
Every fourth street is a dual carriageway: two one-way lines 14 m apart. In a big city some names
stand twice in different quarters; some streets carry other names beside the first, half of the
small ones have none. A railway, a river, a roundabout, a link, a bridge, a tunnel and a sidewalk
are always there, and so are two administrative boundaries, one of them with its ring split over
several ways.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import math
import random
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

#: From places in metres to the ids of new nodes there.
Line = Callable[..., list[int]]
#: Data date of every generated network.
DATE = "2026-01-02T03:04:05Z"
CENTRE = (117.17, 39.12)
BLOCK_M = 250.0
CARRIAGEWAYS_M = 14.0

_M_PER_DEG_LAT = 111_030.0
_FIRST = "红黄长南西东北中复渭宾鞍迎水卫津密芥广万兴学向嘉王体华"
_SECOND = "旗河江开马门园安康山湖云阳陵顶苑翠平和利泰宁丰庆荣德义仁"
_SUFFIX = {"ew": "道", "ns": "路"}


@dataclass
class Node:
    """A point: id, longitude and latitude in degrees."""

    id: int
    lon: float
    lat: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Way:
    """A line through nodes, by their ids."""

    id: int
    refs: list[int]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Relation:
    """Members as (type, id, role)."""

    id: int
    members: list[tuple[str, int, str]]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Network:
    """What one OSM file holds."""

    nodes: list[Node] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    date: str | None = DATE

    def node(self, lon: float, lat: float, **tags: str) -> int:
        """Add a node and return its id."""
        self.nodes.append(Node(len(self.nodes) + 1, round(lon, 7), round(lat, 7), tags))
        return len(self.nodes)

    def way(self, refs: list[int], **tags: str) -> int:
        """Add a way and return its id; a key's `:` is written `__`."""
        clean = {key.replace("__", ":"): value for key, value in tags.items()}
        self.ways.append(Way(len(self.ways) + 1, refs, clean))
        return len(self.ways)


def city(ways: int = 5000, seed: int = 0, without: Collection[str] = ()) -> Network:
    """Make a city of exactly so many road, rail and water ways (at least 40).

    With names that it mustn't have, it is streets alone.
    """
    rng = random.Random(seed)
    net = Network()
    size = max(3, math.ceil(math.sqrt(ways / 2.2)))
    span = (size - 1) * BLOCK_M
    lon_m = _M_PER_DEG_LAT * math.cos(math.radians(CENTRE[1]))

    def put(x: float, y: float) -> int:
        east = x - span / 2 + 30 * math.sin(y / 900) + rng.uniform(-0.3, 0.3)
        north = y - span / 2 + 30 * math.sin(x / 1100) + rng.uniform(-0.3, 0.3)
        return net.node(CENTRE[0] + east / lon_m, CENTRE[1] + north / _M_PER_DEG_LAT)

    def line(*points: tuple[float, float]) -> list[int]:
        return [put(x, y) for x, y in points]

    if not without:
        _boundaries(net, line, span)
    boundaries = len(net.ways)
    if not without:
        _specials(net, line, span)
    names = (name for name in _names(rng) if not {name + end for end in "路道"} & set(without))
    lanes = {way: list(_lanes(size)) for way in ("ew", "ns")}
    crossings: dict[tuple[int, int], int] = {}
    streets: dict[tuple[str, int], dict[str, str]] = {}
    for direction in ("ew", "ns"):
        for lane, (index, offset, sense) in enumerate(lanes[direction]):
            if (direction, index) not in streets:
                streets[direction, index] = _street(rng, direction, index, names)
            tags = dict(streets[direction, index])
            if sense:
                tags["oneway"] = "yes"
            at = index * BLOCK_M + offset
            others = lanes["ns" if direction == "ew" else "ew"]
            stops: list[tuple[float, int]] = []
            for other, (other_index, other_offset, _) in enumerate(others):
                along = other_index * BLOCK_M + other_offset
                key = (lane, other) if direction == "ew" else (other, lane)
                if key not in crossings:
                    crossings[key] = put(along, at) if direction == "ew" else put(at, along)
                stops.append((along, crossings[key]))
            backwards = sense * (1 if direction == "ns" else -1) > 0
            for refs in _pieces(stops, at, direction, put):
                if len(net.ways) - boundaries >= ways:
                    return net
                net.way(refs[::-1] if backwards else refs, **tags)
    if len(net.ways) - boundaries < ways:
        raise ValueError(f"the grid gives only {len(net.ways) - boundaries} ways, not {ways}")
    return net


def _lanes(size: int) -> Iterator[tuple[int, float, int]]:
    """Yield the street's index, the offset in metres and the sense (0: both ways)."""
    for index in range(size):
        if index % 4 == 0:
            yield index, -CARRIAGEWAYS_M / 2, 1
            yield index, CARRIAGEWAYS_M / 2, -1
        else:
            yield index, 0.0, 0


def _names(rng: random.Random) -> Iterator[str]:
    stems = [first + second for first in _FIRST for second in _SECOND]
    rng.shuffle(stems)
    while True:  # a big city uses a name again in another quarter
        yield from stems


def _street(rng: random.Random, direction: str, index: int, names: Iterator[str]) -> dict[str, str]:
    kind = {0: "primary", 4: "secondary", 2: "tertiary", 6: "tertiary"}.get(index % 8)
    tags = {"highway": kind or "residential"}
    if kind or rng.random() < 0.5:
        stem = next(names)
        tags["name"] = stem + _SUFFIX[direction]
        if index % 6 == 0:
            tags["name__en"] = f"Street {direction} {index}"
            tags["old_name"] = f"老{stem}{_SUFFIX[direction]}"
    return tags


def _pieces(
    stops: list[tuple[float, int]],
    at: float,
    direction: str,
    put: Callable[[float, float], int],
) -> Iterator[list[int]]:
    """Cut a carriageway at the crossings; a gap over the far carriageway is no piece."""
    refs = [stops[0][1]]
    for (start, _), (end, node) in pairwise(stops):
        if end - start > 2 * CARRIAGEWAYS_M:
            for part in (0.25, 0.5, 0.75):
                along = start + part * (end - start)
                refs.append(put(along, at) if direction == "ew" else put(at, along))
            refs.append(node)
            yield refs
            refs = [node]
        else:
            refs.append(node)


def _specials(net: Network, line: Line, span: float) -> None:
    """Add the few ways that every city has, however small."""
    low, high, mid = -200.0, span + 200.0, span / 2
    net.way(line((low, low), (mid, mid - 60), (high, high)), railway="rail", name="陈塘庄支线")
    net.way(line((low, high), (mid, high + 90)), railway="disused", name="旧支线")
    net.way(line((high, low), (high + 40, mid), (high, high)), waterway="river", name="海河")
    net.way(line((low, 60), (mid, 40)), waterway="canal", name="津河", layer="-1", tunnel="yes")
    net.way(line((low, 0), (low + 90, 20)), highway="primary_link", oneway="yes")
    net.way(line((mid, 12), (mid + 90, 12)), highway="footway", footway="sidewalk")
    net.way(
        line((mid, 40), (mid + 200, 48)),
        highway="trunk",
        name="卫津南路",
        name__zh="卫津南路",
        **{"name__zh-Hant": "衛津南路", "alt_name": "卫津路南段;南延线"},
        ref="G205",
        bridge="viaduct",
        layer="2",
    )
    net.way(line((mid, 90), (mid + 99, 90)), highway="motorway", ref="S1")
    net.way(line((mid, 99), (mid + 99, 99)), highway="residential", oneway="-1", name="怡宾道")
    ring = line(*((mid + 20 * math.cos(a), 150 + 20 * math.sin(a)) for a in range(6)))
    net.way([*ring, ring[0]], highway="tertiary", junction="roundabout", name="环岛")


def _boundaries(net: Network, line: Line, span: float) -> None:
    """Add a district (its ring in three ways) and a subdistrict inside it (one way)."""
    a, b, c, d = line(
        (-300, -300), (span + 300, -300), (span + 300, span + 300), (-300, span + 300)
    )
    tags = {"boundary": "administrative"}
    parts = [net.way(refs, **tags) for refs in ([a, b], [b, c, d], [d, a])]
    net.relations.append(
        Relation(
            1,
            [("way", part, "outer") for part in parts],
            {"type": "boundary", **tags, "admin_level": "6", "name": "南开区", "name:en": "Nankai"},
        )
    )
    e, f, g, h = line((0, 0), (span / 2, 0), (span / 2, span / 2), (0, span / 2))
    part = net.way([e, f, g, h, e], **tags)
    net.relations.append(
        Relation(
            2,
            [("way", part, "outer")],
            {"type": "boundary", **tags, "admin_level": "8", "name": "学府街道"},
        )
    )


def xml(net: Network) -> Iterator[str]:
    """Yield the lines of OSM XML."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    stamp = f' osmosis_replication_timestamp="{net.date}"' if net.date else ""
    yield f'<osm version="0.6" generator="make_network"{stamp}>\n'
    if net.date:
        yield f'  <meta osm_base="{net.date}"/>\n'

    def tags(of: dict[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in of.items())

    when = f' timestamp="{net.date}"' if net.date else ""
    for node in net.nodes:
        head = f'  <node id="{node.id}" version="1"{when} lat="{node.lat}" lon="{node.lon}"'
        yield f"{head}>{tags(node.tags)}</node>\n" if node.tags else f"{head}/>\n"
    for way in net.ways:
        refs = "".join(f'<nd ref="{ref}"/>' for ref in way.refs)
        yield f'  <way id="{way.id}" version="1"{when}>{refs}{tags(way.tags)}</way>\n'
    for relation in net.relations:
        members = "".join(
            f'<member type="{kind}" ref="{ref}" role="{role}"/>'
            for kind, ref, role in relation.members
        )
        head = f'  <relation id="{relation.id}" version="1"{when}>'
        yield f"{head}{members}{tags(relation.tags)}</relation>\n"
    yield "</osm>\n"


def overpass(net: Network, *, geom: bool = False) -> dict[str, object]:
    """Return what Overpass would answer: `out body` with its nodes, or `out geom`."""
    places = {node.id: {"lat": node.lat, "lon": node.lon} for node in net.nodes}
    elements: list[dict[str, object]] = []
    if not geom:
        elements += [
            {"type": "node", "id": node.id, **places[node.id]}
            | ({"tags": node.tags} if node.tags else {})
            for node in net.nodes
        ]
    for way in net.ways:
        element: dict[str, object] = {"type": "way", "id": way.id, "nodes": way.refs}
        if geom:
            element["geometry"] = [places.get(ref) for ref in way.refs]
        elements.append(element | {"tags": way.tags})
    return {
        "version": 0.6,
        "generator": "make_network",
        "osm3s": {"timestamp_osm_base": net.date or "", "copyright": "generated"},
        "elements": elements,
    }


def write(net: Network, path: Path | str, *, geom: bool = False) -> Path:
    """Write a network in the format that the ending of the path's name says."""
    path = Path(path)
    name = path.name
    if name.endswith(".pbf"):
        _write_pbf(net, path)
    elif name.endswith(".json"):
        path.write_text(
            json.dumps(overpass(net, geom=geom), ensure_ascii=False, separators=(",", ":")),
            encoding="utf-8",
        )
    else:
        data = "".join(xml(net)).encode()
        if name.endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        elif name.endswith(".bz2"):
            data = bz2.compress(data)
        path.write_bytes(data)
    return path


def _write_pbf(net: Network, path: Path) -> None:
    import osmium
    from osmium.osm import mutable

    header = osmium.io.Header()
    header.set("generator", "make_network")
    if net.date:
        header.set("osmosis_replication_timestamp", net.date)
    info: dict[str, Any] = {"version": 1}
    if net.date:
        info["timestamp"] = net.date
    writer = osmium.SimpleWriter(str(path), overwrite=True, header=header)
    try:
        for node in net.nodes:
            writer.add_node(
                mutable.Node(id=node.id, location=(node.lon, node.lat), tags=node.tags, **info)
            )
        for way in net.ways:
            writer.add_way(mutable.Way(id=way.id, nodes=way.refs, tags=way.tags, **info))
        for relation in net.relations:
            members = [(kind[0], ref, role) for kind, ref, role in relation.members]
            writer.add_relation(
                mutable.Relation(id=relation.id, members=members, tags=relation.tags, **info)
            )
    finally:
        writer.close()


def main(argv: list[str] | None = None) -> int:
    """Write the network, or compare it with the file that is there."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--ways", type=int, default=5000, help="how many (default: 5000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--geom", action="store_true", help="Overpass JSON as `out geom`")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args(argv)
    net = city(args.ways, args.seed)
    if not args.check:
        write(net, args.path, geom=args.geom)
        print(f"{args.path}: {len(net.ways)} ways, {len(net.nodes)} nodes")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = write(net, Path(folder) / args.path.name, geom=args.geom).read_bytes()
    same = args.path.is_file() and args.path.read_bytes() == fresh
    print(f"{args.path}: {'as generated' if same else 'differs from what is generated'}")
    return 0 if same else 3


if __name__ == "__main__":
    sys.exit(main())
