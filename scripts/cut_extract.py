"""Cut the tests' extract of Tanggu from an extract of OpenStreetMap.

python scripts/cut_extract.py tanggu_2024-12-14.osm.pbf

Ways that are streets, railways, waterways or boundaries are kept with the tags that the toolkit
reads, and with their nodes; who edited them and when is left out, as are all other objects.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import osmium

OUT = Path(__file__).resolve().parent.parent / "tests" / "data" / "tanggu.osm.pbf"
KINDS = ("highway", "railway", "waterway", "boundary")
TAGS = {
    *KINDS, "name", "alt_name", "old_name", "official_name", "loc_name", "short_name", "name:en",
    "name:zh", "name:zh-Hans", "name:zh-Hant", "ref", "oneway", "junction", "bridge", "tunnel",
    "layer", "area", "admin_level",
}  # fmt: skip
# What is left out of every object: a tag of it is a person, a time or a session of editing.
NO_EDITOR = {"version": 0, "timestamp": None, "changeset": 0, "uid": 0, "user": ""}


def main() -> None:
    """Write the cut in the place of the one before."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extract", type=Path)
    parser.add_argument("--date", default="2024-12-14T02:57:59Z", help="of the data, ISO 8601")
    given = parser.parse_args()
    ways = {}
    for way in osmium.FileProcessor(given.extract, osmium.osm.WAY):
        tags = dict(way.tags)
        if tags.keys() & set(KINDS):
            kept = {key: value for key, value in tags.items() if key in TAGS}
            ways[way.id] = ([node.ref for node in way.nodes], kept)
    needed = {node for nodes, _ in ways.values() for node in nodes}
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", given.date)
    header.set("generator", "scripts/cut_extract.py; © OpenStreetMap contributors, ODbL 1.0")
    with osmium.SimpleWriter(OUT, header=header, overwrite=True) as writer:
        for node in osmium.FileProcessor(given.extract, osmium.osm.NODE):
            if node.id in needed:
                writer.add_node(node.replace(tags={}, **NO_EDITOR))
        for number, (nodes, kept) in ways.items():
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=kept))
    print(f"{OUT}: {len(ways)} ways, {len(needed)} nodes, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
