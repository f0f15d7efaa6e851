"""The input and output sections."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlingua_exporter.lint.model import Model

_HALVES = (pb.TYPE_FP16, pb.TYPE_BF16)


def _tensors(model: Model) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput]]:
    for section in ("input", "output"):
        yield from ((section, entry) for entry in getattr(model.config, section))


@each_model
def _dims(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        if not entry.name:
            yield model.hit(f"{section}.name", "a tensor has no name")
        if not entry.dims or any(size == 0 or size < -1 for size in entry.dims):
            yield model.hit(f"{section}.dims", f"{entry.name}: dims {list(entry.dims)}")
    for entry in model.config.input:
        if entry.format != pb.ModelInput.FORMAT_NONE and len(entry.dims) != 3:
            yield model.hit("input.format", f"{entry.name}: an image has 3 dims, not {list(entry.dims)}")


@each_model
def _plans_only(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model) if model.backend != "tensorrt" else ():
        for field in ("is_shape_tensor", "is_non_linear_format_io"):
            if getattr(entry, field):
                yield model.hit(f"{section}.{field}", f"{entry.name} of a model that is no TensorRT plan")


@each_model
def _no_type(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        if entry.data_type == pb.TYPE_INVALID:
            yield model.hit(f"{section}.data_type", f"{entry.name} has no data_type")


@each_model
def _reshape(model: Model) -> Iterator[RuleHit]:
    for section, entry in _tensors(model):
        shape, field = list(entry.reshape.shape), f"{section}.reshape"
        if not entry.HasField("reshape"):
            continue
        if any(size == 0 or size < -1 for size in shape) or _between_open(shape) != _between_open(entry.dims):
            yield model.hit(field, f"{entry.name}: {list(entry.dims)} cannot become {shape}")
        elif not shape and not model.config.max_batch_size:
            yield model.hit(field, f"{entry.name} would be a scalar, without batching")


def _between_open(shape: Sequence[int]) -> list[int]:
    """How many values lie before, between and after the open dimensions: [2, 4, -1, 6] has [8, 6]."""
    counts = [1]
    for size in shape:
        if size == -1:
            counts.append(1)
        else:
            counts[-1] *= size
    return counts


@each_model
def _twice(model: Model) -> Iterator[RuleHit]:
    for name, count in Counter((section, entry.name) for section, entry in _tensors(model)).items():
        if count > 1:
            yield model.hit(name[0], f"{name[1]} stands there {count} times")


@each_model
def _labels(model: Model) -> Iterator[RuleHit]:
    for entry in model.config.output:
        if entry.label_filename and disk.size(model.folder / entry.label_filename) < 0:
            yield model.hit("output.label_filename", f"{entry.label_filename} is missing")


@each_model
def _half_scores(model: Model) -> Iterator[RuleHit]:
    for entry in model.config.output:
        if entry.data_type in _HALVES and list(entry.dims) == [1]:
            yield model.hit("output.data_type", f"{entry.name} is one value in half precision")


RULES = (
    Rule(
        code="SHP001",
        severity="error",
        title="a tensor without name or dims, or an image without its three",
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
        why="Triton does not load the model. Open dimensions stay in their order, with as many values between them.",
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
    Rule(
        code="SHP006",
        severity="error",
        title="a shape tensor or a non-linear format outside of TensorRT",
        why="Triton does not load the model.",
        mend="Leave is_shape_tensor and is_non_linear_format_io out.",
        check=_plans_only,
    ),
    Rule(
        code="SHP007",
        severity="error",
        title="a file of labels that is missing",
        why="Triton does not load the model.",
        mend="Write the file into the model's folder, or leave label_filename out.",
        check=_labels,
    ),
)
