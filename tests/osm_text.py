"""A small town as the text of an OSM file."""

from __future__ import annotations

# Two streets along, two across, a third that ends between them; nodes at the crossings.
STREETS = {
    "南一路": [(0, 0), (1, 0), (2, 0), (3, 0)],
    "北二路": [(0, 2), (1, 2), (2, 2), (3, 2)],
    "西三路": [(0, -1), (0, 0), (0, 2), (0, 3)],
    "东四路": [(2, -1), (2, 0), (2, 2), (2, 3)],
    "断头路": [(1, 0), (1, 1)],
}


def osm(streets: dict[str, list[tuple[int, int]]] = STREETS, shift: float = 0.0) -> str:
    """The file's text; crossings of the streets are a hundredth of a degree apart."""
    numbers: dict[tuple[int, int], int] = {}
    ways = []
    for way, (name, course) in enumerate(streets.items(), start=1):
        refs = "".join(f'<nd ref="{numbers.setdefault(xy, len(numbers) + 1)}"/>' for xy in course)
        tags = f'<tag k="highway" v="primary"/><tag k="name" v="{name}"/>'
        ways.append(f'<way id="{way}">{refs}{tags}</way>')
    nodes = "".join(
        f'<node id="{n}" lon="{117.1 + x * 0.01 + shift:.6f}" lat="{39.1 + y * 0.01:.6f}"/>'
        for (x, y), n in numbers.items()
    )
    return f'<osm version="0.6">{nodes}{"".join(ways)}</osm>'
