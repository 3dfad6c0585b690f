"""The quantised network as gradients see it: rounding computes as it is, and its derivative is taken for one.

What can be trained is what a recipe holds: how far each bias moves, and the scale of each rounded tensor. Weights
stay as `models.quantise` rounds them. Written for the operators of the landmark network.
Source: Bengio et al., Estimating or Propagating Gradients Through Stochastic Neurons, 2013 (straight-through);
Esser et al., Learned Step Size Quantization, ICLR 2020.

Needs PyTorch, which Kinebox does not depend on: ask `models.calibrate.distil.check_torch` before importing this.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch
from torch.nn import functional

from models.errors import UnsupportedModel
from models.onnx_read import GraphReader, attributes, is_depthwise
from models.quantise.recipe import pack, unpack
from models.quantise.weights import equalised, rounded

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

    from models.quantise.recipe import Recipe

_FLOAT = {"Add", "Clip", "Conv", "Identity", "MaxPool", "Reshape", "Resize", "Sigmoid"}
_INT8 = {"Add", "Clip", "Conv"}
_LEVELS = 255
# The unit of a bias whose tensor is not rounded: what a step would be behind a ReLU6.
_UNIT = 6 / _LEVELS


class Student:
    """A float model as a recipe quantises it, ready for training.

    shifts: node name to what is added to the bias of that Conv, f32[O], in steps of the tensor it writes.
    log_scales: tensor to the natural logarithm of its scale, f32[].
    Both are leaves that want gradients; `recipe` says what has become of them.
    """

    def __init__(self, model: ModelProto, recipe: Recipe) -> None:
        """Raise UnsupportedModel for operators that the landmark network does not have."""
        self._source = GraphReader(model)
        self._recipe = recipe
        self._int8 = set(recipe.nodes)
        for node in self._source.nodes:
            if node.op_type not in (_INT8 if node.name in self._int8 else _FLOAT):
                raise UnsupportedModel(f"training does not know the operator {node.op_type} of {node.name}")
        # Tensor to the largest scale that its Clip allows, as a logarithm.
        self._largest = {
            node.output[0]: math.log(float(self._source.constants[node.input[2]]) / _LEVELS)
            for node in self._source.nodes
            if node.op_type == "Clip"
        }
        self.log_scales = {
            name: torch.tensor(math.log(activation.scale), requires_grad=True)
            for name, activation in recipe.activations.items()
        }
        self.shifts: dict[str, torch.Tensor] = {}
        self._units: dict[str, float] = {}
        self._weights: dict[str, torch.Tensor] = {}
        self._biases: dict[str, torch.Tensor] = {}
        factors = {name: unpack(stream.factors) for stream in recipe.streams for name in stream.tensors}
        for node in self._source.nodes:
            if node.op_type == "Conv":
                self._add(node, factors.get(node.output[0]), factors.get(node.input[0]))

    def _add(self, node: NodeProto, written: np.ndarray | None, read: np.ndarray | None) -> None:
        """Keep the weights and bias of a Conv as `write_qdq` makes them, with a shift of zero."""
        weights, bias = (self._source.constants[name] for name in node.input[1:])
        depthwise = is_depthwise(node)
        weights, bias = equalised(weights, bias, written, read, depthwise=depthwise)
        if node.name in self._recipe.biases:
            bias = bias + unpack(self._recipe.biases[node.name])
        if node.name in self._int8:
            input_scale = np.float32(self._recipe.activations[node.input[0]].scale)
            whole, scales, _, _ = rounded(weights, bias, input_scale, depthwise=depthwise)
            weights = whole * scales[:, None, None, None]
        self._weights[node.name], self._biases[node.name] = torch.tensor(weights), torch.tensor(bias)
        self.shifts[node.name] = torch.zeros(len(bias), requires_grad=True)
        log_scale = self.log_scales.get(self._rounded_as(node))
        self._units[node.name] = _UNIT if log_scale is None else math.exp(log_scale.item())

    def _rounded_as(self, node: NodeProto) -> str:
        """Return the tensor as which the output of a node is rounded: a Clip behind it comes first."""
        readers = self._source.readers.get(node.output[0], [])
        return next((str(reader.output[0]) for reader in readers if reader.op_type == "Clip"), node.output[0])

    def __call__(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the outputs of the model by name for its input, f32[N, C, H, W]."""
        values = dict.fromkeys(self._source.inputs, pictures)
        whole: dict[str, torch.Tensor] = {}

        def read(name: str, node: NodeProto) -> torch.Tensor:
            if node.name not in self._int8:
                return values[name]
            if name not in whole:
                whole[name] = self._round(name, values[name])
            return whole[name]

        for node in self._source.nodes:
            output, int8 = node.output[0], node.name in self._int8
            if int8 and node.op_type == "Clip":
                # Rounding saturates where the Clip does.
                values[output] = whole[output] = self._round(output, values[node.input[0]])
                continue
            values[output] = self._compute(node, [read(name, node) for name in self._pictures(node)])
            if int8 and self._rounded_as(node) == output:
                values[output] = whole[output] = self._round(output, values[output])
        return {name: values[name] for name in self._source.outputs}

    def _pictures(self, node: NodeProto) -> list[str]:
        return [name for name in node.input if name and name not in self._source.constants]

    def _compute(self, node: NodeProto, inputs: list[torch.Tensor]) -> torch.Tensor:
        value, constants, said = inputs[0], self._source.constants, attributes(node)
        match node.op_type:
            case "Conv":
                return self._convolve(node, value)
            case "Add":
                return value + inputs[1]
            case "Clip":
                return value.clamp(float(constants[node.input[1]]), float(constants[node.input[2]]))
            case "MaxPool":
                return functional.max_pool2d(value, said["kernel_shape"], said["strides"])
            case "Reshape":
                return value.reshape(len(value), -1)
            case "Resize":
                factor = float(constants[node.input[2]][-1])
                return functional.interpolate(
                    value, scale_factor=factor, mode="bilinear", align_corners=False
                )
            case "Sigmoid":
                return value.sigmoid()
            case _:  # Identity
                return value

    def _convolve(self, node: NodeProto, value: torch.Tensor) -> torch.Tensor:
        said: Any = attributes(node)
        top, left, bottom, right = said["pads"]
        if (top, left) == (bottom, right):
            padding = (top, left)
        else:
            value, padding = functional.pad(value, (left, right, top, bottom)), (0, 0)
        bias = self._biases[node.name] + self.shifts[node.name] * self._units[node.name]
        weights = self._weights[node.name]
        return functional.conv2d(value, weights, bias, said["strides"], padding, 1, said["group"])

    def _round(self, tensor: str, value: torch.Tensor) -> torch.Tensor:
        """Return `value` as uint8 holds it: whole steps, saturated, and read back."""
        log_scale, zero = self.log_scales[tensor], self._recipe.activations[tensor].zero_point
        if tensor in self._largest:
            log_scale = log_scale.clamp(max=self._largest[tensor])
        scale = log_scale.exp()
        steps = (value / scale).clamp(-zero, _LEVELS - zero)
        return (steps + (steps.round() - steps).detach()) * scale

    def recipe(self) -> Recipe:
        """Return the recipe as training has left it: other scales and biases, all else as it was."""
        activations = {
            name: msgspec.structs.replace(activation, scale=self._scale(name))
            for name, activation in self._recipe.activations.items()
        }
        biases = dict(self._recipe.biases)
        for name, shift in self.shifts.items():
            moved = (shift.detach() * self._units[name]).numpy()
            biases[name] = pack(unpack(biases[name]) + moved if name in biases else moved)
        return msgspec.structs.replace(self._recipe, activations=activations, biases=biases)

    def _scale(self, tensor: str) -> float:
        log_scale = min(self.log_scales[tensor].item(), self._largest.get(tensor, math.inf))
        return float(np.float32(math.exp(log_scale)))
