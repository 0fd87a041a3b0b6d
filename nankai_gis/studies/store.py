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
from nankai_gis.words import listed, ntr, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_RECORD = "nankai_gis_study"
#: Figures agree within this share of the greater one.
TOLERANCE = 1e-9
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
        raise OutputError(
            tr("{file}: a study is a GeoPackage; let its name end in .gpkg", file=path)
        )
    if not any(f["geometry"] for features in study.layers.values() for f in features):
        raise DataError(tr("nothing of the plan is located, so there is no study to keep"))
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
            raise OutputError(tr("{file}: what was written doesn't read back the same", file=path))


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
    """Tables of the file that don't hold what the study holds, one sentence each."""
    import pyogrio

    there = set(pyogrio.list_layers(path)[:, 0])
    for name, frame in _tables(study):
        if name not in there:
            yield tr("the table {table} is not in the file", table=name)
            continue
        kept = _read_table(path, name)
        if kept.crs != frame.crs:
            yield tr("the table {table} has another CRS than it was written with", table=name)
        elif len(kept) != len(frame) or set(kept.columns) != set(frame.columns):
            yield tr(
                "the table {table} has other rows or columns than it was written with", table=name
            )
        else:
            for column in frame.columns:
                if column == frame.geometry.name:
                    same = frame.geometry.geom_equals_exact(kept.geometry, 0.0)
                else:
                    before, now = frame[column], kept[column]
                    same = (before == now) | (before.isna() & now.isna())
                if changed := int((~same).sum()):
                    yield ntr(
                        "the table {table} was changed in {column}, {n} row",
                        "the table {table} was changed in {column}, {n} rows",
                        changed,
                        table=name,
                        column=column,
                    )


def _read_table(path: Path, name: str) -> GeoDataFrame:
    import geopandas

    try:
        return geopandas.read_file(path, layer=name)
    except (RuntimeError, ValueError) as error:
        raise DataError(
            tr(
                "{file}: the table {table} can't be read: {reason}",
                file=path.name,
                table=name,
                reason=error,
            )
        ) from error


def _sha256(made: Mapping[str, Any]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _recorded(path: Path) -> dict[str, Any]:
    content = geopackage.read_metadata(path, _RECORD)
    if content is None:
        raise DataError(
            tr("{file} is not a study of nankai-gis; `nankai-gis study` makes one", file=path.name)
        )
    if content.get("sha256") != _sha256(content.get("study", {})):
        raise DataError(tr("{file}: the study was changed after it was written", file=path.name))
    made: dict[str, Any] = content["study"]
    lacking = [part for part in _PARTS if part not in made]
    lacking += [name for name in layers.LAYERS if name not in made.get("layers", ())]
    if lacking:
        raise DataError(
            tr("{file}: the study's record lacks {parts}", file=path.name, parts=listed(lacking))
        )
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
        One sentence for each figure that is missing or comes out differently by more than
        `TOLERANCE` of it, for each table of the file that no longer holds what the study does,
        and for each version that has changed since; empty when everything is as it was.

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
    made, study = _recorded(path), load(path)
    # Versions of what measured it.
    versions = _made_with()
    lines = [
        tr("{package}: made with {then}, now {now}", package=name, then=then, now=versions[name])
        if name in versions
        else tr("{package}: made with {then}, now absent", package=name, then=then)
        for name, then in made["made_with"].items()
        if versions.get(name) != then
    ]
    # The layers of the file.
    lines += _changed(study, path)
    # The results, table by table.
    kept, again = made["results"], study.results()
    lines += [tr("{table}: not among the results kept", table=t) for t in again if t not in kept]
    lines += [tr("{table}: not made any more", table=table) for table in kept if table not in again]
    for table in kept:
        if table in again:
            lines += _compared(table, kept[table], again[table])
    return lines


def _compared(table: str, kept: list[dict[str, Any]], again: list[dict[str, Any]]) -> Iterator[str]:
    """Figures of a table that come out differently, one sentence each."""
    if len(kept) != len(again):
        yield tr(
            "{table}: {then} rows then, {now} now", table=table, then=len(kept), now=len(again)
        )
        return
    for then, now in zip(kept, again, strict=True):
        for key in dict.fromkeys([*then, *now]):
            if not _same(then.get(key), now.get(key)):
                yield tr(
                    "{table} {row} {column}: {then} then, {now} now",
                    table=table,
                    row=_row(then),
                    column=key,
                    then=then.get(key),
                    now=now.get(key),
                )


def _row(record: Mapping[str, Any]) -> str:
    """What a row is about: the texts that name something."""
    keys = ("id", "feature", "street_name", "zone", "corridor", "subdistrict", "street", "class")
    return " ".join(str(record[key]) for key in keys if record.get(key))


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, float) and isinstance(now, float):
        return abs(then - now) <= TOLERANCE * max(abs(then), abs(now))
    return bool(then == now)
