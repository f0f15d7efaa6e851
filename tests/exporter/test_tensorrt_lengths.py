"""Measured lengths, and buckets against an exhaustive search."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_cli.exporting.lengths import print_build, print_lengths
from interlingua_exporter.tensorrt.length_buckets import best_buckets, with_edges
from interlingua_exporter.tensorrt.length_histogram import LengthHistogram, measure
from interlingua_exporter.tensorrt.sized_serving import LengthReport
from interlingua_exporter.weights import checkpoint_folder

MakeFolder = Callable[..., Path]


def write_corpus(path: Path, rows: list[tuple[str, str]]) -> Path:
    lines = [
        json.dumps({"id": str(number), "language": "en", "title": title, "text": text})
        for number, (title, text) in enumerate(rows)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def histogram_of(lengths: list[int], limit: int) -> LengthHistogram:
    return LengthHistogram.of(lengths, limit)


def tokens(folder: Path, text: str) -> int:
    """Of a text alone, by the tokenizer's own library, without specials."""
    from tokenizers import Tokenizer

    return len(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text, add_special_tokens=False))


def test_an_embedder_is_measured_on_documents_and_their_titles(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "})
    corpus = write_corpus(tmp_path / "c.jsonl", [("Camera", "It is offline."), ("", "One. Two three four.")])
    # [CLS] and [SEP] make two more; a title stands in for a query, or the first sentence does.
    texts = ["d: Camera\nIt is offline.", "q: Camera", "d: One. Two three four.", "q: One."]
    expected = sorted(tokens(folder, text) + 2 for text in texts)
    measured = measure(checkpoint_folder.load(folder), corpus)
    assert sorted(itertools.chain(*([length] * n for length, n in measured.counts))) == expected
    assert (measured.texts, measured.tokens, measured.full) == (4, sum(expected), 0)


def test_queries_of_their_own_take_the_place_of_titles(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "})
    corpus = write_corpus(tmp_path / "c.jsonl", [("Camera", "It is offline.")])
    queries = write_corpus(tmp_path / "q.jsonl", [("", "why is my camera offline?"), ("", "what?")])
    texts = ["d: Camera\nIt is offline.", "q: why is my camera offline?", "q: what?"]
    measured = measure(checkpoint_folder.load(folder), corpus, queries)
    assert measured.tokens == sum(tokens(folder, text) + 2 for text in texts)


def test_a_reranker_is_measured_on_pairs_and_cut_at_its_limit(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("bert", labels=1)
    corpus = write_corpus(tmp_path / "c.jsonl", [("Camera", "It is offline."), ("Long", "many words " * 200)])
    pair = tokens(folder, "Camera") + tokens(folder, "Camera\nIt is offline.") + 3  # [CLS] q [SEP] d [SEP]
    measured = measure(checkpoint_folder.load(folder), corpus)
    assert measured.counts == ((pair, 1), (96, 1))
    assert measured.full == 1
    assert (measured.quantile(0.5), measured.quantile(0.51)) == (pair, 96)


def test_an_empty_corpus_and_a_bad_line(make_folder: MakeFolder, tmp_path: Path) -> None:
    checkpoint = checkpoint_folder.load(make_folder("bert", pooling="mean"))
    with pytest.raises(InputError, match=r"c\.jsonl has no documents"):
        measure(checkpoint, write_corpus(tmp_path / "c.jsonl", []))
    (tmp_path / "bad.jsonl").write_text('{"id": 1, "text": "good"}\nno json\n')
    with pytest.raises(InputError, match="line 2: not JSON"):
        measure(checkpoint, tmp_path / "bad.jsonl")


def test_buckets_by_hand() -> None:
    # 10 texts of 8 tokens, 1 of 60 (rounded to 64), limit 128. One bucket: 11 x 128 = 1408 for 140 tokens.
    # Two: {8}, {128}: 80 + 128 = 208. Or {64}, {128}: 11 x 64 = 704. Three: {8}, {64}, {128}: 80 + 64 = 144.
    choices = best_buckets(histogram_of([8] * 10 + [60], 128), 5)
    assert [choice.edges for choice in choices] == [(128,), (8, 128), (8, 64, 128)]
    assert [choice.padding for choice in choices] == pytest.approx([1 - 140 / 1408, 1 - 140 / 208, 1 - 140 / 144])
    assert choices[2].load == pytest.approx([80 / 144, 64 / 144, 0])
    assert (choices[2].busiest, choices[1].busiest) == (8, 128)


def test_the_last_edge_is_the_limit_even_off_the_step() -> None:
    assert best_buckets(histogram_of([3, 50], 51), 9)[-1].edges == (8, 51)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=40), st.integers(1, 4), st.sampled_from([8, 16]))
def test_buckets_are_the_best_of_all(lengths: list[int], most: int, step: int) -> None:
    histogram = histogram_of(lengths, 90)
    choices = best_buckets(histogram, most, step)
    multiples = [*range(step, 90, step)]
    for choice in choices:
        assert choice.edges[-1] == 90
        assert all(edge % step == 0 for edge in choice.edges[:-1])
        every = itertools.combinations(multiples, len(choice.edges) - 1)
        least = min(sum(min(e for e in (*edges, 90) if e >= n) for n in lengths) for edges in every)
        assert choice.padding == pytest.approx(1 - sum(lengths) / least)
    padding = [choice.padding for choice in choices]
    assert padding == sorted(padding, reverse=True)


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    histogram = histogram_of([8] * 9 + [60], 128)
    choices = best_buckets(histogram, 2)
    print_lengths(LengthReport(choices[-1].edges, histogram, choices, choices[-1]))
    printed = capsys.readouterr().out
    # 132 tokens; {8}, {128}: 72 + 128 = 200 padded, 34%.
    assert "10 texts of 13.2 tokens on average: 50% up to 8, 90% up to 8, 99% up to 60, 100% up to 60" in printed
    assert "0 at the limit of 128 tokens" in printed
    assert "length buckets: 8, 128, 34.0% padding" in printed
    print_build(Path("models.tensorrt/embedder-1"))
    assert "interlingua export plan models.tensorrt/embedder-1" in capsys.readouterr().out


@pytest.mark.parametrize("edges", [(), (0, 90), (32, 32, 90), (64, 32, 90), (32, 64)], ids=str)
def test_edges_that_cannot_be(edges: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"do not rise|not at the model's limit of 90"):
        with_edges(histogram_of([5], 90), edges)


@pytest.mark.parametrize("lengths", [[], [0], [91]], ids=str)
def test_lengths_that_cannot_be(lengths: list[int]) -> None:
    with pytest.raises(InputError, match=r"no texts|not within 1 to 90"):
        histogram_of(lengths, 90)
