"""Graphs of a few nodes with weights one can multiply in one's head."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from models.onnx_graph import GraphWriter, serialise
from models.quantise.recipe import FORMAT, Activation, Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx

SIDE = 4


def two_convolutions() -> onnx.ModelProto:
    """image [1, 2] -> t1 = Clip(Conv, 0, 6) [1, 2] -> t2 = Conv [1, 1] -> result = t2 as it is."""
    writer = GraphWriter()
    pointwise(writer, "image", "t1_pre", [[1, 0], [0, 2]], [0, 1])
    limits = [
        writer.constant("zero", np.array(0, np.float32)),
        writer.constant("six", np.array(6, np.float32)),
    ]
    writer.node("Clip", ["t1_pre", *limits], "t1")
    pointwise(writer, "t1", "t2", [[3, -1]], [0.5])
    writer.node("Identity", ["t2"], "result")
    return writer.model({"image": [1, 2, SIDE, SIDE]}, {"result": [1, 1, SIDE, SIDE]})


def residual() -> onnx.ModelProto:
    """image [1, 2] -> t1 = Conv; t2 = Conv(t1); t3 = t1 + t2; result = Conv(t3): one stream of three tensors."""
    writer = GraphWriter()
    pointwise(writer, "image", "t1", [[1, 0], [0, 100]], [0, 0])
    pointwise(writer, "t1", "t2", [[0, 0.01], [1, 0]], [0, 0])
    writer.node("Add", ["t1", "t2"], "t3")
    # The second row is pruned: all zero.
    pointwise(writer, "t3", "t4", [[1, 0.01], [0, 0]], [0, 1])
    writer.node("Identity", ["t4"], "result")
    return writer.model({"image": [1, 2, SIDE, SIDE]}, {"result": [1, 2, SIDE, SIDE]})


def pointwise(
    writer: GraphWriter, source: str, output: str, weights: list[list[float]], bias: list[float]
) -> None:
    """A 1 x 1 convolution with weights [O, I]."""
    values = np.array(weights, np.float32)[:, :, None, None]
    names = [
        writer.constant(f"{output}_w", values),
        writer.constant(f"{output}_b", np.array(bias, np.float32)),
    ]
    writer.node(
        "Conv", [source, *names], output, group=1, kernel_shape=[1, 1], pads=[0, 0, 0, 0], strides=[1, 1]
    )


def recipe(model: onnx.ModelProto, nodes: list[str], activations: Mapping[str, Activation]) -> Recipe:
    """A recipe for `model` without equalisation or bias correction."""
    source = hashlib.sha256(serialise(model)).hexdigest()
    return Recipe(
        format=FORMAT, source_sha256=source, nodes=nodes, activations=dict(activations), streams=[], biases={}
    )


def run(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    """The one output of `model`, every node computed as written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(serialise(model), options, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"image": image})[0]
    return result


def pixels(*channels: float) -> np.ndarray:
    """A picture whose channels have one value each."""
    return np.broadcast_to(
        np.array(channels, np.float32)[None, :, None, None], (1, len(channels), SIDE, SIDE)
    ).copy()
