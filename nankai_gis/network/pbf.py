"""Decode OSM PBF into arrays: node places, and the ways that carry one of a few keys.

PBF (https://wiki.openstreetmap.org/wiki/PBF_Format) is a row of zlib blocks, each a Protocol
Buffers message. A group of ways holds nothing but variable-length integers, tags and lengths
included, so one vectorised pass decodes a whole group, and the fields of its ways are then walked
side by side. pyosmium decodes faster still but hands every way and tag over as a Python object,
which costs more than the decoding; GDAL drops a missing node without a word.

What this module doesn't know (plain nodes, other compressions) it refuses with
:class:`UnusualError`; the caller has libosmium write such a file anew in the common form.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nankai_gis.geometry.arrays import Ints

Words = NDArray[np.object_]

_BLOCK_LIMIT = 32 * 1024 * 1024  # the format's own limit on a block, packed or not
_HEADER_LIMIT = 64 * 1024
_KNOWN_FEATURES = frozenset({"OsmSchema-V0.6", "DenseNodes"})
#: Stands for a place that is missing or beyond what a coordinate can be.
NOWHERE = int(np.iinfo(np.int32).max)


class DamagedError(Exception):
    """Bytes that are no complete PBF; the message says where and why."""


class UnusualError(Exception):
    """A valid form of PBF that isn't decoded here."""


@dataclass
class Decoded:
    """What one file holds, ways filtered, coordinates in units of 1e-7 degrees."""

    date: str | None = None
    history: bool = False
    nodes: int = 0
    all_ways: int = 0
    node_ids: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    lon: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    lat: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    ids: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    counts: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    refs: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    #: Places written with the ways themselves (`LocationsOnWays`), else None.
    ref_lon: Ints | None = None
    ref_lat: Ints | None = None
    tags: dict[str, Words] = field(default_factory=dict)


@dataclass
class _Block:
    nodes: list[tuple[Ints, NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=list)
    all_ways: int = 0
    ids: list[Ints] = field(default_factory=list)
    counts: list[Ints] = field(default_factory=list)
    refs: list[Ints] = field(default_factory=list)
    ref_lon: list[Ints] = field(default_factory=list)
    ref_lat: list[Ints] = field(default_factory=list)
    tags: list[dict[str, Words]] = field(default_factory=list)
    newest: int = 0


def decode(data: bytes, keys: Sequence[str], any_of: Sequence[str]) -> Decoded:
    """Decode a whole file; of a history, which holds many versions, only the header.

    Parameters
    ----------
    data : bytes
        The file.
    keys : sequence of str
        The tags to return, each as an array of str or None.
    any_of : sequence of str
        A way is returned if it has one of these keys; they must be among `keys`.

    Raises
    ------
    DamagedError
        Something is cut off or contradicts itself.
    UnusualError
        The file is in a form that is not decoded here.
    """
    blobs = _blobs(data)
    kind, first = next(blobs, ("", b""))
    if kind != "OSMHeader":
        raise DamagedError("it doesn't begin with an OSM header")
    found = Decoded()
    _header(_inflate(first), found)
    if found.history:
        return found
    work = partial(_block, keys=tuple(keys), any_of=tuple(any_of), dated=found.date is not None)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        blocks = list(pool.map(work, (body for kind, body in blobs if kind == "OSMData")))
    _join(blocks, keys, found)
    return found


def _blobs(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut the file into (kind, blob)."""
    view = memoryview(data)
    at, size = 0, len(data)
    while at < size:
        start = at + 4
        length = int.from_bytes(view[at:start], "big")
        if start > size or length > _HEADER_LIMIT or start + length > size:
            raise DamagedError(f"it is cut off or damaged in a block's header at byte {at}")
        kind, body = "", -1
        for number, value in _fields(bytes(view[start : start + length])):
            if number == 1 and isinstance(value, bytes):
                kind = value.decode("latin-1")
            elif number == 3 and isinstance(value, int):
                body = value
        at = start + length
        if not kind or not 0 <= body <= _BLOCK_LIMIT:
            raise DamagedError(f"the block's header before byte {at} is damaged")
        if at + body > size:
            raise DamagedError(f"it ends at byte {size}, {at + body - size} bytes too early")
        yield kind, bytes(view[at : at + body])
        at += body


def _inflate(blob: bytes) -> bytes:
    raw_size = -1
    out: bytes | None = None
    for number, value in _fields(blob):
        if number == 1 and isinstance(value, bytes):
            out = value
        elif number == 2 and isinstance(value, int):
            raw_size = value
        elif number == 3 and isinstance(value, bytes):
            try:
                unpacker = zlib.decompressobj()
                out = unpacker.decompress(value, _BLOCK_LIMIT)
            except zlib.error as error:
                raise DamagedError(f"a compressed block is damaged ({error})") from None
            if not unpacker.eof:
                raise DamagedError("a compressed block ends too early")
        elif number in (4, 5, 6, 7):
            raise UnusualError("its blocks are compressed otherwise than with zlib")
    if out is None or (raw_size >= 0 and raw_size != len(out)):
        raise DamagedError("a block hasn't the size that it claims")
    return out


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a small message: number and value."""
    at, size = 0, len(data)

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= size or shift > 63:
                raise DamagedError("a message ends too early")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < size:
        tag = varint()
        wire = tag & 7
        if wire == 0:
            yield tag >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(wire, -1)
        if wire == 2:
            length = varint()
        if length < 0 or at + length > size:
            raise DamagedError("a message is damaged")
        yield tag >> 3, data[at : at + length]
        at += length


def _header(data: bytes, found: Decoded) -> None:
    needed = set()
    for number, value in _fields(data):
        if number == 4 and isinstance(value, bytes):
            needed.add(value.decode("utf-8", "replace"))
        elif number == 32 and isinstance(value, int):
            found.date = _iso(value)
    found.history = "HistoricalInformation" in needed
    if not found.history and needed - _KNOWN_FEATURES:
        raise UnusualError(f"it needs a reader that knows {', '.join(needed - _KNOWN_FEATURES)}")


def _iso(seconds: int) -> str | None:
    # What lies beyond the year 9999 is no date but damage.
    return f"{np.datetime64(seconds, 's')}Z" if 0 < seconds < 253_402_300_800 else None


def _block(blob: bytes, *, keys: tuple[str, ...], any_of: tuple[str, ...], dated: bool) -> _Block:
    table = b""
    groups: list[bytes] = []
    grain, date_grain, lat_0, lon_0 = 100, 1000, 0, 0
    for number, value in _fields(_inflate(blob)):
        if isinstance(value, bytes):
            if number == 1:
                table = value
            elif number == 2:
                groups.append(value)
        elif number == 17:
            grain = value
        elif number == 18:
            date_grain = value
        elif number == 19:
            lat_0 = _signed(value)
        elif number == 20:
            lon_0 = _signed(value)

    def place(units: Ints, start: int) -> NDArray[np.int32]:
        plain = grain == 100 and start == 0
        degrees = units if plain else (start + grain * units) // 100
        # Beyond what a place can be: kept beyond, for the reader to refuse.
        return np.clip(degrees, -NOWHERE, NOWHERE).astype(np.int32)

    block = _Block()
    for group in groups:
        if not group:
            continue
        kind = group[0] >> 3
        if kind == 1:
            raise UnusualError("its nodes are not dense")
        if kind == 2:
            dense = dict(_fields(next(_only_bytes(group, 2), b"")))
            ids, lat, lon = (
                np.cumsum(_zigzag(_varints(_bytes(dense, number)))) for number in (1, 8, 9)
            )
            if not len(ids) == len(lat) == len(lon):
                raise DamagedError("a block has not as many places as nodes")
            block.nodes.append((ids, place(lon, lon_0), place(lat, lat_0)))
            if not dated and 5 in dense:
                times = _zigzag(_varints(_bytes(dict(_fields(_bytes(dense, 5))), 2)))
                if len(times):
                    newest = int(np.cumsum(times).max()) * date_grain // 1000
                    block.newest = max(block.newest, newest)
        elif kind == 3:
            _ways(group, list(_only_bytes(table, 1)), block, keys, any_of, place, lon_0, lat_0)
            if not dated:
                block.newest = max(block.newest, _newest_way(group, date_grain))
    return block


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _bytes(message: dict[int, int | bytes], number: int) -> bytes:
    value = message.get(number, b"")
    if not isinstance(value, bytes):
        raise DamagedError("a field has the wrong type")
    return value


def _only_bytes(data: bytes, wanted: int) -> Iterator[bytes]:
    for number, value in _fields(data):
        if number == wanted and isinstance(value, bytes):
            yield value


def _spread(data: bytes) -> tuple[Ints, Ints]:
    """Decode bytes that are all variable-length integers; also return where each ends."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80) + 1
    if len(raw) and (not len(ends) or ends[-1] != len(raw)):
        raise DamagedError("a number is cut off")
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    values = (raw[starts] & 0x7F).astype(np.int64)
    lengths = ends - starts
    longest = int(lengths.max(initial=1))
    if longest > 10:
        raise DamagedError("a number is too long")
    left = np.flatnonzero(lengths > 1)
    for step in range(1, longest):
        left = left[lengths[left] > step]
        values[left] |= (raw[starts[left] + step] & 0x7F).astype(np.int64) << (7 * step)
    return values, ends.astype(np.int64)


def _varints(data: bytes) -> Ints:
    return _spread(data)[0]


def _zigzag(values: Ints) -> Ints:
    # The shift is made unsigned: a negative int64 here is a large unsigned number.
    half = (values.view(np.uint64) >> np.uint64(1)).view(np.int64)
    return cast(Ints, half ^ -(values & 1))


def _starts(group: bytes) -> Ints:
    """Find the byte at which each message of a group begins: the one loop over ways."""
    starts: list[int] = []
    at, size = 0, len(group)
    try:
        while at < size:
            starts.append(at)
            length = group[at + 1]
            at += 2
            if length >= 0x80:
                length &= 0x7F
                shift = 7
                while group[at] >= 0x80:
                    length |= (group[at] & 0x7F) << shift
                    shift += 7
                    at += 1
                length |= group[at] << shift
                at += 1
            at += length
    except IndexError:
        at = size + 1
    if at != size:
        raise DamagedError("a way is longer than its block")
    return np.array(starts, np.int64)


def _walk(group: bytes, numbers: frozenset[int]) -> tuple[int, Ints, dict[int, tuple[Ints, Ints]]]:
    """Find the wanted fields of all ways of a group side by side.

    Returns how many ways, all integers of the group and, per field, where its value begins and
    ends among them (an absent field ends where it begins).
    """
    values, ends = _spread(group)
    # index[b]: how many integers end at or before byte b, that is the one that begins there
    index = np.zeros(len(group) + 1, np.int32)
    index[ends] = 1
    np.cumsum(index, out=index)
    starts = _starts(group)
    if (np.frombuffer(group, np.uint8)[starts] != 0x1A).any():
        raise UnusualError("a group of ways holds something else")
    cursor = index[starts].astype(np.int64) + 2
    end = np.append(cursor[1:] - 2, len(values))
    total = len(starts)
    spans = {number: (np.zeros(total, np.int64), np.zeros(total, np.int64)) for number in numbers}
    live = np.flatnonzero(cursor < end)
    while len(live):
        here = cursor[live]
        if (here + 1 >= end[live]).any():
            raise DamagedError("a way is cut off")
        tag, value = values[here], values[here + 1]
        wire = tag & 7
        if not np.isin(wire, (0, 2)).all():
            raise UnusualError("a way has a field of a kind that isn't known")
        begin = np.where(wire == 0, here + 1, here + 2)
        beyond = ends[here + 1] + np.where(wire == 0, 0, value)
        if ((beyond < 0) | (beyond > len(group))).any():
            raise DamagedError("a way's field is longer than its block")
        stop_at = index[beyond]
        if (stop_at > end[live]).any():
            raise DamagedError("a way's field is longer than the way")
        for number in numbers:
            mine = (tag >> 3) == number
            if mine.any():
                rows = live[mine]
                begins, stops = spans[number]
                if (stops[rows] != 0).any():
                    raise UnusualError("a way's field comes in parts")
                begins[rows], stops[rows] = begin[mine], stop_at[mine]
        cursor[live] = stop_at
        live = live[stop_at < end[live]]
    return total, values, spans


def _gather(values: Ints, begin: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the concatenated slices and their lengths."""
    counts = stop - begin
    before = np.cumsum(counts) - counts
    return values[np.repeat(begin - before, counts) + np.arange(int(counts.sum()))], counts


def _sums(values: Ints, counts: Ints) -> Ints:
    """Add up differences, anew in every slice."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    before = np.cumsum(counts) - counts
    return cast(Ints, total[1:] - np.repeat(total[before], counts))


def _ways(
    group: bytes,
    table: list[bytes],
    block: _Block,
    keys: tuple[str, ...],
    any_of: tuple[str, ...],
    place: Any,
    lon_0: int,
    lat_0: int,
) -> None:
    total, values, spans = _walk(group, frozenset({1, 2, 3, 8, 9, 10}))
    block.all_ways += total
    key, key_counts = _gather(values, *spans[2])
    value, value_counts = _gather(values, *spans[3])
    if (key_counts != value_counts).any():
        raise DamagedError("a way has not as many values as keys")
    pointers = np.concatenate([key, value])
    if ((pointers < 0) | (pointers >= len(table))).any():
        raise DamagedError("a tag points beyond the block's strings")
    owner = np.repeat(np.arange(total), key_counts)
    places = {word: at for at, word in enumerate(table)}
    row_of = np.full(len(table), -1, np.int64)
    for row, wanted in enumerate(keys):
        if wanted.encode() in places:
            row_of[places[wanted.encode()]] = row
    rows = row_of[key]
    mine = rows >= 0
    code = np.full((len(keys), total), -1, np.int64)
    code[rows[mine], owner[mine]] = value[mine]
    keep = np.flatnonzero((code[[keys.index(name) for name in any_of]] >= 0).any(axis=0))
    if not len(keep):
        return
    begin, stop = spans[1]
    if (begin == stop).any():
        raise DamagedError("a way has no id")
    block.ids.append(values[begin[keep]])
    refs, counts = _gather(values, spans[8][0][keep], spans[8][1][keep])
    block.counts.append(counts)
    block.refs.append(_sums(_zigzag(refs), counts))
    lat, lat_counts = _gather(values, spans[9][0][keep], spans[9][1][keep])
    lon, lon_counts = _gather(values, spans[10][0][keep], spans[10][1][keep])
    if len(lat) or len(lon):
        if (lat_counts != counts).any() or (lon_counts != counts).any():
            raise DamagedError("a way has not as many places as nodes")
        block.ref_lat.append(place(_sums(_zigzag(lat), counts), lat_0).astype(np.int64))
        block.ref_lon.append(place(_sums(_zigzag(lon), counts), lon_0).astype(np.int64))
    tags: dict[str, Words] = {}
    for row, name in enumerate(keys):
        codes = code[row, keep]
        if (codes < 0).all():
            continue
        used = np.zeros(len(table), bool)
        used[codes[codes >= 0]] = True
        words = np.full(len(table) + 1, None, object)  # the last one answers to -1
        for at in np.flatnonzero(used).tolist():
            words[at] = table[at].decode("utf-8", "replace")
        tags[name] = words[codes]
    block.tags.append(tags)


def _newest_way(group: bytes, grain: int) -> int:
    """Return the newest timestamp of a group's ways in seconds, 0 if there is none."""
    _, values, spans = _walk(group, frozenset({4}))
    newest = 0
    listed = values.tolist()
    for at, stop in zip(spans[4][0].tolist(), spans[4][1].tolist(), strict=True):
        here = at
        while here + 1 < stop:
            if listed[here] == 0x10:  # field 2, an integer
                newest = max(newest, listed[here + 1])
                break
            if listed[here] & 7:
                break
            here += 2
    return newest * grain // 1000


def _join(blocks: list[_Block], keys: Sequence[str], found: Decoded) -> None:
    def joined(parts: list[Any], dtype: type) -> Any:
        return np.concatenate(parts) if parts else np.empty(0, dtype)

    nodes = [part for block in blocks for part in block.nodes]
    found.node_ids = joined([part[0] for part in nodes], np.int64)
    found.lon = joined([part[1] for part in nodes], np.int32)
    found.lat = joined([part[2] for part in nodes], np.int32)
    found.nodes = len(found.node_ids)
    if len(found.node_ids) > 1 and (np.diff(found.node_ids) < 0).any():
        order = np.argsort(found.node_ids, kind="stable")
        found.node_ids = found.node_ids[order]
        found.lon, found.lat = found.lon[order], found.lat[order]
    found.all_ways = sum(block.all_ways for block in blocks)
    found.ids = joined([part for block in blocks for part in block.ids], np.int64)
    found.counts = joined([part for block in blocks for part in block.counts], np.int64)
    found.refs = joined([part for block in blocks for part in block.refs], np.int64)
    ref_lon = joined([part for block in blocks for part in block.ref_lon], np.int64)
    ref_lat = joined([part for block in blocks for part in block.ref_lat], np.int64)
    if len(ref_lon):
        if len(ref_lon) != len(found.refs):
            raise UnusualError("only some of its ways carry places")
        found.ref_lon, found.ref_lat = ref_lon, ref_lat
    pieces = [
        (tags, len(ids))
        for block in blocks
        for tags, ids in zip(block.tags, block.ids, strict=True)
    ]
    for key in keys:
        found.tags[key] = joined(
            [tags[key] if key in tags else np.full(n, None, object) for tags, n in pieces], object
        )
    newest = max((block.newest for block in blocks), default=0)
    if found.date is None:
        found.date = _iso(newest)
