"""四至 written by hand on the real streets of Tanggu, with junctions read off the raw data.

`JUNCTIONS` holds the mean of the nodes that the raw ways of two names share (links left out);
where they share none, the mean of where the raw ways cross; and where they don't cross, the
middle between them. Nothing of the toolkit had a part in them: a test reads them off again.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise, permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod
from tanggu import PBF, elements, write_overpass

from nankai_gis.compiler.clauses import clause_feature
from nankai_gis.compiler.derive import Derived, derive
from nankai_gis.compiler.ring import ring_area
from nankai_gis.errors import ClauseError, GeometryError, RoadNotFoundError
from nankai_gis.geometry.cut_lines import LEAST_M
from nankai_gis.measure import coverage
from nankai_gis.network import roads
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.plan.clauses import read_one
from nankai_gis.plan.model import SIDES

GEOD = Geod(ellps="GRS80")
# A corner lies within this distance of the middle of the junction, metres: half a dual x dual.
NEAR_M = 40.0

JUNCTIONS = {
    ("第一大街", "北海路"): (117.70665, 39.01754),
    ("第一大街", "南海路"): (117.69102, 39.02344),
    ("第一大街", "新城东路"): (117.70101, 39.01967),
    ("第一大街", "新城西路"): (117.69660, 39.02135),
    ("第一大街", "洞庭路"): (117.67348, 39.02883),
    ("第一大街", "黄海路"): (117.68064, 39.02735),
    ("第二大街", "北海路"): (117.70884, 39.02118),
    ("第二大街", "南海路"): (117.69325, 39.02708),
    ("第二大街", "太湖路"): (117.71671, 39.01823),
    ("第二大街", "新城东路"): (117.70329, 39.02330),
    ("第二大街", "新城西路"): (117.69885, 39.02498),
    ("第三大街", "北海路"): (117.71107, 39.02482),
    ("第三大街", "南海路"): (117.69532, 39.03072),
    ("第三大街", "新城东路"): (117.70554, 39.02688),
    ("第三大街", "新城西路"): (117.70108, 39.02859),
    ("第三大街", "洞庭路"): (117.67638, 39.03703),
    ("第三大街", "黄海路"): (117.68406, 39.03498),
    ("第四大街", "南海路"): (117.69787, 39.03805),
    ("第四大街", "黄海路"): (117.68719, 39.04211),
    ("第五大街", "北海路"): (117.71472, 39.03684),
    ("第五大街", "南海路"): (117.69938, 39.04240),
    ("泰达大街", "北海路"): (117.71261, 39.02872),  # an elevated road: no shared node
    ("泰达大街", "南海路"): (117.69671, 39.03474),  # likewise
    ("盛达街", "太湖路"): (117.72030, 39.02399),
    ("盛达街", "新城东路"): (117.70691, 39.02910),
    ("广州道", "东江路"): (117.66504, 39.03701),
    ("广州道", "河北路"): (117.66002, 39.03717),
    ("广州道", "车站北路"): (117.63942, 39.04182),
    ("杭州道", "东江路"): (117.66491, 39.03247),  # no shared node
    ("杭州道", "中心北路"): (117.65086, 39.03445),
    ("杭州道", "河北路"): (117.65833, 39.03276),
    ("杭州道", "车站北路"): (117.63780, 39.03738),
    ("京山道", "中心北路"): (117.64747, 39.02530),  # passes under it: no shared node
    ("京山道", "车站北路"): (117.63524, 39.02987),  # ends 14 m short of it
    ("新港二号路", "春光路"): (117.68665, 39.00406),
    ("新港二号路", "港医路"): (117.71028, 39.00141),
    ("新港二号路", "港滨路"): (117.70101, 39.00244),
    ("新港三号路", "春光路"): (117.68757, 39.00844),
    ("新港三号路", "港医路"): (117.71103, 39.00583),
    ("新港三号路", "港滨路"): (117.70183, 39.00681),
    ("津滨大道", "滨海八路"): (117.75358, 39.01023),
    ("津滨大道", "滨海九路"): (117.75069, 39.01126),
    ("新港大道", "滨海八路"): (117.75210, 39.00767),
    ("新港大道", "滨海九路"): (117.74915, 39.00871),
    ("上海道", "山东路"): (117.65003, 39.01735),
    ("上海道", "福建路"): (117.63966, 39.01974),
    ("营口道", "山东路"): (117.65106, 39.02029),
    ("营口道", "福建路"): (117.64072, 39.02265),
}

# The 四至; the streets of the ring, counter-clockwise; whether its sides run straight enough that
# the polygon through the junctions is the answer to 2 %.
CASES = {
    "block": (
        "东至新城东路,南至第一大街,西至新城西路,北至第三大街",
        ["第三大街", "新城西路", "第一大街", "新城东路"], True,
    ),
    "single by dual": (
        "东至南海路,南至第三大街,西至黄海路,北至第四大街",
        ["第四大街", "黄海路", "第三大街", "南海路"], True,
    ),
    "dual by dual, crossings without a node, sides that bend": (
        "东至北海路;南至第二大街;西至南海路;北至泰达大街",
        ["泰达大街", "南海路", "第二大街", "北海路"], False,
    ),
    "a break of 679 m": (
        "東至北海路,南至第一大街,西至黃海路,北至第三大街",
        ["第三大街", "黄海路", "第一大街", "北海路"], True,
    ),
    "a name that stands elsewhere too, by 以…為界": (
        "东以河北路为界,南以杭州道为界,西以车站北路为界,北以广州道为界",
        ["广州道", "车站北路", "杭州道", "河北路"], True,
    ),
    "a corner that stops short, one that passes under": (
        "东至中心北路,南至京山道,西至车站北路,北至杭州道",
        ["杭州道", "车站北路", "京山道", "中心北路"], False,
    ),
    "four sides without punctuation, traditional": (
        "東至港濱路南至新港二號路西至春光路北至新港三號路",
        ["新港三号路", "春光路", "新港二号路", "港滨路"], True,
    ),
    "a wavy side": (
        "东至东江路,南至杭州道,西至河北路,北至广州道",
        ["广州道", "河北路", "杭州道", "东江路"], False,
    ),
    "a small block": (
        "滨海八路以西,滨海九路以东,津滨大道以南,新港大道以北",
        ["津滨大道", "滨海九路", "新港大道", "滨海八路"], True,
    ),
    "two crossings without a node": (
        "东起北海路,南起泰达大街,西起南海路,北起第五大街",
        ["第五大街", "南海路", "泰达大街", "北海路"], True,
    ),
    "an L": (
        "东至南海路、北海路,南至第一大街,西至黄海路,北至第四大街、第二大街",
        ["第四大街", "黄海路", "第一大街", "北海路", "第二大街", "南海路"], False,
    ),
    "dual in the south": (
        "东临港医路,南临新港二号路,西临港滨路,北临新港三号路",
        ["新港三号路", "港滨路", "新港二号路", "港医路"], True,
    ),
    "old streets": (
        "东邻山东路、南邻上海道、西邻福建路、北邻营口道",
        ["营口道", "福建路", "上海道", "山东路"], True,
    ),
    "a stair, named against its order": (
        "东至新城西路、新城东路,南至第一大街,西至南海路,北至第二大街、第三大街",
        ["第三大街", "南海路", "第一大街", "新城东路", "第二大街", "新城西路"], True,
    ),
    "a stair of eight": (
        "东至北海路、南海路、新城西路,南至第一大街,西至黄海路,北至第三大街、第二大街、第四大街",
        ["第四大街", "黄海路", "第一大街", "北海路", "第二大街", "新城西路", "第三大街", "南海路"],
        False,
    ),
    "sides with a bend each": (
        "东至新城西路,南至第一大街,西至洞庭路,北至第三大街",
        ["第三大街", "洞庭路", "第一大街", "新城西路"], False,
    ),
    "a break in the north": (
        "东至太湖路,南至第二大街,西至新城东路,北至盛达街",
        ["盛达街", "新城东路", "第二大街", "太湖路"], True,
    ),
}  # fmt: skip


def junction(one: str, two: str) -> tuple[float, float]:
    return JUNCTIONS.get((one, two)) or JUNCTIONS[two, one]


def corners(names: Iterable[str]) -> list[tuple[float, float]]:
    names = [*names]
    return [junction(a, b) for a, b in pairwise([*names, names[0]])]


def away(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(GEOD.inv(*a, *b)[2])


def compiled(
    text: str, network: OsmNetwork, inside: tuple[tuple[float, float], ...] = ()
) -> Derived:
    return derive(replace(clause_feature(read_one(text, network), network), inside=inside), network)


@pytest.fixture(scope="module")
def one() -> OsmNetwork:
    return OsmNetwork(roads.read(PBF))


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> OsmNetwork:
    return OsmNetwork(roads.read(write_overpass(tmp_path_factory.mktemp("tanggu") / "a.json")))


@pytest.fixture(params=["answer", "one"], ids=["json", "pbf"])
def network(request: pytest.FixtureRequest) -> OsmNetwork:
    network = request.getfixturevalue(request.param)
    assert isinstance(network, OsmNetwork)
    return network


def test_the_junctions_are_those_of_the_raw_data() -> None:
    raw = elements()
    spots = {e["id"]: (e["lon"], e["lat"]) for e in raw if e["type"] == "node"}
    ways = defaultdict(list)
    for element in raw:
        tags = element.get("tags", {})
        if element["type"] == "way" and not tags.get("highway", "").endswith("_link"):
            ways[tags.get("name")].append(element["nodes"])
    for (a, b), written in JUNCTIONS.items():
        shared = {n for w in ways[a] for n in w} & {n for w in ways[b] for n in w}
        found = [spots[n] for n in shared]
        if not found:
            one, two = (
                shapely.MultiLineString([[spots[n] for n in w] for w in ways[name]])
                for name in (a, b)
            )
            meet = one.intersection(two)
            tie = shapely.shortest_line(one, two) if meet.is_empty else meet
            found = shapely.get_coordinates(tie).tolist()
        middle = tuple(sum(p[axis] for p in found) / len(found) for axis in (0, 1))
        assert away(middle, written) < 1.2, (a, b)


@pytest.mark.parametrize("case", CASES)
def test_a_clause_becomes_the_ring_of_its_streets(case: str, network: OsmNetwork) -> None:
    text, names, straight = CASES[case]
    made = compiled(text, network)
    assert made.error is None
    ring = made.ring
    assert ring is not None
    found = [run.name for run in ring.runs]
    start = found.index(names[0])
    assert found[start:] + found[:start] == names
    assert {run.role for run in ring.runs} == {"named"}
    assert not ring.missing
    spots = [corner.position for corner in ring.corners]
    for k, expected in enumerate(corners(names)):
        assert away(spots[(start + k) % len(spots)], expected) < NEAR_M
    polygon = shapely.Polygon(ring.coordinates)
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    if straight:
        plain = shapely.Polygon(corners(names))
        assert polygon.symmetric_difference(plain).area < 0.02 * plain.area
        assert ring_area(ring) == pytest.approx(
            abs(GEOD.geometry_area_perimeter(plain)[0]), rel=0.02
        )


def test_the_two_nodes_of_a_staggered_crossing_are_two_corners(one: OsmNetwork) -> None:
    # 第四大街 comes to 北海路 in the south-west and leaves it 130 m on, in the north-east.
    made = compiled("东至北海路,南至第三大街,西至南海路,北至第四大街", one)
    assert made.ring is not None
    nearest = min(away(c.position, (117.71328, 39.03219)) for c in made.ring.corners)
    assert nearest < NEAR_M
    assert ring_area(made.ring) == pytest.approx(1.348e6, rel=0.005)


def test_how_a_corner_was_found_is_said(one: OsmNetwork) -> None:
    def kinds(case: str) -> dict[frozenset[str], str]:
        ring = compiled(CASES[case][0], one).ring
        assert ring is not None
        names = [run.name for run in ring.runs]
        return {
            frozenset((names[k], names[(k + 1) % len(names)])): corner.kind
            for k, corner in enumerate(ring.corners)
        }

    assert set(kinds("block").values()) == {"shared"}
    elevated = kinds("two crossings without a node")
    assert elevated[frozenset(("泰达大街", "北海路"))] == "crossing"
    assert elevated[frozenset(("第五大街", "北海路"))] == "shared"
    short = kinds("a corner that stops short, one that passes under")
    assert short[frozenset(("京山道", "车站北路"))] == "near"
    assert short[frozenset(("京山道", "中心北路"))] == "crossing"


def test_a_break_is_bridged_and_said(one: OsmNetwork) -> None:
    ring = compiled(CASES["a break of 679 m"][0], one).ring
    assert ring is not None
    bridged = {run.name: round(run.bridged_m) for run in ring.runs if run.bridged_m}
    assert bridged == {"第一大街": pytest.approx(679, abs=2)}


def test_the_side_of_a_dual_crossing_stays_on_the_centrelines(one: OsmNetwork) -> None:
    ring = compiled(CASES["single by dual"][0], one).ring
    assert ring is not None
    for run in ring.runs:
        street = next(s for s in one.streets.all(run.name))
        _, offsets = street.project([v.position for v in run.vertices])
        assert offsets.max() < 0.1


def test_a_road_on_the_wrong_side_is_named(one: OsmNetwork) -> None:
    error = compiled("东至滨海九路,南至新港大道,西至跃进路,北至京门大道", one).error
    assert isinstance(error, GeometryError)
    assert "滨海九路 is named on the east side" in str(error)
    assert "跃进路 is named on the west side" in str(error)


def test_sides_swapped_are_an_error(one: OsmNetwork) -> None:
    error = compiled("西至新城东路,南至第一大街,东至新城西路,北至第三大街", one).error
    assert isinstance(error, GeometryError)
    assert "新城东路 is named on the west side" in str(error)


def test_streets_that_are_not_named_lead_no_ring_round_swapped_sides(one: OsmNetwork) -> None:
    error = compiled("东至北海路,南至泰达大街,西至黄海路,北至第三大街", one).error
    assert isinstance(error, GeometryError)
    assert "第三大街 is named on the north side, but lies on another side" in str(error)
    assert "泰达大街 is named on the south side, but lies on another side" in str(error)


@pytest.mark.parametrize("case", ["block", "a wavy side", "dual in the south"])
def test_a_clause_closes_in_none_but_its_own_order_of_sides(case: str, one: OsmNetwork) -> None:
    feature = clause_feature(read_one(CASES[case][0], one), one)
    for order in permutations(SIDES):
        sides = {side: feature.sides[named] for side, named in zip(SIDES, order, strict=True)}
        made = derive(replace(feature, sides=sides), one)
        assert (made.error is None) == (order == SIDES), order


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("an L", ("north", "south", "west", "east")),
        ("a stair, named against its order", ("north", "east", "south", "west")),
    ],
)
def test_no_stair_closes_with_its_sides_mixed_up(
    case: str, order: tuple[str, ...], one: OsmNetwork
) -> None:
    feature = clause_feature(read_one(CASES[case][0], one), one)
    sides = {side: feature.sides[named] for side, named in zip(SIDES, order, strict=True)}
    assert isinstance(derive(replace(feature, sides=sides), one).error, GeometryError)


def test_a_side_that_is_missing_is_named(one: OsmNetwork) -> None:
    error = compiled("东至北海路,南至第一大街,西至黄海路", one).error
    assert isinstance(error, ClauseError)
    assert "names no north side; add 北至…" in str(error)


def test_a_street_one_character_off_is_near(one: OsmNetwork) -> None:
    assert "南海路" in one.near("南每路")[:3]
    assert "南海路" in one.near("南海大路")[:3]


def test_sides_that_do_not_meet_are_named(one: OsmNetwork) -> None:
    error = compiled("东至太湖路,南至第一大街,西至北海路,北至第二大街", one).error
    assert isinstance(error, GeometryError)
    assert "太湖路 meets only 第二大街" in str(error)
    assert "第一大街 meets only 北海路" in str(error)


def test_a_misspelt_road_is_missing_with_near_names(one: OsmNetwork) -> None:
    text = "东至北海路,南至第一大街,西至黄海路、黄海道,北至第三大街"
    made = compiled(text, one)
    assert made.ring is not None
    assert list(made.ring.missing) == ["黄海道"]
    assert "黄海路" in made.ring.missing["黄海道"]
    assert len(made.ring.runs) == 4
    lost = compiled("东至甲乙丙路", one).error
    assert isinstance(lost, RoadNotFoundError)


def test_an_ambiguity_shows_its_choices_and_places_inside_decide(one: OsmNetwork) -> None:
    # From 第二大街 to 第三大街 leads a street that the clause doesn't name: 巢湖路 or 新城西路,
    # and the block north of 第二大街 may lie west of it or east of it.
    text = "东至新城东路,南至第一大街,西至南海路,北至第二大街、第三大街"
    error = compiled(text, one).error
    assert isinstance(error, GeometryError)
    assert "rings fit the sides equally well" in str(error)
    assert "新城西路" in str(error)
    # West of 巢湖路, between the two, east of 新城西路: two of them leave one ring.
    west, middle, east = (117.6965, 39.0290), (117.6995, 39.0280), (117.7020, 39.0260)
    for places, other, bridge in (
        ((west, middle), east, "新城西路"),
        ((middle, east), west, "巢湖路"),
    ):
        ring = compiled(text, one, places).ring
        assert ring is not None
        shape = shapely.Polygon(ring.coordinates)
        assert all(shape.contains(shapely.Point(place)) for place in places)
        assert not shape.contains(shapely.Point(other))
        assert [run.name for run in ring.runs if run.role == "bridge"] == [bridge]
    error = compiled(text, one, ((117.66, 39.03),)).error
    assert isinstance(error, GeometryError)
    assert "doesn't contain the reference point" in str(error)


# ------------------------------------------------------------------ coverage of compiled zones


def cut(layer: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A plain overlay; kilometres or square kilometres as anyone would measure them."""
    with warnings.catch_warnings():
        # It says how many touching points it drops.
        warnings.simplefilter("ignore", UserWarning)
        pieces = gpd.overlay(layer, areas, how="intersection")
    # On edges of some 20 m the geodesic is as good as the straight line.
    fine = shapely.segmentize(shapely.orient_polygons(pieces.geometry.values), 2e-4)
    pieces["km"] = [GEOD.geometry_length(shape) / 1e3 for shape in fine]
    pieces["km2"] = [abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e6 for shape in fine]
    return pieces


def equal(ours: pd.Series, theirs: pd.Series, slack: pd.Series | None = None) -> None:
    columns = {"ours": ours, "theirs": theirs, "slack": theirs * 0.0 if slack is None else slack}
    both = pd.concat([c.rename(name) for name, c in columns.items()], axis=1).fillna(0.0)
    off = (both.ours - both.theirs).abs() - both.slack
    # 0.1 mm: rows of a point's length come and go.
    wrong = both[off > 1e-6 * both.theirs + 1e-7]
    assert wrong.empty, wrong.to_string()


def test_coverage_of_compiled_zones_is_that_of_a_plain_overlay(one: OsmNetwork) -> None:
    rings = {name: compiled(text, one).ring for name, (text, *_) in CASES.items()}
    shapes = [shapely.Polygon(ring.coordinates) for ring in rings.values() if ring is not None]
    assert len(shapes) == len(CASES) >= 6
    zones = gpd.GeoDataFrame({"zone": [*CASES]}, geometry=shapes, crs="EPSG:4326")
    frame = roads.read(PBF).frame
    streets = frame[frame.highway.notna()][["way", "name", "highway", "geometry"]]
    streets = streets.reset_index(drop=True)
    # A corner that is no node of the data lies on an edge of a street as the compiler's plane has
    # it. In degrees that edge is another line, up to 0.1 mm aside over 250 m, and GEOS doesn't take
    # the rest of it for border: give it the corner, and every border that runs along there too.
    # Zones that share a corner have worked it out in different planes, so the last digits go.
    corners = shapely.MultiPoint(shapely.get_coordinates(shapes).round(11))
    for layer in (streets, zones):
        layer["geometry"] = shapely.snap(layer.geometry.values, corners, 1e-9)
    x0, y0, x1, y1 = zones.total_bounds
    xs, ys = np.linspace(x0 - 1e-3, x1 + 1e-3, 9), np.linspace(y0 - 1e-3, y1 + 1e-3, 5)
    boxes = [shapely.box(w, s, e, n) for w, e in pairwise(xs) for s, n in pairwise(ys)]
    subs = gpd.GeoDataFrame(
        {"subdistrict": [f"s{k}" for k in range(len(boxes))]}, geometry=boxes, crs="EPSG:4326"
    )
    found = coverage.measure(
        zones.rename(columns={"zone": "id"}), streets, subs.rename(columns={"subdistrict": "id"}),
        boundary_m=0,
    )  # fmt: skip

    areas = cut(zones, subs).groupby(["zone", "subdistrict"])["km2"].sum()
    assert (areas.groupby("zone").size() > 1).sum() >= 6
    ours = found.areas.set_index(["zone", "subdistrict"])
    equal(ours.area_km2, areas)
    equal(ours.share_of_zone, areas / areas.groupby("zone").transform("sum"))

    # The compiled borders lie on the nodes of single carriageways: a closed polygon holds what
    # runs along them, and the border has that alone.
    named = streets.rename(columns={"name": "street", "highway": "class"})
    named["street"] = named["street"].where(named["street"].notna(), coverage.UNNAMED)
    inside = cut(named, zones)
    border = cut(named, zones.set_geometry(zones.boundary))
    assert (border.groupby("zone")["km"].sum() > 0.1).sum() >= 6
    # Whatever crosses at a slant is within `LEAST_M` of the border for a moment, and along it.
    least = 1.2 * LEAST_M / 1e5
    strip = cut(named, zones.set_geometry(shapely.buffer(zones.boundary.values, least)))

    def along(*keys: str) -> tuple[pd.Series, pd.Series]:
        runs = border.groupby([*keys])["km"].sum()
        return runs, strip.groupby([*keys])["km"].sum().sub(runs, fill_value=0.0)

    for table, keys in (
        (found.zones, ["zone"]),
        (found.streets, ["zone", "street"]),
        (found.classes, ["zone", "class"]),
    ):
        ours = table.set_index(keys)
        assert (ours.inside_km > 0).any()
        runs, slack = along(*keys)
        assert slack.max() < 1e-5
        equal(ours.boundary_km, runs, slack)
        equal(ours.inside_km + ours.boundary_km, inside.groupby(keys)["km"].sum(), slack)
    keys = ["zone", "subdistrict", "street", "class"]
    ours = found.table(*keys).set_index(keys)
    parts = cut(inside.drop(columns=["km", "km2"]), subs)
    theirs = parts.groupby(keys)["km"].sum()
    # A millimetre for the borders of subdistricts, which cross streets in the same way.
    rows = ours.index.union(theirs.index)
    _, slack = along("zone", "street", "class")
    slack = slack.reindex(rows.droplevel("subdistrict")).fillna(0.0).set_axis(rows) + 1e-6
    equal(ours.inside_km + ours.boundary_km, theirs, slack)
