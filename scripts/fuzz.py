"""Hostile and broken input, as much as time allows: nothing may end in a traceback or in silence.

    python scripts/fuzz.py                         every part, with its full number of cases
    python scripts/fuzz.py vectors --count 500     one part
    python scripts/fuzz.py --seed 7                other dice

Each case runs in a child with the modules loaded, a limit of memory and of processor time, and
sockets that refuse. A case is right if it is done, or refused by an error of the toolkit's own or
a usage error. A part is a function of dice and folder that yields its cases; `PARTS` lists them.
The exit code is 1 if any case went wrong; each is printed with the seed that makes it again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MEMORY, CPU_S = 2 << 30, 20


class Case(NamedTuple):
    """One thing to try: what it is called, and what is run in a child."""

    name: str
    #: Returns "" where all is right, else what is wrong.
    run: Callable[[], str]


Part = Callable[[random.Random, Path], Iterator[Case]]


# ------------------------------------------------------------------ the frame


def outcome(case: Case) -> str:
    """Run a case in a child; return done, told, or what went wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, _in_child(case).encode("utf-8", "backslashreplace")[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return said or "ended without a word"


def _in_child(case: Case) -> str:
    # What is held already counts, too.
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    # In this child alone, so that whatever opens a socket ends the case.
    socket.socket.connect = _no_socket  # type: ignore[method-assign,assignment]  (a stand-in)
    socket.getaddrinfo = _no_socket
    try:
        return case.run() or "done"
    except BaseException as error:  # noqa: BLE001  (the point is to see all of them)
        return told(error) or traceback.format_exc()


def _no_socket(*_: object) -> Any:
    raise SystemError("a socket was opened")


def told(error: BaseException) -> str:
    """Return "told" for an error that a user gets as a message."""
    from nankai_gis.errors import NankaiGISError

    return "told" if isinstance(error, NankaiGISError) and str(error) else ""


def command(*arguments: str) -> str:
    """Run a command in this process; return "" or told, or what went wrong."""
    from nankai_gis.cli import main

    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            main(list(arguments), prog_name="nankai-gis")
        except SystemExit as end:
            if end.code not in (None, 0, 1, 2, 3):
                return f"exit code {end.code}"
    written.flush()
    text = written.buffer.getvalue().decode()
    if "\x1b" in text:
        return f"an escape sequence reaches the terminal: {text[:200]!r}"
    return "told" if "Error" in text else ""


def mutated(dice: random.Random, content: bytes) -> bytes:
    """Return bytes with a few changes: cut, flipped, doubled, filled, replaced by odd values."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 8))):
        if not data:
            break
        at = dice.randrange(len(data))
        end = min(len(data), at + dice.choice((1, 2, 4, 16, 200)))
        kind = dice.randrange(8)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 2:
            data[at:end] = dice.randbytes(end - at)
        elif kind == 3:
            data[at:at] = data[at:end] * dice.choice((1, 3, 50))
        elif kind == 4:
            del data[at:end]
        elif kind == 5:
            data[at:end] = dice.choice((b"\0", b"\xff")) * (end - at)
        else:
            data[at:end] = dice.choice(ODD)
    return bytes(data)


ODD = (
    b"nan", b"-inf", b"1e999", b"5e-324", b"9" * 5000, b"-1", b"0", b"\\ud800", b"\xed\xa0\x80",
    "\u202e".encode(), b"\x1b]0;x\x07", b"\x0b", b"[" * 3000, b"{" * 3000, b"null", b'""', b"\n",
    b"http://127.0.0.1:9/", b"<!ENTITY a 'b'>", b"/vsicurl/http://127.0.0.1:9/x", b"\xef\xbb\xbf",
    "\U0001f3eb".encode(), b"'", b"..", b"1979-13-45", b"[[a]]",
)  # fmt: skip


# ------------------------------------------------------------------ definitions


def definitions(dice: random.Random, folder: Path) -> Iterator[Case]:
    """Plan definitions: text that is broken anywhere."""
    from nankai_gis.plan.definitions import example
    from nankai_gis.plan.packaged import data_folder

    texts = [example().encode()]
    texts += [file.read_bytes() for file in sorted((data_folder() / "plan").glob("*.toml"))]
    file = folder / "plan.toml"
    file.write_text(example(), encoding="utf-8")
    command("--plan", str(folder), "list")
    while True:
        content = mutated(dice, dice.choice(texts))
        asked = dice.choice(("list", "list", "list", "area", "show"))

        def run(content: bytes = content, asked: str = asked) -> str:
            file.write_bytes(content)
            return command("--plan", str(folder), asked)

        yield Case(asked, run)


# ------------------------------------------------------------------ vector files


def vectors(dice: random.Random, folder: Path) -> Iterator[Case]:
    """Vector files of all formats, changed in any of their files."""
    from nankai_gis.files import columns, vector

    names = _vector_files(folder / "sound")
    while True:
        name = dice.choice(names)
        sound = folder / "sound" / name
        stem = name.split(".")[0]
        beside = sound.rglob("*") if sound.is_dir() else sound.parent.glob(f"{stem}.*")
        together = sorted(file for file in beside if file.is_file())
        broken = dice.choice(together)
        content = broken.read_bytes()
        # Half of the cases are cut, the others changed in any way.
        cut = dice.random() < 0.5 and broken.suffix != ".prj"
        content = content[: dice.randrange(len(content))] if cut else mutated(dice, content)

        def run(
            name: str = name, broken: Path = broken, content: bytes = content, cut: bool = cut
        ) -> str:
            place = folder / "case"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder / "sound", place)
            (place / broken.relative_to(folder / "sound")).write_bytes(content)
            layer = vector.read(place / name, want="Line")
            columns.identified(layer.frame, name)
            if cut and len(layer.frame) < _ROWS and not layer.notes:
                return f"{len(layer.frame)} of {_ROWS} rows, without a word"
            return ""

        yield Case(f"{name} ({broken.name}{', cut' if cut else ''})", run)


_ROWS = 40


def _vector_files(folder: Path) -> list[str]:
    """Write lines in every format; return the names."""
    import geopandas
    import shapely

    folder.mkdir()
    lines = [
        shapely.LineString([(117 + k / 100, 39), (117.003 + k / 100, 39.001), (117.1, 39.1)])
        for k in range(_ROWS)
    ]
    table = {"name": [f"試驗路{k}" for k in range(_ROWS)], "highway": "primary"}
    frame = geopandas.GeoDataFrame(table, geometry=lines, crs=4326)
    drivers = {
        "geojson.geojson": "GeoJSON", "seq.geojsonl": "GeoJSONSeq", "fgb.fgb": "FlatGeobuf",
        "pack.gpkg": "GPKG", "kml.kml": "LIBKML", "gml.gml": "GML", "mif.mif": "MapInfo File",
        "tab.tab": "MapInfo File", "shp.shp": "ESRI Shapefile", "gdb.gdb": "OpenFileGDB",
    }  # fmt: skip
    for name, driver in drivers.items():
        frame.to_file(folder / name, driver=driver)
    frame[["name", "geometry"]].to_file(folder / "gpx.gpx", driver="GPX")
    shutil.make_archive(str(folder / "zip"), "zip", folder, "shp.shp")
    (folder / "zip.zip").unlink()
    import zipfile

    with zipfile.ZipFile(folder / "zip.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        for file in folder.glob("shp.*"):
            pack.write(file, file.name)
    with zipfile.ZipFile(folder / "kmz.kmz", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.write(folder / "kml.kml", "doc.kml")
    return [*drivers, "gpx.gpx", "zip.zip", "kmz.kmz"]


# ------------------------------------------------------------------ digitised tables


def tables(dice: random.Random, folder: Path) -> Iterator[Case]:
    """The four tables of a digitised network."""
    from nankai_gis.network import digitised
    from nankai_gis.plan.packaged import data_folder

    while True:
        name = dice.choice(list(digitised.TABLES))
        content = mutated(dice, (data_folder() / "digitised" / name).read_bytes())

        def run(name: str = name, content: bytes = content) -> str:
            place = folder / "case"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(data_folder() / "digitised", place)
            (place / name).write_bytes(content)
            digitised.read(place)
            return ""

        yield Case(name, run)


# ------------------------------------------------------------------ command lines


def commands(dice: random.Random, folder: Path) -> Iterator[Case]:
    """Commands with any options and values, sensible or not."""
    import click

    from nankai_gis.cli import main

    (folder / "a.geojson").write_text("{}", encoding="utf-8")
    values = ("", "-1", "0", "1e999", "nan", "a" * 300, "\ud800", "啟航灣", "qihang-bay", "zone",
              "\x1b[31m", str(folder), str(folder / "a.geojson"), "/no/such/file", "en",
              "zh-Hans", "117,39,117.1,39.1", "table", "csv", "json", "geojson", "東至,南至",
              "x|layername=y", "tcp://127.0.0.1:1", "--", "..")  # fmt: skip
    # What asks a server, or works for long, is tried elsewhere.
    names = [n for n in main.commands if n not in ("report", "map", "figure", "study", "check")]
    while True:
        name = dice.choice(names)
        found: click.Command = main.commands[name]
        line = [name]
        if isinstance(found, click.Group):
            sub = dice.choice([n for n in found.commands if n != "fetch"])
            found, line = found.commands[sub], [name, sub]
        options = [p for p in found.params if isinstance(p, click.Option)]
        for option in dice.sample(options, min(len(options), dice.randrange(4))):
            line.append(option.opts[0])
            if not option.is_flag:
                kind = option.type
                pool = kind.choices if isinstance(kind, click.Choice) else values
                line.append(str(dice.choice((*pool, dice.choice(values)))))
        line += [dice.choice(values) for _ in range(dice.randrange(3))]
        if dice.random() < 0.2:
            line = [dice.choice(("--plan", "--lang", "--roads")), dice.choice(values), *line]

        def run(line: list[str] = line) -> str:
            os.chdir(folder)
            return command(*line)

        yield Case(" ".join(map(ascii, line)), run)


# ------------------------------------------------------------------ a tiny disk, and kills

OUTPUTS = {
    "area.csv": ("area", "--format", "csv", "-o"), "area.xlsx": ("area", "-o"),
    "coverage.xlsx": ("coverage", "-o"), "map.html": ("map", "-o"), "figure.svg": ("figure", "-o"),
    "figure.pdf": ("figure", "-o"), "report.docx": ("report",), "report.html": ("report",),
    "study.gpkg": ("study",), "plan.gpkg": ("export",), "plan.zip": ("export",),
    "plan.kmz": ("export",), "plan.geojson": ("export",), "plan.fgb": ("export",),
    "plan.dxf": ("export",),
}  # fmt: skip
_BEFORE = b"what was there before"


def disk(dice: random.Random, folder: Path) -> Iterator[Case]:
    """Every output where files can't grow beyond a few bytes: the old file stays."""
    names = list(OUTPUTS)
    while True:
        name, most = dice.choice(names), dice.choice((0, 100, 5_000, 20_000))

        def run(name: str = name, most: int = most) -> str:
            target = folder / name
            target.write_bytes(_BEFORE)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            os.environ["MPLCONFIGDIR"] = str(folder)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            said = command(*OUTPUTS[name], str(target), "--overwrite")
            if target.read_bytes() == _BEFORE:
                return said if said else "not written, and not told"
            return said if target.stat().st_size <= most else "larger than the disk"

        yield Case(f"{name} in {most} bytes", run)


def kills(dice: random.Random, folder: Path) -> Iterator[Case]:
    """Every output, killed at any moment: the old file, or the whole new one."""
    names = list(OUTPUTS)
    while True:
        name, share = dice.choice(names), dice.random()

        def run(name: str = name, share: float = share) -> str:
            target = folder / name
            target.write_bytes(_BEFORE)
            line = [*OUTPUTS[name], str(target), "--overwrite"]
            worker = os.fork()
            if worker == 0:
                command(*line)
                os._exit(0)
            time.sleep(share * 3)
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
            content = target.read_bytes()
            ends = {".html": b"</html>", ".svg": b"</svg>", ".pdf": b"%%EOF", ".geojson": b"}"}
            end = ends.get(target.suffix, b"")
            if content != _BEFORE and not content.rstrip().endswith(end):
                return "half a file"
            return ""

        yield Case(f"{name} after {share * 3:.2f} s", run)


#: Parts, and how many cases of each are a full run.
PARTS: dict[str, tuple[Part, int]] = {
    "definitions": (definitions, 5000),
    "vectors": (vectors, 2500),
    "tables": (tables, 1000),
    "commands": (commands, 2000),
    "disk": (disk, 60),
    "kills": (kills, 300),
}


def try_part(name: str, seed: int, count: int, seconds: float) -> tuple[Counter[str], list[str]]:
    """Run cases of a part; return how many ended how, and what went wrong."""
    part, _ = PARTS[name]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    until = time.monotonic() + seconds
    # Loaded once, and in every child from then on.
    for line in (["list"], ["area"], ["coverage", "--by", "zone"]):
        with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
            command(*line)
    with tempfile.TemporaryDirectory(prefix="nankai-gis-fuzz-") as folder:
        for number, case in enumerate(part(random.Random(f"{seed} {name}"), Path(folder))):
            if number >= count or time.monotonic() > until:
                break
            result = outcome(case)
            kind = result if result in ("done", "told") else "wrong"
            counts[kind] += 1
            if kind == "wrong":
                wrong.append(f"{name} {number} (seed {seed}): {case.name}\n{result.strip()}")
    return counts, wrong


def main() -> int:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="cases of each part")
    parser.add_argument("--seconds", type=float, default=1e9, help="for each part")
    given = parser.parse_args()
    failed = 0
    for name in given.parts or PARTS:
        counts, wrong = try_part(name, given.seed, given.count or PARTS[name][1], given.seconds)
        print(
            f"{name}: {sum(counts.values())} cases, {json.dumps(counts, sort_keys=True)}",
            flush=True,
        )
        for text in wrong[:20]:
            print(text, file=sys.stderr)
        failed += len(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
