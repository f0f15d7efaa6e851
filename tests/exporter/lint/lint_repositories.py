"""Repositories for the linter, written from short descriptions, and the trap and the mended twin of every rule."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

Content = str | bytes | Callable[[Path], None]
Files = Mapping[str, Content]

PY_IO = 'input { name: "x" data_type: TYPE_FP32 dims: 2 } output { name: "y" data_type: TYPE_FP32 dims: 2 } '
CPU = "instance_group { kind: KIND_CPU count: 1 } "
PYTHON = 'backend: "python" max_batch_size: 4 ' + CPU
SOURCE = "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n"


@dataclass(frozen=True)
class Case:
    """Two repositories that differ in the one thing a rule looks at, and what else is told to the linter."""

    trap: Files
    mended: Files
    options: Mapping[str, Any] = field(default_factory=dict)
    mended_options: Mapping[str, Any] | None = None


def write(root: Path, files: Files) -> Path:
    """Write a repository: text, bytes, or a function that makes the path; a name ending in / is a folder."""
    root.mkdir(parents=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif callable(content):
            content(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
    return root


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def outside(path: Path) -> None:
    """A link to a file beside the repository."""
    target = path.parents[3] / "elsewhere.py"
    target.write_text(SOURCE)
    path.symlink_to(target)


def aged(seconds: float) -> Callable[[Path], None]:
    """A model.py that is so much older than now."""

    def make(path: Path) -> None:
        path.write_text(SOURCE)
        stamp = path.stat().st_mtime - seconds
        os.utime(path, (stamp, stamp))

    return make


def python_model(extra: str = "", source: str = SOURCE, name: str = "m", base: str = PYTHON) -> dict[str, Content]:
    return {f"{name}/config.pbtxt": base + PY_IO + extra, f"{name}/1/model.py": source}


def graph(
    *,
    names: tuple[str, ...] = ("ids",),
    kind: int = TensorProto.INT64,
    shape: tuple[str | int, ...] = ("batch", "length"),
    ir: int = 10,
    opset: int = 18,
    data: str = "",
) -> bytes:
    """A graph of Identity nodes; `data` adds an initializer of 4 floats that lies in that file."""
    inputs = [helper.make_tensor_value_info(name, kind, shape) for name in names]
    output = helper.make_tensor_value_info("out", kind, shape)
    tensors = []
    if data:
        tensor = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", data), ("offset", "0"), ("length", "16")):
            tensor.external_data.add(key=key, value=value)
        tensors.append(tensor)
    made = helper.make_graph([helper.make_node("Identity", [names[0]], ["out"])], "g", inputs, [output], tensors)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return bytes(model.SerializeToString())


def int8_product(weight: int) -> bytes:
    """out = ids x W in integers, every weight the same."""
    inputs = [helper.make_tensor_value_info("ids", TensorProto.UINT8, ("batch", 4))]
    output = helper.make_tensor_value_info("out", TensorProto.INT32, ("batch", 3))
    matrix = numpy_helper.from_array(np.full((4, 3), weight, np.int8), "w")
    made = helper.make_graph(
        [helper.make_node("MatMulInteger", ["ids", "w"], ["out"])], "g", inputs, [output], [matrix]
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


GOOD = python_model()
INT8_IO = 'input { name: "ids" data_type: TYPE_UINT8 dims: 4 } output { name: "out" data_type: TYPE_INT32 dims: 3 } '
ONNX_IO = 'input { name: "ids" data_type: TYPE_INT64 dims: -1 } output { name: "out" data_type: TYPE_INT64 dims: -1 } '
NO_ARENA = 'parameters { key: "enable_mem_arena" value { string_value: "0" } } '
ONNX_CPU = CPU + NO_ARENA
ONNX = 'backend: "onnxruntime" max_batch_size: 8 '


def onnx_model(
    extra: str = ONNX_CPU, file: bytes | None = None, io: str = ONNX_IO, name: str = "m", **more: Content
) -> dict[str, Content]:
    files: dict[str, Content] = {f"{name}/config.pbtxt": ONNX + io + extra, f"{name}/1/model.onnx": file or graph()}
    return files | {f"{name}/1/{key.replace('__', '.')}": content for key, content in more.items()}


GPU = "instance_group { kind: KIND_GPU count: 1 } "
WIDE = {kind: f"ids:{size}" for kind, size in (("min", "1x1"), ("opt", "4x64"), ("max", "8x128"))}
PROFILES = {f"trt_profile_{kind}_shapes": text for kind, text in WIDE.items()}
GOOD_CACHE = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": "/cache", "trt_engine_cache_prefix": "m"}


def tensorrt(
    name: str = "m", group: str = GPU, accelerator: str = "tensorrt", **options: str | None
) -> dict[str, Content]:
    """An ONNX model under TensorRT with good options, of which some are changed, or None: left out."""
    chosen = {**PROFILES, **GOOD_CACHE, **options}
    lines = "".join(
        f'parameters {{ key: "{key}" value: "{value}" }} ' for key, value in chosen.items() if value is not None
    )
    entry = f'gpu_execution_accelerator {{ name: "{accelerator}" {lines} }}'
    return onnx_model(group + NO_ARENA + f"optimization {{ execution_accelerators {{ {entry} }} }}", name=name)


def plan(group: str) -> dict[str, Content]:
    return {"m/config.pbtxt": 'backend: "tensorrt" max_batch_size: 8 ' + ONNX_IO + group, "m/1/model.plan": b"plan"}


def warm(text: str, batch: int = 1, name: str = "x", **files: bytes) -> dict[str, Content]:
    sample = f'model_warmup {{ name: "w" batch_size: {batch} inputs {{ key: "{name}" value {{ {text} }} }} }}'
    return python_model(sample) | {f"m/warmup/{key}": content for key, content in files.items()}


FP32_2 = "data_type: TYPE_FP32 dims: 2 "
FROM_FILE = FP32_2 + 'input_data_file: "f"'


def ids_warm(text: str, name: str = "ids") -> dict[str, Content]:
    sample = f'model_warmup {{ name: "w" batch_size: 1 inputs {{ key: "{name}" value {{ {text} }} }} }}'
    return onnx_model(ONNX_CPU + sample, graph(names=(name,)), ONNX_IO.replace("ids", name)) | {"m/warmup/f": bytes(32)}


def step(model: str = "inner", version: int = -1, takes: str = "x", fed: str = "x", gives: str = "y") -> str:
    maps = f'input_map {{ key: "{takes}" value: "{fed}" }} output_map {{ key: "y" value: "{gives}" }}'
    return f'step {{ model_name: "{model}" model_version: {version} {maps} }}'


def ensemble(steps: str | None = None, batch: int = 4, io: str = PY_IO, extra: str = "") -> dict[str, Content]:
    inside = step() if steps is None else steps
    text = f'platform: "ensemble" max_batch_size: {batch} {io}{extra}ensemble_scheduling {{ {inside} }}'
    return {"e/config.pbtxt": text, "e/1/": ""} | python_model(name="inner")


SPEC = {
    "network": "net",
    "network_inputs": "ids",
    "model_id": "a/b",
    "revision": "",
    "precision": "fp32",
    "digest": "d1",
    "dimension": "-1",
    "prompt": "",
    "max_tokens": "64",
    "max_batch_tokens": "256",
    "max_text_bytes": "1000",
    "pad_token_id": "0",
    "padding_side": "right",
}


def service(
    name: str = "embed_query", batch: int = 8, versions: str = "1", **changes: str | None
) -> dict[str, Content]:
    spec = {**SPEC, **changes}
    lines = "".join(
        f'parameters {{ key: "{version}/{key}" value {{ string_value: "{value}" }} }} '
        for version in versions
        for key, value in spec.items()
        if value is not None
    )
    io = 'input { name: "text" data_type: TYPE_STRING dims: 1 } output { name: "out" data_type: TYPE_INT64 dims: -1 } '
    policy = f"version_policy {{ specific {{ versions: [{','.join(versions)}] }} }} "
    text = f'backend: "text" max_batch_size: {batch} ' + CPU + io + policy + lines
    files: dict[str, Content] = {f"{name}/{version}/tokenizer.json": "{}" for version in versions}
    return files | {f"{name}/config.pbtxt": text}


def served(*services: Mapping[str, Content]) -> dict[str, Content]:
    files: dict[str, Content] = onnx_model(name="net")
    for one in services:
        files |= one
    return files
