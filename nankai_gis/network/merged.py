"""A mapped network with digitised lines, which go before mapped ones of the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import shapely

from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.plan.model import Line, Vertex

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class MergedNetwork:
    """A mapped network and digitised lines, which go before mapped ones of the same name.

    Parameters
    ----------
    digitised : DigitisedNetwork
    osm : OsmNetwork

    Examples
    --------
    See `nankai_gis.network.plan_folder.read_network`.
    """

    def __init__(self, digitised: DigitisedNetwork, osm: OsmNetwork) -> None:
        self._digitised = digitised
        self.osm = osm
        self.origin = osm.origin
        self.points: Mapping[str, Vertex] = digitised.points
        self.sources: Mapping[str, str] = {**osm.sources, **digitised.sources}

    def _drawn(self, name: object) -> bool:
        return name in self._digitised and bool(self._digitised[str(name)].parts)

    def __contains__(self, name: object) -> bool:
        return name in self._digitised or name in self.osm

    def __getitem__(self, name: str) -> Line:
        """Return the line of a name, as the two networks do."""
        if self._drawn(name) or name not in self.osm:
            return self._digitised[name]
        return self.osm[name]

    def every(self, name: str) -> list[Line]:
        """Return the lines of a name: the digitised one, else all mapped ones."""
        if self._drawn(name) or name not in self.osm:
            return self._digitised.every(name)
        return self.osm.every(name)

    def near(self, name: str) -> list[str]:
        """Return the names most like one that isn't there, best first."""
        return list(dict.fromkeys([*self._digitised.near(name), *self.osm.near(name)]))

    def around(self, bounds: tuple[float, float, float, float]) -> list[Line]:
        """Return the lines that touch a box: west, south, east, north in degrees."""
        mapped = [x for x in self.osm.around(bounds) if not self._drawn(x.names.hant)]
        return [*self._digitised.around(bounds), *mapped]

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
        drawn = [x for x in self._digitised.lines if x.parts and x.kind == "street"]
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
        mapped = [] if bounds is None else self.osm.around(bounds)
        mine = [x for x in self._digitised.lines if x.parts or x.names.hant not in self.osm]
        return [*mine, *(x for x in mapped if not self._drawn(x.names.hant))]
