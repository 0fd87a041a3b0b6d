"""GDAL behind a guard: it opens files of listed kinds only, never a network, nor another file."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: The drivers that read a file on this machine and nothing else. The first two are always there:
#: GDAL divides the list of those to leave out at blanks, so that it can't name them.
DRIVERS = (
    "ESRI Shapefile", "MapInfo File", "GPKG", "GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON",
    "FlatGeobuf", "LIBKML", "KML", "GPX", "GML", "OpenFileGDB",
)  # fmt: skip
#: What a driver is told so that it neither fetches a schema nor leaves a file beside the data.
_OPTIONS = {"GML": {"DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO"}}
_WORDS_OF_DAMAGE = ("truncat", "corrupt", "malformed", "error", "fail", "invalid", "not recogni")
# Nothing is written beside a file that is read.
_QUIET = {"GDAL_PAM_ENABLED": "NO"}
_one_at_a_time = threading.Lock()


@contextmanager
def _listed_drivers_only() -> Iterator[Any]:
    """Take all other drivers from GDAL for a while.

    pyogrio has no list of allowed drivers. Registering anew under ``GDAL_SKIP`` takes 8 ms.
    """
    import pyogrio

    register = getattr(pyogrio._ogr, "_register_drivers", None)
    with _one_at_a_time:
        others = [name for name in pyogrio.list_drivers() if name not in DRIVERS]
        others = [name for name in others if " " not in name]
        try:
            if register is not None:
                pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join(others), **_QUIET})
                register()
            yield pyogrio
        finally:
            if register is not None:
                pyogrio.set_gdal_config_options({"GDAL_SKIP": None, **dict.fromkeys(_QUIET)})
                register()


def layers(address: str | bytes, driver: str) -> list[tuple[str, str | None, int]]:
    """Return name, type of geometry (None: a table) and number of rows (-1: unknown) of layers."""
    with _listed_drivers_only() as pyogrio:
        rows = []
        for number, (name, kind) in enumerate(pyogrio.list_layers(address)):
            options = _OPTIONS.get(driver, {})
            # Of its five layers GPX doesn't say which are empty.
            count = driver == "GPX"
            info = pyogrio.read_info(address, layer=number, force_feature_count=count, **options)
            rows.append((str(name), kind, int(info["features"])))
        return rows


def read(
    address: str | bytes, layer: int, driver: str, encoding: str | None, on_invalid: str
) -> tuple[GeoDataFrame, str | None]:
    """Return the rows of a layer, and the first message of GDAL that speaks of damage."""
    with _listed_drivers_only() as pyogrio, warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        options: dict[str, Any] = dict(_OPTIONS.get(driver, {}))
        if encoding is not None:
            options["encoding"] = encoding
        frame = pyogrio.read_dataframe(
            address, layer=layer, use_arrow=False, on_invalid=on_invalid, **options
        )
    # GDAL goes on after damage and hands over what it got so far.
    for message in (str(warning.message) for warning in messages):
        # shapely says "invalid value" of a coordinate that is no number, which is told elsewhere.
        if any(word in message.lower() for word in _WORDS_OF_DAMAGE) and "_wkb" not in message:
            return frame, message
    return frame, None
