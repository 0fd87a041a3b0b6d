"""Areas as GEOS knows them: polygons, several polygons, collections."""

from __future__ import annotations

import numpy as np
import shapely

from nankai_gis.geometry.arrays import Ints, Shapes

__all__ = ["AREA_TYPES", "polygon_parts"]

#: Polygon and MultiPolygon, as GEOS numbers them.
AREA_TYPES = (3, 6)


def polygon_parts(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Polygons of shapes that may be collections, with the row each comes from."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    if (shapely.get_type_id(parts) == 6).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    return parts[keep], owner[keep].astype(np.int64)
