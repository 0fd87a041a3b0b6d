"""Every output is written whole or not at all, whatever happens and whenever it happens.

A child process exports over an existing file and is killed: at each call that opens, renames,
links, removes, changes or flushes a file, and at each of many sizes to which a file may grow
(a limit of the kernel, so that writes inside libraries are met as well). The old file must be
intact, or the new one whole; what else is left over must be hidden. The children are forks of
one process that has everything imported and measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from osm_text import osm

from nankai_gis import exports
from nankai_gis.errors import OutputError
from nankai_gis.files import atomic
from nankai_gis.network import roads
from nankai_gis.plan import layers
from nankai_gis.studies import store, study

ROOT = Path(__file__).resolve().parent.parent
KINDS = [
    kind for kind in exports.FORMATS if kind != "geoparquet" or importlib.util.find_spec("pyarrow")
]
#: What is no export: a kept study, a snapshot of roads, and what `atomic.write_bytes` writes: every
#: map, figure, report, table and example plan, whose bytes are made beforehand.
OTHERS = ["study", "snapshot", "bytes"]
EVERY = [*KINDS, *OTHERS]
OLD = b"what was there before"
#: Runs in the parent of all children. For each kind of fault it forks children until one gets
#: through unharmed, and prints what each left in the folder.
DRIVER = """
    import json, os, resource, shutil, signal, sys, tempfile
    from pathlib import Path
    from nankai_gis import exports
    from nankai_gis.compiler import layers as compiled
    from nankai_gis.files import atomic
    from nankai_gis.network import digitised, roads
    from nankai_gis.plan import definitions
    from nankai_gis.studies import store, study

    kind, folder, old = sys.argv[1], Path(sys.argv[2]), sys.argv[3].encode()
    found = study.packaged()
    frames = {name: found.frame(name) for name in ("zones", "parcel")}
    zone = '''
    [a]
    kind = "zone"
    name = "a"
    clause = "…"
    clause_source = "…"
    status = "osm"
    sides = { east = ["衛津路"], south = ["復康路"], west = ["紅旗路"], north = ["鞍山西道"] }
    '''
    made = compiled.plan_layers(definitions.parse({"a": zone}), digitised.packaged())
    kept = study.Study({**made, "streets": ()}, {"a": zone}, {})
    ways = roads.read(Path(sys.argv[4])) if kind == "snapshot" else None

    def put(target, overwrite=False):
        if kind == "study":
            store.save(kept, target, overwrite=overwrite)
        elif kind == "snapshot":
            ways.save(target, overwrite=overwrite)
        elif kind == "bytes":
            atomic.write_bytes(target, b"0123456789abcdef" * 4096, overwrite=overwrite)
        else:
            exports.write(frames, target, format=kind, overwrite=overwrite)

    # Everything is imported and cached before the first fork.
    put(folder / "whole.gpkg")
    whole = (folder / "whole.gpkg").stat().st_size
    (folder / "whole.gpkg").unlink()

    EVENTS = {"open", "os.rename", "os.link", "os.remove", "os.chmod", "os.mkdir", "os.rmdir",
              "os.truncate", "shutil.rmtree"}

    def at_call(n):
        count = 0
        def step():
            nonlocal count
            count += 1
            if count == n:
                os.kill(os.getpid(), signal.SIGKILL)
        def hook(event, args):
            # Of opened files only those count that are opened to be written.
            if event in EVENTS and (event != "open" or (args[2] or 0) & (os.O_WRONLY | os.O_RDWR)):
                step()
        sys.addaudithook(hook)
        flush = os.fsync
        def fsync(handle):
            step()
            flush(handle)
            step()
        os.fsync = fsync

    def at_size(size):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    def full_at_size(size):
        # Ignored, the signal becomes an error of the write, as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    def child(fault, value, overwrite):
        target = folder / "plan.gpkg"
        scratch = folder / ".tmp"
        scratch.mkdir(exist_ok=True)
        if overwrite:
            target.write_bytes(old)
        elif target.exists():
            target.unlink()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            said = b""
            tempfile.tempdir = str(scratch)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            fault(value)
            try:
                put(target, overwrite)
            # Whatever it is goes to the parent, which compares it with what is allowed.
            except Exception as error:
                said = f"{type(error).__name__}: {error}".encode()
            os.write(write, said)
            os._exit(1 if said else 0)
        os.close(write)
        said = b""
        while chunk := os.read(read, 65536):
            said += chunk
        os.close(read)
        status = os.waitpid(pid, 0)[1]
        kept = target.read_bytes() if target.exists() else None
        mine = ("plan.gpkg", ".tmp", ".network.osm")
        left = [p.name for p in folder.iterdir() if p.name not in mine]
        for name in left:
            (folder / name).unlink()
        inside = [p.name for p in scratch.iterdir()]
        for name in inside:
            if (scratch / name).is_dir():
                shutil.rmtree(scratch / name)
            else:
                (scratch / name).unlink()
        return {
            "value": value,
            "killed": os.WIFSIGNALED(status),
            "code": None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
            "said": said.decode(),
            "old": kept == old,
            "size": None if kept is None else len(kept),
            "left": left,
            "scratch": inside,
        }

    def until_unharmed(overwrite):
        tries = []
        for n in range(1, 400):
            tries.append(child(at_call, n, overwrite))
            if not tries[-1]["killed"]:
                return tries
        raise SystemExit("no export came through")

    biggest = 3 * whole + 500_000
    # What GDAL writes last, an index, it leaves out in silence: GeoPackages are tried more often.
    parts = 16 if kind in ("study", "snapshot", "gpkg") else 8
    sizes = [0, 1, 512, 4096, *(round(whole * n / parts) for n in range(1, parts)), whole - 64]
    print(json.dumps({
        "whole": whole,
        "calls": until_unharmed(True),
        "calls, new file": until_unharmed(False),
        "sizes": [child(at_size, size, True) for size in [*sizes, biggest]],
        "full": [child(full_at_size, size, True) for size in [*sizes, biggest]],
    }))
"""


@cache
def _frames() -> Any:
    found = study.packaged()
    return {name: found.frame(name) for name in layers.LAYERS}


@cache
def faults(kind: str, folder: str) -> dict[str, Any]:
    network = Path(folder) / ".network.osm"
    network.write_text(osm(), encoding="utf-8")
    driver = textwrap.dedent(DRIVER)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", driver, kind, folder, OLD.decode(), str(network)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def put(kind: str, target: Path, *, overwrite: bool = False, only: str | None = None) -> None:
    """Write an output of a kind; of an export only one layer, if told."""
    if kind == "study":
        store.save(study.packaged(), target, overwrite=overwrite)
    elif kind == "snapshot":
        _ways().save(target, overwrite=overwrite)
    elif kind == "bytes":
        atomic.write_bytes(target, b"0123456789abcdef" * 4096, overwrite=overwrite)
    else:
        some = None if only is None else [only]
        exports.write(_frames(), target, format=kind, layers=some, overwrite=overwrite)


@cache
def _ways() -> roads.Roads:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.osm"
        file.write_text(osm(), encoding="utf-8")
        return roads.read(file)


@pytest.fixture(params=EVERY)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    kind = request.param
    base = tmp_path_factory.getbasetemp() / f"faults-{kind}"
    base.mkdir(exist_ok=True)
    return faults(kind, str(base))


def hidden(one: dict[str, Any]) -> None:
    """What a killed process leaves doesn't show."""
    assert all(name.startswith(".plan.gpkg.") for name in one["left"]), one
    assert all(name.startswith(".nankai-gis-") for name in one["scratch"]), one


@pytest.mark.parametrize("place", ["calls", "calls, new file"])
def test_killed_at_any_call(found: dict[str, Any], place: str) -> None:
    *killed, through = found[place]
    # Temporary file, its content, its mode, its flush, its place: at least these.
    assert len(killed) >= 5
    for one in killed:
        before = one["old"] if place == "calls" else one["size"] is None
        assert before or one["size"] == pytest.approx(found["whole"], abs=64), one
        hidden(one)
    assert through["code"] == 0
    assert through["size"] == pytest.approx(found["whole"], abs=64)
    assert through["left"] == through["scratch"] == []


def test_killed_in_the_middle_of_a_write(found: dict[str, Any]) -> None:
    *killed, through = found["sizes"]
    assert all(one["killed"] for one in killed)
    for one in killed:
        assert one["old"]
        hidden(one)
    assert through["code"] == 0


def test_a_disk_that_fills_up(found: dict[str, Any]) -> None:
    *full, through = found["full"]
    for one in full:
        assert not one["killed"]
        assert one["said"].startswith("OutputError: can't "), one
        assert one["old"]
        # Nothing is left where the process lives to clean up.
        assert one["left"] == one["scratch"] == [], one
    assert through["said"] == ""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 kB, too small for any export."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"mounting isn't permitted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kind", EVERY)
def test_a_tiny_disk(tiny: Path, kind: str) -> None:
    target = tiny / "plan.gpkg"
    target.write_bytes(OLD)
    with pytest.raises(
        OutputError, match=r"can't write .*plan\.gpkg: .*(No space left|full|disk I/O error)"
    ):
        put(kind, target, overwrite=True)
    assert [p.name for p in tiny.iterdir()] == ["plan.gpkg"]
    assert target.read_bytes() == OLD


@pytest.mark.parametrize("kind", ["gpkg", "shapefile", "flatgeobuf"])
def test_a_tiny_temporary_folder(
    tiny: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tiny))
    target = tmp_path / "plan.gpkg"
    target.write_bytes(OLD)
    with pytest.raises(OutputError, match=r"temporary folder .*tiny.*set TMPDIR"):
        exports.write(_frames(), target, format=kind, overwrite=True)
    assert target.read_bytes() == OLD
    assert list(tiny.iterdir()) == []


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A folder with one file, in which nothing can be written."""
    place = tmp_path / "sealed"
    place.mkdir()
    if os.geteuid():
        (place / "plan.gpkg").write_bytes(OLD)
        place.chmod(0o555)
        yield place
        place.chmod(0o755)
        return
    # The superuser writes whatever the mode says; a file system mounted read-only holds.
    if subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True
    ).returncode:
        pytest.skip("the superuser can write everywhere, and mounting isn't permitted here")
    (place / "plan.gpkg").write_bytes(OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kind", EVERY)
def test_a_read_only_folder(sealed: Path, kind: str) -> None:
    with pytest.raises(OutputError, match=r"can't write in .*(Read-only|denied)"):
        put(kind, sealed / "plan.gpkg", overwrite=True)
    assert (sealed / "plan.gpkg").read_bytes() == OLD


@pytest.mark.parametrize("kind", EVERY)
def test_an_existing_file(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "plan.gpkg"
    target.write_bytes(OLD)
    with pytest.raises(OutputError, match="exists; nothing was written"):
        put(kind, target)
    assert target.read_bytes() == OLD
    put(kind, target, overwrite=True)
    assert target.read_bytes() != OLD
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


@pytest.mark.parametrize("kind", EVERY)
def test_two_at_once(tmp_path: Path, kind: str) -> None:
    """Without leave to replace, one is first and the others are told."""
    target = tmp_path / "plan.gpkg"

    def once(name: str) -> str:
        try:
            put(kind, target, only=name)
        except OutputError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(once, ["zones", "parcel"] * 2))
    assert told.count("") == 1
    assert sum("exists; nothing was written" in one for one in told) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gpkg"]


def test_two_programs_at_once_that_may_replace(tmp_path: Path) -> None:
    """Both come through, and the file is that of one of them, whole."""

    def start(name: str) -> subprocess.Popen[bytes]:
        args = ["export", "plan.geojson", "--overwrite", "--layers", name]
        return subprocess.Popen(
            [sys.executable, "-m", "nankai_gis", *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )

    runs = [start("zones"), start("subdistricts")]
    assert [run.communicate(timeout=120) and run.returncode for run in runs] == [0, 0]
    document = json.loads((tmp_path / "plan.geojson").read_bytes())
    assert len(document["features"]) in (3, 12)
    assert [p.name for p in tmp_path.iterdir()] == ["plan.geojson"]
