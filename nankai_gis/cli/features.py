"""``list`` and ``show``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.plan.model import SIDE_NAMES
from nankai_gis.words import terms, tr
from nankai_gis.words.terms import ROLES, STATUSES

if TYPE_CHECKING:
    from nankai_gis.compiler.lines import PlanNetwork
    from nankai_gis.plan.model import Feature, Line
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
    for feature in options.study().features(kinds or KINDS):
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
        table = tables.terminal(
            [Column("id"), Column("名稱"), Column("類型"), Column("出處"), Column("依據")],
            [
                [
                    str(r["id"]),
                    str(r["name"]),
                    tr(terms.KINDS[str(r["kind"])]),
                    str(r["section"]) or "-",
                    tr(STATUSES[str(r["status"])]),
                ]
                for r in rows
            ],
        )
        options.deliver(table, output, overwrite)


@click.command()
@click.argument("name", metavar="FEATURE")
def show(name: str) -> None:
    """Show a feature or a street: clause, reading, sides, sources.

    For a feature of the plan its clause, how it is read, and how well each side is known; for a
    street, railway or river of the reference network its course and where that comes from.
    """
    from nankai_gis.errors import FeatureNotFoundError

    found = options.study()
    network = options.network()
    try:
        key, _ = found.resolve(name)
    except FeatureNotFoundError as error:
        if name not in network:
            near = [*error.candidates, *network.near(name)][:5]
            raise FeatureNotFoundError("feature or street", name, near) from error
        options.deliver(_street(network[name], network), None, False)
        return
    feature = found.plan.index()[key]
    lines = [
        "  ".join(dict.fromkeys(feature.names.every()[:3])),
        f"id:{feature.id}    類型:{_kind(feature)}",
        "",
        f"原文({feature.place or feature.clause_source}):",
        f"  {feature.clause}",
    ]
    lines += _reading(feature)
    lines += _geometry(feature, found, network)
    if feature.claims:
        lines += ["", f"規劃所稱街道:{'、'.join(feature.claims)}"]
    if feature.note:
        lines += ["", f"說明:{feature.note}"]
    options.deliver("\n".join(lines) + "\n", None, False)


def _street(line: Line, network: PlanNetwork) -> str:
    from nankai_gis.compiler.measured import line_accuracy, line_length
    from nankai_gis.plan.model import worst

    told = [
        "  ".join(dict.fromkeys((line.names.hant, line.names.hans, line.names.en))),
        f"id:{line.id}    類型:{tr(terms.KINDS[line.kind])}",
    ]
    if line.names.aliases:
        told.append(f"別名:{'、'.join(line.names.aliases)}")
    if line.vertices:
        status = tr(STATUSES[worst(v.status for v in line.vertices)])
        told += [
            "",
            f"長度:{line_length(line) / 1e3:.2f} 公里(中心線)",
            f"精度:{line_accuracy(line):.0f} 米(橫向,按長度加權)",
            f"依據:{status}",
            "來源:"
            + "\n      ".join(
                network.sources[s] for s in sorted({v.source for v in line.vertices})
            ),
        ]
    else:
        told += ["", "位置:未定位(沒有帶來源的坐標)"]
    if line.note:
        told += ["", f"說明:{line.note}"]
    return "\n".join(told) + "\n"


def _kind(feature: Feature) -> str:
    return tr(terms.KINDS[feature.kind])


def _reading(feature: Feature) -> list[str]:
    if not feature.sides:
        return []
    return ["", "四至:"] + [
        f"  {SIDE_NAMES[side]}至{'、'.join(roads)}" for side, roads in feature.sides.items()
    ]


def _geometry(feature: Feature, found: Study, network: PlanNetwork) -> list[str]:
    from nankai_gis.studies.study import AREAL

    if feature.axis:
        return _axis(feature, found)
    if feature.kind in AREAL:
        return _ring(feature, found, network)
    site = next(f for f in found.features(["site"]) if f["properties"]["id"] == feature.id)
    p = site["properties"]
    if p["status"] == "not located":
        return ["", "位置:未定位(沒有帶來源的坐標)"]

    return [
        "",
        f"位置:{_at(site)}{tr(STATUSES[p['status']])},精度 {p['accuracy_m']:g} 米",
        f"來源:{p['source']}({p['date']})",
    ]


def _at(site: Mapping[str, Any]) -> str:
    if site["geometry"]["type"] != "Point":
        return ""
    lon, lat = site["geometry"]["coordinates"]
    return f"{lon:.5f}, {lat:.5f};"


def _ring(feature: Feature, found: Study, network: PlanNetwork) -> list[str]:
    from nankai_gis.geometry.geodesic import length
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    shape = next(f for f in found.features([feature.kind]) if f["properties"]["id"] == feature.id)
    p, ring = shape["properties"], shape["geometry"]["coordinates"][0]
    (row,) = found.areas(names=[feature.id])
    cells = []
    for part in p["parts"]:
        course = ring[part["start"] : part["stop"] + 1]
        cells.append(
            [
                part["name"],
                part["for"] or "",
                number(length({"type": "LineString", "coordinates": course}) / 1e3, 2),
                number(part["accuracy_m"], 0),
                tr(STATUSES[part["status"]]),
            ]
        )
    columns = [
        Column("邊界所沿"),
        Column("代替"),
        Column("長度(公里)", "right"),
        Column("精度(米)", "right"),
        Column("依據"),
    ]
    stated = ""
    if row.stated_area_m2 is not None and row.deviation_m2 is not None:
        stated = (
            f",所述 {row.stated_area_m2 / 1e6:g},"
            f"偏差 {row.deviation_m2 / row.stated_area_m2 * 100:+.1f}%"
        )
    return [
        "",
        tables.terminal(columns, cells).rstrip(),
        "",
        f"面積:{row.area_m2 / 1e6:.3f} ± {row.area_sd_m2 / 1e6:.3f} 平方公里{stated}",
        f"周長:{row.perimeter_m / 1e3:.2f} 公里,其中推定 {row.inferred_share * 100:.0f}%",
        f"依據:{tr(STATUSES[row.status])}",
        "來源:" + "\n      ".join(network.sources[s] for s in p["source_ids"].split(";")),
    ]


def _axis(feature: Feature, found: Study) -> list[str]:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    cells = [
        [
            row.street_name,
            tr(ROLES[row.role]),
            number(None if row.length_m is None else row.length_m / 1e3, 2),
            number(None if row.length_sd_m is None else row.length_sd_m / 1e3, 2),
            tr(STATUSES[row.status]) + ("、規劃" if row.planned else ""),
        ]
        for row in found.lengths([feature.id])
    ]
    columns = [
        Column("道路"),
        Column("作用"),
        Column("長度(公里)", "right"),
        Column("±", "right"),
        Column("依據"),
    ]
    return ["", tables.terminal(columns, cells).rstrip()]
