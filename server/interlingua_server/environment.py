"""The embedded server's own Python environment and its files.

The Python stub of the pinned Triton needs numpy < 2, the client wants a current one: so the server runs in
a virtual environment of its own, kept in the cache under the digest of its lock files. A repository with a network of
the `torch` backend has one more lock file, and so another environment: who serves ONNX alone never installs torch.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua import served
from interlingua.base import archives
from interlingua.base.errors import ServerError
from interlingua.base.paths import cache_dir

if TYPE_CHECKING:
    from interlingua.repository.published import Published

HERE = Path(__file__).resolve().parent
LOCK_FILE = HERE / "requirements.lock"
TORCH_LOCK_FILE = HERE / "requirements-torch.lock"
BACKENDS = HERE / "backends"
SERVED = Path(served.__file__).parent  # the backends import it
_COMPLETE = ".complete"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where the pieces of an embedded server lie."""

    binary: Path
    libraries: Path
    libpython: Path
    python_backend: Path
    stub: Path
    python_environment: Path


def prepare_runtime(published: Published | None = None) -> Runtime:
    """Fetch the server and build its environment, unless the cache has both.

    Args:
        published: the models that are to be served; None where none of them needs torch.

    Raises:
        ServerError: this Python has no shared library or no stub, or its environment cannot be built.
        ArchiveError: the server cannot be fetched.
    """
    libpython = _libpython_folder()
    root = archives.ensure("tritonserver")
    server = root / "pytriton" / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.is_file():
        known = ", ".join(sorted(path.name for path in stub.parent.parent.iterdir()))
        raise ServerError(f"the embedded Triton has no stub for Python {version}, only for {known}: use one of them")
    return Runtime(
        binary=server / "bin" / "tritonserver",
        libraries=root / "nvidia_pytriton.libs",
        libpython=libpython,
        python_backend=server / "backends" / "python",
        stub=stub,
        python_environment=ensure_python_environment(locks_for(published), cache_dir() / "server-environments"),
    )


def locks_for(published: Published | None) -> tuple[Path, ...]:
    """The lock files of what the backends of a repository's models import."""
    torch = published is not None and any(model.backend == "torch" for model in published.models.values())
    return (LOCK_FILE, TORCH_LOCK_FILE) if torch else (LOCK_FILE,)


def _libpython_folder() -> Path:
    """The folder that holds this interpreter's shared library, which Triton's stub links to."""
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
    candidates = [
        Path(sysconfig.get_config_var("LIBDIR") or ""),
        Path(sys.base_prefix) / "lib",
        Path(sysconfig.get_config_var("LIBDIR") or "") / (sysconfig.get_config_var("MULTIARCH") or ""),
    ]
    for folder in candidates:
        if (folder / name).is_file():
            return folder
    raise ServerError(
        f"{name} was not found in {', '.join(str(folder) for folder in candidates)}: Triton needs Python's shared "
        f"library. Debian and Ubuntu: apt install libpython{sys.version_info.major}.{sys.version_info.minor}; "
        "pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install; conda and the official installers have it."
    )


def ensure_python_environment(locks: Sequence[Path], root: Path) -> Path:
    """A virtual environment with exactly what the lock files list, built once. Raises ServerError."""
    listed = b"".join(lock.read_bytes() for lock in locks)
    key = hashlib.sha256(listed + sys.version.encode() + sys.base_prefix.encode()).hexdigest()[:16]
    folder = root / key
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / f"{key}.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not (folder / _COMPLETE).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                if TORCH_LOCK_FILE in locks:
                    sys.stderr.write(
                        f"installing torch and transformers for the server, once, about 1 GB on disk, in {folder} ...\n"
                    )
                venv.create(folder, with_pip=False, symlinks=True)
                _install(locks, folder)
                (folder / _COMPLETE).touch()
    except OSError as error:
        raise ServerError(f"cannot build the server's Python environment in {folder}: {error}") from error
    return folder


def _install(locks: Sequence[Path], folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command += [argument for lock in locks for argument in ("--requirement", str(lock))]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR:").strip() if lines else f"pip exited with {done.returncode}"
        raise ServerError(
            f"cannot install the server's Python packages ({reason}): check the network and pip's settings"
        )
