"""A study kept in a GeoPackage, read back and verified.

The file holds the layers as any GIS opens them, and beside them one table of metadata: the
definitions, the results, the checksums of the data and the versions of what measured it, so that
a figure can be traced and made again. GeoPackage has no standard place for results, and no kept
library compares them; the file itself is written and read by GDAL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, OutputError
from nankai_gis.files import geopackage
from nankai_gis.plan import layers
from nankai_gis.studies.study import Study

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_RECORD = "nankai_gis_study"
_PARTS = ("made_with", "data", "definitions", "layers", "ways", "results")


def _made_with() -> dict[str, str]:
    """Versions of what measures: a later figure that differs may differ by these."""
    from importlib.metadata import version

    names = ("shapely", "pyproj", "geopandas", "numpy")
    return {name: version(name) for name in ("nankai-gis", *names)}


def save(study: Study, path: Path, *, overwrite: bool = False) -> None:
    """Keep a study in a GeoPackage.

    Parameters
    ----------
    study : Study
    path : pathlib.Path
        Ends in ``.gpkg``.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file exists and may not be replaced, or can't be written; it is then as it was.
    DataError
        If nothing of the plan is located.

    Examples
    --------
    >>> import tempfile
    >>> from nankai_gis.studies.study import packaged
    >>> file = Path(tempfile.mkdtemp()) / "study.gpkg"
    >>> save(packaged(), file)
    >>> load(file).areas(["parcel"]) == packaged().areas(["parcel"])
    True
    """
    from nankai_gis.files.geopackage import atomic_geopackage

    if path.suffix.lower() != ".gpkg":
        raise OutputError(f"{path}: a study is a GeoPackage; let its name end in .gpkg")
    if not any(f["geometry"] for features in study.layers.values() for f in features):
        raise DataError("nothing of the plan is located, so there is no study to keep")
    made = {
        "made_with": _made_with(),
        "data": dict(study.data),
        "definitions": dict(study.definitions),
        "layers": {name: list(features) for name, features in study.layers.items()},
        "ways": list(study.ways),
        "results": study.results(),
    }
    with atomic_geopackage(path, overwrite=overwrite) as draft:
        for name, frame in _tables(study):
            frame.to_file(draft, layer=name, driver="GPKG")
        content = {"sha256": _sha256(made), "study": made}
        geopackage.write_metadata(
            draft, _RECORD, content, "definitions, results, sources, versions"
        )
        if load(draft).results() != study.results():
            raise OutputError(f"{path}: what was written doesn't read back the same")


def _tables(study: Study) -> Iterator[tuple[str, GeoDataFrame]]:
    """What is drawn, as tables of one kind of geometry each."""
    import geopandas

    from nankai_gis.geometry.crs import STORED

    for name, features in {**study.layers, "ways": study.ways}.items():
        drawn = [layers.as_row(feature) for feature in features if feature["geometry"] is not None]
        if not drawn:
            continue
        frame = geopandas.GeoDataFrame.from_features(drawn, crs=STORED)
        kinds = sorted(set(frame.geom_type))
        for kind in kinds:
            part = frame[frame.geom_type == kind].dropna(axis=1, how="all")
            yield f"{name}_{kind.lower()}" if len(kinds) > 1 else name, part.reset_index(drop=True)


def _changed(study: Study, path: Path) -> Iterator[str]:
    """Tables of the file that don't hold what the study holds."""
    import geopandas
    import pyogrio

    there = set(pyogrio.list_layers(path)[:, 0])
    for name, frame in _tables(study):
        if name not in there:
            yield f"the table {name} is not in the file"
            continue
        try:
            kept = geopandas.read_file(path, layer=name)
        except (RuntimeError, ValueError) as error:
            raise DataError(f"{path.name}: the table {name} can't be read: {error}") from error
        if kept.crs != frame.crs:
            yield f"the table {name} has another CRS than it was written with"
            continue
        if len(kept) != len(frame) or set(kept.columns) != set(frame.columns):
            yield f"the table {name} has other rows or columns than it was written with"
            continue
        for column in frame.columns:
            if column == frame.geometry.name:
                same = frame.geometry.geom_equals_exact(kept.geometry, 0.0)
            else:
                one, two = frame[column], kept[column]
                same = (one == two) | (one.isna() & two.isna())
            if not same.all():
                yield f"the table {name} was changed in {column}, {int((~same).sum())} row(s)"


def _sha256(made: Mapping[str, Any]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _recorded(path: Path) -> dict[str, Any]:
    content = geopackage.read_metadata(path, _RECORD, "study")
    if content is None:
        raise DataError(f"{path.name} is not a study of nankai-gis; `nankai-gis study` makes one")
    if content.get("sha256") != _sha256(content.get("study", {})):
        raise DataError(f"{path.name}: the study was changed after it was written")
    made: dict[str, Any] = content["study"]
    lacking = [part for part in _PARTS if part not in made]
    lacking += [name for name in layers.LAYERS if name not in made.get("layers", ())]
    if lacking:
        raise DataError(f"{path.name}: the study's record lacks {', '.join(lacking)}")
    return made


def load(path: str | os.PathLike[str]) -> Study:
    """Load a study that `save` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Study

    Raises
    ------
    DataError
        If the file is missing, no study, or changed since it was written.

    Examples
    --------
    >>> load(Path("nowhere.gpkg"))
    Traceback (most recent call last):
    nankai_gis.errors.DataError: nowhere.gpkg: there is no such file
    """
    path = Path(path)
    made = _recorded(path)
    kept = {name: tuple(made["layers"][name]) for name in layers.LAYERS}
    return Study(kept, made["definitions"], made["data"], tuple(made["ways"]))


def differences(path: Path) -> list[str]:
    """Make the results of a kept study again, and compare.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    list of str
        One line for each figure that comes out differently by more than 1e-9 of it or is missing,
        for each table of the file that no longer holds what the study does, and for each version
        that has changed since; empty when everything is as it was.

    Raises
    ------
    DataError
        As `load`.

    Examples
    --------
    >>> import tempfile
    >>> from nankai_gis.studies.study import packaged
    >>> file = Path(tempfile.mkdtemp()) / "study.gpkg"
    >>> save(packaged(), file)
    >>> differences(file)
    []
    """
    made = _recorded(path)
    study = load(path)
    now = study.results()
    told = [
        f"{name}: made with {then}, now {_made_with().get(name, 'absent')}"
        for name, then in made["made_with"].items()
        if _made_with().get(name) != then
    ]
    told += _changed(study, path)
    lacking = [table for table in now if table not in made["results"]]
    told += [f"{table}: is not among the results kept" for table in lacking]
    for table, rows in made["results"].items():
        if table not in now:
            told.append(f"{table}: is not made any more")
            continue
        if len(rows) != len(now[table]):
            told.append(f"{table}: {len(rows)} rows then, {len(now[table])} now")
            continue
        for then, again in zip(rows, now[table], strict=True):
            told += [
                f"{table} {_row(then)} {key}: {then.get(key)} then, {again.get(key)} now"
                for key in dict.fromkeys([*then, *again])
                if not _same(then.get(key), again.get(key))
            ]
    return told


def _row(record: Mapping[str, Any]) -> str:
    """What a row is about: the first of its texts that name something."""
    keys = ("id", "feature", "street_name", "zone", "corridor", "subdistrict", "street", "class")
    return " ".join(str(record[key]) for key in keys if record.get(key))


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, float) and isinstance(now, float):
        return abs(then - now) <= 1e-9 * max(abs(then), abs(now))
    return bool(then == now)
