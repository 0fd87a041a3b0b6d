"""KML and KMZ, as Google Earth, Ovi and phones read it.

Written here, because GDAL's driver can't give a style to a feature, and simplekml (1.3.6, tried)
writes data as markup: a cell that holds a tag becomes one (a NetworkLink, tried) or ends the export
with a parser's error, a name with a CDATA section gets past its escaping, ids count on through
the whole process, and every position gets an altitude.
"""

from __future__ import annotations

import io
import zipfile
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from nankai_gis.exports.layers import ATTRIBUTION, Field, rgb, statements
from nankai_gis.words import tr
from nankai_gis.words.terms import STATUSES

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer, Record
    from nankai_gis.present.style import Style

_KML = "http://www.opengis.net/kml/2.2"
#: What a balloon shows, in this order.
_SHOWN = (
    "clause",
    "section",
    "area_m2",
    "area_sd_m2",
    "stated_area_m2",
    "perimeter_m",
    "length_m",
    "street_name",
    "status",
    "accuracy_m",
    "source",
    "date",
    "note",
)


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a document with a folder for each layer; KMZ is the same, packed."""
    into = job.reference
    assert into is not None
    root = Element("kml", xmlns=_KML)
    document = SubElement(root, "Document")
    title = "nankai-gis" + (f" ({into.datum})" if into.is_shifted else "")
    SubElement(document, "name").text = title
    SubElement(document, "description").text = escape("\n".join(statements(into)))
    styles: dict[Style, str] = {}
    folders = [_folder(layer, styles) for layer in layers]
    for look, key in styles.items():
        document.append(_style(look, key))
    document.extend(folders)
    job.log.rows.update({layer.name: len(layer.rows) for layer in layers})
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    if job.format == "kml":
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml"), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _folder(layer: PreparedLayer, styles: dict[Style, str]) -> Element:
    folder = Element("Folder", id=f"layer-{layer.name}")
    SubElement(folder, "name").text = layer.title
    for record, shape, look, _ in layer.rows:
        placemark = SubElement(folder, "Placemark")
        SubElement(placemark, "name").text = _name(record)
        SubElement(placemark, "description").text = _balloon(record)
        key = styles.setdefault(look, f"look-{len(styles)}")
        SubElement(placemark, "styleUrl").text = f"#{key}"
        extended = SubElement(placemark, "ExtendedData")
        text = {"layer": layer.name, **layer.text(record)}
        for field in (Field("layer", "text"), *layer.columns):
            value = text[field.name]
            if value is not None:
                data = SubElement(extended, "Data", name=field.name)
                SubElement(data, "displayName").text = field.title
                shown = str(value).lower() if isinstance(value, bool) else str(value)
                SubElement(data, "value").text = shown
        if shape is not None:
            placemark.append(_geometry(shape))
    return folder


def _name(record: Record) -> str:
    name = str(record.get("name") or record.get("id") or "")
    return tr("{caption} (indicative)", caption=name) if record["sketch"] else name


def _balloon(record: Record) -> str:
    """Return what a balloon shows: HTML, in which everything from the data is escaped."""
    lines = []
    for column in _SHOWN:
        value = record.get(column)
        if value is None or value == "":
            continue
        text = f"{value:,.0f}" if isinstance(value, float) else str(value)
        text = tr(STATUSES[text]) if column == "status" and text in STATUSES else text
        # $[name] would be filled in with the value of that name.
        shown = escape(text).replace("$", "&#36;")
        lines.append(f"<tr><th>{escape(Field(column, 'text').title)}</th><td>{shown}</td></tr>")
    return f"<table>{''.join(lines)}</table><p>{escape(ATTRIBUTION)}</p>"


def _colour(colour: str, opacity: float = 1.0) -> str:
    channels = rgb(colour)
    if channels is None:
        return "00000000"
    red, green, blue = channels
    return f"{round(opacity * 255):02x}{blue:02x}{green:02x}{red:02x}"


def _style(look: Style, key: str) -> Element:
    # There are no dashes in KML; a doubtful line is thinner, and its name says 示意.
    style = Element("Style", id=key)
    if look.radius:
        icon = SubElement(style, "IconStyle")
        SubElement(icon, "color").text = _colour(look.fill)
        SubElement(icon, "scale").text = "0.8"
    line = SubElement(style, "LineStyle")
    SubElement(line, "color").text = _colour(look.stroke, 0.7 if look.dash else 1)
    SubElement(line, "width").text = f"{look.weight * (0.7 if look.dash else 1):g}"
    area = SubElement(style, "PolyStyle")
    hatched = look.fill == "hatch"
    SubElement(area, "color").text = (
        _colour(look.stroke, 0.25) if hatched else _colour(look.fill, look.fill_opacity)
    )
    return style


def _geometry(shape: BaseGeometry) -> Element:
    import shapely

    if hasattr(shape, "geoms"):
        several = Element("MultiGeometry")
        several.extend(_geometry(part) for part in shape.geoms)
        return several
    if shape.geom_type == "Polygon":
        found = Element("Polygon")
        SubElement(found, "tessellate").text = "1"
        turned: Any = shapely.orient_polygons(shape, exterior_cw=False)
        rings = [("outerBoundaryIs", turned.exterior)]
        rings += [("innerBoundaryIs", hole) for hole in turned.interiors]
        for tag, ring in rings:
            line = SubElement(SubElement(found, tag), "LinearRing")
            SubElement(line, "coordinates").text = _coordinates(ring)
        return found
    found = Element(shape.geom_type)
    if shape.geom_type == "LineString":
        SubElement(found, "tessellate").text = "1"
    SubElement(found, "coordinates").text = _coordinates(shape)
    return found


def _coordinates(line: BaseGeometry) -> str:
    return " ".join(f"{x:.7f},{y:.7f}" for x, y in line.coords)
