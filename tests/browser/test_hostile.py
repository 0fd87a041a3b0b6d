"""Every hostile name in every place of the map, loaded, hovered and clicked: text stays text."""

from __future__ import annotations

from typing import Any

import geopandas
import pytest
from frames import HEADS
from hostile import hostile_names
from shapely.geometry import LineString, Point, box

from nankai_gis.present import webmap

pytestmark = pytest.mark.browser
NAMES = hostile_names()
_TEXT = (
    "id",
    "kind",
    "name",
    "name_hans",
    "name_en",
    "clause",
    "clause_source",
    "note",
    "section",
    "source",
    "date",
    "street",
    "street_name",
    "role",
    "theme",
    "code",
    "corridor",
)
_AREAS = ("district", "zones", "parcel", "subdistricts")

# Sends each line or area of a layer (casings come before them) the events of a mouse;
# returns what tooltip and popup say.
_VISIT = """
([layer, count]) => {
  const texts = root => [...root.querySelectorAll('bdi')].map(n => n.textContent);
  const seen = [];
  const pane = document.querySelector(`.leaflet-nk-${layer}-pane`);
  const paths = [...pane.querySelectorAll('path.leaflet-interactive')];
  for (const path of paths.slice(-count)) {
    const box = path.getBoundingClientRect();
    const at = { bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
    const fire = type => path.dispatchEvent(new MouseEvent(type, at));
    fire('mouseover'); fire('mousemove');
    const tip = document.querySelector('.leaflet-tooltip');
    const said = texts(tip);
    const children = tip.querySelectorAll('*:not(div,strong,bdi,span)').length;
    fire('mousedown'); fire('mouseup'); fire('click');
    const card = document.querySelector('.leaflet-popup-content');
    seen.push([said, texts(card), children]);
    fire('mouseout');
    document.querySelector('.leaflet-popup-close-button').click();
    document.querySelectorAll('.leaflet-popup, .leaflet-tooltip').forEach(n => n.remove());
  }
  return seen;
}
"""


def _frames() -> dict[str, geopandas.GeoDataFrame]:
    """Return all layers with one row per name, the name in every text column."""
    rows = [dict.fromkeys(_TEXT, name) | {"status": "osm", "rank": 1} for name in NAMES]
    cells = [(117.0 + n % 20 * 0.01, 39.0 + n // 20 * 0.01) for n in range(len(NAMES))]
    areas = [box(x, y, x + 0.008, y + 0.008) for x, y in cells]
    lines = [LineString([(x, y), (x + 0.008, y + 0.004)]) for x, y in cells]
    points = [Point(x + 0.004, y + 0.004) for x, y in cells]
    shapes = dict.fromkeys((*_AREAS, "water", "green"), areas)
    shapes |= {"corridors": lines, "streets": lines, "sites": points}
    for name, row in zip(NAMES, rows, strict=True):
        row["parts"] = [
            {"name": name, "status": "osm", "accuracy_m": 1, "start": 0, "stop": 2},
            {"name": name, "status": "inferred", "accuracy_m": 1, "start": 2, "stop": 4},
        ]
    return {
        key: geopandas.GeoDataFrame(rows, geometry=shape, crs="EPSG:4326")
        for key, shape in shapes.items()
    }


def test_the_list_is_long_enough() -> None:
    assert len(NAMES) >= 300
    assert len(set(NAMES)) == len(NAMES)


def _sides(feature: dict[str, Any]) -> list[str]:
    return [side["text"] for side in feature["sides"]]


def _facts(feature: dict[str, Any], sources: list[str]) -> list[str]:
    facts = feature["facts"] | {"source": "; ".join(sources[n] for n in feature["facts"]["source"])}
    return list(facts.values())


def _all_texts(page: Any, selector: str) -> list[str]:
    texts: list[str] = page.locator(selector).evaluate_all("all => all.map(n => n.textContent)")
    return texts


# One layer at a time: each popup may pan the map, and a pan redraws all there is.
@pytest.mark.parametrize(
    ("layer", "lang"),
    [
        ("district", "zh-Hant"),
        ("zones", "zh-Hant"),
        ("parcel", "zh-Hans"),
        ("corridors", "zh-Hant"),
        ("sites", "en"),
        ("subdistricts", "zh-Hans"),
        ("streets", "en"),
    ],
)
def test_names_in_every_column_stay_text(open_map: Any, layer: str, lang: str) -> None:
    drawn = webmap.draw({layer: _frames()[layer]}, **HEADS, lang=lang)
    opened = open_map(webmap.html(drawn))
    page = opened.page
    seen = page.evaluate(_VISIT, [layer, len(NAMES)])
    expected = [
        [f["name"], *f["others"], f["clause"], *_facts(f, drawn.content["sources"]), *_sides(f)]
        for f in drawn.content["layers"][0]["features"]
    ]
    assert sorted(card for _, card, _ in seen) == sorted(expected)
    assert {tip[0] for tip, _, _ in seen} == set(NAMES)
    assert {children for _, _, children in seen} == {0}
    if layer != "district":
        assert set(_all_texts(page, f".nk-label-{layer} bdi")) == set(NAMES)
    if layer != "subdistricts":
        assert _all_texts(page, ".nk-item-name") == NAMES
    assert _all_texts(page, ".nk-figures tbody th") == NAMES
    opened.assert_quiet()


def test_names_of_the_base_stay_text(open_map: Any) -> None:
    frames = _frames()
    opened = open_map(webmap.html(webmap.draw({k: frames[k] for k in ("water", "green")}, **HEADS)))
    assert opened.page.locator(".leaflet-nk-water-pane path").count() == 3 * len(NAMES)
    opened.assert_quiet()


@pytest.mark.parametrize("part", range(8))
def test_title_subtitle_source_date_and_review_stay_text(open_map: Any, part: int) -> None:
    name = "\n".join(NAMES[part::8])
    frames = {"district": _frames()["district"].iloc[:1]}
    heads = dict.fromkeys(("title", "subtitle", "source", "date", "review"), name)
    opened = open_map(webmap.html(webmap.draw(frames, **heads)))
    page = opened.page
    assert page.locator("h1").evaluate("n => n.textContent") == name
    assert page.locator(".nk-head p").evaluate("n => n.textContent") == name
    foot = page.locator(".nk-imprint bdi").evaluate_all("all => all.map(n => n.textContent)")
    assert foot == [name, name, name, "© OpenStreetMap contributors, ODbL"]
    assert page.evaluate("document.head.querySelectorAll('*').length") == 7
    # A tab's title can't hold line breaks or controls; everything else of it is there.
    squeezed = "".join(c for c in name if c.isprintable() and not c.isspace())
    title = page.evaluate("document.title")
    assert "".join(c for c in title if c.isprintable() and not c.isspace()) == squeezed
