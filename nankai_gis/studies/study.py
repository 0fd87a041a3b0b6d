"""One result that every output reads: a plan, its layers, measures, coverage and checks.

Tables, maps and reports take their figures from here, so that they can't disagree. A study is
kept in a GeoPackage: the layers as any GIS opens them, and beside them the definitions, the
results and what they were made with, so that a figure can be traced and made again later.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, FeatureNotFoundError, GeometryError, PlanError
from nankai_gis.measure import features as measure
from nankai_gis.measure.features import AreaRow, LengthRow
from nankai_gis.plan import layers
from nankai_gis.plan.model import KINDS
from nankai_gis.plan.names import Index
from nankai_gis.plan.packaged import data_folder, digest

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.compiler.lines import PlanNetwork
    from nankai_gis.measure.checks import Finding
    from nankai_gis.measure.coverage import Coverage
    from nankai_gis.plan.definitions import Plan

_COVERAGE = ("zones", "areas", "subdistricts", "corridors", "streets", "classes")
#: Kinds that have an area.
AREAL = ("district", "zone", "parcel", "subdistrict")


@dataclass(frozen=True)
class Study:
    """The layers of a plan, measured when asked.

    Attributes
    ----------
    layers : mapping of str to tuple of dict
        GeoJSON features by layer, EPSG:4326.
    definitions : mapping of str to str
        Text of the definition files, by name.
    data : mapping of str to str
        SHA-256 of the files that it was made from, by path within their folder.
    ways : tuple of dict
        GeoJSON features of the road network about the plan, carriageway by carriageway: all ways
        that touch the box of what the plan draws, and all others of the streets that do. Empty
        where the layer of streets is all there is.

    Examples
    --------
    >>> study = packaged()
    >>> [row.id for row in study.areas(["zone"])]
    ['qihang-bay', 'laochengxiang', 'shuishang-aoti']
    """

    layers: Mapping[str, tuple[dict[str, Any], ...]]
    definitions: Mapping[str, str]
    data: Mapping[str, str]
    ways: tuple[dict[str, Any], ...] = ()

    @cached_property
    def plan(self) -> Plan:
        """The plan that the definitions make up.

        Returns
        -------
        Plan
        """
        from nankai_gis.plan.definitions import parse

        return parse(self.definitions)

    @cached_property
    def coverage(self) -> Coverage:
        """Zones and parcel held against streets and subdistricts.

        Returns
        -------
        Coverage
            Of `areas_to_cover` on `streets_to_cover`; corridors without a reach.
        """
        from nankai_gis.measure import coverage

        streets, centrelines = self.streets_to_cover()
        return coverage.measure(
            self.areas_to_cover(),
            streets,
            self.located("subdistricts"),
            district=self.located("district"),
            corridors=self.located("corridors"),
            centrelines=centrelines,
        )

    def streets_to_cover(self) -> tuple[GeoDataFrame, GeoDataFrame | None]:
        """Return what coverage is measured on.

        Returns
        -------
        streets : geopandas.GeoDataFrame
            EPSG:4326; the ways, else the layer of streets without railways and rivers.
        centrelines : geopandas.GeoDataFrame or None
            EPSG:4326; the streets of the layer, each once, where there are ways.
        """
        import geopandas

        from nankai_gis.geometry.crs import STORED

        lines = self.frame("streets")
        lines = lines[lines["kind"] == "street"].reset_index(drop=True)
        if not self.ways:
            return lines, None
        ways = geopandas.GeoDataFrame.from_features(self.ways, crs=STORED)
        return ways, lines[lines.geometry.notna()].reset_index(drop=True)

    def areas_to_cover(self) -> GeoDataFrame:
        """Return zones and parcels in one layer, or the district: what coverage is measured of.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326.

        Raises
        ------
        DataError
            If the plan has none of them.
        """
        import pandas as pd

        found = [self.located(layer) for layer in ("zones", "parcel")]
        some = [frame for frame in found if frame is not None]
        district = self.located("district")
        if not some and district is not None:
            some = [district]
        if not some:
            raise DataError(
                "the plan has no zone, no parcel and no district, so there is nothing to cover; "
                "define one, or bring polygons (coverage --zones FILE)"
            )
        return pd.concat(some, ignore_index=True)

    def located(self, layer: str) -> GeoDataFrame | None:
        """Return the rows of a layer that have a geometry.

        Parameters
        ----------
        layer : str

        Returns
        -------
        geopandas.GeoDataFrame or None
            As `frame`; None where there are none.

        Raises
        ------
        NotFoundError
            If there is no such layer.
        """
        frame = self.frame(layer)
        frame = frame[frame.geometry.notna()].reset_index(drop=True)
        return frame if len(frame) else None

    @cached_property
    def checks(self) -> list[Finding]:
        """What the plan says, held to what is measured.

        Returns
        -------
        list of Finding
        """
        from nankai_gis.measure.checks import check

        return check(self.plan, self.layers)

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """Return every figure that outputs show, as plain records.

        Returns
        -------
        dict of str to list of dict
            ``areas``, ``lengths``, ``checks``, and where the plan has areas and streets, the
            tables of `nankai_gis.measure.coverage.Coverage` by their names after ``coverage.``;
            None for
            what isn't known.
        """
        found = {
            "areas": [asdict(row) for row in measure.areas(self.features(AREAL))],
            "lengths": [asdict(row) for row in measure.lengths(self.features(["corridor"]))],
            "checks": [
                asdict(f) | {"place": list(f.place) if f.place else None} for f in self.checks
            ],
        }
        if self.features(["zone", "parcel", "district"]) and (self.layers["streets"] or self.ways):
            for name in _COVERAGE:
                table = getattr(self.coverage, name)
                plain = table.astype(object).where(table.notna(), None)
                found[f"coverage.{name}"] = plain.to_dict("records")
        return found

    def features(self, kinds: Collection[str]) -> list[dict[str, Any]]:
        """Return the features of some kinds.

        Parameters
        ----------
        kinds : collection of str
            Members of `nankai_gis.plan.model.KINDS`.

        Returns
        -------
        list of dict
            GeoJSON features in the order of the kinds; a corridor has several, one a piece.
        """
        return [
            feature
            for kind in KINDS
            if kind in kinds
            for feature in self.layers[layers.LAYER_OF_KIND[kind]]
        ]

    @cached_property
    def _kinds(self) -> Index[tuple[str, str]]:
        entries: dict[tuple[str, str], list[str]] = {}
        for feature in self.features(KINDS):
            p = feature["properties"]
            key = (p.get("corridor", p["id"]), p["kind"])
            names = [key[0], p["name"], p["name_hans"], p["name_en"], *p["aliases"]]
            entries.setdefault(key, names)
        return Index(
            ((names, key) for key, names in entries.items()),
            what="feature",
            error=FeatureNotFoundError,
        )

    def resolve(self, name: str) -> tuple[str, str]:
        """Return id and kind of the feature that answers to a name.

        Parameters
        ----------
        name : str
            Id or name, in traditional or simplified Chinese or in English.

        Returns
        -------
        tuple of str

        Raises
        ------
        FeatureNotFoundError
            With the near names.

        Examples
        --------
        >>> packaged().resolve("启航湾")
        ('qihang-bay', 'zone')
        """
        return self._kinds[name]

    def areas(
        self, kinds: Collection[str] = ("district", "zone", "parcel"), names: Iterable[str] = ()
    ) -> list[AreaRow]:
        """Measure polygons.

        Parameters
        ----------
        kinds : collection of str
            Which kinds, where no names are given.
        names : iterable of str
            Single features, in any script.

        Returns
        -------
        list of AreaRow
            In the order of the kinds, or of the names.

        Raises
        ------
        FeatureNotFoundError
            For a name that nothing answers to.
        GeometryError
            For a feature that has no area.
        DataError
            If the plan has nothing of these kinds.
        """
        asked = [self.resolve(name) for name in _several(names)]
        kinds = _several(kinds)
        for key, kind in asked:
            if kind not in AREAL:
                raise GeometryError(
                    f"{key} is a {kind} and has no area"
                    + (
                        "; its length is what `nankai-gis length` gives"
                        if kind == "corridor"
                        else ""
                    )
                )
        if not asked:
            found = self.features([kind for kind in kinds if kind in AREAL])
            if not found:
                raise DataError(f"the plan has no {', '.join(kinds)}")
            return measure.areas(found)
        known = {f["properties"]["id"]: f for f in self.features(AREAL)}
        return measure.areas(known[key] for key, _ in asked)

    def lengths(self, names: Iterable[str] = ()) -> list[LengthRow]:
        """Measure corridors, piece by piece.

        Parameters
        ----------
        names : iterable of str
            Single corridors, in any script; all of them by default.

        Returns
        -------
        list of LengthRow

        Raises
        ------
        FeatureNotFoundError
            For a name that nothing answers to.
        GeometryError
            For a feature that is no corridor.
        DataError
            If the plan has no corridor.
        """
        asked = [self.resolve(name) for name in _several(names)]
        for key, kind in asked:
            if kind != "corridor":
                raise GeometryError(
                    f"{key} is a {kind}, not a corridor; "
                    "its area and perimeter are what `nankai-gis area` gives"
                )
        rows = measure.lengths(self.features(["corridor"]))
        if not asked:
            if not rows:
                raise DataError("the plan has no corridor")
            return rows
        return [row for key, _ in asked for row in rows if row.corridor == key]

    def covered(self, layer: str) -> GeoDataFrame:
        """Return a layer with its measures and what coverage says of it.

        Parameters
        ----------
        layer : str
            Member of `nankai_gis.plan.layers.LAYERS`.

        Returns
        -------
        geopandas.GeoDataFrame
            As `frame`; subdistricts have ``coverage_share``, the share of their area that the
            zones cover (0 to 1), streets ``zone``, the zone in which or along which most of them
            runs (None for none). Other layers have nothing more.

        Raises
        ------
        NotFoundError
            If there is no such layer.

        Examples
        --------
        >>> shares = packaged().covered("subdistricts").set_index("id").coverage_share
        >>> round(float(shares["xuefu"]), 3), float(shares["huayuan"])
        (1.0, 0.0)
        """
        frame = self.frame(layer)
        zones = [f["properties"]["id"] for f in self.features(["zone"])]
        if layer == "subdistricts":
            areas = self.coverage.areas
            shares = areas[areas["zone"].isin(zones)].groupby("subdistrict")
            total = shares["share_of_subdistrict"].sum()
            frame["coverage_share"] = frame["id"].map(total).fillna(0.0).clip(upper=1.0)
        elif layer == "streets":
            rows = self.coverage.streets
            rows = rows[rows["zone"].isin(zones)]
            length = rows["inside_km"] + rows["boundary_km"]
            best = rows.assign(length=length).sort_values("length").groupby("street").last()
            frame["zone"] = frame["name"].map(best["zone"])
            frame["zone"] = frame["zone"].where(frame["zone"].notna(), None)
        return frame

    def frame(self, layer: str) -> GeoDataFrame:
        """Return a layer with its measures.

        Parameters
        ----------
        layer : str
            Member of `nankai_gis.plan.layers.LAYERS`.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326; without rows where the plan has nothing of the kind. Polygons have
            ``area_m2``, ``area_sd_m2``, ``planar_area_m2`` and ``perimeter_m``, pieces of
            corridors ``length_m`` (NaN where not located).

        Raises
        ------
        NotFoundError
            If there is no such layer.

        Examples
        --------
        >>> packaged().frame("parcel").area_m2.notna().all()
        np.True_
        """
        import geopandas

        from nankai_gis.errors import NotFoundError
        from nankai_gis.geometry.crs import STORED

        if layer not in self.layers:
            raise NotFoundError("layer", layer, self.layers)
        features = self.layers[layer]
        if not features:
            columns = ["id", "kind", "name", "name_hans", "name_en", "geometry"]
            return geopandas.GeoDataFrame(columns=columns, geometry="geometry", crs=STORED)
        frame = geopandas.GeoDataFrame.from_features(features, crs=STORED)
        if layer == "corridors":
            frame["length_m"] = [row.length_m for row in self.lengths()]
        elif layer in {layers.LAYER_OF_KIND[kind] for kind in AREAL}:
            rows = measure.areas(self.layers[layer])
            for column in ("area_m2", "area_sd_m2", "planar_area_m2", "perimeter_m"):
                frame[column] = [getattr(row, column) for row in rows]
        return frame


def _several(names: Iterable[str]) -> list[str]:
    """A name alone is one name, not its letters."""
    return [names] if isinstance(names, str) else list(names)


def packaged() -> Study:
    """Return the study of the packaged plan on the packaged layers.

    Returns
    -------
    Study

    Examples
    --------
    >>> len(packaged().areas(["subdistrict"]))
    12
    """
    root = data_folder()
    made = {name: tuple(layers.features(name)) for name in layers.LAYERS}
    files = _within(root, "catalog.toml", "digitised/*", "layers/*", "plan/*")
    return Study(made, _Texts(_within(root / "plan", "*.toml")), _Digests(files))


def read(folder: str | os.PathLike[str], network: PlanNetwork | None = None) -> Study:
    """Return the study of a plan of one's own, compiled on the network beside it.

    Parameters
    ----------
    folder : str or path-like
        Holds the definitions, ``*.toml``, and may hold the network to compile them on (see
        `nankai_gis.network.plan_folder.read_network`); without one that is the packaged
        digitised network.
    network : PlanNetwork, optional
        That network, where it has been read already.

    Returns
    -------
    Study

    Raises
    ------
    PlanError
        For every fault of the definitions, or for every one that doesn't compile, at once.
    DataError
        If the folder isn't there or its network can't be read.

    Examples
    --------
    >>> import shutil, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("zones.toml", "subdistricts.toml"):
    ...     _ = shutil.copy(data_folder() / "plan" / name, folder)
    >>> read(folder).areas(["zone"]) == packaged().areas(["zone"])
    True
    """
    from nankai_gis.compiler import layers as compiled
    from nankai_gis.network import digitised, plan_folder
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.plan import definitions as plan

    folder = Path(folder)
    network = plan_folder.read_network(folder) if network is None else network
    definitions = plan.read(folder)
    # Taken before the long work: what was compiled is what is kept.
    roads = plan_folder.find_roads(folder)
    files = _within(folder, "*.toml", "digitised/*.csv", *([roads.name] if roads else []))
    if network is digitised.packaged():
        tables = _within(data_folder(), "digitised/*.csv")
        files |= {f"packaged {name}": file for name, file in tables.items()}
    texts, digests = dict(_Texts(_within(folder, "*.toml"))), dict(_Digests(files))
    if not definitions.features:
        raise PlanError([f"{folder}: no feature is defined here; add one"])
    try:
        made = compiled.plan_layers(definitions, network, search=True)
    except PlanError as error:
        if network is not digitised.packaged():
            raise
        where = (
            f"(compiled on the packaged streets of Nankai District, since there is neither a file "
            f"roads.* nor a folder digitised in {folder})"
        )
        raise PlanError([*error.faults, where]) from error
    kept = {name: tuple(features) for name, features in made.items()}
    bounds = compiled.extent(made)
    ways: tuple[dict[str, Any], ...] = ()
    if bounds is not None and isinstance(network, OsmNetwork | MergedNetwork):
        ways = _features_of(network.vicinity(bounds))
    return Study(kept, texts, digests, ways)


def _features_of(ways: GeoDataFrame) -> tuple[dict[str, Any], ...]:
    """Ways with what coverage asks of them."""
    import json

    columns = ["way", "name", "highway", "railway", "waterway", "geometry"]
    return tuple(json.loads(ways[columns].to_json(drop_id=True))["features"])


def _within(folder: Path, *patterns: str) -> dict[str, Path]:
    """Files of a folder by their path within it."""
    found = (file for pattern in patterns for file in sorted(folder.glob(pattern)))
    return {file.relative_to(folder).as_posix(): file for file in found if file.is_file()}


@dataclass(frozen=True)
class _Lazy(Mapping[str, str]):
    """Something of each of some files, looked at when asked for: an area table needs none."""

    files: Mapping[str, Path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class _Texts(_Lazy):
    def __getitem__(self, name: str) -> str:
        return self.files[name].read_text(encoding="utf-8-sig")


class _Digests(_Lazy):
    def __getitem__(self, name: str) -> str:
        return digest(self.files[name])
