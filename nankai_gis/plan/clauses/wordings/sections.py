"""A stretch of a road: 「望海路中段」, 「望海路(聽濤道至松風大街段)」."""

from __future__ import annotations

import re
from dataclasses import replace

from nankai_gis.plan.clauses.wordings.wording import NAMED, Draft, Example, Wording

_ITEM = r"[^,;。、\n()]{2,14}?"
_SECTION = re.compile(
    rf"(?:自|由|从)?{_ITEM}(?:至|到|-|~){_ITEM}(?:路段|区段|段|之间)|(?:[东南西北中前后上下]|全)段|路段"
)
#: The same in a bracket, where 段 may be left out.
IN_BRACKET = re.compile(
    rf"(?:自|由|从)?{_ITEM}(?:至|到|-|~).{{2,14}}|.{{0,14}}段|.{{2,14}}(?:以[东南西北]|之间)(?:部分)?"
)


def _put(draft: Draft, found: re.Match[str], words: str) -> None:
    draft.bounds[-1] = replace(draft.bounds[-1], section=words)


WORDINGS = (Wording("section", _SECTION, NAMED, 0.3, _put),)

EXAMPLES = (
    Example(
        "東至望海路中段,南至聽濤道(望海路至長堤路段),西至長堤路,北至松風大街(原郵局段)",
        {
            "east": "望海路", "south": "聽濤道", "west": "長堤路", "north": "松風大街",
            "sections": {"east": "中段", "south": "望海路至長堤路段", "west": ""},
        },
    ),
    Example(
        "东:望海路;南:老码头巷(自望海路至二中后门)~锦麟街(含锦麟街菜市场、4号楼)~听涛道以北;"
        "西:长堤路以东;北:松风大街以南。",
        {
            "east": "望海路", "south": "老码头巷、锦麟街、听涛道", "west": "长堤路",
            "north": "松风大街",
        },
    ),
)  # fmt: skip
