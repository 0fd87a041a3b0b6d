"""Layers made ready for any format: plain values, typed columns, geometry in its CRS, looks."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nankai_gis.errors import CRSError, DataError
from nankai_gis.exports.reference import Reference
from nankai_gis.exports.report import Log, Omission, spelt
from nankai_gis.geometry.crs import STORED
from nankai_gis.plan.model import CREDIT
from nankai_gis.present.facts import term
from nankai_gis.present.style import STYLES, Style, as_line, style_of
from nankai_gis.words import listed, mark, tr
from nankai_gis.words.signs import cleaned
from nankai_gis.words.terms import LAYERS, STATUSES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

Type = Literal["text", "integer", "number", "yes/no", "json"]
Record = dict[str, Any]

ATTRIBUTION = f"{CREDIT} 1.0"
#: Titles of the columns that the layers have; others go by their own name.
_TITLES: Mapping[str, str] = {
    "layer": mark("Layer"),
    "id": mark("ID"),
    "kind": mark("Kind"),
    "name": mark("Name"),
    "name_hans": mark("Name (simplified)"),
    "name_en": mark("Name (English)"),
    "aliases": mark("Other names"),
    "clause": mark("Plan text"),
    "clause_source": mark("Source of the plan text"),
    "section": mark("Section"),
    "note": mark("Note"),
    "status": mark("Basis"),
    "accuracy_m": mark("Positional accuracy (m)"),
    "stated_area_m2": mark("Area stated by the plan (sq m)"),
    "claims": mark("Subdistricts stated by the plan"),
    "within": mark("In the zone"),
    "code": mark("Code"),
    "population": mark("Population"),
    "population_year": mark("Year of the population"),
    "parts": mark("Sides of the boundary"),
    "doubts": mark("In doubt"),
    "source": mark("Source of the data"),
    "source_ids": mark("IDs in the source"),
    "date": mark("Date of the data"),
    "area_m2": mark("Area (sq m)"),
    "area_sd_m2": mark("Standard deviation of the area (sq m)"),
    "planar_area_m2": mark("Area in the plane of EPSG:4548 (sq m)"),
    "perimeter_m": mark("Perimeter (m)"),
    "length_m": mark("Length (m)"),
    "corridor": mark("Corridor"),
    "rank": mark("Order"),
    "role": mark("Role"),
    "planned": mark("Planned, not built"),
    "street": mark("ID of the road"),
    "street_name": mark("Road"),
    "end_accuracy_m": mark("Accuracy of the ends (m)"),
    "theme": mark("Theme"),
    "sketch": mark("Indicative"),
    "datum": mark("Datum of the coordinates"),
    "attribution": mark("Licence of the data"),
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
_CLEANED = mark("control characters were taken out, and line ends made one")


@dataclass(frozen=True, slots=True)
class Field:
    """A column and what its cells are."""

    name: str
    type: Type

    @property
    def title(self) -> str:
        """Title in the language in force."""
        return tr(_TITLES[self.name]) if self.name in _TITLES else self.name


class PreparedRow(NamedTuple):
    """A row made ready: plain values, with lists as lists; and what a legend calls it.

    The geometry is in the CRS of the output, or None for what is not located.
    """

    record: Record
    shape: BaseGeometry | None
    look: Style
    legend: str


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """A layer made ready for any format."""

    name: str
    title: str
    columns: tuple[Field, ...]
    rows: list[PreparedRow]

    def by_shape(self, *, unlocated: bool) -> list[PreparedLayer]:
        """Return one layer for each type of geometry, named after it where there are several.

        Rows without a geometry, where wanted, stay with the first of them.
        """
        kinds = ["" if r.shape is None else _SHAPES[r.shape.geom_type] for r in self.rows]
        order = [k for k in dict.fromkeys(_SHAPES.values()) if k in kinds]
        if not order:
            return [self] if unlocated and self.rows else []
        parts = []
        for kind in order:
            wanted = {kind, ""} if unlocated and kind == order[0] else {kind}
            name = f"{self.name}_{kind}" if len(order) > 1 else self.name
            rows = [row for row, k in zip(self.rows, kinds, strict=True) if k in wanted]
            parts.append(replace(self, name=name, rows=rows))
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
        records = [self.text(row.record) for row in self.rows]
        cells = {
            column.name: pd.Series(
                [record[column.name] for record in records],
                dtype=dtypes.get(column.type, "object"),
            )
            for column in self.columns
        }
        return geopandas.GeoDataFrame(cells, geometry=[row.shape for row in self.rows], crs=crs)


def bounds(frames: Mapping[str, GeoDataFrame]) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of everything located, in degrees; refuse other CRSs."""
    boxes = []
    for name, frame in frames.items():
        if frame.crs is None or not frame.crs.equals(STORED, ignore_axis_order=True):
            crs = tr("no CRS") if frame.crs is None else frame.crs.to_string()
            raise CRSError(
                tr(
                    "layer {layer} is in {crs}; bring it to {stored} first (to_crs)",
                    layer=name,
                    crs=crs,
                    stored=STORED,
                )
            )
        box = [float(edge) for edge in frame.total_bounds]
        if all(map(math.isfinite, box)):
            if box[0] < -180 or box[1] < -90 or box[2] > 180 or box[3] > 90:
                raise CRSError(
                    tr(
                        "layer {layer} holds coordinates that are no degrees; check its CRS",
                        layer=name,
                    )
                )
            boxes.append(box)
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
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
                tr(
                    "layer {layer} holds a {kind}; it takes points, lines and polygons",
                    layer=name,
                    kind=shape.geom_type,
                )
            )
        flat = shapely.force_2d(shape)
        shapes.append(shapely.transform(flat, into.move) if into and into.move else flat)
    table = {str(c): list(frame[c]) for c in frame.columns if c != frame.geometry.name}
    attribution = encodable(ATTRIBUTION, encoding)
    records = [
        {column: _plain(values[n], name, column) for column, values in table.items()}
        for n in range(len(frame))
    ]
    for record, shape in zip(records, shapes, strict=True):
        for column, value in record.items():
            record[column] = log.write(name, record, column, value, _printable(value), _CLEANED)
        known = record.get("status") == "surveyed" or shape is None
        record["sketch"] = "" if known else tr("indicative")
        if into is not None:
            record["datum"] = into.datum
        record["attribution"] = attribution
    names = [*table, "sketch", *(["datum"] if into is not None else []), "attribution"]
    columns = tuple(_column(column, records) for column in dict.fromkeys(names))
    title = tr(LAYERS[name]) if name in LAYERS else name
    hues = list(dict.fromkeys(record.get(_HUES.get(name, "")) for record in records))
    rows = [
        PreparedRow(record, shape, _look(name, record, shape, hues), _legend(name, title, record))
        for record, shape in zip(records, shapes, strict=True)
    ]
    return PreparedLayer(name, title, columns, rows)


def merged(layers: Sequence[PreparedLayer], name: str) -> PreparedLayer:
    """Return all layers as one, with a column that says which, for formats that hold only one."""
    types: dict[str, set[Type]] = {"layer": {"text"}}
    for layer in layers:
        for column in layer.columns:
            empty = all(row.record[column.name] is None for row in layer.rows)
            types.setdefault(column.name, set()).update(() if empty else (column.type,))
    columns = tuple(Field(column, _common(column, kinds)) for column, kinds in types.items())
    rows = []
    for layer in layers:
        for row in layer.rows:
            record = {**dict.fromkeys(types), **row.record, "layer": layer.name}
            for column in columns:
                if column.type == "text" and record[column.name] is not None:
                    record[column.name] = _as_text(record[column.name])
            rows.append(row._replace(record=record))
    return PreparedLayer(name, name, columns, rows)


def located(layers: Sequence[PreparedLayer], log: Log) -> list[PreparedLayer]:
    """Return the layers without the rows that have no geometry, and note which these were."""
    kept = []
    for layer in layers:
        for record, shape, *_ in layer.rows:
            if shape is None:
                key, name = (str(record.get(column) or "") for column in ("id", "name"))
                log.left_out.append(Omission(layer.name, key, name, STATUSES["not located"]))
        rows = [row for row in layer.rows if row.shape is not None]
        kept += [replace(layer, rows=rows)] if rows else []
    return kept


def encodable(text: str, encoding: str) -> str:
    """Return a text with something else for each character that the encoding lacks."""
    return "".join(c if c.encode(encoding, "ignore") else spelt(c) for c in text)


def statements(reference: Reference | None) -> list[str]:
    """Return what stands in a file beside its rows: licence, CRS and what is indicative only."""
    return [
        ATTRIBUTION,
        *([reference.statement] if reference else []),
        tr("Rows whose basis (column status) is not a survey are indicative only."),
    ]


def rgb(colour: str) -> tuple[int, int, int] | None:
    """Return the channels of a colour as styles write it; None for what isn't one."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(d * 2 for d in digits)
    if not re.fullmatch("[0-9a-fA-F]{6}", digits):
        return None
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


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
            raise DataError(
                tr(
                    "layer {layer}, column {column}: {value} is not a finite number",
                    layer=layer,
                    column=column,
                    value=value,
                )
            )
        return int(value) if column in _WHOLE and value.is_integer() else value
    return value if isinstance(value, int) else str(value)


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if not isinstance(value, str):
        return value
    return cleaned(value)


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


def _look(layer: str, record: Record, shape: BaseGeometry | None, hues: list[Any]) -> Style:
    if layer not in STYLES:
        return Style(stroke="#1a1a1a", weight=1.5, radius=4)
    look = style_of(layer, record, hues.index(record.get(_HUES.get(layer, ""))))
    is_line = shape is not None and "Line" in shape.geom_type
    return as_line(look) if layer == "sites" and is_line else look


def _legend(layer: str, title: str, record: Record) -> str:
    """Return what a legend calls a row: its name or kind, else its layer, with remarks."""
    name = term(str(record.get(_LEGEND.get(layer, "")) or "")) or title
    remarks = [
        term(str(record.get("role") or "")),
        tr("planned, not built") if record.get("planned") else "",
        tr(STATUSES["inferred"]) if record.get("status") == "inferred" else "",
        record["sketch"],
    ]
    said = listed(filter(None, remarks))
    return tr("{name} ({remarks})", name=name, remarks=said) if said else name
