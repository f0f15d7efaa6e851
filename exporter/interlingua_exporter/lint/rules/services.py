"""Models that call other models: our `text` services, and Python models with business logic scripting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.served.graph_names import TOKEN_VECTORS
from interlingua.served.service import (
    EMBED_DOCUMENT,
    EMBED_QUERY,
    ENCODE_DOCUMENT_TOKENS,
    ENCODE_QUERY_TOKENS,
    RERANK,
    ServiceSpec,
)
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in
from interlingua_exporter.lint.python_source import read_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository


def _specs(model: Model) -> Iterator[tuple[int, ServiceSpec | None, str]]:
    """(version, what the service says of itself or None, why not) of every version that is served."""
    if model.backend != "text":
        return
    for version in model.served:
        try:
            yield version, ServiceSpec.from_parameters(model.parameters, version), ""
        except (KeyError, ValueError) as error:
            yield version, None, f"{error.args[0] if error.args else error}"


def _calls(model: Model, repository: Repository) -> Iterator[tuple[int, ServiceSpec, Model]]:
    """(version, service, its network) where both are there."""
    for version, spec, _ in _specs(model):
        network = repository.by_name.get(spec.network) if spec else None
        if spec and network and network.configured:
            yield version, spec, network


@each_model
def _unspecified(model: Model) -> Iterator[RuleHit]:
    for version, spec, reason in _specs(model):
        if spec is None:
            yield model.hit("parameters", f"version {version} is not described: {reason}")


@each_model_in
def _no_network(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for version, spec, _ in _specs(model):
        if spec and spec.network not in repository.by_name:
            yield model.hit(f"parameters.{version}/network", f"there is no model {spec.network!r}")


@each_model_in
def _no_version(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for version, _spec, network in _calls(model, repository):
        if version not in network.served:
            yield model.hit(f"parameters.{version}/network", f"{network.name} does not serve version {version}")


@each_model_in
def _other_tensors(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for version, spec, network in _calls(model, repository):
        there = {entry.name: list(entry.dims) for entry in network.config.output}
        ours, theirs = set(spec.inputs), {entry.name for entry in network.config.input}
        if theirs and ours != theirs:
            what = f"{', '.join(sorted(ours))}; {network.name} has {', '.join(sorted(theirs))}"
            yield model.hit(f"parameters.{version}/network_inputs", what)
        if spec.interaction:
            if TOKEN_VECTORS not in there:
                yield model.hit(f"parameters.{version}/interaction", f"it needs {TOKEN_VECTORS}, not {there}")
            continue
        output = next(iter(model.config.output), None)
        if output is not None and there.get(output.name) != list(output.dims):
            what = f"{output.name} {list(output.dims)} first; {network.name} has {there}"
            yield model.hit("output", what)


@each_model_in
def _larger(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for _, _, network in _calls(model, repository):
        ours, theirs = model.config.max_batch_size, network.config.max_batch_size
        if ours > theirs:
            yield model.hit("max_batch_size", f"it is {ours}, that of {network.name} {theirs}")


def _two_spaces(repository: Repository) -> Iterator[RuleHit]:
    for name, *others in ((EMBED_QUERY, EMBED_DOCUMENT), (RERANK, ENCODE_QUERY_TOKENS, ENCODE_DOCUMENT_TOKENS)):
        first = repository.by_name.get(name)
        digests = {version: spec.digest for version, spec, _ in _specs(first) if spec} if first else {}
        for other in filter(None, map(repository.by_name.get, others)):
            for version, spec, _ in _specs(other):
                if spec and digests.get(version, spec.digest) != spec.digest:
                    yield other.hit(f"parameters.{version}/digest", f"it is not that of {name}")


@each_model_in
def _unknown_calls(model: Model, repository: Repository) -> Iterator[RuleHit]:
    if model.backend != "python":
        return
    for version in model.served:
        source = read_python(model.version_file(version))
        for name in sorted(source.called if source else ()):
            if name not in repository.by_name:
                where = f"{version}/{model.model_file}"
                yield model.hit("", f"it calls {name!r}, which is not in the repository", file=where)


_AGAIN = "Run `interlingua export` again: network and services are published together."

RULES = (
    Rule(
        code="BLS001",
        severity="error",
        title="a service without the parameters of a version",
        why="The `text` backend refuses the model: everything that it has to know stands in `<version>/...`.",
        mend=_AGAIN,
        check=_unspecified,
    ),
    Rule(
        code="BLS002",
        severity="error",
        title="a service whose network is not there",
        why="It loads, and every request fails.",
        mend=_AGAIN,
        check=_no_network,
    ),
    Rule(
        code="BLS003",
        severity="error",
        title="a service whose version its network does not serve",
        why="Version v of a service calls version v of its network: every request fails.",
        mend=_AGAIN,
        check=_no_version,
    ),
    Rule(
        code="BLS004",
        severity="error",
        title="a service whose tensors are not its network's",
        why="It loads, and every request fails, or has another dimension than stated.",
        mend=_AGAIN,
        check=_other_tensors,
    ),
    Rule(
        code="BLS005",
        severity="error",
        title="a service with larger batches than its network",
        why="A call of many short texts exceeds the network's max_batch_size and fails.",
        mend="Let the network's max_batch_size be at least the service's.",
        check=_larger,
    ),
    Rule(
        code="BLS006",
        severity="warning",
        title="services of a query and a document of different models",
        why="Equal digests are one vector space; vectors of two models cannot be compared.",
        mend=_AGAIN,
        check=_two_spaces,
    ),
    Rule(
        code="BLS007",
        severity="warning",
        title="a Python model that calls a model which is not there",
        why="It loads, and the call fails (unless another repository has that model).",
        mend="Put the model into the repository.",
        check=_unknown_calls,
    ),
)
