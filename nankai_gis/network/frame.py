"""Build the frame of a network from the ways that were chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from nankai_gis.geometry.crs import STORED
from nankai_gis.network import tags as meaning
from nankai_gis.network.origin import Origin, Roads
from nankai_gis.network.ways import OUTSIDE, Chosen, Within, nothing_within

if TYPE_CHECKING:
    import pandas as pd


def build(
    chosen: Chosen, *, name: str, form: str, date: str | None, sha256: str, source: str
) -> Roads:
    """Give the chosen ways their columns and types."""
    tags = dict(chosen.tags)
    tags["name"] = tags["name"].copy()
    tags["name"][tags["name"] == ""] = None
    frame = gpd.GeoDataFrame(
        {
            "way": chosen.ids,
            "name": _column(tags["name"]),
            "aliases": _column(meaning.aliases(tags)),
            "highway": _column(tags["highway"]),
            "railway": _column(tags["railway"]),
            "waterway": _column(tags["waterway"]),
            "oneway": meaning.oneway(tags),
            "ref": _column(tags["ref"]),
            "bridge": meaning.yes(tags["bridge"]),
            "tunnel": meaning.yes(tags["tunnel"]),
            "layer": meaning.layer(tags["layer"]),
        },
        geometry=chosen.lines,
        crs=STORED,
    )
    origin = Origin(
        name=name,
        format=form,
        date=date,
        **_extent(frame),
        dropped=dict(chosen.dropped),
        incomplete=chosen.incomplete,
        sha256=sha256,
        source=source,
        notes=chosen.notes,
    )
    return Roads(frame, origin)


def cut(roads: Roads, within: Within) -> Roads:
    """Keep the ways of a network that touch the area, whole."""
    inside = within.touched_by(roads.frame.geometry.to_numpy())
    if not inside.any():
        raise nothing_within(roads.origin.name, within.box, roads.origin.bbox)
    frame = roads.frame[inside].reset_index(drop=True)
    dropped = dict(roads.origin.dropped)
    if not inside.all():
        dropped[OUTSIDE] = dropped.get(OUTSIDE, 0) + int((~inside).sum())
    return Roads(frame, replace(roads.origin, **_extent(frame), dropped=dropped))


def _column(words: Any) -> pd.Series[Any]:
    """Keep None as None: pandas would infer a string type, in which it becomes NaN."""
    import pandas as pd

    return pd.Series(words, dtype=object)


def _extent(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return what the origin says of the ways that are kept."""
    import shapely

    lines = frame.geometry.to_numpy()
    return {
        "bbox": tuple(shapely.total_bounds(lines).tolist()),
        "ways": len(frame),
        "named": int(frame["name"].notna().sum()),
        "nodes": int(shapely.get_num_coordinates(lines).sum()),
    }
