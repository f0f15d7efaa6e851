"""Token vectors of an index: made, kept up to date, scored, given back, and never of the wrong model."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError, ServerError
from interlingua.served.token_vectors import TokenVectors
from interlingua_client.document import Document
from interlingua_client.index.document_store import STORE_FILE, DocumentStore
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.reembedding import BesideIndex
from interlingua_client.index.token_store import token_indexing
from interlingua_client.index.token_store.stored_tokens import NONE_STORED, StoredTokens
from interlingua_client.index.token_store.token_facts import TokenFacts
from interlingua_client.index.token_store.token_file import TokenFile, TokenSpan
from interlingua_client.index.token_store.token_indexing import TokenIndexing
from interlingua_client.index.token_store.token_outcome import TokenForecast, TokenOutcome
from interlingua_client.index.token_store.token_repair import what_is_lost
from interlingua_client.index.token_store.token_tables import TokenTables
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import TOKEN_DIMENSION, HashTokenEncoder, score, tokens_of

QUERY = "en:cat en:dog zebra"
RERANKER = "tokens-1"


def finish(
    directory: Path,
    documents: list[Document] = (),  # type: ignore[assignment]
    *,
    encoder: HashTokenEncoder | None = None,
    tokens: str | None = None,
    delete: list[str] = (),  # type: ignore[assignment]
    rebuild: bool = False,
    verify: bool = False,
) -> TokenOutcome:
    encoder = encoder or HashTokenEncoder()
    with Indexer.open(directory, HashEmbedder(), IndexSettings(token_vectors=tokens), encoder=encoder) as indexer:
        indexer.add(documents)
        indexer.delete(delete)
        return indexer.finish(rebuild=rebuild, verify=verify).tokens


def scored(directory: Path, query: str = QUERY, reranker: str = RERANKER) -> dict[str, float]:
    """What the stored vectors give every document, by id."""
    with closing(DocumentStore.open(directory)) as store:
        labels = [label for found in store.labels_by_language().values() for label in found.tolist()]
        found = StoredTokens(store).compare(tokens_of(query), labels, reranker=reranker, empty=-1.0).scores
        documents = store.documents(labels)
        return {documents[label].id: float(value) for label, value in zip(labels, found, strict=True)}


def check(directory: Path, documents: list[Document], tolerance: float = 0.1) -> None:
    expected = {document.id: score(QUERY, document.passage) for document in documents}
    assert scored(directory) == pytest.approx(expected, abs=tolerance)


def set_of(store: DocumentStore) -> TokenFacts:
    """The one set of an index."""
    [facts] = TokenTables(store).sets()
    return facts


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("tokens-*"))


@pytest.mark.parametrize(
    ("tokens", "width", "tolerance"), [(None, 82, 0.1), ("int8", 130, 0.01), ("4bit", 82, 0.1), ("4bit-128", 66, 0.1)]
)
def test_stored_vectors_score_as_the_sum_does(
    tmp_path: Path, documents: list[Document], tokens: str | None, width: int, tolerance: float
) -> None:
    outcome = finish(tmp_path, documents, tokens=tokens)
    words = sum(len(document.passage.split()) for document in documents)
    assert (outcome.documents, outcome.added, outcome.tokens, outcome.bytes) == (90, 90, words, words * width)
    check(tmp_path, documents, tolerance)


def test_a_document_without_words_is_as_far_as_can_be(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, [*documents, Document("empty", "en", "", "... !")])
    assert scored(tmp_path)["empty"] == pytest.approx(-1.0, abs=1e-6)
    assert scored(tmp_path, "")["en-cat-dog"] == 0.0


def test_an_index_that_had_none_gets_them_later_and_loses_them(index_dir: Path, documents: list[Document]) -> None:
    assert finish(index_dir).format == "none"  # an index of documents stays as it is unless somebody asks
    assert not files(index_dir)
    assert np.isnan(list(scored(index_dir).values())).all()
    assert finish(index_dir, tokens="int8").added == 90
    check(index_dir, documents)
    assert finish(index_dir, tokens="4bit").added == 90
    check(index_dir, documents, 0.1)
    assert finish(index_dir, tokens="none").format == "none"
    assert not files(index_dir)
    assert np.isnan(list(scored(index_dir).values())).all()
    assert finish(index_dir).format == "none"


def test_a_second_run_encodes_what_is_new_or_changed(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents[:60])
    encoder = HashTokenEncoder()
    changed = documents[3]._replace(text="en:sun en:sun moonshine")
    outcome = finish(tmp_path, [*documents[:3], changed, *documents[4:]], encoder=encoder)
    assert outcome.added == 31
    assert sorted(encoder.encoded) == sorted(document.passage for document in (changed, *documents[60:]))
    check(tmp_path, [*documents[:3], changed, *documents[4:]])


def test_an_open_reader_sees_what_comes_later(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents[:30])
    with closing(DocumentStore.open(tmp_path)) as store:
        stored = StoredTokens(store)

        def found(count: int) -> list[float]:
            labels = list(range(1, count + 1))
            return stored.compare(tokens_of(QUERY), labels, reranker=RERANKER, empty=-1.0).scores.tolist()

        before = found(30)
        finish(tmp_path, documents[:60])
        expected = [score(QUERY, document.passage) for document in documents[:60]]
        assert found(30) == before
        assert found(60) == pytest.approx(expected, abs=0.1)
        finish(tmp_path, tokens="4bit")
        assert found(60) == pytest.approx(expected, abs=0.1)
        finish(tmp_path, tokens="none")
        assert stored.why_not(RERANKER) == NONE_STORED
        assert np.isnan(found(60)).all()


def test_space_of_deleted_documents_is_given_back(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents, tokens="int8")
    size = files(tmp_path)[0].stat().st_size
    with closing(DocumentStore.open(tmp_path)) as store:
        stored = StoredTokens(store)
        assert stored.why_not(RERANKER) == ""
        few = finish(tmp_path, delete=[document.id for document in documents[:10]])
        assert few.reclaimed == 0
        many = finish(tmp_path, delete=[document.id for document in documents[10:40]])
        assert many.reclaimed == 40 * 3 * 130
        assert many.documents == 50
        assert [file.stat().st_size for file in files(tmp_path)] == [size - many.reclaimed]
        check(tmp_path, documents[40:])
        again = stored.compare(tokens_of(QUERY), [60, 41, 1], reranker=RERANKER, empty=-1.0).scores
        expected = [score(QUERY, documents[row].passage) for row in (59, 40)]
        assert again[:2].tolist() == pytest.approx(expected, abs=0.1)
        assert np.isnan(again[2])


def test_another_reranker_is_never_mixed_in(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents[:60])
    other = HashTokenEncoder("tokens-2")
    outcome = finish(tmp_path, documents, encoder=other)
    assert (outcome.added, outcome.documents, other.encoded) == (0, 60, [])
    assert "tokens-1" in outcome.note
    assert "--token-vectors" in outcome.note
    with closing(DocumentStore.open(tmp_path)) as store:
        why = StoredTokens(store).why_not("tokens-2")
    assert "of another reranker (hash tokens, tokens-1) than the one that is asked (tokens-2)" in why
    assert f"`interlingua index --index {tmp_path} --token-vectors 4bit`" in why
    assert np.isnan(list(scored(tmp_path, reranker="tokens-2").values())).all()
    assert finish(tmp_path, encoder=other, tokens="int8").added == 90
    assert scored(tmp_path, reranker="tokens-2") == pytest.approx(
        {document.id: score(QUERY, document.passage) for document in documents}, abs=0.01
    )


def test_without_an_encoder_they_are_refused_or_left_alone(tmp_path: Path, documents: list[Document]) -> None:
    nothing = HashTokenEncoder()
    nothing.encoder = None
    with pytest.raises(InputError, match=r"\(int8\) are wanted, and the server has no late-interaction reranker"):
        finish(tmp_path / "new", documents, encoder=nothing, tokens="int8")
    assert finish(tmp_path, documents, encoder=nothing).format == "none"
    finish(tmp_path, tokens="int8")
    assert "no late-interaction reranker" in finish(tmp_path, encoder=nothing).note
    for encoder in (nothing, HashTokenEncoder("tokens-2")):  # nothing will be done, so no progress is shown
        with Indexer.open(tmp_path, HashEmbedder(), encoder=encoder) as indexer:
            indexer.add([Document("new", "en", "", "en:sun")])
            assert TokenIndexing(indexer.store, encoder, 8).missing() == 0
            indexer.delete(["new"])
    check(tmp_path, documents)
    with pytest.raises(InputError, match="must be one of none, 4bit, 4bit-128, int8"):
        finish(tmp_path, tokens="fp16")


@pytest.mark.parametrize("damage", ["missing", "other", "empty"])
def test_a_file_that_is_none_is_said_and_made_again(tmp_path: Path, documents: list[Document], damage: str) -> None:
    finish(tmp_path, documents)
    [file] = files(tmp_path)
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(b"x" * file.stat().st_size if damage == "other" else b"")
    with closing(DocumentStore.open(tmp_path)) as store:
        why = StoredTokens(store).why_not(RERANKER)
        assert str(file) in why
        assert f"`interlingua index --index {tmp_path} --token-vectors 4bit` makes them again" in why
        assert what_is_lost(store) == why
    again = finish(tmp_path)
    assert (again.added, again.damaged, again.verified) == (90, 90, 0)
    check(tmp_path, documents)
    assert len(files(tmp_path)) == 1


ROW = 82


@pytest.mark.parametrize(
    ("first", "last", "put", "verify"),
    [
        pytest.param(30, 60, lambda there: bytes(len(there)), True, id="zeros in the middle"),
        pytest.param(0, 90, lambda there: there[ROW:] + there[:ROW], True, id="everything moved by a row"),
        pytest.param(41, 42, lambda there: there[:100] + bytes([there[100] ^ 1]) + there[101:], True, id="one bit"),
        pytest.param(89, 90, lambda there: there[:-1], False, id="the last byte cut off"),
        pytest.param(45, 90, lambda _: b"", False, id="half of it cut off"),
    ],
)
def test_damaged_rows_are_none_and_are_made_again(
    tmp_path: Path, documents: list[Document], first: int, last: int, put: Callable[[bytes], bytes], *, verify: bool
) -> None:
    """Of documents `first` to `last`, three rows each; while a reader has the file open. Any run sees a short file."""
    finish(tmp_path, documents)
    [file] = files(tmp_path)
    with closing(DocumentStore.open(tmp_path)) as store:
        stored, labels = StoredTokens(store), list(range(1, 91))
        expected = [score(QUERY, document.passage) for document in documents]
        whole = stored.compare(tokens_of(QUERY), labels, reranker=RERANKER, empty=-1.0)
        assert (whole.damaged, whole.scores.tolist()) == (0, pytest.approx(expected, abs=0.1))
        order = sorted(range(90), key=lambda row: TokenTables(store).spans(set_of(store), [row + 1])[row + 1])
        content, start, end = file.read_bytes(), 32 + 3 * ROW * first, 32 + 3 * ROW * last
        file.write_bytes(content[:start] + put(content[start:end]) + content[end:])
        found = stored.compare(tokens_of(QUERY), labels, reranker=RERANKER, empty=-1.0)
        damaged = set(order[first:last])
        assert found.damaged == len(damaged)
        assert {row for row in range(90) if np.isnan(found.scores[row])} == damaged
        sound = sorted(set(range(90)) - damaged)
        assert found.scores[sound].tolist() == pytest.approx(whole.scores[sound].tolist(), abs=1e-5)
        said = stored.damage(found.damaged)
        assert f"{file} are damaged: `interlingua index --index {tmp_path} --verify` finds all such" in said
        encoder = HashTokenEncoder()
        if verify:
            unread = finish(tmp_path, encoder=encoder)
            assert (unread.added, unread.verified, unread.damaged) == (0, 0, 0)
        mended = finish(tmp_path, encoder=encoder, verify=verify)
        assert (mended.added, mended.damaged) == (len(damaged), len(damaged))
        assert mended.verified == (90 if verify else 0)
        assert sorted(encoder.encoded) == sorted(documents[row].passage for row in damaged)
        assert finish(tmp_path).added == 0
        again = stored.compare(tokens_of(QUERY), labels, reranker=RERANKER, empty=-1.0)
        assert (again.damaged, again.scores.tolist()) == (0, pytest.approx(expected, abs=0.1))
    check(tmp_path, documents)


def test_an_ordinary_run_reads_nothing_that_is_stored(
    tmp_path: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(tmp_path, documents)
    read: list[TokenSpan] = []
    reading = TokenFile.read
    monkeypatch.setattr(TokenFile, "read", lambda file, spans: read.extend(spans) or reading(file, spans))
    assert finish(tmp_path, [Document("new", "en", "", "en:cat")]).added == 1
    assert not read
    assert finish(tmp_path, verify=True).verified == len(read) == 91


def test_what_is_given_back_leaves_damaged_rows_behind(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents)
    [file] = files(tmp_path)
    with file.open("r+b") as opened:
        opened.seek(32 + 3 * ROW * 70)
        opened.write(bytes(3 * ROW * 5))
    with closing(DocumentStore.open(tmp_path)) as store:
        spans = TokenTables(store).spans(set_of(store), range(1, 91))
        damaged = {documents[label - 1].id for label, span in spans.items() if 70 <= span.start // 3 < 75}
    gone = [document.id for document in documents if document.id not in damaged][:40]
    outcome = finish(tmp_path, delete=gone)
    assert (outcome.added, outcome.documents) == (5, 50)
    check(tmp_path, [document for document in documents if document.id not in gone])


def test_damaged_rows_are_not_carried_over(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents)
    [file] = files(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[:32] + bytes(3 * ROW * 20) + content[32 + 3 * ROW * 20 :])
    other, encoder = HashEmbedder("hash-2"), HashTokenEncoder()
    with BesideIndex(tmp_path, other.identity) as source, source.open(other, IndexSettings(), encoder=encoder) as made:
        source.copy(made)
        assert made.finish().tokens.documents == 90
    assert len(encoder.encoded) == 20
    check(source.folder, documents)


class _StoppedError(Exception):
    """A run that ends in the middle."""


class StoppingEncoder(HashTokenEncoder):
    """Gives up after so many texts."""

    def __init__(self, texts: int, digest: str = RERANKER) -> None:
        super().__init__(digest)
        self._texts = texts

    def encode_documents(self, batches: Iterable[Sequence[str]]) -> Iterator[list[TokenVectors]]:
        for answer in super().encode_documents(batches):
            if len(self.encoded) > self._texts:
                raise _StoppedError
            yield answer


@pytest.mark.parametrize("stopped_after", [10, 50])
@pytest.mark.parametrize("change", ["format", "reranker", "projection"])
def test_the_old_ones_are_used_until_the_new_are_complete(
    tmp_path: Path, documents: list[Document], change: str, stopped_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_indexing, "SAMPLE", 24)
    monkeypatch.setattr(token_indexing, "WORTH_A_REFIT", -1.0 if change == "projection" else 1.0)
    finish(tmp_path, documents, tokens="int8")
    [old], before = files(tmp_path), scored(tmp_path)
    digest = "tokens-2" if change == "reranker" else RERANKER
    settings = IndexSettings(token_vectors="4bit" if change == "format" else "int8")
    stopping = StoppingEncoder(stopped_after, digest)
    indexer = Indexer.open(tmp_path, HashEmbedder(), settings, batch=4, encoder=stopping)
    with indexer, pytest.raises(_StoppedError):
        indexer.finish(rebuild=change == "projection")
    assert old.exists()
    assert scored(tmp_path) == before
    with closing(DocumentStore.open(tmp_path)) as store:
        assert StoredTokens(store).why_not(RERANKER) == ""
    encoder = HashTokenEncoder(digest)
    outcome = finish(tmp_path, encoder=encoder)  # goes on with what is in the making, without being told again
    assert outcome.documents == 90
    if change != "projection" or stopped_after == 50:
        assert outcome.format == settings.token_vectors
        assert len(encoder.encoded) == 90 if stopped_after == 10 else len(encoder.encoded) < 90
        assert not old.exists()
    assert len(files(tmp_path)) == 1
    expected = {document.id: score(QUERY, document.passage) for document in documents}
    assert scored(tmp_path, reranker=digest) == pytest.approx(expected, abs=0.1)


def test_a_change_of_mind_keeps_what_is_there(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents, tokens="int8")
    old = files(tmp_path)
    with Indexer.open(tmp_path, HashEmbedder(), IndexSettings(token_vectors="4bit"), encoder=HashTokenEncoder()):  # noqa: S106
        pass
    encoder = HashTokenEncoder()
    assert finish(tmp_path, encoder=encoder, tokens="int8").format == "int8"
    assert (encoder.encoded, files(tmp_path)) == ([], old)
    check(tmp_path, documents)


def test_another_server_keeps_the_set_of_its_reranker_up_to_date(tmp_path: Path, documents: list[Document]) -> None:
    """A promotion that was taken back while the new reranker's vectors were made."""
    finish(tmp_path, documents[:60])
    settings = IndexSettings(token_vectors="4bit")  # noqa: S106
    with Indexer.open(tmp_path, HashEmbedder(), settings, encoder=HashTokenEncoder("tokens-2")):
        pass
    encoder = HashTokenEncoder()
    assert finish(tmp_path, documents, encoder=encoder).documents == 90
    assert len(encoder.encoded) == 30
    check(tmp_path, documents)


def test_none_is_remembered_from_the_first(tmp_path: Path, documents: list[Document]) -> None:
    assert finish(tmp_path, tokens="none").format == "none"
    assert finish(tmp_path, documents).format == "none"
    assert finish(tmp_path, tokens="4bit").added == 90


def test_those_of_the_first_form_are_made_again(tmp_path: Path, documents: list[Document]) -> None:
    """Without checksums, and in tables of other names."""
    finish(tmp_path, documents, tokens="none")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection, connection:
        connection.execute("DROP TABLE token_sets")
        connection.execute("DROP TABLE token_rows")
        connection.execute("CREATE TABLE token_vectors (one INTEGER PRIMARY KEY, file TEXT)")
        connection.execute("CREATE TABLE token_spans (label INTEGER PRIMARY KEY, start INTEGER, tokens INTEGER)")
    (tmp_path / f"tokens-{'0' * 32}.rows").write_bytes(b"former")
    with closing(DocumentStore.open(tmp_path)) as store:
        assert StoredTokens(store).why_not(RERANKER) == NONE_STORED
    assert np.isnan(list(scored(tmp_path).values())).all()
    assert finish(tmp_path).added == 90
    check(tmp_path, documents)
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize(
    "change", ["format = '9bit'", "projection = x'00'", "dimension = 7"], ids=["format", "projection", "dimension"]
)
def test_facts_that_cannot_be_are_named(tmp_path: Path, documents: list[Document], change: str) -> None:
    finish(tmp_path, documents)
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection, connection:
        connection.execute("UPDATE token_sets SET " + change)  # noqa: S608
    with closing(DocumentStore.open(tmp_path)) as store:
        assert "of its token vectors is damaged" in StoredTokens(store).why_not(RERANKER)
    assert finish(tmp_path, tokens="int8").added == 90
    check(tmp_path, documents)


def test_a_projection_that_has_become_worse_is_fitted_anew(tmp_path: Path) -> None:
    """Texts of 140 words; then most of them are of 140 others, which 128 directions of the first keep little of."""
    first = [Document(f"a{n}", "en", "", " ".join(f"a{n + m}" for m in range(20))) for n in range(120)]
    second = [Document(f"b{n}", "en", "", " ".join(f"b{n + m}" for m in range(20))) for n in range(600)]
    finish(tmp_path, first, tokens="int8")
    outcome = finish(tmp_path, [*first, *second])
    assert outcome.kept is None
    stale = files(tmp_path)
    rebuilt = finish(tmp_path, rebuild=True)
    assert (rebuilt.added, rebuilt.documents) == (720, 720)
    assert files(tmp_path) != stale
    assert finish(tmp_path, rebuild=True).added == 0  # it fits


def test_what_it_takes_is_said_before_most_of_it_is_done(
    tmp_path: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_indexing, "SAMPLE", 24)
    said: list[TokenForecast] = []
    encoder = HashTokenEncoder()
    with Indexer.open(tmp_path, HashEmbedder(), batch=4, encoder=encoder) as indexer:
        indexer.add(documents)

        def announce(forecast: TokenForecast) -> None:
            assert len(encoder.encoded) == 24
            said.append(forecast)

        indexer.finish(encode=lambda work: work.run(announce))
    assert [(forecast.documents, forecast.bytes) for forecast in said] == [(66, 66 * 3 * 82)]
    assert said[0].seconds > 0
    assert len(encoder.encoded) == 90  # nothing twice
    check(tmp_path, documents)


def test_a_vector_that_is_none_is_not_stored(tmp_path: Path, documents: list[Document]) -> None:
    class Overflowing(HashTokenEncoder):
        def encode_documents(self, batches):  # type: ignore[no-untyped-def]
            for answer in super().encode_documents(batches):
                yield [
                    TokenVectors(text.vectors * (np.inf if row == 5 else 1), text.weights)
                    for row, text in enumerate(answer)
                ]

    with pytest.raises(ServerError, match=r"document 'en-dog-cat' is not finite.*fp32"), np.errstate(invalid="ignore"):
        finish(tmp_path, documents, encoder=Overflowing())
    assert finish(tmp_path).added == 90


def test_a_query_of_another_dimension_is_an_error(tmp_path: Path, documents: list[Document]) -> None:
    finish(tmp_path, documents)
    with closing(DocumentStore.open(tmp_path)) as store:
        query = TokenVectors(np.ones((1, TOKEN_DIMENSION - 1), np.float32), np.ones(1, np.float32))
        with pytest.raises(ValueError, match=r"dimension|mismatch"):
            StoredTokens(store).compare(query, [1], reranker=RERANKER, empty=-1.0)


def test_many_documents_are_scored_in_parts(tmp_path: Path) -> None:
    """More tokens than are compared at once, in an order that is not the file's."""
    documents = [Document(f"d{n}", "en", "", " ".join(f"w{(n * m) % 97}" for m in range(150))) for n in range(80)]
    finish(tmp_path, documents)
    query = "w1 w5 w96"
    expected = {document.id: score(query, document.passage) for document in documents}
    assert scored(tmp_path, query) == pytest.approx(expected, abs=0.02)
    with closing(DocumentStore.open(tmp_path)) as store:
        stored = StoredTokens(store)
        labels = [70, 3, 999, 41]
        found = stored.compare(tokens_of(query), labels, reranker=RERANKER, empty=-1.0).scores
        expected_some = [score(query, documents[label - 1].passage) for label in (70, 3, 41)]
        assert found[[0, 1, 3]].tolist() == pytest.approx(expected_some, abs=0.02)
        assert np.isnan(found[2])


def test_an_index_beside_takes_the_vectors_over(tmp_path: Path, documents: list[Document]) -> None:
    """Another embedder, the same reranker: what is there with the same content is copied, the rest is encoded."""
    finish(tmp_path, documents, tokens="4bit")
    changed = documents[5]._replace(text="en:sun en:sun moonshine")
    other, encoder = HashEmbedder("hash-2"), HashTokenEncoder()
    with BesideIndex(tmp_path, other.identity) as source, source.open(other, IndexSettings(), encoder=encoder) as made:
        made.add([changed])
        source.copy(made)  # puts the current index's version of that document back
        assert made.finish().tokens.documents == 90
    assert encoder.encoded == []
    check(source.folder, documents, 0.1)
    finish(tmp_path, [changed], tokens="4bit")
    with BesideIndex(tmp_path, other.identity) as source, source.open(other, IndexSettings(), encoder=encoder) as made:
        source.copy(made)
        made.finish()
    assert encoder.encoded == [changed.passage]
    check(source.folder, [*documents[:5], changed, *documents[6:]], 0.1)


@pytest.mark.parametrize(
    ("wanted", "digest", "stored"),
    [(None, None, "none"), ("int8", "tokens-1", "int8"), (None, "tokens-2", "4bit"), ("none", "tokens-1", "none")],
)
def test_an_index_beside_encodes_what_it_cannot_take_over(
    tmp_path: Path, documents: list[Document], wanted: str | None, digest: str | None, stored: str
) -> None:
    finish(tmp_path, documents, tokens="4bit")
    encoder = HashTokenEncoder(digest or "")
    if digest is None:
        encoder.encoder = None
    other, settings = HashEmbedder("hash-2"), IndexSettings(token_vectors=wanted)
    with BesideIndex(tmp_path, other.identity) as source, source.open(other, settings, encoder=encoder) as made:
        source.copy(made)
        outcome = made.finish().tokens
    assert (outcome.format, outcome.documents) == (stored, 0 if stored == "none" else 90)
    assert len(encoder.encoded) == outcome.documents


def test_an_index_beside_one_without_them_has_none(index_dir: Path) -> None:
    other, encoder = HashEmbedder("hash-2"), HashTokenEncoder()
    with BesideIndex(index_dir, other.identity) as source, source.open(other, IndexSettings(), encoder=encoder) as made:
        source.copy(made)
        assert made.finish().tokens.format == "none"
