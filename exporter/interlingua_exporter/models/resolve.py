"""What a user's name of a model stands for, found once.

MODEL, --catalog FILE --resolve--> ResolvedModel: an entry of the catalogue, a folder, or a Hub id
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.catalog import entries, find, suggestion

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import ModelSpec

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class ResolvedModel:
    """A model that somebody named; without entry and folder it is one on the Hub.

    Attributes:
        name: as it was written.
        entry: the catalogue's.
        folder: of a model that is not in the catalogue.
        hint: a sentence for messages that it is not in the catalogue.
    """

    name: str
    entry: ModelSpec | None = None
    folder: Path | None = None
    hint: str = ""


def resolve(name: str, catalogue: Path | None = None) -> ResolvedModel:
    """The model of that name.

    Args:
        catalogue: a file of the user's own entries, in place of the usual one.

    Raises:
        InputError: there is none, or the catalogue cannot be read.
    """
    known = entries(catalogue)
    if entry := find(name, known):
        return ResolvedModel(name, entry)
    path, hint = Path(name), suggestion(name, known)
    if path.is_dir():
        return ResolvedModel(name, folder=path, hint=hint)
    if _HUB_ID.fullmatch(name):
        return ResolvedModel(name, hint=hint)
    if path.is_file():
        raise InputError(f"{name} is a file: give the folder that holds config.json, the weights and the tokenizer")
    raise InputError(f"{name!r} is no folder, no Hub id (organization/name), and not in the catalogue. {hint}")
