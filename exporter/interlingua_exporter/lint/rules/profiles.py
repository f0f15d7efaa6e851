"""TensorRT's optimization profiles: `input_ids:1x16,attention_mask:1x16` for the least, usual and largest shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit, each_model
from interlingua_exporter.lint.rules.accelerators import PARAMETERS, tensorrt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.model import Model

_KINDS = ("min", "opt", "max")
Shapes = dict[str, tuple[int, ...]]


def _texts(model: Model) -> dict[str, str]:
    """The profiles that are stated, by kind."""
    parameters = tensorrt(model) or {}
    stated = {kind: parameters.get(f"trt_profile_{kind}_shapes", "") for kind in _KINDS}
    return {kind: text for kind, text in stated.items() if text}


def parse(text: str) -> Shapes:
    """`a:1x2,b:3` as shapes. Raises ValueError: it is written otherwise."""
    pairs = [part.strip().rpartition(":") for part in text.split(",")]
    if not all(name for name, _, _ in pairs):
        raise ValueError(f"a shape without a name in {text!r}")
    return {name: tuple(int(size) for size in shape.split("x")) for name, _, shape in pairs}


def _parsed(model: Model) -> dict[str, Shapes]:
    try:
        return {kind: parse(text) for kind, text in _texts(model).items()}
    except ValueError:
        return {}


def dynamic_inputs(model: Model) -> tuple[str, ...]:
    """Inputs whose shape in the graph is open: those with an open dimension, and all where there is a batch axis."""
    batched = model.config.max_batch_size > 0
    return tuple(entry.name for entry in model.config.input if batched or -1 in entry.dims)


@each_model
def _none(model: Model) -> Iterator[RuleHit]:
    names = dynamic_inputs(model)
    if tensorrt(model) is not None and names and not _texts(model):
        yield model.hit(PARAMETERS, f"no profile for {', '.join(names)}")


@each_model
def _malformed(model: Model) -> Iterator[RuleHit]:
    for kind, text in _texts(model).items():
        try:
            parse(text)
        except ValueError:
            yield model.hit(PARAMETERS, f"trt_profile_{kind}_shapes {text!r} is not input:1x2,other:3x4")


@each_model
def _partial(model: Model) -> Iterator[RuleHit]:
    stated = _texts(model)
    if not stated:
        return
    for kind in _KINDS:
        if kind not in stated:
            yield model.hit(PARAMETERS, f"trt_profile_{kind}_shapes is missing")
    for kind, shapes in _parsed(model).items():
        missing = [name for name in dynamic_inputs(model) if name not in shapes]
        if missing:
            yield model.hit(PARAMETERS, f"trt_profile_{kind}_shapes leaves out {', '.join(missing)}")


@each_model
def _disordered(model: Model) -> Iterator[RuleHit]:
    profiles = _parsed(model)
    if set(profiles) != set(_KINDS):
        return
    for name in profiles["min"]:
        low, usual, high = (profiles[kind].get(name, ()) for kind in _KINDS)
        if not len(low) == len(usual) == len(high):
            continue
        if any(not a <= b <= c for a, b, c in zip(low, usual, high, strict=True)):
            yield model.hit(PARAMETERS, f"{name}: not min {low} <= opt {usual} <= max {high}")


@each_model
def _narrow(model: Model) -> Iterator[RuleHit]:
    batch = model.config.max_batch_size
    largest = _parsed(model).get("max", {})
    for entry in model.config.input:
        shape = largest.get(entry.name)
        if shape is None or not batch:
            continue
        if len(shape) != len(entry.dims) + 1:
            yield model.hit(PARAMETERS, f"{entry.name}: max {shape} is not a batch axis and {len(entry.dims)} more")
        elif shape[0] < batch:
            yield model.hit(PARAMETERS, f"{entry.name}: max {shape} holds {shape[0]} of max_batch_size {batch}")


RULES = (
    Rule(
        code="PRF001",
        severity="warning",
        title="TensorRT without profiles for its dynamic inputs",
        why="Every shape that was not seen before rebuilds the engine, 30 to 100 s in the middle of a request "
        "(microsoft/onnxruntime#12120).",
        mend='parameters { key: "trt_profile_min_shapes" value: "input_ids:1x1,attention_mask:1x1" }, and opt and max',
        check=_none,
    ),
    Rule(
        code="PRF002",
        severity="error",
        title="a profile that cannot be read",
        why="ONNX Runtime refuses it, and the model does not load.",
        mend="input_ids:1x16,attention_mask:1x16",
        check=_malformed,
    ),
    Rule(
        code="PRF003",
        severity="error",
        title="profiles that leave out a kind or a dynamic input",
        why="ONNX Runtime takes min, opt and max for all dynamic inputs, or none of them.",
        mend="State the three of them, each with every input.",
        check=_partial,
    ),
    Rule(
        code="PRF004",
        severity="error",
        title="a profile whose sizes are out of order",
        why="TensorRT builds no engine for it.",
        mend="min <= opt <= max in every dimension.",
        check=_disordered,
    ),
    Rule(
        code="PRF005",
        severity="warning",
        title="profiles that do not cover the largest batch",
        why="A batch beyond the profile rebuilds the engine in the middle of a request.",
        mend="Let the first size of trt_profile_max_shapes be max_batch_size.",
        check=_narrow,
    ),
)
