"""Prose in, sides and axes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import pytest
from evidence import EVIDENCE
from hypothesis import given, settings
from hypothesis import strategies as st
from wordings import BOX as ONE_AREA
from wordings import WORDINGS as WORDINGS_OF_ONE_AREA

from nankai_gis.errors import ClauseError
from nankai_gis.network import digitised
from nankai_gis.plan import definitions
from nankai_gis.plan.clauses import Bound, english, read, read_one
from nankai_gis.plan.clauses.reading import SPAN_KINDS
from nankai_gis.plan.clauses.wordings import (
    brackets,
    edges,
    exclusions,
    inclusions,
    names,
    offsets,
    remarks,
    sections,
    stated_areas,
    tails,
)
from nankai_gis.plan.clauses.wordings.wording import Example
from nankai_gis.plan.names import normalise, simplified


def named(text: str, known: Collection[str] = ()) -> dict[str, list[str]]:
    return {side: [r.name for r in rs] for side, rs in read_one(text, known).sides.items()}


def roads(text: str, known: Collection[str] = ()) -> tuple[Bound, ...]:
    return read_one(f"東至{text},南至乙道", known).sides["east"]


BOX = {"east": ["甲路"], "south": ["乙道"], "west": ["丙河"], "north": ["丁大街"]}


@pytest.mark.parametrize(
    "text",
    [
        "東至甲路,南至乙道,西至丙河,北至丁大街",
        "东至甲路，南至乙道，西至丙河，北至丁大街。",
        "東起甲路;南以乙道為界;西至丙河(戊河);北抵丁大街",
        "东起甲路、南到乙道、西临丙河、北接丁大街",
        "東側為甲路,南側為乙道,西側為丙河,北側為丁大街",
        "东：甲路；南：乙道；西：丙河；北：丁大街",
        "北至丁大街 西至丙河 南至乙道 東至甲路",
        "某區東至甲路,南至乙道,西至丙河,北至丁大街,涵蓋子街和丑街等街域",
        "四至范围:东至甲路,南至乙道,西至丙河,北至丁大街,总面积2.2平方公里",
        "東至甲路南至乙道西至丙河北至丁大街",
        "東邊以甲路為界,南邊以乙道為界,西邊以丙河為界,北邊以丁大街為界",
    ],
)
def test_ways_to_say_the_same(text: str) -> None:
    assert named(text) == BOX


def test_what_lies_beyond_a_road() -> None:
    assert named("甲路以西,乙道以北,丙河以東,丁大街以南") == BOX


def test_lists_keep_their_order_and_two_sides_may_share_one() -> None:
    assert named("東至甲路、乙路和丙路,西、南至丁路,北至戊道") == {
        "east": ["甲路", "乙路", "丙路"],
        "south": ["丁路"],
        "west": ["丁路"],
        "north": ["戊道"],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("張自忠路南門外大街", ["張自忠路", "南門外大街"]),
        ("紅旗南路鐵路線(陳塘莊支線)", ["紅旗南路", "鐵路線"]),
        ("迎水道水上西路水上北道", ["迎水道", "水上西路", "水上北道"]),
        ("黃河道長江道", ["黃河道", "長江道"]),
        (
            "中南道簡陽路雅安道樂山道(未來將打通)和延安路",
            ["中南道", "簡陽路", "雅安道", "樂山道", "延安路"],
        ),
        ("河北路", ["河北路"]),
        ("和平路、和平里", ["和平路", "和平里"]),
    ],
)
def test_names_side_by_side(text: str, expected: list[str]) -> None:
    assert [r.name for r in roads(text)] == expected


def test_known_names_decide_where_the_text_does_not() -> None:
    assert [r.name for r in roads("紅旗路和平路")] == ["紅旗路", "和平路"]
    assert [r.name for r in roads("紅旗路和平路", {"紅旗路", "和平路"})] == ["紅旗路", "和平路"]
    assert [r.name for r in roads("第一大街第二大街", {"第一大街", "第二大街"})] == [
        "第一大街",
        "第二大街",
    ]
    assert [r.name for r in roads("十字路口街", {"十字路口街"})] == ["十字路口街"]


BRACKETED = {"京濱線", "京濱線(新港四號路)", "津神線(輕紡大道)", "甲路"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("京濱線（新港四號路）", [("京濱線(新港四號路)",)]),
        ("京濱線(新港四號路)為界", [("京濱線(新港四號路)",)]),
        ("津神線(輕紡大道)", [("津神線(輕紡大道)",)]),
        ("津神線(輕紡大道)(規劃)", [("津神線(輕紡大道)",)]),
        ("京濱線(乙路)", [("京濱線", "乙路")]),
        ("甲路津神線(輕紡大道)", [("甲路",), ("津神線(輕紡大道)",)]),
        ("甲路(乙路)京濱線(丙路)", [("甲路", "乙路"), ("京濱線", "丙路")]),
    ],
)
def test_brackets_of_a_known_name_stay_with_it(text: str, expected: list[tuple[str, ...]]) -> None:
    assert [road.names for road in roads(text, BRACKETED)] == expected


@pytest.mark.parametrize("name", ["津沽一線", "疏港連接線", "连接线", "三等", "面積路", "長圍合街"])
def test_a_known_name_is_not_cut_by_the_words_that_end_a_clause(name: str) -> None:
    known = frozenset({"甲路", "乙路", name})
    for text in (
        f"東至甲路,北至{name}",
        f"東至甲路,北至{name}一線,總面積2平方公里",
        f"東至甲路,北至{name},連接乙路",
    ):
        assert named(text, known)["north"] == [name]
    assert named(f"東至甲路,北至{name}和乙路為界", known)["north"] == [name, "乙路"]


def test_words_that_end_a_clause_cut_what_only_begins_with_them() -> None:
    known = frozenset({"甲路", "連接線"})
    assert named("北至甲路,連接線路與設施", known) == {"north": ["甲路"]}
    assert named("北至甲路連接線") == {"north": ["甲路"]}


@pytest.mark.parametrize(
    "remark",
    [
        "中心線",
        "道路中心线",
        "道路紅線",
        "规划红线",
        "北側",
        "东侧",
        "西側道路紅線",
        "南侧为界",
        "中心線為界",
    ],
)
def test_where_in_a_known_road_a_bound_runs_is_no_road(remark: str) -> None:
    known = frozenset({"甲路", "乙道", "乙道(丙道)"})
    assert named(f"東至甲路{remark},南至乙道(丙道){remark},西至甲路和乙道{remark}", known) == {
        "east": ["甲路"],
        "south": ["乙道(丙道)"],
        "west": ["甲路", "乙道"],
    }
    assert named(f"北至乙道北側和甲路{remark}", known) == {"north": ["乙道", "甲路"]}


def test_a_road_may_be_called_as_a_remark_is() -> None:
    known = {"甲路", "北側路", "道路紅線"}
    assert [r.name for r in roads("甲路北側路", known)] == ["甲路", "北側路"]
    assert [r.name for r in roads("道路紅線", known)] == ["道路紅線"]


@pytest.mark.parametrize(
    "area", ["總用地面積", "总用地面积", "規劃用地面積", "规划总用地面积", "用地總面積", "规划面积"]
)
def test_the_area_is_no_road(area: str) -> None:
    assert named(f"東至甲路,南至乙道,西至丙河,北至丁大街,{area}4.3平方公里") == BOX


def test_a_note_is_another_name_or_a_remark() -> None:
    (railway,) = roads("鐵路線(陳塘莊支線)")
    assert railway.names == ("鐵路線", "陳塘莊支線")
    (street,) = roads("樂山道(未來將打通)")
    assert (street.names, street.planned) == (("樂山道",), True)


@pytest.mark.parametrize("key", ["qihang-bay", "laochengxiang", "shuishang-aoti"])
def test_the_plans_zones_read_as_they_are_structured(key: str) -> None:
    feature = definitions.packaged().index()[key]
    known = digitised.packaged()
    read = {
        side: [normalise(known[next(n for n in r.names if n in known)].names.hant) for r in rs]
        for side, rs in read_one(feature.clause, known).sides.items()
    }
    structured = {
        side: [normalise(known[r].names.hant) for r in rs] for side, rs in feature.sides.items()
    }
    assert read == structured


@pytest.mark.parametrize("key", ["innovation-fusion", "innovation-resource", "smart-service"])
def test_the_plans_axes_read_as_they_are_structured(key: str) -> None:
    feature = definitions.packaged().index()[key]
    clause = read_one(feature.clause)
    assert [normalise(r.name) for r in clause.main] == [
        normalise(p.road) for p in feature.axis if p.role == "main" and p.road
    ]
    extension = [(p.road, p.planned) for p in feature.axis if p.role == "extension"]
    assert [(r.name, r.planned) for r in clause.extension] == extension


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no side"),
        ("建設一批智能工廠", "no side"),
        ("東至甲路,東至乙路", "the east side is named twice"),
        ("東至,南至乙路", "the east side names no road"),
    ],
)
def test_prose_that_can_not_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ClauseError, match=message):
        read_one(text)


@pytest.mark.parametrize("tail", ["止", "為止", "为止", "為界", "一線", "等"])
def test_the_tail_of_a_clause_is_no_part_of_a_road(tail: str) -> None:
    assert named(f"東至甲路{tail},北至丁大街{tail}") == {"east": ["甲路"], "north": ["丁大街"]}


WORDINGS = [
    (module, example)
    for module in (
        *(edges, offsets, sections, exclusions, inclusions, stated_areas),
        *(tails, remarks, brackets, names, english),
    )
    for example in module.EXAMPLES
]


@pytest.mark.parametrize(
    "example", [e for _, e in WORDINGS], ids=[m.__name__.split(".")[-1] for m, _ in WORDINGS]
)
@pytest.mark.parametrize("script", ["as it is", "simplified"])
def test_each_kind_of_wording_reads_as_its_cases_say(example: Example, script: str) -> None:
    convert = simplified if script == "simplified" else str
    area = read_one(convert(example.text))
    last = {side: bounds[-1] for side, bounds in area.sides.items()}
    said: dict[str, Any] = {s: "、".join(b.name for b in bs) for s, bs in area.sides.items()}
    said |= {key: "、".join(getattr(area, key)) for key in ("exclusions", "claims", "unread")}
    said |= {"stated_area_m2": area.stated_area_m2, "name": area.name}
    said |= {
        "edges": {s: b.edge for s, b in last.items()},
        "sections": {s: b.section for s, b in last.items()},
        "planned": {s: b.planned for s, b in last.items()},
        "others": {s: "、".join(b.others) for s, b in last.items()},
        "offsets": {s: (b.offset_m, b.towards) for s, b in last.items()},
    }
    for key, value in example.says.items():
        if isinstance(value, dict):
            assert {s: said[key][s] for s in value} == {
                s: _in(v, convert) for s, v in value.items()
            }
        else:
            assert said[key] == (_in(value, convert))


def _in(value: Any, convert: Callable[[str], str]) -> Any:
    return convert(value) if isinstance(value, str) else value


CLAUSES = EVIDENCE.parent / "clauses" / "published.jsonl"


@pytest.mark.skipif(not CLAUSES.is_file(), reason="the published clauses aren't kept with the code")
def test_published_clauses_are_read_or_refused_but_never_wrong_in_silence() -> None:
    right, silent = 0, []
    for line in CLAUSES.read_text(encoding="utf-8").splitlines():
        given = json.loads(line)
        areas = [area for area in read(given["text"]) if not area.fault]
        if given["refuse"] or not areas:
            right += bool(given["refuse"]) and not areas
            silent += [given["id"]] if areas else []
            continue
        expected = {s: [normalise(n) for n in ns] for s, ns in given["sides"].items()}
        told = {s: [normalise(b.name) for b in bs] for s, bs in areas[0].sides.items()}
        if told == expected and len(areas) == 1:
            right += 1
        elif not any(area.unread for area in areas):
            silent.append(given["id"])
    assert not silent
    assert right >= 54


OUTLINE = EVIDENCE.parent / "plan" / "outline-text.txt"


@pytest.mark.skipif(not OUTLINE.is_file(), reason="the plan's text isn't kept with the code")
def test_the_plans_text_holds_its_zones_and_corridors_and_no_other() -> None:
    areas = read(OUTLINE.read_text(encoding="utf-8"))
    features = {f.id: f for f in definitions.packaged().features}
    keys = ["qihang-bay", "laochengxiang", "shuishang-aoti"]
    keys += ["innovation-fusion", "innovation-resource", "smart-service"]
    assert len(areas) == len(keys)
    index, known = definitions.packaged().index(), digitised.packaged()
    for area, key in zip(areas, keys, strict=True):
        feature = features[key]
        assert index[area.name.replace("“", "「").replace("”", "」")] is feature
        for side, bounds in area.sides.items():
            read_ids = [known[next(n for n in b.names if n in known)].id for b in bounds]
            assert read_ids == [known[road].id for road in feature.sides[side]]
        roads = [part.road for part in feature.axis if part.road and part.role != "bridge"]
        assert list(map(normalise, (b.line for b in area.axis))) == [normalise(r) for r in roads]
        assert area.everywhere or area.claims == feature.claims


@pytest.mark.parametrize("wording", WORDINGS_OF_ONE_AREA)
def test_every_wording_of_one_area_names_the_same_sides(wording: str) -> None:
    assert named(wording) == ONE_AREA


@pytest.mark.parametrize(
    "wording",
    [
        "西至长堤路,北至松风大街,东至望海路,东接浪花社区,南至听涛道",
        "东至望海路,南至听涛道,西至长堤路,北面松风大街",
        "东至望海路,再向北至松风大街,折向西至长堤路",
    ],
)
def test_what_may_mean_another_area_is_not_wrong_in_silence(wording: str) -> None:
    areas = read(wording)
    assert all(area.fault or area.unread for area in areas)


LETTERS = "東西南北至以路、,。(號不含區米3 \n「a"


@given(
    clause=st.sampled_from([e.text for _, e in WORDINGS]),
    place=st.integers(0, 200),
    letter=st.sampled_from([*LETTERS, ""]),
    insert=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_every_character_is_accounted_for_whatever_is_changed(
    clause: str, place: int, letter: str, insert: bool
) -> None:
    place %= len(clause)
    changed = clause[:place] + letter + clause[place + (not insert) :]
    areas = read(changed)
    spans = [span for area in areas for span in area.spans]
    assert not areas or "".join(span.text for span in spans) == changed
    assert all(changed[s.start : s.end] == s.text and s.kind in SPAN_KINDS for s in spans)
    for area in areas:
        said = "".join(span.text for span in area.spans if span.kind == "unread")
        assert said == "".join(area.unread) or not said.strip()


HEADS = [
    "",
    "1.",
    "(3)",
    "一、",
    "渔港片区",
    "渔港片区四至范围:",
    "2.浪花村更新项目范围为",
    "具体范围:",
    "《规划》提出,灯塔片区",
]
TAILS = [
    "",
    "。",
    ";",
    ",总面积4.3平方公里",
    "。其中含渔港社区。",
    ",邻近多所学校",
    "。规划期限为五年。",
    "(见附图)",
]


@given(
    head=st.sampled_from(HEADS),
    tail=st.sampled_from(TAILS),
    quotes=st.sampled_from(["{}", "“{}”", "「{}」"]),
    bracket=st.booleans(),
    numbers=st.booleans(),
    comma=st.sampled_from([",", ";", "、", "，", "；", "\n"]),
)
@settings(max_examples=120, deadline=None)
def test_what_stands_round_a_clause_changes_none_of_its_sides(
    head: str, tail: str, quotes: str, bracket: bool, numbers: bool, comma: str
) -> None:
    sides = {"东": "望海路", "南": "听涛道", "西": "长堤路", "北": "松风大街"}
    parts = [
        (f"({k})" if numbers else "") + f"{side}至{quotes.format(road)}"
        for k, (side, road) in enumerate(sides.items(), 1)
    ]
    body = comma.join(parts)
    assert named(f"{head}({body})" if bracket else f"{head}{body}{tail}") == {
        "east": ["望海路"],
        "south": ["听涛道"],
        "west": ["长堤路"],
        "north": ["松风大街"],
    }
