"""A network that passed its gate becomes the next version of a network and its services.

Candidate + what is published already --> configs, tokenizers, warm-up samples --commit--> model repository
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.warmup_samples import FOLDER as WARMUP
from interlingua.repository.warmup_samples import WarmupSample
from interlingua.served.graph_names import PREPARED_FILE, TOKENIZER_FILE
from interlingua.served.late_interaction.side_services import prepared_for
from interlingua.served.promotion import KEYS as PROMOTION
from interlingua.served.service import LONGEST_WAIT
from interlingua.served.text.sealed import SealedTokenizers
from interlingua_exporter.publication.configuration import network_config, service_config
from interlingua_exporter.publication.digests import answer_digest, weights_digest
from interlingua_exporter.publication.tensorrt_serving import require_same_runner
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from interlingua.repository.families import Family
    from interlingua.repository.model_repository import ModelRepository
    from interlingua.repository.published import Published
    from interlingua.repository.triton_config import NetworkConfig, ServiceConfig
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.publication.candidate import Backend, Candidate, ServingOptions


@dataclass(frozen=True)
class Publication:
    """Where a candidate ended up.

    Attributes:
        digest: of what decides an answer; the services and the index carry it.
        reused: whether that version was there already, byte for byte.
    """

    models: tuple[str, ...]
    version: int
    digest: str
    reused: bool


def publish(
    candidate: Candidate,
    repository: ModelRepository,
    staging: Path,
    options: ServingOptions,
    *,
    version: int | None = None,
) -> Publication:
    """Publish a candidate, or find that the very same is published.

    Args:
        staging: the folder that `repository.staging` gave; `candidate.network` lies in it.
        version: the number wanted; None for the next one.

    Raises:
        InputError: that version exists and is another network, or the versions that are served have other
            tensors and so cannot share a configuration with this one.
    """
    return _Publishing(candidate, repository, staging, options).run(version)


def check_tensors(
    published: Published,
    spec: ModelSpec,
    family: Family,
    inputs: tuple[str, ...],
    dimension: int,
    backend: Backend = "onnxruntime",
) -> None:
    """Raises InputError where the versions that are served have other tensors, or torch in place of ONNX."""
    if not published.versions(spec.role):
        return
    there = published.family(spec.role)
    network = published.models[family.network]
    if ("torch" in (network.backend, backend)) and network.backend != backend:
        raise InputError(
            f"{published.root} serves {family.network} with the backend {network.backend}, and {spec.id} needs "
            f"{backend}. All versions of a model share one configuration: publish into another --model-repository, or "
            f"remove the folders {', '.join(there.models)} first."
        )
    if (network.inputs, there.output, network.dimension) != (inputs, family.output, dimension):
        ours, theirs = f"{', '.join(inputs)} and {dimension} ({family.output})", ", ".join(network.inputs)
        raise InputError(
            f"{published.root} serves {family.network} with inputs {theirs} and {network.dimension} values out "
            f"({there.output}); {spec.id} has {ours}. All versions of a model share one configuration: publish into "
            f"another --model-repository, or remove the folders {', '.join(there.models)} first."
        )


class _Publishing:
    """One call of `publish`."""

    def __init__(
        self, candidate: Candidate, repository: ModelRepository, staging: Path, options: ServingOptions
    ) -> None:
        self._candidate = candidate
        self._repository = repository
        self._staging = staging
        self._options = options
        self._role = candidate.spec.role
        self._family = candidate.family
        self._published = repository.read()
        self._present = self._published.versions(self._role)
        self._weights = weights_digest(candidate.network)
        spec = candidate.spec
        self._digest = answer_digest(
            self._weights,
            candidate.tokenizer_json,
            query_prompt=spec.query_prompt,
            document_prompt=spec.document_prompt,
            max_tokens=spec.max_tokens,
            templates={service: frame_of(spec, service).template for service in self._family.services},
            interaction=candidate.interaction.to_text() if candidate.interaction else "",
            empty_similarity=candidate.empty_similarity,
        )

    def run(self, wanted: int | None) -> Publication:
        candidate = self._candidate
        check_tensors(
            self._published, candidate.spec, self._family, candidate.inputs, candidate.dimension, candidate.backend
        )
        version, reused = self._choose(wanted)
        network = self._published.models.get(self._family.network)
        tensorrt = self._options.tensorrt
        others = [number for number in self._present if number != version]
        require_same_runner(network, others, tensorrt.runner if tensorrt else None)
        if not reused:
            self._stage_version(version)
        self._stage_configs(version)
        self._repository.commit()
        return Publication(self._family.models, version, self._digest, reused)

    def _choose(self, wanted: int | None) -> tuple[int, bool]:
        """The version number, and whether it is published already."""
        parameters = self._parameters(self._family.services[0])
        digests = {version: parameters.get(f"{version}/digest") for version in self._present}
        if wanted is None:
            same = next((number for number, digest in digests.items() if digest == self._digest), None)
            return (same, True) if same else (self._repository.next_version(self._role), False)
        if wanted in self._published.promotion(self._role).pruned:
            raise InputError(
                f"{self._family.network}/{wanted} was another network once and was pruned: a client may still ask for "
                "it. Leave --version out for the next number."
            )
        if wanted not in digests:
            return wanted, False
        if digests[wanted] != self._digest:
            raise InputError(
                f"{self._family.network}/{wanted} is published and is another network (digest "
                f"{str(digests[wanted])[:12]}, this one {self._digest[:12]}): a version is never changed. "
                "Leave --version out for the next number."
            )
        return wanted, True

    def _parameters(self, name: str) -> Mapping[str, str]:
        model = self._published.model(name)
        return model.parameters if model else {}

    def _kept(self, model: str, version: int) -> dict[str, str]:
        """The parameters of the other versions that are still there, what was promoted, and the bound on waiting."""
        kept = {*PROMOTION, LONGEST_WAIT, *(f"{number}" for number in self._present if number != version)}
        return {key: value for key, value in self._parameters(model).items() if key.split("/")[0] in kept}

    def _stage_version(self, version: int) -> None:
        network = self._staging / self._family.network
        network.mkdir(exist_ok=True)
        self._candidate.network.rename(network / str(version))
        tokenizers = SealedTokenizers(self._candidate.tokenizer_json)
        for service in self._family.services:
            folder = self._staging / service / str(version)
            folder.mkdir(parents=True)
            (folder / TOKENIZER_FILE).write_bytes(self._candidate.tokenizer_json)
            frame, interaction = frame_of(self._candidate.spec, service), self._candidate.interaction
            prepared = prepared_for(service, frame, interaction, tokenizers)
            (folder / PREPARED_FILE).write_bytes(prepared)

    def _stage_configs(self, version: int) -> None:
        candidate, options = self._candidate, self._options
        versions = tuple(sorted({*self._present, version}))
        kept = self._kept(self._family.network, version)
        network = network_config(candidate, options, version, versions, kept, self._weights)
        if options.tensorrt:
            network = options.tensorrt.apply(network, version, options.max_batch_tokens)
        self._stage_model(network, network.warmup)
        for name in self._family.services:
            kept = self._kept(name, version)
            service = service_config(name, candidate, options, version, versions, kept, self._digest)
            self._stage_model(service, ())

    def _stage_model(self, config: NetworkConfig | ServiceConfig, samples: Iterable[WarmupSample]) -> None:
        folder = self._staging / config.name
        folder.mkdir(exist_ok=True)
        for tensor in (tensor for sample in samples for tensor in sample.tensors):
            (folder / WARMUP).mkdir(exist_ok=True)
            (folder / WARMUP / tensor.file).write_bytes(tensor.content)
        config.write(folder)
