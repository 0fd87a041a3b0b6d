"""``map`` and ``figure`` as their users meet them: options, files, refusals."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chinese_font import needs_chinese_font

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    text = done.stderr.decode()
    assert "Traceback" not in text
    return text


def test_map_takes_its_options(run: Run, tmp_path: Path) -> None:
    options = [
        "--title",
        "另一張圖",
        "--review",
        "津S(2025)001",
        "--cdn",
        "--layers",
        "zones,district",
    ]
    done = run("map", "-o", "a.html", *options, "--lang", "zh-Hans")
    assert (done.returncode, done.stdout) == (0, b""), _said(done)
    assert _said(done) == "wrote a.html\n"
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<title>另一張圖</title>" in text
    assert '["审图号：","津S(2025)001"]' in text
    assert "cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.js" in text
    assert '"order":["district","zones","bands","readings"]' in text


def test_map_has_the_file_name_of_the_readme(run: Run, tmp_path: Path) -> None:
    assert run("map").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["nankai-plan.html"]
    again = run("map")
    assert again.returncode == 1
    assert "nankai-plan.html exists" in _said(again)


@pytest.mark.parametrize(
    ("kind", "head"), [("iframe", b"<iframe "), ("fragment", b'<div class="nk-host"')]
)
def test_embed_goes_to_stdout_or_into_a_file(
    run: Run, tmp_path: Path, kind: str, head: bytes
) -> None:
    done = run("map", "--embed", kind, "--layers", "zones")
    assert (done.returncode, _said(done)) == (0, "")
    assert done.stdout.startswith(head)
    assert list(tmp_path.iterdir()) == []
    filed = run("map", "--embed", kind, "--layers", "zones", "--output", "piece.html")
    assert (filed.returncode, filed.stdout) == (0, b"")
    assert (tmp_path / "piece.html").read_bytes() == done.stdout


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("osm", "https://tile.openstreetmap.org"),
        ("gaode", "https://webrd01.is.autonavi.com"),
        ("tianditu", "https://t0.tianditu.gov.cn"),
    ],
)
def test_basemap_opens_the_policy_for_its_host_alone(
    run: Run, tmp_path: Path, name: str, host: str
) -> None:
    done = run("map", "-o", "a.html", "--basemap", name, TIANDITU_KEY="0a1b2c")
    assert done.returncode == 0, _said(done)
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"img-src data: {host};" in text
    assert ("0a1b2c" in text) is (name == "tianditu")
    assert ("whoever has the file can read it" in _said(done)) is (name == "tianditu")


@needs_chinese_font
@pytest.mark.parametrize(("command", "suffix"), [("map", ".html"), ("figure", ".svg")])
def test_the_own_language_comes_before_that_of_the_program(
    run: Run, tmp_path: Path, command: str, suffix: str
) -> None:
    """The default is the plan's script, whatever the terminal speaks."""
    small = ["--layers", "zones"]
    written = {}
    for name, before, after in [
        ("default", [], []),
        ("traditional", [], ["--lang", "zh-Hant"]),
        ("program", ["--lang", "en"], []),
        ("own", ["--lang", "zh-Hans"], ["--lang", "en"]),
    ]:
        done = run(*before, command, *small, *after, "-o", name + suffix)
        assert done.returncode == 0, _said(done)
        written[name] = (tmp_path / (name + suffix)).read_bytes()
    assert written["default"] == written["traditional"]
    assert written["program"] == written["own"] != written["default"]
    if command == "map":
        assert b'<html lang="en"' in written["program"]
        assert b'<html lang="zh-Hant"' in written["default"]


@pytest.mark.parametrize("name", ["x.txt", "x", "x.png", "x.html.gz"])
def test_a_map_is_an_html_file(run: Run, tmp_path: Path, name: str) -> None:
    done = run("map", "-o", name)
    assert done.returncode == 2
    assert f"{name} ends neither in .html nor in .htm" in _said(done)
    assert list(tmp_path.iterdir()) == []
    assert run("map", "-o", "x.HTM").returncode == 0


def test_tianditu_without_a_key_writes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"mine")
    done = run("map", "-o", "a.html", "--overwrite", "--basemap", "tianditu", TIANDITU_KEY=" ")
    assert done.returncode == 1
    assert "TIANDITU_KEY isn't set" in _said(done)
    assert (tmp_path / "a.html").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("command", ["map", "figure"])
@pytest.mark.parametrize("layers", ["zones,roads", "", ","])
def test_an_unknown_layer_is_a_matter_of_usage(run: Run, command: str, layers: str) -> None:
    done = run(command, "--layers", layers)
    assert done.returncode == 2
    assert "there are district, subdistricts, zones" in _said(done)


@needs_chinese_font
@pytest.mark.parametrize(
    ("form", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_figure_writes_what_the_suffix_says(
    run: Run, tmp_path: Path, form: str, head: bytes
) -> None:
    done = run("figure", "-o", f"a.{form}", "--dpi", "60", "--landscape", "--graticule")
    assert (done.returncode, _said(done)) == (0, f"wrote a.{form}\n")
    assert (tmp_path / f"a.{form}").read_bytes().startswith(head)
    before = (tmp_path / f"a.{form}").read_bytes()
    again = run("figure", "-o", f"a.{form}")
    assert again.returncode == 1
    assert "exists; nothing was written" in _said(again)
    assert (tmp_path / f"a.{form}").read_bytes() == before


@needs_chinese_font
def test_figure_leaves_out_what_it_is_told_to(run: Run, tmp_path: Path) -> None:
    sizes = []
    for extra in ([], ["--no-legend", "--no-north", "--no-scale-bar"]):
        done = run("figure", "-o", "a.svg", "--overwrite", "--layers", "district", *extra)
        assert done.returncode == 0, _said(done)
        sizes.append((tmp_path / "a.svg").stat().st_size)
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["-o", "a.gif"], 2, "a.gif ends neither in .png"),
        (["-o", "a"], 2, "a ends neither in .png"),
        (["--dpi", "9"], 2, "9 is not in the range"),
        (["--page", "B4"], 2, "'B4' is not one of"),
        (["--font", "no/such.otf"], 1, "'no/such.otf' is not a readable font file"),
        (["--font", "No Such Family"], 1, "no installed font is called 'No Such Family'"),
        (["-o", "no/such/a.png"], 1, "there is no folder no/such"),
    ],
)
def test_figure_says_what_is_wrong(
    run: Run, tmp_path: Path, options: list[str], code: int, says: str
) -> None:
    done = run("figure", *options)
    assert done.returncode == code
    assert says in _said(done)
    assert list(tmp_path.iterdir()) == []


def test_without_any_font_for_chinese_the_figure_says_what_to_install(
    run: Run, tmp_path: Path
) -> None:
    import matplotlib

    font = str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")
    done = run("figure", "--font", font)
    assert done.returncode == 1
    assert "DejaVu Sans has no glyph for" in _said(done)
    assert "apt-get install fonts-noto-cjk" in _said(done)
    assert list(tmp_path.iterdir()) == []


def test_coverage_shades_the_map_and_the_figure(run: Run, tmp_path: Path) -> None:
    for name, options in (("shaded", ["--coverage"]), ("plain", [])):
        done = run("map", *options, "--layers", "subdistricts,streets", "-o", f"{name}.html")
        assert done.returncode == 0, _said(done)
    shaded = (tmp_path / "shaded.html").read_text(encoding="utf-8")
    plain = (tmp_path / "plain.html").read_text(encoding="utf-8")
    # 學府街 lies wholly within 啟航灣.
    assert "100.0%" in shaded
    assert "100.0%" not in plain
    assert run("figure", "--coverage", "-o", "shaded.svg").returncode == 0
