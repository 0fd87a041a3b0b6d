"""Ways of one name in several places: different streets that happen to share it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints

#: Ways of one name further apart than this are different streets, metres.
PLACE_M = 1000.0


def split_by_place(lines: NDArray[np.object_], rows: Ints) -> list[Ints]:
    """Split ways of one name by place: single linkage within `PLACE_M`."""
    if len(rows) == 1:
        return [rows]
    bounds = shapely.total_bounds(lines[rows])
    middle = (bounds[1] + bounds[3]) / 2
    if _reach(bounds, middle) <= PLACE_M:
        return [rows]
    # Ways that share an end belong together; only what is left is measured.
    tips = shapely.get_point(lines[rows], [[0], [-1]]).ravel()
    ends = len(rows) + _same(shapely.get_coordinates(tips)).reshape(2, -1)
    ways = np.tile(np.arange(len(rows)), 2)
    pairs = np.column_stack((ways, ends.ravel()))
    label = _connected(pairs, int(ends.max()) + 1)[: len(rows)]
    bunches, label = np.unique(label, return_inverse=True)
    if len(bunches) > 1:
        # Scaling to metres on the spot is good to a percent over such distances.
        order = np.argsort(label, kind="stable")
        scaled = shapely.transform(lines[rows[order]], lambda xy: xy * _metres(middle))
        joined = np.asarray(shapely.multilinestrings(scaled, indices=label[order]), dtype=object)
        tree = shapely.STRtree(joined)
        pairs = tree.query(joined, predicate="dwithin", distance=PLACE_M)
        label = _connected(pairs.T, len(bunches))[label]
    return [rows[label == value] for value in np.unique(label)]


def _same(points: Floats) -> Ints:
    """Number the points so that equal ones have the same number."""
    return np.unique(np.ascontiguousarray(points).view(complex).ravel(), return_inverse=True)[1]


def _connected(pairs: Ints, count: int) -> Ints:
    """Label what hangs together, of `count` things and rows of pairs."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(pairs.tolist())
    label = np.empty(count, dtype=np.int64)
    for number, members in enumerate(networkx.connected_components(graph)):
        label[list(members)] = number
    return label


def _metres(lat: float) -> Floats:
    """Metres per degree of longitude and latitude, for windows and thresholds only."""
    geod = crs.ellipsoid()
    lat = float(np.clip(lat, -89.0, 89.0))
    east = geod.inv(0.0, lat, 0.01, lat)[2]
    north = geod.inv(0.0, lat - 0.005, 0.0, lat + 0.005)[2]
    return np.array([east, north]) * 100.0


def _reach(bounds: Floats, lat: float) -> float:
    return float(np.hypot(*((bounds[2:] - bounds[:2]) * _metres(lat))))
