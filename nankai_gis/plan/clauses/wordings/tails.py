"""What ends a name or a clause and names nothing: 為界, 一線, 止, 等, 所圍合區域, 與…相接."""

from __future__ import annotations

import re

from nankai_gis.plan.clauses.wordings.wording import BEHIND, LATER, Example, Wording

_END = r"(?=[,;。、\n()~-]|$)"
_TAIL = re.compile(
    r"(?:共同)?(?:作?为)(?:边界|分界|界限|界线|界址|界|限|止|边|线)(?:线)?|之?一线|一带|为止|止"
    r"|(?:的)?(?:交界处|交界|分界线|分界|相接|相邻|相连|接壤|毗邻|毗连|为邻|接界|邻接)"
    rf"|等(?:道路|路段|路|街|机构|单位|社区|地块|河道|线路|地|处)?{_END}"
)
_ENCLOSED = re.compile(
    r"(?:(?:四|三)(?:条|面)?(?:道路|路)?)?的?(?:所|共同)?(?:合围|围合|包围|围成|围起|合成|闭合|组成|形成|围)"
    r"(?:而成|成|起来|起)?的?(?:封闭|闭合)?(?:区域|范围|地块|片区|街区|地区|地带|部分|空间|区)?(?:内|以内|之内)?"
    r"|(?:之间)?的?(?:一片)?(?:长方型|长方形|矩形|三角形|封闭)?的?"
    r"(?:区域|范围|地区|地块|地段|街廓|街区|片区|地带|部分|之间|空间)(?:范围)?(?:内|以内|之内)?"
    rf"{_END}"
)
_NEIGHBOUR = re.compile(
    r"(?:并|且|分别|依次|又|均|皆)*(?:与|和|同)[^,;。\n()]{1,60}?"
    r"(?:相接|接壤|相邻|为邻|毗邻|彼邻|比邻|相望|相连|相临|连接|交界|毗连|相隔|相对|邻接|衔接|接界|相毗邻)"
)
_WITHIN = re.compile(r"的?(?:区域|范围|地区|地块|地段|片区)(?:范围)?(?:以内|之内|内)的?")
# What may stand behind an area and is no part of its name.
_OF_AREA = re.compile(
    rf"(?:的)?(?:交界处|交界|分界线|分界|相接|相邻|相连|接壤|毗邻|毗连|为邻|为界|为止){_END}"
)
WORDINGS = (
    Wording("connective", _TAIL, frozenset({"name", "mod"}), 0.2),
    Wording("connective", _OF_AREA, frozenset({"area"}), 0.2),
    Wording("connective", re.compile(rf"等[^,;。、\n()]{{0,4}}{_END}"), BEHIND, 0.2),
    Wording("connective", _ENCLOSED, BEHIND, 0.3),
    Wording("connective", _WITHIN, BEHIND, 0.4),
    Wording("connective", _NEIGHBOUR, LATER, 0.6),
)

_BOX = {"east": "望海路", "south": "听涛道", "west": "长堤路", "north": "松风大街"}
EXAMPLES = (
    Example("东以望海路为界与浪花街道接壤,南以听涛道为界,西以长堤路为界,北以松风大街为界", _BOX),
    Example("望海路以西、听涛道以北、长堤路以东、松风大街以南所围合区域", _BOX),
    Example("松风大街以南、望海路以西、听涛道以北、长堤路以东合围区。", _BOX),
    Example("望海路以西、听涛道以北、长堤路以东、松风大街以南区域范围内", _BOX),
    Example("望海路以西,听涛道以北,长堤路以东,松风大街以南的一片长方形地区。", _BOX),
    Example("东至望海路一线,南至听涛道止,西至长堤路为止,北至松风大街等", _BOX),
    Example(
        "东以望海路为界分别与甲区、乙区隔河相望;南以听涛道为界;西以长堤路为界;北以松风大街为界与丙区接壤。",
        _BOX,
    ),
)
