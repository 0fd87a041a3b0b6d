"""Tables: aligned, whole, and harmless in a spreadsheet and on a terminal."""

from __future__ import annotations

import csv
import json

import pytest

from nankai_gis.files import spreadsheet
from nankai_gis.present import tables
from nankai_gis.present.tables import Column


def test_columns_align_with_wide_characters() -> None:
    text = tables.terminal(
        [Column("名稱"), Column("km", "right")],
        [["南開區", "41.5"], ["a", "1,234.0"], ["（）", "-"]],
    )
    lines = text.splitlines()
    assert {tables.width(line) for line in lines} == {tables.width(lines[0])}
    assert lines[2] == "南開區     41.5"


def test_a_name_can_not_move_the_cursor() -> None:
    text = tables.terminal([Column("a")], [["x\x1b[2Jy\rz\u202e"]])
    assert "\x1b" not in text
    assert "\r" not in text
    assert "\u202e" not in text


def test_what_is_not_known_is_not_zero() -> None:
    assert tables.number(None, 2) == "-"
    assert tables.number(0.0, 2) == "0.00"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_is_no_formula(text: str) -> None:
    rows = tables.csv_text([{"name": text, "n": -1.5}]).decode("utf-8-sig")
    ((shown, value),) = (
        list(csv.reader(rows.splitlines(keepends=True)))[1:]
        if "\r" not in text
        else [next(csv.reader([rows.split("\r\n", 1)[1]]))]
    )
    assert shown == "'" + text
    assert value == "-1.5"


def test_csv_opens_in_excel_and_comes_back_the_same() -> None:
    data = tables.csv_text([{"名稱": '老城廂「文商旅」,"甲"', "km2": 1.5}])
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 2
    assert list(csv.DictReader(data.decode("utf-8-sig").splitlines())) == [
        {"名稱": '老城廂「文商旅」,"甲"', "km2": "1.5"}
    ]
    assert tables.csv_text([]) == b""


def test_titles_of_worksheets_are_unique_and_short() -> None:
    long = "甲" * 40
    given = spreadsheet.titles([long, long, "a/b", "A_B", "'", "片區"])
    assert given == ["甲" * 31, "甲" * 29 + " 2", "a_b", "A_B 2", "_", "片區"]
    # Titles that may stand stay, so that a caller can ask for them beforehand.
    assert spreadsheet.titles(given) == given


def test_json_refuses_what_json_does_not_know() -> None:
    assert json.loads(tables.json_text({"a": [1, None, "南"]})) == {"a": [1, None, "南"]}
    with pytest.raises(ValueError, match="JSON"):
        tables.json_text({"a": float("nan")})


def test_units_are_those_of_the_trade() -> None:
    assert tables.AREA_UNITS["km2"] / tables.AREA_UNITS["mu"] == pytest.approx(1500)
    assert tables.AREA_UNITS["ha"] / tables.AREA_UNITS["mu"] == pytest.approx(15)
