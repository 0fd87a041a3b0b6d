"""Choose an installed font that has a glyph for every character to be drawn.

What a font can't draw comes out as an empty box. So the character maps of the fonts are read
before anything is drawn, and when no font has every character, an error says which are missing.
Matplotlib lists the faces of a collection, and embeds only the glyphs in use; it has no call that
picks the first font with every glyph, in the shapes of a region, with the bold face that goes with
it (its own fallback mixes faces within a word). That choice is all there is here.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import FontError, MissingGlyphWarning
from nankai_gis.present.languages import to_reader
from nankai_gis.words import language, listed, mark, quoted, tr

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

#: Families known for Chinese, in the order in which they are tried; within a line, those of the
#: script in force come first, then the regular weight.
_FAMILIES = (
    # Every character of the national standards, and the shapes of each region side by side.
    r"noto sans (cjk|tc|sc|hk)|source han sans",
    # The screen faces of Windows and macOS: complete and even in small sizes.
    r"microsoft (yahei|jhenghei)|pingfang|harmonyos sans|misans",
    # Lighter or older sans faces, which lack some rare characters.
    r"dengxian|等线|wenquanyi|droid sans fallback|simhei|heiti|hiragino",
    # Serif faces: their thin strokes suffer in small labels.
    r"noto serif (cjk|tc|sc)|source han serif|simsun|songti|mingliu|ming|song|kai",
    # Nearly complete, but coarse.
    r"unifont|hanazono|arial unicode",
    "",
)
#: Names of faces in the shapes of a script.
_TRADITIONAL, _SIMPLIFIED = r"\b[TH][CK]\b|traditional|jhenghei|mingliu", r"\bSC\b|simplified|yahei"
_HELP = mark(
    "Install a font for Chinese (Debian, Ubuntu: apt-get install fonts-noto-cjk; elsewhere: "
    "Noto Sans CJK, https://github.com/notofonts/noto-cjk), or name one by its file or family"
)
#: Drawn in place of what no font has.
BOX = "□"
_MILLIMETRES = 25.4 / 72
_BOLD = 600
#: White space, controls, marks of direction and joining, and halves of characters.
_UNPRINTABLE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]+"
)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file."""

    path: str
    index: int
    family: str
    weight: int = 400

    @property
    def font_path(self) -> Any:
        """The face as Matplotlib names it."""
        from matplotlib.font_manager import FontPath

        return FontPath(self.path, self.index)

    def width(self, text: str, points: float) -> float:
        """Return the width of a line of text, in millimetres."""
        return sum(_advance(self, letter) for letter in text) * points * _MILLIMETRES

    def at(self, points: float) -> FontProperties:
        """Return it in a size, for Matplotlib."""
        from matplotlib.font_manager import FontProperties

        return FontProperties(fname=self.font_path, size=points)


@dataclass(frozen=True, slots=True)
class FacePair:
    """The regular and the bold face of a family; the same one where there is no bold one.

    `strays` are signs, such as emoji, that the faces have no glyph for.
    """

    regular: Face
    bold: Face
    strays: str = ""

    def drawn(self, text: str) -> str:
        """Return a text with `BOX` in place of strays."""
        return text.translate(dict.fromkeys(map(ord, self.strays), BOX))


def printable(text: object) -> str:
    """Return a text as one line that a font can draw; controls become spaces."""
    return _UNPRINTABLE.sub(" ", str(text)).strip()


def _font(face: Face) -> Any:
    from matplotlib.font_manager import get_font

    return get_font(face.font_path)


@cache
def _advance(face: Face, letter: str) -> float:
    """Return a character's width, in units of the font's size."""
    from matplotlib.ft2font import LoadFlags

    font = _font(face)
    glyph = font.load_char(ord(letter), flags=LoadFlags.NO_SCALE)
    return float(glyph.horiAdvance / font.units_per_EM)


@cache
def _characters(face: Face) -> frozenset[int]:
    """Return the code points that a face draws; none for a damaged file."""
    try:
        glyphs: dict[int, int] = _font(face).get_charmap()
    except (OSError, RuntimeError, ValueError):
        return frozenset()
    # Fonts of last resort claim every character and draw one box for all of a block.
    box = glyphs.get(ord("一"))
    return frozenset() if box is not None and box == glyphs.get(ord("龍")) else frozenset(glyphs)


def _faces_of_file(path: str) -> list[Face]:
    """Return the faces of a font file; none for a damaged or unreadable one."""
    from matplotlib.font_manager import get_font

    try:
        count = get_font(path).num_faces
        files = [Face(path, index, "") for index in range(count)]
        return [Face(path, face.index, _font(face).family_name) for face in files]
    except (OSError, RuntimeError, ValueError):
        return []


def _installed() -> list[Face]:
    from matplotlib.font_manager import fontManager

    upright = [entry for entry in fontManager.ttflist if entry.style == "normal"]
    return [
        Face(entry.fname, entry.index, entry.name, int(entry.weight))
        for entry in upright
        if "ondensed" not in Path(entry.fname).stem
    ]


def _preference(face: Face) -> tuple[bool, bool, int, str, int]:
    """Order faces: proportional, in the shapes of the script in force, near the regular weight."""
    shapes = _SIMPLIFIED if language() == "zh-Hans" else _TRADITIONAL
    other_shapes = not re.search(shapes, face.family, re.IGNORECASE)
    return (
        "mono" in face.family.lower(),
        other_shapes,
        abs(face.weight - 400),
        face.path,
        face.index,
    )


def _candidates(font: str | None) -> Iterator[Face]:
    if font is not None and (Path(font).is_file() or "/" in font or "\\" in font):
        faces = _faces_of_file(font)
        if not faces:
            with to_reader():
                raise FontError(
                    tr("{file} is not a readable font file (TTF, OTF, TTC). {help}",
                       file=quoted(font), help=tr(_HELP))
                )  # fmt: skip
        yield from sorted(faces, key=_preference)
        return
    installed = sorted(_installed(), key=_preference)
    if font is not None:
        faces = [face for face in installed if face.family.casefold() == font.casefold()]
        if not faces:
            with to_reader():
                raise FontError(
                    tr("no installed font is called {font}. {help}",
                       font=quoted(font), help=tr(_HELP))
                )  # fmt: skip
        yield from faces
        return
    for families in _FAMILIES:
        yield from (f for f in installed if re.search(families, f.family, re.IGNORECASE))


def covering(texts: Iterable[str], *, font: str | None = None) -> FacePair:
    """Return the first font with a glyph for every character of some texts."""
    letters = sorted({letter for text in texts for letter in text} | {" "})
    best: tuple[Face, list[str]] | None = None
    for face in _candidates(font):
        missing = [letter for letter in letters if ord(letter) not in _characters(face)]
        if best is None or len(missing) < len(best[1]):
            best = face, missing
        if not missing:
            break
    if best is None or not _only_strays(*best):
        with to_reader():
            raise _lacking(best, letters, named=font is not None)
    face, strays = best
    if strays:
        with to_reader():
            message = tr(
                "no font has {characters}; {box} is drawn instead",
                characters=listed(strays),
                box=BOX,
            )
            warnings.warn(message, MissingGlyphWarning, stacklevel=2)
    present = {*letters, *(BOX if strays else "")} - set(strays)
    return FacePair(face, _bold(face, sorted(present)), "".join(strays))


def _only_strays(face: Face, missing: list[str]) -> bool:
    """Tell whether a face lacks nothing but signs and the rarest letters, and has a box for them.

    For the letters of a script there are fonts, so that it is better to ask for one.
    """
    letters = [m for m in missing if unicodedata.category(m)[0] in "LN" and ord(m) < 0x10000]
    return not letters and (not missing or ord(BOX) in _characters(face))


def _lacking(best: tuple[Face, list[str]] | None, letters: list[str], *, named: bool) -> FontError:
    """Return the error that says which characters the best font lacks."""
    if best is None:
        return FontError(tr("no font is installed. {help}", help=tr(_HELP)), letters)
    face, missing = best
    values = {
        "font": face.family,
        "n": len(missing),
        "characters": "".join(missing[:40]) + ("…" if len(missing) > 40 else ""),
        "help": tr(_HELP),
    }
    if named:
        message = tr(
            "the font {font} has no glyph for these characters ({n}): {characters}. {help}",
            **values,
        )
    else:
        message = tr(
            "no installed font has every glyph; the nearest, {font}, has none for these "
            "characters ({n}): {characters}. {help}",
            **values,
        )
    return FontError(message, missing)


def _bold(regular: Face, letters: list[str]) -> Face:
    """Return the bold face that goes with a regular one; itself where there is none."""
    heavier = [f for f in _installed() if f.family == regular.family and f.weight >= _BOLD]
    for face in sorted(heavier, key=lambda face: (abs(face.weight - 700), face.path, face.index)):
        if all(ord(letter) in _characters(face) for letter in letters):
            return face
    return regular
