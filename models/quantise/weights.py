"""Weights and biases of a convolution, rescaled and rounded the same way on every machine.

Only single IEEE operations, maxima and rounding to even are used here: no sums, whose result depends on the
order, and no functions that libraries approximate differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST = np.float32(127)
# A bias is stored as int32 in steps of (input scale x weight scale); it may use half of that range.
_LARGEST_BIAS = np.float32(2**30)
_TINY = np.float32(2.0**-100)


def equalised(
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    written: NDArray[np.float32] | None,
    read: NDArray[np.float32] | None,
    *,
    depthwise: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights [O, I, H, W] and bias [O] for divided output channels and divided input channels.

    written: what the channels of the tensor it writes are divided by, [O].
    read: what those of the tensor it reads are divided by, [I], or [O] for a depthwise convolution.
    """
    if read is not None:
        weights = weights * (read[:, None, None, None] if depthwise else read[None, :, None, None])
    if written is not None:
        weights, bias = weights / written[:, None, None, None], bias / written
    return weights, bias


def rounded(
    weights: NDArray[np.float32], bias: NDArray[np.float32], input_scale: np.float32, *, depthwise: bool
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Return int8 weights and their scales [O], int32 biases and theirs [O]: symmetric, one scale a channel.

    Processors with AVX2 but no VNNI add two products of uint8 and int8 in 16 bits, and saturate: with weights up
    to 127 the landmarks drifted by 0.16 torso lengths there. So no two weights of one sign add up to more than
    128, of which 255 times still fit. Depthwise kernels add in 32 bits everywhere and use the whole of int8.

    A channel whose weights are all zero (pruned) still has a bias, so its scale follows from the bias.
    """
    scales = (np.abs(weights).max(axis=(1, 2, 3)) if depthwise else _largest_pair(weights)) / _LARGEST
    scales = np.maximum(scales, np.abs(bias) / (input_scale * _LARGEST_BIAS))
    scales = np.maximum(scales, _TINY)
    quantised = np.clip(np.rint(weights / scales[:, None, None, None]), -_LARGEST, _LARGEST)
    bias_scales = scales * input_scale
    quantised_bias = np.clip(np.rint(bias / bias_scales), -_LARGEST_BIAS, _LARGEST_BIAS)
    return quantised.astype(np.int8), scales, quantised_bias.astype(np.int32), bias_scales


def _largest_pair(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest sum of one or two weights of one sign in each filter, [O]."""
    rows = weights.reshape(len(weights), -1)
    sums = [np.sort(np.maximum(side, 0), axis=1)[:, -2:].sum(axis=1) for side in (rows, -rows)]
    return np.asarray(np.maximum(*sums), np.float32)
