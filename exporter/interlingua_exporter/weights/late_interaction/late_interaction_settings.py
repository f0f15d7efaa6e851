"""interlingua.json: what a late-interaction reranker is, beside its weights.

interlingua.json --read--> LateInteractionSettings --check_fits--> the same, known to fit network and tokenizer
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

SETTINGS_FILE = "interlingua.json"
KIND = "late-interaction"

_LARGEST_DIMENSION = 4096  # of a token's vector; beyond this it is damage, not a model


@dataclass(frozen=True, kw_only=True)
class LateInteractionSettings:
    """What the weights do not say.

    Attributes:
        dimension: length of a token's vector.
        separator_id: the id that ends the query.
        special_ids: ids that take no part in the score, the separator and padding among them.
        max_tokens: each side is cut to this many tokens, specials included.
        rerank_weight: how much the logit counts when the client mixes it with the first stage, 0 to 1.
        licence: of the weights, "" where nothing is stated.
        base: the catalogue's id of the model that training started from, "" where there is none.
    """

    model_id: str
    dimension: int
    separator_id: int
    special_ids: tuple[int, ...]
    max_tokens: int
    pad_token_id: int
    rerank_weight: float
    licence: str
    base: str

    def __post_init__(self) -> None:
        """Raises InputError naming every value that cannot be."""
        faults = _wrong_types(self) or _wrong_values(self)
        if faults:
            raise InputError(f"late-interaction settings: {'; '.join(faults)}")

    def check_fits(self, *, vocabulary: int, positions: int, tokenizer: Tokenizer) -> None:
        """Raises InputError: network or tokenizer contradict the settings; every contradiction is named."""
        faults = []
        known = min(vocabulary, tokenizer.get_vocab_size(with_added_tokens=True))
        if beyond := [number for number in self.special_ids if number >= known]:
            faults.append(f"special_ids {beyond} are not in the vocabulary of {known} tokens")
        if self.max_tokens > positions:
            faults.append(f"max_tokens is {self.max_tokens}, the network has {positions} positions")
        template = tokenizer.encode("", "").ids
        if self.separator_id not in template[:-1]:
            faults.append(f"the tokenizer's pair template {template} has no separator_id {self.separator_id} in it")
        if foreign := sorted(set(template) - set(self.special_ids)):
            faults.append(f"the tokenizer's pair template adds {foreign}, which special_ids do not name")
        if faults:
            raise InputError(f"{self.model_id}: {SETTINGS_FILE} does not fit its model: {'; '.join(faults)}")


def is_late_interaction(folder: Path) -> bool:
    """Whether a folder says that it is one of ours; of what kind, `read_settings` looks at."""
    return (folder / SETTINGS_FILE).is_file()


def read_settings(folder: Path) -> LateInteractionSettings:
    """A folder's settings. Raises InputError naming the file and what is wrong with it."""
    path = folder / SETTINGS_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(values, dict) or values.get("kind") != KIND:
        kind = values.get("kind") if isinstance(values, dict) else values
        raise InputError(f"{path}: the kind is {kind!r}; only {KIND!r} is known")
    names = [field.name for field in fields(LateInteractionSettings)]
    if missing := [name for name in names if name not in values]:
        raise InputError(f"{path}: lacks {', '.join(missing)}")
    chosen = {name: _as_tuple(values[name]) for name in names}
    try:
        return LateInteractionSettings(**chosen)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_settings(settings: LateInteractionSettings, folder: Path) -> None:
    """The settings as `interlingua.json`; written beside it and renamed."""
    values = {"kind": KIND, **asdict(settings)}
    with whole(folder / SETTINGS_FILE) as partial:
        partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _wrong_types(settings: LateInteractionSettings) -> list[str]:
    values = asdict(settings)
    faults = [
        f"{name} is {values[name]!r}, not {what}"
        for names, kinds, what in (
            (("model_id", "licence", "base"), (str,), "a text"),
            (("dimension", "separator_id", "max_tokens", "pad_token_id"), (int,), "a whole number"),
            (("rerank_weight",), (int, float), "a number"),
        )
        for name in names
        if type(values[name]) not in kinds
    ]
    special = settings.special_ids
    if type(special) is not tuple or any(type(number) is not int for number in special):
        faults.append(f"special_ids is {special!r}, not a list of whole numbers")
    return faults


def _wrong_values(settings: LateInteractionSettings) -> list[str]:
    faults = []
    if not settings.model_id:
        faults.append("model_id is empty")
    if not 1 <= settings.dimension <= _LARGEST_DIMENSION:
        faults.append(f"dimension is {settings.dimension}, not between 1 and {_LARGEST_DIMENSION}")
    if settings.max_tokens < 8:
        faults.append(f"max_tokens is {settings.max_tokens}, too few for a pair; at least 8")
    if not 0 <= settings.rerank_weight <= 1:
        faults.append(f"rerank_weight is {settings.rerank_weight}, not between 0 and 1")
    if any(number < 0 for number in settings.special_ids):
        faults.append(f"special_ids {list(settings.special_ids)} has a negative one")
    faults += [
        f"{name} {getattr(settings, name)} is not among special_ids {list(settings.special_ids)}"
        for name in ("separator_id", "pad_token_id")
        if getattr(settings, name) not in settings.special_ids
    ]
    return faults
