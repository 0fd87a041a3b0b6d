"""The language of a map, and that of whoever draws it: errors are for the latter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from nankai_gis.errors import NotFoundError
from nankai_gis.words import LANGUAGES, Language, language, speaking, tr

_reader: ContextVar[Language | None] = ContextVar("reader", default=None)


@contextlib.contextmanager
def speaking_map(lang: str) -> Iterator[None]:
    """Put the language of a map in force for a block."""
    known = next((tag for tag in LANGUAGES if tag == lang), None)
    if known is None:
        raise NotFoundError(tr("language of the map"), lang, LANGUAGES)
    token = _reader.set(language())
    try:
        with speaking(known):
            yield
    finally:
        _reader.reset(token)


def to_reader() -> contextlib.AbstractContextManager[None]:
    """Put back, for an error inside `speaking_map`, the language that was in force before it."""
    return speaking(_reader.get() or language())
