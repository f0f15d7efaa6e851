"""Passages that hold what a question has of names and codes, letter by letter.

    question --> words with digits, codes whole, in at most MOST passages      --+--> idf
             --> other words, of scripts with spaces, in at most MOST passages   --+
                 and SHARE of all, of LANGUAGES languages or more
    passages by the sum of the idf of what they hold, greatest first

A word of one language finds texts of that language, and so brings back the advantage of one's own language that the
offsets take away; a name stands in texts of several.

A code with letters and digits (E-417) names one thing: passages that hold it stand before those that do not, whatever
the vectors say, which hardly tell it from E-418.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from interlingua_client.index.words.codes import codes_of, is_distinct
from interlingua_client.index.words.text_words import folded, words_of
from interlingua_client.language_tag import UNDETERMINED, base_language

MOST = 100
SHARE = 0.05
LANGUAGES = 3
ADDED = 20  # of these passages, to the candidates of a search

_SHORTEST_NAME = 3
_WORDS_AT_MOST = 32


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
    holding: Callable[[str, int], list[int]],
    languages_of: Callable[[Sequence[int]], Mapping[int, str]],
    passages: int,
    *,
    most: int = MOST,
) -> ExactMatches:
    """Look a question's names and codes up.

    Args:
        holding: labels of the passages with a word, at most so many (word_table.py).
        languages_of: tags of those labels that are there; others are left out.
        passages: how many there are.
    """
    weights: dict[int, float] = defaultdict(float)
    codes: Counter[int] = Counter()
    used = []
    for word, is_code in _asked(question):
        labels = holding(word, most + 1)
        if len(labels) > most:
            continue
        there = languages_of(labels)
        if there and (is_code or (len(there) <= SHARE * passages and _is_of_several(there.values()))):
            used.append(word)
            if is_code and is_distinct(word):
                codes.update(list(there))
            for label in there:
                weights[label] += math.log(1 + passages / len(there))
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return ExactMatches(used, dict(ordered), dict(codes))


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
