"""The HNSW file and what it was derived from.

    vectors-<random>.hnsw   written beside, flushed
    vectors.json            names it, its SHA-256 and its generation; renamed into place last

A reader sees the old pair or the new one, never half of each.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua.base.plain import build, plain, saved
from interlingua.base.whole_file import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua_client.index.manifest import Manifest

HEADER_FILE = "vectors.json"

_PREFIX, _SUFFIX = "vectors-", ".hnsw"


@saved
@dataclass(frozen=True, kw_only=True)
class DerivedHeader:
    """What one HNSW file contains.

    Attributes:
        file: its name in the index directory.
        sha256: of its bytes.
        store_id: the store it was derived from.
        generation: of the store when it was derived.
        space: the space its vectors live in (`Manifest.space`).
        count: labels in it, deleted ones included.
        deleted: labels marked as deleted.
    """

    file: str
    sha256: str
    store_id: str
    generation: int
    space: str
    dimension: int
    m: int
    ef_construction: int
    count: int
    deleted: int

    def fits(self, manifest: Manifest) -> bool:
        """Whether the file can be brought up to date, rather than be built again."""
        mine = (self.store_id, self.space, self.dimension, self.m, self.ef_construction)
        theirs = (
            manifest.store_id,
            manifest.space,
            manifest.embedder.dimension,
            manifest.hnsw.m,
            manifest.hnsw.ef_construction,
        )
        return mine == theirs and self.generation <= manifest.generation


def read_header(directory: Path) -> DerivedHeader | None:
    """The header, or None where there is none that can be read."""
    try:
        header = build(DerivedHeader, json.loads((directory / HEADER_FILE).read_text()))
    except (OSError, ValueError, InputError):
        return None
    return header if header.file == Path(header.file).name else None


def is_whole(directory: Path, header: DerivedHeader) -> bool:
    """Whether the file has every byte it was written with."""
    try:
        return file_digest(directory / header.file) == header.sha256
    except OSError:
        return False


def publish(
    directory: Path, manifest: Manifest, count: int, deleted: int, write: Callable[[Path], None]
) -> DerivedHeader:
    """Write a new file by `write`, point the header at it, remove the old one. The caller holds the writer's lock.

    Raises:
        OSError, RuntimeError: the file cannot be written; the old one stays.
    """
    path = directory / f"{_PREFIX}{uuid.uuid4().hex[:12]}{_SUFFIX}"
    try:
        write(path)
        header = DerivedHeader(
            file=path.name,
            sha256=file_digest(path),
            store_id=manifest.store_id,
            generation=manifest.generation,
            space=manifest.space,
            dimension=manifest.embedder.dimension,
            m=manifest.hnsw.m,
            ef_construction=manifest.hnsw.ef_construction,
            count=count,
            deleted=deleted,
        )
        with whole(directory / HEADER_FILE, durable=True) as partial:
            partial.write_text(json.dumps(plain(header), indent=1))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _remove_others(directory, header.file)
    return header


def _remove_others(directory: Path, kept: str) -> None:
    for path in directory.glob(f"{_PREFIX}*{_SUFFIX}"):
        if path.name != kept:
            with contextlib.suppress(OSError):
                path.unlink()
