"""The past of a body: the last minute is there, and takes as much memory as it needs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from edge.motion.course import MEMORY_S, Course
from edge.motion.signals import Signals
from tests.figure import Figure

NOW = Signals(Figure().body())
MOVEMENTS = 40


def feed(course: Course, times: list[float]) -> None:
    """Each moment's progress is its number."""
    for number, t in enumerate(times):
        course.add(t, NOW, np.full(MOVEMENTS, float(number)))


@pytest.mark.parametrize("rate", [5.0, 12.5, 30.0, 61.0])
def test_the_last_minute_is_there_however_often_pictures_come(rate: float) -> None:
    course, times = Course(MOVEMENTS), [100 + n / rate for n in range(round(200 * rate))]
    del times[round(70 * rate) : round(75 * rate)]  # out of sight
    for number, t in enumerate(times):
        course.add(t, NOW, np.full(MOVEMENTS, float(number)))
        if number % 97 and number != len(times) - 1:
            continue
        window = course.window(t - MEMORY_S, t)
        first = sum(time < t - MEMORY_S - 1e-9 for time in times[: number + 1])
        assert window.times.tolist() == times[first : number + 1]
        assert window.progress[:, -1].tolist() == list(range(first, number + 1))
        np.testing.assert_array_equal(window.values[-1], NOW.arrays[0])


def test_pictures_that_come_too_fast_or_too_late_are_left_out() -> None:
    course = Course(MOVEMENTS)
    feed(course, [1.0, 1.001, 0.5, 1.1])
    assert course.window(0, 2).progress[:, 0].tolist() == [0, 3]


def test_memory_follows_how_long_somebody_is_there_and_then_stays_as_it_is() -> None:
    taken = []
    for seconds in (5, 180, 720):
        tracemalloc.start()
        try:
            course = Course(MOVEMENTS)
            feed(course, [n / 12.5 for n in range(round(seconds * 12.5))])
            taken.append(tracemalloc.get_traced_memory()[0] / 1e6)
        finally:
            tracemalloc.stop()
        del course
    assert taken[0] < 0.3
    assert taken[1] < 4
    assert taken[2] < taken[1] + 0.01
