"""What the page is told: the sheet's features, legend and labels, as one JSON document.

Geometry leaves here simplified and rounded for the screen, and source texts stand once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nankai_gis.plan.model import CREDIT
from nankai_gis.present import legend
from nankai_gis.present.legend import BASE, LABELLED, LEGEND, Item, Label, Layer, Sheet, Words
from nankai_gis.present.style import INFERRED, STYLES, Row, Style

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.present.webmap.tiles import Tiles

#: Decimals of drawn coordinates (1.1 m of latitude) and the line simplification in
#: degrees (1 m of latitude): together a drawn point lies within 2 m of the stored line.
DECIMALS, TOLERANCE = 5, 9e-6


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


def _drawn(shape: Any) -> Any:
    """Return the shape as nested lists of steps, simplified; ``None`` if it has no place."""
    if shape is None or shape.is_empty:
        return None
    if shape.geom_type == "Point":
        return _steps(shape.coords)
    if hasattr(shape, "geoms"):
        return [part for one in shape.geoms for part in _drawn(one)]
    slim = shape.simplify(TOLERANCE, preserve_topology=True)
    if slim.geom_type == "LineString":
        return [_steps(slim.coords)]
    rings = (slim.exterior, *slim.interiors)
    return [[_steps(ring.coords) for ring in rings]]


def _sides(row: Row, shape: Any, say: Words) -> list[dict[str, Any]]:
    told = []
    for part, line in legend.sides(row, shape):
        status = say["status"].get(part["status"], part["status"])
        text = f"{part['name']} · {status} · {legend.accuracy(part['accuracy_m'])}"
        doubt = part["status"] == "inferred"
        told.append({"text": text, "doubt": doubt, "line": _drawn(line)[0]})
    return told


def _reach(drawn: Sheet) -> tuple[float, float, float, float]:
    """Return west, south, east, north of everything drawn: how far a reader may move the map."""
    import shapely

    shapes = [shape for layer in drawn.layers.values() for shape in layer.shapes if shape]
    west, south, east, north = map(float, shapely.total_bounds(shapes))
    return west, south, east, north


# --- layers -------------------------------------------------------------------------------


class _Told(dict[Any, int]):
    """Things told to the page once and then called by their number."""

    def number(self, thing: Style | str) -> int:
        return self.setdefault(thing, len(self))


def _features(layer: Layer, say: Words, looks: _Told, sources: _Told) -> list[dict[str, Any]]:
    features = []
    for row, shape, look, name in zip(
        layer.rows, layer.shapes, layer.looks, layer.names, strict=True
    ):
        facts: dict[str, Any] = legend.facts(layer.key, row, say)
        if shape is None:
            facts["status"] = say["unlocated"]
        if "source" in facts:
            facts["source"] = [sources.number(text) for text in facts["source"].split("; ")]
        others = [str(row.get(column) or "") for column in ("name", "name_hans", "name_en")]
        features.append(
            {
                "name": name,
                "others": [other for other in dict.fromkeys(others) if other not in ("", name)],
                "clause": str(row.get("clause") or ""),
                "facts": facts,
                "sides": _sides(row, shape, say),
                "indicative": shape is not None and legend.is_indicative(row),
                "look": looks.number(look),
                "shape": _drawn(shape),
            }
        )
    return features


def _item(item: Item, looks: _Told) -> dict[str, Any]:
    told = {"label": item.label, "value": item.value, "look": looks.number(item.look)}
    if item.rows:
        told["show"] = item.rows
    if item.indicative is not None:
        told["indicative"] = item.indicative
    return told


def _label(label: Label, layer: Layer) -> dict[str, Any]:
    return {
        "text": label.text,
        "indicative": label.indicative,
        "ink": label.look.stroke if layer.key == "corridors" else "",
        "at": [[round(spot.lat, DECIMALS), round(spot.lon, DECIMALS)] for spot in label.spots],
    }


def content(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str,
    source: str,
    date: str,
    review: str | None,
    lang: str,
    layers: Collection[str] | None = None,
    tiles: Tiles | None = None,
) -> dict[str, Any]:
    """Return everything the page draws and says, ready for JSON.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Layers by key, in EPSG:4326; see `nankai_gis.present.webmap.draw`.
    title, subtitle, source, date : str
    review : str or None
        Map review number (審圖號); without one the page says 內部使用.
    lang : str
    layers : collection of str, optional
        The layers to draw; all by default.
    tiles : Tiles, optional
        An online base map.

    Raises
    ------
    NotFoundError
        Unknown layer or language.
    CRSError
        No CRS, another CRS, or coordinates that are no degrees.
    DataError
        Nothing to draw, a missing column, an unknown status, a wrong kind of geometry.
    """
    drawn = legend.sheet(frames, lang, layers)
    say, looks, sources = drawn.say, _Told(), _Told()
    told = [
        {
            "key": key,
            "label": say["layers"][key],
            "features": _features(layer, say, looks, sources),
            "count": legend.count(layer, say),
            "single": len(layer.rows) == 1 and key not in BASE,
            "look": looks.number(layer.looks[0] if layer.looks else STYLES[key]),
            "items": [_item(item, looks) for item in legend.items(layer, say)],
            "labels": [_label(label, layer) for label in legend.labels(layer)],
            "base": key in BASE,
            "network": layer.network,
            "labelled_from": LABELLED.get(key, 0),
        }
        for key, layer in drawn.layers.items()
    ]
    standing = [say["review"], review] if review else ["", say["internal"]]
    west, south, east, north = drawn.bounds
    left, low, right, high = reach = _reach(drawn)
    return {
        "lang": lang,
        "words": say,
        "title": title,
        "subtitle": subtitle,
        "imprint": [
            *([[say["source"], source]] if source else []),
            *([[say["date"], date]] if date else []),
            standing,
            ["", CREDIT],
            *([["", tiles.attribution]] if tiles and tiles.attribution else []),
        ],
        "bounds": [[south, west], [north, east]],
        "reach": [[low, left], [high, right]],
        "unit": 10**-DECIMALS,
        "doubt": INFERRED,
        "layers": told,
        "order": [key for key in LEGEND if key in drawn.layers],
        "label_order": [key for key in LABELLED if key in drawn.layers],
        "keys": [_item(item, looks) for item in legend.keys(drawn)],
        "sources": list(sources),
        "tiles": None if tiles is None else tiles.as_json(reach),
        "looks": [look.as_json() for look in looks],
    }
