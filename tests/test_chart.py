"""The picture of coverage shows what it is given, longest first."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely.geometry import LineString, box

from nankai_gis.errors import FontError, MissingGlyphWarning
from nankai_gis.present import chart, figure

ZONE = gpd.GeoDataFrame(geometry=[box(117, 39, 117.01, 39.01)], crs=4326)
PIECES = gpd.GeoDataFrame(
    {"zones": ["z", "", ""], "along": ["", "z", ""]},
    geometry=[
        LineString([(117, 39.005), (117.01, 39.005)]),
        LineString([(117, 39), (117, 39.01)]),
        LineString([(116.99, 39), (116.99, 39.01)]),
    ],
    crs=4326,
)


def labels(bars: list[chart.Bar]) -> list[str]:
    drawn = chart.coverage(bars, PIECES, ZONE, title="道路", source="")
    return [tick.get_text() for tick in drawn.axes[0].get_yticklabels()]


def test_bars_stand_longest_first_and_the_rest_is_counted() -> None:
    bars = [chart.Bar(f"{n}路", n / 10, 0.1) for n in range(30)]
    shown = labels(bars)
    assert shown[:2] == ["29路", "28路"]
    assert len(shown) == chart.MOST
    drawn = chart.coverage(bars, PIECES, ZONE, title="道路", source="")
    assert any("5 more roads" in text.get_text() for text in drawn.texts)


def test_lengths_of_bars_are_the_kilometres_given() -> None:
    drawn = chart.coverage([chart.Bar("甲路", 1.5, 0.5)], PIECES, ZONE, title="道路", source="")
    inside, boundary = drawn.axes[0].patches
    assert (inside.get_width(), boundary.get_x(), boundary.get_width()) == (1.5, 1.5, 0.5)


def test_the_same_picture_has_the_same_bytes() -> None:
    one, two = (
        figure.render(
            chart.coverage([chart.Bar("甲路", 1, 0)], PIECES, ZONE, title="道路", source="")
        )
        for _ in range(2)
    )
    assert one == two


def test_a_box_is_drawn_for_a_sign_that_no_font_has() -> None:
    with pytest.warns(MissingGlyphWarning, match="□ is drawn"):
        assert "□路" in labels([chart.Bar("\U0010fffd路", 1, 0)])


def test_a_letter_that_no_font_has_is_said() -> None:
    with pytest.raises(FontError, match=r"no glyph|every glyph"):
        labels([chart.Bar("\u19c1路", 1, 0)])
