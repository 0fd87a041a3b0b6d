"""``map``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("map")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=True, path_type=Path),
    default=Path("nankai-plan.html"),
    show_default=True,
    help="HTML file to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
@click.option(
    "--lang",
    type=click.Choice(["zh-Hant", "zh-Hans", "en"]),
    default="zh-Hant",
    show_default=True,
    help="Language of the map.",
)
def map_(output: Path, overwrite: bool, lang: str) -> None:
    """Write an interactive map of the plan: one HTML file that opens without a network."""
    from .. import plan_map, webmap
    from ..outfile import replacing

    # Entered first, so that an output that can't be written is refused before the work.
    with replacing(output, overwrite=overwrite) as temporary:
        temporary.write_text(webmap.html(plan_map(lang=lang)), encoding="utf-8")
    click.echo(f"wrote {output}", err=True)
