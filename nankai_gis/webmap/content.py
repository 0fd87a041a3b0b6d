"""From layers to what the page is told: words, features, legend, labels; no measure is taken.

Everything here ends in one JSON document. Geometry leaves it simplified and rounded for
the screen; figures are those of the columns, only set in words and units.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nankai_gis.crs import STORED
from nankai_gis.errors import CRSError, DataError, NotFoundError
from nankai_gis.webmap.style import (
    CLASSES,
    INFERRED,
    PLANNED,
    STYLES,
    Row,
    Style,
    as_line,
    shade,
    style_of,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

#: Decimals of drawn coordinates (1.1 m of latitude) and the line simplification in
#: degrees (1 m of latitude): together a drawn point lies within 2 m of the stored line.
DECIMALS, TOLERANCE = 5, 9e-6

AREA = frozenset({"Polygon", "MultiPolygon"})
LINE = frozenset({"LineString", "MultiLineString"})
POINT = frozenset({"Point"})
_SHAPES: Mapping[str, frozenset[str]] = {
    "green": AREA | LINE,
    "water": AREA | LINE,
    "streets": LINE,
    "subdistricts": AREA,
    "district": AREA,
    "zones": AREA,
    "parcel": AREA,
    "corridors": LINE,
    "sites": POINT | frozenset({"LineString"}),
}
_LEGEND = (
    "district",
    "zones",
    "parcel",
    "corridors",
    "sites",
    "subdistricts",
    "streets",
    "water",
    "green",
)
#: Layers that only carry the others; their rows may come without name and status.
_BASE = frozenset({"water", "green"})
_STATUS = ("surveyed", "osm", "digitised", "inferred")
_UNLOCATED = "not located"
#: The columns that are read; a frame may hold others.
# fmt: off
_COLUMNS = frozenset((
    "id", "kind", "name", "name_hans", "name_en", "clause", "clause_source", "section", "note",
    "status", "source", "date", "corridor", "street", "street_name", "role", "planned", "theme",
    "code", "parts", "accuracy_m", "area_m2", "area_sd_m2", "stated_area_m2", "perimeter_m",
    "length_m", "coverage_share",
))
# fmt: on
#: The column whose values share one hue and one line of the legend.
_GROUP: Mapping[str, str] = {
    "district": "id",
    "zones": "id",
    "parcel": "id",
    "corridors": "corridor",
    "sites": "theme",
    "streets": "kind",
}
#: Layers with labels, most important first, and the zoom from which each is labelled.
_LABELLED: Mapping[str, float] = {
    "zones": 0,
    "parcel": 0,
    "corridors": 0,
    "subdistricts": 0,
    "sites": 14,
    "streets": 14,
}

Words = Mapping[str, Any]


def words(lang: str) -> Words:
    """Return the page's own words in one language.

    Raises
    ------
    NotFoundError
        For a language other than ``zh-Hant``, ``zh-Hans`` and ``en``.
    """
    every = json.loads((files("nankai_gis") / "assets/webmap.words.json").read_text("utf-8"))
    if lang not in every:
        raise NotFoundError("language of the map", lang, every)
    chosen: Words = every[lang]
    return chosen


# --- rows ---------------------------------------------------------------------------------


def _checked(key: str, frame: GeoDataFrame) -> GeoDataFrame:
    if key not in STYLES:
        raise NotFoundError("map layer", key, _LEGEND)
    if frame.crs is None:
        raise CRSError(f"layer {key} has no CRS; say which with set_crs()")
    if not frame.crs.equals(STORED, ignore_axis_order=True):
        raise CRSError(f"layer {key} is in {frame.crs.to_string()}; bring it to {STORED} (to_crs)")
    needed = () if key in _BASE else ("name", "status")
    missing = [column for column in needed if column not in frame]
    if missing:
        raise DataError(f"layer {key} lacks the column {', '.join(missing)}")
    wrong = set(frame.geom_type.dropna()) - _SHAPES[key]
    if wrong:
        raise DataError(
            f"layer {key} holds {', '.join(sorted(wrong))}; "
            f"it takes {', '.join(sorted(_SHAPES[key]))}"
        )
    west, south, east, north = frame.total_bounds
    if west < -180 or south < -90 or east > 180 or north > 90:
        raise CRSError(f"layer {key} holds coordinates that are no degrees; check its CRS")
    return frame


def _rows(key: str, frame: GeoDataFrame) -> list[dict[str, Any]]:
    import pandas as pd

    table = pd.DataFrame(frame[[column for column in frame if column in _COLUMNS]])
    rows: list[dict[str, Any]] = [
        {
            str(name): None if pd.api.types.is_scalar(value) and pd.isna(value) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]
    for row, placed in zip(rows, frame.geometry.notna(), strict=True):
        status = row.get("status")
        known = status in _STATUS or (status == _UNLOCATED and not placed)
        if not known and not (status is None and key in _BASE):
            raise DataError(
                f"layer {key}, {row.get('name')!r}: status {status!r} "
                f"is none of {', '.join(_STATUS)}"
            )
    return rows


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _name(row: Row, lang: str) -> str:
    column = {"zh-Hans": "name_hans", "en": "name_en"}.get(lang, "name")
    return _text(row, column) or _text(row, "name")


# --- figures ------------------------------------------------------------------------------


def area(square_metres: float, sd: float | None = None) -> str:
    """Set an area in km², below 0.1 km² in hectares, with its standard deviation.

    Examples
    --------
    >>> area(2_140_000, 52_000), area(8_500), area(2_140_000, 900)
    ('2.14 ± 0.05 km²', '0.85 ha', '2.14 ± <0.01 km²')
    """
    scale, unit = (1e6, "km²") if square_metres >= 1e5 else (1e4, "ha")
    text = f"{square_metres / scale:.2f}"
    if sd is not None:
        spread = f"{sd / scale:.2f}"
        text += f" ± {'<0.01' if spread == '0.00' and sd > 0 else spread}"
    return f"{text} {unit}"


def length(metres: float) -> str:
    """Set a length in km, below 1 km in metres.

    Examples
    --------
    >>> length(3214.6), length(999.4)
    ('3.21 km', '999 m')
    """
    return f"{metres / 1000:.2f} km" if metres >= 999.5 else f"{metres:.0f} m"


def _measured(row: Row, column: str, setting: Callable[[float], str]) -> str:
    value = row.get(column)
    return "" if value is None else setting(float(value))


def _accuracy(metres: float) -> str:
    return f"± {metres:.0f} m"


def _facts(key: str, row: Row, say: Words) -> dict[str, str]:
    """Return what the popup and the table say of a row, in that order, without blanks."""

    def term(column: str) -> str:
        raw = _text(row, column)
        return str(say["terms"].get(raw, raw))

    sd = row.get("area_sd_m2")
    role = term("role") + (f" · {say['planned']}" if row.get("planned") else "")
    facts = {
        "street": _text(row, "street_name") or _text(row, "street"),
        "role": role.removeprefix(" · "),
        "theme": term("theme"),
        "kind": term("kind") if key == "streets" else "",
        "code": _text(row, "code"),
        "area": _measured(row, "area_m2", lambda m2: area(m2, sd)),
        "stated": _measured(row, "stated_area_m2", area),
        "perimeter": _measured(row, "perimeter_m", length),
        "length": _measured(row, "length_m", length),
        "coverage": _measured(row, "coverage_share", lambda share: f"{share:.1%}"),
        "section": _text(row, "section"),
        "status": str(say["status"].get(row.get("status"), "")),
        "accuracy": _measured(row, "accuracy_m", _accuracy),
        "source": _text(row, "source"),
        "date": _text(row, "date"),
        "clause_source": _text(row, "clause_source"),
        "note": _text(row, "note"),
    }
    return {name: text for name, text in facts.items() if text}


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
    """Return a polygon's sides, each with its own certainty, where the row tells them apart.

    ``parts`` numbers them along the exterior ring: from vertex ``start`` to vertex ``stop``.
    """
    parts = row.get("parts")
    if shape is None or shape.geom_type != "Polygon" or parts is None or isinstance(parts, str):
        return []
    from shapely.geometry import LineString

    ring = shape.exterior.coords
    sides = []
    for part in parts:
        doubt = part["status"] == "inferred"
        status = say["status"].get(part["status"], part["status"])
        text = f"{part['name']} · {status} · {_accuracy(part['accuracy_m'])}"
        line = _drawn(LineString(ring[part["start"] : part["stop"] + 1]))[0]
        sides.append({"text": text, "doubt": doubt, "line": line})
    return sides


def _anchors(shape: Any) -> list[list[float]]:
    """Return where a label may stand: best first, as lat, lon."""
    import shapely

    if hasattr(shape, "geoms"):
        shape = max(shape.geoms, key=lambda part: (part.area, part.length))
    if shape.geom_type == "Polygon":
        # The roomiest spot, which unlike the centroid is never outside a stair-shaped zone,
        # and four around it that can't be outside either.
        circle = shapely.maximum_inscribed_circle(shape, 1e-5)
        (x, y), reach = circle.coords[0], circle.length * 0.6
        ways = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
        spots = [shapely.Point(x + east * reach, y + north * reach) for east, north in ways]
    elif shape.geom_type == "LineString":
        spots = [shape.interpolate(at, normalized=True) for at in (0.5, 0.3, 0.7, 0.15, 0.85)]
    else:
        spots = [shape]
    return [[round(spot.y, DECIMALS), round(spot.x, DECIMALS)] for spot in spots]


# --- layers -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Looks:
    """The styles in use, each told to the page once."""

    seen: dict[Style, int] = field(default_factory=dict)

    def index(self, look: Style) -> int:
        return self.seen.setdefault(look, len(self.seen))


@dataclass(frozen=True, slots=True)
class _Layer:
    """A checked layer with what its rows become."""

    key: str
    rows: list[dict[str, Any]]
    shapes: list[BaseGeometry | None]
    looks: list[Style]
    names: list[str]

    def groups(self) -> dict[str, list[int]]:
        """Return the row numbers that share one line of the legend."""
        groups: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            groups.setdefault(_text(row, _GROUP.get(self.key, "")), []).append(number)
        return groups


def _layer(key: str, frame: GeoDataFrame, lang: str) -> _Layer:
    rows = _rows(key, frame)
    column = _GROUP.get(key, "")
    hues: dict[str, int] = {}
    for row in rows:
        hues.setdefault(_text(row, column), len(hues))
    looks = [style_of(key, row, hues[_text(row, column)]) for row in rows]
    names = [_name(row, lang) for row in rows]
    shapes = [None if one is None or one.is_empty else one for one in frame.geometry]
    if key == "sites":
        lines = [shape is not None and shape.geom_type == "LineString" for shape in shapes]
        looks = [as_line(look) if line else look for look, line in zip(looks, lines, strict=True)]
    return _Layer(key, rows, shapes, looks, names)


_NOTHING = _Layer("", [], [], [], [])


def _quiet(layer: _Layer) -> _Layer:
    """Return the layer with zones as outlines, so that a choropleth below keeps its colours."""
    if layer.key != "zones":
        return layer
    return replace(layer, looks=[replace(look, fill_opacity=0.04) for look in layer.looks])


def _indicative(row: Row) -> bool:
    return row.get("status") not in ("surveyed", _UNLOCATED, None)


def _features(layer: _Layer, say: Words, looks: _Looks) -> list[dict[str, Any]]:
    features = []
    for row, shape, look, name in zip(
        layer.rows, layer.shapes, layer.looks, layer.names, strict=True
    ):
        facts = _facts(layer.key, row, say)
        if shape is None:
            facts["status"] = say["unlocated"]
        others = [_text(row, column) for column in ("name", "name_hans", "name_en")]
        features.append(
            {
                "name": name,
                "others": [other for other in dict.fromkeys(others) if other not in ("", name)],
                "clause": _text(row, "clause"),
                "facts": facts,
                "sides": _sides(row, shape, say),
                "indicative": shape is not None and _indicative(row),
                "look": looks.index(look),
                "shape": _drawn(shape),
            }
        )
    return features


def _total(rows: list[dict[str, Any]], say: Words) -> str:
    """Return the sum of the lengths that drawn rows state; nothing where one states none."""
    lengths = [row["length_m"] for row in rows if row.get("length_m") is not None]
    if len(lengths) < len(rows):
        return ""
    planned = sum(row["length_m"] for row in rows if row.get("planned"))
    before, after = say["brackets"]
    rest = f"{before}{say['planned']} {length(planned)}{after}" if planned else ""
    return length(sum(lengths)) + rest


def _items(layer: _Layer, say: Words, looks: _Looks) -> list[dict[str, Any]]:
    """Return the lines of the legend under a layer's switch."""
    if layer.key == "subdistricts":
        return _classes(layer, say, looks)
    if layer.key in _BASE:
        return []
    items = []
    for group, numbers in layer.groups().items():
        rows = [layer.rows[number] for number in numbers]
        first = numbers[0]
        item = {"look": looks.index(layer.looks[first]), "show": numbers}
        if layer.key in ("sites", "streets"):
            term = say["terms"].get(group, group) or say["layers"][layer.key]
            count = _counted(len(numbers), [layer.shapes[n] for n in numbers], say)
            items.append(item | {"label": term, "value": count})
        else:
            facts = _facts(layer.key, rows[0], say)
            drawn = [layer.rows[n] for n in numbers if layer.shapes[n] is not None]
            value = _total(drawn, say) if layer.key == "corridors" else facts.get("area", "")
            doubt = any(_indicative(row) for row in rows)
            items.append(item | {"label": layer.names[first], "value": value, "indicative": doubt})
    return items


def _classes(layer: _Layer, say: Words, looks: _Looks) -> list[dict[str, Any]]:
    if not layer.rows or "coverage_share" not in layer.rows[0]:
        return []
    shares = [row["coverage_share"] for row in layer.rows]
    items, low = [], 0.0
    for top, _ in CLASSES:
        look = looks.index(shade(top))
        items.append({"look": look, "label": f"{low:.0%}–{top:.0%}", "value": ""})
        low = top
    if None in shares:
        items.append({"look": looks.index(shade(None)), "label": say["no_data"], "value": ""})
    return items


def _labels(layer: _Layer) -> list[dict[str, Any]]:
    """Return the labels: one per row, or per street or corridor along its longest pieces."""
    if layer.key not in _LABELLED:
        return []
    pieces: dict[str | int, list[int]] = {}
    joined = layer.key in ("corridors", "streets")
    for number, shape in enumerate(layer.shapes):
        # What is only a construction line has no name that a reader would look for.
        helper = layer.key == "streets" and layer.rows[number].get("kind") == "line"
        if shape is not None and layer.names[number] and not helper:
            key = _text(layer.rows[number], "corridor") or layer.names[number]
            pieces.setdefault(key if joined else number, []).append(number)
    labels = []
    for numbers in pieces.values():
        numbers.sort(key=lambda number: -layer.shapes[number].length)  # type: ignore[union-attr]
        first = numbers[0]
        labels.append(
            {
                "text": layer.names[first],
                "indicative": layer.key in ("zones", "parcel") and _indicative(layer.rows[first]),
                "ink": layer.looks[first].stroke if layer.key == "corridors" else "",
                "at": [spot for number in numbers[:3] for spot in _anchors(layer.shapes[number])],
            }
        )
    return labels


def _counted(count: int, shapes: list[BaseGeometry | None], say: Words) -> str:
    """Return a count and, in brackets, how many of it have no place."""
    missing = sum(shape is None for shape in shapes)
    before, after = say["brackets"]
    return f"{count}{before}{say['unlocated']} {missing}{after}" if missing else str(count)


def _count(layer: _Layer, say: Words) -> str:
    if layer.key == "corridors":
        return str(len(layer.groups()))
    return _counted(len(layer.rows), layer.shapes, say)


def _keys(layers: Mapping[str, _Layer], say: Words, looks: _Looks) -> list[dict[str, Any]]:
    """Return the legend's explanation of the dashes that are really on the map."""
    used = {look.dash for layer in layers.values() for look in layer.looks}
    dashes = ((INFERRED, "inferred_line"), (PLANNED, "planned_line"))
    return [
        {
            "label": say[word],
            "look": looks.index(Style(stroke="#4a4a4a", weight=2.4, dash=dash)),
        }
        for dash, word in dashes
        if dash in used
    ]


def content(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str,
    source: str,
    date: str,
    review: str | None,
    lang: str,
) -> dict[str, Any]:
    """Return everything the page draws and says, ready for JSON.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Layers by key, in EPSG:4326; see `nankai_gis.webmap.draw`.
    title, subtitle, source, date : str
    review : str or None
        Map review number (審圖號); without one the page says 內部使用.
    lang : str

    Raises
    ------
    NotFoundError
        Unknown layer or language.
    CRSError
        No CRS, another CRS, or coordinates that are no degrees.
    DataError
        Nothing to draw, a missing column, an unknown status, a wrong kind of geometry.
    """
    say = words(lang)
    checked = {key: _checked(key, frame) for key, frame in frames.items()}
    layers = {key: _layer(key, checked[key], lang) for key in STYLES if key in checked}
    placed = {key for key, one in layers.items() if any(s is not None for s in one.shapes)}
    if not placed:
        raise DataError("nothing to draw: give at least one layer with a geometry")
    frame_of = [checked[key] for key in (("district",) if "district" in placed else placed)]
    bounds = [frame.total_bounds for frame in frame_of]
    if any("coverage_share" in row for row in layers.get("subdistricts", _NOTHING).rows):
        layers = {key: _quiet(layer) for key, layer in layers.items()}
    looks = _Looks()
    told = [
        {
            "key": key,
            "label": say["layers"][key],
            "features": _features(layer, say, looks),
            "count": _count(layer, say),
            "single": len(layer.rows) == 1 and key not in _BASE,
            "look": looks.index(layer.looks[0] if layer.looks else STYLES[key]),
            "items": _items(layer, say, looks),
            "labels": _labels(layer),
            "base": key in _BASE,
            "labelled_from": _LABELLED.get(key, 0),
        }
        for key, layer in layers.items()
    ]
    standing = [say["review"], review] if review else ["", say["internal"]]
    return {
        "lang": lang,
        "words": say,
        "title": title,
        "subtitle": subtitle,
        "imprint": [
            [say["source"], source],
            [say["date"], date],
            standing,
            ["", "© OpenStreetMap contributors, ODbL"],
        ],
        "bounds": [
            [float(min(b[1] for b in bounds)), float(min(b[0] for b in bounds))],
            [float(max(b[3] for b in bounds)), float(max(b[2] for b in bounds))],
        ],
        "unit": 10**-DECIMALS,
        "doubt": INFERRED,
        "layers": told,
        "order": [key for key in _LEGEND if key in layers],
        "label_order": [key for key in _LABELLED if key in layers],
        "keys": _keys(layers, say, looks),
        "looks": [look.as_json() for look in looks.seen],
    }
