"""What lies where: zones by subdistrict, by street and by road class, in tables that add up.

Everything is measured on the CGCS2000 ellipsoid, edges straight in longitude and latitude (see
`geometry`). A stretch of street is inside a zone, or it runs along the zone's boundary, or it is
outside: one of the three, as a whole. A stretch that runs along the border of two subdistricts
belongs to the pair, once; its row is called ``one|other``.

No row is left out of a sum: streets without a name, without a class, without a subdistrict have
rows of their own, input that can't be used is counted in `Coverage.dropped`, and
`Coverage.reconciliation` compares each table with its whole. A table that doesn't add up is an
error.

geopandas.overlay cuts by the same areas but tells nothing of what runs along a boundary, and its
lengths are in degrees; on 200 thousand pieces it takes many times as long (see
tests/benchmarks/test_coverage.py).
"""

from __future__ import annotations

from nankai_gis.measure.coverage.labels import (
    BORDER,
    CLASS_LABELS,
    NO_SUBDISTRICT,
    UNCLASSED,
    UNNAMED,
    class_label,
    label,
)
from nankai_gis.measure.coverage.overlay import BOUNDARY_M, measure
from nankai_gis.measure.coverage.reconciliation import TOLERANCE
from nankai_gis.measure.coverage.result import KEYS, Coverage, Key
from nankai_gis.measure.coverage.walk import WalkingReach, walking_reach

__all__ = [
    "BORDER",
    "BOUNDARY_M",
    "CLASS_LABELS",
    "KEYS",
    "NO_SUBDISTRICT",
    "TOLERANCE",
    "UNCLASSED",
    "UNNAMED",
    "Coverage",
    "Key",
    "WalkingReach",
    "class_label",
    "label",
    "measure",
    "walking_reach",
]
