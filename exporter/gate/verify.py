"""Checks a published version again: the files against their digests, the configs against the files, then the gate.

model repository --read--> PublishedVersion --check_files--> faults;  source at hand --run_gate--> GateReport
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.digests import answer_digest, weights_digest
from exporter.gate.parity import GateReport, run_gate
from exporter.graphs.network_session import open_network
from exporter.models.spec import PRECISIONS, Precision, Role
from exporter.publication.configuration import TRUST
from exporter.publication.publish import TOKENIZER_FILE
from exporter.publication.repository import FAMILIES, Family, ModelRepository
from exporter.publication.triton_config import STAGES, TOKENS, parameters_of, versions_of
from exporter.publication.warmup import FOLDER as WARMUP
from exporter.tensorrt.serving import runner_of
from exporter.weights.dummy_folder import is_dummy
from exporter.weights.text_frame import frame_of
from interlingua.errors import ExportError, InputError
from interlingua.service import EMBED_QUERY, ServiceSpec

if TYPE_CHECKING:
    from tritonclient.grpc import model_config_pb2 as pb

    from exporter.graphs.network_session import NetworkSession
    from exporter.weights.checkpoint import Checkpoint


@dataclass(frozen=True)
class PublishedVersion:
    """One version of a family as the repository has it.

    Attributes:
        specs: what each service says about itself.
        configs: of the network and the services, by name.
    """

    role: Role
    version: int
    specs: dict[str, ServiceSpec]
    configs: dict[str, pb.ModelConfig]

    @property
    def family(self) -> Family:
        return FAMILIES[self.role]

    @property
    def spec(self) -> ServiceSpec:
        """The first service's; the services differ in their prompts and templates only."""
        return self.specs[self.family.services[0]]


def published(repository: ModelRepository, version: int | None = None) -> list[PublishedVersion]:
    """Every published version, or those of one number.

    Raises:
        InputError: there is none, or a configuration cannot be read.
    """
    found = [
        _read(repository, role, number)
        for role, family in FAMILIES.items()
        for number in repository.versions(family)
        if version in (None, number)
    ]
    if not found:
        wanted = "" if version is None else f" with the number {version}"
        raise InputError(f"{repository.root} has no published version{wanted}: run `interlingua export` first")
    return found


def check_files(repository: ModelRepository, found: PublishedVersion) -> None:
    """Compare a version's files with its configurations.

    Raises:
        ExportError: naming everything that differs.
    """
    faults = [*_network_faults(repository, found), *_service_faults(repository, found)]
    if faults:
        raise ExportError(f"{found.family.network}/{found.version} is not what was published: {'; '.join(faults)}")


def check_answers(
    repository: ModelRepository, found: PublishedVersion, checkpoint: Checkpoint, threads: int
) -> GateReport:
    """The gate on a published network, against its source.

    Raises:
        ExportError: the gate fails.
        InputError: the source is another model, or has other prompts, templates or limits, than what was published;
            or the network is a TensorRT plan.
    """
    if is_plan(found):
        raise InputError(
            f"{found.family.network}/{found.version} is a TensorRT plan, which only TensorRT can run: its files can be "
            "checked (without MODEL), and docs/tensorrt.md tells how to compare its answers"
        )
    spec, theirs = checkpoint.spec, found.spec
    if (spec.role, spec.id) != (found.role, theirs.model_id):
        raise InputError(f"{found.family.network}/{found.version} is {theirs.model_id}, not {spec.id}")
    if is_dummy(spec.revision) != is_dummy(theirs.revision):
        raise InputError(
            f"{found.family.network}/{found.version} has revision {theirs.revision or 'unknown'}, the source "
            f"{spec.revision or 'unknown'}: random weights compare with random ones only, with --weights dummy"
        )
    frames = {name: its.frame for name, its in found.specs.items()}
    if spec.max_tokens != theirs.max_tokens or frames != {name: frame_of(spec, name) for name in frames}:
        raise InputError(
            f"{spec.id} has other prompts, templates or another limit than {found.family.network}/{found.version} was "
            "published with; give the options of that export"
        )
    return run_gate(checkpoint, open_published(repository, found, threads), precision_of(found))


def precision_of(found: PublishedVersion) -> Precision:
    """The version's precision. Raises InputError: it is none of ours."""
    for precision in PRECISIONS:
        if precision == found.spec.precision:
            return precision
    raise InputError(f"{found.family.network}/{found.version} has precision {found.spec.precision!r}")


def _read(repository: ModelRepository, role: Role, version: int) -> PublishedVersion:
    family = FAMILIES[role]
    configs = {name: config for name in family.models if (config := repository.config(name)) is not None}
    specs = {}
    for name in family.services:
        try:
            specs[name] = ServiceSpec.from_parameters(parameters_of(configs[name]), version)
        except (KeyError, ValueError) as error:
            raise InputError(f"{name}/config.pbtxt lacks a parameter of version {version}: {error}") from error
    return PublishedVersion(role, version, specs, configs)


def is_plan(found: PublishedVersion) -> bool:
    """Whether the network runs nowhere but in TensorRT."""
    return runner_of(found.configs[found.family.network]) == "tensorrt-plan"


def open_published(repository: ModelRepository, found: PublishedVersion, threads: int) -> NetworkSession:
    """A version's network. Raises ExportError: it does not load.

    Code of the model's own runs, at the first batch, where the version was published with it: every server of the
    repository runs it, too.
    """
    name = found.family.network
    trusted = parameters_of(found.configs[name]).get(f"{found.version}/{TRUST}") == "true"
    folder = repository.version_folder(name, found.version)
    return open_network(folder, threads=threads, trust_remote_code=trusted)


def _network_faults(repository: ModelRepository, found: PublishedVersion) -> list[str]:
    name, config = found.family.network, found.configs[found.family.network]
    stated = parameters_of(config).get(f"{found.version}/weights_digest", "missing")
    actual = weights_digest(repository.version_folder(name, found.version))
    if actual != stated:
        return [f"{name}'s files have digest {actual[:12]}, its config says {stated[:12]}"]
    faults = [] if is_plan(found) else _tensor_faults(repository, found)
    for sample in config.model_warmup:
        for tensor in sample.inputs.values():
            path = repository.root / name / WARMUP / tensor.input_data_file
            if not path.is_file() or path.stat().st_size != 8 * tensor.dims[0]:
                faults.append(f"warm-up file {path.name} is missing or has the wrong size")
    return faults


def _tensor_faults(repository: ModelRepository, found: PublishedVersion) -> list[str]:
    name, config = found.family.network, found.configs[found.family.network]
    session = open_published(repository, found, threads=1)
    faults = []
    for kind, declared, real in (
        ("inputs", config.input, session.inputs),
        ("outputs", config.output, session.outputs),
    ):
        if [entry.name for entry in declared] != [entry.name for entry in real]:
            faults.append(f"{name}'s {kind} are {[entry.name for entry in real]}, its config says otherwise")
    if session.outputs[0].shape[-1] != config.output[0].dims[0]:
        faults.append(f"{name} gives {session.outputs[0].shape[-1]} values, its config says {config.output[0].dims[0]}")
    return faults


def _service_faults(repository: ModelRepository, found: PublishedVersion) -> list[str]:
    network = found.configs[found.family.network]
    weights = parameters_of(network).get(f"{found.version}/weights_digest", "")
    inputs = ",".join(entry.name for entry in network.input)
    prompts = [spec.prompt for spec in found.specs.values()]
    faults = []
    for name, spec in found.specs.items():
        path = repository.version_folder(name, found.version) / TOKENIZER_FILE
        if not path.is_file():
            faults.append(f"{name} has no {TOKENIZER_FILE}")
            continue
        digest = answer_digest(
            weights,
            path.read_bytes(),
            query_prompt=found.specs[EMBED_QUERY].prompt if EMBED_QUERY in found.specs else "",
            document_prompt=prompts[-1],
            max_tokens=spec.max_tokens,
            templates={service: its.template for service, its in found.specs.items()},
        )
        if digest != spec.digest:
            what = f"{name}'s tokenizer, prompts, templates and network"
            faults.append(f"{what} give digest {digest[:12]}, not {spec.digest[:12]}")
        if (spec.network, spec.network_inputs) != (found.family.network, inputs):
            faults.append(f"{name} calls {spec.network} with {spec.network_inputs}, which is not {inputs}")
        shapes = {entry.name: entry.dims[0] for entry in found.configs[name].output}
        if shapes != {found.family.output: network.output[0].dims[0], TOKENS: 1, STAGES: 3}:
            faults.append(f"{name}'s outputs are {shapes}")
        if versions_of(found.configs[name]) != versions_of(network):
            faults.append(f"{name} serves other versions than {found.family.network}")
    return faults
