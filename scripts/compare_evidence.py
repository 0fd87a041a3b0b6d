"""Report how far the packaged layers lie from the evidence they were digitised from.

    python scripts/compare_evidence.py FOLDER           print the table
    python scripts/compare_evidence.py FOLDER --check   exit 3 when a layer lies further off
                                                        than its own accuracy allows

FOLDER holds the district outline, the mapped ways, and two tables of control points, of which
that in ``2026-11`` corrects the older one and comes with street lines measured from bus stops.
Distances are metres in EPSG:4548. For a street with mapped carriageways each is compared with the
centreline: half the width of the street is to be expected. The bus stops may not be published;
a shipped position that is one of theirs is a fault, however good it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, shape

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
# The lines between stops of one kerb are good to 20 m.
STOPS_M = 20.0
# The evidence found last, which corrects the rest.
LATEST = "2026-11"
# Rows of the latest table that its street lines show once more.
STOPS = ("bus stops on one kerb", "street centre at a bus-stop pair")
# A shipped position closer than this to a bus stop is the stop itself, metres.
COPIED_M = 0.2
# What the network calls a section that the evidence knows by a remark.
SECTIONS = {"密云路 (ground street)": "密雲路直線"}
# Evidence that other evidence contradicts, or that marks a place beside the street.
CONTRADICTED = {
    (
        "长江道",
        "6号 = 三纬路122号",
    ): "a hospital set back behind 三緯路; two addresses for one place",
    (
        "长江道",
        "孤山路2号",
    ): "an address of 孤山路; stops on both sides put 長江道 300 m north of it",
    ("白堤路", "238号"): "an institute set back from the street",
    ("芥园西道", "195号"): "a car park north-west of the street; the outline runs on the kerb",
    ("芥园西道", "芥园西道站"): "the station stands north-west of the street",
    ("水上公园北道", "水上公园东路"): "one address, 900 m from where OSM has the street",
    ("南马路", "南门外大街"): "the corner of the outline and two metro lines lie 33 m east of it",
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


def summary(what: str, distances: Sequence[float], allowed: float) -> Row:
    """One row for many distances."""
    middle, most = np.percentile(distances, [50, 95])
    return what, float(middle), float(most), max(distances), allowed


def within(line: LineString, point: Point) -> bool:
    """Whether a line says anything of a point: past its ends it doesn't."""
    return 1 < line.project(point) < line.length - 1


def courses(file: Path, index: Index, what: str, key: str, allowed: float) -> list[Row]:
    """The lines of a file against the centrelines of their names, within the reach of these."""
    found: dict[str, list[float]] = {}
    for feature in json.loads(file.read_text("utf-8"))["features"]:
        name, positions = feature["properties"][key], feature["geometry"]["coordinates"]
        line = index(name) if name else None
        if line is None or feature["geometry"]["type"] != "LineString":
            continue
        for point in map(Point, LineString(plane(positions)).segmentize(20).coords):
            if within(line, point):
                found.setdefault(name, []).append(line.distance(point))
    return [summary(f"{name} {what}", d, allowed) for name, d in sorted(found.items())]


def table(file: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with file.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def control_points(rows: Sequence[dict[str, str]], index: Index) -> list[Row]:
    """Control points against the lines of their streets, each with its own stated accuracy.

    A junction is compared with both its streets.
    """
    found = []
    for row in rows:
        street, cross = row["street"], row["cross_street_or_address"]
        line, other = index(street), index(cross.split(" (")[0])
        if line is None or cross in STOPS:
            continue
        point = Point(plane([(float(row["lon_wgs84"]), float(row["lat_wgs84"]))])[0])
        if not within(line, point):
            continue
        far = max(each.distance(point) for each in (line, other) if each is not None)
        wrong = any(street == s and cross.startswith(c) for s, c in CONTRADICTED)
        allowed = math.inf if wrong else float(row["accuracy_m"])
        found.append((f"{street} {cross[:18]}", far, far, far, allowed))
    return found


def uncorrected(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of the older table that the newer one doesn't correct."""
    corrected = [_roads(row) for row in new if "CORRECTS" in row["source"]]
    return [row for row in old if _roads(row) not in corrected]


def _roads(row: dict[str, str]) -> set[str]:
    """The two roads of a junction, without the remarks."""
    return {row["street"], row["cross_street_or_address"].split(" (")[0]}


def copied(folder: Path) -> list[str]:
    """Shipped positions that are bus stops or vertices of the lines drawn through them."""
    stops = [
        (float(r["lon_wgs84"]), float(r["lat_wgs84"]))
        for r in table(folder / "bus_stop_points_wgs84.csv")
    ]
    drawn = json.loads((folder / "street_lines_from_bus_stops_wgs84.geojson").read_text("utf-8"))
    stops += shapely.get_coordinates([shape(f["geometry"]) for f in drawn["features"]]).tolist()
    tree = shapely.STRtree(shapely.points(plane(stops)))
    network = digitised.packaged()
    ours = {v.position for line in network.lines for v in line.vertices}
    ours |= {v.position for v in network.points.values()}
    listed = sorted(ours)
    hits = tree.query(shapely.points(plane(listed)), predicate="dwithin", distance=COPIED_M)
    return [f"{listed[k][0]}, {listed[k][1]} is a bus stop" for k in sorted(set(hits[0]))]


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
            line = lines[SECTIONS.get(name) or name.split(" (")[0]]
        except RoadNotFoundError:
            return None
        return LineString(plane(v.position for v in line.vertices)) if line.vertices else None

    folder, latest = options.folder, options.folder / LATEST
    new = table(latest / "control_points_wgs84.csv")
    old = uncorrected(table(folder / "places" / "control_points_wgs84.csv"), new)
    rows = (
        outline(folder)
        + courses(
            folder / "roads" / "nankai_osm_ways_wgs84.geojson",
            index,
            "carriageways",
            "name",
            HALF_WIDTH_M,
        )
        + courses(
            latest / "osm_stubs_at_weijin_south_road_wgs84.geojson",
            index,
            "side street",
            "name",
            HALF_WIDTH_M,
        )
        + courses(
            latest / "street_lines_from_bus_stops_wgs84.geojson",
            index,
            "between stops",
            "street",
            STOPS_M,
        )
        + control_points(old, index)
        + control_points(new, index)
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
    unlicensed = copied(latest)
    print("\n".join(unlicensed or ["no shipped position is a bus stop"]))
    return 3 if options.check and (far or unlicensed) else 0


if __name__ == "__main__":
    sys.exit(main())
