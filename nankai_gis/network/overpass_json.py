"""Read what Overpass answers in JSON: ``out geom``, or ``out body`` with the nodes."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from typing import Any

import numpy as np

from nankai_gis.errors import DataError
from nankai_gis.geometry.arrays import Floats
from nankai_gis.network.osm import BZIP2, GZIP, refusing_damage, remarked
from nankai_gis.network.tags import KEYS, KINDS
from nankai_gis.network.ways import RawWays
from nankai_gis.words import tr

#: Characters of a page that a message repeats.
_QUOTED = 200


def answer(name: str, data: bytes) -> dict[str, Any]:
    """Parse an answer, packed or not; refuse what is no complete answer."""
    with refusing_damage(name):
        if data.startswith(GZIP):
            data = gzip.decompress(data)
        elif data.startswith(BZIP2):
            data = bz2.decompress(data)
    if data[:500].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise DataError(
            tr(
                "{file}: a page of markup instead of JSON; it says: {text}",
                file=name,
                text=plain_text(data),
            )
        )
    try:
        content = json.loads(data)
    except ValueError as error:  # also bytes that are no UTF-8
        raise DataError(
            tr("{file}: not complete JSON, likely cut off: {reason}", file=name, reason=error)
        ) from error
    if not isinstance(content, dict):
        raise DataError(tr("{file}: JSON, but no Overpass answer", file=name))
    if content.get("remark"):
        raise remarked(name, str(content["remark"]))
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


def read(name: str, content: dict[str, Any]) -> RawWays:
    """Read the ways of a parsed answer."""
    try:
        ways = _ways(name, content["elements"])
    except DataError:
        raise
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
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
    # Part the elements; `kept` are the ways with a key of interest.
    nodes = {e["id"]: (e["lon"], e["lat"]) for e in elements if e["type"] == "node"}
    ways = [element for element in elements if element["type"] == "way"]
    kept = [way for way in ways if any(key in (way.get("tags") or {}) for key in KINDS)]
    if not ways:
        raise DataError(tr("{file}: the Overpass answer holds no way", file=name))

    # Place the nodes of each way: written with it, or looked up by id.
    if all("geometry" in way for way in kept):
        lines = [[_place(point) for point in way["geometry"]] for way in kept]
    elif any("geometry" in way or "nodes" not in way for way in kept):
        raise DataError(
            tr(
                "{file}: ways without lines; ask Overpass for `out geom;` or "
                "`out body; >; out skel;`",
                file=name,
            )
        )
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
    )


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
