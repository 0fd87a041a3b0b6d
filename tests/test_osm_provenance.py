"""OSM files as editors and servers write them: what is there today counts, the rest is told."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pytest
import shapely

from nankai_gis.errors import DataError
from nankai_gis.network import areas, overpass_json, roads, whole

NODES = "".join(
    f'<node id="{n}" version="1" lon="{117 + n / 1000}" lat="39.1"/>' for n in range(1, 5)
)


def _way(number: int, refs: str, more: str = "", name: str = "复康路") -> str:
    places = "".join(f'<nd ref="{ref}"/>' for ref in refs.split())
    tags = f'<tag k="highway" v="primary"/><tag k="name" v="{name}"/>'
    return f'<way id="{number}" {more}>{places}{tags}</way>'


def _file(folder: Path, *parts: str, name: str = "a.osm", pack=bytes) -> Path:
    path = folder / name
    path.write_bytes(pack(f'<osm version="0.6">{"".join(parts)}</osm>'.encode()))
    return path


@pytest.mark.parametrize("mark", ['action="delete"', "visible='false'", 'action = "delete"'])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_what_is_marked_as_deleted_is_left_out_and_counted(tmp_path, mark, pack):
    path = _file(tmp_path, NODES, _way(7, "1 2"), _way(8, "3 4", mark), pack=pack)
    read = roads.read(path)
    assert read.frame.way.tolist() == [7]
    assert read.origin.dropped["marked as deleted"] == 1


def test_a_mark_in_a_text_deletes_nothing(tmp_path):
    note = _way(8, "3 4", name="visible=&quot;false&quot; action='delete'")
    read = roads.read(_file(tmp_path, NODES, _way(7, "1 2"), note, "<!-- visible='false' -->"))
    assert read.frame.way.tolist() == [7, 8]
    assert read.frame.name[1] == "visible=\"false\" action='delete'"


def test_of_a_history_the_newest_versions_count(tmp_path):
    moved = '<node id="2" version="2" lon="117.5" lat="39.2"/>'
    old, new = _way(7, "1 2", 'version="1"', "旧路"), _way(7, "1 2 3", 'version="2"', "新路")
    gone = _way(8, "3 4", 'version="1"') + '<way id="8" version="2" visible="false"/>'
    read = roads.read(_file(tmp_path, NODES, moved, old, new, gone))
    assert (read.frame.way.tolist(), read.frame.name.tolist()) == ([7], ["新路"])
    assert shapely.get_coordinates(read.frame.geometry[0])[1].tolist() == [117.5, 39.2]
    assert read.origin.dropped["an older version of a way"] == 2
    assert read.origin.dropped["marked as deleted"] == 1


def test_a_history_is_seen_across_the_pieces_of_a_long_file(tmp_path, monkeypatch):
    monkeypatch.setattr(whole, "_CHUNK", 50)
    old, new = _way(7, "1 2", 'version="1"', "旧路"), _way(7, "1 2", 'version="2"', "新路")
    deleted = _way(7, "1 2", 'version="2" action="delete"')
    for parts, names in (([old, new], ["复康路", "新路"]), ([old, deleted], ["复康路"])):
        frame = roads.read(_file(tmp_path, NODES, _way(6, "3 4"), *parts)).frame
        assert frame.name.tolist() == names


def test_places_in_ways_are_read(tmp_path):
    """As Overpass writes XML for ``out geom``, in ways and in the members of relations."""
    inline = '<nd ref="1" lat="39.1" lon="117.1"/><nd ref="2" lat="39.2" lon="117.2"/>'
    way = f'<way id="7"><bounds minlat="39.1"/>{inline}<tag k="highway" v="primary"/></way>'
    read = roads.read(_file(tmp_path, way))
    assert shapely.get_coordinates(read.frame.geometry[0]).tolist() == [
        [117.1, 39.1],
        [117.2, 39.2],
    ]
    sides = [(1, 2, 3), (3, 4, 1)]
    corners = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1)}
    members = "".join(
        f'<member type="way" ref="{n}" role="outer">'
        + "".join(f'<nd lat="{39 + corners[c][1]}" lon="{117 + corners[c][0]}"/>' for c in side)
        + "</member>"
        for n, side in enumerate(sides, start=1)
    )
    tags = '<tag k="type" v="boundary"/><tag k="name" v="甲街道"/>'
    frame = roads.areas(_file(tmp_path, f'<relation id="5">{members}{tags}</relation>'))
    assert frame.name.tolist() == ["甲街道"]
    assert frame.geometry[0].equals(shapely.box(117, 39, 118, 40))


@pytest.mark.parametrize("inside", ['<center lat="39.1" lon="117.1"/>', ""])
def test_ways_without_lines_are_told_as_such(tmp_path, inside):
    way = f'<way id="7">{inside}<tag k="highway" v="primary"/></way>'
    with pytest.raises(DataError, match="ways without lines; ask Overpass for `out geom;`"):
        roads.read(_file(tmp_path, way))


def test_a_place_that_is_no_number_is_damage(tmp_path):
    with pytest.raises(DataError, match=r"damaged or cut off: .*nan"):
        roads.read(_file(tmp_path, NODES.replace("39.1", "nan"), _way(7, "1 2")))


def test_the_same_line_under_two_ids_counts_once_in_every_format(tmp_path):
    ways = [_way(7, "1 2 3"), _way(8, "1 2 3"), _way(9, "3 2 1"), _way(10, "1 2 3", name="津路")]
    read = roads.read(_file(tmp_path, NODES, *ways))
    assert read.frame.way.tolist() == [7, 10]
    assert read.origin.dropped["the same line and tags again"] == 2


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (b"\xff\xe0\x04o5m2\xff", "o5m is not read here; convert it with osmium cat"),
        (b"\xff\xe0\x04o5c2\xff", "o5c is not read here"),
        (b"\x28\xb5\x2f\xfd\x00", "packed by other means than gzip or bzip2; unpack it"),
        (b'<osm version="0.6"><action type="modify"><old/></action></osm>', "a list of changes"),
        (b'<!DOCTYPE osm [<!ENTITY a "b">]><osm version="0.6"><way id="1" visible="false"/></osm>',
         "declares entities"),
    ],
)  # fmt: skip
def test_other_files_of_osm_are_refused_by_name(tmp_path, start, why):
    path = tmp_path / "a.osm"
    path.write_bytes(start)
    with pytest.raises(DataError, match=why):
        roads.read(path)


# --- JSON ---------------------------------------------------------------------------------------


def _json(folder: Path, *elements: dict[str, object]) -> Path:
    path = folder / "a.json"
    path.write_text(json.dumps({"elements": elements}), encoding="utf-8")
    return path


def _element(number: int, **more: object) -> dict[str, object]:
    course = [{"lat": 39.1, "lon": 117 + number / 100}, {"lat": 39.2, "lon": 117}]
    tags = {"highway": "primary"}
    return {"type": "way", "id": number, "tags": tags, "geometry": course, **more}


def test_versions_and_marks_count_in_json_too(tmp_path):
    newest = _element(7, version=3, tags={"highway": "primary", "name": "新路"})
    gone = _element(8, version=2, visible=False)
    read = roads.read(_json(tmp_path, _element(7, version=1), newest, _element(8, version=1), gone))
    assert read.frame.name.tolist() == ["新路"]
    assert read.origin.dropped["an older version of a way"] == 2
    assert read.origin.dropped["marked as deleted"] == 1


@pytest.mark.parametrize(
    ("element", "why"),
    [
        (_element(1, tags={"highway": ["primary"]}), "way 1: the value of tag highway is no text"),
        (_element(1, tags={"highway": "\ud800"}), "way 1: the value of tag highway is no text"),
        (_element(1, tags=["highway"]), "malformed"),
        (_element(1, id=[1]), "malformed"),
        (_element(1 << 70), "malformed"),
        (_element(1, geometry=[{"lat": float("nan"), "lon": 117}]), "NaN is no number"),
        (_element(1, geometry=[{"lat": {}, "lon": 117}]), "malformed"),
    ],
)
def test_malformed_elements(tmp_path, element, why):
    with pytest.raises(DataError, match=why):
        roads.read(_json(tmp_path, _element(2), element))


def test_deep_json_and_endless_numbers(tmp_path):
    path = tmp_path / "a.json"
    for text in ('{"elements": ' + "[" * 100_000, '{"elements": [' + "9" * 5000 + "]}"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"damaged or cut off|not complete JSON"):
            roads.read(path)


def test_a_limit_for_json(tmp_path, monkeypatch):
    path = _json(tmp_path, _element(1))
    monkeypatch.setattr(overpass_json, "LIMIT", path.stat().st_size)
    assert roads.read(path).origin.ways == 1
    monkeypatch.setattr(overpass_json, "LIMIT", path.stat().st_size - 1)
    with pytest.raises(DataError, match="MB of JSON; ask for a smaller area"):
        roads.read(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("suffix", ["osm", "json"])
def test_packed_files_may_grow_to_a_limit(tmp_path, monkeypatch, pack, suffix):
    body = (
        _file(tmp_path, NODES, _way(7, "1 2"))
        .read_bytes()
        .replace(b"<node", b" " * 3000 + b"<node")
    )
    if suffix == "json":
        body = _json(tmp_path, _element(1)).read_bytes() + b" " * 9000
    path = tmp_path / f"b.{suffix}"
    path.write_bytes(pack(body))
    monkeypatch.setattr(whole, "GROWTH", 1)
    monkeypatch.setattr(whole, "ALWAYS", len(body))
    assert roads.read(path).origin.ways == 1
    monkeypatch.setattr(whole, "ALWAYS", len(body) - 1)
    with pytest.raises(DataError, match="unpacks to more than 1 times its size"):
        roads.read(path)
    monkeypatch.setattr(whole, "GROWTH", len(body) // path.stat().st_size + 1)
    assert roads.read(path).origin.ways == 1


def test_json_of_vector_files_is_known_whatever_its_keys_order(tmp_path):
    row = {
        "geometry": {"coordinates": [[117.1, 39.1], [117.2, 39.1]], "type": "LineString"},
        "properties": {"highway": "primary"},
        "type": "Feature",
    }
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"features": [row], "name": "x" * 9000, "type": "FeatureCollection"})
    )
    assert roads.read(path).origin.format == "vector"


def test_a_level_that_no_boundary_has_is_told_with_those_there_are(tmp_path):
    tags = '<tag k="boundary" v="administrative"/><tag k="admin_level" v="10"/>'
    refs = "".join(f'<nd ref="{n}"/>' for n in (1, 2, 5, 1))
    corner = '<node id="5" lon="117" lat="39.2"/>'
    path = _file(tmp_path, NODES, corner, f'<way id="7">{refs}{tags}</way>')
    with pytest.raises(
        DataError, match=r"no boundary of admin_level 8; the levels in it: 10 \(1\)"
    ):
        areas.of_level(path, 8)
