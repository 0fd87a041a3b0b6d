"""``check``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nankai_gis.cli import options
from nankai_gis.words import tr
from nankai_gis.words.terms import VERDICTS

if TYPE_CHECKING:
    from nankai_gis.measure.checks import Finding


@click.command("check")
@options.output_format("table", "json", "html")
@click.option(
    "--all", "everything", is_flag=True, help="Show findings that agree, too (table only)."
)
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and stop.")
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
    list_rules: bool,
    without: tuple[str, ...],
    strict: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Hold what the plan says to what is measured, rule by rule."""
    from nankai_gis.measure import checks
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    if list_rules:
        if form == "html":
            raise click.UsageError("--rules lists the rules as a table or as JSON, not as a page")
        rules = [{"rule": rule.id, "title": rule.title} for rule in checks.RULES]
        rows = [list(rule.values()) for rule in rules]
        listed: str | bytes = tables.terminal([Column("規則"), Column("問題")], rows)
        if form == "json":
            listed = tables.json_text({"rules": rules})
        options.deliver(listed, output, overwrite)
        return
    reasons = _reasons(without)
    held = options.study()
    found = checks.check(held.plan, held.layers, reasons)
    if form == "json":
        document = {"left_out": reasons, "findings": [asdict(f) for f in found]}
        options.deliver(tables.json_text(document), output, overwrite)
    elif form == "html":
        options.deliver(_html(found, reasons), output, overwrite)
    else:
        options.deliver(_table(found, reasons, everything), output, overwrite)
    if strict and any(f.verdict == "differs" for f in found):
        raise SystemExit(3)


def _reasons(without: tuple[str, ...]) -> dict[str, str]:
    reasons = {}
    for item in without:
        rule, _, reason = item.partition("=")
        if not reason.strip():
            raise click.UsageError(f"--without {item}: say why, as in {rule}=reason")
        reasons[rule.strip()] = reason.strip()
    return reasons


def _counts(found: list[Finding]) -> str:
    counts = {v: sum(f.verdict == v for f in found) for v in VERDICTS}
    return ",".join(f"{tr(VERDICTS[v])} {n}" for v, n in counts.items())


def _table(found: list[Finding], reasons: dict[str, str], everything: bool) -> str:
    from nankai_gis.measure import checks
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column

    titles = {rule.id: rule.title for rule in checks.RULES}
    shown = [f for f in found if everything or f.verdict != "ok"]
    rows = [
        [
            f.rule,
            titles[f.rule],
            f.feature,
            tr(VERDICTS[f.verdict]),
            f.figures,
            f"{f.place[0]:.4f},{f.place[1]:.4f}" if f.place else "-",
            "推定" if f.inferred else "",
        ]
        for f in shown
    ]
    columns = [
        Column("規則"),
        Column("問題"),
        Column("對象"),
        Column("結論"),
        Column("數據"),
        Column("位置"),
        Column("依據"),
    ]
    table = tables.terminal(columns, rows) + "\n" if rows else ""
    notes = f"{len(found)} 項:{_counts(found)}。"
    notes += "" if everything else "相符者未列出,用 --all 列出。"
    notes += "依據為「推定」者,結論取決於推定的邊界。\n"
    for rule, reason in reasons.items():
        notes += f"未檢查 {rule}:{reason}\n"
    return table + notes


def _html(found: list[Finding], reasons: dict[str, str]) -> bytes:
    """A page without scripts: everything that comes from data is escaped."""
    from html import escape

    from nankai_gis.measure import checks

    titles = {rule.id: rule.title for rule in checks.RULES}
    rows = "\n".join(
        "<tr class='{}'>{}</tr>".format(
            f.verdict.replace(" ", "-"),
            "".join(
                f"<td>{escape(cell)}</td>"
                for cell in (
                    f.rule,
                    titles[f.rule],
                    f.feature,
                    tr(VERDICTS[f.verdict]),
                    f.figures,
                    f.clause,
                    f"{f.place[0]:.5f}, {f.place[1]:.5f}" if f.place else "",
                    "推定" if f.inferred else "",
                )
            ),
        )
        for f in found
    )
    left_out = "".join(f"<p>未檢查 {escape(r)}:{escape(why)}</p>" for r, why in reasons.items())
    heads = ("規則", "問題", "對象", "結論", "數據", "原文", "位置(經緯度)", "依據")
    head = "".join(f"<th scope='col'>{h}</th>" for h in heads)
    page = f"""<!doctype html>
<html lang="zh-Hant"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>規劃核對</title>
<style>
body {{ font: 15px/1.5 "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", sans-serif;
  margin: 2rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left;
  vertical-align: top; }}
tr.differs td:nth-child(4) {{ color: #b00020; font-weight: bold; }}
tr.cannot-tell td:nth-child(4) {{ color: #7a5900; }}
</style></head><body>
<h1>規劃核對</h1>
<p>{len(found)} 項:{_counts(found)}。依據為「推定」者,結論取決於推定的邊界。</p>
{left_out}
<table><thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody></table>
</body></html>
"""
    return page.encode()
