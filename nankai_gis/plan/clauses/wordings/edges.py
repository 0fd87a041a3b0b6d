"""The edge of a road or its red line: 「衛津路西側道路紅線」, 「北沿」, 「中心線」, 「南岸」."""

from __future__ import annotations

import re
from dataclasses import replace

from nankai_gis.plan.clauses.marks import SIDE
from nankai_gis.plan.clauses.wordings.wording import NAMED, Draft, Example, Wording

_OF = "(?:规划|现状|城市|道路|河道|铁路|铁轨|用地|建筑|公路|路面|的)*"
_NOUN = (
    "红线|蓝线|绿线|黄线|紫线|路边线|边界线|边界|边线|边沿|边缘|路缘石?|路沿石?|路牙石?|路边|路肩|人行道|"
    "绿化带|防护绿地|绿地|护栏|围栏|隔离带|中心线|中轴线|中线|河岸线|岸线|堤岸|堤顶|堤脚|坡脚|坡顶|"
    "外缘|内缘|用地界线|界线|征地线|控制线|铁轨|轨道|路面|路基|车行道|辅道|河岸|河堤"
)
_EDGE = re.compile(
    rf"{_OF}(?P<a>[东南西北内外])?(?:侧|边)?(?:的)?{_OF}(?:{_NOUN})(?P<b>[东南西北内外])?"
    r"(?:侧|边线|边)?(?:以内|以外)?"
    r"|(?P<c>[东南西北内外])(?:侧|沿|缘|岸|边)(?:线|边)?(?:以内)?"
)
_EDGES = {**SIDE, "内": "inner", "外": "outer"}


def edge(words: str) -> str:
    """Return which edge some words mean; "" for words that mean none."""
    found = _EDGE.fullmatch(words)
    if not found:
        return ""
    letter = found["a"] or found["b"] or found["c"]
    if letter:
        return _EDGES[letter]
    # A red line of which no side is told is the one that the area comes to first.
    return "centre" if re.search("中心|中轴|中线", words) else "inner"


def _put(draft: Draft, found: re.Match[str], words: str) -> None:
    draft.bounds[-1] = replace(draft.bounds[-1], edge=edge(found.group()))


WORDINGS = (Wording("edge", _EDGE, NAMED, 0.2, _put),)

EXAMPLES = (
    Example(
        "東至望海路西側道路紅線,南至聽濤道北沿,西至長堤路外沿,北至松風大街中心線",
        {
            "east": "望海路", "south": "聽濤道", "west": "長堤路", "north": "松風大街",
            "edges": {"east": "west", "south": "north", "west": "outer", "north": "centre"},
        },
    ),
    Example(
        "东至望海路规划红线,南至清溪河北岸,西至长堤路东边线,北至松风大街道路中线为界",
        {
            "east": "望海路", "south": "清溪河", "west": "长堤路", "north": "松风大街",
            "edges": {"east": "inner", "south": "north", "west": "east", "north": "centre"},
        },
    ),
    Example(
        "东至望海路(不含路面),南至听涛道(含道路),西至长堤路(西侧红线),北至松风大街",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "edges": {"east": "inner", "south": "outer", "west": "west", "north": ""},
        },
    ),
    Example(
        "东至望海路西沿,南至听涛道北缘,西至长堤路东沿,北至松风大街南沿,占地约114亩",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "edges": {"east": "west", "south": "north", "west": "east", "north": "south"},
        },
    ),
)  # fmt: skip
