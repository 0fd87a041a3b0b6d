"""``derive``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.plan.model import SIDE_NAMES
from nankai_gis.words import tr
from nankai_gis.words.terms import ROLES, STATUSES

if TYPE_CHECKING:
    from nankai_gis.compiler.derive import Derived
    from nankai_gis.compiler.lines import LineSource
    from nankai_gis.compiler.ring import Ring
    from nankai_gis.compiler.runs import Corner, Run
    from nankai_gis.plan.model import Feature, Vertex

_CORNERS = {"shared": "共節點", "crossing": "相交", "near": "臨近", "extended": "延長"}
_ROLES = {"named": "四至", "again": "重複", "bridge": "連接", "stand-in": "代替"}


@click.command("derive")
@options.features
@click.option(
    "--roads",
    type=click.Path(path_type=Path),
    help="Road network: a snapshot or any file that `roads import` reads. "
    "Default: the packaged reference network.",
)
@click.option(
    "--definitions",
    type=click.Path(exists=True, path_type=Path),
    help="Definitions of your own: a TOML file or a folder. Default: the packaged plan.",
)
@click.option("--text", help="A clause to compile as it stands, without any definition.")
@click.option(
    "--compare",
    is_flag=True,
    help="Show the difference from the geometry that the plan has on its own network.",
)
@options.output
def derive_(
    names: tuple[str, ...],
    roads: Path | None,
    definitions: Path | None,
    text: str | None,
    compare: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Compile clauses to geometry on a street network.

    Prints a diagnosis for every side; --output writes the geometry, as GeoJSON or, for a name in
    .gpkg, as GeoPackage. What doesn't compile is reported, and the rest is compiled all the same.
    """
    from nankai_gis.compiler.derive import derive
    from nankai_gis.plan import definitions as plan

    if text is not None and (names or definitions):
        raise click.UsageError("--text stands for a definition; leave out features and definitions")
    lines: LineSource
    points: Mapping[str, Vertex]
    folder = options.plan_folder()
    if folder is not None and compare and roads is None:
        raise click.UsageError(
            "--compare with --plan compares with the plan's own network; add --roads with another"
        )
    if folder is not None and definitions is not None:
        raise click.UsageError("--plan gives the definitions already; leave out --definitions")
    if roads is None:
        network = options.network()
        lines, points = network, network.points
        source = _told(network)
    else:
        lines, source = _mapped(roads)
        points = {}
    if text is not None:
        wanted = [_from_text(text, lines)]
    else:
        given = definitions or folder
        read = plan.packaged() if given is None else plan.read(given)
        kinds = ["district", "zone", "parcel", "corridor", "subdistrict"]
        index = read.index(kinds)
        wanted = (
            [index[name] for name in names]
            if names
            else [f for f in read.features if f.kind in kinds]
        )
    derived = [derive(feature, lines, points) for feature in options.progress(wanted, "derive")]
    failed = [one for one in derived if one.error is not None]
    if output is not None and len(failed) < len(derived):
        _write(derived, source, output, overwrite)
    told = "\n".join(_diagnosis(one, lines, compare) for one in derived)
    options.deliver(f"路網:{source}\n\n{told}", None, False)
    for one in derived:
        for name, near in (one.ring.missing if one.ring else {}).items():
            hint = f"; near names: {', '.join(near)}" if near else ""
            click.echo(
                f"Warning: {one.feature.id}: no road is called {name!r} in this network{hint}",
                err=True,
            )
    for one in failed:
        click.echo(f"Error: {one.feature.id}: {one.error}", err=True)
    if output is not None and len(failed) == len(derived):
        # After the reasons, which a reader needs more.
        click.echo(f"Error: nothing was compiled, so {output} was not written", err=True)
    if failed:
        raise SystemExit(1)


def _from_text(text: str, lines: LineSource) -> Feature:
    from nankai_gis.compiler.derive import clause_feature
    from nankai_gis.plan.clause import parse

    return clause_feature(parse(text, lines), lines)


def _mapped(path: Path) -> tuple[LineSource, str]:
    """The network of a file or snapshot, and what it is."""
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.network.roads import read

    roads = read(path)
    network = OsmNetwork(roads)
    options.tell_if_shifted(network)
    return network, _told(network)


def _told(network: LineSource) -> str:
    """What a network is."""
    from nankai_gis.network import digitised
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork

    if network is digitised.packaged():
        return "packaged reference network"
    if not isinstance(network, OsmNetwork | MergedNetwork):
        return "digitised tables of the plan"
    origin = network.origin
    date = origin.date or "date unknown"
    told = f"{origin.name}, {date}, {origin.ways} ways, sha256 {origin.sha256[:12]}"
    return told if isinstance(network, OsmNetwork) else f"{told}, and digitised lines"


def _write(derived: list[Derived], source: str, output: Path, overwrite: bool) -> None:
    from nankai_gis.compiler.layers import derived_features
    from nankai_gis.present import tables

    made = derived_features(derived, source)
    if output.suffix.lower() == ".gpkg":
        _write_geopackage(made, output, overwrite)
    else:
        options.deliver(tables.geojson_text(made), output, overwrite)


def _write_geopackage(made: list[dict[str, Any]], output: Path, overwrite: bool) -> None:
    import geopandas

    from nankai_gis.files.geopackage import atomic_geopackage
    from nankai_gis.geometry.crs import STORED
    from nankai_gis.plan.layers import as_row

    frame = geopandas.GeoDataFrame.from_features(map(as_row, made), crs=STORED)
    with atomic_geopackage(output, overwrite=overwrite) as draft:
        for kind, layer in (("Polygon", "zones"), ("LineString", "corridors")):
            part = frame[frame.geom_type == kind]
            if len(part):
                part.dropna(axis=1, how="all").to_file(draft, layer=layer, driver="GPKG")
    click.echo(f"wrote {output}", err=True)


def _diagnosis(one: Derived, lines: LineSource, compare: bool) -> str:
    feature = one.feature
    told = [f"{feature.names.hant}({feature.id})"]
    if one.error is not None:
        # Why stands on the other stream, once.
        return "\n".join([*told, "  未能生成", ""])
    if one.ring is not None:
        told += _ring(one.ring, feature, lines)
    for piece in one.axis:
        role, name = tr(ROLES[piece.part.role]), piece.part.road or ""
        if piece.run is None:
            told.append(f"  {role} {name}:未定位" + ("、規劃" if piece.part.planned else ""))
        else:
            told.append(f"  {role} {_stretch(piece.run)}")
    told += [f"  說明:{remark}" for remark in one.remarks]
    if compare and one.ring is not None:
        told += _compared(one)
    return "\n".join([*told, ""])


def _stretch(run: Run) -> str:
    from nankai_gis.compiler.measured import run_length

    length = run_length(run.vertices)
    told = f"{run.name}:{length / 1e3:.2f} 公里,精度 {run.accuracy_m:.0f} 米"
    return told + (f",其中接續 {run.bridged_m:.0f} 米" if run.bridged_m > 0.5 else "")


def _ring(ring: Ring, feature: Feature, lines: LineSource) -> list[str]:
    from nankai_gis.compiler.measured import run_length
    from nankai_gis.compiler.ring import ring_area
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    cells = []
    doubtful = _doubtful(ring)
    for k, run in enumerate(ring.runs):
        corner = ring.corners[k - 1]
        length = run_length(run.vertices)
        straight = run_length([run.vertices[0], run.vertices[-1]])
        cells.append(
            [
                _named_on(run, feature, lines),
                run.name,
                run.stands_for or "",
                _ROLES[run.role],
                _CORNERS[corner.kind] + (f" {corner.gap_m:.0f} 米" if corner.gap_m else ""),
                number(length / 1e3, 2),
                number(length / straight if straight > 1 else None, 2),
                number(run.bridged_m, 0) if run.bridged_m > 0.5 else "",
                number(run.accuracy_m, 0),
                tr(STATUSES[run.status]),
                _confidence(run, (corner, ring.corners[k]), doubtful),
                _passed_over(run, lines),
            ]
        )
    columns = [
        Column("邊"),
        Column("道路"),
        Column("代替"),
        Column("作用"),
        Column("起角"),
        Column("公里", "right"),
        Column("繞行比", "right"),
        Column("接續(米)", "right"),
        Column("精度(米)", "right"),
        Column("依據"),
        Column("把握"),
        Column("同名未取"),
    ]
    told = [f"  {line}" for line in tables.terminal(columns, cells).splitlines()]
    told.append(f"  閉合;面積 {ring_area(ring) / 1e6:.3f} 平方公里")
    for name, near in ring.missing.items():
        told.append(f"  路網中沒有{name}" + (f",相近的有:{'、'.join(near)}" if near else ""))
    for other in ring.alternatives:
        told.append(
            f"  另一種走法:{'、'.join(other.lines)},{other.area_m2 / 1e6:.3f} 平方公里"
            f"({(other.area_m2 / ring_area(ring) - 1) * 100:+.1f}%),代價為 {other.cost:.2f} 倍"
        )
    return told


def _named_on(run: Run, feature: Feature, lines: LineSource) -> str:
    """The sides on which the clause names the line, or that for which it stands."""
    found = []
    for side, roads in feature.sides.items():
        for road in roads:
            if run.stands_for == road:
                found.append(SIDE_NAMES[side])
            elif road in lines:
                ids = {line.id for line in lines.every(road)}
                if run.line in ids:
                    found.append(SIDE_NAMES[side])
    return "".join(dict.fromkeys(found)) or "-"


def _passed_over(run: Run, lines: LineSource) -> str:
    """Streets of the same name elsewhere, which were not taken."""
    if run.name not in lines:
        return ""
    others = [line for line in lines.every(run.name) if line.id != run.line and line.parts]
    return "; ".join(line.note or line.id for line in others)


# The numbers behind 把握; docs/tutorial.md tells them to a reader.
# A line known to no better than this, metres, is 低 or 中.
_LOW_ACCURACY_M, _FAIR_ACCURACY_M = 200.0, 60.0
# A run that bridges breaks of its line over more than this, metres, is 中.
_FAIR_BRIDGED_M = 100.0
# A ring of which more than this share follows lines that the clause doesn't name is doubtful.
_UNNAMED_SHARE = 0.2


def _doubtful(ring: Ring) -> bool:
    """Whether so much of a ring isn't what its clause says that no part of it is sure."""
    from nankai_gis.compiler.measured import run_length

    lengths = [run_length(run.vertices) for run in ring.runs]
    unnamed = sum(
        length for run, length in zip(ring.runs, lengths, strict=True) if run.role == "bridge"
    )
    return bool(ring.missing) or unnamed > _UNNAMED_SHARE * sum(lengths)


def _confidence(run: Run, corners: tuple[Corner, Corner], doubtful: bool) -> str:
    """How sure it is that the clause means this run, and that it lies here.

    低, what nobody has said or seen: the run is inferred (also by a stand-in or by a corner
    carried on), a corner is 延長, the line is known to worse than `_LOW_ACCURACY_M`, or the run
    follows a line that the clause doesn't name in a ring that is doubtful.
    中, what is likely: a corner is 臨近, the line is known to worse than `_FAIR_ACCURACY_M`, more
    than `_FAIR_BRIDGED_M` of it bridges breaks, the clause doesn't name it (連接), or the ring is
    doubtful: more than `_UNNAMED_SHARE` of its length isn't named, or the network lacks a road of
    the clause.
    高: everything else.
    """
    kinds = {corner.kind for corner in corners}
    unnamed = run.role == "bridge"
    if (
        run.status == "inferred"
        or "extended" in kinds
        or run.accuracy_m > _LOW_ACCURACY_M
        or (unnamed and doubtful)
    ):
        return "低"
    if (
        "near" in kinds
        or run.accuracy_m > _FAIR_ACCURACY_M
        or run.bridged_m > _FAIR_BRIDGED_M
        or unnamed
        or doubtful
    ):
        return "中"
    return "高"


def _compared(one: Derived) -> list[str]:
    from nankai_gis.measure.features import compare

    assert one.ring is not None
    from nankai_gis.studies.study import AREAL

    known = {f["properties"]["id"]: f for f in options.study().features(AREAL)}
    packaged = known.get(one.feature.id)
    if packaged is None:
        return ["  現有圖層中沒有同名要素,無從比較"]
    coordinates = [[list(position) for position in one.ring.coordinates]]
    found = compare({"type": "Polygon", "coordinates": coordinates}, packaged["geometry"])
    return [
        f"  與現有圖層比較:面積差 {(found.area_m2 - found.other_m2) / 1e6:+.4f} 平方公里,"
        f"對稱差 {found.symmetric_difference_m2 / 1e6:.4f} 平方公里,"
        f"Hausdorff 距離 {found.hausdorff_m:.0f} 米"
    ]
