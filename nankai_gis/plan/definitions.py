"""Plan definitions: a folder of TOML files, read strictly, every fault reported at once.

A definition is a table named by the feature's id; the table ``plan`` says what the plan is called.
A definition holds the quoted clause and the structured reading of it: the sides of a 四至, the ring
in the order in which it runs, the pieces of an axis, the subdistricts and the area that the text
claims. The reader knows every key of every kind; what it doesn't know is a fault, not a hint.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from nankai_gis.errors import AmbiguousNameError, FeatureNotFoundError, PlanError
from nankai_gis.plan.model import KINDS, About, AxisPart, Feature, Names, RingPart, Role, Status
from nankai_gis.plan.names import Index, normalise, simplified
from nankai_gis.plan.packaged import data_folder

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True, pattern=r"\S")]
_Roads = Annotated[list[_Text], Field(min_length=1)]
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: The table that says what the plan is called; no feature may have this id.
_ABOUT = "plan"


class _Table(BaseModel):
    # The docstrings below the keys are what the JSON Schema, and so an editor, says of them.
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class _StandIn(_Table):
    line: _Text
    """Line of the network that the boundary follows."""
    stands_for: _Text | None = Field(default=None, alias="for")
    """Road of the clause in whose place the line is taken."""
    accuracy_m: Annotated[float, Field(gt=0)] | None = None
    """Accuracy across the boundary in metres, where the stand-in is worse than its line."""
    until: _Text | None = None
    """Control point at which the ring leaves the line, where it meets the next one twice."""


class _Piece(_Table):
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["road"], "properties": {"through": {"maxItems": 0}}},
                {
                    "required": ["through"],
                    "properties": {"through": {"minItems": 2}},
                    "not": {"required": ["road"]},
                },
            ]
        }
    )

    road: _Text | None = None
    """Street that the piece follows."""
    role: Role
    """main (主線), extension (延伸至) or bridge (what joins two named streets)."""
    start: _Text | None = Field(default=None, alias="from")
    """Line at which the piece begins; by default the street's own end."""
    end: _Text | None = Field(default=None, alias="to")
    """Line at which the piece ends; by default the street's own end."""
    planned: bool = False
    """Not built yet, wholly or in part."""
    stands_for: list[_Text] = []
    """Streets without coordinates that a straight piece stands for."""
    through: list[_Text] = []
    """Control points of a straight piece, two or more."""

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
    """The words that say so."""
    features: Annotated[list[_Text], Field(min_length=2)]
    """Features that the corridor joins."""


class _People(_Table):
    persons: Annotated[int, Field(gt=0)]
    year: int


_Ring = Annotated[list[_Text | _StandIn], Field(min_length=2)]
_Area = Annotated[float, Field(gt=0)]
# Pydantic's strict mode takes no list for a tuple, and TOML has only lists.
_Position = Annotated[list[float], Field(min_length=2, max_length=2)]
_DATE = r"^([1-9]\d{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)?$"
_Date = Annotated[str, StringConstraints(pattern=_DATE)]
_Ordinal = Annotated[int, Field(ge=1, le=99)]

_Schema = dict[str, JsonValue]
# What the validators below hold, in the terms of JSON Schema.
_PLACED: _Schema = {
    "anyOf": [
        {"required": ["clause_source"], "properties": {"clause_source": {"minLength": 1}}},
        {"required": ["chapter", "section"]},
    ]
}
_BOUNDED: _Schema = {
    "anyOf": [
        {"required": ["ring"]},
        {
            "required": ["sides"],
            "properties": {"sides": {"required": ["east", "south", "west", "north"]}},
        },
    ]
}
_ONE_POSITION: _Schema = {"not": {"required": ["point", "line"]}}


class _About(_Table):
    title: _Text
    """Title of maps, figures and reports."""
    title_hans: _Text | None = None
    """The same in simplified Chinese; by default converted."""
    title_en: _Text | None = None
    """The same in English; by default the title as it is."""
    subtitle: str = ""
    """What stands below the title."""
    subtitle_hans: str | None = None
    subtitle_en: str | None = None
    source: str = ""
    """What maps and figures cite."""
    source_hans: str | None = None
    source_en: str | None = None
    date: _Date = ""
    """Date of the data: year, year-month or year-month-day."""
    summary: str = ""
    """The plan's structure in one sentence, for the report."""
    summary_hans: str | None = None
    summary_en: str | None = None

    @field_validator("date")
    @classmethod
    def _exists(cls, value: str) -> str:
        if len(value) == len("2026-11-25"):
            datetime.date.fromisoformat(value)
        return value


class _Definition(_Table):
    model_config = ConfigDict(json_schema_extra=_PLACED)

    name: _Text
    """Name as the plan writes it."""
    name_hans: _Text | None = None
    """Name in simplified Chinese; by default converted."""
    name_en: _Text | None = None
    """Name in English; by default the name as it is."""
    aliases: list[_Text] = []
    """Other names that resolve to the feature."""
    clause: _Text
    """The quoted words."""
    clause_source: str = ""
    """Where the words come from, if not from a chapter of the plan."""
    chapter: _Ordinal | None = None
    section: _Ordinal | None = None
    status: Status
    """How certain the reading is; no area is reported as more certain than this."""
    note: str = ""
    """What a reader should know of the reading."""

    @model_validator(mode="after")
    def _has_a_place(self) -> _Definition:
        if not self.clause_source and (self.chapter is None or self.section is None):
            raise ValueError("give chapter and section, or clause_source")
        return self


class _Areal(_Definition):
    model_config = ConfigDict(json_schema_extra={"allOf": [_PLACED, _BOUNDED]})

    sides: _FourSides | _SomeSides | None = None
    """The 四至: for each side the roads that the clause names."""
    ring: _Ring | None = None
    """The lines in the order in which the boundary runs; by default searched for."""
    inside: list[_Position] = []
    """Positions [lon, lat] that the ring must contain."""
    claims: list[_Text] = []
    """Subdistricts that the plan says the feature covers."""
    stated_area_km2: _Area | None = None
    """Area that the text states."""

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
    """Feature that must contain the parcel."""


class _Corridor(_Definition):
    kind: Literal["corridor"]
    axis: Annotated[list[_Piece], Field(min_length=1)]
    """Pieces in the plan's order."""
    claims: list[_Text] = []
    """Subdistricts that the plan says the corridor serves."""
    joins: _Joins | None = None
    """What the plan says that the corridor joins (貫通, 串聯)."""


class _Subdistrict(_Areal):
    kind: Literal["subdistrict"]
    code: Annotated[str, StringConstraints(pattern=r"^\d{9}$")] | None = None
    """Administrative division code, nine digits."""
    population: _People | None = None


class _Site(_Definition):
    model_config = ConfigDict(json_schema_extra={"allOf": [_PLACED, _ONE_POSITION]})

    kind: Literal["site"]
    theme: _Text
    """Group of the site."""
    point: _Text | None = None
    """Control point at which it lies."""
    line: _Text | None = None
    """Line along which it lies."""

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
        By kind in the order of `nankai_gis.plan.model.KINDS`, then as the files list them.
    about : About
        What the plan is called.
    """

    features: tuple[Feature, ...]
    about: About = field(default_factory=About)

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
            Member of `nankai_gis.plan.model.KINDS`.

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


def _names(table: _Table, key: str, aliases: tuple[str, ...] = ()) -> Names:
    """A text in three languages; what isn't given is converted, or stays as it is."""
    text: str = getattr(table, key)
    hans, en = getattr(table, f"{key}_hans"), getattr(table, f"{key}_en")
    return Names(
        text, simplified(text) if hans is None else hans, text if en is None else en, aliases
    )


def _about(table: _About) -> About:
    return About(
        title=_names(table, "title"),
        subtitle=_names(table, "subtitle"),
        source=_names(table, "source"),
        date=table.date,
        summary=_names(table, "summary"),
    )


def _feature(key: str, file: str, d: Any) -> Feature:
    sides = d.sides.model_dump(exclude_none=True) if getattr(d, "sides", None) else {}
    people = getattr(d, "population", None)
    area = getattr(d, "stated_area_km2", None)
    joins = getattr(d, "joins", None)
    return Feature(
        id=key,
        kind=d.kind,
        names=_names(d, "name", tuple(d.aliases)),
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


_KEYS = sorted(
    {
        field.alias or name
        for model in (
            _About, _District, _Zone, _Parcel, _Corridor, _Subdistrict, _Site, _StandIn, _Piece,
            _FourSides, _Joins, _People,
        )
        for name, field in model.model_fields.items()
    }
)  # fmt: skip
# Steps of pydantic's own making in a location: the branch of a union, not a key of the file.
_BRANCHES = {*KINDS, "constrained-str", "_StandIn", "_FourSides", "_SomeSides"}


def _faults(file: str, key: str, error: ValidationError) -> list[str]:
    found: dict[str, str] = {}
    for item in error.errors(include_url=False):
        steps = [str(step) for step in item["loc"]]
        named = ".".join(s for s in steps if s not in _BRANCHES and not s.startswith("function-"))
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = difflib.get_close_matches(steps[-1], _KEYS, n=1)
            message = "unknown key" + (f"; do you mean {known[0]}?" if known else "")
        elif item["type"] == "missing":
            message = "missing"
        elif item["type"] == "string_pattern_mismatch" and not str(item["input"]).strip():
            message = "empty"
        elif named == "date":
            message = f'write "2026", "2026-11" or "2026-11-25", in quotes (got {item["input"]})'
        elif item["type"] == "union_tag_not_found":
            named, message = "kind", f"missing; give one of {', '.join(KINDS)}"
        elif item["type"] == "union_tag_invalid":
            given = item["ctx"]["tag"]
            named, message = "kind", f"{given!r} is none of {', '.join(KINDS)}"
        elif item["type"] not in ("value_error",):
            message = f"{message[0].lower()}{message[1:]} (got {item['input']!r})"
        place = f"{file}: [{key}]" + (f" {named}" if named else "")
        # A union reports each of its branches: one line for a place is enough.
        found.setdefault(place, message)
    return [f"{place}: {message}" for place, message in found.items()]


def _tables(name: str, text: str | bytes) -> tuple[Mapping[str, Any], list[str]]:
    try:
        # Some editors put a byte order mark before the text.
        return tomllib.loads(text if isinstance(text, str) else text.decode("utf-8-sig")), []
    except UnicodeDecodeError as error:
        return {}, [f"{name}: not UTF-8 text (byte {error.start}); save it as UTF-8"]
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
        a missing side, a duplicate id; and where there is none of these, a duplicate name, a
        claim about an unknown subdistrict, an unknown container. Each line names file and key.

    Examples
    --------
    >>> [f.id for f in read(data_folder() / "plan").of_kind("corridor")]
    ['innovation-fusion', 'innovation-resource', 'smart-service']
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise PlanError([f"{folder}: no *.toml file here; `nankai-gis init` writes one"])
    texts, faults = {}, []
    for file in files:
        try:
            texts[file.name] = file.read_bytes()
        except OSError as error:
            faults.append(f"{file}: can't be read: {error.strerror or error}")
    if faults:
        raise PlanError(faults)
    return parse(texts)


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
    about = About()
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
                if key == _ABOUT:
                    about = _about(_About.model_validate(table))
                else:
                    features.append(_feature(key, name, _ANY.validate_python(table)))
            except ValidationError as error:
                faults += _faults(name, key, error)
    features.sort(key=lambda f: KINDS.index(f.kind))
    plan = Plan(tuple(features), about)
    if not faults:
        # Where a definition is lost, those that refer to it are not at fault.
        plan, faults = _referred(plan)
    if faults:
        raise PlanError(faults)
    return plan


def _referred(plan: Plan) -> tuple[Plan, list[str]]:
    """The plan with ids in the place of the names by which features refer to others."""
    faults = []
    namesakes: dict[tuple[str, str], Feature] = {}
    for f in plan.features:
        first = namesakes.setdefault((f.kind, normalise(f.names.hant)), f)
        if first is not f:
            faults.append(
                f"{f.file}: [{f.id}] name: {f.names.hant!r} is the name of [{first.id}], too"
            )
    subdistricts, everything = plan.index(["subdistrict"]), plan.index()

    def one(f: Feature, key: str, name: str, index: Index[Feature], what: str) -> str:
        try:
            return index[name].id
        except FeatureNotFoundError as error:
            near = f" (near names: {', '.join(error.candidates)})" if error.candidates else ""
            faults.append(f"{f.file}: [{f.id}] {key}: {name!r} is no {what} of this plan{near}")
        except AmbiguousNameError as error:
            faults.append(f"{f.file}: [{f.id}] {key}: {error}")
        return name

    features = []
    for f in plan.features:
        for claim in f.claims:
            one(f, "claims", claim, subdistricts, "subdistrict")
        joins = tuple(one(f, "joins.features", n, everything, "feature") for n in f.joins)
        within = f.within and one(f, "within", f.within, everything, "feature")
        features.append(replace(f, joins=joins, within=within))
    return replace(plan, features=tuple(features)), faults


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition file.

    Returns
    -------
    dict
        Draft 2020-12. It holds every rule of `read` but that a date is in the calendar, and
        those between features: that ids and names are unique in a folder, and that claims,
        containers and joins name features of the plan.

    Examples
    --------
    >>> sorted(schema()["$defs"]["Zone"]["required"])
    ['clause', 'kind', 'name', 'sides', 'status']
    """
    import json

    feature = _ANY.json_schema(ref_template="#/$defs/{model}")
    about = _About.model_json_schema(ref_template="#/$defs/{model}")
    definitions = feature.pop("$defs") | {about["title"]: about}
    # The models are private to this module; their names needn't show it.
    text = json.dumps([feature, definitions]).replace('"#/$defs/_', '"#/$defs/')
    plain = json.loads(text.replace('"title": "_', '"title": "'))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plan definitions of nankai-gis",
        "type": "object",
        "properties": {_ABOUT: {"$ref": "#/$defs/About"}},
        "patternProperties": {f"^(?!{_ABOUT}$){_ID.pattern}$": plain[0]},
        "additionalProperties": False,
        "$defs": {name.lstrip("_"): model for name, model in sorted(plain[1].items())},
    }


def example() -> str:
    """Return a commented plan to start one's own from.

    Returns
    -------
    str
        TOML; it compiles on the packaged reference network.

    Examples
    --------
    >>> [f.kind for f in parse({"plan.toml": example()}).features][-3:]
    ['subdistrict', 'subdistrict', 'site']
    """
    from importlib.resources import files

    return (files(__package__) / "example.toml").read_text(encoding="utf-8")


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
    return read(data_folder() / "plan")
