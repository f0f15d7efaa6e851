"""A long text to passages, in any language.

    text --units--> headings, lines, sentences --count--> tokens of each; long ones once more, in pieces
         --packed--> Span(start, end, heading) ..., with the title as it stands in front of each

What is embedded of a passage is the title, the heading and the slice (`passage_text`): together no more than the plan's
size. A text that fits into one passage is one, from its first character to its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from interlingua_client.index.passages.breaks import Unit
from interlingua_client.index.passages.graphemes import pieces, token_bound
from interlingua_client.index.passages.packing import packed
from interlingua_client.index.passages.span import Span
from interlingua_client.index.passages.token_counts import Count, TokenCounts
from interlingua_client.index.passages.units import stripped, units

if TYPE_CHECKING:
    from interlingua_client.index.passages.passage_plan import PassagePlan

_BETWEEN = " > "


class LongText(NamedTuple):
    """What is to be split.

    Attributes:
        title: what will stand in front of each passage, or its beginning.
        language: its tag; "" where it is not known.
    """

    text: str
    title: str = ""
    language: str = ""


def split(text: str, plan: PassagePlan, count: Count, *, title: str = "", language: str = "") -> list[Span]:
    """The passages of one text, in order; every character that is not blank is in one of them.

    The same text, plan and counts give the same passages. Headings, paragraphs, lines and sentences are looked for, in
    this order; a grapheme is cut only where it is longer than a passage.
    """
    return split_all([LongText(text, title, language)], plan, count)[0].spans


class SplitText(NamedTuple):
    """What came of a text.

    Attributes:
        title: as it stands in front of each of several passages: no more than half of one, whatever its script.
    """

    spans: list[Span]
    title: str


def split_all(texts: Sequence[LongText], plan: PassagePlan, count: Count) -> list[SplitText]:
    """The passages of many texts: what has to be counted is counted together, in two calls at most."""
    counts = TokenCounts(count)
    cut = [_Cut(one, plan, counts) for one in texts]
    counts.learn(text for one in cut for text in one.counted())
    counts.learn(text for one in cut for text in one.cut_long())
    return [SplitText(one.spans(), one.title) for one in cut]


def _leading_titles(title: str, most: int) -> list[str]:
    """Beginnings of a title, the longest first; the last one has no more than so many tokens, as a byte has one."""
    found, bound = [title], token_bound(title)
    while bound > most:
        bound = max(most, bound // 2)
        found.append(next((title[:end].rstrip() for _, end, _ in pieces(title, 0, len(title), bound)), title))
    return found


class _Cut:
    """One text on its way."""

    def __init__(self, whole: LongText, plan: PassagePlan, counts: TokenCounts) -> None:
        self._text, self._size, self._counts = whole.text, plan.size, counts
        self._overlap = int(plan.overlap * plan.size)
        self._titles = _leading_titles(whole.title, plan.size // 2)
        is_short = token_bound(f"{whole.title}\n{whole.text}") <= plan.size
        self._units = [] if is_short else list(units(whole.text, whole.language))
        self._whole_title = whole.title

    def counted(self) -> Iterator[str]:
        """What has to be known first."""
        if self._units:
            yield from self._titles
            yield from (self._slice(unit) for unit in self._units)
            yield from {heading for unit in self._units for heading in unit.headings}

    def cut_long(self) -> Iterator[str]:
        """Cut units that are too long, now that their tokens are known; what has to be known of the pieces."""
        if self._units and self._counts[self._whole_title] + sum(map(self._tokens, self._units)) <= self._size:
            self._units = []
        most = self._size // 4
        if not any(self._tokens(unit) > most for unit in self._units):
            return
        cut: list[Unit] = []
        for unit in self._units:
            parts = list(self._pieces(unit, most)) if self._tokens(unit) > most else [unit]
            if len(parts) > 1:
                yield from map(self._slice, parts)
            cut += parts
        self._units = cut

    def _pieces(self, unit: Unit, most: int) -> Iterator[Unit]:
        level = unit.level
        for begin, end, behind in pieces(self._text, unit.start, unit.end, most):
            start, stop = stripped(self._text, begin, end)
            if start < stop:
                yield Unit(start, stop, level, unit.headings)
                level = behind

    @property
    def title(self) -> str:
        """The longest of the titles that leaves room."""
        if not self._units:
            return self._whole_title
        most = self._size // 2
        return next((one for one in self._titles[:-1] if self._counts[one] <= most), self._titles[-1])

    def spans(self) -> list[Span]:
        """The passages."""
        if not self._units:
            return [Span(0, len(self._text))]
        taken = self._counts[self.title]

        def room(first: int) -> int:
            return self._size - taken - self._heading(first)[1]

        tokens = list(map(self._tokens, self._units))
        return [
            Span(self._units[first].start, self._units[last - 1].end, self._heading(first)[0])
            for first, last in packed(self._units, tokens, room, self._overlap)
        ]

    def _heading(self, first: int) -> tuple[str, int]:
        """The headings above a unit, as many of the inner ones as an eighth of a passage holds, and their tokens."""
        kept: list[str] = []
        left = self._size // 8
        for heading in reversed(self._units[first].headings):
            taken = self._counts[heading] + bool(kept)
            if taken > left:
                break
            kept.insert(0, heading)
            left -= taken
        return _BETWEEN.join(kept), self._size // 8 - left

    def _slice(self, unit: Unit) -> str:
        return self._text[unit.start : unit.end]

    def _tokens(self, unit: Unit) -> int:
        return self._counts[self._slice(unit)]
