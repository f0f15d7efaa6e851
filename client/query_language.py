"""Which language a text is in, by py3langid, imported on first use (its model takes 0.4 s to load)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from client.language_tag import UNDETERMINED, base_language, closest

if TYPE_CHECKING:
    from collections.abc import Collection

# Short questions score from 0.3 on where their language is right; a text without any clue scores 1 / languages.
_LEAST_CONFIDENCE = 0.3
_ABOVE_CHANCE = 1.2

_LONGEST_READ = 2000  # characters; more changes nothing but the time


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
        self._identifier: Any = None
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the model now, rather than within the first `detect`."""
        with self._lock:
            if self._identifier is None:
                self._identifier = _load(self._languages)

    def detect(self, text: str) -> DetectedLanguage:
        """The language of `text`; safe to call from several threads."""
        if self._identifier is None:
            self.load()
        code, confidence = self._identifier.classify(text[:_LONGEST_READ])
        chance = 1 / len(self._identifier.labels)
        if confidence < max(_LEAST_CONFIDENCE, _ABOVE_CHANCE * chance):
            return DetectedLanguage(None, confidence)
        return DetectedLanguage(closest(code, self._languages) if self._languages else code, confidence)

    def tag_of(self, text: str) -> str:
        """The tag for a document that does not say its language; "und" when it cannot be told."""
        return self.detect(text).tag or UNDETERMINED


def _load(languages: list[str]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = {base_language(tag) for tag in languages} & set(identifier.labels)
    # One language alone would be "detected" in anything: the rest of the world stays possible.
    if len(known) > 1:
        identifier.set_languages(known)
    return identifier
