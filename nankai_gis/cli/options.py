"""Options that commands share, and the one way in which their output leaves."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from nankai_gis.cli.terminal import unfiltered
from nankai_gis.plan.names import in_script
from nankai_gis.words import language, listed, recalled, terms, tr
from nankai_gis.words.signs import printable

if TYPE_CHECKING:
    from nankai_gis.network.digitised import DigitisedNetwork
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.origin import Origin
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.plan.model import Feature
    from nankai_gis.studies.study import Study

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """What the options before the command say: the plan, its network, its subdistricts."""

    plan: Path | None = None
    roads: Path | None = None
    subdistricts: str | None = None


def source() -> Source:
    """Return what the command is about."""
    given = click.get_current_context().find_root().obj
    return given if isinstance(given, Source) else Source()


def plan_folder() -> Path | None:
    """Return the folder of the user's own plan; None for the packaged one."""
    return source().plan


def roads(function: F) -> F:
    """Take --roads behind the command, too: the same as before it."""

    def take(context: click.Context, option: click.Parameter, value: Path | None) -> None:
        given = source()
        if value is not None and given.roads not in (None, value):
            raise click.UsageError(tr("--roads is given twice; give one road network"))
        if value is not None:
            context.find_root().obj = replace(given, roads=value)

    return click.option(
        "--roads",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=take,
        help="Road network, as before the command.",
    )(function)


def mapped_subdistricts(given: Path | None, own_network: bool) -> Path | None:
    """Return the file of subdistricts that coverage asks for; None for those of the study.

    ``auto`` takes those of the road network: into the study, unless that is on its own network.
    """
    context, asked = click.get_current_context().find_root(), source()
    automatic = str(given) == "auto" or (given is None and asked.subdistricts is not None)
    if not automatic:
        return given
    if asked.roads is None:
        raise click.UsageError(tr("--subdistricts auto takes those of --roads FILE; give it, too"))
    context.obj = replace(asked, subdistricts="auto")
    return asked.roads if own_network else None


def study(*, own_network: bool = False) -> Study:
    """Return the study that the command is about: of its plan, on the network asked for.

    With `own_network` it is that of the plan on the network that it was made for.
    """
    given = Source(source().plan) if own_network else source()
    if given.subdistricts is not None and given.roads is None:
        raise click.UsageError(tr("--subdistricts auto takes those of --roads FILE; give it, too"))
    if given == Source():
        from nankai_gis.studies import study as studies

        return studies.packaged()
    kept = click.get_current_context().find_root().meta
    key = f"{_STUDY} {own_network}"
    if key not in kept:
        kept[key], kept[f"{_ORIGIN} {own_network}"] = _studied(given)
        _warn_of_remarks(kept[key])
        _warn_if_far(kept[key])
        if given.roads is not None:
            _tell_filled(kept[key], given.roads)
            if given.subdistricts is not None:
                _tell_mapped(kept[key], given.roads)
    made: Study = kept[key]
    return made


def _studied(given: Source) -> tuple[Study, Origin | None]:
    """The study of a plan on a network, and where that comes from."""
    from nankai_gis.network import digitised
    from nankai_gis.studies import derived
    from nankai_gis.studies import study as studies
    from nankai_gis.studies.mapped_areas import with_mapped_areas

    if given.roads is None:
        own = network(given)
        origin = None if isinstance(own, digitised.DigitisedNetwork) else own.origin
        return studies.read(given.plan, own), origin

    def make() -> tuple[Study, Origin]:
        made = network(given)
        assert not isinstance(made, digitised.DigitisedNetwork)
        study = studies.read(given.plan, made, roads=given.roads)
        if given.subdistricts is not None and given.roads is not None:
            study = with_mapped_areas(study, given.roads, made.origin)
        return study, made.origin

    inputs = click.get_current_context().find_root().meta.get(INPUTS)
    if inputs is not None and any(inputs.of_roads().values()):
        return make()
    return derived.kept_or_made(given.roads, given.plan, given.subdistricts or "", make)


def origin() -> Origin | None:
    """Return where the network of the study comes from; None for digitised lines alone."""
    study()
    found: Origin | None = click.get_current_context().find_root().meta.get(f"{_ORIGIN} False")
    return found


def _warn_of_remarks(study: Study) -> None:
    """Say what the compiler remarks on the features of the plan, each once."""
    from nankai_gis.compiler.remarks import Remark

    remarks = {
        (p.get("corridor", p["id"]), Remark(**remark).text())
        for layer in study.layers.values()
        for p in (feature["properties"] for feature in layer)
        for remark in p.get("remarks", ())
    }
    for key, remark in sorted(remarks):
        warn(tr("{subject}: {text}", subject=key, text=remark))


def _tell_filled(study: Study, roads: Path) -> None:
    """Say which lines of the plan come from the digitised ones, for want of a mapped one."""
    accuracy: dict[str, float] = {}
    for layer, features in study.layers.items():
        for p in (feature["properties"] for feature in features):
            parts = p.get("parts", ())
            if layer == "corridors" and p["street"] and p["accuracy_m"] is not None:
                parts = [{**p, "line": p["street"], "name": p["street_name"]}]
            for part in parts:
                # A mapped street is called by its name and its first way.
                if "@" not in part["line"]:
                    known = accuracy.get(part["name"], 0.0)
                    accuracy[part["name"]] = max(known, part["accuracy_m"])
    if accuracy:
        lines = [
            tr("{road} (±{metres:.0f} m)", road=study.shown(name), metres=metres)
            for name, metres in accuracy.items()
        ]
        warn(
            tr(
                "not in {file}, and taken from the plan's digitised lines: {lines}",
                file=roads.name,
                lines=listed(lines),
            )
        )


def _tell_mapped(study: Study, roads: Path) -> None:
    """Say which subdistricts have no boundary of their own in the file of --subdistricts auto."""
    from nankai_gis.studies.mapped_areas import BOUNDARY, LEVELS

    lacking = [
        study.shown(feature["properties"]["name"])
        for layer in LEVELS
        for feature in study.layers[layer]
        if not feature["properties"]["parts"][0]["line"].startswith(BOUNDARY)
    ]
    if lacking:
        warn(
            tr(
                "{file} has no boundary of {names}; compiled from the plan's definitions",
                file=roads.name,
                names=listed(lacking),
            )
        )


def network(given: Source | None = None) -> DigitisedNetwork | OsmNetwork | MergedNetwork:
    """Return the network of the plan that the command is about."""
    from nankai_gis.network import digitised
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.plan_folder import read_network

    given, kept = given or source(), click.get_current_context().find_root().meta
    if given.plan is None and given.roads is None:
        return digitised.packaged()
    key = f"{_NETWORK} {given.roads}"
    if key not in kept:
        kept[key] = own = read_network(given.plan, given.roads)
        if not isinstance(own, digitised.DigitisedNetwork):
            warn_if_shifted(own.osm if isinstance(own, MergedNetwork) else own)
    made: DigitisedNetwork | OsmNetwork | MergedNetwork = kept[key]
    return made


# What is made once in a run, kept in the context.
_STUDY, _NETWORK, _ORIGIN = f"{__name__}.study", f"{__name__}.network", f"{__name__}.origin"
INPUTS = f"{__name__}.inputs"


def warn_if_shifted(network: OsmNetwork) -> None:
    """Say so where a network lies beside the packaged streets, as data in another datum does."""
    from nankai_gis.network import digitised
    from nankai_gis.network.datum_shift import shifted

    text = shifted(network, digitised.packaged())
    if text:
        warn(text)


def _warn_if_far(study: Study) -> None:
    """Say so where planar figures mean little; the ellipsoidal ones hold everywhere."""
    from shapely.geometry import shape

    from nankai_gis.geometry.crs import PLANAR, PLANAR_EAST

    own = (layer for name, layer in study.layers.items() if name != "streets")
    drawn = [shape(f["geometry"]).bounds for layer in own for f in layer if f["geometry"]]
    west = min((bounds[0] for bounds in drawn), default=PLANAR_EAST[0])
    east = max((bounds[2] for bounds in drawn), default=PLANAR_EAST[1])
    if west < PLANAR_EAST[0] or east > PLANAR_EAST[1]:
        warn(
            tr(
                "the plan lies at {west} to {east} E; planar areas and the printed figure are in "
                "{crs}, which is made for {low} to {high} E. Areas and lengths on the ellipsoid "
                "are right",
                west=f"{west:.1f}",
                east=f"{east:.1f}",
                crs=PLANAR,
                low=PLANAR_EAST[0],
                high=PLANAR_EAST[1],
            )
        )


def basis(status: str, planned: bool) -> str:
    """Return how well a piece of a corridor is known, and whether it is planned only."""
    term = tr(terms.STATUSES[status])
    return listed([term, tr("planned")]) if planned else term


def place(feature: Feature) -> str:
    """Return where the clause of a feature stands in the plan; "" outside the plan."""
    if not feature.place or language() != "en":
        return in_script(feature.place)
    return tr(
        "chapter {chapter}, section {section}", chapter=feature.chapter, section=feature.section
    )


def features(function: F) -> F:
    """Take any number of features by name."""
    return click.argument("names", metavar="[FEATURE]...", nargs=-1)(function)


# Endings of files that say which form is in them. A GeoJSON file is a JSON file, too.
_FORMS = {
    ".csv": ("csv",),
    ".xlsx": ("xlsx",),
    ".json": ("json", "geojson"),
    ".geojson": ("geojson",),
    ".html": ("html",),
}


# Endings of files that say nothing of what is in them.
_PLAIN = ("", ".txt", ".md")


def output_format(*formats: str) -> Callable[[F], F]:
    """Choose the format of the output: by name, else by the file's ending, else the first."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, form: str | None, **given: Any) -> Any:
            return function(*args, form=_form(form, formats, given.get("output")), **given)

        option = click.option(
            "--format",
            "form",
            type=click.Choice(formats),
            help="Format of the output. Default: the first, or what the file to write ends in.",
        )
        return option(cast("F", call))

    return decorate


def _form(asked: str | None, formats: Sequence[str], target: Path | None) -> str:
    """Refuse a file whose ending says another form than there is in it."""
    ending = "" if target is None else target.suffix.lower()
    if ending not in _FORMS:
        if asked is None and ending not in _PLAIN:
            raise click.UsageError(
                tr(
                    "--output {file}: {ending} is no format that this command writes; give "
                    "--format with one of {formats}",
                    file=target,
                    ending=ending,
                    formats=listed(formats),
                )
            )
        return asked or formats[0]
    written = [form for form in _FORMS[ending] if form in formats]
    if not written:
        raise click.UsageError(
            tr(
                "--output {file}: this command writes no {ending}; give --format with one of "
                "{formats}",
                file=target,
                ending=ending[1:],
                formats=listed(formats),
            )
        )
    if asked is not None and asked not in written:
        raise click.UsageError(
            tr(
                "--output {file} ends as {ending} does, not as --format {format}; give --format "
                "{ending}, or another ending",
                file=target,
                ending=written[0],
                format=asked,
            )
        )
    return asked or written[0]


def output(function: F) -> F:
    """Write to a file instead of stdout, and only over an existing one when told to."""
    function = click.option(
        "--overwrite", is_flag=True, help="Replace the output file if it exists."
    )(function)
    return click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=True, path_type=Path),
        help="File to write; stdout by default.",
    )(function)


def progress(items: Sequence[T], label: str) -> Iterator[T]:
    """Go through items with a bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty() or len(items) < 2:
        yield from items
        return
    with click.progressbar(items, label=label, file=unfiltered(sys.stderr)) as bar:
        yield from bar


@contextlib.contextmanager
def bytes_bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show bytes as they arrive, on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, whole: None
        return
    with click.progressbar(
        length=1, label=label, file=unfiltered(sys.stderr), show_eta=False
    ) as bar:

        def advance(done: int, whole: int | None) -> None:
            # Without an announced length the bar shows what has come, not how much is left.
            bar.length = max(whole or done * 2, 1)
            bar.update(done - bar.pos)

        yield advance


@contextlib.contextmanager
def steps_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far long work is, on stderr, where that is a terminal; none if one step is all."""
    if not sys.stderr.isatty():
        yield lambda done, whole: None
        return
    with contextlib.ExitStack() as shown:
        bars: list[Any] = []

        def advance(done: int, whole: int) -> None:
            if not bars and done < whole:
                bar = click.progressbar(length=whole, label=label, file=unfiltered(sys.stderr))
                bars.append(shown.enter_context(bar))
            for bar in bars:
                bar.update(done - bar.pos)

        yield advance


def tell(notes: Iterable[str]) -> None:
    """Print on stderr what was decided on the user's behalf."""
    for note in notes:
        click.echo(tr("note: {note}", note=recalled(note)), err=True)


def refuse_existing(target: Path | None, overwrite: bool) -> None:
    """Refuse an output that exists and may not be replaced, before any long work."""
    from nankai_gis.files.atomic import already_exists

    if target is not None and target.exists() and not overwrite:
        raise already_exists(target)


def deliver(content: str | bytes, target: Path | None, overwrite: bool) -> None:
    """Send a text (for a reader) or bytes (for a program) to stdout or into a file.

    A text on stdout takes the terminal's encoding; everything else is UTF-8.
    """
    if target is None:
        if isinstance(content, bytes):  # goes past the filter of the terminal
            content = printable(content.decode()).encode()
        click.echo(content, nl=False)
        return
    from nankai_gis.files.atomic import write_bytes

    data = content.encode() if isinstance(content, str) else content
    write_bytes(target, data, overwrite=overwrite)
    wrote(target)


def wrote(target: Path) -> None:
    """Name a file that was written, on stderr."""
    click.echo(tr("wrote {file}", file=target), err=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    click.echo(tr("Warning: {text}", text=text), err=True)
