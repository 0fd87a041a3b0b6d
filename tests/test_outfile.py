"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nankai_gis.errors import OutputError
from nankai_gis.files.atomic import atomic_write, write_bytes


def test_a_new_file_is_written_and_readable_by_others(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


def test_an_existing_file_is_left_alone_unless_told(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with pytest.raises(OutputError, match="exists; nothing was written"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    write_bytes(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with pytest.raises(OutputError, match="exists"), atomic_write(target) as temporary:
        temporary.write_bytes(b"mine")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_writer_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with (
        pytest.raises(RuntimeError, match="half way"),
        atomic_write(target, overwrite=True) as temporary,
    ):
        temporary.write_bytes(b"ha")
        raise RuntimeError("half way")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_system_without_links_is_served_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    with (
        pytest.raises(OutputError, match="exists"),
        atomic_write(tmp_path / "b") as temporary,
    ):
        temporary.write_bytes(b"mine")
        (tmp_path / "b").write_bytes(b"theirs")
    assert (tmp_path / "b").read_bytes() == b"theirs"


def test_a_flush_goes_through_a_handle_that_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    flush = os.fsync

    def as_windows_does(handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        flush(handle)

    monkeypatch.setattr(os, "fsync", as_windows_does)
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_bytes(tmp_path / "a", b"new")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_told_from_files(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_bytes(tmp_path, b"new")
    with pytest.raises(OutputError, match=r"there is no folder .*nowhere"):
        write_bytes(tmp_path / "nowhere" / "a", b"new")


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="a device or a pipe"):
        write_bytes(pipe, b"new", overwrite=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "a")
    with pytest.raises(OutputError, match="exists"):
        write_bytes(link, b"new")
    write_bytes(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert (tmp_path / "there" / "a").read_bytes() == b"new"
    # One that points nowhere is a name that is taken.
    gone = tmp_path / "gone"
    gone.symlink_to(tmp_path / "nothing")
    with pytest.raises(OutputError, match="exists"):
        write_bytes(gone, b"new")
    assert not (tmp_path / "nothing").exists()


def test_what_a_killed_run_left_is_cleared_by_the_next_to_the_same_place(tmp_path):
    import subprocess
    import sys

    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from nankai_gis.files.atomic import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as part:\n"
        "    part.with_name(part.name + '-journal').touch(); os.kill(os.getpid(), 9)"
    )
    for name in ("a.gpkg", "b.gpkg"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=False)
    assert len(list(tmp_path.iterdir())) == 4
    with atomic_write(tmp_path / "a.gpkg") as mine:
        # Another run to the same place, which goes on, keeps its file.
        with atomic_write(tmp_path / "a.gpkg"):
            pass
        assert mine.exists()
        mine.write_text("a")
        (tmp_path / "a.gpkg").unlink()
    left = sorted(path.name.split(".")[1] for path in tmp_path.iterdir() if ".part" in path.name)
    assert left == ["b", "b"]
