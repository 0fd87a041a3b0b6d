"""Assemble the boundaries and multipolygons of an OSM file, through libosmium's assembler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    import geopandas as gpd

_UNCLOSED = mark("its rings don't close or cross themselves or each other")


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

    Relations of type multipolygon or boundary count, and closed ways with a `boundary` tag. A
    relation whose rings can't be assembled gives no row: its id and the reason stand in the
    frame's ``attrs["broken"]``, a dict, empty when all is well. Nothing is repaired.

    Parameters
    ----------
    path : str or path-like
        ``.osm.pbf``, or ``.osm`` (also packed).
    admin_level : int or str, optional
        Only areas with this `admin_level` (in China 6 for districts, 8 for subdistricts).

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326; columns `id` (OSM id, int64), `kind` (``way`` or ``relation``), `name`,
        `aliases`, `admin_level`, `boundary`, `geometry` (Polygon or MultiPolygon). Empty, with
        these columns, if no area matches.

    Raises
    ------
    DataError
        The file is damaged, or every one of the relations asked for is broken.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> corners = [(117.1, 39.1), (117.2, 39.1), (117.2, 39.2)]
    >>> nodes = "".join(f'<node id="{i}" lon="{x}" lat="{y}"/>'
    ...                 for i, (x, y) in enumerate(corners, 1))
    >>> tags = '<tag k="boundary" v="administrative"/><tag k="name" v="学府街道"/>'
    >>> refs = "".join(f'<nd ref="{i}"/>' for i in (1, 2, 3, 1))
    >>> text = f'<osm version="0.6">{nodes}<way id="9">{refs}{tags}</way></osm>'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "one.osm"
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     areas(file).name.tolist()
    ['学府街道']
    """
    import numpy as np
    import shapely

    path = Path(path)
    level = None if admin_level is None else str(admin_level)

    def wanted(tags: Mapping[str, str]) -> bool:
        if level is not None:
            return tags.get("admin_level") == level
        return "boundary" in tags or tags.get("type") == "multipolygon"

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


def _assemble(
    path: Path, wanted: Callable[[Mapping[str, str]], bool]
) -> tuple[list[WayRing], dict[int, str]]:
    """Assemble areas; also return the relations that gave none, each with the reason."""
    import osmium

    from nankai_gis.network import osm

    kind = osm.kind_of(path)
    if kind in ("vector", "json", "graphml"):
        raise DataError(
            tr(
                "{file}: areas are assembled from .osm.pbf and .osm files; ask Overpass for "
                "[out:xml] or take an extract",
                file=path.name,
            )
        )
    with osm.refusing_damage(path.name):
        file = osm.checked(path, kind)
        relations: Iterable[Any] = osmium.FileProcessor(file, osmium.osm.RELATION)
        members = {
            relation.id: [member.ref for member in relation.members if member.type == "w"]
            for relation in relations
            if relation.tags.get("type") in ("multipolygon", "boundary")
            and wanted(dict(relation.tags))
        }
        rings = _assembled(file, wanted)
        whole = {ring.id for ring in rings if ring.kind == "relation"}
        # A closed way that is a relation's ring is that relation's area, not one of its own.
        parts = {ref for refs in members.values() for ref in refs}
        rings = [ring for ring in rings if ring.kind == "relation" or ring.id not in parts]
        return rings, _reasons(file, {i: refs for i, refs in members.items() if i not in whole})


def _assembled(file: Any, wanted: Callable[[Mapping[str, str]], bool]) -> list[WayRing]:
    import osmium

    factory = osmium.geom.WKBFactory()
    rings: list[WayRing] = []
    processor = osmium.FileProcessor(file).with_areas()
    assembled: Iterable[Any] = processor.with_filter(osmium.filter.EntityFilter(osmium.osm.AREA))
    for area in assembled:
        tags = dict(area.tags)
        if wanted(tags) and area.num_rings()[0]:
            kind = "way" if area.from_way() else "relation"
            rings.append(WayRing(area.orig_id(), kind, tags, factory.create_multipolygon(area)))
    return rings


def _reasons(file: Any, missing: Mapping[int, list[int]]) -> dict[int, str]:
    """Say of every relation without an area why it has none."""
    import osmium

    from nankai_gis.network.ways import few

    if not missing:
        return {}
    asked = {ref for refs in missing.values() for ref in refs}
    present: dict[int, list[int]] = {}
    ways: Iterable[Any] = osmium.FileProcessor(file, osmium.osm.WAY)
    for way in ways:
        if way.id in asked:
            present[way.id] = [node.ref for node in way.nodes]
    absent_nodes = {ref for refs in present.values() for ref in refs}
    for node in osmium.FileProcessor(file, osmium.osm.NODE):
        absent_nodes.discard(node.id)
    reasons: dict[int, str] = {}
    for relation, refs in missing.items():
        absent = [ref for ref in refs if ref not in present]
        holed = [ref for ref in refs if absent_nodes.intersection(present.get(ref, ()))]
        if not refs:
            reasons[relation] = tr("it has no member ways")
        elif absent:
            reasons[relation] = tr("member ways missing from the file: {ids}", ids=few(absent))
        elif holed:
            reasons[relation] = tr("member ways with missing nodes: {ids}", ids=few(holed))
        else:
            reasons[relation] = tr(_UNCLOSED)
    return reasons
