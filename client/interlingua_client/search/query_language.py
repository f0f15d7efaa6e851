"""Which language a text is in, by py3langid, imported on first use (its model takes 0.4 s to load).

text --codes left out--> any letters? --rank--> among the languages allowed --> sure, and not for a quotation? --> tag
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.served.scripts import script_of
from interlingua.served.text.normal_form import normal_form
from interlingua_client.language_tag import UNDETERMINED, detected_as, normalize_tag

if TYPE_CHECKING:
    from collections.abc import Collection

# Short questions score from 0.3 on where their language is right; a text without any clue scores 1 / languages.
_LEAST_CONFIDENCE = 0.3
_ABOVE_CHANCE = 1.2
# A language that the index does not have is believed when it is this many times as likely as any it has. On 336
# questions in 12 languages: 97% right, 0.3% taken for foreign, and 97% caught where their language was left out.
_FOREIGN_RATIO = 3.0

# Names and terms of technology look like any language. Of 78 of them ("wifi", "kubectl"), in indexes of English and one
# other language each, 4% were taken for the other one at 0.6 and 0.1% at 0.95; of plain words 12% to 36% are told then.
_FEW_LETTERS = 12
_SURE = 0.95

_LONGEST_READ = 2000  # characters; more changes nothing but the time
_NO_LANGUAGE = "zxx"  # py3langid's code for what is no language
_SHOUTED = 3  # words in capitals alone are spoken louder; one or two are acronyms
# E-417, v2.3.1, user@example.com, iPhone, SMTP: in any language and in none.
_CODE = re.compile(r"[!-~]*(?:\d|[a-z][A-Z]|[A-Za-z][._/\\@:][A-Za-z])[!-~]*|[^\w\s]*[A-Z]{1,5}[^\w\s]*")
_QUOTATION = re.compile(r"[«»“”„‟\"‹›][^«»“”„‟\"‹›]*[«»“”„‟\"‹›]|‘[^’]*’|「[^」]*」|『[^』]*』")  # noqa: RUF001
_UNSPACED = "CJK"
_EAST_ASIAN = {"HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH"}


class DetectedLanguage(NamedTuple):
    """A guess.

    Attributes:
        tag: None when the confidence is too low to act on.
        confidence: probability among the languages that were allowed.
    """

    tag: str | None
    confidence: float


class LanguageDetector:
    """Detects among the given languages, or among all that py3langid knows."""

    def __init__(self, languages: Collection[str] = ()) -> None:
        """`languages` are tags in order of preference: of `pt-BR` and `pt-PT` the first is answered."""
        self._languages = list(languages)
        self._tags: dict[str, str | None] = {}

    def load(self) -> None:
        """Load the model now, rather than within the first `detect`."""
        _identifier()

    def detect(self, text: str) -> DetectedLanguage:
        """The language of `text`; safe to call from several threads."""
        text = normal_form(text[:_LONGEST_READ])
        letters = _letters(text)
        found = self._guess(text, few=len(letters) < _FEW_LETTERS and letters.isascii())
        if not letters and len(self._languages) != 1:  # where there is one, a code is asked for in it
            return DetectedLanguage(None, 0.0)
        own = _without_quotations(text)
        if own != text and found.tag != self._guess(own).tag:
            return DetectedLanguage(None, found.confidence)
        return found

    def tag_of(self, text: str) -> str:
        """The tag for a document that does not say its language; "und" when it cannot be told."""
        return self.detect(text).tag or UNDETERMINED

    def _guess(self, text: str, *, few: bool = False) -> DetectedLanguage:
        ranked = self._ranked(text)
        shares: dict[str, float] = {}
        for code, share in ranked.items():
            if tag := self._tag(code):
                shares[tag] = max(share, shares.get(tag, 0.0))
        if not shares:
            return DetectedLanguage(None, 0.0)
        best = max(shares, key=shares.__getitem__)
        confidence = shares[best] / sum(shares.values())
        foreign = max((share for code, share in ranked.items() if not self._tag(code)), default=0.0)
        enough = max(_LEAST_CONFIDENCE, _ABOVE_CHANCE / len(shares)) if len(shares) > 1 else 0.0
        if confidence < (_SURE if few else enough) or foreign > _FOREIGN_RATIO * shares[best]:
            return DetectedLanguage(None, confidence)
        return DetectedLanguage(best, confidence)

    def _ranked(self, text: str) -> dict[str, float]:
        """Probabilities by code. py3langid adds up the classes of one code: without any clue, sr and uz have two."""
        classes = Counter(_identifier().nb_classes)
        return {code: share / classes[code] for code, share in _identifier().rank(text)}

    def _tag(self, code: str) -> str | None:
        """The language that a code of py3langid's stands for here; None where it is none of those allowed."""
        if code not in self._tags:
            tag = normalize_tag(code)
            known = detected_as(tag, self._languages) if self._languages else tag
            self._tags[code] = None if code == _NO_LANGUAGE else known
        return self._tags[code]


def _letters(text: str) -> str:
    """The letters of a text, codes and acronyms left out."""
    words = text.split()
    shouted = len(words) >= _SHOUTED and text.isupper()
    kept = words if shouted else (word for word in words if not _CODE.fullmatch(word))
    return "".join(character for word in kept for character in word if character.isalpha())


def _without_quotations(text: str) -> str:
    """A text without what it quotes in another script than its own: between quotes, or one run amid more words."""
    scripts = [_script(character) if character.isalpha() else "" for character in text]
    runs = [script for script, _ in groupby(filter(None, scripts))]
    if len(set(runs)) < 2:
        return text
    words = Counter(script for word in text.split() for script in set(map(_script, filter(str.isalpha, word))))
    words[_UNSPACED] = max(words[_UNSPACED], scripts.count(_UNSPACED) // 2)
    inserted = {script for script in runs[1:-1] if runs.count(script) == 1 and 2 * words[script] < words.total()}
    within = {place for match in _QUOTATION.finditer(text) for place in range(*match.span())}
    unquoted = {script for place, script in enumerate(scripts) if script and place not in within}
    left_out = inserted | (set(runs) - unquoted if unquoted else set())
    return "".join(" " if script in left_out else character for character, script in zip(text, scripts, strict=True))


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of a letter's name; one word for what is mixed in Japanese and in Korean."""
    name = script_of(letter) or "?"  # Tangut's have no name
    return _UNSPACED if name in _EAST_ASIAN else "LATIN" if name == "FULLWIDTH" else name


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model, which every detector reads and none changes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
