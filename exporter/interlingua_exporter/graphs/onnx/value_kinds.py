"""Element types of all values of a graph, from the operators' definitions alone.

onnx.GraphProto --an operator's own type rules, node after node--> ONNX's number of every value's element type

Shape inference gives types too, but stops where it cannot tell a shape, and knows none of ONNX Runtime's operators.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, defs

from interlingua.base.errors import ExportError

_BY_WORD = {f"tensor({name.lower()})": number for name, number in TensorProto.DataType.items()}
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def element_kinds(graph: onnx.GraphProto, opset: int) -> dict[str, int]:
    """By the value's name. Raises ExportError: an operator does not say what it gives."""
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    kinds |= {value.name: value.type.tensor_type.elem_type for value in graph.input}
    for node in graph.node:
        for place, value in enumerate(node.output):
            if value:
                kinds[value] = _kind(node, place, kinds, opset)
    return kinds


def _kind(node: onnx.NodeProto, place: int, kinds: dict[str, int], opset: int) -> int:
    attributes = {attribute.name: attribute for attribute in node.attribute}
    for name in ("to", "dtype"):
        if name in attributes:
            return int(attributes[name].i)
    if node.op_type in ("Constant", "ConstantOfShape"):
        return _constant(attributes)
    if node.domain not in ("", "ai.onnx"):
        # ONNX Runtime's fused operators give what they are given.
        return next(kind for value in node.input if (kind := kinds.get(value)) in _FLOATS)
    schema = defs.get_schema(node.op_type, opset, "")
    formal = schema.outputs[min(place, len(schema.outputs) - 1)]
    if len(formal.types) == 1:
        return int(_BY_WORD[next(iter(formal.types))])
    for at, value in enumerate(node.input):
        if value and schema.inputs[min(at, len(schema.inputs) - 1)].type_str == formal.type_str:
            return kinds[value]
    raise ExportError(f"{node.op_type} {node.name}: it is not known of what type {node.output[place]} is")


def _constant(attributes: dict[str, onnx.AttributeProto]) -> int:
    if "value" in attributes:
        return int(attributes["value"].t.data_type)
    words = {"value_int": TensorProto.INT64, "value_ints": TensorProto.INT64, "value_string": TensorProto.STRING}
    return next((int(kind) for name, kind in words.items() if name in attributes), int(TensorProto.FLOAT))
