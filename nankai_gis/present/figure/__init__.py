"""The figure for print: the map's cartography as PNG, SVG or PDF, drawn without a browser.

The page is laid out in millimetres and the map in EPSG:4548 at a round scale, so that a ruler on
the paper measures metres. Colours, dashes, names, figures and what is marked as indicative (示意)
are those of the interactive map: both are drawn from one
`nankai_gis.present.document.MapDocument`. The font is checked for every character before anything
is drawn; PDF embeds its glyphs, SVG holds outlines, so that neither depends on the fonts of whoever
opens the file. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

from nankai_gis.compiler.remarks import doubts_of
from nankai_gis.errors import DataError, NotFoundError
from nankai_gis.plan.model import CREDIT
from nankai_gis.present.document import MapDocument, map_document
from nankai_gis.present.facts import labelled, name_of
from nankai_gis.present.figure.files import FORMATS, Form, render, save
from nankai_gis.present.figure.page import INCH, PAGES, Page
from nankai_gis.present.fonts import printable
from nankai_gis.present.languages import speaking_map
from nankai_gis.words import Language, mark, ntr, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "PAGES", "Form", "draw", "render", "save"]

#: Millimetres that stay blank around a page.
_MARGIN = 12.0
# Doubts that the foot of a page names.
_MOST_DOUBTS = 4
PROJECTION = mark("CGCS2000 / 3-degree Gauss–Kruger, central meridian 117°E (EPSG:4548)")
INDICATIVE = mark(
    "Unless marked as surveyed, boundaries and positions are indicative and prove neither title "
    "nor administrative limits."
)
SPREAD = mark("± is one standard deviation")


def draw(
    frames: Mapping[str, GeoDataFrame],
    *,
    title: str,
    subtitle: str = "",
    source: str,
    date: str,
    review: str | None = None,
    lang: Language = "zh-Hant",
    layers: Collection[str] | None = None,
    page: Literal["A5", "A4", "A3", "A2"] | tuple[float, float] = "A4",
    margin: float = _MARGIN,
    landscape: bool = False,
    dpi: float = 300,
    font: str | None = None,
    legend: bool = True,
    scale_bar: bool = True,
    north: bool = True,
    graticule: bool = False,
) -> Figure:
    """Draw layers as a page for print.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        As `nankai_gis.present.webmap.draw` takes them: EPSG:4326, ``name`` and ``status``, and what
        else is known. Subdistricts with ``coverage_share`` make a choropleth.
    title, subtitle : str
        Empty, they take no room.
    source, date : str
        Of the whole figure, for its foot; what is empty is left out.
    review : str, optional
        Map review number (審圖號); without one the figure says that it is for internal use.
    lang : {"zh-Hant", "zh-Hans", "en"}
    layers : collection of str, optional
        Which of the frames to draw; all by default.
    page : {"A5", "A4", "A3", "A2"} or tuple of float
        Page size, or, for a figure inside a text, its width and height in millimetres.
    margin : float
        Millimetres that stay blank all around.
    landscape : bool
        Lay the page on its side, with the legend at the right instead of below.
    dpi : float
        Dots per inch of a PNG, 36 to 1200.
    font : str, optional
        File or family name of the font; by default the installed ones are searched.
    legend, scale_bar, north, graticule : bool
        What stands on the page beside the map. The graticule has degrees and minutes.

    Returns
    -------
    matplotlib.figure.Figure
        Its first axes is the map, in EPSG:4548 metres, at a round scale. `save` and `render`
        write it; a notebook shows it.

    Raises
    ------
    NotFoundError
        Unknown layer, language or page.
    FontError
        No font with a glyph for every character.
    CRSError, DataError
        As `nankai_gis.present.webmap.draw`; also for a resolution out of range, and for a page
        without room for the map.

    Examples
    --------
    A square of 0.1 degrees is 8.7 km wide; the first axes is in metres:

    >>> import geopandas, shapely
    >>> square = geopandas.GeoDataFrame(
    ...     {"name": ["Square"], "status": ["surveyed"]},
    ...     geometry=[shapely.box(117.1, 39.0, 117.2, 39.1)],
    ...     crs="EPSG:4326",
    ... )
    >>> drawn = draw(
    ...     {"district": square}, title="A", source="B", date="2025", lang="en", legend=False
    ... )
    >>> west, east = drawn.axes[0].get_xlim()
    >>> bool(8_700 < east - west < 16_000)
    True
    """
    from nankai_gis.present.figure.layout import Parts, compose, texts_of
    from nankai_gis.present.figure.notebook import new_figure
    from nankai_gis.present.fonts import covering

    # Check what was asked before any work.
    if isinstance(page, str) and page not in PAGES:
        raise NotFoundError(tr("page size"), page, PAGES)
    if not 36 <= dpi <= 1200:
        raise DataError(
            tr("a resolution of {dpi} dpi is out of range; give 36 to 1200", dpi=f"{dpi:g}")
        )

    with speaking_map(lang):
        # Find a font for every text; the page's size decides how large they are.
        document = map_document(frames, layers)
        foot = [*_foot(source, date, review), *_doubts(document)]
        fonts = covering(texts_of(document, [title, subtitle, *foot]), font=font)
        width, height = PAGES[page] if isinstance(page, str) else page
        zoom = (min(width, height) / PAGES["A4"][0]) ** 0.5
        if landscape:
            width, height = height, width

        # Lay the page out: an axes for the map, and one in millimetres over it for all else.
        parts = Parts(landscape, legend, scale_bar, north, graticule)
        with new_figure((width / INCH, height / INCH), dpi, zoom) as drawn:
            axes, over = drawn.add_axes((0, 0, 1, 1)), drawn.add_axes((0, 0, 1, 1))
            over.set(xlim=(0, width), ylim=(0, height))
            over.set_axis_off()
            over.patch.set_alpha(0)
            paper = Page(over, fonts, zoom, width, height, margin)
            compose(paper, axes, document, (title, subtitle), foot, parts)
        return drawn


def _doubts(document: MapDocument) -> list[str]:
    """What of the drawn boundaries is in doubt, as a line at the foot of the page; [] for none."""
    doubts = [
        tr("{subject}: {text}", subject=name_of(row), text=doubt)
        for layer in document.layers.values()
        for row in layer.rows
        for doubt in doubts_of(row)
    ]
    if len(doubts) > _MOST_DOUBTS:
        more = ntr("{n} more", "{n} more", len(doubts) - _MOST_DOUBTS)
        doubts = [*doubts[:_MOST_DOUBTS], more]
    return [printable(labelled(tr("In doubt"), tr("; ").join(doubts)))] if doubts else []


def _foot(source: str, date: str, review: str | None) -> list[str]:
    """Return the lines at the foot of the page."""
    origin = [
        labelled(tr(label), text)
        for label, text in (("Source of the data", source), ("Date", date))
        if text
    ]
    standing = labelled(tr("Map review no."), review) if review else tr("Internal use only")
    lines = (
        " · ".join(origin),
        f"{standing} · {CREDIT}",
        f"{tr(PROJECTION)} · {tr(SPREAD)}",
        tr(INDICATIVE),
    )
    return [printable(line) for line in lines if line]
