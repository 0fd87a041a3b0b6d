"""Vector files that a user brings, with the options that hold for all of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from nankai_gis.cli import options
from nankai_gis.cli.options import F
from nankai_gis.words import listed, quoted, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.network.roads import Roads


def vector_inputs(function: F) -> F:
    """Take what is to be said of vector files that a user brings, whatever they are for."""

    @functools.wraps(function)
    def call(
        *args: Any,
        layers: tuple[str, ...],
        name_field: str | None,
        id_field: str | None,
        encoding: str | None,
        **given: Any,
    ) -> Any:
        inputs = VectorInputs(layers, name_field, id_field, encoding)
        click.get_current_context().find_root().meta[options.INPUTS] = inputs
        return function(*args, inputs=inputs, **given)

    for option in (
        click.option("--encoding", help="Encoding of the text in vector files, as GB18030. "
                     "Default: by content."),
        click.option("--id-field", help="Column of the ids in vector files. Default: id."),
        click.option("--name-field", help="Column of the names in vector files. Default: name, "
                     "or what is most like it."),
        click.option("--layer", "layers", multiple=True,
                     help="Layer to take of a vector file that has several."),
    ):  # fmt: skip
        call = option(call)
    return cast("F", call)


class VectorInputs:
    """Reads the vector files of a command, with the options that hold for all of them."""

    def __init__(
        self,
        layers: Sequence[str],
        name_field: str | None,
        id_field: str | None,
        encoding: str | None,
    ) -> None:
        self.layers = layers
        self.encoding = encoding
        self.fields = {"--name-field": name_field, "--id-field": id_field}
        # What no file has had yet, with what the files have instead.
        self._missing = {option: name for option, name in self.fields.items() if name}
        self._unused = set(layers)
        self._columns: list[str] = []

    def read(self, path: Path, want: str = "", prefer: Sequence[str] = ()) -> GeoDataFrame:
        """Read a layer with columns ``id`` and ``name``, in longitude and latitude."""
        from nankai_gis.files import columns, vector

        reading: dict[str, Any] = {"want": want, "prefer": prefer, "encoding": self.encoding}
        try:
            layer = vector.read(path, layers=self.layers, **reading)
            self._unused -= set(layer.names)
        except vector.MissingLayerError:
            layer = vector.read(path, **reading)
        frame, notes = columns.identified(
            layer.frame, path.name, *(self._there(layer.frame, name) for name in self.fields)
        )
        options.tell(layer.notes + notes)
        if want == "Polygon":
            _warn_if_shifted(frame, path)
        return frame

    def roads(self, path: Path, **reading: Any) -> Roads:
        """Read a road network of any kind."""
        from nankai_gis.files.columns import MissingColumnError
        from nankai_gis.files.vector import MissingLayerError
        from nankai_gis.network.roads import read

        try:
            network = read(path, **self.of_roads(), **reading)
            self._missing.pop("--name-field", None)
            self._unused.clear()
        except (MissingColumnError, MissingLayerError):
            # It may be of another file of the command; `check_used` says if it isn't.
            network = read(path, encoding=self.encoding, **reading)
        options.tell(note for note in network.origin.notes if note.startswith('["'))
        return network

    def of_roads(self) -> dict[str, Any]:
        """Return how a road network is to be read."""
        return {
            "layers": tuple(self.layers),
            "encoding": self.encoding,
            "name_field": self.fields["--name-field"],
        }

    def _there(self, frame: GeoDataFrame, option: str) -> str | None:
        """Return the column that an option names if a layer has it."""
        asked = self.fields[option]
        known = {str(column).lower() for column in frame.columns if column != frame.geometry.name}
        if asked is None or asked.lower() not in known:
            self._columns += [str(column) for column in frame.columns]
            return None
        self._missing.pop(option, None)
        return asked

    def check_used(self) -> None:
        """Refuse an option that fits none of the files."""
        from nankai_gis.errors import DataError

        for option, name in self._missing.items():
            raise DataError(
                tr(
                    "{option} {name}: no file has this column; there are: {columns}",
                    option=option,
                    name=quoted(name),
                    columns=listed(dict.fromkeys(self._columns)) or tr("none"),
                )
            )
        for name in sorted(self._unused):
            raise DataError(tr("--layer {name}: no file has this layer", name=quoted(name)))


def _warn_if_shifted(areas: GeoDataFrame, path: Path) -> None:
    """Say so where areas would follow the packaged streets if they were shifted back."""
    import numpy as np

    from nankai_gis.network import digitised
    from nankai_gis.network.datum_shift import shifted_areas

    datum = shifted_areas(np.asarray(areas.geometry.values, dtype=object), digitised.packaged())
    if datum is not None:
        options.warn(
            tr(
                "{file} looks to be in {datum}: shifted back, its boundaries follow the packaged "
                "streets; convert it to WGS-84 first",
                file=path.name,
                datum=datum.name,
            )
        )


def read_subdistricts(path: Path, inputs: VectorInputs) -> GeoDataFrame:
    """Read subdistricts; of an OSM file the boundaries of their level, and say what it lacks."""
    from nankai_gis.network import areas, osm

    if not path.is_file() or osm.kind_of(path) in ("vector", "json", "graphml"):
        subs = inputs.read(path, "Polygon", ("subdistricts",))
        _check_named(subs, path)
        return subs
    frame = areas.of_level(path, 8)
    for relation, reason in frame.attrs["broken"].items():
        options.warn(
            tr(
                "{file}: boundary {relation} gives no area: {reason}",
                file=path.name,
                relation=relation,
                reason=reason,
            )
        )
    return frame


def _check_named(subs: GeoDataFrame, path: Path) -> None:
    """Refuse to call subdistricts by their number."""
    from nankai_gis.errors import DataError

    if "name" not in subs.columns:
        columns = [str(c) for c in subs.columns if c not in (subs.geometry.name, "id")]
        raise DataError(
            tr(
                "{file} has no column {column} (it has: {columns}); name the column that holds "
                "the names of the subdistricts with --name-field",
                file=path.name,
                column=quoted("name"),
                columns=listed(columns) or tr("none"),
            )
        )


def layer_title(layer: Path) -> str:
    """What the table of another layer is called: its own name, else that of the file."""
    from nankai_gis.files.vector import split_name

    path, named = split_name(layer)
    return named[0] if named else path.stem
