"""The section of a report that sets the readings of a clause side by side."""

from __future__ import annotations

from nankai_gis.plan.model import Feature
from nankai_gis.present.facts import name_of
from nankai_gis.present.tables import number
from nankai_gis.reports.sections import Section, Table, quotation
from nankai_gis.studies.readings import readings
from nankai_gis.studies.study import Study
from nankai_gis.words import tr

#: What the id of such a section ends with.
READINGS = "readings"


def readings_section(study: Study, feature: Feature, name: str) -> list[Section]:
    """The readings of a clause side by side; no section where there is one only."""
    items = [f for f in study.features([feature.kind]) if f["properties"]["id"] == feature.id]
    rows = readings(items).to_dict("records")
    if len(rows) < 2:
        return []
    table = Table(
        tr("Readings of the clause of {name}", name=name),
        (
            tr("Reading"),
            tr("Area (km²)"),
            tr("Difference (km²)"),
            tr("What speaks for it"),
            tr("What speaks against it"),
        ),
        tuple(
            (
                tr("{name} (drawn)", name=quotation(name_of(row)))
                if row["chosen"]
                else quotation(name_of(row)),
                number(row["area_m2"] / 1e6, 2),
                "" if row["chosen"] else f"{(row['area_m2'] - rows[0]['area_m2']) / 1e6:+.2f}",
                quotation(row["reasons_for"]),
                quotation(row["reasons_against"]),
            )
            for row in rows
        ),
        frozenset({1, 2}),
    )
    return [
        Section(
            f"{feature.id}:{READINGS}",
            tr("How the clause of {name} can be read", name=name),
            "",
            "",
            (
                tr(
                    "The words of the plan allow more than one boundary. Figures elsewhere in this "
                    "report are those of the reading that is drawn."
                ),
            ),
            (table,),
            tr("Readings of {name} (indicative)", name=name),
        )
    ]
