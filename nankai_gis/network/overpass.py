"""The one module that opens a socket: ask an Overpass server, within a deadline.

The request runs in a thread of its own, so that the deadline holds whatever the server, the
proxy or the name resolution does. What comes back is either every byte that the server announced
or an error; whether these bytes are a complete answer, ``_osm.from_overpass`` tells.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from nankai_gis.errors import DataError

#: The server asked when no other is named.
ENDPOINT = "https://overpass-api.de/api/interpreter"

_AGAIN = frozenset({429, 502, 503, 504})
_TRIES = 4
_PAUSE_S = 2.0  # before the second try, if the server names no other; doubles each time
_CHUNK = 1 << 16

#: Called with the bytes received so far and the bytes announced (None: not announced).
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class _RefusedError(Exception):
    """An answer that is worth another try, after so many seconds if the server said so."""

    reason: str
    after_s: float | None = None


def user_agent() -> str:
    """Return how requests name this program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"nankai-gis/{version('nankai-gis')}"
    except PackageNotFoundError:
        return "nankai-gis/0"


def ask(
    query: str,
    *,
    endpoint: str = ENDPOINT,
    deadline_s: float = 180.0,
    progress: Progress | None = None,
) -> bytes:
    """Post a query and return the whole answer, unpacked.

    Parameters
    ----------
    query : str
        Overpass QL.
    endpoint : str
        The interpreter's address, ``http`` or ``https``.
    deadline_s : float
        Seconds for all tries and the pauses between them together; positive.
    progress : callable, optional
        Called with the bytes so far and the bytes announced or None.

    Raises
    ------
    DataError
        The server refused, answered in part, or not in time.
    """
    if not endpoint.lower().startswith(("http://", "https://")):
        raise DataError(f"{endpoint}: an endpoint is an http or https address")
    end = time.monotonic() + deadline_s
    reason = ""
    for attempt in range(1, _TRIES + 1):
        try:
            return _once(query, endpoint, end, deadline_s, progress)
        except _RefusedError as refused:
            reason = refused.reason
            pause = _PAUSE_S * 2 ** (attempt - 1)
            if refused.after_s is not None:
                pause = refused.after_s
            if attempt == _TRIES:
                break
            if time.monotonic() + pause >= end:
                raise DataError(
                    f"{endpoint}: {reason}; the next try would be in {pause:.0f} s, after the "
                    f"deadline of {deadline_s:g} s; try later or allow more time"
                ) from None
            time.sleep(pause)
    raise DataError(f"{endpoint}: {reason}; gave up after {_TRIES} tries")


def _once(
    query: str, endpoint: str, end: float, deadline_s: float, progress: Progress | None
) -> bytes:
    """Ask once, in a thread, and wait no longer than to the end."""
    late = DataError(
        f"{endpoint}: no complete answer within {deadline_s:g} s; "
        "allow more time or ask for a smaller area"
    )
    remaining = end - time.monotonic()
    if remaining <= 0:
        raise late
    said: queue.Queue[tuple[int, int | None] | bytes | Exception] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        try:
            said.put(_answer(query, endpoint, remaining, said.put, stop))
        # Whatever it is, the caller raises it again (hence no narrower class): an error that
        # stayed in this thread would leave the caller waiting.
        except Exception as error:  # noqa: BLE001
            said.put(error)

    threading.Thread(target=work, daemon=True, name="overpass").start()
    try:
        while True:
            try:
                word = said.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise late from None
            if isinstance(word, bytes):
                return word
            if isinstance(word, TimeoutError):
                raise late
            if isinstance(word, Exception):
                raise word
            if progress is not None:
                progress(*word)
    finally:
        stop.set()


def _answer(
    query: str,
    endpoint: str,
    remaining: float,
    tell: Callable[[tuple[int, int | None]], None],
    stop: threading.Event,
) -> bytes:
    import gzip
    import http.client
    import urllib.error
    import urllib.parse
    import urllib.request
    import zlib

    request = urllib.request.Request(  # `ask` checked the scheme
        endpoint,
        data=urllib.parse.urlencode({"data": query}).encode(),
        headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
    )
    try:
        with urllib.request.urlopen(request, timeout=remaining) as response:
            announced = response.headers.get("Content-Length")
            total = int(announced) if announced and announced.isdigit() else None
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if stop.is_set():
                    raise TimeoutError
                tell((len(body), total))
            packed = response.headers.get("Content-Encoding", "").lower() == "gzip"
    except urllib.error.HTTPError as error:
        with error:
            raise _told(endpoint, error) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise TimeoutError from None
        raise _RefusedError(f"can't be reached ({error.reason})") from None
    except TimeoutError:
        raise
    except (http.client.HTTPException, OSError) as error:
        raise _RefusedError(f"the connection broke ({error})") from None
    if total is not None and len(body) != total:
        raise _RefusedError(f"the answer broke off: {len(body)} of {total} bytes")
    if not packed:
        return bytes(body)
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise _RefusedError(f"the packed answer is damaged or cut off ({error})") from None


def _told(endpoint: str, error: object) -> Exception:
    """Turn an HTTP error into what is raised: worth another try, or final."""
    import re
    import urllib.error

    assert isinstance(error, urllib.error.HTTPError)
    try:
        page = error.read(4096).decode("utf-8", "replace")
    except OSError:
        page = ""
    said = " ".join(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", page, flags=re.S).split())[:200]
    reason = f"HTTP {error.code} {error.reason}" + (f": {said}" if said else "")
    if error.code in _AGAIN:
        return _RefusedError(reason, _after(error.headers.get("Retry-After")))
    return DataError(f"{endpoint}: {reason}")


def _after(header: str | None) -> float | None:
    """Read Retry-After: seconds or a date."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    if header is None:
        return None
    header = header.strip()
    if header.isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
