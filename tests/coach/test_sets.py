"""The numbers of a set."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from edge.coach.library import exercise
from edge.coach.records import Repetition, Side
from edge.coach.sets import Set
from edge.coach.survey import survey
from edge.motion.course import Course
from edge.motion.signals import Signals
from tests.figure import Figure

_COURSE = Course()
_COURSE.add(0.0, Signals(Figure().body()))
SEEN = survey(_COURSE.window(0, 1), np.ones(1))


def repetition(
    duration: float, *, kind: str = "rep", side: Side | None = "both", range_deg: float | None = None
) -> Repetition:
    return Repetition(
        t=0,
        kind=kind,  # type: ignore[arg-type]
        side=side,
        duration_s=duration,
        eccentric_s=duration / 2,
        concentric_s=duration / 2,
        range_deg=range_deg,
        peak_deg=None,
    )


def test_tempo_and_range_of_the_full_repetitions() -> None:
    durations, ranges = [2.0, 2.4, 1.8, 2.6], [90.0, 100.0, 95.0, 80.0]
    done = Set(exercise("squat"))
    for n, (duration, range_deg) in enumerate(zip(durations, ranges, strict=True)):
        done.add(float(n), repetition(duration, range_deg=range_deg), SEEN)
    done.add(9.0, repetition(7.0, kind="partial", range_deg=10), SEEN)
    summary = done.summary()
    assert (summary.reps, summary.partial_reps) == (4, 1)
    assert summary.tempo_s == pytest.approx(statistics.mean(durations))
    assert summary.tempo_spread == pytest.approx(statistics.stdev(durations) / statistics.mean(durations))
    assert summary.range_deg == pytest.approx(statistics.mean(ranges))
    assert summary.range_spread == pytest.approx(statistics.stdev(ranges) / statistics.mean(ranges))


def test_one_repetition_has_no_spread_and_none_has_no_tempo() -> None:
    done = Set(exercise("squat"))
    assert (done.summary().tempo_s, done.summary().range_deg) == (None, None)
    done.add(0.0, repetition(2.0), SEEN)
    summary = done.summary()
    assert (summary.tempo_s, summary.tempo_spread, summary.range_deg) == (2.0, None, None)


def test_limbs_are_counted_where_they_moved_alone() -> None:
    done = Set(exercise("biceps_curl"))
    sides: tuple[Side, ...] = ("left", "right", "left", "both")
    for n, side in enumerate(sides):
        done.add(float(n), repetition(2.0, side=side), SEEN)
    done.add(9.0, repetition(2.0, side="right", kind="partial"), SEEN)
    summary = done.summary()
    assert (summary.left, summary.right, summary.reps) == (2, 1, 4)


def test_another_name_keeps_the_numbers() -> None:
    done = Set(exercise("squat"))
    done.add(0.0, repetition(2.0), SEEN)
    done.rename(exercise("jump_squat"))
    assert (done.summary().exercise, done.summary().reps) == ("jump_squat", 1)
