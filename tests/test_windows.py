"""A little of Windows: every command that writes must work where its rules hold.

Files can only be flushed through handles that may write; what is open can't be replaced, renamed
or removed; names are the same in either case; paths end at 260 characters; stdout is in cp936.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import fcntl
import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from osm_text import osm

from nankai_gis import exports
from nankai_gis.cli import main
from nankai_gis.errors import OutputError
from nankai_gis.files import atomic
from nankai_gis.files.atomic import atomic_write, write_bytes

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="open files are looked up in /proc"
)


def denied(path: Any) -> PermissionError:
    return PermissionError(errno.EACCES, "The process cannot access the file", str(path))


class Windows:
    """What the fake system knows: files that another program holds open."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.held: set[Path] = set()
        for name in ("replace", "rename", "link"):
            patch.setattr(os, name, partial(self.move, getattr(os, name), name == "replace"))
        for name in ("unlink", "remove"):
            patch.setattr(os, name, partial(self.remove, getattr(os, name)))
        patch.setattr(os, "fsync", partial(self.flush, os.fsync))
        patch.setattr(os, "stat", partial(self.stat, os.stat))
        patch.setattr(os, "open", partial(self.open_handle, os.open))
        opener = partial(self.open, io.open)
        patch.setattr(io, "open", opener)
        patch.setattr(builtins, "open", opener)
        patch.setattr(atomic, "WINDOWS", True)

    def name(self, path: Any) -> Path:
        """Return the name under which a file is there, in whatever case."""
        path = Path(os.fsdecode(path)).absolute()
        if len(str(path)) >= atomic.MAX_PATH:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        if os.path.lexists(path) or not path.parent.is_dir():
            return path
        alike = [p for p in path.parent.iterdir() if p.name.lower() == path.name.lower()]
        return alike[0] if alike else path

    def is_open(self, path: Path) -> bool:
        links = []
        for handle in Path("/proc/self/fd").iterdir():
            # The handle of this very listing is gone by then.
            with contextlib.suppress(OSError):
                links.append(handle.readlink())
        return path in self.held or path.resolve() in links

    def move(self, call: Callable[..., None], over: bool, source: Any, to: Any, **how: Any) -> None:
        source, target = self.name(source), self.name(to)
        if self.is_open(source) or (over and self.is_open(target)):
            raise denied(target)
        if not over and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "File exists", str(target))
        call(source, target, **how)

    def remove(self, call: Callable[..., None], path: Any, *, dir_fd: int | None = None) -> None:
        whole = Path(path)
        if dir_fd is not None:
            whole = Path(f"/proc/self/fd/{dir_fd}").readlink() / path
        if self.is_open(whole):
            raise denied(whole)
        call(path, dir_fd=dir_fd)

    def flush(self, call: Callable[[int], None], handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        call(handle)

    def stat(self, call: Callable[..., os.stat_result], path: Any, **how: Any) -> os.stat_result:
        if isinstance(path, int) or how.get("dir_fd") is not None:
            return call(path, **how)
        try:
            return call(path, **how)
        except FileNotFoundError:
            return call(self.name(path), **how)

    def open_handle(
        self, call: Callable[..., int], path: Any, flags: int, *a: Any, **k: Any
    ) -> int:
        if k.get("dir_fd") is None:
            path = self.name(path)
            if path in self.held and flags & (os.O_WRONLY | os.O_RDWR):
                raise denied(path)
        return call(path, flags, *a, **k)

    def open(self, call: Callable[..., Any], file: Any, mode: str = "r", *a: Any, **k: Any) -> Any:
        writes = not isinstance(file, int) and set(mode) & set("wax+")
        if writes and "opener" not in k and self.name(file) in self.held:
            raise denied(file)
        return call(file, mode, *a, **k)


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Windows:
    monkeypatch.chdir(tmp_path)
    return Windows(monkeypatch)


def run(*args: str) -> Result:
    return CliRunner(charset="cp936").invoke(main, args, env={"NANKAI_GIS_LANG": "zh-Hans"})


CITY = ("--roads", "city.osm", "--text", "東至東四路,南至南一路,西至西三路,北至北二路")
COMMANDS = [
    ("map", "-o", "a.html"),
    ("figure", "-o", "a.png", "--dpi", "72"),
    ("figure", "-o", "a.svg"),
    ("figure", "-o", "a.pdf"),
    *[("export", "a.bin", "--format", kind) for kind in exports.FORMATS],
    ("report", "a.docx"),
    ("report", "a.html"),
    ("study", "a.gpkg"),
    ("init", "mine"),
    ("roads", "import", "city.osm", "-o", "a.gpkg"),
    ("area", "-o", "a.csv"),
    ("length", "-o", "a.json"),
    ("coverage", "-o", "a.xlsx"),
    ("coverage", "-o", "a.csv", "--plot", "a.png"),
    ("derive", *CITY, "-o", "a.geojson"),
    ("derive", *CITY, "-o", "a.gpkg"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_writes(windows: Windows, tmp_path: Path, command: tuple[str]) -> None:
    # What an editor on Windows saves ends its lines by CR LF.
    (tmp_path / "city.osm").write_bytes(osm().replace("><", ">\r\n<").encode())
    before = {"city.osm"}
    done = run(*command)
    assert done.exit_code == 0, (done.output, done.exception)
    done.stdout_bytes.decode("cp936")
    written = {p.name for p in tmp_path.iterdir()} - before
    assert written == {name for name in command if name.startswith(("a.", "mine"))}
    assert all(p.stat().st_size for p in tmp_path.iterdir())
    # Again, over what is there; and refused while another program has it open.
    if command[0] == "init":
        return
    windows.held = {tmp_path / name for name in written}
    old = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    refused = run(*command, "--overwrite")
    assert refused.exit_code == 1
    assert "另一程序" in refused.output
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == old


def test_a_target_that_is_opened_meanwhile(windows: Windows, tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    target.write_bytes(b"old")
    with (
        pytest.raises(OutputError, match="is open in another program"),
        atomic_write(target, overwrite=True) as temporary,
    ):
        temporary.write_bytes(b"new")
        windows.held = {target}
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_name_in_another_case_is_the_same_name(windows: Windows, tmp_path: Path) -> None:
    write_bytes(tmp_path / "plan.csv", b"old")
    with pytest.raises(OutputError, match="exists"):
        write_bytes(tmp_path / "PLAN.csv", b"new")
    with pytest.raises(OutputError, match="exists"), atomic_write(tmp_path / "B") as temporary:
        temporary.write_bytes(b"mine")
        (tmp_path / "b").write_bytes(b"theirs")
    assert (tmp_path / "b").read_bytes() == b"theirs"
    assert (tmp_path / "plan.csv").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["CON", "nul", "aux.csv", "com1.gpkg"])
def test_names_of_devices_are_refused(windows: Windows, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="keeps this name for a device"):
        write_bytes(tmp_path / name, b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.csv.", "a.csv ", "plan:a.csv", 'a"b.csv', "a?.csv"])
def test_names_that_would_become_others_are_refused(
    windows: Windows, tmp_path: Path, name: str
) -> None:
    with pytest.raises(OutputError, match="no dot or blank at its end"):
        write_bytes(tmp_path / name, b"new")
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_any_name_will_do(tmp_path: Path) -> None:
    for name in ("CON", "plan:a.csv", "a."):
        write_bytes(tmp_path / name, b"new")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_path_that_is_too_long(windows: Windows, tmp_path: Path) -> None:
    folder = tmp_path
    while len(str(folder)) < 220:
        folder /= "甲" * min(40, 220 - len(str(folder)))
    folder.mkdir(parents=True)
    long = folder / ("a" * (atomic.MAX_PATH - len(str(folder)) - 1))
    with pytest.raises(OutputError, match="260 characters or more"):
        write_bytes(long, b"new")
    assert list(folder.iterdir()) == []


def test_a_long_name_needs_no_longer_one_meanwhile(tmp_path: Path) -> None:
    """File systems take 255 bytes; the temporary file has a shorter name."""
    write_bytes(tmp_path / ("甲" * 80 + ".csv"), b"new")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_plan_with_the_line_ends_of_windows(windows: Windows, tmp_path: Path) -> None:
    assert run("init", "mine").exit_code == 0
    plain = run("--plan", "mine", "area", "--format", "json")
    toml = tmp_path / "mine" / "plan.toml"
    toml.write_bytes(toml.read_bytes().replace(b"\n", b"\r\n"))
    crlf = run("--plan", "mine", "area", "--format", "json")
    assert plain.exit_code == crlf.exit_code == 0, crlf.output
    assert plain.stdout == crlf.stdout


@pytest.mark.parametrize(
    ("folder", "quoted"), [("mine", "mine"), ("my plan", '"my plan"'), ("it's", '"it\'s"')]
)
def test_the_next_command_is_quoted_for_windows(windows: Windows, folder: str, quoted: str) -> None:
    done = run("init", folder)
    assert f"nankai-gis --plan {quoted} area\n" in done.output
