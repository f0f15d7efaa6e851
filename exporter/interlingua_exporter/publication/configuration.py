"""The configurations of a version, with what the versions beside it have in theirs.

Candidate, ServingOptions, what is kept --network_config--> NetworkConfig
                                        --service_config--> ServiceConfig
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.repository.families import inputs_of, output_of
from interlingua.repository.triton_config import WEIGHT_BITS, NetworkConfig, ServiceConfig
from interlingua.served.graph_names import SCORE, TOKEN_VECTORS
from interlingua.served.late_interaction.side_services import sides_of
from interlingua.served.late_interaction.side_vectors import vector_length
from interlingua.served.service import EMBED_DOCUMENT, RERANK, ServiceSpec
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.publication.warmup import network_samples, suitable_shapes
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua_exporter.publication.candidate import Candidate, ServingOptions

_SIZES = {SCORE: 1, TOKEN_VECTORS: None}  # of a service's output, where it is not the network's
TRUST = "trust_remote_code"  # parameter of a version whose own Python code the torch backend may run


def network_config(
    candidate: Candidate,
    options: ServingOptions,
    version: int,
    versions: tuple[int, ...],
    kept: Mapping[str, str],
    weights_digest: str,
) -> NetworkConfig:
    """The network's.

    Args:
        versions: all that are served, `version` among them.
        kept: parameters of the other versions.
    """
    family = candidate.family
    own = {
        "weights_digest": weights_digest,
        "model_id": candidate.spec.id,
        "precision": candidate.precision,
        "vocabulary": str(candidate.vocabulary),
        "max_tokens": str(candidate.spec.max_tokens),
    }
    if candidate.weight_bits:
        own[WEIGHT_BITS] = str(candidate.weight_bits)
    if candidate.backend == "torch" and candidate.spec.remote_code:
        own[TRUST] = "true"
    parameters = {**kept, **{f"{version}/{key}": value for key, value in own.items()}}
    return NetworkConfig(
        name=family.network,
        inputs=candidate.inputs,
        output=family.output,
        dimension=candidate.dimension,
        max_batch_size=options.max_batch_size,
        placement=options.placement,
        versions=versions,
        parameters=parameters,
        warmup=network_samples(
            version,
            _within(candidate.sample, _smallest(parameters, "vocabulary")),
            candidate.inputs,
            max_tokens=_smallest(parameters, "max_tokens"),
            max_batch_size=options.max_batch_size,
            shapes=options.warmup or suitable_shapes(options.placement.kind),
        ),
        backend=candidate.backend,
        per_token=candidate.interaction is not None,
    )


def service_config(
    name: str,
    candidate: Candidate,
    options: ServingOptions,
    version: int,
    versions: tuple[int, ...],
    kept: Mapping[str, str],
    digest: str,
) -> ServiceConfig:
    """A service's. Arguments as `network_config`; `digest` is of what decides an answer."""
    output = output_of(name)
    return ServiceConfig(
        name=name,
        inputs=inputs_of(name),
        output=output,
        dimension=_SIZES.get(output, candidate.dimension),
        max_batch_size=options.max_batch_size,
        outstanding_calls=options.placement.outstanding_calls,
        spare_calls=options.placement.spare(candidate.backend),
        versions=versions,
        parameters={**kept, **_service_spec(name, candidate, options, digest).to_parameters(version)},
    )


def _service_spec(name: str, candidate: Candidate, options: ServingOptions, digest: str) -> ServiceSpec:
    spec, frame, interaction = candidate.spec, frame_of(candidate.spec, name), candidate.interaction
    limit, length = spec.max_tokens, candidate.dimension if spec.role == "embedder" else 0
    languages = candidate.languages if name == EMBED_DOCUMENT else None
    if interaction and name != RERANK:
        (side,) = sides_of(name, interaction)
        limit, length = side.max_tokens, vector_length(interaction, candidate.dimension)
    return ServiceSpec(
        network=candidate.family.network,
        network_inputs=",".join(candidate.inputs),
        model_id=spec.id,
        revision=spec.revision,
        precision=candidate.precision,
        digest=digest,
        dimension=length,
        prompt=frame.prompt,
        max_tokens=limit,
        max_batch_tokens=options.max_batch_tokens,
        max_text_bytes=options.max_text_bytes,
        pad_token_id=candidate.pad_token_id,
        padding_side=spec.padding_side,
        rerank_weight=spec.rerank_weight,
        template=frame.template,
        scripts=",".join(candidate.scripts),
        interaction=interaction.to_text() if interaction else "",
        empty_similarity=candidate.empty_similarity,
        language_vectors=replace(languages, digest=digest).to_text() if languages else "",
    )


def _smallest(parameters: Mapping[str, str], name: str) -> int:
    """The least value of a whole number that every version has: warm-up samples go to all of them."""
    return min(int(value) for key, value in parameters.items() if key.endswith(f"/{name}"))


def _within(tokens: Tokens, vocabulary: int) -> Tokens:
    return Tokens(tuple(min(number, vocabulary - 1) for number in tokens.ids), tokens.type_ids)
