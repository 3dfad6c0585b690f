"""Reading an ONNX graph: constants as arrays, attributes as values, who writes and who reads a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

    from models.onnx_graph import Attribute


class GraphReader:
    """The graph of a model, looked up by tensor.

    constants: initializer name to array.
    producers: tensor to the node that writes it.
    readers: tensor to the nodes that read it.
    """

    def __init__(self, model: ModelProto) -> None:
        """Index the graph of `model`."""
        graph = model.graph
        self.nodes: list[NodeProto] = list(graph.node)
        self.inputs = {info.name: _shape(info) for info in graph.input}
        self.outputs = {info.name: _shape(info) for info in graph.output}
        self.constants: dict[str, NDArray[Any]] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.producers = {output: node for node in self.nodes for output in node.output}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def behind(self, tensors: Iterable[str]) -> set[str]:
        """Return the names of the nodes that the given tensors depend on."""
        names: set[str] = set()
        wanted = list(tensors)
        while wanted:
            node = self.producers.get(wanted.pop())
            if node is not None and node.name not in names:
                names.add(node.name)
                wanted.extend(node.input)
        return names


def attributes(node: NodeProto) -> dict[str, Attribute]:
    """Return the attributes of a node: integers, floats, text and lists of integers."""
    return {attribute.name: _value(attribute) for attribute in node.attribute}


def is_depthwise(node: NodeProto) -> bool:
    """Return whether a Conv has one group per channel."""
    return attributes(node).get("group", 1) != 1


def _value(attribute: AttributeProto) -> Attribute:
    match attribute.type:
        case AttributeProto.INT:
            return int(attribute.i)
        case AttributeProto.FLOAT:
            return float(np.float32(attribute.f))
        case AttributeProto.STRING:
            return bytes(attribute.s).decode()
        case _:
            return [int(i) for i in attribute.ints]


def _shape(info: Any) -> list[int]:
    return [int(size.dim_value) for size in info.type.tensor_type.shape.dim]
