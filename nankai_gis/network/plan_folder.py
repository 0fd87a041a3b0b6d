"""The network of a plan, from the files in its folder."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nankai_gis import words
from nankai_gis.errors import DataError
from nankai_gis.network import digitised
from nankai_gis.network.datum_shift import refuse_shifted
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.network.roads import BBox, read
from nankai_gis.network.ways import NothingWithinError, degrees, overlap
from nankai_gis.plan.packaged import data_folder, files_within
from nankai_gis.words import tr

#: Roads are read this far around the plan's own lines, degrees (2 km).
MARGIN_DEG = 0.02

#: What the file of a network beside a plan may end in.
SUFFIXES = (
    ".gpkg", ".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf", ".json", ".geojson", ".graphml",
    ".shp", ".fgb",
)  # fmt: skip


def find_roads(folder: Path) -> Path | None:
    """Return the road network that lies in a plan's folder."""
    names = (f"roads{suffix}" for suffix in SUFFIXES)
    files = sorted(folder / name for name in names if (folder / name).is_file())
    if len(files) > 1:
        raise DataError(
            tr(
                "{folder}: {n} road networks ({files}); leave only one of them there",
                folder=folder,
                n=len(files),
                files=words.listed(file.name for file in files),
            )
        )
    return files[0] if files else None


def read_network(
    folder: Path | None = None, roads: Path | None = None, **reading: Any
) -> DigitisedNetwork | OsmNetwork | MergedNetwork:
    """Return the network that a plan is compiled on."""
    lines = None if folder is None else _tables(folder)
    if roads is not None:
        return _on_own_roads(roads, lines, folder, reading)
    file = None if folder is None else find_roads(folder)
    if file is None:
        return lines or digitised.packaged()
    mapped = OsmNetwork(read(file))
    return mapped if lines is None else MergedNetwork(lines, mapped)


def _tables(folder: Path) -> DigitisedNetwork | None:
    """The digitised lines in a plan's folder; None for none."""
    try:
        there = folder.exists()
    except OSError:  # a name that no system takes
        there = False
    if there and not folder.is_dir():
        raise DataError(tr("{folder} is a file; give the folder that holds it", folder=folder))
    if not there:
        raise DataError(
            tr(
                "{folder}: there is no such folder; `nankai-gis init {folder}` writes an example "
                "to start from",
                folder=folder,
            )
        )
    tables = folder / "digitised"
    return digitised.read(tables) if tables.is_dir() else None


def _on_own_roads(
    file: Path, lines: DigitisedNetwork | None, folder: Path | None, reading: Mapping[str, Any]
) -> OsmNetwork | MergedNetwork:
    """A network of one's own, filled with digitised lines where it covers their place."""
    from nankai_gis.network.filled import fill

    packaged = digitised.packaged()
    travelling = lines or packaged
    place = _about(travelling)
    if lines is None and folder is not None:
        # Whether the plan lies where the packaged lines do is not known.
        mapped = OsmNetwork(read(file, **reading))
        if not overlap(mapped.origin.bbox, place):
            return mapped
    else:
        try:
            # Only what lies about the plan is read.
            mapped = OsmNetwork(read(file, bbox=place, **reading))
        except NothingWithinError as error:
            raise DataError(
                tr(
                    "{file} covers {covered}, but the plan lies at {place}; take a road network "
                    "of that place",
                    file=file.name,
                    covered=degrees(error.extent),
                    place=degrees(place),
                )
            ) from error
    if not mapped.origin.named:
        raise DataError(
            tr(
                "{file}: none of its {n} ways has a name, so no road of the plan can be found; "
                "take a road network with names",
                file=file.name,
                n=mapped.origin.ways,
            )
        )
    refuse_shifted(mapped, packaged)
    return fill(travelling, mapped)


def _about(lines: DigitisedNetwork) -> BBox:
    """The box about the lines of a network, in degrees, with `MARGIN_DEG` on each side."""
    places = [vertex.position for line in lines.lines for vertex in line.vertices]
    lon, lat = zip(*(places or [(0.0, 0.0)]), strict=True)
    low, high = (min(lon), min(lat)), (max(lon), max(lat))
    return (
        low[0] - MARGIN_DEG,
        low[1] - MARGIN_DEG,
        high[0] + MARGIN_DEG,
        high[1] + MARGIN_DEG,
    )


def source_files(folder: Path | None, roads: Path | None) -> dict[str, Path]:
    """Return the files that a plan on a network is made from, by the names that records use."""
    if folder is None:
        beside = None
        files = files_within(data_folder(), "plan/*.toml", "digitised/*.csv")
    else:
        beside = find_roads(folder)
        files = files_within(folder, "*.toml", "digitised/*.csv")
    network = roads or beside
    if network is not None:
        # A shapefile or MapInfo table is several files.
        several = network.suffix.lower() in (".shp", ".tab", ".mif") and network.is_file()
        together = network.parent.glob(f"{glob.escape(network.stem)}.*") if several else [network]
        files |= {file.name: file for file in together if not file.name.endswith(".nankai-gis")}
    own_lines = folder is None or (folder / "digitised").is_dir()
    if not own_lines and (roads is not None or beside is None):
        tables = files_within(data_folder(), "digitised/*.csv")
        files |= {f"packaged {name}": file for name, file in tables.items()}
    return files
