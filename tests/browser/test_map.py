"""The plan's map in a real browser: it draws, switches, answers, prints, and stays quiet."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import folium
import geopandas
import pytest
import shapely
from frames import HEADS, plan_frames

import nankai_gis as ng
from nankai_gis.present import webmap

pytestmark = pytest.mark.browser
DESK, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def text() -> str:
    return webmap.html(webmap.draw(plan_frames(), **HEADS))


def _paths(page: Any, layer: str) -> int:
    """Count the layer's paths that have an extent on the screen."""
    return page.evaluate(
        """pane => [...document.querySelectorAll(`.leaflet-nk-${pane}-pane path`)].filter(p => {
            const box = p.getBoundingClientRect();
            return box.width + box.height > 0; }).length""",
        layer,
    )


def _boxes(page: Any) -> list[Any]:
    return page.evaluate(
        """() => [...document.querySelectorAll('.nk-label:not(.nk-off)')].map(n => {
            const b = n.getBoundingClientRect();
            return [n.className, b.left, b.top, b.right, b.bottom]; })"""
    )


def _spot(page: Any, lon: float, lat: float) -> tuple[float, float]:
    """Return where a place is on the screen, from the places of two known sites."""
    frames = plan_frames()
    west, south, east, north = frames["district"].total_bounds
    box = page.evaluate(
        """() => { const b = document.querySelector('.leaflet-nk-land-pane path')
            .getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }"""
    )
    x = box[0] + (lon - west) / (east - west) * (box[2] - box[0])
    y = box[1] + (north - lat) / (north - south) * (box[3] - box[1])
    return x, y


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_draws_every_layer(open_map: Any, text: str, size: tuple[int, int]) -> None:
    page = open_map(text, size).page
    drawn = {key: _paths(page, key) for key in plan_frames()}
    casings = {"district": 2, "corridors": 2, "streets": 2, "subdistricts": 2}
    expected = {
        key: int(frame.geometry.notna().sum()) * casings.get(key, 1)
        for key, frame in plan_frames().items()
    }
    assert drawn == expected
    # Nothing of the page lies outside the window, and the whole district is in view.
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    holder = page.locator(".nk-map").bounding_box()
    land = page.locator(".leaflet-nk-land-pane path").bounding_box()
    assert holder["x"] <= land["x"]
    assert land["x"] + land["width"] <= holder["x"] + holder["width"]
    assert holder["y"] <= land["y"]
    assert land["y"] + land["height"] <= holder["y"] + holder["height"]


def test_a_network_far_beyond_the_zone_can_be_gone_to(open_map: Any) -> None:
    """The first view is the zone's, wherever the streets lead; none of them is out of reach."""
    zone = geopandas.GeoDataFrame(
        {"id": ["z"], "name": ["片"], "status": ["osm"]},
        geometry=[shapely.box(117.0, 39.0, 117.02, 39.02)],
        crs="EPSG:4326",
    )
    far = geopandas.GeoDataFrame(
        {"name": ["遠路"], "status": ["osm"]},
        geometry=[shapely.LineString([(117.01, 39.01), (117.21, 39.01)])],
        crs="EPSG:4326",
    )
    text = webmap.html(webmap.draw({"zones": zone, "streets": far}, **HEADS))
    page = open_map(text, (1280, 520)).page
    holder = page.locator(".nk-map").bounding_box()
    seen = page.locator(".leaflet-nk-zones-pane path").bounding_box()
    # Fitted with a margin of 12 pixels above and below, and in the middle.
    assert seen["height"] == pytest.approx(holder["height"] - 24, abs=6)
    middle = holder["x"] + holder["width"] / 2
    assert seen["x"] + seen["width"] / 2 == pytest.approx(middle, abs=3)
    road = ".leaflet-nk-streets-pane path"
    while page.locator(".leaflet-control-zoom-out:not(.leaflet-disabled)").count():
        page.click(".leaflet-control-zoom-out")
        page.wait_for_timeout(300)
    page.mouse.move(700, 200)
    page.mouse.down()
    page.mouse.move(350, 200, steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)
    seen = page.locator(road).first.bounding_box()
    assert holder["x"] <= seen["x"]
    assert seen["x"] + seen["width"] <= holder["x"] + holder["width"]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("zoom_steps", [0, 4])
def test_labels_do_not_collide(
    open_map: Any, text: str, size: tuple[int, int], zoom_steps: int
) -> None:
    page = open_map(text, size).page
    for _ in range(zoom_steps):
        page.click(".leaflet-control-zoom-in")
        page.wait_for_timeout(350)
    boxes = _boxes(page)
    assert len(boxes) >= 4
    for (_, *one), (_, *other) in combinations(boxes, 2):
        assert shapely.box(*one).intersection(shapely.box(*other)).area == 0
    if not zoom_steps:
        kinds = [name for name, *_ in boxes]
        assert sum("nk-label-zones" in kind for kind in kinds) == 3
        assert sum("nk-label-corridors" in kind for kind in kinds) == 3
        assert sum("nk-label-parcel" in kind for kind in kinds) == 1


@pytest.mark.parametrize("size", [(1400, 900), DESK, PHONE], ids=["wide", "desk", "phone"])
def test_names_of_the_plan_lie_inside_their_areas_and_off_the_axes(
    open_map: Any, size: tuple[int, int]
) -> None:
    page = open_map(webmap.html(ng.plan_map(lang="zh-Hans")), size).page
    boxes = [(name, shapely.box(*box)) for name, *box in _boxes(page)]
    for (_, one), (_, other) in combinations(boxes, 2):
        assert one.intersection(other).area == 0
    kinds = [name.split("nk-label-")[1].split()[0] for name, _ in boxes]
    assert [kinds.count(kind) for kind in ("zones", "parcel", "corridors")] == [3, 1, 3]
    assert kinds.count("streets") >= 8
    areas = page.locator(
        ".leaflet-nk-zones-pane path.leaflet-interactive, "
        ".leaflet-nk-parcel-pane path.leaflet-interactive"
    ).evaluate_all(
        """all => all.map(path => {
            const m = path.getScreenCTM(), n = 400, long = path.getTotalLength();
            return [...Array(n).keys()].map(k => path.getPointAtLength(long * k / n))
                .map(p => [p.x * m.a + m.e, p.y * m.d + m.f]); })"""
    )
    polygons = [shapely.Polygon(ring).buffer(3) for ring in areas]
    for kind, (_, box) in zip(kinds, boxes, strict=True):
        if kind in ("zones", "parcel"):
            held = max(polygon.intersection(box).area for polygon in polygons)
            # Whole where there is room for it; a phone has none for the smallest zone.
            assert held >= (0.5 if size == PHONE else 1) * box.area


def test_legend_switches_layers(open_map: Any, text: str) -> None:
    page = open_map(text).page
    for key in plan_frames():
        before = _paths(page, key)
        assert before > 0
        page.locator(f"input[name={key}]").uncheck()
        assert _paths(page, key) == 0
        assert page.locator(f".nk-label-{key}:not(.nk-off)").count() == 0
        page.locator(f"input[name={key}]").check()
        assert _paths(page, key) == before


def test_legend_counts_and_figures(open_map: Any, text: str) -> None:
    page = open_map(text).page
    counts = dict(
        page.evaluate(
            """() => [...document.querySelectorAll('.nk-layer')].map(b =>
                [b.querySelector('input').name, b.querySelector('.nk-count')?.textContent ?? ''])"""
        )
    )
    assert counts == {
        "district": "",
        "zones": "3",
        "parcel": "",
        "corridors": "3",
        "sites": "9（未定位 1）",
        "subdistricts": "12",
        "streets": "17",
        "water": "2",
        "green": "1",
    }
    lines = page.locator(".nk-layer:has(input[name=zones]) li").all_inner_texts()
    assert [line.split() for line in lines] == [
        ["啟航灣創新產業區", "14.62", "±", "0.41", "km²", "示意"],
        ["老城廂「文商旅」升級發展集聚區", "2.31", "±", "0.05", "km²"],
        ["水上奧體「商務總部」升級發展集聚區", "7.05", "±", "0.22", "km²", "示意"],
    ]
    resource = page.locator(".nk-layer:has(input[name=corridors]) li").nth(1).inner_text()
    assert "2.50 km（另規劃段 1.40 km）" in resource


def test_tooltip_and_popup_under_the_mouse(open_map: Any, text: str) -> None:
    page = open_map(text).page
    page.mouse.move(*_spot(page, 117.155, 39.122))
    tip = page.locator(".leaflet-tooltip")
    assert tip.locator("strong").inner_text() == "啟航灣創新產業區"
    assert tip.locator(".nk-tip-facts").inner_text() == "14.62 ± 0.41 km²"
    assert tip.locator(".nk-tag").inner_text() == "示意"
    clause = plan_frames()["zones"]["clause"][0]
    assert tip.locator(".nk-tip-clause").inner_text() == clause[:60] + "…"
    page.mouse.click(*_spot(page, 117.155, 39.122))
    card = page.locator(".leaflet-popup")
    assert card.locator("blockquote").inner_text() == clause
    said = dict(
        zip(card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts(), strict=True)
    )
    assert said == {
        "面積": "14.62 ± 0.41 km²",
        "周長": "19.83 km",
        "章節": "第四章第一節",
        "依據": "推定示意",
        "位置精度": "± 250 m",
        "數據來源": "測試用圖形",
        "數據日期": "2025-06-01",
    }


def test_keyboard_alone(open_map: Any, text: str) -> None:
    page = open_map(text).page
    box = page.locator("input[name=zones]")
    box.focus()
    page.keyboard.press("Space")
    assert _paths(page, "zones") == 0
    page.keyboard.press("Space")
    assert _paths(page, "zones") == 3
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup")
    assert page.locator(".leaflet-popup h2 bdi").inner_text() == "啟航灣創新產業區"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "關閉"
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup", state="detached")
    assert page.evaluate("document.activeElement.className") == "nk-item"


def test_table_gives_the_same_figures(open_map: Any, text: str) -> None:
    page = open_map(text).page
    assert page.locator(".nk-figures").is_hidden()
    page.click(".nk-open")
    table = page.locator(".nk-figures table", has_text="重點片區")
    cells = table.locator("tbody tr").first.locator("th,td").all_inner_texts()
    assert cells[:3] == ["啟航灣創新產業區", "14.62 ± 0.41 km²", "19.83 km"]
    frames = plan_frames()
    sources = page.locator(".nk-sources li").all_inner_texts()
    assert sources == ["測試用圖形"]
    assert cells[-2:] == ["1", "2025-06-01"]
    listed = sum(len(frame) for key, frame in frames.items() if key not in ("water", "green"))
    assert page.locator(".nk-figures tbody tr").count() == listed
    page.click(".nk-open")
    assert page.locator(".nk-figures").is_hidden()


def test_prints_on_upright_a4(open_map: Any, text: str) -> None:
    page = open_map(text).page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    sheet = page.locator(".nk-map").bounding_box()
    land = page.locator(".leaflet-nk-land-pane path").bounding_box()
    assert sheet["width"] == pytest.approx(186 * 96 / 25.4, abs=1)
    assert sheet["x"] < land["x"]
    assert land["x"] + land["width"] < sheet["x"] + sheet["width"]
    assert land["height"] > 0.7 * sheet["height"]
    assert page.locator(".leaflet-control-zoom").is_hidden()
    assert page.locator(".nk-open").is_hidden()
    assert page.locator(".nk-figures").is_visible()
    assert page.locator(".nk-legend").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".nk-figures").is_hidden()
    assert page.locator(".nk-map").bounding_box()["width"] == 1280 - 312


def test_phone_folds_the_legend(open_map: Any, text: str) -> None:
    page = open_map(text, PHONE).page
    assert page.locator(".nk-legend").is_hidden()
    page.click(".nk-fold")
    assert page.locator(".nk-legend").is_visible()
    page.locator("input[name=zones]").uncheck()
    assert _paths(page, "zones") == 0


def test_choropleth_and_other_languages(open_map: Any) -> None:
    drawn = webmap.draw(plan_frames(coverage=True), **HEADS | {"review": "津S(2025)001"}, lang="en")
    page = open_map(webmap.html(drawn)).page
    fills = page.evaluate(
        """() => [...document.querySelectorAll('.leaflet-nk-subdistricts-pane path')]
            .map(p => p.getAttribute('fill'))"""
    )
    assert len(set(fills)) == 6  # five classes and the hatch of the one without data
    assert page.locator("text=Old City Culture").first.is_visible()
    assert "Map review no.: 津S(2025)001" in page.locator(".nk-foot").inner_text()
    assert "Internal use" not in page.locator(".nk-foot").inner_text()


def test_many_streets_go_to_a_canvas(open_map: Any) -> None:
    frames = plan_frames()
    many = frames["streets"].iloc[[0] * 1600].reset_index(drop=True)
    page = open_map(webmap.html(webmap.draw(frames | {"streets": many}, **HEADS))).page
    inked = page.evaluate(
        """() => { const c = document.querySelector('.leaflet-nk-streets-pane canvas');
            return c.getContext('2d').getImageData(0, 0, c.width, c.height).data
                .some((v, i) => i % 4 === 3 && v > 0); }"""
    )
    assert inked
    # The canvas lies below, so a zone above it still answers.
    page.mouse.move(*_spot(page, 117.155, 39.122))
    assert page.locator(".leaflet-tooltip strong").inner_text() == "啟航灣創新產業區"


def test_notebook_shows_two_maps_in_sandboxes(open_map: Any) -> None:
    shown = webmap.draw(plan_frames(), **HEADS | {"title": '"><img src=x onerror=window.ran=1>'})
    host = f"<!DOCTYPE html><meta charset=utf-8>{shown._repr_html_()}{shown._repr_html_()}"
    opened = open_map(host, ready="iframe")
    for frame in opened.page.frames[1:]:
        frame.wait_for_selector(".nk[data-drawn]", state="attached")
        assert frame.locator(".leaflet-nk-zones-pane path").count() == 3
        assert frame.locator("h1").inner_text() == '"><img src=x onerror=window.ran=1>'
    assert len(opened.page.frames) == 3


def test_a_view_of_everything_stays_one_when_the_window_changes(open_map: Any, text: str) -> None:
    page = open_map(text, (1280, 500)).page
    for height in (640, 700, 780, 900):
        page.set_viewport_size({"width": 1500, "height": height})
        page.wait_for_timeout(400)
        holder = page.locator(".nk-map").bounding_box()
        land = page.locator(".leaflet-nk-land-pane path").bounding_box()
        assert holder["height"] - land["height"] == pytest.approx(24, abs=2)
    # A view that the reader chose is kept.
    scale = page.locator(".leaflet-control-scale-line")
    whole = scale.bounding_box()["width"], scale.inner_text()
    page.click(".leaflet-control-zoom-in")
    page.wait_for_timeout(400)
    chosen = scale.bounding_box()["width"], scale.inner_text()
    assert chosen != whole
    page.set_viewport_size({"width": 1280, "height": 500})
    page.wait_for_timeout(400)
    assert (scale.bounding_box()["width"], scale.inner_text()) == chosen


def test_names_keep_off_the_spots_of_sites(open_map: Any, text: str) -> None:
    page = open_map(text).page
    covered = page.evaluate(
        """() => { const boxes = s => [...document.querySelectorAll(s)]
                .map(n => n.getBoundingClientRect());
            const dots = boxes('.leaflet-nk-sites-pane path').filter(b => b.width && b.width < 20);
            return boxes('.nk-label-zones:not(.nk-off)').map(z => dots.filter(d => d.left < z.right
                && d.right > z.left && d.top < z.bottom && d.bottom > z.top).length); }"""
    )
    # The name of the smallest zone fills it, dot and all.
    assert covered[0] == covered[2] == 0


def test_added_folium_layers_are_drawn_offline_as_text(open_map: Any) -> None:
    drawn = webmap.draw(plan_frames(), **HEADS)
    evil = "<img src=x onerror='window.ran=1'>"
    folium.Marker([39.1, 117.15], tooltip=evil, popup=evil).add_to(drawn)
    group = folium.FeatureGroup(evil).add_to(drawn)
    folium.PolyLine([[39.08, 117.12], [39.12, 117.18]], color="red").add_to(group)
    folium.LayerControl().add_to(drawn)
    page = open_map(webmap.html(drawn)).page
    assert _paths(page, "added") == 2
    page.locator(".leaflet-nk-added-pane path").first.evaluate(
        """path => ["mousedown", "mouseup", "click"].forEach(
            type => path.dispatchEvent(new MouseEvent(type, { bubbles: true })))"""
    )
    assert page.locator(".leaflet-popup-content bdi").inner_text() == evil
    page.get_by_label(evil).uncheck()
    assert _paths(page, "added") == 1


def test_the_feature_under_the_pointer_is_drawn_thicker(open_map: Any, text: str) -> None:
    page = open_map(text).page
    lines = page.locator(".leaflet-nk-zones-pane path")
    weights = "all => all.map(p => Number(p.getAttribute('stroke-width') || 0))"
    before = lines.evaluate_all(weights)
    box = page.locator(".leaflet-nk-zones-pane path.leaflet-interactive").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    after = lines.evaluate_all(weights)
    assert sorted({round(b - a, 1) for a, b in zip(before, after, strict=True)}) == [0, 2]
    page.mouse.move(5, 5)
    assert lines.evaluate_all(weights) == before


def test_search_finds_a_name_in_any_script_and_escape_closes(open_map: Any, text: str) -> None:
    page = open_map(text).page
    search = page.locator(".nk-search")
    search.fill("no such place")
    search.press("Enter")
    assert page.locator(".nk-answer").inner_text() != ""
    for name in ("Qihang", "启航湾", "啟航灣"):
        search.fill(name)
        search.press("Enter")
        assert "啟航灣" in page.locator(".nk-card h2").inner_text()
        assert page.locator(".nk-answer").inner_text() == ""
        page.keyboard.press("Escape")
        page.wait_for_selector(".leaflet-popup", state="detached")


def test_a_layer_that_is_off_is_switched_on_by_the_search(open_map: Any, text: str) -> None:
    page = open_map(text).page
    page.locator("input[name=zones]").uncheck()
    page.locator(".nk-search").fill("Qihang")
    page.locator(".nk-search").press("Enter")
    assert page.locator("input[name=zones]").is_checked()


def test_a_line_is_measured_on_the_ellipsoid(open_map: Any, text: str) -> None:
    from nankai_gis.geometry.ruler import length

    page = open_map(text).page
    page.get_by_role("button", name="量測距離").click()
    holder = page.locator(".nk-map").bounding_box()
    places = []
    for x, y in ((0.4, 0.3), (0.6, 0.5), (0.6, 0.8)):
        at = (holder["x"] + holder["width"] * x, holder["y"] + holder["height"] * y)
        page.mouse.move(*at)
        places.append([float(v) for v in page.locator(".nk-where").inner_text().split(",")])
        page.mouse.click(*at)
    metres = length({"type": "LineString", "coordinates": places})
    assert page.locator(".nk-total").inner_text() == f"{metres / 1000:.2f} km"
    assert page.locator(".leaflet-popup").count() == 0
    page.keyboard.press("Escape")
    assert page.locator(".nk-total").is_hidden()


def test_the_view_is_saved_as_a_picture(open_map: Any, text: str, tmp_path: Any) -> None:
    from matplotlib.image import imread

    page = open_map(text).page
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    file = tmp_path / "saved.png"
    download.value.save_as(file)
    picture = imread(file)
    holder = page.locator(".nk-map").bounding_box()
    assert picture.shape[1] == 2 * round(holder["width"])
    # Orange of a zone, blue of a corridor and ink of the title are in it.
    colours = {tuple(c) for c in (picture[::3, ::3, :3] * 255).round().astype(int).reshape(-1, 3)}
    assert (0, 114, 178) in colours
    assert any(r > 240 and 210 < g < 235 and 160 < b < 190 for r, g, b in colours)
    assert picture[:80, :, :3].min() < 0.3


def test_popups_keep_clear_of_the_controls_on_a_phone(open_map: Any, text: str) -> None:
    page = open_map(text, size=(390, 844)).page
    page.locator(".nk-fold").click()
    page.locator("button.nk-item").nth(1).click()
    page.locator(".nk-fold").click()
    page.wait_for_timeout(200)
    card = page.locator(".leaflet-popup-content-wrapper").bounding_box()
    for control in page.locator(".leaflet-control").all():
        box = control.bounding_box()
        if box and box["height"]:
            apart = (
                card["x"] >= box["x"] + box["width"]
                or box["x"] >= card["x"] + card["width"]
                or card["y"] >= box["y"] + box["height"]
                or box["y"] >= card["y"] + card["height"]
            )
            assert apart, (card, box)
