"""The content of a report: a study in sections, in the language in force.

It puts figures into sentences and tables; how they look on paper or in a browser is the affair of
`documents`. Nothing is measured here: every figure is the study's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from nankai_gis.measure.features import AreaRow, LengthRow
from nankai_gis.plan.model import CREDIT, Feature
from nankai_gis.plan.names import in_script
from nankai_gis.present.tables import number
from nankai_gis.reports.readings import readings_section
from nankai_gis.reports.sections import Section, Table, quotation
from nankai_gis.studies.study import Study
from nankai_gis.words import language, listed, tr
from nankai_gis.words.terms import KINDS, ROLES, STATUSES, VERDICTS

if TYPE_CHECKING:
    from pandas import DataFrame

_AREAL = ("district", "zone", "parcel")


def compose(study: Study) -> tuple[Section, ...]:
    """Put a study into the sections of a report, in the language in force."""
    # A plan of corridors alone has no areas, and nothing that streets could be counted by.
    areas = {row.id: row for row in study.areas(_AREAL)} if study.features(_AREAL) else {}
    sections = [_overview(study, list(areas.values()))]
    for kind in ("zone", "parcel"):
        for feature in study.plan.of_kind(kind):
            sections += [
                _polygon(study, feature, areas[feature.id]),
                *readings_section(study, feature, _name(feature)),
            ]
    sections += [_corridor(study, feature) for feature in study.plan.of_kind("corridor")]
    return (*sections, _findings(study), _method(study))


def _paragraph(sentences: Iterable[str]) -> tuple[str, ...]:
    """Sentences as one paragraph; none for no sentence."""
    texts = [text for text in sentences if text]
    return (reduce(lambda a, b: tr("{first} {second}", first=a, second=b), texts),) if texts else ()


def _percent(share: float, decimals: int) -> str:
    return f"{share * 100:.{decimals}f}%"


def _name(feature: Feature) -> str:
    return feature.names.in_language(language())


def _place(feature: Feature) -> str:
    if language() == "en" and feature.chapter is not None and feature.section is not None:
        return tr(
            "chapter {chapter}, section {section}",
            chapter=feature.chapter,
            section=feature.section,
        )
    return in_script(feature.place)


def _measured(study: Study, row: AreaRow) -> str:
    return tr(
        "The measured area of {name} is {km2:.2f} ± {sd:.2f} km² ({ha:,.0f} ha, {mu:,.0f} mu).",
        name=study.shown(row.name),
        km2=row.area_m2 / 1e6,
        sd=row.area_sd_m2 / 1e6,
        ha=row.area_m2 / 1e4,
        mu=row.area_m2 * 15 / 1e4,
    )


def _overview(study: Study, rows: Sequence[AreaRow]) -> Section:
    about = study.plan.about
    areas = Table(
        tr("Areas of district, zones and parcels"),
        (
            tr("Name"),
            tr("Kind"),
            tr("Area (km²)"),
            "±",
            tr("Perimeter (km)"),
            tr("Stated by the plan"),
            tr("Deviation"),
            tr("Basis"),
        ),
        tuple(
            (
                study.shown(row.name),
                tr(KINDS[row.kind]),
                number(row.area_m2 / 1e6, 3),
                number(row.area_sd_m2 / 1e6, 3),
                number(row.perimeter_m / 1e3, 2),
                number(None if row.stated_area_m2 is None else row.stated_area_m2 / 1e6, 2),
                _deviation(row),
                tr(STATUSES[row.status]),
            )
            for row in rows
        ),
        frozenset({2, 3, 4, 5, 6}),
    )
    corridors = Table(
        tr("Roads and lengths of corridors"),
        (tr("Corridor"), tr("Main line and extensions"), tr("Located length (km)")),
        tuple(_corridor_row(study, feature) for feature in study.plan.of_kind("corridor")),
        frozenset({2}),
    )
    summary = _paragraph(
        [
            *(_measured(study, row) for row in rows if row.kind == "district"),
            quotation(about.summary.in_language(language())),
        ]
    )
    basis = _paragraph(
        [
            tr("Boundaries are made from the four sides in the plan's text on the road network."),
            tr("Where the basis is not a survey, they are indicative."),
            tr("± is one standard deviation, from the accuracy of the boundary."),
        ]
    )
    return Section(
        id="",
        title=tr("Overview"),
        clause="",
        place="",
        paragraphs=(*summary, *basis),
        tables=(areas, corridors) if corridors.rows else (areas,),
        picture=about.title.in_language(language()),
    )


def _corridor_row(study: Study, feature: Feature) -> tuple[str, str, str]:
    pieces = study.lengths([feature.id])
    roads = dict.fromkeys(p.street_name for p in pieces if p.role != "bridge")
    return _name(feature), listed(map(study.shown, roads)), number(_built_km(pieces), 2)


def _built_km(pieces: Iterable[LengthRow]) -> float:
    """What is located of a corridor without what is only planned."""
    return sum(piece.length_m or 0.0 for piece in pieces if not piece.planned) / 1e3


def _deviation(row: AreaRow) -> str:
    if row.deviation_m2 is None:
        return number(None, 3)
    text = number(row.deviation_m2 / 1e6, 3, sign=True)
    # Nothing has no sign.
    return text if text.strip("+-0.") else text[1:]


def _inferred(share: float) -> str:
    """Say how much of a boundary is inferred; a little is not called nothing."""
    if share == 0:
        return tr("No part of the boundary is inferred.")
    if share == 1:
        return tr("The whole boundary is inferred.")
    percent = _percent(share, 0)
    if percent == "0%":
        return tr("Less than 1% of the boundary is inferred.")
    if percent == "100%":
        return tr("More than 99% of the boundary is inferred.")
    return tr("{percent} of the boundary is inferred.", percent=percent)


def _against_stated(row: AreaRow, stated_m2: float, deviation_m2: float) -> str:
    """Say how the measured area compares with the stated one."""
    figures = {
        "stated": f"{stated_m2 / 1e6:g}",
        "off": f"{abs(deviation_m2) / 1e6:.2f}",
        "ratio": abs(deviation_m2) / row.area_sd_m2 if row.area_sd_m2 > 0 else 0.0,
    }
    if figures["off"] == "0.00":
        return tr(
            "The plan states {stated} km²; the measured area agrees to less than 0.01 km².",
            **figures,
        )
    if row.area_sd_m2 > 0 and deviation_m2 > 0:
        return tr(
            "The plan states {stated} km²; the measured area is {off} km² larger, "
            "{ratio:.1f} standard deviations.",
            **figures,
        )
    if row.area_sd_m2 > 0:
        return tr(
            "The plan states {stated} km²; the measured area is {off} km² smaller, "
            "{ratio:.1f} standard deviations.",
            **figures,
        )
    if deviation_m2 > 0:
        return tr("The plan states {stated} km²; the measured area is {off} km² larger.", **figures)
    return tr("The plan states {stated} km²; the measured area is {off} km² smaller.", **figures)


def _surveyed(statuses: Iterable[str]) -> bool:
    """Whether nothing of a picture is indicative: all that is drawn was surveyed."""
    return set(statuses) <= {"surveyed", "not located"}


def _polygon(study: Study, feature: Feature, row: AreaRow) -> Section:
    item = next(f for f in study.features([feature.kind]) if f["properties"]["id"] == feature.id)
    name = _name(feature)
    measures = _paragraph(
        [
            _measured(study, row),
            tr("Its perimeter is {km:.2f} km.", km=row.perimeter_m / 1e3),
            _inferred(row.inferred_share),
            *(tr("{sentence}.", sentence=doubt) for doubt in row.in_doubt),
        ]
    )
    stated: tuple[str, ...] = ()
    if row.stated_area_m2 is not None and row.deviation_m2 is not None:
        stated = (_against_stated(row, row.stated_area_m2, row.deviation_m2),)
    boundary = Table(
        tr("Boundary of {name}", name=name),
        (tr("Along"), tr("In place of"), tr("Accuracy (m)"), tr("Basis")),
        tuple(
            (
                study.shown(part["name"]),
                study.shown(part["for"] or ""),
                number(part["accuracy_m"], 0),
                tr(STATUSES[part["status"]]),
            )
            for part in item["properties"]["parts"]
        ),
        frozenset({2}),
    )
    extent = tr("Extent of {name}", name=name)
    return Section(
        feature.id,
        name,
        quotation(feature.clause),
        _place(feature),
        (*measures, *stated, *_paragraph([quotation(feature.note)])),
        (boundary, *_coverage_tables(study, feature), *_check_table(study, feature)),
        extent if _surveyed([row.status]) else tr("{caption} (indicative)", caption=extent),
    )


def _of(table: DataFrame, key: str, value: str) -> list[dict[str, Any]]:
    rows = table[table[key] == value].to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _shows(*figures: float, decimals: int) -> bool:
    """Tell whether any figure is more than nothing as a table shows it: a touch is no length."""
    return any(round(figure, decimals) > 0 for figure in figures)


def _coverage_tables(study: Study, feature: Feature) -> list[Table]:
    """What a zone or parcel covers, by subdistrict and by road; no table without a row."""
    name, kind = _name(feature), tr(KINDS[feature.kind])
    subdistricts = Table(
        tr("Subdistricts covered by {name}", name=name),
        (
            tr("Subdistrict"),
            tr("Area (km²)"),
            tr("Share of the {kind}", kind=kind),
            tr("Share of the subdistrict"),
        ),
        tuple(
            (
                study.shown(row["subdistrict_name"]),
                number(row["area_km2"], 3),
                _percent(row["share_of_zone"], 1),
                _percent(row["share_of_subdistrict"], 1),
            )
            for row in _of(study.coverage.areas, "zone", feature.id)
            if _shows(row["area_km2"], decimals=3)
        ),
        frozenset({1, 2, 3}),
    )
    whole = tr("Share of the road")
    if study.located("district") is not None:
        whole = tr("Share of the road in the district")
    roads = Table(
        tr("Roads of {name}", name=name),
        (
            tr("Road"),
            tr("In the {kind} (km)", kind=kind),
            tr("On its boundary (km)", kind=kind),
            whole,
        ),
        tuple(
            (
                study.shown(row["street"]),
                number(row["inside_km"], 2),
                number(row["boundary_km"], 2),
                _percent(row["share_inside"] + row["share_boundary"], 0),
            )
            for row in _of(study.coverage.streets, "zone", feature.id)
            if _shows(row["inside_km"], row["boundary_km"], decimals=2)
        ),
        frozenset({1, 2, 3}),
    )
    return [table for table in (subdistricts, roads) if table.rows]


def _corridor(study: Study, feature: Feature) -> Section:
    name, pieces = _name(feature), study.lengths([feature.id])
    length = tr(
        "The located part of {name} is {km:.2f} km long (centrelines).",
        name=name,
        km=_built_km(pieces),
    )
    lost = [study.shown(piece.street_name) for piece in pieces if piece.length_m is None]
    missing = tr(
        "{roads}: no coordinates with a source, so the length does not include them.",
        roads=listed(lost),
    )
    extent = tr("Course of {name}", name=name)
    surveyed = _surveyed(piece.status for piece in pieces)
    return Section(
        feature.id,
        name,
        quotation(feature.clause),
        _place(feature),
        (length, *([missing] if lost else []), *_paragraph([quotation(feature.note)])),
        (*_corridor_tables(study, feature, pieces), *_check_table(study, feature)),
        extent if surveyed else tr("{caption} (indicative)", caption=extent),
    )


def _corridor_tables(
    study: Study, feature: Feature, pieces: Iterable[LengthRow]
) -> Iterator[Table]:
    """The roads of a corridor, and the subdistricts that it runs through."""
    name = _name(feature)
    yield Table(
        tr("Roads that make up {name}", name=name),
        (tr("Road"), tr("Role"), tr("Length (km)"), "±", tr("Basis")),
        tuple(
            (
                study.shown(piece.street_name),
                tr("{role} (planned)", role=tr(ROLES[piece.role]))
                if piece.planned
                else tr(ROLES[piece.role]),
                number(None if piece.length_m is None else piece.length_m / 1e3, 2),
                number(None if piece.length_sd_m is None else piece.length_sd_m / 1e3, 2),
                tr(STATUSES[piece.status]),
            )
            for piece in pieces
        ),
        frozenset({2, 3}),
    )
    if not study.features(_AREAL):
        return
    yield Table(
        tr("Subdistricts along {name}", name=name),
        (tr("Subdistrict (two: on their border)"), tr("Length (km)"), tr("Share of the corridor")),
        tuple(
            (
                study.shown(row["subdistrict_name"]),
                number(row["length_km"], 2),
                _percent(row["share_of_corridor"], 1),
            )
            for row in _of(study.coverage.corridors, "corridor", feature.id)
            if _shows(row["length_km"], decimals=2)
        ),
        frozenset({1, 2}),
    )


def _check_table(study: Study, feature: Feature) -> list[Table]:
    """What differs from the plan's text, or can't be decided, of one feature."""
    rows = tuple(
        (tr(f.title), tr(VERDICTS[f.verdict]), f.figures)
        for f in study.checks
        if feature.id in f.features and f.verdict != "ok"
    )
    caption = tr(
        "{name}: differences from the plan's text, and what can't be decided", name=_name(feature)
    )
    heads = tr("What is checked"), tr("Result"), tr("Figures")
    return [Table(caption, heads, rows)] if rows else []


def _findings(study: Study) -> Section:
    counts = {verdict: sum(f.verdict == verdict for f in study.checks) for verdict in VERDICTS}
    names = {feature.id: _name(feature) for feature in study.plan.features}
    rows = tuple(
        (
            f.rule,
            tr(f.title),
            listed(names[key] for key in f.features),
            f.figures,
            tr(STATUSES["inferred"]) if f.inferred else "",
        )
        for f in study.checks
        if f.verdict == "differs"
    )
    heads = tr("Rule"), tr("What is checked"), tr("Feature"), tr("Figures"), tr("Basis")
    summary = tr(
        "What the plan says was compared with what is measured, {n} findings in all: "
        "agrees {ok}, differs {differs}, cannot tell {unknown}.",
        n=len(study.checks),
        ok=counts["ok"],
        differs=counts["differs"],
        unknown=counts["cannot tell"],
    )
    table = Table(tr("Findings that differ"), heads, rows)
    return Section("", tr("Checks of the plan's text"), "", "", (summary,), (table,))


def _method(study: Study) -> Section:
    sources: dict[str, str] = {}
    for p in (item["properties"] for layer in study.layers.values() for item in layer):
        sources |= {title: p["date"] for title in p["source"].split("; ") if title}
    missing = [f["properties"]["name"] for f in study.layers["streets"] if f["geometry"] is None]
    measured = [
        tr("Areas and lengths are measured on the CGCS2000 ellipsoid."),
        tr("Planar coordinates are in EPSG:4548 (CGCS2000, 3° zone, central meridian 117° E)."),
        tr("A dual carriageway counts once, by its centreline."),
        tr("A road along a boundary counts once, as on the boundary."),
    ]
    accuracy = [
        tr(
            "± is one standard deviation: each side of a boundary shifts as a whole by its "
            "accuracy, independently of the others, u = √Σ(length × accuracy)²."
        ),
        tr("It does not include doubt about the meaning of the text itself."),
    ]
    roads = listed(map(study.shown, missing))
    return Section(
        id="",
        title=tr("Method and sources"),
        clause="",
        place="",
        paragraphs=(
            *_paragraph(measured),
            *_paragraph(accuracy),
            *([tr("Roads that are not located: {roads}.", roads=roads)] if missing else []),
            tr("Boundaries of subdistricts are working layers, not official lines."),
            tr("{credit} 1.0 (what is derived from OpenStreetMap).", credit=CREDIT),
        ),
        tables=(
            Table(
                tr("Sources"),
                (tr("Source"), tr("Date")),
                tuple((quotation(title), date) for title, date in sorted(sources.items())),
            ),
        ),
    )
