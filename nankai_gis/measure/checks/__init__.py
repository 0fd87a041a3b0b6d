"""Checks of a plan: what it says beside what is measured, rule by rule.

Each rule stands in a file of its own, with a case that passes and one that fails
(`Rule.passing`, `Rule.failing`); tests, ``check --list`` and docs/checks.md are made of them.
Rules are by hand: what they compare, the clauses of a plan with its geometry, no library knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nankai_gis.errors import NotFoundError
from nankai_gis.measure.checks import (
    r01_valid,
    r02_located,
    r03_disjoint,
    r04_inside,
    r05_within,
    r06_stated,
    r07_claimed,
    r08_unclaimed,
    r09_listed,
    r10_sides,
    r11_order,
    r12_joins,
    r13_served,
    r14_as_written,
)
from nankai_gis.measure.checks.context import CheckContext, Layers
from nankai_gis.measure.checks.finding import Finding, Rule, Verdict
from nankai_gis.plan.definitions import Plan
from nankai_gis.words import tr

__all__ = ["RULES", "Finding", "Rule", "Verdict", "check"]

#: All rules, in order.
RULES: tuple[Rule, ...] = (
    r01_valid.RULE,
    r02_located.RULE,
    r03_disjoint.RULE,
    r04_inside.RULE,
    r05_within.RULE,
    r06_stated.RULE,
    r07_claimed.RULE,
    r08_unclaimed.RULE,
    r09_listed.RULE,
    r10_sides.RULE,
    r11_order.RULE,
    r12_joins.RULE,
    r13_served.RULE,
    r14_as_written.RULE,
)


def check(plan: Plan, layers: Layers, without: Iterable[str] = ()) -> list[Finding]:
    """Compare what a plan says with what is measured.

    Parameters
    ----------
    plan : Plan
        What it says.
    layers : mapping of str to sequence of mapping
        GeoJSON features of the layers, EPSG:4326; a layer may be missing.
    without : iterable of str
        Ids of rules to leave out.

    Returns
    -------
    list of Finding
        By rule, then in the order of the plan; empty for an empty plan. What rests on a layer
        that is missing or empty, or on a feature that has no geometry in it, can't be told; the
        figures name the layer. R09 rests on the plan alone.

    Raises
    ------
    NotFoundError
        If a rule to leave out doesn't exist.

    Examples
    --------
    >>> from nankai_gis.plan import definitions, layers
    >>> drawn = {name: list(layers.features(name)) for name in layers.LAYERS}
    >>> findings = check(definitions.packaged(), drawn)
    >>> [f.feature for f in findings if f.rule == "R09" and f.verdict == "differs"]
    ['huayuan']
    """
    left_out = set(without)
    known = {rule.id for rule in RULES}
    for name in sorted(left_out - known):
        raise NotFoundError(tr("rule"), name, sorted(known))
    context = CheckContext(plan, layers)
    return [
        replace(finding, rule=rule.id, title=rule.title)
        for rule in RULES
        if rule.id not in left_out
        for finding in rule.examine(context)
    ]
