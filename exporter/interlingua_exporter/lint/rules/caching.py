"""The response cache: it keys on model, version and inputs, on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in
from interlingua_exporter.lint.python_source import read_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_FIELD = "response_cache.enable"


def _cached(model: Model) -> bool:
    return bool(model.config.response_cache.enable)


@each_model
def _refused(model: Model) -> Iterator[RuleHit]:
    if _cached(model) and model.config.model_transaction_policy.decoupled:
        yield model.hit(_FIELD, "the model is decoupled")
    if _cached(model) and model.config.HasField("sequence_batching"):
        yield model.hit(_FIELD, "the model has sequence_batching")


@each_model
def _parameters(model: Model) -> Iterator[RuleHit]:
    if not _cached(model) or model.backend != "python":
        return
    for version in model.served:
        source = read_python(model.version_file(version))
        if source and source.reads_parameters:
            yield model.hit(_FIELD, f"{version}/{model.model_file} reads request parameters")


@each_model_in
def _no_cache(model: Model, repository: Repository) -> Iterator[RuleHit]:
    launch = repository.settings.launch
    if _cached(model) and launch and not launch.has("--cache-config") and not launch.has("--response-cache-byte-size"):
        yield model.hit(_FIELD, "the server is started without --cache-config")


RULES = (
    Rule(
        code="CCH001",
        severity="error",
        title="a cached model that cannot be cached",
        why="Triton does not load a decoupled or sequence model with a response cache.",
        mend="Leave response_cache out.",
        check=_refused,
    ),
    Rule(
        code="CCH002",
        severity="warning",
        title="a cached model that reads request parameters",
        why="The key is model, version and inputs: two requests that differ in a parameter get the same answer.",
        mend="Make what changes the answer an input tensor, or leave response_cache out.",
        check=_parameters,
    ),
    Rule(
        code="CCH003",
        severity="warning",
        title="a cached model on a server without a cache",
        why="Nothing is cached, without a word.",
        mend="--cache-config=local,size=67108864",
        check=_no_cache,
    ),
)
