"""Ask an Overpass server, through osmnx and within a deadline: the one module that opens a socket.

osmnx writes the query, splits large areas, waits for a free slot and posts. It takes a remark, an
error status or half an answer for an answer, though, so a hook reads every response first: what
isn't whole is refused there, and osmnx itself gets an empty answer to parse. The work runs in a
thread of its own, so that the deadline holds whatever the server, the proxy or the name
resolution does.

osmnx keeps its settings in a module and pins the host's address for the whole process; both are
put back when the thread ends. Only one request runs at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import queue
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.network import whole
from nankai_gis.words import language, speaking, tr

if TYPE_CHECKING:
    import requests
    from shapely import MultiPolygon, Polygon

#: The server asked when no other is named.
ENDPOINT = "https://overpass-api.de/api/interpreter"
#: Bytes of an answer, unpacked: more than any city's roads, less than a computer's memory.
LIMIT = 256 << 20

_AGAIN = frozenset({429, 502, 503, 504})
_TRIES = 4
_PAUSE_S = 2.0  # before the second try, if the server names no other; doubles each time
_CHUNK = 1 << 16
#: Seconds in a day: no server is waited for longer.
_LONGEST_S = 86_400.0
#: Degrees between corners of what is asked for: osmnx cuts large areas in a projection.
_CORNER_DEG = 0.02
_TAGS: dict[str, bool | str | list[str]] = {"highway": True, "railway": True, "waterway": True}
#: What osmnx reads as a status page with a free slot.
_FREE_SLOT = b"\n\n\n\n1 slot"

_SLOTS = re.compile(r"\d+ |Currently |Slot available after: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, ")

#: Called with the bytes received so far and the bytes announced (None: not announced).
Progress = Callable[[int, int | None], None]
_asking = threading.Lock()


class _RefusedError(Exception):
    """An answer that is worth another try, after so many seconds if the server said so."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after_s = reason, after_s


def user_agent() -> str:
    """Return how requests name this program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"nankai-gis/{version('nankai-gis')}"
    except PackageNotFoundError:
        return "nankai-gis/0"


def ask(
    polygon: Polygon | MultiPolygon,
    *,
    endpoint: str = ENDPOINT,
    deadline_s: float = 180.0,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], str]:
    """Ask for the ways in a polygon; return the whole answer, parsed, and its checksum.

    The deadline is that of all tries and pauses together. Raises DataError where the server
    refused, answered in part, or not in time.
    """
    if not endpoint.lower().startswith(("http://", "https://")):
        raise DataError(
            tr("{endpoint}: an endpoint is an http or https address", endpoint=endpoint)
        )
    end = time.monotonic() + deadline_s
    reason = ""
    for attempt in range(1, _TRIES + 1):
        try:
            return _once(polygon, endpoint, end, deadline_s, progress)
        except _RefusedError as refused:
            reason = refused.reason
            pause = _PAUSE_S * 2 ** (attempt - 1) if refused.after_s is None else refused.after_s
            if attempt == _TRIES:
                break
            if time.monotonic() + pause >= end:
                raise DataError(
                    tr(
                        "{endpoint}: {reason}; the next try would be in {pause:.0f} s, after the "
                        "deadline of {deadline:g} s; try later or allow more time",
                        endpoint=endpoint,
                        reason=reason,
                        pause=pause,
                        deadline=deadline_s,
                    )
                ) from None
            time.sleep(pause)
    raise DataError(
        tr(
            "{endpoint}: {reason}; gave up after {n} tries",
            endpoint=endpoint,
            reason=reason,
            n=_TRIES,
        )
    )


def _once(
    polygon: Polygon | MultiPolygon,
    endpoint: str,
    end: float,
    deadline_s: float,
    progress: Progress | None,
) -> tuple[dict[str, Any], str]:
    """Ask once, in a thread, and wait no longer than to the end."""
    late = DataError(
        tr(
            "{endpoint}: no complete answer within {deadline:g} s; allow more time or ask for a "
            "smaller area",
            endpoint=endpoint,
            deadline=deadline_s,
        )
    )
    events: queue.Queue[Any] = queue.Queue()
    # The server gives up a little before this side does, and says so.
    timeout_s = max(1, math.floor(deadline_s * 0.9))
    hook = _Hook(endpoint, events.put)
    lang = language()

    def work() -> None:
        try:
            with speaking(lang), _asking:
                _download(polygon, endpoint, timeout_s, hook)
            events.put(hook)
        # An error that stayed in this thread would leave the caller waiting.
        except Exception as error:  # noqa: BLE001  (the caller raises it again)
            events.put(error)

    threading.Thread(target=work, daemon=True, name="overpass").start()
    try:
        while True:
            try:
                event = events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise late from None
            if isinstance(event, _Hook):
                return event.answer()
            if isinstance(event, TimeoutError):
                raise late
            if isinstance(event, Exception):
                raise event
            if progress is not None:
                progress(*event)
    finally:
        hook.stop.set()


def _download(polygon: Polygon | MultiPolygon, endpoint: str, timeout_s: int, hook: _Hook) -> None:
    """Let osmnx ask for every part of the polygon."""
    import warnings

    import osmnx
    import requests
    import shapely

    changed: dict[str, Any] = {
        # osmnx downloads, then stops before it builds features from (empty) answers.
        "cache_only_mode": True,
        "use_cache": False,
        "doh_url_template": None,
        "http_referer": user_agent(),
        "http_user_agent": user_agent(),
        # osmnx takes a status page that can't be reached for a minute's wait.
        "overpass_rate_limit": endpoint == ENDPOINT,
        "overpass_url": endpoint.rstrip("/").removesuffix("/interpreter"),
        "requests_kwargs": {"hooks": {"response": hook}},
        "requests_timeout": timeout_s,
    }
    with _settings(osmnx.settings, changed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a large area takes its time
        try:
            dense: Any = shapely.segmentize(polygon, _CORNER_DEG)
            osmnx.features_from_polygon(dense, _TAGS)
        except InterruptedError:
            return  # cache_only_mode: everything is here
        except requests.Timeout:
            raise TimeoutError from None
        except requests.ConnectionError as error:
            if isinstance(_root(error), TimeoutError):
                raise TimeoutError from None
            raise _RefusedError(tr("can't be reached ({reason})", reason=error)) from None
        except requests.RequestException as error:
            raise DataError(tr("{endpoint}: {reason}", endpoint=endpoint, reason=error)) from error


@contextlib.contextmanager
def _settings(module: Any, changed: dict[str, Any]) -> Iterator[None]:
    """Set osmnx's settings for a block; osmnx also replaces the process's name resolution."""
    before = {name: getattr(module, name) for name in changed}
    resolve = socket.getaddrinfo
    try:
        for name, value in changed.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
        socket.getaddrinfo = resolve


def _root(error: BaseException) -> object:
    """Return what a connection failed of, under the wrappings of requests and urllib3."""
    reason: Any = error.args[0] if error.args else None
    while (deeper := getattr(reason, "reason", None)) is not None:
        reason = deeper
    return reason


@dataclass
class _Hook:
    """Called by requests with each response, before its body is read."""

    endpoint: str
    tell: Callable[[tuple[int, int | None]], None]
    stop: threading.Event = field(default_factory=threading.Event)
    parts: list[dict[str, Any]] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def __call__(self, response: requests.Response, **_: Any) -> requests.Response:
        """Read the body; refuse what is no complete answer, and keep what is."""
        received = response.raw
        try:
            return self._checked(response)
        finally:
            # What was read, refused or replaced leaves no socket open.
            received.close()

    def _checked(self, response: requests.Response) -> requests.Response:
        from nankai_gis.network import overpass_json

        if self.stop.is_set():
            raise TimeoutError
        if response.request.method == "GET":
            page = response.raw.read(_CHUNK, decode_content=True)
            usable = response.status_code == HTTPStatus.OK and _says_slots(page)
            response.raw = io.BytesIO(page if usable else _FREE_SLOT)
            return response
        if response.is_redirect:
            self._check_redirect(response)
            response.raw = io.BytesIO(b"")
            return response
        if response.status_code != HTTPStatus.OK:
            raise self._status(response)
        body = self._body(response)
        self.parts.append(overpass_json.answer(self.endpoint, body))
        self.digest.update(body)
        response.raw = io.BytesIO(b'{"elements": []}')
        return response

    def answer(self) -> tuple[dict[str, Any], str]:
        """Join the answers for the parts of the area: a way on their border is in both."""
        if len(self.parts) == 1:
            return self.parts[0], self.digest.hexdigest()
        elements = [element for part in self.parts for element in part["elements"]]
        distinct: dict[Any, Any] = {}
        for row, element in enumerate(elements):
            # One that is malformed stays: the reader says how.
            known = isinstance(element, dict) and {"type", "id"} <= element.keys()
            distinct[(str(element["type"]), str(element["id"])) if known else row] = element
        joined = {**self.parts[0], "elements": list(distinct.values())}
        return joined, self.digest.hexdigest()

    def _check_redirect(self, response: requests.Response) -> None:
        """Refuse another host, and a redirect that turns the query into a plain GET."""
        from urllib.parse import urljoin, urlsplit

        target = urlsplit(urljoin(response.url, response.headers["Location"]))
        if target.hostname != urlsplit(response.url).hostname or response.status_code < 307:
            raise DataError(
                tr(
                    "{endpoint}: redirected to {address}; if you trust that address, give it "
                    "instead",
                    endpoint=self.endpoint,
                    address=target.geturl(),
                )
            )

    def _status(self, response: requests.Response) -> Exception:
        """Turn an HTTP status into what is raised: worth another try, or final."""
        from nankai_gis.network import overpass_json

        try:
            text = overpass_json.plain_text(response.raw.read(4096, decode_content=True))
        # A page that can't be read must not take the place of the status, which is known.
        except Exception:  # noqa: BLE001  (the page only explains the status)
            text = ""
        status = f"HTTP {response.status_code} {response.reason}"
        reason = tr("{status}: {text}", status=status, text=text) if text else status
        if response.status_code in _AGAIN:
            return _RefusedError(reason, _after(response.headers.get("Retry-After")))
        return DataError(tr("{endpoint}: {reason}", endpoint=self.endpoint, reason=reason))

    def _body(self, response: requests.Response) -> bytes:
        """Read and unpack a body of at most `LIMIT` bytes."""
        import urllib3

        announced = response.headers.get("Content-Length", "").strip()
        total = int(announced) if announced.isascii() and announced.isdigit() else None
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        chunks: list[bytes] = []
        received = 0
        try:
            for chunk in response.raw.stream(_CHUNK, decode_content=encoding not in _OWN):
                if self.stop.is_set():
                    raise TimeoutError
                chunks.append(chunk)
                received += len(chunk)
                if received > LIMIT:
                    raise self._too_large()
                self.tell((received, total))
        except urllib3.exceptions.ReadTimeoutError:
            raise TimeoutError from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise _RefusedError(tr("the connection broke ({reason})", reason=error)) from None
        if encoding in _OWN and total is not None and received != total:
            raise _RefusedError(
                tr("the answer broke off: {n} of {all} bytes", n=received, all=total)
            )
        return self._unpacked(chunks) if encoding == "gzip" else b"".join(chunks)

    def _unpacked(self, chunks: Sequence[bytes]) -> bytes:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            packed = b"".join(chunks)
            body = unpacker.decompress(packed, LIMIT + 1)
        except zlib.error as error:
            raise _RefusedError(
                tr("the packed answer is damaged or cut off ({reason})", reason=error)
            ) from None
        whole.check_growth(self.endpoint, len(packed), len(body))
        if len(body) > LIMIT:
            raise self._too_large()
        if not unpacker.eof:
            raise _RefusedError(tr("the packed answer is damaged or cut off"))
        return body

    def _too_large(self) -> DataError:
        return DataError(
            tr(
                "{endpoint}: the answer is larger than {limit} MB; ask for a smaller area",
                endpoint=self.endpoint,
                limit=LIMIT >> 20,
            )
        )


#: Encodings whose bytes are counted as they come; urllib3 unpacks any other.
_OWN = ("identity", "gzip", "")


def _says_slots(page: bytes) -> bool:
    """Tell whether osmnx can read a status page; else it would wait for a minute."""
    lines = page.decode("utf-8", "replace").split("\n")
    return len(lines) > 4 and _SLOTS.match(lines[4]) is not None


def _after(header: str | None) -> float | None:
    """Read Retry-After: seconds or a date; None for anything else."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    if header is None:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(float(header), _LONGEST_S)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
