"""The language of the command line: which one, and help in it.

Help stands in the commands in English, as click wants it, and is translated for the time of a
call; click's own words come from the same catalogue by way of gettext.
"""

from __future__ import annotations

import contextlib
import gettext
import os
from collections.abc import Iterator, Sequence
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
    """Return the language of an output that keeps the plan's script unless another is asked for.

    Parameters
    ----------
    own : str or None
        The command's own --lang, which comes before that of the program.
    default : {'zh-Hant', 'zh-Hans', 'en'}
    """
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
    originals: list[tuple[click.Command | click.Option, str]] = []
    try:
        with speaking(lang):
            # Texts are put back afterwards: a process may call the program more than once.
            for thing in _with_help(program) if lang != "en" else ():
                originals.append((thing, thing.help or ""))
                thing.help = tr(cleandoc(thing.help or ""))
            yield
    finally:
        for thing, text in originals:
            thing.help = text
        for command in _commands(program):
            # click keeps the option --help with the words of its first use.
            command._help_option = None
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


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
