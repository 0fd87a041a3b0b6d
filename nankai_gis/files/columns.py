"""Which column of a layer holds names, and which ids; both are proposed, and told."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nankai_gis.errors import DataError
from nankai_gis.words import listed, quoted, stored, tr

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

#: What a column of names is called, best first; case, blanks and underscores don't count.
NAMES = (
    "name", "名称", "名稱", "道路名称", "道路名稱", "街道名称", "街道名稱", "路名", "街道",
    "roadname", "streetname", "stname", "mc", "xzmc", "jdmc", "dlmc", "lmmc", "zqmc", "xzqmc",
    "dkmc", "xmmc", "qmc", "jcmc", "fullname", "namezh", "namecn", "namechn", "namehans",
    "namehant", "zhname", "cname", "chname", "title", "label", "nam",
)  # fmt: skip
#: What else it may end in.
_ENDINGS = ("名称", "名稱", "name", "mc", "名")
IDS = ("id", "osmid", "wayid", "编号", "編號", "代码", "代碼")
#: The share of rows that a column must name.
_FILLED = 0.5


class MissingColumnError(DataError):
    """A column that a user names and the layer lacks."""


def blank(value: object) -> bool:
    """Whether a cell holds nothing."""
    missing = value is None or type(value).__name__ in ("NAType", "NaTType")
    return missing or (isinstance(value, float) and value != value) or not str(value).strip()


def as_list(value: object) -> list[str] | None:
    """Return the texts of a list, or of a text that writes one as Python or JSON does."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*\[.*\]\s*", value, re.DOTALL) or len(value) > 10_000:
            return None
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None  # broken or too deep: no list
    if isinstance(value, str | bytes | dict) or not isinstance(value, Iterable):
        return None
    return [str(part) for part in value if not blank(part)]


def _key(column: object) -> str:
    return re.sub(r"[\W_]", "", str(column)).lower()


def find_name(frame: GeoDataFrame) -> str | None:
    """Return the column that most likely holds names; None where none does."""
    usable = [
        str(column)
        for column in frame.columns
        if column != frame.geometry.name and _is_text(frame[column])
    ]
    by_key = {_key(column): column for column in reversed(usable)}
    # The very column comes first, whatever its case; then known names; then what ends like one.
    for key in NAMES:
        if key in by_key:
            return by_key[key]
    for ending in _ENDINGS:
        for column in usable:
            if _key(column).endswith(ending):
                return column
    return None


def _is_text(values: pd.Series[Any]) -> bool:
    """Whether a column holds names in most rows: no numbers, no objects."""
    texts = [value for value in values.tolist() if not blank(value)]
    if not texts or len(texts) < _FILLED * len(values):
        return False
    return not any(_is_object(value) for value in texts) and any(
        not re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", str(value), re.IGNORECASE) for value in texts
    )


def _is_object(value: object) -> bool:
    if isinstance(value, dict):
        return True
    if not isinstance(value, str) or not re.fullmatch(r"\s*\{.*\}\s*", value, re.DOTALL):
        return False
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def identified(
    frame: GeoDataFrame, file: str, name_field: str | None = None, id_field: str | None = None
) -> tuple[GeoDataFrame, list[str]]:
    """Return a layer whose columns ``name`` and ``id`` can be used, and what was done for it."""
    notes: list[str] = []
    frame = frame.copy()
    frame = _with_names(frame, file, name_field, notes)
    return _with_ids(frame, file, id_field, notes), notes


def _with_names(
    frame: GeoDataFrame, file: str, asked: str | None, notes: list[str]
) -> GeoDataFrame:
    column = find_name(frame) if asked is None else column_of(frame, asked, file, "--name-field")
    if column is None:
        if "name" in frame.columns:
            notes.append(
                stored(
                    "{file}: the column {column} holds no plain names; the ids stand for them",
                    file=file,
                    column="name",
                )
            )
            frame = frame.drop(columns="name")
        return frame
    if column != "name":
        frame["name"] = frame[column]
        if asked is None:
            notes.append(
                stored(
                    "{file}: names are taken from the column {column}; --name-field takes another",
                    file=file,
                    column=column,
                )
            )
    # A list of names is one name of several parts.
    texts = frame["name"].astype(object)
    parts = [as_list(value) for value in texts.tolist()]
    if any(part is not None for part in parts):
        frame["name"] = [
            text if part is None else ";".join(part)
            for text, part in zip(texts.tolist(), parts, strict=True)
        ]
    return frame


def column_of(frame: GeoDataFrame, asked: str, file: str, option: str) -> str:
    """Return a column that a user names; case counts only where two differ in nothing else."""
    columns = [str(column) for column in frame.columns if column != frame.geometry.name]
    if asked in columns:
        return asked
    same = [column for column in columns if column.lower() == asked.lower()]
    if len(same) == 1:
        return same[0]
    raise MissingColumnError(
        tr(
            "{layer}: no column {column}; there are: {columns}; name the column with {option}",
            layer=file,
            column=quoted(asked),
            columns=listed(columns) or tr("none"),
            option=option,
        )
    )


def _with_ids(frame: GeoDataFrame, file: str, asked: str | None, notes: list[str]) -> GeoDataFrame:
    lines = bool(frame.geom_type.dropna().str.contains("Line").all()) and len(frame) > 0
    keys = {_key(column): str(column) for column in reversed(list(frame.columns))}
    column = keys.get("id") if asked is None else column_of(frame, asked, file, "--id-field")
    rows = [str(number) for number in range(1, len(frame) + 1)]
    if column is None:
        frame["id"] = rows
        return frame
    values = frame[column].tolist()
    reason = _unfit(values, frame, lines)
    if not reason:
        frame["id"] = [_whole(value) for value in values]
        return frame
    if asked is not None:
        raise DataError(
            tr(
                "{file}: the column {column} can't be the ids: {reason}",
                file=file,
                column=quoted(column),
                reason=reason,
            )
        )
    notes.append(
        stored(
            "{file}: the column {column} gives no ids ({reason}); rows are numbered from 1",
            file=file,
            column=column,
            reason=reason,
        )
    )
    return frame.drop(columns=column).assign(id=rows)


def _unfit(values: Sequence[object], frame: GeoDataFrame, lines: bool) -> str:
    """Say why values are no ids; "" where they are. Pieces of one way may share its id."""
    if any(map(blank, values)):
        return tr("some rows have none")
    texts = [str(value) for value in values]
    if len(set(texts)) == len(texts):
        return ""
    if lines and len(set(texts)) > 1:
        return ""
    # The same row twice is no clash of ids.
    shapes = frame.geometry.to_wkb().tolist()
    names = frame["name"].tolist() if "name" in frame.columns else texts
    rows = set(zip(texts, map(str, names), shapes, strict=True))
    if len({text for text, _, _ in rows}) == len(rows) and len(set(texts)) > 1:
        return ""
    twice = sorted({text for text in texts if texts.count(text) > 1})[:3]
    return tr("several rows share {ids}", ids=listed(twice))


def _whole(value: object) -> str:
    """Return an id as text: a number that a program made 7.0 is 7."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
