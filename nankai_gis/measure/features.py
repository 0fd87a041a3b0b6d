"""Areas and lengths of the plan's features, with the uncertainty of their boundaries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nankai_gis.compiler.remarks import doubts_of
from nankai_gis.errors import GeometryError
from nankai_gis.geometry import crs
from nankai_gis.geometry.ruler import (
    Coordinates,
    GeoInterface,
    area,
    as_mapping,
    length,
    perimeter,
    planar_area,
)
from nankai_gis.words import language, tr


def area_uncertainty(ring: Coordinates, parts: Iterable[Mapping[str, Any]]) -> float:
    r"""Return the standard uncertainty of an area that follows from its boundary's accuracy.

    Moving a side of length :math:`L_k` by :math:`\delta_k` square to itself changes the area by
    :math:`L_k\,\delta_k` (the first variation of area). A side is one line from one source, so it
    is taken to move as a whole, by its accuracy :math:`\sigma_k` read as one standard deviation;
    different sides move independently:

    .. math:: u(A) = \sqrt{\textstyle\sum_k (L_k\,\sigma_k)^2}

    What does not count: the ends of a side sliding along it, and faults in the reading itself
    (a wrong road, a wrong order).

    Parameters
    ----------
    ring : sequence of positions
        The closed exterior ring, longitude and latitude in degrees.
    parts : iterable of mapping
        ``start`` and ``stop`` (indices of the first and last vertex in `ring`) and
        ``accuracy_m`` of each stretch; those of one ``side`` move together, but for what bridges
        a gap (``gap_m``).

    Returns
    -------
    float
        Square metres, one standard deviation; 0.0 for no parts.

    Notes
    -----
    The law of propagation for uncorrelated quantities is JCGM 100:2008 (GUM), 5.1.2. The
    treatment of whole sides follows the error-band view of boundaries (Perkal 1966); with single
    vertices in the place of sides it becomes Chrisman and Yandell, Surveying and Mapping 48
    (1988) 241-246, which makes finely drawn boundaries look better than they are.

    Examples
    --------
    A side of 1110.2 m known to 10 m and three known exactly:

    >>> ring = [[117, 39], [117.01, 39], [117.01, 39.01], [117, 39.01], [117, 39]]
    >>> round(area_uncertainty(ring, [{"start": 1, "stop": 2, "accuracy_m": 10}]))
    11102
    """
    moved: dict[object, float] = {}
    for number, part in enumerate(parts):
        # Stretches of one side move together; what is put over a break moves by itself.
        side = part.get("side", number)
        key = (side, number) if part.get("gap_m") else side
        moved[key] = moved.get(key, 0.0) + _side_length(ring, part) * part["accuracy_m"]
    return math.hypot(*moved.values())


def _side_length(ring: Coordinates, part: Mapping[str, Any]) -> float:
    stretch = ring[part["start"] : part["stop"] + 1]
    return length({"type": "LineString", "coordinates": stretch})


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two polygons differ.

    Attributes
    ----------
    area_m2, other_m2 : float
        On the ellipsoid.
    symmetric_difference_m2 : float
        Covered by one of the two only.
    hausdorff_m : float
        The furthest that any point of either boundary lies from the other boundary.
    """

    area_m2: float
    other_m2: float
    symmetric_difference_m2: float
    hausdorff_m: float


def compare(geometry: GeoInterface, other: GeoInterface) -> Comparison:
    """Compare two polygons.

    Parameters
    ----------
    geometry, other : Polygon or MultiPolygon, or its GeoJSON mapping
        Longitude, latitude in degrees.

    Returns
    -------
    Comparison
        Areas on the ellipsoid, the distance in EPSG:4548.

    Raises
    ------
    GeometryError
        For points and lines, or where a polygon is not valid.

    Examples
    --------
    Two squares, the second moved by a thousandth of a degree (111.0 m) northward:

    >>> def square(y):
    ...     ring = [[117, y], [117.01, y], [117.01, y + 0.01], [117, y + 0.01], [117, y]]
    ...     return {"type": "Polygon", "coordinates": [ring]}
    >>> moved = compare(square(39), square(39.001))
    >>> round(moved.hausdorff_m), round(moved.symmetric_difference_m2 / moved.area_m2, 2)
    (111, 0.2)
    """
    import shapely

    one, two = (shapely.geometry.shape(dict(as_mapping(g))) for g in (geometry, other))
    for polygon in (one, two):
        if not polygon.is_valid:
            raise GeometryError(
                tr("not a valid polygon: {reason}", reason=shapely.is_valid_reason(polygon))
            )
    apart = [p for p in shapely.get_parts(one.symmetric_difference(two)) if p.area > 0]
    boundaries = [
        crs.to_planar(shapely.segmentize(polygon.boundary, 1e-4)) for polygon in (one, two)
    ]
    return Comparison(
        area(one),
        area(two),
        sum(map(area, apart)),
        float(boundaries[0].hausdorff_distance(boundaries[1])),
    )


@dataclass(frozen=True, slots=True)
class AreaRow:
    """The measures of one polygon of the plan.

    Attributes
    ----------
    id, kind, name, name_hans, name_en : str
    area_m2, area_sd_m2, planar_area_m2, perimeter_m : float
        On the ellipsoid but for ``planar_area_m2`` (EPSG:4548).
    stated_area_m2 : float or None
        What the plan or another text states.
    status : str
        Of the least certain part.
    inferred_share : float
        Share of the perimeter that is inferred, 0 to 1.
    doubts : list of dict
        What of the boundary is inferred or open, as remarks are stored.
    """

    id: str
    kind: str
    name: str
    name_hans: str
    name_en: str
    area_m2: float
    area_sd_m2: float
    planar_area_m2: float
    perimeter_m: float
    stated_area_m2: float | None
    status: str
    inferred_share: float
    doubts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def in_doubt(self) -> list[str]:
        """What is in doubt, in sentences in the language in force."""
        return doubts_of({"doubts": self.doubts})

    @property
    def difference_ppm(self) -> float:
        """Planar minus ellipsoidal area, in parts per million of the latter."""
        return (self.planar_area_m2 / self.area_m2 - 1) * 1e6

    @property
    def deviation_m2(self) -> float | None:
        """Measured minus stated area; None where none is stated."""
        return None if self.stated_area_m2 is None else self.area_m2 - self.stated_area_m2


@dataclass(frozen=True, slots=True)
class LengthRow:
    """The measures of one piece of a corridor.

    Attributes
    ----------
    corridor, corridor_name, corridor_name_hans, corridor_name_en : str
    street, street_name : str
        The line followed; the names of the streets stood for, in a straight piece.
    role : {'main', 'extension', 'bridge'}
    planned : bool
    length_m, length_sd_m : float or None
        On the ellipsoid; None where the street is not located.
    status : str
        ``"not located"`` where there is no course.
    """

    corridor: str
    corridor_name: str
    corridor_name_hans: str
    corridor_name_en: str
    street: str
    street_name: str
    role: str
    planned: bool
    length_m: float | None
    length_sd_m: float | None
    status: str


def _named(properties: Mapping[str, Any]) -> str:
    column = {"zh-Hant": "name", "zh-Hans": "name_hans", "en": "name_en"}[language()]
    return str(properties[column])


def areas(features: Iterable[Mapping[str, Any]]) -> list[AreaRow]:
    """Measure polygons of the plan.

    Parameters
    ----------
    features : iterable of mapping
        GeoJSON features as the layers hold them.

    Returns
    -------
    list of AreaRow
        One for each feature, in order; empty for none.

    Raises
    ------
    GeometryError
        If a feature has no polygon.

    Examples
    --------
    >>> from nankai_gis.plan import layers
    >>> [row.id for row in areas(layers.features("parcel"))]
    ['xiyingmen']
    """
    rows = []
    for feature in features:
        p, geometry = feature["properties"], feature["geometry"]
        if geometry is None:
            raise GeometryError(tr("{name} has no geometry to measure", name=_named(p)))
        ring = geometry["coordinates"][0]
        inferred = sum(
            _side_length(ring, part) for part in p["parts"] if part["status"] == "inferred"
        )
        around = perimeter(geometry)
        rows.append(
            AreaRow(
                id=p["id"],
                kind=p["kind"],
                name=p["name"],
                name_hans=p["name_hans"],
                name_en=p["name_en"],
                area_m2=area(geometry),
                area_sd_m2=area_uncertainty(ring, p["parts"]),
                planar_area_m2=planar_area(geometry),
                perimeter_m=around,
                stated_area_m2=p["stated_area_m2"],
                status=p["status"],
                inferred_share=inferred / around,
                doubts=p.get("doubts") or [],
            )
        )
    return rows


def lengths(features: Iterable[Mapping[str, Any]]) -> list[LengthRow]:
    """Measure the pieces of corridors.

    Parameters
    ----------
    features : iterable of mapping
        GeoJSON features of the corridor layer; a piece without coordinates has no geometry.

    Returns
    -------
    list of LengthRow
        One for each piece, in order; empty for none. The uncertainty is that of the two ends,
        taken as independent: a course that shifts sideways keeps its length.

    Examples
    --------
    >>> from nankai_gis.plan import layers
    >>> rows = lengths(layers.features("corridors"))
    >>> [row.street_name for row in rows if row.length_m is None]
    ['樂山道', '延安路']
    """
    rows = []
    for feature in features:
        p, geometry = feature["properties"], feature["geometry"]
        rows.append(
            LengthRow(
                corridor=p["corridor"],
                corridor_name=p["name"],
                corridor_name_hans=p["name_hans"],
                corridor_name_en=p["name_en"],
                street=p["street"],
                street_name=p["street_name"],
                role=p["role"],
                planned=p["planned"],
                length_m=None if geometry is None else length(geometry),
                length_sd_m=None if geometry is None else math.hypot(*p["end_accuracy_m"]),
                status=p["status"],
            )
        )
    return rows
