"""A plan of searches that compare stored token vectors: what the reranker is asked, and what is no such plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
from interlingua_loadtest.capacity.plan.planner import demand_changes
from interlingua_loadtest.capacity.plan.text_lengths import planned_demand
from interlingua_loadtest.capacity.plan.traffic_file import read_traffic
from interlingua_loadtest.capacity.simulate.highest_rate import Runs
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.tradeoff.setting_cost import Replica
from tests.loadtest.capacity_layouts import queue, whole_server
from tests.support.written_repository import service_spec, write_embedder

TRAFFIC = PlannedTraffic(
    source="traffic.toml", peak_rate=9.0, mean_rate=3.0, kinds={"search": 1.0}, depth=50, token_vectors=True
)
QUERIES = {"en": ["where is my parcel", "a"], "de": ["wo ist mein Paket"]}


@pytest.fixture
def published(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Published:
    """An embedder, and a late-interaction reranker whose questions have at most eight tokens."""
    sides = SideRules(max_tokens=8, part="alone", skipped_ids=())
    interaction = LateInteraction(query=sides, document=replace(sides, max_tokens=64), weighting="sum").to_text()
    write_embedder(tmp_path, service_spec(prompt="query: "), tokenizer=tokenizer_json["bert"])
    write_embedder(
        tmp_path,
        service_spec(network="reranker", interaction=interaction),
        services=("rerank", "encode_query_tokens", "encode_document_tokens"),
        tokenizer=tokenizer_json["bert"],
        output="token_vectors",
    )
    return Published.read(tmp_path)


def dataset() -> Dataset:
    queries = tuple(
        Query(f"{language}{number}", language, text, "plain", "g", "test")
        for language, texts in QUERIES.items()
        for number, text in enumerate(texts)
    )
    document = JudgedDocument("d", "en", "", "parcels go to the post office", "g")
    return Dataset("tiny", (document,), queries, {queries[0].id: {"d": 1}}, {})


def test_a_search_has_the_question_encoded_whatever_its_depth(
    published: Published, tokenizer_json: dict[str, bytes]
) -> None:
    tokenizer = Tokenizer.from_str(tokenizer_json["bert"].decode())
    demand = planned_demand(TRAFFIC, dataset(), published)
    assert demand.one_side
    assert demand.depth == 1
    expected = {language: [len(tokenizer.encode(text)) for text in texts] for language, texts in QUERIES.items()}
    assert {language: list(counts) for language, counts in demand.pair_tokens.items()} == expected
    pairs = planned_demand(replace(TRAFFIC, token_vectors=False), dataset(), published)
    assert (pairs.depth, pairs.one_side) == (50, False)
    assert "one more candidate" in demand_changes(pairs, queue(1))
    assert "one more candidate" not in demand_changes(demand, queue(1))


def test_a_reranker_that_reads_pairs_alone_has_no_such_plan(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    write_embedder(tmp_path, service_spec(), tokenizer=tokenizer_json["bert"])
    reranker = service_spec(network="reranker")
    write_embedder(tmp_path, reranker, services=("rerank",), tokenizer=tokenizer_json["bert"], output="score")
    with pytest.raises(InputError, match="needs encode_query_tokens"):
        planned_demand(TRAFFIC, dataset(), Published.read(tmp_path))


def test_a_setting_of_a_stored_form_costs_a_question_whatever_its_depth(published: Published) -> None:
    """Pairs of both texts, fifty of them or ten, against one row of the question."""
    pairs = planned_demand(replace(TRAFFIC, token_vectors=False), dataset(), published)
    replica = Replica(
        layout=whole_server(),
        demand=pairs,
        slo=Slo(99, 1.0),
        traffic=TRAFFIC,
        runs=Runs(requests=200, repeats=2, precision=0.1),
        stored=planned_demand(TRAFFIC, dataset(), published),
    )
    deep, shallow = replica.cost(50, 0.0), replica.cost(10, 0.0)
    stored = replica.cost(50, 0.0, stored=True)
    assert deep.rate < shallow.rate < stored.rate / 3
    assert replica.cost(200, 0.0, stored=True) == stored


@pytest.mark.parametrize(
    ("more", "words"),
    [("depth = 0", "but depth is 0"), ("[kinds]\nrerank = 1\nsearch = 1", "but kinds have rerank")],
)
def test_what_is_no_such_traffic_is_said(tmp_path: Path, more: str, words: str) -> None:
    path = tmp_path / "traffic.toml"
    path.write_text(f"[traffic]\npeak_rate = 1\ntoken_vectors = true\n{more}\n")
    with pytest.raises(InputError, match=rf"traffic.toml.*\[traffic\] token_vectors .*{words}"):
        read_traffic(path)
