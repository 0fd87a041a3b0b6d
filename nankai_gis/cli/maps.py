"""``map`` and ``figure``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from nankai_gis.cli import options
from nankai_gis.cli.language import chosen
from nankai_gis.words import LANGUAGES, listed, quoted, tr

F = TypeVar("F", bound=Callable[..., Any])
Basemap = Literal["none", "osm", "tianditu", "gaode"]
PageSize = Literal["A5", "A4", "A3", "A2"]


def _layers(ctx: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    if value is None:
        return None
    from nankai_gis.plan.layers import LAYERS

    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in LAYERS]
    if unknown:
        raise click.BadParameter(
            tr(
                "no layer is called {names}; there are {layers}",
                names=listed(map(quoted, unknown)),
                layers=listed(LAYERS),
            )
        )
    if not names:
        raise click.BadParameter(tr("no layer is named; there are {layers}", layers=listed(LAYERS)))
    return names


def _shared_options(function: F) -> F:
    """Take the options that map and figure have in common."""
    for option in (
        click.option("--overwrite", is_flag=True, help="Replace the output file if it exists."),
        click.option(
            "--coverage",
            is_flag=True,
            help="Shade subdistricts by the share that zones cover; colour streets by zone.",
        ),
        click.option(
            "--layers",
            metavar="LAYER,…",
            callback=_layers,
            help="Only these layers: district, subdistricts, zones, parcel, streets, corridors, "
            "sites. Default: all.",
        ),
        click.option(
            "--review",
            metavar="NUMBER",
            help="Map review number (審圖號). Without one the map is marked as for internal use.",
        ),
        click.option("--title", metavar="TEXT", help="Another title."),
        click.option(
            "--lang",
            "own_lang",
            type=click.Choice(LANGUAGES),
            help="Language of the map. Default: zh-Hant.",
        ),
    ):
        function = option(function)
    return function


@click.command("map")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=True, path_type=Path),
    help="HTML file to write.  [default: nankai-plan.html; with --embed, stdout]",
)
@_shared_options
@click.option("--cdn", is_flag=True, help="A small file that loads Leaflet from a CDN.")
@click.option(
    "--basemap",
    type=click.Choice(["none", "osm", "tianditu", "gaode"]),
    default="none",
    show_default=True,
    help="Online tiles below the plan. tianditu takes the key in TIANDITU_KEY.",
)
@click.option(
    "--embed",
    type=click.Choice(["iframe", "fragment"]),
    help="A piece for another page instead: a sandboxed frame, or part of the body.",
)
def map_(
    output: Path | None,
    overwrite: bool,
    own_lang: str | None,
    title: str | None,
    review: str | None,
    layers: list[str] | None,
    coverage: bool,
    cdn: bool,
    basemap: Basemap,
    embed: str | None,
) -> None:
    """Write an interactive map of the plan: one HTML file that opens without a network."""
    from nankai_gis.files.atomic import atomic_write
    from nankai_gis.present import webmap
    from nankai_gis.reports.pictures import plan_map

    if cdn and embed == "fragment":
        raise click.UsageError(
            tr("--cdn has no use with --embed fragment, which carries its script")
        )

    # The file's content, as a page or as a piece of one.
    def text() -> str:
        drawn = plan_map(
            study=options.study(),
            lang=chosen(own_lang),
            title=title,
            review=review,
            cdn=cdn,
            layers=layers,
            basemap=basemap,
            coverage=coverage,
        )
        if basemap == "tianditu":
            click.echo(
                tr(
                    "Warning: the file holds your key to Tianditu; whoever has the file can read it"
                ),
                err=True,
            )
        if embed is None:
            return webmap.html(drawn)
        return webmap.iframe(drawn) + "\n" if embed == "iframe" else webmap.fragment(drawn)

    # A piece goes to standard output unless a file is named.
    if embed and output is None:
        click.echo(text(), nl=False)
        return
    target = output or Path("nankai-plan.html")
    # A complete page is opened by its suffix; a piece of one may be in a file of any name.
    if embed is None and target.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(
            tr("{file} ends neither in .html nor in .htm", file=target), param_hint="--output"
        )
    # Entered first, so that an output that can't be written is refused before the work.
    with atomic_write(target, overwrite=overwrite) as temporary:
        temporary.write_bytes(text().encode())
    click.echo(tr("wrote {file}", file=target), err=True)


@click.command("figure")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=True, path_type=Path),
    default=Path("nankai-plan.png"),
    show_default=True,
    help="File to write: .png, .svg (texts as outlines) or .pdf (fonts embedded).",
)
@_shared_options
@click.option(
    "--page",
    type=click.Choice(["A5", "A4", "A3", "A2"]),
    default="A4",
    show_default=True,
    help="Page size.",
)
@click.option("--landscape", is_flag=True, help="Turn the page to landscape.")
@click.option(
    "--dpi",
    type=click.IntRange(36, 1200),
    default=300,
    show_default=True,
    help="Dots per inch of a PNG.",
)
@click.option(
    "--font", metavar="FILE|FAMILY", help="Font to use. Default: one that has all glyphs."
)
@click.option("--legend/--no-legend", default=True, help="Legend with areas.  [default: with]")
@click.option("--scale-bar/--no-scale-bar", default=True, help="Scale bar.  [default: with]")
@click.option("--north/--no-north", default=True, help="North arrow.  [default: with]")
@click.option("--graticule/--no-graticule", default=False, help="Graticule.  [default: without]")
def figure(
    output: Path,
    overwrite: bool,
    own_lang: str | None,
    title: str | None,
    review: str | None,
    layers: list[str] | None,
    coverage: bool,
    page: PageSize,
    landscape: bool,
    dpi: int,
    font: str | None,
    legend: bool,
    scale_bar: bool,
    north: bool,
    graticule: bool,
) -> None:
    """Write a figure of the plan for Word and print: PNG, SVG or PDF, without a browser."""
    from nankai_gis.files.atomic import atomic_write
    from nankai_gis.present import figure as figures
    from nankai_gis.reports.pictures import plan_figure

    if output.suffix.lower().removeprefix(".") not in figures.FORMATS:
        raise click.BadParameter(
            tr("{file} ends neither in .png nor in .svg or .pdf", file=output),
            param_hint="--output",
        )
    # Entered first, so that an output that can't be written is refused before the work.
    with atomic_write(output, overwrite=overwrite) as temporary:
        drawn = plan_figure(
            study=options.study(),
            lang=chosen(own_lang),
            title=title,
            review=review,
            layers=layers,
            coverage=coverage,
            page=page,
            landscape=landscape,
            dpi=dpi,
            font=font,
            legend=legend,
            scale_bar=scale_bar,
            north=north,
            graticule=graticule,
        )
        figures.save(drawn, temporary, overwrite=True)
    click.echo(tr("wrote {file}", file=output), err=True)
