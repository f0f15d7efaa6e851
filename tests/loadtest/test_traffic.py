"""Shares by chi-square with fixed seeds; everything else exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from interlingua.base.errors import InputError
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.datasets.sources import open_dataset
from interlingua_loadtest.traffic.request_stream import Ask, Mix, SourceText, Traffic
from interlingua_loadtest.traffic.weighted_draws import Draws
from tests.loadtest.test_schedule import log_line

NUMBER = 4000


def dataset() -> Dataset:
    """Of queries: en 6 plain and 2 jargon, de 3 and 1, sv 2 plain; 8 documents in en, 4 in de."""
    counts = {("en", "plain"): 6, ("en", "jargon"): 2, ("de", "plain"): 3, ("de", "jargon"): 1, ("sv", "plain"): 2}
    queries = [
        Query(f"{tag}.{kind}.{row}", tag, f"{tag} {kind} " + "x" * (10 * row), kind, "g", "test")
        for (tag, kind), number in counts.items()
        for row in range(number)
    ]
    documents = [
        JudgedDocument(f"d{row}.{tag}", tag, f"title {row} {tag}", "text " * (row + 1), "g")
        for tag, number in (("en", 8), ("de", 4))
        for row in range(number)
    ]
    return Dataset("few", tuple(documents), tuple(queries), {}, {})


def asks(mix: Mix, number: int = NUMBER, seed: int = 2) -> list[Ask]:
    return list(Traffic.of_dataset(dataset(), mix, seed).asks(number))


def fits(found: Iterable[str], shares: dict[str, float]) -> bool:
    """Chi-square at 0.1%, as there are a dozen of these; shares that are 5% off are still found."""
    counts = Counter(found)
    assert counts.keys() <= shares.keys()
    total = counts.total()
    expected = [total * share / sum(shares.values()) for share in shares.values()]
    return bool(stats.chisquare([counts[key] for key in shares], expected).pvalue > 0.001)


def base_text(text: str) -> str:
    return text.partition(" #")[0]


def test_shares_that_are_not_given_are_the_source_s() -> None:
    found = asks(Mix(kinds={"embed_query": 1}))
    assert fits((ask.language for ask in found), {"en": 8, "de": 4, "sv": 2})
    assert fits((ask.query_kind for ask in found), {"plain": 11, "jargon": 3})
    # Every text alike.
    texts = Counter(base_text(ask.query) for ask in found)
    assert len(texts) == 14
    assert stats.chisquare(list(texts.values())).pvalue > 0.01


def test_no_seed_is_special() -> None:
    """Over many seeds, the p-values of a true hypothesis are uniform."""
    expected = [1000 * share / 14 for share in (8, 4, 2)]
    pvalues = []
    for seed in range(40):
        counts = Counter(ask.language for ask in asks(Mix(kinds={"embed_query": 1}), 1000, seed))
        pvalues.append(stats.chisquare([counts[tag] for tag in ("en", "de", "sv")], expected).pvalue)
    assert stats.kstest(pvalues, "uniform").pvalue > 0.01


def test_given_shares_hold_together() -> None:
    found = asks(Mix(kinds={"embed_query": 1}, languages={"EN": 1, "de": 3}, query_kinds={"plain": 0.2, "jargon": 0.2}))
    cells = {"en/plain": 1, "en/jargon": 1, "de/plain": 3, "de/jargon": 3}
    assert fits((f"{ask.language}/{ask.query_kind}" for ask in found), cells)


def test_one_given_share_leaves_the_other_as_in_the_source() -> None:
    found = asks(Mix(kinds={"embed_query": 1}, query_kinds={"plain": 1, "jargon": 1}))
    assert fits((ask.query_kind for ask in found), {"plain": 1, "jargon": 1})
    assert fits((ask.language for ask in found if ask.query_kind == "plain"), {"en": 6, "de": 3, "sv": 2})
    found = asks(Mix(kinds={"embed_query": 1}, languages={"en": 1, "sv": 1}))
    assert fits((ask.query_kind for ask in found if ask.language == "en"), {"plain": 6, "jargon": 2})


def test_kinds_have_their_shares_and_their_fields() -> None:
    shares = {"embed_query": 4.0, "embed_document": 3.0, "rerank": 2.0, "search": 1.0}
    found = asks(Mix(kinds=shares, depth=5))  # type: ignore[arg-type]
    assert [ask.number for ask in found] == list(range(NUMBER))
    assert fits((ask.kind for ask in found), shares)
    passages = {document.indexed.passage for document in dataset().documents}
    for ask in found:
        documents = {base_text(text) for text in ask.documents}
        assert documents <= passages
        assert len(documents) == len(ask.documents) == {"embed_document": 1, "rerank": 5}.get(ask.kind, 0)
        assert ask.depth == {"rerank": 5, "search": 5}.get(ask.kind, 0)
        assert bool(ask.query) == bool(ask.query_kind) == (ask.kind != "embed_document")


def test_depths_are_drawn_evenly_and_change_nothing_else() -> None:
    mix = Mix(kinds={"search": 1}, depth=[0, 10, 50])
    found = asks(mix)
    assert fits((str(ask.depth) for ask in found), {"0": 1, "10": 1, "50": 1})
    assert [ask.query for ask in found] == [ask.query for ask in asks(replace(mix, depth=7))]


def test_equal_seeds_give_equal_traffic() -> None:
    mix = Mix(kinds={"rerank": 1, "search": 1}, depth=[2, 3], repeats="zipf")
    first = asks(mix, 300)
    assert asks(mix, 300) == first
    assert asks(mix, 500)[:300] == first
    assert asks(mix, 300, seed=3) != first
    traffic = Traffic.of_dataset(dataset(), mix, 2)
    assert list(traffic.asks(300)) == list(traffic.asks(300)) == first


def test_unique_traffic_repeats_no_text_and_counts_what_it_varied() -> None:
    traffic = Traffic.of_dataset(dataset(), Mix(kinds={"embed_query": 1, "embed_document": 1}), 1)
    texts = [ask.query or ask.documents[0] for ask in traffic.asks(2000)]
    assert len(set(texts)) == 2000
    # 14 queries and 12 documents come once as they are.
    assert traffic.varied == 2000 - 26


def test_unique_reranks_never_repeat_a_pair() -> None:
    pairs = [(ask.query, text) for ask in asks(Mix(kinds={"rerank": 1}, depth=4)) for text in ask.documents]
    assert len(set(pairs)) == len(pairs) == 4 * NUMBER


def test_a_varied_text_is_no_other_text_of_the_source() -> None:
    texts = ["who", "who #2", "who #3"]
    asked = [ask.query for ask in Traffic.of_texts({"en": texts}, Mix(kinds={"embed_query": 1}), 1).asks(60)]
    assert len(set(asked)) == 60
    assert set(texts) <= set(asked)


def test_a_text_that_the_source_has_twice_is_told_apart() -> None:
    asked = [
        ask.query for ask in Traffic.of_texts({"en": ["a b"], "de": ["a b"]}, Mix(kinds={"search": 1}), 1).asks(50)
    ]
    assert len(set(asked)) == 50


def test_varying_does_not_change_the_language_of_the_question() -> None:
    from interlingua_client.search.query_language import LanguageDetector

    helpdesk = open_dataset("helpdesk12")
    detector = LanguageDetector(helpdesk.languages)
    plain = {query.text: detector.detect(query.text).tag for query in helpdesk.queries}
    found = [ask.query for ask in Traffic.of_dataset(helpdesk, Mix(kinds={"embed_query": 1}), 1).asks(2000)]
    varied = [text for text in found if text not in plain]
    assert len(varied) > 1500
    assert [text for text in varied if detector.detect(text).tag != plain[base_text(text)]] == []


def test_zipf_draws_by_rank_over_the_whole_source() -> None:
    found = Counter(ask.query for ask in asks(Mix(kinds={"search": 1}, repeats="zipf", zipf_exponent=1.2), 20_000))
    # 14 texts: the r-th most popular has the share r ** -1.2 over their sum.
    shares = np.arange(1, 15) ** -1.2
    counts = np.array([number for _, number in found.most_common()])
    assert stats.chisquare(counts, 20_000 * shares / shares.sum()).pvalue > 0.01


def test_popularity_is_not_the_source_s_order() -> None:
    texts = {"en": [f"text {row}" for row in range(200)]}
    most = []
    for seed in range(8):
        traffic = Traffic.of_texts(texts, Mix(kinds={"search": 1}, repeats="zipf", zipf_exponent=2.0), seed)
        most.append(Counter(ask.query for ask in traffic.asks(200)).most_common(1)[0][0])
    assert len(set(most)) > 4


def test_zipf_keeps_given_shares() -> None:
    found = asks(Mix(kinds={"embed_query": 1}, languages={"en": 1, "de": 1, "sv": 1}, repeats="zipf"))
    assert fits((ask.language for ask in found), {"en": 1, "de": 1, "sv": 1})


def test_lengths_are_of_what_takes_the_time() -> None:
    found = asks(Mix(kinds={"embed_query": 1, "rerank": 1, "embed_document": 1}, lengths=(25, 45), depth=3), 600)
    for ask in found:
        if ask.kind == "embed_query":
            assert 25 <= len(base_text(ask.query)) <= 45
        assert all(25 <= len(base_text(text)) <= 45 for text in ask.documents)
    assert min(len(base_text(ask.query)) for ask in found if ask.kind == "rerank") < 25


def test_documents_to_rerank_are_in_the_languages_of_the_mix() -> None:
    found = asks(Mix(kinds={"rerank": 1}, languages={"de": 1}, depth=3), 200)
    assert all(text.partition("\n")[0].endswith("de") for ask in found for text in ask.documents)
    # There are none in Swedish: those of any language.
    found = asks(Mix(kinds={"rerank": 1}, languages={"sv": 1}, depth=12), 10)
    assert all(ask.language == "sv" and len(set(ask.documents)) == 12 for ask in found)


def test_a_log_with_texts_is_a_source(tmp_path: Path) -> None:
    moment = "2026-05-04T10:00:00+00:00"
    file = tmp_path / "searches.log"
    file.write_text(3 * log_line(moment, query="wie geht es") + log_line(moment, query="was nun"), encoding="utf-8")
    traffic = Traffic.of_log(file, Mix(kinds={"search": 1}, depth=4), 3)
    found = list(traffic.asks(1000))
    assert fits((base_text(ask.query) for ask in found), {"wie geht es": 3, "was nun": 1})
    assert {ask.language for ask in found} == {"de"}
    documents = [SourceText("de", "", f"Text {row}") for row in range(4)]
    (ask,) = Traffic.of_log(file, Mix(kinds={"rerank": 1}, depth=4), 3, documents=documents).asks(1)
    assert sorted(ask.documents) == ["Text 0", "Text 1", "Text 2", "Text 3"]


def test_a_log_without_texts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "searches.log"
    file.write_text(log_line("2026-05-04T10:00:00+00:00"), encoding="utf-8")
    with pytest.raises(InputError, match="--log-text"):
        Traffic.of_log(file, Mix(kinds={"search": 1}), 1)
    file.write_text(log_line("2026-05-04T10:00:00+00:00", query="was nun"), encoding="utf-8")
    with pytest.raises(InputError, match="has no documents"):
        Traffic.of_log(file, Mix(kinds={"rerank": 1}), 1)


def test_every_fault_of_a_mix_is_named_at_once() -> None:
    mix = Mix(
        kinds={"embed_query": -1, "guess": 1},  # type: ignore[dict-item]
        languages={"english language": 1},
        query_kinds={},
        depth=[-1],
        lengths=(9, 3),
        repeats="often",  # type: ignore[arg-type]
        zipf_exponent=float("nan"),
    )
    with pytest.raises(InputError) as caught:
        Traffic.of_dataset(dataset(), mix, -1)
    parts = ["share of embed_query in kinds is -1", "'guess' is no kind", "'english language' is not a language tag"]
    parts += ["query_kinds names nothing", "depth is [-1]", "lengths are (9, 3)", "'often'", "zipf_exponent is nan"]
    for part in [*parts, "seed is -1"]:
        assert part in str(caught.value)


def test_everything_that_a_source_lacks_is_named_at_once() -> None:
    mix = Mix(
        kinds={"embed_query": 1, "rerank": 1, "embed_document": 1},
        languages={"fi": 1, "sv": 1, "en": 1},
        query_kinds={"jargon": 1, "slang": 1},
        depth=20,
    )
    with pytest.raises(InputError) as caught:
        Traffic.of_dataset(dataset(), mix, 1)
    assert str(caught.value).split("; ") == [
        "this traffic cannot be made: few has no queries in fi (de, en, sv there are)",
        "few has no queries of kind 'slang' (jargon, plain there are)",
        "few has no query of kind 'jargon' in sv",
        "a rerank of depth 20 needs as many documents, few has 8",
        "few has no documents in fi (de, en there are)",
        "few has no documents in sv (de, en there are)",
    ]


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        # German queries have 9 to 29 characters ("de plain " and up to 20 more).
        (
            Mix(kinds={"search": 1}, languages={"de": 1}, lengths=(50, 90)),
            "no query in de of 50 to 90 characters (9 to 29",
        ),
        (Mix(kinds={"search": 1}, lengths=(500, 900)), "no query of 500 to 900 characters (9 to 59"),
        (Mix(kinds={"rerank": 1}, depth=0), "a rerank of depth 0 asks nothing"),
    ],
    ids=["length in a language", "length", "depth"],
)
def test_a_mix_without_texts_is_refused(mix: Mix, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Traffic.of_dataset(dataset(), mix, 1)
    assert message in str(caught.value)


@pytest.mark.parametrize("depth", [2, 5], ids=["few of them", "all but one"])
def test_distinct_draws_are_successive_draws(depth: int) -> None:
    """The chance of an order is the product of each one's share of what is left (Plackett 1975)."""
    weights = np.array([100.0, 20, 5, 1, 0.2, 0.05])
    draws, random = Draws(weights), np.random.default_rng(4)
    found = Counter(tuple(draws.distinct(random, depth)[:2]) for _ in range(20_000))
    chance: Callable[[int, int], float] = lambda a, b: (  # noqa: E731
        weights[a] / weights.sum() * weights[b] / (weights.sum() - weights[a])
    )
    likely = {pair: p for pair in np.ndindex(6, 6) if pair[0] != pair[1] and (p := chance(*pair)) > 0.002}
    observed = [found[pair] for pair in likely]
    expected = [20_000 * p for p in likely.values()]
    rest = 20_000 - sum(observed), 20_000 - sum(expected)
    assert stats.chisquare([*observed, rest[0]], [*expected, rest[1]]).pvalue > 0.01
    assert all(len(set(draws.distinct(random, depth))) == depth for _ in range(200))


def test_drawing_is_quick_enough_to_send_a_thousand_a_second() -> None:
    import time

    traffic = Traffic.of_dataset(open_dataset("helpdesk12"), Mix(kinds={"search": 1, "rerank": 1}, depth=20), 1)
    next(traffic.asks(1))
    began = time.process_time()
    assert sum(1 for _ in traffic.asks(5000)) == 5000
    assert time.process_time() - began < 1.0  # a fifth of a core at a thousand a second
