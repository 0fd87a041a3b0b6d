"""Small layers for the tests of coverage, drawn in metres about 117 E, 39 N."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.affinity
import shapely.ops
from pyproj import Geod
from shapely import LineString, Polygon

GEOD = Geod(a=6378137.0, rf=298.257222101)
#: Metres per degree at 39 N, roughly: for drafts, never for answers.
EAST, NORTH = 86_628.0, 111_025.0


def place(x: float, y: float) -> tuple[float, float]:
    return 117 + x / EAST, 39 + y / NORTH


def line(*xy: tuple[float, float]) -> LineString:
    return LineString([place(*p) for p in xy])


def square(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return Polygon([place(*p) for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def frame(geometry: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4326")


def metres(shape: Any) -> float:
    return sum(
        GEOD.line_length(*np.array(part.coords).T) for part in shapely.get_parts(shape).tolist()
    )


def row(table: pd.DataFrame, **keys: object) -> pd.Series:
    for column, value in keys.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def two_zones() -> dict[str, gpd.GeoDataFrame]:
    """Two zones side by side over three subdistricts; every figure can be seen."""
    return {
        "zones": frame(
            [square(0, 0, 1000, 1000), square(1000, 0, 2000, 1000)], id=["w", "e"],
            name=["西", "東"],
        ),
        "subdistricts": frame(
            [square(0, 0, 1000, 500), square(0, 500, 1000, 1000), square(1000, 0, 1500, 1000)],
            id=["a", "b", "c"], name=["甲", "乙", "丙"],
        ),
        "streets": frame(
            [
                line((-500, 250), (2500, 250)),  # through both
                line((1000, 100), (1000, 900)),  # along the common border
                line((100, 750), (400, 750)),  # within b, without a name
                line((500, 100), (500, 900)),  # from a to b, without a class
                line((5000, 0), (5000, 100)),  # elsewhere
            ],
            name=["通路", "界路", None, "縱道", "遠路"],
            highway=["primary", "secondary", "residential", None, "service"],
        ),
        "district": frame([square(0, 0, 2000, 1000)], id=["d"]),
    }  # fmt: skip
