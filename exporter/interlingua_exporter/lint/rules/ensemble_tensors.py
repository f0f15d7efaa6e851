"""What flows between an ensemble's steps: where each tensor comes from and goes to, and its type and shape.

The checks are those of ensemble_utils.cc and model_config_utils.cc of triton-inference-server/core.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model, each_model_in
from interlingua_exporter.lint.model import enum_name
from interlingua_exporter.lint.rules.ensembles import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

_STEP = "ensemble_scheduling.step"


def _in_order(model: Model) -> Iterator[pb.ModelEnsembling.Step]:
    """The steps that can run, each after those that feed it."""
    ready = {entry.name for entry in model.config.input}
    waiting = list(model.config.ensemble_scheduling.step)
    while runnable := [step for step in waiting if ready.issuperset(step.input_map.values())]:
        waiting = [step for step in waiting if not ready.issuperset(step.input_map.values())]
        ready.update(tensor for step in runnable for tensor in step.output_map.values())
        yield from runnable


@each_model
def _flow(model: Model) -> Iterator[RuleHit]:
    steps = model.config.ensemble_scheduling.step
    for step in steps:
        for section, names in (("input", step.input_map), ("output", step.output_map)):
            if not names:
                yield model.hit(f"{_STEP}.{section}_map", f"the step {step.model_name!r} maps no {section}")
    if steps:
        yield from _ends(model)


def _ends(model: Model) -> Iterator[RuleHit]:
    steps = model.config.ensemble_scheduling.step
    inputs, outputs = ({entry.name for entry in section} for section in (model.config.input, model.config.output))
    made = Counter(tensor for step in steps for tensor in step.output_map.values())
    taken = {tensor for step in steps for tensor in step.input_map.values()}
    for tensor in sorted(taken - inputs - set(made)):
        yield model.hit(f"{_STEP}.input_map", f"nothing produces {tensor!r}")
    for tensor in sorted(inputs - taken - set(made)):
        yield model.hit("input", f"no step takes the input {tensor!r}")
    for tensor in sorted(outputs - taken - set(made)):
        yield model.hit("output", f"no step produces the output {tensor!r}")
    for tensor in sorted(set(made) - taken - outputs):
        yield model.hit(f"{_STEP}.output_map", f"{tensor!r} is neither an output nor taken by a step")
    for tensor in sorted(tensor for tensor, count in made.items() if count > 1):
        yield model.hit(f"{_STEP}.output_map", f"{tensor!r} is produced {made[tensor]} times")
    ready = {tensor for step in _in_order(model) for tensor in step.output_map.values()}
    for tensor in sorted(set(made) - inputs - ready):
        yield model.hit(f"{_STEP}.input_map", f"{tensor!r} waits for a tensor that comes of it, or of nothing")


class _Use(NamedTuple):
    """A tensor as the ensemble, or the model of a step, states it."""

    model: str
    kind: int
    dims: Sequence[int]
    batched: bool

    def agrees(self, other: _Use) -> bool:
        """With or without the batch axis, as Triton compares them."""
        return _fit(self.dims, other.dims) or _fit(self._whole, other._whole)

    @property
    def _whole(self) -> list[int]:
        return [*([-1] if self.batched else []), *self.dims]


def _fit(one: Sequence[int], other: Sequence[int]) -> bool:
    return len(one) == len(other) and all(a == b or -1 in (a, b) for a, b in zip(one, other, strict=True))


def _uses(model: Model, repository: Repository) -> Iterator[tuple[str, _Use]]:
    """(tensor, use): the ensemble's own first, reshaped; then each step's, as it comes from outside of its model."""
    ours: list[pb.ModelInput | pb.ModelOutput] = [*model.config.input, *model.config.output]
    for entry in ours:
        dims = entry.reshape.shape if entry.HasField("reshape") else entry.dims
        yield entry.name, _Use(model.name, entry.data_type, dims, model.config.max_batch_size > 0)
    for step, other in steps_of(model, repository):
        for section, names in (("input", step.input_map), ("output", step.output_map)):
            theirs = {entry.name: entry for entry in getattr(other.config, section)}
            for inner, outer in sorted(names.items()):
                if inner in theirs:
                    entry, batched = theirs[inner], other.config.max_batch_size > 0
                    yield outer, _Use(other.name, entry.data_type, entry.dims, batched)


@each_model_in
def _unlike(model: Model, repository: Repository) -> Iterator[RuleHit]:
    first: dict[str, _Use] = {}
    for tensor, use in _uses(model, repository):
        known = first.setdefault(tensor, use)
        if known.kind != use.kind:
            names = [enum_name(pb.DataType, one.kind) for one in (known, use)]
            yield model.hit(_STEP, f"{tensor} is {names[0]} in {known.model}, in {use.model} {names[1]}")
        if not known.agrees(use):
            yield model.hit(_STEP, f"{tensor} is {list(known.dims)} in {known.model}, in {use.model} {list(use.dims)}")


@each_model_in
def _streams(model: Model, repository: Repository) -> Iterator[RuleHit]:
    """Every answer of a decoupled step goes its own way: what it made is not put together with anything else."""
    streams = {entry.name: 0 for entry in model.config.input}
    for number, step in enumerate(_in_order(model), start=1):
        found = {streams.get(tensor, 0) for tensor in step.input_map.values()}
        if len(found) > 1:
            yield model.hit(_STEP, f"{step.model_name} takes tensors of a decoupled step, and of others")
        other = repository.by_name.get(step.model_name)
        decoupled = other is not None and other.config.model_transaction_policy.decoupled
        stream = number if decoupled else max(found, default=0)
        streams.update(dict.fromkeys(step.output_map.values(), stream))
    if len({streams.get(entry.name, 0) for entry in model.config.output}) > 1:
        yield model.hit("output", "some come of a decoupled step, and some do not")


RULES = (
    Rule(
        code="ENS006",
        severity="error",
        title="tensors that nothing or two steps produce, that nothing takes, or that wait for themselves",
        why="Triton does not load the ensemble.",
        mend="Let each input go into a step, and each tensor come out of one and go into another, or out.",
        check=_flow,
    ),
    Rule(
        code="ENS007",
        severity="error",
        title="types or shapes that differ between the ensemble and its steps",
        why="Triton does not load the ensemble: inconsistent shape or type.",
        mend="Let all that a tensor goes through state the same data_type and dims.",
        check=_unlike,
    ),
    Rule(
        code="ENS010",
        severity="error",
        title="tensors of a decoupled step beside others",
        why="Triton does not load the ensemble: a decoupled step answers any number of times, and the others once.",
        mend="Let all that meets, in a step or as outputs, come through the same decoupled step.",
        check=_streams,
    ),
)
