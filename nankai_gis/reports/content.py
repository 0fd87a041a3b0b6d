"""What a report says: a study in sections, in the words of a planner.

It puts figures into sentences and tables; how they look on paper or in a browser is the
report's affair. Nothing is measured here: every figure is the study's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nankai_gis.measure.features import AreaRow
from nankai_gis.plan.model import CREDIT, Feature
from nankai_gis.present.tables import number
from nankai_gis.reports.sections import Section, Table
from nankai_gis.studies.study import Study
from nankai_gis.words import tr
from nankai_gis.words.terms import KINDS, ROLES, STATUSES, VERDICTS

if TYPE_CHECKING:
    from pandas import DataFrame

_AREAL = ("district", "zone", "parcel")


def compose(study: Study, *, hans: bool = False) -> tuple[Section, ...]:
    """Put a study into the sections of a report.

    Parameters
    ----------
    study : Study
    hans : bool
        In simplified instead of traditional Chinese.

    Returns
    -------
    tuple of Section
        An overview, one for each zone, the parcel and each corridor, then the checks and how it
        was measured.

    Examples
    --------
    >>> from nankai_gis.studies.study import packaged
    >>> [section.id for section in compose(packaged())][1:4]
    ['qihang-bay', 'laochengxiang', 'shuishang-aoti']
    """
    # A plan of corridors alone has no areas, and nothing that streets could be counted by.
    areas = {row.id: row for row in study.areas(_AREAL)} if study.features(_AREAL) else {}
    sections = [_overview(study, areas.values())]
    sections += [
        _polygon(study, feature, areas[feature.id])
        for kind in ("zone", "parcel")
        for feature in study.plan.of_kind(kind)
    ]
    sections += [_corridor(study, feature) for feature in study.plan.of_kind("corridor")]
    sections += [_findings(study), _method(study)]
    sections = [_throughout(section, _set) for section in sections]
    if hans:
        from nankai_gis.plan.names import simplified

        sections = [_throughout(section, simplified) for section in sections]
    return tuple(sections)


_HALF_WIDTH = str.maketrans(",:;!?()", "，：；！？（）")
#: A Chinese character, or a mark that stands among them.
_CHINESE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
_MARK = re.compile(rf"(?<={_CHINESE})[,:;!?]|[,:;!?](?={_CHINESE}|$)")
_IN_CHINESE = re.compile(_CHINESE)


def _set(text: str) -> str:
    """Full-width punctuation, as Chinese prose is set, except inside figures and names."""
    if not _IN_CHINESE.search(text):
        return text
    return _MARK.sub(lambda mark: mark[0].translate(_HALF_WIDTH), _bracketed(text))


def _bracketed(text: str) -> str:
    """Set brackets, always in pairs: full-width where Chinese stands in them or beside them."""
    letters, opened = list(text), list[int]()
    for at, letter in enumerate(text):
        if letter == "(":
            opened.append(at)
        elif letter == ")" and opened:
            first = opened.pop()
            # One before the pair, all that is in it, one behind it.
            if _IN_CHINESE.search(text[max(first - 1, 0) : at + 2]):
                letters[first], letters[at] = "（", "）"
    return "".join(letters)


def _throughout(section: Section, change: Callable[[str], str]) -> Section:
    """Return a section with every text of it changed."""
    return replace(
        section,
        title=change(section.title),
        clause=change(section.clause),
        place=change(section.place),
        picture=change(section.picture),
        paragraphs=tuple(map(change, section.paragraphs)),
        tables=tuple(
            replace(
                table,
                caption=change(table.caption),
                header=tuple(map(change, table.header)),
                rows=tuple(tuple(map(change, row)) for row in table.rows),
            )
            for table in section.tables
        ),
    )


def _area_text(row: AreaRow) -> str:
    text = f"{row.area_m2 / 1e6:.2f}(±{row.area_sd_m2 / 1e6:.2f})平方公里"
    return f"{text},合 {row.area_m2 / 1e4:,.0f} 公頃、{row.area_m2 * 15 / 1e4:,.0f} 畝"


def _overview(study: Study, rows: Iterable[AreaRow]) -> Section:
    rows, about = list(rows), study.plan.about
    district = [f"{r.name}量得面積 {_area_text(r)}。" for r in rows if r.kind == "district"]
    areas = Table(
        "行政區、片區與地塊的面積",
        ("名稱", "類型", "面積(平方公里)", "±", "周長(公里)", "文本所述", "偏差", "依據"),
        tuple(
            (
                row.name,
                tr(KINDS[row.kind]),
                number(row.area_m2 / 1e6, 3),
                number(row.area_sd_m2 / 1e6, 3),
                number(row.perimeter_m / 1e3, 2),
                number(None if row.stated_area_m2 is None else row.stated_area_m2 / 1e6, 2),
                _deviation(row),
                tr(STATUSES[row.status]),
            )
            for row in rows
        ),
        frozenset({2, 3, 4, 5, 6}),
    )
    lengths = []
    for feature in study.plan.of_kind("corridor"):
        pieces = study.lengths([feature.id])
        built = sum(p.length_m or 0.0 for p in pieces if not p.planned)
        streets = "、".join(dict.fromkeys(p.street_name for p in pieces if p.role != "bridge"))
        lengths.append((feature.names.hant, streets, number(built / 1e3, 2)))
    corridors = Table(
        "發展帶的道路與長度",
        ("發展帶", "主線與延伸", "已定位長度(公里)"),
        tuple(lengths),
        frozenset({2}),
    )
    return Section(
        "",
        "總體格局",
        "",
        "",
        (
            *filter(None, ["".join([*district, about.summary.hant])]),
            "邊界由規劃文字中的四至在路網上生成;依據不是「實測」者並非測繪成果,僅為示意。"
            "± 為由邊界位置精度推得的一倍標準差。",
        ),
        (areas, corridors) if lengths else (areas,),
        about.title.hant,
    )


def _deviation(row: AreaRow) -> str:
    if row.deviation_m2 is None:
        return number(None, 3)
    text = number(row.deviation_m2 / 1e6, 3, sign=True)
    # Nothing has no sign.
    return text if text.strip("+-0.") else text[1:]


def _inferred(share: float) -> str:
    """Say how much of a boundary is inferred; never that a little is none."""
    if share == 0:
        return "邊界各段均有資料依據,無推定"
    if share == 1:
        return "邊界全部為推定"
    percent = f"{share * 100:.0f}%"
    told = {"0%": "不足 1% ", "100%": "99% 以上"}.get(percent, f"{percent} ")
    return f"其中 {told}的邊界為推定"


def _against_stated(row: AreaRow, stated_m2: float, deviation_m2: float) -> str:
    said = f"規劃所述面積 {stated_m2 / 1e6:g} 平方公里"
    off = f"{abs(deviation_m2) / 1e6:.2f}"
    if off == "0.00":
        return f"{said},與量得的面積相符,相差不足 0.01 平方公里。"
    than = "大" if deviation_m2 > 0 else "小"
    text = f"{said},量得的面積{than} {off} 平方公里"
    if row.area_sd_m2 > 0:
        text += f",相當於標準差的 {abs(deviation_m2) / row.area_sd_m2:.1f} 倍"
    return f"{text}。"


def _indicative(statuses: Iterable[str]) -> str:
    """The remark on a picture: whatever wasn't surveyed is 示意, as on the map itself."""
    return "" if set(statuses) <= {"surveyed", "not located"} else "(示意)"


def _polygon(study: Study, feature: Feature, row: AreaRow) -> Section:
    shape = next(f for f in study.features([feature.kind]) if f["properties"]["id"] == feature.id)
    paragraphs = [
        f"{feature.names.hant}量得面積 {_area_text(row)},周長 {row.perimeter_m / 1e3:.2f} 公里,"
        f"{_inferred(row.inferred_share)}。"
    ]
    if row.stated_area_m2 is not None and row.deviation_m2 is not None:
        paragraphs.append(_against_stated(row, row.stated_area_m2, row.deviation_m2))
    if feature.note:
        paragraphs.append(feature.note)
    sides = Table(
        f"{feature.names.hant}的邊界",
        ("所沿道路", "代替", "精度(米)", "依據"),
        tuple(
            (
                part["name"],
                part["for"] or "",
                number(part["accuracy_m"], 0),
                tr(STATUSES[part["status"]]),
            )
            for part in shape["properties"]["parts"]
        ),
        frozenset({2}),
    )
    tables = [sides, *_coverage_tables(study, feature)]
    return Section(
        feature.id,
        feature.names.hant,
        feature.clause,
        feature.place,
        tuple(paragraphs),
        (*tables, *_check_table(study, feature)),
        f"{feature.names.hant}範圍{_indicative([row.status])}",
    )


def _of(table: DataFrame, key: str, value: str) -> list[dict[str, Any]]:
    rows = table[table[key] == value].to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _shows(*figures: float, decimals: int) -> bool:
    """Tell whether any figure is more than nothing as a table shows it: a touch is no length."""
    return any(round(figure, decimals) > 0 for figure in figures)


def _coverage_tables(study: Study, feature: Feature) -> list[Table]:
    kind = tr(KINDS[feature.kind])
    subdistricts = Table(
        f"{feature.names.hant}覆蓋的街道",
        ("街道", "面積(平方公里)", f"佔{kind}", "佔街道"),
        tuple(
            (
                row["subdistrict_name"],
                number(row["area_km2"], 3),
                f"{row['share_of_zone'] * 100:.1f}%",
                f"{row['share_of_subdistrict'] * 100:.1f}%",
            )
            for row in _of(study.coverage.areas, "zone", feature.id)
            if _shows(row["area_km2"], decimals=3)
        ),
        frozenset({1, 2, 3}),
    )
    streets = Table(
        f"{feature.names.hant}的道路",
        (
            "道路",
            f"{kind}內(公里)",
            f"{kind}邊界上(公里)",
            "佔該路在行政區內長度" if study.located("district") is not None else "佔該路全長",
        ),
        tuple(
            (
                row["street"],
                number(row["inside_km"], 2),
                number(row["boundary_km"], 2),
                f"{(row['share_inside'] + row['share_boundary']) * 100:.0f}%",
            )
            for row in _of(study.coverage.streets, "zone", feature.id)
            if _shows(row["inside_km"], row["boundary_km"], decimals=2)
        ),
        frozenset({1, 2, 3}),
    )
    return [table for table in (subdistricts, streets) if table.rows]


def _corridor(study: Study, feature: Feature) -> Section:
    pieces = study.lengths([feature.id])
    built = sum(p.length_m or 0.0 for p in pieces if not p.planned)
    lost = [p.street_name for p in pieces if p.length_m is None]
    paragraphs = [f"{feature.names.hant}已定位部分長 {built / 1e3:.2f} 公里(道路中心線)。"]
    if lost:
        paragraphs.append(f"{'、'.join(lost)}沒有帶來源的坐標,未計長度。")
    if feature.note:
        paragraphs.append(feature.note)
    streets = Table(
        f"{feature.names.hant}的組成",
        ("道路", "作用", "長度(公里)", "±", "依據"),
        tuple(
            (
                p.street_name,
                tr(ROLES[p.role]) + ("(規劃)" if p.planned else ""),
                number(None if p.length_m is None else p.length_m / 1e3, 2),
                number(None if p.length_sd_m is None else p.length_sd_m / 1e3, 2),
                tr(STATUSES[p.status]),
            )
            for p in pieces
        ),
        frozenset({2, 3}),
    )
    touched = Table(
        f"{feature.names.hant}經過的街道",
        ("街道(兩名並列者為交界)", "長度(公里)", "佔全帶"),
        tuple(
            (
                row["subdistrict_name"].replace("|", "、"),
                number(row["length_km"], 2),
                f"{row['share_of_corridor'] * 100:.1f}%",
            )
            for row in (
                _of(study.coverage.corridors, "corridor", feature.id)
                if study.features(_AREAL)
                else []
            )
            if _shows(row["length_km"], decimals=2)
        ),
        frozenset({1, 2}),
    )
    return Section(
        feature.id,
        feature.names.hant,
        feature.clause,
        feature.place,
        tuple(paragraphs),
        (streets, touched, *_check_table(study, feature)),
        f"{feature.names.hant}走向{_indicative(p.status for p in pieces)}",
    )


def _check_table(study: Study, feature: Feature) -> list[Table]:
    from nankai_gis.measure.checks import RULES

    titles = {rule.id: rule.title for rule in RULES}
    rows = tuple(
        (titles[f.rule], tr(VERDICTS[f.verdict]), f.figures)
        for f in study.checks
        if feature.id in f.feature.split(" / ") and f.verdict != "ok"
    )
    if not rows:
        return []
    return [
        Table(f"{feature.names.hant}:與規劃文字不符或無從判斷之處", ("問題", "結論", "數據"), rows)
    ]


def _named(study: Study, ids: str) -> str:
    """Names in place of the ids that a finding gives, one or two of them."""
    names = {f.id: f.names.hant for f in study.plan.features}
    return "、".join(names.get(one, one) for one in ids.split(" / "))


def _findings(study: Study) -> Section:
    from nankai_gis.measure.checks import RULES

    titles = {rule.id: rule.title for rule in RULES}
    counts = {verdict: sum(f.verdict == verdict for f in study.checks) for verdict in VERDICTS}
    told = ",".join(f"{tr(VERDICTS[v])} {n} 項" for v, n in counts.items())
    rows = tuple(
        (f.rule, titles[f.rule], _named(study, f.feature), f.figures, "推定" if f.inferred else "")
        for f in study.checks
        if f.verdict == "differs"
    )
    return Section(
        "",
        "規劃文字的核對",
        "",
        "",
        (f"逐項核對規劃的說法與量得的結果,共 {len(study.checks)} 項:{told}。",),
        (Table("不符的各項", ("規則", "問題", "對象", "數據", "依據"), rows),),
    )


def _method(study: Study) -> Section:
    sources: dict[str, str] = {}
    for features in study.layers.values():
        for feature in features:
            p = feature["properties"]
            for title in p["source"].split("; "):
                if title:
                    sources[title] = p["date"]
    missing = [f["properties"]["name"] for f in study.layers["streets"] if f["geometry"] is None]
    return Section(
        "",
        "方法與資料來源",
        "",
        "",
        (
            "面積與長度在 CGCS2000 橢球面上量算;平面坐標採用 EPSG:4548(CGCS2000 三度帶,"
            "中央經線 117 度)。雙幅路以中心線計,只計一次;沿邊界的道路計為「邊界上」,只計一次。",
            "± 為一倍標準差:每條邊整體平移其位置精度,各邊相互獨立,u = √Σ(邊長×精度)²。"
            "它不包括對四至文字理解本身的不確定。",
            *([f"未定位的道路:{'、'.join(missing)}。"] if missing else []),
            "街道邊界為工作圖層,並非官方界線。",
            f"{CREDIT} 1.0(自 OpenStreetMap 導出的部分)。",
        ),
        (
            Table(
                "資料來源",
                ("來源", "日期"),
                tuple(sorted(sources.items())),
            ),
        ),
    )
