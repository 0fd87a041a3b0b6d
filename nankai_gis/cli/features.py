"""``list`` and ``show``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nankai_gis.cli import options
from nankai_gis.plan.names import in_script
from nankai_gis.words import language, listed, name_column, terms, tr

if TYPE_CHECKING:
    from nankai_gis.compiler.lines import PlanNetwork
    from nankai_gis.plan.model import Feature, Line, Names
    from nankai_gis.studies.study import Study


@click.command("list")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["district", "zone", "parcel", "corridor", "subdistrict", "site"]),
    help="Only this kind; may be given more than once.",
)
@options.output_format("table", "csv", "json")
@options.output
def list_features(kinds: tuple[str, ...], form: str, output: Path | None, overwrite: bool) -> None:
    """List the features of the plan and whether they are located."""
    from nankai_gis.plan.model import KINDS
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    records: dict[str, dict[str, str | bool]] = {}
    study = options.study()
    for feature in study.features(kinds or KINDS):
        p = feature["properties"]
        key = p.get("corridor", p["id"])
        record = records.setdefault(
            key,
            {
                "id": key,
                "kind": p["kind"],
                "name": p["name"],
                "name_hans": p["name_hans"],
                "name_en": p["name_en"],
                "section": p["section"],
                "status": p["status"],
                "located": feature["geometry"] is not None,
            },
        )
        if p["status"] == "inferred":
            # A corridor is as certain as its least certain piece that is drawn.
            record["status"] = "inferred"
    rows = list(records.values())
    if form == "csv":
        options.deliver(tables.csv_text(rows), output, overwrite)
    elif form == "json":
        options.deliver(tables.json_text({"features": rows}), output, overwrite)
    else:
        columns = (tr("Id"), tr("Name"), tr("Kind"), tr("Place in the plan"), tr("Basis"))
        cells = [
            [
                str(row["id"]),
                str(row[name_column()]),
                tr(terms.KINDS[str(row["kind"])]),
                options.place(study.plan.index()[str(row["id"])]) or "-",
                tr(terms.STATUSES[str(row["status"])]),
            ]
            for row in rows
        ]
        options.deliver(tables.terminal(list(map(Column, columns)), cells), output, overwrite)


@click.command()
@click.argument("name", metavar="FEATURE")
def show(name: str) -> None:
    """Show a feature or a street: clause, reading, sides, sources.

    For a feature of the plan its clause, how it is read, and how well each side is known; for a
    street, railway or river of the reference network its course and where that comes from.
    """
    from nankai_gis.errors import FeatureNotFoundError

    study = options.study()
    try:
        key, _ = study.resolve(name)
    except FeatureNotFoundError as error:
        network = options.network()
        if name not in network:
            near = [*error.candidates, *network.near(name)][:5]
            raise FeatureNotFoundError(tr("feature or road"), name, near) from error
        options.deliver(_lines(_road(network[name], network)), None, False)
        return
    feature = study.plan.index()[key]
    place, source = options.place(feature), in_script(feature.clause_source)
    lines = [
        *_head(feature.names, feature.id, feature.kind),
        "",
        tr("Plan text ({source}):", source=place) if place else tr("Plan text:"),
        f"  {in_script(feature.clause)}",
        *((tr("Source of the clause:"), f"  {source}") if source and not place else ()),
        *_sides(feature, study),
        *_geometry(feature, study),
    ]
    if feature.claims:
        claims = listed(_claimed(feature, study))
        lines += ["", tr("Subdistricts that the plan names: {names}", names=claims)]
    lines += _note(feature.note)
    options.deliver(_lines(lines), None, False)


def _claimed(feature: Feature, study: Study) -> Iterator[str]:
    """The subdistricts of a feature: as the plan calls them, in English by their English names."""
    subdistricts = study.plan.index(("subdistrict",))
    for name in feature.claims:
        english = language() == "en"
        yield subdistricts[name].names.in_language("en") if english else in_script(name)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _head(names: Names, key: str, kind: str) -> list[str]:
    every = (names.hant, names.hans, names.en)
    return [
        "  ".join(dict.fromkeys(filter(None, every))),
        tr("Id: {id}    Kind: {kind}", id=key, kind=tr(terms.KINDS[kind])),
    ]


def _note(note: str) -> list[str]:
    # What the data says in Chinese stands on lines of its own.
    return ["", tr("Note:"), f"  {in_script(note)}"] if note else []


def _sources(titles: Iterable[str]) -> list[str]:
    return [tr("Sources:"), *(f"  {in_script(title)}" for title in titles)]


def _road(line: Line, network: PlanNetwork) -> list[str]:
    from nankai_gis.compiler.measured import line_accuracy, line_length
    from nankai_gis.plan.model import worst

    lines = _head(line.names, line.id, line.kind)
    if line.names.aliases:
        lines += [tr("Other names:"), f"  {listed(line.names.aliases)}"]
    if line.vertices:
        status = worst(vertex.status for vertex in line.vertices)
        sources = sorted({vertex.source for vertex in line.vertices})
        lines += [
            "",
            tr("Length: {km} km along the centreline", km=f"{line_length(line) / 1e3:.2f}"),
            tr(
                "Accuracy: {metres} m across the line, weighted by length",
                metres=f"{line_accuracy(line):.0f}",
            ),
            tr("Basis: {status}", status=tr(terms.STATUSES[status])),
            *_sources(network.sources[source] for source in sources),
        ]
    else:
        lines += ["", _unlocated()]
    return lines + _note(line.note)


def _unlocated() -> str:
    return tr("Position: not located (no coordinate with a source)")


def _sides(feature: Feature, study: Study) -> list[str]:
    if not feature.sides:
        return []
    # The four sides are the plan's own words, in their order.
    lines = [
        tr(
            "{side}: {roads}",
            side=tr(terms.SIDES[side]),
            roads=listed(study.shown(road) for road in roads),
        )
        for side, roads in feature.sides.items()
    ]
    return ["", tr("Four sides:"), *(f"  {line}" for line in lines)]


def _geometry(feature: Feature, study: Study) -> list[str]:
    from nankai_gis.studies.study import AREAL

    if feature.axis:
        return _axis(feature, study)
    if feature.kind in AREAL:
        return _ring(feature, study)
    site = next(f for f in study.features(["site"]) if f["properties"]["id"] == feature.id)
    properties = site["properties"]
    if properties["status"] == "not located":
        return ["", _unlocated()]
    position = []
    if site["geometry"]["type"] == "Point":
        longitude, latitude = site["geometry"]["coordinates"]
        position = [tr("Position: {lon}, {lat}", lon=f"{longitude:.5f}", lat=f"{latitude:.5f}")]
    return [
        "",
        *position,
        tr("Accuracy: {metres} m", metres=f"{properties['accuracy_m']:g}"),
        tr("Basis: {status}", status=tr(terms.STATUSES[properties["status"]])),
        *_sources(properties["source"].split("; ")),
        tr("Date of the data: {date}", date=properties["date"]),
    ]


def _ring(feature: Feature, study: Study) -> list[str]:
    from nankai_gis.geometry.ruler import length
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    shape = next(f for f in study.features([feature.kind]) if f["properties"]["id"] == feature.id)
    properties, ring = shape["properties"], shape["geometry"]["coordinates"][0]
    (row,) = study.areas(names=[feature.id])
    # Each stretch of the boundary and how well it is known.
    cells = []
    for part in properties["parts"]:
        stretch = ring[part["start"] : part["stop"] + 1]
        metres = length({"type": "LineString", "coordinates": stretch})
        cells.append(
            [
                study.shown(part["name"]),
                study.shown(part["for"] or ""),
                number(metres / 1e3, 2),
                number(part["accuracy_m"], 0),
                tr(terms.STATUSES[part["status"]]),
            ]
        )
    columns = [
        Column(tr("Boundary along")),
        Column(tr("In place of")),
        Column(tr("Length (km)"), "right"),
        Column(tr("Accuracy (m)"), "right"),
        Column(tr("Basis")),
    ]
    # The area, beside the stated one where the plan states one.
    lines = [
        tr(
            "Area: {area} ± {spread} sq km",
            area=f"{row.area_m2 / 1e6:.3f}",
            spread=f"{row.area_sd_m2 / 1e6:.3f}",
        )
    ]
    if row.stated_area_m2 is not None and row.deviation_m2 is not None:
        lines.append(
            tr(
                "Stated by the plan: {area} sq km, deviation {percent}%",
                area=f"{row.stated_area_m2 / 1e6:g}",
                percent=f"{row.deviation_m2 / row.stated_area_m2 * 100:+.1f}",
            )
        )
    return [
        "",
        tables.terminal(columns, cells).rstrip(),
        "",
        *lines,
        tr(
            "Perimeter: {km} km, {percent}% of it inferred",
            km=f"{row.perimeter_m / 1e3:.2f}",
            percent=f"{row.inferred_share * 100:.0f}",
        ),
        tr("Basis: {status}", status=tr(terms.STATUSES[row.status])),
        *((tr("In doubt:"), *(f"  {doubt}" for doubt in row.in_doubt)) if row.in_doubt else ()),
        *_sources(properties["source"].split("; ")),
    ]


def _axis(feature: Feature, study: Study) -> list[str]:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    cells = [
        [
            study.shown(row.street_name),
            tr(terms.ROLES[row.role]),
            number(None if row.length_m is None else row.length_m / 1e3, 2),
            number(None if row.length_sd_m is None else row.length_sd_m / 1e3, 2),
            options.basis(row.status, row.planned),
        ]
        for row in study.lengths([feature.id])
    ]
    columns = [
        Column(tr("Road")),
        Column(tr("Role")),
        Column(tr("Length (km)"), "right"),
        Column("±", "right"),
        Column(tr("Basis")),
    ]
    return ["", tables.terminal(columns, cells).rstrip()]
