"""The nouns of the toolkit: what a plan says, and what a line on the ground is.

Frozen dataclasses, and the order of certainty among them; no file is read here.
Coordinates are longitude, latitude in EPSG:4326; lengths are metres, areas square metres.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from nankai_gis.plan.clauses.reading import AreaClause

Kind = Literal["district", "zone", "parcel", "corridor", "subdistrict", "site"]
Status = Literal["surveyed", "osm", "digitised", "inferred"]
Role = Literal["main", "extension", "bridge"]

#: Kinds of features in the order in which they are listed.
KINDS: tuple[Kind, ...] = get_args(Kind)
#: How well a position is known, best first.
STATUSES: tuple[Status, ...] = get_args(Status)
#: Whom what is derived from OpenStreetMap is credited to, and its licence (of version 1.0).
CREDIT = "© OpenStreetMap contributors, ODbL"
#: The four sides of a 四至, in the order in which a plan gives them.
SIDES: tuple[str, ...] = ("east", "south", "west", "north")
#: What a clause calls each side.
SIDE_NAMES = {"east": "東", "south": "南", "west": "西", "north": "北"}
#: The direction in which each side faces: unit vector, east and north.
OUTWARD = {"east": (1.0, 0.0), "south": (0.0, -1.0), "west": (-1.0, 0.0), "north": (0.0, 1.0)}
#: Cosine of the angle, about 75 degrees, within which an outward normal faces its side.
FACING = 0.26

_NUMERALS = "零一二三四五六七八九"


def _numeral(number: int) -> str:
    """A number from 1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = (_NUMERALS[tens] if tens > 1 else "") + ("十" if tens else "")
    return head + (_NUMERALS[ones] if ones or not tens else "")


def worst(statuses: Iterable[Status]) -> Status:
    """Return the least certain of some statuses.

    Parameters
    ----------
    statuses : iterable of str
        Members of `STATUSES`.

    Returns
    -------
    str
        A thing is known as well as its least known part; ``"surveyed"`` for no parts.

    Examples
    --------
    >>> worst(["osm", "inferred", "digitised"])
    'inferred'
    """
    return STATUSES[max((STATUSES.index(s) for s in statuses), default=0)]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one thing.

    Attributes
    ----------
    hant, hans, en : str
        Traditional Chinese (as the plan writes it), simplified Chinese, English.
    aliases : tuple of str
        Other names that resolve to it, in any script.
    """

    hant: str
    hans: str
    en: str
    aliases: tuple[str, ...] = ()

    def every(self) -> tuple[str, ...]:
        """Return all names, the traditional one first.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> Names("紅旗路", "红旗路", "Hongqi Road").every()
        ('紅旗路', '红旗路', 'Hongqi Road')
        """
        return (self.hant, self.hans, self.en, *self.aliases)

    def in_language(self, lang: str) -> str:
        """Return the name in one language.

        Parameters
        ----------
        lang : {'zh-Hant', 'zh-Hans', 'en'}

        Returns
        -------
        str

        Examples
        --------
        >>> Names("紅旗路", "红旗路", "Hongqi Road").in_language("zh-Hans")
        '红旗路'
        """
        return {"zh-Hant": self.hant, "zh-Hans": self.hans, "en": self.en}[lang]


@dataclass(frozen=True, slots=True)
class About:
    """What a plan is called, and what stands around its maps and in its reports.

    Attributes
    ----------
    title, subtitle, source, summary : Names
        Source: what maps and figures cite. Summary: the plan's structure in one sentence, for the
        report. Each "" where the plan gives none.
    date : str
        Date of the data, as precise as it is known.
    """

    title: Names = Names("空間格局", "空间格局", "Spatial structure")
    subtitle: Names = Names("", "", "")
    source: Names = Names("", "", "")
    date: str = ""
    summary: Names = Names("", "", "")


@dataclass(frozen=True, slots=True)
class RingPart:
    """One line of a ring, in the order in which the ring runs.

    Attributes
    ----------
    line : str
        Name or id of the line that the ring follows.
    stands_for : str or None
        The road of the clause in whose place the line is taken.
    accuracy_m : float or None
        Accuracy across the boundary, where the stand-in makes it worse than the line's own.
    until : str or None
        Control point at which the ring leaves the line, where it meets the next one twice.
    """

    line: str
    stands_for: str | None = None
    accuracy_m: float | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the bounds that a plan gives a feature, with what speaks for and against it.

    Attributes
    ----------
    id : str
    names : Names
        What the reading is called.
    ring : tuple of RingPart
    reasons_for, reasons_against : Names
        In three scripts; "" where there is no reason.
    chosen : bool
        Whether the feature is drawn by this reading.
    """

    id: str
    names: Names
    ring: tuple[RingPart, ...]
    reasons_for: Names
    reasons_against: Names
    chosen: bool


@dataclass(frozen=True, slots=True)
class AxisPart:
    """One piece of a corridor's axis.

    Attributes
    ----------
    road : str or None
        The street it follows; None for a straight piece.
    role : {'main', 'extension', 'bridge'}
        主線, 延伸, or what joins two named streets.
    start, end : str or None
        Lines at which the piece begins and ends; None for the street's own ends.
    planned : bool
        Not built yet, wholly or in part.
    stands_for : tuple of str
        Streets without coordinates that a straight piece stands for.
    through : tuple of str
        Control points of a straight piece.
    """

    road: str | None
    role: Role
    start: str | None = None
    end: str | None = None
    planned: bool = False
    stands_for: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the plan: its clause and the structured reading of it.

    Attributes
    ----------
    id : str
        ASCII, words joined by hyphens.
    kind : str
        Member of `KINDS`.
    names : Names
    clause : str
        The quoted text.
    clause_source : str
        Where the clause comes from; "" for the plan itself.
    chapter, section : int or None
        Place of the clause in the plan.
    status : str
        How certain the reading is; no area is reported as more certain than this, and a piece of
        a corridor is as certain as its street.
    sides : mapping of str to tuple of str
        For each of `SIDES` the lines that the clause names.
    ring : tuple of RingPart
        That of the chosen reading, where there are readings.
    readings : tuple of Reading
        Empty where the bounds are read in one way only.
    inside : tuple of tuple of float
        Positions (lon, lat) that the ring must contain.
    axis : tuple of AxisPart
    claims : tuple of str
        Subdistricts that the plan says the feature covers.
    joins : tuple of str
        Features that a corridor is said to join.
    joins_clause : str
        The words that say so.
    stated_area_m2 : float or None
        The area that the plan or another text states.
    within : str or None
        The feature that must contain this one.
    code : str or None
        Administrative division code.
    population : tuple of int, or None
        Persons and year of the count.
    theme : str or None
        Group of a site.
    point, line : str or None
        Control point or line at which a site is drawn; both None where it is not located.
    note : str
    file : str
        Name of the definition file.
    said : AreaClause or None
        What the reader makes of the clause, where the definition rests on it.
    """

    id: str
    kind: Kind
    names: Names
    clause: str
    status: Status
    file: str
    clause_source: str = ""
    chapter: int | None = None
    section: int | None = None
    sides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ring: tuple[RingPart, ...] = ()
    readings: tuple[Reading, ...] = ()
    inside: tuple[tuple[float, float], ...] = ()
    axis: tuple[AxisPart, ...] = ()
    claims: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    joins_clause: str = ""
    stated_area_m2: float | None = None
    within: str | None = None
    code: str | None = None
    population: tuple[int, int] | None = None
    theme: str | None = None
    point: str | None = None
    line: str | None = None
    note: str = ""
    said: AreaClause | None = None

    @property
    def place(self) -> str:
        """Place of the clause in the plan, such as 第四章第一節; "" outside the plan."""
        if self.chapter is None or self.section is None:
            return ""
        return f"第{_numeral(self.chapter)}章第{_numeral(self.section)}節"


@dataclass(frozen=True, slots=True)
class Vertex:
    """One vertex of a line, with what is known of it.

    Attributes
    ----------
    lon, lat : float
        Degrees, EPSG:4326.
    accuracy_m : float
        Accuracy across the line, read as one standard deviation.
    status : str
        Member of `STATUSES`.
    source : str
        Id in the table of sources.
    date : str
        Date of the source, as precise as it is known.
    """

    lon: float
    lat: float
    accuracy_m: float
    status: Status
    source: str
    date: str

    @property
    def position(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.lon, self.lat


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a side or an axis can follow: a street, a railway, a river, a plain line.

    Attributes
    ----------
    id : str
    kind : {'street', 'railway', 'river', 'line'}
    names : Names
    parts : tuple of tuple of Vertex
        The course, each part in order along the line; several where the course is broken or
        branches, none where the line is not located.
    note : str
    nodes : frozenset of tuple of float
        Positions (lon, lat) at which other lines may join it. They need not lie on the course:
        a street joins a carriageway, the course runs between the carriageways.
    bridges : frozenset of frozenset
        Pairs of positions of neighbouring vertices between which the course only bridges a break.
    """

    id: str
    kind: str
    names: Names
    parts: tuple[tuple[Vertex, ...], ...]
    note: str = ""
    nodes: frozenset[tuple[float, float]] = frozenset()
    bridges: frozenset[frozenset[tuple[float, float]]] = frozenset()

    @property
    def vertices(self) -> tuple[Vertex, ...]:
        """All vertices, part after part; empty where the line is not located."""
        return tuple(v for part in self.parts for v in part)
