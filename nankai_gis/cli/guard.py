"""Whatever ends a command early becomes one message and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from nankai_gis.errors import NankaiGISError
from nankai_gis.words import tr

#: Set to show what Python says of a fault of the program.
VARIABLE = "NANKAI_GIS_TRACEBACK"


def message(error: BaseException, command: str | None) -> BaseException:
    """Return what to raise instead of an error; click's own stay as they are."""
    if isinstance(error, NankaiGISError):
        return click.ClickException(str(error))
    if isinstance(error, click.NoSuchOption) and error.option_name in (
        "--plan",
        "--roads",
        "--subdistricts",
        "--lang",
    ):
        return click.UsageError(
            tr(
                "{option} comes before the command: nankai-gis {option} … {command}",
                option=error.option_name,
                command=command,
            )
        )
    kept = (click.ClickException, click.Abort, click.exceptions.Exit, SystemExit, KeyboardInterrupt)
    if isinstance(error, kept) or os.environ.get(VARIABLE):
        return error
    if _interrupted(error):
        return click.Abort()
    return click.ClickException(_foreign(error))


def _foreign(error: BaseException) -> str:
    """Say what an error of Python or of a library means for the reader."""
    if isinstance(error, BrokenPipeError):
        _abandon_stdout()
        return tr("the reader closed the output before all of it was written")
    if isinstance(error, UnicodeEncodeError):
        return tr(
            "the encoding of this terminal ({encoding}) has no {character}; set "
            "PYTHONIOENCODING=utf-8, or write to a file with --output",
            encoding=error.encoding,
            character=ascii(error.object[error.start]),
        )
    if isinstance(error, OSError) and error.filename is None:
        _abandon_stdout()
        return tr("can't write the output: {reason}", reason=error.strerror or error)
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        return tr("can't use {file}: {reason}", file=error.filename, reason=reason)
    if isinstance(error, MemoryError):
        return tr("the memory of this computer is not enough; take a smaller area or file")
    return tr(
        "a fault of the program, not of your data ({kind}: {reason}); please report it with what "
        "it shows after setting {variable}=1",
        kind=type(error).__name__,
        reason=str(error),
        variable=VARIABLE,
    )


def _interrupted(error: BaseException | None) -> bool:
    """Tell whether an interrupt is behind an error: libraries turn it into errors of their own."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _abandon_stdout() -> None:
    """Let go nowhere what the interpreter flushes once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
