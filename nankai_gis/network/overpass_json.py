"""Read what Overpass answers in JSON: ``out geom``, or ``out body`` with the nodes."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.geometry.arrays import Floats
from nankai_gis.network import whole
from nankai_gis.network.osm import lineless
from nankai_gis.network.tags import KEYS, KINDS
from nankai_gis.network.ways import DELETED, OLDER, TWICE, RawWays
from nankai_gis.words import tr

#: Bytes of JSON: more than any city's roads, and what they grow to fits in a computer's memory.
LIMIT = 256 << 20
#: Halves of characters.
_HALVES = re.compile("[\ud800-\udfff]")
#: Characters of a page that a message repeats.
_QUOTED = 200


def answer(name: str, source: Path | bytes) -> dict[str, Any]:
    """Parse an answer, packed or not; refuse what is no complete answer."""
    with whole.refusing_damage(name):
        data = bytearray()
        for chunk in whole.chunks(source, name):
            data += chunk
            if len(data) > LIMIT:
                raise DataError(
                    tr(
                        "{file}: more than {limit} MB of JSON; ask for a smaller area, or take an "
                        "extract as .osm.pbf",
                        file=name,
                        limit=LIMIT >> 20,
                    )
                )
    if data[:500].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise DataError(
            tr(
                "{file}: a page of markup instead of JSON; it says: {text}",
                file=name,
                text=plain_text(bytes(data[:4096])),
            )
        )
    with whole.refusing_damage(name):
        try:
            content = json.loads(data, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            raise DataError(
                tr("{file}: not complete JSON, likely cut off: {reason}", file=name, reason=error)
            ) from error
    if not isinstance(content, dict):
        raise DataError(tr("{file}: JSON, but no Overpass answer", file=name))
    if content.get("remark"):
        raise whole.remarked(name, str(content["remark"]))
    if not isinstance(content.get("elements"), list):
        raise DataError(
            tr("{file}: JSON, but no Overpass answer: it has no list of elements", file=name)
        )
    return content


def plain_text(page: bytes) -> str:
    """Return the first words of a page of markup."""
    text = page[:4096].decode("utf-8", "replace")
    words = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL).split()
    return " ".join(words)[:_QUOTED]


def _no_number(word: str) -> NoReturn:
    raise ValueError(tr("{word} is no number", word=word))


def read(name: str, content: dict[str, Any]) -> RawWays:
    """Read the ways of a parsed answer."""
    try:
        ways = _ways(name, content["elements"])
    except DataError:
        raise
    except Exception as error:  # what isn't shaped as Overpass writes it fails in any way
        raise DataError(
            tr(
                "{file}: an element of the Overpass answer is malformed: {reason}",
                file=name,
                reason=error,
            )
        ) from error
    stamp = content.get("osm3s")
    if isinstance(stamp, dict) and stamp.get("timestamp_osm_base"):
        ways.date = str(stamp["timestamp_osm_base"])
    return ways


def _ways(name: str, elements: list[dict[str, Any]]) -> RawWays:
    # Take the newest version of each element, and part nodes and ways.
    dropped: Counter[str] = Counter()
    nodes = {node["id"]: (node["lon"], node["lat"]) for node in _newest(elements, "node", dropped)}
    if not any(element["type"] == "way" for element in elements):
        raise DataError(tr("{file}: the Overpass answer holds no way", file=name))
    dropped.clear()
    ways = _newest(elements, "way", dropped)

    # `kept` are the ways with a key of interest; place the nodes of each: written with it, or
    # looked up by id.
    kept = [way for way in ways if any(key in _tags(way) for key in KINDS)]
    if all("geometry" in way for way in kept):
        lines = [[_place(point) for point in way["geometry"]] for way in kept]
    elif any("geometry" in way or "nodes" not in way for way in kept):
        raise lineless(name)
    else:
        nowhere = (np.nan, np.nan)
        lines = [[nodes.get(ref, nowhere) for ref in way["nodes"]] for way in kept]
    lon, lat = _degrees([place for line in lines for place in line])

    # Turn tags into columns.
    tags: dict[str, Any] = {}
    for key in KEYS:
        tags[key] = np.empty(len(kept), object)
        tags[key][:] = [way["tags"].get(key) for way in kept]
    return RawWays(
        total=len(ways),
        ids=np.array([way["id"] for way in kept], np.int64),
        tags=tags,
        counts=np.array([len(line) for line in lines], np.int64),
        lon=lon,
        lat=lat,
        area=np.array(
            [
                way["tags"].get("area") == "yes" and bool(line) and _closed(way, line)
                for way, line in zip(kept, lines, strict=True)
            ],
            bool,
        ),
        date=max((element.get("timestamp", "") for element in elements), default="") or None,
        dropped=+dropped,
    )


def _newest(
    elements: list[dict[str, Any]], kind: str, dropped: Counter[str]
) -> list[dict[str, Any]]:
    """Return the elements of a kind that are there, each in its newest version."""
    of_kind = [element for element in elements if element["type"] == kind]
    newest: dict[int, dict[str, Any]] = {}
    for element in of_kind:
        known = newest.setdefault(element["id"], element)
        if known is not element:
            old, new = known.get("version", 0), element.get("version", 0)
            dropped[TWICE if old == new else OLDER] += 1
            newest[element["id"]] = element if new > old else known
    there = [e for e in newest.values() if e.get("visible", True) and e.get("action") != "delete"]
    dropped[DELETED] += len(newest) - len(there)
    return there


def _tags(way: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a way; refuse values that are no text, or text that can't be written."""
    tags = way.get("tags") or {}
    for key, value in tags.items():
        # Half a character, which a lone surrogate is, is no text either.
        if not isinstance(value, str) or _HALVES.search(value):
            raise TypeError(
                tr("way {way}: the value of tag {key} is no text", way=way["id"], key=key)
            )
    return tags


def _place(point: dict[str, float] | None) -> tuple[float, float]:
    point = point or {}
    return point.get("lon", np.nan), point.get("lat", np.nan)


def _closed(way: dict[str, Any], line: list[tuple[float, float]]) -> bool:
    refs = way.get("nodes")
    return bool(refs[0] == refs[-1] if refs else line[0] == line[-1])


def _degrees(places: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes to the 1e-7 degrees that OSM keeps."""
    table = np.array(places, np.float64).reshape(-1, 2)
    table[~np.isfinite(table).all(axis=1)] = np.nan
    # Dividing whole numbers gives the double nearest to the decimal figure.
    table = np.rint(table * 1e7) / 1e7
    return table[:, 0], table[:, 1]
