"""``report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from nankai_gis.cli import options

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.reports.sections import Section
    from nankai_gis.studies.study import Study

#: Layers of which a section shows its own feature only, and the column that says which.
_OWN = {"zones": "id", "parcel": "id", "corridors": "corridor"}
#: Width and height in millimetres of the figures in a document: of the whole plan, with a legend,
#: and of one feature.
_WHOLE, _ONE = (140.0, 165.0), (125.0, 118.0)
_REPORT = {"zh-Hant": "量算報告", "zh-Hans": "量算报告"}


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
    from nankai_gis.files.atomic import write_bytes
    from nankai_gis.reports import content, documents
    from nankai_gis.studies import store

    kind = output.suffix.lower()
    if kind not in (".docx", ".html"):
        raise click.UsageError(f"{output}: a report is a .docx or an .html file")
    options.refuse_existing(output, overwrite)
    if kept is not None and options.plan_folder() is not None:
        raise click.UsageError("give --plan or --study, not both")
    found = options.study() if kept is None else store.load(kept)
    sections = content.compose(found, hans=lang == "zh-Hans")
    about = found.plan.about
    words = {
        "title": title or about.title.in_language(lang) + _REPORT[lang],
        "subtitle": about.subtitle.in_language(lang),
        "date": about.date,
    }
    drawn = [section for section in sections if section.picture]
    if kind == ".docx":
        pictures = dict(_pictures(found, drawn, lang, review))
        data = documents.docx(sections, pictures, lang=lang, **words)
    else:
        maps = dict(_maps(found, drawn, lang, review))
        data = documents.html(sections, maps, lang=lang, **words).encode()
    write_bytes(output, data, overwrite=overwrite)
    click.echo(f"wrote {output}", err=True)


def _frames(found: Study, section: Section) -> dict[str, GeoDataFrame]:
    """What the map of a section shows: everything, or its own feature on the ground."""
    frames = {name: found.frame(name) for name, features in found.layers.items() if features}
    for name, column in _OWN.items():
        if name in frames:
            # By its place among all, so that a feature alone keeps the colour that it has there.
            frames[name]["hue"] = frames[name][column].factorize()[0]
    if not section.id:
        return frames
    shown = {}
    for name, frame in frames.items():
        if name in _OWN:
            frame = frame[frame[_OWN[name]] == section.id]
        if name != "sites" and len(frame):
            shown[name] = frame
    return shown


def _pictures(
    found: Study, drawn: Sequence[Section], lang: Literal["zh-Hant", "zh-Hans"], review: str | None
) -> list[tuple[str, bytes]]:
    from nankai_gis.present import figure

    made = []
    for section in options.progress(drawn, "figures"):
        page = figure.draw(
            _frames(found, section),
            title="",  # the document's own caption says it
            source=found.plan.about.source.in_language(lang),
            date=found.plan.about.date,
            review=review,
            lang=lang,
            page=_ONE if section.id else _WHOLE,
            margin=0.5,
            dpi=220,
            legend=not section.id,
        )
        made.append((section.id, figure.render(page, "png")))
    return made


def _maps(
    found: Study, drawn: Sequence[Section], lang: Literal["zh-Hant", "zh-Hans"], review: str | None
) -> list[tuple[str, str]]:
    from nankai_gis.present import webmap

    made = []
    for section in options.progress(drawn, "maps"):
        page = webmap.draw(
            _frames(found, section),
            title=section.picture,
            source=found.plan.about.source.in_language(lang),
            date=found.plan.about.date,
            review=review,
            lang=lang,
        )
        made.append((section.id, webmap.iframe(page, title=section.picture)))
    return made
