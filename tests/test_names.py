"""Which known names are near one that isn't known."""

from __future__ import annotations

import pytest

from nankai_gis.plan.names import Index, nearest

# Each holds 南 and 路 in order, as 南每路 does, so that a ratio alone can't choose between them.
KNOWN = ["闸南路", "河南路", "黄南路", "湖南路", "云南路", "南门外大街", "南海路", "南海东路"]


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("南每路", "南海路"),
        ("南海道", "南海路"),
        ("北海路", "南海路"),
        ("南海中路", "南海东路"),
        ("南路", "闸南路"),
        ("南门大街", "南门外大街"),
        ("南门外大大街", "南门外大街"),
        ("南海东路路", "南海东路"),
    ],
)
def test_one_character_replaced_left_out_or_added_comes_first(asked: str, near: str) -> None:
    assert nearest(asked, KNOWN)[0] == near
    assert nearest(asked, KNOWN[::-1], 50)


def test_what_is_replaced_comes_before_what_is_left_out() -> None:
    assert nearest("南海西路", ["南海路", "南海西西路", "南海东路"]) == [
        "南海东路",
        "南海路",
        "南海西西路",
    ]


def test_of_names_as_near_the_first_comes_first_and_no_name_comes_twice() -> None:
    assert nearest("甲海路", ["乙海路", "丙海路"], 5) == ["乙海路", "丙海路"]
    assert nearest("甲海路", ["丙海路", "乙海路"], 1) == ["丙海路"]


@pytest.mark.parametrize("asked", ["", "路", "xyz"])
def test_where_nothing_is_near_there_is_nothing(asked: str) -> None:
    assert nearest(asked, ["甲大街", "乙"]) == []


@pytest.mark.parametrize("asked", ["南每路", "閘每路", "闸每路"])
def test_an_index_finds_them_in_either_script(asked: str) -> None:
    names = ["閘南路", "河南路", "黃南路", "湖南路", "雲南路", "南海路", "閘海路"]
    index = Index([([f"id-{k}", name], k) for k, name in enumerate(names)], what="street")
    assert index.near(asked)[0] == ("南海路" if asked == "南每路" else "閘海路")


def test_another_sort_of_road_comes_before_another_name():
    assert nearest("福源路", ["海源路", "福源道", "福河路"])[0] == "福源道"
