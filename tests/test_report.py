"""The report: what it says is the study's, and both forms say the same."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest
from figures import square_km
from PIL import Image

from nankai_gis import words
from nankai_gis.measure.features import AreaRow
from nankai_gis.plan.names import simplified
from nankai_gis.present.document import map_document
from nankai_gis.reports import content, documents
from nankai_gis.reports.sections import Section, Table
from nankai_gis.studies import study

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FOUND = study.packaged()
with words.speaking("zh-Hant"):
    SECTIONS = content.compose(FOUND)
WORDS = {"title": "報告", "subtitle": "副題", "date": "2026-11-24"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ff"
    "ff3f0005fe02fea7a6a0f50000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(words.VARIABLE, "zh-Hant")


def composed(lang: words.Language) -> tuple[Section, ...]:
    with words.speaking(lang):
        return content.compose(FOUND)


def texts(section: Section) -> str:
    cells = [c for t in section.tables for row in (t.header, *t.rows) for c in row]
    return "\n".join([section.title, section.clause, *section.paragraphs, *cells])


def test_every_zone_parcel_and_corridor_has_its_section() -> None:
    ids = [s.id for s in SECTIONS if s.id]
    wanted = [f.id for k in ("zone", "parcel", "corridor") for f in FOUND.plan.of_kind(k)]
    assert [key for key in ids if ":" not in key] == wanted


@pytest.mark.parametrize("row", FOUND.areas(["zone", "parcel"]), ids=lambda r: r.id)
def test_figures_are_those_of_the_study(row: AreaRow) -> None:
    (section,) = [s for s in SECTIONS if s.id == row.id]
    assert f"{row.area_m2 / 1e6:.2f}" in section.paragraphs[0]
    names = {t.caption for t in section.tables}
    assert any("街道" in n for n in names)
    assert any("道路" in n for n in names)


def test_claims_stand_beside_measures_and_inference_is_said() -> None:
    everything = "\n".join(map(texts, SECTIONS))
    for text in ("僅相鄰", "華苑街道未列入任何片區", "推定", "未定位", "ODbL", "2.2 平方公里"):
        assert text in everything


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
def test_other_languages_are_the_same_report(lang: words.Language) -> None:
    sections = composed(lang)
    assert [s.id for s in sections] == [s.id for s in SECTIONS]
    title = {"zh-Hans": "启航湾创新产业区", "en": "Qihang Bay innovation industry zone"}[lang]
    assert title in {s.title for s in sections}

    def figures(section: Section) -> list[str]:
        cells = [cell for t in section.tables for row in t.rows for cell in row]
        return sorted(re.findall(r"\d+\.\d+", "\n".join([*section.paragraphs, *cells])))

    assert list(map(figures, sections)) == list(map(figures, SECTIONS))


def test_an_english_report_is_english_but_for_what_it_quotes() -> None:
    quoted = {note for f in FOUND.plan.features for note in (f.note,) if note}
    for section in composed("en"):
        tables = [t for t in section.tables if t.caption != "Sources"]
        cells = [c for t in tables for row in (t.header, *t.rows) for c in row]
        captions = [t.caption for t in section.tables]
        written = [section.title, section.place, section.picture, *captions, *cells]
        written += [text for text in section.paragraphs if text not in quoted]
        chinese = [text for text in written if re.search(r"[\u4e00-\u9fff，。：；（）]", text)]
        # Words of a clause that are no road, and the mark of coverage for no subdistrict.
        left = [t for t in chinese if "no road of the clause's names" not in t]
        assert [t for t in left if "無街道" not in t] == []


def test_the_word_document_reads_back() -> None:
    pictures = {s.id: PIXEL for s in SECTIONS if s.picture}
    document = docx.Document(io.BytesIO(documents.docx(SECTIONS, pictures, **WORDS)))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [s.title for s in SECTIONS]
    assert len(document.tables) == sum(bool(t.rows) for s in SECTIONS for t in s.tables)
    assert len(document.inline_shapes) == len(pictures)
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    tables = [c for c in captions if c.startswith("表")]
    assert [c.split()[1] for c in tables] == [str(k) for k in range(1, len(tables) + 1)]
    (areas,) = [t for s in SECTIONS for t in s.tables if t.caption.startswith("行政區")]
    set_cells = [[c.text for c in row.cells] for row in document.tables[0].rows]
    assert set_cells == [list(areas.header), *map(list, areas.rows)]


@pytest.mark.parametrize(
    ("lang", "figure", "table"),
    [("zh-Hant", "圖", "表"), ("zh-Hans", "图", "表"), ("en", "Figure", "Table")],
)
def test_captions_are_in_the_language_of_the_report(
    lang: words.Language, figure: str, table: str
) -> None:
    sections = composed(lang)
    shown = {s.id: PIXEL for s in sections if s.picture}
    with words.speaking(lang):
        document = docx.Document(io.BytesIO(documents.docx(sections, shown, **WORDS)))
        page = documents.html(sections, dict.fromkeys(shown, ""), **WORDS)
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert {c.split()[0] for c in captions} == {figure, table}
    assert f"<figcaption>{figure} 1  " in page
    assert f'<html lang="{lang}">' in page
    if lang == "zh-Hans":
        written = "".join([*captions, *(texts(s) for s in sections), page.replace("報告", "")])
        written = written.replace(WORDS["subtitle"], "")
        assert simplified(written) == written


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_punctuation_is_that_of_chinese_prose(lang: words.Language) -> None:
    for section in composed(lang):
        captions = [t.caption for t in section.tables]
        everything = "\n".join([texts(section), section.picture, section.place, *captions])
        for line in everything.splitlines():
            # Every bracket is closed by one of its own width.
            assert line.count("(") == line.count(")"), line
            assert line.count("（") == line.count("）"), line
        assert not re.search(r"[\u4e00-\u9fff」）][,:;!?]|[,:;!?][\u4e00-\u9fff「（]", everything)


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        ("東至紅旗路;南至復康路,共 1,102 公頃", "東至紅旗路；南至復康路，共 1,102 公頃"),
        ("比例 1:500(示意)", "比例 1:500（示意）"),
        ("約 4.5 平方公里!", "約 4.5 平方公里！"),
    ],
)
def test_quotations_are_set_as_chinese_prose_is(plan: str, wanted: str) -> None:
    assert content.quotation(plan) == wanted
    with words.speaking("en"):
        assert content.quotation(plan) == plan


def test_a_road_that_only_touches_has_no_row() -> None:
    class Counted:
        areas = pd.DataFrame(
            {
                "zone": ["qihang-bay"] * 2,
                "subdistrict_name": ["甲街道", "乙街道"],
                "area_km2": [1e-9, 0.5],
                "share_of_zone": [0.0, 1.0],
                "share_of_subdistrict": [0.0, 0.4],
            }
        )
        streets = pd.DataFrame(
            {
                "zone": ["qihang-bay"] * 3,
                "street": ["點路", "邊路", "內路"],
                "inside_km": [1e-15, 0.0, 0.31],
                "boundary_km": [0.0, 0.006, 0.0],
                "share_inside": [2.08, 0.0, 0.5],
                "share_boundary": [0.0, 0.01, 0.0],
            }
        )

    found = study.packaged()
    found.__dict__["coverage"] = Counted()
    (zone,) = [f for f in found.plan.of_kind("zone") if f.id == "qihang-bay"]
    subdistricts, streets = content._coverage_tables(found, zone)
    assert [row[0] for row in subdistricts.rows] == ["乙街道"]
    assert [row[0] for row in streets.rows] == ["邊路", "內路"]
    assert "行政區內" in streets.header[-1]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "無推定"),
        (0.002, "不足 1% 的邊界為推定"),
        (0.36, "其中 36% 的邊界為推定"),
        (0.998, "99% 以上的邊界為推定"),
        (1.0, "全部為推定"),
    ],
)
def test_a_little_is_not_called_nothing(share: float, words: str) -> None:
    assert words in content._inferred(share)
    assert " 0%" not in content._inferred(share)


def test_a_deviation_is_worded() -> None:
    row = FOUND.areas(names=["西營門地塊"])[0]
    assert row.area_sd_m2
    smaller = content._against_stated(row, 2.2e6, -254_000)
    assert smaller.startswith(
        "規劃所述面積 2.2 平方公里，量得的面積小 0.25 平方公里，相當於標準差的 "
        f"{254_000 / row.area_sd_m2:.1f} 倍"
    )
    assert "量得的面積大 0.25" in content._against_stated(row, 2.2e6, 254_000)
    assert "相符" in content._against_stated(row, 2.2e6, -400)
    exact = replace(row, area_sd_m2=0.0)
    assert content._against_stated(exact, 2.2e6, 254_000).endswith("大 0.25 平方公里。")
    assert content._deviation(replace(row, stated_area_m2=row.area_m2 + 0.4)) == "0.000"
    assert content._deviation(row) == f"{square_km('xiyingmen') - 2.2:.3f}"


def test_only_what_was_not_surveyed_is_called_indicative() -> None:
    assert {s.picture[-4:] for s in SECTIONS if s.id} == {"（示意）"}
    assert content._surveyed(["surveyed", "surveyed"])
    assert not content._surveyed(["surveyed", "osm"])


def test_short_tables_stay_together_and_sections_flow() -> None:
    rows = {"short": 14, "long": 15}
    tables = [Table(k, ("甲", "乙"), (("a", "b"),) * n) for k, n in rows.items()]
    section = Section("a", "甲", "文", "", ("段",), tuple(tables))
    document = docx.Document(io.BytesIO(documents.docx([section, section], {}, **WORDS)))
    kept = [
        [bool(row.cells[0].paragraphs[0].paragraph_format.keep_with_next) for row in table.rows]
        for table in document.tables[:2]
    ]
    assert kept[0] == [True] * 14 + [False]
    assert kept[1] == [True, True, *[False] * 12, True, False]
    assert not any(p.paragraph_format.page_break_before for p in document.paragraphs)


def test_columns_are_as_wide_as_their_texts_want() -> None:
    section = Section("", "甲", "", "", (), (Table("表", ("號", "數據"), (("1", "長" * 20),)),))
    (table,) = docx.Document(io.BytesIO(documents.docx([section], {}, **WORDS))).tables
    narrow, wide = (column.width.cm for column in table.columns)
    assert wide > 5 * narrow
    assert narrow + wide == pytest.approx(16, abs=0.01)
    assert [cell.width.cm for cell in table.rows[1].cells] == pytest.approx([narrow, wide])


def test_pictures_have_their_own_size_but_no_more_than_the_text() -> None:
    def picture(width: int) -> bytes:
        target = io.BytesIO()
        Image.new("RGB", (width, 100)).save(target, "PNG", dpi=(100, 100))
        return target.getvalue()

    sections = [Section(k, k, "", "", (), (), k) for k in "ab"]
    made = documents.docx(sections, {"a": picture(400), "b": picture(4000)}, **WORDS)
    small, large = docx.Document(io.BytesIO(made)).inline_shapes
    assert (small.width.inches, small.height.inches) == pytest.approx((4, 1), abs=0.01)
    assert large.width.cm == pytest.approx(16, abs=0.01)
    assert large.height.cm == pytest.approx(0.4, abs=0.01)


def test_a_feature_has_one_colour_throughout() -> None:
    """Of a plan whose features have no hue of their own: by its place, alone or among all."""
    from nankai_gis.reports.report import _frames

    def renamed(layer: str, features: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        if layer not in ("zones", "corridors"):
            return features
        column = "id" if layer == "zones" else "corridor"
        return tuple(
            f | {"properties": f["properties"] | {column: "own-" + f["properties"][column]}}
            for f in features
        )

    layers = {layer: renamed(layer, features) for layer, features in FOUND.layers.items()}
    own = study.Study(layers, FOUND.definitions, FOUND.data)
    whole = map_document(_frames(own, Section("", "", "", "", (), ())))
    seen = set()
    for key, column in (("zones", "id"), ("corridors", "corridor")):
        for row, look in zip(whole.layers[key].rows, whole.layers[key].looks, strict=True):
            alone = map_document(_frames(own, Section(row[column], "", "", "", (), ())))
            assert {one.stroke for one in alone.layers[key].looks} == {look.stroke}
            seen.add((key, look.stroke))
    assert len(seen) == 6


def test_the_same_input_gives_the_same_bytes() -> None:
    written = documents.docx(SECTIONS[:3], {}, **WORDS)
    assert written == documents.docx(SECTIONS[:3], {}, **WORDS)
    assert zipfile.ZipFile(io.BytesIO(written)).testzip() is None


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}</td></script>"


def test_names_are_text_on_the_page() -> None:
    table = Table(HOSTILE, (HOSTILE,), ((HOSTILE,),))
    section = Section("a", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (table,), HOSTILE)
    page = documents.html([section], {"a": "<b>map</b>"}, title=HOSTILE, subtitle=HOSTILE, date="")
    parser = _Tags()
    parser.feed(page)
    assert "img" not in parser.tags
    assert "script" not in parser.tags
    assert page.count("&lt;img src=x onerror=alert(1)&gt;{{7*7}}") == 11


def test_the_command(run: Run, tmp_path: Path) -> None:
    """The page; the Word document of the command is written in ``test_windows``."""
    done = run("report", "r.html", "--lang", "zh-Hans")
    assert done.returncode == 0, done.stderr
    size = (tmp_path / "r.html").stat().st_size
    assert size > 100_000
    again = run("report", "r.html")
    assert again.returncode == 1
    assert "exists; nothing was written" in again.stderr.decode()
    assert (tmp_path / "r.html").stat().st_size == size


def test_another_kind_of_file_is_refused(run: Run) -> None:
    done = run("report", "r.pdf")
    assert done.returncode == 2
    assert "a report is a .docx or an .html file" in done.stderr.decode()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_libreoffice_opens_it(tmp_path: Path) -> None:
    (tmp_path / "r.docx").write_bytes(documents.docx(SECTIONS, {}, **WORDS))
    subprocess.run(
        [
            "soffice",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "r.docx"),
        ],
        check=True,
        capture_output=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=180,
    )
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


def test_no_figure_is_broken_by_its_column() -> None:
    for section in SECTIONS:
        for table in section.tables:
            if not table.rows:
                continue
            wide = documents._widths(table)
            assert sum(wide) == pytest.approx(documents._TEXT_CM, abs=0.01)
            for column in table.right:
                longest = max(len(row[column]) for row in table.rows)
                # A digit of a 9 pt serif is half its size wide, and a cell has its margins.
                assert wide[column] >= longest * 9 * 0.5 * 2.54 / 72 + 0.38, table.caption
