from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.quantise.weights import equalised, rounded

ONE = np.float32(1)


def filters(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)[:, :, None, None]


def test_a_depthwise_channel_uses_the_whole_of_int8() -> None:
    weights = filters([1.27, -0.5], [-254, 3]).reshape(2, 1, 2, 1)
    whole, scales, bias, bias_scales = rounded(weights, np.array([1, -4], np.float32), ONE, depthwise=True)
    assert whole.reshape(2, 2).tolist() == [[127, -50], [-127, 2]]  # 1.5 rounds to even
    assert np.allclose(scales, [0.01, 2])
    assert bias.tolist() == [100, -2]
    assert np.array_equal(bias_scales, scales)


def test_the_two_largest_weights_of_one_sign_share_the_range() -> None:
    whole, scales, *_ = rounded(filters([77, -90, 50, 3, -10]), np.zeros(1, np.float32), ONE, depthwise=False)
    assert scales.tolist() == [1]  # 77 + 50 = 127, 90 + 10 is less
    assert whole.ravel().tolist() == [77, -90, 50, 3, -10]


@given(arrays(np.float32, (4, 6, 1, 1), elements=st.floats(-100, 100, width=32)))
def test_two_products_never_overflow_16_bits(weights: np.ndarray) -> None:
    whole, *_ = rounded(weights, np.zeros(4, np.float32), ONE, depthwise=False)
    for side in (whole, -whole.astype(int)):
        largest_two = np.sort(np.maximum(side.astype(int), 0).reshape(4, 6), axis=1)[:, -2:].sum(axis=1)
        assert (255 * largest_two).max() <= np.iinfo(np.int16).max


def test_biases_count_in_steps_of_input_and_weight() -> None:
    _, scales, bias, bias_scales = rounded(
        filters([127]), np.array([10], np.float32), np.float32(0.25), depthwise=False
    )
    assert (scales[0], bias_scales[0], bias[0]) == (1, 0.25, 40)


def test_a_pruned_channel_keeps_its_bias() -> None:
    whole, scales, bias, _ = rounded(
        filters([0, 0]), np.array([3.25], np.float32), np.float32(0.5), depthwise=False
    )
    assert not whole.any()
    assert np.isclose(float(bias[0]) * float(scales[0]) * 0.5, 3.25, rtol=1e-6)


def test_a_channel_of_nothing_stays_nothing() -> None:
    whole, scales, bias, _ = rounded(filters([0]), np.zeros(1, np.float32), ONE, depthwise=False)
    assert not whole.any()
    assert bias[0] == 0
    assert scales[0] > 0


small = st.floats(-100, 100, width=32)
factor = st.floats(0.03125, 32, width=32)


@given(
    arrays(np.float32, (3, 2, 1, 1), elements=small),
    arrays(np.float32, 3, elements=factor),
    arrays(np.float32, 2, elements=factor),
    arrays(np.float32, 2, elements=small),
)
def test_equalising_writer_and_reader_changes_nothing(
    weights: np.ndarray, written: np.ndarray, read: np.ndarray, values: np.ndarray
) -> None:
    bias = np.array([1, 2, 3], np.float32)
    new_weights, new_bias = equalised(weights, bias, written, read, depthwise=False)
    before = weights[:, :, 0, 0].astype(float) @ values + bias
    after = (new_weights[:, :, 0, 0].astype(float) @ (values.astype(float) / read) + new_bias) * written
    size = np.abs(weights[:, :, 0, 0]).astype(float) @ np.abs(values) + np.abs(bias)
    assert np.all(np.abs(after - before) <= 1e-5 * size + 1e-5)


def test_a_depthwise_filter_reads_its_own_channel() -> None:
    weights, bias = equalised(
        filters([1], [1]), np.ones(2, np.float32), None, np.array([2, 4], np.float32), depthwise=True
    )
    assert weights.ravel().tolist() == [2, 4]
    assert bias.tolist() == [1, 1]
