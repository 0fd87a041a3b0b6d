"""Arrays: their types, and lists of different lengths laid end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import shapely

__all__ = ["Bools", "Floats", "Hashes", "Ints", "Shapes", "ShapesLike", "spread", "sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]
#: Shapely geometries.
Shapes = NDArray[np.object_]
ShapesLike: TypeAlias = "ArrayLike | shapely.Geometry"


def spread(count: Ints) -> tuple[Ints, Ints]:
    """Each row repeated `count` times, and the number of each repetition.

    >>> [column.tolist() for column in spread(np.array([2, 0, 1]))]
    [[0, 0, 2], [0, 1, 0]]
    """
    row = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return row, np.arange(len(row)) - start[row]


def sums(key: NDArray[Any], values: Floats, count: int) -> Floats:
    """Sums of values by key, for the keys 0 up to `count`.

    >>> sums(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 4).tolist()
    [1.0, 0.0, 5.0, 0.0]
    """
    return np.asarray(np.bincount(key, weights=values, minlength=count), dtype=np.float64)
