"""What flows through a network: per-channel minimum, maximum and mean of chosen tensors over samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx

from models.onnx_graph import serialise
from models.onnx_read import GraphReader
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from onnx import ModelProto

    from models.regions import Floats


@dataclass
class Channels:
    """Statistics of one tensor, each [C]."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float64]


def probe(model: ModelProto, tensors: Sequence[str]) -> bytes:
    """Return the part of `model` that computes `tensors`, with them as its outputs."""
    needed = GraphReader(model).behind(tensors)
    part = onnx.ModelProto()
    part.CopyFrom(model)
    kept = [node for node in model.graph.node if node.name in needed]
    del part.graph.node[:], part.graph.output[:]
    part.graph.node.extend(kept)
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors)
    return serialise(part)


def channels(model: ModelProto, tensors: Sequence[str], inputs: Iterable[Floats]) -> dict[str, Channels]:
    """Return the statistics of four-dimensional `tensors` over `inputs`."""
    running = session(probe(model, tensors))
    found: dict[str, Channels] = {}
    count = 0
    for picture in inputs:
        count += 1
        for name, value in zip(tensors, running.run(list(tensors), {"image": picture}), strict=True):
            low, high = value.min(axis=(0, 2, 3)), value.max(axis=(0, 2, 3))
            mean = value.mean(axis=(0, 2, 3), dtype=np.float64)
            if name in found:
                known = found[name]
                known.low, known.high = np.minimum(known.low, low), np.maximum(known.high, high)
                known.mean += mean
            else:
                found[name] = Channels(low, high, mean)
    for known in found.values():
        known.mean /= count
    return found
