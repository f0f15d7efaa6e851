"""Shared memory of Python models, and arenas that never shrink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.rules.warmup import tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tritonclient.grpc import model_config_pb2 as pb

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

MIB = 2**20
DOCKER_DEFAULT = 64 * MIB
_REGION = MIB  # bytes: what the Python backend maps for each instance at its start (shm-default-byte-size)


def shared_bytes(model: Model) -> int:
    """The least that a Python-based model takes: a region an instance, and a full batch of what has a known size."""
    batch = max(int(model.config.max_batch_size), 1)
    tensors: list[pb.ModelInput | pb.ModelOutput] = [*model.config.input, *model.config.output]
    item = sum(tensor_bytes(entry.data_type, entry.dims) or 0 for entry in tensors)
    instances = sum(count for _, count in model.instances)
    return instances * len(model.served) * (_REGION + batch * item)


def _needed(repository: Repository) -> int:
    return sum(shared_bytes(model) for model in repository.configured if model.python_based)


def _too_small(repository: Repository) -> Iterator[RuleHit]:
    size, needed = repository.settings.shm_size, _needed(repository)
    if size is not None and needed > size:
        yield RuleHit(
            "", "", "--shm-size", f"{size / MIB:g} MiB, and the Python models take {needed / MIB:.0f} at least"
        )


def _docker(repository: Repository) -> Iterator[RuleHit]:
    size, needed = repository.settings.shm_size, _needed(repository)
    if size is not None and needed and needed <= size <= DOCKER_DEFAULT:
        yield RuleHit("", "", "--shm-size", f"{size / MIB:g} MiB for models of the Python backend")


def _beyond_docker(repository: Repository) -> Iterator[RuleHit]:
    needed = _needed(repository)
    if repository.settings.shm_size is None and needed > DOCKER_DEFAULT:
        yield RuleHit("", "", "--shm-size", f"the Python models take {needed / MIB:.0f} MiB at least")


@each_model
def _arena(model: Model) -> Iterator[RuleHit]:
    if model.backend != "onnxruntime" or not any(-1 in entry.dims for entry in model.config.input):
        return
    limited = any(name in model.parameters for name in ("memory.enable_memory_arena_shrinkage", "gpu_mem_limit"))
    if not limited and model.parameters.get("enable_mem_arena", "1").lower() in ("1", "true"):
        names = ", ".join(entry.name for entry in model.config.input if -1 in entry.dims)
        yield model.hit("parameters", f"{names}: open dimensions, and no limit on the arena")


RULES = (
    Rule(
        code="MEM001",
        severity="error",
        title="shared memory smaller than the Python models take (--shm-size)",
        why="Every instance maps a region, and a batch's tensors pass through it: a stub process that cannot grow it "
        "fails its requests, or dies.",
        mend="docker run --shm-size=1g (compose: shm_size: 1g)",
        check=_too_small,
    ),
    Rule(
        code="MEM002",
        severity="warning",
        title="Docker's default of 64 MB for Python models (--shm-size)",
        why="It holds the regions and a batch of plain tensors at best; texts, and calls to other models, come on top.",
        mend="docker run --shm-size=1g (compose: shm_size: 1g)",
        check=_docker,
    ),
    Rule(
        code="MEM003",
        severity="note",
        title="Python models that need more than Docker's 64 MB",
        why="A container without --shm-size has 64 MB of /dev/shm.",
        mend="docker run --shm-size=1g (compose: shm_size: 1g)",
        check=_beyond_docker,
    ),
    Rule(
        code="MEM004",
        severity="note",
        title="open dimensions on an arena that never shrinks",
        why="One request of an unusual length takes memory for good (triton-inference-server/server#7594), in each "
        "instance. A service in front that bounds its calls (max_batch_tokens) bounds this as well.",
        mend='parameters { key: "memory.enable_memory_arena_shrinkage" value { string_value: "cpu:0" } } '
        '(GPU: "gpu:0")',
        check=_arena,
    ),
)
