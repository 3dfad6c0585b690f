"""Reading a .tflite file: operators, shapes and constants by tensor number."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import tflite

from models.convert.sparse import densify
from models.errors import UnsupportedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS: dict[int, str] = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}
_DTYPES: dict[int, str] = {
    tflite.TensorType.FLOAT32: "<f4",
    tflite.TensorType.FLOAT16: "<f2",
    tflite.TensorType.INT32: "<i4",
}
# Operators that only unpack stored weights: their value is the constant behind them.
_UNPACKING = ("DEQUANTIZE", "DENSIFY")


class FlatFile:
    """The one graph of a .tflite file.

    operators: in execution order, without those that only unpack weights.
    inputs, outputs: tensor name to number.
    """

    def __init__(self, data: bytes) -> None:
        """Read the content of a file; raises UnsupportedModel where it is not one."""
        try:
            self._model = tflite.Model.GetRootAs(data, 0)
            self._graph = self._model.Subgraphs(0)
            every = [self._graph.Operators(i) for i in range(self._graph.OperatorsLength())]
        except (struct.error, IndexError, TypeError, AttributeError) as error:
            raise UnsupportedModel("this is not a .tflite file that can be read") from error
        self._producers = {int(number): op for op in every for number in op.OutputsAsNumpy()}
        self.operators = [op for op in every if self.kind(op) not in _UNPACKING]
        self.inputs = self._numbers_by_name(self._graph.InputsAsNumpy())
        self.outputs = self._numbers_by_name(self._graph.OutputsAsNumpy())

    def kind(self, op: tflite.Operator) -> str:
        """Return the operator's name as in TFLite's schema, for example CONV_2D."""
        code = self._model.OperatorCodes(op.OpcodeIndex())
        # Codes up to 127 stand in the old field, later ones in the new field; the other one is smaller.
        return _KINDS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]

    def producer(self, number: int) -> tflite.Operator | None:
        """Return the operator that computes a tensor; None for inputs and stored constants."""
        return self._producers.get(number)

    def shape(self, number: int) -> list[int]:
        """Return a tensor's shape, in TFLite's order (channels last)."""
        tensor = self._graph.Tensors(number)
        return [int(size) for size in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else []

    def constant(self, number: int) -> NDArray[Any] | None:
        """Return a constant as float32 or int64, half-precision and sparse weights expanded; else None."""
        op = self._producers.get(number)
        if op is not None:
            return self.constant(int(op.Inputs(0))) if self.kind(op) in _UNPACKING else None
        tensor = self._graph.Tensors(number)
        buffer = self._model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return None
        if tensor.Type() not in _DTYPES:
            raise UnsupportedModel(f"constant {tensor.Name().decode()!r} has element type {tensor.Type()}")
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
        if tensor.Sparsity() is not None:
            values = densify(tensor, values)
        values = values.reshape(self.shape(number))
        return values.astype(np.float32 if values.dtype.kind == "f" else np.int64)

    def _numbers_by_name(self, numbers: NDArray[Any]) -> dict[str, int]:
        return {self._graph.Tensors(int(number)).Name().decode(): int(number) for number in numbers}
