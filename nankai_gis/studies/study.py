"""Studies of the packaged plan and of a plan of one's own, compiled on its network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import PlanError
from nankai_gis.plan import layers
from nankai_gis.plan.packaged import data_folder, digest
from nankai_gis.studies.result import AREAL, Study
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.compiler.lines import PlanNetwork

__all__ = ["AREAL", "Study", "packaged", "read"]


def packaged() -> Study:
    """Return the study of the packaged plan on the packaged layers.

    Returns
    -------
    Study

    Examples
    --------
    >>> len(packaged().areas(["subdistrict"]))
    12
    """
    root = data_folder()
    made = {name: tuple(layers.features(name)) for name in layers.LAYERS}
    files = _within(root, "catalog.toml", "digitised/*", "layers/*", "plan/*")
    return Study(made, _Texts(_within(root / "plan", "*.toml")), _Digests(files))


def read(folder: str | os.PathLike[str], network: PlanNetwork | None = None) -> Study:
    """Return the study of a plan of one's own, compiled on the network beside it.

    Parameters
    ----------
    folder : str or path-like
        Holds the definitions, ``*.toml``, and may hold the network to compile them on (see
        `nankai_gis.network.plan_folder.read_network`); without one that is the packaged
        digitised network.
    network : PlanNetwork, optional
        That network, where it has been read already.

    Returns
    -------
    Study

    Raises
    ------
    PlanError
        For every fault of the definitions, or for every one that doesn't compile, at once.
    DataError
        If the folder isn't there or its network can't be read.

    Examples
    --------
    >>> import shutil, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("zones.toml", "subdistricts.toml"):
    ...     _ = shutil.copy(data_folder() / "plan" / name, folder)
    >>> read(folder).areas(["zone"]) == packaged().areas(["zone"])
    True
    """
    from nankai_gis.compiler import layers as compiled
    from nankai_gis.network import digitised, plan_folder
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.plan import definitions as plan

    folder = Path(folder)
    network = plan_folder.read_network(folder) if network is None else network
    definitions = plan.read(folder)
    # Taken before the long work: what was compiled is what is kept.
    roads = plan_folder.find_roads(folder)
    files = _within(folder, "*.toml", "digitised/*.csv", *([roads.name] if roads else []))
    if network is digitised.packaged():
        tables = _within(data_folder(), "digitised/*.csv")
        files |= {f"packaged {name}": file for name, file in tables.items()}
    texts, digests = dict(_Texts(_within(folder, "*.toml"))), dict(_Digests(files))
    if not definitions.features:
        raise PlanError([tr("{folder}: no feature is defined here; add one", folder=folder)])
    try:
        made = compiled.plan_layers(definitions, network, search=True)
    except PlanError as error:
        if network is not digitised.packaged():
            raise
        where = tr(
            "compiled on the packaged streets of Nankai District, since there is neither a file "
            "roads.* nor a folder digitised in {folder}",
            folder=folder,
        )
        raise PlanError([*error.faults, where]) from error
    kept = {name: tuple(features) for name, features in made.items()}
    bounds = compiled.extent(made)
    ways: tuple[dict[str, Any], ...] = ()
    if bounds is not None and isinstance(network, OsmNetwork | MergedNetwork):
        ways = _features_of(network.vicinity(bounds))
    return Study(kept, texts, digests, ways)


def _features_of(ways: GeoDataFrame) -> tuple[dict[str, Any], ...]:
    """Ways with what coverage asks of them."""
    import json

    columns = ["way", "name", "highway", "railway", "waterway", "geometry"]
    return tuple(json.loads(ways[columns].to_json(drop_id=True))["features"])


def _within(folder: Path, *patterns: str) -> dict[str, Path]:
    """Files of a folder by their path within it."""
    files = (file for pattern in patterns for file in sorted(folder.glob(pattern)))
    return {file.relative_to(folder).as_posix(): file for file in files if file.is_file()}


@dataclass(frozen=True)
class _Lazy(Mapping[str, str]):
    """Something of each of some files, looked at when asked for: an area table needs none."""

    files: Mapping[str, Path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class _Texts(_Lazy):
    def __getitem__(self, name: str) -> str:
        return self.files[name].read_text(encoding="utf-8-sig")


class _Digests(_Lazy):
    def __getitem__(self, name: str) -> str:
        return digest(self.files[name])
