"""How far engines and CPUs differ on one file, and what mixing them costs: `python -m
interlingua_benchmarks.engine_table`.

    helpdesk12's texts --tokens--> model.onnx in each engine's own interpreter --> vectors
    --> cosine to fp32 and to the first engine; nDCG@10 with documents by the first and questions by each

An engine is an interpreter that has numpy and onnxruntime; `--older-cpu` runs it once more behind a library that hides
AVX-512 and VNNI (tests/older_cpu.c, `make older-cpu`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.extras import require
from interlingua.base.processor import this_processor
from interlingua_benchmarks.command import run

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.language_offsets import LanguageMeans
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.gap.gap_study import GapRow

_RUN = """
import sys, numpy as np, onnxruntime as ort
tokens, model, answers = sys.argv[1:]
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
session = ort.InferenceSession(model, options)
ids = np.load(tokens)
rows = [ids[name][None] for name in sorted(ids.files)]
feeds = [{"input_ids": x, "attention_mask": np.ones_like(x)} for x in rows]
np.save(answers, np.concatenate([session.run(None, feed)[0] for feed in feeds]))
print(ort.__version__)
"""


@dataclass(frozen=True)
class Answers:
    """What an engine makes of all texts.

    Attributes:
        vectors: float32 [documents and then queries, D].
    """

    engine: str
    vectors: FloatArray


@click.command()
@click.option(
    "--python",
    "pythons",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An interpreter with another onnxruntime; repeat.",
)
@click.option(
    "--older-cpu", type=click.Path(path_type=Path, exists=True), help="A library that hides AVX-512 and VNNI."
)
def main(pythons: tuple[Path, ...], older_cpu: Path | None) -> None:
    """Print a table for int8 with weights of 7 and of 8 bits, as Markdown."""
    require("evaluate")
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
    from interlingua_exporter.models.catalog import DEFAULT_MODEL
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.precision.build import convert, write_full
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.sources import load

    dataset, checkpoint = open_dataset("helpdesk12"), load(resolve(DEFAULT_MODEL), Overrides())
    texts = [checkpoint.spec.document_prompt + document.indexed.passage for document in dataset.documents]
    texts += [checkpoint.spec.query_prompt + query.text for query in dataset.queries]
    click.echo(f"{this_processor()}, helpdesk12, {checkpoint.spec.id}, nDCG@10 with {FORMULAS[DEFAULT]}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = {
            f"{number:06d}": np.array(one.ids) for number, one in enumerate(checkpoint.text_encoder().encode(texts))
        }
        np.savez(folder / "tokens.npz", **rows)  # type: ignore[arg-type]
        write_full(checkpoint, folder / "fp32")
        own = Path(sys.executable)
        full = _answers(own, folder / "fp32" / MODEL_FILE, folder, None).vectors
        for bits in (7, 8):
            network = folder / f"int8-{bits}"
            convert(checkpoint, folder / "fp32", "int8", network, 1, bits)
            cpus = [None, older_cpu] if older_cpu else [None]
            answers = [
                _answers(python, network / MODEL_FILE, folder, cpu) for python in (own, *pythons) for cpu in cpus
            ]
            _print(bits, dataset, full, answers)


def _answers(python: Path, model: Path, folder: Path, older_cpu: Path | None) -> Answers:
    environment = dict(os.environ) | ({"LD_PRELOAD": str(older_cpu.resolve())} if older_cpu else {})
    command = [str(python), "-c", _RUN, str(folder / "tokens.npz"), str(model), str(folder / "answers.npy")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"{python} cannot run the network: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
    cpu = "AVX2" if older_cpu else "this CPU"
    return Answers(f"ONNX Runtime {done.stdout.strip()}, {cpu}", np.load(folder / "answers.npy"))


def _print(bits: int, dataset: Dataset, full: FloatArray, answers: list[Answers]) -> None:
    first = answers[0].vectors
    click.echo(
        f"\n**int8 with weights of {bits} bits; documents by the first engine, questions by each**\n\n"
        "| engine | cosine to fp32, mean / min | to the first, mean / min | same language | across | mixed pool |\n"
        "|---|---|---|---|---|---|"
    )
    for name, questions in [(one.engine, one.vectors) for one in answers]:
        row = quality(dataset, first[: len(dataset.documents)], questions[len(dataset.documents) :])
        figures = " | ".join("" if figure is None else f"{figure.mean:.3f}" for figure in row[1:4])
        click.echo(f"| {name} | {_cosines(questions, full)} | {_cosines(questions, first)} | {figures} |")
    whole = quality(dataset, full[: len(dataset.documents)], full[len(dataset.documents) :])
    figures = " | ".join("" if figure is None else f"{figure.mean:.3f}" for figure in whole[1:4])
    click.echo(f"| fp32, documents and questions | 1 | | {figures} |")


def quality(dataset: Dataset, documents: FloatArray, queries: FloatArray) -> GapRow:
    """nDCG@10 of dense search with the offsets of these very vectors removed."""
    from interlingua_client.index.language_offsets import LanguageOffsets
    from interlingua_evaluation.gap.gap_study import row_of
    from interlingua_evaluation.systems.dense_vectors import DenseVectors
    from interlingua_evaluation.systems.system_name import SystemName
    from interlingua_evaluation.systems.system_runs import SystemRuns

    asked_in = [query.language for query in dataset.queries]
    of_documents = [document.language for document in dataset.documents]
    offsets = LanguageOffsets(_means(documents, of_documents), _means(queries, asked_in))
    runs = SystemRuns(
        dataset=dataset, vectors=lambda: DenseVectors(documents, queries, offsets), asked_in=asked_in, scorer=None
    )
    return row_of("", runs.of([SystemName.parse("dense+offsets")])[0].lists, "test")


def _means(vectors: FloatArray, languages: list[str]) -> LanguageMeans:
    from interlingua_client.index.language_offsets import LanguageMeans, VectorSum

    of = np.array(languages)
    parts = {language: vectors[of == language].astype(np.float64) for language in sorted(set(languages))}
    return LanguageMeans.estimate({name: VectorSum(len(part), part.sum(axis=0)) for name, part in parts.items()})


def _cosines(ours: FloatArray, theirs: FloatArray) -> str:
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    return f"{cosines.mean():.4f} / {cosines.min():.4f}"


if __name__ == "__main__":
    run(main)
