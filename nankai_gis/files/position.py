"""Where the coordinates of a vector file are: its CRS is known, fits, and is no shifted datum."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import CRSError, DataError
from nankai_gis.files.formats import VectorSource
from nankai_gis.geometry.crs import STORED
from nankai_gis.geometry.datum import BD09, GCJ02, Datum
from nankai_gis.words import stored, tr

if TYPE_CHECKING:
    import pyproj
    from geopandas import GeoDataFrame

#: Eastings this far from the central meridian's are those of another zone, metres.
FAR_EAST_M = 1_000_000.0
#: A transformation that is less accurate than this is told, metres.
ACCURATE_M = 5.0
_CHINESE = re.compile(r"china.?(2000|geodetic)|cgcs.?2000", re.IGNORECASE)
_SHIFTED = {"gcj02": GCJ02, "bd09": BD09}


def located(source: VectorSource, frame: GeoDataFrame) -> tuple[GeoDataFrame, list[str]]:
    """Return a layer in longitude and latitude (EPSG:4326), and what is to be said of the way."""
    name, notes = source.path.name, list[str]()
    crs = frame.crs
    if crs is None and source.driver == "TopoJSON":
        # It has no place for a CRS, and is in degrees by its own account.
        frame = frame.set_crs(STORED)
        crs = frame.crs
    if crs is None or _is_undefined(crs):
        raise CRSError(
            tr(
                "{file}: no CRS is given; write the file again with one (EPSG:4326 for longitude "
                "and latitude in degrees)",
                file=name,
            )
        )
    x, y = _finite(frame)
    if len(x):
        if crs.is_geographic:
            _check_degrees(source, crs, x, y)
        else:
            _check_eastings(name, crs, float(_median(x)))
    shift = _stated_shift(frame, crs)
    if shift is not None:
        # The label of such coordinates is no CRS.
        frame = frame.set_crs(STORED, allow_override=True)
        crs = frame.crs
    frame, remark = _moved(name, frame, crs)
    notes += [remark] if remark else []
    if shift is not None:
        frame = _unshifted(frame, shift)
        notes.append(
            stored(
                "{file} states {datum}; its coordinates were shifted back to WGS-84",
                file=name,
                datum=shift.name,
            )
        )
    return frame, notes


def _finite(frame: GeoDataFrame) -> tuple[Any, Any]:
    """Coordinates that are numbers; rows that have others are told of where they are used."""
    import numpy as np
    import shapely

    places = shapely.get_coordinates(np.asarray(frame.geometry.values, dtype=object))
    places = places[np.isfinite(places).all(axis=1)]
    return places[:, 0], places[:, 1]


def _median(values: Any) -> float:
    import numpy as np

    return float(np.median(values))


def _is_undefined(crs: pyproj.CRS) -> bool:
    """Whether a CRS is the placeholder of a file that has none."""
    if not (crs.is_geographic or crs.is_projected or crs.is_geocentric):
        return True
    return bool(re.match(r"undefined|unknown.?(geographic|cartesian)|nonearth", crs.name, re.I))


def _check_degrees(source: VectorSource, crs: pyproj.CRS, x: Any, y: Any) -> None:
    wrong = (abs(x) > 180) | (abs(y) > 90)
    if not wrong.any():
        return
    where = f"{x[wrong][0]:f}, {y[wrong][0]:f}"
    if (abs(x) <= 90).all() and (abs(y) <= 180).all():
        raise DataError(
            tr(
                "{file}: {where} is no longitude and latitude in degrees; the two look swapped: "
                "longitude comes first, about 117 in Tianjin",
                file=source.path.name,
                where=where,
            )
        )
    if source.driver in ("GeoJSON", "GeoJSONSeq", "TopoJSON", "LIBKML", "GPX"):
        raise CRSError(
            tr(
                "{file}: {where} is no longitude and latitude in degrees, which this format has "
                "where it states no other CRS; write it again in EPSG:4326, or as GeoPackage with "
                "the CRS that the numbers are in",
                file=source.path.name,
                where=where,
            )
        )
    raise CRSError(
        tr(
            "{file}: {where} is no longitude and latitude in degrees, but its CRS is {crs}; state "
            "the CRS that the numbers are in",
            file=source.path.name,
            where=where,
            crs=crs.name,
        )
    )


def _check_eastings(name: str, crs: pyproj.CRS, easting: float) -> None:
    """Refuse eastings of another zone, or with a zone's number where the CRS has none."""
    step = crs.coordinate_operation
    if step is None or "Transverse Mercator" not in step.method_name:
        return
    origin = next((float(p.value) for p in step.params if p.name == "False easting"), 0.0)
    if abs(easting - origin) <= FAR_EAST_M:
        return
    if abs(easting % 1e6 - origin % 1e6) <= FAR_EAST_M / 2 and max(easting, origin) > 1e7:
        raise CRSError(
            tr(
                "{file}: the eastings ({easting:.0f}) and the stated CRS ({crs}) don't agree on "
                "the number of the zone in front; state the CRS with zone numbers (EPSG:4513 to "
                "4533) or the one without (EPSG:4534 to 4554) that the numbers are in",
                file=name,
                easting=easting,
                crs=crs.name,
            )
        )
    raise CRSError(
        tr(
            "{file}: eastings such as {easting:.0f} lie far outside the stated CRS ({crs}); state "
            "the CRS that the numbers are in",
            file=name,
            easting=easting,
            crs=crs.name,
        )
    )


def _moved(name: str, frame: GeoDataFrame, crs: pyproj.CRS) -> tuple[GeoDataFrame, str]:
    """Return a layer in EPSG:4326, and a remark on the accuracy of the transformation."""
    import numpy as np
    import pyproj

    if crs.equals(STORED):
        return frame, ""
    base = crs.geodetic_crs
    datum = base.datum.name if base is not None and base.datum is not None else ""
    # As everywhere here WGS-84 and CGCS2000 are the same datum.
    if _CHINESE.search(f"{datum} {base.name if base else ''}"):
        return _checked_places(name, frame.to_crs(STORED), crs), ""
    shapes = frame.geometry.to_crs(base) if base is not None and crs.is_projected else None
    bounds = (frame.geometry if shapes is None else shapes).total_bounds
    around: Any = None
    if np.isfinite(bounds).all() and (np.abs(bounds) <= [180, 90, 180, 90]).all():
        around = pyproj.aoi.AreaOfInterest(*bounds)
    try:
        step = pyproj.Transformer.from_crs(
            crs, STORED, always_xy=True, allow_ballpark=False, area_of_interest=around
        )
        accuracy = step.accuracy
        if _is_old_survey(crs) and not _has_parameters(crs):
            raise pyproj.exceptions.ProjError("made for elsewhere")
    except pyproj.exceptions.ProjError as error:
        if re.search("unknown", datum, re.I) and not _is_old_survey(crs):
            # A CRS by its ellipsoid alone, as many programs write it.
            remark = stored(
                "{file}: its CRS ({crs}) names no datum; WGS-84 was assumed",
                file=name,
                crs=crs.name,
            )
            return _checked_places(name, frame.to_crs(STORED), crs), remark
        raise CRSError(
            tr(
                "{file}: no published transformation leads from {crs} to WGS-84 here, so that it "
                "would lie off by up to some 100 m; transform it with the local parameters and "
                "give it in CGCS2000 (EPSG:4490)",
                file=name,
                crs=crs.name,
            )
        ) from error
    remark = ""
    if accuracy > ACCURATE_M:
        remark = stored(
            "{file}: the transformation from {crs} is accurate to {metres} m only",
            file=name,
            crs=crs.name,
            metres=f"{accuracy:g}",
        )
    return _checked_places(name, frame.to_crs(STORED), crs), remark


def _is_old_survey(crs: pyproj.CRS) -> bool:
    """Whether it is Beijing 1954 or Xian 1980; PROJ knows operations for other provinces only."""
    base = crs.geodetic_crs
    ellipsoid = base.ellipsoid.name if base is not None and base.ellipsoid is not None else ""
    text = f"{crs.name} {base.name if base is not None else ''} {ellipsoid}"
    return bool(re.search(r"beijing|xian|xi'an|北京|西安|IAG.?1975|krass?ows?k[yi]", text, re.I))


def _has_parameters(crs: pyproj.CRS) -> bool:
    """Whether the file itself has parameters of a transformation that aren't all zero."""
    if not crs.is_bound or crs.coordinate_operation is None:
        return False
    values = crs.coordinate_operation.towgs84
    return any(abs(value) > 0 for value in values)


def _checked_places(name: str, frame: GeoDataFrame, crs: pyproj.CRS) -> GeoDataFrame:
    import numpy as np

    bounds = frame.geometry.total_bounds
    if np.isinf(bounds).any():
        raise CRSError(
            tr(
                "{file}: some coordinates have no place in the stated CRS ({crs}); state the CRS "
                "that the numbers are in",
                file=name,
                crs=crs.name,
            )
        )
    return frame


# ------------------------------------------------------------------ GCJ-02 and BD-09


def _stated_shift(frame: GeoDataFrame, crs: pyproj.CRS) -> Datum | None:
    """Return the shift that the CRS or a column ``datum`` states, as in our own exports."""
    label = re.search(r"(gcj|bd).?0(2|9)", crs.name, re.IGNORECASE)
    stated = {_plain(label[0])} if label else set[str]()
    if "datum" in frame.columns:
        stated |= {_plain(value) for value in frame["datum"].dropna()}
    found = {_SHIFTED[value] for value in stated if value in _SHIFTED}
    if not found:
        return None
    if len(found) > 1 or len(stated) > 1:
        raise CRSError(tr("the column datum states several datums; split the layer by it"))
    return found.pop()


def _plain(text: object) -> str:
    return re.sub(r"\W|_", "", str(text)).lower()


def _unshifted(frame: GeoDataFrame, shift: Datum) -> GeoDataFrame:
    import numpy as np
    import shapely

    def back(places: Any) -> Any:
        return np.array([shift.to_wgs84(float(x), float(y)) for x, y in places]).reshape(-1, 2)

    shapes = shapely.transform(np.asarray(frame.geometry.values, dtype=object), back)
    return frame.set_geometry(list(shapes), crs=STORED).assign(datum="WGS-84")
