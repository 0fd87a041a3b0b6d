"""What the grammar takes for a name: of a road, a railway, a river, a junction, an area."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from nankai_gis.plan.clauses.wordings.wording import Example

_RAILWAY = re.compile(
    r".*(?:铁路|铁道|高铁|轻轨|地铁|客专|城际)(?:.{0,5}线|走廊)?|.*(?:地铁|轨道|轻轨).{0,6}线"
)
_RIVER = re.compile(r".+(?:河|江|溪|渠|沟|港|浜|泾|涌|圳|排水|洪道|排干|浦|涧|塘|堤|沥|明渠|河涌)")
_ROAD = re.compile(
    r".+(?:路|道|街|巷|弄|(?<![境边分]界)(?<!范围界)(?<!区界)(?<!沿)线|胡同|高速|高架|快速|里弄|干线|隧道)|.*[东南西北内外中一二三四五六七八]环"
    r"|[a-z]{1,2}\d{1,4}(?:国道|省道|县道|高速|线)?|[国省县乡]道[a-z]?\d{1,4}(?:线)?|\d{2,4}(?:国道|省道|县道|线)"
)
_JUNCTION = re.compile(
    r".{2,}(?:交叉口|交汇处|交会处|交汇口|交汇点|交口|相交处|交叉处|立交桥|立交|转盘|转盘处|环岛|路口|道口|互通|"
    r"交接处|十字路口|丁字路口)"
)
_AREA = re.compile(
    r".*(?:社区|区|村|里|庄|园|苑|广场|学校|大学|学院|中学|小学|幼儿园|校|医院|公司|厂|局|院|站|楼|城|镇|乡|"
    r"街道|办事处|界|边界|界线|境界线|墙|绿地|绿化带|湖|水库|海|山|岛|湿地|房|宿舍|机构|中心|基地|市场|大厦|"
    r"家园|桥|湖面|水面|河面|海面|用地|项目|营|沿线|码头|机场|地块|宗地|屯|寨|湾|滩|林|寺|庙|府|宫|塔|仓|"
    r"馆|店|所|处|坊|别墅|花苑|花园|名邸|公寓|国道|省界|市界|县界|海岸|海岸线|岸线|新村|建筑|商铺|库|场)"
)
_PLACE = re.compile(r"[^的了是等将其该并且含为以至由从在于经沿,;。、()~\-\n]{2,14}")
_NO_AREA = re.compile(r"为界|交界|分界|等.{0,5}$|以[东南西北]|除外|面积|合围|所围|围合")
# A name of which the rest is only a direction, a number or a general word isn't one by itself.
_BARE = re.compile(
    r"[东南西北中前后上下内外老新大小支辅主便匝界边红绿道境高快河]|[第一二三四五六七八九十\d]+号?|铁|公|高速公?"
)
_GENERAL = re.compile(
    r"(?:现状|规划|城市|境界|边界|分界|防护|支|干|主干|次干|用地)?(?:道路|线|路|道|街)"
)
# Characters of prose, which a name hardly ever holds, and those that may at least begin one.
_ODD = frozenset("的了是等将其该并且含为以至由从在于")
_FIRST = frozenset("为至由于以含从在自")
_STRONG = "路道街巷弄线"
_SUFFIX = re.compile(r"(?:路|道|街|巷|弄|线|胡同|高速)")
_PLACED = re.compile(r"[^,;。、\n()~]{1,14}?(?:省|市|区|县|旗|镇|乡|村|街道办事处|街道|街)(?=.)")
#: Begins a name though it also joins two: 和平路.
_AND = re.compile(r"[和与及](?!平|谐|睦|顺|兴|田|静|信|源|苑|园|美|畅|泰|悦|风|昌|盛)")


def is_line(text: str) -> bool:
    """Return whether a text ends as the name of a road, a railway or a river does."""
    return len(text) > 1 and any(p.fullmatch(text) for p in (_ROAD, _RAILWAY, _RIVER))


def is_area(text: str) -> bool:
    """Return whether a text ends as the name of an area or a place does."""
    return len(text) > 1 and bool(_AREA.fullmatch(text))


def kind(text: str) -> str:
    """Return the kind of thing that a name stands for, by its ending."""
    if _JUNCTION.fullmatch(text):
        return "junction"
    for name, pattern in (("railway", _RAILWAY), ("river", _RIVER), ("road", _ROAD)):
        if pattern.fullmatch(text):
            return name
    return "area"


def _stands_alone(text: str) -> bool:
    """Whether a name has more to it than a direction, a number or a general word."""
    stem = _stem(text)
    return len(stem) > 1 and not _BARE.fullmatch(stem) and not _GENERAL.fullmatch(text)


def _stem(text: str) -> str:
    return re.sub(r"(?:大街|大道|公路|胡同|高速|铁路线?|[路道街巷弄线河江溪渠沟港浜])$", "", text)


@lru_cache(maxsize=65536)
def line_cost(text: str) -> float | None:
    """Return how unlikely it is that a text is one name of a line; None where it can't be."""
    if len(text) < 2 or len(text) > 20 or not is_line(text) or any(c in text for c in "-~/+"):
        return None
    cost = 2.0 if not _RIVER.fullmatch(text) else 2.2
    stem = _stem(text)
    if not stem or _BARE.fullmatch(stem) or _GENERAL.fullmatch(text):
        cost += 3.0 if not _RAILWAY.fullmatch(text) and "环" not in text else 0.5
    elif len(stem) < 2:
        cost += 1.0
    if text[0] in _STRONG:
        cost += 2.0
    cost += 3.0 if re.search(r"[路道街巷河]之?一线$", text) else 0.0
    cost += 3.0 * sum(c in _ODD for c in text[1:])
    cost += 1.0 if text[0] in _FIRST else 5.0 if text[0] in _ODD else 0.0
    cost += 1.0 if text[0] == "沿" and _stands_alone(text[1:]) else 0.0
    found = _BEFORE_NAME.match(text)
    if found and (found["state"] or found["width"]) and _stands_alone(text[found.end() :]):
        cost += 1.0
    if _AND.match(text):
        cost += 1.5
    cost += 2.5 * len(re.findall(r"(?<=[路道街巷线河])[和与及]", text))
    # Two names run together, or a town before the name.
    for found in _SUFFIX.finditer(text, 1, len(text) - 1):
        head, rest = text[: found.end()], text[found.end() :]
        if head.endswith("铁路") or rest[0] in "路道街线巷口":
            continue
        apart = (_stands_alone(rest) and is_line(rest)) or rest in ("铁路线", "铁路")
        cost += 3.0 if apart and _stem(head) else 0.3
    for found in _PLACED.finditer(text):
        if found.end() > 2 and _stands_alone(text[found.end() :]):
            cost += 1.0
            break
    return cost


@lru_cache(maxsize=65536)
def area_cost(text: str) -> float | None:
    """Return how unlikely it is that a text is one name of an area; None where it can't be."""
    if len(text) < 2 or any(c in "(),;。、\n~" for c in text):
        return None
    if re.fullmatch(r".{2,30}桥", text):
        return 2.2
    if len(text) <= 40 and _AREA.fullmatch(text):
        cost = 4.0 + 0.02 * len(text) + (3.0 if text[0] in _ODD else 0.0)
        cost += 6.0 if _NO_AREA.search(text) else 0.0
        return cost + 4.0 * len(re.findall(r"[路道街巷河港江线][和与及]", text))
    return 6.0 + 0.05 * len(text) if _PLACE.fullmatch(text) and not is_line(text) else None


@lru_cache(maxsize=65536)
def junction_cost(text: str) -> float | None:
    """Return how unlikely it is that a text names a junction; None where it can't be."""
    return 2.4 if len(text) <= 40 and _JUNCTION.fullmatch(text) else None


def prefixes(text: str, start: int, end: int) -> Iterator[tuple[int, float, bool]]:
    """Yield what may stand before a name: its end, its cost, and whether only a line may follow."""
    found = _BEFORE_NAME.match(text, start, end)
    if found and found.end() > start:
        yield found.end(), 0.3, bool(found["state"])
    for place in range(start + 2, min(end, start + 16)):
        # A town, a village or a subdistrict before the road.
        if _TOWN.fullmatch(text, start, place) and place - start > 2:
            yield place, 0.5, True


_BEFORE_NAME = re.compile(
    r"(?P<state>现状|规划|拟建|在建|既有|原有|待建|城市主干[道路]|城市次干[道路]|主干[道路]|次干[道路]|市政道路)"
    r"|位于|坐落于|坐落在|座落于|座落在|地处|约|略|紧邻|紧靠|靠近|邻近|临近|距|至|到|以|沿|与|和|及|由|自|从|为|是|:|"
    r"(?P<width>\d{1,3}(?:m|米)(?:宽)?(?:的)?)|(?:道路)?(?:中心|南侧|北侧)?的"
)
_TOWN = re.compile(r"[^,;。、\n()~与及]*?(?:省|市|区|县|旗|镇|乡|村|街道办事处|街道|社区)")


EXAMPLES = (
    Example("东至望海路松涛路,南至听涛道,西至青龙河,北至滨海铁路线",
            {"east": "望海路、松涛路", "south": "听涛道", "west": "青龙河", "north": "滨海铁路线"}),
    Example("东至浪花镇望海路,南至白沙新村西路,西至现状外环线,北至308国道",
            {"east": "望海路", "south": "白沙新村西路", "west": "外环线", "north": "308国道"}),
    Example("东至白沙社区交界,南至听涛道,西至渔港社区,北至都市计划边界",
            {"east": "白沙社区", "south": "听涛道", "west": "渔港社区", "north": "都市计划边界"}),
    Example("望海路与松风大街交口以西,听涛道以北,长堤路以东,松风大街以南",
            {"east": "望海路与松风大街交口", "south": "听涛道", "west": "长堤路",
             "north": "松风大街"}),
    Example("东至望海路—环礁路,南至听涛东路-听涛西路,西至长堤路~石塘路,北至松风大街",
            {"east": "望海路、环礁路", "south": "听涛东路、听涛西路", "west": "长堤路、石塘路",
             "north": "松风大街"}),
)  # fmt: skip
