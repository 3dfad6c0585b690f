from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.quantise.weights import equalised, rounded

ONE = np.float32(1)


def filters(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)[:, :, None, None]


def test_each_channel_uses_the_whole_of_int8() -> None:
    whole, scales, bias, bias_scales = rounded(
        filters([1.27, -0.5], [-254, 3]), np.array([1, -4], np.float32), ONE
    )
    assert whole[:, :, 0, 0].tolist() == [[127, -50], [-127, 2]]  # 1.5 rounds to even
    assert np.allclose(scales, [0.01, 2])
    assert bias.tolist() == [100, -2]
    assert np.array_equal(bias_scales, scales)


def test_biases_count_in_steps_of_input_and_weight() -> None:
    _, scales, bias, bias_scales = rounded(filters([127]), np.array([10], np.float32), np.float32(0.25))
    assert (scales[0], bias_scales[0], bias[0]) == (1, 0.25, 40)


def test_a_pruned_channel_keeps_its_bias() -> None:
    whole, scales, bias, _ = rounded(filters([0, 0]), np.array([3.25], np.float32), np.float32(0.5))
    assert not whole.any()
    assert np.isclose(float(bias[0]) * float(scales[0]) * 0.5, 3.25, rtol=1e-6)


def test_a_channel_of_nothing_stays_nothing() -> None:
    whole, scales, bias, _ = rounded(filters([0]), np.zeros(1, np.float32), ONE)
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
