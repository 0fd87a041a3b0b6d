"""``coverage``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from nankai_gis.cli import options

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from nankai_gis.measure.coverage import Coverage, Key, WalkingReach
    from nankai_gis.network.roads import Origin
    from nankai_gis.studies.study import Study

# Titles and decimals of the columns that a table shows; what isn't here isn't shown.
_COLUMNS: dict[str, tuple[str, int | None]] = {
    "zone_name": ("片區", None),
    "corridor_name": ("發展帶", None),
    "subdistrict_name": ("街道", None),
    "street": ("道路", None),
    "class_label": ("等級", None),
    "class": ("等級", None),
    "area_km2": ("面積(平方公里)", 3),
    "share_of_zone": ("佔片區", 3),
    "share_of_subdistrict": ("佔街道", 3),
    "inside_km": ("區內(公里)", 3),
    "boundary_km": ("邊界上(公里)", 3),
    "outside_km": ("區外(公里)", 3),
    "total_km": ("合計(公里)", 3),
    "length_km": ("長度(公里)", 3),
    "district_km": ("全區(公里)", 3),
    "share_inside": ("區內佔比", 3),
    "share_boundary": ("邊界佔比", 3),
    "centreline_inside_km": ("區內中心線", 3),
    "centreline_boundary_km": ("邊界中心線", 3),
    "share_of_corridor": ("佔發展帶", 3),
    "density_km_per_km2": ("密度(公里/平方公里)", 2),
    "crossings": ("穿越次數", 0),
    "entry": ("進", None),
    "exit": ("出", None),
    "features": ("個數", 0),
    "inside": ("區內", 0),
    "boundary": ("邊界上", 0),
    "streets_km": ("道路(公里)", 2),
    "reached_km": ("可達(公里)", 2),
    "reached_km2": ("可達(平方公里)", 3),
    "share_of_area": ("佔面積", 3),
    "share_of_streets": ("佔道路", 3),
}

# The tables that answer the keys, by their titles; other keys get a table of lengths.
_TABLES: dict[frozenset[str], dict[str, str]] = {
    frozenset(("zone", "subdistrict")): {"片區 × 街道": "areas", "發展帶 × 街道": "corridors"},
    frozenset(("zone", "street")): {"片區 × 道路": "streets"},
    frozenset(("zone", "class")): {"片區 × 道路等級": "classes"},
    frozenset(("zone",)): {"片區": "zones"},
    frozenset(("subdistrict",)): {"街道": "subdistricts"},
}
_WALK = "步行可達"
# What JSON and XLSX have besides.
_OWN = ("reconciliation", "dropped")

# What --dask alone stands for.
_HERE = "local"


def _between(
    least: float, most: float, unit: str
) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Refuse what is no number, or beyond any sense."""

    def check(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
        if value is not None and not least <= value <= most:
            raise click.BadParameter(f"{value:g}; give {unit}, {least:g} to {most:g}")
        return value

    return check


@click.command("coverage")
@click.option(
    "--by",
    default="zone,subdistrict",
    show_default=True,
    help="Keys of the table: some of zone, subdistrict, street, class, divided by commas.",
)
@click.option(
    "--zones",
    type=click.Path(path_type=Path),
    help="Polygons of your own in place of the plan's zones and parcel.",
)
@click.option(
    "--subdistricts",
    type=click.Path(path_type=Path),
    help="An official layer of subdistricts in place of the plan's own; an OSM file "
    "gives its boundaries of admin_level 8.",
)
@click.option("--name-field", help="Column of the names in the layer of subdistricts.")
@click.option(
    "--roads",
    type=click.Path(path_type=Path),
    help="Road network, as for derive; by default the streets of the plan.",
)
@click.option(
    "--dask",
    "scheduler",
    is_flag=False,
    flag_value=_HERE,
    metavar="[SCHEDULER]",
    help="Measure a network beyond this machine's memory on Dask: --roads is a folder of "
    "GeoParquet files then. On this machine's processors, or on a running scheduler: "
    "tcp://host:8786.",
)
@click.option(
    "--reach",
    type=float,
    callback=_between(0.01, 100_000, "metres"),
    help="Reach of the corridors, metres.",
)
@click.option(
    "--ends",
    type=click.Choice(["round", "flat"]),
    default="round",
    show_default=True,
    help="Ends of the reach.",
)
@click.option(
    "--with",
    "others",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another layer to count by zone and subdistrict: facilities, parcels, buildings.",
)
@click.option(
    "--walk",
    type=click.Path(path_type=Path),
    help="Points from which the walking reach is measured, along the network.",
)
@click.option(
    "--minutes",
    type=float,
    callback=_between(0.01, 1440, "minutes"),
    default=15.0,
    show_default=True,
    help="Minutes on foot, at 4 km/h.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw bars by street and a small map into this .png, .svg or .pdf file.",
)
@options.output_format("table", "csv", "xlsx", "json", "geojson")
@options.output
def coverage_(
    by: str,
    zones: Path | None,
    subdistricts: Path | None,
    name_field: str | None,
    roads: Path | None,
    scheduler: str | None,
    reach: float | None,
    ends: str,
    others: tuple[Path, ...],
    walk: Path | None,
    minutes: float,
    plot: Path | None,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Overlay the plan on streets and subdistricts, in tables that add up.

    A street that runs along a boundary counts as on the boundary, once. Every table is held to
    its whole, and says so.
    """
    from nankai_gis.measure import coverage

    keys = _checked_keys(by)
    _check_names(others, _titles(keys))
    if form == "geojson":
        _check_one_layer(others, walk)
    if scheduler is not None:
        _check_partitioned(roads, walk, plot, form)
    if form == "xlsx" and output is None:
        raise click.UsageError("--format xlsx needs --output")
    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise click.UsageError(f"--plot {plot}: a picture is a .png, .svg or .pdf file")
    for target in (output, plot):
        options.refuse_existing(target, overwrite)
    held = options.study()
    subs = held.located("subdistricts")
    if subdistricts is not None:
        subs = _subdistricts(subdistricts)
    areas = held.areas_to_cover() if zones is None else options.read_layer(zones)
    apart = zones is not None and _elsewhere(held, areas)
    settings: dict[str, Any] = {
        "district": None if apart else held.located("district"),
        "corridors": None if apart else held.located("corridors"),
        "reach_m": reach,
        "reach_ends": ends,
        "subdistrict_name": name_field,
    }
    if reach is not None and settings["corridors"] is None:
        raise click.UsageError(
            "--reach widens the corridors of the plan, and there are none here; leave it out"
            + (f" ({zones} lies beside the plan)" if apart else "")
        )
    if subdistricts is not None:
        _check_named(subs, subdistricts, name_field)
    streets, centrelines, origin = None, None, None
    if scheduler is None:
        streets, centrelines, origin = _streets(roads, held)
    with options.steps_bar("coverage") as heard:
        if streets is not None:
            found = coverage.measure(
                areas, streets, subs, centrelines=centrelines, heard=heard, **settings
            )
        else:
            from nankai_gis.measure.coverage import partitions

            assert roads is not None
            place = None if scheduler == _HERE else scheduler
            found = partitions.measure(areas, roads, subs, scheduler=place, heard=heard, **settings)
    for other in others:
        found = found.with_layer(other.stem, options.read_layer(other))
    walked = None
    if walk is not None and streets is not None:
        walked = coverage.walking_reach(options.read_layer(walk), streets, areas, minutes=minutes)
    found = _with_dropped(found, origin, walked)
    _tell_if_apart(found, areas, streets, roads)
    if plot is not None:
        _draw(found, areas, plot, overwrite)
    told = _reconciled(found, settings["district"] is not None) + _sketched(areas)
    if form == "geojson":
        content: str | bytes = _geojson(found, keys)
    else:
        chosen = _chosen(found, keys, walked)
        content = _tables(found, chosen, form, told)
        if form == "csv":
            told = "".join(f"{title}:沒有\n" for title, table in chosen if table.empty) + told
    options.deliver(content, output, overwrite)
    if form in ("csv", "geojson"):
        click.echo(told, err=True, nl=False)


def _titles(keys: list[Key]) -> list[str]:
    return list(_TABLES.get(frozenset(keys), [" × ".join(keys)]))


def _check_names(others: Sequence[Path], titles: Sequence[str]) -> None:
    """Refuse layers that would have the table of another, or one of the program's own."""
    taken = dict.fromkeys((*titles, _WALK, *_OWN), "one of the command's own")
    for other in others:
        if other.stem in taken:
            raise click.UsageError(
                f"--with {other}: its table would be called {other.stem!r} like "
                f"{taken[other.stem]}; rename the file"
            )
        taken[other.stem] = f"that of {other}"


def _check_one_layer(others: Sequence[Path], walk: Path | None) -> None:
    for option, given in (("--with", bool(others)), ("--walk", walk is not None)):
        if given:
            raise click.UsageError(
                f"{option} makes a table, which --format geojson has no place for; take --format "
                "table, csv, xlsx or json"
            )


def _check_named(subs: GeoDataFrame, path: Path, name_field: str | None) -> None:
    """Refuse to call subdistricts by their number."""
    from nankai_gis.errors import DataError

    if name_field is None and "name" not in subs.columns:
        held = ", ".join(str(c) for c in subs.columns if c != subs.geometry.name)
        raise DataError(
            f"{path.name} has no column 'name' (it has {held or 'none'}); say with --name-field "
            "which one holds the names of the subdistricts"
        )


def _check_partitioned(roads: Path | None, walk: Path | None, plot: Path | None, form: str) -> None:
    """Refuse what needs the whole network at hand."""
    if roads is None:
        raise click.UsageError("--dask needs --roads FOLDER, a network in GeoParquet files")
    whole = {"--walk": walk is not None, "--plot": plot is not None}
    whole["--format geojson"] = form == "geojson"
    for option, given in whole.items():
        if given:
            raise click.UsageError(
                f"{option} needs all streets in memory, which --dask is there to avoid; leave "
                f"--dask out and give the part of the network that you want to see as --roads FILE"
            )


def _draw(found: Coverage, areas: GeoDataFrame, target: Path, overwrite: bool) -> None:
    from nankai_gis.files.atomic import write_bytes
    from nankai_gis.plan.model import CREDIT
    from nankai_gis.present import chart, figure

    if "kind" in areas and (areas["kind"] == "zone").any():
        # The parcel lies in a zone: its streets would count twice.
        areas = areas[areas["kind"] == "zone"]
    known = found.streets
    if "id" in areas:
        known = known[known["zone"].isin([str(one) for one in areas["id"]])]
    if known.empty:
        from nankai_gis.errors import DataError

        raise DataError(f"--plot {target}: no street runs in or along a zone; nothing to draw")
    streets = known.groupby("street")[["inside_km", "boundary_km"]].sum()
    bars = [
        chart.Bar(str(name), float(row["inside_km"]), float(row["boundary_km"]))
        for name, row in streets.iterrows()
    ]
    page = chart.coverage(
        bars,
        found.pieces,
        areas,
        title="片區內與邊界上的道路",
        source=f"各片區合計;CGCS2000 橢球面;{CREDIT}",
    )
    form = next(one for one in figure.FORMATS if target.suffix.lower() == f".{one}")
    write_bytes(target, figure.render(page, form), overwrite=overwrite)
    click.echo(f"wrote {target}", err=True)


def _checked_keys(by: str) -> list[Key]:
    from nankai_gis.measure.coverage import KEYS

    keys = [key.strip() for key in by.split(",") if key.strip()]
    known = {str(key): key for key in KEYS}
    if not keys or len(set(keys)) < len(keys) or not set(keys) <= known.keys():
        raise click.UsageError(f"--by takes some of {', '.join(KEYS)}, each once; got {by!r}")
    return [known[key] for key in keys]


def _streets(
    path: Path | None, held: Study
) -> tuple[GeoDataFrame, GeoDataFrame | None, Origin | None]:
    """Streets, centrelines where carriageways are mapped one by one, and where they come from."""
    from nankai_gis.network.merged import MergedNetwork
    from nankai_gis.network.osm_network import OsmNetwork

    if path is None:
        network = options.network()
        origin = network.origin if isinstance(network, MergedNetwork | OsmNetwork) else None
        return *held.streets_to_cover(), origin
    if path.is_dir():
        raise click.UsageError(
            f"--roads {path} is a folder; a network in GeoParquet files is measured with --dask"
        )
    from nankai_gis.network.roads import read

    mapped = OsmNetwork(read(path))
    return mapped.ways(), mapped.centrelines(), mapped.origin


def _elsewhere(held: Study, areas: GeoDataFrame) -> bool:
    """Whether zones lie wholly beside the plan, which then says nothing of them."""
    district = held.located("district")
    if district is None or areas.crs != district.crs:
        return False
    west, south, east, north = district.total_bounds
    return bool(areas.geometry.dropna().cx[west:east, south:north].empty)


def _subdistricts(path: Path) -> GeoDataFrame:
    if path.name.endswith((".osm", ".pbf", ".osm.gz", ".osm.bz2")):
        from nankai_gis.network.roads import areas

        return areas(path, admin_level=8)
    return options.read_layer(path)


def _with_dropped(found: Coverage, origin: Origin | None, walked: WalkingReach | None) -> Coverage:
    """Add what was lost before the streets were measured, and on the walk."""
    from dataclasses import replace

    import pandas as pd

    rows = [*found.dropped.itertuples(index=False, name=None)]
    # A walk takes the same streets and zones, of which the same is told already.
    told = {row[:3] for row in rows}
    if origin is not None:
        lost = origin.dropped.items()
        rows[:0] = [("streets", "dropped", reason, count, "") for reason, count in lost]
    if walked is not None:
        own = walked.dropped.itertuples(index=False, name=None)
        rows += [(f"{_WALK} {row[0]}", *row[1:]) for row in own if row[:3] not in told]
    return replace(found, dropped=pd.DataFrame(rows, columns=found.dropped.columns))


def _tell_if_apart(
    found: Coverage, areas: GeoDataFrame, streets: GeoDataFrame | None, roads: Path | None
) -> None:
    """Say so where all lengths are zero because streets and zones lie in different places."""
    zones = found.zones[found.zones["kind"] == "zone"]
    if float(zones[["inside_km", "boundary_km"]].to_numpy().sum()) > 0:
        return
    network = "the plan" if roads is None else roads.name
    where = "" if streets is None else f"the streets lie at {_place(streets)}, "
    click.echo(
        f"Warning: no street of {network} comes near the zones: {where}the zones at "
        f"{_place(areas)}; all lengths in the zones are zero",
        err=True,
    )


def _place(frame: GeoDataFrame) -> str:
    west, south, east, north = frame.total_bounds
    return f"{west:.4f},{south:.4f} to {east:.4f},{north:.4f}"


def _chosen(
    found: Coverage, keys: list[Key], walked: WalkingReach | None
) -> list[tuple[str, DataFrame]]:
    """The tables that answer the keys, each with its title."""
    named = _TABLES.get(frozenset(keys))
    if named is None:
        chosen = [(title, found.table(*keys)) for title in _titles(keys)]
    else:
        chosen = [(title, getattr(found, table)) for title, table in named.items()]
    chosen += found.layers.items()
    if walked is not None:
        chosen.append((_WALK, walked.table))
    return chosen


def _geojson(found: Coverage, keys: list[Key]) -> bytes:
    """The cut streets; where zones by subdistricts are asked for by name, these."""
    import json

    from nankai_gis.present import tables

    source = click.get_current_context().get_parameter_source("by")
    asked = source is not ParameterSource.DEFAULT
    cut = found.parts if asked and set(keys) == {"zone", "subdistrict"} else found.pieces
    if cut.empty:
        click.echo("Warning: there is nothing to cut by, so the file holds no feature", err=True)
    return tables.geojson_text(json.loads(cut.to_json(drop_id=True))["features"])


def _tables(
    found: Coverage, chosen: list[tuple[str, DataFrame]], form: str, told: str
) -> str | bytes:
    from nankai_gis.files import spreadsheet
    from nankai_gis.present import tables

    if form == "table":
        return "\n".join([*(f"{title}\n{_table(table)}" for title, table in chosen), told])
    # The table asked for is there even if it is empty; what goes with it, if there is any.
    held = [(title, table) for n, (title, table) in enumerate(chosen) if n == 0 or len(table)]
    if form == "csv":
        rows: list[Iterable[Any]] = []
        for _, table in held:
            # An empty line stands between two tables.
            rows += [[], table.columns, *(record.values() for record in _records(table))]
        return spreadsheet.csv_bytes(rows[1:])
    everything = {title: _records(table) for title, table in held}
    everything |= {name: _records(getattr(found, name)) for name in _OWN}
    if form == "xlsx":
        return spreadsheet.workbook([spreadsheet.of_records(*item) for item in everything.items()])
    return tables.json_text(everything)


def _records(table: DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; what isn't known is None, as JSON has it."""
    import pandas as pd

    return [
        {
            str(k): None if pd.isna(v) else getattr(v, "item", lambda v=v: v)()
            for k, v in row.items()
        }
        for row in table.to_dict("records")
    ]


def _table(table: DataFrame) -> str:
    from nankai_gis.present import tables
    from nankai_gis.present.tables import Column, number

    if table.empty:
        return "沒有\n"
    table = table.copy()
    for end in ("entry", "exit"):
        if f"{end}_lon" in table.columns:
            places = zip(table[f"{end}_lon"], table[f"{end}_lat"], strict=True)
            table[end] = [None if lon != lon else f"{lon:.5f}, {lat:.5f}" for lon, lat in places]
    shown = [c for c in table.columns if c in _COLUMNS]
    if "class_label" in shown:
        shown = [c for c in shown if c != "class"]
    columns = [Column(_COLUMNS[c][0], "left" if _COLUMNS[c][1] is None else "right") for c in shown]
    rows = []
    for record in _records(table[shown]):
        cells = []
        for key, value in record.items():
            decimals = _COLUMNS[key][1]
            if decimals is None:
                cells.append(str(value or "-"))
            else:
                cells.append(number(value, decimals))
        rows.append(cells)
    return tables.terminal(columns, rows)


def _sketched(areas: GeoDataFrame) -> str:
    """Say which figures hang on a boundary that is inferred."""
    if "status" not in areas or "name" not in areas:
        return ""
    names = areas.loc[areas["status"] == "inferred", "name"].tolist()
    return f"{'、'.join(names)}的邊界含推定,僅為示意,數字隨之而定。\n" if names else ""


def _reconciled(found: Coverage, clipped: bool) -> str:
    """Say that the tables add up, and what was left out of them."""
    from nankai_gis.measure.coverage import TOLERANCE

    held = found.reconciliation[found.reconciliation["limit"].notna()]
    # Where coordinates tell less than that, as of a strip of a decimetre, the limit is theirs.
    strict = held[held["limit"] <= TOLERANCE]
    worst = float(strict["relative"].abs().max()) if len(strict) else 0.0
    told = [
        f"核對:{len(held)} 項合計與總數相符,最大相對差 {worst:.1e}(限值 1e-9)。"
        f"沿邊界(兩側 {found.boundary_m:g} 米內、同向)的道路計為「邊界上」,只計一次。"
    ]
    if "centreline_inside_km" in found.streets:
        told.append(
            "道路按地圖上的線量算:分幅繪製的雙幅路,長度與密度為兩幅之和;「中心線」各列只計一次。"
        )
    if (found.zones["kind"] == "reach").any():
        told.append("發展帶的影響範圍已裁至行政區內。" if clipped else "發展帶的影響範圍未裁切。")
    for row in _records(found.reconciliation[found.reconciliation["limit"].isna()]):
        if abs(row["relative"]) > 1e-6:
            told.append(f"發現:{row['check']} {row['item']} {row['parts']:.6g} {row['unit']}")
    told += [
        f"{row['layer']}:{row['action']} {row['count']}({row['reason']})"
        for row in _records(found.dropped)
    ]
    return "\n".join(told) + "\n"
