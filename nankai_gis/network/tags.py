"""What OSM's tags mean here: which ways count, and what their values come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nankai_gis.geometry.arrays import Bools

#: One tag of many ways: str, or None where a way doesn't carry it.
Words = NDArray[np.object_]

#: Tags that hold another name of the same way, in the order in which aliases are listed.
ALIAS_KEYS = (
    "name:zh",
    "name:zh-Hans",
    "name:zh-Hant",
    "alt_name",
    "old_name",
    "official_name",
    "short_name",
    "name:en",
)
#: A way counts only if it has one of these.
KINDS = ("highway", "railway", "waterway")
#: Every tag that is read.
KEYS = (
    *("name", *KINDS, "oneway", "junction", "ref", "bridge", "tunnel", "layer", "area"),
    *ALIAS_KEYS,
)
#: Tracks, in use or not; platforms, stations and signals are no line to follow.
RAILWAYS = frozenset(
    {"rail", "light_rail", "subway", "tram", "narrow_gauge", "monorail", "funicular"}
    | {"preserved", "construction", "proposed", "disused", "abandoned", "razed", "dismantled"}
)
WATERWAYS = frozenset({"river", "canal", "stream", "drain"})

_ONEWAY = {
    **dict.fromkeys(("yes", "true", "1"), 1),
    **dict.fromkeys(("-1", "reverse"), -1),
    # reversible, alternating: now this way, now that
    **dict.fromkeys(("no", "false", "0", "reversible", "alternating"), 0),
}
_LAYER_LIMIT = 99


def given(words: Words) -> Bools:
    """Tell which ways carry the tag."""
    return np.asarray(np.not_equal(words, np.array(None)), bool)


def of_interest(tags: Mapping[str, Words]) -> Bools:
    """Tell which ways are a road of any class, a track or running water."""
    keep = given(tags["highway"])
    for key, values in (("railway", RAILWAYS), ("waterway", WATERWAYS)):
        tagged = np.flatnonzero(given(tags[key]))
        keep[tagged] |= np.fromiter((word in values for word in tags[key][tagged]), bool)
    return keep


def aliases(tags: Mapping[str, Words]) -> Words:
    """Join the other names of each way."""
    joined = np.full(len(tags["name"]), "", object)
    others = [tags[key] for key in ALIAS_KEYS]
    rows = np.flatnonzero(np.any([given(words) for words in others], axis=0))
    known: dict[tuple[str | None, ...], str] = {}  # the ways of a street have the same names
    for row, names in zip(
        rows.tolist(),
        zip(tags["name"][rows], *(words[rows] for words in others), strict=True),
        strict=True,
    ):
        if names not in known:
            known[names] = other_names(names[0], names[1:])
        joined[row] = known[names]
    return joined


def other_names(name: str | None, others: Sequence[str | None]) -> str:
    """Join names with ``;``, each once and without the name itself."""
    parts = (part.strip() for other in others if other for part in other.split(";"))
    return ";".join(alias for alias in dict.fromkeys(filter(None, parts)) if alias != name)


def oneway(tags: Mapping[str, Words]) -> NDArray[np.int8]:
    """Return 1 along the line, -1 against it, 0 both ways."""
    words, junction = tags["oneway"], tags["junction"]
    implied = (tags["highway"] == "motorway") | np.isin(junction, ("roundabout", "circular"))
    sense = np.asarray(implied, bool).astype(np.int8)
    for word in set(words[given(words)]) & _ONEWAY.keys():
        sense[words == word] = _ONEWAY[word]
    return sense


def yes(words: Words) -> Bools:
    """Tell which ways carry the tag with a value other than ``no``."""
    said_no = np.asarray((words == "no") | (words == ""), bool)
    return np.asarray(given(words) & ~said_no, bool)


def layer(words: Words) -> NDArray[np.int16]:
    """Return the level of each way, 0 where there is none or it is no number."""
    levels = np.zeros(len(words), np.int16)
    for row in np.flatnonzero(given(words)).tolist():
        try:
            levels[row] = max(-_LAYER_LIMIT, min(_LAYER_LIMIT, int(float(words[row]))))
        except (ValueError, OverflowError):
            continue  # "1;2" and the like
    return levels
