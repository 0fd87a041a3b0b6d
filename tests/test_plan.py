"""The reader of definitions takes what is right and names everything that isn't."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
import tomli_w
from evidence import EVIDENCE
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nankai_gis.errors import AmbiguousNameError, FeatureNotFoundError, PlanError
from nankai_gis.plan import definitions, packaged, schema
from nankai_gis.plan.model import SIDES, STATUSES, worst
from nankai_gis.plan.names import Index, normalise

GOOD = """
[a-zone]
kind = "zone"
name = "甲區"
name_hans = "甲区"
name_en = "Zone A"
clause = "東至甲路"
chapter = 4
section = 1
status = "inferred"
claims = []
ring = ["甲路", "乙路"]
sides = { east = ["甲路"], south = ["乙路"], west = ["甲路"], north = ["乙路"] }
"""


def faults(folder: Path, **files: str) -> tuple[str, ...]:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        definitions.read(folder)
    return caught.value.faults


def test_the_packaged_plan_holds_what_the_plan_names() -> None:
    packaged = definitions.packaged()
    counts = {kind: len(packaged.of_kind(kind)) for kind in ("zone", "corridor", "subdistrict")}
    assert counts == {"zone": 3, "corridor": 3, "subdistrict": 12}
    assert [f.code for f in packaged.of_kind("subdistrict")] == [
        f"120104{n:03d}" for n in range(1, 13)
    ]
    claimed = {c for zone in packaged.of_kind("zone") for c in zone.claims}
    subdistricts = packaged.index(["subdistrict"])
    unclaimed = {f.id for f in packaged.of_kind("subdistrict")} - {
        subdistricts[c].id for c in claimed
    }
    assert unclaimed == {"huayuan"}
    assert packaged.index()["西營門"].stated_area_m2 == 2.2e6


@pytest.mark.skipif(
    not (EVIDENCE.parent / "plan").is_dir(), reason="the plan's text is not on this machine"
)
def test_clauses_are_quoted_word_for_word() -> None:
    text = re.sub(r"\s", "", (EVIDENCE.parent / "plan" / "outline-text.txt").read_text("utf-8"))
    quoted = [f for f in definitions.packaged().features if not f.clause_source]
    assert len(quoted) > 40
    assert [f.id for f in quoted if f.clause not in text] == []


def test_a_good_definition_is_read(tmp_path: Path) -> None:
    (tmp_path / "z.toml").write_text(GOOD, encoding="utf-8")
    (feature,) = definitions.read(tmp_path).features
    assert list(feature.sides) == list(SIDES)
    assert feature.sides["south"] == ("乙路",)
    assert (feature.place, feature.file) == ("第四章第一節", "z.toml")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ('status = "inferred"', 'status = "inferred"\ncolour = "red"'),
            "[a-zone] colour: unknown key",
        ),
        (('west = ["甲路"], ', ""), "[a-zone] sides.west: missing"),
        (('west = ["甲路"]', "west = []"), "[a-zone] sides.west: too few entries (at least 1)"),
        (
            ("chapter = 4", 'chapter = "4"'),
            '[a-zone] chapter: give a whole number (got "4")',
        ),
        (("claims = []", 'claims = ["丙街"]'), "[a-zone] claims: '丙街' is no subdistrict"),
        (('kind = "zone"', 'kind = "zoo"'), "[a-zone] kind: 'zoo' is none of district, zone"),
        (('kind = "zone"\n', ""), "[a-zone] kind: missing"),
        (
            ('status = "inferred"', 'status = "guessed"'),
            "[a-zone] status: give one of surveyed",
        ),
        (("[a-zone]", "[A_Zone]"), "[A_Zone]: an id is lower-case ASCII words"),
        (("section = 1\n", ""), "[a-zone]: give chapter and section, or clause_source"),
        (('ring = ["甲路", "乙路"]', 'ring = ["甲路", 7]'), "[a-zone] ring.1"),
        (('name = "甲區"', 'name = ""'), "[a-zone] name: empty"),
    ],
)
def test_each_fault_names_file_and_key(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    assert change[0] in GOOD
    (found,) = faults(tmp_path, z=GOOD.replace(*change))
    assert found.startswith("z.toml: ")
    assert fault in found


@pytest.mark.parametrize("key", ["qihang-bay", "laochengxiang", "innovation-resource"])
def test_a_name_and_a_clause_are_a_definition(key: str) -> None:
    packaged_one = next(f for f in definitions.packaged().features if f.id == key)
    names = tomli_w.dumps({key: {"name": packaged_one.names.hant, "clause": packaged_one.clause}})
    subdistricts = (packaged.data_folder() / "plan" / "subdistricts.toml").read_text("utf-8")
    plan = definitions.parse({"a.toml": names, "s.toml": subdistricts})
    made = next(f for f in plan.features if f.id == key)
    assert (made.kind, made.claims) == (packaged_one.kind, packaged_one.claims)
    assert {s: len(r) for s, r in made.sides.items()} == {
        s: len(r) for s, r in packaged_one.sides.items()
    }
    roads = [p.road for p in packaged_one.axis if p.road and p.role != "bridge"]
    assert [p.road for p in made.axis] == roads


def test_a_clause_without_bounds_is_a_fault(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, z='[a-zone]\nname = "甲"\nclause = "風景秀麗"\n')
    assert found.startswith("z.toml: [a-zone] clause: no side")


def test_what_the_file_says_overrides_what_the_clause_says() -> None:
    clause = "東至甲路,南至乙路,西至丙路,北至丁路,面積2公頃"
    text = f'[a]\nname = "甲"\nkind = "parcel"\nclause = "{clause}"\nstated_area_km2 = 3.0\n'
    (made,) = definitions.parse({"a.toml": text}).features
    assert (made.kind, made.stated_area_m2) == ("parcel", 3e6)


def test_all_faults_come_in_one_message(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        a=GOOD.replace("chapter = 4", "chapter = 4.5").replace('name = "甲區"\n', ""),
        b=GOOD,
        c="[broken",
    )
    assert len(found) == 4
    assert any("a.toml: [a-zone] chapter" in f for f in found)
    assert any("a.toml: [a-zone] name: missing" in f for f in found)
    assert "b.toml: [a-zone]: a.toml has this id already" in found
    assert any(f.startswith("c.toml: not valid TOML") for f in found)


def test_a_container_must_exist(tmp_path: Path) -> None:
    parcel = re.sub(r"claims.*\n|sides.*\n", "", GOOD).replace('"zone"', '"parcel"')
    (found,) = faults(tmp_path, p=parcel + 'within = "nowhere"\n')
    assert found == "p.toml: [a-zone] within: 'nowhere' is no feature of this plan"


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_bytes(GOOD.encode("gbk"))
    (found,) = faults(tmp_path)
    assert found.startswith("g.toml: not UTF-8 text")


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert "no *.toml file here" in faults(tmp_path)[0]


def test_every_kind_of_table_survives_junk(tmp_path: Path) -> None:
    assert "not a table" in faults(tmp_path, j="junk = 3")[0]


@pytest.mark.parametrize(
    "name", ["qihang-bay", "啟航灣", "启航湾", "Qihang Bay", " 啟航灣創新產業區 "]
)
def test_names_resolve_in_every_script(name: str) -> None:
    assert definitions.packaged().index()[name].id == "qihang-bay"


def test_a_miss_says_what_is_near() -> None:
    with pytest.raises(FeatureNotFoundError) as caught:
        definitions.packaged().index()["啟航湾區"]
    assert "啟航灣" in caught.value.candidates
    assert isinstance(caught.value, LookupError)


def test_two_things_of_one_name_are_an_error() -> None:
    index = Index([(["甲"], 1), (["甲"], 2)], what="street")
    with pytest.raises(AmbiguousNameError, match="more than one street: 1, 2"):
        index["甲"]


def test_a_name_of_one_thing_in_two_scripts_is_one_name() -> None:
    assert Index([(["衛津路", "卫津路"], 1)], what="street")["衞津路"] == 1


@pytest.mark.parametrize(
    ("a", "b"), [("衞津路", "卫津路"), ("裏", "里"), ("（甲）", "(甲)"), ("Ａ", "a")]
)
def test_folding(a: str, b: str) -> None:
    assert normalise(a) == normalise(b)


def test_the_least_certain_part_decides() -> None:
    assert worst(STATUSES) == "inferred"
    assert worst([]) == "surveyed"


def test_definitions_of_the_package_stand_in_the_catalogue() -> None:
    listed = {r.file for r in packaged.records()}
    assert {f"plan/{f.file}" for f in definitions.packaged().features} <= listed


# ------------------------------------------------------------------ the schema


SCHEMA = schema.json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVERY = {
    file.name: tomllib.loads(file.read_text(encoding="utf-8"))
    for file in sorted((packaged.data_folder() / "plan").glob("*.toml"))
}
EVERY["example.toml"] = tomllib.loads(definitions.example())
BASE_TABLES = [(key, table) for tables in EVERY.values() for key, table in tables.items()]


def reads(tables: dict[str, object]) -> bool:
    """Whether the reader takes the tables, apart from what they say of each other."""
    try:
        definitions.parse({"a.toml": tomli_w.dumps(tables)})
    except PlanError as error:
        between = ("is no subdistrict of this plan", "is no feature of this plan")
        # What a clause says is the reader's, not the schema's.
        between += ("no side (東至", "names no road", "named twice", "bounds 2 areas")
        return all(any(word in fault for word in between) for fault in error.faults)
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_shipped_fulfils_the_schema(name: str) -> None:
    VALIDATOR.validate(EVERY[name])


VALUES = st.sampled_from(
    ["", " ", "甲", 0, -1, 5, 100, 1.5, True, [], ["甲"], ["甲", "乙"], [1.5, 2.5], {}, [{}],
     {"east": ["甲"]}, {"line": "甲"}, [{"road": "甲", "role": "main"}],
     [{"role": "bridge", "through": ["a", "b"]}], [{"role": "bridge", "through": ["a"]}],
     [{"road": "甲", "role": "main", "through": ["a", "b"]}], "2026-11", "2026-11-31x", "inferred",
     "zone", "site", "district", "120104001"]
)  # fmt: skip
KEYS_KNOWN = sorted({key for _, table in BASE_TABLES for key in table})


@st.composite
def changed(draw: st.DrawFn) -> dict[str, object]:
    """A table that is shipped, with some entries left out, added or replaced."""
    key, table = draw(st.sampled_from(BASE_TABLES))
    table = copy.deepcopy(table)
    for _ in range(draw(st.integers(0, 3))):
        inside = table
        nested = [v for v in table.values() if isinstance(v, dict) and v]
        if nested and draw(st.booleans()):
            inside = draw(st.sampled_from(nested))
        if draw(st.booleans()) and inside:
            inside.pop(draw(st.sampled_from(sorted(inside))))
        else:
            name = draw(st.sampled_from([*KEYS_KNOWN, "colour"]))
            inside[name] = copy.deepcopy(draw(VALUES))
    names = st.sampled_from([key, key, key, "plan", "Upper", "a_b", "a--b", "-a", "1a", "a-1"])
    return {draw(names): table}


SITE = {"kind": "site", "name": "甲", "clause": "甲", "status": "osm", "theme": "river"}
AXIS = {"kind": "corridor", "name": "甲", "clause": "甲", "status": "osm", "clause_source": "甲"}
AREA = {"kind": "parcel", "name": "甲", "clause": "甲", "status": "osm", "clause_source": "甲"}
FOUR = {side: ["甲"] for side in SIDES}


# One for each rule that goes beyond the type of a single key.
@example(tables={"a": SITE})
@example(tables={"a": SITE | {"chapter": 1}})
@example(tables={"a": SITE | {"chapter": 1, "section": 1}})
@example(tables={"a": SITE | {"clause_source": ""}})
@example(tables={"a": SITE | {"clause_source": "甲", "point": "a", "line": "甲"}})
@example(tables={"a": AREA})
@example(tables={"a": AREA | {"ring": ["甲", "乙"]}})
@example(tables={"a": AREA | {"sides": FOUR}})
@example(tables={"a": AREA | {"sides": {"east": ["甲"]}}})
@example(tables={"a": AREA | {"sides": {"east": ["甲"]}, "ring": ["甲", {"line": "乙"}]}})
@example(tables={"a": AREA | {"kind": "zone", "ring": ["甲", "乙"]}})
@example(tables={"a": AXIS | {"axis": [{"role": "main"}]}})
@example(tables={"a": AXIS | {"axis": [{"role": "main", "road": "甲", "through": []}]}})
@example(tables={"a": AXIS | {"axis": [{"role": "main", "road": "甲", "through": ["a", "b"]}]}})
@example(tables={"a": AXIS | {"axis": [{"role": "main", "through": ["a"]}]}})
@example(tables={"a": AXIS | {"axis": [{"role": "main", "through": ["a", "b"]}]}})
@settings(max_examples=600, deadline=None)
@given(tables=changed())
def test_the_schema_and_the_reader_agree(tables: dict[str, object]) -> None:
    assert VALIDATOR.is_valid(tables) == reads(tables)


def test_the_schema_says_what_a_key_is_for() -> None:
    for name, model in SCHEMA["$defs"].items():
        if name not in ("FourSides", "SomeSides", "People"):
            told = [key for key, value in model["properties"].items() if "description" in value]
            assert len(told) >= 2, name


@pytest.mark.parametrize(
    ("chapter", "section", "place"),
    [(4, 1, "第四章第一節"), (10, 11, "第十章第十一節"), (20, 99, "第二十章第九十九節")],
)
def test_a_place_is_written_in_numerals(chapter: int, section: int, place: str) -> None:
    text = GOOD.replace("chapter = 4", f"chapter = {chapter}")
    (feature,) = definitions.parse(
        {"a": text.replace("section = 1", f"section = {section}")}
    ).features
    assert feature.place == place


def test_names_that_are_left_out_are_made() -> None:
    text = GOOD.replace('name_hans = "甲区"\n', "").replace('name_en = "Zone A"\n', "")
    (feature,) = definitions.parse({"a": text}).features
    assert (feature.names.hans, feature.names.en) == ("甲区", "甲區")


READINGS = """
[[a-zone.readings]]
id = "first"
name = "甲讀法"
ring = ["甲路", "乙路"]

[[a-zone.readings]]
id = "second"
name = "乙讀法"
name_en = "Second"
ring = ["丙路", "乙路"]
reasons_for = "面積相符"
reasons_against_en = "none"
"""
BOUNDED = 'ring = ["甲路", "乙路"]'


def test_the_chosen_reading_is_a_line_of_the_definition(tmp_path: Path) -> None:
    for chosen, line in (("first", "甲路"), ("second", "丙路")):
        text = GOOD.replace(BOUNDED, f'reading = "{chosen}"') + READINGS
        (feature,) = definitions.parse({"z.toml": text}).features
        assert feature.ring[0].line == line
        assert [reading.chosen for reading in feature.readings] == [
            chosen == "first",
            chosen == "second",
        ]
    second = feature.readings[1]
    assert (second.names.hans, second.names.en) == ("乙读法", "Second")
    assert (second.reasons_for.hans, second.reasons_against.en) == ("面积相符", "none")


@pytest.mark.parametrize(
    ("bounded", "readings"),
    [
        ('reading = "third"', READINGS),
        (BOUNDED + '\nreading = "first"', READINGS),
        (BOUNDED, READINGS),
        ('reading = "first"', READINGS.replace("second", "first")),
        ('reading = "first"', ""),
    ],
)
def test_readings_without_one_that_is_chosen(tmp_path: Path, bounded: str, readings: str) -> None:
    (found,) = faults(tmp_path, z=GOOD.replace(BOUNDED, bounded) + readings)
    assert "with readings, give each an id of its own" in found
