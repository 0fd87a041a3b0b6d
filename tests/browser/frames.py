"""Layers for the map's tests: rough shapes at the right places, figures of the right size."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas

HEADS = {
    "title": "南開區空間格局示意圖",
    "subtitle": "一灣啟航 · 兩翼騰飛 · 三帶匯通",
    "source": "規劃文本第四章；道路據 OpenStreetMap",
    "date": "2025-06-01",
}


def plan_frames(*, coverage: bool = False) -> dict[str, geopandas.GeoDataFrame]:
    """Return all nine layers; with coverage, a share per subdistrict and none for the last."""
    layers = json.loads(Path(__file__).with_name("plan.json").read_text("utf-8"))
    frames = {
        key: geopandas.GeoDataFrame.from_features(features, crs="EPSG:4326")
        for key, features in layers.items()
    }
    if coverage:
        frames["subdistricts"]["coverage_share"] = [n / 11 for n in range(11)] + [None]
    return frames
