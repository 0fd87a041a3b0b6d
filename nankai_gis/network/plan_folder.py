"""The network of a plan, from the files in its folder."""

from __future__ import annotations

from pathlib import Path

from nankai_gis import words
from nankai_gis.errors import DataError
from nankai_gis.network import digitised
from nankai_gis.network.digitised import DigitisedNetwork
from nankai_gis.network.merged import MergedNetwork
from nankai_gis.network.osm_network import OsmNetwork
from nankai_gis.words import tr

#: What the file of a network beside a plan may end in.
SUFFIXES = (
    ".gpkg", ".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf", ".json", ".geojson", ".graphml",
    ".shp", ".fgb",
)  # fmt: skip


def find_roads(folder: Path) -> Path | None:
    """Return the road network that lies in a plan's folder.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path or None
        The file called ``roads`` with a suffix of `SUFFIXES`; None where there is none.

    Raises
    ------
    DataError
        If there are several.

    Examples
    --------
    >>> from nankai_gis.plan.packaged import data_folder
    >>> find_roads(data_folder()) is None
    True
    """
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


def read_network(folder: Path) -> DigitisedNetwork | OsmNetwork | MergedNetwork:
    """Return the network of a plan from its folder.

    Parameters
    ----------
    folder : pathlib.Path
        May hold ``roads.gpkg`` (or ``roads.osm.pbf``, ...) and a folder ``digitised`` with the
        tables of `nankai_gis.network.digitised.read`.

    Returns
    -------
    DigitisedNetwork or OsmNetwork or MergedNetwork
        Of both, the digitised lines go first; with neither, the packaged reference network.

    Raises
    ------
    DataError
        If the folder isn't there; as `find_roads`, and as the readers of the two.

    Examples
    --------
    The packaged data has digitised tables and no road network:

    >>> from nankai_gis.plan.packaged import data_folder
    >>> type(read_network(data_folder())).__name__
    'DigitisedNetwork'
    """
    from nankai_gis.network import roads

    if folder.exists() and not folder.is_dir():
        raise DataError(tr("{folder} is a file; give the folder that holds it", folder=folder))
    if not folder.is_dir():
        raise DataError(
            tr(
                "{folder}: there is no such folder; `nankai-gis init {folder}` writes an example "
                "to start from",
                folder=folder,
            )
        )
    file = find_roads(folder)
    tables = folder / "digitised"
    lines = digitised.read(tables) if tables.is_dir() else None
    if file is None:
        return lines or digitised.packaged()
    mapped = OsmNetwork(roads.read(file))
    return mapped if lines is None else MergedNetwork(lines, mapped)
