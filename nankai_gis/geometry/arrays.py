"""Arrays of many values at a time: their types, and lists of different lengths in a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bools", "Floats", "Hashes", "Ints", "Shapes", "spread", "sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]
#: Shapely geometries.
Shapes = NDArray[np.object_]


def spread(count: Ints) -> tuple[Ints, Ints]:
    """Rows repeated as often as told, and the number of each repetition."""
    row = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return row, np.arange(len(row)) - start[row]


def sums(key: NDArray[Any], values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(key, weights=values, minlength=count), dtype=np.float64)
