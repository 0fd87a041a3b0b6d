"""``area`` and ``length``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.words import name_column, terms, tr

if TYPE_CHECKING:
    from nankai_gis.measure.features import AreaRow, LengthRow
    from nankai_gis.studies.study import Study


@click.command()
@options.features
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["district", "zone", "parcel", "subdistrict"]),
    help="Only this kind; may be given more than once. Default: district, zones and parcel.",
)
@options.output_format("table", "csv", "json", "geojson")
@click.option(
    "--unit",
    type=click.Choice(["km2", "ha", "mu", "m2"]),
    default="km2",
    show_default=True,
    help="Unit of areas; mu is 畝 (1/15 ha). Perimeters are in km.",
)
@options.output
def area(
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    form: str,
    unit: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Areas and perimeters, with their uncertainty.

    Measured on the CGCS2000 ellipsoid, beside the EPSG:4548 planar area and what the plan states.
    """
    study = options.study()
    rows = study.areas(kinds or ("district", "zone", "parcel"), names)
    if names and kinds:
        rows = [row for row in rows if row.kind in kinds]
    options.deliver(_areas(rows, form, unit, study), output, overwrite)


def _areas(rows: list[AreaRow], form: str, unit: str, study: Study) -> str | bytes:
    from nankai_gis.plan.model import CREDIT
    from nankai_gis.present import tables

    if form == "table":
        return _area_table(rows, unit)
    records = [_area_record(row, unit) for row in rows]
    if form == "csv":
        return tables.csv_text(records)
    if form == "json":
        return tables.json_text(
            {
                "ellipsoid": "CGCS2000",
                "planar_crs": "EPSG:4548",
                "uncertainty": "one standard deviation; sides move as wholes and independently",
                "attribution": f"{CREDIT} 1.0, where derived from OSM",
                "features": records,
            }
        )
    known = {f["properties"]["id"]: f for f in study.features([row.kind for row in rows])}
    return tables.geojson_text(
        [
            {
                "type": "Feature",
                "id": row.id,
                "properties": record | {"clause": known[row.id]["properties"]["clause"]},
                "geometry": known[row.id]["geometry"],
            }
            for row, record in zip(rows, records, strict=True)
        ]
    )


def _area_record(row: AreaRow, unit: str) -> dict[str, Any]:
    from nankai_gis.present import tables

    size = tables.AREA_UNITS[unit]
    stated, deviation = row.stated_area_m2, row.deviation_m2
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "name_hans": row.name_hans,
        "name_en": row.name_en,
        f"area_{unit}": row.area_m2 / size,
        f"area_sd_{unit}": row.area_sd_m2 / size,
        f"planar_area_{unit}": row.planar_area_m2 / size,
        "planar_difference_ppm": row.difference_ppm,
        "perimeter_km": row.perimeter_m / 1e3,
        f"stated_area_{unit}": None if stated is None else stated / size,
        f"deviation_{unit}": None if deviation is None else deviation / size,
        "deviation_percent": None if deviation is None or not stated else deviation / stated * 100,
        "status": row.status,
        "inferred_share_of_perimeter": row.inferred_share,
        "in_doubt": "; ".join(row.in_doubt),
    }


def _area_table(rows: list[AreaRow], unit: str) -> str:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    size, decimals = tables.AREA_UNITS[unit], tables.DECIMALS[unit]
    titles = (
        tr("Area"),
        "±",
        tr("Planar"),
        tr("Diff. ppm"),
        tr("Perimeter"),
        tr("Stated"),
        tr("Deviation"),
        tr("Deviation %"),
    )
    # One line for each feature; what the plan doesn't state stays a dash.
    cells = []
    for row in rows:
        stated, deviation = row.stated_area_m2, row.deviation_m2
        percent = None if deviation is None or not stated else deviation / stated * 100
        cells.append(
            [
                getattr(row, name_column()),
                tr(terms.KINDS[row.kind]),
                number(row.area_m2 / size, decimals),
                number(row.area_sd_m2 / size, decimals),
                number(row.planar_area_m2 / size, decimals),
                number(row.difference_ppm, 1, sign=True),
                number(row.perimeter_m / 1e3, 2),
                number(None if stated is None else stated / size, decimals),
                number(None if deviation is None else deviation / size, decimals, sign=True),
                number(percent, 1, sign=True),
                tr(terms.STATUSES[row.status]),
            ]
        )
    columns = [
        Column(tr("Name")),
        Column(tr("Kind")),
        *(Column(title, "right") for title in titles),
        Column(tr("Basis")),
    ]
    return tables.terminal(columns, cells) + "\n" + _area_notes(rows, unit)


def _area_notes(rows: list[AreaRow], unit: str) -> str:
    notes = [
        tr(
            "Areas in {unit}, perimeters in km. Areas are measured on the CGCS2000 ellipsoid; "
            "“Planar” is the area in the EPSG:4548 projection, “Diff. ppm” how much more that is.",
            unit=tr(terms.UNITS[unit]),
        ),
        tr(
            "± is one standard deviation: each side moves as a whole by its accuracy, "
            "independently of the others, u = √Σ(length × accuracy)^2."
        ),
    ]
    if any(row.status == "inferred" for row in rows):
        notes.append(
            tr(
                "Where the basis is “inferred”, part of the boundary is an inferred position or "
                "reading and only indicative; nankai-gis show FEATURE gives the basis of each side."
            )
        )
    notes += [
        tr("{subject}: {text}", subject=getattr(row, name_column()), text=doubt)
        for row in rows
        for doubt in row.in_doubt
    ]
    return "\n".join(notes) + "\n"


@click.command()
@options.features
@options.output_format("table", "csv", "json", "geojson")
@click.option(
    "--unit",
    type=click.Choice(["km", "m"]),
    default="km",
    show_default=True,
    help="Unit of lengths.",
)
@options.output
def length(
    names: tuple[str, ...], form: str, unit: str, output: Path | None, overwrite: bool
) -> None:
    """Lengths of the corridors, street by street.

    A street without coordinates stays in the table, without a length; a straight piece that
    stands for such streets, and what isn't built yet, are kept out of the total.
    """
    study = options.study()
    options.deliver(_lengths(study.lengths(names), form, unit, study), output, overwrite)


def _lengths(rows: list[LengthRow], form: str, unit: str, study: Study) -> str | bytes:
    from nankai_gis.plan.model import CREDIT
    from nankai_gis.present import tables

    if form == "table":
        return _length_table(rows, unit, study)
    records = [_length_record(row, unit) for row in rows]
    if form == "csv":
        return tables.csv_text(records)
    if form == "json":
        return tables.json_text(
            {
                "ellipsoid": "CGCS2000",
                "uncertainty": "one standard deviation, from where the two ends lie",
                "attribution": f"{CREDIT} 1.0, where derived from OSM",
                "pieces": records,
            }
        )
    wanted = {row.corridor for row in rows}
    pieces = [f for f in study.features(["corridor"]) if f["properties"]["corridor"] in wanted]
    by_corridor = {row.corridor: n for n, row in reversed(list(enumerate(rows)))}
    pieces.sort(key=lambda f: by_corridor[f["properties"]["corridor"]])
    return tables.geojson_text(
        [
            {
                "type": "Feature",
                "id": piece["properties"]["id"],
                "properties": record,
                "geometry": piece["geometry"],
            }
            for piece, record in zip(pieces, records, strict=True)
        ]
    )


def _length_record(row: LengthRow, unit: str) -> dict[str, Any]:
    from nankai_gis.present import tables

    size = tables.LENGTH_UNITS[unit]
    return {
        "corridor": row.corridor,
        "corridor_name": row.corridor_name,
        "corridor_name_hans": row.corridor_name_hans,
        "corridor_name_en": row.corridor_name_en,
        "street": row.street,
        "street_name": row.street_name,
        "role": row.role,
        "planned": row.planned,
        f"length_{unit}": None if row.length_m is None else row.length_m / size,
        f"length_sd_{unit}": None if row.length_sd_m is None else row.length_sd_m / size,
        "status": row.status,
    }


def _length_table(rows: list[LengthRow], unit: str, study: Study) -> str:
    import itertools
    import math

    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    size, decimals = tables.LENGTH_UNITS[unit], tables.DECIMALS[unit]

    def shown(metres: float | None) -> str:
        return number(None if metres is None else metres / size, decimals)

    cells = []
    for _, group in itertools.groupby(rows, key=lambda row: row.corridor):
        pieces = list(group)
        corridor = getattr(pieces[0], f"corridor_{name_column()}")
        for row in pieces:
            cells.append(
                [
                    corridor,
                    study.shown(row.street_name),
                    tr(terms.ROLES[row.role]),
                    shown(row.length_m),
                    shown(row.length_sd_m),
                    options.basis(row.status, row.planned),
                ]
            )
        # The total holds what is located and built.
        built = [row for row in pieces if row.length_m is not None and not row.planned]
        total = sum(row.length_m or 0.0 for row in built)
        spread = math.hypot(*(row.length_sd_m or 0.0 for row in built))
        cells.append([corridor, tr("Total (located)"), "", shown(total), shown(spread), ""])
    columns = [
        Column(tr("Corridor")),
        Column(tr("Road")),
        Column(tr("Role")),
        Column(tr("Length"), "right"),
        Column("±", "right"),
        Column(tr("Basis")),
    ]
    notes = (
        tr(
            "Lengths in {unit} on the CGCS2000 ellipsoid, along road centrelines; a dual "
            "carriageway counts once.",
            unit=tr(terms.UNITS[unit]),
        ),
        tr(
            "± is one standard deviation, from the position of both ends. A road that is not "
            "located has no length; straight pieces that stand for such roads, and planned pieces, "
            "are not in the total."
        ),
    )
    return tables.terminal(columns, cells) + "\n" + "\n".join(notes) + "\n"
