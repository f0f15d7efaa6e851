"""SHA-256 over what decides an answer.

    model.onnx, model.onnx.data --> weights digest --+
    tokenizer.json, prompts, templates, max_tokens --+--> answer digest = ServiceSpec.digest
    of late interaction, both sides' rules        --+

Pooling, normalization and the head are inside the graph, so the weights digest covers them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from interlingua.base.file_digest import file_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def weights_digest(folder: Path) -> str:
    """The digest of every file of a network's version folder, names included; a torch network's lie in folders, too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return _of({path.relative_to(folder).as_posix(): file_digest(path) for path in files})


def answer_digest(
    weights: str,
    tokenizer_json: bytes,
    *,
    query_prompt: str,
    document_prompt: str,
    max_tokens: int,
    templates: Mapping[str, str] | None = None,
    interaction: str = "",
    empty_similarity: float = -1.0,
) -> str:
    """The digest of everything that decides an embedding or a score: equal digests, equal answers.

    Args:
        weights: the network's `weights_digest`.
        templates: of each service; "" for none. A model without any has the digest it had before there were templates.
        interaction: as `ServiceSpec`.
    """
    stated: dict[str, str] = {
        f"{service}_template": template for service, template in (templates or {}).items() if template
    }
    if interaction:
        stated |= {"interaction": interaction, "empty_similarity": str(empty_similarity)}
    return _of(
        {
            "weights": weights,
            "tokenizer": hashlib.sha256(tokenizer_json).hexdigest(),
            "query_prompt": query_prompt,
            "document_prompt": document_prompt,
            "max_tokens": max_tokens,
            **stated,
        }
    )


def _of(parts: Mapping[str, str | int]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode("ascii")).hexdigest()
