"""Files that are written whole or not at all.

The content goes to a temporary file in the target's own folder, is flushed to disk, and replaces
the target in one step. Whatever fails before that step leaves an existing file as it was. The
standard library has the parts (`tempfile`, `os.replace`) but nothing that refuses an existing
file without a gap, keeps its mode and follows links.
"""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from nankai_gis.errors import OutputError
from nankai_gis.words import tr

#: Whether the rules of Windows hold for names and for files that are open.
WINDOWS = os.name == "nt"
#: Characters that no file name may have on Windows; what follows a colon is a hidden stream.
_NOT_IN_NAMES = frozenset('<>:"|?*')
#: Characters in a path that Windows takes, unless its user has lifted the limit.
MAX_PATH = 260
#: Of the target's name and suffix, what the temporary file's name repeats.
_NAME_PART, _SUFFIX_PART = 40, 16
#: Tells apart machines that write into one shared folder.
_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
#: What Windows calls leave to ask about a process (PROCESS_QUERY_LIMITED_INFORMATION).
_QUERY = 0x1000


def already_exists(path: Path) -> OutputError:
    """Return the error for a file that exists and may not be replaced.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    OutputError

    Examples
    --------
    >>> print(already_exists(Path("a.csv")))
    a.csv exists; nothing was written. Give --overwrite to replace it, or name another file
    """
    return OutputError(
        tr(
            "{file} exists; nothing was written. Give --overwrite to replace it, or name another "
            "file",
            file=path,
        )
    )


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Provide a temporary path that becomes the file when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    pathlib.Path
        A new, empty file in the same folder, with the same suffix, for writers that need a path.

    Raises
    ------
    OutputError
        If the file exists and may not be replaced, is open in another program (Windows), has a
        name that Windows doesn't take (there), the path is a folder, a device or a pipe, the
        folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [p.name for p in folder.iterdir()]
    ['a.txt']
    """
    # Refuse before any work is done; `_put_in_place` asks again, without a gap.
    _check_target(path)
    # A link stays, and the file that it points to is written.
    path = path.resolve() if path.is_symlink() and path.exists() else path
    if path.exists():
        if not overwrite:
            raise already_exists(path)
        _check_not_open(path)
    temporary = _temporary_file(path)
    try:
        yield temporary
        _put_in_place(temporary, path, overwrite)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            tr("can't write {file}: {reason}", file=path, reason=error.strerror or error)
        ) from error
    finally:
        # Windows doesn't remove a file that a writer which failed still holds open.
        with contextlib.suppress(PermissionError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
    content : bytes
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        As `atomic_write`; an existing file is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> write_bytes(target, b"whole")
    >>> target.read_bytes()
    b'whole'
    """
    with atomic_write(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def check_name(path: Path) -> None:
    """Refuse a file name that Windows doesn't take or silently changes; elsewhere any will do.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    OutputError
        On Windows: for the name of a device (CON, NUL, aux.csv), a forbidden character, a dot or
        a blank at the end, and a path of `MAX_PATH` characters or more in an existing folder.

    Examples
    --------
    >>> check_name(Path("plan.gpkg"))
    """
    if not WINDOWS:
        return
    if PureWindowsPath(path.name).is_reserved():
        raise OutputError(
            tr("{file}: Windows keeps this name for a device; choose another name", file=path)
        )
    if _NOT_IN_NAMES & set(path.name) or path.name != path.name.rstrip(". "):
        raise OutputError(
            tr(
                "{file}: a file name on Windows has none of {characters} and no dot or blank at "
                "its end; choose another name",
                file=path,
                characters=" ".join(sorted(_NOT_IN_NAMES)),
            )
        )


def _check_target(path: Path) -> None:
    check_name(path)
    if path.is_dir():
        raise OutputError(tr("{file} is a folder; give the name of a file in it", file=path))
    if path.exists() and not path.is_file():
        raise OutputError(
            tr("{file} is a device or a pipe, not a file; give the name of a file", file=path)
        )


def _check_not_open(path: Path) -> None:
    """Refuse a target that another program holds open, before the work and not only after it."""
    if not WINDOWS:
        return
    try:
        with path.open("r+b"):
            pass
    except PermissionError as error:
        raise _is_open(path) from error


def _is_open(path: Path) -> OutputError:
    return OutputError(
        tr(
            "{file} is open in another program, or read-only; close it there and run the command "
            "again. Nothing was written",
            file=path,
        )
    )


def _temporary_file(path: Path) -> Path:
    """Make an empty hidden file beside the target."""
    _clear_leftovers(path)
    try:
        handle, name = tempfile.mkstemp(
            # Long names are cut, or the temporary name could be too long where the target's isn't.
            prefix=f".{path.name[:_NAME_PART]}.{_MACHINE}-{os.getpid()}.",
            suffix=f".part{path.suffix[:_SUFFIX_PART]}",
            dir=path.parent,
        )
    except FileNotFoundError as error:
        if path.parent.is_dir():
            raise OutputError(
                tr(
                    "can't write in {folder}: the path has {n} characters or more, and Windows "
                    "takes {limit}; choose a shorter folder or name",
                    folder=path.parent,
                    n=len(str(path.absolute())),
                    limit=MAX_PATH,
                )
            ) from error
        raise OutputError(
            tr("there is no folder {folder}; make it first", folder=path.parent)
        ) from error
    except OSError as error:
        raise OutputError(
            tr(
                "can't write in {folder}: {reason}",
                folder=path.parent,
                reason=error.strerror or error,
            )
        ) from error
    os.close(handle)
    return Path(name)


def _clear_leftovers(path: Path) -> None:
    """Remove what runs to the same place left beside it when they were killed on this machine."""
    stem = f".{path.name[:_NAME_PART]}.{_MACHINE}-"
    with contextlib.suppress(OSError):
        for left in path.parent.iterdir():
            process = left.name.removeprefix(stem).split(".")[0]
            mine = left.name.startswith(stem) and ".part" in left.name and process.isdigit()
            if mine and not _runs(int(process)):
                with contextlib.suppress(OSError):
                    left.unlink()


def _runs(process: int) -> bool:
    """Tell whether a process of this machine is there."""
    if os.name == "nt":
        import ctypes

        # On Windows, os.kill would end it.
        kernel: Any = vars(ctypes)["windll"].kernel32  # typed on Windows only
        handle = kernel.OpenProcess(_QUERY, False, process)
        kernel.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _put_in_place(temporary: Path, path: Path, overwrite: bool) -> None:
    # mkstemp makes private files; an output is as readable as any new file, or as the one before.
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~mask)
    # Flush to disk. Windows flushes only through a handle that may write.
    with temporary.open("r+b") as handle:
        os.fsync(handle.fileno())
    if overwrite:
        _replace(temporary, path)
        return
    # Link, because that fails if the name has come into being meanwhile; a rename would replace.
    try:
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise already_exists(path) from error
    except OSError:
        # Some file systems have no links; then take the name first.
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise already_exists(path) from error
        try:
            _replace(temporary, path)
        except OSError:
            path.unlink()
            raise


def _replace(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except PermissionError as error:
        if WINDOWS and path.exists():
            raise _is_open(path) from error
        raise
