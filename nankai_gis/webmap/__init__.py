"""The interactive map: one HTML file that opens without a network and carries names as data.

`draw` takes finished layers and draws them; it measures nothing. The result is a
``folium.Map`` with Leaflet inside the file, a vector base instead of tiles, a legend that
switches the layers, and a content security policy that lets nothing but its own script run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from nankai_gis.errors import DataError

if TYPE_CHECKING:
    import folium
    from geopandas import GeoDataFrame

__all__ = ["draw", "html"]


def draw(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str = "",
    source: str,
    date: str,
    review: str | None = None,
    lang: Literal["zh-Hant", "zh-Hans", "en"] = "zh-Hant",
    cdn: bool = False,
) -> folium.Map:
    r"""Draw layers as an interactive map.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Any of ``district``, ``zones``, ``parcel``, ``corridors``, ``sites``,
        ``subdistricts``, ``streets``, ``water`` and ``green``, in EPSG:4326. Columns:
        ``name`` and ``status`` (``surveyed | osm | digitised | inferred``; both optional
        for water and green), and as far as known ``id``, ``kind``, ``name_hans``,
        ``name_en``, ``clause``, ``section``, ``source``, ``date``, ``accuracy_m``,
        ``area_m2``, ``area_sd_m2``, ``stated_area_m2``, ``perimeter_m``, ``length_m``,
        ``clause_source``, ``note``; for polygons ``parts``, their sides;
        for corridors ``corridor``, ``street_name`` or ``street``, ``role``, ``planned``; for
        subdistricts ``code`` and ``coverage_share`` (0 to 1), which colours them; for
        sites ``theme``. A row without geometry is counted and listed as not located.
    title, subtitle : str
        Plain text, as every other text here and in the frames.
    source, date : str
        Of the whole map, for its foot.
    review : str, optional
        Map review number (審圖號). Without one the map says 內部使用.
    lang : {"zh-Hant", "zh-Hans", "en"}
        Of the map's own words; also which name column is shown.
    cdn : bool
        Make a small file that loads Leaflet 1.9.4 from a CDN, sealed by hash.

    Returns
    -------
    folium.Map
        Displays itself in a notebook; `html` gives the document. The same input gives
        the same bytes. Lines are drawn within 2 m of where they are stored.

    Raises
    ------
    NotFoundError
        Unknown layer or language.
    CRSError
        A layer without CRS, in another CRS, or with coordinates that are no degrees.
    DataError
        No geometry at all, a missing column, an unknown status, a wrong kind of geometry.

    Examples
    --------
    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["<b>方</b>"], "status": ["surveyed"]},
    ...     geometry=[shapely.box(117.1, 39.0, 117.2, 39.1)],
    ...     crs="EPSG:4326",
    ... )
    >>> page = html(draw({"district": square}, title="圖", source="測", date="2025"))
    >>> "<b>方</b>" in page, r"\u003cb\u003e方" in page
    (False, True)
    """
    from nankai_gis.webmap.content import content
    from nankai_gis.webmap.page import PlanMap

    told = content(
        frames,
        title=title,
        subtitle=subtitle,
        source=source,
        date=date,
        review=review,
        lang=lang,
    )
    return PlanMap(told, cdn=cdn)


def html(drawn: folium.Map) -> str:
    """Return the complete HTML document of a map made by `draw`.

    Parameters
    ----------
    drawn : folium.Map

    Raises
    ------
    DataError
        If the map wasn't made by `draw`: another map's page keeps none of its promises.
    """
    from nankai_gis.webmap.page import PlanMap

    if not isinstance(drawn, PlanMap):
        raise DataError("this map wasn't made by nankai_gis.webmap.draw; use its own save()")
    return str(drawn.get_root().render())
