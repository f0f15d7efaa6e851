"""What a service spends on tokenizing, measured with its own tokenizer.

batches of texts in all languages --encode_batch_fast--> seconds --non-negative least squares--> TextCost
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.profile.server_layout import TextCost

_SIZES = (1, 4, 16, 64)
_JOINED = (1, 4)  # sentences of one text
_REPEATS = 5


class _Tokenized(NamedTuple):
    """One measured batch."""

    texts: int
    tokens: int
    seconds: float


def tokenizer_cost(tokenizer_json: Path) -> TextCost:
    """Seconds for a batch, a text, a token, with as many threads as the tokenizer takes: a service's does the same.

    Raises:
        InputError: the file is not a tokenizer.
    """
    from interlingua_exporter.texts.parity_texts import sentences

    tokenizer = _load(tokenizer_json)
    texts = [text for row in sentences() for text in row.values()]
    return _fit([_measure(tokenizer, texts, size, joined) for size in _SIZES for joined in _JOINED])


def _load(path: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare exceptions
        raise InputError(f"{path}: not a tokenizer ({error})") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _measure(tokenizer: Any, texts: list[str], size: int, joined: int) -> _Tokenized:
    """The fastest of a few times."""
    batch = [" ".join(texts[(start + part) % len(texts)] for part in range(joined)) for start in range(size)]
    taken = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        encodings = tokenizer.encode_batch_fast(batch)
        taken.append(time.perf_counter() - began)
    return _Tokenized(size, sum(len(encoding) for encoding in encodings), min(taken))


def _fit(measured: list[_Tokenized]) -> TextCost:
    """Least squares of the relative errors; no part is negative."""
    from scipy.optimize import nnls

    seconds = np.array([one.seconds for one in measured])
    columns = np.array([[1.0, one.texts, one.tokens] for one in measured]) / seconds[:, None]
    scales = np.linalg.norm(columns, axis=0)
    parts, _ = nnls(columns / scales, np.ones(len(measured)))
    batch_s, text_s, token_s = (float(part) for part in parts / scales)
    return TextCost(batch_s, text_s, token_s)
