"""Writing an ONNX graph so that the same graph is the same bytes on every machine.

The messages are filled field by field instead of through `onnx.helper`: what the helpers set beyond the
arguments (empty strings, type hints, the order of attributes) changes between releases of onnx, and the files
built here are checked by sha256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    ValueInfoProto,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

IR_VERSION = 8
OPSET = 17
PRODUCER = "kinebox"

Attribute = int | float | str | Sequence[int]

_ELEMENT: dict[str, int] = {
    "float32": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
}


class GraphWriter:
    """Nodes and constants of a graph, in the order they were added."""

    def __init__(self) -> None:
        """Start an empty graph."""
        self.nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer and return its name; the same name may be given again with the same value."""
        tensor = tensor_proto(name, value)
        known = self._constants.setdefault(name, tensor)
        if known != tensor:
            raise ValueError(f"constant {name!r} has two values")
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> str:
        """Append a node with one output, named like its output, and return that name."""
        self.nodes.append(node_proto(kind, inputs, output, attributes))
        return output

    def model(self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int]]) -> ModelProto:
        """Return the model; `inputs` and `outputs` give the float32 shapes."""
        graph = GraphProto(
            name=PRODUCER,
            node=self.nodes,
            initializer=list(self._constants.values()),
            input=[_value_info(name, shape) for name, shape in inputs.items()],
            output=[_value_info(name, shape) for name, shape in outputs.items()],
        )
        return ModelProto(
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
            graph=graph,
            opset_import=[OperatorSetIdProto(domain="", version=OPSET)],
        )


def serialise(model: ModelProto) -> bytes:
    """Return the bytes of `model`; field order is fixed by the format and none of the fields is a map."""
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def tensor_proto(name: str, value: NDArray[Any]) -> TensorProto:
    """Return `value` as a named tensor, stored little-endian."""
    element = _ELEMENT[value.dtype.name]
    raw = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
    return TensorProto(name=name, data_type=element, dims=value.shape, raw_data=raw)


def node_proto(
    kind: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Attribute]
) -> NodeProto:
    """Return a node named like its one output, its attributes in alphabetical order."""
    return NodeProto(
        op_type=kind,
        name=output,
        input=inputs,
        output=[output],
        attribute=[_attribute(name, attributes[name]) for name in sorted(attributes)],
    )


def _attribute(name: str, value: Attribute) -> AttributeProto:
    match value:
        case int():
            return AttributeProto(name=name, type=AttributeProto.INT, i=value)
        case float():
            return AttributeProto(name=name, type=AttributeProto.FLOAT, f=value)
        case str():
            return AttributeProto(name=name, type=AttributeProto.STRING, s=value.encode())
        case _:
            return AttributeProto(name=name, type=AttributeProto.INTS, ints=value)


def _value_info(name: str, shape: Sequence[int]) -> ValueInfoProto:
    info = ValueInfoProto(name=name)
    info.type.tensor_type.elem_type = TensorProto.FLOAT
    for size in shape:
        info.type.tensor_type.shape.dim.add().dim_value = size
    return info
