"""The language of the command line: which one, and help in it.

Help stands in the commands in English, as click wants it, and is translated for the time of a
call; click's own words come from the same catalogue by way of gettext.
"""

from __future__ import annotations

import contextlib
import gettext
import os
from collections.abc import Iterable, Iterator, Sequence
from inspect import cleandoc

import click

from nankai_gis.words import (
    DOMAIN,
    FOLDER,
    LANGUAGES,
    Language,
    as_language,
    preferred,
    speaking,
    tr,
)
from nankai_gis.words.signs import breakable

__all__ = ["asked", "chosen", "in_language"]


def asked(arguments: Sequence[str]) -> Language | None:
    """Return the language that --lang before the command asks for; None for none or a wrong one."""
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if name == "--lang":
            value = value if equals else next(waiting, "")
            return as_language(value) if value in LANGUAGES else None
        if not argument.startswith("-"):
            return None
        if name in ("--plan", "--roads", "--subdistricts") and not equals:
            next(waiting, None)
    return None


def chosen(own: str | None, default: Language = "zh-Hant") -> Language:
    """Return the language of an output that keeps the plan's script unless another is asked for."""
    of_program = click.get_current_context().find_root().params.get("lang")
    return as_language(own or of_program or "") or default


@contextlib.contextmanager
def in_language(program: click.Group, arguments: Sequence[str]) -> Iterator[None]:
    """Put the language of a call in force, for the help of every command and click's words, too."""
    lang = asked(arguments) or preferred()
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = lang.replace("-", "_")
    formatter = click.Context.formatter_class
    originals: list[tuple[click.Command | click.Option, str]] = []
    try:
        with speaking(lang):
            if lang != "en":
                click.Context.formatter_class = _ChineseHelp
            # Texts are put back afterwards: a process may call the program more than once.
            for thing in _with_help(program) if lang != "en" else ():
                originals.append((thing, thing.help or ""))
                thing.help = tr(cleandoc(thing.help or ""))
            yield
    finally:
        click.Context.formatter_class = formatter
        for thing, text in originals:
            thing.help = text
        for command in _commands(program):
            # click keeps the option --help with the words of its first use.
            command._help_option = None
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


class _ChineseHelp(click.HelpFormatter):
    """Wraps help by its width on the screen, on which a Chinese character takes two columns."""

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{heading}：\n")

    def write_text(self, text: str) -> None:
        paragraphs = [
            _wrapped(part, self.width - self.current_indent) for part in text.split("\n\n")
        ]
        super().write_text("\n\n".join(paragraphs))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        rows = list(rows)
        first = min(max(len(term) for term, _ in rows), col_max) + col_spacing
        room = max(self.width - first - 2, 10)
        wrapped = [(term, _wrapped(text, room)) for term, text in rows]
        super().write_dl(wrapped, col_max, col_spacing)


def _wrapped(text: str, room: int) -> str:
    """Break a paragraph into lines; the mark at its head keeps click from breaking it again."""
    from nankai_gis.files.spreadsheet import width

    if not text or text.startswith("\b"):
        return text
    lines, line = [], ""
    for piece in breakable(" ".join(text.split())):
        if line and width((line + piece).rstrip()) > room:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "\n".join(["\b", *lines, line.rstrip()])


def _commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _commands(inner)


def _with_help(program: click.Group) -> Iterator[click.Command | click.Option]:
    for command in _commands(program):
        if command.help:
            yield command
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.help:
                yield parameter
