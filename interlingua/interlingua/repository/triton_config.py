"""config.pbtxt through Triton's own protobuf, one function a section.

    NetworkConfig, ServiceConfig --section by section--> ModelConfig --text_format--> config.pbtxt

One config describes all published versions of a model: tensors are shared, what differs stands in `parameters`
under the version's number (`2/prompt`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf import text_format  # type: ignore[import-untyped]
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base.errors import InputError
from interlingua.served.graph_names import STAGES, TOKENS
from interlingua.served.kinds import EXACT_BITS, Device
from interlingua.served.promotion import KEYS
from interlingua.served.service import (
    ENCODE_QUERY_TOKENS,
    LANES,
    LONGEST_WAIT,
    SPARE_CALLS,
    SPARE_INSTANCES,
    default_deadline_s,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from interlingua.repository.warmup_samples import WarmupSample
    from interlingua.served.promotion import Promotion

CONFIG_FILE = "config.pbtxt"
WEIGHT_BITS = "weight_bits"  # parameter of an int8 version: bits of its products' matrices
GPU_KIND = pb.ModelInstanceGroup.KIND_GPU
GPU_KIND = pb.ModelInstanceGroup.KIND_GPU
PLATFORMS = {"tensorrt": "tensorrt_plan"}  # what Triton calls a backend's models

_SERVICE_INSTANCES = 2  # one tokenizes and answers while the other one's calls run; a query's tokens take no time
_LAST = 100_000  # of the rate limiter: calls of the preferred instance for one that the others get unasked
_BASIC_OPTIMIZATIONS = -1


@dataclass(frozen=True)
class Placement:
    """Where and how often a network runs.

    Attributes:
        instances: copies of the network on each CPU or GPU.
        threads: of one instance. On CPUs instances x threads should equal the cores; throughput wants one
            thread each, a lone query wants all threads in one instance.
    """

    kind: Device
    instances: int
    threads: int

    @property
    def outstanding_calls(self) -> int:
        """Calls a service keeps under way: one for each instance, and on a GPU one more, which waits its turn."""
        return self.instances + (self.kind == "gpu")

    def spare(self, backend: str) -> int:
        """Instances beyond these that bulk work leaves free, so that a query finds one.

        The operating system puts a query's call before those of bulk work, as far as an instance is one thread
        (the `onnxruntime` backend, on a CPU).
        """
        return int(self.kind == "cpu" and self.threads == 1 and backend == "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """A network: token ids in, `output` [dimension] out.

    Attributes:
        per_token: whether each token has an output of its own, [tokens, dimension].
        accelerators: what ONNX Runtime hands the network to on GPUs, each with its options.
        profiles: that a TensorRT plan was built with.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    dimension: int
    max_batch_size: int
    placement: Placement
    versions: tuple[int, ...]
    parameters: Mapping[str, str]
    warmup: tuple[WarmupSample, ...]
    backend: str = "onnxruntime"
    accelerators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    profiles: int = 0
    per_token: bool = False

    def message(self) -> pb.ModelConfig:
        """The whole configuration as Triton's protobuf."""
        config = pb.ModelConfig(name=self.name, backend=self.backend, max_batch_size=self.max_batch_size)
        config.platform = PLATFORMS.get(self.backend, "")
        config.input.extend(_tensor(name, pb.TYPE_INT64, -1) for name in self.inputs)
        size = (-1, self.dimension) if self.per_token else (self.dimension,)
        config.output.append(_output(self.output, pb.TYPE_FP32, *size))
        _add_versions(config, self.versions)
        if spare := self.placement.spare(self.backend):
            _add_parameters(config, {SPARE_INSTANCES: str(spare)})
        set_instances(config, self.placement.kind, self.placement.instances)
        for group in config.instance_group:
            group.profile.extend(str(number) for number in range(self.profiles))
        if self.backend == "onnxruntime":
            _add_optimizations(config, self.placement)
        _add_accelerators(config, self.accelerators)
        threads = {} if self.backend == "tensorrt" else thread_parameters(self.placement)
        _add_parameters(config, {**threads, **self.parameters})
        _add_warmup(config, self.warmup)
        return config

    def write(self, folder: Path) -> None:
        """Into the model's folder."""
        write_config(self.message(), folder / CONFIG_FILE)


@dataclass(frozen=True, kw_only=True)
class ServiceConfig:
    """A service: `inputs` are texts; `output` [dimension], the token count and the stage times come out.

    Attributes:
        dimension: numbers of a text's output; None where it is BYTES [1].
        spare_calls: that the network takes at once beyond `outstanding_calls`.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    dimension: int | None
    max_batch_size: int
    outstanding_calls: int
    spare_calls: int = 0
    versions: tuple[int, ...]
    parameters: Mapping[str, str]

    def message(self) -> pb.ModelConfig:
        """The whole configuration as Triton's protobuf."""
        config = pb.ModelConfig(name=self.name, backend="text", max_batch_size=self.max_batch_size)
        config.input.extend(_tensor(name, pb.TYPE_STRING, 1) for name in self.inputs)
        kind = pb.TYPE_STRING if self.dimension is None else pb.TYPE_FP32
        config.output.append(_output(self.output, kind, self.dimension or 1))
        config.output.append(_output(TOKENS, pb.TYPE_INT32, 1))
        config.output.append(_output(STAGES, pb.TYPE_INT64, 3))
        _add_versions(config, self.versions)
        # No queue policy and no priorities: either one switches Triton's prefetching off, and then requests
        # stall for 500 ms (tis/core dynamic_batch_scheduler.cc).
        config.dynamic_batching.max_queue_delay_microseconds = 0
        set_instances(config, "cpu", 1 if self.name == ENCODE_QUERY_TOKENS else _SERVICE_INSTANCES)
        own = {LANES: str(self.outstanding_calls), LONGEST_WAIT: f"{default_deadline_s(self.name):g}"}
        own |= {SPARE_CALLS: str(self.spare_calls)} if self.spare_calls else {}
        _add_parameters(config, {**own, **self.parameters})
        return config

    def write(self, folder: Path) -> None:
        """Into the model's folder."""
        write_config(self.message(), folder / CONFIG_FILE)


def write_config(config: pb.ModelConfig, path: Path) -> None:
    """The configuration as text that Triton reads."""
    path.write_text(text_format.MessageToString(config, as_utf8=True), encoding="utf-8")


def read_config(path: Path) -> pb.ModelConfig:
    """A config.pbtxt back as protobuf. Raises InputError: it is missing or not one."""
    try:
        config: pb.ModelConfig = text_format.Parse(path.read_text(encoding="utf-8"), pb.ModelConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise InputError(f"{path}: not a readable config.pbtxt: {error}") from error
    return config


def parameters_of(config: pb.ModelConfig) -> dict[str, str]:
    """The parameters as plain strings."""
    return {key: value.string_value for key, value in config.parameters.items()}


def inexact_versions(config: pb.ModelConfig) -> tuple[int, ...]:
    """The int8 versions that an x86 CPU without VNNI gets wrong, where the model runs on CPUs.

    Versions that were published before WEIGHT_BITS was stated have 8.
    """
    stated = parameters_of(config)
    on_gpu = bool(config.instance_group) and all(group.kind == GPU_KIND for group in config.instance_group)
    if config.backend != "onnxruntime" or on_gpu:
        return ()
    described = {int(key.split("/")[0]) for key in stated if key.endswith("/precision") and key[0].isdigit()}
    return tuple(
        version
        for version in versions_of(config) or sorted(described)
        if stated.get(f"{version}/precision") == "int8" and stated.get(f"{version}/{WEIGHT_BITS}") != str(EXACT_BITS)
    )


def versions_of(config: pb.ModelConfig) -> tuple[int, ...]:
    """The versions a configuration serves, ascending."""
    return tuple(sorted(config.version_policy.specific.versions))


def kind_of(config: pb.ModelConfig) -> Device:
    """Where a model that we published runs: all its groups are of one kind."""
    return "gpu" if any(group.kind == GPU_KIND for group in config.instance_group) else "cpu"


def set_instances(config: pb.ModelConfig, kind: Device, count: int) -> None:
    """So many instances in place of what there is, and the spare ones that a network's parameter states.

    On a CPU the first is a group of its own that Triton's rate limiter prefers (interlingua_server/embedded.py turns it
    on): requests that come one by one all find the process that ran the last one, with its weights in the cores'
    caches. Turns would cost a lone query half a millisecond. The others start where the first is busy.
    """
    config.ClearField("instance_group")
    count += spare_instances(config)
    if kind == "gpu":
        config.instance_group.add(kind=GPU_KIND, count=count)
        return
    preferred = config.instance_group.add(kind=pb.ModelInstanceGroup.KIND_CPU, count=1)
    preferred.rate_limiter.priority = 1
    if count > 1:
        others = config.instance_group.add(kind=pb.ModelInstanceGroup.KIND_CPU, count=count - 1)
        others.rate_limiter.priority = _LAST


def spare_instances(config: pb.ModelConfig) -> int:
    """Instances of a network that bulk work leaves free."""
    return int(config.parameters[SPARE_INSTANCES].string_value) if SPARE_INSTANCES in config.parameters else 0


def set_promotion(config: pb.ModelConfig, promotion: Promotion) -> None:
    """Put what is promoted in place of what was."""
    for key in KEYS:
        config.parameters.pop(key, None)
    _add_parameters(config, promotion.to_parameters())


def drop_version(config: pb.ModelConfig, version: int) -> None:
    """Take a version out: its parameters, and its number in the policy."""
    for key in [key for key in config.parameters if key.startswith(f"{version}/")]:
        del config.parameters[key]
    kept = [number for number in config.version_policy.specific.versions if number != version]
    config.version_policy.specific.versions[:] = kept


def thread_parameters(placement: Placement) -> dict[str, str]:
    """What ONNX Runtime's backend, ours and the C++ one, and our torch one read their thread counts from."""
    return {"intra_op_thread_count": str(placement.threads), "inter_op_thread_count": "1"}


def _tensor(name: str, kind: int, size: int) -> pb.ModelInput:
    return pb.ModelInput(name=name, data_type=kind, dims=[size])


def _output(name: str, kind: int, *size: int) -> pb.ModelOutput:
    return pb.ModelOutput(name=name, data_type=kind, dims=size)


def _add_versions(config: pb.ModelConfig, versions: Sequence[int]) -> None:
    """Name the versions: a folder that is not named is one whose publication did not finish."""
    config.version_policy.specific.versions.extend(sorted(versions))


def _add_optimizations(config: pb.ModelConfig, placement: Placement) -> None:
    """On CPUs without fusions: ONNX Runtime's fused SkipLayerNormalization and BiasGelu are slow kernels there.

    Measured with multilingual-e5-small on one core: 10% in fp32, 20% in int8.
    """
    if placement.kind == "cpu":
        config.optimization.graph.level = _BASIC_OPTIMIZATIONS


def _add_accelerators(config: pb.ModelConfig, accelerators: Mapping[str, Mapping[str, str]]) -> None:
    for name, options in accelerators.items():
        entry = config.optimization.execution_accelerators.gpu_execution_accelerator.add(name=name)
        for option, value in options.items():
            entry.parameters[option] = value


def _add_parameters(config: pb.ModelConfig, parameters: Mapping[str, str]) -> None:
    for key in sorted(parameters):
        config.parameters[key].string_value = parameters[key]


def _add_warmup(config: pb.ModelConfig, samples: Sequence[WarmupSample]) -> None:
    for sample in samples:
        entry = config.model_warmup.add(name=sample.name, batch_size=sample.batch)
        for tensor in sample.tensors:
            entry.inputs[tensor.input].data_type = pb.TYPE_INT64
            entry.inputs[tensor.input].dims.append(tensor.length)
            entry.inputs[tensor.input].input_data_file = tensor.file
