"""What it means that a zone covers a subdistrict."""

from __future__ import annotations

from nankai_gis.measure.checks.context import CheckContext, area_m2

#: A subdistrict counts as covered from this share of its area, or from this area in m².
COVERED_SHARE, COVERED_M2 = 0.02, 50_000.0


def covered(context: CheckContext, zone: str) -> dict[str, tuple[float, float]]:
    """Return what a zone has of each subdistrict.

    Parameters
    ----------
    context : CheckContext
    zone : str
        Id.

    Returns
    -------
    dict of str to tuple of float
        Area in m² on the ellipsoid and share of the subdistrict (0 to 1) by its id; empty for a
        zone without a geometry.

    Examples
    --------
    >>> from nankai_gis.measure.checks.r07_claimed import RULE
    >>> case = RULE.passing
    >>> size, share = covered(CheckContext(case.plan(), case.layers()), "a")["s"]
    >>> round(share, 2)
    0.5
    """
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
    """Tell whether a subdistrict counts as covered.

    Parameters
    ----------
    area : float
        Covered, m².
    share : float
        Of the subdistrict, 0 to 1.

    Returns
    -------
    bool

    Examples
    --------
    >>> counts(60_000, 0.01), counts(10_000, 0.03), counts(10_000, 0.01)
    (True, True, False)
    """
    return share >= COVERED_SHARE or area >= COVERED_M2
