"""Whatever repeats is counted by its own rhythm; what does not repeat is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.coach.periodic import CYCLES, Periodic
from edge.motion.course import Course
from edge.motion.signals import Signals
from tests.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.coach.records import Repetition

RATE = 30.0


def count(pose: Callable[[float], Figure], course: Sequence[float], rate: float = RATE) -> list[Repetition]:
    periodic, past, rng, found = Periodic(), Course(), np.random.default_rng(3), []
    for i, p in enumerate(course):
        now = Signals(pose(p).body(noise=0.01, rng=rng))
        past.add(i / rate, now)
        found += periodic.update(past, now.arrays[0], i / rate, since=0.0)
    return found


def leg_to_the_side(p: float) -> Figure:
    return Figure(spread=(45 * p, 0), yaw=10)


def wave(seconds: float) -> list[float]:
    n = round(seconds * RATE)
    return [(1 - math.cos(2 * math.pi * i / n)) / 2 for i in range(n)]


@pytest.mark.parametrize("tempo", [0.8, 1.5, 2.6])
def test_a_movement_that_no_row_describes(tempo: float) -> None:
    found = count(leg_to_the_side, [0.0] * 45 + wave(tempo) * 9 + [0.0] * 60)
    assert len(found) == 9
    assert [one.t for one in found] == pytest.approx([1.5 + tempo * (n + 0.5) for n in range(9)], abs=0.2)


def test_fewer_cycles_than_tell_a_rhythm_do_not_count() -> None:
    assert count(leg_to_the_side, [0.0] * 60 + wave(1.5) * (CYCLES - 2) + [0.0] * 200) == []


def test_standing_and_random_movement_do_not_count() -> None:
    rng = np.random.default_rng(5)
    wander = np.clip(np.cumsum(rng.normal(0, 0.06, 900)), 0, 1).tolist()
    assert count(leg_to_the_side, [0.0] * 600) == []
    assert count(leg_to_the_side, wander) == []


def test_after_a_rest_it_is_found_again() -> None:
    found = count(leg_to_the_side, [0.0] * 30 + wave(1.5) * 6 + [0.0] * 450 + wave(1.0) * 7 + [0.0] * 60)
    assert len(found) == 13
