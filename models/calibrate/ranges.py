"""From what was seen in a tensor to its uint8 scale and zero point (MinMax, after equalisation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.onnx_read import GraphReader
from models.quantise.qdq import MOVING, SATURATING
from models.quantise.recipe import Activation, Stream, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import ModelProto

    from models.calibrate.statistics import Channels

_STEPS = 255


def activation(low: float, high: float) -> Activation:
    """Return the scale and zero point that cover low..high and represent zero exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max((high - low) / _STEPS, 1e-9))
    return Activation(float(scale), int(np.rint(-low / scale)))


def activations(
    model: ModelProto, statistics: Mapping[str, Channels], nodes: Sequence[str], streams: Sequence[Stream]
) -> dict[str, Activation]:
    """Return the activation of every tensor that INT8 nodes read or write and that has one of its own."""
    source = GraphReader(model)
    quantised = set(nodes)
    factors = {name: unpack(stream.factors) for stream in streams for name in stream.tensors}
    found: dict[str, Activation] = {}
    for node in source.nodes:
        if node.name not in quantised:
            continue
        for name in (*node.input, node.output[0]):
            if name in statistics and _has_own(source, name, quantised):
                seen, factor = statistics[name], factors.get(name, np.float32(1))
                found[name] = activation(float((seen.low / factor).min()), float((seen.high / factor).max()))
    return found


def _has_own(source: GraphReader, tensor: str, quantised: set[str]) -> bool:
    writer = source.producers.get(tensor)
    if writer is not None and writer.op_type in MOVING and writer.name in quantised:
        return False
    return not any(
        reader.op_type in SATURATING and reader.name in quantised for reader in source.readers.get(tensor, [])
    )
