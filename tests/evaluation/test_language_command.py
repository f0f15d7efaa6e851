"""`interlingua languages`: a corpus without judgments, and a dataset with a report of the hash embedder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.repository.published import Published
from interlingua_cli.languages import command
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.dataset import Dataset, Query
from interlingua_evaluation.evaluate import EvaluationSettings, Evaluator
from interlingua_evaluation.report.files import write_report
from interlingua_evaluation.report.saved_report import SavedReport
from interlingua_evaluation.serving import EmbeddingService, LiveServer
from interlingua_evaluation.systems.system_name import SystemName
from tests.support.hash_embedder import HashEmbedder
from tests.support.language_models import publish_models

TWELVE = ("en", "es", "fr", "de", "pt-BR", "ru", "ar", "hi", "zh-Hant", "ja", "ko", "sw")


def _evaluator(dataset: Dataset, models: Published, settings: EvaluationSettings) -> Evaluator:
    """Without a reranker."""
    return Evaluator(dataset=dataset, models=models, live=HashServer(models), scorer=None, stored={}, settings=settings)


def languages(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)), input=stdin)


def said(result: Result) -> str:
    """The one line that a user sees of an error of theirs."""
    assert isinstance(result.exception, InterlinguaError), result.exception
    return str(result.exception)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_models(tmp_path_factory.mktemp("languages") / "models")


def write_lines(file: Path, *rows: dict[str, object]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows: list[dict[str, object]] = [
        {"_id": f"t{number}.{tag}", "language": tag, "title": "banana", "text": "split " * (1 + place)}
        for place, tag in enumerate(TWELVE)
        for number in range(10)
    ]
    return write_lines(tmp_path_factory.mktemp("corpus") / "corpus.jsonl", *rows)


def test_a_corpus_without_judgments(models: Path, corpus: Path) -> None:
    result = languages(corpus, "--model-repository", models, "--json")
    assert result.exit_code == 0
    plan = json.loads(result.stdout)
    assert (plan["half"], plan["systems"], plan["english"]) == (None, [], "en")
    assert [row["language"] for row in plan["languages"]] == list(TWELVE)
    # "banana\nsplit": 3 + 2 tokens; with the third language's three splits 3 + 6
    english, french = plan["languages"][0]["texts"], plan["languages"][2]["texts"]
    assert (english["documents"], english["mean_tokens"], english["tokens_per_unit"]) == (10, 8.0, 2.5)
    assert french["against_english"] == {"ratio": 9 / 5, "basis": "translations", "groups": 10}
    assert french["embedding_cost"] == 12 / 8
    for row in plan["languages"]:
        assert row["quality"] is None
        assert row["verdict"]["name"] == "too little data"
        assert "interlingua monitor" in row["verdict"]["reason"]


def test_twelve_languages_fit_120_columns(models: Path, corpus: Path) -> None:
    result = languages(corpus, "--model-repository", models)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 120
    assert ", ".join(TWELVE) + ": too little data: there are no judgments" in result.stdout.replace("\n", " ")


def test_standard_input_bad_lines_and_detected_languages(models: Path) -> None:
    lines = '{"id": "1", "text": "Where can I change the language of the window?"}\nnonsense\n'
    refused = languages("-", "--model-repository", models, stdin=lines)
    assert "line 2" in said(refused)
    result = languages("-", "--model-repository", models, "--skip-bad", "--json", stdin=lines)
    assert result.exit_code == 0
    notes = json.loads(result.stdout)["notes"]
    assert notes == ["documents whose language is not said, and was detected: en 1", "bad lines left out: 1"]


def test_only_some_languages(models: Path, corpus: Path) -> None:
    result = languages(corpus, "--model-repository", models, "--language", "pt_br", "--language", "sw", "--json")
    assert [row["language"] for row in json.loads(result.stdout)["languages"]] == ["pt-BR", "sw"]
    assert "no documents in uk" in said(languages(corpus, "--model-repository", models, "--language", "uk"))


def test_a_corpus_has_no_report(models: Path, corpus: Path, tmp_path: Path) -> None:
    result = languages(corpus, "--model-repository", models, "--report", tmp_path)
    assert result.exit_code == 2
    assert "--report needs a dataset with judgments" in result.output


def test_nothing_published_or_no_such_source(models: Path, corpus: Path, tmp_path: Path) -> None:
    assert "interlingua export" in said(languages(corpus, "--model-repository", tmp_path))
    assert "there is no dataset 'nowhere'" in said(languages("nowhere", "--model-repository", models))


TOPICS = [f"{first}{second}" for first in "bdfgk" for second in "aeiou"]  # 25
SPOKEN = ("en", "de", "sv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 topics in three languages; a query in each asks for the topic in all."""
    folder = tmp_path_factory.mktemp("data") / "topics"
    (folder / "qrels").mkdir(parents=True)
    write_lines(
        folder / "corpus.jsonl",
        *(
            {"_id": f"{topic}.{tag}", "language": tag, "title": "", "text": f"{tag}:{topic} {tag}:thing"}
            for topic in TOPICS
            for tag in SPOKEN
        ),
    )
    write_lines(
        folder / "queries.jsonl",
        *(
            {"_id": f"q-{topic}.{tag}", "language": tag, "text": f"{tag}:{topic} {tag}:what"}
            for topic in TOPICS
            for tag in SPOKEN
        ),
    )
    judgments = [f"q-{topic}.{tag}\t{topic}.{other}\t1\n" for topic in TOPICS for tag in SPOKEN for other in SPOKEN]
    (folder / "qrels" / "test.tsv").write_text("".join(judgments))
    return folder


class HashServer(LiveServer):
    """Embeds without a server."""

    def embedding(self) -> EmbeddingService:
        @contextmanager
        def connect() -> Iterator[HashEmbedder]:
            yield HashEmbedder()

        return EmbeddingService(HashEmbedder().identity.digest, connect)


@pytest.fixture(scope="module")
def report(folder: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `interlingua evaluate` would have written."""
    names = [SystemName.parse(name) for name in ("dense", "dense+offsets")]
    published = Published.read(models)
    settings = EvaluationSettings(
        systems=names,
        baseline=names[0],
        half="test",
        query_language="given",
        cost=False,
        cache=tmp_path_factory.mktemp("cache"),
    )
    evaluation = _evaluator(read_beir_folder(folder), published, settings).run()
    out = tmp_path_factory.mktemp("report")
    write_report(evaluation, out)
    return out


@pytest.fixture(scope="module")
def plan(folder: Path, models: Path, report: Path) -> dict[str, Any]:
    options = ("--model-repository", models, "--report", report, "--no-rerank", "--json")
    found: dict[str, Any] = json.loads(languages(folder, *options).stdout)
    return found


def test_a_dataset_with_a_report(plan: dict[str, Any], report: Path) -> None:
    saved = json.loads((report / "report.json").read_text())
    assert plan["systems"] == ["dense", "dense+offsets"]
    for row in plan["languages"]:
        tag, quality = row["language"], row["quality"]
        assert (quality["queries"], quality["groups"], row["texts"]["documents"]) == (25, 25, 25)
        for system in saved["systems"]:
            theirs = system["measures"]["nDCG@10"]["pairs"]
            for role, pair in (("mixed", f"{tag}>mixed"), ("same", f"{tag}>{tag}")):
                assert quality["roles"][role]["systems"][system["name"]] == theirs[pair]
            own = quality["own_share"][system["name"]]["first"]
            assert own["mean"] == system["bias"]["own_share_by_language"][tag]["mean"]
            assert quality["own_share"][system["name"]]["relevant"] == pytest.approx(1 / 3, abs=1e-6)


def test_offsets_take_the_hash_embedders_languages_out(plan: dict[str, Any]) -> None:
    # Every language is a constant there, which decides what comes first; without it a third is of each language.
    for row in plan["languages"]:
        mixed = row["quality"]["roles"]["mixed"]
        assert mixed["gains"]["offsets"]["low"] > 0
        before, after = (abs(shown["mean"] - 1) for shown in row["quality"]["exposure"].values())
        assert after < 0.1 < before
        assert row["verdict"]["name"] == "offsets"


def test_the_tables_of_a_dataset(folder: Path, models: Path, report: Path) -> None:
    result = languages(folder, "--model-repository", models, "--report", report, "--no-rerank")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 120
    assert "topics: 3 languages, " in result.stdout
    assert "de: offsets: offsets raise nDCG@10 of queries in de over the mixed pool by" in result.stdout


def test_an_own_folder_has_no_halves(folder: Path, models: Path, report: Path) -> None:
    saved = SavedReport.load(report)
    assert (saved.report.dataset.split, saved.named, saved.gains) == (False, "topics", "linear")
    published = Published.read(models)
    names = [SystemName.parse("dense")]
    settings = EvaluationSettings(
        systems=names, baseline=names[0], half="development", query_language="given", cost=False, cache=report
    )
    with pytest.raises(InputError, match="topics is not split: it has no development half"):
        _evaluator(read_beir_folder(folder), published, settings).run()


def test_a_report_of_exponential_gains_is_refused(folder: Path, models: Path, report: Path, tmp_path: Path) -> None:
    other = tmp_path / "exponential"
    shutil.copytree(report, other)
    content = json.loads((other / "report.json").read_text(encoding="utf-8"))
    content["configuration"]["gains"] = "exponential"
    (other / "report.json").write_text(json.dumps(content), encoding="utf-8")
    refused = languages(folder, "--model-repository", models, "--report", other, "--no-rerank")
    assert "nDCG@10 has gains 2^grade - 1, not linear gains" in said(refused)


def test_a_report_that_does_not_fit(folder: Path, models: Path, report: Path, tmp_path: Path) -> None:
    given = ("--model-repository", models, "--report", report)
    assert "it lacks dense+offsets+rerank@20" in said(languages(folder, *given))
    other = said(languages(folder, *given, "--no-rerank", "--language", "en", "--language", "de"))
    assert "it is about topics with the digest" in other
    assert "is not there or cannot be read" in said(
        languages(folder, "--model-repository", models, "--report", tmp_path, "--no-rerank")
    )


def test_a_report_of_other_models(folder: Path, report: Path, tmp_path: Path) -> None:
    other = publish_models(tmp_path / "models", reranker=False, max_tokens=20)
    result = languages(folder, "--model-repository", other, "--report", report)
    assert "its embedder is tests/embedder" in said(result)
    assert isinstance(result.exception, InputError)


def test_only_judged_queries_are_embedded(folder: Path, models: Path, tmp_path: Path) -> None:
    whole, published, names = read_beir_folder(folder), Published.read(models), [SystemName.parse("dense")]
    idle = tuple(Query(f"idle{number}", "en", f"idle {number}", "plain", "idle", "test") for number in range(50))
    settings = EvaluationSettings(
        systems=names, baseline=names[0], half="test", query_language="given", cost=False, cache=tmp_path
    )
    figures = []
    for dataset in (whole, replace(whole, queries=idle + whole.queries)):
        evaluator = _evaluator(dataset, published, settings)
        report = evaluator.run().report
        assert len(evaluator.vectors.queries) == len(whole.queries)
        figures.append((report.systems, report.dataset.queries - report.dataset.unjudged))
    assert figures[0] == figures[1]
    assert report.dataset.unjudged == len(idle)
