"""Which encoding the text of a file is in: its content decides, not a label beside it.

Shapefiles of Chinese offices are in GBK without a word of it, or call it Latin-1 or UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

from nankai_gis.errors import DataError
from nankai_gis.files import whole
from nankai_gis.files.formats import VectorSource
from nankai_gis.words import mark, quoted, stored, tr

#: Rows of a table that are looked at.
_ROWS = 20_000
#: The share of common Chinese characters from which a text counts as Chinese.
COMMON = 0.8
#: What dBASE calls its code pages, where it isn't Latin-1, the default of most programs.
_LABELS = {0x4D: "gb18030", 0x4F: "cp950", 0x78: "cp950", 0x7A: "gb18030", 0x7B: "cp932"}
_LATIN = (0x03, 0x57, 0x58, 0x59)
_NOT_DECIDED = mark(
    "{file}: the encoding of its text can't be told ({sample} in GB18030); give it with --encoding "
    "(UTF-8, GB18030, Big5, …)"
)


class Encoding(NamedTuple):
    """The encoding to read a text in, and a remark where it isn't the one that is stated."""

    name: str
    note: str = ""


def checked(name: str) -> str:
    """Return an encoding that a user asks for; refuse one that isn't known."""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise DataError(
            tr(
                "there is no encoding {encoding}; give UTF-8, GB18030 or Big5, for example",
                encoding=quoted(name),
            )
        ) from error


def of_shapefile(source: VectorSource, asked: str | None) -> Encoding:
    """Return the encoding of the tables of a shapefile, or of all in a zip."""
    texts: list[bytes] = []
    stated: str | None = None
    latin = False
    for name, ask in whole.shapefiles(source.path):
        table = ask(f"{name[:-4]}.dbf", -1)
        label = ask(f"{name[:-4]}.cpg", 40)
        if table is None:
            continue
        texts += _cells(table[0])
        stated = stated or (_label(label[0]) if label else _LABELS.get(table[0][29]))
        latin |= label is None and table[0][29] in _LATIN
    return decided(source.path.name, texts, asked, stated, latin)


def decided(
    name: str, texts: list[bytes], asked: str | None, stated: str | None, latin: bool = False
) -> Encoding:
    """Decide on the encoding of texts.

    `stated` is what the file says; `latin` whether it says Latin-1, which most programs write
    whatever the text.
    """
    texts = [text for text in texts if not text.isascii()]
    if asked is not None:
        asked = checked(asked)
        if not _decodes(texts, asked):
            raise DataError(
                tr("{file}: its text is not in {encoding}", file=name, encoding=asked.upper())
            )
        return Encoding(asked)
    if stated in ("cp1252", "iso8859-1", "latin-1"):
        stated, latin = None, True
    if not texts:
        return Encoding("utf-8")
    if stated is not None and _decodes(texts, stated) and not _reads_as_utf8(texts):
        return Encoding(stated)
    if stated == "utf-8" and _decodes(texts, stated):
        return Encoding(stated)
    taken = _by_content(name, texts, latin)
    wrong = "" if stated is None else stated.upper()
    if wrong:
        note = stored(
            "{file}: text is read as {encoding}; it is not in {stated}, as the file says",
            file=name,
            encoding=taken.upper(),
            stated=wrong,
        )
    else:
        note = stored(
            "{file}: text is read as {encoding}, by its content",
            file=name,
            encoding=taken.upper(),
        )
    return Encoding(taken, note)


def utf8(name: str, data: bytes, asked: str | None) -> tuple[bytes, str] | None:
    """Return a text in UTF-8 and a remark, where it isn't in UTF-8 already; else None."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = Encoding("utf-16", stored("{file}: text is read as {encoding}, by its content",
                                         file=name, encoding="UTF-16"))  # fmt: skip
    else:
        declared = re.match(rb"""\s*<\?xml[^>]*encoding=["']([\w.-]+)""", data)
        label = _label(declared[1]) if declared else None
        if label in (None, "utf-8") and asked is None and _decodes([data], "utf-8"):
            return None
        lines = [line for line in data[: 1 << 24].splitlines() if not line.isascii()]
        encoding = decided(name, lines, asked, label)
    try:
        text = data.decode(encoding.name)
    except UnicodeError as error:
        raise DataError(
            tr("{file}: its text is not in {encoding}", file=name, encoding=encoding.name.upper())
        ) from error
    text = re.sub(
        r"""(<\?xml[^>]*)encoding=["'][\w.-]+["']""", r'\1encoding="UTF-8"', text, count=1
    )
    return text.lstrip("\ufeff").encode(), encoding.note


# ------------------------------------------------------------------ by content


def _by_content(name: str, texts: list[bytes], latin: bool) -> str:
    if _reads_as_utf8(texts):
        return "utf-8"
    if _decodes(texts, "gb18030"):
        read = "".join(_decoded(text, "gb18030") for text in texts)
        if _share(read, _in_gb2312) >= COMMON:
            return "gb18030"
        # Text in Big5 can often be read as GB18030, as other characters.
        traditional = _decodes(texts, "big5")
        likely = traditional and _share(
            "".join(_decoded(text, "big5") for text in texts), _in_big5
        ) >= COMMON  # fmt: skip
        if not likely and not _lone(texts) and _share(read, _common) >= COMMON:
            return "gb18030"
        if latin and _lone(texts):
            return "cp1252"
        raise DataError(tr(_NOT_DECIDED, file=name, sample=quoted(read[:12])))
    if latin:
        return "cp1252"
    raise DataError(tr(_NOT_DECIDED, file=name, sample=quoted("�")))


def _reads_as_utf8(texts: list[bytes]) -> bool:
    """Whether texts are in UTF-8: a word or two in GBK may decode, too, but not to Chinese."""
    if not _decodes(texts, "utf-8"):
        return False
    if _share("".join(_decoded(text, "utf-8") for text in texts), _is_han) >= COMMON:
        return True
    read = "".join(_decoded(text, "gb18030") for text in texts if _decodes([text], "gb18030"))
    return not read or _share(read, _in_gb2312) < COMMON


def _decoded(text: bytes, encoding: str) -> str:
    """Return a text that a narrow column may have cut inside its last character."""
    for cut in range(4):
        try:
            return text[: len(text) - cut].decode(encoding)
        except UnicodeError:
            continue
    raise UnicodeError


def _decodes(texts: list[bytes], encoding: str) -> bool:
    try:
        for text in texts:
            _decoded(text, encoding)
    except UnicodeError:
        return False
    return True


def _share(text: str, known: Callable[[str], bool]) -> float:
    """Return the share of the characters beyond ASCII that a test calls common."""
    strange = [character for character in text if not character.isascii()]
    return sum(map(known, strange)) / max(len(strange), 1)


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff" or character in "（）〇、。“”《》－—　：；，·"


def _in_gb2312(character: str) -> bool:
    return _is_han(character) and _encodes(character, "gb2312")


def _in_big5(character: str) -> bool:
    """Whether it is one of the 5,401 common characters of Big5."""
    return (
        _is_han(character) and _encodes(character, "big5") and character.encode("big5")[0] <= 0xC6
    )


def _common(character: str) -> bool:
    return _in_gb2312(character) or _in_big5(character)


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeError:
        return False
    return True


def _lone(texts: list[bytes]) -> bool:
    """Whether bytes beyond ASCII stand alone between letters, as accents in Latin text do."""
    runs = [len(run) for text in texts for run in re.findall(rb"[\x80-\xff]+", text)]
    return runs.count(1) > 0.8 * len(runs)


# ------------------------------------------------------------------ the table of a shapefile


def _label(text: bytes) -> str | None:
    """Return the encoding that a .cpg file or an XML head names; None for none that is known."""
    word = text.strip(b"\xef\xbb\xbf \t\r\n\0").decode("ascii", "ignore").lower()
    number = re.fullmatch(r"(?:cp|ansi|windows|ms)?[ _-]*(\d+)", word)
    if number and number[1] in ("936", "54936"):
        return "gb18030"
    if word in ("gbk", "gb2312", "gb18030"):
        return "gb18030"
    known = {"65001": "utf-8", "88591": "iso8859-1", "950": "cp950"}
    if number:
        word = known.get(number[1], f"cp{number[1]}")
    try:
        return codecs.lookup(word.replace("iso 8859", "iso8859")).name
    except LookupError:
        return None


def _cells(table: bytes) -> list[bytes]:
    """Return the names of the fields of a dBASE table, and the texts in its rows."""
    start, width = int.from_bytes(table[8:10], "little"), int.from_bytes(table[10:12], "little")
    texts: list[bytes] = []
    places: list[tuple[int, int]] = []
    offset = 1
    for at in range(32, max(start - 31, 32), 32):
        field = table[at : at + 32]
        if len(field) < 32 or field[0] == 0x0D:
            break
        texts.append(field[:11].split(b"\0")[0])
        if field[11:12] in (b"C", b"M"):
            places.append((offset, offset + field[16]))
        offset += field[16]
    if not width:
        return texts
    for row in range(start, min(len(table), start + width * _ROWS), width):
        record = table[row : row + width]
        if not record.isascii():
            texts += [record[low:high].strip(b" \0") for low, high in places]
    return texts
