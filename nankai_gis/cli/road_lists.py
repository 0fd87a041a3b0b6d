"""``roads list`` and ``roads find``: what a network has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.words import language, listed, tr
from nankai_gis.words.terms import KINDS

if TYPE_CHECKING:
    import shapely

    from nankai_gis.compiler.lines import PlanNetwork
    from nankai_gis.plan.model import Line

_EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)


@click.command("list")
@click.option(
    "--near", metavar="PLACE", help="Only within 1 km of a feature of the plan or a road."
)
@click.option("--like", metavar="NAME", help="Only roads whose name holds these characters.")
@options.output_format("table", "json")
def list_roads(near: str | None, like: str | None, form: str) -> None:
    """List the named roads, railways and rivers of a network.

    The network is that of --roads before the command, else that of the plan.
    """
    from nankai_gis.cli.roads import surroundings
    from nankai_gis.plan.names import normalise

    network = options.network()
    box = _EVERYWHERE
    if near is not None:
        box = _beside(network, near) or surroundings(near)
    lines = [line for line in network.around(box) if line.parts]
    if like is not None:
        asked = normalise(like)
        lines = [x for x in lines if any(asked in normalise(name) for name in x.names.every())]
    if not lines:
        raise click.ClickException(tr("no road of this network fits"))
    _deliver(network, sorted(lines, key=lambda line: line.names.hant), form, crossings=False)


@click.command("find")
@click.argument("name")
@options.output_format("table", "json")
def find_road(name: str, form: str) -> None:
    """Show every road of one name, with what it crosses."""
    from nankai_gis.errors import RoadNotFoundError

    network = options.network()
    if name not in network:
        raise RoadNotFoundError(tr("road"), name, network.near(name))
    _deliver(network, network.every(name), form, crossings=True)


def _deliver(network: PlanNetwork, lines: list[Line], form: str, *, crossings: bool) -> None:
    """Print a row for each line."""
    from nankai_gis.compiler.measured import run_length
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    rows: list[dict[str, Any]] = [
        {
            "id": line.id,
            "name": line.names.in_language(language()),
            "kind": line.kind,
            "class": road_class(network, line),
            "length_m": sum(run_length(part) for part in line.parts),
            "parts": len(line.parts),
            **({"crossings": _crossings(network, line)} if crossings else {}),
        }
        for line in lines
    ]
    if form == "json":
        options.deliver(tables.json_text({"roads": rows}), None, False)
        return
    columns = [Column(tr("Road")), Column(tr("Kind")), Column(tr("Class")), Column("id")]
    columns += [Column(tr("Length, km"), "right"), Column(tr("Parts"), "right")]
    columns += [Column(tr("Crosses"))] if crossings else []
    cells = [
        [
            str(row["name"]), tr(KINDS[str(row["kind"])]), str(row["class"]), str(row["id"]),
            number(row["length_m"] / 1e3, 2), str(row["parts"]),
            *([listed(row["crossings"])] if crossings else []),
        ]
        for row in rows
    ]  # fmt: skip
    options.deliver(tables.terminal(columns, cells), None, False)


def road_class(network: PlanNetwork, line: Line) -> str:
    """Return the OSM class that most of a road has; "" where the network doesn't say."""
    street_of = getattr(getattr(network, "osm", network), "street_of", None)
    street = street_of(line.id) if street_of else None
    return max(street.classes, key=street.classes.__getitem__) if street and street.classes else ""


def _beside(network: PlanNetwork, name: str) -> tuple[float, float, float, float] | None:
    """The box of a road and 1 km more; None where the network has no such road."""
    from nankai_gis.cli.roads import _widened

    vertices = [v for line in network.every(name) for v in line.vertices] if name in network else []
    if not vertices:
        return None
    lon, lat = [v.lon for v in vertices], [v.lat for v in vertices]
    return _widened(min(lon), min(lat), max(lon), max(lat))


def _crossings(network: PlanNetwork, line: Line) -> list[str]:
    """The names of the lines that a line crosses or joins."""
    import shapely

    course = _course(line)
    if course.is_empty:
        return []
    names = [
        other.names.in_language(language())
        for other in network.around(course.bounds)
        if other.id != line.id
        and other.parts
        and (line.nodes & other.nodes or shapely.intersects(course, _course(other)))
    ]
    return sorted(dict.fromkeys(names))


def _course(line: Line) -> shapely.MultiLineString:
    import shapely

    parts = [[v.position for v in part] for part in line.parts if len(part) > 1]
    return shapely.MultiLineString(parts)
