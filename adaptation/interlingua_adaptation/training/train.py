"""Trains a late-interaction reranker on lists, with transformers' Trainer: checkpoints, resuming, seeds, CPU or GPU.

    step --> examples (interlingua_adaptation/lists.py) --> rows, padded in chunks of like length --> ListwiseObjective
    --> AdamW

The word, position and type embeddings stay as they are: they hold the languages that the training texts lack, and
what has not changed need not be shipped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PrinterCallback, TrainerCallback, TrainingArguments

from interlingua.base.errors import InputError
from interlingua_adaptation.lists import Example, TrainingList, consistent, draw_step
from interlingua_adaptation.training.objective import ListwiseObjective, LossWeights

if TYPE_CHECKING:
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
    from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows

_LONGEST_QUERY = 64
_STEPS_A_REPORT = 10
_CHUNKS = 4  # documents of like length are encoded together: little padding, few calls


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """One run.

    Attributes:
        steps: optimizer steps.
        lists_per_step: queries a step; every document of the step is a negative for the other queries.
        negatives: mined negatives kept of each list.
        longest_document: tokens; longer ones are truncated.
        learning_rate: at its highest, after the warm-up; falls linearly to 0.
        warmup: share of the steps.
        losses: which labels count.
        teacher_rank: with soft labels, lists whose positive the teacher puts lower than this are left out.
        frozen_layers: this many of the encoder's lowest layers stay as they are.
        save_every: steps between checkpoints; a run that is stopped loses no more than these.
    """

    steps: int = 1000
    lists_per_step: int = 16
    negatives: int = 3
    longest_document: int = 64
    learning_rate: float = 3e-4
    warmup: float = 0.1
    losses: LossWeights = field(default_factory=LossWeights)
    teacher_rank: int = 3
    frozen_layers: int = 0
    seed: int = 1
    save_every: int = 100


class Steps(Dataset[dict[str, Any]]):
    """The batch of each step, made from the seed and the step's number alone, so that a resumed run goes on alike."""

    def __init__(self, lists: Sequence[TrainingList], rows: SideRows, settings: TrainingSettings) -> None:
        self._lists, self._rows, self._settings = lists, rows, settings

    def __len__(self) -> int:
        return self._settings.steps

    def __getitem__(self, step: int) -> dict[str, Any]:
        settings = self._settings
        examples = draw_step(
            self._lists, step, size=settings.lists_per_step, negatives=settings.negatives, seed=settings.seed
        )
        return self._batch(examples)

    def _batch(self, examples: list[Example]) -> dict[str, Any]:
        rows = self._rows.documents([text for e in examples for text in e.documents], self._settings.longest_document)
        by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        size = -(-len(rows) // _CHUNKS)
        chunks = [by_length[first : first + size] for first in range(0, len(rows), size)]
        return {
            "queries": list(self._rows.batch(self._rows.queries([e.query for e in examples], _LONGEST_QUERY))),
            "documents": [list(self._rows.batch([rows[i] for i in chunk])) for chunk in chunks],
            "order": torch.tensor(by_length).argsort(),
            "same_group": _same_group(examples),
            "teacher": torch.tensor([e.scores for e in examples]),
        }


def _same_group(examples: Sequence[Example]) -> Tensor:
    """bool [n, n * k]: the column holds the row's own section, but is not its positive."""
    groups = [group for example in examples for group in example.groups]
    positives = [example.groups[0] for example in examples]
    k = len(groups) // len(examples)
    same = torch.tensor([[group == positive for group in groups] for positive in positives])
    same[torch.arange(len(examples)), torch.arange(len(examples)) * k] = False
    return same


def train(
    network: LateInteractionReranker,
    rows: SideRows,
    lists: Sequence[TrainingList],
    settings: TrainingSettings,
    folder: Path,
    report: Callable[[Mapping[str, float]], None],
) -> None:
    """Train in place. A run that was stopped goes on from the last whole checkpoint in `folder`.

    Args:
        report: gets step, loss and learning_rate every ten steps.

    Raises:
        InputError: no lists, or soft labels are wanted and a list has none.
    """
    from transformers import Trainer
    from transformers.trainer_utils import get_last_checkpoint

    if not lists:
        raise InputError("there are no lists to train on")
    if settings.losses.soft and (missing := sum(not each.scores for each in lists)):
        raise InputError(f"{missing} of {len(lists)} lists have no soft labels: run `interlingua adapt score` again")
    if settings.losses.soft:
        lists = consistent(lists, settings.teacher_rank)
    _prepare(network, settings.frozen_layers)
    trainer = Trainer(
        model=ListwiseObjective(network, settings.losses),
        args=_arguments(settings, folder),
        train_dataset=Steps(lists, rows, settings),
        data_collator=lambda items: items[0],
        callbacks=[_reporter(report)],
    )
    trainer.remove_callback(PrinterCallback)
    _remove_torn_checkpoints(folder)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))  # type: ignore[no-untyped-call]
    network.eval().cpu()


def _remove_torn_checkpoints(folder: Path) -> None:
    """What a kill left of a checkpoint that was being written: the Trainer's state comes last into one."""
    from transformers.trainer import TRAINER_STATE_NAME

    for checkpoint in folder.glob("checkpoint-*"):
        try:
            json.loads((checkpoint / TRAINER_STATE_NAME).read_bytes())
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)


def _arguments(settings: TrainingSettings, folder: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=settings.steps,
        per_device_train_batch_size=1,  # one item is one step's whole batch
        learning_rate=settings.learning_rate,
        warmup_steps=int(settings.warmup * settings.steps),
        lr_scheduler_type="linear",
        weight_decay=0.01,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        seed=settings.seed,
        logging_steps=_STEPS_A_REPORT,
        save_steps=settings.save_every,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def _prepare(network: LateInteractionReranker, frozen_layers: int) -> None:
    network.requires_grad_(True)
    network.encoder.embeddings.requires_grad_(False)
    for layer in network.encoder.encoder.layer[:frozen_layers]:  # type: ignore[union-attr, index]
        layer.requires_grad_(False)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # attention with dropout has no fast kernel on CPU: it doubles the time of a step


def _reporter(report: Callable[[Mapping[str, float]], None]) -> TrainerCallback:
    class _Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:  # noqa: ARG002
            if logs and "loss" in logs:
                report({"step": state.global_step, "loss": logs["loss"], "learning_rate": logs["learning_rate"]})

    return _Reporter()
