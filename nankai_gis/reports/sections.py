"""Sections and tables: the content of a report, before it becomes a document or a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from nankai_gis.plan.names import in_script
from nankai_gis.words import language, signs

# Half-width marks of Chinese prose; between digits they belong to a number.
_MARK = re.compile(r"(?<!\d)[,:;!?()]|[,:;!?()](?!\d)")
_FULL_WIDTH = str.maketrans(",:;!?()", "，：；！？（）")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report: texts only, ready to be set."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report."""

    id: str
    title: str
    clause: str
    place: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    picture: str = ""


def cleaned(part: Any) -> Any:
    """Return sections, tables or texts with every text as a document can hold it."""
    if isinstance(part, str):
        return signs.cleaned(part)
    if isinstance(part, tuple):
        return tuple(map(cleaned, part))
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{f.name: cleaned(getattr(part, f.name)) for f in fields(part)})
    return part


def quotation(text: str) -> str:
    """Return a text of the plan as a report quotes it."""
    if language() == "en":
        return text
    return _MARK.sub(lambda found: found[0].translate(_FULL_WIDTH), in_script(text))
