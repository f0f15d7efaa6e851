"""One training run in its folder: started, stopped, gone on with, and ended with a checkpoint folder.

runs/<name>/run.json       what it is made of: settings, start, digests of lists and scores
            checkpoint-N/  of transformers' Trainer, the last one
            log.jsonl      loss and learning rate by step
            model/         the result
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua_adaptation.lists import read_lists
from interlingua_adaptation.training import trainee as trainees
from interlingua_adaptation.training.train import TrainingSettings, train
from interlingua_adaptation.work_folder import WorkFolder, read_facts, write_facts

MODEL = "model"


class Step(NamedTuple):
    """What training says of itself.

    Attributes:
        number: optimizer steps that are done.
        loss: mean since the last report.
    """

    number: int
    loss: float
    learning_rate: float


def run(
    work: WorkFolder,
    name: str,
    settings: TrainingSettings,
    *,
    start: str,
    base: str = trainees.DEFAULT_BASE,
    replace: bool = False,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Path:
    """Train, or go on with a run that was stopped; the folder of the result.

    Args:
        start: see `trainee.begin`.
        replace: give up what a run of this name with other settings has done.

    Raises:
        InputError: no lists, soft labels wanted but not there, a name that is no folder name, or a run of that name
            with other settings.
    """
    folder = run_folder(work, name)
    facts = _facts(work, settings, start, base)
    if replace:
        shutil.rmtree(folder, ignore_errors=True)
    earlier = read_facts(folder / "run.json")
    if earlier is not None and earlier != facts:
        changed = ", ".join(sorted(key for key in facts if facts[key] != earlier.get(key)))
        raise InputError(f"{folder} is a run with other settings ({changed}): choose another --name, or --replace it")
    result = folder / MODEL
    if (result / "interlingua.json").is_file():
        return result
    folder.mkdir(parents=True, exist_ok=True)
    write_facts(folder / "run.json", facts)
    lists = read_lists(work.root)
    trainee = trainees.begin(start, lists, base=base, seed=settings.seed)
    if settings.steps:
        train(trainee.network, trainee.rows, lists, settings, folder, lambda step: _report(folder, step, on_step))
    trainees.write(trainee, result)
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    return result


def run_folder(work: WorkFolder, name: str) -> Path:
    """Where a run of this name lies. Raises InputError: the name is no folder name."""
    if not name or Path(name).name != name or name.startswith("."):
        raise InputError(f"{name!r} is not a name for a run: letters, digits, - and _ will do")
    return work.runs / name


def _facts(work: WorkFolder, settings: TrainingSettings, start: str, base: str) -> dict[str, Any]:
    lists = work.require_lists()
    soft = settings.losses.soft > 0
    if soft and not work.scores.is_file():
        raise InputError(f"there are no soft labels in {work.root}: make them with `interlingua adapt score`")
    return {
        **asdict(settings),
        "start": start,
        "base": base,
        "lists_sha256": lists["sha256"],
        "scores_sha256": file_digest(work.scores) if soft else "",
    }


def _report(folder: Path, values: Mapping[str, float], on_step: Callable[[Step], None]) -> None:
    step = Step(int(values["step"]), float(values["loss"]), float(values["learning_rate"]))
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(step._asdict()) + "\n")
    on_step(step)
