"""Names in any script: one form for all spellings, and an index that resolves or says what is near.

A plan writes 衞津路, a map 卫津路, a user ``weijin-road``. All are keys of one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from nankai_gis.errors import AmbiguousNameError, NotFoundError
from nankai_gis.words import language, listed, quoted, tr

if TYPE_CHECKING:
    from opencc import OpenCC

T = TypeVar("T")


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC

    # The plan writes Hong Kong variants (衞, 裏); plain t2s leaves some of them.
    return OpenCC("hk2s")


def simplified(text: str) -> str:
    """Return a text in simplified Chinese.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Everything that isn't a Chinese character stays as it is.

    Examples
    --------
    >>> simplified("啟航灣(示意)")
    '启航湾(示意)'
    """
    return str(_converter().convert(text))


def in_script(text: str) -> str:
    """Return a Chinese text of the plan in the script of the language in force.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Simplified where simplified Chinese is in force; else as it is.

    Examples
    --------
    >>> from nankai_gis.words import speaking
    >>> with speaking("zh-Hans"):
    ...     in_script("東至紅旗路")
    '东至红旗路'
    """
    return simplified(text) if language() == "zh-Hans" else text


@lru_cache(maxsize=65536)
def normalise(name: str) -> str:
    """Return the form of a name under which all its spellings are the same.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Simplified Chinese, compatibility forms (full-width letters and digits, brackets)
        replaced, case folded, white space and hyphens dropped; "" for an empty name.

    Examples
    --------
    >>> normalise("衞津路") == normalise("卫津路") == normalise(" 衛津路 ")
    True
    >>> normalise("Hongqi-Road") == normalise("hongqi road")
    True
    """
    import unicodedata

    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = "".join(c for c in plain if not c.isspace() and c not in "-_·•")
    return plain if plain.isascii() else _converter().convert(plain)


def nearest(asked: str, known: Iterable[str], count: int = 5) -> list[str]:
    """Return the names most like one that isn't known.

    Parameters
    ----------
    asked : str
        Folded, as `known` are.
    known : iterable of str
        Of names that are as near as each other the one that stands first comes first.
    count : int
        At most so many.

    Returns
    -------
    list of str
        First those of the same length in which one character differs, the last one before any
        other, then those in which one is left out or added; then by `difflib`, at a ratio of 0.5
        or more; then those that hold the name or are held by it. Empty where nothing is near.

    Examples
    --------
    >>> nearest("南每路", ["闸南路", "河南路", "南海东路", "南海路"])
    ['南海路', '闸南路', '河南路', '南海东路']
    """
    import difflib

    if not asked:
        return []
    known = list(known)
    apart = [name for name in known if _one_apart(asked, name)]
    # Of these first the one that is only another sort of road: 福源道 for 福源路.
    apart.sort(key=lambda name: (len(name) != len(asked), name[:-1] != asked[:-1]))
    close = difflib.get_close_matches(asked, known, n=count, cutoff=0.5)
    inside = [name for name in known if name and (asked in name or name in asked)]
    inside.sort(key=lambda name: abs(len(name) - len(asked)))
    return list(dict.fromkeys([*apart, *close, *inside]))[:count]


def _one_apart(one: str, other: str) -> bool:
    """Whether one character is replaced, left out or added."""
    short, long = sorted((one, other), key=len)
    if one == other or len(long) - len(short) > 1 or len(short) < 2:
        return False
    differs = (k for k, (a, b) in enumerate(zip(short, long, strict=False)) if a != b)
    first = next(differs, len(short))
    return long[first + 1 :] == short[first + (len(short) == len(long)) :]


class Index(Generic[T]):
    """Things by all their names.

    Parameters
    ----------
    entries : iterable of (iterable of str, object)
        All keys of a thing (id, names, aliases), the one to show in messages first.
    what : str
        What a thing is, for messages: a term of the catalogue, in English.
    error : type of NotFoundError
        Raised for a name that nothing answers to.

    Examples
    --------
    >>> index = Index([(["weijin-road", "衛津路", "卫津路"], 1)], what="street")
    >>> index["衞津路"]
    1
    """

    def __init__(
        self,
        entries: Iterable[tuple[Iterable[str], T]],
        what: str,
        error: type[NotFoundError] = NotFoundError,
    ) -> None:
        self._what = what
        self._error = error
        self._exact: dict[str, list[T]] = {}
        for keys, thing in entries:
            for key in dict.fromkeys(keys):
                if key:
                    self._exact.setdefault(key, []).append(thing)
        self._spellings: Mapping[str, list[T]] | None = None

    def _by_spelling(self) -> Mapping[str, list[T]]:
        if self._spellings is None:
            folded: dict[str, list[T]] = {}
            for key, things in self._exact.items():
                known = folded.setdefault(normalise(key), [])
                known.extend(thing for thing in things if thing not in known)
            self._spellings = folded
        return self._spellings

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in self._exact or normalise(name) in self._by_spelling()
        )

    def __getitem__(self, name: str) -> T:
        """Return the one thing that answers to a name.

        Raises
        ------
        NotFoundError
            With the near names.
        AmbiguousNameError
            If several things answer to it.
        """
        # The exact key first: it spares loading the converter.
        things = self._exact.get(name) or self._by_spelling().get(normalise(name)) or []
        if len(things) == 1:
            return things[0]
        if not things:
            raise self._error(tr(self._what), name, self.near(name))
        raise AmbiguousNameError(
            tr(
                "{name} is the name of more than one {what}: {things}; use the id",
                name=quoted(name),
                what=tr(self._what),
                things=listed(getattr(thing, "id", thing) for thing in things),
            )
        )

    def near(self, name: str) -> list[str]:
        """Return the known names most like one that isn't known.

        Parameters
        ----------
        name : str

        Returns
        -------
        list of str
            At most five, best first (see `nearest`); empty where nothing is near.
        """
        shown = {normalise(key): key for key in reversed(list(self._exact))}
        return [shown[key] for key in nearest(normalise(name), shown)]
