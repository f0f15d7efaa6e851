"""A tiny reranker through every step after mining: score, train, resume, merge, export."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from interlingua.base.errors import InputError, InterlinguaError
from interlingua_adaptation.corpus_step.corpus import make_corpus
from interlingua_adaptation.mining.mine import mine
from interlingua_adaptation.score import score
from interlingua_adaptation.teachers import Asked
from interlingua_adaptation.training import trainee
from interlingua_adaptation.work_folder import WorkFolder
from interlingua_cli import cli
from tests.adaptation.topics import make_sections
from tests.support.hash_embedder import HashEmbedder
from tests.support.tiny_models import MakeFolder

STEPS = ["--steps", "30", "--lists-per-step", "4", "--negatives", "2", "--learning-rate", "0.005"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> WorkFolder:
    """A corpus of forty topics in two languages, with its lists."""
    folder = WorkFolder(tmp_path_factory.mktemp("adapt") / "work")
    make_corpus(make_sections(), folder, source="topics", licence="")
    mine(folder, HashEmbedder("hash-1", dimension=1024))
    return folder


@pytest.fixture(scope="module")
def base(make_folder: MakeFolder) -> Path:
    return make_folder("bert", pooling="mean", normalize=True)


@pytest.fixture(scope="module")
def scored(work: WorkFolder, base: Path) -> WorkFolder:
    run("score", "--work", work.root, "--base", base)
    return work


@pytest.fixture(scope="module")
def trained(scored: WorkFolder, base: Path) -> list[Path]:
    """The results of two runs that differ in their seed."""
    for seed in ("1", "2"):
        run("train", "--work", scored.root, "--base", base, "--name", f"seed{seed}", "--seed", seed, *STEPS)
    return [scored.runs / name / "model" for name in ("seed1", "seed2")]


def run(step: str, *arguments: object, code: int = 0) -> str:
    """`interlingua adapt`; what it prints, its error message included."""
    return interlingua("adapt", step, *arguments, code=code)


def interlingua(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    error = result.exception
    status = error.exit_code if isinstance(error, InterlinguaError) else result.exit_code
    assert status == code, f"{result.output}{error!r}"
    return f"{result.output}{error or ''}"


def losses(work: WorkFolder, name: str) -> list[float]:
    lines = (work.runs / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return trainee.read(folder).network.state_dict()


def test_scores_are_those_of_the_teacher_in_the_language_asked_for(scored: WorkFolder, base: Path) -> None:
    rows = [json.loads(line) for line in scored.scores.read_text(encoding="utf-8").splitlines()]
    lists = [json.loads(line) for line in scored.lists.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [row["id"] for row in lists]
    assert all(len(row["scores"]) == 1 + len(each["negatives"]) for row, each in zip(rows, lists, strict=True))
    from interlingua_adaptation.lists import read_lists

    first = read_lists(scored.root)[0]
    start = trainee.begin("neutral", read_lists(scored.root), base=str(base))
    network, rows_of = start.network, start.rows
    query = network.token_vectors(*rows_of.batch(rows_of.queries([first.queries["en"]], 64)))
    for text, stored in zip(first.documents, first.scores, strict=True):
        document = network.token_vectors(*rows_of.batch(rows_of.documents([text["en"]], 128)))
        alone = float(network.score_all(query, document).detach())
        assert alone == pytest.approx(stored, abs=0.03 * network.scale.item())  # bf16 and fp16 against fp32


def test_a_teachers_score_that_is_no_number_is_told(scored: WorkFolder, tmp_path: Path) -> None:
    work = WorkFolder(Path(shutil.copytree(scored.root, tmp_path / "work")))

    class Overflowing:
        def scores(self, asked: Sequence[Asked]) -> list[list[float]]:
            return [[math.nan] * len(each.documents) for each in asked]

    with pytest.raises(InputError, match="a score that is not finite"):
        score(work, Overflowing(), teacher_name="x", languages=["en"], replace=True)


def test_scores_of_another_teacher_are_not_mixed_in(scored: WorkFolder, base: Path) -> None:
    output = run("score", "--work", scored.root, "--base", base, "--languages", "fr", code=3)
    assert 'languages: ["en"] there, ["fr"] now' in output
    assert "--replace" in output


@pytest.mark.usefixtures("trained")
def test_the_loss_falls(scored: WorkFolder) -> None:
    first, *_, last = losses(scored, "seed1")
    assert last < 0.8 * first


def test_embeddings_stay_and_the_rest_moves(work: WorkFolder, base: Path, trained: list[Path]) -> None:
    run("train", "--work", work.root, "--base", base, "--name", "start", "--steps", "0")
    before, after = weights(work.runs / "start" / "model"), weights(trained[0])
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("embeddings" in name for name in moved)
    assert {"projection.weight", "importance.weight", "encoder.encoder.layer.0.attention.self.query.weight"} <= moved


def test_the_merge_lies_between_its_parents(scored: WorkFolder, trained: list[Path]) -> None:
    run("merge", "--work", scored.root, "--name", "merged", "seed1", "seed2")
    left, right, merged = (weights(path) for path in (*trained, scored.runs / "merged" / "model"))
    name = "encoder.encoder.layer.1.output.dense.weight"
    to_left, to_right = (_angle(merged[name], side[name]) for side in (left, right))
    assert to_left == pytest.approx(to_right, rel=0.05)
    assert to_left + to_right == pytest.approx(_angle(left[name], right[name]), rel=0.01)
    assert 0 < to_left < _angle(left[name], right[name])

    again = ("merge", "--work", scored.root, "--name", "merged")
    assert "--replace" in run(*again, "seed1", "seed2", code=3)
    assert "one of the checkpoints to merge" in run(*again, "--replace", "merged", "seed2", code=3)
    run(*again, "--replace", "seed1", "seed1")
    torch.testing.assert_close(weights(scored.runs / "merged" / "model"), left)


def _angle(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a.double().flatten(), b.double().flatten()
    return math.acos(min(1.0, float(a @ b / a.norm() / b.norm())))


HALTING = """
import threading
from interlingua_adaptation.training import train
from interlingua_cli import main
drawn, draw_step = [], train.draw_step
def draw_and_halt(*arguments, **named):
    drawn.append(draw_step(*arguments, **named))
    if len(drawn) == 6:
        print("halted", flush=True)
        threading.Event().wait()
    return drawn[-1]
train.draw_step = draw_and_halt
main()
"""


def test_a_run_that_was_killed_goes_on_and_ends_the_same(scored: WorkFolder, base: Path) -> None:
    """Killed when the sixth step is drawn; and the next checkpoint was begun by then, which `kill -9` can tear."""
    arguments = ["--work", scored.root, "--base", base, *STEPS, "--seed", "5", "--save-every", "2"]
    run("train", "--name", "whole", *arguments)
    command = [sys.executable, "-c", HALTING, "adapt", "train", "--name", "killed", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert said == "halted\n"
    folder = scored.runs / "killed"
    (checkpoint,) = folder.glob("checkpoint-*")
    torn = folder / f"checkpoint-{int(checkpoint.name.removeprefix('checkpoint-')) + 2}"
    torn.mkdir()
    (torn / "optimizer.pt").write_bytes((checkpoint / "optimizer.pt").read_bytes()[:100])
    assert not (folder / "model").exists()
    run("train", "--name", "killed", *arguments)
    whole, resumed = weights(scored.runs / "whole" / "model"), weights(folder / "model")
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, atol=2e-3, rtol=1e-2, msg=name)
    assert not list(folder.glob("checkpoint-*"))


@pytest.mark.usefixtures("trained")
def test_a_run_of_other_settings_is_not_gone_on_with(scored: WorkFolder, base: Path) -> None:
    output = run("train", "--work", scored.root, "--base", base, "--name", "seed1", "--seed", "9", *STEPS, code=3)
    assert "(seed)" in output
    assert "--replace" in output


def test_soft_labels_must_be_there(tmp_path: Path, base: Path) -> None:
    other = WorkFolder(tmp_path / "work")
    make_corpus(make_sections(), other, source="topics", licence="")
    mine(other, HashEmbedder("hash-1", dimension=1024))
    output = run("train", "--work", other.root, "--base", base, "--name", "a", "--labels", "both", code=3)
    assert "interlingua adapt score" in output
    run("train", "--work", other.root, "--base", base, "--name", "a", "--labels", "hard", "--steps", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "nowhere", "--name", "x"], "nowhere is not the folder of a late-interaction checkpoint"),
        (["--name", "../x"], "'../x' is not a name for a run"),
        (["--base", "no/such-model", "--name", "y"], "no/such-model"),
    ],
    ids=["no start", "no name", "no base"],
)
def test_what_cannot_be_trained(scored: WorkFolder, arguments: list[str], message: str) -> None:
    assert message in run("train", "--work", scored.root, *arguments, code=3)


def test_a_reranker_cannot_be_trained_from(scored: WorkFolder, make_folder: MakeFolder) -> None:
    cross_encoder = make_folder("bert", labels=1)
    output = run("train", "--work", scored.root, "--base", cross_encoder, "--name", "z", code=3)
    assert "a BERT embedder is needed" in output


@pytest.mark.usefixtures("trained")
def test_checkpoints_of_two_architectures_do_not_merge(scored: WorkFolder, make_folder: MakeFolder) -> None:
    wider = make_folder("bert", pooling="mean", normalize=True, hidden=48)
    run("train", "--work", scored.root, "--base", wider, "--name", "wider", "--steps", "0")
    output = run("merge", "--work", scored.root, "--name", "odd", "seed1", "wider", code=3)
    assert "only checkpoints of one architecture can be merged" in output
    assert not (scored.runs / "odd").exists()


def test_any_model_that_exports_can_teach(scored: WorkFolder, base: Path, make_folder: MakeFolder) -> None:
    for teacher in (make_folder("bert", labels=1), base):
        run("score", "--work", scored.root, "--teacher", teacher, "--replace")
        rows: list[dict[str, Any]] = [json.loads(line) for line in scored.scores.read_text().splitlines()]
        assert len({score for row in rows for score in row["scores"]}) > len(rows)
    run("score", "--work", scored.root, "--base", base, "--replace")


def test_the_result_exports(trained: list[Path], tmp_path: Path) -> None:
    interlingua("export", trained[0], "--model-repository", tmp_path / "repository")
    assert (tmp_path / "repository" / "rerank" / "1" / "tokenizer.json").is_file()
