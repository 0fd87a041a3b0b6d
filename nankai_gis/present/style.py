"""How each layer looks: one frozen style per layer, varied by what a row says of itself.

The interactive map and the printed figure both take their looks from here.

Hues are those of Okabe and Ito ("Color Universal Design", 2008), which readers with
any common colour-vision deficiency tell apart; dashes carry certainty, never identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

Row = Mapping[str, Any]

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#1a1a1a",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)
#: Dashes of the two kinds of doubt: where a line runs, and whether it is built yet.
INFERRED, PLANNED = "5 4", "13 7"
#: Upper ends of the choropleth's classes and their fills, light to dark in one hue.
CLASSES: tuple[tuple[float, str], ...] = (
    (0.2, "#f2f0f7"),
    (0.4, "#cbc9e2"),
    (0.6, "#9e9ac8"),
    (0.8, "#756bb1"),
    (1.0, "#54278f"),
)


@dataclass(frozen=True, slots=True)
class Style:
    """One look; lengths in screen pixels, dashes as SVG writes them.

    ``fill="hatch"`` is the page's diagonal hatch in the colour of the stroke.
    ``casing`` is a wider line underneath; a transparent one only makes a thin line
    easier to point at.
    """

    stroke: str = ""
    weight: float = 0.0
    dash: str = ""
    fill: str = ""
    fill_opacity: float = 0.0
    casing: str = ""
    casing_weight: float = 0.0
    casing_over: bool = False
    radius: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return what differs from nothing, for the page."""
        pairs = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return {name: value for name, value, default in pairs if value != default}


#: By layer, bottom to top: this order is the order of drawing.
STYLES: Mapping[str, Style] = {
    "green": Style(stroke="#cfdcc0", weight=0.5, fill="#dfe8d3", fill_opacity=1),
    "water": Style(stroke="#b3cfe0", weight=1.5, fill="#cfe2ee", fill_opacity=1),
    "streets": Style(stroke="#a9a9a4", weight=1.4, casing="transparent", casing_weight=11),
    # The band tells a border from the street that it runs along.
    "subdistricts": Style(
        stroke="#7d7a8c",
        weight=1.2,
        fill="#fff",
        fill_opacity=0.01,
        casing="#dcd8ea",
        casing_weight=5,
    ),
    "district": Style(stroke="#4a4a4a", weight=2.4, casing="#b9b4c7", casing_weight=8),
    "bands": Style(fill="#5b5670", fill_opacity=0.22),
    "zones": Style(weight=2.2, fill_opacity=0.3),
    "parcel": Style(stroke="#4b2e1e", weight=2, fill="hatch", fill_opacity=1),
    "readings": Style(stroke="#b00020", weight=2.4, fill="#b00020", fill_opacity=0.06),
    "corridors": Style(weight=6, casing="#fff"),
    "sites": Style(stroke="#fff", weight=1.5, fill_opacity=1, radius=5),
}
#: The packaged plan's zones always have these hues; other zones take the spare ones.
_ZONES: Mapping[str, str] = {
    "qihang-bay": ORANGE,
    "laochengxiang": PURPLE,
    "shuishang-aoti": GREEN,
}
_SPARE = (SKY, YELLOW, VERMILION, BLUE)
_CORRIDORS = ("innovation-fusion", "innovation-resource", "smart-service")
_CORRIDOR_HUES = (BLUE, VERMILION, BLACK, PURPLE, GREEN)
_THEMES: Mapping[str, str] = {
    "renewal": VERMILION,
    "roadworks": YELLOW,
    "landmark": BLACK,
    "metro": BLUE,
    "river": SKY,
    "university": PURPLE,
}
_OTHER_THEMES = (BLACK, BLUE, VERMILION, GREEN, PURPLE, YELLOW)
_STREETS: Mapping[str, Style] = {
    "railway": Style(
        stroke="#6b6b6b", weight=3, dash="", casing="#fff", casing_weight=1.6, casing_over=True
    ),
    "river": Style(stroke="#8fbfdd", weight=3, casing="transparent", casing_weight=11),
    "line": Style(stroke="#a9a9a4", weight=1.2, dash="2 4", casing="transparent", casing_weight=11),
}
#: Widths of the classes of OpenStreetMap's ``highway``; links are as wide as what they link.
_WIDTHS: Mapping[str, float] = {
    "motorway": 3.0,
    "trunk": 3.0,
    "primary": 2.6,
    "secondary": 2.0,
    "tertiary": 1.4,
    "residential": 1.0,
    "unclassified": 1.0,
    "living_street": 0.8,
    "pedestrian": 0.8,
    "service": 0.6,
    "track": 0.6,
    "cycleway": 0.5,
    "footway": 0.5,
    "path": 0.5,
    "steps": 0.5,
}


def shade(share: float | None) -> Style:
    """Return the choropleth style of a share."""
    plain = STYLES["subdistricts"]
    # Shades meet at the border and need no band to show it.
    look = replace(plain, fill="hatch", fill_opacity=0.7, casing="", casing_weight=0.0)
    if share is None:
        return look
    last = CLASSES[-1][1]
    return replace(look, fill=next((fill for top, fill in CLASSES if share <= top), last))


def as_line(look: Style) -> Style:
    """Return the look of a site that is a street or river rather than a spot.

    Thin, so that a corridor on the same street still shows at both sides of it.
    """
    return replace(
        look, stroke=look.fill, weight=2.2, casing="transparent", casing_weight=11.0, radius=0
    )


def _cycle(palette: tuple[str, ...], place: int) -> str:
    return palette[place % len(palette)]


def _zone_hue(zone: object, place: int) -> str:
    return _ZONES.get(str(zone), _cycle(_SPARE, place))


def _corridor_place(corridor: object, place: int) -> int:
    return _CORRIDORS.index(str(corridor)) if corridor in _CORRIDORS else place


def _zone(look: Style, row: Row, place: int) -> Style:
    hue = _zone_hue(row.get("id"), place)
    return replace(look, stroke=hue, fill=hue)


def _corridor(look: Style, row: Row, place: int) -> Style:
    """Width falls from one corridor to the next, and where the plan only extends the main line."""
    place = _corridor_place(row.get("corridor"), place)
    width = max(4.0, look.weight - place)
    if row.get("role") in ("extension", "bridge"):
        width *= 0.7
    return replace(
        look,
        stroke=_cycle(_CORRIDOR_HUES, place),
        weight=round(width, 1),
        casing_weight=round(width + 3.4, 1),
        dash=PLANNED if row.get("planned") else "",
    )


def _street(look: Style, row: Row, place: int) -> Style:
    """A street that a zone or corridor covers takes its hue."""
    if corridor := row.get("corridor"):
        hue = _cycle(_CORRIDOR_HUES, _corridor_place(corridor, place))
        return replace(look, stroke=hue, weight=2.4)
    if zone := row.get("zone"):
        return replace(look, stroke=_zone_hue(zone, place), weight=2)
    kind = str(row.get("kind"))
    width = _WIDTHS.get(kind.removesuffix("_link"), look.weight)
    return _STREETS.get(kind) or replace(look, weight=width)


def _subdistrict(look: Style, row: Row, place: int) -> Style:
    return shade(row["coverage_share"]) if "coverage_share" in row else look


def _site(look: Style, row: Row, place: int) -> Style:
    hue = _THEMES.get(str(row.get("theme")), _cycle(_OTHER_THEMES, place))
    return replace(look, fill=hue)


_VARIED: Mapping[str, Callable[[Style, Row, int], Style]] = {
    "zones": _zone,
    "corridors": _corridor,
    "streets": _street,
    "subdistricts": _subdistrict,
    "sites": _site,
}


def style_of(layer: str, row: Row, place: int) -> Style:
    """Return the style of one row."""
    look = STYLES[layer]
    if layer in _VARIED:
        look = _VARIED[layer](look, row, place)
    if row.get("status") == "inferred" and not look.dash and not look.radius:
        look = replace(look, dash=INFERRED)
    return look
