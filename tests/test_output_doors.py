"""Text on its way out: shown by a terminal, never obeyed; held by every document."""

from __future__ import annotations

import io
import json
import sys

import click
import pytest
from click.testing import CliRunner

from nankai_gis.cli import guard, main, terminal
from nankai_gis.errors import DataError, MissingGlyphWarning
from nankai_gis.present import fonts, tables
from nankai_gis.reports.sections import Section, Table, cleaned
from nankai_gis.words import signs

STEERING = ["\x1b]0;x\x07", "\x9b31m", "\r", "\x00", "\u202e", "\u2028", "\ud800", "\U000e0041"]


@pytest.mark.parametrize("text", STEERING)
def test_a_terminal_shows_what_would_steer_it(text):
    shown = signs.printable(f"南{text}開")
    assert "".join(c for c in shown if c not in "南開").isascii()
    assert shown.isprintable()
    # The escapes are those of JSON, so that a document in JSON stays the same.
    assert json.loads(f'"{shown}"') == f"南{text}開"


def test_lines_tabs_and_joined_emoji_stay():
    for text in ("南開\r\n區\n\t1", "👩\u200d🚒", "﷽"):
        assert signs.printable(text) == text


def test_tables_are_one_line_a_row():
    text = tables.terminal([tables.Column("a")], [["x\ny\x1b[2J\x0b"]])
    assert text.splitlines()[2:] == ["x y\\u001b[2J"]


def test_everything_a_command_writes_passes_the_filter(monkeypatch):
    @click.command()
    def hostile() -> None:
        click.echo("out\x1b]0;x\x07")
        click.echo("err\x1b]0;x\x07", err=True)
        sys.stdout.write("print\x9b")
        raise DataError("message\x1b]2;x")

    monkeypatch.setitem(main.commands, "hostile", hostile)
    result = CliRunner().invoke(main, ["hostile"])
    assert result.exit_code == 1
    assert "message\\u001b]2;x" in result.stderr
    assert "out\\u001b]0;x\\u0007\n" in result.stdout
    assert not {"\x1b", "\x07", "\x9b"} & set(result.output)


def test_streams_come_back_after_a_command():
    before = sys.stdout, sys.stderr
    with terminal.shown():
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr) == before
    stream = io.StringIO()
    assert terminal.unfiltered(stream) is stream


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "can't write the output: No space left"),
        (PermissionError(13, "Permission denied", "a.toml"), "can't use a.toml: Permission denied"),
        (MemoryError(), "memory of this computer"),
        (KeyError("x"), "a fault of the program, not of your data (KeyError: 'x')"),
        (type("PanicException", (BaseException,), {})("rust"), "PanicException: rust"),
    ],
)
def test_no_error_reaches_a_reader_as_a_traceback(monkeypatch, error, said):
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.delenv(guard.VARIABLE, raising=False)
    monkeypatch.setitem(main.commands, "failing", failing)
    monkeypatch.setattr(guard, "_abandon_stdout", lambda: None)
    result = CliRunner().invoke(main, ["failing"])
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert said in result.stderr
    monkeypatch.setenv(guard.VARIABLE, "1")
    assert guard.message(error, None) is error


def test_an_interrupt_is_one_whatever_a_library_makes_of_it():
    error = ValueError("validation")
    error.__context__ = KeyboardInterrupt()
    assert isinstance(guard.message(error, None), click.Abort)


def test_documents_hold_every_text():
    table = Table("a\x0b", ("\x00b",), (("c\r\nd\ud800",),))
    section = Section("id", "t\x0cu", "", "", ("p\x1f",), (table,))
    clean = cleaned((section,))[0]
    assert (clean.title, clean.paragraphs) == ("t\nu", ("p",))
    assert clean.tables == (Table("a\n", ("b",), (("c\nd",),)),)


def test_strays_are_boxes_where_the_font_has_one():
    with pytest.warns(MissingGlyphWarning, match="no font has"):
        faces = fonts.covering(["A\U000f0000"], font="DejaVu Sans")
    assert faces.drawn("A\U000f0000") == "A□"


@pytest.mark.parametrize("command", [[], ["coverage"], ["area"], ["roads", "import"]])
def test_chinese_help_fits_the_screen(command):
    from nankai_gis.files.spreadsheet import width

    arguments = ["--lang", "zh-Hans", *command, "--help"]
    text = CliRunner().invoke(main, arguments, terminal_width=80).stdout
    assert "选项：\n" in text
    assert "选项:" not in text
    assert max(map(width, text.splitlines())) <= 80
    english = CliRunner().invoke(main, [*command, "--help"], env={"NANKAI_GIS_LANG": "en"}).stdout
    assert "Options:\n" in english
