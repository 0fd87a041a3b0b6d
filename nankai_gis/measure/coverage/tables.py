"""Streets and areas by zone, subdistrict, street and road class: the tables themselves.

They are made from a tally and know nothing of the streets it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nankai_gis.errors import DataError
from nankai_gis.geometry import ruler
from nankai_gis.geometry.arrays import Floats, Ints, Shapes, spread
from nankai_gis.geometry.crs import STORED
from nankai_gis.geometry.cut import INSIDE
from nankai_gis.geometry.cut_lines import cut_lines
from nankai_gis.measure.coverage import membership
from nankai_gis.measure.coverage.areas import BORDER, Areas, corridor_codes
from nankai_gis.measure.coverage.crossings import crossings
from nankai_gis.measure.coverage.membership import NO_SUBDISTRICT, States
from nankai_gis.measure.coverage.reconciliation import Checks, Ledger
from nankai_gis.measure.coverage.roadclass import UNCLASSED, class_label
from nankai_gis.measure.coverage.sums import Pieces, Tally
from nankai_gis.measure.coverage.validation import Lines, coded, columns_of, take, usable_lines
from nankai_gis.plan.names import normalise

if TYPE_CHECKING:
    import shapely
    from geopandas import GeoDataFrame

__all__ = [
    "UNNAMED",
    "Book",
    "area_table",
    "class_table",
    "corridor_table",
    "street_table",
    "subdistrict_table",
    "zone_table",
]


#: Row of the streets without a name.
UNNAMED = "(無名)"


@dataclass(frozen=True)
class Book:
    """What the tables are made from."""

    zones: Areas
    zone_kind: list[str]
    subs: Areas | None
    has_district: bool
    parts: Shapes  # zone and subdistrict shapes, see part_zone and part_sub
    part_zone: Ints
    part_sub: Ints
    tally: Tally
    boundary_m: float

    @cached_property
    def _rows(self) -> tuple[Ints, Ints, Ints]:
        """The states of the tally, one row for each state and area, and where each begins."""
        each = self.tally.states
        first = np.append(0, np.cumsum([len(state) for state in each])).astype(np.int64)
        both = np.array([row for state in each for row in state], dtype=np.int64).reshape(-1, 2)
        return first, both[:, 0], both[:, 1]

    @cached_property
    def states(self) -> States:
        return membership.read(*self._rows, len(self.zones), self.subs, self.has_district)

    @cached_property
    def street_labels(self) -> list[str]:
        return [*self.tally.streets.values(), UNNAMED]

    @cached_property
    def class_labels(self) -> list[str]:
        return [*self.tally.classes.values(), UNCLASSED]

    @property
    def total_km(self) -> float:
        """Length of all streets, as they were before they were cut."""
        return self.tally.total_m / 1000.0

    @cached_property
    def by_zone(self) -> tuple[Floats, Floats]:
        """Metres inside and along the boundary of each area, from the pieces themselves."""
        first, area, on = self._rows
        metres = np.repeat(self.tally.state_m, np.diff(first))
        count = len(self.zones) + (len(self.subs) if self.subs is not None else 0) + 1
        both = np.bincount(area * 2 + on, weights=metres, minlength=2 * count).astype(np.float64)
        return both[0::2], both[1::2]

    @cached_property
    def base(self) -> pd.DataFrame:
        """One row for each group and zone it is inside of or along."""
        low = np.searchsorted(self.states.state, self.tally.group_state)
        high = np.searchsorted(self.states.state, self.tally.group_state, side="right")
        group, number = spread(high - low)
        at = low[group] + number
        length = self.tally.group_m[group] / 1000.0
        inside = np.where(self.states.on[at] == INSIDE, length, 0.0)
        state = self.tally.group_state[group]
        there = self.states.district[state]
        return pd.DataFrame(
            {
                "zone": self.states.zone[at],
                "subdistrict": self.states.sub[state],
                "street": self.tally.group_street[group],
                "class": self.tally.group_class[group],
                "inside_km": inside,
                "boundary_km": length - inside,
                # What of these lies in the district.
                "inside_there": inside * there,
                "boundary_there": (length - inside) * there,
            }
        )

    @cached_property
    def plain(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "subdistrict": self.states.sub[self.tally.group_state],
                "street": self.tally.group_street,
                "class": self.tally.group_class,
                "length_km": self.tally.group_m / 1000.0,
            }
        )

    def lengths(self, by: list[str]) -> pd.DataFrame:
        source = self.base if "zone" in by else self.plain
        values = [c for c in source.columns if str(c).endswith("_km")]
        table = source.groupby(by, sort=True)[values].sum().reset_index()
        return self.named(table)

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Ids and names in the place of codes."""
        out: dict[str, object] = {}
        for column in table.columns:
            codes = table[column].to_numpy()
            if column == "zone":
                out["zone"] = take(self.zones.ids, codes)
                out["zone_name"] = take(self.zones.names, codes)
            elif column == "subdistrict":
                out["subdistrict"] = take([label[0] for label in self.states.labels], codes)
                out["subdistrict_name"] = take([label[1] for label in self.states.labels], codes)
            elif column == "street":
                out["street"] = take(self.street_labels, codes)
            elif column == "class":
                out["class"] = take(self.class_labels, codes)
                out["class_label"] = take([class_label(c) for c in self.class_labels], codes)
            else:
                out[str(column)] = codes
        return pd.DataFrame(out)

    def pieces(self, pieces: Pieces) -> GeoDataFrame:
        """The pieces that the tally was made from, by name."""
        import geopandas

        cut, states = pieces.cut, self.states
        state = pieces.state[cut.state]
        inside: list[list[str]] = [[] for _ in range(len(states.sub))]
        along: list[list[str]] = [[] for _ in range(len(states.sub))]
        for row, zone, on in zip(states.state, states.zone, states.on, strict=True):
            (inside if on == INSIDE else along)[row].append(self.zones.ids[zone])
        table = {
            "row": pieces.row[cut.line],
            "street": take(self.street_labels, pieces.street[cut.line]),
            "class": take(self.class_labels, pieces.klass[cut.line]),
            "subdistrict": take([label[0] for label in states.labels], states.sub[state]),
            "zones": take([";".join(ids) for ids in inside], state),
            "along": take([";".join(ids) for ids in along], state),
            "length_m": cut.length_m,
        }
        return geopandas.GeoDataFrame(table, geometry=cut.geometries(), crs=STORED)


def zone_table(book: Book, checks: Checks) -> pd.DataFrame:
    count = len(book.zones)
    states = book.states
    by_state = book.tally.state_m / 1000.0
    within = np.bincount(
        states.zone * 2 + states.on, weights=by_state[states.state], minlength=2 * count
    )
    inside, boundary = within[0::2], within[1::2]
    total = book.total_km
    outside = np.zeros(count)
    for number, zone in enumerate(book.zones.ids):
        away = np.ones(len(states.sub), dtype=bool)
        away[states.state[states.zone == number]] = False
        outside[number] = by_state[away].sum()
        parts = float(inside[number] + boundary[number] + outside[number])
        checks.equal("inside + boundary + outside", zone, "km", parts, total)
    size = book.zones.size_m2 / 1e6
    return pd.DataFrame(
        {
            "zone": book.zones.ids,
            "zone_name": book.zones.names,
            "kind": book.zone_kind,
            "area_km2": size,
            "inside_km": inside,
            "boundary_km": boundary,
            "outside_km": outside,
            "total_km": total,
            "density_km_per_km2": inside / size,
            "density_with_boundary_km_per_km2": (inside + boundary) / size,
        }
    )


def area_table(book: Book) -> pd.DataFrame:
    zones, subs = book.zones, book.subs
    columns = [
        "zone", "zone_name", "subdistrict", "subdistrict_name", "area_km2", "share_of_zone",
        "share_of_subdistrict",
    ]  # fmt: skip
    if subs is None:
        return pd.DataFrame(columns=columns)
    order = np.lexsort((np.where(book.part_sub < 0, len(subs), book.part_sub), book.part_zone))
    zone, sub = book.part_zone[order], book.part_sub[order]
    size = ruler.areas(book.parts[order])
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


def subdistrict_table(book: Book, checks: Checks) -> pd.DataFrame:
    columns = ["subdistrict", "subdistrict_name", "on", "area_km2", "length_km", "share_of_total"]
    if book.subs is None:
        return pd.DataFrame(columns=columns)
    labels = book.states.labels
    metres = np.bincount(
        book.states.sub[book.tally.group_state], weights=book.tally.group_m, minlength=len(labels)
    )
    length = metres / 1000.0
    total = book.total_km
    checks.equal("streets by subdistrict", "all", "km", float(length.sum()), total)
    size = dict(zip(book.subs.ids, book.subs.size_m2 / 1e6, strict=True))
    rank = {name: number for number, name in enumerate(book.subs.ids)}
    met = {label[0] for label in labels if label[2] == "inside"}
    rows = [
        (*label, size.get(label[0], np.nan) if label[2] == "inside" else np.nan, km, km / total)
        for label, km in zip(labels, length.tolist(), strict=True)
        if km > 0
    ]
    rows += [
        (one, name, "inside", size[one], 0.0, 0.0)
        for one, name in zip(book.subs.ids, book.subs.names, strict=True)
        if one not in met
    ]
    on = {"inside": 0, "border": 1, "none": 2}
    rows.sort(key=lambda row: (on[row[2]], [rank.get(r, len(rank)) for r in row[0].split(BORDER)]))
    return pd.DataFrame(rows, columns=columns)


def class_table(book: Book, checks: Checks) -> pd.DataFrame:
    table = book.base.groupby(["zone", "class"], sort=True)[["inside_km", "boundary_km"]].sum()
    table = table.reset_index()
    zone = table["zone"].to_numpy()
    size = book.zones.size_m2[zone] / 1e6
    inside, boundary = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    total = np.bincount(zone, weights=inside, minlength=len(book.zones))
    _sums_hold(book, zone, inside, boundary, "zone by class", checks)
    out = book.named(table)
    with np.errstate(invalid="ignore"):
        out["share_of_zone"] = inside / total[zone]
    out["density_km_per_km2"] = inside / size
    out["density_with_boundary_km_per_km2"] = (inside + boundary) / size
    return out


def _sums_hold(
    book: Book, zone: Ints, inside: Floats, boundary: Floats, check: str, checks: Checks
) -> None:
    """Hold a table's sums to the pieces themselves, not to the groups it was made from."""
    sizes = book.by_zone
    for values, target, what in ((inside, sizes[0], "inside"), (boundary, sizes[1], "along")):
        sums = np.bincount(zone, weights=values, minlength=len(book.zones))
        for number, name in enumerate(book.zones.ids):
            checks.equal(
                f"{check}, {what}", name, "km", float(sums[number]), float(target[number]) / 1000.0
            )


def street_table(
    book: Book,
    centrelines: GeoDataFrame | None,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: Ledger,
    checks: Checks,
) -> pd.DataFrame:
    columns = ["inside_km", "boundary_km", "inside_there", "boundary_there"]
    table = book.base.groupby(["zone", "street"], sort=True)[columns].sum().reset_index()
    # A zone may reach beyond the district; a share is of what lies within.
    there = {name: table.pop(f"{name}_there").to_numpy() for name in ("inside", "boundary")}
    street = table["street"].to_numpy()
    zone = table["zone"].to_numpy()
    inside, boundary = table["inside_km"].to_numpy(), table["boundary_km"].to_numpy()
    _sums_hold(book, zone, inside, boundary, "zone by street", checks)
    here = book.states.district[book.tally.group_state]
    size = len(book.street_labels)
    within = np.bincount(
        book.tally.group_street[here], weights=book.tally.group_m[here], minlength=size
    )
    beyond = np.bincount(
        book.tally.group_street[~here], weights=book.tally.group_m[~here], minlength=size
    )
    total = book.total_km
    parts = float(within.sum() + beyond.sum()) / 1000.0
    checks.equal("streets in and out of the district", "all", "km", parts, total)
    district_km = (within / 1000.0)[street]
    out = book.named(table)
    out["district_km"] = district_km
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, km in there.items():
            out[f"share_{name}"] = np.where(district_km > 0, km / district_km, np.nan)
    if centrelines is not None:
        out = _with_centrelines(out, book, centrelines, district, street_name, ledger, checks)
    found = crossings(book.tally.ends, book.tally.run, book.states)
    for column, values in found.at(zone, street).items():
        out[column] = values
    return out


def _with_centrelines(
    table: pd.DataFrame,
    book: Book,
    centrelines: GeoDataFrame,
    district: shapely.Geometry | None,
    street_name: str,
    ledger: Ledger,
    checks: Checks,
) -> pd.DataFrame:
    column = street_name if street_name in centrelines.columns else "name"
    if column not in centrelines.columns:
        raise DataError(f"centrelines have no column 'name'; they have {columns_of(centrelines)}")
    lines = usable_lines(centrelines, "centrelines", ledger, some=False)
    codes, labels = coded(centrelines[column], by_fold=True)
    fields = [book.zones.shapes]
    if district is not None:
        fields.append(np.array([district], dtype=object))
    cut = cut_lines(lines.shapes, np.concatenate(fields), boundary_m=book.boundary_m)
    checks.equal(
        "pieces of centrelines", "all", "km",
        float(cut.length_m.sum()) / 1000.0, float(cut.line_length_m.sum()) / 1000.0,
    )  # fmt: skip
    piece, area, on = cut.rows()
    count, wide = len(book.zones), len(labels) + 1
    street = codes[lines.row][cut.line]
    km = cut.length_m / 1000.0
    mine = area < count
    here = np.full(len(km), district is None)
    here[piece[~mine]] = True
    key = (area[mine] * wide + street[piece[mine]]) * 2 + on[mine]
    both, there = (
        np.bincount(key, weights=each[piece[mine]], minlength=count * wide * 2).reshape(-1, wide, 2)
        for each in (km, km * here)
    )
    total = np.bincount(street, weights=km * here, minlength=wide)
    known = {key: number for number, key in enumerate(labels)}
    known[normalise(UNNAMED)] = wide - 1
    present = np.bincount(street, minlength=wide) > 0
    zone_at = {one: number for number, one in enumerate(book.zones.ids)}
    rows = []
    for zone, name in zip(table["zone"], table["street"], strict=True):
        number = known.get(normalise(name), -1)
        if number < 0 or not present[number]:
            rows.append((np.nan,) * 5)
            continue
        whole = float(total[number])
        shares = there[zone_at[zone], number] / whole if whole else (np.nan, np.nan)
        rows.append((*both[zone_at[zone], number], whole, *shares))
    names = ("inside_km", "boundary_km", "district_km", "share_inside", "share_boundary")
    values = np.array(rows, dtype=np.float64).reshape(-1, 5)
    for number, name in enumerate(names):
        table[f"centreline_{name}"] = values[:, number]
    return table


def corridor_table(
    frame: GeoDataFrame | None,
    axes: Lines | None,
    subs: Areas | None,
    boundary_m: float,
    checks: Checks,
) -> pd.DataFrame:
    columns = [
        "corridor", "corridor_name", "subdistrict", "subdistrict_name", "on", "length_km",
        "share_of_corridor",
    ]  # fmt: skip
    if frame is None or axes is None:
        return pd.DataFrame(columns=columns)
    ids, names, code = corridor_codes(frame, axes)
    shapes = subs.shapes if subs is not None else np.zeros(0, dtype=object)
    cut = cut_lines(axes.shapes, shapes, boundary_m=boundary_m)
    states = membership.read(cut.state_first, cut.state_area, cut.state_on, 0, subs, False)
    corridor = code[cut.line]
    wide = len(states.labels)
    length = (
        np.bincount(
            corridor * wide + states.sub[cut.state], weights=cut.length_m, minlength=len(ids) * wide
        ).reshape(len(ids), wide)
        / 1000.0
    )
    whole = np.bincount(code, weights=cut.line_length_m, minlength=len(ids)) / 1000.0
    rows = []
    for number, one in enumerate(ids):
        checks.equal(
            "corridor by subdistrict", one, "km", float(length[number].sum()), float(whole[number])
        )
        for label in np.flatnonzero(length[number] > 0):
            km = float(length[number, label])
            share = km / float(whole[number])
            rows.append((one, names[number], *states.labels[label], km, share))
    return pd.DataFrame(rows, columns=columns)
