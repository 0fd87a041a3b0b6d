"""The words before the first side: the area's name, and what only leads to its bounds."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.folded import FoldedText
from nankai_gis.plan.clauses.wordings.stated_areas import STATED

_NUMBERING = re.compile(
    r"\s*(?:\(?(?:\d{1,3}|[一二三四五六七八九十百]{1,4})[).、:．](?!\d)|第[一二三四五六七八九十\d]+[条款项片批类]:?|[-*#>•●■◆·○]+|[a-z]\.)+"
)
# What leads to the bounds, behind the name.
_LEADS = re.compile(
    r"(?:的|其|:|,|-|总|各|规划|四至|四址|区域|行政|管辖|辖区|具体|征收|房屋|更新|改造|搬迁|招生|服务|学区|施教|实施|"
    r"用地|保护|建设|控制|禁放|禁行|位置|地理|项目|控规|编制|研究|核心|本次|土地|界址|分别|大致|周边|社区|道路|"
    r"拆迁|涉及|封控|管控|防控|招生)*"
    r"(?:范围|四至|四址|边界|界限|界线|界址|辖区|位置|区界|地界|管界|区划)(?:四至|界限|范围|边界)*(?:分别|大致|具体|内)*(?:为|是|在|即|如下|包括|:|,|指)*$"
    r"|(?:位于|坐落于|坐落在|座落于|座落在|地处|是指|系指|为|是|即|的|:|,|-|其|分别)+$"
)
_VERBS = re.compile(
    r"(?:其中|同时|另外?|此外|新增设|新增|设立|增设|撤销|打造|建设|培育|推进|规划建设|规划|加快|形成|构建|划定|将|本次|对|"
    r"以下|即|,|。)+"
)
# Behind these words the first name of 「…位於北安路以東」 begins.
_OPENERS = re.compile(
    r"位于|坐落于|坐落在|座落于|座落在|地处|是指|系指|范围为|范围是|范围|四至为|四至|为|是|即|在|:|。|;|,|\n|\("
)
_TITLE = re.compile(r"[^\n。;!?]{2,40}")


def start(simple: str, head: int, end: int) -> int:
    """Return where the heading of a clause begins: behind the last sentence, in its line."""
    place = max(simple.rfind(stop, head, end) for stop in "。;\n!?") + 1
    return max(place, head)


def name_start(simple: str, begin: int, end: int) -> int:
    """Return where the first name of 「某片區位於北安路以東」 begins."""
    here = start(simple, begin, end)
    found = [m.end() for m in _OPENERS.finditer(simple, here, end) if m.end() < end]
    found += [m.end() for m in _NUMBERING.finditer(simple, here, end) if m.start() == here]
    outside = [
        place for place in found if simple.count("(", place, end) == simple.count(")", place, end)
    ]
    return max(outside, default=here)


def name(text: FoldedText, head: int, begin: int, end: int) -> str:
    """Return what the heading calls the area; else what the line above does; else ""."""
    called = _called(text, begin, end)
    if called or head >= begin:
        return called
    # A title in a line of its own.
    above = text.simple.rstrip("\n")[:begin].rstrip("\n ")
    line = above.rfind("\n") + 1
    if (
        line >= head
        and text.simple[begin - 1 : begin] == "\n"
        and _TITLE.fullmatch(text.simple, line, len(above))
    ):
        return _called(text, line, len(above))
    return ""


def _called(text: FoldedText, begin: int, end: int) -> str:
    simple = text.simple
    numbering = _NUMBERING.match(simple, begin, end)
    if numbering:
        begin = numbering.end()
    # What the area measures, and where it lies, is no part of its name.
    cut = [m.start("n") for m in STATED.finditer(simple, begin, end)]
    cut += [
        m.start()
        for m in re.compile("位于|坐落|座落|地处|位置在|是指|系指").finditer(simple, begin, end)
    ]
    cut += [p for p in range(begin, end) if simple[p] in ",;。(" and p > begin]
    colon = simple.find(":", begin, end)
    cut += [colon] if colon > begin else []
    end = min([place for place in cut if place > begin], default=end)
    verb = _VERBS.match(simple, begin, end)
    if verb and verb.end() < end:
        begin = verb.end()
    led = _LEADS.search(simple, begin, end)
    while led and led.end() == end and led.start() < end:
        end = led.start()
        led = _LEADS.search(simple, begin, end)
    return text.original(begin, end).strip(' ,:;、"') if end > begin else ""
