"""What a wording is: words that stand round a name, and what they do to the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nankai_gis.plan.clauses.reading import Bound


@dataclass(slots=True)
class Draft:
    """A reading in progress: what one body, or what stands behind a clause, has said so far."""

    bounds: list[Bound] = field(default_factory=list)
    stated_area_m2: float | None = None
    exclusions: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    everywhere: bool = False


class Wording(NamedTuple):
    """Words that the grammar knows.

    `behind` lists the states in which they may stand: "start" of an item, "comma", "name", "area"
    and "mod" (behind words that stand behind a name). `put` takes the draft, the match, and the
    matched words in the text's own script.
    """

    kind: str
    pattern: re.Pattern[str]
    behind: frozenset[str]
    cost: float
    put: Callable[[Draft, re.Match[str], str], None] | None = None
    ends: bool = False


class Example(NamedTuple):
    """A clause, and what its reading must say: sides as lists divided by 、."""

    text: str
    says: Mapping[str, Any]


NAMED = frozenset({"name", "mod"})
ANY = frozenset({"start", "comma", "name", "area", "mod"})
BEHIND = frozenset({"name", "area", "mod"})
LATER = frozenset({"comma", "name", "area", "mod"})

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "半": 0.5}
_POWERS = {"十": 10, "百": 100, "千": 1000}
#: A number in digits or in Chinese numerals.
NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|[零〇一二三四五六七八九十百千两半]+)"


def number(text: str) -> float:
    """Return a number written in digits or in Chinese numerals."""
    if text[0].isdigit():
        return float(text.replace(",", ""))
    value, digit = 0.0, 0.0
    for character in text:
        if character in _POWERS:
            value += (digit or 1.0) * _POWERS[character]
            digit = 0.0
        else:
            digit = _DIGITS[character]
    return value + digit
