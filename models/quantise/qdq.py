"""Writing a quantised graph: QuantizeLinear and DequantizeLinear pairs around the nodes that compute in INT8.

This is the form that ONNX Runtime turns into integer kernels (QLinearConv, QLinearAdd): activations uint8 with
one scale a tensor, weights int8 with one scale an output channel, biases int32. A Clip behind a convolution or
an addition is left out, because rounding to uint8 saturates at the same limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.errors import RecipeMismatch
from models.onnx_graph import GraphWriter
from models.onnx_read import GraphReader, attributes, is_depthwise
from models.quantise.recipe import unpack
from models.quantise.weights import equalised, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

    from models.quantise.recipe import Activation, Recipe

# Nodes that move values without computing new ones: their output has the scale of their input.
MOVING = ("DepthToSpace", "MaxPool", "Resize")
SATURATING = ("Clip", "Relu")


def write_qdq(model: ModelProto, recipe: Recipe) -> ModelProto:
    """Return `model` quantised as `recipe` says; raises RecipeMismatch where the two do not fit."""
    return _QdqWriter(GraphReader(model), recipe).write()


class _QdqWriter:
    def __init__(self, source: GraphReader, recipe: Recipe) -> None:
        self.source = source
        self.recipe = recipe
        self.writer = GraphWriter()
        self.quantised = set(recipe.nodes)
        # Tensor of the source to what float nodes read for it here, where that has another name.
        self.floats: dict[str, str] = {}
        # Tensor of the source to its dequantised form here.
        self.dequantised: dict[str, str] = {}
        # Scale and zero point of each tensor that has been quantised.
        self.activations: dict[str, Activation] = {}
        self.factors = {name: unpack(stream.factors) for stream in recipe.streams for name in stream.tensors}
        unknown = self.quantised - {node.name for node in source.nodes}
        if unknown:
            raise RecipeMismatch(f"the recipe names nodes the model lacks: {', '.join(sorted(unknown))}")

    def write(self) -> ModelProto:
        for node in self.source.nodes:
            if node.op_type == "Conv":
                self._convolution(node)
            elif node.name in self.quantised and node.op_type in SATURATING:
                self._saturation(node)
            elif node.name in self.quantised:
                self._copy(node, [self._as_int8(name) for name in node.input])
                self._quantise_output(node, self._carried(node))
            else:
                self._copy(node, [self._as_float(name) for name in node.input])
        return self.writer.model(self.source.inputs, self.source.outputs)

    def _convolution(self, node: NodeProto) -> None:
        picture, weights_name, bias_name = node.input
        depthwise = is_depthwise(node)
        weights, bias = equalised(
            self.source.constants[weights_name],
            self.source.constants[bias_name],
            self.factors.get(node.output[0]),
            self.factors.get(picture),
            depthwise=depthwise,
        )
        if node.name in self.recipe.biases:
            bias = bias + unpack(self.recipe.biases[node.name])
        if node.name not in self.quantised:
            constants = [self.writer.constant(weights_name, weights), self.writer.constant(bias_name, bias)]
            self._copy(node, [self._as_float(picture), *constants])
            return
        dequantised = self._as_int8(picture)
        scale = np.float32(self.activations[picture].scale)
        whole_weights, weight_scales, whole_bias, bias_scales = rounded(
            weights, bias, scale, depthwise=depthwise
        )
        constants = [
            self._stored(weights_name, whole_weights, weight_scales),
            self._stored(bias_name, whole_bias, bias_scales),
        ]
        self._copy(node, [dequantised, *constants])
        self._quantise_output(node, None)

    def _saturation(self, node: NodeProto) -> None:
        """Leave a Clip out: its input, rounded to uint8 with the scale of its output, is already clipped."""
        before, after = node.input[0], node.output[0]
        activation = self._activation(after)
        limit = self.source.constants[node.input[2]] if node.op_type == "Clip" else np.float32(np.inf)
        largest = np.float32(activation.scale) * np.float32(255)
        if activation.zero_point != 0 or largest > limit * np.float32(1 + 1e-6):
            raise RecipeMismatch(f"the range of {after!r} goes beyond what its {node.op_type} lets through")
        self._pair(after, self.floats.get(before, before), activation)

    def _quantise_output(self, node: NodeProto, activation: Activation | None) -> None:
        output = node.output[0]
        readers = self.source.readers.get(output, [])
        if any(reader.op_type in SATURATING and reader.name in self.quantised for reader in readers):
            return  # quantised behind the left-out Clip
        self._pair(output, output, activation or self._activation(output))

    def _carried(self, node: NodeProto) -> Activation | None:
        return self.activations[node.input[0]] if node.op_type in MOVING else None

    def _activation(self, tensor: str) -> Activation:
        if tensor not in self.recipe.activations:
            raise RecipeMismatch(f"the recipe lacks the range of {tensor!r}")
        return self.recipe.activations[tensor]

    def _as_float(self, tensor: str) -> str:
        """Return what a float node reads for a tensor of the source; constants are carried over."""
        if tensor in self.source.constants:
            return self.writer.constant(tensor, self.source.constants[tensor])
        return self.floats.get(tensor, tensor)

    def _as_int8(self, tensor: str) -> str:
        """Return what an INT8 node reads, quantising a tensor that a float node wrote."""
        if tensor in self.source.constants:
            return self.writer.constant(tensor, self.source.constants[tensor])
        if tensor and tensor not in self.dequantised:
            written = self._as_float(tensor)
            self._pair(tensor, written, self._activation(tensor))
            self.floats[tensor] = written  # float nodes go on reading the exact values
        return self.dequantised[tensor] if tensor else ""

    def _pair(self, tensor: str, written: str, activation: Activation) -> None:
        """Write the Q/DQ pair of a tensor; whoever reads the tensor from now on reads the pair's output."""
        scale = self.writer.constant(f"{tensor}_scale", np.array(activation.scale, np.float32))
        zero = self.writer.constant(f"{tensor}_zero", np.array(activation.zero_point, np.uint8))
        quantised = self.writer.node("QuantizeLinear", [written, scale, zero], f"{tensor}_u8")
        dequantised = self.writer.node("DequantizeLinear", [quantised, scale, zero], f"{tensor}_dq")
        self.activations[tensor] = activation
        self.dequantised[tensor] = self.floats[tensor] = dequantised

    def _stored(self, name: str, whole: NDArray[np.int8 | np.int32], scales: NDArray[np.float32]) -> str:
        """Write integer weights or biases with their DequantizeLinear and return its output."""
        inputs = [
            self.writer.constant(f"{name}_whole", whole),
            self.writer.constant(f"{name}_scale", scales),
            self.writer.constant(f"{name}_zero", np.zeros(len(scales), whole.dtype)),
        ]
        return self.writer.node("DequantizeLinear", inputs, f"{name}_dq", axis=0)

    def _copy(self, node: NodeProto, inputs: list[str]) -> None:
        self.writer.node(node.op_type, inputs, node.output[0], **attributes(node))
