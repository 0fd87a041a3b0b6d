"""The one catalogue of words: English, simplified and traditional Chinese.

English stands in the code and is the key, as gettext has it: whoever reads the code meets the
sentence itself, Babel finds it, and click's own words go through the same door. Chinese is
written once, in traditional characters, in ``zh_Hant.po``; ``scripts/update_words.py`` makes the
simplified script of it, with the quotation marks of that script, so that the two can't disagree.

    tr("{file}: there is no such file", file=path)
    ntr("{n} fault", "{n} faults", n)
    ptr("road class", "street")      one English word for two Chinese ones
    stored("{n} rows", n=3)    a message with its values, kept in a file: recalled(…)
    SIDES = {"east": mark("east")}   a constant, translated where it is shown: tr(SIDES[side])

Text is made in the language in force where it is shown; what is stored holds keys, not text.
"""

from __future__ import annotations

import contextlib
import gettext
import os
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Language = Literal["zh-Hans", "zh-Hant", "en"]

#: The languages, as BCP 47 calls them.
LANGUAGES: tuple[Language, ...] = get_args(Language)
#: Domain of the catalogue, and the folder that holds it.
DOMAIN, FOLDER = "nankai_gis", Path(__file__).parent
#: The environment variable that chooses a language.
VARIABLE = "NANKAI_GIS_LANG"

_chosen: ContextVar[Language | None] = ContextVar("language", default=None)


def language() -> Language:
    """Return the language in force.

    Returns
    -------
    {'zh-Hans', 'zh-Hant', 'en'}
        That of the innermost `speaking` block; else what ``NANKAI_GIS_LANG`` says; else English.

    Examples
    --------
    >>> with speaking("zh-Hans"):
    ...     language()
    'zh-Hans'
    """
    return _chosen.get() or as_language(os.environ.get(VARIABLE, "")) or "en"


@contextlib.contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Put a language in force for a block.

    Parameters
    ----------
    lang : {'zh-Hans', 'zh-Hant', 'en'}

    Raises
    ------
    LookupError
        For any other language.

    Examples
    --------
    >>> with speaking("zh-Hant"):
    ...     tr("subdistrict")
    '街道'
    """
    if lang not in LANGUAGES:
        raise LookupError(f"no language {lang!r}; there are {', '.join(LANGUAGES)}")
    token = _chosen.set(lang)
    try:
        yield
    finally:
        _chosen.reset(token)


def as_language(tag: str) -> Language | None:
    """Return the language that a tag or a locale's name stands for.

    Parameters
    ----------
    tag : str
        Such as ``zh_CN.UTF-8``, ``zh-TW`` or ``en``; case doesn't matter.

    Returns
    -------
    {'zh-Hans', 'zh-Hant', 'en'} or None
        None for a language that the catalogue doesn't have.

    Examples
    --------
    >>> as_language("zh_CN.UTF-8"), as_language("zh_HK"), as_language("fr_FR")
    ('zh-Hans', 'zh-Hant', None)
    """
    steps = tag.split(".")[0].split("@")[0].replace("_", "-").lower().split("-")
    if steps[0] in ("zh", "chinese"):
        traditional = {"hant", "tw", "hk", "mo", "taiwan", "traditional"}
        return "zh-Hant" if traditional & set(steps) else "zh-Hans"
    return "en" if steps[0] in ("en", "english", "c", "posix") else None


def preferred(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language of the person at the terminal.

    Parameters
    ----------
    environment : mapping of str to str

    Returns
    -------
    {'zh-Hans', 'zh-Hant', 'en'}
        What ``NANKAI_GIS_LANG`` says; else the locale's; else English.

    Examples
    --------
    >>> preferred({"NANKAI_GIS_LANG": "zh-Hant", "LANG": "en_GB.UTF-8"})
    'zh-Hant'
    >>> preferred({"LANG": "zh_CN.UTF-8"}), preferred({"LC_ALL": "fr_FR"})
    ('zh-Hans', 'en')
    """
    import locale

    named = [environment.get(name, "") for name in (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")]
    tag = next(filter(None, named), "")
    if not tag and os.name == "nt":
        # Windows keeps the language of its user elsewhere.
        tag = locale.getlocale()[0] or ""
    return as_language(tag) or "en"


@cache
def _catalogue(lang: Language) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, [lang.replace("-", "_")], fallback=lang == "en")


def mark(message: str) -> str:
    """Return a message as it is: a constant that the catalogue is to hold.

    Parameters
    ----------
    message : str
        In English.

    Returns
    -------
    str

    Examples
    --------
    >>> mark("district")
    'district'
    """
    return message


def tr(message: str, /, **values: object) -> str:
    """Return a message in the language in force.

    Parameters
    ----------
    message : str
        In English, with the names of values in braces.
    **values
        What stands in the braces.

    Returns
    -------
    str
        The English where the catalogue has nothing.

    Examples
    --------
    >>> tr("{file}: there is no such file", file="a.osm")
    'a.osm: there is no such file'
    """
    text = _catalogue(language()).gettext(message)
    return text.format(**values) if values else text


def ptr(context: str, message: str, /, **values: object) -> str:
    """Return a message whose English has more than one meaning.

    Parameters
    ----------
    context : str
        Which meaning: the key of the catalogue beside the message.
    message : str
        As in `tr`.
    **values
        As in `tr`.

    Returns
    -------
    str

    Examples
    --------
    >>> ptr("compass", "north")
    'north'
    """
    text = _catalogue(language()).pgettext(context, message)
    return text.format(**values) if values else text


def ntr(singular: str, plural: str, n: int, /, **values: object) -> str:
    """Return a message that counts.

    Parameters
    ----------
    singular, plural : str
        As in `tr`; ``{n}`` stands for the number.
    n : int
    **values
        As in `tr`.

    Returns
    -------
    str

    Examples
    --------
    >>> ntr("{n} row", "{n} rows", 1), ntr("{n} row", "{n} rows", 3)
    ('1 row', '3 rows')
    """
    return _catalogue(language()).ngettext(singular, plural, n).format(n=n, **values)


def stored(message: str, /, **values: object) -> str:
    """Return a message and its values as a text to keep; `recalled` says it in any language.

    Parameters
    ----------
    message : str
        As in `tr`.
    **values
        As in `tr`; kept as text.

    Returns
    -------
    str

    Examples
    --------
    >>> recalled(stored("{file}: there is no such file", file="a.osm"))
    'a.osm: there is no such file'
    """
    import json

    return json.dumps([message, {key: str(value) for key, value in values.items()}])


def recalled(text: str) -> str:
    """Return what `stored` keeps, or a plain message, in the language in force.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> recalled("district")
    'district'
    """
    import json

    if not text.startswith('["'):
        return tr(text)
    message, values = json.loads(text)
    return tr(message, **values)


def quoted(text: object) -> str:
    """Return a text between the quotation marks of the language in force.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Characters that don't print are written as their escapes, so that a name can't steer a
        terminal.

    Examples
    --------
    >>> print(quoted("a.osm"))
    'a.osm'
    >>> with speaking("zh-Hant"):
    ...     print(quoted("紅旗路"))
    「紅旗路」
    """
    opening, closing = {"zh-Hant": "「 」", "zh-Hans": "“ ”", "en": "' '"}[language()].split()
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))
    return f"{opening}{shown}{closing}"


def listed(items: Iterable[object]) -> str:
    """Return things one after the other, as the language in force sets them.

    Parameters
    ----------
    items : iterable

    Returns
    -------
    str
        ``""`` for nothing.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b, c'
    >>> with speaking("zh-Hans"):
    ...     listed(["红旗路", "衡山路"])
    '红旗路、衡山路'
    """
    return ("、" if language().startswith("zh") else ", ").join(map(str, items))


def name_column() -> str:
    """Return the column or attribute that holds names in the language in force.

    Returns
    -------
    {'name', 'name_hans', 'name_en'}

    Examples
    --------
    >>> name_column()
    'name_en'
    """
    return {"zh-Hant": "name", "zh-Hans": "name_hans", "en": "name_en"}[language()]
