"""Python code of a model's own: it runs only where the user says so, from one commit that was read.

config.json's auto_map --require_code_here--> nothing, or InputError: the code lies in another repository
Hub id, commit --require_pinned--> nothing, or InputError: a branch may hold other code tomorrow
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.models.spec import ModelSpec

_COMMIT = re.compile("[0-9a-f]{40}")


def require_trust(spec: ModelSpec, *, trusted: bool) -> None:
    """Raises InputError where an entry needs code of its own and the user has not said that it may run."""
    if spec.remote_code and not trusted:
        raise InputError(
            f"{spec.id} is made of Python code of its own, which runs with your rights while it is exported and in "
            f"every server that has it: read that code (https://huggingface.co/{spec.id}/tree/{spec.revision or 'main'}"
            "), then pass --trust-remote-code"
        )


def require_pinned(model_id: str, revision: str | None) -> None:
    """Raises InputError where the revision of a model whose code is to run is not a commit."""
    if _COMMIT.fullmatch(revision or ""):
        return
    named = f"{revision!r} is no commit" if revision else "no revision is given"
    raise InputError(
        f"{model_id}: its own code is to run, and {named}: a branch or a tag may hold other code tomorrow than what "
        f"you read. Give --revision with the 40 digits of a commit of https://huggingface.co/{model_id}/commits, or "
        "`revision` in a catalogue entry of your own"
    )


def require_code_here(name: str, folder: Path) -> None:
    """Raises InputError where a folder's configuration names code of another repository.

    transformers would fetch that from the Hub's default branch, whatever the commit of the folder.
    """
    places = sorted({place for file in ("config.json", "tokenizer_config.json") for place in _elsewhere(folder / file)})
    if places:
        raise InputError(
            f"{name}: its code lies in {', '.join(places)}, which the revision of {name} does not pin. Put the weights "
            "and that repository's .py files, at a commit that you have read, into one folder; in its config.json "
            f"take '{places[0]}--' out of auto_map; then export that folder"
        )


def _elsewhere(path: Path) -> Iterator[str]:
    """The repositories, organization/name, that a file's auto_map names."""
    names: Any = read_object(path).get("auto_map") or {}
    values = names.values() if isinstance(names, dict) else [names]
    for value in values:
        for reference in value if isinstance(value, list) else [value]:
            if isinstance(reference, str) and "--" in reference:
                yield reference.partition("--")[0]
