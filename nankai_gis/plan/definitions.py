"""Plan definitions: a folder of TOML files, read strictly, every fault reported at once.

A definition is a table named by the feature's id; the table ``plan`` says what the plan is called.
A definition holds the quoted clause and the structured reading of it: the sides of a 四至, the ring
in the order in which it runs, the pieces of an axis, the subdistricts and the area that the text
claims. The reader knows every key of every kind; what it doesn't know is a fault, not a hint.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nankai_gis.errors import AmbiguousNameError, ClauseError, FeatureNotFoundError, PlanError
from nankai_gis.plan import minimal, schema
from nankai_gis.plan.model import KINDS, About, AxisPart, Feature, Names, Reading, RingPart
from nankai_gis.plan.names import Index, normalise, simplified
from nankai_gis.plan.packaged import data_folder
from nankai_gis.words import language, listed, mark, quoted, tr


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
            what=mark("feature"),
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


def _ring_part(part: str | schema.StandInTable) -> RingPart:
    if isinstance(part, str):
        return RingPart(part)
    return RingPart(part.line, part.stands_for, part.accuracy_m, part.until)


def _names(table: schema.TomlTable, key: str, aliases: tuple[str, ...] = ()) -> Names:
    """A text in three languages; what isn't given is converted, or stays as it is."""
    text: str = getattr(table, key)
    hans, en = getattr(table, f"{key}_hans"), getattr(table, f"{key}_en")
    return Names(
        text, simplified(text) if hans is None else hans, text if en is None else en, aliases
    )


def _about(table: schema.AboutTable) -> About:
    return About(
        title=_names(table, "title"),
        subtitle=_names(table, "subtitle"),
        source=_names(table, "source"),
        date=table.date,
        summary=_names(table, "summary"),
    )


def _reading(table: schema.ReadingTable, chosen: str | None) -> Reading:
    return Reading(
        table.id,
        _names(table, "name"),
        tuple(map(_ring_part, table.ring)),
        reasons_for=_names(table, "reasons_for"),
        reasons_against=_names(table, "reasons_against"),
        chosen=table.id == chosen,
    )


def _feature(key: str, file: str, d: Any) -> Feature:
    sides = d.sides.model_dump(exclude_none=True) if getattr(d, "sides", None) else {}
    people = getattr(d, "population", None)
    area = getattr(d, "stated_area_km2", None)
    joins = getattr(d, "joins", None)
    readings = tuple(_reading(r, d.reading) for r in getattr(d, "readings", ()))
    ring = tuple(map(_ring_part, getattr(d, "ring", None) or ()))
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
        ring=next((reading.ring for reading in readings if reading.chosen), ring),
        readings=readings,
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


def _tables(name: str, text: str | bytes) -> tuple[Mapping[str, Any], list[str]]:
    try:
        # Some editors put a byte order mark before the text.
        return tomllib.loads(text if isinstance(text, str) else text.decode("utf-8-sig")), []
    except UnicodeDecodeError as error:
        return {}, [
            tr(
                "{file}: not UTF-8 text (byte {byte}); save it as UTF-8",
                file=name,
                byte=error.start,
            )
        ]
    except tomllib.TOMLDecodeError as error:
        return {}, [tr("{file}: not valid TOML: {reason}", file=name, reason=_toml_reason(error))]
    # Of numbers with thousands of digits and of deep nesting tomllib has errors of other kinds.
    except (ValueError, RecursionError, OverflowError, MemoryError):
        reason = tr("numbers that are too long, or tables too deep")
        return {}, [tr("{file}: not valid TOML: {reason}", file=name, reason=reason)]


def _toml_reason(error: tomllib.TOMLDecodeError) -> str:
    """Return where a TOML file is broken, in the language in force; else tomllib's own words."""
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if language() == "en" or found is None:
        return str(error)
    return tr("line {line}, column {column}", line=found[1], column=found[2])


def read(folder: str | os.PathLike[str] | None = None) -> Plan:
    """Read all definitions of a folder, or of one file.

    Parameters
    ----------
    folder : str or path-like, optional
        Every ``*.toml`` file in it is read, in the order of their names; a file is read alone.
        The packaged plan by default.

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
    if folder is None:
        return packaged()
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    if not files:
        raise PlanError(
            [tr("{folder}: no *.toml file here; `nankai-gis init` writes one", folder=folder)]
        )
    texts, faults = {}, []
    for file in files:
        try:
            texts[file.name] = file.read_bytes()
        except OSError as error:
            faults.append(
                tr("{file}: can't be read: {reason}", file=file, reason=error.strerror or error)
            )
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
            if not schema.ID.fullmatch(key):
                faults.append(
                    tr(
                        "{file}: [{id}]: an id is lower-case ASCII words joined by hyphens",
                        file=name,
                        id=key,
                    )
                )
            if key in home:
                faults.append(
                    tr(
                        "{file}: [{id}]: {other} has this id already",
                        file=name,
                        id=key,
                        other=home[key],
                    )
                )
            home.setdefault(key, name)
            if not isinstance(table, dict):
                faults.append(tr("{file}: [{id}]: not a table", file=name, id=key))
                continue
            try:
                if key == schema.ABOUT:
                    about = _about(schema.AboutTable.model_validate(table))
                else:
                    said = None
                    if minimal.is_minimal(table):
                        table, said = minimal.completed(table)
                    made = _feature(key, name, schema.DEFINITION.validate_python(table))
                    features.append(replace(made, said=said))
            except ValidationError as error:
                faults += schema.faults(name, key, error)
            except ClauseError as error:
                place = tr("{subject}: {text}", subject=name, text=f"[{key}] clause")
                faults.append(tr("{place}: {fault}", place=place, fault=error))
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
    # A name stands for one feature of its kind.
    namesakes: dict[tuple[str, str], Feature] = {}
    for f in plan.features:
        first = namesakes.setdefault((f.kind, normalise(f.names.hant)), f)
        if first is not f:
            faults.append(
                tr(
                    "{file}: [{id}] name: [{other}] is called {name}, too",
                    file=f.file,
                    id=f.id,
                    other=first.id,
                    name=quoted(f.names.hant),
                )
            )
    # Claims, joins and containers name features of the plan.
    subdistricts, everything = plan.index(["subdistrict"]), plan.index()
    features = []
    for f in plan.features:
        f = _with_claims(f, plan, subdistricts)
        for claim in f.claims:
            _, wrong = _referent(f, "claims", claim, subdistricts)
            faults += wrong
        joins, within = [], f.within
        for name in f.joins:
            joined, wrong = _referent(f, "joins.features", name, everything)
            joins.append(joined)
            faults += wrong
        if within:
            within, wrong = _referent(f, "within", within, everything)
            faults += wrong
        features.append(replace(f, joins=tuple(joins), within=within))
    return replace(plan, features=tuple(features)), faults


def _with_claims(f: Feature, plan: Plan, subdistricts: Index[Feature]) -> Feature:
    """A feature with the subdistricts that its clause names, where its file names none."""
    if f.said is None or f.claims:
        return f
    if f.said.everywhere:
        return replace(f, claims=tuple(s.names.hant for s in plan.of_kind("subdistrict")))
    return replace(f, claims=tuple(c for c in f.said.claims if c in subdistricts))


def _referent(f: Feature, key: str, name: str, index: Index[Feature]) -> tuple[str, list[str]]:
    """The id of the feature that a key names, or the name itself and what is wrong with it."""
    place = tr("{subject}: {text}", subject=f.file, text=f"[{f.id}] {key}")
    try:
        return index[name].id, []
    except AmbiguousNameError as error:
        return name, [tr("{place}: {fault}", place=place, fault=error)]
    except FeatureNotFoundError as error:
        near = error.candidates
    if key == "claims":
        fault = tr("{name} is no subdistrict of this plan", name=quoted(name))
    else:
        fault = tr("{name} is no feature of this plan", name=quoted(name))
    if near:
        fault = tr("{fault} (near names: {near})", fault=fault, near=listed(near))
    return name, [tr("{place}: {fault}", place=place, fault=fault)]


def example(*, blank: bool = False) -> str:
    """Return a commented plan to start one's own from.

    Parameters
    ----------
    blank : bool
        Whether it holds no feature.

    Returns
    -------
    str
        TOML; the example compiles on the packaged reference network.

    Examples
    --------
    >>> [f.kind for f in parse({"plan.toml": example()}).features][-3:]
    ['subdistrict', 'subdistrict', 'site']
    >>> parse({"plan.toml": example(blank=True)}).features
    ()
    """
    from importlib.resources import files

    name = "blank.toml" if blank else "example.toml"
    return (files(__package__) / name).read_text(encoding="utf-8")


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
