"""Exercises without footage, too, are recognised and counted: textbook repetitions of posed bodies."""

from __future__ import annotations

import numpy as np
import pytest

from edge.coach.coach import Coach
from edge.motion.signals import Signals
from tests.coach.textbook import HELD, TEXTBOOKS, Textbook, moments, seen

ALTERNATING = {"lunge": 2, "side_lunge": 2, "mountain_climber": 2, "high_knees": 2}
"""Limbs that take turns in one cycle of the textbook."""

LATE = ("burpee", "jump_squat")
"""Recognised only when a repetition or two were counted as something else, or not at all."""


def coached(book: Textbook, choice: str, yaw: float, repetitions: int) -> Coach:
    """A coach who has watched so many cycles, misread by 8 mm, in depth by 16."""
    rng, coach, off, t = np.random.default_rng(1), Coach(choice), np.zeros(()), 0.0
    for t, at in moments(book, repetitions):
        off = 0.85 * off + rng.normal(0, 0.008 * (1 - 0.85**2) ** 0.5, at.shape)
        coach.update(Signals(seen(at, yaw, off)), t)
    coach.finish(t)
    return coach


@pytest.mark.parametrize("name", [name for name in TEXTBOOKS if name not in LATE])
def test_a_textbook_repetition_is_recognised_and_counted(name: str) -> None:
    coach = coached(TEXTBOOKS[name], "auto", yaw=30, repetitions=5)
    totals = {exercise: total for exercise, total in coach.totals().items() if total[0]}
    assert list(totals) == [name]
    assert totals[name][0] == pytest.approx(5 * ALTERNATING.get(name, 1), abs=1)


@pytest.mark.parametrize("name", HELD)
def test_a_textbook_position_is_held(name: str) -> None:
    coach = coached(HELD[name], name, yaw=30, repetitions=5)
    assert coach.totals()[name][2] == pytest.approx(14, abs=0.5)
