"""What is covered: 「涵蓋學府街和萬興街等街域」, 「其中包括…」, 「輻射全域」."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.wordings.exclusions import listed
from nankai_gis.plan.clauses.wordings.wording import LATER, Draft, Example, Wording

_OPENS = (
    r"(?:其中|主要|并|具体|共|区域|范围)*(?:涵盖|覆盖|包括|包含|囊括|辐射|涉及|含有|含|下辖|管辖|辖)(?:了|有)?:?"
    r"(?P<list>(?!税)[^;。\n()]*?)"
)
_COUNT = r"(?:\d+|[一二三四五六七八九十]+)?个?"
# Behind these words the phrase is complete, with or without punctuation.
_COMPLETE = re.compile(rf"{_OPENS}(?:等?街域|等{_COUNT}(?:街道|社区|街|镇|地区|区域)(?!道)|全域)")
#: A phrase of inclusion, in a bracket or behind a clause.
INCLUSION = re.compile(
    rf"{_OPENS}(?:等?街域|全域|等[^,;。\n()]{{0,6}}(?=[,;。\n()]|$)|(?=[,;。\n()]|$))"
)
# Subdistricts that stand side by side without a mark between them.
_EACH = re.compile("..+?(?:街道|街(?!道))")
_ALL = re.compile("全域|全区|全區")


def _subdistricts(item: str) -> list[str]:
    pieces = _EACH.findall(item)
    return pieces if "".join(pieces) == item else [item]


def include(draft: Draft, found: re.Match[str], words: str) -> None:
    """Take what a phrase covers."""
    if _ALL.match(found.group()[found.start("list") - found.start() :]):
        draft.everywhere = True
        return
    start = found.start("list") - found.start()
    names = [
        name
        for item in listed(words[start : start + len(found["list"])])
        for name in _subdistricts(item)
    ]
    draft.claims += [name for name in names if name not in draft.claims]


# What follows 「…等街域」 in prose without punctuation is no part of the clause.
WORDINGS = (
    Wording("inclusion", _COMPLETE, LATER, 0.5, include, ends=True),
    Wording("inclusion", INCLUSION, LATER, 0.6, include),
)

EXAMPLES = (
    Example(
        "東至望海路,南至聽濤道,西至長堤路,北至松風大街,涵蓋漁港街、桅杆街和燈塔街等街域",
        {
            "east": "望海路", "south": "聽濤道", "west": "長堤路", "north": "松風大街",
            "claims": "漁港街、桅杆街、燈塔街",
        },
    ),
    Example(
        "东至望海路南至听涛道西至长堤路北至松风大街涵盖渔港街和桅杆街等街域借助海洋经济发展带优化布局",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "claims": "渔港街、桅杆街",
        },
    ),
    Example(
        "东至望海路,南至听涛道,西至长堤路,北至松风大街,其中包括渔港社区、桅杆社区",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "claims": "渔港社区、桅杆社区",
        },
    ),
)  # fmt: skip
