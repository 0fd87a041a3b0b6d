"""What is left out: 「不含天津大學校區」, 「扣除鐵路用地」, 「除望海公園外」, 「…除外」."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.wordings.wording import LATER, Draft, Example, Wording

_NOT = (
    "不包括在内的?|不包括|不包含|不含|不涵盖|不计|不计入|未包括|未含|扣除|剔除|除去|去除|排除|刨除|除(?!外|了)|"
    "除了|不涉及"
)
_LIST = r"[^;。\n()]*?"
#: A phrase of exclusion, in a bracket or behind a clause.
EXCLUSION = re.compile(
    rf"(?:但|其中|且|并|均|皆|都)*(?:{_NOT})(?P<after>{_LIST})(?:之外|以外|外)?"
    rf"(?=,(?!(?:{_NOT}))|[;。\n()]|$)"
    r"|(?:但|其中)*(?P<before>[^,;。\n()]{2,40}?)(?:除外|不在(?:此|其|该)?(?:范围|列)之?(?:内|中)?|不计在内)"
)


def listed(words: str) -> list[str]:
    """Split a list of things."""
    words = re.sub(r"等(?:[^、,等]{0,6})?$", "", words.strip(",、:"))
    items = re.split(r"[、,]|以及|及其|及|和|与|與", words)
    return [item for item in (i.strip() for i in items) if item]


def exclude(draft: Draft, found: re.Match[str], words: str) -> None:
    """Take what a phrase leaves out."""
    group = "after" if found["after"] is not None else "before"
    start = found.start(group) - found.start()
    kept = words[start : start + len(found[group])]
    draft.exclusions += [name for name in listed(kept) if name not in draft.exclusions]


WORDINGS = (Wording("exclusion", EXCLUSION, LATER, 0.5, exclude),)

EXAMPLES = (
    Example(
        "東至望海路,南至聽濤道,西至長堤路,北至松風大街,不含海洋大學校區和鐵路用地",
        {
            "east": "望海路", "south": "聽濤道", "west": "長堤路", "north": "松風大街",
            "exclusions": "海洋大學校區、鐵路用地",
        },
    ),
    Example(
        "东至望海路,南至听涛道,西至长堤路,北至松风大街(包含六中,不含常春花园小区及望海路东侧沿街商铺)。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "exclusions": "常春花园小区、望海路东侧沿街商铺", "claims": "六中",
        },
    ),
    Example(
        "望海路以西、听涛道以北、长堤路以东、松风大街以南合围(封控区、管控区除外)区域。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "exclusions": "封控区、管控区",
        },
    ),
    Example(
        "东至望海路,南至听涛道,西至长堤路,北至松风大街。其中望海公园除外。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "exclusions": "望海公园",
        },
    ),
)  # fmt: skip
