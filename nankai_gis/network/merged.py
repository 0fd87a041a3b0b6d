"""A mapped network with digitised lines, which go before mapped ones of the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import shapely

from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.plan.model import Line, Vertex
from nankai_gis.plan.names import normalise

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class MergedNetwork:
    """A mapped network and digitised lines, which go before mapped ones of the same name."""

    def __init__(
        self, digitised: DigitisedNetwork, osm: OsmNetwork, known: Mapping[str, Line] | None = None
    ) -> None:
        self.digitised = digitised
        self.osm = osm
        self.origin = osm.origin
        self.points: Mapping[str, Vertex] = digitised.points
        self.sources: Mapping[str, str] = {**osm.sources, **digitised.sources}
        # By the names that a map has for nothing else: another street may be called by an alias.
        self._known: dict[str, Line] = {}
        for key, line in (known or {}).items():
            own = (key, line.id, line.names.hant, line.names.hans)
            others = [name for name in line.names.aliases if name not in osm]
            for name in (*own, *others):
                self._known.setdefault(normalise(name), line)
        self._by_id = {line.id: line for line in (known or {}).values()}

    def _drawn(self, name: object) -> bool:
        return name in self.digitised and bool(self.digitised[str(name)].parts)

    def _is_mapped(self, name: object) -> bool:
        """Whether a map has the road, and no digitised line goes before it."""
        if not isinstance(name, str) or self._drawn(name):
            return False
        return normalise(name) in self._known or name in self.osm

    def maps(self, name: str) -> bool:
        """Return whether a road that the plan's digitised lines name, too, is mapped."""
        return not self._drawn(name) and normalise(name) in self._known

    def __contains__(self, name: object) -> bool:
        return name in self.digitised or self._is_mapped(name)

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, as the two networks do."""
        if not self._is_mapped(name):
            return self.digitised[name]
        return self._known.get(normalise(name)) or self.osm[name]

    def every(self, name: str) -> list[Line]:
        """Return the lines of a name: the digitised one, else all mapped ones."""
        if not self._is_mapped(name):
            return self.digitised.every(name)
        known = self._known.get(normalise(name))
        return self.osm.every(name) if known is None else [known]

    def near(self, name: str) -> list[str]:
        """Return the names most like one that isn't there, best first."""
        return list(dict.fromkeys([*self.digitised.near(name), *self.osm.near(name)]))

    def around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        """Return the lines that touch a box: west, south, east, north in degrees."""
        return [*self.digitised.around(bounds), *self._mapped_around(bounds)]

    def _mapped_around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        mapped = (self._by_id.get(line.id, line) for line in self.osm.around(bounds))
        return [line for line in mapped if not self._drawn(line.names.hant)]

    def ways(self) -> GeoDataFrame:
        """Return the ways, and the digitised streets in the place of mapped ones; EPSG:4326."""
        return self._with_digitised(self.osm.ways())

    def vicinity(self, bounds: tuple[float, float, float, float]) -> GeoDataFrame:
        """Return the ways about a box, as `OsmNetwork.vicinity` does."""
        return self._with_digitised(self.osm.vicinity(bounds))

    def centrelines(self) -> GeoDataFrame:
        """Return the named streets, each once; EPSG:4326."""
        return self._with_digitised(self.osm.centrelines())

    def _with_digitised(self, frame: GeoDataFrame) -> GeoDataFrame:
        import geopandas
        import pandas as pd

        names = frame["name"].fillna("")
        hidden = names.map({name: self._drawn(name) for name in set(names) if name})
        drawn = [x for x in self.digitised.lines if x.parts and x.kind == "street"]
        more = geopandas.GeoDataFrame(
            {"name": [x.names.hant for x in drawn]},
            geometry=[
                shapely.multilinestrings([[v.position for v in part] for part in x.parts])
                for x in drawn
            ],
            crs=frame.crs,
        )
        kept = frame[~hidden.fillna(False).astype(bool)]
        return pd.concat([kept, more], ignore_index=True) if len(more) else kept

    def listed(self, bounds: tuple[float, float, float, float] | None) -> Sequence[Line]:
        """Return the lines that a plan on this network shows: digitised ones, others around it."""
        mine = [x for x in self.digitised.lines if x.parts or x.names.hant not in self.osm]
        return [*mine, *(self._mapped_around(bounds) if bounds is not None else ())]
