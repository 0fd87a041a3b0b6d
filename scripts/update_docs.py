"""Put what the program prints into the READMEs, the tutorial and the page of the rules.

python scripts/update_docs.py           rewrite what is printed
python scripts/update_docs.py --check   compare only; exit 3 when something is out of date

In the READMEs, what a command prints stands between ``begin`` and ``end`` marks, in the language
of the page. The tutorial is followed from its first line to its last in an empty folder: files
are written, ``sh`` blocks are run, and what a block prints stands in the ``text`` block after it.
docs/checks.md is made of the rules of `nankai_gis.measure.checks` and of their cases.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from inspect import cleandoc
from pathlib import Path

os.environ["NANKAI_GIS_LANG"] = "en"
ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
README_ZH = ROOT / "README.zh.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
CHECKS = ROOT / "docs" / "checks.md"
CHECKS_HEAD = """\
# What is checked

Made by `scripts/update_docs.py` from the rules in `nankai_gis/measure/checks/`. `nankai-gis check`
runs them all; `nankai-gis check --list` explains them, in Chinese with `nankai-gis --lang zh-Hans
check --list`. A finding *agrees*, *differs* or *can't be told*: a gap in the data is no fault of
the plan.
"""
BLOCK = re.compile(r"(?s)(<!-- begin: ([^>]+?) -->\n).*?(<!-- end: \2 -->)")
STEP = re.compile(
    r"(?ms)^<!-- file: (?P<file>\S+) -->\n```toml\n(?P<content>.*?)^```\n"
    r"|^```sh\n(?P<commands>.*?)^```\n(?P<told>```text\n.*?^```\n)?"
)


def printed(command: str, lang: str) -> str:
    """What a command prints, as a code block."""
    sys.path.insert(0, str(ROOT))
    from click.testing import CliRunner

    from nankai_gis.cli import main

    done = CliRunner().invoke(
        main, ["--lang", lang, *command.split()], prog_name="nankai-gis", catch_exceptions=False
    )
    if done.exit_code:
        raise SystemExit(f"{command}: {done.stderr}")
    return f"```\n{done.stdout}```\n"


def readme(text: str, lang: str = "en") -> str:
    """A README with what its commands print now."""
    return BLOCK.sub(lambda m: m[1] + printed(m[2], lang) + m[3], text)


def readme_zh(text: str) -> str:
    """The README in simplified Chinese."""
    return readme(text, "zh-Hans")


def tutorial(text: str) -> str:
    """The tutorial with what its commands print now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "bin" / "nankai-gis"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m nankai_gis "$@"\n'
        )
        program.chmod(0o755)
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        work = folder / "work"
        work.mkdir()

        def step(found: re.Match[str]) -> str:
            if found["file"]:
                (work / found["file"]).write_text(found["content"], encoding="utf-8")
                return found[0]
            done = subprocess.run(
                ["sh", "-e", "-c", found["commands"]],
                cwd=work,
                env={**os.environ, "PATH": path},
                # What fails on purpose shows why.
                check=not found["told"],
                stdout=subprocess.PIPE,
                # A reader sees what is said and what is printed in one window.
                stderr=subprocess.STDOUT if found["told"] else None,
            )
            told = f"```text\n{done.stdout.decode()}```\n" if found["told"] else ""
            return f"```sh\n{found['commands']}```\n{told}"

        return STEP.sub(step, text)


def checks(_: str) -> str:
    """The page of the rules: what each checks, and what it finds in its cases."""
    sys.path.insert(0, str(ROOT))
    from nankai_gis import words
    from nankai_gis.measure.checks import RULES
    from nankai_gis.words.terms import VERDICTS

    parts = [CHECKS_HEAD]
    with words.speaking("en"):
        for rule in RULES:
            cases = [(case.sentence, rule.first(case)) for case in (rule.passing, rule.failing)]
            rows = [
                f"| {sentence} | {words.tr(VERDICTS[found.verdict])} | {found.figures} |"
                for sentence, found in cases
            ]
            table = "\n".join(["| Case | Result | Figures |", "|---|---|---|", *rows])
            text = cleandoc(rule.examine.__doc__ or "")
            parts.append(f"## {rule.id} {rule.title}\n\n{text}\n\n{table}\n")
    return "\n".join(parts)


def main() -> int:
    """Write or compare; 3 when the comparison fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = False
    pages = ((CHECKS, checks), (README, readme), (README_ZH, readme_zh), (TUTORIAL, tutorial))
    for path, renew in pages:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        fresh = renew(text)
        if fresh == text:
            print(f"{path.name} is up to date")
            continue
        stale = True
        if check:
            print(f"{path.name} differs from what the program prints; run scripts/update_docs.py")
        else:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path.name} rewritten")
    return 3 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
