"""Broken and cut OSM files, and an Overpass server that fails in many ways.

    python scripts/fuzz_osm.py files --count 2500 --seed 1
    python scripts/fuzz_osm.py server

Every case must end with the whole network, or with an error of the toolkit's own; what went wrong
is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import make_network as make

#: Holds the network, and is small enough to be asked for at once.
BOX = (117.1, 39.05, 117.24, 39.19)
FORMS = ("a.osm", "a.osm.gz", "a.osm.bz2", "a.osm.pbf", "a.json", "geom.json")
#: What editors and servers write, and nothing else should.
_WORDS = (
    b'action="delete"', b"visible='false'", b'lat="nan"', b"\x00", b"\xff\xfe", b'"id": 1e400',
    b"NaN", b"[[[[", b"<!ENTITY a 'b'>", b"\\ud800", b'<nd lat="1" lon="2"/>', b"-9", b"9" * 400,
    b"]]>", b"<center/>", b"&#0;", b'"tags": []', b"null", b"<remark>timed out</remark>",
)  # fmt: skip


def files(dice: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Cut, change, join and swap pieces of files of every form, read as roads and as areas."""
    network = make.city(44, seed=1)
    whole = {}
    for name in FORMS:
        path = make.write(network, folder / name, geom=name.startswith("geom"))
        whole[name] = path.read_bytes()
    number = 0
    while True:
        name = FORMS[number % len(FORMS)]
        how = (_cut, _bits, _insert, _swap, _repack)[number // len(FORMS) % 5]
        data = how(dice, whole[name])
        cut = how is _cut
        number += 1
        yield f"{how.__name__[1:]} {name}", lambda n=name, d=data, c=cut: _read(n, d, c)


def _cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(1, len(data))]


def _bits(dice: random.Random, data: bytes) -> bytes:
    hurt = bytearray(data)
    for _ in range(dice.choice((1, 2, 8, 60))):
        hurt[dice.randrange(len(hurt))] = dice.randrange(256)
    return bytes(hurt)


def _insert(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + dice.choice(_WORDS) + data[at + dice.choice((0, 0, 5, 40)) :]


def _swap(dice: random.Random, data: bytes) -> bytes:
    a, b, c = sorted(dice.sample(range(len(data)), 3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _repack(dice: random.Random, data: bytes) -> bytes:
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return gzip.compress(_insert(dice, plain))


def _read(name: str, data: bytes, cut: bool) -> str:
    from nankai_gis.errors import NankaiGISError
    from nankai_gis.network import roads

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        told = 0
        for ask in (roads.read, roads.areas):
            try:
                result: Any = ask(path)
            except NankaiGISError as error:
                told += bool(str(error))
                continue
            if cut and ask is roads.read and result.origin.ways < 44 and not result.origin.dropped:
                return f"{result.origin.ways} of 44 ways without a word"
    return "told" if told else ""


# --- the server ---------------------------------------------------------------------------------


def server(_dice: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Answers of an Overpass server: each status with each body and each way to send it."""
    path = make.write(make.city(44, seed=1), folder / "geom.json", geom=True)
    good = path.read_bytes()
    bodies = {
        "whole": good,
        "half": good[: len(good) // 2],
        "empty": b"",
        "a page": b"<html><title>Error</title>runtime error \x1b[2J</html>",
        "a remark": json.dumps(json.loads(good) | {"remark": "runtime error: timed out"}).encode(),
        "a list": b"[]",
        "deep": b"[" * 100_000,
        "no elements": b'{"elements": 7}',
        "grown": b" " * 50_000_000 + good,
    }
    for body, sent in product(bodies, ("plain", "gzip", "cut", "longer", "chunked")):
        yield f"200 {body} {sent}", lambda b=bodies[body], s=sent: _fetch(200, b, s)
    for status, body in product((204, 206, 301, 307, 400, 404, 413, 429, 500, 504), bodies):
        if body in ("whole", "half", "a page", "empty"):
            yield f"{status} {body}", lambda st=status, b=bodies[body]: _fetch(st, b, "plain")


def _fetch(status: int, body: bytes, sent: str) -> str:
    import osmnx  # noqa: F401  (loaded first: it takes longer than the deadline of the request)

    from nankai_gis.errors import NankaiGISError
    from nankai_gis.network import roads

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = gzip.compress(body) if sent in ("gzip", "cut") else body
            self.send_response(status)
            if sent in ("gzip", "cut"):
                self.send_header("Content-Encoding", "gzip")
            if sent == "chunked":
                self.send_header("Transfer-Encoding", "chunked")
                data = b"%x\r\n%s" % (len(data), data)  # and no last chunk
            else:
                self.send_header("Content-Length", str(len(data) + (sent == "longer")))
            if status in (301, 307):
                self.send_header("Location", "http://localhost:9/elsewhere")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(data[:-9] if sent == "cut" else data)

        do_GET = do_POST  # noqa: N815  (the name that http.server calls)

        def log_message(self, *_: object) -> None:
            pass

    stub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=stub.serve_forever, args=(0.05,), daemon=True).start()
    try:
        address = f"http://127.0.0.1:{stub.server_port}/api/interpreter"
        ways = roads.fetch(BOX, endpoint=address, deadline_s=3).origin.ways
    except NankaiGISError as error:
        return "told" if str(error) else "an error without a message"
    finally:
        stub.shutdown()
        stub.server_close()
    return "" if ways == 44 else f"{ways} of 44 ways without a word"


PARTS = {"files": (files, 2500), "server": (server, 85)}


def run(part: str, count: int, seed: int) -> Counter[str]:
    """Run a part; return how many cases were done, told or wrong, and print the last."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        cases = PARTS[part][0](random.Random(seed), Path(folder))
        for number, (name, case) in enumerate(islice(cases, count)):
            try:
                result = case() or "done"
            except Exception:  # noqa: BLE001  (the point is to see all of them)
                result = traceback.format_exc()
            if result not in ("done", "told"):
                print(f"{part} {number} (seed {seed}), {name}: {result}")
                result = "wrong"
            outcomes[result] += 1
    return outcomes


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    wrong = 0
    for part in given.parts:
        outcomes = run(part, given.count or PARTS[part][1], given.seed)
        print(part, dict(outcomes))
        wrong += outcomes["wrong"]
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
