"""What a report says: a study in sections, in the words of a planner.

It puts figures into sentences and tables; how they look on paper or in a browser is the
report's affair. Nothing is measured here: every figure is the study's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .measure import AreaRow
from .model import Feature, Section, Table
from .study import Study
from .tables import KIND_NAMES, ROLE_NAMES, STATUS_NAMES, number

if TYPE_CHECKING:
    from pandas import DataFrame

_VERDICTS = {"ok": "相符", "differs": "不符", "cannot tell": "無從判斷"}


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
    >>> from nankai_gis.study import packaged
    >>> [section.id for section in compose(packaged())][1:4]
    ['qihang-bay', 'laochengxiang', 'shuishang-aoti']
    """
    areas = {row.id: row for row in study.areas(["district", "zone", "parcel"])}
    sections = [_overview(study, areas.values())]
    sections += [
        _polygon(study, feature, areas[feature.id])
        for kind in ("zone", "parcel")
        for feature in study.plan.of_kind(kind)
    ]
    sections += [_corridor(study, feature) for feature in study.plan.of_kind("corridor")]
    sections += [_findings(study), _method(study)]
    sections = [replace(s, paragraphs=tuple(map(_set, s.paragraphs))) for s in sections]
    return tuple(_simplified(s) for s in sections) if hans else tuple(sections)


_HALF_WIDTH = str.maketrans({",": "，", ":": "：", ";": "；", "(": "（", ")": "）"})


def _set(text: str) -> str:
    """Full-width punctuation, as Chinese prose is set, except inside figures and names."""
    return re.sub(
        r"(?<=[^\x00-\xff])[,:;()]|[(](?=[^\x00-\xff±])|(?<=[0-9%a-zA-Z])[,;:)](?=[^\x00-\xff]|$)",
        lambda mark: mark[0].translate(_HALF_WIDTH),
        text,
    )


def _simplified(section: Section) -> Section:
    from .names import simplified as plain

    return replace(
        section,
        title=plain(section.title),
        clause=plain(section.clause),
        place=plain(section.place),
        picture=plain(section.picture),
        paragraphs=tuple(map(plain, section.paragraphs)),
        tables=tuple(
            replace(
                table,
                caption=plain(table.caption),
                header=tuple(map(plain, table.header)),
                rows=tuple(tuple(map(plain, row)) for row in table.rows),
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
                KIND_NAMES[row.kind],
                number(row.area_m2 / 1e6, 3),
                number(row.area_sd_m2 / 1e6, 3),
                number(row.perimeter_m / 1e3, 2),
                number(None if row.stated_area_m2 is None else row.stated_area_m2 / 1e6, 2),
                number(None if row.deviation_m2 is None else row.deviation_m2 / 1e6, 3, sign=True),
                STATUS_NAMES[row.status],
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
            *filter(None, ["".join([*district, about.summary])]),
            "邊界由規劃文字中的四至在路網上生成,並非測繪成果;依據為「推定」者僅為示意,"
            "± 為由邊界位置精度推得的一倍標準差。",
        ),
        (areas, corridors) if lengths else (areas,),
        about.title.hant,
    )


def _polygon(study: Study, feature: Feature, row: AreaRow) -> Section:
    shape = next(f for f in study.features([feature.kind]) if f["properties"]["id"] == feature.id)
    paragraphs = [
        f"{feature.names.hant}量得面積 {_area_text(row)},周長 {row.perimeter_m / 1e3:.2f} 公里,"
        f"其中 {row.inferred_share * 100:.0f}% 的邊界為推定。"
    ]
    if row.stated_area_m2 is not None and row.deviation_m2 is not None:
        ratio = abs(row.deviation_m2) / row.area_sd_m2
        paragraphs.append(
            f"規劃所述 {row.stated_area_m2 / 1e6:g} 平方公里,偏差 {row.deviation_m2 / 1e6:+.2f} "
            f"平方公里,為標準差的 {ratio:.1f} 倍。"
        )
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
                STATUS_NAMES[part["status"]],
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
        f"{feature.names.hant}範圍(示意)",
    )


def _of(table: DataFrame, key: str, value: str) -> list[dict[str, Any]]:
    rows = table[table[key] == value].to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _coverage_tables(study: Study, feature: Feature) -> list[Table]:
    subdistricts = Table(
        f"{feature.names.hant}覆蓋的街道",
        ("街道", "面積(平方公里)", "佔片區", "佔街道"),
        tuple(
            (
                row["subdistrict_name"],
                number(row["area_km2"], 3),
                f"{row['share_of_zone'] * 100:.1f}%",
                f"{row['share_of_subdistrict'] * 100:.1f}%",
            )
            for row in _of(study.coverage.areas, "zone", feature.id)
        ),
        frozenset({1, 2, 3}),
    )
    streets = Table(
        f"{feature.names.hant}的道路",
        ("道路", "區內(公里)", "邊界上(公里)", "佔全路"),
        tuple(
            (
                row["street"],
                number(row["inside_km"], 2),
                number(row["boundary_km"], 2),
                f"{(row['share_inside'] + row['share_boundary']) * 100:.0f}%",
            )
            for row in _of(study.coverage.streets, "zone", feature.id)
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
                ROLE_NAMES[p.role] + ("(規劃)" if p.planned else ""),
                number(None if p.length_m is None else p.length_m / 1e3, 2),
                number(None if p.length_sd_m is None else p.length_sd_m / 1e3, 2),
                STATUS_NAMES[p.status],
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
            for row in _of(study.coverage.corridors, "corridor", feature.id)
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
        f"{feature.names.hant}走向(示意)",
    )


def _check_table(study: Study, feature: Feature) -> list[Table]:
    from .check import RULES

    titles = {rule.id: rule.title for rule in RULES}
    rows = tuple(
        (titles[f.rule], _VERDICTS[f.verdict], f.figures)
        for f in study.checks
        if feature.id in f.feature.split(" / ") and f.verdict != "ok"
    )
    if not rows:
        return []
    return [
        Table(f"{feature.names.hant}:與規劃文字不符或無從判斷之處", ("問題", "結論", "數據"), rows)
    ]


def _findings(study: Study) -> Section:
    from .check import RULES

    titles = {rule.id: rule.title for rule in RULES}
    counts = {verdict: sum(f.verdict == verdict for f in study.checks) for verdict in _VERDICTS}
    told = ",".join(f"{_VERDICTS[v]} {n} 項" for v, n in counts.items())
    rows = tuple(
        (f.rule, titles[f.rule], f.feature, f.figures, "推定" if f.inferred else "")
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
            "± 為一倍標準差:每條邊整體平移其位置精度,各邊相互獨立,u = √Σ(邊長×精度)^2。"
            "它不包括對四至文字理解本身的不確定。",
            *([f"未定位的道路:{'、'.join(missing)}。"] if missing else []),
            "街道邊界為工作圖層,並非官方界線。",
            "© OpenStreetMap contributors, ODbL 1.0(自 OpenStreetMap 導出的部分)。",
        ),
        (
            Table(
                "資料來源",
                ("來源", "日期"),
                tuple(sorted(sources.items())),
            ),
        ),
    )
