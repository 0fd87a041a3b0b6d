"""Bring the catalogue of words in step with the code.

    python scripts/update_words.py                 write zh_Hant.po and both compiled catalogues
    python scripts/update_words.py --add FILE.po   take translations from other files, too
    python scripts/update_words.py --check         only compare; exits with 1 and lists what lacks

Messages are collected from calls of ``tr``, ``ntr``, ``ptr``, ``mark`` and ``stored``, from the
help of every command and option, and from click. Only the traditional Chinese is edited by hand
(``msgstr`` in nankai_gis/words/zh_Hant.po); simplified Chinese is made of it.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from nankai_gis.plan.names import simplified
from nankai_gis.words import DOMAIN, FOLDER

KEYWORDS = {"tr": None, "mark": None, "stored": None, "ntr": (1, 2), "ptr": ((1, "c"), 2)}
SOURCE = FOLDER / "zh_Hant.po"
HEADER = """\
# The Chinese of nankai-gis, in traditional characters. Edit the msgstr lines only;
# scripts/update_words.py collects the messages and makes simplified Chinese of these."""
_QUOTES = str.maketrans("「」『』", "“”‘’")


class _Plain(Catalog):
    """A catalogue whose head has no dates and versions: the same words make the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What the readers of a catalogue need."""
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", "nplurals=1; plural=0;"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]


def collected() -> Catalog:
    """Return every message of the program, without translations."""
    catalogue = _Plain("zh_Hant", fuzzy=False)
    # Babel warns of f-strings among the values of a message, which need no translation.
    with contextlib.redirect_stderr(io.StringIO()):
        messages = list(
            extract_from_dir(
                ROOT / "nankai_gis", method_map=[("**.py", "python")], keywords=KEYWORDS
            )
        )
    for file, _, message, _, context in messages:
        catalogue.add(message, context=context, locations=[(f"nankai_gis/{file}", None)])
    for message in _help():
        catalogue.add(message, locations=[("help", None)])
    own = {"_": None, "gettext": None, "ngettext": (1, 2)}
    for _, _, message, _, context in extract_from_dir(
        str(Path(click.__file__).parent), method_map=[("**.py", "python")], keywords=own
    ):
        catalogue.add(message, context=context, locations=[("click", None)])
    return catalogue


def _help() -> Iterator[str]:
    """Give the help of every command and option, as click shows it."""
    from nankai_gis.cli import main

    waiting: list[click.Command] = [main]
    while waiting:
        command = waiting.pop()
        texts = (command.help, command.short_help, command.epilog)
        yield from (cleandoc(text) for text in texts if text)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.help:
                yield parameter.help
        if isinstance(command, click.Group):
            waiting += command.commands.values()


def _translations(paths: list[Path]) -> dict[object, Message]:
    known: dict[object, Message] = {}
    for path in paths:
        with path.open("rb") as stream:
            for message in read_po(stream, locale="zh_Hant"):
                if message.id and message.string:
                    known[_key(message)] = message
    return known


def _key(message: Message) -> object:
    identity = message.id if isinstance(message.id, str) else message.id[0]
    return identity, message.context


def translated(paths: list[Path]) -> Catalog:
    """Return the messages of the program with the translations of some files."""
    catalogue, known = collected(), _translations(paths)
    for message in catalogue:
        if message.id and _key(message) in known:
            string = known[_key(message)].string
            # Chinese has one form for any number.
            one = string if isinstance(string, str) else string[0]
            message.string = (one,) if message.pluralizable else one
    return catalogue


def _simplified(catalogue: Catalog) -> Catalog:
    simple = _Plain("zh_Hans", fuzzy=False)
    for message in catalogue:
        if not message.id or not message.string:
            continue
        forms = (message.string,) if isinstance(message.string, str) else message.string
        made = tuple(simplified(form).translate(_QUOTES) for form in forms)
        string = made if message.pluralizable else made[0]
        simple.add(message.id, string, context=message.context)
    return simple


def _po(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    write_po(stream, catalogue, width=99, sort_output=True, include_lineno=False)
    body = stream.getvalue()
    # Babel's comment at the head gives way to ours.
    return HEADER.encode() + b"\n" + body[body.index(b'msgid ""') :]


def _mo(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    write_mo(stream, catalogue)
    return stream.getvalue()


def faults(catalogue: Catalog) -> list[str]:
    """Return what is wrong with translations: missing ones, and other names in braces."""
    listed = []
    for message in catalogue:
        if not message.id:
            continue
        identity = message.id if isinstance(message.id, str) else message.id[1]
        string = "".join(message.string or ())
        if not string:
            listed.append(f"not translated: {identity!r}")
        elif _fields(string) - _fields(identity):
            listed.append(f"other names in braces: {identity!r}, {string!r}")
    return listed


def _fields(text: str) -> set[str | None]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return set()


def main(arguments: list[str]) -> int:
    """Write or compare the catalogue; return the exit code."""
    check = "--check" in arguments
    added = [Path(a) for a in arguments if a.endswith(".po")]
    catalogue = translated([*([SOURCE] if SOURCE.exists() else []), *added])
    made = {
        SOURCE: _po(catalogue),
        FOLDER / "zh_Hant" / "LC_MESSAGES" / f"{DOMAIN}.mo": _mo(catalogue),
        FOLDER / "zh_Hans" / "LC_MESSAGES" / f"{DOMAIN}.mo": _mo(_simplified(catalogue)),
    }
    wrong = faults(catalogue)
    for path, content in made.items():
        if check and (not path.exists() or path.read_bytes() != content):
            wrong.append(f"{path.relative_to(ROOT)} isn't in step; run scripts/update_words.py")
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    print("\n".join(wrong) or "complete")
    return 1 if wrong and check else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
