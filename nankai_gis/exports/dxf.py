"""DXF for CAD: layers with titles in the language in force, in metres.

GDAL, and so QGIS, takes texts to be in the code page that the head names, against the format;
with the setting DXF_ENCODING=UTF-8 it reads them right.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from nankai_gis.exports.layers import ATTRIBUTION, located, rgb, statements
from nankai_gis.words import mark, tr

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.layouts.layout import Modelspace
    from shapely.geometry.base import BaseGeometry

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer, Record
    from nankai_gis.present.style import Style

#: AutoCAD 2010: from 2007 on a file is in UTF-8, so that names and texts need no code page.
_VERSION = "R2010"
_FONT, _FAMILY, _TEXT_STYLE = "simsun.ttc", "SimSun", "中文"
_APPLICATION = "NANKAI_GIS"
_ESCAPED = mark("a drawing would read it as a code")
#: Heights of names, in metres; 30 m is 3 mm at 1:10,000.
_HEIGHTS = {"district": 120.0, "zones": 90.0, "parcel": 60.0, "subdistricts": 60.0}
_HEIGHT = 30.0
#: What AutoCAD doesn't allow in the name of a layer.
_NO_NAME = re.compile(r"[<>/\\\":;?*|=`,]")
#: Bytes in one string of extended data.
_LONGEST = 250


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return a drawing: closed polylines for areas, polylines for lines, names as texts."""
    from ezdxf import units
    from ezdxf.filemanagement import new

    into = job.reference
    assert into is not None
    kept = located(layers, job.log)
    if not kept:
        return b""
    drawing = new(_VERSION, setup=["linetypes"], units=units.M)
    # Dashes of some ten metres show at the scales of a district.
    drawing.header["$LTSCALE"] = 20.0
    # A point as a circle with a cross, ten metres wide; by default it is one pixel.
    drawing.header["$PDMODE"], drawing.header["$PDSIZE"] = 34, 10.0
    for name, value in (
        ("attribution", ATTRIBUTION),
        ("reference", into.statement),
        ("datum", into.datum),
    ):
        drawing.header.custom_vars.append(name, value)
    style = drawing.styles.add(_TEXT_STYLE, font=_FONT)
    style.set_extended_font_data(_FAMILY)
    drawing.appids.add(_APPLICATION)
    for layer in kept:
        _layer(layer, drawing, job)
        job.log.rows[layer.name] = len(layer.rows)
    _notes(kept, drawing, statements(into))
    out = io.StringIO()
    drawing.write(out)
    return out.getvalue().encode("utf-8")


def _layer(layer: PreparedLayer, drawing: Drawing, job: Job) -> None:
    name = _NO_NAME.sub("_", layer.title)[:200]
    labels = tr("{layer} labels", layer=name)
    for added in (name, labels):
        if added not in drawing.layers:
            drawing.layers.add(added)
    space = drawing.modelspace()
    for record, shape, look, _ in layer.rows:
        assert shape is not None
        attributes = {"layer": name, **_look(look)}
        data = _data(layer, record)
        for entity in _entities(shape, space, attributes):
            entity.set_xdata(_APPLICATION, data)
        _label(layer, record, shape, space, labels, job)


def _look(look: Style) -> dict[str, Any]:
    colour = look.fill if look.radius else look.stroke
    found: dict[str, Any] = {"linetype": "DASHED" if look.dash else "Continuous"}
    channels = rgb(colour)
    if channels is not None:
        found["true_color"] = int.from_bytes(bytes(channels))
    return found


def _entities(shape: BaseGeometry, space: Modelspace, attributes: dict[str, Any]) -> list[Any]:
    if hasattr(shape, "geoms"):
        return [e for part in shape.geoms for e in _entities(part, space, attributes)]
    found: Any = shape
    if shape.geom_type == "Point":
        return [space.add_point((found.x, found.y), dxfattribs=attributes)]
    if shape.geom_type == "LineString":
        return [space.add_lwpolyline(found.coords, dxfattribs=attributes)]
    # A closed polyline goes back to its start by itself.
    return [
        space.add_lwpolyline(ring.coords[:-1], close=True, dxfattribs=attributes)
        for ring in (found.exterior, *found.interiors)
    ]


def _data(layer: PreparedLayer, record: Record) -> list[tuple[int, str]]:
    """Return what a row says as extended data: ``column=value``, in strings of 250 bytes."""
    data = []
    for column, value in layer.text(record).items():
        if value is None or value == "" or column == "parts":
            continue
        # Extended data has one line a string; ^ begins a control character.
        text = re.sub(r"[\t\n\r]+", " ", f"{column}={value}")
        while text:
            piece = text.encode()[:_LONGEST].decode("utf-8", "ignore")
            data.append((1000, piece))
            text = text[len(piece) :]
    return data


def _label(
    layer: PreparedLayer,
    record: Record,
    shape: BaseGeometry,
    space: Modelspace,
    name: str,
    job: Job,
) -> None:
    from ezdxf.enums import TextEntityAlignment

    raw = str(record.get("street_name") or record.get("name") or "")
    if not raw:
        return
    shown = re.sub(r"[\t\n\r]+", " ", raw)
    # A drawing program reads %%d as a degree sign and \U+4E00 as a character.
    shown = shown.replace("%%", "% %").replace("\\U+", "\\ U+").replace("\\M+", "\\ M+")
    shown = shown.replace("^", "ˆ")
    shown = job.log.write(layer.name, record, "name", raw, shown, _ESCAPED)
    place: Any = (
        shape.interpolate(0.5, normalized=True)
        if shape.geom_type.endswith("LineString")
        else shape.representative_point()
    )
    text = space.add_text(
        tr("{caption} (indicative)", caption=shown) if record["sketch"] else shown,
        height=_HEIGHTS.get(layer.name, _HEIGHT),
        dxfattribs={"layer": name, "style": _TEXT_STYLE},
    )
    text.set_placement((place.x, place.y), align=TextEntityAlignment.MIDDLE_CENTER)


def _notes(layers: list[PreparedLayer], drawing: Drawing, texts: list[str]) -> None:
    """Write what is said of the file below the drawing."""
    boxes = [row.shape.bounds for layer in layers for row in layer.rows if row.shape is not None]
    west, south = min(b[0] for b in boxes), min(b[1] for b in boxes)
    name = tr("Notes on the data")
    drawing.layers.add(name)
    for line, text in enumerate(texts):
        drawing.modelspace().add_text(
            text,
            height=_HEIGHT * 2,
            dxfattribs={"layer": name, "style": _TEXT_STYLE},
        ).set_placement((west, south - _HEIGHT * 4 * (line + 2)))
