"""What a plan sheet shows, before anybody draws it: checked layers, looks, names, legend, words.

The interactive map and the printed figure are two drawings of one `Sheet`, so that they can't
disagree about a hue, a dash, a figure or what is called 示意. No measure is taken here: figures
are those of the columns, only set in words and units.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from nankai_gis.errors import CRSError, DataError, NotFoundError
from nankai_gis.geometry.crs import STORED
from nankai_gis.plan.model import STATUSES
from nankai_gis.present.style import (
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
    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

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
#: The order of the legend.
LEGEND = (
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
#: What the sheet is cut to: the first of these of which anything is placed. Streets lead beyond
#: whatever the plan is about.
_FRAMING = (
    ("district",),
    ("zones", "parcel"),
    ("corridors",),
    ("sites",),
    ("subdistricts",),
    ("streets",),
    ("water", "green"),
)
#: Layers that only carry the others; their rows may come without name and status.
BASE = frozenset({"water", "green"})
_UNLOCATED = "not located"
#: The columns that are read; a frame may hold others.
# fmt: off
_COLUMNS = frozenset((
    "id", "kind", "name", "name_hans", "name_en", "clause", "clause_source", "section", "note",
    "status", "source", "date", "corridor", "street", "street_name", "role", "planned", "theme",
    "code", "parts", "accuracy_m", "area_m2", "area_sd_m2", "stated_area_m2", "perimeter_m",
    "length_m", "coverage_share", "zone", "hue",
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
LABELLED: Mapping[str, float] = {
    "zones": 0,
    "parcel": 0,
    "corridors": 0,
    "subdistricts": 0,
    "sites": 14,
    "streets": 14,
}
#: Street pieces from which a layer counts as a network: its pieces are joined street by street.
NETWORK = 1500
#: What pieces of a network must share to be drawn as one.
_SAME = ("name", "name_hans", "name_en", "kind", "status", "zone", "corridor", "planned")
#: Labels of a network: its longest streets only.
_NETWORK_LABELS = 300

Words = Mapping[str, Any]


def words(lang: str) -> Words:
    """Return the words of map and figure in one language.

    Parameters
    ----------
    lang : str
        ``zh-Hant``, ``zh-Hans`` or ``en``.

    Returns
    -------
    mapping of str to str or mapping

    Raises
    ------
    NotFoundError
        For any other language.

    Examples
    --------
    >>> words("en")["north"], words("zh-Hant")["north"]
    ('N', '北')
    """
    every = json.loads((files("nankai_gis.present") / "words.json").read_text("utf-8"))
    if lang not in every:
        raise NotFoundError("language of the map", lang, every)
    chosen: Words = every[lang]
    return chosen


# --- rows ---------------------------------------------------------------------------------


def _checked(key: str, frame: GeoDataFrame) -> GeoDataFrame:
    if key not in STYLES:
        raise NotFoundError("map layer", key, LEGEND)
    if frame.crs is None:
        raise CRSError(f"layer {key} has no CRS; say which with set_crs()")
    if not frame.crs.equals(STORED, ignore_axis_order=True):
        raise CRSError(f"layer {key} is in {frame.crs.to_string()}; bring it to {STORED} (to_crs)")
    needed = () if key in BASE else ("name", "status")
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
        known = status in STATUSES or (status == _UNLOCATED and not placed)
        if not known and not (status is None and key in BASE):
            raise DataError(
                f"layer {key}, {row.get('name')!r}: status {status!r} "
                f"is none of {', '.join(STATUSES)}"
            )
    return rows


def _network(frame: GeoDataFrame) -> GeoDataFrame:
    """Return a street network with its pieces joined: one row for what reads as one street.

    Lengths are summed (one that is missing leaves its street without), the worst accuracy
    stands for all, and sources and dates are listed once. Rows without a place stay as they are.
    """
    import geopandas
    import numpy as np
    import pandas as pd
    import shapely

    has_place = frame.geometry.notna() & ~frame.geometry.is_empty
    placed = frame[has_place]
    same = [column for column in _SAME if column in placed]
    code = placed.groupby(same, dropna=False, sort=False).ngroup().to_numpy()
    parts, owner = shapely.get_parts(placed.geometry.to_numpy(), return_index=True)
    order = np.argsort(code[owner], kind="stable")
    joined = shapely.line_merge(
        shapely.multilinestrings(parts[order], indices=code[owner][order]), directed=False
    )
    first = np.unique(code, return_index=True)[1]
    columns = {column: placed[column].to_numpy()[first] for column in same}
    if "length_m" in placed:
        columns["length_m"] = np.bincount(code, weights=placed["length_m"].to_numpy(dtype=float))
    if "accuracy_m" in placed:
        columns["accuracy_m"] = placed["accuracy_m"].groupby(code).max().to_numpy()
    for column, between in (("source", "; "), ("date", "/")):
        if column in placed:
            pairs = pd.DataFrame({"code": code, "text": placed[column].to_numpy()})
            pairs = pairs[pairs["text"].notna()].drop_duplicates()
            told = pairs["text"].map(str).groupby(pairs["code"]).agg(between.join)
            columns[column] = told.reindex(range(len(first))).to_numpy()
    streets = geopandas.GeoDataFrame(columns, geometry=joined, crs=frame.crs)
    lost = frame[~has_place]
    return streets if lost.empty else pd.concat([streets, lost], ignore_index=True)


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _name(row: Row, lang: str) -> str:
    column = {"zh-Hans": "name_hans", "en": "name_en"}.get(lang, "name")
    return _text(row, column) or _text(row, "name")


# --- figures ------------------------------------------------------------------------------


def area(square_metres: float, sd: float | None = None) -> str:
    """Set an area in km², below 0.1 km² in hectares, with its standard deviation.

    Parameters
    ----------
    square_metres, sd : float
        In square metres; no spread is given for None.

    Returns
    -------
    str

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

    Parameters
    ----------
    metres : float

    Returns
    -------
    str

    Examples
    --------
    >>> length(3214.6), length(999.4)
    ('3.21 km', '999 m')
    """
    return f"{metres / 1000:.2f} km" if metres >= 999.5 else f"{metres:.0f} m"


def accuracy(metres: float) -> str:
    """Set a positional accuracy.

    Parameters
    ----------
    metres : float

    Returns
    -------
    str

    Examples
    --------
    >>> accuracy(29.6)
    '± 30 m'
    """
    return f"± {metres:.0f} m"


def _measured(row: Row, column: str, setting: Callable[[float], str]) -> str:
    value = row.get(column)
    return "" if value is None else setting(float(value))


def facts(key: str, row: Row, say: Words) -> dict[str, str]:
    """Return what is told of a row beside its name and clause, in that order, without blanks.

    Parameters
    ----------
    key : str
        The row's layer.
    row : mapping
        Its columns; missing values as None.
    say : mapping
        What `words` returns.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> facts("zones", {"status": "osm", "area_m2": 2e6, "date": None}, words("en"))
    {'area': '2.00 km²', 'status': 'OSM data'}
    """

    def term(column: str) -> str:
        raw = _text(row, column)
        return str(say["terms"].get(raw, raw))

    sd = row.get("area_sd_m2")
    role = term("role") + (f" · {say['planned']}" if row.get("planned") else "")
    told = {
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
        "accuracy": _measured(row, "accuracy_m", accuracy),
        "source": _text(row, "source"),
        "date": _text(row, "date"),
        "clause_source": _text(row, "clause_source"),
        "note": _text(row, "note"),
    }
    return {name: text for name, text in told.items() if text}


# --- layers -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """A checked layer with what its rows become; the lists run in step.

    Attributes
    ----------
    key : str
    rows : list of dict
        Missing values are None.
    shapes : list of shapely geometry or None
        None for what is not located.
    looks : list of Style
    names : list of str
        In the sheet's language.
    network : bool
        A street network, whose pieces have been joined.
    """

    key: str
    rows: list[dict[str, Any]]
    shapes: list[BaseGeometry | None]
    looks: list[Style]
    names: list[str]
    network: bool = False

    def groups(self) -> dict[str, list[int]]:
        """Return the row numbers that share one line of the legend."""
        groups: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            groups.setdefault(_text(row, _GROUP.get(self.key, "")), []).append(number)
        return groups


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the legend.

    Attributes
    ----------
    label, value : str
    look : Style
    rows : tuple of int
        The rows it stands for; empty for a class of the choropleth.
    indicative : bool or None
        Whether it is 示意; None where that question isn't asked.
    """

    label: str
    value: str
    look: Style
    rows: tuple[int, ...] = ()
    indicative: bool | None = None


class Spot(NamedTuple):
    """A place in degrees, and which way a line runs there: -90 to 90, from east to north."""

    lon: float
    lat: float
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """A name on the map, with the spots where it may stand, best first.

    Attributes
    ----------
    text : str
    look : Style
        Of what it names.
    indicative : bool
        Whether 示意 stands below it.
    spots : tuple of Spot
    """

    text: str
    look: Style
    indicative: bool
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that map and figure draw.

    Attributes
    ----------
    say : mapping
        The words of the sheet's language.
    layers : dict of str to Layer
        Bottom to top.
    bounds : tuple of float
        West, south, east, north in degrees: of the district, else of zones and parcels, else of
        corridors, else of sites, else of subdistricts, else of streets.
    """

    say: Words
    layers: dict[str, Layer]
    bounds: tuple[float, float, float, float]

    def legend(self) -> list[Layer]:
        """Return the layers in the order of the legend."""
        return [self.layers[key] for key in LEGEND if key in self.layers]


def _places(key: str, rows: list[dict[str, Any]]) -> list[int]:
    """Return the hue of each row, counted from 0: its own, or by the order of the groups."""
    order: dict[str, int] = {}
    column = _GROUP.get(key, "")
    found = [order.setdefault(_text(row, column), len(order)) for row in rows]
    own = [row.get("hue") for row in rows]
    return [at if hue is None else int(hue) for at, hue in zip(found, own, strict=True)]


#: The column of a street that says what covers it, and the layer where that is.
_COVERS: Mapping[str, str] = {"corridor": "corridors", "zone": "zones"}


def _hues(frames: Mapping[str, GeoDataFrame]) -> dict[str, dict[str, int]]:
    """Return, for each column of `_COVERS`, the hue of each id as its own layer shows it."""
    found: dict[str, dict[str, int]] = {}
    for column, key in _COVERS.items():
        rows = _rows(key, frames[key]) if key in frames else []
        ids = [_text(row, _GROUP[key]) for row in rows]
        found[column] = dict(zip(ids, _places(key, rows), strict=True))
    return found


def _covered(rows: list[dict[str, Any]], hues: dict[str, dict[str, int]]) -> list[int]:
    """Return the hue of each street: that of the zone or corridor which covers it."""
    found = []
    for row in rows:
        column = next((column for column in _COVERS if row.get(column)), "")
        known = hues.get(column, {})
        found.append(known.setdefault(_text(row, column), len(known)))
    return found


def _layer(key: str, frame: GeoDataFrame, lang: str, hues: dict[str, dict[str, int]]) -> Layer:
    if key == "streets" and "kind" not in frame and "highway" in frame:
        frame = frame.assign(kind=frame["highway"])
    network = key == "streets" and len(frame) >= NETWORK
    if network:
        frame = _network(frame)
    rows = _rows(key, frame)
    places = _covered(rows, hues) if key == "streets" else _places(key, rows)
    looks = [style_of(key, row, place) for row, place in zip(rows, places, strict=True)]
    names = [_name(row, lang) for row in rows]
    shapes = [None if one is None or one.is_empty else one for one in frame.geometry]
    if key == "sites":
        lines = [shape is not None and shape.geom_type == "LineString" for shape in shapes]
        looks = [as_line(look) if line else look for look, line in zip(looks, lines, strict=True)]
    return Layer(key, rows, shapes, looks, names, network)


def _quiet(layer: Layer) -> Layer:
    """Return the layer with zones as outlines, so that a choropleth below keeps its colours."""
    if layer.key != "zones":
        return layer
    return replace(layer, looks=[replace(look, fill_opacity=0.04) for look in layer.looks])


def sheet(
    frames: Mapping[str, GeoDataFrame], lang: str, only: Collection[str] | None = None
) -> Sheet:
    """Check layers and give each row its name and look.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Layers by key, in EPSG:4326; see `nankai_gis.present.webmap.draw` for their columns.
    lang : str
        ``zh-Hant``, ``zh-Hans`` or ``en``.
    only : collection of str, optional
        The layers to show; all by default.

    Returns
    -------
    Sheet

    Raises
    ------
    NotFoundError
        Unknown layer or language, or a layer asked for that isn't among the frames.
    CRSError
        No CRS, another CRS, or coordinates that are no degrees.
    DataError
        Nothing to draw, a missing column, an unknown status, a wrong kind of geometry.

    Examples
    --------
    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["方"], "status": ["osm"]}, geometry=[shapely.box(1, 2, 3, 4)], crs=4326
    ... )
    >>> sheet({"district": square}, "en").bounds
    (1.0, 2.0, 3.0, 4.0)
    """
    say = words(lang)
    for key in only or ():
        if key not in frames:
            raise NotFoundError("layer of this map", key, frames)
    given = {key: _checked(key, frame) for key, frame in frames.items()}
    checked = {key: frame for key, frame in given.items() if only is None or key in only}
    hues = _hues(given)
    layers = {key: _layer(key, checked[key], lang, hues) for key in STYLES if key in checked}
    placed = {key for key, one in layers.items() if any(s is not None for s in one.shapes)}
    if not placed:
        raise DataError("nothing to draw: give at least one layer with a geometry")
    framing = next(some for keys in _FRAMING if (some := placed.intersection(keys)))
    bounds = [tuple(map(float, checked[key].total_bounds)) for key in framing]
    west, south, east, north = zip(*bounds, strict=True)
    if "subdistricts" in layers and _shaded(layers["subdistricts"]):
        layers = {key: _quiet(layer) for key, layer in layers.items()}
        if "streets" in layers:
            # Streets keep their colours only above the shades.
            lifted = list(layers)
            lifted.remove("subdistricts")
            lifted.insert(lifted.index("streets"), "subdistricts")
            layers = {key: layers[key] for key in lifted}
    return Sheet(say, layers, (min(west), min(south), max(east), max(north)))


def sides(row: Row, shape: BaseGeometry | None) -> list[tuple[Mapping[str, Any], LineString]]:
    """Return a polygon's sides, where its row tells them apart: each has its own certainty.

    Parameters
    ----------
    row : mapping
        ``parts`` lists the sides along the exterior ring: ``name``, ``status``,
        ``accuracy_m``, and the vertices from ``start`` to ``stop``.
    shape : shapely geometry or None

    Returns
    -------
    list of (mapping, LineString)
        Empty for anything but a polygon with parts.

    Examples
    --------
    >>> import shapely
    >>> row = {"parts": [{"name": "河", "status": "osm", "start": 0, "stop": 1}]}
    >>> sides(row, shapely.box(0, 0, 1, 1))[0][1].wkt
    'LINESTRING (1 0, 1 1)'
    """
    from shapely import LineString, Polygon

    parts = row.get("parts")
    if not isinstance(shape, Polygon) or parts is None or isinstance(parts, str):
        return []
    ring = shape.exterior.coords
    return [(part, LineString(ring[part["start"] : part["stop"] + 1])) for part in parts]


def is_indicative(row: Row) -> bool:
    """Tell whether a row must be called 示意: whatever is drawn and wasn't surveyed.

    Parameters
    ----------
    row : mapping

    Returns
    -------
    bool

    Examples
    --------
    >>> is_indicative({"status": "osm"}), is_indicative({"status": "surveyed"})
    (True, False)
    """
    return row.get("status") not in ("surveyed", _UNLOCATED, None)


# --- legend -------------------------------------------------------------------------------


def _total(rows: list[dict[str, Any]], say: Words) -> str:
    """Return the sum of the lengths that drawn rows state; nothing where one states none.

    What is planned is no part of it, as in `nankai_gis.measure.features.lengths`, and stands
    beside it.
    """
    if any(row.get("length_m") is None for row in rows):
        return ""
    planned = sum(row["length_m"] for row in rows if row.get("planned"))
    built = sum(row["length_m"] for row in rows if not row.get("planned"))
    before, after = say["brackets"]
    rest = f"{before}{say['besides']} {length(planned)}{after}" if planned else ""
    return length(built) + rest


def items(layer: Layer, say: Words) -> list[Item]:
    """Return the lines of the legend under a layer's heading.

    Parameters
    ----------
    layer : Layer
    say : mapping
        What `words` returns.

    Returns
    -------
    list of Item
        Empty where the heading says everything.

    Examples
    --------
    >>> row = {"id": "a", "status": "osm", "area_m2": 2e6}
    >>> [(i.label, i.value) for i in items(Layer("zones", [row], [None], [Style()], ["A"]), {
    ...     "terms": {}, "status": {}, "planned": ""})]
    [('A', '2.00 km²')]
    """
    if layer.key == "subdistricts":
        return _classes(layer, say)
    if layer.key in BASE:
        return []
    found = []
    for group, numbers in layer.groups().items():
        rows = [layer.rows[number] for number in numbers]
        first = numbers[0]
        label, doubt = layer.names[first], any(is_indicative(row) for row in rows)
        if layer.key in ("sites", "streets"):
            label = say["terms"].get(group, group) or say["layers"][layer.key]
            value = _counted(len(numbers), [layer.shapes[n] for n in numbers], say)
        elif layer.key == "corridors":
            value = _total([layer.rows[n] for n in numbers if layer.shapes[n] is not None], say)
        else:
            value = facts(layer.key, rows[0], say).get("area", "")
        asked = None if layer.key in ("sites", "streets") else doubt
        look = layer.looks[first]
        if layer.key == "streets":
            # The kind's own look: the hues of what covers streets stand with zones and corridors.
            look = style_of("streets", {**rows[0], **dict.fromkeys(_COVERS)}, 0)
        found.append(Item(label, value, look, tuple(numbers), asked))
    return found


def _shaded(layer: Layer) -> bool:
    return bool(layer.rows) and "coverage_share" in layer.rows[0]


def _classes(layer: Layer, say: Words) -> list[Item]:
    if not _shaded(layer):
        return []
    found, low = [], 0.0
    for top, _ in CLASSES:
        # The first class says what is shaded.
        label = f"{say['covered']} {low:.0%}–{top:.0%}" if not low else f"{low:.0%}–{top:.0%}"
        found.append(Item(label, "", shade(top)))
        low = top
    if any(row["coverage_share"] is None for row in layer.rows):
        found.append(Item(say["no_data"], "", shade(None)))
    return found


def _counted(count: int, shapes: list[BaseGeometry | None], say: Words) -> str:
    """Return a count and, in brackets, how many of it have no place."""
    missing = sum(shape is None for shape in shapes)
    before, after = say["brackets"]
    return f"{count}{before}{say['unlocated']} {missing}{after}" if missing else str(count)


def count(layer: Layer, say: Words) -> str:
    """Return how many features a layer has, and how many of them have no place.

    Parameters
    ----------
    layer : Layer
    say : mapping
        What `words` returns.

    Returns
    -------
    str
        Corridors count once each, however many pieces they have.

    Examples
    --------
    >>> count(Layer("sites", [{}, {}], [None, None], [], []), words("en"))
    '2 (not located 2)'
    """
    if layer.key == "corridors":
        return str(len(layer.groups()))
    return _counted(len(layer.rows), layer.shapes, say)


def keys(of: Sheet) -> list[Item]:
    """Return the legend's explanation of the dashes that are really on the map.

    Parameters
    ----------
    of : Sheet

    Returns
    -------
    list of Item

    Examples
    --------
    >>> row = Layer("zones", [{}], [None], [Style(dash=INFERRED)], ["A"])
    >>> [i.label for i in keys(Sheet(words("en"), {"zones": row}, (0, 0, 1, 1)))]
    ['Inferred boundary (indicative 示意)']
    """
    used = {look.dash for layer in of.layers.values() for look in layer.looks}
    dashes = ((INFERRED, "inferred_line"), (PLANNED, "planned_line"))
    return [
        Item(of.say[word], "", Style(stroke="#4a4a4a", weight=2.4, dash=dash))
        for dash, word in dashes
        if dash in used
    ]


# --- labels -------------------------------------------------------------------------------


def _spots(shape: Any) -> tuple[Spot, ...]:
    import shapely

    if hasattr(shape, "geoms"):
        shape = max(shape.geoms, key=lambda part: (part.area, part.length))
    if shape.geom_type == "Polygon":
        # The roomiest spot, which unlike the centroid is never outside a stair-shaped zone,
        # and some around it that can't be outside either.
        circle = shapely.maximum_inscribed_circle(shape, 1e-5)
        (x, y), reach = circle.coords[0], circle.length
        ways = [(east, north) for north in (0, 0.65, -0.65) for east in (0, 0.65, -0.65)]
        return tuple(Spot(x + east * reach, y + north * reach) for east, north in ways)
    if shape.geom_type == "LineString":
        return tuple(_on(shape, at) for at in (0.5, 0.3, 0.7, 0.4, 0.6, 0.15, 0.85))
    return (Spot(shape.x, shape.y),)


def _on(line: LineString, at: float) -> Spot:
    start, spot, end = (line.interpolate(at + by, normalized=True) for by in (-0.05, 0, 0.05))
    east = (end.x - start.x) * math.cos(math.radians(spot.y))
    angle = math.degrees(math.atan2(end.y - start.y, east))
    return Spot(spot.x, spot.y, (angle + 90) % 180 - 90)


def labels(layer: Layer) -> list[Label]:
    """Return the labels: one per row, or per street or corridor along its longest pieces.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    list of Label
        Empty for a layer without labels; of a network the longest streets.

    Examples
    --------
    >>> from shapely import LineString
    >>> line = Layer("streets", [{}], [LineString([(0, 0), (2, 0)])], [Style()], ["紅旗路"])
    >>> labels(line)[0].spots[0]
    Spot(lon=1.0, lat=0.0, angle=0.0)
    """
    if layer.key not in LABELLED:
        return []
    pieces: dict[str | int, list[int]] = {}
    joined = layer.key in ("corridors", "streets")
    for number, shape in enumerate(layer.shapes):
        # What is only a construction line has no name that a reader would look for.
        construction = layer.key == "streets" and layer.rows[number].get("kind") == "line"
        if shape is not None and layer.names[number] and not construction:
            of = _text(layer.rows[number], "corridor") if layer.key == "corridors" else ""
            pieces.setdefault((of or layer.names[number]) if joined else number, []).append(number)

    def extent(number: int) -> float:
        shape = layer.shapes[number]
        return 0.0 if shape is None else shape.length

    ordered = [sorted(numbers, key=lambda number: -extent(number)) for numbers in pieces.values()]
    if layer.network:
        ordered = sorted(ordered, key=lambda numbers: -extent(numbers[0]))[:_NETWORK_LABELS]
    return [
        Label(
            layer.names[first],
            layer.looks[first],
            layer.key in ("zones", "parcel") and is_indicative(layer.rows[first]),
            tuple(spot for number in numbers[:3] for spot in _spots(layer.shapes[number])),
        )
        for first, numbers in ((numbers[0], numbers) for numbers in ordered)
    ]
