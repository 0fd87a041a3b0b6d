"""``report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from ..model import Section
    from ..study import Study

_TITLES = {
    "zh-Hant": ("南開區「十四五」規劃空間格局量算報告", "一灣啟航、兩翼騰飛、三帶匯通"),
    "zh-Hans": ("南开区“十四五”规划空间格局量算报告", "一湾启航、两翼腾飞、三带汇通"),
}
_DATE = "2026-11-24"


@click.command("report")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--lang",
    type=click.Choice(["zh-Hant", "zh-Hans"]),
    default="zh-Hant",
    show_default=True,
    help="Script of the report.",
)
@click.option("--title", help="Another title.")
@click.option("--review", metavar="NUMBER", help="Map review number (審圖號). Default: 內部使用.")
@click.option(
    "--study",
    "kept",
    type=click.Path(path_type=Path),
    help="A study that was kept, in place of the packaged plan.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
def report_(
    output: Path,
    lang: Literal["zh-Hant", "zh-Hans"],
    title: str | None,
    review: str | None,
    kept: Path | None,
    overwrite: bool,
) -> None:
    """Write a report: a Word document (.docx) or a standalone page (.html).

    For each zone, the parcel and each corridor a section with map, area, coverage by subdistrict
    and street, and what differs from the plan's words.
    """
    from .. import brief, report, study
    from ..outfile import write

    kind = output.suffix.lower()
    if kind not in (".docx", ".html"):
        raise click.UsageError(f"{output}: a report is a .docx or an .html file")
    if output.exists() and not overwrite:
        options.refuse(output)
    found = study.packaged() if kept is None else study.load(kept)
    sections = brief.compose(found, hans=lang == "zh-Hans")
    heading, subtitle = _TITLES[lang]
    words = {"title": title or heading, "subtitle": subtitle, "date": _DATE}
    drawn = [section for section in sections if section.picture]
    if kind == ".docx":
        pictures = dict(_pictures(found, drawn, lang, review))
        data = report.docx(sections, pictures, **words)
    else:
        maps = dict(_maps(found, drawn, lang, review))
        data = report.html(sections, maps, lang=lang, **words).encode()
    write(output, data, overwrite=overwrite)
    click.echo(f"wrote {output}", err=True)


def _frames(found: Study, section: Section) -> dict[str, GeoDataFrame]:
    """What the map of a section shows: everything, or its own feature on the ground."""
    frames = {name: found.frame(name) for name in found.layers}
    if not section.id:
        return frames
    frames["zones"] = frames["zones"][frames["zones"]["id"] == section.id]
    frames["parcel"] = frames["parcel"][frames["parcel"]["id"] == section.id]
    frames["corridors"] = frames["corridors"][frames["corridors"]["corridor"] == section.id]
    del frames["sites"]
    ground = ("district", "subdistricts", "streets")
    return {name: frame for name, frame in frames.items() if name in ground or len(frame)}


def _pictures(
    found: Study, drawn: Sequence[Section], lang: Literal["zh-Hant", "zh-Hans"], review: str | None
) -> list[tuple[str, bytes]]:
    from .. import figure

    made = []
    for section in options.progress(drawn, "figures"):
        page = figure.draw(
            _frames(found, section),
            title=section.picture,
            subtitle="",
            source="《南開區國民經濟和社會發展第十四個五年規劃綱要》;OpenStreetMap",
            date=_DATE[:7],
            review=review,
            lang=lang,
            page="A5",
            dpi=220,
            legend=not section.id,
        )
        made.append((section.id, figure.render(page, "png")))
    return made


def _maps(
    found: Study, drawn: Sequence[Section], lang: Literal["zh-Hant", "zh-Hans"], review: str | None
) -> list[tuple[str, str]]:
    from .. import webmap

    made = []
    for section in options.progress(drawn, "maps"):
        page = webmap.draw(
            _frames(found, section),
            title=section.picture,
            source="《南開區國民經濟和社會發展第十四個五年規劃綱要》;OpenStreetMap",
            date=_DATE[:7],
            review=review,
            lang=lang,
        )
        made.append((section.id, webmap.iframe(page, title=section.picture)))
    return made
