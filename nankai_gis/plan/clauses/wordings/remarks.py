"""Words that are read over, and told: 「鄰近多所學校」, 「連接政府機構」, 「屬早期發展區域」."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.wordings.wording import LATER, Example, Wording

_NEXT = "涵盖|覆盖|辐射|包括|包含|不含|扣除|总面积|占地|面积"
_REMARK = re.compile(
    r"(?:并|且|也|均|现|主要|目前|周边|交通)*(?:邻近|临近|靠近|毗邻|毗连|紧邻|紧靠|附近|地处|位于|处于|属于?|"
    r"是|为(?!界|止|限|边)|距|连接|贯通|串联|连通|途经|跨越|穿越|拥有|设有|交通|由|用于|作为|打造|建设|"
    rf"招收|利用|依托|借助|形成|推进|通过)[^,;。\n()]*?(?={_NEXT}|[,;。\n()]|$)"
)
WORDINGS = (Wording("unread", _REMARK, LATER, 1.0),)

EXAMPLES = (
    Example(
        "北至松风大街、南至听涛道、东至望海路、西至长堤路,属早期车站周边发展区域",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "unread": "属早期车站周边发展区域",
        },
    ),
    Example(
        "东至望海路,南至听涛道,西至长堤路,北至松风大街邻近多所学校、海滨公园与体育馆。",
        {
            "east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街",
            "unread": "邻近多所学校、海滨公园与体育馆",
        },
    ),
)  # fmt: skip
