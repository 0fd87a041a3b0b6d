"""Coverage and measures against spatial databases that measure on the ellipsoid themselves.

A generated city and the packaged plan are loaded into SpatiaLite and into PostGIS, which cut and
measure them in SQL. Both cut by GEOS in longitude and latitude; how lines are cut here, what runs
along a border, and all measuring are the package's own.

What may differ, and by how much:

- The databases' EPSG:4326 has the ellipsoid of WGS 84: the equator of CGCS2000, and half an axis
  that is 0.1 mm longer, 1.6e-11 of it.
- Their edges are geodesics. An edge straight in longitude and latitude is curved by at most
  1.09 tan(latitude) over the radius of the earth, `CURVATURE`. It is longer than the geodesic by
  the square of length times curvature, over 24, and the sliver between the two is the cube of
  the length times the curvature, over 12. The databases are given edges of at most `STEP_DEG`,
  after cutting: that leaves 1e-13 of a length, and `sliver_km2` of an area.
- A cut point is rounded to 64 bits, 1e-14 degrees: some nanometres.
- A street that crosses a boundary at less than 30 degrees is within `overlay.LEAST_M` of it, and
  along it, for a moment: 0.3 mm at 4 degrees, the flattest here, half of it outside. `ABS_KM`, a
  millimetre, holds that in every row.
"""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from nankai_gis.geometry import ruler
from nankai_gis.geometry.cut_lines import ALONG_DEG
from nankai_gis.measure import coverage
from nankai_gis.plan import layers

ROOT = Path(__file__).resolve().parent.parent
#: Versions of PostgreSQL that have a server and PostGIS.
SERVERS = [
    program.parent
    for program in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if Path("/usr/share/postgresql", program.parts[-3], "extension/postgis.control").exists()
]

STEP_DEG = 1e-4
#: The longest edge that is left, metres: along the meridian.
STEP_M = 11.1
CURVATURE = 1.09 * math.tan(math.radians(39.2)) / 6.37e6
#: The ellipsoids, and the sums of some thousand rounded pieces.
REL = 1e-10
ABS_KM = 1e-6
#: Shares and densities, which have an area with its slivers below them.
SHARE_REL = 1e-8
#: A square millimetre; GEOS leaves slivers of some 1e-9 m times the length of a border.
ABS_KM2 = 1e-12
REACH_M = 200.0
BOUNDARY_M = 15.0

Row = tuple[str, ...]
Figures = dict[tuple[str, ...], float]


def sliver_km2(perimeter_km: float, step_m: float = STEP_M) -> float:
    """What may lie between short straight edges and their geodesics."""
    return perimeter_km * (step_m / 1000) ** 2 * (CURVATURE * 1000) / 12


# ------------------------------------------------------------------ the databases


@dataclass(frozen=True)
class Database:
    """A database that holds one data set, and how it spells what they don't spell alike."""

    run: Callable[[str], list[Row]]
    load: Callable[[str, gpd.GeoDataFrame], None]
    length: str
    area: str
    perimeter: str
    near: str
    away: str
    wkb: str

    def km(self, shape: str) -> str:
        lines = f"ST_Segmentize(ST_CollectionExtract({shape}, 2), {STEP_DEG})"
        return f"(COALESCE({self.length.format(lines)}, 0) / 1000.0)"

    def km2(self, shape: str) -> str:
        polygons = f"ST_Segmentize(ST_CollectionExtract({shape}, 3), {STEP_DEG})"
        return f"(COALESCE({self.area.format(polygons)}, 0) / 1000000.0)"

    def around_km(self, shape: str) -> str:
        return (
            f"(COALESCE({self.perimeter.format(f'ST_CollectionExtract({shape}, 3)')}, 0) / 1000.0)"
        )

    def meet(self, one: str, two: str) -> str:
        """Both, by their bounds first."""
        return f"{self.near.format(one, two)} AND ST_Intersects({one}, {two})"

    def figures(self, sql: str) -> Figures:
        """The last column by all the others; what is nothing is left out."""
        out: Figures = {}
        for *key, value in self.run(sql):
            assert tuple(key) not in out
            if float(value):
                out[tuple(key)] = float(value)
        return out


def _texts(layer: gpd.GeoDataFrame) -> tuple[list[str], list[list[str | None]]]:
    """Columns, and rows with None for what isn't there."""
    columns = [c for c in layer.columns if c != layer.geometry.name]
    rows = layer[columns].itertuples(index=False, name=None)
    return columns, [[None if pd.isna(value) else str(value) for value in row] for row in rows]


def spatialite(file: Path) -> Database:
    command = ["spatialite", "-silent", "-bail", "-batch", "-noheader", "-list", "-separator", "\t"]

    def run(sql: str) -> list[Row]:
        done = subprocess.run(
            [*command, file], input=f"{sql};\n".encode(), capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        return [tuple(line.split("\t")) for line in done.stdout.decode().splitlines()]

    def load(name: str, layer: gpd.GeoDataFrame) -> None:
        columns, rows = _texts(layer)
        fields = "".join(f", {column} TEXT" for column in columns)
        script = [f"BEGIN; CREATE TABLE {name} (n INTEGER{fields}, g BLOB);"]
        shapes = shapely.to_wkb(layer.geometry.values, hex=True)
        for number, (row, shape) in enumerate(zip(rows, shapes, strict=True)):
            texts = "".join(
                ", NULL" if v is None else ", '" + v.replace("'", "''") + "'" for v in row
            )
            wkb = f"GeomFromWKB(x'{shape}', 4326)"
            script.append(f"INSERT INTO {name} VALUES ({number}{texts}, {wkb});")
        run("\n".join([*script, "COMMIT;"]))

    # The first to open a file says what it sets up.
    run("SELECT 1;")
    return Database(
        run,
        load,
        length="ST_Length({}, 1)",
        area="ST_Area({}, 1)",
        perimeter="ST_Perimeter({}, 1)",
        near="MbrIntersects({}, {})",
        away="ST_Distance({}, {}, 1)",
        wkb="HEX(ST_AsBinary({}))",
    )


class Server:
    """PostgreSQL in a folder of its own, reached by a socket in there and by nothing else."""

    def __init__(self) -> None:
        # A socket's path may have some hundred characters; those of pytest's folders have more,
        # and only their owner may enter them.
        self.folder = Path(tempfile.mkdtemp(prefix="nankai-pg-"))
        self._bin = SERVERS[-1]
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        # PostgreSQL refuses to run as root; Debian's package brings a user for it.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}

    def call(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            **self._user,
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        data = self.folder / "data"
        self.call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "jit": "off",
            "max_connections": 5,
            "max_parallel_workers_per_gather": 0,
            "shared_buffers": "32MB",
        }
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in settings.items())
        self.call("pg_ctl", "start", "-w", "-t", "30", "-D", data, "-l", self.folder / "log")
        self.query("public", "CREATE EXTENSION postgis;")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.folder / "data")
        shutil.rmtree(self.folder)

    def query(self, schema: str, sql: str) -> list[Row]:
        done = subprocess.run(
            [self._bin / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
             "-h", self.folder, "-U", "postgres"],
            input=sql.encode(),
            env={
                **self._environment,
                "PGOPTIONS": f"-c search_path={schema},public -c client_min_messages=warning",
                "PGCLIENTENCODING": "UTF8",
            },
            capture_output=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return [tuple(line.split("\t")) for line in done.stdout.decode().splitlines()]

    def database(self, schema: str) -> Database:
        def run(sql: str) -> list[Row]:
            return self.query(schema, sql)

        def load(name: str, layer: gpd.GeoDataFrame) -> None:
            columns, rows = _texts(layer)
            fields = "".join(f", {column} TEXT" for column in columns)
            shapes = shapely.to_wkb(
                shapely.set_srid(layer.geometry.values, 4326), hex=True, include_srid=True
            )
            lines = [
                "\t".join([str(number), *("\\N" if v is None else v for v in row), shape])
                for number, (row, shape) in enumerate(zip(rows, shapes, strict=True))
            ]
            run(
                f"CREATE TABLE {name} (n integer{fields}, g geometry);\n"
                f"COPY {name} FROM stdin;\n" + "\n".join(lines) + "\n\\.\n"
            )

        self.query("public", f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};")
        return Database(
            run,
            load,
            length="ST_Length(({})::geography)",
            area="ST_Area(({})::geography)",
            perimeter="ST_Perimeter(({})::geography)",
            near="{} && {}",
            away="ST_Distance(({})::geography, ({})::geography)",
            wkb="ENCODE(ST_AsBinary({}), 'hex')",
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if not SERVERS:
        pytest.skip("PostGIS isn't installed: Debian's package postgresql-postgis")
    started = Server()
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module", params=["spatialite", "postgis"])
def create(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Database]:
    """Make an empty database by its name."""
    if request.param == "postgis":
        running: Server = request.getfixturevalue("server")
        return running.database
    if shutil.which("spatialite") is None:
        pytest.skip("SpatiaLite isn't installed: Debian's package spatialite-bin")
    folder = tmp_path_factory.mktemp("spatialite")
    return lambda name: spatialite(folder / f"{name}.sqlite")


# ------------------------------------------------------------------ the data


@dataclass(frozen=True)
class Data:
    """Layers, and what the package finds in them."""

    zones: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    subdistricts: gpd.GeoDataFrame
    district: gpd.GeoDataFrame
    corridors: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    polygons: gpd.GeoDataFrame

    def measure(self, boundary_m: float, **more: Any) -> coverage.Coverage:
        return coverage.measure(
            self.zones, self.streets, self.subdistricts, boundary_m=boundary_m, **more
        )


def _layer(shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[*shapes], crs="EPSG:4326")


def city() -> Data:
    """Streets with borders on them, zones askew and over each other, things strewn about."""
    spec = importlib.util.spec_from_file_location("make_city", ROOT / "scripts/make_city.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("make_city", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    made = module.make(1200, "fixed", 7)
    rng = np.random.default_rng(7)
    low, high = np.reshape(made.district.total_bounds, (2, 2))
    size = high - low

    def at(*shares: tuple[float, float]) -> Any:
        return low + np.array(shares) * size

    # One over two zones, one over the district's edge, one with a hole.
    over = shapely.Polygon(at((0.2, 0.31), (0.71, 0.37), (0.66, 0.81), (0.26, 0.73)))
    edge = shapely.Polygon(at((0.81, 0.72), (1.13, 0.66), (1.09, 1.07), (0.86, 0.97)))
    hole = shapely.Polygon(
        at((0.03, 0.03), (0.37, 0.06), (0.33, 0.29), (0.05, 0.27)),
        [at((0.12, 0.11), (0.27, 0.12), (0.22, 0.21))],
    )
    ids = [*made.zones["id"], "over", "edge", "hole"]
    zones = _layer([*made.zones.geometry, over, edge, hole], id=ids)
    streets = made.streets.copy()
    streets.loc[[3, 200], "name"] = ["", "  "]
    places = at(*(rng.random((500, 2)) * 1.2 - 0.1).tolist())
    walk = np.cumsum(rng.normal(0, 0.12, (40, 5, 2)), axis=1) + rng.random((40, 1, 2))
    angle = rng.random((120, 1)) * 2 * math.pi + np.arange(4) * math.pi / 2
    corner = np.stack((np.cos(angle), np.sin(angle)), axis=2) * (
        0.01 + 0.05 * rng.random((120, 1, 1))
    )
    corner += rng.random((120, 1, 2)) * 1.1 - 0.05
    return Data(
        zones,
        streets,
        made.subdistricts,
        made.district,
        made.corridors,
        _layer(shapely.points(places)),
        _layer(shapely.linestrings(low + walk * size)),
        _layer(shapely.polygons(low + corner * size)),
    )


def _packaged(layer: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame.from_features(layers.features(layer), crs=4326)


def plan() -> Data:
    """The packaged layers; a parcel and sites as the layers to count."""
    located = {}
    for name in layers.LAYERS:
        layer = _packaged(name)
        located[name] = layer[layer.geometry.notna()].reset_index(drop=True)
    sites, axes = located["sites"], located["corridors"]
    return Data(
        located["zones"],
        located["streets"],
        located["subdistricts"],
        located["district"],
        axes[~axes["planned"].astype(bool)].reset_index(drop=True),
        sites[sites.geom_type == "Point"],
        sites[sites.geom_type == "LineString"],
        located["parcel"],
    )


DATA: dict[str, Callable[[], Data]] = {"city": city, "plan": plan}


@cache
def data(name: str) -> Data:
    return DATA[name]()


@cache
def measured(name: str) -> coverage.Coverage:
    here = data(name)
    return here.measure(0.0, district=here.district, corridors=here.corridors, reach_m=REACH_M)


@cache
def counted(name: str, layer: str, boundary_m: float = 0.0) -> pd.DataFrame:
    """A layer by zone and subdistrict; without reaches, which the databases don't have."""
    here = data(name)
    return here.measure(boundary_m).with_layer(layer, getattr(here, layer)).layers[layer]


@dataclass(frozen=True)
class Case:
    """One data set in one database, and what the package makes of it."""

    name: str
    data: Data
    database: Database

    @property
    def found(self) -> coverage.Coverage:
        return measured(self.name)


@pytest.fixture(scope="module", params=["city", "plan"])
def case(request: pytest.FixtureRequest, create: Callable[[str], Database]) -> Case:
    name = request.param
    here = data(name)
    database = create(name)
    for layer in ("district", "points", "lines", "polygons"):
        database.load(layer, _layer(getattr(here, layer).geometry))
    for layer, columns in (
        ("zones", {"id": "id"}),
        ("subdistricts", {"id": "id"}),
        ("streets", {"name": "name", "highway": "class", "kind": "class"}),
        ("corridors", {"corridor": "corridor", "id": "corridor"}),
    ):
        frame = getattr(here, layer)
        # The first that is there, as the package takes it.
        texts = {columns[c]: frame[c].tolist() for c in reversed(columns) if c in frame.columns}
        database.load(layer, _layer(frame.geometry, **texts))
    # Two subdistricts have their common border, the others the one with nothing.
    border = f"'{coverage.BORDER}'"
    database.run(f"""
        UPDATE streets SET name = '{coverage.UNNAMED}' WHERE TRIM(COALESCE(name, '')) = '';
        UPDATE streets SET class = '{coverage.UNCLASSED}' WHERE class IS NULL;
        CREATE TABLE zone_edges AS SELECT id, ST_Boundary(g) AS g FROM zones;
        CREATE TABLE sub_edges AS SELECT n, id, ST_Boundary(g) AS g FROM subdistricts;
        CREATE TABLE every_zone AS SELECT ST_Union(g) AS g FROM zones;
        CREATE TABLE every_sub AS SELECT ST_Union(g) AS g FROM subdistricts;
        CREATE TABLE outer_edge AS SELECT ST_Boundary(g) AS g FROM every_sub;
        CREATE TABLE borders AS
            SELECT a.id || {border} || b.id AS id, ST_Intersection(a.g, b.g) AS g
            FROM sub_edges a JOIN sub_edges b ON a.n < b.n AND {database.meet("a.g", "b.g")}
            UNION ALL
            SELECT a.id || {border} || '{coverage.NO_SUBDISTRICT}', ST_Intersection(a.g, b.g)
            FROM sub_edges a, outer_edge b WHERE ST_Intersects(a.g, b.g);
        CREATE TABLE parts AS
            SELECT z.id AS zone, s.id AS sub, ST_Intersection(z.g, s.g) AS g
            FROM zones z JOIN subdistricts s ON {database.meet("z.g", "s.g")}
            UNION ALL
            SELECT z.id, '{coverage.NO_SUBDISTRICT}', ST_Difference(z.g, s.g)
            FROM zones z, every_sub s;
    """)
    for layer, columns in (
        ("streets", "name, class, "),
        ("corridors", "corridor, "),
        ("lines", ""),
    ):
        database.run(f"""
            CREATE TABLE {layer}_pieces AS
            SELECT l.n, {columns}a.id AS sub, ST_Difference(ST_Intersection(l.g, a.g), e.g) AS g
            FROM subdistricts a JOIN sub_edges e ON a.n = e.n
            JOIN {layer} l ON {database.meet("l.g", "a.g")}
            UNION ALL
            SELECT l.n, {columns}b.id, ST_Intersection(l.g, b.g)
            FROM borders b JOIN {layer} l ON {database.meet("l.g", "b.g")}
            UNION ALL
            SELECT l.n, {columns}'{coverage.NO_SUBDISTRICT}', ST_Difference(l.g, a.g)
            FROM {layer} l, every_sub a
        """)
    return Case(name, here, database)


def agree(
    ours: Mapping[Any, float],
    theirs: Mapping[Any, float],
    within: float | Mapping[Any, float] = ABS_KM,
    rel: float = REL,
) -> None:
    """Hold every row of either to the other; one that isn't there is nothing."""
    assert max({**ours, **theirs}.values(), default=0.0) > 0
    for key in {*ours, *theirs}:
        one, two = ours.get(key, 0.0), theirs.get(key, 0.0)
        slack = within if isinstance(within, float) else within.get(key, 0.0)
        assert one == pytest.approx(two, rel=rel, abs=slack), key


def by(table: pd.DataFrame, *keys: str, value: str) -> Figures:
    sums = table.groupby([*keys])[value].sum()
    return {key if isinstance(key, tuple) else (key,): float(v) for key, v in sums.items()}


def slivers(case: Case, sql: str) -> Figures:
    """The tolerance of areas, from the perimeters that the database has for them."""
    return {key: sliver_km2(around) + ABS_KM2 for key, around in case.database.figures(sql).items()}


# ------------------------------------------------------------------ areas


def test_zones_by_subdistrict(case: Case) -> None:
    db, found = case.database, case.found
    zones = found.zones[found.zones.kind == "zone"]
    theirs = db.figures(f"SELECT id, {db.km2('g')} FROM zones")
    around = slivers(case, f"SELECT id, {db.around_km('g')} FROM zones")
    agree(by(zones, "zone", value="area_km2"), theirs, around)

    areas = found.areas[found.areas.zone.isin(zones.zone)]
    keys = ("zone", "subdistrict")
    parts = db.figures(f"SELECT zone, sub, {db.km2('g')} FROM parts")
    around = slivers(case, f"SELECT zone, sub, {db.around_km('g')} FROM parts")
    assert len(areas) == sum(km2 > 1e-9 for km2 in parts.values())
    agree(by(areas, *keys, value="area_km2"), parts, around)
    shares = {key: km2 / theirs[key[:1]] for key, km2 in parts.items()}
    within = {key: 2 * around[key] / theirs[key[:1]] for key in parts}
    agree(by(areas, *keys, value="share_of_zone"), shares, within, rel=SHARE_REL)

    inner = areas[areas.subdistrict != coverage.NO_SUBDISTRICT]
    wholes = db.figures(f"SELECT id, {db.km2('g')} FROM subdistricts")
    parts = {key: km2 for key, km2 in parts.items() if key[1:] in wholes}
    shares = {key: km2 / wholes[key[1:]] for key, km2 in parts.items()}
    within = {key: 2 * around[key] / wholes[key[1:]] for key in parts}
    agree(by(inner, *keys, value="share_of_subdistrict"), shares, within, rel=SHARE_REL)
    inside = found.subdistricts[found.subdistricts.on == "inside"]
    around = slivers(case, f"SELECT id, {db.around_km('g')} FROM subdistricts")
    agree(by(inside, "subdistrict", value="area_km2"), wholes, around)


def test_reaches_of_corridors(case: Case) -> None:
    # EPSG:4548 is up to 15 km beside its meridian here: lengths are 2.7 ppm too long, and the
    # reach is narrower by as much. Round ends have 16 sides to the quarter, as here.
    db = case.database
    reaches = case.found.zones[case.found.zones.kind == "reach"]
    wide = f"ST_Buffer(ST_Transform(ST_LineMerge(ST_Union(c.g)), 4548), {REACH_M}, 16)"
    theirs = db.figures(f"""
        SELECT r.id, {db.km2("ST_Intersection(ST_Transform(r.g, 4326), d.g)")}
        FROM (SELECT corridor AS id, {wide} AS g FROM corridors c GROUP BY corridor) r, district d
    """)
    assert len(theirs) == 3
    agree(by(reaches, "zone", value="area_km2"), theirs, 0.0, rel=4e-6)


# ------------------------------------------------------------------ lengths


def test_all_streets(case: Case) -> None:
    db, zones = case.database, case.found.zones
    ((whole,),) = db.run(f"SELECT SUM({db.km('g')}) FROM streets")
    assert zones.total_km.tolist() == pytest.approx([float(whole)] * len(zones), rel=REL)
    beyond = db.figures(f"""
        SELECT z.id, SUM({db.km("ST_Difference(s.g, z.g)")}) FROM zones z, streets s GROUP BY z.id
    """)
    agree(by(zones[zones.kind == "zone"], "zone", value="outside_km"), beyond)


@pytest.mark.parametrize(("key", "column"), [("street", "name"), ("class", "class")])
def test_zones_by_street_and_by_class(case: Case, key: str, column: str) -> None:
    db, found = case.database, case.found
    table = found.streets if key == "street" else found.classes
    table = table[table.zone.isin(case.data.zones["id"])]
    meet = db.meet("s.g", "z.g")
    whole = db.figures(f"""
        SELECT z.id, s.{column}, SUM({db.km("ST_Intersection(s.g, z.g)")})
        FROM zones z JOIN streets s ON {meet} GROUP BY z.id, s.{column}
    """)
    # The closed zone has what runs along its boundary; the boundary has that alone.
    along = db.figures(f"""
        SELECT z.id, s.{column}, SUM({db.km("ST_Intersection(s.g, z.g)")})
        FROM zone_edges z JOIN streets s ON {meet} GROUP BY z.id, s.{column}
    """)
    assert any(km > 0.1 for km in along.values())
    agree(by(table, "zone", key, value="boundary_km"), along)
    inside = {key: km - along.get(key, 0.0) for key, km in whole.items()}
    agree(by(table, "zone", key, value="inside_km"), inside)
    if key == "class":
        size = db.figures(f"SELECT id, {db.km2('g')} FROM zones")
        dense = {key: km / size[key[:1]] for key, km in inside.items()}
        agree(by(table, "zone", key, value="density_km_per_km2"), dense, rel=SHARE_REL)
        sums = {zone: sum(v for k, v in inside.items() if k[:1] == zone) for zone in size}
        shares = {key: km / sums[key[:1]] for key, km in inside.items()}
        agree(by(table, "zone", key, value="share_of_zone"), shares, rel=SHARE_REL)


def test_shares_of_streets_in_the_district(case: Case) -> None:
    db = case.database
    table = case.found.streets[case.found.streets.zone.isin(case.data.zones["id"])]
    within = db.figures(f"""
        SELECT s.name, SUM({db.km("ST_Intersection(s.g, d.g)")}) FROM streets s, district d
        GROUP BY s.name
    """)
    once = table.drop_duplicates("street")
    mine = by(once, "street", value="district_km")
    agree(mine, {key: within[key] for key in mine})
    # A zone may reach beyond the district: a share is of what lies within both.
    both, along = (
        db.figures(f"""
            SELECT z.id, s.name,
                SUM({db.km("ST_Intersection(ST_Intersection(s.g, d.g), z.g)")})
            FROM {zones} z JOIN streets s ON {db.meet("s.g", "z.g")}, district d
            GROUP BY z.id, s.name
        """)
        for zones in ("zones", "zone_edges")
    )
    shares = {key: (km - along.get(key, 0.0)) / within[key[1:]] for key, km in both.items()}
    agree(by(table, "zone", "street", value="share_inside"), shares, rel=SHARE_REL)


def test_streets_by_subdistrict(case: Case) -> None:
    db = case.database
    theirs = db.figures(f"SELECT sub, SUM({db.km('g')}) FROM streets_pieces GROUP BY sub")
    assert sum(coverage.BORDER in sub and km > 0.1 for (sub,), km in theirs.items()) > 3
    table = case.found.subdistricts
    agree(by(table, "subdistrict", value="length_km"), theirs)
    whole = sum(theirs.values())
    shares = {key: km / whole for key, km in theirs.items()}
    agree(by(table, "subdistrict", value="share_of_total"), shares)


def test_zones_by_subdistrict_street_and_class(case: Case) -> None:
    db = case.database
    keys = ("zone", "subdistrict", "street", "class")
    table = case.found.table(*keys)
    table = table[table.zone.isin(case.data.zones["id"])]
    # What runs along the boundary is taken away before the cut, which could move it aside.
    for column, piece in (
        ("inside_km", "ST_Intersection(ST_Difference(s.g, e.g), z.g)"),
        ("boundary_km", "ST_Intersection(s.g, e.g)"),
    ):
        theirs = db.figures(f"""
            SELECT z.id, s.sub, s.name, s.class, SUM({db.km(piece)})
            FROM zones z JOIN zone_edges e ON z.id = e.id
            JOIN streets_pieces s ON {db.meet("s.g", "z.g")}
            GROUP BY z.id, s.sub, s.name, s.class
        """)
        assert sum(km > ABS_KM for km in theirs.values()) > 10
        agree(by(table, *keys, value=column), theirs)


def test_corridors_by_subdistrict(case: Case) -> None:
    db = case.database
    theirs = db.figures(f"""
        SELECT corridor, sub, SUM({db.km("g")}) FROM corridors_pieces GROUP BY corridor, sub
    """)
    assert len(theirs) > 9
    table = case.found.corridors
    agree(by(table, "corridor", "subdistrict", value="length_km"), theirs)
    whole = db.figures(f"SELECT corridor, SUM({db.km('g')}) FROM corridors GROUP BY corridor")
    shares = {key: km / whole[key[:1]] for key, km in theirs.items()}
    agree(by(table, "corridor", "subdistrict", value="share_of_corridor"), shares)


def test_where_streets_cross_zones(case: Case) -> None:
    db = case.database
    # Where a street runs along the boundary, it comes in and goes out elsewhere.
    table = case.found.streets[case.found.streets.boundary_km < ABS_KM]
    table = table[table.zone.isin(case.data.zones["id"]) & (table.street != coverage.UNNAMED)]
    # A street that begins or ends on the boundary doesn't cross it there.
    crossed = "ST_Difference(ST_Intersection(s.g, z.g), ST_Boundary(s.g))"
    rows = db.run(f"""
        SELECT z.id, s.name, {db.wkb.format(crossed)}
        FROM zone_edges z JOIN (SELECT name, ST_Union(g) AS g FROM streets GROUP BY name) s
        ON {db.meet("s.g", "z.g")}
    """)
    theirs = {
        (zone, name): shapely.get_coordinates(shapely.from_wkb(g)) for zone, name, g in rows if g
    }
    two = 0
    for one in table.itertuples():
        spots = theirs.get((one.zone, one.street), np.zeros((0, 2)))
        assert one.crossings == len(spots), (one.zone, one.street)
        ends = np.array([[one.entry_lon, one.entry_lat], [one.exit_lon, one.exit_lat]])
        if len(spots) == 2 and np.isfinite(ends).all():
            two += 1
            axis = np.argmax(np.ptp(spots, axis=0))
            assert ends == pytest.approx(spots[np.argsort(spots[:, axis])], abs=1e-9)
    # The plan's streets are drawn from side to side: they begin and end on the boundaries.
    assert two > 20 or case.name == "plan"


@pytest.mark.parametrize("create", ["postgis"], indirect=True)
@pytest.mark.parametrize("case", ["city"], indirect=True)
@pytest.mark.parametrize("within_m", [5.0, BOUNDARY_M])
def test_what_runs_along_within_a_tolerance(case: Case, within_m: float) -> None:
    # Streets in pieces of some 1.5 m, each held to the edges that it lies beside and runs like.
    db, piece_m = case.database, 1.5
    theirs = db.figures(f"""
        WITH edges AS (
            SELECT id, (d).geom AS g, ST_Azimuth(ST_StartPoint((d).geom)::geography,
                   ST_EndPoint((d).geom)::geography) AS way
            FROM (SELECT id, ST_DumpSegments(ST_Segmentize(g, 0.001)) AS d FROM zone_edges) x
        ), close AS (
            SELECT DISTINCT s.n, s.name, z.id, s.g FROM streets s JOIN zone_edges z
            ON ST_DWithin(s.g::geography, z.g::geography, 20)
        ), pieces AS (
            SELECT id, name, (d).geom AS g, ST_Azimuth(ST_StartPoint((d).geom)::geography,
                   ST_EndPoint((d).geom)::geography) AS way
            FROM (SELECT id, name, ST_DumpSegments(ST_Segmentize(g, 0.000015)) AS d FROM close) x
        )
        SELECT p.id, p.name, SUM(ST_Length(p.g::geography)) / 1000 FROM pieces p
        WHERE EXISTS (
            SELECT 1 FROM edges e
            WHERE e.id = p.id AND e.g && ST_Expand(p.g, 0.0003)
            AND ST_DWithin(ST_Centroid(p.g)::geography, e.g::geography, {within_m})
            AND ABS(SIN(e.way - p.way)) <= SIN(RADIANS({ALONG_DEG}))
            AND ST_LineLocatePoint(e.g, ST_Centroid(p.g)) BETWEEN 1e-9 AND 1 - 1e-9
        )
        GROUP BY p.id, p.name
    """)
    table = case.data.measure(within_m).streets
    assert len(theirs) > 20
    # It begins and ends a piece too early or too late, for each carriageway.
    agree(by(table, "zone", "street", value="boundary_km"), theirs, 8 * piece_m / 1000, rel=0.0)


# ------------------------------------------------------------------ other layers


def test_points_by_zone_and_subdistrict(case: Case) -> None:
    # A point is at a boundary that is within so many metres by the geodesic.
    db = case.database
    away = db.away.format("p.g", "ST_Segmentize(ST_Boundary(a.g), 0.001)")

    def where(areas: str) -> list[tuple[int, int, str, bool]]:
        rows = db.run(f"""
            SELECT p.n, a.n, a.id, CASE WHEN {away} <= {BOUNDARY_M} THEN 1 ELSE 0 END
            FROM points p, {areas} a WHERE {away} <= {BOUNDARY_M} OR ST_Intersects(p.g, a.g)
            ORDER BY p.n, a.n
        """)
        return [(int(p), int(a), name, edge == "1") for p, a, name, edge in rows]

    zones, subs = where("zones"), where("subdistricts")
    label = {}
    for point in range(len(case.data.points)):
        mine = [(name, edge) for p, _, name, edge in subs if p == point]
        names = [name for name, _ in mine] or [coverage.NO_SUBDISTRICT]
        if any(edge for _, edge in mine):
            names = names if len(names) > 1 else [*names, coverage.NO_SUBDISTRICT]
            label[point] = coverage.BORDER.join(names)
        else:
            label[point] = names[0]
    theirs: dict[tuple[str, str], list[int]] = {}
    for point, _, zone, edge in zones:
        theirs.setdefault((zone, label[point]), [0, 0])[edge] += 1
    for point in label.keys() - {point for point, *_ in zones}:
        theirs.setdefault(("", label[point]), [0, 0])[0] += 1
    table = counted(case.name, "points", BOUNDARY_M)
    table = table[table.features > 0]
    ours = {(r.zone, r.subdistrict): [r.inside, r.boundary] for r in table.itertuples()}
    assert ours == theirs
    if case.name == "city":
        assert sum(edge for _, edge in ours.values()) > 20


def _features(rows: list[Row], least: float) -> tuple[Figures, dict[Row, int]]:
    """Sums and numbers of features; a feature that merely touches isn't there."""
    sums: Figures = {}
    features: dict[Row, set[str]] = {}
    for zone, sub, feature, value in rows:
        if float(value) > least:
            sums[zone, sub] = sums.get((zone, sub), 0.0) + float(value)
            features.setdefault((zone, sub), set()).add(feature)
    return sums, {key: len(each) for key, each in features.items()}


def test_lines_by_zone_and_subdistrict(case: Case) -> None:
    db = case.database
    rows = {
        column: db.run(f"""
            SELECT z.id, l.sub, l.n, {db.km(piece)}
            FROM zones z JOIN zone_edges e ON z.id = e.id
            JOIN lines_pieces l ON {db.meet("l.g", "z.g")}
        """)
        for column, piece in (
            ("inside_km", "ST_Intersection(ST_Difference(l.g, e.g), z.g)"),
            ("boundary_km", "ST_Intersection(l.g, e.g)"),
        )
    }
    rows["inside_km"] += db.run(f"""
        SELECT '', l.sub, l.n, {db.km("ST_Difference(l.g, z.g)")} FROM every_zone z, lines_pieces l
    """)
    table = counted(case.name, "lines")
    for column in rows:
        theirs, _ = _features(rows[column], ABS_KM)
        # No border runs along what was strewn about; the plan's railway bounds zones.
        assert bool(theirs) == (case.name == "plan" or column == "inside_km")
        agree(by(table, "zone", "subdistrict", value=column), theirs)
    _, count = _features([row for each in rows.values() for row in each], ABS_KM)
    table = table[table.inside_km + table.boundary_km > ABS_KM]
    assert {(r.zone, r.subdistrict): r.features for r in table.itertuples()} == count


def test_polygons_by_zone_and_subdistrict(case: Case) -> None:
    db = case.database

    def rows(measured: Callable[[str], str]) -> list[Row]:
        return db.run(f"""
            SELECT p.zone, p.sub, l.n, {measured("ST_Intersection(l.g, p.g)")}
            FROM polygons l JOIN parts p ON {db.meet("l.g", "p.g")}
            UNION ALL
            SELECT '', '', l.n, {measured("ST_Difference(l.g, z.g)")} FROM every_zone z, polygons l
        """)

    theirs, count = _features(rows(db.km2), ABS_KM2)
    around, _ = _features(rows(db.around_km), 0.0)
    table = counted(case.name, "polygons")
    within = {key: sliver_km2(km) + ABS_KM2 for key, km in around.items()}
    agree(by(table, "zone", "subdistrict", value="area_km2"), theirs, within)
    table = table[table.area_km2 > ABS_KM2]
    assert {(r.zone, r.subdistrict): r.features for r in table.itertuples()} == count


# ------------------------------------------------------------------ the packaged layers


@pytest.mark.parametrize("layer", ["district", "subdistricts", "zones", "parcel", "corridors"])
def test_the_ruler_on_every_packaged_shape(layer: str, create: Callable[[str], Database]) -> None:
    frame = _packaged(layer)
    frame = frame[frame.geometry.notna()]
    db = create(f"ruler_{layer}")
    db.load("shapes", _layer(frame.geometry, id=frame["id"].tolist()))
    shapes = dict(zip(frame["id"], frame.geometry, strict=True))
    if layer == "corridors":
        theirs = db.figures(f"SELECT id, 1000 * {db.km('g')} FROM shapes")
        agree({(k,): ruler.length(s) for k, s in shapes.items()}, theirs, 0.0)
        return
    around = db.figures(f"SELECT id, 1000 * {db.km('ST_Boundary(g)')} FROM shapes")
    agree({(k,): ruler.perimeter(s) for k, s in shapes.items()}, around, 0.0)
    theirs = db.figures(f"SELECT id, 1000000 * {db.km2('g')} FROM shapes")
    # The ruler's own edges are geodesics as well, of 2e-4 degrees.
    steps = (STEP_M, 2 * STEP_M)
    within = {key: 1e6 * sum(sliver_km2(m / 1000, s) for s in steps) for key, m in around.items()}
    agree({(k,): ruler.area(s) for k, s in shapes.items()}, theirs, within)
