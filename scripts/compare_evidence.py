"""Report how far the packaged layers lie from the evidence they were digitised from.

    python scripts/compare_evidence.py FOLDER           print the table
    python scripts/compare_evidence.py FOLDER --check   exit 3 when a layer lies further off
                                                        than its own accuracy allows

FOLDER holds the district outline, the mapped ways and the table of control points. Distances
are metres in EPSG:4548. For a street with mapped carriageways each is compared with the
centreline: half the width of the street is to be expected.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nankai_gis.errors import RoadNotFoundError
from nankai_gis.geometry import crs
from nankai_gis.network import digitised
from nankai_gis.plan import layers
from nankai_gis.present import tables
from nankai_gis.present.tables import Column, number

Row = tuple[str, float, float, float, float]
Index = Callable[[str], LineString | None]

# A carriageway may lie this far from the centreline of its street: half of the widest street.
HALF_WIDTH_M = 60.0
# The outline is simplified to 2 m and the streets replace it where it runs along them; along
# 衛津路 it lies up to 46 m off the centreline.
OUTLINE_M = 50.0
# Evidence that other evidence contradicts, or that marks a place beside the street.
CONTRADICTED = {
    (
        "长江道",
        "6号 = 三纬路122号",
    ): "a hospital set back behind 三緯路; two addresses for one place",
    ("芥园西道", "195号"): "a car park north-west of the street; the outline runs on the kerb",
    ("芥园西道", "芥园西道站"): "the station stands north-west of the street",
    (
        "水上公园北道",
        "水上公园东路",
    ): "one address with four decimals, 900 m from where OSM has the street",
}


def plane(positions: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    """Positions in EPSG:4548, metres."""
    lon, lat = zip(*((p[0], p[1]) for p in positions), strict=True)
    return list(zip(*crs.planar().transform(lon, lat), strict=True))


def outline(folder: Path) -> list[Row]:
    """The district's ring against the evidence's, both ways."""
    file = folder / "boundary" / "nankai_hybrid_wgs84.geojson"
    theirs = json.loads(file.read_text("utf-8"))["features"][0]["geometry"]["coordinates"][0]
    ours = layers.features("district")[0]["geometry"]["coordinates"][0]
    a, b = Polygon(plane(theirs)), Polygon(plane(ours))
    points = shapely.points(shapely.get_coordinates(a.exterior.segmentize(20)))
    d = shapely.distance(b.exterior, points)
    share = a.symmetric_difference(b).area / a.area * 100
    print(f"district: symmetric difference {share:.2f} % of the evidence's area")
    return [
        (
            "district outline",
            float(np.median(d)),
            float(np.percentile(d, 95)),
            float(d.max()),
            OUTLINE_M,
        )
    ]


def ways(folder: Path, index: Index) -> list[Row]:
    """Mapped carriageways against the centrelines, within the reach of the latter."""
    file = folder / "roads" / "nankai_osm_ways_wgs84.geojson"
    found: dict[str, list[float]] = {}
    for feature in json.loads(file.read_text("utf-8"))["features"]:
        name = feature["properties"]["name"]
        line = index(name) if name else None
        if line is None:
            continue
        course = LineString(plane(feature["geometry"]["coordinates"])).segmentize(20)
        for x, y in course.coords:
            along = line.project(Point(x, y))
            # Past its ends the centreline says nothing.
            if 1 < along < line.length - 1:
                found.setdefault(name, []).append(line.distance(Point(x, y)))
    return [
        (
            f"{name} carriageways",
            float(np.median(d)),
            float(np.percentile(d, 95)),
            max(d),
            HALF_WIDTH_M,
        )
        for name, d in sorted(found.items())
    ]


def control_points(folder: Path, index: Index) -> list[Row]:
    """Street control points against the centrelines, each with its own stated accuracy."""
    rows = []
    with (folder / "places" / "control_points_wgs84.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            name = row["street"].split(" ")[0]
            line = index(name)
            if line is None:
                continue
            point = Point(plane([(float(row["lon_wgs84"]), float(row["lat_wgs84"]))])[0])
            if not 0 < line.project(point) < line.length:
                continue
            far, stated = line.distance(point), float(row["accuracy_m"])
            cross = row["cross_street_or_address"]
            if any(name == n and cross.startswith(c) for n, c in CONTRADICTED):
                stated = float("inf")
            rows.append((f"{name} {cross[:18]}", far, far, far, stated))
    return rows


def main() -> int:
    """Print the table; 3 when asked to check and something lies too far off."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    lines = digitised.packaged()

    def index(name: str) -> LineString | None:
        try:
            line = lines[name]
        except RoadNotFoundError:
            return None
        return LineString(plane(v.position for v in line.vertices)) if line.vertices else None

    rows = (
        outline(options.folder)
        + ways(options.folder, index)
        + control_points(options.folder, index)
    )
    columns = [
        Column("evidence"),
        *(Column(t, "right") for t in ("median", "95 %", "max", "allowed")),
    ]
    far = [row for row in rows if row[2] > row[4]]
    cells = [
        [
            row[0],
            *(number(v, 0) for v in row[1:4]),
            "contradicted" if np.isinf(row[4]) else number(row[4], 0),
            "too far" if row in far else "",
        ]
        for row in rows
    ]
    print(tables.terminal([*columns, Column("")], cells), end="")
    print(f"{len(rows)} comparisons, {len(far)} further off than allowed (95 % of the points)")
    return 3 if options.check and far else 0


if __name__ == "__main__":
    sys.exit(main())
