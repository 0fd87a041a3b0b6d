"""The command line: options in, one call, one writer out.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 data error, 2 usage, 3 a check failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from nankai_gis.cli import guard, options, terminal
from nankai_gis.cli.check import check_
from nankai_gis.cli.compare import compare_
from nankai_gis.cli.coverage import coverage_
from nankai_gis.cli.derive import derive_
from nankai_gis.cli.export import export_
from nankai_gis.cli.features import list_features, show
from nankai_gis.cli.init import init
from nankai_gis.cli.language import in_language
from nankai_gis.cli.maps import figure, map_
from nankai_gis.cli.measures import area, length
from nankai_gis.cli.read import read_
from nankai_gis.cli.report import report_
from nankai_gis.cli.roads import roads as roads_command
from nankai_gis.cli.study import study_
from nankai_gis.words import LANGUAGES, Language


class _Program(click.Group):
    """Speaks the reader's language and turns the toolkit's errors into messages and exit codes."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **more: Any) -> Any:
        """Run with the language that the arguments, the environment or the locale ask for."""
        arguments = sys.argv[1:] if args is None else args
        with in_language(self, arguments), terminal.shown():
            return super().main(args, *others, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        # Nothing that ends a command reaches a reader as a traceback.
        except BaseException as error:
            told = guard.message(error, ctx.invoked_subcommand)
            if told is error:
                raise
            raise told from error


@click.group(
    cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="nankai-gis", prog_name="nankai-gis")
@click.option(
    "--plan",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Definitions of your own, as `init` writes them. Default: the packaged plan.",
)
@click.option(
    "--roads",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Road network of your own to compile the plan on: .osm, .osm.gz, .osm.bz2, .osm.pbf, an "
    "Overpass answer in JSON, a snapshot or a vector file. Digitised lines fill what it lacks.",
)
@click.option(
    "--subdistricts",
    type=click.Choice(["auto"]),
    help="auto: district and subdistricts as --roads has them (admin_level 6 and 8), where it "
    "does. Default: as the plan's definitions compile.",
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="Language of tables, messages and help, and of what is written. Default: the variable "
    "NANKAI_GIS_LANG, else that of the system; maps, figures and reports are in the plan's script.",
)
@click.pass_context
def main(
    ctx: click.Context,
    plan: Path | None,
    roads: Path | None,
    subdistricts: str | None,
    lang: Language | None,
) -> None:
    """Turn the plan of Nankai District into measured geography and maps.

    Features answer to their id, and to their names in traditional or simplified Chinese and in
    English: qihang-bay, 啟航灣, 启航湾.
    """
    ctx.obj = options.Source(plan, roads, subdistricts)


_COMMANDS = (
    init,
    area,
    length,
    list_features,
    show,
    read_,
    derive_,
    coverage_,
    check_,
    compare_,
    study_,
    roads_command,
    map_,
    figure,
    export_,
    report_,
)
for command in _COMMANDS:
    main.add_command(command)
