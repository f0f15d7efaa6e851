"""config.pbtxt as a whole: there, readable, and saying what Triton should not have to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_COMPLETING = frozenset({"onnxruntime", "tensorrt", "pytorch", "openvino", "tensorflow"})


def _damaged(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        if model.damage:
            yield model.hit("", f"it cannot be read: {model.damage}")


def _missing(repository: Repository) -> Iterator[RuleHit]:
    for model in repository.models:
        if not model.has_config and model.versions:
            yield model.hit("", "there is no config.pbtxt")


@each_model
def _other_name(model: Model) -> Iterator[RuleHit]:
    name = model.config.name
    if name and name != model.name:
        yield model.hit("name", f"the name is {name!r}, the folder {model.name!r}", f'name: "{model.name}"')


@each_model
def _left_out(model: Model) -> Iterator[RuleHit]:
    config = model.config
    if model.backend in _COMPLETING and not config.max_batch_size and not (config.input and config.output):
        yield model.hit("max_batch_size", "neither max_batch_size nor the tensors are stated")


@each_model
def _negative(model: Model) -> Iterator[RuleHit]:
    if model.config.max_batch_size < 0:
        yield model.hit("max_batch_size", f"it is {model.config.max_batch_size}")


RULES = (
    Rule(
        code="CFG001",
        severity="error",
        title="config.pbtxt is damaged",
        why="Triton does not load the model, and says no more than 'failed to read text proto'.",
        mend="Write it with the protobuf that tritonclient ships, or mend the line that is named.",
        check=_damaged,
    ),
    Rule(
        code="CFG002",
        severity="warning",
        title="no config.pbtxt",
        why="Triton then completes it from the model file: batches of at most 4 (default-max-batch-size) or none at "
        "all, names and shapes as they happen to be, and under --disable-auto-complete-config the model does not load.",
        mend="Start from what the server completed: GET /v2/models/<name>/config; state max_batch_size, input, output, "
        "instance_group and version_policy.",
        check=_missing,
    ),
    Rule(
        code="CFG003",
        severity="error",
        title="the name is not the folder's",
        why="Triton does not load the model.",
        mend="Leave `name` out, or write the folder's.",
        check=_other_name,
    ),
    Rule(
        code="CFG004",
        severity="warning",
        title="batch size left to auto-complete",
        why="Auto-complete allows batches of 4 whatever the model can do, and under --disable-auto-complete-config "
        "there is no batching at all.",
        mend="max_batch_size: 64 with the input and output sections stated.",
        check=_left_out,
    ),
    Rule(
        code="CFG005",
        severity="error",
        title="max_batch_size below 0",
        why="Triton does not load the model.",
        mend="max_batch_size: 0 for no batching, or the largest batch that fits into memory.",
        check=_negative,
    ),
)
