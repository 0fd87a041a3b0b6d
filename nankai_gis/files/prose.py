"""The text of a document: .txt, .md and .docx, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nankai_gis.errors import DataError
from nankai_gis.words import tr

# Encodings of text files, in the order in which they are tried.
_ENCODINGS = ("utf-8-sig", "gb18030")


def read_text(path: Path) -> str:
    """Return the text of a document."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(tr("{file}: there is no such file", file=path)) from error
    except OSError as error:
        raise DataError(
            tr("{file}: can't be read: {reason}", file=path, reason=error.strerror or error)
        ) from error
    if path.suffix.lower() == ".docx":
        return _document(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(
        tr("{file}: no text document; give .txt, .md or .docx (save .doc and .pdf so)", file=path)
    )


def _document(path: Path) -> str:
    import docx

    try:
        document = docx.Document(str(path))
        return "\n".join(_lines(document))
    except Exception as error:  # python-docx raises what zipfile and lxml raise, too
        raise DataError(
            tr("{file}: no .docx document, or a damaged one; save it anew in Word", file=path)
        ) from error


def _lines(document: Any) -> Iterator[str]:
    for item in document.iter_inner_content():
        if hasattr(item, "rows"):
            for row in item.rows:
                # A merged cell comes once for each column that it spans.
                yield "\t".join(dict.fromkeys(cell.text for cell in row.cells))
        else:
            yield item.text
