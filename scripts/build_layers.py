"""Build every layer from the digitised tables and the plan definitions.

python scripts/build_layers.py           write geodata/layers, the catalogue's figures, and
                                         tests/figures.json, which the tests read
python scripts/build_layers.py --all     also what shows them: scripts/update_docs.py and
                                         scripts/render_maps.py
python scripts/build_layers.py --check   compare only; exit 3 when something differs
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nankai_gis.compiler.layers import plan_layers
from nankai_gis.measure import checks
from nankai_gis.measure import features as measure
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


def accuracy(file: Path) -> str:
    """How good the positions of a data file are, in words; a dash for one without positions."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".geojson":
        stated = [f["properties"]["accuracy_m"] for f in json.loads(text)["features"]]
    else:
        table = csv.DictReader(text.splitlines()) if file.suffix == ".csv" else []
        # A vertex at a control point leaves its accuracy to the point.
        stated = [float(row["accuracy_m"]) for row in table if row.get("accuracy_m")]
    known = [metres for metres in stated if metres is not None]
    if not known:
        return "—"
    words = f"{min(known):.0f} to {max(known):.0f} m" if len(known) > 1 else f"{known[0]:.0f} m"
    missing = len(stated) - len(known)
    return f"{words}; {missing} of {len(stated)} not located" if missing else words


def catalogue() -> bytes:
    """The catalogue with its words as they stand and its figures made new."""
    written = tomllib.loads((GEODATA / "catalog.toml").read_text(encoding="utf-8"))["file"]
    out = ["# Every data file: what it is, where it comes from, how good it is.", ""]
    out += [
        "# The words are written by hand; rows, accuracy and sha256 by scripts/build_layers.py.",
        "",
    ]
    for name in sorted(written):
        record = dict(written[name])
        file = GEODATA / name
        if not file.is_file():
            sys.exit(f"catalog.toml describes {name}, which is not there")
        record |= {
            "rows": rows(file),
            "accuracy": accuracy(file),
            "sha256": packaged.digest(file),
        }
        out.append(f'[file."{name}"]')
        for field in FIELDS:
            value = record[field]
            out.append(f"{field} = {json.dumps(value, ensure_ascii=False)}")
        out.append("")
    return "\n".join(out).encode()


def figures(made: dict[str, list[dict[str, Any]]], plan: definitions.Plan) -> bytes:
    """What is measured and found on the layers: areas, lengths and the findings of the checks."""
    polygons = [f for name in ("district", "zones", "parcel", "subdistricts") for f in made[name]]
    areas = {
        row.id: {"area_m2": round(row.area_m2), "sd_m2": round(row.area_sd_m2)}
        for row in measure.areas(polygons)
    }
    lengths: dict[str, dict[str, float]] = {}
    for piece in measure.lengths(made["corridors"]):
        if piece.length_m is not None and not piece.planned:
            ours = lengths.setdefault(piece.corridor, {})
            ours[piece.street] = ours.get(piece.street, 0) + round(piece.length_m)
    missing = {
        name: [f["properties"]["id"] for f in made[name] if f["geometry"] is None]
        for name in ("corridors", "streets", "sites")
    }
    verdicts = Counter(finding.verdict for finding in checks.check(plan, made))
    figures = {
        "areas": areas,
        "lengths_m": lengths,
        "not_located": missing,
        "findings": dict(sorted(verdicts.items())),
    }
    return (json.dumps(figures, ensure_ascii=False, indent=1) + "\n").encode()


def main() -> int:
    """Write or compare; 3 when the comparison fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--all", action="store_true", help="also documents and maps")
    options = parser.parse_args()
    check = options.check

    plan = definitions.read(GEODATA / "plan")
    made = plan_layers(plan, digitised.read(GEODATA / "digitised"))
    wanted = {GEODATA / "layers" / f"{name}.geojson": collection(f) for name, f in made.items()}
    wanted[ROOT / "tests" / "figures.json"] = figures(made, plan)
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
        print("layers, catalogue and figures are up to date")
    for script in ("update_docs.py", "render_maps.py") if options.all else ():
        command = [sys.executable, str(ROOT / "scripts" / script), *(["--check"] if check else [])]
        if subprocess.run(command, cwd=ROOT).returncode:
            return 3
    return 3 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
