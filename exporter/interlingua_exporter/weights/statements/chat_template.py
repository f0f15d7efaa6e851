"""The template that a folder's chat template makes of a query and a document.

chat_template.jinja, the folder's default prompt --rendered with {query} and {document} for texts--> pair_template

sentence-transformers gives the template the roles `query` and `document`, and the prompt as `system`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.graphs.folder_network import quiet_transformers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HOLES = {"query": "{query}", "document": "{document}"}


def pair_template(name: str, folder: Path, prompt: str, arguments: Mapping[str, Any]) -> str:
    """What the folder's chat template puts around a pair.

    Args:
        prompt: the system's words; "" for none.
        arguments: of the template.

    Raises:
        InputError: there is no chat template, or it does not say where both texts go.
    """
    flat: list[dict[str, Any]] = [{"role": "system", "content": prompt}] if prompt else []
    flat += [{"role": role, "content": hole} for role, hole in _HOLES.items()]
    structured = [one | {"content": [{"type": "text", "text": one["content"]}]} for one in flat]
    known = {key: value for key, value in arguments.items() if key != "restore_suffix"}
    reasons = []
    for messages in (flat, structured):
        try:
            made = _rendered(folder, messages, known)
        except Exception as error:  # Jinja's, the template's own, and those of a tokenizer that is none
            reasons.append(str(error).strip().split("\n", 1)[0] or type(error).__name__)
            continue
        if all(made.count(hole) == 1 for hole in _HOLES.values()):
            return made
        reasons.append("it does not have the query and the document once each")
    raise InputError(
        f"{name}: texts go through the chat template of {folder}, which makes no pair of them ({reasons[0]}): give a "
        "catalogue entry with a pair_template (docs/models.md)"
    )


def _rendered(folder: Path, messages: list[dict[str, Any]], arguments: Mapping[str, Any]) -> str:
    from transformers import AutoTokenizer

    with quiet_transformers():
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **arguments))
