"""Sequence batching: control tensors, strategies, and the initial values of implicit state.

The checks are those of model_config_utils.cc and sequence_batch_scheduler.cc of triton-inference-server/core.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint import disk
from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.model import enum_name
from interlingua_exporter.lint.rules.warmup import tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model

_Control = pb.ModelSequenceBatching.Control
_VALUES = ("int32_false_true", "fp32_false_true", "bool_false_true")
_ID_TYPES = (pb.TYPE_UINT64, pb.TYPE_INT64, pb.TYPE_UINT32, pb.TYPE_INT32, pb.TYPE_STRING)
_FIELD = "sequence_batching"
_FOLDER = "initial_state"


@each_model
def _controls(model: Model) -> Iterator[RuleHit]:
    inputs = model.config.sequence_batching.control_input
    controls = [(entry.name, control) for entry in inputs for control in entry.control]
    for name, count in Counter(entry.name for entry in inputs).items():
        if not name or count > 1:
            what = f"{name} stands there {count} times" if name else "a control has no name"
            yield model.hit(f"{_FIELD}.control_input", what)
    for kind, count in Counter(control.kind for _, control in controls).items():
        if count > 1:
            yield model.hit(f"{_FIELD}.control_input", f"{enum_name(_Control.Kind, kind)} is there {count} times")
    for name, control in controls:
        if what := _wrong(control):
            yield model.hit(f"{_FIELD}.control_input[{name}]", what)


def _wrong(control: pb.ModelSequenceBatching.Control) -> str:
    kind, sizes = enum_name(_Control.Kind, control.kind), sorted(len(getattr(control, values)) for values in _VALUES)
    if control.kind != _Control.CONTROL_SEQUENCE_CORRID:
        return "" if sizes == [0, 0, 2] else f"{kind} needs two values of one type: {', '.join(_VALUES)}"
    if any(sizes):
        return f"{kind} has no values for false and true"
    return "" if control.data_type in _ID_TYPES else f"{kind} is {enum_name(pb.DataType, control.data_type)}"


@each_model
def _strategy(model: Model) -> Iterator[RuleHit]:
    batching, limit = model.config.sequence_batching, model.config.max_batch_size
    for size in batching.oldest.preferred_batch_size:
        if not 0 < size <= limit:
            field = f"{_FIELD}.oldest.preferred_batch_size"
            yield model.hit(field, f"{size} is not from 1 to max_batch_size {limit}")
    share = batching.direct.minimum_slot_utilization
    if share < 0 or share > 1:
        yield model.hit(f"{_FIELD}.direct.minimum_slot_utilization", f"{share:g} is not from 0 to 1")


@each_model
def _initial(model: Model) -> Iterator[RuleHit]:
    states = [state for state in model.config.sequence_batching.state if state.initial_state]
    for name, count in Counter(state.input_name for state in states).items():
        if count > 1:
            yield model.hit(f"{_FIELD}.state", f"{count} states with initial_state have the input_name {name!r}")
    for state in states:
        field = f"{_FIELD}.state[{state.input_name}].initial_state"
        if len(state.initial_state) > 1:
            yield model.hit(field, f"there are {len(state.initial_state)}")
        for what in _unfit(model, state, state.initial_state[0]):
            yield model.hit(field, what)


def _unfit(
    model: Model, state: pb.ModelSequenceBatching.State, initial: pb.ModelSequenceBatching.InitialState
) -> Iterator[str]:
    if not initial.name:
        yield "it has no name"
    if initial.data_type != state.data_type:
        yield f"it is {enum_name(pb.DataType, initial.data_type)}, the state {enum_name(pb.DataType, state.data_type)}"
    ours, theirs = list(initial.dims), list(state.dims)
    if -1 in ours or len(ours) != len(theirs) or any(b not in (a, -1) for a, b in zip(ours, theirs, strict=True)):
        yield f"dims are {ours}, the state's {theirs}; they have to be sizes"
    if initial.WhichOneof("state_data") is None:
        yield "it has no data"
    if initial.data_file:
        size = disk.size(model.folder / _FOLDER / initial.data_file)
        needed = tensor_bytes(initial.data_type, initial.dims)
        if size < 0:
            yield f"{_FOLDER}/{initial.data_file} is missing"
        elif needed is not None and size < needed:
            yield f"{_FOLDER}/{initial.data_file} has {size} bytes of {needed}"


RULES = (
    Rule(
        code="SEQ001",
        severity="error",
        title="sequence controls without name, values or type, or there twice",
        why="Triton does not load the model.",
        mend='control_input { name: "START" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } }; '
        "CONTROL_SEQUENCE_CORRID has data_type: TYPE_UINT64 instead.",
        check=_controls,
    ),
    Rule(
        code="SEQ002",
        severity="error",
        title="a sequence strategy beyond its bounds",
        why="Triton does not load the model.",
        mend="oldest: preferred_batch_size from 1 to max_batch_size; direct: minimum_slot_utilization from 0 to 1.",
        check=_strategy,
    ),
    Rule(
        code="SEQ003",
        severity="error",
        title="an initial state that does not fit its state",
        why="Triton does not load the model.",
        mend='initial_state { name: "zero" data_type: TYPE_FP32 dims: [ 2 ] zero_data: true }, one a state; files '
        "lie in <model>/initial_state.",
        check=_initial,
    ),
)
