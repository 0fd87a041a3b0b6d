"""Plan definitions: a folder of TOML files, read strictly, every fault reported at once.

A definition is a table named by the feature's id. It holds the quoted clause and the
structured reading of it: the sides of a 四至, the ring in the order in which it runs, the
pieces of an axis, the subdistricts and the area that the text claims. The reader knows every
key of every kind; what it doesn't know is a fault, not a hint.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from . import catalog
from .errors import FeatureNotFoundError, PlanError
from .model import KINDS, AxisPart, Feature, Names, RingPart, Role, Status
from .names import Index

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Roads = Annotated[list[_Text], Field(min_length=1)]
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _StandIn(_Table):
    line: _Text
    stands_for: _Text | None = Field(default=None, alias="for")
    accuracy_m: Annotated[float, Field(gt=0)] | None = None
    until: _Text | None = None


class _Piece(_Table):
    road: _Text | None = None
    role: Role
    start: _Text | None = Field(default=None, alias="from")
    end: _Text | None = Field(default=None, alias="to")
    planned: bool = False
    stands_for: list[_Text] = []
    through: list[_Text] = []

    @model_validator(mode="after")
    def _one_course(self) -> _Piece:
        if (self.road is None) == (not self.through):
            raise ValueError("give either road or through")
        if self.through and len(self.through) < 2:
            raise ValueError("through needs at least two control points")
        return self


class _FourSides(_Table):
    east: _Roads
    south: _Roads
    west: _Roads
    north: _Roads


class _SomeSides(_Table):
    east: _Roads | None = None
    south: _Roads | None = None
    west: _Roads | None = None
    north: _Roads | None = None


class _Joins(_Table):
    clause: _Text
    features: Annotated[list[_Text], Field(min_length=2)]


class _People(_Table):
    persons: Annotated[int, Field(gt=0)]
    year: int


_Ring = Annotated[list[_Text | _StandIn], Field(min_length=2)]
_Area = Annotated[float, Field(gt=0)]
# Pydantic's strict mode takes no list for a tuple, and TOML has only lists.
_Position = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Definition(_Table):
    name: _Text
    name_hans: _Text
    name_en: _Text
    aliases: list[_Text] = []
    clause: _Text
    clause_source: str = ""
    chapter: Annotated[int, Field(ge=1, le=99)] | None = None
    section: Annotated[int, Field(ge=1, le=99)] | None = None
    status: Status
    note: str = ""

    @model_validator(mode="after")
    def _has_a_place(self) -> _Definition:
        if not self.clause_source and (self.chapter is None or self.section is None):
            raise ValueError("give chapter and section, or clause_source")
        return self


class _Areal(_Definition):
    sides: _FourSides | _SomeSides | None = None
    ring: _Ring | None = None
    inside: list[_Position] = []
    claims: list[_Text] = []
    stated_area_km2: _Area | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> _Areal:
        if self.ring is None and not isinstance(self.sides, _FourSides):
            raise ValueError("give ring, or sides with east, south, west and north")
        return self


class _District(_Areal):
    kind: Literal["district"]
    sides: _FourSides


class _Zone(_Areal):
    kind: Literal["zone"]
    sides: _FourSides


class _Parcel(_Areal):
    kind: Literal["parcel"]
    within: _Text | None = None


class _Corridor(_Definition):
    kind: Literal["corridor"]
    axis: Annotated[list[_Piece], Field(min_length=1)]
    claims: list[_Text] = []
    joins: _Joins | None = None


class _Subdistrict(_Areal):
    kind: Literal["subdistrict"]
    code: Annotated[str, StringConstraints(pattern=r"^\d{9}$")]
    population: _People | None = None


class _Site(_Definition):
    kind: Literal["site"]
    theme: _Text
    point: _Text | None = None
    line: _Text | None = None

    @model_validator(mode="after")
    def _one_position(self) -> _Site:
        if self.point and self.line:
            raise ValueError("give point or line, not both")
        return self


_ANY: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        _District | _Zone | _Parcel | _Corridor | _Subdistrict | _Site, Field(discriminator="kind")
    ]
)


@dataclass(frozen=True)
class Plan:
    """All features of a plan.

    Attributes
    ----------
    features : tuple of Feature
        By kind in the order of `nankai_gis.model.KINDS`, then as the files list them.
    """

    features: tuple[Feature, ...]

    def index(self, kinds: Iterable[str] = KINDS) -> Index[Feature]:
        """Return the features of some kinds by all their names.

        Parameters
        ----------
        kinds : iterable of str

        Returns
        -------
        Index of Feature

        Examples
        --------
        >>> packaged().index()["启航湾"].id
        'qihang-bay'
        """
        wanted = set(kinds)
        return Index(
            (([f.id, *f.names.every()], f) for f in self.features if f.kind in wanted),
            what="feature",
            error=FeatureNotFoundError,
        )

    def of_kind(self, kind: str) -> tuple[Feature, ...]:
        """Return the features of one kind.

        Parameters
        ----------
        kind : str
            Member of `nankai_gis.model.KINDS`.

        Returns
        -------
        tuple of Feature
            Empty where the plan has none.

        Examples
        --------
        >>> [f.id for f in packaged().of_kind("parcel")]
        ['xiyingmen']
        """
        return tuple(f for f in self.features if f.kind == kind)


def _ring_part(part: str | _StandIn) -> RingPart:
    if isinstance(part, str):
        return RingPart(part)
    return RingPart(part.line, part.stands_for, part.accuracy_m, part.until)


def _feature(key: str, file: str, d: Any) -> Feature:
    sides = d.sides.model_dump(exclude_none=True) if getattr(d, "sides", None) else {}
    people = getattr(d, "population", None)
    area = getattr(d, "stated_area_km2", None)
    joins = getattr(d, "joins", None)
    return Feature(
        id=key,
        kind=d.kind,
        names=Names(d.name, d.name_hans, d.name_en, tuple(d.aliases)),
        clause=d.clause,
        clause_source=d.clause_source,
        chapter=d.chapter,
        section=d.section,
        status=d.status,
        file=file,
        note=d.note,
        sides={side: tuple(roads) for side, roads in sides.items()},
        ring=tuple(map(_ring_part, getattr(d, "ring", None) or ())),
        inside=tuple((lon, lat) for lon, lat in getattr(d, "inside", ())),
        axis=tuple(
            AxisPart(
                p.road, p.role, p.start, p.end, p.planned, tuple(p.stands_for), tuple(p.through)
            )
            for p in getattr(d, "axis", ())
        ),
        claims=tuple(getattr(d, "claims", ())),
        joins=tuple(joins.features) if joins else (),
        joins_clause=joins.clause if joins else "",
        stated_area_m2=None if area is None else area * 1e6,
        within=getattr(d, "within", None),
        code=getattr(d, "code", None),
        population=None if people is None else (people.persons, people.year),
        theme=getattr(d, "theme", None),
        point=getattr(d, "point", None),
        line=getattr(d, "line", None),
    )


# Steps of pydantic's own making in a location: the branch of a union, not a key of the file.
_BRANCHES = {*KINDS, "constrained-str", "_StandIn", "_FourSides", "_SomeSides"}


def _faults(file: str, key: str, error: ValidationError) -> list[str]:
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        steps = [str(step) for step in item["loc"]]
        named = ".".join(s for s in steps if s not in _BRANCHES and not s.startswith("function-"))
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        elif item["type"] == "missing":
            message = "missing"
        elif item["type"] == "union_tag_not_found":
            named, message = "kind", f"missing; give one of {', '.join(KINDS)}"
        elif item["type"] == "union_tag_invalid":
            named, message = "kind", f"is none of {', '.join(KINDS)}"
        elif item["type"] not in ("value_error",):
            message = f"{message[0].lower()}{message[1:]} (got {item['input']!r})"
        place = f"{file}: [{key}]" + (f" {named}" if named else "")
        # A union reports each of its branches: one line for a place is enough.
        found.setdefault(place, message)
    return [f"{place}: {message}" for place, message in found.items()]


def _tables(name: str, text: str | bytes) -> tuple[Mapping[str, Any], list[str]]:
    try:
        return tomllib.loads(text if isinstance(text, str) else text.decode()), []
    except UnicodeDecodeError as error:
        return {}, [f"{name}: not UTF-8 text (byte {error.start})"]
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{name}: not valid TOML: {error}"]


def read(folder: Path) -> Plan:
    """Read all definitions of a folder, or of one file.

    Parameters
    ----------
    folder : pathlib.Path
        Every ``*.toml`` file in it is read, in the order of their names; a file is read alone.

    Returns
    -------
    Plan

    Raises
    ------
    PlanError
        For every fault at once: text that is not TOML, an unknown or missing key, a wrong type,
        a missing side, a duplicate id, a claim about an unknown subdistrict, an unknown
        container. Each line names file and key.

    Examples
    --------
    >>> [f.id for f in read(catalog.root() / "plan").of_kind("corridor")]
    ['innovation-fusion', 'innovation-resource', 'smart-service']
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise PlanError([f"{folder}: no *.toml file here"])
    return parse({file.name: file.read_bytes() for file in files})


def parse(texts: Mapping[str, str | bytes]) -> Plan:
    """Read definitions from texts.

    Parameters
    ----------
    texts : mapping of str to str or bytes
        TOML by the name of its file.

    Returns
    -------
    Plan

    Raises
    ------
    PlanError
        As `read`.

    Examples
    --------
    >>> parse({"a.toml": ""}).features
    ()
    """
    faults: list[str] = []
    features: list[Feature] = []
    home: dict[str, str] = {}
    for name, text in texts.items():
        tables, broken = _tables(name, text)
        faults += broken
        for key, table in tables.items():
            where = f"{name}: [{key}]"
            if not _ID.fullmatch(key):
                faults.append(f"{where}: an id is lower-case ASCII words joined by hyphens")
            if key in home:
                faults.append(f"{where}: id stands in {home[key]} already")
            home.setdefault(key, name)
            if not isinstance(table, dict):
                faults.append(f"{where}: not a table")
                continue
            try:
                features.append(_feature(key, name, _ANY.validate_python(table)))
            except ValidationError as error:
                faults += _faults(name, key, error)
    features.sort(key=lambda f: KINDS.index(f.kind))
    plan = Plan(tuple(features))
    faults += _broken_references(plan)
    if faults:
        raise PlanError(faults)
    return plan


def _broken_references(plan: Plan) -> list[str]:
    faults = []
    subdistricts, everything = plan.index(["subdistrict"]), plan.index()
    for f in plan.features:
        for claim in f.claims:
            if claim not in subdistricts:
                near = ", ".join(subdistricts.near(claim)) or "none near"
                faults.append(
                    f"{f.file}: [{f.id}] claims: {claim!r} is no subdistrict of this plan ({near})"
                )
        faults += [
            f"{f.file}: [{f.id}] joins.features: {name!r} is no feature of this plan"
            for name in f.joins
            if name not in everything
        ]
        if f.within is not None and f.within not in everything:
            faults.append(f"{f.file}: [{f.id}] within: {f.within!r} is no feature of this plan")
    return faults


@cache
def packaged() -> Plan:
    """Return the plan that the package ships: Nankai's 14th five-year plan.

    Returns
    -------
    Plan

    Examples
    --------
    >>> len(packaged().of_kind("subdistrict"))
    12
    """
    return read(catalog.root() / "plan")
