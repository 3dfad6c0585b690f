"""From MediaPipe's .tflite files to ONNX, with only the outputs asked for.

tf2onnx and tflite2onnx both fail on these files (sparse weights, PAD); the ten operators they use are
written here instead. Half-precision weights become float32, channels come first, and everything that the
asked outputs do not need (the segmentation mask costs half of the landmark model's time) is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.convert.flatfile import FlatFile
from models.convert.operators import Conversion, channels_first, write
from models.errors import UnsupportedModel
from models.onnx_graph import GraphWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tflite
    from onnx import ModelProto


def convert(data: bytes, *, input_name: str, outputs: Mapping[str, str]) -> ModelProto:
    """Return the ONNX model of a .tflite file.

    outputs: name of each wanted output in the file, to its name in the ONNX model.
    Raises UnsupportedModel for files with an operator, layout or output name that is not known here.
    """
    source = FlatFile(data)
    unknown = set(outputs) - set(source.outputs)
    if unknown or len(source.inputs) != 1:
        raise UnsupportedModel(
            f"the .tflite file has no output named {', '.join(sorted(unknown)) or input_name!r}"
        )
    (image,) = source.inputs.values()
    numbers = {name: source.outputs[original] for original, name in outputs.items()}
    writer = GraphWriter()
    names = {image: input_name} | {number: name for name, number in numbers.items()}
    conversion = Conversion(source=source, writer=writer, names=names)
    for op in _needed(source, list(numbers.values())):
        write(conversion, op)
    return writer.model(
        {input_name: channels_first(source.shape(image))},
        {name: channels_first(source.shape(number)) for name, number in numbers.items()},
    )


def _needed(source: FlatFile, wanted: list[int]) -> list[tflite.Operator]:
    """Return the operators that the wanted tensors depend on, in execution order."""
    seen: set[int] = set()
    while wanted:
        number = wanted.pop()
        op = source.producer(number)
        if op is not None and number not in seen and source.constant(number) is None:
            seen.add(number)
            wanted.extend(int(i) for i in op.InputsAsNumpy() if i >= 0)
    return [op for op in source.operators if int(op.Outputs(0)) in seen]
