"""Builds plan/model.plan of model.onnx through TensorRT's Python API; the twin of build_plan.sh.

build.json, model.onnx --tensorrt.Builder--> plan/model.plan

`interlingua export --provider tensorrt-plan` puts this file into every build folder, where it runs on the container's
Python and imports nothing of ours: python3 build_plan.py
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

_WORKSPACE = 4096 * 2**20  # bytes


def build(folder: Path) -> Path:
    """Build the plan of a build folder.

    Raises:
        SystemExit: in a line, what is missing or what TensorRT did not accept.
    """
    trt = _tensorrt()
    record = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(folder / "model.onnx")):
        raise SystemExit("error: " + "; ".join(str(parser.get_error(n)) for n in range(parser.num_errors)))
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE)
    _add_profiles(builder, config, record)
    serialized = builder.build_serialized_network(network, config)
    if serialized is None:
        raise SystemExit("error: TensorRT built no plan; its log above says why")
    return _write(folder / "plan", serialized)


def _tensorrt() -> Any:
    try:
        trt = importlib.import_module("tensorrt")
    except ImportError as error:
        raise SystemExit(f"error: no TensorRT in this Python ({error}): run this in the serving container") from error
    if int(trt.__version__.split(".")[0]) < 10:
        raise SystemExit(f"error: TensorRT {trt.__version__} does not take int64 inputs: 10 or newer is needed")
    return trt


def _strongly_typed(trt: Any) -> int:
    """TensorRT 11 knows nothing else, and may have dropped the flag."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _add_profiles(builder: Any, config: Any, record: dict[str, Any]) -> None:
    for shapes in record["profiles"]:
        profile = builder.create_optimization_profile()
        for name in record["inputs"]:
            profile.set_shape(name, *(tuple(shape) for shape in shapes))
        config.add_optimization_profile(profile)


def _write(folder: Path, serialized: Any) -> Path:
    folder.mkdir(exist_ok=True)
    unfinished = folder / "model.plan.part"
    unfinished.write_bytes(bytes(serialized))
    return unfinished.replace(folder / "model.plan")


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(__file__).resolve().parent)} is built\n")
