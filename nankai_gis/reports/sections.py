"""Sections and tables: the content of a report, before it becomes a document or a page."""

from __future__ import annotations

from dataclasses import dataclass


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
