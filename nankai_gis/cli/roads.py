"""``roads``: import, fetch, info, list and find."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nankai_gis.cli import options
from nankai_gis.cli.inputs import VectorInputs, vector_inputs
from nankai_gis.cli.road_lists import find_road, list_roads
from nankai_gis.words import listed, recalled, tr

if TYPE_CHECKING:
    from nankai_gis.network.roads import BBox, Origin, Roads


@click.group()
def roads() -> None:
    """Road networks: import, fetch, describe.

    A snapshot is a GeoPackage that says where its data comes from, of what date it is, and
    whether it is whole. Results that use it name it.
    """


@roads.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Snapshot to write; by default the name of FILE with .gpkg, in this folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace the snapshot if it exists.")
@click.option(
    "--bbox",
    metavar="W,S,E,N",
    help="Keep only ways that touch this box, in degrees.",
)
@click.option(
    "--around",
    metavar="FEATURE",
    help="Keep only ways in the surroundings (1 km) of a feature of the plan.",
)
@click.option(
    "--allow-incomplete",
    is_flag=True,
    help="Leave out ways that lack nodes, as extracts have at their edge, and list them.",
)
@vector_inputs
def import_(
    file: Path,
    output: Path | None,
    overwrite: bool,
    bbox: str | None,
    around: str | None,
    allow_incomplete: bool,
    inputs: VectorInputs,
) -> None:
    """Import a road network into a snapshot.

    FILE is .osm, .osm.gz, .osm.bz2, .osm.pbf, an Overpass answer in JSON, a street graph that
    osmnx saved, or a vector file that GDAL reads.
    """
    from nankai_gis.network.osm_network import OsmNetwork

    target = output or Path(file.name.split(".")[0] + ".gpkg")
    options.refuse_existing(target, overwrite)
    network = inputs.roads(file, bbox=_box(bbox, around), allow_incomplete=allow_incomplete)
    inputs.check_used()
    options.warn_if_shifted(OsmNetwork(network))
    _save(network, target, overwrite)


@roads.command()
@click.argument("feature", required=False)
@click.option(
    "--bbox",
    metavar="W,S,E,N",
    help="Fetch the roads in this box, in degrees, instead of those about a feature.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("roads.gpkg"),
    show_default=True,
    help="Snapshot to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace the snapshot if it exists.")
@click.option("--endpoint", help="Address of an Overpass interpreter.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=1),
    default=180.0,
    show_default=True,
    help="Seconds for everything: tries, pauses and transfer.",
)
def fetch(
    feature: str | None,
    bbox: str | None,
    output: Path,
    overwrite: bool,
    endpoint: str | None,
    deadline: float,
) -> None:
    """Fetch the roads of a feature and its surroundings (1 km) from an Overpass server.

    FEATURE is the plan's district by default. For a plan whose folder has no roads yet, give a box.
    """
    from nankai_gis.network import roads as networks

    options.refuse_existing(output, overwrite)
    box = _box(bbox, feature) or surroundings(None)
    with options.bytes_bar(tr("fetch")) as progress:
        network = networks.fetch(box, endpoint=endpoint, deadline_s=deadline, progress=progress)
    _save(network, output, overwrite)


@roads.command()
@click.argument("snapshot", type=click.Path(path_type=Path))
@options.output_format("table", "json")
def info(snapshot: Path, form: str) -> None:
    """Describe a snapshot: source, date, extent, counts and checksum."""
    from dataclasses import asdict

    from nankai_gis.network import roads as networks
    from nankai_gis.present import tables

    # Loaded, not only looked up: whether a snapshot is whole is part of what it is.
    origin = networks.load(snapshot).origin
    if form == "json":
        options.deliver(tables.json_text(asdict(origin)), None, False)
    else:
        options.deliver(_description(origin), None, False)


roads.add_command(list_roads)
roads.add_command(find_road)


def _box(bbox: str | None, around: str | None) -> BBox | None:
    if bbox and around:
        raise click.UsageError(tr("give a box or a feature, not both"))
    if around:
        return surroundings(around)
    if bbox is None:
        return None
    try:
        west, south, east, north = map(float, bbox.split(","))
    except ValueError as error:
        raise click.UsageError(tr("--bbox takes four numbers: west,south,east,north")) from error
    return west, south, east, north


def surroundings(name: str | None) -> BBox:
    """A box about a feature of the plan, one kilometre more on each side."""
    from shapely.geometry import shape

    study = options.study()
    if name is None:
        districts = study.plan.of_kind("district")
        if not districts:
            raise click.UsageError(tr("this plan has no district; name a feature, or give --bbox"))
        name = districts[0].id
    key, _ = study.resolve(name)
    lon: list[float] = []
    lat: list[float] = []
    for layer in study.layers.values():
        for feature in layer:
            p, geometry = feature["properties"], feature["geometry"]
            if p.get("corridor", p["id"]) != key or geometry is None:
                continue
            west, south, east, north = shape(geometry).bounds
            lon += [west, east]
            lat += [south, north]
    if not lon:
        from nankai_gis.errors import GeometryError

        raise GeometryError(
            tr("{feature} is not located; name a feature that is, or give a box", feature=key)
        )
    return _widened(min(lon), min(lat), max(lon), max(lat))


def _widened(west: float, south: float, east: float, north: float) -> BBox:
    """A box with one kilometre more on each side."""
    from nankai_gis.geometry.plane import Plane

    west, south = Plane(west, south).back((-1000.0, -1000.0))
    east, north = Plane(east, north).back((1000.0, 1000.0))
    return west, south, east, north


def _save(network: Roads, target: Path, overwrite: bool) -> None:
    network.save(target, overwrite=overwrite)
    click.echo(_description(network.origin), err=True, nl=False)
    click.echo(tr("wrote {file}", file=target), err=True)


def _description(origin: Origin) -> str:
    """Say line by line where a network comes from and what was left out."""
    west, south, east, north = origin.bbox
    lines = [
        tr("source: {source}", source=origin.source or origin.name),
        tr("file: {file} ({format})", file=origin.name, format=origin.format),
        tr("date of the data: {date}", date=origin.date or tr("unknown")),
        tr(
            "extent: {west:.4f}, {south:.4f} to {east:.4f}, {north:.4f}",
            west=west,
            south=south,
            east=east,
            north=north,
        ),
        tr(
            "ways: {ways:,}, with a name {named:,}, nodes {nodes:,}",
            ways=origin.ways,
            named=origin.named,
            nodes=origin.nodes,
        ),
        tr("SHA-256: {checksum}", checksum=origin.sha256),
    ]
    lines += [
        tr("left out: {reason}: {count:,}", reason=tr(reason), count=count)
        for reason, count in origin.dropped.items()
    ]
    if origin.incomplete:
        ids = listed(origin.incomplete[:20])
        lines.append(tr("left out because nodes are missing: {ids}", ids=ids))
    lines += [tr("note: {note}", note=recalled(note)) for note in origin.notes]
    return "\n".join(lines) + "\n"
