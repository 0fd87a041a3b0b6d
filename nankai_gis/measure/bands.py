"""The band within one standard deviation of a boundary, as a polygon to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.geometry.ruler import Coordinates

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry


def accuracy_band(ring: Coordinates, parts: Iterable[Mapping[str, Any]]) -> BaseGeometry:
    """Return where the boundary of a polygon lies within one standard deviation.

    Each side, moved square to itself by up to its accuracy, sweeps a strip on both sides of its
    line. The band is the union of these strips; where two sides meet, the strips end square to
    their own side. It shows the same movements that
    `nankai_gis.measure.features.area_uncertainty` adds up.

    Parameters
    ----------
    ring : sequence of positions
        The closed exterior ring, longitude and latitude in degrees.
    parts : iterable of mapping
        ``start`` and ``stop`` (indices of vertices in `ring`) and ``accuracy_m`` of each side.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Longitude and latitude; an empty Polygon for no parts, or where all are known exactly.

    Examples
    --------
    A side of 866 m along the 39th parallel known to 10 m, so a strip 20 m wide:

    >>> from nankai_gis.geometry.ruler import area
    >>> ring = [[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]
    >>> round(area(accuracy_band(ring, [{"start": 0, "stop": 1, "accuracy_m": 10}])), -1)
    17330.0
    """
    import numpy as np
    import shapely

    from nankai_gis.geometry.plane import Plane

    positions = np.asarray([position[:2] for position in ring], dtype=float)
    plane = Plane(*positions.mean(axis=0))
    metres = plane.to_all(positions)
    strips = [
        shapely.LineString(metres[part["start"] : part["stop"] + 1]).buffer(
            part["accuracy_m"], cap_style="flat", join_style="mitre", mitre_limit=2
        )
        for part in parts
    ]
    return shapely.transform(shapely.union_all(strips), plane.back_all)


def bands(features: Iterable[Mapping[str, Any]]) -> GeoDataFrame:
    """Return the bands of polygons of the plan in EPSG:4326, ``id`` beside each; none if exact."""
    import geopandas

    from nankai_gis.geometry.crs import STORED

    rows = [
        (row["properties"]["id"], accuracy_band(row["geometry"]["coordinates"][0], parts))
        for row in features
        if (parts := row["properties"]["parts"])
    ]
    ids, shapes = [row[0] for row in rows], [row[1] for row in rows]
    frame = geopandas.GeoDataFrame({"id": ids}, geometry=shapes, crs=STORED)
    return frame[~frame.geometry.is_empty].reset_index(drop=True)
