"""``report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nankai_gis.cli import options
from nankai_gis.cli.language import chosen
from nankai_gis.words import LANGUAGES, Language, speaking, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.reports.sections import Section
    from nankai_gis.studies.study import Study

#: Layers of which a section shows its own feature only, and the column that says which.
_OWN = {"zones": "id", "parcel": "id", "corridors": "corridor"}
#: Width and height in millimetres of the figures in a document: of the whole plan, with a legend,
#: and of one feature.
_WHOLE, _ONE = (140.0, 165.0), (125.0, 118.0)


@click.command("report")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--lang",
    "own_lang",
    type=click.Choice(LANGUAGES),
    help="Language of the report. Default: zh-Hant.",
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
    own_lang: str | None,
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

    # What can be refused is refused before the work.
    kind = output.suffix.lower()
    if kind not in (".docx", ".html"):
        raise click.UsageError(tr("{file}: a report is a .docx or an .html file", file=output))
    options.refuse_existing(output, overwrite)
    if kept is not None and options.plan_folder() is not None:
        raise click.UsageError(tr("give --plan or --study, not both"))
    study = options.study() if kept is None else store.load(kept)
    lang = chosen(own_lang)
    with speaking(lang):
        sections = content.compose(study)
        about = study.plan.about
        head = {
            "title": title or tr("Measurements: {plan}", plan=about.title.in_language(lang)),
            "subtitle": about.subtitle.in_language(lang),
            "date": about.date,
        }
        drawn = [section for section in sections if section.picture]
        if kind == ".docx":
            data = documents.docx(sections, _pictures(study, drawn, lang, review), **head)
        else:
            data = documents.html(sections, _maps(study, drawn, lang, review), **head).encode()
    write_bytes(output, data, overwrite=overwrite)
    click.echo(tr("wrote {file}", file=output), err=True)


def _frames(study: Study, section: Section) -> dict[str, GeoDataFrame]:
    """What the map of a section shows: everything, or its own feature on the ground."""
    frames = {name: study.frame(name) for name, features in study.layers.items() if features}
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
    study: Study, drawn: Sequence[Section], lang: Language, review: str | None
) -> dict[str, bytes]:
    from nankai_gis.present import figure

    made = {}
    for section in options.progress(drawn, "figures"):
        page = figure.draw(
            _frames(study, section),
            title="",  # the document's own caption says it
            source=study.plan.about.source.in_language(lang),
            date=study.plan.about.date,
            review=review,
            lang=lang,
            page=_ONE if section.id else _WHOLE,
            margin=0.5,
            dpi=220,
            legend=not section.id,
        )
        made[section.id] = figure.render(page, "png")
    return made


def _maps(
    study: Study, drawn: Sequence[Section], lang: Language, review: str | None
) -> dict[str, str]:
    from nankai_gis.present import webmap

    made = {}
    for section in options.progress(drawn, "maps"):
        page = webmap.draw(
            _frames(study, section),
            title=section.picture,
            source=study.plan.about.source.in_language(lang),
            date=study.plan.about.date,
            review=review,
            lang=lang,
        )
        made[section.id] = webmap.iframe(page, title=section.picture)
    return made
