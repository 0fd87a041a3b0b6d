"""What a reading of a text holds: areas with their sides, and a ledger of every character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

#: What a character of a text can be. Prose: what stands outside every clause.
SPAN_KINDS = (
    *("side", "axis", "road", "railway", "river", "junction", "area", "edge", "offset"),
    *("section", "exclusion", "inclusion", "stated area", "connective", "heading", "unread"),
    "prose",
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, and what the reader takes it for.

    Attributes
    ----------
    start, end : int
        Places of characters in the text as it was given.
    kind : str
        Member of `SPAN_KINDS`.
    text : str
    """

    start: int
    end: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """One thing that a side names.

    Attributes
    ----------
    name : str
        As the clause names it, with an offset; without edge and section.
    kind : {'road', 'railway', 'river', 'junction', 'area'}
    line : str
        The name to look up: `name` without its offset.
    others : tuple of str
        Further names, from brackets.
    planned : bool
        Whether the clause says that it isn't built yet.
    edge : str
        Where on it the boundary runs: ``"east"``, ``"south"``, ``"west"``, ``"north"``,
        ``"inner"``, ``"outer"`` or ``"centre"``; "" where the clause doesn't say.
    offset_m : float or None
        How far from it the boundary runs.
    towards : str
        The side to which: a side, ``"outer"`` or ``"inner"``; "" without an offset.
    section : str
        The stretch of it that is meant, in the words of the clause; "" for all of it.
    """

    name: str
    kind: str
    line: str
    others: tuple[str, ...] = ()
    planned: bool = False
    edge: str = ""
    offset_m: float | None = None
    towards: str = ""
    section: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name to look it up by, its own first."""
        return (self.line, *self.others)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON; what the clause doesn't say is left out."""
        values: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.line != self.name:
            values["line"] = self.line
        for key in ("others", "planned", "edge", "offset_m", "towards", "section"):
            value = getattr(self, key)
            if value not in ((), False, "", None):
                values[key] = list(value) if isinstance(value, tuple) else value
        return values


@dataclass(frozen=True, slots=True)
class AreaClause:
    """What a text says of one area, or of one corridor.

    Attributes
    ----------
    name : str
        What the text calls it; "" where it doesn't.
    start, end : int
        Where the clause stands in the text.
    sides : mapping of str to tuple of Bound
        For each side that is named, what it names, in the order of the text.
    main, extension : tuple of Bound
        主線 and 延伸 of an axis.
    stated_area_m2 : float or None
    exclusions, claims : tuple of str
        What is said to be left out, and what is said to be covered (subdistricts, as a rule).
    everywhere : bool
        Whether it is said to reach the whole district (輻射全域).
    unread : tuple of str
        Words of the clause that the reader doesn't understand.
    fault : str
        Why the clause can't be compiled; "" where it can.
    spans : tuple of Span
        Together with those of the other areas they cover the text.
    """

    name: str
    start: int
    end: int
    text: str
    sides: Mapping[str, tuple[Bound, ...]] = field(default_factory=lambda: MappingProxyType({}))
    main: tuple[Bound, ...] = ()
    extension: tuple[Bound, ...] = ()
    stated_area_m2: float | None = None
    exclusions: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    everywhere: bool = False
    unread: tuple[str, ...] = ()
    fault: str = ""
    spans: tuple[Span, ...] = ()

    @property
    def axis(self) -> tuple[Bound, ...]:
        """The roads of an axis, the main line first."""
        return (*self.main, *self.extension)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        axis = [{**b.as_dict(), "role": "main"} for b in self.main]
        axis += [{**b.as_dict(), "role": "extension"} for b in self.extension]
        return {
            "name": self.name,
            "start": self.start,
            "end": self.end,
            "sides": {side: [b.as_dict() for b in bounds] for side, bounds in self.sides.items()},
            "axis": axis,
            "stated_area_m2": self.stated_area_m2,
            "exclusions": list(self.exclusions),
            "claims": list(self.claims),
            "everywhere": self.everywhere,
            "unread": list(self.unread),
            "fault": self.fault,
            "spans": [
                {"start": s.start, "end": s.end, "kind": s.kind, "text": s.text} for s in self.spans
            ],
        }
