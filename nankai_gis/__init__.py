"""From the prose of a district plan to checked polygons, measures and maps.

>>> import nankai_gis
>>> nankai_gis.layer("zones").shape[0]
3
>>> [row.id for row in nankai_gis.areas(["zone"])]
['qihang-bay', 'laochengxiang', 'shuishang-aoti']

Importing the package loads neither geopandas nor folium: each call loads what it needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import folium
    from geopandas import GeoDataFrame

    from .measure import AreaRow, LengthRow

__all__ = ["areas", "layer", "lengths", "plan_map"]
__version__ = "0.1.0"

_TITLES = {
    "zh-Hant": (
        "南開區「十四五」規劃空間格局",
        "一灣啟航、兩翼騰飛、三帶匯通",
        "《南開區國民經濟和社會發展第十四個五年規劃綱要》第四章;OpenStreetMap",
    ),
    "zh-Hans": (
        "南开区“十四五”规划空间格局",
        "一湾启航、两翼腾飞、三带汇通",
        "《南开区国民经济和社会发展第十四个五年规划纲要》第四章;OpenStreetMap",
    ),
    "en": (
        "Spatial structure of Nankai District's 14th five-year plan",
        "One bay, two wings, three corridors",
        "14th five-year plan of Nankai District, chapter 4; OpenStreetMap",
    ),
}


def layer(name: str) -> GeoDataFrame:
    """Return a layer of the packaged plan, with its measures.

    Parameters
    ----------
    name : {'district', 'subdistricts', 'zones', 'parcel', 'streets', 'corridors', 'sites'}

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326 (longitude, latitude). Polygons have ``area_m2``, ``area_sd_m2``,
        ``planar_area_m2`` and ``perimeter_m``; pieces of corridors have ``length_m``. What is not
        located has no geometry.

    Raises
    ------
    NotFoundError
        If there is no such layer.

    Examples
    --------
    >>> round(layer("subdistricts").area_m2.sum() / layer("district").area_m2.sum(), 9)
    np.float64(1.0)
    """
    from .study import packaged

    return packaged().frame(name)


def areas(
    kinds: Collection[str] = ("district", "zone", "parcel"), names: Iterable[str] = ()
) -> list[AreaRow]:
    """Measure polygons of the packaged plan.

    Parameters
    ----------
    kinds : collection of str
        Which kinds, where no names are given.
    names : iterable of str
        Single features: id or name, in any script.

    Returns
    -------
    list of AreaRow
        Square metres and metres on the CGCS2000 ellipsoid, with standard uncertainties.

    Raises
    ------
    FeatureNotFoundError
        For a name that nothing answers to.
    GeometryError
        For a feature that has no area.

    Examples
    --------
    >>> areas(names=["西营门"])[0].stated_area_m2
    2200000.0
    """
    from .study import packaged

    return packaged().areas(kinds, names)


def lengths(names: Iterable[str] = ()) -> list[LengthRow]:
    """Measure the corridors of the packaged plan, piece by piece.

    Parameters
    ----------
    names : iterable of str
        Single corridors: id or name, in any script; all of them by default.

    Returns
    -------
    list of LengthRow
        Metres on the CGCS2000 ellipsoid; None where a street is not located.

    Raises
    ------
    FeatureNotFoundError
        For a name that nothing answers to.
    GeometryError
        For a feature that is no corridor.

    Examples
    --------
    >>> [row.street_name for row in lengths(["智慧服務共享帶"])]
    ['紅旗路', '紅旗南路']
    """
    from .study import packaged

    return packaged().lengths(names)


def plan_map(*, lang: Literal["zh-Hant", "zh-Hans", "en"] = "zh-Hant") -> folium.Map:
    """Return the map of the packaged plan.

    Parameters
    ----------
    lang : {'zh-Hant', 'zh-Hans', 'en'}
        Language of names, legend and tooltips.

    Returns
    -------
    folium.Map
        Displays itself in a notebook; ``nankai_gis.webmap.html(m)`` is the whole page, which
        needs no network.

    Examples
    --------
    >>> import folium
    >>> isinstance(plan_map(), folium.Map)
    True
    """
    from . import webmap
    from .layers import LAYERS
    from .study import packaged

    study, words = packaged(), _TITLES[lang]
    return webmap.draw(
        {name: study.frame(name) for name in LAYERS},
        title=words[0],
        subtitle=words[1],
        source=words[2],
        date="2026-11",
        lang=lang,
    )
