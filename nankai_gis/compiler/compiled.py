"""A clause compiled: its polygon or axis, how well each side is known, and a plot of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nankai_gis.compiler.clauses import clause_feature
from nankai_gis.compiler.confidence import confidences
from nankai_gis.compiler.derive import Derived, derive, readings_of
from nankai_gis.compiler.lines import LineSource
from nankai_gis.compiler.measured import run_length
from nankai_gis.errors import NankaiGISError
from nankai_gis.network import digitised
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import Roads
from nankai_gis.plan.clauses import read_one
from nankai_gis.plan.model import Feature, Names, Vertex

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from shapely import Polygon

_COLOURS: Mapping[str, str] = {"high": "#1b7837", "fair": "#e08214", "low": "#b2182b"}


@dataclass(frozen=True, repr=False)
class Compiled:
    """What the compiler made of one clause on one network.

    Attributes
    ----------
    derived : Derived
        The ring or the pieces of the axis, and what the compiler remarks.

    Examples
    --------
    >>> made = compile_clause("東至衛津路,南至復康路,西至紅旗路,北至鞍山西道")
    >>> list(made.sides.road)
    ['鞍山西道', '紅旗路', '復康路', '衛津路']
    """

    derived: Derived

    def __repr__(self) -> str:
        made = f"{len(self.sides)} sides" if self.error is None else f"{self.error}"
        return f"<Compiled {self.derived.feature.id}: {made}>"

    @property
    def error(self) -> NankaiGISError | None:
        """Why there is no geometry; None where there is one.

        Returns
        -------
        NankaiGISError or None
        """
        return self.derived.error

    @property
    def polygon(self) -> Polygon:
        """The area that the four sides enclose.

        Returns
        -------
        shapely.Polygon
            Longitude and latitude in degrees (EPSG:4326), counter-clockwise; empty for an axis
            and where nothing was compiled.
        """
        from shapely import Polygon

        ring = self.derived.ring
        return Polygon(ring.coordinates) if ring is not None else Polygon()

    @property
    def sides(self) -> GeoDataFrame:
        """The sides of the ring, or the pieces of the axis, in order.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, a row for each line followed: ``road``, ``stands_for`` (the road of the
            clause in whose place the line is taken), ``role``, ``corner`` (how it meets the one
            before), ``length_m`` on the ellipsoid, ``detour`` (length over the straight line),
            ``bridged_m`` (over breaks of the line), ``accuracy_m``, ``status``, ``confidence``
            (None for an axis). No rows where nothing was compiled.
        """
        import geopandas
        from shapely import LineString

        from nankai_gis.geometry.crs import STORED

        ring = self.derived.ring
        if ring is None:
            runs = [piece.run for piece in self.derived.axis if piece.run is not None]
        else:
            runs = list(ring.runs)
        levels = confidences(ring) if ring is not None else []
        records = []
        for number, run in enumerate(runs):
            length = run_length(run.vertices)
            straight = run_length([run.vertices[0], run.vertices[-1]])
            record: dict[str, Any] = {
                "road": run.names.hant,
                "stands_for": run.stands_for,
                "role": run.role,
                "corner": None,
                "length_m": length,
                "detour": length / straight if straight > 1.0 else None,
                "bridged_m": run.bridged_m,
                "accuracy_m": run.accuracy_m,
                "status": run.status,
                "confidence": None,
                "geometry": LineString([vertex.position for vertex in run.vertices]),
            }
            if ring is not None:
                record["corner"] = ring.corners[number - 1].kind
                record["confidence"] = levels[number]
            records.append(record)
        columns = [
            *("road", "stands_for", "role", "corner", "length_m", "detour", "bridged_m"),
            *("accuracy_m", "status", "confidence", "geometry"),
        ]
        return geopandas.GeoDataFrame(records, columns=columns, geometry="geometry", crs=STORED)

    @property
    def readings(self) -> GeoDataFrame:
        """What the clause can mean: the ring that was taken, and the others that fit it.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, a row for each reading: ``reading`` (its number, 1 first), ``area_m2`` on
            the ellipsoid, ``for`` and ``against`` (what speaks for it and against it, in the
            language in force), ``chosen``. Where nothing decided, the choices, none of them
            chosen; no rows for an axis and for sides that don't close.
        """
        import geopandas
        from shapely import Polygon

        from nankai_gis.geometry.crs import STORED

        readings = readings_of(self.derived)
        records = [
            {
                "reading": number,
                "area_m2": reading.area_m2,
                "for": "; ".join(remark.text() for remark in reading.speaks_for),
                "against": "; ".join(remark.text() for remark in reading.speaks_against),
                "chosen": reading.ring is self.derived.ring,
                "geometry": Polygon(reading.ring.coordinates),
            }
            for number, reading in enumerate(readings, start=1)
        ]
        columns = ["reading", "area_m2", "for", "against", "chosen", "geometry"]
        return geopandas.GeoDataFrame(records, columns=columns, geometry="geometry", crs=STORED)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the area and its sides, coloured by confidence.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            In degrees, with equal lengths along both axes.
        """
        import geopandas

        from nankai_gis.geometry.crs import STORED

        sides = self.sides
        if not self.polygon.is_empty:
            area = geopandas.GeoSeries([self.polygon], crs=STORED)
            ax = area.plot(ax=ax, color="#dddddd", aspect="equal")
        colours = [_COLOURS.get(level or "", "#2166ac") for level in sides["confidence"]]
        drawn: Axes = sides.plot(ax=ax, color=colours, linewidth=2)
        return drawn


def compile_clause(
    clause: str | Feature,
    roads: Roads | LineSource | None = None,
    points: Mapping[str, Vertex] | None = None,
    *,
    allow_missing: bool = False,
    errors: Literal["raise", "return"] = "raise",
) -> Compiled:
    """Compile a clause, or a definition, on a network of named roads.

    Parameters
    ----------
    clause : str or Feature
        The words of a plan (「東至…,南至…,西至…,北至…」), or a feature of a plan.
    roads : Roads or LineSource, optional
        The network; by default that of the packaged plan, with its control points.
    points : mapping of str to Vertex, optional
        Control points that a definition may name.
    allow_missing : bool
        Whether a side of which the network holds no road may be guessed from other lines.
    errors : {'raise', 'return'}
        Whether a clause that doesn't compile is an error, or a result that says why.

    Returns
    -------
    Compiled

    Raises
    ------
    ClauseError
        If the words name no sides and no axis.
    GeometryError
        If the sides don't close.
    RoadNotFoundError
        If the network lacks a road that the geometry can't do without.

    Examples
    --------
    >>> compile_clause("東至衛津路,南至復康路,西至紅旗路,北至鞍山西道").polygon.is_valid
    True
    """
    lines: LineSource
    if roads is None:
        packaged = digitised.packaged()
        lines, points = packaged, packaged.points
    else:
        lines = OsmNetwork(roads) if isinstance(roads, Roads) else roads
    try:
        if isinstance(clause, str):
            clause = clause_feature(read_one(clause, lines), lines)
        feature = clause
    except NankaiGISError as error:
        if errors == "raise":
            raise
        feature = Feature("clause", "zone", Names("clause", "clause", "clause"), "", "osm", "")
        return Compiled(Derived(feature, error=error))
    derived = derive(feature, lines, points, allow_missing=allow_missing)
    if derived.error is not None and errors == "raise":
        raise derived.error
    return Compiled(derived)
