"""Snapshots: a network and the record of its origin in one GeoPackage."""

from __future__ import annotations

import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, OutputError
from nankai_gis.files import geopackage
from nankai_gis.network.origin import COLUMNS, Origin, Roads
from nankai_gis.words import tr

if TYPE_CHECKING:
    import geopandas as gpd

_LAYER = "ways"
_TABLE = "nankai_gis_snapshot"
_VERSION = 1


def save(roads: Roads, path: Path, *, overwrite: bool) -> Path:
    """Write a snapshot, read it back, compare, and only then put it in place."""
    import pyogrio

    if path.suffix.lower() != ".gpkg":
        raise OutputError(
            tr("{file}: a snapshot is a GeoPackage; let its name end in .gpkg", file=path)
        )
    checksum = _checksum(roads.frame)
    content = {"version": _VERSION, "origin": asdict(roads.origin), "content": checksum}
    with geopackage.atomic_geopackage(path, overwrite=overwrite) as draft:
        pyogrio.write_dataframe(
            roads.frame,
            draft,
            layer=_LAYER,
            driver="GPKG",
            geometry_type="LineString",
            use_arrow=False,
        )
        geopackage.write_metadata(draft, _TABLE, content, "where the ways come from")
        if _checksum(load(draft).frame) != checksum:
            raise OutputError(tr("{file}: what was written doesn't read back the same", file=path))
    return path


def load(path: str | os.PathLike[str]) -> Roads:
    """Load a snapshot that `Roads.save` wrote."""
    import pyogrio

    path = Path(path)
    recorded = _metadata(path)
    try:
        frame = pyogrio.read_dataframe(path, layer=_LAYER, use_arrow=False)
        origin = origin_of(recorded["origin"])
        frame = _shaped(frame)
        content = _checksum(frame)
    except (RuntimeError, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(
            tr("{file}: the snapshot is damaged: {reason}", file=path.name, reason=error)
        ) from error
    if len(frame) != origin.ways:
        raise DataError(
            tr(
                "{file}: the snapshot is not complete: {n} of {all} ways",
                file=path.name,
                n=len(frame),
                all=origin.ways,
            )
        )
    if content != recorded.get("content"):
        raise DataError(
            tr(
                "{file}: the snapshot's ways were changed after it was written; import anew",
                file=path.name,
            )
        )
    return Roads(frame, origin)


def is_snapshot(path: Path) -> bool:
    """Tell whether a file is a snapshot, be it damaged."""
    if path.suffix.lower() != ".gpkg" or not path.is_file():
        return False
    try:
        return geopackage.read_metadata(path, _TABLE) is not None
    except DataError:
        return True  # one that is damaged: `load` says how


def _metadata(path: Path) -> dict[str, Any]:
    recorded = geopackage.read_metadata(path, _TABLE)
    if recorded is None:
        raise DataError(
            tr("{file}: no snapshot; `nankai-gis roads import` makes one of it", file=path.name)
        )
    if not isinstance(recorded.get("origin"), dict):
        raise DataError(tr("{file}: the snapshot's record is damaged", file=path.name))
    if recorded.get("version") != _VERSION:
        raise DataError(
            tr(
                "{file}: a snapshot of version {version}, this program knows {known}; import anew",
                file=path.name,
                version=recorded.get("version"),
                known=_VERSION,
            )
        )
    return recorded


def origin_of(recorded: dict[str, Any]) -> Origin:
    """Return a network's origin from its record, with tuples in place of the lists of JSON."""
    values = {field.name: recorded[field.name] for field in fields(Origin)}
    for name in ("bbox", "incomplete", "notes"):
        values[name] = tuple(values[name])
    if len(values["bbox"]) != 4:
        raise ValueError("bbox")
    return Origin(**values)


def _shaped(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give a frame from a file the columns and types that it had."""
    for name, kind in COLUMNS.items():
        if kind == "object":
            words = frame[name].astype(object)
            frame[name] = words.where(words.notna(), None)
        else:
            frame[name] = frame[name].astype(kind)
    return frame[[*COLUMNS, "geometry"]]


def _checksum(frame: gpd.GeoDataFrame) -> str:
    """Return a checksum over what the rows hold, whatever file they stand in."""
    import hashlib

    import shapely

    digest = hashlib.sha256()
    for name, kind in COLUMNS.items():
        if kind == "object":
            words = ["\x00" if word is None else str(word) for word in frame[name].tolist()]
            digest.update("\x1f".join(words).encode())
        else:
            digest.update(frame[name].to_numpy().astype(kind).astype("<i8").tobytes())
    for wkb in shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1).tolist():
        digest.update(wkb)
    return digest.hexdigest()
