"""The catalogue: models known by name, described in catalog.toml.

catalog.toml --read_catalog--> (Entry, ...) --find("multilingual-e5-small")--> ModelSpec
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from exporter.digests import file_digest
from exporter.spec import ArchiveSource, DeltaSource, ModelSpec
from interlingua.errors import InputError
from interlingua.paths import PROJECT_ROOT

CATALOG = Path(__file__).with_name("catalog.toml")
DEFAULT_MODEL = "multilingual-e5-small"
DELTA_FILE = "delta.safetensors"


@dataclass(frozen=True)
class Entry:
    """One row: a model and the short names it answers to."""

    spec: ModelSpec
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.spec.id, *self.aliases)


def read_catalog(path: Path = CATALOG) -> tuple[Entry, ...]:
    """Every row of a catalogue file.

    Raises:
        InputError: it is not TOML, a row has an unknown, missing or impossible field, or a name occurs twice.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the catalogue cannot be read: {error}") from error
    entries = tuple(_entry(path, row) for row in rows)
    seen: set[str] = set()
    for entry in entries:
        if twice := seen & set(entry.names):
            raise InputError(f"{path}: the name {min(twice)!r} stands for two models")
        seen |= set(entry.names)
    return entries


def find(name: str, entries: tuple[Entry, ...] | None = None) -> ModelSpec | None:
    """The model of that id or alias; None where the catalogue has none."""
    known = read_catalog() if entries is None else entries
    return next((entry.spec for entry in known if name in entry.names), None)


def revision(spec: ModelSpec, root: Path = PROJECT_ROOT) -> str:
    """Of the weights as they are now: an artefact's changes with its file; "" where the file is missing."""
    if not isinstance(spec.source, DeltaSource):
        return spec.revision
    delta = root / spec.source.artefact / DELTA_FILE
    return file_digest(delta)[:12] if delta.is_file() else ""


def _entry(path: Path, row: dict[str, Any]) -> Entry:
    name = row.get("id", "without an id")
    values = {key: value for key, value in row.items() if key not in ("aliases", "source")}
    if "precisions" in values:
        values["precisions"] = tuple(values["precisions"])
    if unknown := values.keys() - {field.name for field in fields(ModelSpec)}:
        raise InputError(f"{path}: model {name}: unknown field {', '.join(sorted(unknown))}")
    try:
        stated = row.get("source", {})
        source = DeltaSource(**stated) if stated.get("reader") == "delta" else ArchiveSource(**stated)
        return Entry(ModelSpec(source=source, **values), tuple(row.get("aliases", ())))
    except TypeError as error:
        raise InputError(f"{path}: model {name}: {error}") from error
