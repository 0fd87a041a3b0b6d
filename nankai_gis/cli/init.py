"""``init``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from nankai_gis.cli import options
from nankai_gis.words import tr


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--blank", is_flag=True, help="Write a plan without features.")
@click.option("--overwrite", is_flag=True, help="Replace the files if they exist.")
def init(folder: Path, blank: bool, overwrite: bool) -> None:
    """Write an example of a plan into FOLDER, to start your own from.

    plan.toml says in its comments what each entry is for; plan.schema.json lets an editor complete
    and check what you write. `nankai-gis --plan FOLDER …` then works on it.
    """
    from nankai_gis.errors import OutputError
    from nankai_gis.files import atomic
    from nankai_gis.plan import definitions, schema
    from nankai_gis.present import tables

    files = {
        folder / "plan.toml": definitions.example(blank=blank).encode(),
        folder / "plan.schema.json": tables.json_text(schema.json_schema()),
    }
    for target in files:
        options.refuse_existing(target, overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            tr("{folder}: can't make this folder: {reason}", folder=folder, reason=error.strerror)
        ) from error
    for target, data in files.items():
        atomic.write_bytes(target, data, overwrite=overwrite)
        options.wrote(target)
    quoted = shlex.quote(str(folder))
    if atomic.WINDOWS and quoted != str(folder):
        # Neither cmd nor PowerShell knows all of a POSIX shell's quoting; both know this.
        quoted = f'"{folder}"'
    rest = f"derive FILE --save {quoted}" if blank else "area"
    command = f"nankai-gis --plan {quoted} {rest}"
    click.echo(tr("next: {command}", command=command), err=True)
