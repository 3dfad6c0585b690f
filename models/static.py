"""Static quantisation of a network that Kinebox knows nothing about: ONNX Runtime's own tool, stem and head in float.

The first convolutions and everything behind the last ones stay float: there boxes in pixels and scores below one
share a tensor (YOLO-pose), and coordinates are computed (MoveNet); a scale for both would be one for neither.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import onnxruntime

from models.errors import ImportRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    from onnx import ModelProto

_LEAST_OPSET = 13
"""From which QuantizeLinear has a scale for each channel."""


def quantise_static(data: bytes, inputs: Iterable[npt.NDArray[np.generic]]) -> bytes:
    """The INT8 file of a float ONNX file that `models.examine` has passed; raises ImportRefused.

    inputs: what the network reads, of pictures like those it is for.
    """
    from onnxruntime.quantization import (  # noqa: PLC0415 - a second, and only this needs it
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    with tempfile.TemporaryDirectory(prefix="kinebox-") as folder:
        source, result = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(_folded(data, Path(folder)))
        model = onnx.load_from_string(source.read_bytes())
        opset = max(entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
        if opset < _LEAST_OPSET:
            raise ImportRefused(
                f"opset {opset} is too old to be quantised; {_LEAST_OPSET} is needed",
                "Export it with opset 17.",
            )
        inner = _inner(model)
        if not inner:
            raise ImportRefused(
                "the network has no convolutions between its first and its last: nothing would be quicker in INT8",
                "Leave --quantise out.",
            )
        (name,) = [each.name for each in model.graph.input]

        class Reader(CalibrationDataReader):  # type: ignore[misc]
            def __init__(self) -> None:
                self.count = 0
                self._inputs: Iterator[npt.NDArray[np.generic]] = iter(inputs)

            def get_next(self) -> dict[str, npt.NDArray[np.generic]] | None:
                image = next(self._inputs, None)
                self.count += image is not None
                return None if image is None else {name: image}

        reader = Reader()
        logging.disable(logging.WARNING)  # it recommends tools to whoever calls it
        try:
            quantize_static(
                source,
                result,
                reader,
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8,
                nodes_to_quantize=inner,
                calibrate_method=CalibrationMethod.MinMax,
            )
        except Exception as error:
            if not reader.count:
                raise ImportRefused(
                    "there are no pictures of people to calibrate on",
                    "Give a folder of pictures or clips to --calibrate, like those the box will see.",
                ) from error
            raise ImportRefused(
                f"ONNX Runtime cannot quantise the network: {ascii(str(error)[:200])[1:-1]}",
                "Leave --quantise out: it is used in fp32.",
            ) from error
        finally:
            logging.disable(logging.NOTSET)
        return result.read_bytes()


def _folded(data: bytes, folder: Path) -> bytes:
    """The network with batch normalisation folded into its convolutions, as ONNX Runtime does it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "folded.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return (folder / "folded.onnx").read_bytes()


def _inner(model: ModelProto) -> list[str]:
    """Names of the nodes to quantise: behind the first convolutions and before the last ones."""
    nodes = model.graph.node
    for index, node in enumerate(nodes):
        node.name = node.name or f"node_{index}"
    convolved: set[str] = set()
    """Tensors that come out of a convolution, however far behind it."""
    late: list[str] = []
    for node in nodes:
        if any(name in convolved for name in node.input):
            late.append(node.name)
            convolved.update(node.output)
        elif node.op_type == "Conv":
            convolved.update(node.output)
    wanted: set[str] = set()
    """Tensors on which a convolution depends."""
    early: set[str] = set()
    for node in reversed(nodes):
        if any(name in wanted for name in node.output):
            early.add(node.name)
            wanted.update(node.input)
        elif node.op_type == "Conv":
            wanted.update(node.input)
    return [name for name in late if name in early]
