"""The layers of a plan as a file for other programs."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nankai_gis.errors import DataError, NotFoundError
from nankai_gis.exports import write
from nankai_gis.exports.report import ExportReport
from nankai_gis.plan.layers import LAYERS
from nankai_gis.studies.study import Study, packaged
from nankai_gis.words import listed, tr

__all__ = ["export"]


def export(
    path: str | os.PathLike[str],
    study: Study | None = None,
    *,
    layers: Collection[str] | None = None,
    **options: Any,
) -> ExportReport:
    """Write the layers of a plan as a file for other programs.

    Parameters
    ----------
    path : str or path-like
        The suffix says the format: GeoPackage, GeoJSON, Shapefile (``.zip``), KML, DXF and more
        (`nankai_gis.exports.FORMATS`).
    study : Study, optional
        Of another plan; the packaged one by default.
    layers : collection of str, optional
        Members of `nankai_gis.plan.layers.LAYERS`; all that the plan has by default.
    **options
        ``crs``, ``datum``, ``encoding``, ``format``, ``overwrite``: as `nankai_gis.exports.write`
        takes them.

    Returns
    -------
    ExportReport
        What was written, left out and changed.

    Raises
    ------
    NotFoundError
        For an unknown layer, format, datum or encoding.
    DataError
        If the plan has nothing in these layers.
    OutputError
        If the file exists or can't be written; an existing file is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "plan.geojson"
    >>> export(target, layers=["zones"]).rows
    {'zones': 3}
    """
    study = study or packaged()
    frames = {layer: study.frame(layer) for layer in layers_of(study, layers)}
    return write(frames, Path(path), **options)


def layers_of(study: Study, layers: Collection[str] | None) -> list[str]:
    """Return those of some layers in which the study has anything; of all of them for None."""
    wanted = LAYERS if layers is None else tuple(layers)
    for layer in wanted:
        if layer not in LAYERS:
            raise NotFoundError(tr("layer"), layer, LAYERS)
    present = [layer for layer in LAYERS if layer in wanted and study.layers[layer]]
    if not present:
        raise DataError(tr("the plan has nothing in {layers}", layers=listed(wanted)))
    return present
