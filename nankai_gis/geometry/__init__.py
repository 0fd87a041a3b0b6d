"""Lines and polygons cut by areas, so that the parts add up to the whole.

Edges run straight in longitude and latitude, as in `measure`; their lengths, and the areas they
enclose, are integrals on the CGCS2000 ellipsoid, so a cut never changes a sum. An edge of 1 km is
some 5e-10 of its length longer than the geodesic.

How lines are cut:

1. A raster over the areas holds, cell by cell, whether a boundary passes and, where none does, in
   which areas the cell lies. A line whose bounding box meets no boundary is counted whole.
2. The other lines are cut where they cross a boundary and where they begin or cease to run along
   it. What lies between two cuts is inside or outside as its midpoint is, which a prepared
   polygon answers.

A stretch **runs along** a boundary where it lies within the tolerance of an edge of it and their
directions differ by at most `ALONG_DEG` degrees; at a corner of the boundary it ends. That
depends on the place alone, so it is the same however a street is split into pieces, and a street
that crosses the boundary squarely stays inside up to it and outside from it.

Prepared polygons are made and used within one call, never handed on: they may not be shared
between threads.
"""

from __future__ import annotations

from nankai_gis.geometry.boundaries import CORNER_DEG
from nankai_gis.geometry.cut import BOUNDARY, INSIDE, Cut
from nankai_gis.geometry.cut_lines import ALONG_DEG, LEAST_M, cut_lines
from nankai_gis.geometry.nearest import near, per_degree
from nankai_gis.geometry.polygons import difference, intersection, union
from nankai_gis.geometry.ruler import areas, lengths

__all__ = [
    "ALONG_DEG",
    "BOUNDARY",
    "CORNER_DEG",
    "INSIDE",
    "LEAST_M",
    "Cut",
    "areas",
    "cut_lines",
    "difference",
    "intersection",
    "lengths",
    "near",
    "per_degree",
    "union",
]
