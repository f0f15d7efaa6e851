"""What the language labels of a dataset show: unknown tags, languages that are too small, texts labelled wrongly.

labels --> findings;   a sample of each language's documents --py3langid--> another language? --> findings
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua_client.language_tag import UNDETERMINED, base_language, is_registered
from interlingua_evaluation.datasets.finding import DatasetFinding, findings_of
from interlingua_evaluation.datasets.text_languages import detector_of, sample

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query

# Share of a language's documents that may look like another language.
MISLABELLED_SHARE = 0.2

_SAMPLE = 40
_CONFIDENT = 0.9
_LEAST_CHARACTERS = 40


def check_languages(dataset: Dataset) -> Iterator[DatasetFinding]:
    """Undetermined and unregistered tags, languages of one document, documents in another language than they say."""
    texts: list[JudgedDocument | Query] = [*dataset.documents, *dataset.queries]
    yield from findings_of(
        "undetermined-language",
        "warning",
        (text.id for text in texts if text.language == UNDETERMINED),
        "a document or query has no language: it belongs to no language pair",
    )
    counts = Counter(text.language for text in texts)
    yield from findings_of(
        "unknown-language",
        "error",
        (f"{tag}: {counts[tag]} documents and queries" for tag in counts if not is_registered(tag)),
        "a language tag is not registered (IANA, BCP 47)",
    )
    sizes = Counter(document.language for document in dataset.documents)
    yield from findings_of(
        "one-document-languages",
        "warning",
        (tag for tag, size in sizes.items() if size == 1),
        "a language has a single document: any search within it finds it",
    )
    yield from findings_of(
        "mislabelled-languages",
        "note",
        _mislabelled(dataset),
        f"more than {MISLABELLED_SHARE:.0%} of a language's documents, of those looked at, seem to be in another one",
    )


def _mislabelled(dataset: Dataset) -> Iterator[str]:
    for tag in dataset.languages:
        texts = [document.indexed.passage for document in dataset.documents if document.language == tag]
        read = sample([text for text in texts if len(text) >= _LEAST_CHARACTERS], _SAMPLE)
        others = Counter(other for text in read if (other := _another(text, tag)))
        if others.total() > MISLABELLED_SHARE * len(read):
            seen = ", ".join(f"{count} {other}" for other, count in others.most_common(3))
            yield f"{tag}: of {len(read)} documents {seen}"


def _another(text: str, tag: str) -> str | None:
    """The language that the text is in with confidence, if it is another than its label says."""
    found = detector_of().detect(text)
    if found.tag is None or found.confidence < _CONFIDENT or tag == UNDETERMINED:
        return None
    return found.tag if base_language(found.tag) != base_language(tag) else None
