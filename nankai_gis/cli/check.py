"""``check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.words import language, ntr, tr
from nankai_gis.words.terms import STATUSES, VERDICTS

if TYPE_CHECKING:
    from nankai_gis.measure.checks import Finding, Rule


@click.command("check")
@options.output_format("table", "json", "html")
@click.option(
    "--all", "everything", is_flag=True, help="Show findings that agree, too (table only)."
)
@click.option("--list", "explain", is_flag=True, help="Explain each rule by examples and stop.")
@click.option("--rules", is_flag=True, help="List the rules and stop.")
@click.option(
    "--without",
    metavar="RULE=REASON",
    multiple=True,
    help="Leave a rule out, with the reason; may be given more than once.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when a rule differs.")
@options.output
def check_(
    form: str,
    everything: bool,
    explain: bool,
    rules: bool,
    without: tuple[str, ...],
    strict: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Compare what the plan says with what is measured, rule by rule."""
    from nankai_gis.measure import checks
    from nankai_gis.present import tables

    if explain or rules:
        if form == "html":
            raise click.UsageError(
                tr("--list and --rules give a table or JSON; choose another --format")
            )
        options.deliver(_rules(form, explain=explain), output, overwrite)
        return
    reasons = _reasons(without)
    study = options.study()
    findings = checks.check(study.plan, study.layers, reasons)
    if form == "json":
        document = {"left_out": reasons, "findings": [f.as_record() for f in findings]}
        options.deliver(tables.json_text(document), output, overwrite)
    elif form == "html":
        options.deliver(_html(findings, reasons), output, overwrite)
    else:
        options.deliver(_table(findings, reasons, everything), output, overwrite)
    if strict and any(f.verdict == "differs" for f in findings):
        raise SystemExit(3)


def _reasons(without: tuple[str, ...]) -> dict[str, str]:
    reasons = {}
    for item in without:
        rule, _, reason = item.partition("=")
        if not reason.strip():
            raise click.UsageError(
                tr("--without {rule}: say why, as in {rule}=reason", rule=rule.strip())
            )
        reasons[rule.strip()] = reason.strip()
    return reasons


def _rules(form: str, *, explain: bool) -> str | bytes:
    """The rules as a table or as JSON; with their cases, each rule as a paragraph."""
    from nankai_gis.measure import checks
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    if form == "json":
        return tables.json_text({"rules": [_rule(rule, explain) for rule in checks.RULES]})
    if not explain:
        columns = [Column(tr("Rule")), Column(tr("What is checked"))]
        return tables.terminal(columns, [[rule.id, tr(rule.title)] for rule in checks.RULES])
    paragraphs = []
    for rule in checks.RULES:
        lines = [f"{rule.id}  {tr(rule.title)}"]
        lines += ["  " + tr("{verdict}: {case}", **example) for example in _examples(rule)]
        paragraphs.append("\n".join(lines) + "\n")
    return "\n".join(paragraphs)


def _rule(rule: Rule, explain: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"rule": rule.id, "title": tr(rule.title)}
    return record | ({"examples": _examples(rule)} if explain else {})


def _examples(rule: Rule) -> list[dict[str, str]]:
    """What a rule finds in its cases."""
    examples = []
    for case in (rule.passing, rule.failing):
        finding = rule.first(case)
        verdict = tr(VERDICTS[finding.verdict])
        examples.append({"case": tr(case.sentence), "verdict": verdict, "figures": finding.figures})
    return examples


def _notes(findings: list[Finding], reasons: dict[str, str]) -> list[str]:
    """How many findings there are, what 推定 means, and what was left out; one sentence each."""
    counts = {verdict: sum(f.verdict == verdict for f in findings) for verdict in VERDICTS}
    return [
        ntr(
            "{n} finding: agrees {ok}, differs {differs}, cannot tell {unknown}.",
            "{n} findings: agrees {ok}, differs {differs}, cannot tell {unknown}.",
            len(findings),
            ok=counts["ok"],
            differs=counts["differs"],
            unknown=counts["cannot tell"],
        ),
        tr("Findings with the basis inferred rest on inferred boundaries."),
        *(
            tr("{rule} was left out: {reason}", rule=rule, reason=why)
            for rule, why in reasons.items()
        ),
    ]


def _cells(finding: Finding, *, decimals: int, clause: bool) -> list[str]:
    """The cells of a finding: rule, sentence, feature, verdict, figures, clause, place, basis."""
    place = finding.place
    return [
        finding.rule,
        tr(finding.title),
        finding.feature,
        tr(VERDICTS[finding.verdict]),
        finding.figures,
        *([finding.clause] if clause else []),
        f"{place[0]:.{decimals}f}, {place[1]:.{decimals}f}" if place else "-",
        tr(STATUSES["inferred"]) if finding.inferred else "",
    ]


def _heads(*, clause: bool) -> list[str]:
    return [
        tr("Rule"),
        tr("What is checked"),
        tr("Feature"),
        tr("Result"),
        tr("Figures"),
        *([tr("Clause")] if clause else []),
        tr("Place"),
        tr("Basis"),
    ]


def _table(findings: list[Finding], reasons: dict[str, str], everything: bool) -> str:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    shown = [f for f in findings if everything or f.verdict != "ok"]
    rows = [_cells(f, decimals=4, clause=False) for f in shown]
    columns = [Column(head) for head in _heads(clause=False)]
    notes = _notes(findings, reasons)
    if not everything:
        notes.insert(1, tr("Those that agree are not listed; --all lists them."))
    table = tables.terminal(columns, rows) + "\n" if rows else ""
    return table + "".join(f"{note}\n" for note in notes)


_STYLE = """
body { font: 15px/1.5 "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif;
  margin: 2rem; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
tr.differs td:nth-child(4) { color: #b00020; font-weight: bold; }
tr.cannot-tell td:nth-child(4) { color: #7a5900; }
"""


def _html(findings: list[Finding], reasons: dict[str, str]) -> bytes:
    """A page without scripts: everything that comes from data is escaped."""
    from html import escape

    rows = "\n".join(
        "<tr class='{}'>{}</tr>".format(
            finding.verdict.replace(" ", "-"),
            "".join(
                f"<td>{escape(cell)}</td>" for cell in _cells(finding, decimals=5, clause=True)
            ),
        )
        for finding in findings
    )
    notes = "\n".join(f"<p>{escape(note)}</p>" for note in _notes(findings, reasons))
    heads = "".join(f"<th scope='col'>{escape(head)}</th>" for head in _heads(clause=True))
    title = escape(tr("Checks of the plan"))
    page = f"""<!doctype html>
<html lang="{language()}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{_STYLE}</style></head><body>
<h1>{title}</h1>
{notes}
<table><thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table>
</body></html>
"""
    return page.encode()
