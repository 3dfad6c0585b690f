"""Expanding the sparse weights of a .tflite file.

TFLite stores a sparse tensor as one level per dimension, each dense or compressed (segments and indices, as
in the CSR format). The published pose models use one layout only: all dimensions dense but the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tflite

from models.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


def densify(tensor: tflite.Tensor, values: NDArray[Any]) -> NDArray[Any]:
    """Return `values` of a sparse tensor as a dense array of the tensor's shape.

    Raises UnsupportedModel for block-sparse tensors, another traversal order or other compressed dimensions.
    """
    sparsity = tensor.Sparsity()
    shape = [int(size) for size in tensor.ShapeAsNumpy()]
    levels = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    dense, csr = tflite.DimensionType.DENSE, tflite.DimensionType.SPARSE_CSR
    if (
        sparsity.BlockMapLength()
        or list(sparsity.TraversalOrderAsNumpy()) != list(range(len(shape)))
        or [level.Format() for level in levels] != [dense] * (len(shape) - 1) + [csr]
    ):
        raise UnsupportedModel(
            f"tensor {tensor.Name().decode()!r} has a sparse layout the converter does not know"
        )
    last = levels[-1]
    segments = _integers(last.ArraySegmentsType(), last.ArraySegments())
    indices = _integers(last.ArrayIndicesType(), last.ArrayIndices())
    return scatter_rows(values, segments, indices, shape)


def scatter_rows(
    values: NDArray[Any], segments: NDArray[np.int64], indices: NDArray[np.int64], shape: Sequence[int]
) -> NDArray[Any]:
    """Return the dense array of compressed rows: row r holds values[segments[r]:segments[r + 1]].

    `segments` has one entry more than there are rows (the product of all dimensions but the last).
    """
    rows = len(segments) - 1
    dense = np.zeros((rows, shape[-1]), values.dtype)
    dense[np.repeat(np.arange(rows), np.diff(segments)), indices] = values[: len(indices)]
    return dense.reshape(shape)


def _integers(kind: int, table: Any) -> NDArray[np.int64]:
    vector = _VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    integers: NDArray[np.int64] = vector.ValuesAsNumpy().astype(np.int64)
    return integers
