"""The reranker table as a user makes it: one command, a real server, ten languages of a tiny help collection."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from interlingua.base.paths import PROJECT_ROOT
from interlingua_evaluation.datasets.gnome_dataset import LANGUAGES
from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import python_m
from tests.support.tiny_help import write_page
from tests.support.tiny_reranker import save_tiny_reranker

PAGES = {"sound": "Turn the sound up", "screen": "Dim the screen", "mouse": "Slow the mouse down", "disk": "Format it"}


@pytest.fixture(scope="module")
def help_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("help")
    for tag in LANGUAGES:
        folder_name = "C" if tag == "en" else tag.replace("-", "_")
        for name, title in PAGES.items():
            write_page(folder, folder_name, name, f"{title} ({tag})", f"{title}: how to, in {tag}.")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first stage is the same in every test: whoever comes first has it embedded."""
    return tmp_path_factory.mktemp("cache")


def table(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return python_m("interlingua_benchmarks.reranker_table", *arguments, timeout_s=500)


def test_one_command_makes_the_table_and_the_second_run_needs_no_server(
    server: EmbeddedServer,
    repository: Path,
    help_folder: Path,
    cache: Path,
    tmp_path: Path,
    tokenizer_json: dict[str, bytes],
) -> None:
    reranker = save_tiny_reranker(tmp_path / "tiny", tokenizer_json["xlm-roberta"])
    common = [
        "--gnome",
        help_folder,
        "--model-repository",
        repository,
        "--cache",
        cache,
        "--system",
        f"t={reranker}",
    ]
    first = table(*common, "--server", server.settings.grpc_address, "--json", tmp_path / "first.json")
    assert first.returncode == 0, first.stderr
    assert "gnome-help, test half" in first.stdout
    again = table(*common, "--server", "127.0.0.1:1", "--json", tmp_path / "again.json", "--markdown")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("| dense + offsets |") == 2
    figures = json.loads((tmp_path / "first.json").read_text())
    assert figures == json.loads((tmp_path / "again.json").read_text())
    help_, desk = figures["datasets"]
    assert help_["facts"]["pages_by_language"] == dict.fromkeys(LANGUAGES, 4)
    assert len(desk["systems"][1]["pairs"]) == 12 * 13
    # Questions' languages are given here, detected there.
    (row,) = re.findall(r"\| offsets removed \|(.*)\|", (PROJECT_ROOT / "docs" / "search.md").read_text("utf-8"))
    assert desk["systems"][1]["ndcg"]["across"][0] == pytest.approx(float(row.split("|")[1]), abs=0.02)


def test_mistakes_are_one_line_and_an_exit_code(repository: Path, help_folder: Path, tmp_path: Path) -> None:
    common = ["--gnome", help_folder, "--cache", tmp_path, "--system", "none"]
    away = table(*common, "--model-repository", repository, "--server", "127.0.0.1:1")
    assert (away.returncode, away.stderr.count("\n")) == (4, 1), away.stderr
    empty = table(*common, "--model-repository", tmp_path)
    assert empty.returncode == 3
    assert "no published embedder: run `interlingua export` first" in empty.stderr


def test_the_cost_of_a_reranker_is_measured_through_its_service(
    server: EmbeddedServer,
    repository: Path,
    help_folder: Path,
    cache: Path,
    tmp_path: Path,
    tokenizer_json: dict[str, bytes],
) -> None:
    reranker = save_tiny_reranker(tmp_path / "tiny", tokenizer_json["xlm-roberta"])
    first_stage = ["--gnome", help_folder, "--model-repository", repository, "--cache", cache]
    made = table(*first_stage, "--system", "none", "--server", server.settings.grpc_address)
    assert made.returncode == 0, made.stderr
    without = shutil.ignore_patterns("rerank*")  # another reranker than the one that is measured
    shutil.copytree(repository, tmp_path / "repositories" / "fp32", ignore=without)
    options = ["--reranker", reranker, "--precision", "fp32", "--lists", "6", "--clients", "2", *first_stage]
    files = ["--repositories", tmp_path / "repositories", "--json", tmp_path / "cost.json"]
    done = python_m("interlingua_benchmarks.reranker_cost", *options, *files, timeout_s=500)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "cost.json").read_text())
    assert (report["lists"], report["pairs"]) == (6, 6 * len(PAGES))
    cost = report["precisions"]["fp32"]
    assert cost["lone_pairs_per_s"] > 0
    assert cost["questions_per_s"] > cost["service_pairs_per_s"] / len(PAGES)
    assert cost["lone_question_p50_ms"] > 0
    assert "stored token vectors, one question alone, p50 ms" in done.stdout
    assert 0 < cost["ndcg"] <= 1
    assert cost["over_fp32"] == [0, 0, 0]
    assert cost["over_dense"][0] == pytest.approx(cost["ndcg"] - report["dense_ndcg"])
