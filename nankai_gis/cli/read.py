"""``read``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nankai_gis.cli import options
from nankai_gis.plan.names import in_script
from nankai_gis.words import listed, quoted, tr
from nankai_gis.words.terms import BOUNDS, EDGES, ROLES, SIDES

if TYPE_CHECKING:
    from collections.abc import Container

    from nankai_gis.plan.clauses import AreaClause, Bound


@click.command("read")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--text", help="The text itself, in place of FILE.")
@options.output_format("table", "json")
@options.output
def read_(
    file: Path | None, text: str | None, form: str, output: Path | None, overwrite: bool
) -> None:
    """Read the clauses of a text: for each area its sides, and what else the words say.

    FILE is .txt, .md or .docx; - reads standard input. Words of a clause that aren't understood
    are listed. No road network is needed; with --roads its names decide where the text doesn't.
    """
    from nankai_gis.present import tables

    areas = clauses(file, text)
    whole = [area for area in areas if not area.fault]
    for area in areas:
        if area.fault:
            options.warn(area.fault)
    if not whole:
        raise SystemExit(1)
    if form == "json":
        options.deliver(
            tables.json_text({"areas": [area.as_dict() for area in areas]}), output, overwrite
        )
    else:
        options.deliver("\n".join(map(_described, areas)), output, overwrite)


def given_text(file: Path | None, text: str | None) -> str:
    """Return the text that a command is to read: of a file, of standard input, or as given."""
    if (file is None) == (text is None):
        raise click.UsageError(tr("give FILE or --text"))
    if text is not None:
        return text
    assert file is not None
    if str(file) == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    from nankai_gis.files.prose import read_text

    return read_text(file)


def clauses(
    file: Path | None, text: str | None, names: Container[str] | None = None
) -> tuple[AreaClause, ...]:
    """Return the clauses of a text; an error where it holds none."""
    from nankai_gis.errors import ClauseError
    from nankai_gis.plan.clauses import read

    words = given_text(file, text)
    if names is None and options.source().roads is not None:
        names = options.network()
    areas = read(words, names)
    if not areas:
        shown = quoted(words.strip()[:60]) if text is not None else file
        raise ClauseError(
            tr(
                "no side (東至…, 南至…, 西至…, 北至…) and no axis (以…為主線) in {clause}",
                clause=shown,
            )
        )
    return areas


def _described(area: AreaClause) -> str:
    """An area in lines: what each side names, then what else the clause says."""
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    name = in_script(area.name) or tr("no name")
    head = tr("{name}: characters {start} to {end}", name=name, start=area.start, end=area.end)
    rows = [
        [tr(SIDES[side]), in_script(bound.name), tr(BOUNDS[bound.kind]), detail(bound)]
        for side, bounds in area.sides.items()
        for bound in bounds
    ]
    for role, bounds in (("main", area.main), ("extension", area.extension)):
        rows += [
            [tr(ROLES[role]), in_script(b.name), tr(BOUNDS[b.kind]), detail(b)] for b in bounds
        ]
    columns = [Column(tr("Side")), Column(tr("Name")), Column(tr("Kind")), Column(tr("Detail"))]
    lines = tables.terminal(columns, rows).splitlines() if rows else []
    lines += sayings(area)
    return "\n".join([head, *(f"  {line}" for line in lines), ""])


def detail(bound: Bound) -> str:
    """Return what a clause says of a bound beside its name."""
    said = [tr(EDGES[bound.edge])] if bound.edge else []
    if bound.section:
        said.append(in_script(bound.section))
    if bound.others:
        said.append(tr("also {names}", names=listed(map(in_script, bound.others))))
    if bound.planned:
        said.append(tr("planned"))
    return listed(said)


def sayings(area: AreaClause) -> list[str]:
    """Return what a clause says of the whole area, a line each."""
    lines = []
    if area.stated_area_m2 is not None:
        stated = area.stated_area_m2 / 1e6
        lines.append(tr("stated area: {area:.4g} sq km", area=stated))
    for sentence, names in (
        (tr("left out: {names}"), area.exclusions),
        (tr("covers: {names}"), area.claims),
        (tr("not understood: {names}"), tuple(map(quoted, area.unread))),
    ):
        if names:
            lines.append(sentence.format(names=listed(map(in_script, names))))
    if area.everywhere:
        lines.append(tr("covers the whole district"))
    if area.fault:
        lines.append(area.fault)
    return lines
