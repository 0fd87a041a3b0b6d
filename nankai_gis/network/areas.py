"""Assemble the boundaries and multipolygons of an OSM file, through libosmium's assembler."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.words import listed, mark, tr

if TYPE_CHECKING:
    import geopandas as gpd

_UNCLOSED = mark("its rings don't close or cross themselves or each other")
_DELETED = mark("it is marked as deleted")
#: Tags that say nothing of what an area is.
_NO_TAGS = frozenset({"type", "source", "created_by", "note"})


@dataclass
class WayRing:
    """An area as it came out of the assembler."""

    id: int
    kind: str
    tags: Mapping[str, str]
    wkb: str


def areas(
    path: str | os.PathLike[str], *, admin_level: int | str | None = None
) -> gpd.GeoDataFrame:
    """Assemble boundaries and multipolygons of an OSM file.

    Relations of type multipolygon or boundary count, and closed ways with a `boundary` tag or
    ``area=yes``. What can't be assembled gives no row: its id and the reason stand in the frame's
    ``attrs["broken"]``, a dict, empty when all is well. Nothing is repaired. Where a level is asked
    for that no area has, ``attrs["levels"]`` counts those that there are.
    """
    import numpy as np
    import shapely

    path = Path(path)
    level = None if admin_level is None else str(admin_level)

    levels: Counter[str] = Counter()

    def wanted(tags: Mapping[str, str]) -> bool:
        if level is not None:
            levels[tags.get("admin_level", "")] += 1
            return tags.get("admin_level") == level
        return "type" in tags or "boundary" in tags or tags.get("area") == "yes"

    rings, broken = _assemble(path, wanted)
    shapes = shapely.from_wkb(np.array([ring.wkb for ring in rings], object))
    valid = shapely.is_valid(shapes)
    for row in np.flatnonzero(~valid):
        why = shapely.is_valid_reason(shapes[row])
        broken[rings[row].id] = tr("not valid: {reason}", reason=why)
    if broken and not valid.any():
        first = [
            tr("{relation}: {reason}", relation=relation, reason=reason)
            for relation, reason in list(broken.items())[:5]
        ]
        raise DataError(
            tr(
                "{file}: none of {n} relations gives an area: {reasons}",
                file=path.name,
                n=len(broken),
                reasons="; ".join(first),
            )
        )
    kept = [(ring, shape) for ring, shape, good in zip(rings, shapes, valid, strict=True) if good]
    frame = _frame(sorted(kept, key=lambda item: (item[0].kind, item[0].id)))
    frame.attrs["broken"] = dict(sorted(broken.items()))
    if not len(frame):
        frame.attrs["levels"] = {found: n for found, n in sorted(levels.items()) if found}
    return frame


def of_level(path: Path, level: int) -> gpd.GeoDataFrame:
    """Return the areas of an admin_level; refuse a file without any, and say which it has."""
    frame = areas(path, admin_level=level)
    if frame.empty:
        levels = [
            tr("{level} ({n})", level=there, n=n) for there, n in frame.attrs["levels"].items()
        ]
        raise DataError(
            tr(
                "{file}: no boundary of admin_level {level}; the levels in it: {levels}",
                file=path.name,
                level=level,
                levels=listed(levels) or tr("none"),
            )
        )
    return frame


def _frame(kept: list[tuple[WayRing, Any]]) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    from nankai_gis.geometry.crs import STORED
    from nankai_gis.network.tags import ALIAS_KEYS, other_names

    tags = [ring.tags for ring, _ in kept]
    columns: dict[str, list[str | None]] = {
        "kind": [ring.kind for ring, _ in kept],
        "name": [tag.get("name") for tag in tags],
        "aliases": [
            other_names(tag.get("name"), [tag.get(key) for key in ALIAS_KEYS]) for tag in tags
        ],
        "admin_level": [tag.get("admin_level") for tag in tags],
        "boundary": [tag.get("boundary") for tag in tags],
    }
    return gpd.GeoDataFrame(
        {"id": pd.Series([ring.id for ring, _ in kept], dtype="int64")}
        | {key: pd.Series(words, dtype=object) for key, words in columns.items()},
        geometry=[shape.geoms[0] if len(shape.geoms) == 1 else shape for _, shape in kept],
        crs=STORED,
    )


@dataclass
class _Sought:
    """A relation, or a closed way, that is to become an area; members have an id and a role."""

    kind: str
    id: int
    tags: dict[str, str]
    members: list[tuple[int, str]]


@dataclass
class _Ways:
    """Ways by id, with their nodes, and the places of these in units of 1e-7 degrees."""

    tags: dict[int, dict[str, str]]
    nodes: dict[int, list[int]]
    places: dict[int, tuple[int, int]]


def _assemble(
    path: Path, wanted: Callable[[Mapping[str, str]], bool]
) -> tuple[list[WayRing], dict[int, str]]:
    """Assemble areas; also return the relations that gave none, each with the reason.

    Only what belongs to the areas is read, and written anew for the assembler: with places from
    wherever the file has them, in the order and with the positive ids that libosmium needs.
    """
    import osmium

    from nankai_gis.network import osm, whole

    kind = osm.kind_of(path)
    if kind in ("vector", "json", "graphml"):
        raise DataError(
            tr(
                "{file}: areas are assembled from .osm.pbf and .osm files; ask Overpass for "
                "[out:xml] or take an extract",
                file=path.name,
            )
        )
    with whole.refusing_damage(path.name):
        # Read the relations, the ways in them, and closed ways that are areas themselves.
        file = osm.opened(path, kind)
        relations = _relations(file.source)
        ways = _ways(file.source, {ref for one in relations for ref, _ in one.members})
        sought = [one for one in _with_tags(relations, ways) if wanted(one.tags)]
        rings = {ref for one in sought for ref, _ in one.members}
        for way, tags in ways.tags.items():
            # A closed way that is a relation's ring is that relation's area, not one of its own.
            if way not in rings and _is_area(tags, ways.nodes[way]) and wanted(tags):
                sought.append(_Sought("way", way, tags, [(way, "outer")]))

        # Look up the nodes that have no place yet, and let libosmium assemble the rings.
        refs = {ref for one in sought for way, _ in one.members for ref in ways.nodes.get(way, ())}
        ways.places |= osm.places_of(file.source, refs - ways.places.keys())
        factory = osmium.geom.WKBFactory()
        buffer = osmium.io.FileBuffer(_written(sought, ways), "osm")
        areas: Iterable[Any] = osmium.FileProcessor(buffer).with_areas()
        wkb = {
            area.orig_id(): factory.create_multipolygon(area)
            for area in areas
            if area.is_area() and area.num_rings()[0]
        }
    broken = {number: tr(_DELETED) for number, tags in file.deleted.items() if wanted(tags)}
    assembled = []
    for number, one in enumerate(sought, start=1):
        if number in wkb:
            assembled.append(WayRing(one.id, one.kind, one.tags, wkb[number]))
        else:
            broken[one.id] = _reason(one, ways)
    return assembled, broken


def _relations(source: Any) -> list[_Sought]:
    import osmium

    relations: Iterable[Any] = osmium.FileProcessor(source, osmium.osm.RELATION)
    return [
        _Sought(
            "relation",
            relation.id,
            dict(relation.tags),
            [(member.ref, member.role) for member in relation.members if member.type == "w"],
        )
        for relation in relations
        if relation.tags.get("type") in ("multipolygon", "boundary")
    ]


def _ways(source: Any, members: set[int]) -> _Ways:
    """Read the ways of relations, and closed ones that may be areas."""
    import osmium

    ways = _Ways({}, {}, {})
    stream: Iterable[Any] = osmium.FileProcessor(source, osmium.osm.WAY)
    for way in stream:
        if way.id in members or "boundary" in way.tags or "area" in way.tags:
            ways.tags[way.id] = dict(way.tags)
            ways.nodes[way.id] = [node.ref for node in way.nodes]
            for node in way.nodes:
                if node.location.valid():
                    ways.places[node.ref] = (node.location.x, node.location.y)
    return ways


def _is_area(tags: Mapping[str, str], nodes: list[int]) -> bool:
    closed = len(nodes) > 3 and nodes[0] == nodes[-1]
    return closed and ("boundary" in tags or tags.get("area") == "yes")


def _with_tags(relations: list[_Sought], ways: _Ways) -> list[_Sought]:
    """Give relations without tags of their own those of their outer ways, as was once usual."""
    for one in relations:
        if not one.tags.keys() - _NO_TAGS:
            outer = [ways.tags.get(way, {}).items() for way, role in one.members if role != "inner"]
            one.tags |= dict(set.intersection(*map(set, outer))) if outer else {}
    return relations


def _written(sought: list[_Sought], ways: _Ways) -> bytes:
    """Write relations, numbered from 1, with their ways and nodes as OSM XML."""
    from xml.sax.saxutils import quoteattr

    way_numbers: dict[int, int] = {}
    node_numbers: dict[int, int] = {}
    relations, lines, nodes = [], [], []
    for number, one in enumerate(sought, start=1):
        members = "".join(
            f'<member type="way" ref="{way_numbers.setdefault(way, len(way_numbers) + 1)}" '
            f"role={quoteattr(role)}/>"
            for way, role in one.members
        )
        relations.append(
            f'<relation id="{number}">{members}<tag k="type" v="multipolygon"/></relation>'
        )
    for way, number in way_numbers.items():
        if way in ways.nodes:
            refs = [node_numbers.setdefault(n, len(node_numbers) + 1) for n in ways.nodes[way]]
            lines.append(
                f'<way id="{number}">{"".join(f"""<nd ref="{n}"/>""" for n in refs)}</way>'
            )
    for node, number in node_numbers.items():
        if node in ways.places:
            lon, lat = (f"{units / 1e7:.7f}" for units in ways.places[node])
            nodes.append(f'<node id="{number}" lon="{lon}" lat="{lat}"/>')
    return "\n".join(['<osm version="0.6">', *nodes, *lines, *relations, "</osm>"]).encode()


def _reason(one: _Sought, ways: _Ways) -> str:
    """Say why a relation gives no area."""
    from nankai_gis.network.ways import few

    refs = [way for way, _ in one.members]
    absent = [way for way in refs if way not in ways.nodes]
    holed = [way for way in refs if not ways.places.keys() >= set(ways.nodes.get(way, ()))]
    if not refs:
        return tr("it has no member ways")
    if absent:
        return tr("member ways missing from the file: {ids}", ids=few(absent))
    if holed:
        return tr("member ways with missing nodes: {ids}", ids=few(holed))
    return tr(_UNCLOSED)
