"""Instance groups and threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in
from interlingua_exporter.lint.model import enum_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_NETWORKS = ("onnxruntime", "pytorch", "tensorrt", "torch")
_CROWD = 8  # instances on one GPU
_COUNTS = ("intra_op_thread_count", "inter_op_thread_count", "execution_mode")


@each_model
def _cpu_with_gpus(model: Model) -> Iterator[RuleHit]:
    for group in model.config.instance_group:
        if group.gpus and group.kind in (pb.ModelInstanceGroup.KIND_CPU, pb.ModelInstanceGroup.KIND_MODEL):
            kind = enum_name(pb.ModelInstanceGroup.Kind, group.kind)
            yield model.hit("instance_group.gpus", f"{kind} with gpus {list(group.gpus)}")


@each_model_in
def _no_gpu(model: Model, repository: Repository) -> Iterator[RuleHit]:
    if repository.settings.gpu is not False:
        return
    for group in model.config.instance_group:
        if group.kind == pb.ModelInstanceGroup.KIND_GPU or (
            group.gpus and group.kind == pb.ModelInstanceGroup.KIND_AUTO
        ):
            yield model.hit("instance_group", "it names a GPU, and the machine has none (--no-gpu)")


@each_model_in
def _idle_gpu(model: Model, repository: Repository) -> Iterator[RuleHit]:
    if repository.settings.gpu and model.backend in _NETWORKS and not model.gpu_possible:
        yield model.hit("instance_group.kind", "all instances are on the CPU, and the machine has a GPU (--gpu)")


@each_model
def _crowded(model: Model) -> Iterator[RuleHit]:
    for kind, count in model.instances:
        gpu = kind == "KIND_GPU" or (kind == "KIND_AUTO" and model.backend in _NETWORKS)
        if gpu and count > _CROWD:
            yield model.hit("instance_group.count", f"{count} instances on each GPU")


@each_model
def _profile(model: Model) -> Iterator[RuleHit]:
    for group in model.config.instance_group:
        if group.profile and model.backend != "tensorrt":
            yield model.hit("instance_group.profile", "it belongs to TensorRT plans alone")
        elif wrong := [name for name in group.profile if not (name.isascii() and name.isdecimal())]:
            yield model.hit("instance_group.profile", f"{wrong[0]!r} is not a profile's number")


@each_model
def _unstated(model: Model) -> Iterator[RuleHit]:
    if not model.config.instance_group and model.backend != "ensemble":
        many = "two on a CPU" if model.backend == "onnxruntime" else "one on a CPU"
        yield model.hit("instance_group", f"it is left out: {many}, one on each GPU where there are any")


@each_model
def _all_cores(model: Model) -> Iterator[RuleHit]:
    if model.backend != "onnxruntime":
        return
    count = sum(count for kind, count in model.instances if kind == "KIND_CPU")
    if count > 1 and model.parameters.get("intra_op_thread_count", "0") == "0":
        yield model.hit("parameters.intra_op_thread_count", f"{count} CPU instances, each with a thread per core")


@each_model
def _counts(model: Model) -> Iterator[RuleHit]:
    if model.backend != "onnxruntime":
        return
    for name in _COUNTS:
        value = model.parameters.get(name, "0")
        if not (value.isascii() and value.isdecimal()):
            yield model.hit(f"parameters.{name}", f"{value!r} is not a whole number")


RULES = (
    Rule(
        code="INS001",
        severity="error",
        title="a CPU instance group that names GPUs",
        why="Triton does not load the model.",
        mend="Leave gpus out, or kind: KIND_GPU",
        check=_cpu_with_gpus,
    ),
    Rule(
        code="INS002",
        severity="error",
        title="a GPU instance group on a machine without one (--no-gpu)",
        why="Triton does not load the model.",
        mend="instance_group { kind: KIND_CPU count: 1 }",
        check=_no_gpu,
    ),
    Rule(
        code="INS003",
        severity="note",
        title="a network on the CPU of a GPU machine (--gpu)",
        why="The GPU stays idle.",
        mend="instance_group { kind: KIND_GPU count: 1 }",
        check=_idle_gpu,
    ),
    Rule(
        code="INS004",
        severity="note",
        title="no instance group",
        why="What runs then depends on the machine: each instance has arenas, and mostly weights, of its own.",
        mend="instance_group { kind: KIND_CPU count: 1 }",
        check=_unstated,
    ),
    Rule(
        code="INS005",
        severity="warning",
        title="several CPU instances with as many threads as cores each",
        why="They take the cores from each other. Instances times threads must equal the cores: on 2 cores, 2 x 1 gave "
        "113 texts a second and 2 x 2 gave 77.",
        mend='parameters { key: "intra_op_thread_count" value { string_value: "1" } }',
        check=_all_cores,
    ),
    Rule(
        code="INS006",
        severity="error",
        title="thread counts that are no numbers",
        why="ONNX Runtime's backend refuses the model.",
        mend='parameters { key: "intra_op_thread_count" value { string_value: "1" } }',
        check=_counts,
    ),
    Rule(
        code="INS007",
        severity="error",
        title="optimization profiles of a model that is no TensorRT plan, or that are no numbers",
        why="Triton does not load the model.",
        mend='Leave profile out; of a plan: profile: [ "0" ]',
        check=_profile,
    ),
    Rule(
        code="INS008",
        severity="warning",
        title=f"more than {_CROWD} instances on a GPU",
        why="Each has a context, buffers and mostly weights of its own in the GPU's memory (onnxruntime_backend#18), "
        "and the load fails where it is full; one or two keep a GPU busy.",
        mend="instance_group { kind: KIND_GPU count: 1 }",
        check=_crowded,
    ),
)
