"""The report: what it says is the study's, and both forms say the same."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import docx
import pytest

from nankai_gis import brief, report, study
from nankai_gis.measure import AreaRow
from nankai_gis.model import Section, Table

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FOUND = study.packaged()
SECTIONS = brief.compose(FOUND)
WORDS = {"title": "報告", "subtitle": "副題", "date": "2026-11-24"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ff"
    "ff3f0005fe02fea7a6a0f50000000049454e44ae426082"
)


def texts(section: Section) -> str:
    cells = [c for t in section.tables for row in (t.header, *t.rows) for c in row]
    return "\n".join([section.title, section.clause, *section.paragraphs, *cells])


def test_every_zone_parcel_and_corridor_has_its_section() -> None:
    ids = [s.id for s in SECTIONS if s.id]
    wanted = [f.id for k in ("zone", "parcel", "corridor") for f in FOUND.plan.of_kind(k)]
    assert ids == wanted


@pytest.mark.parametrize("row", FOUND.areas(["zone", "parcel"]), ids=lambda r: r.id)
def test_figures_are_those_of_the_study(row: AreaRow) -> None:
    (section,) = [s for s in SECTIONS if s.id == row.id]
    assert f"{row.area_m2 / 1e6:.2f}" in section.paragraphs[0]
    names = {t.caption for t in section.tables}
    assert any("街道" in n for n in names)
    assert any("道路" in n for n in names)


def test_claims_stand_beside_measures_and_inference_is_said() -> None:
    everything = "\n".join(map(texts, SECTIONS))
    for words in ("僅相鄰", "華苑街道未列入任何片區", "推定", "未定位", "ODbL", "2.2 平方公里"):
        assert words in everything


def test_simplified_is_the_same_report() -> None:
    hans = brief.compose(FOUND, hans=True)
    assert [s.id for s in hans] == [s.id for s in SECTIONS]
    assert "启航湾创新产业区" in {s.title for s in hans}
    numbers = [re.findall(r"\d+\.\d+", texts(s)) for s in SECTIONS]
    assert [re.findall(r"\d+\.\d+", texts(s)) for s in hans] == numbers


def test_the_word_document_reads_back() -> None:
    pictures = {s.id: PIXEL for s in SECTIONS if s.picture}
    document = docx.Document(io.BytesIO(report.docx(SECTIONS, pictures, **WORDS)))
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


def test_the_same_input_gives_the_same_bytes() -> None:
    assert report.docx(SECTIONS, {}, **WORDS) == report.docx(SECTIONS, {}, **WORDS)
    assert zipfile.ZipFile(io.BytesIO(report.docx(SECTIONS, {}, **WORDS))).testzip() is None


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
    page = report.html([section], {"a": "<b>map</b>"}, title=HOSTILE, subtitle=HOSTILE, date="")
    parser = _Tags()
    parser.feed(page)
    assert "img" not in parser.tags
    assert "script" not in parser.tags
    assert page.count("&lt;img src=x onerror=alert(1)&gt;{{7*7}}") == 11


@pytest.mark.parametrize("name", ["r.html", "r.docx"])
def test_the_command(run: Run, tmp_path: Path, name: str) -> None:
    done = run("report", name, "--lang", "zh-Hans")
    assert done.returncode == 0, done.stderr
    size = (tmp_path / name).stat().st_size
    assert size > 100_000
    again = run("report", name)
    assert again.returncode == 1
    assert "exists; nothing was written" in again.stderr.decode()
    assert (tmp_path / name).stat().st_size == size


def test_another_kind_of_file_is_refused(run: Run) -> None:
    done = run("report", "r.pdf")
    assert done.returncode == 2
    assert "a report is a .docx or an .html file" in done.stderr.decode()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_libreoffice_opens_it(tmp_path: Path) -> None:
    (tmp_path / "r.docx").write_bytes(report.docx(SECTIONS, {}, **WORDS))
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
