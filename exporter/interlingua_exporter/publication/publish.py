"""A network that passed its gate becomes the next version of a network and its services.

Candidate + what is published already --> configs, tokenizers, warm-up samples --commit--> model repository
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.model_repository import FAMILIES, Family, ModelRepository
from interlingua.repository.triton_config import CONFIG_FILE, parameters_of, write_config
from interlingua.repository.warmup_samples import FOLDER as WARMUP
from interlingua.repository.warmup_samples import WarmupSample
from interlingua.served.graph_names import TOKENIZER_FILE
from interlingua.served.promotion import KEYS as PROMOTION
from interlingua_exporter.publication.configuration import network_config, service_config
from interlingua_exporter.publication.digests import answer_digest, weights_digest
from interlingua_exporter.publication.tensorrt_serving import require_same_runner
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.publication.candidate import Backend, Candidate, ServingOptions


@dataclass(frozen=True)
class Published:
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
) -> Published:
    """Publish a candidate, or find that the very same is published.

    Args:
        staging: the folder that `repository.staging` gave; `candidate.network` lies in it.
        version: the number wanted; None for the next one.

    Raises:
        InputError: that version exists and is another network, or the versions that are served have other
            tensors and so cannot share a configuration with this one.
    """
    return _Publication(candidate, repository, staging, options).run(version)


def check_tensors(
    repository: ModelRepository,
    spec: ModelSpec,
    inputs: tuple[str, ...],
    dimension: int,
    backend: Backend = "onnxruntime",
) -> None:
    """Raises InputError where the versions that are served have other tensors, or torch in place of ONNX."""
    family = FAMILIES[spec.role]
    config = repository.config(family.network) if repository.versions(family) else None
    if config is None:
        return
    if ("torch" in (config.backend, backend)) and config.backend != backend:
        raise InputError(
            f"{repository.root} serves {family.network} with the backend {config.backend}, and {spec.id} needs "
            f"{backend}. All versions of a model share one configuration: publish into another --model-repository, or "
            f"remove the folders {', '.join(family.models)} first."
        )
    theirs = (tuple(entry.name for entry in config.input), config.output[0].dims[0])
    if theirs != (inputs, dimension):
        raise InputError(
            f"{repository.root} serves {family.network} with inputs {', '.join(theirs[0])} and {theirs[1]} values "
            f"out; {spec.id} has {', '.join(inputs)} and {dimension}. All versions of a model share one "
            "configuration: publish into another --model-repository, or remove the folders "
            f"{', '.join(family.models)} first."
        )


class _Publication:
    """One call of `publish`."""

    def __init__(
        self, candidate: Candidate, repository: ModelRepository, staging: Path, options: ServingOptions
    ) -> None:
        self._candidate = candidate
        self._repository = repository
        self._staging = staging
        self._options = options
        self._family: Family = FAMILIES[candidate.spec.role]
        self._present = repository.versions(self._family)
        self._weights = weights_digest(candidate.network)
        spec = candidate.spec
        self._digest = answer_digest(
            self._weights,
            candidate.tokenizer_json,
            query_prompt=spec.query_prompt,
            document_prompt=spec.document_prompt,
            max_tokens=spec.max_tokens,
            templates={service: frame_of(spec, service).template for service in self._family.services},
        )

    def run(self, wanted: int | None) -> Published:
        candidate = self._candidate
        check_tensors(
            self._repository, candidate.spec, candidate.inputs, candidate.dimension, backend=candidate.backend
        )
        version, reused = self._choose(wanted)
        network = self._repository.config(self._family.network)
        tensorrt = self._options.tensorrt
        others = [number for number in self._present if number != version]
        require_same_runner(network, others, tensorrt.runner if tensorrt else None)
        if not reused:
            self._stage_version(version)
        self._stage_configs(version)
        self._repository.commit()
        return Published(self._family.models, version, self._digest, reused)

    def _choose(self, wanted: int | None) -> tuple[int, bool]:
        """The version number, and whether it is published already."""
        parameters = self._parameters(self._family.services[0])
        digests = {version: parameters.get(f"{version}/digest") for version in self._present}
        if wanted is None:
            same = next((number for number, digest in digests.items() if digest == self._digest), None)
            return (same, True) if same else (self._repository.next_version(self._family), False)
        if wanted in self._repository.promotion(self._family).pruned:
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

    def _parameters(self, model: str) -> dict[str, str]:
        config = self._repository.config(model)
        return parameters_of(config) if config else {}

    def _kept(self, model: str, version: int) -> dict[str, str]:
        """The parameters of the other versions that are still there, and what was promoted."""
        kept = {*PROMOTION, *(f"{number}" for number in self._present if number != version)}
        return {key: value for key, value in self._parameters(model).items() if key.split("/")[0] in kept}

    def _stage_version(self, version: int) -> None:
        network = self._staging / self._family.network
        network.mkdir(exist_ok=True)
        self._candidate.network.rename(network / str(version))
        for service in self._family.services:
            folder = self._staging / service / str(version)
            folder.mkdir(parents=True)
            (folder / TOKENIZER_FILE).write_bytes(self._candidate.tokenizer_json)

    def _stage_configs(self, version: int) -> None:
        candidate, options = self._candidate, self._options
        versions = tuple(sorted({*self._present, version}))
        kept = self._kept(self._family.network, version)
        network = network_config(candidate, options, version, versions, kept, self._weights)
        message = network.message()
        if options.tensorrt:
            options.tensorrt.apply(message, version, options.max_batch_tokens)
        self._stage_model(network.name, message, network.warmup)
        for name in self._family.services:
            kept = self._kept(name, version)
            service = service_config(name, candidate, options, version, versions, kept, self._digest)
            self._stage_model(name, service.message(), ())

    def _stage_model(self, name: str, message: object, samples: Iterable[WarmupSample]) -> None:
        folder = self._staging / name
        folder.mkdir(exist_ok=True)
        for tensor in (tensor for sample in samples for tensor in sample.tensors):
            (folder / WARMUP).mkdir(exist_ok=True)
            (folder / WARMUP / tensor.file).write_bytes(tensor.content)
        write_config(message, folder / CONFIG_FILE)
