"""Remarks: what a reader of compiled geometry should know, as data.

A remark is a key with its figures and names. It is stored so, and becomes a sentence where it is
shown, in the language in force there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nankai_gis.plan.model import Names
from nankai_gis.plan.names import in_script
from nankai_gis.words import language, listed, mark, tr
from nankai_gis.words.terms import SIDES

#: The sentence of each key.
REMARKS: Mapping[str, str] = {
    "ring searched": mark(
        "the network lacks {lines}, which the ring of the definition names; the ring was searched "
        "for from the four sides"
    ),
    "ring not followed": mark(
        "the lines of the definition's ring don't close on this network; the ring was searched "
        "for from the four sides"
    ),
    "street unknown": mark("no street is called {name} in this network; the piece isn't drawn"),
    "street unknown, others near": mark(
        "no street is called {name} in this network; near names: {near}; the piece isn't drawn"
    ),
    "street not located": mark(
        "{name} is listed, but has no coordinates; the piece that ends there isn't drawn"
    ),
    "control point unknown": mark("no control point is called {points}"),
    "piece without length": mark("{line} from {start} to {end} has no length"),
    "lines don't meet": mark(
        "{line} doesn't meet {other}: they come no closer than {metres:,.0f} m; begin or end the "
        "piece at a line that it meets"
    ),
    "bridged": mark("bridges breaks and gaps of {metres:,.0f} m"),
    "nearest to the stated area": mark("has the area that the plan states"),
    "longer road": mark("follows the far longer of two roads of one name"),
    "nearer carriageway": mark("follows the nearer of two carriageways of one name"),
    "shorter way round": mark("has the shorter boundary"),
    "follows roads throughout": mark("follows its roads without a break"),
    "side moved out": mark(
        "the side along {lines} lies {metres:,.1f} ± {sd:,.1f} m outside its centreline, as the "
        "clause says"
    ),
    "side moved in": mark(
        "the side along {lines} lies {metres:,.1f} ± {sd:,.1f} m inside its centreline, as the "
        "clause says"
    ),
    "side not moved": mark(
        "the clause moves the side along {lines} by {metres:,.1f} m, but the moved sides don't "
        "close; it follows the centreline"
    ),
    "section not used": mark(
        "the clause names a section of {name} only ({section}); the side follows it from corner "
        "to corner"
    ),
    "left out": mark("the clause leaves out {words}; the area here still holds it"),
    "not understood": mark("words of the clause that were not understood: {words}"),
    "network breaks off": mark(
        "{line}: the network breaks off for {metres:,.0f} m; the straight line over the break is "
        "inferred, ±{accuracy:.0f} m"
    ),
    "end carried on": mark(
        "{line} stops {metres:,.0f} m short of {other}; the straight line there is inferred, "
        "±{accuracy:.0f} m"
    ),
    "link": mark(
        "{before} and {after} don't meet; {line}, which the clause doesn't name, joins them over "
        "{metres:,.0f} m, inferred, ±{accuracy:.0f} m"
    ),
    "stand-in": mark(
        "{line} is taken in place of {road} over {metres:,.0f} m, inferred, ±{accuracy:.0f} m"
    ),
    "roughly known": mark("{line} is known to ±{accuracy:.0f} m only, and counts as inferred"),
    "carriageways apart": mark(
        "{line} has carriageways or side roads {metres:,.0f} m apart; the boundary follows the one "
        "in the {side}"
    ),
    "road missing": mark("the network has no road called {name}, which the clause names"),
    "other reading": mark("another ring fits the clause: {lines}, {area:.2f} sq km"),
    "wrong side": mark("{lines} is named on the {side} side, but lies on another side of the ring"),
    "sides inverted": mark(
        "{lines} is named on the {side} side, but lies {other_side} of {others}, which is named "
        "on the {other_side} side"
    ),
    "clause turned": mark(
        "{lines} is named on the {side} side, but lies on the {actual_side} side of the ring"
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on a compiled feature, a ring or a piece of an axis."""

    key: str
    values: Mapping[str, Any]

    def text(self) -> str:
        """Return the sentence in the language in force."""
        shown = {name: _shown(name, value) for name, value in self.values.items()}
        return tr(REMARKS[self.key], **shown)

    def as_dict(self) -> dict[str, Any]:
        """Return the remark as it is stored, for JSON."""
        return asdict(self)


def doubts_of(properties: Mapping[str, Any]) -> list[str]:
    """Return what is in doubt of a feature of a layer, in sentences in the language in force."""
    return [Remark(**doubt).text() for doubt in properties.get("doubts") or ()]


def named(names: Names) -> dict[str, str]:
    """Return names as a remark holds them: of each script one."""
    return {"zh-Hant": names.hant, "zh-Hans": names.hans, "en": names.en}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return listed(_shown(name, item) for item in value)
    if isinstance(value, Mapping):
        return value[language()]
    if name.endswith("side"):
        return tr(SIDES[value])
    return in_script(value) if isinstance(value, str) else value
