"""Dynamic batching: sizes, delays and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model

_LONG_US = 100_000


def _batches(model: Model) -> bool:
    return bool(model.config.HasField("dynamic_batching"))


@each_model
def _pointless(model: Model) -> Iterator[RuleHit]:
    if _batches(model) and model.config.max_batch_size in (0, 1):
        yield model.hit("dynamic_batching", f"max_batch_size is {model.config.max_batch_size}: nothing is batched")


@each_model
def _preferred(model: Model) -> Iterator[RuleHit]:
    limit = model.config.max_batch_size
    wrong = [size for size in model.config.dynamic_batching.preferred_batch_size if not 0 < size <= limit]
    if wrong:
        sizes = ", ".join(map(str, wrong))
        yield model.hit("dynamic_batching.preferred_batch_size", f"{sizes} is not from 1 to max_batch_size {limit}")


@each_model
def _delay(model: Model) -> Iterator[RuleHit]:
    delay = model.config.dynamic_batching.max_queue_delay_microseconds
    if 0 < delay < _LONG_US:
        yield model.hit("dynamic_batching.max_queue_delay_microseconds", f"it is {delay / 1000:g} ms")


@each_model
def _long_delay(model: Model) -> Iterator[RuleHit]:
    delay = model.config.dynamic_batching.max_queue_delay_microseconds
    if delay >= _LONG_US:
        yield model.hit("dynamic_batching.max_queue_delay_microseconds", f"it is {delay / 1000:g} ms")


@each_model
def _no_profiles(model: Model) -> Iterator[RuleHit]:
    profiles = {profile for group in model.config.instance_group for profile in group.profile}
    if model.config.dynamic_batching.preferred_batch_size and len(profiles) < 2:
        sizes = ", ".join(map(str, model.config.dynamic_batching.preferred_batch_size))
        yield model.hit("dynamic_batching.preferred_batch_size", f"{sizes}, without several TensorRT profiles")


@each_model
def _unequal_shapes(model: Model) -> Iterator[RuleHit]:
    names = [entry.name for entry in model.config.input if -1 in entry.dims and not entry.allow_ragged_batch]
    if _batches(model) and model.config.max_batch_size > 1 and names:
        yield model.hit("input.dims", f"{', '.join(names)}: only requests of equal shape are batched")


@each_model
def _order(model: Model) -> Iterator[RuleHit]:
    batching = model.config.dynamic_batching
    levels = batching.priority_levels
    if levels and not 1 <= batching.default_priority_level <= levels:
        field, number = "default_priority_level", batching.default_priority_level
        yield model.hit(f"dynamic_batching.{field}", f"{number} is not from 1 to priority_levels {levels}")
    wrong = [level for level in batching.priority_queue_policy if levels and not 1 <= level <= levels]
    if wrong:
        yield model.hit("dynamic_batching.priority_queue_policy", f"level {wrong[0]} is not from 1 to {levels}")
    policies = (batching.default_queue_policy, *batching.priority_queue_policy.values())
    delays = any(
        policy.default_timeout_microseconds and policy.timeout_action == pb.ModelQueuePolicy.DELAY
        for policy in policies
    )
    if batching.preserve_ordering and (levels > 1 or delays):
        what = "it cannot be had with several priority levels, nor with timeout_action DELAY"
        yield model.hit("dynamic_batching.preserve_ordering", what)


RULES = (
    Rule(
        code="BAT001",
        severity="warning",
        title="dynamic batching with max_batch_size 0 or 1",
        why="It loads, and batches nothing; requests only pass through one more queue.",
        mend="max_batch_size: 64, with tensors stated without their batch axis; or leave dynamic_batching out.",
        check=_pointless,
    ),
    Rule(
        code="BAT002",
        severity="error",
        title="a preferred batch size beyond max_batch_size",
        why="Triton does not load the model.",
        mend="Leave preferred_batch_size out.",
        check=_preferred,
    ),
    Rule(
        code="BAT003",
        severity="note",
        title="a queue delay",
        why="Every lone request waits that long, once in each layer that batches. Batches form by themselves while the "
        "instances are busy.",
        mend="dynamic_batching { max_queue_delay_microseconds: 0 }",
        check=_delay,
    ),
    Rule(
        code="BAT004",
        severity="warning",
        title="a queue delay of 100 ms and more",
        why="The unit is the microsecond. Every lone request waits that long before it is computed.",
        mend="dynamic_batching { max_queue_delay_microseconds: 0 }",
        check=_long_delay,
    ),
    Rule(
        code="BAT005",
        severity="note",
        title="preferred batch sizes without several TensorRT profiles",
        why="They only pay where each size has an optimization profile of its own; elsewhere they hold batches back.",
        mend="Leave preferred_batch_size out.",
        check=_no_profiles,
    ),
    Rule(
        code="BAT006",
        severity="note",
        title="dynamic batching of inputs with open dimensions",
        why="A request of another shape sends the waiting batch off as it is, so mixed lengths (token ids, say) make "
        "small batches.",
        mend="Batch in front of the tokenizer, where every request has shape [1]; or pad to a few lengths.",
        check=_unequal_shapes,
    ),
    Rule(
        code="BAT007",
        severity="error",
        title="priorities or ordering that contradict each other",
        why="Triton does not load the model.",
        mend="default_priority_level from 1 to priority_levels; preserve_ordering with one level and REJECT only.",
        check=_order,
    ),
)
