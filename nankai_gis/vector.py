"""Vector files as GDAL reads them: the one layer that is meant, whole, with its CRS."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CRSError, DataError

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
        what = "is a folder; name a file in it" if path.is_dir() else "there is no such file"
        raise DataError(f"{path}: {what}")
    if path.suffix.lower() == ".shp":
        _whole_shapefile(path)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = [(str(layer), str(kind)) for layer, kind in pyogrio.list_layers(path) if kind]
            layer = _meant(name, found, lines)
            frame = pyogrio.read_dataframe(path, layer=layer, use_arrow=False)
    except DataError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"{name}: GDAL can't read it: {error}") from error
    for warning in said:
        # GDAL goes on after damage and hands over what it got so far.
        if re.search("truncat|corrupt|malformed|error|fail", str(warning.message), re.IGNORECASE):
            raise DataError(f"{name}: damaged: {warning.message}")
    if frame.crs is None:
        raise CRSError(
            f"{name}: no CRS is given; write the file anew with one (EPSG:4326 for longitude and "
            "latitude in degrees)"
        )
    return frame, layer


def _meant(name: str, layers: list[tuple[str, str]], lines: bool) -> str:
    """Of layers, each with its kind of geometry, the one that is meant."""
    if not layers:
        raise DataError(f"{name}: a table without geometry")
    listed = [layer for layer, _ in layers]
    if lines:
        listed = [layer for layer, kind in layers if not re.search("Point|Polygon", kind)]
        if not listed:
            raise DataError(f"{name}: no layer of lines in it")
        if len(listed) > 1:
            listed = [layer for layer in listed if layer in LINES] or listed
    if len(listed) > 1:
        raise DataError(
            f"{name} has {len(listed)} layers ({', '.join(listed)}); write the one that is meant "
            "into a file of its own"
        )
    return listed[0]


def _whole_shapefile(path: Path) -> None:
    """Compare lengths with what the headers claim: GDAL reads what was cut off as no shape."""
    table = next(
        (p for p in (path.with_suffix(".dbf"), path.with_suffix(".DBF")) if p.is_file()), None
    )
    if table is None:
        raise DataError(f"{path.name}: the file of its attributes, {path.stem}.dbf, is missing")
    with path.open("rb") as stream:
        claimed = 2 * int.from_bytes(stream.read(28)[24:28], "big")
    with table.open("rb") as stream:
        head = stream.read(12)
    rows = int.from_bytes(head[4:8], "little") * int.from_bytes(head[10:12], "little")
    for file, length in (
        (path, claimed),
        (table, rows + int.from_bytes(head[8:10], "little")),
    ):
        size = file.stat().st_size
        if size < length:
            raise DataError(f"{file.name}: cut off: {size} of {length} bytes are there")
