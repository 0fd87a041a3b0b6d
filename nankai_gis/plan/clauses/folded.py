"""A text in the one form that the grammar reads, with the place of each character in the original.

Half-width signs, no white space between Chinese characters, no quotation marks; and beside it the
same in simplified characters, so that each wording is written once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nankai_gis.plan.names import simplified

_QUOTES = "\"'“”‘’「」『』《》〈〉﹁﹂﹃﹄"
# What NFKC leaves, or makes of a sign that the grammar knows in another form.
_SIGNS = {"。": "。", "．": ".", "；": ";", "﹔": ";", "：": ":", "﹕": ":", "︰": ":", "，": ","}
_SIGNS |= {"﹐": ",", "､": "、", "﹑": "、", "【": "(", "】": ")", "〔": "(", "〕": ")", "［": "("}
_SIGNS |= {"］": ")", "[": "(", "]": ")", "～": "~", "〜": "~", "—": "-", "–": "-", "―": "-"}
_SIGNS |= {"－": "-", "─": "-", "→": "-", "\r": "\n", "\u2028": "\n", "\u2029": "\n", "\x0b": "\n"}
# Variants of characters that the converter leaves.
_VARIANTS = {"衞": "卫", "爲": "为", "爾": "尔", "裡": "里", "裏": "里", "週": "周", "範": "范"}


@lru_cache(maxsize=65536)
def _fold(character: str) -> str:
    if character in _QUOTES:
        return ""
    if character in _SIGNS:
        return _SIGNS[character]
    if character == "\n":
        return character
    if "①" <= character <= "⑳":
        return f"({ord(character) - ord('①') + 1})"
    plain = unicodedata.normalize("NFKC", character)
    return "".join(_SIGNS.get(c, c) for c in plain if not c.isspace())


@lru_cache(maxsize=65536)
def _simple(character: str) -> str:
    if character.isascii():
        return character.lower()
    if character in _VARIANTS:
        return _VARIANTS[character]
    plain = simplified(character)
    return plain if len(plain) == 1 else character


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text as the grammar reads it."""

    source: str
    plain: str
    simple: str
    at: tuple[int, ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a piece of the folded text stands in the original."""
        if end <= start:
            return self.at[start], self.at[start]
        return self.at[start], self.at[end - 1] + 1

    def original(self, start: int, end: int) -> str:
        """Return a piece of the folded text as the original has it, quotation marks and all."""
        first, last = self.place(start, end)
        # A quotation mark that opens right before or closes right behind belongs to the piece.
        before = self.at[start - 1] + 1 if start else 0
        while first > before and self.source[first - 1] in _QUOTES:
            first -= 1
        while last < self.at[end] and self.source[last] in _QUOTES:
            last += 1
        return self.source[first:last].strip()


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """The folded characters with their places; one space stays between two Latin words."""
    last = ""
    gap = False
    for place, character in enumerate(text):
        folded = _fold(character)
        if not folded:
            gap = gap or character.isspace()
            continue
        if gap and last.isascii() and folded.isascii() and last not in "\n(" and folded[0] != "\n":
            yield " ", place - 1
        gap = False
        for part in folded:
            yield part, place
            last = part


def fold(text: str) -> FoldedText:
    """Fold a text."""
    pieces = list(_pieces(text))
    plain = "".join(character for character, _ in pieces)
    simple = "".join(map(_simple, plain))
    return FoldedText(text, plain, simple, (*(place for _, place in pieces), len(text)))
