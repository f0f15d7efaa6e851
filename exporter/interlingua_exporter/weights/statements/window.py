"""How long a text may be, as a folder's files say.

sentence_bert_config.json, else tokenizer_config.json; config.json's positions cap both --read_window--> tokens

What the network really has positions for is looked at when it is there (graphs/position_rows.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua_exporter.weights.statements.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_UNLIMITED = 1 << 20  # tokenizers without a limit say 10^30
_ARGUMENTS = ("processor_kwargs", "tokenizer_args")


def read_window(
    folder: Path, config: Mapping[str, Any], sentence: Mapping[str, Any], tokenizer: Mapping[str, Any]
) -> tuple[int | None, list[Remark]]:
    """Tokens of the longest text, None where nobody says; and statements that are no number of tokens.

    sentence-transformers hands its own limit to the tokenizer, whose own then counts no more.
    """
    stated = [
        ("sentence_bert_config.json", _ARGUMENTS[0], tokenizer_argument(sentence, "model_max_length")),
        ("sentence_bert_config.json", "max_seq_length", sentence.get("max_seq_length")),
        ("tokenizer_config.json", "model_max_length", tokenizer.get("model_max_length")),
    ]
    wrong = [
        Remark(f"{folder / file}: {key} is {value!r}, not a number of tokens", refused=True, topic="window")
        for file, key, value in stated
        if value is not None and not (type(value) in (int, float) and value > 0)  # type: ignore[operator]
    ]
    limits = [limit for _, _, value in stated if (limit := _limit(value)) is not None][:1]
    limits += [limit for key in ("max_position_embeddings", "n_positions") if (limit := _limit(config.get(key)))]
    return min(limits, default=None), wrong


def tokenizer_argument(sentence: Mapping[str, Any], key: str) -> object:
    """What sentence_bert_config.json passes on to the tokenizer; None where it does not."""
    given = [values for name in _ARGUMENTS if isinstance(values := sentence.get(name), dict)]
    return next((values[key] for values in given if key in values), None)


def _limit(value: object) -> int | None:
    counts = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _UNLIMITED
    return int(value) if counts else None  # type: ignore[call-overload]
