"""Put what the program prints into the README.

python scripts/update_readme.py           rewrite the marked blocks
python scripts/update_readme.py --check   compare only; exit 3 when a block is out of date
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(?s)(<!-- begin: ([^>]+?) -->\n).*?(<!-- end: \2 -->)")


def printed(command: str) -> str:
    """What a command prints, as a code block."""
    done = subprocess.run(
        [sys.executable, "-m", "nankai_gis", *command.split()],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return f"```\n{done.stdout.decode()}```\n"


def main() -> int:
    """Write or compare; 3 when the comparison fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    text = README.read_text(encoding="utf-8")
    fresh = BLOCK.sub(lambda m: m[1] + printed(m[2]) + m[3], text)
    if fresh == text:
        print("README.md is up to date")
        return 0
    if check:
        print("README.md differs from what the program prints; run scripts/update_readme.py")
        return 3
    README.write_text(fresh, encoding="utf-8")
    print("README.md rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
