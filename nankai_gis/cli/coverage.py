"""``coverage``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from nankai_gis.cli import options
from nankai_gis.cli.inputs import (
    VectorInputs,
    layer_title,
    read_subdistricts,
    vector_inputs,
)
from nankai_gis.words import listed, mark, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.measure.coverage import Coverage, Key, WalkingReach
    from nankai_gis.measure.coverage.reconciliation import Note
    from nankai_gis.network.roads import Origin
    from nankai_gis.studies.study import Study

# What --dask alone stands for.
_HERE = "local"


def _between(
    least: float, most: float, unit: str
) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Refuse what is no number, or beyond any sense."""

    def check(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
        if value is not None and not least <= value <= most:
            raise click.BadParameter(
                tr(
                    "{value}; give {unit}, {least} to {most}",
                    value=f"{value:g}",
                    unit=tr(unit),
                    least=f"{least:g}",
                    most=f"{most:g}",
                )
            )
        return value

    return check


def _no_picture(plot: Path) -> click.UsageError:
    return click.UsageError(tr("--plot {file}: a picture is a .png, .svg or .pdf file", file=plot))


@click.command("coverage")
@click.option(
    "--by",
    multiple=True,
    default=("zone,subdistrict",),
    show_default=True,
    help="Keys of the table: some of zone, subdistrict, street, class, divided by commas; given "
    "more than once, they are joined.",
)
@click.option(
    "--zones",
    type=click.Path(path_type=Path),
    help="Polygons of your own in place of the plan's zones and parcel.",
)
@click.option(
    "--subdistricts",
    type=click.Path(path_type=Path),
    help="An official layer of subdistricts in place of the plan's own; an OSM file gives its "
    "boundaries of admin_level 8. auto: those of --roads, as before the command.",
)
@options.roads
@click.option(
    "--dask",
    "scheduler",
    is_flag=False,
    flag_value=_HERE,
    metavar="[SCHEDULER]",
    help="Measure a network beyond this machine's memory on Dask: --roads is a folder of "
    "GeoParquet files then. On this machine's processors, or on a running scheduler: "
    "tcp://host:8786.",
)
@click.option(
    "--reach",
    type=float,
    callback=_between(0.01, 100_000, mark("metres")),
    help="Reach of the corridors, metres.",
)
@click.option(
    "--ends",
    type=click.Choice(["round", "flat"]),
    default="round",
    show_default=True,
    help="Ends of the reach.",
)
@click.option(
    "--with",
    "others",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another layer to count by zone and subdistrict: facilities, parcels, buildings.",
)
@click.option(
    "--walk",
    type=click.Path(path_type=Path),
    help="Points from which the walking reach is measured, along the network.",
)
@click.option(
    "--minutes",
    type=float,
    callback=_between(0.01, 1440, mark("minutes")),
    default=15.0,
    show_default=True,
    help="Minutes on foot, at 4 km/h.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw bars by street and a small map into this .png, .svg or .pdf file.",
)
@vector_inputs
@options.output_format("table", "csv", "xlsx", "json", "geojson")
@options.output
def coverage_(
    by: tuple[str, ...],
    zones: Path | None,
    subdistricts: Path | None,
    scheduler: str | None,
    reach: float | None,
    ends: str,
    others: tuple[Path, ...],
    walk: Path | None,
    minutes: float,
    plot: Path | None,
    inputs: VectorInputs,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Overlay the plan on streets and subdistricts, in tables that add up.

    A street that runs along a boundary counts as on the boundary, once. Every table is compared
    with its total, and says so.
    """
    from nankai_gis.cli import coverage_network, coverage_tables

    # Refuse what makes no sense before any long work.
    keys, roads = _checked_keys(",".join(by)), options.source().roads
    _check_names(others, coverage_tables.titles(keys))
    _check_form(form, output, others, walk)
    coverage_network.check(roads, scheduler, walk, plot, form)
    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise _no_picture(plot)
    for target in (output, plot):
        options.refuse_existing(target, overwrite)
    # Read the layers: zones of the plan are compiled on the network that is measured.
    own = zones is not None or scheduler is not None
    subdistricts = options.mapped_subdistricts(subdistricts, own)
    study = options.study(own_network=own)
    areas, subs = study.areas_to_cover(), study.located("subdistricts")
    if zones is not None:
        areas = inputs.read(zones, "Polygon", ("zones", "parcel"))
    if subdistricts is not None:
        subs = read_subdistricts(subdistricts, inputs)
    apart = zones is not None and coverage_network.elsewhere(study, areas)
    settings = _settings(study, zones if apart else None, reach, ends, apart=apart)
    # Measure.
    streets, origin = None, None
    if scheduler is None:
        streets, settings["centrelines"], origin = coverage_network.streets(
            roads if own else None,
            study,
            inputs,
            (areas, subs),
            settings,
            all_of_it=walk is not None,
        )
    counted = {layer_title(other): inputs.read(other) for other in others}
    starts = None if walk is None else inputs.read(walk, "Point")
    inputs.check_used()
    result = _measured(areas, streets, subs, roads, scheduler, settings)
    for title, layer in counted.items():
        result = result.with_layer(title, layer)
    walked = None if starts is None else _walked(starts, streets, areas, minutes)
    # Hand out the tables, and what is to be said of them.
    coverage_network.warn_if_apart(result, areas, streets, roads)
    if plot is not None:
        _draw(result, areas, plot, overwrite)
    notes = _notes(result, origin, walked)
    below = coverage_tables.below(result, notes, areas, settings["district"] is not None)
    tables = coverage_tables.chosen(result, keys, walked)
    if form == "csv":
        below = coverage_tables.empty(tables) + below
    content: str | bytes
    if form == "geojson":
        content = _geojson(result, keys)
    else:
        layers = (areas, subs, settings["corridors"], study.located("streets"))
        content = coverage_tables.formed(form, tables, result, notes, below, layers)
    options.deliver(content, output, overwrite)
    if form in ("csv", "geojson"):
        click.echo(below, err=True, nl=False)


def _settings(
    study: Study, zones: Path | None, reach: float | None, ends: str, *, apart: bool
) -> dict[str, Any]:
    """What the plan and the options say of a measurement; nothing of the plan for zones apart."""
    settings: dict[str, Any] = {
        "district": None if apart else study.located("district"),
        "corridors": None if apart else study.located("corridors"),
        "reach_m": reach,
        "reach_ends": ends,
    }
    if reach is not None and settings["corridors"] is None:
        raise _no_corridors(zones)
    return settings


def _measured(
    areas: GeoDataFrame,
    streets: GeoDataFrame | None,
    subs: GeoDataFrame | None,
    roads: Path | None,
    scheduler: str | None,
    settings: dict[str, Any],
) -> Coverage:
    from nankai_gis.measure import coverage

    with options.steps_bar("coverage") as progress:
        if streets is not None:
            return coverage.measure(areas, streets, subs, progress=progress, **settings)
        from nankai_gis.measure.coverage import partitions

        assert roads is not None
        place = None if scheduler == _HERE else scheduler
        return partitions.measure(
            areas, roads, subs, scheduler=place, progress=progress, **settings
        )


def _walked(
    starts: GeoDataFrame, streets: GeoDataFrame | None, areas: GeoDataFrame, minutes: float
) -> WalkingReach | None:
    from nankai_gis.measure import coverage

    if streets is None:
        return None
    return coverage.walking_reach(starts, streets, areas, minutes=minutes)


def _no_corridors(zones: Path | None) -> click.UsageError:
    if zones is None:
        return click.UsageError(
            tr("--reach widens the corridors of the plan, and there are none here; leave it out")
        )
    return click.UsageError(
        tr(
            "--reach widens the corridors of the plan, but the zones come from {file}; "
            "leave it out",
            file=zones,
        )
    )


def _check_names(others: Sequence[Path], titles: Mapping[str, str]) -> None:
    """Refuse layers that would have the table of another, or one of the program's own."""
    from nankai_gis.cli.coverage_tables import OWN, WALK, WALK_TITLE

    own = {*titles, *titles.values(), WALK, tr(WALK_TITLE), *OWN, *map(tr, OWN.values())}
    taken: dict[str, Path] = {}
    for other in others:
        title = layer_title(other)
        if title in own:
            raise click.UsageError(
                tr(
                    "--with {file}: its table would be called {name} like one of the command's "
                    "own; rename the file",
                    file=other,
                    name=quoted(title),
                )
            )
        if title in taken:
            raise click.UsageError(
                tr(
                    "--with {file}: its table would be called {name} like that of {other}; "
                    "rename the file",
                    file=other,
                    name=quoted(title),
                    other=taken[title],
                )
            )
        taken[title] = other


def _check_form(form: str, output: Path | None, others: Sequence[Path], walk: Path | None) -> None:
    if form == "xlsx" and output is None:
        raise click.UsageError(tr("--format xlsx needs --output"))
    if form != "geojson":
        return
    for option, given in (("--with", bool(others)), ("--walk", walk is not None)):
        if given:
            raise click.UsageError(
                tr(
                    "{option} makes a table, which --format geojson has no place for; take "
                    "--format table, csv, xlsx or json",
                    option=option,
                )
            )


def _draw(result: Coverage, areas: GeoDataFrame, target: Path, overwrite: bool) -> None:
    from nankai_gis.files.atomic import write_bytes
    from nankai_gis.plan.model import CREDIT
    from nankai_gis.present import chart, figure

    if "kind" in areas and (areas["kind"] == "zone").any():
        # The parcel lies in a zone: its streets would count twice.
        areas = areas[areas["kind"] == "zone"]
    known = result.streets
    if "id" in areas:
        known = known[known["zone"].isin(areas["id"].astype(str))]
    if known.empty:
        from nankai_gis.errors import DataError

        raise DataError(
            tr("--plot {file}: no street runs in or along a zone; nothing to draw", file=target)
        )
    streets = known.groupby("street")[["inside_km", "boundary_km"]].sum()
    bars = [
        chart.Bar(str(name), float(row["inside_km"]), float(row["boundary_km"]))
        for name, row in streets.iterrows()
    ]
    page = chart.coverage(
        bars,
        result.pieces,
        areas,
        title=tr("Roads inside the zones and on their boundaries"),
        source=tr("Sums over the zones; CGCS2000 ellipsoid; {credit}", credit=CREDIT),
    )
    form = next(f for f in figure.FORMATS if target.suffix.lower() == f".{f}")
    write_bytes(target, figure.render(page, form), overwrite=overwrite)
    click.echo(tr("wrote {file}", file=target), err=True)


def _checked_keys(by: str) -> list[Key]:
    from nankai_gis.measure.coverage import KEYS

    keys = [key.strip() for key in by.split(",") if key.strip()]
    known = {str(key): key for key in KEYS}
    if not keys or len(set(keys)) < len(keys) or not set(keys) <= known.keys():
        raise click.UsageError(
            tr(
                "--by takes some of {keys}, each once; got {given}",
                keys=listed(KEYS),
                given=quoted(by),
            )
        )
    return [known[key] for key in keys]


def _notes(result: Coverage, origin: Origin | None, walked: WalkingReach | None) -> list[Note]:
    """What was lost before the streets were measured, while, and on the walk."""
    from dataclasses import replace

    from nankai_gis.cli.coverage_tables import WALK_TITLE
    from nankai_gis.measure.coverage.reconciliation import Note

    lost = {} if origin is None else origin.dropped
    notes = [Note("streets", "dropped", reason, count) for reason, count in lost.items()]
    notes += result.notes
    # A walk takes the same streets and zones, of which the same is noted already.
    known = {(note.layer, note.action, note.reason) for note in result.notes}
    notes += [
        replace(note, layer=f"{WALK_TITLE}: {note.layer}")
        for note in (() if walked is None else walked.notes)
        if (note.layer, note.action, note.reason) not in known
    ]
    return notes


def _geojson(result: Coverage, keys: list[Key]) -> bytes:
    """The cut streets; where zones by subdistricts are asked for by name, these."""
    import json

    from nankai_gis.present import tables

    source = click.get_current_context().get_parameter_source("by")
    asked = source is not ParameterSource.DEFAULT
    cut = result.parts if asked and set(keys) == {"zone", "subdistrict"} else result.pieces
    if cut.empty:
        options.warn(tr("there is nothing to cut by, so the file holds no feature"))
    return tables.geojson_text(json.loads(cut.to_json(drop_id=True))["features"])
