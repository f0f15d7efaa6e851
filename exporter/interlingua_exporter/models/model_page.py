"""One catalogue entry explained: what it is, its texts, its limits, what it needs here, what to type.

Entry, Machine --page--> sentences and tables
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.display.grid import Grid, row
from interlingua.served.kinds import PRECISIONS
from interlingua_exporter.models.exportable import explain, obstacles, runtime_of
from interlingua_exporter.models.machine_needs import needs
from interlingua_exporter.models.memory_need import GIGABYTE, memory_need, parameters
from interlingua_exporter.models.models_table import amount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.models.catalog import Entry
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.models.this_machine import Machine

_SHOWN_LANGUAGES = 120


def page(entry: Entry, machine: Machine, repository: Path) -> Iterator[Grid | str]:
    """The parts of the page, in order; `repository` is where an export would publish."""
    spec = entry.spec
    yield f"{spec.id}\n"
    yield " ".join(_what(entry))
    yield explain(spec)
    yield "\nTexts"
    yield _texts(spec)
    yield "\nNumber formats"
    yield _formats(spec)
    yield "\nOn this machine"
    yield from (f"- {line}" for line in needs(spec, machine, repository))
    if spec.notes:
        yield "\nWorth knowing"
        yield from (f"- {note}" for note in spec.notes)
    yield "\nWhat to type"
    yield from (f"    {line}" for line in commands(spec))


def _what(entry: Entry) -> Iterator[str]:
    spec, shape = entry.spec, entry.spec.network
    article = "An embedder" if spec.role == "embedder" else "A reranker"
    if shape:
        kind = shape.architecture or "a class of its own"
        yield f"{article}: {kind}, {shape.layers} layers of {shape.hidden}, {amount(parameters(spec))} parameters,"
        yield f"{shape.vocabulary:,} tokens in its vocabulary."
    else:
        yield f"{article}; its sizes are not stated."
    yield f"Licence: {spec.licence or 'not stated'}."
    count = spec.languages.count or len(spec.languages.tags)
    if count:
        listed = " ".join(spec.languages.tags[:_SHOWN_LANGUAGES])
        at = f", see {spec.languages.at}" if spec.languages.at else ""
        yield f"{count} languages{f' ({listed})' if listed else ''}{at}."
    elif spec.languages.at:
        yield f"Languages: see {spec.languages.at}."
    if entry.aliases:
        yield f"Also called {', '.join(entry.aliases)}. Stated in {entry.file.name}."


def _texts(spec: ModelSpec) -> Grid:
    return Grid("", ("what", "how"), tuple(row(name, value) for name, value in _text_rows(spec)), names=2)


def _text_rows(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    for side, template, prompt in (
        ("query", spec.query_template, spec.query_prompt),
        ("document", spec.document_template, spec.document_prompt),
    ):
        if spec.role == "embedder":
            yield side, repr(template or prompt + "{text}")
    if spec.role == "reranker":
        yield "pair", repr(spec.pair_template) if spec.pair_template else "the tokenizer's own pair: query, document"
    for task in spec.tasks:
        yield f"task {task.name}", f"{task.query_prompt + '{text}'!r} / {task.document_prompt + '{text}'!r}"
    yield "at most", f"{spec.max_tokens} tokens, specials and prompt included; what is longer is cut"
    specials = (("starts", spec.specials.start), ("ends", spec.specials.end), ("pads", spec.specials.pad))
    ids = ", ".join(f"{number} {word}" for word, number in specials if number is not None)
    yield "tokens", f"padding on the {spec.padding_side}{f'; {ids}' * bool(ids)}"
    yield ("vector", _vector(spec)) if spec.role == "embedder" else ("score", _score(spec))


def _vector(spec: ModelSpec) -> str:
    layers = "".join(f", dense {row.inputs} -> {row.outputs} ({row.activation})" for row in spec.dense)
    length = "" if not spec.dimensions else f"; may be cut to {', '.join(map(str, spec.dimensions))}"
    norm = ", length 1" if spec.normalize else ", not normalized"
    return f"{spec.embedding_length or '?'} values: pooling {spec.pooling}{layers}{norm}{length}"


def _score(spec: ModelSpec) -> str:
    scale = "" if spec.score_temperature == 1 else f" / {spec.score_temperature:g}"
    tokens = f" of {' and '.join(spec.score_tokens)}" if spec.score_tokens else ""
    return f"a logit, head {spec.head}{tokens}; probability = sigmoid(score{scale})"


def _formats(spec: ModelSpec) -> Grid:
    header = ("format", "verdict", "GB at 1024 tokens", f"GB at one text of {spec.max_tokens}", "why")
    rows = []
    reasons = {limit.precision: limit.why for limit in spec.precision_limits}
    for name in PRECISIONS:
        usual, full = memory_need(spec, name), memory_need(spec, name, longest=spec.max_tokens)
        cells = [f"{need.total / GIGABYTE:.2f}" if need else "?" for need in (usual, full)]
        built = "" if name in spec.precisions else " (not exported yet)" * (spec.verdict(name) != "forbidden")
        rows.append(row(name, spec.verdict(name) + built, *cells, reasons.get(name, "")))
    return Grid("", header, tuple(rows), names=2)


def commands(spec: ModelSpec) -> tuple[str, ...]:
    """What exports and serves it, or that nothing does yet."""
    if found := obstacles(spec):
        return (f"nothing yet: {'; '.join(found)}",)
    trust = " --trust-remote-code" * spec.remote_code
    lines = [f"interlingua export {spec.id}{trust}"]
    if runtime_of(spec) == "onnx":
        lines += [f"interlingua export {spec.id}{trust} --precision int8"] * ("int8" in spec.precisions)
    return (*lines, "interlingua serve")
