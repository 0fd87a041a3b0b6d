"""From the reading of a clause to a definition of nothing else."""

from __future__ import annotations

from collections.abc import Container

from nankai_gis.plan.clauses import AreaClause, Bound
from nankai_gis.plan.model import AxisPart, Feature, Names


def clause_feature(clause: AreaClause, known: Container[str] = (), key: str = "clause") -> Feature:
    """Return a definition made of nothing but a clause."""

    def name(bound: Bound) -> str:
        return next((name for name in bound.names if name in known), bound.line)

    main = tuple(AxisPart(name(b), "main", planned=b.planned) for b in clause.main)
    extension = tuple(AxisPart(name(b), "extension", planned=b.planned) for b in clause.extension)
    called = clause.name or key
    return Feature(
        id=key,
        kind="corridor" if main else "zone",
        names=Names(called, called, called),
        clause=clause.text,
        clause_source="text",
        status="osm",
        file="",
        sides={side: tuple(map(name, bounds)) for side, bounds in clause.sides.items()},
        axis=main + extension,
        claims=clause.claims,
        stated_area_m2=clause.stated_area_m2,
        said=clause,
    )
