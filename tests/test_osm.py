"""Reading OSM's formats: what is in the file comes out, and what is broken is refused."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
import sys
import zlib
from pathlib import Path

import make_network as make
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nankai_gis.errors import DataError
from nankai_gis.network import roads, ways

FORMATS = ["a.osm", "a.osm.gz", "a.osm.bz2", "a.osm.pbf", "a.json", "geom.json"]


def _write(net, folder: Path, name: str) -> Path:
    return make.write(net, folder / name, geom=name.startswith("geom"))


def _rows(frame):
    return [
        (*row[:-1], shapely.get_coordinates(row[-1]).tolist())
        for row in frame.itertuples(index=False, name=None)
    ]


@pytest.fixture(scope="module")
def city():
    return make.city(300)


def _small(**tags: str):
    """Make a network of one way from 117.1 to 117.2 with these tags."""
    net = make.Network()
    a, b = net.node(117.1, 39.1), net.node(117.2, 39.1)
    net.way([a, b], **(tags or {"highway": "primary"}))
    return net


# --- the same in every format -------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_what_was_generated(city, tmp_path, name):
    found = roads.read(_write(city, tmp_path, name))
    wanted = [way for way in city.ways if "boundary" not in way.tags]
    places = {node.id: [node.lon, node.lat] for node in city.nodes}
    assert found.frame.way.tolist() == [way.id for way in wanted]
    assert found.frame.name.tolist() == [way.tags.get("name") for way in wanted]
    assert found.frame.highway.tolist() == [way.tags.get("highway") for way in wanted]
    assert [shapely.get_coordinates(line).tolist() for line in found.frame.geometry] == [
        [places[ref] for ref in way.refs] for way in wanted
    ]
    origin = found.origin
    assert (origin.ways, origin.date) == (300, make.DATE)
    assert origin.named == sum("name" in way.tags for way in wanted)
    assert origin.nodes == sum(len(way.refs) for way in wanted)
    assert sum(origin.dropped.values()) == len(city.ways) - 300
    assert "© OpenStreetMap contributors, ODbL" in origin.source


_words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6
)
_tags = st.dictionaries(
    st.sampled_from(["name", "name:en", "alt_name", "ref", "highway", "layer", "bridge", "other"]),
    _words,
    max_size=5,
)


@settings(max_examples=30, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(-(10**9), 10**9), st.integers(-(9 * 10**8), 9 * 10**8)),
        min_size=2,
        max_size=8,
        unique=True,
    ),
    ways=st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=6), _tags), max_size=6),
    gaps=st.integers(1, 10**12),
)
def test_any_network_reads_the_same_as_pbf_xml_and_json(tmp_path_factory, places, ways, gaps):
    folder = tmp_path_factory.mktemp("any")
    net = make.Network()
    for lon, lat in places:
        net.node(lon / 1e7, lat / 1e7)
        net.nodes[-1].id = len(net.nodes) * gaps
    net.way([gaps, 2 * gaps], highway="primary")
    drawn = {(gaps, 2 * gaps), (2 * gaps, gaps)}
    for indices, tags in ways:
        refs = tuple((index % len(places) + 1) * gaps for index in indices)
        # The same line under two ids counts once, which other tests hold.
        if refs in drawn:
            continue
        drawn |= {refs, refs[::-1]}
        net.way(list(refs))
        net.ways[-1].tags = tags
        net.ways[-1].id = gaps + len(net.ways)
    wanted = []
    where = {node.id: [node.lon, node.lat] for node in net.nodes}
    for way in sorted(net.ways, key=lambda way: way.id):
        line = [where[ref] for ref in way.refs]
        if "highway" in way.tags and len({tuple(place) for place in line}) > 1:
            wanted.append((way.id, way.tags.get("name"), way.tags.get("ref"), line))
    for name in ("a.osm", "a.osm.pbf", "a.json", "geom.json"):
        frame = roads.read(_write(net, folder, name)).frame
        got = [(row[0], row[1], row[7], row[-1]) for row in _rows(frame)]
        assert got == wanted, name


def test_nodes_and_ways_may_stand_in_any_order(city, tmp_path):
    mixed = make.Network(city.nodes[::-1], city.ways[::-1], [], city.date)
    for name in ("a.osm", "a.osm.pbf", "a.json"):
        there = _rows(roads.read(_write(city, tmp_path, name)).frame)
        assert _rows(roads.read(_write(mixed, tmp_path, "mixed-" + name)).frame) == there


def test_decoding_agrees_with_pyosmium(city, tmp_path):
    import osmium

    path = _write(city, tmp_path, "a.osm.pbf")
    factory = osmium.geom.WKBFactory()
    wanted = {
        way.id: (factory.create_linestring(way), dict(way.tags).get("name"))
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY | osmium.osm.NODE)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway", "railway", "waterway"))
    }
    frame = roads.read(path).frame
    wkb = shapely.to_wkb(frame.geometry.to_numpy(), hex=True)
    assert dict(zip(frame.way, zip(wkb, frame.name, strict=True), strict=True)) == wanted


@pytest.mark.parametrize(
    "options",
    [
        "pbf,pbf_dense_nodes=false",
        "pbf,pbf_compression=none",
        "pbf,locations_on_ways=true",
        "pbf,add_metadata=none",
    ],
)
def test_unusual_forms_of_pbf(city, tmp_path, options):
    import osmium

    usual = _write(city, tmp_path, "usual.osm.pbf")
    path = tmp_path / "unusual.osm.pbf"
    writer = osmium.SimpleWriter(osmium.io.File(str(path), options))
    if "locations_on_ways" in options:
        osmium.apply(
            osmium.io.Reader(str(usual)),
            osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem")),
            writer,
        )
    else:
        osmium.apply(osmium.io.Reader(str(usual)), writer)
    writer.close()
    found = roads.read(path)
    assert _rows(found.frame) == _rows(roads.read(usual).frame)
    assert found.origin.date is None  # the header has none here


def test_a_history_is_refused(tmp_path):
    import osmium

    path = tmp_path / "a.osh.pbf"
    writer = osmium.SimpleWriter(str(path))
    writer.add_way(osmium.osm.mutable.Way(id=1, version=1, nodes=[1, 2], tags={"highway": "path"}))
    writer.close()
    with pytest.raises(DataError, match="history"):
        roads.read(path)


# --- what the tags come to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "sense"),
    [
        ({}, 0),
        ({"oneway": "yes"}, 1),
        ({"oneway": "1"}, 1),
        ({"oneway": "-1"}, -1),
        ({"oneway": "reverse"}, -1),
        ({"oneway": "no", "junction": "roundabout"}, 0),
        ({"junction": "roundabout"}, 1),
        ({"junction": "circular"}, 1),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway", "oneway": "no"}, 0),
        ({"highway": "motorway", "oneway": "reversible"}, 0),
    ],
)
def test_oneway(tmp_path, tags, sense):
    path = _write(_small(**{"highway": "primary", **tags}), tmp_path, "a.osm")
    assert roads.read(path).frame.oneway.tolist() == [sense]


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({}, (False, False, 0)),
        ({"bridge": "yes", "layer": "1"}, (True, False, 1)),
        ({"bridge": "viaduct", "layer": "2;3"}, (True, False, 0)),
        ({"bridge": "no", "tunnel": "culvert", "layer": "-1"}, (False, True, -1)),
        ({"tunnel": "no", "layer": "up"}, (False, False, 0)),
        ({"layer": "1e300"}, (False, False, 99)),
        ({"layer": "nan"}, (False, False, 0)),
        ({"layer": "99"}, (False, False, 99)),
        ({"layer": "100"}, (False, False, 99)),
        ({"layer": "-99"}, (False, False, -99)),
        ({"layer": "-100"}, (False, False, -99)),
    ],
)
def test_bridge_tunnel_layer(tmp_path, tags, wanted):
    path = _write(_small(highway="primary", **tags), tmp_path, "a.osm.pbf")
    frame = roads.read(path).frame
    assert next(zip(frame.bridge, frame.tunnel, frame.layer, strict=True)) == wanted


def test_aliases_are_the_other_names_once_each(tmp_path):
    net = _small(highway="primary", name="卫津南路", alt_name="南延线; 卫津南路;旧路")
    net.ways[0].tags |= {"name:zh-Hant": "衛津南路", "old_name": "旧路", "name:en": "Weijin Rd S"}
    net.ways[0].tags |= {"name:ja": "not counted"}
    frame = roads.read(_write(net, tmp_path, "a.osm")).frame
    assert frame.aliases.tolist() == ["衛津南路;南延线;旧路;Weijin Rd S"]
    assert frame.dtypes.astype(str).to_dict() == {**roads.COLUMNS, "geometry": "geometry"}


def test_a_missing_name_is_none_and_no_alias_is_empty(tmp_path):
    frame = roads.read(_write(_small(highway="service"), tmp_path, "a.osm")).frame
    assert frame.name[0] is None
    assert frame.ref[0] is None
    assert frame.railway[0] is None
    assert frame.aliases[0] == ""


def test_what_is_kept_and_what_is_dropped_by_reason(tmp_path):
    net = _small(highway="footway")
    a, b, c = 1, 2, net.node(117.2, 39.2)
    for key, value in {
        "railway": ["rail", "abandoned", "light_rail", "platform", "station"],
        "waterway": ["river", "canal", "stream", "drain", "dam", "riverbank"],
        "building": ["yes"],
    }.items():
        for word in value:
            net.way([a, b], **{key: word})
    net.way([a, b, c, a], highway="pedestrian", area="yes")
    net.way([a, b, c], highway="pedestrian", area="yes")
    net.way([a, b, c, a], highway="residential")
    net.way([a], highway="residential")
    net.way([a, a], highway="residential")
    net.ways.append(make.Way(1, [a, b], {"highway": "footway"}))
    for name in ("a.osm", "a.osm.pbf", "a.json", "geom.json"):
        found = roads.read(_write(net, tmp_path, name))
        assert found.frame.railway.dropna().tolist() == ["rail", "abandoned", "light_rail"]
        assert found.frame.waterway.dropna().tolist() == ["river", "canal", "stream", "drain"]
        assert found.frame.highway.dropna().tolist() == ["footway", "pedestrian", "residential"]
        assert dict(found.origin.dropped) == {
            "no highway, railway or waterway of interest": 5,
            "closed and tagged area=yes": 1,
            "fewer than two different points": 2,
            "the same way again": 1,
        }, name


# --- a box --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_box_keeps_the_ways_that_touch_it_whole(city, tmp_path, name):
    path = _write(city, tmp_path, name)
    whole = roads.read(path).frame
    bbox = (117.165, 39.118, 117.172, 39.121)
    touching = whole[whole.intersects(shapely.box(*bbox))]
    assert 0 < len(touching) < len(whole)
    found = roads.read(path, bbox=bbox)
    assert _rows(found.frame) == _rows(touching)
    assert found.origin.dropped["outside the area asked for"] == len(whole) - len(touching)


def test_a_box_elsewhere_is_no_empty_frame(city, tmp_path):
    path = _write(city, tmp_path, "a.osm.pbf")
    with pytest.raises(DataError, match="no way in the area asked for; the file covers 117"):
        roads.read(path, bbox=(116.0, 39.8, 116.5, 40.0))


@pytest.mark.parametrize(
    ("bbox", "why"),
    [
        ((39.0, 117.0, 39.2, 117.3), "look swapped"),
        ((117.3, 39.0, 117.0, 39.2), "is empty"),
        ((500000, 4300000, 510000, 4310000), "not in degrees"),
        ((117.0, 39.0, 117.3), "is no box"),
        ((float("nan"), 39.0, 117.3, 40.0), "not in degrees"),
    ],
)
def test_a_box_that_is_none(city, tmp_path, bbox, why):
    with pytest.raises(DataError, match=why):
        roads.read(_write(city, tmp_path, "a.osm"), bbox=bbox)


# --- partial, damaged, swapped ------------------------------------------------------------------


def _without(net, *missing: int):
    nodes = [node for node in net.nodes if node.id not in missing]
    return make.Network(nodes, net.ways, [], net.date)


@pytest.mark.parametrize("name", FORMATS)
def test_missing_nodes_are_refused_and_listed_when_allowed(city, tmp_path, name):
    lost = city.ways[100].refs[1]
    path = _write(_without(city, lost), tmp_path, name)
    with pytest.raises(DataError, match=f"1 ways lack 1 of their nodes .ways {city.ways[100].id}"):
        roads.read(path)
    found = roads.read(path, allow_incomplete=True)
    assert found.origin.incomplete == (city.ways[100].id,)
    assert found.origin.dropped["nodes missing"] == 1
    assert found.origin.ways == 299
    whole = roads.read(_write(city, tmp_path, "whole-" + name)).frame
    assert _rows(found.frame) == _rows(whole[whole.way != city.ways[100].id])


def test_five_ids_are_listed_and_the_others_counted():
    assert "more" not in ways.few([1, 2, 3, 4, 5])
    assert "5 and 1 more" in ways.few([1, 2, 3, 4, 5, 6])
    assert "5 and 2 more" in ways.few([1, 2, 3, 4, 5, 6, 7])


@pytest.mark.parametrize(("ref", "filtered"), [(2**40 - 1, True), (2**40, False)])
def test_a_node_that_comes_late_is_found_whatever_its_id(tmp_path, monkeypatch, ref, filtered):
    import osmium

    filters = []
    true_filter = osmium.filter.IdFilter
    monkeypatch.setattr(
        osmium.filter, "IdFilter", lambda ids: filters.append(ids) or true_filter(ids)
    )
    path = tmp_path / "a.osm"
    path.write_text(
        f'''<osm version="0.6"><way id="1"><nd ref="1"/><nd ref="{ref}"/>
        <tag k="highway" v="path"/></way>
        <node id="1" lon="1" lat="1"/><node id="{ref}" lon="2" lat="1"/></osm>''',
        encoding="utf-8",
    )
    line = roads.read(path).frame.geometry[0]
    assert shapely.get_coordinates(line).tolist() == [[1, 1], [2, 1]]
    assert bool(filters) == filtered


def test_missing_nodes_beyond_the_box_do_no_harm(city, tmp_path):
    path = _write(_without(city, city.ways[-1].refs[1]), tmp_path, "a.osm.pbf")
    west, south, east, north = roads.read(path, allow_incomplete=True).frame.total_bounds
    far = shapely.get_coordinates(
        shapely.Point(next(n.lon for n in city.nodes if n.id == city.ways[-1].refs[0]), 0)
    )[0][0]
    middle = (west + east) / 2
    half = (west, south, middle, north) if far > middle else (middle, south, east, north)
    assert roads.read(path, bbox=half).origin.incomplete == ()


def test_all_nodes_missing(tmp_path):
    net = _small()
    net.nodes.clear()
    for name in ("a.osm", "a.osm.pbf", "a.json"):
        with pytest.raises(DataError, match="lack 2 of their nodes"):
            roads.read(_write(net, tmp_path, name))
        with pytest.raises(DataError, match="no way is left: nodes missing: 1"):
            roads.read(_write(net, tmp_path, name), allow_incomplete=True)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off(city, tmp_path, name, share):
    path = _write(city, tmp_path, name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"cut off|damaged|not a PBF|neither OSM|no way"):
        roads.read(path)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.osm.pbf", b"", "is empty"),
        ("a.osm", b"", "is empty"),
        ("a.osm.pbf", b"<html><body>404</body></html>", "not a PBF"),
        ("a.osm", b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        ("a.json", b"<html>busy</html>", "an HTML page"),
        ("a.osm", b"just words", "neither OSM XML nor Overpass JSON"),
        ("a.osm.gz", gzip.compress(b"just words", mtime=0), "neither OSM XML nor Overpass JSON"),
        ("a.osm", b'<osmChange version="0.6"></osmChange>', "list of changes"),
        ("a.osm", b'<osm version="0.6"></osm>', "no way in it"),
        ("a.osm.bz2", bz2.compress(b'<osm version="0.6"></osm>'), "no way in it"),
        ("a.json", b'{"elements": []}', "holds no way"),
        ("a.json", b'{"elements": [{"type": "node", "id": 1, "lat": 1, "lon": 2}]}', "no way"),
        ("a.json", b'{"error": "no"}', "no list of elements"),
        ("a.json", b'{"elements": [{"type": "way"}]}', "no road|none of its|malformed"),
        ("a.json", b'{"elements": [7]}', "malformed"),
        ("a.json", b'{"remark": "runtime error: timed out", "elements": []}', "timed out"),
        (
            "a.json",
            b'{"elements": [{"type": "way", "id": 1, "tags": {"highway": "primary"}}]}',
            "out geom",
        ),
        ("a.vrt", b"<OGRVRTDataSource></OGRVRTDataSource>", "points elsewhere"),
    ],
)
def test_what_is_no_map(tmp_path, name, data, why):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=why):
        roads.read(path)


def test_there_is_no_such_file(tmp_path):
    for ask in (roads.read, roads.load, roads.areas):
        with pytest.raises(DataError, match="no such file"):
            ask(tmp_path / "none.osm")
    with pytest.raises(DataError, match="no such file"):
        roads.read("https://example.org/a.osm.pbf")


def test_only_ways_of_no_interest(tmp_path):
    with pytest.raises(DataError, match="none of its 1 ways is a road"):
        roads.read(_write(_small(building="yes"), tmp_path, "a.osm.pbf"))


@pytest.mark.parametrize("name", ["a.osm", "a.osm.pbf", "a.json", "geom.json"])
def test_swapped_coordinates(city, tmp_path, name):
    nodes = [make.Node(node.id, node.lat, node.lon) for node in city.nodes]
    path = _write(make.Network(nodes, city.ways, [], city.date), tmp_path, name)
    with pytest.raises(DataError, match="look swapped"):
        roads.read(path)


def test_swapped_coordinates_that_are_valid_are_seen_against_a_box(tmp_path):
    net = make.Network()
    net.way([net.node(48.2, 16.3), net.node(48.3, 16.4)], highway="primary")
    with pytest.raises(DataError, match="look swapped"):
        roads.read(_write(net, tmp_path, "a.osm"), bbox=(16.2, 48.1, 16.5, 48.4))


def test_an_answer_with_a_remark_and_ways_is_refused(city, tmp_path):
    answer = make.overpass(city) | {"remark": "runtime error: Query timed out"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    with pytest.raises(DataError, match="not complete: runtime error"):
        roads.read(path)


def test_an_xml_answer_with_a_remark_is_refused(city, tmp_path):
    text = "".join(make.xml(city)).replace("make_network", "Overpass API 0.7")
    hurt = text.replace("</osm>", "<remark> runtime error: timed\nout </remark></osm>").encode()
    for name, pack in {
        "a.osm": bytes,
        "b.osm.gz": gzip.compress,
        "c.osm.bz2": bz2.compress,
    }.items():
        path = tmp_path / name
        path.write_bytes(pack(text.encode()))
        assert roads.read(path).origin.ways == 300
        path.write_bytes(pack(hurt))
        for ask in (roads.read, roads.areas):
            with pytest.raises(DataError, match="not complete: runtime error: timed out"):
                ask(path)
        path.write_bytes(pack(hurt)[:-3])
        with pytest.raises(DataError):
            roads.read(path)


@pytest.mark.parametrize("name", FORMATS[:4])
def test_the_content_says_the_format_not_the_name(city, tmp_path, name):
    path = _write(city, tmp_path, name)
    other = path.rename(tmp_path / "download.xml")
    assert roads.read(other).origin.ways == 300
    assert len(roads.areas(other)) == 2


def test_ids_may_be_negative(tmp_path):
    # as editors write them for what isn't uploaded yet
    net = make.Network([make.Node(-1, 117.1, 39.1), make.Node(-2, 117.2, 39.1)])
    net.ways.append(make.Way(-3, [-1, -2], {"highway": "primary"}))
    for name in ("a.osm", "a.osm.pbf", "a.json"):
        assert roads.read(_write(net, tmp_path, name)).frame.way.tolist() == [-3]


# --- bytes that lie -----------------------------------------------------------------------------


def _blob(kind: bytes, data: bytes) -> bytes:
    def varint(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    body = b"\x10" + varint(len(data)) + b"\x1a" + varint(len(zlib.compress(data)))
    body += zlib.compress(data)
    head = b"\x0a" + varint(len(kind)) + kind + b"\x18" + varint(len(body))
    return len(head).to_bytes(4, "big") + head + body


def _raw_blocks(path: Path) -> list[bytes]:
    """Unpack the blocks of a file: four bytes of length, a header, a compressed body."""
    data, blocks = path.read_bytes(), []
    while data:
        start = 4 + int.from_bytes(data[:4], "big")
        size = shift = 0
        for byte in data[data.index(b"\x18", 4) + 1 : start]:
            size, shift = size | (byte & 0x7F) << shift, shift + 7
        body, data = data[start : start + size], data[start + size :]
        blocks.append(zlib.decompress(body[body.index(b"\x78") :]))
    return blocks


def _put_together(folder: Path, blocks: list[bytes]) -> Path:
    path = folder / "again.osm.pbf"
    path.write_bytes(
        _blob(b"OSMHeader", blocks[0]) + b"".join(_blob(b"OSMData", b) for b in blocks[1:])
    )
    return path


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    return _raw_blocks(_write(make.city(40), tmp_path_factory.mktemp("raw"), "a.osm.pbf"))


def test_blocks_put_together_again_are_read(blocks, tmp_path):
    assert roads.read(_put_together(tmp_path, blocks)).origin.ways == 40


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_to_a_packed_file_is_an_error_of_our_own_or_harmless(city, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "hurt.osm.pbf"
    if not path.is_file():
        _write(city, path.parent, path.name + ".whole.pbf")
    hurt = bytearray((path.parent / (path.name + ".whole.pbf")).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        hurt[data.draw(st.integers(0, len(hurt) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(hurt)
    try:
        found = roads.read(path)
    except DataError:
        return
    assert len(found.frame) == found.origin.ways > 0


def _message(*fields: tuple[int, bytes | int]) -> bytes:
    """Write a small Protocol Buffers message; all numbers and lengths below 128."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += bytes([number << 3, value])
        else:
            out += bytes([number << 3 | 2, len(value)]) + value
    return out


def _by_hand(folder: Path, *ways: bytes) -> Path:
    """Write a file of two nodes, 1 and 3, and these ways."""
    table = _message((1, b""), (1, b"highway"), (1, b"path"))
    dense = _message((1, b"\x02\x04"), (8, b"\x00\x04"), (9, b"\x00\x04"))
    nodes = _message((1, table), (2, _message((2, dense))))
    group = _message(*((3, way) for way in ways))
    path = folder / "hand.osm.pbf"
    header = _message((4, b"OsmSchema-V0.6"), (4, b"DenseNodes"))
    path.write_bytes(
        _blob(b"OSMHeader", header)
        + _blob(b"OSMData", nodes)
        + _blob(b"OSMData", _message((1, table), (2, group)))
    )
    return path


def test_a_way_written_by_hand(tmp_path):
    way = _message((1, 7), (2, b"\x01"), (3, b"\x02"), (8, b"\x02\x04"))
    frame = roads.read(_by_hand(tmp_path, way)).frame
    assert (frame.way.tolist(), frame.highway.tolist()) == ([7], ["path"])
    assert shapely.get_coordinates(frame.geometry.to_numpy()).tolist() == [[0, 0], [2e-7, 2e-7]]


@pytest.mark.parametrize(
    "way",
    [
        _message((1, 7), (2, b"\x01"), (3, b"\x05"), (8, b"\x02\x04")),
        _message((1, 7), (2, b"\x01"))[:-1],
        b"\x08",
    ],
    ids=["a tag beyond the strings", "too long", "cut off"],
)
def test_a_way_that_contradicts_itself(tmp_path, way):
    with pytest.raises(DataError, match="damaged or cut off"):
        roads.read(_by_hand(tmp_path, way))


def test_a_field_does_not_reach_into_the_next_way(tmp_path):
    bad = _message((1, 7), (2, b"\x01\x01"))[:-1]
    good = _message((1, 8), (2, b"\x01"), (3, b"\x02"))
    with pytest.raises(DataError, match="damaged or cut off"):
        roads.read(_by_hand(tmp_path, bad, good))


def test_a_file_that_lacks_its_last_bytes(city, tmp_path):
    path = _write(city, tmp_path, "a.osm.pbf")
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    with pytest.raises(DataError, match="damaged or cut off"):
        roads.read(path)


def _with_texts(folder: Path, *texts: bytes) -> Path:
    """Write a file of a road whose tags come from these texts, beside the way and its nodes."""
    dense = _message((1, b"\x02\x04"), (8, b"\x00\x04"), (9, b"\x00\x04"))
    way = _message((1, 7), (2, b"\x01\x03"), (3, b"\x02\x04"), (8, b"\x02\x04"))
    block = _message(
        (1, _message(*((1, text) for text in texts))),
        (2, _message((2, dense))),
        (2, _message((3, way))),
    )
    path = folder / "texts.osm.pbf"
    header = _message((4, b"OsmSchema-V0.6"), (4, b"DenseNodes"))
    path.write_bytes(_blob(b"OSMHeader", header) + _blob(b"OSMData", block))
    return path


def test_texts_may_be_empty_or_hold_any_character_but_nul(tmp_path):
    for name in ("", "\n", "\n\x01", "路"):
        path = _with_texts(tmp_path, b"", b"highway", b"path", b"name", name.encode())
        assert roads.read(path).frame.name.tolist() == [name or None]
    # an empty text ahead of others, as if by rule, or none at all
    path = _with_texts(tmp_path, b"none", b"highway", b"path", b"name", b"")
    assert roads.read(path).frame.name.tolist() == [None]


@pytest.mark.parametrize("name", [b"\0", b"a\0b", b"\n\0", b"\0\0", b"\n\0\n\0"])
def test_a_nul_in_a_tag_is_refused(tmp_path, name):
    path = _with_texts(tmp_path, b"", b"highway", b"path", b"name", name)
    for ask in (roads.read, roads.areas):
        with pytest.raises(DataError, match="damaged or cut off: a tag holds a NUL"):
            ask(path)
    with pytest.raises(DataError, match="a tag holds a NUL"):
        roads.read(_with_texts(tmp_path, name, b"highway", b"path", b"name", b""))


READ_ALL = """
import sys
from pathlib import Path
from nankai_gis.errors import DataError
from nankai_gis.network import roads
refused = 0
for path in sorted(Path(sys.argv[1]).glob("*.osm.pbf")):
    try:
        (roads.areas if path.stem[0] == "0" else roads.read)(path)
    except DataError:
        refused += 1
print(refused)
"""


def test_damage_inside_a_block_never_ends_the_process(blocks, tmp_path):
    """Bytes of unpacked blocks, half of them set to 0; a child process reads every file."""
    for seed in range(120):
        random = np.random.default_rng(seed)
        hurt = [bytearray(block) for block in blocks]
        block = hurt[random.integers(1, len(hurt))]
        for _ in range(random.integers(1, 5)):
            block[random.integers(len(block))] = random.integers(256) * (seed % 2)
        _put_together(tmp_path, [bytes(block) for block in hurt]).rename(
            tmp_path / f"{seed % 3}-{seed}.osm.pbf"
        )
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ_ALL, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert 20 < int(child.stdout) < 120


def test_a_block_that_claims_another_size(blocks, tmp_path):
    path = _put_together(tmp_path, blocks)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x10", data.index(b"\x18"))  # the size of the first block, unpacked
    data[at + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged or cut off"):
        roads.read(path)


def test_ways_may_stand_before_their_nodes(city, tmp_path):
    """As Overpass writes XML for ``out body; >; out skel qt;``: the nodes in no order, at last."""
    lines = "".join(make.xml(make.Network(city.nodes, city.ways, [], city.date))).splitlines()
    nodes = [line for line in lines if line.startswith("  <node")]
    others = [line for line in lines if line not in set(nodes)]
    path = tmp_path / "a.osm"
    path.write_text("\n".join([*others[:-1], *nodes[::-1], others[-1]]), encoding="utf-8")
    assert _rows(roads.read(path).frame) == _rows(roads.read(_write(city, tmp_path, "b.osm")).frame)


# --- the generator ------------------------------------------------------------------------------


@pytest.mark.parametrize("ways", [40, 300, 1234])
def test_the_city_has_as_many_ways_as_asked(ways, tmp_path):
    net = make.city(ways, seed=3)
    assert roads.read(_write(net, tmp_path, "a.osm.pbf")).origin.ways == ways


def test_the_generator_gives_the_same_bytes_again(tmp_path, capsys):
    for name in FORMATS:
        path = str(tmp_path / name)
        assert make.main(["--ways", "60", path]) == 0
        assert make.main(["--ways", "60", "--check", path]) == 0
        assert make.main(["--ways", "60", "--seed", "1", "--check", path]) == 3
    assert "differs from what is generated" in capsys.readouterr().out


def test_dual_carriageways_are_one_way_and_apart():
    net = make.city(400)
    pairs = [way for way in net.ways if way.tags.get("highway") == "secondary"]
    assert pairs
    assert all(way.tags["oneway"] == "yes" for way in pairs)
    assert len({node.id for node in net.nodes}) == len(net.nodes)
    assert np.isfinite([[node.lon, node.lat] for node in net.nodes]).all()
