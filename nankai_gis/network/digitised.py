"""The packaged reference network: the digitised lines, vertex by vertex.

Three tables in ``geodata/digitised`` make it up: ``control_points.csv`` (named positions,
mostly junctions), ``streets.csv`` (what the lines are called) and ``street_vertices.csv``
(each line's course). A vertex is either a control point, which it then shares with every
other line through it, or a position of its own. A vertex at a control point may state its own
accuracy: a crossing whose place *along* a street is uncertain still lies on that street.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from nankai_gis import words
from nankai_gis.errors import DataError, RoadNotFoundError
from nankai_gis.plan.model import STATUSES, Line, Names, Status, Vertex
from nankai_gis.plan.names import Index
from nankai_gis.plan.packaged import data_folder
from nankai_gis.words import mark, ntr, tr


@dataclass(frozen=True)
class DigitisedNetwork:
    """The lines and the control points of a reference network."""

    lines: tuple[Line, ...]
    points: dict[str, Vertex]
    notes: dict[str, str]
    sources: dict[str, str]

    @cached_property
    def _index(self) -> Index[Line]:
        return Index(
            (([line.id, *line.names.every()], line) for line in self.lines),
            what=mark("road"),
            error=RoadNotFoundError,
        )

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, in any script, or of an id."""
        return self._index[name]

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def every(self, name: str) -> list[Line]:
        """Return the line of a name; here a name has one."""
        return [self[name]]

    def near(self, name: str) -> list[str]:
        """Return the names most like one that isn't there, best first."""
        return self._index.near(name)

    def listed(self, bounds: tuple[float, float, float, float] | None) -> Sequence[Line]:
        """Return the lines that a plan on this network shows: all, located or not."""
        return self.lines

    def around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        """Return the lines whose bounding box touches a box."""
        west, south, east, north = bounds
        found = []
        for line in self.lines:
            lon, lat = [v.lon for v in line.vertices], [v.lat for v in line.vertices]
            if lon and not (
                min(lon) > east or max(lon) < west or min(lat) > north or max(lat) < south
            ):
                found.append(line)
        return found


#: The tables of a network, and the columns of each.
TABLES: Mapping[str, tuple[str, ...]] = {
    "sources.csv": ("source", "title", "date", "licence"),
    "control_points.csv": (
        "point", "lon", "lat", "accuracy_m", "status", "source", "date", "note",
    ),
    "streets.csv": ("street", "kind", "name", "name_hans", "name_en", "aliases", "note"),
    "street_vertices.csv": (
        "street", "seq", "point", "lon", "lat", "accuracy_m", "status", "source", "date",
    ),
}  # fmt: skip
#: What a line may be.
LINE_KINDS = ("street", "railway", "river", "line")


def _rows(folder: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    file = folder / name
    try:
        # Excel puts a byte order mark before the header, and this toolkit's own tables have one.
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(tr("{file}: not UTF-8 text; save it as CSV UTF-8", file=file)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(tr("{file}: can't be read: {reason}", file=file, reason=reason)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [column for column in TABLES[name] if column not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            ntr(
                "{file}: the column {missing} is missing; the first line must be {header}",
                "{file}: the columns {missing} are missing; the first line must be {header}",
                len(missing),
                file=file,
                missing=words.listed(missing),
                header=",".join(TABLES[name]),
            )
        )
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(
            tr("{file}: not a table in CSV (about line {n})", file=file, n=reader.line_num)
        ) from error
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DataError(
                tr(
                    "{where}: the row has more or fewer cells than the header",
                    where=_where(name, number),
                )
            )
        yield number, row


def _where(table: str, line: int) -> str:
    """A line of a table, for messages."""
    return tr("{file} line {n}", file=table, n=line)


def _status(text: str, where: str) -> Status:
    if text not in STATUSES:
        raise DataError(
            tr(
                "{where}: the status is {status}; it must be one of {statuses}",
                where=where,
                status=words.quoted(text),
                statuses=words.listed(STATUSES),
            )
        )
    return text


def _number(row: dict[str, str], column: str, where: str) -> float:
    try:
        return float(row[column])
    except ValueError as error:
        raise DataError(
            tr(
                "{where}: {column} is {value}, not a number",
                where=where,
                column=column,
                value=words.quoted(row[column]),
            )
        ) from error


def _vertex(row: dict[str, str], where: str, at: Vertex | None = None) -> Vertex:
    accuracy = _number(row, "accuracy_m", where)
    lon, lat = at.position if at else (_number(row, "lon", where), _number(row, "lat", where))
    if not (-180 <= lon <= 180 and -90 <= lat <= 90 and accuracy > 0):
        raise DataError(
            tr(
                "{where}: lon {lon}, lat {lat}, accuracy {accuracy} m are out of range",
                where=where,
                lon=lon,
                lat=lat,
                accuracy=accuracy,
            )
        )
    return Vertex(lon, lat, accuracy, _status(row["status"], where), row["source"], row["date"])


def _check_source(source: str, sources: Mapping[str, str], where: str) -> None:
    """Raise if a row names a source that isn't listed."""
    if source not in sources:
        raise DataError(
            tr(
                "{where}: source {source} is not in sources.csv",
                where=where,
                source=words.quoted(source),
            )
        )


def read(folder: Path) -> DigitisedNetwork:
    """Read a reference network from its tables."""
    _require_tables(folder)
    sources = {row["source"]: row["title"] for _, row in _rows(folder, "sources.csv")}
    points, notes = _read_points(folder, sources)
    courses = _read_courses(folder, points, sources)
    lines = _read_lines(folder, courses)
    if courses:
        raise DataError(
            tr(
                "street_vertices.csv has vertices of {streets}, which streets.csv doesn't list",
                streets=words.listed(courses),
            )
        )
    return DigitisedNetwork(lines, points, notes, sources)


def _require_tables(folder: Path) -> None:
    for name, columns in TABLES.items():
        if not (folder / name).is_file():
            raise DataError(
                tr(
                    "{folder}: the table {table} is missing; if there is nothing to put in it, "
                    "give it this first line alone: {header}",
                    folder=folder,
                    table=name,
                    header=",".join(columns),
                )
            )


def _read_points(
    folder: Path, sources: Mapping[str, str]
) -> tuple[dict[str, Vertex], dict[str, str]]:
    """Control points and their notes, by id."""
    points: dict[str, Vertex] = {}
    notes: dict[str, str] = {}
    for number, row in _rows(folder, "control_points.csv"):
        where = _where("control_points.csv", number)
        if row["point"] in points:
            raise DataError(
                tr("{where}: there are two points {point}", where=where, point=row["point"])
            )
        points[row["point"]] = _vertex(row, where)
        notes[row["point"]] = row["note"]
        _check_source(row["source"], sources, where)
    return points, notes


def _read_courses(
    folder: Path, points: Mapping[str, Vertex], sources: Mapping[str, str]
) -> dict[str, list[Vertex]]:
    """The vertices of each street, in order."""
    courses: dict[str, list[Vertex]] = {}
    for number, row in _rows(folder, "street_vertices.csv"):
        where = _where("street_vertices.csv", number)
        course = courses.setdefault(row["street"], [])
        if row["seq"] != str(len(course)):
            raise DataError(
                tr(
                    "{where}: vertex {seq} of {street} is out of order",
                    where=where,
                    seq=row["seq"],
                    street=row["street"],
                )
            )
        point = points.get(row["point"])
        if row["point"] and point is None:
            raise DataError(
                tr(
                    "{where}: point {point} is not in control_points.csv",
                    where=where,
                    point=row["point"],
                )
            )
        # A vertex at a control point may state an accuracy of its own.
        vertex = point if point and not row["accuracy_m"] else _vertex(row, where, point)
        _check_source(vertex.source, sources, where)
        course.append(vertex)
    return courses


def _read_lines(folder: Path, courses: dict[str, list[Vertex]]) -> tuple[Line, ...]:
    """The lines, each with its vertices, which are taken out of `courses`."""
    lines = []
    for number, row in _rows(folder, "streets.csv"):
        where = _where("streets.csv", number)
        if row["kind"] not in LINE_KINDS:
            raise DataError(
                tr(
                    "{where}: the kind is {kind}; it must be one of {kinds}",
                    where=where,
                    kind=words.quoted(row["kind"]),
                    kinds=words.listed(LINE_KINDS),
                )
            )
        names = Names(
            row["name"],
            row["name_hans"],
            row["name_en"],
            tuple(filter(None, row["aliases"].split(";"))),
        )
        vertices = tuple(courses.pop(row["street"], ()))
        if len(vertices) == 1:
            raise DataError(
                tr("{where}: {street} has a single vertex", where=where, street=row["street"])
            )
        nodes = frozenset(v.position for v in vertices)
        parts = (vertices,) if vertices else ()
        lines.append(Line(row["street"], row["kind"], names, parts, row["note"], nodes))
    return tuple(lines)


@cache
def packaged() -> DigitisedNetwork:
    """Return the reference network that the package ships."""
    return read(data_folder() / "digitised")
