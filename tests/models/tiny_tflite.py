"""A .tflite file with one convolution in it, small enough to compute by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flatbuffers
import numpy as np
import tflite

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

IMAGE, WEIGHTS, BIAS, RESULT = range(4)


def one_operator(
    code: int,
    *,
    picture: tuple[int, ...],
    result: tuple[int, ...],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    options: Callable[[flatbuffers.Builder], int],
    options_type: int,
) -> bytes:
    """A model whose one operator reads `image`, `weights` and `bias` and writes `Identity`."""
    b = flatbuffers.Builder(1024)
    buffers = [_buffer(b, data) for data in (b"", weights.tobytes(), bias.tobytes())]
    shapes = {"image": picture, "w": weights.shape, "b": bias.shape, "Identity": result}
    numbers = {"image": 0, "w": 1, "b": 2, "Identity": 0}
    tensors = [_tensor(b, name, shape, numbers[name]) for name, shape in shapes.items()]
    made = options(b)
    inputs, outputs = _ints(b, [IMAGE, WEIGHTS, BIAS]), _ints(b, [RESULT])
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, 0)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    tflite.OperatorAddBuiltinOptionsType(b, options_type)
    tflite.OperatorAddBuiltinOptions(b, made)
    operators = _offsets(b, [tflite.OperatorEnd(b)])
    all_tensors = _offsets(b, tensors)
    graph_inputs, graph_outputs = _ints(b, [IMAGE]), _ints(b, [RESULT])
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, all_tensors)
    tflite.SubGraphAddInputs(b, graph_inputs)
    tflite.SubGraphAddOutputs(b, graph_outputs)
    tflite.SubGraphAddOperators(b, operators)
    graphs = _offsets(b, [tflite.SubGraphEnd(b)])
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, code)
    tflite.OperatorCodeAddBuiltinCode(b, code)
    tflite.OperatorCodeAddVersion(b, 1)
    codes = _offsets(b, [tflite.OperatorCodeEnd(b)])
    all_buffers = _offsets(b, buffers)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, codes)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddBuffers(b, all_buffers)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


def convolution_options(*, stride: int = 1, same: bool = True, activation: int = 0, dilation: int = 1):
    """What `one_operator` needs for a CONV_2D."""

    def write(b: flatbuffers.Builder) -> int:
        tflite.Conv2DOptionsStart(b)
        tflite.Conv2DOptionsAddPadding(b, tflite.Padding.SAME if same else tflite.Padding.VALID)
        tflite.Conv2DOptionsAddStrideH(b, stride)
        tflite.Conv2DOptionsAddStrideW(b, stride)
        tflite.Conv2DOptionsAddFusedActivationFunction(b, activation)
        tflite.Conv2DOptionsAddDilationHFactor(b, dilation)
        tflite.Conv2DOptionsAddDilationWFactor(b, dilation)
        return int(tflite.Conv2DOptionsEnd(b))

    return write


def _buffer(b: flatbuffers.Builder, data: bytes) -> int:
    vector = b.CreateByteVector(data) if data else None
    tflite.BufferStart(b)
    if vector is not None:
        tflite.BufferAddData(b, vector)
    return int(tflite.BufferEnd(b))


def _tensor(b: flatbuffers.Builder, name: str, shape: tuple[int, ...], buffer: int) -> int:
    text, sizes = b.CreateString(name), _ints(b, list(shape))
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, sizes)
    tflite.TensorAddType(b, tflite.TensorType.FLOAT32)
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, text)
    return int(tflite.TensorEnd(b))


def _ints(b: flatbuffers.Builder, values: list[int]) -> int:
    return int(b.CreateNumpyVector(np.array(values, np.int32)))


def _offsets(b: flatbuffers.Builder, values: list[int]) -> int:
    b.StartVector(4, len(values), 4)
    for value in reversed(values):
        b.PrependUOffsetTRelative(value)
    return int(b.EndVector())
