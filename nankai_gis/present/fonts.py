"""A font that has a glyph for every character to be drawn, cut down to those characters.

Maps carry Chinese names, and what a font can't draw comes out as an empty box (豆腐). So the
character maps of the fonts at hand are asked before anything is drawn, and when none has every
character, that is said instead. The glyphs go into a small TrueType file of their own: any PDF
can embed it, whatever kind of file, collection or variable font they come from.
"""

from __future__ import annotations

import re
import struct
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import FontError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import FontProperties

#: File names of fonts known for Chinese, in the order in which they are tried.
_KNOWN = (
    r"notosans(cjk|tc|sc|hk)|sourcehansans",
    r"pingfang|msjh|msyh|harmonyos.?sans.?(tc|sc)|misans",
    r"wqy|droidsansfallback|simhei|heiti|hiragino",
    r"notoserif(cjk|tc|sc)|sourcehanserif|mingliu|simsun|songti|uming|ukai|lxgw|kai|song|ming",
    r"unifont|hanazono|arialuni",
)
_HELP = (
    "Install a font for Chinese (Debian, Ubuntu: apt-get install fonts-noto-cjk; elsewhere: Noto "
    "Sans CJK, https://github.com/notofonts/noto-cjk), or name one by its file or family"
)
_MILLIMETRES = 25.4 / 72
#: White space, controls, marks of direction and joining, and halves of characters.
_UNPRINTABLE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]+"
)
#: What reading a damaged file may raise, beside the reader's own error.
_DAMAGE = (
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)
#: All of a font that text set one character after the other needs.
# fmt: off
_TABLES = frozenset((
    "GlyphOrder", "head", "hhea", "maxp", "OS/2", "hmtx", "cmap", "post", "name",
    "glyf", "loca", "CFF ", "CFF2",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class Face:
    """One weight of a font, in a file that holds only what is needed.

    Attributes
    ----------
    file : pathlib.Path
    advances : mapping of str to float
        Width of each character, in units of the font size.
    """

    file: Path
    advances: Mapping[str, float]

    def width(self, text: str, points: float) -> float:
        """Return the width of a line of text, in millimetres."""
        return sum(self.advances[letter] for letter in text) * points * _MILLIMETRES

    def at(self, points: float) -> FontProperties:
        """Return it in a size, for Matplotlib."""
        from matplotlib.font_manager import FontProperties

        return FontProperties(fname=str(self.file), size=points)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Pair:
    """The regular and the bold weight; they are the same where there is no bold one.

    Attributes
    ----------
    regular, bold : Face
    name : str
        Of the font they come from.
    """

    regular: Face
    bold: Face
    name: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A face of a font file."""

    path: str
    number: int
    family: str


def printable(text: object) -> str:
    r"""Return a text as one line that a font can be asked for; controls become spaces.

    Parameters
    ----------
    text : object

    Returns
    -------
    str

    Examples
    --------
    >>> printable("南開\n區\x07")
    '南開 區'
    """
    return _UNPRINTABLE.sub(" ", str(text)).strip()


def _opened(path: str, number: int) -> TTFont:
    from fontTools.ttLib import TTFont

    return TTFont(path, fontNumber=number, lazy=True, recalcTimestamp=False)


@cache
def _faces(path: str) -> tuple[_Source, ...]:
    """Return the faces of a font file; of a damaged or unreadable one, none."""
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        with Path(path).open("rb") as handle:
            many = handle.read(4) == b"ttcf"
            handle.seek(0)
            fonts: list[TTFont] = (
                TTCollection(handle, lazy=True).fonts if many else [TTFont(handle)]
            )
            names = [str(font["name"].getBestFamilyName()) for font in fonts]
    except (OSError, TTLibError, *_DAMAGE):
        return ()
    return tuple(_Source(path, n if many else -1, name) for n, name in enumerate(names))


@cache
def _characters(source: _Source) -> frozenset[int]:
    """Return the characters that a face draws."""
    with _opened(source.path, source.number) as font:
        glyphs: dict[int, str] = font.getBestCmap() or {}
    # Fonts of last resort claim every character and draw the same box for all of a block.
    one, other = glyphs.get(ord("一")), glyphs.get(ord("龍"))
    return frozenset() if one is not None and one == other else frozenset(glyphs)


def _preferred(sources: Iterable[_Source], lang: str) -> list[_Source]:
    """Order the faces of a file: of one collection, glyph shapes differ by region."""
    region = r"\bSC\b|Simplified" if lang == "zh-Hans" else r"\bTC\b|\bHK\b|Traditional"
    return sorted(sources, key=lambda source: (not re.search(region, source.family), source.number))


def _listed() -> list[Any]:
    from matplotlib.font_manager import fontManager

    return list(fontManager.ttflist)


def _candidates(font: str | None, lang: str) -> Iterator[_Source]:
    if font is not None and (Path(font).is_file() or "/" in font or "\\" in font):
        faces = _faces(font)
        if not faces:
            raise FontError(f"{font} is no readable font file (TTF, OTF, TTC). {_HELP}")
        yield from _preferred(faces, lang)
        return
    listed = sorted({entry.fname for entry in _listed()})
    if font is not None:
        # A collection may be listed under its first face only, so its file is looked into.
        wanted, head = font.casefold(), font.casefold().split()[0]
        near = [path for path in listed if head in Path(path).stem.casefold()]
        named = {entry.fname for entry in _listed() if entry.name.casefold() == wanted}
        faces = tuple(f for p in sorted({*near, *named}) for f in _faces(p))
        found = [face for face in faces if face.family.casefold() == wanted]
        if not found:
            raise FontError(f"no installed font is called {font!r}. {_HELP}")
        yield from sorted(found, key=lambda face: _weight(face.path))
        return
    for pattern in (*_KNOWN, ""):
        for path in sorted(listed, key=_weight):
            if re.search(pattern, Path(path).stem.replace("-", "").casefold()):
                yield from _preferred(_faces(path), lang)


def _weight(path: str) -> int:
    """Order files by how near they are to the regular weight."""
    stem = Path(path).stem.casefold()
    if re.search("mono|italic|oblique|condensed", stem):
        return 3
    return (
        0
        if re.search("regular|book|normal", stem)
        else 2
        if re.search("[-_](bold|black|heavy|light|thin)", stem)
        else 1
    )


def _bold(source: _Source) -> _Source | None:
    """Return the bold face that goes with a regular one, if it is there."""
    regular = Path(source.path)
    names = [f"{regular.stem}-Bold{regular.suffix}"]
    for this, that in (
        ("Regular", "Bold"),
        ("regular", "bold"),
        ("msjh", "msjhbd"),
        ("msyh", "msyhbd"),
    ):
        names.append(regular.name.replace(this, that))
    for name in names:
        other = regular.with_name(name)
        if name != regular.name and other.is_file():
            same = [face for face in _faces(str(other)) if face.family == source.family]
            return same[0] if same else None
    return None


def _outlines(font: TTFont) -> None:
    """Turn cubic outlines into TrueType's quadratic ones, within a thousandth of the em."""
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import newTable

    glyphs, order, error = font.getGlyphSet(), font.getGlyphOrder(), font["head"].unitsPerEm / 1000
    made = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        made[name] = pen.glyph()
    for table in ("CFF ", "CFF2", "VORG"):
        if table in font:
            del font[table]
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, made
    for name, glyph in made.items():
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (font["hmtx"][name][0], getattr(glyph, "xMin", 0))
    limits = font["maxp"] = newTable("maxp")
    limits.tableVersion, limits.numGlyphs, limits.maxZones = 0x00010000, len(order), 1
    for field in (
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
    ):
        setattr(limits, field, 0)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def _cut(source: _Source, letters: Iterable[str], weight: int, target: Path) -> Face:
    """Write the glyphs of some characters into a font file of their own."""
    from fontTools.subset import Options, Subsetter

    font = _opened(source.path, source.number)
    if "fvar" in font:
        from fontTools.varLib.instancer import instantiateVariableFont

        axes = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
        font = instantiateVariableFont(font, axes | ({"wght": weight} if "wght" in axes else {}))
    options = Options(hinting=False, notdef_outline=True, layout_features=[], name_IDs=[1, 2, 4, 6])
    for table in set(font.keys()) - _TABLES:
        del font[table]
    options.recalc_timestamp = False
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(letter) for letter in letters])
    subsetter.subset(font)
    if "glyf" not in font:
        _outlines(font)
    font.save(target)
    known, em = font.getBestCmap(), font["head"].unitsPerEm
    advances = {letter: font["hmtx"][known[ord(letter)]][0] / em for letter in letters}
    font.close()
    return Face(target, advances)


def covering(texts: Iterable[str], *, lang: str, font: str | None = None) -> Pair:
    """Return a font with a glyph for every character of some texts.

    Parameters
    ----------
    texts : iterable of str
        As `printable` gives them.
    lang : str
        Decides between the regional shapes of a collection.
    font : str, optional
        File or family name; by default the fonts installed are searched.

    Returns
    -------
    Pair
        Its files live as long as it does.

    Raises
    ------
    FontError
        If there is no such font, or none with all characters; the message lists them.

    Examples
    --------
    >>> covering(["km²"], lang="en", font="DejaVu Sans").regular.width("", 12)
    0.0
    """
    letters = sorted({letter for text in texts for letter in text} | {" "})
    best: tuple[int, _Source, list[str]] | None = None
    for source in _candidates(font, lang):
        missing = [letter for letter in letters if ord(letter) not in _characters(source)]
        if best is None or len(missing) < best[0]:
            best = (len(missing), source, missing)
        if not missing:
            break
    if best is None:
        raise FontError(f"no font is installed. {_HELP}", letters)
    count, source, missing = best
    if missing:
        shown = "".join(missing[:40]) + ("…" if count > 40 else "")
        who = f"the font {source.family}" if font is not None else "no installed font"
        lacks = (
            "has no glyph for" if font is not None else f"has every glyph; {source.family} lacks"
        )
        raise FontError(f"{who} {lacks} {count} characters: {shown}. {_HELP}", missing)
    folder = Path(tempfile.mkdtemp(prefix="nankai-gis-font-"))
    bold = _bold(source)
    if bold is not None and any(ord(letter) not in _characters(bold) for letter in letters):
        bold = None
    regular = _cut(source, letters, 400, folder / "regular.ttf")
    with_weights = bold is not None or _is_variable(source)
    strong = _cut(bold or source, letters, 700, folder / "bold.ttf") if with_weights else regular
    found = Pair(regular, strong, source.family)
    weakref.finalize(found, _remove, folder)
    return found


_KEPT: weakref.WeakKeyDictionary[object, Pair] = weakref.WeakKeyDictionary()


def keep(pair: Pair, owner: object) -> None:
    """Keep the files of a pair as long as something lives that is drawn with them.

    Parameters
    ----------
    pair : Pair
    owner : object
        A figure, or whatever else may be referred to weakly.

    Examples
    --------
    >>> class Drawing: ...
    >>> drawing, pair = Drawing(), covering(["A"], lang="en")
    >>> file = pair.regular.file
    >>> keep(pair, drawing)
    >>> del pair
    >>> file.exists()
    True
    >>> del drawing
    >>> file.exists()
    False
    """
    _KEPT[owner] = pair


def _is_variable(source: _Source) -> bool:
    with _opened(source.path, source.number) as font:
        return "fvar" in font


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
