"""How a published network is run by TensorRT, written into its configuration.

NetworkConfig of an ONNX network, TensorRtServing --apply--> with ONNX Runtime's TensorRT accelerator, or of a plan

Precision is what the graph says: no precision_mode and no fp16, bf16 or int8 flag is ever written, so the network is
strongly typed (ONNX Runtime asks for it where no flag is set; TensorRT 11 knows nothing else).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from interlingua.base.errors import InputError
from interlingua_exporter.publication.tensorrt_profiles import (
    Profile,
    bucket_profiles,
    covering_profile,
    provider_shapes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua.repository.triton_config import NetworkConfig, Placement
    from interlingua.repository.triton_model import TritonModel
    from interlingua.served.kinds import Precision

Runner = Literal["tensorrt", "tensorrt-plan"]

ACCELERATOR = "tensorrt"
CACHE = "/var/cache/interlingua/tensorrt"  # of the machine, or the volume, that the server runs on
_PROFILES = "profiles"  # parameter of a version: what its plan was built with


@dataclass(frozen=True)
class TensorRtServing:
    """Which part of TensorRT runs a network, and the calls it has to be ready for.

    Attributes:
        runner: `tensorrt` for ONNX Runtime's provider, `tensorrt-plan` for a plan that was built beforehand.
        edges: of the length buckets; the last is the model's limit.
        usual_tokens: length that ONNX Runtime's one profile chooses its kernels for.
        cache: folder on the server for engines, an absolute path; one folder in it a model.
    """

    runner: Runner
    edges: tuple[int, ...]
    usual_tokens: int
    cache: str = CACHE

    def profiles(self, max_batch_size: int, max_batch_tokens: int) -> tuple[Profile, ...]:
        """A plan's profiles."""
        return bucket_profiles(self.edges, max_batch_size, max_batch_tokens)

    def apply(self, config: NetworkConfig, version: int, max_batch_tokens: int) -> NetworkConfig:
        """The same with every version run by TensorRT.

        Raises:
            InputError: another version's plan has other profiles.
        """
        if self.runner == "tensorrt":
            return self._accelerated(config, max_batch_tokens)
        return self._planned(config, version, max_batch_tokens)

    def _accelerated(self, config: NetworkConfig, max_batch_tokens: int) -> NetworkConfig:
        longest = max(int(value) for value in _of_versions(config, "max_tokens").values())
        profile = covering_profile(longest, self.usual_tokens, config.max_batch_size, max_batch_tokens)
        folder = f"{self.cache.rstrip('/')}/{config.name}"
        options = {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": folder,
            "trt_engine_cache_prefix": config.name,
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": folder,
            **provider_shapes(config.inputs, profile),
        }
        return replace(config, accelerators={ACCELERATOR: options})

    def _planned(self, config: NetworkConfig, version: int, max_batch_tokens: int) -> NetworkConfig:
        profiles = self.profiles(config.max_batch_size, max_batch_tokens)
        ours = ";".join(f"{profile.largest.texts}x{profile.largest.tokens}" for profile in profiles)
        for other, theirs in _of_versions(config, _PROFILES).items():
            if theirs != ours:
                raise InputError(
                    f"{config.name}/{other} has a plan for calls up to {theirs}, this one for calls up to {ours}: one "
                    f"configuration serves both. Build it with --buckets {_edges(theirs)} and the same batch size and "
                    "token budget, or publish into another --model-repository."
                )
        parameters = {**config.parameters, f"{version}/{_PROFILES}": ours}
        return replace(config, backend="tensorrt", profiles=len(profiles), parameters=parameters)


def require_tensorrt(precision: Precision, placement: Placement, *, fuse: bool) -> None:
    """Raises InputError: TensorRT could not run such an export."""
    if placement.kind != "gpu":
        raise InputError("TensorRT runs on GPUs: add --kind gpu")
    if precision == "int8":
        raise InputError(
            "TensorRT has none of the operators that int8 is exported with (MatMulIntegerToFloat): choose fp16, bf16 "
            "or fp32"
        )
    if fuse:
        raise InputError("TensorRT has none of ONNX Runtime's fused operators, it fuses by itself: leave --fuse out")


def require_same_runner(present: TritonModel | None, versions: Iterable[int], runner: Runner | None) -> None:
    """Raises InputError: the versions that are served are run otherwise; one configuration has one way."""
    if present is None or not list(versions):
        return
    theirs, ours = runner_of(present) or "ONNX Runtime", runner or "ONNX Runtime"
    if theirs != ours:
        raise InputError(
            f"{present.name}'s other versions are run by {theirs}, this one would be by {ours}: all versions of a "
            "model share one configuration. Publish into another --model-repository, or prune the others first."
        )


def runner_of(network: TritonModel) -> Runner | None:
    """What a network's configuration says; None without TensorRT."""
    if network.backend == "tensorrt":
        return "tensorrt-plan"
    return "tensorrt" if ACCELERATOR in network.accelerators else None


def _of_versions(config: NetworkConfig, name: str) -> dict[str, str]:
    """A parameter of every version, by version."""
    stated = config.parameters.items()
    return {key.partition("/")[0]: value for key, value in stated if key.partition("/")[2] == name}


def _edges(profiles: str) -> str:
    """`64x32;8x128` as `32,128`."""
    return ",".join(shape.partition("x")[2] for shape in profiles.split(";"))
