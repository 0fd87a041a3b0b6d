"""``study``."""

from __future__ import annotations

from pathlib import Path

import click

from nankai_gis.cli import options
from nankai_gis.words import ntr, tr


@click.command("study")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Make the results of FILE again and compare.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def study_(file: Path, verify: bool, overwrite: bool) -> None:
    """Keep everything behind the figures in one GeoPackage, or verify it.

    It holds the layers, the definitions, all measures and findings, the checksums of the data and
    the versions of what measured it, so that a figure can be traced and made again.
    """
    from nankai_gis.studies import store

    if not verify:
        store.save(options.study(), file, overwrite=overwrite)
        click.echo(tr("wrote {file}", file=file), err=True)
        return
    if options.source() != options.Source():
        raise click.UsageError(
            tr("--verify makes the study in FILE again; leave out --plan and --roads")
        )
    lines = store.differences(file)
    for line in lines:
        click.echo(line)
    count = ntr("{n} difference", "{n} differences", len(lines))
    click.echo(count if lines else tr("every figure comes out as it was"), err=True)
    if lines:
        raise SystemExit(3)
