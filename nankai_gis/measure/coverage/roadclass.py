"""Road classes: the columns that hold them, and their Chinese labels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CLASS_COLUMNS", "CLASS_LABELS", "UNCLASSED", "class_label"]

#: Row of the streets without a class.
UNCLASSED = "(無等級)"
#: Columns that may hold the class of a street, the best first.
CLASS_COLUMNS = ("highway", "class", "fclass", "kind")
#: OSM highway values in Chinese.
CLASS_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "motorway": "高速公路",
        "motorway_link": "高速公路匝道",
        "trunk": "快速路",
        "trunk_link": "快速路匝道",
        "primary": "主幹路",
        "primary_link": "主幹路連接道",
        "secondary": "次幹路",
        "secondary_link": "次幹路連接道",
        "tertiary": "支路",
        "tertiary_link": "支路連接道",
        "unclassified": "一般道路",
        "residential": "住區道路",
        "living_street": "生活街道",
        "service": "內部道路",
        "pedestrian": "步行街",
        "footway": "人行道",
        "cycleway": "自行車道",
        "path": "小徑",
        "steps": "台階",
        "track": "土路",
        "busway": "公交專用道",
        "construction": "在建道路",
        "proposed": "規劃道路",
        "road": "等級未明",
        "street": "街道",
        "railway": "鐵路",
        "river": "河流",
    }
)


def class_label(value: str) -> str:
    """Return the Chinese label of a road class.

    Parameters
    ----------
    value : str
        An OSM highway value.

    Returns
    -------
    str
        The value itself where there is no label.

    Examples
    --------
    >>> class_label("primary"), class_label("via_ferrata")
    ('主幹路', 'via_ferrata')
    """
    return CLASS_LABELS.get(value, value)
