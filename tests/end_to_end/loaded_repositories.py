"""Small repositories, of which Triton loads some and refuses others; nothing here says which.

NAMED: name -> files. They state their tensors, and need no GPU.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.exporter.lint.lint_repositories import CPU, PY_IO, Content, Files

SOURCE = """
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        inputs = (pb.get_input_tensor_by_name(request, "x") for request in requests)
        return [pb.InferenceResponse([pb.Tensor("y", one.as_numpy())]) for one in inputs]
"""


def tensors(inputs: str = "x", outputs: str = "y", kind: str = "FP32", dims: str = "2", more: str = "") -> str:
    parts = [("input", name) for name in inputs.split()] + [("output", name) for name in outputs.split()]
    return "".join(f'{part} {{ name: "{name}" data_type: TYPE_{kind} dims: {dims} {more} }} ' for part, name in parts)


def model(text: str = "", name: str = "m", io: str = PY_IO, batch: int = 4, group: str = CPU) -> dict[str, Content]:
    config = f'backend: "python" max_batch_size: {batch} {group}{io}{text}'
    return {f"{name}/config.pbtxt": config, f"{name}/1/model.py": SOURCE}


def step(name: str = "a", takes: str = "x:x", gives: str = "y:y", version: int = -1) -> str:
    maps = [("input_map", pair) for pair in takes.split()] + [("output_map", pair) for pair in gives.split()]
    pairs = "".join('{} {{ key: "{}" value: "{}" }} '.format(section, *pair.split(":")) for section, pair in maps)
    return f'step {{ model_name: "{name}" model_version: {version} {pairs}}} '


def ensemble(
    steps: str, *, name: str = "e", io: str = PY_IO, batch: int = 4, head: str = 'platform: "ensemble" '
) -> dict[str, Content]:
    return {
        f"{name}/config.pbtxt": f"{head}max_batch_size: {batch} {io}ensemble_scheduling {{ {steps}}}",
        f"{name}/1/": "",
    }


A, B = model(name="a"), model(name="b")
OPTIONAL = tensors("z", "", more="optional: true")
CHAIN = step(gives="y:mid") + step("b", "x:mid")


def chain(io: str, batch: int = 4) -> Files:
    return ensemble(CHAIN) | A | model(name="b", io=io, batch=batch)


ENSEMBLES: dict[str, Files] = {
    "one step": ensemble(step()) | A,
    "a required input unmapped": ensemble(step()) | model(name="a", io=tensors("x z")),
    "an optional input unmapped": ensemble(step()) | model(name="a", io=PY_IO + OPTIONAL),
    "an output unmapped": ensemble(step()) | model(name="a", io=tensors("x", "y z")),
    "an output that nobody takes": ensemble(step(gives="y:y z:w")) | model(name="a", io=tensors("x", "y z")),
    "two steps into one tensor": ensemble(step() + step("b")) | A | B,
    "two outputs into one tensor": ensemble(step(gives="y:y z:y")) | model(name="a", io=tensors("x", "y z")),
    "one tensor into two inputs": ensemble(step(takes="x:x z:x")) | model(name="a", io=tensors("x z")),
    "an input that is an output": ensemble(step(), io=tensors("x", "x y")) | A,
    "steps in a circle": ensemble(step("a", "x:q", "y:r") + step("b", "x:r", "y:q") + step("c"))
    | A
    | B
    | model(name="c"),
    "steps in another order": ensemble(step("b", "x:mid") + step(gives="y:mid")) | A | B,
    "itself": ensemble(step("e")),
    "each other": ensemble(step("f")) | ensemble(step("e"), name="f"),
    "an ensemble in an ensemble": ensemble(step("f")) | ensemble(step(), name="f") | A,
    "two steps": chain(PY_IO),
    "another type in the middle": chain(tensors("x", "", "INT64") + tensors("", "y")),
    "another size in the middle": chain(tensors("x", "", dims="3") + tensors("", "y")),
    "another rank in the middle": chain(tensors("x", "", dims="[2, 1]") + tensors("", "y")),
    "an open size in the middle": chain(tensors("x", "", dims="-1") + tensors("", "y")),
    "without batching, the axis in dims": chain(tensors(dims="[-1, 2]"), 0),
    "without batching, other dims": chain(tensors(dims="[-1, 3]"), 0),
    "without batching, the same dims": ensemble(step()) | model(name="a", batch=0),
    "smaller batches": ensemble(step()) | model(name="a", batch=2),
    "larger batches": ensemble(step(), batch=2) | A,
    "batches in the step alone": ensemble(step(), batch=0, io=tensors(dims="[-1, 2]")) | A,
    "batches in the step alone, other dims": ensemble(step(), batch=0, io=tensors(dims="[-1, 3]")) | A,
    "a reshape of its own": ensemble(step(), io=tensors(more="reshape { shape: [2, 1] }")) | A,
    "a step's reshape": ensemble(step()) | model(name="a", io=tensors(more="reshape { shape: [1, 2] }")),
    "version 0": ensemble(step(version=0)) | A,
    "version 1": ensemble(step(version=1)) | A,
    "no map of outputs": ensemble(step(gives="")) | A,
    "no platform": ensemble(step(), head="") | A,
    "a warm-up of its own": ensemble(
        step(),
        io=PY_IO + 'model_warmup { name: "w" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 '
        "dims: 2 zero_data: true } } } ",
    )
    | A,
    "optimization": ensemble(step(), io=PY_IO + "optimization { } ") | A,
    "a response cache": ensemble(step(), io=PY_IO + "response_cache { enable: true } ") | A,
    "a step that is refused": ensemble(step())
    | model("sequence_batching { direct { minimum_slot_utilization: 2 } }", "a"),
}


DECOUPLED = "model_transaction_policy { decoupled: true } "
FAN = step(gives="y:mid") + step("b", "x:x", "y:more")
ENSEMBLES |= {
    "a decoupled step": ensemble(CHAIN) | model(DECOUPLED, "a") | B,
    "a decoupled output beside another": ensemble(FAN, io=tensors("x", "mid more")) | model(DECOUPLED, "a") | B,
    "outputs of two decoupled steps": ensemble(FAN, io=tensors("x", "mid more"))
    | model(DECOUPLED, "a")
    | model(DECOUPLED, "b"),
    "a decoupled input beside another": ensemble(step(gives="y:mid") + step("b", "x:mid z:x"))
    | model(DECOUPLED, "a")
    | model(name="b", io=tensors("x z")),
}


def control(kind: str = "START", values: str = "int32_false_true: [0, 1]", name: str = "S") -> str:
    return f'control_input {{ name: "{name}" control {{ kind: CONTROL_SEQUENCE_{kind} {values} }} }} '


def state(initial: str = "", dims: str = "2") -> str:
    return f'state {{ input_name: "i" output_name: "o" data_type: TYPE_FP32 dims: {dims} {initial} }} '


def initial(text: str, kind: str = "FP32", name: str = "z") -> str:
    return f'initial_state {{ name: "{name}" data_type: TYPE_{kind} {text} }} '


_SEQUENCES = {
    "nothing": "",
    "all controls": control()
    + control("END", name="E")
    + control("READY", "fp32_false_true: [0, 1]", "R")
    + control("CORRID", "data_type: TYPE_UINT64", "I"),
    "no values": control(values=""),
    "three values": control(values="int32_false_true: [0, 1, 2]"),
    "values of two types": control(values="int32_false_true: [0, 1] bool_false_true: [false, true]"),
    "START twice": control() + control(name="T"),
    "one tensor for two": control() + control("END"),
    "a control without name": control(name=""),
    "an id without type": control("CORRID", ""),
    "an id in FP32": control("CORRID", "data_type: TYPE_FP32"),
    "an id in text": control("CORRID", "data_type: TYPE_STRING"),
    "an id with values": control("CORRID", "data_type: TYPE_UINT64 int32_false_true: [0, 1]"),
    "half the slots": "direct { minimum_slot_utilization: 0.5 } ",
    "twice the slots": "direct { minimum_slot_utilization: 2 } ",
    "oldest": "oldest { max_candidate_sequences: 4 preferred_batch_size: [2, 4] } ",
    "a preferred batch too large": "oldest { preferred_batch_size: 5 } ",
    "state": control() + state(),
    "state from zeros": state(initial("dims: 2 zero_data: true")),
    "open state from zeros": state(initial("dims: 3 zero_data: true"), "-1"),
    "state from open zeros": state(initial("dims: -1 zero_data: true"), "-1"),
    "state from zeros of another type": state(initial("dims: 2 zero_data: true", "INT32")),
    "state from zeros of another size": state(initial("dims: 3 zero_data: true")),
    "state from zeros without name": state(initial("dims: 2 zero_data: true", name="")),
    "state from nothing": state(initial("dims: 2")),
    "two initial states": state(initial("dims: 2 zero_data: true") * 2),
    "a file that is missing": state(initial('dims: 2 data_file: "f"')),
}
SEQUENCES: dict[str, Files] = {
    name: model(f"sequence_batching {{ {text}}}") | ({"m/initial_state/f": bytes(size)} if size else {})
    for name, (text, size) in {
        **{name: (text, 0) for name, text in _SEQUENCES.items()},
        "a file that is too short": (state(initial('dims: 2 data_file: "f"')), 7),
        "a file": (state(initial('dims: 2 data_file: "f"')), 8),
    }.items()
}


def batch_input(source: str = 'source_input: "x"', kind: str = "INT32", target: str = 'target_name: "n"') -> str:
    return f"batch_input {{ kind: BATCH_ELEMENT_COUNT {target} data_type: TYPE_{kind} {source} }} "


def scatter(target: str = "y", source: str = 'source_input: "x"') -> str:
    return f'batch_output {{ kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "{target}" {source} }} '


RAGGED: dict[str, Files] = {
    name: model(text, io=tensors("x z", "", dims="-1", more="allow_ragged_batch: true") + tensors("", "y"))
    for name, text in {
        "ragged": "",
        "a count": batch_input(),
        "a count in FP32": batch_input(kind="FP32"),
        "a count in INT64": batch_input(kind="INT64"),
        "a count of nothing": batch_input(""),
        "a count of two": batch_input('source_input: ["x", "z"]'),
        "a count of no input": batch_input('source_input: "y"'),
        "scattered": scatter(),
        "scattered by nothing": scatter(source=""),
        "scattered to no output": scatter("x"),
    }.items()
}

INSTANCES: dict[str, Files] = {
    name: model(group=f"instance_group {{ {text} }} ")
    for name, text in {
        "count 0": "kind: KIND_CPU count: 0",
        "count -1": "kind: KIND_CPU count: -1",
        "auto": "count: 1",
        "auto with gpus": "count: 1 gpus: 0",
        "the model's own": "kind: KIND_MODEL",
        "the model's own with gpus": "kind: KIND_MODEL gpus: 0",
        "64 on a GPU": "kind: KIND_GPU count: 64",
        "passive": "kind: KIND_CPU count: 1 passive: true",
        "a profile": 'kind: KIND_CPU count: 1 profile: "0"',
    }.items()
}


def shaped(text: str, batch: int = 4) -> Files:
    return model(io=f"input {{ data_type: TYPE_FP32 {text} }} " + tensors("", "y"), batch=batch)


TENSORS: dict[str, Files] = {
    "no name": shaped("dims: 2"),
    "a scalar": shaped('name: "x" dims: 1 reshape { shape: [] }'),
    "a scalar without batching": shaped('name: "x" dims: 1 reshape { shape: [] }', 0),
    "open to fixed": shaped('name: "x" dims: -1 reshape { shape: 2 }'),
    "fixed to open": shaped('name: "x" dims: 2 reshape { shape: -1 }'),
    "open, two to one": shaped('name: "x" dims: [-1, -1] reshape { shape: -1 }'),
    "open, moved": shaped('name: "x" dims: [-1, 2] reshape { shape: [2, -1] }'),
    "open, split": shaped('name: "x" dims: [-1, 4] reshape { shape: [-1, 2, 2] }'),
    "an image": shaped('name: "x" format: FORMAT_NCHW dims: [3, 4, 4]'),
    "an image of two dims": shaped('name: "x" format: FORMAT_NHWC dims: [4, 4]'),
    "a shape tensor": shaped('name: "x" is_shape_tensor: true dims: 2'),
    "labels that are missing": model(io=tensors("x", "") + tensors("", "y", more='label_filename: "l"')),
    "a type without name": model(io=PY_IO.replace("TYPE_FP32", "99")),
}

NAMED: Mapping[str, Files] = {
    f"{subject}: {name}": files
    for subject, cases in (
        ("ensemble", ENSEMBLES),
        ("sequence", SEQUENCES),
        ("ragged", RAGGED),
        ("instances", INSTANCES),
        ("tensors", TENSORS),
    )
    for name, files in cases.items()
}
