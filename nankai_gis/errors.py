"""The one family of errors that the toolkit raises for bad input.

Every class also derives from the built-in exception a Python user would expect
(``LookupError``, ``ValueError``, ``OSError``), so ``except LookupError`` works
without knowing this module, and ``except NankaiGISError`` catches all of them.
A message names the thing, the reason and the next step.
"""

from __future__ import annotations

from collections.abc import Iterable

from nankai_gis.words import listed, ntr, quoted, tr


class NankaiGISError(Exception):
    """Root of all errors that describe bad input or a result that can't be had."""


class NotFoundError(NankaiGISError, LookupError):
    """A name or id that nothing answers to.

    Parameters
    ----------
    what : str
        The kind of thing that was looked for, in the reader's language.
    asked : str
        The name as it was given.
    candidates : iterable of str, optional
        Near names, best first; they become part of the message.
    hint : str, optional
        The next step for the reader.

    Attributes
    ----------
    asked : str
    candidates : tuple of str

    Examples
    --------
    >>> str(NotFoundError("feature", "qihang", ["qihang-bay"]))
    "no feature is called 'qihang'; near names: qihang-bay"
    """

    def __init__(
        self, what: str, asked: str, candidates: Iterable[str] = (), hint: str = ""
    ) -> None:
        self.asked = asked
        self.candidates = tuple(candidates)
        if self.candidates:
            message = tr(
                "no {what} is called {name}; near names: {near}",
                what=what,
                name=quoted(asked),
                near=listed(self.candidates),
            )
        else:
            message = tr("no {what} is called {name}", what=what, name=quoted(asked))
        super().__init__(tr("{message}; {hint}", message=message, hint=hint) if hint else message)

    def __str__(self) -> str:
        return str(self.args[0])


class FeatureNotFoundError(NotFoundError):
    """A plan feature that no definition or layer knows."""


class RoadNotFoundError(NotFoundError):
    """A street, railway or river that the network doesn't hold."""


class AmbiguousNameError(NankaiGISError, LookupError):
    """A name that more than one thing answers to; the message lists them."""


class PlanError(NankaiGISError, ValueError):
    """Faults in plan definitions: all of them at once.

    Parameters
    ----------
    faults : iterable of str
        One line each: file, key and what is wrong.

    Attributes
    ----------
    faults : tuple of str

    Examples
    --------
    >>> print(PlanError(["zones.toml: [a] kind: missing"]))
    1 fault in the plan definitions:
      zones.toml: [a] kind: missing
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        head = ntr(
            "{n} fault in the plan definitions:",
            "{n} faults in the plan definitions:",
            len(self.faults),
        )
        super().__init__("\n  ".join([head, *self.faults]))


class DataError(NankaiGISError, ValueError):
    """A data file that is missing a part, damaged, or not what it says it is."""


class ClauseError(NankaiGISError, ValueError):
    """Prose that names no sides and no axis, or names them in a way that can't be read."""


class GeometryError(NankaiGISError, ValueError):
    """Lines that don't compile to the ring or axis that a definition asks for."""


class CRSError(NankaiGISError, ValueError):
    """Coordinates in no CRS, in the wrong one, or in an unnamed datum."""


class OutputError(NankaiGISError, OSError):
    """An output that can't be written, or that exists and may not be replaced."""


class FontError(NankaiGISError, LookupError):
    """A font that can't be read or has no glyph for what must be drawn.

    Parameters
    ----------
    message : str
    missing : iterable of str, optional
        The characters without a glyph.

    Attributes
    ----------
    missing : tuple of str

    Examples
    --------
    >>> FontError("no glyph", "灣").missing
    ('灣',)
    """

    def __init__(self, message: str, missing: Iterable[str] = ()) -> None:
        self.missing = tuple(missing)
        super().__init__(message)


class MissingGlyphWarning(UserWarning):
    """A sign that no font has, for which a box is drawn."""


class MissingKeyError(NankaiGISError, LookupError):
    """A service that wants a key which isn't in the environment."""


class MissingExtraError(NankaiGISError, ImportError):
    """A part of the toolkit whose packages aren't installed; the message has the command."""


class SchedulerError(NankaiGISError, ConnectionError):
    """A Dask scheduler that doesn't answer, or that was lost on the way."""
