"""The clause reader: what a plan's prose says about sides and axes, character by character.

A 四至 names the roads on each side (「東至紅旗路、衛津路,南至…」, 「紅旗路以西,長江道以北」),
an axis names a main line and what it is extended to (「以黃河道為主線,延伸至…」). A text may hold
many of them between other prose. Every character of a clause is accounted for: what the reader
doesn't understand is named, and never becomes a road.

Read by hand, by a grammar and the names that a network knows: word segmenters and tagged models
find words, not which road is on which side, and a plan office has no network to load one from.
The wordings stand in `nankai_gis.plan.clauses.wordings`, a kind a file, each with its cases.
"""

from __future__ import annotations

from nankai_gis.plan.clauses.reader import read, read_one
from nankai_gis.plan.clauses.reading import AreaClause, Bound, Span

__all__ = ["AreaClause", "Bound", "Span", "read", "read_one"]
