"""The input and output sections."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model

_HALVES = (pb.TYPE_FP16, pb.TYPE_BF16)


def _tensors(model: Model) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput]]:
    for section in ("input", "output"):
        yield from ((section, entry) for entry in getattr(model.config, section))


@each_model
def _dims(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        if not entry.dims or any(size == 0 or size < -1 for size in entry.dims):
            yield model.hit(f"{section}.dims", f"{entry.name}: dims {list(entry.dims)}")


@each_model
def _no_type(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        if entry.data_type == pb.TYPE_INVALID:
            yield model.hit(f"{section}.data_type", f"{entry.name} has no data_type")


@each_model
def _reshape(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        shape = list(entry.reshape.shape)
        if not entry.HasField("reshape") or -1 in shape or -1 in entry.dims:
            continue
        if math.prod(shape) != math.prod(entry.dims):
            yield model.hit(f"{section}.reshape", f"{entry.name}: {list(entry.dims)} cannot become {shape}")


@each_model
def _twice(model: Model) -> Iterator[RuleHit]:
    for name, count in Counter((section, entry.name) for section, entry in _tensors(model)).items():
        if count > 1:
            yield model.hit(name[0], f"{name[1]} stands there {count} times")


@each_model
def _half_scores(model: Model) -> Iterator[RuleHit]:
    for entry in model.config.output:
        if entry.data_type in _HALVES and list(entry.dims) == [1]:
            yield model.hit("output.data_type", f"{entry.name} is one value in half precision")


RULES = (
    Rule(
        code="SHP001",
        severity="error",
        title="dims that are none",
        why="A dimension is 1 and more, or -1 where it is open; Triton does not load the model.",
        mend="dims: [ -1 ] or the size; a scalar is dims: [ 1 ] with reshape { }.",
        check=_dims,
    ),
    Rule(
        code="SHP002",
        severity="error",
        title="a tensor without data_type",
        why="Triton does not load the model.",
        mend="data_type: TYPE_FP32",
        check=_no_type,
    ),
    Rule(
        code="SHP003",
        severity="error",
        title="a reshape that changes the number of values",
        why="Triton does not load the model.",
        mend="Give reshape.shape as many values as dims.",
        check=_reshape,
    ),
    Rule(
        code="SHP004",
        severity="warning",
        title="a tensor that is stated twice",
        why="It loads without a word; only one of the two can hold.",
        mend="Remove one of them.",
        check=_twice,
    ),
    Rule(
        code="SHP005",
        severity="note",
        title="a score in half precision",
        why="Near 1 a half has three digits: the best candidates tie after a sigmoid, and the ranking is lost.",
        mend="Let scores leave the graph as raw logits in TYPE_FP32.",
        check=_half_scores,
    ),
)
