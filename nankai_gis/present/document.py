"""The map document: everything that the web map and the figure draw, before either is drawn.

Both are drawn from one `MapDocument`, so that they agree on colours, dashes, figures and on what is
marked as indicative (示意).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, NotFoundError
from nankai_gis.present.facts import name_of, text_of
from nankai_gis.present.languages import to_reader
from nankai_gis.present.layers import LEGEND_ORDER, NETWORK, checked, joined, rows_of
from nankai_gis.present.style import STYLES, Style, as_line, style_of
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

#: The map shows the extent of the first of these groups of which anything has a place: all that
#: the plan draws. Streets come late, because they run beyond the area of the plan.
_EXTENT = (
    ("district", "zones", "parcel", "corridors", "sites"),
    ("subdistricts",),
    ("streets",),
    ("water", "green"),
)
#: The column whose values share one hue and one line of the legend.
_GROUP: Mapping[str, str] = {
    "district": "id",
    "zones": "id",
    "parcel": "id",
    "readings": "id",
    "corridors": "corridor",
    "sites": "theme",
    "streets": "kind",
}
#: The column of a street that says what covers it, and the layer of that.
COVERING: Mapping[str, str] = {"corridor": "corridors", "zone": "zones"}


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A checked layer and how its rows look; the lists run in step."""

    key: str
    rows: list[dict[str, Any]]
    shapes: list[BaseGeometry | None]
    looks: list[Style]
    names: list[str]
    network: bool = False

    def groups(self) -> dict[str, list[int]]:
        """Return the numbers of the rows that share one line of the legend, by their key."""
        groups: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            groups.setdefault(text_of(row, _GROUP.get(self.key, "")), []).append(number)
        return groups

    @property
    def shaded(self) -> bool:
        """Whether it is a choropleth."""
        return self.key == "subdistricts" and bool(self.rows) and "coverage_share" in self.rows[0]


@dataclass(frozen=True, slots=True)
class MapDocument:
    """Everything that the web map and the figure draw."""

    layers: dict[str, MapLayer]
    bounds: tuple[float, float, float, float]

    def legend(self) -> list[MapLayer]:
        """Return the layers in the order of the legend."""
        return [self.layers[key] for key in LEGEND_ORDER if key in self.layers]


def _hues(key: str, rows: list[dict[str, Any]]) -> list[int]:
    """Return the number of each row's hue: its own, else by the order of the groups."""
    order: dict[str, int] = {}
    by_group = [order.setdefault(text_of(row, _GROUP.get(key, "")), len(order)) for row in rows]
    own = [row.get("hue") for row in rows]
    return [place if hue is None else int(hue) for place, hue in zip(by_group, own, strict=True)]


def _covering_hues(frames: Mapping[str, GeoDataFrame]) -> dict[str, dict[str, int]]:
    """Return, for each column of `COVERING`, the hue of each id in its own layer."""
    hues: dict[str, dict[str, int]] = {}
    for column, key in COVERING.items():
        rows = rows_of(key, frames[key]) if key in frames else []
        ids = [text_of(row, _GROUP[key]) for row in rows]
        hues[column] = dict(zip(ids, _hues(key, rows), strict=True))
    return hues


def _street_hues(rows: list[dict[str, Any]], covering: dict[str, dict[str, int]]) -> list[int]:
    """Return the hue of each street: that of the zone or corridor which covers it."""
    numbers = []
    for row in rows:
        column = next((column for column in COVERING if row.get(column)), "")
        known = covering.get(column, {})
        numbers.append(known.setdefault(text_of(row, column), len(known)))
    return numbers


def _map_layer(key: str, frame: GeoDataFrame, covering: dict[str, dict[str, int]]) -> MapLayer:
    if key == "streets" and "kind" not in frame and "highway" in frame:
        frame = frame.assign(kind=frame["highway"])
    network = key == "streets" and len(frame) >= NETWORK
    if network:
        frame = joined(frame)
    rows = rows_of(key, frame)
    hues = _street_hues(rows, covering) if key == "streets" else _hues(key, rows)
    looks = [style_of(key, row, hue) for row, hue in zip(rows, hues, strict=True)]
    shapes = [None if s is None or s.is_empty else s for s in frame.geometry]
    if key == "sites":
        lines = [shape is not None and shape.geom_type == "LineString" for shape in shapes]
        looks = [as_line(look) if line else look for look, line in zip(looks, lines, strict=True)]
    return MapLayer(key, rows, shapes, looks, [name_of(row) for row in rows], network)


def _under_shades(layers: dict[str, MapLayer]) -> dict[str, MapLayer]:
    """Return layers so that a choropleth shows: zones as outlines, streets above the shades."""
    order = [key for key in layers if key != "subdistricts"]
    order.insert(
        order.index("streets") if "streets" in order else list(layers).index("subdistricts"),
        "subdistricts",
    )
    layers = {key: layers[key] for key in order}
    if "zones" in layers:
        zones = layers["zones"]
        outlines = [replace(look, fill_opacity=0.04) for look in zones.looks]
        layers["zones"] = replace(zones, looks=outlines)
    return layers


def map_document(
    frames: Mapping[str, GeoDataFrame], only: Collection[str] | None = None
) -> MapDocument:
    """Check layers and give each row its name, in the language in force, and its look."""
    # Check what is given, shown or not: streets take the hue of zones that aren't drawn.
    with to_reader():
        for key in only or ():
            if key not in frames:
                raise NotFoundError(tr("layer of this map"), key, frames)
        given = {key: checked(key, frame) for key, frame in frames.items()}
    shown = {key: frame for key, frame in given.items() if only is None or key in only}

    # Build the layers, bottom to top.
    covering = _covering_hues(given)
    layers = {key: _map_layer(key, shown[key], covering) for key in STYLES if key in shown}
    if "subdistricts" in layers and layers["subdistricts"].shaded:
        layers = _under_shades(layers)

    # Take the extent of what the plan is about.
    placed = {k for k, layer in layers.items() if any(s is not None for s in layer.shapes)}
    if not placed:
        with to_reader():
            raise DataError(tr("nothing to draw: give at least one layer with a geometry"))
    framing = next(some for keys in _EXTENT if (some := placed.intersection(keys)))
    bounds = [tuple(map(float, shown[key].total_bounds)) for key in framing]
    west, south, east, north = zip(*bounds, strict=True)
    return MapDocument(layers, (min(west), min(south), max(east), max(north)))
