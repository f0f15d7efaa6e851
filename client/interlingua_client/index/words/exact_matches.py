"""Passages that hold what a question has of names and codes, letter by letter.

    question --> words with digits, codes whole, in at most MOST documents      --+--> idf
             --> other words, of scripts with spaces, in at most MOST documents   --+
                 and SHARE of all, of LANGUAGES languages or more
    passages by the sum of the idf of what they hold, greatest first

A word of one language finds texts of that language, and so brings back the advantage of one's own language that the
offsets take away; a name stands in texts of several.

What is rare is told by the documents that the asker may know of; titles may be in each of their passages. Those of
others are passed over, as long as a word stands in CODE_READ (a code) or NAME_READ passages of all at most, and a
question's words in READ together.

A code with letters and digits (E-417) names one thing: passages that hold it stand before those that do not, whatever
the vectors say, which hardly tell it from E-418.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from interlingua_client.index.words.codes import codes_of, is_distinct
from interlingua_client.index.words.text_words import folded, words_of
from interlingua_client.language_tag import UNDETERMINED, base_language

MOST = 100
SHARE = 0.05
LANGUAGES = 3
ADDED = 20  # of these passages, to the candidates of a search
OF_A_DOCUMENT = 2  # of those
CODE_READ, NAME_READ, READ = 20_000, 2_000, 60_000

_SHORTEST_NAME = 3
_WORDS_AT_MOST = 32
_AT_ONCE = 4096


class ExactMatches(NamedTuple):
    """What was found.

    Attributes:
        words: of the question, that were looked for and are rare enough; codes as codes.py writes them.
        weights: of every passage that holds any, the sum of the words' idf; greatest first, then by label.
        codes: how many of the codes that have letters and digits each passage holds, where it holds any.
    """

    words: list[str]
    weights: dict[int, float]
    codes: dict[int, int]

    @property
    def coded(self) -> frozenset[int]:
        """The passages that hold the most of the question's codes that have letters and digits."""
        most = max(self.codes.values(), default=0)
        return frozenset(label for label, held in self.codes.items() if held == most)

    def among(self, labels: Collection[int]) -> ExactMatches:
        """Only those passages."""
        weights = {label: weight for label, weight in self.weights.items() if label in labels}
        return ExactMatches(self.words, weights, {label: self.codes[label] for label in weights if label in self.codes})


def exact_matches(
    question: str,
    holding: Callable[[str], Iterator[int]],
    languages_of: Callable[[Sequence[int]], Mapping[int, str]],
    documents: int,
    *,
    documents_of: Callable[[Sequence[int]], Sequence[int]] = list,
    is_known: Callable[[int], bool] = lambda _: True,
    most: int = MOST,
) -> ExactMatches:
    """Look a question's names and codes up.

    Args:
        holding: labels of the passages with a word (word_table.py).
        languages_of: tags of known labels.
        documents: how many are known.
        documents_of: numbers of the documents of known labels; without it each passage is one.
        is_known: of any label, whether the asker may know of it.
    """
    left = READ
    weights: dict[int, float] = defaultdict(float)
    codes: Counter[int] = Counter()
    used = []
    for word, is_code in _asked(question):
        at_most = most if is_code else min(most, int(SHARE * documents))
        readable = min(left, CODE_READ if is_code else NAME_READ)
        labels, held_by, read = _holding(holding(word), is_known, documents_of, at_most, readable)
        left -= read
        if not 0 < held_by <= at_most:
            continue
        there = languages_of(labels)
        if is_code or _is_of_several(there.values()):
            used.append(word)
            if is_code and is_distinct(word):
                codes.update(list(there))
            for label in there:
                weights[label] += math.log(1 + documents / held_by)
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return ExactMatches(used, dict(ordered), dict(codes))


class _Holding(NamedTuple):
    labels: list[int]
    documents: int
    read: int


def _holding(
    labels: Iterator[int],
    is_known: Callable[[int], bool],
    documents_of: Callable[[Sequence[int]], Sequence[int]],
    at_most: int,
    readable: int,
) -> _Holding:
    """The known ones of the labels, until they are of more than `at_most` documents; none where more than `readable`
    would have to be read.
    """
    known: list[int] = []
    documents: set[int] = set()
    read, wanted = 0, at_most + 1
    while len(documents) <= at_most and (part := list(islice(labels, wanted))):
        read += len(part)
        if read > readable:
            return _Holding([], 0, read)
        there = list(filter(is_known, part))
        known += there
        documents.update(documents_of(there))
        wanted = min(2 * wanted, _AT_ONCE)
    return _Holding(known, len(documents), read)


def _asked(question: str) -> list[tuple[str, bool]]:
    """Words to look for, each once, with whether it is a code; some dozens at most."""
    fold = folded(question, UNDETERMINED)
    codes = codes_of(fold)
    names = [
        word
        for word, is_spaced in words_of(fold)
        if is_spaced and len(word) >= _SHORTEST_NAME and not any(map(str.isdigit, word))
    ]
    asked = {**dict.fromkeys(names, False), **dict.fromkeys(codes, True)}
    return sorted(asked.items(), key=lambda item: not item[1])[:_WORDS_AT_MOST]


def _is_of_several(languages: Iterable[str]) -> bool:
    return len({base_language(language) for language in languages}) >= LANGUAGES
