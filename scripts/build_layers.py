"""Build every layer from the digitised tables and the plan definitions.

python scripts/build_layers.py           write geodata/layers and the catalogue's figures
python scripts/build_layers.py --check   compare only; exit 3 when something differs
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nankai_gis.compiler.layers import plan_layers
from nankai_gis.network import digitised
from nankai_gis.plan import definitions, packaged

GEODATA = ROOT / "geodata"
FIELDS = ("what", "source", "licence", "date", "crs", "rows", "accuracy", "sha256")


def collection(features: list[dict[str, Any]]) -> bytes:
    """One feature a line: a change in one feature is a change in one line."""
    lines = (json.dumps(f, ensure_ascii=False, separators=(", ", ": ")) for f in features)
    return ('{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n").encode()


def rows(file: Path) -> int:
    """Count what a reader would call the rows of a data file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".geojson":
        return len(json.loads(text)["features"])
    if file.suffix == ".toml":
        return len(tomllib.loads(text))
    return len(text.splitlines()) - 1


def catalogue() -> bytes:
    """The catalogue with its words as they stand and its counts and checksums made new."""
    written = tomllib.loads((GEODATA / "catalog.toml").read_text(encoding="utf-8"))["file"]
    out = ["# Every data file: what it is, where it comes from, how good it is.", ""]
    out += ["# The words are written by hand; rows and sha256 by scripts/build_layers.py.", ""]
    for name in sorted(written):
        record = dict(written[name])
        file = GEODATA / name
        if not file.is_file():
            sys.exit(f"catalog.toml describes {name}, which is not there")
        record["rows"], record["sha256"] = rows(file), packaged.digest(file)
        out.append(f'[file."{name}"]')
        for field in FIELDS:
            value = record[field]
            out.append(f"{field} = {json.dumps(value, ensure_ascii=False)}")
        out.append("")
    return "\n".join(out).encode()


def main() -> int:
    """Write or compare; 3 when the comparison fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check

    made = plan_layers(definitions.read(GEODATA / "plan"), digitised.read(GEODATA / "digitised"))
    wanted = {GEODATA / "layers" / f"{name}.geojson": collection(f) for name, f in made.items()}
    stale = [p for p, data in wanted.items() if not p.is_file() or p.read_bytes() != data]
    if not check:
        for path in stale:
            path.write_bytes(wanted[path])
    if not (check and stale):
        path, data = GEODATA / "catalog.toml", catalogue()
        if path.read_bytes() != data:
            stale.append(path)
            if not check:
                path.write_bytes(data)
    for path in stale:
        print(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}")
    if not stale:
        print("layers and catalogue are up to date")
    return 3 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
