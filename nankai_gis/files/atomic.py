"""Files that are written whole or not at all.

The content goes to a temporary file in the target's own folder, is flushed to disk, and takes
the target's place in one step. Whatever happens before that step leaves an existing file as it
was.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nankai_gis.errors import OutputError


def already_exists(path: Path) -> OutputError:
    """Return the error that says that a file exists and may not be replaced.

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
        f"{path} exists; nothing was written. Give --overwrite to replace it, or name another file"
    )


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path that becomes the file when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    pathlib.Path
        A fresh path in the same folder, with the same suffix, for a writer that wants a path.

    Raises
    ------
    OutputError
        If the file exists and may not be replaced, the path is a folder, a device or a pipe, the
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
    # Refused before any work is done, and again, without a gap, when the file is put in place.
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is a device or a pipe, no file; give the name of a file")
    # What a link points to is written, and the link stays.
    path = path.resolve() if path.is_symlink() and path.exists() else path
    if path.exists() and not overwrite:
        raise already_exists(path)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=f".part{path.suffix}", dir=path.parent
        )
        os.close(handle)
    except FileNotFoundError as error:
        raise OutputError(f"there is no folder {path.parent}; make it first") from error
    except OSError as error:
        raise OutputError(f"can't write in {path.parent}: {error.strerror or error}") from error
    temporary = Path(name)
    try:
        yield temporary
        _put_in_place(temporary, path, overwrite)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"can't write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _put_in_place(temporary: Path, path: Path, overwrite: bool) -> None:
    mask = os.umask(0)
    os.umask(mask)
    # mkstemp makes files private; a report is to be read by others as any new file is.
    temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~mask)
    # Windows flushes only through a handle that may write.
    with temporary.open("r+b") as handle:
        os.fsync(handle.fileno())
    if overwrite:
        temporary.replace(path)
        return
    try:
        # A link fails where the name has come into being meanwhile; a rename would not.
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise already_exists(path) from error
    except OSError:
        # Some file systems have no links; then the name is taken first.
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise already_exists(path) from error
        temporary.replace(path)


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
