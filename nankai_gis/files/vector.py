"""Vector files as GDAL reads them: the one layer that is meant, whole, with its CRS."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nankai_gis import words
from nankai_gis.errors import CRSError, DataError
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: What the layer of lines is called in files that hold several.
LINES = ("lines", "roads", "ways")


def read(path: Path, *, lines: bool = False) -> tuple[GeoDataFrame, str]:
    """Read the one layer of a file.

    Parameters
    ----------
    path : pathlib.Path
        Any file that GDAL reads.
    lines : bool
        Whether it is lines that are wanted: layers of points or polygons alone don't count then,
        and of several that are left the one called by one of `LINES` is meant.

    Returns
    -------
    geopandas.GeoDataFrame
        In the CRS of the file; empty where the layer is.
    str
        The layer's name.

    Raises
    ------
    DataError
        The file is missing, damaged or cut off, has no layer of the kind, or several.
    CRSError
        The file doesn't say its CRS.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "spot.geojson"
    ...     _ = file.write_text('{"type": "Point", "coordinates": [117.1, 39.1]}')
    ...     frame, layer = read(file)
    >>> len(frame), layer
    (1, 'spot')
    """
    import pyogrio

    name = path.name
    if not path.is_file():
        if path.is_dir():
            raise DataError(tr("{file} is a folder; give the name of a file in it", file=path))
        raise DataError(tr("{file}: there is no such file", file=path))
    _whole(path)
    try:
        with warnings.catch_warnings(record=True) as messages:
            warnings.simplefilter("always")
            layers = [(str(layer), str(kind)) for layer, kind in pyogrio.list_layers(path) if kind]
            layer = _meant(name, layers, lines)
            frame = pyogrio.read_dataframe(path, layer=layer, use_arrow=False)
    except DataError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(
            tr("{file}: GDAL can't read it: {reason}", file=name, reason=error)
        ) from error
    for warning in messages:
        # GDAL goes on after damage and hands over what it got so far.
        if re.search("truncat|corrupt|malformed|error|fail", str(warning.message), re.IGNORECASE):
            raise DataError(tr("{file}: damaged: {reason}", file=name, reason=warning.message))
    if frame.crs is None:
        raise CRSError(
            tr(
                "{file}: no CRS is given; write the file again with one (EPSG:4326 for longitude "
                "and latitude in degrees)",
                file=name,
            )
        )
    return frame, layer


def _meant(name: str, layers: list[tuple[str, str]], lines: bool) -> str:
    """Of layers, each with its kind of geometry, the one that is meant."""
    if not layers:
        raise DataError(tr("{file}: a table without geometry", file=name))
    listed = [layer for layer, _ in layers]
    if lines:
        listed = [layer for layer, kind in layers if not re.search("Point|Polygon", kind)]
        if not listed:
            raise DataError(tr("{file}: no layer of lines in it", file=name))
        if len(listed) > 1:
            listed = [layer for layer in listed if layer in LINES] or listed
    if len(listed) > 1:
        raise DataError(
            tr(
                "{file} has {n} layers ({layers}); write the one that is meant into a file of its "
                "own",
                file=name,
                n=len(listed),
                layers=words.listed(listed),
            )
        )
    return listed[0]


#: Reads so many bytes from the start of a file, and tells how large it is; None for no file.
_Ask = Callable[[str, int], "tuple[bytes, int] | None"]


def _whole(path: Path) -> None:
    """Refuse what is cut off and GDAL would read as far as it goes, without a word."""
    kind = path.suffix.lower()
    if kind == ".shp":
        _whole_shapefile(path.name, _beside(path))
    elif kind == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as box:
            for name in box.namelist():
                if name.lower().endswith(".shp"):
                    _whole_shapefile(name, _within(box))
    elif kind in (".geojsonl", ".geojsons", ".ndjson"):
        with path.open("rb") as stream:
            last = next((line for line in reversed(stream.readlines()) if line.strip()), b"{}")
        try:
            json.loads(last.strip(b"\x1e\r\n "))
        except ValueError as error:
            raise DataError(
                tr(
                    "{file}: cut off: its last line is no JSON ({reason})",
                    file=path.name,
                    reason=error,
                )
            ) from error


def _beside(path: Path) -> _Ask:
    def ask(name: str, count: int) -> tuple[bytes, int] | None:
        file = path.with_name(name)
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return stream.read(count), file.stat().st_size

    return ask


def _within(box: zipfile.ZipFile) -> _Ask:
    def ask(name: str, count: int) -> tuple[bytes, int] | None:
        if name not in box.namelist():
            return None
        with box.open(name) as stream:
            return stream.read(count), box.getinfo(name).file_size

    return ask


def _whole_shapefile(name: str, ask: _Ask) -> None:
    """Compare lengths with what the headers claim: GDAL reads what was cut off as no shape."""
    stem = name[:-4]
    shapes, index = ask(name, 28), ask(f"{stem}.shx", 28) or ask(f"{stem}.SHX", 28)
    table = ask(f"{stem}.dbf", 32) or ask(f"{stem}.DBF", 32)
    if shapes is None or table is None:
        raise DataError(
            tr(
                "{file}: the file of its attributes, {table}, is missing",
                file=name,
                table=f"{stem}.dbf",
            )
        )
    (head, size), (fields, held) = shapes, table
    number = int.from_bytes(fields[4:8], "little")
    length = number * int.from_bytes(fields[10:12], "little")
    length += int.from_bytes(fields[8:10], "little")
    for file, there, claimed in (
        (name, size, max(2 * int.from_bytes(head[24:28], "big"), 100)),
        (f"{stem}.dbf", held, max(length, 32)),
    ):
        if there < claimed:
            raise DataError(
                tr(
                    "{file}: cut off: {there} of {claimed} bytes are there",
                    file=file,
                    there=there,
                    claimed=claimed,
                )
            )
    if index is not None and (index[1] - 100) // 8 != number:
        raise DataError(
            tr(
                "{file}: {shapes} shapes, but {rows} rows of attributes in {table}: they don't "
                "belong together",
                file=name,
                shapes=(index[1] - 100) // 8,
                rows=number,
                table=f"{stem}.dbf",
            )
        )
