"""What the coordinates of an output are in, and how they get there from EPSG:4326."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import CRSError
from nankai_gis.geometry.crs import PLANAR, STORED, ellipsoid
from nankai_gis.geometry.datum import BD09, GCJ02
from nankai_gis.words import language, quoted, tr

if TYPE_CHECKING:
    import pyproj

Move = Callable[[Any], Any]
_SHIFTS = {"gcj02": GCJ02, "bd09": BD09}
#: The shifted coordinates have no EPSG code. A label of their own keeps a program from laying
#: them over WGS-84 as if they were the same.
_SHIFTED_WKT = (
    'GEOGCRS["{0} (shifted from WGS 84)",DATUM["{0}",ELLIPSOID["WGS 84",6378137,298.257223563]],'
    'CS[ellipsoidal,2],AXIS["longitude",east],AXIS["latitude",north],'
    'ANGLEUNIT["degree",0.0174532925199433]]'
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What coordinates are in."""

    crs: pyproj.CRS
    code: str
    datum: str
    statement: str
    move: Move | None

    @property
    def is_shifted(self) -> bool:
        """Whether the coordinates are in GCJ-02 or BD-09."""
        return self.code in {shift.name for shift in _SHIFTS.values()}


def parsed(crs: str) -> pyproj.CRS:
    """Return a CRS that a plane output can be in, or say why it can't."""
    import pyproj

    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CRSError(
            tr(
                "{crs} is no CRS that PROJ knows; give a code such as {stored}, EPSG:4490 or "
                "{planar}",
                crs=quoted(crs),
                stored=STORED,
                planar=PLANAR,
            )
        ) from error
    if not (found.is_geographic or found.is_projected) or len(found.axis_info) != 2:
        raise CRSError(
            tr(
                "{crs} ({name}) is not a geographic or projected CRS of two dimensions",
                crs=crs,
                name=found.name,
            )
        )
    return found


def reference(crs: str, datum: str, bounds: Sequence[float] | None) -> Reference:
    """Return the reference of an output.

    ``bounds`` are west, south, east, north in degrees; None where there is nothing to place.
    """
    if datum != "wgs84":
        return _shifted(datum, bounds)
    target = parsed(crs)
    geodetic = target.geodetic_crs
    name = geodetic.datum.name if geodetic and geodetic.datum else ""
    datum_name = {"China 2000": "CGCS2000", "World Geodetic System 1984": "WGS-84"}.get(
        name.removesuffix(" ensemble"), name
    )
    statement = tr(
        "Coordinates in {crs} ({name}), x (east) before y (north).", crs=crs, name=target.name
    )
    if target == parsed(STORED):
        return Reference(target, crs, datum_name, statement, None)
    if datum_name == "CGCS2000":
        # As everywhere here: the two differ by centimetres, and no transformation is published.
        same = tr("CGCS2000 is taken as the same datum as WGS-84; they differ by centimetres.")
        remark, move = _transformed(parsed("EPSG:4490"), target, crs, bounds)
        return Reference(target, crs, datum_name, _sentences(statement, same, remark), move)
    remark, move = _transformed(parsed(STORED), target, crs, bounds)
    return Reference(target, crs, datum_name, _sentences(statement, remark), move)


def _sentences(*texts: str) -> str:
    """Return sentences one after the other; Chinese has no blanks between them."""
    return ("" if language().startswith("zh") else " ").join(filter(None, texts))


def _transformed(
    source: pyproj.CRS, target: pyproj.CRS, crs: str, bounds: Sequence[float] | None
) -> tuple[str, Move]:
    """Return a remark on the accuracy, or nothing, and what moves coordinates."""
    import numpy as np
    import pyproj

    around: Any = pyproj.aoi.AreaOfInterest(*bounds) if bounds else None
    try:
        step = pyproj.Transformer.from_crs(
            source,
            target,
            always_xy=True,
            # Without a published transformation PROJ would leave the datum as it is, some
            # hundred metres off, and say nothing.
            allow_ballpark=False,
            area_of_interest=around,
        )
    except pyproj.exceptions.ProjError as error:
        raise CRSError(
            tr(
                "no published transformation leads from WGS-84 to {crs} ({name}); export in "
                "{planar} and transform with the local parameters",
                crs=crs,
                name=target.name,
                planar=PLANAR,
            )
        ) from error
    remark = ""
    if step.accuracy > 0:
        remark = tr(
            "The transformation is accurate to {metres} m ({name}).",
            metres=f"{step.accuracy:g}",
            name=step.description,
        )

    def move(places: Any) -> Any:
        x, y = step.transform(places[:, 0], places[:, 1])
        moved = np.column_stack([x, y])
        if not np.isfinite(moved).all():
            raise CRSError(
                tr("some places have no coordinates in {crs} ({name})", crs=crs, name=target.name)
            )
        return moved

    return remark, move


def outside(found: Reference, bounds: Sequence[float]) -> str | None:
    """Return a remark where the data lies outside the CRS's area of use."""
    area = found.crs.area_of_use
    if area is None:
        return None
    west, south, east, north = bounds
    inside = area.south <= south and north <= area.north
    if area.west <= area.east:
        inside = inside and area.west <= west and east <= area.east
    if inside:
        return None
    return tr(
        "some places lie outside the area for which {crs} is made ({area})",
        crs=found.code,
        area=area.name,
    )


def _shifted(datum: str, bounds: Sequence[float] | None) -> Reference:
    import numpy as np

    name, shift = _SHIFTS[datum].name, _SHIFTS[datum].from_wgs84
    statement = tr(
        "Coordinates in {datum}, shifted from WGS-84: neither WGS-84 nor a survey datum.",
        datum=name,
    )
    if bounds is not None:
        west, south, east, north = bounds
        lon, lat = (west + east) / 2, (south + north) / 2
        azimuth, _, distance = ellipsoid().inv(lon, lat, *shift(lon, lat))
        eastward = distance * math.sin(math.radians(azimuth))
        northward = distance * math.cos(math.radians(azimuth))
        middle = tr(
            "In the middle of the data they are shifted by {metres} m ({east} m east, {north} m "
            "north).",
            metres=f"{distance:.0f}",
            east=f"{eastward:+.0f}",
            north=f"{northward:+.0f}",
        )
        statement = _sentences(statement, middle)
    import pyproj

    def move(places: Any) -> Any:
        return np.array([shift(float(lon), float(lat)) for lon, lat in places]).reshape(-1, 2)

    return Reference(pyproj.CRS.from_wkt(_SHIFTED_WKT.format(name)), name, name, statement, move)
