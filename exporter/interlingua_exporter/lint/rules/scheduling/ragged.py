"""Tensors that Triton makes of a whole batch: for ragged inputs, and to scatter a batch's outputs.

The checks are those of model_config_utils.cc of triton-inference-server/core.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.model import enum_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model


@each_model
def _sources(model: Model) -> Iterator[RuleHit]:
    inputs = {entry.name for entry in model.config.input}
    for section in ("batch_input", "batch_output"):
        for entry in getattr(model.config, section):
            field = f"{section}[{', '.join(entry.target_name)}]"
            if len(entry.source_input) != 1:
                yield model.hit(f"{field}.source_input", f"there are {len(entry.source_input)}")
            if unknown := sorted(set(entry.source_input) - inputs):
                yield model.hit(f"{field}.source_input", f"there is no input {', '.join(unknown)}")
    for made in model.config.batch_input:
        if made.data_type not in (pb.TYPE_INT32, pb.TYPE_FP32):
            field = f"batch_input[{', '.join(made.target_name)}].data_type"
            yield model.hit(field, f"it is {enum_name(pb.DataType, made.data_type)}")


@each_model
def _targets(model: Model) -> Iterator[RuleHit]:
    outputs = {entry.name for entry in model.config.output}
    for entry in model.config.batch_output:
        wrong = {name for name, count in Counter(entry.target_name).items() if count > 1 or name not in outputs}
        if wrong or not entry.target_name:
            what = f"{', '.join(sorted(wrong))} is no output, or there twice" if wrong else "there is none"
            yield model.hit("batch_output.target_name", what)


RULES = (
    Rule(
        code="RAG001",
        severity="error",
        title="a batch tensor without the input that it is made of, or of another type",
        why="Triton does not load the model.",
        mend='batch_input { kind: BATCH_ELEMENT_COUNT target_name: "COUNT" data_type: TYPE_INT32 source_input: "x" }',
        check=_sources,
    ),
    Rule(
        code="RAG002",
        severity="error",
        title="a batch output of a tensor that is not there",
        why="Triton does not load the model.",
        mend="target_name: an output of the model, once",
        check=_targets,
    ),
)
