"""What sentence-transformers' files say of expansion and of pooling.

query_expansion --stated_expansion--> StatedExpansion;  4_HierarchicalTokenPooling --stated_pooling--> TokenPooling
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.served.late_interaction.sides import TokenPooling
from interlingua_exporter.weights.multi_vector.stated_keys import StatedKeys
from interlingua_exporter.weights.multi_vector.stated_sides import StatedExpansion

if TYPE_CHECKING:
    from pathlib import Path


def stated_expansion(stated: StatedKeys) -> StatedExpansion | None:
    """How queries are expanded. Raises InputError: in no known way."""
    if (values := stated.values.get("query_expansion")) is None:
        return None
    keys = StatedKeys(stated.path, values if isinstance(values, dict) else {})
    strategy, length = keys.text("strategy"), keys.length("length")
    known = keys.values.keys() <= {"strategy", "attend", "token", "length"}
    if length is None or not known or strategy not in ("fixed", "min"):
        raise InputError(
            f"{stated.path}: query_expansion is {values!r}; known is a strategy, fixed or min, with a length"
        )
    return StatedExpansion(length, keys.flag("attend", usual=False), strategy == "fixed", keys.text("token"))


def query_limit(expansion: StatedExpansion | None, length: int | None) -> int | None:
    """Where queries are cut; expansion goes before their own length."""
    if expansion is None or (length is None and not expansion.cuts):
        return length
    return expansion.length if expansion.cuts else max(length or 0, expansion.length)


def stated_pooling(part: Path | None) -> TokenPooling | None:
    """What becomes of a document's vectors. Raises InputError: queries are pooled, too, or the factor is none."""
    if part is None:
        return None
    keys = StatedKeys.read(part / "config.json")
    factor, protected = keys.values.get("pool_factor", 1), keys.values.get("num_protected_tokens", 1)
    tasks = keys.texts("tasks")
    if type(factor) not in (int, float) or factor < 1 or type(protected) is not int or protected < 0:  # type: ignore[operator]
        stated = f"pool_factor is {factor!r} and num_protected_tokens {protected!r}"
        raise InputError(f"{keys.path}: {stated}, not numbers of at least 1 and 0")
    if tasks not in (None, ("document",)):
        raise InputError(f"{keys.path}: tasks is {list(tasks)}; what can be exported is pooling of documents alone")
    normalize = keys.flag("normalize_embeddings", usual=False)  # as of folders that were saved before the key was there
    return None if factor == 1 else TokenPooling(float(factor), protected, normalize)  # type: ignore[arg-type]
