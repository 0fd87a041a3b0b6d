"""How far a network lies beside a known one, as data in another datum does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely

from nankai_gis.errors import DataError
from nankai_gis.geometry.arrays import Shapes
from nankai_gis.geometry.datum import BD09, GCJ02, Datum
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.words import tr

#: A network that lies this far beside the packaged one is in another datum, metres.
SHIFT_M = 150.0
#: A boundary follows a known street within this distance, metres.
ALONG_M = 25.0
#: Areas are in a shifted datum if, shifted back, this share of their boundary follows known
#: streets, and so many times the share that does as it is.
FOLLOWS, TIMES = 0.25, 3.0
_SAMPLES = 600


def datum_shift(mapped: OsmNetwork, known: DigitisedNetwork) -> tuple[float, float] | None:
    """Measure by how much a network is displaced from a known one, as data in another datum is.

    Every stretch of street that both know says how far they are apart square to it; together,
    north-south and east-west streets give the shift (least squares on the offsets, the median
    of what each street says).
    """
    from nankai_gis.geometry.plane import Plane

    rows: list[tuple[float, float, float]] = []
    plane: Plane | None = None
    for line in known.lines:
        good = [v.status == "osm" and v.accuracy_m <= 25 for v in line.vertices]
        if sum(good) < 2 or line.names.hant not in mapped:
            continue
        plane = plane or Plane(*line.vertices[0].position)
        here = shapely.LineString([plane.to(v.position) for v in line.vertices])
        for other in mapped.every(line.names.hant):
            there = shapely.MultiLineString(
                [[plane.to(v.position) for v in part] for part in other.parts]
            )
            if there.distance(here) > 2000:
                continue
            offsets = []
            for share in np.linspace(0.1, 0.9, 17):
                spot = here.interpolate(share, normalized=True)
                near = shapely.get_coordinates(shapely.shortest_line(spot, there))
                away = near[1] - near[0]
                ahead = here.interpolate(min(share + 0.02, 1.0), normalized=True)
                along = np.array([ahead.x - spot.x, ahead.y - spot.y])
                along /= np.hypot(*along) or 1.0
                # Off its ends the nearest point lies along the street and says nothing.
                if abs(away @ along) < 0.5 * np.hypot(*away) + 1.0:
                    normal = np.array([-along[1], along[0]])
                    offsets.append((float(normal[0]), float(normal[1]), float(away @ normal)))
            if offsets:
                rows.append(tuple(np.median(np.array(offsets), axis=0)))
    table = np.array(rows).reshape(-1, 3)
    if len(table) < 2 or np.linalg.matrix_rank(table[:, :2], tol=0.5) < 2:
        return None
    east, north = np.linalg.lstsq(table[:, :2], table[:, 2], rcond=None)[0]
    return float(east), float(north)


def refuse_shifted(mapped: OsmNetwork, known: DigitisedNetwork) -> None:
    """Raise a DataError where a network lies beside a known one, as data in another datum does."""
    text = shifted(mapped, known)
    if text:
        raise DataError(text)


def shifted(mapped: OsmNetwork, known: DigitisedNetwork) -> str:
    """Return the sentence that a network is in another datum; "" where it isn't."""
    moved = datum_shift(mapped, known)
    if moved is None or np.hypot(*moved) <= SHIFT_M:
        return ""
    return tr(
        "{file} lies {east} m east and {north} m north of the packaged streets, as data in "
        "GCJ-02 or BD-09 does; convert it to WGS-84 first",
        file=mapped.origin.name,
        east=f"{moved[0]:+.0f}",
        north=f"{moved[1]:+.0f}",
    )


def shifted_areas(shapes: Shapes, known: DigitisedNetwork) -> Datum | None:
    """Return the datum in which areas look to be: shifted back, they follow known streets."""
    from nankai_gis.geometry.plane import Plane

    # The streets that are known well, in metres.
    good = [
        pair
        for line in known.lines
        for pair in pairwise(line.vertices)
        if all(vertex.status == "osm" and vertex.accuracy_m <= 25 for vertex in pair)
    ]
    edges = shapely.boundary(shapes[~shapely.is_missing(shapes)])
    # Rows with a coordinate that is no number are told of where they are dropped.
    edges = edges[np.isfinite(shapely.length(edges))]
    length = float(shapely.length(edges).sum())
    if not good or not np.isfinite(length) or length <= 0:
        return None
    plane = Plane(*good[0][0].position)
    streets = shapely.MultiLineString([[plane.to(v.position) for v in pair] for pair in good])
    shapely.prepare(streets)
    # Places along all boundaries, as they are and shifted back.
    spots = shapely.get_coordinates(shapely.segmentize(edges, length / _SAMPLES))[: 4 * _SAMPLES]
    shares = {
        datum: _share_along([plane.to(move(x, y)) for x, y in spots.tolist()], streets)
        for datum, move in (
            (None, lambda x, y: (x, y)), (GCJ02, GCJ02.to_wgs84), (BD09, BD09.to_wgs84),
        )
    }  # fmt: skip
    best = max((GCJ02, BD09), key=lambda datum: shares[datum])
    follows = shares[best] >= max(FOLLOWS, TIMES * shares[None])
    return best if follows else None


def _share_along(places: list[tuple[float, float]], streets: shapely.Geometry) -> float:
    near = shapely.dwithin(shapely.points(np.array(places)), streets, ALONG_M)
    return float(np.mean(near))
