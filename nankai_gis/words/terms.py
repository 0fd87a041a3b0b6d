"""Terms that stand for the keys of data: kinds, statuses, roles, verdicts, sides, units.

Each table maps a key to its English term; ``tr(KINDS[kind])`` says it in the language in force.
"""

from __future__ import annotations

from collections.abc import Mapping

from nankai_gis.words import mark

#: Kinds of features and of lines.
KINDS: Mapping[str, str] = {
    "district": mark("district"),
    "zone": mark("zone"),
    "parcel": mark("parcel"),
    "corridor": mark("corridor"),
    "subdistrict": mark("subdistrict"),
    "site": mark("site"),
    "street": mark("road"),
    "railway": mark("railway"),
    "river": mark("river"),
    "line": mark("boundary line"),
}
#: How well a position is known.
STATUSES: Mapping[str, str] = {
    "surveyed": mark("surveyed"),
    "osm": mark("OSM data"),
    "digitised": mark("digitised"),
    "inferred": mark("inferred"),
    "not located": mark("not located"),
}
#: What a street is to a corridor.
ROLES: Mapping[str, str] = {
    "main": mark("main line"),
    "extension": mark("extension"),
    "bridge": mark("link"),
}
#: What a check finds.
VERDICTS: Mapping[str, str] = {
    "ok": mark("agrees"),
    "differs": mark("differs"),
    "cannot tell": mark("cannot tell"),
}
#: The sides of a zone.
SIDES: Mapping[str, str] = {
    "east": mark("east"),
    "south": mark("south"),
    "west": mark("west"),
    "north": mark("north"),
}
#: Units of area and length. No ² or other sign outside GBK: old consoles fail on it.
UNITS: Mapping[str, str] = {
    "km2": mark("sq km"),
    "ha": mark("ha"),
    "mu": mark("mu"),
    "m2": mark("sq m"),
    "km": mark("km"),
    "m": mark("m"),
}
#: What a line is to a ring.
RUN_ROLES: Mapping[str, str] = {
    "named": mark("bounding road"),
    "again": mark("followed again"),
    "bridge": mark("link"),
    "stand-in": mark("stand-in"),
}
#: How two lines of a ring meet.
CORNERS: Mapping[str, str] = {
    "shared": mark("shared node"),
    "crossing": mark("crossing"),
    "near": mark("end close by"),
    "extended": mark("end extended"),
}
#: How sure it is that a clause means a line, and that it lies there.
CONFIDENCES: Mapping[str, str] = {
    "high": mark("high"),
    "fair": mark("fair"),
    "low": mark("low"),
}
#: The layers of a plan, as headings of legend and tables.
LAYERS: Mapping[str, str] = {
    "district": mark("District boundary"),
    "zones": mark("Key zones"),
    "parcel": mark("Key parcel"),
    "bands": mark("Accuracy of boundaries (±1σ)"),
    "readings": mark("Other readings of the clauses"),
    "corridors": mark("Corridors"),
    "sites": mark("Projects and places"),
    "subdistricts": mark("Subdistricts"),
    "streets": mark("Roads, railways and rivers"),
    "water": mark("Water"),
    "green": mark("Green space"),
}
#: Themes of the places that a plan names.
THEMES: Mapping[str, str] = {
    "renewal": mark("urban renewal"),
    "roadworks": mark("road works"),
    "landmark": mark("landmark"),
    "metro": mark("metro"),
    "university": mark("university"),
}
#: What a side of a clause names.
BOUNDS: Mapping[str, str] = {
    "road": mark("road"),
    "railway": mark("railway"),
    "river": mark("river"),
    "junction": mark("junction"),
    "area": mark("area or place"),
}
#: Where on what it names a side runs.
EDGES: Mapping[str, str] = {
    "east": mark("east edge"),
    "south": mark("south edge"),
    "west": mark("west edge"),
    "north": mark("north edge"),
    "inner": mark("near edge"),
    "outer": mark("far edge"),
    "centre": mark("centreline"),
}
