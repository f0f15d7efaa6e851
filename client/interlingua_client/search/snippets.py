"""The part of a hit's text that a reader sees first: around what the question's words hit.

    a text's first LOOKED_AT characters, on one line --runs that hold a word of the question--> matches
    matches --the fullest window--> Snippet

Words are those of the index of words (index/words/text_words.py); one with another ending counts, if most of it is the
same. A text in another language than the question has few of them or none: then the snippet is the text's beginning.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import regex

from interlingua_client.index.words.codes import codes_of, without_codes
from interlingua_client.index.words.text_words import CLUSTER, RUN, SPACED, folded, words_of

CELLS = 160  # of a terminal: an ideograph takes two
LOOKED_AT = 10_000  # characters (code points) of a text, several times what an embedder reads

_CUT = "…"
_BEFORE = 40  # cells of context in front of the first match
_SHORT = 3  # letters of words that say little
_SAME_START = 0.7  # of the longer one of two words, for one to be the other with another ending
_LEAST_START = 5
_LAST = 200  # characters among which a long text is cut
_STEP = regex.compile(rf"{SPACED}+(?:[-._/\u2010\u2011\u2212]{SPACED}+)*|{RUN.pattern}", regex.V1)
_ASCII_STEP = regex.compile(r"[A-Za-z0-9]+(?:[-._/][A-Za-z0-9]+)*")  # the same, for ASCII
_CHARACTER = regex.compile(r"\X")
_SENTENCE_END = regex.compile(r"(?<=[.!?\u2026]\s|[\u3002\uff01\uff1f\u0964\u061f])")


@dataclass(frozen=True)
class Snippet:
    """A part of a text, on one line.

    Attributes:
        text: with … where something was left out.
        highlights: start and end of what the question's words hit, in characters (code points) of `text`.
    """

    text: str
    highlights: tuple[tuple[int, int], ...] = ()


class _Match(NamedTuple):
    start: int
    end: int
    word: str


class QuestionWords(NamedTuple):
    """What is looked for in the texts.

    Attributes:
        words: and codes, folded.
        starts: first letters of the longer ones, by which others are compared with them.
    """

    words: frozenset[str]
    starts: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, question: str, language: str) -> QuestionWords:
        """The words of a question."""
        folds = dict.fromkeys([folded(question, "und"), folded(question, language)])  # the texts' own is "und"
        words = [word for fold in folds for word in words_of(without_codes(fold))]
        starts: dict[str, list[str]] = {}
        for word, is_spaced in words:
            if is_spaced and len(word) >= _LEAST_START:
                starts.setdefault(word[:_LEAST_START], []).append(word)
        there = frozenset([*codes_of(next(iter(folds))), *(word for word, _ in words)])
        return cls(there, {start: tuple(found) for start, found in starts.items()})

    def hit(self, words: Sequence[str]) -> str | None:
        """Which of them a run holds, if any; codes first."""
        for word in words:
            if word in self.words:
                return word
        for word in words:
            for other in self.starts.get(word[:_LEAST_START], ()):
                if _common(word, other) >= _SAME_START * max(len(word), len(other)):
                    return other
        return None


def snippet(text: str, asked: QuestionWords, cells: int = CELLS) -> Snippet:
    """The part of a text with the most of what was asked, `cells` wide at most."""
    line = " ".join(_looked_at(text).split())
    matches = _matches(line, asked)
    start, end = _window(line, matches, cells)
    head, tail = _CUT * (start > 0), _CUT * (end < len(line))
    shown = line[start:end].strip()
    shift = line.index(shown, start) - len(head) if shown else start
    inside = [
        (match.start - shift, match.end - shift) for match in matches if start <= match.start and match.end <= end
    ]
    return Snippet(f"{head}{shown}{tail}", tuple(_joined(inside)))


def _looked_at(text: str) -> str:
    """The text, or of a long one its beginning, up to a space or a whole character, and …."""
    if len(text) <= LOOKED_AT:
        return text
    last = LOOKED_AT - _LAST
    end = text.rfind(" ", last, LOOKED_AT)
    if end < 0:
        *_, cut = _CHARACTER.finditer(text, last, LOOKED_AT)
        end = cut.start()
    return text[:end] + _CUT


def _matches(line: str, asked: QuestionWords) -> list[_Match]:
    found: list[_Match] = []
    for run in (_ASCII_STEP if line.isascii() else _STEP).finditer(line):
        if run.lastgroup is None or run.lastgroup == "word":
            if word := asked.hit(_run_words(run[0])):
                found.append(_Match(run.start(), run.end(), word))
        else:
            found += _pairs(run[0], run.start(), asked)
    return found


def _pairs(run: str, offset: int, asked: QuestionWords) -> Iterator[_Match]:
    """Matches in a run of a script without spaces."""
    clusters = list(CLUSTER.finditer(run))
    single = len(clusters) == 1
    is_folded = folded(run, "und") == run  # and so is every part of it
    for first, last in zip(clusters, clusters if single else clusters[1:], strict=False):
        pair = run[first.start() : last.end()]
        word = pair if is_folded else _folded(pair)
        if word in asked.words:
            yield _Match(offset + first.start(), offset + last.end(), word)


@lru_cache(8192)
def _folded(pair: str) -> str:
    return folded(pair, "und")


def _run_words(run: str) -> tuple[str, ...]:
    """A run between spaces as words: codes first, then its parts."""
    return (run.lower(),) if run.isascii() and run.isalnum() else _parts(run)


@lru_cache(8192)
def _parts(run: str) -> tuple[str, ...]:
    fold = folded(run, "und")
    return tuple(dict.fromkeys([*codes_of(fold), *(word for word, _ in words_of(fold))]))


def _window(line: str, matches: Sequence[_Match], cells: int) -> tuple[int, int]:
    """Where to cut."""
    if not matches:
        return 0, _end(line, 0, cells)
    counts = Counter(match.word for match in matches)
    weights = {word: _weight(word) / count**0.5 for word, count in counts.items()}
    best, at = 0.0, matches[0].start
    inside: Counter[str] = Counter()  # of the matches from `first` to before `last`
    weight, last = 0.0, 0
    for first, match in enumerate(matches):
        while last < len(matches) and (last < first or matches[last].end <= match.start + cells - _BEFORE):
            inside[matches[last].word] += 1
            weight += weights[matches[last].word] * (inside[matches[last].word] == 1)
            last += 1
        if weight > best + 1e-9:
            best, at = weight, match.start
        inside[match.word] -= 1
        weight -= weights[match.word] * (inside[match.word] == 0)
    start = _start(line, at)
    return start, _end(line, start, cells)


def _weight(word: str) -> float:
    if any(map(str.isdigit, word)):
        return 3.0
    return 0.2 if len(word) <= _SHORT and word.isascii() else 1.0


def _start(line: str, at: int) -> int:
    """Where a reader can begin: at the text's beginning, a sentence, a word, or a character."""
    earliest = max(at - _BEFORE, 0)
    if earliest == 0:
        return 0
    sentences: list[int] = [found.start() for found in _SENTENCE_END.finditer(line, earliest, at + 1)]
    if sentences:
        return sentences[-1]
    if (space := line.find(" ", earliest, at)) >= 0:
        return space + 1
    # Characters are told apart from the line's beginning, or from a place before where one begins in any case.
    whole: list[int] = [found.start() for found in _CHARACTER.finditer(line, line.rfind(" ", 0, earliest) + 1, at + 1)]
    return next((place for place in whole if place >= earliest), at)


def _end(line: str, start: int, cells: int) -> int:
    """Where `cells` are full, … included; at a space, if there is one near."""
    room, width, last = cells - (start > 0), 0, start
    for character in _CHARACTER.finditer(line, start):
        width += _cells(character[0])
        if width > room:
            space: int = line.rfind(" ", start + (last - start) * 3 // 4, last + 1)
            return space if space > 0 else int(last)
        if width <= room - len(_CUT):
            last = character.end()
    return len(line)


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character[0]) in "WF" else 1


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that overlap or touch, as one."""
    open_span: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if open_span and start <= open_span[1]:
            open_span = (open_span[0], max(open_span[1], end))
        else:
            if open_span:
                yield open_span
            open_span = (start, end)
    if open_span:
        yield open_span


def _common(one: str, other: str) -> int:
    """How many letters two words begin with alike."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
