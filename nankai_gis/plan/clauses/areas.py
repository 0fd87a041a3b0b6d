"""From side marks to areas: what each side names, the heading, and what stands behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from nankai_gis.plan.clauses import headings
from nankai_gis.plan.clauses.folded import FoldedText
from nankai_gis.plan.clauses.grammar import Grammar
from nankai_gis.plan.clauses.marks import SIDE, SideMark
from nankai_gis.plan.clauses.reading import AreaClause, Bound
from nankai_gis.plan.clauses.wordings import exclusions, inclusions, stated_areas
from nankai_gis.plan.clauses.wordings.wording import Draft
from nankai_gis.plan.model import SIDES
from nankai_gis.plan.names import simplified
from nankai_gis.words import quoted, tr
from nankai_gis.words.terms import SIDES as SIDE_TERMS

# A way from corner to corner, told as a walk, is no list of sides; nor is a walk along a road
# where a side is missing.
_WALK = re.compile(
    r"[再折转][向往][东南西北]|(?<=[^,;。\n:、()起])[向往][东南西北]{1,2}(?:至|到|沿|经|行)"
    r"|交[汇叉]点,沿|(?:沿(?!线)|经|顺)[^,;。、\n()]{2,30}?(?:向|往)[东南西北]{1,2}(?:至|到|行)"
)
_ALONG = re.compile(r"(?:沿(?!线)|经|顺)[^,;。、\n()]{2,30}?(?:至|到|止|行)")
_SPREAD = re.compile(
    r"[东南西北](?:侧|边|面)|以[东南西北内外]|红线|边线|为准|除外|除.{1,20}外|不含|不包括|扣除|范围"
)
# Before the first side, what may be one in words that aren't known: 「東枕望海路,」.
_UNMARKED = re.compile(r"(?<![^,;。:、\n])[东南西北][^,;。:、\n]{2,20}[路道街巷河线](?=[,;、]?$)")
# Where a clause ends for certain.
_SENTENCE = re.compile(r"[。\n]")

_Labels = list[tuple[int, int, str]]


class AreaReader:
    """Reads one area: its marks, the text from `head` and no further than `limit`."""

    def __init__(self, grammar: Grammar, marks: Sequence[SideMark], head: int, limit: int) -> None:
        self.grammar = grammar
        self.text: FoldedText = grammar.text
        self.marks = marks
        self.head = head
        self.limit = limit
        self.labels: _Labels = []
        self.draft = Draft()
        self.sides: dict[str, tuple[Bound, ...]] = {}
        self.fault = ""
        self.end = head
        self.complete = False

    def read(self) -> AreaClause:
        """Read the area."""
        self._bodies()
        start = self._heading()
        self._following()
        self._faults(start)
        return self._clause(start)

    def _bodies(self) -> None:
        """Read what each mark names."""
        marks, text = self.marks, self.text.simple
        before = self.head
        k = 0
        while k < len(marks):
            mark = marks[k]
            following = marks[k + 1] if k + 1 < len(marks) else None
            self.labels.append((mark.start, mark.end, "side"))
            if mark.behind:
                start = self._name_start(before, mark.start, first=k == 0)
                self._side(mark, start, mark.start)
                before = mark.end
            else:
                stop = following.start if following else self._sentence_end(mark.end)
                before = stop
                if following is not None and following.behind:
                    if following.sides == mark.sides:
                        # 「東:紅旗路以西」 says the side twice.
                        self.labels.append((following.start, following.end, "side"))
                        before = following.end
                        k += 1
                    else:
                        stop = before = self._divide(mark.end, following.start)
                self._side(mark, mark.end, stop, last=following is None)
            k += 1
        last = marks[-1]
        self.end = max(before, last.end) if last.behind or not self.complete else self.end
        if self.complete:
            return
        if last.behind or text[self.end - 1 : self.end] not in ("。", "\n"):
            self._tail(self.end, self._sentence_end(self.end))

    def _sentence_end(self, start: int) -> int:
        """The end of the sentence, with its full stop; a semicolon ends it, too."""
        depth = 0
        text = self.text.simple
        for place in range(start, self.limit):
            character = text[place]
            depth += (character == "(") - (character == ")")
            if depth < 0 or (depth == 0 and character in "。;\n!?"):
                return place
        return self.limit

    def _divide(self, start: int, end: int) -> int:
        """Where the words of one side end and those of the next begin."""
        places = [p for p in range(start, end) if self.text.simple[p] in ",;。、\n"]
        return places[-1] if places else end

    def _name_start(self, start: int, end: int, *, first: bool) -> int:
        """Where the name in front of a mark begins; before the first one stands the heading."""
        return headings.name_start(self.text.simple, start, end) if first else start

    def _side(self, mark: SideMark, start: int, end: int, *, last: bool = False) -> None:
        tokens = self.grammar.read(start, end, last=last)
        draft = Draft()
        self.labels += self.grammar.take(tokens, draft)
        self._gather(draft)
        self.end = max([self.end, *(token.end for token in tokens)])
        self.complete = last and self.end < end
        for side in mark.sides:
            known = self.sides.get(side, ())
            if known and not (mark.behind or any(m.behind for m in self.marks)):
                self.fault = self.fault or tr(
                    "the {side} side is named twice in {clause}",
                    side=tr(SIDE_TERMS[side]),
                    clause=quoted(self._words()),
                )
            if not draft.bounds:
                self.fault = self.fault or tr(
                    "the {side} side names no road in {clause}",
                    side=tr(SIDE_TERMS[side]),
                    clause=quoted(self._words()),
                )
            self.sides[side] = known + tuple(draft.bounds)

    def _words(self) -> str:
        return self.text.original(self.marks[0].start, self.end)

    def _gather(self, draft: Draft) -> None:
        """Add what a part of the clause says of the whole area."""
        if self.draft.stated_area_m2 is None:
            self.draft.stated_area_m2 = draft.stated_area_m2
        self.draft.exclusions += draft.exclusions
        self.draft.claims += draft.claims
        self.draft.everywhere = self.draft.everywhere or draft.everywhere

    def _tail(self, start: int, end: int) -> None:
        """Read what stands behind the last side in its sentence."""
        if end <= start:
            return
        tokens = self.grammar.read_tail(start, end)
        draft = Draft()
        self.labels += self.grammar.take(tokens, draft)
        self._gather(draft)
        self.end = max([self.end, *(token.end for token in tokens)])

    def _heading(self) -> int:
        """Read the words before the first side; return where they begin."""
        end = min(start for start, _, _ in self.labels)
        start = headings.start(self.text.simple, self.head, end)
        self.labels.append((start, end, "heading"))
        side = _UNMARKED.search(self.text.simple, start, end)
        if side and len(self.sides) < len(SIDES):
            self.labels.append((*side.span(), "unread"))
        for found in stated_areas.STATED.finditer(self.text.simple, start, end):
            if self.draft.stated_area_m2 is None:
                stated_areas.state_area(self.draft, found, found.group())
                self.labels.append((*found.span(), "stated area"))
        self.name = headings.name(self.text, self.head, start, end)
        return start

    def _following(self) -> None:
        """Read sentences behind the clause as long as they speak of its extent."""
        text = self.text.simple
        while self.end < self.limit and not self.complete:
            start = self.end
            while start < self.limit and text[start] in ",;。!? ":
                start += 1
            stop = self._sentence_end(start)
            if start >= stop or text[start] == "\n":
                return
            speaks = any(
                pattern.match(text, start, stop)
                for pattern in (exclusions.EXCLUSION, inclusions.INCLUSION, stated_areas.STATED)
            )
            if not speaks and not _SPREAD.search(text, start, min(stop, start + 60)):
                return
            if text[start:stop].find("以") >= 0 and stop - start > 60 and not speaks:
                return
            self._tail(start, stop)
            if self.end < stop:
                return

    def _faults(self, start: int) -> None:
        missing = {letter: side for letter, side in SIDE.items() if side not in self.sides}
        for bounds in self.sides.values():
            for bound in bounds[1:]:
                # 「北枕松風大街」 in the list of another side is most likely a side of its own.
                named = simplified(bound.name[:1])
                if len(missing) == 1 and named in missing and not self.grammar.has(bound.line):
                    self.fault = self.fault or tr(
                        "{name} may be a side of its own in {clause}; say which (東至…, 南至…)",
                        name=quoted(bound.name),
                        clause=quoted(self._words()),
                    )
        words = self.text.simple[start : self.end]
        words = _without_brackets(words)
        if _WALK.search(words) or (len(self.sides) < len(SIDES) and _ALONG.search(words)):
            self.fault = tr(
                "{clause} goes from corner to corner; the reader knows sides only "
                "(東至…, 南至…, 西至…, 北至…)",
                clause=quoted(self._words()),
            )
            self.sides = {}

    def _clause(self, start: int) -> AreaClause:
        first, last = self.text.place(start, self.end)
        return AreaClause(
            name=self.name,
            start=first,
            end=last,
            text=self.text.source[first:last],
            sides=MappingProxyType(
                {side: self.sides[side] for side in SIDES if side in self.sides}
            ),
            stated_area_m2=self.draft.stated_area_m2,
            exclusions=tuple(dict.fromkeys(self.draft.exclusions)),
            claims=tuple(dict.fromkeys(self.draft.claims)),
            everywhere=self.draft.everywhere,
            fault=self.fault,
        )


def _without_brackets(words: str) -> str:
    return re.sub(r"\([^()]*\)", "", words)
