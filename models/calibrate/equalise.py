"""Finding channel factors that let one scale a tensor serve all its channels (cross-layer equalisation).

In a network of depthwise separable blocks some channels span a hundredth of the range of others; rounded with
one scale for all, the small ones keep two or three bits. Dividing a channel where it is written and multiplying
it where it is read changes nothing in float, and makes the channels alike.
Source: Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.onnx_read import GraphReader, is_depthwise
from models.quantise.recipe import Stream, pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import ModelProto, NodeProto

    from models.calibrate.statistics import Channels
    from models.regions import Floats

_SMALLEST, _LARGEST = 0.02, 50.0
# Equal activations cost weights that are less equal. Activations got this share of the say, weights the rest;
# of 0.5, 0.75 and 1 it drifted least.
_ACTIVATION_SHARE = 0.75
# A channel behind a ReLU6 is raised until the largest value seen in it reaches the limit, 100 times at most.
_LIMIT, _LEAST = 6.0, 0.01


def equalise(model: ModelProto, statistics: Mapping[str, Channels], nodes: Sequence[str]) -> list[Stream]:
    """Return the streams of `model` with their factors.

    statistics: of all four-dimensional tensors of the float model.
    nodes: names of the nodes that will compute in INT8; streams between float nodes are left alone.
    """
    source = GraphReader(model)
    quantised = set(nodes)
    streams = [
        Stream(tensors, pack(_linear_factors(source, tensors, statistics)))
        for tensors in _linear_streams(source)
        if any(name in quantised for name in tensors)
    ]
    for node in source.nodes:
        if node.op_type == "Clip" and node.name in quantised and _is_private(source, node):
            factors = _limited_factors(statistics[node.output[0]])
            streams.append(Stream([node.input[0], node.output[0]], pack(factors)))
    return streams


def _linear_streams(source: GraphReader) -> list[list[str]]:
    """Return groups of tensors that additions join, written by convolutions and read by nothing else."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for node in source.nodes:
        if node.op_type == "Add":
            for name in node.input:
                leader[find(name)] = find(node.output[0])
        elif node.op_type == "Conv":
            find(node.output[0])
    groups: dict[str, list[str]] = {}
    for name in leader:
        groups.setdefault(find(name), []).append(name)
    return [sorted(group) for group in groups.values() if all(_is_linear(source, name) for name in group)]


def _is_linear(source: GraphReader, tensor: str) -> bool:
    writer = source.producers.get(tensor)
    return (
        writer is not None
        and writer.op_type in ("Conv", "Add")
        and tensor not in source.outputs
        and all(reader.op_type in ("Conv", "Add") for reader in source.readers.get(tensor, []))
    )


def _is_private(source: GraphReader, clip: NodeProto) -> bool:
    """Return whether a Clip stands between one convolution and only convolutions."""
    writer = source.producers.get(clip.input[0])
    return (
        writer is not None
        and writer.op_type == "Conv"
        and len(source.readers[clip.input[0]]) == 1
        and clip.output[0] not in source.outputs
        and all(reader.op_type == "Conv" for reader in source.readers[clip.output[0]])
    )


def _linear_factors(source: GraphReader, tensors: list[str], statistics: Mapping[str, Channels]) -> Floats:
    spans = [np.maximum(-statistics[name].low, statistics[name].high) for name in tensors]
    share = _weight_share(source, tensors)
    factors = (np.max(spans, axis=0) + 1e-6) ** _ACTIVATION_SHARE / share ** (1 - _ACTIVATION_SHARE)
    factors /= np.exp(np.log(factors).mean())
    return np.asarray(np.clip(factors, _SMALLEST, _LARGEST), np.float32)


def _limited_factors(behind: Channels) -> Floats:
    return np.asarray(np.clip((behind.high + 1e-6) / _LIMIT, _LEAST, 1), np.float32)


def _weight_share(source: GraphReader, tensors: list[str]) -> Floats:
    """Return how much of the weight range of its readers each channel uses, [C], 0..1.

    A depthwise convolution has a scale for each channel, so it sets no limit.
    """
    shares = []
    for name in tensors:
        for reader in source.readers.get(name, []):
            if reader.op_type == "Conv" and not is_depthwise(reader):
                weights = np.abs(source.constants[reader.input[1]])
                relative = weights / np.maximum(weights.max(axis=(1, 2, 3), keepdims=True), 1e-9)
                shares.append(relative.max(axis=(0, 2, 3)))
    return np.maximum(np.max(shares, axis=0), 1e-3) if shares else np.ones(1, np.float32)
