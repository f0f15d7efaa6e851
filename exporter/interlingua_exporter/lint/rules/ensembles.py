"""Ensembles: what they are, and the models of their steps; ensemble_tensors.py has what flows between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tritonclient.grpc import model_config_pb2 as pb

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_STEP = "ensemble_scheduling.step"


def steps_of(model: Model, repository: Repository) -> Iterator[tuple[pb.ModelEnsembling.Step, Model]]:
    """(step, its model) of the steps whose model is there with a readable configuration."""
    for step in model.config.ensemble_scheduling.step:
        other = repository.by_name.get(step.model_name)
        if other is not None and other.configured and not step.model_namespace:
            yield step, other


@each_model
def _malformed(model: Model) -> Iterator[RuleHit]:
    if model.backend != "ensemble" and not model.config.HasField("ensemble_scheduling"):
        return
    if model.config.platform != "ensemble" or model.config.backend:
        yield model.hit("platform", "ensemble_scheduling needs the platform, and no backend")
    if not model.config.ensemble_scheduling.step:
        yield model.hit(_STEP, "the ensemble has no step")
    for field in ("instance_group", "model_warmup"):
        if len(getattr(model.config, field)):
            yield model.hit(field, f"an ensemble has no {field}")
    if model.config.HasField("optimization"):
        yield model.hit("optimization", "an ensemble has no optimization")


@each_model_in
def _missing(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step in model.config.ensemble_scheduling.step:
        if step.model_name not in repository.by_name and not step.model_namespace:
            yield model.hit(f"{_STEP}.model_name", f"there is no model {step.model_name!r}")


@each_model_in
def _circular(model: Model, repository: Repository) -> Iterator[RuleHit]:
    inside = {step.model_name for step in model.config.ensemble_scheduling.step}
    waiting = list(inside)
    while waiting:
        other = repository.by_name.get(waiting.pop())
        new = {step.model_name for step in other.config.ensemble_scheduling.step} - inside if other else set()
        inside |= new
        waiting += new
    if model.name in inside:
        yield model.hit(f"{_STEP}.model_name", "the ensemble is a step of itself, or of one of its steps")


@each_model_in
def _version(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in steps_of(model, repository):
        if step.model_version != -1 and step.model_version not in other.served:
            yield model.hit(f"{_STEP}.model_version", f"{other.name} does not serve version {step.model_version}")


@each_model_in
def _batch(model: Model, repository: Repository) -> Iterator[RuleHit]:
    ours = model.config.max_batch_size
    for _, other in steps_of(model, repository):
        if ours > other.config.max_batch_size > 0:
            what = f"it is {ours}, that of {other.name} {other.config.max_batch_size}"
            yield model.hit("max_batch_size", what)


@each_model_in
def _tensors(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in steps_of(model, repository):
        for section, names in (("input", step.input_map), ("output", step.output_map)):
            there = {entry.name for entry in getattr(other.config, section)}
            unknown = sorted(set(names) - there) if there else []
            if unknown:
                yield model.hit(f"{_STEP}.{section}_map", f"{other.name} has no {section} {', '.join(unknown)}")


@each_model_in
def _unmapped(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in steps_of(model, repository):
        required = {entry.name for entry in other.config.input if not entry.optional}
        if required - set(step.input_map):
            names = ", ".join(sorted(required - set(step.input_map)))
            yield model.hit(f"{_STEP}.input_map", f"{other.name} is not given {names}")


RULES = (
    Rule(
        code="ENS001",
        severity="error",
        title="an ensemble without platform or steps, or with what only a model has",
        why="Triton does not load the model.",
        mend='platform: "ensemble" and ensemble_scheduling { step { ... } }; no backend, instance_group, optimization '
        "or model_warmup",
        check=_malformed,
    ),
    Rule(
        code="ENS002",
        severity="error",
        title="a step whose model is not there",
        why="Triton does not load the ensemble.",
        mend="Name a model of the repository.",
        check=_missing,
    ),
    Rule(
        code="ENS003",
        severity="error",
        title="a step whose version is not served",
        why="Triton does not load the ensemble.",
        mend="model_version: -1, or a version that the model's version_policy serves; left out it is 0",
        check=_version,
    ),
    Rule(
        code="ENS004",
        severity="error",
        title="an ensemble with larger batches than a step",
        why="Triton does not load the ensemble.",
        mend="Let max_batch_size be the smallest of the steps'.",
        check=_batch,
    ),
    Rule(
        code="ENS005",
        severity="error",
        title="a map to a tensor that the step's model does not have",
        why="Triton does not load the ensemble.",
        mend="The keys of input_map and output_map are the step's own names, the values the ensemble's.",
        check=_tensors,
    ),
    Rule(
        code="ENS008",
        severity="error",
        title="a step's input that is not mapped",
        why="Triton does not load the ensemble, unless the input is optional.",
        mend="Map every input of the step's model, or make it optional there.",
        check=_unmapped,
    ),
    Rule(
        code="ENS009",
        severity="error",
        title="ensembles that contain each other",
        why="Triton loads none of them.",
        mend="Take the step out that leads back.",
        check=_circular,
    ),
)
