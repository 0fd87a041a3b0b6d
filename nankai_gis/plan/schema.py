"""What a plan definition may say: the tables and keys, their types, and the JSON Schema of them.

Pydantic checks the types. Its messages are written for programmers and in English only, so each
kind of fault has a sentence of the catalogue that says what to write instead.
"""

from __future__ import annotations

import datetime
import difflib
import json
import re
from collections.abc import Mapping
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

from nankai_gis.plan import minimal
from nankai_gis.plan.model import KINDS, Role, Status
from nankai_gis.words import listed, mark, quoted, tr

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True, pattern=r"\S")]
_Roads = Annotated[list[_Text], Field(min_length=1)]
#: An id: lower-case ASCII words joined by hyphens.
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: The table that says what the plan is called; no feature may have this id.
ABOUT = "plan"


class TomlTable(BaseModel):
    """A table of a definition file: no other keys, no other types."""

    # The docstrings below the keys are what the JSON Schema, and so an editor, says of them.
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class StandInTable(TomlTable):
    """A line of the ring that the clause doesn't name, or calls otherwise."""

    line: _Text
    """Line of the network that the boundary follows."""
    stands_for: _Text | None = Field(default=None, alias="for")
    """Road of the clause in whose place the line is taken."""
    accuracy_m: Annotated[float, Field(gt=0)] | None = None
    """Accuracy across the boundary in metres, where the stand-in is worse than its line."""
    until: _Text | None = None
    """Control point at which the ring leaves the line, where it meets the next one twice."""


class _Piece(TomlTable):
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
            raise ValueError(mark("give either road or through"))
        if self.through and len(self.through) < 2:
            raise ValueError(mark("through needs at least two control points"))
        return self


class _FourSides(TomlTable):
    east: _Roads
    south: _Roads
    west: _Roads
    north: _Roads


class _SomeSides(TomlTable):
    east: _Roads | None = None
    south: _Roads | None = None
    west: _Roads | None = None
    north: _Roads | None = None


class _Joins(TomlTable):
    clause: _Text
    """The words that say so."""
    features: Annotated[list[_Text], Field(min_length=2)]
    """Features that the corridor joins."""


class _People(TomlTable):
    persons: Annotated[int, Field(gt=0)]
    year: int


_Ring = Annotated[list[_Text | StandInTable], Field(min_length=2)]


class ReadingTable(TomlTable):
    """One way to read the bounds, with what speaks for and against it."""

    id: Annotated[str, StringConstraints(pattern=f"^{ID.pattern}$")]
    """By which the definition's key reading names it."""
    name: _Text
    """What the reading is called."""
    name_hans: _Text | None = None
    name_en: _Text | None = None
    ring: _Ring
    """The lines in the order in which the boundary runs."""
    reasons_for: str = ""
    """What speaks for this reading."""
    reasons_for_hans: str | None = None
    reasons_for_en: str | None = None
    reasons_against: str = ""
    """What speaks against it."""
    reasons_against_hans: str | None = None
    reasons_against_en: str | None = None


# From a square metre to more than China: what lies beyond overflows in ratios.
_Area = Annotated[float, Field(ge=1e-6, le=1e7)]
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
        {"required": ["reading", "readings"]},
        {
            "required": ["sides"],
            "properties": {"sides": {"required": ["east", "south", "west", "north"]}},
        },
    ]
}
_ONE_POSITION: _Schema = {"not": {"required": ["point", "line"]}}


class AboutTable(TomlTable):
    """What the plan is called."""

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


class _Definition(TomlTable):
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
            raise ValueError(mark("give chapter and section, or clause_source"))
        return self


class _Areal(_Definition):
    model_config = ConfigDict(json_schema_extra={"allOf": [_PLACED, _BOUNDED]})

    sides: _FourSides | _SomeSides | None = None
    """The 四至: for each side the roads that the clause names."""
    ring: _Ring | None = None
    """The lines in the order in which the boundary runs; by default searched for."""
    readings: list[ReadingTable] = []
    """Ways to read the bounds, where there are several."""
    reading: _Text | None = None
    """Id of the reading that is drawn; its ring is the feature's."""
    inside: list[_Position] = []
    """Positions [lon, lat] that the ring must contain."""
    claims: list[_Text] = []
    """Subdistricts that the plan says the feature covers."""
    stated_area_km2: _Area | None = None
    """Area that the text states."""

    @model_validator(mode="after")
    def _is_bounded(self) -> _Areal:
        if self.readings or self.reading is not None:
            ids = [reading.id for reading in self.readings]
            if self.reading not in ids or len({*ids}) < len(ids) or self.ring is not None:
                raise ValueError(
                    mark(
                        "with readings, give each an id of its own, in reading the id of one of "
                        "them, and no ring beside them"
                    )
                )
        elif self.ring is None and not isinstance(self.sides, _FourSides):
            raise ValueError(mark("give ring, or sides with east, south, west and north"))
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
            raise ValueError(mark("give point or line, not both"))
        return self


DEFINITION: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        _District | _Zone | _Parcel | _Corridor | _Subdistrict | _Site, Field(discriminator="kind")
    ]
)


_KEYS = sorted(
    {
        field.alias or name
        for model in (
            AboutTable, _District, _Zone, _Parcel, _Corridor, _Subdistrict, _Site, StandInTable,
            _Piece, _FourSides, _Joins, _People,
        )
        for name, field in model.model_fields.items()
    }
)  # fmt: skip
# Steps of pydantic's own making in a location: the branch of a union, not a key of the file.
_BRANCHES = {*KINDS, "constrained-str", "StandInTable", "_FourSides", "_SomeSides"}


# What to do about each of pydantic's faults; {given} is what the file has.
_ADVICE: Mapping[str, str] = {
    "bool_type": mark("give true or false (got {given})"),
    "finite_number": mark("give a finite number (got {given})"),
    "float_type": mark("give a number (got {given})"),
    "greater_than": mark("give more than {limit} (got {given})"),
    "greater_than_equal": mark("give {limit} or more (got {given})"),
    "int_from_float": mark("give a whole number (got {given})"),
    "int_type": mark("give a whole number (got {given})"),
    "less_than_equal": mark("give {limit} or less (got {given})"),
    "list_type": mark("give a list in square brackets (got {given})"),
    "literal_error": mark("give one of {limit} (got {given})"),
    "missing": mark("missing"),
    "model_type": mark("give a table in braces (got {given})"),
    "string_too_short": mark("empty"),
    "string_type": mark("give text in quotes (got {given})"),
    "too_long": mark("too many entries (at most {limit})"),
    "too_short": mark("too few entries (at least {limit})"),
}
_LIMITS = ("gt", "ge", "le", "min_length", "max_length")


def _advice(item: Mapping[str, Any], key: str) -> str:
    """What is wrong with a key and what to write there, in the language in force."""
    kind, context, given = item["type"], item.get("ctx", {}), item["input"]
    shown = json.dumps(given, ensure_ascii=False, default=str)
    if kind == "extra_forbidden":
        like = difflib.get_close_matches(str(item["loc"][-1]), _KEYS, n=1)
        if like:
            return tr("unknown key; do you mean {key}?", key=like[0])
        return tr("unknown key")
    if kind == "union_tag_not_found":
        return tr("missing; give one of {kinds}", kinds=listed(KINDS))
    if kind == "union_tag_invalid":
        return tr("{kind} is none of {kinds}", kind=quoted(context["tag"]), kinds=listed(KINDS))
    if kind == "string_pattern_mismatch" and not str(given).strip():
        return tr("empty")
    if key == "date":
        return tr('write "2026", "2026-11" or "2026-11-25", in quotes (got {given})', given=shown)
    if kind == "string_pattern_mismatch":
        return tr("give nine digits in quotes (got {given})", given=shown)
    if kind == "value_error":
        # Of a validator above.
        return tr(str(context["error"]))
    limit = next((context[name] for name in _LIMITS if name in context), "")
    if kind == "literal_error":
        limit = listed(re.findall(r"'([^']*)'", context["expected"]))
    advice = _ADVICE.get(kind, mark("wrong kind of value (got {given})"))
    return tr(advice, given=shown, limit=limit)


def faults(file: str, table: str, error: ValidationError) -> list[str]:
    """Return the faults of a table, a line for each key, in the language in force."""
    lines: dict[str, str] = {}
    for item in error.errors(include_url=False):
        steps = [str(step) for step in item["loc"]]
        key = ".".join(s for s in steps if s not in _BRANCHES and not s.startswith("function-"))
        if item["type"].startswith("union_tag"):
            key = "kind"
        place = tr("{subject}: {text}", subject=file, text=f"[{table}] {key}".rstrip())
        # A union reports each of its branches: one line for a place is enough.
        lines.setdefault(place, _advice(item, key))
    return [tr("{place}: {fault}", place=place, fault=fault) for place, fault in lines.items()]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition file."""
    feature = DEFINITION.json_schema(ref_template="#/$defs/{model}")
    about = AboutTable.model_json_schema(ref_template="#/$defs/{model}")
    definitions = feature.pop("$defs") | {about["title"]: about}
    # The models are private to this module; their names needn't show it.
    areal = definitions["_Zone"]["properties"] | {"kind": {"enum": list(minimal.AREA_KINDS)}}
    axial = definitions["_Corridor"]["properties"]
    short = [
        {
            "type": "object",
            "required": required,
            "properties": {key: properties[key] for key in sorted(keys)},
            "additionalProperties": False,
        }
        for properties, keys, required in (
            (areal, minimal.AREA_KEYS, ["name", "clause"]),
            (axial, minimal.CORRIDOR_KEYS, ["name", "clause", "kind"]),
        )
    ]
    # A definition may leave its bounds to its clause.
    text = json.dumps([{"anyOf": [feature, *short]}, definitions])
    plain = json.loads(re.sub(r'"(#/\$defs/|title": ")_?(\w+?)(Table)?"', r'"\1\2"', text))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plan definitions of nankai-gis",
        "type": "object",
        "properties": {ABOUT: {"$ref": "#/$defs/About"}},
        "patternProperties": {f"^(?!{ABOUT}$){ID.pattern}$": plain[0]},
        "additionalProperties": False,
        "$defs": {
            name.lstrip("_").removesuffix("Table"): model
            for name, model in sorted(plain[1].items())
        },
    }
