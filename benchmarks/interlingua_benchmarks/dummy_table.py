"""Catalogue entries in their true shape with random weights, on this machine: `make dummy-table`.

ID --`interlingua export --weights dummy`, a fresh process--> seconds, peak memory, gate --loadtest.dummy_figures-->
tokens a second, the answer through Triton --> a row of a Markdown table; the export is deleted before the next one

Weights are random and the tokenizer is a stand-in: the figures say nothing of quality. Peak memory is the resident set
at its largest, pages of mapped weight files among it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import ExportError, InputError
from interlingua.base.paths import PROJECT_ROOT
from interlingua_exporter.models import catalog
from interlingua_exporter.models.memory_need import parameters
from interlingua_exporter.models.this_machine import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from interlingua_exporter.models.spec import ModelSpec

MODELS = (
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    "intfloat/multilingual-e5-base",
    "BAAI/bge-m3",
    "BAAI/bge-reranker-v2-m3",
    "Qwen/Qwen3-Embedding-0.6B",
    "Qwen/Qwen3-Reranker-0.6B",
)

_ROOT = PROJECT_ROOT / "build" / "dummy-table"
_PACKAGES = ("torch", "transformers", "onnxruntime")
_SAME = 1e-4  # relative: the gate's bound for an embedder in fp32
# A client wants an embedder: beside a reranker lies this one, of two layers.
_COMPANION = "dummy/companion"
_COMPANION_ENTRY = f"""
[[model]]
id = "{_COMPANION}"
role = "embedder"
max_tokens = 64
source = {{ reader = "hub" }}
specials = {{ start = 0, end = 2, pad = 1 }}
[model.network]
architecture = "BertModel"
hidden = 32
layers = 2
heads = 4
feed_forward = 64
vocabulary = 20_000
parameters = 674_656
"""


@dataclass(frozen=True, kw_only=True)
class DummyRow:
    """One model's line.

    Attributes:
        export_s: of the whole command: weights, ONNX, gate, publication.
        peak_bytes: of its process.
        disk_bytes: of the network and its services, as published.
        parity: the gate's largest error against torch, and where its bound lies.
        figures: as interlingua_benchmarks/dummy_figures.py gives them.
    """

    spec: ModelSpec
    export_s: float
    peak_bytes: int
    disk_bytes: int
    parity: tuple[float, float]
    figures: dict[str, float]

    def markdown(self) -> str:
        apart = self.figures["served_difference"]
        served = f"{'yes' if apart <= _SAME else 'NO'}, {apart:.0e} apart"
        cells = (
            self.spec.id,
            f"{parameters(self.spec) / 1e6:.0f} M",
            f"{self.export_s:.0f}",
            f"{self.peak_bytes / 1e9:.1f}",
            f"{self.disk_bytes / 1e9:.2f}",
            f"{self.figures['tokens_per_second']:.0f}",
            f"{self.parity[0]:.0e} (<= {self.parity[1]:g})",
            served,
        )
        return f"| {' | '.join(cells)} |"


@click.command()
@click.argument("models", nargs=-1)
@click.option("--max-tokens", type=click.IntRange(8), default=512, show_default=True, help="Longer texts are cut.")
def main(models: tuple[str, ...], max_tokens: int) -> None:
    """Export every model (six without MODELS) with random weights, measure it, and print a Markdown table."""
    specs = [_entry(name) for name in models or MODELS]
    click.echo(_heading(max_tokens))
    for spec in specs:
        row = _measured(spec, min(max_tokens, spec.max_tokens))
        click.echo(row.markdown())


def _entry(name: str) -> ModelSpec:
    spec = catalog.find(name)
    if spec is None:
        raise InputError(f"{name!r} is not in the catalogue. {catalog.suggestion(name)}")
    return spec


def _measured(spec: ModelSpec, max_tokens: int) -> DummyRow:
    with _empty(_ROOT) as root:
        repository = root / "models"
        one = ("--model-repository", repository, "--instances", 1, "--threads", cores())
        exported = _run(_export(spec.id, *one, "--max-tokens", max_tokens, "--json"))
        size = sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())
        facts = json.loads(exported.output)
        parity = next(figure for figure in facts["gate"]["figures"] if figure["name"] == "error against torch")
        if spec.role == "reranker":
            own = root / "companion.toml"
            own.write_text(_COMPANION_ENTRY, encoding="utf-8")
            _run(_export(_COMPANION, *one, "--catalog", own))
        measured = _run(["-P", "-m", "interlingua_benchmarks.dummy_figures", str(repository), spec.role])
        click.echo(f"{spec.id}: export {exported.seconds:.0f} s, figures {measured.seconds:.0f} s", err=True)
        worst = (parity["worst"], parity["bound"])
        return DummyRow(
            spec=spec,
            export_s=exported.seconds,
            peak_bytes=exported.peak_bytes,
            disk_bytes=size,
            parity=worst,
            figures=json.loads(measured.output),
        )


def _export(model: str, *options: object) -> list[str]:
    return ["-P", "-m", "interlingua", "export", model, "--weights", "dummy", *map(str, options)]


@dataclass(frozen=True)
class _Finished:
    output: str
    seconds: float
    peak_bytes: int


def _run(arguments: Sequence[str]) -> _Finished:
    """A fresh Python; its stderr is ours. Raises ExportError: it failed."""
    began = time.perf_counter()
    environment = os.environ | {"TMPDIR": str(_ROOT)}  # the weights, before they are ONNX: not into memory
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT, env=environment)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)  # the one way to the peak of this process alone
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ExportError(f"`python {' '.join(arguments)}` failed with exit code {process.returncode}")
    return _Finished(output, time.perf_counter() - began, usage.ru_maxrss * 1024)


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    """A new folder that is gone afterwards; gigabytes go into it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _heading(max_tokens: int) -> str:
    from interlingua_loadtest.run.environment import describe_environment

    facts: dict[str, Any] = describe_environment(None)
    hardware = facts["hardware"]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{hardware['cores_allowed']} cores of {hardware['cpu']}, {hardware['memory_mb'] / 1000:.0f} GB, Python "
        f"{platform.python_version()}, {versions}, {datetime.now(UTC):%Y-%m-%d}, commit {_commit(facts)}. fp32, texts "
        f"cut at {max_tokens} tokens, random weights. Tokens a second are real ones, in process, one session on all "
        "cores, the gate's texts (1, 4 and 8 sentences in 13 languages) in batches of at most 1024 padded tokens.\n\n"
        "| model | parameters | export and gate, s | peak memory, GB | on disk, GB | tokens/s | error against torch, "
        "worst | the same through Triton |\n|---|---|---|---|---|---|---|---|"
    )


def _commit(facts: dict[str, Any]) -> str:
    changed = " with changes" if facts["modified"] else ""
    return f"{(facts['commit'] or 'unknown')[:7]}{changed}"


if __name__ == "__main__":
    from interlingua_benchmarks.command import run

    run(main)
