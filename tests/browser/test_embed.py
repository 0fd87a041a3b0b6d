"""Two maps in one page: as frames, as parts of the body, and both; nothing clashes."""

from __future__ import annotations

from typing import Any

import pytest
from frames import HEADS, plan_frames

from nankai_gis.present import webmap
from nankai_gis.reports import documents
from nankai_gis.reports.sections import Section

pytestmark = pytest.mark.browser
#: Pixels of a stylesheet.
MM = 96 / 25.4
# A host with habits of its own: a Leaflet, a module loader, a style for everything.
_HOST = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>報告</title>
<style>h2 {{ color: rgb(200, 0, 0) }} ul {{ list-style: square }}</style>
<script>window.L = {{version: "host"}}; window.define = function () {{ window.defined = 1 }};
define.amd = {{}};</script></head>
<body><h1>報告</h1><p>甲</p>{0}<p>乙</p>{1}<p>丙</p></body></html>"""


@pytest.fixture(scope="module")
def drawn() -> Any:
    return webmap.draw(plan_frames(), **HEADS)


def _paths(page: Any, number: int, layer: str) -> int:
    return page.locator(".nk").nth(number).locator(f".leaflet-nk-{layer}-pane path").count()


def test_a_fragment_included_twice(open_map: Any, drawn: Any) -> None:
    piece = webmap.fragment(drawn)
    page = open_map(_HOST.format(piece, piece), ready=".nk[data-drawn] >> nth=1").page
    assert page.locator(".nk").count() == 2
    for number in (0, 1):
        assert _paths(page, number, "zones") == 3
        assert page.locator(".nk").nth(number).locator("h2.nk-title").inner_text() == HEADS["title"]
    # Each hatch is found in its own map.
    hatches = page.locator("pattern").evaluate_all("all => all.map(n => n.id)")
    fills = page.locator(".leaflet-nk-parcel-pane path").evaluate_all(
        "all => all.map(p => p.getAttribute('fill')).filter(f => f && f !== 'none')"
    )
    assert len(set(hatches)) == 2
    assert sorted(fills) == sorted(f"url(#{name})" for name in hatches)
    # A switch in one map leaves the other alone.
    page.locator("input[name=zones]").first.uncheck()
    assert (_paths(page, 0, "zones"), _paths(page, 1, "zones")) == (0, 3)


def test_the_host_keeps_what_it_has(open_map: Any, drawn: Any) -> None:
    page = open_map(_HOST.format(webmap.fragment(drawn), "")).page
    assert page.evaluate("[window.L.version, window.leaflet === undefined, window.defined]") == [
        "host",
        True,
        None,
    ]
    assert page.evaluate("getComputedStyle(document.body).margin") == "8px"
    assert page.locator("body > p").count() == 3
    # The map lies in the flow of the page, between its paragraphs, and isn't taller than it says.
    box = page.locator(".nk").bounding_box()
    after = page.locator("p", has_text="乙").bounding_box()
    assert box["height"] == pytest.approx(640, abs=4)
    assert after["y"] >= box["y"] + box["height"]


#: What style sheets of many sites say of every element: a reset, a framework, a blog's theme.
_SHEETS = (
    "*{margin:0;padding:0;border:0;font:inherit;vertical-align:baseline;box-sizing:content-box}"
    "ol,ul{list-style:none}table{border-collapse:collapse;border-spacing:0}",
    "*,*::before{box-sizing:border-box}img,svg{max-width:100%;height:auto;vertical-align:middle}"
    "label{display:inline-block;margin-bottom:8px}button{border-radius:0;text-transform:uppercase}"
    "fieldset{min-width:0;padding:20px!important}input{width:100%!important;display:block}",
    "div,section,aside{position:static!important;float:none;overflow:visible!important}"
    "div img,div svg,canvas{max-width:50%!important;display:none!important}p{font-size:30px}"
    "h2{font-size:60px!important;color:red!important}button{padding:2em!important}body{zoom:1}",
)


@pytest.mark.parametrize("sheet", _SHEETS, ids=("reset", "framework", "theme"))
def test_the_style_of_the_page_does_not_reach_a_fragment(
    open_map: Any, drawn: Any, sheet: str
) -> None:
    def boxes(style: str) -> list[list[float]]:
        host = f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style>"
        page = open_map(f"{host}<div>{webmap.fragment(drawn)}</div>").page
        parts = page.locator(".nk, .nk-map, .nk-title, .nk-item, .nk-open, .leaflet-pane path")
        return parts.evaluate_all(
            """all => { const top = all[0].getBoundingClientRect();
                return all.map(n => n.getBoundingClientRect())
                    .map(b => [b.x - top.x, b.y - top.y, b.width, b.height]); }"""
        )

    plain, styled = boxes("body{margin:0}"), boxes("body{margin:0}" + sheet)
    assert len(plain) > 40
    assert styled == [pytest.approx(box, abs=0.6) for box in plain]


def test_the_wheel_scrolls_the_report_past_a_fragment(open_map: Any, drawn: Any) -> None:
    page = open_map(_HOST.format(webmap.fragment(drawn), "<div style='height:3000px'></div>")).page
    path = page.locator(".leaflet-nk-zones-pane path").first
    before = path.get_attribute("d")
    page.mouse.move(400, 400)
    page.mouse.wheel(0, 200)
    page.wait_for_function("window.scrollY > 100")
    assert path.get_attribute("d") == before


def test_a_narrow_column_folds_the_legend(open_map: Any, drawn: Any) -> None:
    column = f"<div id='column' style='width:600px'>{webmap.fragment(drawn)}</div>"
    page = open_map(_HOST.format(column, "")).page
    assert page.locator(".nk-legend").is_hidden()
    page.evaluate("document.getElementById('column').style.width = '1100px'")
    page.wait_for_selector(".nk-legend", state="visible")
    # The view that showed everything still does, in the middle of its new size.
    page.wait_for_timeout(100)
    land = page.locator(".leaflet-nk-land-pane path").bounding_box()
    holder = page.locator(".nk-map").bounding_box()
    assert land["x"] + land["width"] / 2 == pytest.approx(holder["x"] + holder["width"] / 2, abs=3)
    assert land["height"] > 0.9 * holder["height"]


def test_a_fragment_in_print_has_no_table(open_map: Any, drawn: Any) -> None:
    page = open_map(_HOST.format(webmap.fragment(drawn), "")).page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".nk-map").bounding_box()["width"] == pytest.approx(186 * 96 / 25.4, abs=1)
    assert page.locator(".nk-figures").is_hidden()
    assert page.locator(".nk-legend").is_visible()


def test_frames_and_fragments_side_by_side(open_map: Any, drawn: Any) -> None:
    frame = webmap.iframe(drawn, title='"><img src=x onerror=window.ran=1>')
    host = _HOST.format(frame + webmap.fragment(drawn), frame + webmap.fragment(drawn))
    page = open_map(host, ready=".nk[data-drawn] >> nth=1").page
    assert page.locator(".nk").count() == 2
    holders = page.locator("iframe").element_handles()
    frames = [holder.content_frame() for holder in holders]
    assert len(frames) == 2
    for holder, inner in zip(holders, frames, strict=True):
        # A browser may put off drawing what is out of sight.
        holder.scroll_into_view_if_needed()
        inner.wait_for_selector(".nk[data-drawn]", state="attached")
        assert inner.locator(".leaflet-nk-zones-pane path").count() == 3
    titles = page.locator("iframe").evaluate_all("all => all.map(n => n.title)")
    assert titles == ['"><img src=x onerror=window.ran=1>'] * 2
    # Sandboxed: the map can't reach the page around it.
    reach = "(() => { try { return parent.document.title } catch (e) { return e.name } })()"
    assert frames[0].evaluate(reach) == "SecurityError"
    # As wide as its column.
    page.set_viewport_size({"width": 500, "height": 800})
    assert page.locator("iframe").first.bounding_box()["width"] == 500 - 16
    holders[0].scroll_into_view_if_needed()
    frames[0].wait_for_selector(".nk-narrow", state="attached")


def test_a_frame_can_point_to_a_file(drawn: Any) -> None:
    frame = webmap.iframe(drawn, src='maps/a".html', height=300)
    assert 'src="maps/a&quot;.html"' in frame
    assert 'height="300"' in frame
    assert 'sandbox="allow-scripts allow-modals allow-downloads"' in frame
    assert "srcdoc" not in frame


def test_hostile_text_stays_text_in_a_fragment(open_map: Any) -> None:
    from hostile import hostile_names

    frames = plan_frames()
    frames["zones"]["name"] = hostile_names()[:3]
    heads = HEADS | {"title": "\n".join(hostile_names())}
    page = open_map(_HOST.format(webmap.fragment(webmap.draw(frames, **heads)), "")).page
    assert page.locator(".nk-title").evaluate("n => n.textContent") == heads["title"]


def test_a_report_on_paper_has_each_map_whole_with_its_legend(open_map: Any, drawn: Any) -> None:
    sections = [
        Section(key, "節", "", "", ("文。" * 200,), (), picture="圖") for key in ("", "a", "b")
    ]
    maps = {section.id: webmap.iframe(drawn) for section in sections}
    text = documents.html(sections, maps, title="報告", subtitle="", date="2026")
    page = open_map(text, ready="iframe").page
    page.emulate_media(media="print")
    holders = page.locator("iframe").element_handles()
    assert len(holders) == 3
    for holder in holders:
        holder.scroll_into_view_if_needed()
        inner = holder.content_frame()
        inner.wait_for_selector(".nk-paper[data-drawn]", state="attached")
        assert inner.locator(".leaflet-nk-zones-pane path").count() == 3
        size = holder.bounding_box()
        assert size["width"] == pytest.approx(186 * MM, abs=1)
        assert size["height"] == pytest.approx(195 * MM, abs=1)
        # Nothing is cut off, nothing scrolls, and the page's tables aren't said again.
        inside = "() => [...document.querySelectorAll('.nk, .nk-map, .nk-legend, .nk-foot')]"
        inside += ".map(n => n.getBoundingClientRect()).map(b => [b.right, b.bottom, b.height])"
        for right, bottom, height in inner.evaluate(inside):
            assert right <= size["width"] + 1
            assert bottom <= size["height"] + 1
            assert height > 10
        assert inner.locator(".nk-figures").is_hidden()
        land = inner.locator(".leaflet-nk-land-pane path").bounding_box()
        sheet = inner.locator(".nk-map").bounding_box()
        assert sheet["y"] < land["y"]
        assert land["y"] + land["height"] < sheet["y"] + sheet["height"]
        assert land["height"] > 0.7 * sheet["height"]


def test_a_map_that_was_out_of_sight_is_drawn_for_paper(open_map: Any, drawn: Any) -> None:
    host = f"<!DOCTYPE html><meta charset=utf-8><div hidden>{webmap.fragment(drawn)}</div>"
    page = open_map(host, ready=".nk[data-nk-map]").page
    assert page.locator(".nk[data-drawn]").count() == 0
    # In one task: before the browser comes round to telling the map that it has a size.
    count = page.evaluate(
        """() => { document.querySelector('div[hidden]').hidden = false;
            window.dispatchEvent(new Event('beforeprint'));
            const inner = document.querySelector('.nk-host').shadowRoot;
            return inner.querySelectorAll('.leaflet-nk-zones-pane path').length; }"""
    )
    assert count == 3
