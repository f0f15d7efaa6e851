"""modules.json of the sentence-transformers layout: which folders hold the parts of a model, in order.

modules.json --read_modules--> Modules: Transformer, Pooling, any number of Dense, Normalize
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_ORDER = re.compile("(Transformer )(Pooling (Dense )*)?(Normalize )?")


@dataclass(frozen=True)
class Modules:
    """Folders of the parts.

    Attributes:
        transformer: with config.json and the weights.
        pooling: None where the folder has no such part.
        dense: of the layers between pooling and normalization.
        normalize: whether the last part is a normalization.
        stated: whether there is a modules.json at all.
    """

    transformer: Path
    pooling: Path | None = None
    dense: tuple[Path, ...] = ()
    normalize: bool = False
    stated: bool = False


def read_modules(folder: Path) -> Modules:
    """The parts of a model folder; one without modules.json is its own transformer.

    Raises:
        InputError: parts that cannot be exported, in another order, or outside the folder.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return Modules(folder.resolve())
    rows = _rows(path)
    if not _ORDER.fullmatch("".join(f"{kind} " for kind, _ in rows)):
        raise InputError(
            f"{path} asks for {', '.join(kind for kind, _ in rows) or 'nothing'}; what can be exported is Transformer, "
            "then Pooling, Dense layers and Normalize, in this order"
        )
    parts = [(kind, _inside(folder, name)) for kind, name in rows]
    return Modules(
        transformer=parts[0][1],
        pooling=next((part for kind, part in parts if kind == "Pooling"), None),
        dense=tuple(part for kind, part in parts if kind == "Dense"),
        normalize=parts[-1][0] == "Normalize",
        stated=True,
    )


def _rows(path: Path) -> list[tuple[str, str]]:
    """(kind, path inside the folder) of every part."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [(str(row["type"]).rsplit(".", 1)[-1], str(row.get("path", ""))) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a list of modules: {error!r}") from error


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{folder}/modules.json names {name!r}, which is outside the model's folder")
    return path
