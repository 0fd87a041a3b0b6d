"""Read files and answers whole, or refuse them: damaged, cut off, or grown beyond a limit."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nankai_gis.errors import DataError, NankaiGISError
from nankai_gis.words import tr

GZIP, BZIP2, ZSTD, XZ = b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ"
#: A packed file may grow to so many times its size, and always to so many bytes. OSM's own files
#: grow to 15 times at the most; a few megabytes that grow to gigabytes are no map.
GROWTH, ALWAYS = 40, 32 << 20
#: Bytes of a file that tell its kind; a block of bzip2 is up to 900 kB.
_HEAD, _BZIP2_HEAD = 4096, 1_000_000
_CHUNK = 1 << 20


@contextmanager
def refusing_damage(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an error that names the file."""
    try:
        yield
    except NankaiGISError:
        raise
    except Exception as error:  # decoders have errors of their own: any of them means damage
        raise DataError(
            tr(
                "{file}: damaged or cut off: {reason}; download or copy it again",
                file=name,
                reason=str(error) or type(error).__name__,
            )
        ) from error


def remarked(name: str, remark: str) -> DataError:
    """Return the error for an answer that the server itself calls incomplete."""
    return DataError(
        tr(
            "{file}: the server says the answer is not complete: {remark}",
            file=name,
            remark=" ".join(remark.split()),
        )
    )


def head(path: Path) -> tuple[bytes, bytes]:
    """Return the first bytes of a file as they are, and unpacked; none for damaged ones."""
    with path.open("rb") as stream:
        start = stream.read(_HEAD)
        if start.startswith(BZIP2):
            start += stream.read(_BZIP2_HEAD)
    try:
        if start.startswith(GZIP):
            return start, zlib.decompressobj(wbits=31).decompress(start, _HEAD)
        if start.startswith(BZIP2):
            return start, bz2.BZ2Decompressor().decompress(start, _HEAD)
    except (zlib.error, OSError, EOFError):
        return start, b""
    return start, start


def chunks(source: Path | bytes, name: str) -> Iterator[bytes]:
    """Give what a file or an answer holds, unpacked; refuse it once it has grown too much."""
    if isinstance(source, bytes):
        stream: io.BytesIO | io.FileIO = io.BytesIO(source)
        size = len(source)
    else:
        stream, size = io.FileIO(source), source.stat().st_size
    with stream:
        start = stream.read(4)
        stream.seek(0)
        packed = start.startswith((GZIP, BZIP2))
        opener: Any = gzip.open if start.startswith(GZIP) else bz2.open
        reader = opener(stream, "rb") if packed else stream
        total = 0
        while chunk := reader.read(_CHUNK):
            total += len(chunk)
            if packed:
                check_growth(name, size, total)
            yield chunk


def check_growth(name: str, size: int, total: int) -> None:
    """Refuse a file of so many bytes that has grown to so many."""
    if total > max(GROWTH * size, ALWAYS):
        raise DataError(
            tr(
                "{file}: unpacks to more than {growth} times its size of {size} bytes, as no map "
                "does; unpack it first if you trust it",
                file=name,
                growth=GROWTH,
                size=size,
            )
        )


def overlapping(source: Path | bytes, name: str) -> Iterator[bytes]:
    """Give the same in pieces that overlap, so that no pattern of a hundred bytes is missed."""
    before = b""
    for chunk in chunks(source, name):
        yield before + chunk
        before = chunk[-100:]
