"""`interlingua export --verify`: every published version, its files first, then its values where its source is at hand.

model repository --Published.read--> versions --check_files, check_answers--> a line (or JSON) a version
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import ArchiveError, InputError
from interlingua_cli.export_report import gate_facts, print_gate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interlingua.repository.published import PublishedVersion
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.catalog import Entry
    from interlingua_exporter.models.resolve import ResolvedModel

    Loaded = Callable[[ResolvedModel], Checkpoint]


def verify_published(
    model: ResolvedModel | None,
    root: Path,
    version: int | None,
    catalogue: Path | None,
    loaded: Loaded,
    threads: int,
    progress: Callable[[str], None],
    *,
    as_json: bool,
) -> None:
    """Prints what was found of each version.

    Args:
        model: source to compare with; without it the catalogue's, where that has the published model.
        loaded: from a source to the model.

    Raises:
        InputError, ExportError: a version is not as it was published, or `model` is another one.
    """
    from interlingua.repository.published import Published
    from interlingua_exporter.gate.verify import check_files
    from interlingua_exporter.models.catalog import entries

    known, facts = entries(catalogue), []
    for found in Published.read(root).all_versions(version):
        progress(f"checking the files of {found.name} and its services")
        check_files(found)
        gate, reason = _compared(model, found, known, loaded, threads, progress)
        facts.append(_facts(found, gate))
        if not as_json:
            _print_version(found, gate, reason)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))


def _compared(
    model: ResolvedModel | None,
    found: PublishedVersion,
    known: tuple[Entry, ...],
    loaded: Loaded,
    threads: int,
    progress: Callable[[str], None],
) -> tuple[GateReport | None, str]:
    """The gate's report, or why there is none."""
    from interlingua_exporter.gate.verify import check_answers, is_plan
    from interlingua_exporter.models.catalog import find
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.weights.dummy_folder import is_dummy

    if is_dummy(found.spec.revision) and not model:
        return None, f"its weights are random; {found.spec.model_id} --weights dummy makes them again"
    if is_plan(found) and not model:
        return None, "a TensorRT plan runs in TensorRT alone (docs/tensorrt.md)"
    entry = find(found.spec.model_id, known)
    source = model or (entry and ResolvedModel(entry.id, entry))
    if not source:
        return None, "its source is not in the catalogue; give MODEL to compare with torch"
    try:
        checkpoint = loaded(source)
        progress(f"comparing {found.name} with torch")
        return check_answers(found, checkpoint, threads), ""
    except (ArchiveError, InputError) as error:
        if model:
            raise
        return None, f"its source is not at hand ({error})"


def _facts(found: PublishedVersion, gate: GateReport | None) -> dict[str, Any]:
    return {
        "model": found.spec.model_id,
        "precision": found.spec.precision,
        "network": found.name,
        "digest": found.spec.digest,
        "files": "as published",
        "gate": gate_facts(gate) if gate else None,
    }


def _print_version(found: PublishedVersion, gate: GateReport | None, reason: str) -> None:
    click.echo(f"{found.name} ({found.spec.model_id}, {found.spec.precision}): every file is as it was published")
    if gate:
        print_gate(gate)
    else:
        click.echo(f"values were not compared: {reason}")
