"""Road networks: read a file, fetch an area, keep what was got as a snapshot.

A network is one row per OSM way, roads, railways and rivers alike, since each of them can bound
an area. Together with the rows goes the record of where they come from: file, data date,
extent, counts, checksum, and what was left out and why. A snapshot holds both in one GeoPackage.

Partial data is never taken for complete: a file that is cut off, a server's answer with a
remark, a way whose nodes are missing are refused, with the reason.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, OutputError
from nankai_gis.files import geopackage
from nankai_gis.geometry.crs import STORED

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from nankai_gis.network import osm

#: West, south, east, north in degrees.
BBox = tuple[float, float, float, float]

#: Columns of a network's frame beside `geometry`, with their types.
COLUMNS: Mapping[str, str] = {
    "way": "int64",
    "name": "object",
    "aliases": "object",
    "highway": "object",
    "railway": "object",
    "waterway": "object",
    "oneway": "int8",
    "ref": "object",
    "bridge": "bool",
    "tunnel": "bool",
    "layer": "int16",
}

_LAYER = "ways"
_RECORD = "nankai_gis_snapshot"
_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """Where a network comes from and what was made of it.

    Attributes
    ----------
    name : str
        The file's name without its folder, or the server's address.
    format : str
        ``pbf``, ``xml``, ``xml.gz``, ``xml.bz2``, ``overpass`` or ``vector``.
    date : str or None
        Date of the data: what the file says of itself, else its newest object, else None.
    bbox : tuple of float
        Extent of the ways kept: west, south, east, north in degrees.
    ways, named, nodes : int
        Ways kept, those with a `name`, and the vertices of all of them (a shared one counts at
        every way).
    dropped : mapping of str to int
        How many ways were left out, by reason.
    incomplete : tuple of int
        Ways left out because nodes were missing, by id (with `allow_incomplete` only).
    sha256 : str
        Checksum of the file or of the answer.
    source : str
        What to cite, licence included.
    notes : tuple of str
        What else a reader should know.
    """

    name: str
    format: str
    date: str | None
    bbox: BBox
    ways: int
    named: int
    nodes: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    incomplete: tuple[int, ...] = ()
    sha256: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roads:
    """A network: its ways and where they come from.

    Attributes
    ----------
    frame : geopandas.GeoDataFrame
        EPSG:4326, one LineString per way in the order of the ids. Columns: `way` (OSM id, int64),
        `name` (str or None), `aliases` (other names, ``;`` between them, empty if none),
        `highway`, `railway`, `waterway` (the tags' values or None), `oneway` (1 along the line,
        -1 against it, 0 both ways; int8), `ref`, `bridge` and `tunnel` (bool), `layer` (int16).
    origin : Origin
    """

    frame: gpd.GeoDataFrame
    origin: Origin

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a snapshot: one GeoPackage with the ways and the record of their origin.

        The file is written beside its place under another name, read back, compared, and only
        then put in place: it is there whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.gpkg``.
        overwrite : bool
            Replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        OutputError
            The file exists and may not be replaced, or it can't be written.

        Examples
        --------
        >>> import tempfile
        >>> text = '''<osm version="0.6"><node id="1" lat="39.1" lon="117.1"/>
        ... <node id="2" lat="39.1" lon="117.2"/><way id="9"><nd ref="1"/><nd ref="2"/>
        ... <tag k="highway" v="primary"/></way></osm>'''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "one.osm"
        ...     _ = file.write_text(text, encoding="utf-8")
        ...     snapshot = read(file).save(Path(folder) / "one.gpkg")
        ...     load(snapshot).origin.ways
        1
        """
        path = Path(path)
        if path.suffix.lower() != ".gpkg":
            raise OutputError(f"{path}: a snapshot is a GeoPackage; let its name end in .gpkg")
        with geopackage.atomic_geopackage(path, overwrite=overwrite) as draft:
            _write(self, draft)
            if _checksum(load(draft).frame) != _checksum(self.frame):
                raise OutputError(f"{path}: what was written doesn't read back the same")
        return path


def read(
    path: str | os.PathLike[str],
    *,
    bbox: BBox | None = None,
    allow_incomplete: bool = False,
) -> Roads:
    """Read the roads, railways and rivers of a file.

    Counted are ways with a `highway` tag of any value (footways too), tracks (`railway` such as
    rail, light_rail, subway, disused, abandoned) and running water (`waterway` river, canal,
    stream, drain). Not counted are closed ways tagged ``area=yes`` and ways without two
    different points; :attr:`Origin.dropped` counts them.

    Parameters
    ----------
    path : str or path-like
        A local file; its content says what it is: OSM PBF, OSM XML (also packed with gzip or
        bzip2), an Overpass answer in JSON (``out geom`` or ``out body`` with nodes), a snapshot,
        a street graph that osmnx saved (GraphML), or any vector file that GDAL reads and that
        says its CRS. In the last, columns are guessed by name whatever their case; Geofabrik's
        are known.
    bbox : tuple of float, optional
        West, south, east, north in degrees. Ways that touch it are kept whole.
    allow_incomplete : bool
        Do without the ways that lack nodes instead of refusing the file; the origin lists them.

    Returns
    -------
    Roads
        Never empty.

    Raises
    ------
    DataError
        The file is missing, damaged, cut off, partial, without ways, or its longitude and
        latitude are swapped.
    CRSError
        A vector file that doesn't say its CRS.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = '''<osm version="0.6"><node id="1" lat="39.1" lon="117.1"/>
    ... <node id="2" lat="39.1" lon="117.2"/><way id="9"><nd ref="1"/><nd ref="2"/>
    ... <tag k="highway" v="primary"/><tag k="name" v="复康路"/></way></osm>'''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "one.osm"
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     roads = read(file)
    >>> roads.origin.ways, roads.origin.bbox, roads.frame.name[0]
    (1, (117.1, 39.1, 117.2, 39.1), '复康路')
    """
    from nankai_gis.network import osm

    path = Path(path)
    within = None if bbox is None else osm.Within(_checked(bbox))
    if _is_snapshot(path):
        whole = load(path)
        return whole if within is None else _cut(whole, within)
    return _typed(osm.read(path, within, allow_incomplete=allow_incomplete))


def fetch(
    area: BBox | BaseGeometry,
    *,
    endpoint: str | None = None,
    deadline_s: float = 180.0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Roads:
    """Fetch the ways of an area from an Overpass server.

    Refusals and overload (HTTP 429, 502, 503, 504) are tried again a few times, as late as the
    server asks (Retry-After) and no later than the deadline. An answer that the server calls
    incomplete, or that doesn't arrive whole, is refused.

    Parameters
    ----------
    area : tuple of float or shapely geometry
        West, south, east, north, or a polygon; degrees, EPSG:4326. Ways that touch it are
        returned whole.
    endpoint : str, optional
        Address of an Overpass interpreter; default overpass-api.de.
    deadline_s : float
        Seconds for everything: tries, pauses, transfer.
    progress : callable, optional
        Called with the bytes received and the bytes announced (None: not announced).

    Returns
    -------
    Roads

    Raises
    ------
    DataError
        Refused, late, partial or empty, or a deadline that leaves no time.

    Examples
    --------
    >>> fetch((117.1, 39.1, 117.2, 39.2), deadline_s=0)
    Traceback (most recent call last):
    nankai_gis.errors.DataError: a deadline of 0 s leaves no time to ask, or no end
    """
    from nankai_gis.network import osm, overpass

    within, where = _asked(area)
    if not 0 < deadline_s < math.inf:
        raise DataError(f"a deadline of {deadline_s:g} s leaves no time to ask, or no end")
    endpoint = endpoint or overpass.ENDPOINT
    parts = [
        f'way["highway"]{where};',
        f'way["railway"~"^({"|".join(sorted(osm.RAILWAYS))})$"]{where};',
        f'way["waterway"~"^({"|".join(sorted(osm.WATERWAYS))})$"]{where};',
    ]
    # The server gives up a little before this side does, and says so.
    limit = max(1, math.floor(deadline_s * 0.9))
    query = f"[out:json][timeout:{limit}];({''.join(parts)});out geom qt;"
    data = overpass.ask(query, endpoint=endpoint, deadline_s=deadline_s, progress=progress)
    return _typed(osm.from_overpass(endpoint, data, within, allow_incomplete=False))


def load(path: str | os.PathLike[str]) -> Roads:
    """Load a snapshot that :meth:`Roads.save` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Roads

    Raises
    ------
    DataError
        The file is no snapshot, of a later version, damaged, or its ways are not those that the
        record counts and checks.

    Examples
    --------
    >>> import pathlib
    >>> load(pathlib.Path("nowhere.gpkg"))
    Traceback (most recent call last):
    nankai_gis.errors.DataError: nowhere.gpkg: there is no such file
    """
    import pyogrio

    path = Path(path)
    found = _recorded(path)
    try:
        frame = pyogrio.read_dataframe(path, layer=_LAYER, use_arrow=False)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"{path.name}: the snapshot is damaged: {error}") from error
    try:
        origin = Origin(**{f.name: found["origin"][f.name] for f in fields(Origin)})
        frame = _shaped(frame)
        content = _checksum(frame)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path.name}: the snapshot is damaged: {error}") from error
    origin = _thawed(origin)
    if len(frame) != origin.ways:
        raise DataError(
            f"{path.name}: the snapshot is not complete: {len(frame)} of {origin.ways} ways"
        )
    if content != found.get("content"):
        raise DataError(
            f"{path.name}: the snapshot's ways were changed after it was written; import anew"
        )
    return Roads(frame, origin)


def areas(
    path: str | os.PathLike[str], *, admin_level: int | str | None = None
) -> gpd.GeoDataFrame:
    """Assemble boundaries and multipolygons of an OSM file.

    Counted are relations of type multipolygon or boundary and closed ways with a `boundary` tag.
    A relation whose rings can't be assembled gives no row: its id and the reason stand in the
    frame's ``attrs["broken"]``, a dict, empty when all is well. Nothing is repaired.

    Parameters
    ----------
    path : str or path-like
        ``.osm.pbf``, or ``.osm`` (also packed).
    admin_level : int or str, optional
        Only areas with this `admin_level` (in China 6 for districts, 8 for subdistricts).

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326; columns `id` (OSM id, int64), `kind` (``way`` or ``relation``), `name`,
        `aliases`, `admin_level`, `boundary`, `geometry` (Polygon or MultiPolygon). Empty, with
        these columns, if there is nothing of the kind.

    Raises
    ------
    DataError
        The file is damaged, or every one of the relations asked for is broken.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> corners = [(117.1, 39.1), (117.2, 39.1), (117.2, 39.2)]
    >>> nodes = "".join(f'<node id="{i}" lon="{x}" lat="{y}"/>'
    ...                 for i, (x, y) in enumerate(corners, 1))
    >>> tags = '<tag k="boundary" v="administrative"/><tag k="name" v="学府街道"/>'
    >>> refs = "".join(f'<nd ref="{i}"/>' for i in (1, 2, 3, 1))
    >>> text = f'<osm version="0.6">{nodes}<way id="9">{refs}{tags}</way></osm>'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "one.osm"
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     areas(file).name.tolist()
    ['学府街道']
    """
    import geopandas as gpd
    import numpy as np
    import shapely

    from nankai_gis.network import osm

    path = Path(path)
    level = None if admin_level is None else str(admin_level)

    def wanted(tags: Mapping[str, str]) -> bool:
        if level is not None:
            return tags.get("admin_level") == level
        return "boundary" in tags or tags.get("type") == "multipolygon"

    rings, broken = osm.areas(path, wanted)
    shapes = shapely.from_wkb(np.array([ring.wkb for ring in rings], object))
    valid = shapely.is_valid(shapes)
    for at in np.flatnonzero(~valid):
        broken[rings[at].id] = f"not valid: {shapely.is_valid_reason(shapes[at])}"
    if broken and not valid.any():
        told = "; ".join(f"{relation}: {reason}" for relation, reason in list(broken.items())[:5])
        raise DataError(f"{path.name}: none of {len(broken)} relations gives an area: {told}")
    kept = [
        (ring, shape.geoms[0] if len(shape.geoms) == 1 else shape)
        for ring, shape, good in zip(rings, shapes, valid, strict=True)
        if good
    ]
    kept.sort(key=lambda item: (item[0].kind, item[0].id))

    frame = gpd.GeoDataFrame(
        {
            "id": np.array([ring.id for ring, _ in kept], np.int64),
            "kind": _column([ring.kind for ring, _ in kept]),
            "name": _column([ring.tags.get("name") for ring, _ in kept]),
            "aliases": _column(
                [_aliases(ring.tags.get("name"), _alias_tags(ring.tags)) for ring, _ in kept]
            ),
            "admin_level": _column([ring.tags.get("admin_level") for ring, _ in kept]),
            "boundary": _column([ring.tags.get("boundary") for ring, _ in kept]),
        },
        geometry=[shape for _, shape in kept],
        crs=STORED,
    )
    frame.attrs["broken"] = dict(sorted(broken.items()))
    return frame


# --- from a reading to a frame ------------------------------------------------------------------


def _typed(reading: osm.Reading) -> Roads:
    import geopandas as gpd
    import numpy as np
    import shapely

    from nankai_gis.network import osm

    tags, size = reading.tags, len(reading.ids)
    name = tags["name"].copy()
    name[name == ""] = None
    aliases = np.full(size, "", object)
    others = [tags[key] for key in osm.ALIAS_KEYS]
    some = np.zeros(size, bool)
    for words in others:
        some |= osm.given(words)
    rows = np.flatnonzero(some)
    joined: dict[tuple[str | None, ...], str] = {}  # a street's ways all say the same
    for at, key in zip(
        rows.tolist(), zip(name[rows], *(words[rows] for words in others), strict=True), strict=True
    ):
        if key not in joined:
            joined[key] = _aliases(key[0], key[1:])
        aliases[at] = joined[key]
    frame = gpd.GeoDataFrame(
        {
            "way": reading.ids,
            "name": _column(name),
            "aliases": _column(aliases),
            "highway": _column(tags["highway"]),
            "railway": _column(tags["railway"]),
            "waterway": _column(tags["waterway"]),
            "oneway": _oneway(tags),
            "ref": _column(tags["ref"]),
            "bridge": _yes(tags["bridge"]),
            "tunnel": _yes(tags["tunnel"]),
            "layer": _layer(tags["layer"]),
        },
        geometry=reading.lines,
        crs=STORED,
    )
    origin = Origin(
        name=reading.name,
        format=reading.format,
        date=reading.date,
        bbox=_bounds(reading.lines),
        ways=size,
        named=int(osm.given(name).sum()),
        nodes=int(shapely.get_num_coordinates(reading.lines).sum()),
        dropped=dict(reading.dropped),
        incomplete=reading.incomplete,
        sha256=reading.sha256,
        source=reading.source,
        notes=reading.notes,
    )
    return Roads(frame, origin)


def _column(words: Any) -> pd.Series[Any]:
    """Keep None as None: pandas would infer a string type, in which it becomes NaN."""
    import pandas as pd

    return pd.Series(words, dtype=object)


def _bounds(lines: Any) -> BBox:
    import shapely

    west, south, east, north = shapely.total_bounds(lines).tolist()
    return west, south, east, north


def _alias_tags(tags: Mapping[str, str]) -> list[str | None]:
    from nankai_gis.network import osm

    return [tags.get(key) for key in osm.ALIAS_KEYS]


def _aliases(name: str | None, others: Sequence[str | None]) -> str:
    """Join the other names, each once and none that is the name itself."""
    seen = dict.fromkeys(
        part.strip() for other in others if other for part in other.split(";") if part.strip()
    )
    return ";".join(alias for alias in seen if alias != name)


def _oneway(tags: Mapping[str, Any]) -> Any:
    import numpy as np

    said, kind, junction = tags["oneway"], tags["highway"], tags["junction"]
    sense = np.zeros(len(said), np.int8)
    implied = (kind == "motorway") | (junction == "roundabout") | (junction == "circular")
    sense[np.asarray(implied, bool)] = 1
    for word, value in {"no": 0, "false": 0, "0": 0, "yes": 1, "true": 1, "1": 1}.items():
        sense[said == word] = value
    for word in ("-1", "reverse"):
        sense[said == word] = -1
    for word in ("reversible", "alternating"):  # now this way, now that
        sense[said == word] = 0
    return sense


def _yes(words: Any) -> Any:
    import numpy as np

    from nankai_gis.network import osm

    return osm.given(words) & np.asarray((words != "no") & (words != ""), bool)


def _layer(words: Any) -> Any:
    import numpy as np

    from nankai_gis.network import osm

    layer = np.zeros(len(words), np.int16)
    for at in np.flatnonzero(osm.given(words)).tolist():
        try:
            layer[at] = max(-99, min(99, int(float(words[at]))))
        except (ValueError, OverflowError):
            continue  # "1;2" and the like: nothing that could be taken for a level
    return layer


# --- the area asked for -------------------------------------------------------------------------


def _checked(bbox: BBox) -> BBox:
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError):
        raise DataError(f"{bbox!r} is no box of west, south, east, north") from None
    told = f"the box {west:g}, {south:g}, {east:g}, {north:g}"
    if not (abs(west) <= 180 and abs(east) <= 180 and abs(south) <= 90 and abs(north) <= 90):
        hint = ""
        if all(abs(value) <= 90 for value in (west, east)):
            hint = "; longitude and latitude look swapped: west, south, east, north is the order"
        raise DataError(f"{told} is not in degrees of longitude and latitude{hint}")
    if not (west < east and south < north):
        raise DataError(f"{told} is empty; the order is west, south, east, north")
    return west, south, east, north


def _asked(area: BBox | BaseGeometry) -> tuple[osm.Within, str]:
    """Return the area as a filter here and as Overpass writes it."""
    import shapely

    from nankai_gis.network import osm

    if not isinstance(area, shapely.Geometry):
        west, south, east, north = box = _checked(area)
        return osm.Within(box), f"({south:.7f},{west:.7f},{north:.7f},{east:.7f})"
    if area.geom_type not in ("Polygon", "MultiPolygon") or area.is_empty or not area.is_valid:
        raise DataError(f"a valid polygon bounds what is fetched, not a {area.geom_type}")
    within = osm.Within(_checked(area.bounds), area)
    shell = area.exterior if isinstance(area, shapely.Polygon) else None
    if shell is None or len(shell.coords) > 200:
        # The server is asked for a little more; what doesn't touch the area is dropped here.
        hull = shapely.convex_hull(area)
        assert isinstance(hull, shapely.Polygon)
        shell = hull.exterior
    corners = " ".join(f"{lat:.7f} {lon:.7f}" for lon, lat, *_ in shell.coords[:-1])
    return within, f'(poly:"{corners}")'


def _cut(roads: Roads, within: osm.Within) -> Roads:
    """Keep the ways of a snapshot that touch the area."""
    from dataclasses import replace

    import shapely

    from nankai_gis.network import osm

    inside = within.holds(roads.frame.geometry.to_numpy())
    if not inside.any():
        raise DataError(osm.nothing_within(roads.origin.name, within.box, roads.origin.bbox))
    frame = roads.frame[inside].reset_index(drop=True)
    lines = frame.geometry.to_numpy()
    dropped = dict(roads.origin.dropped)
    if not inside.all():
        dropped[osm.OUTSIDE] = dropped.get(osm.OUTSIDE, 0) + int((~inside).sum())
    origin = replace(
        roads.origin,
        bbox=_bounds(lines),
        ways=len(frame),
        named=int(frame["name"].notna().sum()),
        nodes=int(shapely.get_num_coordinates(lines).sum()),
        dropped=dropped,
    )
    return Roads(frame, origin)


# --- the snapshot -------------------------------------------------------------------------------


def _write(roads: Roads, path: Path) -> None:
    import pyogrio

    pyogrio.write_dataframe(
        roads.frame, path, layer=_LAYER, driver="GPKG", geometry_type="LineString", use_arrow=False
    )
    content = {
        "version": _VERSION,
        "origin": asdict(roads.origin),
        "content": _checksum(roads.frame),
    }
    geopackage.write_metadata(path, _RECORD, content, "where the ways come from")


def _is_snapshot(path: Path) -> bool:
    if path.suffix.lower() != ".gpkg" or not path.is_file():
        return False
    try:
        return geopackage.read_metadata(path, _RECORD, "snapshot") is not None
    except DataError:
        return True  # one that is damaged: `load` says how


def _recorded(path: Path) -> dict[str, Any]:
    found = geopackage.read_metadata(path, _RECORD, "snapshot")
    if found is None:
        raise DataError(f"{path.name}: no snapshot; `nankai-gis roads import` makes one of it")
    if not isinstance(found.get("origin"), dict):
        raise DataError(f"{path.name}: the snapshot's record is damaged")
    if found.get("version") != _VERSION:
        raise DataError(
            f"{path.name}: a snapshot of version {found.get('version')}, "
            f"this program knows {_VERSION}; import anew"
        )
    return found


def _thawed(origin: Origin) -> Origin:
    """Make tuples of the lists that JSON gives."""
    from dataclasses import replace

    west, south, east, north = origin.bbox
    return replace(
        origin,
        bbox=(west, south, east, north),
        incomplete=tuple(origin.incomplete),
        notes=tuple(origin.notes),
    )


def _shaped(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give a frame from a file the columns and types that it had."""
    for name, kind in COLUMNS.items():
        if kind == "object":
            words = frame[name].astype(object)
            frame[name] = words.where(words.notna(), None)
        else:
            frame[name] = frame[name].astype(kind)
    return frame[[*COLUMNS, "geometry"]]


def _checksum(frame: gpd.GeoDataFrame) -> str:
    """Return a checksum over what the rows hold, whatever file they stand in."""
    import hashlib

    import shapely

    digest = hashlib.sha256()
    for name, kind in COLUMNS.items():
        if kind == "object":
            words = ["\x00" if word is None else str(word) for word in frame[name].tolist()]
            digest.update("\x1f".join(words).encode())
        else:
            digest.update(frame[name].to_numpy().astype(kind).astype("<i8").tobytes())
    for wkb in shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1).tolist():
        digest.update(wkb)
    return digest.hexdigest()
