"""The real roads of Tanggu (see ``data/README.md``), as a file and as an Overpass answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import osmium

PBF = Path(__file__).parent / "data" / "tanggu.osm.pbf"
DATE = "2024-12-14T02:57:59Z"


def elements() -> list[dict[str, Any]]:
    """Read the raw nodes and ways, as Overpass writes them, past the readers of the toolkit."""
    made: list[dict[str, Any]] = []
    for entry in osmium.FileProcessor(PBF):
        if isinstance(entry, osmium.osm.Node):
            place = {"lat": entry.location.lat, "lon": entry.location.lon}
            made.append({"type": "node", "id": entry.id, **place})
        elif isinstance(entry, osmium.osm.Way):
            nodes = [node.ref for node in entry.nodes]
            made.append({"type": "way", "id": entry.id, "nodes": nodes, "tags": dict(entry.tags)})
    return made


def write_overpass(path: Path) -> Path:
    """Write the answer that Overpass would have given, as JSON."""
    answer = {
        "version": 0.6,
        "generator": "Overpass API",
        "osm3s": {"timestamp_osm_base": DATE},
        "elements": elements(),
    }
    path.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    return path
