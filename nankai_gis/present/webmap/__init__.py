"""The interactive map: one HTML file that opens without a network and carries names as data.

`draw` takes finished layers and draws them; it measures nothing. The result is a
``folium.Map`` with Leaflet inside the file, a vector base instead of tiles, a legend that
switches the layers, and a content security policy that lets nothing but its own script run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

from nankai_gis.errors import DataError
from nankai_gis.present.languages import speaking_map
from nankai_gis.words import Language, tr

if TYPE_CHECKING:
    import folium
    from geopandas import GeoDataFrame

    from nankai_gis.present.webmap.page import PlanMap
    from nankai_gis.present.webmap.tiles import Tiles

__all__ = ["draw", "fragment", "html", "iframe"]


def draw(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str = "",
    source: str,
    date: str,
    review: str | None = None,
    lang: Language = "zh-Hant",
    cdn: bool = False,
    layers: Collection[str] | None = None,
    basemap: Literal["none", "osm", "tianditu", "gaode"] | Tiles = "none",
) -> folium.Map:
    r"""Draw layers as an interactive map.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Any of ``district``, ``zones``, ``parcel``, ``corridors``, ``sites``,
        ``subdistricts``, ``streets``, ``bands``, ``water`` and ``green``, in EPSG:4326. Columns:
        ``name`` and ``status`` (``surveyed | osm | digitised | inferred``; both optional
        for bands, water and green), and as far as known ``id``, ``kind``, ``name_hans``,
        ``name_en``, ``clause``, ``section``, ``source``, ``date``, ``accuracy_m``,
        ``area_m2``, ``area_sd_m2``, ``stated_area_m2``, ``perimeter_m``, ``length_m``,
        ``clause_source``, ``note``; for polygons ``parts``, their sides;
        for corridors ``corridor``, ``street_name`` or ``street``, ``role``, ``planned``; for
        subdistricts ``code`` and ``coverage_share`` (0 to 1), which colours them; for
        streets ``zone`` or ``corridor``, the id of what covers them, which colours them; for
        sites ``theme``; for zones and corridors ``hue``, a number from 0, which keeps the colour
        of a row that is drawn without the others. A row without geometry is counted and listed
        as not located. From 1500 rows on, streets are drawn and counted name by name instead of
        row by row.
    title, subtitle : str
        Plain text, as every other text here and in the frames.
    source, date : str
        Of the whole map, for its foot; what is empty is left out.
    review : str, optional
        Map review number (審圖號). Without one the map says that it is for internal use.
    lang : {"zh-Hant", "zh-Hans", "en"}
        Of the map's own words and of the names that are shown.
    cdn : bool
        Make a small file that loads Leaflet 1.9.4 from a CDN, sealed by hash.
    layers : collection of str, optional
        Which of the frames to draw; all by default.
    basemap : {"none", "osm", "tianditu", "gaode"} or Tiles
        Tiles below the plan, fetched by whoever opens the map; without a network the plan
        shows as ever. Tianditu takes the key in the environment variable ``TIANDITU_KEY``,
        which everybody who has the file can then read. Gaode's tiles are in GCJ-02: each is
        moved to where it belongs, the plan stays.

    Returns
    -------
    folium.Map
        Displays itself in a notebook; `html` gives the document. The same input gives
        the same bytes. Lines are drawn within 2 m of where they are stored.

    Raises
    ------
    NotFoundError
        Unknown layer, language or base map.
    MissingKeyError
        A base map that wants a key, without one.
    CRSError
        A layer without CRS, in another CRS, or with coordinates that aren't degrees.
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
    from nankai_gis.present.webmap.content import content
    from nankai_gis.present.webmap.page import PlanMap
    from nankai_gis.present.webmap.tiles import basemap as known

    tiles = known(basemap) if isinstance(basemap, str) else basemap
    with speaking_map(lang):
        page = content(
            frames,
            title=title,
            subtitle=subtitle,
            source=source,
            date=date,
            review=review,
            layers=layers,
            tiles=tiles,
        )
    return PlanMap(page, cdn=cdn)


def _own(drawn: folium.Map) -> PlanMap:
    from nankai_gis.present.webmap.page import PlanMap

    if not isinstance(drawn, PlanMap):
        raise DataError(
            tr("this map wasn't made by nankai_gis.present.webmap.draw; use its own save()")
        )
    return drawn


def html(drawn: folium.Map) -> str:
    """Return the complete HTML document of a map made by `draw`.

    Parameters
    ----------
    drawn : folium.Map

    Returns
    -------
    str
        One document with everything inside, to be written as UTF-8.

    Raises
    ------
    DataError
        If the map wasn't made by `draw`: another map's page keeps none of its promises.

    Examples
    --------
    >>> import folium
    >>> html(folium.Map(tiles=None))
    Traceback (most recent call last):
    nankai_gis.errors.DataError: this map wasn't made by ...
    """
    return str(_own(drawn).get_root().render())


def iframe(
    drawn: folium.Map, *, title: str | None = None, height: int = 640, src: str | None = None
) -> str:
    """Return a frame that shows a map inside another page.

    The frame is as wide as its column, and sandboxed: the map's script can't reach the page,
    nor can the page's style reach the map. For paper the map lays itself out as a sheet of 186
    by 195 mm, legend and all; a page that is printed gives its frames that size.

    Parameters
    ----------
    drawn : folium.Map
        Made by `draw`.
    title : str, optional
        What a screen reader calls the frame; the map's title by default.
    height : int
        Pixels.
    src : str, optional
        Address of the file that holds the map; by default the frame carries it in itself.

    Returns
    -------
    str
        One ``<iframe>`` element.

    Raises
    ------
    DataError
        If the map wasn't made by `draw`.

    Examples
    --------
    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["方"], "status": ["surveyed"]},
    ...     geometry=[shapely.box(117.1, 39.0, 117.2, 39.1)],
    ...     crs="EPSG:4326",
    ... )
    >>> drawn = draw({"district": square}, title="圖", source="測", date="2025")
    >>> iframe(drawn, src="map.html")[:67]
    '<iframe title="圖" sandbox="allow-scripts allow-modals allow-downloa'
    """
    from nankai_gis.present.webmap.page import iframe as framed

    name = _own(drawn).content["title"] if title is None else title
    return framed(html(drawn), name, height=height, src=src)


def fragment(drawn: folium.Map) -> str:
    """Return a map as a piece of a page's body: style, sheet and script.

    A page may include several, or the same one twice: each map stands in a shadow tree, which the
    styles of the page don't reach, and the script, which each piece carries, runs once. A Leaflet
    that the page has for itself stays as it is. The page's own content security policy, if it
    has one, must allow inline script and style.

    Parameters
    ----------
    drawn : folium.Map
        Made by `draw`.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If the map wasn't made by `draw`.

    Examples
    --------
    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["方"], "status": ["surveyed"]},
    ...     geometry=[shapely.box(117.1, 39.0, 117.2, 39.1)],
    ...     crs="EPSG:4326",
    ... )
    >>> piece = fragment(draw({"district": square}, title="圖", source="測", date="2025"))
    >>> piece.count('<div class="nk-host"'), "<html" in piece
    (1, False)
    """
    from nankai_gis.present.webmap.page import fragment as piece

    return piece(_own(drawn).page_content())
