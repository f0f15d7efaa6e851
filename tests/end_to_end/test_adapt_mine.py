"""From documents to lists with hard negatives, through the command line, on a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import interlingua

DATASET = Path(__file__).resolve().parents[2] / "evaluation" / "interlingua_evaluation" / "data" / "helpdesk12"
LANGUAGES = {"de", "en", "ja"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The help desk's 40 topics in three languages, grouped by topic."""
    folder = tmp_path_factory.mktemp("adapt")
    lines = map(json.loads, (DATASET / "corpus.jsonl").read_text(encoding="utf-8").splitlines())
    mine = [{**line, "group": line["_id"].rsplit(".", 1)[0]} for line in lines]
    kept = [line for line in mine if line["_id"].rsplit(".", 1)[1] in LANGUAGES]
    assert len(kept) == 120
    (folder / "documents.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    done = interlingua("adapt", "corpus", folder / "documents.jsonl", "--work", folder, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["groups"], facts["aligned_groups"], facts["pivot"]) == (40, 40, "en")
    return folder


def test_lists_have_the_negatives_that_the_server_finds(work: Path, server: EmbeddedServer) -> None:
    done = interlingua("adapt", "mine", "--work", work, "--server", server.settings.grpc_address, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    lists = [json.loads(line) for line in (work / "lists.jsonl").read_text(encoding="utf-8").splitlines()]
    assert facts["lists"] == len(lists) >= 40
    assert set(facts["languages"]) == LANGUAGES
    for row in lists:
        assert len(set(row["negatives"])) == 7
        assert row["group"] not in row["negatives"]


def test_a_server_that_is_away_is_no_traceback(work: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_bytes((work / "corpus.jsonl").read_bytes())
    (tmp_path / "corpus.json").write_bytes((work / "corpus.json").read_bytes())
    done = interlingua("adapt", "mine", "--work", tmp_path, "--server", "127.0.0.1:1")
    assert done.returncode == 4
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_mining_before_there_is_a_corpus_names_the_step(tmp_path: Path) -> None:
    done = interlingua("adapt", "mine", "--work", tmp_path)
    assert done.returncode == 3
    assert "`interlingua adapt corpus`" in done.stderr
