"""`interlingua evaluate` as a user runs it: a folder in BEIR's layout, a real server, report, runs, thresholds."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import ir_measures
import pytest

from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import interlingua
from tests.support.tiny_reranker import save_tiny_reranker

LANGUAGES = ("en", "de", "ja")
TOPICS = 8
SYSTEMS = ("bm25", "dense", "dense+offsets", "hybrid+offsets", "dense+offsets+rerank@5", "dense+offsets+quota+rerank@6")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few topics of helpdesk12 in three languages."""
    target = tmp_path_factory.mktemp("data") / "desk"
    (target / "qrels").mkdir(parents=True)
    documents = [json.loads(line) for line in (HELPDESK12 / "corpus.jsonl").read_text().splitlines()]
    topics = list(dict.fromkeys(document["_id"].split(".")[0] for document in documents))[:TOPICS]
    kept = {d["_id"]: d for d in documents if d["language"] in LANGUAGES and d["_id"].split(".")[0] in topics}
    header, *rows = (HELPDESK12 / "qrels" / "test.tsv").read_text().splitlines()
    judged = [row for row in rows if row.split("\t")[1] in kept and row.split(".")[0] in LANGUAGES]
    asked = {row.split("\t")[0] for row in judged}
    queries = [json.loads(line) for line in (HELPDESK12 / "queries.jsonl").read_text().splitlines()]
    unjudged = {"_id": "en.plain.99", "language": "en", "kind": "plain", "text": "does anybody judge this?"}
    _write_lines(target / "corpus.jsonl", list(kept.values()))
    _write_lines(target / "queries.jsonl", [query for query in queries if query["_id"] in asked] + [unjudged])
    (target / "qrels" / "test.tsv").write_text("\n".join([header, *judged]) + "\n")
    return target


def _write_lines(file: Path, rows: list[dict[str, str]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


class Evaluations:
    """Runs the command on one cache."""

    def __init__(self, folder: Path, repository: Path, cache: Path) -> None:
        self._common = [folder, "--model-repository", repository, "--cache", cache, "--no-cost"]
        self.out = cache / "report"

    def run(self, *options: str | Path, systems: tuple[str, ...] = SYSTEMS) -> subprocess.CompletedProcess[str]:
        named = [part for system in systems for part in ("--system", system)]
        return interlingua("evaluate", *self._common, "--out", self.out, *named, *options)


@pytest.fixture(scope="module")
def evaluations(
    folder: Path, server: EmbeddedServer, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Evaluations:
    """With everything embedded and scored once, through the server."""
    made = Evaluations(folder, repository, tmp_path_factory.mktemp("evaluations"))
    done = made.run("--server", server.settings.grpc_address)
    assert done.returncode == 0, done.stderr
    return made


def report_of(folder: Path) -> dict[str, object]:
    report: dict[str, object] = json.loads((folder / "report.json").read_text())
    return report


def test_the_second_run_needs_no_server_and_says_the_same(evaluations: Evaluations) -> None:
    first = report_of(evaluations.out)
    done = evaluations.run("--server", "127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    again = report_of(evaluations.out)
    for name in ("systems", "comparisons", "dataset", "best", "worst"):
        assert again[name] == first[name]


def test_every_system_pair_and_count_is_in_the_report(evaluations: Evaluations) -> None:
    report = json.loads((evaluations.out / "report.json").read_text())
    assert [system["name"] for system in report["systems"]] == list(SYSTEMS)
    pools = [f"{a}>{b}" for a in LANGUAGES for b in (*LANGUAGES, "mixed")]
    for system in report["systems"]:
        assert sorted(system["measures"]["nDCG@10"]["pairs"]) == sorted(pools)
        assert system["counts"]["not_a_number"] == 0
    lexical, dense = report["systems"][0], report["systems"][1]
    assert lexical["counts"]["empty"] > 0  # no word is shared across languages
    assert dense["counts"]["empty"] == 0
    assert report["dataset"]["unjudged"] == 1
    assert report["systems"][4]["rerank"]["depth"] == 5
    assert "every pair through the rerank service" in report["configuration"]["reranker"]["how"]
    page = (evaluations.out / "report.html").read_text()
    assert "dense+offsets+rerank@5" in page


@pytest.mark.parametrize("system", SYSTEMS)
def test_trec_files_give_the_same_figures_to_anybody(evaluations: Evaluations, system: str) -> None:
    """The runs on the disk, read and measured by ir-measures alone."""
    report = json.loads((evaluations.out / "report.json").read_text())
    figures = next(found for found in report["systems"] if found["name"] == system)
    runs = evaluations.out / "runs"
    (of_system,) = [path for path in runs.iterdir() if path.name == system]
    for pool in (*LANGUAGES, "mixed"):
        qrels = list(ir_measures.read_trec_qrels(str(runs / "qrels" / f"{pool}.qrels")))
        with gzip.open(of_system / f"{pool}.trec.gz", "rt") as lines:
            run = list(ir_measures.read_trec_run(lines))
        values = {metric.query_id: metric.value for metric in ir_measures.iter_calc([ir_measures.RR], qrels, run)}
        judged = {judgment.query_id for judgment in qrels}
        for asked in LANGUAGES:
            of_pair = [values.get(query, 0.0) for query in judged if query.startswith(f"{asked}.")]
            expected = figures["measures"]["MRR"]["pairs"][f"{asked}>{pool}"]
            assert sum(of_pair) / len(of_pair) == pytest.approx(expected["mean"], abs=1e-5)
            assert expected["lists"] == len(of_pair)


def test_a_figure_below_its_threshold_fails_the_command(evaluations: Evaluations) -> None:
    options = ("--server", "127.0.0.1:1")
    enough = evaluations.run(*options, "--fail-under", "mixed:ndcg@10=0.01", systems=("dense",))
    assert enough.returncode == 0, enough.stderr
    too_low = evaluations.run(*options, "--fail-under", "mixed:ndcg@10=0.999", systems=("dense",))
    assert too_low.returncode == 1
    assert "mixed" in too_low.stderr
    assert "Traceback" not in too_low.stderr


def test_two_reports_are_compared(evaluations: Evaluations, tmp_path: Path) -> None:
    for name in ("bm25", "dense"):
        evaluations.out = tmp_path / name
        done = evaluations.run("--server", "127.0.0.1:1", systems=(name,))
        assert done.returncode == 0, done.stderr
    better = interlingua("compare", tmp_path / "bm25", tmp_path / "dense")
    worse = interlingua("compare", tmp_path / "dense", tmp_path / "bm25")
    same = interlingua("compare", tmp_path / "dense", tmp_path / "dense")
    assert (better.returncode, worse.returncode, same.returncode) == (0, 1, 0), better.stdout + worse.stdout


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        pytest.param(["--system", "dense+offset"], 3, "'offset' is none of", id="no such switch"),
        pytest.param(["--system", "dense", "--baseline", "bm25"], 2, "not among the systems", id="no such baseline"),
        pytest.param(["--fail-under", "speed=1"], 3, "speed", id="no such threshold"),
        pytest.param(["--language", "fr"], 3, "fr", id="no such language"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(
    folder: Path, repository: Path, tmp_path: Path, options: list[str], status: int, said: str
) -> None:
    done = interlingua("evaluate", folder, "--model-repository", repository, "--cache", tmp_path, *options)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_checker_alone(folder: Path) -> None:
    done = interlingua("evaluate", folder, "--check")
    assert done.returncode == 0, done.stderr
    assert "unjudged" in done.stdout or "without judgments" in done.stdout
    nothing = interlingua("evaluate", "no-such-dataset", "--check")
    assert nothing.returncode == 3
    assert "Traceback" not in nothing.stderr


@pytest.fixture(scope="module")
def short_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in texts that fit into the tiny reranker's window together, so that nothing is cut."""
    target = tmp_path_factory.mktemp("short") / "desk"
    shutil.copytree(folder, target)
    for name, cut in (("corpus", lambda row: {"title": row["title"][:20], "text": ""}), ("queries", _shortened)):
        rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        _write_lines(target / f"{name}.jsonl", [row | cut(row) for row in rows if row["language"] != "ja"])
    judged = (folder / "qrels" / "test.tsv").read_text().splitlines()
    kept = [row for row in judged if not row.startswith("ja.") and ".ja" not in row]
    (target / "qrels" / "test.tsv").write_text("\n".join(kept) + "\n")
    return target


def _shortened(row: dict[str, str]) -> dict[str, str]:
    return {"text": row["text"][:12]}


@pytest.fixture(scope="module")
def late_interaction(
    tiny_repository: Path, tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]
) -> tuple[Path, Path]:
    """A repository whose reranker is a tiny late-interaction one, and its checkpoint."""
    folder = tmp_path_factory.mktemp("late-interaction")
    checkpoint = save_tiny_reranker(folder / "tiny", tokenizer_json["xlm-roberta"])
    shutil.copytree(tiny_repository, folder / "repository", ignore=shutil.ignore_patterns("rerank*"))
    done = interlingua("export", checkpoint, "--model-repository", folder / "repository")
    assert done.returncode == 0, done.stderr
    return folder / "repository", checkpoint


def test_in_process_and_through_the_service_are_the_same_reranker(
    short_folder: Path, late_interaction: tuple[Path, Path], tmp_path: Path, tokenizer_json: dict[str, bytes]
) -> None:
    repository, checkpoint = late_interaction
    system = "dense+rerank@8@1"
    reports = {}
    for way in ("server", "in-process"):
        done = interlingua(
            "evaluate", short_folder, "--model-repository", repository, "--cache", tmp_path, "--out", tmp_path / way,
            "--system", "dense", "--system", system, "--rerank-through", way, "--reranker-checkpoint", checkpoint,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        reports[way] = json.loads((tmp_path / way / "report.json").read_text())
    served, computed = (reports[way]["systems"][1] for way in ("server", "in-process"))
    for sort in ("same", "across", "mixed"):
        expected = served["measures"]["nDCG@10"]["all"][sort]["mean"]
        assert computed["measures"]["nDCG@10"]["all"][sort]["mean"] == pytest.approx(expected, abs=0.02)
    unranked = reports["server"]["systems"][0]["measures"]["nDCG@10"]["all"]["mixed"]["mean"]
    # so that agreement says something
    assert abs(unranked - served["measures"]["nDCG@10"]["all"]["mixed"]["mean"]) > 0.02
    assert "pairs checked through the rerank service" in reports["in-process"]["configuration"]["reranker"]["how"]
    rate = reports["server"]["configuration"]["rerank_pairs_per_second"]
    assert rate > 0
    assert served["rerank"]["seconds_per_query"] == pytest.approx(served["rerank"]["pairs_per_query"] / rate, rel=1e-3)

    other = save_tiny_reranker(tmp_path / "other", tokenizer_json["xlm-roberta"], seed=7)
    refused = interlingua(
        "evaluate", short_folder, "--model-repository", repository, "--cache", tmp_path, "--out", tmp_path / "other_",
        "--system", system, "--rerank-through", "in-process", "--reranker-checkpoint", other, "--no-cost",
    )  # fmt: skip
    assert refused.returncode == 3
    assert "is not" in refused.stderr
    assert "--rerank-through server" in refused.stderr
