"""Online base maps: pictures below the plan, from one host each, and never needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from nankai_gis.errors import MissingKeyError, NotFoundError
from nankai_gis.geometry.datum import GCJ02
from nankai_gis.words import mark, tr

#: Environment variable that holds the reader's own key to Tianditu.
KEY = "TIANDITU_KEY"
#: The grid of displacements: its step and its unit, in degrees. Between its points the waves of
#: GCJ-02 bend by less than half a metre.
_STEP, _UNIT = 0.02, 1e-7

_TIANDITU = (
    "https://t0.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)
_TIANDITU_CREDIT = mark(
    "Base map: Tianditu, National Platform for Common Geospatial Information Services"
)
NAMES = ("none", "osm", "tianditu", "gaode")


@dataclass(frozen=True, slots=True)
class Tiles:
    """A tile service in the Web Mercator scheme."""

    urls: tuple[str, ...]
    attribution: str = ""
    gcj02: bool = False
    max_zoom: int = 18
    referrer: bool = False

    def as_json(self, bounds: tuple[float, float, float, float]) -> dict[str, Any]:
        """Return what the page needs, for a map of these bounds (degrees)."""
        return {
            "urls": self.urls,
            "max_zoom": self.max_zoom,
            "referrer": self.referrer,
            "shift": _shift(bounds) if self.gcj02 else None,
        }


def _shift(bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return how far GCJ-02 lies from WGS-84, at places as GCJ-02 has them, on a grid."""
    west, south, east, north = bounds
    margin = max(east - west, north - south)  # a reader may pan that far
    west, south = west - margin, south - margin
    columns, rows = (
        round((upper + margin - lower) / _STEP) + 2
        for lower, upper in ((west, east), (south, north))
    )
    grid: dict[str, Any] = {"west": west, "south": south, "step": _STEP, "unit": _UNIT}
    grid |= {"columns": columns, "east": [], "north": []}
    for row in range(rows):
        for column in range(columns):
            lon, lat = west + column * _STEP, south + row * _STEP
            true_lon, true_lat = GCJ02.to_wgs84(lon, lat)
            grid["east"].append(round((lon - true_lon) / _UNIT))
            grid["north"].append(round((lat - true_lat) / _UNIT))
    return grid


def origins(urls: tuple[str, ...]) -> list[str]:
    """Return the hosts that the templates ask, as a content security policy names them."""
    hosts = [m[0] for url in urls if (m := re.match(r"https?://[\w.-]+(:\d+)?(?=/)", url))]
    return list(dict.fromkeys(hosts))


def basemap(name: str, environment: Mapping[str, str] = os.environ) -> Tiles | None:
    """Return a known base map; None for ``none``."""
    if name == "none":
        return None
    if name == "osm":
        # The data's own attribution line names OpenStreetMap already.
        return Tiles(
            ("https://tile.openstreetmap.org/{z}/{x}/{y}.png",), max_zoom=19, referrer=True
        )
    if name == "gaode":
        url = "https://webrd01.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8"
        return Tiles((url + "&x={x}&y={y}&z={z}",), mark("Base map: Gaode"), gcj02=True)
    if name == "tianditu":
        key = environment.get(KEY, "").strip()
        if not key:
            raise MissingKeyError(
                tr(
                    "the base map of Tianditu needs a key and {variable} isn't set; get a key at "
                    "{address} and set {variable}, or choose another base map",
                    variable=KEY,
                    address="https://console.tianditu.gov.cn",
                )
            )
        urls = tuple(
            _TIANDITU.format(layer=layer, key=quote(key, safe="")) for layer in ("vec", "cva")
        )
        return Tiles(urls, _TIANDITU_CREDIT, referrer=True)
    raise NotFoundError(tr("base map"), name, NAMES)
