"""A plan derived on a network of one's own, kept beside the network's file.

Deriving takes seconds to minutes, reading what was derived a moment. What is kept names all that
it was made from by checksum: the network's file, the plan, the program. Where any of these is
another, it is derived anew; where the folder can't be written to, every time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nankai_gis.errors import OutputError
from nankai_gis.network.origin import Origin
from nankai_gis.network.plan_folder import source_files
from nankai_gis.plan.packaged import digest
from nankai_gis.studies.study import Study

#: What the kept file is called after the name of the network's file.
SUFFIX = ".nankai-gis"


def kept_or_made(
    roads: Path, folder: Path | None, options: str, make: Callable[[], tuple[Study, Origin]]
) -> tuple[Study, Origin]:
    """Return the study of a plan on a network, kept beside it from before, or made now and kept.

    `options` is what else it depends on.
    """
    if not roads.is_file():
        # The reader says what is wrong with it.
        return make()
    place = roads.with_name(roads.name + SUFFIX)
    key = _key(source_files(folder, roads), options)
    found = _load(place, key)
    if found is None:
        found = make()
        _keep(place, key, *found)
    return found


def _key(files: dict[str, Path], options: str) -> str:
    """A checksum of all that a study is made from: files, program and options."""
    base = Path(__file__).parents[1]
    parts = [options]
    # The program as it is installed: its version doesn't change with every mend.
    for module in sorted(base.rglob("*.py")):
        state = module.stat()
        parts.append(f"{module.relative_to(base)} {state.st_size} {state.st_mtime_ns}")
    parts += [f"{name} {digest(file)}" for name, file in sorted(files.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _load(place: Path, key: str) -> tuple[Study, Origin] | None:
    """What is kept under a key; None for nothing, another key or a damaged file."""
    from nankai_gis.network.snapshots import origin_of

    try:
        with gzip.open(place) as stream:
            if stream.readline().decode().strip() != key:
                return None
            text = stream.read()
        record: dict[str, Any] = json.loads(text)
        layers = {name: tuple(features) for name, features in record["layers"].items()}
        study = Study(layers, record["definitions"], record["data"], tuple(record["ways"]))
        return study, origin_of(record["origin"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _keep(place: Path, key: str, study: Study, origin: Origin) -> None:
    """Write a study beside its network, whole or not at all; a folder may refuse it."""
    from nankai_gis.files.atomic import write_bytes

    record = {
        "layers": study.layers,
        "definitions": dict(study.definitions),
        "data": dict(study.data),
        "ways": study.ways,
        "origin": asdict(origin),
    }
    text = json.dumps(record, ensure_ascii=False)
    content = gzip.compress(f"{key}\n{text}".encode(), compresslevel=1, mtime=0)
    try:
        write_bytes(place, content, overwrite=True)
    except OutputError:
        return
