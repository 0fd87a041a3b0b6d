"""What the page draws: features, legend, labels and words, as one JSON document.

Geometry leaves here simplified and rounded for the screen, and source texts stand once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.plan.model import CREDIT
from nankai_gis.present import facts, legend
from nankai_gis.present.document import MapDocument, MapLayer, map_document
from nankai_gis.present.figure import INDICATIVE
from nankai_gis.present.labels import LABELLED, Label, labels
from nankai_gis.present.layers import BASE, LEGEND_ORDER, OFF
from nankai_gis.present.legend import LegendEntry
from nankai_gis.present.style import INFERRED, STYLES, Row, Style
from nankai_gis.words import language, mark, tr
from nankai_gis.words.terms import LAYERS, STATUSES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.present.webmap.tiles import Tiles

#: Decimals of drawn coordinates (1.1 m of latitude) and the line simplification in
#: degrees (1 m of latitude): together a drawn point lies within 2 m of the stored line.
DECIMALS, TOLERANCE = 5, 9e-6
#: Words that the page's script sets.
_WORDS: Mapping[str, str] = {
    "indicative": mark("indicative"),
    "legend": mark("Legend"),
    "table": mark("Table of figures"),
    "close": mark("Close"),
    "zoom_in": mark("Zoom in"),
    "zoom_out": mark("Zoom out"),
    "whole": mark("Whole map"),
    "north": mark("N"),
    "map": mark("Map"),
    "search": mark("Search by name"),
    "no_match": mark("Nothing on the map has this name."),
    "measure": mark("Measure a line"),
    "measure_how": mark("Click on the map; Escape ends."),
    "save": mark("Save as PNG"),
    "no_script": mark("This map needs JavaScript to be shown."),
}
_DRAWN = mark(
    "± is one standard deviation. Lines are drawn with a tolerance of 2 m; figures come from the "
    "geometry before simplification."
)


# --- geometry -----------------------------------------------------------------------------


def _steps(coordinates: Iterable[Iterable[float]]) -> list[int]:
    """Return lat, lon, then the differences, as whole units of the last drawn decimal."""
    import numpy as np

    points = np.asarray(coordinates, dtype=float)[:, 1::-1]
    grid = np.rint(points * 10**DECIMALS).astype("int64")
    moved = np.any(np.diff(grid, axis=0, prepend=grid[:1] - 1) != 0, axis=1)
    grid = grid[moved]
    steps: list[int] = np.diff(grid, axis=0, prepend=0).ravel().tolist()
    return steps


def in_steps(shape: Any) -> Any:
    """Return the shape as nested lists of steps, simplified; ``None`` if it has no place."""
    if shape is None or shape.is_empty:
        return None
    if shape.geom_type == "Point":
        return _steps(shape.coords)
    if hasattr(shape, "geoms"):
        return [part for single in shape.geoms for part in in_steps(single)]
    slim = shape.simplify(TOLERANCE, preserve_topology=True)
    if slim.geom_type == "LineString":
        return [_steps(slim.coords)]
    rings = (slim.exterior, *slim.interiors)
    return [[_steps(ring.coords) for ring in rings]]


def _sides(row: Row, shape: Any) -> list[dict[str, Any]]:
    sides = []
    for part, line in facts.sides(row, shape):
        key = part["status"]
        status = tr(STATUSES[key]) if key in STATUSES else str(key)
        words = (facts.in_script(part["name"]), status, facts.accuracy(part["accuracy_m"]))
        inferred = key == "inferred"
        sides.append({"text": " · ".join(words), "doubt": inferred, "line": in_steps(line)[0]})
    return sides


def _reach(document: MapDocument) -> tuple[float, float, float, float]:
    """Return west, south, east, north of all that is drawn: how far a reader may move the map."""
    import shapely

    shapes = [shape for layer in document.layers.values() for shape in layer.shapes if shape]
    west, south, east, north = map(float, shapely.total_bounds(shapes))
    return west, south, east, north


# --- layers -------------------------------------------------------------------------------


class _Numbered(dict[Any, int]):
    """Things that stand in the page once and are then called by their number."""

    def number(self, thing: Style | str) -> int:
        return self.setdefault(thing, len(self))


def _features(layer: MapLayer, looks: _Numbered, sources: _Numbered) -> list[dict[str, Any]]:
    features = []
    for row, shape, look, name in zip(
        layer.rows, layer.shapes, layer.looks, layer.names, strict=True
    ):
        details: dict[str, Any] = facts.facts(layer.key, row)
        if shape is None:
            details["status"] = tr(STATUSES["not located"])
        if "source" in details:
            details["source"] = [sources.number(text) for text in details["source"].split("; ")]
        others = [str(row.get(column) or "") for column in ("name", "name_hans", "name_en")]
        features.append(
            {
                "name": name,
                "others": [other for other in dict.fromkeys(others) if other not in ("", name)],
                "clause": facts.in_script(facts.text_of(row, "clause")),
                "facts": details,
                "sides": _sides(row, shape),
                "indicative": shape is not None and facts.is_indicative(row),
                "look": looks.number(look),
                "shape": in_steps(shape),
            }
        )
    return features


def _entry(entry: LegendEntry, looks: _Numbered) -> dict[str, Any]:
    line = {"label": entry.label, "value": entry.value, "look": looks.number(entry.look)}
    if entry.rows:
        line["show"] = entry.rows
    if entry.indicative is not None:
        line["indicative"] = entry.indicative
    return line


def _label(label: Label, layer: MapLayer, main: Collection[str]) -> dict[str, Any]:
    return {
        "text": label.text,
        "row": label.row,
        "indicative": label.indicative,
        "ink": label.look.stroke if layer.key == "corridors" else "",
        "from": 0 if label.text in main else LABELLED.get(layer.key, 0),
        # Names stand to some 10 m; a direction only where there is one.
        "at": [
            [round(spot.lat, 4), round(spot.lon, 4), *([round(spot.angle)] if spot.angle else [])]
            for spot in label.spots
        ],
    }


def _main_roads(document: MapDocument) -> set[str]:
    """Return the names of the roads that bound zones or carry corridors: labelled at any zoom."""
    rows = [
        row
        for key in ("zones", "parcel", "corridors")
        if key in document.layers
        for row in document.layers[key].rows
    ]
    sides = [part["name"] for row in rows for part in _parts(row)]
    return {facts.in_script(str(name)) for name in [*sides, *(r.get("street_name") for r in rows)]}


def _parts(row: Row) -> list[Mapping[str, Any]]:
    parts = row.get("parts")
    return list(parts) if isinstance(parts, list | tuple) else []


def _layer(
    layer: MapLayer, looks: _Numbered, sources: _Numbered, main: Collection[str]
) -> dict[str, Any]:
    return {
        "key": layer.key,
        "label": tr(LAYERS[layer.key]),
        "features": _features(layer, looks, sources),
        "count": legend.count(layer),
        "single": len(layer.rows) == 1 and layer.key not in BASE,
        "look": looks.number(layer.looks[0] if layer.looks else STYLES[layer.key]),
        "items": [_entry(entry, looks) for entry in legend.entries(layer)],
        "labels": [_label(label, layer, main) for label in labels(layer)],
        "base": layer.key in BASE,
        "on": layer.key not in OFF,
        "network": layer.network,
    }


def _page_words() -> dict[str, Any]:
    """Return the words that the page's script sets, by their keys there."""
    words: dict[str, Any] = {key: tr(text) for key, text in _WORDS.items()}
    words["facts"] = {key: tr(text) for key, text in facts.FACTS.items()}
    words["notes"] = [tr(INDICATIVE), tr(_DRAWN)]
    return words


def _imprint(
    source: str, date: str, review: str | None, tiles: Tiles | None
) -> list[tuple[str, str]]:
    """Return the lines at the foot of the page: label and text; ``""`` for no label."""
    lines = [
        (tr("Source of the data"), source),
        (tr("Date"), date),
        (tr("Map review no."), review) if review else ("", tr("Internal use only")),
        ("", CREDIT),
        ("", tr(tiles.attribution) if tiles else ""),
    ]
    return [(facts.labelled(label, "") if label else "", text) for label, text in lines if text]


def content(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str,
    source: str,
    date: str,
    review: str | None,
    layers: Collection[str] | None = None,
    tiles: Tiles | None = None,
) -> dict[str, Any]:
    """Return all that the page draws and says, in the language in force, ready for JSON."""
    document = map_document(frames, layers)
    looks, sources, main = _Numbered(), _Numbered(), _main_roads(document)
    drawn = [_layer(layer, looks, sources, main) for layer in document.layers.values()]
    west, south, east, north = document.bounds
    left, low, right, high = reach = _reach(document)
    return {
        "lang": language(),
        "words": _page_words(),
        "title": title,
        "subtitle": subtitle,
        "imprint": _imprint(source, date, review, tiles),
        "bounds": [[south, west], [north, east]],
        "reach": [[low, left], [high, right]],
        "unit": 10**-DECIMALS,
        "doubt": INFERRED,
        "layers": drawn,
        "order": [key for key in LEGEND_ORDER if key in document.layers],
        "label_order": [key for key in LABELLED if key in document.layers],
        "keys": [_entry(entry, looks) for entry in legend.key_entries(document)],
        "sources": list(sources),
        "tiles": None if tiles is None else tiles.as_json(reach),
        "looks": [look.as_json() for look in looks],
    }
