"""The streets that ``coverage`` measures: read about the areas, and compared with their place."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nankai_gis.cli import options
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.cli.inputs import VectorInputs
    from nankai_gis.measure.coverage import Coverage
    from nankai_gis.network.roads import Origin
    from nankai_gis.studies.study import Study

Box = tuple[float, float, float, float]

#: Streets are read this far about the areas: a way along a boundary, and the carriageways of its
#: street, lie within; metres.
MARGIN_M = 500.0


def check(
    roads: Path | None, scheduler: str | None, walk: Path | None, plot: Path | None, form: str
) -> None:
    """Refuse a folder without --dask, and with it what needs the whole network in memory."""
    if scheduler is None:
        if roads is not None and roads.is_dir():
            raise click.UsageError(
                tr(
                    "--roads {folder} is a folder; a network in GeoParquet files is measured with "
                    "--dask",
                    folder=roads,
                )
            )
        return
    if roads is None:
        raise click.UsageError(tr("--dask needs --roads FOLDER, a network in GeoParquet files"))
    whole = {"--walk": walk is not None, "--plot": plot is not None}
    whole["--format geojson"] = form == "geojson"
    for option, given in whole.items():
        if given:
            raise click.UsageError(
                tr(
                    "{option} needs all streets in memory, which --dask avoids; leave --dask out "
                    "and give the part of the network that you want to see as --roads FILE",
                    option=option,
                )
            )


def streets(
    path: Path | None,
    study: Study,
    inputs: VectorInputs,
    areas: tuple[GeoDataFrame, GeoDataFrame | None],
    settings: Mapping[str, Any],
    *,
    all_of_it: bool,
) -> tuple[GeoDataFrame, GeoDataFrame | None, Origin | None]:
    """Return streets, centrelines of those that reach the areas, and where they come from.

    Of a file only what lies about zones and subdistricts is kept; all of it where it is asked
    for, as a walk may lead anywhere, and without a district, as a share is of the whole street.
    """
    if path is None:
        return *study.streets_to_cover(), options.origin()
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.network.ways import NothingWithinError

    reach = settings["reach_m"]
    reached = _boxes(areas[0]) + ([] if reach is None else _boxes(settings["corridors"], reach))
    box = None
    if not all_of_it and settings["district"] is not None:
        others = (areas[1], settings["district"], settings["corridors"])
        west, south, east, north = zip(
            *reached, *itertools.chain(*map(_boxes, others)), strict=True
        )
        box = min(west), min(south), max(east), max(north)
    try:
        roads = inputs.roads(path, bbox=box)
    except NothingWithinError:
        # A warning says where the streets and the zones lie.
        roads = inputs.roads(path)
    network = OsmNetwork(roads)
    options.warn_if_shifted(network)
    return network.ways(), network.centrelines(reached), network.origin


def _boxes(layer: GeoDataFrame | None, more_m: float = 0.0) -> list[Box]:
    """Boxes about the rows of a layer in degrees, wider by `MARGIN_M` and so many metres."""
    import numpy as np

    from nankai_gis.geometry.degree_scale import metres_per_degree

    if layer is None:
        return []
    bounds = layer.bounds.to_numpy()
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    scale = np.column_stack(metres_per_degree(bounds[:, 1::2].mean(axis=1)) * 2)
    wider = bounds + (MARGIN_M + more_m) / scale * (-1, -1, 1, 1)
    west, south, east, north = np.clip(wider, (-180, -90) * 2, (180, 90) * 2).T.tolist()
    return list(zip(west, south, east, north, strict=True))


def elsewhere(study: Study, areas: GeoDataFrame) -> bool:
    """Whether zones lie wholly beside the plan, which then says nothing of them."""
    district = study.located("district")
    if district is None or areas.crs != district.crs:
        return False
    west, south, east, north = district.total_bounds
    return bool(areas.geometry.dropna().cx[west:east, south:north].empty)


def warn_if_apart(
    result: Coverage, areas: GeoDataFrame, streets: GeoDataFrame | None, roads: Path | None
) -> None:
    """Warn where all lengths are zero because streets and zones lie in different places."""
    zones = result.zones[result.zones["kind"] == "zone"]
    if float(zones[["inside_km", "boundary_km"]].to_numpy().sum()) > 0:
        return
    network = tr("the plan") if roads is None else roads.name
    if streets is None:
        warning = tr(
            "no street of {network} comes near the zones, which lie at {zones}; all "
            "lengths in the zones are zero",
            network=network,
            zones=_place(areas),
        )
    else:
        warning = tr(
            "no street of {network} comes near the zones: the streets lie at {streets}, "
            "the zones at {zones}; all lengths in the zones are zero",
            network=network,
            streets=_place(streets),
            zones=_place(areas),
        )
    options.warn(warning)


def _place(frame: GeoDataFrame) -> str:
    west, south, east, north = frame.total_bounds
    corners = f"{west:.4f},{south:.4f}", f"{east:.4f},{north:.4f}"
    return tr("{southwest} to {northeast}", southwest=corners[0], northeast=corners[1])
