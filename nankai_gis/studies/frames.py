"""A plan's measures and checks, or those of any geometry, as tables of pandas."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.studies.study import Study, packaged, read
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame

    from nankai_gis.measure.coverage import Coverage


def study(
    plan: str | os.PathLike[str] | None = None, *, roads: str | os.PathLike[str] | None = None
) -> Study:
    """Return a plan with its layers, measured when asked.

    Parameters
    ----------
    plan : str or path-like, optional
        A folder of definitions, compiled on the network beside them, or a study that
        ``nankai-gis study`` kept (``.gpkg``); the packaged plan by default.
    roads : str or path-like, optional
        A road network to compile the plan on instead of its own: an OSM file, an Overpass answer,
        a snapshot. Digitised lines of the plan fill what it lacks.

    Returns
    -------
    Study
        ``.frame(layer)`` is a layer as a GeoDataFrame.

    Raises
    ------
    PlanError
        For all faults of the definitions, or all features that don't compile, at once.
    DataError
        If there is no such folder or file, or it is damaged.

    Examples
    --------
    >>> len(study().frame("subdistricts"))
    12
    """
    from nankai_gis.studies import store

    if plan is None:
        return packaged() if roads is None else read(roads=roads)
    if Path(plan).is_dir():
        return read(plan, roads=roads)
    if roads is not None:
        raise DataError(tr("{file} holds its network already; leave out roads", file=plan))
    return store.load(plan)


def areas(
    of: Study | GeoDataFrame | GeoSeries | None = None,
    *,
    kinds: Collection[str] = ("district", "zone", "parcel"),
    names: Iterable[str] = (),
) -> DataFrame:
    """Measure areas on the CGCS2000 ellipsoid.

    Parameters
    ----------
    of : Study, geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        A plan (the packaged one by default), or any polygons.
    kinds : collection of str
        Which features of a plan, where no names are given.
    names : iterable of str
        Single features of a plan: id or name, in any script.

    Returns
    -------
    pandas.DataFrame
        Of a plan a row for each feature, by id: ``area_m2``, ``area_sd_m2`` (one standard
        deviation), ``planar_area_m2`` (EPSG:4548), ``perimeter_m``, ``stated_area_m2``,
        ``status`` and more. Of polygons a row for each, in step with them: ``area_m2`` and
        ``perimeter_m``, 0.0 for an empty or missing one.

    Raises
    ------
    FeatureNotFoundError
        For a name that nothing answers to.
    GeometryError
        For a feature that has no area.
    CRSError
        For polygons without a CRS.

    Examples
    --------
    >>> areas(names=["西营门"]).stated_area_m2.tolist()
    [2200000.0]
    """
    import pandas as pd

    shapes = _geometry(of)
    if shapes is not None:
        from nankai_gis.geometry import ruler

        outlines = shapes.boundary
        return pd.DataFrame(
            {
                "area_m2": ruler.areas(shapes.to_numpy()),
                "perimeter_m": ruler.lengths(outlines.to_numpy()),
            },
            index=shapes.index,
        )
    rows = _study(of).areas(kinds, names)
    columns = [
        asdict(row)
        | {"difference_ppm": row.difference_ppm, "deviation_m2": row.deviation_m2}
        | {"doubts": tr("; ").join(row.in_doubt)}
        for row in rows
    ]
    return pd.DataFrame(columns).set_index("id")


def lengths(
    of: Study | GeoDataFrame | GeoSeries | None = None, *, names: Iterable[str] = ()
) -> DataFrame:
    """Measure lengths on the CGCS2000 ellipsoid.

    Parameters
    ----------
    of : Study, geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        A plan (the packaged one by default), or any lines.
    names : iterable of str
        Single corridors of a plan: id or name, in any script; all of them by default.

    Returns
    -------
    pandas.DataFrame
        Of a plan a row for each piece of a corridor: ``corridor``, ``street_name``, ``role``,
        ``length_m`` (NaN where a street is not located), ``length_sd_m``, ``status``. Of lines a
        row for each, in step with them: ``length_m``, 0.0 for an empty or missing one.

    Raises
    ------
    FeatureNotFoundError
        For a name that nothing answers to.
    GeometryError
        For a feature that is no corridor.
    CRSError
        For lines without a CRS.

    Examples
    --------
    >>> lengths(names=["智慧服務共享帶"]).street_name.tolist()
    ['紅旗路', '紅旗南路']
    """
    import pandas as pd

    shapes = _geometry(of)
    if shapes is not None:
        from nankai_gis.geometry import ruler

        return pd.DataFrame({"length_m": ruler.lengths(shapes.to_numpy())}, index=shapes.index)
    return pd.DataFrame([asdict(row) for row in _study(of).lengths(names)])


def coverage(
    of: Study | GeoDataFrame | None = None,
    streets: GeoDataFrame | None = None,
    subdistricts: GeoDataFrame | None = None,
    **options: Any,
) -> Coverage:
    """Overlay zones with streets and subdistricts, in tables that add up.

    Parameters
    ----------
    of : Study or geopandas.GeoDataFrame, optional
        A plan (the packaged one by default), or zones of any kind.
    streets, subdistricts : geopandas.GeoDataFrame, optional
        What the zones are laid over; of a plan those that it has.
    **options
        As `nankai_gis.measure.coverage.measure` takes them.

    Returns
    -------
    Coverage
        ``.zones``, ``.streets``, ``.subdistricts``, … are DataFrames.

    Raises
    ------
    DataError
        If a layer can't be used.
    CRSError
        If a layer has no CRS.

    Examples
    --------
    >>> bool(coverage().reconciliation.relative.max() < 1e-9)
    True
    """
    if _geometry(of) is None and streets is None:
        return _study(of).coverage
    from nankai_gis.measure.coverage import measure

    zones = _study(of).areas_to_cover() if _geometry(of) is None else of
    return measure(zones, streets, subdistricts, **options)


def check(of: Study | None = None) -> DataFrame:
    """Compare what a plan says with what is measured.

    Parameters
    ----------
    of : Study, optional
        The packaged plan by default.

    Returns
    -------
    pandas.DataFrame
        A row for each finding: ``rule``, ``title``, ``feature``, ``verdict`` (``ok``, ``differs``,
        ``cannot tell``), ``figures``, ``clause``, ``place`` (longitude and latitude) and
        ``inferred`` (whether it rests on an inferred boundary). Texts are in the language in
        force (`nankai_gis.words`).

    Examples
    --------
    >>> sorted(check().verdict.unique())
    ['cannot tell', 'differs', 'ok']
    """
    import pandas as pd

    return pd.DataFrame([finding.as_record() for finding in _study(of).checks])


def _geometry(of: Study | GeoDataFrame | GeoSeries | None) -> GeoSeries | None:
    """Return the geometries of a frame, in degrees; None for a plan."""
    from nankai_gis.errors import CRSError
    from nankai_gis.geometry.crs import STORED

    if of is None or isinstance(of, Study):
        return None
    shapes = of.geometry
    if shapes.crs is None:
        raise CRSError(tr("the geometries have no CRS; say which with set_crs()"))
    return shapes.to_crs(STORED)


def _study(of: object) -> Study:
    return of if isinstance(of, Study) else packaged()
