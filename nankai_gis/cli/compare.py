"""``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.words import name_column, tr

if TYPE_CHECKING:
    from nankai_gis.studies.study import Study


@click.command("compare")
@options.features
@options.output_format("table", "csv", "json")
@options.output
def compare_(names: tuple[str, ...], form: str, output: Path | None, overwrite: bool) -> None:
    """Compare the plan's geography on its own network with that on --roads.

    For each feature both areas, the symmetric difference and the Hausdorff distance (the furthest
    that either boundary lies from the other); below it each road, and how far it moved.
    """
    from nankai_gis.present import tables
    from nankai_gis.studies.comparison import compare

    if options.source().roads is None:
        raise click.UsageError(tr("compare needs another network: nankai-gis --roads FILE compare"))
    options.refuse_existing(output, overwrite)
    own, other = options.study(own_network=True), options.study()
    keys = [own.resolve(name) for name in names]
    kinds = [kind for _, kind in keys] or ["district", "zone", "parcel", "corridor"]
    table = compare(own, other, list(dict.fromkeys(kinds)))
    if keys:
        table = table[table["id"].isin([key for key, _ in keys])]
    plain = table.astype(object).where(table.notna(), None)
    rows = [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
    if form == "csv":
        options.deliver(tables.csv_text(rows), output, overwrite)
    elif form == "json":
        options.deliver(
            tables.json_text({"ellipsoid": "CGCS2000", "rows": rows}), output, overwrite
        )
    else:
        options.deliver(_tables(rows, own, other), output, overwrite)


def _tables(rows: list[dict[str, Any]], own: Study, other: Study) -> str:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    def scaled(value: float | None, size: float, decimals: int) -> str:
        return number(None if value is None else value / size, decimals)

    wholes = [
        [
            row[name_column()],
            scaled(row["area_m2"], 1e6, 3),
            scaled(row["other_area_m2"], 1e6, 3),
            scaled(row["symmetric_difference_m2"], 1e6, 3),
            scaled(row["length_m"], 1e3, 2),
            scaled(row["other_length_m"], 1e3, 2),
            number(row["hausdorff_m"], 0),
        ]
        for row in rows
        if not row["road"] and not row["other_road"]
    ]
    roads = [
        [
            row[name_column()],
            own.shown(row["road"]) or "-",
            other.shown(row["other_road"]) or "-",
            scaled(row["length_m"], 1e3, 2),
            scaled(row["other_length_m"], 1e3, 2),
            number(row["moved_m"], 0),
            number(row["hausdorff_m"], 0),
        ]
        for row in rows
        if row["road"] or row["other_road"]
    ]
    far = Column(tr("Hausdorff (m)"), "right")
    lengths = (
        Column(tr("Length, own (km)"), "right"),
        Column(tr("Length, --roads (km)"), "right"),
    )
    above = (
        Column(tr("Name")),
        Column(tr("Area, own (km²)"), "right"),
        Column(tr("Area, --roads (km²)"), "right"),
        Column(tr("Symmetric difference (km²)"), "right"),
        *lengths,
        far,
    )
    below = (
        Column(tr("Name")),
        Column(tr("Road, own")),
        Column(tr("Road, --roads")),
        *lengths,
        Column(tr("Moved by, mean (m)"), "right"),
        far,
    )
    note = tr(
        "Own: the plan's own network. Hausdorff: the furthest that a point of either course lies "
        "from the other; the mean is over points every 25 m of both."
    )
    return "\n".join([tables.terminal(above, wholes), tables.terminal(below, roads), note, ""])
