"""``report``."""

from __future__ import annotations

from pathlib import Path

import click

from nankai_gis.cli import options
from nankai_gis.cli.language import chosen
from nankai_gis.words import LANGUAGES, tr


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
    from nankai_gis.reports.report import report
    from nankai_gis.studies import store

    # What can be refused is refused before the work.
    if output.suffix.lower() not in (".docx", ".html"):
        raise click.UsageError(tr("{file}: a report is a .docx or an .html file", file=output))
    options.refuse_existing(output, overwrite)
    if kept is not None and options.source() != options.Source():
        raise click.UsageError(tr("--study holds plan and network; leave out --plan and --roads"))
    report(
        output,
        options.study() if kept is None else store.load(kept),
        lang=chosen(own_lang),
        title=title,
        review=review,
        overwrite=overwrite,
        progress=lambda sections: options.progress(sections, tr("pictures")),
    )
    options.wrote(output)
