"""Characters that don't print: shown by their escapes on a terminal, taken out of documents."""

from __future__ import annotations

import re

#: What a terminal obeys instead of showing it: controls, marks that turn the direction of writing
#: or end a line, characters nobody sees, and halves of characters.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1d\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
#: What no XML holds.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Line ends of Word and of old devices: they part words.
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def printable(text: str) -> str:
    """Return a text that a terminal only shows; escapes are those of JSON, which stays the same.

    Line ends, also those of CSV, tabs, and what parts the texts of a GeoJSON sequence stay.
    """
    if text.isprintable():
        return text
    lines = text.split("\r\n")
    return "\r\n".join(_STEERING.sub(lambda sign: _escape(ord(sign[0])), line) for line in lines)


def _escape(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def cleaned(text: str) -> str:
    """Return a text as a document can hold it; line ends of any kind are one."""
    return _NOT_XML.sub("", _BREAKS.sub("\n", text))


def breakable(text: str) -> list[str]:
    """Return the smallest parts of a text that a line may end with."""
    pieces: list[str] = []
    for letter in text:
        ideograph = ord(letter) >= 0x2E80
        closing = letter in "」』”）》，。、；：！？,;:!?)%"
        glued = closing or (pieces and pieces[-1] in "「『“（《(")
        latin = pieces and not ideograph and not pieces[-1].endswith(" ")
        latin = latin and ord(pieces[-1][-1]) < 0x2E80
        if pieces and (glued or latin):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces
