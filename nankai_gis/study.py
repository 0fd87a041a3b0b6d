"""One result that every output reads: the layers of a plan and their measures.

Tables, maps and reports take their figures from here, so that they can't disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import layers, measure
from .errors import FeatureNotFoundError, GeometryError
from .measure import AreaRow, LengthRow
from .model import KINDS
from .names import Index

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: Kinds that have an area.
AREAL = ("district", "zone", "parcel", "subdistrict")


@dataclass(frozen=True)
class Study:
    """The layers of a plan, measured when asked.

    Attributes
    ----------
    layers : mapping of str to tuple of dict
        GeoJSON features by layer, EPSG:4326.

    Examples
    --------
    >>> study = packaged()
    >>> [row.id for row in study.areas(["zone"])]
    ['qihang-bay', 'laochengxiang', 'shuishang-aoti']
    """

    layers: Mapping[str, tuple[dict[str, Any], ...]]

    def features(self, kinds: Collection[str]) -> list[dict[str, Any]]:
        """Return the features of some kinds.

        Parameters
        ----------
        kinds : collection of str
            Members of `nankai_gis.model.KINDS`.

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
        """
        asked = [self.resolve(name) for name in names]
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
            return measure.areas(self.features([kind for kind in kinds if kind in AREAL]))
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
        """
        asked = [self.resolve(name) for name in names]
        for key, kind in asked:
            if kind != "corridor":
                raise GeometryError(
                    f"{key} is a {kind}, not a corridor; "
                    "its area and perimeter are what `nankai-gis area` gives"
                )
        rows = measure.lengths(self.features(["corridor"]))
        if not asked:
            return rows
        return [row for key, _ in asked for row in rows if row.corridor == key]

    def frame(self, layer: str) -> GeoDataFrame:
        """Return a layer with its measures.

        Parameters
        ----------
        layer : str
            Member of `nankai_gis.layers.LAYERS`.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326. Polygons have ``area_m2``, ``area_sd_m2``, ``planar_area_m2`` and
            ``perimeter_m``, pieces of corridors ``length_m`` (NaN where not located).

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

        from .crs import STORED
        from .errors import NotFoundError

        if layer not in self.layers:
            raise NotFoundError("layer", layer, self.layers)
        frame = geopandas.GeoDataFrame.from_features(self.layers[layer], crs=STORED)
        if layer == "corridors":
            frame["length_m"] = [row.length_m for row in self.lengths()]
        elif layer in {layers.LAYER_OF_KIND[kind] for kind in AREAL}:
            rows = measure.areas(self.layers[layer])
            for column in ("area_m2", "area_sd_m2", "planar_area_m2", "perimeter_m"):
                frame[column] = [getattr(row, column) for row in rows]
        return frame


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
    return Study({name: tuple(layers.features(name)) for name in layers.LAYERS})
