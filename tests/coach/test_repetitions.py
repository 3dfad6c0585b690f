"""Repetitions in numbers, from frames to events and to the metrics of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.coach.observer import Observer
from edge.coach.repetitions import KEPT_S
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, curl, squat
from tests.truth.noise import Noise
from tests.truth.repetitions import Tempo

if TYPE_CHECKING:
    from edge.coach.observer import Person
    from tests.truth.motion import Motion


def watch(
    motion: Motion, exercise: str = "auto", *, fps: float = 30, noise: Noise | None = None, **camera: float
) -> Person:
    """The person after `motion` was seen, with all events."""
    observer, happened = Observer(exercise, 1.75), []
    for frame in Camera(**({"distance": 4.0} | camera)).see(motion, fps, noise=noise):
        happened += [event for one in observer.update(frame) for event in one.events]
    (person,) = observer.finish()
    person.events = happened + person.events
    return person


def test_every_repetition_is_measured_a_moment_after_it_was_counted() -> None:
    person = watch(squat(), "squat", yaw=75)
    counted = [event.t for event in person.events if event.kind == "rep"]
    measured = [event for event in person.events if event.kind == "rep_measured"]
    assert len(counted) == 5
    assert [event.t for event in measured] == counted
    for event in measured:
        assert event.repetition is not None
        assert event.repetition.t == event.t
        assert event.repetition.measures["rep_range"].value == pytest.approx(106, abs=1)
        assert event.repetition.measures["rep_range"].grade == "A"
    assert [event.kind for event in person.events][-2:] == ["set_end", "set_summary"]


def test_means_of_the_session_with_noise() -> None:
    got = watch(squat(), noise=Noise(), yaw=80).measures()
    assert got["rep_range"].value == pytest.approx(106, abs=4)
    assert got["rep_peak"].value == pytest.approx(110, abs=4)
    assert got["rep_eccentric_time"].value == pytest.approx(1.2, abs=0.1)
    assert got["rep_pause_time"].value == pytest.approx(0.3, abs=0.1)
    assert got["rep_concentric_time"].value == pytest.approx(1.0, abs=0.1)
    assert got["rep_peak_velocity_eccentric"].value == pytest.approx(165.6, rel=0.2)
    assert got["rep_range"].grade == "A"


def test_each_limb_has_its_own_range() -> None:
    got = watch(arm_raise(weak=15), yaw=0).measures()
    left, right = got["rep_range_left"].value, got["rep_range_right"].value
    assert left is not None
    assert right is not None
    assert left - right == pytest.approx(15, abs=2)
    assert got["rep_range"].value == pytest.approx((left + right) / 2)


def test_an_arm_that_rests_is_not_measured() -> None:
    got = watch(curl(which="right"), "biceps_curl", yaw=80).measures()
    assert got["rep_range_right"].value == pytest.approx(125, abs=2)
    assert "rep_range_left" not in got


def test_a_movement_without_an_angle_has_no_numbers() -> None:
    person = watch(curl(), "hand_clap", yaw=0)
    assert not any(event.kind == "rep_measured" for event in person.events)
    assert "rep_range" not in person.measures()


def test_what_is_kept_is_bounded() -> None:
    person = watch(squat(tempo=Tempo(reps=20)), "squat", fps=200, yaw=80)
    assert len(person.repetitions._kept) <= KEPT_S * 126
    assert person.repetitions._kept[-1][0] - person.repetitions._kept[0][0] <= KEPT_S
    assert not person.repetitions._waiting
