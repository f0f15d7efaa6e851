"""The figures of stored token vectors: sizes by hand, and that what is timed is what a search does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua_benchmarks.token_store.__main__ import main
from interlingua_benchmarks.token_store.corpus_size import stored_tokens
from interlingua_client.corpus import Corpus
from tests.support.written_repository import service_spec, write_embedder


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_comparing_is_timed_in_memory_and_from_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    arguments = ["--documents", "300", "--tokens", "40", "--searches", "4", "--depth", "20", "--folder", str(folder)]
    facts = json.loads(printed("million", *arguments))
    [file] = folder.glob("tokens-*")
    assert facts["bytes"] == file.stat().st_size
    assert (file.stat().st_size - 32) % 130 == 0
    tokens = (file.stat().st_size - 32) / 130 / 300
    assert 34 <= tokens <= 46
    for clock in ("warm_cpu_ms", "warm_wall_ms", "cold_cpu_ms", "cold_wall_ms"):
        assert 0 < facts[clock]["p50"] <= facts[clock]["p95"]
    written = file.stat().st_mtime_ns
    printed("million", *arguments)
    assert file.stat().st_mtime_ns == written  # the one that is there is used


def test_opening_is_told_apart_from_the_first_search() -> None:
    facts = json.loads(printed("opening", "--documents", "200", "--tokens", "30"))
    assert 0 < facts["opening_ms"] < facts["with_first_search_ms"]


def test_the_size_of_a_corpus(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    """Special tokens are not stored, and a document has no more than the service reads."""
    side = SideRules(max_tokens=8)
    interaction = LateInteraction(query=side, document=replace(side, max_tokens=8)).to_text()
    spec = service_spec(network="reranker", interaction=interaction, max_tokens=8)
    services = ("rerank", "encode_query_tokens", "encode_document_tokens")
    write_embedder(
        tmp_path / "models", spec, services=services, tokenizer=tokenizer_json["bert"], output="token_vectors"
    )
    corpus = tmp_path / "corpus.jsonl"
    lines = [{"id": "a", "language": "en", "text": "a a a"}, {"id": "b", "language": "en", "text": "a " * 50}]
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines))
    reranker = Published.read(tmp_path / "models").required("reranker")
    assert stored_tokens(Corpus(corpus, str), reranker).tolist() == [3, 6]
    shown = printed("size", str(corpus), "--model-repository", str(tmp_path / "models"))
    assert "2 documents, 4 tokens each" in shown
    assert "0.6 kB" in shown  # 4.5 tokens of 130 bytes
    assert "585.0 MB" in shown
    assert "29.7 GB" in shown  # a hundred million of 66
    corpus.write_text(corpus.read_text() + "{}\n[\n")
    arguments = ["size", str(corpus), "--model-repository", str(tmp_path / "models")]
    with pytest.raises(InputError, match=r"2 bad lines \(--skip-bad leaves them out\):\n  line 3: "):
        printed(*arguments)
    done = CliRunner().invoke(main, [*arguments, "--skip-bad"])
    assert "2 documents, 4 tokens each" in done.stdout
    assert "2 bad lines left out" in done.stderr


def test_a_cross_encoder_has_nothing_to_store(tmp_path: Path) -> None:
    write_embedder(tmp_path, service_spec(network="reranker"), services=("rerank",), output="score")
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("")
    with pytest.raises(Exception, match="no late-interaction model"):
        stored_tokens(Corpus(corpus, str), Published.read(tmp_path).required("reranker"))
