"""Gait over a session, from generated walks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.coach.observer import Observer
from tests.truth.camera import Camera
from tests.truth.exercises import squat
from tests.truth.noise import Noise
from tests.truth.walking import run, walk

if TYPE_CHECKING:
    from edge.coach.observer import Person
    from tests.truth.motion import Motion


def watch(
    motion: Motion, *, height_m: float | None = 1.75, noise: Noise | None = None, **camera: float
) -> Person:
    """The person after `motion` was seen."""
    observer = Observer("auto", height_m)
    for frame in Camera(**({"yaw": 85.0, "distance": 5.0} | camera)).see(motion, 30, noise=noise):
        observer.update(frame)
    (person,) = observer.finish()
    return person


def test_a_walk_over_several_stretches() -> None:
    person = watch(walk(duration_s=35, treadmill=True), noise=Noise())
    measures = person.measures()
    assert person.walks.kind == "walk"
    assert measures["cadence"].value == pytest.approx(110, rel=0.01)
    assert measures["cadence"].grade == "A"
    assert measures["stance_left"].value == pytest.approx(62, abs=2)
    assert measures["stride_length"].value == pytest.approx(1.418, rel=0.03)
    assert (measures["stride_length"].grade, measures["stride_length"].reasons) == ("B", ("tilt_unknown",))


def test_a_run() -> None:
    assert watch(run(treadmill=True)).walks.kind == "run"


def test_squats_are_no_gait() -> None:
    person = watch(squat())
    assert person.walks.kind is None
    assert "cadence" not in person.measures()


def test_whoever_comes_nearer_shows_the_tilt_and_lengths_become_better() -> None:
    observer = Observer("auto", 1.75)
    start = 0.0
    for yaw in (50.0, 90.0):  # aslant through the room, then across it
        for frame in Camera(yaw=yaw, tilt=12, distance=6).see(walk(duration_s=5), 30):
            observer.update(_later(frame, start))
        start += 10.0
    people = [*observer.absent(start), *observer.finish()]
    grades = [person.measures()["stride_length"].grade for person in people]
    assert people[-1].measures()["stride_length"].value == pytest.approx(1.418, rel=0.03)
    assert "B" in grades


def test_whoever_crosses_the_picture_shows_the_roll_and_the_trunk_is_upright() -> None:
    observer = Observer("auto", 1.75)
    start, leans = 0.0, []
    for yaw in (50.0, 90.0, 0.0):  # aslant, across, then towards the camera
        seen = []
        for frame in Camera(yaw=yaw, tilt=12, roll=6, distance=6).see(walk(duration_s=5), 30):
            seen += observer.update(_later(frame, start))
        leans.append(np.mean([one.measures["spine_side_lean"].value or 0.0 for one in seen[20:]]))
        start += 10.0
    lens = observer.lens(1280, 720)
    assert (lens.tilt, lens.roll) == (pytest.approx(12, abs=2), pytest.approx(6, abs=1.5))
    assert abs(leans[2]) < 2 < abs(leans[0])


def test_after_an_hour_nothing_has_grown() -> None:
    observer = Observer("auto", 1.75)
    frames = Camera(yaw=90, distance=5).see(walk(duration_s=10, treadmill=True), 10)
    for lap in range(30):
        for frame in frames:
            observer.update(_later(frame, lap * 10.1))
    (person,) = observer.people.values()
    assert len(person.walks._bodies) <= 101
    assert len(person.walks._means) < 30


def _later(frame, seconds):  # type: ignore[no-untyped-def]
    from msgspec.structs import replace

    return replace(frame, monotonic_ns=frame.monotonic_ns + round(seconds * 1e9))
