"""What OSM XML says that libosmium passes over: marks of editors and servers.

JOSM keeps what is deleted in the file and marks it, a history has every version of an object, and
Overpass's ``out geom`` and ``out center`` write places into ways. A file with any of these is
written anew, in memory and as libosmium reads it: what there is today. Other files are only
looked through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import eq
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from nankai_gis.errors import DataError
from nankai_gis.network import whole
from nankai_gis.network.ways import DELETED, OLDER
from nankai_gis.words import tr

_MARKS = re.compile(
    rb"""\baction\s*=\s*["']delete|\bvisible\s*=\s*["']false|<nd\b[^>]*\slat\s*=|<center\b"""
)
_OBJECTS = re.compile(rb"""<(n|w|r)(?:ode|ay|elation)\s[^>]*?\bid\s*=\s*["'](-?\d+)""")
_DATE = re.compile(rb"""\b(?:osm_base|osmosis_replication_timestamp)=["']([^"']+)""")
#: Bytes at the start that state the date, and at the end, where Overpass puts its remark.
_ENDS = 1 << 16
#: Nodes that have a place but no id get ids from here on, far beyond OSM's.
_FIRST_ID = 1 << 50


@dataclass
class Look:
    """What a look through the bytes of a file tells."""

    date: str | None
    marked: bool


def look(path: Path) -> Look:
    """Look through a file for marks; refuse an answer that isn't complete, and lists of changes."""
    start = rest = end = b""
    last: tuple[bytes, bytes] | None = None
    marked = False
    for chunk in whole.chunks(path, path.name):
        start += chunk[: max(0, _ENDS - len(start))]
        end = (end + chunk)[-_ENDS:]
        # Tags that a chunk cuts through are looked at with the next one.
        ended, opening, rest = (rest + chunk).rpartition(b"<")
        rest = opening + rest
        if marked:
            continue
        # In a history, versions of the same object follow each other.
        objects = _OBJECTS.findall(ended)
        marked = bool(_MARKS.search(ended)) or any(map(eq, [last, *objects], objects))
        last = objects[-1] if objects else last
    if re.search(rb"<action\s[^>]*\btype=", start):
        raise DataError(
            tr("{file}: a list of changes, not a map; apply it to an extract first", file=path.name)
        )
    remark = re.search(rb"<remark>(.*?)</remark>", end, re.DOTALL)
    if remark and b"Overpass" in start:
        raise whole.remarked(path.name, remark[1].decode("utf-8", "replace"))
    stated = _DATE.search(start)
    return Look(stated[1].decode("utf-8", "replace") if stated else None, marked)


@dataclass(slots=True)
class _Element:
    """A node, a way or a relation, in its newest version."""

    id: int
    version: int
    there: bool
    place: tuple[str, str] | None = None
    refs: list[int] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    members: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass
class _Reader:
    """Collects the elements of a file; its methods are expat's handlers."""

    elements: dict[str, dict[int, _Element]] = field(
        default_factory=lambda: {"node": {}, "way": {}, "relation": {}}
    )
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    current: _Element | None = None
    member: _Element | None = None

    def start(self, name: str, said: dict[str, str]) -> None:
        if name in self.elements:
            there = said.get("visible") != "false" and said.get("action") != "delete"
            place = (said["lat"], said["lon"]) if "lat" in said and "lon" in said else None
            version = int(said.get("version", 0))
            self.current = _Element(int(said["id"]), version, there, place)
        elif self.current is None:
            return
        elif name == "nd":
            owner = self.current if self.member is None else self.member
            owner.refs.append(self._node(said))
        elif name == "tag":
            self.current.tags[said["k"]] = said["v"]
        elif name == "member":
            self.member = _Element(int(said["ref"]), -1, True)
            self.current.members.append((said["type"], self.member.id, said.get("role", "")))

    def end(self, name: str) -> None:
        if name == "member" and self.member is not None:
            # Places of a member stand for a way that the file may not hold itself.
            if self.member.refs:
                self._keep("way", self.member)
            self.member = None
        elif name in self.elements and self.current is not None:
            self._keep(name, self.current)
            self.current = None

    def _keep(self, name: str, element: _Element) -> None:
        known = self.elements[name].get(element.id)
        if known is not None and name == "way" and min(known.version, element.version) >= 0:
            self.counts[OLDER] += 1
        if known is None or element.version >= known.version:
            self.elements[name][element.id] = element

    def _node(self, said: dict[str, str]) -> int:
        """Return the id of a node of a way; one that has its place with it becomes a node."""
        place = (said["lat"], said["lon"]) if "lat" in said else None
        ref = int(said["ref"]) if "ref" in said else None
        if ref is None:
            key = place or ("", str(len(self.places)))  # a place that the answer leaves out
            ref = self.places.setdefault(key, _FIRST_ID + len(self.places))
        if place is not None:
            self.elements["node"].setdefault(ref, _Element(ref, -1, True, place))
        return ref


@dataclass
class Today:
    """A file written anew: what is there today, and what was left out."""

    xml: bytes
    dropped: Mapping[str, int]
    #: Relations that are marked as deleted, with their tags.
    deleted: Mapping[int, Mapping[str, str]]


def today(path: Path) -> Today:
    """Write a file with marks anew."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.EntityDeclHandler = _refuse_entities
    for chunk in whole.chunks(path, path.name):
        parser.Parse(chunk)
    parser.Parse(b"", True)
    relations = reader.elements["relation"]
    gone = sum(not way.there for way in reader.elements["way"].values())
    reader.counts[DELETED] += gone
    return Today(
        _written(reader.elements),
        +reader.counts,
        {number: relation.tags for number, relation in relations.items() if not relation.there},
    )


def _refuse_entities(*_: Any) -> None:
    raise ValueError(tr("it declares entities, which OSM files don't have"))


def _written(elements: Mapping[str, Mapping[int, _Element]]) -> bytes:
    """Return the elements that are there as OSM XML, in the order that libosmium wants."""
    lines = ['<osm version="0.6">']
    bodies: dict[str, Callable[[_Element], str]] = {
        "node": lambda node: "",
        "way": lambda way: "".join(f'<nd ref="{ref}"/>' for ref in way.refs),
        "relation": lambda relation: "".join(
            f'<member type={quoteattr(kind)} ref="{ref}" role={quoteattr(role)}/>'
            for kind, ref, role in relation.members
        ),
    }
    for name, body in bodies.items():
        for number in sorted(elements[name]):
            element = elements[name][number]
            if element.there:
                lat, lon = element.place or ("", "")
                at = f" lat={quoteattr(lat)} lon={quoteattr(lon)}" if element.place else ""
                tags = "".join(
                    f"<tag k={quoteattr(key)} v={quoteattr(value)}/>"
                    for key, value in element.tags.items()
                )
                lines.append(f'<{name} id="{number}"{at}>{body(element)}{tags}</{name}>')
    return "\n".join([*lines, "</osm>"]).encode()
