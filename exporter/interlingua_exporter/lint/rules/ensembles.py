"""Ensembles: steps, and the tensors between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_STEP = "ensemble_scheduling.step"


def _steps(model: Model, repository: Repository) -> Iterator[tuple[pb.ModelEnsembling.Step, Model]]:
    """(step, its model) of the steps whose model is there with a readable configuration."""
    for step in model.config.ensemble_scheduling.step:
        other = repository.by_name.get(step.model_name)
        if other is not None and other.configured and not step.model_namespace:
            yield step, other


@each_model
def _malformed(model: Model) -> Iterator[RuleHit]:
    if model.backend != "ensemble":
        return
    if not model.config.ensemble_scheduling.step:
        yield model.hit(_STEP, "the ensemble has no step")
    if model.config.instance_group:
        yield model.hit("instance_group", "an ensemble has no instances")


@each_model_in
def _missing(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step in model.config.ensemble_scheduling.step:
        if step.model_name not in repository.by_name and not step.model_namespace:
            yield model.hit(f"{_STEP}.model_name", f"there is no model {step.model_name!r}")


@each_model_in
def _version(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in _steps(model, repository):
        if step.model_version > 0 and step.model_version not in other.served:
            yield model.hit(f"{_STEP}.model_version", f"{other.name} does not serve version {step.model_version}")


@each_model_in
def _batch(model: Model, repository: Repository) -> Iterator[RuleHit]:
    ours = model.config.max_batch_size
    for _, other in _steps(model, repository):
        theirs = other.config.max_batch_size
        if ours > max(theirs, 0):
            yield model.hit("max_batch_size", f"it is {ours}, that of {other.name} {theirs}")


@each_model_in
def _tensors(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in _steps(model, repository):
        for section, names in (("input", step.input_map), ("output", step.output_map)):
            there = {entry.name for entry in getattr(other.config, section)}
            unknown = sorted(set(names) - there) if there else []
            if unknown:
                yield model.hit(f"{_STEP}.{section}_map", f"{other.name} has no {section} {', '.join(unknown)}")


@each_model
def _unfed(model: Model) -> Iterator[RuleHit]:
    steps = model.config.ensemble_scheduling.step
    if not steps:
        return
    inputs = {entry.name for entry in model.config.input}
    produced = {tensor for step in steps for tensor in step.output_map.values()}
    used = {tensor for step in steps for tensor in step.input_map.values()}
    for tensor in sorted(used - inputs - produced):
        yield model.hit(f"{_STEP}.input_map", f"nothing produces {tensor!r}")
    for tensor in sorted(inputs - used):
        yield model.hit("input", f"no step takes the input {tensor!r}")
    for tensor in sorted({entry.name for entry in model.config.output} - produced):
        yield model.hit("output", f"no step produces the output {tensor!r}")


def _ends(
    model: Model, other: Model, step: pb.ModelEnsembling.Step
) -> Iterator[tuple[str, pb.ModelInput | pb.ModelOutput, pb.ModelInput | pb.ModelOutput]]:
    """(section, ensemble's tensor, step's tensor) where the ensemble's own tensors meet a step's."""
    for section, names in (("input", step.input_map), ("output", step.output_map)):
        ours = {entry.name: entry for entry in getattr(model.config, section)}
        theirs = {entry.name: entry for entry in getattr(other.config, section)}
        for inner, outer in sorted(names.items()):
            if outer in ours and inner in theirs:
                yield section, ours[outer], theirs[inner]


@each_model_in
def _unlike(model: Model, repository: Repository) -> Iterator[RuleHit]:
    for step, other in _steps(model, repository):
        for section, ours, theirs in _ends(model, other, step):
            if ours.data_type != theirs.data_type:
                names = [pb.DataType.Name(entry.data_type) for entry in (ours, theirs)]
                yield model.hit(f"{section}.data_type", f"{ours.name} is {names[0]}, in {other.name} {names[1]}")
            a, b = list(ours.dims), list(theirs.dims)
            same_batching = (model.config.max_batch_size > 0) == (other.config.max_batch_size > 0)
            clash = len(a) != len(b) or any(x != y and -1 not in (x, y) for x, y in zip(a, b, strict=True))
            if clash and same_batching:
                yield model.hit(f"{section}.dims", f"{ours.name} is {a}, in {other.name} {b}")


RULES = (
    Rule(
        code="ENS001",
        severity="error",
        title="an ensemble without steps, or with instances",
        why="Triton does not load the model.",
        mend="ensemble_scheduling { step { ... } }, and no instance_group",
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
        mend="model_version: -1, or a version that the model's version_policy serves",
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
        code="ENS006",
        severity="error",
        title="tensors that nothing produces, or nothing takes",
        why="Triton does not load the ensemble.",
        mend="Let each input go into a step, and each tensor come out of one.",
        check=_unfed,
    ),
    Rule(
        code="ENS007",
        severity="error",
        title="types or shapes that differ from the step's",
        why="Triton does not load the ensemble: inconsistent shape or type.",
        mend="Write the step's data_type and dims.",
        check=_unlike,
    ),
)
