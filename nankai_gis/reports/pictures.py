"""Pictures of a plan: the interactive map, the figure for print, and those of a report."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, TypedDict

from nankai_gis.errors import NotFoundError
from nankai_gis.measure.bands import bands
from nankai_gis.plan.layers import LAYERS
from nankai_gis.studies.readings import readings
from nankai_gis.studies.study import Study, packaged
from nankai_gis.words import LANGUAGES, Language, speaking, tr

if TYPE_CHECKING:
    import folium
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure


class _Heads(TypedDict):
    title: str
    subtitle: str
    source: str
    date: str


def _plan(
    study: Study | None,
    lang: Language,
    title: str | None,
    layers: Collection[str] | None,
    coverage: bool,
) -> tuple[dict[str, GeoDataFrame], list[str], _Heads]:
    """Return layers, which of them to show, and what stands around them."""
    if lang not in LANGUAGES:
        raise NotFoundError(tr("language"), lang, LANGUAGES)
    for name in layers or ():
        if name not in LAYERS:
            raise NotFoundError(tr("layer"), name, LAYERS)
    study = study or packaged()
    about = study.plan.about
    wanted = [n for n in LAYERS if (layers is None or n in layers) and study.layers[n]]
    # Covered streets are coloured as their zones are, shown or not.
    asked = [n for n in LAYERS if n in wanted or (coverage and n == "zones" and study.layers[n])]
    heads: _Heads = {
        "title": about.title.in_language(lang) if title is None else title,
        "subtitle": about.subtitle.in_language(lang),
        "source": about.source.in_language(lang),
        "date": about.date,
    }
    measured = study.covered if coverage else study.frame
    with speaking(lang):
        frames = {name: _named(study, measured(name)) for name in asked}
    bounded = [
        row for n in ("district", "zones", "parcel") if n in wanted for row in study.layers[n]
    ]
    if not coverage and len(frame := bands(bounded)):
        frames["bands"] = frame
        wanted.append("bands")
    return frames, wanted, heads


def _named(study: Study, frame: GeoDataFrame) -> GeoDataFrame:
    """Return a layer that calls the roads along it by their names in the language in force."""
    if "street_name" in frame:
        names = [study.shown(n) if isinstance(n, str) else n for n in frame["street_name"]]
        frame = frame.assign(street_name=names)
    if "parts" in frame:
        sides = [
            [{**part, "name": study.shown(part["name"])} for part in parts]
            if isinstance(parts, list | tuple)
            else parts
            for parts in frame["parts"]
        ]
        frame = frame.assign(parts=sides)
    return frame


def _other_readings(study: Study, layers: Collection[str]) -> GeoDataFrame:
    """Return the readings of clauses that aren't drawn; names begin with that of the feature."""
    rows = readings(feature for layer in layers for feature in study.layers[layer])
    rows = rows[~rows["chosen"].astype(bool)].reset_index(drop=True)
    if not len(rows):
        return rows
    for column in ("name", "name_hans", "name_en"):
        named = {f["properties"]["id"]: f["properties"] for n in layers for f in study.layers[n]}
        wholes = [
            (named[row["feature"]]["aliases"] or [named[row["feature"]][column]])[0]
            if column == "name"
            else named[row["feature"]][column]
            for _, row in rows.iterrows()
        ]
        rows[column] = [
            f"{whole} · {name}" for whole, name in zip(wholes, rows[column], strict=True)
        ]
    rows["id"] = rows["feature"] + ":" + rows["id"]
    return rows.assign(status="inferred")


def plan_map(
    *,
    study: Study | None = None,
    lang: Language = "zh-Hant",
    title: str | None = None,
    review: str | None = None,
    cdn: bool = False,
    layers: Collection[str] | None = None,
    basemap: Literal["none", "osm", "tianditu", "gaode"] = "none",
    coverage: bool = False,
) -> folium.Map:
    """Return the map of a plan.

    Parameters
    ----------
    study : Study, optional
        Of another plan; the packaged one by default.
    lang : {'zh-Hant', 'zh-Hans', 'en'}
        Language of names, legend and tooltips.
    title : str, optional
        Another title.
    review : str, optional
        Map review number (審圖號); without one the map says 內部使用.
    cdn : bool
        Load Leaflet from a CDN, sealed by hash, instead of carrying it.
    layers : collection of str, optional
        Members of `nankai_gis.plan.layers.LAYERS`; all that the plan has by default.
    basemap : {'none', 'osm', 'tianditu', 'gaode'}
        Online tiles below the plan; see `nankai_gis.present.webmap.draw`.
    coverage : bool
        Shade subdistricts by the share that the zones cover, and colour streets by their zone.

    Returns
    -------
    folium.Map
        Displays itself in a notebook; ``nankai_gis.present.webmap.html(m)`` is the whole page,
        which needs no network.

    Raises
    ------
    NotFoundError
        Unknown language, layer or base map.
    MissingKeyError
        For Tianditu without a key in the environment.

    Examples
    --------
    >>> import folium
    >>> isinstance(plan_map(), folium.Map)
    True
    """
    from nankai_gis.present import webmap

    frames, shown, heads = _plan(study, lang, title, layers, coverage)
    with speaking(lang):
        named = [n for n in ("zones", "parcel") if n in shown]
        others = _other_readings(study or packaged(), named)
    if len(others) and not coverage:
        frames["readings"] = others
        shown.append("readings")
    return webmap.draw(
        frames, **heads, review=review, lang=lang, cdn=cdn, layers=shown, basemap=basemap
    )


def plan_figure(
    *,
    study: Study | None = None,
    lang: Language = "zh-Hant",
    title: str | None = None,
    review: str | None = None,
    layers: Collection[str] | None = None,
    page: Literal["A5", "A4", "A3", "A2"] = "A4",
    landscape: bool = False,
    dpi: float = 300,
    font: str | None = None,
    legend: bool = True,
    scale_bar: bool = True,
    north: bool = True,
    graticule: bool = False,
    coverage: bool = False,
) -> Figure:
    """Return the figure of a plan, for print.

    Parameters
    ----------
    study : Study, optional
        Of another plan; the packaged one by default.
    lang : {'zh-Hant', 'zh-Hans', 'en'}
    title : str, optional
        Another title.
    review : str, optional
        Map review number (審圖號); without one the figure says 內部使用.
    layers : collection of str, optional
        Members of `nankai_gis.plan.layers.LAYERS`; all that the plan has by default.
    page : {'A5', 'A4', 'A3', 'A2'}
    landscape : bool
    dpi : float
        Dots per inch of a PNG.
    font : str, optional
        File or family of a font; by default one with every character is searched.
    legend, scale_bar, north, graticule : bool
        What stands on the sheet beside the map.
    coverage : bool
        Shade subdistricts by the share that the zones cover, and colour streets by their zone.

    Returns
    -------
    matplotlib.figure.Figure
        ``nankai_gis.present.figure.save(f, path)`` writes it as PNG, SVG or PDF.

    Raises
    ------
    NotFoundError
        Unknown language, layer or page size.
    FontError
        No font with a glyph for every character.
    DataError
        A resolution out of range.

    Examples
    --------
    >>> width, height = plan_figure(lang="en", legend=False).get_size_inches() * 25.4
    >>> round(width), round(height)
    (210, 297)
    """
    from nankai_gis.present import figure

    frames, shown, heads = _plan(study, lang, title, layers, coverage)
    return figure.draw(
        frames,
        **heads,
        review=review,
        lang=lang,
        layers=shown,
        page=page,
        landscape=landscape,
        dpi=dpi,
        font=font,
        legend=legend,
        scale_bar=scale_bar,
        north=north,
        graticule=graticule,
    )
