"""What is measured on the packaged layers, as scripts/build_layers.py last wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIGURES: dict[str, Any] = json.loads(Path(__file__).with_name("figures.json").read_bytes())


def square_km(feature: str) -> float:
    """Area of a feature in square kilometres."""
    return float(FIGURES["areas"][feature]["area_m2"]) / 1e6
