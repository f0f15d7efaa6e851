"""int8 on a CPU without VNNI, whatever CPU runs the tests: behind a library that hides what is newer (older_cpu.c)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from interlingua.repository.triton_config import CONFIG_FILE, WEIGHT_BITS, read_config, write_config
from tests.support.command_line import interlingua

SOURCE = Path(__file__).resolve().parents[1] / "older_cpu.c"
HIDES_NOTHING = 3  # its exit status where CPUID cannot be made to fault

MULTIPLY = """
import sys, numpy as np, onnxruntime as ort
x, weights = (np.load(name) for name in sys.argv[2:])
print(np.abs(ort.InferenceSession(sys.argv[1]).run(None, {"x": x})[0] - x.astype(np.int64) @ weights).max())
"""

OlderCpu = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def on_older_cpu(tmp_path_factory: pytest.TempPathFactory) -> OlderCpu:
    """Runs this interpreter with some arguments as a CPU without AVX-512 and VNNI would."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("older-cpu") / "older_cpu.so"
    built = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    if subprocess.run(built, capture_output=True, check=False).returncode:
        pytest.skip("older_cpu.c is for Linux on x86-64")

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ) | {"LD_PRELOAD": str(library)}
        return subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    if ran("-c", "").returncode == HIDES_NOTHING:
        pytest.skip("this machine cannot make CPUID fault")
    return ran


def largest_error(on_older_cpu: OlderCpu, folder: Path, largest: int) -> int:
    """Of a product of uint8 with int8 weights of +-largest, against exact integers."""
    random = np.random.default_rng(0)
    weights = random.choice([-largest, largest], size=(64, 16)).astype(np.int8)
    weights[:, 0] = largest
    x = random.integers(0, 256, size=(5, 64)).astype(np.uint8)
    x[0] = 255
    node = onnx.helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    shapes = [
        onnx.helper.make_tensor_value_info(name, kind, ["n", size])
        for name, kind, size in (("x", onnx.TensorProto.UINT8, 64), ("y", onnx.TensorProto.INT32, 16))
    ]
    graph = onnx.helper.make_graph([node], "g", shapes[:1], shapes[1:], [onnx.numpy_helper.from_array(weights, "w")])
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10),
        folder / "m.onnx",
    )
    np.save(folder / "x.npy", x)
    np.save(folder / "w.npy", weights.astype(np.int64))
    done = on_older_cpu("-c", MULTIPLY, *(str(folder / name) for name in ("m.onnx", "x.npy", "w.npy")))
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_eight_bits_saturate_there_and_seven_do_not(on_older_cpu: OlderCpu, tmp_path: Path) -> None:
    assert largest_error(on_older_cpu, tmp_path, 127) == 64 * 255 * 127 - 32 * 32_767  # 32 sums, each cut to 32,767
    assert largest_error(on_older_cpu, tmp_path, 63) == 0


def test_an_export_made_here_is_verified_and_served_there(
    on_older_cpu: OlderCpu, make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = tmp_path / "models"
    model = make_folder(family="bert", pooling="mean", normalize=True)
    command = ["export", str(model), "--precision", "int8", "--model-repository", str(root), "--json"]
    made = interlingua(*command)
    assert made.returncode == 0, made.stderr
    verified = on_older_cpu("-m", "interlingua", "export", "verify", *command[1:2], *command[4:])
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)
    path = root / "embedder" / CONFIG_FILE
    config = read_config(path)
    assert config.parameters[f"1/{WEIGHT_BITS}"].string_value == "7"
    config.parameters[f"1/{WEIGHT_BITS}"].string_value = "8"
    write_config(config, path)
    unchecked = on_older_cpu("-m", "interlingua", *command, "--weight-bits", "8")
    assert unchecked.returncode != 0
    assert "--weight-bits 8 cannot be checked on this CPU" in unchecked.stderr
    refused = on_older_cpu("-m", "interlingua", "serve", "--model-repository", str(root))
    assert refused.returncode != 0
    assert "embedder/1: int8 with weights of 8 bits, which this CPU" in refused.stderr
