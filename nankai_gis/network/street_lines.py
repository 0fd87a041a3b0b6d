"""The lines of streets: collapsed in the plane, drawn in degrees, measured on the ellipsoid."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiLineString

from nankai_gis.geometry import crs
from nankai_gis.geometry.arrays import Floats, Ints
from nankai_gis.geometry.plane import Plane
from nankai_gis.network import centreline
from nankai_gis.network.street import Gap

#: Carriageways of one street lie at most this far apart, metres.
SEPARATION_M = 40.0
#: Breaks up to this length are bridged, metres.
GAP_M = 150.0


class StreetLines(NamedTuple):
    """The lines of one street, as `nankai_gis.network.street.Street` has them."""

    carriageways: MultiLineString
    centreline: LineString | MultiLineString
    #: Metres of each way, what an earlier one repeats left out.
    way_m: Floats
    centreline_m: float
    gaps: tuple[Gap, ...]
    dual_share: float


def draw(
    ways: NDArray[np.object_], sense: Ints, twoway: NDArray[np.bool_], sizes: Ints
) -> list[StreetLines | None]:
    """Draw several streets in one go."""
    # Project each street with the meridian next to it, within a quarter of a degree.
    street_of_way = np.repeat(np.arange(len(sizes)), sizes)
    lonlat, way = shapely.get_coordinates(ways, return_index=True)
    street = street_of_way[way]
    opens = np.searchsorted(street, np.arange(len(sizes)))
    west = np.minimum.reduceat(lonlat[:, 0], opens)
    east = np.maximum.reduceat(lonlat[:, 0], opens)
    meridian = np.round(west + east) / 2
    xy = _projected(lonlat, meridian[street])
    lines, valid = centreline.collapse(
        lonlat, xy, way, street, sense[way], twoway[way], separation=SEPARATION_M, gap=GAP_M
    )
    # Measure the ways, and draw the centrelines.
    steps = np.flatnonzero(valid)
    way_m = np.bincount(
        way[steps], weights=_geodesic(lonlat[steps], lonlat[steps + 1]), minlength=len(ways)
    ).astype(np.float64)
    pieces, metres, drawn = _in_degrees(lines, lonlat, meridian)
    carriageways = np.asarray(shapely.multilinestrings(ways, indices=street_of_way), dtype=object)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    return [
        StreetLines(
            carriageways[number],
            parts[0] if len(parts) == 1 else MultiLineString(parts),
            way_m[starts[number] : starts[number + 1]],
            float(metres[number]),
            _gaps(line, float(meridian[number])),
            round(min(1.0, line.dual / float(drawn[number])), 9),
        )
        if (parts := pieces[number])
        else None
        for number, line in enumerate(lines)
    ]


def _projected(lonlat: Floats, meridian: Floats) -> Floats:
    """Metres in the plane of each coordinate's meridian."""
    xy = np.empty_like(lonlat)
    for value in np.unique(meridian):
        mask = meridian == value
        xy[mask] = Plane(float(value)).to_all(lonlat[mask])
    return xy


def _in_degrees(
    lines: list[centreline.Centreline], lonlat: Floats, meridian: Floats
) -> tuple[list[list[LineString]], Floats, Floats]:
    """Parts of each line in EPSG:4326, its metres on the ellipsoid, its metres in the plane."""
    counts = [len(line.parts) for line in lines]
    parts = [part for line in lines for part in line.parts]
    if not parts:
        return [[] for _ in lines], np.zeros(len(lines)), np.zeros(len(lines))
    table = np.vstack(parts)
    part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    owner = np.repeat(np.arange(len(lines)), counts)[part_of]
    # A mapped vertex keeps its degrees bit for bit; the others are projected back.
    degrees = np.empty((len(table), 2))
    source = table[:, 2].astype(np.int64)
    mapped = source >= 0
    degrees[mapped] = lonlat[source[mapped]]
    for value in np.unique(meridian):
        mask = ~mapped & (meridian[owner] == value)
        if mask.any():
            degrees[mask] = Plane(float(value)).back_all(table[mask, :2])
    # Measure step by step, both ways, and add up by street.
    same = part_of[1:] == part_of[:-1]
    geodesic, planar = np.zeros(len(table)), np.zeros(len(table))
    geodesic[1:][same] = _geodesic(degrees[:-1][same], degrees[1:][same])
    planar[1:][same] = np.hypot(*np.diff(table[:, :2], axis=0)[same].T)
    shapes = np.atleast_1d(np.asarray(shapely.linestrings(degrees, indices=part_of), dtype=object))
    pieces = [list(some) for some in np.split(shapes, np.cumsum(counts)[:-1])]
    return (
        pieces,
        np.bincount(owner, weights=geodesic, minlength=len(lines)).astype(np.float64),
        np.bincount(owner, weights=planar, minlength=len(lines)).astype(np.float64),
    )


def _geodesic(a: Floats, b: Floats) -> Floats:
    """Ellipsoidal distances between rows of lon, lat."""
    if not len(a):
        return np.zeros(0)
    metres = crs.ellipsoid().inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2]
    return cast("Floats", np.asarray(metres, dtype=np.float64))


def _gaps(line: centreline.Centreline, meridian: float) -> tuple[Gap, ...]:
    if not line.gaps:
        return ()
    plane = Plane(meridian)
    sides = plane.back_all(np.array([side for one, two, _ in line.gaps for side in (one, two)]))
    metres = _geodesic(sides[0::2], sides[1::2])
    gaps = [
        Gap((float(one[0]), float(one[1])), (float(two[0]), float(two[1])), float(size), bridged)
        for one, two, size, (_, _, bridged) in zip(
            sides[0::2], sides[1::2], metres, line.gaps, strict=True
        )
    ]
    return tuple(sorted(gaps, key=lambda gap: (gap.start, gap.end)))
