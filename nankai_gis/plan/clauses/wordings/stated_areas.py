"""The area that the text states: 「總面積2.2平方公里」, 「占地約114畝」, 「出讓面積達264.4畝」."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.wordings.wording import ANY, NUMBER, Draft, Example, Wording, number

_UNITS = {
    "平方公里": 1e6, "平方千米": 1e6, "km2": 1e6, "公顷": 1e4, "ha": 1e4, "亩": 1e4 / 15,
    "平方米": 1.0, "平方公尺": 1.0, "平米": 1.0, "m2": 1.0, "甲": 9699.17, "顷": 1e6 / 15,
}  # fmt: skip
_OF = (
    "其中|项目|规划|片区|区域|地块|辖区|本区|该区|全区|总|净|毛|用地|占地|出让|征收|土地|行政|管辖|范围|建设|"
    "开发|更新|保护|研究|实际|城市|市区|建成区|计划|改造|陆域|幅员|建筑|的|面积|规模|四至|合计"
)
#: A figure of an area with the words before it.
STATED = re.compile(
    rf"(?P<of>(?:{_OF})*)(?:共计|总计|合计|约为|约有|约|大约|大概|近|为|达到|达|共|计|有|是|:)*"
    rf"(?P<n>{NUMBER})(?P<ten>万)?(?P<unit>{'|'.join(_UNITS)})(?:左右|以上|余|的)?"
)


def state_area(draft: Draft, found: re.Match[str], words: str) -> None:
    """Take the figure, unless it is that of floors or one was stated before."""
    if "建筑" in found["of"] or draft.stated_area_m2 is not None:
        return
    draft.stated_area_m2 = (
        number(found["n"]) * (1e4 if found["ten"] else 1.0) * _UNITS[found["unit"]]
    )


WORDINGS = (Wording("stated area", STATED, ANY, 0.4, state_area),)

EXAMPLES = (
    Example(
        "東至望海路,南至聽濤道,西至長堤路,北至松風大街,規劃總用地面積約6.79平方公里",
        {
            "east": "望海路", "south": "聽濤道", "west": "長堤路", "north": "松風大街",
            "stated_area_m2": 6.79e6,
        },
    ),
    Example(
        "东至望海路、南至听涛道、西至长堤路、北至松风大街，出让面积达1,264.5亩",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "stated_area_m2": 843000.0,
        },
    ),
    Example(
        "渔港片区9.5公顷,东至望海路,南至听涛道,西至长堤路,北至松风大街,总建筑面积30万平方米",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "stated_area_m2": 95000.0, "name": "渔港片区",
        },
    ),
    Example(
        "东至望海路,南至听涛道,西至长堤路,北至松风大街。占地面积约两百公顷。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "stated_area_m2": 2e6,
        },
    ),
)  # fmt: skip
