"""Ten seconds of measures become one record."""

from __future__ import annotations

from typing import Any

import pytest

from edge.coach.records import CoachEvent
from edge.motion.grades import Measure
from edge.uplink.windows import Stretch, Windows


def run(windows: Windows, begin: float, end: float, rate: float = 10, **more: Any) -> list[Stretch]:
    measures = more.get("measures", {"trunk_lean": Measure(10.0, "A")})
    complete = []
    for n in range(round((end - begin) * rate)):
        stretch = windows.take(begin + n / rate, measures, [], more.get("exercise"))
        complete += [stretch] if stretch else []
    return complete


def test_every_ten_seconds_from_the_first_frame() -> None:
    windows = Windows(3.0)
    complete = run(windows, 3.0, 27.0)
    last = windows.finish()
    assert last is not None
    assert [(one.begin, one.duration_s) for one in [*complete, last]] == [
        (3.0, 9.9),
        (13.0, 9.9),
        (23.0, 3.9),
    ]
    assert windows.finish() is None


def test_a_gap_leaves_out_what_nobody_saw() -> None:
    windows = Windows(0.0)
    complete = run(windows, 0.0, 4.0) + run(windows, 35.0, 41.0)
    assert [(one.begin, one.duration_s) for one in complete] == [(0.0, 3.9), (30.0, 9.9)]


def test_means_peaks_and_ranges() -> None:
    windows = Windows(0.0)
    for n in range(100):
        windows.take(n / 10, {"knee_flexion_left": Measure(float(n), "B", ("oblique_view",))}, [], None)
    stretch = windows.finish()
    assert stretch is not None
    assert stretch.metrics["knee_flexion_left"] == 49.5
    assert stretch.metrics["knee_flexion_left_peak"] == pytest.approx(98, abs=1)
    assert stretch.metrics["knee_rom_left"] == pytest.approx(98, abs=1)
    assert set(stretch.grades.values()) == {"B"}
    assert stretch.metrics.keys() == stretch.grades.keys()


def test_what_was_hardly_measurable_has_no_value_and_zero_is_one() -> None:
    windows = Windows(0.0)
    for n in range(100):
        hidden = Measure(None, "none", ("joint_hidden",)) if n % 10 else Measure(7.0, "C")
        windows.take(n / 10, {"elbow_flexion_left": hidden, "trunk_lean": Measure(0.0, "A")}, [], None)
    stretch = windows.finish()
    assert stretch is not None
    assert stretch.metrics["trunk_lean"] == 0.0
    assert "elbow_flexion_left" not in stretch.metrics


def test_the_mean_of_a_direction_is_a_direction() -> None:
    windows = Windows(0.0)
    for n in range(100):
        windows.take(n / 10, {"view_yaw": Measure(170.0 if n % 2 else -170.0, "B")}, [], None)
    stretch = windows.finish()
    assert stretch is not None
    assert abs(stretch.metrics["view_yaw"]) == pytest.approx(180, abs=0.1)


def test_each_repetition_is_in_one_window() -> None:
    def event(kind: Any) -> CoachEvent:
        return CoachEvent(t=0.0, kind=kind, exercise="squat")

    windows = Windows(0.0)
    windows.take(0.0, {}, [event("set_start"), event("rep")], "squat")
    windows.take(9.9, {}, [event("partial_rep")], None)
    first = windows.take(10.0, {}, [event("rep"), event("rep")], None)
    second = windows.finish([event("rep"), event("set_end")])
    assert first is not None
    assert second is not None
    assert (first.reps, first.partial_reps, first.exercise) == (1, 1, "squat")
    assert (second.reps, second.partial_reps, second.exercise) == (3, 0, None)
