"""Layers made ready for any format: plain values, typed columns, geometry in its CRS, looks."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from nankai_gis.errors import CRSError, DataError, NotFoundError
from nankai_gis.exports.reference import Move, Reference
from nankai_gis.exports.report import Change, Log, Omission, spelt
from nankai_gis.geometry.crs import STORED
from nankai_gis.plan.model import CREDIT
from nankai_gis.present.facts import term
from nankai_gis.present.style import STYLES, Style, as_line, style_of
from nankai_gis.words import speaking, tr
from nankai_gis.words.terms import LAYERS, STATUSES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

Type = Literal["text", "integer", "number", "yes/no", "json"]
Record = dict[str, Any]

ATTRIBUTION = f"{CREDIT} 1.0"
#: What a reader must not take for surveyed, and what that is.
SKETCH, SKETCHED = "示意", "狀態(status)不是 surveyed(實測)者僅為示意"
#: Chinese titles of the columns that the layers have; others go by their own name.
TITLES: Mapping[str, str] = {
    "layer": "圖層",
    "id": "編號",
    "kind": "類型",
    "name": "名稱",
    "name_hans": "名稱(簡體)",
    "name_en": "名稱(英文)",
    "aliases": "別名",
    "clause": "規劃原文",
    "clause_source": "原文出處",
    "section": "章節",
    "note": "說明",
    "status": "資料狀態",
    "accuracy_m": "位置精度(米)",
    "stated_area_m2": "規劃所述面積(平方米)",
    "claims": "規劃所述街域",
    "within": "所屬片區",
    "code": "代碼",
    "population": "人口",
    "population_year": "人口年份",
    "parts": "邊界各段",
    "source": "資料來源",
    "source_ids": "來源編號",
    "date": "資料日期",
    "area_m2": "面積(平方米)",
    "area_sd_m2": "面積標準差(平方米)",
    "planar_area_m2": "EPSG:4548 平面面積(平方米)",
    "perimeter_m": "周長(米)",
    "length_m": "長度(米)",
    "corridor": "所屬發展帶",
    "rank": "順序",
    "role": "作用",
    "planned": "規劃未建",
    "street": "道路編號",
    "street_name": "道路",
    "end_accuracy_m": "兩端精度(米)",
    "theme": "類別",
    "sketch": SKETCH,
    "datum": "坐標基準",
    "attribution": "數據許可",
}
#: Whole numbers that a frame with gaps holds as floats.
_WHOLE = frozenset({"population", "population_year", "rank"})
_SHAPES: Mapping[str, str] = {
    "Point": "point",
    "MultiPoint": "multipoint",
    "LineString": "line",
    "MultiLineString": "line",
    "Polygon": "polygon",
    "MultiPolygon": "polygon",
}
#: The column whose values share one hue.
_HUES: Mapping[str, str] = {"zones": "id", "corridors": "corridor", "sites": "theme"}
#: The column that the legend reads; of the others, one line stands for the whole layer.
_LEGEND: Mapping[str, str] = {
    "zones": "name",
    "parcel": "name",
    "district": "name",
    "corridors": "name",
    "sites": "theme",
    "streets": "kind",
}
#: What no XML can hold, and no C string beyond: control characters and half characters.
_UNPRINTABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Field:
    """A column and what its cells are."""

    name: str
    type: Type

    @property
    def title(self) -> str:
        """Chinese title."""
        return TITLES.get(self.name, self.name)


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """A layer made ready; the lists run in step.

    Attributes
    ----------
    name, title : str
    columns : tuple of Field
    records : list of dict
        Plain values, with lists as lists.
    shapes : list of shapely geometry or None
        In the CRS of the output; None for what is not located.
    looks : list of Style
    legend : list of str
        What a legend calls the row.
    """

    name: str
    title: str
    columns: tuple[Field, ...]
    records: list[Record]
    shapes: list[BaseGeometry | None]
    looks: list[Style]
    legend: list[str]

    def rows(self, numbers: Sequence[int], name: str | None = None) -> PreparedLayer:
        """Return some of the rows as a layer."""

        def some(values: list[Any]) -> list[Any]:
            return [values[n] for n in numbers]

        return replace(
            self,
            name=self.name if name is None else name,
            records=some(self.records),
            shapes=some(self.shapes),
            looks=some(self.looks),
            legend=some(self.legend),
        )

    def by_shape(self, *, unlocated: bool) -> list[PreparedLayer]:
        """Return one layer for each type of geometry, named after it where there are several.

        Rows without a geometry, where wanted, stay with the first of them.
        """
        kinds = ["" if s is None else _SHAPES[s.geom_type] for s in self.shapes]
        order = [k for k in dict.fromkeys(_SHAPES.values()) if k in kinds]
        if not order:
            return [self] if unlocated and self.records else []
        parts = []
        for kind in order:
            wanted = {kind, ""} if unlocated and kind == order[0] else {kind}
            name = f"{self.name}_{kind}" if len(order) > 1 else self.name
            parts.append(self.rows([n for n, k in enumerate(kinds) if k in wanted], name))
        return parts

    def text(self, record: Record) -> Record:
        """Return a record with its lists as JSON, for formats whose cells hold none."""
        return {
            column.name: json.dumps(record[column.name], ensure_ascii=False)
            if column.type == "json" and record[column.name] is not None
            else record[column.name]
            for column in self.columns
        }

    def frame(self, crs: Any) -> GeoDataFrame:
        """Return the layer as a frame of typed columns, lists as JSON."""
        import geopandas
        import pandas as pd

        dtypes = {"integer": "Int64", "number": "float64", "yes/no": "boolean"}
        records = [self.text(record) for record in self.records]
        cells = {
            column.name: pd.Series(
                [record[column.name] for record in records],
                dtype=dtypes.get(column.type, "object"),
            )
            for column in self.columns
        }
        return geopandas.GeoDataFrame(cells, geometry=self.shapes, crs=crs)


def chosen(frames: Mapping[str, GeoDataFrame], layers: Collection[str] | None) -> list[str]:
    """Return the names of the layers to write, in the order of the frames."""
    for name in layers or ():
        if name not in frames:
            raise NotFoundError("layer", name, frames)
    return [name for name in frames if layers is None or name in layers]


def bounds(frames: Mapping[str, GeoDataFrame]) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of everything located, in degrees; refuse other CRSs."""
    found = []
    for name, frame in frames.items():
        if frame.crs is None or not frame.crs.equals(STORED, ignore_axis_order=True):
            said = "no CRS" if frame.crs is None else frame.crs.to_string()
            raise CRSError(f"layer {name} is in {said}; bring it to {STORED} first (to_crs)")
        box = [float(edge) for edge in frame.total_bounds]
        if all(map(math.isfinite, box)):
            if box[0] < -180 or box[1] < -90 or box[2] > 180 or box[3] > 90:
                raise CRSError(f"layer {name} holds coordinates that are no degrees; check its CRS")
            found.append(box)
    if not found:
        return None
    west, south, east, north = zip(*found, strict=True)
    return min(west), min(south), max(east), max(north)


def ready(
    name: str, frame: GeoDataFrame, into: Reference | None, encoding: str, log: Log
) -> PreparedLayer:
    """Return a frame as a layer; without a reference its geometry is left out of account."""
    import shapely

    shapes: list[BaseGeometry | None] = []
    for shape in frame.geometry:
        if shape is None or shape.is_empty:
            shapes.append(None)
            continue
        if shape.geom_type not in _SHAPES:
            raise DataError(
                f"layer {name} holds a {shape.geom_type}; it takes points, lines and polygons"
            )
        flat = shapely.force_2d(shape)
        shapes.append(_moved(flat, None if into is None else into.move))
    table = {str(c): list(frame[c]) for c in frame.columns if c != frame.geometry.name}
    attribution = encodable(ATTRIBUTION, encoding)
    records = [
        {column: _plain(values[n], name, column) for column, values in table.items()}
        for n in range(len(frame))
    ]
    for record, shape in zip(records, shapes, strict=True):
        _clean(record, name, log)
        known = record.get("status") == "surveyed" or shape is None
        record["sketch"] = "" if known else SKETCH
        if into is not None:
            record["datum"] = into.datum
        record["attribution"] = attribution
    names = [*table, "sketch", *(["datum"] if into is not None else []), "attribution"]
    columns = tuple(_column(column, records) for column in dict.fromkeys(names))
    with speaking("zh-Hant"):
        looks, legend = _looks(name, records, shapes)
        title = tr(LAYERS[name]) if name in LAYERS else name
    return PreparedLayer(name, title, columns, records, shapes, looks, legend)


def merged(layers: Sequence[PreparedLayer], name: str, title: str) -> PreparedLayer:
    """Return all layers as one, with a column that says which, for formats that hold only one."""
    types: dict[str, set[Type]] = {"layer": {"text"}}
    for layer in layers:
        for column in layer.columns:
            empty = all(record[column.name] is None for record in layer.records)
            types.setdefault(column.name, set()).update(() if empty else (column.type,))
    columns = tuple(Field(name, _common(name, found)) for name, found in types.items())
    records = []
    for layer in layers:
        for record in layer.records:
            row = {**dict.fromkeys(types), **record, "layer": layer.name}
            for column in columns:
                if column.type == "text" and row[column.name] is not None:
                    row[column.name] = _as_text(row[column.name])
            records.append(row)
    return PreparedLayer(
        name,
        title,
        columns,
        records,
        [shape for layer in layers for shape in layer.shapes],
        [look for layer in layers for look in layer.looks],
        [line for layer in layers for line in layer.legend],
    )


def located(layers: Sequence[PreparedLayer], log: Log) -> list[PreparedLayer]:
    """Return the layers without the rows that have no geometry, and note which these were."""
    for layer in layers:
        for record, shape in zip(layer.records, layer.shapes, strict=True):
            if shape is None:
                name = str(record.get("name") or "")
                log.left_out.append(Omission(layer.name, key_of(record), name, "not located"))
    kept = [
        layer.rows([n for n, shape in enumerate(layer.shapes) if shape is not None])
        for layer in layers
    ]
    return [layer for layer in kept if layer.records]


def key_of(record: Record) -> str:
    """Return the id of a row, or nothing."""
    return str(record.get("id") or "")


def encodable(text: str, encoding: str) -> str:
    """Return a text with something else for each character that the encoding lacks."""
    return "".join(c if c.encode(encoding, "ignore") else spelt(c) for c in text)


def rgb(colour: str) -> tuple[int, int, int] | None:
    """Return the channels of a colour as styles write it; None for what isn't one."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(d * 2 for d in digits)
    if not re.fullmatch("[0-9a-fA-F]{6}", digits):
        return None
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _moved(shape: BaseGeometry, move: Move | None) -> BaseGeometry:
    import shapely

    return shape if move is None else shapely.transform(shape, move)


def _plain(value: Any, layer: str, column: str) -> Any:
    """Return a cell without anything of NumPy or pandas; what is missing is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, layer, column) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, layer, column) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    # NaN, NaT and pandas.NA are not equal to themselves, or not even comparable.
    if value != value or type(value).__name__ == "NAType":
        return None
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, float):
        if math.isinf(value):
            raise DataError(f"layer {layer}, column {column}: {value} is not a finite number")
        return int(value) if column in _WHOLE and value.is_integer() else value
    return value if isinstance(value, int) else str(value)


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if not isinstance(value, str):
        return value
    return _UNPRINTABLE.sub("", re.sub("\r\n?", "\n", value))


def _clean(record: Record, layer: str, log: Log) -> None:
    for column, value in record.items():
        record[column] = _printable(value)
        if record[column] != value:
            reason = "control characters were taken out, and line ends made one"
            log.changes.append(Change(layer, key_of(record), column, value, record[column], reason))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _type(value: Any) -> Type:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "json" if isinstance(value, (list, dict)) else "text"


def _common(name: str, types: set[Type]) -> Type:
    if not types and name in _WHOLE:
        return "integer"
    if not types:
        return "number" if name.endswith(("_m", "_m2")) else "text"
    if len(types) == 1:
        return next(iter(types))
    return "number" if types == {"integer", "number"} else "text"


def _column(name: str, records: Sequence[Record]) -> Field:
    found = {_type(r[name]) for r in records if r[name] is not None}
    column = Field(name, _common(name, found))
    if column.type == "text" and found != {"text"}:
        for record in records:
            if record[name] is not None:
                record[name] = _as_text(record[name])
    return column


def _looks(
    layer: str, records: Sequence[Record], shapes: Sequence[BaseGeometry | None]
) -> tuple[list[Style], list[str]]:
    hues = list(dict.fromkeys(record.get(_HUES.get(layer, "")) for record in records))
    looks, legend = [], []
    for record, shape in zip(records, shapes, strict=True):
        if layer in STYLES:
            place = hues.index(record.get(_HUES.get(layer, "")))
            look = style_of(layer, record, place)
            if layer == "sites" and shape is not None and "Line" in shape.geom_type:
                look = as_line(look)
        else:
            look = Style(stroke="#1a1a1a", weight=1.5, radius=4)
        raw = str(record.get(_LEGEND.get(layer, "")) or "")
        line = term(raw) or (tr(LAYERS[layer]) if layer in LAYERS else layer)
        role = str(record.get("role") or "")
        remarks = [
            term(role),
            tr("planned, not built") if record.get("planned") else "",
            tr(STATUSES["inferred"]) if record.get("status") == "inferred" else "",
            record["sketch"],
        ]
        told = "、".join(filter(None, remarks))
        looks.append(look)
        legend.append(f"{line}({told})" if told else line)
    return looks, legend
