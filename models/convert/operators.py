"""TFLite operators as ONNX nodes: one function per operator, chosen from the table at the end.

TFLite keeps channels last, ONNX first: four-dimensional tensors change their order, weights are transposed
once here, and a Transpose is written only where a reshape depends on the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tflite

from models.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.convert.flatfile import FlatFile
    from models.onnx_graph import Attribute, GraphWriter


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A conversion under way: where operators are read, where nodes are written, what tensors are called."""

    source: FlatFile
    writer: GraphWriter
    names: dict[int, str]

    def name(self, number: int) -> str:
        """Return the ONNX name of a tensor: an input's or output's own name, else `t` and its number."""
        return self.names.get(int(number), f"t{int(number)}")


def same_padding(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int]) -> list[int]:
    """Return SAME padding as ONNX pads (top, left, bottom, right); the odd pixel goes below and right."""
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, stride, strict=True)]
    return [t // 2 for t in total] + [t - t // 2 for t in total]


def channels_first(shape: Sequence[int]) -> list[int]:
    """Return the ONNX shape of a TFLite tensor."""
    return [shape[0], shape[3], shape[1], shape[2]] if len(shape) == 4 else list(shape)


def write(conversion: Conversion, op: tflite.Operator) -> None:
    """Write the nodes of one operator; raises UnsupportedModel for one that is not in the table."""
    kind = conversion.source.kind(op)
    if kind not in _WRITERS:
        raise UnsupportedModel(f"the converter does not know the operator {kind}")
    _WRITERS[kind](conversion, op)


def _options(op: tflite.Operator, cls: Any) -> Any:
    options, table = cls(), op.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _write_activated(
    c: Conversion, op: tflite.Operator, activation: int, inputs: Sequence[str], **attributes: Attribute
) -> None:
    """Write `op` as a Conv or Add node, and behind it the activation that TFLite fuses into it."""
    kinds = tflite.ActivationFunctionType
    output = c.name(op.Outputs(0))
    kind = "Add" if c.source.kind(op) == "ADD" else "Conv"
    before = output if activation == kinds.NONE else f"{output}_pre"
    c.writer.node(kind, inputs, before, **attributes)
    if activation == kinds.RELU:
        c.writer.node("Relu", [before], output)
    elif activation == kinds.RELU6:
        zero = c.writer.constant("zero", np.array(0, np.float32))
        six = c.writer.constant("six", np.array(6, np.float32))
        c.writer.node("Clip", [before, zero, six], output)
    elif activation != kinds.NONE:
        raise UnsupportedModel(f"the converter does not know the activation {activation}")


def _window(
    c: Conversion, op: tflite.Operator, padding: int, kernel: list[int], stride: list[int]
) -> tuple[int, list[int]]:
    """Return the tensor that a convolution reads and its pads, an explicit PAD in front folded in."""
    number = int(op.Inputs(0))
    if padding == tflite.Padding.SAME:
        return number, same_padding(c.source.shape(number)[1:3], kernel, stride)
    before = c.source.producer(number)
    if before is not None and c.source.kind(before) == "PAD":
        (_, _), (top, bottom), (left, right), _ = _paddings(c, before)
        return int(before.Inputs(0)), [top, left, bottom, right]
    return number, [0, 0, 0, 0]


def _paddings(c: Conversion, op: tflite.Operator) -> list[list[int]]:
    amounts: list[list[int]] = c.source.constant(op.Inputs(1)).tolist()  # type: ignore[union-attr]
    if len(amounts) != 4 or any(amounts[0] + amounts[3]):
        raise UnsupportedModel("the converter knows padding of height and width only")
    return amounts


def _convolution(c: Conversion, op: tflite.Operator) -> None:
    depthwise = c.source.kind(op) == "DEPTHWISE_CONV_2D"
    options = _options(op, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
    if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
        raise UnsupportedModel("the converter does not know dilated convolutions")
    if depthwise and options.DepthMultiplier() != 1:
        raise UnsupportedModel("the converter does not know depth multipliers")
    weights = c.source.constant(op.Inputs(1))
    bias = c.source.constant(op.Inputs(2))
    if weights is None or bias is None:
        raise UnsupportedModel("the converter needs constant weights and biases")
    # TFLite: output, height, width, input; depthwise: 1, height, width, channel.
    weights = weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    kernel, stride = list(weights.shape[2:]), [options.StrideH(), options.StrideW()]
    number, pads = _window(c, op, options.Padding(), kernel, stride)
    own = c.name(op.Outputs(0))
    _write_activated(
        c,
        op,
        options.FusedActivationFunction(),
        [c.name(number), c.writer.constant(f"{own}_w", weights), c.writer.constant(f"{own}_b", bias.ravel())],
        group=weights.shape[0] if depthwise else 1,
        kernel_shape=kernel,
        pads=pads,
        strides=stride,
    )


def _add(c: Conversion, op: tflite.Operator) -> None:
    activation = _options(op, tflite.AddOptions).FusedActivationFunction()
    _write_activated(c, op, activation, [c.name(op.Inputs(0)), c.name(op.Inputs(1))])


def _max_pool(c: Conversion, op: tflite.Operator) -> None:
    options = _options(op, tflite.Pool2DOptions)
    kernel = [options.FilterHeight(), options.FilterWidth()]
    stride = [options.StrideH(), options.StrideW()]
    # A PAD in front pads with zeros, max pooling with minus infinity: no folding here.
    if options.Padding() == tflite.Padding.SAME:
        pads = same_padding(c.source.shape(op.Inputs(0))[1:3], kernel, stride)
    else:
        pads = [0, 0, 0, 0]
    c.writer.node(
        "MaxPool",
        [c.name(op.Inputs(0))],
        c.name(op.Outputs(0)),
        kernel_shape=kernel,
        pads=pads,
        strides=stride,
    )


def _pad(c: Conversion, op: tflite.Operator) -> None:
    """Write nothing: each convolution behind a PAD carries the padding itself."""
    padded = int(op.Outputs(0))
    readers = [reader for reader in c.source.operators if padded in reader.InputsAsNumpy()]
    if any(c.source.kind(reader) not in ("CONV_2D", "DEPTHWISE_CONV_2D") for reader in readers):
        raise UnsupportedModel("the converter knows padding in front of convolutions only")


def _resize(c: Conversion, op: tflite.Operator) -> None:
    options = _options(op, tflite.ResizeBilinearOptions)
    mode = (
        "align_corners"
        if options.AlignCorners()
        else "half_pixel"
        if options.HalfPixelCenters()
        else "asymmetric"
    )
    (_, height, width, _), (_, height0, width0, _) = (
        c.source.shape(op.Outputs(0)),
        c.source.shape(op.Inputs(0)),
    )
    output = c.name(op.Outputs(0))
    scales = c.writer.constant(f"{output}_s", np.array([1, 1, height / height0, width / width0], np.float32))
    c.writer.node(
        "Resize",
        [c.name(op.Inputs(0)), "", scales],
        output,
        coordinate_transformation_mode=mode,
        mode="linear",
    )


def _depth_to_space(c: Conversion, op: tflite.Operator) -> None:
    size = _options(op, tflite.DepthToSpaceOptions).BlockSize()
    c.writer.node("DepthToSpace", [c.name(op.Inputs(0))], c.name(op.Outputs(0)), blocksize=size, mode="DCR")


def _logistic(c: Conversion, op: tflite.Operator) -> None:
    c.writer.node("Sigmoid", [c.name(op.Inputs(0))], c.name(op.Outputs(0)))


def _reshape(c: Conversion, op: tflite.Operator) -> None:
    source, output = c.name(op.Inputs(0)), c.name(op.Outputs(0))
    before, after = c.source.shape(op.Inputs(0)), c.source.shape(op.Outputs(0))
    if len(before) == 4 and before[1:3] != [1, 1]:
        source = c.writer.node("Transpose", [source], f"{output}_nhwc", perm=[0, 2, 3, 1])
    c.writer.node("Reshape", [source, c.writer.constant(f"{output}_d", np.array(after, np.int64))], output)


def _concatenate(c: Conversion, op: tflite.Operator) -> None:
    options = _options(op, tflite.ConcatenationOptions)
    if len(c.source.shape(op.Outputs(0))) == 4:
        raise UnsupportedModel("the converter does not know concatenation of pictures")
    c.writer.node(
        "Concat", [c.name(i) for i in op.InputsAsNumpy()], c.name(op.Outputs(0)), axis=options.Axis()
    )


_WRITERS: dict[str, Callable[[Conversion, tflite.Operator], None]] = {
    "ADD": _add,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "LOGISTIC": _logistic,
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
}
