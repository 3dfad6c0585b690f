"""A joint that is read elsewhere for a moment costs no repetition of a set; what is something else stays that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.coach.coach import Coach
from edge.motion.body import INDEX
from edge.motion.signals import Signals
from tests.coach.textbook import TEXTBOOKS, moments, seen

if TYPE_CHECKING:
    from collections.abc import Collection

SQUAT = TEXTBOOKS["squat"]
FOOT = [INDEX[f"{joint}_left"] for joint in ("ankle", "heel", "toe")]
AWAY = np.array([0.5, 0.25, 0.0])
"""Metres: where the foot of somebody who passes is."""


def counted(repetitions: int, phase: float, share: float, misread: Collection[int]) -> int:
    """Squats that are counted, told the exercise, of so many; the left foot is misread for a share of some of them.

    `phase`: share of a repetition at which that begins; `misread`: the numbers of these, from 0.
    """
    rng, coach, off, t = np.random.default_rng(1), Coach("squat"), np.zeros(()), 0.0
    for t, at in moments(SQUAT, repetitions):
        off = 0.85 * off + rng.normal(0, 0.008 * (1 - 0.85**2) ** 0.5, at.shape)
        number, done = divmod((t - 1) / SQUAT.period_s, 1)
        read = at.copy()
        if number in misread and phase <= done < phase + share:
            read[FOOT] += AWAY
        coach.update(Signals(seen(read, 30, off)), t)
    coach.finish(t)
    return coach.totals()["squat"][0]


@pytest.mark.parametrize("phase", [0.1, 0.3, 0.5, 0.7])
def test_a_foot_that_is_misread_for_a_moment_costs_no_repetition(phase: float) -> None:
    assert counted(6, phase, 0.15, misread=[2, 4]) == 6


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5])
def test_a_foot_that_is_elsewhere_for_long_is_none_of_the_set(phase: float) -> None:
    assert counted(5, phase, 0.5, misread=[3]) == 4


def test_before_there_is_a_set_nothing_is_known_to_be_misread() -> None:
    assert counted(5, 0.3, 0.15, misread=[0, 1]) == 3


def test_what_goes_on_being_misread_is_something_else() -> None:
    assert counted(8, 0.3, 0.15, misread=range(3, 8)) == 5
