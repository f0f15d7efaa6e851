"""What a result depends on besides the software's own settings: two runs with equal digests may be compared.

    CPU, cores, memory, GPU, kernel  \
    Python and package versions       > facts, and a SHA-256 over them
    config.pbtxt files, weights      /
    git commit
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua.base.paths import PROJECT_ROOT
from interlingua.base.processor import this_processor
from interlingua.served.service import published_versions
from interlingua_server.environment import LOCK_FILE

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua.repository.triton_model import TritonModel

DIGEST = "digest"

_PACKAGES = (
    "gevent",
    "grpcio",
    "hdrhistogram",
    "hnswlib",
    "interlingua",
    "locust",
    "numpy",
    "protobuf",
    "py3langid",
    "pyarrow",
    "tritonclient",
)
_GPU_QUERY = "name,memory.total,driver_version"
_WITHIN_S = 20.0


def describe_environment(published: Published | None, *, root: Path = PROJECT_ROOT) -> dict[str, Any]:
    """The facts, by name, with their digest under "digest"; nothing in it changes while nothing is changed.

    Args:
        published: what the server serves; None where it is not on this machine, and then unknown.
        root: the working copy whose commit is told.

    Raises:
        InputError: the model repository is no folder, or a config.pbtxt in it cannot be read.
    """
    models = None if published is None else _models(published)
    facts: dict[str, Any] = {
        "hardware": {
            "cpu": str(this_processor()),
            "cores": os.cpu_count(),
            "cores_allowed": len(os.sched_getaffinity(0)),
            "cpu_quota": _line(Path("/sys/fs/cgroup/cpu.max")),
            "memory_mb": _memory_mb(),
            "memory_limit": _line(Path("/sys/fs/cgroup/memory.max")),
            "gpus": _gpus(),
        },
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": _packages(),
        "server_packages": file_digest(LOCK_FILE) if LOCK_FILE.is_file() else None,
        "configs": None if models is None else {model.name: model.config_digest for model in models},
        "services": None if models is None else _services(models),
        **_commit(root),
    }
    return {**facts, DIGEST: _digest(facts)}


def changes(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names of the facts that differ, as in "hardware.cpu"; the digest itself is not among them."""
    flat_one, flat_other = dict(_flat(one)), dict(_flat(other))
    names = flat_one | flat_other
    return [name for name in names if name != DIGEST and flat_one.get(name) != flat_other.get(name)]


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in facts.items():
        flat += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(prefix + name, value)]
    return flat


def _models(published: Published) -> list[TritonModel]:
    """All that are there. Raises InputError: one cannot be read, or there is no such folder."""
    if not published.root.is_dir():
        raise InputError(f"there is no model repository {published.root}")
    for error in published.unreadable.values():
        raise error
    return list(published.models.values())


def _services(models: Iterable[TritonModel]) -> dict[str, str]:
    """Digest of each version of each service, as its configuration states it: it covers the weights."""
    return {
        f"{model.name}/{version}": model.parameters[f"{version}/{DIGEST}"]
        for model in models
        for version in published_versions(model.parameters)
    }


def _packages() -> dict[str, str | None]:
    return {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _memory_mb() -> int | None:
    total = _value_of(Path("/proc/meminfo"), "MemTotal")
    return int(total.split()[0]) // 1024 if total else None


def _value_of(file: Path, name: str) -> str:
    """The first `name: value` of a file in /proc; "" without one."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _line(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _gpus() -> list[str]:
    """Name, memory and driver of each; none where there is no nvidia-smi, or it does not answer."""
    said = _output(["nvidia-smi", f"--query-gpu={_GPU_QUERY}", "--format=csv,noheader"])
    return [line.strip() for line in (said or "").splitlines() if line.strip()]


def _commit(root: Path) -> dict[str, Any]:
    """The commit, and whether files differ from it; None of both where there is no git."""
    head = _output(["git", "-C", str(root), "rev-parse", "HEAD"])
    if head is None:
        return {"commit": None, "modified": None}
    changed = _output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return {"commit": head.strip(), "modified": bool(changed)}


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
