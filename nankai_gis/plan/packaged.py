"""Where the packaged data lies, and what each file of it is.

The data folder is found beside the package in a checkout or an editable install, and inside
the package in a wheel. ``catalog.toml`` describes every file in it; `verify` compares
the files with it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nankai_gis.errors import DataError
from nankai_gis.words import tr

_NAME = "catalog.toml"


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one data file.

    Attributes
    ----------
    file : str
        Path inside the data folder, with forward slashes.
    what, source, licence, date : str
    crs : str
        ``""`` for a table without coordinates.
    rows : int
        Rows of a table, features of a layer, definitions of a plan file.
    accuracy : str
        How good the positions are, in words.
    sha256 : str
        Of the file's bytes.
    """

    file: str
    what: str
    source: str
    licence: str
    date: str
    crs: str
    rows: int
    accuracy: str
    sha256: str


@cache
def data_folder() -> Path:
    """Return the folder of the packaged data.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If the folder is nowhere: the installation is damaged.

    Examples
    --------
    >>> (data_folder() / "catalog.toml").is_file()
    True
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "geodata", package.parent / "geodata"):
        if (folder / _NAME).is_file():
            return folder
    raise DataError(
        tr(
            "the packaged data is missing: neither {folder} nor {other} holds {file}; "
            "install nankai-gis again",
            folder=package / "geodata",
            other=package.parent / "geodata",
            file=_NAME,
        )
    )


def path(file: str) -> Path:
    """Return where a packaged data file lies.

    Parameters
    ----------
    file : str
        Path inside the data folder, such as ``"layers/zones.geojson"``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If there is no such file.

    Examples
    --------
    >>> path("layers/zones.geojson").name
    'zones.geojson'
    """
    place = data_folder() / file
    if not place.is_file():
        raise DataError(
            tr("packaged data file {file} is missing; install nankai-gis again", file=file)
        )
    return place


def records(folder: Path | None = None) -> tuple[Record, ...]:
    """Return the catalogue: one record for each packaged data file.

    Parameters
    ----------
    folder : pathlib.Path, optional
        A data folder other than the packaged one.

    Returns
    -------
    tuple of Record
        In the order of the catalogue.

    Raises
    ------
    DataError
        If the catalogue is not valid TOML or a record lacks a field.

    Examples
    --------
    >>> any(r.file == "layers/zones.geojson" for r in records())
    True
    """
    import tomllib

    where = (folder or data_folder()) / _NAME
    try:
        entries = tomllib.loads(where.read_text(encoding="utf-8"))["file"]
        return tuple(Record(file=name, **entry) for name, entry in entries.items())
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise DataError(
            tr("{file} is not a readable catalogue: {reason}", file=where.name, reason=error)
        ) from error


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    str

    Examples
    --------
    >>> len(digest(data_folder() / "catalog.toml"))
    64
    """
    return hashlib.sha256(file.read_bytes()).hexdigest()


def verify(folder: Path | None = None) -> list[str]:
    """Compare the packaged files with their records.

    Parameters
    ----------
    folder : pathlib.Path, optional
        A data folder other than the packaged one.

    Returns
    -------
    list of str
        One line for each file that is missing, not in the catalogue, or changed; empty when
        everything is as recorded.

    Examples
    --------
    >>> verify()
    []
    """
    base = folder or data_folder()
    known = {record.file: record for record in records(base)}
    present = {
        file.relative_to(base).as_posix()
        for file in base.rglob("*")
        if file.is_file()
        and file.name not in (_NAME, "LICENSE")
        and "__pycache__" not in file.parts
    }
    faults = [
        tr("{file}: in the catalogue, not in the folder", file=name)
        for name in sorted(known.keys() - present)
    ]
    faults += [
        tr("{file}: in the folder, not in the catalogue", file=name)
        for name in sorted(present - known.keys())
    ]
    faults += [
        tr("{file}: differs from its recorded SHA-256", file=name)
        for name in sorted(known.keys() & present)
        if digest(base / name) != known[name].sha256
    ]
    return faults


def files_within(folder: Path, *patterns: str) -> dict[str, Path]:
    """Return files of a folder by their path within it.

    Parameters
    ----------
    folder : pathlib.Path
    *patterns : str
        As `pathlib.Path.glob` takes them.

    Returns
    -------
    dict of str to pathlib.Path
        By patterns, then by name.

    Examples
    --------
    >>> list(files_within(data_folder(), "catalog.*"))
    ['catalog.toml']
    """
    files = (file for pattern in patterns for file in sorted(folder.glob(pattern)))
    return {file.relative_to(folder).as_posix(): file for file in files if file.is_file()}
