"""`interlingua export verify`: every published version, its files first, then its values where its source is at hand.

model repository --Published.read--> versions --check_files, check_answers--> a line (or JSON) a version
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import ArchiveError, InputError
from interlingua.base.extras import require
from interlingua_cli.exporting.options import (
    cores,
    json_option,
    overrides_of,
    published_option,
    source_options,
    weights_option,
)
from interlingua_cli.exporting.report import gate_facts, print_gate
from interlingua_cli.options.deployment_options import say

if TYPE_CHECKING:
    from interlingua.repository.published import PublishedVersion
    from interlingua_exporter.export_request import Weights
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.catalog import Entry
    from interlingua_exporter.models.resolve import ResolvedModel

    Loaded = Callable[[ResolvedModel], Checkpoint]


@click.command()
@source_options
@weights_option
@published_option
@click.option("--version", type=click.IntRange(1), help="Check this version alone.  [default: all]")
@json_option
def command(
    model: str | None,
    catalog: Path | None,
    weights: Weights,
    model_repository: Path,
    version: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Check what is published again: its files, and its values where its source is at hand. Publishes nothing.

    MODEL is what to compare with; without it the catalogue's, where that has the published model. A version that is
    not as it was published, or is another model, ends with an error.
    """
    require("export")
    from interlingua.repository.published import Published
    from interlingua_exporter.gate.verify import check_files
    from interlingua_exporter.models.catalog import entries
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights import sources
    from interlingua_exporter.weights.dummy import dummy_folder

    load = sources.load if weights == "real" else dummy_folder.load
    loaded = partial(load, overrides=overrides_of(options))
    source = resolve(model, catalog) if model else None
    known, facts = entries(catalog), []
    for found in Published.read(model_repository).all_versions(version):
        say(f"checking the files of {found.name} and its services")
        check_files(found)
        gate, reason = _compared(source, found, known, loaded)
        facts.append(_facts(found, gate))
        if not as_json:
            _print_version(found, gate, reason)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))


def _compared(
    model: ResolvedModel | None, found: PublishedVersion, known: tuple[Entry, ...], loaded: Loaded
) -> tuple[GateReport | None, str]:
    """The gate's report, or why there is none."""
    from interlingua_exporter.gate.verify import check_answers, is_plan
    from interlingua_exporter.models.catalog import find
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.weights.dummy.dummy_folder import is_dummy

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
        say(f"comparing {found.name} with torch")
        return check_answers(found, checkpoint, cores()), ""
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
