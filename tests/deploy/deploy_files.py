"""The files of deploy/ as data: YAML documents, a Dockerfile's instructions, launch.py as a module."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

from interlingua.base.paths import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
PORTS = {"http": 8000, "grpc": 8001, "metrics": 8002}
OPEN = {name: port for name, port in PORTS.items() if name != "http"}  # HTTP stays on the container's loopback
READY = ["python3", "-m", "interlingua.served.watch.ready"]


class Instruction(NamedTuple):
    name: str
    rest: str


def dockerfile() -> list[Instruction]:
    """Instructions in order, continuation lines joined, comments left out."""
    lines = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def instructions(name: str) -> list[str]:
    return [instruction.rest for instruction in dockerfile() if instruction.name == name]


def documents(path: Path) -> list[dict[str, Any]]:
    """Every document of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None]


def compose() -> dict[str, Any]:
    """compose.yaml with every variable at its default."""
    text = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def kustomized(folder: str) -> dict[str, list[dict[str, Any]]]:
    """The manifests that a kustomization lists itself, by kind."""
    root = DEPLOY / "kubernetes" / folder
    (kustomization,) = documents(root / "kustomization.yaml")
    found: dict[str, list[dict[str, Any]]] = {}
    for name in kustomization["resources"]:
        for document in documents(root / name) if (root / name).is_file() else ():
            found.setdefault(document["kind"], []).append(document)
    return found


def container() -> dict[str, Any]:
    """The one container of the Deployment."""
    (only,) = kustomized("base")["Deployment"][0]["spec"]["template"]["spec"]["containers"]
    loaded: dict[str, Any] = only
    return loaded


def launch() -> Any:
    """deploy/launch.py, which is no part of a package, as a module."""
    return SimpleNamespace(**runpy.run_path(str(DEPLOY / "launch.py")))
