"""Searches among the documents that meet a filter: as many as there are, the right ones, and no others."""

from __future__ import annotations

import collections
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.filtering.filter_tree import DocumentFilter
from interlingua_client.index import search_index
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.scope import search_scope
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.search_steps import Searcher
from tests.client.filtering.brute_force import passes, random_document, random_filter
from tests.client.sample_documents import make_documents
from tests.client.test_search_steps import ask, carry_out
from tests.support.hash_embedder import HashEmbedder

WAYS = {"small": (20_000 * 384, 57.0), "scoped": (0, 57.0), "graph": (0, 0.0)}


@pytest.fixture(scope="module")
def tagged() -> list[Document]:
    chance = random.Random(3)
    return [
        document._replace(metadata={**random_document(chance), "tenant": "acme" if row % 9 == 0 else f"t{row % 7}"})
        for row, document in enumerate(make_documents())
    ]


@pytest.fixture(scope="module")
def tagged_dir(tagged: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tagged") / "index"
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add(tagged)
        indexer.finish()
    return directory


@pytest.fixture(params=list(WAYS))
def index(request: pytest.FixtureRequest, tagged_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchIndex]:
    """One index, searched in each of the ways that depend on its size."""
    floats, roots = WAYS[request.param]
    monkeypatch.setattr(search_index, "EXACT_FLOATS", floats)
    monkeypatch.setattr(search_index, "_FILTERED_EXACT_ROOTS", roots)
    opened = SearchIndex.open(tagged_dir)
    yield opened
    opened.close()


def ids(index: SearchIndex, labels: Any) -> list[str]:
    documents = index.documents(labels)
    return [documents[label].id for label in labels.tolist()]


def test_random_filters_find_what_comparing_each_document_finds(index: SearchIndex, tagged: list[Document]) -> None:
    chance, vector, compared = random.Random(11), HashEmbedder().vector("en:cat en:dog", "query"), 0
    every = index.nearest(vector, "en", 1000)
    ranked = dict(zip(ids(index, every.labels), every.scores.tolist(), strict=True))
    assert len(ranked) == 90
    fields = {document.id: dict(document.metadata) for document in tagged}
    for _ in range(60):
        wanted = random_filter(chance)
        languages = chance.choice([[], [], ["de"], ["en", "fr"]])
        k = chance.choice([1, 10, 100])
        right = sorted(
            (
                score
                for id_, score in ranked.items()
                if passes(fields[id_], wanted) and (not languages or id_[:2] in languages)
            ),
            reverse=True,
        )[:k]
        try:
            scope = index.scope(parse(wanted))
        except InputError:  # random fields may hold no dates, say
            continue
        compared += bool(right)
        found = index.nearest(vector, "en", k, languages, scope=scope)
        assert found.scores == pytest.approx(right, abs=1e-5), wanted
        assert all(passes(fields[id_], wanted) for id_ in ids(index, found.labels))
        assert scope.allows(found.labels).all()
    assert compared >= 30


def test_a_quota_is_divided_among_the_languages_that_pass(index: SearchIndex, tagged: list[Document]) -> None:
    vector = HashEmbedder().vector("en:cat en:dog", "query")
    scope = index.scope(parse({"tenant": "acme", "language": ["en", "de"]}))
    found = index.nearest(vector, "en", 6, quota=1.0, scope=scope)
    assert sorted(id_[:2] for id_ in ids(index, found.labels)) == ["de"] * 3 + ["en"] * 3
    tenants = collections.Counter(one.language for one in tagged if one.metadata["tenant"] == "acme")
    assert scope.languages == {tag: tenants[tag] for tag in ("de", "en")}
    only = index.nearest(vector, "en", 6, ["de"], quota=1.0, scope=scope)
    assert {id_[:2] for id_ in ids(index, only.labels)} == {"de"}
    assert index.nearest(vector, "en", 6, ["fr"], scope=scope).labels.tolist() == []


def test_id_and_language_are_fields(index: SearchIndex) -> None:
    scope = index.scope(parse({"id": ["en-cat-dog", "de-cat-dog"], "not": {"language": "de"}}))
    assert scope.languages == {"en": 1}
    assert len(scope) == 1


def test_a_graph_that_ends_short_is_followed_by_exact_search(tagged_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "EXACT_FLOATS", 0)
    monkeypatch.setattr(search_index, "_FILTERED_EXACT_ROOTS", 0.0)
    index = SearchIndex.open(tagged_dir, ef_search=1)
    scope = index.scope(parse({"tenant": "acme"}))
    assert index._graph is not None
    monkeypatch.setattr(index._graph, "search", lambda *_: None)
    found = index.nearest(HashEmbedder().vector("en:cat", "query"), "en", 10, scope=scope)
    assert found.exact
    assert len(found.labels) == 10


def test_what_is_kept_stays_within_its_budget(tagged_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "EXACT_FLOATS", 0)
    index = SearchIndex.open(tagged_dir)
    vector = HashEmbedder().vector("en:cat", "query")
    for tenant in ("acme", *(f"t{row}" for row in range(7))):
        assert len(index.nearest(vector, "en", 5, scope=index.scope(parse({"tenant": tenant}))).labels) == 5
    kept = index._scoped._blocks
    budget = 4 * int(0.25 * 90 * 32)
    assert 0 < kept._held <= budget
    assert kept._held == sum(block.vectors.nbytes for block in kept._values.values())


def test_many_scopes_and_look_ups_take_bounded_memory(tagged_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "EXACT_FLOATS", 0)
    monkeypatch.setattr(search_index, "_FILTERED_EXACT_ROOTS", 0.0)
    monkeypatch.setattr(search_scope, "_LOOK_UP_BYTES", 0)
    index = SearchIndex.open(tagged_dir)
    vector, every = HashEmbedder().vector("en:cat", "query"), [*index.languages]
    for row in range(30):
        many = [f"x{row}.{one}" for one in range(2000)]
        scope = index.scope(parse({"or": [{"tenant": "acme"}, {"id": many}]}))
        assert len(index.nearest(vector, "en", 5, every[: 1 + row % len(every)]).labels) == 5
        assert len(index.nearest(vector, "en", 5, scope=scope).labels) == 5
        assert len(repr(scope.key)) < 200
    assert len(index._scopes._look_ups._kept._values) == 8
    index.close()


def search(
    index: SearchIndex, wanted: dict[str, Any] | None, pinned: DocumentFilter | None = None, **options: Any
) -> list[str]:
    request = ask("en:cat en:dog", **{"k": 100, "candidates": 100, "rerank": False, "filter": wanted, **options})
    request = type(request)(request.query, request.options, None, pinned)
    result = carry_out(Searcher(index, has_reranker=False), request)
    return sorted(hit.id for hit in result.hits)


def test_no_filter_of_a_caller_widens_a_pinned_one(index: SearchIndex, tagged: list[Document]) -> None:
    pinned = parse({"tenant": "acme"})
    own = sorted(document.id for document in tagged if document.metadata["tenant"] == "acme")
    assert search(index, None, pinned) == own
    for wanted in (
        {"or": [{"tenant": "acme"}, {"tenant": {"exists": True}}]},
        {"not": {"tenant": "t1"}},
        {"not": {"not": {"tenant": {"prefix": ""}}}},
        {"tenant": ["acme", "t1", "t2"]},
        {"or": [{"not": {"tenant": "acme"}}, {"id": {"exists": True}}]},
    ):
        assert search(index, wanted, pinned) == own, wanted
    assert search(index, {"tenant": "t1"}, pinned) == []
    assert search(index, {"not": {"tenant": "acme"}}, pinned) == []
    assert search(index, {"id": [document.id for document in tagged]}, pinned) == own
    assert search(index, {}, pinned) == own


def test_what_lies_outside_of_a_pin_is_not_told(tmp_path: Path) -> None:
    inside = [
        document._replace(metadata={"tenant": "acme"}) for document in make_documents(("en", "fr"), ("cat", "sun"))
    ]
    outside = [
        document._replace(metadata={"tenant": "rival", "secret_price": 7})
        for document in make_documents(("de", "xx-Zyyy"), ("cat", "sun"))
    ]
    said = {}
    for name, documents in (("both", [*inside, *outside]), ("alone", inside)):
        with Indexer.open(tmp_path / name, HashEmbedder()) as indexer:
            indexer.add(documents)
            indexer.finish()
        index, pinned, told = SearchIndex.open(tmp_path / name), parse({"tenant": "acme"}), []
        for options in (
            {"filter": {"secret_price": 7}},
            {"filter": {"secret_prize": {"gte": 1}}},
            {"filter": {"not": {"secret_price": {"exists": False}}}},
            {"languages": ["de"]},
            {"query_language": "xx-Zyyy"},
        ):
            with pytest.raises(InputError) as caught:
                search(index, options.pop("filter", None), pinned, **options)
            told.append(str(caught.value))
        said[name] = told
        index.close()
    assert said["both"] == said["alone"]
    assert "the index has en (2), fr (2)" in said["both"][3]


def test_a_document_that_left_the_pin_since_is_not_shown(tagged: list[Document], tmp_path: Path) -> None:
    directory = tmp_path / "index"
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add(tagged)
        indexer.finish()
    index, pinned = SearchIndex.open(directory), parse({"tenant": "acme"})
    before = search(index, None, pinned)
    moved = next(document for document in tagged if document.id == before[0])
    with Indexer.open(directory, HashEmbedder()) as indexer:
        indexer.add([moved._replace(metadata={"tenant": "rival"})])
        indexer.finish()
    assert search(index, None, pinned) == before[1:]
    assert search(index.reopened(), None, pinned) == before[1:]


def test_mistakes_of_options_and_filter_are_told_together(index: SearchIndex) -> None:
    with pytest.raises(InputError) as caught:
        search(index, {"a": {"near": 1}}, quota=7)
    assert "quota is 7" in str(caught.value)
    assert "'near' is no operator" in str(caught.value)
    deep: Any = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(InputError, match=r"k is a number of too many digits, .*filter is nested too deeply"):
        search(index, deep, k=10**5000)
    with pytest.raises(InputError, match="filter is 'tenant', it must be a JSON object"):
        search(index, "tenant")  # type: ignore[arg-type]


def test_columns_are_of_the_generation_s_documents(index: SearchIndex) -> None:
    scope = index.scope(parse({"tenant": {"exists": True}}))
    assert len(scope) == index.passages == 90
    assert sum(scope.languages.values()) == len(index)
    assert np.array_equal(np.sort(np.concatenate(list(scope.labels.values()))), np.sort(scope._all))
