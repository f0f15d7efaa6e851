"""Languages of benchmark texts, from the tags that benchmarks use, or from the texts.

texts that do not say their language --> one tag each, "und" where it cannot be told
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache

from interlingua_client.language_tag import UNDETERMINED, base_language, closest, is_registered, normalize_tag
from interlingua_client.search.query_language import LanguageDetector

SAMPLE = 50
MOSTLY = 0.8

# What fewer than one text in twenty is taken for is a slip of the detector, not a language of the collection.
_LEAST_SHARE = 0.05
_SLIPS = 3
_SHORT = 60  # characters
_PORTION = 20  # texts


def registered_tag(tag: str) -> str:
    """The one tag of a language that is registered.

    Raises:
        ValueError: it is not.
    """
    normalized = normalize_tag(tag)
    if not is_registered(normalized):
        raise ValueError(f"{tag!r} is not a registered language")
    return normalized


def detected_languages(texts: Sequence[str], among: Collection[str] = ()) -> list[str]:
    """A tag for each text.

    Args:
        among: the languages that may be; without any, those that the collection itself shows. Where it shows a single
            one, all texts are in it: a benchmark's queries come in one language, and are short.
    """
    if among:
        return _tags(tuple(among), texts)
    free = _tags((), texts)
    counts = Counter(tag for tag in free if tag != UNDETERMINED)
    common = [tag for tag, count in counts.most_common() if count >= _LEAST_SHARE * len(texts)]
    if len(common) == 1 and counts[common[0]] >= MOSTLY * counts.total():
        return common * len(texts)
    return _tags(tuple(common), texts) if common else free


def filled_languages(said: Sequence[str], texts: Sequence[str], among: Sequence[str] = ()) -> list[str]:
    """The tags as they are said, and for each text that says "" the one it is in.

    Titles and other short texts tell little alone. What cannot be told is in the collection's language, where the
    collection is clear: where `MOSTLY` of its texts say or show one language, short ones read together in portions;
    else in the one of its languages that the text itself shows.

    Args:
        among: the languages that may be, such as a corpus's for its queries; without any, all.
    """
    tags, called = list(said), list(among) or [tag for tag, _ in Counter(filter(None, said)).most_common()]
    silent = [number for number, tag in enumerate(said) if not tag]
    for number, found in zip(silent, _tags(tuple(among), [texts[number] for number in silent]), strict=True):
        tags[number] = closest(found, called) or found
    untold = [number for number in silent if tags[number] == UNDETERMINED]
    counts = Counter(tag for tag in tags if tag != UNDETERMINED)
    counts.update(_read_together([texts[number] for number in untold], tuple(among), called))
    slips = [number for number in silent if len(texts[number]) < _SHORT and _is_slip(tags[number], counts)]
    counts.subtract(tags[number] for number in slips)
    unclear = untold + slips
    common = [tag for tag, count in counts.most_common() if count >= _LEAST_SHARE * len(texts)]
    is_clear = bool(common) and counts[common[0]] >= MOSTLY * len(texts)
    may_be = tuple(common or among)
    again = [common[0]] * len(unclear) if is_clear else _tags(may_be, [texts[number] for number in unclear])
    for number, tag in zip(unclear, again, strict=True):
        tags[number] = tag
    if len(among) == 1:  # what no language shows is in the only one there is; what shows another is in none
        for number in (number for number in unclear if tags[number] == UNDETERMINED):
            tags[number] = among[0] if detector_of().detect(texts[number]).tag is None else UNDETERMINED
    return tags


def _is_slip(tag: str, counts: Counter[str]) -> bool:
    """Whether a language is one of a few texts, beside another of many."""
    few = max(_LEAST_SHARE * counts.total(), _SLIPS)
    return tag != UNDETERMINED and counts[tag] < few and counts[tag] * 4 <= max(counts.values())


def _read_together(texts: Sequence[str], among: tuple[str, ...], called: Sequence[str]) -> Counter[str]:
    """How many texts are in portions of each language; these are called as others of the collection are."""
    counts: Counter[str] = Counter()
    for first in range(0, len(texts), _PORTION):
        portion = texts[first : first + _PORTION]
        found = detector_of(among).tag_of("\n".join(portion))
        counts[closest(found, called) or found] += len(portion)
    del counts[UNDETERMINED]
    return counts


def share_in(texts: Sequence[str], tag: str, other: str) -> float:
    """The share of a sample of texts in one of two languages that is seen to be in the first.

    0 where the two are one language in two scripts, which the detector does not tell apart.
    """
    if base_language(tag) == base_language(other) or not texts:
        return 0.0
    tags = _tags((tag, other), sample(texts, SAMPLE))
    return tags.count(tag) / len(tags)


@lru_cache(maxsize=16)
def detector_of(among: tuple[str, ...] = ()) -> LanguageDetector:
    """A detector among these languages, or all; made once, since each loads the model."""
    return LanguageDetector(among)


def sample(texts: Sequence[str], size: int) -> Sequence[str]:
    """Texts at equal distances, `size` at most."""
    return [texts[number * len(texts) // size] for number in range(size)] if len(texts) > size else texts


def _tags(among: tuple[str, ...], texts: Sequence[str]) -> list[str]:
    detector = detector_of(among)
    return [detector.tag_of(text) for text in texts]
