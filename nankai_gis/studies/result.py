"""One result that every output reads: a plan, its layers, measures, coverage and checks.

Tables, maps and reports take their figures from here, so that they can't disagree. No figure and
no text is kept in a chance language: names stand in three scripts, findings as keys and values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, FeatureNotFoundError, GeometryError
from nankai_gis.measure import features as measure
from nankai_gis.measure.features import AreaRow, LengthRow
from nankai_gis.plan import layers
from nankai_gis.plan.model import KINDS, Names
from nankai_gis.plan.names import Index, in_script
from nankai_gis.words import language, listed, speaking, tr
from nankai_gis.words.terms import KINDS as KIND_TERMS

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.measure.checks import Finding
    from nankai_gis.measure.coverage import Coverage
    from nankai_gis.plan.definitions import Plan

_COVERAGE = ("zones", "areas", "subdistricts", "corridors", "streets", "classes")
#: Kinds that have an area.
AREAL = ("district", "zone", "parcel", "subdistrict")


@dataclass(frozen=True, repr=False)
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
    >>> from nankai_gis.studies.study import packaged
    >>> study = packaged()
    >>> [row.id for row in study.areas(["zone"])]
    ['qihang-bay', 'laochengxiang', 'shuishang-aoti']
    """

    layers: Mapping[str, tuple[dict[str, Any], ...]]
    definitions: Mapping[str, str]
    data: Mapping[str, str]
    ways: tuple[dict[str, Any], ...] = ()

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(rows)} {name}" for name, rows in self.layers.items() if rows)
        return f"<Study: {rows}; {len(self.ways)} ways>"

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
        """Lengths and areas of streets and subdistricts in zones and parcels.

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

        frames = [self.located(layer) for layer in ("zones", "parcel")]
        located = [frame for frame in frames if frame is not None]
        district = self.located("district")
        if not located and district is not None:
            located = [district]
        if not located:
            raise DataError(
                tr(
                    "the plan has no zone, no parcel and no district, so there is nothing to "
                    "cover; define one, or bring polygons (coverage --zones FILE)"
                )
            )
        return pd.concat(located, ignore_index=True)

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
        """What the plan says, compared with what is measured.

        Returns
        -------
        list of Finding
        """
        from nankai_gis.measure.checks import check

        return check(self.plan, self.layers)

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """Return every figure that outputs show, as plain records with English texts.

        Returns
        -------
        dict of str to list of dict
            ``areas``, ``lengths``, ``checks``, and where the plan has areas and streets, the
            tables of `nankai_gis.measure.coverage.Coverage` by their names after ``coverage.``;
            None for what isn't known. The same whatever language is in force.
        """
        with speaking("en"):
            records = {
                "areas": [asdict(row) for row in measure.areas(self.features(AREAL))],
                "lengths": [asdict(row) for row in measure.lengths(self.features(["corridor"]))],
                "checks": [finding.as_record() for finding in self.checks],
            }
            covers = self.features(["zone", "parcel", "district"])
            if covers and (self.layers["streets"] or self.ways):
                for name in _COVERAGE:
                    table = getattr(self.coverage, name)
                    plain = table.astype(object).where(table.notna(), None)
                    records[f"coverage.{name}"] = plain.to_dict("records")
        return records

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
        >>> from nankai_gis.studies.study import packaged
        >>> packaged().resolve("启航湾")
        ('qihang-bay', 'zone')
        """
        return self._kinds[name]

    @cached_property
    def _names(self) -> dict[str, Names]:
        every = [
            Names(p["name"], p["name_hans"], p["name_en"], tuple(p["aliases"] or ()))
            for layer in self.layers.values()
            for p in (feature["properties"] for feature in layer)
        ]
        # A name that is one's own goes before the same as another's simplified or other name.
        named: dict[str, Names] = {names.hant: names for names in reversed(every)}
        for names in every:
            named.setdefault(names.hans, names)
        for names in every:
            for name in names.aliases:
                named.setdefault(name, names)
        return named

    def shown(self, name: str) -> str:
        """Return a name of the plan in the language in force.

        Parameters
        ----------
        name : str
            Of a feature or a road, as the layers write it; several may stand one after the other,
            divided by 、 or by a bar.

        Returns
        -------
        str
            A name that no layer has is simplified for ``zh-Hans``, else left as it is; what
            coverage calls a row without a name, as ``(unnamed)``, is translated.

        Examples
        --------
        >>> from nankai_gis.studies.study import packaged
        >>> packaged().shown("紅旗路"), packaged().shown("學府街道|無名道")
        ('Hongqi Road', 'Xuefu Subdistrict, 無名道')
        """
        names = self._names.get(name)
        # What the plan calls a road by another name is left as it writes it, but for English.
        if names is not None and (language() == "en" or name in (names.hant, names.hans)):
            return names.in_language(language())
        parts = re.split("[、|]", name)
        if len(parts) > 1:
            return listed(map(self.shown, parts))
        if name.startswith("("):
            # Loaded where it is needed only: coverage brings pandas along.
            from nankai_gis.measure.coverage.labels import label

            return label(name)
        return in_script(name)

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
        wanted = [self.resolve(name) for name in _several(names)]
        for key, kind in wanted:
            if kind == "corridor":
                raise GeometryError(
                    tr(
                        "{id} is a corridor and has no area; `nankai-gis length` measures it",
                        id=key,
                    )
                )
            if kind not in AREAL:
                raise GeometryError(
                    tr("{id} has no area; its kind is {kind}", id=key, kind=tr(KIND_TERMS[kind]))
                )
        if wanted:
            by_id = {f["properties"]["id"]: f for f in self.features(AREAL)}
            return measure.areas(by_id[key] for key, _ in wanted)
        kinds = _several(kinds)
        features = self.features([kind for kind in kinds if kind in AREAL])
        if not features:
            terms = listed(tr(KIND_TERMS.get(kind, kind)) for kind in kinds)
            raise DataError(tr("the plan has no {kinds}", kinds=terms))
        return measure.areas(features)

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
        wanted = [self.resolve(name) for name in _several(names)]
        for key, kind in wanted:
            if kind != "corridor":
                raise GeometryError(
                    tr(
                        "{id} is no corridor; `nankai-gis area` measures its area and perimeter",
                        id=key,
                    )
                )
        rows = measure.lengths(self.features(["corridor"]))
        if not rows:
            raise DataError(tr("the plan has no {kinds}", kinds=tr(KIND_TERMS["corridor"])))
        return [row for key, _ in wanted for row in rows if row.corridor == key] if wanted else rows

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
        >>> from nankai_gis.studies.study import packaged
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
        >>> from nankai_gis.studies.study import packaged
        >>> packaged().frame("parcel").area_m2.notna().all()
        np.True_
        """
        import geopandas

        from nankai_gis.errors import NotFoundError
        from nankai_gis.geometry.crs import STORED

        if layer not in self.layers:
            raise NotFoundError(tr("layer"), layer, self.layers)
        features = self.layers[layer]
        if not features:
            columns = ["id", "kind", "name", "name_hans", "name_en", "geometry"]
            return geopandas.GeoDataFrame(columns=columns, geometry="geometry", crs=STORED)
        frame = geopandas.GeoDataFrame.from_features(features, crs=STORED)
        frame = frame.drop(columns="readings", errors="ignore")
        if layer == "corridors":
            frame["length_m"] = [row.length_m for row in self.lengths()]
        elif layer in {layers.LAYER_OF_KIND[kind] for kind in AREAL}:
            rows = measure.areas(self.layers[layer])
            for column in ("area_m2", "area_sd_m2", "planar_area_m2", "perimeter_m"):
                frame[column] = [getattr(row, column) for row in rows]
        return frame


def _several(names: Iterable[str]) -> list[str]:
    """One name is one name, not its letters."""
    return [names] if isinstance(names, str) else list(names)
