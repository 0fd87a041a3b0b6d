"""Make a city to measure: streets, zones, corridors, subdistricts; the same every time.

    python scripts/make_city.py --pieces 5000 city.gpkg
    python scripts/make_city.py --pieces 5000 --check city.gpkg

The streets are a warped grid, one piece per block, drawn by a hand that trembles 0.3 m. Every
fourth street is a dual carriageway, 14 m apart; a name lasts for some forty blocks; one side
street in seven has no name and some pieces have no class. Borders run along streets, as real ones
do: on the very vertices of a single carriageway, midway between two. Two zones in five lie askew
and cut across the blocks.

``fixed``: 5 zones, 3 corridors and 12 subdistricts stretched over the whole city, however big.
``tiled``: areas of constant size, their number growing with the city.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

Mode = Literal["fixed", "tiled"]
Floats = NDArray[np.float64]

CENTRE = (117.17, 39.12)
BLOCK_M = 150.0
CARRIAGEWAYS_M = 14.0
TREMBLE_M = 0.3
_BLOCKS_PER_NAME = 40
_TILE = 24

_M_PER_DEG_LAT = 111_030.0
_FIRST = "紅黃長南西東北中復渭賓鞍迎水衛津密芥廣萬興學向嘉王體華"
_SECOND = "旗河江開馬門園安康山湖雲陽陵頂苑翠平和利泰寧豐慶榮德義仁"


@dataclass(frozen=True)
class City:
    """The layers of a generated city, EPSG:4326."""

    streets: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    corridors: gpd.GeoDataFrame
    subdistricts: gpd.GeoDataFrame
    district: gpd.GeoDataFrame

    def digest(self) -> str:
        """SHA-256 over all coordinates and attributes."""
        total = hashlib.sha256()
        for name in ("streets", "zones", "corridors", "subdistricts", "district"):
            frame = getattr(self, name)
            total.update(shapely.get_coordinates(frame.geometry.values).round(9).tobytes())
            total.update(frame.drop(columns="geometry").to_csv(index=False).encode())
        return total.hexdigest()


def make(pieces: int, mode: Mode = "fixed", seed: int = 1) -> City:
    """Make a city of about so many street pieces."""
    rng = np.random.default_rng(seed)
    lanes = max(round(np.sqrt(pieces / 2.5)), 9)
    axis_x, axis_y = _axes(lanes, rng)
    streets = _streets(lanes, axis_x, axis_y, rng)
    ring = _Rings(axis_x, axis_y)
    end = lanes - 1
    if mode == "fixed":
        zones, subdistricts = _stretched(ring, end)
    else:
        zones, subdistricts = _tiles(ring, end)
    rows = [round(end * 0.22), round(end * 0.71)]
    axes = [axis_y[r] for r in rows] + [axis_x[round(end * 0.47)]]
    corridors = _frame("corridor", [shapely.LineString(_earth(a)) for a in axes])
    district = _frame("district", [ring.block(0, 0, end, end)])
    return City(streets, _frame("zone", zones), corridors, _frame("sub", subdistricts), district)


def _frame(stem: str, shapes: Sequence[shapely.Geometry]) -> gpd.GeoDataFrame:
    names = [f"{stem}-{number + 1}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"id": names, "name": names}, geometry=shapes, crs="EPSG:4326")


def _earth(metres: Floats) -> Floats:
    scale = (_M_PER_DEG_LAT * np.cos(np.radians(CENTRE[1])), _M_PER_DEG_LAT)
    return np.round(np.asarray(metres) / scale + CENTRE, 7)


def _axes(lanes: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Axes of the streets running north and east: (lane, vertex, 2), two vertices a block."""
    size = (lanes - 1) * BLOCK_M

    def warp(x: Floats, y: Floats) -> Floats:
        wide = 60.0
        long = 2 * np.pi / 4000.0
        return np.stack(
            (x + wide * np.sin(y * long) - size / 2, y + wide * np.sin(x * long * 1.3) - size / 2),
            axis=-1,
        )

    lane = np.arange(lanes) * BLOCK_M
    along = np.arange(2 * lanes - 1) * (BLOCK_M / 2)
    north = warp(lane[:, None] + 0 * along, along + 0 * lane[:, None])
    east = warp(along + 0 * lane[:, None], lane[:, None] + 0 * along)
    north += rng.normal(0, TREMBLE_M, north.shape)
    east += rng.normal(0, TREMBLE_M, east.shape)
    # Streets share the vertices at which they cross.
    north[:, ::2] = np.swapaxes(east[:, ::2], 0, 1)
    return north, east


def _streets(
    lanes: int, axis_x: Floats, axis_y: Floats, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    names: list[str | None] = []
    classes: list[str | None] = []
    coordinates = []
    for axis, suffix in ((axis_x, "路"), (axis_y, "道")):
        for lane in range(lanes):
            if lane % 4 == 0:
                normal = np.gradient(axis[lane], axis=0)[:, ::-1] * (1.0, -1.0)
                normal /= np.hypot(*normal.T)[:, None]
                shift = CARRIAGEWAYS_M / 2 * normal
                lines, kind = [axis[lane] + shift, (axis[lane] - shift)[::-1]], "primary"
            else:
                lines, kind = [axis[lane]], ("secondary", "tertiary", "residential")[lane % 4 - 1]
            quarter = np.arange(lanes - 1) // _BLOCKS_PER_NAME
            number = lane * 7 + (3 if suffix == "路" else 0)
            named = lane % 7 != 5
            for line in lines:
                blocks = np.stack((line[:-2:2], line[1:-1:2], line[2::2]), axis=1)
                coordinates.append(_earth(blocks.reshape(-1, 2)))
                # On the way back the quarters come in the other order.
                order = quarter if line is lines[0] else quarter[::-1]
                names += [_name(number, int(q), suffix) if named else None for q in order]
                classes += [kind] * (lanes - 1)
    points = np.concatenate(coordinates)
    shapes = shapely.linestrings(points, indices=np.repeat(np.arange(len(names)), 3))
    for row in np.flatnonzero(rng.random(len(classes)) < 0.004).tolist():
        classes[row] = None
    table = {"way": np.arange(1, len(names) + 1), "name": names, "highway": classes}
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


def _name(number: int, quarter: int, suffix: str) -> str:
    first = _FIRST[(number + quarter) % len(_FIRST)]
    second = _SECOND[(number // 5 + 3 * quarter) % len(_SECOND)]
    return f"{first}{second}{number // 60 or ''}{'東西南北中'[quarter % 5]}{suffix}"


class _Rings:
    """Areas whose borders run along streets."""

    def __init__(self, axis_x: Floats, axis_y: Floats) -> None:
        self._x, self._y = axis_x, axis_y

    def block(self, west: int, south: int, east: int, north: int) -> shapely.Polygon:
        """Between four streets, by their numbers."""
        return self.path([(west, south), (east, south), (east, north), (west, north)])

    def path(self, corners: list[tuple[int, int]]) -> shapely.Polygon:
        """Along streets from corner to corner; each step follows one street."""
        parts = []
        for (c0, r0), (c1, r1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            if r0 == r1:
                parts.append(_run(self._y[r0], c0, c1))
            else:
                parts.append(_run(self._x[c0], r0, r1))
        return shapely.Polygon(_earth(np.concatenate(parts)))

    def askew(self, corners: list[tuple[float, float]]) -> shapely.Polygon:
        """Straight across the blocks; corners in blocks."""
        place = (np.array(corners) - (len(self._x) - 1) / 2) * BLOCK_M
        return shapely.Polygon(_earth(place))


def _run(axis: Floats, start: int, stop: int) -> Floats:
    if start < stop:
        return axis[2 * start : 2 * stop]
    return axis[2 * start : 2 * stop : -1]


def _stretched(ring: _Rings, end: int) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    def at(share: float) -> int:
        return round(end * share)

    columns = [at(s) for s in (0, 0.27, 0.5, 0.77, 1)]
    rows = [at(s) for s in (0, 0.31, 0.68, 1)]
    subdistricts = [
        ring.block(columns[c], rows[r], columns[c + 1], rows[r + 1])
        for r in range(3)
        for c in range(4)
    ]
    zones = [
        # Like a stair, with one step in its south-east corner.
        ring.path([(at(0.08), at(0.4)), (at(0.33), at(0.4)), (at(0.33), at(0.52)),
                   (at(0.5), at(0.52)), (at(0.5), at(0.9)), (at(0.08), at(0.9))]),
        ring.block(at(0.55), at(0.68), at(0.93), at(0.92)),
        ring.block(at(0.6), at(0.06), at(0.9), at(0.31)),
        ring.askew([(end * a, end * b) for a, b in
                    ((0.05, 0.2), (0.24, 0.04), (0.46, 0.18), (0.28, 0.37))]),
        ring.askew([(end * a, end * b) for a, b in
                    ((0.52, 0.42), (0.7, 0.35), (0.95, 0.5), (0.8, 0.63), (0.6, 0.6))]),
    ]  # fmt: skip
    return zones, subdistricts


def _tiles(ring: _Rings, end: int) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    size = min(_TILE, end)
    cuts = [*range(0, end - size // 2, size), end]
    spans = list(itertools.pairwise(cuts))
    subdistricts = [ring.block(w, s, e, n) for s, n in spans for w, e in spans]
    zones = []
    for row, (s, n) in enumerate(spans):
        for column, (w, e) in enumerate(spans):
            width, height = e - w, n - s
            if (row + column) % 2 == 0:
                zones.append(
                    ring.block(
                        w + width // 4,
                        s + height // 3,
                        min(e + width // 4, end),
                        min(n + height // 6, end),
                    )
                )
            else:
                zones.append(
                    ring.askew(
                        [
                            (w + 0.1 * width, s + 0.4 * height),
                            (w + 0.5 * width, s + 0.05 * height),
                            (w + 0.9 * width, s + 0.5 * height),
                            (w + 0.4 * width, s + 0.95 * height),
                        ]
                    )
                )
    return zones, subdistricts


def main() -> int:
    """Write a city, or compare one with what would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, help="GeoPackage; one layer for each kind")
    parser.add_argument("--pieces", type=int, default=5000)
    parser.add_argument("--mode", choices=("fixed", "tiled"), default="fixed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args()
    city = make(options.pieces, options.mode, options.seed)
    names = ("streets", "zones", "corridors", "subdistricts", "district")
    if options.check:
        stored = City(*(gpd.read_file(options.file, layer=name) for name in names))
        same = all(
            np.array_equal(
                shapely.get_coordinates(getattr(stored, name).geometry.values),
                shapely.get_coordinates(getattr(city, name).geometry.values),
            )
            for name in names
        )
        print(f"{options.file}: {'as generated' if same else 'differs'}")
        return 0 if same else 3
    if options.file.exists() and not options.overwrite:
        print(f"{options.file} exists; --overwrite replaces it", file=sys.stderr)
        return 2
    part = options.file.with_name(f".{options.file.name}.part.gpkg")
    for name in names:
        getattr(city, name).to_file(part, layer=name, driver="GPKG")
    part.replace(options.file)
    print(f"{options.file}: {len(city.streets)} pieces, sha256 {city.digest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
