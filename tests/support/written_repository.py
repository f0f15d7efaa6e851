"""What the exporter states of a service, and a model repository that states it, without an export.

service_spec(changes) --write_embedder--> ROOT/{embedder, embed_query, embed_document}/config.pbtxt, their versions
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from interlingua.repository.families import family_of
from interlingua.repository.triton_config import NetworkConfig, Placement, ServiceConfig
from interlingua.served.service import ServiceSpec

ONE_CORE = Placement("cpu", 1, 1)

_SPEC = ServiceSpec(
    network="embedder",
    network_inputs="input_ids",
    model_id="tiny",
    revision="",
    precision="fp32",
    digest="d",
    dimension=8,
    prompt="",
    max_tokens=512,
    max_batch_tokens=1024,
    max_text_bytes=1000,
    pad_token_id=1,
    padding_side="right",
)


def service_spec(**changes: Any) -> ServiceSpec:
    """An embedder's, but for the changes."""
    return replace(_SPEC, **changes)


def write_embedder(
    root: Path,
    spec: ServiceSpec,
    *,
    services: tuple[str, ...] = family_of("embedder").services,
    versions: tuple[int, ...] = (1,),
    stated: dict[str, str] | None = None,
    placement: Placement = ONE_CORE,
    max_batch_size: int = 16,
    outstanding_calls: int = 1,
    tokenizer: bytes | None = None,
    output: str = "embedding",
) -> Path:
    """Write the configurations and the versions' folders, which are empty but for the services' tokenizer.

    Args:
        stated: the network's parameters.
    """
    common: dict[str, Any] = {"output": output, "dimension": spec.dimension, "max_batch_size": max_batch_size}
    network = NetworkConfig(
        name=spec.network,
        inputs=tuple(spec.network_inputs.split(",")),
        placement=placement,
        versions=versions,
        parameters=stated or {},
        warmup=(),
        **common,
    )
    said = {key: value for version in versions for key, value in spec.to_parameters(version).items()}
    asked = [
        ServiceConfig(
            name=name,
            inputs=("text",),
            outstanding_calls=outstanding_calls,
            versions=versions,
            parameters=said,
            **common,
        )
        for name in services
    ]
    for config in (network, *asked):
        for version in versions:
            (root / config.name / str(version)).mkdir(parents=True)
            if tokenizer is not None and config is not network:
                (root / config.name / str(version) / "tokenizer.json").write_bytes(tokenizer)
        config.write(root / config.name)
    return root
