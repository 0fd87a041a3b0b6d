"""A Matplotlib figure that a notebook shows as a picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import matplotlib
from matplotlib.figure import Figure

#: Dots per inch of the picture in a notebook.
SCREEN_DPI = 110


class PlanFigure(Figure):
    """A figure whose picture a notebook shows; without this it shows only the figure's size."""

    def _repr_png_(self) -> bytes:
        from nankai_gis.present.figure.files import render

        before = self.dpi
        try:
            self.dpi = min(before, SCREEN_DPI)
            return render(self, "png")
        finally:
            self.dpi = before


@contextlib.contextmanager
def new_figure(inches: tuple[float, float], dpi: float, zoom: float) -> Iterator[PlanFigure]:
    """Give a figure to draw on; the reader's own settings of Matplotlib don't change its look."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"hatch.linewidth": 0.45 * zoom, "text.hinting": "none"})
        yield PlanFigure(figsize=inches, dpi=dpi, facecolor="white")
