"""Rebuild the published maps and their previews from the recipes in maps/.

python scripts/render_maps.py           draw every recipe anew (headless Chromium, no network)
python scripts/render_maps.py --check   compare only, without a browser; exit 3 when a map has
                                        changed or a preview is missing

A recipe is a TOML file: the command and its options, the preview's name and size in pixels, the
date of the data, and for an interactive map the SHA-256 of its HTML. A figure has no checksum: its
bytes depend on the fonts of whoever draws it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MAPS = ROOT / "maps"
#: Bytes of a preview, so that the README stays quick to open.
LIMIT = 300_000
RECORDED = re.compile(r'(?m)^sha256 = "[0-9a-f]*"$')


def made(recipe: dict[str, Any], folder: Path) -> Path:
    """Run the recipe's command; return the file that it wrote."""
    target = folder / f"map{recipe['suffix']}"
    command = [sys.executable, "-m", "nankai_gis", recipe["command"], *recipe["options"]]
    done = subprocess.run([*command, "-o", target], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[2:])}: {done.stderr}")
    return target


def photographed(page_file: Path, size: tuple[int, int]) -> bytes:
    """Return what a browser of that size shows, with everything but the file itself blocked."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the path (Debian: apt-get install chromium)")
    address = page_file.as_uri()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.route("**/*", lambda r: r.continue_() if r.request.url == address else r.abort())
        page.goto(address)
        page.wait_for_selector(".nk[data-drawn]", state="attached")
        page.wait_for_timeout(500)
        shot: bytes = page.screenshot()
        browser.close()
    return shot


def slim(picture: bytes) -> bytes:
    """Return a PNG in 256 colours of its own: maps have few, and the file is a third as large."""
    from PIL import Image

    target = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(target, "PNG", optimize=True)
    return target.getvalue()


def faults_of_preview(path: Path, size: list[int]) -> list[str]:
    """Return what is wrong with a preview."""
    if not path.is_file():
        return [f"{path.name} is missing"]
    content = path.read_bytes()
    found = list(struct.unpack(">II", content[16:24])) if content[:4] == b"\x89PNG" else None
    wrong = [f"{path.name} is {found}, not {size}"] if found != size else []
    return wrong + ([f"{path.name} has {len(content)} bytes"] if len(content) > LIMIT else [])


def main() -> int:
    """Draw or compare; 3 when the comparison fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--maps", type=Path, default=MAPS, help="folder of the recipes")
    arguments = parser.parse_args()
    faults = []
    for file in sorted(arguments.maps.glob("*.toml")):
        text = file.read_text(encoding="utf-8")
        recipe = tomllib.loads(text)
        preview = file.with_name(recipe["preview"])
        with tempfile.TemporaryDirectory() as folder:
            if "sha256" in recipe:
                written = made(recipe, Path(folder))
                digest = hashlib.sha256(written.read_bytes()).hexdigest()
                if arguments.check and digest != recipe["sha256"]:
                    faults.append(f"{file.name}: the map has changed; run scripts/render_maps.py")
            if not arguments.check:
                if "sha256" in recipe:
                    picture = photographed(written, tuple(recipe["size"]))
                    file.write_text(RECORDED.sub(f'sha256 = "{digest}"', text), encoding="utf-8")
                else:
                    picture = made(recipe, Path(folder)).read_bytes()
                preview.write_bytes(slim(picture))
                print(f"drawn: {preview.name}, {preview.stat().st_size} bytes")
        faults += faults_of_preview(preview, recipe["size"])
    for fault in faults:
        print(fault)
    if not faults:
        print("maps are up to date")
    return 3 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
