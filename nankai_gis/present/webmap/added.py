"""Folium layers that a reader adds to a finished map, as data for the page's own script.

Folium writes a script for each layer, with its texts as markup; the page's policy forbids both. So
what is added is read here, and drawn by the page as everything else: texts stay text. What can't
be drawn that way, or would need the network, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import folium
import shapely
from branca.element import Html
from shapely.geometry import shape as as_shape

from nankai_gis.errors import DataError
from nankai_gis.present.facts import labelled
from nankai_gis.present.style import Style
from nankai_gis.present.webmap.content import in_steps
from nankai_gis.words import quoted, tr

#: Colours of Folium's icons that aren't names of CSS.
_ICON_COLOURS: Mapping[str, str] = {"lightred": "#ff8e7f", "darkpurple": "#5b396b"}
_MARKER = Style(stroke="#ffffff", weight=2, fill="blue", fill_opacity=1, radius=8)
#: What Leaflet calls the parts of a look, and what they are called here.
_LOOKS: Mapping[str, str] = {
    "color": "stroke",
    "weight": "weight",
    "dashArray": "dash",
    "fillColor": "fill",
    "fillOpacity": "fill_opacity",
    "radius": "radius",
}
_GEOJSON = {
    "color": "#3388ff",
    "weight": 3,
    "fillColor": "#3388ff",
    "fillOpacity": 0.2,
    "radius": 6,
}


def added(children: Iterable[Any]) -> dict[str, Any]:
    """Return what was added to a map, ready for JSON."""
    groups, switch = [], False
    for child in children:
        if isinstance(child, folium.LayerControl):
            switch = True
            continue
        layer = isinstance(child, folium.FeatureGroup | folium.GeoJson)
        inside = child._children.values() if type(child) is folium.FeatureGroup else [child]
        shapes = [drawn for element in inside for drawn in _shapes(element)]
        name = str(child.layer_name) if layer and child.control else ""
        groups.append({"name": name, "on": not layer or bool(child.show), "shapes": shapes})
    return {"groups": groups, "switch": switch}


def _shapes(element: Any) -> Iterator[dict[str, Any]]:
    """Give the shapes of an element: geometry in steps, look, and the lines of its texts."""
    kind = type(element)
    if kind is folium.GeoJson:
        yield from _features(element)
        return
    if kind is folium.Marker and type(element.icon) in (type(None), folium.Icon):
        colour = "blue" if element.icon is None else element.icon.options["marker_color"]
        lat, lon = element.location
        geometry: Any = shapely.Point(lon, lat)
        look = {**_MARKER.as_json(), "fill": _ICON_COLOURS.get(colour, colour)}
    elif kind is folium.CircleMarker:
        lat, lon = element.location
        geometry, look = shapely.Point(lon, lat), _look(element.options)
    elif kind in (folium.PolyLine, folium.Polygon):
        rings = _rings(element.locations)
        geometry = (
            shapely.MultiLineString(rings)
            if kind is folium.PolyLine
            else shapely.Polygon(rings[0], rings[1:])
        )
        look = _look(element.options)
    else:
        raise DataError(
            tr(
                "this map takes no {element}; add Marker (with a plain Icon), CircleMarker, "
                "PolyLine, Polygon, GeoJson, FeatureGroup or LayerControl, or give frames to "
                "nankai_gis.present.webmap.draw",
                element=quoted(kind.__name__),
            )
        )
    yield from _parts(geometry, look, *_texts(element, {}))


def _rings(locations: Any) -> list[list[tuple[float, float]]]:
    """Return the lines of a Folium path as (lon, lat)."""
    nested = locations if isinstance(locations[0][0], list | tuple) else [locations]
    return [[(float(lon), float(lat)) for lat, lon in line] for line in nested]


def _features(layer: folium.GeoJson) -> Iterator[dict[str, Any]]:
    data = layer.data
    if data["type"] == "FeatureCollection":
        features = data["features"]
    else:
        features = [data if data["type"] == "Feature" else {"geometry": data}]
    for feature in features:
        if feature.get("geometry"):
            options = layer.style_function(feature) if layer.style else {}
            texts = _texts(layer, feature.get("properties") or {})
            yield from _parts(as_shape(feature["geometry"]), _look(_GEOJSON | options), *texts)


def _look(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a look that the page knows; numbers must be finite."""
    look: dict[str, Any] = {}
    for theirs, ours in _LOOKS.items():
        value = options.get(theirs)
        if value is None:
            continue
        if ours in ("weight", "fill_opacity", "radius"):
            value = float(value)
            if not math.isfinite(value):
                continue
        look[ours] = value if isinstance(value, float) else str(value)
    if options.get("fill") is False:
        look.pop("fill", None)
    return look


def _parts(
    geometry: Any, look: dict[str, Any], tip: list[str], card: list[str]
) -> Iterator[dict[str, Any]]:
    if geometry.geom_type == "GeometryCollection":
        for part in geometry.geoms:
            yield from _parts(part, look, tip, card)
        return
    for part in shapely.get_parts(geometry):
        if not part.is_empty:
            yield {"shape": in_steps(part), "look": look, "tip": tip, "card": card}


def _texts(element: Any, properties: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the lines of an element's tooltip and of its popup."""
    tip: list[str] = []
    card: list[str] = []
    for child in element._children.values():
        if isinstance(child, folium.GeoJsonTooltip | folium.GeoJsonPopup):
            fields = zip(child.fields, child.aliases, strict=True)
            values = [(alias, properties.get(field, "")) for field, alias in fields]
            lines = [labelled(a, v) if child.labels else str(v) for a, v in values]
            (tip if isinstance(child, folium.GeoJsonTooltip) else card).extend(lines)
        elif isinstance(child, folium.Tooltip):
            tip.append(child.text)
        elif isinstance(child, folium.Popup):
            for part in child.html._children.values():
                if not isinstance(part, Html):
                    raise DataError(tr("the popup of a layer added to this map may hold text only"))
                card.append(str(part.data))
        elif not isinstance(child, folium.Icon):
            raise DataError(
                tr(
                    "this map takes no {element} inside another layer",
                    element=quoted(type(child).__name__),
                )
            )
    return tip, card
