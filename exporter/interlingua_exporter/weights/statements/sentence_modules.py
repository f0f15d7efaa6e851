"""modules.json of the sentence-transformers layout: which folders hold the parts of a model, in order.

modules.json --read_modules--> Modules: Transformer, then Pooling, any number of Dense, Normalize; or LogitScore
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.weights.statements.known_keys import remarks
from interlingua_exporter.weights.statements.remark import Remark

if TYPE_CHECKING:
    from pathlib import Path

_ORDER = re.compile("(Transformer )(LogitScore |(Pooling (Dense )*)?(Normalize )?)")
# sentence-transformers has moved its modules; the names of old and new releases lead to the same classes.
_OWN = re.compile(
    r"sentence_transformers\.(?:models|(?:base|sentence_transformer|cross_encoder)\.modules)(?:\.[a-z_]+)?"
    r"\.(Transformer|Pooling|Dense|Normalize|LogitScore|Dropout)"
)
_NOTHING = "Dropout"  # while training alone


@dataclass(frozen=True, kw_only=True)
class Modules:
    """Folders of the parts.

    Attributes:
        transformer: with config.json and the weights.
        pooling: None where the folder has no such part.
        dense: of the layers between pooling and normalization.
        normalize: of the normalization.
        logit_score: of the score that a causal model's logits make.
        stated: whether there is a modules.json at all.
        remarks: what it says beyond that.
    """

    transformer: Path
    pooling: Path | None = None
    dense: tuple[Path, ...] = ()
    normalize: Path | None = None
    logit_score: Path | None = None
    stated: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def parts(self) -> tuple[Path, ...]:
        """All folders."""
        some = (self.pooling, *self.dense, self.normalize, self.logit_score)
        return (self.transformer, *(part for part in some if part))


def read_modules(folder: Path) -> Modules:
    """The parts of a model folder; one without modules.json is its own transformer.

    Raises:
        InputError: parts that cannot be exported, in another order, or outside the folder.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return Modules(transformer=folder.resolve())
    rows = module_rows(path)
    foreign = [remark for row in rows for remark in _of_class(path, str(row["type"]))]
    found = [*foreign, *(remark for row in rows for remark in remarks(path, row))]
    parts = [(kind, row) for row in rows if (kind := _kind(str(row["type"]))) != _NOTHING]
    if not _ORDER.fullmatch("".join(f"{kind} " for kind, _ in parts)):
        raise InputError(
            f"{path} asks for {', '.join(str(row['type']) for row in rows) or 'nothing'}; what can be exported is "
            "Transformer, then Pooling, Dense layers and Normalize, in this order, or Transformer and LogitScore"
        )
    places = [(kind, inside(folder, str(row.get("path", "")))) for kind, row in parts]
    return Modules(
        transformer=places[0][1],
        pooling=None if foreign else _first(places, "Pooling"),
        dense=tuple(part for kind, part in places if kind == "Dense"),
        normalize=_first(places, "Normalize"),
        logit_score=_first(places, "LogitScore"),
        stated=True,
        remarks=tuple(found),
    )


def _first(places: list[tuple[str, Path]], wanted: str) -> Path | None:
    return next((part for kind, part in places if kind == wanted), None)


def _kind(name: str) -> str:
    """The part that a class is, or is called like."""
    last = name.rsplit(".", 1)[-1]
    return "Pooling" if last.endswith("Pooling") else last


def _of_class(path: Path, name: str) -> list[Remark]:
    """Refuses what is called like a part and is another class: what it computes is not known."""
    if _OWN.fullmatch(name):
        return []
    text = f"{path} asks for {name}, none of sentence-transformers' classes that can be exported"
    return [Remark(text, refused=True, topic="pooling" if _kind(name) == "Pooling" else "modules")]


def module_rows(path: Path) -> list[dict[str, Any]]:
    """Every part's row of modules.json, each with a type. Raises InputError: it is no such list."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a list of modules: {error}") from error
    parts: list[Any] = rows if isinstance(rows, list) else [None]
    if not all(isinstance(row, dict) and {type(row.get("type")), type(row.get("path", ""))} == {str} for row in parts):
        raise InputError(f"{path} is not a list of modules, objects with `type` and `path`, which are texts")
    return parts


def inside(folder: Path, name: str) -> Path:
    """A part's folder. Raises InputError: it is outside the model's."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{folder}/modules.json names {name!r}, which is outside the model's folder")
    return path
