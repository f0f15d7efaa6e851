"""Queue policies and priorities. Sources: tis/core src/scheduler_utils.cc, src/dynamic_batch_scheduler.cc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model

_STALL = (
    "It switches Triton's prefetching off: a request that arrives between an answer and the instance becoming idle "
    "does not wake the batcher, which sleeps 500 ms. A closed loop of one client had a p99 of 512 ms instead of 66."
)
_FIELD = "dynamic_batching.default_queue_policy"


@each_model
def _priorities(model: Model) -> Iterator[RuleHit]:
    levels = model.config.dynamic_batching.priority_levels
    if levels:
        yield model.hit("dynamic_batching.priority_levels", f"it is {levels}")


@each_model
def _policy(model: Model) -> Iterator[RuleHit]:
    policy = model.config.dynamic_batching.default_queue_policy
    names = [
        name
        for name in ("default_timeout_microseconds", "allow_timeout_override", "max_queue_size")
        if getattr(policy, name)
    ]
    if names:
        yield model.hit(_FIELD, f"{', '.join(names)} set")


@each_model
def _override(model: Model) -> Iterator[RuleHit]:
    batching = model.config.dynamic_batching
    for policy in (batching.default_queue_policy, *batching.priority_queue_policy.values()):
        if policy.allow_timeout_override and not policy.default_timeout_microseconds:
            yield model.hit(f"{_FIELD}.allow_timeout_override", "there is no default_timeout_microseconds to override")


@each_model
def _without_levels(model: Model) -> Iterator[RuleHit]:
    batching = model.config.dynamic_batching
    if batching.priority_queue_policy and not batching.priority_levels:
        yield model.hit("dynamic_batching.priority_queue_policy", "priority_levels is 0")


@each_model
def _delayed(model: Model) -> Iterator[RuleHit]:
    batching = model.config.dynamic_batching
    for policy in (batching.default_queue_policy, *batching.priority_queue_policy.values()):
        if policy.default_timeout_microseconds and policy.timeout_action == pb.ModelQueuePolicy.DELAY:
            yield model.hit(f"{_FIELD}.timeout_action", "requests past their time stay in the queue (DELAY)")


RULES = (
    Rule(
        code="QUE001",
        severity="warning",
        title="priority levels: the hidden stall",
        why=_STALL,
        mend="Leave priority_levels out; serve what is urgent by a model of its own.",
        check=_priorities,
    ),
    Rule(
        code="QUE002",
        severity="warning",
        title="a queue policy: the hidden stall",
        why=_STALL,
        mend="dynamic_batching { }; let requests carry their deadline, and shed late ones before computing them.",
        check=_policy,
    ),
    Rule(
        code="QUE003",
        severity="warning",
        title="a timeout override that overrides nothing",
        why="A request's own timeout counts only where it is below default_timeout_microseconds; with 0 it never is, "
        "and requests wait without limit.",
        mend="State default_timeout_microseconds, or leave the policy out.",
        check=_override,
    ),
    Rule(
        code="QUE004",
        severity="warning",
        title="queue policies of priorities that do not exist",
        why="Without priority_levels Triton ignores priority_queue_policy: the limits in it do not hold.",
        mend="Leave priority_queue_policy out.",
        check=_without_levels,
    ),
    Rule(
        code="QUE005",
        severity="note",
        title="late requests are kept",
        why="They are computed after all others, when their clients have gone; the queue has no limit.",
        mend="timeout_action: REJECT",
        check=_delayed,
    ),
)
