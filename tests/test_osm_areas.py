"""Boundaries and multipolygons of OSM files, beside an assembly of our own with shapely."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import make_network as make
import pytest
import shapely

from nankai_gis.errors import DataError
from nankai_gis.network import roads


@pytest.fixture(scope="module")
def city():
    return make.city(300)


def _square(net, x: float, y: float, side: float, *, ccw: bool = True) -> list[int]:
    ring = [net.node(x, y), net.node(x + side, y), net.node(x + side, y + side)]
    ring.append(net.node(x, y + side))
    ring = ring if ccw else ring[::-1]
    return [*ring, ring[0]]


def _boundary(net, *members: tuple[int, str], **tags: str) -> int:
    base = {"type": "multipolygon", "boundary": "administrative", "admin_level": "8"}
    number = len(net.relations) + 1
    parts = [("way", way, role) for way, role in members]
    net.relations.append(make.Relation(number, parts, base | tags))
    return number


@pytest.fixture(params=["a.osm", "a.osm.pbf", "a.osm.gz"])
def areas(request, tmp_path):
    def _areas(net, **kwargs):
        return roads.areas(make.write(net, tmp_path / request.param), **kwargs)

    return _areas


def test_district_and_subdistrict(city, areas):
    frame = areas(city)
    assert frame.crs == "EPSG:4326"
    assert frame[["id", "kind", "name", "aliases", "admin_level", "boundary"]].values.tolist() == [
        [1, "relation", "南开区", "Nankai", "6", "administrative"],
        [2, "relation", "学府街道", "", "8", "administrative"],
    ]
    assert frame.attrs["broken"] == {}
    assert frame.geometry[0].contains(frame.geometry[1])
    assert areas(city, admin_level=8).id.tolist() == [2]
    assert areas(city, admin_level="6").id.tolist() == [1]
    none = areas(city, admin_level=4)
    assert (len(none), list(none.columns)) == (0, list(frame.columns))


def test_rings_split_touching_and_nested(areas):
    net = make.Network()
    # an outer ring in three ways, one of them against the others
    ring = _square(net, 0, 0, 10)
    split = [net.way(ring[:2]), net.way(ring[1:4][::-1]), net.way(ring[3:])]
    _boundary(net, *((way, "outer") for way in split), name="split")
    # two inner rings that share an edge
    outer = net.way(_square(net, 20, 0, 10))
    a, b, c, d = (net.node(x, y) for x, y in ((22, 2), (24, 2), (24, 4), (22, 4)))
    e, f = net.node(26, 2), net.node(26, 4)
    left, right = net.way([a, b, c, d, a]), net.way([b, e, f, c, b])
    _boundary(net, (outer, "outer"), (left, "inner"), (right, "inner"), name="touching")
    # an island in a lake
    ways = [net.way(_square(net, 40, 0, 10)), net.way(_square(net, 42, 2, 6))]
    ways.append(net.way(_square(net, 44, 4, 2)))
    _boundary(net, (ways[0], "outer"), (ways[1], "inner"), (ways[2], "outer"), name="nested")
    # two outer rings that touch in one node
    ring = _square(net, 60, 0, 4)
    other = [ring[2], net.node(68, 4), net.node(68, 8), net.node(64, 8), ring[2]]
    _boundary(net, (net.way(ring), "outer"), (net.way(other), "outer"), name="corner")
    frame = areas(net).set_index("name")
    assert frame.attrs["broken"] == {}
    assert {name: shape.area for name, shape in frame.geometry.items()} == pytest.approx(
        {"split": 100, "touching": 92, "nested": 100 - 36 + 4, "corner": 16 + 16}
    )
    assert frame.is_valid.all()
    assert len(frame.geometry["touching"].interiors) == 1
    assert len(frame.geometry["nested"].geoms) == 2


def test_broken_rings_are_told_with_the_reason(areas):
    net = make.Network()
    good = _boundary(net, (net.way(_square(net, 0, 0, 1)), "outer"), name="good")
    gone = _boundary(net, (net.way(_square(net, 2, 0, 1)[:3]), "outer"), (999, "outer"))
    a, b, c, d = (net.node(x, y) for x, y in ((4, 0), (5, 1), (5, 0), (4, 1)))
    crossed = _boundary(net, (net.way([a, b, c, d, a]), "outer"))
    open_ = _boundary(net, (net.way(_square(net, 6, 0, 1)[:4]), "outer"))
    holed = _boundary(net, (net.way([*_square(net, 8, 0, 1)[:4], 9999, a]), "outer"))
    empty = _boundary(net)
    frame = areas(net)
    assert frame.id.tolist() == [good]
    broken = frame.attrs["broken"]
    assert sorted(broken) == [gone, crossed, open_, holed, empty]
    assert broken[gone] == "member ways missing from the file: 999"
    assert "don't close or cross" in broken[crossed]
    assert "don't close or cross" in broken[open_]
    assert broken[holed] == "member ways with missing nodes: 5"
    assert broken[empty] == "it has no member ways"


def test_only_broken_ones_are_an_error(areas):
    net = make.Network()
    _boundary(net, (net.way(_square(net, 0, 0, 1)[:4]), "outer"))
    with pytest.raises(DataError, match="none of 1 relations gives an area: 1: its rings"):
        areas(net)


def test_an_area_that_comes_out_invalid_is_told_not_repaired(tmp_path, monkeypatch):
    from nankai_gis.network.areas import WayRing

    bow = shapely.MultiPolygon([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])])
    good = shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])
    rings = [
        WayRing(i, "relation", {}, shapely.to_wkb(s, hex=True)) for i, s in ((7, bow), (8, good))
    ]
    monkeypatch.setattr("nankai_gis.network.areas._assemble", lambda *_: (rings, {}))
    frame = roads.areas(tmp_path)
    assert frame.id.tolist() == [8]
    assert frame.attrs["broken"][7].startswith("not valid: Self-intersection")


def test_a_closed_way_is_an_area_only_with_a_boundary(areas):
    net = make.Network()
    net.way(_square(net, 0, 0, 1, ccw=False), boundary="administrative", name="一街道")
    net.way(_square(net, 2, 0, 1), building="yes")
    frame = areas(net)
    assert frame[["id", "kind", "name"]].values.tolist() == [[1, "way", "一街道"]]
    assert frame.geometry[0].area == pytest.approx(1)


def test_areas_of_a_damaged_or_other_file(city, tmp_path):
    path = make.write(city, tmp_path / "a.osm.pbf")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged or cut off"):
        roads.areas(path)
    with pytest.raises(DataError, match="areas are assembled from"):
        roads.areas(make.write(city, tmp_path / "a.json"))


def test_plain_multipolygons_and_closed_ways_tagged_area(areas):
    net = make.Network()
    way = net.way(_square(net, 0, 0, 1))
    net.relations.append(
        make.Relation(5, [("way", way, "outer")], {"type": "multipolygon", "name": "甲园"})
    )
    net.way(_square(net, 3, 0, 2), area="yes", name="广场")
    net.way(_square(net, 6, 0, 2), building="yes")
    frame = areas(net)
    assert frame[["kind", "name"]].values.tolist() == [["relation", "甲园"], ["way", "广场"]]
    assert [shape.area for shape in frame.geometry] == pytest.approx([1, 4])
    assert frame["boundary"].tolist() == [None, None]


def test_a_multipolygon_without_tags_takes_those_of_its_outer_ways(areas):
    net = make.Network()
    ring = _square(net, 0, 0, 9)
    outer = [net.way(ring[:3], name="甲", landuse="retail"), net.way(ring[2:], name="甲", note="x")]
    inner = net.way(_square(net, 1, 1, 1), name="池")
    members = [("way", way, "outer") for way in outer] + [("way", inner, "inner")]
    net.relations.append(make.Relation(5, members, {"type": "multipolygon"}))
    frame = areas(net)
    assert (frame.name.tolist(), frame.geometry[0].area) == (["甲"], pytest.approx(80))


def test_ids_may_be_negative_and_nodes_late(city, tmp_path):
    """As JOSM numbers what isn't uploaded, and as Overpass writes nodes after their ways."""
    wanted = roads.areas(make.write(city, tmp_path / "a.osm"))
    nodes = [make.Node(-node.id, node.lon, node.lat, node.tags) for node in city.nodes]
    lines = [make.Way(-way.id, [-ref for ref in way.refs], way.tags) for way in city.ways]
    relations = [
        make.Relation(-r.id, [(kind, -ref, role) for kind, ref, role in r.members], r.tags)
        for r in city.relations
    ]
    turned = make.Network(nodes, lines, relations, city.date)
    for name in ("b.osm", "b.osm.pbf"):
        frame = roads.areas(make.write(turned, tmp_path / name))
        assert sorted(frame.id) == sorted(-wanted.id)
        assert set(frame.geometry.to_wkb()) == set(wanted.geometry.to_wkb())
    text = "".join(make.xml(city)).splitlines()
    at_last = sorted(text[2:-1], key=lambda line: line.startswith("  <node"))
    (tmp_path / "c.osm").write_text("\n".join([*text[:2], *at_last, text[-1]]), encoding="utf-8")
    assert roads.areas(tmp_path / "c.osm").geometry.geom_equals(wanted.geometry).all()


def test_places_on_the_ways_of_a_pbf_file_are_enough(tmp_path):
    import osmium

    source, path = make.write(make.city(40), tmp_path / "a.osm"), tmp_path / "b.osm.pbf"
    file = osmium.io.File(str(path), "pbf,locations_on_ways=true")
    with osmium.SimpleWriter(file) as writer:
        for thing in osmium.FileProcessor(str(source)).with_locations():
            if not thing.is_node():
                writer.add(thing)
    wanted = roads.areas(source)
    assert roads.areas(path).geometry.geom_equals(wanted.geometry).all()
    assert roads.read(path).frame.geometry.geom_equals(roads.read(source).frame.geometry).all()


def test_a_relation_that_is_marked_as_deleted_is_told(tmp_path):
    net = make.Network()
    _boundary(net, (net.way(_square(net, 0, 0, 1)), "outer"), name="甲")
    _boundary(net, (net.way(_square(net, 2, 0, 1)), "outer"), name="乙")
    text = "".join(make.xml(net)).replace('<relation id="2"', '<relation id="2" action="delete"')
    (tmp_path / "a.osm").write_text(text, encoding="utf-8")
    frame = roads.areas(tmp_path / "a.osm")
    assert frame.name.tolist() == ["甲"]
    assert frame.attrs["broken"] == {2: "it is marked as deleted"}


# --- beside an assembly of our own --------------------------------------------------------------


def _ring(rng, x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """A ring of 5 to 12 corners about a point, none nearer to it than 0.6 of the radius."""
    turn = 2 * math.pi / rng.randint(5, 12)
    reach = [radius * rng.uniform(0.7, 1) for _ in range(round(2 * math.pi / turn))]
    return [
        (round(x + r * math.cos(n * turn), 6), round(y + r * math.sin(n * turn), 6))
        for n, r in enumerate(reach)
    ]


def _pieces(rng, ring: list[int]) -> list[list[int]]:
    """A ring of nodes cut into one to four ways, some of them against the others."""
    cuts = sorted(rng.sample(range(1, len(ring)), rng.randint(0, 3)))
    closed = [*ring, ring[0]]
    bounds = [0, *cuts, len(ring)]
    parts = [closed[a : b + 1] for a, b in pairwise(bounds)]
    return [part[::-1] if rng.random() < 0.5 else part for part in parts]


def _assembled(lines: list[list[tuple[float, float]]]) -> shapely.Geometry:
    """Faces between the lines that an odd number of rings surrounds."""
    faces = shapely.get_parts(shapely.polygonize([shapely.LineString(line) for line in lines]))
    rings = [shapely.Polygon(face.exterior) for face in faces]
    inside = [sum(ring.contains(face.representative_point()) for ring in rings) for face in faces]
    odd = [face for face, depth in zip(faces, inside, strict=True) if depth % 2]
    return shapely.union_all(odd)


@pytest.mark.parametrize("seed", range(12))
def test_random_multipolygons_agree_with_shapely(tmp_path, seed):
    """Rings one in the other up to three deep, islands beside, ways in any order and direction."""
    rng = random.Random(seed)
    net = make.Network()
    wanted = {}
    for row in range(6):
        lines, members = [], []
        for island in range(rng.randint(1, 3)):
            for depth in range(rng.randint(1, 3)):
                ring = _ring(rng, 4 * island, 4 * row, 1.6 / 3**depth)
                numbers = [net.node(x, y) for x, y in ring]
                places = dict(zip(numbers, ring, strict=True))
                for part in _pieces(rng, numbers):
                    lines.append([places[number] for number in part])
                    # Roles are often wrong or missing; the geometry decides.
                    members.append((net.way(part), rng.choice(["outer", "inner", ""])))
        rng.shuffle(members)
        number = _boundary(net, *members, name=str(row))
        wanted[number] = _assembled(lines)
    frame = roads.areas(make.write(net, tmp_path / "a.osm"))
    assert frame.attrs["broken"] == {}
    for number, shape in zip(frame.id, frame.geometry, strict=True):
        assert shape.is_valid
        assert shape.symmetric_difference(wanted[number]).area < 1e-9


def _variants(net) -> dict[str, int]:
    """Multipolygons that can't be assembled."""
    a, b, c, d = (net.node(x, y) for x, y in ((0, 0), (4, 0), (4, 4), (0, 4)))
    twice = [net.way([a, b, c, d, a]), net.way([a, b, c, d, a])]
    other = net.way(_square(net, 2, 2, 4))
    half = net.way([a, b, c])
    return {
        "the same ring twice": _boundary(net, *((way, "outer") for way in twice)),
        "rings that overlap": _boundary(net, (twice[0], "outer"), (other, "outer")),
        "a ring that isn't closed": _boundary(net, (half, "outer")),
        "a way twice": _boundary(net, (half, "outer"), (half, "outer")),
        "a single node": _boundary(net, (net.way([a, a]), "outer")),
    }


def test_what_cannot_be_assembled_is_told_each_by_its_id(areas):
    net = make.Network()
    good = _boundary(net, (net.way(_square(net, 20, 0, 1)), "outer"))
    bad = _variants(net)
    frame = areas(net)
    assert good in frame.id.tolist()
    assert set(bad.values()) == set(frame.attrs["broken"]) | (set(frame.id) - {good})
    assert set(frame.attrs["broken"]).isdisjoint(frame.id)
