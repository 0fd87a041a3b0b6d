"""What a rule finds, as data: keys of the catalogue with their values.

A finding is put into words where it is shown, in the language in force there. So one list of
findings serves a table in Chinese, a report in English and a kept study alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, Union

from nankai_gis.plan.model import Names
from nankai_gis.plan.names import simplified
from nankai_gis.words import language, listed, quoted, tr

if TYPE_CHECKING:
    from nankai_gis.measure.checks.cases import Case
    from nankai_gis.measure.checks.context import CheckContext

Verdict = Literal["ok", "differs", "cannot tell"]
Value = Union[float, str, Names, "Statement", tuple["Value", ...]]


class Quoted(str):
    """A text that is shown between the quotation marks of the language."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A message of the catalogue and its values.

    Attributes
    ----------
    message : str
        In English: the key of the catalogue.
    values : mapping of str to object
        Numbers, names, other statements, or tuples of these. A text is in the plan's script.

    Examples
    --------
    >>> print(state("{name} is listed by no zone", name=Names("華苑街道", "华苑街道", "Huayuan")))
    Huayuan is listed by no zone
    """

    message: str
    values: Mapping[str, Value]

    def __str__(self) -> str:
        return tr(self.message, **{key: _shown(value) for key, value in self.values.items()})


def state(message: str, **values: Value) -> Statement:
    """Return a statement.

    Parameters
    ----------
    message : str
        Marked for the catalogue.
    **values
        As `Statement` has them.

    Returns
    -------
    Statement

    Examples
    --------
    >>> str(state("outside the district: {km:.2f} km", km=0.866))
    'outside the district: 0.87 km'
    """
    return Statement(message, values)


def _shown(value: Value) -> object:
    """A value in the language in force; several one after the other."""
    if isinstance(value, Names):
        return value.in_language(language())
    if isinstance(value, tuple):
        if value and all(isinstance(item, Statement) for item in value):
            return joined(map(str, value))
        return listed(map(_shown, value)) if value else tr("none")
    if isinstance(value, str):
        text = simplified(value) if language() == "zh-Hans" else str(value)
        return quoted(text) if isinstance(value, Quoted) else text
    return str(value) if isinstance(value, Statement) else value


def joined(statements: Iterable[str]) -> str:
    """Return statements in one line.

    Parameters
    ----------
    statements : iterable of str

    Returns
    -------
    str
        With the semicolon of the language; "" for none.

    Examples
    --------
    >>> joined(["the pieces join", "not located: Yan'an Road"])
    "the pieces join; not located: Yan'an Road"
    """
    texts = list(statements)
    return reduce(lambda a, b: tr("{first}; {second}", first=a, second=b), texts) if texts else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found about one thing.

    Attributes
    ----------
    features : tuple of str
        Ids of the features it is about: one, or the two that are compared.
    verdict : {'ok', 'differs', 'cannot tell'}
    statements : tuple of Statement
        What was measured.
    clause : str
        The text of the plan that is compared; "" where it isn't one passage.
    place : tuple of float or None
        Longitude and latitude of the place to look at, EPSG:4326.
    inferred : bool
        Whether the finding rests on an inferred boundary.
    rule, title : str
        Id of the rule, and the key of its sentence.
    """

    features: tuple[str, ...]
    verdict: Verdict
    statements: tuple[Statement, ...]
    clause: str = ""
    place: tuple[float, float] | None = None
    inferred: bool = False
    rule: str = ""
    title: str = ""

    @property
    def feature(self) -> str:
        """The ids of the features in one text."""
        return " / ".join(self.features)

    @property
    def figures(self) -> str:
        """What was measured, in the language in force."""
        return joined(map(str, self.statements))

    def as_record(self) -> dict[str, Any]:
        """Return the finding as plain data, its texts in the language in force.

        Returns
        -------
        dict
            ``rule``, ``title``, ``feature``, ``verdict``, ``figures``, ``clause``, ``place`` (a
            list of longitude and latitude, or None) and ``inferred``.

        Examples
        --------
        >>> found = Finding(("a", "b"), "ok", (), rule="R03", title="Zones don't overlap")
        >>> found.as_record()["feature"]
        'a / b'
        """
        return {
            "rule": self.rule,
            "title": tr(self.title),
            "feature": self.feature,
            "verdict": self.verdict,
            "figures": self.figures,
            "clause": self.clause,
            "place": list(self.place) if self.place else None,
            "inferred": self.inferred,
        }


def unknown(feature: str, *statements: Statement, clause: str = "") -> Finding:
    """Return the finding that something can't be told.

    Parameters
    ----------
    feature : str
        Id.
    *statements : Statement
        What is missing.
    clause : str

    Returns
    -------
    Finding

    Examples
    --------
    >>> unknown("nankai", state("the layer {layer} is missing", layer="district")).verdict
    'cannot tell'
    """
    return Finding((feature,), "cannot tell", statements, clause)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with a case that passes and one that fails.

    Attributes
    ----------
    id : str
        Such as ``R03``.
    title : str
        The sentence that the rule checks: a key of the catalogue.
    examine : callable
        Gives the findings of a plan and its layers; its docstring says what counts.
    passing, failing : Case
        A small plan of which all findings agree, and one of which at least one doesn't.
    """

    id: str
    title: str
    examine: Callable[[CheckContext], Iterator[Finding]]
    passing: Case
    failing: Case

    def first(self, case: Case) -> Finding:
        """Return the finding of a case that says most: the first that doesn't agree, if any.

        Parameters
        ----------
        case : Case

        Returns
        -------
        Finding
        """
        from nankai_gis.measure.checks.context import CheckContext

        findings = list(self.examine(CheckContext(case.plan(), case.layers())))
        return next((f for f in findings if f.verdict != "ok"), findings[0])
