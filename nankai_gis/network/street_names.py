"""Names on ways: lists of names, names with brackets, classes that are not the street itself."""

from __future__ import annotations

import re

#: Highway classes that carry a street's name without being the street.
APART = frozenset(
    {
        "footway", "path", "steps", "cycleway", "bridleway", "corridor", "elevator",
        "platform", "service", "bus_stop", "crossing", "proposed", "construction",
        "abandoned", "razed",
    }
)  # fmt: skip

_LIST = re.compile(r"[;；]")
_BRACKETED = re.compile(r"^(.+?)\((.+)\)$")
_SUFFIX = "大街|大道|马路|公路|路|道|街|线|桥|胡同|里|巷"


def split_names(text: object) -> list[str]:
    """The names of a list; none where it is no text."""
    if not isinstance(text, str):
        return []
    return [name for part in _LIST.split(text) if (name := part.strip())]


def variants(key: str) -> list[str]:
    """Readings of a folded name with a bracket: the name before it and the one inside."""
    bracketed = _BRACKETED.match(key)
    if not bracketed:
        return []
    outer, inner = bracketed.groups()
    return [outer, inner] if re.search(rf"({_SUFFIX})$", inner) else [outer]
