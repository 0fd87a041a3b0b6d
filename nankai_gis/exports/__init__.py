"""Layers as files for other programs: GIS, CAD, web maps, spreadsheets.

It takes frames with their measures and computes nothing. Every row keeps its clause, source,
status and accuracy; added are ``sketch`` ("indicative" where the status is not surveyed),
``datum`` (what the coordinates are in) and ``attribution``. Areas and lengths are those of the
frames, on the CGCS2000 ellipsoid, whatever CRS the coordinates go into. Titles, notes and the
word in ``sketch`` are in the language in force; ids, names of columns and statuses never change.

==============  ==============  =======================================================
format          suffix          what it holds
==============  ==============  =======================================================
``gpkg``        .gpkg           a table for each layer, with the style that QGIS reads
``geojson``     .geojson .json  one collection; RFC 7946, so no other CRS
``geojsonseq``  .geojsonl       one record a feature; RFC 8142
``shapefile``   .zip            shapefiles by layer and geometry type, field table, notes
``kml``         .kml            one document, a folder for each layer
``kmz``         .kmz            the same, packed
``flatgeobuf``  .fgb            one table with a column ``layer``
``geoparquet``  .parquet        one table with a column ``layer``; wants pyarrow
``dxf``         .dxf            CAD layers named after the layers, in metres
``csv``         .csv            one table with a column ``layer``, without geometry
``xlsx``        .xlsx           a sheet for each layer, without geometry
==============  ==============  =======================================================

Rows without a position are kept where a format allows it, and listed in the report where not.
GCJ-02 and BD-09 are written only when asked for, and then named in the file's metadata, in every
row and in the report. GeoJSON and KML are defined for WGS-84 only; a shift is still written into
them, because that is what Chinese web maps take, and is named in a foreign member ``datum`` and
in the document's title.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nankai_gis import words
from nankai_gis.errors import CRSError, NankaiGISError, NotFoundError, OutputError
from nankai_gis.exports.report import Change, ExportReport, Log, Omission
from nankai_gis.files.atomic import atomic_write
from nankai_gis.geometry.crs import PLANAR, STORED
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.exports.reference import Reference

__all__ = [
    "DATUMS",
    "ENCODINGS",
    "FORMATS",
    "Change",
    "ExportReport",
    "Format",
    "Omission",
    "accept",
    "format_of",
    "text_sequences",
    "write",
]

#: Datums that coordinates can be written in; the last two are shifts, not CRSs.
DATUMS = ("wgs84", "gcj02", "bd09")
#: Encodings of text, where a format has a choice.
ENCODINGS = ("utf-8", "gbk")


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what it is called, and what it can hold.

    Attributes
    ----------
    title : str
    suffixes : tuple of str
    writer : str
        Module of this package that makes its bytes.
    crs : {'any', 'WGS-84', 'metres', 'none'}
        What the coordinates may be in; ``'none'`` for a table, which has no geometry.
    encodings : tuple of str
    """

    title: str
    suffixes: tuple[str, ...]
    writer: str
    crs: str = "any"
    encodings: tuple[str, ...] = ("utf-8",)


FORMATS: Mapping[str, Format] = {
    "gpkg": Format("GeoPackage", (".gpkg",), "geopackage"),
    "geojson": Format("GeoJSON", (".geojson", ".json"), "geojson", "WGS-84"),
    "geojsonseq": Format("GeoJSON text sequences", (".geojsonl", ".geojsons"), "geojson", "WGS-84"),
    "shapefile": Format("Shapefile", (".zip",), "shapefile", "any", ENCODINGS),
    "kml": Format("KML", (".kml",), "kml", "WGS-84"),
    "kmz": Format("KMZ", (".kmz",), "kml", "WGS-84"),
    "flatgeobuf": Format("FlatGeobuf", (".fgb",), "columnar"),
    "geoparquet": Format("GeoParquet", (".parquet", ".geoparquet"), "columnar"),
    "dxf": Format("DXF", (".dxf",), "dxf", "metres"),
    "csv": Format("CSV", (".csv",), "tables", "none", ENCODINGS),
    "xlsx": Format("XLSX", (".xlsx",), "tables", "none"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer is told beside the layers."""

    format: str
    reference: Reference | None
    encoding: str
    log: Log


def format_of(path: Path) -> str:
    """Return the format that a file name asks for.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        Key of `FORMATS`.

    Raises
    ------
    OutputError
        For a suffix that no format has; the message lists them. Also for a folder.

    Examples
    --------
    >>> format_of(Path("plan.gpkg")), format_of(Path("plan.shp.zip"))
    ('gpkg', 'shapefile')
    """
    # "." has no name of its own, either.
    if path.is_dir() or not path.name:
        raise OutputError(tr("{file} is a folder; give the name of a file in it", file=path))
    suffix = path.suffix.lower()
    for name, kind in FORMATS.items():
        if suffix in kind.suffixes:
            return name
    if suffix == ".shp":
        raise OutputError(
            tr(
                "{file}: a shapefile is several files and is written as one zip; name it .zip",
                file=path.name,
            )
        )
    raise OutputError(
        tr(
            "{file}: the suffix {suffix} is no format; name a format, or give the file one of "
            "these suffixes: {known}",
            file=path.name,
            suffix=words.quoted(suffix),
            known=words.listed(s for kind in FORMATS.values() for s in kind.suffixes),
        )
    )


def accept(
    format: str, crs: str | None = None, datum: str = "wgs84", encoding: str = "utf-8"
) -> str:
    """Check that options go together, before any work is done.

    Parameters
    ----------
    format : str
        Key of `FORMATS`.
    crs : str, optional
        Any CRS that PROJ knows, as ``EPSG:4490``. Default: EPSG:4326, for DXF EPSG:4548.
    datum : {'wgs84', 'gcj02', 'bd09'}
    encoding : {'utf-8', 'gbk'}

    Returns
    -------
    str
        The CRS that coordinates will be written in; empty for a table.

    Raises
    ------
    NotFoundError
        For an unknown format, datum or encoding.
    CRSError
        If the format can't hold coordinates in that CRS or datum.
    OutputError
        If the format has no such encoding.

    Examples
    --------
    >>> accept("dxf"), accept("gpkg"), accept("csv")
    ('EPSG:4548', 'EPSG:4326', '')
    """
    for what, asked, known in (
        (tr("format"), format, FORMATS),
        (tr("datum"), datum, DATUMS),
        (tr("encoding"), encoding, ENCODINGS),
    ):
        if asked not in known:
            raise NotFoundError(what, asked, known)
    kind = FORMATS[format]
    if encoding not in kind.encodings:
        raise OutputError(
            tr("{format} is always in UTF-8; leave the encoding out", format=kind.title)
        )
    if kind.crs == "none":
        if crs is not None or datum != "wgs84":
            raise CRSError(
                tr(
                    "{format} is a table without coordinates; leave out CRS and datum",
                    format=kind.title,
                )
            )
        return ""
    return _accepted_crs(kind, crs or (PLANAR if kind.crs == "metres" else STORED), datum)


def _accepted_crs(kind: Format, wanted: str, datum: str) -> str:
    """The CRS to write in, where a format and a datum allow it."""
    from nankai_gis.exports.reference import parsed

    target, stored = parsed(wanted), parsed(STORED)
    if datum != "wgs84":
        if kind.crs == "metres" or target != stored:
            raise CRSError(
                tr(
                    "GCJ-02 and BD-09 are degrees for web maps, not a CRS: {format} in {crs} "
                    "can't be written in {datum}",
                    format=kind.title,
                    crs=wanted,
                    datum=datum,
                )
            )
        return STORED
    if kind.crs == "WGS-84" and target != stored:
        raise CRSError(
            tr(
                "{format} knows {stored} only (its specification says so); for {crs} write a "
                "GeoPackage",
                format=kind.title,
                stored=STORED,
                crs=wanted,
            )
        )
    if kind.crs == "metres" and not (
        target.is_projected and target.axis_info[0].unit_conversion_factor == 1
    ):
        raise CRSError(
            tr(
                "{format} is drawn in metres; {crs} ({name}) is not in metres. Give a projected "
                "CRS, such as {planar}",
                format=kind.title,
                crs=wanted,
                name=target.name,
                planar=PLANAR,
            )
        )
    return wanted


def write(
    frames: Mapping[str, GeoDataFrame],
    path: Path,
    *,
    format: str | None = None,
    crs: str | None = None,
    datum: str = "wgs84",
    encoding: str = "utf-8",
    overwrite: bool = False,
    layers: Collection[str] | None = None,
) -> ExportReport:
    """Write layers to a file, whole or not at all.

    Parameters
    ----------
    frames : mapping of str to geopandas.GeoDataFrame
        Layers by name, EPSG:4326, with their measures. Rows without a geometry are not located.
    path : pathlib.Path
    format : str, optional
        Key of `FORMATS`; by the suffix of the path if left out.
    crs : str, optional
        CRS of the coordinates written. Default: EPSG:4326, for DXF EPSG:4548. East before
        north always.
    datum : {'wgs84', 'gcj02', 'bd09'}
        A shift to apply, for Chinese web maps; with EPSG:4326 only.
    encoding : {'utf-8', 'gbk'}
        For Shapefile and CSV. A character that GBK lacks becomes 〓, © becomes (c); both are
        reported.
    overwrite : bool
        Whether an existing file may be replaced.
    layers : collection of str, optional
        Names of the layers to write; all of them by default.

    Returns
    -------
    ExportReport
        What was written, left out and changed.

    Raises
    ------
    NotFoundError
        For an unknown layer, format, datum or encoding.
    CRSError
        If a frame isn't in EPSG:4326, or the output can't be in the CRS or datum asked for.
    DataError
        For a collection of geometries, or a number that is not finite.
    OutputError
        If the file exists or can't be written; whatever the reason, an existing file is as it
        was. Also if nothing is left to write.

    Notes
    -----
    The file takes shape in a hidden temporary file beside it (``.name.….part``), which only a
    killed process leaves behind. GeoPackage, Shapefile and FlatGeobuf are made in a hidden
    folder in the system's temporary folder first.

    Examples
    --------
    >>> import geopandas, shapely, tempfile
    >>> spot = {"id": ["a"], "name": ["鼓樓"], "status": ["digitised"]}
    >>> sites = geopandas.GeoDataFrame(spot, geometry=[shapely.Point(117, 39)], crs=4326)
    >>> target = Path(tempfile.mkdtemp()) / "sites.geojson"
    >>> write({"sites": sites}, target).rows
    {'sites': 1}
    >>> geopandas.read_file(target).name[0]
    '鼓樓'
    """
    name = format_of(path) if format is None else format
    # Entered first, so that an output that can't be written is refused before the work.
    with atomic_write(path, overwrite=overwrite) as temporary:
        data, report = _made(frames, layers, name, crs, datum, encoding)
        temporary.write_bytes(data)
    return replace(report, path=path)


def text_sequences(
    frames: Mapping[str, GeoDataFrame],
    *,
    datum: str = "wgs84",
    layers: Collection[str] | None = None,
) -> tuple[bytes, ExportReport]:
    r"""Return layers as GeoJSON text sequences (RFC 8142), for a pipe.

    Parameters
    ----------
    frames : mapping of str to geopandas.GeoDataFrame
        As for `write`.
    datum : {'wgs84', 'gcj02', 'bd09'}
    layers : collection of str, optional

    Returns
    -------
    tuple of bytes and ExportReport
        Each record is a record separator (U+001E), a feature and a newline.

    Raises
    ------
    NotFoundError, CRSError, DataError, OutputError
        As `write`.

    Examples
    --------
    >>> import geopandas, shapely
    >>> spot = {"id": ["a"], "name": ["鼓樓"], "status": ["osm"]}
    >>> sites = geopandas.GeoDataFrame(spot, geometry=[shapely.Point(117, 39)], crs=4326)
    >>> data, _ = text_sequences({"sites": sites})
    >>> data[:1], data[-1:]
    (b'\x1e', b'\n')
    """
    return _made(frames, layers, "geojsonseq", None, datum, "utf-8")


def _made(
    frames: Mapping[str, GeoDataFrame],
    layers: Collection[str] | None,
    format: str,
    crs: str | None,
    datum: str,
    encoding: str,
) -> tuple[bytes, ExportReport]:
    """Return the content of a file, and what was done to make it."""
    from nankai_gis.exports.layers import bounds, ready
    from nankai_gis.exports.reference import outside, reference

    # What goes together, and what is there.
    into, log = accept(format, crs, datum, encoding), Log()
    for name in layers or ():
        if name not in frames:
            raise NotFoundError(tr("layer"), name, frames)
    wanted = {name: frame for name, frame in frames.items() if layers is None or name in layers}
    box = bounds(wanted)
    # What the coordinates will be in; a shift, and places far from it, are said.
    where = reference(into, datum, box) if into else None
    if where is not None:
        remark = outside(where, box) if box else None
        log.notes += [*([where.statement] if where.move else []), *([remark] if remark else [])]
    made = [ready(name, frame, where, encoding, log) for name, frame in wanted.items()]
    writer = importlib.import_module(f".{FORMATS[format].writer}", __name__)
    data: bytes = writer.content(
        [layer for layer in made if layer.rows], Job(format, where, encoding, log)
    )
    if not log.rows:
        raise OutputError(
            tr(
                "nothing to write: no row of {layers} is located",
                layers=words.listed(wanted) or tr("any layer"),
            )
        )
    return data, ExportReport(
        None,
        format,
        where.code if where else "",
        where.datum if where else "",
        dict(log.rows),
        tuple(log.left_out),
        tuple(log.changes),
        tuple(log.notes),
    )


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a hidden folder for writers that want a path, and turn their errors into ours.

    Yields
    ------
    pathlib.Path
        In the system's temporary folder; gone when the block ends.

    Raises
    ------
    OutputError
        If GDAL, SQLite or the system can't write there.

    Examples
    --------
    >>> with scratch() as folder:
    ...     folder.is_dir()
    True
    """
    import sqlite3

    import pyogrio

    try:
        with tempfile.TemporaryDirectory(prefix=".nankai-gis-") as folder:
            yield Path(folder)
    except NankaiGISError:
        raise
    except (OSError, RuntimeError, sqlite3.Error, pyogrio.errors.DataSourceError) as error:
        raise OutputError(
            tr(
                "can't make the file in the temporary folder {folder} ({reason}); make room there "
                "or set TMPDIR",
                folder=tempfile.gettempdir(),
                reason=getattr(error, "strerror", None) or error,
            )
        ) from error
