"""The map's document without a browser: what it holds, what it refuses, what it never loads."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import folium
import geopandas
import jinja2
import pytest
from browser.frames import HEADS, plan_frames
from browser.hostile import hostile_names
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from nankai_gis.errors import CRSError, DataError, MissingKeyError, NankaiGISError, NotFoundError
from nankai_gis.present import webmap
from nankai_gis.present.facts import area, length
from nankai_gis.present.style import INFERRED, PLANNED, style_of
from nankai_gis.present.webmap.content import in_steps
from nankai_gis.present.webmap.page import LEAFLET_CSS, LEAFLET_JS, asset, inert_json, inert_text
from nankai_gis.present.webmap.tiles import NAMES, Tiles, basemap, origins

BUDGET = 400_000
#: Taken from the published files with ``openssl dgst -sha384 -binary | base64``.
SEALS = {
    "leaflet.js": "sha384-cxOPjt7s7Iz04uaHJceBmS+qpjv2JkIHNVcuOrM+YHwZOmJGBXI00mdUXEq65HTH",
    "leaflet.css": "sha384-sHL9NAb7lN7rfvG5lfHpm643Xkcjzp4jFvuavGOndn6pjVqS6ny56CAt3nsEVT4H",
}


class _Reader(HTMLParser):
    """Collect tags, attributes and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag in self.text:
            self.text[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.text:
            self.text[self._open][-1] += data

    @property
    def policy(self) -> dict[str, list[str]]:
        (text,) = (a["content"] for t, a in self.tags if a.get("http-equiv"))
        return {part.split()[0]: part.split()[1:] for part in (text or "").split(";")}

    @property
    def data(self) -> Any:
        blocks = [i for i, (_, a) in enumerate(self._scripts()) if a.get("type")]
        (block,) = blocks
        return json.loads(self.text["script"][block])

    def _scripts(self) -> list[tuple[str, dict[str, str | None]]]:
        return [(tag, attrs) for tag, attrs in self.tags if tag == "script"]


def _square(name: str = "方", status: str = "surveyed", **more: Any) -> geopandas.GeoDataFrame:
    row = {"name": [name], "status": [status]} | {key: [value] for key, value in more.items()}
    return geopandas.GeoDataFrame(row, geometry=[box(117.1, 39.0, 117.2, 39.1)], crs="EPSG:4326")


def _draw(frames: dict[str, geopandas.GeoDataFrame], **more: Any) -> str:
    return webmap.html(webmap.draw(frames, **(HEADS | more)))


@pytest.fixture(scope="module")
def plan() -> str:
    return _draw(plan_frames())


# --- the document -------------------------------------------------------------------------


def test_is_a_folium_map_that_renders_and_saves(tmp_path: Any) -> None:
    drawn = webmap.draw(plan_frames(), **HEADS)
    assert isinstance(drawn, folium.Map)
    text = webmap.html(drawn)
    assert drawn.get_root().render() == text
    assert drawn.location == pytest.approx([39.1056, 117.1459], abs=1e-3)
    drawn.save(str(tmp_path / "map.html"))
    assert (tmp_path / "map.html").read_text("utf-8") == text


def test_shows_itself_in_a_sandbox_with_everything_escaped() -> None:
    shown = webmap.draw({"district": _square('"><script>')}, **HEADS)._repr_html_()
    reader = _Reader(shown)
    ((tag, attrs),) = reader.tags
    assert tag == "iframe"
    assert attrs["sandbox"] == "allow-scripts allow-modals allow-downloads"
    assert attrs["title"] == HEADS["title"]
    assert _Reader(attrs["srcdoc"] or "").data["layers"][0]["features"][0]["name"] == '"><script>'


def test_takes_folium_layers_as_data() -> None:
    drawn = webmap.draw({"district": _square()}, **HEADS)
    plain = [tag for tag, _ in _Reader(webmap.html(drawn)).tags]
    evil = "<img src=x onerror=alert(1)>{{7*7}}"
    folium.Marker([39.05, 117.15], popup=evil, tooltip=evil).add_to(drawn)
    group = folium.FeatureGroup(evil, show=False).add_to(drawn)
    folium.PolyLine([[39, 117], [39.1, 117.1]], color="red").add_to(group)
    square = {"type": "Feature", "properties": {"n": evil}, "geometry": box(117, 39, 118, 40)}
    square["geometry"] = square["geometry"].__geo_interface__
    detail = folium.GeoJsonTooltip(["n"], ["N"])
    folium.GeoJson(square, name="g", tooltip=detail).add_to(drawn)
    folium.LayerControl().add_to(drawn)
    reader = _Reader(webmap.html(drawn))
    assert [tag for tag, _ in reader.tags] == plain
    groups = reader.data["added"]["groups"]
    assert [(each["name"], each["on"]) for each in groups] == [
        ("", True),
        (evil, False),
        ("g", True),
    ]
    (marker,), (line,), (area_,) = (each["shapes"] for each in groups)
    assert (marker["tip"], marker["card"]) == ([evil], [evil])
    assert line["look"]["stroke"] == "red"
    assert _unfold(line["shape"][0]) == [(117, 39), (117.1, 39.1)]
    assert area_["tip"] == [f"N：{evil}"]  # as the map's language writes it
    assert reader.data["added"]["switch"] is True


@pytest.mark.parametrize(
    "layer",
    [
        folium.TileLayer("OpenStreetMap"),
        folium.Marker([39, 117], icon=folium.DivIcon("<b>x</b>")),
        folium.Marker([39, 117], popup=folium.Popup(folium.IFrame("<b>x</b>"))),
        folium.Circle([39, 117], radius=10),
    ],
    ids=["tiles", "markup", "frame", "circle"],
)
def test_refuses_folium_layers_that_it_can_not_draw(layer: Any) -> None:
    drawn = webmap.draw({"district": _square()}, **HEADS)
    with pytest.raises(DataError, match=r"this map takes no|may hold text only"):
        layer.add_to(drawn)
    assert _Reader(webmap.html(drawn)).data["added"]["groups"] == []


def test_html_refuses_another_map() -> None:
    with pytest.raises(DataError, match=r"wasn't made by nankai_gis\.present\.webmap\.draw"):
        webmap.html(folium.Map(tiles=None))


def test_same_input_same_bytes(plan: str) -> None:
    assert _draw(plan_frames()) == plan


def test_keeps_to_the_budget(plan: str) -> None:
    assert len(plan.encode()) < BUDGET
    assert len(_draw(plan_frames(), cdn=True).encode()) < BUDGET // 4


def test_loads_nothing(plan: str) -> None:
    reader = _Reader(plan)
    loading = [(t, a) for t, a in reader.tags for k in ("src", "href", "srcset", "data") if k in a]
    assert loading == []
    assert re.findall(r"url\((?!#|\"?\+|%23)[^)]*\)|@import", "".join(reader.text["style"])) == []
    assert "sourceMappingURL" not in plan
    assert reader.policy["default-src"] == ["'none'"]
    assert not any("http" in source for sources in reader.policy.values() for source in sources)


def test_policy_allows_exactly_what_is_there(plan: str) -> None:
    reader = _Reader(plan)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        texts = [text for text in reader.text[tag] if not text.startswith('{"')]
        hashes = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in texts
        ]
        assert hashes == reader.policy[directive]
    assert not any(key == "style" or key.startswith("on") for _, a in reader.tags for key in a)


def test_cdn_is_sealed_with_the_published_hash() -> None:
    reader = _Reader(_draw({"district": _square()}, cdn=True))
    linked = {a.get("src") or a.get("href"): a for _, a in reader.tags if "integrity" in a}
    assert set(linked) == {LEAFLET_JS.url, LEAFLET_CSS.url}
    for file in (LEAFLET_JS, LEAFLET_CSS):
        assert f"leaflet@{file.version}/" in file.url
        assert linked[file.url]["integrity"] == SEALS[file.name]
        assert linked[file.url]["crossorigin"] == "anonymous"
    assert reader.policy["script-src"][0] == LEAFLET_JS.url
    assert reader.policy["style-src"][0] == LEAFLET_CSS.url


@pytest.mark.parametrize("file", [LEAFLET_JS, LEAFLET_CSS], ids=lambda file: file.name)
def test_third_party_files_are_the_published_ones(file: Any) -> None:
    content = (files("nankai_gis.present.webmap") / "assets" / file.name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == file.sha256
    # The project's own download page publishes these digests.
    published = {
        "leaflet.js": "20nQCchB9co0qIjJZRGuk2/Z9VM+kNiyxNV1lvTlZBo=",
        "leaflet.css": "p4NxAoJBhIIN+hmNHrzRCf9tD/miZyoHS5obTRR9BMY=",
    }
    assert base64.b64encode(bytes.fromhex(file.sha256)).decode() == published[file.name]


def test_third_party_licence_and_version_travel_along() -> None:
    licence = (files("nankai_gis.present.webmap") / "assets" / "leaflet.LICENSE.txt").read_text(
        "utf-8"
    )
    assert "BSD 2-Clause" in licence
    assert f"Leaflet {LEAFLET_JS.version}" in asset("leaflet.js")[:200]


# --- the escaping door ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [*hostile_names(), "\ud800", "a\udfffb"])
def test_no_name_leaves_the_data(name: str) -> None:
    code = inert_json([name, {name: name}])
    assert json.loads(code) == [name, {name: name}]
    assert not re.search("[<>&\u2028\u2029\x00-\x1f\x7f-\x9f\ud800-\udfff]", code)
    # branca compiles what it renders a second time: the data must come out as it went in.
    assert jinja2.Template(code).render() == code
    title = inert_text(name)
    assert not re.search("[<>\"'`{}]", title)
    assert jinja2.Template(title).render() == title
    title.encode()


def test_names_keep_the_document_in_shape() -> None:
    plain = _Reader(_draw({"district": _square()}))
    for name in hostile_names()[::9]:
        reader = _Reader(_draw({"district": _square(name, clause=name, source=name)}, title=name))
        assert [tag for tag, _ in reader.tags] == [tag for tag, _ in plain.tags]
        assert reader.data["title"] == name
        assert reader.data["layers"][0]["features"][0]["clause"] == name
        assert reader.policy == plain.policy


def test_own_script_never_writes_markup() -> None:
    script = asset("webmap.js")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script
    assert 'setAttribute("style"' not in script


# --- what is said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "name", "others"),
    [
        ("zh-Hant", "紅旗路", ["红旗路", "Hongqi Road"]),
        ("zh-Hans", "红旗路", ["紅旗路", "Hongqi Road"]),
        ("en", "Hongqi Road", ["紅旗路", "红旗路"]),
    ],
)
def test_language_picks_the_name(lang: str, name: str, others: list[str]) -> None:
    square = _square("紅旗路", name_hans="红旗路", name_en="Hongqi Road")
    (feature,) = _Reader(_draw({"district": square}, lang=lang)).data["layers"][0]["features"]
    assert (feature["name"], feature["others"]) == (name, others)


def test_a_missing_translation_falls_back_to_the_traditional_name() -> None:
    data = _Reader(_draw({"district": _square("紅旗路", name_en=None)}, lang="en")).data
    assert data["layers"][0]["features"][0]["name"] == "紅旗路"


def test_a_missing_figure_is_left_out_not_zero() -> None:
    frame = _square(area_m2=float("nan"), length_m=None)
    facts = _Reader(_draw({"district": frame})).data["layers"][0]["features"][0]["facts"]
    assert facts == {"status": "實測"}


def test_a_status_of_not_located_needs_a_missing_place() -> None:
    frame = plan_frames()["sites"]
    frame["status"] = ["osm"] * 8 + ["not located"]
    assert _draw({"sites": frame})
    frame["status"] = "not located"
    assert "the status 'not located' is none of" in _refused({"sites": frame})


def test_a_polygon_is_dashed_only_where_its_sides_are_inferred() -> None:
    sides = [("北馬路", "osm", 10.0, 0, 2), ("河", "inferred", 80.0, 2, 4)]
    keys = ("name", "status", "accuracy_m", "start", "stop")
    frame = _square(status="inferred", parts=[dict(zip(keys, side, strict=True)) for side in sides])
    (feature,) = _Reader(_draw({"zones": frame})).data["layers"][0]["features"]
    assert [side["text"] for side in feature["sides"]] == [
        "北馬路 · OSM 數據 · ± 10 m",
        "河 · 推定 · ± 80 m",
    ]
    assert [side["doubt"] for side in feature["sides"]] == [False, True]
    ring = list(frame.geometry[0].exterior.coords)
    assert [_unfold(side["line"]) for side in feature["sides"]] == [ring[:3], ring[2:]]


def test_other_columns_are_left_alone() -> None:
    assert _draw({"zones": _square(aliases=["方", "塊"], claims=[], secret="x")}) == _draw(
        {"zones": _square()}
    )


def test_what_is_inferred_is_indicative() -> None:
    for status in ("surveyed", "osm", "digitised", "inferred"):
        data = _Reader(_draw({"zones": _square(status=status)})).data["layers"][0]
        assert data["features"][0]["indicative"] is (status == "inferred")
        assert data["items"][0]["indicative"] is (status == "inferred")


def test_an_unknown_source_or_date_is_left_out() -> None:
    square = {"zones": _square()}
    names = [name for name, _ in _Reader(_draw(square)).data["imprint"]]
    assert names[:2] == ["數據來源：", "日期："]
    for left_out, name in (("source", "數據來源："), ("date", "日期：")):
        told = _Reader(_draw(square, **{left_out: ""})).data["imprint"]
        assert [said for said, _ in told[:1]] == [n for n in names[:2] if n != name]
        assert all(text for _, text in told)


def test_review_number_only_if_given() -> None:
    square = {"district": _square()}
    assert ["", "內部使用"] in _Reader(_draw(square)).data["imprint"]
    imprint = _Reader(_draw(square, review="津S(2025)001")).data["imprint"]
    assert ["審圖號：", "津S(2025)001"] in imprint
    assert ["", "內部使用"] not in imprint
    assert ["", "© OpenStreetMap contributors, ODbL"] in imprint


def test_places_without_coordinates_are_counted_and_listed() -> None:
    (sites,) = _Reader(_draw({"sites": plan_frames()["sites"]})).data["layers"]
    assert sites["count"] == "9（未定位 1）"
    assert [item["value"] for item in sites["items"]][-1] == "1（未定位 1）"
    assert sites["features"][-1]["facts"]["status"] == "未定位"
    assert [f["name"] for f in sites["features"] if f["shape"] is None] == ["未來里"]


def test_a_corridor_without_a_length_has_no_sum() -> None:
    frame = plan_frames()["corridors"]
    full = _Reader(_draw({"corridors": frame})).data["layers"][0]["items"]
    assert [item["value"] for item in full] == [
        "10.00 km",
        "2.50 km（另規劃段 1.40 km）",
        "5.00 km",
    ]
    frame.loc[0, "length_m"] = None  # a drawn piece without a figure leaves a gap, not a zero
    gap = _Reader(_draw({"corridors": frame})).data["layers"][0]["items"]
    assert [item["value"] for item in gap] == ["", "2.50 km（另規劃段 1.40 km）", "5.00 km"]


@pytest.mark.parametrize(
    ("m2", "sd", "text"),
    [
        (41_440_000, None, "41.44 km²"),
        (2_310_000, 52_000, "2.31 ± 0.05 km²"),
        (2_310_000, 100, "2.31 ± <0.01 km²"),
        (2_310_000, 0, "2.31 ± 0.00 km²"),
        (100_000, None, "0.10 km²"),
        (99_000, 1_000, "9.90 ± 0.10 ha"),
        (0, None, "0.00 ha"),
    ],
)
def test_areas_are_set_with_unit_and_spread(m2: float, sd: float | None, text: str) -> None:
    assert area(m2, sd) == text


@pytest.mark.parametrize(
    ("metres", "text"), [(0, "0 m"), (999.4, "999 m"), (999.5, "1.00 km"), (9134, "9.13 km")]
)
def test_lengths_are_set_with_unit(metres: float, text: str) -> None:
    assert length(metres) == text


def test_a_source_is_told_once() -> None:
    frames = plan_frames()
    frames["zones"]["source"] = ["甲; 乙", "乙; 丙", "甲"]
    data = _Reader(_draw({"zones": frames["zones"]})).data
    assert data["sources"] == ["甲", "乙", "丙"]
    told = [feature["facts"]["source"] for feature in data["layers"][0]["features"]]
    assert told == [[0, 1], [1, 2], [0]]


def test_a_network_goes_in_street_by_street() -> None:
    many = plan_frames()["streets"].iloc[[0, 1] * 800].reset_index(drop=True)
    (layer,) = _Reader(_draw({"streets": many})).data["layers"]
    assert layer["network"] is True
    assert len(layer["features"]) == 2
    assert layer["count"] == "2"
    (few,) = _Reader(_draw({"streets": many.iloc[:100]})).data["layers"]
    assert (few["network"], len(few["features"])) == (False, 100)


def test_only_the_layers_asked_for() -> None:
    data = _Reader(_draw(plan_frames(), layers=["zones", "district"])).data
    assert [layer["key"] for layer in data["layers"]] == ["district", "zones"]
    assert "layer of this map is called 'roads'" in _refused(plan_frames(), layers=["roads"])


# --- tiles, frames, fragments -----------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_every_basemap_opens_one_host(name: str) -> None:
    tiles = basemap(name, {"TIANDITU_KEY": "key"})
    assert tiles is not None
    (host,) = origins(tiles.urls)
    assert host.startswith("https://")
    assert all(part in url for url in tiles.urls for part in ("{z}", "{x}", "{y}"))
    reader = _Reader(_draw({"district": _square()}, basemap=tiles))
    assert reader.policy["img-src"] == ["data:", host]
    assert reader.policy["default-src"] == ["'none'"]
    assert reader.data["tiles"]["urls"] == list(tiles.urls)
    assert (reader.data["tiles"]["shift"] is not None) is (name == "gaode")


def test_without_a_basemap_nothing_is_opened(plan: str) -> None:
    reader = _Reader(plan)
    assert reader.policy["img-src"] == ["data:"]
    assert reader.data["tiles"] is None


def test_basemaps_that_cannot_be_had() -> None:
    with pytest.raises(MissingKeyError, match="TIANDITU_KEY isn't set"):
        basemap("tianditu", {"TIANDITU_KEY": " "})
    with pytest.raises(NotFoundError, match="base map is called 'google'") as caught:
        basemap("google")
    assert caught.value.candidates == NAMES
    assert basemap("none") is None


def test_a_key_is_data() -> None:
    tiles = basemap("tianditu", {"TIANDITU_KEY": "a&b{z}</script>"})
    assert tiles is not None
    assert all("tk=a%26b%7Bz%7D%3C%2Fscript%3E" in url for url in tiles.urls)


def test_displacements_lie_on_a_grid_around_the_map() -> None:
    shift = Tiles(("https://x.invalid/{z}/{x}/{y}",), gcj02=True).as_json(
        (117.1, 39.0, 117.2, 39.1)
    )
    grid = shift["shift"]
    rows = len(grid["east"]) // grid["columns"]
    assert len(grid["north"]) == grid["columns"] * rows == len(grid["east"])
    assert grid["west"] == pytest.approx(117.0)
    assert grid["west"] + (grid["columns"] - 1) * grid["step"] >= 117.3
    assert grid["south"] + (rows - 1) * grid["step"] >= 39.2
    from nankai_gis.geometry.datum import GCJ02

    # Between the points, the middle is told well within a metre.
    at = (grid["west"] + 5.5 * grid["step"], grid["south"] + 5 * grid["step"])
    there = 5 * grid["columns"] + 5
    middle = (grid["east"][there] + grid["east"][there + 1]) / 2 * grid["unit"]
    assert middle == pytest.approx(at[0] - GCJ02.to_wgs84(*at)[0], abs=1e-5)


def test_frames_and_fragments_only_of_own_maps() -> None:
    for make in (webmap.iframe, webmap.fragment):
        with pytest.raises(DataError, match="wasn't made by"):
            make(folium.Map(tiles=None))


def test_a_fragment_is_no_document(plan: str) -> None:
    piece = webmap.fragment(webmap.draw(plan_frames(), **HEADS))
    assert piece == webmap.fragment(webmap.draw(plan_frames(), **HEADS))
    tags = [tag for tag, _ in _Reader(piece).tags]
    assert not {"html", "head", "body", "meta", "title", "h1", "main"} & set(tags)
    assert not any("id" in attrs for _, attrs in _Reader(piece).tags)
    style = "".join(_Reader(piece).text["style"])
    assert not re.search(r"(?m)^(html|body|@page|\*)", style)


# --- how it looks ---------------------------------------------------------------------------


def test_dashes_say_inferred_and_planned() -> None:
    assert style_of("zones", {"status": "inferred"}, 0).dash == INFERRED
    assert style_of("zones", {"status": "osm"}, 0).dash == ""
    assert style_of("corridors", {"status": "inferred", "planned": True}, 0).dash == PLANNED
    assert style_of("sites", {"status": "inferred"}, 0).dash == ""


def test_zones_keep_their_hue_in_any_selection() -> None:
    every = [style_of("zones", {"id": ident}, n).fill for n, ident in enumerate(
        ("qihang-bay", "laochengxiang", "shuishang-aoti"))]  # fmt: skip
    assert len(set(every)) == 3
    assert style_of("zones", {"id": "shuishang-aoti"}, 0).fill == every[2]


def test_corridors_narrow_with_their_order_and_role() -> None:
    widths = [style_of("corridors", {"role": "main"}, place).weight for place in (0, 1, 2)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert style_of("corridors", {"role": "extension"}, 0).weight < widths[0]
    alone = style_of("corridors", {"corridor": "smart-service", "role": "main"}, 0)
    assert alone.weight == widths[2]


def _unfold(steps: list[int]) -> list[tuple[float, float]]:
    lat, lon = 0, 0
    points = []
    for down, right in zip(steps[::2], steps[1::2], strict=True):
        lat, lon = lat + down, lon + right
        points.append((lon / 1e5, lat / 1e5))
    return points


def test_steps_give_the_coordinates_back() -> None:
    line = LineString([(117.123456, 39.1), (117.123456, 39.1), (117.2, 39.05), (117.3, 39.2)])
    (steps,) = in_steps(line)
    assert _unfold(steps) == [(117.12346, 39.1), (117.2, 39.05), (117.3, 39.2)]


def test_drawn_lines_stay_within_the_stated_two_metres() -> None:
    circle = Point(117.14, 39.1).buffer(0.01, quad_segs=200)
    ((ring,),) = in_steps(circle)
    drawn = Polygon(_unfold(ring))
    assert len(ring) // 2 < len(circle.exterior.coords) / 2
    # A degree of longitude is the shorter one here, so this overstates the distance.
    assert drawn.exterior.hausdorff_distance(circle.exterior) * 111_000 < 2


def test_holes_and_parts_survive() -> None:
    ring = box(0, 0, 3, 3).difference(box(1, 1, 2, 2))
    assert [len(part) for part in in_steps(MultiPolygon([ring, box(5, 5, 6, 6)]))] == [2, 1]


# --- what is refused --------------------------------------------------------------------------


def _refused(frames: dict[str, Any], **more: Any) -> str:
    with pytest.raises(NankaiGISError) as caught:
        _draw(frames, **more)
    return str(caught.value)


def test_unknown_layer_names_the_known() -> None:
    with pytest.raises(NotFoundError, match="zoness") as caught:
        _draw({"zoness": _square()})
    assert "zones" in caught.value.candidates


def test_unknown_language() -> None:
    with pytest.raises(NotFoundError) as caught:
        _draw({"district": _square()}, lang="fr")
    assert set(caught.value.candidates) == {"zh-Hant", "zh-Hans", "en"}


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (_square().set_crs(None, allow_override=True), "no CRS"),
        (_square().to_crs("EPSG:3857"), "EPSG:3857"),
        (_square().to_crs("EPSG:4490"), "EPSG:4490"),
        (_square().to_crs("EPSG:4548").set_crs("EPSG:4326", allow_override=True), "aren't degrees"),
    ],
    ids=["none", "mercator", "cgcs", "metres"],
)
def test_wrong_crs(frame: geopandas.GeoDataFrame, says: str) -> None:
    with pytest.raises(CRSError, match=says):
        _draw({"district": frame})


def test_nothing_to_draw() -> None:
    assert "nothing to draw" in _refused({})
    assert "nothing to draw" in _refused({"district": _square().iloc[:0]})
    assert "nothing to draw" in _refused({"sites": plan_frames()["sites"].tail(1)})


def test_missing_column_and_unknown_status() -> None:
    assert "has no column status" in _refused({"zones": _square().drop(columns="status")})
    assert "the status 'sure' is none of" in _refused({"zones": _square(status="sure")})
    assert _draw({"water": _square().drop(columns=["name", "status"]), "district": _square()})


def test_wrong_kind_of_geometry() -> None:
    assert "layer 'sites' holds Polygon; it takes LineString, Point" in _refused(
        {"sites": _square()}
    )
