"""Trends: a slope that noise does not move, and no answer where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from cloud.api.measures import measures
from cloud.api.trends import judge, slope_of


@pytest.mark.parametrize(
    ("at", "values", "expected"),
    [
        ([0, 1, 2, 3, 4], [100, 102, 103, 105, 109], (2.0, 1.0, 4.0)),
        (
            [0, 1, 2, 4, 5, 6, 8, 9, 10, 11],
            [101.5, 99, 103, 104, 102, 104, 107, 103, 108.5, 104],
            (0.5, 0.0, 0.75),
        ),
        ([0, 1, 2, 3, 5, 7], [9, 7, 8, 6, 6, 3], (-2 / 3, -2.0, 0.0)),
        ([0, 1, 2, 3, 4, 5], [5, 5, 5, 5, 5, 5], (0.0, 0.0, 0.0)),
    ],
)
def test_slope_and_interval(at: list[float], values: list[float], expected: tuple[float, ...]) -> None:
    slope = slope_of(at, values)
    assert slope is not None
    assert (slope.slope, slope.low, slope.high) == pytest.approx(expected)


def test_noise_is_stable_and_a_clear_change_is_not() -> None:
    dice = np.random.default_rng(1)
    weeks = np.arange(12.0)

    def directions(step: float) -> list[str]:
        drawn = [list(100 + step * weeks + dice.normal(0, 5, 12)) for _ in range(300)]
        return [judge(slope_of(list(weeks), values), 12, "more")[0] for values in drawn]

    assert directions(0).count("stable") > 0.92 * 300
    assert directions(3).count("improving") > 0.98 * 300
    assert directions(-3).count("declining") > 0.98 * 300


def test_change_is_told_from_the_first_week_to_the_last() -> None:
    slope = slope_of([0, 1, 2, 3, 4], [100, 105, 110, 115, 120])
    assert slope is not None
    assert slope.change_percent == pytest.approx(20)
    zero = slope_of([0, 1, 2], [0, 1, 2])
    assert zero is not None
    assert zero.change_percent is None


def test_too_few_weeks_say_nothing() -> None:
    assert slope_of([0], [1]) is None
    assert judge(slope_of([0, 1, 2, 3], [1, 2, 3, 4]), 4, "more") == ("unknown", "too_few_weeks")


def test_more_of_a_peak_is_no_progress_by_itself() -> None:
    rising = slope_of([0, 1, 2, 3, 4], [1, 2, 3, 4, 5])
    assert judge(rising, 5, measures()["trunk_lean_peak"].better) == ("unknown", "more_is_not_better")
    assert judge(rising, 5, measures()["knee_rom"].better) == ("improving", None)


def test_measures_are_those_of_sessions_with_both_sides_together() -> None:
    assert measures()["knee_rom"].columns == ("knee_rom_left", "knee_rom_right")
    assert measures()["knee_flexion_peak"].columns == ("knee_flexion_left_peak", "knee_flexion_right_peak")
    assert measures()["trunk_lean_peak"].columns == ("trunk_lean_peak",)
    assert "knee_flexion_left" not in measures()  # a mean of every moment says nothing of a session
