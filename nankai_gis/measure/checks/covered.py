"""What it means that a zone covers a subdistrict."""

from __future__ import annotations

from nankai_gis.measure.checks.context import CheckContext, area_m2

#: A subdistrict counts as covered from this share of its area, or from this area in m².
COVERED_SHARE, COVERED_M2 = 0.02, 50_000.0


def covered(context: CheckContext, zone: str) -> dict[str, tuple[float, float]]:
    """Return what a zone has of each subdistrict."""
    shapes = context.shapes
    if zone not in shapes:
        return {}
    common = {
        sub.id: area_m2(shapes[zone].intersection(shapes[sub.id]))
        for sub in context.of("subdistrict")
        if sub.id in shapes
    }
    return {key: (size, size / area_m2(shapes[key])) for key, size in common.items()}


def counts(area: float, share: float) -> bool:
    """Tell whether a subdistrict counts as covered."""
    return share >= COVERED_SHARE or area >= COVERED_M2
