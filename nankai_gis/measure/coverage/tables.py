"""The tables: areas and lengths by zone, subdistrict, street and road class.

They are made from the sums of streets and know nothing of the streets themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nankai_gis.geometry import ruler
from nankai_gis.geometry.arrays import Floats, Ints, Shapes, spread, sums
from nankai_gis.geometry.crs import STORED
from nankai_gis.geometry.cut import INSIDE
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure.coverage.areas import Areas
from nankai_gis.measure.coverage.crossings import crossings
from nankai_gis.measure.coverage.labels import (
    BORDER,
    CLASS_LABELS,
    NO_SUBDISTRICT,
    UNCLASSED,
    UNNAMED,
)
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger
from nankai_gis.measure.coverage.sums import AreaMembership, Pieces, StreetSums, area_membership
from nankai_gis.measure.coverage.validation import check_column, coded, take, usable_lines
from nankai_gis.words import mark

if TYPE_CHECKING:
    import shapely
    from geopandas import GeoDataFrame

__all__ = [
    "ALL_STREETS",
    "Overlay",
    "area_table",
    "class_table",
    "street_table",
    "subdistrict_table",
    "zone_table",
]

#: What is compared, as the reconciliation calls it.
ALL_STREETS = mark("inside + boundary + outside")
BY_SUBDISTRICT = mark("streets by subdistrict")
BY_DISTRICT = mark("streets in and out of the district")
CENTRELINES = mark("pieces of centrelines")
BY_CLASS = (mark("zone by class, inside"), mark("zone by class, along"))
BY_STREET = (mark("zone by street, inside"), mark("zone by street, along"))


@dataclass(frozen=True)
class Overlay:
    """Zones, subdistricts and the sums of streets over them: what the tables are made from."""

    zones: Areas
    zone_kind: list[str]
    subs: Areas | None
    has_district: bool
    # Zones cut by subdistricts (see `parts_of`).
    parts: Shapes
    part_zone: Ints
    part_sub: Ints
    sums: StreetSums
    boundary_m: float

    @cached_property
    def membership(self) -> AreaMembership:
        made, zones = self.sums, len(self.zones)
        rows = made.state_first, made.state_area, made.state_on
        return area_membership(*rows, zones, self.subs, self.has_district)

    @cached_property
    def street_names(self) -> list[str]:
        return [*self.sums.streets.values(), UNNAMED]

    @cached_property
    def classes(self) -> list[str]:
        return [*self.sums.classes.values(), UNCLASSED]

    @cached_property
    def state_km(self) -> Floats:
        """Length in each state."""
        groups, count = self.sums.groups, len(self.sums.state_first) - 1
        metres = np.bincount(groups["state"], weights=groups["length_m"], minlength=count)
        return np.asarray(metres / 1000.0, dtype=np.float64)

    @property
    def total_km(self) -> float:
        """Length of all streets, as they were before they were cut."""
        return self.sums.total_m / 1000.0

    @cached_property
    def zone_km(self) -> tuple[Floats, Floats]:
        """Length inside and along the boundary of each zone, by states."""
        zones = self.membership
        weights = self.state_km[zones.state]
        both = sums(zones.zone * 2 + zones.on, weights, 2 * len(self.zones))
        return both[0::2], both[1::2]

    @cached_property
    def by_zone(self) -> pd.DataFrame:
        """One row for each group and zone that it is inside of or along."""
        groups, zones = self.sums.groups, self.membership
        low, high = zones.rows_of(groups["state"].to_numpy())
        group, number = spread(high - low)
        row = low[group] + number
        length = groups["length_m"].to_numpy()[group] / 1000.0
        inside = np.where(zones.on[row] == INSIDE, length, 0.0)
        state = groups["state"].to_numpy()[group]
        in_district = zones.in_district[state]
        return pd.DataFrame(
            {
                "zone": zones.zone[row],
                "subdistrict": zones.place[state],
                "street": groups["street"].to_numpy()[group],
                "class": groups["class"].to_numpy()[group],
                "inside_km": inside,
                "boundary_km": length - inside,
                # What of these lies in the district.
                "inside_district": inside * in_district,
                "boundary_district": (length - inside) * in_district,
            }
        )

    def lengths(self, by: list[str]) -> pd.DataFrame:
        """Return lengths by some keys."""
        if "zone" in by:
            source, values = self.by_zone, ["inside_km", "boundary_km"]
        else:
            groups, values = self.sums.groups, ["length_km"]
            place = self.membership.place[groups["state"].to_numpy()]
            source = groups.assign(subdistrict=place, length_km=groups["length_m"] / 1000.0)
        return self.named(source.groupby(by, sort=True)[values].sum().reset_index())

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with ids and names in the place of numbers."""
        places = self.membership.labels
        labels = [CLASS_LABELS.get(value, value) for value in self.classes]
        texts = {
            "zone": {"zone": self.zones.ids, "zone_name": self.zones.names},
            "subdistrict": {
                "subdistrict": [place[0] for place in places],
                "subdistrict_name": [place[1] for place in places],
            },
            "street": {"street": self.street_names},
            "class": {"class": self.classes, "class_label": labels},
        }
        out: dict[str, object] = {}
        for column in map(str, table.columns):
            values = table[column].to_numpy()
            if column in texts:
                out |= {name: take(text, values) for name, text in texts[column].items()}
            else:
                out[column] = values
        return pd.DataFrame(out)

    def pieces(self, pieces: Pieces) -> GeoDataFrame:
        """Return the pieces that the sums were made from, by name."""
        import geopandas

        cut, zones = pieces.cut, self.membership
        inside: list[list[str]] = [[] for _ in zones.place]
        along: list[list[str]] = [[] for _ in zones.place]
        for state, zone, on in zip(zones.state, zones.zone, zones.on, strict=True):
            (inside if on == INSIDE else along)[state].append(self.zones.ids[zone])
        table = {
            "row": pieces.row[cut.line],
            "street": take(self.street_names, pieces.street[cut.line]),
            "class": take(self.classes, pieces.road_class[cut.line]),
            "subdistrict": take([place[0] for place in zones.labels], zones.place[cut.state]),
            "zones": take([";".join(ids) for ids in inside], cut.state),
            "along": take([";".join(ids) for ids in along], cut.state),
            "length_m": cut.length_m,
        }
        return geopandas.GeoDataFrame(table, geometry=cut.geometries(), crs=STORED)


def zone_table(overlay: Overlay, checks: Checks) -> pd.DataFrame:
    """Return area, lengths and density of each zone."""
    membership = overlay.membership
    inside, boundary = overlay.zone_km
    total = overlay.total_km
    # What is outside is summed up by itself, so that the three can be compared with the whole.
    outside = np.zeros(len(overlay.zones))
    for number, zone in enumerate(overlay.zones.ids):
        away = np.ones(len(overlay.state_km), dtype=bool)
        away[membership.state[membership.zone == number]] = False
        outside[number] = overlay.state_km[away].sum()
        parts = float(inside[number] + boundary[number] + outside[number])
        checks.equal(ALL_STREETS, zone, "km", parts, total)
    size = overlay.zones.size_m2 / 1e6
    return pd.DataFrame(
        {
            "zone": overlay.zones.ids,
            "zone_name": overlay.zones.names,
            "kind": overlay.zone_kind,
            "area_km2": size,
            "inside_km": inside,
            "boundary_km": boundary,
            "outside_km": outside,
            "total_km": total,
            "density_km_per_km2": inside / size,
            "density_with_boundary_km_per_km2": (inside + boundary) / size,
        }
    )


def area_table(overlay: Overlay) -> pd.DataFrame:
    """Return the area of each zone by subdistrict; what is in none stands last."""
    zones, subs = overlay.zones, overlay.subs
    columns = [
        "zone", "zone_name", "subdistrict", "subdistrict_name", "area_km2", "share_of_zone",
        "share_of_subdistrict",
    ]  # fmt: skip
    if subs is None:
        return pd.DataFrame(columns=columns)
    last = np.where(overlay.part_sub < 0, len(subs), overlay.part_sub)
    order = np.lexsort((last, overlay.part_zone))
    zone, sub = overlay.part_zone[order], overlay.part_sub[order]
    size = ruler.areas(overlay.parts[order])
    of_sub = np.append(subs.size_m2, np.nan)[sub]
    values = (
        take(zones.ids, zone),
        take(zones.names, zone),
        take([*subs.ids, NO_SUBDISTRICT], sub),
        take([*subs.names, NO_SUBDISTRICT], sub),
        size / 1e6,
        size / zones.size_m2[zone],
        size / of_sub,
    )
    return pd.DataFrame(dict(zip(columns, values, strict=True)))


def subdistrict_table(overlay: Overlay, checks: Checks) -> pd.DataFrame:
    """Return the length of all streets by subdistrict and border."""
    columns = ["subdistrict", "subdistrict_name", "on", "area_km2", "length_km", "share_of_total"]
    if overlay.subs is None:
        return pd.DataFrame(columns=columns)
    places, total = overlay.membership.labels, overlay.total_km
    place = overlay.membership.place
    length = np.bincount(place, weights=overlay.state_km, minlength=len(places))
    checks.equal(BY_SUBDISTRICT, "all", "km", float(length.sum()), total)
    size = dict(zip(overlay.subs.ids, overlay.subs.size_m2 / 1e6, strict=True))
    # Places that have streets, and subdistricts that have none.
    rows = [
        (*label, size.get(label[0], np.nan) if label[2] == "inside" else np.nan, km, km / total)
        for label, km in zip(places, length.tolist(), strict=True)
        if km > 0
    ]
    met = {row[0] for row in rows if row[2] == "inside"}
    rows += [
        (key, name, "inside", size[key], 0.0, 0.0)
        for key, name in zip(overlay.subs.ids, overlay.subs.names, strict=True)
        if key not in met
    ]
    # In the order of the layer: subdistricts, borders, none.
    rank = {key: number for number, key in enumerate(overlay.subs.ids)}
    on = {"inside": 0, "border": 1, "none": 2}
    rows.sort(key=lambda row: (on[row[2]], [rank.get(r, len(rank)) for r in row[0].split(BORDER)]))
    return pd.DataFrame(rows, columns=columns)


def class_table(overlay: Overlay, checks: Checks) -> pd.DataFrame:
    """Return lengths and density of each zone by road class."""
    lengths = ["inside_km", "boundary_km"]
    table = overlay.by_zone.groupby(["zone", "class"], sort=True)[lengths].sum().reset_index()
    zone = table["zone"].to_numpy()
    size = overlay.zones.size_m2[zone] / 1e6
    inside, boundary = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    total = np.bincount(zone, weights=inside, minlength=len(overlay.zones))
    _check_zones(overlay, zone, (inside, boundary), BY_CLASS, checks)
    out = overlay.named(table)
    with np.errstate(invalid="ignore"):
        out["share_of_zone"] = inside / total[zone]
    out["density_km_per_km2"] = inside / size
    out["density_with_boundary_km_per_km2"] = (inside + boundary) / size
    return out


def _check_zones(
    overlay: Overlay,
    zone: Ints,
    lengths: tuple[Floats, Floats],
    names: tuple[str, str],
    checks: Checks,
) -> None:
    """Compare a table's lengths in and along each zone with those by states."""
    for values, whole, check in zip(lengths, overlay.zone_km, names, strict=True):
        made = sums(zone, values, len(overlay.zones))
        for number, name in enumerate(overlay.zones.ids):
            checks.equal(check, name, "km", float(made[number]), float(whole[number]))


def street_table(
    overlay: Overlay,
    centrelines: GeoDataFrame | None,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: Ledger,
    checks: Checks,
) -> pd.DataFrame:
    """Return lengths, shares and crossings of each zone by street."""
    columns = ["inside_km", "boundary_km", "inside_district", "boundary_district"]
    table = overlay.by_zone.groupby(["zone", "street"], sort=True)[columns].sum().reset_index()
    # A zone may reach beyond the district; a share is of what lies within.
    within = {name: table.pop(f"{name}_district").to_numpy() for name in ("inside", "boundary")}
    zone, street = table["zone"].to_numpy(), table["street"].to_numpy()
    lengths = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    _check_zones(overlay, zone, lengths, BY_STREET, checks)
    # The length of each street in the district, and beyond it.
    groups = overlay.sums.groups
    here = overlay.membership.in_district[groups["state"].to_numpy()]
    in_district, beyond = (
        np.bincount(
            groups["street"][rows],
            weights=groups["length_m"][rows] / 1000.0,
            minlength=len(overlay.street_names),
        )
        for rows in (here, ~here)
    )
    parts = float(in_district.sum() + beyond.sum())
    checks.equal(BY_DISTRICT, "all", "km", parts, overlay.total_km)
    out = overlay.named(table)
    out["district_km"] = in_district[street]
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, km in within.items():
            share = km / in_district[street]
            out[f"share_{name}"] = np.where(in_district[street] > 0, share, np.nan)
    # Centrelines and crossings beside them.
    if centrelines is not None:
        figures = _centrelines(overlay, centrelines, district, street_name, ledger, checks)
        rows = pd.MultiIndex.from_arrays([zone, take([*overlay.sums.streets, ""], street)])
        out = out.assign(**figures.reindex(rows).reset_index(drop=True))
    places = crossings(overlay.sums.ends, overlay.sums.run, overlay.membership)
    places = places.reindex(pd.MultiIndex.from_arrays([zone, street])).reset_index(drop=True)
    return out.assign(**places.assign(crossings=places["crossings"].fillna(0).astype(np.int64)))


def _centrelines(
    overlay: Overlay,
    frame: GeoDataFrame,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: Ledger,
    checks: Checks,
) -> pd.DataFrame:
    """Figures of centrelines by number of the zone and folded name of the street."""
    column = street_name if street_name in frame.columns else "name"
    check_column(frame, column, "centrelines", "street_name")
    lines = usable_lines(frame, "centrelines", ledger, some=False)
    codes, names = coded(frame[column], normalised=True)
    # Cut by the zones, and by the district.
    areas = [overlay.zones.shapes, *([] if district is None else [np.array([district])])]
    cut = cut_lines(lines.shapes, np.concatenate(areas), boundary_m=overlay.boundary_m)
    parts, whole = float(cut.length_m.sum()), float(cut.line_length_m.sum())
    checks.equal(CENTRELINES, "all", "km", parts / 1000.0, whole / 1000.0)
    piece, area, on = cut.rows()
    zones, streets = len(overlay.zones), len(names) + 1
    street, km = codes[lines.row][cut.line], cut.length_m / 1000.0
    here = np.full(len(km), district is None)
    here[piece[area >= zones]] = True
    # Sum up by zone, street, and inside or along.
    mine = area < zones
    key = (area[mine] * streets + street[piece[mine]]) * 2 + on[mine]
    both, within = (
        sums(key, values[piece[mine]], zones * streets * 2).reshape(-1, 2)
        for values in (km, km * here)
    )
    total = np.tile(sums(street, km * here, streets), zones)
    share = np.full_like(within, np.nan)
    np.divide(within, total[:, None], out=share, where=total[:, None] > 0)
    figures: Mapping[str, Floats] = {
        "inside_km": both[:, 0],
        "boundary_km": both[:, 1],
        "district_km": total,
        "share_inside": share[:, 0],
        "share_boundary": share[:, 1],
    }
    index = pd.MultiIndex.from_product([range(zones), [*names, ""]])
    table = pd.DataFrame({f"centreline_{k}": v for k, v in figures.items()}, index=index)
    # A street without any centreline has no figures.
    present = np.bincount(street, minlength=streets) > 0
    return table[np.tile(present, zones)]
