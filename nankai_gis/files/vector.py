"""Vector files: the one door through which zones, subdistricts, roads and other layers come in.

A file is what its content says (`formats`), whole (`whole`), read by listed drivers only (`gdal`),
its text in the encoding that it is really in (`encoding`), and in longitude and latitude
(`position`). What was decided on the way comes with the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nankai_gis.errors import DataError, NankaiGISError
from nankai_gis.files import encoding, formats, gdal, position, whole
from nankai_gis.files.formats import VectorSource
from nankai_gis.words import listed, mark, quoted, stored, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["LINES", "Layer", "MissingLayerError", "read"]

#: What the layer of lines is called in files that hold several.
LINES = ("lines", "roads", "ways")
#: What GPX has of each track and route beside its line.
_POINTS_OF_LINES = ("track_points", "route_points")
#: Columns that LIBKML gives to every placemark.
_KML_COLUMNS = (
    "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility",
    "drawOrder", "icon",
)  # fmt: skip
_PLURALS = {"Line": mark("lines"), "Polygon": mark("polygons"), "Point": mark("points")}
_TEXTS = ("GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON", "LIBKML", "GPX", "GML")


class MissingLayerError(DataError):
    """A layer that a user names and a file lacks."""


class Layer(NamedTuple):
    """Rows of a vector file."""

    #: In longitude and latitude (EPSG:4326); empty where the layer is.
    frame: GeoDataFrame
    name: str
    #: What was decided while reading; `words.recalled` says it.
    notes: list[str]
    #: The layers of the file that the rows come from.
    names: tuple[str, ...] = ()


def read(
    path: Path,
    *,
    want: str = "",
    layers: Sequence[str] = (),
    prefer: Sequence[str] = (),
    encoding: str | None = None,
) -> Layer:
    """Read the layer that is meant from a file.

    Parameters
    ----------
    path : pathlib.Path
        GeoPackage, GeoJSON, Shapefile (or a zip of it), KML, GPX, GML, FlatGeobuf, MapInfo,
        TopoJSON, ArcGIS JSON or a file geodatabase; ``FILE|layername=NAME`` names a layer.
    want : {'', 'Line', 'Polygon', 'Point'}
        The geometry that is wanted: of several layers only those that may have it count.
    layers : sequence of str
        Names that a user gave, of which the file's own count.
    prefer : sequence of str
        Of several layers that fit those called so, all of them. A column ``layer`` counts, too.
    encoding : str, optional
        Of the text; by content if left out.

    Returns
    -------
    Layer

    Raises
    ------
    DataError
        The file is missing, damaged, cut off or no vector file, or the layer can't be told.
    CRSError
        Where the coordinates are can't be told.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "spot.geojson"
    ...     _ = file.write_text('{"type": "Point", "coordinates": [117.1, 39.1]}')
    ...     layer = read(file)
    >>> len(layer.frame), layer.name
    (1, 'spot')
    """
    path, named = split_name(path)
    with _guarded(path.name):
        source = formats.recognise(path)
        whole.check(source)
        formats.check_statements(source)
        return _read(source, want, [*named, *layers], prefer, encoding)


def split_name(path: Path) -> tuple[Path, list[str]]:
    """Return a path without the name of a layer behind it, as QGIS writes it, and the name."""
    found = re.fullmatch(r"(.+)\|layername=([^|]+)(\|.*)?", str(path))
    if found is None or path.exists():
        return path, []
    return Path(found[1]), [found[2]]


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn whatever a reader raises into one error that names the file."""
    try:
        yield
    except NankaiGISError:
        raise
    # GDAL, pyogrio, shapely, pyproj, zipfile and json have errors of many kinds, and damaged
    # files bring out more (an IndexError of pyogrio).
    except Exception as error:  # whatever it is, it is this file's
        raise DataError(
            tr("{file}: can't be read: {reason}", file=name, reason=reason_of(error))
        ) from error


#: What GDAL says, and what it means to a reader.
def reason_of(error: BaseException) -> str:
    """Return what a reader's error means, in the language in force; else its own words, quoted."""
    text = str(error)
    for pattern, meaning in (
        (r"not recognized as|no such file|unable to open|cannot open", tr("damaged or cut off")),
        (r"pars|syntax|unexpected|invalid|malformed|corrupt|truncat|not enough|unterminated|short|"
         r"index .*out of|failed to read|failed reading|EOF|end of file", tr("damaged or cut off")),
        (r"memory", tr("it is too large for this machine's memory")),
        (r"recursion|depth|nest", tr("its content is nested too deeply")),
        (r"permission", tr("you may not read it")),
    ):  # fmt: skip
        if re.search(pattern, f"{type(error).__name__} {text}", re.IGNORECASE):
            return meaning
    return quoted(text[:200] or type(error).__name__)


def _read(
    source: VectorSource, want: str, layers: Sequence[str], prefer: Sequence[str], asked: str | None
) -> Layer:
    import pandas as pd

    # Text in another encoding is given to GDAL in UTF-8.
    notes: list[str] = []
    address: str | bytes = source.address
    decoding = encoding.Encoding(asked or "")
    if source.driver in ("ESRI Shapefile", "MapInfo File"):
        if source.driver == "ESRI Shapefile":
            decoding = encoding.of_shapefile(source, asked)
        notes += [decoding.note] if decoding.note else []
    elif source.driver in _TEXTS and not source.member and source.path.suffix.lower() != ".kmz":
        converted = encoding.utf8(source.path.name, source.path.read_bytes(), asked)
        if converted is not None:
            address, note = converted
            notes += [note] if note else []
            decoding = encoding.Encoding("")
    # Choose the layers, and read them.
    known = gdal.layers(address, source.driver)
    meant = _meant(source.path.name, known, want, layers, prefer)
    if source.driver == "LIBKML" and len(meant) > 1 and not layers:
        meant = [name for name, _, _ in known]
    frames = []
    for number, (name, _, claimed) in enumerate(known):
        if name in meant:
            frames.append(_rows(source, address, number, decoding.name or None, claimed, notes))
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    frame = _own_rows(source.path.name, frame, meant, prefer)
    name = source.path.stem if isinstance(address, bytes) else listed(meant)
    frame, remarks = position.located(source, frame)
    if source.driver == "GeoJSONSeq":
        remarks.append(
            stored(
                "{file}: rows read: {n}; a text sequence doesn't say how many it should have",
                n=len(frame),
                file=source.path.name,
            )
        )
    return Layer(frame, name, notes + remarks, tuple(meant))


def _rows(
    source: VectorSource,
    address: str | bytes,
    layer: int,
    decoding: str | None,
    claimed: int,
    notes: list[str],
) -> GeoDataFrame:
    """Return the rows of one layer, all of them, and note what had to be mended."""
    import shapely

    name = source.path.name
    try:
        frame, damage = gdal.read(address, layer, source.driver, decoding, "raise")
    except shapely.errors.GEOSException:
        # Rings that aren't closed can be closed.
        frame, damage = gdal.read(address, layer, source.driver, decoding, "fix")
        notes.append(stored("{file}: rings that were not closed were closed", file=name))
    if damage is not None:
        raise DataError(
            tr("{file}: damaged or cut off ({reason})", file=name, reason=quoted(damage))
        )
    whole.check_rows(source, len(frame), claimed)
    if source.driver == "LIBKML":
        frame = _without_kml_columns(frame)
    return frame


def _without_kml_columns(frame: GeoDataFrame) -> GeoDataFrame:
    """Return placemarks with the columns of their author in front of those of the format."""
    for own, shared in (("id2", "id"), ("name2", "Name")):
        if own in frame.columns:
            # LIBKML leaves it empty where the placemark says the same.
            kept = shared if frame[own].isna().all() else own
            frame = frame.drop(columns={shared, own} - {kept}).rename(columns={kept: own[:-1]})
    return frame.drop(columns=[column for column in _KML_COLUMNS if column in frame.columns])


# ------------------------------------------------------------------ which layer


def _meant(
    name: str,
    known: Sequence[tuple[str, str | None, int]],
    want: str,
    asked: Sequence[str],
    prefer: Sequence[str],
) -> list[str]:
    """Return the layers that are meant."""
    drawn = [(layer, kind, rows) for layer, kind, rows in known if kind]
    if not drawn:
        raise DataError(tr("{file}: a table without geometry", file=name))
    chosen = [layer for layer, _, _ in drawn if layer in asked]
    if chosen:
        return chosen
    if asked:
        raise MissingLayerError(
            tr(
                "{file} has no layer {name}; it has {layers}",
                file=name,
                name=listed(map(quoted, asked)),
                layers=_described(drawn),
            )
        )
    fits = [row for row in drawn if _fits(row[1], want)]
    if not fits:
        raise DataError(
            tr(
                "{file}: no layer of {geometry} in it; it has {layers}",
                file=name,
                geometry=tr(_PLURALS[want]),
                layers=_described(drawn),
            )
        )
    # What is empty, or only the points of lines beside it, isn't meant.
    filled = [row for row in fits if row[2] != 0 and row[0] not in _POINTS_OF_LINES] or fits
    names = [layer for layer, _, _ in filled]
    preferred = [layer for layer in names if layer.lower() in {p.lower() for p in prefer}]
    if preferred:
        return preferred
    if len(names) > 1 and prefer and all(kind == "Unknown" for _, kind, _ in filled):
        # The folders of a KML file; rows say in a column which layer of ours they are.
        return names
    if len(names) > 1:
        raise _several_layers(name, names, _described(filled))
    return names


def _several_layers(name: str, layers: Sequence[str], described: str) -> DataError:
    return DataError(
        tr(
            "{file} has {n} layers: {layers}; name the one that is meant with --layer, or as "
            "{file}|layername={example}",
            file=name,
            n=len(layers),
            layers=described,
            example=layers[0],
        )
    )


def _fits(kind: str | None, want: str) -> bool:
    """Whether a layer of a type of geometry may hold what is wanted."""
    others = {"Point", "Line", "Polygon"} - {want}
    plain = (kind or "").replace("Curve", "Line").replace("Surface", "Polygon")
    if not want or want in plain:
        return True
    return "CurvePolygon" in (kind or "") or not any(other in plain for other in others)


def _described(known: Sequence[tuple[str, str | None, int]]) -> str:
    """Layers with their geometry and the number of their rows."""
    return listed(
        tr(
            "{layer} ({geometry}, rows: {rows})",
            layer=layer,
            geometry=kind,
            rows=rows if rows >= 0 else "?",
        )
        for layer, kind, rows in known
    )


def _own_rows(
    name: str, frame: GeoDataFrame, meant: Sequence[str], prefer: Sequence[str]
) -> GeoDataFrame:
    """Of a file that this program wrote with all layers in one, return the rows of those meant."""
    if prefer and {"layer", "sketch"} <= set(frame.columns):
        own = frame["layer"].isin(prefer)
        if own.any():
            kept = frame[own].dropna(axis="columns", how="all")
            return kept.reset_index(drop=True)
    if len(meant) > 1 and not {*map(str.lower, meant)} <= {*map(str.lower, prefer)}:
        raise _several_layers(name, meant, listed(meant))
    return frame
