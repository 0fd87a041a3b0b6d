"""A distance from what a side names: 「孫武路以北800米」, 「圍堤以外1.5千米」, 「外擴50米」."""

from __future__ import annotations

import re
from dataclasses import replace

from nankai_gis.plan.clauses.marks import SIDE
from nankai_gis.plan.clauses.wordings.wording import BEHIND, NUMBER, Draft, Example, Wording, number

_UNITS = {
    "米": 1.0,
    "m": 1.0,
    "公尺": 1.0,
    "公里": 1000.0,
    "千米": 1000.0,
    "km": 1000.0,
    "里": 500.0,
}
_OFFSET = re.compile(
    r"(?:以|之|再|各|向|往)*(?:(?P<to>[东南西北外内])(?:侧|面|边|方向|方)?|(?P<back>退让|后退|退))"
    r"(?:外侧|外|向|平移|延伸|外扩|外延|扩|延|移|推|偏移|退让|退|的)*(?:约|大约|大致|近)*"
    rf"(?P<n>{NUMBER})(?P<unit>公里|千米|公尺|米|km|m|里)(?:处|左右|以内|的?平行线|范围|线|内)*"
)
_TOWARDS = {**SIDE, "内": "inner", "外": "outer"}


def _put(draft: Draft, found: re.Match[str], words: str) -> None:
    bound = draft.bounds[-1]
    metres = number(found["n"]) * _UNITS[found["unit"]]
    towards = _TOWARDS[found["to"]] if found["to"] else "inner"
    draft.bounds[-1] = replace(bound, offset_m=metres, towards=towards)


WORDINGS = (Wording("offset", _OFFSET, BEHIND, 0.2, _put),)

EXAMPLES = (
    Example(
        "东至望海路以东200米,南至听涛道、白鹭路以南500米,西至清溪河,北至松风大街以北八百米",
        {
            "east": "望海路以东200米", "south": "听涛道、白鹭路以南500米", "west": "清溪河",
            "north": "松风大街以北八百米",
            "offsets": {"east": (200.0, "east"), "north": (800.0, "north")},
        },
    ),
    Example(
        "東至望海路向東外擴50公尺,南至大圍堤以外1.5千米,西至清溪河,北至保護區界線以北約150米",
        {
            "east": "望海路向東外擴50公尺", "south": "大圍堤以外1.5千米", "west": "清溪河",
            "north": "保護區界線以北約150米",
            "offsets": {"east": (50.0, "east"), "south": (1500.0, "outer")},
        },
    ),
)  # fmt: skip
