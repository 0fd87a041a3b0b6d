"""What ``coverage`` prints: its tables, and the sentences below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nankai_gis.plan.names import in_script
from nankai_gis.words import listed, mark, name_column, ntr, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from nankai_gis.measure.coverage import Coverage, Key, WalkingReach
    from nankai_gis.measure.coverage.reconciliation import Note

#: The key of the table of a walk, and its title.
WALK, WALK_TITLE = "walking_reach", mark("walking reach")
#: What JSON and XLSX have besides.
OWN = {"reconciliation": mark("reconciliation"), "dropped": mark("left out or repaired")}

# Titles and decimals of the columns that a table shows; what isn't here isn't shown.
_COLUMNS: dict[str, tuple[str, int | None]] = {
    "zone_name": (mark("zone"), None),
    "corridor_name": (mark("corridor"), None),
    "subdistrict_name": (mark("subdistrict"), None),
    "street": (mark("road"), None),
    "class_label": (mark("road class"), None),
    "area_km2": (mark("area (km²)"), 3),
    "share_of_zone": (mark("share of zone"), 3),
    "share_of_subdistrict": (mark("share of subdistrict"), 3),
    "inside_km": (mark("inside (km)"), 3),
    "boundary_km": (mark("on boundary (km)"), 3),
    "outside_km": (mark("outside (km)"), 3),
    "total_km": (mark("total (km)"), 3),
    "length_km": (mark("length (km)"), 3),
    "district_km": (mark("in district (km)"), 3),
    "share_inside": (mark("share inside"), 3),
    "share_boundary": (mark("share on boundary"), 3),
    "centreline_inside_km": (mark("centreline inside (km)"), 3),
    "centreline_boundary_km": (mark("centreline on boundary (km)"), 3),
    "share_of_corridor": (mark("share of corridor"), 3),
    "density_km_per_km2": (mark("density (km/km²)"), 2),
    "crossings": (mark("crossings"), 0),
    "entry": (mark("entry"), None),
    "exit": (mark("exit"), None),
    "features": (mark("features"), 0),
    "inside": (mark("inside"), 0),
    "boundary": (mark("on boundary"), 0),
    "streets_km": (mark("roads (km)"), 2),
    "reached_km": (mark("reached (km)"), 2),
    "reached_km2": (mark("reached (km²)"), 3),
    "share_of_area": (mark("share of area"), 3),
    "share_of_streets": (mark("share of roads"), 3),
}
# The tables that answer the keys, with their titles; other keys get a table of lengths.
_TABLES: dict[frozenset[str], dict[str, str]] = {
    frozenset(("zone", "subdistrict")): {
        "areas": mark("zone × subdistrict"), "corridors": mark("corridor × subdistrict")
    },
    frozenset(("zone", "street")): {"streets": mark("zone × road")},
    frozenset(("zone", "class")): {"classes": mark("zone × road class")},
    frozenset(("zone",)): {"zones": mark("zone")},
    frozenset(("subdistrict",)): {"subdistricts": mark("subdistrict")},
}  # fmt: skip
_KEY_TITLES = {
    "zone": mark("zone"),
    "subdistrict": mark("subdistrict"),
    "street": mark("road"),
    "class": mark("road class"),
}
# Gaps and overlaps below a millionth of the whole are noise of coordinates.
_SHOWN_GAP = 1e-6


class Titled(NamedTuple):
    """A table, its key in JSON and its title for readers."""

    key: str
    title: str
    table: DataFrame


def titles(keys: Sequence[Key]) -> dict[str, str]:
    """Return the tables that answer the keys, each with its title."""
    named = _TABLES.get(frozenset(keys))
    if named is None:
        return {"lengths": " × ".join(tr(_KEY_TITLES[key]) for key in keys)}
    return {table: tr(title) for table, title in named.items()}


def chosen(result: Coverage, keys: Sequence[Key], walked: WalkingReach | None) -> list[Titled]:
    """Return the tables that answer the keys, those of other layers and of the walk."""
    tables = [
        Titled(key, title, result.table(*keys) if key == "lengths" else getattr(result, key))
        for key, title in titles(keys).items()
    ]
    tables += [Titled(name, name, table) for name, table in result.layers.items()]
    if walked is not None:
        tables.append(Titled(WALK, tr(WALK_TITLE), walked.table))
    return tables


# ------------------------------------------------------------------ forms


def formed(
    form: str,
    tables: Sequence[Titled],
    result: Coverage,
    notes: Sequence[Note],
    below: str,
    layers: Iterable[GeoDataFrame | None],
) -> str | bytes:
    """Return tables in one of the forms; names of a text are looked up in the layers."""
    if form == "table":
        return as_text(tables, below, names_in_language(layers))
    if form == "csv":
        return as_csv(tables)
    return (as_workbook if form == "xlsx" else as_json)(tables, result, notes)


def as_text(tables: Iterable[Titled], below: str, names: Mapping[str, str]) -> str:
    """Return tables for a terminal, and what stands below them."""
    shown = (f"{title}\n{_terminal(_worded(table, names))}" for _, title, table in tables)
    return "\n".join([*shown, below])


def as_csv(tables: Iterable[Titled]) -> bytes:
    """Return tables as CSV, an empty line between two."""
    from nankai_gis.files import spreadsheet

    rows: list[Iterable[Any]] = []
    for _, _, table in with_rows(tables):
        rows += [[], table.columns, *(record.values() for record in records(_worded(table)))]
    return spreadsheet.csv_bytes(rows[1:])


def as_workbook(tables: Iterable[Titled], result: Coverage, notes: Iterable[Note]) -> bytes:
    """Return tables as XLSX, with the reconciliation and what was left out."""
    from nankai_gis.files import spreadsheet

    sheets = {title: records(_worded(table)) for _, title, table in with_rows(tables)}
    checks = result.reconciliation.assign(check=[tr(c) for c in result.reconciliation["check"]])
    sheets[tr(OWN["reconciliation"])] = records(checks)
    sheets[tr(OWN["dropped"])] = [
        {
            "layer": _layer(note.layer),
            "action": _action(note.action),
            "reason": note.text,
            "count": note.count,
            "which": note.rows,
        }
        for note in notes
    ]
    return spreadsheet.workbook([spreadsheet.of_records(*item) for item in sheets.items()])


def as_json(tables: Iterable[Titled], result: Coverage, notes: Iterable[Note]) -> str | bytes:
    """Return tables as JSON: keys and texts as they are stored, in English."""
    from nankai_gis.measure.coverage.reconciliation import notes_table
    from nankai_gis.present import tables as present

    everything = {key: records(table) for key, _, table in with_rows(tables)}
    everything["reconciliation"] = records(result.reconciliation)
    everything["dropped"] = records(notes_table(notes))
    return present.json_text(everything)


def with_rows(tables: Iterable[Titled]) -> list[Titled]:
    """Return the table asked for even if it is empty, and of the others those that aren't."""
    return [table for number, table in enumerate(tables) if number == 0 or len(table.table)]


def records(table: DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values; what isn't known is None, as JSON has it."""
    import pandas as pd

    return [
        {
            str(k): None if pd.isna(v) else getattr(v, "item", lambda v=v: v)()
            for k, v in row.items()
        }
        for row in table.to_dict("records")
    ]


def _worded(table: DataFrame, names: Mapping[str, str] | None = None) -> DataFrame:
    """A table with labels in the language in force; with `names` those of features, too."""
    from nankai_gis.measure.coverage import BORDER, class_label, label

    def shown(name: str) -> str:
        text = label(name)
        return text if names is None or text != name else names.get(name) or in_script(name)

    table = table.copy()
    for column in table.columns:
        if column == "street" or str(column).endswith("_name"):
            table[column] = [BORDER.join(map(shown, name.split(BORDER))) for name in table[column]]
    if "class_label" in table:
        table["class_label"] = [class_label(value) for value in table["class"]]
    return table


def _terminal(table: DataFrame) -> str:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    if table.empty:
        return tr("none") + "\n"
    for end in ("entry", "exit"):
        if f"{end}_lon" in table.columns:
            places = zip(table[f"{end}_lon"], table[f"{end}_lat"], strict=True)
            table[end] = [None if lon != lon else f"{lon:.5f}, {lat:.5f}" for lon, lat in places]
    shown = {name: _COLUMNS[name] for name in table.columns if name in _COLUMNS}
    heads = [
        Column(tr(title), "left" if decimals is None else "right")
        for title, decimals in shown.values()
    ]
    rows = [
        [
            str(row[name] or "-") if decimals is None else number(row[name], decimals)
            for name, (_, decimals) in shown.items()
        ]
        for row in records(table[list(shown)])
    ]
    return tables.terminal(heads, rows)


def names_in_language(layers: Iterable[GeoDataFrame | None]) -> dict[str, str]:
    """Return the names of rows in the language in force, by the names that tables have."""
    names: dict[str, str] = {}
    for layer in layers:
        if layer is not None and "name" in layer:
            rows = layer[layer["name"].notna()]
            shown = rows[name_column()] if name_column() in rows else rows["name"].map(in_script)
            names.update((k, str(v)) for k, v in zip(rows["name"], shown, strict=True) if v)
    return names


# ------------------------------------------------------------------ sentences


def empty(tables: Iterable[Titled]) -> str:
    """Say which tables have no row."""
    lines = (tr("{title}: none", title=title) for _, title, table in tables if table.empty)
    return "".join(f"{line}\n" for line in lines)


def below(result: Coverage, notes: Iterable[Note], areas: GeoDataFrame, clipped: bool) -> str:
    """Say that the tables add up, what was left out of them, and what they rest on."""
    lines = [*_sums(result), *_measures(result, clipped), *map(_left_out, notes), *_sketched(areas)]
    return "".join(f"{line}\n" for line in lines)


def _sums(result: Coverage) -> list[str]:
    from nankai_gis.measure.coverage import TOLERANCE

    limited = result.reconciliation[result.reconciliation["limit"].notna()]
    # Where coordinates are coarser than that, as for a strip of a decimetre, the limit is theirs.
    strict = limited[limited["limit"] <= TOLERANCE]
    worst = float(strict["relative"].abs().max()) if len(strict) else 0.0
    return [
        ntr(
            "Check: {n} sum equals its total; the greatest relative difference is {difference} "
            "(limit {limit}).",
            "Check: {n} sums equal their totals; the greatest relative difference is "
            "{difference} (limit {limit}).",
            len(limited),
            difference=f"{worst:.1e}",
            limit="1e-9",
        ),
        tr(
            "A road along a boundary (within {metres} m on either side, in its direction) counts "
            "as on the boundary, once.",
            metres=f"{result.boundary_m:g}",
        ),
    ]


def _measures(result: Coverage, clipped: bool) -> Iterable[str]:
    if "centreline_inside_km" in result.streets:
        yield tr(
            "Lengths are those of the lines on the map: of a dual carriageway that is drawn as "
            "two lines, lengths and densities count both; the centreline columns count it once."
        )
    if (result.zones["kind"] == "reach").any():
        if clipped:
            yield tr("The reach of the corridors is clipped to the district.")
        else:
            yield tr("The reach of the corridors is not clipped.")
    for row in records(result.reconciliation[result.reconciliation["limit"].isna()]):
        if row["relative"] is not None and abs(row["relative"]) > _SHOWN_GAP:
            item = tr("all") if row["item"] == "all" else row["item"]
            yield tr(
                "Found: {check}, {item}: {value} {unit}.",
                check=tr(row["check"]),
                item=item,
                value=f"{row['parts']:.6g}",
                unit=tr("km²"),
            )


def _left_out(note: Note) -> str:
    return tr(
        "{layer}: {action} {n} ({reason})",
        layer=_layer(note.layer),
        action=_action(note.action),
        n=note.count,
        reason=note.text,
    )


def _layer(key: str) -> str:
    from nankai_gis.measure.coverage.validation import layer_name

    prefix, mark_, rest = key.partition(": ")
    if mark_ and prefix == WALK_TITLE:
        return tr("walking reach, {layer}", layer=layer_name(rest))
    return layer_name(key)


def _action(key: str) -> str:
    from nankai_gis.measure.coverage.reconciliation import ACTIONS

    return tr(ACTIONS[key])


def _sketched(areas: GeoDataFrame) -> list[str]:
    """Say which figures depend on a boundary that is inferred."""
    if "status" not in areas or "name" not in areas:
        return []
    names = areas.loc[areas["status"] == "inferred", "name"].tolist()
    shown = names_in_language([areas])
    return [
        tr(
            "The boundary of {names} is inferred in part and indicative only; so are its figures.",
            names=listed(shown.get(name, name) for name in names),
        )
    ] * bool(names)
