"""What reaches a terminal: shown, never obeyed, and plainly where its encoding lacks a sign."""

from __future__ import annotations

import codecs
import contextlib
import io
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import click

from nankai_gis.errors import MissingGlyphWarning
from nankai_gis.words import tr
from nankai_gis.words.signs import printable


class _Shown:
    """A text stream that shows control characters instead of passing them on."""

    def __init__(self, stream: Any) -> None:
        #: The stream itself, for progress bars.
        self.unfiltered = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)

    def write(self, text: str) -> int:
        self.unfiltered.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Let everything that is written to stdout and stderr in a block pass one filter."""
    before = sys.stdout, sys.stderr
    _spare_strays()
    filtered: list[Any] = [_Shown(stream) for stream in before]
    sys.stdout, sys.stderr = filtered
    try:
        with warnings.catch_warnings():
            # Warnings of the library are for the reader; those of others stay as they are.
            warnings.showwarning = partial(_warn, warnings.showwarning, set())
            yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            for stream in filtered:
                stream.flush()
        sys.stdout, sys.stderr = before


def _warn(
    others: Callable[..., None], said: set[str], message: Any, category: type[Warning], *more: Any
) -> None:
    """Say each warning of the library once."""
    if issubclass(category, MissingGlyphWarning):
        if str(message) not in said:
            click.echo(tr("Warning: {text}", text=message), err=True)
        said.add(str(message))
    else:
        others(message, category, *more)


def unfiltered(stream: Any) -> Any:
    """Return the stream under the filter: a progress bar moves the cursor."""
    return getattr(stream, "unfiltered", stream)


def _compatible(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks by its compatibility form (2 for ²), else as ?."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = unicodedata.normalize("NFKC", lacking)
    try:
        plain.encode(error.encoding)
    except UnicodeEncodeError:
        plain = "?" * len(lacking)
    return plain, error.end


def _spare_strays() -> None:
    """Let streams that have Chinese show a rare sign that they lack (² in code page 936) plainly.

    A stream without Chinese would show nothing else than ?; it keeps its error.
    """
    codecs.register_error(_compatible.__qualname__, _compatible)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if codecs.lookup(stream.encoding).name == "ascii":
                # click writes UTF-8 there, past this stream and its filter.
                stream.reconfigure(encoding="utf-8")
            with contextlib.suppress(UnicodeEncodeError, LookupError):
                "南".encode(stream.encoding)
                stream.reconfigure(errors=_compatible.__qualname__)
