"""What noise makes of angles, and of their grades."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.motion.angles import ROW
from edge.motion.body import POINTS
from edge.motion.estimate import Estimate
from edge.motion.grades import measure
from edge.motion.trembling import Speeds, trembling
from tests.figure import Figure

KNEE = ROW["knee_flexion_left"]


def test_noise_grows_with_speed_as_its_root() -> None:
    body = Figure(knee=(60, 60), yaw=90).body()
    slow, fast = (trembling(body, np.full(len(POINTS), speed))[KNEE] for speed in (0.5, 2.0))
    assert fast == pytest.approx(2 * slow)
    assert trembling(body, np.full(len(POINTS), np.nan))[KNEE] < slow


def test_speeds_are_in_trunk_lengths_a_second() -> None:
    speeds, body = Speeds(), Figure(yaw=90).body()
    assert np.isnan(speeds.update(0.0, body)).all()
    moved = type(body)(body.image + np.array([body.trunk_px, 0.0]), body.space, body.visibility)
    assert np.nanmax(np.abs(speeds.update(0.1, moved) - 10.0)) < 1e-6
    assert np.isnan(speeds.update(9.0, body)).all()


@pytest.mark.parametrize(
    ("noise", "size", "grade", "reasons"),
    [
        (1.0, 100, "A", ()),
        (3.0, 100, "B", ("fast_movement",)),
        (7.0, 100, "C", ("fast_movement",)),
        (1.0, 50, "B", ("too_far",)),
        (1.0, 20, "C", ("too_far",)),
    ],
)
def test_grades(noise: float, size: float, grade: str, reasons: tuple[str, ...]) -> None:
    got = measure(42.0, visibility=0.9, tilt=0, rate=30, trembling=noise, trunk_px=size)
    assert (got.grade, got.reasons) == (grade, reasons)


def test_estimates() -> None:
    one = Estimate.of([1.0, 1.1, 0.9, 1.05, 0.95, 9.0])
    assert one.value == pytest.approx(1.0)
    student = 2.776 / 1.960  # of four degrees of freedom, over the normal deviate
    error = np.std([1.0, 1.1, 0.9, 1.05, 0.95], ddof=1) / math.sqrt(5)
    assert one.error == pytest.approx(student * error, rel=0.02)
    assert math.isnan(Estimate.of([]).value)
    assert math.isnan(Estimate.of([1.0]).error)
    assert one.symmetry(one).value == 0.0
    assert one.times(2).over(one).value == pytest.approx(2.0)


@pytest.mark.parametrize("count", [4, 6, 10, 30])
def test_the_truth_is_within_two_errors_of_few_values_too(count: int) -> None:
    """The values that are left out as outliers must not make the rest look surer than it is."""
    dice = np.random.default_rng(count)
    found = [Estimate.of(dice.standard_normal(count).tolist()) for _ in range(2000)]
    assert np.mean([abs(one.value) <= 2 * one.error for one in found]) > 0.9
