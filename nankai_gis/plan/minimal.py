"""Definitions of a name and a clause: the rest is what the reader finds in the clause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nankai_gis.plan.clauses import AreaClause, Bound, read_one

_BOTH = frozenset(
    {"kind", "name", "name_hans", "name_en", "aliases", "clause", "clause_source", "chapter"}
    | {"section", "status", "note", "claims"}
)
#: Keys that such a definition of an area may have, and one of a corridor.
AREA_KEYS, CORRIDOR_KEYS = _BOTH | {"stated_area_km2"}, _BOTH
AREA_KINDS = ("district", "zone", "parcel", "subdistrict")


def is_minimal(table: Mapping[str, Any]) -> bool:
    """Whether a definition leaves its bounds to its clause."""
    keys = CORRIDOR_KEYS if table.get("kind") == "corridor" else AREA_KEYS
    kind = table.get("kind", "zone")
    clause, name = table.get("clause"), table.get("name")
    return (
        table.keys() <= keys
        and kind in (*AREA_KINDS, "corridor")
        and isinstance(name, str)
        and isinstance(clause, str)
        and bool(clause.strip())
    )


def completed(table: Mapping[str, Any]) -> tuple[dict[str, Any], AreaClause]:
    """Return a definition with what its clause says, and the reading; the file's words stay.

    Raises ClauseError if the clause names no bounds.
    """
    clause = read_one(table["clause"])
    said: dict[str, Any] = {"kind": "corridor" if clause.axis else "zone"}
    # How sure it is follows from the network on which it is compiled.
    said["status"] = "surveyed"
    if "chapter" not in table and "section" not in table:
        said["clause_source"] = table["name"]
    if clause.axis:
        said["axis"] = [_piece(b, "main") for b in clause.main]
        said["axis"] += [_piece(b, "extension") for b in clause.extension]
    else:
        said["sides"] = {side: [b.line for b in bounds] for side, bounds in clause.sides.items()}
        if clause.stated_area_m2:
            said["stated_area_km2"] = clause.stated_area_m2 / 1e6
    return {**said, **table}, clause


def _piece(bound: Bound, role: str) -> dict[str, Any]:
    return {"road": bound.line, "role": role, "planned": bound.planned}
