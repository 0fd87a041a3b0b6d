"""From a definition or a clause and a network to a ring or an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nankai_gis.compiler.axis import Piece, PieceError, axis_pieces, axis_streets
from nankai_gis.compiler.choice import BREAK_M, AmbiguousRingError
from nankai_gis.compiler.lines import LineSource, named_lines
from nankai_gis.compiler.moved import as_said
from nankai_gis.compiler.remarks import Remark
from nankai_gis.compiler.ring import Alternative, Ring, ring_area, ring_of_lines
from nankai_gis.compiler.search import ring_of_sides
from nankai_gis.compiler.stretches import with_stretches
from nankai_gis.errors import GeometryError, NankaiGISError, RoadNotFoundError
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.plan.model import Feature, Line, Reading, RingPart, Vertex
from nankai_gis.words import tr


@dataclass(frozen=True, slots=True)
class Derived:
    """What a definition compiles to on a network.

    Attributes
    ----------
    feature : Feature
    ring : Ring or None
        The boundary of a polygon.
    axis : tuple of Piece
        The pieces of a corridor.
    error : NankaiGISError or None
        Why there is no geometry.
    remarks : tuple of Remark
        What a reader of the result should know.
    """

    feature: Feature
    ring: Ring | None = None
    axis: tuple[Piece, ...] = ()
    error: NankaiGISError | None = None
    remarks: tuple[Remark, ...] = ()


def derive(
    feature: Feature,
    lines: LineSource,
    points: Mapping[str, Vertex] | None = None,
    *,
    search: bool = True,
    allow_missing: bool = False,
) -> Derived:
    """Compile one definition on a network.

    Parameters
    ----------
    feature : Feature
        With a ring, sides or an axis.
    lines : LineSource
        The packaged reference network, or that of a snapshot.
    points : mapping of str to Vertex, optional
        Control points that the definition may name.
    search : bool
        Whether a ring is searched for from the sides where the network lacks a line that the
        definition's own ring names. Without, that is an error.
    allow_missing : bool
        Whether a side of which the network holds no road may be guessed from other lines.

    Returns
    -------
    Derived
        A ring that the definition gives is followed where the network holds all its lines. What
        can't be compiled is an error in the result, so that the rest of a plan still compiles.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> from nankai_gis.plan import definitions
    >>> made = derive(definitions.packaged().index()["laochengxiang"], digitised.packaged())
    >>> len(made.ring.runs), made.error
    (8, None)
    """
    try:
        if feature.axis:
            return _derive_axis(feature, lines, points or {})
        return _derive_ring(feature, lines, points or {}, search, allow_missing)
    except NankaiGISError as error:
        return Derived(feature, error=error)


@dataclass(frozen=True, slots=True)
class CompiledReading:
    """A reading of a definition on a network; without ring and area where it doesn't compile."""

    reading: Reading
    ring: Ring | None
    area_m2: float | None
    error: NankaiGISError | None = None


def compile_readings(
    feature: Feature, lines: LineSource, points: Mapping[str, Vertex] | None = None
) -> list[CompiledReading]:
    """Compile every reading that a definition gives of its bounds, the chosen one first.

    Parameters
    ----------
    feature : Feature
    lines : LineSource
    points : mapping of str to Vertex, optional
        Control points that the readings may name.

    Returns
    -------
    list of CompiledReading
        Areas in square metres on the ellipsoid; empty for a definition with a single reading.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> from nankai_gis.plan import definitions
    >>> parcel = definitions.packaged().index()["xiyingmen"]
    >>> [made.reading.id for made in compile_readings(parcel, digitised.packaged())][0]
    'wedge'
    """
    found = []
    for reading in sorted(feature.readings, key=lambda reading: not reading.chosen):
        made = derive(replace(feature, ring=reading.ring), lines, points, search=False)
        area = None if made.ring is None else ring_area(made.ring)
        found.append(CompiledReading(reading, made.ring, area, made.error))
    return found


def _derive_ring(
    feature: Feature,
    lines: LineSource,
    points: Mapping[str, Vertex],
    search: bool,
    allow_missing: bool,
) -> Derived:
    absent = [part.line for part in feature.ring if not named_lines(lines, part.line)]
    remarks = (Remark("ring searched", {"lines": absent}),) if absent else ()
    broken: GeometryError | None = None
    if feature.ring and not (absent and feature.sides and search):
        try:
            ring = _ring_as_given(feature.ring, lines, points)
            ring = with_stretches(_with_roles(ring, feature, lines), lines)
            return Derived(feature, ring=ring)
        except GeometryError as error:
            # On its own network a definition is followed as it stands.
            if not (search and feature.sides and isinstance(lines, MergedNetwork)):
                raise
            broken, remarks = error, (Remark("ring not followed", {}),)
    if not feature.sides:
        raise GeometryError(
            tr("{feature} has neither a ring nor sides to compile", feature=feature.id)
        )
    try:
        ring = ring_of_sides(
            feature.sides,
            lines,
            feature.inside,
            stated_area_m2=feature.stated_area_m2,
            allow_missing=allow_missing,
        )
    except NankaiGISError as error:
        raise broken or error from error
    ring, said = as_said(ring, feature, lines)
    return Derived(feature, ring=ring, remarks=(*remarks, *said))


def _ring_as_given(
    ring: Sequence[RingPart], lines: LineSource, points: Mapping[str, Vertex]
) -> Ring:
    """The ring that a definition gives; a road that this network maps needs no stand-in."""
    if isinstance(lines, MergedNetwork):
        named = {
            x.id for part in ring if not part.stands_for for x in named_lines(lines, part.line)
        }
        mapped = [
            replace(part, line=part.stands_for, stands_for=None, accuracy_m=None)
            if part.stands_for
            and lines.maps(part.stands_for)
            and lines[part.stands_for].id not in named
            else part
            for part in ring
        ]
        if mapped != list(ring):
            try:
                return ring_of_lines(mapped, lines, points)
            except GeometryError:
                # The road may not run there: the definition's own ring is tried next.
                pass
    return ring_of_lines(ring, lines, points)


def _with_roles(ring: Ring, feature: Feature, lines: LineSource) -> Ring:
    """A ring in which a line that the clause doesn't name is a link."""
    if not feature.sides:
        return ring
    roads = {road for roads in feature.sides.values() for road in roads}
    ids = {line.id for road in roads for line in named_lines(lines, road)}
    runs = tuple(
        replace(run, role="bridge") if run.role == "named" and run.line not in ids else run
        for run in ring.runs
    )
    return replace(ring, runs=runs)


def _derive_axis(feature: Feature, lines: LineSource, points: Mapping[str, Vertex]) -> Derived:
    pieces: list[Piece] = []
    remarks: list[Remark] = []
    streets: Mapping[str, Line] = axis_streets(feature.axis, lines)
    for part in feature.axis:
        if part.road is None and _all_mapped(part.stands_for, lines):
            continue
        try:
            pieces += axis_pieces([part], lines, points, streets)
        except (RoadNotFoundError, PieceError) as error:
            # A street that is missing keeps its place in the axis; the others are drawn.
            pieces.append(Piece(part, None, None))
            remarks.append(_why_not_drawn(error, lines))
    if all(piece.run is None for piece in pieces):
        reasons = tr("; ").join(remark.text() for remark in remarks)
        raise GeometryError(
            tr(
                "none of the streets of {feature} can be drawn: {reasons}",
                feature=feature.id,
                reasons=reasons,
            )
        )
    return Derived(feature, axis=tuple(pieces), remarks=tuple(remarks))


def _all_mapped(roads: Sequence[str], lines: LineSource) -> bool:
    """Whether a straight piece is in the place of roads that this network maps."""
    return isinstance(lines, MergedNetwork) and bool(roads) and all(map(lines.maps, roads))


def _why_not_drawn(error: RoadNotFoundError | PieceError, lines: LineSource) -> Remark:
    if isinstance(error, PieceError):
        return error.remark
    if error.asked in lines:
        return Remark("street not located", {"name": error.asked})
    if not error.candidates:
        return Remark("street unknown", {"name": error.asked})
    values = {"name": error.asked, "near": list(error.candidates)}
    return Remark("street unknown, others near", values)


def readings_of(derived: Derived) -> tuple[Alternative, ...]:
    """Return the readings of a clause: the ring that was taken, then the others that fit it.

    Parameters
    ----------
    derived : Derived

    Returns
    -------
    tuple of Alternative
        The choices where nothing decided; empty for an axis and for sides that don't close.

    Examples
    --------
    >>> from nankai_gis.network import digitised
    >>> from nankai_gis.plan import definitions
    >>> zone = definitions.packaged().index()["laochengxiang"]
    >>> round(readings_of(derive(zone, digitised.packaged()))[0].area_m2 / 1e6, 1)
    2.4
    """
    if isinstance(derived.error, AmbiguousRingError):
        return derived.error.choices
    ring = derived.ring
    if ring is None:
        return ()
    names = tuple(run.names for run in ring.runs)
    bridged = ring.bridged_m
    against = (Remark("bridged", {"metres": bridged}),) if bridged >= BREAK_M else ()
    taken = Alternative(names, ring_area(ring), 1.0, 0.0, ring, ring.reasons, against)
    return (taken, *ring.alternatives)
