"""GeoPackage, with the styles that QGIS reads from it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from nankai_gis.exports.layers import ATTRIBUTION, rgb, statements
from nankai_gis.exports.readback import check_same, geometry_type
from nankai_gis.files.geopackage import check_index
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from pathlib import Path

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer
    from nankai_gis.present.style import Style

#: As QGIS makes it when it saves a style into a database.
_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)"""
_DEFAULT_STYLE = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,
    styleName, styleQML, styleSLD, useAsDefault, description, owner)
VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '')"""
#: CSS pixels, in which looks are given, are 1/96 inch.
_MILLIMETRES = 25.4 / 96
#: Titles of the tables of a layer with several types of geometry: they are unique in the file.
_TITLES = {
    "point": mark("{layer} (points)"),
    "line": mark("{layer} (lines)"),
    "polygon": mark("{layer} (areas)"),
}


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a GeoPackage with a table for each layer and type of geometry."""
    from nankai_gis.exports import scratch

    with scratch() as folder:
        target = folder / "layers.gpkg"
        parts = [part for layer in layers for part in layer.by_shape(unlocated=True)]
        for part in parts:
            _table(part, job, target)
            job.log.rows[part.name] = len(part.rows)
        if parts:
            _styles(parts, target)
            check_index(target)
        return target.read_bytes() if parts else b""


def _table(part: PreparedLayer, job: Job, target: Path) -> None:
    import pyogrio

    assert job.reference is not None
    frame = part.frame(job.reference.crs)
    pyogrio.write_dataframe(
        frame,
        target,
        driver="GPKG",
        layer=part.name,
        geometry_type=geometry_type(part),
        layer_options={
            "IDENTIFIER": _title(part),
            "DESCRIPTION": "\n".join(statements(job.reference)),
        },
        dataset_metadata={
            "attribution": ATTRIBUTION,
            "datum": job.reference.datum,
            "reference": job.reference.statement,
        },
    )
    check_same(frame, pyogrio.read_dataframe(target, layer=part.name), part.name)


def _title(part: PreparedLayer) -> str:
    title = _TITLES.get(part.name.rpartition("_")[2])
    return tr(title, layer=part.title) if title else part.title


def _styles(parts: list[PreparedLayer], target: Path) -> None:
    with closing(sqlite3.connect(target)) as base, base:
        base.execute(_STYLES)
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles')"
        )
        base.executemany(
            _DEFAULT_STYLE,
            [(part.name, part.name[:30], _qml(part), _title(part)) for part in parts],
        )


def _qml(part: PreparedLayer) -> str:
    """Return a style with one rule for each look and line of the legend."""
    groups: dict[tuple[str, Style], list[str]] = {}
    for record, shape, look, line in part.rows:
        if shape is not None:
            groups.setdefault((line, look), []).append(str(record.get("id")))
    root = ElementTree.Element("qgis", version="3.28.0", styleCategories="Symbology")
    renderer = ElementTree.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0"
    )
    rules = ElementTree.SubElement(renderer, "rules", key="{root}")
    symbols = ElementTree.SubElement(renderer, "symbols")
    kind = geometry_type(part)
    for number, ((line, look), ids) in enumerate(groups.items()):
        listed = ", ".join("'" + key.replace("'", "''") + "'" for key in ids)
        ElementTree.SubElement(
            rules,
            "rule",
            key=f"{{rule-{number}}}",
            symbol=str(number),
            label=line,
            filter=f'"id" IN ({listed})' if len(groups) > 1 else "",
        )
        symbols.append(_symbol(str(number), kind, look))
    ElementTree.indent(root)
    doctype = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return doctype + ElementTree.tostring(root, encoding="unicode")


def _symbol(name: str, shape: str, look: Style) -> Any:
    width = f"{look.weight * _MILLIMETRES:.2f}"
    line = {
        "line_color": _rgba(look.stroke),
        "line_width": width,
        "line_width_unit": "MM",
        "joinstyle": "round",
        "capstyle": "flat" if look.dash else "round",
        **_dashes(look),
    }
    if shape.endswith("Polygon"):
        hatched = look.fill == "hatch"
        fill = {
            "color": _rgba(look.stroke if hatched else look.fill, look.fill_opacity),
            "style": "b_diagonal" if hatched else "solid" if look.fill else "no",
            "outline_style": "no",
        }
        return _layers(name, "fill", [("SimpleFill", fill), ("SimpleLine", line)])
    if shape.endswith("LineString"):
        casing = {
            **line,
            "line_color": _rgba(look.casing),
            "line_width": f"{look.casing_weight * _MILLIMETRES:.2f}",
            "use_custom_dash": "0",
        }
        stack = [("SimpleLine", line)]
        if rgb(look.casing) is not None:
            stack.insert(1 if look.casing_over else 0, ("SimpleLine", casing))
        return _layers(name, "line", stack)
    marker = {
        "name": "circle",
        "color": _rgba(look.fill or look.stroke, look.fill_opacity or 1),
        "outline_color": _rgba(look.stroke),
        "outline_width": width,
        "outline_width_unit": "MM",
        "size": f"{2 * look.radius * _MILLIMETRES:.2f}",
        "size_unit": "MM",
    }
    return _layers(name, "marker", [("SimpleMarker", marker)])


def _layers(name: str, kind: str, stack: list[tuple[str, dict[str, str]]]) -> Any:
    symbol = ElementTree.Element("symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    for classname, properties in stack:
        layer = ElementTree.SubElement(
            symbol, "layer", {"class": classname, "enabled": "1", "pass": "0", "locked": "0"}
        )
        # The old way to write properties: every QGIS 3 reads it.
        for key, value in properties.items():
            ElementTree.SubElement(layer, "prop", k=key, v=value)
    return symbol


def _dashes(look: Style) -> dict[str, str]:
    if not look.dash:
        return {"use_custom_dash": "0"}
    lengths = [f"{float(n) * _MILLIMETRES:.2f}" for n in look.dash.split()]
    return {
        "use_custom_dash": "1",
        "customdash": ";".join(lengths),
        "customdash_unit": "MM",
        "line_style": "solid",
    }


def _rgba(colour: str, opacity: float = 1.0) -> str:
    channels = rgb(colour)
    if channels is None:
        return "0,0,0,0"
    red, green, blue = channels
    return f"{red},{green},{blue},{round(opacity * 255)}"
