"""``derive``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.plan.names import in_script
from nankai_gis.words import language, listed, quoted, speaking, tr
from nankai_gis.words.terms import CONFIDENCES, CORNERS, ROLES, RUN_ROLES, SIDES, STATUSES

if TYPE_CHECKING:
    from nankai_gis.compiler.axis import Piece
    from nankai_gis.compiler.derive import Derived
    from nankai_gis.compiler.lines import LineSource
    from nankai_gis.compiler.ring import Ring
    from nankai_gis.compiler.runs import Corner, Run
    from nankai_gis.plan.model import Feature, Vertex

# Breaks shorter than this together aren't shown, metres.
_SHOWN_M = 0.5
# Endings of documents that hold clauses.
_DOCUMENTS = (".txt", ".md", ".docx")
# Kinds of features that are compiled.
_KINDS = ("district", "zone", "parcel", "corridor", "subdistrict")


@click.command("derive")
@options.features
@options.roads
@click.option(
    "--definitions",
    type=click.Path(exists=True, path_type=Path),
    help="Definitions of your own: a TOML file or a folder. Default: the packaged plan.",
)
@click.option(
    "--text", help="A text whose clauses are compiled as they stand, without definitions."
)
@click.option(
    "--compare",
    is_flag=True,
    help="Show the difference from the geometry that the plan has on its own network.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Guess a side of which the network holds no road from other lines, at low confidence.",
)
@click.option(
    "--save",
    metavar="PLAN",
    type=click.Path(path_type=Path),
    help="Add a definition of each clause of a text that compiles to this plan folder.",
)
@options.output
def derive_(
    names: tuple[str, ...],
    definitions: Path | None,
    text: str | None,
    compare: bool,
    allow_missing: bool,
    save: Path | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Compile clauses to geometry on a street network.

    FEATURE is a feature of the plan; or else one document (.txt, .md, .docx, or - for standard
    input), all of whose clauses are compiled. Prints a diagnosis for every side; --output writes
    the geometry, as GeoJSON or, for a name in .gpkg, as GeoPackage. What doesn't compile is
    reported, and the rest is compiled all the same.
    """
    from nankai_gis.compiler.derive import derive

    file = _document(names)
    names = () if file else names
    _refuse_contradictions(names, definitions, text if file is None else "", compare)
    if save is not None and file is None and text is None:
        raise click.UsageError(tr("--save keeps the clauses of a text; give a document or --text"))
    # The network, and what is to be compiled on it.
    of_text = file is not None or text is not None
    lines, points = _network(not of_text and definitions is None)
    wanted = _from_text(file, text, lines) if of_text else _defined(names, definitions)
    derived = [
        derive(feature, lines, points, allow_missing=allow_missing)
        for feature in options.progress(wanted, "derive")
    ]
    failed = [item for item in derived if item.error is not None]
    # The geometry first: a reader of the diagnosis may look at it.
    if output is not None and len(failed) < len(derived):
        _write(derived, lines, output, overwrite)
    if save is not None:
        _save([item.feature for item in derived if item.error is None], save)
    head = tr("Network: {network}", network=_described(lines))
    body = "\n".join(_diagnosis(item, lines, compare) for item in derived)
    options.deliver(f"{head}\n\n{body}", None, False)
    # What is missing and what failed, on the other stream.
    for item in derived:
        for line in _missing(item.ring) if item.ring else ():
            options.warn(tr("{subject}: {text}", subject=_subject(item.feature), text=line))
    for item in failed:
        _report(tr("Error: {subject}: {text}", subject=_subject(item.feature), text=item.error))
    if output is not None and len(failed) == len(derived):
        # After the reasons, which a reader needs more.
        _report(tr("Error: nothing was compiled, so {file} was not written", file=output))
    if failed:
        raise SystemExit(1)


def _subject(feature: Feature) -> str:
    """What a message is about: a feature by its id, or the clause of --text."""
    return tr("clause") if feature.id == "clause" else feature.id


def _report(message: str) -> None:
    click.echo(message, err=True)


def _refuse_contradictions(
    names: tuple[str, ...],
    definitions: Path | None,
    text: str | None,
    compare: bool,
) -> None:
    """Refuse options that exclude each other."""
    folder = options.plan_folder()
    if text is not None and (names or definitions):
        raise click.UsageError(
            tr("--text stands for a definition; leave out features and --definitions")
        )
    if folder is not None and compare and options.source().roads is None:
        raise click.UsageError(
            tr(
                "--compare with --plan compares with the plan's own network; add --roads with "
                "another"
            )
        )
    if folder is not None and definitions is not None:
        raise click.UsageError(tr("--plan gives the definitions already; leave out --definitions"))


def _network(for_the_plan: bool) -> tuple[LineSource, Mapping[str, Vertex]]:
    """The network to compile on, and its control points.

    What isn't of the plan is compiled on the user's network alone: the plan's digitised lines
    have no business there.
    """
    roads = options.source().roads
    if roads is None or for_the_plan:
        network = options.network()
        return network, network.points
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.network.roads import read

    mapped = OsmNetwork(read(roads))
    options.warn_if_shifted(mapped)
    return mapped, {}


def _document(names: tuple[str, ...]) -> Path | None:
    """The document that is given in the place of features."""
    given = [name for name in names if name == "-" or Path(name).suffix.lower() in _DOCUMENTS]
    if given and len(names) > 1:
        raise click.UsageError(tr("give one document, or features; not both"))
    return Path(given[0]) if given else None


def _from_text(file: Path | None, text: str | None, lines: LineSource) -> list[Feature]:
    """A definition for each clause of a text; those that can't be read are reported."""
    from nankai_gis.cli.read import clauses
    from nankai_gis.compiler.clauses import clause_feature
    from nankai_gis.errors import ClauseError

    areas = clauses(file, text, lines)
    refused = [area for area in areas if area.fault]
    if len(refused) == len(areas):
        raise ClauseError("\n".join(area.fault for area in areas))
    for area in refused:
        options.warn(area.fault)
    whole = [area for area in areas if not area.fault]
    if len(areas) == 1:
        return [clause_feature(whole[0], lines)]
    return [clause_feature(area, lines, f"clause-{k}") for k, area in enumerate(whole, 1)]


def _save(features: list[Feature], folder: Path) -> None:
    """Add a definition of each feature to the end of a file in a plan's folder."""
    from nankai_gis.files import atomic
    from nankai_gis.plan import definitions

    file = folder / "clauses.toml"
    kept = file.read_text(encoding="utf-8") if file.exists() else ""
    plan = definitions.read(folder) if list(folder.glob("*.toml")) else definitions.Plan(())
    ids = {feature.id for feature in plan.features}
    known = {(feature.names.hant, feature.clause) for feature in plan.features}
    added = ""
    for feature in features:
        if (feature.names.hant, feature.clause) in known:
            continue
        stem = "corridor" if feature.axis else "area"
        key = next(key for k in range(1, len(ids) + 2) if (key := f"{stem}-{k}") not in ids)
        ids.add(key)
        name, clause = (
            json.dumps(text, ensure_ascii=False) for text in (feature.names.hant, feature.clause)
        )
        kind = 'kind = "corridor"\n' if feature.axis else ""
        added += f"\n[{key}]\n{kind}name = {name}\nclause = {clause}\n"
    if added:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(file, (kept + added).encode(), overwrite=True)
        options.wrote(file)


def _defined(names: tuple[str, ...], definitions: Path | None) -> list[Feature]:
    """The features of the plan that are asked for; all that can be compiled for no names."""
    from nankai_gis.plan import definitions as plans

    given = definitions or options.plan_folder()
    plan = plans.packaged() if given is None else plans.read(given)
    if not names:
        return [feature for feature in plan.features if feature.kind in _KINDS]
    index = plan.index(_KINDS)
    return [index[name] for name in names]


def _described(network: LineSource) -> str:
    """What a network is, in the language in force."""
    from nankai_gis.network import digitised
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork

    if network is digitised.packaged():
        return tr("packaged reference network")
    if not isinstance(network, OsmNetwork | MergedNetwork):
        return tr("digitised tables of the plan")
    origin = network.origin
    values: dict[str, Any] = {
        "file": origin.name,
        "date": origin.date or tr("date unknown"),
        "ways": origin.ways,
        "digest": origin.sha256[:12],
    }
    if isinstance(network, OsmNetwork):
        return tr("{file}, {date}, {ways} ways, sha256 {digest}", **values)
    return tr("{file}, {date}, {ways} ways, sha256 {digest}, and digitised lines", **values)


def _write(derived: list[Derived], lines: LineSource, output: Path, overwrite: bool) -> None:
    from nankai_gis.compiler.layers import derived_features
    from nankai_gis.present import tables

    # What is stored has one language.
    with speaking("en"):
        source = _described(lines)
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
    options.wrote(output)


def _diagnosis(item: Derived, lines: LineSource, compare: bool) -> str:
    """Everything that the compiler says of a feature but errors, in lines."""
    feature = item.feature
    name = feature.names.in_language(language())
    head = (
        _subject(feature) if name == feature.id else tr("{name} ({id})", name=name, id=feature.id)
    )
    if item.error is not None:
        # Why stands on the other stream, once.
        body = [tr("not compiled")]
    else:
        body = _ring(item.ring, feature, lines) if item.ring is not None else []
        body += [_piece(piece) for piece in item.axis]
        body += [tr("Note: {text}", text=remark.text()) for remark in item.remarks]
        if compare and item.ring is not None:
            body.append(_compared(feature, item.ring))
    return "\n".join([head, *(f"  {line}" for line in body), ""])


def _piece(piece: Piece) -> str:
    """One line on a piece of an axis."""
    from nankai_gis.compiler.measured import run_length

    part, run = piece.part, piece.run
    values: dict[str, Any] = {"role": tr(ROLES[part.role])}
    if run is None:
        known = piece.line.names.in_language(language()) if piece.line else None
        values["road"] = known or in_script(part.road or "")
        if part.planned:
            return tr("{role} {road}: not located, planned", **values)
        return tr("{role} {road}: not located", **values)
    values |= {
        "road": run.names.in_language(language()),
        "km": run_length(run.vertices) / 1e3,
        "accuracy": run.accuracy_m,
    }
    if run.bridged_m > _SHOWN_M:
        return tr(
            "{role} {road}: {km:.2f} km, accuracy {accuracy:.0f} m, joined over breaks of "
            "{bridged:.0f} m",
            **values,
            bridged=run.bridged_m,
        )
    return tr("{role} {road}: {km:.2f} km, accuracy {accuracy:.0f} m", **values)


def _ring(ring: Ring, feature: Feature, lines: LineSource) -> list[str]:
    """The table of a ring's sides, and what stands below it."""
    from nankai_gis.compiler.confidence import confidences
    from nankai_gis.compiler.ring import line_names, ring_area
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    levels = confidences(ring)
    columns = [
        Column(tr("Side")),
        Column(tr("Road")),
        Column(tr("In place of")),
        Column(tr("Role")),
        Column(tr("Corner type")),
        Column(tr("Length, km"), "right"),
        Column(tr("Detour ratio"), "right"),
        Column(tr("Joined, m"), "right"),
        Column(tr("Accuracy, m"), "right"),
        Column(tr("Basis")),
        Column(tr("Confidence")),
        Column(tr("Others of the name, not used")),
    ]
    cells = [
        _side(run, ring.corners[k - 1], feature, lines, levels[k])
        for k, run in enumerate(ring.runs)
    ]
    below = tables.terminal(columns, cells).splitlines()
    area = ring_area(ring)
    below.append(tr("closed; area {area:.3f} sq km", area=area / 1e6))
    below += _missing(ring)
    for other in ring.alternatives:
        below.append(
            tr(
                "another ring: {lines}, {area:.3f} sq km ({more:+.1f}%), at {cost:.2f} times the "
                "cost",
                lines=line_names(other.lines),
                area=other.area_m2 / 1e6,
                more=(other.area_m2 / area - 1) * 100,
                cost=other.cost,
            )
        )
    return below


def _side(
    run: Run,
    start: Corner,
    feature: Feature,
    lines: LineSource,
    level: str,
) -> list[str]:
    """The cells of one run, with the corner at which it begins."""
    from nankai_gis.compiler.measured import run_length
    from nankai_gis.present.tables import number

    length = run_length(run.vertices)
    straight = run_length([run.vertices[0], run.vertices[-1]])
    corner = tr(CORNERS[start.kind])
    if start.gap_m:
        corner = tr("{corner} {metres:.0f} m", corner=corner, metres=start.gap_m)
    return [
        _named_on(run, feature, lines),
        run.names.in_language(language()),
        _replaced(run, lines),
        tr(RUN_ROLES[run.role]),
        corner,
        number(length / 1e3, 2),
        number(length / straight if straight > 1 else None, 2),
        number(run.bridged_m, 0) if run.bridged_m > _SHOWN_M else "",
        number(run.accuracy_m, 0),
        tr(STATUSES[run.status]),
        tr(CONFIDENCES[level]),
        _not_used(run, lines),
    ]


def _replaced(run: Run, lines: LineSource) -> str:
    """The roads of the clause for which a line stands."""
    names = filter(None, (run.stands_for or "").split("、"))
    return listed(
        lines.every(name)[0].names.in_language(language()) if name in lines else in_script(name)
        for name in names
    )


def _named_on(run: Run, feature: Feature, lines: LineSource) -> str:
    """The sides on which the clause names the line, or the road for which it stands."""
    from nankai_gis.compiler.lines import named_lines

    sides = [
        side
        for side, roads in feature.sides.items()
        for road in roads
        if run.stands_for == road or run.line in {line.id for line in named_lines(lines, road)}
    ]
    return listed(tr(SIDES[side]) for side in dict.fromkeys(sides)) or "-"


def _not_used(run: Run, lines: LineSource) -> str:
    """Roads of the same name elsewhere, which were not used."""
    from nankai_gis.compiler.lines import named_lines

    others = [line for line in named_lines(lines, run.name) if line.id != run.line]
    return listed(line.note or line.id for line in others)


def _missing(ring: Ring) -> list[str]:
    """The roads of the clause that the network lacks, one a line."""
    return [
        tr(
            "no road is called {name} in this network; near names: {near}",
            name=quoted(name),
            near=listed(near),
        )
        if near
        else tr("no road is called {name} in this network", name=quoted(name))
        for name, near in ring.missing.items()
    ]


def _compared(feature: Feature, ring: Ring) -> str:
    """The difference between a ring and the geometry that the plan has."""
    from nankai_gis.measure.features import compare
    from nankai_gis.studies.study import AREAL

    known = {f["properties"]["id"]: f for f in options.study(own_network=True).features(AREAL)}
    packaged = known.get(feature.id)
    if packaged is None:
        return tr("no feature of this id in the plan's layers to compare with")
    coordinates = [[list(position) for position in ring.coordinates]]
    compared = compare({"type": "Polygon", "coordinates": coordinates}, packaged["geometry"])
    return tr(
        "beside the plan's layer: area {area:+.4f} sq km, symmetric difference {difference:.4f} "
        "sq km, Hausdorff distance {distance:.0f} m",
        area=(compared.area_m2 - compared.other_m2) / 1e6,
        difference=compared.symmetric_difference_m2 / 1e6,
        distance=compared.hausdorff_m,
    )
