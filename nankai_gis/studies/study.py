"""Studies of the packaged plan and of a plan of one's own, compiled on its network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError, PlanError
from nankai_gis.plan import layers
from nankai_gis.plan.names import in_script
from nankai_gis.plan.packaged import data_folder, digest, files_within
from nankai_gis.studies.result import AREAL, Study
from nankai_gis.words import listed, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.compiler.lines import PlanNetwork
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.plan.definitions import Plan

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
    files = files_within(root, "catalog.toml", "digitised/*", "layers/*", "plan/*")
    return Study(made, _Texts(files_within(root / "plan", "*.toml")), _Digests(files))


def read(
    folder: str | os.PathLike[str] | None = None,
    network: PlanNetwork | None = None,
    *,
    roads: str | os.PathLike[str] | None = None,
) -> Study:
    """Return the study of a plan, compiled on the network beside it or on another one.

    Parameters
    ----------
    folder : str or path-like, optional
        Holds the definitions, ``*.toml``, and may hold the network to compile them on (see
        `nankai_gis.network.plan_folder.read_network`); without one that is the packaged
        digitised network. The packaged plan by default.
    network : PlanNetwork, optional
        That network, where it has been read already.
    roads : str or path-like, optional
        File of the road network to compile the plan on instead of its own.

    Returns
    -------
    Study

    Raises
    ------
    PlanError
        For every fault of the definitions, or for every one that doesn't compile, at once.
    DataError
        If the folder isn't there, its network can't be read, or `roads` has none of the plan's.

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
    from nankai_gis.network import digitised
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork
    from nankai_gis.network.plan_folder import read_network, source_files
    from nankai_gis.plan import definitions as plan

    folder = None if folder is None else Path(folder)
    roads = None if roads is None else Path(roads)
    network = read_network(folder, roads) if network is None else network
    definitions = plan.read(folder)
    # Taken before the long work: what was compiled is what is kept.
    texts = dict(_Texts(files_within(folder or data_folder() / "plan", "*.toml")))
    digests = dict(_Digests(source_files(folder, roads)))
    if not definitions.features:
        raise PlanError([tr("{folder}: no feature is defined here; add one", folder=folder)])
    if roads is not None and isinstance(network, MergedNetwork):
        _refuse_foreign(definitions, network, roads)
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


def _refuse_foreign(plan: Plan, network: MergedNetwork, roads: Path) -> None:
    """Refuse a network that has none of the roads that bound the plan's areas."""
    bounds = {
        road
        for feature in plan.features
        if feature.kind != "subdistrict"
        for road in (
            *(road for roads in feature.sides.values() for road in roads),
            *(part.road for part in feature.axis if part.road),
        )
    }
    if bounds and not any(network.maps(road) or road in network.osm for road in bounds):
        raise DataError(
            tr(
                "{file} has none of the {n} roads that the plan names, such as {names}; take a "
                "road network that covers the plan",
                file=roads.name,
                n=len(bounds),
                names=listed(in_script(name) for name in sorted(bounds)[:3]),
            )
        )


def _features_of(ways: GeoDataFrame) -> tuple[dict[str, Any], ...]:
    """Ways with what coverage asks of them."""
    import json

    columns = ["way", "name", "highway", "railway", "waterway", "geometry"]
    return tuple(json.loads(ways[columns].to_json(drop_id=True))["features"])


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
