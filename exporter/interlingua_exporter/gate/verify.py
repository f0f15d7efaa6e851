"""Checks a published version again: the files against their digests, the configs against the files, then the gate.

model repository --published--> PublishedVersion --check_files--> faults;  source at hand --run_gate--> GateReport
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.published import PublishedVersion, precision_of
from interlingua.repository.triton_config import STAGES, TOKENS, parameters_of, versions_of
from interlingua.repository.warmup_samples import FOLDER as WARMUP
from interlingua.served.graph_names import TOKENIZER_FILE
from interlingua.served.service import EMBED_QUERY
from interlingua_exporter.gate.parity import GateReport, run_gate
from interlingua_exporter.graphs.network_session import open_network
from interlingua_exporter.publication.configuration import TRUST
from interlingua_exporter.publication.digests import answer_digest, weights_digest
from interlingua_exporter.publication.tensorrt_serving import runner_of
from interlingua_exporter.texts.text_frame import frame_of
from interlingua_exporter.weights.dummy_folder import is_dummy

if TYPE_CHECKING:
    from interlingua.repository.model_repository import ModelRepository
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.network_session import NetworkSession


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
