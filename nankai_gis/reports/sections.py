"""Sections and tables: the content of a report, before it becomes a document or a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report: texts only, ready to be set.

    Attributes
    ----------
    caption : str
    header : tuple of str
    rows : tuple of tuple of str
    right : frozenset of int
        Columns that are set to the right.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report.

    Attributes
    ----------
    id : str
        Id of the feature that it is about; "" for a section about the whole.
    title : str
    clause, place : str
        The quoted text and where it stands.
    paragraphs : tuple of str
    tables : tuple of Table
    picture : str
        Caption of its map; "" for none.
    """

    id: str
    title: str
    clause: str
    place: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    picture: str = ""
