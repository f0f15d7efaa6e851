"""Checks a published version again: the files against their digests, the configs against the files, then the gate.

PublishedVersion --check_files--> faults;  source at hand --run_gate--> GateReport
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError, InputError
from interlingua.base.processor import this_processor
from interlingua.repository.families import output_of
from interlingua.repository.triton_config import WEIGHT_BITS
from interlingua.repository.warmup_samples import FOLDER as WARMUP
from interlingua.served.graph_names import EMBEDDING, MODEL_FILE, PREPARED_FILE, STAGES, TOKENIZER_FILE, TOKENS
from interlingua.served.kinds import EXACT_BITS
from interlingua.served.late_interaction.side_services import interaction_of, prepared_for
from interlingua.served.service import EMBED_QUERY
from interlingua.served.text.sealed import SealedTokenizers
from interlingua_exporter.gate.library_gate import ask_libraries
from interlingua_exporter.gate.parity import GateReport, run_gate
from interlingua_exporter.graphs.network_session import open_network
from interlingua_exporter.graphs.onnx.saturation import require_exact, saturating
from interlingua_exporter.publication.configuration import TRUST
from interlingua_exporter.publication.digests import answer_digest, weights_digest
from interlingua_exporter.publication.tensorrt_serving import runner_of
from interlingua_exporter.texts.text_frame import frame_of
from interlingua_exporter.weights.dummy.dummy_folder import is_dummy

if TYPE_CHECKING:
    from interlingua.repository.published import PublishedVersion
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.network_session import NetworkSession


def check_files(found: PublishedVersion) -> None:
    """Compare a version's files with its configurations.

    Raises:
        ExportError: naming everything that differs; or int8 products are inexact on this CPU.
    """
    faults = [*_network_faults(found), *_service_faults(found)]
    if faults:
        raise ExportError(f"{found.name} is not what was published: {'; '.join(faults)}")
    if found.spec.precision == "int8":
        _require_exact_here(found)


def _require_exact_here(found: PublishedVersion) -> None:
    """Raises ExportError: int8 products are inexact where the configuration says otherwise, or on this CPU."""
    path, processor = found.folder / MODEL_FILE, this_processor()
    if found.stated(WEIGHT_BITS) == str(EXACT_BITS):
        require_exact(path)
    elif processor.saturates and found.network.kind == "cpu" and saturating(path):
        raise ExportError(
            f"{found.name} is int8 with weights of 8 bits, which this CPU, {processor}, multiplies wrongly: it shows "
            "no VNNI. Nothing it answers here can be trusted; export again with --weight-bits 7 (the default)"
        )


def check_answers(found: PublishedVersion, checkpoint: Checkpoint, threads: int) -> GateReport:
    """The gate on a published network, against its source.

    Raises:
        ExportError: the gate fails.
        InputError: the source is another model, or has other prompts, templates or limits, than what was published;
            or the network is a TensorRT plan.
    """
    if is_plan(found):
        raise InputError(
            f"{found.name} is a TensorRT plan, which only TensorRT can run: its files can be "
            "checked (without MODEL), and docs/tensorrt.md tells how to compare its answers"
        )
    spec, theirs = checkpoint.spec, found.spec
    if (spec.role, spec.id) != (found.role, theirs.model_id):
        raise InputError(f"{found.name} is {theirs.model_id}, not {spec.id}")
    if is_dummy(spec.revision) != is_dummy(theirs.revision):
        raise InputError(
            f"{found.name} has revision {theirs.revision or 'unknown'}, the source "
            f"{spec.revision or 'unknown'}: random weights compare with random ones only, with --weights dummy"
        )
    frames = {name: its.frame for name, its in found.specs.items()}
    interaction = checkpoint.interaction.to_text() if checkpoint.interaction else ""
    if bool(interaction) != bool(theirs.interaction):
        raise InputError(
            f"{found.name} gives {found.family.output}, {spec.id} is now a network with {checkpoint.output}: export it "
            "again, into another --model-repository"
        )
    if (
        interaction != theirs.interaction
        or spec.max_tokens != theirs.max_tokens
        or frames != {name: frame_of(spec, name) for name in frames}
    ):
        raise InputError(
            f"{spec.id} has other prompts, templates or another limit than {found.name} was "
            "published with; give the options of that export"
        )
    libraries = ask_libraries(checkpoint)
    return run_gate(checkpoint, open_published(found, threads), found.precision, libraries=libraries)


def is_plan(found: PublishedVersion) -> bool:
    """Whether the network runs nowhere but in TensorRT."""
    return runner_of(found.network) == "tensorrt-plan"


def open_published(found: PublishedVersion, threads: int) -> NetworkSession:
    """A version's network. Raises ExportError: it does not load.

    Code of the model's own runs, at the first batch, where the version was published with it: every server of the
    repository runs it, too.
    """
    return open_network(found.folder, threads=threads, trust_remote_code=found.stated(TRUST) == "true")


def _network_faults(found: PublishedVersion) -> list[str]:
    network = found.network
    stated = found.stated("weights_digest") or "missing"
    actual = weights_digest(found.folder)
    if actual != stated:
        return [f"{network.name}'s files have digest {actual[:12]}, its config says {stated[:12]}"]
    faults = [] if is_plan(found) else _tensor_faults(found)
    for name, length in network.warmup:
        path = network.folder / WARMUP / name
        if not path.is_file() or path.stat().st_size != 8 * length:
            faults.append(f"warm-up file {name} is missing or has the wrong size")
    return faults


def _tensor_faults(found: PublishedVersion) -> list[str]:
    network, session = found.network, open_published(found, threads=1)
    faults = []
    for kind, declared, real in (
        ("inputs", network.inputs, session.inputs),
        ("outputs", tuple(network.outputs), session.outputs),
    ):
        names = [entry.name for entry in real]
        if list(declared) != names:
            faults.append(f"{network.name}'s {kind} are {names}, its config says otherwise")
    values = session.outputs[0].shape[-1]
    if values != network.dimension:
        faults.append(f"{network.name} gives {values} values, its config says {network.dimension}")
    return faults


def _service_faults(found: PublishedVersion) -> list[str]:
    network, inputs = found.network, ",".join(found.network.inputs)
    prompts = [spec.prompt for spec in found.specs.values()]
    faults = []
    for name, spec in found.specs.items():
        path = found.tokenizer(name)
        if not path.is_file():
            faults.append(f"{name} has no {TOKENIZER_FILE}")
            continue
        digest = answer_digest(
            found.stated("weights_digest"),
            path.read_bytes(),
            query_prompt=found.specs[EMBED_QUERY].prompt if EMBED_QUERY in found.specs else "",
            document_prompt=prompts[-1],
            max_tokens=found.spec.max_tokens,
            templates={service: its.template for service, its in found.specs.items()},
            interaction=spec.interaction,
            empty_similarity=spec.empty_similarity,
        )
        prepared = path.with_name(PREPARED_FILE)
        if digest != spec.digest:
            what = f"{name}'s tokenizer, prompts, templates and network"
            faults.append(f"{what} give digest {digest[:12]}, not {spec.digest[:12]}")
        elif prepared.is_file() and prepared.read_bytes() != prepared_for(
            name, spec.frame, interaction_of(spec), SealedTokenizers(path.read_bytes())
        ):
            faults.append(f"{name}'s {PREPARED_FILE} is not what its {TOKENIZER_FILE} gives")
        if (spec.network, spec.network_inputs) != (network.name, inputs):
            faults.append(f"{name} calls {spec.network} with {spec.network_inputs}, which is not {inputs}")
        shapes, output = found.models[name].outputs, output_of(name)
        size = network.dimension if output == EMBEDDING else 1
        if shapes != {output: size, TOKENS: 1, STAGES: 3}:
            faults.append(f"{name}'s outputs are {shapes}")
        if found.models[name].named != network.named:
            faults.append(f"{name} serves other versions than {network.name}")
    return faults
