"""The readings of clauses, side by side, as a layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.geometry.crs import STORED
from nankai_gis.words import language, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def readings(features: Iterable[Mapping[str, Any]]) -> GeoDataFrame:
    """Return every reading of features whose clause has several.

    Parameters
    ----------
    features : iterable of mapping
        GeoJSON features of zones and parcels.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, a row for each reading, the drawn one first: ``feature``, ``id``, ``name``,
        ``name_hans``, ``name_en``, ``area_m2`` (on the ellipsoid), ``chosen``, ``status``, and
        ``reasons_for``, ``reasons_against`` and ``note`` in the language in force. No rows for
        clauses with one reading.

    Examples
    --------
    >>> from nankai_gis.studies.study import packaged
    >>> rows = readings(packaged().features(["parcel"]))
    >>> rows[["feature", "id", "chosen"]].values.tolist()[0]
    ['xiyingmen', 'wedge', True]
    """
    import geopandas
    from shapely import Polygon

    script = {"zh-Hant": "", "zh-Hans": "_hans", "en": "_en"}[language()]
    rows, shapes = [], []
    for feature in features:
        for reading in feature["properties"].get("readings") or ():
            speaks_for = reading[f"reasons_for{script}"]
            speaks_against = reading[f"reasons_against{script}"]
            said = [
                tr("For: {reasons}", reasons=speaks_for) if speaks_for else "",
                tr("Against: {reasons}", reasons=speaks_against) if speaks_against else "",
            ]
            rows.append(
                {key: value for key, value in reading.items() if key != "ring"}
                | {
                    "feature": feature["properties"]["id"],
                    "reasons_for": speaks_for,
                    "reasons_against": speaks_against,
                    "note": " ".join(filter(None, said)),
                }
            )
            shapes.append(Polygon(reading["ring"]))
    columns = ["feature", "id", "name", "area_m2", "chosen", "status", "note"]
    return geopandas.GeoDataFrame(
        rows, columns=None if rows else columns, geometry=shapes, crs=STORED
    )
