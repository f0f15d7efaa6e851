"""What both sides of Triton share, where the server runs it: its own environment, the folder of its backends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from interlingua_server.backend_folder import compose_backends
from interlingua_server.environment import SERVED, Runtime, prepare_runtime

pytestmark = pytest.mark.server

WITHOUT_TORCH = [
    ".".join(("interlingua", *path.relative_to(SERVED.parent).with_suffix("").parts))
    for path in (*SERVED.glob("[a-z]*.py"), *SERVED.glob("text/[a-z]*.py"))
] + [f"interlingua.served.networks.{name}" for name in ("request_groups", "request_faults", "tensorrt_provider")]
# As Triton's stub does: the backend's entry file, and a module that only the stub has.
PROGRAM = """
import importlib, runpy, sys, types
backend, *modules = sys.argv[1:]
sys.modules["triton_python_backend_utils"] = types.ModuleType("triton_python_backend_utils")
assert "TritonPythonModel" in runpy.run_path(backend)
for name in modules:
    importlib.import_module(name)
print(sys.modules["interlingua"].__file__)
print(*(name for name in sys.modules if name.startswith("interlingua") or name == "torch"))
"""


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return prepare_runtime()


@pytest.fixture(scope="module")
def backends(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server") / "backends"
    compose_backends(runtime, folder)
    return folder


@pytest.mark.parametrize("backend", ["text", "onnxruntime", "torch"])
def test_the_servers_python_imports_it(runtime: Runtime, backends: Path, backend: str) -> None:
    """Its numpy is older than ours, and nothing else of ours is there."""
    command = [runtime.python_environment / "bin/python", "-I", "-c", PROGRAM, backends / backend / "model.py"]
    environment = {"LD_LIBRARY_PATH": str(runtime.libpython), "PATH": os.defpath, "TMPDIR": str(backends.parent)}
    done = subprocess.run([*command, *WITHOUT_TORCH], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file, loaded = done.stdout.splitlines()
    assert Path(file) == backends / "interlingua/__init__.py"
    assert set(WITHOUT_TORCH) <= set(loaded.split())
    assert not [name for name in loaded.split() if not f"{name}.".startswith("interlingua.")]
    assert not [name for name in loaded.split() if name.startswith("interlingua.") and ".served" not in name]
