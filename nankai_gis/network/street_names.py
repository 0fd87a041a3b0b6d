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
_LATIN_BEHIND = re.compile(r"^([^a-z]*[^\x00-\x7f])[a-z][\x00-\x7f]*$")
_SIDE_ROADS = ("辅路", "辅道")
#: What the letter of a road's number stands for.
_NUMBERED = {"G": "国道", "S": "省道", "X": "县道", "Y": "乡道"}
_NUMBER = re.compile(r"([GSXYgsxy])(\d{1,4})")
_SUFFIX = "大街|大道|马路|公路|路|道|街|线|桥|胡同|里|巷"


def split_names(text: object) -> list[str]:
    """The names of a list; none where it is no text."""
    if not isinstance(text, str):
        return []
    return [name for part in _LIST.split(text) if (name := part.strip())]


def variants(key: str) -> list[str]:
    """Other readings of a folded name that has a bracket, Latin behind it, or is a side road."""
    found = [key]
    latin = _LATIN_BEHIND.match(key)
    if latin:
        found.append(latin[1])
    bracketed = _BRACKETED.match(found[-1])
    if bracketed:
        outer, inner = bracketed.groups()
        found += [outer, inner] if re.search(rf"({_SUFFIX})$", inner) else [outer]
    # A side road is called 辅路 or 辅道.
    found += [name[:-1] + "道路"[name[-1] == "道"] for name in found if name[-2:] in _SIDE_ROADS]
    return found[1:]


def numbers(ref: object) -> list[str]:
    """Folded names of road numbers: G103 is 103国道 and 国道103, too."""
    out = []
    for part in split_names(ref):
        number = _NUMBER.fullmatch(part.replace(" ", ""))
        if number:
            kind, digits = _NUMBERED[number[1].upper()], number[2]
            out += [f"{number[1].lower()}{digits}", f"{digits}{kind}", f"{kind}{digits}"]
    return out
