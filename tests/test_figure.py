"""The figure without a screen: sizes, scale, fonts, words, and the same bytes every time."""

from __future__ import annotations

import io
import itertools
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import matplotlib
import pytest
from browser.frames import HEADS, plan_frames
from browser.hostile import hostile_names
from chinese_font import needs_chinese_font
from matplotlib.patches import PathPatch, Rectangle
from shapely.geometry import LineString, Point, box

from nankai_gis.errors import (
    CRSError,
    DataError,
    FontError,
    MissingGlyphWarning,
    NotFoundError,
    OutputError,
)
from nankai_gis.present import figure, fonts
from nankai_gis.present.style import CLASSES
from nankai_gis.words import LANGUAGES, speaking

ROOT = Path(__file__).resolve().parent.parent


pytestmark = needs_chinese_font
LATIN = {"title": "Plan", "source": "Survey", "date": "2025", "lang": "en"}


def _square(name: str = "Square", **more: Any) -> geopandas.GeoDataFrame:
    row = {"name": [name], "status": ["surveyed"]} | {key: [value] for key, value in more.items()}
    return geopandas.GeoDataFrame(row, geometry=[box(117.1, 39.0, 117.2, 39.1)], crs="EPSG:4326")


def _draw(frames: dict[str, Any] | None = None, **more: Any) -> Any:
    return figure.draw(plan_frames() if frames is None else frames, **(HEADS | more))


@pytest.fixture(scope="module")
def plan() -> Any:
    return _draw()


def _texts(drawn: Any) -> list[str]:
    return [text.get_text() for axes in drawn.axes for text in axes.texts]


# --- paper and scale ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "landscape", "dpi", "size"),
    [
        ("A4", False, 300, (2480, 3507)),
        ("A4", True, 100, (1169, 826)),
        ("A3", False, 72, (841, 1190)),
    ],
)
def test_png_has_the_size_of_the_page(page: Any, landscape: bool, dpi: int, size: Any) -> None:
    drawn = figure.draw({"district": _square()}, **LATIN, page=page, landscape=landscape, dpi=dpi)
    content = figure.render(drawn, "png")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == size


@pytest.mark.parametrize("landscape", [False, True])
def test_the_map_is_metric_at_a_round_scale(landscape: bool) -> None:
    drawn = _draw(landscape=landscape)
    axes = drawn.axes[0]
    where, (wide, high) = axes.get_position(), drawn.get_size_inches() * 0.0254
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    across = (east - west) / (where.width * wide)
    along = (north - south) / (where.height * high)
    assert across == pytest.approx(along, rel=1e-9)
    assert round(across) % 2500 == 0
    said = next(text for text in _texts(drawn) if text.startswith("比例尺"))
    assert int(re.sub(r"\D", "", said.partition(":1:")[2] or said.partition("1:")[2])) == round(
        across
    )
    # The district, brought to EPSG:4548 by another route, is all in view.
    bounds = plan_frames()["district"].to_crs("EPSG:4548").total_bounds
    assert west < bounds[0] < bounds[2] < east
    assert south < bounds[1] < bounds[3] < north


def test_the_scale_bar_measures_what_it_says(plan: Any) -> None:
    axes, page = plan.axes
    scale = (axes.get_xlim()[1] - axes.get_xlim()[0]) / (axes.get_position().width * 0.210)
    tall = [p for p in page.patches if isinstance(p, Rectangle) and p.get_linewidth() == 0.5]
    assert len(tall) in (4, 5)
    metres = sum(field.get_width() for field in tall) / 1000 * scale
    assert f"{metres / 1000:.6g} km" in _texts(plan)
    widths = {round(field.get_width(), 6) for field in tall}
    assert len(widths) == 1


def test_north_legend_and_bar_can_be_left_out() -> None:
    bare = _draw(legend=False, scale_bar=False, north=False)
    assert not {"北", "發展帶"} & set(_texts(bare))
    assert not any(text.startswith("比例尺") for text in _texts(bare))
    assert {"北", "發展帶"} <= set(_texts(_draw()))


def test_graticule_has_degrees_and_minutes() -> None:
    said = {text for text in _texts(_draw(graticule=True)) if "°" in text and "′" in text}
    assert {text[-1] for text in said} == {"E", "N"}
    assert "117°08′E" in said
    assert not any("′" in text for text in _texts(_draw()))


# --- words ----------------------------------------------------------------------------------


def test_says_source_date_standing_and_figures(plan: Any) -> None:
    text = "\n".join(_texts(plan))
    assert HEADS["title"] in text
    assert f"數據來源：{HEADS['source']} · 日期：{HEADS['date']}" in text
    assert "內部使用 · © OpenStreetMap contributors, ODbL" in text
    assert "14.62 ± 0.41 km²" in text
    assert "2.50 km（另規劃段 1.40 km）" in text
    assert _texts(plan).count("示意") >= 6


def test_a_page_of_any_size_without_heading_and_margin() -> None:
    drawn = _draw(title="", subtitle="", page=(125, 118), margin=0.5, legend=False)
    assert drawn.get_size_inches() * 25.4 == pytest.approx((125, 118))
    box = drawn.axes[0].get_position()
    assert (box.x0 * 125, box.x1 * 125, box.y1 * 118) == pytest.approx((0.5, 124.5, 117.5))
    turned = _draw(page=(125, 118), landscape=True, legend=False)
    assert turned.get_size_inches() * 25.4 == pytest.approx((118, 125))
    with pytest.raises(DataError, match="118 by 125 mm has no room for the map"):
        _draw(page=(125, 118), landscape=True)


def test_a_map_is_at_least_fifteen_millimetres_wide_and_high() -> None:
    """Beside margins of 10 mm, a map of 15 mm is drawn and one of 14.9 mm refused."""
    bare = (
        LATIN
        | {"title": "", "source": "", "date": ""}
        | dict.fromkeys(("legend", "scale_bar", "north"), False)
    )

    def drawn(width: float, height: float) -> Any:
        return figure.draw({"district": _square()}, **bare, page=(width, height), margin=10)

    position = drawn(35, 400).axes[0].get_position()
    assert position.width * 35 == pytest.approx(15)
    with pytest.raises(DataError, match=r"34\.9 by 400 mm has no room"):
        drawn(34.9, 400)
    # The height of the map is what the foot leaves; letters are as large as the width allows.
    foot = 400 - 20 - drawn(37, 400).axes[0].get_position().height * 400
    assert drawn(37, 35.1 + foot)
    with pytest.raises(DataError, match="has no room"):
        drawn(37, 34.9 + foot)


def test_an_unknown_source_or_date_is_left_out() -> None:
    known = _texts(figure.draw({"zones": _square()}, **LATIN))
    assert any("Source" in text and "Date" in text for text in known)
    dated = _texts(figure.draw({"zones": _square()}, **(LATIN | {"source": ""})))
    assert any(text.startswith("Date") for text in dated)
    neither = _texts(figure.draw({"zones": _square()}, **(LATIN | {"source": "", "date": ""})))
    assert not any(word in text for text in neither for word in ("Source", "Date"))


def test_review_number_only_if_given() -> None:
    text = "\n".join(_texts(_draw(review="津S(2025)001")))
    assert "審圖號：津S(2025)001" in text
    assert "內部使用" not in text


@pytest.mark.parametrize(("lang", "word"), [("zh-Hans", "启航湾创新产业区"), ("en", "Qihang Bay")])
def test_other_languages(lang: str, word: str) -> None:
    drawn = _draw(lang=lang)
    assert word in " ".join(_texts(drawn))
    assert figure.render(drawn, "png")


def test_names_are_text_and_nothing_else() -> None:
    known = set(map(chr, range(0x20, 0x7F))) | set("南開區紅旗路粗")
    names = [n for n in hostile_names() if set(fonts.printable(n)) <= known and n.strip()]
    names += ["$\\frac{1}{0}$", "a\nb\tc", "\x00x"]
    assert len(names) > 100
    assert any("$" in name for name in names)
    spots = [Point(117 + n % 10 * 0.02, 39 + n // 10 * 0.02) for n in range(len(names))]
    rows = {"name": names, "status": "surveyed", "theme": names}
    sites = geopandas.GeoDataFrame(rows, geometry=spots, crs="EPSG:4326")
    text = "\n".join(name for name in names[::6] if len(name) < 60)
    heads = {"title": text, "source": text}
    drawn = figure.draw({"sites": sites}, **(LATIN | heads), page=(420, 4000), dpi=36)
    for axes in drawn.axes:
        assert not any(written.get_parse_math() for written in axes.texts)
    texts = [t.replace(" ", "") for t in _texts(drawn)]
    for name in names:
        assert fonts.printable(name).replace(" ", "") in texts or len(name) > 40
    # Drawing has laid the letters out as PNG does.
    for form in ("svg", "pdf"):
        assert figure.render(drawn, form)


@pytest.mark.parametrize("quotes", ["「」", "“”"])
def test_a_zone_is_labelled_in_two_lines_parted_after_the_quotation(quotes: str) -> None:
    head, tail = f"老城厢{quotes[0]}文商旅{quotes[1]}", "升级发展集聚区"
    drawn = figure.draw({"zones": _square(head + tail)}, **(LATIN | {"lang": "zh-Hans"}))
    assert {head, tail} <= set(_texts(drawn))


def test_no_line_begins_with_a_comma_or_ends_with_an_opening_bracket() -> None:
    drawn = _draw(title="界線與位置，均為示意（示意）；另見《說明》：" * 12)
    assert not any(
        text[:1] in tuple("，；：》）") or text[-1:] in tuple("（《") for text in _texts(drawn)
    )


def test_labels_do_not_collide(plan: Any) -> None:
    plan.canvas.draw()
    found = [t for t in plan.axes[1].texts if t.get_path_effects() and not t.get_rotation()]
    boxes = [t.get_window_extent() for t in found if len(t.get_text()) > 1]
    assert len(boxes) > 15
    for one, other in itertools.combinations(boxes, 2):
        a, b = (box(c.x0, c.y0, c.x1, c.y1) for c in (one, other))
        assert a.intersection(b).area < 0.02 * min(a.area, b.area)


# --- looks ----------------------------------------------------------------------------------


def _fills(drawn: Any) -> list[str]:
    return [
        matplotlib.colors.to_hex(patch.get_facecolor())
        for patch in drawn.axes[0].patches
        if isinstance(patch, PathPatch) and patch.get_facecolor()[3] > 0.5
    ]


def test_choropleth_has_five_classes_and_a_hatch_for_no_data() -> None:
    drawn = _draw(plan_frames(coverage=True))
    assert {colour for _, colour in CLASSES} <= set(_fills(drawn))
    assert {"片區覆蓋率 0%–20%", "80%–100%", "無數據"} <= set(_texts(drawn))
    assert sum(bool(patch.get_hatch()) for patch in drawn.axes[0].patches) == 2  # and the parcel
    assert not {colour for _, colour in CLASSES} & set(_fills(_draw()))


def test_sides_are_dashed_by_their_own_certainty() -> None:
    keys = ("name", "status", "accuracy_m", "start", "stop")
    sides = [("北", "osm", 10.0, 0, 2), ("河", "inferred", 80.0, 2, 4)]
    frame = _square(parts=[dict(zip(keys, side, strict=True)) for side in sides])
    frame["status"] = "inferred"
    drawn = figure.draw({"zones": frame}, **LATIN)
    lines = [patch for patch in drawn.axes[0].patches if not patch.get_fill()]
    assert [patch.get_linestyle() == "solid" for patch in lines] == [True, False]


def test_only_the_layers_asked_for() -> None:
    drawn = _draw(layers=["district", "corridors"])
    assert "發展帶" in _texts(drawn)
    assert not {"重點片區", "啟航灣創新產業區"} & set(_texts(drawn))
    with pytest.raises(NotFoundError, match="'roads'"):
        _draw(layers=["roads"])


def test_a_single_spot_is_shown_with_its_surroundings() -> None:
    spot = geopandas.GeoDataFrame(
        {"name": ["A"], "status": ["surveyed"]}, geometry=[Point(117.15, 39.1)], crs="EPSG:4326"
    )
    drawn = figure.draw({"sites": spot}, **LATIN)
    west, east = drawn.axes[0].get_xlim()
    assert 150 < east - west < 1000


def test_a_line_across_the_page_needs_no_district() -> None:
    line = geopandas.GeoDataFrame(
        {"name": ["A"], "status": ["osm"]},
        geometry=[LineString([(117.0, 39.1), (117.3, 39.1)])],
        crs="EPSG:4326",
    )
    assert figure.render(figure.draw({"streets": line}, **LATIN, graticule=True), "svg")


# --- fonts ----------------------------------------------------------------------------------


def test_pdf_embeds_the_glyphs_in_use(plan: Any) -> None:
    content = figure.render(plan, "pdf")
    assert content.count(b"/Subtype /Type3") >= 2  # the regular and the bold face
    # No font is left to whoever opens the file, and none is there whole.
    assert b"/Type0" not in content
    assert b"/TrueType" not in content
    assert len(content) < 1_500_000


def test_a_notebook_shows_the_picture(plan: Any) -> None:
    picture = plan._repr_png_()
    assert struct.unpack(">II", picture[16:24]) == (909, 1286)
    assert plan.dpi == 300


def test_svg_has_texts_as_outlines(plan: Any) -> None:
    content = figure.render(plan, "svg").decode()
    assert "<text" not in content
    assert "font-family" not in content
    assert "nankai-gis-font" not in content


def _outlines(svg: bytes) -> list[tuple[str, list[str], list[float]]]:
    """Return style, commands and coordinates of every path as it is drawn, in order."""
    space, link = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
    root = ElementTree.fromstring(svg)
    shared = {f"#{path.get('id')}": path.get("d", "") for path in root.iter(f"{space}path")}
    found = []
    for element in root.iter():
        if element.tag == f"{space}path" and element.get("id") is None:
            outline = element.get("d", "")
        elif element.tag == f"{space}use":
            outline = shared[element.get(link, "")]
        else:
            continue
        steps = outline.split()
        numbers = [float(step) for step in steps if step[-1].isdigit()]
        commands = [step for step in steps if not step[-1].isdigit()]
        found.append((element.get("style", ""), commands, numbers))
    return found


def test_a_lean_svg_draws_what_matplotlib_wrote(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lean = figure.render(plan, "svg")
    monkeypatch.setattr("nankai_gis.present.figure.files._lean", lambda svg: svg)
    whole = figure.render(plan, "svg")
    assert len(lean) < 0.6 * len(whole)
    assert b"haloed" in lean
    pairs = list(zip(_outlines(lean), _outlines(whole), strict=True))
    assert [mine[:2] for mine, _ in pairs] == [theirs[:2] for _, theirs in pairs]
    for (*_, mine), (*_, theirs) in pairs:
        assert mine == pytest.approx(theirs, abs=0.00501, rel=0)


@pytest.mark.parametrize("where", ["title", "name", "review"])
def test_a_box_is_drawn_for_a_sign_without_a_glyph(where: str) -> None:
    frames = {"zones": _square("𠀀\U000f0000" if where == "name" else "A")}
    more = {where: "區\U000f0000"} if where != "name" else {}
    with pytest.warns(MissingGlyphWarning, match="no font has .*\U000f0000; □ is drawn"):
        figure.draw(frames, **(LATIN | more))


def test_a_font_of_last_resort_is_no_font() -> None:
    path = Path(matplotlib.get_data_path()) / "fonts/ttf/LastResortHE-Regular.ttf"
    if not path.is_file():
        pytest.skip("this Matplotlib ships no font of last resort to refuse")
    with pytest.raises(FontError, match="no glyph for"):
        fonts.covering(["南"], font=str(path))


def test_a_font_by_file_and_by_family() -> None:
    path = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    for font in (str(path), "DejaVu Sans", "dejavu sans"):
        assert fonts.covering(["km² ±"], font=font).regular.family == "DejaVu Sans"
    with pytest.raises(FontError, match=r"DejaVu Sans has no glyph for these characters .2.: 南開"):
        fonts.covering(["南開 km"], font=str(path))


def test_the_bold_weight_comes_from_its_own_file() -> None:
    pair = fonts.covering(["Plan"], font="DejaVu Sans")
    assert pair.regular.path != pair.bold.path
    assert pair.bold.width("Plan", 10) > pair.regular.width("Plan", 10) > 0


def test_widths_are_those_of_the_font() -> None:
    face = fonts.covering(["南開"]).regular
    # Ideographs are as wide as the em.
    assert face.width("南開", 10) == pytest.approx(2 * 10 * 25.4 / 72, rel=0.02)


@pytest.mark.parametrize("font", ["no/such.ttf", "No Such Family"])
def test_a_missing_font_is_said(font: str) -> None:
    with pytest.raises(FontError, match=r"no/such\.ttf' is not|'No Such Family'") as caught:
        figure.draw({"district": _square()}, **LATIN, font=font)
    assert "fonts-noto-cjk" in str(caught.value)


def test_a_damaged_font_file_is_said(tmp_path: Path) -> None:
    for content in (b"", b"ttcf", b"ttcf\x00\x01\x00\x00\x00\x00\x00\x02", b"\x00\x01\x00\x00junk"):
        file = tmp_path / "broken.ttf"
        file.write_bytes(content)
        with pytest.raises(FontError, match="is not a readable font file"):
            fonts.covering(["A"], font=str(file))


def test_collections_give_the_face_of_the_language() -> None:
    families = {}
    for lang in LANGUAGES:
        with speaking(lang):
            families[lang] = fonts.covering(["南"]).regular.family
    if "Noto Sans CJK" not in families["zh-Hant"]:
        pytest.skip("another font is preferred here, which is no collection of languages")
    assert families["zh-Hant"] in ("Noto Sans CJK TC", "Noto Sans CJK HK")
    assert families["zh-Hans"] == "Noto Sans CJK SC"
    assert fonts.covering(["南"], font="Noto Sans CJK JP").regular.family == "Noto Sans CJK JP"


# --- bytes and files --------------------------------------------------------------------------

_PRINT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from browser.frames import HEADS, plan_frames
from nankai_gis.present import figure
drawn = figure.draw(plan_frames(coverage=True), **HEADS, dpi=60)
print(*(hashlib.sha256(figure.render(drawn, form)).hexdigest() for form in figure.FORMATS))
"""


def test_letters_keep_their_strokes_at_a_low_resolution() -> None:
    """中 is uprights and levels only; moved onto whole pixels some of them would be lost."""
    import numpy as np
    from PIL import Image

    road = geopandas.GeoDataFrame(
        {"name": ["中中中中中"], "status": ["osm"], "kind": ["street"]},
        geometry=[LineString([(117.0, 39.1), (117.0, 39.2)])],
        crs="EPSG:4326",
    )
    bare: dict[str, Any] = {"legend": False, "north": False, "scale_bar": False, "lang": "zh-Hant"}
    drawn = figure.draw({"streets": road}, **(LATIN | bare), dpi=80)
    letters = [text for text in drawn.axes[1].texts if text.get_text() == "中"]
    assert len(letters) == 5
    with Image.open(io.BytesIO(figure.render(drawn))) as picture:
        ink = 255 - np.asarray(picture.convert("L"), dtype=float)
    found = []
    for letter in letters:
        x, up = drawn.axes[1].transData.transform(letter.get_position())
        down = ink.shape[0] - up
        found.append(ink[round(down) - 5 : round(down) + 5, round(x) - 5 : round(x) + 5].sum())
    # Each lies otherwise between the pixels; whole, they have about the same ink.
    assert max(found) < 1.4 * min(found)


def test_the_same_input_gives_the_same_bytes() -> None:
    seen = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", _PRINT, str(ROOT / "tests")]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(set(seen.pop().split())) == 3


def test_settings_of_matplotlib_change_nothing() -> None:
    frame = _square()
    frame["status"] = "inferred"  # dashed
    plain = figure.render(figure.draw({"zones": frame}, **LATIN), "svg")
    settings = {"lines.linewidth": 9, "lines.scale_dashes": False, "svg.fonttype": "none"}
    with matplotlib.rc_context(settings):
        assert figure.render(figure.draw({"zones": frame}, **LATIN), "svg") == plain
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_saves_by_suffix_and_only_over_what_it_may(tmp_path: Path) -> None:
    drawn = figure.draw({"district": _square()}, **LATIN, dpi=36)
    for form, head in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        target = tmp_path / f"a.{form}"
        figure.save(drawn, target)
        assert target.read_bytes().startswith(head)
        target.write_bytes(b"mine")
        with pytest.raises(OutputError, match="exists"):
            figure.save(drawn, target)
        assert target.read_bytes() == b"mine"
        figure.save(drawn, target, overwrite=True)
        assert target.read_bytes().startswith(head)
    with pytest.raises(NotFoundError, match="'gif'"):
        figure.save(drawn, tmp_path / "a.gif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdf", "a.png", "a.svg"]


def test_bad_input_is_said() -> None:
    with pytest.raises(NotFoundError, match="'B4'"):
        _draw(page="B4")
    for dpi in (0, -5, 5000, float("nan")):
        with pytest.raises(DataError, match="dpi is out of range"):
            _draw(dpi=dpi)
    with pytest.raises(NotFoundError, match="'fr'"):
        _draw(lang="fr")
    with pytest.raises(CRSError, match="no CRS"):
        _draw({"district": _square().set_crs(None, allow_override=True)})
    with pytest.raises(DataError, match="nothing to draw"):
        _draw({})


def test_the_module_is_light() -> None:
    code = "import sys, nankai_gis.present.figure; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    heavy = {"matplotlib", "numpy", "shapely", "pyproj", "geopandas", "fontTools"}
    assert not heavy & set(done.stdout.decode().split())
