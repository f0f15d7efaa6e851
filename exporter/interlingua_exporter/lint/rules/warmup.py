"""Warm-up samples against the model's inputs and the files that hold them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.model import enum_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlingua_exporter.lint.model import Model

_FOLDER = "warmup"
BYTES: dict[int, int] = {
    pb.TYPE_BOOL: 1,
    pb.TYPE_UINT8: 1,
    pb.TYPE_INT8: 1,
    pb.TYPE_UINT16: 2,
    pb.TYPE_INT16: 2,
    pb.TYPE_FP16: 2,
    pb.TYPE_BF16: 2,
    pb.TYPE_UINT32: 4,
    pb.TYPE_INT32: 4,
    pb.TYPE_FP32: 4,
    pb.TYPE_UINT64: 8,
    pb.TYPE_INT64: 8,
    pb.TYPE_FP64: 8,
}
_WHOLE = (pb.TYPE_INT64, pb.TYPE_INT32)


def _inputs(model: Model) -> Iterator[tuple[pb.ModelWarmup, str, pb.ModelWarmup.Input]]:
    """(sample, input's name, what the sample says of it)."""
    for sample in model.config.model_warmup:
        for name, entry in sorted(sample.inputs.items()):
            yield sample, name, entry


def _files(model: Model) -> Iterator[tuple[str, str, pb.ModelWarmup.Input, int]]:
    """(file's name, field, entry, bytes on disk or -1)."""
    for sample, name, entry in _inputs(model):
        if entry.input_data_file:
            path = model.folder / _FOLDER / entry.input_data_file
            yield entry.input_data_file, f"model_warmup[{sample.name}].inputs[{name}]", entry, disk.size(path)


def tensor_bytes(data_type: int, dims: Sequence[int]) -> int | None:
    """Bytes that one item takes; None for strings and open shapes."""
    if data_type not in BYTES or any(size < 0 for size in dims):
        return None
    return math.prod(dims) * BYTES[data_type]


def _needed(entry: pb.ModelWarmup.Input) -> int | None:
    return tensor_bytes(entry.data_type, entry.dims)


@each_model
def _missing(model: Model) -> Iterator[RuleHit]:
    for name, field, _, size in _files(model):
        if size < 0:
            yield model.hit(field, f"{_FOLDER}/{name} is missing")


@each_model
def _short(model: Model) -> Iterator[RuleHit]:
    for name, field, entry, size in _files(model):
        needed = _needed(entry)
        if needed is not None and 0 <= size < needed:
            yield model.hit(field, f"{_FOLDER}/{name} has {size} bytes of {needed}")


@each_model
def _long(model: Model) -> Iterator[RuleHit]:
    for name, field, entry, size in _files(model):
        needed = _needed(entry)
        if needed is not None and size > needed:
            yield model.hit(field, f"{_FOLDER}/{name} has {size} bytes, {needed} are used")


@each_model
def _unfit(model: Model) -> Iterator[RuleHit]:
    ours = {entry.name: entry for entry in model.config.input}
    required = {entry.name for entry in model.config.input if not entry.optional}
    if not ours:
        return
    for sample in model.config.model_warmup:
        field = f"model_warmup[{sample.name}]"
        if required - set(sample.inputs):
            yield model.hit(field, f"it leaves out {', '.join(sorted(required - set(sample.inputs)))}")
    for sample, name, entry in _inputs(model):
        field = f"model_warmup[{sample.name}].inputs[{name}]"
        if name not in ours:
            yield model.hit(field, f"the model has no input {name}")
            continue
        if entry.data_type != ours[name].data_type:
            names = [enum_name(pb.DataType, kind) for kind in (entry.data_type, ours[name].data_type)]
            yield model.hit(field, f"it is {names[0]}, the input {names[1]}")
        a, b = list(entry.dims), list(ours[name].dims)
        if any(size < 0 for size in a):
            yield model.hit(field, f"dims {a} are open: a sample has a size")
        elif len(a) != len(b) or any(y not in (x, -1) for x, y in zip(a, b, strict=True)):
            yield model.hit(field, f"dims are {a}, the input's {b}")


@each_model
def _no_data(model: Model) -> Iterator[RuleHit]:
    for sample, name, entry in _inputs(model):
        if entry.WhichOneof("input_data_type") is None:
            yield model.hit(f"model_warmup[{sample.name}].inputs[{name}]", "it has no data")


@each_model
def _batch(model: Model) -> Iterator[RuleHit]:
    limit = model.config.max_batch_size
    for sample in model.config.model_warmup:
        if limit and sample.batch_size > limit:
            what = f"batch_size {sample.batch_size}, max_batch_size {limit}"
            yield model.hit(f"model_warmup[{sample.name}].batch_size", what)


@each_model
def _invented(model: Model) -> Iterator[RuleHit]:
    for sample, name, entry in _inputs(model):
        field = f"model_warmup[{sample.name}].inputs[{name}]"
        if entry.random_data and entry.data_type in _WHOLE:
            yield model.hit(field, "random ids")
        if entry.zero_data and "mask" in name:
            yield model.hit(field, "a mask of zeros")


RULES = (
    Rule(
        code="WRM001",
        severity="error",
        title="a warm-up file that is missing",
        why="The model does not load.",
        mend="Write the file into <model>/warmup, or take the sample out.",
        check=_missing,
    ),
    Rule(
        code="WRM002",
        severity="error",
        title="a warm-up file that is too short",
        why="The model does not load. A file holds one item, little-endian, without the batch axis.",
        mend="Write all values of one item.",
        check=_short,
    ),
    Rule(
        code="WRM003",
        severity="warning",
        title="a warm-up file that is too long",
        why="Only the first values are used: mostly the wrong type, or a whole batch where one item belongs.",
        mend="Write the values of one item.",
        check=_long,
    ),
    Rule(
        code="WRM004",
        severity="error",
        title="a warm-up sample that does not fit the inputs",
        why="The sample is a request like any other: it is refused, and with it the model.",
        mend="State every input, with its type and a shape that it allows.",
        check=_unfit,
    ),
    Rule(
        code="WRM005",
        severity="error",
        title="a warm-up input without data",
        why="The model does not load.",
        mend='input_data_file: "..."',
        check=_no_data,
    ),
    Rule(
        code="WRM006",
        severity="error",
        title="a warm-up batch beyond max_batch_size",
        why="The model does not load.",
        mend="batch_size: no more than max_batch_size",
        check=_batch,
    ),
    Rule(
        code="WRM007",
        severity="warning",
        title="invented token ids or an empty mask",
        why="Random ids can lie beyond the vocabulary, and a mask of zeros makes mean pooling divide by zero: the "
        "warm-up fails, or leaves kernels cold that real texts need.",
        mend="input_data_file with the ids of a real text, one sample for each batch and length",
        check=_invented,
    ),
)
