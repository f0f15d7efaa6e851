"""Traps and mended twins that the loader sees: sequences, ragged batches, ensembles and tensors."""

from __future__ import annotations

from tests.exporter.lint.lint_repositories import (
    CPU,
    GPU,
    PY_IO,
    PYTHON,
    Case,
    ensemble,
    onnx_model,
    python_model,
    step,
)

START = 'control_input { name: "S" control { kind: CONTROL_SEQUENCE_START int32_false_true: [0, 1] } } '
STATE = 'state { input_name: "i" output_name: "o" data_type: TYPE_FP32 dims: 2 initial_state { name: "z" %s } } '
COUNT = 'batch_input { kind: BATCH_ELEMENT_COUNT target_name: "n" data_type: TYPE_INT32 %s } '
SCATTER = 'batch_output { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "%s" source_input: "x" } '
LABELS = PY_IO.replace('"y" data_type: TYPE_FP32 dims: 2', '"y" data_type: TYPE_FP32 dims: 2 label_filename: "labels"')
OPTIONAL_W = 'input { name: "w" data_type: TYPE_FP32 dims: 2 optional: true } '

TWO = step() + " " + step("slow", gives="z")
SLOW = python_model("model_transaction_policy { decoupled: true }", name="slow")


def sequence(text: str) -> str:
    return f"sequence_batching {{ {text} }} "


CASES: dict[str, Case] = {
    "SEQ001": Case(python_model(sequence(START + START)), python_model(sequence(START))),
    "SEQ002": Case(
        python_model(sequence("oldest { preferred_batch_size: 5 }")),
        python_model(sequence("oldest { preferred_batch_size: 4 }")),
    ),
    "SEQ003": Case(
        python_model(sequence(STATE % "data_type: TYPE_FP32 dims: 3 zero_data: true")),
        python_model(sequence(STATE % "data_type: TYPE_FP32 dims: 2 zero_data: true")),
    ),
    "RAG001": Case(python_model(COUNT % ""), python_model(COUNT % 'source_input: "x"')),
    "RAG002": Case(python_model(SCATTER % "x"), python_model(SCATTER % "y")),
    "SHP006": Case(
        {**python_model(), "m/config.pbtxt": PYTHON + PY_IO.replace("dims: 2", "is_shape_tensor: true dims: 2", 1)},
        python_model(),
    ),
    "SHP007": Case(
        {**python_model(), "m/config.pbtxt": PYTHON + LABELS},
        {**python_model(), "m/config.pbtxt": PYTHON + LABELS, "m/labels": "a\nb\n"},
    ),
    "ONX008": Case(onnx_model(CPU + sequence(START)), onnx_model(CPU + sequence(""))),
    "ONX009": Case(
        onnx_model(io='input { name: "ids" data_type: TYPE_INT64 dims: -1 optional: true } '),
        onnx_model(io='input { name: "ids" data_type: TYPE_INT64 dims: -1 } '),
    ),
    "INS007": Case(python_model(base=PYTHON.replace("count: 1", 'count: 1 profile: "0"')), python_model()),
    "INS008": Case(onnx_model(GPU.replace("count: 1", "count: 64")), onnx_model(GPU.replace("count: 1", "count: 8"))),
    "ENS008": Case(
        {**ensemble(), "inner/config.pbtxt": PYTHON + PY_IO + OPTIONAL_W.replace(" optional: true", "")},
        {**ensemble(), "inner/config.pbtxt": PYTHON + PY_IO + OPTIONAL_W},
    ),
    "ENS010": Case(
        {**ensemble(TWO, io=PY_IO.replace('"y"', '"y" data_type: TYPE_FP32 dims: 2 } output { name: "z"')), **SLOW},
        {**ensemble(step("slow")), **SLOW},
    ),
    "ENS009": Case(
        ensemble(step("e")),
        ensemble(),
    ),
}
