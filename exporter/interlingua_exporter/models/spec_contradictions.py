"""Fields of a ModelSpec that cannot stand beside each other.

ModelSpec --contradictions--> ["a reranker has a head and no pooling", ...]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import ModelSpec


def contradictions(spec: ModelSpec) -> list[str]:
    """In words, empty where all fits."""
    return [*_role_faults(spec), *_format_faults(spec), *_template_faults(spec)]


def _role_faults(spec: ModelSpec) -> list[str]:
    if spec.role == "reranker":
        return ["a reranker has a head and no pooling"] if spec.pooling != "none" or spec.head == "none" else []
    faults = ["an embedder needs a pooling"] if spec.pooling == "none" else []
    return faults + ([f"an embedder has no head, and this one has {spec.head}"] if spec.head != "none" else [])


def _format_faults(spec: ModelSpec) -> list[str]:
    forbidden = {limit.precision for limit in spec.precision_limits if limit.verdict == "forbidden"}
    clash = sorted(forbidden & set(spec.precisions))
    faults = [f"precisions has {', '.join(clash)}, which precision_limits forbids"] if clash else []
    beyond = sorted({name for run in spec.ran for name in run.precisions} - set(spec.precisions))
    return faults + ([f"ran has {', '.join(beyond)}, in which it must not be exported"] if beyond else [])


def _template_faults(spec: ModelSpec) -> list[str]:
    wanted = {
        "query_template": ("{text}",),
        "document_template": ("{text}",),
        "pair_template": ("{query}", "{document}"),
    }
    framing = ("query_prompt", "document_prompt", *wanted)
    unreadable = [
        f"{name} holds a NUL, which services refuse in texts" for name in framing if "\0" in getattr(spec, name)
    ]
    return unreadable + [
        f"{name} has no {hole}"
        for name, holes in wanted.items()
        for hole in holes
        if (template := getattr(spec, name)) and hole not in template
    ]
