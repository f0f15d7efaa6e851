"""What each service of a model puts around a text.

ModelSpec, service --frame_of--> Frame;  ModelSpec, name of a task --with_task--> ModelSpec with that task's prompts
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, Frame

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import ModelSpec


def frame_of(spec: ModelSpec, service: str) -> Frame:
    """The prompt and the template of a service of a model."""
    if service == EMBED_QUERY:
        return Frame(spec.query_prompt, spec.query_template)
    if service == EMBED_DOCUMENT:
        return Frame(spec.document_prompt, spec.document_template)
    return Frame(spec.document_prompt, spec.pair_template)


def with_task(spec: ModelSpec, name: str) -> ModelSpec:
    """The model with the prompts of one of its tasks instead of its own.

    Raises:
        InputError: it has no task of that name; the message has those it has.
    """
    task = next((task for task in spec.tasks if task.name == name), None)
    if task is None:
        known = ", ".join(repr(task.name) for task in spec.tasks)
        raise InputError(f"{spec.id} has no task {name!r}: {f'it has {known}' if known else 'it has none'}")
    return replace(spec, query_prompt=task.query_prompt, document_prompt=task.document_prompt)
