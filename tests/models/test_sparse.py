from __future__ import annotations

import numpy as np

from models.convert.sparse import scatter_rows


def test_rows_of_different_length_land_in_their_columns() -> None:
    # Row 0 holds columns 1 and 3, row 1 nothing, row 2 column 0, row 3 all but column 2.
    dense = scatter_rows(
        np.array([1, 2, 3, 4, 5, 6], np.float32),
        np.array([0, 2, 2, 3, 6]),
        np.array([1, 3, 0, 0, 1, 3]),
        (2, 2, 4),
    )
    assert dense.tolist() == [[[0, 1, 0, 2], [0, 0, 0, 0]], [[3, 0, 0, 0], [4, 5, 0, 6]]]


def test_padding_behind_the_last_value_is_ignored() -> None:
    dense = scatter_rows(np.array([7, 99, 99]), np.array([0, 1]), np.array([1]), (1, 2))
    assert dense.tolist() == [[0, 7]]
