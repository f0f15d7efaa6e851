"""The catalogue as a list: which rows are wanted, as a table for people and as facts for machines.

(Entry, ...) --wanted(Filter)--> (Entry, ...) --table--> Grid
                                             --facts--> [{...}, ...] for --json
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.display.grid import Grid, row
from interlingua.served.kinds import PRECISIONS, Precision
from interlingua_client.language_tag import base_language, normalize_tag
from interlingua_exporter.models.exportable import obstacles, status
from interlingua_exporter.models.memory_need import GIGABYTE, download_bytes, memory_need, parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua.served.kinds import Role
    from interlingua_exporter.models.catalog import Entry
    from interlingua_exporter.models.spec import ModelSpec

_UNITS = {"": GIGABYTE, "g": GIGABYTE, "gb": GIGABYTE, "m": 10**6, "mb": 10**6, "gib": 1 << 30, "mib": 1 << 20}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a row must have; None and "" ask for nothing.

    Attributes:
        licence: part of the licence's name, in any case.
        language: BCP 47; a model whose languages the catalogue only counts is left out.
        max_memory: bytes that one instance may take in the smallest format the model may run in.
        no_remote_code: only models that run without code of their own.
        run_here: only those run with their own weights or a dummy's, or whose class the tests export.
    """

    role: Role | None = None
    licence: str = ""
    language: str = ""
    max_memory: int | None = None
    no_remote_code: bool = False
    run_here: bool = False


def wanted(entries: Iterable[Entry], asked: Filter) -> tuple[Entry, ...]:
    """The rows that have everything that is asked for."""
    return tuple(entry for entry in entries if _fits(entry.spec, asked))


def _fits(spec: ModelSpec, asked: Filter) -> bool:
    if asked.role and spec.role != asked.role:
        return False
    if asked.licence.casefold() not in spec.licence.casefold():
        return False
    if asked.language and not speaks(spec, asked.language):
        return False
    if asked.max_memory is not None and not (0 < least_memory(spec) <= asked.max_memory):
        return False
    if asked.no_remote_code and spec.remote_code:
        return False
    return not asked.run_here or status(spec) in ("exported", "dummy run", "class tested")


def speaks(spec: ModelSpec, language: str) -> bool:
    """Whether the entry lists a language, by any tag or name of it or of a variant: `pt` for pt-BR, `nb` for no.

    Raises:
        InputError: it is no language tag.
    """
    try:
        wanted = base_language(normalize_tag(language))
    except ValueError as error:
        raise InputError(str(error)) from None
    return wanted in {base_language(tag) for tag in spec.languages.tags}


def formats(spec: ModelSpec) -> tuple[Precision, ...]:
    """The formats that nothing forbids."""
    return tuple(name for name in PRECISIONS if spec.verdict(name) != "forbidden")


def least_memory(spec: ModelSpec) -> int:
    """Bytes of one instance in the smallest format; 0 where the entry does not state the network."""
    return min((need.total for name in formats(spec) if (need := memory_need(spec, name))), default=0)


def parse_size(text: str) -> int:
    """Bytes of `8GB`, `8` (gigabytes), `500MB`, `4GiB`. Raises InputError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().casefold())
    if match is None or match[2] not in _UNITS:
        raise InputError(f"{text!r} is not a size: write 8GB, 500MB or 4GiB")
    return int(float(match[1]) * _UNITS[match[2]])


def facts(entry: Entry) -> dict[str, Any]:
    """Everything that is known of a row, for JSON."""
    spec = entry.spec
    stated = asdict(spec) | {"aliases": list(entry.aliases), "catalogue": str(entry.file)}
    stated["source"] = {key: str(value) for key, value in asdict(spec.source).items()}
    needs = {name: need for name in formats(spec) if (need := memory_need(spec, name))}
    return stated | {
        "status": status(spec),
        "obstacles": list(obstacles(spec)),
        "parameters": parameters(spec),
        "download_bytes": download_bytes(spec),
        "memory_bytes": {name: asdict(need) | {"total": need.total} for name, need in needs.items()},
    }


def table(entries: Iterable[Entry]) -> Grid:
    """Two lines a model: whose it is and its name; what was run, and in which formats."""
    header = ("model", "role", "size", "dim.", "tokens", "langs", "licence", "GB", "here, in")
    return Grid(
        "", header, tuple(row(*_cells(entry.spec)) for entry in entries), notes=(_CAPTION,), names=2, is_narrow=True
    )


_CAPTION = (
    "size: parameters. GB: memory of one instance at 1024 tokens a call in fp32 / 16 bit / int8, - where forbidden. "
    "here: exported with its own weights; dummy run: random ones in its true shape; class tested on a tiny model; not "
    "tried; not exported (not built yet). in: the formats that were run, on a CPU, * on a GPU. "
    "`interlingua models show MODEL` says more."
)


def _cells(spec: ModelSpec) -> tuple[str, ...]:
    size = "-" if spec.role == "reranker" else str(spec.embedding_length or "?")
    count = str(spec.languages.count or len(spec.languages.tags) or "?")
    limit, licence = str(spec.max_tokens), spec.licence.partition(" (")[0] or "?"
    sizes = (amount(parameters(spec)), size, limit, count, licence, _memory(spec))
    return (spec.id.replace("/", "/\n"), spec.role, *sizes, f"{status(spec)}\n{run_formats(spec)}".strip())


def run_formats(spec: ModelSpec) -> str:
    """The formats in which the very model was run: `fp32 int8`, with a * what ran on a GPU; "" where it was not."""
    counted = [run for run in spec.ran if run.weights == "own"] or spec.ran
    ran = {name + "*" * (run.on == "gpu") for run in counted for name in run.precisions}
    return " ".join(name + star for name in PRECISIONS for star in ("", "*") if name + star in ran)


def _memory(spec: ModelSpec) -> str:
    half: Precision = "bf16" if spec.verdict("fp16") == "forbidden" else "fp16"
    names: tuple[Precision, ...] = ("fp32", half, "int8")
    return " / ".join(_gigabytes(spec, name) for name in names)


def _gigabytes(spec: ModelSpec, name: Precision) -> str:
    need = memory_need(spec, name)
    return "-" if need is None or spec.verdict(name) == "forbidden" else f"{need.total / GIGABYTE:.1f}"


def amount(count: int) -> str:
    """118 M, 4.0 B; ? for 0."""
    if count == 0:
        return "?"
    return f"{count / 1e9:.1f} B" if count >= GIGABYTE else f"{count / 1e6:.0f} M"
