"""Which layers of a model stay in float32.

Found by leaving layers out one block at a time: the first layers and the heads carry most of the drift and little
of the time; the decoder, because resizing is slower in uint8 than in float.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from models.onnx_read import GraphReader

if TYPE_CHECKING:
    from onnx import ModelProto

_QUANTISABLE = {"Add", "Clip", "Conv", "DepthToSpace", "MaxPool", "Relu", "Resize"}

# Numbers of the tensors in the .tflite file, first and last of each run of float layers.
_FLOAT_LAYERS: dict[str, tuple[tuple[int, int], ...]] = {
    "detector": ((0, 12), (304, 304), (336, 336), (350, 441)),
    "landmark": ((203, 205), (218, 219), (229, 229), (254, 254), (273, 298), (301, 342)),
}


def int8_nodes(model: ModelProto, stage: str) -> list[str]:
    """Return the names of the nodes that compute in INT8, in the order of the graph."""
    source = GraphReader(model)
    return [
        node.name
        for node in source.nodes
        if node.op_type in _QUANTISABLE
        and node.output[0] not in source.outputs
        and not _is_float(node.name, stage)
    ]


def _is_float(name: str, stage: str) -> bool:
    number = int(re.match(r"t(\d+)", name).group(1))  # type: ignore[union-attr]
    return any(first <= number <= last for first, last in _FLOAT_LAYERS[stage])
